/*
 * TCP as net/loop sees it: bytes in order or an end, with latency, jitter, a
 * line speed, windows that fill, black holes that only time reveals, resets,
 * and pieces cut at random places. A lost segment is a late one.
 */
#include <stdlib.h>

#include "base/xmalloc.h"
#include "tests/sim/sim.h"

/* As net/loop: one chunk waits for the kernel, the rest in the node. */
#define WIRE_CHUNK_BYTES 65536
#define WIRE_READ_BYTES 65536
/* TCP_USER_TIMEOUT of net/loop; its keep-alive notices an idle death. */
#define WIRE_USER_TIMEOUT_US (12 * SIM_S)
#define WIRE_KEEPALIVE_US (2500 * SIM_MS)
#define WIRE_REFUSED_AFTER_US 2000

static struct tcp *tcp_find(const struct sim *s, uint64_t id)
{
	return table_get(&s->tcps, bytes_of(&id, sizeof(id)));
}

static struct tcp *tcp_of(const struct host *h, uint64_t conn)
{
	return table_get(&h->carriers, bytes_of(&conn, sizeof(conn)));
}

static struct tcp_end *end_of(
	struct host *h, uint64_t conn, struct tcp **tcp, int *side)
{
	*tcp = tcp_of(h, conn);
	if (*tcp == NULL)
		return NULL;
	*side = (*tcp)->end[0].host == h->index && (*tcp)->end[0].attached &&
				(*tcp)->end[0].conn == conn
			? 0
			: 1;
	return &(*tcp)->end[*side];
}

bool wire_way(const struct sim *s, int a, int b)
{
	const struct host *ha, *hb;

	if (a < 0 || b < 0)
		return true;
	ha = &s->host[a];
	hb = &s->host[b];
	return !s->cut[a][b] && ha->machine && hb->machine && ha->cable &&
	       hb->cable && !ha->asleep && !hb->asleep;
}

static bool tcp_way(const struct sim *s, const struct tcp *t)
{
	return wire_way(s, t->end[0].host, t->end[1].host);
}

/* The machine has started anew since: its kernel knows nothing of it. */
static bool is_stale(const struct sim *s, const struct tcp_end *e)
{
	return e->host >= 0 && s->host[e->host].machine_gen != e->gen;
}

static uint64_t travel(struct sim *s)
{
	return s->latency_us +
	       (s->jitter_us == 0 ? 0 : rng_below(&s->rng, s->jitter_us));
}

static void end_free(struct tcp_end *e)
{
	bufq_clear(&e->chunk);
	bufq_clear(&e->rx);
	bufq_clear(&e->tx.flight);
}

static void tcp_free_if_done(struct sim *s, struct tcp *t)
{
	if (t->end[0].open || t->end[1].open)
		return;
	(void)table_remove(&s->tcps, bytes_of(&t->id, sizeof(t->id)));
	P2P_ASSERT(!t->end[0].attached && !t->end[1].attached);
	end_free(&t->end[0]);
	end_free(&t->end[1]);
	free(t);
}

static void detach(struct sim *s, struct tcp_end *e)
{
	if (!e->attached)
		return;
	(void)table_remove(&s->host[e->host].carriers,
		bytes_of(&e->conn, sizeof(e->conn)));
	e->attached = false;
}

/* This end is over for its own host, which hears of it; may free t. */
static void end_fail(struct sim *s, struct tcp *t, int side, const char *why)
{
	struct tcp_end *e = &t->end[side];
	struct node_event ev = {.kind = NODE_EV_CLOSED, .conn = e->conn};
	bool told = e->attached, dialing = e->dialing;
	struct host *h = e->host < 0 ? NULL : &s->host[e->host];

	if (!e->open)
		return;
	e->open = false;
	if (t->accepted)
		check_broken(s, t->end[0].host, t->end[1].host);
	detach(s, e);
	if (told)
		sim_trace(s, h->index, "conn %llu ends: %s",
			(unsigned long long)ev.conn, why);
	tcp_free_if_done(s, t);
	if (!told)
		return;
	if (dialing) {
		ev.kind = NODE_EV_DIAL_FAILED;
		ev.text = why;
	}
	host_step(h, &ev);
}

/* ---- travelling -------------------------------------------------------- */

static void on_deliver(struct sim *s, const struct sim_event *ev);
static void on_reset(struct sim *s, const struct sim_event *ev);

/* b: the count of bytes, the side that sent them, whether the end follows. */
static uint64_t pack(size_t n, int side, bool fin)
{
	return (uint64_t)n << 2 | (uint64_t)fin << 1 | (uint64_t)side;
}

static void send_bytes(
	struct sim *s, struct tcp *t, int side, size_t n, bool fin)
{
	struct tcp_lane *l = &t->end[side].tx;
	int a = t->end[0].host, b = t->end[1].host;
	uint64_t at;

	l->free_us = P2P_MAX(l->free_us, s->now_us) +
		     (uint64_t)n * SIM_S / s->bytes_per_s;
	at = P2P_MAX(l->free_us + travel(s), l->last_us);
	if (a >= 0 && b >= 0)
		at = P2P_MAX(at, s->stall_us[a][b]);
	l->last_us = at;
	(void)sim_at(s, at,
		(struct sim_event){.host = -1,
			.name = "deliver",
			.fn = on_deliver,
			.a = t->id,
			.b = pack(n, side, fin)});
}

/* It overtakes nothing: a kernel takes no reset before what it follows. */
static void send_reset(struct sim *s, struct tcp *t, int to)
{
	uint64_t at = s->now_us + travel(s);

	(void)sim_at(s, P2P_MAX(at, t->end[!to].tx.last_us),
		(struct sim_event){.host = -1,
			.name = "reset",
			.fn = on_reset,
			.a = t->id,
			.b = (uint64_t)to});
}

static void on_reset(struct sim *s, const struct sim_event *ev)
{
	struct tcp *t = tcp_find(s, ev->a);

	if (t != NULL && tcp_way(s, t))
		end_fail(s, t, (int)ev->b, "connection reset by peer");
}

/* Reads as libuv does: as long as there is something, in pieces. */
static void read_end(struct sim *s, uint64_t id, int side)
{
	uint8_t piece[WIRE_READ_BYTES];
	struct tcp *t;

	while ((t = tcp_find(s, id)) != NULL) {
		struct tcp_end *e = &t->end[side];
		struct node_event ev = {.kind = NODE_EV_BYTES, .conn = e->conn};
		size_t n = P2P_MIN(e->rx.len, sizeof(piece));

		if (!e->attached || !e->reading || !e->open)
			return;
		if (n == 0) {
			if (e->rx_fin)
				end_fail(s, t, side, "end of file");
			return;
		}
		/* Half deliveries: no reader may lean on whole frames. */
		if (rng_one_in(&s->rng, 4))
			n = 1 + rng_below(&s->rng, n);
		memcpy(piece, bufq_peek(&e->rx).data, n);
		bufq_consume(&e->rx, n);
		ev.bytes = bytes_of(piece, n);
		host_step(&s->host[e->host], &ev);
	}
}

static void on_room(struct sim *s, const struct sim_event *ev);

static void on_deliver(struct sim *s, const struct sim_event *ev)
{
	struct tcp *t = tcp_find(s, ev->a);
	int from = (int)(ev->b & 1);
	bool fin = (ev->b >> 1 & 1) != 0;
	size_t n = ev->b >> 2;
	struct tcp_end *to;
	struct tcp_lane *l;

	if (t == NULL)
		return;
	to = &t->end[!from];
	l = &t->end[from].tx;
	/* With its power a kernel has lost what it would send again. */
	if (is_stale(s, &t->end[from]) && (n > 0 || fin))
		return;
	if (!tcp_way(s, t) || !t->accepted) {
		l->stalled += n;
		l->fin_stalled |= fin;
		return;
	}
	if (!to->open || is_stale(s, to)) {
		bufq_consume(&l->flight, P2P_MIN(n, l->flight.len));
		send_reset(s, t, from);
		return;
	}
	n = P2P_MIN(n, l->flight.len);
	P2P_ASSERT(
		bufq_push(&to->rx, bytes_first(bufq_peek(&l->flight), n)) == 0);
	bufq_consume(&l->flight, n);
	to->rx_fin |= fin;
	if (to->host < 0) {
		bufq_consume(&to->rx, to->rx.len);
		if (to->rx_fin) {
			to->open = false;
			tcp_free_if_done(s, t);
			return;
		}
	}
	if (t->end[from].chunk.len > 0)
		(void)sim_at(s, s->now_us + travel(s),
			(struct sim_event){.host = -1,
				.name = "room",
				.fn = on_room,
				.a = t->id,
				.b = (uint64_t)from});
	read_end(s, ev->a, !from);
}

void wire_healed(struct sim *s)
{
	struct table_entry *e, *tmp;

	TABLE_FOREACH(e, tmp, &s->tcps) {
		struct tcp *t = e->value;

		if (!tcp_way(s, t))
			continue;
		for (int side = 0; side < 2; side++) {
			struct tcp_lane *l = &t->end[side].tx;
			size_t n = l->stalled;
			bool fin = l->fin_stalled;

			if (n == 0 && !fin)
				continue;
			l->stalled = 0;
			l->fin_stalled = false;
			/* The sender tries again when its timer says so. */
			l->last_us = s->now_us + sim_draw(s, 200, 1500) * 1000;
			(void)sim_at(s, l->last_us,
				(struct sim_event){.host = -1,
					.name = "deliver",
					.fn = on_deliver,
					.a = t->id,
					.b = pack(n, side, fin)});
		}
	}
}

/* Finds out what nobody told: the way is gone, or the other side is. */
static void on_keepalive(struct sim *s, const struct sim_event *ev)
{
	struct tcp *t = tcp_find(s, ev->a);

	if (t == NULL)
		return;
	(void)sim_at(s, s->now_us + WIRE_KEEPALIVE_US,
		(struct sim_event){.host = -1,
			.name = "keepalive",
			.fn = on_keepalive,
			.a = ev->a});
	if (tcp_way(s, t)) {
		t->down_since_us = P2P_NEVER;
		for (int side = 0; side < 2; side++)
			if (t->accepted && t->end[side].open &&
				(!t->end[!side].open ||
					is_stale(s, &t->end[!side])))
				send_reset(s, t, side);
		return;
	}
	if (t->down_since_us == P2P_NEVER)
		t->down_since_us = s->now_us;
	if (s->now_us - t->down_since_us < WIRE_USER_TIMEOUT_US)
		return;
	for (int side = 0; side < 2; side++) {
		t = tcp_find(s, ev->a);
		/* A kernel that sleeps counts no time. */
		if (t != NULL && t->accepted &&
			!s->host[t->end[side].host].asleep)
			end_fail(s, t, side, "connection timed out");
	}
}

/* ---- writing ----------------------------------------------------------- */

/* Bytes that the kernel takes now. */
static size_t room_of(const struct sim *s, const struct tcp *t, int side)
{
	size_t held = t->end[side].tx.flight.len + t->end[!side].rx.len;

	return held >= s->window_bytes ? 0 : s->window_bytes - held;
}

static size_t give(struct sim *s, struct tcp *t, int side, struct bytes out)
{
	size_t n = P2P_MIN(out.len, room_of(s, t, side));

	if (n == 0)
		return 0;
	P2P_ASSERT(
		bufq_push(&t->end[side].tx.flight, bytes_first(out, n)) == 0);
	send_bytes(s, t, side, n, false);
	return n;
}

static void finish_close(struct sim *s, struct tcp *t, int side)
{
	struct tcp_end *e = &t->end[side];

	e->open = false;
	if (t->accepted)
		check_broken(s, t->end[0].host, t->end[1].host);
	else
		t->end[!side].open = false;
	/* A kernel that holds unread bytes answers with a reset. */
	if (e->rx.len > 0)
		send_reset(s, t, !side);
	else
		send_bytes(s, t, side, 0, true);
	tcp_free_if_done(s, t);
}

/* The kernel has room again: libuv's chunk first, then the node's queue. */
static void on_room(struct sim *s, const struct sim_event *ev)
{
	struct tcp *t = tcp_find(s, ev->a);
	struct tcp_end *e;

	if (t == NULL)
		return;
	e = &t->end[ev->b];
	if (!e->open || e->chunk.len == 0)
		return;
	bufq_consume(&e->chunk, give(s, t, (int)ev->b, bufq_peek(&e->chunk)));
	if (e->chunk.len > 0)
		return;
	if (e->close_after_write)
		finish_close(s, t, (int)ev->b);
	else if (e->attached)
		wire_flush(&s->host[e->host], e->conn);
}

/* Writes some of what waits; false when nothing more can be done now. */
static bool write_some(struct host *h, uint64_t conn)
{
	struct node_event ev = {.kind = NODE_EV_WRITTEN, .conn = conn};
	struct tcp_end *e;
	struct bytes out;
	struct tcp *t;
	int side;

	e = end_of(h, conn, &t, &side);
	if (e == NULL || e->dialing || e->chunk.len > 0 || !e->open)
		return false;
	out = node_out_peek(h->node, &h->env, conn);
	if (out.len == 0)
		return false;
	ev.count = give(h->sim, t, side, out);
	if (ev.count == 0) {
		ev.count = P2P_MIN(out.len, (size_t)WIRE_CHUNK_BYTES);
		P2P_ASSERT(
			bufq_push(&e->chunk, bytes_first(out, ev.count)) == 0);
	}
	host_step(h, &ev);
	return true;
}

void wire_flush(struct host *h, uint64_t conn)
{
	while (h->running && write_some(h, conn))
		;
}

void wire_pause(struct host *h, uint64_t conn, bool pause)
{
	struct tcp *t;
	int side;
	struct tcp_end *e = end_of(h, conn, &t, &side);

	if (e == NULL || e->dialing)
		return;
	e->reading = !pause;
	if (!pause)
		(void)sim_at(h->sim, h->sim->now_us,
			(struct sim_event){.host = -1,
				.name = "read",
				.fn = on_deliver,
				.a = t->id,
				.b = pack(0, !side, false)});
}

void wire_close(struct host *h, uint64_t conn)
{
	struct tcp *t;
	int side;
	struct tcp_end *e = end_of(h, conn, &t, &side);

	if (e == NULL)
		return;
	detach(h->sim, e);
	if (e->chunk.len > 0)
		e->close_after_write = true;
	else
		finish_close(h->sim, t, side);
}

void wire_drop_all(struct host *h, bool fin)
{
	struct table_entry *e, *tmp;
	struct sim *s = h->sim;

	TABLE_FOREACH(e, tmp, &s->tcps) {
		struct tcp *t = e->value;

		for (int side = 0; side < 2; side++) {
			struct tcp_end *end = &t->end[side];

			if (end->host != h->index || !end->open ||
				(side == 1 && !t->accepted))
				continue;
			detach(s, end);
			end->open = false;
			if (!t->accepted)
				t->end[!side].open = false;
			else if (fin)
				send_reset(s, t, !side);
		}
		tcp_free_if_done(s, t);
	}
}

/* ---- dialling ---------------------------------------------------------- */

static struct tcp *tcp_new(struct sim *s)
{
	struct tcp *t = xcalloc(1, sizeof(*t));

	t->id = s->next_tcp++;
	t->down_since_us = P2P_NEVER;
	for (int i = 0; i < 2; i++) {
		bufq_init(&t->end[i].chunk, WIRE_CHUNK_BYTES);
		bufq_init(&t->end[i].rx, 4 << 20);
		bufq_init(&t->end[i].tx.flight, 4 << 20);
		t->end[i].open = true;
		t->end[i].host = -1;
	}
	(void)table_put(&s->tcps, bytes_of(&t->id, sizeof(t->id)), t);
	(void)sim_at(s, s->now_us + WIRE_KEEPALIVE_US,
		(struct sim_event){.host = -1,
			.name = "keepalive",
			.fn = on_keepalive,
			.a = t->id});
	return t;
}

static void attach(struct sim *s, struct tcp *t, int side, uint64_t conn)
{
	struct tcp_end *e = &t->end[side];

	e->conn = conn;
	e->attached = true;
	P2P_ASSERT(table_put(&s->host[e->host].carriers,
			   bytes_of(&conn, sizeof(conn)), t) == NULL);
}

static void on_dial_failed(struct sim *s, const struct sim_event *ev)
{
	struct tcp *t = tcp_find(s, ev->a);

	if (t == NULL)
		return;
	t->end[1].open = false;
	end_fail(s, t, 0,
		ev->b ? "network is unreachable" : "connection refused");
}

static void on_connected(struct sim *s, const struct sim_event *ev)
{
	struct node_event out = {.kind = NODE_EV_CONNECTED};
	struct tcp *t = tcp_find(s, ev->a);
	struct tcp_end *e;

	if (t == NULL || !t->end[0].attached || !t->end[0].dialing)
		return;
	e = &t->end[0];
	e->dialing = false;
	e->reading = true;
	out.conn = e->conn;
	host_addr(&s->host[t->end[1].host], &out.addr);
	sim_trace(s, e->host, "conn %llu is open to %s",
		(unsigned long long)e->conn, s->host[t->end[1].host].cfg.name);
	host_step(&s->host[e->host], &out);
	read_end(s, ev->a, 0);
}

static void remote_of(struct sim *s, const struct tcp *t, struct maddr *a)
{
	uint8_t ip[4];

	put_be32(ip,
		t->end[0].host < 0 ? 0x0a0909fd : s->host[t->end[0].host].ip);
	maddr_from_ip(
		a, bytes_of(ip, 4), NULL, (uint16_t)(30000 + t->id % 30000));
}

/* ev->b: the host that is dialled; gen of its machine is not known yet. */
static void on_accept(struct sim *s, const struct sim_event *ev)
{
	struct node_event in = {.kind = NODE_EV_ACCEPTED};
	struct tcp *t = tcp_find(s, ev->a);
	struct host *h = &s->host[ev->b];

	if (t == NULL || !t->end[0].open || !t->end[1].open)
		return;
	t->end[1].host = h->index;
	t->end[1].gen = h->machine_gen;
	if (!tcp_way(s, t)) /* no answer: the dialler's patience decides */
		return;
	if (!h->running || h->net_stopped) {
		(void)sim_at(s, s->now_us + travel(s),
			(struct sim_event){.host = -1,
				.name = "refuse",
				.fn = on_dial_failed,
				.a = t->id});
		return;
	}
	t->accepted = true;
	(void)sim_at(s, s->now_us + travel(s),
		(struct sim_event){.host = -1,
			.name = "connected",
			.fn = on_connected,
			.a = t->id});
	remote_of(s, t, &in.addr);
	host_step(h, &in);
	t = tcp_find(s, ev->a);
	if (t == NULL)
		return;
	if (in.conn == 0) {
		t->end[1].open = false;
		send_reset(s, t, 0);
		return;
	}
	attach(s, t, 1, in.conn);
	t->end[1].reading = true;
	sim_trace(s, h->index, "conn %llu is open from %s",
		(unsigned long long)in.conn,
		t->end[0].host < 0 ? "a stranger"
				   : s->host[t->end[0].host].cfg.name);
	wire_flush(h, in.conn);
	read_end(s, ev->a, 1);
}

static int host_at(const struct sim *s, const struct maddr *a)
{
	struct maddr_tcp tcp;

	if (!maddr_to_tcp(a, &tcp) || tcp.host != MULTIADDR_IP4)
		return -1;
	for (int i = 0; i < s->host_count; i++)
		if (get_be32(tcp.ip) == s->host[i].ip && tcp.port == SIM_PORT)
			return i;
	return -1;
}

void wire_dial(struct host *h, uint64_t conn, const struct maddr *addr)
{
	struct sim *s = h->sim;
	struct tcp *t = tcp_new(s);
	int to = host_at(s, addr);

	t->end[0].host = h->index;
	t->end[0].gen = h->machine_gen;
	t->end[0].dialing = true;
	attach(s, t, 0, conn);
	sim_trace(s, h->index, "conn %llu dials %s", (unsigned long long)conn,
		to < 0 ? "nobody" : s->host[to].cfg.name);
	if (!h->cable)
		(void)sim_at(s, s->now_us + WIRE_REFUSED_AFTER_US,
			(struct sim_event){.host = -1,
				.name = "refuse",
				.fn = on_dial_failed,
				.a = t->id,
				.b = 1});
	else if (to >= 0)
		(void)sim_at(s, s->now_us + 2 * travel(s),
			(struct sim_event){.host = -1,
				.name = "accept",
				.fn = on_accept,
				.a = t->id,
				.b = (uint64_t)to});
}

void wire_attack(struct sim *s, int target, struct bytes raw)
{
	struct tcp *t = tcp_new(s);

	t->end[0].gen = 0;
	P2P_ASSERT(bufq_push(&t->end[0].tx.flight, raw) == 0);
	(void)sim_at(s, s->now_us + travel(s),
		(struct sim_event){.host = -1,
			.name = "accept",
			.fn = on_accept,
			.a = t->id,
			.b = (uint64_t)target});
	t->end[0].tx.last_us = s->now_us + s->latency_us + s->jitter_us + 1;
	t->end[0].tx.free_us = t->end[0].tx.last_us;
	send_bytes(s, t, 0, raw.len, false);
	if (rng_one_in(&s->rng, 2))
		send_bytes(s, t, 0, 0, true);
}

void wire_reset(struct sim *s, int a, int b)
{
	struct table_entry *e, *tmp;

	TABLE_FOREACH(e, tmp, &s->tcps) {
		struct tcp *t = e->value;

		if (!t->accepted || t->end[0].host + t->end[1].host != a + b ||
			(t->end[0].host != a && t->end[0].host != b))
			continue;
		check_broken(s, a, b);
		send_reset(s, t, 0);
		send_reset(s, t, 1);
		return;
	}
}

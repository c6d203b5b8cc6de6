/*
 * TCP without its troubles: bytes arrive in order, after the delay of the two
 * places. tests/sim/wire.c has the troubles.
 */
#include <stdlib.h>

#include "base/xmalloc.h"
#include "tests/sim/attack/attack.h"

#define WIRE_RX_BYTES_MAX (64u << 20)
#define WIRE_DELAY_MIN_US 5000
#define WIRE_DELAY_MAX_US 60000
#define WIRE_EPHEMERAL_PORT 50000

struct wire_end {
	struct host *host;
	uint64_t conn;
	bool open; /* the host holds it */
	bool paused;
	bool ended;     /* the other side has closed */
	struct bufq rx; /* arrived while paused */
};

struct wire {
	uint64_t number;
	uint64_t delay_us;
	struct wire_end end[2]; /* [0] dialled */
};

static struct bytes key_of(const uint64_t *n)
{
	return bytes_of(n, sizeof(*n));
}

static struct wire *wire_of(const struct host *h, uint64_t conn, int *side)
{
	struct wire *x = table_get(&h->wires, key_of(&conn));

	if (x != NULL)
		*side = x->end[0].host == h && x->end[0].conn == conn ? 0 : 1;
	return x;
}

static void tell(struct wire *x, int side, enum wire_happening what,
	const struct maddr *at, struct bytes in)
{
	struct wire_end *e = &x->end[side];

	if (host_is_hostile(e->host))
		hostile_wire(e->host, what, e->conn, at, in);
	else
		honest_wire(e->host, what, e->conn, at, in);
}

static void detach(struct wire *x, int side)
{
	struct wire_end *e = &x->end[side];

	if (!e->open)
		return;
	e->open = false;
	(void)table_remove(&e->host->wires, key_of(&e->conn));
}

static void wire_free(struct wire *x)
{
	bufq_clear(&x->end[0].rx);
	bufq_clear(&x->end[1].rx);
	free(x);
}

/* The host hears that it is over, unless it closed it itself. */
static void end_side(struct wire *x, int side, enum wire_happening what)
{
	if (!x->end[side].open)
		return;
	detach(x, side);
	tell(x, side, what, NULL, bytes_of(NULL, 0));
}

static void free_if_done(struct world *w, struct wire *x)
{
	if (x->end[0].open || x->end[1].open)
		return;
	(void)table_remove(&w->wires, key_of(&x->number));
	wire_free(x);
}

static void later(struct world *w, struct wire *x,
	void (*fn)(struct world *, struct event *), int side)
{
	(void)world_at(w, w->now_us + x->delay_us,
		&(struct event){.fn = fn, .number = x->number, .side = side});
}

/* ---- arriving ----------------------------------------------------------- */

static void deliver(struct wire *x, int side)
{
	struct wire_end *e = &x->end[side];

	while (e->open && !e->paused && e->rx.len > 0) {
		uint8_t piece[65536];
		size_t n = P2P_MIN(sizeof(piece), e->rx.len);

		memcpy(piece, bufq_peek(&e->rx).data, n);
		bufq_consume(&e->rx, n);
		tell(x, side, WIRE_BYTES, NULL, bytes_of(piece, n));
	}
	if (e->open && !e->paused && e->ended)
		end_side(x, side, WIRE_CLOSED);
}

static void on_bytes(struct world *w, struct event *ev)
{
	struct wire *x = table_get(&w->wires, key_of(&ev->number));
	struct wire_end *e;

	if (x == NULL)
		return;
	e = &x->end[ev->side];
	if (!e->open)
		return;
	if (!e->paused && e->rx.len == 0) {
		tell(x, ev->side, WIRE_BYTES, NULL,
			bytes_of(ev->data, ev->len));
		return;
	}
	P2P_ASSERT(bufq_push(&e->rx, bytes_of(ev->data, ev->len)) == 0);
}

static void on_closed(struct world *w, struct event *ev)
{
	struct wire *x = table_get(&w->wires, key_of(&ev->number));

	if (x == NULL)
		return;
	x->end[ev->side].ended = true;
	deliver(x, ev->side);
	free_if_done(w, x);
}

static void on_connected(struct world *w, struct event *ev)
{
	struct wire *x = table_get(&w->wires, key_of(&ev->number));
	struct maddr at;

	if (x == NULL || !x->end[0].open)
		return;
	host_addr(x->end[1].host, &at);
	tell(x, 0, WIRE_CONNECTED, &at, bytes_of(NULL, 0));
}

static void on_failed(struct world *w, struct event *ev)
{
	struct wire *x = table_get(&w->wires, key_of(&ev->number));

	if (x == NULL)
		return;
	end_side(x, 0, WIRE_FAILED);
	free_if_done(w, x);
}

/* The dial reaches the other host. */
static void on_dialled(struct world *w, struct event *ev)
{
	struct wire *x = table_get(&w->wires, key_of(&ev->number));
	struct host *to;
	struct maddr from;

	if (x == NULL)
		return;
	to = x->end[1].host;
	if (!x->end[0].open) {
		free_if_done(w, x);
		return;
	}
	if ((to->node == NULL && to->bad == NULL) ||
		(w->cfg.family->closed && to->index >= w->cfg.family->hubs)) {
		later(w, x, on_failed, 0);
		return;
	}
	maddr_from_ip(&from, bytes_of(x->end[0].host->ip, 4), NULL,
		WIRE_EPHEMERAL_PORT);
	later(w, x, on_connected, 0);
	x->end[1].conn = host_is_hostile(to) ? hostile_accept(to, &from)
					     : honest_accept(to, &from);
	if (x->end[1].conn == 0) {
		later(w, x, on_closed, 0);
		return;
	}
	x->end[1].open = true;
	(void)table_put(&to->wires, key_of(&x->end[1].conn), x);
	tell(x, 1, WIRE_ACCEPTED, NULL, bytes_of(NULL, 0));
}

/* ---- the hosts' verbs --------------------------------------------------- */

static struct host *host_at(struct world *w, const struct maddr *addr)
{
	struct maddr_tcp tcp;

	struct maddr there;
	unsigned index;

	if (!maddr_to_tcp(addr, &tcp) || tcp.port < ATTACK_PORT)
		return NULL;
	index = (unsigned)tcp.port - ATTACK_PORT;
	if (index >= w->host_count)
		return NULL;
	host_addr(&w->host[index], &there);
	return maddr_equal(&there, addr) ? &w->host[index] : NULL;
}

static uint64_t delay_between(struct world *w)
{
	return WIRE_DELAY_MIN_US +
	       rng_below(&w->rng, WIRE_DELAY_MAX_US - WIRE_DELAY_MIN_US);
}

void wire_dial(struct host *h, uint64_t conn, const struct maddr *addr)
{
	struct world *w = h->world;
	struct host *to = host_at(w, addr);
	struct wire *x = xcalloc(1, sizeof(*x));

	x->number = ++w->next_wire;
	x->delay_us = delay_between(w);
	x->end[0] = (struct wire_end){.host = h, .conn = conn, .open = true};
	x->end[1] = (struct wire_end){.host = to};
	bufq_init(&x->end[0].rx, WIRE_RX_BYTES_MAX);
	bufq_init(&x->end[1].rx, WIRE_RX_BYTES_MAX);
	(void)table_put(&w->wires, key_of(&x->number), x);
	(void)table_put(&h->wires, key_of(&conn), x);
	later(w, x, to == NULL ? on_failed : on_dialled, 0);
}

void wire_send(struct host *h, uint64_t conn, struct bytes out)
{
	int side = 0;
	struct wire *x = wire_of(h, conn, &side);
	struct world *w = h->world;

	if (x == NULL || out.len == 0)
		return;
	if (h->saying != NULL)
		h->saying->at_once += out.len;
	if (w->now_us >= attack_from_us(w))
		w->bytes += out.len;
	h->uplink_us = P2P_MAX(h->uplink_us, w->now_us);
	if (w->cfg.uplink > 0)
		h->uplink_us += out.len * ATTACK_S / w->cfg.uplink;
	(void)world_at(w, h->uplink_us + x->delay_us,
		&(struct event){.fn = on_bytes,
			.number = x->number,
			.side = !side,
			.data = xmemdup(out.data, out.len),
			.len = out.len});
}

void wire_pause(struct host *h, uint64_t conn, bool pause)
{
	int side = 0;
	struct wire *x = wire_of(h, conn, &side);

	if (x == NULL)
		return;
	x->end[side].paused = pause;
	if (!pause)
		deliver(x, side);
}

void wire_close(struct host *h, uint64_t conn)
{
	int side = 0;
	struct wire *x = wire_of(h, conn, &side);

	if (x == NULL)
		return;
	detach(x, side);
	later(h->world, x, on_closed, !side);
}

void wires_free(struct world *w)
{
	struct table_entry *e, *tmp;

	TABLE_FOREACH(e, tmp, &w->wires)
		wire_free(e->value);
	table_clear(&w->wires);
}

/*
 * A hostile host: real connections, identify and ping, so that the honest
 * connect and negotiate, and in the place of gossip a service that says
 * whatever serves the attack. It is a good member of the mesh until the attack
 * begins.
 */
#include <stdlib.h>

#include "base/xmalloc.h"
#include "net/proto/identify.h"
#include "net/proto/ping.h"
#include "net/pubsub/gossip_limits.h"
#include "net/pubsub/gossip_rpc.h"
#include "net/serve/frame.h"
#include "net/serve/serve.h"
#include "net/wire/pb.h"
#include "tests/lib/served.h"
#include "tests/sim/attack/attack.h"

#define TARGETS_EACH 25 /* honest hosts, where all are attacked */
#define BEAT_MS 1000
#define RPC_BYTES_MAX (1u << 20)
#define FALSE_IDS 200 /* promised in one IHAVE */
#define LATE_MS 3000
#define FORWARD_ONE_IN 4
#define WHISPER_US 5000 /* from one hostile host to all others */
#define NAMED_S 5       /* a line is named at each beat for so long */
/* So many name it at once, the others at their next beat: all at once would
 * cost minutes and change nothing, since everybody who names it is asked. */
#define WHISPER_ONE_IN 5
#define PING_INTERVAL_MS 20000

/* An honest host that it is connected to. */
struct prey {
	struct peer_id id;
	uint64_t out;         /* our stream, 0: none */
	bool place;           /* in their mesh, as far as we know */
	uint64_t graft_at_ms; /* not before */
};

/* A line that is forwarded late. */
struct late {
	uint64_t at_ms;
	uint8_t *unit;
	size_t len;
	struct late *next;
};

struct hostile {
	struct serve *serve;
	struct swarm *swarm; /* its */
	struct table prey;   /* peer id -> struct prey */
	uint8_t *seen;       /* a bit for each line */
	size_t seen_bytes;
	uint64_t beat_ms;
	struct late *late, **late_end; /* in order of time */
};

static const char *const protocols[] = {"/meshsub/1.1.0", NULL};
static const struct service_ops attack_ops;

static void pump(struct host *h);

static bool attacking(const struct host *h)
{
	return h->world->now_us >= attack_from_us(h->world);
}

static enum attack_policy policy_of(const struct host *h)
{
	return h->world->cfg.family->policy;
}

/* It breaks rules that scores count. */
static bool is_crude(const struct host *h)
{
	return attacking(h) && policy_of(h) == POLICY_DEGRADE &&
	       h->index % 2 == 0;
}

static bool is_liar(const struct host *h)
{
	return attacking(h) && h->world->cfg.family->liars && !is_crude(h);
}

/* Whether the attack wants this line not to be forwarded here. */
static bool withholds(const struct host *h, const struct line *l)
{
	switch (policy_of(h)) {
	case POLICY_DROP:
		break;
	case POLICY_CENSOR:
		return l->author == 0;
	case POLICY_DEGRADE:
	case POLICY_SOME:
		return (h->index + l->index) % FORWARD_ONE_IN != 0;
	}
	return true;
}

/* ---- writing ------------------------------------------------------------ */

/* One RPC as a frame. A full stream loses it. */
static void say(struct host *h, const struct prey *p, struct bytes rpc)
{
	struct sstream *st = serve_stream(h->bad->serve, p->out);

	if (st != NULL)
		(void)!serve_write_frame(h->bad->serve, &h->env, st, rpc);
}

static void say_graft(struct host *h, struct prey *p)
{
	struct buf rpc;
	size_t control, graft;

	buf_init(&rpc, RPC_BYTES_MAX);
	control = pb_begin(&rpc, RPC_CONTROL);
	graft = pb_begin(&rpc, CONTROL_GRAFT);
	pb_put_bytes(&rpc, GRAFT_TOPIC, bytes_str(ATTACK_TOPIC));
	pb_end(&rpc, graft);
	pb_end(&rpc, control);
	say(h, p, buf_bytes(&rpc));
	buf_clear(&rpc);
	p->place = true;
}

static void say_hello(struct host *h, struct prey *p)
{
	struct buf rpc;
	size_t sub;

	buf_init(&rpc, RPC_BYTES_MAX);
	sub = pb_begin(&rpc, RPC_SUBSCRIPTIONS);
	pb_put_uint(&rpc, SUBOPTS_SUBSCRIBE, 1);
	pb_put_bytes(&rpc, SUBOPTS_TOPIC, bytes_str(ATTACK_TOPIC));
	pb_end(&rpc, sub);
	say(h, p, buf_bytes(&rpc));
	buf_clear(&rpc);
	say_graft(h, p);
}

static void say_unit(struct host *h, struct prey *p, struct bytes unit)
{
	struct buf rpc;

	buf_init(&rpc, RPC_BYTES_MAX);
	pb_put_bytes(&rpc, RPC_PUBLISH, unit);
	say(h, p, buf_bytes(&rpc));
	buf_clear(&rpc);
}

/* Ids of lines that do not exist, of authors that do. */
static void say_false_ihave(struct host *h, struct prey *p)
{
	struct buf rpc;
	size_t control, ihave;

	buf_init(&rpc, RPC_BYTES_MAX);
	control = pb_begin(&rpc, RPC_CONTROL);
	ihave = pb_begin(&rpc, CONTROL_IHAVE);
	pb_put_bytes(&rpc, IHAVE_TOPIC, bytes_str(ATTACK_TOPIC));
	for (int i = 0; i < FALSE_IDS; i++) {
		uint8_t id[UNIT_GOSSIP_ID_BYTES_MAX];
		struct bytes from = peer_id_bytes(&h->me.id);

		memcpy(id, from.data, from.len);
		rng_fill(&h->rng, id + from.len, UNIT_SEQNO_BYTES);
		pb_put_bytes(&rpc, IHAVE_IDS,
			bytes_of(id, from.len + UNIT_SEQNO_BYTES));
	}
	pb_end(&rpc, ihave);
	pb_end(&rpc, control);
	say(h, p, buf_bytes(&rpc));
	buf_clear(&rpc);
}

/* ---- lying -------------------------------------------------------------- */

/* Of the lines from that one on: true ids of those that it withholds. */
static void say_true_ihave(struct host *h, size_t first, size_t end)
{
	const struct world *w = h->world;
	struct table_entry *e, *tmp;
	size_t control, ihave, n = 0;
	struct buf rpc;

	buf_init(&rpc, RPC_BYTES_MAX);
	control = pb_begin(&rpc, RPC_CONTROL);
	ihave = pb_begin(&rpc, CONTROL_IHAVE);
	pb_put_bytes(&rpc, IHAVE_TOPIC, bytes_str(ATTACK_TOPIC));
	for (size_t i = first; i < end; i++) {
		const struct line *l = w->line[i];

		if (!l->leaked || !withholds(h, l))
			continue;
		pb_put_bytes(&rpc, IHAVE_IDS, bytes_of(l->id, l->id_len));
		n++;
	}
	pb_end(&rpc, ihave);
	pb_end(&rpc, control);
	TABLE_FOREACH(e, tmp, &h->bad->prey)
		if (n > 0)
			say(h, e->value, buf_bytes(&rpc));
	buf_clear(&rpc);
}

static void on_whisper(struct world *w, struct event *ev)
{
	struct host *h = ev->host;

	(void)w;
	if (h->bad == NULL)
		return;
	host_set_time(h);
	say_true_ihave(h, (size_t)ev->number, (size_t)ev->number + 1);
	pump(h);
}

/* The first hostile host that hears a line tells all others. */
static void leak(struct host *h, struct line *l)
{
	struct world *w = h->world;

	if (l->leaked)
		return;
	l->leaked = true;
	for (unsigned i = w->cfg.honest; i < w->host_count; i++)
		if (is_liar(&w->host[i]) && i / 2 % WHISPER_ONE_IN == 0)
			(void)world_at(w, w->now_us + WHISPER_US,
				&(struct event){.fn = on_whisper,
					.host = &w->host[i],
					.number = l->index});
}

static void name_again(struct host *h)
{
	const struct world *w = h->world;
	size_t first = w->line_count;

	while (first > 0 &&
		w->line[first - 1]->at_us + NAMED_S * ATTACK_S > w->now_us)
		first--;
	say_true_ihave(h, first, w->line_count);
}

/* ---- what others say ---------------------------------------------------- */

static void forward(struct host *h, const struct prey *from, struct bytes unit)
{
	struct table_entry *e, *tmp;

	TABLE_FOREACH(e, tmp, &h->bad->prey) {
		struct prey *p = e->value;

		if (p != from && p->place)
			say_unit(h, p, unit);
	}
}

static void forward_later(struct host *h, struct bytes unit)
{
	struct late *l = xcalloc(1, sizeof(*l));

	l->at_ms = h->env.now_ms + LATE_MS;
	l->unit = xmemdup(unit.data, unit.len);
	l->len = unit.len;
	*h->bad->late_end = l;
	h->bad->late_end = &l->next;
}

/* The first time that this line is seen here. */
static bool see(struct hostile *b, unsigned index)
{
	uint8_t bit = (uint8_t)(1u << (index % 8));
	size_t at = index / 8;

	if (at >= b->seen_bytes) {
		size_t more = 2 * at + 64;

		b->seen = xreallocarray(b->seen, more, 1);
		memset(b->seen + b->seen_bytes, 0, more - b->seen_bytes);
		b->seen_bytes = more;
	}
	if ((b->seen[at] & bit) != 0)
		return false;
	b->seen[at] |= bit;
	return true;
}

static void on_unit(struct host *h, const struct prey *p, struct bytes unit)
{
	struct line *l = line_find(h->world, unit);

	if (l == NULL || !see(h->bad, l->index))
		return;
	leak(h, l);
	if (attacking(h) && withholds(h, l))
		return;
	if (attacking(h) && policy_of(h) == POLICY_DEGRADE)
		forward_later(h, unit);
	else
		forward(h, p, unit);
}

static void on_prune(struct host *h, struct prey *p, struct bytes prune)
{
	struct cursor c;
	struct pb_field f;
	uint64_t backoff_s = GOSSIP_PRUNE_BACKOFF_S;

	c = cur_of(prune);
	while (pb_next(&c, &f))
		if (f.number == PRUNE_BACKOFF)
			backoff_s = f.value;
	p->place = false;
	if (is_crude(h))
		backoff_s = 1;
	p->graft_at_ms = h->env.now_ms + (backoff_s + 2) * 1000;
}

static void on_control(struct host *h, struct prey *p, struct bytes control)
{
	struct cursor c;
	struct pb_field f;

	c = cur_of(control);
	while (pb_next(&c, &f)) {
		if (f.number == CONTROL_GRAFT)
			p->place = true;
		else if (f.number == CONTROL_PRUNE)
			on_prune(h, p, f.bytes);
	}
}

static void on_rpc(struct host *h, struct prey *p, struct bytes rpc)
{
	struct cursor c;
	struct pb_field f;

	c = cur_of(rpc);
	while (pb_next(&c, &f)) {
		if (f.number == RPC_PUBLISH)
			on_unit(h, p, f.bytes);
		else if (f.number == RPC_CONTROL)
			on_control(h, p, f.bytes);
	}
}

static struct prey *prey_find(const struct host *h, const struct peer_id *id)
{
	return table_get(&h->bad->prey, peer_id_bytes(id));
}

static struct prey *prey_get(struct host *h, const struct peer_id *id)
{
	struct prey *p = prey_find(h, id);

	if (p != NULL)
		return p;
	p = xcalloc(1, sizeof(*p));
	p->id = *id;
	(void)table_put(&h->bad->prey, peer_id_bytes(id), p);
	return p;
}

/* ---- the service -------------------------------------------------------- */

static void open_stream(struct host *h, const struct peer_id *peer)
{
	struct serve_to to = {.ops = &attack_ops, .peer = peer};
	struct sstream *st;
	struct prey *p;

	if (!swarm_peer_speaks(h->bad->swarm, peer, protocols[0]))
		return;
	p = prey_get(h, peer);
	if (p->out != 0 || serve_open(h->bad->serve, &h->env, &to, &st) != 0)
		return;
	p->out = st->id;
	say_hello(h, p);
}

static void opened(void *self, const struct env *env, struct sstream *st)
{
	(void)env;
	if (!st->inbound)
		return;
	(void)prey_get(self, &st->peer);
	frame_reader_init(st->state, RPC_BYTES_MAX);
}

static int readable(void *self, const struct env *env, struct sstream *st,
	struct serve_in *in)
{
	struct prey *p = prey_find(self, &st->peer);
	struct bytes body;
	size_t taken;

	(void)env;
	in->used = st->inbound ? 0 : in->bytes.len;
	while (in->used < in->bytes.len) {
		int got = frame_read(st->state, bytes_skip(in->bytes, in->used),
			&taken, &body);

		P2P_ASSERT(got >= 0);
		in->used += taken;
		if (got == 0)
			break;
		if (p != NULL)
			on_rpc(self, p, body);
	}
	return 0;
}

static void gone(void *self, const struct env *env, struct sstream *st,
	struct bytes rest, int err)
{
	struct prey *p = prey_find(self, &st->peer);

	(void)env;
	(void)rest;
	(void)err;
	if (st->inbound)
		frame_reader_clear(st->state);
	if (p == NULL || p->out != st->id)
		return;
	p->out = 0;
	p->place = false;
}

static void peer_is_there(
	void *self, const struct env *env, const struct peer_id *peer)
{
	(void)env;
	open_stream(self, peer);
}

static void peer_down(
	void *self, const struct env *env, const struct peer_id *peer)
{
	struct host *h = self;

	(void)env;
	free(table_remove(&h->bad->prey, peer_id_bytes(peer)));
}

static const struct service_ops attack_ops = {
	.names = protocols,
	.in_per_peer = 2,
	.newest_stays = true,
	.state_bytes = sizeof(struct frame_reader),
	.start = served_start,
	.opened = opened,
	.readable = readable,
	.gone = gone,
	.peer_up = peer_is_there,
	.peer_changed = peer_is_there,
	.peer_down = peer_down,
};

static const struct service_ops *const services[] = {
	&identify_ops, &identify_push_ops, &ping_ops, &attack_ops, NULL};

/* ---- carriers ------------------------------------------------------------ */

static void flush(struct host *h, uint64_t conn)
{
	for (;;) {
		struct bytes out = swarm_out_peek(h->bad->swarm, &h->env, conn);

		if (out.len == 0)
			return;
		wire_send(h, conn, out);
		swarm_out_consume(h->bad->swarm, &h->env, conn, out.len);
	}
}

static void act(struct host *h, const struct swarm_action *a)
{
	switch (a->kind) {
	case SWARM_ACT_DIAL:
		wire_dial(h, a->conn, &a->addr);
		break;
	case SWARM_ACT_WRITE:
		flush(h, a->conn);
		break;
	case SWARM_ACT_PAUSE:
	case SWARM_ACT_RESUME:
		wire_pause(h, a->conn, a->kind == SWARM_ACT_PAUSE);
		break;
	case SWARM_ACT_CLOSE:
		wire_close(h, a->conn);
		break;
	}
}

static void pump(struct host *h)
{
	struct swarm_event ev;
	struct swarm_action a;
	bool moved = true;

	if (h->draining)
		return;
	h->draining = true;
	while (moved) {
		moved = false;
		while (serve_step(h->bad->serve, &h->env, &ev))
			moved = true;
		while (serve_next_action(h->bad->serve, &h->env, &a)) {
			act(h, &a);
			moved = true;
		}
	}
	h->draining = false;
	host_arm(h, P2P_MIN(serve_deadline(h->bad->serve), h->bad->beat_ms));
}

/* ---- once a second ------------------------------------------------------ */

static void say_late(struct host *h)
{
	struct hostile *b = h->bad;

	while (b->late != NULL && b->late->at_ms <= h->env.now_ms) {
		struct late *l = b->late;

		forward(h, NULL, bytes_of(l->unit, l->len));
		b->late = l->next;
		if (b->late == NULL)
			b->late_end = &b->late;
		free(l->unit);
		free(l);
	}
}

static void beat(struct host *h)
{
	struct table_entry *e, *tmp;

	h->bad->beat_ms = h->env.now_ms + BEAT_MS;
	say_late(h);
	if (is_liar(h))
		name_again(h);
	TABLE_FOREACH(e, tmp, &h->bad->prey) {
		struct prey *p = e->value;

		if (p->out == 0) {
			open_stream(h, &p->id);
			continue;
		}
		if (!p->place && h->env.now_ms >= p->graft_at_ms)
			say_graft(h, p);
		if (is_crude(h))
			say_false_ihave(h, p);
	}
}

/* ---- life --------------------------------------------------------------- */

static void hunt(struct host *h, const struct host *prey)
{
	struct maddr addr;

	host_addr(prey, &addr);
	swarm_know(h->bad->swarm, &h->env, &prey->me.id, &addr, true);
}

static void choose_targets(struct host *h)
{
	struct world *w = h->world;
	const struct attack_cfg *c = &w->cfg;

	switch (c->family->targets) {
	case TARGET_NONE:
		break;
	case TARGET_ONE:
		hunt(h, &w->host[0]);
		break;
	case TARGET_PUBLISHERS:
		for (unsigned i = 0; i < c->publishers; i++)
			hunt(h, &w->host[i]);
		break;
	case TARGET_ALL:
		if (c->family->policy == POLICY_CENSOR)
			hunt(h, &w->host[0]);
		for (unsigned i = 0; i < TARGETS_EACH; i++)
			hunt(h, &w->host[rng_below(&h->rng, c->honest)]);
		break;
	}
}

void hostile_start(struct host *h)
{
	struct serve_cfg cfg = {
		.me = &h->me,
		.agent = "p2pchat-tui/attack",
		.services = services,
		.offer_yamux = true,
		.early_muxers = true,
		.ping_interval_ms = PING_INTERVAL_MS,
	};
	struct maddr addr;

	h->bad = xcalloc(1, sizeof(*h->bad));
	h->bad->late_end = &h->bad->late;
	served_self = h;
	h->bad->serve = serve_new(&cfg, &h->env);
	h->bad->swarm = serve_swarm(h->bad->serve);
	h->bad->beat_ms = h->env.now_ms + rng_below(&h->rng, BEAT_MS);
	table_init(&h->bad->prey, &h->rng);
	host_addr(h, &addr);
	swarm_set_addresses(h->bad->swarm, &addr, 1);
	choose_targets(h);
	pump(h);
}

void hostile_free(struct host *h)
{
	struct table_entry *e, *tmp;

	if (h->bad == NULL)
		return;
	h->draining = true;
	serve_free(h->bad->serve);
	TABLE_FOREACH(e, tmp, &h->bad->prey)
		free(e->value);
	table_clear(&h->bad->prey);
	while (h->bad->late != NULL) {
		struct late *l = h->bad->late;

		h->bad->late = l->next;
		free(l->unit);
		free(l);
	}
	free(h->bad->seen);
	free(h->bad);
	h->bad = NULL;
}

void hostile_tick(struct host *h)
{
	host_set_time(h);
	serve_tick(h->bad->serve, &h->env);
	if (h->env.now_ms >= h->bad->beat_ms)
		beat(h);
	pump(h);
}

uint64_t hostile_accept(struct host *h, const struct maddr *from)
{
	host_set_time(h);
	return swarm_accepted(h->bad->swarm, &h->env, from);
}

void hostile_wire(struct host *h, enum wire_happening what, uint64_t conn,
	const struct maddr *at, struct bytes in)
{
	struct swarm *s = h->bad->swarm;

	host_set_time(h);
	switch (what) {
	case WIRE_ACCEPTED:
		break;
	case WIRE_CONNECTED:
		swarm_connected(s, &h->env, conn, at);
		break;
	case WIRE_FAILED:
		swarm_dial_failed(s, &h->env, conn, "connection refused");
		break;
	case WIRE_BYTES:
		swarm_bytes(s, &h->env, conn, in);
		break;
	case WIRE_CLOSED:
		swarm_closed(s, &h->env, conn);
		break;
	}
	pump(h);
}

unsigned hostile_places(const struct host *h)
{
	struct table_entry *e, *tmp;
	unsigned n = 0;

	if (h->bad == NULL)
		return 0;
	TABLE_FOREACH(e, tmp, &h->bad->prey) {
		const struct prey *p = e->value;

		n += p->place && p->out != 0;
	}
	return n;
}

unsigned hostile_links(const struct host *h)
{
	return h->bad == NULL ? 0 : (unsigned)h->bad->prey.count;
}

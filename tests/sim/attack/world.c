/*
 * Time, events in order, and the hosts at their addresses.
 */
#include <stdlib.h>

#include "base/xmalloc.h"
#include "tests/sim/attack/attack.h"

#define HOST_BUDGET_BYTES (128u << 20)
/* 2026-01-01 */
#define HOST_WALL_MS 1767225600000ULL
#define HOST_BOOT_MS 1000000
/* Publishers do not all speak in the same moment. */
#define SETTLE_S 30
#define STAR_SAY_EVERY_S 2

static bool before(const struct event *a, const struct event *b)
{
	return a->at_us != b->at_us ? a->at_us < b->at_us : a->seq < b->seq;
}

uint64_t world_at(struct world *w, uint64_t at_us, const struct event *ev)
{
	size_t i = w->heap_count++;
	struct event e = *ev;

	if (w->heap_count > w->heap_cap) {
		w->heap_cap = w->heap_cap == 0 ? 1024 : 2 * w->heap_cap;
		w->heap = xreallocarray(w->heap, w->heap_cap, sizeof(*w->heap));
	}
	e.at_us = P2P_MAX(at_us, w->now_us);
	e.seq = ++w->next_seq;
	while (i > 0 && before(&e, &w->heap[(i - 1) / 2])) {
		w->heap[i] = w->heap[(i - 1) / 2];
		i = (i - 1) / 2;
	}
	w->heap[i] = e;
	return e.seq;
}

static struct event pop(struct world *w)
{
	struct event top = w->heap[0], last = w->heap[--w->heap_count];
	size_t i = 0;

	for (;;) {
		size_t child = 2 * i + 1;

		if (child >= w->heap_count)
			break;
		if (child + 1 < w->heap_count &&
			before(&w->heap[child + 1], &w->heap[child]))
			child++;
		if (!before(&w->heap[child], &last))
			break;
		w->heap[i] = w->heap[child];
		i = child;
	}
	w->heap[i] = last;
	return top;
}

void world_run(struct world *w, uint64_t until_us)
{
	while (w->heap_count > 0 && w->heap[0].at_us <= until_us) {
		struct event ev = pop(w);

		w->now_us = ev.at_us;
		w->events++;
		ev.fn(w, &ev);
		free(ev.data);
	}
	w->now_us = until_us;
}

/* ---- hosts -------------------------------------------------------------- */

void host_addr(const struct host *h, struct maddr *a)
{
	maddr_from_ip(a, bytes_of(h->ip, sizeof(h->ip)), NULL,
		(uint16_t)(ATTACK_PORT + h->index));
}

void host_set_time(struct host *h)
{
	h->env.now_ms = HOST_BOOT_MS + h->world->now_us / 1000;
	h->env.wall_ms = HOST_WALL_MS + h->world->now_us / 1000;
}

static void on_tick(struct world *w, struct event *ev)
{
	struct host *h = ev->host;

	(void)w;
	if (ev->seq != h->tick_seq)
		return;
	h->tick_at_us = P2P_NEVER;
	if (host_is_hostile(h))
		hostile_tick(h);
	else
		honest_tick(h);
}

void host_arm(struct host *h, uint64_t deadline_ms)
{
	uint64_t at;

	if (deadline_ms == P2P_NEVER) {
		h->tick_at_us = P2P_NEVER;
		h->tick_seq = 0;
		return;
	}
	at = deadline_ms <= h->env.now_ms ? h->world->now_us
					  : (deadline_ms - HOST_BOOT_MS) * 1000;
	if (at == h->tick_at_us)
		return;
	h->tick_at_us = at;
	h->tick_seq = world_at(
		h->world, at, &(struct event){.fn = on_tick, .host = h});
}

/* Public addresses, for private ones are never blamed for sharing: the honest
 * are at 51.x, each its own /24; the hostile at 52.x. */
static void give_address(struct host *h)
{
	const struct attack_cfg *c = &h->world->cfg;
	unsigned n = h->index;

	h->ip[0] = 51;
	if (host_is_hostile(h)) {
		h->ip[0] = 52;
		n -= c->honest;
		if (c->family->addresses != 0)
			n %= c->family->addresses;
	}
	h->ip[1] = (uint8_t)(n >> 8);
	h->ip[2] = (uint8_t)n;
	h->ip[3] = 1;
}

static void make_host(struct world *w, unsigned index)
{
	struct host *h = &w->host[index];
	uint8_t seed[32];

	*h = (struct host){.world = w, .index = index, .tick_at_us = P2P_NEVER};
	rng_fill(&w->rng, seed, sizeof(seed));
	identity_from_seed(&h->me, seed);
	rng_init_seeded(&h->rng, rng_u64(&w->rng));
	budget_init(&h->budget, NULL, HOST_BUDGET_BYTES);
	h->env = (struct env){.rng = &h->rng, .budget = &h->budget};
	table_init(&h->wires, &w->rng);
	give_address(h);
}

static void on_start(struct world *w, struct event *ev)
{
	struct host *h = ev->host;

	h->started_us = w->now_us;
	host_set_time(h);
	if (host_is_hostile(h))
		hostile_start(h);
	else
		honest_start(h);
}

static void on_say(struct world *w, struct event *ev)
{
	uint64_t every = w->cfg.say_every_s * ATTACK_S;

	honest_say(ev->host);
	if (w->now_us + every < attack_from_us(w) + w->cfg.seconds * ATTACK_S)
		(void)world_at(w, w->now_us + every, ev);
}

/* Within a second or two, in no order. */
static uint64_t jitter(struct world *w)
{
	return rng_below(&w->rng, 2 * ATTACK_S);
}

static void schedule(struct world *w)
{
	const struct family *f = w->cfg.family;
	unsigned say_from = P2P_MAX(f->honest_from_s + 5, SETTLE_S - 15);

	for (unsigned i = 0; i < w->host_count; i++) {
		struct host *h = &w->host[i];
		unsigned from = host_is_hostile(h) ? f->hostile_from_s
						   : f->honest_from_s;

		(void)world_at(w, from * ATTACK_S + jitter(w),
			&(struct event){.fn = on_start, .host = h});
		if (i < w->cfg.publishers)
			(void)world_at(w,
				(say_from + i % w->cfg.say_every_s) * ATTACK_S +
					jitter(w) / 2,
				&(struct event){.fn = on_say, .host = h});
	}
}

struct world *world_new(const struct attack_cfg *cfg)
{
	struct world *w = xcalloc(1, sizeof(*w));

	w->cfg = *cfg;
	if (cfg->family->targets == TARGET_NONE)
		w->cfg.hostile = 0;
	if (cfg->family->hubs > 0) {
		w->cfg.publishers = cfg->family->hubs + !cfg->family->closed;
		w->cfg.say_every_s = STAR_SAY_EVERY_S;
	}
	w->host_count = w->cfg.honest + w->cfg.hostile;
	P2P_ASSERT(w->host_count <= ATTACK_HOSTS_MAX);
	rng_init_seeded(&w->rng, cfg->seed);
	table_init(&w->wires, &w->rng);
	table_init(&w->lines, &w->rng);
	w->host = xcalloc(w->host_count, sizeof(*w->host));
	for (unsigned i = 0; i < w->host_count; i++)
		make_host(w, i);
	schedule(w);
	return w;
}

void world_free(struct world *w)
{
	for (unsigned i = 0; i < w->host_count; i++) {
		struct host *h = &w->host[i];

		honest_free(h);
		hostile_free(h);
		table_clear(&h->wires);
		budget_clear(&h->budget);
		identity_wipe(&h->me);
	}
	for (size_t i = 0; i < w->heap_count; i++)
		free(w->heap[i].data);
	wires_free(w);
	lines_free(w);
	free(w->heap);
	free(w->host);
	free(w);
}

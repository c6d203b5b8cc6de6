#include "net/swarm/swarm_internal.h"

#include <stdlib.h>

#include "base/xmalloc.h"

struct peer *peer_find(const struct swarm *s, const struct peer_id *id)
{
	return table_get(&s->peers, peer_id_bytes(id));
}

void peer_free(struct peer *p)
{
	buf_clear(&p->protocols);
	free(p);
}

/* The unconnected peer that was seen longest ago makes room. */
static bool evict_one(struct swarm *s)
{
	struct table_entry *e, *tmp;
	struct peer *oldest = NULL;

	TABLE_FOREACH(e, tmp, &s->peers) {
		struct peer *p = e->value;

		if (!list_empty(&p->conns) || p->dials > 0)
			continue;
		if (oldest == NULL || p->last_seen_ms < oldest->last_seen_ms)
			oldest = p;
	}
	if (oldest == NULL)
		return false;
	(void)table_remove(&s->peers, peer_id_bytes(&oldest->id));
	peer_free(oldest);
	return true;
}

struct peer *peer_get(
	struct swarm *s, const struct env *env, const struct peer_id *id)
{
	struct peer *p = peer_find(s, id);

	if (p != NULL)
		return p;
	if (s->peers.count >= SWARM_PEERS_MAX && !evict_one(s))
		return NULL;
	p = xcalloc(1, sizeof(*p));
	p->id = *id;
	list_init(&p->conns);
	buf_init(&p->protocols, (size_t)SWARM_PROTOCOLS_PER_PEER_MAX *
					(SWARM_PROTOCOL_NAME_BYTES_MAX + 1));
	p->up_at_ms = P2P_NEVER;
	p->dial_at_ms = P2P_NEVER;
	p->rtt_ms = P2P_NEVER;
	p->last_seen_ms = env->now_ms;
	(void)table_put(&s->peers, peer_id_bytes(id), p);
	return p;
}

struct conn *peer_conn(const struct peer *p)
{
	struct list *pos, *tmp;

	/* The newest that works: an older one may be dead unnoticed. */
	for (pos = p->conns.prev, tmp = pos->prev; pos != &p->conns;
		pos = tmp, tmp = pos->prev) {
		struct conn *c = LIST_ITEM(pos, struct conn, of_peer);

		if (c->state == CONN_READY)
			return c;
	}
	return NULL;
}

/* Too many connections to one peer: the oldest end at the next tick. */
static void retire_oldest(
	struct swarm *s, const struct env *env, struct peer *p)
{
	struct list *pos, *tmp;
	size_t n = 0;

	LIST_FOREACH(pos, tmp, &p->conns)
		n++;
	LIST_FOREACH(pos, tmp, &p->conns) {
		if (n-- <= SWARM_CONNS_PER_PEER_MAX)
			return;
		LIST_ITEM(pos, struct conn, of_peer)->deadline_ms = env->now_ms;
		swarm_due(s, env->now_ms);
	}
}

void peer_conn_ready(struct swarm *s, const struct env *env, struct conn *c)
{
	struct peer *p = c->peer;
	struct swarm_event ev = {
		.kind = SWARM_EV_ADDRESS, .peer = p->id, .addr = c->remote};

	p->last_seen_ms = env->now_ms;
	p->failures = 0;
	p->dial_at_ms = P2P_NEVER;
	retire_oldest(s, env, p);
	if (c->outbound) {
		dial_learn(p, &c->remote);
		p->wanted = true;
		swarm_emit(s, &ev);
		if (c->scheduled)
			p->dials--;
	}
	c->request = 0;
	if (!p->up && p->up_at_ms == P2P_NEVER)
		p->up_at_ms = env_after(env, SWARM_IDENTIFY_WAIT_MS);
	swarm_due(s, p->up_at_ms);
	c->ping_due_ms = env_after(env, s->cfg.ping_interval_ms);
	identify_ask(s, env, c);
}

void peer_announce(struct swarm *s, struct peer *p)
{
	struct swarm_event ev = {.kind = SWARM_EV_PEER_UP, .peer = p->id};

	p->up_at_ms = P2P_NEVER;
	if (p->up)
		return;
	p->up = true;
	swarm_emit(s, &ev);
}

void peer_conn_gone(struct swarm *s, const struct env *env, struct conn *c)
{
	struct peer *p = c->peer;
	struct swarm_event ev = {.kind = SWARM_EV_PEER_DOWN, .peer = p->id};

	list_remove(&c->of_peer);
	c->peer = NULL;
	p->last_seen_ms = env->now_ms;
	if (!list_empty(&p->conns))
		return;
	p->up_at_ms = P2P_NEVER;
	p->identified = false;
	p->rtt_ms = P2P_NEVER;
	if (p->up) {
		p->up = false;
		swarm_emit(s, &ev);
	}
	if (p->wanted && !s->shutting_down)
		dial_lost(s, env, p, c);
}

void peer_tick(struct swarm *s, const struct env *env, struct peer *p)
{
	if (p->up_at_ms <= env->now_ms)
		peer_announce(s, p);
	if (p->dial_at_ms <= env->now_ms && s->dials < SWARM_DIALS_MAX)
		dial_next(s, env, p);
}

uint64_t peer_deadline(const struct swarm *s, const struct peer *p)
{
	/* With all dials in flight the end of one of them comes first. */
	uint64_t dial = s->dials < SWARM_DIALS_MAX ? p->dial_at_ms : P2P_NEVER;

	return P2P_MIN(p->up_at_ms, dial);
}

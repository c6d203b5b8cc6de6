/*
 * Peers: what is known of somebody by its key, connected or not, and when the
 * user hears that it is there and that it has gone.
 *
 *   known --first connection ready--> waiting --identified, or waited--> up
 *     ^------------------- the last connection has gone ------------------'
 */
#include "net/swarm/swarm_internal.h"

#include <stdlib.h>

#include "base/xmalloc.h"

void peer_drop_protocols(struct peer *p)
{
	budget_release(&p->budget, p->protocols.len);
	buf_clear(&p->protocols);
}

void peer_free(struct swarm *s, struct peer *p)
{
	book_remove(&s->book, &p->known);
	peer_drop_protocols(p);
	s->counters.budget_peer += p->budget.refused_count;
	budget_clear(&p->budget);
	free(p);
}

static void peer_forget(struct swarm *s, struct peer *p)
{
	(void)table_remove(&s->peers, peer_id_bytes(&p->id));
	peer_free(s, p);
}

/* One that is worth no more than the newcomer makes room. */
static bool evict_one(struct swarm *s, enum book_worth newcomer)
{
	struct book_entry *e = book_victim(&s->book, newcomer);

	if (e == NULL)
		return false;
	s->book.evicted++;
	peer_forget(s, LIST_ITEM(e, struct peer, known));
	return true;
}

struct peer *peer_get(struct swarm *s, const struct env *env,
	const struct peer_id *id, enum book_worth worth)
{
	struct peer *p = peer_find(s, id);
	struct budget budget;

	if (p != NULL)
		return p;
	if (s->peers.count >= SWARM_PEERS_MAX && !evict_one(s, worth))
		return NULL;
	budget_init(&budget, &s->budget, SWARM_PEER_BUDGET_BYTES);
	/* Connections use the same memory: one that goes may not be enough. */
	while (budget_charge(&budget, sizeof(*p)) != 0)
		if (!evict_one(s, worth))
			return NULL;
	p = xcalloc(1, sizeof(*p));
	p->id = *id;
	p->budget = budget;
	list_init(&p->conns);
	buf_init(&p->protocols, (size_t)SWARM_PROTOCOLS_PER_PEER_MAX *
					(SWARM_PROTOCOL_NAME_BYTES_MAX + 1));
	p->up_at_ms = P2P_NEVER;
	p->dial_at_ms = P2P_NEVER;
	p->rtt_us = P2P_NEVER;
	book_add(&s->book, &p->known, env->now_ms);
	(void)table_put(&s->peers, peer_id_bytes(id), p);
	return p;
}

int peer_learn(struct swarm *s, const struct env *env, struct peer *p,
	const struct maddr *addr, unsigned sources)
{
	bool was_held = p->known.held;
	int err;

	/* Whoever makes room, it is not the peer itself. */
	p->known.held = true;
	do {
		err = book_learn(
			&s->book, &p->known, addr, sources, env->now_ms);
	} while (err == P2P_ERR_LIMIT && evict_one(s, book_worth(&p->known)));
	p->known.held = was_held;
	return err;
}

int peer_certify(struct swarm *s, const struct env *env, struct peer *p,
	const struct book_record *record)
{
	struct book_record r = *record;
	bool was_held = p->known.held;
	int err;

	r.usable = dial_may_be_named;
	/* As above. */
	p->known.held = true;
	err = book_certify(&s->book, &p->known, &r, env->now_ms);
	/* Others make room, and the addresses that found none are learnt. */
	while (err == P2P_ERR_LIMIT && evict_one(s, book_worth(&p->known)))
		err = book_complete(&s->book, &p->known, &r, env->now_ms);
	p->known.held = was_held;
	return err;
}

void peer_tell_record(struct swarm *s, const struct env *env, struct peer *p)
{
	struct swarm_event ev = {.kind = SWARM_EV_RECORD, .peer = p->id};

	/* Whoever signs a new one each second does not wear out the disk. */
	p->record_untold =
		p->record_told_ms != 0 &&
		env->now_ms - p->record_told_ms < SWARM_RECORD_TELL_MS;
	if (p->record_untold)
		return;
	p->record_told_ms = env->now_ms;
	swarm_emit(s, &ev);
}

void peer_add_conn(
	struct swarm *s, const struct env *env, struct peer *p, struct conn *c)
{
	c->peer = p;
	list_push_back(&p->conns, &c->of_peer);
	p->known.proven = true;
	book_seen(&s->book, &p->known, env->now_ms);
	peer_hold(p);
}

void peers_age(struct swarm *s, const struct env *env)
{
	struct table_entry *e, *tmp;

	if (env->now_ms < s->age_at_ms)
		return;
	s->age_at_ms = env_after(env, SWARM_AGE_INTERVAL_MS);
	TABLE_FOREACH(e, tmp, &s->peers) {
		struct peer *p = e->value;

		book_age(&s->book, &p->known, env->now_ms);
		if (p->known.count == 0 && !p->known.held)
			peer_forget(s, p);
	}
	unreached_look(s);
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
		/* Not now: this is the middle of another one's turn. */
		LIST_ITEM(pos, struct conn, of_peer)->deadline_ms = env->now_ms;
		s->counters.cut_per_peer++;
		swarm_due(s, env->now_ms);
	}
}

/* Who has only limited connections moves what lives long to a better one. */
static bool was_limited(const struct peer *p, const struct conn *fresh)
{
	struct list *pos, *tmp;
	bool limited = false;

	LIST_FOREACH(pos, tmp, &p->conns) {
		const struct conn *c = LIST_ITEM(pos, struct conn, of_peer);

		if (c == fresh || c->state != CONN_READY)
			continue;
		if (!c->limited)
			return false;
		limited = true;
	}
	return limited;
}

static void tell_conn_up(struct swarm *s, struct peer *p, struct conn *c)
{
	struct swarm_event ev = {
		.kind = SWARM_EV_CONN_UP, .peer = p->id, .conn = c->id};

	c->told_up = true;
	swarm_emit(s, &ev);
	ev.kind = SWARM_EV_DIRECT;
	if (!c->limited && was_limited(p, c))
		swarm_emit(s, &ev);
}

void peer_conn_ready(struct swarm *s, const struct env *env, struct conn *c)
{
	struct peer *p = c->peer;
	struct swarm_event ev = {
		.kind = SWARM_EV_ADDRESS,
		.number = c->request,
		.peer = p->id,
		.addr = c->remote,
	};

	book_seen(&s->book, &p->known, env->now_ms);
	retire_oldest(s, env, p);
	/* Where a stream carries it there is no address to come back to. */
	if (c->outbound && c->carrier == 0) {
		if (c->typed)
			(void)peer_learn(
				s, env, p, &c->remote, typed_answered(s, p, c));
		book_worked(&s->book, &p->known, &c->remote, env->now_ms);
		/* Who only called us may be behind a door that we cannot
		 * open; where we have been we can go again. */
		p->wanted = true;
		swarm_emit(s, &ev);
	}
	if (!c->limited)
		dial_won(s, env, p, c);
	if (s->unreached > 0)
		unreached_look(s);
	c->request = 0;
	if (!p->up && p->up_at_ms == P2P_NEVER)
		p->up_at_ms = env_after(env, SWARM_IDENTIFY_WAIT_MS);
	swarm_due(s, p->up_at_ms);
	tell_conn_up(s, p, c);
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

/* Its last connection is gone: what only a connected peer has goes, too. */
static void peer_lost(struct swarm *s, const struct env *env, struct peer *p)
{
	struct swarm_event ev = {.kind = SWARM_EV_PEER_DOWN, .peer = p->id};

	if (p->record_untold) {
		p->record_told_ms = 0;
		peer_tell_record(s, env, p);
	}
	p->up_at_ms = P2P_NEVER;
	p->identified = false;
	p->judged = false;
	p->takes_part = false;
	peer_drop_protocols(p);
	p->rtt_us = P2P_NEVER;
	if (!p->up)
		return;
	p->up = false;
	swarm_emit(s, &ev);
}

void peer_conn_gone(struct swarm *s, const struct env *env, struct conn *c)
{
	struct peer *p = c->peer;

	if (c->told_up)
		swarm_emit(s, &(struct swarm_event){.kind = SWARM_EV_CONN_DOWN,
				      .peer = p->id,
				      .conn = c->id});
	list_remove(&c->of_peer);
	c->peer = NULL;
	book_seen(&s->book, &p->known, env->now_ms);
	peer_hold(p);
	if (list_empty(&p->conns))
		peer_lost(s, env, p);
	if (p->wanted && !s->shutting_down && !peer_has_direct(p))
		dial_lost(s, env, p, c);
}

void peer_tick(struct swarm *s, const struct env *env, struct peer *p)
{
	if (p->up_at_ms <= env->now_ms)
		peer_announce(s, p);
}

uint64_t peer_deadline(const struct swarm *s, const struct peer *p)
{
	return P2P_MIN(p->up_at_ms, dial_deadline(s, p));
}

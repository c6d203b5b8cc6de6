/*
 * The verbs of swarm.h but for carriers (conn.c) and streams (stream.c): whom
 * to dial, what is known of peers, and the end.
 */
#include "net/swarm/swarm_internal.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/xmalloc.h"

struct swarm *swarm_new(const struct swarm_cfg *cfg, const struct env *env)
{
	struct swarm *s = xcalloc(1, sizeof(*s));

	s->cfg = *cfg;
	if (s->cfg.conns_max == 0)
		s->cfg.conns_max = SWARM_CONNS_MAX;
	if (s->cfg.ping_interval_ms == 0)
		s->cfg.ping_interval_ms = SWARM_PING_INTERVAL_MS;
	budget_init(&s->budget, env->budget, SWARM_BUDGET_BYTES);
	budget_init(&s->unproven, &s->budget, SWARM_UNPROVEN_BUDGET_BYTES);
	book_init(&s->book, env->budget);
	buf_init(&s->record, ENVELOPE_BYTES_MAX);
	table_init(&s->conns, env->rng);
	table_init(&s->streams, env->rng);
	table_init(&s->peers, env->rng);
	list_init(&s->ready);
	list_init(&s->gone);
	bufq_init(&s->actions, SWARM_QUEUE_BYTES_MAX);
	bufq_init(&s->events, SWARM_QUEUE_BYTES_MAX);
	s->next_id = 1;
	s->due_ms = P2P_NEVER;
	s->place_at_ms = P2P_NEVER;
	s->last_ms = env->now_ms;
	return s;
}

uint64_t swarm_close_all(struct swarm *s)
{
	struct env env = {.now_ms = s->last_ms};
	struct table_entry *e, *tmp;

	s->shutting_down = true;
	TABLE_FOREACH(e, tmp, &s->conns)
		conn_fail(s, &env, e->value, P2P_ERR_CLOSED);
	return s->last_ms;
}

void swarm_free(struct swarm *s)
{
	struct table_entry *e, *tmp;
	struct sstream *st;
	unsigned events;
	int err;

	if (s == NULL)
		return;
	(void)swarm_close_all(s);
	while ((st = swarm_next_gone(s, &events, &err)) != NULL)
		swarm_stream_reset(s, st);
	TABLE_FOREACH(e, tmp, &s->peers)
		peer_free(s, e->value);
	table_clear(&s->conns);
	table_clear(&s->streams);
	table_clear(&s->peers);
	bufq_clear(&s->actions);
	bufq_clear(&s->events);
	buf_clear(&s->record);
	book_clear(&s->book);
	budget_clear(&s->unproven);
	budget_clear(&s->budget);
	free(s);
}

/* ---- time --------------------------------------------------------------- */

static void walk(struct swarm *s, const struct env *env)
{
	s->due_ms = swarm_deadline_walk(s);
	s->due_moves = false;
	s->walked_ms = env->now_ms;
}

void swarm_due_again(struct swarm *s, const struct env *env)
{
	size_t count = s->conns.count + s->peers.count;

	if (s->due_moves &&
		env->now_ms - s->walked_ms >= count / SWARM_WALK_PER_MS)
		walk(s, env);
}

void swarm_tick(struct swarm *s, const struct env *env)
{
	struct table_entry *e, *tmp;

	s->last_ms = env->now_ms;
	TABLE_FOREACH(e, tmp, &s->conns) {
		struct conn *c = e->value;

		if (conn_deadline(c) <= env->now_ms)
			conn_tick(s, env, c);
	}
	TABLE_FOREACH(e, tmp, &s->peers)
		peer_tick(s, env, e->value);
	place_tick(s, env);
	typed_tick(s, env);
	dial_tick(s, env);
	peers_age(s, env);
	walk(s, env);
}

uint64_t swarm_deadline_walk(const struct swarm *s)
{
	struct table_entry *e, *tmp;
	uint64_t first = P2P_MIN(s->place_at_ms, typed_deadline(s));

	TABLE_FOREACH(e, tmp, &s->conns)
		first = P2P_MIN(first, conn_deadline(e->value));
	TABLE_FOREACH(e, tmp, &s->peers)
		first = P2P_MIN(first, peer_deadline(s, e->value));
	return first;
}

/* ---- peers ------------------------------------------------------------- */

void swarm_dial(struct swarm *s, const struct env *env,
	const struct maddr *addr, uint64_t request)
{
	struct maddr base;
	struct dialable at;
	struct bytes raw;
	struct peer_id expect = {.len = 0};
	struct conn *c = NULL;
	const char *why;

	maddr_split_peer(addr, &base, &raw);
	dialable_of(&at, &base);
	why = dial_why_not(s, env, &base, &at);
	if (raw.len > 0 && peer_id_parse(&expect, raw) != 0)
		expect.len = 0;
	else if (why == NULL)
		c = conn_new_outbound(s, env, &base, &expect);
	/* Too many connections just now, or too little memory for one. */
	if (c == NULL && why == NULL && (raw.len == 0 || expect.len > 0) &&
		!s->shutting_down) {
		typed_later(s, env, &base, &expect);
		why = "no room for a connection now: it is tried again";
	}
	if (c != NULL) {
		c->request = request;
		c->typed = true;
		c->typed_addr = base;
		s->counters.dials_asked++;
		return;
	}
	struct swarm_event ev = {
		.kind = SWARM_EV_DIAL_FAILED,
		.number = request,
		.text = "not an address that can be dialled now",
	};
	if (why != NULL)
		(void)snprintf(ev.text, sizeof(ev.text), "%s", why);
	swarm_emit(s, &ev);
}

static void know(struct swarm *s, const struct env *env,
	const struct peer_id *id, const struct maddr *addr, unsigned sources)
{
	bool fresh = (sources & BOOK_LAN) != 0;
	struct maddr base;
	struct dialable at;
	struct bytes raw;
	struct peer *p;
	bool is_new;

	if (s->shutting_down)
		return;
	maddr_split_peer(addr, &base, &raw);
	if (peer_id_equal(id, &s->cfg.me->id)) {
		if (fresh)
			dial_own_id(s, env, &base);
		return;
	}
	dialable_of(&at, &base);
	if (dialable_is_nowhere(&at) || dial_is_self(s, env, &base))
		return;
	p = peer_get(s, env, id,
		fresh                   ? BOOK_HINT
		: sources == BOOK_TYPED ? BOOK_WANTED
					: BOOK_PROVEN);
	if (p == NULL)
		return;
	is_new = book_find(&p->known, &base) == NULL;
	if (peer_learn(s, env, p, &base, sources) != 0)
		is_new = false;
	book_seen(&s->book, &p->known, env->now_ms);
	/* Kept and shown, for when it can be dialled. */
	if (!dialable_is_spoken(&at))
		return;
	p->wanted = true;
	if (fresh)
		dial_seen(s, env, p, book_find(&p->known, &base), is_new);
	else
		dial_wanted(s, env, p);
}

void swarm_know(struct swarm *s, const struct env *env,
	const struct peer_id *id, const struct maddr *addr, bool fresh)
{
	know(s, env, id, addr, fresh ? BOOK_LAN : BOOK_SAVED);
}

void swarm_seen(struct swarm *s, const struct env *env,
	const struct peer_id *id, const struct maddr *addr, bool on_link)
{
	know(s, env, id, addr, on_link ? BOOK_LAN | BOOK_ON_LINK : BOOK_LAN);
}

void swarm_keep(struct swarm *s, const struct env *env,
	const struct peer_id *id, const struct maddr *addr)
{
	know(s, env, id, addr, BOOK_TYPED);
}

int swarm_learn_record(struct swarm *s, const struct env *env, struct bytes raw,
	const struct peer_id *from)
{
	const struct peer *teller = from == NULL ? NULL : peer_find(s, from);
	const struct conn *c = teller == NULL ? NULL : peer_conn(teller);
	struct peer_record record;
	struct peer *p;
	int err = peer_record_open(&record, raw);

	if (err != 0)
		return err;
	if (s->shutting_down || peer_id_equal(&record.peer, &s->cfg.me->id))
		return P2P_ERR_EXISTS;
	p = peer_get(
		s, env, &record.peer, from == NULL ? BOOK_PROVEN : BOOK_HINT);
	if (p == NULL)
		return P2P_ERR_LIMIT;
	err = peer_certify(s, env, p,
		&(struct book_record){.record = &record,
			.envelope = raw,
			.from = from == NULL ? BOOK_FROM_NEAR
				: c != NULL  ? dial_teller(c)
					     : BOOK_FROM_AFAR});
	if (err == 0)
		dial_wanted(s, env, p);
	return err;
}

struct bytes swarm_peer_record(
	const struct swarm *s, const struct peer_id *peer)
{
	const struct peer *p = peer_find(s, peer);

	return p == NULL ? bytes_of(NULL, 0) : buf_bytes(&p->known.record);
}

int swarm_want(
	struct swarm *s, const struct env *env, const struct peer_id *peer)
{
	struct peer *p = peer_find(s, peer);

	if (p == NULL)
		return P2P_ERR_NOT_FOUND;
	p->wanted = true;
	dial_wanted(s, env, p);
	return 0;
}

void swarm_disconnect(
	struct swarm *s, const struct env *env, const struct peer_id *id)
{
	struct peer *p = peer_find(s, id);
	struct table_entry *e, *tmp;

	typed_forget(s, id);
	if (p == NULL)
		return;
	p->wanted = false;
	p->in_set = false;
	p->dial_at_ms = P2P_NEVER;
	/* Dials under way would bring it back. */
	TABLE_FOREACH(e, tmp, &s->conns) {
		struct conn *c = e->value;

		if (!c->secured && peer_id_equal(&c->expect, id))
			conn_fail(s, env, c, P2P_ERR_CLOSED);
	}
	while (!list_empty(&p->conns))
		conn_fail(s, env,
			LIST_ITEM(p->conns.next, struct conn, of_peer),
			P2P_ERR_CLOSED);
}

void swarm_network_changed(struct swarm *s, const struct env *env)
{
	struct table_entry *e, *tmp;

	typed_hurry(s, env);
	TABLE_FOREACH(e, tmp, &s->peers) {
		struct peer *p = e->value;

		p->failures = 0;
		p->losses = 0;
		book_rested(&p->known);
		if (p->wanted && !peer_has_direct(p) && p->dials == 0)
			dial_soon(s, env, p, 0);
	}
}

static void set_own(struct swarm *s, const struct maddr *addrs, size_t count)
{
	s->own_count = 0;
	for (size_t i = 0; i < count && s->own_count < SWARM_OWN_MAX; i++) {
		struct own_host *o = &s->own[s->own_count];
		struct bytes ip = dialable_ip(&addrs[i]);
		struct dialable at;

		if (ip.len == 0 || ip.len > sizeof(o->ip))
			continue;
		dialable_of(&at, &addrs[i]);
		o->len = (uint8_t)ip.len;
		memcpy(o->ip, ip.data, ip.len);
		o->port = at.port;
		s->own_count++;
	}
}

void swarm_set_addresses(
	struct swarm *s, const struct maddr *addrs, size_t count)
{
	set_own(s, addrs, count);
	count = P2P_MIN(count, (size_t)SWARM_ADDRESSES_PER_PEER_MAX);
	for (size_t i = 0; i < count; i++)
		s->addrs[i] = addrs[i];
	s->addr_count = (unsigned)count;
	buf_reset(&s->record);
	swarm_emit(s, &(struct swarm_event){.kind = SWARM_EV_SELF});
}

void swarm_shutdown(struct swarm *s, const struct env *env)
{
	struct table_entry *e, *tmp;

	s->shutting_down = true;
	TABLE_FOREACH(e, tmp, &s->conns) {
		struct conn *c = e->value;

		if (c->state != CONN_READY) {
			conn_fail(s, env, c, P2P_ERR_CLOSED);
			continue;
		}
		conn_bow_out(s, env, c);
	}
}

size_t swarm_conn_count(const struct swarm *s)
{
	return s->conns.count;
}

bool swarm_peer_info(const struct swarm *s, const struct peer_id *id,
	struct swarm_peer_info *info)
{
	struct peer *p = peer_find(s, id);
	struct conn *c = p == NULL ? NULL : peer_conn(p);
	struct channel_info channel;

	if (c == NULL)
		return false;
	channel = channel_info(c->up);
	*info = (struct swarm_peer_info){
		.identified = p->identified,
		.outbound = c->outbound,
		.chosen = known_is_typed(p, c),
		.remote = c->remote,
		.how = known_how(p, c),
		.muxer_early = channel.muxer_early,
		.key = channel_peer_key(c->up),
		.muxer = channel.muxer,
		.agent = p->agent,
		.protocols = buf_cstr(&p->protocols),
		.rtt_us = p->rtt_us,
	};
	return true;
}

bool swarm_conn_info(
	const struct swarm *s, uint64_t conn, struct swarm_conn_info *info)
{
	const struct conn *c = conn_find(s, conn);

	if (c == NULL || c->state != CONN_READY)
		return false;
	*info = (struct swarm_conn_info){
		.peer = c->peer->id,
		.outbound = c->outbound,
		.limited = c->limited,
		.pings = channel_info(c->up).pings,
		.heard_ms = c->heard_ms,
		.remote = c->remote,
		.key = channel_peer_key(c->up),
	};
	return true;
}

void swarm_conn_close(
	struct swarm *s, const struct env *env, uint64_t conn, int err)
{
	struct conn *c = conn_find(s, conn);

	if (c != NULL)
		conn_fail(s, env, c, err);
}

uint64_t swarm_peer_best(const struct swarm *s, const struct peer_id *id)
{
	const struct peer *p = peer_find(s, id);
	const struct conn *c = p == NULL ? NULL : peer_conn(p);

	return c == NULL ? 0 : c->id;
}

bool swarm_peer_is_up(const struct swarm *s, const struct peer_id *id)
{
	const struct peer *p = peer_find(s, id);

	return p != NULL && p->told_up;
}

bool swarm_peer_is_direct(const struct swarm *s, const struct peer_id *id)
{
	const struct peer *p = peer_find(s, id);
	const struct conn *c = p == NULL ? NULL : peer_conn(p);

	return c != NULL && !c->limited;
}

void swarm_peer_worth(struct swarm *s, const struct peer_id *peer, int worth)
{
	struct peer *p = peer_find(s, peer);

	if (p == NULL)
		return;
	p->worth = worth;
	p->judged = true;
	p->known.valued = worth >= SWARM_WORTH_FRIEND;
}

void swarm_peer_takes_part(
	struct swarm *s, const struct peer_id *peer, bool takes_part)
{
	struct peer *p = peer_find(s, peer);

	if (p != NULL)
		p->takes_part = takes_part;
}

void swarm_peer_useful(
	struct swarm *s, const struct env *env, const struct peer_id *peer)
{
	struct peer *p = peer_find(s, peer);

	if (p != NULL)
		p->useful_ms = env->now_ms;
}

void swarm_count_breach(struct swarm *s, bool identify)
{
	s->counters.protocol_errors++;
	s->counters.identify_refused += identify;
}

void swarm_count_refused(struct swarm *s)
{
	s->counters.streams_refused++;
}

const struct swarm_counters *swarm_counters(const struct swarm *s)
{
	return &s->counters;
}

size_t swarm_conn_used(const struct swarm *s, uint64_t conn)
{
	const struct conn *c = conn_find(s, conn);

	return c == NULL ? 0 : count_held(c);
}

size_t swarm_budget_used(const struct swarm *s)
{
	struct table_entry *e, *tmp;
	size_t held = 0;

	TABLE_FOREACH(e, tmp, &s->conns)
		held += count_held(e->value);
	return held;
}

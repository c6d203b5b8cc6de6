/*
 * Addresses that a person has typed and where nobody has answered yet, or
 * somebody who had no place, or somebody else: the person hears so once, and
 * they are tried again as long as the program runs, as peers are that were
 * reached before. Whose peer it is need not be known. Once somebody has proven
 * a key there, that peer is wanted and dial.c sees to it.
 *
 * Without an id an address means whoever answers there. When that is another
 * than it was, the address goes from the book's entry of the one to that of the
 * other, and the person is told of the new key.
 */
#include "net/swarm/swarm_internal.h"

static struct typed *find(
	struct swarm *s, const struct maddr *addr, const struct peer_id *expect)
{
	for (unsigned i = 0; i < SWARM_TYPED_MAX; i++) {
		struct typed *a = &s->typed[i];

		if (a->addr.len > 0 && maddr_equal(&a->addr, addr) &&
			peer_id_equal(&a->expect, expect))
			return a;
	}
	return NULL;
}

/* Of that address, or a new one; the oldest of the ring makes room. */
static struct typed *get(
	struct swarm *s, const struct maddr *addr, const struct peer_id *expect)
{
	struct typed *a = find(s, addr, expect);

	if (a != NULL)
		return a;
	for (unsigned i = 0; i < SWARM_TYPED_MAX && a == NULL; i++)
		if (s->typed[i].addr.len == 0)
			a = &s->typed[i];
	if (a == NULL)
		a = &s->typed[s->typed_next++ % SWARM_TYPED_MAX];
	*a = (struct typed){.addr = *addr, .expect = *expect};
	return a;
}

static void try_at(struct swarm *s, struct typed *a, uint64_t at_ms)
{
	a->at_ms = at_ms;
	swarm_due(s, at_ms);
}

void typed_later(struct swarm *s, const struct env *env,
	const struct maddr *addr, const struct peer_id *expect)
{
	try_at(s, get(s, addr, expect), env_after(env, dial_pause(env, 1)));
}

void typed_failed(
	struct swarm *s, const struct env *env, struct conn *c, int err)
{
	struct typed *a = find(s, &c->typed_addr, &c->expect);

	if (s->shutting_down || dial_is_self(s, env, &c->typed_addr)) {
		if (a != NULL)
			a->addr.len = 0;
		return;
	}
	if (a == NULL)
		a = get(s, &c->typed_addr, &c->expect);
	/* Who has asked just now hears it as the outcome. */
	if (err == P2P_ERR_MISMATCH && !a->other_key && c->request == 0)
		swarm_emit(s, &(struct swarm_event){.kind = SWARM_EV_OTHER_KEY,
				      .peer = c->expect,
				      .addr = c->typed_addr});
	a->other_key = a->other_key || err == P2P_ERR_MISMATCH;
	a->failures++;
	try_at(s, a, env_after(env, dial_pause(env, a->failures)));
}

/* Whom that address led to when it was dialled last, here or in an earlier run:
 * it is his no longer. None: nobody. */
static struct peer_id take_from(
	struct swarm *s, const struct peer *p, const struct maddr *addr)
{
	struct peer_id was = {.len = 0};
	struct table_entry *e, *tmp;

	TABLE_FOREACH(e, tmp, &s->peers) {
		struct peer *q = e->value;
		const struct book_addr *a = book_find(&q->known, addr);

		/* Behind one name there may be two who are both there. */
		if (q == p || a == NULL || peer_has_direct(q) ||
			(a->ok_ms == P2P_NEVER &&
				(a->sources & BOOK_SAVED) == 0))
			continue;
		was = q->id;
		book_drop(&s->book, &q->known, addr);
	}
	return was;
}

static void follow(struct swarm *s, const struct peer *p, const struct conn *c)
{
	const struct typed *a = find(s, &c->typed_addr, &c->expect);
	struct peer_id was = take_from(s, p, &c->typed_addr);

	if (a != NULL && !peer_id_none(&a->was))
		was = a->was;
	if (!peer_id_none(&was) && !peer_id_equal(&was, &p->id))
		swarm_emit(s, &(struct swarm_event){.kind = SWARM_EV_FOLLOWED,
				      .peer = p->id,
				      .was = was,
				      .addr = c->typed_addr});
}

unsigned typed_answered(
	struct swarm *s, const struct peer *p, const struct conn *c)
{
	bool anybody = peer_id_none(&c->expect);
	struct typed *a;

	if (anybody)
		follow(s, p, c);
	a = find(s, &c->typed_addr, &c->expect);
	if (a != NULL)
		a->addr.len = 0;
	return anybody ? BOOK_TYPED | BOOK_ANYBODY : BOOK_TYPED;
}

void typed_other_key(struct swarm *s, const struct env *env, struct peer *p,
	const struct maddr *addr)
{
	struct book_addr *at = book_find(&p->known, addr);
	struct peer_id anybody = {.len = 0};
	struct typed *a;

	if (at == NULL)
		return;
	if ((at->sources & BOOK_ANYBODY) != 0) {
		book_drop(&s->book, &p->known, addr);
		a = get(s, addr, &anybody);
		a->was = p->id;
		try_at(s, a, env->now_ms);
		return;
	}
	if ((at->sources & BOOK_TYPED) != 0 && !at->other_key)
		swarm_emit(s, &(struct swarm_event){.kind = SWARM_EV_OTHER_KEY,
				      .peer = p->id,
				      .addr = *addr});
	at->other_key = true;
}

void typed_forget(struct swarm *s, const struct peer_id *peer)
{
	for (unsigned i = 0; i < SWARM_TYPED_MAX; i++)
		if (peer_id_equal(&s->typed[i].expect, peer))
			s->typed[i].addr.len = 0;
}

void typed_hurry(struct swarm *s, const struct env *env)
{
	for (unsigned i = 0; i < SWARM_TYPED_MAX; i++)
		if (s->typed[i].at_ms != P2P_NEVER)
			s->typed[i].at_ms = env->now_ms;
	swarm_due(s, env->now_ms);
}

static bool is_due(const struct swarm *s, const struct typed *a)
{
	return a->addr.len > 0 && s->dials < SWARM_DIALS_MAX;
}

static void try_again(struct swarm *s, const struct env *env, struct typed *a)
{
	const struct peer *p = peer_find(s, &a->expect);
	struct conn *c;

	/* It has come by itself, or by another address. */
	if (p != NULL && peer_has_direct(p)) {
		a->addr.len = 0;
		return;
	}
	c = conn_new_outbound(s, env, &a->addr, &a->expect);
	if (c == NULL) {
		a->at_ms = env_after(env, SWARM_REDIAL_MAX_MS);
		return;
	}
	a->at_ms = P2P_NEVER;
	c->typed = true;
	c->typed_addr = a->addr;
}

void typed_tick(struct swarm *s, const struct env *env)
{
	if (s->shutting_down)
		return;
	for (unsigned i = 0; i < SWARM_TYPED_MAX; i++)
		if (is_due(s, &s->typed[i]) && s->typed[i].at_ms <= env->now_ms)
			try_again(s, env, &s->typed[i]);
}

uint64_t typed_deadline(const struct swarm *s)
{
	uint64_t first = P2P_NEVER;

	for (unsigned i = 0; i < SWARM_TYPED_MAX && !s->shutting_down; i++)
		if (is_due(s, &s->typed[i]))
			first = P2P_MIN(first, s->typed[i].at_ms);
	return first;
}

/* ---- for people ---------------------------------------------------------- */

/* It is in the book, which knows more of it. */
static bool is_known(const struct swarm *s, const struct typed *a)
{
	const struct peer *p = peer_find(s, &a->expect);

	return p != NULL && book_find(&p->known, &a->addr) != NULL;
}

size_t swarm_typed(const struct swarm *s, const struct env *env,
	struct peer_id *expect, struct swarm_known *out, size_t max)
{
	size_t n = 0;

	for (unsigned i = 0; i < SWARM_TYPED_MAX && n < max; i++) {
		const struct typed *a = &s->typed[i];
		bool waits = a->at_ms != P2P_NEVER && a->at_ms > env->now_ms;

		if (a->addr.len == 0 || is_known(s, a))
			continue;
		expect[n] = a->expect;
		out[n++] = (struct swarm_known){
			.addr = a->addr,
			.sources = "typed",
			.seen_ms_ago = P2P_NEVER,
			.ok_ms_ago = P2P_NEVER,
			.failures = a->failures,
			.retry_in_ms = waits ? a->at_ms - env->now_ms : 0,
			.why_not = a->other_key ? SWARM_WORD_OTHER_KEY : NULL,
		};
	}
	return n;
}

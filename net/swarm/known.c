/*
 * What the address book knows, for people: addresses with their sources and
 * fortunes, and the peers that are not connected.
 */
#include "net/swarm/swarm_internal.h"

#define WORD_CALLED_US "it called us"

const char *known_how(const struct peer *p, const struct conn *c)
{
	const struct book_addr *a;

	if (!c->outbound)
		return WORD_CALLED_US;
	/* The address may have made room since. */
	a = book_find(&p->known, &c->remote);
	return a == NULL ? NULL : book_source_word(a);
}

bool known_is_typed(const struct peer *p, const struct conn *c)
{
	const struct book_addr *a = book_find(&p->known, &c->remote);

	return c->outbound && a != NULL && (a->sources & BOOK_TYPED) != 0;
}

static bool is_in_use(const struct peer *p, const struct maddr *addr)
{
	struct list *pos, *tmp;

	LIST_FOREACH(pos, tmp, &p->conns) {
		const struct conn *c = LIST_ITEM(pos, struct conn, of_peer);

		if (c->state == CONN_READY && c->outbound &&
			maddr_equal(&c->remote, addr))
			return true;
	}
	return false;
}

/* What stands in the way of a dial, or NULL. */
static const char *why_not(const struct swarm *s, const struct env *env,
	const struct peer *p, const struct book_addr *a)
{
	const char *why = dial_why_not(s, env, &a->addr, &a->at);

	if (why == NULL && a->other_key)
		why = SWARM_WORD_OTHER_KEY;
	if (why == NULL && !p->wanted && !peer_has_direct(p))
		why = "called only when you ask for it: /connect";
	return why;
}

/* Its own rest, or that of the peer. */
static uint64_t rests(
	const struct env *env, const struct peer *p, const struct book_addr *a)
{
	uint64_t until = P2P_MAX(a->retry_ms, dial_rests_until(p));

	return until > env->now_ms ? until - env->now_ms : 0;
}

static void describe(const struct swarm *s, const struct env *env,
	const struct peer *p, const struct book_addr *a,
	struct swarm_known *out)
{
	bool can = dial_why_not(s, env, &a->addr, &a->at) == NULL;

	*out = (struct swarm_known){
		.addr = a->addr,
		.certified = (a->sources & BOOK_SIGNED) != 0,
		.seen_ms_ago =
			a->sources == 0 ? P2P_NEVER : env->now_ms - a->seen_ms,
		.ok_ms_ago = a->ok_ms == P2P_NEVER ? P2P_NEVER
						   : env->now_ms - a->ok_ms,
		.failures = a->failures,
		.retry_in_ms = can && p->wanted ? rests(env, p, a) : 0,
		.why_not = why_not(s, env, p, a),
	};
	book_source_words(a, out->sources, sizeof(out->sources));
}

/* What can be dialled at all comes first. */
static bool is_better(const struct swarm *s, const struct peer *p,
	const struct book_addr *a, const struct book_addr *b)
{
	bool spoken = dialable_is_spoken(&a->at);

	if (spoken != dialable_is_spoken(&b->at))
		return spoken;
	return dial_comes_before(s, p, a, b);
}

/* The next in order of dialling that is not marked yet; NULL: none. */
static unsigned pick(
	const struct swarm *s, const struct peer *p, const bool *shown)
{
	unsigned best = p->known.count;

	for (unsigned i = 0; i < p->known.count; i++) {
		const struct book_addr *a = p->known.addrs[i];
		const struct book_addr *b;

		if (shown[i])
			continue;
		b = best == p->known.count ? NULL : p->known.addrs[best];
		if (b == NULL || is_better(s, p, a, b))
			best = i;
	}
	return best;
}

size_t swarm_known(const struct swarm *s, const struct env *env,
	const struct peer_id *peer, struct swarm_known *out, size_t max)
{
	const struct peer *p = peer_find(s, peer);
	bool shown[SWARM_ADDRESSES_PER_PEER_MAX] = {false};
	size_t n = 0;

	/* The book itself stays as it is: it is shown in an order, not put
	 * into one. */
	while (p != NULL && n < max && n < p->known.count) {
		unsigned i = pick(s, p, shown);

		shown[i] = true;
		describe(s, env, p, p->known.addrs[i], &out[n]);
		out[n].in_use = is_in_use(p, &out[n].addr);
		n++;
	}
	return n;
}

size_t swarm_known_peers(const struct swarm *s, struct peer_id *out, size_t max)
{
	struct table_entry *e, *tmp;
	size_t n = 0, all = 0;

	/* When not all are shown, invented peers do not hide the others. */
	for (int worth = BOOK_WANTED; worth >= BOOK_HINT; worth--) {
		TABLE_FOREACH(e, tmp, &s->peers) {
			const struct peer *p = e->value;

			if (!list_empty(&p->conns) || p->known.count == 0 ||
				(int)book_worth(&p->known) != worth)
				continue;
			all++;
			if (n < max)
				out[n++] = p->id;
		}
	}
	return all;
}

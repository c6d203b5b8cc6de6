/*
 * Who gets a place, and who makes room: when connections are many, and when
 * memory is short.
 *
 * Connections are counted by walking over all of them, for each newcomer and,
 * to find who has most, for each of those again: some SWARM_CONNS_MAX squared
 * comparisons of a few bytes, far less than the handshake that follows, and no
 * count beside the connections themselves that could come to differ from them.
 */
#include "net/swarm/swarm_internal.h"

/* ---- newcomers ---------------------------------------------------------- */

static size_t count_of_site(
	const struct swarm *s, const struct dialable_site *site)
{
	struct table_entry *e, *tmp;
	size_t n = 0;

	TABLE_FOREACH(e, tmp, &s->conns) {
		const struct conn *c = e->value;

		n += dialable_same_site(&c->at.site, site);
	}
	return n;
}

/* Inbound connections of that site; of all, or the unproven ones alone. */
static size_t inbound_of_site(
	const struct swarm *s, const struct dialable_site *site, bool unproven)
{
	struct table_entry *e, *tmp;
	size_t n = 0;

	TABLE_FOREACH(e, tmp, &s->conns) {
		const struct conn *c = e->value;

		n += !c->outbound && (!unproven || !c->secured) &&
		     dialable_same_site(&c->at.site, site);
	}
	return n;
}

/* The oldest unproven connection of the address that has most of them: whoever
 * means to prove himself does it within a few round trips, so that the oldest
 * is the one of whom least is to be hoped. */
static struct conn *preauth_victim(const struct swarm *s)
{
	struct table_entry *e, *tmp;
	struct conn *victim = NULL;
	size_t most = 0;

	TABLE_FOREACH(e, tmp, &s->conns) {
		struct conn *c = e->value;
		size_t n;

		if (c->secured || c->outbound)
			continue;
		n = inbound_of_site(s, &c->at.site, true);
		/* The table is walked from its oldest. */
		if (n > most) {
			most = n;
			victim = c;
		}
	}
	return victim;
}

/*
 * All inbound places are taken: the newest connection of the address that has
 * most of them, if that is more than the newcomer's has with him, or NULL. On
 * the LAN no cap keeps one host from taking them all. The newest, since those
 * that have stood for long carry somebody's chat.
 */
static struct conn *inbound_victim(
	const struct swarm *s, const struct dialable_site *newcomer)
{
	struct table_entry *e, *tmp;
	struct conn *victim = NULL;
	size_t most = inbound_of_site(s, newcomer, false) + 2;

	TABLE_FOREACH(e, tmp, &s->conns) {
		struct conn *c = e->value;
		size_t n;

		if (c->outbound)
			continue;
		n = inbound_of_site(s, &c->at.site, false);
		/* Of equals the last, which is the newest. */
		if (n >= most) {
			most = n;
			victim = c;
		}
	}
	return victim;
}

/* False when all inbound places are taken for good. */
static bool has_place(
	struct swarm *s, const struct env *env, const struct dialable *from)
{
	struct conn *victim;

	if (s->conns_in < SWARM_CONNS_IN_MAX)
		return true;
	/* One of the two is refused, whoever it is. */
	count_refused(s, &s->counters.refused_inbound);
	victim = inbound_victim(s, &from->site);
	if (victim != NULL)
		conn_fail(s, env, victim, P2P_ERR_LIMIT);
	return victim != NULL;
}

bool place_for(
	struct swarm *s, const struct env *env, const struct dialable *from)
{
	struct conn *victim;

	if (s->shutting_down || s->conns.count >= s->cfg.conns_max) {
		count_refused(s, &s->counters.refused_full);
		return false;
	}
	/* Of the LAN many may call from one machine, or from behind one router;
	 * has_place is fair to the others. */
	if (!dialable_is_near(from) &&
		count_of_site(s, &from->site) >= SWARM_CONNS_PER_ADDRESS_MAX) {
		count_refused(s, &s->counters.refused_address);
		return false;
	}
	if (!has_place(s, env, from))
		return false;
	if (s->preauth < SWARM_PREAUTH_MAX)
		return true;
	victim = preauth_victim(s);
	if (victim == NULL) {
		count_refused(s, &s->counters.refused_unproven);
		return false;
	}
	s->counters.preauth_evicted++;
	conn_fail(s, env, victim, P2P_ERR_LIMIT);
	return true;
}

/* ---- memory ------------------------------------------------------------- */

/* What we have to say to it waits, and it takes nothing of it. */
static bool is_deaf(const struct env *env, const struct conn *c)
{
	struct list *pos, *tmp;

	if (c->budget.used < SWARM_DEAF_BYTES)
		return false;
	LIST_FOREACH(pos, tmp, &c->streams) {
		uint64_t since =
			LIST_ITEM(pos, struct stream, of_conn)->stuck_ms;

		if (since != P2P_NEVER && env->now_ms - since >= SWARM_DEAF_MS)
			return true;
	}
	return false;
}

static bool holds_more(const struct conn *c, const struct conn *most)
{
	return most == NULL || c->budget.used > most->budget.used;
}

void place_make_room(struct swarm *s, const struct env *env)
{
	struct table_entry *e, *tmp;
	struct conn *most = NULL, *deaf = NULL;

	if (s->budget.used <= SWARM_BUDGET_BYTES_HIGH)
		return;
	TABLE_FOREACH(e, tmp, &s->conns) {
		struct conn *c = e->value;

		if (holds_more(c, most))
			most = c;
		if (holds_more(c, deaf) && is_deaf(env, c))
			deaf = c;
	}
	/* Who reads nothing keeps what he holds for ever. Who reads may just
	 * have been sent a lot: up to SWARM_HOARD_BYTES that is ordinary work,
	 * and it goes only before there is no room for anybody new. */
	if (deaf != NULL)
		most = deaf;
	else if (most == NULL ||
		 (most->budget.used < SWARM_HOARD_BYTES &&
			 s->budget.used <= SWARM_BUDGET_BYTES_CRITICAL))
		return;
	count_refused(s, &s->counters.cut_hoarder);
	conn_fail(s, env, most, P2P_ERR_LIMIT);
}

/*
 * Who gets a place, and who makes room: when connections are many, and when
 * memory is short. Whoever calls may prove his key first, as long as there is
 * room for one more at all: before that nobody knows whether a friend calls.
 * Then those who are too many give way, in the order of evict.c.
 */
#include "net/swarm/swarm_internal.h"

/* ---- newcomers ---------------------------------------------------------- */

/* Room for one more that calls; false when there is none for good. */
static bool has_room(struct swarm *s, const struct env *env)
{
	struct conn *c;

	_Static_assert(SWARM_CONNS_IN_MAX + SWARM_CONNS_IN_OVER +
				       SWARM_PREAUTH_MAX +
				       SWARM_CONNS_OUT_MAX <=
			       SWARM_CONNS_MAX,
		"whoever calls has room to prove his key");
	if (s->conns.count < s->cfg.conns_max &&
		s->conns_in + evict_dials_max(s, true) < s->cfg.conns_max)
		return true;
	c = evict_choose_leaving(s);
	if (c == NULL)
		c = evict_choose_unproven(s, env);
	if (c == NULL)
		c = evict_choose(s, env, true);
	if (c == NULL)
		return false;
	count_refused(s, &s->counters.refused_inbound);
	conn_fail(s, env, c, P2P_ERR_LIMIT);
	return true;
}

bool place_for(
	struct swarm *s, const struct env *env, const struct dialable *from)
{
	struct conn *victim;

	/* Of the LAN many may call from one machine, or from behind one router;
	 * evict_choose is fair to the others. */
	if (!dialable_is_near(from) && evict_site_is_full(s, &from->site)) {
		count_refused(s, &s->counters.refused_address);
		return false;
	}
	if (s->shutting_down || !has_room(s, env)) {
		count_refused(s, &s->counters.refused_full);
		return false;
	}
	if (s->preauth < SWARM_PREAUTH_MAX)
		return true;
	victim = evict_choose_unproven(s, env);
	if (victim == NULL) {
		count_refused(s, &s->counters.refused_unproven);
		return false;
	}
	evict_note(s, env, victim);
	s->counters.preauth_evicted++;
	conn_fail(s, env, victim, P2P_ERR_LIMIT);
	return true;
}

/* ---- those who have proven their key ------------------------------------ */

/* Its peer hears of others first, unless it is here by another way, too. */
static void say_goodbye(
	struct swarm *s, const struct env *env, struct conn *c, bool now)
{
	struct peer *p = c->peer;

	count_refused(s, &s->counters.refused_inbound);
	if (!p->takes_part)
		evict_note(s, env, c);
	c->leaving = true;
	/* Not at once: this may be the middle of another one's turn. */
	c->deadline_ms = env_after(env, now ? 0 : SWARM_FAREWELL_MS);
	swarm_due(s, c->deadline_ms);
	if (!now && p->up && p->conns.next == p->conns.prev)
		swarm_emit(s, &(struct swarm_event){.kind = SWARM_EV_FAREWELL,
				      .peer = p->id});
}

void place_proven(struct swarm *s, const struct env *env)
{
	size_t taken = evict_places_taken(s);
	struct conn *c;

	if (taken <= SWARM_CONNS_IN_MAX)
		return;
	s->place_at_ms = env->now_ms;
	swarm_due(s, s->place_at_ms);
	if (taken <= SWARM_CONNS_IN_MAX + SWARM_CONNS_IN_OVER)
		return;
	c = evict_choose(s, env, true);
	if (c != NULL)
		say_goodbye(s, env, c, true);
}

void place_tick(struct swarm *s, const struct env *env)
{
	size_t taken;

	if (s->place_at_ms > env->now_ms)
		return;
	taken = evict_places_taken(s);
	for (; taken > SWARM_CONNS_IN_MAX; taken--) {
		struct conn *c = evict_choose(s, env, false);

		if (c == NULL)
			break;
		say_goodbye(s, env, c, false);
	}
	/* Of the others too little is known yet. */
	s->place_at_ms = taken > SWARM_CONNS_IN_MAX
				 ? env_after(env, SWARM_PLACE_AGAIN_MS)
				 : P2P_NEVER;
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

/*
 * Whom others tell, too. Nobody says how many peers it has, and a GRAFT says
 * little: who has enough asks for a place for other reasons. So a peer is
 * judged by what it had without us, and since those may have been lines that
 * their author gives to it as we give ours, by whether it asks for one of ours
 * that we leave out.
 */
#include "net/pubsub/gossip_told.h"

static bool is_in(const struct slots set[static 2], const struct gpeer *p)
{
	return slots_have(&set[0], p) || slots_have(&set[1], p);
}

static bool is_new(const struct gossip *g, const struct gpeer *p)
{
	return g->heartbeat - p->since < GOSSIP_TOLD_AFTER_HEARTBEATS;
}

void told_has(struct gossip *g, const struct cached *c, const struct gpeer *p)
{
	struct topic *t = table_get(&g->topics, cached_topic(c));

	if (t != NULL && !slots_have(&c->given, p) && !cached_by(c, &p->id))
		(void)slots_add(&t->told[0], p);
}

void told_asks(struct gossip *g, const struct env *env, const struct cached *c,
	const struct gpeer *p)
{
	struct topic *t = table_get(&g->topics, cached_topic(c));

	/* Who has just come asks for what was said before, too. */
	if (t == NULL || !cached_by(c, &g->cfg.me) || is_new(g, p))
		return;
	if (env->now_ms - c->came_ms < GOSSIP_LATE_MS) {
		/* Our naming it may have overtaken the line: no trial. */
		slots_forget(&t->left_out, p->slot);
		return;
	}
	(void)slots_add(&t->asked[0], p);
	t->trials[p->slot] = 0;
}

bool told_by_others(const struct topic *t, const struct gpeer *p)
{
	return is_in(t->told, p) && t->trials[p->slot] > 0;
}

bool told_has_asked(const struct topic *t, const struct gpeer *p)
{
	return is_in(t->asked, p);
}

bool told_is_untried(
	const struct gossip *g, const struct topic *t, const struct gpeer *p)
{
	return !is_new(g, p) && !is_in(t->asked, p) &&
	       !slots_have(&t->left_out, p) && t->trials[p->slot] == 0;
}

void told_leave_out(struct gossip *g, const struct env *env, struct topic *t,
	const struct gpeer *p)
{
	if (t->trials[p->slot] >= GOSSIP_TOLD_TRIALS)
		return;
	(void)slots_add(&t->left_out, p);
	g->trials_ms = P2P_MIN(g->trials_ms, env_after(env, GOSSIP_LATE_MS));
}

bool told_take_trial(struct topic *t, const struct gpeer *p)
{
	if (!slots_have(&t->left_out, p))
		return false;
	slots_forget(&t->left_out, p->slot);
	t->trials[p->slot]++;
	return true;
}

void told_forget(struct topic *t, unsigned slot)
{
	for (size_t i = 0; i < 2; i++) {
		slots_forget(&t->told[i], slot);
		slots_forget(&t->asked[i], slot);
	}
	slots_forget(&t->left_out, slot);
	t->trials[slot] = 0;
}

void told_heartbeat(const struct gossip *g, struct topic *t)
{
	static const struct slots nobody;

	if (g->heartbeat % GOSSIP_TOLD_HEARTBEATS != 0)
		return;
	t->told[1] = t->told[0];
	t->asked[1] = t->asked[0];
	t->told[0] = t->asked[0] = nobody;
	/* What trials have shown lasts as long as there are signs of it. */
	for (unsigned slot = 0; slot < GOSSIP_PEERS_MAX; slot++)
		if (!slots_have_slot(&t->told[1], slot))
			t->trials[slot] = 0;
}

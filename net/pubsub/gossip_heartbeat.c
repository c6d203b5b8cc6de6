/*
 * The heartbeat (gossipsub v1.0 spec, "Heartbeat"; v1.1, "Opportunistic
 * Grafting", "Outbound Mesh Quotas", "Adaptive Gossip Dissemination"): once in
 * GOSSIP_HEARTBEAT_MS each mesh is brought into shape, what is recent is named
 * to some of those outside it, and what has had its time is forgotten.
 */
#include "net/pubsub/gossip_heartbeat.h"

#include "net/pubsub/gossip_cache.h"
#include "net/pubsub/gossip_id.h"
#include "net/pubsub/gossip_idontwant.h"
#include "net/pubsub/gossip_ihave.h"
#include "net/pubsub/gossip_judge.h"
#include "net/pubsub/gossip_mesh.h"
#include "net/pubsub/gossip_pick.h"
#include "net/pubsub/gossip_promise.h"
#include "net/pubsub/gossip_told.h"

static void drop_bad(const struct choice *c)
{
	struct table_entry *e, *tmp;

	TABLE_FOREACH(e, tmp, &c->t->mesh) {
		struct gpeer *p = e->value;

		if (gpeer_score(c->g, p) < 0)
			mesh_prune(c->g, c->env, c->t, p);
	}
}

static size_t count_outbound(struct gpeer *const *list, size_t n)
{
	size_t count = 0;

	for (size_t i = 0; i < n; i++)
		count += list[i]->outbound;
	return count;
}

/* Sees to it that at least GOSSIP_D_OUT of the first GOSSIP_D are ones that we
 * dialled: the worst of the others give way to them. */
static void prefer_outbound(struct gpeer **list, size_t n)
{
	size_t have = count_outbound(list, GOSSIP_D), last = GOSSIP_D;

	for (size_t i = GOSSIP_D; i < n && have < GOSSIP_D_OUT; i++) {
		struct gpeer *p = list[i];

		if (!p->outbound)
			continue;
		do
			last--;
		while (list[last]->outbound);
		list[i] = list[last];
		list[last] = p;
		have++;
	}
}

/* Too many: all but GOSSIP_D go. The best stay, the rest is chance, so that
 * newcomers have one. */
static void mesh_thin(const struct choice *c)
{
	struct gpeer *list[GOSSIP_PEERS_MAX];
	size_t n;

	if (c->t->mesh.count <= GOSSIP_D_HIGH)
		return;
	n = pick_best(c, PICK_MESH, list);
	P2P_ASSERT(n > GOSSIP_D_HIGH); /* who is in a mesh is a peer */
	pick_shuffle(c->env, list + GOSSIP_D_SCORE, n - GOSSIP_D_SCORE);
	prefer_outbound(list, n);
	for (size_t i = GOSSIP_D; i < n; i++)
		mesh_prune_surplus(c->g, c->env, c->t, list[i]);
}

/* Those who come to us cannot fill the mesh alone. */
static void keep_quota(const struct choice *c)
{
	struct gpeer *list[GOSSIP_PEERS_MAX];
	size_t have, n;

	if (c->t->mesh.count < GOSSIP_D_LOW)
		return;
	n = pick_peers(c, PICK_MESH, list);
	have = count_outbound(list, n);
	if (have >= GOSSIP_D_OUT)
		return;
	n = pick_peers(c, PICK_GRAFT, list);
	for (size_t i = 0; i < n && have < GOSSIP_D_OUT; i++) {
		if (!list[i]->outbound)
			continue;
		mesh_graft(c->g, c->t, list[i]);
		have++;
	}
}

/* Opportunistic grafting: a mesh that brings little gets two that do more than
 * its middle one. */
static void improve(const struct choice *c)
{
	struct gpeer *list[GOSSIP_PEERS_MAX];
	size_t n, grafted = 0;
	double median;

	if (c->g->heartbeat % GOSSIP_OPPORTUNISTIC_HEARTBEATS != 0 ||
		c->t->mesh.count < 2)
		return;
	n = pick_best(c, PICK_MESH, list);
	/* The spec's is the upper one of two; they stand from the best down. */
	median = list[(n - 1) / 2]->rank;
	if (median >= c->g->score_params->opportunistic_threshold)
		return;
	n = pick_peers(c, PICK_GRAFT, list);
	for (size_t i = 0; i < n && grafted < GOSSIP_OPPORTUNISTIC_PEERS; i++) {
		if (gpeer_score(c->g, list[i]) <= median)
			continue;
		mesh_graft(c->g, c->t, list[i]);
		grafted++;
	}
}

/* ---- gossip ------------------------------------------------------------ */

/* Moves up to `most` of those who lately had to ask us for messages to the
 * front; returns how many. Their meshes fail them: perhaps they are surrounded
 * by peers that forward nothing, and only we and a few others are honest. */
static size_t needy_first(struct gpeer **list, size_t n, size_t most)
{
	size_t needy = 0;

	for (size_t i = 0; i < n && needy < most; i++) {
		struct gpeer *p = list[i];

		if (p->needy_heartbeats == 0)
			continue;
		list[i] = list[needy];
		list[needy++] = p;
	}
	return needy;
}

/* Moves those whose turn it is to the front; returns how many. Each has one of
 * GOSSIP_FACTOR_DIVISOR heartbeats, so nobody outside the mesh misses all those
 * in which a message is named: drawn by chance, one in four would, and somebody
 * surrounded by liars may have us alone to hear it from. */
static size_t due_first(const struct gossip *g, struct gpeer **list, size_t n)
{
	size_t due = 0;

	_Static_assert(GOSSIP_FACTOR_DIVISOR <= GOSSIP_HISTORY_GOSSIP,
		"a message is named for a whole round");
	for (size_t i = 0; i < n; i++) {
		struct gpeer *p = list[i];

		if ((p->slot + g->heartbeat) % GOSSIP_FACTOR_DIVISOR != 0)
			continue;
		list[i] = list[due];
		list[due++] = p;
	}
	return due;
}

static void gossip_topic(const struct choice *c)
{
	struct ihave *h = ihave_new(c->g, c->t);
	struct gpeer *list[GOSSIP_PEERS_MAX];
	size_t n, due, target;

	if (h == NULL)
		return;
	n = pick_peers(c, PICK_GOSSIP, list);
	due = due_first(c->g, list, n);
	target = P2P_MIN(P2P_MAX(due, (size_t)GOSSIP_D_LAZY), n);
	/* They come on top, so that who asks much takes nothing from others. */
	target += needy_first(list + target, n - target, GOSSIP_NEEDY_MAX);
	for (size_t i = 0; i < target; i++)
		ihave_tell(h, list[i]);
	ihave_free(h);
}

static void name_trials(struct gossip *g, struct topic *t)
{
	struct ihave *h = ihave_new(g, t);
	struct table_entry *e, *tmp;

	TABLE_FOREACH(e, tmp, &g->peers) {
		struct gpeer *p = e->value;

		if (told_take_trial(t, p) && h != NULL && pick_is_told(g, p))
			ihave_tell(h, p);
	}
	ihave_free(h);
}

void gossip_name_trials(struct gossip *g, const struct env *env)
{
	struct table_entry *e, *tmp;

	if (g->trials_ms > env->now_ms)
		return;
	g->trials_ms = P2P_NEVER;
	TABLE_FOREACH(e, tmp, &g->topics)
		name_trials(g, e->value);
}

/* ---- all of it --------------------------------------------------------- */

/* Who said "I have it" and handed nothing over. */
static void judge_promises(struct gossip *g, const struct env *env)
{
	struct gpeer *p;

	while ((p = promise_broken(&g->promises, env)) != NULL) {
		/* Our question may not have left yet, the answer may wait
		 * unread behind much else, and what a graylisted peer answers
		 * is not read at all. */
		if (!p->ready || gpeer_out_waits(p) ||
			!gossip_has_room(g, &p->id) || gpeer_graylisted(g, p))
			continue;
		g->counters.promises_broken++;
		judge_misbehaviour(g, p, 1);
	}
}

/* One room's turn. Who is bad goes before the mesh is filled, so that others
 * have its place at once; gossip comes last, to those who are outside now. */
static void serve_topic(
	struct gossip *g, const struct env *env, struct topic *t)
{
	struct choice c = {g, env, t};

	gossip_emit_unreadable(g, t);
	mesh_forget_backoffs(env, t);
	told_heartbeat(g, t);
	drop_bad(&c);
	mesh_fill(g, env, t);
	mesh_thin(&c);
	keep_quota(&c);
	improve(&c);
	gossip_topic(&c);
}

/* A topic that we have left is kept while its back-offs run. */
static void forget_left(struct gossip *g, const struct env *env)
{
	struct table_entry *e, *tmp;

	TABLE_FOREACH(e, tmp, &g->left) {
		struct topic *t = e->value;

		mesh_forget_backoffs(env, t);
		if (t->backoff.count > 0)
			continue;
		(void)table_remove(&g->left, topic_name(t));
		topic_free(t);
	}
}

/* What is counted of a peer in a heartbeat begins anew. */
static void begin_counts(struct gpeer *p)
{
	p->ihave_messages = 0;
	p->ihave_ids = 0;
	p->asked_ids = 0;
	p->iwant_ids = 0;
	p->px_heard = 0;
	p->brought /= 2;
	p->needy_heartbeats -= p->needy_heartbeats > 0;
}

void gossip_heartbeat(struct gossip *g, const struct env *env)
{
	struct table_entry *e, *tmp;

	g->heartbeat++;
	/* Scores stand before anybody is chosen by them. */
	judge_promises(g, env);
	score_refresh(g->score, env);
	TABLE_FOREACH(e, tmp, &g->topics)
		serve_topic(g, env, e->value);
	forget_left(g, env);
	TABLE_FOREACH(e, tmp, &g->peers)
		begin_counts(e->value);
	asked_clear(g);
	idontwant_heartbeat(g);
	alias_heartbeat(g);
	cache_expire(g);
	seen_expire(g, env);
}

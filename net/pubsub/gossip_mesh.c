/*
 * The mesh of each topic: whom full messages are exchanged with (gossipsub
 * v1.0 spec, "Mesh maintenance"; v1.1, "Prune backoff"): who comes in, who
 * leaves, and for how long not to come back. What is done once in a heartbeat
 * stands in gossip_heartbeat.c.
 */
#include "net/pubsub/gossip_mesh.h"

#include <stdlib.h>

#include "base/xmalloc.h"
#include "net/pubsub/gossip_ihave.h"
#include "net/pubsub/gossip_judge.h"
#include "net/pubsub/gossip_outbox.h"
#include "net/pubsub/gossip_pick.h"
#include "net/pubsub/gossip_px.h"
#include "net/pubsub/gossip_send.h"
#include "net/pubsub/gossip_told.h"

/* ---- one topic --------------------------------------------------------- */

struct topic *topic_new(
	struct gossip *g, const struct env *env, struct bytes name)
{
	struct topic *t = table_remove(&g->left, name);

	if (t != NULL) {
		for (unsigned slot = 0; slot < GOSSIP_PEERS_MAX; slot++)
			told_forget(t, slot);
		(void)table_put(&g->topics, name, t);
		return t;
	}
	t = xcalloc(1, sizeof(*t));
	P2P_ASSERT(name.len <= sizeof(t->name));
	table_init(&t->mesh, env->rng);
	table_init(&t->backoff, env->rng);
	t->held = &g->held;
	memcpy(t->name, name.data, name.len);
	t->name_len = name.len;
	(void)table_put(&g->topics, name, t);
	return t;
}

void topic_leave(struct gossip *g, struct topic *t)
{
	struct table_entry *oldest;

	struct table_entry *e, *tmp;

	TABLE_FOREACH(e, tmp, &t->mesh)
		mesh_remove(g, t, e->value);
	if (t->backoff.count == 0) {
		topic_free(t);
		return;
	}
	if (g->left.count >= GOSSIP_TOPICS_MAX) {
		oldest = table_oldest(&g->left);
		topic_free(table_remove(&g->left, topic_name(oldest->value)));
	}
	(void)table_put(&g->left, topic_name(t), t);
}

void topic_free(struct topic *t)
{
	struct table_entry *e, *tmp;

	budget_release(t->held, t->backoff.count * GOSSIP_BACKOFF_COST_BYTES);
	TABLE_FOREACH(e, tmp, &t->backoff)
		free(e->value);
	table_clear(&t->backoff);
	table_clear(&t->mesh);
	free(t);
}

static void drop_backoff(struct topic *t, const struct table_entry *e)
{
	free(table_remove(&t->backoff, table_key(e)));
	budget_release(t->held, GOSSIP_BACKOFF_COST_BYTES);
}

/* The place for one more: of another, if there is none. */
static void hold_backoff(struct topic *t)
{
	if (t->backoff.count < GOSSIP_BACKOFFS_MAX &&
		budget_charge(t->held, GOSSIP_BACKOFF_COST_BYTES) == 0)
		return;
	if (t->backoff.count > 0)
		drop_backoff(t, table_oldest(&t->backoff));
	budget_owe(t->held, GOSSIP_BACKOFF_COST_BYTES);
}

void mesh_back_off(const struct env *env, struct topic *t,
	const struct gpeer *p, uint64_t seconds)
{
	struct backoff *b = table_get(&t->backoff, peer_id_bytes(&p->id));
	/* A heartbeat more, so that clocks that differ do no harm. */
	uint64_t until = env_after(env, seconds * 1000 + GOSSIP_HEARTBEAT_MS);

	if (b == NULL) {
		hold_backoff(t);
		b = xcalloc(1, sizeof(*b));
		(void)table_put(&t->backoff, peer_id_bytes(&p->id), b);
	}
	b->since_ms = env->now_ms;
	b->until_ms = P2P_MAX(b->until_ms, until);
}

void mesh_forget_backoffs(const struct env *env, struct topic *t)
{
	struct table_entry *e, *tmp;

	TABLE_FOREACH(e, tmp, &t->backoff) {
		struct backoff *b = e->value;

		if (b->until_ms > env->now_ms)
			continue;
		drop_backoff(t, e);
	}
}

/* ---- members ----------------------------------------------------------- */

/* Members of the mesh hear of no ids at heartbeats, so what came just before
 * one became a member is named to it now: else nobody would tell it. */
static void mesh_add(struct gossip *g, struct topic *t, struct gpeer *p)
{
	struct ihave *h;

	(void)table_put(&t->mesh, peer_id_bytes(&p->id), p);
	score_graft(g->score, &p->id, topic_name(t));
	if (p->form == GOSSIP_FORM_UNKNOWN)
		return;
	h = ihave_new(g, t);
	if (h != NULL)
		ihave_tell(h, p);
	ihave_free(h);
}

void mesh_graft(struct gossip *g, struct topic *t, struct gpeer *p)
{
	if (send_graft(g, p, topic_name(t)))
		mesh_add(g, t, p);
}

void mesh_remove(struct gossip *g, struct topic *t, const struct gpeer *p)
{
	if (table_remove(&t->mesh, peer_id_bytes(&p->id)) != NULL)
		score_prune(g->score, &p->id, topic_name(t));
}

void mesh_prune(struct gossip *g, const struct env *env, struct topic *t,
	struct gpeer *p)
{
	mesh_remove(g, t, p);
	mesh_back_off(env, t, p, GOSSIP_PRUNE_BACKOFF_S);
	(void)send_prune(g, p, topic_name(t), GOSSIP_PRUNE_BACKOFF_S);
}

void mesh_prune_surplus(struct gossip *g, const struct env *env,
	struct topic *t, struct gpeer *p)
{
	mesh_remove(g, t, p);
	mesh_back_off(env, t, p, GOSSIP_PRUNE_BACKOFF_S);
	(void)send_prune_px(g, env, t, p);
}

void mesh_offer(struct gossip *g, const struct env *env, struct topic *t,
	struct gpeer *p)
{
	if (t->mesh.count < GOSSIP_D_LOW && !in_mesh(t, p) &&
		gpeer_subscribed(p, topic_name(t)) && may_graft(g, env, t, p))
		mesh_graft(g, t, p);
}

void mesh_lose(struct gossip *g, const struct env *env, const struct gpeer *p)
{
	struct table_entry *e, *tmp;

	TABLE_FOREACH(e, tmp, &g->topics) {
		if (!in_mesh(e->value, p))
			continue;
		mesh_remove(g, e->value, p);
		mesh_fill(g, env, e->value);
	}
}

void mesh_leave_all(struct gossip *g, const struct env *env, struct gpeer *p)
{
	struct table_entry *e, *tmp;

	TABLE_FOREACH(e, tmp, &g->topics)
		if (in_mesh(e->value, p))
			mesh_prune(g, env, e->value, p);
}

/* ---- what peers ask ---------------------------------------------------- */

/*
 * Whether this GRAFT comes before its time. It costs P7, and twice when it
 * comes right behind the PRUNE; v1.0 knows no back-off and pays nothing.
 */
static bool is_too_early(struct gossip *g, const struct env *env,
	const struct topic *t, const struct gpeer *p)
{
	const struct backoff *b = table_get(&t->backoff, peer_id_bytes(&p->id));

	/* The heartbeat more is for our own GRAFTs: it did its time. */
	if (b == NULL || b->until_ms - GOSSIP_HEARTBEAT_MS <= env->now_ms)
		return false;
	if (p->version >= GOSSIP_V11)
		judge_misbehaviour(g, p,
			env->now_ms - b->since_ms < GOSSIP_GRAFT_FLOOD_MS ? 2
									  : 1);
	return true;
}

void mesh_on_graft(struct gossip *g, const struct env *env, struct gpeer *p,
	struct bytes name)
{
	struct topic *t = table_get(&g->topics, name);

	/* A topic of somebody else's makes no state here. */
	if (t == NULL)
		g->counters.refused++;
	if (t == NULL || !gpeer_subscribed(p, name) || in_mesh(t, p))
		return;
	if (!p->ready) {
		/* Who takes no stream of ours holds no place in the mesh. */
		(void)gpeer_note(g, p, &p->early, name);
		return;
	}
	if (is_too_early(g, env, t, p) || p->version == GOSSIP_FLOODSUB ||
		p->direct || gpeer_score(g, p) < 0) {
		g->counters.refused++;
		mesh_prune(g, env, t, p);
		return;
	}
	if (t->mesh.count >= GOSSIP_D_HIGH && !p->outbound) {
		g->counters.refused++;
		mesh_prune_surplus(g, env, t, p);
		return;
	}
	outbox_unmesh(g, p, name);
	mesh_add(g, t, p);
}

void mesh_renew(struct gossip *g, const struct env *env, struct topic *t,
	struct gpeer *p)
{
	if (!in_mesh(t, p)) {
		mesh_offer(g, env, t, p);
		return;
	}
	/* Said again, for one that started anew; others lose nothing. */
	if (may_graft(g, env, t, p))
		mesh_graft(g, t, p);
	else
		mesh_remove(g, t, p);
}

void mesh_answer_early(struct gossip *g, const struct env *env, struct gpeer *p)
{
	struct table_entry *e, *tmp;

	TABLE_FOREACH(e, tmp, &p->early)
		mesh_on_graft(g, env, p, table_key(e));
	gpeer_unnote_all(g, &p->early);
}

void mesh_on_unsubscribe(struct gossip *g, const struct env *env,
	struct gpeer *p, struct bytes name)
{
	struct topic *t = table_get(&g->topics, name);

	(void)gpeer_unnote(g, &p->early, name);
	if (t == NULL)
		return;
	told_forget(t, p->slot);
	if (!in_mesh(t, p))
		return;
	mesh_remove(g, t, p);
	outbox_unmesh(g, p, name);
	/* Its PRUNE may not follow, and each time it came back would cost us
	 * an IHAVE of all that is recent. */
	mesh_back_off(env, t, p, GOSSIP_UNSUBSCRIBE_BACKOFF_S);
	if (p->left.count < GOSSIP_TOPICS_PER_PEER_MAX)
		(void)gpeer_note(g, p, &p->left, name);
}

bool mesh_on_prune(struct gossip *g, const struct env *env, struct gpeer *p,
	struct bytes name, uint64_t backoff_s)
{
	struct topic *t = table_get(&g->topics, name);

	/* Who leaves a topic unsubscribes first and then says PRUNE. */
	bool was = gpeer_unnote(g, &p->left, name);

	(void)gpeer_unnote(g, &p->early, name);
	if (t == NULL)
		return false;
	was |= in_mesh(t, p);
	mesh_remove(g, t, p);
	outbox_unmesh(g, p, name);
	if (backoff_s == 0)
		backoff_s = GOSSIP_PRUNE_BACKOFF_S;
	mesh_back_off(
		env, t, p, P2P_MIN(backoff_s, (uint64_t)GOSSIP_BACKOFF_S_MAX));
	return was && t->mesh.count < GOSSIP_D;
}

void mesh_fill(struct gossip *g, const struct env *env, struct topic *t)
{
	struct choice c = {g, env, t};
	struct gpeer *list[GOSSIP_PEERS_MAX];
	size_t n;

	if (t->mesh.count >= GOSSIP_D_LOW)
		return;
	n = pick_peers(&c, PICK_GRAFT, list);
	for (size_t i = 0; i < n && t->mesh.count < GOSSIP_D; i++)
		mesh_graft(g, t, list[i]);
}

/*
 * The mesh of each topic: whom full messages are exchanged with (gossipsub
 * v1.0 spec, "Mesh maintenance"; v1.1, "Prune backoff"), and the heartbeat.
 */
#include <stdlib.h>

#include "base/xmalloc.h"
#include "net/pubsub/gossip_internal.h"

/* ---- one topic --------------------------------------------------------- */

struct topic *topic_new(
	struct gossip *g, const struct env *env, struct bytes name)
{
	struct topic *t = table_remove(&g->left, name);

	if (t != NULL) {
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
	struct backoff *b = e->value;
	uint8_t key[PEER_ID_BYTES_MAX];
	struct bytes id = table_key(e);

	/* The entry holds the key that removes it. */
	memcpy(key, id.data, id.len);
	(void)table_remove(&t->backoff, bytes_of(key, id.len));
	budget_release(t->held, GOSSIP_BACKOFF_COST_BYTES);
	free(b);
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

static bool in_mesh(const struct topic *t, const struct gpeer *p)
{
	return table_get(&t->mesh, peer_id_bytes(&p->id)) != NULL;
}

/* Whether the peer may be grafted by us now. */
static bool may_graft(const struct gossip *g, const struct env *env,
	const struct topic *t, const struct gpeer *p)
{
	struct backoff *b = table_get(&t->backoff, peer_id_bytes(&p->id));

	return p->ready && !p->direct && p->version != GOSSIP_FLOODSUB &&
	       (b == NULL || b->until_ms <= env->now_ms) &&
	       gpeer_score(g, p) >= 0;
}

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

/* Out of the mesh and told so; or refused, and told so. */
static void prune(struct gossip *g, const struct env *env, struct topic *t,
	struct gpeer *p)
{
	mesh_remove(g, t, p);
	mesh_back_off(env, t, p, GOSSIP_PRUNE_BACKOFF_S);
	(void)send_prune(g, p, topic_name(t), GOSSIP_PRUNE_BACKOFF_S);
}

/* The same because there are too many: the peer is told of others. */
static void prune_surplus(struct gossip *g, const struct env *env,
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
			prune(g, env, e->value, p);
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
		prune(g, env, t, p);
		return;
	}
	if (t->mesh.count >= GOSSIP_D_HIGH && !p->outbound) {
		g->counters.refused++;
		prune_surplus(g, env, t, p);
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
	if (t == NULL || !in_mesh(t, p))
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

/* ---- choosing ---------------------------------------------------------- */

/* Shuffles in place (Fisher, Yates). */
static void shuffle(const struct env *env, struct gpeer **list, size_t n)
{
	for (size_t i = n; i > 1; i--) {
		size_t j = rng_below(env->rng, i);
		struct gpeer *keep = list[i - 1];

		list[i - 1] = list[j];
		list[j] = keep;
	}
}

enum pick {
	PICK_GRAFT,  /* subscribed, not in the mesh, may be grafted */
	PICK_GOSSIP, /* subscribed, not in the mesh, form of ids known */
	PICK_MESH,   /* in the mesh */
};

/* What a choice is made from. */
struct choice {
	struct gossip *g;
	const struct env *env;
	struct topic *t;
};

static bool picks(const struct choice *c, enum pick pick, const struct gpeer *p)
{
	bool inside = in_mesh(c->t, p);

	if (pick == PICK_MESH || inside)
		return pick == PICK_MESH && inside;
	if (!p->ready || !gpeer_subscribed(p, topic_name(c->t)))
		return false;
	if (pick == PICK_GRAFT)
		return may_graft(c->g, c->env, c->t, p);
	return p->version != GOSSIP_FLOODSUB &&
	       p->form != GOSSIP_FORM_UNKNOWN && gpeer_may_gossip(c->g, p);
}

/* All peers of one sort in random order; returns how many. */
static size_t pick_peers(const struct choice *c, enum pick pick,
	struct gpeer *out[static GOSSIP_PEERS_MAX])
{
	struct table_entry *e, *tmp;
	size_t n = 0;

	TABLE_FOREACH(e, tmp, &c->g->peers) {
		if (n < GOSSIP_PEERS_MAX && picks(c, pick, e->value))
			out[n++] = e->value;
	}
	shuffle(c->env, out, n);
	return n;
}

/* The same, best score first; those of the same score in random order. */
static size_t pick_best(const struct choice *c, enum pick pick,
	struct gpeer *out[static GOSSIP_PEERS_MAX])
{
	size_t n = pick_peers(c, pick, out);

	for (size_t i = 0; i < n; i++) {
		struct gpeer *p = out[i];
		size_t at = i;

		p->rank = gpeer_score(c->g, p);
		for (; at > 0 && out[at - 1]->rank < p->rank; at--)
			out[at] = out[at - 1];
		out[at] = p;
	}
	return n;
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

/* ---- the heartbeat ----------------------------------------------------- */

static void drop_bad(const struct choice *c)
{
	struct table_entry *e, *tmp;

	TABLE_FOREACH(e, tmp, &c->t->mesh) {
		struct gpeer *p = e->value;

		if (gpeer_score(c->g, p) < 0)
			prune(c->g, c->env, c->t, p);
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
	shuffle(c->env, list + GOSSIP_D_SCORE, n - GOSSIP_D_SCORE);
	prefer_outbound(list, n);
	for (size_t i = GOSSIP_D; i < n; i++)
		prune_surplus(c->g, c->env, c->t, list[i]);
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

static void forget_backoffs(const struct env *env, struct topic *t)
{
	struct table_entry *e, *tmp;

	TABLE_FOREACH(e, tmp, &t->backoff) {
		struct backoff *b = e->value;

		if (b->until_ms > env->now_ms)
			continue;
		drop_backoff(t, e);
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
	target = P2P_MAX(due, (size_t)GOSSIP_D_LAZY);
	/* They come on top, so that who asks much takes nothing from others. */
	target += needy_first(list + due, n - due, GOSSIP_NEEDY_MAX);
	for (size_t i = 0; i < n && i < target; i++)
		ihave_tell(h, list[i]);
	ihave_free(h);
}

void mesh_heartbeat(struct gossip *g, const struct env *env)
{
	struct table_entry *e, *tmp;

	g->heartbeat++;
	judge_promises(g, env);
	score_refresh(g->score, env);
	TABLE_FOREACH(e, tmp, &g->topics) {
		struct choice c = {g, env, e->value};

		forget_backoffs(env, c.t);
		drop_bad(&c);
		mesh_fill(g, env, c.t);
		mesh_thin(&c);
		keep_quota(&c);
		improve(&c);
		gossip_topic(&c);
	}
	TABLE_FOREACH(e, tmp, &g->left) {
		struct topic *t = e->value;

		forget_backoffs(env, t);
		if (t->backoff.count > 0)
			continue;
		(void)table_remove(&g->left, topic_name(t));
		topic_free(t);
	}
	TABLE_FOREACH(e, tmp, &g->peers) {
		struct gpeer *p = e->value;

		p->ihave_messages = 0;
		p->brought /= 2;
		p->ihave_ids = 0;
		p->asked_ids = 0;
		p->iwant_ids = 0;
		p->px_heard = 0;
		p->needy_heartbeats -= p->needy_heartbeats > 0;
	}
	asked_clear(g);
	idontwant_heartbeat(g);
	alias_heartbeat(g);
	cache_expire(g);
	seen_expire(g, env);
}

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
	memcpy(t->name, name.data, name.len);
	t->name_len = name.len;
	(void)table_put(&g->topics, name, t);
	return t;
}

void topic_leave(struct gossip *g, struct topic *t)
{
	struct table_entry *oldest;

	table_clear(&t->mesh);
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
	free(b);
}

void mesh_back_off(const struct env *env, struct topic *t,
	const struct gpeer *p, uint64_t seconds)
{
	struct backoff *b = table_get(&t->backoff, peer_id_bytes(&p->id));
	/* A heartbeat more, so that clocks that differ do no harm. */
	uint64_t until = env_after(env, seconds * 1000 + GOSSIP_HEARTBEAT_MS);

	if (b == NULL) {
		if (t->backoff.count >= GOSSIP_BACKOFFS_MAX)
			drop_backoff(t, table_oldest(&t->backoff));
		b = xcalloc(1, sizeof(*b));
		(void)table_put(&t->backoff, peer_id_bytes(&p->id), b);
	}
	b->until_ms = P2P_MAX(b->until_ms, until);
}

bool mesh_may_graft(
	const struct env *env, const struct topic *t, const struct gpeer *p)
{
	struct backoff *b = table_get(&t->backoff, peer_id_bytes(&p->id));

	return p->version != GOSSIP_FLOODSUB &&
	       (b == NULL || b->until_ms <= env->now_ms);
}

static void tell_ihave(struct gossip *g, struct topic *t, struct gpeer *p);

/* Members of the mesh hear of no ids at heartbeats, so what came just before
 * one became a member is named to it now: else nobody would tell it. */
void mesh_add(struct gossip *g, struct topic *t, struct gpeer *p)
{
	(void)table_put(&t->mesh, peer_id_bytes(&p->id), p);
	if (p->form != GOSSIP_FORM_UNKNOWN)
		tell_ihave(g, t, p);
}

void mesh_graft(struct gossip *g, struct topic *t, struct gpeer *p)
{
	if (send_graft(g, p, topic_name(t)))
		mesh_add(g, t, p);
}

void mesh_remove(struct topic *t, const struct gpeer *p)
{
	(void)table_remove(&t->mesh, peer_id_bytes(&p->id));
}

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
	PICK_GRAFT,  /* subscribed, not in the mesh, no back-off */
	PICK_GOSSIP, /* subscribed, not in the mesh, form of ids known */
	PICK_MESH,   /* in the mesh */
};

static bool picks(enum pick pick, const struct env *env, const struct topic *t,
	const struct gpeer *p)
{
	bool in_mesh = table_get(&t->mesh, peer_id_bytes(&p->id)) != NULL;

	if (pick == PICK_MESH || in_mesh)
		return pick == PICK_MESH && in_mesh;
	if (!p->ready || !gpeer_subscribed(p, topic_name(t)))
		return false;
	if (pick == PICK_GRAFT)
		return mesh_may_graft(env, t, p);
	return p->version != GOSSIP_FLOODSUB && p->form != GOSSIP_FORM_UNKNOWN;
}

/* All peers of one sort in random order; returns how many. */
static size_t pick_peers(struct gossip *g, const struct env *env,
	const struct topic *t, enum pick pick,
	struct gpeer *out[static GOSSIP_PEERS_MAX])
{
	struct table_entry *e, *tmp;
	size_t n = 0;

	TABLE_FOREACH(e, tmp, &g->peers) {
		if (n < GOSSIP_PEERS_MAX && picks(pick, env, t, e->value))
			out[n++] = e->value;
	}
	shuffle(env, out, n);
	return n;
}

void mesh_fill(struct gossip *g, const struct env *env, struct topic *t)
{
	struct gpeer *list[GOSSIP_PEERS_MAX];
	size_t n;

	if (t->mesh.count >= GOSSIP_D_LOW)
		return;
	n = pick_peers(g, env, t, PICK_GRAFT, list);
	for (size_t i = 0; i < n && t->mesh.count < GOSSIP_D; i++)
		mesh_graft(g, t, list[i]);
}

/* Too many: all but GOSSIP_D go, those we dialled last. */
static void mesh_thin(struct gossip *g, const struct env *env, struct topic *t)
{
	struct gpeer *list[GOSSIP_PEERS_MAX];
	size_t n;

	if (t->mesh.count <= GOSSIP_D_HIGH)
		return;
	n = pick_peers(g, env, t, PICK_MESH, list);
	for (int round = 0; round < 2; round++) {
		for (size_t i = 0; i < n && t->mesh.count > GOSSIP_D; i++) {
			struct gpeer *p = list[i];

			if (p->outbound != (round == 1))
				continue;
			mesh_remove(t, p);
			mesh_back_off(env, t, p, GOSSIP_PRUNE_BACKOFF_S);
			(void)send_prune(
				g, p, topic_name(t), GOSSIP_PRUNE_BACKOFF_S);
		}
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

/* Recent messages of a topic, newest first: the next one at or before `pos`,
 * or NULL. */
static struct cached *recent(
	const struct gossip *g, const struct topic *t, struct list **pos)
{
	for (; *pos != &g->cache_order; *pos = (*pos)->prev) {
		struct cached *c = LIST_ITEM(*pos, struct cached, order);

		if (c->heartbeat + GOSSIP_HISTORY_GOSSIP <= g->heartbeat)
			return NULL;
		if (!bytes_equal(
			    bytes_of(c->topic, c->topic_len), topic_name(t)))
			continue;
		*pos = (*pos)->prev;
		return c;
	}
	return NULL;
}

static size_t count_recent(const struct gossip *g, const struct topic *t)
{
	struct list *pos = g->cache_order.prev;
	size_t n = 0;

	while (n < GOSSIP_IHAVE_IDS_MAX && recent(g, t, &pos) != NULL)
		n++;
	return n;
}

/* Names the recent messages of a topic to one peer, in its form. */
static void tell_ihave(struct gossip *g, struct topic *t, struct gpeer *p)
{
	struct list *pos = g->cache_order.prev;
	size_t max = count_recent(g, t), n = 0;
	uint8_t(*raw)[GOSSIP_ID_BYTES_MAX];
	struct bytes *ids;

	if (max == 0)
		return;
	raw = xcalloc(max, sizeof(*raw));
	ids = xcalloc(max, sizeof(*ids));
	for (size_t i = 0; i < max; i++) {
		const struct cached *c = recent(g, t, &pos);
		size_t len = cache_write_id(c, p->form, raw[n]);

		if (len > 0)
			ids[n] = bytes_of(raw[n], len);
		n += len > 0;
	}
	if (n > 0)
		(void)send_ihave(g, p, topic_name(t), ids, n);
	free(ids);
	free(raw);
}

static void gossip_topic(
	struct gossip *g, const struct env *env, struct topic *t)
{
	struct gpeer *list[GOSSIP_PEERS_MAX];
	size_t n, target;

	if (g->cache.count == 0)
		return;
	n = pick_peers(g, env, t, PICK_GOSSIP, list);
	target = P2P_MAX(n / GOSSIP_FACTOR_DIVISOR, (size_t)GOSSIP_D_LAZY);
	for (size_t i = 0; i < n && i < target; i++)
		tell_ihave(g, t, list[i]);
}

void mesh_heartbeat(struct gossip *g, const struct env *env)
{
	struct table_entry *e, *tmp;

	g->heartbeat++;
	TABLE_FOREACH(e, tmp, &g->topics) {
		struct topic *t = e->value;

		forget_backoffs(env, t);
		mesh_fill(g, env, t);
		mesh_thin(g, env, t);
		gossip_topic(g, env, t);
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
		p->iwant_ids = 0;
	}
	table_clear(&g->asked);
	idontwant_heartbeat(g);
	alias_heartbeat(g);
	cache_expire(g);
	seen_expire(g, env);
}

/*
 * Choosing among peers: for the mesh, for gossip, for whoever else is to be
 * told something. Always by chance among equals, so that nobody outside can
 * tell beforehand who it will be.
 */
#include "net/pubsub/gossip_pick.h"

bool in_mesh(const struct topic *t, const struct gpeer *p)
{
	return table_get(&t->mesh, peer_id_bytes(&p->id)) != NULL;
}

bool may_graft(const struct gossip *g, const struct env *env,
	const struct topic *t, const struct gpeer *p)
{
	struct backoff *b = table_get(&t->backoff, peer_id_bytes(&p->id));

	return p->ready && !p->direct && p->version != GOSSIP_FLOODSUB &&
	       (b == NULL || b->until_ms <= env->now_ms) &&
	       gpeer_score(g, p) >= 0;
}

/* Fisher, Yates. */
void pick_shuffle(const struct env *env, struct gpeer **list, size_t n)
{
	for (size_t i = n; i > 1; i--) {
		size_t j = rng_below(env->rng, i);
		struct gpeer *keep = list[i - 1];

		list[i - 1] = list[j];
		list[j] = keep;
	}
}

bool pick_is_told(const struct gossip *g, const struct gpeer *p)
{
	return p->ready && p->version != GOSSIP_FLOODSUB &&
	       p->form != GOSSIP_FORM_UNKNOWN && gpeer_may_gossip(g, p);
}

static bool picks(const struct choice *c, enum pick pick, const struct gpeer *p)
{
	bool inside = in_mesh(c->t, p);

	if (pick == PICK_MESH || inside)
		return pick == PICK_MESH && inside;
	if (!p->ready || !gpeer_subscribed(p, topic_name(c->t)))
		return false;
	if (pick == PICK_GRAFT)
		return may_graft(c->g, c->env, c->t, p);
	return pick_is_told(c->g, p);
}

size_t pick_peers(const struct choice *c, enum pick pick,
	struct gpeer *out[static GOSSIP_PEERS_MAX])
{
	struct table_entry *e, *tmp;
	size_t n = 0;

	TABLE_FOREACH(e, tmp, &c->g->peers) {
		if (n < GOSSIP_PEERS_MAX && picks(c, pick, e->value))
			out[n++] = e->value;
	}
	pick_shuffle(c->env, out, n);
	return n;
}

/* By insertion, so that those of one score keep the order of chance. */
void pick_rank(const struct gossip *g, struct gpeer **list, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		struct gpeer *p = list[i];
		size_t at = i;

		p->rank = gpeer_score(g, p);
		for (; at > 0 && list[at - 1]->rank < p->rank; at--)
			list[at] = list[at - 1];
		list[at] = p;
	}
}

size_t pick_best(const struct choice *c, enum pick pick,
	struct gpeer *out[static GOSSIP_PEERS_MAX])
{
	size_t n = pick_peers(c, pick, out);

	pick_rank(c->g, out, n);
	return n;
}

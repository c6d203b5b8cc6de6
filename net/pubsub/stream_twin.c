/*
 * Two programs with one key, as a copied profile makes them (decision 0021).
 * Both are one peer to gossip; here they differ by their connections, and our
 * words go to both: a second stream is given the very bytes of the first, from
 * the beginning of an RPC on.
 */
#include "net/pubsub/stream_internal.h"

void twin_drop(struct stream_gossip *sg, struct link *l)
{
	struct sstream *st = serve_stream(sg->sv, l->twin);

	if (st != NULL)
		serve_reset(sg->sv, st);
	l->twin = 0;
	if (l->twin_on)
		gossip_peer_twins(sg->g, &l->peer, false);
	l->twin_on = false;
}

void twin_later(struct stream_gossip *sg, const struct env *env, struct link *l)
{
	l->twin_at_ms = P2P_MAX(
		env_after(env, STREAM_GOSSIP_TWIN_MS), l->twin_rests_ms);
	sg->due_ms = P2P_MIN(sg->due_ms, l->twin_at_ms);
}

/* Between two RPCs. What is queued then goes to both. */
void twin_begin(struct stream_gossip *sg, struct link *l)
{
	const struct sstream *st = serve_stream(sg->sv, l->twin);

	if (l->twin_on || l->half || !l->added || st == NULL ||
		(st->name == NULL && st->proposed == NULL))
		return;
	l->twin_on = true;
	gossip_peer_twins(sg->g, &l->peer, true);
}

/* The same bytes; whoever takes them too slowly begins anew. */
void twin_write(struct stream_gossip *sg, const struct env *env, struct link *l,
	struct bytes out)
{
	struct sstream *st = serve_stream(sg->sv, l->twin);

	if (!l->twin_on)
		return;
	if (st != NULL &&
		swarm_stream_backlog(st) <= STREAM_GOSSIP_TWIN_BYTES &&
		serve_write(sg->sv, env, st, out) == 0)
		return;
	twin_drop(sg, l);
	twin_later(sg, env, l);
}

/* One program has one stream to us, on one connection; while it moves from a
 * carried connection to a better one it has two, for as long as it has nothing
 * to say. */
static uint64_t conn_of_twin(
	const struct stream_gossip *sg, const struct link *l)
{
	const struct sstream *out = serve_stream(sg->sv, l->out);
	const struct sstream *a = serve_stream(sg->sv, l->in[0]);
	const struct sstream *b = serve_stream(sg->sv, l->in[1]);

	if (out == NULL || a == NULL || b == NULL || a->conn == 0 ||
		b->conn == 0 || a->conn == b->conn || a->limited || b->limited)
		return 0;
	if (out->conn == a->conn)
		return b->conn;
	return out->conn == b->conn ? a->conn : 0;
}

void twin_open(struct stream_gossip *sg, const struct env *env, struct link *l)
{
	struct serve_to to = {.ops = sg->ops, .conn = conn_of_twin(sg, l)};
	struct sstream *st;

	l->twin_at_ms = P2P_NEVER;
	if (to.conn == 0 || l->twin != 0 || sg->stopping)
		return;
	if (serve_open(sg->sv, env, &to, &st) != 0) {
		twin_later(sg, env, l);
		return;
	}
	l->twin = st->id;
	l->twin_rests_ms = env_after(env, STREAM_GOSSIP_TWIN_AGAIN_MS);
	twin_begin(sg, l);
}

/* Both have had the same bytes, also of an RPC under way. */
bool twin_takes_over(struct stream_gossip *sg, struct link *l)
{
	if (!l->twin_on)
		return false;
	l->out = l->twin;
	l->twin = 0;
	l->twin_on = false;
	gossip_peer_twins(sg->g, &l->peer, false);
	return true;
}

void twin_check(struct stream_gossip *sg, struct link *l)
{
	if (l->twin != 0 && conn_of_twin(sg, l) == 0)
		twin_drop(sg, l);
}

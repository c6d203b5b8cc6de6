/*
 * Peer exchange (gossipsub v1.1 spec, "PRUNE Backoff and Peer Exchange"): who
 * is pruned because the mesh is full is told of others in the topic, with the
 * records that they signed themselves; and we look at such others when our own
 * mesh lacks peers.
 */
#include "net/pubsub/gossip_px.h"

#include "base/xmalloc.h"
#include "net/identity/peer_record.h"
#include "net/pubsub/gossip_outbox.h"
#include "net/pubsub/gossip_rpc.h"
#include "net/pubsub/gossip_send.h"
#include "net/wire/pb.h"

/* Of one peer in a PRUNE beside its record: its id, and all heads. */
#define PEER_INFO_HEAD_BYTES (PEER_ID_BYTES_MAX + 16)

/* ---- records ----------------------------------------------------------- */

void px_forget_record(struct gossip *g, struct gpeer *p)
{
	budget_release(&g->held, p->record.len);
	buf_clear(&p->record);
}

void gossip_peer_record(
	struct gossip *g, const struct peer_id *peer, struct bytes record)
{
	struct gpeer *p = gpeer_find(g, peer);

	if (p == NULL || bytes_equal(buf_bytes(&p->record), record))
		return;
	px_forget_record(g, p);
	if (record.len > p->record.max ||
		budget_charge(&g->held, record.len) != 0)
		return;
	(void)buf_append(&p->record, record);
}

/* ---- sending ----------------------------------------------------------- */

/* Whether `p` may be named to `to`: one of good standing in the topic. */
static bool may_name(const struct gossip *g, const struct topic *t,
	const struct gpeer *to, const struct gpeer *p)
{
	return p != to && p->ready && p->version != GOSSIP_FLOODSUB &&
	       gpeer_subscribed(p, topic_name(t)) && gpeer_score(g, p) >= 0;
}

/* Those who may be named, in random order; returns how many. */
static size_t candidates(struct gossip *g, const struct env *env,
	const struct topic *t, const struct gpeer *to,
	const struct gpeer *out[static GOSSIP_PEERS_MAX])
{
	struct table_entry *e, *tmp;
	size_t n = 0;

	TABLE_FOREACH(e, tmp, &g->peers) {
		size_t at;

		if (n == GOSSIP_PEERS_MAX || !may_name(g, t, to, e->value))
			continue;
		at = (size_t)rng_below(env->rng, n + 1);
		out[n++] = out[at];
		out[at] = e->value;
	}
	return n;
}

static void swap(const struct gpeer **list, size_t a, size_t b)
{
	const struct gpeer *p = list[a];

	list[a] = list[b];
	list[b] = p;
}

/* Moves those with a record to the front, since of the others only the id is
 * known to whoever reads it; returns how many. */
static size_t records_first(const struct gpeer **list, size_t n)
{
	size_t count = 0;

	for (size_t i = 0; i < n; i++)
		if (list[i]->record.len > 0)
			swap(list, i, count++);
	return count;
}

/* Every second of them is one who has done something for us, or is known to the
 * owner, as far as there are such. Keys to be named are made for nothing, and
 * who reads this takes the first few: among strangers alone he may fall among
 * liars. */
static void mix(const struct gossip *g, const struct gpeer **list, size_t n)
{
	const double known = g->score_params->opportunistic_threshold;
	size_t next = 0;

	for (size_t i = 0; i < n && i < GOSSIP_PX_PEERS_MAX; i += 2) {
		next = P2P_MAX(next, i);
		while (next < n && gpeer_score(g, list[next]) < known)
			next++;
		if (next == n)
			return;
		swap(list, i, next++);
	}
}

static void put_peer(
	struct buf *prune, const struct peer_id *id, struct bytes record)
{
	size_t mark = pb_begin(prune, PRUNE_PEERS);

	pb_put_bytes(prune, PEER_INFO_ID, peer_id_bytes(id));
	if (record.len > 0)
		pb_put_bytes(prune, PEER_INFO_RECORD, record);
	pb_end(prune, mark);
}

static bool has_room(const struct buf *prune, struct bytes record)
{
	return prune->len + record.len + PEER_INFO_HEAD_BYTES <=
	       GOSSIP_FIELD_BYTES_MAX;
}

/* As many as one field holds. */
static void put_peers(
	struct buf *prune, const struct gpeer *const *list, size_t n)
{
	unsigned put = 0;

	for (size_t i = 0; i < n && put < GOSSIP_PX_PEERS_MAX; i++) {
		struct bytes record = buf_bytes(&list[i]->record);

		if (!has_room(prune, record))
			continue;
		put_peer(prune, &list[i]->id, record);
		put++;
	}
}

bool send_prune_px(struct gossip *g, const struct env *env,
	const struct topic *t, struct gpeer *p)
{
	const struct gpeer *list[GOSSIP_PEERS_MAX];
	struct buf b;
	size_t mark, n;
	bool queued;

	/* v1.0 knows neither PX nor back-off. PRUNEs find room always, so they
	 * are short while much waits. */
	if (p->version < GOSSIP_V11 || gpeer_score(g, p) < 0 ||
		p->out.bytes > GOSSIP_RPC_PACK_BYTES ||
		g->out_bytes > GOSSIP_OUT_TOTAL_BYTES_MAX / 2)
		return send_prune(g, p, topic_name(t), GOSSIP_PRUNE_BACKOFF_S);
	buf_init(&b, GOSSIP_CONTROL_PACK_BYTES);
	mark = pb_begin(&b, CONTROL_PRUNE);
	pb_put_bytes(&b, PRUNE_TOPIC, topic_name(t));
	n = candidates(g, env, t, p, list);
	mix(g, list, records_first(list, n));
	put_peers(&b, list, n);
	pb_put_uint(&b, PRUNE_BACKOFF, GOSSIP_PRUNE_BACKOFF_S);
	pb_end(&b, mark);
	P2P_ASSERT(!b.failed);
	queued = outbox_mesh(g, p, topic_name(t), buf_bytes(&b));
	buf_clear(&b);
	return queued;
}

/* ---- receiving --------------------------------------------------------- */

static void emit(struct gossip *g, const struct gpeer *from,
	const struct peer_id *named, struct bytes record)
{
	struct gossip_event ev = {
		.kind = GOSSIP_EV_PX, .peer = *named, .from = from->id};

	ev.unit = xmemdup(record.data, record.len);
	ev.unit_len = record.len;
	g->counters.px_heard++;
	gossip_emit(g, &ev);
}

/* One PeerInfo. Without a record, or with one of another peer, it is nothing
 * that we could use. */
static int read_peer(
	struct gossip *g, const struct gpeer *from, struct bytes in)
{
	struct bytes id = bytes_of(NULL, 0), record = bytes_of(NULL, 0);
	struct cursor c = cur_of(in);
	struct peer_record r;
	struct peer_id named;
	struct pb_field f;

	while (pb_next(&c, &f)) {
		if (f.wire == PB_WIRE_BYTES && f.number == PEER_INFO_ID)
			id = f.bytes;
		if (f.wire == PB_WIRE_BYTES && f.number == PEER_INFO_RECORD)
			record = f.bytes;
	}
	if (!cur_ok(&c))
		return cur_err(&c);
	if (record.len == 0 || peer_id_parse(&named, id) != 0 ||
		peer_id_equal(&named, &g->cfg.me) ||
		gpeer_find(g, &named) != NULL)
		return 0;
	if (peer_record_open(&r, record) != 0 ||
		!peer_id_equal(&r.peer, &named)) {
		g->counters.refused++;
		return 0;
	}
	emit(g, from, &named, record);
	return 0;
}

/*
 * How many of those named may be looked at. Somebody of merit is believed. A
 * stranger is whom a person has sent us to, and only as long as we have hardly
 * anybody else in that topic: then he has us to himself anyway, and whoever he
 * names makes us depend on him less, or no more than before. He names few, so
 * that those who know a mesh already are not led away from it.
 */
static unsigned believed(const struct gossip *g, const struct gpeer *from,
	struct bytes topic, bool lacks)
{
	const struct topic *t = table_get(&g->topics, topic);
	double score = gpeer_score(g, from);

	if (t == NULL)
		return 0;
	if (lacks && score >= g->score_params->accept_px_threshold)
		return GOSSIP_PX_PEERS_MAX;
	if (!from->chosen || score < 0 || t->mesh.count >= GOSSIP_D_LOW)
		return 0;
	return P2P_MIN(GOSSIP_PX_STRANGERS_MAX - from->px_taken,
		GOSSIP_D_LOW - (unsigned)t->mesh.count);
}

int px_read(struct gossip *g, struct gpeer *from, struct bytes topic,
	bool lacks, struct bytes prune)
{
	struct cursor c = cur_of(prune);
	unsigned left = believed(g, from, topic, lacks);
	struct pb_field f;
	int err = 0;

	while (err == 0 && left > 0 && pb_next(&c, &f)) {
		uint64_t heard = g->counters.px_heard;

		if (f.number != PRUNE_PEERS || f.wire != PB_WIRE_BYTES)
			continue;
		/* Each costs a signature check. */
		if (from->px_heard >= GOSSIP_PX_PEERS_MAX)
			return 0;
		from->px_heard++;
		err = read_peer(g, from, f.bytes);
		if (g->counters.px_heard == heard)
			continue;
		left--;
		from->px_taken += from->px_taken < GOSSIP_PX_STRANGERS_MAX;
	}
	return err != 0 ? err : cur_err(&c);
}

#include "net/pubsub/gossip_internal.h"
#include "net/pubsub/gossip_rpc.h"
#include "net/wire/pb.h"

/* While much waits for all, nobody may hold more than its share, so that those
 * who do not read cannot silence us towards those who do. */
static size_t out_room(const struct gossip *g, const struct gpeer *p)
{
	size_t max = GOSSIP_OUT_BYTES_MAX;

	if (g->out_bytes > GOSSIP_OUT_TOTAL_BYTES_MAX / 2)
		max = P2P_MAX(GOSSIP_OUT_TOTAL_BYTES_MAX / 2 / g->peers.count,
			(size_t)UNIT_BYTES_MAX + 4096);
	return p->out.len >= max ? 0 : max - p->out.len;
}

/* A frame: the body's length, the body. All or nothing. */
static bool queue_frame(struct gossip *g, struct gpeer *p, struct bytes body)
{
	uint8_t head[10];
	size_t n = 0, len = body.len;
	uint8_t *to;

	while (len >= 0x80) {
		head[n++] = (uint8_t)(len | 0x80);
		len >>= 7;
	}
	head[n++] = (uint8_t)len;
	to = p->ready && n + body.len <= out_room(g, p)
		     ? bufq_extend(&p->out, n + body.len)
		     : NULL;
	if (to == NULL) {
		g->counters.out_dropped += p->ready;
		return false;
	}
	memcpy(to, head, n);
	if (body.len > 0)
		memcpy(to + n, body.data, body.len);
	g->out_bytes += n + body.len;
	if (!p->named)
		list_push_back(&g->senders, &p->sender);
	p->named = true;
	return true;
}

/* Queues what the builder made and frees it. */
static bool queue_built(struct gossip *g, struct gpeer *p, struct buf *b)
{
	bool queued = !b->failed && queue_frame(g, p, buf_bytes(b));

	buf_clear(b);
	return queued;
}

static void put_subscription(struct buf *b, struct bytes topic, bool joined)
{
	size_t mark = pb_begin(b, RPC_SUBSCRIPTIONS);

	pb_put_uint(b, SUBOPTS_SUBSCRIBE, joined);
	pb_put_bytes(b, SUBOPTS_TOPIC, topic);
	pb_end(b, mark);
}

bool send_subscriptions(struct gossip *g, struct gpeer *p)
{
	struct table_entry *e, *tmp;
	struct buf b;

	/* Sent even when empty: it is the first RPC of a stream. */
	buf_init(&b, GOSSIP_RPC_BYTES_MAX);
	TABLE_FOREACH(e, tmp, &g->topics)
		put_subscription(&b, table_key(e), true);
	return queue_built(g, p, &b);
}

bool send_subscribe(
	struct gossip *g, struct gpeer *p, struct bytes topic, bool joined)
{
	struct buf b;

	buf_init(&b, GOSSIP_RPC_BYTES_MAX);
	put_subscription(&b, topic, joined);
	return queue_built(g, p, &b);
}

bool send_message(struct gossip *g, struct gpeer *p, struct bytes unit)
{
	struct buf b;

	buf_init(&b, GOSSIP_RPC_BYTES_MAX);
	pb_put_bytes(&b, RPC_PUBLISH, unit);
	return queue_built(g, p, &b);
}

bool send_forward(struct gossip *g, const struct gpeer *from, struct gpeer *p,
	struct bytes unit)
{
	if (from->brought > GOSSIP_MODEST_BYTES &&
		p->out.len > GOSSIP_OUT_TOTAL_BYTES_MAX / 4 / g->peers.count) {
		g->counters.out_dropped++;
		return false;
	}
	return send_message(g, p, unit);
}

/* An RPC with one control part, open for its fields. */
struct control {
	struct buf rpc;
	size_t control;
	size_t part;
};

static void control_begin(struct control *c, enum gossip_control_field part)
{
	buf_init(&c->rpc, GOSSIP_RPC_BYTES_MAX);
	c->control = pb_begin(&c->rpc, RPC_CONTROL);
	c->part = pb_begin(&c->rpc, part);
}

static bool control_send(struct gossip *g, struct gpeer *p, struct control *c)
{
	pb_end(&c->rpc, c->part);
	pb_end(&c->rpc, c->control);
	return queue_built(g, p, &c->rpc);
}

bool send_graft(struct gossip *g, struct gpeer *p, struct bytes topic)
{
	struct control c;

	control_begin(&c, CONTROL_GRAFT);
	pb_put_bytes(&c.rpc, GRAFT_TOPIC, topic);
	return control_send(g, p, &c);
}

bool send_prune(struct gossip *g, struct gpeer *p, struct bytes topic,
	uint64_t backoff_s)
{
	struct control c;

	control_begin(&c, CONTROL_PRUNE);
	pb_put_bytes(&c.rpc, PRUNE_TOPIC, topic);
	if (p->version >= GOSSIP_V11)
		pb_put_uint(&c.rpc, PRUNE_BACKOFF, backoff_s);
	return control_send(g, p, &c);
}

bool send_ihave(struct gossip *g, struct gpeer *p, struct bytes topic,
	const struct bytes *ids, size_t count)
{
	struct control c;

	control_begin(&c, CONTROL_IHAVE);
	pb_put_bytes(&c.rpc, IHAVE_TOPIC, topic);
	for (size_t i = 0; i < count; i++)
		pb_put_bytes(&c.rpc, IHAVE_IDS, ids[i]);
	return control_send(g, p, &c);
}

bool send_iwant(struct gossip *g, struct gpeer *p, const struct bytes *ids,
	size_t count)
{
	struct control c;

	control_begin(&c, CONTROL_IWANT);
	for (size_t i = 0; i < count; i++)
		pb_put_bytes(&c.rpc, IWANT_IDS, ids[i]);
	return control_send(g, p, &c);
}

#include "net/pubsub/gossip_internal.h"
#include "net/pubsub/gossip_rpc.h"
#include "net/wire/pb.h"

/* A frame: the body's length, the body. All or nothing. */
static bool queue_frame(struct gossip *g, struct gpeer *p, struct bytes body)
{
	struct bytes parts[2];
	uint8_t head[10];
	size_t n = 0, len = body.len;
	uint8_t *to;

	while (len >= 0x80) {
		head[n++] = (uint8_t)(len | 0x80);
		len >>= 7;
	}
	head[n++] = (uint8_t)len;
	parts[0] = bytes_of(head, n);
	parts[1] = body;
	to = p->ready ? bufq_extend(&p->out, n + body.len) : NULL;
	if (to == NULL) {
		g->counters.out_dropped += p->ready;
		return false;
	}
	memcpy(to, parts[0].data, n);
	memcpy(to + n, parts[1].data, body.len);
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

bool send_graft(struct gossip *g, struct gpeer *p, struct bytes topic)
{
	struct buf b;
	size_t control, graft;

	buf_init(&b, GOSSIP_RPC_BYTES_MAX);
	control = pb_begin(&b, RPC_CONTROL);
	graft = pb_begin(&b, CONTROL_GRAFT);
	pb_put_bytes(&b, GRAFT_TOPIC, topic);
	pb_end(&b, graft);
	pb_end(&b, control);
	return queue_built(g, p, &b);
}

bool send_prune(struct gossip *g, struct gpeer *p, struct bytes topic,
	uint64_t backoff_s)
{
	struct buf b;
	size_t control, prune;

	buf_init(&b, GOSSIP_RPC_BYTES_MAX);
	control = pb_begin(&b, RPC_CONTROL);
	prune = pb_begin(&b, CONTROL_PRUNE);
	pb_put_bytes(&b, PRUNE_TOPIC, topic);
	if (p->version >= GOSSIP_V11)
		pb_put_uint(&b, PRUNE_BACKOFF, backoff_s);
	pb_end(&b, prune);
	pb_end(&b, control);
	return queue_built(g, p, &b);
}

bool send_ihave(struct gossip *g, struct gpeer *p, struct bytes topic,
	const struct bytes *ids, size_t count)
{
	struct buf b;
	size_t control, ihave;

	buf_init(&b, GOSSIP_RPC_BYTES_MAX);
	control = pb_begin(&b, RPC_CONTROL);
	ihave = pb_begin(&b, CONTROL_IHAVE);
	pb_put_bytes(&b, IHAVE_TOPIC, topic);
	for (size_t i = 0; i < count; i++)
		pb_put_bytes(&b, IHAVE_IDS, ids[i]);
	pb_end(&b, ihave);
	pb_end(&b, control);
	return queue_built(g, p, &b);
}

bool send_iwant(struct gossip *g, struct gpeer *p, const struct bytes *ids,
	size_t count)
{
	struct buf b;
	size_t control, iwant;

	buf_init(&b, GOSSIP_RPC_BYTES_MAX);
	control = pb_begin(&b, RPC_CONTROL);
	iwant = pb_begin(&b, CONTROL_IWANT);
	for (size_t i = 0; i < count; i++)
		pb_put_bytes(&b, IWANT_IDS, ids[i]);
	pb_end(&b, iwant);
	pb_end(&b, control);
	return queue_built(g, p, &b);
}

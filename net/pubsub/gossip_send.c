/*
 * Things to say, as the fields of an RPC that outboxes hold. Lists of ids are
 * cut into fields that share an RPC with others.
 */
#include "net/pubsub/gossip_send.h"

#include "net/pubsub/gossip_outbox.h"
#include "net/pubsub/gossip_rpc.h"
#include "net/wire/pb.h"

bool send_subscriptions(struct gossip *g, struct gpeer *p)
{
	struct table_entry *e, *tmp;

	TABLE_FOREACH(e, tmp, &g->topics)
		(void)outbox_subscription(g, p, table_key(e), true);
	return outbox_hello(g, p);
}

bool send_subscribe(
	struct gossip *g, struct gpeer *p, struct bytes topic, bool joined)
{
	return outbox_subscription(g, p, topic, joined);
}

bool send_message(struct gossip *g, struct gpeer *p, struct bytes unit)
{
	return outbox_message(g, p, unit, OUTBOX_FRESH);
}

bool send_wanted(struct gossip *g, struct gpeer *p, struct bytes unit)
{
	return outbox_message(g, p, unit, OUTBOX_ASKED);
}

bool send_forward(struct gossip *g, const struct gpeer *from, struct gpeer *p,
	struct bytes unit)
{
	if (from != NULL && from->brought <= GOSSIP_MODEST_BYTES)
		return send_message(g, p, unit);
	if (p->out.bytes > GOSSIP_OUT_TOTAL_BYTES_MAX / 4 / g->peers.count) {
		g->counters.out_dropped++;
		return false;
	}
	return outbox_message(g, p, unit, OUTBOX_LATE);
}

/* ---- control ----------------------------------------------------------- */

bool send_graft(struct gossip *g, struct gpeer *p, struct bytes topic)
{
	struct buf b;
	size_t mark;
	bool queued;

	buf_init(&b, GOSSIP_CONTROL_PACK_BYTES);
	mark = pb_begin(&b, CONTROL_GRAFT);
	pb_put_bytes(&b, GRAFT_TOPIC, topic);
	pb_end(&b, mark);
	queued = outbox_mesh(g, p, topic, buf_bytes(&b));
	buf_clear(&b);
	return queued;
}

bool send_prune(struct gossip *g, struct gpeer *p, struct bytes topic,
	uint64_t backoff_s)
{
	struct buf b;
	size_t mark;
	bool queued;

	buf_init(&b, GOSSIP_CONTROL_PACK_BYTES);
	mark = pb_begin(&b, CONTROL_PRUNE);
	pb_put_bytes(&b, PRUNE_TOPIC, topic);
	if (p->version >= GOSSIP_V11)
		pb_put_uint(&b, PRUNE_BACKOFF, backoff_s);
	pb_end(&b, mark);
	queued = outbox_mesh(g, p, topic, buf_bytes(&b));
	buf_clear(&b);
	return queued;
}

/* Ids of one control field; topic is empty where it has none. */
struct id_list {
	enum gossip_control_field part;
	uint32_t number; /* of an id inside */
	struct bytes topic;
	const struct bytes *ids;
	size_t count;
};

/* Sends as many of the first ids as share a field and takes them off. */
static bool send_some(struct gossip *g, struct gpeer *p, struct id_list *list)
{
	struct buf b;
	size_t mark, n = 0;
	bool queued;

	buf_init(&b, GOSSIP_CONTROL_PACK_BYTES);
	mark = pb_begin(&b, list->part);
	if (list->topic.len > 0)
		pb_put_bytes(&b, IHAVE_TOPIC, list->topic);
	while (n < list->count &&
		b.len + pb_bytes_size(list->number, list->ids[n].len) <=
			GOSSIP_FIELD_BYTES_MAX)
		pb_put_bytes(&b, list->number, list->ids[n++]);
	pb_end(&b, mark);
	P2P_ASSERT(!b.failed);
	list->ids += n;
	list->count -= n;
	queued = outbox_control(g, p, buf_bytes(&b));
	buf_clear(&b);
	return queued;
}

bool send_ihave(struct gossip *g, struct gpeer *p, struct bytes topic,
	const struct bytes *ids, size_t count)
{
	struct id_list list = {.part = CONTROL_IHAVE,
		.number = IHAVE_IDS,
		.topic = topic,
		.ids = ids,
		.count = count};
	bool queued = true;

	while (queued && list.count > 0)
		queued = send_some(g, p, &list);
	return queued;
}

bool send_iwant(struct gossip *g, struct gpeer *p, const struct bytes *ids,
	size_t count)
{
	struct id_list list = {.part = CONTROL_IWANT,
		.number = IWANT_IDS,
		.ids = ids,
		.count = count};
	bool queued = true;

	while (queued && list.count > 0)
		queued = send_some(g, p, &list);
	return queued;
}

bool send_idontwant(struct gossip *g, struct gpeer *p, struct bytes id)
{
	struct id_list list = {.part = CONTROL_IDONTWANT,
		.number = IDONTWANT_IDS,
		.ids = &id,
		.count = 1};

	return send_some(g, p, &list);
}

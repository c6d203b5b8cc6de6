/*
 * A promise stands in two places: in the chain of its id, so that a message
 * finds it, and in the order of time. All have the same time to live, so that
 * order is the order of making.
 */
#include "net/pubsub/gossip_promise.h"

#include <stdlib.h>

#include "base/xmalloc.h"
#include "net/pubsub/gossip_internal.h"
#include "net/wire/pb.h"

struct promise {
	struct list order;
	struct promise *next; /* of the same id */
	struct gpeer *peer;
	uint64_t until_ms;
	size_t id_len;
	uint8_t id[UNIT_GOSSIP_ID_BYTES_MAX];
};

/* Of pubsub's Message, as far as they make an id. */
enum {
	MESSAGE_FROM = 1,
	MESSAGE_SEQNO = 3,
};

void promises_init(struct promises *ps, const struct env *env)
{
	table_init(&ps->ids, env->rng);
	list_init(&ps->order);
	ps->grace_ms = 0;
}

static struct bytes promise_id(const struct promise *m)
{
	return bytes_of(m->id, m->id_len);
}

/* Takes it out of its list and the chain of its id. */
static void promise_drop(struct promises *ps, struct promise *m)
{
	struct promise *first = table_get(&ps->ids, promise_id(m));
	struct promise *at = first;

	if (first == m) {
		(void)table_remove(&ps->ids, promise_id(m));
		if (m->next != NULL)
			(void)table_put(&ps->ids, promise_id(m), m->next);
	} else {
		while (at->next != m)
			at = at->next;
		at->next = m->next;
	}
	list_remove(&m->order);
	m->peer->promises--;
	free(m);
}

void promises_clear(struct promises *ps)
{
	while (!list_empty(&ps->order))
		promise_drop(
			ps, LIST_ITEM(ps->order.next, struct promise, order));
	table_clear(&ps->ids);
}

void promise_add(struct promises *ps, const struct env *env, struct gpeer *p,
	struct bytes id)
{
	struct promise *m;

	if (p->promises >= GOSSIP_PROMISES_PER_PEER_MAX)
		return;
	P2P_ASSERT(id.len > 0 && id.len <= UNIT_GOSSIP_ID_BYTES_MAX);
	m = xcalloc(1, sizeof(*m));
	m->peer = p;
	m->until_ms = env_after(env, GOSSIP_PROMISE_MS);
	m->id_len = id.len;
	memcpy(m->id, id.data, id.len);
	m->next = table_get(&ps->ids, id);
	(void)table_put(&ps->ids, id, m);
	/* All have the same time, so the newest is due last. */
	list_push_back(&ps->order, &m->order);
	p->promises++;
}

/* from || seqno of anything that looks like a message, be it one that we would
 * not take: who was asked for it has done what it promised. */
static size_t id_of_any(
	struct bytes raw, uint8_t out[static UNIT_GOSSIP_ID_BYTES_MAX])
{
	struct bytes from = bytes_of(NULL, 0), seqno = from;
	struct cursor c = cur_of(raw);
	struct pb_field f;

	while (pb_next(&c, &f)) {
		if (f.wire != PB_WIRE_BYTES)
			continue;
		if (f.number == MESSAGE_FROM)
			from = f.bytes;
		else if (f.number == MESSAGE_SEQNO)
			seqno = f.bytes;
	}
	if (seqno.len != UNIT_SEQNO_BYTES || from.len == 0 ||
		from.len > PEER_ID_BYTES_MAX)
		return 0;
	memcpy(out, from.data, from.len);
	memcpy(out + from.len, seqno.data, UNIT_SEQNO_BYTES);
	return from.len + UNIT_SEQNO_BYTES;
}

void promise_heard(struct promises *ps, struct bytes raw)
{
	uint8_t id[UNIT_GOSSIP_ID_BYTES_MAX];
	struct promise *m;
	size_t len;

	if (ps->ids.count == 0)
		return;
	len = id_of_any(raw, id);
	while (len > 0 && (m = table_get(&ps->ids, bytes_of(id, len))) != NULL)
		promise_drop(ps, m);
}

void promise_forget(struct promises *ps, const struct gpeer *p)
{
	struct list *pos, *tmp;

	if (p->promises == 0)
		return;
	LIST_FOREACH(pos, tmp, &ps->order) {
		struct promise *m = LIST_ITEM(pos, struct promise, order);

		if (m->peer == p)
			promise_drop(ps, m);
	}
}

void promise_wait(struct promises *ps, const struct env *env)
{
	ps->grace_ms = env_after(env, GOSSIP_PROMISE_MS);
}

struct gpeer *promise_broken(struct promises *ps, const struct env *env)
{
	struct promise *m;
	struct gpeer *p;

	if (list_empty(&ps->order) || env->now_ms < ps->grace_ms)
		return NULL;
	m = LIST_ITEM(ps->order.next, struct promise, order);
	if (m->until_ms > env->now_ms)
		return NULL;
	p = m->peer;
	promise_drop(ps, m);
	return p;
}

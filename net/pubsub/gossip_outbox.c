/*
 * What waits for each peer, and the RPCs made of it (gossipsub v1.0 spec,
 * "Control Message Piggybacking"). Things wait as what they are: an RPC is made
 * only when the stream has room for it, so what one turn says travels together,
 * a message that is not wanted any more is left out, and a message that waits
 * for many is kept once.
 */
#include "net/pubsub/gossip_outbox.h"

#include <stdlib.h>

#include "base/xmalloc.h"
#include "net/pubsub/gossip_idontwant.h"
#include "net/pubsub/gossip_promise.h"
#include "net/pubsub/gossip_rpc.h"
#include "net/wire/pb.h"

/* The longest length in front of an RPC. */
#define LENGTH_BYTES_MAX 5

/* What a peer is to learn of a topic. */
struct news {
	bool subscription; /* whether we are in it: `joined` */
	bool joined;
	size_t len; /* of a GRAFT or PRUNE; 0: none */
	uint8_t *field;
};

struct waiting {
	struct list order;
	struct shared *message;
	bool asked;
};

void outbox_init(struct gpeer *p, const struct env *env)
{
	table_init(&p->out.news, env->rng);
	bufq_init(&p->out.control, GOSSIP_CONTROL_BYTES_MAX);
	list_init(&p->out.messages);
	list_init(&p->out.late);
	bufq_init(&p->out.frames, GOSSIP_RPC_BYTES_MAX + LENGTH_BYTES_MAX);
}

static void count(struct gossip *g, struct gpeer *p, size_t n)
{
	g->out_bytes += n;
	p->out.bytes += n;
}

static P2P_MUST_CHECK int charge(struct gossip *g, struct gpeer *p, size_t n)
{
	int err = budget_charge(&g->held, n);

	if (err == 0)
		count(g, p, n);
	return err;
}

/* What the peer must be told, a topic's last word, and the RPC that is being
 * made of what was charged: neither can be refused. */
static void owe(struct gossip *g, struct gpeer *p, size_t n)
{
	budget_owe(&g->held, n);
	count(g, p, n);
}

static void refund(struct gossip *g, struct gpeer *p, size_t n)
{
	budget_release(&g->held, n);
	g->out_bytes -= n;
	p->out.bytes -= n;
}

static bool outbox_empty(const struct outbox *o)
{
	return !o->hello && o->news.count == 0 && o->control.len == 0 &&
	       list_empty(&o->messages) && list_empty(&o->late) &&
	       o->frames.len == 0;
}

/* Something waits: the peer is named to whoever writes. */
static void announce(struct gossip *g, struct gpeer *p)
{
	if (p->named)
		return;
	list_push_back(&g->senders, &p->sender);
	p->named = true;
	p->out.since = g->heartbeat;
}

static void unannounce(struct gpeer *p)
{
	list_remove(&p->sender);
	p->named = false;
}

/* ---- who may wait ------------------------------------------------------ */

/* While much waits for all, nobody may hold more than its share, so that those
 * who do not read cannot silence us towards those who do. */
static size_t outbox_room(const struct gossip *g, const struct gpeer *p)
{
	size_t max = GOSSIP_OUT_BYTES_MAX;

	if (g->out_bytes > GOSSIP_OUT_TOTAL_BYTES_MAX / 2)
		max = P2P_MAX(GOSSIP_OUT_TOTAL_BYTES_MAX / 2 / g->peers.count,
			(size_t)UNIT_BYTES_MAX + 4096);
	return p->out.bytes >= max ? 0 : max - p->out.bytes;
}

/* ---- making room ------------------------------------------------------- */

static size_t waiting_cost(const struct shared *m)
{
	return sizeof(struct waiting) + m->len;
}

static void waiting_free(struct gossip *g, struct gpeer *p, struct waiting *w)
{
	refund(g, p, waiting_cost(w->message));
	list_remove(&w->order);
	outbox_release(w->message);
	free(w);
}

static bool total_holds(const struct gossip *g, size_t n)
{
	return n <= GOSSIP_OUT_TOTAL_BYTES_MAX &&
	       g->out_bytes <= GOSSIP_OUT_TOTAL_BYTES_MAX - n;
}

/* What waits for it has not been taken as a whole for some time. */
static bool is_behind(const struct gossip *g, const struct gpeer *p)
{
	return p->named &&
	       p->out.since + GOSSIP_BEHIND_HEARTBEATS <= g->heartbeat;
}

static bool is_loose(const struct outbox *o)
{
	return o->control.len > 0 || !list_empty(&o->messages) ||
	       !list_empty(&o->late);
}

/* Whether the peer gives way to n bytes for another: who is behind does, to all
 * who are not, and who holds more than the other would. */
static bool yields(const struct gossip *g, const struct gpeer *p,
	const struct gpeer *to, size_t n)
{
	if (p == to || p->out.bytes == 0)
		return false;
	if (is_behind(g, p) && !is_behind(g, to))
		return true;
	return is_loose(&p->out) && p->out.bytes > to->out.bytes + n;
}

static bool yields_before(
	const struct gossip *g, const struct gpeer *p, const struct gpeer *than)
{
	if (is_behind(g, p) != is_behind(g, than))
		return is_behind(g, p);
	return p->out.bytes > than->out.bytes;
}

static struct gpeer *who_yields(
	const struct gossip *g, const struct gpeer *to, size_t n)
{
	struct table_entry *e, *tmp;
	struct gpeer *first = NULL;

	TABLE_FOREACH(e, tmp, &g->peers) {
		struct gpeer *p = e->value;

		if (yields(g, p, to, n) &&
			(first == NULL || yields_before(g, p, first)))
			first = p;
	}
	return first;
}

/* Drops the newest of a list until there is room. */
static void shed_messages(
	struct gossip *g, struct gpeer *p, struct list *from, size_t n)
{
	while (!list_empty(from) && !total_holds(g, n)) {
		waiting_free(
			g, p, LIST_ITEM(from->prev, struct waiting, order));
		g->counters.out_dropped++;
	}
}

static void shed(struct gossip *g, struct gpeer *p, size_t n)
{
	shed_messages(g, p, &p->out.late, n);
	shed_messages(g, p, &p->out.messages, n);
	if (!total_holds(g, n) && p->out.control.len > 0) {
		refund(g, p, p->out.control.len);
		bufq_consume(&p->out.control, p->out.control.len);
		g->counters.out_dropped++;
		/* The questions may be among it. */
		promise_forget(&g->promises, p);
	}
	if (outbox_empty(&p->out))
		unannounce(p);
}

/* The RPC that is being taken cannot be left out: its stream must end. */
static void cut(struct gossip *g, struct gpeer *p)
{
	outbox_clear(g, p);
	promise_forget(&g->promises, p);
	p->ready = false;
	g->counters.out_dropped++;
	gossip_emit(g, &(struct gossip_event){
			       .kind = GOSSIP_EV_BEHIND, .peer = p->id});
}

/* Whether n bytes more may wait for the peer. When all outboxes together are
 * full somebody gives way: else those who do not read would hold all that there
 * is room for, and who reads would be told nothing. */
static bool outbox_admits(struct gossip *g, struct gpeer *p, size_t n)
{
	struct gpeer *other;

	/* Its own share comes first: nobody gives way to one who has it. */
	if (n > outbox_room(g, p))
		return false;
	/* Each round frees something of somebody else, and who has nothing
	 * left does not yield, so this ends. */
	while (!total_holds(g, n)) {
		other = who_yields(g, p, n);
		/* All others have less than p would have: it waits for none. */
		if (other == NULL)
			return false;
		/* What is whole can be left out; of a peer that has nothing
		 * but half an RPC only the stream can end. */
		if (is_loose(&other->out))
			shed(g, other, n);
		else
			cut(g, other);
	}
	return true;
}

/* ---- what waits -------------------------------------------------------- */

static size_t news_cost(struct bytes topic, const struct news *n)
{
	return sizeof(struct table_entry) + topic.len + sizeof(*n) + n->len;
}

static void news_free(struct gossip *g, struct gpeer *p, struct bytes topic)
{
	struct news *n = table_get(&p->out.news, topic);

	refund(g, p, news_cost(topic, n));
	(void)table_remove(&p->out.news, topic);
	free(n->field);
	free(n);
}

/* What waits about a topic, new if there is nothing. Its cost is not charged
 * while the caller changes it. */
static struct news *news_open(
	struct gossip *g, struct gpeer *p, struct bytes topic)
{
	struct news *n = table_get(&p->out.news, topic);

	if (n == NULL) {
		n = xcalloc(1, sizeof(*n));
		(void)table_put(&p->out.news, topic, n);
		return n;
	}
	refund(g, p, news_cost(topic, n));
	return n;
}

static void news_close(struct gossip *g, struct gpeer *p, struct bytes topic,
	const struct news *n)
{
	owe(g, p, news_cost(topic, n));
	announce(g, p);
}

void outbox_release(struct shared *m)
{
	if (m != NULL && --m->refs == 0)
		free(m);
}

void outbox_clear(struct gossip *g, struct gpeer *p)
{
	struct table_entry *e, *etmp;
	struct list *pos, *tmp;

	TABLE_FOREACH(e, etmp, &p->out.news)
		news_free(g, p, table_key(e));
	table_clear(&p->out.news);
	LIST_FOREACH(pos, tmp, &p->out.messages)
		waiting_free(g, p, LIST_ITEM(pos, struct waiting, order));
	LIST_FOREACH(pos, tmp, &p->out.late)
		waiting_free(g, p, LIST_ITEM(pos, struct waiting, order));
	refund(g, p, p->out.control.len + p->out.frames.len);
	bufq_clear(&p->out.control);
	bufq_clear(&p->out.frames);
	p->out.hello = false;
	unannounce(p);
}

bool outbox_hello(struct gossip *g, struct gpeer *p)
{
	p->out.hello = p->ready;
	if (p->ready)
		announce(g, p);
	return p->ready;
}

bool outbox_subscription(
	struct gossip *g, struct gpeer *p, struct bytes topic, bool joined)
{
	struct news *n;

	if (!p->ready)
		return false;
	n = news_open(g, p, topic);
	n->subscription = true;
	n->joined = joined;
	news_close(g, p, topic, n);
	return true;
}

bool outbox_mesh(struct gossip *g, struct gpeer *p, struct bytes topic,
	struct bytes field)
{
	struct news *n;

	if (!p->ready)
		return false;
	n = news_open(g, p, topic);
	free(n->field);
	n->field = xmemdup(field.data, field.len);
	n->len = field.len;
	news_close(g, p, topic, n);
	return true;
}

void outbox_unmesh(struct gossip *g, struct gpeer *p, struct bytes topic)
{
	struct news *n = table_get(&p->out.news, topic);

	if (n == NULL || n->len == 0)
		return;
	if (n->subscription) {
		refund(g, p, n->len);
		free(n->field);
		n->field = NULL;
		n->len = 0;
		return;
	}
	news_free(g, p, topic);
	if (outbox_empty(&p->out))
		unannounce(p);
}

bool outbox_control(struct gossip *g, struct gpeer *p, struct bytes field)
{
	if (!p->ready)
		return false;
	if (field.len > bufq_room(&p->out.control) ||
		!outbox_admits(g, p, field.len) ||
		charge(g, p, field.len) != 0) {
		g->counters.out_dropped++;
		return false;
	}
	P2P_ASSERT(bufq_push(&p->out.control, field) == 0);
	announce(g, p);
	return true;
}

/* The message for one more peer: most go to several, one after the other. */
static struct shared *share(struct gossip *g, struct bytes raw)
{
	struct shared *m = g->last;
	struct unit u;

	if (m != NULL && bytes_equal(raw, shared_unit(m))) {
		m->refs++;
		return m;
	}
	outbox_release(m);
	m = xmalloc(sizeof(*m) + raw.len);
	m->refs = 2; /* one is g->last */
	m->len = raw.len;
	memcpy(m->unit, raw.data, raw.len);
	m->id_len = unit_parse(&u, raw) == 0 ? unit_gossip_id(&u, m->id) : 0;
	g->last = m;
	return m;
}

bool outbox_message(struct gossip *g, struct gpeer *p, struct bytes raw,
	enum outbox_way way)
{
	struct waiting *w;

	if (!p->ready)
		return false;
	if (!outbox_admits(g, p, sizeof(*w) + raw.len) ||
		charge(g, p, sizeof(*w) + raw.len) != 0) {
		g->counters.out_dropped++;
		return false;
	}
	w = xcalloc(1, sizeof(*w));
	w->message = share(g, raw);
	w->asked = way == OUTBOX_ASKED;
	list_push_back(way == OUTBOX_LATE ? &p->out.late : &p->out.messages,
		&w->order);
	announce(g, p);
	return true;
}

/* ---- making an RPC ----------------------------------------------------- */

/* An RPC in the making. */
struct rpc {
	struct buf body; /* subscriptions, then messages */
	struct buf control;
};

static bool rpc_fits(const struct rpc *r, size_t n, size_t max)
{
	size_t used = r->body.len + r->control.len;

	return used == 0 || used + n <= max;
}

static void put_subscription(struct buf *b, struct bytes topic, bool joined)
{
	size_t mark = pb_begin(b, RPC_SUBSCRIPTIONS);

	pb_put_uint(b, SUBOPTS_SUBSCRIBE, joined);
	pb_put_bytes(b, SUBOPTS_TOPIC, topic);
	pb_end(b, mark);
}

static void take_news(struct gossip *g, struct gpeer *p, struct rpc *r)
{
	struct table_entry *e, *tmp;

	unsigned subscriptions = 0;

	TABLE_FOREACH(e, tmp, &p->out.news) {
		const struct news *n = e->value;

		subscriptions += n->subscription;
		if (!rpc_fits(r, news_cost(table_key(e), n),
			    GOSSIP_CONTROL_PACK_BYTES) ||
			subscriptions > GOSSIP_SUBSCRIPTIONS_PER_RPC)
			return;
		if (n->subscription)
			put_subscription(&r->body, table_key(e), n->joined);
		if (n->len > 0)
			(void)buf_append(
				&r->control, bytes_of(n->field, n->len));
		news_free(g, p, table_key(e));
	}
}

/* The first field of the control that waits. */
static struct bytes first_control(const struct gpeer *p, uint32_t *number)
{
	struct bytes all = bufq_peek(&p->out.control);
	struct cursor c = cur_of(all);
	struct pb_field f;

	P2P_ASSERT(pb_next(&c, &f));
	*number = f.number;
	return bytes_first(all, all.len - cur_left(&c));
}

static void take_control(struct gossip *g, struct gpeer *p, struct rpc *r)
{
	unsigned unwanted = 0;

	while (p->out.control.len > 0) {
		uint32_t number;
		struct bytes field = first_control(p, &number);

		unwanted += number == CONTROL_IDONTWANT;
		if (!rpc_fits(r, field.len, GOSSIP_CONTROL_PACK_BYTES) ||
			unwanted > GOSSIP_IDONTWANT_PER_RPC)
			return;
		(void)buf_append(&r->control, field);
		refund(g, p, field.len);
		bufq_consume(&p->out.control, field.len);
	}
}

/* As many as fit; false when one of them did not. */
static bool take_messages(
	struct gossip *g, struct gpeer *p, struct list *from, struct rpc *r)
{
	struct list *pos, *tmp;

	LIST_FOREACH(pos, tmp, from) {
		struct waiting *w = LIST_ITEM(pos, struct waiting, order);
		const struct shared *m = w->message;

		if (!w->asked && idontwant_spares(p, m)) {
			g->counters.idontwant_spared++;
			waiting_free(g, p, w);
			continue;
		}
		if (!rpc_fits(r, pb_bytes_size(RPC_PUBLISH, m->len),
			    GOSSIP_RPC_PACK_BYTES))
			return false;
		pb_put_bytes(&r->body, RPC_PUBLISH, shared_unit(m));
		waiting_free(g, p, w);
	}
	return true;
}

/* The RPC with its length in front. */
static void push_frame(struct gossip *g, struct gpeer *p, struct bytes body)
{
	uint8_t head[LENGTH_BYTES_MAX];
	size_t n = 0, len = body.len;

	while (len >= 0x80) {
		head[n++] = (uint8_t)(len | 0x80);
		len >>= 7;
	}
	head[n++] = (uint8_t)len;
	P2P_ASSERT(bufq_push(&p->out.frames, bytes_of(head, n)) == 0);
	P2P_ASSERT(body.len == 0 || bufq_push(&p->out.frames, body) == 0);
	owe(g, p, n + body.len);
}

void outbox_frame(struct gossip *g, struct gpeer *p)
{
	struct rpc r;

	if (p->out.frames.len > 0 || outbox_empty(&p->out))
		return;
	buf_init(&r.body, GOSSIP_RPC_BYTES_MAX);
	buf_init(&r.control, GOSSIP_RPC_BYTES_MAX);
	take_news(g, p, &r);
	take_control(g, p, &r);
	if (take_messages(g, p, &p->out.messages, &r))
		(void)take_messages(g, p, &p->out.late, &r);
	if (r.control.len > 0)
		pb_put_bytes(&r.body, RPC_CONTROL, buf_bytes(&r.control));
	P2P_ASSERT(!r.body.failed && !r.control.failed);
	/* The first is sent even when it says nothing. */
	if (p->out.hello || r.body.len > 0)
		push_frame(g, p, buf_bytes(&r.body));
	p->out.hello = false;
	buf_clear(&r.body);
	buf_clear(&r.control);
	/* Nothing that waited was wanted any more. */
	if (outbox_empty(&p->out))
		unannounce(p);
}

void outbox_consume(struct gossip *g, struct gpeer *p, size_t n)
{
	bufq_consume(&p->out.frames, n);
	refund(g, p, n);
	if (outbox_empty(&p->out))
		unannounce(p);
}

/*
 * What a peer says, part by part, in the order in which it stands. Parts are
 * counted before they are looked at, and each has a bound of its own for what
 * it may cause. Nothing of an RPC is kept but units, which wait for the check
 * of their signature; when a peer's share of that is full the rest of the RPC
 * stays with the caller.
 */
#include <limits.h>

#include "base/text.h"
#include "base/xmalloc.h"
#include "net/pubsub/gossip_cache.h"
#include "net/pubsub/gossip_id.h"
#include "net/pubsub/gossip_idontwant.h"
#include "net/pubsub/gossip_ihave.h"
#include "net/pubsub/gossip_judge.h"
#include "net/pubsub/gossip_mesh.h"
#include "net/pubsub/gossip_promise.h"
#include "net/pubsub/gossip_px.h"
#include "net/pubsub/gossip_rate.h"
#include "net/pubsub/gossip_rpc.h"
#include "net/pubsub/gossip_send.h"
#include "net/pubsub/gossip_told.h"
#include "net/pubsub/gossip_verify.h"
#include "net/wire/pb.h"

struct recv {
	struct gossip *g;
	const struct env *env;
	struct gpeer *p;
	unsigned entries;
	bool last; /* of a stream that has ended */
	bool graylisted;
	bool ihave; /* one was met */
};

static int count_entry(struct recv *r)
{
	if (++r->entries <= GOSSIP_RPC_ENTRIES_MAX)
		return 0;
	r->g->counters.refused++;
	return P2P_ERR_LIMIT;
}

/* ---- subscriptions ----------------------------------------------------- */

/* A topic that we are in takes the place of one that we are not in. */
static bool make_way(struct recv *r)
{
	struct table_entry *e, *tmp;

	TABLE_FOREACH(e, tmp, &r->p->topics) {
		struct bytes name = table_key(e);

		if (table_get(&r->g->topics, name) != NULL)
			continue;
		gossip_emit_topic(r->g, r->p, name, false);
		(void)gpeer_unnote(r->g, &r->p->topics, name);
		return true;
	}
	return false;
}

static void on_subscribe(struct recv *r, struct bytes topic)
{
	struct topic *t = table_get(&r->g->topics, topic);
	struct gpeer *p = r->p;

	if (gpeer_subscribed(p, topic))
		return;
	if (p->topics.count >= GOSSIP_TOPICS_PER_PEER_MAX &&
		(t == NULL || !make_way(r))) {
		/* Not punished: it may be in a hundred rooms of ours. */
		r->g->counters.refused++;
		return;
	}
	if (!gpeer_note(r->g, p, &p->topics, topic))
		return;
	(void)gpeer_unnote(r->g, &p->left, topic);
	gossip_emit_topic(r->g, p, topic, true);
	if (t != NULL)
		mesh_offer(r->g, r->env, t, p);
}

static void on_unsubscribe(struct recv *r, struct bytes topic)
{
	if (!gpeer_unnote(r->g, &r->p->topics, topic))
		return;
	mesh_on_unsubscribe(r->g, r->env, r->p, topic);
	gossip_emit_topic(r->g, r->p, topic, false);
}

static int read_subscription(struct recv *r, struct bytes in)
{
	struct cursor c = cur_of(in);
	struct bytes topic = bytes_of(NULL, 0);
	bool joined = false;
	struct pb_field f;

	while (pb_next(&c, &f)) {
		if (f.number == SUBOPTS_SUBSCRIBE && f.wire == PB_WIRE_VARINT)
			joined = f.value != 0;
		else if (f.number == SUBOPTS_TOPIC && f.wire == PB_WIRE_BYTES)
			topic = f.bytes;
	}
	if (!cur_ok(&c))
		return cur_err(&c);
	if (topic.len == 0 || topic.len > GOSSIP_TOPIC_BYTES_MAX) {
		r->g->counters.refused++;
		return 0;
	}
	if (joined)
		on_subscribe(r, topic);
	else
		on_unsubscribe(r, topic);
	return 0;
}

/* ---- messages ---------------------------------------------------------- */

static void note_unreadable(struct recv *r, struct topic *t)
{
	r->g->counters.units_ignored++;
	t->unreadable += t->unreadable < UINT_MAX;
	t->unreadable_by = r->p->id;
}

/* P2P_ERR_FULL: the peer's share of what waits for the check is used up. */
static int read_message(struct recv *r, struct bytes raw)
{
	struct gossip_counters *n = &r->g->counters;
	uint8_t id_raw[UNIT_GOSSIP_ID_BYTES_MAX];
	uint8_t key[VERIFY_KEY_BYTES];
	struct topic *t;
	struct bytes id;
	struct unit u;
	int err = unit_parse(&u, raw);

	promise_heard(&r->g->promises, raw);
	if (gossip_verdict_of(err) == GOSSIP_REJECT) {
		n->units_rejected++;
		judge_malformed(r->g, r->env, r->p, raw);
		return 0;
	}
	if (gossip_verdict_of(err) == GOSSIP_IGNORE) {
		n->units_ignored++;
		return 0;
	}
	t = table_get(&r->g->topics, u.topic);
	if (t == NULL) {
		n->units_ignored++;
		return 0;
	}
	/* Known ones are found by a hash before the dear signature check. Of
	 * those that wait only the very bytes are known: another's may be
	 * forged, and must not stand in the way of the true ones. */
	id = bytes_of(id_raw, unit_gossip_id(&u, id_raw));
	if (seen_has(r->g, id)) {
		judge_duplicate(r->g, r->env, r->p, id);
		n->units_duplicate++;
		return 0;
	}
	/* Before all that costs more the longer the line is. */
	if (!rate_may_check(r->g, r->env, r->p, t, &u))
		return 0;
	if (verify_has(r->g, r->p, raw, key)) {
		n->units_duplicate++;
		return 0;
	}
	/* Shown to nobody; that one came is told. */
	if (!utf8_valid(u.data)) {
		note_unreadable(r, t);
		return 0;
	}
	err = verify_add(r->g, r->env, r->p,
		&(struct verify_unit){.raw = raw,
			.key = key,
			.author = &u.from,
			.last = r->last});
	if (err == 0)
		rate_brought(r->g, r->p, &u);
	if (err == 0 || r->g->verify.pending.count > 0)
		return err == 0 ? 0 : P2P_ERR_FULL;
	/* Nothing waits, so nobody would say when there is room. */
	n->refused++;
	return 0;
}

/* ---- control ----------------------------------------------------------- */

/* The topic of a GRAFT or PRUNE, and a PRUNE's back-off. */
static int read_topic(struct bytes in, struct bytes *topic, uint64_t *backoff)
{
	struct cursor c = cur_of(in);
	struct pb_field f;

	*topic = bytes_of(NULL, 0);
	*backoff = 0;
	while (pb_next(&c, &f)) {
		if (f.number == GRAFT_TOPIC && f.wire == PB_WIRE_BYTES)
			*topic = f.bytes;
		else if (f.number == PRUNE_BACKOFF && f.wire == PB_WIRE_VARINT)
			*backoff = f.value;
	}
	return cur_err(&c);
}

/* Of the ids that an IHAVE is answered for, one chosen at random. */
struct sample {
	uint64_t count;
	size_t len;
	uint8_t id[UNIT_GOSSIP_ID_BYTES_MAX];
};

static void sample_offer(struct recv *r, struct sample *chosen, struct bytes id)
{
	if (!rng_one_in(r->env->rng, ++chosen->count))
		return;
	memcpy(chosen->id, id.data, id.len);
	chosen->len = id.len;
}

/* Whether the id names something that we do not have yet. */
static bool is_wanted(
	struct recv *r, struct bytes remote, struct sample *chosen)
{
	uint8_t raw[UNIT_GOSSIP_ID_BYTES_MAX];
	enum gossip_id_form form;
	const struct cached *c;
	struct bytes id;
	size_t len = 0;

	form = gossip_id_read(remote, raw, &len);
	id = bytes_of(raw, len);
	c = form == GOSSIP_FORM_UNKNOWN ? alias_find(r->g, r->p, remote)
					: cache_find(r->g, id);
	if (c != NULL)
		told_has(r->g, c, r->p);
	if (form == GOSSIP_FORM_UNKNOWN)
		/* One duplicate is cheaper than a lost line. */
		return c == NULL;
	r->p->form = form;
	if (c != NULL || seen_has(r->g, id) || !asked_note(r->g, r->p, id))
		return false;
	sample_offer(r, chosen, id);
	return true;
}

/* Asks for the ids that were gathered; false when the question was dropped. */
static bool ask(struct recv *r, struct bytes *wanted, size_t *count)
{
	bool asked = *count == 0 || send_iwant(r->g, r->p, wanted, *count);

	*count = 0;
	return asked;
}

static int read_ihave(struct recv *r, struct bytes in)
{
	struct bytes wanted[GOSSIP_IWANT_BATCH];
	struct bytes topic = bytes_of(NULL, 0);
	struct sample chosen = {.count = 0};
	struct cursor c = cur_of(in);
	struct pb_field f;
	bool asked = true;
	size_t n = 0;

	/* RPCs are counted: one of a peer in many rooms names them all. Too
	 * many are no crime: a line that stood still hands over several
	 * heartbeats' at once. */
	r->p->ihave_messages += !r->ihave;
	r->ihave = true;
	if (!gpeer_may_gossip(r->g, r->p) ||
		r->p->ihave_messages > GOSSIP_IHAVE_MESSAGES_MAX) {
		r->g->counters.refused++;
		return 0;
	}
	while (pb_next(&c, &f)) {
		if (f.wire != PB_WIRE_BYTES)
			continue;
		if (f.number == IHAVE_TOPIC)
			topic = f.bytes;
		/* An id that is too long to be kept could not be recognised
		 * when its message comes. */
		if (f.number != IHAVE_IDS || f.bytes.len == 0 ||
			f.bytes.len > GOSSIP_ID_BYTES_MAX)
			continue;
		/* Each costs a look-up or two, wanted or not. */
		if (++r->p->ihave_ids > GOSSIP_IHAVE_IDS_MAX)
			break;
		/* The topic stands before the ids in every implementation; of
		 * a topic that we are not in nothing is wanted. */
		if (table_get(&r->g->topics, topic) == NULL ||
			!is_wanted(r, f.bytes, &chosen))
			continue;
		/* Asked in portions, for there may be 5,000. */
		wanted[n++] = f.bytes;
		if (n == GOSSIP_IWANT_BATCH)
			asked = ask(r, wanted, &n) && asked;
	}
	asked = ask(r, wanted, &n) && asked;
	/* One of them, by chance, so that who names what it does not have
	 * cannot know which one it has to have. Nobody is held to an answer
	 * to a question that was not sent. */
	if (asked && chosen.len > 0)
		promise_add(&r->g->promises, r->env, r->p,
			bytes_of(chosen.id, chosen.len));
	return cur_err(&c);
}

static int read_iwant(struct recv *r, struct bytes in)
{
	uint8_t id[UNIT_GOSSIP_ID_BYTES_MAX];
	struct cursor c = cur_of(in);
	struct pb_field f;

	if (!gpeer_may_gossip(r->g, r->p))
		return 0;
	while (pb_next(&c, &f)) {
		struct cached *m;
		size_t len;

		if (f.number != IWANT_IDS || f.wire != PB_WIRE_BYTES)
			continue;
		if (++r->p->iwant_ids > GOSSIP_IHAVE_IDS_MAX) {
			r->g->counters.refused++;
			break;
		}
		m = gossip_id_read(f.bytes, id, &len) == GOSSIP_FORM_UNKNOWN
			    ? alias_find(r->g, r->p, f.bytes)
			    : cache_find(r->g, bytes_of(id, len));
		if (m == NULL || !cache_serve(m, r->p))
			continue;
		if (!send_wanted(r->g, r->p, cached_unit(m)))
			continue;
		(void)slots_add(&m->given, r->p);
		told_asks(r->g, r->env, m, r->p);
		r->g->counters.iwant_served++;
		r->p->needy_heartbeats = GOSSIP_NEEDY_HEARTBEATS;
	}
	return cur_err(&c);
}

static int read_idontwant(struct recv *r, struct bytes in)
{
	uint8_t id[UNIT_GOSSIP_ID_BYTES_MAX];
	struct cursor c = cur_of(in);
	enum gossip_id_form form;
	struct pb_field f;
	size_t len;

	while (pb_next(&c, &f)) {
		if (f.number != IDONTWANT_IDS || f.wire != PB_WIRE_BYTES ||
			f.bytes.len == 0 || f.bytes.len > GOSSIP_ID_BYTES_MAX)
			continue;
		if (!idontwant_has_room(r->g, r->p)) {
			r->g->counters.refused++;
			break;
		}
		form = gossip_id_read(f.bytes, id, &len);
		if (form == GOSSIP_FORM_UNKNOWN) {
			(void)alias_find(r->g, r->p, f.bytes);
			idontwant_note(r->g, r->p, f.bytes);
			continue;
		}
		r->p->form = form;
		idontwant_note(r->g, r->p, bytes_of(id, len));
	}
	return cur_err(&c);
}

static int read_control_part(struct recv *r, const struct pb_field *f)
{
	struct bytes topic;
	uint64_t backoff;
	int err;

	switch (f->number) {
	case CONTROL_IHAVE:
		return read_ihave(r, f->bytes);
	case CONTROL_IWANT:
		return read_iwant(r, f->bytes);
	case CONTROL_GRAFT:
	case CONTROL_PRUNE:
		err = read_topic(f->bytes, &topic, &backoff);
		if (err != 0)
			return err;
		if (f->number == CONTROL_GRAFT)
			mesh_on_graft(r->g, r->env, r->p, topic);
		else
			return px_read(r->g, r->p, topic,
				mesh_on_prune(
					r->g, r->env, r->p, topic, backoff),
				f->bytes);
		return 0;
	case CONTROL_IDONTWANT:
		return read_idontwant(r, f->bytes);
	default:
		/* CONTROL_EXTENSIONS names what a peer can do beside; we do
		 * none of it. Later versions are tolerated. */
		return 0;
	}
}

static int read_control(struct recv *r, struct bytes in)
{
	struct cursor c = cur_of(in);
	struct pb_field f;
	int err = 0;

	while (err == 0 && pb_next(&c, &f)) {
		if (f.wire != PB_WIRE_BYTES)
			continue;
		err = count_entry(r);
		if (err == 0)
			err = read_control_part(r, &f);
	}
	return err != 0 ? err : cur_err(&c);
}

static int read_rpc_part(struct recv *r, const struct pb_field *f)
{
	int err = count_entry(r);

	if (err != 0)
		return err;
	/* Where it is it says only once, so that is noted of the graylisted,
	 * too: they may be forgiven. */
	if (r->graylisted && f->number != RPC_SUBSCRIPTIONS)
		return 0;
	switch (f->number) {
	case RPC_SUBSCRIPTIONS:
		return read_subscription(r, f->bytes);
	case RPC_PUBLISH:
		return read_message(r, f->bytes);
	case RPC_CONTROL:
		return read_control(r, f->bytes);
	default:
		return 0;
	}
}

static int feed(struct gossip *g, const struct env *env,
	const struct peer_id *peer, struct bytes *rpc, bool last)
{
	struct recv r = {
		.g = g, .env = env, .p = gpeer_find(g, peer), .last = last};
	struct cursor c = cur_of(*rpc);
	struct pb_field f;
	int err = 0;

	if (rpc->len > GOSSIP_RPC_BYTES_MAX)
		return P2P_ERR_TOO_BIG;
	if (r.p == NULL)
		return P2P_ERR_LIMIT;
	r.graylisted = gpeer_graylisted(g, r.p);
	g->counters.graylisted += r.graylisted;
	while (pb_next(&c, &f)) {
		if (f.wire == PB_WIRE_BYTES)
			err = read_rpc_part(&r, &f);
		/* This part is read again when there is room for it. */
		if (err == P2P_ERR_FULL)
			return 0;
		if (err != 0)
			return err;
		*rpc = bytes_of(c.at, cur_left(&c));
	}
	return cur_err(&c);
}

int gossip_feed(struct gossip *g, const struct env *env,
	const struct peer_id *peer, struct bytes *rpc)
{
	return feed(g, env, peer, rpc, false);
}

int gossip_feed_last(struct gossip *g, const struct env *env,
	const struct peer_id *peer, struct bytes *rpc)
{
	return feed(g, env, peer, rpc, true);
}

#include "tests/unit/gossip_lab.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <cmocka.h>

#include "base/xmalloc.h"
#include "net/pubsub/gossip_rpc.h"
#include "net/wire/pb.h"

struct gossip_lab *lab_new(void)
{
	struct gossip_lab *l = xcalloc(1, sizeof(*l));
	uint8_t seed[32] = {7};
	struct gossip_cfg cfg = {.me = {.len = 0}};

	test_env_init(&l->te, 1);
	assert_int_equal(crypto_init(), 0);
	identity_from_seed(&l->me, seed);
	for (unsigned i = 0; i < LAB_PEERS; i++) {
		seed[1] = (uint8_t)(i + 1);
		identity_from_seed(&l->who[i], seed);
	}
	cfg.me = l->me.id;
	l->g = gossip_new(&cfg, &l->te.env);
	buf_init(&l->rpc, 8u << 20);
	buf_init(&l->unit, UNIT_BYTES_MAX);
	return l;
}

void lab_free(struct gossip_lab *l)
{
	gossip_free(l->g);
	buf_clear(&l->rpc);
	buf_clear(&l->unit);
	free(l);
}

const struct peer_id *lab_id(const struct gossip_lab *l, unsigned i)
{
	return i == LAB_PEERS ? &l->me.id : &l->who[i].id;
}

void lab_add(struct gossip_lab *l, unsigned i, enum gossip_version version,
	bool outbound)
{
	struct gossip_peer peer = {
		.id = *lab_id(l, i), .version = version, .outbound = outbound};

	assert_int_equal(gossip_peer_add(l->g, &l->te.env, &peer), 0);
}

void lab_member(struct gossip_lab *l, unsigned i, enum gossip_version version)
{
	lab_add(l, i, version, false);
	assert_int_equal(lab_subscribe(l, i, "room", true), 0);
	(void)lab_said(l, i);
	(void)lab_events(l, GOSSIP_EV_TOPIC);
}

int lab_feed(struct gossip_lab *l, unsigned i)
{
	struct bytes rpc = buf_bytes(&l->rpc);
	int err;

	do {
		err = gossip_feed(l->g, &l->te.env, lab_id(l, i), &rpc);
		lab_verify(l);
	} while (err == 0 && rpc.len > 0 && !l->late);
	assert_false(l->rpc.failed);
	buf_reset(&l->rpc);
	return err;
}

void lab_verify(struct gossip_lab *l)
{
	struct unit_batch *b;

	while (!l->late && (b = gossip_next_verify(l->g)) != NULL) {
		unit_batch_check(b);
		gossip_verified(l->g, &l->te.env, b);
	}
}

int lab_subscribe(struct gossip_lab *l, unsigned i, const char *topic, bool on)
{
	size_t mark = pb_begin(&l->rpc, RPC_SUBSCRIPTIONS);

	pb_put_uint(&l->rpc, SUBOPTS_SUBSCRIBE, on);
	pb_put_bytes(&l->rpc, SUBOPTS_TOPIC, bytes_str(topic));
	pb_end(&l->rpc, mark);
	return lab_feed(l, i);
}

static int control(struct gossip_lab *l, unsigned i, uint32_t part,
	const char *topic, int64_t backoff_s)
{
	size_t outer = pb_begin(&l->rpc, RPC_CONTROL);
	size_t inner = pb_begin(&l->rpc, part);

	pb_put_bytes(&l->rpc, GRAFT_TOPIC, bytes_str(topic));
	if (backoff_s >= 0)
		pb_put_uint(&l->rpc, PRUNE_BACKOFF, (uint64_t)backoff_s);
	pb_end(&l->rpc, inner);
	pb_end(&l->rpc, outer);
	return lab_feed(l, i);
}

int lab_graft(struct gossip_lab *l, unsigned i, const char *topic)
{
	return control(l, i, CONTROL_GRAFT, topic, -1);
}

int lab_prune(
	struct gossip_lab *l, unsigned i, const char *topic, int64_t backoff_s)
{
	return control(l, i, CONTROL_PRUNE, topic, backoff_s);
}

int lab_ihave(struct gossip_lab *l, unsigned i, const char *topic,
	struct bytes id, unsigned count)
{
	size_t outer = pb_begin(&l->rpc, RPC_CONTROL);
	size_t inner = pb_begin(&l->rpc, CONTROL_IHAVE);
	uint8_t raw[GOSSIP_ID_BYTES_MAX];

	memcpy(raw, id.data, id.len);
	pb_put_bytes(&l->rpc, IHAVE_TOPIC, bytes_str(topic));
	for (unsigned n = 0; n < count; n++) {
		pb_put_bytes(&l->rpc, IHAVE_IDS, bytes_of(raw, id.len));
		put_be16(raw + id.len - 2,
			(uint16_t)(get_be16(raw + id.len - 2) + 1));
	}
	pb_end(&l->rpc, inner);
	pb_end(&l->rpc, outer);
	return lab_feed(l, i);
}

static int wants(
	struct gossip_lab *l, unsigned i, uint32_t part, struct bytes id)
{
	size_t outer = pb_begin(&l->rpc, RPC_CONTROL);
	size_t inner = pb_begin(&l->rpc, part);

	pb_put_bytes(&l->rpc, IWANT_IDS, id);
	pb_end(&l->rpc, inner);
	pb_end(&l->rpc, outer);
	return lab_feed(l, i);
}

int lab_iwant(struct gossip_lab *l, unsigned i, struct bytes id)
{
	return wants(l, i, CONTROL_IWANT, id);
}

int lab_idontwant(struct gossip_lab *l, unsigned i, struct bytes id)
{
	return wants(l, i, CONTROL_IDONTWANT, id);
}

struct bytes lab_sign(struct gossip_lab *l, unsigned author, uint64_t seqno,
	const char *topic, const char *text)
{
	buf_reset(&l->unit);
	assert_int_equal(
		unit_sign(author == LAB_PEERS ? &l->me : &l->who[author], seqno,
			bytes_str(topic), bytes_str(text), &l->unit),
		0);
	return buf_bytes(&l->unit);
}

int lab_message(struct gossip_lab *l, unsigned i, struct bytes unit)
{
	pb_put_bytes(&l->rpc, RPC_PUBLISH, unit);
	return lab_feed(l, i);
}

/* ---- reading what it says ---- */

static void note_ids(
	struct said *s, struct bytes in, uint32_t number, unsigned *count)
{
	struct cursor c = cur_of(in);
	struct pb_field f;

	while (pb_next(&c, &f)) {
		unsigned at = s->ihave_ids + s->iwant_ids + s->idontwant_ids;

		if (f.number != number)
			continue;
		if (at < LAB_IDS) {
			assert_in_range(f.bytes.len, 1, GOSSIP_ID_BYTES_MAX);
			s->id[at].len = f.bytes.len;
			memcpy(s->id[at].raw, f.bytes.data, f.bytes.len);
		}
		(*count)++;
	}
	assert_int_equal(cur_err(&c), 0);
}

static void note_prune(struct said *s, struct bytes in)
{
	struct cursor c = cur_of(in);
	struct pb_field f;

	s->prunes++;
	s->has_backoff = false;
	while (pb_next(&c, &f)) {
		if (f.number != PRUNE_BACKOFF)
			continue;
		s->has_backoff = true;
		s->backoff_s = f.value;
	}
}

static void note_control(struct said *s, struct bytes in)
{
	struct cursor c = cur_of(in);
	struct pb_field f;

	while (pb_next(&c, &f)) {
		if (f.number == CONTROL_IHAVE) {
			s->ihaves++;
			note_ids(s, f.bytes, IHAVE_IDS, &s->ihave_ids);
		} else if (f.number == CONTROL_IWANT) {
			note_ids(s, f.bytes, IWANT_IDS, &s->iwant_ids);
		} else if (f.number == CONTROL_IDONTWANT) {
			note_ids(s, f.bytes, IDONTWANT_IDS, &s->idontwant_ids);
		} else if (f.number == CONTROL_GRAFT) {
			s->grafts++;
		} else if (f.number == CONTROL_PRUNE) {
			note_prune(s, f.bytes);
		}
	}
	assert_int_equal(cur_err(&c), 0);
}

static void note_subscription(struct said *s, struct bytes in)
{
	struct cursor c = cur_of(in);
	struct pb_field f;
	bool on = false;

	while (pb_next(&c, &f))
		if (f.number == SUBOPTS_SUBSCRIBE)
			on = f.value != 0;
	s->subscribed += on;
	s->unsubscribed += !on;
}

static void note_rpc(struct said *s, struct bytes in)
{
	struct cursor c = cur_of(in);
	unsigned before = s->subscribed + s->unsubscribed;
	size_t left = cur_left(&c), about = 0;
	struct pb_field f;

	while (pb_next(&c, &f)) {
		if (f.number == RPC_SUBSCRIPTIONS)
			note_subscription(s, f.bytes);
		else if (f.number == RPC_PUBLISH)
			s->messages++;
		else if (f.number == RPC_CONTROL)
			note_control(s, f.bytes);
		if (f.number != RPC_PUBLISH)
			about += left - cur_left(&c);
		left = cur_left(&c);
	}
	assert_int_equal(cur_err(&c), 0);
	/* What rust-libp2p takes, of any RPC in any test. */
	assert_in_range(about, 0, 16384);
	assert_in_range(s->subscribed + s->unsubscribed - before, 0, 100);
	s->control_bytes_max = P2P_MAX(s->control_bytes_max, about);
	if (s->rpcs++ == 0)
		s->first_subscriptions = s->subscribed;
}

struct said lab_said(struct gossip_lab *l, unsigned i)
{
	struct said s = {.rpcs = 0};
	struct bytes out;

	while ((out = gossip_out_peek(l->g, lab_id(l, i))).len > 0) {
		struct cursor c = cur_of(out);
		uint64_t len = cur_uvarint(&c, 9);

		assert_in_range(len, 0, GOSSIP_RPC_BYTES_MAX);
		s.rpc_bytes_max = P2P_MAX(s.rpc_bytes_max, (size_t)len);
		note_rpc(&s, cur_take(&c, (size_t)len));
		assert_int_equal(cur_err(&c), 0);
		assert_int_equal(cur_left(&c), 0);
		gossip_out_consume(l->g, lab_id(l, i), out.len);
	}
	return s;
}

void lab_hush(struct gossip_lab *l)
{
	struct peer_id id;

	while (gossip_next_sender(l->g, &id))
		;
	for (unsigned i = 0; i < LAB_PEERS; i++)
		(void)lab_said(l, i);
}

unsigned lab_events(struct gossip_lab *l, enum gossip_event_kind kind)
{
	struct gossip_event ev;
	unsigned n = 0;

	while (gossip_next_event(l->g, &ev)) {
		n += ev.kind == kind;
		free(ev.unit);
	}
	return n;
}

void lab_pass(struct gossip_lab *l, uint64_t ms)
{
	uint64_t until = l->te.env.now_ms + ms;

	while (gossip_deadline(l->g) <= until) {
		l->te.env.now_ms =
			P2P_MAX(l->te.env.now_ms, gossip_deadline(l->g));
		gossip_tick(l->g, &l->te.env);
		assert_true(gossip_deadline(l->g) > l->te.env.now_ms);
	}
	l->te.env.now_ms = until;
}

int lab_begin(void **state)
{
	struct gossip_lab *l = lab_new();

	assert_int_equal(gossip_join(l->g, &l->te.env, room()), 0);
	*state = l;
	return 0;
}

int lab_end(void **state)
{
	lab_free(*state);
	return 0;
}

/* Messages between peers, IHAVE and IWANT, and what hostile peers send. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <cmocka.h>

#include "base/xmalloc.h"
#include "net/pubsub/gossip_cache.h"
#include "net/pubsub/gossip_id.h"
#include "net/pubsub/gossip_rpc.h"
#include "net/wire/pb.h"
#include "tests/unit/gossip_lab.h"

#define ME LAB_PEERS

static int setup(void **state)
{
	struct gossip_lab *l = lab_new();

	assert_int_equal(gossip_join(l->g, &l->te.env, bytes_str("room")), 0);
	*state = l;
	return 0;
}

static int teardown(void **state)
{
	lab_free(*state);
	return 0;
}

/* from || seqno */
static struct bytes id_of(
	struct gossip_lab *l, unsigned author, uint64_t seqno, uint8_t *out)
{
	const struct peer_id *from = lab_id(l, author);

	memcpy(out, from->raw, from->len);
	put_be64(out + from->len, seqno);
	return bytes_of(out, from->len + 8u);
}

static int feed(struct gossip_lab *l, unsigned i, struct bytes rpc)
{
	return gossip_feed(l->g, &l->te.env, lab_id(l, i), &rpc);
}

static int hear(struct gossip_lab *l, unsigned i, unsigned author, uint64_t n)
{
	return lab_message(l, i, lab_sign(l, author, n, "room", "hello"));
}

/* ---- publishing and forwarding ---- */

static void test_gossip_flood_publishes_to_all_subscribed(void **state)
{
	struct gossip_lab *l = *state;

	for (unsigned i = 0; i < 10; i++)
		lab_member(l, i, i == 9 ? GOSSIP_FLOODSUB : GOSSIP_V11);
	lab_add(l, 10, GOSSIP_V11, false);
	lab_hush(l);
	assert_int_equal(gossip_publish(l->g, &l->te.env,
				 lab_sign(l, ME, 1, "room", "x")),
		10);
	for (unsigned i = 0; i < 10; i++)
		assert_int_equal(lab_said(l, i).messages, 1);
	assert_int_equal(lab_said(l, 10).messages, 0);
}

static void test_gossip_publish_says_what_it_refuses(void **state)
{
	struct gossip_lab *l = *state;

	assert_int_equal(gossip_publish(l->g, &l->te.env,
				 lab_sign(l, ME, 1, "elsewhere", "x")),
		P2P_ERR_NOT_FOUND);
	assert_int_equal(
		gossip_publish(l->g, &l->te.env, bytes_str("\x0a\x05zz")),
		P2P_ERR_MALFORMED);
	/* Nobody is there. */
	assert_int_equal(gossip_publish(l->g, &l->te.env,
				 lab_sign(l, ME, 1, "room", "x")),
		0);
}

static void test_gossip_publishes_again_for_who_came_later(void **state)
{
	struct gossip_lab *l = *state;
	struct bytes unit = lab_sign(l, ME, 1, "room", "x");

	assert_int_equal(gossip_publish(l->g, &l->te.env, unit), 0);
	lab_member(l, 0, GOSSIP_V11);
	assert_int_equal(gossip_publish(l->g, &l->te.env, unit), 1);
	assert_int_equal(lab_said(l, 0).messages, 1);
}

static void test_gossip_forwards_to_mesh_not_to_source_or_author(void **state)
{
	struct gossip_lab *l = *state;

	for (unsigned i = 0; i < 4; i++)
		lab_member(l, i, GOSSIP_V11);
	lab_member(l, 4, GOSSIP_FLOODSUB);
	lab_member(l, 5, GOSSIP_V11); /* the mesh has enough */
	assert_false(gossip_in_mesh(l->g, bytes_str("room"), lab_id(l, 5)));
	assert_int_equal(hear(l, 0, 1, 7), 0);
	assert_int_equal(lab_events(l, GOSSIP_EV_UNIT), 1);
	assert_int_equal(lab_said(l, 0).messages, 0);
	assert_int_equal(lab_said(l, 1).messages, 0);
	assert_int_equal(lab_said(l, 2).messages, 1);
	assert_int_equal(lab_said(l, 3).messages, 1);
	assert_int_equal(lab_said(l, 4).messages, 1);
	assert_int_equal(lab_said(l, 5).messages, 0);
}

static void test_gossip_hands_a_message_up_once(void **state)
{
	struct gossip_lab *l = *state;

	lab_member(l, 0, GOSSIP_V11);
	lab_member(l, 1, GOSSIP_V11);
	assert_int_equal(hear(l, 0, 2, 7), 0);
	assert_int_equal(hear(l, 0, 2, 7), 0);
	assert_int_equal(hear(l, 1, 2, 7), 0);
	assert_int_equal(lab_events(l, GOSSIP_EV_UNIT), 1);
	assert_int_equal(gossip_counters(l->g)->units_duplicate, 2);
	assert_int_equal(lab_said(l, 1).messages, 1);
	/* Seen for two minutes; then it counts as new. */
	lab_pass(l, 119000);
	assert_int_equal(hear(l, 0, 2, 7), 0);
	assert_int_equal(lab_events(l, GOSSIP_EV_UNIT), 0);
	lab_pass(l, 3000);
	assert_int_equal(hear(l, 0, 2, 7), 0);
	assert_int_equal(lab_events(l, GOSSIP_EV_UNIT), 1);
}

static void test_gossip_drops_own_lines_that_come_back(void **state)
{
	struct gossip_lab *l = *state;
	struct bytes own = lab_sign(l, ME, 9, "room", "mine");

	lab_member(l, 0, GOSSIP_V11);
	assert_int_equal(gossip_publish(l->g, &l->te.env, own), 1);
	assert_int_equal(lab_message(l, 0, own), 0);
	assert_int_equal(lab_events(l, GOSSIP_EV_UNIT), 0);
	assert_int_equal(gossip_counters(l->g)->units_duplicate, 1);
}

static void test_gossip_rejects_wrong_signature(void **state)
{
	struct gossip_lab *l = *state;
	struct bytes unit = lab_sign(l, 1, 7, "room", "hello");
	uint8_t *bent = xmemdup(unit.data, unit.len);

	lab_member(l, 0, GOSSIP_V11);
	/* A byte of the text. */
	for (size_t i = 0; i + 5 < unit.len; i++)
		if (memcmp(bent + i, "hello", 5) == 0)
			bent[i] ^= 1;
	assert_int_equal(lab_message(l, 0, bytes_of(bent, unit.len)), 0);
	assert_int_equal(lab_events(l, GOSSIP_EV_UNIT), 0);
	assert_int_equal(gossip_counters(l->g)->units_rejected, 1);
	free(bent);
	/* The true one is still welcome. */
	assert_int_equal(hear(l, 0, 1, 7), 0);
	assert_int_equal(lab_events(l, GOSSIP_EV_UNIT), 1);
}

static void test_gossip_ignores_unsigned_odd_and_foreign(void **state)
{
	struct gossip_lab *l = *state;
	struct buf odd;

	lab_member(l, 0, GOSSIP_V11);
	buf_init(&odd, 200000);
	(void)buf_append(&odd, lab_sign(l, 1, 7, "room", "hello"));
	pb_put_uint(&odd, 9, 1); /* a field that nobody knows */
	assert_int_equal(lab_message(l, 0, buf_bytes(&odd)), 0);
	buf_reset(&odd);
	pb_put_bytes(&odd, 2, bytes_str("unsigned"));
	pb_put_bytes(&odd, 4, bytes_str("room"));
	assert_int_equal(lab_message(l, 0, buf_bytes(&odd)), 0);
	assert_int_equal(
		lab_message(l, 0, lab_sign(l, 1, 8, "elsewhere", "hello")), 0);
	assert_int_equal(gossip_counters(l->g)->units_ignored, 3);
	/* Larger than any unit may be. */
	(void)buf_extend(&odd, 150000);
	assert_int_equal(lab_message(l, 0, buf_bytes(&odd)), 0);
	assert_int_equal(lab_events(l, GOSSIP_EV_UNIT), 0);
	assert_int_equal(lab_said(l, 0).messages, 0);
	buf_clear(&odd);
}

/* ---- accept, ignore, reject ---- */

/* Two members of the mesh: 0 brings, 1 may be passed something. */
static void two_members(struct gossip_lab *l)
{
	lab_member(l, 0, GOSSIP_V11);
	lab_member(l, 1, GOSSIP_V11);
}

static void test_gossip_hands_up_what_another_machine_said_with_our_key(
	void **state)
{
	struct gossip_lab *l = *state;

	two_members(l);
	assert_int_equal(hear(l, 0, ME, 9), 0);
	assert_int_equal(lab_events(l, GOSSIP_EV_UNIT), 1);
	assert_int_equal(lab_said(l, 1).messages, 1);
	/* Once. */
	assert_int_equal(hear(l, 0, ME, 9), 0);
	assert_int_equal(lab_events(l, GOSSIP_EV_UNIT), 0);
}

static void test_gossip_sends_to_twins_what_one_of_them_said(void **state)
{
	struct gossip_lab *l = *state;

	two_members(l);
	(void)lab_said(l, 1);
	/* Peer 1 and author 1 are one key: it needs not be told. */
	assert_int_equal(hear(l, 1, 1, 9), 0);
	assert_int_equal(lab_events(l, GOSSIP_EV_UNIT), 1);
	assert_int_equal(lab_said(l, 1).messages, 0);
	/* The other one gets what is recent, and all from then on. */
	gossip_peer_twins(l->g, lab_id(l, 1), true);
	assert_int_equal(lab_said(l, 1).messages, 1);
	assert_int_equal(hear(l, 1, 1, 10), 0);
	assert_int_equal(lab_said(l, 1).messages, 1);
	assert_int_equal(hear(l, 1, 0, 11), 0);
	assert_int_equal(lab_said(l, 1).messages, 1);
	gossip_peer_twins(l->g, lab_id(l, 1), false);
	assert_int_equal(hear(l, 1, 1, 12), 0);
	assert_int_equal(lab_said(l, 1).messages, 0);
}

/* Whatever text stands in it: the forms of chat are no business of the mesh. */
static void test_gossip_accept_passes_on_and_is_a_merit(void **state)
{
	static const char *const texts[] = {"hello", "",
		"{\"type\":", "{\"type\":\"message\",\"content\":7}"};
	struct gossip_lab *l = *state;

	two_members(l);
	for (unsigned i = 0; i < P2P_ARRAY_LEN(texts); i++) {
		double before = gossip_peer_score(l->g, lab_id(l, 0));

		assert_int_equal(
			lab_message(l, 0, lab_sign(l, 9, i, "room", texts[i])),
			0);
		assert_int_equal(lab_events(l, GOSSIP_EV_UNIT), 1);
		assert_int_equal(lab_said(l, 1).messages, 1);
		assert_true(gossip_peer_score(l->g, lab_id(l, 0)) > before);
	}
}

static void ignored(struct gossip_lab *l, struct bytes raw)
{
	uint64_t before = gossip_counters(l->g)->units_ignored +
			  gossip_counters(l->g)->units_duplicate;
	double score = gossip_peer_score(l->g, lab_id(l, 0));

	assert_int_equal(lab_message(l, 0, raw), 0);
	assert_int_equal(lab_events(l, GOSSIP_EV_UNIT), 0);
	assert_int_equal(lab_said(l, 1).messages, 0);
	assert_true(gossip_peer_score(l->g, lab_id(l, 0)) >= score);
	assert_int_equal(gossip_counters(l->g)->units_ignored +
				 gossip_counters(l->g)->units_duplicate,
		before + 1);
}

static void test_gossip_ignore_neither_passes_on_nor_punishes(void **state)
{
	static uint8_t large[UNIT_DATA_BYTES_MAX + 1];
	struct gossip_lab *l = *state;
	struct buf odd;

	two_members(l);
	buf_init(&odd, 200000);
	ignored(l, lab_sign(l, 9, 1, "elsewhere", "x"));
	(void)buf_append(&odd, lab_sign(l, 9, 2, "room", "x"));
	pb_put_uint(&odd, 9, 1); /* unknown to us */
	ignored(l, buf_bytes(&odd));
	buf_reset(&odd);
	pb_put_bytes(&odd, 2, bytes_str("unsigned"));
	pb_put_bytes(&odd, 4, bytes_str("room"));
	ignored(l, buf_bytes(&odd));
	buf_reset(&odd);
	pb_put_bytes(&odd, 1, peer_id_bytes(lab_id(l, 9)));
	pb_put_bytes(&odd, 2, bytes_of(large, sizeof(large)));
	pb_put_bytes(&odd, 3, bytes_str("12345678"));
	pb_put_bytes(&odd, 4, bytes_str("room"));
	pb_put_bytes(&odd, 5, bytes_str("a signature"));
	ignored(l, buf_bytes(&odd));
	buf_clear(&odd);
	/* Known already. */
	assert_int_equal(hear(l, 0, 9, 3), 0);
	assert_int_equal(lab_events(l, GOSSIP_EV_UNIT), 1);
	lab_hush(l);
	ignored(l, lab_sign(l, 9, 3, "room", "hello"));
}

/* The bytes of another line are no signature of this one; half a line is no
 * message for anybody. */
static void test_gossip_reject_does_not_pass_on_and_punishes(void **state)
{
	struct gossip_lab *l = *state;
	struct bytes unit = lab_sign(l, 9, 1, "room", "hello");
	uint8_t *bent = xmemdup(unit.data, unit.len);

	two_members(l);
	for (size_t i = 0; i + 5 < unit.len; i++)
		if (memcmp(bent + i, "hello", 5) == 0)
			bent[i] ^= 1;
	assert_int_equal(lab_message(l, 0, bytes_of(bent, unit.len)), 0);
	assert_true(gossip_peer_score(l->g, lab_id(l, 0)) <= -99);
	assert_int_equal(
		lab_message(l, 0, bytes_of(unit.data, unit.len - 1)), 0);
	assert_true(gossip_peer_score(l->g, lab_id(l, 0)) <= -399);
	assert_int_equal(gossip_counters(l->g)->units_rejected, 2);
	assert_int_equal(lab_events(l, GOSSIP_EV_UNIT), 0);
	assert_int_equal(lab_said(l, 1).messages, 0);
	/* Cut before its room is named: it is counted as misbehaviour. */
	assert_int_equal(lab_message(l, 0, bytes_of(unit.data, 20)), 0);
	assert_int_equal(gossip_counters(l->g)->behaviour, 1);
	free(bent);
}

/* Rejected as well, but another program may mend and forward it. */
static void test_gossip_reject_of_disputed_forms_costs_nobody(void **state)
{
	struct gossip_lab *l = *state;
	struct buf odd;

	two_members(l);
	buf_init(&odd, 8192);
	pb_put_bytes(&odd, 4, bytes_str("room"));
	(void)buf_append(&odd, lab_sign(l, 9, 1, "room", "x"));
	assert_int_equal(lab_message(l, 0, buf_bytes(&odd)), 0);
	buf_clear(&odd);
	assert_int_equal(gossip_counters(l->g)->units_rejected, 1);
	assert_int_equal(lab_events(l, GOSSIP_EV_UNIT), 0);
	assert_true(gossip_peer_score(l->g, lab_id(l, 0)) >= 0);
}

static void test_gossip_says_own_lines_again_on_a_new_stream(void **state)
{
	struct gossip_lab *l = *state;

	lab_member(l, 0, GOSSIP_V11);
	lab_member(l, 1, GOSSIP_V11);
	assert_int_equal(hear(l, 1, 2, 7), 0);
	assert_int_equal(gossip_publish(l->g, &l->te.env,
				 lab_sign(l, ME, 1, "room", "x")),
		2);
	lab_add(l, 0, GOSSIP_V11, false);
	/* Its subscriptions are still known; only ours is said again. */
	assert_int_equal(lab_said(l, 0).messages, 1);
	assert_int_equal(lab_said(l, 1).messages, 1);
}

/* ---- IHAVE and IWANT ---- */

static void test_gossip_asks_for_what_it_lacks(void **state)
{
	struct gossip_lab *l = *state;
	uint8_t raw[64];
	struct bytes id = id_of(l, 2, 0x100, raw);
	struct said s;

	lab_member(l, 0, GOSSIP_V11);
	lab_member(l, 1, GOSSIP_V11);
	assert_int_equal(lab_ihave(l, 0, "room", id, 3), 0);
	s = lab_said(l, 0);
	assert_int_equal(s.iwant_ids, 3);
	assert_memory_equal(s.id[0].raw, id.data, id.len);
	/* Of each who has it: the first may have named it to hold it back. Of
	 * the same again after a heartbeat. */
	assert_int_equal(lab_ihave(l, 1, "room", id, 3), 0);
	assert_int_equal(lab_said(l, 1).iwant_ids, 3);
	assert_int_equal(lab_ihave(l, 1, "room", id, 3), 0);
	assert_int_equal(lab_said(l, 1).iwant_ids, 0);
	lab_pass(l, 1000);
	lab_hush(l);
	assert_int_equal(lab_ihave(l, 1, "room", id, 3), 0);
	assert_int_equal(lab_said(l, 1).iwant_ids, 3);
	assert_int_equal(hear(l, 1, 2, 0x100), 0);
	assert_int_equal(gossip_counters(l->g)->iwant_recovered, 1);
	/* What is known is not asked for. */
	lab_pass(l, 1000);
	lab_hush(l);
	assert_int_equal(lab_ihave(l, 0, "room", id, 1), 0);
	assert_int_equal(lab_said(l, 0).iwant_ids, 0);
}

static void test_gossip_asks_nothing_of_other_topics(void **state)
{
	struct gossip_lab *l = *state;
	uint8_t raw[64];

	lab_member(l, 0, GOSSIP_V11);
	assert_int_equal(
		lab_ihave(l, 0, "elsewhere", id_of(l, 2, 1, raw), 3), 0);
	assert_int_equal(lab_said(l, 0).iwant_ids, 0);
}

static void test_gossip_reads_10_ihave_a_heartbeat(void **state)
{
	struct gossip_lab *l = *state;
	uint8_t raw[64];

	lab_member(l, 0, GOSSIP_V11);
	for (unsigned i = 0; i < 20; i++)
		assert_int_equal(
			lab_ihave(l, 0, "room", id_of(l, 2, i << 8, raw), 1),
			0);
	assert_int_equal(lab_said(l, 0).iwant_ids, 10);
	lab_pass(l, 1000);
	lab_hush(l);
	assert_int_equal(
		lab_ihave(l, 0, "room", id_of(l, 2, 99 << 8, raw), 1), 0);
	assert_int_equal(lab_said(l, 0).iwant_ids, 1);
}

static void test_gossip_asks_for_5000_ids_a_heartbeat(void **state)
{
	struct gossip_lab *l = *state;
	uint8_t raw[64];

	lab_member(l, 0, GOSSIP_V11);
	assert_int_equal(lab_ihave(l, 0, "room", id_of(l, 2, 0, raw), 9000), 0);
	assert_int_equal(lab_said(l, 0).iwant_ids, GOSSIP_IHAVE_IDS_MAX);
}

static void test_gossip_asks_a_crowd_for_bounded_ids(void **state)
{
	struct gossip_lab *l = *state;
	unsigned asked = 0;
	uint8_t raw[64];

	for (unsigned i = 0; i < 8; i++)
		lab_member(l, i, GOSSIP_V11);
	for (unsigned i = 0; i < 8; i++) {
		assert_int_equal(
			lab_ihave(l, i, "room", id_of(l, 20 + i, 0, raw), 5000),
			0);
		asked += lab_said(l, i).iwant_ids;
	}
	assert_in_range(asked, GOSSIP_ASKED_MAX / 2, GOSSIP_ASKED_MAX);
	/* They leave room for whoever names little. */
	lab_member(l, 8, GOSSIP_V11);
	assert_int_equal(lab_ihave(l, 8, "room", id_of(l, 28, 0, raw), 300), 0);
	assert_int_equal(lab_said(l, 8).iwant_ids, 300);
}

static void test_gossip_answers_iwant_three_times_a_peer(void **state)
{
	struct gossip_lab *l = *state;
	uint8_t raw[64];
	struct bytes id = id_of(l, 2, 7, raw);

	for (unsigned i = 0; i < 6; i++)
		lab_member(l, i, GOSSIP_V11);
	assert_int_equal(hear(l, 0, 2, 7), 0);
	lab_hush(l);
	for (unsigned i = 0; i < 5; i++)
		assert_int_equal(lab_iwant(l, 4, id), 0);
	assert_int_equal(lab_said(l, 4).messages, 3);
	assert_int_equal(gossip_counters(l->g)->iwant_served, 3);
	assert_int_equal(lab_iwant(l, 5, id), 0);
	assert_int_equal(lab_said(l, 5).messages, 1);
	/* A newcomer in the same place is not the one that had its share. */
	gossip_peer_remove(l->g, &l->te.env, lab_id(l, 4));
	lab_member(l, 9, GOSSIP_V11);
	assert_int_equal(lab_iwant(l, 9, id), 0);
	assert_int_equal(lab_said(l, 9).messages, 1);
	/* Then it is history. */
	lab_pass(l, GOSSIP_HISTORY_WINDOWS * GOSSIP_HEARTBEAT_MS);
	lab_hush(l);
	assert_int_equal(lab_iwant(l, 5, id), 0);
	assert_int_equal(lab_said(l, 5).messages, 0);
}

/* What is noted of one peer says nothing of the next in its place. */
static void test_gossip_place_of_a_peer_is_handed_over_clean(void **state)
{
	struct gossip_lab *l = *state;
	uint8_t raw[64];
	struct bytes id = id_of(l, 2, 7, raw);
	const struct cached *c;

	lab_member(l, 0, GOSSIP_V11);
	assert_int_equal(hear(l, 0, 2, 7), 0);
	assert_int_equal(lab_iwant(l, 0, id), 0);
	c = cache_find(l->g, id);
	assert_int_equal(c->served[0], 1);
	assert_int_equal(c->brought.bits[0], 1);
	gossip_peer_remove(l->g, &l->te.env, lab_id(l, 0));
	lab_member(l, 1, GOSSIP_V11);
	assert_int_equal(gpeer_find(l->g, lab_id(l, 1))->slot, 0);
	assert_int_equal(c->served[0], 0);
	assert_int_equal(c->brought.bits[0], 0);
}

static void test_gossip_counts_ids_of_iwant(void **state)
{
	struct gossip_lab *l = *state;
	size_t outer, inner;

	lab_member(l, 0, GOSSIP_V11);
	outer = pb_begin(&l->rpc, RPC_CONTROL);
	inner = pb_begin(&l->rpc, CONTROL_IWANT);
	for (unsigned i = 0; i <= GOSSIP_IHAVE_IDS_MAX; i++)
		pb_put_bytes(&l->rpc, IWANT_IDS, bytes_str("x"));
	pb_end(&l->rpc, inner);
	pb_end(&l->rpc, outer);
	assert_int_equal(lab_feed(l, 0), 0);
	assert_int_equal(gossip_counters(l->g)->refused, 1);
}

/* The three forms of the same id. */
static void test_gossip_id_forms_name_the_same_message(void **state)
{
	static const enum gossip_id_form forms[] = {GOSSIP_FORM_FROM_SEQNO,
		GOSSIP_FORM_KEY_SEQNO, GOSSIP_FORM_TEXT};
	struct gossip_lab *l = *state;
	uint8_t raw[64], own[UNIT_GOSSIP_ID_BYTES_MAX];
	uint8_t odd[GOSSIP_ID_BYTES_MAX];
	struct bytes id = id_of(l, 2, UINT64_MAX, raw);

	for (size_t i = 0; i < P2P_ARRAY_LEN(forms); i++) {
		uint8_t out[GOSSIP_ID_BYTES_MAX];
		size_t n = gossip_id_write(forms[i], id, out), len = 0;

		assert_in_range(n, 44, 72);
		assert_int_equal(
			gossip_id_read(bytes_of(out, n), own, &len), forms[i]);
		assert_int_equal(len, id.len);
		assert_memory_equal(own, id.data, len);
	}
	assert_int_equal(gossip_id_write(GOSSIP_FORM_UNKNOWN, id, odd), 0);
}

static void test_gossip_id_unknown_forms(void **state)
{
	static const char *const odd[] = {"", "12345678", "123456789",
		"12D3KooW", "\x08\x01",
		"12D3KooWK99VoVxNE7XzyBwXEzW7xhK7Gpv85r9F3V3fyKSUKPH5",
		"12D3KooWK99VoVxNE7XzyBwXEzW7xhK7Gpv85r9F3V3fyKSUKPH5x",
		"12D3KooWK99VoVxNE7XzyBwXEzW7xhK7Gpv85r9F3V3fyKSUKPH5"
		"18446744073709551616",
		"16Uiu2HAxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx12",
		"Qmxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx12"};
	uint8_t own[UNIT_GOSSIP_ID_BYTES_MAX];
	size_t len;

	(void)state;
	for (size_t i = 0; i < P2P_ARRAY_LEN(odd); i++)
		assert_int_equal(gossip_id_read(bytes_str(odd[i]), own, &len),
			GOSSIP_FORM_UNKNOWN);
}

static void test_gossip_answers_iwant_in_every_form(void **state)
{
	struct gossip_lab *l = *state;
	uint8_t raw[64], out[GOSSIP_ID_BYTES_MAX];
	struct bytes id = id_of(l, 2, 7, raw);

	for (unsigned i = 0; i < 4; i++)
		lab_member(l, i, GOSSIP_V11);
	assert_int_equal(hear(l, 0, 2, 7), 0);
	lab_hush(l);
	for (unsigned f = GOSSIP_FORM_FROM_SEQNO; f <= GOSSIP_FORM_TEXT; f++) {
		size_t n = gossip_id_write((enum gossip_id_form)f, id, out);

		assert_int_equal(lab_iwant(l, 1, bytes_of(out, n)), 0);
		assert_int_equal(lab_said(l, 1).messages, 1);
	}
	assert_int_equal(lab_iwant(l, 1, bytes_str("of no form at all")), 0);
	assert_int_equal(lab_said(l, 1).rpcs, 0);
}

static void test_gossip_asks_for_ids_of_unknown_form(void **state)
{
	struct gossip_lab *l = *state;

	lab_member(l, 0, GOSSIP_V11);
	assert_int_equal(
		lab_ihave(l, 0, "room", bytes_str("hash of something"), 1), 0);
	assert_int_equal(lab_said(l, 0).iwant_ids, 1);
}

/* IHAVE goes to members outside the mesh whose form of ids is known. */
static void test_gossip_sends_ihave_in_the_form_of_the_peer(void **state)
{
	struct gossip_lab *l = *state;
	uint8_t raw[64], out[GOSSIP_ID_BYTES_MAX];
	struct bytes other = id_of(l, 30, 1, raw);
	unsigned outside = 0;

	for (unsigned i = 0; i < 8; i++)
		lab_member(l, i, GOSSIP_V11);
	for (unsigned i = 4; i < 7; i++) {
		enum gossip_id_form form = (enum gossip_id_form)(i - 3);
		size_t n = gossip_id_write(form, other, out);

		assert_int_equal(
			lab_ihave(l, i, "room", bytes_of(out, n), 1), 0);
	}
	lab_hush(l);
	assert_int_equal(gossip_publish(l->g, &l->te.env,
				 lab_sign(l, ME, 5, "room", "x")),
		8);
	lab_hush(l);
	lab_pass(l, 1000);
	for (unsigned i = 0; i < 8; i++) {
		struct said s = lab_said(l, i);
		uint8_t own[UNIT_GOSSIP_ID_BYTES_MAX];
		size_t len;

		if (i < 4 || i == 7) {
			assert_int_equal(s.ihave_ids, 0);
			continue;
		}
		outside++;
		assert_int_equal(s.ihave_ids, 1);
		assert_int_equal(
			gossip_id_read(
				bytes_of(s.id[0].raw, s.id[0].len), own, &len),
			i - 3);
		assert_memory_equal(own, l->me.id.raw, l->me.id.len);
	}
	assert_int_equal(outside, 3);
	/* Named in so many heartbeats, then no more. */
	for (unsigned n = 1; n < GOSSIP_HISTORY_GOSSIP; n++) {
		lab_pass(l, GOSSIP_HEARTBEAT_MS);
		assert_int_equal(lab_said(l, 4).ihave_ids, 1);
	}
	lab_pass(l, 1000);
	assert_int_equal(lab_said(l, 4).ihave_ids, 0);
}

/* Its mesh fails it: chance shall not decide whether it hears of what is new,
 * however many others there are. */
static void test_gossip_tells_who_had_to_ask(void **state)
{
	struct gossip_lab *l = *state;
	uint8_t raw[64];
	unsigned told = 0;

	for (unsigned i = 0; i < 38; i++)
		lab_member(l, i, GOSSIP_V11);
	for (unsigned i = 10; i < 38; i++)
		assert_int_equal(
			lab_ihave(l, i, "room", id_of(l, 38, 1, raw), 1), 0);
	assert_int_equal(hear(l, 0, 2, 7), 0);
	assert_int_equal(lab_iwant(l, 37, id_of(l, 2, 7, raw)), 0);
	for (unsigned n = 0; n < 20; n++) {
		assert_int_equal(hear(l, 0, 2, 100 + n), 0);
		lab_hush(l);
		lab_pass(l, GOSSIP_HEARTBEAT_MS);
		told += lab_said(l, 37).ihave_ids > 0;
	}
	assert_int_equal(told, 20);
}

/* ---- hostile RPCs ---- */

static void test_gossip_ends_floods_of_empty_entries(void **state)
{
	struct gossip_lab *l = *state;

	lab_member(l, 0, GOSSIP_V11);
	for (unsigned i = 0; i < 400000; i++)
		pb_put_bytes(&l->rpc, RPC_SUBSCRIPTIONS, bytes_of(NULL, 0));
	assert_int_equal(lab_feed(l, 0), P2P_ERR_LIMIT);
	for (unsigned i = 0; i < 400000; i++)
		pb_put_bytes(&l->rpc, RPC_PUBLISH, bytes_of(NULL, 0));
	assert_int_equal(lab_feed(l, 0), P2P_ERR_LIMIT);
}

static void test_gossip_refuses_rpc_above_1_mib(void **state)
{
	struct gossip_lab *l = *state;

	lab_member(l, 0, GOSSIP_V11);
	pb_put_head(&l->rpc, 99, GOSSIP_RPC_BYTES_MAX - 5);
	memset(buf_extend(&l->rpc, GOSSIP_RPC_BYTES_MAX - 5), 0,
		GOSSIP_RPC_BYTES_MAX - 5);
	assert_int_equal(l->rpc.len, GOSSIP_RPC_BYTES_MAX);
	assert_int_equal(lab_feed(l, 0), 0);
	pb_put_head(&l->rpc, 99, GOSSIP_RPC_BYTES_MAX - 4);
	memset(buf_extend(&l->rpc, GOSSIP_RPC_BYTES_MAX - 4), 0,
		GOSSIP_RPC_BYTES_MAX - 4);
	assert_int_equal(lab_feed(l, 0), P2P_ERR_TOO_BIG);
}

static void test_gossip_refuses_bent_rpcs(void **state)
{
	struct gossip_lab *l = *state;
	static const char *const bent[] = {"\x0a\x05\x08", "\x0a\x02\x12\x7f",
		"\x1a\x02\x0a\x05", "\x1a\x04\x0a\x02\x12\x09",
		"\x1a\x04\x12\x02\x0a\x09", "\x1a\x04\x1a\x02\x0a\x09"};

	lab_member(l, 0, GOSSIP_V11);
	for (size_t i = 0; i < P2P_ARRAY_LEN(bent); i++)
		assert_int_not_equal(feed(l, 0, bytes_str(bent[i])), 0);
	/* Later versions' control and extensions are tolerated. */
	assert_int_equal(feed(l, 0,
				 bytes_str("\x1a\x04\x32\x02\x0a\x01\x22\x01x"
					   "\x28\x01")),
		0);
	pb_put_bytes(&l->rpc, 77, bytes_str("later"));
	pb_put_uint(&l->rpc, 78, 5);
	assert_int_equal(lab_feed(l, 0), 0);
	assert_int_equal(feed(l, 33, bytes_of("", 0)), P2P_ERR_LIMIT);
}

static void test_gossip_slow_peer_loses_messages_counted(void **state)
{
	struct gossip_lab *l = *state;
	static char text[60001];
	unsigned n = 0;

	memset(text, 'x', sizeof(text) - 1);
	lab_member(l, 0, GOSSIP_V11);
	while (gossip_publish(l->g, &l->te.env,
		       lab_sign(l, ME, n + 1, "room", text)) == 1)
		n++;
	assert_in_range(n, GOSSIP_OUT_BYTES_MAX / 60000 - 2,
		GOSSIP_OUT_BYTES_MAX / 60000 + 2);
	assert_int_equal(gossip_counters(l->g)->out_dropped, 1);
}

/* Those who do not read cannot use up what waits for those who do. */
static void test_gossip_crowd_of_slow_peers_is_bounded(void **state)
{
	struct gossip_lab *l = *state;
	static char text[60001];

	memset(text, 'x', sizeof(text) - 1);
	for (unsigned i = 0; i < 30; i++)
		lab_member(l, i, GOSSIP_V11);
	for (unsigned n = 0; n < 80; n++) {
		(void)!gossip_publish(
			l->g, &l->te.env, lab_sign(l, ME, n + 1, "room", text));
		(void)lab_said(l, 29);
	}
	assert_in_range(gossip_out_bytes(l->g), GOSSIP_OUT_TOTAL_BYTES_MAX / 4,
		GOSSIP_OUT_TOTAL_BYTES_MAX);
	assert_true(gossip_publish(l->g, &l->te.env,
			    lab_sign(l, ME, 1000, "room", text)) >= 1);
	assert_int_equal(lab_said(l, 29).messages, 1);
}

/* What is kept for a peer, and on account of it, is on the one bill. */
static void test_gossip_charges_what_waits_and_what_was_seen(void **state)
{
	struct gossip_lab *l = *state;
	size_t before = l->te.budget.used, each;

	lab_member(l, 0, GOSSIP_V11);
	assert_true(l->te.budget.used >=
		    before + GOSSIP_PEER_COST_BYTES + GOSSIP_NAME_COST_BYTES);
	(void)lab_said(l, 0);
	before = l->te.budget.used;
	assert_int_equal(gossip_publish(l->g, &l->te.env,
				 lab_sign(l, ME, 1, "room", "waits")),
		1);
	each = l->te.budget.used - before;
	assert_true(each >= GOSSIP_SEEN_COST_BYTES + gossip_out_bytes(l->g) +
				    gossip_cache_bytes(l->g));
	/* No memory for the queue: as if the queue were full. */
	l->te.budget.max = l->te.budget.used;
	assert_int_equal(gossip_publish(l->g, &l->te.env,
				 lab_sign(l, ME, 2, "room", "there")),
		0);
	assert_int_equal(gossip_counters(l->g)->out_dropped, 1);
	/* The new id has taken the old one's place. */
	assert_int_equal(l->g->seen.count, 1);
	assert_true(l->te.budget.used <= l->te.budget.max);
	l->te.budget.max = SIZE_MAX;
	(void)lab_said(l, 0);
	assert_int_equal(gossip_out_bytes(l->g), 0);
	gossip_peer_remove(l->g, &l->te.env, lab_id(l, 0));
	assert_int_equal(l->g->held.used, GOSSIP_SEEN_COST_BYTES);
}

static void test_gossip_cache_is_bounded(void **state)
{
	struct gossip_lab *l = *state;
	static char text[60001];

	memset(text, 'x', sizeof(text) - 1);
	lab_member(l, 0, GOSSIP_V11);
	for (unsigned n = 0; n < 400; n++) {
		(void)!gossip_publish(
			l->g, &l->te.env, lab_sign(l, ME, n + 1, "room", text));
		lab_hush(l);
	}
	assert_in_range(gossip_cache_bytes(l->g), 1, GOSSIP_CACHE_BYTES_MAX);
	assert_int_equal(l->g->out_bytes, 0);
}

static void test_gossip_leaving_frees_everything(void **state)
{
	struct gossip_lab *l = *state;

	for (unsigned i = 0; i < 20; i++) {
		lab_member(l, i, GOSSIP_V11);
		assert_int_equal(hear(l, i, i + 1, 7), 0);
	}
	for (unsigned i = 0; i < 20; i++)
		gossip_peer_remove(l->g, &l->te.env, lab_id(l, i));
	gossip_peer_remove(l->g, &l->te.env, lab_id(l, 0));
	(void)lab_events(l, GOSSIP_EV_UNIT);
	assert_int_equal(l->g->peers.count, 0);
	assert_int_equal(l->g->out_bytes, 0);
	assert_true(list_empty(&l->g->senders));
	assert_int_equal(gossip_mesh_size(l->g, bytes_str("room")), 0);
	lab_pass(l, (GOSSIP_HISTORY_WINDOWS + 1) * GOSSIP_HEARTBEAT_MS);
	assert_int_equal(l->g->cache.count, 0);
}

static void test_gossip_names_each_sender_once(void **state)
{
	struct gossip_lab *l = *state;
	struct peer_id id;

	lab_add(l, 0, GOSSIP_V11, false);
	lab_add(l, 1, GOSSIP_V11, false);
	assert_true(gossip_next_sender(l->g, &id));
	assert_true(gossip_next_sender(l->g, &id));
	assert_false(gossip_next_sender(l->g, &id));
	assert_true(gossip_out_peek(l->g, lab_id(l, 0)).len > 1);
	gossip_out_consume(l->g, lab_id(l, 0), 1);
	assert_false(gossip_next_sender(l->g, &id));
	gossip_out_consume(
		l->g, lab_id(l, 0), gossip_out_peek(l->g, lab_id(l, 0)).len);
	lab_hush(l);
	assert_int_equal(gossip_join(l->g, &l->te.env, bytes_str("b")), 0);
	assert_true(gossip_next_sender(l->g, &id));
	/* One that leaves is named no more; unknown ones have nothing. */
	gossip_peer_remove(l->g, &l->te.env,
		lab_id(l, peer_id_equal(&id, lab_id(l, 0)) ? 1 : 0));
	assert_false(gossip_next_sender(l->g, &id));
	assert_int_equal(gossip_out_peek(l->g, lab_id(l, 30)).len, 0);
	gossip_out_consume(l->g, lab_id(l, 30), 0);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(test_gossip_flood_publishes_to_all_subscribed),
		T(test_gossip_publish_says_what_it_refuses),
		T(test_gossip_publishes_again_for_who_came_later),
		T(test_gossip_forwards_to_mesh_not_to_source_or_author),
		T(test_gossip_hands_a_message_up_once),
		T(test_gossip_drops_own_lines_that_come_back),
		T(test_gossip_hands_up_what_another_machine_said_with_our_key),
		T(test_gossip_sends_to_twins_what_one_of_them_said),
		T(test_gossip_rejects_wrong_signature),
		T(test_gossip_ignores_unsigned_odd_and_foreign),
		T(test_gossip_accept_passes_on_and_is_a_merit),
		T(test_gossip_ignore_neither_passes_on_nor_punishes),
		T(test_gossip_reject_does_not_pass_on_and_punishes),
		T(test_gossip_reject_of_disputed_forms_costs_nobody),
		T(test_gossip_says_own_lines_again_on_a_new_stream),
		T(test_gossip_asks_for_what_it_lacks),
		T(test_gossip_asks_nothing_of_other_topics),
		T(test_gossip_reads_10_ihave_a_heartbeat),
		T(test_gossip_asks_for_5000_ids_a_heartbeat),
		T(test_gossip_asks_a_crowd_for_bounded_ids),
		T(test_gossip_answers_iwant_three_times_a_peer),
		T(test_gossip_place_of_a_peer_is_handed_over_clean),
		T(test_gossip_counts_ids_of_iwant),
		T(test_gossip_id_forms_name_the_same_message),
		T(test_gossip_id_unknown_forms),
		T(test_gossip_answers_iwant_in_every_form),
		T(test_gossip_asks_for_ids_of_unknown_form),
		T(test_gossip_sends_ihave_in_the_form_of_the_peer),
		T(test_gossip_tells_who_had_to_ask),
		T(test_gossip_ends_floods_of_empty_entries),
		T(test_gossip_refuses_rpc_above_1_mib),
		T(test_gossip_refuses_bent_rpcs),
		T(test_gossip_slow_peer_loses_messages_counted),
		T(test_gossip_crowd_of_slow_peers_is_bounded),
		T(test_gossip_charges_what_waits_and_what_was_seen),
		T(test_gossip_cache_is_bounded),
		T(test_gossip_leaving_frees_everything),
		T(test_gossip_names_each_sender_once),
	};
	return cmocka_run_group_tests_name(
		"gossip messages", tests, NULL, NULL);
}

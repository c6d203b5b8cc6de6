/*
 * Large messages are not sent where they already are (gossipsub v1.2), and
 * what one turn says to a peer travels together.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

#include "net/pubsub/gossip_id.h"
#include "net/pubsub/gossip_rpc.h"
#include "net/wire/pb.h"
#include "tests/unit/gossip_lab.h"

static char large[GOSSIP_IDONTWANT_BYTES + 1];
static char small[GOSSIP_IDONTWANT_BYTES];

static int setup(void **state)
{
	struct gossip_lab *l = lab_new();

	memset(large, 'x', sizeof(large) - 1);
	memset(small, 'x', sizeof(small) - 1);
	assert_int_equal(gossip_join(l->g, &l->te.env, bytes_str("room")), 0);
	*state = l;
	return 0;
}

static int teardown(void **state)
{
	lab_free(*state);
	return 0;
}

static struct bytes id_of(struct gossip_lab *l, unsigned author, uint64_t seqno,
	enum gossip_id_form form, uint8_t *out)
{
	const struct peer_id *from = lab_id(l, author);
	uint8_t id[UNIT_GOSSIP_ID_BYTES_MAX];

	memcpy(id, from->raw, from->len);
	put_be64(id + from->len, seqno);
	return bytes_of(
		out, gossip_id_write(form, bytes_of(id, from->len + 8u), out));
}

/* A member of the mesh whose form of ids is known. */
static void mesh_member(struct gossip_lab *l, unsigned i,
	enum gossip_version version, enum gossip_id_form form)
{
	struct gossip_peer peer = {
		.id = *lab_id(l, i), .version = version, .form = form};

	assert_int_equal(gossip_peer_add(l->g, &l->te.env, &peer), 0);
	assert_int_equal(lab_subscribe(l, i, "room", true), 0);
	assert_int_equal(lab_graft(l, i, "room"), 0);
	assert_true(gossip_in_mesh(l->g, bytes_str("room"), lab_id(l, i)));
	(void)lab_said(l, i);
}

static void test_idontwant_goes_to_the_mesh_in_each_ones_form(void **state)
{
	static const enum gossip_id_form forms[] = {GOSSIP_FORM_FROM_SEQNO,
		GOSSIP_FORM_KEY_SEQNO, GOSSIP_FORM_TEXT};
	struct gossip_lab *l = *state;
	uint8_t raw[GOSSIP_ID_BYTES_MAX];

	mesh_member(l, 0, GOSSIP_V12, GOSSIP_FORM_FROM_SEQNO);
	for (unsigned i = 0; i < 3; i++)
		mesh_member(
			l, i + 1, i == 0 ? GOSSIP_V13 : GOSSIP_V12, forms[i]);
	mesh_member(l, 4, GOSSIP_V11, GOSSIP_FORM_FROM_SEQNO);
	mesh_member(l, 5, GOSSIP_V12, GOSSIP_FORM_UNKNOWN);
	assert_int_equal(
		lab_message(l, 0, lab_sign(l, 9, 7, "room", large)), 0);
	/* Not to who brought it, older ones, ones of unknown form. */
	assert_int_equal(lab_said(l, 0).idontwant_ids, 0);
	assert_int_equal(lab_said(l, 4).idontwant_ids, 0);
	assert_int_equal(lab_said(l, 5).idontwant_ids, 0);
	for (unsigned i = 0; i < 3; i++) {
		struct said s = lab_said(l, i + 1);

		assert_int_equal(s.idontwant_ids, 1);
		assert_true(bytes_equal(id_of(l, 9, 7, forms[i], raw),
			bytes_of(s.id[0].raw, s.id[0].len)));
		/* With the message itself: they share an RPC. */
		assert_int_equal(s.messages, 1);
		assert_int_equal(s.rpcs, 1);
	}
	assert_int_equal(gossip_counters(l->g)->idontwant_sent, 3);
}

static void test_idontwant_is_said_of_large_new_and_true_ones(void **state)
{
	struct gossip_lab *l = *state;
	uint8_t forged[UNIT_BYTES_MAX];
	struct bytes unit;

	mesh_member(l, 0, GOSSIP_V12, GOSSIP_FORM_FROM_SEQNO);
	mesh_member(l, 1, GOSSIP_V12, GOSSIP_FORM_FROM_SEQNO);
	assert_int_equal(
		lab_message(l, 0, lab_sign(l, 9, 1, "room", small)), 0);
	assert_int_equal(lab_said(l, 1).idontwant_ids, 0);
	/* A forged copy must not keep the true one away. */
	unit = lab_sign(l, 9, 2, "room", large);
	memcpy(forged, unit.data, unit.len);
	forged[100] ^= 1;
	assert_int_equal(lab_message(l, 0, bytes_of(forged, unit.len)), 0);
	assert_int_equal(gossip_counters(l->g)->units_rejected, 1);
	assert_int_equal(lab_said(l, 1).idontwant_ids, 0);
	assert_int_equal(lab_message(l, 0, unit), 0);
	assert_int_equal(lab_said(l, 1).idontwant_ids, 1);
	assert_int_equal(lab_message(l, 1, unit), 0);
	assert_int_equal(lab_said(l, 0).idontwant_ids, 0);
}

static void test_idontwant_is_obeyed_for_three_heartbeats(void **state)
{
	struct gossip_lab *l = *state;
	uint8_t raw[GOSSIP_ID_BYTES_MAX];

	mesh_member(l, 0, GOSSIP_V12, GOSSIP_FORM_FROM_SEQNO);
	mesh_member(l, 1, GOSSIP_V12, GOSSIP_FORM_UNKNOWN);
	for (uint64_t seqno = 1; seqno <= 4; seqno++)
		assert_int_equal(
			lab_idontwant(l, 1,
				id_of(l, 9, seqno, GOSSIP_FORM_KEY_SEQNO, raw)),
			0);
	assert_int_equal(
		lab_message(l, 0, lab_sign(l, 9, 1, "room", large)), 0);
	assert_int_equal(lab_said(l, 1).messages, 0);
	lab_pass(l, 2 * GOSSIP_HEARTBEAT_MS);
	lab_hush(l);
	/* Of whatever size; others are sent. */
	assert_int_equal(lab_message(l, 0, lab_sign(l, 9, 2, "room", "x")), 0);
	assert_int_equal(lab_said(l, 1).messages, 0);
	assert_int_equal(lab_message(l, 0, lab_sign(l, 8, 2, "room", "x")), 0);
	assert_int_equal(lab_said(l, 1).messages, 1);
	lab_pass(l, GOSSIP_HEARTBEAT_MS);
	lab_hush(l);
	assert_int_equal(lab_message(l, 0, lab_sign(l, 9, 3, "room", "x")), 0);
	assert_int_equal(lab_said(l, 1).messages, 1);
	assert_int_equal(gossip_counters(l->g)->idontwant_spared, 2);
}

static void test_idontwant_cancels_what_waits(void **state)
{
	struct gossip_lab *l = *state;
	uint8_t raw[GOSSIP_ID_BYTES_MAX];
	struct bytes id = id_of(l, 9, 1, GOSSIP_FORM_FROM_SEQNO, raw);

	mesh_member(l, 0, GOSSIP_V12, GOSSIP_FORM_FROM_SEQNO);
	mesh_member(l, 1, GOSSIP_V12, GOSSIP_FORM_FROM_SEQNO);
	assert_int_equal(lab_message(l, 0, lab_sign(l, 9, 1, "room", "x")), 0);
	assert_int_equal(lab_idontwant(l, 1, id), 0);
	assert_int_equal(lab_said(l, 1).messages, 0);
	assert_int_equal(l->g->out_bytes, 0);
	/* But who asks for it gets it. */
	assert_int_equal(lab_iwant(l, 1, id), 0);
	assert_int_equal(lab_said(l, 1).messages, 1);
}

static void test_idontwant_is_bounded_and_freed(void **state)
{
	struct gossip_lab *l = *state;
	uint8_t raw[GOSSIP_ID_BYTES_MAX];
	size_t outer, inner;

	mesh_member(l, 0, GOSSIP_V12, GOSSIP_FORM_FROM_SEQNO);
	mesh_member(l, 1, GOSSIP_V12, GOSSIP_FORM_FROM_SEQNO);
	outer = pb_begin(&l->rpc, RPC_CONTROL);
	inner = pb_begin(&l->rpc, CONTROL_IDONTWANT);
	for (unsigned i = 0; i < GOSSIP_IDONTWANT_IDS_MAX + 5; i++)
		pb_put_bytes(&l->rpc, IDONTWANT_IDS,
			id_of(l, 9, i, GOSSIP_FORM_FROM_SEQNO, raw));
	pb_end(&l->rpc, inner);
	pb_end(&l->rpc, outer);
	assert_int_equal(lab_feed(l, 1), 0);
	/* Those above it are not even looked at. */
	assert_int_equal(gossip_counters(l->g)->refused, 1);
	assert_int_equal(lab_message(l, 0,
				 lab_sign(l, 9, GOSSIP_IDONTWANT_IDS_MAX - 1,
					 "room", "x")),
		0);
	assert_int_equal(lab_said(l, 1).messages, 0);
	assert_int_equal(
		lab_message(l, 0,
			lab_sign(l, 9, GOSSIP_IDONTWANT_IDS_MAX, "room", "x")),
		0);
	assert_int_equal(lab_said(l, 1).messages, 1);
	/* A new stream starts anew: what it did not want may be lost. */
	mesh_member(l, 1, GOSSIP_V12, GOSSIP_FORM_FROM_SEQNO);
	assert_int_equal(lab_message(l, 0, lab_sign(l, 9, 3, "room", "x")), 0);
	assert_int_equal(lab_said(l, 1).messages, 1);
}

/* ---- one RPC ---- */

static void test_control_of_one_turn_shares_an_rpc(void **state)
{
	struct gossip_lab *l = *state;
	uint8_t raw[GOSSIP_ID_BYTES_MAX];
	struct said s;

	mesh_member(l, 0, GOSSIP_V12, GOSSIP_FORM_FROM_SEQNO);
	mesh_member(l, 1, GOSSIP_V12, GOSSIP_FORM_FROM_SEQNO);
	assert_int_equal(
		lab_subscribe(l, 1, "b", true), 0); /* so it is grafted */
	assert_int_equal(gossip_join(l->g, &l->te.env, bytes_str("b")), 0);
	for (uint64_t seqno = 0; seqno < 5; seqno++)
		assert_int_equal(
			lab_message(l, 0, lab_sign(l, 9, seqno, "room", large)),
			0);
	assert_int_equal(
		lab_ihave(l, 1, "room",
			id_of(l, 8, 0, GOSSIP_FORM_FROM_SEQNO, raw), 3),
		0);
	gossip_leave(l->g, &l->te.env, bytes_str("room"));
	s = lab_said(l, 1);
	assert_int_equal(s.rpcs, 1);
	assert_int_equal(s.subscribed, 1);
	assert_int_equal(s.unsubscribed, 1);
	assert_int_equal(s.grafts, 1);
	assert_int_equal(s.prunes, 1);
	assert_int_equal(s.iwant_ids, 3);
	assert_int_equal(s.idontwant_ids, 5);
	assert_int_equal(s.messages, 5);
}

/* rust-libp2p ends the stream at more than 16 KiB of them (gossip_lab.c asserts
 * that of every RPC). */
static void test_ids_of_one_heartbeat_share_rpcs_that_rust_takes(void **state)
{
	struct gossip_lab *l = *state;
	uint8_t raw[GOSSIP_ID_BYTES_MAX];
	struct bytes id = id_of(l, 9, 1u << 30, GOSSIP_FORM_TEXT, raw);
	struct said s;

	mesh_member(l, 0, GOSSIP_V13, GOSSIP_FORM_TEXT);
	lab_member(l, 1, GOSSIP_V12);
	assert_int_equal(lab_ihave(l, 0, "room", id, 0), 0);
	assert_int_equal(lab_prune(l, 0, "room", 60), 0);
	for (uint64_t seqno = 0; seqno < 400; seqno++)
		assert_int_equal(lab_message(l, 1,
					 lab_sign(l, 9, (1u << 30) + seqno,
						 "room", "x")),
			0);
	(void)lab_said(l, 0);
	lab_pass(l, GOSSIP_HEARTBEAT_MS);
	s = lab_said(l, 0);
	assert_int_equal(s.ihave_ids, 400);
	assert_int_equal(s.messages, 0);
	assert_in_range(s.rpcs, 3, 3);
	assert_in_range(
		s.control_bytes_max, 11000, GOSSIP_CONTROL_PACK_BYTES + 16);
	/* And what is asked for. */
	id = id_of(l, 8, 0, GOSSIP_FORM_FROM_SEQNO, raw);
	assert_int_equal(lab_ihave(l, 0, "room", id, 400), 0);
	s = lab_said(l, 0);
	assert_int_equal(s.iwant_ids, 400);
	assert_in_range(s.rpcs, 2, 2);
	assert_in_range(
		s.control_bytes_max, 11000, GOSSIP_CONTROL_PACK_BYTES + 16);
}

/* Of more than a hundred in one RPC rust-libp2p heeds none. */
static void test_many_rooms_are_told_in_several_rpcs(void **state)
{
	struct gossip_lab *l = *state;
	char name[16];
	struct said s;

	for (unsigned i = 1; i < GOSSIP_TOPICS_MAX; i++) {
		snprintf(name, sizeof(name), "r%u", i);
		assert_int_equal(
			gossip_join(l->g, &l->te.env, bytes_str(name)), 0);
	}
	lab_add(l, 0, GOSSIP_V13, false);
	s = lab_said(l, 0);
	assert_int_equal(s.subscribed, GOSSIP_TOPICS_MAX);
	assert_in_range(s.rpcs, 3, 4);
}

static void test_rpcs_are_split_and_large_messages_go_alone(void **state)
{
	static char huge[UNIT_DATA_BYTES_MAX + 1];
	struct gossip_lab *l = *state;
	uint8_t raw[GOSSIP_ID_BYTES_MAX];
	struct said s;

	memset(huge, 'x', sizeof(huge) - 1);
	mesh_member(l, 0, GOSSIP_V12, GOSSIP_FORM_FROM_SEQNO);
	assert_int_equal(lab_ihave(l, 0, "room",
				 id_of(l, 8, 0, GOSSIP_FORM_FROM_SEQNO, raw),
				 GOSSIP_IHAVE_IDS_MAX),
		0);
	for (uint64_t seqno = 0; seqno < 100; seqno++)
		assert_int_equal(
			gossip_publish(l->g, &l->te.env,
				lab_sign(l, LAB_PEERS, seqno, "room", large)),
			1);
	s = lab_said(l, 0);
	assert_int_equal(s.iwant_ids, GOSSIP_IHAVE_IDS_MAX);
	assert_int_equal(s.messages, 100);
	assert_in_range(s.rpcs, 20, 30);
	assert_in_range(s.rpc_bytes_max, 20000, GOSSIP_RPC_PACK_BYTES + 16);
	for (uint64_t seqno = 100; seqno < 103; seqno++)
		assert_int_equal(
			gossip_publish(l->g, &l->te.env,
				lab_sign(l, LAB_PEERS, seqno, "room", huge)),
			1);
	s = lab_said(l, 0);
	assert_int_equal(s.messages, 3);
	assert_int_equal(s.rpcs, 3);
	assert_in_range(
		s.rpc_bytes_max, UNIT_DATA_BYTES_MAX, UNIT_BYTES_MAX + 8);
}

static void test_ihave_of_many_rooms_in_one_rpc_is_read(void **state)
{
	struct gossip_lab *l = *state;
	uint8_t raw[GOSSIP_ID_BYTES_MAX];
	char name[16];
	size_t outer;

	mesh_member(l, 0, GOSSIP_V12, GOSSIP_FORM_FROM_SEQNO);
	outer = pb_begin(&l->rpc, RPC_CONTROL);
	for (unsigned i = 0; i < 30; i++) {
		size_t inner = pb_begin(&l->rpc, CONTROL_IHAVE);

		snprintf(name, sizeof(name), "b%u", i);
		assert_int_equal(
			gossip_join(l->g, &l->te.env, bytes_str(name)), 0);
		pb_put_bytes(&l->rpc, IHAVE_TOPIC, bytes_str(name));
		pb_put_bytes(&l->rpc, IHAVE_IDS,
			id_of(l, 9, i, GOSSIP_FORM_FROM_SEQNO, raw));
		pb_end(&l->rpc, inner);
	}
	pb_end(&l->rpc, outer);
	assert_int_equal(lab_feed(l, 0), 0);
	assert_int_equal(lab_said(l, 0).iwant_ids, 30);
}

static void test_ten_idontwant_share_an_rpc_at_most(void **state)
{
	struct gossip_lab *l = *state;
	struct said s;

	mesh_member(l, 0, GOSSIP_V12, GOSSIP_FORM_FROM_SEQNO);
	mesh_member(l, 1, GOSSIP_V12, GOSSIP_FORM_FROM_SEQNO);
	for (uint64_t seqno = 0; seqno < 25; seqno++)
		assert_int_equal(
			lab_message(l, 0, lab_sign(l, 9, seqno, "room", large)),
			0);
	s = lab_said(l, 1);
	assert_int_equal(s.messages, 25);
	assert_int_equal(s.idontwant_ids, 25);
	assert_int_equal(s.rpcs, 3);
}

static void test_prune_waits_for_a_full_peer(void **state)
{
	struct gossip_lab *l = *state;
	uint64_t seqno = 0;
	struct said s;

	mesh_member(l, 0, GOSSIP_V12, GOSSIP_FORM_FROM_SEQNO);
	while (gossip_counters(l->g)->out_dropped == 0)
		(void)!gossip_publish(l->g, &l->te.env,
			lab_sign(l, LAB_PEERS, seqno++, "room", large));
	gossip_leave(l->g, &l->te.env, bytes_str("room"));
	s = lab_said(l, 0);
	assert_int_equal(s.prunes, 1);
	assert_int_equal(s.unsubscribed, 1);
}

static void test_extensions_and_later_fields_are_tolerated(void **state)
{
	struct gossip_lab *l = *state;
	size_t outer, inner;

	mesh_member(l, 0, GOSSIP_V13, GOSSIP_FORM_FROM_SEQNO);
	outer = pb_begin(&l->rpc, RPC_CONTROL);
	inner = pb_begin(&l->rpc, CONTROL_EXTENSIONS);
	pb_put_uint(&l->rpc, 6492434, 1); /* testExtension */
	pb_put_bytes(&l->rpc, 7, bytes_str("later"));
	pb_end(&l->rpc, inner);
	pb_put_bytes(&l->rpc, 900, bytes_str("later"));
	inner = pb_begin(&l->rpc, CONTROL_GRAFT);
	pb_put_uint(&l->rpc, 9, 9);
	pb_put_bytes(&l->rpc, GRAFT_TOPIC, bytes_str("room"));
	pb_end(&l->rpc, inner);
	pb_end(&l->rpc, outer);
	pb_put_bytes(&l->rpc, 6492434, bytes_str(""));
	pb_put_uint(&l->rpc, 5, 1);
	pb_put_bytes(&l->rpc, RPC_PUBLISH, lab_sign(l, 9, 1, "room", "x"));
	assert_int_equal(lab_feed(l, 0), 0);
	assert_int_equal(lab_events(l, GOSSIP_EV_UNIT), 1);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(test_idontwant_goes_to_the_mesh_in_each_ones_form),
		T(test_idontwant_is_said_of_large_new_and_true_ones),
		T(test_idontwant_is_obeyed_for_three_heartbeats),
		T(test_idontwant_cancels_what_waits),
		T(test_idontwant_is_bounded_and_freed),
		T(test_control_of_one_turn_shares_an_rpc),
		T(test_ids_of_one_heartbeat_share_rpcs_that_rust_takes),
		T(test_many_rooms_are_told_in_several_rpcs),
		T(test_rpcs_are_split_and_large_messages_go_alone),
		T(test_ihave_of_many_rooms_in_one_rpc_is_read),
		T(test_ten_idontwant_share_an_rpc_at_most),
		T(test_prune_waits_for_a_full_peer),
		T(test_extensions_and_later_fields_are_tolerated),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

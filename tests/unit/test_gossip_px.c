/*
 * Peer exchange in PRUNE (gossipsub v1.1, "PRUNE Backoff and Peer Exchange")
 * and kept peers ("Explicit Peering Agreements").
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

#include "base/xmalloc.h"
#include "net/identity/peer_record.h"
#include "net/pubsub/gossip_internal.h"
#include "net/pubsub/gossip_rpc.h"
#include "net/wire/maddr.h"
#include "net/wire/pb.h"
#include "tests/unit/gossip_lab.h"

#define RECORDS 30

static struct buf records[RECORDS];

/* A signed record of one peer, with `addrs` addresses; when there are many
 * they are long. */
static void seal(struct gossip_lab *l, unsigned i, unsigned addrs)
{
	struct peer_record r = {.seq = 1, .addr_count = addrs};
	struct maddr a;

	assert_int_equal(
		maddr_parse_text(&a,
			bytes_str(addrs == 1 ? "/ip4/192.0.2.7/tcp/4001"
					     : "/dns4/a-long-name-of-a-host."
					       "example.org/tcp/4001")),
		0);
	for (unsigned n = 0; n < addrs; n++)
		r.addrs[n] = maddr_bytes(&a);
	buf_init(&records[i], ENVELOPE_BYTES_MAX);
	assert_int_equal(peer_record_seal(&l->who[i], &r, &records[i]), 0);
}

/* Odd ones have a record. */
static void give_records(struct gossip_lab *l)
{
	for (unsigned i = 1; i < RECORDS; i += 2)
		gossip_peer_record(l->g, lab_id(l, i), buf_bytes(&records[i]));
}

static int setup(void **state)
{
	struct gossip_lab *l = lab_new();

	assert_int_equal(gossip_join(l->g, &l->te.env, bytes_str("room")), 0);
	for (unsigned i = 0; i < RECORDS; i++)
		seal(l, i, 1);
	*state = l;
	return 0;
}

static int teardown(void **state)
{
	lab_free(*state);
	for (unsigned i = 0; i < RECORDS; i++)
		buf_clear(&records[i]);
	return 0;
}

static bool in_mesh(struct gossip_lab *l, unsigned i)
{
	return gossip_in_mesh(l->g, bytes_str("room"), lab_id(l, i));
}

/* ---- reading what is sent ---- */

struct px {
	unsigned prunes, peers, with_record;
	uint64_t backoff_s;
	bool named[LAB_PEERS];
	unsigned first[GOSSIP_PX_PEERS_MAX]; /* in the order they came */
};

static void note_peer(struct gossip_lab *l, struct px *px, struct bytes in)
{
	struct cursor c = cur_of(in);
	struct peer_id id = {.len = 0};
	struct peer_record r;
	struct pb_field f;

	while (pb_next(&c, &f)) {
		if (f.number == PEER_INFO_ID)
			assert_int_equal(peer_id_parse(&id, f.bytes), 0);
		if (f.number != PEER_INFO_RECORD)
			continue;
		px->with_record++;
		assert_int_equal(peer_record_open(&r, f.bytes), 0);
		assert_true(peer_id_equal(&r.peer, &id));
	}
	for (unsigned i = 0; i < LAB_PEERS; i++) {
		if (!peer_id_equal(&id, lab_id(l, i)))
			continue;
		px->named[i] = true;
		if (px->peers < GOSSIP_PX_PEERS_MAX)
			px->first[px->peers] = i;
	}
	px->peers++;
}

static void note_prune(struct gossip_lab *l, struct px *px, struct bytes in)
{
	struct cursor c = cur_of(in);
	struct pb_field f;

	px->prunes++;
	while (pb_next(&c, &f)) {
		if (f.number == PRUNE_PEERS)
			note_peer(l, px, f.bytes);
		else if (f.number == PRUNE_BACKOFF)
			px->backoff_s = f.value;
	}
}

static void note_parts(
	struct gossip_lab *l, struct px *px, struct bytes in, uint32_t number)
{
	struct cursor c = cur_of(in);
	struct pb_field f;

	while (pb_next(&c, &f)) {
		if (f.number != number || f.wire != PB_WIRE_BYTES)
			continue;
		if (number == RPC_CONTROL)
			note_parts(l, px, f.bytes, CONTROL_PRUNE);
		else
			note_prune(l, px, f.bytes);
	}
	assert_int_equal(cur_err(&c), 0);
}

static struct px px_said(struct gossip_lab *l, unsigned i)
{
	struct px px = {.prunes = 0};
	struct bytes out;

	_Static_assert((int)RPC_CONTROL != (int)CONTROL_PRUNE, "told apart");
	while ((out = gossip_out_peek(l->g, lab_id(l, i))).len > 0) {
		struct cursor c = cur_of(out);
		uint64_t len = cur_uvarint(&c, 9);

		assert_in_range(len, 0, GOSSIP_CONTROL_PACK_BYTES + 16);
		note_parts(l, &px, cur_take(&c, (size_t)len), RPC_CONTROL);
		gossip_out_consume(l->g, lab_id(l, i), out.len);
	}
	return px;
}

/* ---- sending ---- */

static void full_mesh(struct gossip_lab *l)
{
	for (unsigned i = 0; i < RECORDS; i++)
		lab_member(l, i, i == 29 ? GOSSIP_FLOODSUB : GOSSIP_V11);
	for (unsigned i = 0; i < GOSSIP_D_HIGH; i++)
		assert_int_equal(lab_graft(l, i, "room"), 0);
	give_records(l);
	lab_hush(l);
}

static void test_px_is_sent_when_the_mesh_is_full(void **state)
{
	struct gossip_lab *l = *state;
	struct px px;

	full_mesh(l);
	assert_int_equal(lab_graft(l, 20, "room"), 0);
	px = px_said(l, 20);
	assert_int_equal(px.prunes, 1);
	assert_int_equal(px.backoff_s, GOSSIP_PRUNE_BACKOFF_S);
	assert_int_equal(px.peers, GOSSIP_PX_PEERS_MAX);
	/* All that have a record come first; 29 has one and is floodsub. */
	assert_int_equal(px.with_record, 14);
	assert_false(px.named[20]);
	assert_false(px.named[29]);
}

static void test_px_is_sent_when_the_mesh_is_thinned(void **state)
{
	struct gossip_lab *l = *state;
	unsigned pruned = 0, peers = 0;

	for (unsigned i = 0; i < 14; i++) {
		lab_add(l, i, GOSSIP_V11, true);
		assert_int_equal(lab_subscribe(l, i, "room", true), 0);
		assert_int_equal(lab_graft(l, i, "room"), 0);
	}
	lab_hush(l);
	lab_pass(l, GOSSIP_HEARTBEAT_MS);
	for (unsigned i = 0; i < 14; i++) {
		struct px px = px_said(l, i);

		pruned += px.prunes;
		peers += px.peers;
		assert_int_equal(px.peers, px.prunes * 13);
	}
	assert_int_equal(pruned, 14 - GOSSIP_D);
	assert_int_equal(peers, pruned * 13);
}

static void test_px_is_not_sent_to_v10_nor_to_bad_ones(void **state)
{
	struct gossip_lab *l = *state;
	struct px px;

	full_mesh(l);
	lab_member(l, 30, GOSSIP_V10);
	assert_int_equal(lab_graft(l, 30, "room"), 0);
	px = px_said(l, 30);
	assert_int_equal(px.prunes, 1);
	assert_int_equal(px.peers, 0);
	assert_int_equal(px.backoff_s, 0);
	/* Who comes back too early is told nothing; so is a bad one. */
	assert_int_equal(lab_graft(l, 20, "room"), 0);
	assert_int_equal(px_said(l, 20).peers, GOSSIP_PX_PEERS_MAX);
	assert_int_equal(lab_graft(l, 20, "room"), 0);
	px = px_said(l, 20);
	assert_int_equal(px.prunes, 1);
	assert_int_equal(px.peers, 0);
	gossip_peer_app(l->g, lab_id(l, 21), -100);
	assert_int_equal(lab_graft(l, 21, "room"), 0);
	assert_int_equal(px_said(l, 21).peers, 0);
	/* Nor are bad ones named, nor anybody when we leave. */
	assert_int_equal(lab_graft(l, 22, "room"), 0);
	assert_false(px_said(l, 22).named[21]);
	gossip_leave(l->g, &l->te.env, bytes_str("room"));
	px = px_said(l, 0);
	assert_int_equal(px.prunes, 1);
	assert_int_equal(px.peers, 0);
	assert_int_equal(px.backoff_s, GOSSIP_UNSUBSCRIBE_BACKOFF_S);
}

static void test_px_fits_whatever_the_records(void **state)
{
	struct gossip_lab *l = *state;
	struct px px;

	for (unsigned i = 0; i < RECORDS; i++) {
		buf_clear(&records[i]);
		seal(l, i, PEER_RECORD_ADDRS_MAX);
	}
	full_mesh(l);
	assert_int_equal(lab_graft(l, 20, "room"), 0);
	px = px_said(l, 20);
	assert_in_range(px.with_record, 6, 8);
	assert_int_equal(px.peers, GOSSIP_PX_PEERS_MAX);
}

static void test_px_names_a_peer_by_its_newest_record(void **state)
{
	struct gossip_lab *l = *state;
	uint8_t huge[GOSSIP_PX_RECORD_BYTES_MAX + 1] = {0};
	size_t held;

	full_mesh(l);
	held = l->g->held.used;
	/* Again, for somebody who is not here, or too large. */
	give_records(l);
	gossip_peer_record(l->g, lab_id(l, 40), buf_bytes(&records[1]));
	gossip_peer_record(l->g, lab_id(l, 2), bytes_of(huge, sizeof(huge)));
	assert_int_equal(l->g->held.used, held);
	assert_int_equal(lab_graft(l, 20, "room"), 0);
	assert_int_equal(px_said(l, 20).with_record, 14);
	/* None is known any more, or it is gone with its peer. */
	gossip_peer_record(l->g, lab_id(l, 1), bytes_of(NULL, 0));
	assert_int_equal(l->g->held.used,
		held - records[1].len + GOSSIP_BACKOFF_COST_BYTES);
	gossip_peer_remove(l->g, &l->te.env, lab_id(l, 13));
	lab_member(l, 13, GOSSIP_V11);
	lab_hush(l);
	assert_int_equal(lab_graft(l, 22, "room"), 0);
	assert_int_equal(px_said(l, 22).with_record, 12);
}

/* Strangers may be many, and all of one hand. */
static void test_px_names_known_ones_among_the_first(void **state)
{
	struct gossip_lab *l = *state;

	full_mesh(l);
	gossip_peer_app(l->g, lab_id(l, 3), 5);
	gossip_peer_app(l->g, lab_id(l, 5), 5);
	gossip_peer_app(l->g, lab_id(l, 6), 5); /* of no record */
	for (unsigned i = 20; i < 28; i++) {
		struct px px;

		assert_int_equal(lab_graft(l, i, "room"), 0);
		px = px_said(l, i);
		assert_true(px.first[0] == 3 || px.first[0] == 5);
		assert_true(px.first[2] == 3 || px.first[2] == 5);
	}
}

static void test_px_is_said_with_a_farewell(void **state)
{
	struct gossip_lab *l = *state;
	struct px px;

	full_mesh(l);
	assert_true(gossip_shares(l->g, lab_id(l, 20)));
	assert_true(in_mesh(l, 0));
	gossip_farewell(l->g, &l->te.env, lab_id(l, 0));
	assert_false(in_mesh(l, 0));
	px = px_said(l, 0);
	assert_int_equal(px.prunes, 1);
	assert_int_equal(px.peers, GOSSIP_PX_PEERS_MAX);
	/* Who was in no mesh is told as well. */
	gossip_farewell(l->g, &l->te.env, lab_id(l, 20));
	assert_int_equal(px_said(l, 20).peers, GOSSIP_PX_PEERS_MAX);
	/* In what it does not share nobody is named. */
	assert_int_equal(lab_subscribe(l, 21, "room", false), 0);
	assert_false(gossip_shares(l->g, lab_id(l, 21)));
	(void)px_said(l, 21);
	gossip_farewell(l->g, &l->te.env, lab_id(l, 21));
	assert_int_equal(px_said(l, 21).prunes, 0);
	/* Nor does the mesh take it back at once. */
	lab_pass(l, 2 * (uint64_t)GOSSIP_HEARTBEAT_MS);
	assert_false(in_mesh(l, 0));
	gossip_farewell(l->g, &l->te.env, lab_id(l, LAB_PEERS - 1));
	assert_false(gossip_shares(l->g, lab_id(l, LAB_PEERS - 1)));
}

/* Who does not read gets its PRUNEs, but not everybody's records for each. */
static void test_px_is_not_piled_up(void **state)
{
	struct gossip_lab *l = *state;
	struct px px;
	char name[8];

	for (unsigned i = 0; i < RECORDS; i++) {
		buf_clear(&records[i]);
		seal(l, i, PEER_RECORD_ADDRS_MAX);
	}
	full_mesh(l);
	for (unsigned n = 0; n < 20; n++) {
		snprintf(name, sizeof(name), "r%u", n);
		assert_int_equal(
			gossip_join(l->g, &l->te.env, bytes_str(name)), 0);
		for (unsigned i = 0; i <= GOSSIP_D_HIGH; i++) {
			assert_int_equal(lab_subscribe(l, i, name, true), 0);
			assert_int_equal(lab_graft(l, i, name), 0);
			if (i < GOSSIP_D_HIGH)
				(void)lab_said(l, i);
		}
	}
	for (unsigned i = 0; i < RECORDS; i++)
		if (i != GOSSIP_D_HIGH)
			(void)lab_said(l, i);
	assert_in_range(gossip_out_bytes(l->g), 1, 2 * GOSSIP_RPC_PACK_BYTES);
	px = px_said(l, GOSSIP_D_HIGH);
	assert_int_equal(px.prunes, 20);
	assert_in_range(px.peers, 1, 19 * (GOSSIP_D_HIGH - 1));
}

/* ---- receiving ---- */

static void put_peer(
	struct gossip_lab *l, const struct peer_id *id, struct bytes record)
{
	size_t mark = pb_begin(&l->rpc, PRUNE_PEERS);

	pb_put_bytes(&l->rpc, PEER_INFO_ID, peer_id_bytes(id));
	if (record.len > 0)
		pb_put_bytes(&l->rpc, PEER_INFO_RECORD, record);
	pb_end(&l->rpc, mark);
}

struct marks {
	size_t outer, inner;
};

static struct marks begin_prune(struct gossip_lab *l)
{
	struct marks m = {.outer = pb_begin(&l->rpc, RPC_CONTROL)};

	m.inner = pb_begin(&l->rpc, CONTROL_PRUNE);
	pb_put_bytes(&l->rpc, PRUNE_TOPIC, bytes_str("room"));
	return m;
}

static int end_prune(struct gossip_lab *l, unsigned i, struct marks m)
{
	pb_put_uint(&l->rpc, PRUNE_BACKOFF, 60);
	pb_end(&l->rpc, m.inner);
	pb_end(&l->rpc, m.outer);
	return lab_feed(l, i);
}

/* A member of the mesh that is worth this much. */
static void trusted(struct gossip_lab *l, unsigned i, double worth)
{
	lab_member(l, i, GOSSIP_V11);
	gossip_peer_app(l->g, lab_id(l, i), worth);
	assert_true(in_mesh(l, i));
}

static int prune_naming(struct gossip_lab *l, unsigned i, unsigned named)
{
	struct marks m = begin_prune(l);

	put_peer(l, lab_id(l, named), buf_bytes(&records[named]));
	return end_prune(l, i, m);
}

static void test_px_of_a_trusted_peer_is_passed_on(void **state)
{
	struct gossip_lab *l = *state;
	struct gossip_event ev;

	trusted(l, 0, 1000);
	assert_int_equal(prune_naming(l, 0, 5), 0);
	assert_false(in_mesh(l, 0));
	assert_true(gossip_next_event(l->g, &ev));
	assert_int_equal(ev.kind, GOSSIP_EV_PX);
	assert_true(peer_id_equal(&ev.peer, lab_id(l, 5)));
	assert_true(peer_id_equal(&ev.from, lab_id(l, 0)));
	assert_true(bytes_equal(
		bytes_of(ev.unit, ev.unit_len), buf_bytes(&records[5])));
	free(ev.unit);
	assert_false(gossip_next_event(l->g, &ev));
}

static void test_px_of_others_is_ignored(void **state)
{
	struct gossip_lab *l = *state;

	/* Of no merit. */
	trusted(l, 0, 0);
	assert_int_equal(prune_naming(l, 0, 5), 0);
	assert_int_equal(lab_events(l, GOSSIP_EV_PX), 0);
	/* Not in the mesh any more. */
	gossip_peer_app(l->g, lab_id(l, 0), 1000);
	assert_int_equal(prune_naming(l, 0, 5), 0);
	assert_int_equal(lab_events(l, GOSSIP_EV_PX), 0);
	/* With enough others in the mesh nobody is needed. */
	for (unsigned i = 1; i <= GOSSIP_D + 1; i++) {
		trusted(l, i, 1000);
		assert_int_equal(lab_graft(l, i, "room"), 0);
		if (i >= GOSSIP_D_LOW)
			break;
	}
	for (unsigned i = GOSSIP_D_LOW + 1; i <= GOSSIP_D + 1; i++) {
		lab_member(l, i, GOSSIP_V11);
		assert_int_equal(lab_graft(l, i, "room"), 0);
	}
	assert_int_equal(
		gossip_mesh_size(l->g, bytes_str("room")), GOSSIP_D + 1);
	assert_int_equal(prune_naming(l, 1, 15), 0);
	assert_int_equal(lab_events(l, GOSSIP_EV_PX), 0);
	assert_int_equal(prune_naming(l, 2, 15), 0);
	assert_int_equal(lab_events(l, GOSSIP_EV_PX), 1);
}

static void test_px_needs_a_true_record_of_the_peer_named(void **state)
{
	struct gossip_lab *l = *state;
	uint8_t bent[ENVELOPE_BYTES_MAX];
	struct marks m;

	trusted(l, 0, 1000);
	memcpy(bent, records[5].data, records[5].len);
	bent[records[5].len - 1] ^= 1;
	m = begin_prune(l);
	put_peer(l, lab_id(l, 5), bytes_of(bent, records[5].len));
	put_peer(l, lab_id(l, 5), buf_bytes(&records[6]));
	put_peer(l, lab_id(l, 7), bytes_of(NULL, 0));
	put_peer(l, lab_id(l, 7), bytes_str("x"));
	put_peer(l, lab_id(l, 0), buf_bytes(&records[0]));
	put_peer(l, lab_id(l, LAB_PEERS), buf_bytes(&records[8]));
	pb_put_bytes(&l->rpc, PRUNE_PEERS, bytes_str(""));
	put_peer(l, lab_id(l, 9), buf_bytes(&records[9]));
	assert_int_equal(end_prune(l, 0, m), 0);
	assert_int_equal(lab_events(l, GOSSIP_EV_PX), 1);
	assert_int_equal(gossip_counters(l->g)->px_heard, 1);
	assert_int_equal(gossip_counters(l->g)->refused, 3);
}

static void test_px_is_read_up_to_16(void **state)
{
	struct gossip_lab *l = *state;
	struct marks m;

	trusted(l, 0, 1000);
	m = begin_prune(l);
	for (unsigned i = 1; i < RECORDS; i++)
		put_peer(l, lab_id(l, i), buf_bytes(&records[i]));
	assert_int_equal(end_prune(l, 0, m), 0);
	assert_int_equal(lab_events(l, GOSSIP_EV_PX), GOSSIP_PX_PEERS_MAX);
	/* And as many another time. */
	lab_pass(l, (GOSSIP_PRUNE_BACKOFF_S + 2) * 1000);
	assert_int_equal(lab_graft(l, 0, "room"), 0);
	assert_int_equal(prune_naming(l, 0, 5), 0);
	assert_int_equal(lab_events(l, GOSSIP_EV_PX), 1);
}

/* js-libp2p and go-libp2p unsubscribe before they send PRUNE. */
static void test_px_of_who_leaves_the_room_is_taken_once(void **state)
{
	struct gossip_lab *l = *state;

	trusted(l, 0, 1000);
	assert_int_equal(lab_subscribe(l, 0, "room", false), 0);
	assert_false(in_mesh(l, 0));
	assert_int_equal(prune_naming(l, 0, 5), 0);
	assert_int_equal(lab_events(l, GOSSIP_EV_PX), 1);
	assert_int_equal(prune_naming(l, 0, 7), 0);
	assert_int_equal(lab_events(l, GOSSIP_EV_PX), 0);
}

static void test_px_of_who_was_no_member_is_ignored(void **state)
{
	struct gossip_lab *l = *state;

	trusted(l, 0, 1000);
	/* It comes back, and is no member yet. */
	assert_int_equal(lab_subscribe(l, 0, "room", false), 0);
	assert_int_equal(
		gossip_set_direct(l->g, &l->te.env, lab_id(l, 0), true), 0);
	assert_int_equal(lab_subscribe(l, 0, "room", true), 0);
	assert_false(in_mesh(l, 0));
	assert_int_equal(prune_naming(l, 0, 5), 0);
	assert_int_equal(lab_events(l, GOSSIP_EV_PX), 0);
	/* It is out of the mesh when it unsubscribes. */
	assert_int_equal(lab_subscribe(l, 0, "room", false), 0);
	assert_int_equal(prune_naming(l, 0, 7), 0);
	assert_int_equal(lab_events(l, GOSSIP_EV_PX), 0);
	/* We left and came back in between. */
	trusted(l, 1, 1000);
	assert_int_equal(lab_subscribe(l, 1, "room", false), 0);
	gossip_leave(l->g, &l->te.env, bytes_str("room"));
	assert_int_equal(gossip_join(l->g, &l->te.env, bytes_str("room")), 0);
	assert_int_equal(prune_naming(l, 1, 5), 0);
	assert_int_equal(lab_events(l, GOSSIP_EV_PX), 0);
}

/* Where a person has sent us, and nothing is known of it. */
static void chosen(struct gossip_lab *l, unsigned i)
{
	struct gossip_peer peer = {.id = *lab_id(l, i),
		.version = GOSSIP_V11,
		.outbound = true,
		.chosen = true};

	assert_int_equal(gossip_peer_add(l->g, &l->te.env, &peer), 0);
	assert_int_equal(lab_subscribe(l, i, "room", true), 0);
	(void)lab_said(l, i);
	(void)lab_events(l, GOSSIP_EV_TOPIC);
}

/* How many are believed of `count` that peer i names. */
static unsigned believed(struct gossip_lab *l, unsigned i, unsigned count)
{
	struct marks m = begin_prune(l);

	for (unsigned n = 0; n < count; n++)
		put_peer(l, lab_id(l, RECORDS - 1 - n),
			buf_bytes(&records[RECORDS - 1 - n]));
	assert_int_equal(end_prune(l, i, m), 0);
	return lab_events(l, GOSSIP_EV_PX);
}

static void test_px_of_the_chosen_is_taken_when_alone(void **state)
{
	struct gossip_lab *l = *state;

	/* It called us, or the LAN named it. */
	lab_member(l, 0, GOSSIP_V11);
	assert_int_equal(believed(l, 0, 9), 0);
	chosen(l, 1);
	assert_int_equal(believed(l, 1, 9), GOSSIP_D_LOW);
	/* It never was in the mesh, as who comes to a full one. */
	assert_false(in_mesh(l, 1));
	lab_pass(l, GOSSIP_HEARTBEAT_MS);
	assert_int_equal(believed(l, 1, 9), GOSSIP_D_LOW);
	/* The more others there are the fewer it may name. */
	for (unsigned n = 1; n <= GOSSIP_D_LOW; n++) {
		lab_member(l, 1 + n, GOSSIP_V11);
		assert_true(in_mesh(l, 1 + n));
		lab_pass(l, GOSSIP_HEARTBEAT_MS);
		assert_int_equal(believed(l, 1, 9), GOSSIP_D_LOW - n);
	}
}

static void test_px_of_the_chosen_has_an_end(void **state)
{
	struct gossip_lab *l = *state;
	unsigned sum = 0;

	chosen(l, 1);
	for (unsigned n = 0; n < 20; n++) {
		sum += believed(l, 1, 9);
		lab_pass(l, GOSSIP_HEARTBEAT_MS);
	}
	assert_int_equal(sum, GOSSIP_PX_STRANGERS_MAX);
	chosen(l, 2);
	gossip_peer_app(l->g, lab_id(l, 2), -1);
	assert_int_equal(believed(l, 2, 9), 0);
}

static void test_px_of_bad_form_ends_the_stream(void **state)
{
	struct gossip_lab *l = *state;
	struct marks m;

	trusted(l, 0, 1000);
	m = begin_prune(l);
	pb_put_bytes(&l->rpc, PRUNE_PEERS, bytes_str("\x0a\x7f"));
	assert_int_equal(end_prune(l, 0, m), P2P_ERR_TRUNCATED);
}

/* ---- kept peers ---- */

static void test_direct_peer_gets_all_and_is_in_no_mesh(void **state)
{
	struct gossip_lab *l = *state;

	lab_member(l, 0, GOSSIP_V11);
	lab_member(l, 1, GOSSIP_V11);
	assert_true(in_mesh(l, 1));
	assert_int_equal(
		gossip_set_direct(l->g, &l->te.env, lab_id(l, 1), true), 0);
	assert_int_equal(lab_said(l, 1).prunes, 1);
	assert_false(in_mesh(l, 1));
	assert_int_equal(lab_graft(l, 1, "room"), 0);
	assert_int_equal(lab_said(l, 1).prunes, 1);
	lab_pass(l, 70000);
	assert_false(in_mesh(l, 1));
	lab_hush(l);
	assert_int_equal(lab_message(l, 0, lab_sign(l, 9, 1, "room", "x")), 0);
	assert_int_equal(lab_said(l, 1).messages, 1);
	/* Not what it has no part in. */
	assert_int_equal(lab_subscribe(l, 1, "room", false), 0);
	assert_int_equal(lab_message(l, 0, lab_sign(l, 9, 2, "room", "x")), 0);
	assert_int_equal(lab_said(l, 1).messages, 0);
}

static void test_direct_peer_is_heard_whatever_its_score(void **state)
{
	struct gossip_lab *l = *state;

	lab_member(l, 0, GOSSIP_V11);
	lab_member(l, 1, GOSSIP_V11);
	assert_int_equal(
		gossip_set_direct(l->g, &l->te.env, lab_id(l, 1), true), 0);
	for (unsigned i = 0; i < 2; i++)
		for (unsigned n = 0; n < 60; n++)
			score_misbehave(l->g->score, lab_id(l, i), 100);
	assert_true(gossip_peer_score(l->g, lab_id(l, 1)) <
		    l->g->score_params->graylist_threshold);
	lab_hush(l);
	assert_int_equal(lab_message(l, 0, lab_sign(l, 9, 1, "room", "x")), 0);
	assert_int_equal(lab_events(l, GOSSIP_EV_UNIT), 0);
	assert_int_equal(lab_message(l, 1, lab_sign(l, 9, 2, "room", "x")), 0);
	assert_int_equal(lab_events(l, GOSSIP_EV_UNIT), 1);
	assert_int_equal(gossip_publish(l->g, &l->te.env,
				 lab_sign(l, LAB_PEERS, 1, "room", "x")),
		1);
	assert_int_equal(lab_said(l, 1).messages, 1);
}

static void test_direct_outlives_a_connection_and_can_end(void **state)
{
	struct gossip_lab *l = *state;

	assert_int_equal(
		gossip_set_direct(l->g, &l->te.env, lab_id(l, 1), true), 0);
	lab_member(l, 1, GOSSIP_V11);
	assert_false(in_mesh(l, 1));
	gossip_peer_remove(l->g, &l->te.env, lab_id(l, 1));
	lab_member(l, 1, GOSSIP_V11);
	assert_false(in_mesh(l, 1));
	assert_int_equal(
		gossip_set_direct(l->g, &l->te.env, lab_id(l, 1), false), 0);
	lab_pass(l, GOSSIP_HEARTBEAT_MS);
	assert_true(in_mesh(l, 1));
}

static void test_direct_peers_are_bounded(void **state)
{
	struct gossip_lab *l = *state;
	struct peer_id id = *lab_id(l, 0);

	for (unsigned i = 0; i <= GOSSIP_DIRECT_MAX; i++) {
		put_be16(id.raw + id.len - 2, (uint16_t)i);
		assert_int_equal(gossip_set_direct(l->g, &l->te.env, &id, true),
			i < GOSSIP_DIRECT_MAX ? 0 : P2P_ERR_LIMIT);
	}
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(test_px_is_sent_when_the_mesh_is_full),
		T(test_px_is_sent_when_the_mesh_is_thinned),
		T(test_px_is_not_sent_to_v10_nor_to_bad_ones),
		T(test_px_fits_whatever_the_records),
		T(test_px_names_a_peer_by_its_newest_record),
		T(test_px_names_known_ones_among_the_first),
		T(test_px_is_said_with_a_farewell),
		T(test_px_is_not_piled_up),
		T(test_px_of_a_trusted_peer_is_passed_on),
		T(test_px_of_others_is_ignored),
		T(test_px_needs_a_true_record_of_the_peer_named),
		T(test_px_is_read_up_to_16),
		T(test_px_of_who_leaves_the_room_is_taken_once),
		T(test_px_of_who_was_no_member_is_ignored),
		T(test_px_of_the_chosen_is_taken_when_alone),
		T(test_px_of_the_chosen_has_an_end),
		T(test_px_of_bad_form_ends_the_stream),
		T(test_direct_peer_gets_all_and_is_in_no_mesh),
		T(test_direct_peer_is_heard_whatever_its_score),
		T(test_direct_outlives_a_connection_and_can_end),
		T(test_direct_peers_are_bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

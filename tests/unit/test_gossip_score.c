/* What peers do and what becomes of them (gossipsub v1.1 spec, "Peer Scoring",
 * "Outbound Mesh Quotas", "Spam Protection Measures"). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <cmocka.h>

#include "base/xmalloc.h"
#include "net/pubsub/gossip_id.h"
#include "net/wire/pb.h"
#include "tests/lib/vector.h"
#include "tests/unit/gossip_lab.h"

#define ME LAB_PEERS

static bool meshed(struct gossip_lab *l, unsigned i)
{
	return gossip_in_mesh(l->g, room(), lab_id(l, i));
}

static double worth(struct gossip_lab *l, unsigned i)
{
	return gossip_peer_score(l->g, lab_id(l, i));
}

static void opinion(struct gossip_lab *l, unsigned i, double value)
{
	gossip_peer_app(l->g, lab_id(l, i), value);
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

static int hear(struct gossip_lab *l, unsigned i, unsigned author, uint64_t n)
{
	return lab_message(l, i, lab_sign(l, author, n, "room", "hello"));
}

static int say(struct gossip_lab *l, uint64_t n)
{
	return gossip_publish(
		l->g, &l->te.env, lab_sign(l, ME, n, "room", "x"));
}

/* A unit of another whose signature is wrong; spoil says how. */
static void forge(struct gossip_lab *l, unsigned i, uint64_t n,
	void (*spoil)(uint8_t *unit, size_t len))
{
	struct bytes unit = lab_sign(l, 30, n, "room", "hello");
	uint8_t *bent = xmemdup(unit.data, unit.len);

	spoil(bent, unit.len);
	assert_int_equal(lab_message(l, i, bytes_of(bent, unit.len)), 0);
	free(bent);
}

static void spoil_text(uint8_t *unit, size_t len)
{
	for (size_t i = 0; i + 5 < len; i++)
		if (memcmp(unit + i, "hello", 5) == 0)
			unit[i] ^= 1;
}

/* R of the signature becomes this point, as who has the key can make it. */
static uint8_t point[32];

static void spoil_point(uint8_t *unit, size_t len)
{
	for (size_t i = 0; i + 2 + 64 < len; i++)
		if (unit[i] == 0x2a && unit[i + 1] == 64)
			memcpy(unit + i + 2, point, sizeof(point));
}

/* ---- forgers ---- */

/* The 30 bytes in between. */
#define ZEROS "000000000000000000000000000000000000000000000000000000000000"
#define ONES "ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff"

static void test_gossip_negative_peer_is_pruned(void **state)
{
	struct gossip_lab *l = *state;
	struct said s;

	lab_member(l, 0, GOSSIP_V11);
	lab_member(l, 1, GOSSIP_V11);
	assert_true(meshed(l, 0) && meshed(l, 1));
	forge(l, 0, 1, spoil_text);
	assert_true(worth(l, 0) < 0);
	lab_pass(l, GOSSIP_HEARTBEAT_MS);
	assert_false(meshed(l, 0));
	assert_true(meshed(l, 1));
	s = lab_said(l, 0);
	assert_int_equal(s.prunes, 1);
	assert_int_equal(s.backoff_s, GOSSIP_PRUNE_BACKOFF_S);
	/* Not grafted when its time has come, nor when it asks. */
	lab_pass(l, 70000);
	assert_int_equal(lab_said(l, 0).grafts, 0);
	assert_int_equal(lab_graft(l, 0, "room"), 0);
	assert_int_equal(lab_said(l, 0).prunes, 1);
	assert_false(meshed(l, 0));
	assert_int_equal(gossip_counters(l->g)->behaviour, 0);
	/* Not when it comes back, either. */
	gossip_peer_remove(l->g, &l->te.env, lab_id(l, 0));
	lab_pass(l, 70000);
	lab_member(l, 0, GOSSIP_V11);
	assert_true(worth(l, 0) < 0);
	assert_false(meshed(l, 0));
	/* After more than an hour all is forgiven. */
	lab_pass(l, 3700000);
	assert_true(worth(l, 0) >= 0);
	assert_true(meshed(l, 0));
}

static void test_gossip_all_who_bring_a_forgery_pay(void **state)
{
	struct gossip_lab *l = *state;

	lab_member(l, 0, GOSSIP_V11);
	lab_member(l, 1, GOSSIP_V11);
	l->late = true;
	forge(l, 0, 1, spoil_text);
	forge(l, 1, 1, spoil_text);
	/* One leaves before the verdict. */
	gossip_peer_remove(l->g, &l->te.env, lab_id(l, 0));
	l->late = false;
	lab_verify(l);
	assert_true(worth(l, 1) <= -99);
	lab_member(l, 0, GOSSIP_V11);
	assert_true(worth(l, 0) <= -99);
}

/* Of small order, or not the only encoding: go and others find signatures with
 * such a point in order. What another program finds valid it forwards, and is
 * not to blame. */
static void test_gossip_disputed_signature_costs_nobody(void **state)
{
	static const char *const disputed[] = {"01" ZEROS
					       "00", /* the neutral one */
		"00" ZEROS "00",                     /* order 4 */
		"ec" ONES "7f",                      /* order 2: p - 1 */
		"ed" ONES "7f", /* p and p + 1 are 0 and 1 */
		"ee" ONES "7f",
		"26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b1"
		"3802886d53fc05", /* order 8 */
		"c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64e"
		"c7fd7792ac037a"};
	struct gossip_lab *l = *state;
	unsigned n = 0;

	lab_member(l, 0, GOSSIP_V11);
	for (size_t i = 0; i < P2P_ARRAY_LEN(disputed); i++)
		for (int sign = 0; sign < 2; sign++) {
			vector_hex_fixed(disputed[i], point, sizeof(point));
			point[31] |= (uint8_t)(sign << 7);
			forge(l, 0, 1, spoil_point);
			assert_int_equal(
				gossip_counters(l->g)->units_rejected, ++n);
			assert_int_equal(lab_events(l, GOSSIP_EV_UNIT), 0);
			assert_true(worth(l, 0) >= 0);
		}
}

/* One bit beside them there is nothing to dispute. */
static void test_gossip_forged_points_are_forgeries(void **state)
{
	static const char *const sure[] = {"02" ZEROS "00", "eb" ONES "7f",
		"01" ZEROS "01", "ee" ONES "6f",
		"0100000000000000000000000000000001000000000000000000"
		"000000000000",
		"eeffffffffffffffffffffffffffffffff7fffffffffffffffff"
		"ffffffffff7f",
		"26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b1"
		"3802886d53fc04",
		"c6176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64e"
		"c7fd7792ac037a"};
	struct gossip_lab *l = *state;

	for (unsigned i = 0; i < P2P_ARRAY_LEN(sure); i++) {
		lab_member(l, i, GOSSIP_V11);
		vector_hex_fixed(sure[i], point, sizeof(point));
		forge(l, i, 20, spoil_point);
		assert_true(worth(l, i) <= -99);
	}
}

/* A unit of the owner of one key, with another key in it; in hexadecimal. */
static void hear_foreign(struct gossip_lab *l, const char *owner,
	const char *key, const char *signature)
{
	static uint64_t seqno;
	uint8_t number[8], key_pb[128], sig[128];
	size_t len = strlen(owner) / 2;
	struct peer_id from;

	vector_hex_fixed(owner, key_pb, len);
	peer_id_of_key(&from, bytes_of(key_pb, len));
	put_be64(number, ++seqno);
	buf_reset(&l->unit);
	pb_put_bytes(&l->unit, 1, peer_id_bytes(&from));
	pb_put_bytes(&l->unit, 2, bytes_str("hello"));
	pb_put_bytes(&l->unit, 3, bytes_of(number, sizeof(number)));
	pb_put_bytes(&l->unit, 4, room());
	len = strlen(signature) / 2;
	vector_hex_fixed(signature, sig, len);
	pb_put_bytes(&l->unit, 5, bytes_of(sig, len));
	len = strlen(key) / 2;
	vector_hex_fixed(key, key_pb, len);
	pb_put_bytes(&l->unit, 6, bytes_of(key_pb, len));
	assert_int_equal(lab_message(l, 0, buf_bytes(&l->unit)), 0);
	assert_int_equal(lab_events(l, GOSSIP_EV_UNIT), 0);
}

#define SECP256K1 \
	"08021221" \
	"0279be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798"
#define P256 \
	"0803125b3059301306072a8648ce3d020106082a8648ce3d03010703420004" \
	"6b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296" \
	"4fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5"
/* P-224, which go knows. */
#define P224 \
	"08031250304e301006072a8648ce3d020106052b81040021033a0004" \
	"b70e0cbd6bb4bf7f321390b94a03c1d356c21122343280d6115c1d21" \
	"bd376388b5f723fb4c22dfe6cd4375a05a07476444d5819985007e34"

/* go takes the higher s of secp256k1 and what stands behind an ECDSA signature:
 * who has such a key could have honest go peers punished. */
static void test_gossip_disputed_foreign_signature_costs_nobody(void **state)
{
	struct gossip_lab *l = *state;
	double before = 0;

	lab_member(l, 0, GOSSIP_V11);
	/* r = 1, s = the order of the group - 1; then a long form of 1, 1. */
	hear_foreign(l, SECP256K1, SECP256K1,
		"3026020101022100fffffffffffffffffffffffffffffffebaaedce6af48a0"
		"3"
		"bbfd25e8cd0364140");
	hear_foreign(l, SECP256K1, SECP256K1, "308106020101020101");
	hear_foreign(l, P256, P256, "300602010102010100");
	hear_foreign(l, P224, P224, "3006020101020101");
	/* js compares no key with an author's id that is a hash. */
	hear_foreign(l, P256, SECP256K1, "3006020101020101");
	assert_int_equal(gossip_counters(l->g)->units_rejected +
				 gossip_counters(l->g)->units_ignored,
		5);
	assert_true(worth(l, 0) >= before);
#ifdef HAVE_SECP256K1
	/* Spelt as everybody reads it, it is a forgery. */
	hear_foreign(l, SECP256K1, SECP256K1, "3006020101020101");
	assert_true(worth(l, 0) <= -99);
#endif
#ifdef HAVE_NETTLE
	before = worth(l, 0);
	hear_foreign(l, P256, P256, "3006020101020101");
	assert_true(worth(l, 0) <= before - 99);
#endif
}

static void test_gossip_odd_messages_cost_nobody(void **state)
{
	struct gossip_lab *l = *state;
	struct buf odd;

	lab_member(l, 0, GOSSIP_V11);
	buf_init(&odd, 4096);
	(void)buf_append(&odd, lab_sign(l, 1, 7, "room", "hello"));
	(void)buf_append(&odd, bytes_str("\x48\x01")); /* an unknown field */
	assert_int_equal(lab_message(l, 0, buf_bytes(&odd)), 0);
	assert_int_equal(lab_message(l, 0, bytes_str("\x0a\x01x")), 0);
	assert_int_equal(
		lab_message(l, 0, lab_sign(l, 1, 8, "elsewhere", "x")), 0);
	for (unsigned i = 0; i < 50; i++)
		assert_int_equal(hear(l, 0, 1, 9), 0);
	assert_true(worth(l, 0) >= 0);
	buf_clear(&odd);
}

static void test_gossip_graylisted_rpc_is_ignored(void **state)
{
	struct gossip_lab *l = *state;
	uint8_t raw[64];

	lab_member(l, 0, GOSSIP_V11);
	lab_member(l, 1, GOSSIP_V11);
	for (unsigned n = 1; n <= 4; n++)
		forge(l, 0, n, spoil_text);
	assert_true(worth(l, 0) < score_params_chat.graylist_threshold);
	assert_int_equal(gossip_counters(l->g)->graylisted, 0);
	lab_hush(l);
	assert_int_equal(hear(l, 0, 2, 7), 0);
	assert_int_equal(lab_ihave(l, 0, "room", id_of(l, 2, 8, raw), 1), 0);
	assert_int_equal(lab_graft(l, 0, "room"), 0);
	assert_int_equal(lab_events(l, GOSSIP_EV_UNIT), 0);
	assert_int_equal(lab_said(l, 0).rpcs, 0);
	assert_int_equal(gossip_counters(l->g)->graylisted, 3);
	/* Where it is is noted: it may be forgiven. */
	assert_int_equal(lab_subscribe(l, 0, "room", false), 0);
	assert_int_equal(lab_subscribe(l, 0, "room", true), 0);
	assert_int_equal(lab_events(l, GOSSIP_EV_TOPIC), 2);
	lab_pass(l, 3600000);
	assert_int_equal(hear(l, 0, 2, 7), 0);
	assert_int_equal(lab_events(l, GOSSIP_EV_UNIT), 1);
}

/* ---- thresholds ---- */

static void test_gossip_own_lines_stop_below_publish_threshold(void **state)
{
	struct gossip_lab *l = *state;

	lab_member(l, 0, GOSSIP_V11);
	lab_member(l, 1, GOSSIP_FLOODSUB);
	lab_member(l, 2, GOSSIP_V11);
	opinion(l, 0, score_params_chat.publish_threshold);
	opinion(l, 1, score_params_chat.publish_threshold);
	assert_int_equal(say(l, 1), 3);
	opinion(l, 0, score_params_chat.publish_threshold - 1);
	opinion(l, 1, score_params_chat.publish_threshold - 1);
	lab_hush(l);
	assert_int_equal(say(l, 2), 1);
	assert_int_equal(lab_said(l, 2).messages, 1);
	/* Others' are not flooded to it, either. */
	assert_int_equal(hear(l, 2, 3, 7), 0);
	assert_int_equal(lab_said(l, 1).messages, 0);
}

static void test_gossip_no_gossip_below_its_threshold(void **state)
{
	struct gossip_lab *l = *state;
	double limit = score_params_chat.gossip_threshold;
	uint8_t raw[64];
	struct bytes id;

	lab_member(l, 0, GOSSIP_V11);
	assert_int_equal(lab_prune(l, 0, "room", 60), 0);
	opinion(l, 0, limit);
	/* At the threshold all three ways are open ... */
	id = id_of(l, 2, 0x100, raw);
	assert_int_equal(lab_ihave(l, 0, "room", id, 1), 0);
	assert_int_equal(lab_said(l, 0).iwant_ids, 1);
	assert_int_equal(say(l, 1), 1);
	lab_hush(l);
	assert_int_equal(lab_iwant(l, 0, id_of(l, ME, 1, raw)), 0);
	assert_int_equal(lab_said(l, 0).messages, 1);
	lab_pass(l, 1000);
	assert_int_equal(lab_said(l, 0).ihave_ids, 1);
	/* ... and below it none. */
	opinion(l, 0, limit - 1);
	id = id_of(l, 2, 0x200, raw);
	assert_int_equal(lab_ihave(l, 0, "room", id, 1), 0);
	assert_int_equal(lab_said(l, 0).iwant_ids, 0);
	assert_int_equal(lab_iwant(l, 0, id_of(l, ME, 1, raw)), 0);
	assert_int_equal(lab_said(l, 0).messages, 0);
	lab_pass(l, 1000);
	assert_int_equal(lab_said(l, 0).ihave_ids, 0);
}

/* ---- the mesh ---- */

static void crowd_grafts(struct gossip_lab *l, unsigned from, unsigned to)
{
	for (unsigned i = from; i < to; i++) {
		lab_member(l, i, GOSSIP_V11);
		assert_int_equal(lab_graft(l, i, "room"), 0);
	}
}

static void test_gossip_keeps_best_d_score(void **state)
{
	struct gossip_lab *l = *state;

	crowd_grafts(l, 0, GOSSIP_D_HIGH);
	lab_add(l, 30, GOSSIP_V11, true);
	assert_int_equal(lab_subscribe(l, 30, "room", true), 0);
	assert_int_equal(lab_graft(l, 30, "room"), 0);
	for (unsigned i = 0; i < GOSSIP_D_SCORE; i++)
		opinion(l, 2 * i + 1, 5 + i);
	lab_pass(l, GOSSIP_HEARTBEAT_MS);
	assert_int_equal(gossip_mesh_size(l->g, room()), GOSSIP_D);
	for (unsigned i = 0; i < GOSSIP_D_SCORE; i++)
		assert_true(meshed(l, 2 * i + 1));
	/* And the only one that we dialled. */
	assert_true(meshed(l, 30));
}

/* Outbound peers displace even the best when the quota needs them. */
static void test_gossip_thinning_keeps_outbound_quota(void **state)
{
	struct gossip_lab *l = *state;

	for (unsigned round = 0; round < 5; round++) {
		unsigned at = round * 2;

		crowd_grafts(l, 10, 10 + GOSSIP_D_HIGH - 1);
		for (unsigned i = 0; i < GOSSIP_D_HIGH - 1; i++)
			opinion(l, 10 + i, 10);
		for (unsigned i = at; i < at + 2; i++) {
			lab_add(l, i, GOSSIP_V11, true);
			assert_int_equal(lab_subscribe(l, i, "room", true), 0);
			assert_int_equal(lab_graft(l, i, "room"), 0);
		}
		assert_int_equal(
			gossip_mesh_size(l->g, room()), GOSSIP_D_HIGH + 1);
		lab_pass(l, GOSSIP_HEARTBEAT_MS);
		assert_int_equal(gossip_mesh_size(l->g, room()), GOSSIP_D);
		assert_true(meshed(l, at) && meshed(l, at + 1));
		for (unsigned i = 0; i < LAB_PEERS; i++)
			gossip_peer_remove(l->g, &l->te.env, lab_id(l, i));
		lab_pass(l, 62000);
	}
}

static void test_gossip_heartbeat_fills_outbound_quota(void **state)
{
	struct gossip_lab *l = *state;
	unsigned outbound = 0;

	crowd_grafts(l, 0, GOSSIP_D);
	for (unsigned i = 20; i < 25; i++) {
		lab_add(l, i, GOSSIP_V11, true);
		assert_int_equal(lab_subscribe(l, i, "room", true), 0);
		assert_false(meshed(l, i)); /* the mesh has enough */
	}
	opinion(l, 20, -1);
	lab_pass(l, GOSSIP_HEARTBEAT_MS);
	for (unsigned i = 20; i < 25; i++)
		outbound += meshed(l, i);
	assert_int_equal(outbound, GOSSIP_D_OUT);
	assert_false(meshed(l, 20));
	lab_pass(l, 10 * GOSSIP_HEARTBEAT_MS);
	assert_int_equal(
		gossip_mesh_size(l->g, room()), GOSSIP_D + GOSSIP_D_OUT);
}

static void test_gossip_opportunistic_grafting(void **state)
{
	struct gossip_lab *l = *state;
	unsigned better = 0;

	crowd_grafts(l, 0, GOSSIP_D);
	for (unsigned i = 10; i < 20; i++)
		lab_member(l, i, GOSSIP_V11);
	/* Outsiders whose own lines reach us first. */
	for (unsigned i = 10; i < 14; i++)
		for (unsigned n = 0; n < 3; n++)
			assert_int_equal(hear(l, i, i, n), 0);
	lab_pass(
		l, (GOSSIP_OPPORTUNISTIC_HEARTBEATS - 1) * GOSSIP_HEARTBEAT_MS);
	assert_int_equal(gossip_mesh_size(l->g, room()), GOSSIP_D);
	lab_pass(l, GOSSIP_HEARTBEAT_MS);
	for (unsigned i = 10; i < 14; i++)
		better += meshed(l, i);
	assert_int_equal(better, GOSSIP_OPPORTUNISTIC_PEERS);
	assert_int_equal(gossip_mesh_size(l->g, room()),
		GOSSIP_D + GOSSIP_OPPORTUNISTIC_PEERS);
}

static void test_gossip_quiet_room_is_left_alone(void **state)
{
	struct gossip_lab *l = *state;

	crowd_grafts(l, 0, GOSSIP_D);
	for (unsigned i = 10; i < 20; i++)
		lab_member(l, i, GOSSIP_V11);
	lab_hush(l);
	lab_pass(l, 2 * 3600000);
	for (unsigned i = 0; i < 20; i++) {
		struct said s = lab_said(l, i);

		assert_int_equal(s.grafts + s.prunes, 0);
		assert_true(worth(l, i) >= 0);
	}
}

/* P1, and with it all that the score knows of meshes. */
static void test_gossip_time_in_the_mesh_counts(void **state)
{
	struct gossip_lab *l = *state;

	/* Two that we graft, one that asks for it, one outside. */
	crowd_grafts(l, 0, 2);
	lab_member(l, 2, GOSSIP_V11);
	assert_int_equal(lab_graft(l, 2, "room"), 0);
	lab_member(l, 3, GOSSIP_V11);
	assert_int_equal(lab_prune(l, 3, "room", 3600), 0);
	lab_pass(l, 900000);
	for (unsigned i = 0; i < 3; i++)
		assert_true(worth(l, i) > 0.24 && worth(l, i) < 0.26);
	assert_true(worth(l, 3) == 0);
	/* It ends with the membership. */
	assert_int_equal(lab_prune(l, 0, "room", 60), 0);
	assert_true(worth(l, 0) == 0);
	gossip_leave(l->g, &l->te.env, room());
	assert_true(worth(l, 1) == 0);
}

static void test_gossip_good_mesh_is_left_alone(void **state)
{
	struct gossip_lab *l = *state;

	crowd_grafts(l, 0, GOSSIP_D);
	lab_member(l, 10, GOSSIP_V11);
	opinion(l, 10, 50);
	for (unsigned i = 0; i < GOSSIP_D; i++)
		opinion(l, i, 5);
	lab_pass(l, 120 * GOSSIP_HEARTBEAT_MS);
	assert_false(meshed(l, 10));
}

static void test_gossip_who_takes_no_stream_holds_no_place(void **state)
{
	struct gossip_lab *l = *state;

	/* Its stream is here before ours could be opened. */
	assert_int_equal(gossip_peer_seen(l->g, &l->te.env, lab_id(l, 0)), 0);
	assert_int_equal(lab_subscribe(l, 0, "room", true), 0);
	assert_int_equal(lab_graft(l, 0, "room"), 0);
	assert_false(meshed(l, 0));
	lab_pass(l, 5000);
	assert_false(meshed(l, 0));
	/* Ours opens: the GRAFT counts, though the mesh has enough. */
	crowd_grafts(l, 1, 9);
	lab_add(l, 0, GOSSIP_V11, false);
	assert_true(meshed(l, 0));
	assert_int_equal(lab_said(l, 0).prunes, 0);
	/* It refuses ours. */
	gossip_peer_mute(l->g, lab_id(l, 0));
	assert_int_equal(lab_graft(l, 0, "room"), 0);
	assert_false(meshed(l, 0));
}

/* ---- back-off ---- */

static void test_gossip_graft_in_backoff_costs(void **state)
{
	struct gossip_lab *l = *state;

	lab_member(l, 0, GOSSIP_V11);
	assert_int_equal(lab_prune(l, 0, "room", 60), 0);
	lab_pass(l, GOSSIP_GRAFT_FLOOD_MS - 1);
	assert_int_equal(lab_graft(l, 0, "room"), 0);
	assert_int_equal(gossip_counters(l->g)->behaviour, 2);
	lab_pass(l, GOSSIP_GRAFT_FLOOD_MS);
	assert_int_equal(lab_graft(l, 0, "room"), 0);
	assert_int_equal(gossip_counters(l->g)->behaviour, 3);
	/* A slip is free, a habit is not. */
	assert_true(worth(l, 0) >= 0);
	for (unsigned i = 0; i < 3; i++)
		assert_int_equal(lab_graft(l, 0, "room"), 0);
	assert_true(worth(l, 0) < 0);
	for (unsigned i = 0; i < 6; i++)
		assert_int_equal(lab_graft(l, 0, "room"), 0);
	assert_true(worth(l, 0) < score_params_chat.graylist_threshold);
}

static void test_gossip_graft_after_exact_backoff_is_welcome(void **state)
{
	struct gossip_lab *l = *state;

	lab_member(l, 0, GOSSIP_V11);
	assert_int_equal(lab_prune(l, 0, "room", 10), 0);
	/* We wait a heartbeat more; who does not is in its right. */
	lab_pass(l, 10000);
	assert_false(meshed(l, 0));
	assert_int_equal(lab_graft(l, 0, "room"), 0);
	assert_true(meshed(l, 0));
	assert_int_equal(gossip_counters(l->g)->behaviour, 0);
}

static void test_gossip_v10_knows_no_backoff_and_pays_nothing(void **state)
{
	struct gossip_lab *l = *state;

	lab_member(l, 0, GOSSIP_V10);
	assert_int_equal(lab_prune(l, 0, "room", -1), 0);
	for (unsigned i = 0; i < 30; i++) {
		assert_int_equal(lab_graft(l, 0, "room"), 0);
		assert_false(meshed(l, 0));
		lab_pass(l, 1000);
	}
	assert_true(worth(l, 0) >= 0);
}

/* ---- promises ---- */

static void test_gossip_promise_broken_costs(void **state)
{
	struct gossip_lab *l = *state;
	uint8_t raw[64];

	lab_member(l, 0, GOSSIP_V11);
	for (unsigned n = 0; n < 60; n++) {
		assert_int_equal(
			lab_ihave(l, 0, "room", id_of(l, 2, n << 12, raw), 5),
			0);
		(void)lab_said(l, 0); /* our IWANT has left */
		lab_pass(l, 1000);
	}
	assert_in_range(gossip_counters(l->g)->promises_broken, 10, 60);
	assert_true(worth(l, 0) < score_params_chat.gossip_threshold);
}

static void test_gossip_promise_is_kept_by_anybody(void **state)
{
	struct gossip_lab *l = *state;
	uint8_t raw[64];
	struct buf odd;

	lab_member(l, 0, GOSSIP_V11);
	lab_member(l, 1, GOSSIP_V11);
	assert_int_equal(lab_ihave(l, 0, "room", id_of(l, 2, 1, raw), 1), 0);
	assert_int_equal(hear(l, 1, 2, 1), 0);
	/* A message that we would not take keeps it, too. */
	assert_int_equal(lab_ihave(l, 0, "room", id_of(l, 2, 2, raw), 1), 0);
	buf_init(&odd, 4096);
	(void)buf_append(&odd, lab_sign(l, 2, 2, "room", "hello"));
	(void)buf_append(&odd, bytes_str("\x48\x01"));
	assert_int_equal(lab_message(l, 0, buf_bytes(&odd)), 0);
	buf_clear(&odd);
	lab_hush(l);
	lab_pass(l, 10000);
	assert_int_equal(gossip_counters(l->g)->promises_broken, 0);
}

static void test_gossip_promise_in_every_form_of_id(void **state)
{
	struct gossip_lab *l = *state;
	uint8_t raw[64], out[GOSSIP_ID_BYTES_MAX];

	lab_member(l, 0, GOSSIP_V11);
	for (unsigned f = GOSSIP_FORM_FROM_SEQNO; f <= GOSSIP_FORM_TEXT; f++) {
		size_t n = gossip_id_write(
			(enum gossip_id_form)f, id_of(l, 2, f, raw), out);

		assert_int_equal(
			lab_ihave(l, 0, "room", bytes_of(out, n), 1), 0);
		assert_int_equal(hear(l, 0, 2, f), 0);
	}
	/* One of no known form could never be seen to be kept. */
	assert_int_equal(
		lab_ihave(l, 0, "room", bytes_str("hash of something"), 1), 0);
	lab_hush(l);
	lab_pass(l, 10000);
	assert_int_equal(gossip_counters(l->g)->promises_broken, 0);
}

static void test_gossip_promise_waits_for_our_own_question(void **state)
{
	struct gossip_lab *l = *state;
	uint8_t raw[64];

	lab_member(l, 0, GOSSIP_V11);
	lab_member(l, 1, GOSSIP_V11);
	/* Our IWANT still waits for its stream. */
	assert_int_equal(lab_ihave(l, 0, "room", id_of(l, 2, 1, raw), 1), 0);
	/* A stream that broke took it along. */
	assert_int_equal(lab_ihave(l, 1, "room", id_of(l, 2, 2, raw), 1), 0);
	lab_add(l, 1, GOSSIP_V11, false);
	(void)lab_said(l, 1);
	lab_pass(l, 10000);
	assert_int_equal(gossip_counters(l->g)->promises_broken, 0);
}

static void test_gossip_promise_waits_while_we_do_not_read(void **state)
{
	struct gossip_lab *l = *state;
	uint8_t raw[64];

	lab_member(l, 0, GOSSIP_V11);
	assert_int_equal(lab_ihave(l, 0, "room", id_of(l, 2, 1, raw), 1), 0);
	lab_hush(l);
	for (unsigned i = 0; i < 10; i++) {
		gossip_unread(l->g, &l->te.env);
		lab_pass(l, 1000);
	}
	assert_int_equal(gossip_counters(l->g)->promises_broken, 0);
	/* Asleep for a minute: what came meanwhile is read after the tick. */
	l->te.env.now_ms += 60000;
	gossip_tick(l->g, &l->te.env);
	assert_int_equal(gossip_counters(l->g)->promises_broken, 0);
	lab_pass(l, 5000);
	assert_int_equal(gossip_counters(l->g)->promises_broken, 1);
}

static void test_gossip_ihave_flood_breaks_few_promises_at_once(void **state)
{
	struct gossip_lab *l = *state;
	uint8_t raw[64];

	lab_member(l, 0, GOSSIP_V11);
	for (unsigned n = 0; n < 50; n++)
		assert_int_equal(
			lab_ihave(l, 0, "room", id_of(l, 2, n << 12, raw), 100),
			0);
	lab_hush(l);
	lab_pass(l, 5000);
	assert_int_equal(gossip_counters(l->g)->promises_broken,
		GOSSIP_PROMISES_PER_PEER_MAX);
	assert_true(worth(l, 0) >= 0);
}

/* ---- one address ---- */

static void test_gossip_crowd_of_one_address_leaves_the_mesh(void **state)
{
	struct gossip_lab *l = *state;
	struct gossip_peer peer = {
		.version = GOSSIP_V11, .site = {.len = 4, .net = {8, 8, 8, 8}}};

	for (unsigned i = 0; i < 12; i++) {
		peer.id = *lab_id(l, i);
		peer.site.local = false;
		assert_int_equal(gossip_peer_add(l->g, &l->te.env, &peer), 0);
		assert_int_equal(lab_subscribe(l, i, "room", true), 0);
	}
	lab_pass(l, GOSSIP_HEARTBEAT_MS);
	assert_int_equal(gossip_mesh_size(l->g, room()), 0);
	/* Of a LAN, or of this machine, they are welcome. */
	for (unsigned i = 0; i < 12; i++) {
		gossip_peer_remove(l->g, &l->te.env, lab_id(l, i));
		peer.id = *lab_id(l, i + 20);
		peer.site.local = true;
		assert_int_equal(gossip_peer_add(l->g, &l->te.env, &peer), 0);
		assert_int_equal(lab_subscribe(l, i + 20, "room", true), 0);
	}
	lab_pass(l, GOSSIP_HEARTBEAT_MS);
	assert_in_range(gossip_mesh_size(l->g, room()), GOSSIP_D_LOW, GOSSIP_D);
}

/* Adaptive gossip (1.1): a quarter of those outside the mesh, not D_lazy. */
static void test_gossip_goes_to_a_quarter_of_many(void **state)
{
	struct gossip_lab *l = *state;
	struct peer_id far = *lab_id(l, 30);
	uint8_t id[PEER_ID_BYTES_MAX + UNIT_SEQNO_BYTES] = {0};
	size_t id_len = far.len + UNIT_SEQNO_BYTES;
	unsigned told = 0;
	size_t mesh;

	/* Each names a message, which shows what its ids look like. */
	memcpy(id, far.raw, far.len);
	for (unsigned i = 0; i < LAB_PEERS; i++) {
		lab_member(l, i, GOSSIP_V11);
		assert_int_equal(
			lab_ihave(l, i, "room", bytes_of(id, id_len), 1), 0);
	}
	lab_hush(l);
	mesh = gossip_mesh_size(l->g, bytes_str("room"));
	assert_int_equal(gossip_publish(l->g, &l->te.env,
				 lab_sign(l, ME, 5, "room", "x")),
		LAB_PEERS);
	lab_hush(l);
	lab_pass(l, 1000);
	for (unsigned i = 0; i < LAB_PEERS; i++)
		told += lab_said(l, i).ihave_ids;
	assert_in_range(
		told, (LAB_PEERS - mesh) / 4 - 2, (LAB_PEERS - mesh) / 4 + 2);
	assert_true(told > 6);
}

/* Whenever a message comes: everybody is told before it is named no more. */
static void test_gossip_leaves_nobody_out(void **state)
{
	struct gossip_lab *l = *state;
	struct peer_id far = *lab_id(l, 30);
	uint8_t id[PEER_ID_BYTES_MAX + UNIT_SEQNO_BYTES] = {0};
	size_t id_len = far.len + UNIT_SEQNO_BYTES;
	unsigned told[LAB_PEERS];

	memcpy(id, far.raw, far.len);
	for (unsigned i = 0; i < LAB_PEERS; i++) {
		lab_member(l, i, GOSSIP_V11);
		assert_int_equal(
			lab_ihave(l, i, "room", bytes_of(id, id_len), 1), 0);
	}
	for (unsigned line = 0; line < 8; line++) {
		memset(told, 0, sizeof(told));
		assert_in_range(gossip_publish(l->g, &l->te.env,
					lab_sign(l, ME, 5 + line, "room", "x")),
			LAB_PEERS - 1, LAB_PEERS);
		lab_hush(l);
		for (unsigned n = 0; n < GOSSIP_HISTORY_GOSSIP; n++) {
			lab_pass(l, GOSSIP_HEARTBEAT_MS);
			for (unsigned i = 0; i < LAB_PEERS; i++)
				told[i] += lab_said(l, i).ihave_ids;
		}
		for (unsigned i = 0; i < LAB_PEERS; i++)
			assert_true(told[i] > 0 ||
				    gossip_in_mesh(l->g, bytes_str("room"),
					    lab_id(l, i)));
		lab_pass(l, (GOSSIP_HISTORY_WINDOWS + line % 3) *
				    GOSSIP_HEARTBEAT_MS);
	}
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, lab_begin, lab_end)
	const struct CMUnitTest tests[] = {
		T(test_gossip_negative_peer_is_pruned),
		T(test_gossip_all_who_bring_a_forgery_pay),
		T(test_gossip_disputed_signature_costs_nobody),
		T(test_gossip_forged_points_are_forgeries),
		T(test_gossip_disputed_foreign_signature_costs_nobody),
		T(test_gossip_odd_messages_cost_nobody),
		T(test_gossip_graylisted_rpc_is_ignored),
		T(test_gossip_own_lines_stop_below_publish_threshold),
		T(test_gossip_no_gossip_below_its_threshold),
		T(test_gossip_keeps_best_d_score),
		T(test_gossip_thinning_keeps_outbound_quota),
		T(test_gossip_heartbeat_fills_outbound_quota),
		T(test_gossip_opportunistic_grafting),
		T(test_gossip_quiet_room_is_left_alone),
		T(test_gossip_time_in_the_mesh_counts),
		T(test_gossip_good_mesh_is_left_alone),
		T(test_gossip_who_takes_no_stream_holds_no_place),
		T(test_gossip_graft_in_backoff_costs),
		T(test_gossip_graft_after_exact_backoff_is_welcome),
		T(test_gossip_v10_knows_no_backoff_and_pays_nothing),
		T(test_gossip_promise_broken_costs),
		T(test_gossip_promise_is_kept_by_anybody),
		T(test_gossip_promise_in_every_form_of_id),
		T(test_gossip_promise_waits_for_our_own_question),
		T(test_gossip_promise_waits_while_we_do_not_read),
		T(test_gossip_ihave_flood_breaks_few_promises_at_once),
		T(test_gossip_crowd_of_one_address_leaves_the_mesh),
		T(test_gossip_goes_to_a_quarter_of_many),
		T(test_gossip_leaves_nobody_out),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* The signed message: what is valid, and what it is called. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "base/xmalloc.h"
#include "net/unit/unit_batch.h"
#include "net/wire/pb.h"
#include "tests/lib/vector.h"

#define VECTOR_COUNT 40

static struct identity me;

static int verdict(const char *name)
{
	static const int all[] = {0, P2P_ERR_MALFORMED, P2P_ERR_TOO_BIG,
		P2P_ERR_UNSUPPORTED, P2P_ERR_AUTH};

	for (size_t i = 0; i < P2P_ARRAY_LEN(all); i++) {
		if (strcmp(p2p_err_name(all[i]), name) == 0)
			return all[i];
	}
	fail_msg("no such verdict: %s", name);
	return 0;
}

/* A build without the author's library ignores what others can check. */
static int checkable(int want, const struct unit *u)
{
#ifndef HAVE_SECP256K1
	struct bytes key = peer_id_key(&u->from);

	if (key.len > 1 && key.data[1] == KEY_KIND_SECP256K1)
		return P2P_ERR_UNSUPPORTED;
#endif
	(void)u;
	return want;
}

static void test_unit_verdicts_never_change(void **state)
{
	struct vector_file v;
	struct buf raw;
	struct unit u;
	struct unit_id id;
	uint8_t want[UNIT_ID_BYTES];
	int count = 0;

	(void)state;
	buf_init(&raw, UNIT_BYTES_MAX);
	vector_open(&v, "unit.txt");
	for (; vector_next(&v, 5); count++) {
		int err;

		vector_hex(v.word[3], &raw);
		err = unit_parse(&u, buf_bytes(&raw));
		if (err != verdict(v.word[1]))
			fail_msg("%s: %s", v.word[0], p2p_err_name(err));
		if (err != 0)
			continue;
		err = unit_verify(&u);
		if (err != checkable(verdict(v.word[2]), &u))
			fail_msg("%s: %s", v.word[0], p2p_err_name(err));
		vector_hex_fixed(v.word[4], want, sizeof(want));
		unit_id_of(&u, &id);
		assert_memory_equal(id.raw, want, sizeof(want));
	}
	assert_int_equal(count, VECTOR_COUNT);
	buf_clear(&raw);
}

static void test_unit_signs_as_js_does(void **state)
{
	struct vector_file v;
	struct buf want, got;

	(void)state;
	buf_init(&want, UNIT_BYTES_MAX);
	buf_init(&got, UNIT_BYTES_MAX);
	vector_open(&v, "unit.txt");
	while (vector_next(&v, 5)) {
		if (strcmp(v.word[0], "js-with-key") == 0)
			vector_hex(v.word[3], &want);
	}
	assert_int_equal(
		unit_sign(&me, 1, bytes_str("t"), bytes_str("hi"), &got), 0);
	assert_true(bytes_equal(buf_bytes(&got), buf_bytes(&want)));
	buf_clear(&want);
	buf_clear(&got);
}

static void test_unit_sign_then_parse_gives_the_parts(void **state)
{
	static uint8_t data[UNIT_DATA_BYTES_MAX + 1];
	static const size_t lengths[] = {
		0, 1, 127, 128, 1900, 2048, 16384, UNIT_DATA_BYTES_MAX};
	uint8_t gossip[UNIT_GOSSIP_ID_BYTES_MAX], seqno[UNIT_SEQNO_BYTES];
	struct unit u;
	struct buf raw;

	(void)state;
	buf_init(&raw, UNIT_BYTES_MAX);
	put_be64(seqno, 0x1122334455667788);
	for (size_t i = 0; i < P2P_ARRAY_LEN(lengths); i++) {
		struct bytes d = bytes_of(data, lengths[i]);

		buf_reset(&raw);
		memset(data, (int)i, sizeof(data));
		assert_int_equal(unit_sign(&me, 0x1122334455667788,
					 bytes_str("room"), d, &raw),
			0);
		assert_int_equal(unit_parse(&u, buf_bytes(&raw)), 0);
		assert_int_equal(unit_verify(&u), 0);
		assert_true(peer_id_equal(&u.from, &me.id));
		assert_true(bytes_equal(u.data, d));
		assert_true(bytes_equal(u.topic, bytes_str("room")));
		assert_memory_equal(u.seqno, seqno, sizeof(seqno));
	}
	assert_int_equal(unit_gossip_id(&u, gossip), 38 + 8);
	assert_memory_equal(gossip, me.id.raw, 38);
	assert_memory_equal(gossip + 38, seqno, sizeof(seqno));
	buf_clear(&raw);
}

static void test_unit_refuses_what_is_too_large(void **state)
{
	static uint8_t data[UNIT_BYTES_MAX + 1];
	struct unit u;
	struct buf raw, small;

	(void)state;
	buf_init(&raw, 2 * UNIT_BYTES_MAX);
	buf_init(&small, 60);
	assert_int_equal(unit_sign(&me, 1, bytes_str("t"),
				 bytes_of(data, UNIT_DATA_BYTES_MAX + 1), &raw),
		P2P_ERR_TOO_BIG);
	assert_int_equal(
		unit_sign(&me, 1, bytes_of(data, 129), bytes_str("x"), &raw),
		P2P_ERR_TOO_BIG);
	assert_int_equal(
		unit_sign(&me, 1, bytes_of(data, 0), bytes_str("x"), &raw),
		P2P_ERR_TOO_BIG);
	assert_int_equal(raw.len, 0);
	/* No room for the signature: nothing is left behind. */
	assert_int_equal(
		unit_sign(&me, 1, bytes_str("t"), bytes_str("x"), &small),
		P2P_ERR_TOO_BIG);
	assert_int_equal(small.len, 0);
	/* One byte more than is accepted, in right form. */
	pb_put_bytes(&raw, 1, peer_id_bytes(&me.id));
	pb_put_bytes(&raw, 2, bytes_of(data, UNIT_DATA_BYTES_MAX + 1));
	pb_put_bytes(&raw, 3, bytes_of(data, 8));
	pb_put_bytes(&raw, 4, bytes_str("t"));
	pb_put_bytes(&raw, 5, bytes_of(data, 64));
	assert_int_equal(unit_parse(&u, buf_bytes(&raw)), P2P_ERR_TOO_BIG);
	assert_int_equal(
		unit_parse(&u, bytes_of(data, sizeof(data))), P2P_ERR_TOO_BIG);
	buf_clear(&raw);
	buf_clear(&small);
}

/* Every bit of what was signed counts; key and signature have no part in the
 * unit's name. */
static void test_unit_with_any_bit_changed_is_not_verified(void **state)
{
	struct buf raw;
	struct unit u;
	struct unit_id id, changed;

	(void)state;
	buf_init(&raw, UNIT_BYTES_MAX);
	assert_int_equal(
		unit_sign(&me, 7, bytes_str("t"), bytes_str("hi"), &raw), 0);
	assert_int_equal(unit_parse(&u, buf_bytes(&raw)), 0);
	unit_id_of(&u, &id);
	for (size_t i = 0; i < raw.len * 8; i++) {
		bool named;

		raw.data[i / 8] ^= (uint8_t)(1u << i % 8);
		named = unit_parse(&u, buf_bytes(&raw)) == 0;
		if (named)
			assert_int_not_equal(unit_verify(&u), 0);
		unit_id_of(&u, &changed);
		if (named && u.signature.data > raw.data + i / 8)
			assert_false(unit_id_equal(&id, &changed));
		raw.data[i / 8] ^= (uint8_t)(1u << i % 8);
	}
	assert_int_equal(unit_parse(&u, buf_bytes(&raw)), 0);
	assert_int_equal(unit_verify(&u), 0);
	buf_clear(&raw);
}

/* The bytes go to another thread and back; what was read there stays good
 * with whoever has the bytes. */
static void test_unit_batch_brings_back_what_it_read(void **state)
{
	struct unit_batch *b = unit_batch_new(3);
	struct unit_check *c = b->check;
	struct buf raw;

	(void)state;
	buf_init(&raw, UNIT_BYTES_MAX);
	assert_int_equal(
		unit_sign(&me, 7, bytes_str("room"), bytes_str("hi"), &raw), 0);
	unit_batch_add_take(b, xmemdup(raw.data, raw.len), raw.len);
	raw.data[raw.len - 1] ^= 1;
	unit_batch_add_take(b, xmemdup(raw.data, raw.len), raw.len);
	unit_batch_add_take(b, xmemdup("x", 1), 1);
	unit_batch_check(b);
	assert_int_equal(b->count, 3);
	assert_int_equal(c[0].verdict, 0);
	assert_int_equal(c[1].verdict, P2P_ERR_AUTH);
	assert_int_equal(c[2].verdict, P2P_ERR_MALFORMED);
	for (int i = 0; i < 2; i++) {
		assert_true(peer_id_equal(&c[i].u.from, &me.id));
		assert_true(bytes_equal(c[i].u.topic, bytes_str("room")));
		assert_true(bytes_equal(c[i].u.data, bytes_str("hi")));
		assert_in_range((uintptr_t)c[i].u.data.data,
			(uintptr_t)c[i].unit,
			(uintptr_t)(c[i].unit + c[i].len));
	}
	msg_free(&b->msg);
	buf_clear(&raw);
}

static int setup(void **state)
{
	uint8_t seed[32];

	(void)state;
	memset(seed, 1, sizeof(seed));
	if (crypto_init() != 0)
		return -1;
	identity_from_seed(&me, seed);
	return 0;
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_unit_verdicts_never_change),
		cmocka_unit_test(test_unit_signs_as_js_does),
		cmocka_unit_test(test_unit_sign_then_parse_gives_the_parts),
		cmocka_unit_test(test_unit_refuses_what_is_too_large),
		cmocka_unit_test(
			test_unit_with_any_bit_changed_is_not_verified),
		cmocka_unit_test(test_unit_batch_brings_back_what_it_read),
	};

	return cmocka_run_group_tests_name("unit", tests, setup, NULL);
}

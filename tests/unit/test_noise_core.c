/* The Noise pattern XX against other people's vectors. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <cmocka.h>

#include "net/upgrade/noise_core.h"
#include "tests/lib/vector.h"

#define BYTES_MAX 4096

/* Both sides of one case of the vector file. */
struct vector_case {
	struct noise_core side[2]; /* initiator, responder */
	struct noise_cipher send[2];
	struct noise_cipher receive[2];
	struct buf payload;
	struct buf wire;
	uint8_t hash[32];
	bool has_hash;
};

static void case_init(struct vector_case *c, struct vector_file *v)
{
	uint8_t s[32], e[32];
	struct buf prologue;

	buf_init(&prologue, BYTES_MAX);
	buf_init(&c->payload, BYTES_MAX);
	buf_init(&c->wire, BYTES_MAX);
	vector_hex(v->word[2], &prologue);
	for (int i = 0; i < 2; i++) {
		vector_hex_fixed(v->word[3 + 2 * i], s, 32);
		vector_hex_fixed(v->word[4 + 2 * i], e, 32);
		noise_core_init(
			&c->side[i], i == 0, s, e, buf_bytes(&prologue));
	}
	c->has_hash = v->word[7][0] != '-';
	if (c->has_hash)
		vector_hex_fixed(v->word[7], c->hash, 32);
	buf_clear(&prologue);
}

static void check_handshake_message(struct vector_case *c, int writer)
{
	uint8_t out[BYTES_MAX], in[BYTES_MAX];
	size_t len;
	struct noise_core *w = &c->side[writer], *r = &c->side[!writer];

	assert_int_equal(noise_core_extra(w) + c->payload.len, c->wire.len);
	assert_int_equal(noise_core_write(r, buf_bytes(&c->payload), out),
		P2P_ERR_STATE);
	assert_int_equal(noise_core_write(w, buf_bytes(&c->payload), out), 0);
	assert_memory_equal(out, c->wire.data, c->wire.len);
	assert_int_equal(noise_core_read(r, buf_bytes(&c->wire), in, &len), 0);
	assert_int_equal(len, c->payload.len);
	assert_memory_equal(in, c->payload.data, len);
}

static void check_transport_message(struct vector_case *c, int writer)
{
	uint8_t out[BYTES_MAX];
	struct bytes none = bytes_of(NULL, 0);

	assert_int_equal(c->payload.len + CRYPTO_TAG_BYTES, c->wire.len);
	assert_int_equal(noise_cipher_seal(&c->send[writer], none,
				 buf_bytes(&c->payload), out),
		0);
	assert_memory_equal(out, c->wire.data, c->wire.len);
	assert_int_equal(noise_cipher_open(&c->receive[!writer], none,
				 buf_bytes(&c->wire), out),
		0);
	assert_memory_equal(out, c->payload.data, c->payload.len);
}

static void check_case(struct vector_file *v)
{
	struct vector_case c;
	int count = (int)strtol(v->word[1], NULL, 10);

	case_init(&c, v);
	for (int i = 0; i < count; i++) {
		assert_true(vector_next(v, 2));
		vector_hex(v->word[0], &c.payload);
		vector_hex(v->word[1], &c.wire);
		if (i < NOISE_MESSAGE_COUNT)
			check_handshake_message(&c, i % 2);
		else
			check_transport_message(&c, i % 2);
		if (i != NOISE_MESSAGE_COUNT - 1)
			continue;
		for (int side = 0; side < 2; side++) {
			noise_core_split(
				&c.side[side], &c.send[side], &c.receive[side]);
			if (c.has_hash)
				assert_memory_equal(
					c.side[side].hash, c.hash, 32);
		}
	}
	buf_clear(&c.payload);
	buf_clear(&c.wire);
}

static void test_handshake_and_transport_follow_the_vectors(void **state)
{
	struct vector_file v;
	int cases = 0;

	(void)state;
	vector_open(&v, "noise-xx.txt");
	while (vector_next(&v, 8)) {
		check_case(&v);
		cases++;
	}
	assert_int_equal(cases, 2);
}

static void keys_init(struct noise_core *a, struct noise_core *b)
{
	uint8_t key[4][32];

	for (int i = 0; i < 4; i++)
		memset(key[i], 0x11 * (i + 1), 32);
	noise_core_init(a, true, key[0], key[1], bytes_of(NULL, 0));
	noise_core_init(b, false, key[2], key[3], bytes_of(NULL, 0));
}

/* Every bit of the second and third message is covered by a tag or hash. */
static void test_no_bit_of_a_message_can_be_changed(void **state)
{
	uint8_t m1[64], m2[160], m3[96], bent[160], out[160];
	size_t len;

	(void)state;
	for (size_t bit = 0; bit < 8 * (NOISE_MESSAGE2_EXTRA + 4); bit += 3) {
		struct noise_core a, b;

		keys_init(&a, &b);
		assert_int_equal(
			noise_core_write(&a, bytes_of(NULL, 0), m1), 0);
		assert_int_equal(
			noise_core_read(&b, bytes_of(m1, 32), out, &len), 0);
		assert_int_equal(
			noise_core_write(&b, bytes_str("pay2"), m2), 0);
		memcpy(bent, m2, sizeof(m2));
		bent[bit / 8] ^= (uint8_t)(1u << bit % 8);
		/* The top bit of an X25519 key is not part of the point, but
		 * it is hashed, so the next tag is wrong all the same. */
		assert_int_equal(
			noise_core_read(&a,
				bytes_of(bent, NOISE_MESSAGE2_EXTRA + 4), out,
				&len),
			P2P_ERR_AUTH);
	}
	for (size_t bit = 0; bit < 8 * (NOISE_MESSAGE3_EXTRA + 4); bit += 3) {
		struct noise_core a, b;

		keys_init(&a, &b);
		assert_int_equal(
			noise_core_write(&a, bytes_of(NULL, 0), m1), 0);
		assert_int_equal(
			noise_core_read(&b, bytes_of(m1, 32), out, &len), 0);
		assert_int_equal(
			noise_core_write(&b, bytes_str("pay2"), m2), 0);
		assert_int_equal(noise_core_read(&a,
					 bytes_of(m2, NOISE_MESSAGE2_EXTRA + 4),
					 out, &len),
			0);
		assert_int_equal(
			noise_core_write(&a, bytes_str("pay3"), m3), 0);
		m3[bit / 8] ^= (uint8_t)(1u << bit % 8);
		assert_int_equal(noise_core_read(&b,
					 bytes_of(m3, NOISE_MESSAGE3_EXTRA + 4),
					 out, &len),
			P2P_ERR_AUTH);
	}
}

static void test_short_message_is_truncated_not_read(void **state)
{
	struct noise_core a, b;
	uint8_t m1[32], out[32];
	size_t len;

	(void)state;
	keys_init(&a, &b);
	assert_int_equal(noise_core_write(&a, bytes_of(NULL, 0), m1), 0);
	for (size_t n = 0; n < 32; n++)
		assert_int_equal(
			noise_core_read(&b, bytes_of(m1, n), out, &len),
			P2P_ERR_TRUNCATED);
}

static void test_point_of_small_order_is_refused(void **state)
{
	struct noise_core a, b;
	uint8_t m1[32] = {0}, out[128];
	size_t len;

	(void)state;
	keys_init(&a, &b);
	assert_int_equal(noise_core_read(&b, bytes_of(m1, 32), out, &len), 0);
	assert_int_equal(
		noise_core_write(&b, bytes_of(NULL, 0), out), P2P_ERR_AUTH);
}

static void test_nonce_moves_only_on_success_and_never_wraps(void **state)
{
	struct noise_cipher c = {.has_key = true}, d = {.has_key = true};
	struct bytes none = bytes_of(NULL, 0);
	uint8_t wire[20], out[20];

	(void)state;
	assert_int_equal(
		noise_cipher_seal(&c, none, bytes_str("data"), wire), 0);
	assert_int_equal(c.nonce, 1);
	wire[0] ^= 1;
	assert_int_equal(noise_cipher_open(&d, none, bytes_of(wire, 20), out),
		P2P_ERR_AUTH);
	assert_int_equal(d.nonce, 0);
	wire[0] ^= 1;
	assert_int_equal(
		noise_cipher_open(&d, none, bytes_of(wire, 20), out), 0);
	assert_int_equal(d.nonce, 1);
	/* A replay meets the next nonce and fails. */
	assert_int_equal(noise_cipher_open(&d, none, bytes_of(wire, 20), out),
		P2P_ERR_AUTH);
	c.nonce = UINT64_MAX - 1;
	assert_int_equal(
		noise_cipher_seal(&c, none, bytes_str("data"), wire), 0);
	assert_int_equal(noise_cipher_seal(&c, none, bytes_str("data"), wire),
		P2P_ERR_LIMIT);
	d.nonce = UINT64_MAX;
	assert_int_equal(noise_cipher_open(&d, none, bytes_of(wire, 20), out),
		P2P_ERR_LIMIT);
}

static int setup(void **state)
{
	(void)state;
	return crypto_init();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			test_handshake_and_transport_follow_the_vectors),
		cmocka_unit_test(test_no_bit_of_a_message_can_be_changed),
		cmocka_unit_test(test_short_message_is_truncated_not_read),
		cmocka_unit_test(test_point_of_small_order_is_refused),
		cmocka_unit_test(
			test_nonce_moves_only_on_success_and_never_wraps),
	};

	return cmocka_run_group_tests_name("noise_core", tests, setup, NULL);
}

/* Bytes as text, multihashes, and content identifiers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "net/wire/cid.h"
#include "net/wire/multibase.h"
#include "tests/lib/vector.h"

/* The default room's name as go-libp2p's routing discovery finds it. */
#define ROOM_CID "bafkreibtomzah3lva2fjxe3pqlqv4hm4qhixccm6aoyanqsjlfvbtlzun4"
#define ROOM_HASH \
	"122033733203ed75068a9b936f82e15e1d9c81d171099e03b006c249596a19af346f"

static void test_multibase_agrees_with_multiformats(void **state)
{
	struct vector_file v;
	struct buf raw, got;
	int count = 0;

	(void)state;
	buf_init(&raw, 100);
	buf_init(&got, 100);
	vector_open(&v, "multibase.txt");
	while (vector_next(&v, 2)) {
		vector_hex(v.word[1], &raw);
		buf_reset(&got);
		assert_int_equal(
			multibase_decode_any(bytes_str(v.word[0]), &got), 0);
		assert_true(bytes_equal(buf_bytes(&got), buf_bytes(&raw)));
		buf_reset(&got);
		assert_int_equal(multibase_encode((enum multibase)v.word[0][0],
					 buf_bytes(&raw), &got),
			0);
		assert_string_equal(buf_cstr(&got), v.word[0] + 1);
		count++;
	}
	assert_int_equal(count, 15);
	buf_clear(&raw);
	buf_clear(&got);
}

static void test_multibase_takes_one_spelling_only(void **state)
{
	static const char *const odd[] = {
		"F00",  /* another case */
		"f0",   /* half a byte */
		"f0g",  /* no digit */
		"bab",  /* padding bits are set */
		"baaa", /* a digit too many */
		"b00",  /* no digit */
		"zO0l", /* letters that base58 leaves out */
		"u__B", /* padding bits are set */
		"u=",   /* no padding */
		"kA",   /* case */
		"",     /* no prefix */
		"7123", /* a base we do not have */
	};
	struct buf out;

	(void)state;
	buf_init(&out, 100);
	buf_append_str(&out, "kept");
	for (size_t i = 0; i < P2P_ARRAY_LEN(odd); i++) {
		int err = multibase_decode_any(bytes_str(odd[i]), &out);

		if (err == 0)
			fail_msg("taken: %s", odd[i]);
		assert_string_equal(buf_cstr(&out), "kept");
	}
	buf_clear(&out);
}

static void test_multibase_inverts_itself_at_every_length(void **state)
{
	static const enum multibase bases[] = {MULTIBASE_16, MULTIBASE_32,
		MULTIBASE_36, MULTIBASE_58BTC, MULTIBASE_64URL};
	uint8_t raw[MULTIBASE_RADIX_BYTES_MAX + 1];
	struct buf text, back;

	(void)state;
	buf_init(&text, 1000);
	buf_init(&back, 1000);
	memset(raw, 0xff, sizeof(raw));
	for (size_t b = 0; b < P2P_ARRAY_LEN(bases); b++) {
		for (size_t n = 0; n <= MULTIBASE_RADIX_BYTES_MAX; n++) {
			struct bytes in = bytes_of(raw, n);

			buf_reset(&text);
			buf_reset(&back);
			raw[0] = (uint8_t)(n * 7);
			assert_int_equal(
				multibase_encode(bases[b], in, &text), 0);
			assert_int_equal(multibase_decode(bases[b],
						 buf_bytes(&text), &back),
				0);
			assert_true(bytes_equal(buf_bytes(&back), in));
		}
	}
	assert_int_equal(multibase_encode(MULTIBASE_58BTC,
				 bytes_of(raw, sizeof(raw)), &text),
		P2P_ERR_TOO_BIG);
	buf_clear(&text);
	buf_clear(&back);
}

static void test_multihash_checks_its_length(void **state)
{
	struct buf raw;
	struct cursor c;
	struct multihash mh;

	(void)state;
	buf_init(&raw, 200);
	vector_hex(ROOM_HASH, &raw);
	c = cur_of(buf_bytes(&raw));
	mh = multihash_read(&c);
	assert_true(cur_done(&c));
	assert_int_equal(mh.code, MULTIHASH_SHA2_256);
	assert_int_equal(mh.digest.len, 32);
	raw.data[1] = 31;
	c = cur_of(buf_bytes(&raw));
	(void)multihash_read(&c);
	assert_int_equal(cur_err(&c), P2P_ERR_MALFORMED);
	vector_hex("0041", &raw);
	c = cur_of(buf_bytes(&raw));
	(void)multihash_read(&c);
	assert_int_equal(cur_err(&c), P2P_ERR_TOO_BIG);
	vector_hex("000201", &raw);
	c = cur_of(buf_bytes(&raw));
	(void)multihash_read(&c);
	assert_int_equal(cur_err(&c), P2P_ERR_TRUNCATED);
	buf_clear(&raw);
}

static void test_cid_of_the_room_namespace(void **state)
{
	struct buf raw, hash, text;
	struct cid cid;

	(void)state;
	buf_init(&raw, 200);
	buf_init(&hash, 200);
	buf_init(&text, 200);
	assert_int_equal(cid_parse_text(bytes_str(ROOM_CID), &raw), 0);
	assert_int_equal(cid_parse(&cid, buf_bytes(&raw)), 0);
	assert_int_equal(cid.version, 1);
	assert_int_equal(cid.codec, CID_CODEC_RAW);
	vector_hex(ROOM_HASH, &hash);
	assert_true(bytes_equal(cid.hash, buf_bytes(&hash)));
	assert_int_equal(cid_append(&cid, &text), 0);
	assert_true(bytes_equal(buf_bytes(&text), buf_bytes(&raw)));
	/* Version 0 is the bare hash. */
	assert_int_equal(cid_parse(&cid, buf_bytes(&hash)), 0);
	assert_int_equal(cid.version, 0);
	assert_int_equal(cid.codec, CID_CODEC_DAG_PB);
	buf_clear(&raw);
	buf_clear(&hash);
	buf_clear(&text);
}

static void test_cid_refuses_other_forms(void **state)
{
	struct buf raw;
	struct cid cid;
	static const char *const odd[] = {"-", "01", "0155", "01550000",
		"0255000161", "015500016161", "01551203616161"};

	(void)state;
	buf_init(&raw, 200);
	for (size_t i = 0; i < P2P_ARRAY_LEN(odd); i++) {
		vector_hex(odd[i], &raw);
		if (i == 3) /* an identity hash of nothing is in order */
			assert_int_equal(cid_parse(&cid, buf_bytes(&raw)), 0);
		else
			assert_int_not_equal(
				cid_parse(&cid, buf_bytes(&raw)), 0);
	}
	/* Version 0 behind a multibase prefix is not a CID. */
	buf_reset(&raw);
	assert_int_equal(
		cid_parse_text(bytes_str("zQmYyQSo1c1Ym7orWxLYvCrM2EmxFTANf8"
					 "wXmmE7DWjhx5N"),
			&raw),
		P2P_ERR_MALFORMED);
	buf_clear(&raw);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_multibase_agrees_with_multiformats),
		cmocka_unit_test(test_multibase_takes_one_spelling_only),
		cmocka_unit_test(test_multibase_inverts_itself_at_every_length),
		cmocka_unit_test(test_multihash_checks_its_length),
		cmocka_unit_test(test_cid_of_the_room_namespace),
		cmocka_unit_test(test_cid_refuses_other_forms),
	};

	return cmocka_run_group_tests_name("multibase", tests, NULL, NULL);
}

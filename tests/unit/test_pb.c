/* Numbers, frames, and the protobuf codec. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "net/wire/noise_pb.h"
#include "net/wire/pb.h"
#include "net/wire/varint.h"
#include "tests/lib/vector.h"

#define ITEMS_MAX 3

struct sample {
	bool flag;
	uint64_t number;
	uint64_t fixed;
	struct bytes name;
	struct bytes items[ITEMS_MAX];
	size_t item_count;
};

static const struct pb_rule sample_rules[] = {
	{1, PB_KIND_BOOL, 0, offsetof(struct sample, flag), 0, 0, 0},
	{2, PB_KIND_U64, PB_REQUIRED, offsetof(struct sample, number), 0, 0, 0},
	{3, PB_KIND_FIXED64, 0, offsetof(struct sample, fixed), 0, 0, 0},
	{4, PB_KIND_VIEW, 0, offsetof(struct sample, name), 0, 4, 0},
	{5, PB_KIND_VIEWS, 0, offsetof(struct sample, items),
		offsetof(struct sample, item_count), 4, ITEMS_MAX},
};

static const struct pb_schema lenient = {
	sample_rules, P2P_ARRAY_LEN(sample_rules), false};
static const struct pb_schema strict = {
	sample_rules, P2P_ARRAY_LEN(sample_rules), true};

static int read_hex(
	const struct pb_schema *schema, const char *hex, struct sample *s)
{
	static uint8_t raw[4096]; /* what the views point into */
	struct buf b;
	int err;

	buf_init(&b, sizeof(raw));
	vector_hex(hex, &b);
	memcpy(raw, b.data, b.len);
	*s = (struct sample){0};
	err = pb_read(schema, bytes_of(raw, b.len), s, NULL);
	buf_clear(&b);
	return err;
}

static void test_varint_writes_what_the_cursor_reads(void **state)
{
	static const uint64_t values[] = {0, 1, 127, 128, 300, 16383, 16384,
		UINT32_MAX, INT64_MAX, UINT64_MAX};
	uint8_t raw[VARINT_BYTES_MAX];

	(void)state;
	for (size_t i = 0; i < P2P_ARRAY_LEN(values); i++) {
		size_t n = varint_put(raw, values[i]);
		struct cursor c = cur_of(bytes_of(raw, n));

		assert_int_equal(n, varint_size(values[i]));
		assert_true(cur_uvarint(&c, 10) == values[i]);
		assert_true(cur_done(&c));
	}
}

static void test_frame_is_whole_or_waits(void **state)
{
	struct bytes body, in;
	struct buf b;
	size_t taken;
	uint8_t text[200] = {1};

	(void)state;
	buf_init(&b, 1000);
	assert_int_equal(varint_frame_append(&b, bytes_of(text, 200)), 0);
	buf_append_u8(&b, 9);
	for (size_t n = 0; n < 202; n++) {
		in = bytes_first(buf_bytes(&b), n);
		assert_int_equal(varint_frame_peek(in, 200, &body, &taken), 0);
		assert_int_equal(taken, 0);
	}
	in = buf_bytes(&b);
	assert_int_equal(varint_frame_peek(in, 200, &body, &taken), 0);
	assert_int_equal(taken, 202);
	assert_int_equal(body.len, 200);
	/* Too long is known from the length alone. */
	assert_int_equal(
		varint_frame_peek(bytes_first(in, 2), 199, &body, &taken),
		P2P_ERR_TOO_BIG);
	assert_int_equal(
		varint_frame_peek(bytes_of("\x80\x00", 2), 199, &body, &taken),
		P2P_ERR_MALFORMED);
	buf_clear(&b);
}

static void test_pb_reads_every_kind(void **state)
{
	struct sample s;

	(void)state;
	assert_int_equal(read_hex(&strict,
				 "0801"
				 "10ac02"
				 "190100000000000080"
				 "22026869"
				 "2a0161"
				 "2a00",
				 &s),
		0);
	assert_true(s.flag);
	assert_int_equal(s.number, 300);
	assert_true(s.fixed == 0x8000000000000001);
	assert_true(bytes_equal(s.name, bytes_str("hi")));
	assert_int_equal(s.item_count, 2);
	assert_true(bytes_equal(s.items[0], bytes_str("a")));
	assert_int_equal(s.items[1].len, 0);
	assert_non_null(s.items[1].data);
}

static void test_pb_tells_absent_from_empty(void **state)
{
	struct sample s;

	(void)state;
	assert_int_equal(read_hex(&lenient, "1000", &s), 0);
	assert_null(s.name.data);
	assert_int_equal(read_hex(&lenient, "10002200", &s), 0);
	assert_non_null(s.name.data);
	assert_int_equal(read_hex(&lenient, "2200", &s), P2P_ERR_MALFORMED);
}

static void test_pb_refuses_bad_form(void **state)
{
	static const struct {
		const char *hex;
		int err;
	} cases[] = {
		{"10", P2P_ERR_TRUNCATED},
		{"1000220568656c6c", P2P_ERR_TRUNCATED},
		{"10002280", P2P_ERR_TRUNCATED},
		{"1000190102", P2P_ERR_TRUNCATED},
		{"108000", P2P_ERR_MALFORMED},                 /* not minimal */
		{"10ffffffffffffffffff02", P2P_ERR_MALFORMED}, /* 65 bits */
		{"10000000", P2P_ERR_MALFORMED},               /* field 0 */
		{"100013", P2P_ERR_MALFORMED},                 /* a group */
		{"100016", P2P_ERR_MALFORMED},                 /* wire type 6 */
		{"1200", P2P_ERR_MALFORMED},     /* bytes for a number */
		{"10002001", P2P_ERR_MALFORMED}, /* a number for bytes */
		{"1000f8ffffff1f00", P2P_ERR_MALFORMED}, /* number too large */
		{"1000220568656c6c6f", P2P_ERR_TOO_BIG},
		{"10002a002a002a002a00", P2P_ERR_TOO_BIG},
		{"100022ffffffffffffffff7f", P2P_ERR_TRUNCATED},
	};
	struct sample s;

	(void)state;
	for (size_t i = 0; i < P2P_ARRAY_LEN(cases); i++) {
		int err = read_hex(&lenient, cases[i].hex, &s);

		if (err != cases[i].err)
			fail_msg("%s: %s", cases[i].hex, p2p_err_name(err));
	}
}

static void test_pb_strict_takes_one_spelling_only(void **state)
{
	static const char *const odd[] = {
		"10003001",         /* unknown field */
		"10000800",         /* order */
		"10001001",         /* twice */
		"10002a0022002a00", /* a list in two places */
	};
	struct sample s;

	(void)state;
	for (size_t i = 0; i < P2P_ARRAY_LEN(odd); i++) {
		assert_int_equal(
			read_hex(&strict, odd[i], &s), P2P_ERR_MALFORMED);
		assert_int_equal(read_hex(&lenient, odd[i], &s), 0);
	}
	/* The last of two single values counts. */
	assert_int_equal(read_hex(&lenient, "10001007", &s), 0);
	assert_int_equal(s.number, 7);
}

static void test_pb_counts_unknown_fields(void **state)
{
	struct buf b;
	struct sample s = {0};

	(void)state;
	buf_init(&b, 8192);
	pb_put_uint(&b, 2, 1);
	for (int i = 0; i < PB_UNKNOWN_FIELDS_MAX; i++)
		pb_put_uint(&b, 9, 1);
	assert_int_equal(pb_read(&lenient, buf_bytes(&b), &s, NULL), 0);
	pb_put_uint(&b, 9, 1);
	assert_int_equal(
		pb_read(&lenient, buf_bytes(&b), &s, NULL), P2P_ERR_TOO_BIG);
	buf_clear(&b);
}

static void test_pb_cut_leaves_out_what_is_too_much(void **state)
{
	static const struct pb_rule rules[] = {
		{5, PB_KIND_VIEWS, PB_CUT, offsetof(struct sample, items),
			offsetof(struct sample, item_count), 4, ITEMS_MAX},
	};
	static const struct pb_schema schema = {rules, 1, false};
	struct sample s = {0};

	(void)state;
	assert_int_equal(read_hex(&schema,
				 "2a0568656c6c6f"
				 "2a0161"
				 "2a0162"
				 "2a0163"
				 "2a0164",
				 &s),
		0);
	assert_int_equal(s.item_count, 3);
	assert_true(bytes_equal(s.items[2], bytes_str("c")));
}

static void test_pb_write_is_the_inverse_of_read(void **state)
{
	static const char hex[] = "0801"
				  "10ac02"
				  "190100000000000080"
				  "22026869"
				  "2a0161"
				  "2a00";
	struct sample s;
	struct buf out, text;

	(void)state;
	buf_init(&out, 100);
	buf_init(&text, 200);
	assert_int_equal(read_hex(&strict, hex, &s), 0);
	pb_write(&strict, &s, 7, &out);
	vector_to_hex(buf_bytes(&out), &text);
	assert_string_equal(buf_cstr(&text), hex);
	buf_clear(&out);
	buf_clear(&text);
}

static void test_pb_message_inside_gets_its_length(void **state)
{
	static const size_t lengths[] = {0, 1, 127, 128, 20000};
	struct buf a, b;
	static uint8_t text[20000];

	(void)state;
	buf_init(&a, 30000);
	buf_init(&b, 30000);
	for (size_t i = 0; i < P2P_ARRAY_LEN(lengths); i++) {
		struct bytes v = bytes_of(text, lengths[i]);
		size_t mark;

		buf_reset(&a);
		buf_reset(&b);
		pb_put_bytes(&a, 3, v);
		mark = pb_begin(&b, 3);
		buf_append(&b, v);
		pb_end(&b, mark);
		assert_true(bytes_equal(buf_bytes(&a), buf_bytes(&b)));
		assert_int_equal(a.len, pb_bytes_size(3, v.len));
	}
	buf_clear(&a);
	buf_clear(&b);
}

/* ---- Noise payload ------------------------------------------------------- */

static void test_noise_payload_survives_the_trip(void **state)
{
	struct noise_payload in = {
		.identity_key = bytes_str("key"),
		.identity_sig = bytes_str("sig"),
		.stream_muxers = {bytes_str("/yamux/1.0.0"),
			bytes_str("/mplex/6.7.0")},
		.stream_muxer_count = 2,
	};
	struct noise_payload out;
	struct buf b, text;

	(void)state;
	buf_init(&b, 4096);
	buf_init(&text, 4096);
	noise_pb_write(&in, &b);
	vector_to_hex(buf_bytes(&b), &text);
	assert_string_equal(buf_cstr(&text), "0a036b6579"
					     "1203736967"
					     "221c"
					     "120c2f79616d75782f312e302e30"
					     "120c2f6d706c65782f362e372e30");
	assert_int_equal(noise_pb_read(&out, buf_bytes(&b)), 0);
	assert_true(bytes_equal(out.identity_key, in.identity_key));
	assert_true(bytes_equal(out.identity_sig, in.identity_sig));
	assert_int_equal(out.stream_muxer_count, 2);
	assert_true(bytes_equal(out.stream_muxers[1], in.stream_muxers[1]));
	buf_clear(&text);
	/* No list, no extensions. */
	in.stream_muxer_count = 0;
	buf_reset(&b);
	noise_pb_write(&in, &b);
	assert_int_equal(b.len, 10);
	assert_int_equal(noise_pb_read(&out, buf_bytes(&b)), 0);
	assert_int_equal(out.stream_muxer_count, 0);
	buf_clear(&b);
}

static void test_noise_payload_skips_dead_fields_and_needs_both(void **state)
{
	struct noise_payload p;
	struct buf b;

	(void)state;
	buf_init(&b, 4096);
	/* Early data (3) and certificate hashes (1 in the extensions). */
	vector_hex("0a016b1201731a0264642206"
		   "0a0161120179",
		&b);
	assert_int_equal(noise_pb_read(&p, buf_bytes(&b)), 0);
	assert_int_equal(p.stream_muxer_count, 1);
	vector_hex("0a016b", &b);
	assert_int_equal(noise_pb_read(&p, buf_bytes(&b)), P2P_ERR_MALFORMED);
	vector_hex("120173", &b);
	assert_int_equal(noise_pb_read(&p, buf_bytes(&b)), P2P_ERR_MALFORMED);
	buf_clear(&b);
}

static void test_noise_payload_caps_the_muxers(void **state)
{
	struct noise_payload p;
	struct buf b;
	size_t mark;

	(void)state;
	buf_init(&b, 4096);
	pb_put_bytes(&b, 1, bytes_str("k"));
	pb_put_bytes(&b, 2, bytes_str("s"));
	mark = pb_begin(&b, 4);
	for (int i = 0; i <= NOISE_PB_MUXERS_MAX; i++)
		pb_put_bytes(&b, 2, bytes_of(NULL, 0));
	pb_end(&b, mark);
	assert_int_equal(noise_pb_read(&p, buf_bytes(&b)), P2P_ERR_TOO_BIG);
	buf_clear(&b);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_varint_writes_what_the_cursor_reads),
		cmocka_unit_test(test_frame_is_whole_or_waits),
		cmocka_unit_test(test_pb_reads_every_kind),
		cmocka_unit_test(test_pb_tells_absent_from_empty),
		cmocka_unit_test(test_pb_refuses_bad_form),
		cmocka_unit_test(test_pb_strict_takes_one_spelling_only),
		cmocka_unit_test(test_pb_counts_unknown_fields),
		cmocka_unit_test(test_pb_cut_leaves_out_what_is_too_much),
		cmocka_unit_test(test_pb_write_is_the_inverse_of_read),
		cmocka_unit_test(test_pb_message_inside_gets_its_length),
		cmocka_unit_test(test_noise_payload_survives_the_trip),
		cmocka_unit_test(
			test_noise_payload_skips_dead_fields_and_needs_both),
		cmocka_unit_test(test_noise_payload_caps_the_muxers),
	};

	return cmocka_run_group_tests_name("pb", tests, NULL, NULL);
}

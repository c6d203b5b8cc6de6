/*
 * What stands inside a unit: the dialects, their times, and what is no line.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>

#include "base/text.h"
#include "chat/payload.h"
#include "chat/payload_members.h"

static int parse(struct payload *p, const char *text)
{
	return payload_parse(p, bytes_str("room"), bytes_str(text));
}

static void check_time(const char *text, uint64_t ms)
{
	struct payload p;

	assert_int_equal(parse(&p, text), 0);
	assert_int_equal(p.has_time, ms != 0);
	assert_int_equal(p.time_ms, ms);
	payload_clear(&p);
}

static void test_payload_takes_each_dialects_time(void **state)
{
	(void)state;
	check_time("{\"type\":\"message\",\"content\":\"a\",\"timestamp\":5}",
		5000);
	check_time("{\"type\":\"broadcast\",\"content\":\"a\","
		   "\"timestamp\":5}",
		5);
	check_time("{\"type\":\"message\",\"content\":\"a\",\"timestamp\":5,"
		   "\"v\":1,\"time_ms\":7}",
		7);
	/* A Go-like program that counts in milliseconds. */
	check_time("{\"type\":\"message\",\"content\":\"a\","
		   "\"timestamp\":1767225600123}",
		1767225600123);
	check_time("{\"type\":\"broadcast\",\"content\":\"a\","
		   "\"timestamp\":1767225600123.5}",
		1767225600123);
	/* time_ms belongs to our version only. */
	check_time("{\"type\":\"message\",\"content\":\"a\",\"time_ms\":7}", 0);
	check_time("{\"type\":\"message\",\"content\":\"a\","
		   "\"timestamp\":-5}",
		0);
	check_time("{\"type\":\"message\",\"content\":\"a\",\"v\":1,"
		   "\"time_ms\":9223372036854775807}",
		PAYLOAD_TIME_MS_MAX);
	check_time("plain", 0);
}

/* Not the time in its seqno either, whatever that looks like. */
static void test_payload_plain_line_has_no_time(void **state)
{
	(void)state;
	check_time("1767225600123456789", 0);
	check_time("{\"type\":\"message\",\"content\":\"no time\"}", 0);
}

static void check_err(const char *text, int err)
{
	struct payload p;
	int got = parse(&p, text);

	if (got == 0)
		payload_clear(&p);
	if (got != err)
		fail_msg("%s: %d instead of %d", text, got, err);
}

static void test_payload_refuses_what_breaks_the_rules(void **state)
{
	(void)state;
	check_err("{\"type\":\"message\"}", P2P_ERR_MALFORMED);
	check_err("{\"type\":\"message\",\"content\":7}", P2P_ERR_MALFORMED);
	check_err("{\"type\":[],\"content\":\"a\"}", P2P_ERR_MALFORMED);
	check_err("{\"type\":\"private\",\"content\":\"a\"}",
		P2P_ERR_UNSUPPORTED);
	/* Every member at most once. */
	check_err("{\"type\":\"message\",\"content\":\"a\",\"content\":\"b\"}",
		P2P_ERR_MALFORMED);
	check_err("{\"type\":\"message\\u0000\",\"content\":\"a\"}",
		P2P_ERR_MALFORMED);
	check_err("{\"type\":\"message\",\"content\":\"\\ud800\"}",
		P2P_ERR_MALFORMED);
	check_err(
		"{\"type\":\"message\",\"content\":\"a\",}", P2P_ERR_MALFORMED);
	check_err("{\"type\":\"message\",\"content\":\"a\",\"x\":"
		  "[[[[[[[[[[1]]]]]]]]]]}",
		P2P_ERR_MALFORMED);
	check_err("\xc3\x28", P2P_ERR_UTF8);
	check_err("{\"content\":\"no type: somebody's text\"}", 0);
	check_err("{ not json", 0);
}

static void test_payload_two_objects_are_none(void **state)
{
	(void)state;
	check_err("{\"type\":\"message\",\"content\":\"a\"}"
		  "{\"type\":\"message\",\"content\":\"b\"}",
		P2P_ERR_MALFORMED);
}

/* The mark that programs of Windows write in front is no text. */
static void test_payload_takes_a_byte_order_mark_for_nothing(void **state)
{
	struct payload p;

	(void)state;
	assert_int_equal(parse(&p, "\xef\xbb\xbf{\"type\":\"message\","
				   "\"content\":\"a\",\"v\":1}"),
		0);
	assert_int_equal(p.dialect, DIALECT_NATIVE);
	assert_string_equal(buf_cstr(&p.text), "a");
	payload_clear(&p);
	assert_int_equal(parse(&p, "\xef\xbb\xbfplain"), 0);
	assert_int_equal(p.dialect, DIALECT_PLAIN);
	assert_string_equal(buf_cstr(&p.text), "plain");
	payload_clear(&p);
}

/* As examples/pubsub/chat of go-libp2p writes it, json.Marshal's order. */
#define GO_CHAT \
	"{\"Message\":\"hi all\",\"SenderID\":\"12D3KooW\"," \
	"\"SenderNick\":\"root-abc\"}"

static void test_payload_reads_go_libp2ps_chat_example(void **state)
{
	struct payload p;

	(void)state;
	assert_int_equal(parse(&p, GO_CHAT), 0);
	assert_int_equal(p.dialect, DIALECT_GO_CHAT);
	assert_int_equal(p.type, PAYLOAD_MESSAGE);
	assert_string_equal(buf_cstr(&p.text), "hi all");
	assert_string_equal(p.name, "root-abc");
	assert_false(p.has_time);
	payload_clear(&p);
	/* What has a type says by that what it is. */
	assert_int_equal(parse(&p, "{\"type\":\"message\",\"content\":\"a\","
				   "\"username\":\"b\",\"Message\":\"c\","
				   "\"SenderNick\":\"d\"}"),
		0);
	assert_int_equal(p.dialect, DIALECT_SEED_GO);
	assert_string_equal(buf_cstr(&p.text), "a");
	assert_string_equal(p.name, "b");
	payload_clear(&p);
	check_err("{\"Message\":7,\"SenderNick\":\"d\"}", P2P_ERR_MALFORMED);
	check_err("{\"Message\":\"no nick: somebody's text\"}", 0);
	assert_true(payload_topic_is_go_chat(bytes_str("chat-room:a")));
	assert_false(payload_topic_is_go_chat(bytes_str("chat-room")));
}

static void test_payload_bounds_the_number_of_values(void **state)
{
	struct buf text;

	(void)state;
	buf_init(&text, 65536);
	buf_append_str(
		&text, "{\"type\":\"message\",\"content\":\"a\",\"x\":[0");
	for (size_t i = 0; i < 4000; i++)
		buf_append_str(&text, ",0");
	buf_append_str(&text, "]}");
	check_err(buf_cstr(&text), P2P_ERR_MALFORMED);
	buf_clear(&text);
}

static void test_payload_keeps_unknown_members_out_of_the_way(void **state)
{
	struct payload p;

	(void)state;
	assert_int_equal(parse(&p, "{\"type\":\"message\",\"content\":\"a\","
				   "\"mood\":{\"x\":[1,2]},\"seq\":\"x\","
				   "\"prev\":\"zz\"}"),
		0);
	assert_int_equal(p.seq, 0);
	assert_false(p.has_prev);
	assert_string_equal(p.name, "");
	payload_clear(&p);
}

static void test_payload_cuts_a_long_name(void **state)
{
	struct payload p;
	char text[1000], name[501];

	(void)state;
	memset(name, 'n', 500);
	name[500] = '\0';
	snprintf(text, sizeof(text),
		"{\"type\":\"message\",\"content\":\"a\",\"username\":\"%s\"}",
		name);
	assert_int_equal(parse(&p, text), 0);
	assert_in_range(strlen(p.name), 1, MSG_NAME_MAX - 1);
	payload_clear(&p);
}

static void test_payload_reads_back_what_it_writes(void **state)
{
	static const char text[] =
		"quote \" backslash \\ newline\n\xe0\xb8\xa1 \xf0\x9f\x98\x80";
	uint8_t hash[PAYLOAD_HASH_BYTES] = {0xab, 1, 2, 3};
	struct payload_out line = {.text = text,
		.name = "mali",
		.from = "12D3KooW",
		.time_ms = 1767225600123,
		.seq = 9,
		.prev = hash};
	struct payload p;
	struct buf out;

	(void)state;
	buf_init(&out, 1000);
	assert_int_equal(payload_write(DIALECT_NATIVE, &line, &out), 0);
	assert_int_equal(parse(&p, buf_cstr(&out)), 0);
	assert_int_equal(p.dialect, DIALECT_NATIVE);
	assert_string_equal(buf_cstr(&p.text), text);
	assert_string_equal(p.name, "mali");
	assert_int_equal(p.time_ms, line.time_ms);
	assert_int_equal(p.seq, 9);
	assert_true(p.has_prev);
	assert_memory_equal(p.prev, hash, sizeof(hash));
	assert_false(p.has_copy_of);
	payload_clear(&p);

	buf_reset(&out);
	line.copy_of = hash;
	assert_int_equal(payload_write(DIALECT_SEED_JS, &line, &out), 0);
	assert_int_equal(parse(&p, buf_cstr(&out)), 0);
	assert_int_equal(p.dialect, DIALECT_SEED_JS);
	assert_int_equal(p.time_ms, line.time_ms);
	assert_memory_equal(p.copy_of, hash, sizeof(hash));
	assert_int_equal(p.seq, 0);
	payload_clear(&p);

	/* The same line for both: ours goes by what has a type. */
	buf_reset(&out);
	line.copy_of = NULL;
	line.for_go_chat = true;
	assert_int_equal(payload_write(DIALECT_NATIVE, &line, &out), 0);
	assert_non_null(strstr(buf_cstr(&out), "\"SenderNick\":\"mali\""));
	assert_non_null(strstr(buf_cstr(&out), "\"Message\":\""));
	assert_int_equal(parse(&p, buf_cstr(&out)), 0);
	assert_int_equal(p.dialect, DIALECT_NATIVE);
	assert_string_equal(buf_cstr(&p.text), text);
	assert_int_equal(p.seq, 9);
	payload_clear(&p);

	buf_clear(&out);
	buf_init(&out, 20);
	assert_int_equal(
		payload_write(DIALECT_NATIVE, &line, &out), P2P_ERR_TOO_BIG);
	buf_clear(&out);
}

/* What the quick reader takes, the library reads alike; whether it did. */
static bool read_alike(struct bytes in)
{
	struct members flat, any;

	if (!members_read_flat(&flat, in))
		return false;
	assert_int_equal(members_read(&any, in), 0);
	for (size_t i = 0; i < MEMBER_COUNT; i++) {
		assert_int_equal(flat.of[i].kind, any.of[i].kind);
		assert_true(bytes_equal(flat.of[i].text, any.of[i].text));
		assert_true(flat.of[i].number >= any.of[i].number);
		assert_true(flat.of[i].number <= any.of[i].number);
	}
	members_clear(&any);
	return true;
}

static void test_payload_quick_reader_takes_what_programs_write(void **state)
{
	uint8_t hash[PAYLOAD_HASH_BYTES] = {0xab, 1, 2, 3};
	struct payload_out line = {.text = "\xe0\xb8\xa1 with, {every}: thing",
		.name = "mali",
		.from = "12D3KooW",
		.time_ms = 1767225600123,
		.seq = 9,
		.prev = hash,
		.copy_of = hash};
	struct buf out;

	(void)state;
	buf_init(&out, 1000);
	assert_int_equal(payload_write(DIALECT_NATIVE, &line, &out), 0);
	assert_true(read_alike(buf_bytes(&out)));
	buf_reset(&out);
	assert_int_equal(payload_write(DIALECT_SEED_JS, &line, &out), 0);
	assert_true(read_alike(buf_bytes(&out)));
	buf_clear(&out);
	assert_true(read_alike(bytes_str(GO_CHAT)));
	assert_true(
		read_alike(bytes_str(" { \"type\" :\t\"\",\r\n\"v\": 0 } ")));
	assert_true(read_alike(bytes_str("{\"seq\":999999999999999}")));
}

static void test_payload_quick_reader_leaves_the_rest(void **state)
{
	static const char *const rest[] = {"", "{", "{}", "[]", "{\"type\"}",
		"{\"type\":}", "{\"type\":\"a}", "{\"type\":\"a\",}",
		"{\"type\":\"a\"}}", "{\"type\":\"a\"} x",
		"{\"type\":\"a\"\"v\":1}", "{\"type\":\"\\u0061\"}",
		"{\"type\":\"a\nb\"}", "{\"typ\\u0065\":\"a\"}",
		"{\"type\":\"a\",\"type\":\"a\"}", "{\"mood\":\"a\"}",
		"{\"v\":true}", "{\"v\":null}", "{\"v\":{}}", "{\"v\":[1]}",
		"{\"v\":01}", "{\"v\":-1}", "{\"v\":1.5}", "{\"v\":1e3}",
		"{\"v\":1x}", "{\"v\":1", "{\"v\":1000000000000000}"};

	(void)state;
	for (size_t i = 0; i < P2P_ARRAY_LEN(rest); i++)
		if (read_alike(bytes_str(rest[i])))
			fail_msg("taken: %s", rest[i]);
}

/* Each byte of a line replaced by each that means something. */
static void test_payload_quick_reader_takes_nothing_else(void **state)
{
	static const char line[] =
		"{\"type\":\"message\",\"content\":\"a b\",\"v\":1,"
		" \"time_ms\":1767225600123,\"seq\":10}";
	static const char bytes[] = "{}[]:,\"\\ \n0123456789-+.eEntfuv\x01\x7f";
	char text[sizeof(line)];
	size_t taken = 0;

	(void)state;
	for (size_t at = 0; at < sizeof(line) - 1; at++) {
		for (size_t b = 0; b < sizeof(bytes); b++) {
			memcpy(text, line, sizeof(line));
			text[at] = bytes[b];
			taken += read_alike(bytes_of(text, sizeof(line) - 1));
		}
	}
	/* Other text and other digits are lines as well. */
	assert_in_range(taken, 100, sizeof(line) * sizeof(bytes) / 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_payload_takes_each_dialects_time),
		cmocka_unit_test(test_payload_plain_line_has_no_time),
		cmocka_unit_test(test_payload_refuses_what_breaks_the_rules),
		cmocka_unit_test(test_payload_two_objects_are_none),
		cmocka_unit_test(
			test_payload_takes_a_byte_order_mark_for_nothing),
		cmocka_unit_test(test_payload_reads_go_libp2ps_chat_example),
		cmocka_unit_test(test_payload_bounds_the_number_of_values),
		cmocka_unit_test(
			test_payload_keeps_unknown_members_out_of_the_way),
		cmocka_unit_test(test_payload_cuts_a_long_name),
		cmocka_unit_test(test_payload_reads_back_what_it_writes),
		cmocka_unit_test(
			test_payload_quick_reader_takes_what_programs_write),
		cmocka_unit_test(test_payload_quick_reader_leaves_the_rest),
		cmocka_unit_test(test_payload_quick_reader_takes_nothing_else),
	};

	return cmocka_run_group_tests_name("payload", tests, NULL, NULL);
}

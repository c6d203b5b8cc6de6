/* Length-prefixed messages in any cut. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <cmocka.h>

#include "net/serve/frame.h"

#define MAX 100000

/* Reads `in` in pieces of `step` bytes; the bodies one after another. */
static int read_all(
	struct frame_reader *r, struct bytes in, size_t step, struct buf *out)
{
	size_t have = 0, at = 0;

	for (;;) {
		struct bytes body;
		size_t taken;
		int got = frame_read(
			r, bytes_of(in.data + at, have - at), &taken, &body);

		assert_true(taken <= have - at);
		at += taken;
		if (got < 0)
			return got;
		if (got > 0) {
			(void)buf_append(out, body);
			(void)buf_append_u8(out, '|');
		} else if (have == in.len) {
			return at == in.len ? 0 : P2P_ERR_TRUNCATED;
		} else {
			have = P2P_MIN(in.len, have + step);
		}
	}
}

static void test_frame_reads_in_any_cut(void **state)
{
	static const size_t sizes[] = {0, 1, 127, 128, 300, 16384, 70000};
	struct buf wire, want;

	(void)state;
	buf_init(&wire, 4u << 20);
	buf_init(&want, 4u << 20);
	for (size_t i = 0; i < P2P_ARRAY_LEN(sizes); i++) {
		uint8_t head[10];

		(void)buf_append(
			&wire, bytes_of(head, frame_header(sizes[i], head)));
		memset(buf_extend(&wire, sizes[i] + 1), (int)('a' + i),
			sizes[i] + 1);
		buf_truncate(&wire, wire.len - 1);
		memset(buf_extend(&want, sizes[i] + 1), (int)('a' + i),
			sizes[i] + 1);
		buf_truncate(&want, want.len - 1);
		(void)buf_append_u8(&want, '|');
	}
	for (size_t step = 1; step < 200000; step = step * 3 + 1) {
		struct frame_reader r;
		struct buf got;

		buf_init(&got, 4u << 20);
		frame_reader_init(&r, MAX);
		assert_int_equal(read_all(&r, buf_bytes(&wire), step, &got), 0);
		assert_int_equal(got.len, want.len);
		assert_memory_equal(got.data, want.data, want.len);
		frame_reader_clear(&r);
		buf_clear(&got);
	}
	buf_clear(&wire);
	buf_clear(&want);
}

static int read_text(const char *raw, size_t len, size_t step)
{
	struct frame_reader r;
	struct buf got;
	int err;

	buf_init(&got, MAX);
	frame_reader_init(&r, MAX);
	err = read_all(&r, bytes_of(raw, len), step, &got);
	frame_reader_clear(&r);
	buf_clear(&got);
	return err;
}

static void test_frame_refuses_giant_lengths(void **state)
{
	(void)state;
	for (size_t step = 1; step < 12; step++) {
		/* MAX + 1 and 2^63 - 1. */
		assert_int_equal(
			read_text("\xa1\x8d\x06", 3, step), P2P_ERR_TOO_BIG);
		assert_int_equal(
			read_text("\xff\xff\xff\xff\xff\xff\xff\xff\x7f", 9,
				step),
			P2P_ERR_TOO_BIG);
	}
}

static void test_frame_refuses_malformed_lengths(void **state)
{
	(void)state;
	for (size_t step = 1; step < 12; step++) {
		/* Ten bytes; not minimal. */
		assert_int_equal(
			read_text("\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01",
				10, step),
			P2P_ERR_MALFORMED);
		assert_int_equal(
			read_text("\x81\x00", 2, step), P2P_ERR_MALFORMED);
	}
}

static void test_frame_keeps_what_came_not_what_is_claimed(void **state)
{
	struct frame_reader r;
	struct bytes body;
	size_t taken;

	(void)state;
	frame_reader_init(&r, 1u << 20);
	/* 1 MiB claimed, one byte there. */
	assert_int_equal(
		frame_read(&r, bytes_of("\x80\x80\x40x", 4), &taken, &body), 0);
	assert_int_equal(taken, 4);
	assert_int_equal(r.body.len, 1);
	assert_in_range(r.body.cap, 1, 20000);
	frame_reader_clear(&r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_frame_reads_in_any_cut),
		cmocka_unit_test(test_frame_refuses_giant_lengths),
		cmocka_unit_test(test_frame_refuses_malformed_lengths),
		cmocka_unit_test(
			test_frame_keeps_what_came_not_what_is_claimed),
	};
	return cmocka_run_group_tests_name("frame", tests, NULL, NULL);
}

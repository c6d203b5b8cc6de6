/* The profile message. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "net/wire/profile_pb.h"
#include "tests/lib/vector.h"

static struct profile_pb read_as(struct bytes frame, const char *verdict)
{
	struct profile_pb p = {.name = bytes_str("left over")};
	int err = profile_pb_read(&p, frame);

	assert_string_equal(p2p_err_name(err), verdict);
	return p;
}

static void test_profile_vectors(void **state)
{
	struct vector_file v;
	struct buf frame, name;
	unsigned count = 0;

	(void)state;
	buf_init(&frame, PROFILE_PB_BYTES_MAX);
	buf_init(&name, PROFILE_PB_BYTES_MAX);
	vector_open(&v, "profile.txt");
	while (vector_next(&v, 4)) {
		struct profile_pb p;

		vector_hex(v.word[2], &frame);
		p = read_as(buf_bytes(&frame), v.word[1]);
		count++;
		if (strcmp(v.word[1], "OK") != 0)
			continue;
		if (strcmp(v.word[3], "absent") == 0) {
			assert_null(p.name.data);
			continue;
		}
		vector_hex(v.word[3], &name);
		assert_non_null(p.name.data);
		assert_true(bytes_equal(p.name, buf_bytes(&name)));
	}
	assert_int_equal(count, 19);
	buf_clear(&frame);
	buf_clear(&name);
}

static void test_profile_is_written_as_in_the_vectors(void **state)
{
	struct profile_pb p = {.name = bytes_str("mali")};
	struct buf out, text;

	(void)state;
	buf_init(&out, 100);
	buf_init(&text, 100);
	profile_pb_write(&p, &out);
	vector_to_hex(buf_bytes(&out), &text);
	assert_string_equal(buf_cstr(&text), "0a046d616c69");
	buf_reset(&out);
	p.name = bytes_of(NULL, 0);
	profile_pb_write(&p, &out);
	assert_int_equal(out.len, 0);
	buf_clear(&out);
	buf_clear(&text);
}

/* Members to come have room, but not without end. */
static void test_profile_has_a_maximum(void **state)
{
	static uint8_t large[PROFILE_PB_BYTES_MAX + 1];
	struct buf b;

	(void)state;
	buf_init(&b, sizeof(large));
	(void)buf_append(&b, bytes_of("\x0a\x04mali\x12", 7));
	(void)buf_append(&b, bytes_of("\xf7\x1f", 2)); /* 4,087 bytes */
	(void)buf_append(&b, bytes_of(large, PROFILE_PB_BYTES_MAX - b.len));
	assert_int_equal(b.len, PROFILE_PB_BYTES_MAX);
	assert_true(bytes_equal(
		read_as(buf_bytes(&b), "OK").name, bytes_str("mali")));
	(void)read_as(bytes_of(large, sizeof(large)), "TOO_BIG");
	buf_clear(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_profile_vectors),
		cmocka_unit_test(test_profile_is_written_as_in_the_vectors),
		cmocka_unit_test(test_profile_has_a_maximum),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* The identify message. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "net/wire/identify_pb.h"
#include "net/wire/pb.h"
#include "tests/lib/vector.h"

static void test_identify_writes_by_field_number(void **state)
{
	struct identify id = {
		.public_key = bytes_str("k"),
		.listen_addrs = {bytes_str("a"), bytes_str("b")},
		.listen_addr_count = 2,
		.protocols = {bytes_str("/p")},
		.protocol_count = 1,
		.observed_addr = bytes_str("o"),
		.protocol_version = bytes_str("ipfs/0.1.0"),
		.agent_version = bytes_str("x"),
		.signed_peer_record = bytes_str("r"),
	};
	struct identify back = {0};
	struct buf out, text;

	(void)state;
	buf_init(&out, 1000);
	buf_init(&text, 1000);
	identify_pb_write(&id, &out);
	vector_to_hex(buf_bytes(&out), &text);
	assert_string_equal(buf_cstr(&text), "0a016b"
					     "120161"
					     "120162"
					     "1a022f70"
					     "22016f"
					     "2a0a697066732f302e312e30"
					     "320178"
					     "420172");
	assert_int_equal(identify_pb_read(&back, buf_bytes(&out)), 0);
	assert_int_equal(back.listen_addr_count, 2);
	assert_true(bytes_equal(back.listen_addrs[1], bytes_str("b")));
	assert_true(bytes_equal(back.protocols[0], bytes_str("/p")));
	assert_true(bytes_equal(back.agent_version, bytes_str("x")));
	assert_true(bytes_equal(back.signed_peer_record, bytes_str("r")));
	buf_clear(&out);
	buf_clear(&text);
}

/* go splits large messages: lists grow, single values are replaced, and what
 * a message leaves out stays as it was. */
static void test_identify_merges_messages(void **state)
{
	struct identify id = {0};

	(void)state;
	assert_int_equal(identify_pb_read(&id, bytes_of("\x1a\x01"
							"a\x32\x01x",
						       6)),
		0);
	assert_int_equal(identify_pb_read(&id, bytes_of("\x1a\x01"
							"b\x42\x01r",
						       6)),
		0);
	assert_int_equal(id.protocol_count, 2);
	assert_true(bytes_equal(id.protocols[0], bytes_str("a")));
	assert_true(bytes_equal(id.protocols[1], bytes_str("b")));
	assert_true(bytes_equal(id.agent_version, bytes_str("x")));
	assert_true(bytes_equal(id.signed_peer_record, bytes_str("r")));
	assert_null(id.public_key.data);
}

/* CVE-2026-57497: protocols without end, in as many messages as one likes. */
static void test_identify_cuts_lists_across_messages(void **state)
{
	static uint8_t large[IDENTIFY_PB_AGENT_BYTES_MAX + 1];
	struct identify id = {0};
	struct buf b;

	(void)state;
	buf_init(&b, IDENTIFY_PB_MESSAGE_BYTES_MAX);
	for (int i = 0; i < 50; i++) {
		pb_put_bytes(&b, 3, bytes_str("/p"));
		pb_put_bytes(&b, 2, bytes_str("a"));
	}
	pb_put_bytes(&b, 6, bytes_of(large, sizeof(large)));
	for (int i = 0; i < 3; i++)
		assert_int_equal(identify_pb_read(&id, buf_bytes(&b)), 0);
	assert_int_equal(id.protocol_count, IDENTIFY_PB_PROTOCOLS_MAX);
	assert_int_equal(id.listen_addr_count, IDENTIFY_PB_ADDRS_MAX);
	assert_null(id.agent_version.data);
	buf_clear(&b);
}

static void test_identify_refuses_bad_form(void **state)
{
	struct identify id = {0};

	(void)state;
	assert_int_equal(identify_pb_read(&id, bytes_of("\x08\x01", 2)),
		P2P_ERR_MALFORMED);
	assert_int_equal(identify_pb_read(&id, bytes_of("\x0a\x05k", 3)),
		P2P_ERR_TRUNCATED);
	/* Unknown fields, such as rust's later ones, are skipped. */
	assert_int_equal(identify_pb_read(&id, bytes_of("\x7a\x01k", 3)), 0);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_identify_writes_by_field_number),
		cmocka_unit_test(test_identify_merges_messages),
		cmocka_unit_test(test_identify_cuts_lists_across_messages),
		cmocka_unit_test(test_identify_refuses_bad_form),
	};

	return cmocka_run_group_tests_name("identify_pb", tests, NULL, NULL);
}

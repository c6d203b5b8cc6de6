/* Multiaddrs as values: peers behind them, zones in front, TCP. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <cmocka.h>

#include "net/wire/maddr.h"

#define ID "12D3KooWK99VoVxNE7XzyBwXEzW7xhK7Gpv85r9F3V3fyKSUKPH5"

static struct maddr addr(const char *text)
{
	struct maddr a;

	assert_int_equal(maddr_parse_text(&a, bytes_str(text)), 0);
	return a;
}

static void test_maddr_text_goes_both_ways(void **state)
{
	static const char *const texts[] = {"/ip4/10.0.0.1/tcp/4001",
		"/ip6/2001:db8::1/tcp/1", "/ip6zone/eth0/ip6/fe80::1/tcp/9",
		"/dns4/example.org/tcp/443", "/ip4/1.2.3.4/tcp/1/p2p/" ID};
	char out[MADDR_TEXT_MAX];

	(void)state;
	for (size_t i = 0; i < P2P_ARRAY_LEN(texts); i++) {
		struct maddr a = addr(texts[i]), b;

		assert_string_equal(maddr_text(&a, out), texts[i]);
		assert_int_equal(maddr_parse(&b, maddr_bytes(&a)), 0);
		assert_true(maddr_equal(&a, &b));
	}
}

static void test_maddr_failure_leaves_it_empty(void **state)
{
	char out[MADDR_TEXT_MAX] = "x";
	uint8_t long_one[MADDR_BYTES_MAX + 1] = {4};
	struct maddr a;

	(void)state;
	assert_int_not_equal(maddr_parse_text(&a, bytes_str("/ip4/1")), 0);
	assert_int_equal(a.len, 0);
	assert_string_equal(maddr_text(&a, out), "");
	assert_int_not_equal(maddr_parse(&a, bytes_of("\x04\x01", 2)), 0);
	assert_int_equal(a.len, 0);
	assert_int_equal(maddr_parse(&a, bytes_of(long_one, sizeof(long_one))),
		P2P_ERR_TOO_BIG);
}

/* "/ip4/8.8.8.8/udp/4001", then a code that the table does not have. */
static void test_maddr_keeps_what_it_cannot_read(void **state)
{
	static const char later[] = "\x04\x08\x08\x08\x08\x91\x02\x0f\xa1"
				    "\x8f\x4e\x00\xff";
	char text[MADDR_TEXT_MAX];
	struct maddr a, base;
	struct bytes peer;

	(void)state;
	assert_int_equal(maddr_parse(&a, bytes_of(later, 13)), 0);
	assert_true(bytes_equal(maddr_bytes(&a), bytes_of(later, 13)));
	assert_string_equal(maddr_text(&a, text),
		"/ip4/8.8.8.8/udp/4001/unknown/0x8f4e00ff");
	maddr_split_peer(&a, &base, &peer);
	assert_true(maddr_equal(&a, &base));
	assert_int_equal(peer.len, 0);
	/* Nobody can type it. */
	assert_int_equal(
		maddr_parse_text(&a, bytes_str(text)), P2P_ERR_UNSUPPORTED);
	/* What is wrong in front of it is wrong. */
	assert_int_equal(maddr_parse(&a, bytes_of("\x35\x00\x7f", 3)),
		P2P_ERR_MALFORMED);
}

static void test_maddr_peer_is_split_and_joined(void **state)
{
	struct maddr whole = addr("/ip4/1.2.3.4/tcp/5/p2p/" ID);
	struct maddr base, again;
	struct bytes peer;

	(void)state;
	maddr_split_peer(&whole, &base, &peer);
	assert_int_equal(peer.len, 38);
	again = addr("/ip4/1.2.3.4/tcp/5");
	assert_true(maddr_equal(&base, &again));
	assert_int_equal(maddr_join_peer(&again, &base, peer), 0);
	assert_true(maddr_equal(&again, &whole));
	maddr_split_peer(&base, &again, &peer);
	assert_int_equal(peer.len, 0);
	assert_true(maddr_equal(&again, &base));
}

static void test_maddr_join_peer_has_a_limit(void **state)
{
	struct maddr a, base = {.len = 0};
	uint8_t id[38] = {0, 36};

	(void)state;
	base = addr(
		"/dns/"
		"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
		".aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
		".aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
		".aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
		"/tcp/1");
	assert_int_equal(maddr_join_peer(&a, &base, bytes_of(id, sizeof(id))),
		P2P_ERR_TOO_BIG);
	assert_int_equal(a.len, 0);
}

static void test_maddr_to_tcp_takes_host_and_port_only(void **state)
{
	static const char *const not_tcp[] = {"/ip4/1.2.3.4/udp/5/quic-v1",
		"/ip4/1.2.3.4/tcp/5/ws", "/ip4/1.2.3.4/tcp/5/p2p/" ID,
		"/ip4/1.2.3.4/tcp/5/p2p/" ID "/p2p-circuit", "/ip4/1.2.3.4"};
	struct maddr_tcp tcp;
	struct maddr a;

	(void)state;
	a = addr("/ip4/1.2.3.4/tcp/258");
	assert_true(maddr_to_tcp(&a, &tcp));
	assert_int_equal(tcp.host, MULTIADDR_IP4);
	assert_int_equal(tcp.port, 258);
	assert_memory_equal(tcp.ip, "\x01\x02\x03\x04", 4);
	a = addr("/ip6zone/eth0/ip6/fe80::1/tcp/9");
	assert_true(maddr_to_tcp(&a, &tcp));
	assert_string_equal(tcp.zone, "eth0");
	assert_int_equal(tcp.ip[15], 1);
	a = addr("/dns6/example.org/tcp/9");
	assert_true(maddr_to_tcp(&a, &tcp));
	assert_int_equal(tcp.host, MULTIADDR_DNS6);
	assert_string_equal(tcp.name, "example.org");
	for (size_t i = 0; i < P2P_ARRAY_LEN(not_tcp); i++) {
		a = addr(not_tcp[i]);
		assert_false(maddr_to_tcp(&a, &tcp));
	}
}

static void test_maddr_from_ip(void **state)
{
	struct maddr a, b;

	(void)state;
	maddr_from_ip(&a, bytes_of("\x01\x02\x03\x04", 4), NULL, 5);
	b = addr("/ip4/1.2.3.4/tcp/5");
	assert_true(maddr_equal(&a, &b));
	maddr_from_ip(&a,
		bytes_of("\xfe\x80\0\0\0\0\0\0\0\0\0\0\0\0\0\x01", 16), "eth0",
		5);
	b = addr("/ip6zone/eth0/ip6/fe80::1/tcp/5");
	assert_true(maddr_equal(&a, &b));
	maddr_from_ip(&a, bytes_of("\x01\x02\x03\x04", 4), "eth0", 5);
	b = addr("/ip4/1.2.3.4/tcp/5");
	assert_true(maddr_equal(&a, &b));
}

static void test_maddr_zone_is_put_in_front_and_left_out(void **state)
{
	struct maddr a = addr("/ip6/fe80::1/tcp/5"), b = a;

	(void)state;
	assert_int_equal(maddr_set_zone(&a, "eth0"), 0);
	assert_true(bytes_equal(maddr_without_zone(&a), maddr_bytes(&b)));
	assert_true(bytes_equal(maddr_without_zone(&b), maddr_bytes(&b)));
	/* Another takes its place. */
	assert_int_equal(maddr_set_zone(&a, "wlan0"), 0);
	b = addr("/ip6zone/wlan0/ip6/fe80::1/tcp/5");
	assert_true(maddr_equal(&a, &b));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_maddr_text_goes_both_ways),
		cmocka_unit_test(test_maddr_failure_leaves_it_empty),
		cmocka_unit_test(test_maddr_keeps_what_it_cannot_read),
		cmocka_unit_test(test_maddr_peer_is_split_and_joined),
		cmocka_unit_test(test_maddr_join_peer_has_a_limit),
		cmocka_unit_test(test_maddr_to_tcp_takes_host_and_port_only),
		cmocka_unit_test(test_maddr_from_ip),
		cmocka_unit_test(test_maddr_zone_is_put_in_front_and_left_out),
	};
	return cmocka_run_group_tests_name("maddr", tests, NULL, NULL);
}

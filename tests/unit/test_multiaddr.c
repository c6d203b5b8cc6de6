/* Addresses in binary and text, taken apart, and their scopes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "net/wire/multiaddr.h"
#include "tests/lib/vector.h"

#define ID "12D3KooWK99VoVxNE7XzyBwXEzW7xhK7Gpv85r9F3V3fyKSUKPH5"
#define ID_HEX \
	"0024080112208a88e3dd7409f195fd52db2d3cba5d72ca6709bf1d94121bf3748801" \
	"b40f6f5c"
#define RELAY "QmYyQSo1c1Ym7orWxLYvCrM2EmxFTANf8wXmmE7DWjhx5N"

static int text_to(const char *text, struct buf *out)
{
	buf_reset(out);
	return multiaddr_parse_text(bytes_str(text), out);
}

/* Text, and the binary form where another implementation gave it. */
static void test_multiaddr_text_and_binary_agree(void **state)
{
	struct vector_file v;
	struct buf raw, want, text;
	int count = 0;

	(void)state;
	buf_init(&raw, 2000);
	buf_init(&want, 2000);
	buf_init(&text, 2000);
	vector_open(&v, "multiaddr.txt");
	while (vector_next(&v, 2)) {
		if (text_to(v.word[0], &raw) != 0)
			fail_msg("%s", v.word[0]);
		vector_hex(v.word[1], &want);
		if (!bytes_equal(buf_bytes(&raw), buf_bytes(&want)))
			fail_msg("%s: other bytes", v.word[0]);
		buf_reset(&text);
		assert_int_equal(multiaddr_to_text(buf_bytes(&raw), &text), 0);
		assert_string_equal(buf_cstr(&text), v.word[0]);
		count++;
	}
	assert_true(count >= 25);
	buf_clear(&raw);
	buf_clear(&want);
	buf_clear(&text);
}

static void test_multiaddr_reads_old_and_other_spellings(void **state)
{
	static const char *const pairs[][2] = {
		{"/ip4/1.2.3.4/tcp/1/ipfs/" ID, "/ip4/1.2.3.4/tcp/1/p2p/" ID},
		{"/p2p/"
		 "bafzaajaiaejcbcui4poxicprsx6vfwznhs5f24wkm4e36hmucin7g5ei"
		 "ag2a6324",
			"/p2p/" ID},
		{"/ip6/0:0:0::1/tcp/9", "/ip6/::1/tcp/9"},
		{"/ip6/FE80::A/udp/1/quic-v1", "/ip6/fe80::a/udp/1/quic-v1"},
	};
	struct buf raw, text;

	(void)state;
	buf_init(&raw, 2000);
	buf_init(&text, 2000);
	for (size_t i = 0; i < P2P_ARRAY_LEN(pairs); i++) {
		assert_int_equal(text_to(pairs[i][0], &raw), 0);
		buf_reset(&text);
		assert_int_equal(multiaddr_to_text(buf_bytes(&raw), &text), 0);
		assert_string_equal(buf_cstr(&text), pairs[i][1]);
	}
	buf_clear(&raw);
	buf_clear(&text);
}

static void test_multiaddr_refuses_bad_text(void **state)
{
	static const struct {
		const char *text;
		int err;
	} cases[] = {
		{"", P2P_ERR_MALFORMED},
		{"/", P2P_ERR_UNSUPPORTED},
		{"ip4/1.2.3.4", P2P_ERR_MALFORMED},
		{"/ip4", P2P_ERR_MALFORMED},
		{"/ip4/", P2P_ERR_MALFORMED},
		{"/ip4/1.2.3", P2P_ERR_MALFORMED},
		{"/ip4/1.2.3.04", P2P_ERR_MALFORMED},
		{"/ip4/1.2.3.256", P2P_ERR_MALFORMED},
		{"/ip4/::1", P2P_ERR_MALFORMED},
		{"/ip6/1.2.3.4", P2P_ERR_MALFORMED},
		{"/ip6/fe80::1%eth0", P2P_ERR_MALFORMED},
		{"/ip4/1.2.3.4/tcp", P2P_ERR_MALFORMED},
		{"/ip4/1.2.3.4/tcp/", P2P_ERR_MALFORMED},
		{"/ip4/1.2.3.4/tcp/65536", P2P_ERR_MALFORMED},
		{"/ip4/1.2.3.4/tcp/007", P2P_ERR_MALFORMED},
		{"/ip4/1.2.3.4/tcp/-1", P2P_ERR_MALFORMED},
		{"/ip4/1.2.3.4/tcp/1 ", P2P_ERR_MALFORMED},
		{"/ip4/1.2.3.4/tcp/1/", P2P_ERR_UNSUPPORTED},
		{"/ip4/1.2.3.4/sctp/1", P2P_ERR_UNSUPPORTED},
		{"/dns4//tcp/1", P2P_ERR_MALFORMED},
		{"/dns4/a b/tcp/1", P2P_ERR_MALFORMED},
		{"/p2p/hello", P2P_ERR_MALFORMED},
		{"/unix/", P2P_ERR_MALFORMED},
		{"/unix/a/", P2P_ERR_MALFORMED},
		{"/certhash/uEiD", P2P_ERR_MALFORMED},
		{"/onion3/abc:80", P2P_ERR_MALFORMED},
		{"/onion3/abc", P2P_ERR_MALFORMED},
	};
	struct buf raw;

	(void)state;
	buf_init(&raw, 2000);
	buf_append_str(&raw, "kept");
	for (size_t i = 0; i < P2P_ARRAY_LEN(cases); i++) {
		int err = multiaddr_parse_text(bytes_str(cases[i].text), &raw);

		if (err != cases[i].err)
			fail_msg("%s: %s", cases[i].text, p2p_err_name(err));
		assert_string_equal(buf_cstr(&raw), "kept");
	}
	buf_clear(&raw);
}

static void test_multiaddr_refuses_bad_bytes(void **state)
{
	static const struct {
		const char *hex;
		int err;
	} cases[] = {
		{"-", P2P_ERR_MALFORMED}, {"047f0000", P2P_ERR_TRUNCATED},
		{"047f000001060f", P2P_ERR_TRUNCATED},
		{"84007f000001", P2P_ERR_MALFORMED}, /* code not minimal */
		{"07", P2P_ERR_UNSUPPORTED},
		{"3500", P2P_ERR_MALFORMED},       /* a name of nothing */
		{"3503612f62", P2P_ERR_MALFORMED}, /* a slash in a name */
		{"35026100", P2P_ERR_MALFORMED},
		{"35ffffffffffffffff7f61", P2P_ERR_TRUNCATED},
		{"a503020000", P2P_ERR_MALFORMED},     /* an id of nothing */
		{"9003022f61dd03", P2P_ERR_MALFORMED}, /* behind a path */
	};
	struct buf raw;

	(void)state;
	buf_init(&raw, 2000);
	for (size_t i = 0; i < P2P_ARRAY_LEN(cases); i++) {
		int err;

		vector_hex(cases[i].hex, &raw);
		err = multiaddr_check(buf_bytes(&raw));
		if (err != cases[i].err)
			fail_msg("%s: %s", cases[i].hex, p2p_err_name(err));
	}
	buf_reset(&raw);
	for (int i = 0; i <= MULTIADDR_PARTS_MAX; i++)
		multiaddr_put(&raw, MULTIADDR_WS, bytes_of(NULL, 0));
	assert_int_equal(multiaddr_check(buf_bytes(&raw)), P2P_ERR_TOO_BIG);
	buf_clear(&raw);
}

static const struct {
	const char *text;
	enum multiaddr_transport transport;
	const char *base;
	uint16_t port;
	bool peer, relayed, relay;
} routes[] = {
	{"/ip4/1.2.3.4/tcp/4001", MULTIADDR_OVER_TCP, "/ip4/1.2.3.4/tcp/4001",
		4001, false, false, false},
	{"/ip4/1.2.3.4/tcp/4001/p2p/" ID, MULTIADDR_OVER_TCP,
		"/ip4/1.2.3.4/tcp/4001", 4001, true, false, false},
	{"/dns/example.org/tcp/1", MULTIADDR_OVER_TCP, "/dns/example.org/tcp/1",
		1, false, false, false},
	{"/ip6zone/eth0/ip6/fe80::1/tcp/2/p2p/" ID, MULTIADDR_OVER_TCP,
		"/ip6zone/eth0/ip6/fe80::1/tcp/2", 2, true, false, false},
	{"/ip4/1.2.3.4/tcp/3/ws", MULTIADDR_OVER_WS, "/ip4/1.2.3.4/tcp/3/ws", 3,
		false, false, false},
	{"/dns4/a/tcp/443/tls/sni/b/ws/p2p/" ID, MULTIADDR_OVER_WSS,
		"/dns4/a/tcp/443/tls/sni/b/ws", 443, true, false, false},
	{"/dns4/a/tcp/443/wss", MULTIADDR_OVER_WSS, "/dns4/a/tcp/443/wss", 443,
		false, false, false},
	{"/ip4/1.2.3.4/udp/5/quic-v1/p2p/" ID, MULTIADDR_OVER_QUIC,
		"/ip4/1.2.3.4/udp/5/quic-v1", 5, true, false, false},
	{"/ip4/1.2.3.4/udp/5/quic-v1/webtransport/p2p/" ID,
		MULTIADDR_OVER_WEBTRANSPORT,
		"/ip4/1.2.3.4/udp/5/quic-v1/webtransport", 5, true, false,
		false},
	{"/ip4/1.2.3.4/udp/5/webrtc-direct/p2p/" ID, MULTIADDR_OVER_WEBRTC,
		"/ip4/1.2.3.4/udp/5/webrtc-direct", 5, true, false, false},
	{"/ip4/1.2.3.4/udp/5/quic", MULTIADDR_OVER_OTHER, NULL, 5, false, false,
		false},
	/* A circuit is found behind what is not understood, too. */
	{"/ip4/1.2.3.4/udp/5/quic/p2p/" RELAY "/p2p-circuit/p2p/" ID,
		MULTIADDR_OVER_OTHER, "/ip4/1.2.3.4/udp/5/quic/p2p/" RELAY, 5,
		true, true, true},
	{"/ip4/1.2.3.4/tcp/6/p2p/" RELAY "/p2p-circuit/webrtc/p2p/" ID,
		MULTIADDR_OVER_OTHER, "/ip4/1.2.3.4/tcp/6/p2p/" RELAY, 6, true,
		true, true},
	/* Neither two ids nor two circuits in a row mean anything. */
	{"/ip4/1.2.3.4/tcp/6/p2p/" ID "/p2p/" ID, MULTIADDR_OVER_OTHER, NULL, 6,
		true, false, false},
	{"/ip4/1.2.3.4/tcp/6/p2p/" RELAY "/p2p-circuit/p2p-circuit/p2p/" ID,
		MULTIADDR_OVER_OTHER, "/ip4/1.2.3.4/tcp/6/p2p/" RELAY, 6, true,
		true, true},
	{"/dnsaddr/bootstrap.libp2p.io/p2p/" ID, MULTIADDR_OVER_DNSADDR,
		"/dnsaddr/bootstrap.libp2p.io", 0, true, false, false},
	{"/ip4/1.2.3.4/tcp/6/p2p/" RELAY "/p2p-circuit/p2p/" ID,
		MULTIADDR_OVER_TCP, "/ip4/1.2.3.4/tcp/6/p2p/" RELAY, 6, true,
		true, true},
	{"/ip4/1.2.3.4/tcp/6/p2p/" RELAY "/p2p-circuit", MULTIADDR_OVER_TCP,
		"/ip4/1.2.3.4/tcp/6/p2p/" RELAY, 6, false, true, true},
	{"/ip4/1.2.3.4/tcp/6/p2p-circuit/p2p/" ID, MULTIADDR_OVER_TCP,
		"/ip4/1.2.3.4/tcp/6", 6, true, true, false},
	{"/ip4/1.2.3.4/tcp/6/http", MULTIADDR_OVER_OTHER, NULL, 6, false, false,
		false},
	{"/ip6zone/eth0/ip4/1.2.3.4/tcp/2", MULTIADDR_OVER_OTHER, NULL, 0,
		false, false, false},
	{"/tcp/2", MULTIADDR_OVER_OTHER, NULL, 0, false, false, false},
	{"/p2p/" ID, MULTIADDR_OVER_OTHER, NULL, 0, true, false, false},
};

static void test_multiaddr_tells_how_to_connect(void **state)
{
	struct buf raw, text;
	struct multiaddr_info info;

	(void)state;
	buf_init(&raw, 2000);
	buf_init(&text, 2000);
	for (size_t i = 0; i < P2P_ARRAY_LEN(routes); i++) {
		assert_int_equal(text_to(routes[i].text, &raw), 0);
		assert_int_equal(
			multiaddr_take_apart(&info, buf_bytes(&raw)), 0);
		assert_int_equal(info.transport, routes[i].transport);
		assert_int_equal(info.port, routes[i].port);
		assert_int_equal(info.peer.len, routes[i].peer ? 38 : 0);
		assert_int_equal(info.relayed, routes[i].relayed);
		assert_int_equal(info.relay.len, routes[i].relay ? 34 : 0);
		if (routes[i].base == NULL)
			continue;
		buf_reset(&text);
		assert_int_equal(multiaddr_to_text(info.base, &text), 0);
		assert_string_equal(buf_cstr(&text), routes[i].base);
	}
	buf_clear(&raw);
	buf_clear(&text);
}

static void test_multiaddr_sheds_a_trailing_peer(void **state)
{
	struct buf with, without;

	(void)state;
	buf_init(&with, 500);
	buf_init(&without, 500);
	assert_int_equal(text_to("/ip4/1.2.3.4/tcp/1/p2p/" ID, &with), 0);
	assert_int_equal(text_to("/ip4/1.2.3.4/tcp/1", &without), 0);
	assert_true(bytes_equal(
		multiaddr_without_peer(buf_bytes(&with)), buf_bytes(&without)));
	assert_true(bytes_equal(multiaddr_without_peer(buf_bytes(&without)),
		buf_bytes(&without)));
	assert_int_equal(
		text_to("/ip4/1.2.3.4/tcp/1/p2p/" ID "/p2p-circuit", &with), 0);
	assert_true(bytes_equal(
		multiaddr_without_peer(buf_bytes(&with)), buf_bytes(&with)));
	buf_clear(&with);
	buf_clear(&without);
}

static void test_multiaddr_scopes(void **state)
{
	static const struct {
		const char *text;
		enum ip_scope scope;
	} cases[] = {
		{"/ip4/0.0.0.0/tcp/0", IP_SCOPE_UNSPECIFIED},
		{"/ip4/0.1.0.0/tcp/0", IP_SCOPE_RESERVED},
		{"/ip4/127.5.0.1/tcp/1", IP_SCOPE_LOOPBACK},
		{"/ip4/169.254.1.1/tcp/1", IP_SCOPE_LINK_LOCAL},
		{"/ip4/10.255.0.1/tcp/1", IP_SCOPE_PRIVATE},
		{"/ip4/172.16.0.1/tcp/1", IP_SCOPE_PRIVATE},
		{"/ip4/172.31.255.255/tcp/1", IP_SCOPE_PRIVATE},
		{"/ip4/172.32.0.0/tcp/1", IP_SCOPE_PUBLIC},
		{"/ip4/192.168.7.7/tcp/1", IP_SCOPE_PRIVATE},
		{"/ip4/100.64.0.1/tcp/1", IP_SCOPE_PRIVATE},
		{"/ip4/100.128.0.1/tcp/1", IP_SCOPE_PUBLIC},
		{"/ip4/192.0.2.1/tcp/1", IP_SCOPE_RESERVED},
		{"/ip4/198.19.0.1/tcp/1", IP_SCOPE_RESERVED},
		{"/ip4/203.0.113.9/tcp/1", IP_SCOPE_RESERVED},
		{"/ip4/224.0.0.251/udp/5353", IP_SCOPE_MULTICAST},
		{"/ip4/255.255.255.255/udp/1", IP_SCOPE_MULTICAST},
		{"/ip4/240.0.0.1/udp/1", IP_SCOPE_RESERVED},
		{"/ip4/8.8.8.8/tcp/1", IP_SCOPE_PUBLIC},
		{"/ip6/::/tcp/1", IP_SCOPE_UNSPECIFIED},
		{"/ip6/::1/tcp/1", IP_SCOPE_LOOPBACK},
		{"/ip6/::ffff:127.0.0.1/tcp/1", IP_SCOPE_LOOPBACK},
		{"/ip6/64:ff9b::a00:1/tcp/1", IP_SCOPE_PRIVATE},
		{"/ip6/2002:7f00:1::/tcp/1", IP_SCOPE_LOOPBACK},
		{"/ip6zone/eth0/ip6/fe80::1/tcp/1", IP_SCOPE_LINK_LOCAL},
		{"/ip6/febf::1/tcp/1", IP_SCOPE_LINK_LOCAL},
		{"/ip6/fd00::1/tcp/1", IP_SCOPE_PRIVATE},
		{"/ip6/ff02::fb/udp/1", IP_SCOPE_MULTICAST},
		{"/ip6/2001:db8::1/tcp/1", IP_SCOPE_RESERVED},
		{"/ip6/3fff:fff::1/tcp/1", IP_SCOPE_RESERVED},
		{"/ip6/3ffe::1/tcp/1", IP_SCOPE_PUBLIC},
		{"/ip6/2a00:1450::1/tcp/1", IP_SCOPE_PUBLIC},
		{"/dns/localhost/tcp/1", IP_SCOPE_PUBLIC},
		{"/unix/run/chat", IP_SCOPE_LOOPBACK},
	};
	struct buf raw;

	(void)state;
	buf_init(&raw, 2000);
	for (size_t i = 0; i < P2P_ARRAY_LEN(cases); i++) {
		assert_int_equal(text_to(cases[i].text, &raw), 0);
		if (multiaddr_scope(buf_bytes(&raw)) != cases[i].scope)
			fail_msg("%s", cases[i].text);
	}
	buf_clear(&raw);
}

static void test_multiaddr_is_built_from_an_ip(void **state)
{
	struct buf raw, want;

	(void)state;
	buf_init(&raw, 100);
	buf_init(&want, 100);
	multiaddr_put_ip(&raw, bytes_of("\x7f\0\0\1", 4), MULTIADDR_TCP, 4001);
	assert_int_equal(text_to("/ip4/127.0.0.1/tcp/4001", &want), 0);
	assert_true(bytes_equal(buf_bytes(&raw), buf_bytes(&want)));
	buf_clear(&raw);
	buf_clear(&want);
}

static void test_multiaddr_too_long_for_the_buffer(void **state)
{
	struct buf raw;

	(void)state;
	buf_init(&raw, 10);
	assert_int_equal(
		text_to("/ip4/1.2.3.4/tcp/1/p2p/" ID, &raw), P2P_ERR_TOO_BIG);
	assert_int_equal(raw.len, 0);
	buf_clear(&raw);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_multiaddr_text_and_binary_agree),
		cmocka_unit_test(test_multiaddr_reads_old_and_other_spellings),
		cmocka_unit_test(test_multiaddr_refuses_bad_text),
		cmocka_unit_test(test_multiaddr_refuses_bad_bytes),
		cmocka_unit_test(test_multiaddr_tells_how_to_connect),
		cmocka_unit_test(test_multiaddr_sheds_a_trailing_peer),
		cmocka_unit_test(test_multiaddr_scopes),
		cmocka_unit_test(test_multiaddr_is_built_from_an_ip),
		cmocka_unit_test(test_multiaddr_too_long_for_the_buffer),
	};

	return cmocka_run_group_tests_name("multiaddr", tests, NULL, NULL);
}

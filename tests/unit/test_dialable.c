/* What addresses are made of: a table, who shares a limit, hostile ones. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "net/wire/dialable.h"

#define ID "12D3KooWK99VoVxNE7XzyBwXEzW7xhK7Gpv85r9F3V3fyKSUKPH5"
#define RELAY "QmYyQSo1c1Ym7orWxLYvCrM2EmxFTANf8wXmmE7DWjhx5N"
#define CERT "uEiAkH5a4DPGKUuOBjYw0CgwjvcJCJMD2K_1aluKR_tpevQ"

static struct maddr addr(const char *text)
{
	struct maddr a;

	if (maddr_parse_text(&a, bytes_str(text)) != 0)
		fail_msg("%s", text);
	return a;
}

static struct dialable made(const char *text)
{
	struct maddr a = addr(text);
	struct dialable d;

	dialable_of(&d, &a);
	return d;
}

#define YET " is not spoken yet"
#define RELAYED "relayed addresses are not dialled yet"
#define NOBODY "nobody can be there"
#define NO_WAY "no transport known here leads there"

static const struct {
	const char *text;
	enum multiaddr_transport transport;
	enum dialable_host host;
	enum ip_scope scope;
	uint16_t port;
	bool relayed;
	const char *why_not;
} table[] = {
	/* What is dialled. */
	{"/ip4/8.8.8.8/tcp/4001", MULTIADDR_OVER_TCP, DIALABLE_HOST_IP4,
		IP_SCOPE_PUBLIC, 4001, false, NULL},
	{"/ip4/192.168.1.2/tcp/1", MULTIADDR_OVER_TCP, DIALABLE_HOST_IP4,
		IP_SCOPE_PRIVATE, 1, false, NULL},
	{"/ip6/::1/tcp/2", MULTIADDR_OVER_TCP, DIALABLE_HOST_IP6,
		IP_SCOPE_LOOPBACK, 2, false, NULL},
	{"/ip6zone/eth0/ip6/fe80::1/tcp/3", MULTIADDR_OVER_TCP,
		DIALABLE_HOST_IP6, IP_SCOPE_LINK_LOCAL, 3, false, NULL},
	{"/dns4/example.org/tcp/443", MULTIADDR_OVER_TCP, DIALABLE_HOST_NAME,
		IP_SCOPE_PUBLIC, 443, false, NULL},
	/* What is known and not spoken. */
	{"/ip4/8.8.8.8/udp/4/quic-v1", MULTIADDR_OVER_QUIC, DIALABLE_HOST_IP4,
		IP_SCOPE_PUBLIC, 4, false, "QUIC" YET},
	{"/ip4/8.8.8.8/tcp/5/ws", MULTIADDR_OVER_WS, DIALABLE_HOST_IP4,
		IP_SCOPE_PUBLIC, 5, false, "WebSocket" YET},
	{"/dns6/a.org/tcp/6/tls/sni/b.org/ws", MULTIADDR_OVER_WSS,
		DIALABLE_HOST_NAME, IP_SCOPE_PUBLIC, 6, false, "WebSocket" YET},
	{"/ip6/fd00::1/udp/7/quic-v1/webtransport/certhash/" CERT
	 "/certhash/" CERT,
		MULTIADDR_OVER_WEBTRANSPORT, DIALABLE_HOST_IP6,
		IP_SCOPE_PRIVATE, 7, false, "WebTransport" YET},
	{"/ip4/10.0.0.1/udp/8/webrtc-direct/certhash/" CERT,
		MULTIADDR_OVER_WEBRTC, DIALABLE_HOST_IP4, IP_SCOPE_PRIVATE, 8,
		false, "WebRTC" YET},
	{"/dnsaddr/bootstrap.libp2p.io", MULTIADDR_OVER_DNSADDR,
		DIALABLE_HOST_NAME, IP_SCOPE_PUBLIC, 0, false,
		"dnsaddr names are not looked up yet"},
	/* Relayed: as the relay, by whatever transport. */
	{"/ip4/8.8.8.8/tcp/9/p2p/" RELAY "/p2p-circuit", MULTIADDR_OVER_TCP,
		DIALABLE_HOST_IP4, IP_SCOPE_PUBLIC, 9, true, RELAYED},
	{"/ip4/10.0.0.1/udp/10/quic-v1/p2p/" RELAY "/p2p-circuit/p2p/" ID,
		MULTIADDR_OVER_QUIC, DIALABLE_HOST_IP4, IP_SCOPE_PRIVATE, 10,
		true, RELAYED},
	{"/dns/r.org/tcp/11/p2p-circuit", MULTIADDR_OVER_TCP,
		DIALABLE_HOST_NAME, IP_SCOPE_PUBLIC, 11, true, RELAYED},
	{"/ip4/8.8.8.8/tcp/12/p2p/" RELAY "/p2p-circuit/webrtc/p2p/" ID,
		MULTIADDR_OVER_OTHER, DIALABLE_HOST_IP4, IP_SCOPE_PUBLIC, 12,
		true, RELAYED},
	{"/ip4/8.8.8.8/tcp/13/http/p2p/" RELAY "/p2p-circuit",
		MULTIADDR_OVER_OTHER, DIALABLE_HOST_IP4, IP_SCOPE_PUBLIC, 13,
		true, RELAYED},
	{"/p2p/" RELAY "/p2p-circuit/p2p/" ID, MULTIADDR_OVER_OTHER,
		DIALABLE_HOST_NONE, IP_SCOPE_PUBLIC, 0, true, RELAYED},
	{"/ip4/8.8.8.8/tcp/14/p2p-circuit/p2p-circuit/p2p-circuit",
		MULTIADDR_OVER_OTHER, DIALABLE_HOST_IP4, IP_SCOPE_PUBLIC, 14,
		true, RELAYED},
	/* In order, and of no use here. */
	{"/ip4/8.8.8.8", MULTIADDR_OVER_OTHER, DIALABLE_HOST_IP4,
		IP_SCOPE_PUBLIC, 0, false, NO_WAY},
	{"/ip4/8.8.8.8/udp/15/quic", MULTIADDR_OVER_OTHER, DIALABLE_HOST_IP4,
		IP_SCOPE_PUBLIC, 15, false, NO_WAY},
	{"/ip4/8.8.8.8/tcp/16/p2p/" ID, MULTIADDR_OVER_OTHER, DIALABLE_HOST_IP4,
		IP_SCOPE_PUBLIC, 16, false, NO_WAY},
	{"/ip6zone/abcdefghijklmnopqrstuvwxyz012345/ip6/fe80::1/tcp/17",
		MULTIADDR_OVER_OTHER, DIALABLE_HOST_IP6, IP_SCOPE_LINK_LOCAL,
		17, false, NO_WAY},
	{"/unix/run/chat", MULTIADDR_OVER_OTHER, DIALABLE_HOST_NONE,
		IP_SCOPE_LOOPBACK, 0, false, NO_WAY},
	{"/p2p/" ID, MULTIADDR_OVER_OTHER, DIALABLE_HOST_NONE, IP_SCOPE_PUBLIC,
		0, false, NO_WAY},
	/* Where nobody is. */
	{"/ip4/0.0.0.0/tcp/18", MULTIADDR_OVER_TCP, DIALABLE_HOST_IP4,
		IP_SCOPE_UNSPECIFIED, 18, false, NOBODY},
	{"/ip6/ff02::1/udp/19/quic-v1", MULTIADDR_OVER_QUIC, DIALABLE_HOST_IP6,
		IP_SCOPE_MULTICAST, 19, false, NOBODY},
	{"/ip4/8.8.8.8/tcp/0", MULTIADDR_OVER_TCP, DIALABLE_HOST_IP4,
		IP_SCOPE_PUBLIC, 0, false, NOBODY},
	{"/ip4/8.8.8.8/tcp/0/ws", MULTIADDR_OVER_WS, DIALABLE_HOST_IP4,
		IP_SCOPE_PUBLIC, 0, false, NOBODY},
	{"/ip4/224.0.0.1/tcp/1/p2p/" RELAY "/p2p-circuit", MULTIADDR_OVER_TCP,
		DIALABLE_HOST_IP4, IP_SCOPE_MULTICAST, 1, true, NOBODY},
};

static void test_dialable_table(void **state)
{
	(void)state;
	for (size_t i = 0; i < P2P_ARRAY_LEN(table); i++) {
		struct dialable d = made(table[i].text);
		const char *why = dialable_why_not(&d);

		if (d.transport != table[i].transport ||
			d.host != table[i].host || d.scope != table[i].scope ||
			d.port != table[i].port ||
			d.relayed != table[i].relayed)
			fail_msg("%s", table[i].text);
		if ((why == NULL) != (table[i].why_not == NULL) ||
			(why != NULL && strcmp(why, table[i].why_not) != 0))
			fail_msg("%s: %s", table[i].text, why);
	}
}

/* To listen means the same form; where nobody is one can listen all the
 * same. */
static void test_dialable_is_spoken_where_a_carrier_takes_it(void **state)
{
	(void)state;
	for (size_t i = 0; i < P2P_ARRAY_LEN(table); i++) {
		struct maddr a = addr(table[i].text);
		struct dialable d = made(table[i].text);
		struct maddr_tcp tcp;

		if (dialable_is_spoken(&d) != maddr_to_tcp(&a, &tcp))
			fail_msg("%s", table[i].text);
	}
}

static void test_dialable_near(void **state)
{
	static const struct {
		const char *text;
		bool near, loopback;
	} cases[] = {
		{"/ip4/127.0.0.1/tcp/1", true, true},
		{"/ip6/::1/udp/1/quic-v1", true, true},
		{"/ip4/192.168.1.1/tcp/1", true, false},
		{"/ip4/10.1.1.1/tcp/1/ws", true, false},
		{"/ip4/169.254.1.1/tcp/1", true, false},
		{"/ip6/fe80::1/tcp/1", true, false},
		{"/ip6/fd00::1/tcp/1", true, false},
		{"/ip4/8.8.8.8/tcp/1", false, false},
		{"/ip6/2a00::1/tcp/1", false, false},
		{"/dns/localhost/tcp/1", false, false},
	};

	(void)state;
	for (size_t i = 0; i < P2P_ARRAY_LEN(cases); i++) {
		struct dialable d = made(cases[i].text);

		assert_int_equal(dialable_is_near(&d), cases[i].near);
		assert_int_equal(dialable_is_loopback(&d), cases[i].loopback);
	}
}

static void test_dialable_site_is_what_one_host_cannot_choose(void **state)
{
	static const struct {
		const char *a, *b;
		bool same;
	} cases[] = {
		/* Any port, any transport, any peer. */
		{"/ip4/8.8.8.8/tcp/1", "/ip4/8.8.8.8/udp/9/quic-v1", true},
		{"/ip4/8.8.8.8/tcp/1", "/ip4/8.8.8.8/tcp/1/p2p/" ID, true},
		{"/ip4/8.8.8.8/tcp/1", "/ip4/8.8.8.9/tcp/1", false},
		{"/ip6/2a00:1:2:3::1/tcp/1", "/ip6/2a00:1:2:3:4:5:6:7/tcp/2/ws",
			true},
		{"/ip6/2a00:1:2:3::1/tcp/1", "/ip6/2a00:1:2:4::1/tcp/1", false},
		/* IPv4 by way of IPv6 is the same machine. */
		{"/ip4/8.8.8.8/tcp/1", "/ip6/::ffff:8.8.8.8/tcp/1", true},
		{"/ip4/8.8.8.8/tcp/1", "/ip6/64:ff9b::808:808/tcp/1", true},
		{"/ip4/8.8.8.8/tcp/1", "/ip6/808:808::/tcp/1", false},
		/* A name, however it is asked for and written. */
		{"/dns/a.org/tcp/1", "/dns4/A.org/tcp/2/wss", true},
		{"/dns/a.org/tcp/1", "/dnsaddr/a.org", true},
		{"/dns/a.org/tcp/1", "/dns/b.org/tcp/1", false},
		/* A relay's place is that of all whom it brings. */
		{"/ip4/8.8.8.8/tcp/1",
			"/ip4/8.8.8.8/tcp/1/p2p/" RELAY "/p2p-circuit/p2p/" ID,
			true},
		{"/ip4/8.8.8.8/tcp/1",
			"/ip4/8.8.8.9/tcp/1/p2p/" RELAY "/p2p-circuit/p2p/" ID,
			false},
		/* Without a host there is one site, and it is nobody's else. */
		{"/unix/a", "/p2p/" RELAY "/p2p-circuit", true},
		{"/unix/a", "/ip4/0.0.0.0/tcp/1", false},
	};

	(void)state;
	for (size_t i = 0; i < P2P_ARRAY_LEN(cases); i++) {
		struct dialable a = made(cases[i].a), b = made(cases[i].b);

		if (dialable_same_site(&a.site, &b.site) != cases[i].same)
			fail_msg("%s %s", cases[i].a, cases[i].b);
	}
}

static void test_dialable_ip_of_the_host_alone(void **state)
{
	static const struct {
		const char *text;
		size_t len;
	} cases[] = {{"/ip4/1.2.3.4/tcp/1", 4},
		{"/ip4/1.2.3.4/udp/1/quic-v1", 4},
		{"/ip6zone/eth0/ip6/fe80::1/tcp/1", 16},
		{"/dns/a.org/tcp/1", 0}, {"/p2p/" ID, 0}};

	(void)state;
	for (size_t i = 0; i < P2P_ARRAY_LEN(cases); i++) {
		struct maddr a = addr(cases[i].text);
		struct bytes ip = dialable_ip(&a);

		assert_int_equal(ip.len, cases[i].len);
		if (ip.len == 4)
			assert_memory_equal(ip.data, "\x01\x02\x03\x04", 4);
	}
}

/* ---- from the wire ---- */

static void test_dialable_what_cannot_be_named_is_not_spoken(void **state)
{
	static const struct {
		const char *raw;
		size_t len;
		enum dialable_host host;
	} cases[] = {
		/* /ip4/8.8.8.8/udp/4001, and a code that no table here has. */
		{"\x04\x08\x08\x08\x08\x91\x02\x0f\xa1\x8f\x4e", 11,
			DIALABLE_HOST_IP4},
		/* With TCP in front it is no TCP address either. */
		{"\x04\x08\x08\x08\x08\x06\x0f\xa1\x8f\x4e", 10,
			DIALABLE_HOST_IP4},
		{"\x8f\x4e", 2, DIALABLE_HOST_NONE},
		{"", 0, DIALABLE_HOST_NONE},
	};

	(void)state;
	for (size_t i = 0; i < P2P_ARRAY_LEN(cases); i++) {
		struct maddr a = {.len = (uint8_t)cases[i].len};
		struct dialable d;

		memcpy(a.raw, cases[i].raw, cases[i].len);
		dialable_of(&d, &a);
		assert_int_equal(d.transport, MULTIADDR_OVER_OTHER);
		assert_int_equal(d.host, cases[i].host);
		assert_int_equal(d.scope, IP_SCOPE_PUBLIC);
		assert_false(dialable_is_spoken(&d));
		assert_string_equal(dialable_why_not(&d), NO_WAY);
	}
}

static void test_dialable_hostile_ones_are_bounded(void **state)
{
	uint8_t raw[MADDR_BYTES_MAX + 1];
	struct dialable d;
	struct maddr a;
	size_t n = 0;

	(void)state;
	/* As many circuits as components are allowed, and one more. */
	for (; n < (size_t)2 * MULTIADDR_PARTS_MAX; n += 2)
		memcpy(raw + n, "\xa2\x02", 2);
	assert_int_equal(maddr_parse(&a, bytes_of(raw, n)), 0);
	dialable_of(&d, &a);
	assert_true(d.relayed);
	assert_int_equal(d.transport, MULTIADDR_OVER_OTHER);
	memcpy(raw + n, "\xa2\x02", 2);
	assert_int_equal(
		maddr_parse(&a, bytes_of(raw, n + 2)), P2P_ERR_TOO_BIG);
	/* Unknown to the last byte that an address may have. */
	memset(raw, 0x7f, sizeof(raw));
	assert_int_equal(maddr_parse(&a, bytes_of(raw, MADDR_BYTES_MAX)), 0);
	dialable_of(&d, &a);
	assert_string_equal(dialable_why_not(&d), NO_WAY);
	assert_int_equal(
		maddr_parse(&a, bytes_of(raw, sizeof(raw))), P2P_ERR_TOO_BIG);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_dialable_table),
		cmocka_unit_test(
			test_dialable_is_spoken_where_a_carrier_takes_it),
		cmocka_unit_test(test_dialable_near),
		cmocka_unit_test(
			test_dialable_site_is_what_one_host_cannot_choose),
		cmocka_unit_test(test_dialable_ip_of_the_host_alone),
		cmocka_unit_test(
			test_dialable_what_cannot_be_named_is_not_spoken),
		cmocka_unit_test(test_dialable_hostile_ones_are_bounded),
	};

	return cmocka_run_group_tests_name("dialable", tests, NULL, NULL);
}

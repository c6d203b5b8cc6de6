/* Peers on the LAN: names, TXT and SRV records, dnsaddr strings. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <cmocka.h>

#include "net/discover/mdns.h"

#define ID "12D3KooWK99VoVxNE7XzyBwXEzW7xhK7Gpv85r9F3V3fyKSUKPH5"
#define TAIL "/tcp/4001/p2p/" ID

static const struct mdns_origin eth0 = {.zone = "eth0"};
static const struct mdns_origin lo = {.zone = "lo", .loopback = true};
static const struct mdns_origin nowhere = {.zone = ""};

static struct maddr addr_of(const char *text)
{
	struct maddr a;

	assert_int_equal(maddr_parse_text(&a, bytes_str(text)), 0);
	return a;
}

static void test_mdns_names_are_labels_on_the_wire(void **state)
{
	static const uint8_t want[] = "\4_p2p\4_udp\5local";
	char text[MDNS_NAME_TEXT_MAX];
	struct buf b;

	(void)state;
	buf_init(&b, MDNS_NAME_BYTES_MAX);
	assert_int_equal(mdns_name_put(&b, MDNS_SERVICE), 0);
	assert_true(bytes_equal(buf_bytes(&b), bytes_of(want, sizeof(want))));
	assert_int_equal(mdns_name_text(buf_bytes(&b), text), 0);
	assert_string_equal(text, MDNS_SERVICE);
	buf_clear(&b);
}

/* ---- names of services ---- */

static const struct mdns_service *service(
	const struct mdns_services *s, const char *name)
{
	for (size_t i = 0; i < s->count; i++)
		if (strcmp(s->of[i].name, name) == 0)
			return &s->of[i];
	return NULL;
}

static void test_mdns_looks_for_what_known_programs_use(void **state)
{
	struct mdns_services s;

	(void)state;
	mdns_services_init(&s);
	assert_string_equal(s.of[0].name, MDNS_SERVICE);
	assert_true(s.of[0].told);
	/* To look costs a question; to be told there, records of everybody. */
	assert_int_equal(s.count, 4);
	assert_false(service(&s, "pubsub-chat-example.local")->told);
	assert_false(service(&s, "universal-connectivity.local")->told);
	assert_false(service(&s, "p2p-chat-local-discovery.local")->told);
}

static void test_mdns_takes_names_as_they_are_typed(void **state)
{
	static const char *const same[] = {"_x._udp", "_x._udp.",
		"_x._udp.local", "_x._udp.local.", "_X._udp.LOCAL"};
	struct mdns_services s;

	(void)state;
	mdns_services_init(&s);
	for (size_t i = 0; i < P2P_ARRAY_LEN(same); i++) {
		assert_int_equal(mdns_services_add(&s, same[i]), 0);
		assert_int_equal(s.count, 5);
	}
	assert_string_equal(s.of[4].name, "_x._udp.local");
	assert_true(s.of[4].told);
	/* One that is looked for anyway, spelled as its programs spell it. */
	assert_int_equal(mdns_services_add(&s, "Pubsub-Chat-Example"), 0);
	assert_int_equal(s.count, 5);
	assert_true(service(&s, "Pubsub-Chat-Example.local")->told);
}

static void test_mdns_refuses_odd_names_of_services(void **state)
{
	static const char *const odd[] = {"", ".", ".local", "a..b", "a b",
		"a/b", "\xc3\xa9", "local..", "a\n"};
	char name[200];
	struct mdns_services s, before;

	(void)state;
	mdns_services_init(&s);
	before = s;
	for (size_t i = 0; i < P2P_ARRAY_LEN(odd); i++)
		if (mdns_services_add(&s, odd[i]) != P2P_ERR_MALFORMED)
			fail_msg("\"%s\" is a name", odd[i]);
	memset(name, 'a', sizeof(name));
	name[64] = '\0';
	assert_int_equal(mdns_services_add(&s, name), P2P_ERR_TOO_BIG);
	memset(name, 'a', sizeof(name));
	name[60] = '.';
	name[MDNS_SERVICE_TEXT_MAX - 6] = '\0';
	assert_int_equal(mdns_services_add(&s, name), P2P_ERR_TOO_BIG);
	assert_memory_equal(&s, &before, sizeof(s));
	name[MDNS_SERVICE_TEXT_MAX - 7] = '\0';
	assert_int_equal(mdns_services_add(&s, name), 0);
}

static void test_mdns_is_told_under_eight_names_more(void **state)
{
	struct mdns_services s;
	char name[16];

	(void)state;
	mdns_services_init(&s);
	for (unsigned i = 0; i < MDNS_SERVICES_TOLD_MAX - 1; i++) {
		snprintf(name, sizeof(name), "room-%u", i);
		assert_int_equal(mdns_services_add(&s, name), 0);
	}
	assert_int_equal(mdns_services_add(&s, "more"), P2P_ERR_LIMIT);
	assert_int_equal(
		mdns_services_add(&s, "pubsub-chat-example"), P2P_ERR_LIMIT);
	assert_int_equal(mdns_services_add(&s, "room-3"), 0);
}

static void test_mdns_asks_for_one_name(void **state)
{
	static const uint8_t want[] = "\0\0\0\0\0\1\0\0\0\0\0\0"
				      "\4_p2p\4_udp\5local\0\0\14\0\1";
	struct buf b;

	(void)state;
	buf_init(&b, MDNS_NAME_BYTES_MAX + 18);
	assert_int_equal(mdns_packet_question(&b, MDNS_SERVICE), 0);
	assert_true(
		bytes_equal(buf_bytes(&b), bytes_of(want, sizeof(want) - 1)));
	assert_true(mdns_packet_asks(buf_bytes(&b)));
	buf_clear(&b);
}

static void test_mdns_refuses_to_write_odd_names(void **state)
{
	char label[66];
	struct buf b;

	(void)state;
	buf_init(&b, 300);
	assert_int_equal(mdns_name_put(&b, ""), P2P_ERR_MALFORMED);
	assert_int_equal(mdns_name_put(&b, "a..local"), P2P_ERR_MALFORMED);
	assert_int_equal(mdns_name_put(&b, "a.local."), P2P_ERR_MALFORMED);
	assert_int_equal(mdns_name_put(&b, "a b.local"), P2P_ERR_MALFORMED);
	memset(label, 'x', 64);
	label[64] = '\0';
	assert_int_equal(mdns_name_put(&b, label), P2P_ERR_TOO_BIG);
	label[63] = '\0';
	buf_reset(&b);
	assert_int_equal(mdns_name_put(&b, label), 0);
	buf_clear(&b);
}

static void test_mdns_writes_odd_labels_as_avahi_does(void **state)
{
	char text[MDNS_NAME_TEXT_MAX];

	(void)state;
	assert_int_equal(
		mdns_name_text(bytes_of("\5a.\\ \xff\1b", 9), text), 0);
	assert_string_equal(text, "a\\.\\\\\\032\\255.b");
}

static void test_mdns_refuses_names_that_are_none(void **state)
{
	static const struct {
		const char *raw;
		size_t len;
		int err;
	} bad[] = {
		{"", 0, P2P_ERR_TRUNCATED},
		{"\0", 1, P2P_ERR_MALFORMED},       /* the root */
		{"\1a", 2, P2P_ERR_TRUNCATED},      /* no end */
		{"\5a\0", 3, P2P_ERR_TRUNCATED},    /* label too short */
		{"\1a\0b", 4, P2P_ERR_MALFORMED},   /* more behind it */
		{"\xc0\x0c", 2, P2P_ERR_MALFORMED}, /* compressed */
	};
	char text[MDNS_NAME_TEXT_MAX];
	uint8_t longest[300];

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_int_equal(
			mdns_name_text(bytes_of(bad[i].raw, bad[i].len), text),
			bad[i].err);
		assert_string_equal(text, "");
	}
	/* 127 labels of one byte each, all to be escaped, is the longest. */
	for (size_t i = 0; i < sizeof(longest); i++)
		longest[i] = i % 2 == 0 ? 1 : 0xff;
	longest[254] = 0;
	assert_int_equal(mdns_name_text(bytes_of(longest, 255), text), 0);
	assert_int_equal(strlen(text), 127 * 4 + 126);
	longest[254] = 1;
	longest[256] = 0;
	assert_int_equal(
		mdns_name_text(bytes_of(longest, 257), text), P2P_ERR_TOO_BIG);
}

static void test_mdns_instance_names_are_random_and_plain(void **state)
{
	char one[MDNS_INSTANCE_CHARS + 1], two[MDNS_INSTANCE_CHARS + 1];
	struct rng rng;

	(void)state;
	rng_init_seeded(&rng, 1);
	mdns_instance_name(&rng, one);
	mdns_instance_name(&rng, two);
	assert_string_not_equal(one, two);
	assert_int_equal(strspn(one, "abcdefghijklmnopqrstuvwxyz0123456789"),
		MDNS_INSTANCE_CHARS);
}

static void test_mdns_srv_says_port_and_target(void **state)
{
	static const uint8_t want[] = "\0\0\0\0\x0f\xa1\1a\5local";
	struct buf b;

	(void)state;
	buf_init(&b, 300);
	assert_int_equal(mdns_srv_put(&b, 4001, "a.local"), 0);
	assert_true(bytes_equal(buf_bytes(&b), bytes_of(want, sizeof(want))));
	buf_clear(&b);
}

static void expect_addr(
	const char *string, const struct mdns_origin *from, const char *want)
{
	char text[MADDR_TEXT_MAX];
	struct maddr a;

	assert_int_equal(mdns_dnsaddr(&a, bytes_str(string), from), 0);
	assert_string_equal(maddr_text(&a, text), want);
}

static void expect_none(
	const char *string, const struct mdns_origin *from, int err)
{
	struct maddr a;

	assert_int_equal(mdns_dnsaddr(&a, bytes_str(string), from), err);
	assert_int_equal(a.len, 0);
}

static void test_mdns_reads_dnsaddr_strings(void **state)
{
	(void)state;
	expect_addr("dnsaddr=/ip4/10.0.0.7" TAIL, &eth0, "/ip4/10.0.0.7" TAIL);
	expect_addr("DNSaddr=/ip6/fd00::7" TAIL, &eth0, "/ip6/fd00::7" TAIL);
	expect_addr("dnsaddr=/ip4/10.0.0.7/tcp/1/ipfs/" ID, &nowhere,
		"/ip4/10.0.0.7/tcp/1/p2p/" ID);
	expect_none("", &eth0, P2P_ERR_NOT_FOUND);
	expect_none("dnsaddr", &eth0, P2P_ERR_NOT_FOUND);
	expect_none("path=/", &eth0, P2P_ERR_NOT_FOUND);
	expect_none("dnsaddr=", &eth0, P2P_ERR_MALFORMED);
	expect_none("dnsaddr=10.0.0.7", &eth0, P2P_ERR_MALFORMED);
	expect_none("dnsaddr=/ip4/10.0.0.7/tcp/1", &eth0, P2P_ERR_MALFORMED);
	expect_none("dnsaddr=/p2p/" ID, &eth0, P2P_ERR_MALFORMED);
	expect_none(
		"dnsaddr=/ip4/10.0.0.7/tcp/1/p2p/Qm", &eth0, P2P_ERR_MALFORMED);
}

static void test_mdns_drops_what_leads_to_nobody_else(void **state)
{
	(void)state;
	expect_none("dnsaddr=/ip4/127.0.0.1" TAIL, &eth0, P2P_ERR_INVAL);
	expect_none("dnsaddr=/ip6/::1" TAIL, &eth0, P2P_ERR_INVAL);
	expect_none("dnsaddr=/ip4/0.0.0.0" TAIL, &eth0, P2P_ERR_INVAL);
	expect_none("dnsaddr=/ip4/224.0.0.251" TAIL, &lo, P2P_ERR_INVAL);
	expect_addr("dnsaddr=/ip4/127.0.0.1" TAIL, &lo, "/ip4/127.0.0.1" TAIL);
}

static void test_mdns_gives_link_local_addresses_our_zone(void **state)
{
	(void)state;
	expect_addr("dnsaddr=/ip6/fe80::1" TAIL, &eth0,
		"/ip6zone/eth0/ip6/fe80::1" TAIL);
	expect_addr("dnsaddr=/ip6zone/en7/ip6/fe80::1" TAIL, &eth0,
		"/ip6zone/eth0/ip6/fe80::1" TAIL);
	expect_none("dnsaddr=/ip6/fe80::1" TAIL, &nowhere, P2P_ERR_INVAL);
	expect_addr("dnsaddr=/ip4/169.254.3.4" TAIL, &nowhere,
		"/ip4/169.254.3.4" TAIL);
}

/* The strings of a TXT record one behind the other, as text. */
static void strings_of(struct bytes raw, char *out, size_t size)
{
	struct cursor c = cur_of(raw);
	size_t at = 0;

	while (cur_left(&c) > 0) {
		struct bytes s = cur_take(&c, cur_u8(&c));

		at += (size_t)snprintf(out + at, size - at, "%.*s\n",
			(int)s.len, (const char *)s.data);
		assert_true(at < size);
	}
	assert_true(cur_done(&c));
}

static void test_mdns_publishes_near_addresses_first(void **state)
{
	const struct maddr own[] = {
		addr_of("/ip6zone/eth0/ip6/fe80::1" TAIL),
		addr_of("/ip6zone/eth1/ip6/fe80::1" TAIL),
		addr_of("/ip4/8.8.8.8" TAIL),
		addr_of("/ip4/127.0.0.1" TAIL),
		addr_of("/ip4/192.168.1.2" TAIL),
	};
	char text[2000];
	struct buf txt;

	(void)state;
	buf_init(&txt, MDNS_TXT_OWN_BYTES_MAX);
	assert_int_equal(mdns_txt_put(&txt, own, 5), 3);
	strings_of(buf_bytes(&txt), text, sizeof(text));
	assert_string_equal(text, "dnsaddr=/ip4/192.168.1.2" TAIL "\n"
				  "dnsaddr=/ip4/8.8.8.8" TAIL "\n"
				  "dnsaddr=/ip6/fe80::1" TAIL "\n");
	buf_clear(&txt);
}

static void test_mdns_tells_an_interface_its_own_addresses_first(void **state)
{
	const struct maddr own[] = {
		addr_of("/ip6/fe80::1" TAIL),
		addr_of("/ip4/169.254.1.1" TAIL),
		addr_of("/ip4/8.8.8.8" TAIL),
		addr_of("/ip4/172.17.0.1" TAIL),
		addr_of("/ip6/fe80::1" TAIL),
	};
	char text[2000];
	struct buf txt;

	(void)state;
	buf_init(&txt, MDNS_TXT_OWN_BYTES_MAX);
	assert_int_equal(mdns_txt_put_near(&txt, own, 5, 2), 4);
	strings_of(buf_bytes(&txt), text, sizeof(text));
	assert_string_equal(text, "dnsaddr=/ip6/fe80::1" TAIL "\n"
				  "dnsaddr=/ip4/169.254.1.1" TAIL "\n"
				  "dnsaddr=/ip4/172.17.0.1" TAIL "\n"
				  "dnsaddr=/ip4/8.8.8.8" TAIL "\n");
	buf_reset(&txt);
	assert_int_equal(mdns_txt_put_near(&txt, own, 0, 0), 0);
	assert_true(bytes_equal(buf_bytes(&txt), bytes_of("", 1)));
	buf_clear(&txt);
}

static void test_mdns_txt_stays_within_one_packet(void **state)
{
	struct maddr own[40], got[MDNS_ADDRESSES_MAX];
	char text[200];
	struct buf txt;
	size_t put;

	(void)state;
	for (int i = 0; i < 40; i++) {
		snprintf(text, sizeof(text), "/ip4/10.0.0.%d" TAIL, i);
		own[i] = addr_of(text);
	}
	buf_init(&txt, MDNS_TXT_OWN_BYTES_MAX);
	put = mdns_txt_put(&txt, own, 40);
	assert_int_equal(put, 11); /* of 88 or 89 bytes and a length */
	assert_true(txt.len <= 1000);
	assert_int_equal(mdns_txt_addresses(got, buf_bytes(&txt), &eth0), put);
	assert_true(maddr_equal(&got[10], &own[10]));
	buf_reset(&txt);
	assert_int_equal(mdns_txt_put(&txt, own, 0), 0);
	assert_true(bytes_equal(buf_bytes(&txt), bytes_of("", 1)));
	buf_clear(&txt);
}

static void put_string(struct buf *b, const char *text)
{
	buf_append_u8(b, (uint8_t)strlen(text));
	buf_append_str(b, text);
}

static void test_mdns_one_bad_string_voids_no_other(void **state)
{
	struct maddr got[MDNS_ADDRESSES_MAX];
	struct buf b;

	(void)state;
	buf_init(&b, 70000);
	put_string(&b, "");
	put_string(&b, "dnsaddr=/nonsense/1" TAIL);
	put_string(&b, "dnsaddr=/ip4/10.0.0.1" TAIL);
	put_string(&b, "txtvers=1");
	put_string(&b, "dnsaddr=/ip4/10.0.0.2" TAIL);
	buf_append_str(&b, "\xffshort");
	assert_int_equal(mdns_txt_addresses(got, buf_bytes(&b), &eth0), 2);
	buf_reset(&b);
	for (int i = 0; i < 60; i++)
		put_string(&b, "dnsaddr=/ip4/10.0.0.1" TAIL);
	assert_int_equal(mdns_txt_addresses(got, buf_bytes(&b), &eth0),
		MDNS_ADDRESSES_MAX);
	buf_clear(&b);
}

/* ---- packets ------------------------------------------------------------ */

#define SERVICE "\4_p2p\4_udp\5local"
#define OTHER "\4_ipp\4_tcp\5local"
#define LABEL "\40Zq3aB9cD8eF7gH6iJ5kL4mN3oP2qR1s0"

static void put_header(
	struct buf *b, uint16_t flags, uint16_t questions, uint16_t additionals)
{
	buf_append_be16(b, 0x1234);
	buf_append_be16(b, flags);
	buf_append_be16(b, questions);
	buf_append_be16(b, 1);
	buf_append_be16(b, 0);
	buf_append_be16(b, additionals);
}

/* `owner` without the NUL that ends it. */
static void put_record(struct buf *b, const char *owner, uint16_t type,
	uint32_t ttl, struct bytes data)
{
	buf_append_str(b, owner);
	buf_append_u8(b, 0);
	buf_append_be16(b, type);
	buf_append_be16(b, 1);
	buf_append_be32(b, ttl);
	buf_append_be16(b, (uint16_t)data.len);
	buf_append(b, data);
}

static void put_txt_record(struct buf *b, uint32_t ttl, const char *string)
{
	struct buf txt;

	buf_init(&txt, 300);
	put_string(&txt, string);
	put_record(b, LABEL, MDNS_TYPE_TXT, ttl, buf_bytes(&txt));
	buf_clear(&txt);
}

/* As rust-libp2p answers: one bare label, a TXT record for each address. */
static void put_answer(
	struct buf *b, uint16_t flags, const char *owner, uint32_t ttl)
{
	buf_reset(b);
	put_header(b, flags, 0, 2);
	put_record(
		b, owner, MDNS_TYPE_PTR, ttl, bytes_of(LABEL, sizeof(LABEL)));
	put_txt_record(b, ttl, "dnsaddr=/ip4/127.0.0.1" TAIL);
	put_txt_record(b, ttl, "dnsaddr=/ip4/10.0.0.7" TAIL);
}

static void test_mdns_reads_packets_of_rust_libp2p(void **state)
{
	struct maddr got[MDNS_ADDRESSES_MAX];
	struct maddr want = addr_of("/ip4/10.0.0.7" TAIL);
	struct buf b;

	(void)state;
	buf_init(&b, 9000);
	put_answer(&b, 0x8400, SERVICE, 360);
	assert_int_equal(
		mdns_packet_addresses(got, buf_bytes(&b), &nowhere), 1);
	assert_true(bytes_equal(maddr_bytes(&got[0]), maddr_bytes(&want)));
	buf_clear(&b);
}

static void test_mdns_drops_packets_that_name_no_peer(void **state)
{
	struct maddr got[MDNS_ADDRESSES_MAX];
	struct buf b;

	(void)state;
	buf_init(&b, 9000);
	put_answer(&b, 0x0000, SERVICE, 360); /* a query */
	assert_int_equal(mdns_packet_addresses(got, buf_bytes(&b), &eth0), 0);
	put_answer(&b, 0x8403, SERVICE, 360); /* an error */
	assert_int_equal(mdns_packet_addresses(got, buf_bytes(&b), &eth0), 0);
	put_answer(&b, 0x8400, OTHER, 360);
	assert_int_equal(mdns_packet_addresses(got, buf_bytes(&b), &eth0), 0);
	put_answer(&b, 0x8400, SERVICE, 0); /* a goodbye */
	assert_int_equal(mdns_packet_addresses(got, buf_bytes(&b), &eth0), 0);
	buf_clear(&b);
}

/* One question, after `before` others. */
static void put_question(struct buf *b, const char *name, uint16_t flags,
	uint16_t type, unsigned before)
{
	buf_reset(b);
	buf_append_be16(b, 0);
	buf_append_be16(b, flags);
	buf_append_be16(b, (uint16_t)(before + 1));
	for (int i = 0; i < 3; i++)
		buf_append_be16(b, 0);
	for (unsigned i = 0; i <= before; i++) {
		buf_append_str(b, i < before ? OTHER : name);
		buf_append_u8(b, 0);
		buf_append_be16(b, type);
		buf_append_be16(b, 1);
	}
}

static bool asks(struct buf *b, const char *name, uint16_t flags, uint16_t type,
	unsigned before)
{
	put_question(b, name, flags, type, before);
	return mdns_packet_asks(buf_bytes(b));
}

static void test_mdns_knows_who_asks_for_libp2p(void **state)
{
	struct buf b;

	(void)state;
	buf_init(&b, 2000);
	assert_true(asks(&b, SERVICE, 0, MDNS_TYPE_PTR, 0));
	for (size_t n = 0; n < b.len; n++)
		assert_false(mdns_packet_asks(bytes_of(b.data, n)));
	assert_true(asks(&b, SERVICE, 0, 255, 3));
	assert_false(asks(&b, SERVICE, 0, MDNS_TYPE_TXT, 0));
	assert_false(asks(&b, OTHER, 0, MDNS_TYPE_PTR, 0));
	assert_false(asks(&b, SERVICE, 0x8400, MDNS_TYPE_PTR, 0));
	assert_false(asks(&b, SERVICE, 0, MDNS_TYPE_PTR, MDNS_QUESTIONS_MAX));
	buf_clear(&b);
}

/* The whole packet, and that it reads as rust-libp2p's own do. */
static void test_mdns_answers_as_rust_libp2p_reads_it(void **state)
{
	static const uint8_t head[] = {0, 0, 0x84, 0, 0, 0, 0, 1, 0, 0, 0, 1};
	static const char instance[] = "abcdefghijklmnopqrstuvwxyz012345";
	struct maddr addrs[2], got[MDNS_ADDRESSES_MAX];
	struct bytes packet;
	struct buf b;

	(void)state;
	buf_init(&b, MDNS_ANSWER_BYTES_MAX);
	addrs[0] = addr_of("/ip4/10.0.0.7" TAIL);
	addrs[1] = addr_of("/ip4/127.0.0.1" TAIL);
	assert_int_equal(mdns_packet_answer(&b, instance, &addrs[1], 1),
		P2P_ERR_NOT_FOUND);
	assert_int_equal(b.len, 0);
	assert_int_equal(mdns_packet_answer(&b, instance, addrs, 2), 0);
	packet = buf_bytes(&b);
	assert_memory_equal(packet.data, head, sizeof(head));
	assert_memory_equal(packet.data + sizeof(head), SERVICE "\0\0\14\0\1",
		sizeof(SERVICE) + 4);
	assert_int_equal(mdns_packet_addresses(got, packet, &nowhere), 1);
	assert_true(maddr_equal(&got[0], &addrs[0]));
	assert_false(mdns_packet_asks(packet));
	buf_clear(&b);
}

static void test_mdns_reads_no_more_of_a_packet_than_is_there(void **state)
{
	struct maddr got[MDNS_ADDRESSES_MAX];
	struct buf b;

	(void)state;
	buf_init(&b, 20000);
	put_answer(&b, 0x8400, SERVICE, 360);
	for (size_t n = 0; n < b.len; n++)
		assert_int_equal(
			mdns_packet_addresses(got, bytes_of(b.data, n), &eth0),
			0);
	/* A compressed name behind the answer takes two bytes. */
	buf_reset(&b);
	put_header(&b, 0x8400, 0, 2);
	put_record(&b, SERVICE, MDNS_TYPE_PTR, 9, bytes_of("\300\14", 2));
	(void)buf_append(&b, bytes_of("\300\14\0\1\0\1\0\0\0\11\0\0", 12));
	put_txt_record(&b, 9, "dnsaddr=/ip4/10.0.0.7" TAIL);
	assert_int_equal(mdns_packet_addresses(got, buf_bytes(&b), &eth0), 1);
	buf_reset(&b);
	put_header(&b, 0x8400, 0, 90);
	put_record(&b, SERVICE, MDNS_TYPE_PTR, 9, bytes_of("\0", 1));
	for (int i = 0; i < 90; i++)
		put_txt_record(&b, 9, "dnsaddr=/ip4/10.0.0.7" TAIL);
	assert_false(b.failed);
	assert_int_equal(mdns_packet_addresses(got, buf_bytes(&b), &eth0),
		MDNS_ADDRESSES_MAX);
	buf_clear(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_mdns_names_are_labels_on_the_wire),
		cmocka_unit_test(test_mdns_looks_for_what_known_programs_use),
		cmocka_unit_test(test_mdns_takes_names_as_they_are_typed),
		cmocka_unit_test(test_mdns_refuses_odd_names_of_services),
		cmocka_unit_test(test_mdns_is_told_under_eight_names_more),
		cmocka_unit_test(test_mdns_asks_for_one_name),
		cmocka_unit_test(test_mdns_refuses_to_write_odd_names),
		cmocka_unit_test(test_mdns_writes_odd_labels_as_avahi_does),
		cmocka_unit_test(test_mdns_refuses_names_that_are_none),
		cmocka_unit_test(test_mdns_instance_names_are_random_and_plain),
		cmocka_unit_test(test_mdns_srv_says_port_and_target),
		cmocka_unit_test(test_mdns_reads_dnsaddr_strings),
		cmocka_unit_test(test_mdns_drops_what_leads_to_nobody_else),
		cmocka_unit_test(test_mdns_gives_link_local_addresses_our_zone),
		cmocka_unit_test(test_mdns_publishes_near_addresses_first),
		cmocka_unit_test(
			test_mdns_tells_an_interface_its_own_addresses_first),
		cmocka_unit_test(test_mdns_txt_stays_within_one_packet),
		cmocka_unit_test(test_mdns_one_bad_string_voids_no_other),
		cmocka_unit_test(test_mdns_reads_packets_of_rust_libp2p),
		cmocka_unit_test(test_mdns_drops_packets_that_name_no_peer),
		cmocka_unit_test(test_mdns_knows_who_asks_for_libp2p),
		cmocka_unit_test(test_mdns_answers_as_rust_libp2p_reads_it),
		cmocka_unit_test(
			test_mdns_reads_no_more_of_a_packet_than_is_there),
	};

	return cmocka_run_group_tests_name("mdns", tests, NULL, NULL);
}

/* Identify and ping as specified: what is told to others of them and of us,
 * which of their addresses count, and how many signatures they may cost. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

#include "net/identity/peer_record.h"
#include "net/serve/frame.h"
#include "net/swarm/swarm_internal.h"
#include "net/wire/identify_pb.h"
#include "tests/unit/swarm_lab.h"

static int setup(void **state)
{
	*state = lab_new("10.0.0", true, true);
	return 0;
}

static int setup_loopback(void **state)
{
	*state = lab_new("127.0.0", true, true);
	return 0;
}

static int setup_mplex(void **state)
{
	*state = lab_new("10.0.0", false, true);
	return 0;
}

static int teardown(void **state)
{
	lab_free(*state);
	return 0;
}

/* A stream from one host to another of which the opener's machine reads
 * nothing: the test does. */
static struct stream *forge_stream(
	struct swarm_lab *l, unsigned from, unsigned to, int protocol)
{
	struct peer *p = peer_find(swarm_of(l, from), id_of(l, to));
	struct stream *st = stream_open(
		swarm_of(l, from), &l->te.env, peer_conn(p), protocol);

	assert_non_null(st);
	st->protocol = SWARM_PROTO_USER;
	return st;
}

/* ---- what we tell ------------------------------------------------------ */

/* The answer of host 1 to host 0; valid until the stream is consumed. */
static void ask(struct swarm_lab *l, unsigned from, unsigned to,
	struct frame_reader *r, struct identify *id)
{
	uint64_t st = forge_stream(l, from, to, SWARM_PROTO_IDENTIFY)->id;
	struct bytes in, body;
	size_t taken;
	bool end;

	lab_run(l);
	in = swarm_stream_peek(swarm_of(l, from), st, &end);
	assert_true(end);
	frame_reader_init(r, SWARM_IDENTIFY_MESSAGE_BYTES_MAX, NULL);
	assert_int_equal(frame_read(r, in, &taken, &body), 1);
	assert_int_equal(taken, in.len);
	*id = (struct identify){.listen_addr_count = 0};
	assert_int_equal(identify_pb_read(id, body), 0);
}

static void expect_observed(struct swarm_lab *l, unsigned from, unsigned to,
	const struct maddr *want)
{
	struct frame_reader r;
	struct identify id;

	ask(l, from, to, &r, &id);
	assert_true(bytes_equal(id.observed_addr, maddr_bytes(want)));
	frame_reader_clear(&r);
}

/* The one who answers a call sees where it came from, the caller sees where it
 * went. */
static void test_identify_tells_the_address_it_sees(void **state)
{
	struct swarm_lab *l = *state;

	lab_dial(l, 0, 1, true);
	lab_run(l);
	expect_observed(l, 0, 1, &l->host[0].addr);
	expect_observed(l, 1, 0, &l->host[1].addr);
}

/* Each name is served, and no other is named. */
static void test_identify_names_what_is_served_and_no_more(void **state)
{
	static const char *const served[] = {"/ipfs/id/1.0.0",
		"/ipfs/id/push/1.0.0", "/ipfs/ping/1.0.0", "/a/1", "/b/1"};
	struct swarm_lab *l = *state;
	struct frame_reader r;
	struct identify id;

	lab_dial(l, 0, 1, true);
	lab_run(l);
	ask(l, 0, 1, &r, &id);
	assert_int_equal(id.protocol_count, P2P_ARRAY_LEN(served));
	for (size_t i = 0; i < id.protocol_count; i++)
		assert_true(bytes_equal(id.protocols[i], bytes_str(served[i])));
	frame_reader_clear(&r);
	for (int i = 0; swarm_of(l, 1)->names[i] != NULL; i++) {
		uint64_t st = forge_stream(l, 0, 1, i)->id;

		lab_run(l);
		assert_true(stream_find(swarm_of(l, 0), st)->negotiated);
	}
}

/* ---- what others tell -------------------------------------------------- */

static bool knows(struct swarm_lab *l, unsigned i, unsigned whom,
	const char *text, const char *source)
{
	struct swarm_known known[SWARM_ADDRESSES_PER_PEER_MAX];
	size_t n = swarm_known(swarm_of(l, i), &l->te.env, id_of(l, whom),
		known, P2P_ARRAY_LEN(known));
	struct maddr a;

	lab_addr(&a, text);
	for (size_t k = 0; k < n; k++)
		if (maddr_equal(&known[k].addr, &a))
			return strstr(known[k].sources, source) != NULL;
	return false;
}

/* Over a push stream from host 0 to host 1. */
static void push(struct swarm_lab *l, const struct identify *id)
{
	struct stream *st = forge_stream(l, 0, 1, SWARM_PROTO_PUSH);
	struct buf body;
	uint8_t head[10];

	buf_init(&body, SWARM_IDENTIFY_MESSAGE_BYTES_MAX);
	identify_pb_write(id, &body);
	assert_int_equal(
		stream_write(st, bytes_of(head, frame_header(body.len, head))),
		0);
	assert_int_equal(stream_write(st, buf_bytes(&body)), 0);
	st->close_asked = true;
	(void)stream_flush(swarm_of(l, 0), &l->te.env, st);
	conn_want_write(swarm_of(l, 0), &l->te.env, st->conn);
	buf_clear(&body);
	lab_run(l);
}

/* Host 0 listens on its loopback, too; and tells more, as one that signs
 * nothing would. */
static void tell_loopback(struct swarm_lab *l)
{
	struct maddr own[2], told;
	struct identify id = {.listen_addr_count = 1};

	own[0] = l->host[0].addr;
	lab_addr(&own[1], "/ip4/127.0.0.1/tcp/4100");
	swarm_set_addresses(swarm_of(l, 0), &l->te.env, own, 2);
	lab_dial(l, 0, 1, true);
	lab_run(l);
	peer_find(swarm_of(l, 1), id_of(l, 0))->known.record_ms = P2P_NEVER;
	lab_addr(&told, "/ip6/::1/tcp/4200");
	id.listen_addrs[0] = maddr_bytes(&told);
	push(l, &id);
}

static void test_identify_over_loopback_keeps_loopback_addresses(void **state)
{
	struct swarm_lab *l = *state;

	tell_loopback(l);
	assert_true(knows(l, 1, 0, "/ip4/127.0.0.1/tcp/4100", "signed"));
	assert_true(knows(l, 1, 0, "/ip6/::1/tcp/4200", "told"));
}

static void test_identify_over_lan_drops_loopback_addresses(void **state)
{
	struct swarm_lab *l = *state;

	tell_loopback(l);
	assert_true(knows(l, 1, 0, "/ip4/10.0.0.1/tcp/4001", "signed"));
	assert_false(knows(l, 1, 0, "/ip4/127.0.0.1/tcp/4100", ""));
	assert_false(knows(l, 1, 0, "/ip6/::1/tcp/4200", ""));
}

static void push_record_of(
	struct swarm_lab *l, uint64_t seq, struct bytes address);

static bool has_raw(struct swarm_lab *l, struct bytes raw, unsigned source)
{
	const struct book_addr *a;
	struct maddr addr;

	assert_int_equal(maddr_parse(&addr, raw), 0);
	a = book_find(&peer_find(swarm_of(l, 1), id_of(l, 0))->known, &addr);
	return a != NULL && (a->sources & source) != 0;
}

/* "/ip4/10.0.0.1/udp/4001" and a code of tomorrow: told, signed, passed on. */
static void test_identify_keeps_addresses_that_nobody_here_can_read(
	void **state)
{
	struct bytes told = bytes_of("\x04\x0a\0\0\x01\x91\x02\x0f\xa1"
				     "\x8f\x4e",
		11);
	struct bytes signed_one = bytes_of("\x04\x0a\0\0\x02\x91\x02\x0f"
					   "\xa1\x8f\x4e",
		11);
	struct swarm_lab *l = *state;
	struct identify id = {.listen_addrs = {told}, .listen_addr_count = 1};
	struct peer_record r;
	struct bytes record;

	lab_dial(l, 0, 1, true);
	lab_run(l);
	peer_find(swarm_of(l, 1), id_of(l, 0))->known.record_ms = P2P_NEVER;
	push(l, &id);
	assert_true(has_raw(l, told, BOOK_TOLD));
	push_record_of(l, l->te.env.wall_ms + 1000, signed_one);
	assert_true(has_raw(l, signed_one, BOOK_SIGNED));
	record = swarm_peer_record(swarm_of(l, 1), id_of(l, 0));
	assert_int_equal(peer_record_open(&r, record), 0);
	assert_int_equal(r.addr_count, 1);
	assert_true(bytes_equal(r.addrs[0], signed_one));
	assert_int_equal(swarm_counters(swarm_of(l, 1))->protocol_errors, 0);
}

/* ---- what it costs ----------------------------------------------------- */

#define NAMES 60 /* as many as one message carries */

/* Host 0 says that it speaks so many protocols with the longest names, and
 * one that host 1 speaks, too. */
static void push_names(struct swarm_lab *l, unsigned count)
{
	static char names[NAMES][SWARM_PROTOCOL_NAME_BYTES_MAX + 1];
	struct identify id = {.protocol_count = count};

	id.protocols[id.protocol_count++] = bytes_str("/a/1");
	for (unsigned i = 0; i < count; i++) {
		(void)snprintf(names[i], sizeof(names[i]), "/%02u/%0*d", i,
			SWARM_PROTOCOL_NAME_BYTES_MAX - 4, 0);
		id.protocols[i] = bytes_str(names[i]);
	}
	push(l, &id);
}

static size_t names_bytes(unsigned count)
{
	return count * (SWARM_PROTOCOL_NAME_BYTES_MAX + (size_t)1) +
	       strlen("/a/1");
}

static void test_identify_names_are_charged_to_the_peer(void **state)
{
	struct swarm_lab *l = *state;
	struct peer *p;
	size_t few;

	lab_dial(l, 0, 1, true);
	lab_run(l);
	p = peer_find(swarm_of(l, 1), id_of(l, 0));
	push_names(l, 1);
	few = p->budget.used;
	assert_int_equal(p->protocols.len, names_bytes(1));
	push_names(l, NAMES);
	assert_int_equal(p->protocols.len, names_bytes(NAMES));
	assert_int_equal(
		p->budget.used - few, names_bytes(NAMES) - names_bytes(1));
	push_names(l, 1);
	assert_int_equal(p->budget.used, few);
	push_names(l, NAMES);
	lab_cut(l, 0);
	assert_int_equal(p->budget.used, sizeof(*p));
}

/* Memory is short: the first ones are kept, and the one that we speak, too; the
 * rest is counted as left out. */
static void test_identify_names_without_room_are_left_out(void **state)
{
	struct swarm_lab *l = *state;
	struct swarm *s = swarm_of(l, 1);
	char first[SWARM_PROTOCOL_NAME_BYTES_MAX + 1];
	struct peer *p;
	uint64_t charges;
	size_t kept;

	(void)snprintf(first, sizeof(first), "/00/%0*d",
		SWARM_PROTOCOL_NAME_BYTES_MAX - 4, 0);
	lab_dial(l, 0, 1, true);
	lab_run(l);
	p = peer_find(s, id_of(l, 0));
	/* The names are the last that is charged: refuse one of the middle. */
	(void)budget_test_refuse_nth(0);
	push_names(l, NAMES);
	charges = budget_test_refuse_nth(0);
	(void)budget_test_refuse_nth(charges - NAMES / 2);
	push_names(l, NAMES);
	(void)budget_test_refuse_nth(0);
	kept = p->protocols.len;
	assert_in_range(kept, names_bytes(2), names_bytes(NAMES - 2));
	assert_int_equal(
		(kept - names_bytes(0)) % (names_bytes(1) - names_bytes(0)), 0);
	assert_true(swarm_peer_speaks(s, id_of(l, 0), first));
	assert_true(swarm_peer_speaks(s, id_of(l, 0), "/a/1"));
	assert_int_equal(swarm_counters(s)->identify_cut, 1);
	assert_int_equal(swarm_counters(s)->protocol_errors, 0);
	lab_cut(l, 0);
	assert_int_equal(p->budget.used, sizeof(*p));
}

/* ---- signatures -------------------------------------------------------- */

static void push_record_of(
	struct swarm_lab *l, uint64_t seq, struct bytes address)
{
	struct peer_record r = {.seq = seq, .addr_count = 1};
	struct identify id = {.listen_addr_count = 0};
	struct buf envelope;

	buf_init(&envelope, SWARM_RECORD_BYTES_MAX);
	r.addrs[0] = address;
	assert_int_equal(peer_record_seal(&l->host[0].me, &r, &envelope), 0);
	id.signed_peer_record = buf_bytes(&envelope);
	push(l, &id);
	buf_clear(&envelope);
}

static void push_record(struct swarm_lab *l, uint64_t seq)
{
	push_record_of(l, seq, maddr_bytes(&l->host[0].addr));
}

static uint64_t seq_at(struct swarm_lab *l)
{
	return peer_find(swarm_of(l, 1), id_of(l, 0))->known.record_seq;
}

static uint64_t unchecked_at(struct swarm_lab *l)
{
	return swarm_counters(swarm_of(l, 1))->records_unchecked;
}

static void test_identify_checks_so_many_records_a_minute(void **state)
{
	struct swarm_lab *l = *state;
	uint64_t seq = l->te.env.wall_ms + 1000;

	lab_dial(l, 0, 1, true);
	lab_run(l); /* the first is of the connection's identify */
	for (unsigned i = 1; i < SWARM_RECORD_CHECKS_A_MINUTE; i++)
		push_record(l, ++seq);
	assert_int_equal(seq_at(l), seq);
	push_record(l, seq); /* held already: nothing to check */
	assert_int_equal(unchecked_at(l), 0);
	push_record(l, seq + 1);
	assert_int_equal(unchecked_at(l), 1);
	assert_int_equal(seq_at(l), seq);
	/* A new connection does not wash it off. */
	lab_cut(l, 0);
	lab_dial(l, 0, 1, true);
	lab_run(l);
	assert_int_equal(unchecked_at(l), 2);
	l->te.env.now_ms += 60000;
	push_record(l, seq + 2);
	assert_int_equal(unchecked_at(l), 2);
	assert_int_equal(seq_at(l), seq + 2);
	assert_int_equal(swarm_counters(swarm_of(l, 1))->protocol_errors, 0);
}

/* ---- ping -------------------------------------------------------------- */

static unsigned ping_streams(struct swarm_lab *l, const struct conn *c)
{
	struct list *pos, *tmp;
	unsigned n = 0;

	(void)l;
	LIST_FOREACH(pos, tmp, &c->streams) {
		const struct stream *st =
			LIST_ITEM(pos, struct stream, of_conn);

		n += !st->inbound && st->protocol == SWARM_PROTO_PING;
	}
	return n;
}

/* However long they stand; and with two, each must be seen to live. */
static void test_ping_has_one_stream_a_connection(void **state)
{
	struct swarm_lab *l = *state;
	struct list *pos, *tmp;
	unsigned conns = 0;

	lab_dial(l, 0, 1, true);
	lab_dial(l, 1, 0, true);
	lab_run(l);
	lab_pass(l, 60000);
	LIST_FOREACH(pos, tmp, &peer_find(swarm_of(l, 0), id_of(l, 1))->conns) {
		assert_int_equal(
			ping_streams(l, LIST_ITEM(pos, struct conn, of_peer)),
			1);
		conns++;
	}
	assert_int_equal(conns, 2);
	assert_true(lab_count(l, 0, SWARM_EV_RTT) >= 20);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
#define H(name) cmocka_unit_test_setup_teardown(name, setup_loopback, teardown)
#define M(name) cmocka_unit_test_setup_teardown(name, setup_mplex, teardown)
	const struct CMUnitTest tests[] = {
		T(test_identify_tells_the_address_it_sees),
		T(test_identify_names_what_is_served_and_no_more),
		H(test_identify_over_loopback_keeps_loopback_addresses),
		T(test_identify_over_lan_drops_loopback_addresses),
		T(test_identify_keeps_addresses_that_nobody_here_can_read),
		T(test_identify_names_are_charged_to_the_peer),
		T(test_identify_names_without_room_are_left_out),
		T(test_identify_checks_so_many_records_a_minute),
		M(test_ping_has_one_stream_a_connection),
	};
	return cmocka_run_group_tests_name("identify", tests, NULL, NULL);
}

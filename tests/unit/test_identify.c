/* Identify as specified: what is told to others of them and of us, which of
 * their words count, and what a peer that forges them can do. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

#include "net/identity/peer_record.h"
#include "net/proto/identify.h"
#include "net/proto/ping.h"
#include "net/proto/proto_limits.h"
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

static int teardown(void **state)
{
	lab_free(*state);
	return 0;
}

static int setup_met(void **state)
{
	struct swarm_lab *l = lab_new("10.0.0", true, true);

	lab_meet(l);
	*state = l;
	return 0;
}

/* ---- what we tell ------------------------------------------------------ */

/* The answer of one host to another; valid until the next call. */
static void ask(struct swarm_lab *l, unsigned from, unsigned to,
	struct frame_reader *r, struct identify *id)
{
	const struct sstream *st = lab_forge(l, from, to, &identify_ops);
	struct bytes in, body;
	size_t taken;
	bool end;

	lab_run(l);
	in = swarm_stream_peek(st, &end);
	assert_true(end);
	frame_reader_init(r, IDENTIFY_MESSAGE_BYTES_MAX);
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
	static const struct service_ops *const ops[] = {
		&identify_ops, &identify_push_ops, &ping_ops};
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
	for (size_t i = 0; i < P2P_ARRAY_LEN(ops); i++) {
		const struct sstream *st = lab_forge(l, 0, 1, ops[i]);

		lab_run(l);
		assert_string_equal(st->name, served[i]);
	}
	for (size_t i = P2P_ARRAY_LEN(ops); i < P2P_ARRAY_LEN(served); i++) {
		uint64_t st = lab_open(l, 0, 1, served[i]);

		lab_run(l);
		assert_string_equal(
			serve_stream(l->host[0].sv, st)->name, served[i]);
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
static void push_bytes(struct swarm_lab *l, struct bytes raw, bool close)
{
	struct sstream *st = lab_forge(l, 0, 1, &identify_push_ops);

	assert_int_equal(serve_write(l->host[0].sv, &l->te.env, st, raw), 0);
	if (close)
		serve_close(l->host[0].sv, &l->te.env, st);
	lab_run(l);
}

static void add_frame(struct buf *to, struct bytes body)
{
	uint8_t head[10];

	(void)buf_append(to, bytes_of(head, frame_header(body.len, head)));
	(void)buf_append(to, body);
}

/* The same of a frame. */
static void push_frame(struct swarm_lab *l, struct bytes body, bool close)
{
	struct buf whole;

	buf_init(&whole, 2 * IDENTIFY_BYTES_MAX);
	add_frame(&whole, body);
	push_bytes(l, buf_bytes(&whole), close);
	buf_clear(&whole);
}

static void push(struct swarm_lab *l, const struct identify *id)
{
	struct buf body;

	buf_init(&body, IDENTIFY_MESSAGE_BYTES_MAX);
	identify_pb_write(id, &body);
	push_frame(l, buf_bytes(&body), true);
	buf_clear(&body);
}

/* Host 0 listens on its loopback, too; and tells more, as one that signs
 * nothing would. */
static void tell_loopback(struct swarm_lab *l)
{
	struct maddr own[2], told;
	struct identify id = {.listen_addr_count = 1};

	own[0] = l->host[0].addr;
	lab_addr(&own[1], "/ip4/127.0.0.1/tcp/4100");
	swarm_set_addresses(swarm_of(l, 0), own, 2);
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

/* ---- what is forged ---------------------------------------------------- */

static uint64_t errors_of(struct swarm_lab *l)
{
	return swarm_counters(swarm_of(l, 1))->protocol_errors;
}

static uint64_t refused_of(struct swarm_lab *l)
{
	return swarm_counters(swarm_of(l, 1))->identify_refused;
}

static void test_identify_push_may_be_partial(void **state)
{
	struct swarm_lab *l = *state;
	struct identify id = {.agent_version = bytes_str("new\x1b[2J agent")};
	struct swarm_peer_info info;

	push(l, &id);
	assert_int_equal(lab_count(l, 1, SWARM_EV_IDENTIFIED), 1);
	assert_true(swarm_peer_info(swarm_of(l, 1), id_of(l, 0), &info));
	assert_non_null(strstr(info.agent, "new"));
	assert_null(strchr(info.agent, '\x1b'));
	/* What was not named is as before. */
	assert_true(swarm_peer_speaks(swarm_of(l, 1), id_of(l, 0), "/a/1"));
}

static void test_identify_refuses_another_key(void **state)
{
	struct swarm_lab *l = *state;
	struct identify id = {
		.public_key =
			bytes_of(l->host[2].me.public_pb, KEY_ED25519_PB_BYTES),
		.agent_version = bytes_str("liar"),
	};
	struct swarm_peer_info info;

	push(l, &id);
	assert_int_equal(errors_of(l), 1);
	assert_int_equal(refused_of(l), 1);
	assert_true(swarm_peer_info(swarm_of(l, 1), id_of(l, 0), &info));
	assert_string_equal(info.agent, "lab/1");
}

static void test_identify_message_is_8_kib_at_most(void **state)
{
	struct swarm_lab *l = *state;
	static uint8_t zeros[IDENTIFY_MESSAGE_BYTES_MAX + 1];

	push_frame(l, bytes_of(zeros, sizeof(zeros)), true);
	assert_int_equal(errors_of(l), 1);
	assert_int_equal(lab_count(l, 1, SWARM_EV_IDENTIFIED), 0);
}

static void test_identify_is_64_kib_at_most(void **state)
{
	struct swarm_lab *l = *state;
	static uint8_t zeros[IDENTIFY_BYTES_MAX + 1];

	push_frame(l, bytes_of(zeros, sizeof(zeros)), false);
	assert_int_equal(errors_of(l), 1);
	assert_null(lab_inbound(l, 1, identify_push_ops.names[0]));
}

static void test_identify_refuses_half_a_message(void **state)
{
	struct swarm_lab *l = *state;

	push_bytes(l, bytes_of("\x50\x32", 2), true);
	assert_int_equal(errors_of(l), 1);
}

static void add_many(struct buf *body, unsigned first, unsigned count)
{
	struct identify id = {.protocol_count = 0};
	struct maddr a[10];
	char name[10][16];
	char text[40];

	for (unsigned i = 0; i < count; i++) {
		snprintf(name[i], sizeof(name[i]), "/p/%u", first + i);
		id.protocols[id.protocol_count++] = bytes_str(name[i]);
		snprintf(text, sizeof(text), "/ip4/10.7.%u.%u/tcp/1", first, i);
		lab_addr(&a[i], text);
		id.listen_addrs[id.listen_addr_count++] = maddr_bytes(&a[i]);
	}
	identify_pb_write(&id, body);
}

/* Several messages on one stream are one; lists are cut, not punished. */
static void test_identify_merges_messages_and_caps_lists(void **state)
{
	struct swarm_lab *l = *state;
	struct buf part, all;
	struct peer *p;

	buf_init(&part, 8192);
	buf_init(&all, 65536);
	/* As of a peer that signs nothing: what it tells counts. */
	p = peer_find(swarm_of(l, 1), id_of(l, 0));
	p->known.record_ms = P2P_NEVER;
	for (unsigned i = 0; i < 10; i++) {
		buf_reset(&part);
		add_many(&part, i * 10, 10);
		add_frame(&all, buf_bytes(&part));
	}
	push_bytes(l, buf_bytes(&all), true);
	assert_int_equal(errors_of(l), 0);
	assert_true(swarm_peer_speaks(swarm_of(l, 1), &p->id, "/p/0"));
	assert_true(swarm_peer_speaks(swarm_of(l, 1), &p->id, "/p/63"));
	assert_false(swarm_peer_speaks(swarm_of(l, 1), &p->id, "/p/64"));
	assert_int_equal(p->known.count, SWARM_ADDRESSES_PER_PEER_MAX);
	buf_clear(&part);
	buf_clear(&all);
}

/* ---- peers that do not answer ------------------------------------------ */

/* Serves identify, and breaks each stream on which it is asked. */
static struct {
	struct serve *sv;
	unsigned asked;
} moody;

static void *moody_start(struct serve *sv, const struct service_ops *ops,
	const struct serve_cfg *cfg, const struct env *env)
{
	(void)ops;
	(void)cfg;
	(void)env;
	moody.sv = sv;
	moody.asked = 0;
	return &moody;
}

static void moody_opened(void *self, const struct env *env, struct sstream *st)
{
	(void)self;
	(void)env;
	moody.asked++;
	serve_reset(moody.sv, st);
}

static const struct service_ops moody_ops = {
	.names = (const char *const[]){"/ipfs/id/1.0.0", NULL},
	.in_per_peer = IDENTIFY_STREAMS_IN_MAX,
	.early = true,
	.start = moody_start,
	.opened = moody_opened,
};

/* Host 0 has identify and host 1 this; they meet. */
static void meet_one_with(struct swarm_lab *l, const struct service_ops *ops)
{
	static const struct service_ops *const whole[] = {
		&identify_ops, &identify_push_ops, NULL};
	const struct service_ops *other[] = {ops, NULL};
	struct serve_cfg cfg = {.offer_yamux = true, .services = whole};

	lab_replace(l, 0, cfg, true);
	cfg.services = other;
	lab_replace(l, 1, cfg, true);
	lab_dial(l, 0, 1, true);
}

/* Memory may have been short there: some times it is asked again. */
static void test_identify_is_asked_again_when_it_is_lost(void **state)
{
	struct swarm_lab *l = *state;

	meet_one_with(l, &moody_ops);
	assert_int_equal(moody.asked, 1);
	assert_false(swarm_peer_is_up(swarm_of(l, 0), id_of(l, 1)));
	lab_pass(l, 60000);
	assert_int_equal(moody.asked, IDENTIFY_ASKS_MAX);
	assert_true(swarm_peer_is_up(swarm_of(l, 0), id_of(l, 1)));
}

/* Some programs have no identify, and say so: they are up at once. */
static void test_identify_that_is_refused_is_not_waited_for(void **state)
{
	struct swarm_lab *l = *state;

	meet_one_with(l, &ping_ops);
	assert_true(swarm_peer_is_up(swarm_of(l, 0), id_of(l, 1)));
	assert_int_equal(swarm_counters(swarm_of(l, 0))->streams_refused, 1);
	lab_pass(l, 60000);
	assert_int_equal(swarm_counters(swarm_of(l, 0))->streams_refused, 1);
}

/* Push is another protocol: who has none of it may have identify. */
static void test_identify_is_waited_for_where_push_is_refused(void **state)
{
	struct swarm_lab *l = *state;

	meet_one_with(l, &moody_ops);
	(void)lab_forge(l, 0, 1, &identify_push_ops);
	lab_run(l);
	assert_false(swarm_peer_is_up(swarm_of(l, 0), id_of(l, 1)));
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
#define H(name) cmocka_unit_test_setup_teardown(name, setup_loopback, teardown)
#define M(name) cmocka_unit_test_setup_teardown(name, setup_met, teardown)
	const struct CMUnitTest tests[] = {
		T(test_identify_tells_the_address_it_sees),
		T(test_identify_names_what_is_served_and_no_more),
		H(test_identify_over_loopback_keeps_loopback_addresses),
		T(test_identify_over_lan_drops_loopback_addresses),
		T(test_identify_keeps_addresses_that_nobody_here_can_read),
		T(test_identify_names_are_charged_to_the_peer),
		T(test_identify_names_without_room_are_left_out),
		T(test_identify_checks_so_many_records_a_minute),
		M(test_identify_push_may_be_partial),
		M(test_identify_refuses_another_key),
		M(test_identify_message_is_8_kib_at_most),
		M(test_identify_is_64_kib_at_most),
		M(test_identify_refuses_half_a_message),
		M(test_identify_merges_messages_and_caps_lists),
		T(test_identify_is_asked_again_when_it_is_lost),
		T(test_identify_that_is_refused_is_not_waited_for),
		T(test_identify_is_waited_for_where_push_is_refused),
	};
	return cmocka_run_group_tests_name("identify", tests, NULL, NULL);
}

/* Streams of the user's protocols, and what a forged peer does on streams. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

#include "net/serve/frame.h"
#include "net/swarm/swarm_internal.h"
#include "net/wire/identify_pb.h"
#include "tests/unit/swarm_lab.h"

static int setup(void **state)
{
	struct swarm_lab *l = lab_new("10.0.0", true, true);

	lab_meet(l);
	*state = l;
	return 0;
}

static int teardown(void **state)
{
	lab_free(*state);
	return 0;
}

/* A stream from 0 to 1. */
static uint64_t open_stream(struct swarm_lab *l, const char *protocol)
{
	uint64_t st = 0;

	assert_int_equal(swarm_stream_open(swarm_of(l, 0), &l->te.env,
				 &l->host[1].me.id, protocol, &st),
		0);
	return st;
}

static int write_text(
	struct swarm_lab *l, unsigned i, uint64_t st, const char *text)
{
	return swarm_stream_write(
		swarm_of(l, i), &l->te.env, st, bytes_str(text));
}

static void expect_text(struct swarm_lab *l, unsigned i, uint64_t st,
	const char *text, bool want_end)
{
	bool end;
	struct bytes in = swarm_stream_peek(swarm_of(l, i), st, &end);

	assert_int_equal(in.len, strlen(text));
	if (in.len > 0)
		assert_memory_equal(in.data, text, in.len);
	assert_int_equal(end, want_end);
}

static void test_stream_is_negotiated_with_data_at_once(void **state)
{
	struct swarm_lab *l = *state;
	uint64_t st = open_stream(l, "/b/1"), in;

	assert_int_equal(write_text(l, 0, st, "hello"), 0);
	lab_run(l);
	assert_int_equal(lab_count(l, 0, SWARM_EV_STREAM_READY), 1);
	assert_int_equal(lab_count(l, 0, SWARM_EV_STREAM_WRITABLE), 1);
	assert_int_equal(lab_count(l, 1, SWARM_EV_STREAM_IN), 1);
	assert_int_equal(lab_last(l, 1, SWARM_EV_STREAM_IN)->protocol, 1);
	in = lab_last(l, 1, SWARM_EV_STREAM_IN)->stream;
	expect_text(l, 1, in, "hello", false);
	swarm_stream_consume(swarm_of(l, 1), in, 5);
	assert_int_equal(write_text(l, 1, in, "and you"), 0);
	swarm_stream_close_write(swarm_of(l, 1), &l->te.env, in);
	assert_int_equal(write_text(l, 1, in, "more"), P2P_ERR_STATE);
	lab_run(l);
	expect_text(l, 0, st, "and you", true);
	swarm_stream_consume(swarm_of(l, 0), st, 7);
	swarm_stream_reset(swarm_of(l, 0), st);
	swarm_stream_reset(swarm_of(l, 0), st);
	lab_run(l);
	assert_int_equal(lab_count(l, 0, SWARM_EV_STREAM_GONE), 0);
	assert_int_equal(lab_count(l, 1, SWARM_EV_STREAM_GONE), 1);
	assert_int_equal(
		lab_last(l, 1, SWARM_EV_STREAM_GONE)->err, P2P_ERR_RESET);
	assert_int_equal(swarm_budget_used(swarm_of(l, 0)), 0);
	assert_int_equal(swarm_budget_used(swarm_of(l, 1)), 0);
}

static void test_stream_refused_protocol(void **state)
{
	struct swarm_lab *l = *state;
	static const char *const none[] = {NULL};
	struct swarm_cfg cfg = {.me = &l->host[2].me,
		.agent = "lab/1",
		.protocols = none,
		.offer_yamux = true};
	uint64_t st;

	swarm_free(l->host[2].s);
	l->host[2].s = swarm_new(&cfg, &l->te.env);
	lab_dial(l, 0, 2, true);
	assert_int_equal(swarm_stream_open(swarm_of(l, 0), &l->te.env,
				 &l->host[2].me.id, "/a/1", &st),
		0);
	lab_run(l);
	assert_int_equal(lab_count(l, 0, SWARM_EV_STREAM_GONE), 1);
	assert_int_equal(
		lab_last(l, 0, SWARM_EV_STREAM_GONE)->err, P2P_ERR_NO_PROTOCOL);
}

static void test_stream_open_needs_a_peer(void **state)
{
	struct swarm_lab *l = *state;
	uint64_t st;

	assert_int_equal(swarm_stream_open(swarm_of(l, 0), &l->te.env,
				 &l->host[2].me.id, "/a/1", &st),
		P2P_ERR_NOT_FOUND);
	assert_int_equal(write_text(l, 0, 12345, "x"), P2P_ERR_NOT_FOUND);
	assert_int_equal(swarm_stream_backlog(swarm_of(l, 0), 12345), 0);
	swarm_stream_close_write(swarm_of(l, 0), &l->te.env, 12345);
	swarm_stream_consume(swarm_of(l, 0), 12345, 5);
	expect_text(l, 0, 12345, "", false);
}

static void test_stream_reset_keeps_what_arrived(void **state)
{
	struct swarm_lab *l = *state;
	uint64_t st = open_stream(l, "/a/1"), in;

	assert_int_equal(write_text(l, 0, st, "last words"), 0);
	lab_run(l);
	in = lab_last(l, 1, SWARM_EV_STREAM_IN)->stream;
	swarm_stream_reset(swarm_of(l, 0), st);
	lab_run(l);
	assert_int_equal(lab_count(l, 1, SWARM_EV_STREAM_GONE), 0);
	expect_text(l, 1, in, "last words", true);
	swarm_stream_consume(swarm_of(l, 1), in, 4);
	expect_text(l, 1, in, " words", true);
	swarm_stream_consume(swarm_of(l, 1), in, 6);
	lab_run(l);
	assert_int_equal(lab_count(l, 1, SWARM_EV_STREAM_GONE), 1);
	assert_int_equal(swarm_budget_used(swarm_of(l, 1)), 0);
}

static void test_stream_backlog_is_full_then_writable(void **state)
{
	struct swarm_lab *l = *state;
	uint64_t st = open_stream(l, "/a/1"), in, read = 0;
	static uint8_t block[1u << 20];
	unsigned n = 0;
	bool end;

	lab_run(l);
	lab_forget(l);
	while (swarm_stream_write(swarm_of(l, 0), &l->te.env, st,
		       bytes_of(block, sizeof(block))) == 0)
		n++;
	assert_in_range(n, 4, 5);
	assert_true(swarm_stream_backlog(swarm_of(l, 0), st) > 3u << 20);
	lab_run(l);
	/* The reader sleeps: the window is shut. */
	assert_int_equal(lab_count(l, 0, SWARM_EV_STREAM_WRITABLE), 0);
	in = lab_last(l, 1, SWARM_EV_STREAM_READABLE)->stream;
	while (read < (uint64_t)n * sizeof(block)) {
		size_t len = swarm_stream_peek(swarm_of(l, 1), in, &end).len;

		assert_int_not_equal(len, 0);
		swarm_stream_consume(swarm_of(l, 1), in, len);
		read += len;
		lab_forget(l);
		lab_run(l);
	}
	assert_int_equal(swarm_stream_backlog(swarm_of(l, 0), st), 0);
	assert_int_equal(write_text(l, 0, st, "again"), 0);
	lab_run(l);
	expect_text(l, 1, in, "again", false);
}

/* More than the connection's queue holds, and more than a few: all get through
 * in one turn, for each waits for room and none for time. */
static void test_streams_opened_behind_a_full_queue_go_on(void **state)
{
	enum { STREAMS = 120, BYTES = 4096 };
	static uint8_t data[BYTES];
	struct swarm_lab *l = *state;

	for (int i = 0; i < STREAMS; i++)
		assert_int_equal(
			swarm_stream_write(swarm_of(l, 0), &l->te.env,
				open_stream(l, "/a/1"), bytes_of(data, BYTES)),
			0);
	lab_run(l);
	assert_int_equal(lab_count(l, 1, SWARM_EV_STREAM_IN), STREAMS);
	assert_int_equal(swarm_counters(swarm_of(l, 1))->streams_refused, 0);
}

static void test_streams_end_with_the_connection(void **state)
{
	struct swarm_lab *l = *state;
	uint64_t st = open_stream(l, "/a/1");

	assert_int_equal(write_text(l, 0, st, "hello"), 0);
	lab_run(l);
	(void)open_stream(l, "/b/1");
	lab_cut(l, 0);
	assert_int_equal(lab_count(l, 0, SWARM_EV_STREAM_GONE), 2);
	assert_int_equal(lab_count(l, 1, SWARM_EV_STREAM_GONE), 1);
	assert_int_equal(lab_last(l, 0, SWARM_EV_PEER_DOWN)->kind,
		l->host[0].ev[l->host[0].ev_count - 1].kind);
}

/* Bytes that were read from the carrier and not opened yet, as when there is
 * no room for answers: the other side has said them, and is heard. */
static void test_stream_bytes_before_the_end_are_opened(void **state)
{
	struct swarm_lab *l = *state;
	uint64_t st = open_stream(l, "/a/1");
	struct peer *p = peer_find(swarm_of(l, 1), &l->host[0].me.id);
	struct conn *c = peer_conn(p);
	struct swarm_event ev;
	size_t heard = 0;

	assert_int_equal(write_text(l, 0, st, "hello"), 0);
	lab_run(l);
	c->in_pump = true;
	assert_int_equal(write_text(l, 0, st, ", and goodbye"), 0);
	lab_run(l);
	assert_true(c->in.len > 0);
	c->in_pump = false;
	swarm_closed(swarm_of(l, 1), &l->te.env, l->wire[0].conn[1]);
	while (swarm_next_event(swarm_of(l, 1), &ev)) {
		if (ev.kind == SWARM_EV_STREAM_GONE) {
			heard = ev.rest_len;
			assert_memory_equal(
				ev.rest, "hello, and goodbye", heard);
		}
		free(ev.rest);
	}
	assert_int_equal(heard, strlen("hello, and goodbye"));
}

static void test_stream_negotiation_takes_10_s_at_most(void **state)
{
	struct swarm_lab *l = *state;

	(void)open_stream(l, "/a/1");
	l->wire[0].paused[0] = true; /* no answer comes back */
	l->te.env.now_ms += SWARM_STREAM_NEGOTIATE_MS;
	swarm_tick(swarm_of(l, 0), &l->te.env);
	lab_run(l);
	assert_int_equal(lab_count(l, 0, SWARM_EV_STREAM_GONE), 1);
	l->wire[0].paused[0] = false;
}

/* ---- a peer whose identify, push and pings are forged: host 0 misuses its
 * own streams to host 1 ---- */

static struct stream *forge_stream(struct swarm_lab *l, int protocol)
{
	struct peer *p = peer_find(swarm_of(l, 0), &l->host[1].me.id);

	return stream_open(swarm_of(l, 0), &l->te.env, peer_conn(p), protocol);
}

/* Sends body in a frame over a push stream; what host 1 makes of it. */
static void push(struct swarm_lab *l, struct bytes body, bool close)
{
	struct stream *st = forge_stream(l, SWARM_PROTO_PUSH);
	uint8_t head[10];

	assert_int_equal(
		stream_write(st, bytes_of(head, frame_header(body.len, head))),
		0);
	assert_int_equal(stream_write(st, body), 0);
	st->close_asked = close;
	(void)stream_flush(swarm_of(l, 0), &l->te.env, st);
	conn_want_write(swarm_of(l, 0), &l->te.env, st->conn);
	lab_run(l);
}

static uint64_t errors_of(struct swarm_lab *l)
{
	return swarm_counters(swarm_of(l, 1))->protocol_errors;
}

static void test_identify_push_may_be_partial(void **state)
{
	struct swarm_lab *l = *state;
	struct identify id = {.agent_version = bytes_str("new\x1b[2J agent")};
	struct swarm_peer_info info;
	struct buf body;

	buf_init(&body, 8192);
	identify_pb_write(&id, &body);
	push(l, buf_bytes(&body), true);
	assert_int_equal(lab_count(l, 1, SWARM_EV_IDENTIFIED), 1);
	assert_true(swarm_peer_info(swarm_of(l, 1), &l->host[0].me.id, &info));
	assert_non_null(strstr(info.agent, "new"));
	assert_null(strchr(info.agent, '\x1b'));
	/* What was not named is as before. */
	assert_true(
		swarm_peer_speaks(swarm_of(l, 1), &l->host[0].me.id, "/a/1"));
	buf_clear(&body);
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
	struct buf body;

	buf_init(&body, 8192);
	identify_pb_write(&id, &body);
	push(l, buf_bytes(&body), true);
	assert_int_equal(errors_of(l), 1);
	assert_true(swarm_peer_info(swarm_of(l, 1), &l->host[0].me.id, &info));
	assert_string_equal(info.agent, "lab/1");
	buf_clear(&body);
}

static void test_identify_message_is_8_kib_at_most(void **state)
{
	struct swarm_lab *l = *state;
	static uint8_t zeros[SWARM_IDENTIFY_MESSAGE_BYTES_MAX + 1];

	push(l, bytes_of(zeros, sizeof(zeros)), true);
	assert_int_equal(errors_of(l), 1);
	assert_int_equal(lab_count(l, 1, SWARM_EV_IDENTIFIED), 0);
}

static void test_identify_is_64_kib_at_most(void **state)
{
	struct swarm_lab *l = *state;
	static uint8_t zeros[SWARM_IDENTIFY_BYTES_MAX + 1];

	push(l, bytes_of(zeros, sizeof(zeros)), false);
	assert_int_equal(errors_of(l), 1);
}

static void test_identify_refuses_half_a_message(void **state)
{
	struct swarm_lab *l = *state;
	struct stream *st = forge_stream(l, SWARM_PROTO_PUSH);

	assert_int_equal(stream_write(st, bytes_of("\x50\x32", 2)), 0);
	st->close_asked = true;
	(void)stream_flush(swarm_of(l, 0), &l->te.env, st);
	conn_want_write(swarm_of(l, 0), &l->te.env, st->conn);
	lab_run(l);
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
	struct stream *st;
	struct peer *p;

	buf_init(&part, 8192);
	buf_init(&all, 65536);
	/* As of a peer that signs nothing: what it tells counts. */
	p = peer_find(swarm_of(l, 1), &l->host[0].me.id);
	p->known.record_ms = P2P_NEVER;
	for (unsigned i = 0; i < 10; i++) {
		uint8_t head[10];

		buf_reset(&part);
		add_many(&part, i * 10, 10);
		(void)buf_append(
			&all, bytes_of(head, frame_header(part.len, head)));
		(void)buf_append(&all, buf_bytes(&part));
	}
	st = forge_stream(l, SWARM_PROTO_PUSH);
	assert_int_equal(stream_write(st, buf_bytes(&all)), 0);
	st->close_asked = true;
	(void)stream_flush(swarm_of(l, 0), &l->te.env, st);
	conn_want_write(swarm_of(l, 0), &l->te.env, st->conn);
	lab_run(l);
	assert_int_equal(errors_of(l), 0);
	assert_true(swarm_peer_speaks(swarm_of(l, 1), &p->id, "/p/0"));
	assert_true(swarm_peer_speaks(swarm_of(l, 1), &p->id, "/p/63"));
	assert_false(swarm_peer_speaks(swarm_of(l, 1), &p->id, "/p/64"));
	assert_int_equal(p->known.count, SWARM_ADDRESSES_PER_PEER_MAX);
	buf_clear(&part);
	buf_clear(&all);
}

static void test_ping_is_echoed_in_blocks_of_32(void **state)
{
	struct swarm_lab *l = *state;
	struct stream *st = forge_stream(l, SWARM_PROTO_PING);
	uint64_t id = st->id;
	bool end;

	/* Read by hand, not by the machine of host 0. */
	assert_int_equal(stream_write(st, bytes_of("0123456789abcdef"
						   "0123456789ABCDEF"
						   "half",
						  36)),
		0);
	(void)stream_flush(swarm_of(l, 0), &l->te.env, st);
	conn_want_write(swarm_of(l, 0), &l->te.env, st->conn);
	st->conn->ping_sent_ms = 1;
	memcpy(st->conn->ping_nonce, "0123456789abcdef0123456789ABCDEF", 32);
	lab_run(l);
	assert_int_equal(lab_count(l, 0, SWARM_EV_RTT), 1);
	st = stream_find(swarm_of(l, 0), id);
	assert_non_null(st);
	assert_int_equal(
		channel_stream_peek(st->conn->up, st->mux, &end).len, 0);
	assert_false(end);
	/* A second answer that nobody asked for ends the stream. */
	assert_int_equal(stream_write(st, bytes_of("0123456789abcdef"
						   "0123456789ABCDEF",
						  32)),
		0);
	(void)stream_flush(swarm_of(l, 0), &l->te.env, st);
	conn_want_write(swarm_of(l, 0), &l->te.env, st->conn);
	lab_run(l);
	assert_null(stream_find(swarm_of(l, 0), id));
}

static void test_ping_streams_are_two_at_most(void **state)
{
	struct swarm_lab *l = *state;

	for (unsigned i = 0; i < 3; i++)
		(void)forge_stream(l, SWARM_PROTO_PING);
	lab_run(l);
	assert_int_equal(swarm_counters(swarm_of(l, 1))->streams_refused, 1);
}

/* Who pings and never reads makes us hold a window's worth, not more. */
static void test_ping_without_reading_is_bounded(void **state)
{
	struct swarm_lab *l = *state;
	struct stream *st = forge_stream(l, SWARM_PROTO_PING);
	struct stream *there = NULL;
	struct table_entry *e, *tmp;
	static uint8_t pings[32 * 32768];

	st->protocol = SWARM_PROTO_USER; /* host 0 does not read it */
	for (unsigned i = 0; i < 3; i++)
		(void)!stream_write(st, bytes_of(pings, sizeof(pings)));
	(void)stream_flush(swarm_of(l, 0), &l->te.env, st);
	conn_want_write(swarm_of(l, 0), &l->te.env, st->conn);
	lab_run(l);
	TABLE_FOREACH(e, tmp, &swarm_of(l, 1)->streams)
		if (((struct stream *)e->value)->protocol == SWARM_PROTO_PING)
			there = e->value;
	assert_non_null(there);
	assert_in_range(there->out.len, 1, SWARM_PING_BACKLOG_BYTES + 32);
	assert_true(st->out.len > 1u << 20);
}

static int setup_mplex(void **state)
{
	struct swarm_lab *l = lab_new("10.0.0", false, true);

	swarm_of(l, 0)->cfg.ping_interval_ms = 1100;
	swarm_of(l, 1)->cfg.ping_interval_ms = 3600000;
	lab_meet(l);
	*state = l;
	return 0;
}

/* mplex opens 4 streams in 1.25 s. */
static void test_ping_is_sent_before_streams_that_wait(void **state)
{
	struct swarm_lab *l = *state;

	assert_int_equal(lab_count(l, 0, SWARM_EV_RTT), 0);
	for (unsigned i = 0; i < 30; i++)
		(void)open_stream(l, "/b/1");
	lab_pass(l, 3000);
	assert_true(lab_count(l, 0, SWARM_EV_RTT) >= 1);
	lab_pass(l, 6000);
	assert_int_equal(lab_count(l, 0, SWARM_EV_PEER_DOWN), 0);
}

static void test_ping_waits_for_who_is_busy_and_sends(void **state)
{
	struct swarm_lab *l = *state;
	uint64_t st = open_stream(l, "/b/1"), in;
	struct conn *c;

	assert_int_equal(write_text(l, 0, st, "go"), 0);
	lab_run(l);
	in = lab_last(l, 1, SWARM_EV_STREAM_IN)->stream;
	/* Of this one there will be no answer. */
	c = stream_find(swarm_of(l, 0), st)->conn;
	c->ping_sent_ms = l->te.env.now_ms;
	c->ping_due_ms = l->te.env.now_ms + SWARM_PING_TIMEOUT_MS;
	for (unsigned i = 0; i < 4; i++) {
		lab_pass(l, SWARM_PING_TIMEOUT_MS - 1000);
		assert_int_equal(write_text(l, 1, in, "more"), 0);
		lab_run(l);
	}
	assert_int_equal(lab_count(l, 0, SWARM_EV_PEER_DOWN), 0);
	lab_pass(l, SWARM_PING_TIMEOUT_MS);
	assert_int_equal(lab_count(l, 0, SWARM_EV_PEER_DOWN), 1);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
#define M(name) cmocka_unit_test_setup_teardown(name, setup_mplex, teardown)
	const struct CMUnitTest tests[] = {
		T(test_stream_is_negotiated_with_data_at_once),
		T(test_stream_refused_protocol),
		T(test_stream_open_needs_a_peer),
		T(test_stream_reset_keeps_what_arrived),
		T(test_stream_backlog_is_full_then_writable),
		T(test_streams_opened_behind_a_full_queue_go_on),
		T(test_streams_end_with_the_connection),
		T(test_stream_bytes_before_the_end_are_opened),
		T(test_stream_negotiation_takes_10_s_at_most),
		T(test_identify_push_may_be_partial),
		T(test_identify_refuses_another_key),
		T(test_identify_message_is_8_kib_at_most),
		T(test_identify_is_64_kib_at_most),
		T(test_identify_refuses_half_a_message),
		T(test_identify_merges_messages_and_caps_lists),
		T(test_ping_is_echoed_in_blocks_of_32),
		T(test_ping_streams_are_two_at_most),
		T(test_ping_without_reading_is_bounded),
		M(test_ping_is_sent_before_streams_that_wait),
		M(test_ping_waits_for_who_is_busy_and_sends),
	};
	return cmocka_run_group_tests_name("streams", tests, NULL, NULL);
}

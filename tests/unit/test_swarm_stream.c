/* Streams as their users see them: from the first byte to the last word. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

#include "net/swarm/swarm_internal.h"
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
	return lab_open(l, 0, 1, protocol);
}

/* The newest that was opened to host 1. */
static uint64_t came_in(struct swarm_lab *l)
{
	return lab_last_told(l, 1, LAB_IN)->stream;
}

static int write_text(
	struct swarm_lab *l, unsigned i, uint64_t st, const char *text)
{
	return lab_write(l, i, st, bytes_str(text));
}

static void expect_text(struct swarm_lab *l, unsigned i, uint64_t st,
	const char *text, bool want_end)
{
	bool end;
	struct bytes in = lab_peek(l, i, st, &end);

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
	assert_int_equal(lab_told(l, 0, LAB_READY), 1);
	assert_int_equal(lab_told(l, 0, LAB_WRITABLE), 1);
	assert_int_equal(lab_told(l, 1, LAB_IN), 1);
	assert_string_equal(lab_last_told(l, 1, LAB_IN)->name, "/b/1");
	in = came_in(l);
	expect_text(l, 1, in, "hello", false);
	lab_consume(l, 1, in, 5);
	assert_int_equal(write_text(l, 1, in, "and you"), 0);
	lab_close(l, 1, in);
	assert_int_equal(write_text(l, 1, in, "more"), P2P_ERR_STATE);
	lab_run(l);
	expect_text(l, 0, st, "and you", true);
	lab_consume(l, 0, st, 7);
	lab_reset(l, 0, st);
	lab_reset(l, 0, st);
	lab_run(l);
	assert_int_equal(lab_told(l, 0, LAB_GONE), 0);
	assert_int_equal(lab_told(l, 1, LAB_GONE), 1);
	assert_int_equal(lab_last_told(l, 1, LAB_GONE)->err, P2P_ERR_RESET);
	assert_int_equal(swarm_budget_used(swarm_of(l, 0)), 0);
	assert_int_equal(swarm_budget_used(swarm_of(l, 1)), 0);
}

static void test_stream_refused_protocol(void **state)
{
	struct swarm_lab *l = *state;

	lab_replace(l, 2, (struct serve_cfg){.offer_yamux = true}, true);
	lab_dial(l, 0, 2, true);
	(void)lab_open(l, 0, 2, "/a/1");
	lab_run(l);
	assert_int_equal(lab_told(l, 0, LAB_GONE), 1);
	assert_int_equal(
		lab_last_told(l, 0, LAB_GONE)->err, P2P_ERR_NO_PROTOCOL);
}

static void test_stream_open_needs_a_peer(void **state)
{
	struct swarm_lab *l = *state;
	uint64_t st;

	assert_int_equal(lab_try_open(l, 0, 2, "/a/1", &st), P2P_ERR_NOT_FOUND);
	assert_null(swarm_stream(swarm_of(l, 0), 12345));
	/* One that was is no more, either. */
	st = open_stream(l, "/a/1");
	assert_non_null(swarm_stream(swarm_of(l, 0), st));
	lab_reset(l, 0, st);
	assert_null(swarm_stream(swarm_of(l, 0), st));
}

static void test_stream_reset_keeps_what_arrived(void **state)
{
	struct swarm_lab *l = *state;
	uint64_t st = open_stream(l, "/a/1"), in;

	assert_int_equal(write_text(l, 0, st, "last words"), 0);
	lab_run(l);
	in = came_in(l);
	lab_reset(l, 0, st);
	lab_run(l);
	assert_int_equal(lab_told(l, 1, LAB_GONE), 0);
	expect_text(l, 1, in, "last words", true);
	lab_consume(l, 1, in, 4);
	expect_text(l, 1, in, " words", true);
	lab_consume(l, 1, in, 6);
	lab_run(l);
	assert_int_equal(lab_told(l, 1, LAB_GONE), 1);
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
	while (lab_write(l, 0, st, bytes_of(block, sizeof(block))) == 0)
		n++;
	assert_in_range(n, 4, 5);
	assert_true(lab_backlog(l, 0, st) > 3u << 20);
	lab_run(l);
	/* The reader sleeps: the window is shut. */
	assert_int_equal(lab_told(l, 0, LAB_WRITABLE), 0);
	in = lab_last_told(l, 1, LAB_READABLE)->stream;
	while (read < (uint64_t)n * sizeof(block)) {
		size_t len = lab_peek(l, 1, in, &end).len;

		assert_int_not_equal(len, 0);
		lab_consume(l, 1, in, len);
		read += len;
		lab_forget(l);
		lab_run(l);
	}
	assert_int_equal(lab_backlog(l, 0, st), 0);
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
		assert_int_equal(lab_write(l, 0, open_stream(l, "/a/1"),
					 bytes_of(data, BYTES)),
			0);
	lab_run(l);
	assert_int_equal(lab_told(l, 1, LAB_IN), STREAMS);
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
	assert_int_equal(lab_told(l, 0, LAB_GONE), 2);
	assert_int_equal(lab_told(l, 1, LAB_GONE), 1);
	/* And before the peer does. */
	assert_int_equal(lab_told(l, 0, LAB_DOWN), 1);
	assert_int_equal(
		l->host[0].word[l->host[0].word_count - 1].what, LAB_DOWN);
}

/* Bytes that were read from the carrier and not opened yet, as when there is
 * no room for answers: the other side has said them, and is heard. */
static void test_stream_bytes_before_the_end_are_opened(void **state)
{
	struct swarm_lab *l = *state;
	uint64_t st = open_stream(l, "/a/1");
	struct peer *p = peer_find(swarm_of(l, 1), &l->host[0].me.id);
	struct conn *c = peer_conn(p);
	const struct lab_word *last;

	assert_int_equal(write_text(l, 0, st, "hello"), 0);
	lab_run(l);
	c->in_pump = true;
	assert_int_equal(write_text(l, 0, st, ", and goodbye"), 0);
	lab_run(l);
	assert_true(c->in.len > 0);
	c->in_pump = false;
	swarm_closed(swarm_of(l, 1), &l->te.env, l->wire[0].conn[1]);
	lab_run(l);
	last = lab_last_told(l, 1, LAB_GONE);
	assert_non_null(last);
	assert_int_equal(last->rest_len, strlen("hello, and goodbye"));
	assert_memory_equal(last->rest, "hello, and goodbye", last->rest_len);
}

static void test_stream_negotiation_takes_10_s_at_most(void **state)
{
	struct swarm_lab *l = *state;

	(void)open_stream(l, "/a/1");
	l->wire[0].paused[0] = true; /* no answer comes back */
	l->te.env.now_ms += SWARM_STREAM_NEGOTIATE_MS;
	serve_tick(l->host[0].sv, &l->te.env);
	lab_run(l);
	assert_int_equal(lab_told(l, 0, LAB_GONE), 1);
	l->wire[0].paused[0] = false;
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
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
	};
	return cmocka_run_group_tests_name("streams", tests, NULL, NULL);
}

/* Frames between streams and another thread, which the test plays. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

#include "base/xmalloc.h"
#include "net/serve/pipe.h"
#include "net/swarm/swarm_internal.h"
#include "tests/unit/serve_lab.h"

#define FRAME_MAX 20000
#define OURS (PIPE_OURS + 7)

#define PIPE(name, ...) \
	{ \
		PIPE_OPS, .names = (const char *const[]){name, NULL}, \
			  .frame_bytes_max = FRAME_MAX, __VA_ARGS__ \
	}
static const struct service_ops talk_ops = PIPE("/talk/1", .in_per_peer = 2);
static const struct service_ops rare_ops =
	PIPE("/rare/1", .in_per_peer = 20, .opens_a_minute = 3);
/* The same as talk, read by hand. */
static const struct service_ops raw_ops = SERVICE("/talk/1", .in_per_peer = 2);
static const struct service_ops other_ops =
	SERVICE("/other/1", .in_per_peer = 2);
static const struct service_ops *const services[] = {
	&talk_ops, &rare_ops, &other_ops, NULL};
static const struct service_ops *const by_hand[] = {
	&raw_ops, &rare_ops, &other_ops, NULL};

static int setup(void **state)
{
	*state = serve_lab(services);
	return 0;
}

/* Host 0 says what it likes, host 1 has pipes. */
static int setup_raw(void **state)
{
	struct swarm_lab *l = serve_lab_apart(by_hand);

	serve_lab_replace(l, 1, &(const struct serve_cfg){.more = services});
	lab_meet(l);
	*state = l;
	return 0;
}

/* ---- the other thread ---------------------------------------------------- */

/* The next event of host i, which must be this one; its data is freed. */
static struct pipe_event next(
	struct swarm_lab *l, unsigned i, enum pipe_event_kind kind)
{
	struct pipe_event ev;

	assert_true(pipe_next_event(l->host[i].sv, &ev));
	assert_int_equal(ev.kind, kind);
	free(ev.data);
	ev.data = NULL;
	return ev;
}

static struct pipe_event next_frame(
	struct swarm_lab *l, unsigned i, const char *text)
{
	struct pipe_event ev;

	assert_true(pipe_next_event(l->host[i].sv, &ev));
	assert_int_equal(ev.kind, PIPE_EV_FRAME);
	assert_int_equal(ev.len, strlen(text));
	if (ev.len > 0)
		assert_memory_equal(ev.data, text, ev.len);
	free(ev.data);
	ev.data = NULL;
	return ev;
}

static void expect_quiet(struct swarm_lab *l, unsigned i)
{
	struct pipe_event ev;

	assert_false(pipe_waiting(l->host[i].sv));
	assert_false(pipe_next_event(l->host[i].sv, &ev));
}

static void open_pipe(struct swarm_lab *l, uint64_t pipe)
{
	assert_int_equal(pipe_open(l->host[0].sv, &l->te.env, pipe, id_of(l, 1),
				 "/talk/1"),
		0);
}

static void send_text(
	struct swarm_lab *l, unsigned i, uint64_t pipe, const char *text)
{
	pipe_send(l->host[i].sv, &l->te.env, pipe, bytes_str(text));
}

/* Both ends of a pipe that stands; what was told of it is taken. */
static uint64_t stand(struct swarm_lab *l)
{
	struct pipe_event ev;

	open_pipe(l, OURS);
	lab_run(l);
	ev = next(l, 0, PIPE_EV_UP);
	assert_int_equal(ev.pipe, OURS);
	assert_false(ev.inbound);
	ev = next(l, 1, PIPE_EV_UP);
	assert_true(ev.inbound && ev.pipe != 0 && ev.pipe < PIPE_OURS);
	assert_string_equal(ev.name, "/talk/1");
	assert_true(peer_id_equal(&ev.peer, id_of(l, 0)));
	return ev.pipe;
}

static void expect_nothing_left(struct swarm_lab *l)
{
	for (unsigned i = 0; i < 2; i++) {
		expect_quiet(l, i);
		assert_int_equal(swarm_of(l, i)->streams.count, 0);
		assert_int_equal(swarm_budget_used(swarm_of(l, i)), 0);
	}
}

/* ---- stories ------------------------------------------------------------- */

static void test_pipe_carries_frames_both_ways(void **state)
{
	struct swarm_lab *l = *state;
	uint64_t there = stand(l);

	send_text(l, 0, OURS, "one");
	send_text(l, 0, OURS, "");
	send_text(l, 0, OURS, "three");
	lab_run(l);
	assert_int_equal(next(l, 0, PIPE_EV_ROOM).len, 8);
	assert_int_equal(next_frame(l, 1, "one").pipe, there);
	(void)next_frame(l, 1, "");
	(void)next_frame(l, 1, "three");
	expect_quiet(l, 1);
	send_text(l, 1, there, "and back");
	lab_run(l);
	assert_int_equal(next_frame(l, 0, "and back").pipe, OURS);
	assert_int_equal(next(l, 1, PIPE_EV_ROOM).len, 8);
	pipe_close(l->host[0].sv, &l->te.env, OURS, false);
	lab_run(l);
	(void)next(l, 1, PIPE_EV_END);
	send_text(l, 1, there, "last");
	pipe_close(l->host[1].sv, &l->te.env, there, false);
	lab_run(l);
	(void)next_frame(l, 0, "last");
	(void)next(l, 0, PIPE_EV_END);
	assert_int_equal(next(l, 0, PIPE_EV_GONE).err, 0);
	(void)next(l, 1, PIPE_EV_ROOM);
	assert_int_equal(next(l, 1, PIPE_EV_GONE).err, 0);
	expect_nothing_left(l);
}

/* With one name nobody has to wait for the other side. */
static void test_pipe_sends_before_it_is_up(void **state)
{
	struct swarm_lab *l = *state;

	open_pipe(l, OURS);
	send_text(l, 0, OURS, "at once");
	pipe_close(l->host[0].sv, &l->te.env, OURS, false);
	lab_run(l);
	(void)next(l, 1, PIPE_EV_UP);
	(void)next_frame(l, 1, "at once");
	(void)next(l, 1, PIPE_EV_END);
}

static void test_pipe_says_why_none_is_opened(void **state)
{
	struct swarm_lab *l = *state;
	struct serve *sv = l->host[0].sv;

	assert_int_equal(
		pipe_open(sv, &l->te.env, OURS, id_of(l, 2), "/talk/1"),
		P2P_ERR_NOT_FOUND);
	assert_int_equal(
		pipe_open(sv, &l->te.env, OURS, id_of(l, 1), "/none/1"),
		P2P_ERR_NOT_FOUND);
	/* One that is served and no pipe. */
	assert_int_equal(
		pipe_open(sv, &l->te.env, OURS, id_of(l, 1), "/other/1"),
		P2P_ERR_NOT_FOUND);
	assert_int_equal(pipe_open(sv, &l->te.env, PIPE_OURS - 1, id_of(l, 1),
				 "/talk/1"),
		P2P_ERR_EXISTS);
	open_pipe(l, OURS);
	assert_int_equal(
		pipe_open(sv, &l->te.env, OURS, id_of(l, 1), "/talk/1"),
		P2P_ERR_EXISTS);
	for (unsigned i = 1; i < PIPE_OPENS_MAX; i++)
		open_pipe(l, OURS + i);
	assert_int_equal(pipe_open(sv, &l->te.env, OURS + PIPE_OPENS_MAX,
				 id_of(l, 1), "/talk/1"),
		P2P_ERR_LIMIT);
	/* Numbers that nobody knows are ignored. */
	send_text(l, 0, OURS + 5000, "nobody");
	pipe_took(sv, OURS + 5000, 10);
	pipe_close(sv, &l->te.env, OURS + 5000, false);
	pipe_close(sv, &l->te.env, OURS + 5000, true);
}

/* What waits for a thread that does not take it is bounded, and the far side
 * waits. */
static void test_pipe_reads_no_further_ahead(void **state)
{
	struct swarm_lab *l = *state;
	static char text[FRAME_MAX + 1];
	const size_t cost = FRAME_MAX + PIPE_FRAME_COST_BYTES;
	const unsigned ahead = (PIPE_AHEAD_BYTES + cost - 1) / cost;
	uint64_t there = stand(l);
	struct pipe_event ev;
	unsigned n = 0;

	memset(text, 't', FRAME_MAX);
	for (unsigned i = 0; i < 12; i++)
		send_text(l, 0, OURS, text);
	lab_run(l);
	while (pipe_next_event(l->host[1].sv, &ev)) {
		assert_int_equal(ev.kind, PIPE_EV_FRAME);
		free(ev.data);
		n++;
	}
	assert_int_equal(n, ahead);
	assert_true(swarm_budget_used(swarm_of(l, 1)) >= ahead * cost);
	/* Each that is taken makes room for one. */
	for (; n < 12; n++) {
		pipe_took(l->host[1].sv, there, FRAME_MAX);
		lab_run(l);
		(void)next_frame(l, 1, text);
		expect_quiet(l, 1);
	}
	for (unsigned i = 0; i < ahead; i++)
		pipe_took(l->host[1].sv, there, FRAME_MAX);
	assert_int_equal(stream_of(lab_inbound(l, 1, "/talk/1"))->kept,
		SERVE_STREAM_COST_BYTES + PIPE_STATE_BYTES);
	pipe_close(l->host[0].sv, &l->te.env, OURS, true);
	lab_run(l);
	(void)next(l, 1, PIPE_EV_GONE);
	while (pipe_next_event(l->host[0].sv, &ev))
		free(ev.data);
	expect_nothing_left(l);
}

/* The end comes behind what waits. */
static void test_pipe_is_over_when_all_is_taken(void **state)
{
	struct swarm_lab *l = *state;
	static char text[FRAME_MAX + 1];
	uint64_t there = stand(l);

	memset(text, 't', FRAME_MAX);
	for (unsigned i = 0; i < 6; i++)
		send_text(l, 0, OURS, text);
	pipe_close(l->host[0].sv, &l->te.env, OURS, false);
	pipe_close(l->host[1].sv, &l->te.env, there, false);
	lab_run(l);
	for (unsigned i = 0; i < 6; i++) {
		(void)next_frame(l, 1, text);
		pipe_took(l->host[1].sv, there, FRAME_MAX);
		lab_run(l);
	}
	(void)next(l, 1, PIPE_EV_END);
	assert_int_equal(next(l, 1, PIPE_EV_GONE).err, 0);
	expect_quiet(l, 1);
}

static void test_pipe_takes_no_more_than_is_allowed(void **state)
{
	struct swarm_lab *l = *state;
	static char text[FRAME_MAX + 1];
	unsigned sent = 0;

	(void)stand(l);
	memset(text, 't', FRAME_MAX);
	/* As much as one likes, as long as there is room. */
	for (unsigned i = 0; i < 3; i++) {
		send_text(l, 0, OURS, text);
		lab_run(l);
		assert_int_equal(next(l, 0, PIPE_EV_ROOM).len, FRAME_MAX);
	}
	/* The thread goes on though there is none. */
	while (!pipe_waiting(l->host[0].sv)) {
		send_text(l, 0, OURS, text);
		sent++;
		assert_true(sent < 100);
	}
	assert_int_equal(sent, PIPE_OUT_BYTES / FRAME_MAX + 1);
	assert_int_equal(next(l, 0, PIPE_EV_GONE).err, P2P_ERR_LIMIT);
	send_text(l, 0, OURS, "nobody hears");
	lab_run(l);
	expect_quiet(l, 0);
	assert_int_equal(swarm_of(l, 0)->streams.count, 0);
}

static void test_pipe_that_is_closed_sends_no_more(void **state)
{
	struct swarm_lab *l = *state;

	(void)stand(l);
	pipe_close(l->host[0].sv, &l->te.env, OURS, false);
	send_text(l, 0, OURS, "more");
	assert_int_equal(next(l, 0, PIPE_EV_GONE).err, P2P_ERR_LIMIT);
	lab_run(l);
	(void)next(l, 1, PIPE_EV_END);
	assert_int_equal(next(l, 1, PIPE_EV_GONE).err, P2P_ERR_RESET);
	expect_nothing_left(l);
}

static void test_pipe_that_is_reset_says_nothing_more(void **state)
{
	struct swarm_lab *l = *state;

	(void)stand(l);
	pipe_close(l->host[0].sv, &l->te.env, OURS, true);
	lab_run(l);
	expect_quiet(l, 0);
	assert_int_equal(next(l, 1, PIPE_EV_GONE).err, P2P_ERR_RESET);
	expect_nothing_left(l);
	/* Before it was up, too. */
	open_pipe(l, OURS + 1);
	pipe_close(l->host[0].sv, &l->te.env, OURS + 1, true);
	lab_run(l);
	expect_quiet(l, 0);
}

static void test_pipe_ends_with_the_connection(void **state)
{
	struct swarm_lab *l = *state;
	uint64_t there = stand(l);

	send_text(l, 0, OURS, "said before");
	serve_lab_blurt(l);
	lab_cut(l, 0);
	assert_int_equal(next_frame(l, 1, "said before").pipe, there);
	assert_int_equal(next(l, 1, PIPE_EV_GONE).err, P2P_ERR_CLOSED);
	assert_int_equal(next(l, 0, PIPE_EV_GONE).err, P2P_ERR_CLOSED);
	expect_nothing_left(l);
	/* Of one that was never up. */
	lab_dial(l, 0, 1, true);
	lab_pass(l, 1000);
	open_pipe(l, OURS + 1);
	lab_cut(l, 1);
	assert_int_equal(next(l, 0, PIPE_EV_GONE).pipe, OURS + 1);
	expect_nothing_left(l);
}

static void test_pipe_events_are_freed_with_all(void **state)
{
	struct swarm_lab *l = *state;

	(void)stand(l);
	send_text(l, 0, OURS, "nobody takes this");
	lab_run(l);
	assert_true(pipe_waiting(l->host[1].sv));
}

/* ---- what peers do ------------------------------------------------------- */

/* Host 0 writes raw bytes; what becomes of the pipe at host 1. */
static void expect_gone(
	struct swarm_lab *l, struct bytes raw, bool close, int why)
{
	struct sstream *st = serve_lab_open(l, &raw_ops, NULL);

	assert_int_equal(serve_write(l->host[0].sv, &l->te.env, st, raw), 0);
	if (close)
		serve_close(l->host[0].sv, &l->te.env, st);
	lab_run(l);
	(void)next(l, 1, PIPE_EV_UP);
	if (raw.len > 4)
		(void)next_frame(l, 1, "ok");
	assert_int_equal(next(l, 1, PIPE_EV_GONE).err, why);
	expect_nothing_left(l);
}

static void test_pipe_ends_by_what_is_no_frame(void **state)
{
	struct swarm_lab *l = *state;

	expect_gone(l, bytes_of("\x02ok\x81\x00", 5), false, P2P_ERR_MALFORMED);
	/* 20,001 bytes. */
	expect_gone(
		l, bytes_of("\x02ok\xa1\x9c\x01", 6), false, P2P_ERR_TOO_BIG);
	expect_gone(l, bytes_of("\x02ok\x05h", 5), true, P2P_ERR_TRUNCATED);
	assert_int_equal(swarm_counters(swarm_of(l, 1))->protocol_errors, 3);
}

/* Half a frame is charged as far as it has come, and lost with the stream. */
static void test_pipe_charges_half_a_frame(void **state)
{
	struct swarm_lab *l = *state;
	struct sstream *st = serve_lab_open(l, &raw_ops, NULL);
	size_t before;

	lab_run(l);
	(void)next(l, 1, PIPE_EV_UP);
	before = stream_of(lab_inbound(l, 1, "/talk/1"))->kept;
	serve_lab_say(l, 0, st, "\x64half of a hundred");
	lab_run(l);
	assert_int_equal(stream_of(lab_inbound(l, 1, "/talk/1"))->kept,
		before + strlen("half of a hundred"));
	serve_reset(l->host[0].sv, st);
	lab_run(l);
	assert_int_equal(next(l, 1, PIPE_EV_GONE).err, P2P_ERR_RESET);
	expect_nothing_left(l);
}

/* Empty frames cost, too. */
static void test_pipe_bounds_empty_frames(void **state)
{
	static const uint8_t zeros[100000];
	struct swarm_lab *l = *state;
	struct sstream *st = serve_lab_open(l, &raw_ops, NULL);
	struct pipe_event ev;
	unsigned n = 0;

	assert_int_equal(serve_write(l->host[0].sv, &l->te.env, st,
				 bytes_of(zeros, sizeof(zeros))),
		0);
	lab_run(l);
	(void)next(l, 1, PIPE_EV_UP);
	while (pipe_next_event(l->host[1].sv, &ev)) {
		assert_int_equal(ev.kind, PIPE_EV_FRAME);
		assert_int_equal(ev.len, 0);
		free(ev.data);
		n++;
	}
	assert_int_equal(n, PIPE_AHEAD_BYTES / PIPE_FRAME_COST_BYTES);
}

static void test_pipe_opens_are_counted_by_the_minute(void **state)
{
	struct swarm_lab *l = *state;
	uint64_t before = swarm_counters(swarm_of(l, 1))->streams_refused;
	struct pipe_event ev;
	unsigned up = 0;

	for (unsigned i = 0; i < 5; i++) {
		assert_int_equal(pipe_open(l->host[0].sv, &l->te.env, OURS + i,
					 id_of(l, 1), "/rare/1"),
			0);
		lab_run(l);
	}
	while (pipe_next_event(l->host[1].sv, &ev))
		up += ev.kind == PIPE_EV_UP;
	assert_int_equal(up, 3);
	assert_int_equal(
		swarm_counters(swarm_of(l, 1))->streams_refused, before + 2);
	lab_pass(l, PIPE_MINUTE_MS);
	assert_int_equal(pipe_open(l->host[0].sv, &l->te.env, OURS + 9,
				 id_of(l, 1), "/rare/1"),
		0);
	lab_run(l);
	(void)next(l, 1, PIPE_EV_UP);
	/* Of another connection nothing is known. */
	lab_cut(l, 0);
	while (pipe_next_event(l->host[1].sv, &ev))
		;
	lab_dial(l, 0, 1, true);
	lab_pass(l, 1000);
	for (unsigned i = 10; i < 13; i++)
		assert_int_equal(pipe_open(l->host[0].sv, &l->te.env, OURS + i,
					 id_of(l, 1), "/rare/1"),
			0);
	lab_run(l);
	for (unsigned i = 0; i < 3; i++)
		(void)next(l, 1, PIPE_EV_UP);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, serve_lab_end)
#define R(name) cmocka_unit_test_setup_teardown(name, setup_raw, serve_lab_end)
	const struct CMUnitTest tests[] = {
		T(test_pipe_carries_frames_both_ways),
		T(test_pipe_sends_before_it_is_up),
		T(test_pipe_says_why_none_is_opened),
		T(test_pipe_reads_no_further_ahead),
		T(test_pipe_is_over_when_all_is_taken),
		T(test_pipe_takes_no_more_than_is_allowed),
		T(test_pipe_that_is_closed_sends_no_more),
		T(test_pipe_that_is_reset_says_nothing_more),
		T(test_pipe_ends_with_the_connection),
		T(test_pipe_events_are_freed_with_all),
		R(test_pipe_ends_by_what_is_no_frame),
		R(test_pipe_charges_half_a_frame),
		R(test_pipe_bounds_empty_frames),
		T(test_pipe_opens_are_counted_by_the_minute),
	};
	return cmocka_run_group_tests_name("pipe", tests, NULL, NULL);
}

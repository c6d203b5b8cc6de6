/* Ping in both roles, and what a peer that forges it can do. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

#include "net/proto/ping.h"
#include "net/proto/proto_limits.h"
#include "net/swarm/swarm_internal.h"
#include "tests/unit/swarm_lab.h"

#define NONCE "0123456789abcdef0123456789ABCDEF"

static int setup(void **state)
{
	struct swarm_lab *l = lab_new("10.0.0", true, true);

	lab_meet(l);
	*state = l;
	return 0;
}

static int setup_apart(void **state)
{
	*state = lab_new("10.0.0", false, true);
	return 0;
}

/* Host 0 asks each 1.1 s, the others never. */
static int setup_mplex(void **state)
{
	struct swarm_lab *l = lab_new("10.0.0", false, true);

	for (unsigned i = 0; i < 2; i++) {
		lab_replace(l, i,
			(struct serve_cfg){.offer_mplex = true,
				.ping_interval_ms = i == 0 ? 1100 : 3600000},
			false);
		swarm_set_addresses(swarm_of(l, i), &l->host[i].addr, 1);
	}
	lab_meet(l);
	*state = l;
	return 0;
}

static int teardown(void **state)
{
	lab_free(*state);
	return 0;
}

static uint64_t errors_of(struct swarm_lab *l, unsigned i)
{
	return swarm_counters(swarm_of(l, i))->protocol_errors;
}

static void write_at(
	struct swarm_lab *l, unsigned i, struct sstream *st, struct bytes in)
{
	assert_int_equal(serve_write(l->host[i].sv, &l->te.env, st, in), 0);
	lab_run(l);
}

/* ---- who is asked ------------------------------------------------------- */

static void test_ping_is_echoed_in_blocks_of_32(void **state)
{
	struct swarm_lab *l = *state;
	struct sstream *st = lab_forge(l, 0, 1, &ping_ops);
	struct bytes in;
	bool end;

	write_at(l, 0, st, bytes_str(NONCE "half"));
	in = swarm_stream_peek(st, &end);
	assert_int_equal(in.len, PING_BYTES);
	assert_memory_equal(in.data, NONCE, PING_BYTES);
	assert_false(end);
	/* Half of one is no ping, however it ends. */
	serve_close(l->host[0].sv, &l->te.env, st);
	lab_run(l);
	assert_int_equal(swarm_stream_peek(st, &end).len, PING_BYTES);
	assert_true(end);
	assert_null(lab_inbound(l, 1, ping_ops.names[0]));
	assert_int_equal(errors_of(l, 1), 0);
}

static void test_ping_streams_are_two_at_most(void **state)
{
	struct swarm_lab *l = *state;

	for (unsigned i = 0; i < 3; i++)
		(void)lab_forge(l, 0, 1, &ping_ops);
	lab_run(l);
	assert_int_equal(swarm_counters(swarm_of(l, 1))->streams_refused, 1);
}

/* Who pings and never reads makes us hold a window's worth, not more. */
static void test_ping_without_reading_is_bounded(void **state)
{
	struct swarm_lab *l = *state;
	struct sstream *st = lab_forge(l, 0, 1, &ping_ops);
	const struct sstream *there;
	static uint8_t pings[32 * 32768];

	for (unsigned i = 0; i < 3; i++)
		write_at(l, 0, st, bytes_of(pings, sizeof(pings)));
	there = lab_inbound(l, 1, ping_ops.names[0]);
	assert_non_null(there);
	assert_in_range(swarm_stream_backlog(there), 1,
		PING_BACKLOG_BYTES + PING_BYTES);
	assert_true(swarm_stream_backlog(st) > 1u << 20);
}

/* ---- who asks ------------------------------------------------------------ */

/* A second answer that nobody asked for ends the stream. */
static void test_ping_takes_no_answer_unasked(void **state)
{
	struct swarm_lab *l = *state;
	struct sstream *there;

	lab_pass(l, 1000);
	assert_int_equal(lab_count(l, 0, SWARM_EV_RTT), 1);
	there = lab_inbound(l, 1, ping_ops.names[0]);
	assert_non_null(there);
	write_at(l, 1, there, bytes_str(NONCE));
	assert_int_equal(errors_of(l, 0), 1);
	assert_int_equal(lab_count(l, 0, SWARM_EV_RTT), 1);
	assert_null(lab_inbound(l, 1, ping_ops.names[0]));
	/* It goes on with another. */
	lab_pass(l, 1100);
	assert_int_equal(lab_count(l, 0, SWARM_EV_RTT), 2);
}

static void test_ping_takes_no_other_answer(void **state)
{
	struct swarm_lab *l = *state;
	struct sstream *there;

	lab_pass(l, 1000);
	there = lab_inbound(l, 1, ping_ops.names[0]);
	assert_non_null(there);
	/* What is asked next is answered by the test. */
	serve_hold(l->host[1].sv, there, true);
	lab_pass(l, 1100);
	assert_int_equal(lab_count(l, 0, SWARM_EV_RTT), 1);
	write_at(l, 1, there, bytes_str(NONCE));
	assert_int_equal(errors_of(l, 0), 1);
	assert_int_equal(lab_count(l, 0, SWARM_EV_RTT), 1);
	assert_null(lab_inbound(l, 1, ping_ops.names[0]));
}

/* mplex opens 4 streams in 1.25 s. */
static void test_ping_is_sent_before_streams_that_wait(void **state)
{
	struct swarm_lab *l = *state;

	assert_int_equal(lab_count(l, 0, SWARM_EV_RTT), 0);
	for (unsigned i = 0; i < 30; i++)
		(void)lab_open(l, 0, 1, "/b/1");
	lab_pass(l, 3000);
	assert_true(lab_count(l, 0, SWARM_EV_RTT) >= 1);
	lab_pass(l, 6000);
	assert_int_equal(lab_count(l, 0, SWARM_EV_PEER_DOWN), 0);
}

static void test_ping_waits_for_who_is_busy_and_sends(void **state)
{
	struct swarm_lab *l = *state;
	struct sstream *busy, *st;

	(void)lab_open(l, 0, 1, "/b/1");
	lab_pass(l, 1000);
	assert_int_equal(lab_count(l, 0, SWARM_EV_RTT), 1);
	st = lab_inbound(l, 1, "/b/1");
	busy = lab_inbound(l, 1, ping_ops.names[0]);
	assert_true(st != NULL && busy != NULL);
	/* From now on there is no answer. */
	serve_hold(l->host[1].sv, busy, true);
	for (unsigned i = 0; i < 4; i++) {
		lab_pass(l, SWARM_PING_TIMEOUT_MS - 1000);
		write_at(l, 1, st, bytes_str("more"));
	}
	assert_int_equal(lab_count(l, 0, SWARM_EV_RTT), 1);
	assert_int_equal(lab_count(l, 0, SWARM_EV_PEER_DOWN), 0);
	lab_pass(l, SWARM_PING_TIMEOUT_MS);
	assert_int_equal(lab_count(l, 0, SWARM_EV_PEER_DOWN), 1);
}

static unsigned ping_streams(const struct conn *c)
{
	struct list *pos, *tmp;
	unsigned n = 0;

	LIST_FOREACH(pos, tmp, &c->streams) {
		const struct sstream *st =
			&LIST_ITEM(pos, struct stream, of_conn)->pub;

		n += !st->inbound && st->name == ping_ops.names[0];
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
	lab_pass(l, 200000);
	LIST_FOREACH(pos, tmp, &peer_find(swarm_of(l, 0), id_of(l, 1))->conns) {
		assert_int_equal(
			ping_streams(LIST_ITEM(pos, struct conn, of_peer)), 1);
		conns++;
	}
	assert_int_equal(conns, 2);
	/* Who was asked need not ask. */
	assert_true(
		lab_count(l, 0, SWARM_EV_RTT) + lab_count(l, 1, SWARM_EV_RTT) >=
		2 * 200000 / SWARM_PING_INTERVAL_MS);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
#define A(name) cmocka_unit_test_setup_teardown(name, setup_apart, teardown)
#define M(name) cmocka_unit_test_setup_teardown(name, setup_mplex, teardown)
	const struct CMUnitTest tests[] = {
		T(test_ping_is_echoed_in_blocks_of_32),
		T(test_ping_streams_are_two_at_most),
		T(test_ping_without_reading_is_bounded),
		M(test_ping_takes_no_answer_unasked),
		M(test_ping_takes_no_other_answer),
		M(test_ping_is_sent_before_streams_that_wait),
		M(test_ping_waits_for_who_is_busy_and_sends),
		A(test_ping_has_one_stream_a_connection),
	};
	return cmocka_run_group_tests_name("ping", tests, NULL, NULL);
}

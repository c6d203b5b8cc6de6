/* One key, two programs (decision 0021): host 0 meets hosts 1 and 2, which have
 * the same key and each a connection, and writes to both. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "net/pubsub/stream_internal.h"
#include "net/swarm/swarm_internal.h"
#include "tests/unit/stream_lab.h"

/* From when on a second stream is expected to be there, and surely is. */
#define SURELY_MS (STREAM_GOSSIP_TWIN_MS + 500)

/* The first wires of hosts 1 and 2, who dial; their own end is the first. */
#define WIRE_OF(host) ((host)-1)

static struct swarm_lab *begin(void)
{
	struct swarm_lab *l = lab_new("10.0.0", true, true);

	l->host[2].me = l->host[1].me;
	for (unsigned i = 0; i < LAB_HOSTS; i++)
		stream_lab_join(l, i, stream_lab_whole);
	return l;
}

static void both_call(struct swarm_lab *l)
{
	lab_dial(l, 1, 0, true);
	lab_dial(l, 2, 0, true);
	stream_lab_pass(l, 200);
}

static struct swarm_lab *begin_with_both(void)
{
	struct swarm_lab *l = begin();

	both_call(l);
	stream_lab_pass(l, SURELY_MS);
	return l;
}

/* What host 0 has for the two. */
static const struct link *link_of(struct swarm_lab *l)
{
	const struct link *link = table_get(
		&stream_lab_at(l, 0)->links, peer_id_bytes(id_of(l, 1)));

	assert_non_null(link);
	return link;
}

/* Which of the two a stream of host 0 goes to, or 0. */
static unsigned whose(struct swarm_lab *l, uint64_t stream)
{
	const struct sstream *st = serve_stream(l->host[0].sv, stream);

	for (unsigned i = 0; st != NULL && i < l->wire_count; i++)
		if (l->wire[i].used && st->conn == l->wire[i].conn[1])
			return l->wire[i].host[0];
	return 0;
}

static void hears(struct swarm_lab *l, unsigned host, unsigned lines)
{
	assert_int_equal(stream_lab_come(l, host), lines);
}

static void both_hear(struct swarm_lab *l)
{
	stream_lab_say(l, 0, bytes_str("to both"));
	hears(l, 1, 1);
	hears(l, 2, 1);
}

/* Nothing that the two were sent was torn. */
static void end(struct swarm_lab *l)
{
	for (unsigned i = 0; i < LAB_HOSTS; i++)
		assert_int_equal(
			stream_gossip_counters(stream_lab_at(l, i))->rpc_errors,
			0);
	lab_free(l);
}

static void test_twins_are_both_told(void **state)
{
	struct swarm_lab *l = begin_with_both();

	(void)state;
	assert_true(link_of(l)->twin_on);
	assert_int_equal(
		whose(l, link_of(l)->out) + whose(l, link_of(l)->twin), 1 + 2);
	for (int i = 0; i < 3; i++)
		both_hear(l);
	end(l);
}

/* Host 0 passes it on, though it came from that very peer. */
static void test_twins_hear_each_other(void **state)
{
	struct swarm_lab *l = begin_with_both();

	(void)state;
	for (unsigned i = 1; i <= 2; i++) {
		stream_lab_say(l, i, bytes_str("to the other"));
		hears(l, 0, 1);
		hears(l, 3 - i, 1);
		hears(l, i, 0);
	}
	end(l);
}

/* Somebody who moves from one connection to another has two streams, too. */
static void test_twins_are_not_seen_at_once(void **state)
{
	struct swarm_lab *l = begin();

	(void)state;
	both_call(l);
	assert_int_equal(link_of(l)->twin, 0);
	stream_lab_pass(l, STREAM_GOSSIP_TWIN_MS - 700);
	assert_int_equal(link_of(l)->twin, 0);
	stream_lab_pass(l, 1200);
	assert_int_not_equal(link_of(l)->twin, 0);
	end(l);
}

static void test_twins_are_none_with_one_stream(void **state)
{
	struct swarm_lab *l = begin();

	(void)state;
	lab_dial(l, 1, 0, true);
	lab_dial(l, 1, 0, true);
	stream_lab_pass(l, 200 + SURELY_MS);
	assert_int_equal(link_of(l)->twin, 0);
	stream_lab_say(l, 0, bytes_str("to one"));
	hears(l, 1, 1);
	end(l);
}

/* Nor with two, when both are on one connection. */
static void test_twins_are_none_on_one_connection(void **state)
{
	struct swarm_lab *l = begin();

	(void)state;
	lab_dial(l, 1, 0, true);
	stream_lab_pass(l, 200);
	(void)lab_forge(l, 1, 0, &gossip_ops);
	stream_lab_pass(l, 200);
	assert_int_not_equal(link_of(l)->in[1], 0);
	stream_lab_pass(l, SURELY_MS);
	assert_int_equal(link_of(l)->twin, 0);
	end(l);
}

/* Two connections of which one is carried are one program that has moved. */
static void one_is_carried(unsigned which)
{
	struct swarm_lab *l = begin();
	struct table_entry *e, *tmp;

	both_call(l);
	TABLE_FOREACH(e, tmp, &swarm_of(l, 0)->streams) {
		struct stream *st = e->value;

		if (st->pub.conn == l->wire[WIRE_OF(which)].conn[1])
			st->pub.limited = true;
	}
	stream_lab_pass(l, SURELY_MS);
	assert_int_equal(link_of(l)->twin, 0);
	end(l);
}

static void test_twins_are_none_when_carried(void **state)
{
	(void)state;
	one_is_carried(1);
	one_is_carried(2);
}

static void test_twins_are_not_looked_for_at_the_end(void **state)
{
	struct swarm_lab *l = begin();

	(void)state;
	both_call(l);
	stream_gossip_stop(stream_lab_at(l, 0));
	stream_lab_pass(l, SURELY_MS);
	assert_int_equal(link_of(l)->twin, 0);
	end(l);
}

/* Memory is short when the second stream is due: it is tried again. */
static void test_twins_are_tried_again(void **state)
{
	struct swarm_lab *l = begin();

	(void)state;
	both_call(l);
	lab_pass(l, link_of(l)->twin_at_ms - l->te.env.now_ms - 1);
	(void)budget_test_refuse_nth(1);
	lab_pass(l, 1);
	assert_true(budget_test_refuse_nth(0) > 0);
	assert_int_equal(link_of(l)->twin, 0);
	stream_lab_pass(l, SURELY_MS);
	both_hear(l);
	end(l);
}

/* What it said itself comes back to it only while there are two. */
static void speaks_alone(struct swarm_lab *l, unsigned i)
{
	const struct gossip_counters *n =
		gossip_counters(stream_lab_core(l, i));
	uint64_t had = n->units_duplicate;

	stream_lab_say(l, i, bytes_str("alone"));
	hears(l, 0, 1);
	stream_lab_flush(l);
	assert_int_equal(n->units_duplicate, had);
}

/* Whichever of the two ends: the other one misses nothing. */
static void one_ends(bool first)
{
	struct swarm_lab *l = begin_with_both();
	unsigned goes = whose(l, first ? link_of(l)->out : link_of(l)->twin);
	unsigned stays = 3 - goes;

	/* Its end comes while lines are under way to the other. */
	l->wire[WIRE_OF(stays)].paused[0] = true;
	for (int i = 0; i < 5; i++)
		stream_lab_say(l, 0, bytes_str("before it"));
	lab_cut(l, WIRE_OF(goes));
	stream_lab_say(l, 0, bytes_str("behind it"));
	l->wire[WIRE_OF(stays)].paused[0] = false;
	stream_lab_pass(l, 100);
	hears(l, stays, 6);
	assert_false(link_of(l)->twin_on);
	assert_int_equal(link_of(l)->twin, 0);
	assert_int_equal(whose(l, link_of(l)->out), stays);
	speaks_alone(l, stays);
	stream_lab_pass(l, 2 * SURELY_MS);
	assert_int_equal(link_of(l)->twin, 0);
	end(l);
}

static void test_twins_the_second_takes_over(void **state)
{
	(void)state;
	one_ends(true);
}

static void test_twins_the_first_goes_on(void **state)
{
	(void)state;
	one_ends(false);
}

static void are_two_again(struct swarm_lab *l)
{
	stream_lab_pass(l, STREAM_GOSSIP_TWIN_AGAIN_MS + SURELY_MS);
	assert_int_equal(
		whose(l, link_of(l)->out) + whose(l, link_of(l)->twin), 1 + 2);
	(void)stream_lab_come(l, 1);
	(void)stream_lab_come(l, 2);
	both_hear(l);
}

static void one_comes_again(bool first)
{
	struct swarm_lab *l = begin_with_both();
	unsigned one = whose(l, first ? link_of(l)->out : link_of(l)->twin);

	lab_cut(l, WIRE_OF(one));
	stream_lab_pass(l, 1000);
	lab_dial(l, one, 0, true);
	are_two_again(l);
	end(l);
}

static void test_twins_come_again(void **state)
{
	(void)state;
	one_comes_again(true);
	one_comes_again(false);
}

/* One that begins its stream anew is not counted twice; later they are two
 * again. */
static void one_begins_anew(bool first)
{
	struct swarm_lab *l = begin_with_both();
	unsigned one = whose(l, first ? link_of(l)->out : link_of(l)->twin);

	stream_gossip_cut(stream_lab_at(l, one), &l->te.env, id_of(l, 0));
	stream_lab_flush(l);
	assert_int_equal(link_of(l)->twin, 0);
	assert_false(link_of(l)->twin_on);
	stream_lab_say(l, 0, bytes_str("meanwhile"));
	hears(l, whose(l, link_of(l)->out), 1);
	are_two_again(l);
	end(l);
}

static void test_twins_begin_anew(void **state)
{
	(void)state;
	one_begins_anew(true);
	one_begins_anew(false);
}

static void say_much(struct swarm_lab *l, unsigned lines)
{
	static uint8_t much[30000];

	for (unsigned i = 0; i < lines; i++)
		stream_lab_say(l, 0, bytes_of(much, sizeof(much)));
}

/* The first has half an RPC, and more than yamux lets through; the second
 * stream is open. Returns which of the two is the first. */
static unsigned halfway(struct swarm_lab *l)
{
	unsigned first;

	both_call(l);
	first = whose(l, link_of(l)->out);
	l->wire[WIRE_OF(first)].paused[0] = true;
	say_much(l, 12);
	assert_true(link_of(l)->half);
	stream_lab_pass(l, SURELY_MS);
	assert_int_not_equal(link_of(l)->twin, 0);
	assert_false(link_of(l)->twin_on);
	hears(l, 3 - first, 0);
	return first;
}

/* The second stream begins where an RPC begins, not in the middle of one. */
static void test_twins_begin_between_two_rpcs(void **state)
{
	struct swarm_lab *l = begin();
	unsigned first = halfway(l), heard = 0;

	(void)state;
	l->wire[WIRE_OF(first)].paused[0] = false;
	/* It has credit for the rest once it has checked what it has. */
	for (unsigned i = 0; i < 4; i++) {
		stream_lab_pass(l, 100);
		heard += stream_lab_come(l, first);
	}
	assert_true(link_of(l)->twin_on);
	assert_int_equal(heard, 12);
	/* What was queued by then goes to both. */
	(void)stream_lab_come(l, 3 - first);
	both_hear(l);
	end(l);
}

/* It does not go on where the first has ended, either. */
static void test_twins_take_over_no_half_rpc(void **state)
{
	struct swarm_lab *l = begin();
	unsigned first = halfway(l);

	(void)state;
	lab_cut(l, WIRE_OF(first));
	assert_int_equal(link_of(l)->twin, 0);
	stream_lab_pass(l, STREAM_GOSSIP_REOPEN_MS + 200);
	(void)stream_lab_come(l, 3 - first);
	stream_lab_say(l, 0, bytes_str("to who is left"));
	hears(l, 3 - first, 1);
	end(l);
}

/* One of the two reads nothing: the other is not kept waiting, and the second
 * stream begins anew, but not at once. */
static void test_twins_a_slow_one_is_left_behind(void **state)
{
	struct swarm_lab *l = begin_with_both();
	unsigned slow = whose(l, link_of(l)->twin);
	unsigned quick = 3 - slow;
	uint64_t had = link_of(l)->twin;

	(void)state;
	l->wire[WIRE_OF(slow)].paused[0] = true;
	for (unsigned i = 0; i < 40; i++) {
		say_much(l, 1);
		hears(l, quick, 1);
	}
	assert_int_not_equal(link_of(l)->twin, had);
	assert_null(serve_stream(l->host[0].sv, had));
	assert_false(link_of(l)->twin_on);
	l->wire[WIRE_OF(slow)].paused[0] = false;
	stream_lab_pass(l, STREAM_GOSSIP_TWIN_AGAIN_MS / 2);
	assert_int_equal(link_of(l)->twin, 0);
	stream_lab_pass(l, STREAM_GOSSIP_TWIN_AGAIN_MS);
	assert_true(link_of(l)->twin_on);
	(void)stream_lab_come(l, slow);
	both_hear(l);
	lab_free(l);
}

/* Who speaks no gossip any more is not two. */
static void test_twins_end_with_the_last_stream(void **state)
{
	struct swarm_lab *l = begin_with_both();

	(void)state;
	lab_cut(l, 0);
	lab_cut(l, 1);
	stream_lab_pass(l, 100);
	assert_null(table_get(
		&stream_lab_at(l, 0)->links, peer_id_bytes(id_of(l, 1))));
	stream_lab_say(l, 0, bytes_str("to nobody"));
	both_call(l);
	stream_lab_pass(l, SURELY_MS);
	(void)stream_lab_come(l, 1);
	(void)stream_lab_come(l, 2);
	both_hear(l);
	end(l);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_twins_are_both_told),
		cmocka_unit_test(test_twins_hear_each_other),
		cmocka_unit_test(test_twins_are_not_seen_at_once),
		cmocka_unit_test(test_twins_are_none_with_one_stream),
		cmocka_unit_test(test_twins_are_none_on_one_connection),
		cmocka_unit_test(test_twins_are_none_when_carried),
		cmocka_unit_test(test_twins_are_not_looked_for_at_the_end),
		cmocka_unit_test(test_twins_are_tried_again),
		cmocka_unit_test(test_twins_the_second_takes_over),
		cmocka_unit_test(test_twins_the_first_goes_on),
		cmocka_unit_test(test_twins_come_again),
		cmocka_unit_test(test_twins_begin_anew),
		cmocka_unit_test(test_twins_begin_between_two_rpcs),
		cmocka_unit_test(test_twins_take_over_no_half_rpc),
		cmocka_unit_test(test_twins_a_slow_one_is_left_behind),
		cmocka_unit_test(test_twins_end_with_the_last_stream),
	};

	return cmocka_run_group_tests_name("stream_twin", tests, NULL, NULL);
}

/* Gossip's streams between hosts of the lab, one of which tells nothing of
 * itself: rust-libp2p's chat example has no identify. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include "net/proto/ping.h"
#include "net/swarm/swarm_internal.h"
#include "net/upgrade/upgrade_limits.h"
#include "tests/unit/stream_lab.h"

static const struct service_ops *const silent[] = {&gossip_ops, NULL};

/* Host 0 is a whole one and in the room. */
static struct swarm_lab *begin(const struct service_ops *const *other)
{
	struct swarm_lab *l = lab_new("10.0.0", true, true);

	stream_lab_join(l, 0, stream_lab_whole);
	stream_lab_join(l, 1, other);
	return l;
}

/* How many lines host `to` hears when the other one says one. */
static unsigned heard(struct swarm_lab *l, unsigned to)
{
	stream_lab_say(l, !to, bytes_str("hello"));
	return stream_lab_come(l, to);
}

static void test_stream_gossip_two_talk(void **state)
{
	struct swarm_lab *l = begin(stream_lab_whole);

	(void)state;
	lab_dial(l, 0, 1, true);
	stream_lab_pass(l, 200);
	assert_int_equal(heard(l, 0), 1);
	assert_int_equal(heard(l, 1), 1);
	lab_free(l);
}

/* Whoever calls whom: the one without identify hears, and is heard. */
static void without_identify(unsigned caller)
{
	struct swarm_lab *l = begin(silent);

	lab_dial(l, caller, !caller, true);
	/* That it does not say who it is, it says at once. */
	stream_lab_pass(l, 200);
	assert_true(swarm_peer_is_up(swarm_of(l, 0), id_of(l, 1)));
	/* Host 1, which does not even ask, waits. */
	stream_lab_pass(l, SWARM_IDENTIFY_WAIT_MS);
	assert_int_equal(heard(l, 1), 1);
	assert_int_equal(heard(l, 0), 1);
	lab_free(l);
}

static void test_stream_gossip_needs_no_identify(void **state)
{
	(void)state;
	without_identify(0);
	without_identify(1);
}

/* Nor does it need to be tried for ever when it has no gossip either. */
static void test_stream_gossip_who_has_none_is_let_be(void **state)
{
	static const struct service_ops *const none[] = {&ping_ops, NULL};
	struct swarm_lab *l = lab_new("10.0.0", true, true);
	struct serve_cfg cfg = {
		.offer_yamux = true, .services = stream_lab_whole};
	uint64_t refused;

	(void)state;
	lab_replace(l, 0, cfg, true);
	cfg.services = none;
	lab_replace(l, 1, cfg, true);
	lab_dial(l, 0, 1, true);
	stream_lab_pass(l, 5000);
	refused = swarm_counters(swarm_of(l, 0))->streams_refused;
	stream_lab_pass(l, 20000);
	assert_int_equal(
		swarm_counters(swarm_of(l, 0))->streams_refused, refused);
	lab_free(l);
}

/* All that host 0 has is carried by somebody, and no good for long. */
static void make_limited(struct swarm_lab *l)
{
	struct table_entry *e, *tmp;

	TABLE_FOREACH(e, tmp, &swarm_of(l, 0)->conns)
		((struct conn *)e->value)->limited = true;
	TABLE_FOREACH(e, tmp, &swarm_of(l, 0)->streams)
		((struct stream *)e->value)->pub.limited = true;
}

/* While an RPC is half written the stream that is to take over is agreed on,
 * and the one that it would follow breaks. */
static void test_stream_gossip_breaks_before_it_has_moved(void **state)
{
	static uint8_t much[30000];
	struct swarm_lab *l = begin(silent);

	(void)state;
	memset(much, 'm', sizeof(much));
	lab_dial(l, 0, 1, true);
	stream_lab_pass(l, SWARM_IDENTIFY_WAIT_MS + 200);
	assert_int_equal(heard(l, 1), 1);
	make_limited(l);
	l->wire[0].paused[1] = true;
	for (unsigned i = 0; i < 16; i++)
		stream_lab_say(l, 0, bytes_of(much, sizeof(much)));
	lab_dial(l, 1, 0, true);
	stream_lab_pass(l, 200);
	assert_int_equal(stream_lab_come(l, 1), 0);
	lab_cut(l, 0);
	stream_lab_pass(l, 200);
	while (stream_lab_come(l, 1) > 0)
		stream_lab_pass(l, 200);
	assert_int_equal(heard(l, 1), 1);
	lab_free(l);
}

/* Memory is short: there would be room for a small unit, not for the one that
 * is next. Whoever brings it waits for a verdict; the thread goes on. */
static void test_stream_gossip_waits_where_the_next_has_no_room(void **state)
{
	struct swarm_lab *l = begin(stream_lab_whole);
	struct gossip *g = stream_lab_core(l, 0);
	struct unit_batch *b;
	size_t one;

	(void)state;
	lab_dial(l, 0, 1, true);
	stream_lab_pass(l, 200);
	stream_lab_say(l, 1, bytes_str("hello"));
	b = gossip_next_verify(g);
	assert_non_null(b);
	one = g->verify.budget.used;
	g->verify.budget.max = one + 4 * (2 * one + 8);
	assert_true(gossip_has_room(g, &l->host[1].me.id));
	/* It used to be read again and again, and no verdict was served. */
	(void)alarm(30);
	stream_lab_say(l, 1, bytes_str("there"));
	(void)alarm(0);
	assert_int_equal(gossip_verify_count(g), 1);
	stream_lab_give(l, 0, b);
	stream_lab_pass(l, 200);
	assert_int_equal(gossip_verify_count(g), 1);
	assert_int_equal(stream_lab_come(l, 0), 2);
	assert_int_equal(gossip_counters(g)->refused, 0);
	lab_free(l);
}

#define MUCH_BYTES 2000

/* What host 0 has of host 1's stream and is not done with: lines that wait for
 * their check, and what was not read. */
static size_t held(struct swarm_lab *l)
{
	struct table_entry *e, *tmp;
	size_t n = MUCH_BYTES * gossip_verify_count(stream_lab_core(l, 0));
	bool end;

	TABLE_FOREACH(e, tmp, &swarm_of(l, 0)->streams) {
		const struct sstream *st = &((struct stream *)e->value)->pub;

		n += swarm_stream_peek(st, &end).len;
	}
	return n;
}

static void say_much(struct swarm_lab *l, unsigned lines)
{
	static uint8_t text[MUCH_BYTES];

	memset(text, 'm', sizeof(text));
	for (unsigned i = 0; i < lines; i++)
		stream_lab_say(l, 1, bytes_of(text, sizeof(text)));
}

/* Lines that wait for their check take up the window of the stream that brought
 * them; verdicts open it again, and no line is lost. */
static void test_stream_gossip_waiting_lines_cost_credit(void **state)
{
	struct swarm_lab *l = begin(stream_lab_whole);

	(void)state;
	lab_dial(l, 0, 1, true);
	stream_lab_pass(l, 200);
	say_much(l, 400);
	assert_true(gossip_verify_count(stream_lab_core(l, 0)) > 20);
	assert_in_range(held(l), YAMUX_WINDOW_BYTES / 2, YAMUX_WINDOW_BYTES);
	for (unsigned heard = 0, rounds = 0; heard < 400; rounds++) {
		assert_true(rounds < 100);
		heard += stream_lab_come(l, 0);
		stream_gossip_allow(stream_lab_at(l, 0), true);
		assert_true(held(l) <= YAMUX_WINDOW_BYTES);
		stream_lab_pass(l, 100);
	}
	assert_int_equal(held(l), 0);
	lab_free(l);
}

/* What is over a rate is read and not kept, and no faster than is forgiven. */
static void test_stream_gossip_what_is_over_costs_credit(void **state)
{
	struct swarm_lab *l = begin(stream_lab_whole);
	struct gossip *g = stream_lab_core(l, 0);
	uint64_t before, over;

	(void)state;
	gossip_limit_authors(g, 1);
	lab_dial(l, 0, 1, true);
	stream_lab_pass(l, 200);
	for (unsigned i = 0; i < 4; i++) {
		(void)heard(l, 0);
		stream_lab_pass(l, 100);
	}
	before = gossip_counters(g)->rate_author;
	assert_true(before > 0);
	say_much(l, 400);
	over = gossip_counters(g)->rate_author - before;
	assert_in_range(over, 50, YAMUX_WINDOW_BYTES / MUCH_BYTES);
	assert_int_equal(stream_lab_come(l, 0), 0);
	/* In time all of it is heard of. */
	stream_lab_pass(l, 4000);
	assert_int_equal(gossip_counters(g)->rate_author - before, 400);
	assert_int_equal(held(l), 0);
	assert_int_equal(gossip_withheld(g, &l->te.env, &l->host[1].me.id), 0);
	lab_free(l);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_stream_gossip_two_talk),
		cmocka_unit_test(test_stream_gossip_needs_no_identify),
		cmocka_unit_test(test_stream_gossip_who_has_none_is_let_be),
		cmocka_unit_test(test_stream_gossip_breaks_before_it_has_moved),
		cmocka_unit_test(
			test_stream_gossip_waits_where_the_next_has_no_room),
		cmocka_unit_test(test_stream_gossip_waiting_lines_cost_credit),
		cmocka_unit_test(test_stream_gossip_what_is_over_costs_credit),
	};

	return cmocka_run_group_tests_name("stream_gossip", tests, NULL, NULL);
}

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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_stream_gossip_two_talk),
		cmocka_unit_test(test_stream_gossip_needs_no_identify),
		cmocka_unit_test(test_stream_gossip_who_has_none_is_let_be),
		cmocka_unit_test(test_stream_gossip_breaks_before_it_has_moved),
		cmocka_unit_test(
			test_stream_gossip_waits_where_the_next_has_no_room),
	};

	return cmocka_run_group_tests_name("stream_gossip", tests, NULL, NULL);
}

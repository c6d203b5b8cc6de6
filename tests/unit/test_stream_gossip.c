/* Gossip's streams between hosts of the lab, one of which tells nothing of
 * itself: rust-libp2p's chat example has no identify. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include "net/proto/identify.h"
#include "net/proto/ping.h"
#include "net/pubsub/gossip_internal.h"
#include "net/pubsub/stream_gossip.h"
#include "net/swarm/swarm_internal.h"
#include "net/unit/unit.h"
#include "tests/unit/swarm_lab.h"

#define TOPIC "room"

static const struct service_ops *const whole[] = {
	&identify_ops, &identify_push_ops, &gossip_ops, NULL};
static const struct service_ops *const silent[] = {&gossip_ops, NULL};

static struct stream_gossip *gossip_at(struct swarm_lab *l, unsigned i)
{
	return serve_self(l->host[i].sv, &gossip_ops);
}

static void flush(struct swarm_lab *l)
{
	for (unsigned i = 0; i < 2; i++)
		if (gossip_at(l, i) != NULL)
			stream_gossip_flush(gossip_at(l, i), &l->te.env);
	lab_run(l);
}

/* Time, in which gossip has heartbeats and is written. */
static void pass(struct swarm_lab *l, uint64_t ms)
{
	for (uint64_t done = 0; done < ms; done += 100) {
		lab_pass(l, 100);
		flush(l);
	}
}

/* Host 0 is a whole one and in the room. */
static struct swarm_lab *begin(const struct service_ops *const *other)
{
	struct swarm_lab *l = lab_new("10.0.0", true, true);
	struct serve_cfg cfg = {.offer_yamux = true, .services = whole};

	lab_replace(l, 0, cfg, true);
	cfg.services = other;
	lab_replace(l, 1, cfg, true);
	for (unsigned i = 0; i < 2; i++)
		assert_int_equal(
			gossip_join(stream_gossip_core(gossip_at(l, i)),
				&l->te.env, bytes_str(TOPIC)),
			0);
	return l;
}

/* Host i says something that it has not said yet. */
static void say(struct swarm_lab *l, unsigned i, struct bytes text)
{
	static uint64_t seqno;
	struct buf unit;

	buf_init(&unit, UNIT_BYTES_MAX);
	assert_int_equal(unit_sign(&l->host[i].me, ++seqno, bytes_str(TOPIC),
				 text, &unit),
		0);
	(void)!gossip_publish(stream_gossip_core(gossip_at(l, i)), &l->te.env,
		buf_bytes(&unit));
	buf_clear(&unit);
	flush(l);
}

static void give(struct swarm_lab *l, unsigned i, struct unit_batch *b)
{
	unit_batch_check(b);
	gossip_verified(stream_gossip_core(gossip_at(l, i)), &l->te.env, b);
	stream_gossip_verified(gossip_at(l, i));
}

/* How many lines have come to a host since it was asked last. */
static unsigned come(struct swarm_lab *l, unsigned to)
{
	struct gossip *g = stream_gossip_core(gossip_at(l, to));
	struct unit_batch *b;
	struct gossip_event ev;
	unsigned n = 0;

	while ((b = gossip_next_verify(g)) != NULL) {
		give(l, to, b);
		flush(l);
	}
	while (gossip_next_event(g, &ev)) {
		n += ev.kind == GOSSIP_EV_UNIT;
		free(ev.unit);
	}
	return n;
}

/* How many lines host `to` hears when the other one says one. */
static unsigned heard(struct swarm_lab *l, unsigned to)
{
	say(l, !to, bytes_str("hello"));
	return come(l, to);
}

static void test_stream_gossip_two_talk(void **state)
{
	struct swarm_lab *l = begin(whole);

	(void)state;
	lab_dial(l, 0, 1, true);
	pass(l, 200);
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
	pass(l, 200);
	assert_true(swarm_peer_is_up(swarm_of(l, 0), id_of(l, 1)));
	/* Host 1, which does not even ask, waits. */
	pass(l, SWARM_IDENTIFY_WAIT_MS);
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
	struct serve_cfg cfg = {.offer_yamux = true, .services = whole};
	uint64_t refused;

	(void)state;
	lab_replace(l, 0, cfg, true);
	cfg.services = none;
	lab_replace(l, 1, cfg, true);
	lab_dial(l, 0, 1, true);
	pass(l, 5000);
	refused = swarm_counters(swarm_of(l, 0))->streams_refused;
	pass(l, 20000);
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
	pass(l, SWARM_IDENTIFY_WAIT_MS + 200);
	assert_int_equal(heard(l, 1), 1);
	make_limited(l);
	l->wire[0].paused[1] = true;
	for (unsigned i = 0; i < 16; i++)
		say(l, 0, bytes_of(much, sizeof(much)));
	lab_dial(l, 1, 0, true);
	pass(l, 200);
	assert_int_equal(come(l, 1), 0);
	lab_cut(l, 0);
	pass(l, 200);
	while (come(l, 1) > 0)
		pass(l, 200);
	assert_int_equal(heard(l, 1), 1);
	lab_free(l);
}

/* Memory is short: there would be room for a small unit, not for the one that
 * is next. Whoever brings it waits for a verdict; the thread goes on. */
static void test_stream_gossip_waits_where_the_next_has_no_room(void **state)
{
	struct swarm_lab *l = begin(whole);
	struct gossip *g = stream_gossip_core(gossip_at(l, 0));
	struct unit_batch *b;
	size_t one;

	(void)state;
	lab_dial(l, 0, 1, true);
	pass(l, 200);
	say(l, 1, bytes_str("hello"));
	b = gossip_next_verify(g);
	assert_non_null(b);
	one = g->verify.budget.used;
	g->verify.budget.max = one + 4 * (2 * one + 8);
	assert_true(gossip_has_room(g, &l->host[1].me.id));
	/* It used to be read again and again, and no verdict was served. */
	(void)alarm(30);
	say(l, 1, bytes_str("there"));
	(void)alarm(0);
	assert_int_equal(gossip_verify_count(g), 1);
	give(l, 0, b);
	pass(l, 200);
	assert_int_equal(gossip_verify_count(g), 1);
	assert_int_equal(come(l, 0), 2);
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

/* What waits for all peers has one maximum, and who reads finds room below it
 * whatever those hold who do not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <cmocka.h>

#include "net/pubsub/gossip_internal.h"
#include "tests/unit/gossip_lab.h"

#define LARGE_BYTES 60000
/* Fewer fit: they ask for half as much again. */
#define CROWD (GOSSIP_OUT_TOTAL_BYTES_MAX / LARGE_BYTES * 3 / 2)
#define READER (CROWD - 1)

static int setup(void **state)
{
	struct gossip_lab *l = lab_new();

	assert_int_equal(gossip_join(l->g, &l->te.env, bytes_str("room")), 0);
	for (unsigned i = 0; i < CROWD; i++)
		lab_add(l, i, GOSSIP_V11, false);
	lab_hush(l);
	*state = l;
	return 0;
}

static int teardown(void **state)
{
	lab_free(*state);
	return 0;
}

/* Our own lines number 1 to count, into the cache. */
static void say(struct gossip_lab *l, unsigned count)
{
	static char text[LARGE_BYTES + 1];

	memset(text, 'x', LARGE_BYTES);
	for (unsigned n = 1; n <= count; n++)
		assert_true(
			gossip_publish(l->g, &l->te.env,
				lab_sign(l, LAB_PEERS, n, "room", text)) >= 0);
}

/* A peer asks for the line of that number. */
static void ask(struct gossip_lab *l, unsigned i, uint64_t n)
{
	uint8_t id[UNIT_GOSSIP_ID_BYTES_MAX];

	memcpy(id, l->me.id.raw, l->me.id.len);
	put_be64(id + l->me.id.len, n);
	assert_int_equal(
		lab_iwant(l, i, bytes_of(id, l->me.id.len + UNIT_SEQNO_BYTES)),
		0);
	assert_in_range(gossip_out_bytes(l->g), 0, GOSSIP_OUT_TOTAL_BYTES_MAX);
}

static size_t waits(const struct gossip_lab *l, unsigned i)
{
	return gpeer_find(l->g, lab_id(l, i))->out.bytes;
}

/* All from that one on ask for different lines, and take that much of the
 * answer. */
static void fill(struct gossip_lab *l, unsigned first, size_t taken)
{
	say(l, CROWD);
	for (unsigned i = first; i < CROWD; i++) {
		ask(l, i, i + 1);
		if (waits(l, i) < LARGE_BYTES || taken == 0)
			continue;
		assert_true(gossip_out_peek(l->g, lab_id(l, i)).len > taken);
		gossip_out_consume(l->g, lab_id(l, i), taken);
	}
	assert_in_range(gossip_out_bytes(l->g),
		GOSSIP_OUT_TOTAL_BYTES_MAX - LARGE_BYTES - 16384,
		GOSSIP_OUT_TOTAL_BYTES_MAX);
	assert_int_equal(waits(l, READER), 0);
}

static void test_room_of_all_is_a_maximum(void **state)
{
	struct gossip_lab *l = *state;

	fill(l, 0, 0);
	/* Nobody is behind yet, and all hold as much as one more would. */
	ask(l, READER, CROWD);
	assert_int_equal(waits(l, READER), 0);
	assert_true(waits(l, 0) > LARGE_BYTES);
	assert_true(gossip_counters(l->g)->out_dropped > 0);
}

static void test_room_of_who_is_behind_goes_to_who_reads(void **state)
{
	struct gossip_lab *l = *state;
	unsigned emptied = 0;

	fill(l, 0, 0);
	lab_pass(l, GOSSIP_BEHIND_HEARTBEATS * GOSSIP_HEARTBEAT_MS);
	ask(l, READER, CROWD);
	assert_true(waits(l, READER) > LARGE_BYTES);
	for (unsigned i = 0; i < CROWD / 2; i++)
		emptied += waits(l, i) == 0;
	assert_in_range(emptied, 1, 2);
	/* No RPC was begun, so no stream has to end. */
	assert_int_equal(lab_events(l, GOSSIP_EV_BEHIND), 0);
}

static void test_room_of_who_took_half_an_rpc_is_its_stream(void **state)
{
	struct gossip_lab *l = *state;
	struct gossip_event ev;
	unsigned i = 0;

	fill(l, 0, 100);
	lab_pass(l, GOSSIP_BEHIND_HEARTBEATS * GOSSIP_HEARTBEAT_MS);
	assert_int_equal(lab_events(l, GOSSIP_EV_BEHIND), 0);
	ask(l, READER, CROWD);
	assert_true(waits(l, READER) > LARGE_BYTES);
	assert_true(gossip_next_event(l->g, &ev));
	assert_int_equal(ev.kind, GOSSIP_EV_BEHIND);
	while (!peer_id_equal(lab_id(l, i), &ev.peer))
		i++;
	/* Nothing is to follow the half of an RPC. */
	ask(l, i, 1);
	assert_int_equal(waits(l, i), 0);
	gossip_peer_mute(l->g, lab_id(l, i));
	lab_add(l, i, GOSSIP_V11, false);
	assert_int_equal(lab_said(l, i).first_subscriptions, 1);
}

/* One who asked for much gives way to those who asked for one, the newest of
 * what waits first, though it is not behind. */
static void test_room_goes_to_who_holds_less(void **state)
{
	struct gossip_lab *l = *state;
	unsigned lines = GOSSIP_OUT_BYTES_MAX / LARGE_BYTES, n = 0;
	size_t before;

	say(l, CROWD);
	for (unsigned i = 0; i < lines; i++)
		ask(l, 0, i + 1);
	before = waits(l, 0);
	assert_true(before > GOSSIP_OUT_BYTES_MAX - 2 * LARGE_BYTES);
	while (waits(l, 0) == before && n < CROWD - 1) {
		n++;
		ask(l, n, n + 1);
		assert_true(waits(l, n) > LARGE_BYTES);
	}
	assert_in_range(n, lines / 2, CROWD - 2);
	assert_in_range(waits(l, 0), before - LARGE_BYTES - 1024, before - 1);
	assert_int_equal(gossip_counters(l->g)->out_dropped, 1);
	assert_int_equal(lab_said(l, 0).messages, lines - 1);
}

/* A question that was dropped here is nobody's broken promise. */
static void test_room_of_questions_costs_nobody(void **state)
{
	struct gossip_lab *l = *state;
	uint8_t id[UNIT_GOSSIP_ID_BYTES_MAX];
	const struct gpeer *p = gpeer_find(l->g, lab_id(l, 0));

	memcpy(id, l->who[1].id.raw, l->who[1].id.len);
	put_be64(id + l->who[1].id.len, 7);
	assert_int_equal(gossip_publish(l->g, &l->te.env,
				 lab_sign(l, LAB_PEERS, 1000, "room", "x")),
		0);
	ask(l, 0, 1000);
	lab_pass(l, GOSSIP_BEHIND_HEARTBEATS * GOSSIP_HEARTBEAT_MS);
	assert_int_equal(
		lab_ihave(l, 0, "room",
			bytes_of(id, l->who[1].id.len + UNIT_SEQNO_BYTES), 1),
		0);
	assert_int_equal(p->promises, 1);
	/* It is the only one behind, and what it holds is too little. */
	fill(l, 1, 100);
	assert_int_equal(waits(l, 0), 0);
	assert_int_equal(lab_events(l, GOSSIP_EV_BEHIND), 0);
	lab_pass(l, GOSSIP_PROMISE_MS + 2 * GOSSIP_HEARTBEAT_MS);
	assert_int_equal(gossip_counters(l->g)->promises_broken, 0);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(test_room_of_all_is_a_maximum),
		T(test_room_of_who_is_behind_goes_to_who_reads),
		T(test_room_of_who_took_half_an_rpc_is_its_stream),
		T(test_room_goes_to_who_holds_less),
		T(test_room_of_questions_costs_nobody),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

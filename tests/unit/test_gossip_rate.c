/*
 * How much may be pushed: what is over is neither handed up nor passed on, and
 * costs nobody score; honest use does not meet it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "net/pubsub/gossip_internal.h"
#include "net/pubsub/gossip_rate.h"
#include "tests/unit/gossip_lab.h"

/* Peers 0 and 1 sit in the room; those from here on are authors elsewhere. */
#define AUTHOR 2u
#define ONE_KEY 60u

static unsigned long long seqno;

static int begin(void **state)
{
	struct gossip_lab *l;

	if (lab_begin(state) != 0)
		return -1;
	l = *state;
	lab_member(l, 0, GOSSIP_V11);
	lab_member(l, 1, GOSSIP_V11);
	lab_hush(l);
	gossip_limit_authors(l->g, ONE_KEY);
	return 0;
}

static void says(struct gossip_lab *l, unsigned peer, unsigned author)
{
	assert_int_equal(
		lab_message(l, peer, lab_sign(l, author, ++seqno, "room", "x")),
		0);
}

/* A line of so many bytes. */
static void says_much(
	struct gossip_lab *l, unsigned peer, unsigned author, size_t bytes)
{
	static char text[64 << 10];

	assert_true(bytes < sizeof(text));
	memset(text, 'x', bytes);
	text[bytes] = 0;
	assert_int_equal(lab_message(l, peer,
				 lab_sign(l, author, ++seqno, "room", text)),
		0);
}

static void test_rate_of_one_author(void **state)
{
	struct gossip_lab *l = *state;
	double before = gossip_peer_score(l->g, lab_id(l, 0));
	unsigned taken;

	for (unsigned i = 0; i < 300; i++)
		says(l, 0, AUTHOR);
	taken = lab_events(l, GOSSIP_EV_UNIT);
	/* A pasted page passes, a flood does not, neither here nor on. */
	assert_in_range(taken, ONE_KEY, ONE_KEY + ONE_KEY / 4 + 1);
	assert_int_equal(lab_said(l, 1).messages, taken);
	assert_int_equal(gossip_counters(l->g)->rate_author, 300 - taken);
	assert_true(gossip_peer_score(l->g, lab_id(l, 0)) >= before);
	/* A line a second goes on for ever. */
	lab_pass(l, 2000);
	lab_events(l, GOSSIP_EV_UNIT);
	for (unsigned i = 0; i < 100; i++) {
		lab_pass(l, 1000);
		says(l, 0, AUTHOR);
	}
	assert_int_equal(lab_events(l, GOSSIP_EV_UNIT), 100);
}

static void test_rate_of_one_author_in_bytes(void **state)
{
	const size_t line = 32 << 10;
	struct gossip_lab *l = *state;

	assert_int_equal(gossip_set_known(l->g, lab_id(l, AUTHOR), true), 0);
	for (unsigned i = 0; i < 40; i++)
		says_much(l, 0, AUTHOR, line);
	assert_int_equal(lab_events(l, GOSSIP_EV_UNIT),
		GOSSIP_RATE_AUTHOR_BYTES_BURST / line);
	lab_pass(l, 1000);
	lab_events(l, GOSSIP_EV_UNIT);
	for (unsigned i = 0; i < 5; i++)
		says_much(l, 0, AUTHOR, line);
	assert_int_equal(
		lab_events(l, GOSSIP_EV_UNIT), GOSSIP_RATE_AUTHOR_BYTES / line);
}

/* Also for those who were heard of while there was a rate. */
static void test_rate_can_be_switched_off(void **state)
{
	struct gossip_lab *l = *state;

	says(l, 0, AUTHOR);
	gossip_limit_authors(l->g, 0);
	for (unsigned i = 0; i < 100; i++) {
		says(l, 0, AUTHOR);
		says(l, 0, AUTHOR + 1 + i % 90);
	}
	assert_int_equal(lab_events(l, GOSSIP_EV_UNIT), 201);
}

static void test_rate_of_another_author_is_its_own(void **state)
{
	struct gossip_lab *l = *state;

	for (unsigned i = 0; i < 100; i++)
		says(l, 0, AUTHOR);
	lab_events(l, GOSSIP_EV_UNIT);
	says(l, 0, AUTHOR + 1);
	assert_int_equal(lab_events(l, GOSSIP_EV_UNIT), 1);
}

static void test_forged_lines_use_up_nobodys_rate(void **state)
{
	struct gossip_lab *l = *state;

	for (unsigned i = 0; i < 200; i++) {
		struct bytes unit = lab_sign(l, AUTHOR, ++seqno, "room", "x");

		l->unit.data[l->unit.len - 1] ^= 1;
		(void)!lab_message(l, 0, unit);
	}
	lab_events(l, GOSSIP_EV_UNIT);
	says(l, 1, AUTHOR);
	assert_int_equal(lab_events(l, GOSSIP_EV_UNIT), 1);
}

static void test_rate_of_new_authors_by_peer(void **state)
{
	struct gossip_lab *l = *state;

	for (unsigned i = 0; i < 100; i++)
		says(l, 0, AUTHOR + i);
	assert_int_equal(lab_events(l, GOSSIP_EV_UNIT), GOSSIP_RATE_NEW_BURST);
	assert_int_equal(
		gossip_counters(l->g)->rate_new, 100 - GOSSIP_RATE_NEW_BURST);
	/* Another peer may bring them, and whoever is known passes. */
	says(l, 1, AUTHOR + 99);
	assert_int_equal(lab_events(l, GOSSIP_EV_UNIT), 1);
	assert_int_equal(
		gossip_set_known(l->g, lab_id(l, AUTHOR + 80), true), 0);
	says(l, 0, AUTHOR + 80);
	assert_int_equal(lab_events(l, GOSSIP_EV_UNIT), 1);
	assert_int_equal(
		gossip_set_known(l->g, lab_id(l, AUTHOR + 80), false), 0);
	/* Known and then not: as if it had never been. */
	assert_int_equal(
		gossip_set_known(l->g, lab_id(l, AUTHOR + 81), true), 0);
	assert_int_equal(
		gossip_set_known(l->g, lab_id(l, AUTHOR + 81), false), 0);
	says(l, 0, AUTHOR + 81);
	assert_int_equal(lab_events(l, GOSSIP_EV_UNIT), 0);
	lab_pass(l, 60000);
	for (unsigned i = 0; i < 20; i++)
		says(l, 0, AUTHOR + 40 + i);
	assert_int_equal(
		lab_events(l, GOSSIP_EV_UNIT), GOSSIP_RATE_NEW_A_MINUTE);
}

static void test_strangers_of_one_peer_leave_the_known_alone(void **state)
{
	struct gossip_lab *l = *state;
	unsigned taken;

	gossip_limit_authors(l->g, 6000);
	assert_int_equal(gossip_set_known(l->g, lab_id(l, AUTHOR), true), 0);
	for (unsigned i = 0; i < 300; i++)
		says(l, 0, AUTHOR + 1 + i % 8);
	taken = lab_events(l, GOSSIP_EV_UNIT);
	assert_int_equal(taken, GOSSIP_RATE_PEER_LINES_BURST);
	assert_int_equal(gossip_counters(l->g)->rate_peer, 300 - taken);
	says(l, 0, AUTHOR);
	assert_int_equal(lab_events(l, GOSSIP_EV_UNIT), 1);
}

/* More than one peer may bring, less than eight authors may have; a room may
 * have as much at once, and twice as much a second. */
static void test_strangers_of_one_peer_have_a_rate_in_bytes(void **state)
{
	const size_t line = 32 << 10;
	struct gossip_lab *l = *state;

	gossip_limit_authors(l->g, 6000);
	for (unsigned i = 0; i < 100; i++)
		says_much(l, 0, AUTHOR + i % 8, line);
	assert_int_equal(lab_events(l, GOSSIP_EV_UNIT),
		GOSSIP_RATE_PEER_BYTES_BURST / line);
	lab_pass(l, 1000);
	lab_events(l, GOSSIP_EV_UNIT);
	for (unsigned i = 0; i < 16; i++)
		says_much(l, 0, AUTHOR + i % 8, line);
	assert_int_equal(
		lab_events(l, GOSSIP_EV_UNIT), GOSSIP_RATE_PEER_BYTES / line);
}

/* Whom a person keeps connected may bring strangers' lines without number, up
 * to what the room may have. */
static void test_who_is_kept_connected_brings_what_it_has(void **state)
{
	struct gossip_lab *l = *state;

	gossip_limit_authors(l->g, 6000);
	assert_int_equal(
		gossip_set_direct(l->g, &l->te.env, lab_id(l, 0), true), 0);
	for (unsigned i = 0; i < 300; i++)
		says(l, 0, AUTHOR + i % 90);
	assert_int_equal(lab_events(l, GOSSIP_EV_UNIT), 300);
}

/* One that nobody has a key for. */
static struct peer_id any_id(const struct gossip_lab *l, uint32_t number)
{
	struct peer_id id = *lab_id(l, 0);

	put_be32(id.raw + id.len - 4, number);
	return id;
}

/* Keys cost nothing: what is noted of them has an end. */
static void test_rates_and_the_known_have_a_bound(void **state)
{
	struct gossip_lab *l = *state;
	struct unit u = {.data = bytes_str("x")};
	struct topic *t = table_get(&l->g->topics, room());
	struct peer_id id;
	uint32_t n = 0;

	for (; n < GOSSIP_RATE_AUTHORS_MAX + 5; n++) {
		u.from = any_id(l, n);
		(void)rate_take(l->g, &l->te.env, t, &u);
	}
	assert_int_equal(l->g->rate.authors.count, GOSSIP_RATE_AUTHORS_MAX);
	while (l->g->rate.known.count < GOSSIP_KNOWN_MAX) {
		id = any_id(l, n++);
		assert_int_equal(gossip_set_known(l->g, &id, true), 0);
	}
	/* Known already is known still. */
	assert_int_equal(gossip_set_known(l->g, &id, true), 0);
	id = any_id(l, n);
	assert_int_equal(gossip_set_known(l->g, &id, true), P2P_ERR_LIMIT);
}

static void test_strangers_of_all_peers_share_a_room(void **state)
{
	struct gossip_lab *l = *state;
	unsigned taken = 0;

	gossip_limit_authors(l->g, 6000);
	for (unsigned peer = 2; peer < 10; peer++)
		lab_member(l, peer, GOSSIP_V11);
	for (unsigned i = 0; i < 150; i++)
		for (unsigned peer = 0; peer < 10; peer++)
			says(l, peer, 20 + peer);
	taken = lab_events(l, GOSSIP_EV_UNIT);
	assert_int_equal(taken, GOSSIP_RATE_ROOM_LINES_BURST);
	assert_int_equal(gossip_counters(l->g)->rate_room, 1500 - taken);
}

/* A room that is full costs no check, and the peer its credit for a while. */
static void test_what_is_over_is_not_checked(void **state)
{
	const size_t line = 32 << 10;
	struct gossip_lab *l = *state;

	gossip_limit_authors(l->g, 6000);
	for (unsigned i = 0; i < GOSSIP_RATE_ROOM_BYTES_BURST / line; i++)
		says_much(l, 0, AUTHOR + i % 4, line);
	lab_events(l, GOSSIP_EV_UNIT);
	assert_int_equal(gossip_withheld(l->g, &l->te.env, lab_id(l, 1)), 0);
	l->late = true;
	says_much(l, 1, AUTHOR + 9, line);
	assert_int_equal(gossip_counters(l->g)->rate_room, 1);
	assert_null(gossip_next_verify(l->g));
	assert_in_range(gossip_withheld(l->g, &l->te.env, lab_id(l, 1)),
		line + GOSSIP_RATE_OVER_LINE_BYTES,
		line + 2 * GOSSIP_RATE_OVER_LINE_BYTES);
	/* However much it pours, it is forgiven in a second. */
	for (unsigned i = 0; i < 100; i++)
		says_much(l, 1, AUTHOR + 9, line);
	assert_in_range(gossip_withheld(l->g, &l->te.env, lab_id(l, 1)),
		GOSSIP_RATE_OVER_BYTES_MAX / 2, GOSSIP_RATE_OVER_BYTES_MAX);
	l->te.env.now_ms += 1000;
	assert_int_equal(gossip_withheld(l->g, &l->te.env, lab_id(l, 1)), 0);
	/* It may come again: it was only a matter of time. */
	says_much(l, 1, AUTHOR + 9, line);
	assert_true(gossip_withheld(l->g, &l->te.env, lab_id(l, 1)) > line);
	lab_verify(l);
	l->late = false;
	lab_verify(l);
	assert_int_equal(lab_events(l, GOSSIP_EV_UNIT), 1);
	assert_int_equal(gossip_withheld(l->g, &l->te.env, lab_id(l, 1)), 0);
}

static void ten_bring(struct gossip_lab *l, unsigned times, size_t bytes)
{
	for (unsigned i = 0; i < times; i++)
		for (unsigned peer = 0; peer < 10; peer++)
			says_much(l, peer, 20 + peer, bytes);
}

/* What drains in a second may come in the next. */
static void test_strangers_of_all_peers_have_a_rate(void **state)
{
	const size_t line = 32 << 10;
	struct gossip_lab *l = *state;

	gossip_limit_authors(l->g, 6000);
	for (unsigned peer = 2; peer < 10; peer++)
		lab_member(l, peer, GOSSIP_V11);
	ten_bring(l, 70, 1);
	assert_int_equal(
		lab_events(l, GOSSIP_EV_UNIT), GOSSIP_RATE_ROOM_LINES_BURST);
	lab_pass(l, 1000);
	lab_events(l, GOSSIP_EV_UNIT);
	ten_bring(l, 15, 1);
	assert_int_equal(lab_events(l, GOSSIP_EV_UNIT), GOSSIP_RATE_ROOM_LINES);
	lab_pass(l, 60000);
	lab_events(l, GOSSIP_EV_UNIT);
	ten_bring(l, 20, line);
	assert_int_equal(lab_events(l, GOSSIP_EV_UNIT),
		GOSSIP_RATE_ROOM_BYTES_BURST / line);
	lab_pass(l, 1000);
	lab_events(l, GOSSIP_EV_UNIT);
	ten_bring(l, 2, line);
	assert_int_equal(
		lab_events(l, GOSSIP_EV_UNIT), GOSSIP_RATE_ROOM_BYTES / line);
}

/* Whoever floods one room after the other gets no more than so much. */
static void test_strangers_of_all_rooms_have_a_rate(void **state)
{
	static const char *const rooms[] = {"room", "hall", "attic"};
	const size_t line = 32 << 10;
	struct gossip_lab *l = *state;
	struct unit u = {.data = {.len = line}};
	unsigned taken = 0;

	gossip_limit_authors(l->g, 6000);
	for (unsigned r = 0; r < 3; r++) {
		struct topic *t;

		if (r > 0)
			assert_int_equal(gossip_join(l->g, &l->te.env,
						 bytes_str(rooms[r])),
				0);
		t = table_get(&l->g->topics, bytes_str(rooms[r]));
		for (unsigned i = 0; i < 200; i++) {
			u.from = *lab_id(l, 20 + i % 40);
			taken += rate_take(l->g, &l->te.env, t, &u);
		}
	}
	assert_int_equal(taken, GOSSIP_RATE_ALL_BYTES_BURST / line);
}

static void test_what_is_not_text_is_not_passed_on(void **state)
{
	struct gossip_lab *l = *state;

	assert_int_equal(
		lab_message(
			l, 0, lab_sign(l, AUTHOR, ++seqno, "room", "\xff\xfe")),
		0);
	assert_int_equal(lab_events(l, GOSSIP_EV_UNIT), 0);
	assert_int_equal(lab_said(l, 1).messages, 0);
	assert_int_equal(gossip_counters(l->g)->units_ignored, 1);
}

#define STORY(name) cmocka_unit_test_setup_teardown(name, begin, lab_end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		STORY(test_rate_of_one_author),
		STORY(test_rate_of_one_author_in_bytes),
		STORY(test_rate_can_be_switched_off),
		STORY(test_rate_of_another_author_is_its_own),
		STORY(test_forged_lines_use_up_nobodys_rate),
		STORY(test_rate_of_new_authors_by_peer),
		STORY(test_strangers_of_one_peer_leave_the_known_alone),
		STORY(test_strangers_of_one_peer_have_a_rate_in_bytes),
		STORY(test_who_is_kept_connected_brings_what_it_has),
		STORY(test_rates_and_the_known_have_a_bound),
		STORY(test_strangers_of_all_rooms_have_a_rate),
		STORY(test_strangers_of_all_peers_share_a_room),
		STORY(test_what_is_over_is_not_checked),
		STORY(test_strangers_of_all_peers_have_a_rate),
		STORY(test_what_is_not_text_is_not_passed_on),
	};

	return cmocka_run_group_tests_name("gossip_rate", tests, NULL, NULL);
}

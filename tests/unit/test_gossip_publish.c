/*
 * Whom our own lines go to: everybody while they are few; in a crowd not to
 * those whom others tell (decision 0015).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <cmocka.h>

#include "net/pubsub/gossip_id.h"
#include "tests/unit/gossip_lab.h"

#define CROWD 100
/* Not one of the crowd. */
#define STRANGER 105

static struct bytes id_of(
	struct gossip_lab *l, unsigned author, uint64_t seqno, uint8_t *out)
{
	const struct peer_id *from = lab_id(l, author);

	memcpy(out, from->raw, from->len);
	put_be64(out + from->len, seqno);
	return bytes_of(out, from->len + UNIT_SEQNO_BYTES);
}

static void member(struct gossip_lab *l, unsigned i,
	enum gossip_version version, enum gossip_id_form form)
{
	struct gossip_peer peer = {
		.id = *lab_id(l, i), .version = version, .form = form};

	assert_int_equal(gossip_peer_add(l->g, &l->te.env, &peer), 0);
	assert_int_equal(lab_subscribe(l, i, "room", true), 0);
}

static void crowd(struct gossip_lab *l, unsigned count)
{
	for (unsigned i = 0; i < count; i++)
		member(l, i, GOSSIP_V12, GOSSIP_FORM_FROM_SEQNO);
	lab_pass(l, GOSSIP_TOLD_AFTER_HEARTBEATS * GOSSIP_HEARTBEAT_MS);
	lab_hush(l);
	(void)lab_events(l, GOSSIP_EV_TOPIC);
}

static int say(struct gossip_lab *l, uint64_t seqno)
{
	return gossip_publish(l->g, &l->te.env,
		lab_sign(l, LAB_PEERS, seqno, "room", "hello"));
}

static void has(
	struct gossip_lab *l, unsigned i, unsigned author, uint64_t seqno)
{
	uint8_t raw[UNIT_GOSSIP_ID_BYTES_MAX];

	assert_int_equal(
		lab_ihave(l, i, "room", id_of(l, author, seqno, raw), 1), 0);
}

/* Lines enough to learn who has others. */
static void settle(struct gossip_lab *l)
{
	for (uint64_t seqno = 1000; seqno < 1010; seqno++) {
		(void)say(l, l->te.env.now_ms + seqno);
		lab_pass(l, GOSSIP_HEARTBEAT_MS);
	}
	lab_hush(l);
}

/* Somebody says something that reaches us by peer 0, and all of the crowd from
 * `first` on have it from others. */
static void all_are_told(struct gossip_lab *l, unsigned first, uint64_t seqno)
{
	assert_int_equal(
		lab_message(l, 0, lab_sign(l, STRANGER, seqno, "room", "x")),
		0);
	for (unsigned i = first; i < CROWD; i++)
		has(l, i, STRANGER, seqno);
	lab_hush(l);
	(void)lab_events(l, GOSSIP_EV_UNIT);
}

static unsigned outsiders_with_message(struct gossip_lab *l)
{
	unsigned n = 0;

	for (unsigned i = 0; i < CROWD; i++) {
		bool inside = gossip_in_mesh(l->g, room(), lab_id(l, i));

		n += lab_said(l, i).messages == 1 && !inside;
	}
	return n;
}

static unsigned first_left_out(struct gossip_lab *l)
{
	for (unsigned i = 1; i < CROWD; i++)
		if (lab_said(l, i).messages == 0)
			return i;
	fail();
	return 0;
}

/* One at a time misses a line, to learn whether others tell it: no more than
 * once each, if it shows nothing. */
static void test_publish_goes_to_all_of_whom_nothing_is_known(void **state)
{
	struct gossip_lab *l = *state;
	unsigned missed = 0;

	crowd(l, CROWD);
	for (uint64_t seqno = 1; seqno <= 2 * CROWD; seqno++) {
		int taken = say(l, seqno);

		assert_in_range(taken, CROWD - 1, CROWD);
		missed += taken < CROWD;
		if (seqno % 8 == 0)
			lab_pass(l, GOSSIP_HEARTBEAT_MS);
		lab_hush(l);
	}
	assert_int_equal(missed, CROWD - gossip_mesh_size(l->g, room()));
}

/* Who was left out has to ask us, as soon as it knows of the line. */
static unsigned say_and_answer(
	struct gossip_lab *l, uint64_t seqno, unsigned asking_from)
{
	uint8_t raw[UNIT_GOSSIP_ID_BYTES_MAX];
	bool out[CROWD];
	unsigned n = 0;

	(void)say(l, seqno);
	for (unsigned i = 0; i < CROWD; i++) {
		out[i] = lab_said(l, i).messages == 0;
		n += out[i];
		if (i < asking_from && out[i])
			has(l, i, LAB_PEERS, seqno);
	}
	lab_pass(l, GOSSIP_LATE_MS);
	for (unsigned i = asking_from; i < CROWD; i++)
		if (out[i])
			assert_int_equal(
				lab_iwant(
					l, i, id_of(l, LAB_PEERS, seqno, raw)),
				0);
	lab_pass(l, GOSSIP_HEARTBEAT_MS - GOSSIP_LATE_MS);
	lab_hush(l);
	return n;
}

/* Where nobody has others each that is tried hears a line late: so few are, and
 * fewer the more had to ask. */
static void test_publish_hardly_tries_where_all_have_us_alone(void **state)
{
	struct gossip_lab *l = *state;
	unsigned late = 0;

	crowd(l, CROWD);
	for (uint64_t seqno = 1; seqno <= CROWD; seqno++) {
		unsigned n = say_and_answer(l, seqno, 0);

		assert_in_range(n, 0, 1);
		late += n;
	}
	assert_in_range(late, 3, CROWD / 4);
}

/* Where few have others it would save little, and those few would wait. */
static void test_publish_goes_to_all_where_few_have_others(void **state)
{
	struct gossip_lab *l = *state;
	unsigned late = 0;

	crowd(l, CROWD);
	/* All seem to, since somebody else tells all what he says. */
	all_are_told(l, 0, 1);
	for (uint64_t seqno = 1; seqno <= CROWD; seqno++)
		late += say_and_answer(l, seqno, CROWD / 10);
	assert_in_range(late, 3, CROWD / 2);
}

/* Where most have, the others do not keep us from it. */
static void test_publish_leaves_out_most_where_most_have_others(void **state)
{
	struct gossip_lab *l = *state;

	crowd(l, CROWD);
	all_are_told(l, 0, 1);
	for (uint64_t seqno = 1; seqno <= 40; seqno++)
		(void)say_and_answer(l, seqno, CROWD * 7 / 10);
	assert_in_range(say(l, 50), CROWD * 3 / 10 - GOSSIP_D_HIGH,
		CROWD * 3 / 10 + GOSSIP_D_HIGH);
	/* None of those was left out. */
	for (unsigned i = CROWD * 7 / 10; i < CROWD; i++)
		assert_int_equal(lab_said(l, i).messages, 1);
}

/* Who has just come asks for what was said before it came. */
static void test_publish_tries_who_asked_as_it_came(void **state)
{
	struct gossip_lab *l = *state;
	uint8_t raw[UNIT_GOSSIP_ID_BYTES_MAX];

	for (unsigned i = 0; i < CROWD; i++)
		member(l, i, GOSSIP_V12, GOSSIP_FORM_FROM_SEQNO);
	lab_pass(l, GOSSIP_HEARTBEAT_MS);
	assert_int_equal(say(l, 900), CROWD);
	lab_pass(l, 2 * GOSSIP_LATE_MS);
	for (unsigned i = 0; i < CROWD; i++)
		assert_int_equal(
			lab_iwant(l, i, id_of(l, LAB_PEERS, 900, raw)), 0);
	lab_pass(l, GOSSIP_TOLD_AFTER_HEARTBEATS * GOSSIP_HEARTBEAT_MS);
	all_are_told(l, 0, 1);
	settle(l);
	assert_int_equal(say(l, 1), GOSSIP_PUBLISH_PEERS);
}

/* What trials have shown need not be shown again while there are signs of it.
 */
static void test_publish_trust_lasts_with_its_signs(void **state)
{
	struct gossip_lab *l = *state;

	crowd(l, CROWD);
	all_are_told(l, 0, 1);
	settle(l);
	for (uint64_t n = 2; n < 8; n++) {
		lab_pass(l, GOSSIP_TOLD_HEARTBEATS / 2 * GOSSIP_HEARTBEAT_MS);
		all_are_told(l, 0, n);
	}
	lab_hush(l);
	assert_int_equal(say(l, 1), GOSSIP_PUBLISH_PEERS);
}

/* Where we alone speak those who are left out show by our own lines that others
 * tell them, and others follow, in doubling numbers. */
static void test_publish_learns_where_we_alone_speak(void **state)
{
	struct gossip_lab *l = *state;

	crowd(l, CROWD);
	for (uint64_t seqno = 1; seqno <= 9; seqno++) {
		(void)say(l, seqno);
		for (unsigned i = 0; i < CROWD; i++)
			if (lab_said(l, i).messages == 0)
				has(l, i, LAB_PEERS, seqno);
		lab_pass(l, GOSSIP_HEARTBEAT_MS);
		lab_hush(l);
	}
	assert_int_equal(say(l, 10), GOSSIP_PUBLISH_PEERS);
}

static void test_publish_goes_to_all_while_they_are_few(void **state)
{
	struct gossip_lab *l = *state;

	crowd(l, GOSSIP_PUBLISH_PEERS);
	assert_int_equal(
		lab_message(l, 0, lab_sign(l, STRANGER, 1, "room", "x")), 0);
	for (unsigned i = 1; i < GOSSIP_PUBLISH_PEERS; i++)
		has(l, i, STRANGER, 1);
	assert_int_equal(say(l, 1), GOSSIP_PUBLISH_PEERS);
}

static void test_publish_leaves_out_whom_others_tell(void **state)
{
	struct gossip_lab *l = *state;
	size_t mesh, best = 0, some = 0;

	crowd(l, CROWD);
	all_are_told(l, 0, 1);
	settle(l);
	assert_int_equal(say(l, 1), GOSSIP_PUBLISH_PEERS);
	mesh = gossip_mesh_size(l->g, room());
	for (unsigned i = 0; i < CROWD; i++)
		if (gossip_in_mesh(l->g, room(), lab_id(l, i)))
			assert_int_equal(lab_said(l, i).messages, 1);
	assert_in_range(mesh, GOSSIP_D_LOW, GOSSIP_D_HIGH);
	/* Half of the others are the best that we know, half are chance. */
	lab_hush(l);
	for (unsigned i = 60; i < 90; i++)
		gossip_peer_app(l->g, lab_id(l, i), i);
	for (uint64_t seqno = 2; seqno < 12; seqno++)
		(void)say(l, seqno);
	for (unsigned i = 0; i < CROWD; i++) {
		unsigned n = lab_said(l, i).messages;

		best += n == 10;
		some += n > 0;
	}
	assert_in_range(best, mesh + (GOSSIP_PUBLISH_PEERS - mesh) / 2,
		GOSSIP_PUBLISH_PEERS - 1);
	assert_in_range(some, GOSSIP_PUBLISH_PEERS + 10, CROWD);
}

/* What we gave it and what it wrote itself says nothing of others. */
static void test_publish_counts_on_nobody_for_our_gift_or_its_own(void **state)
{
	struct gossip_lab *l = *state;
	uint8_t raw[UNIT_GOSSIP_ID_BYTES_MAX];

	crowd(l, CROWD);
	assert_int_equal(say(l, 1), CROWD - 1);
	for (unsigned i = 0; i < CROWD; i++)
		if (lab_said(l, i).messages > 0)
			has(l, i, LAB_PEERS, 1);
	assert_int_equal(say(l, 2), CROWD - 1);
	for (unsigned i = 0; i < CROWD; i++)
		assert_int_equal(
			lab_message(l, i, lab_sign(l, i, 1, "room", "x")), 0);
	/* An answer to IWANT is a gift, too. */
	lab_hush(l);
	for (unsigned i = 40; i < CROWD; i++) {
		assert_int_equal(lab_iwant(l, i, id_of(l, 1, 1, raw)), 0);
		has(l, i, 1, 1);
	}
	assert_int_equal(say(l, 3), CROWD - 1);
	settle(l);
	assert_in_range(say(l, 4), CROWD - 5, CROWD);
	/* A line of a third does. */
	all_are_told(l, 50, 2);
	settle(l);
	assert_in_range(say(l, 5), GOSSIP_PUBLISH_PEERS, 55);
}

static void test_publish_goes_to_kept_peers_and_whom_ihave_misses(void **state)
{
	struct gossip_lab *l = *state;

	crowd(l, CROWD);
	assert_int_equal(
		gossip_set_direct(l->g, &l->te.env, lab_id(l, 90), true), 0);
	gossip_peer_twins(l->g, lab_id(l, 91), true);
	member(l, 101, GOSSIP_FLOODSUB, GOSSIP_FORM_UNKNOWN);
	member(l, 102, GOSSIP_V11, GOSSIP_FORM_UNKNOWN);
	all_are_told(l, 0, 1);
	/* They are told by others, too, and stand last. */
	for (unsigned n = 0; n < 4; n++) {
		unsigned i = n < 2 ? 90 + n : 99 + n;

		assert_int_equal(
			lab_message(l, i,
				lab_sign(l, STRANGER, 10 + n, "room", "x")),
			0);
		gossip_peer_app(l->g, lab_id(l, i), -100);
	}
	settle(l);
	for (uint64_t seqno = 1; seqno < 5; seqno++) {
		(void)say(l, seqno);
		assert_int_equal(lab_said(l, 90).messages, 1);
		assert_int_equal(lab_said(l, 91).messages, 1);
		assert_int_equal(lab_said(l, 101).messages, 1);
		assert_int_equal(lab_said(l, 102).messages, 1);
	}
}

/* How many of the next lines it is sent. */
static unsigned sent_of(
	struct gossip_lab *l, unsigned i, uint64_t seqno, unsigned count)
{
	unsigned n = 0;

	for (unsigned k = 0; k < count; k++) {
		(void)say(l, seqno + k);
		n += lab_said(l, i).messages;
	}
	return n;
}

static void test_publish_names_what_it_leaves_out_and_hears_who_asks(
	void **state)
{
	struct gossip_lab *l = *state;
	uint8_t raw[UNIT_GOSSIP_ID_BYTES_MAX];
	const struct topic *t;
	uint64_t begun;
	unsigned i;

	crowd(l, CROWD);
	all_are_told(l, 0, 1);
	lab_pass(l, GOSSIP_HEARTBEAT_MS / 2);
	assert_int_equal(say(l, 1), CROWD - 1);
	i = first_left_out(l);
	/* At once our naming may have overtaken the line: it is tried again. */
	assert_int_equal(lab_iwant(l, i, id_of(l, LAB_PEERS, 1, raw)), 0);
	assert_int_equal(lab_said(l, i).messages, 1);
	lab_pass(l, GOSSIP_HEARTBEAT_MS);
	t = table_get(&l->g->topics, room());
	assert_int_equal(t->trials[gpeer_find(l->g, lab_id(l, i))->slot], 0);
	settle(l);
	assert_in_range(sent_of(l, i, 100, 20), 0, 19);
	/* Named as soon as it could have come by others. */
	lab_hush(l);
	gossip_peer_remove(l->g, &l->te.env, lab_id(l, 70));
	member(l, 70, GOSSIP_V12, GOSSIP_FORM_FROM_SEQNO);
	lab_hush(l);
	/* Not before it could find others. */
	assert_int_equal(sent_of(l, 70, 500, 20), 20);
	lab_pass(l, GOSSIP_TOLD_AFTER_HEARTBEATS * GOSSIP_HEARTBEAT_MS);
	lab_hush(l);
	begun = l->te.env.now_ms;
	for (uint64_t seqno = 2; lab_said(l, 70).messages > 0 || seqno == 2;
		seqno++)
		(void)say(l, seqno);
	assert_int_equal(gossip_deadline(l->g), begun + GOSSIP_LATE_MS);
	lab_pass(l, GOSSIP_LATE_MS);
	assert_in_range(lab_said(l, 70).ihave_ids, 1, 100);
	/* Who has to ask then is sent them from then on, whatever others tell
	 * it. */
	(void)id_of(l, LAB_PEERS, 2, raw);
	assert_int_equal(lab_iwant(l, 70, id_of(l, LAB_PEERS, 2, raw)), 0);
	assert_int_equal(
		lab_message(l, 0, lab_sign(l, STRANGER, 7, "room", "x")), 0);
	has(l, 70, STRANGER, 7);
	lab_hush(l);
	assert_int_equal(sent_of(l, 70, 300, 20), 20);
}

/* Four lines are named at once to who is left out, later ones by turns. */
static void test_publish_trials_end(void **state)
{
	struct gossip_lab *l = *state;
	unsigned named = 0;

	crowd(l, CROWD);
	all_are_told(l, 0, 1);
	settle(l);
	for (unsigned n = 1; n <= 2 * GOSSIP_TOLD_TRIALS; n++) {
		lab_pass(l, GOSSIP_HEARTBEAT_MS / 2);
		(void)say(l, n);
		lab_hush(l);
		lab_pass(l, GOSSIP_LATE_MS);
		named = 0;
		for (unsigned i = 0; i < CROWD; i++)
			named += lab_said(l, i).ihave_ids > 0;
		if (n == 1)
			assert_in_range(
				named, CROWD / 3, CROWD - GOSSIP_PUBLISH_PEERS);
		lab_pass(l, GOSSIP_HEARTBEAT_MS / 2 - GOSSIP_LATE_MS);
	}
	assert_int_equal(named, 0);
}

static void test_publish_trust_ends(void **state)
{
	struct gossip_lab *l = *state;
	unsigned missed;

	crowd(l, CROWD);
	all_are_told(l, 0, 1);
	settle(l);
	assert_int_equal(say(l, 1), GOSSIP_PUBLISH_PEERS);
	/* With the time, */
	lab_pass(l, 2 * GOSSIP_TOLD_HEARTBEATS * GOSSIP_HEARTBEAT_MS);
	lab_hush(l);
	assert_int_equal(say(l, 2), CROWD - 1);
	all_are_told(l, 0, 2);
	settle(l);
	assert_int_equal(say(l, 3), GOSSIP_PUBLISH_PEERS);
	/* with its leave, with its connection, and with ours. */
	lab_hush(l);
	assert_int_equal(lab_subscribe(l, 60, "room", false), 0);
	assert_int_equal(lab_subscribe(l, 60, "room", true), 0);
	gossip_peer_remove(l->g, &l->te.env, lab_id(l, 61));
	member(l, 61, GOSSIP_V12, GOSSIP_FORM_FROM_SEQNO);
	/* It may be left out once for a trial, and then no more. */
	missed = 0;
	for (uint64_t seqno = 4; seqno < 14; seqno++) {
		lab_hush(l);
		(void)say(l, seqno);
		missed += lab_said(l, 60).messages == 0;
		missed += lab_said(l, 61).messages == 0;
		assert_in_range(outsiders_with_message(l), 2, 14);
	}
	assert_in_range(missed, 0, 1);
	gossip_leave(l->g, &l->te.env, room());
	assert_int_equal(gossip_join(l->g, &l->te.env, room()), 0);
	assert_int_equal(say(l, 20), CROWD - 1);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, lab_begin, lab_end)
	const struct CMUnitTest tests[] = {
		T(test_publish_goes_to_all_of_whom_nothing_is_known),
		T(test_publish_hardly_tries_where_all_have_us_alone),
		T(test_publish_goes_to_all_where_few_have_others),
		T(test_publish_leaves_out_most_where_most_have_others),
		T(test_publish_tries_who_asked_as_it_came),
		T(test_publish_trust_lasts_with_its_signs),
		T(test_publish_learns_where_we_alone_speak),
		T(test_publish_goes_to_all_while_they_are_few),
		T(test_publish_leaves_out_whom_others_tell),
		T(test_publish_counts_on_nobody_for_our_gift_or_its_own),
		T(test_publish_goes_to_kept_peers_and_whom_ihave_misses),
		T(test_publish_names_what_it_leaves_out_and_hears_who_asks),
		T(test_publish_trials_end),
		T(test_publish_trust_ends),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

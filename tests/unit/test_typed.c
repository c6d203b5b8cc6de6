/* Addresses that a person typed: nobody is there yet, or has a place. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "net/swarm/swarm_internal.h"
#include "tests/unit/swarm_lab.h"

static int setup(void **state)
{
	*state = lab_new("10.0.0", true, false);
	return 0;
}

static int teardown(void **state)
{
	lab_free(*state);
	return 0;
}

static unsigned failures_told(struct swarm_lab *l)
{
	return lab_count(l, 0, SWARM_EV_DIAL_FAILED);
}

static size_t connected(struct swarm_lab *l)
{
	return swarm_conn_count(swarm_of(l, 0));
}

/* It starts after us: who knows that address alone is not alone for ever. */
static void test_typed_is_tried_until_somebody_is_there(void **state)
{
	struct swarm_lab *l = *state;

	for (unsigned with_id = 0; with_id < 2; with_id++) {
		unsigned to = 1 + with_id;

		lab_forget(l);
		l->host[to].deaf = true;
		lab_dial(l, 0, to, with_id == 1);
		lab_pass(l, 60000);
		/* The person has been told, once. */
		assert_int_equal(failures_told(l), 1);
		assert_int_equal(connected(l), with_id);
		l->host[to].deaf = false;
		lab_pass(l, 2 * (uint64_t)SWARM_REDIAL_MAX_MS);
		assert_int_equal(failures_told(l), 1);
		assert_int_equal(lab_count(l, 0, SWARM_EV_PEER_UP), 1);
		/* It is one that the person has named. */
		assert_int_equal(
			book_worth(&peer_find(swarm_of(l, 0), id_of(l, to))
					    ->known),
			BOOK_WANTED);
	}
}

static void test_typed_is_tried_less_and_less(void **state)
{
	struct swarm_lab *l = *state;
	unsigned first, later;

	l->host[1].deaf = true;
	lab_dial(l, 0, 1, false);
	lab_pass(l, 60000);
	first = l->host[0].dial_count;
	assert_in_range(first, 5, 12);
	lab_pass(l, 600000);
	later = l->host[0].dial_count;
	lab_pass(l, 600000);
	assert_in_range(l->host[0].dial_count - later, 1, 5);
	/* Another network may lead there. */
	l->host[1].deaf = false;
	swarm_network_changed(swarm_of(l, 0), &l->te.env);
	lab_pass(l, 1000);
	assert_int_equal(connected(l), 1);
}

/* Somebody is there who hangs up before anything is proven. */
static void test_typed_is_tried_when_there_was_no_place(void **state)
{
	struct swarm_lab *l = *state;

	swarm_of(l, 1)->cfg.conns_max = 0;
	lab_dial(l, 0, 1, false);
	assert_int_equal(failures_told(l), 1);
	lab_pass(l, 5000);
	assert_int_equal(connected(l), 0);
	swarm_of(l, 1)->cfg.conns_max = SWARM_CONNS_MAX;
	lab_pass(l, SWARM_REDIAL_MAX_MS);
	assert_int_equal(connected(l), 1);
}

static void test_typed_is_given_up_when_nobody_wants_it(void **state)
{
	struct swarm_lab *l = *state;
	unsigned dials;

	l->host[1].deaf = true;
	lab_dial(l, 0, 1, true);
	swarm_disconnect(swarm_of(l, 0), &l->te.env, id_of(l, 1));
	dials = l->host[0].dial_count;
	lab_pass(l, 60000);
	assert_int_equal(l->host[0].dial_count, dials);
}

/* ---- another key ---- */

/* The two change places; who was connected is not any more. */
static void swap(struct swarm_lab *l, unsigned a, unsigned b)
{
	struct maddr addr = l->host[a].addr;

	l->host[a].addr = l->host[b].addr;
	l->host[b].addr = addr;
	for (unsigned i = 0; i < l->wire_count; i++)
		if (l->wire[i].used)
			lab_cut(l, i);
}

static bool is_known_at(
	struct swarm_lab *l, unsigned who, const struct maddr *addr)
{
	const struct peer *p = peer_find(swarm_of(l, 0), id_of(l, who));

	return p != NULL && book_find(&p->known, addr) != NULL;
}

static void test_typed_without_an_id_follows_whoever_answers(void **state)
{
	struct swarm_lab *l = *state;
	struct maddr at = l->host[1].addr;

	lab_dial(l, 0, 1, false);
	lab_pass(l, 1000);
	assert_int_equal(lab_count(l, 0, SWARM_EV_FOLLOWED), 0);
	for (unsigned i = 0; i < 2; i++) {
		const struct swarm_event *ev;
		unsigned who = 2 - i, was = 1 + i;

		swap(l, 1, 2);
		lab_forget(l);
		lab_pass(l, 60000);
		assert_int_equal(lab_count(l, 0, SWARM_EV_FOLLOWED), 1);
		ev = lab_last(l, 0, SWARM_EV_FOLLOWED);
		assert_true(peer_id_equal(&ev->peer, id_of(l, who)));
		assert_true(peer_id_equal(&ev->was, id_of(l, was)));
		assert_true(maddr_equal(&ev->addr, &at));
		assert_true(swarm_peer_is_up(swarm_of(l, 0), id_of(l, who)));
		/* One of them has it. */
		assert_true(is_known_at(l, who, &at));
		assert_false(is_known_at(l, was, &at));
		assert_int_equal(lab_count(l, 0, SWARM_EV_OTHER_KEY), 0);
	}
}

/* The address is of the last run, and of another key since. */
static void test_typed_the_new_key_is_told_in_a_new_run(void **state)
{
	struct swarm_lab *l = *state;

	swarm_know(swarm_of(l, 0), &l->te.env, id_of(l, 2), &l->host[1].addr,
		false);
	lab_dial(l, 0, 1, false);
	lab_pass(l, 1000);
	assert_int_equal(lab_count(l, 0, SWARM_EV_FOLLOWED), 1);
	assert_true(peer_id_equal(
		&lab_last(l, 0, SWARM_EV_FOLLOWED)->was, id_of(l, 2)));
}

static const struct swarm_known *known_at(
	struct swarm_lab *l, unsigned who, const struct maddr *addr)
{
	static struct swarm_known known[SWARM_ADDRESSES_PER_PEER_MAX];
	size_t n = swarm_known(swarm_of(l, 0), &l->te.env, id_of(l, who), known,
		P2P_ARRAY_LEN(known));

	for (size_t i = 0; i < n; i++)
		if (maddr_equal(&known[i].addr, addr))
			return &known[i];
	return NULL;
}

/* Said anew with its key it is that peer's alone. */
static void test_typed_with_an_id_after_all(void **state)
{
	struct swarm_lab *l = *state;

	lab_dial(l, 0, 1, false);
	lab_pass(l, 1000);
	lab_dial(l, 0, 1, true);
	lab_pass(l, 1000);
	swap(l, 1, 2);
	lab_forget(l);
	lab_pass(l, 60000);
	assert_int_equal(lab_count(l, 0, SWARM_EV_FOLLOWED), 0);
	assert_int_equal(lab_count(l, 0, SWARM_EV_OTHER_KEY), 1);
}

/* With an id it stays: somebody else is there, which is said once and shown. */
static void test_typed_with_an_id_another_key_is_said_once(void **state)
{
	struct swarm_lab *l = *state;
	struct maddr at = l->host[1].addr;

	lab_dial(l, 0, 1, true);
	lab_pass(l, 1000);
	assert_null(known_at(l, 1, &at)->why_not);
	swap(l, 1, 2);
	lab_forget(l);
	lab_pass(l, 600000);
	assert_int_equal(lab_count(l, 0, SWARM_EV_OTHER_KEY), 1);
	assert_int_equal(lab_count(l, 0, SWARM_EV_FOLLOWED), 0);
	assert_string_equal(
		known_at(l, 1, &at)->why_not, "another key answers there now");
	assert_true(known_at(l, 1, &at)->retry_in_ms > 0);
	assert_false(swarm_peer_is_up(swarm_of(l, 0), id_of(l, 2)));
	swap(l, 1, 2);
	lab_pass(l, 2 * (uint64_t)SWARM_REDIAL_RARELY_MS);
	assert_true(swarm_peer_is_up(swarm_of(l, 0), id_of(l, 1)));
	assert_null(known_at(l, 1, &at)->why_not);
}

/* The same where that peer was never met. */
static void test_typed_with_an_id_waits_for_that_key(void **state)
{
	struct swarm_lab *l = *state;
	struct swarm_known known[2];
	struct peer_id expect[2];
	struct maddr a;

	assert_int_equal(maddr_join_peer(&a, &l->host[1].addr,
				 peer_id_bytes(id_of(l, 2))),
		0);
	swarm_dial(swarm_of(l, 0), &l->te.env, &a, 7);
	lab_pass(l, 60000);
	assert_int_equal(failures_told(l), 1);
	assert_non_null(strstr(
		lab_last(l, 0, SWARM_EV_DIAL_FAILED)->text, "another key"));
	assert_int_equal(lab_count(l, 0, SWARM_EV_OTHER_KEY), 0);
	assert_int_equal(
		swarm_typed(swarm_of(l, 0), &l->te.env, expect, known, 2), 1);
	assert_true(peer_id_equal(&expect[0], id_of(l, 2)));
	assert_string_equal(known[0].why_not, "another key answers there now");
	assert_true(known[0].failures > 3);
	swap(l, 1, 2);
	lab_pass(l, 2 * (uint64_t)SWARM_REDIAL_MAX_MS);
	assert_true(swarm_peer_is_up(swarm_of(l, 0), id_of(l, 2)));
	assert_int_equal(
		swarm_typed(swarm_of(l, 0), &l->te.env, expect, known, 2), 0);
}

/* ---- what is shown ---- */

/* Nothing is dialled before that, and then it is. */
static void assert_rests(struct swarm_lab *l, uint64_t ms)
{
	unsigned dials = l->host[0].dial_count;

	assert_in_range(ms, 2, 2 * (uint64_t)SWARM_REDIAL_RARELY_MS);
	lab_pass(l, ms - 1);
	assert_int_equal(l->host[0].dial_count, dials);
	lab_pass(l, 1);
	assert_int_equal(l->host[0].dial_count, dials + 1);
}

static void test_typed_what_is_shown_of_pauses_is_true(void **state)
{
	struct swarm_lab *l = *state;
	struct maddr at = l->host[1].addr;
	struct swarm_known known;
	struct peer_id expect;

	l->host[1].deaf = true;
	lab_dial(l, 0, 1, false);
	for (unsigned i = 0; i < 20; i++) {
		assert_int_equal(swarm_typed(swarm_of(l, 0), &l->te.env,
					 &expect, &known, 1),
			1);
		assert_rests(l, known.retry_in_ms);
	}
	l->host[1].deaf = false;
	swarm_network_changed(swarm_of(l, 0), &l->te.env);
	lab_pass(l, 1000);
	assert_int_equal(connected(l), 1);
	/* The same of one that was reached: the pause after each failure, so
	 * many dials a minute. */
	l->host[1].deaf = true;
	lab_cut(l, 0);
	for (unsigned i = 0; i < 20; i++)
		assert_rests(l, known_at(l, 1, &at)->retry_in_ms);
	/* Nobody calls it any more: that is said instead. */
	swarm_disconnect(swarm_of(l, 0), &l->te.env, id_of(l, 1));
	assert_int_equal(known_at(l, 1, &at)->retry_in_ms, 0);
	assert_non_null(strstr(known_at(l, 1, &at)->why_not, "/connect"));
}

static void test_typed_ones_are_bounded(void **state)
{
	struct swarm_lab *l = *state;
	struct swarm *s = swarm_of(l, 0);
	struct maddr a;
	char text[64];
	unsigned n = 0;

	for (unsigned i = 0; i < 3 * SWARM_TYPED_MAX; i++) {
		(void)snprintf(text, sizeof(text), "/ip4/10.9.0.%u/tcp/1", i);
		lab_addr(&a, text);
		swarm_dial(s, &l->te.env, &a, 1 + i);
		lab_run(l);
	}
	for (unsigned i = 0; i < SWARM_TYPED_MAX; i++)
		n += s->typed[i].addr.len > 0;
	assert_int_equal(n, SWARM_TYPED_MAX);
	/* The last ones are tried at once, those before them no more. */
	l->host[0].dial_count = 0;
	lab_pass(l, 1600);
	assert_int_equal(l->host[0].dial_count, SWARM_TYPED_MAX);
	assert_int_equal(swarm_deadline_walk(s) < P2P_NEVER, true);
	swarm_shutdown(s, &l->te.env);
	assert_int_equal(typed_deadline(s), P2P_NEVER);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(test_typed_is_tried_until_somebody_is_there),
		T(test_typed_is_tried_less_and_less),
		T(test_typed_is_tried_when_there_was_no_place),
		T(test_typed_is_given_up_when_nobody_wants_it),
		T(test_typed_without_an_id_follows_whoever_answers),
		T(test_typed_the_new_key_is_told_in_a_new_run),
		T(test_typed_with_an_id_after_all),
		T(test_typed_with_an_id_another_key_is_said_once),
		T(test_typed_with_an_id_waits_for_that_key),
		T(test_typed_what_is_shown_of_pauses_is_true),
		T(test_typed_ones_are_bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Addresses that a person typed: nobody is there yet, or has a place. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

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

static void test_typed_is_given_up_where_it_is_in_vain(void **state)
{
	struct swarm_lab *l = *state;
	struct maddr a;
	unsigned dials;

	/* Another peer is there, or we are it ourselves. */
	assert_int_equal(maddr_join_peer(&a, &l->host[1].addr,
				 peer_id_bytes(id_of(l, 2))),
		0);
	swarm_dial(swarm_of(l, 0), &l->te.env, &a, 7);
	lab_run(l);
	assert_int_equal(failures_told(l), 1);
	dials = l->host[0].dial_count;
	lab_pass(l, 60000);
	assert_int_equal(l->host[0].dial_count, dials);
	/* The person has thought better of it. */
	l->host[1].deaf = true;
	lab_dial(l, 0, 1, true);
	swarm_disconnect(swarm_of(l, 0), &l->te.env, id_of(l, 1));
	dials = l->host[0].dial_count;
	lab_pass(l, 60000);
	assert_int_equal(l->host[0].dial_count, dials);
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
		T(test_typed_is_given_up_where_it_is_in_vain),
		T(test_typed_ones_are_bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

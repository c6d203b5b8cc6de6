/* Whom the LAN shows and nobody reaches is counted and told. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

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

static void lan_shows(struct swarm_lab *l, unsigned who)
{
	swarm_seen(swarm_of(l, 0), &l->te.env, id_of(l, who),
		&l->host[who].addr, true);
}

/* A firewall at both ends drops who calls. */
static void close_doors(struct swarm_lab *l, bool closed)
{
	l->host[1].deaf = l->host[2].deaf = closed;
}

static uint64_t told_last(struct swarm_lab *l)
{
	const struct swarm_event *ev = lab_last(l, 0, SWARM_EV_UNREACHED);

	return ev == NULL ? 0 : ev->number;
}

static void test_unreached_are_told_within_seconds(void **state)
{
	struct swarm_lab *l = *state;

	close_doors(l, true);
	lan_shows(l, 1);
	lab_pass(l, 100);
	/* One dial that fails says little. */
	assert_int_equal(lab_count(l, 0, SWARM_EV_UNREACHED), 0);
	lab_pass(l, 6000);
	assert_int_equal(told_last(l), 1);
	lan_shows(l, 2);
	lab_pass(l, 6000);
	assert_int_equal(told_last(l), 2);
	/* Not anew each time. */
	lab_pass(l, 60000);
	assert_int_equal(lab_count(l, 0, SWARM_EV_UNREACHED), 2);
	/* A door is opened: those who are met are not counted. */
	close_doors(l, false);
	lab_pass(l, 2 * (uint64_t)SWARM_REDIAL_MAX_MS);
	assert_int_equal(told_last(l), 0);
}

static void test_unreached_are_not_those_who_were_met(void **state)
{
	struct swarm_lab *l = *state;
	struct maddr other;

	lab_meet(l);
	close_doors(l, true);
	lan_shows(l, 1);
	/* Nor where else he is shown. */
	lab_addr(&other, "/ip4/10.0.0.77/tcp/1");
	swarm_seen(swarm_of(l, 0), &l->te.env, id_of(l, 1), &other, true);
	lab_cut(l, 0);
	/* Saved, and nobody's sight. */
	swarm_know(swarm_of(l, 0), &l->te.env, id_of(l, 2), &l->host[2].addr,
		false);
	lab_pass(l, 60000);
	assert_int_equal(lab_count(l, 0, SWARM_EV_UNREACHED), 0);
}

/* Who is not shown any more is forgotten, and so is the number. */
static void test_unreached_are_forgotten_with_the_sight(void **state)
{
	struct swarm_lab *l = *state;

	close_doors(l, true);
	lan_shows(l, 1);
	lab_pass(l, 6000);
	assert_int_equal(told_last(l), 1);
	/* Nobody is forgotten while a dial is under way. */
	for (unsigned i = 0; i < 100 && told_last(l) > 0; i++) {
		lab_pass(l, SWARM_AGE_INTERVAL_MS / 6 + 1);
		serve_tick(l->host[0].sv, &l->te.env);
	}
	assert_int_equal(told_last(l), 0);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(test_unreached_are_told_within_seconds),
		T(test_unreached_are_not_those_who_were_met),
		T(test_unreached_are_forgotten_with_the_sight),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

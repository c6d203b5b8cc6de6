/*
 * An environment for state machines under test: a seeded generator, a clock
 * that only the test moves, a budget that is large unless the test says so.
 */
#ifndef TESTS_LIB_TEST_ENV_H
#define TESTS_LIB_TEST_ENV_H

#include "base/budget.h"
#include "base/env.h"

struct test_env {
	struct env env;
	struct rng rng;
	struct budget budget;
};

/* Starts at one second of the machine's clock, 2026-01-01 of the wall's. */
void test_env_init(struct test_env *te, uint64_t seed);

/*
 * For tests of every refusal: the nth next charge (1 = the next) on any
 * budget is refused once; 0 switches it off. Returns the charges asked since
 * the last call, so that a test knows when it has refused them all.
 */
uint64_t budget_test_refuse_nth(uint64_t nth);

#endif

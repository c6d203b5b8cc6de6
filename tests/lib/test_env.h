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

#endif

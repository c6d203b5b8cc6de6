#include "tests/lib/test_env.h"

#define TEST_WALL_MS 1767225600000ULL
#define TEST_BUDGET_BYTES (64u << 20)

void test_env_init(struct test_env *te, uint64_t seed)
{
	rng_init_seeded(&te->rng, seed);
	budget_init(&te->budget, NULL, TEST_BUDGET_BYTES);
	te->env = (struct env){
		.now_ms = 1000,
		.wall_ms = TEST_WALL_MS,
		.rng = &te->rng,
		.budget = &te->budget,
	};
}

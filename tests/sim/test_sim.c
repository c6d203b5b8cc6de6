/*
 * Stories, seeds that once failed, and a few fresh seeds, some of them twice.
 * "make sim SEEDS=1000" runs more.
 */
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/xmalloc.h"
#include "tests/sim/sim.h"

#define FRESH_SEEDS 24
#define TESTS_MAX 256
/* Every so many seeds are played twice and must give the same trace. */
#define TWICE_EVERY 6

static void test_play(void **state)
{
	const struct play *p = *state;
	uint64_t hash, again;

	assert_true(sim_play(p, &hash));
	if (p->seed % TWICE_EVERY != 0)
		return;
	assert_true(sim_play(p, &again));
	assert_true(hash == again);
}

static void add(struct CMUnitTest *tests, size_t *count, const char *scenario,
	uint64_t seed)
{
	struct play *p = xcalloc(1, sizeof(*p));

	P2P_ASSERT(*count < TESTS_MAX);
	p->scenario = scenario;
	p->seed = seed;
	tests[(*count)++] = (struct CMUnitTest){
		.name = xasprintf("sim_%s_seed_%" PRIu64, scenario, seed),
		.test_func = test_play,
		.initial_state = p,
	};
}

/* A line of tests/sim/seeds may begin with a story's name, then its seed. */
static void add_regression(
	struct CMUnitTest *tests, size_t *count, const char *line)
{
	const char *scenario =
		line[0] >= '0' && line[0] <= '9' ? "random" : NULL;

	for (size_t i = 0; scenario == NULL && i < story_count; i++) {
		size_t len = strlen(story_table[i].name);

		if (strncmp(line, story_table[i].name, len) != 0 ||
			line[len] != ' ')
			continue;
		scenario = story_table[i].name;
		line += len + 1;
	}
	P2P_ASSERT(scenario != NULL);
	add(tests, count, scenario, strtoull(line, NULL, 10));
}

static void add_regressions(struct CMUnitTest *tests, size_t *count)
{
	FILE *f = fopen(SRCDIR "/tests/sim/seeds", "r");
	char line[256];

	P2P_ASSERT(f != NULL);
	while (fgets(line, sizeof(line), f) != NULL)
		if (line[0] != '#' && line[0] != '\n')
			add_regression(tests, count, line);
	(void)fclose(f);
}

int main(void)
{
	static struct CMUnitTest tests[TESTS_MAX];
	size_t count = 0;
	int failed;

	for (size_t i = 0; i < story_count; i++)
		add(tests, &count, story_table[i].name, 1);
	for (uint64_t seed = 1; seed <= FRESH_SEEDS; seed++)
		add(tests, &count, "random", seed);
	add_regressions(tests, &count);
	failed = _cmocka_run_group_tests("sim", tests, count, NULL, NULL);
	for (size_t i = 0; i < count; i++) {
		free((void *)(uintptr_t)tests[i].name);
		free(tests[i].initial_state);
	}
	return failed;
}

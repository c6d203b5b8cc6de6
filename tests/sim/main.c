/*
 * sim: runs seeds.
 *   sim --seed=N [--scenario=S] [--until=MS] [--trace] [--twice]
 *   sim --seeds=A..B [--scenario=S] [--tap]
 *   sim --list
 */
#include <getopt.h>
#include <inttypes.h>
#include <stdlib.h>

#include "tests/sim/sim.h"

struct options {
	uint64_t first, last;
	struct play play;
	bool twice, tap;
};

/* One seed; with `twice` both runs must be the same, event by event. */
static bool run_seed(const struct options *o, uint64_t seed)
{
	struct play play = o->play;
	uint64_t hash, again;

	play.seed = seed;
	if (!sim_play(&play, &hash))
		return false;
	if (!o->twice)
		return true;
	if (!sim_play(&play, &again))
		return false;
	if (again != hash)
		(void)printf("seed %" PRIu64 ": two runs differ\n", seed);
	return again == hash;
}

static uint64_t run_seeds(const struct options *o)
{
	uint64_t failed = 0;

	for (uint64_t seed = o->first; seed <= o->last; seed++) {
		bool good = run_seed(o, seed);

		failed += !good;
		if (o->tap)
			(void)printf("%s - sim %s seed %" PRIu64 "\n",
				good ? "ok" : "not ok", o->play.scenario, seed);
		(void)fflush(stdout);
	}
	return failed;
}

static int list_scenarios(void)
{
	(void)puts("random");
	for (size_t i = 0; i < story_count; i++)
		(void)puts(story_table[i].name);
	return 0;
}

static void parse_seeds(struct options *o, const char *text)
{
	char *end;

	o->first = strtoull(text, &end, 10);
	o->last = strncmp(end, "..", 2) == 0 ? strtoull(end + 2, NULL, 10)
					     : o->first;
}

int main(int argc, char **argv)
{
	static const struct option longs[] = {
		{"seed", required_argument, NULL, 's'},
		{"seeds", required_argument, NULL, 's'},
		{"scenario", required_argument, NULL, 'c'},
		{"until", required_argument, NULL, 'u'},
		{"trace", no_argument, NULL, 't'},
		{"twice", no_argument, NULL, '2'},
		{"tap", no_argument, NULL, 'p'},
		{"list", no_argument, NULL, 'l'},
		{NULL, 0, NULL, 0},
	};
	struct options o = {.first = 1,
		.last = 1,
		.play = {.scenario = "random", .figures = true}};
	uint64_t failed;
	int c;

	while ((c = getopt_long(argc, argv, "", longs, NULL)) != -1) {
		if (c == 's')
			parse_seeds(&o, optarg);
		else if (c == 'c')
			o.play.scenario = optarg;
		else if (c == 'u')
			o.play.until_ms = strtoull(optarg, NULL, 10);
		else if (c == 't')
			o.play.trace = true;
		else if (c == '2')
			o.twice = true;
		else if (c == 'p')
			o.tap = true;
		else if (c == 'l')
			return list_scenarios();
		else
			return 2;
	}
	o.play.figures = !o.tap;
	failed = run_seeds(&o);
	if (!o.tap)
		(void)printf("%" PRIu64 " seeds, %" PRIu64 " failed\n",
			o.last - o.first + 1, failed);
	return failed == 0 ? 0 : 1;
}

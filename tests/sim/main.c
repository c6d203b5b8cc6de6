/*
 * sim: runs seeds.
 *   sim --seed=N [--scenario=S] [--until=MS] [--trace] [--twice]
 *   sim --seeds A..B [--scenario=S]
 *   sim --list
 */
#include <getopt.h>
#include <inttypes.h>
#include <stdlib.h>
#include <time.h>

#include "tests/sim/sim.h"

struct options {
	uint64_t first, last, until_ms;
	const char *scenario;
	bool trace, twice, quiet;
};

static void tell_failure(const struct sim *s)
{
	size_t n = P2P_MIN(s->line_count, (size_t)SIM_TRACE_LINES);

	if (!s->trace)
		for (size_t i = s->line_count - n; i < s->line_count; i++)
			(void)puts(s->lines[i % SIM_TRACE_LINES]);
	(void)printf("seed %" PRIu64 ": %s\n", s->seed, s->why);
	(void)printf("again: ./sim --seed=%" PRIu64 " --scenario=%s"
		     " --until=%" PRIu64 "\n",
		s->seed, s->scenario, s->now_us / 1000 + 1);
}

static bool run_one(const struct options *o, uint64_t seed, uint64_t *hash)
{
	struct sim s;
	bool good;

	sim_init(&s, seed, o->scenario);
	s.until_us = o->until_ms * 1000;
	s.trace = o->trace;
	good = scenario_run(&s);
	if (!good)
		tell_failure(&s);
	else if (!o->quiet)
		(void)printf("seed %" PRIu64 ": %d hosts, %" PRIu64
			     " events, %" PRIu64 " lines said, %" PRIu64
			     " shown, %" PRIu64
			     " not watched, hash %016" PRIx64 "\n",
			seed, s.host_count, s.events, s.said_count,
			s.shown_count, s.unwatched, s.hash);
	*hash = s.hash;
	sim_clear(&s);
	return good;
}

static uint64_t run_seeds(const struct options *o)
{
	uint64_t failed = 0, hash, again;

	for (uint64_t seed = o->first; seed <= o->last; seed++) {
		bool good = run_one(o, seed, &hash);

		if (good && o->twice &&
			(!run_one(o, seed, &again) || again != hash)) {
			(void)printf("seed %" PRIu64 ": two runs differ\n",
				seed);
			good = false;
		}
		failed += !good;
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
		{"quiet", no_argument, NULL, 'q'},
		{"list", no_argument, NULL, 'l'},
		{NULL, 0, NULL, 0},
	};
	struct options o = {.first = 1, .last = 1, .scenario = "random"};
	uint64_t failed;
	int c;

	while ((c = getopt_long(argc, argv, "", longs, NULL)) != -1) {
		if (c == 's')
			parse_seeds(&o, optarg);
		else if (c == 'c')
			o.scenario = optarg;
		else if (c == 'u')
			o.until_ms = strtoull(optarg, NULL, 10);
		else if (c == 't')
			o.trace = true;
		else if (c == '2')
			o.twice = true;
		else if (c == 'q')
			o.quiet = true;
		else if (c == 'l')
			return list_scenarios();
		else
			return 2;
	}
	failed = run_seeds(&o);
	(void)printf("%" PRIu64 " seeds, %" PRIu64 " failed\n",
		o.last - o.first + 1, failed);
	return failed == 0 ? 0 : 1;
}

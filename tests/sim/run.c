#include <inttypes.h>

#include "tests/sim/sim.h"

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

bool sim_play(const struct play *p, uint64_t *hash)
{
	struct sim s;
	bool good;

	sim_init(&s, p->seed, p->scenario);
	s.until_us = p->until_ms * 1000;
	s.trace = p->trace;
	good = scenario_run(&s);
	if (!good)
		tell_failure(&s);
	else if (p->figures)
		(void)printf("seed %" PRIu64 ": %d hosts, %" PRIu64
			     " events, %" PRIu64 " lines said, %" PRIu64
			     " shown, %" PRIu64 " owed, %" PRIu64
			     " not watched, hash %016" PRIx64 "\n",
			p->seed, s.host_count, s.events, s.said_count,
			s.shown_count, s.owed_count, s.unwatched, s.hash);
	*hash = s.hash;
	sim_clear(&s);
	return good;
}

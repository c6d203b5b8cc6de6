/*
 * attack: a room under attack, family by family.
 *   attack [--family=NAME] [--honest=N] [--hostile=N] [--seconds=N]
 *          [--uplink=BYTES_PER_S] [--at-once=BYTES] [--seed=N] [--tap]
 *          [--markdown]
 * Exit status 1 when a line did not reach everybody, or when host 0 wrote more
 * than so many bytes as it said half of its lines.
 */
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "tests/sim/attack/attack.h"

/* After the last line: what is under way arrives, what is missed is asked
 * for. */
#define QUIET_S 30

struct options {
	struct attack_cfg cfg;
	const char *family; /* NULL: all */
	size_t at_once;     /* 0: any */
	bool tap, markdown;
};

struct outcome {
	struct line_figures lines;
	unsigned links;                      /* hostile connections, the most */
	unsigned places_most, places_at_end; /* in honest meshes */
	uint64_t hash;
};

static void watch(const struct world *w, struct outcome *o)
{
	unsigned links = 0, places = 0;

	for (unsigned i = w->cfg.honest; i < w->host_count; i++) {
		links += hostile_links(&w->host[i]);
		places += hostile_places(&w->host[i]);
	}
	o->links = P2P_MAX(o->links, links);
	o->places_most = P2P_MAX(o->places_most, places);
	o->places_at_end = places;
}

static void play(const struct attack_cfg *cfg, struct outcome *o)
{
	struct world *w = world_new(cfg);
	uint64_t until =
		attack_from_us(w) + (cfg->seconds + QUIET_S) * ATTACK_S;

	*o = (struct outcome){0};
	while (w->now_us < until) {
		world_run(w, w->now_us + ATTACK_S);
		watch(w, o);
	}
	line_figures(w, attack_from_us(w), &o->lines);
	o->hash = w->hash;
	world_free(w);
}

static void print_head(const struct options *o)
{
	if (o->tap)
		return;
	(void)printf("| family | lines | arrived | missing | p50 ms | p99 ms "
		     "| last ms | kB at once | most | kB a line, all hosts "
		     "| hostile links | mesh places, most | at the end |\n"
		     "|---|---|---|---|---|---|---|---|---|---|---|---|---|\n");
}

static bool run_family(const struct options *o, const struct family *f)
{
	struct attack_cfg cfg = o->cfg;
	struct outcome out;
	bool good;

	cfg.family = f;
	play(&cfg, &out);
	good = out.lines.arrived == out.lines.owed && out.lines.lines > 0 &&
	       (o->at_once == 0 || out.lines.at_once <= o->at_once);
	if (o->tap)
		(void)printf("%s - attack %s: %" PRIu64 " of %" PRIu64
			     ", %zu bytes at once\n",
			good ? "ok" : "not ok", f->name, out.lines.arrived,
			out.lines.owed, out.lines.at_once);
	else
		(void)printf("| %s | %zu | %" PRIu64 " | %" PRIu64
			     " | %.0f | %.0f | %.0f | %.1f | %.1f | %.0f"
			     " | %u | %u | %u |\n",
			f->name, out.lines.lines, out.lines.arrived,
			out.lines.owed - out.lines.arrived,
			(double)out.lines.p50_us / 1e3,
			(double)out.lines.p99_us / 1e3,
			(double)out.lines.max_us / 1e3,
			(double)out.lines.at_once / 1e3,
			(double)out.lines.at_once_max / 1e3,
			(double)out.lines.bytes / 1e3, out.links,
			out.places_most, out.places_at_end);
	(void)fflush(stdout);
	return good;
}

static unsigned number(const char *text)
{
	return (unsigned)strtoul(text, NULL, 10);
}

static void parse(int argc, char **argv, struct options *o)
{
	static const struct option table[] = {
		{"family", required_argument, NULL, 'f'},
		{"honest", required_argument, NULL, 'h'},
		{"hostile", required_argument, NULL, 'b'},
		{"seconds", required_argument, NULL, 's'},
		{"seed", required_argument, NULL, 'r'},
		{"uplink", required_argument, NULL, 'u'},
		{"at-once", required_argument, NULL, 'a'},
		{"tap", no_argument, NULL, 't'},
		{"markdown", no_argument, NULL, 'm'},
		{NULL, 0, NULL, 0},
	};
	int c;

	while ((c = getopt_long(argc, argv, "", table, NULL)) != -1) {
		if (c == 'f')
			o->family = optarg;
		else if (c == 'h')
			o->cfg.honest = number(optarg);
		else if (c == 'b')
			o->cfg.hostile = number(optarg);
		else if (c == 's')
			o->cfg.seconds = number(optarg);
		else if (c == 'r')
			o->cfg.seed = strtoull(optarg, NULL, 10);
		else if (c == 'u')
			o->cfg.uplink = number(optarg);
		else if (c == 'a')
			o->at_once = number(optarg);
		else if (c == 't')
			o->tap = true;
		else if (c != 'm')
			exit(2);
	}
}

int main(int argc, char **argv)
{
	struct options o = {.cfg = {.honest = 200,
				    .hostile = 800,
				    .publishers = 20,
				    .say_every_s = 5,
				    .seconds = 120,
				    .seed = 1}};
	bool good = true;

	P2P_ASSERT(crypto_init() == 0);
	parse(argc, argv, &o);
	if (o.family != NULL && family_find(o.family) == NULL) {
		(void)fprintf(stderr, "attack: no such family: %s\n", o.family);
		return 2;
	}
	print_head(&o);
	for (size_t i = 0; i < family_count; i++) {
		const struct family *f = &family_table[i];

		/* Those for what a line costs have a size of their own. */
		if (o.family == NULL ? !f->crowd && f->hubs == 0
				     : strcmp(o.family, f->name) == 0)
			good &= run_family(&o, f);
	}
	return good ? 0 : 1;
}

/*
 * Names: whoever meets knows what the others call themselves before anybody
 * has said a word, and when it changes.
 */
#include "tests/sim/sim.h"

#define PEOPLE 3
/* From the moment that both see each other, or that a name is typed. */
#define KNOWN_MS 2000
/* A second change within this may wait that long. */
#define PACE_MS (CHAT_PROFILE_PACE_MS + KNOWN_MS)

static const char *const names[PEOPLE] = {"ann", "bob", "cem"};

static bool all_know(struct sim *s, struct host *h[static PEOPLE], int count)
{
	for (int i = 0; i < count; i++)
		for (int j = 0; j < count; j++)
			if (i != j)
				check_name(h[i], h[j]);
	return !s->failed;
}

static bool renames(struct sim *s, struct host *h, const char *command)
{
	face_type(h, command);
	return story_pass(s, KNOWN_MS);
}

/* Both see each other; then it takes KNOWN_MS. */
static bool meet(struct sim *s, struct host *a, struct host *b)
{
	for (int i = 0; i < 10000; i++) {
		if (a->up[b->index] && b->up[a->index])
			return story_pass(s, KNOWN_MS);
		if (!story_pass(s, 1))
			return false;
	}
	sim_fail(s, "%s and %s do not meet", a->cfg.name, b->cfg.name);
	return false;
}

static struct host *start(struct sim *s, const char *name)
{
	struct host_cfg cfg = story_person(name);
	struct host *h = host_add(s, &cfg);

	host_start(h);
	return h;
}

bool story_names_are_known(struct sim *s)
{
	struct host *h[PEOPLE];

	s->latency_us = sim_draw(s, 100, 150000);
	s->jitter_us = s->latency_us / 2;
	h[0] = start(s, names[0]);
	h[1] = start(s, names[1]);
	if (!meet(s, h[0], h[1]) || !all_know(s, h, 2))
		return false;
	if (!renames(s, h[0], "/name anna") || !all_know(s, h, 2))
		return false;
	/* Who comes later hears the newest; a third name of hers waits. */
	h[2] = start(s, names[2]);
	if (!meet(s, h[0], h[2]) || !meet(s, h[1], h[2]) || !all_know(s, h, 3))
		return false;
	if (!renames(s, h[0], "/name annika") || !story_pass(s, PACE_MS) ||
		!all_know(s, h, 3))
		return false;
	/* Both connections may have died; the next ones bring it back. */
	host_kill(h[1]);
	if (!story_pass(s, 1000))
		return false;
	host_start(h[1]);
	if (!meet(s, h[0], h[1]) || !meet(s, h[1], h[2]) || !all_know(s, h, 3))
		return false;
	buf_reset(&s->story);
	(void)buf_appendf(&s->story, "all know %s, %s, %s\n", h[0]->ui->name,
		h[1]->ui->name, h[2]->ui->name);
	return !s->failed;
}

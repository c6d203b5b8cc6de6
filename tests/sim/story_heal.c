/*
 * Stories of machines that sleep, move and flap: four people in one room, and
 * nobody has to start anything again.
 */
#include <stdlib.h>

#include "tests/sim/sim.h"

#define PEOPLE 4
/* From the end of the trouble until everybody talks with everybody. */
#define HEALED_MS 20000

static const char *const names[PEOPLE] = {"ann", "bob", "cem", "dan"};

static bool all_start(struct sim *s, struct host *h[static PEOPLE])
{
	for (int i = 0; i < PEOPLE; i++) {
		struct host_cfg cfg = story_person(names[i]);

		cfg.yamux = i != 2;
		h[i] = host_add(s, &cfg);
		host_start(h[i]);
	}
	return story_pass(s, 6000);
}

/* Everybody says a line, and everybody has every line of all so far. */
static bool all_talk(struct sim *s, struct host *h[static PEOPLE])
{
	unsigned said = 0;

	for (int i = 0; i < PEOPLE; i++)
		face_talk(h[i], s->room[0]);
	if (!story_pass(s, 3000))
		return false;
	for (int i = 0; i < PEOPLE; i++)
		said += h[i]->typed;
	for (int i = 0; i < PEOPLE; i++) {
		if (h[i]->shown.count == said)
			continue;
		sim_fail(s, "%s has shown %zu of %u lines", names[i],
			h[i]->shown.count, said);
		return false;
	}
	return true;
}

static bool end(struct sim *s)
{
	buf_reset(&s->story);
	(void)buf_append_str(&s->story, "all talk\n");
	return !s->failed;
}

bool story_laptop_sleeps(struct sim *s)
{
	struct host *h[PEOPLE];

	if (!all_start(s, h) || !all_talk(s, h))
		return false;
	/* A nap, a meeting, a night. */
	for (uint64_t ms = 20000; ms <= 30000000; ms *= 38) {
		host_sleep(h[1], true);
		if (!story_pass(s, ms))
			return false;
		host_sleep(h[1], false);
		if (!story_pass(s, HEALED_MS) || !all_talk(s, h))
			return false;
	}
	return end(s);
}

bool story_address_changes(struct sim *s)
{
	struct host *h[PEOPLE];

	if (!all_start(s, h) || !all_talk(s, h))
		return false;
	/* Each in turn, then two at once. */
	for (int i = 0; i < PEOPLE; i++) {
		struct host *other = i == PEOPLE - 1 ? h[0] : h[i];

		host_cable(h[i], false, false);
		host_cable(other, false, false);
		if (!story_pass(s, 4000))
			return false;
		host_cable(h[i], true, true);
		host_cable(other, true, true);
		if (!story_pass(s, HEALED_MS) || !all_talk(s, h))
			return false;
	}
	return end(s);
}

bool story_interface_flaps(struct sim *s)
{
	struct host *h[PEOPLE];

	if (!all_start(s, h) || !all_talk(s, h))
		return false;
	for (int i = 0; i < 40; i++) {
		host_cable(h[2], i % 2 != 0, false);
		if (!story_pass(s, 1500))
			return false;
	}
	if (!story_pass(s, HEALED_MS) || !all_talk(s, h))
		return false;
	return end(s);
}

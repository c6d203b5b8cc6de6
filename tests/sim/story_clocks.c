/*
 * Stories of a machine whose clock is put right while people talk, and of one
 * key on two machines (docs/decisions/0021).
 */
#include <stdio.h>

#include "tests/sim/sim.h"

#define AHEAD_MS 25200000

static struct host *start(struct sim *s, const char *name, int64_t skew_ms)
{
	struct host_cfg cfg = story_person(name);
	struct host *h;

	cfg.skew_ms = skew_ms;
	h = host_add(s, &cfg);
	host_start(h);
	return h;
}

static bool says(struct sim *s, struct host *h, const char *text)
{
	face_type(h, text);
	return story_pass(s, 2000);
}

/* What a person has said and heard, in the order on the screen. */
static void tell_screen(struct sim *s, const struct host *h)
{
	const struct window *w = &h->ui->current->win;

	(void)buf_appendf(&s->story, "%s:", h->cfg.name);
	for (size_t i = 0; i < w->count; i++)
		if (w->lines[i]->kind == LINE_MESSAGE)
			(void)buf_appendf(&s->story, " %s", w->lines[i]->text);
	(void)buf_append_str(&s->story, "\n");
}

/* Only what was said before stays where the wrong clock put it. */
bool story_clock_is_put_right(struct sim *s)
{
	struct host *ann = start(s, "ann", AHEAD_MS);
	struct host *bob = start(s, "bob", 0);

	if (!story_pass(s, 4000) || !says(s, ann, "early"))
		return false;
	ann->cfg.skew_ms = 0;
	if (!says(s, bob, "1") || !says(s, ann, "2") || !says(s, bob, "3") ||
		!says(s, ann, "4"))
		return false;
	buf_reset(&s->story);
	tell_screen(s, ann);
	tell_screen(s, bob);
	return !s->failed;
}

/* Nobody puts it right; what the others agree on is taken. */
bool story_clock_stays_wrong(struct sim *s)
{
	struct host *ann = start(s, "ann", AHEAD_MS);
	struct host *bob = start(s, "bob", 0);
	struct host *cem = start(s, "cem", 1000);

	if (!story_pass(s, 4000))
		return false;
	for (int i = 0; i < 2; i++)
		if (!says(s, bob, i == 0 ? "1" : "3") ||
			!says(s, cem, i == 0 ? "2" : "4") ||
			!story_pass(s, 5000))
			return false;
	if (!says(s, ann, "5") || !says(s, bob, "6") || !says(s, ann, "7"))
		return false;
	buf_reset(&s->story);
	tell_screen(s, ann);
	tell_screen(s, bob);
	tell_screen(s, cem);
	return !s->failed;
}

/* Two machines with ann's key, which see the third person alone. */
bool story_key_on_two_machines(struct sim *s)
{
	struct host_cfg cfg = story_person("twin");
	struct host *ann = start(s, "ann", 0);
	struct host *bob = start(s, "bob", 0);
	struct host *twin = host_add(s, &cfg);

	twin->me = ann->me;
	snprintf(twin->peer, sizeof(twin->peer), "%s", ann->peer);
	host_start(twin);
	story_hint(twin, bob);
	if (!story_pass(s, 4000))
		return false;
	if (!says(s, ann, "1") || !says(s, twin, "2") || !says(s, bob, "3") ||
		!says(s, twin, "4") || !says(s, ann, "5"))
		return false;
	buf_reset(&s->story);
	tell_screen(s, ann);
	tell_screen(s, bob);
	tell_screen(s, twin);
	return !s->failed;
}

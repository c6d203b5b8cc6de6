/*
 * Stories: what people do, step by step, and what they see of it.
 */
#include <stdlib.h>

#include "tests/sim/sim.h"

static struct host *person(struct sim *s, const char *name)
{
	struct host_cfg cfg = {
		.name = name,
		.yamux = true,
		.mplex = true,
		.early = true,
		.to_chat = MSG_QUEUE_TO_CHAT,
		.to_net = MSG_QUEUE_TO_NET,
		.to_ui = MSG_QUEUE_TO_UI,
		.from_ui = MSG_QUEUE_TO_CHAT_FROM_UI,
		.rooms = {"p2p-chat-default"},
	};

	return host_add(s, &cfg);
}

static bool pass(struct sim *s, uint64_t ms)
{
	return sim_run(s, s->now_us + ms * 1000);
}

/* ---- three_meet_and_talk ----------------------------------------------- */

static bool two_meet(struct sim *s)
{
	struct host *ann = person(s, "ann"), *bob = person(s, "bob");

	host_start(ann);
	host_start(bob);
	if (!pass(s, 4000))
		return false;
	face_type(ann, "hello");
	if (!pass(s, 1000))
		return false;
	face_type(bob, "hello yourself");
	return pass(s, 1000);
}

const struct story story_table[] = {
	{"two_meet", two_meet,
		"ann sees bob come\n"
		"bob sees ann come\n"
		"ann shows <you> hello\n"
		"ann marks a line handed\n"
		"bob shows <ann> hello\n"
		"bob shows <you> hello yourself\n"
		"bob marks a line handed\n"
		"ann shows <bob> hello yourself\n"},
};
const size_t story_count = P2P_ARRAY_LEN(story_table);

bool scenario_run(struct sim *s)
{
	if (strcmp(s->scenario, "random") == 0)
		return random_run(s);
	for (size_t i = 0; i < story_count; i++) {
		const struct story *story = &story_table[i];

		if (strcmp(s->scenario, story->name) != 0)
			continue;
		if (!story->run(s))
			return false;
		if (s->until_us == 0 &&
			strcmp(buf_cstr(&s->story), story->expect) != 0) {
			(void)printf("--- expected\n%s--- seen\n%s",
				story->expect, buf_cstr(&s->story));
			sim_fail(s, "%s: people saw something else",
				story->name);
		}
		return !s->failed;
	}
	sim_fail(s, "no such scenario");
	return false;
}

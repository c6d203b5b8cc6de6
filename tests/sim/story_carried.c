/*
 * Two people who can reach a third machine and not each other: a connection is
 * carried over streams there (relay.c). Later they reach each other, and what
 * lives long moves to the direct connection.
 */
#include "net/node/node_internal.h"
#include "tests/lib/greet.h"
#include "tests/sim/relay.h"
#include "tests/sim/sim.h"

#define LINES 40
#define LONG_BYTES 15000

static const struct service_ops *const services[] = {
	&relay_ops, &greet_ops, NULL};

static struct host *start(struct sim *s, const char *name, const char *room)
{
	struct host_cfg cfg = story_person(name);
	struct host *h;

	cfg.services = services;
	cfg.rooms[0] = room;
	h = host_add(s, &cfg);
	host_start(h);
	return h;
}

/* ann and bob, who know rea alone, have a connection by way of her. She is in
 * another room, so no line can come through her. */
static bool meet(struct sim *s, struct host *h[static 3])
{
	struct node_event tick = {.kind = NODE_EV_TICK};

	s->hint_loss = 1;
	h[0] = start(s, "ann", "p2p-chat-default");
	h[1] = start(s, "bob", "p2p-chat-default");
	h[2] = start(s, "rea", "elsewhere");
	s->cut[0][1] = s->cut[1][0] = true;
	story_hint(h[0], h[2]);
	story_hint(h[1], h[2]);
	if (!story_pass(s, 3000))
		return false;
	host_set_time(h[0]);
	if (relay_ask(h[0]->node->serve, &h[0]->env, &h[2]->me.id,
		    &h[1]->me.id) != 0) {
		sim_fail(s, "nothing is carried");
		return false;
	}
	host_step(h[0], &tick);
	return story_pass(s, 2000);
}

static bool connected(const struct host *h, const struct host *other)
{
	return swarm_peer_is_up(h->node->swarm, &other->me.id);
}

/* A line of one, and then of the other. */
static bool talk(struct sim *s, struct host *h[static 3], unsigned lines)
{
	for (unsigned i = 0; i < lines; i++) {
		face_talk(h[i % 2], "p2p-chat-default");
		if (!story_pass(s, 100))
			return false;
	}
	return true;
}

/* More than a stream takes at once, over a slow line: an RPC is half written
 * when the better connection comes. */
static void shout(struct host *h, unsigned lines)
{
	static char text[LONG_BYTES + 1];

	memset(text, 'a', LONG_BYTES);
	for (unsigned i = 0; i < lines; i++)
		face_type(h, text);
}

/* Both have every line, `shouted` among them, and none came twice. */
static bool all_heard(struct sim *s, struct host *h[static 3], unsigned shouted)
{
	unsigned said = h[0]->typed + h[1]->typed + shouted;

	for (int i = 0; i < 2; i++) {
		const struct gossip_counters *n =
			gossip_counters(h[i]->node->gossip);

		if (h[i]->shown.count != said || n->units_duplicate != 0)
			sim_fail(s, "%s has %zu of %u lines, %llu twice",
				h[i]->cfg.name, h[i]->shown.count, said,
				(unsigned long long)n->units_duplicate);
	}
	return !s->failed;
}

bool story_carried_then_direct(struct sim *s)
{
	struct host *h[3];

	relay_set_limits(&(struct relay_limits){
		.lasts_ms = P2P_NEVER, .bytes_max = UINT64_MAX});
	if (!meet(s, h) || !talk(s, h, LINES))
		return false;
	if (!connected(h[0], h[1]) ||
		swarm_peer_is_direct(h[0]->node->swarm, &h[1]->me.id))
		sim_fail(s, "they are not carried");
	/* They reach each other while both talk. */
	s->bytes_per_s = 150000;
	shout(h[0], LINES);
	if (!story_pass(s, 300))
		return false;
	s->cut[0][1] = s->cut[1][0] = false;
	story_hint(h[0], h[1]);
	if (!talk(s, h, LINES) || !story_pass(s, 20000))
		return false;
	if (!swarm_peer_is_direct(h[0]->node->swarm, &h[1]->me.id))
		sim_fail(s, "they are not direct");
	/* Nothing runs over the relay any more. */
	host_kill(h[2]);
	if (!talk(s, h, LINES) || !story_pass(s, 10000))
		return false;
	buf_reset(&s->story);
	if (all_heard(s, h, LINES))
		(void)buf_append_str(&s->story, "every line once\n");
	return !s->failed;
}

bool story_carried_to_its_limit(struct sim *s)
{
	const struct greet *greet;
	struct host *h[3];

	relay_set_limits(&(struct relay_limits){
		.lasts_ms = 20000, .bytes_max = UINT64_MAX});
	if (!meet(s, h) || !talk(s, h, LINES) || !all_heard(s, h, 0))
		return false;
	greet = serve_self(h[0]->node->serve, &greet_ops);
	if (greet->greeted != 2 || greet->failed != 0)
		sim_fail(s, "greeted %u", greet->greeted);
	if (!story_pass(s, 20000))
		return false;
	if (connected(h[0], h[1]))
		sim_fail(s, "it outlives its time");
	/* The same by bytes: once both ways are spent it is over. */
	relay_set_limits(&(struct relay_limits){
		.lasts_ms = P2P_NEVER, .bytes_max = 30000});
	host_set_time(h[0]);
	if (relay_ask(h[0]->node->serve, &h[0]->env, &h[2]->me.id,
		    &h[1]->me.id) != 0)
		sim_fail(s, "nothing is carried again");
	host_step(h[0], &(struct node_event){.kind = NODE_EV_TICK});
	if (!story_pass(s, 2000) || !talk(s, h, 10 * LINES))
		return false;
	if (connected(h[0], h[1]))
		sim_fail(s, "it outlives its bytes");
	buf_reset(&s->story);
	if (!s->failed && connected(h[0], h[2]))
		(void)buf_append_str(&s->story, "the way there stands\n");
	return !s->failed;
}

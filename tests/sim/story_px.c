/*
 * Peer exchange between whole programs: bob, whose mesh is full, names cem to
 * ann. As a stranger he is not believed; once ann has known him for a day she
 * calls cem.
 */
#include "net/node/node_internal.h"
#include "net/pubsub/gossip_mesh.h"
#include "net/pubsub/gossip_px.h"
#include "tests/sim/sim.h"

#define TOPIC "p2p-chat-default"
#define TWO_DAYS_MS (2 * 86400000LL)

static struct host *start(struct sim *s, const char *name)
{
	struct host_cfg cfg = story_person(name);
	struct host *h = host_add(s, &cfg);

	host_start(h);
	return h;
}

/* As at a heartbeat that finds too many in the mesh. */
static void prune(struct sim *s, struct host *from, const struct host *whom)
{
	struct node_event tick = {.kind = NODE_EV_TICK};
	struct gossip *g = from->node->gossip;
	struct topic *t = table_get(&g->topics, bytes_str(TOPIC));
	struct gpeer *p = gpeer_find(g, &whom->me.id);

	if (t == NULL || p == NULL ||
		!gossip_in_mesh(g, bytes_str(TOPIC), &whom->me.id)) {
		sim_fail(s, "nobody to prune");
		return;
	}
	host_set_time(from);
	mesh_remove(g, t, p);
	(void)send_prune_px(g, &from->env, t, p);
	host_step(from, &tick);
}

static bool sees(const struct host *h, const struct host *other)
{
	struct swarm_peer_info info;

	return swarm_peer_info(h->node->swarm, &other->me.id, &info);
}

bool story_px_of_a_contact(struct sim *s)
{
	struct host *ann, *bob, *cem;

	s->hint_loss = 1;
	ann = start(s, "ann");
	bob = start(s, "bob");
	cem = start(s, "cem");
	story_hint(ann, bob);
	story_hint(bob, cem);
	if (!story_pass(s, 5000))
		return false;
	prune(s, bob, ann);
	if (!story_pass(s, 90000))
		return false;
	if (sees(ann, cem)) {
		sim_fail(s, "a stranger is believed");
		return false;
	}
	face_type(bob, "good evening");
	if (!story_pass(s, 1000))
		return false;
	ann->cfg.skew_ms += TWO_DAYS_MS;
	face_type(bob, "good morning");
	if (!story_pass(s, 1000))
		return false;
	prune(s, bob, ann);
	if (!story_pass(s, 5000))
		return false;
	buf_reset(&s->story);
	if (sees(ann, cem))
		(void)buf_append_str(&s->story, "ann has called cem\n");
	return !s->failed;
}

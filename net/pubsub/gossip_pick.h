/*
 * Choosing among the peers of a topic. Lists are the caller's, of
 * GOSSIP_PEERS_MAX places.
 */
#ifndef NET_PUBSUB_GOSSIP_PICK_H
#define NET_PUBSUB_GOSSIP_PICK_H

#include "net/pubsub/gossip_internal.h"

enum pick {
	PICK_GRAFT,  /* subscribed, not in the mesh, may be grafted */
	PICK_GOSSIP, /* subscribed, not in the mesh, form of ids known */
	PICK_MESH,   /* in the mesh */
};

/* What a choice is made from. */
struct choice {
	struct gossip *g;
	const struct env *env;
	struct topic *t;
};

/* Whether the peer is in the mesh of the topic. */
bool in_mesh(const struct topic *t, const struct gpeer *p);
/* Whether the peer may be grafted by us now. */
bool may_graft(const struct gossip *g, const struct env *env,
	const struct topic *t, const struct gpeer *p);
/* Whether the peer can be told by IHAVE of what it lacks. */
bool pick_is_told(const struct gossip *g, const struct gpeer *p);
/* The same ones in random order. */
void pick_shuffle(const struct env *env, struct gpeer **list, size_t n);
/* The same ones, best score first, those of the same score as they stood.
 * Their scores are in `rank` then. */
void pick_rank(const struct gossip *g, struct gpeer **list, size_t n);
/* All peers of one sort in random order; returns how many. */
size_t pick_peers(const struct choice *c, enum pick pick,
	struct gpeer *out[static GOSSIP_PEERS_MAX]);
/* The same by pick_rank. */
size_t pick_best(const struct choice *c, enum pick pick,
	struct gpeer *out[static GOSSIP_PEERS_MAX]);

#endif

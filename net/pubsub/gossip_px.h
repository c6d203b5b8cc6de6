/*
 * Peer exchange (gossipsub v1.1 spec, "PRUNE Backoff and Peer Exchange"), both
 * ways.
 */
#ifndef NET_PUBSUB_GOSSIP_PX_H
#define NET_PUBSUB_GOSSIP_PX_H

#include "net/pubsub/gossip_internal.h"

/* Forgets the signed record of a peer. */
void px_forget_record(struct gossip *g, struct gpeer *p);
/* A PRUNE because the mesh is full: with others of the topic. */
bool send_prune_px(struct gossip *g, const struct env *env,
	const struct topic *t, struct gpeer *p);
/* The peers named in a PRUNE; lacks: the mesh of the topic has lost that peer
 * and could have another. An error is a fault in its form. */
int px_read(struct gossip *g, struct gpeer *from, struct bytes topic,
	bool lacks, struct bytes prune);

#endif

/*
 * What waits for each peer, and the RPCs that are made of it (gossipsub v1.0
 * spec, "Control Message Piggybacking"). All of it is charged; only the last
 * word on a topic always finds room.
 */
#ifndef NET_PUBSUB_GOSSIP_OUTBOX_H
#define NET_PUBSUB_GOSSIP_OUTBOX_H

#include "net/pubsub/gossip_internal.h"

void outbox_init(struct gpeer *p, const struct env *env);
/* Forgets what waits for the peer. */
void outbox_clear(struct gossip *g, struct gpeer *p);
/* Makes the next RPC when none is being taken. */
void outbox_frame(struct gossip *g, struct gpeer *p);
void outbox_consume(struct gossip *g, struct gpeer *p, size_t n);
/* Each returns false when the peer has no stream or no room. To make room what
 * waits for others is dropped, and gossip_counters' out_dropped says so; one
 * of them may have no stream any more then. */
bool outbox_hello(struct gossip *g, struct gpeer *p);
bool outbox_subscription(
	struct gossip *g, struct gpeer *p, struct bytes topic, bool joined);
/* A GRAFT or PRUNE field. Only the last of a topic matters, so there is always
 * room; it waits until the stream takes it. */
bool outbox_mesh(struct gossip *g, struct gpeer *p, struct bytes topic,
	struct bytes field);
/* A GRAFT or PRUNE that waits is not to be said any more. */
void outbox_unmesh(struct gossip *g, struct gpeer *p, struct bytes topic);
/* A whole field of the control message, at most GOSSIP_CONTROL_PACK_BYTES. */
bool outbox_control(struct gossip *g, struct gpeer *p, struct bytes field);
enum outbox_way {
	OUTBOX_ASKED, /* the peer wants it, whatever it said before */
	OUTBOX_FRESH,
	OUTBOX_LATE, /* of a flood: behind what all others say */
};
bool outbox_message(struct gossip *g, struct gpeer *p, struct bytes unit,
	enum outbox_way way);
void outbox_release(struct shared *m);

#endif

/*
 * IHAVE (gossipsub v1.0 spec, "Gossip"), both ways: what is recent in a topic,
 * named to peers, and what we have asked for because others named it.
 */
#ifndef NET_PUBSUB_GOSSIP_IHAVE_H
#define NET_PUBSUB_GOSSIP_IHAVE_H

#include "net/pubsub/gossip_internal.h"

/* Notes that the peer is asked for an id; false when it was asked already in
 * this heartbeat, or has its share of what we ask for. */
bool asked_note(struct gossip *g, struct gpeer *p, struct bytes id);
/* Forgets all that was asked for. */
void asked_clear(struct gossip *g);

struct ihave;

/* What is recent in a topic; NULL: nothing. For use at once: it refers to what
 * the cache holds. */
struct ihave *ihave_new(struct gossip *g, const struct topic *t);
/* Names it to a peer whose form of ids is known. */
void ihave_tell(struct ihave *h, struct gpeer *p);
void ihave_free(struct ihave *h);

#endif

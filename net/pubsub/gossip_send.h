/*
 * What is said to peers: each function queues one thing (gossip_outbox.h) and
 * returns false when it was dropped.
 */
#ifndef NET_PUBSUB_GOSSIP_SEND_H
#define NET_PUBSUB_GOSSIP_SEND_H

#include "net/pubsub/gossip_internal.h"

/* All topics that we are in, as the first RPC of a stream. */
bool send_subscriptions(struct gossip *g, struct gpeer *p);
/* We have joined this topic, or left it. */
bool send_subscribe(
	struct gossip *g, struct gpeer *p, struct bytes topic, bool joined);
/* A message of our own, or of somebody who brings little. */
bool send_message(struct gossip *g, struct gpeer *p, struct bytes unit);
/* The same for what another brought (NULL: who has left): of those who bring
 * much lately only as long as little waits, and behind all else, so that the
 * others have room in the queues and overtake. */
bool send_forward(struct gossip *g, const struct gpeer *from, struct gpeer *p,
	struct bytes unit);
/* The answer to an IWANT. */
bool send_wanted(struct gossip *g, struct gpeer *p, struct bytes unit);
bool send_graft(struct gossip *g, struct gpeer *p, struct bytes topic);
bool send_prune(struct gossip *g, struct gpeer *p, struct bytes topic,
	uint64_t backoff_s);
/* ids: `count` encoded ids, each a view. False when some were dropped. */
bool send_ihave(struct gossip *g, struct gpeer *p, struct bytes topic,
	const struct bytes *ids, size_t count);
bool send_iwant(struct gossip *g, struct gpeer *p, const struct bytes *ids,
	size_t count);
bool send_idontwant(struct gossip *g, struct gpeer *p, struct bytes id);

#endif

/*
 * The heartbeat: what gossip does once in GOSSIP_HEARTBEAT_MS.
 */
#ifndef NET_PUBSUB_GOSSIP_HEARTBEAT_H
#define NET_PUBSUB_GOSSIP_HEARTBEAT_H

#include "net/pubsub/gossip_internal.h"

/* To be called when it is due; counts g->heartbeat on. */
void gossip_heartbeat(struct gossip *g, const struct env *env);

#endif

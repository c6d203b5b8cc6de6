/*
 * The heartbeat: what gossip does once in GOSSIP_HEARTBEAT_MS.
 */
#ifndef NET_PUBSUB_GOSSIP_HEARTBEAT_H
#define NET_PUBSUB_GOSSIP_HEARTBEAT_H

#include "net/pubsub/gossip_internal.h"

/* Names lines of ours to those for whom they were left out, when that is due.
 */
void gossip_name_trials(struct gossip *g, const struct env *env);
/* To be called when it is due; counts g->heartbeat on. */
void gossip_heartbeat(struct gossip *g, const struct env *env);

#endif

/*
 * Gossip's streams between the hosts of swarm_lab: rooms, lines and verdicts.
 * Hosts without gossip among their services are left out.
 */
#ifndef TESTS_UNIT_STREAM_LAB_H
#define TESTS_UNIT_STREAM_LAB_H

#include "net/pubsub/gossip_internal.h"
#include "net/pubsub/stream_gossip.h"
#include "tests/unit/swarm_lab.h"

#define STREAM_LAB_TOPIC "room"

/* Identify, its push, and gossip. */
extern const struct service_ops *const stream_lab_whole[];

/* Another host in its place, with those services, in the room. */
void stream_lab_join(struct swarm_lab *l, unsigned i,
	const struct service_ops *const *services);
/* NULL for a host without gossip. */
struct stream_gossip *stream_lab_at(struct swarm_lab *l, unsigned i);
struct gossip *stream_lab_core(struct swarm_lab *l, unsigned i);
void stream_lab_flush(struct swarm_lab *l);
/* Time, in which gossip has heartbeats and is written. */
void stream_lab_pass(struct swarm_lab *l, uint64_t ms);
/* Host i says something that it has not said yet. */
void stream_lab_say(struct swarm_lab *l, unsigned i, struct bytes text);
/* The verdicts of a batch. */
void stream_lab_give(struct swarm_lab *l, unsigned i, struct unit_batch *b);
/* How many lines have come to a host since it was asked last. */
unsigned stream_lab_come(struct swarm_lab *l, unsigned to);

#endif

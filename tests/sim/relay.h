/*
 * The simulator's relay: see relay.c.
 */
#ifndef TESTS_SIM_RELAY_H
#define TESTS_SIM_RELAY_H

#include "net/serve/serve.h"

/* Of the connections that are carried from now on. */
struct relay_limits {
	uint64_t lasts_ms;
	uint64_t bytes_max;
};

/* They are the same for all hosts. */
void relay_set_limits(const struct relay_limits *limits);
/* A connection to peer, carried by a stream to `via`, which is connected with
 * both. */
int relay_ask(struct serve *sv, const struct env *env,
	const struct peer_id *via, const struct peer_id *peer) P2P_MUST_CHECK;

extern const struct service_ops relay_ops;

#endif

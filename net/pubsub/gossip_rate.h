/*
 * How much may be pushed (decision 0018, rule 1). What is over is neither
 * handed up nor passed on, and counted; it is not invalid, so nobody loses
 * score for it.
 *
 * A peer's own limits are charged on arrival, before the dear check of the
 * signature. An author's and the room's are only looked at then, and charged
 * when the signature was found good: else whoever forges lines in a name would
 * use up what its owner may say.
 *
 * What is over is noted of the peer that brought it, for a while: its streams
 * get no credit for those bytes (decision 0027), so whoever pours waits.
 */
#ifndef NET_PUBSUB_GOSSIP_RATE_H
#define NET_PUBSUB_GOSSIP_RATE_H

#include "net/pubsub/gossip_internal.h"

void rate_init(struct gossip *g, const struct env *env);
void rate_clear(struct gossip *g);
/* On arrival: whether the unit is worth checking; nothing is charged yet. */
bool rate_may_check(struct gossip *g, const struct env *env, struct gpeer *p,
	struct topic *t, const struct unit *u);
/* Bytes that the peer brought over a rate and that are not forgiven yet. */
size_t rate_over(const struct env *env, struct gpeer *p);
/* Whether the owner knows who it is: a friend, a regular, a kept peer. */
bool rate_knows(const struct gossip *g, const struct peer_id *id);
/* It was taken to be checked. */
void rate_brought(struct gossip *g, struct gpeer *p, const struct unit *u);
/* A unit whose signature is good: whether it is taken. */
bool rate_take(struct gossip *g, const struct env *env, struct topic *t,
	const struct unit *u);

#endif

/*
 * Ids of what was seen, for GOSSIP_SEEN_MS, and recent messages as a whole, for
 * IWANT and IHAVE. Both are bounded and charged; the oldest make room.
 */
#ifndef NET_PUBSUB_GOSSIP_CACHE_H
#define NET_PUBSUB_GOSSIP_CACHE_H

#include "net/pubsub/gossip_internal.h"

/* Whether a message of this id has come out of its check, or is our own. */
bool seen_has(const struct gossip *g, struct bytes id);
/* It has; kept for GOSSIP_SEEN_MS. */
void seen_add(struct gossip *g, const struct env *env, struct bytes id);
/* Forgets those whose time is over. */
void seen_expire(struct gossip *g, const struct env *env);
/* Keeps a message, or makes the one that is kept new again. Where nothing can
 * make room it is not kept. */
void cache_add(struct gossip *g, const struct unit *u, struct bytes raw);
/* By its id in our form, or NULL. */
struct cached *cache_find(const struct gossip *g, struct bytes id);
/* Counts one answer to this peer; false when it had its share. */
bool cache_serve(struct cached *c, const struct gpeer *p);
/* Another peer has the slot now. */
void cache_forget_slot(struct gossip *g, unsigned slot);
void cache_expire(struct gossip *g);
void cache_clear(struct gossip *g);

#endif

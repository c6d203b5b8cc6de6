/*
 * Who said "I have it", was asked, and must follow up (gossipsub v1.1 spec,
 * "Spam Protection Measures"). Of each IHAVE that was answered with an IWANT
 * one id is kept, chosen at random; any message of that id, from anybody and
 * whatever it is worth, keeps the promise.
 *
 * Only ids whose form is known are kept: others could not be recognised when
 * they come.
 */
#ifndef NET_PUBSUB_GOSSIP_PROMISE_H
#define NET_PUBSUB_GOSSIP_PROMISE_H

#include "base/env.h"
#include "base/list.h"
#include "base/table.h"

struct gpeer;
struct promise;

struct promises {
	struct table ids;  /* gossip_id -> the first struct promise of it */
	struct list order; /* of struct promise, the first due first */
	/* None is broken before: what would keep them may lie unread here. */
	uint64_t grace_ms;
};

void promises_init(struct promises *ps, const struct env *env);
void promises_clear(struct promises *ps);
/* The peer has this id; nothing when it has GOSSIP_PROMISES_PER_PEER_MAX. */
void promise_add(struct promises *ps, const struct env *env, struct gpeer *p,
	struct bytes id);
/* These bytes came as a message, valid or not. */
void promise_heard(struct promises *ps, struct bytes raw);
/* All that the peer promised is forgotten. */
void promise_forget(struct promises *ps, const struct gpeer *p);
/* Nothing is broken until all could come that was on its way. */
void promise_wait(struct promises *ps, const struct env *env);
/* The next one that was broken: whose, or NULL. It is forgotten. */
struct gpeer *promise_broken(struct promises *ps, const struct env *env);

#endif

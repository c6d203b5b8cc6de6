/*
 * What the score is told of the peers' deeds (gossipsub v1.1 spec, "Extended
 * Validators").
 */
#ifndef NET_PUBSUB_GOSSIP_JUDGE_H
#define NET_PUBSUB_GOSSIP_JUDGE_H

#include "net/pubsub/gossip_internal.h"

/* P7. */
void judge_misbehaviour(
	struct gossip *g, const struct gpeer *p, unsigned count);
/* The peer was the first to bring this unit, which is valid and in the cache;
 * it brought another of that id; it brought one whose signature is wrong. The
 * peer may have left where its id is asked for. */
void judge_first(struct gossip *g, const struct env *env,
	const struct peer_id *peer, const struct unit *u);
void judge_duplicate(struct gossip *g, const struct env *env,
	const struct gpeer *p, struct bytes id);
void judge_forged(struct gossip *g, const struct env *env,
	const struct peer_id *peer, const struct unit *u);
/* A message whose form is wrong. */
void judge_malformed(struct gossip *g, const struct env *env,
	const struct gpeer *p, struct bytes raw);

#endif

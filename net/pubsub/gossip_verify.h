/*
 * Units between their arrival and the verdict on their signature, in a line for
 * each peer that handed them over. Charged; a peer has a share.
 */
#ifndef NET_PUBSUB_GOSSIP_VERIFY_H
#define NET_PUBSUB_GOSSIP_VERIFY_H

#include "net/pubsub/gossip_internal.h"

#define VERIFY_KEY_BYTES 32

void verify_init(struct gossip *g, const struct env *env);
void verify_clear(struct gossip *g);
/* Whether the very bytes wait already; then the peer is noted as one who has
 * them. Their hash into key in either case. */
bool verify_has(struct gossip *g, const struct gpeer *p, struct bytes raw,
	uint8_t key[static VERIFY_KEY_BYTES]);
/* A unit that does not wait yet. */
struct verify_unit {
	struct bytes raw;
	const uint8_t *key; /* VERIFY_KEY_BYTES */
	const struct peer_id *author;
	bool last; /* its stream has ended, so the share is larger */
};
/* Queues it. P2P_ERR_LIMIT: the peer's share is used up. */
int verify_add(struct gossip *g, const struct env *env, const struct gpeer *p,
	const struct verify_unit *u) P2P_MUST_CHECK;
/* Another peer has the slot now. */
void verify_forget_slot(struct gossip *g, unsigned slot);

#endif

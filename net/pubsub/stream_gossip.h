/*
 * GossipSub as a service (pubsub spec, "Stream management"): each side opens
 * one stream and only writes on it, so a peer has one of ours and one or, while
 * a newer takes over, two of its own. What is on the streams is gossip.h's.
 *
 *   serve --> streams, peers --> gossip --> events, units to be checked
 *   owner --> gossip_publish ... and then stream_gossip_flush
 *
 * The owner takes gossip's events after each serve_step and says with
 * stream_gossip_allow whether it can take more; until it can, nothing is read,
 * so the far side waits.
 */
#ifndef NET_PUBSUB_STREAM_GOSSIP_H
#define NET_PUBSUB_STREAM_GOSSIP_H

#include "net/pubsub/gossip.h"
#include "net/serve/serve.h"

struct stream_gossip;

extern const struct service_ops gossip_ops; /* self: struct stream_gossip */

/* What the streams are for; valid as long as sg. */
struct gossip *stream_gossip_core(struct stream_gossip *sg);
/* The owner has room for what gossip has to say, or has none. */
void stream_gossip_allow(struct stream_gossip *sg, bool room);
/* Something lies unread until there is room: call stream_gossip_allow then. */
bool stream_gossip_waiting(const struct stream_gossip *sg);
/* After gossip_verified: verdicts make room, and give credit back. */
void stream_gossip_verified(struct stream_gossip *sg, const struct env *env);
/* Hands what waits for peers to their streams. */
void stream_gossip_flush(struct stream_gossip *sg, const struct env *env);
/* On GOSSIP_EV_BEHIND: it takes nothing, and others need the room. */
void stream_gossip_cut(struct stream_gossip *sg, const struct env *env,
	const struct peer_id *peer);
/* As gossip_peer_app, for a peer that is connected, though it may have no
 * gossip yet. Others are ignored. */
void stream_gossip_worth(
	struct stream_gossip *sg, const struct peer_id *peer, int worth);
/* No new streams are opened: the end is near. */
void stream_gossip_stop(struct stream_gossip *sg);

/* Since the start. */
struct stream_gossip_counters {
	uint64_t rpc_errors; /* RPCs that ended their stream */
	uint64_t unheard;    /* streams that ended with too much unread */
};

/* Valid as long as sg. */
const struct stream_gossip_counters *stream_gossip_counters(
	const struct stream_gossip *sg);

#endif

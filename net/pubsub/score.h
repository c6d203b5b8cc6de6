/*
 * What each peer is worth to us (gossipsub v1.1 spec, "Peer Scoring"): a number
 * made of what it did, known to us alone. Pure: events and time in, numbers
 * out.
 *
 *   per room   P1 time in the mesh, P2 first deliveries, P3 and P3b too few
 *              deliveries in the mesh, P4 invalid messages
 *   per peer   P5 what the owner thinks of it, P6 many behind one address,
 *              P7 misbehaviour
 *
 * Counters decay once per interval. They saturate, so a score is always a
 * finite number. The values for a chat, and why: docs/internals/net-pubsub.md.
 */
#ifndef NET_PUBSUB_SCORE_H
#define NET_PUBSUB_SCORE_H

#include "base/env.h"
#include "net/identity/peer_id.h"
#include "net/pubsub/gossip_limits.h"

struct score;

/* Of every room. Factors of decay are per interval, in (0, 1). */
struct score_topic_params {
	double weight;
	double mesh_time_weight; /* P1, per second */
	double mesh_time_cap;    /* in seconds */
	double first_weight;     /* P2, per message */
	double first_decay;
	double first_cap;
	/* P3: the square of what is missing to `mesh_threshold` messages once
	 * the peer has been in the mesh for `mesh_activation_ms`. */
	double mesh_weight;
	double mesh_decay;
	double mesh_threshold;
	double mesh_cap;
	uint64_t mesh_activation_ms;
	/* A delivery this soon after the first one counts for P3, too. */
	uint64_t mesh_window_ms;
	double failure_weight; /* P3b: what was missing when it was pruned */
	double failure_decay;
	double invalid_weight; /* P4, of the square */
	double invalid_decay;
};

struct score_params {
	struct score_topic_params topic;
	double topics_cap;       /* what all rooms together can add at most */
	double app_weight;       /* P5 */
	double site_weight;      /* P6, of the square of those above ... */
	unsigned site_peers;     /* ... so many behind one address */
	double behaviour_weight; /* P7, of the square of what is above ... */
	double behaviour_threshold; /* ... this count */
	double behaviour_decay;
	uint64_t decay_interval_ms;
	double decay_to_zero; /* a counter below this is 0 */
	uint64_t retain_ms;   /* for how long those who left are remembered */
	/* "Score Thresholds". Below the first three of these: no IHAVE and
	 * IWANT either way; none of our own messages; nothing is read. */
	double gossip_threshold;
	double publish_threshold;
	double graylist_threshold;
	double accept_px_threshold; /* from here on its PX is believed */
	double opportunistic_threshold;
};

/* The values for a chat. */
extern const struct score_params score_params_chat;

/* Where a peer's connection comes from, for P6. */
struct score_site {
	bool local;     /* loopback, private, link-local: many may share it */
	uint8_t len;    /* 4: IPv4; 8: the /64 of IPv6; 0: not known */
	uint8_t net[8]; /* the first `len` of them */
};

/*
 * The site of a connection's address (a multiaddr). What comes through a relay
 * has none: the address there is the relay's. IPv4 inside IPv6 is IPv4.
 */
struct score_site score_site_of(struct bytes multiaddr);

/* params is borrowed and stays. */
struct score *score_new(
	const struct score_params *params, const struct env *env);
void score_free(struct score *s);

/*
 * The peer is connected; what is remembered of it holds again. Called once
 * more it changes the site only. The caller bounds how many are connected.
 */
void score_connect(struct score *s, const struct env *env,
	const struct peer_id *peer, const struct score_site *site);
/*
 * It is gone. Merits are forgotten, and with them the peer when nothing bad is
 * known; faults are remembered as they are, without decay, for retain_ms and
 * for at most SCORE_RETAINED_MAX peers, the oldest making room. P7 that costs
 * nothing yet is remembered, too, while there is room, and decays meanwhile.
 */
void score_disconnect(
	struct score *s, const struct env *env, const struct peer_id *peer);

/* It enters or leaves our mesh of a room; leaving with too few deliveries
 * counts for P3b. For peers that are not connected nothing happens, here and
 * below, where it is not said otherwise. */
void score_graft(
	struct score *s, const struct peer_id *peer, struct bytes topic);
void score_prune(
	struct score *s, const struct peer_id *peer, struct bytes topic);

/* It was the first to deliver a valid message. */
void score_first(
	struct score *s, const struct peer_id *peer, struct bytes topic);
/* It delivered one within mesh_window_ms of the first; the caller sees to it
 * that one message counts once per peer. */
void score_near_first(
	struct score *s, const struct peer_id *peer, struct bytes topic);
/* It delivered what every program can see to be forged. It may have left:
 * that is remembered, too. */
void score_invalid(struct score *s, const struct env *env,
	const struct peer_id *peer, struct bytes topic);
/* P7 grows by `count`. */
void score_misbehave(struct score *s, const struct peer_id *peer, double count);
/* P5 is `value`, between -SCORE_APP_MAX and SCORE_APP_MAX; what is no number
 * is 0. It holds while the peer is connected. */
void score_app(struct score *s, const struct peer_id *peer, double value);

/* Time passes: decay, time in the mesh, forgetting. */
void score_refresh(struct score *s, const struct env *env);

/* 0 for who is not connected. */
double score_of(const struct score *s, const struct peer_id *peer);

/* How many are remembered though gone; for tests and /net. */
size_t score_retained(const struct score *s);

#endif

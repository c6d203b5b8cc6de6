/*
 * Every maximum of the node itself; those of its parts are in swarm_limits.h
 * and gossip_limits.h.
 */
#ifndef NET_NODE_NODE_LIMITS_H
#define NET_NODE_NODE_LIMITS_H

/* What is held for all peers together, by every part of the node. */
#define NODE_BUDGET_BYTES (20u << 20)
/* Actions that wait within one turn. */
#define NODE_ACTIONS_BYTES_MAX (64u << 20)
/* Messages to chat after which no more is read in this turn. */
#define NODE_TELLS_PER_TURN 256
/* Messages to chat that wait; above it addresses, which are only hints, are
 * not told, and what a stream held at its end is not read on. What else is told
 * is bounded by the peers and rooms there are. */
#define NODE_TELLS_MAX 4096
#define NODE_TELLS_BYTES_MAX (2u << 20) /* the same, of units */
/* Batches of units that are being verified, unless the loop says otherwise. */
#define NODE_BATCHES_OUT 2
/* Most that one status or address list is long. */
#define NODE_TELL_TEXT_BYTES_MAX 8192
/* A round trip is told again when it has changed by this factor and so much:
 * what a busy machine adds to it is no news, the way itself is. */
#define NODE_RTT_FACTOR 2
#define NODE_RTT_MORE_US 3000
#define NODE_RTT_LESS_US 100
#define NODE_RTT_MORE_US 3000
#define NODE_RTT_LESS_US 100
/* Peers named in an answer about all that are known. */
#define NODE_WHOIS_PEERS_MAX 20
#define NODE_WHOIS_TYPED_MAX 8 /* where nobody has answered yet */
#define NODE_STOP_MS 1500
/* What was said last is read within this; go-yamux throws away what its reader
 * has not fetched when the connection ends. */
#define NODE_LAST_WORDS_MS 250
#define NODE_CONNECT_TEXT_MAX 512
/* Dials that a person asked for and that are not answered yet. */
#define NODE_REQUESTS_MAX 32

#endif

/*
 * What net knows of one address of a peer, for people (/whois, /peers): net
 * fills an array of these, chat makes words of it, the faces show the words or,
 * with --json, every member. Times are spans in ms.
 */
#ifndef MSG_PEER_FACTS_H
#define MSG_PEER_FACTS_H

#include "base/compiler.h"
#include "msg/msg_limits.h"

struct peer_address {
	char peer[MSG_PEER_MAX];    /* whose; "": of whoever answers */
	char addr[MSG_ADDRESS_MAX]; /* a multiaddr; not cleaned */
	char sources[64];           /* who names it: "LAN, signed" */
	bool certified;             /* by a record that the peer has signed */
	bool in_use;                /* our connection stands on it */
	uint64_t seen_ms_ago;       /* last named; P2P_NEVER: by nobody */
	uint64_t ok_ms_ago;         /* a dial reached the peer; P2P_NEVER */
	uint64_t failures;          /* dials in a row that did not */
	uint64_t retry_in_ms;       /* it rests; 0: it does not */
	const char *why_not; /* static: what stands in the way, or NULL */
	uint64_t more;       /* addresses of the peer that are left out */
};

#endif

/*
 * Every maximum of the swarm in one place (SECURITY.md says what for).
 */
#ifndef NET_SWARM_SWARM_LIMITS_H
#define NET_SWARM_SWARM_LIMITS_H

#define SWARM_CONNS_MAX 328
/* Inbound ones that have proven their key; over it somebody gives way, in the
 * order of evict.c. So many more stand beside them while they are looked at and
 * told of others. */
#define SWARM_CONNS_IN_MAX 128
#define SWARM_CONNS_IN_OVER 32
#define SWARM_CONNS_OUT_MAX 104
#define SWARM_CONNS_OUT_FRIENDS 16 /* of these, to friends alone */
/* From one site, not counted on loopback and LAN: an IPv4 address or a /64,
 * and what is wider. */
#define SWARM_CONNS_PER_ADDRESS_MAX 8
#define SWARM_CONNS_PER_IP4_24_MAX 32
#define SWARM_CONNS_PER_IP6_56_MAX 16
#define SWARM_CONNS_PER_IP6_48_MAX 24
#define SWARM_CONNS_PER_IP6_32_MAX 64
/* Inbound places. Kept for friends; for those who are best by one measure each:
 * one in each of some networks, the nearest, who brought something new last;
 * and half of what is left, for those who came first. */
#define SWARM_IN_FRIENDS_MAX 64
#define SWARM_IN_NETWORKS 8
#define SWARM_IN_NEAREST 8
#define SWARM_IN_ACTIVE 16
#define SWARM_SITE_FAIR 4 /* of one site: a household, an office */
#define SWARM_WORTH_FRIEND \
	10                 /* what the user thinks of it (swarm_peer_worth) */
#define SWARM_MEET_MS 5000 /* to say who it is and what it wants */
#define SWARM_TURN_MS 5000 /* one who takes part gives way to another */
#define SWARM_FAREWELL_MS 1000   /* to be told of others, before the end */
#define SWARM_SENT_AWAY_MS 30000 /* so long a site is known for it */
#define SWARM_PLACE_AGAIN_MS 250 /* while there are too many */
/* Who was sent on comes back so late, doubled each time. */
#define SWARM_SENT_ON_FIRST_MS 30000
#define SWARM_SENT_ON_MAX_MS 300000
#define SWARM_CONNS_PER_PEER_MAX 4   /* the oldest makes room */
#define SWARM_PREAUTH_MAX 64         /* of busy addresses the oldest go */
#define SWARM_PREAUTH_BYTES_MAX 8192 /* unread bytes before the proof */
#define SWARM_DIALS_MAX 10           /* in flight */
#define SWARM_HINT_DIALS_MAX 4       /* of them for peers never reached */
#define SWARM_SEEN_DIALS 2           /* not for peers merely saved */
#define SWARM_DIALS_A_MINUTE 8       /* to one peer, unless a person asks */
#define SWARM_REDIALS_A_MINUTE 6 /* the rest is for what was seen just now */
#define SWARM_DIAL_MS 5000
/* A machine of the LAN that nobody has reached yet answers soon or is not
 * there: the first dial to it, and later ones. */
#define SWARM_DIAL_HINT_MS 500
#define SWARM_DIAL_HINT_AGAIN_MS 2000
/* Between the dials of one attempt set (RFC 8305 section 5). */
#define SWARM_DIAL_STAGGER_MS 250
#define SWARM_DIAL_STAGGER_NEAR_MS 100
#define SWARM_TYPED_MAX 64 /* typed addresses that nobody answered at yet */
#define SWARM_SELVES_MAX 8 /* addresses where we answered ourselves */
#define SWARM_SELF_MS 600000
/* Where our own id is told by the LAN, and we are not, a copy of our key may
 * be: it is looked at so often at most. */
#define SWARM_COPY_MS 60000
#define SWARM_OWN_MAX 128 /* addresses of this machine */
#define SWARM_UPGRADE_MS 5000
#define SWARM_CLOSE_MS 1000 /* to write what is left */

/* What is held for one and for all; above HIGH whoever holds most is cut off,
 * unless that is less than a connection at ordinary work has. */
#define SWARM_STREAM_BUDGET_BYTES (10u << 20)
#define SWARM_CONN_BUDGET_BYTES (12u << 20)
#define SWARM_PEER_BUDGET_BYTES (12u << 20)
#define SWARM_UNPROVEN_BUDGET_BYTES (3u << 20) /* all without a peer yet */
#define SWARM_BUDGET_BYTES (18u << 20)
#define SWARM_BUDGET_BYTES_HIGH (13u << 20)
#define SWARM_HOARD_BYTES (640u << 10)
/* Of those who have not read for so long, and hold this much, the one with most
 * goes before all others. */
#define SWARM_DEAF_MS 3000
#define SWARM_DEAF_BYTES (128u << 10)
/* Above it whoever holds most goes, however little that is. */
#define SWARM_BUDGET_BYTES_CRITICAL (16u << 20)
/* What a connection and a stream cost as such: their structs in all layers,
 * table entries, what small queues keep. */
#define SWARM_CONN_COST_BYTES 8192
#define SWARM_STREAM_COST_BYTES 1536
#define SWARM_CONN_OUT_BYTES (192u << 10)
#define SWARM_CONN_IN_BYTES (192u << 10)
#define SWARM_STREAMS_IN_MAX 1024
#define SWARM_STREAMS_UNACCEPTED_MAX \
	SWARM_STREAMS_IN_MAX /* one turn at most \
			      */
#define SWARM_STREAM_OUT_BYTES (4u << 20)
/* Room for negotiation in front of what the user may queue. */
#define SWARM_STREAM_NEGOTIATION_BYTES 4096
/* Rounds of one pump before it yields: bytes keep waiting in the queues. */
#define SWARM_PUMP_ROUNDS_MAX 1000
/* Events and actions that wait within one turn; the owner drains them. */
#define SWARM_QUEUE_BYTES_MAX (64u << 20)
#define SWARM_STREAM_NEGOTIATE_MS 10000
#define SWARM_STREAM_REOPEN_MS 260 /* rule 0.1: 4 opens a second on mplex */

/* Seen gone within 15 s: 10 until it is asked, 0.625 more when that was left to
 * the other side (YAMUX_PING_LATE_PART), 4 for the answer. */
#define SWARM_PING_INTERVAL_MS 10000
#define SWARM_PING_TIMEOUT_MS 4000
#define SWARM_PING_RARELY_MS 120000 /* even if it was heard, to measure */
/* Above so many connections half of those that we called are asked by us. */
#define SWARM_PING_CROWD 2
/* All are looked at for the first due time: of so many once a ms at most. */
#define SWARM_WALK_PER_MS 64

#define SWARM_IDENTIFY_WAIT_MS 3000 /* then a peer is announced without */
#define SWARM_PROTOCOLS_PER_PEER_MAX 64
#define SWARM_PROTOCOL_NAME_BYTES_MAX 128
#define SWARM_AGENT_BYTES_MAX 128

#define SWARM_PEERS_MAX 1000 /* known or connected */
#define SWARM_ADDRESSES_PER_PEER_MAX 16
#define SWARM_REDIAL_FIRST_MS 1000
#define SWARM_REDIAL_MAX_MS 20000
#define SWARM_REDIAL_RARELY_AFTER 12 /* failures in a row */
#define SWARM_REDIAL_RARELY_MS 300000
#define SWARM_UNREACHED_AFTER \
	2                         /* so many, and the LAN shows whom we cannot \
				   * reach */
#define SWARM_REDIAL_SEEN_AFTER 4 /* failures that a sight of it leaves */
/* What the address book holds, and for how long it believes whom. */
#define SWARM_BOOK_BYTES (4u << 20)
#define SWARM_RECORD_BYTES_MAX 2048 /* of an envelope kept to be passed on */
/* Signatures of records that one peer has us check, however often it pushes or
 * comes back; a record that is held already costs none. */
#define SWARM_RECORD_CHECKS_A_MINUTE 12
#define SWARM_RECORD_TELL_MS 60000 /* of one peer: saved no more often */
#define SWARM_STALE_LAN_MS (60u * 60 * 1000)
#define SWARM_STALE_TOLD_MS (24u * 60 * 60 * 1000)
#define SWARM_STALE_SIGNED_MS (7u * 24 * 60 * 60 * 1000)
#define SWARM_STALE_WORKED_MS (30ull * 24 * 60 * 60 * 1000)
#define SWARM_AGE_INTERVAL_MS (10u * 60 * 1000)
/* A connection that lives shorter counts as a failure for the back-off. */
#define SWARM_STEADY_MS 10000

/* Names served. */
#define SWARM_PROTOCOLS_MAX 48
/* A short queue takes no more memory than this. */
#define SWARM_QUEUE_COST_BYTES 4096

#endif

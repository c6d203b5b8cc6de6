/*
 * Every maximum of the swarm in one place (SECURITY.md says what for).
 */
#ifndef NET_SWARM_SWARM_LIMITS_H
#define NET_SWARM_SWARM_LIMITS_H

#define SWARM_CONNS_MAX 256
#define SWARM_CONNS_IN_MAX 128
#define SWARM_CONNS_PER_ADDRESS_MAX 8 /* none on loopback and LAN */
#define SWARM_CONNS_PER_PEER_MAX 4    /* the oldest makes room */
#define SWARM_PREAUTH_MAX 64          /* of busy addresses the oldest go */
#define SWARM_PREAUTH_BYTES_MAX 8192  /* unread bytes before the proof */
#define SWARM_DIALS_MAX 8             /* in flight */
#define SWARM_DIAL_MS 5000
#define SWARM_UPGRADE_MS 5000
#define SWARM_CLOSE_MS 1000 /* to write what is left */

/* What is held for one and for all; above HIGH whoever holds most is cut off,
 * unless that is less than a connection at ordinary work has. */
#define SWARM_CONN_BUDGET_BYTES (12u << 20)
#define SWARM_BUDGET_BYTES (20u << 20)
#define SWARM_BUDGET_BYTES_HIGH (14u << 20)
#define SWARM_HOARD_BYTES (320u << 10)
#define SWARM_CONN_OUT_BYTES (192u << 10)
#define SWARM_CONN_IN_BYTES (192u << 10)
#define SWARM_STREAMS_IN_MAX 1024
#define SWARM_STREAMS_UNACCEPTED_MAX 64
#define SWARM_STREAM_OUT_BYTES (4u << 20)
#define SWARM_STREAM_NEGOTIATE_MS 10000
#define SWARM_STREAM_REOPEN_MS 260 /* rule 0.1: 4 opens a second on mplex */

#define SWARM_PING_INTERVAL_MS 5000
#define SWARM_PING_TIMEOUT_MS 6000 /* seen gone within 11 s, under 15 */
#define SWARM_PING_BYTES 32
#define SWARM_PING_STREAMS_IN_MAX 2
#define SWARM_PING_BACKLOG_BYTES 1024 /* then no more pings are read */

#define SWARM_IDENTIFY_MESSAGE_BYTES_MAX 8192
#define SWARM_IDENTIFY_BYTES_MAX 65536
#define SWARM_IDENTIFY_MS 10000
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
/* A connection that lives shorter counts as a failure for the back-off. */
#define SWARM_STEADY_MS 10000

#endif

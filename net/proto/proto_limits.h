/*
 * Every maximum of the protocols in net/proto.
 */
#ifndef NET_PROTO_PROTO_LIMITS_H
#define NET_PROTO_PROTO_LIMITS_H

/* Some peers split identify into several messages; one, and all together. */
#define IDENTIFY_MESSAGE_BYTES_MAX 8192
#define IDENTIFY_BYTES_MAX 65536
#define IDENTIFY_MS 10000
/* Without an answer it is asked again: memory may have been short, here or
 * there. So many times on one connection. */
#define IDENTIFY_AGAIN_MS 2000
#define IDENTIFY_ASKS_MAX 4
/* Streams of a peer that ask, and that push: some ask on each of their
 * connections, and again when they have something new. */
#define IDENTIFY_STREAMS_IN_MAX 16

#define PING_BYTES 32
#define PING_STREAMS_IN_MAX 2
#define PING_BACKLOG_BYTES 1024 /* then no more pings are read */
#define PING_CLOSE_MS 10000     /* for the last answers to go out */

#endif

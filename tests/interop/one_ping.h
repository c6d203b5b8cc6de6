/*
 * A service for a node in a test: it pings the first connection that the node
 * dials, once, by the ping protocol (libp2p ping spec) and whatever the muxer
 * has of its own, and tells what came of it.
 */
#ifndef TESTS_INTEROP_ONE_PING_H
#define TESTS_INTEROP_ONE_PING_H

#include "msg/chat_msg.h"
#include "net/serve/serve.h"

/* A kind of struct chat_net_msg that no node has. data: struct one_ping. */
#define ONE_PING_MSG (CHAT_MSG_FROM_NET + 1000)

struct one_ping {
	int err;      /* 0, or why there was no answer */
	double at_ms; /* the answer came, by one_ping_now_ms */
	double rtt_ms;
};

/* For node_cfg.services. The node names its protocol twice in identify. */
extern const struct service_ops one_ping_ops;

/* Where the one message goes; before the node is made, one node a process. */
void one_ping_tells(struct mailbox *box);
/* CLOCK_MONOTONIC. */
double one_ping_now_ms(void);

#endif

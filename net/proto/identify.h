/*
 * Identify and push (libp2p identify spec): who the other side is, what it
 * speaks and where it listens. Both sides ask on every new connection; the
 * accepting side writes one message and closes. What is heard goes to the swarm
 * (swarm_identified); a service has nothing else to say.
 */
#ifndef NET_PROTO_IDENTIFY_H
#define NET_PROTO_IDENTIFY_H

#include "net/serve/serve.h"

extern const struct service_ops identify_ops;
extern const struct service_ops identify_push_ops;

#endif

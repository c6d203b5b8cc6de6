/*
 * The protocols that every node serves, one row each.
 */
#include "net/node/node_internal.h"
#include "net/proto/identify.h"
#include "net/proto/ping.h"

const struct service_ops *const node_services[] = {
	&identify_ops,
	&identify_push_ops,
	&ping_ops,
	&gossip_ops,
	NULL,
};

/*
 * The protocols that every node serves, one row each.
 */
#include "net/node/node_internal.h"
#include "net/proto/identify.h"
#include "net/proto/ping.h"

/* Those that chat speaks, each a name and its measures (net/serve/pipe.h). */
static const char *const profile_names[] = {"/p2pchat/profile/1.0.0", NULL};

/* A profile is given once, and again for a new name or after a failure; chat
 * gives the next when the last has ended. */
static const struct service_ops profile_pipe = {
	PIPE_OPS,
	.names = profile_names,
	.in_per_peer = 1,
	.newest_stays = true,
	.limited = true,
	.life_ms = 10000,
	.frame_bytes_max = 4096,
	.opens_a_minute = 12,
};

const struct service_ops *const node_services[] = {
	&identify_ops,
	&identify_push_ops,
	&ping_ops,
	&gossip_ops,
	&profile_pipe,
	NULL,
};

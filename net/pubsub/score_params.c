/* The table of docs/internals/net-pubsub.md, which says why. Factors of decay:
 * 0.01 ^ (1 / seconds), so that one is nothing after that many. */
#include "net/pubsub/score.h"

#define DECAY_10_MINUTES 0.9923540961321005
#define DECAY_1_HOUR 0.9987216039048303

const struct score_params score_params_chat = {
	.topic =
		{
			.weight = 1,
			.mesh_time_weight = 0.5 / 1800,
			.mesh_time_cap = 1800,
			.first_weight = 1,
			.first_decay = DECAY_10_MINUTES,
			.first_cap = 20,
			.mesh_weight = 0,
			.mesh_decay = DECAY_10_MINUTES,
			.mesh_threshold = 4,
			.mesh_cap = 20,
			.mesh_activation_ms = 60000,
			.mesh_window_ms = 10,
			.failure_weight = 0,
			.failure_decay = DECAY_10_MINUTES,
			.invalid_weight = -100,
			.invalid_decay = DECAY_1_HOUR,
		},
	.topics_cap = 30,
	.app_weight = 1,
	.site_weight = -2,
	.site_peers = 4,
	.behaviour_weight = -10,
	.behaviour_threshold = 6,
	.behaviour_decay = DECAY_10_MINUTES,
	.decay_interval_ms = 1000,
	.decay_to_zero = 0.01,
	.retain_ms = 3600000,
	.gossip_threshold = -200,
	.publish_threshold = -500,
	.graylist_threshold = -1000,
	.accept_px_threshold = 10,
	.opportunistic_threshold = 1,
};

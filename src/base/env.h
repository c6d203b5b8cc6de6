/*
 * What a state machine may know of the world. The owner sets now_ms once per
 * turn; it does not move during a turn and never goes backwards.
 */
#ifndef BASE_ENV_H
#define BASE_ENV_H

#include "base/log.h"
#include "base/rng.h"

struct env {
	uint64_t now_ms;  /* the machine's clock, not the wall's */
	uint64_t wall_ms; /* since 1970, as the machine believes: a claim */
	struct rng *rng;  /* borrowed */
	struct log *log;  /* borrowed, may be NULL */
	struct budget *budget; /* borrowed: the process's bytes for peers */
};

/* now + delay, or P2P_NEVER when that does not fit. */
static inline uint64_t env_after(const struct env *env, uint64_t delay_ms)
{
	return delay_ms > P2P_NEVER - env->now_ms ? P2P_NEVER
						  : env->now_ms + delay_ms;
}

#endif

/*
 * What a state machine may know of the world. The owner sets the time once per
 * turn; it does not move during a turn and never goes backwards. Deadlines are
 * milliseconds; only what is measured is finer (env_now_us). Who drives a
 * machine by hand and sets now_ms alone is at the beginning of a millisecond.
 */
#ifndef BASE_ENV_H
#define BASE_ENV_H

#include "base/log.h"
#include "base/rng.h"

struct env {
	uint64_t now_ms;  /* the machine's clock, not the wall's */
	uint32_t past_us; /* of the same moment, beyond now_ms: below 1000 */
	uint64_t wall_ms; /* since 1970, as the machine believes: a claim */
	struct rng *rng;  /* borrowed */
	struct log *log;  /* borrowed, may be NULL */
	struct budget *budget; /* borrowed: the process's bytes for peers */
};

static inline void env_set_now_us(struct env *env, uint64_t now_us)
{
	env->now_ms = now_us / 1000;
	env->past_us = (uint32_t)(now_us % 1000);
}

static inline uint64_t env_now_us(const struct env *env)
{
	return env->now_ms * 1000 + env->past_us;
}

/* now + delay, or P2P_NEVER when that does not fit. */
static inline uint64_t env_after(const struct env *env, uint64_t delay_ms)
{
	return delay_ms > P2P_NEVER - env->now_ms ? P2P_NEVER
						  : env->now_ms + delay_ms;
}

#endif

/*
 * Randomness as an argument. Whoever runs a state machine gives it one of
 * these: the program the system's generator, tests and the simulator a seeded
 * one, so that a run can be repeated byte for byte.
 */
#ifndef BASE_RNG_H
#define BASE_RNG_H

#include "base/compiler.h"

struct rng {
	/* Fills len bytes; never fails. */
	void (*fill)(struct rng *r, uint8_t *out, size_t len);
	uint64_t state[2]; /* for the seeded kind */
};

/* Deterministic (PCG-XSL-RR 128/64 by O'Neill); never for keys that matter. */
void rng_init_seeded(struct rng *r, uint64_t seed);
/* The system's generator (getrandom). */
void rng_init_os(struct rng *r);

/* Drawn from r: len bytes; 64 bits. */
void rng_fill(struct rng *r, void *out, size_t len);
uint64_t rng_u64(struct rng *r);
/* Uniform in [0, bound); bound > 0. */
uint64_t rng_below(struct rng *r, uint64_t bound);
/* True once in `n` times on average; n > 0. */
bool rng_one_in(struct rng *r, uint64_t n);

#endif

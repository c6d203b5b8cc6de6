/*
 * Two machines joined in memory by two lanes of bytes. The pipe cuts what it
 * carries at random places, from single bytes to everything at once, so that
 * no machine can lean on "a whole frame arrived". Seeded: the same seed cuts
 * at the same places.
 *
 *   end[0] --peek/consume--> lane[0] --feed--> end[1]
 *   end[1] --peek/consume--> lane[1] --feed--> end[0]
 */
#ifndef TESTS_LIB_MEM_PIPE_H
#define TESTS_LIB_MEM_PIPE_H

#include "base/bufq.h"
#include "base/rng.h"

/* One machine seen from its carrier. */
struct mem_end {
	void *machine;
	/* 0 or an error, which ends this side: it is fed no more. */
	int (*feed)(void *machine, struct bytes in, size_t *taken);
	/* What the machine wants to send; may be cut short or empty. */
	struct bytes (*peek)(void *machine);
	void (*consume)(void *machine, size_t n);
};

/* Bytes that may be under way in each direction, unless the test says. */
#define MEM_PIPE_LANE_BYTES 65536
/* "Nowhere", for the places below. */
#define MEM_PIPE_NOWHERE UINT64_MAX

struct mem_lane {
	struct bufq flight;
	uint64_t sent;      /* bytes that entered the lane so far */
	uint64_t delivered; /* bytes that the receiver took */
	/* Test may set: the byte at this offset gets this mask xor-ed in. */
	uint64_t bend_at;
	uint8_t bend_mask;
	/* Test may set: from this offset on the bytes are lost. */
	uint64_t lose_from;
};

struct mem_pipe {
	struct mem_end end[2];
	struct mem_lane lane[2]; /* lane[i]: sent by end[i] */
	int err[2];              /* what end[i].feed answered, once not 0 */
	struct rng rng;
};

void mem_pipe_init(struct mem_pipe *p, const struct mem_end *a,
	const struct mem_end *b, uint64_t seed);
void mem_pipe_clear(struct mem_pipe *p);

/* Moves one random piece somewhere. False when nothing could be moved:
 * nothing to send, or nobody takes what is under way. */
bool mem_pipe_step(struct mem_pipe *p);
/* Steps until nothing moves any more. Returns the pieces moved. */
uint64_t mem_pipe_run(struct mem_pipe *p);

/* A machine that is two queues: what arrives is pushed to `in` (as far as it
 * has room), what is in `out` is sent. For layers with queues of their own. */
struct mem_queues {
	struct bufq *in;
	struct bufq *out;
};

/* q outlives the end. */
struct mem_end mem_end_of_queues(struct mem_queues *q);

#endif

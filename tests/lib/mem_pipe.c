#include "tests/lib/mem_pipe.h"

#include <stdlib.h>

#include "base/xmalloc.h"

void mem_pipe_init(struct mem_pipe *p, const struct mem_end *a,
	const struct mem_end *b, uint64_t seed)
{
	*p = (struct mem_pipe){.end = {*a, *b}};
	for (int i = 0; i < 2; i++) {
		bufq_init(&p->lane[i].flight, MEM_PIPE_LANE_BYTES);
		p->lane[i].bend_at = MEM_PIPE_NOWHERE;
		p->lane[i].lose_from = MEM_PIPE_NOWHERE;
	}
	rng_init_seeded(&p->rng, seed);
}

void mem_pipe_clear(struct mem_pipe *p)
{
	bufq_clear(&p->lane[0].flight);
	bufq_clear(&p->lane[1].flight);
}

/* One byte, a few, any number or all: each is as likely, max > 0. */
static size_t piece_size(struct mem_pipe *p, size_t max)
{
	switch (rng_below(&p->rng, 4)) {
	case 0:
		return 1;
	case 1:
		return 1 + rng_below(&p->rng, P2P_MIN(max, (size_t)16));
	case 2:
		return 1 + rng_below(&p->rng, max);
	default:
		return max;
	}
}

static bool lane_take(struct mem_pipe *p, int from, bool all)
{
	struct mem_end *end = &p->end[from];
	struct mem_lane *lane = &p->lane[from];
	struct bytes has = end->peek(end->machine);
	size_t n = P2P_MIN(has.len, bufq_room(&lane->flight));
	uint8_t *to;

	if (n == 0)
		return false;
	n = all ? n : piece_size(p, n);
	if (lane->sent + n > lane->lose_from) {
		/* What is past the place of loss is taken and gone. */
		size_t kept = lane->sent >= lane->lose_from
				      ? 0
				      : (size_t)(lane->lose_from - lane->sent);

		(void)!bufq_push(&lane->flight, bytes_first(has, kept));
	} else {
		to = bufq_extend(&lane->flight, n);
		memcpy(to, has.data, n);
		if (lane->bend_at >= lane->sent &&
			lane->bend_at - lane->sent < n)
			to[lane->bend_at - lane->sent] ^= lane->bend_mask;
	}
	lane->sent += n;
	end->consume(end->machine, n);
	return true;
}

static bool lane_give(struct mem_pipe *p, int from, bool all)
{
	struct mem_end *end = &p->end[!from];
	struct mem_lane *lane = &p->lane[from];
	struct bytes has = bufq_peek(&lane->flight);
	size_t n, taken = 0;
	uint8_t *exact;

	if (has.len == 0 || p->err[!from] != 0)
		return false;
	n = all ? has.len : piece_size(p, has.len);
	/* A block of its own, so that a sanitizer sees reads past the end. */
	exact = xmemdup(has.data, n);
	p->err[!from] = end->feed(end->machine, bytes_of(exact, n), &taken);
	free(exact);
	P2P_ASSERT(taken <= n);
	bufq_consume(&lane->flight, taken);
	lane->delivered += taken;
	return taken > 0 || p->err[!from] != 0;
}

static bool move_one(struct mem_pipe *p, unsigned which, bool all)
{
	int from = which & 1;

	return which & 2 ? lane_give(p, from, all) : lane_take(p, from, all);
}

bool mem_pipe_step(struct mem_pipe *p)
{
	unsigned first = (unsigned)rng_below(&p->rng, 4);

	if (move_one(p, first, false))
		return true;
	/* A machine may refuse a piece and yet take a larger one. */
	for (unsigned i = 0; i < 4; i++) {
		if (move_one(p, first + i, true))
			return true;
	}
	return false;
}

uint64_t mem_pipe_run(struct mem_pipe *p)
{
	uint64_t moved = 0;

	while (mem_pipe_step(p))
		moved++;
	return moved;
}

static int queues_feed(void *machine, struct bytes in, size_t *taken)
{
	struct mem_queues *q = machine;

	*taken = P2P_MIN(in.len, bufq_room(q->in));
	return bufq_push(q->in, bytes_first(in, *taken));
}

static struct bytes queues_peek(void *machine)
{
	struct mem_queues *q = machine;

	return bufq_peek(q->out);
}

static void queues_consume(void *machine, size_t n)
{
	struct mem_queues *q = machine;

	bufq_consume(q->out, n);
}

struct mem_end mem_end_of_queues(struct mem_queues *q)
{
	return (struct mem_end){
		.machine = q,
		.feed = queues_feed,
		.peek = queues_peek,
		.consume = queues_consume,
	};
}

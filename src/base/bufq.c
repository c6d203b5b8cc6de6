/*
 * A queue of bytes in one piece of memory. Consuming moves the head only; bytes
 * are moved together when half of the memory has been consumed, so each is
 * moved a bounded number of times. A charged queue gives its memory back when
 * it is empty, as most are most of the time.
 */
#include "base/bufq.h"

#include <stdlib.h>

#include "base/xmalloc.h"

/* An empty queue keeps at most this much memory. */
#define BUFQ_KEEP_BYTES 4096
#define BUFQ_FIRST_BYTES 256
/* Above the one a queue whose maximum is at most the other gets it all. */
#define BUFQ_SMALL_BYTES 16384
#define BUFQ_WHOLE_BYTES 262144

void bufq_init(struct bufq *q, size_t max)
{
	*q = (struct bufq){.max = max};
}

void bufq_init_charged(struct bufq *q, size_t max, struct budget *budget)
{
	bufq_init(q, max);
	q->budget = budget;
}

static void bufq_drop_memory(struct bufq *q)
{
	free(q->data);
	if (q->budget != NULL)
		budget_release(q->budget, q->cap);
	q->data = NULL;
	q->cap = 0;
}

void bufq_clear(struct bufq *q)
{
	bufq_drop_memory(q);
	bufq_init_charged(q, q->max, q->budget);
}

/* An uncharged queue of a low maximum that is no longer small gets the rest of
 * its memory at once: what is not written to costs nothing, and each step would
 * be a copy of all that waits. */
static size_t grown(const struct bufq *q, size_t need)
{
	size_t cap = P2P_MAX(q->cap * 2, need);

	if (q->budget == NULL && need > BUFQ_SMALL_BYTES &&
		q->max <= BUFQ_WHOLE_BYTES)
		cap = P2P_MAX(cap, q->max);
	return P2P_MAX(cap, (size_t)BUFQ_FIRST_BYTES);
}

/* False when the budget refuses. */
static bool bufq_make_room(struct bufq *q, size_t more)
{
	size_t cap;

	if (q->head + q->len + more <= q->cap)
		return true;
	if (q->len + more <= q->cap && q->head >= q->cap / 2) {
		/* Moving at most half the memory, and only after that much
		 * was consumed: each byte is moved O(1) times. */
		memmove(q->data, q->data + q->head, q->len);
		q->head = 0;
		return true;
	}
	cap = grown(q, q->len + more);
	if (q->budget != NULL && budget_charge(q->budget, cap - q->cap) != 0)
		return false;
	if (q->head > 0) {
		uint8_t *fresh = xmalloc(cap);

		memcpy(fresh, q->data + q->head, q->len);
		free(q->data);
		q->data = fresh;
		q->head = 0;
	} else {
		q->data = xreallocarray(q->data, cap, 1);
	}
	q->cap = cap;
	return true;
}

uint8_t *bufq_extend(struct bufq *q, size_t len)
{
	if (len > q->max - q->len || !bufq_make_room(q, len))
		return NULL;
	q->len += len;
	return q->data + q->head + q->len - len;
}

void bufq_unextend(struct bufq *q, size_t len)
{
	P2P_ASSERT(len <= q->len);
	q->len -= len;
}

int bufq_push(struct bufq *q, struct bytes in)
{
	uint8_t *to;

	if (in.len == 0)
		return 0;
	to = bufq_extend(q, in.len);
	if (to == NULL)
		return P2P_ERR_FULL;
	memcpy(to, in.data, in.len);
	return 0;
}

void bufq_consume(struct bufq *q, size_t n)
{
	P2P_ASSERT(n <= q->len);
	q->head += n;
	q->len -= n;
	if (q->len > 0)
		return;
	q->head = 0;
	if (q->cap > BUFQ_KEEP_BYTES || q->budget != NULL)
		bufq_drop_memory(q);
}

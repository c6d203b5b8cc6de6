/*
 * A bounded first-in first-out queue of bytes, the only way bytes wait between
 * two layers. What is queued is contiguous, so a reader peeks one view, uses
 * some of it and consumes that much.
 */
#ifndef BASE_BUFQ_H
#define BASE_BUFQ_H

#include "base/budget.h"
#include "base/bytes.h"
#include "base/error.h"

struct bufq {
	uint8_t *data; /* owned */
	size_t head;   /* where the first queued byte stands */
	size_t len;    /* queued bytes */
	size_t cap;
	size_t max;
	struct budget *budget; /* charged for cap; may be NULL */
};

void bufq_init(struct bufq *q, size_t max);
/*
 * The same with memory that is charged before it is taken, and given back
 * whenever the queue is empty. Pushing then fails with P2P_ERR_FULL, too, when
 * the budget refuses, whatever bufq_room says. The budget outlives q.
 */
void bufq_init_charged(struct bufq *q, size_t max, struct budget *budget);
void bufq_clear(struct bufq *q);

/* All or nothing: 0, or P2P_ERR_FULL with the queue unchanged. */
int bufq_push(struct bufq *q, struct bytes in) P2P_MUST_CHECK;
/*
 * `len` bytes at the end for the caller to fill, counted at once; NULL when
 * the queue has no room. Valid until the next call on q.
 */
uint8_t *bufq_extend(struct bufq *q, size_t len);
/* Gives back the last `len` bytes of what bufq_extend handed out. */
void bufq_unextend(struct bufq *q, size_t len);

/* Everything queued, in order; valid until the next call on q. */
static inline struct bytes bufq_peek(const struct bufq *q)
{
	return bytes_of(q->len == 0 ? q->data : q->data + q->head, q->len);
}

/* Forgets the first n bytes; n <= q->len. Memory shrinks when empty. */
void bufq_consume(struct bufq *q, size_t n);

static inline size_t bufq_room(const struct bufq *q)
{
	return q->max - q->len;
}

#endif

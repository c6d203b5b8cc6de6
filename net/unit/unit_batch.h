/*
 * Units on their way to another thread and back: signatures are checked there
 * (docs/decisions/0012-signatures-checked-by-workers.md). A batch owns its
 * bytes and refers to nothing else, so whoever holds it may run it.
 *
 *   pubsub -- gossip_next_verify --> batch -- unit_batch_check --> verdicts
 *          <-- gossip_verified -----------------------------------'
 *
 * It is a message, so that it travels through mailboxes as it is.
 */
#ifndef NET_UNIT_UNIT_BATCH_H
#define NET_UNIT_UNIT_BATCH_H

#include "base/mailbox.h"
#include "net/unit/unit.h"

/* Small enough that one line does not wait long for its batch, large enough
 * that waking a thread costs little beside it (bench/README.md). */
#define UNIT_BATCH_MAX 8
/* Whoever fills one adds no more units above this. */
#define UNIT_BATCH_BYTES_MAX (64u << 10)

struct unit_check {
	uint8_t *unit; /* owned */
	size_t len;
	struct unit u; /* what unit_parse read there; views into unit */
	int verdict;   /* as of unit_parse and unit_verify */
};

struct unit_batch {
	struct msg msg; /* kind: of whoever carries it */
	uint64_t id;    /* of whoever made it */
	size_t count;
	struct unit_check check[UNIT_BATCH_MAX];
};

/* An empty batch; msg_free(&b->msg) frees it with the bytes it still owns. */
struct unit_batch *unit_batch_new(uint64_t id);
/* Takes the bytes over; fewer than UNIT_BATCH_MAX are in it. */
void unit_batch_add_take(struct unit_batch *b, uint8_t *unit, size_t len);
/* Reads every unit and sets its verdict. Touches the batch alone: any thread.
 */
void unit_batch_check(struct unit_batch *b);
struct unit_batch *unit_batch_of(struct msg *m);

#endif

/*
 * Units packed for a verifier. The batch owns all that it needs, so it may
 * cross to another thread and back; what was read in a unit comes back with it,
 * as views that stay good with whoever takes the bytes.
 */
#include "net/unit/unit_batch.h"

#include <stdlib.h>

#include "base/xmalloc.h"

struct unit_batch *unit_batch_of(struct msg *m)
{
	return P2P_CONTAINER_OF(m, struct unit_batch, msg);
}

static void batch_free(struct msg *m)
{
	struct unit_batch *b = unit_batch_of(m);

	for (size_t i = 0; i < b->count; i++)
		free(b->check[i].unit);
	free(b);
}

struct unit_batch *unit_batch_new(uint64_t id)
{
	struct unit_batch *b = xcalloc(1, sizeof(*b));

	b->msg.free = batch_free;
	b->msg.bytes = sizeof(*b);
	b->id = id;
	return b;
}

void unit_batch_add_take(struct unit_batch *b, uint8_t *unit, size_t len)
{
	P2P_ASSERT(b->count < UNIT_BATCH_MAX);
	/* Nobody may read a verdict that nobody has given. */
	b->check[b->count++] = (struct unit_check){
		.unit = unit, .len = len, .verdict = P2P_ERR_AUTH};
	b->msg.bytes += len;
}

void unit_batch_check(struct unit_batch *b)
{
	for (size_t i = 0; i < b->count; i++) {
		struct unit_check *c = &b->check[i];

		c->verdict = unit_parse(&c->u, bytes_of(c->unit, c->len));
		if (c->verdict == 0)
			c->verdict = unit_verify(&c->u);
	}
}

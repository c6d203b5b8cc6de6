#include "base/budget.h"

#include <stdatomic.h>

/* Only tests set these; atomics because every thread charges. */
static atomic_uint_fast64_t test_refuse_at;
static atomic_uint_fast64_t test_asked;

void budget_init(struct budget *b, struct budget *parent, size_t max)
{
	*b = (struct budget){.parent = parent, .max = max};
}

void budget_clear(struct budget *b)
{
	if (b->used > 0)
		budget_release(b, b->used);
}

static bool test_refuses(void)
{
	uint_fast64_t asked = atomic_fetch_add(&test_asked, 1) + 1;

	return asked == atomic_load(&test_refuse_at);
}

int budget_charge(struct budget *b, size_t amount)
{
	if (test_refuses()) {
		b->refused_count++;
		return P2P_ERR_LIMIT;
	}
	for (struct budget *at = b; at != NULL; at = at->parent) {
		if (at->used > at->max || amount > at->max - at->used) {
			at->refused_count++;
			return P2P_ERR_LIMIT;
		}
	}
	budget_owe(b, amount);
	return 0;
}

void budget_owe(struct budget *b, size_t amount)
{
	for (struct budget *at = b; at != NULL; at = at->parent) {
		at->used += amount;
		at->most = P2P_MAX(at->most, at->used);
	}
}

int budget_move(struct budget *b, struct budget *parent)
{
	struct budget *before = b->parent;
	size_t used = b->used;
	int err;

	/* What both chains have in common must not count twice. */
	budget_release(b, used);
	b->parent = parent;
	err = budget_charge(b, used);
	if (err == 0)
		return 0;
	b->parent = before;
	for (struct budget *at = b; at != NULL; at = at->parent)
		at->used += used;
	return err;
}

void budget_release(struct budget *b, size_t amount)
{
	for (struct budget *at = b; at != NULL; at = at->parent) {
		P2P_ASSERT(amount <= at->used);
		at->used -= amount;
	}
}

uint64_t budget_test_refuse_nth(uint64_t nth)
{
	uint64_t asked = atomic_exchange(&test_asked, 0);

	atomic_store(&test_refuse_at, nth);
	return asked;
}

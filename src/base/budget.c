/*
 * Budgets in a chain. A charge first asks every level and only then counts, so
 * that a refusal leaves nothing behind to be taken back. Each chain belongs to
 * one thread; nothing here is shared.
 */
#include "base/budget.h"

void budget_init(struct budget *b, struct budget *parent, size_t max)
{
	*b = (struct budget){.parent = parent, .max = max};
}

void budget_clear(struct budget *b)
{
	if (b->used > 0)
		budget_release(b, b->used);
}

int budget_charge(struct budget *b, size_t amount)
{
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

/*
 * The budgets of src/base with refusals that a test asks for. A test program
 * that calls budget_test_refuse_nth takes every budget_ function from here,
 * because this library stands before those under test; the program itself
 * knows nothing of such refusals and pays nothing for them.
 */
#include <stdatomic.h>

#define budget_charge real_budget_charge
#define budget_move real_budget_move
#include "base/budget.c"
#undef budget_charge
#undef budget_move

#include "tests/lib/test_env.h"

int budget_charge(struct budget *b, size_t amount);
int budget_move(struct budget *b, struct budget *parent);

/* Atomics because every thread charges. */
static atomic_uint_fast64_t refuse_at;
static atomic_uint_fast64_t asked_count;

static bool refuses(struct budget *b)
{
	uint_fast64_t asked = atomic_fetch_add(&asked_count, 1) + 1;

	if (asked != atomic_load(&refuse_at))
		return false;
	b->refused_count++;
	return true;
}

int budget_charge(struct budget *b, size_t amount)
{
	return refuses(b) ? P2P_ERR_LIMIT : real_budget_charge(b, amount);
}

int budget_move(struct budget *b, struct budget *parent)
{
	return refuses(b) ? P2P_ERR_LIMIT : real_budget_move(b, parent);
}

uint64_t budget_test_refuse_nth(uint64_t nth)
{
	uint64_t asked = atomic_exchange(&asked_count, 0);

	atomic_store(&refuse_at, nth);
	return asked;
}

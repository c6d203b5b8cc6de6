/*
 * What may be held for somebody: bytes and objects are charged before they
 * are allocated, up a chain stream -> connection -> peer -> process. Over any
 * maximum in the chain the charge is refused as a whole and counted.
 */
#ifndef BASE_BUDGET_H
#define BASE_BUDGET_H

#include "base/error.h"

struct budget {
	struct budget
		*parent; /* borrowed, outlives this one; NULL at the top */
	size_t used;
	size_t max;
	size_t most;            /* that was ever used */
	uint64_t refused_count; /* charges that this level refused */
};

void budget_init(struct budget *b, struct budget *parent, size_t max);
/* Releases whatever is still charged here from the whole chain. */
void budget_clear(struct budget *b);

/* 0, or P2P_ERR_LIMIT with nothing charged anywhere. */
int budget_charge(struct budget *b, size_t amount) P2P_MUST_CHECK;
/* Charged whatever the maxima say: for what must be held, and is bounded by a
 * maximum of its own. Until it is released all else is refused. */
void budget_owe(struct budget *b, size_t amount);
/*
 * Everything charged here is charged to the chain of another parent instead.
 * P2P_ERR_LIMIT with nothing changed.
 */
int budget_move(struct budget *b, struct budget *parent) P2P_MUST_CHECK;
/* amount <= what is charged at this level. */
void budget_release(struct budget *b, size_t amount);

#endif

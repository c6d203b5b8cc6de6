/*
 * A hash table from byte keys to pointers. Keys are copied, values are the
 * caller's. The hash is seeded (SipHash-1-3), so nobody outside can choose
 * keys that collide; walking goes in order of insertion, so a run can be
 * repeated.
 */
#ifndef BASE_TABLE_H
#define BASE_TABLE_H

#include "base/bytes.h"
#include "base/list.h"
#include "base/rng.h"

struct table_entry {
	struct list order;
	struct table_entry *chain;
	uint64_t hash;
	void *value;
	size_t key_len;
	uint8_t key[];
};

struct table {
	struct table_entry **slots; /* owned, a power of two of them */
	size_t slot_count;
	size_t count;
	struct list order; /* of insertion, oldest first */
	uint64_t seed[2];
};

/* The seed is drawn from r. */
/* The keyed hash itself (SipHash-1-3), for order that nobody can choose who
 * does not know the seed. */
uint64_t table_hash(const uint64_t seed[static 2], struct bytes in);

void table_init(struct table *t, struct rng *r);
/* Frees the keys; the values are the caller's business, before. */
void table_clear(struct table *t);

/* The value, or NULL. */
void *table_get(const struct table *t, struct bytes key);
/* value is not NULL. Returns the value that was there before, or NULL. */
void *table_put(struct table *t, struct bytes key, void *value);
/* Returns the value that was there, or NULL. The key may be the entry's own
 * (table_key): it is read before the entry goes, no copy is needed. */
void *table_remove(struct table *t, struct bytes key);
/* The oldest entry, or NULL. */
struct table_entry *table_oldest(const struct table *t);

static inline struct bytes table_key(const struct table_entry *e)
{
	return bytes_of(e->key, e->key_len);
}

/*
 * Walks in order of insertion; the entry being visited may be removed.
 *   struct table_entry *e, *tmp;
 *   TABLE_FOREACH(e, tmp, &t) use(e->value);
 */
#define TABLE_ENTRY(node) LIST_ITEM(node, struct table_entry, order)
#define TABLE_FOREACH(e, tmp, t) \
	for ((e) = TABLE_ENTRY((t)->order.next), \
	    (tmp) = TABLE_ENTRY((e)->order.next); \
		&(e)->order != &(t)->order; \
		(e) = (tmp), (tmp) = TABLE_ENTRY((e)->order.next))

#endif

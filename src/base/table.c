#include "base/table.h"

#include <stdlib.h>

#include "base/xmalloc.h"

#define TABLE_FIRST_SLOTS 8

static inline uint64_t rotl(uint64_t v, unsigned n)
{
	return v << n | v >> (64 - n);
}

static void sip_round(uint64_t v[static 4])
{
	v[0] += v[1];
	v[1] = rotl(v[1], 13) ^ v[0];
	v[0] = rotl(v[0], 32);
	v[2] += v[3];
	v[3] = rotl(v[3], 16) ^ v[2];
	v[0] += v[3];
	v[3] = rotl(v[3], 21) ^ v[0];
	v[2] += v[1];
	v[1] = rotl(v[1], 17) ^ v[2];
	v[2] = rotl(v[2], 32);
}

/* SipHash-1-3 (Aumasson, Bernstein), the usual choice for hash tables. */
static uint64_t sip_hash(const uint64_t seed[static 2], struct bytes in)
{
	uint64_t v[4] = {
		seed[0] ^ 0x736f6d6570736575ULL,
		seed[1] ^ 0x646f72616e646f6dULL,
		seed[0] ^ 0x6c7967656e657261ULL,
		seed[1] ^ 0x7465646279746573ULL,
	};
	uint64_t last = (uint64_t)in.len << 56;
	size_t whole = in.len / 8 * 8;

	for (size_t i = 0; i < whole; i += 8) {
		uint64_t m;

		memcpy(&m, in.data + i, sizeof(m));
		v[3] ^= m;
		sip_round(v);
		v[0] ^= m;
	}
	for (size_t i = whole; i < in.len; i++)
		last |= (uint64_t)in.data[i] << (8 * (i - whole));
	v[3] ^= last;
	sip_round(v);
	v[0] ^= last;
	v[2] ^= 0xff;
	for (int i = 0; i < 3; i++)
		sip_round(v);
	return v[0] ^ v[1] ^ v[2] ^ v[3];
}

void table_init(struct table *t, struct rng *r)
{
	*t = (struct table){.slot_count = 0};
	list_init(&t->order);
	rng_fill(r, t->seed, sizeof(t->seed));
}

void table_clear(struct table *t)
{
	struct table_entry *e, *tmp;

	TABLE_FOREACH(e, tmp, t)
		free(e);
	free(t->slots);
	t->slots = NULL;
	t->slot_count = 0;
	t->count = 0;
	list_init(&t->order);
}

static struct table_entry **find_slot(
	const struct table *t, uint64_t hash, struct bytes key)
{
	struct table_entry **p = &t->slots[hash & (t->slot_count - 1)];

	while (*p != NULL &&
		((*p)->hash != hash || !bytes_equal(table_key(*p), key)))
		p = &(*p)->chain;
	return p;
}

static void grow(struct table *t)
{
	size_t n = t->slot_count == 0 ? TABLE_FIRST_SLOTS : t->slot_count * 2;
	struct table_entry *e, *tmp;

	free(t->slots);
	t->slots = xcalloc(n, sizeof(*t->slots));
	t->slot_count = n;
	TABLE_FOREACH(e, tmp, t) {
		struct table_entry **slot = &t->slots[e->hash & (n - 1)];

		e->chain = *slot;
		*slot = e;
	}
}

void *table_get(const struct table *t, struct bytes key)
{
	struct table_entry *e;

	if (t->count == 0)
		return NULL;
	e = *find_slot(t, sip_hash(t->seed, key), key);
	return e == NULL ? NULL : e->value;
}

void *table_put(struct table *t, struct bytes key, void *value)
{
	uint64_t hash = sip_hash(t->seed, key);
	struct table_entry **p, *e;

	P2P_ASSERT(value != NULL);
	if (t->count >= t->slot_count)
		grow(t);
	p = find_slot(t, hash, key);
	e = *p;
	if (e != NULL) {
		void *old = e->value;

		e->value = value;
		return old;
	}
	e = xmalloc(sizeof(*e) + key.len);
	*e = (struct table_entry){
		.hash = hash, .value = value, .key_len = key.len};
	if (key.len > 0)
		memcpy(e->key, key.data, key.len);
	*p = e;
	list_push_back(&t->order, &e->order);
	t->count++;
	return NULL;
}

void *table_remove(struct table *t, struct bytes key)
{
	struct table_entry **p, *e;
	void *value;

	if (t->count == 0)
		return NULL;
	p = find_slot(t, sip_hash(t->seed, key), key);
	e = *p;
	if (e == NULL)
		return NULL;
	*p = e->chain;
	list_remove(&e->order);
	t->count--;
	value = e->value;
	free(e);
	return value;
}

struct table_entry *table_oldest(const struct table *t)
{
	return t->count == 0 ? NULL : TABLE_ENTRY(t->order.next);
}

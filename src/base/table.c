/*
 * A chained hash table that also remembers the order of insertion: walks go by
 * that order, so that a run does not depend on the seed. The seed is random and
 * the hash keyed, because peers choose the keys. It grows when there are as
 * many entries as slots, and never shrinks.
 */
#include "base/table.h"

#include <stdlib.h>

#include "base/xmalloc.h"

#define TABLE_FIRST_SLOTS 8

static inline uint64_t rotl(uint64_t v, unsigned n)
{
	return v << n | v >> (64 - n);
}

struct sip {
	uint64_t a, b, c, d;
};

/* In registers: every table asks for a hash, some dozen times a line. */
static P2P_INLINE void sip_round(struct sip *v)
{
	v->a += v->b;
	v->b = rotl(v->b, 13) ^ v->a;
	v->a = rotl(v->a, 32);
	v->c += v->d;
	v->d = rotl(v->d, 16) ^ v->c;
	v->a += v->d;
	v->d = rotl(v->d, 21) ^ v->a;
	v->c += v->b;
	v->b = rotl(v->b, 17) ^ v->c;
	v->c = rotl(v->c, 32);
}

static P2P_INLINE void sip_take(struct sip *v, uint64_t word)
{
	v->d ^= word;
	sip_round(v);
	v->a ^= word;
}

/* SipHash-1-3 (Aumasson, Bernstein), the usual choice for hash tables. */
uint64_t table_hash(const uint64_t seed[static 2], struct bytes in)
{
	struct sip v = {
		seed[0] ^ 0x736f6d6570736575ULL,
		seed[1] ^ 0x646f72616e646f6dULL,
		seed[0] ^ 0x6c7967656e657261ULL,
		seed[1] ^ 0x7465646279746573ULL,
	};
	uint64_t last = (uint64_t)in.len << 56;
	size_t whole = in.len / 8 * 8;

	for (size_t i = 0; i < whole; i += 8) {
		uint64_t word;

		memcpy(&word, in.data + i, sizeof(word));
		sip_take(&v, word);
	}
	for (size_t i = whole; i < in.len; i++)
		last |= (uint64_t)in.data[i] << (8 * (i - whole));
	sip_take(&v, last);
	v.c ^= 0xff;
	sip_round(&v);
	sip_round(&v);
	sip_round(&v);
	return v.a ^ v.b ^ v.c ^ v.d;
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
	e = *find_slot(t, table_hash(t->seed, key), key);
	return e == NULL ? NULL : e->value;
}

void *table_put(struct table *t, struct bytes key, void *value)
{
	uint64_t hash = table_hash(t->seed, key);
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
	p = find_slot(t, table_hash(t->seed, key), key);
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

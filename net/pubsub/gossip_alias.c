/*
 * Message ids that do not say what they name: hashes. universal-connectivity's
 * js peer takes sha256 of the decimal seqno, many take sha256 of the data, and
 * rust-libp2p's examples std's DefaultHasher of the data, in decimal. Such an
 * id is looked up among the recent messages, whose ids in these forms are kept
 * as long as somebody uses them.
 */
#include <inttypes.h>
#include <stdio.h>

#include "net/identity/crypto.h"
#include "net/pubsub/gossip_id.h"

#define SHA256_BYTES 32
#define DECIMAL_DIGITS_MAX 20

static const enum gossip_id_form opaque[] = {GOSSIP_FORM_SEQNO_SHA256,
	GOSSIP_FORM_DATA_SHA256, GOSSIP_FORM_DATA_SIPHASH};

/* ---- SipHash-1-3 with key 0 (Aumasson, Bernstein), as rust's std has it ----
 */

static uint64_t rotl(uint64_t x, unsigned n)
{
	return x << n | x >> (64 - n);
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

static void sip_word(uint64_t v[static 4], uint64_t word)
{
	v[3] ^= word;
	sip_round(v);
	v[0] ^= word;
}

/* Up to eight bytes, little endian. */
static uint64_t read_word(const uint8_t *at, size_t len)
{
	uint64_t word = 0;

	for (size_t i = 0; i < len; i++)
		word |= (uint64_t)at[i] << (8 * i);
	return word;
}

/* Of a Vec<u8>: its length as eight bytes, its bytes. */
static uint64_t rust_hash(struct bytes data)
{
	uint64_t v[4] = {0x736f6d6570736575u, 0x646f72616e646f6du,
		0x6c7967656e657261u, 0x7465646279746573u};
	size_t whole = data.len / 8 * 8;

	sip_word(v, data.len);
	for (size_t i = 0; i < whole; i += 8)
		sip_word(v, read_word(data.data + i, 8));
	sip_word(v, (uint64_t)(data.len + 8) << 56 |
			    (data.len == whole ? 0
					       : read_word(data.data + whole,
							 data.len - whole)));
	v[2] ^= 0xff;
	for (int i = 0; i < 3; i++)
		sip_round(v);
	return v[0] ^ v[1] ^ v[2] ^ v[3];
}

/* ---- writing ----------------------------------------------------------- */

static size_t write_decimal(uint64_t n, uint8_t *out)
{
	char text[DECIMAL_DIGITS_MAX + 1];
	int len = snprintf(text, sizeof(text), "%" PRIu64, n);

	memcpy(out, text, (size_t)len);
	return (size_t)len;
}

size_t gossip_id_of_unit(enum gossip_id_form form, const struct unit *u,
	uint8_t out[static GOSSIP_ID_BYTES_MAX])
{
	uint8_t id[UNIT_GOSSIP_ID_BYTES_MAX];

	switch (form) {
	case GOSSIP_FORM_SEQNO_SHA256:
		crypto_sha256(out,
			bytes_of(id, write_decimal(get_be64(u->seqno), id)));
		return SHA256_BYTES;
	case GOSSIP_FORM_DATA_SHA256:
		crypto_sha256(out, u->data);
		return SHA256_BYTES;
	case GOSSIP_FORM_DATA_SIPHASH:
		return write_decimal(rust_hash(u->data), out);
	case GOSSIP_FORM_UNKNOWN:
	case GOSSIP_FORM_FROM_SEQNO:
	case GOSSIP_FORM_KEY_SEQNO:
	case GOSSIP_FORM_TEXT:
		break;
	}
	return gossip_id_write(form, bytes_of(id, unit_gossip_id(u, id)), out);
}

size_t cache_write_id(const struct cached *c, enum gossip_id_form form,
	uint8_t out[static GOSSIP_ID_BYTES_MAX])
{
	struct unit u;

	if (!gossip_form_is_opaque(form))
		return gossip_id_write(form, cached_id(c), out);
	/* What is cached was parsed before. */
	P2P_ASSERT(unit_parse(&u, cached_unit(c)) == 0);
	return gossip_id_of_unit(form, &u, out);
}

/* ---- looking up -------------------------------------------------------- */

static bool is_decimal(struct bytes id)
{
	for (size_t i = 0; i < id.len; i++)
		if (id.data[i] < '0' || id.data[i] > '9')
			return false;
	return id.len > 0 && id.len <= DECIMAL_DIGITS_MAX;
}

size_t alias_cost(const struct gossip *g)
{
	_Static_assert(P2P_ARRAY_LEN(opaque) * GOSSIP_CACHE_ENTRY_BYTES <=
			       GOSSIP_ALIAS_COST_BYTES,
		"what the aliases of a message cost");
	return g->aliases_kept ? GOSSIP_ALIAS_COST_BYTES : 0;
}

void alias_add(struct gossip *g, struct cached *c)
{
	uint8_t id[GOSSIP_ID_BYTES_MAX];

	if (!g->aliases_kept)
		return;
	c->aliased = true;
	for (size_t i = 0; i < P2P_ARRAY_LEN(opaque); i++) {
		size_t len = cache_write_id(c, opaque[i], id);

		(void)table_put(&g->aliases, bytes_of(id, len), c);
	}
}

void alias_remove(struct gossip *g, struct cached *c)
{
	uint8_t id[GOSSIP_ID_BYTES_MAX];

	if (!c->aliased)
		return;
	c->aliased = false;
	budget_release(&g->cache_budget, GOSSIP_ALIAS_COST_BYTES);
	for (size_t i = 0; i < P2P_ARRAY_LEN(opaque); i++) {
		struct bytes alias =
			bytes_of(id, cache_write_id(c, opaque[i], id));

		/* Two messages can have the same data: the later has it. */
		if (table_get(&g->aliases, alias) == c)
			(void)table_remove(&g->aliases, alias);
	}
}

static void keep_aliases(struct gossip *g)
{
	struct list *pos = g->cache_order.prev;

	g->aliases_used = g->heartbeat;
	if (g->aliases_kept)
		return;
	g->aliases_kept = true;
	/* Where there is no room for all, the newest are found. */
	for (; pos != &g->cache_order; pos = pos->prev) {
		if (budget_charge(&g->cache_budget, alias_cost(g)) != 0)
			return;
		alias_add(g, LIST_ITEM(pos, struct cached, order));
	}
}

/* Which form named this message. Only the cheap one is computed: hashes of
 * data differ in length. */
static enum gossip_id_form form_of(const struct cached *c, struct bytes id)
{
	uint8_t own[GOSSIP_ID_BYTES_MAX];
	size_t len;

	if (id.len != SHA256_BYTES)
		return GOSSIP_FORM_DATA_SIPHASH;
	len = cache_write_id(c, GOSSIP_FORM_SEQNO_SHA256, own);
	return bytes_equal(id, bytes_of(own, len)) ? GOSSIP_FORM_SEQNO_SHA256
						   : GOSSIP_FORM_DATA_SHA256;
}

struct cached *alias_find(struct gossip *g, struct gpeer *p, struct bytes id)
{
	struct cached *c;

	if (id.len != SHA256_BYTES && !is_decimal(id))
		return NULL;
	keep_aliases(g);
	c = table_get(&g->aliases, id);
	if (c != NULL)
		p->form = form_of(c, id);
	return c;
}

void alias_heartbeat(struct gossip *g)
{
	struct list *pos, *tmp;

	if (!g->aliases_kept ||
		g->aliases_used + GOSSIP_ALIAS_HEARTBEATS > g->heartbeat)
		return;
	LIST_FOREACH(pos, tmp, &g->cache_order)
		alias_remove(g, LIST_ITEM(pos, struct cached, order));
	g->aliases_kept = false;
	table_clear(&g->aliases);
}

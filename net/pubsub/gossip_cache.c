/*
 * What was seen, by id for two minutes, and the last messages whole for eight
 * heartbeats (gossipsub v1.0 spec, "Message Cache"). Both give way from the
 * oldest on when their count, their bytes, or the memory of all is used up; the
 * note that something was seen is kept in any case, for without it a line would
 * come twice.
 */
#include "net/pubsub/gossip_cache.h"

#include <stdlib.h>

#include "base/xmalloc.h"
#include "net/pubsub/gossip_id.h"

/* ---- seen -------------------------------------------------------------- */

bool seen_has(const struct gossip *g, struct bytes id)
{
	return table_get(&g->seen, id) != NULL;
}

static void seen_drop_oldest(struct gossip *g)
{
	struct table_entry *oldest = table_oldest(&g->seen);

	free(table_remove(&g->seen, table_key(oldest)));
	budget_release(&g->held, GOSSIP_SEEN_COST_BYTES);
}

void seen_add(struct gossip *g, const struct env *env, struct bytes id)
{
	struct seen *s;

	if (seen_has(g, id))
		return;
	if (g->seen.count >= GOSSIP_SEEN_MAX ||
		budget_charge(&g->held, GOSSIP_SEEN_COST_BYTES) != 0) {
		if (g->seen.count > 0)
			seen_drop_oldest(g);
		budget_owe(&g->held, GOSSIP_SEEN_COST_BYTES);
	}
	s = xmalloc(sizeof(*s));
	s->until_ms = env_after(env, GOSSIP_SEEN_MS);
	(void)table_put(&g->seen, id, s);
}

/* All live equally long, so the oldest is the first to go. */
void seen_expire(struct gossip *g, const struct env *env)
{
	struct table_entry *oldest;

	while ((oldest = table_oldest(&g->seen)) != NULL &&
		((const struct seen *)oldest->value)->until_ms <= env->now_ms)
		seen_drop_oldest(g);
}

/* ---- recent messages --------------------------------------------------- */

/* What a message costs: its bytes, what is noted beside them, a table entry. */
static size_t cache_cost(size_t len)
{
	return sizeof(struct cached) + GOSSIP_CACHE_ENTRY_BYTES + len;
}

static void cache_drop(struct gossip *g, struct cached *c)
{
	alias_remove(g, c);
	(void)table_remove(&g->cache, cached_id(c));
	list_remove(&c->order);
	budget_release(&g->cache_budget, cache_cost(c->len));
	free(c);
}

static struct cached *cache_oldest(const struct gossip *g)
{
	return LIST_ITEM(g->cache_order.next, struct cached, order);
}

void cache_add(struct gossip *g, const struct unit *u, struct bytes raw)
{
	uint8_t id[UNIT_GOSSIP_ID_BYTES_MAX];
	size_t id_len = unit_gossip_id(u, id);
	struct cached *c = cache_find(g, bytes_of(id, id_len));
	size_t cost = cache_cost(raw.len) + alias_cost(g);

	if (c != NULL) {
		/* Sent again: named in IHAVE again. */
		c->heartbeat = g->heartbeat;
		list_remove(&c->order);
		list_push_back(&g->cache_order, &c->order);
		return;
	}
	/* Old ones make room; with nothing left it is not kept. */
	for (unsigned i = 0; i < 2 && g->cache.count > 0; i++)
		if (gossip_spare(g) < cost)
			cache_drop(g, cache_oldest(g));
	while (g->cache.count >= GOSSIP_CACHE_MESSAGES_MAX ||
		budget_charge(&g->cache_budget, cost) != 0) {
		if (g->cache.count == 0)
			return;
		cache_drop(g, cache_oldest(g));
	}
	c = xmalloc(sizeof(*c) + raw.len);
	*c = (struct cached){.heartbeat = g->heartbeat,
		.id_len = id_len,
		.topic_len = u->topic.len,
		.len = raw.len};
	memcpy(c->id, id, id_len);
	memcpy(c->topic, u->topic.data, u->topic.len);
	memcpy(c->unit, raw.data, raw.len);
	list_push_back(&g->cache_order, &c->order);
	(void)table_put(&g->cache, bytes_of(id, id_len), c);
	alias_add(g, c);
}

struct cached *cache_find(const struct gossip *g, struct bytes id)
{
	return table_get(&g->cache, id);
}

bool cache_serve(struct cached *c, const struct gpeer *p)
{
	uint8_t *four = &c->served[p->slot / 4];
	unsigned shift = p->slot % 4 * 2;
	unsigned count = ((unsigned)*four >> shift) & 3u;

	_Static_assert(GOSSIP_IWANT_ANSWERS_MAX <= 3, "two bits hold it");
	if (count >= GOSSIP_IWANT_ANSWERS_MAX)
		return false;
	*four = (uint8_t)(*four + (1u << shift));
	return true;
}

void cache_forget_slot(struct gossip *g, unsigned slot)
{
	struct list *pos, *tmp;

	LIST_FOREACH(pos, tmp, &g->cache_order) {
		struct cached *c = LIST_ITEM(pos, struct cached, order);

		c->served[slot / 4] &= (uint8_t)(0xff ^ (3u << (slot % 4 * 2)));
		slots_forget(&c->brought, slot);
		slots_forget(&c->given, slot);
	}
}

void cache_expire(struct gossip *g)
{
	while (g->cache.count > 0 &&
		cache_oldest(g)->heartbeat + GOSSIP_HISTORY_WINDOWS <=
			g->heartbeat)
		cache_drop(g, cache_oldest(g));
}

void cache_clear(struct gossip *g)
{
	while (g->cache.count > 0)
		cache_drop(g, cache_oldest(g));
	while (g->seen.count > 0)
		seen_drop_oldest(g);
}

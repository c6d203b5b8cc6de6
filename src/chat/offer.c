/*
 * Which own lines net was asked to publish, and how far each has come: into
 * net's queue, its copy with it, to somebody. Without it a line that is offered
 * again would bring its copy again, which is another line to those who read
 * copies. It is only a memory: forgetting one costs such a copy, no line.
 */
#include "chat/offer_internal.h"

#include <stdlib.h>

#include "base/xmalloc.h"
#include "chat/chat_internal.h"

struct chat_offer *offer_find(
	struct chat *c, const uint8_t id[static UNIT_ID_BYTES])
{
	return table_get(&c->offers, bytes_of(id, UNIT_ID_BYTES));
}

/* Forgets one: the oldest that is done with, else the oldest. */
static void make_place(struct chat *c)
{
	struct table_entry *e, *tmp, *go = table_oldest(&c->offers);

	TABLE_FOREACH(e, tmp, &c->offers) {
		const struct chat_offer *o = e->value;

		if (o->handed) {
			go = e;
			break;
		}
	}
	free(table_remove(&c->offers, table_key(go)));
}

struct chat_offer *offer_get(
	struct chat *c, struct chat_room *r, const struct store_key *key)
{
	struct chat_offer *o = offer_find(c, key->id);

	if (o != NULL)
		return o;
	if (c->offers.count >= CHAT_OFFERS_MAX)
		make_place(c);
	o = xmalloc(sizeof(*o));
	*o = (struct chat_offer){.room = r, .key = *key};
	(void)table_put(&c->offers, bytes_of(key->id, UNIT_ID_BYTES), o);
	return o;
}

void offer_posted(struct chat *c, const uint8_t id[static UNIT_ID_BYTES])
{
	struct chat_offer *o = offer_find(c, id);

	if (o != NULL)
		o->posted = true;
}

void offer_lost_copy(struct chat *c, const uint8_t id[static UNIT_ID_BYTES])
{
	struct chat_offer *o = offer_find(c, id);

	if (o != NULL)
		o->copied = false;
}

void offers_undo(struct chat *c)
{
	struct table_entry *e, *tmp;

	TABLE_FOREACH(e, tmp, &c->offers) {
		struct chat_offer *o = e->value;

		o->handed = false;
		if (!o->posted)
			free(table_remove(&c->offers, table_key(e)));
	}
}

void offers_free(struct chat *c)
{
	struct table_entry *e, *tmp;

	TABLE_FOREACH(e, tmp, &c->offers)
		free(e->value);
	table_clear(&c->offers);
}

/*
 * IHAVE (gossipsub v1.0 spec, "Gossip"), both ways: the recent messages of a
 * topic, named to peers, and what we ask for because others named it.
 */
#include "net/pubsub/gossip_ihave.h"

#include <stdlib.h>

#include "base/xmalloc.h"
#include "net/pubsub/gossip_id.h"
#include "net/pubsub/gossip_send.h"

/* ---- asking ------------------------------------------------------------ */

/*
 * Everybody who names an id is asked, else one that names all at once and
 * hands over nothing would hold back every message that the mesh has lost. One
 * peer's ids fill a quarter at most, less when others have taken much, so that
 * false ids leave room for true ones.
 */
bool asked_note(struct gossip *g, struct gpeer *p, struct bytes id)
{
	struct asked *a = table_get(&g->asked, id);

	if (a == NULL) {
		if (p->asked_ids >= (GOSSIP_ASKED_MAX - g->asked.count) / 3)
			return false;
		a = xcalloc(1, sizeof(*a));
		(void)table_put(&g->asked, id, a);
		p->asked_ids++;
	}
	return slots_add(&a->of, p);
}

void asked_clear(struct gossip *g)
{
	struct table_entry *e, *tmp;

	TABLE_FOREACH(e, tmp, &g->asked)
		free(e->value);
	table_clear(&g->asked);
}

/* ---- naming ------------------------------------------------------------ */

/* They are gathered once for all who are told, and written once in each form:
 * some forms cost a hash of all data. */

/* The ids in one form, views into `raw`. */
struct names {
	bool written;
	size_t count;
	struct bytes *ids;
	uint8_t *raw;
};

struct ihave {
	struct gossip *g;
	const struct topic *topic;
	struct names names[GOSSIP_FORM_COUNT];
	size_t count;
	const struct cached *list[]; /* newest first */
};

/* The newest ones of a topic; returns how many. */
static size_t gather(const struct gossip *g, const struct topic *t,
	const struct cached *list[static GOSSIP_IHAVE_IDS_MAX])
{
	struct list *pos = g->cache_order.prev;
	size_t n = 0;

	for (; pos != &g->cache_order && n < GOSSIP_IHAVE_IDS_MAX;
		pos = pos->prev) {
		const struct cached *c = LIST_ITEM(pos, struct cached, order);

		if (c->heartbeat + GOSSIP_HISTORY_GOSSIP < g->heartbeat)
			break;
		if (bytes_equal(cached_topic(c), topic_name(t)))
			list[n++] = c;
	}
	return n;
}

struct ihave *ihave_new(struct gossip *g, const struct topic *t)
{
	const struct cached *list[GOSSIP_IHAVE_IDS_MAX];
	size_t n = gather(g, t, list);
	struct ihave *h;

	if (n == 0)
		return NULL;
	h = xcalloc(1, sizeof(*h) + n * sizeof(list[0]));
	h->g = g;
	h->topic = t;
	h->count = n;
	memcpy(h->list, list, n * sizeof(list[0]));
	return h;
}

static void write_names(
	const struct ihave *h, enum gossip_id_form form, struct names *names)
{
	names->written = true;
	names->ids = xcalloc(h->count, sizeof(*names->ids));
	names->raw = xcalloc(h->count, GOSSIP_ID_BYTES_MAX);
	for (size_t i = 0; i < h->count; i++) {
		uint8_t *to = names->raw + i * GOSSIP_ID_BYTES_MAX;
		size_t len = cache_write_id(h->list[i], form, to);

		if (len > 0)
			names->ids[names->count++] = bytes_of(to, len);
	}
}

void ihave_tell(struct ihave *h, struct gpeer *p)
{
	struct names *names = &h->names[p->form];

	if (!names->written)
		write_names(h, p->form, names);
	if (names->count > 0)
		(void)send_ihave(h->g, p, topic_name(h->topic), names->ids,
			names->count);
}

void ihave_free(struct ihave *h)
{
	if (h == NULL)
		return;
	for (size_t i = 0; i < P2P_ARRAY_LEN(h->names); i++) {
		free(h->names[i].ids);
		free(h->names[i].raw);
	}
	free(h);
}

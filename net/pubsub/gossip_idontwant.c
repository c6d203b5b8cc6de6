/*
 * What a peer does not want (gossipsub v1.2 spec, "IDONTWANT Message"): who has
 * a large message tells its mesh at once, so that it is not sent there again.
 * It is said in gossip_verify.c; here is what others have said to us.
 */
#include "net/pubsub/gossip_idontwant.h"

#include "net/pubsub/gossip_id.h"

/*
 * FNV-1a. Ids are kept as hashes, so that a thousand cost little; a peer that
 * seeks two of one hash gains that it misses a message.
 */
static uint64_t hash(struct bytes id)
{
	uint64_t h = 0xcbf29ce484222325u;

	for (size_t i = 0; i < id.len; i++)
		h = (h ^ id.data[i]) * 0x100000001b3u;
	return h;
}

static bool holds(const struct buf *b, uint64_t h)
{
	for (size_t i = 0; i < b->len; i += sizeof(h))
		if (memcmp(b->data + i, &h, sizeof(h)) == 0)
			return true;
	return false;
}

static struct buf *noted_now(const struct gossip *g, struct gpeer *p)
{
	return &p->unwanted[g->heartbeat % GOSSIP_IDONTWANT_HEARTBEATS];
}

bool idontwant_has_room(const struct gossip *g, struct gpeer *p)
{
	const struct buf *now = noted_now(g, p);

	return now->len < now->max;
}

void idontwant_note(struct gossip *g, struct gpeer *p, struct bytes id)
{
	uint64_t h = hash(id);

	(void)buf_append(noted_now(g, p), bytes_of(&h, sizeof(h)));
}

bool idontwant_has(const struct gpeer *p, struct bytes id)
{
	uint64_t h = 0;

	for (size_t i = 0; i < P2P_ARRAY_LEN(p->unwanted); i++) {
		if (p->unwanted[i].len == 0)
			continue;
		h = h != 0 ? h : hash(id);
		if (holds(&p->unwanted[i], h))
			return true;
	}
	return false;
}

bool idontwant_spares(const struct gpeer *p, const struct shared *m)
{
	uint8_t id[GOSSIP_ID_BYTES_MAX];
	struct unit u;

	if (idontwant_has(p, bytes_of(m->id, m->id_len)))
		return true;
	if (!gossip_form_is_opaque(p->form) ||
		unit_parse(&u, shared_unit(m)) != 0)
		return false;
	return idontwant_has(
		p, bytes_of(id, gossip_id_of_unit(p->form, &u, id)));
}

void idontwant_heartbeat(struct gossip *g)
{
	struct table_entry *e, *tmp;

	TABLE_FOREACH(e, tmp, &g->peers)
		buf_clear(noted_now(g, e->value));
}

void idontwant_clear(struct gpeer *p)
{
	for (size_t i = 0; i < P2P_ARRAY_LEN(p->unwanted); i++)
		buf_clear(&p->unwanted[i]);
}

/*
 * Message ids as other programs form them: those that say what they name
 * (gossip_id.c), and hashes, which are looked up among the recent messages
 * (gossip_alias.c).
 */
#ifndef NET_PUBSUB_GOSSIP_ID_H
#define NET_PUBSUB_GOSSIP_ID_H

#include "net/pubsub/gossip_internal.h"

/*
 * A remote id as ours (from || seqno): its length in *len and the form it had.
 * GOSSIP_FORM_UNKNOWN when it is none of the known forms.
 */
enum gossip_id_form gossip_id_read(struct bytes remote,
	uint8_t out[static UNIT_GOSSIP_ID_BYTES_MAX], size_t *len);
/* Our id in a peer's form; 0 when it cannot be written in it. */
size_t gossip_id_write(enum gossip_id_form form, struct bytes id,
	uint8_t out[static GOSSIP_ID_BYTES_MAX]);

static inline bool gossip_form_is_opaque(enum gossip_id_form form)
{
	return form >= GOSSIP_FORM_SEQNO_SHA256;
}

/* The id of a message in a peer's form, whatever it is; 0: it has none. */
size_t gossip_id_of_unit(enum gossip_id_form form, const struct unit *u,
	uint8_t out[static GOSSIP_ID_BYTES_MAX]);
size_t cache_write_id(const struct cached *c, enum gossip_id_form form,
	uint8_t out[static GOSSIP_ID_BYTES_MAX]);
/* The recent message that the peer means by an id that gossip_id_read cannot
 * read, or NULL. When there is one, the peer's form is known from then on. */
struct cached *alias_find(struct gossip *g, struct gpeer *p, struct bytes id);
/* What alias_add needs of g->cache_budget for one message; charge it before. */
size_t alias_cost(const struct gossip *g);
void alias_add(struct gossip *g, struct cached *c);
/* Gives it back. */
void alias_remove(struct gossip *g, struct cached *c);
void alias_heartbeat(struct gossip *g);

#endif

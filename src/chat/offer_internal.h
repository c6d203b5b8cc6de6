/*
 * Lines that net was asked to publish: a table by unit_id, at most
 * CHAT_OFFERS_MAX of them, with what has become of each. Kept over turns, so
 * that a line offered again is not taken for a new one. They are in out.c,
 * which sees each line go.
 */
#ifndef CHAT_OFFER_INTERNAL_H
#define CHAT_OFFER_INTERNAL_H

#include "net/unit/unit.h"
#include "store/store.h"

struct chat;
struct chat_room;

/* A line that net was asked to publish, and what has reached its queue. */
struct chat_offer {
	struct chat_room *room;
	struct store_key key;
	bool posted;
	bool copied; /* its copy as well, or that is on its way */
	bool handed; /* kept until its place is needed: the turn may fail */
};

/* NULL when it is not known, or was forgotten for others. */
struct chat_offer *offer_find(
	struct chat *c, const uint8_t id[static UNIT_ID_BYTES]);
/* Found or made. The pointer is good until the next offer is made. */
struct chat_offer *offer_get(
	struct chat *c, struct chat_room *r, const struct store_key *key);
/* Net's queue took the offered line. */
void offer_posted(struct chat *c, const uint8_t id[static UNIT_ID_BYTES]);
/* The line was dropped on its way to net, and its copy with it. */
void offer_lost_copy(struct chat *c, const uint8_t id[static UNIT_ID_BYTES]);
/* After a rolled back turn: forgets the offers that net never got, and that
 * others were handed over. */
void offers_undo(struct chat *c);
void offers_free(struct chat *c);

#endif

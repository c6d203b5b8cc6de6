/*
 * Who is around, as the chat thread tells it: connected or not, how, and in
 * which of the rooms shown (one bit a room). Sorted by name for the pane, those
 * without one behind the others.
 */
#ifndef UI_MODEL_PEOPLE_H
#define UI_MODEL_PEOPLE_H

#include "msg/ui_msg.h"
#include "ui/model/ui_limits.h"

struct person {
	char peer[MSG_PEER_MAX];
	char name[MSG_NAME_MAX]; /* never empty: the key's tail when unknown */
	char tag[8];
	char name_mark;
	bool named; /* the name is the person's, not made here */
	bool connected;
	bool relayed;
	bool outbound;
	bool ignored;
	bool known; /* a friend or a regular */
	bool stale; /* not told again since the last reload */
	uint64_t rtt_us;
	uint64_t rooms; /* bit i: is in the room with slot i */
	char agent[40];
};

struct people {
	struct person *all; /* owned; sorted by (named, name, peer) */
	size_t count;
	size_t direct;  /* connected without a relay */
	size_t relayed; /* connected through one */
};

void people_init(struct people *p);
void people_clear(struct people *p);
/* Takes over what the message says. */
void people_update(struct people *p, const struct ui_person *u);
/* Sets or clears the room's bit. Returns whether that changed anything that
 * is worth a line (coming or going). The person may be unknown so far. */
bool people_set_member(
	struct people *p, const char *peer, unsigned slot, bool in);
/* NULL when unknown. Valid until the next change. */
const struct person *people_find(const struct people *p, const char *peer);
/* The room with this slot is gone. */
void people_forget_room(struct people *p, unsigned slot);
/* Before everything is said again: who is not told again is not shown. */
void people_mark_stale(struct people *p);
/* Whether the person is shown as in the room with this slot. */
bool person_is_in(const struct person *p, unsigned slot);

#endif

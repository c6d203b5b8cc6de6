/*
 * What the programs in a room write and read (docs/decisions/0009-dialects.md):
 * heard from their lines, and from it what ours are written in; and what
 * becomes of messages that cannot be read.
 */
#ifndef CHAT_DIALECT_INTERNAL_H
#define CHAT_DIALECT_INTERNAL_H

#include "chat/payload.h"
#include "msg/chat_msg.h"

struct chat;
struct chat_person;
struct chat_room;

struct dialects {
	enum dialect own; /* NATIVE or PLAIN */
	bool js_copy;     /* a copy for the JavaScript program beside it */
	bool go_chat;     /* native, with the members that go-chat reads */
};

/* How a line that is said in the room now is written. */
struct dialects dialect_to_write(
	const struct chat *c, const struct chat_room *r);
/*
 * A line of somebody else came, and was in that dialect. Says once in a room
 * that there are programs which do not read each other.
 */
void dialect_note(struct chat *c, struct chat_room *r, struct chat_person *p,
	enum dialect dialect);

/* ---- messages that cannot be shown: counted, and said ------------------- */

/* payload_parse refused one of p (NULL: nobody knows whose) with that error. */
void unreadable_came(struct chat *c, struct chat_room *r,
	const struct chat_person *p, int err);
/* CHAT_MSG_UNREADABLE. */
void unreadable_told(struct chat *c, const struct chat_net_msg *m);
/* Says what has gathered; when that is due (env->now_ms, or P2P_NEVER). */
void unreadable_tick(struct chat *c);
uint64_t unreadable_deadline(const struct chat *c);

#endif

/*
 * While saving fails (a full disk, a read-only or damaged file): what is heard
 * then, and the words about it. Nothing is written but in the tries, so the
 * turn has no commit to wait for; what needs one waits in the turn's list.
 */
#ifndef CHAT_UNSAVED_INTERNAL_H
#define CHAT_UNSAVED_INTERNAL_H

#include "chat/chat.h"

struct chat_net_msg;
struct chat_room;
struct chat_ui_msg;

/* What chat.c does with a message of either side. */
struct unsaved_verbs {
	void (*ui)(struct chat *c, const struct chat_ui_msg *m);
	void (*net)(struct chat *c, const struct chat_net_msg *m);
};

/* Saving has begun to fail, for c->store_err: said once for each reason. */
void unsaved_tell(struct chat *c);
/* The message is taken: done at once, or put into the turn's list. */
void unsaved_hear(
	struct chat *c, const struct unsaved_verbs *verbs, struct msg *m);
/* Text that was typed, clean: shown as not saved; its message is kept. */
void unsaved_say(struct chat *c, struct chat_room *r, const char *text);
/* The lines shown as not saved are on their way to be said in earnest. */
void unsaved_take_back(struct chat *c);
/* Saving works again: what was not kept is said. */
void unsaved_over(struct chat *c);

#endif

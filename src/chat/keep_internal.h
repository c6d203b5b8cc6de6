/*
 * What of others is kept (decision 0018): who is who to the quotas, and how
 * much room there is.
 */
#ifndef CHAT_KEEP_INTERNAL_H
#define CHAT_KEEP_INTERNAL_H

#include "chat/chat.h"

struct chat_person;
struct chat_room;

/* At the making of the chat, people are loaded. The store's errors. */
int keep_setup(struct chat *c, const struct chat_cfg *cfg) P2P_MUST_CHECK;
/* Tells net whom we know. */
void keep_tell_net(struct chat *c);
/* Keeps another's line: false when it is not kept, *is_new when it was not
 * there. The author has a row then. */
bool keep_line_of(struct chat *c, struct chat_room *r, struct chat_person *p,
	struct store_message *m, bool *is_new);
/* A live line of somebody else, kept or not: it may make a regular. */
void keep_heard(struct chat *c, struct chat_room *r, struct chat_person *p);
/* A line of ours: whom it answers by name ("mali: yes") is a friend now. */
void keep_answered(struct chat *c, const char *text);

#endif

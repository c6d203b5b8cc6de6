/*
 * What was said before: pages of the store, and all of it again for a face
 * that starts or has missed something.
 */
#ifndef CHAT_HISTORY_INTERNAL_H
#define CHAT_HISTORY_INTERNAL_H

#include "msg/chat_msg.h"

struct chat;
struct chat_room;

/* The answer to CHAT_MSG_PAGE. */
void history_page(struct chat *c, const struct chat_ui_msg *m);
/* The last n lines, or from a time on, as UI_LINE_HISTORY. */
void history_last(struct chat *c, struct chat_room *r, size_t count);
void history_since(struct chat *c, struct chat_room *r, uint64_t time_ms);
/* Live lines that the ui has missed, a batch of them. */
void history_replay(struct chat *c);
/* Everything is said again. */
void history_reload(struct chat *c);

#endif

/*
 * Lines as the ui is told them, from a payload just read or a stored row.
 */
#ifndef CHAT_LINE_INTERNAL_H
#define CHAT_LINE_INTERNAL_H

#include "chat/payload.h"
#include "msg/ui_msg.h"
#include "store/store.h"

struct chat;
struct chat_person;
struct chat_room;

/* What a line on screen is made of. */
struct line_facts {
	const struct chat_room *room;
	struct chat_person *author;
	const struct payload *payload;
	struct store_key key;
	enum store_state state;
	enum ui_line_origin origin;
	bool mention;
	bool clock_wrong;
	bool not_kept;
};

/* UI_MSG_LINE; the text is copied. */
struct ui_msg *line_new(struct chat *c, const struct line_facts *f);
/* The same of a stored line; NULL when it cannot be read. */
struct ui_msg *line_of_row(struct chat *c, const struct store_message *row,
	enum ui_line_origin origin);

#endif

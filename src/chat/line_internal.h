/*
 * Lines as the ui is told them, from a payload just read or a stored row.
 */
#ifndef CHAT_LINE_INTERNAL_H
#define CHAT_LINE_INTERNAL_H

#include "chat/payload.h"
#include "msg/ui_msg.h"
#include "net/unit/unit.h"
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
/*
 * What was signed, out of a stored line: 0, or P2P_ERR_CORRUPT when the row is
 * not as it was written or the unit is not the one that its id names.
 */
int line_read_unit(
	const struct store_message *row, struct unit *u) P2P_MUST_CHECK;
/* Whether a stored line of ours is what we signed, its signature too: only
 * then is it handed to anybody. */
bool line_may_go(const struct chat *c, const struct chat_room *r,
	const struct store_message *row);
/* The same as line_new of a stored line; one that is damaged says so, and is
 * nobody's. NULL when this program cannot read it. */
struct ui_msg *line_of_row(struct chat *c, const struct store_message *row,
	enum ui_line_origin origin);

#endif

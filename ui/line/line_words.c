/*
 * What --plain and --json both have to know to choose their words: what people
 * call a room, and whether a line of the checklist says anything new.
 */
#include <stdlib.h>

#include "base/text.h"
#include "base/xmalloc.h"
#include "ui/line/line_internal.h"

/* Lines come with the topic alone. */
void line_remember_title(struct line_face *f, const struct ui_msg *m)
{
	size_t i = 0;

	if (m->room == NULL || m->title == NULL)
		return;
	while (i < f->room_count && strcmp(f->rooms[i].topic, m->room) != 0)
		i++;
	if (i == LINE_ROOMS_MAX)
		return;
	if (i == f->room_count) {
		f->rooms[i].topic = xstrdup(m->room);
		f->room_count++;
	}
	free(f->rooms[i].title);
	f->rooms[i].title = xstrdup(m->title);
}

const char *line_room_title(const struct line_face *f, const struct ui_msg *m)
{
	if (m->title != NULL)
		return m->title;
	for (size_t i = 0; m->room != NULL && i < f->room_count; i++)
		if (strcmp(f->rooms[i].topic, m->room) == 0)
			return f->rooms[i].title;
	/* A topic may be any bytes. */
	if (m->room == NULL || !text_is_clean(TEXT_LINE, bytes_str(m->room)))
		return "a room";
	return m->room;
}

bool line_status_is_news(struct line_face *f, const struct ui_msg *m)
{
	const char *text = m->text == NULL ? "" : m->text;
	char *last;
	bool same;

	if (m->item >= CHAT_STATUS_COUNT || m->status == CHAT_STATE_BUSY)
		return false;
	last = f->status_text[m->item];
	same = last != NULL && f->status_last[m->item] == m->status;
	/* How many are connected is told by the people themselves; that
	 * discovery goes another way, or listening elsewhere, is news. */
	if (same && m->item != CHAT_STATUS_PEOPLE)
		same = strcmp(last, text) == 0;
	free(last);
	f->status_text[m->item] = xstrdup(text);
	f->status_last[m->item] = m->status;
	return !same;
}

const char *line_status_item(enum chat_status_item item)
{
	switch (item) {
	case CHAT_STATUS_LISTEN:
		return "listening";
	case CHAT_STATUS_DISCOVERY:
		return "LAN discovery";
	case CHAT_STATUS_PEOPLE:
		return "people";
	case CHAT_STATUS_HISTORY:
		return "history";
	case CHAT_STATUS_COUNT:
		break;
	}
	return "?";
}

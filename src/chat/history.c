/*
 * Lines for the screen: one at a time as they come, and pages of the store.
 */
#include "chat/history_internal.h"

#include <stdio.h>

#include "chat/chat_internal.h"
#include "chat/line_internal.h"
#include "chat/out_internal.h"
#include "chat/peers_internal.h"
#include "chat/person_internal.h"
#include "chat/room_internal.h"

static void say_row(struct chat *c, const struct store_message *row,
	enum ui_line_origin origin)
{
	struct ui_msg *m = line_of_row(c, row, origin);

	if (m != NULL)
		out_ui(c, m);
}

/* Rows come newest first; lines are said oldest first. */
static void say_backwards(struct chat *c, const struct store_rows *rows,
	enum ui_line_origin origin)
{
	for (size_t i = rows->count; i-- > 0;)
		say_row(c, &rows->items[i], origin);
}

/* Lines behind the newest page are named, not shown: else a handful of them,
 * signed for the year 9999, would fill it for ever. */
static void say_ahead(struct chat *c, struct chat_room *r, uint64_t latest_ms)
{
	struct store_key after = store_key_last;
	struct store_rows rows;
	bool one;

	after.time_ms = latest_ms;
	if (!chat_store_ok(c, store_page_after(c->store, r->row.id, &after,
				      CHAT_AHEAD_COUNT_MAX, &rows)))
		return;
	one = rows.count == 1 && !rows.more;
	if (rows.count > 0)
		out_notice(c, UI_LEVEL_WARN, r,
			"%s%zu line%s dated far ahead and %s not shown here; "
			"/history shows %s.",
			rows.more ? "More than " : "", rows.count,
			one ? " is" : "s are", one ? "is" : "are",
			one ? "it" : "them");
	store_rows_clear(&rows);
}

/* The newest lines before the key of those who are known, newest first; false
 * when the store fails. *at: so far back was looked. */
static bool say_known(struct chat *c, struct chat_room *r, struct store_key *at,
	size_t count, bool *more)
{
	struct ui_msg *found[CHAT_PAGE_MAX];
	size_t n = 0;
	size_t looked = 0;

	*more = true;
	while (*more && n < count && looked < CHAT_PAGE_LOOK_MAX) {
		struct store_rows rows;

		if (!chat_store_ok(c, store_page(c->store, r->row.id, at,
					      CHAT_PAGE_MAX, &rows)))
			break;
		*more = rows.more;
		for (size_t i = 0; i < rows.count && n < count; i++) {
			struct ui_msg *m =
				line_of_row(c, &rows.items[i], UI_LINE_PAGE);

			*at = rows.items[i].key;
			*more = rows.more || i + 1 < rows.count;
			if (m != NULL && m->line.known)
				found[n++] = m;
			else if (m != NULL)
				msg_free(&m->msg);
		}
		looked += rows.count;
		store_rows_clear(&rows);
	}
	while (n > 0)
		out_ui(c, found[--n]);
	return c->store_err == 0;
}

/* A page of a room from which strangers are left out. */
static void page_of_known(struct chat *c, struct chat_room *r,
	struct store_key before, size_t count)
{
	struct ui_msg *end;
	bool more = false;

	if (r->row.id != 0 && count > 0 &&
		!say_known(c, r, &before, count, &more))
		return;
	end = ui_msg_new(UI_MSG_PAGE_END, r->row.topic, NULL);
	end->more = more;
	end->line.time_ms = before.time_ms;
	memcpy(end->line.id, before.id, sizeof(end->line.id));
	out_ui(c, end);
	c->ui_answer = c->ui.count;
}

void history_page(struct chat *c, const struct chat_ui_msg *m)
{
	struct chat_room *r =
		m->room == NULL ? c->focus : room_find(c, m->room);
	size_t count = P2P_MIN(m->count, CHAT_PAGE_MAX);
	struct store_key before = {.time_ms = m->time_ms};
	bool newest = m->time_ms == UINT64_MAX;
	struct store_rows rows = {.count = 0};
	struct ui_msg *end;

	if (r == NULL)
		return;
	memcpy(before.id, m->id, sizeof(before.id));
	if (newest) {
		before = store_key_last;
		before.time_ms = clock_latest_ms(c, r);
	}
	if (r->only_known) {
		page_of_known(c, r, before, count);
		return;
	}
	if (r->row.id != 0 && count > 0 &&
		!chat_store_ok(c,
			store_page(c->store, r->row.id, &before, count, &rows)))
		return;
	say_backwards(c, &rows, UI_LINE_PAGE);
	end = ui_msg_new(UI_MSG_PAGE_END, r->row.topic, NULL);
	end->more = rows.more;
	out_ui(c, end);
	/* Behind the page, which may replace all that was on the screen. */
	if (newest && r->row.id != 0)
		say_ahead(c, r, before.time_ms);
	c->ui_answer = c->ui.count;
	store_rows_clear(&rows);
}

void history_last(struct chat *c, struct chat_room *r, size_t count)
{
	struct store_rows rows = {.count = 0};

	if (r->row.id != 0 &&
		!chat_store_ok(c, store_page(c->store, r->row.id,
					  &store_key_last, count, &rows)))
		return;
	if (rows.count == 0)
		out_notice(
			c, UI_LEVEL_INFO, r, "Nothing has been said here yet.");
	say_backwards(c, &rows, UI_LINE_HISTORY);
	c->ui_answer = c->ui.count;
	store_rows_clear(&rows);
}

void history_since(struct chat *c, struct chat_room *r, uint64_t time_ms)
{
	struct store_key after = {.time_ms = time_ms};
	struct store_rows rows = {.count = 0};

	if (r->row.id != 0 &&
		!chat_store_ok(c, store_page_after(c->store, r->row.id, &after,
					  CHAT_HISTORY_MAX, &rows)))
		return;
	for (size_t i = 0; i < rows.count; i++)
		say_row(c, &rows.items[i], UI_LINE_HISTORY);
	if (rows.count == 0)
		out_notice(c, UI_LEVEL_INFO, r,
			"Nothing has been said here since then.");
	else if (rows.more)
		out_notice(c, UI_LEVEL_INFO, r,
			"The first %d lines; there are more.",
			CHAT_HISTORY_MAX);
	c->ui_answer = c->ui.count;
	store_rows_clear(&rows);
}

/* ---- after a full queue ------------------------------------------------ */

void history_replay(struct chat *c)
{
	struct store_rows rows;

	if (!c->replaying || c->ui_lost || c->ui_waits)
		return;
	if (!chat_store_ok(c, store_arrivals(c->store, c->ui_row,
				      CHAT_REPLAY_BATCH, &rows)))
		return;
	for (size_t i = 0; i < rows.count; i++) {
		const struct store_message *row = &rows.items[i];
		struct chat_room *r = room_of_row(c, row->room);
		struct ui_msg *m = line_of_row(c, row, UI_LINE_LIVE);
		struct chat_person *author;

		if (m == NULL)
			continue;
		author = person_get_text(c, m->line.from);
		if (r != NULL && m->line.type == UI_TYPE_DAMAGED)
			out_ui_line(c, m, row->row);
		else if (r == NULL || author == NULL || author->row.ignored)
			msg_free(&m->msg);
		else
			out_ui_line(c, m, row->row);
	}
	/* Only what is posted moves ui_row; rows that are not shown must not
	 * be read for ever. */
	if (rows.count > 0 && c->ui.first == NULL)
		c->ui_row = rows.items[rows.count - 1].row;
	c->replaying = rows.more;
	store_rows_clear(&rows);
}

static void tell_people(struct chat *c)
{
	struct table_entry *e, *tmp;

	TABLE_FOREACH(e, tmp, &c->people) {
		struct chat_person *p = e->value;

		if (p->connected && !p->self)
			person_tell(c, p);
	}
}

void history_reload(struct chat *c)
{
	struct ui_msg *m = ui_msg_new(UI_MSG_NAME, NULL, NULL);
	struct list *pos, *tmp;

	/* Lines that were lost come from the store again, behind all this. */
	c->replaying = c->replaying || c->ui_lost;
	c->ui_lost = false;
	snprintf(m->name, sizeof(m->name), "%s", c->self->row.name);
	out_ui(c, m);
	LIST_FOREACH(pos, tmp, &c->rooms) {
		struct chat_room *r = ROOM_OF(pos);

		if (!r->row.joined)
			continue;
		room_tell(c, r, false);
		room_tell_members(c, r);
	}
	tell_people(c);
	for (int i = 0; i < CHAT_STATUS_COUNT; i++)
		peers_tell_status(c, (enum chat_status_item)i);
	if (c->focus != NULL)
		out_ui(c, ui_msg_new(UI_MSG_FOCUS, c->focus->row.topic, NULL));
	peers_tell_ready(c);
	c->ui_answer = c->ui.count;
}

/*
 * Lines for the screen: one at a time as they come, and pages of the store.
 */
#include <stdio.h>
#include <stdlib.h>

#include "base/xmalloc.h"
#include "chat/chat_internal.h"

#define ROOM_OF(pos) LIST_ITEM(pos, struct chat_room, order)

static enum ui_line_state state_of(enum store_state state)
{
	switch (state) {
	case STORE_STATE_WAITING:
		return UI_STATE_WAITING;
	case STORE_STATE_HANDED:
		return UI_STATE_HANDED;
	case STORE_STATE_NONE:
	default:
		return UI_STATE_NONE;
	}
}

static enum ui_line_type type_of(enum payload_type type)
{
	switch (type) {
	case PAYLOAD_JOIN:
		return UI_TYPE_JOIN;
	case PAYLOAD_LEAVE:
		return UI_TYPE_LEAVE;
	case PAYLOAD_MESSAGE:
	default:
		return UI_TYPE_MESSAGE;
	}
}

struct ui_msg *line_new(struct chat *c, const struct line_facts *f)
{
	struct ui_msg *m = ui_msg_new(UI_MSG_LINE, f->room->row.topic, NULL);
	struct ui_line *line = &m->line;
	struct bytes text = buf_bytes(&f->payload->text);

	memcpy(line->id, f->key.id, sizeof(line->id));
	line->time_ms = f->key.time_ms;
	snprintf(line->from, sizeof(line->from), "%s", f->author->row.peer);
	/* The name that was claimed with this line, if one was. */
	if (f->payload->name[0] != '\0')
		snprintf(
			line->name, sizeof(line->name), "%s", f->payload->name);
	else
		person_name(f->author, line->name);
	/* What stands for an unknown name is the key's end already. */
	if (f->payload->name[0] != '\0' || f->author->row.name[0] != '\0')
		person_tag(f->author, line->tag);
	line->name_mark = person_mark(c, f->author);
	/* An old line may bear a name that its author has dropped since. */
	if (person_borrows(c, f->author, line->name))
		line->name_mark = '!';
	line->own = f->author->self;
	line->mention = f->mention;
	line->clock_wrong = f->clock_wrong;
	line->type = type_of(f->payload->type);
	line->state = state_of(f->state);
	line->origin = f->origin;
	line->text = xstrndup((const char *)text.data, text.len);
	m->msg.bytes += text.len;
	return m;
}

struct ui_msg *line_of_row(struct chat *c, const struct store_message *row,
	enum ui_line_origin origin)
{
	struct line_facts f = {.room = room_of_row(c, row->room),
		.key = row->key,
		.state = row->state,
		.origin = origin,
		.mention = row->mention};
	struct ui_msg *m;
	struct payload p;
	struct unit u;

	if (f.room == NULL || unit_parse(&u, row->unit) != 0)
		return NULL;
	f.author = person_get(c, &u.from);
	if (f.author == NULL ||
		payload_parse(&p, u.topic, u.seqno, u.data) != 0)
		return NULL;
	f.payload = &p;
	f.clock_wrong = !f.author->self && !row->local &&
			clock_is_ahead(c, f.room, row->key.time_ms);
	m = line_new(c, &f);
	payload_clear(&p);
	return m;
}

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
		if (r == NULL || author == NULL || author->row.ignored)
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

static void tell_room(struct chat *c, struct chat_room *r)
{
	struct table_entry *e, *tmp;

	room_tell(c, r, false);
	if (!r->row.joined)
		return;
	TABLE_FOREACH(e, tmp, &r->members) {
		const struct chat_person *p = e->value;
		struct ui_msg *m =
			ui_msg_new(UI_MSG_MEMBER, r->row.topic, NULL);

		snprintf(m->peer, sizeof(m->peer), "%s", p->row.peer);
		m->joined = true;
		out_ui(c, m);
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
	LIST_FOREACH(pos, tmp, &c->rooms)
		if (ROOM_OF(pos)->row.joined)
			tell_room(c, ROOM_OF(pos));
	tell_people(c);
	for (int i = 0; i < CHAT_STATUS_COUNT; i++)
		peers_tell_status(c, (enum chat_status_item)i);
	if (c->focus != NULL)
		out_ui(c, ui_msg_new(UI_MSG_FOCUS, c->focus->row.topic, NULL));
	peers_tell_ready(c);
	c->ui_answer = c->ui.count;
}

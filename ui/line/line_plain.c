/*
 * The --plain form: for ears, braille and logs. What it is comes first, then
 * who, then what was said; nothing is drawn, nothing is said twice.
 */
#include <string.h>

#include "ui/line/line_internal.h"

/* Appends text; lines behind the first are indented, so that nobody can say
 * something that looks like another event. */
static void put_block(struct line_face *f, const char *text)
{
	while (text != NULL && *text != '\0') {
		size_t len = strcspn(text, "\n");

		(void)buf_append(&f->out, bytes_of(text, len));
		text += len;
		if (*text == '\n') {
			(void)buf_append_str(&f->out, "\n    ");
			text++;
		}
	}
	(void)buf_append_u8(&f->out, '\n');
}

static void put_time(
	struct line_face *f, uint64_t time_ms, const struct ui_clock *clock)
{
	struct ui_date d = ui_date_of(time_ms, clock->utc_offset_s);
	struct ui_date today = ui_date_of(clock->wall_ms, clock->utc_offset_s);

	if (d.day_number != today.day_number)
		(void)buf_appendf(
			&f->out, "%04d-%02d-%02d ", d.year, d.month, d.day);
	(void)buf_appendf(&f->out, "%02d:%02d", d.hour, d.minute);
}

/* "!mali~8wL4Nn": no claimed name begins with a mark. */
static void put_name(
	struct line_face *f, const char *name, const char *tag, char mark)
{
	if (mark != UI_MARK_KNOWN && mark != '\0' && name[0] != '\0')
		(void)buf_append_u8(&f->out, (uint8_t)mark);
	(void)buf_append_str(&f->out, name[0] == '\0' ? "somebody" : name);
	if (ui_mark_needs_tag(mark) && tag[0] != '\0')
		(void)buf_appendf(&f->out, "~%s", tag);
}

static void say_line(struct line_face *f, const struct ui_msg *m,
	const struct ui_clock *clock)
{
	const struct ui_line *l = &m->line;

	if (l->origin == UI_LINE_PAGE)
		return;
	if (l->type == UI_TYPE_DAMAGED) {
		(void)buf_appendf(&f->out, "* [%s] ", line_room_title(f, m));
		put_time(f, l->time_ms, clock);
		(void)buf_append_str(&f->out, " " UI_DAMAGED_TEXT "\n");
		return;
	}
	if (l->type != UI_TYPE_MESSAGE) {
		(void)buf_appendf(&f->out, "* [%s] ", line_room_title(f, m));
		put_name(f, l->name, l->tag, l->name_mark);
		(void)buf_append_str(&f->out,
			l->type == UI_TYPE_JOIN ? " came\n" : " left\n");
		return;
	}
	(void)buf_appendf(&f->out, "[%s] ", line_room_title(f, m));
	put_time(f, l->time_ms, clock);
	(void)buf_append_u8(&f->out, ' ');
	if (l->own)
		(void)buf_append_str(&f->out, "you");
	else
		put_name(f, l->name, l->tag, l->name_mark);
	if (l->state == UI_STATE_UNSAVED)
		(void)buf_append_str(&f->out, " (not saved)");
	if (l->not_kept)
		(void)buf_append_str(&f->out, " (not kept)");
	if (l->clock_wrong)
		(void)buf_append_str(&f->out, " (clock is wrong)");
	(void)buf_append_str(&f->out, l->mention ? " (to you): " : ": ");
	put_block(f, l->text);
}

static void say_ready(struct line_face *f, const struct ui_msg *m)
{
	const char *address = m->text == NULL ? "" : m->text;

	if (f->ready_told)
		return;
	f->ready_told = true;
	(void)buf_appendf(
		&f->out, "* Ready. You are %s, key %s.\n", m->name, m->peer);
	while (*address != '\0') {
		size_t len = strcspn(address, "\n");

		(void)buf_appendf(
			&f->out, "* Listening on %.*s\n", (int)len, address);
		address += len + (address[len] == '\n');
	}
	if (m->room != NULL)
		(void)buf_appendf(&f->out,
			"* The room is %s. Type to speak, /help for more.\n",
			line_room_title(f, m));
}

/* Who came is named by the key where no name is known yet; so is who has
 * another name than before. */
static void say_person(struct line_face *f, const struct ui_person *p)
{
	if (!p->announce && !p->renamed)
		return;
	(void)buf_append_str(&f->out, "* ");
	if (!p->announce) {
		(void)buf_appendf(&f->out, "%s is ", p->peer);
		put_name(f, p->name, p->tag, p->name_mark);
		(void)buf_append_u8(&f->out, '\n');
		return;
	}
	if (p->name[0] != '\0')
		put_name(f, p->name, p->tag, p->name_mark);
	else
		(void)buf_append_str(&f->out, p->peer);
	if (!p->connected)
		(void)buf_append_str(&f->out, " is gone\n");
	else if (p->address == NULL)
		(void)buf_append_str(&f->out, " is connected\n");
	else
		(void)buf_appendf(&f->out, " is connected%s: %s\n",
			p->relayed ? " through a relay" : "", p->address);
}

static void say_room(struct line_face *f, const struct ui_msg *m)
{
	if (!m->changed)
		return;
	if (m->joined)
		(void)buf_appendf(&f->out, "* Joined %s: %u here.\n",
			line_room_title(f, m), (unsigned)m->members);
	else
		(void)buf_appendf(
			&f->out, "* Left %s.\n", line_room_title(f, m));
}

static const char *status_mark(enum chat_status_state state)
{
	switch (state) {
	case CHAT_STATE_BUSY:
		return "[..]";
	case CHAT_STATE_OK:
		return "[ok]";
	case CHAT_STATE_FAILED:
		return "[!!]";
	case CHAT_STATE_NONE:
		return "[--]";
	}
	return "[..]";
}

static void say_notice(struct line_face *f, const struct ui_msg *m)
{
	static const char *const marks[] = {"-- ", "-! ", "!! "};

	(void)buf_append_str(
		&f->out, m->level <= UI_LEVEL_ERROR ? marks[m->level] : "-- ");
	put_block(f, m->text);
}

static void say_status(struct line_face *f, const struct ui_msg *m)
{
	if (!line_status_is_news(f, m))
		return;
	(void)buf_appendf(&f->out, "%s %s: ", status_mark(m->status),
		line_status_item(m->item));
	put_block(f, m->text);
}

void line_plain_note(struct line_face *f, const char *text)
{
	(void)buf_appendf(&f->out, "* %s\n", text);
}

void line_plain_error(struct line_face *f, const char *text)
{
	(void)buf_append_str(&f->out, "!! ");
	put_block(f, text);
}

void line_plain_event(struct line_face *f, const struct ui_msg *m,
	const struct ui_clock *clock)
{
	switch ((enum ui_msg_kind)m->msg.kind) {
	case UI_MSG_READY:
		say_ready(f, m);
		break;
	case UI_MSG_NAME:
		(void)buf_appendf(&f->out, "* You are %s now.\n", m->name);
		break;
	case UI_MSG_ROOM:
		say_room(f, m);
		break;
	case UI_MSG_FOCUS:
		(void)buf_appendf(
			&f->out, "* In %s now.\n", line_room_title(f, m));
		break;
	case UI_MSG_LINE:
		say_line(f, m, clock);
		break;
	case UI_MSG_PERSON:
		say_person(f, &m->person);
		break;
	case UI_MSG_STATUS:
		say_status(f, m);
		break;
	case UI_MSG_NOTICE:
	case UI_MSG_NET:
	case UI_MSG_WHOIS:
	case UI_MSG_PEERS:
		say_notice(f, m);
		break;
	case UI_MSG_ERROR:
		line_plain_error(f, m->text);
		break;
	case UI_MSG_RELOAD:
		line_plain_note(f, "Some events came too fast to be shown.");
		break;
	case UI_MSG_STATE:
	case UI_MSG_PAGE_END:
	case UI_MSG_MEMBER:
	case UI_MSG_UNFOLD:
	case UI_MSG_CLEAR:
	case UI_MSG_QUIT:
		break;
	}
}

/*
 * /join, /part, /rooms, /clear, /history: the typed side of rooms. What
 * entering and leaving mean is in room_enter.c; here are the words, and which
 * room is shown when one is left: the last one never is. The days of /history
 * are the person's: the calendar is reckoned here, without the system's, from
 * the offset that the cfg gives, so that a test or the simulator gets the same
 * lines.
 */
#include <stdlib.h>

#include "chat/chat_internal.h"
#include "chat/cmd_internal.h"
#include "chat/history_internal.h"
#include "chat/out_internal.h"
#include "chat/room_internal.h"

static void bad_room(struct chat *c, int err)
{
	if (err == P2P_ERR_TOO_BIG)
		out_error(c, "bad-room", "A room's name has %d bytes at most.",
			MSG_TOPIC_MAX - 1);
	else
		out_error(c, "bad-room",
			"A room's name is one line of text, e.g. /join "
			"kitchen, or in quotation marks as /rooms shows it.");
}

static void refuse_control(struct chat *c, const char *topic)
{
	char *shown = out_clean(bytes_str(topic));

	out_error(c, "control-topic",
		"%s carries no lines: other programs hand files over there or "
		"look for each other, and a line would end them.",
		shown);
	free(shown);
}

void cmd_join(struct chat *c, struct chat_room *r, struct bytes args)
{
	char topic[MSG_TOPIC_MAX];
	int err = room_topic_of(args, topic);

	if (err != 0) {
		bad_room(c, err);
		return;
	}
	r = room_find(c, topic);
	if (room_topic_is_control(topic) ||
		(r != NULL && room_is_control(c, r))) {
		refuse_control(c, topic);
		return;
	}
	r = room_get(c, topic);
	if (r == NULL || room_join(c, r) != 0) {
		if (c->joined_count >= CHAT_ROOMS_JOINED_MAX)
			out_error(c, "too-many-rooms",
				"You are in %d rooms; /part leaves one.",
				CHAT_ROOMS_JOINED_MAX);
		else
			out_error(c, "too-many-rooms",
				"You have been in %d rooms; no more are kept.",
				CHAT_ROOMS_KEPT_MAX);
		return;
	}
	room_focus(c, r);
	out_ui(c, ui_msg_new(UI_MSG_FOCUS, r->row.topic, NULL));
}

/* The room before it in the list, else the one behind. */
static struct chat_room *neighbour(struct chat *c, struct chat_room *r)
{
	struct list *at;

	for (at = r->order.prev; at != &c->rooms; at = at->prev)
		if (ROOM_OF(at)->row.joined)
			return ROOM_OF(at);
	for (at = r->order.next; at != &c->rooms; at = at->next)
		if (ROOM_OF(at)->row.joined)
			return ROOM_OF(at);
	return NULL;
}

void cmd_part(struct chat *c, struct chat_room *r, struct bytes args)
{
	char topic[MSG_TOPIC_MAX];
	struct chat_room *next;
	int err;

	if (args.len > 0) {
		err = room_topic_of(args, topic);
		r = err == 0 ? room_find(c, topic) : NULL;
	}
	if (r == NULL || !r->row.joined) {
		out_error(c, "no-such-room", "You are in no such room.");
		return;
	}
	next = neighbour(c, r);
	if (next == NULL) {
		out_error(c, "last-room",
			"This is your only room; /quit ends the program.");
		return;
	}
	room_part(c, r);
	if (r != c->focus)
		return;
	room_focus(c, next);
	out_ui(c, ui_msg_new(UI_MSG_FOCUS, next->row.topic, NULL));
}

void cmd_rooms(struct chat *c, struct chat_room *r, struct bytes args)
{
	struct list *pos, *tmp;
	struct buf text;

	(void)r;
	(void)args;
	buf_init(&text, CHAT_NOTICE_BYTES_MAX);
	LIST_FOREACH(pos, tmp, &c->rooms) {
		const struct chat_room *room = ROOM_OF(pos);
		size_t others = room->members.count;

		if (!room->row.joined &&
			(others == 0 || room_is_control(c, room)))
			continue;
		buf_appendf(&text, "%s%s %s: %zu other%s here%s",
			text.len > 0 ? "\n" : "", room->row.joined ? "*" : " ",
			room->title, others, others == 1 ? "" : "s",
			room->row.joined ? "" : " (/join enters)");
		if (room->row.unread > 0)
			buf_appendf(&text, ", %u unread", room->row.unread);
	}
	out_notice(c, UI_LEVEL_INFO, NULL, "%s", buf_cstr(&text));
	buf_clear(&text);
}

void cmd_only(struct chat *c, struct chat_room *r, struct bytes args)
{
	bool known = bytes_equal(args, bytes_str("known"));

	if (r == NULL) {
		out_error(c, "no-such-room", "You are in no such room.");
	} else if (!known && !bytes_equal(args, bytes_str("all"))) {
		out_error(c, "usage",
			"Here you see %s. /only known leaves strangers out, "
			"/only all shows everybody.",
			r->only_known ? "only people you know" : "everybody");
	} else {
		room_set_only(c, r, known);
		out_notice(c, UI_LEVEL_INFO, r, "%s",
			known ? "The screen leaves strangers out of this room "
				"now. You know whom you have answered by name, "
				"whom you keep, and who spoke on two days. "
				"/only all shows everybody."
			      : "The screen shows everybody in this room now.");
	}
}

void cmd_unfold(struct chat *c, struct chat_room *r, struct bytes args)
{
	(void)args;
	if (r != NULL)
		out_ui(c, ui_msg_new(UI_MSG_UNFOLD, r->row.topic, NULL));
}

void cmd_clear(struct chat *c, struct chat_room *r, struct bytes args)
{
	(void)args;
	if (r != NULL)
		out_ui(c, ui_msg_new(UI_MSG_CLEAR, r->row.topic, NULL));
}

/* ---- /history ---------------------------------------------------------- */

#define DAY_S 86400

/* A decimal number that is the whole text; -1 when it is none. */
static int64_t parse_number(struct bytes text)
{
	int64_t n = 0;

	if (text.len == 0 || text.len > 9)
		return -1;
	for (size_t i = 0; i < text.len; i++) {
		if (text.data[i] < '0' || text.data[i] > '9')
			return -1;
		n = n * 10 + (text.data[i] - '0');
	}
	return n;
}

static int days_in(int64_t year, int64_t month)
{
	static const int days[] = {
		31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
	bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);

	return days[month - 1] + (month == 2 && leap);
}

/* Days since 1970-01-01 of a day of the Gregorian calendar. */
static int64_t days_since_1970(int64_t year, int64_t month, int64_t day)
{
	int64_t before = year - 1;
	int64_t days = before * 365 + before / 4 - before / 100 + before / 400;

	for (int64_t m = 1; m < month; m++)
		days += days_in(year, m);
	return days + day - 1 - 719162;
}

/* "2026-11-20", the person's day; false when it is no date. */
static bool parse_date(
	const struct chat *c, struct bytes text, uint64_t *time_ms)
{
	int64_t year, month, day, at;

	if (text.len != 10 || text.data[4] != '-' || text.data[7] != '-')
		return false;
	year = parse_number(bytes_first(text, 4));
	month = parse_number(bytes_first(bytes_skip(text, 5), 2));
	day = parse_number(bytes_skip(text, 8));
	if (year < 1970 || month < 1 || month > 12 || day < 1 ||
		day > days_in(year, month))
		return false;
	at = days_since_1970(year, month, day) * DAY_S - c->utc_offset_s;
	*time_ms = at < 0 ? 0 : (uint64_t)at * 1000;
	return true;
}

void cmd_history(struct chat *c, struct chat_room *r, struct bytes args)
{
	int64_t n = args.len == 0 ? CHAT_HISTORY_DEFAULT : parse_number(args);
	uint64_t time_ms;

	if (r == NULL)
		out_error(c, "no-such-room", "You are in no such room.");
	else if (n > 0 && n <= CHAT_HISTORY_MAX)
		history_last(c, r, (size_t)n);
	else if (n >= 0)
		out_error(c, "usage", "/history shows 1 to %d lines.",
			CHAT_HISTORY_MAX);
	else if (parse_date(c, args, &time_ms))
		history_since(c, r, time_ms);
	else
		out_error(c, "usage",
			"Say how many lines, or a day: /history 20, /history "
			"2026-11-20.");
}

/*
 * /join, /part, /rooms, /clear: the typed side of rooms. What entering and
 * leaving mean is in room_enter.c; here are the words, and which room is shown
 * when one is left: the last one never is.
 */

#include "chat/chat_internal.h"
#include "chat/cmd_internal.h"
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
			"kitchen.");
}

void cmd_join(struct chat *c, struct chat_room *r, struct bytes args)
{
	char topic[MSG_TOPIC_MAX];
	int err = room_topic_of(c, args, topic);

	if (err != 0) {
		bad_room(c, err);
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
		err = room_topic_of(c, args, topic);
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

		if (!room->row.joined && others == 0)
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

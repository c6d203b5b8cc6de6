/*
 * A model with a chat thread that is played by the test. ASCII rules unless
 * the test says otherwise; the wall stands at Thu 20 Nov 2025, 14:35 UTC.
 */
#ifndef TESTS_UNIT_UI_WORLD_H
#define TESTS_UNIT_UI_WORLD_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/mailbox.h"
#include "base/text.h"
#include "base/xmalloc.h"
#include "msg/ui_msg.h"
#include "ui/draw/draw.h"
#include "ui/model/scroll.h"
#include "ui/model/ui_state.h"

#define LOBBY "p2p-chat-default"
#define NOON_MS 1763640000000 /* 12:00 of that day */

struct world {
	struct mailbox *chat;
	struct ui *ui;
	struct ui_clock clock;
	struct ui_canvas canvas;
	struct buf text;
	unsigned lines;
};

static inline void world_open_with(
	struct world *w, int rows, int cols, size_t queue)
{
	struct mailbox_cfg mc = {.count_max = queue, .bytes_max = 1 << 20};
	struct ui_cfg cfg = {.ascii = true};

	memset(w, 0, sizeof(*w));
	w->clock = (struct ui_clock){.now_ms = 5000, .wall_ms = 1763649300000};
	w->chat = mailbox_new(&mc);
	cfg.chat = w->chat;
	cfg.clock = w->clock;
	w->ui = ui_new(&cfg);
	canvas_init(&w->canvas);
	buf_init(&w->text, 1 << 20);
	ui_resize(w->ui, rows, cols);
}

static inline void world_open(struct world *w, int rows, int cols)
{
	world_open_with(w, rows, cols, 64);
}

static inline void world_close(struct world *w)
{
	ui_free(w->ui);
	mailbox_free(w->chat);
	canvas_clear(&w->canvas);
	buf_clear(&w->text);
}

static inline void say(struct world *w, struct ui_msg *m)
{
	ui_on_msg(w->ui, m, &w->clock);
}

static inline void say_room(struct world *w, const char *topic,
	const char *title, unsigned unread, unsigned mentions)
{
	struct ui_msg *m = ui_msg_new(UI_MSG_ROOM, topic, NULL);

	m->title = xstrdup(title);
	m->joined = true;
	m->unread = unread;
	m->mentions = mentions;
	say(w, m);
}

static inline void say_status(struct world *w, enum chat_status_item item,
	enum chat_status_state state, const char *text)
{
	struct ui_msg *m = ui_msg_new(UI_MSG_STATUS, NULL, text);

	m->item = item;
	m->status = state;
	say(w, m);
}

static inline void say_ready(struct world *w)
{
	struct ui_msg *m = ui_msg_new(UI_MSG_READY, LOBBY, "/ip4/10.0.0.1");

	m->title = xstrdup("lobby");
	snprintf(m->name, sizeof(m->name), "amber-otter");
	snprintf(m->peer, sizeof(m->peer), "12D3KooWAbCdEfGhd0a1c31e");
	say(w, m);
	say_status(
		w, CHAT_STATUS_LISTEN, CHAT_STATE_OK, "192.168.1.20 tcp 4001");
	say_status(w, CHAT_STATUS_DISCOVERY, CHAT_STATE_OK, "avahi on eth0");
	say_status(w, CHAT_STATUS_PEOPLE, CHAT_STATE_BUSY, "looking");
}

/* A line of this minute after noon. */
static inline struct ui_msg *line_at(struct world *w, const char *room,
	const char *name, unsigned minute, const char *text)
{
	struct ui_msg *m = ui_msg_new(UI_MSG_LINE, room, NULL);

	m->line.text = xstrdup(text);
	m->line.time_ms = NOON_MS + (uint64_t)minute * 60000;
	m->line.id[0] = 1;
	w->lines++;
	m->line.id[30] = (uint8_t)(w->lines >> 8);
	m->line.id[31] = (uint8_t)w->lines;
	m->line.name_mark = ' ';
	m->line.own = strcmp(name, "you") == 0;
	m->line.state = m->line.own ? UI_STATE_WAITING : UI_STATE_NONE;
	snprintf(m->line.name, sizeof(m->line.name), "%s", name);
	return m;
}

static inline void say_line(struct world *w, const char *room, const char *name,
	unsigned minute, const char *text)
{
	say(w, line_at(w, room, name, minute, text));
}

static inline void page_line(struct world *w, const char *room,
	const char *name, unsigned minute, const char *text)
{
	struct ui_msg *m = line_at(w, room, name, minute, text);

	m->line.origin = UI_LINE_PAGE;
	if (m->line.own)
		m->line.state = UI_STATE_HANDED;
	say(w, m);
}

static inline void page_end(struct world *w, const char *room, bool more)
{
	struct ui_msg *m = ui_msg_new(UI_MSG_PAGE_END, room, NULL);

	m->more = more;
	say(w, m);
}

static inline void say_person(struct world *w, const char *name,
	const char *tag, char mark, uint64_t rtt_us)
{
	struct ui_msg *m = ui_msg_new(UI_MSG_PERSON, NULL, NULL);

	/* A long name is cut: it is only there to tell people apart. */
	if (snprintf(m->person.peer, sizeof(m->person.peer), "12D3%.40s%s",
		    name, tag) < 0)
		abort();
	snprintf(m->person.name, sizeof(m->person.name), "%.40s", name);
	snprintf(m->person.tag, sizeof(m->person.tag), "%.6s", tag);
	m->person.name_mark = mark;
	m->person.connected = true;
	m->person.relayed = mark == '!';
	m->person.rtt_us = rtt_us;
	say(w, m);
}

static inline void say_member(struct world *w, const char *room,
	const char *name, const char *tag, bool in)
{
	struct ui_msg *m = ui_msg_new(UI_MSG_MEMBER, room, NULL);

	snprintf(m->peer, sizeof(m->peer), "12D3%s%s", name, tag);
	m->joined = in;
	say(w, m);
}

static inline void press_mod(
	struct world *w, enum ui_key_code code, unsigned mods, uint32_t cp)
{
	struct ui_key key = {.code = code, .mods = mods, .cp = cp};

	ui_update(w->ui, &key, &w->clock);
}

static inline void press(struct world *w, enum ui_key_code code)
{
	press_mod(w, code, 0, 0);
}

static inline void ctrl(struct world *w, char c)
{
	press_mod(w, UI_KEY_CHAR, UI_MOD_CTRL, (uint32_t)c);
}

static inline void alt(struct world *w, char c)
{
	press_mod(w, UI_KEY_CHAR, UI_MOD_ALT, (uint32_t)c);
}

/* Types UTF-8, a character at a time. */
static inline void type(struct world *w, const char *text)
{
	struct bytes in = bytes_str(text);

	while (in.len > 0) {
		size_t len = 1;
		uint32_t cp = utf8_decode(in, &len);

		press_mod(w, UI_KEY_CHAR, 0, cp);
		in = bytes_skip(in, len);
	}
}

static inline void paste(struct world *w, const char *text)
{
	ui_paste(w->ui, bytes_str(text), &w->clock);
}

/* What stands in the input. */
static inline const char *typed(struct world *w)
{
	return buf_cstr(&ui_edit(w->ui)->text);
}

/* The whole screen as text, after a turn of the face. */
static inline const char *screen(struct world *w)
{
	ui_tick(w->ui, &w->clock);
	draw_screen(w->ui, &w->canvas);
	buf_reset(&w->text);
	canvas_text(&w->canvas, &w->text);
	return buf_cstr(&w->text);
}

/* The next word to the chat thread of this kind; others are dropped. The
 * caller frees it; NULL when there is none. */
static inline struct chat_ui_msg *posted(struct world *w, int kind)
{
	struct msg *m;

	while ((m = mailbox_take(w->chat)) != NULL) {
		if (m->kind == kind)
			return chat_ui_msg_of(m);
		msg_free(m);
	}
	return NULL;
}

/* Whether such a word was posted; its text is compared unless NULL. */
static inline bool was_posted(struct world *w, int kind, const char *text)
{
	struct chat_ui_msg *m = posted(w, kind);
	bool same = m != NULL &&
		    (text == NULL ||
			    (m->text != NULL && strcmp(m->text, text) == 0));

	if (m != NULL)
		msg_free(&m->msg);
	return same;
}

#endif

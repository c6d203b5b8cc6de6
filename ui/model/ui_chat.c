/*
 * What the chat thread says, put into the state.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "base/xmalloc.h"
#include "ui/model/scroll.h"
#include "ui/model/ui_internal.h"

static void on_ready(struct ui *ui, const struct ui_msg *m)
{
	struct room *r;

	ui->ready = true;
	snprintf(ui->peer, sizeof(ui->peer), "%s", m->peer);
	if (m->name[0] != '\0')
		snprintf(ui->name, sizeof(ui->name), "%s", m->name);
	if (ui->current != NULL)
		return;
	r = ui_room_find(ui, m->room);
	if (r == NULL)
		r = ui_room_add(ui, m->room, m->title);
	if (r != NULL)
		ui_room_show(ui, r, true);
}

/* Other lines make up the room now. */
static void set_only(struct room *r, bool only_known)
{
	r->only_known = only_known;
	if (r->load == ROOM_LOAD_NONE)
		return;
	window_clear(&r->win);
	r->view = (struct room_view){.follow = true};
	r->older_from = (struct line_key){0};
	r->new_shown = false;
	r->page_empty = false;
	r->at_newest = true;
	r->at_oldest = false;
	ui_page_ask(r, true);
}

static void on_room(struct ui *ui, const struct ui_msg *m)
{
	struct room *r = ui_room_find(ui, m->room);

	if (!m->joined) {
		if (r != NULL)
			ui_room_remove(ui, r);
		return;
	}
	r = ui_room_add(ui, m->room, m->title);
	if (r == NULL)
		return;
	r->members = m->members;
	if (r->only_known != m->only_known)
		set_only(r, m->only_known);
	if (r == ui->current && r->view.follow)
		return; /* it is being read */
	r->unread = m->unread;
	r->mentions = m->mentions;
}

static void on_focus(struct ui *ui, const struct ui_msg *m)
{
	struct room *r = ui_room_add(ui, m->room, m->title);

	if (r == NULL)
		return;
	ui->focus_pending = false;
	ui_room_show(ui, r, false);
}

/* Bytes of the text that are kept in memory: whole clusters. */
static size_t kept_bytes(const struct ui_line *u, size_t max)
{
	struct bytes text = bytes_str(u->text == NULL ? "" : u->text);
	size_t at = 0;

	if (text.len <= max)
		return text.len;
	while (at < max)
		at += text_cluster(bytes_skip(text, at), NULL);
	return at;
}

/* In words, since marks alone say too little of what may be lost. */
static char *shown_text(
	const struct ui *ui, const struct ui_line *u, size_t len)
{
	const char *mark = u->not_kept                    ? "(not kept) "
			   : u->state == UI_STATE_UNSAVED ? "(not saved) "
							  : "";
	char *marked = u->type == UI_TYPE_DAMAGED
			       ? xstrdup(UI_DAMAGED_TEXT)
			       : xasprintf("%s%.*s", mark, (int)len,
					 u->text == NULL ? "" : u->text);
	char *shown = ui_shown(ui, marked);

	free(marked);
	return shown;
}

static struct line *line_of(
	const struct ui *ui, const struct ui_line *u, bool whole)
{
	struct line *l = xcalloc(1, sizeof(*l));
	char *name = ui_shown(ui, u->name);
	size_t kept =
		kept_bytes(u, whole                ? SIZE_MAX
			      : u->known || u->own ? UI_TEXT_KEPT_KNOWN
						   : UI_TEXT_KEPT_STRANGER);

	l->key.time_ms = u->time_ms;
	memcpy(l->key.id, u->id, sizeof(l->key.id));
	switch (u->type) {
	case UI_TYPE_MESSAGE:
		l->kind = LINE_MESSAGE;
		break;
	case UI_TYPE_JOIN:
		l->kind = LINE_CAME;
		break;
	case UI_TYPE_LEAVE:
		l->kind = LINE_LEFT;
		break;
	case UI_TYPE_DAMAGED:
		l->kind = LINE_NOTICE;
		l->level = UI_LEVEL_WARN;
		break;
	}
	snprintf(l->name, sizeof(l->name), "%.64s", name);
	snprintf(l->tag, sizeof(l->tag), "%s", u->tag);
	l->name_mark = u->name_mark == '\0' ? ' ' : u->name_mark;
	if (!u->own && u->from[0] != '\0')
		l->peer = xstrdup(u->from);
	if (!u->own)
		l->author = line_author(u->from[0] != '\0' ? u->from : u->name);
	l->own = u->own;
	l->known = u->known;
	l->not_kept = u->not_kept;
	l->mention = u->mention;
	l->clock_wrong = u->clock_wrong;
	l->state = u->state;
	l->text = shown_text(ui, u, kept);
	l->bytes = u->text == NULL ? 0 : (uint32_t)strlen(u->text);
	l->cut = kept < l->bytes;
	free(name);
	return l;
}

/* An answer to /history is shown as such, behind what is there: its lines
 * may be far from those in the window. */
static void put_history(struct ui *ui, struct room *r, const struct ui_line *u)
{
	struct ui_date d = ui_date_of(u->time_ms, ui->clock.utc_offset_s);
	char *text;

	if (u->type == UI_TYPE_DAMAGED)
		text = xasprintf("%04d-%02d-%02d %02d:%02d " UI_DAMAGED_TEXT,
			d.year, d.month, d.day, d.hour, d.minute);
	else if (u->type == UI_TYPE_MESSAGE)
		text = xasprintf("%04d-%02d-%02d %02d:%02d %s: %s", d.year,
			d.month, d.day, d.hour, d.minute,
			u->own ? "you" : u->name,
			u->text == NULL ? "" : u->text);
	else
		return;
	ui_room_notice(ui, r, UI_LEVEL_INFO, text);
	free(text);
}

/* The first line of a page that replaces what is here. */
static void replace_window(struct room *r)
{
	window_clear(&r->win);
	r->load_newest = false;
	r->older_from = (struct line_key){0};
	r->at_oldest = false;
	r->at_newest = true;
	r->view.newer = 0;
}

/* A newest page replaces the window when a hole could lie between. */
static void before_page_line(struct room *r, const struct ui_line *u)
{
	struct line_key key = {.time_ms = u->time_ms};
	const struct line *newest;

	if (!r->load_newest)
		return;
	memcpy(key.id, u->id, sizeof(key.id));
	newest = r->win.count == 0 ? NULL : r->win.lines[r->win.count - 1];
	r->load_newest = false;
	if (!r->at_newest || (newest != NULL && line_is_stored(newest) &&
				     line_key_compare(&newest->key, &key) < 0))
		replace_window(r);
	r->newest_from = key;
}

static void on_page_line(struct ui *ui, struct room *r, const struct ui_line *u)
{
	bool whole = r->whole_asked;

	if (r->load != ROOM_LOAD_ASKED ||
		(whole && memcmp(u->id, r->whole_key.id, sizeof(u->id)) != 0))
		return;
	if (!whole)
		before_page_line(r, u);
	(void)window_insert(&r->win, line_of(ui, u, whole));
	r->page_lines++;
}

static void on_line(struct ui *ui, const struct ui_msg *m)
{
	struct room *r = ui_room_find(ui, m->room);
	const struct ui_line *u = &m->line;

	if (r == NULL)
		return;
	if (u->origin == UI_LINE_HISTORY) {
		put_history(ui, r, u);
		return;
	}
	if (u->origin == UI_LINE_PAGE) {
		on_page_line(ui, r, u);
		return;
	}
	if (r->only_known && !u->known && !u->own)
		return;
	if (!r->at_newest || r->load == ROOM_LOAD_NONE) {
		/* It will come with the page that is asked for on return. */
		if (r->load != ROOM_LOAD_NONE)
			r->view.newer++;
		return;
	}
	ui_room_put(ui, r, line_of(ui, u, false));
}

/* The answer to what was asked for one line. It is not there if it was the
 * program's mistake, or is gone from the store. */
static void on_whole_end(struct room *r)
{
	size_t at = window_find(&r->win, &r->whole_key);

	r->whole_asked = false;
	r->load = ROOM_LOAD_DONE;
	if (at < r->win.count && r->win.lines[at]->cut &&
		line_key_compare(&r->win.lines[at]->key, &r->whole_key) == 0) {
		r->win.lines[at]->gone = true;
		r->win.lines[at]->rows = 0;
	}
}

static void on_page_end(struct ui *ui, const struct ui_msg *m)
{
	struct room *r = ui_room_find(ui, m->room);
	int up;

	if (r == NULL || r->load != ROOM_LOAD_ASKED)
		return;
	if (r->whole_asked) {
		on_whole_end(r);
		return;
	}
	if (r->load_newest && !r->at_newest)
		replace_window(r); /* the page was empty */
	/* What is older than a newest page may lack lines by now. */
	if (m->more)
		window_drop_oldest(&r->win,
			r->win.count - window_find(&r->win, &r->newest_from));
	r->newest_from = (struct line_key){0};
	r->load = ROOM_LOAD_DONE;
	r->load_newest = false;
	r->at_oldest = !m->more;
	r->page_empty = r->page_lines == 0;
	r->page_lines = 0;
	r->older_from = (struct line_key){.time_ms = m->line.time_ms};
	memcpy(r->older_from.id, m->line.id, sizeof(m->line.id));
	ui_room_keep_bounds(ui, r);
	ui_room_place_new(r);
	up = r->view.want_up;
	r->view.want_up = 0;
	if (r != ui->current)
		return;
	/* Nothing of what was looked through is shown: on with it. */
	if (up > 0 && r->page_empty && m->more) {
		r->view.want_up = up;
		ui_page_ask(r, false);
	} else if (up > 0) {
		ui_fold_settle(ui);
		(void)scroll_by(ui, -up);
	}
}

static void on_state(struct ui *ui, const struct ui_msg *m)
{
	struct room *r = ui_room_find(ui, m->room);
	struct line *l = r == NULL ? NULL : window_by_id(&r->win, m->line.id);

	if (l == NULL)
		return;
	if (m->line.state == UI_STATE_SAVED)
		window_remove(&r->win, l);
	else
		window_set_state(&r->win, l, m->line.state);
}

static void on_member(struct ui *ui, const struct ui_msg *m)
{
	struct room *r = ui_room_find(ui, m->room);
	const struct person *p;
	struct line *l;

	if (r == NULL ||
		!people_set_member(&ui->people, m->peer, r->slot, m->joined))
		return;
	p = people_find(&ui->people, m->peer);
	if (p == NULL || p->ignored || !r->at_newest)
		return;
	l = xcalloc(1, sizeof(*l));
	l->kind = m->joined ? LINE_CAME : LINE_LEFT;
	l->name_mark = ' ';
	l->text = xstrdup("");
	/* Names often become known a moment later. */
	l->peer = xstrdup(m->peer);
	snprintf(l->name, sizeof(l->name), "%s", p->name);
	window_local_key(&r->win, ui->clock.wall_ms, &l->key);
	ui_room_put(ui, r, l);
}

/* Lines may be missing: the newest are asked for, at once or on return. */
static void refresh(struct room *r)
{
	if (r->load == ROOM_LOAD_NONE)
		return;
	r->whole_asked = false;
	if (r->view.follow)
		ui_page_ask(r, true);
	else
		r->load = ROOM_LOAD_DONE;
	r->at_newest = r->at_newest && r->view.follow;
}

/* Lines that came while the person was ignored are only in the store. */
static void set_ignored(struct ui *ui, const char *peer, bool ignored)
{
	for (size_t i = 0; i < ui->room_count; i++) {
		struct room *r = ui->rooms[i];

		window_set_ignored(&r->win, peer, ignored);
		/* The line at the top of the view may have no rows now. */
		r->view.row = 0;
		r->refold = true;
		if (!ignored && !r->cleared)
			refresh(r);
	}
}

/* Somebody became a friend, a regular, or a stranger again. */
static void set_known(struct ui *ui, const char *peer, bool known)
{
	for (size_t i = 0; i < ui->room_count; i++) {
		window_set_known(&ui->rooms[i]->win, peer, known);
		if (ui->rooms[i]->only_known)
			refresh(ui->rooms[i]);
	}
}

static void on_person(struct ui *ui, struct ui_msg *m)
{
	const struct person *p = people_find(&ui->people, m->person.peer);
	bool was = p != NULL && p->ignored;
	bool was_known = p != NULL && p->known;
	char *name = ui_shown(ui, m->person.name);

	snprintf(m->person.name, sizeof(m->person.name), "%.64s", name);
	free(name);
	if (m->person.agent != NULL) {
		char *agent = ui_shown(ui, m->person.agent);

		free(m->person.agent);
		m->person.agent = agent;
	}
	people_update(&ui->people, &m->person);
	if (was_known != m->person.known)
		set_known(ui, m->person.peer, m->person.known);
	if (was != m->person.ignored)
		set_ignored(ui, m->person.peer, m->person.ignored);
}

static void on_status(struct ui *ui, const struct ui_msg *m)
{
	struct ui_check *c;

	if (m->item >= CHAT_STATUS_COUNT)
		return;
	c = &ui->checks[m->item];
	c->known = true;
	c->state = m->status;
	free(c->text);
	c->text = ui_shown(ui, m->text == NULL ? "" : m->text);
}

static void on_clear(struct ui *ui, const struct ui_msg *m)
{
	struct room *r =
		m->room == NULL ? ui->current : ui_room_find(ui, m->room);

	if (r == NULL)
		return;
	window_clear(&r->win);
	r->cleared = true;
	r->at_oldest = false;
	r->at_newest = true;
	r->new_shown = false;
	r->view = (struct room_view){.follow = true};
}

/* Words were lost: everything is asked for again. */
static void on_reload(struct ui *ui)
{
	ui->reload_pending = true;
	people_mark_stale(&ui->people);
	for (size_t i = 0; i < ui->room_count; i++)
		refresh(ui->rooms[i]);
}

static void on_quit(struct ui *ui, const struct ui_msg *m)
{
	ui->quit = true;
	ui->status = m->number;
}

static void dispatch(struct ui *ui, struct ui_msg *m)
{
	switch ((enum ui_msg_kind)m->msg.kind) {
	case UI_MSG_READY:
		on_ready(ui, m);
		break;
	case UI_MSG_NAME:
		snprintf(ui->name, sizeof(ui->name), "%s", m->name);
		break;
	case UI_MSG_ROOM:
		on_room(ui, m);
		break;
	case UI_MSG_FOCUS:
		on_focus(ui, m);
		break;
	case UI_MSG_LINE:
		on_line(ui, m);
		break;
	case UI_MSG_PAGE_END:
		on_page_end(ui, m);
		break;
	case UI_MSG_STATE:
		on_state(ui, m);
		break;
	case UI_MSG_PERSON:
		on_person(ui, m);
		break;
	case UI_MSG_MEMBER:
		on_member(ui, m);
		break;
	case UI_MSG_STATUS:
		on_status(ui, m);
		break;
	case UI_MSG_NOTICE:
	case UI_MSG_NET:
	case UI_MSG_WHOIS:
	case UI_MSG_PEERS:
		ui_room_notice(
			ui, ui_room_find(ui, m->room), m->level, m->text);
		break;
	case UI_MSG_ERROR:
		ui_room_notice(
			ui, ui_room_find(ui, m->room), UI_LEVEL_ERROR, m->text);
		break;
	case UI_MSG_CLEAR:
		on_clear(ui, m);
		break;
	case UI_MSG_UNFOLD:
		ui_fold_turn(ui, true);
		break;
	case UI_MSG_RELOAD:
		on_reload(ui);
		break;
	case UI_MSG_QUIT:
		on_quit(ui, m);
		break;
	}
}

void ui_on_msg(struct ui *ui, struct ui_msg *m, const struct ui_clock *clock)
{
	bool line = m->msg.kind == UI_MSG_LINE;

	ui->clock = *clock;
	dispatch(ui, m);
	msg_free(&m->msg);
	ui->dirty = true;
	/* Many lines come together: what follows from them, once for all. */
	if (line)
		ui->unsettled = true;
	else
		ui_settle(ui);
}

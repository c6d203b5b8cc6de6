/*
 * The list of rooms: added, removed, shown, filled with lines. Each has a slot,
 * a bit by which people remember who is in it. The first room shown is the
 * start: the words that the program said before there was a room move into it.
 */
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "base/xmalloc.h"
#include "ui/model/ui_internal.h"

struct room *ui_room_find(const struct ui *ui, const char *topic)
{
	for (size_t i = 0; topic != NULL && i < ui->room_count; i++)
		if (strcmp(ui->rooms[i]->topic, topic) == 0)
			return ui->rooms[i];
	return NULL;
}

static unsigned free_slot(const struct ui *ui)
{
	uint64_t taken = 0;
	unsigned slot = 0;

	for (size_t i = 0; i < ui->room_count; i++)
		taken |= UINT64_C(1) << ui->rooms[i]->slot;
	while ((taken >> slot & 1) != 0)
		slot++;
	return slot;
}

static void adopt_early(struct ui *ui, struct room *r)
{
	for (size_t i = 0; i < ui->early_count; i++) {
		window_local_key(
			&r->win, ui->early[i]->key.time_ms, &ui->early[i]->key);
		(void)window_insert(&r->win, ui->early[i]);
	}
	ui->early_count = 0;
}

/* A topic may be any bytes; a title is clean. */
static char *title_of(const struct ui *ui, const char *topic, const char *title)
{
	struct buf clean;
	char *shown;

	if (title != NULL)
		return ui_shown(ui, title);
	buf_init(&clean, 4096);
	(void)text_clean(TEXT_LINE, bytes_str(topic), &clean);
	shown = ui_shown(ui, buf_cstr(&clean));
	buf_clear(&clean);
	return shown;
}

struct room *ui_room_add(struct ui *ui, const char *topic, const char *title)
{
	struct room *r = ui_room_find(ui, topic);

	if (r == NULL) {
		if (topic == NULL)
			return NULL;
		if (ui->room_count == UI_ROOMS_MAX) {
			ui_note(ui, "more rooms than the screen can show");
			return NULL;
		}
		r = xcalloc(1, sizeof(*r));
		r->topic = xstrdup(topic);
		r->title = title_of(ui, topic, title);
		r->slot = free_slot(ui);
		r->at_newest = true;
		r->view.follow = true;
		window_init(&r->win);
		edit_init(&r->edit);
		ui->rooms[ui->room_count++] = r;
	} else if (title != NULL) {
		free(r->title);
		r->title = ui_shown(ui, title);
	}
	return r;
}

void ui_room_free(struct room *r)
{
	window_clear(&r->win);
	edit_clear(&r->edit);
	free(r->topic);
	free(r->title);
	free(r);
}

size_t ui_room_index(const struct ui *ui, const struct room *r)
{
	size_t i = 0;

	while (i < ui->room_count && ui->rooms[i] != r)
		i++;
	return i;
}

void ui_room_remove(struct ui *ui, struct room *r)
{
	size_t at = ui_room_index(ui, r);

	P2P_ASSERT(at < ui->room_count);
	people_forget_room(&ui->people, r->slot);
	ui->room_count--;
	memmove(&ui->rooms[at], &ui->rooms[at + 1],
		(ui->room_count - at) * sizeof(ui->rooms[0]));
	if (ui->last == r)
		ui->last = NULL;
	if (ui->start == r)
		ui->start = NULL;
	if (ui->current == r) {
		ui_complete_end(ui);
		ui->current = NULL;
		if (ui->last != NULL)
			ui_room_show(ui, ui->last, true);
		else if (ui->room_count > 0)
			ui_room_show(ui,
				ui->rooms[P2P_MIN(at, ui->room_count - 1)],
				true);
	}
	ui_room_free(r);
}

/* Leaves the room that is shown: its rule goes, far lines are dropped. */
static void leave(struct ui *ui, struct room *r)
{
	r->new_shown = false;
	r->new_pending = false;
	r->view.want_up = 0;
	if (r->view.follow && r->win.count > UI_WINDOW_LINES_IDLE) {
		window_drop_oldest(&r->win, UI_WINDOW_LINES_IDLE);
		r->at_oldest = false;
		r->older_from = (struct line_key){0};
	}
	window_measure_names(&r->win);
	ui->last = r;
}

void ui_room_show(struct ui *ui, struct room *r, bool tell)
{
	if (r == ui->current)
		return;
	ui_complete_end(ui);
	if (ui->current != NULL)
		leave(ui, ui->current);
	ui->current = r;
	r->win.unsettled = true;
	r->refold = true;
	r->page_empty = false;
	ui->people_top = 0;
	if (ui->start == NULL) {
		ui->start = r;
		adopt_early(ui, r);
	}
	if (r->edit.text.len == 0 && ui->no_room.text.len > 0) {
		/* What was typed before the first room is not lost. */
		edit_replace(&r->edit, edit_text(&ui->no_room));
		edit_reset(&ui->no_room);
	}
	ui->history_at = ui->history_count;
	r->new_pending = r->unread > 0;
	r->new_count = r->unread;
	r->unread = 0;
	r->mentions = 0;
	ui->focus_pending = ui->focus_pending || tell;
	if (r->load == ROOM_LOAD_NONE)
		ui_page_ask(r, true);
	else if (r->load == ROOM_LOAD_DONE)
		ui_room_place_new(r);
}

void ui_room_place_new(struct room *r)
{
	size_t i = r->win.count;
	uint32_t left = r->new_count;

	if (!r->new_pending)
		return;
	r->new_pending = false;
	while (i > 0 && left > 0) {
		const struct line *l = r->win.lines[--i];

		if (l->kind == LINE_MESSAGE && !l->own && !l->ignored)
			left--;
	}
	r->win.unsettled = true;
	r->new_shown = i < r->win.count;
	r->new_key = i == 0 ? (struct line_key){0} : r->win.lines[i - 1]->key;
}

void ui_room_keep_bounds(const struct ui *ui, struct room *r)
{
	bool here = r == ui->current;
	size_t lines = here ? UI_WINDOW_LINES_MAX : UI_WINDOW_LINES_AWAY;
	size_t bytes = here ? UI_WINDOW_BYTES_MAX : UI_WINDOW_BYTES_AWAY;

	while (r->win.count > 0 &&
		(r->win.count > lines || r->win.bytes > bytes)) {
		size_t keep = P2P_MIN(r->win.count - 1, lines);

		if (r->view.follow) {
			window_drop_oldest(&r->win, keep);
			r->at_oldest = false;
			r->older_from = (struct line_key){0};
		} else {
			/* Read far back: the end goes, and is asked for on
			 * return. */
			window_drop_newest(&r->win, keep);
			r->at_newest = false;
		}
	}
}

void ui_room_put(struct ui *ui, struct room *r, struct line *l)
{
	bool seen = r == ui->current && r->view.follow;
	bool message = l->kind == LINE_MESSAGE;

	/* What is being read does not move, whatever its date. */
	l->held = !r->view.follow;
	if (!window_insert(&r->win, l))
		return;
	if (!seen && message && !r->view.follow)
		r->view.newer++;
	ui_room_keep_bounds(ui, r);
}

void ui_room_notice(
	struct ui *ui, struct room *r, enum ui_level level, const char *text)
{
	char *shown = ui_shown(ui, text == NULL ? "" : text);

	if (r == NULL)
		r = ui->current;
	if (r != NULL) {
		(void)window_notice(&r->win, ui->clock.wall_ms, level, shown);
		ui_room_keep_bounds(ui, r);
	} else if (ui->early_count < UI_EARLY_MAX) {
		struct line *l = xcalloc(1, sizeof(*l));

		l->kind = LINE_NOTICE;
		l->level = level;
		l->key.time_ms = ui->clock.wall_ms;
		l->text = xstrdup(shown);
		ui->early[ui->early_count++] = l;
	}
	free(shown);
}

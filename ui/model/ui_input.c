/*
 * What keys and pasted text do.
 */

#include "base/text.h"
#include "ui/model/scroll.h"
#include "ui/model/ui_internal.h"

/* Takes [from, to) out of the draft, for C-y. */
static void cut(struct ui *ui, size_t from, size_t to)
{
	struct edit *e = ui_edit(ui);

	if (from == to)
		return;
	buf_reset(&ui->kill);
	(void)buf_append(&ui->kill, bytes_of(e->text.data + from, to - from));
	edit_delete(e, from, to);
}

static void insert(struct ui *ui, struct bytes in, bool typed)
{
	if (!edit_insert(ui_edit(ui), in, typed) && in.len > 0)
		ui_note(ui, "that does not fit here");
}

static bool edit_action(struct ui *ui, enum ui_action action)
{
	struct edit *e = ui_edit(ui);

	switch ((int)action) {
	case UI_ACTION_LINE_START:
		e->cursor = edit_line_start(e);
		break;
	case UI_ACTION_LEFT:
		e->cursor = edit_left(e);
		break;
	case UI_ACTION_RIGHT:
		e->cursor = edit_right(e);
		break;
	case UI_ACTION_WORD_LEFT:
		e->cursor = edit_word_left(e);
		break;
	case UI_ACTION_WORD_RIGHT:
		e->cursor = edit_word_right(e);
		break;
	case UI_ACTION_ERASE:
		edit_delete(e, edit_erase_from(e), e->cursor);
		break;
	case UI_ACTION_DELETE:
		edit_delete(e, e->cursor, edit_right(e));
		break;
	case UI_ACTION_KILL_SPACE_WORD:
		cut(ui, edit_space_left(e), e->cursor);
		break;
	case UI_ACTION_KILL_WORD_LEFT:
		cut(ui, edit_word_left(e), e->cursor);
		break;
	case UI_ACTION_KILL_WORD_RIGHT:
		cut(ui, e->cursor, edit_word_right(e));
		break;
	case UI_ACTION_KILL_START:
		cut(ui, edit_line_start(e), e->cursor);
		break;
	case UI_ACTION_KILL_END:
		cut(ui, e->cursor, edit_line_end(e));
		break;
	case UI_ACTION_YANK:
		insert(ui, buf_bytes(&ui->kill), false);
		break;
	case UI_ACTION_SWAP:
		edit_swap(e);
		break;
	case UI_ACTION_UNDO:
		(void)edit_undo(e);
		break;
	case UI_ACTION_NEWLINE:
		insert(ui, bytes_of("\n", 1), false);
		break;
	default:
		return false;
	}
	return true;
}

/* The next room in the list that has mentions, else one with unread lines. */
static void go_active(struct ui *ui)
{
	size_t at = ui_room_index(ui, ui->current);
	struct room *found = NULL;

	for (size_t i = 1; i <= ui->room_count; i++) {
		struct room *r = ui->rooms[(at + i) % ui->room_count];

		if (r == ui->current)
			continue;
		if (r->mentions > 0) {
			found = r;
			break;
		}
		if (found == NULL && r->unread > 0)
			found = r;
	}
	if (found != NULL)
		ui_room_show(ui, found, true);
	else
		ui_note(ui, "nothing new elsewhere");
}

static void go_step(struct ui *ui, size_t step)
{
	size_t at = ui_room_index(ui, ui->current);

	if (ui->room_count > 0)
		ui_room_show(ui, ui->rooms[(at + step) % ui->room_count], true);
}

static bool room_action(
	struct ui *ui, enum ui_action action, const struct ui_key *key)
{
	size_t number;

	switch ((int)action) {
	case UI_ACTION_ROOM_NEXT:
		go_step(ui, 1);
		break;
	case UI_ACTION_ROOM_PREV:
		go_step(ui, ui->room_count - 1);
		break;
	case UI_ACTION_ROOM_NUMBER:
		number = key->cp == '0' ? 9 : key->cp - '1';
		if (number < ui->room_count)
			ui_room_show(ui, ui->rooms[number], true);
		break;
	case UI_ACTION_ROOM_ACTIVE:
		go_active(ui);
		break;
	case UI_ACTION_ROOM_LAST:
		if (ui->last != NULL)
			ui_room_show(ui, ui->last, true);
		break;
	default:
		return false;
	}
	return true;
}

static void page_up(struct ui *ui)
{
	struct room *r = ui->current;
	int left;

	if (r == NULL)
		return;
	r->cleared = false;
	r->page_empty = false;
	left = scroll_by(ui, -P2P_MAX(ui->layout.chat.rows - 2, 1));
	if (left == 0 || r->at_oldest)
		return;
	r->view.want_up = left;
	if (r->load == ROOM_LOAD_DONE)
		ui_page_ask(r, false);
}

static bool view_action(struct ui *ui, enum ui_action action)
{
	switch ((int)action) {
	case UI_ACTION_PAGE_UP:
		ui_fold_again(ui);
		page_up(ui);
		break;
	case UI_ACTION_PAGE_DOWN:
		ui_fold_again(ui);
		(void)scroll_by(ui, P2P_MAX(ui->layout.chat.rows - 2, 1));
		break;
	case UI_ACTION_OLDEST:
		ui_fold_again(ui);
		scroll_to_oldest(ui);
		break;
	case UI_ACTION_NEWEST:
		scroll_to_newest(ui);
		break;
	case UI_ACTION_FOLD:
		ui->unfolded = !ui->unfolded;
		ui_fold_again(ui);
		break;
	case UI_ACTION_UNFOLD:
		ui_fold_turn(ui, false);
		break;
	case UI_ACTION_PANE_UP:
		ui->people_top = P2P_MAX(ui->people_top - 3, 0);
		break;
	case UI_ACTION_PANE_DOWN:
		ui->people_top =
			P2P_MIN(ui->people_top + 3, (int)ui->people.count);
		break;
	case UI_ACTION_HELP:
		ui->help = true;
		ui->help_top = 0;
		break;
	case UI_ACTION_REDRAW:
		ui->want_redraw = true;
		break;
	case UI_ACTION_SUSPEND:
		ui->want_suspend = true;
		break;
	default:
		return false;
	}
	return true;
}

static void toggle_pane(struct ui *ui, bool rooms)
{
	enum layout_overlay o =
		rooms ? LAYOUT_OVERLAY_ROOMS : LAYOUT_OVERLAY_PEOPLE;

	if (ui->layout.kind >= LAYOUT_ONE) {
		if (rooms)
			ui->hide_rooms = !ui->hide_rooms;
		else
			ui->hide_people = !ui->hide_people;
		return;
	}
	if (ui->layout.kind < LAYOUT_NARROW)
		ui_note(ui, "the window is too small for panes");
	ui->overlay = ui->overlay == o ? LAYOUT_OVERLAY_NONE : o;
}

static size_t lines_waiting(const struct ui *ui)
{
	size_t n = 0;

	for (size_t i = 0; i < ui->room_count; i++)
		n += ui->rooms[i]->win.waiting;
	return n;
}

/* C-c: clears the line; twice on an empty one quits, and asks when lines
 * wait to be sent. */
static void do_break(struct ui *ui)
{
	struct edit *e = ui_edit(ui);

	if (e->text.len > 0) {
		edit_delete(e, 0, e->text.len);
		ui->break_ms = 0;
		return;
	}
	if (ui->quit_asked) {
		ui_quit(ui);
		return;
	}
	if (ui->break_ms == 0 ||
		ui->clock.now_ms - ui->break_ms > UI_QUIT_TWICE_MS) {
		ui->break_ms = P2P_MAX(ui->clock.now_ms, 1u);
		ui_note(ui, "C-c again to quit");
		return;
	}
	if (lines_waiting(ui) > 0)
		ui->ask_quit = true;
	else
		ui_quit(ui);
}

static void do_close(struct ui *ui)
{
	ui->overlay = LAYOUT_OVERLAY_NONE;
	ui->note[0] = '\0';
}

static void do_action(
	struct ui *ui, enum ui_action action, const struct ui_key *key)
{
	if (action == UI_ACTION_LINE_END) {
		struct edit *e = ui_edit(ui);

		if (e->text.len == 0)
			scroll_to_newest(ui);
		e->cursor = edit_line_end(e);
	} else if (action == UI_ACTION_SEND) {
		ui_line_send(ui);
	} else if (action == UI_ACTION_COMPLETE) {
		ui_complete_next(ui, 1);
	} else if (action == UI_ACTION_COMPLETE_BACK) {
		ui_complete_next(ui, -1);
	} else if (action == UI_ACTION_UP) {
		ui_line_up(ui);
	} else if (action == UI_ACTION_DOWN) {
		ui_line_down(ui);
	} else if (action == UI_ACTION_PANE_ROOMS) {
		toggle_pane(ui, true);
	} else if (action == UI_ACTION_PANE_PEOPLE) {
		toggle_pane(ui, false);
	} else if (action == UI_ACTION_BREAK) {
		do_break(ui);
	} else if (action == UI_ACTION_CLOSE) {
		do_close(ui);
	} else if (!edit_action(ui, action) && !view_action(ui, action)) {
		(void)room_action(ui, action, key);
	}
}

static void do_text(struct ui *ui, const struct ui_key *key)
{
	struct buf in;

	if (key->code != UI_KEY_CHAR || key->mods != 0)
		return;
	buf_init(&in, 4);
	utf8_encode(&in, key->cp);
	insert(ui, buf_bytes(&in), true);
	buf_clear(&in);
}

/* Help is open: it takes the keys that move it, all others close it. */
static bool help_key(struct ui *ui, enum ui_action action)
{
	int page = P2P_MAX(ui->layout.rows - 3, 1);
	int last = P2P_MAX(keymap_help_lines() - (ui->layout.rows - 1), 0);

	if (!ui->help)
		return false;
	if (action == UI_ACTION_PAGE_DOWN)
		ui->help_top += page;
	else if (action == UI_ACTION_PAGE_UP)
		ui->help_top = P2P_MAX(ui->help_top - page, 0);
	else if (action == UI_ACTION_DOWN)
		ui->help_top++;
	else if (action == UI_ACTION_UP)
		ui->help_top = P2P_MAX(ui->help_top - 1, 0);
	else
		ui->help = false;
	ui->help_top = P2P_MIN(ui->help_top, last);
	return action != UI_ACTION_SUSPEND && action != UI_ACTION_REDRAW;
}

/* "2 lines wait. Quit?" is asked: yes, or anything else. */
static bool ask_key(
	struct ui *ui, enum ui_action action, const struct ui_key *key)
{
	if (!ui->ask_quit)
		return false;
	ui->ask_quit = false;
	if (action == UI_ACTION_BREAK || action == UI_ACTION_SEND ||
		(key->code == UI_KEY_CHAR && key->mods == 0 &&
			(key->cp == 'y' || key->cp == 'Y')))
		ui_quit(ui);
	return true;
}

static void after_input(struct ui *ui)
{
	ui->dirty = true;
	ui_settle(ui);
}

void ui_update(
	struct ui *ui, const struct ui_key *key, const struct ui_clock *clock)
{
	enum ui_action action = keymap_find(key);

	ui->clock = *clock;
	if (action != UI_ACTION_COMPLETE && action != UI_ACTION_COMPLETE_BACK)
		ui_complete_end(ui);
	if (action != UI_ACTION_BREAK)
		ui->break_ms = 0;
	if (!ask_key(ui, action, key) && !help_key(ui, action)) {
		if (action == UI_ACTION_NONE)
			do_text(ui, key);
		else
			do_action(ui, action, key);
	}
	after_input(ui);
}

void ui_paste(struct ui *ui, struct bytes in, const struct ui_clock *clock)
{
	struct buf clean;
	struct buf lines;

	ui->clock = *clock;
	ui_complete_end(ui);
	buf_init(&lines, MSG_TEXT_BYTES_MAX);
	for (size_t i = 0; i < in.len && !lines.failed; i++) {
		/* Terminals send CR for a newline. */
		if (in.data[i] != '\r')
			(void)buf_append_u8(&lines, in.data[i]);
		else if (i + 1 >= in.len || in.data[i + 1] != '\n')
			(void)buf_append_u8(&lines, '\n');
	}
	buf_init(&clean, MSG_TEXT_BYTES_MAX);
	(void)text_clean(TEXT_BLOCK, buf_bytes(&lines), &clean);
	if (lines.failed || clean.failed)
		ui_note(ui, "the end of the paste does not fit");
	if (!edit_insert(ui_edit(ui), buf_bytes(&clean), false) &&
		clean.len > 0)
		ui_note(ui, "the paste does not fit here");
	buf_clear(&lines);
	buf_clear(&clean);
	after_input(ui);
}

/*
 * The model as a whole: made and freed, its size, its time, its end. What keys
 * do is in ui_input.c and ui_line.c, what chat says in ui_chat.c, what goes
 * back in ui_post.c.
 */
#include "ui/model/ui.h"

#include <stdlib.h>

#include "base/xmalloc.h"
#include "ui/model/scroll.h"
#include "ui/model/shape.h"
#include "ui/model/ui_internal.h"

struct ui *ui_new(const struct ui_cfg *cfg)
{
	struct ui *ui = xcalloc(1, sizeof(*ui));

	ui->cfg = *cfg;
	ui->clock = cfg->clock;
	ui->want_rows = 24;
	ui->want_cols = 80;
	edit_init(&ui->no_room);
	buf_init(&ui->kill, MSG_TEXT_BYTES_MAX);
	people_init(&ui->people);
	ui->dirty = true;
	ui_layout(ui);
	return ui;
}

void ui_free(struct ui *ui)
{
	if (ui == NULL)
		return;
	ui_complete_end(ui);
	for (size_t i = 0; i < ui->room_count; i++)
		ui_room_free(ui->rooms[i]);
	for (size_t i = 0; i < ui->history_count; i++)
		free(ui->history[i]);
	for (size_t i = 0; i < ui->early_count; i++)
		line_free(ui->early[i]);
	for (size_t i = 0; i < CHAT_STATUS_COUNT; i++)
		free(ui->checks[i].text);
	free(ui->history_draft);
	edit_clear(&ui->no_room);
	buf_clear(&ui->kill);
	people_clear(&ui->people);
	free(ui);
}

void ui_layout(struct ui *ui)
{
	struct layout_want want = {
		.rows = ui->want_rows,
		.cols = ui->want_cols,
		.room_count = ui->room_count,
		.hide_rooms = ui->hide_rooms,
		.hide_people = ui->hide_people,
		.overlay = ui->overlay,
	};
	enum layout_kind before = ui->layout.kind;
	int prompt = shape_prompt_cols(ui);

	want.input_rows = shape_measure(ui, ui->want_cols - prompt).rows;
	layout_make(&ui->layout, &want, before);
	/* The prompt depends on the kind, the kind not on the prompt. */
	prompt = shape_prompt_cols(ui);
	want.input_rows = shape_measure(ui, ui->layout.cols - prompt).rows;
	layout_make(&ui->layout, &want, before);
}

void ui_resize(struct ui *ui, int rows, int cols)
{
	ui->want_rows = rows;
	ui->want_cols = cols;
	ui->dirty = true;
	ui_settle(ui);
}

void ui_settle(struct ui *ui)
{
	ui->unsettled = false;
	ui_layout(ui);
	ui_fold_settle(ui);
	scroll_settle(ui);
	ui_fold_settle(ui);
	scroll_page_if_near(ui);
	ui_flush(ui);
}

void ui_tick(struct ui *ui, const struct ui_clock *clock)
{
	int64_t minute = (int64_t)(ui->clock.wall_ms / 60000);

	ui->clock = *clock;
	if (ui->note[0] != '\0' && clock->now_ms >= ui->note_until_ms) {
		ui->note[0] = '\0';
		ui->dirty = true;
	}
	if (ui->break_ms != 0 &&
		clock->now_ms - ui->break_ms > UI_QUIT_TWICE_MS)
		ui->break_ms = 0;
	/* Days change, in the separators. */
	if (minute / 1440 != (int64_t)(clock->wall_ms / 60000) / 1440)
		ui->dirty = true;
	if (ui->unsettled)
		ui_settle(ui);
	else if (ui->retry)
		ui_flush(ui);
}

uint64_t ui_deadline(const struct ui *ui)
{
	uint64_t at = P2P_NEVER;

	if (ui->note[0] != '\0')
		at = ui->note_until_ms;
	if (ui->break_ms != 0)
		at = P2P_MIN(at, ui->break_ms + UI_QUIT_TWICE_MS + 1);
	if (ui->unsettled)
		at = ui->clock.now_ms;
	if (ui->retry)
		at = P2P_MIN(at, ui->clock.now_ms + UI_RETRY_MS);
	return at;
}

void ui_quit(struct ui *ui)
{
	if (ui->quit_posted) {
		ui->quit = true;
		return;
	}
	ui->quit_asked = true;
	ui_note(ui, "leaving...");
	ui_flush(ui);
}

bool ui_wants_quit(const struct ui *ui, int *status)
{
	if (ui->quit)
		*status = ui->status;
	return ui->quit;
}

static bool take(bool *flag)
{
	bool was = *flag;

	*flag = false;
	return was;
}

bool ui_take_dirty(struct ui *ui)
{
	return take(&ui->dirty);
}

bool ui_take_redraw(struct ui *ui)
{
	return take(&ui->want_redraw);
}

bool ui_take_suspend(struct ui *ui)
{
	return take(&ui->want_suspend);
}

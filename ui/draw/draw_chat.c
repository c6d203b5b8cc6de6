/*
 * The message pane.
 */
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "ui/draw/draw_internal.h"
#include "ui/model/scroll.h"

/* A rule across the pane with a word in its middle. */
static void draw_rule(
	const struct ui *ui, struct ui_canvas *c, int row, const char *word)
{
	const struct rect *r = &ui->layout.chat;
	int width = (int)text_width(bytes_str(word));
	struct canvas_place at = {row, r->col, r->cols};

	canvas_fill(c, at, draw_across(ui), STYLE_DIM);
	if (width + 4 > r->cols)
		return;
	at.col += (r->cols - width - 2) / 2;
	at.cols = width + 2;
	canvas_fill(c, at, " ", STYLE_DIM);
	at.col++;
	canvas_puts(c, at, word, STYLE_DIM);
}

static void draw_day(
	const struct ui *ui, struct ui_canvas *c, int row, const struct line *l)
{
	struct ui_date d = ui_date_of(l->key.time_ms, ui->clock.utc_offset_s);
	struct ui_date today =
		ui_date_of(ui->clock.wall_ms, ui->clock.utc_offset_s);
	char word[40];

	if (d.year == today.year)
		snprintf(word, sizeof(word), "%s %d %s", ui_date_weekday(&d),
			d.day, ui_date_month(&d));
	else
		snprintf(word, sizeof(word), "%s %d %s %d", ui_date_weekday(&d),
			d.day, ui_date_month(&d), d.year);
	draw_rule(ui, c, row, word);
}

static enum canvas_style line_style(const struct line *l)
{
	if (l->part == FOLD_HEAD)
		return STYLE_DIM;
	if (l->kind == LINE_MESSAGE)
		return l->mention ? STYLE_MENTION : STYLE_TEXT;
	if (l->kind != LINE_NOTICE)
		return STYLE_DIM;
	switch (l->level) {
	case UI_LEVEL_INFO:
		return STYLE_NOTICE;
	case UI_LEVEL_WARN:
		return STYLE_WARN;
	case UI_LEVEL_ERROR:
		return STYLE_ERROR;
	}
	return STYLE_NOTICE;
}

/* Notices have a mark where a name would stand. */
static const char *notice_mark(const struct line *l)
{
	if (l->kind != LINE_NOTICE || l->level == UI_LEVEL_INFO)
		return "--";
	return l->level == UI_LEVEL_WARN ? "-!" : "!!";
}

static char own_mark(const struct line *l)
{
	switch (l->state) {
	case UI_STATE_NONE:
		return ' ';
	case UI_STATE_WAITING:
		return '?';
	case UI_STATE_HANDED:
		return '>';
	case UI_STATE_UNSAVED:
		return '!';
	case UI_STATE_SAVED:
		break;
	}
	return ' ';
}

static void clock_of(const struct ui *ui, const struct line *l, char out[8])
{
	struct ui_date d = ui_date_of(l->key.time_ms, ui->clock.utc_offset_s);

	/* A clock that is far off is marked, not believed. */
	snprintf(out, 8, "%02u:%02u%s", (unsigned)d.hour % 24u,
		(unsigned)d.minute % 60u, l->clock_wrong ? "!" : "");
}

/* Returns the columns of the name. */
static int draw_name(const struct ui *ui, struct ui_canvas *c,
	struct canvas_place at, const struct line *l)
{
	const struct draw_who who = {.name = l->name,
		.tag = l->tag,
		.tagged = ui_mark_needs_tag(l->name_mark) && l->tag[0] != '\0',
		.style = draw_name_style(l->name)};

	if (l->own)
		return canvas_puts(c, at, "you", STYLE_OWN);
	return draw_who(ui, c, at, &who);
}

/* The mark before a name: ui_mark. */
static void draw_mark(
	struct ui_canvas *c, struct canvas_place at, const struct line *l)
{
	char text[2] = {l->own ? ' ' : l->name_mark, '\0'};

	at.cols = 1;
	canvas_puts(c, at, text, text[0] == '!' ? STYLE_WARN : STYLE_HEAD);
}

/* "14:05  you       + " before the text of a wide pane. */
static void draw_wide_start(
	const struct ui *ui, struct ui_canvas *c, int row, const struct line *l)
{
	int col = ui->layout.chat.col;
	int name_cols = flow_name_cols(ui);
	struct canvas_place at = {row, col, 6};
	char text[8];

	clock_of(ui, l, text);
	canvas_puts(c, at, text, l->clock_wrong ? STYLE_WARN : STYLE_DIM);
	at.col += 6;
	at.cols = name_cols;
	if (l->kind != LINE_MESSAGE || l->part == FOLD_HEAD) {
		canvas_puts(c, at, notice_mark(l), line_style(l));
		return;
	}
	draw_mark(c, at, l);
	at.col++;
	(void)draw_name(ui, c, at, l);
	snprintf(text, sizeof(text), "%c", own_mark(l));
	at.col += name_cols;
	at.cols = 1;
	canvas_puts(c, at, text, STYLE_OWN);
}

static void draw_narrow_start(
	const struct ui *ui, struct ui_canvas *c, int row, const struct line *l)
{
	struct canvas_place at = {row, ui->layout.chat.col, 6};
	char text[8];

	if (l->kind != LINE_MESSAGE || l->part == FOLD_HEAD) {
		canvas_puts(c, at, notice_mark(l), line_style(l));
	} else if (l->own) {
		snprintf(text, sizeof(text), "you %c", own_mark(l));
		canvas_puts(c, at, text, STYLE_OWN);
	}
}

static void draw_header(
	const struct ui *ui, struct ui_canvas *c, int row, const struct line *l)
{
	const struct rect *r = &ui->layout.chat;
	struct canvas_place at = {row, r->col, r->cols - 7};
	char text[8];

	if (l->name_mark != ' ') {
		draw_mark(c, at, l);
		at.col++;
		at.cols--;
	}
	at.col += draw_name(ui, c, at, l) + 1;
	at.cols = 6;
	clock_of(ui, l, text);
	canvas_puts(c, at, text, l->clock_wrong ? STYLE_WARN : STYLE_DIM);
}

static enum canvas_style welcome_style(struct bytes text)
{
	if (text.len < 4 || text.data[0] != '[')
		return STYLE_TEXT;
	if (text.data[1] == 'o')
		return STYLE_OK;
	return text.data[1] == '!' ? STYLE_WARN : STYLE_DIM;
}

static void draw_text(const struct ui *ui, struct ui_canvas *c, int row,
	const struct flow_row *fr)
{
	const struct rect *r = &ui->layout.chat;
	struct canvas_place at = {row, r->col + fr->col, r->cols - fr->col};
	bool first;

	if (fr->kind == FLOW_ROW_WELCOME) {
		(void)canvas_put(c, at, fr->text, STYLE_TEXT);
		at.cols = 4;
		if (fr->text.len > 4 && fr->text.data[0] == '[')
			(void)canvas_put(c, at, bytes_first(fr->text, 4),
				welcome_style(fr->text));
		return;
	}
	if (fr->kind == FLOW_ROW_MORE) {
		at.col -= 3;
		at.cols = 3;
		canvas_puts(c, at, "--", STYLE_DIM);
		at.col += 3;
		at.cols = r->cols - fr->col;
		(void)canvas_put(c, at, fr->text, STYLE_DIM);
		return;
	}
	first = fr->kind == FLOW_ROW_FIRST || fr->kind == FLOW_ROW_FOLD;
	if (first && ui->layout.kind >= LAYOUT_ONE)
		draw_wide_start(ui, c, row, fr->line);
	else if (first)
		draw_narrow_start(ui, c, row, fr->line);
	(void)canvas_put(c, at, fr->text, line_style(fr->line));
}

/* What a person who reads further up should know. */
static void draw_hint(const struct ui *ui, struct ui_canvas *c)
{
	const struct rect *r = &ui->layout.chat;
	const struct room *room = ui->current;
	int row = r->row + r->rows - 1;
	struct canvas_place at = {row, r->col, r->cols};
	char hint[80];
	int width;

	canvas_fill(c, at, " ", STYLE_TEXT);
	if (room->view.newer > 0)
		snprintf(hint, sizeof(hint),
			"-- %u newer below, End shows them --",
			(unsigned)room->view.newer);
	else
		snprintf(
			hint, sizeof(hint), "-- older lines, End goes back --");
	width = (int)strlen(hint);
	if (width > r->cols) {
		snprintf(hint, sizeof(hint), "-- %u newer --",
			(unsigned)room->view.newer);
		width = (int)strlen(hint);
	}
	at.col += P2P_MAX((r->cols - width) / 2, 0);
	canvas_puts(c, at, hint, STYLE_HEAD);
}

void draw_chat(const struct ui *ui, struct ui_canvas *c)
{
	const struct rect *r = &ui->layout.chat;
	struct scroll_place top = scroll_top(ui);
	bool back = ui->current != NULL && !ui->current->view.follow;
	int end = r->row + r->rows - (back && r->rows > 1 ? 1 : 0);
	struct flow_walk walk;
	struct flow_row fr;

	flow_walk_start(&walk, ui, top.item, top.row);
	for (int row = r->row; row < end && flow_walk_next(&walk, &fr); row++) {
		switch (fr.kind) {
		case FLOW_ROW_DAY:
			draw_day(ui, c, row, fr.line);
			break;
		case FLOW_ROW_NEW:
			draw_rule(ui, c, row, "new");
			break;
		case FLOW_ROW_HEADER:
			draw_header(ui, c, row, fr.line);
			break;
		case FLOW_ROW_FIRST:
		case FLOW_ROW_REST:
		case FLOW_ROW_FOLD:
		case FLOW_ROW_MORE:
		case FLOW_ROW_WELCOME:
			draw_text(ui, c, row, &fr);
			break;
		}
	}
	if (back && r->rows > 1)
		draw_hint(ui, c);
}

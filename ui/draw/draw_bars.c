/*
 * The title bar, the status bar and the help page.
 */
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "msg/command.h"
#include "ui/draw/draw_internal.h"

#define PART_COLS 24
#define HELP_LINES_MAX 96

void draw_activity(const struct ui *ui, char *out, size_t max)
{
	size_t at = 0;

	out[0] = '\0';
	/* Mentions first, then what is merely unread. */
	for (int pass = 0; pass < 2; pass++) {
		for (size_t i = 0; i < ui->room_count; i++) {
			const struct room *r = ui->rooms[i];
			bool loud = r->mentions > 0;
			char part[PART_COLS * 4 + 32];
			size_t len =
				text_fit(bytes_str(r->title), PART_COLS, NULL);
			int n;

			if (r == ui->current || loud != (pass == 0) ||
				(!loud && r->unread == 0))
				continue;
			len = P2P_MIN(len, (size_t)PART_COLS * 4);
			if (loud)
				n = snprintf(part, sizeof(part), "@%u:%.*s ",
					(unsigned)(i + 1), (int)len, r->title);
			else
				n = snprintf(part, sizeof(part), "%u:%.*s(%u) ",
					(unsigned)(i + 1), (int)len, r->title,
					(unsigned)r->unread);
			if (n < 0 || at + (size_t)n + 1 > max)
				return;
			memcpy(out + at, part, (size_t)n + 1);
			at += (size_t)n;
		}
	}
}

static void put_bar(struct ui_canvas *c, const struct rect *r)
{
	canvas_fill(c, (struct canvas_place){r->row, r->col, r->cols}, " ",
		STYLE_BAR);
}

/* Text at the right end of a bar; returns the column where it begins. */
static int put_bar_right(struct ui_canvas *c, const struct rect *r,
	const char *text, enum canvas_style style)
{
	int width = (int)text_width(bytes_str(text));
	int col = r->cols - width - 1;

	if (width == 0 || col < r->cols / 3)
		return r->cols;
	canvas_puts(c, (struct canvas_place){r->row, col, width}, text, style);
	return col;
}

/* So that nobody wonders where lines are. */
static const char *left_out(const struct room *r)
{
	return r->only_known ? " | strangers left out (/only all)" : "";
}

void draw_title(const struct ui *ui, struct ui_canvas *c)
{
	const struct rect *r = &ui->layout.title;
	bool narrow = ui->layout.kind == LAYOUT_NARROW;
	struct canvas_place at = {r->row, 0, r->cols};
	char right[256] = "";
	char text[512];

	put_bar(c, r);
	if (narrow)
		draw_activity(ui, right, 64);
	else
		snprintf(right, sizeof(right), "%s", ui->name);
	at.cols = put_bar_right(
			  c, r, right, narrow ? STYLE_BAR_LOUD : STYLE_BAR) -
		  1;
	if (ui->current == NULL)
		snprintf(text, sizeof(text), " p2pchat-tui");
	else if (narrow)
		snprintf(text, sizeof(text), " #%.300s %u here%s",
			ui->current->title, draw_count_here(ui),
			ui->current->only_known ? ", no strangers" : "");
	else if (ui->people.direct + ui->people.relayed == 0)
		snprintf(text, sizeof(text), " #%.300s | nobody else yet%s",
			ui->current->title, left_out(ui->current));
	else
		snprintf(text, sizeof(text), " #%.300s | %u here%s",
			ui->current->title, draw_count_here(ui),
			left_out(ui->current));
	canvas_puts(c, at, text, STYLE_BAR);
}

static size_t count_waiting(const struct ui *ui)
{
	size_t n = 0;

	for (size_t i = 0; i < ui->room_count; i++)
		n += ui->rooms[i]->win.waiting;
	return n;
}

static const char *failed_item(const struct ui *ui)
{
	static const char *const names[CHAT_STATUS_COUNT] = {
		"listening failed", "no LAN discovery", "", ""};

	for (size_t i = 0; i < CHAT_STATUS_COUNT; i++)
		if (ui->checks[i].known &&
			ui->checks[i].state == CHAT_STATE_FAILED)
			return names[i];
	return "";
}

static void status_text(const struct ui *ui, char *out, size_t max)
{
	bool narrow = ui->layout.kind == LAYOUT_NARROW;
	size_t waiting = count_waiting(ui);
	char activity[256] = "";
	char kept[32];

	if (!narrow)
		draw_activity(ui, activity, sizeof(activity));
	if (waiting == 0)
		snprintf(kept, sizeof(kept), "nothing waiting");
	else
		snprintf(kept, sizeof(kept), "%u waiting", (unsigned)waiting);
	snprintf(out, max, " %u direct %u relayed | %s%s%s%s%s%s",
		(unsigned)ui->people.direct, (unsigned)ui->people.relayed, kept,
		failed_item(ui)[0] == '\0' ? "" : " | ", failed_item(ui),
		activity[0] == '\0' ? "" : " | ", activity,
		narrow                ? ""
		: activity[0] == '\0' ? " | F1 help"
				      : "| F1 help");
}

void draw_status(const struct ui *ui, struct ui_canvas *c)
{
	const struct rect *r = &ui->layout.status;
	struct canvas_place at = {r->row, 0, r->cols};
	char text[512];

	put_bar(c, r);
	if (ui->ask_quit) {
		snprintf(text, sizeof(text),
			" %u lines wait to be sent (they are kept). "
			"Quit? y/n",
			(unsigned)count_waiting(ui));
		canvas_puts(c, at, text, STYLE_BAR_LOUD);
	} else if (ui->note[0] != '\0') {
		snprintf(text, sizeof(text), " %s", ui->note);
		canvas_puts(c, at, text, STYLE_BAR_LOUD);
	} else {
		status_text(ui, text, sizeof(text));
		canvas_puts(c, at, text, STYLE_BAR);
	}
}

/* One line of help: what is pressed or typed, and what it does. */
struct help_line {
	char key[64];
	const char *what;
	bool head;
};

/* Keys that do the same share a line. Returns the index of the next key. */
static size_t help_keys(size_t i, struct help_line *out)
{
	size_t at = 0;

	out->what = keymap_table[i].help;
	do {
		int n = snprintf(out->key + at, sizeof(out->key) - at, "%s%s",
			at == 0 ? "" : ", ", keymap_table[i].name);

		at = P2P_MIN(at + (size_t)n, sizeof(out->key) - 1);
		i++;
	} while (i < keymap_count && keymap_table[i].help == NULL);
	return i;
}

/* Fills the lines; returns how many. */
static int help_lines(struct help_line lines[static HELP_LINES_MAX])
{
	int n = 0;

	snprintf(lines[n++].key, sizeof(lines[0].key), "KEYS");
	lines[0].head = true;
	for (size_t i = 0; i < keymap_count && n < HELP_LINES_MAX - 2;)
		i = help_keys(i, &lines[n++]);
	n++; /* an empty line */
	lines[n].head = true;
	snprintf(lines[n++].key, sizeof(lines[0].key), "COMMANDS");
	for (size_t i = 0; i < COMMAND_COUNT && n < HELP_LINES_MAX; i++) {
		const struct command *cmd = &command_table[i];

		snprintf(lines[n].key, sizeof(lines[n].key), "/%s %s",
			cmd->name, cmd->args);
		lines[n++].what = cmd->help;
	}
	return n;
}

void draw_help(const struct ui *ui, struct ui_canvas *c)
{
	struct help_line lines[HELP_LINES_MAX] = {0};
	int rows = c->rows - 1;
	int total = help_lines(lines);
	int top = P2P_MIN(ui->help_top, P2P_MAX(total - rows, 0));
	int key_cols = c->cols < 50 ? 16 : 22;

	for (int row = 0; row < rows; row++) {
		struct canvas_place at = {row, 0, c->cols};
		const struct help_line *line;

		canvas_fill(c, at, " ", STYLE_TEXT);
		if (top + row >= total)
			continue;
		line = &lines[top + row];
		at.col = line->head ? 1 : 2;
		at.cols = key_cols - 3;
		canvas_puts(c, at, line->key, STYLE_HEAD);
		at.col = key_cols;
		at.cols = c->cols - key_cols;
		if (line->what != NULL)
			canvas_puts(c, at, line->what, STYLE_TEXT);
	}
	canvas_fill(c, (struct canvas_place){rows, 0, c->cols}, " ", STYLE_BAR);
	canvas_puts(c, (struct canvas_place){rows, 0, c->cols},
		" Up Down PgUp PgDn move, any other key closes", STYLE_BAR);
	c->cursor_row = rows;
	c->cursor_col = 0;
}

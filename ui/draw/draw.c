/*
 * The whole screen: each part into its place of the layout, the input last,
 * whose cursor is the screen's. Small windows lose bars first, then panes; a
 * window too small for anything shows a dot and what is typed.
 */
#include "ui/draw/draw.h"

#include <stdio.h>

#include "base/text.h"
#include "ui/draw/draw_internal.h"
#include "ui/model/shape.h"

static void draw_rules(const struct ui *ui, struct ui_canvas *c)
{
	const struct layout *l = &ui->layout;
	int rows[2] = {l->left_rule, l->right_rule};

	for (int i = 0; i < 2; i++) {
		for (int r = 0; rows[i] >= 0 && r < l->chat.rows; r++)
			canvas_fill(c,
				(struct canvas_place){
					l->chat.row + r, rows[i], 1},
				draw_down(ui), STYLE_DIM);
	}
	if (l->mid_rule >= 0)
		canvas_fill(c,
			(struct canvas_place){l->mid_rule, 0, l->left_rule},
			draw_across(ui), STYLE_DIM);
}

/* Text as this locale shows it, one cluster at a time. */
static int put_typed(const struct ui *ui, struct ui_canvas *c,
	struct canvas_place at, struct bytes text)
{
	int start = at.col;

	if (!ui->cfg.ascii_text)
		return canvas_put(c, at, text, STYLE_TEXT);
	while (text.len > 0) {
		char shown[16];
		size_t len = 1;
		uint32_t cp = utf8_decode(text, &len);

		if (cp < 0x80)
			snprintf(shown, sizeof(shown), "%c", (int)cp);
		else
			snprintf(shown, sizeof(shown), "\\u{%X}", (unsigned)cp);
		at.col += canvas_puts(c, at, shown, STYLE_TEXT);
		text = bytes_skip(text, len);
	}
	return at.col - start;
}

void draw_input(const struct ui *ui, struct ui_canvas *c)
{
	const struct rect *r = &ui->layout.input;
	struct bytes text = edit_text(ui_edit_of(ui));
	int prompt_cols = shape_prompt_cols(ui);
	int cols = r->cols - prompt_cols;
	struct shape s = shape_measure(ui, cols);
	int first = P2P_MAX(s.cursor_row - r->rows + 1, 0);
	char prompt[40];
	int row = 0;

	shape_prompt(ui, prompt);
	canvas_puts(c, (struct canvas_place){r->row, 0, r->cols}, prompt,
		STYLE_HEAD);
	first = P2P_MIN(first, P2P_MAX(s.rows - r->rows, 0));
	while (row < s.rows) {
		size_t next;
		size_t len = shape_row(ui, text, P2P_MAX(cols - 1, 1), &next);

		if (row >= first && row - first < r->rows)
			(void)put_typed(ui, c,
				(struct canvas_place){r->row + row - first,
					prompt_cols, cols},
				bytes_first(text, len));
		text = bytes_skip(text, next);
		row++;
	}
	c->cursor_row = r->row + s.cursor_row - first;
	c->cursor_col = P2P_MIN(prompt_cols + s.cursor_col, c->cols - 1);
}

void draw_screen(const struct ui *ui, struct ui_canvas *c)
{
	const struct layout *l = &ui->layout;

	canvas_resize(c, l->rows, l->cols);
	if (l->kind == LAYOUT_DOT) {
		if (l->rows > 1)
			canvas_puts(c, (struct canvas_place){0, 0, 1}, ".",
				STYLE_DIM);
		draw_input(ui, c);
		return;
	}
	draw_chat(ui, c);
	if (l->kind >= LAYOUT_NARROW) {
		draw_rooms(ui, c);
		draw_people(ui, c);
		draw_rules(ui, c);
		draw_title(ui, c);
		draw_status(ui, c);
	}
	draw_input(ui, c);
	if (ui->help)
		draw_help(ui, c);
}

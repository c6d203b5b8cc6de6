/*
 * The grid of cells that all drawing goes into. What matters is that a row's
 * widths always add up to its columns: a cluster of two columns owns the empty
 * cell behind it, and whoever overwrites one of the two blanks the other.
 * Whatever does not fit is cut here, so nobody else has to count.
 */
#include "ui/draw/canvas.h"

#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "base/xmalloc.h"

static const struct canvas_cell blank = {
	.text = " ", .len = 1, .width = 1, .style = STYLE_TEXT};

void canvas_init(struct ui_canvas *c)
{
	*c = (struct ui_canvas){0};
}

void canvas_clear(struct ui_canvas *c)
{
	free(c->cells);
	canvas_init(c);
}

void canvas_blank(struct ui_canvas *c)
{
	size_t n = (size_t)c->rows * (size_t)c->cols;

	for (size_t i = 0; i < n; i++)
		c->cells[i] = blank;
	c->cursor_row = 0;
	c->cursor_col = 0;
}

void canvas_resize(struct ui_canvas *c, int rows, int cols)
{
	if (rows != c->rows || cols != c->cols) {
		free(c->cells);
		c->rows = rows;
		c->cols = cols;
		c->cells = xcalloc(
			(size_t)rows * (size_t)cols, sizeof(c->cells[0]));
	}
	canvas_blank(c);
}

/* Whoever overwrites half of a wide cluster takes the other half too. */
static void free_cell(struct ui_canvas *c, int row, int col)
{
	struct canvas_cell *cell = canvas_at(c, row, col);

	if (cell->width == 0 && col > 0)
		*canvas_at(c, row, col - 1) = blank;
	if (cell->width == 2 && col + 1 < c->cols)
		*canvas_at(c, row, col + 1) = blank;
}

static void set_cell(struct ui_canvas *c, struct canvas_place at,
	struct bytes cluster, enum canvas_style style)
{
	struct canvas_cell *cell = canvas_at(c, at.row, at.col);
	size_t len = P2P_MIN(cluster.len, (size_t)CANVAS_CLUSTER_BYTES);

	free_cell(c, at.row, at.col);
	if (at.cols == 2)
		free_cell(c, at.row, at.col + 1);
	/* Cut between code points. */
	while (len < cluster.len && len > 0 &&
		(cluster.data[len] & 0xc0) == 0x80)
		len--;
	memset(cell, 0, sizeof(*cell));
	if (len > 0)
		memcpy(cell->text, cluster.data, len);
	cell->len = (uint8_t)len;
	cell->width = (uint8_t)at.cols;
	cell->style = (uint8_t)style;
	if (at.cols == 2) {
		cell = canvas_at(c, at.row, at.col + 1);
		memset(cell, 0, sizeof(*cell));
		cell->style = (uint8_t)style;
	}
}

int canvas_put(struct ui_canvas *c, struct canvas_place at, struct bytes text,
	enum canvas_style style)
{
	int start = at.col;
	int end = P2P_MIN(at.col + at.cols, c->cols);

	if (at.row < 0 || at.row >= c->rows || at.col < 0)
		return 0;
	while (text.len > 0) {
		int width = 0;
		size_t len = 1;
		struct bytes cluster;

		/* Plain ASCII, followed by the same, is by far most of it. */
		if (text.data[0] >= 0x20 && text.data[0] < 0x7f &&
			(text.len == 1 || text.data[1] < 0x80))
			width = 1;
		else
			len = text_cluster(text, &width);
		cluster = bytes_first(text, len);
		text = bytes_skip(text, len);
		if (cluster.data[0] < 0x20 || cluster.data[0] == 0x7f) {
			cluster = bytes_of("?", 1);
			width = 1;
		}
		if (width <= 0)
			continue;
		if (at.col + width > end)
			break;
		at.cols = width;
		set_cell(c, at, cluster, style);
		at.col += width;
	}
	return at.col - start;
}

int canvas_puts(struct ui_canvas *c, struct canvas_place at, const char *text,
	enum canvas_style style)
{
	return canvas_put(c, at, bytes_str(text), style);
}

void canvas_fill(struct ui_canvas *c, struct canvas_place at, const char *ch,
	enum canvas_style style)
{
	int end = P2P_MIN(at.col + at.cols, c->cols);

	if (at.row < 0 || at.row >= c->rows)
		return;
	at.cols = 1;
	for (; at.col < end; at.col++)
		set_cell(c, at, bytes_str(ch), style);
}

void canvas_text(const struct ui_canvas *c, struct buf *out)
{
	for (int row = 0; row < c->rows; row++) {
		size_t keep = out->len;

		for (int col = 0; col < c->cols; col++) {
			const struct canvas_cell *cell =
				&c->cells[(size_t)row * (size_t)c->cols +
					  (size_t)col];

			(void)buf_append(out, bytes_of(cell->text, cell->len));
			if (cell->len != 1 || cell->text[0] != ' ')
				keep = out->len;
		}
		buf_truncate(out, keep);
		(void)buf_append_u8(out, '\n');
	}
}

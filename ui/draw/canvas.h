/*
 * A grid of cells: what a screen shall look like. Each cell holds one cluster;
 * a cluster of two columns is followed by an empty cell of width 0. The widths
 * of a row always add up to its columns. No terminal here: tests compare it as
 * text, ui/terminal sends the changed cells.
 */
#ifndef UI_DRAW_CANVAS_H
#define UI_DRAW_CANVAS_H

#include "base/buf.h"

/* Longer clusters (chains of joined emoji) are cut between code points. */
#define CANVAS_CLUSTER_BYTES 28

/* What a cell means; ui/terminal has the colours. No meaning is carried by
 * a style alone: each has a mark or a place of its own as well. */
enum canvas_style {
	STYLE_TEXT,
	STYLE_DIM,      /* times, rules, hints */
	STYLE_BAR,      /* title and status */
	STYLE_BAR_LOUD, /* mentions in the status bar */
	STYLE_HEAD,     /* headings of panes, keys in help */
	STYLE_CURRENT,  /* the current room */
	STYLE_OWN,
	STYLE_MENTION,
	STYLE_NOTICE,
	STYLE_WARN,
	STYLE_ERROR,
	STYLE_OK,
	STYLE_NAME, /* the first of STYLE_NAMES names */
	STYLE_NAME_LAST = STYLE_NAME + 5,
	STYLE_COUNT,
};
#define STYLE_NAMES 6

struct canvas_cell {
	char text[CANVAS_CLUSTER_BYTES];
	uint8_t len;
	uint8_t width; /* 1 or 2; 0: covered by the cell before */
	uint8_t style;
};

struct ui_canvas {
	int rows;
	int cols;
	struct canvas_cell *cells; /* owned, rows * cols */
	int cursor_row;
	int cursor_col;
};

void canvas_init(struct ui_canvas *c);
void canvas_clear(struct ui_canvas *c);
/* Allocates only when the size changed; the cells are blank afterwards. */
void canvas_resize(struct ui_canvas *c, int rows, int cols);
/* Every cell a space. */
void canvas_blank(struct ui_canvas *c);

static inline struct canvas_cell *canvas_at(
	struct ui_canvas *c, int row, int col)
{
	return &c->cells[(size_t)row * (size_t)c->cols + (size_t)col];
}

/*
 * Writes clusters from (row, col) on, at most `cols` columns, clipped by the
 * canvas. Clusters of no width are dropped, control characters become '?'.
 * Returns the columns written.
 */
struct canvas_place {
	int row;
	int col;
	int cols;
};
int canvas_put(struct ui_canvas *c, struct canvas_place at, struct bytes text,
	enum canvas_style style);
/* The same for text of ours. */
int canvas_puts(struct ui_canvas *c, struct canvas_place at, const char *text,
	enum canvas_style style);
/* Fills the place with one character (one column). */
void canvas_fill(struct ui_canvas *c, struct canvas_place at, const char *ch,
	enum canvas_style style);
/* Appends the grid as text, rows without trailing spaces: for tests. */
void canvas_text(const struct ui_canvas *c, struct buf *out);

#endif

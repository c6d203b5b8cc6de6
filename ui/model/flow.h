/*
 * How the lines of a room become rows of the message pane: wrapping, day
 * rules, the "new" rule, folded coming and going, the welcome. Both scrolling
 * and drawing ask here, so they cannot disagree.
 *
 * Rows are counted in items: item 0 is the welcome with the checklist (in the
 * first room, above its oldest line), item i is line i-1 of the window with
 * the rules that stand before it.
 */
#ifndef UI_MODEL_FLOW_H
#define UI_MODEL_FLOW_H

#include "ui/model/ui_state.h"

#define FLOW_NAME_COLS_ONE 9
#define FLOW_NAME_COLS_THREE 12

enum flow_row_kind {
	FLOW_ROW_DAY,    /* rule with the day */
	FLOW_ROW_NEW,    /* rule "new" */
	FLOW_ROW_HEADER, /* narrow: name and time */
	FLOW_ROW_FIRST,  /* first row of the text, with what stands before */
	FLOW_ROW_REST,   /* another row of it */
	FLOW_ROW_WELCOME,
};

struct flow_row {
	enum flow_row_kind kind;
	const struct line *line; /* NULL for the welcome */
	struct bytes text;       /* borrowed; FIRST, REST, WELCOME */
	int col;                 /* where the text stands in the pane */
};

/* Walks the rows from one place on. */
struct flow_walk {
	const struct ui *ui;
	const struct room *room; /* NULL: only the welcome */
	int cols;
	size_t item;
	int row;           /* next row within the item */
	size_t pos;        /* bytes of the text before the next row */
	char scratch[160]; /* text of folded lines */
	char welcome[UI_WELCOME_MAX][128];
	int welcome_rows;
};

/* Items there are (at least 1: the welcome may be empty). */
size_t flow_items(const struct room *room);
/* Rows of an item at the pane's present width; 0 is possible. */
int flow_rows(const struct ui *ui, const struct room *room, size_t item);
/* Column at which names end and texts start in wide panes. */
int flow_name_cols(const struct ui *ui);
/* The name as shown: "mali", "nok~9f2c", "!tom~77ab", cut to `cols`. */
void flow_name(const struct line *l, int cols, struct buf *out);

/* The room is the current one; a row behind the item is the next item. */
void flow_walk_start(
	struct flow_walk *w, const struct ui *ui, size_t item, int row);
/* False behind the last row. Texts are valid until the next call. */
bool flow_walk_next(struct flow_walk *w, struct flow_row *out);

#endif

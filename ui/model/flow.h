/*
 * How the lines of a room become rows of the message pane: wrapping, day
 * rules, the "new" rule, folded coming and going, the welcome. Both scrolling
 * and drawing ask here, so they cannot disagree.
 *
 * A wide pane: time, mark, name, mark of own lines, text:
 *
 *   14:02 ?nok~9f2c   is the printer on?
 *   14:03  you      > yes
 *   14:05 -- words of the program begin behind their mark, and those in two
 *            columns ("/join room  Enter a room") keep them when wrapped
 *
 * A text that is longer than the pane ends in a row that says so, one of a
 * stranger after a quarter of it; folds (ui/model/fold.h) have one row.
 *
 * Rows are counted in items: item 0 is the welcome with the checklist (in the
 * first room, above its oldest line; a word about emptiness in others), item i
 * is line i-1 of the window with the rules that stand before it.
 */
#ifndef UI_MODEL_FLOW_H
#define UI_MODEL_FLOW_H

#include "ui/model/ui_state.h"

/* The column of names is as wide as the names seen, within these bounds and
 * at most a quarter of the pane. */
#define FLOW_NAME_COLS_MIN 8
#define FLOW_NAME_COLS_MAX 18

enum flow_row_kind {
	FLOW_ROW_DAY,    /* rule with the day */
	FLOW_ROW_NEW,    /* rule "new" */
	FLOW_ROW_HEADER, /* narrow: name and time */
	FLOW_ROW_FIRST,  /* first row of the text, with what stands before */
	FLOW_ROW_REST,   /* another row of it */
	FLOW_ROW_FOLD,   /* stands for the lines of a fold */
	FLOW_ROW_MORE,   /* the rest of a long text is folded */
	FLOW_ROW_WELCOME,
};

struct flow_row {
	enum flow_row_kind kind;
	const struct line *line; /* NULL for the welcome */
	struct bytes text; /* borrowed; FIRST, REST, FOLD, MORE, WELCOME */
	int col;           /* where the text stands in the pane */
};

/* Walks the rows from one place on. */
struct flow_walk {
	const struct ui *ui;
	const struct room *room; /* NULL: only the welcome */
	int cols;
	size_t item;
	int row;            /* next row within the item */
	size_t pos;         /* bytes of the text before the next row */
	char scratch[1600]; /* text of folded lines */
	char welcome[UI_WELCOME_MAX][128];
	int welcome_rows;
};

/* Items there are (at least 1: the welcome may be empty). */
size_t flow_items(const struct room *room);
/* Rows of an item at the pane's present width; 0 is possible. */
int flow_rows(const struct ui *ui, const struct room *room, size_t item);
/* Columns for a name with its tag in wide panes, of the current room. */
int flow_name_cols(const struct ui *ui);

/* The room is the current one; a row behind the item is the next item. */
void flow_walk_start(
	struct flow_walk *w, const struct ui *ui, size_t item, int row);
/* False behind the last row. Texts are valid until the next call. */
bool flow_walk_next(struct flow_walk *w, struct flow_row *out);

#endif

/*
 * Where the panes stand, by the size of the window:
 *
 *   columns >= 110           rooms | messages | people
 *   64 to 109                rooms over people | messages
 *   30 to 63                 messages; panes are overlays
 *   below 30x8               messages and input
 *   below 10x3               one dot and the input
 *
 * A width is left only when it is passed by LAYOUT_HYSTERESIS columns, so that
 * dragging a window's edge does not flicker. Pure.
 */
#ifndef UI_MODEL_LAYOUT_H
#define UI_MODEL_LAYOUT_H

#include "base/compiler.h"

#define LAYOUT_THREE_COLS 110
#define LAYOUT_ONE_COLS 64
#define LAYOUT_TINY_COLS 30
#define LAYOUT_TINY_ROWS 8
#define LAYOUT_DOT_COLS 10
#define LAYOUT_DOT_ROWS 3
#define LAYOUT_HYSTERESIS 2
/* Larger windows are used up to here. */
#define LAYOUT_COLS_MAX 500
#define LAYOUT_ROWS_MAX 300

enum layout_kind {
	LAYOUT_DOT,
	LAYOUT_TINY,
	LAYOUT_NARROW,
	LAYOUT_ONE,
	LAYOUT_THREE,
};

/* Absent when rows or cols is 0. */
struct rect {
	int row;
	int col;
	int rows;
	int cols;
};

enum layout_overlay {
	LAYOUT_OVERLAY_NONE,
	LAYOUT_OVERLAY_ROOMS,
	LAYOUT_OVERLAY_PEOPLE,
};

struct layout_want {
	int rows;
	int cols;
	int input_rows; /* what the input would like */
	size_t room_count;
	bool hide_rooms;
	bool hide_people;
	enum layout_overlay overlay; /* in narrow windows */
};

struct layout {
	enum layout_kind kind;
	int rows;
	int cols;
	struct rect title;
	struct rect rooms;
	struct rect people;
	struct rect chat;
	struct rect status;
	struct rect input;
	int left_rule;  /* column of the rule beside the left pane, or -1 */
	int right_rule; /* the same for the right pane */
	int mid_rule;   /* row of the rule between rooms and people, or -1 */
};

/* `before` is the kind shown until now (LAYOUT_DOT at first). */
void layout_make(struct layout *l, const struct layout_want *want,
	enum layout_kind before);
/* Most rows the input may take in a window of so many rows. */
int layout_input_max(int rows);

#endif

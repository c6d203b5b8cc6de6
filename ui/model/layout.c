/*
 * The window's size as places for the panes. The kind is chosen first, with
 * some columns of hysteresis; then each kind takes its panes off the message
 * area. Everything is clamped, so no size of a window makes a negative place.
 */
#include "ui/model/layout.h"

#define LEFT_COLS_ONE 17
#define LEFT_COLS_THREE 20
#define RIGHT_COLS 24
#define OVERLAY_COLS 26

int layout_input_max(int rows)
{
	int max = rows / 4;

	max = P2P_MIN(max, 5);
	return P2P_MAX(max, 1);
}

/* A threshold, lowered while what it guards is shown. */
static bool passes(int size, int threshold, bool shown)
{
	return size >= threshold - (shown ? LAYOUT_HYSTERESIS : 0);
}

static enum layout_kind kind_of(
	const struct layout_want *w, enum layout_kind before)
{
	if (w->cols < LAYOUT_DOT_COLS || w->rows < LAYOUT_DOT_ROWS)
		return LAYOUT_DOT;
	if (w->rows < LAYOUT_TINY_ROWS ||
		!passes(w->cols, LAYOUT_TINY_COLS, before >= LAYOUT_NARROW))
		return LAYOUT_TINY;
	if (!passes(w->cols, LAYOUT_ONE_COLS, before >= LAYOUT_ONE))
		return LAYOUT_NARROW;
	if (!passes(w->cols, LAYOUT_THREE_COLS, before >= LAYOUT_THREE))
		return LAYOUT_ONE;
	return LAYOUT_THREE;
}

static void left_one(struct layout *l, const struct layout_want *w)
{
	struct rect all = {.row = l->chat.row,
		.rows = l->chat.rows,
		.cols = LEFT_COLS_ONE};
	int room_rows = (int)P2P_MIN(w->room_count, 100u) + 2;

	if (w->hide_rooms && w->hide_people)
		return;
	l->left_rule = LEFT_COLS_ONE;
	l->chat.col += LEFT_COLS_ONE + 1;
	l->chat.cols -= LEFT_COLS_ONE + 1;
	if (w->hide_rooms) {
		l->people = all;
		return;
	}
	l->rooms = all;
	if (w->hide_people || all.rows < 6)
		return;
	/* Rooms take what they need, at least a third, at most a half. */
	room_rows = P2P_MAX(room_rows, all.rows / 3);
	room_rows = P2P_MIN(room_rows, all.rows / 2);
	l->rooms.rows = room_rows;
	l->mid_rule = all.row + room_rows;
	l->people = all;
	l->people.row = l->mid_rule + 1;
	l->people.rows = all.rows - room_rows - 1;
}

static void sides_three(struct layout *l, const struct layout_want *w)
{
	if (!w->hide_rooms) {
		l->rooms = l->chat;
		l->rooms.cols = LEFT_COLS_THREE;
		l->left_rule = LEFT_COLS_THREE;
		l->chat.col += LEFT_COLS_THREE + 1;
		l->chat.cols -= LEFT_COLS_THREE + 1;
	}
	if (!w->hide_people) {
		l->people = l->chat;
		l->people.col = l->cols - RIGHT_COLS;
		l->people.cols = RIGHT_COLS;
		l->right_rule = l->people.col - 1;
		l->chat.cols -= RIGHT_COLS + 2;
	}
}

static void overlay(struct layout *l, const struct layout_want *w)
{
	struct rect r = l->chat;

	r.cols = P2P_MIN(OVERLAY_COLS, l->cols - 8);
	if (w->overlay == LAYOUT_OVERLAY_ROOMS) {
		l->rooms = r;
		l->left_rule = r.cols;
	} else if (w->overlay == LAYOUT_OVERLAY_PEOPLE) {
		r.col = l->cols - r.cols;
		l->people = r;
		l->right_rule = r.col - 1;
	}
}

void layout_make(struct layout *l, const struct layout_want *want,
	enum layout_kind before)
{
	struct layout_want w = *want;
	int input;
	int bars;

	w.rows = P2P_MIN(P2P_MAX(w.rows, 1), LAYOUT_ROWS_MAX);
	w.cols = P2P_MIN(P2P_MAX(w.cols, 1), LAYOUT_COLS_MAX);
	*l = (struct layout){
		.kind = kind_of(&w, before),
		.rows = w.rows,
		.cols = w.cols,
		.left_rule = -1,
		.right_rule = -1,
		.mid_rule = -1,
	};
	input = P2P_MIN(P2P_MAX(w.input_rows, 1), layout_input_max(w.rows));
	bars = l->kind >= LAYOUT_NARROW ? 1 : 0;
	l->input = (struct rect){w.rows - input, 0, input, w.cols};
	l->chat = (struct rect){bars, 0, w.rows - input - 2 * bars, w.cols};
	if (bars == 1) {
		l->title = (struct rect){0, 0, 1, w.cols};
		l->status = (struct rect){w.rows - input - 1, 0, 1, w.cols};
	}
	switch (l->kind) {
	case LAYOUT_THREE:
		sides_three(l, &w);
		break;
	case LAYOUT_ONE:
		left_one(l, &w);
		break;
	case LAYOUT_NARROW:
		overlay(l, &w);
		break;
	case LAYOUT_DOT:
	case LAYOUT_TINY:
		break;
	}
}

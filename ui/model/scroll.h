/*
 * Which part of a room is seen. The place is kept as a line and a row in it,
 * never as a number of rows, so it outlives resizes, arrivals and pages.
 */
#ifndef UI_MODEL_SCROLL_H
#define UI_MODEL_SCROLL_H

#include "ui/model/flow.h"

struct scroll_place {
	size_t item;
	int row;
};

/* Rows of the message pane for lines (one less while scrolled back: the hint
 * stands in the last). */
int scroll_height(const struct ui *ui);
/* The first row seen now. */
struct scroll_place scroll_top(const struct ui *ui);
/* Goes down (or up, negative) by so many rows; at the end the view follows
 * again. Returns the rows it could not go up (0 otherwise). */
int scroll_by(struct ui *ui, int rows);
/* Keeps the first row where it is from now on, whatever comes below. */
void scroll_pin(struct ui *ui);
/* Makes the item's first row the first row seen unless all of the items to
 * `last` are seen. */
void scroll_show(struct ui *ui, size_t item, size_t last);
void scroll_to_newest(struct ui *ui);
void scroll_to_oldest(struct ui *ui);
/* After anything changed: a view whose end is seen follows. */
void scroll_settle(struct ui *ui);
/* Asks for older lines of the current room when its top comes near. */
void scroll_page_if_near(struct ui *ui);

#endif

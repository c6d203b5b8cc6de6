/*
 * Inside ui/draw: one function for each part of the screen.
 */
#ifndef UI_DRAW_DRAW_INTERNAL_H
#define UI_DRAW_DRAW_INTERNAL_H

#include "ui/draw/canvas.h"
#include "ui/model/ui_state.h"

void draw_chat(const struct ui *ui, struct ui_canvas *c);
void draw_rooms(const struct ui *ui, struct ui_canvas *c);
void draw_people(const struct ui *ui, struct ui_canvas *c);
void draw_title(const struct ui *ui, struct ui_canvas *c);
void draw_status(const struct ui *ui, struct ui_canvas *c);
void draw_input(const struct ui *ui, struct ui_canvas *c);
void draw_help(const struct ui *ui, struct ui_canvas *c);
/* " @2:dev 3:music(7)" for the bars; at most `max` bytes. */
void draw_activity(const struct ui *ui, char *out, size_t max);

/* ---- draw_parts.c ---- */
/* Rules: lines where the locale has them, ASCII otherwise. */
const char *draw_across(const struct ui *ui);
const char *draw_down(const struct ui *ui);
/* A colour for a name, the same each time. */
enum canvas_style draw_name_style(const char *name);

/* A name as it is shown. */
struct draw_who {
	const char *name;
	const char *tag; /* the key's end; empty: the name is that already */
	bool tagged;     /* the name alone does not say who it is */
	enum canvas_style style;
};
/*
 * "mali", or "nok~8wL4Nn" when tagged. A name that has not room enough ends in
 * an ellipsis (two tildes where the locale has none), neither of which a
 * claimed name can have, and in the key's end, so that it is never what another
 * one is shown as. Returns the columns written.
 */
int draw_who(const struct ui *ui, struct ui_canvas *c, struct canvas_place at,
	const struct draw_who *who);
/* People in the room that is shown. */
unsigned draw_count_here(const struct ui *ui);

#endif

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
/* People in the room that is shown. */
unsigned draw_count_here(const struct ui *ui);

#endif

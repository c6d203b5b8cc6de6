/*
 * The state of the screen as a grid of cells. Drawing changes nothing but the
 * canvas; it allocates nothing unless the size changed.
 */
#ifndef UI_DRAW_DRAW_H
#define UI_DRAW_DRAW_H

#include "ui/draw/canvas.h"
#include "ui/model/ui.h"

/* Resizes the canvas to the model's layout and draws all of it, the cursor's
 * place included. */
void draw_screen(const struct ui *ui, struct ui_canvas *c);

#endif

/*
 * The line being typed as rows: cut between clusters (not at spaces, so that
 * typing never moves what stands before the cursor to another row), with room
 * kept for the cursor behind the last character.
 */
#ifndef UI_MODEL_SHAPE_H
#define UI_MODEL_SHAPE_H

#include "ui/model/ui_state.h"

struct shape {
	int rows;
	int cursor_row;
	int cursor_col;
};

/* Columns of the prompt before the first row; all rows begin behind it. */
int shape_prompt_cols(const struct ui *ui);
/* The prompt itself, "#lobby> ", NUL-terminated into out. */
void shape_prompt(const struct ui *ui, char out[static 40]);
/* Columns of the cluster as shown (escaped in ASCII locales). */
int shape_cluster_cols(const struct ui *ui, struct bytes cluster);
/* Bytes of the next row at the front of `text`; *next as text_wrap. */
size_t shape_row(
	const struct ui *ui, struct bytes text, int cols, size_t *next);
struct shape shape_measure(const struct ui *ui, int cols);

#endif

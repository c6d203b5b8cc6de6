/*
 * A text being typed: the characters, the cursor, and steps back. It holds
 * valid, clean UTF-8 (text_clean, TEXT_BLOCK) at all times; the cursor stands
 * between clusters, or between a Thai base and its mark after an erase.
 * No screen, no keys: ui_input.c and ui_line.c drive it.
 */
#ifndef UI_MODEL_EDIT_H
#define UI_MODEL_EDIT_H

#include "base/buf.h"
#include "ui/model/ui_limits.h"

struct edit_step {
	char *text; /* owned */
	size_t cursor;
};

struct edit {
	struct buf text; /* at most MSG_TEXT_BYTES_MAX */
	size_t cursor;   /* in bytes, <= text.len */
	struct edit_step undo[UI_UNDO_MAX];
	size_t undo_count;
	bool typing; /* the last change was typing: one step with the next */
};

void edit_init(struct edit *e);
void edit_clear(struct edit *e);

static inline struct bytes edit_text(const struct edit *e)
{
	return buf_bytes(&e->text);
}

static inline struct bytes edit_before(const struct edit *e)
{
	return bytes_first(buf_bytes(&e->text), e->cursor);
}

static inline struct bytes edit_after(const struct edit *e)
{
	return bytes_skip(buf_bytes(&e->text), e->cursor);
}

/* Puts clean text at the cursor; false (nothing changed) when it would not
 * fit or not be clean there. `typed`: one character, undone with the others
 * typed around it. */
bool edit_insert(struct edit *e, struct bytes in, bool typed);
/* Takes [from, to) out; the cursor ends at `from`. */
void edit_delete(struct edit *e, size_t from, size_t to);
/* The whole text becomes `in` (clean), the cursor stands at its end. */
void edit_replace(struct edit *e, struct bytes in);
/* Empties the text, forgets the steps back. */
void edit_reset(struct edit *e);
/* One step back; false when there is none. */
bool edit_undo(struct edit *e);

/* Positions relative to the cursor. */
size_t edit_left(const struct edit *e);
size_t edit_right(const struct edit *e);
/* Where Backspace erases from: one code point of a base with marks (Thai
 * and its neighbours), a whole cluster otherwise (emoji). */
size_t edit_erase_from(const struct edit *e);
size_t edit_word_left(const struct edit *e);
size_t edit_word_right(const struct edit *e);
/* Back to behind the last white space. */
size_t edit_space_left(const struct edit *e);
/* Start and end of the line (between newlines) of the cursor. */
size_t edit_line_start(const struct edit *e);
size_t edit_line_end(const struct edit *e);
/* Swaps the clusters around the cursor (C-t of readline). */
void edit_swap(struct edit *e);

#endif

/*
 * The screen's model: rooms, lines, people, the line being typed, and what
 * the keys do to them. No terminal, no clock, no files: keys and words of the
 * chat thread come in, words to the chat thread go out to its mailbox, and
 * ui/draw paints the state (ui_state.h). One thread.
 *
 * When the mailbox to chat is full nothing is lost: a line stays in the
 * input, everything else is offered again by ui_tick.
 */
#ifndef UI_MODEL_UI_H
#define UI_MODEL_UI_H

#include "base/bytes.h"
#include "base/mailbox.h"
#include "msg/ui_clock.h"
#include "ui/model/keymap.h"

struct ui;
struct ui_msg;

struct ui_cfg {
	struct mailbox *chat; /* borrowed */
	bool ascii;           /* rules and marks in ASCII */
	bool ascii_text; /* the locale cannot show more: text is escaped too,
			    "\u{E01}", never lost */
	struct ui_clock clock;
};

struct ui *ui_new(const struct ui_cfg *cfg);
void ui_free(struct ui *ui);

/* The window has this size now; any size is possible. */
void ui_resize(struct ui *ui, int rows, int cols);
/* A key was pressed. */
void ui_update(
	struct ui *ui, const struct ui_key *key, const struct ui_clock *clock);
/* Pasted text: lands in the input, whatever it holds; never sends. */
void ui_paste(struct ui *ui, struct bytes in, const struct ui_clock *clock);
/* Takes the message. */
void ui_on_msg(struct ui *ui, struct ui_msg *m, const struct ui_clock *clock);
/* Retries and expires what is due. */
void ui_tick(struct ui *ui, const struct ui_clock *clock);
/* When to call ui_tick at the latest, or P2P_NEVER. */
uint64_t ui_deadline(const struct ui *ui);
/* Asks the chat thread to end (once; again: end without it). */
void ui_quit(struct ui *ui);
bool ui_wants_quit(const struct ui *ui, int *status);

/* Each is true once after it became so. */
bool ui_take_dirty(struct ui *ui);
bool ui_take_redraw(struct ui *ui);
bool ui_take_suspend(struct ui *ui);

#endif

/*
 * The terminal: keys in, cells out. The only code that knows ncurses. The
 * program's one terminal is stdin and stdout; at most one struct terminal
 * exists at a time. One thread, but for terminal_restore_raw
 * (screen_face.h).
 */
#ifndef UI_TERMINAL_TERMINAL_H
#define UI_TERMINAL_TERMINAL_H

#include "ui/draw/canvas.h"
#include "ui/model/keymap.h"

/* Pasted text is kept up to here; the rest of a larger paste is dropped. */
#define TERMINAL_PASTE_BYTES_MAX (64u << 10)

struct terminal;

enum terminal_color {
	TERMINAL_COLOR_AUTO,
	TERMINAL_COLOR_ALWAYS,
	TERMINAL_COLOR_NEVER,
};

enum terminal_event_kind {
	TERMINAL_EVENT_NONE, /* nothing more to read now */
	TERMINAL_EVENT_KEY,
	TERMINAL_EVENT_PASTE, /* paste: valid until the next read */
	TERMINAL_EVENT_END,   /* the terminal is gone */
};

struct terminal_event {
	enum terminal_event_kind kind;
	struct ui_key key;
	struct bytes paste;
};

enum terminal_locale {
	TERMINAL_LOCALE_UTF8,
	/* It knows only bytes or ASCII: then text beyond ASCII is not drawn
	 * but escaped. */
	TERMINAL_LOCALE_ASCII,
	/* What the environment names is not installed; so as above, or
	 * C.UTF-8 instead, where the terminal speaks UTF-8. */
	TERMINAL_LOCALE_MISSING,
	TERMINAL_LOCALE_MISSING_UTF8,
};

/* As screen_face_probe. */
int terminal_probe(void) P2P_MUST_CHECK;
/* Sets the locale for characters; wanted is the name that the environment
 * has for it, or NULL. */
enum terminal_locale terminal_set_locale(const char *wanted);
/* Raw mode, alternate screen, bracketed paste. */
int terminal_start(
	enum terminal_color color, struct terminal **out) P2P_MUST_CHECK;
/* Gives the terminal back as it was. NULL is allowed. */
void terminal_stop(struct terminal *t);
/* For the time of a suspension: gives it back, takes it again and forgets
 * what was drawn. */
void terminal_pause(struct terminal *t);
void terminal_resume(struct terminal *t);

/* The size as ncurses knows it; at least 1x1. */
void terminal_size(const struct terminal *t, int *rows, int *cols);
/* Asks the kernel for the window's size (after SIGWINCH). */
void terminal_resized(struct terminal *t);
/* The next thing typed; never waits. */
void terminal_read(struct terminal *t, struct terminal_event *ev);
/* How long nothing may come before terminal_quiet is to be called, which ends
 * what has begun: Esc, a sequence, a paste. 0: nothing has. */
unsigned terminal_patience_ms(const struct terminal *t);
void terminal_quiet(struct terminal *t, struct terminal_event *ev);
/* Shows the canvas: sends what differs from what is shown. */
void terminal_draw(struct terminal *t, const struct ui_canvas *c);
/* The next draw sends everything. */
void terminal_forget(struct terminal *t);

#endif

/*
 * The full-screen face: model, drawing and terminal as one object that the
 * main thread runs from its poll loop:
 *
 *   for (;;) {
 *           poll(screen_face_fd(), the ui mailbox, the signal pipe,
 *                until screen_face_deadline());
 *           each ui_msg taken from the mailbox -> screen_face_on_msg()
 *           input readable -> screen_face_on_input()
 *           SIGWINCH -> screen_face_on_resize(), SIGTSTP -> _suspend(), ...
 *           screen_face_turn();            (always, last: draws when due)
 *           if (screen_face_wants_quit(f, &status)) break;
 *   }
 *   screen_face_free(f);                   (gives the terminal back)
 *
 * One thread only, except terminal_restore_raw. No call blocks but
 * screen_face_suspend, which returns when the shell continues the program.
 */
#ifndef UI_TERMINAL_SCREEN_FACE_H
#define UI_TERMINAL_SCREEN_FACE_H

#include "base/error.h"
#include "msg/ui_clock.h"

struct mailbox;
struct ui_msg;
struct screen_face;

enum screen_color {
	SCREEN_COLOR_AUTO, /* what the terminal has; none when NO_COLOR is set
			    */
	SCREEN_COLOR_ALWAYS,
	SCREEN_COLOR_NEVER,
};

struct screen_face_cfg {
	struct mailbox *chat; /* borrowed: CHAT_MSG_* of the ui go there */
	const char *version;  /* borrowed for the face's life, "0.1.0" */
	enum screen_color color;
	bool no_color; /* NO_COLOR is set and not empty (src/app looks) */
	bool ascii;    /* draw with ASCII only, whatever the locale says */
	/* What names the locale, "LC_CTYPE=UTF-8", clean, or NULL. Borrowed
	 * for the call. */
	const char *locale;
	struct ui_clock clock;
};

/*
 * Whether a full screen can be had on stdin and stdout: 0;
 * P2P_ERR_UNSUPPORTED when both are a terminal but TERM names one that
 * cannot, P2P_ERR_NOT_FOUND when TERM is missing or unknown (for both the
 * caller takes the line face, with a line of notice);
 * P2P_ERR_IO when one of them is no terminal (the caller exits 64).
 */
int screen_face_probe(void) P2P_MUST_CHECK;

/*
 * Takes the terminal over and draws the first screen. Also makes the abort
 * hook (p2p_set_abort_hook) give the terminal back. Calls
 * setlocale(LC_CTYPE), so no other thread may run yet. Signal handlers are
 * set before: ncurses takes over those that are still the default.
 * Returns 0 and *out, or an error of screen_face_probe with *out NULL.
 */
int screen_face_new(const struct screen_face_cfg *cfg,
	struct screen_face **out) P2P_MUST_CHECK;
/* Restores the terminal; NULL is allowed. */
void screen_face_free(struct screen_face *f);

/* To be polled for reading. */
int screen_face_fd(const struct screen_face *f);
/* Takes the message. */
void screen_face_on_msg(
	struct screen_face *f, struct ui_msg *m, const struct ui_clock *clock);
/* Reads what is there. At the end of input (the terminal is gone) the face
 * wants to quit. */
void screen_face_on_input(struct screen_face *f, const struct ui_clock *clock);
/* After SIGWINCH (from the loop, never from the handler). */
void screen_face_on_resize(struct screen_face *f);
/* After SIGTSTP or C-z: restores the terminal, stops the process group,
 * and takes the terminal again when continued. */
void screen_face_suspend(struct screen_face *f);
/* After a SIGCONT that screen_face_suspend did not wait for. */
void screen_face_resume(struct screen_face *f);
/* SIGTERM, SIGHUP: posts CHAT_MSG_QUIT; wants_quit turns true when the chat
 * thread has answered. src/app bounds the wait. */
void screen_face_quit(struct screen_face *f);

/* Draws what changed, at most 30 times a second but for the first few after a
 * quiet time; retries what the chat queue refused. Call it after every wake. */
void screen_face_turn(struct screen_face *f, const struct ui_clock *clock);
/* When to call screen_face_turn at the latest (now_ms), or P2P_NEVER. */
uint64_t screen_face_deadline(const struct screen_face *f);
/* True after UI_MSG_QUIT (status as it says) or when the terminal is gone. */
bool screen_face_wants_quit(const struct screen_face *f, int *status);

/*
 * Gives the terminal back by write(2) and tcsetattr(2) alone: for handlers of
 * SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT. Async-signal-safe, any thread,
 * harmless when no screen is up.
 */
void terminal_restore_raw(void);

#endif

/*
 * The face of a terminal: keys to the model, the model drawn, frames not more
 * often than eyes see. It knows of no thread: src/app calls its turn, as it
 * calls line_face's. Stopping by C-z is done here, since the terminal must be
 * given back before and taken again after.
 */
#include "ui/terminal/screen_face.h"

#include <signal.h>
#include <stdlib.h>
#include <sys/types.h>
#include <unistd.h>

#include "base/xmalloc.h"
#include "msg/ui_msg.h"
#include "ui/draw/draw.h"
#include "ui/terminal/terminal.h"

/*
 * At most 30 frames a second, but FRAMES_AHEAD of them at once: what comes
 * after a quiet time (the first page, an answer to a key) is not held back by
 * the frame before it.
 */
#define FRAME_MS 33
#define FRAMES_AHEAD 4
#define FRAMES_AHEAD_MS ((FRAMES_AHEAD - 1) * FRAME_MS)

struct screen_face {
	struct ui *ui;
	struct terminal *terminal;
	struct ui_canvas canvas;
	uint64_t paid_ms; /* the frames drawn until now fill the time to here */
	uint64_t input_ms; /* something was last read */
	char *notice;      /* owned: to be said once a room is shown */
	bool dirty;
	bool gone; /* the terminal is */
};

int screen_face_probe(void)
{
	return terminal_probe();
}

static void resize(struct screen_face *f)
{
	int rows;
	int cols;

	terminal_size(f->terminal, &rows, &cols);
	ui_resize(f->ui, rows, cols);
	f->dirty = true;
}

static void draw(struct screen_face *f, uint64_t now_ms)
{
	draw_screen(f->ui, &f->canvas);
	terminal_draw(f->terminal, &f->canvas);
	f->paid_ms = P2P_MAX(f->paid_ms, now_ms) + FRAME_MS;
	f->dirty = false;
}

static enum terminal_color color_of(const struct screen_face_cfg *cfg)
{
	switch (cfg->color) {
	case SCREEN_COLOR_ALWAYS:
		return TERMINAL_COLOR_ALWAYS;
	case SCREEN_COLOR_NEVER:
		return TERMINAL_COLOR_NEVER;
	case SCREEN_COLOR_AUTO:
		break;
	}
	return cfg->no_color ? TERMINAL_COLOR_NEVER : TERMINAL_COLOR_AUTO;
}

/* What to say of a locale that is not there, or NULL. */
static char *locale_notice(enum terminal_locale locale, const char *wanted)
{
	bool utf8 = locale == TERMINAL_LOCALE_MISSING_UTF8;

	if (!utf8 && locale != TERMINAL_LOCALE_MISSING)
		return NULL;
	return xasprintf("The locale %s is not installed here: %s. "
			 "LANG=C.UTF-8 works everywhere; to install yours on "
			 "Debian: dpkg-reconfigure locales",
		wanted == NULL ? "that is set" : wanted,
		utf8 ? "C.UTF-8 is used instead"
		     : "characters beyond ASCII are shown as \\u{...}");
}

int screen_face_new(const struct screen_face_cfg *cfg, struct screen_face **out)
{
	struct ui_cfg ui_cfg = {.chat = cfg->chat, .clock = cfg->clock};
	enum terminal_locale locale;
	struct terminal *terminal;
	struct screen_face *f;
	int err = terminal_probe();

	*out = NULL;
	if (err != 0)
		return err;
	locale = terminal_set_locale(cfg->locale);
	ui_cfg.ascii_text = locale == TERMINAL_LOCALE_ASCII ||
			    locale == TERMINAL_LOCALE_MISSING;
	ui_cfg.ascii = cfg->ascii || ui_cfg.ascii_text;
	err = terminal_start(color_of(cfg), &terminal);
	if (err != 0)
		return err;
	p2p_set_abort_hook(terminal_restore_raw);
	f = xcalloc(1, sizeof(*f));
	f->terminal = terminal;
	f->ui = ui_new(&ui_cfg);
	f->notice = locale_notice(locale, cfg->locale);
	canvas_init(&f->canvas);
	resize(f);
	draw(f, cfg->clock.now_ms);
	*out = f;
	return 0;
}

void screen_face_free(struct screen_face *f)
{
	if (f == NULL)
		return;
	terminal_stop(f->terminal);
	p2p_set_abort_hook(NULL);
	ui_free(f->ui);
	canvas_clear(&f->canvas);
	free(f->notice);
	free(f);
}

int screen_face_fd(const struct screen_face *f)
{
	(void)f;
	return STDIN_FILENO;
}

void screen_face_on_msg(
	struct screen_face *f, struct ui_msg *m, const struct ui_clock *clock)
{
	bool shown = m->msg.kind == UI_MSG_FOCUS;

	ui_on_msg(f->ui, m, clock);
	if (shown && f->notice != NULL) {
		m = ui_msg_new(UI_MSG_NOTICE, NULL, f->notice);
		m->level = UI_LEVEL_WARN;
		ui_on_msg(f->ui, m, clock);
		free(f->notice);
		f->notice = NULL;
	}
	f->dirty = ui_take_dirty(f->ui) || f->dirty;
}

static void take_event(struct screen_face *f, const struct terminal_event *ev,
	const struct ui_clock *clock)
{
	switch (ev->kind) {
	case TERMINAL_EVENT_NONE:
		break;
	case TERMINAL_EVENT_KEY:
		ui_update(f->ui, &ev->key, clock);
		break;
	case TERMINAL_EVENT_PASTE:
		ui_paste(f->ui, ev->paste, clock);
		break;
	case TERMINAL_EVENT_END:
		f->gone = true;
		break;
	}
}

void screen_face_on_input(struct screen_face *f, const struct ui_clock *clock)
{
	struct terminal_event ev;

	f->input_ms = clock->now_ms;
	do {
		terminal_read(f->terminal, &ev);
		take_event(f, &ev, clock);
	} while (ev.kind != TERMINAL_EVENT_NONE && !f->gone);
}

void screen_face_on_resize(struct screen_face *f)
{
	terminal_resized(f->terminal);
	resize(f);
}

void screen_face_suspend(struct screen_face *f)
{
	struct sigaction stop = {.sa_handler = SIG_DFL};
	struct sigaction before;
	sigset_t set;
	sigset_t mask;

	terminal_pause(f->terminal);
	(void)sigemptyset(&set);
	(void)sigaddset(&set, SIGTSTP);
	(void)sigaction(SIGTSTP, &stop, &before);
	(void)pthread_sigmask(SIG_UNBLOCK, &set, &mask);
	/* The whole group, as the terminal itself would. Where no shell could
	 * continue it (an orphaned group) the kernel ignores the signal. */
	(void)kill(0, SIGTSTP);
	(void)pthread_sigmask(SIG_SETMASK, &mask, NULL);
	(void)sigaction(SIGTSTP, &before, NULL);
	screen_face_resume(f);
}

void screen_face_resume(struct screen_face *f)
{
	terminal_resume(f->terminal);
	resize(f);
}

void screen_face_quit(struct screen_face *f)
{
	ui_quit(f->ui);
}

/* When what has begun (Esc, a sequence, a paste) is over without more. */
static uint64_t quiet_deadline(const struct screen_face *f)
{
	unsigned patience_ms = terminal_patience_ms(f->terminal);

	return patience_ms == 0 ? P2P_NEVER : f->input_ms + patience_ms;
}

static void end_begun(struct screen_face *f, const struct ui_clock *clock)
{
	struct terminal_event ev;

	if (clock->now_ms < quiet_deadline(f))
		return;
	terminal_quiet(f->terminal, &ev);
	take_event(f, &ev, clock);
}

void screen_face_turn(struct screen_face *f, const struct ui_clock *clock)
{
	ui_tick(f->ui, clock);
	end_begun(f, clock);
	if (ui_take_suspend(f->ui))
		screen_face_suspend(f);
	if (ui_take_redraw(f->ui)) {
		terminal_forget(f->terminal);
		f->dirty = true;
	}
	if (ui_take_dirty(f->ui))
		f->dirty = true;
	if (f->dirty && !f->gone &&
		clock->now_ms + FRAMES_AHEAD_MS >= f->paid_ms)
		draw(f, clock->now_ms);
}

uint64_t screen_face_deadline(const struct screen_face *f)
{
	uint64_t at = ui_deadline(f->ui);

	/* What is dirty was refused by screen_face_turn, or is new: then this
	 * moment has passed and the turn comes at once. */
	if (f->dirty && !f->gone)
		at = P2P_MIN(at,
			f->paid_ms -
				P2P_MIN(f->paid_ms, (uint64_t)FRAMES_AHEAD_MS));
	return P2P_MIN(at, quiet_deadline(f));
}

bool screen_face_wants_quit(const struct screen_face *f, int *status)
{
	if (f->gone) {
		*status = 129; /* as after SIGHUP */
		return true;
	}
	return ui_wants_quit(f->ui, status);
}

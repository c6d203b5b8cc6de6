/*
 * ncurses: the only file that draws with it. It sends the cells that differ
 * from what is shown, each cluster so that ncurses and the terminal agree about
 * its width. Whatever happens, the terminal is given back as it was found: in
 * order by terminal_stop, from a crash by terminal_restore_raw, which calls
 * nothing but write and tcsetattr.
 */
#include "ui/terminal/terminal.h"

#include <langinfo.h>
#include <locale.h>
#include <ncurses.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>
#include <wchar.h>

#include "base/text.h"
#include "base/xmalloc.h"
#include "ui/terminal/keys.h"
#include "ui/terminal/screen_face.h"

#define ESCDELAY_MS 25

struct terminal {
	SCREEN *screen;
	bool color;
	bool all; /* nothing of what is shown is known */
	struct keys keys;
	struct ui_canvas shown;
};

/* For the signal handler: plain words only. */
static struct termios saved_tty;
static volatile sig_atomic_t raw_up;

#define PASTE_ON "\033[?2004h"
#define PASTE_OFF "\033[?2004l"

static void send_raw(const char *text)
{
	size_t len = strlen(text);

	while (len > 0) {
		ssize_t n = write(STDOUT_FILENO, text, len);

		if (n <= 0)
			return;
		text += n;
		len -= (size_t)n;
	}
}

void terminal_restore_raw(void)
{
	if (!raw_up)
		return;
	raw_up = 0;
	/* Attributes off, keypad local, paste off, cursor shown, main screen,
	 * and a line of its own for what follows. */
	send_raw("\033[0m\033[?1l\033>" PASTE_OFF "\033[?25h\033[?1049l\r\n");
	(void)tcsetattr(STDIN_FILENO, TCSANOW, &saved_tty);
}

bool terminal_locale_is_utf8(void)
{
	if (setlocale(LC_CTYPE, "") != NULL &&
		strcmp(nl_langinfo(CODESET), "UTF-8") == 0)
		return true;
	/* What is typed is still read as UTF-8, so that none of it is lost;
	 * what is drawn stays ASCII. */
	if (setlocale(LC_CTYPE, "C.UTF-8") == NULL)
		(void)setlocale(LC_CTYPE, "C");
	return false;
}

struct look {
	attr_t attr; /* says it without colour */
	short few;   /* of 8 colours; -1: the terminal's own */
	short many;  /* of 256 */
};

static const struct look looks[STYLE_COUNT] = {
	[STYLE_TEXT] = {A_NORMAL, -1, -1},
	[STYLE_DIM] = {A_DIM, -1, -1},
	[STYLE_BAR] = {A_REVERSE, -1, -1},
	[STYLE_BAR_LOUD] = {A_REVERSE | A_BOLD, -1, -1},
	[STYLE_HEAD] = {A_BOLD, -1, -1},
	[STYLE_CURRENT] = {A_BOLD, COLOR_CYAN, 37},
	[STYLE_OWN] = {A_BOLD, COLOR_GREEN, 71},
	[STYLE_MENTION] = {A_BOLD, COLOR_YELLOW, 172},
	[STYLE_NOTICE] = {A_NORMAL, COLOR_CYAN, 37},
	[STYLE_WARN] = {A_BOLD, COLOR_YELLOW, 172},
	[STYLE_ERROR] = {A_BOLD, COLOR_RED, 160},
	[STYLE_OK] = {A_NORMAL, COLOR_GREEN, 71},
	[STYLE_NAME] = {A_BOLD, COLOR_BLUE, 32},
	[STYLE_NAME + 1] = {A_BOLD, COLOR_MAGENTA, 133},
	[STYLE_NAME + 2] = {A_BOLD, COLOR_CYAN, 37},
	[STYLE_NAME + 3] = {A_BOLD, COLOR_RED, 166},
	[STYLE_NAME + 4] = {A_BOLD, COLOR_YELLOW, 136},
	[STYLE_NAME + 5] = {A_BOLD, COLOR_GREEN, 65},
};

static void start_colors(struct terminal *t, enum terminal_color color)
{
	if (color == TERMINAL_COLOR_NEVER || !has_colors() ||
		start_color() == ERR)
		return;
	(void)use_default_colors();
	t->color = true;
	for (int i = 0; i < STYLE_COUNT; i++) {
		short fg = COLORS >= 256 ? looks[i].many : looks[i].few;

		(void)init_pair((short)(i + 1), fg, -1);
	}
}

int terminal_start(enum terminal_color color, struct terminal **out)
{
	struct terminal *t;
	SCREEN *screen;

	*out = NULL;
	if (tcgetattr(STDIN_FILENO, &saved_tty) != 0)
		return P2P_ERR_IO;
	screen = newterm(NULL, stdout, stdin);
	if (screen == NULL)
		return P2P_ERR_UNSUPPORTED;
	t = xcalloc(1, sizeof(*t));
	t->screen = screen;
	t->all = true;
	raw_up = 1;
	(void)raw(); /* no signals from keys, no C-s and C-q */
	(void)noecho();
	(void)nonl(); /* Enter is not C-j */
	(void)keypad(stdscr, TRUE);
	(void)nodelay(stdscr, TRUE);
	(void)set_escdelay(ESCDELAY_MS);
	for (const struct keys_sequence *s = keys_sequences; s->text != NULL;
		s++)
		(void)define_key(s->text, s->code);
	start_colors(t, color);
	keys_init(&t->keys);
	canvas_init(&t->shown);
	send_raw(PASTE_ON);
	*out = t;
	return 0;
}

void terminal_stop(struct terminal *t)
{
	if (t == NULL)
		return;
	terminal_pause(t);
	delscreen(t->screen);
	keys_clear(&t->keys);
	canvas_clear(&t->shown);
	free(t);
}

void terminal_pause(struct terminal *t)
{
	(void)t;
	if (!raw_up)
		return;
	send_raw(PASTE_OFF);
	(void)endwin();
	/* endwin goes back to what ncurses found; be sure of it. */
	(void)tcsetattr(STDIN_FILENO, TCSADRAIN, &saved_tty);
	raw_up = 0;
}

void terminal_resume(struct terminal *t)
{
	(void)reset_prog_mode();
	(void)raw();
	raw_up = 1;
	send_raw(PASTE_ON);
	terminal_resized(t);
	terminal_forget(t);
}

void terminal_size(const struct terminal *t, int *rows, int *cols)
{
	(void)t;
	getmaxyx(stdscr, *rows, *cols);
}

void terminal_resized(struct terminal *t)
{
	struct winsize ws;

	(void)t;
	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &ws) != 0 || ws.ws_row == 0 ||
		ws.ws_col == 0)
		return;
	if (is_term_resized(ws.ws_row, ws.ws_col))
		(void)resizeterm(ws.ws_row, ws.ws_col);
}

static bool is_gone(void)
{
	struct pollfd p = {.fd = STDIN_FILENO, .events = POLLIN};
	int queued = 0;

	if (poll(&p, 1, 0) <= 0)
		return false;
	if ((p.revents & (POLLHUP | POLLERR | POLLNVAL)) != 0)
		return true;
	return ioctl(STDIN_FILENO, FIONREAD, &queued) != 0 || queued == 0;
}

void terminal_read(struct terminal *t, struct terminal_event *ev)
{
	bool any = t->keys.escape;

	ev->kind = TERMINAL_EVENT_NONE;
	for (;;) {
		enum keys_input input = KEYS_NOTHING;
		wint_t value = 0;
		int got = wget_wch(stdscr, &value);

		if (got == OK)
			input = KEYS_CHARACTER;
		else if (got == KEY_CODE_YES)
			input = KEYS_CODE;
		if (input == KEYS_CODE && value == KEY_RESIZE) {
			ev->kind = TERMINAL_EVENT_RESIZE;
			return;
		}
		if (keys_feed(&t->keys, input, value, ev))
			return;
		if (input != KEYS_NOTHING) {
			any = true;
			continue;
		}
		if (!any && is_gone())
			ev->kind = TERMINAL_EVENT_END;
		return;
	}
}

bool terminal_is_pasting(const struct terminal *t)
{
	return t->keys.pasting;
}

void terminal_end_paste(struct terminal *t, struct terminal_event *ev)
{
	ev->kind = TERMINAL_EVENT_NONE;
	(void)keys_end_paste(&t->keys, ev);
}

void terminal_forget(struct terminal *t)
{
	t->all = true;
}

/* One terminal cell: a character that takes columns, and its marks. */
struct glyph {
	wchar_t text[CCHARW_MAX + 1];
	int len;
	int width;
};

static void put_glyph(struct terminal *t, const struct glyph *g, uint8_t style)
{
	short pair = t->color ? (short)(style + 1) : 0;
	cchar_t cc;

	if (setcchar(&cc, g->text, looks[style].attr, pair, NULL) == OK)
		(void)add_wch(&cc);
}

/*
 * Sends a cluster so that what ncurses and the terminal think of its width
 * is the same: each character that takes columns (by wcwidth) has a cell of
 * its own, what does not fit into the cluster's columns is left out (later
 * parts of a joined emoji, a second flag letter), and columns left over are
 * spaces.
 */
static void put_cell(struct terminal *t, const struct canvas_cell *cell)
{
	struct bytes rest = bytes_of(cell->text, cell->len);
	struct glyph g = {.len = 0};
	int used = 0;

	while (rest.len > 0) {
		size_t len = 1;
		wchar_t ch = (wchar_t)utf8_decode(rest, &len);
		int width = wcwidth(ch);

		rest = bytes_skip(rest, len);
		/* Joiners and variation selectors change widths on some
		 * terminals and not on others: without them all agree. */
		if (ch == 0x200d || ch == 0xfe0f || ch == 0xfe0e || width < 0)
			continue;
		if (width == 0) {
			if (g.len > 0 && g.len < CCHARW_MAX)
				g.text[g.len++] = ch;
			continue;
		}
		if (used + width > cell->width)
			break;
		if (g.len > 0)
			put_glyph(t, &g, cell->style);
		g = (struct glyph){.text = {ch}, .len = 1};
		used += width;
	}
	if (g.len > 0)
		put_glyph(t, &g, cell->style);
	g = (struct glyph){.text = {L' '}, .len = 1};
	for (; used < cell->width; used++)
		put_glyph(t, &g, cell->style);
}

static void draw_row(
	struct terminal *t, const struct ui_canvas *c, int row, bool all)
{
	int cols = P2P_MIN(c->cols, COLS);

	for (int col = 0; col < cols; col++) {
		size_t at = (size_t)row * (size_t)c->cols + (size_t)col;

		if (c->cells[at].width == 0 ||
			(!all && memcmp(&c->cells[at], &t->shown.cells[at],
					 sizeof(c->cells[at])) == 0))
			continue;
		(void)move(row, col);
		put_cell(t, &c->cells[at]);
	}
}

void terminal_draw(struct terminal *t, const struct ui_canvas *c)
{
	bool all =
		t->all || c->rows != t->shown.rows || c->cols != t->shown.cols;
	size_t cells = (size_t)c->rows * (size_t)c->cols;

	if (all) {
		(void)erase();
		if (t->all)
			(void)clearok(curscr, TRUE);
		canvas_resize(&t->shown, c->rows, c->cols);
		t->all = false;
	}
	for (int row = 0; row < P2P_MIN(c->rows, LINES); row++)
		draw_row(t, c, row, all);
	memcpy(t->shown.cells, c->cells, cells * sizeof(c->cells[0]));
	(void)move(P2P_MIN(c->cursor_row, LINES - 1),
		P2P_MIN(c->cursor_col, COLS - 1));
	(void)refresh();
}

/*
 * ncurses: the only file that draws with it. It sends the cells that differ
 * from what is shown, each cluster so that ncurses and the terminal agree about
 * its width. It does not read: what is typed goes to keys.c as it comes, since
 * ncurses hands on as characters what it does not know. Whatever happens, the
 * terminal is given back as it was found: in order by terminal_stop, from a
 * crash by terminal_restore_raw, which calls nothing but write and tcsetattr.
 */
#include "ui/terminal/terminal.h"

#include <errno.h>
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

#define READ_BYTES 4096

struct terminal {
	SCREEN *screen;
	bool color;
	bool all; /* nothing of what is shown is known */
	struct keys keys;
	uint8_t in[READ_BYTES];
	struct bytes left; /* of `in`: read and not yet taken */
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

static char *terminfo(const char *name)
{
	char *text = tigetstr(name);

	/* No such string, or none with this terminal. */
	return text == (char *)-1 ? NULL : text;
}

/* What this terminal itself says that its keys send. */
static void learn_keys(struct keys *k)
{
	static const struct {
		const char *name;
		enum ui_key_code code;
	} table[] = {
		{"kcuu1", UI_KEY_UP},
		{"kcud1", UI_KEY_DOWN},
		{"kcub1", UI_KEY_LEFT},
		{"kcuf1", UI_KEY_RIGHT},
		{"khome", UI_KEY_HOME},
		{"kend", UI_KEY_END},
		{"kpp", UI_KEY_PGUP},
		{"knp", UI_KEY_PGDN},
		{"kbs", UI_KEY_BACKSPACE},
		{"kdch1", UI_KEY_DELETE},
		{"kent", UI_KEY_ENTER},
		{"kcbt", UI_KEY_BACKTAB},
		{"kf1", UI_KEY_F1},
		{"kf7", UI_KEY_F7},
		{"kf8", UI_KEY_F8},
	};

	for (size_t i = 0; i < P2P_ARRAY_LEN(table); i++)
		keys_learn(k, terminfo(table[i].name),
			(struct ui_key){.code = table[i].code});
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
	(void)nonl();               /* Enter is not C-j */
	(void)keypad(stdscr, TRUE); /* keys as terminfo has them */
	(void)typeahead(-1);        /* no frame stops halfway for input */
	start_colors(t, color);
	keys_init(&t->keys);
	learn_keys(&t->keys);
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

/* One read at most, of what is there. False: nothing is, or the terminal is
 * gone. */
static bool refill(struct terminal *t, struct terminal_event *ev)
{
	struct pollfd p = {.fd = STDIN_FILENO, .events = POLLIN};
	ssize_t n;

	if (poll(&p, 1, 0) <= 0)
		return false;
	n = read(STDIN_FILENO, t->in, sizeof(t->in));
	if (n > 0)
		t->left = bytes_of(t->in, (size_t)n);
	else if (n == 0 || (errno != EINTR && errno != EAGAIN))
		ev->kind = TERMINAL_EVENT_END;
	return n > 0;
}

void terminal_read(struct terminal *t, struct terminal_event *ev)
{
	ev->kind = TERMINAL_EVENT_NONE;
	do {
		if (keys_next(&t->keys, &t->left, ev))
			return;
	} while (refill(t, ev));
}

unsigned terminal_patience_ms(const struct terminal *t)
{
	return keys_patience_ms(&t->keys);
}

void terminal_quiet(struct terminal *t, struct terminal_event *ev)
{
	ev->kind = TERMINAL_EVENT_NONE;
	(void)keys_quiet(&t->keys, ev);
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

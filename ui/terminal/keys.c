/*
 * Codes and characters of ncurses as keys of the model. Modified arrows come in
 * xterm's own sequences, which terminfo does not name; they are defined to
 * ncurses from the table here. A paste is collected up to its end mark, its
 * line ends as they come, and nothing in it is taken for a key.
 */
#include "ui/terminal/keys.h"

#include <ncurses.h>

#include "base/text.h"

/* xterm's modifiers: 3 Alt, 5 Ctrl, 7 both; keys as below. */
enum { K_UP, K_DOWN, K_RIGHT, K_LEFT, K_HOME, K_END };
#define MODIFIED(key, mods) (KEYS_MODIFIED + 16 * ((key) + 1) + (int)(mods))
#define A UI_MOD_ALT
#define C UI_MOD_CTRL

const struct keys_sequence keys_sequences[] = {
	{"\033[200~", KEYS_PASTE_BEGIN},
	{"\033[201~", KEYS_PASTE_END},
	{"\033[1;3A", MODIFIED(K_UP, A)},
	{"\033[1;3B", MODIFIED(K_DOWN, A)},
	{"\033[1;3C", MODIFIED(K_RIGHT, A)},
	{"\033[1;3D", MODIFIED(K_LEFT, A)},
	{"\033[1;3H", MODIFIED(K_HOME, A)},
	{"\033[1;3F", MODIFIED(K_END, A)},
	{"\033[1;5A", MODIFIED(K_UP, C)},
	{"\033[1;5B", MODIFIED(K_DOWN, C)},
	{"\033[1;5C", MODIFIED(K_RIGHT, C)},
	{"\033[1;5D", MODIFIED(K_LEFT, C)},
	{"\033[1;5H", MODIFIED(K_HOME, C)},
	{"\033[1;5F", MODIFIED(K_END, C)},
	{"\033Oa", MODIFIED(K_UP, C)}, /* rxvt */
	{"\033Ob", MODIFIED(K_DOWN, C)},
	{"\033Oc", MODIFIED(K_RIGHT, C)},
	{"\033Od", MODIFIED(K_LEFT, C)},
	/* Home and End as some terminals send them whatever terminfo says. */
	{"\033[H", KEY_HOME},
	{"\033[F", KEY_END},
	{"\033[1~", KEY_HOME},
	{"\033[4~", KEY_END},
	{NULL, 0},
};

void keys_init(struct keys *k)
{
	*k = (struct keys){0};
	buf_init(&k->paste, TERMINAL_PASTE_BYTES_MAX);
}

void keys_clear(struct keys *k)
{
	buf_clear(&k->paste);
}

static struct ui_key plain(enum ui_key_code code)
{
	return (struct ui_key){.code = code};
}

static struct ui_key own_code(uint32_t value)
{
	static const enum ui_key_code codes[] = {UI_KEY_UP, UI_KEY_DOWN,
		UI_KEY_RIGHT, UI_KEY_LEFT, UI_KEY_HOME, UI_KEY_END};
	struct ui_key key = plain(UI_KEY_OTHER);
	uint32_t n = value - (uint32_t)MODIFIED(0, 0);

	if (value >= (uint32_t)MODIFIED(0, 0) &&
		n / 16 < P2P_ARRAY_LEN(codes)) {
		key.code = codes[n / 16];
		key.mods = n % 4;
	}
	return key;
}

static struct ui_key from_code(uint32_t value)
{
	switch (value) {
	case KEY_UP:
		return plain(UI_KEY_UP);
	case KEY_DOWN:
		return plain(UI_KEY_DOWN);
	case KEY_LEFT:
		return plain(UI_KEY_LEFT);
	case KEY_RIGHT:
		return plain(UI_KEY_RIGHT);
	case KEY_HOME:
		return plain(UI_KEY_HOME);
	case KEY_END:
		return plain(UI_KEY_END);
	case KEY_PPAGE:
		return plain(UI_KEY_PGUP);
	case KEY_NPAGE:
		return plain(UI_KEY_PGDN);
	case KEY_BACKSPACE:
		return plain(UI_KEY_BACKSPACE);
	case KEY_DC:
		return plain(UI_KEY_DELETE);
	case KEY_ENTER:
		return plain(UI_KEY_ENTER);
	case KEY_BTAB:
		return plain(UI_KEY_BACKTAB);
	case KEY_F(1):
		return plain(UI_KEY_F1);
	case KEY_F(7):
		return plain(UI_KEY_F7);
	case KEY_F(8):
		return plain(UI_KEY_F8);
	default:
		return own_code(value);
	}
}

static struct ui_key from_character(uint32_t ch)
{
	struct ui_key key = {.code = UI_KEY_CHAR, .cp = ch};

	if (ch == '\r')
		return plain(UI_KEY_ENTER);
	if (ch == '\t')
		return plain(UI_KEY_TAB);
	if (ch == 0x7f || ch == 0x08)
		return plain(UI_KEY_BACKSPACE);
	if (ch == 0x1f) {
		key.mods = UI_MOD_CTRL;
		key.cp = '_';
	} else if (ch >= 1 && ch <= 26) {
		key.mods = UI_MOD_CTRL;
		key.cp = 'a' + ch - 1;
	} else if (ch < 0x20) {
		return plain(UI_KEY_OTHER);
	}
	return key;
}

static bool give_paste(struct keys *k, struct terminal_event *ev)
{
	k->pasting = false;
	k->paste_ready = true;
	ev->kind = TERMINAL_EVENT_PASTE;
	ev->paste = buf_bytes(&k->paste);
	return true;
}

/* What is too long is dropped at its end; keys inside a paste are noise. */
static bool feed_paste(struct keys *k, enum keys_input input, uint32_t value,
	struct terminal_event *ev)
{
	if (input == KEYS_CODE && value == KEYS_PASTE_END)
		return give_paste(k, ev);
	if (input == KEYS_CHARACTER && buf_room(&k->paste) >= 4)
		utf8_encode(&k->paste, value);
	if (input == KEYS_CODE && value == KEY_ENTER &&
		buf_room(&k->paste) >= 4)
		utf8_encode(&k->paste, '\n');
	return false;
}

bool keys_feed(struct keys *k, enum keys_input input, uint32_t value,
	struct terminal_event *ev)
{
	bool alt = k->escape;

	if (k->paste_ready) {
		buf_reset(&k->paste);
		k->paste_ready = false;
	}
	if (k->pasting)
		return feed_paste(k, input, value, ev);
	if (input == KEYS_NOTHING && !alt)
		return false;
	if (input == KEYS_CODE && value == KEYS_PASTE_BEGIN) {
		k->pasting = true;
		k->escape = false;
		return false;
	}
	if (input == KEYS_CODE && value == KEYS_PASTE_END)
		return false;
	if (input == KEYS_CHARACTER && value == 0x1b && !alt) {
		k->escape = true;
		return false;
	}
	k->escape = false;
	ev->kind = TERMINAL_EVENT_KEY;
	if (input == KEYS_NOTHING ||
		(input == KEYS_CHARACTER && value == 0x1b)) {
		ev->key = plain(UI_KEY_ESC);
		return true;
	}
	ev->key = input == KEYS_CODE ? from_code(value) : from_character(value);
	if (alt)
		ev->key.mods |= UI_MOD_ALT;
	return true;
}

bool keys_end_paste(struct keys *k, struct terminal_event *ev)
{
	return k->pasting && give_paste(k, ev);
}

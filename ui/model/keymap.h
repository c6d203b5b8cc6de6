/*
 * Keys as the model hears them, and the one table of what they do: the model
 * acts by it, F1 shows it, a test holds the man page equal to it.
 *
 * Every Alt key also works as Esc followed by the key; ui/terminal turns both
 * into UI_MOD_ALT.
 */
#ifndef UI_MODEL_KEYMAP_H
#define UI_MODEL_KEYMAP_H

#include "base/compiler.h"

enum ui_key_code {
	UI_KEY_CHAR, /* cp holds the character; with UI_MOD_CTRL a letter a-z
			or '_' in lower case */
	UI_KEY_ENTER,
	UI_KEY_TAB,
	UI_KEY_BACKTAB,
	UI_KEY_BACKSPACE,
	UI_KEY_DELETE,
	UI_KEY_UP,
	UI_KEY_DOWN,
	UI_KEY_LEFT,
	UI_KEY_RIGHT,
	UI_KEY_HOME,
	UI_KEY_END,
	UI_KEY_PGUP,
	UI_KEY_PGDN,
	UI_KEY_F1,
	UI_KEY_F7,
	UI_KEY_F8,
	UI_KEY_ESC,
	UI_KEY_OTHER, /* known to the terminal, of no use here */
};

#define UI_MOD_CTRL 1u
#define UI_MOD_ALT 2u

struct ui_key {
	enum ui_key_code code;
	unsigned mods;
	uint32_t cp;
};

enum ui_action {
	UI_ACTION_NONE,
	UI_ACTION_SEND,
	UI_ACTION_NEWLINE,
	UI_ACTION_COMPLETE,
	UI_ACTION_COMPLETE_BACK,
	UI_ACTION_UP,
	UI_ACTION_DOWN,
	UI_ACTION_LINE_START,
	UI_ACTION_LINE_END,
	UI_ACTION_LEFT,
	UI_ACTION_RIGHT,
	UI_ACTION_WORD_LEFT,
	UI_ACTION_WORD_RIGHT,
	UI_ACTION_ERASE,
	UI_ACTION_DELETE,
	UI_ACTION_KILL_SPACE_WORD,
	UI_ACTION_KILL_WORD_LEFT,
	UI_ACTION_KILL_WORD_RIGHT,
	UI_ACTION_KILL_START,
	UI_ACTION_KILL_END,
	UI_ACTION_YANK,
	UI_ACTION_SWAP,
	UI_ACTION_UNDO,
	UI_ACTION_ROOM_NEXT,
	UI_ACTION_ROOM_PREV,
	UI_ACTION_ROOM_NUMBER,
	UI_ACTION_ROOM_ACTIVE,
	UI_ACTION_ROOM_LAST,
	UI_ACTION_PAGE_UP,
	UI_ACTION_PAGE_DOWN,
	UI_ACTION_OLDEST,
	UI_ACTION_NEWEST,
	UI_ACTION_PANE_ROOMS,
	UI_ACTION_PANE_PEOPLE,
	UI_ACTION_PANE_UP,
	UI_ACTION_PANE_DOWN,
	UI_ACTION_FOLD,
	UI_ACTION_UNFOLD,
	UI_ACTION_HELP,
	UI_ACTION_REDRAW,
	UI_ACTION_SUSPEND,
	UI_ACTION_BREAK,
	UI_ACTION_CLOSE,
};

struct keymap_entry {
	unsigned mods;
	enum ui_key_code code;
	uint32_t cp; /* only for UI_KEY_CHAR; '0' with Alt: any digit */
	enum ui_action action;
	const char *name; /* "C-a", as the man page has it */
	const char *help; /* a sentence part; NULL: the same as the one above */
};

/* In the order in which help shows it. */
extern const struct keymap_entry keymap_table[];
extern const size_t keymap_count;

/* Lines of the help page: heads, keys (those that do the same share a line),
 * an empty line, commands. */
int keymap_help_lines(void);

/* UI_ACTION_NONE for keys that do nothing of their own (plain text). */
enum ui_action keymap_find(const struct ui_key *key);

#endif

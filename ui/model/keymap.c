/*
 * The table of keys, in the order of the help page. A key without words of its
 * own stands below the one whose words it shares. Alt with a digit is told
 * apart before the table is looked at: ten keys are one row.
 */
#include "ui/model/keymap.h"

#include "msg/command.h"

#define CTRL(c) UI_MOD_CTRL, UI_KEY_CHAR, c
#define ALT(c) UI_MOD_ALT, UI_KEY_CHAR, c
#define KEY(k) 0, UI_KEY_##k, 0
#define CTRL_KEY(k) UI_MOD_CTRL, UI_KEY_##k, 0
#define ALT_KEY(k) UI_MOD_ALT, UI_KEY_##k, 0
#define DO(a) UI_ACTION_##a

const struct keymap_entry keymap_table[] = {
	{KEY(ENTER), DO(SEND), "Enter", "send"},
	{ALT_KEY(ENTER), DO(NEWLINE), "Alt-Enter", "new line in the input"},
	{CTRL('j'), DO(NEWLINE), "C-j", NULL},
	{KEY(TAB), DO(COMPLETE), "Tab", "complete a name, room or command"},
	{KEY(BACKTAB), DO(COMPLETE_BACK), "S-Tab", "complete, backwards"},
	{KEY(UP), DO(UP), "Up", "line above, or what was typed before"},
	{KEY(DOWN), DO(DOWN), "Down", "line below, or what was typed after"},

	{CTRL('n'), DO(ROOM_NEXT), "C-n", "next room"},
	{ALT_KEY(RIGHT), DO(ROOM_NEXT), "Alt-Right", NULL},
	{CTRL('p'), DO(ROOM_PREV), "C-p", "previous room"},
	{ALT_KEY(LEFT), DO(ROOM_PREV), "Alt-Left", NULL},
	{ALT('0'), DO(ROOM_NUMBER), "Alt-1..Alt-0", "room 1 to 10"},
	{ALT('a'), DO(ROOM_ACTIVE), "Alt-a", "next room with something new"},
	{ALT('/'), DO(ROOM_LAST), "Alt-/", "back to the room before"},

	{KEY(PGUP), DO(PAGE_UP), "PgUp", "a page back"},
	{KEY(PGDN), DO(PAGE_DOWN), "PgDn", "a page on"},
	{ALT_KEY(HOME), DO(OLDEST), "Alt-Home", "oldest lines"},
	{ALT_KEY(END), DO(NEWEST), "Alt-End",
		"newest lines (also End on an empty input)"},

	{KEY(HOME), DO(LINE_START), "Home", "start of the line"},
	{CTRL('a'), DO(LINE_START), "C-a", NULL},
	{KEY(END), DO(LINE_END), "End", "end of the line"},
	{CTRL('e'), DO(LINE_END), "C-e", NULL},
	{KEY(LEFT), DO(LEFT), "Left", "one character left"},
	{CTRL('b'), DO(LEFT), "C-b", NULL},
	{KEY(RIGHT), DO(RIGHT), "Right", "one character right"},
	{CTRL('f'), DO(RIGHT), "C-f", NULL},
	{ALT('b'), DO(WORD_LEFT), "Alt-b", "one word left"},
	{CTRL_KEY(LEFT), DO(WORD_LEFT), "C-Left", NULL},
	{ALT('f'), DO(WORD_RIGHT), "Alt-f", "one word right"},
	{CTRL_KEY(RIGHT), DO(WORD_RIGHT), "C-Right", NULL},
	{KEY(BACKSPACE), DO(ERASE), "Backspace", "erase to the left"},
	{KEY(DELETE), DO(DELETE), "Delete", "erase to the right"},
	{CTRL('d'), DO(DELETE), "C-d", NULL},
	{CTRL('w'), DO(KILL_SPACE_WORD), "C-w", "cut back to a space"},
	{ALT_KEY(BACKSPACE), DO(KILL_WORD_LEFT), "Alt-Backspace",
		"cut the word to the left"},
	{ALT('d'), DO(KILL_WORD_RIGHT), "Alt-d", "cut the word to the right"},
	{CTRL('u'), DO(KILL_START), "C-u", "cut to the start of the line"},
	{CTRL('k'), DO(KILL_END), "C-k", "cut to the end of the line"},
	{CTRL('y'), DO(YANK), "C-y", "put back what was cut"},
	{CTRL('t'), DO(SWAP), "C-t", "swap two characters"},
	{CTRL('_'), DO(UNDO), "C-_", "undo"},

	{KEY(F1), DO(HELP), "F1", "show keys and commands"},
	{ALT('?'), DO(HELP), "Alt-?", NULL},
	{KEY(F7), DO(PANE_ROOMS), "F7", "show or hide the rooms"},
	{KEY(F8), DO(PANE_PEOPLE), "F8", "show or hide the people"},
	{CTRL_KEY(UP), DO(PANE_UP), "C-Up", "people up"},
	{CTRL_KEY(DOWN), DO(PANE_DOWN), "C-Down", "people down"},
	{ALT('='), DO(FOLD), "Alt-=", "show or fold coming and going"},
	{ALT('e'), DO(UNFOLD), "Alt-e",
		"open what is folded, or fold it again"},
	{CTRL('l'), DO(REDRAW), "C-l", "draw the screen again"},
	{CTRL('z'), DO(SUSPEND), "C-z", "suspend"},
	{CTRL('c'), DO(BREAK), "C-c", "clear the input; twice: quit"},
	{KEY(ESC), DO(CLOSE), "Esc", "close what is open"},
};

const size_t keymap_count = P2P_ARRAY_LEN(keymap_table);

int keymap_help_lines(void)
{
	int n = 3 + COMMAND_COUNT;

	for (size_t i = 0; i < keymap_count; i++)
		n += keymap_table[i].help != NULL;
	return n;
}

enum ui_action keymap_find(const struct ui_key *key)
{
	uint32_t cp = key->cp;

	if (key->code == UI_KEY_CHAR && key->mods == UI_MOD_ALT && cp >= '0' &&
		cp <= '9')
		return UI_ACTION_ROOM_NUMBER;
	for (size_t i = 0; i < keymap_count; i++) {
		const struct keymap_entry *e = &keymap_table[i];

		if (e->code == key->code && e->mods == key->mods &&
			(e->code != UI_KEY_CHAR || e->cp == cp))
			return e->action;
	}
	return UI_ACTION_NONE;
}

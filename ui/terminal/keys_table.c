/*
 * Which key a sequence is. The tables hold what xterm, rxvt, kitty, the Linux
 * console and their kin send, whatever TERM says. Key reports (xterm's
 * modifyOtherKeys, kitty's protocol) that a program before us left switched on
 * are understood as far as they are no text: keys with Ctrl or Alt, Enter, Tab,
 * Backspace and Esc, so that one can still leave.
 */
#include "ui/terminal/keys.h"

#define SHIFT_BIT 1u
#define ALT_BIT 2u
#define CTRL_BIT 4u
#define LOCK_BITS (64u | 128u) /* Caps Lock and Num Lock change no key */
#define NUMBERS 3
#define NUMBER_MAX 0x10FFFFu
#define RELEASED 3 /* kitty: the key was let go */

/* Numbers of a CSI sequence, 0 where none is given. */
struct csi {
	unsigned n[NUMBERS];
	unsigned kind; /* behind the second number, "5:3" */
	uint8_t final;
};

static struct ui_key plain(enum ui_key_code code)
{
	return (struct ui_key){.code = code};
}

struct ui_key keys_character(uint32_t cp)
{
	struct ui_key key = {.code = UI_KEY_CHAR, .cp = cp};

	if (cp == '\r')
		return plain(UI_KEY_ENTER);
	if (cp == '\t')
		return plain(UI_KEY_TAB);
	if (cp == 0x7f || cp == 0x08)
		return plain(UI_KEY_BACKSPACE);
	if (cp == 0x1f) {
		key.mods = UI_MOD_CTRL;
		key.cp = '_';
	} else if (cp >= 1 && cp <= 26) {
		key.mods = UI_MOD_CTRL;
		key.cp = 'a' + cp - 1;
	} else if (cp < 0x20) {
		return plain(UI_KEY_OTHER);
	}
	return key;
}

/* ---- numbers ----------------------------------------------------------- */

/* Reads digits off the front, clamped. */
static unsigned number(struct bytes *in)
{
	unsigned n = 0;

	for (; in->len > 0 && in->data[0] >= '0' && in->data[0] <= '9';
		*in = bytes_skip(*in, 1))
		n = P2P_MIN(n * 10 + (in->data[0] - '0'), NUMBER_MAX);
	return n;
}

static bool take(struct bytes *in, uint8_t what)
{
	if (in->len == 0 || in->data[0] != what)
		return false;
	*in = bytes_skip(*in, 1);
	return true;
}

/* False for what no key looks like: private marks, intermediates. */
static bool read_csi(struct bytes in, struct csi *c)
{
	size_t i = 0;

	*c = (struct csi){.final = in.data[in.len - 1]};
	in = bytes_first(in, in.len - 1);
	do {
		unsigned n = number(&in);

		if (i < NUMBERS)
			c->n[i] = n;
		while (take(&in, ':')) {
			n = number(&in);
			if (i == 1)
				c->kind = n;
		}
		i++;
	} while (take(&in, ';'));
	return in.len == 0 && i <= NUMBERS;
}

/* xterm's number: one more than the bits. False for keys that no table of ours
 * names, with Shift or a Windows key. */
static bool read_mods(unsigned n, unsigned *mods)
{
	unsigned bits = n == 0 ? 0 : (n - 1) & ~LOCK_BITS;

	*mods = ((bits & ALT_BIT) != 0 ? UI_MOD_ALT : 0) |
		((bits & CTRL_BIT) != 0 ? UI_MOD_CTRL : 0);
	return (bits & ~(ALT_BIT | CTRL_BIT)) == 0;
}

/* ---- tables ------------------------------------------------------------ */

static bool by_letter(uint8_t letter, struct ui_key *key)
{
	static const struct {
		uint8_t letter;
		uint8_t code;
	} table[] = {
		{'A', UI_KEY_UP},
		{'B', UI_KEY_DOWN},
		{'C', UI_KEY_RIGHT},
		{'D', UI_KEY_LEFT},
		{'F', UI_KEY_END},
		{'H', UI_KEY_HOME},
		{'P', UI_KEY_F1},
		{'Z', UI_KEY_BACKTAB},
	};

	for (size_t i = 0; i < P2P_ARRAY_LEN(table); i++) {
		if (table[i].letter == letter) {
			*key = plain(table[i].code);
			return true;
		}
	}
	return false;
}

static bool by_number(unsigned n, struct ui_key *key)
{
	static const struct {
		uint8_t n;
		uint8_t code;
	} table[] = {
		{1, UI_KEY_HOME},
		{3, UI_KEY_DELETE},
		{4, UI_KEY_END},
		{5, UI_KEY_PGUP},
		{6, UI_KEY_PGDN},
		{7, UI_KEY_HOME},
		{8, UI_KEY_END},
		{11, UI_KEY_F1},
		{18, UI_KEY_F7},
		{19, UI_KEY_F8},
	};

	for (size_t i = 0; i < P2P_ARRAY_LEN(table); i++) {
		if (table[i].n == n) {
			*key = plain(table[i].code);
			return true;
		}
	}
	return false;
}

/* ---- reports of keys --------------------------------------------------- */

static bool report(unsigned code, unsigned mods, struct ui_key *key)
{
	if (code == 13 || code == 9 || code == 127 || code == 27) {
		*key = code == 27 ? plain(UI_KEY_ESC) : keys_character(code);
		key->mods = mods;
		return true;
	}
	*key = (struct ui_key){.code = UI_KEY_CHAR, .mods = mods, .cp = code};
	if ((mods & UI_MOD_CTRL) != 0)
		return (code >= 'a' && code <= 'z') || code == '_';
	/* Text that a report holds is not typed. */
	return mods != 0 && code > 0x20 && code < 0x7f;
}

static bool csi_key(struct bytes in, struct ui_key *key)
{
	struct csi c;
	unsigned mods;
	bool found;

	if (!read_csi(in, &c) || c.kind == RELEASED)
		return false;
	if (c.final == '~' && c.n[0] == 27)
		return read_mods(c.n[1], &mods) && report(c.n[2], mods, key);
	if (c.final == 'u' && c.n[0] == 9 && c.n[1] == 1 + SHIFT_BIT) {
		*key = plain(UI_KEY_BACKTAB);
		return true;
	}
	if (!read_mods(c.n[1], &mods))
		return false;
	if (c.final == 'u')
		return report(c.n[0], mods, key);
	if (c.final == '^') /* rxvt */
		mods |= UI_MOD_CTRL;
	if (c.final == '~' || c.final == '^')
		found = by_number(c.n[0], key);
	else
		found = c.n[0] <= 1 && by_letter(c.final, key);
	key->mods = mods;
	return found;
}

/* ---- ss3 --------------------------------------------------------------- */

/* The keypad in its application mode says itself by its letters' places. */
static bool ss3_key(struct bytes in, struct ui_key *key)
{
	uint8_t c = in.data[in.len - 1];
	unsigned n = number(&in);
	unsigned mods;

	if (in.len != 1 || !read_mods(n, &mods))
		return false;
	if (c >= 'a' && c <= 'd') { /* rxvt: with Ctrl */
		c = (uint8_t)(c - 'a' + 'A');
		mods |= UI_MOD_CTRL;
	}
	if (c == 'M')
		*key = plain(UI_KEY_ENTER);
	else if (c >= 'j' && c <= 'y')
		*key = keys_character(c - 0x40u);
	else if (!by_letter(c, key))
		return false;
	key->mods = mods;
	return true;
}

bool keys_sequence_key(struct bytes seq, struct ui_key *key)
{
	if (seq.len < 3)
		return false;
	if (seq.data[1] == 'O')
		return ss3_key(bytes_skip(seq, 2), key);
	/* The Linux console: Esc [ [ A is F1. */
	if (seq.len == 4 && seq.data[2] == '[') {
		*key = plain(UI_KEY_F1);
		return seq.data[3] == 'A';
	}
	return csi_key(bytes_skip(seq, 2), key);
}

/*
 * The machine of keys.h: one step for each byte. A step that finds that its
 * byte belongs to what follows leaves it, and the next state takes it.
 */
#include "ui/terminal/keys.h"

#include "base/text.h"

#define ESC 0x1b
#define BEL 0x07
#define REPLACEMENT 0xFFFD

static const char paste_begin[] = "\033[200~";
static const char paste_end[] = "\033[201~";

void keys_init(struct keys *k)
{
	*k = (struct keys){.state = KEYS_IDLE};
	buf_init(&k->paste, TERMINAL_PASTE_BYTES_MAX);
}

void keys_clear(struct keys *k)
{
	buf_clear(&k->paste);
}

void keys_learn(struct keys *k, const char *text, struct ui_key key)
{
	size_t len = text == NULL ? 0 : strlen(text);
	struct keys_sequence *s;

	if (len < 2 || len > KEYS_SEQUENCE_BYTES_MAX || text[0] != ESC ||
		k->learned_count >= KEYS_LEARNED_MAX)
		return;
	s = &k->learned[k->learned_count++];
	memcpy(s->text, text, len);
	s->len = len;
	s->key = key;
}

static bool find_learned(
	const struct keys *k, struct bytes seq, struct ui_key *key)
{
	for (size_t i = 0; i < k->learned_count; i++) {
		const struct keys_sequence *s = &k->learned[i];

		if (bytes_equal(bytes_of(s->text, s->len), seq)) {
			*key = s->key;
			return true;
		}
	}
	return false;
}

/* ---- events ------------------------------------------------------------ */

static bool give_key(
	struct keys *k, struct ui_key key, struct terminal_event *ev)
{
	if (k->alt)
		key.mods |= UI_MOD_ALT;
	k->alt = false;
	k->state = KEYS_IDLE;
	ev->kind = TERMINAL_EVENT_KEY;
	ev->key = key;
	return true;
}

static bool give_nothing(struct keys *k)
{
	k->alt = false;
	k->state = KEYS_IDLE;
	return false;
}

static bool give_paste(struct keys *k, struct terminal_event *ev)
{
	k->state = KEYS_IDLE;
	k->paste_ready = true;
	ev->kind = TERMINAL_EVENT_PASTE;
	ev->paste = buf_bytes(&k->paste);
	return true;
}

/* ---- sequences --------------------------------------------------------- */

static void add(struct keys *k, uint8_t b)
{
	if (k->seq_len < KEYS_SEQUENCE_BYTES_MAX)
		k->seq[k->seq_len] = b;
	if (k->seq_len <= KEYS_SEQUENCE_BYTES_MAX)
		k->seq_len++;
}

static struct bytes sequence(const struct keys *k)
{
	/* Too long: no table holds it. */
	return k->seq_len > KEYS_SEQUENCE_BYTES_MAX
		       ? bytes_of(NULL, 0)
		       : bytes_of(k->seq, k->seq_len);
}

static bool is_whole(struct keys *k, uint8_t last, struct terminal_event *ev)
{
	struct ui_key key;

	add(k, last);
	if (bytes_equal(sequence(k), bytes_str(paste_begin))) {
		k->state = KEYS_PASTE;
		k->alt = false;
		k->mark = 0;
		return false;
	}
	if (find_learned(k, sequence(k), &key) ||
		keys_sequence_key(sequence(k), &key))
		return give_key(k, key, ev);
	return give_nothing(k);
}

/* Behind Esc; false when no sequence begins so. */
static bool introduce(struct keys *k, uint8_t b)
{
	switch (b) {
	case '[':
		k->state = KEYS_CSI;
		break;
	case 'O':
		k->state = KEYS_SS3;
		break;
	case ']':
	case 'P':
	case '_':
	case '^':
	case 'X':
		k->state = KEYS_STRING;
		break;
	default:
		return false;
	}
	k->seq[0] = ESC;
	k->seq[1] = b;
	k->seq_len = 2;
	return true;
}

/* An Esc within a sequence begins another, a control counts as what it is. */
static bool broken_off(struct keys *k, uint8_t b, bool *taken)
{
	(void)give_nothing(k);
	if (b == ESC)
		k->state = KEYS_ESCAPE;
	else
		*taken = false;
	return false;
}

static bool is_final(uint8_t b)
{
	return b >= 0x40 && b <= 0x7e;
}

static bool is_parameter(uint8_t b)
{
	return b >= 0x20 && b <= 0x3f;
}

/* rxvt ends keys with Shift by a dollar, which by the standard ends nothing. */
static bool is_rxvt_end(const struct keys *k, uint8_t b)
{
	size_t at = 2;

	while (at < P2P_MIN(k->seq_len, sizeof(k->seq)) && k->seq[at] >= '0' &&
		k->seq[at] <= '9')
		at++;
	return b == '$' && at > 2 && at == k->seq_len;
}

static bool knows_mouse_mark(const struct keys *k)
{
	struct ui_key key;

	return find_learned(k, bytes_str("\033[M"), &key);
}

static bool csi(
	struct keys *k, uint8_t b, bool *taken, struct terminal_event *ev)
{
	if (k->seq_len == 2 && b == '[') {
		add(k, b);
		k->state = KEYS_CSI_MORE;
		return false;
	}
	if (k->seq_len == 2 && b == 'M' && !knows_mouse_mark(k)) {
		k->state = KEYS_MOUSE;
		k->wanted = 3;
		return false;
	}
	if (is_final(b) || is_rxvt_end(k, b))
		return is_whole(k, b, ev);
	if (!is_parameter(b))
		return broken_off(k, b, taken);
	add(k, b);
	return false;
}

static bool csi_more(
	struct keys *k, uint8_t b, bool *taken, struct terminal_event *ev)
{
	if (b < 0x20 || b > 0x7e)
		return broken_off(k, b, taken);
	return is_whole(k, b, ev);
}

static bool ss3(
	struct keys *k, uint8_t b, bool *taken, struct terminal_event *ev)
{
	if (is_final(b))
		return is_whole(k, b, ev);
	if (!is_parameter(b))
		return broken_off(k, b, taken);
	add(k, b);
	return false;
}

static bool mouse(struct keys *k)
{
	k->wanted--;
	return k->wanted == 0 && give_nothing(k);
}

/* seq[1] holds the byte before: ST is also C2 9C, and 9C alone a part of many
 * characters. */
static bool string(struct keys *k, uint8_t b, bool *taken)
{
	uint8_t before = k->seq[1];

	k->seq[1] = b;
	if (b == BEL || (b == 0x9c && before == 0xc2))
		return give_nothing(k);
	if (b == ESC)
		k->state = KEYS_STRING_ESC;
	else if (b < 0x20)
		return broken_off(k, b, taken);
	return false;
}

static bool string_esc(struct keys *k, uint8_t b, bool *taken)
{
	(void)give_nothing(k);
	if (b != '\\') {
		k->state = KEYS_ESCAPE;
		*taken = false;
	}
	return false;
}

/* ---- characters -------------------------------------------------------- */

static bool character(struct keys *k, uint32_t cp, struct terminal_event *ev)
{
	if (cp < 0x80 || cp > 0x9f)
		return give_key(k, keys_character(cp), ev);
	return !introduce(k, (uint8_t)(cp - 0x40)) && give_nothing(k);
}

static bool idle(struct keys *k, uint8_t b, struct terminal_event *ev)
{
	if (b == ESC) {
		k->state = KEYS_ESCAPE;
		return false;
	}
	if (b < 0xa0)
		return character(k, b, ev);
	if (b < 0xc2 || b > 0xf4)
		return character(k, REPLACEMENT, ev);
	k->state = KEYS_UTF8;
	k->seq[0] = b;
	k->seq_len = 1;
	k->wanted = b < 0xe0 ? 1 : b < 0xf0 ? 2 : 3;
	return false;
}

static bool utf8(
	struct keys *k, uint8_t b, bool *taken, struct terminal_event *ev)
{
	size_t len;

	if ((b & 0xc0) != 0x80) {
		*taken = false;
		return character(k, REPLACEMENT, ev);
	}
	add(k, b);
	k->wanted--;
	if (k->wanted > 0)
		return false;
	return character(k, utf8_decode(sequence(k), &len), ev);
}

static bool escape(
	struct keys *k, uint8_t b, bool *taken, struct terminal_event *ev)
{
	uint8_t both[] = {ESC, b};
	struct ui_key key;

	if (b == ESC) {
		k->alt = true;
		return false;
	}
	if (find_learned(k, bytes_of(both, sizeof(both)), &key))
		return give_key(k, key, ev);
	if (introduce(k, b))
		return false;
	k->alt = true;
	k->state = KEYS_IDLE;
	*taken = false;
	return false;
}

/* ---- pastes ------------------------------------------------------------ */

static void keep(struct keys *k, const char *text, size_t len)
{
	if (buf_room(&k->paste) >= len)
		(void)buf_append(&k->paste, bytes_of(text, len));
}

/* What is too long is dropped at its end; nothing in it is taken for a key. */
static bool paste(struct keys *k, uint8_t b, struct terminal_event *ev)
{
	char c = (char)b;

	if (c != paste_end[k->mark]) {
		keep(k, paste_end, k->mark);
		k->mark = 0;
	}
	if (c == paste_end[k->mark])
		k->mark++;
	else
		keep(k, &c, 1);
	return paste_end[k->mark] == '\0' && give_paste(k, ev);
}

/* ---- the machine ------------------------------------------------------- */

static bool step(
	struct keys *k, uint8_t b, bool *taken, struct terminal_event *ev)
{
	switch (k->state) {
	case KEYS_IDLE:
		return idle(k, b, ev);
	case KEYS_UTF8:
		return utf8(k, b, taken, ev);
	case KEYS_ESCAPE:
		return escape(k, b, taken, ev);
	case KEYS_CSI:
		return csi(k, b, taken, ev);
	case KEYS_CSI_MORE:
		return csi_more(k, b, taken, ev);
	case KEYS_MOUSE:
		return mouse(k);
	case KEYS_SS3:
		return ss3(k, b, taken, ev);
	case KEYS_STRING:
		return string(k, b, taken);
	case KEYS_STRING_ESC:
		return string_esc(k, b, taken);
	case KEYS_PASTE:
		return paste(k, b, ev);
	}
	return give_nothing(k);
}

static void forget_paste(struct keys *k)
{
	if (k->paste_ready)
		buf_reset(&k->paste);
	k->paste_ready = false;
}

bool keys_next(struct keys *k, struct bytes *in, struct terminal_event *ev)
{
	bool found = false;

	forget_paste(k);
	while (in->len > 0 && !found) {
		bool taken = true;

		found = step(k, in->data[0], &taken, ev);
		if (taken)
			*in = bytes_skip(*in, 1);
	}
	return found;
}

unsigned keys_patience_ms(const struct keys *k)
{
	switch (k->state) {
	case KEYS_IDLE:
		return 0;
	case KEYS_ESCAPE:
		return KEYS_ESCAPE_MS;
	case KEYS_PASTE:
		return KEYS_PASTE_MS;
	case KEYS_UTF8:
	case KEYS_CSI:
	case KEYS_CSI_MORE:
	case KEYS_MOUSE:
	case KEYS_SS3:
	case KEYS_STRING:
	case KEYS_STRING_ESC:
		break;
	}
	return KEYS_SEQUENCE_MS;
}

bool keys_quiet(struct keys *k, struct terminal_event *ev)
{
	forget_paste(k);
	if (k->state == KEYS_PASTE)
		return give_paste(k, ev);
	if (k->state != KEYS_ESCAPE)
		return give_nothing(k);
	k->alt = false;
	return give_key(k, (struct ui_key){.code = UI_KEY_ESC}, ev);
}

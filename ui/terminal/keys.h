/*
 * What a terminal sends, as keys and pastes: bytes in, events out. Pure;
 * fuzzed. A terminal speaks unasked as well: focus, mouse, answers to questions
 * that another program put. Such sequences (ECMA-48 section 5.4, xterm's
 * ctlseqs) are read to their end and, where they are no key of ours, dropped.
 *
 *   idle --first of several bytes--> utf8 --last--> (character) idle
 *    |                                    '--other--> (U+FFFD) idle
 *    '--Esc--> escape --other--> (Alt-character) idle
 *          |      |  '--quiet--> (Esc) idle
 *          |      |--Esc--> escape, what follows has Alt
 *          |      |--[--> csi --final--> (key, or nothing) idle
 *          |      |        |--[--> csi_more --any--> (key) idle
 *          |      |        |--M--> mouse --three bytes--> idle
 *          |      |        '--200~--> paste --Esc [ 201 ~--> (paste) idle
 *          |      |--O--> ss3 --final--> (key, or nothing) idle
 *          |      '--] P _ ^ X--> string --BEL, ST--> idle
 *          |                         |--Esc--> string_esc --\--> idle
 *          '<-------------------------------------'--other--'
 *
 * The C1 characters U+0080 to U+009F are Esc and a letter, in one. A control
 * character ends any sequence and counts. Each state ends when nothing comes
 * for keys_patience_ms, so that no lost end swallows what is typed.
 */
#ifndef UI_TERMINAL_KEYS_H
#define UI_TERMINAL_KEYS_H

#include "base/buf.h"
#include "ui/terminal/terminal.h"

/* Longer sequences are read to their end, but are no key. */
#define KEYS_SEQUENCE_BYTES_MAX 32
#define KEYS_LEARNED_MAX 24

/* How long more is waited for: behind Esc, which is a key of its own; within a
 * sequence; within a paste. */
#define KEYS_ESCAPE_MS 100
#define KEYS_SEQUENCE_MS 1000
#define KEYS_PASTE_MS 2000

enum keys_state {
	KEYS_IDLE,
	KEYS_UTF8,
	KEYS_ESCAPE,
	KEYS_CSI,
	KEYS_CSI_MORE, /* the Linux console's function keys */
	KEYS_MOUSE,
	KEYS_SS3,
	KEYS_STRING, /* OSC, DCS, APC, PM, SOS */
	KEYS_STRING_ESC,
	KEYS_PASTE,
};

/* A sequence from its Esc on, and its key. */
struct keys_sequence {
	uint8_t text[KEYS_SEQUENCE_BYTES_MAX];
	size_t len;
	struct ui_key key;
};

struct keys {
	enum keys_state state;
	bool alt; /* Esc stands before what is being read */
	uint8_t seq[KEYS_SEQUENCE_BYTES_MAX];
	size_t seq_len; /* what does not fit counts too */
	size_t wanted;  /* bytes still to come of a character or mouse report */
	bool paste_ready; /* handed out; emptied by the next call */
	size_t mark;      /* bytes of a paste's end mark that have come */
	struct buf paste;
	struct keys_sequence learned[KEYS_LEARNED_MAX];
	size_t learned_count;
};

void keys_init(struct keys *k);
void keys_clear(struct keys *k);
/* A sequence of this terminal, from its terminfo entry. What does not begin
 * with Esc, is too long or one too many is left out; NULL is allowed. */
void keys_learn(struct keys *k, const char *text, struct ui_key key);

/* Takes bytes off the front until one makes an event. False: all are taken. A
 * paste is valid until the next call; it is what came, not always UTF-8. */
bool keys_next(struct keys *k, struct bytes *in, struct terminal_event *ev);
/* How long to wait for more before keys_quiet; 0: nothing is begun. */
unsigned keys_patience_ms(const struct keys *k);
/* Nothing came for that long. False: no event comes of it. */
bool keys_quiet(struct keys *k, struct terminal_event *ev);

/* ---- keys_table.c ------------------------------------------------------ */

/* The key of a character; U+0000 and other controls are UI_KEY_OTHER. */
struct ui_key keys_character(uint32_t cp);
/* The key of a whole sequence, "\033[1;5A", as terminals in use send it
 * whatever terminfo says. False: none of ours. */
bool keys_sequence_key(struct bytes seq, struct ui_key *key);

#endif

/*
 * What ncurses read, as keys: Esc followed by a key within the same read is
 * Alt; text between the bracketed-paste marks is one paste. Pure; fuzzed.
 *
 *   idle --Esc--> escape --key--> (Alt-key) idle
 *     |             '--nothing more--> (Esc) idle
 *     '--paste begins--> pasting --paste ends--> (the paste) idle
 */
#ifndef UI_TERMINAL_KEYS_H
#define UI_TERMINAL_KEYS_H

#include "base/buf.h"
#include "ui/terminal/terminal.h"

/* Codes for sequences that terminfo does not name, behind ncurses' own. */
#define KEYS_OWN 0x4000
enum keys_own {
	KEYS_PASTE_BEGIN = KEYS_OWN,
	KEYS_PASTE_END,
	KEYS_MODIFIED, /* + 16 * key + modifiers, see keys_sequences */
};

struct keys_sequence {
	const char *text;
	int code;
};
/* To be given to define_key; ends with a NULL text. */
extern const struct keys_sequence keys_sequences[];

struct keys {
	bool escape; /* Esc was read, what follows decides */
	bool pasting;
	bool paste_ready; /* handed out; emptied by the next feed */
	struct buf paste;
};

enum keys_input {
	KEYS_CHARACTER, /* value: the character */
	KEYS_CODE,      /* value: a KEY_ code of ncurses or one of ours */
	KEYS_NOTHING,   /* nothing more to read now */
};

void keys_init(struct keys *k);
void keys_clear(struct keys *k);
/* False: no event came of it, read on. */
bool keys_feed(struct keys *k, enum keys_input input, uint32_t value,
	struct terminal_event *ev);

/* A paste whose end mark was lost: hands out what has come so far. */
bool keys_end_paste(struct keys *k, struct terminal_event *ev);

#endif

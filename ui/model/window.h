/*
 * The lines of one room that are in memory: a run without holes of the room's
 * history, in the order of the screen (time_ms, id), with the program's own
 * words (notices) between them. Bounded; what falls out is asked for again.
 */
#ifndef UI_MODEL_WINDOW_H
#define UI_MODEL_WINDOW_H

#include "msg/ui_msg.h"

/* Place of a line. Notices have an id that no unit has: 24 bytes ff. */
struct line_key {
	uint64_t time_ms;
	uint8_t id[MSG_UNIT_ID_BYTES];
};

enum line_kind {
	LINE_MESSAGE,
	LINE_CAME,
	LINE_LEFT,
	LINE_NOTICE, /* level says how loud */
};

/* Why a line is folded (ui/model/fold.h), and what it is in its fold. */
enum fold_why {
	FOLD_NOT,
	FOLD_MANY, /* too many of strangers */
	FOLD_SAME, /* what was said before, again */
};

enum fold_part {
	FOLD_ALONE,
	FOLD_HEAD,   /* bears the row */
	FOLD_INSIDE, /* has none */
};

struct line {
	struct line_key key;
	enum line_kind kind;
	char name[MSG_NAME_MAX];
	char *peer; /* owned: whose line it is; NULL: ours or the program's */
	uint64_t author; /* the same as a number; 0: ours, the program's */
	char tag[8];
	char name_mark;
	bool own;
	bool mention;
	bool clock_wrong;
	bool known;   /* of a friend or a regular, when it was last told */
	bool ignored; /* not shown: the person is ignored since it came */
	bool held;    /* not shown: it came while another part was read */
	bool opened;  /* shown as it is, folded or long */
	bool cut;     /* the store has more of the text */
	bool not_kept;
	bool gone;    /* ... no, nobody has */
	bool settled; /* why and part are reckoned */
	bool more;    /* the last of its rows says that there is more */
	enum fold_why why;
	enum fold_part part;
	uint32_t folded; /* of a head: lines in the fold */
	uint32_t bytes;  /* of the whole text */
	enum ui_line_state state;
	enum ui_level level;
	char *text; /* owned; clean */
	/* Rows of the text in the layout of that stamp; 0: not counted yet. */
	uint32_t rows;
	uint32_t rows_stamp;
};

struct window {
	struct line **lines; /* owned, rising */
	size_t count;
	size_t cap;
	size_t bytes;     /* of the texts here */
	size_t held;      /* lines that are held */
	bool unsettled;   /* the folds are to be reckoned */
	int name_cols;    /* of the widest speaker's name with its tag */
	size_t waiting;   /* own lines in UI_STATE_WAITING */
	uint64_t notices; /* made so far: their ids */
};

/* -1, 0 or 1 as memcmp. */
int line_key_compare(const struct line_key *a, const struct line_key *b);

void window_init(struct window *w);
void window_clear(struct window *w);

/*
 * Takes the line. False when its id is there already: the old line takes
 * over its state, and its text if that is longer; *l is freed.
 */
bool window_insert(struct window *w, struct line *l);
/* A notice behind all other lines, not before time_ms. Text is copied. */
struct line *window_notice(struct window *w, uint64_t time_ms,
	enum ui_level level, const char *text);
/* Gives came/went lines a key of their own, like a notice. */
void window_local_key(struct window *w, uint64_t time_ms, struct line_key *key);
/* Index of the first line at or behind the key; count when none is. */
size_t window_find(const struct window *w, const struct line_key *key);
/* The line with this id, looked for from the newest on, or NULL. */
struct line *window_by_id(struct window *w, const uint8_t *id);
void window_set_state(
	struct window *w, struct line *l, enum ui_line_state state);
/* Takes the line out and frees it. */
void window_remove(struct window *w, struct line *l);
/* Hides the lines of this person, or shows them again. */
void window_set_ignored(struct window *w, const char *peer, bool ignored);
/* The same for whether the person is known. */
void window_set_known(struct window *w, const char *peer, bool known);
/* Shows what was held. */
void window_let_go(struct window *w);
/* Measures name_cols anew: it only grows while lines come and go. */
void window_measure_names(struct window *w);
/* Drops lines from an end until `keep` are left. */
void window_drop_oldest(struct window *w, size_t keep);
void window_drop_newest(struct window *w, size_t keep);
/* Whether the line comes from the room's history (not a local word). */
bool line_is_stored(const struct line *l);
/* Whether it has no row of its own. */
bool line_is_hidden(const struct line *l);
/* A number for a person's key. */
uint64_t line_author(const char *peer);
void line_free(struct line *l);

#endif

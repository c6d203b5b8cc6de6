/*
 * Which lines are folded into one row (decision 0023), reckoned from the lines
 * alone: who said them, when, how long they are. So history that is loaded
 * folds as it did when it came.
 *
 * Strangers' lines fold when there are too many: of one of them, of all of
 * them (who says most goes first), or of those whose clocks are wrong. Lines
 * that say the same fold whoever says them. Friends and regulars are folded
 * for no other reason, and one's own lines and the program's never are.
 *
 * A fold is a run of such lines: its first line bears the row. Comings and
 * goings within it belong to it; days and the rule "new" end it. Pure.
 */
#ifndef UI_MODEL_FOLD_H
#define UI_MODEL_FOLD_H

#include "ui/model/window.h"

/* Of one stranger, and of all, in so many ms. A long line counts as three. */
#define FOLD_FAST_MS 5000
#define FOLD_FAST_ONE 15
#define FOLD_FAST_ALL 50
#define FOLD_SLOW_MS 30000
#define FOLD_SLOW_ONE 20
#define FOLD_SLOW_ALL 60
/* Who says no more than this in those times is quiet, and folds last. */
#define FOLD_FAST_QUIET 2
#define FOLD_SLOW_QUIET 4
#define FOLD_LONG_BYTES 320
#define FOLD_LONG_COUNTS 3
/* Lines in a row whose authors' clocks are wrong. */
#define FOLD_WRONG_MAX 5
/* Equal lines in a row: of one person, of several strangers; with less than
 * this time between each two. Of known people only short ones fold: the row
 * shows the whole text then. */
#define FOLD_SAME_ONE 3
#define FOLD_SAME_MANY 5
#define FOLD_SAME_MS 300000
#define FOLD_SAME_KNOWN_BYTES 24

struct fold_cfg {
	bool fresh;   /* also what was reckoned before */
	bool comings; /* each coming and going has its own row */
	int utc_offset_s;
	bool new_shown;
	struct line_key new_key;
};

/* Reckons the folds of all lines; those that were reckoned before only when
 * fresh, so that what is being read stays as it is. */
void fold_settle(struct window *w, const struct fold_cfg *cfg);
/*
 * The row of the fold whose first line is w->lines[at], in so many columns:
 * "312 lines by eve~77abcd, bob and 6 others (Alt-e opens)".
 */
void fold_words(
	const struct window *w, size_t at, int cols, char *out, size_t max);

#endif

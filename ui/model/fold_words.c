/*
 * The row that stands for a fold. Who comes before what was said, so that no
 * text can add a name to the list; only as many names as have room.
 */
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "ui/model/fold.h"

/* Authors told apart; beyond them "or more" is said. A power of two. */
#define SLOTS 512
#define AUTHORS_MAX 300
#define NAMES_MAX 8
#define OTHERS_MAX 64
#define HINT " (Alt-e opens)"

struct authors {
	uint64_t slots[SLOTS];
	size_t count;
	const struct line *first[NAMES_MAX];
};

static void add(struct authors *a, const struct line *l)
{
	size_t at = l->author % SLOTS;

	if (a->count == AUTHORS_MAX)
		return;
	while (a->slots[at] != 0 && a->slots[at] != l->author)
		at = (at + 1) % SLOTS;
	if (a->slots[at] == l->author)
		return;
	a->slots[at] = l->author;
	if (a->count < NAMES_MAX)
		a->first[a->count] = l;
	a->count++;
}

static void collect(const struct window *w, size_t at, struct authors *a)
{
	*a = (struct authors){.count = 0};
	do {
		const struct line *l = w->lines[at];

		if (l->kind == LINE_MESSAGE && !l->ignored && !l->held)
			add(a, l);
		at++;
	} while (at < w->count && w->lines[at]->part != FOLD_HEAD &&
		 (w->lines[at]->part == FOLD_INSIDE || w->lines[at]->ignored ||
			 w->lines[at]->held));
}

static void name_of(const struct line *l, char out[static 96])
{
	bool tagged = ui_mark_needs_tag(l->name_mark) && l->tag[0] != '\0';

	snprintf(out, 96, "%s%s%s", l->name, tagged ? "~" : "",
		tagged ? l->tag : "");
}

static int width_of(const char *text)
{
	return (int)text_width(bytes_str(text));
}

/* " and 6 others" behind `named` names. */
static void others(
	const struct authors *a, size_t named, char out[static OTHERS_MAX])
{
	size_t n = a->count - named;

	out[0] = '\0';
	if (n > 0)
		snprintf(out, OTHERS_MAX, " and %zu%s other%s", n,
			a->count == AUTHORS_MAX ? " or more" : "",
			n == 1 ? "" : "s");
}

/* "eve~77abcd, bob and 6 others"; false, and "8 people", where no name has
 * room. */
static bool who(const struct authors *a, int cols, char *out, size_t max)
{
	char text[1024] = "";
	char rest[OTHERS_MAX];
	char name[96];

	snprintf(out, max, "%zu%s %s", a->count,
		a->count == AUTHORS_MAX ? " or more" : "",
		a->count == 1 ? "person" : "people");
	for (size_t i = 0; i < P2P_MIN(a->count, NAMES_MAX); i++) {
		size_t len = strlen(text);
		bool last = i + 1 == a->count && i > 0;

		name_of(a->first[i], name);
		snprintf(text + len, sizeof(text) - len, "%s%s",
			i == 0 ? "" : (last ? " and " : ", "), name);
		others(a, i + 1, rest);
		if (width_of(text) + width_of(rest) > cols)
			return i > 0;
		snprintf(out, max, "%s%s", text, rest);
	}
	return true;
}

void fold_words(
	const struct window *w, size_t at, int cols, char *out, size_t max)
{
	const struct line *head = w->lines[at];
	bool same = head->why == FOLD_SAME;
	struct authors a;
	char names[1024];
	char count[40];
	int left, hint;

	collect(w, at, &a);
	snprintf(count, sizeof(count), "%u %s%s by ", (unsigned)head->folded,
		same ? "time" : "line", head->folded == 1 ? "" : "s");
	left = cols - width_of(count);
	hint = same ? left / 2 : width_of(HINT);
	if (!who(&a, left - hint, names, sizeof(names)) && !same)
		(void)who(&a, left, names, sizeof(names));
	left -= width_of(names);
	if (same)
		snprintf(out, max, "%s%s%s: %.*s", count, names,
			left > width_of(HINT) + 30 ? HINT : "",
			(int)strcspn(head->text, "\n"), head->text);
	else
		snprintf(out, max, "%s%s%s", count, names,
			left >= width_of(HINT) ? HINT : "");
}

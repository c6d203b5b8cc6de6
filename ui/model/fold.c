/*
 * Folds are reckoned by sliding a window of time over the strangers' lines:
 * over those of each author, then over those that are left. What is over is
 * marked, line by line; then runs of marked lines become folds. The cost is
 * that of sorting the lines by author.
 */
#include "ui/model/fold.h"

#include <stdlib.h>
#include <string.h>

#include "base/xmalloc.h"
#include "msg/ui_clock.h"

#define OVER 1u  /* too many: folded */
#define TALKS 2u /* its author is not quiet */
#define CROWD 4u /* too many by all */

/* A stranger's line while it is weighed. */
struct weighed {
	struct line *line;
	uint32_t weight;
	unsigned bits;
};

struct weighing {
	struct weighed *all;
	struct weighed **some; /* a selection, in order */
	size_t count;
	size_t some_count;
};

static bool is_there(const struct line *l)
{
	return !l->ignored && !l->held;
}

static bool is_coming(const struct line *l)
{
	return l->kind == LINE_CAME || l->kind == LINE_LEFT;
}

static bool is_strangers(const struct line *l)
{
	return is_there(l) && l->kind == LINE_MESSAGE && !l->own && !l->known;
}

static uint32_t weight_of(const struct line *l)
{
	const char *at = l->text;
	unsigned breaks = 0;

	if (l->bytes > FOLD_LONG_BYTES)
		return FOLD_LONG_COUNTS;
	while ((at = strchr(at, '\n')) != NULL) {
		breaks++;
		at++;
	}
	return breaks > 3 ? FOLD_LONG_COUNTS : 1;
}

static void weigh(struct weighing *g, const struct window *w)
{
	g->all = xcalloc(w->count + 1, sizeof(g->all[0]));
	g->some = xcalloc(w->count + 1, sizeof(struct weighed *));
	for (size_t i = 0; i < w->count; i++)
		if (is_strangers(w->lines[i]))
			g->all[g->count++] =
				(struct weighed){.line = w->lines[i],
					.weight = weight_of(w->lines[i])};
}

/* Marks what lies within any `span_ms` that holds more than `max`. */
static void mark(struct weighed **some, size_t count, uint64_t span_ms,
	uint32_t max, unsigned bits)
{
	size_t from = 0;
	size_t marked = 0;
	uint32_t sum = 0;

	for (size_t to = 0; to < count; to++) {
		uint64_t now = some[to]->line->key.time_ms;

		sum += some[to]->weight;
		while (now - some[from]->line->key.time_ms >= span_ms)
			sum -= some[from++]->weight;
		if (sum <= max)
			continue;
		for (marked = P2P_MAX(marked, from); marked <= to; marked++)
			some[marked]->bits |= bits;
	}
}

static int by_author(const void *a, const void *b)
{
	const struct weighed *x = *(struct weighed *const *)a;
	const struct weighed *y = *(struct weighed *const *)b;

	if (x->line->author != y->line->author)
		return x->line->author < y->line->author ? -1 : 1;
	return (x > y) - (x < y); /* both in one array, in order */
}

static void select_rest(struct weighing *g)
{
	g->some_count = 0;
	for (size_t i = 0; i < g->count; i++)
		if ((g->all[i].bits & OVER) == 0)
			g->some[g->some_count++] = &g->all[i];
}

static void mark_authors(struct weighing *g)
{
	size_t from = 0;

	select_rest(g);
	if (g->some_count > 1)
		qsort(g->some, g->some_count, sizeof(struct weighed *),
			by_author);
	for (size_t to = 1; to <= g->some_count; to++) {
		struct weighed **one = g->some + from;

		if (to < g->some_count &&
			g->some[to]->line->author == (*one)->line->author)
			continue;
		mark(one, to - from, FOLD_FAST_MS, FOLD_FAST_ONE, OVER);
		mark(one, to - from, FOLD_SLOW_MS, FOLD_SLOW_ONE, OVER);
		mark(one, to - from, FOLD_FAST_MS, FOLD_FAST_QUIET, TALKS);
		mark(one, to - from, FOLD_SLOW_MS, FOLD_SLOW_QUIET, TALKS);
		from = to;
	}
}

/* In a crowd the talkative go first; where the quiet alone are a crowd, they
 * go as well. */
static void mark_crowds(struct weighing *g)
{
	select_rest(g);
	mark(g->some, g->some_count, FOLD_FAST_MS, FOLD_FAST_ALL, CROWD);
	mark(g->some, g->some_count, FOLD_SLOW_MS, FOLD_SLOW_ALL, CROWD);
	for (size_t i = 0; i < g->some_count; i++)
		if ((g->some[i]->bits & (CROWD | TALKS)) == (CROWD | TALKS))
			g->some[i]->bits |= OVER;
	select_rest(g);
	mark(g->some, g->some_count, FOLD_FAST_MS, FOLD_FAST_ALL, OVER);
}

/* Lines dated ahead stand below all others, however slowly they come. */
static void mark_wrong(struct weighing *g)
{
	size_t from = 0;

	for (size_t to = 0; to <= g->count; to++) {
		if (to < g->count && g->all[to].line->clock_wrong)
			continue;
		if (to - from > FOLD_WRONG_MAX)
			for (; from < to; from++)
				g->all[from].bits |= OVER;
		from = to + 1;
	}
}

static int32_t day_of(const struct fold_cfg *cfg, const struct line *l)
{
	return ui_date_of(l->key.time_ms, cfg->utc_offset_s).day_number;
}

/* Whether a rule stands between them: they come in this order. */
static bool is_parted(
	const struct fold_cfg *cfg, const struct line *a, const struct line *b)
{
	if (day_of(cfg, a) != day_of(cfg, b))
		return true;
	return cfg->new_shown &&
	       line_key_compare(&a->key, &cfg->new_key) <= 0 &&
	       line_key_compare(&b->key, &cfg->new_key) > 0;
}

/* ---- the same again ---------------------------------------------------- */

struct same {
	size_t first; /* of the run */
	size_t last;
	size_t count;
	bool one; /* all by one person */
};

static bool may_repeat(const struct line *l)
{
	return l->kind == LINE_MESSAGE && !l->own && !l->mention &&
	       l->why == FOLD_NOT &&
	       (!l->known || l->bytes <= FOLD_SAME_KNOWN_BYTES);
}

static bool says_the_same(
	const struct fold_cfg *cfg, const struct line *a, const struct line *b)
{
	return a->bytes == b->bytes && strcmp(a->text, b->text) == 0 &&
	       (a->author == b->author || (!a->known && !b->known)) &&
	       b->key.time_ms - a->key.time_ms < FOLD_SAME_MS &&
	       !is_parted(cfg, a, b);
}

static void end_same(struct window *w, struct same *s)
{
	if (s->count >= (s->one ? FOLD_SAME_ONE : FOLD_SAME_MANY))
		for (size_t i = s->first; i <= s->last; i++)
			if (is_there(w->lines[i]) && !is_coming(w->lines[i]))
				w->lines[i]->why = FOLD_SAME;
	s->count = 0;
}

static void find_same(struct window *w, const struct fold_cfg *cfg)
{
	struct same s = {.count = 0};

	for (size_t i = 0; i < w->count; i++) {
		const struct line *l = w->lines[i];

		if (!is_there(l) || is_coming(l))
			continue;
		if (!may_repeat(l)) {
			end_same(w, &s);
			continue;
		}
		if (s.count > 0 && !says_the_same(cfg, w->lines[s.last], l))
			end_same(w, &s);
		if (s.count++ == 0) {
			s.first = i;
			s.one = true;
		}
		s.one = s.one && l->author == w->lines[s.first]->author;
		s.last = i;
	}
	end_same(w, &s);
}

/* ---- runs -------------------------------------------------------------- */

static bool joins(const struct fold_cfg *cfg, const struct line *head,
	const struct line *l)
{
	return head != NULL && head->why == l->why &&
	       !is_parted(cfg, head, l) &&
	       (l->why != FOLD_SAME || strcmp(head->text, l->text) == 0);
}

/* Whether the line keeps what was reckoned before. */
static bool is_kept(const struct fold_cfg *cfg, const struct line *l)
{
	return l->settled && !cfg->fresh;
}

/* Comings and goings between two lines of a fold. */
static void take_in(struct window *w, size_t from, size_t to)
{
	for (; from < to; from++)
		if (is_there(w->lines[from]))
			w->lines[from]->part = FOLD_INSIDE;
}

static void make_runs(struct window *w, const struct fold_cfg *cfg)
{
	struct line *head = NULL;
	size_t last = 0;

	for (size_t i = 0; i < w->count; i++) {
		struct line *l = w->lines[i];

		if (is_kept(cfg, l)) {
			head = NULL;
			continue;
		}
		l->settled = true;
		l->part = FOLD_ALONE;
		if (!is_there(l) || (is_coming(l) && !cfg->comings))
			continue;
		if (l->why == FOLD_NOT || l->opened) {
			head = NULL;
			continue;
		}
		if (joins(cfg, head, l)) {
			take_in(w, last + 1, i);
			l->part = FOLD_INSIDE;
			head->folded++;
		} else {
			head = l;
			l->part = FOLD_HEAD;
			l->folded = 1;
		}
		last = i;
	}
}

void fold_settle(struct window *w, const struct fold_cfg *cfg)
{
	struct weighing g = {.count = 0};

	for (size_t i = 0; i < w->count; i++)
		if (!is_kept(cfg, w->lines[i]))
			w->lines[i]->why = FOLD_NOT;
	weigh(&g, w);
	mark_authors(&g);
	mark_crowds(&g);
	mark_wrong(&g);
	for (size_t i = 0; i < g.count; i++)
		if ((g.all[i].bits & OVER) != 0 && !is_kept(cfg, g.all[i].line))
			g.all[i].line->why = FOLD_MANY;
	find_same(w, cfg);
	make_runs(w, cfg);
	free(g.all);
	free(g.some);
}

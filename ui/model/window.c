/*
 * The lines of a room that are in memory, sorted by (time, id). Chat may send a
 * line twice, live and on a page: the second only brings its state. Words of
 * the program itself get ids that no unit has, so that they keep their place.
 */
#include "ui/model/window.h"

#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "base/xmalloc.h"

#define LOCAL_ID_PREFIX 24

int line_key_compare(const struct line_key *a, const struct line_key *b)
{
	if (a->time_ms != b->time_ms)
		return a->time_ms < b->time_ms ? -1 : 1;
	return memcmp(a->id, b->id, sizeof(a->id));
}

void line_free(struct line *l)
{
	if (l == NULL)
		return;
	free(l->peer);
	free(l->text);
	free(l);
}

void window_init(struct window *w)
{
	*w = (struct window){0};
}

void window_clear(struct window *w)
{
	uint64_t notices = w->notices;

	window_drop_oldest(w, 0);
	free(w->lines);
	window_init(w);
	w->notices = notices;
}

size_t window_find(const struct window *w, const struct line_key *key)
{
	size_t low = 0;
	size_t high = w->count;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (line_key_compare(&w->lines[mid]->key, key) < 0)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

bool line_is_hidden(const struct line *l)
{
	return l->ignored || l->held || l->part == FOLD_INSIDE;
}

uint64_t line_author(const char *peer)
{
	uint64_t hash = 0xcbf29ce484222325; /* FNV-1a */

	for (; *peer != '\0'; peer++)
		hash = (hash ^ (uint8_t)*peer) * 0x100000001b3;
	return hash == 0 ? 1 : hash;
}

static void count_waiting(struct window *w, const struct line *l, bool in)
{
	if (l->state != UI_STATE_WAITING)
		return;
	if (in)
		w->waiting++;
	else
		w->waiting--;
}

void window_set_state(
	struct window *w, struct line *l, enum ui_line_state state)
{
	count_waiting(w, l, false);
	l->state = state;
	count_waiting(w, l, true);
}

static void count_out(struct window *w, const struct line *l)
{
	count_waiting(w, l, false);
	w->bytes -= strlen(l->text);
	w->held -= l->held;
	w->unsettled = true;
}

static void count_in(struct window *w, const struct line *l)
{
	count_waiting(w, l, true);
	w->bytes += strlen(l->text);
	w->held += l->held;
	w->unsettled = w->unsettled || !l->held;
}

void window_remove(struct window *w, struct line *l)
{
	size_t at = window_find(w, &l->key);

	count_out(w, l);
	w->count--;
	memmove(w->lines + at, w->lines + at + 1,
		(w->count - at) * sizeof(w->lines[0]));
	line_free(l);
}

static void measure_name(struct window *w, const struct line *l)
{
	size_t cols;

	if (l->kind != LINE_MESSAGE || l->own || l->held)
		return;
	cols = text_width(bytes_str(l->name));
	if (ui_mark_needs_tag(l->name_mark) && l->tag[0] != '\0')
		cols += strlen(l->tag) + 1;
	w->name_cols = P2P_MAX(w->name_cols, (int)cols);
}

void window_measure_names(struct window *w)
{
	w->name_cols = 0;
	for (size_t i = 0; i < w->count; i++)
		measure_name(w, w->lines[i]);
}

void window_set_ignored(struct window *w, const char *peer, bool ignored)
{
	for (size_t i = 0; i < w->count; i++) {
		struct line *l = w->lines[i];

		if (l->peer != NULL && strcmp(l->peer, peer) == 0)
			l->ignored = ignored;
	}
	w->unsettled = true;
}

void window_set_known(struct window *w, const char *peer, bool known)
{
	for (size_t i = 0; i < w->count; i++) {
		struct line *l = w->lines[i];

		if (l->peer != NULL && strcmp(l->peer, peer) == 0) {
			l->known = known;
			l->rows = 0;
		}
	}
	w->unsettled = true;
}

void window_let_go(struct window *w)
{
	for (size_t i = 0; w->held > 0 && i < w->count; i++) {
		if (!w->lines[i]->held)
			continue;
		w->lines[i]->held = false;
		w->held--;
		w->unsettled = true;
		measure_name(w, w->lines[i]);
	}
}

/* The line has come again, perhaps whole. */
static void take_text(struct window *w, struct line *old, struct line *l)
{
	char *text = old->text;

	if (!old->cut || l->cut)
		return;
	w->bytes += strlen(l->text) - strlen(text);
	old->text = l->text;
	l->text = text;
	old->cut = false;
	old->rows = 0;
}

bool window_insert(struct window *w, struct line *l)
{
	size_t at = window_find(w, &l->key);

	if (at < w->count &&
		line_key_compare(&w->lines[at]->key, &l->key) == 0) {
		window_set_state(w, w->lines[at], l->state);
		take_text(w, w->lines[at], l);
		line_free(l);
		return false;
	}
	if (w->count == w->cap) {
		w->cap = P2P_MAX(2 * w->cap, 64u);
		w->lines = xreallocarray(w->lines, w->cap, sizeof(w->lines[0]));
	}
	memmove(w->lines + at + 1, w->lines + at,
		(w->count - at) * sizeof(w->lines[0]));
	w->lines[at] = l;
	w->count++;
	count_in(w, l);
	measure_name(w, l);
	return true;
}

void window_local_key(struct window *w, uint64_t time_ms, struct line_key *key)
{
	if (w->count > 0)
		time_ms = P2P_MAX(time_ms, w->lines[w->count - 1]->key.time_ms);
	key->time_ms = time_ms;
	memset(key->id, 0xff, LOCAL_ID_PREFIX);
	put_be64(key->id + LOCAL_ID_PREFIX, w->notices++);
}

struct line *window_notice(struct window *w, uint64_t time_ms,
	enum ui_level level, const char *text)
{
	struct line *l = xcalloc(1, sizeof(*l));

	l->kind = LINE_NOTICE;
	l->level = level;
	l->text = xstrdup(text == NULL ? "" : text);
	window_local_key(w, time_ms, &l->key);
	(void)window_insert(w, l);
	return l;
}

struct line *window_by_id(struct window *w, const uint8_t *id)
{
	for (size_t i = w->count; i > 0; i--)
		if (memcmp(w->lines[i - 1]->key.id, id, MSG_UNIT_ID_BYTES) == 0)
			return w->lines[i - 1];
	return NULL;
}

void window_drop_oldest(struct window *w, size_t keep)
{
	size_t drop = w->count > keep ? w->count - keep : 0;

	for (size_t i = 0; i < drop; i++) {
		count_out(w, w->lines[i]);
		line_free(w->lines[i]);
	}
	if (drop > 0)
		memmove(w->lines, w->lines + drop, keep * sizeof(w->lines[0]));
	w->count -= drop;
}

void window_drop_newest(struct window *w, size_t keep)
{
	while (w->count > keep) {
		struct line *l = w->lines[--w->count];

		count_out(w, l);
		line_free(l);
	}
}

bool line_is_stored(const struct line *l)
{
	for (size_t i = 0; i < LOCAL_ID_PREFIX; i++)
		if (l->key.id[i] != 0xff)
			return true;
	return false;
}

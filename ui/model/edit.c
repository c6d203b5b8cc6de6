/*
 * The text being typed. Every change keeps it clean (base/text.h): what would
 * not be is not inserted, and what an erase leaves behind is cleaned again. So
 * what is sent is what was seen. Steps back are whole texts: they are short.
 */
#include "ui/model/edit.h"

#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "base/xmalloc.h"
#include "msg/msg_limits.h"

void edit_init(struct edit *e)
{
	*e = (struct edit){0};
	buf_init(&e->text, MSG_TEXT_BYTES_MAX);
}

static void drop_steps(struct edit *e)
{
	for (size_t i = 0; i < e->undo_count; i++)
		free(e->undo[i].text);
	e->undo_count = 0;
	e->typing = false;
}

void edit_clear(struct edit *e)
{
	drop_steps(e);
	buf_clear(&e->text);
	e->cursor = 0;
}

void edit_reset(struct edit *e)
{
	drop_steps(e);
	buf_reset(&e->text);
	e->cursor = 0;
}

/* Remembers the state before a change. */
static void push_step(struct edit *e)
{
	if (e->undo_count == UI_UNDO_MAX) {
		free(e->undo[0].text);
		memmove(&e->undo[0], &e->undo[1],
			(UI_UNDO_MAX - 1) * sizeof(e->undo[0]));
		e->undo_count--;
	}
	e->undo[e->undo_count++] = (struct edit_step){
		.text = xstrndup(buf_cstr(&e->text), e->text.len),
		.cursor = e->cursor,
	};
}

static void set_text(struct edit *e, struct bytes in)
{
	buf_reset(&e->text);
	(void)buf_append(&e->text, in);
	P2P_ASSERT(!e->text.failed);
}

bool edit_undo(struct edit *e)
{
	struct edit_step *s;

	e->typing = false;
	if (e->undo_count == 0)
		return false;
	s = &e->undo[--e->undo_count];
	set_text(e, bytes_str(s->text));
	e->cursor = s->cursor;
	free(s->text);
	return true;
}

bool edit_insert(struct edit *e, struct bytes in, bool typed)
{
	struct buf whole;
	bool clean;

	if (in.len == 0 || in.len > buf_room(&e->text))
		return false;
	buf_init(&whole, MSG_TEXT_BYTES_MAX);
	(void)buf_append(&whole, edit_before(e));
	(void)buf_append(&whole, in);
	(void)buf_append(&whole, edit_after(e));
	clean = text_is_clean(TEXT_BLOCK, buf_bytes(&whole));
	if (clean) {
		if (!typed || !e->typing)
			push_step(e);
		set_text(e, buf_bytes(&whole));
		e->cursor += in.len;
		e->typing = typed;
	}
	buf_clear(&whole);
	return clean;
}

/* What stays may be unclean when marks come to stand on another base (more
 * than a base may carry): it is cleaned again. */
static void clean_again(struct edit *e)
{
	struct buf clean;

	if (text_is_clean(TEXT_BLOCK, edit_text(e)))
		return;
	buf_init(&clean, MSG_TEXT_BYTES_MAX);
	(void)text_clean(TEXT_BLOCK, edit_before(e), &clean);
	e->cursor = clean.len;
	buf_reset(&clean);
	(void)text_clean(TEXT_BLOCK, edit_text(e), &clean);
	set_text(e, buf_bytes(&clean));
	e->cursor = P2P_MIN(e->cursor, e->text.len);
	while (e->cursor > 0 && e->cursor < e->text.len &&
		(e->text.data[e->cursor] & 0xc0) == 0x80)
		e->cursor--;
	buf_clear(&clean);
}

void edit_delete(struct edit *e, size_t from, size_t to)
{
	P2P_ASSERT(from <= to && to <= e->text.len);
	e->typing = false;
	if (from == to)
		return;
	push_step(e);
	memmove(e->text.data + from, e->text.data + to, e->text.len - to);
	buf_truncate(&e->text, e->text.len - (to - from));
	e->cursor = from;
	clean_again(e);
}

void edit_replace(struct edit *e, struct bytes in)
{
	push_step(e);
	e->typing = false;
	set_text(e, bytes_first(in, MSG_TEXT_BYTES_MAX));
	e->cursor = e->text.len;
}

size_t edit_left(const struct edit *e)
{
	return e->cursor - text_last_cluster(edit_before(e));
}

size_t edit_right(const struct edit *e)
{
	return e->cursor + text_cluster(edit_after(e), NULL);
}

/* Start of the code point that ends at `at`. */
static size_t code_point_left(const struct edit *e, size_t at)
{
	if (at == 0)
		return 0;
	at--;
	while (at > 0 && (e->text.data[at] & 0xc0) == 0x80)
		at--;
	return at;
}

/* Scripts whose readers take marks off one by one: combining diacritics,
 * Indic scripts, Thai, Lao, Myanmar. */
static bool is_single_mark(uint32_t cp)
{
	return (cp >= 0x300 && cp <= 0x36f) || (cp >= 0x900 && cp <= 0xeff) ||
	       (cp >= 0x1000 && cp <= 0x109f);
}

size_t edit_erase_from(const struct edit *e)
{
	size_t cluster = edit_left(e);
	size_t point = code_point_left(e, e->cursor);
	size_t len;

	if (point <= cluster)
		return cluster;
	if (is_single_mark(utf8_decode(
		    bytes_of(e->text.data + point, e->cursor - point), &len)))
		return point;
	return cluster;
}

static bool is_space(uint8_t c)
{
	return c == ' ' || c == '\n';
}

/* Letters, digits, and all that is not ASCII. */
static bool is_word(uint8_t c)
{
	return c >= 0x80 || (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') ||
	       (c >= 'A' && c <= 'Z');
}

size_t edit_word_left(const struct edit *e)
{
	size_t at = e->cursor;

	while (at > 0 && !is_word(e->text.data[at - 1]))
		at--;
	while (at > 0 && is_word(e->text.data[at - 1]))
		at--;
	return at;
}

size_t edit_word_right(const struct edit *e)
{
	size_t at = e->cursor;

	while (at < e->text.len && !is_word(e->text.data[at]))
		at++;
	while (at < e->text.len && is_word(e->text.data[at]))
		at++;
	return at;
}

size_t edit_space_left(const struct edit *e)
{
	size_t at = e->cursor;

	while (at > 0 && is_space(e->text.data[at - 1]))
		at--;
	while (at > 0 && !is_space(e->text.data[at - 1]))
		at--;
	return at;
}

size_t edit_line_start(const struct edit *e)
{
	size_t at = e->cursor;

	while (at > 0 && e->text.data[at - 1] != '\n')
		at--;
	return at;
}

size_t edit_line_end(const struct edit *e)
{
	size_t at = e->cursor;

	while (at < e->text.len && e->text.data[at] != '\n')
		at++;
	return at;
}

void edit_swap(struct edit *e)
{
	struct buf swapped;
	size_t left, mid, right;

	/* At the end of the text the two before the cursor are swapped. */
	if (e->cursor == e->text.len && e->cursor > 0)
		e->cursor = edit_left(e);
	left = edit_left(e);
	mid = e->cursor;
	right = edit_right(e);
	if (left == mid || mid == right)
		return;
	buf_init(&swapped, MSG_TEXT_BYTES_MAX);
	(void)buf_append(&swapped, bytes_first(edit_text(e), left));
	(void)buf_append(&swapped, bytes_of(e->text.data + mid, right - mid));
	(void)buf_append(&swapped, bytes_of(e->text.data + left, mid - left));
	(void)buf_append(&swapped, bytes_skip(edit_text(e), right));
	if (text_is_clean(TEXT_BLOCK, buf_bytes(&swapped))) {
		push_step(e);
		e->typing = false;
		set_text(e, buf_bytes(&swapped));
		e->cursor = right;
	}
	buf_clear(&swapped);
}

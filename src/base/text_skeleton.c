/*
 * Skeletons and scripts. The tables are Unicode's (confusables.inc,
 * scripts.inc); NFD, NFKC and case folding are the library's, which may be of
 * an older Unicode: a character that it does not know stays as it is.
 */
#include "base/text_skeleton.h"

#include <string.h>
#include <utf8proc.h>

#include "base/text_internal.h"

struct confusable {
	uint32_t from;
	uint16_t at; /* in the pool */
	uint8_t count;
};

/* Of characters that are not of all scripts. */
struct script_range {
	uint32_t first;
	uint32_t last;
	uint8_t set;
};

#include "base/confusables.inc"
#include "base/scripts.inc"

#define BIT(script) (UINT64_C(1) << (script))
#define NFD (UTF8PROC_STABLE | UTF8PROC_DECOMPOSE | UTF8PROC_IGNORE)
#define NFKC \
	(UTF8PROC_STABLE | UTF8PROC_COMPOSE | UTF8PROC_COMPAT | UTF8PROC_IGNORE)
/* The longest of the pool: 18 code points. */
#define PROTOTYPE_BYTES_MAX 72

/* ---- skeletons --------------------------------------------------------- */

static const struct confusable *find_confusable(uint32_t cp)
{
	size_t low = 0, high = P2P_ARRAY_LEN(confusables);

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (confusables[middle].from < cp)
			low = middle + 1;
		else
			high = middle;
	}
	if (low == P2P_ARRAY_LEN(confusables) || confusables[low].from != cp)
		return NULL;
	return &confusables[low];
}

static void put_prototype(uint32_t cp, struct buf *out)
{
	const struct confusable *c = find_confusable(cp);

	if (c == NULL) {
		utf8_encode(out, cp);
		return;
	}
	for (size_t i = 0; i < c->count; i++)
		utf8_encode(out, confusable_pool[c->at + i]);
}

/* At most `max` bytes of whole code points. */
static struct bytes first_bytes(struct bytes in, size_t max)
{
	size_t at = 0, len;

	if (in.len <= max)
		return in;
	while (at < max) {
		(void)utf8_decode(bytes_skip(in, at), &len);
		if (at + len > max)
			break;
		at += len;
	}
	return bytes_first(in, at);
}

static void append_mapped(struct bytes in, int options, struct buf *out)
{
	struct buf whole;

	in = first_bytes(in, TEXT_LOOK_IN_BYTES_MAX);
	buf_init(&whole, TEXT_LOOK_OUT_BYTES_MAX);
	text_map(in, options, &whole);
	(void)buf_append(out, first_bytes(buf_bytes(&whole), buf_room(out)));
	buf_clear(&whole);
}

void text_nfkc(struct bytes in, struct buf *out)
{
	append_mapped(in, NFKC, out);
}

void text_skeleton(struct bytes in, struct buf *out)
{
	struct buf apart, drawn;
	struct bytes rest;
	size_t len;

	buf_init(&apart, TEXT_LOOK_OUT_BYTES_MAX);
	buf_init(&drawn, TEXT_LOOK_IN_BYTES_MAX);
	append_mapped(in, NFD, &apart);
	for (rest = buf_bytes(&apart); rest.len > 0;
		rest = bytes_skip(rest, len)) {
		uint32_t cp = utf8_decode(rest, &len);

		if (buf_room(&drawn) < PROTOTYPE_BYTES_MAX)
			break;
		put_prototype(cp, &drawn);
	}
	append_mapped(buf_bytes(&drawn), NFD, out);
	buf_clear(&apart);
	buf_clear(&drawn);
}

/* ---- looks ------------------------------------------------------------- */

/* change: text_fold or text_skeleton. What does not fit is cut. */
static void change_in_place(
	void (*change)(struct bytes in, struct buf *out), struct buf *text)
{
	struct buf changed;

	buf_init(&changed, TEXT_LOOK_OUT_BYTES_MAX);
	change(buf_bytes(text), &changed);
	buf_reset(text);
	(void)buf_append(
		text, first_bytes(buf_bytes(&changed), buf_room(text)));
	buf_clear(&changed);
}

/* Without spaces. A small i is taken for an l: its capital looks like one, so
 * that "AL1CE" would else not be "Alice". */
static void copy_look(struct bytes in, char out[static TEXT_LOOK_MAX])
{
	size_t at = 0, len;

	while (in.len > 0) {
		uint32_t cp = utf8_decode(in, &len);

		if (cp == 'i') {
			if (at + 1 >= TEXT_LOOK_MAX)
				break;
			out[at++] = 'l';
		} else if (!text_cp_is_space(cp)) {
			if (at + len >= TEXT_LOOK_MAX)
				break;
			memcpy(out + at, in.data, len);
			at += len;
		}
		in = bytes_skip(in, len);
	}
	out[at] = '\0';
}

static void make_look(
	struct bytes name, bool folded, char out[static TEXT_LOOK_MAX])
{
	struct buf text;

	buf_init(&text, TEXT_LOOK_IN_BYTES_MAX);
	/* NFKC takes a few characters for others than they look like (U+03F2
	 * is no c in it), so `drawn` goes without. */
	if (folded) {
		text_nfkc(name, &text);
		change_in_place(text_fold, &text);
	} else {
		text_skeleton(name, &text);
		change_in_place(text_fold, &text);
	}
	change_in_place(text_skeleton, &text);
	change_in_place(text_fold, &text);
	copy_look(buf_bytes(&text), out);
	buf_clear(&text);
}

void text_looks_of(struct bytes name, struct text_looks *looks)
{
	make_look(name, true, looks->small);
	make_look(name, false, looks->drawn);
}

bool text_looks_alike(const struct text_looks *a, const struct text_looks *b)
{
	if (a->small[0] == '\0' || b->small[0] == '\0')
		return false;
	return strcmp(a->small, b->small) == 0 ||
	       strcmp(a->drawn, b->drawn) == 0 ||
	       strcmp(a->small, b->drawn) == 0 ||
	       strcmp(a->drawn, b->small) == 0;
}

/* ---- scripts ----------------------------------------------------------- */

/* The scripts that a character may belong to; all, when it is of none. */
static uint64_t scripts_of(uint32_t cp)
{
	size_t low = 0, high = P2P_ARRAY_LEN(script_ranges);

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (script_ranges[middle].last < cp)
			low = middle + 1;
		else
			high = middle;
	}
	if (low == P2P_ARRAY_LEN(script_ranges) ||
		script_ranges[low].first > cp)
		return UINT64_MAX;
	return script_sets[script_ranges[low].set];
}

bool text_mixes_scripts(struct bytes in)
{
	uint64_t all = UINT64_MAX, beside_latin = UINT64_MAX;

	in = first_bytes(in, TEXT_LOOK_IN_BYTES_MAX);
	while (in.len > 0) {
		size_t len;
		uint64_t set = scripts_of(utf8_decode(in, &len));

		all &= set;
		if ((set & BIT(SCRIPT_LATN)) == 0)
			beside_latin &= set;
		in = bytes_skip(in, len);
	}
	beside_latin &=
		~(BIT(SCRIPT_OTHER) | BIT(SCRIPT_CYRL) | BIT(SCRIPT_GREK));
	return all == 0 && beside_latin == 0;
}

/*
 * Clusters and columns. Clusters are Unicode's extended grapheme clusters
 * (UAX 29), with two departures that keep a cluster what a terminal draws in
 * one place: it ends before a code point that would carry it past two columns
 * (a spacing mark on a wide base), and a skin tone belongs only to a
 * pictograph. Columns are those of current terminals; where they differ the
 * larger is taken, since a gap on the screen hurts less than an overlap.
 */
#include <utf8proc.h>

#include "base/text_internal.h"

/* Longer clusters are split; cleaned text has none. */
#define CLUSTER_CODE_POINTS_MAX 32

static const utf8proc_property_t *property(uint32_t cp)
{
	return utf8proc_get_property((utf8proc_int32_t)cp);
}

static bool is_regional(uint32_t cp)
{
	return cp >= 0x1F1E6 && cp <= 0x1F1FF;
}

bool text_cp_is_skin_tone(uint32_t cp)
{
	return cp >= 0x1F3FB && cp <= 0x1F3FF;
}

bool text_cp_is_pictograph(uint32_t cp)
{
	return cp >= 0xA9 && property(cp)->boundclass ==
				     UTF8PROC_BOUNDCLASS_EXTENDED_PICTOGRAPHIC;
}

bool text_cp_is_keycap_base(uint32_t cp)
{
	return (cp >= '0' && cp <= '9') || cp == '*' || cp == '#';
}

bool text_cp_is_space(uint32_t cp)
{
	return cp == ' ' || cp == 0x2800 ||
	       (cp >= 0xA0 && property(cp)->category == UTF8PROC_CATEGORY_ZS);
}

bool text_cp_is_mark(uint32_t cp)
{
	utf8proc_propval_t category;

	if (cp < 0x300)
		return false;
	category = property(cp)->category;
	return category == UTF8PROC_CATEGORY_MN ||
	       category == UTF8PROC_CATEGORY_ME;
}

bool text_cp_continues(uint32_t a, uint32_t b)
{
	return !utf8proc_grapheme_break(
		(utf8proc_int32_t)a, (utf8proc_int32_t)b);
}

/* Unassigned: one column, but two among the pictographs, where a newer
 * terminal may know one that this library does not. */
static int unassigned_columns(uint32_t cp)
{
	return cp >= 0x1F000 && cp <= 0x1FAFF ? 2 : 1;
}

int text_cp_columns(uint32_t cp)
{
	const utf8proc_property_t *p;

	if (cp < 0x300)
		return cp >= 0x20 && (cp < 0x7F || cp >= 0xA0) && cp != 0xAD;
	p = property(cp);
	if (p->ignorable)
		return 0;
	if (is_regional(cp))
		return 2;
	if (cp >= 0x4DC0 && cp <= 0x4DFF)
		return 2; /* hexagrams: wide since Unicode 16 */
	/* Vowels and finals of conjoining Hangul draw inside their block. */
	if (p->boundclass == UTF8PROC_BOUNDCLASS_V ||
		p->boundclass == UTF8PROC_BOUNDCLASS_T)
		return 0;
	if (p->category == UTF8PROC_CATEGORY_CN)
		return unassigned_columns(cp);
	/* A spacing mark takes a column; the library's table says none. */
	if (p->charwidth == 0 && p->category == UTF8PROC_CATEGORY_MC)
		return 1;
	/* Visible format characters, such as the Arabic number sign. */
	if (p->category == UTF8PROC_CATEGORY_CF)
		return p->boundclass == UTF8PROC_BOUNDCLASS_PREPEND;
	return p->charwidth;
}

/* A cluster while it is being read. */
struct cluster {
	uint32_t last;          /* its last code point */
	utf8proc_int32_t state; /* of the library's break rules */
	size_t code_point_count;
	int columns;
	bool emoji; /* a pictograph, with style and tone at most */
};

static void cluster_start(struct cluster *c, uint32_t cp)
{
	*c = (struct cluster){
		.last = cp,
		.code_point_count = 1,
		.columns = text_cp_columns(cp),
		.emoji = text_cp_is_pictograph(cp),
	};
}

/* The columns of the cluster with cp joined to it; more than 2 means that it
 * does not fit in there. */
static int columns_with(const struct cluster *c, uint32_t cp)
{
	if (cp == CP_EMOJI_STYLE && c->emoji)
		return 2;
	if (cp == CP_KEYCAP && c->last == CP_EMOJI_STYLE)
		return 2;
	if (c->last == CP_JOINER && text_cp_is_pictograph(cp))
		return 2;
	if (text_cp_is_skin_tone(cp) ||
		(is_regional(cp) && is_regional(c->last)))
		return 2;
	return c->columns + text_cp_columns(cp);
}

/* Whether cp was taken into the cluster. */
static bool cluster_join(struct cluster *c, uint32_t cp)
{
	int columns;

	if (utf8proc_grapheme_break_stateful(
		    (utf8proc_int32_t)c->last, (utf8proc_int32_t)cp, &c->state))
		return false;
	if (c->code_point_count >= CLUSTER_CODE_POINTS_MAX)
		return false;
	if (text_cp_is_skin_tone(cp) && !c->emoji)
		return false;
	columns = columns_with(c, cp);
	if (columns > 2)
		return false;
	c->columns = columns;
	c->emoji =
		text_cp_is_pictograph(cp) || (c->emoji && cp == CP_EMOJI_STYLE);
	c->last = cp;
	c->code_point_count++;
	return true;
}

size_t text_cluster(struct bytes in, int *columns)
{
	struct cluster c;
	size_t at = text_ascii_cluster(in);
	size_t n;

	if (at == 1 || in.len == 0) {
		if (columns != NULL)
			*columns = (int)at;
		return at;
	}
	cluster_start(&c, utf8_decode(in, &at));
	while (at < in.len) {
		if (!cluster_join(&c, utf8_decode(bytes_skip(in, at), &n)))
			break;
		at += n;
	}
	if (columns != NULL)
		*columns = c.columns;
	return at;
}

/* A place at or before the last cluster's start where one surely starts:
 * between two printable ASCII characters; else the beginning. */
static size_t sure_start(struct bytes in)
{
	for (size_t i = in.len - 1; i > 0; i--) {
		if (in.data[i] >= 0x20 && in.data[i] < 0x7F &&
			in.data[i - 1] >= 0x20 && in.data[i - 1] < 0x7F)
			return i;
	}
	return 0;
}

size_t text_last_cluster(struct bytes in)
{
	size_t at, n;

	if (in.len == 0)
		return 0;
	at = sure_start(in);
	for (;;) {
		n = text_cluster(bytes_skip(in, at), NULL);
		if (at + n == in.len)
			return n;
		at += n;
	}
}

size_t text_width(struct bytes in)
{
	size_t width = 0, n;
	int columns;

	while ((n = text_cluster(in, &columns)) > 0) {
		width += (size_t)columns;
		in = bytes_skip(in, n);
	}
	return width;
}

size_t text_fit(struct bytes in, size_t columns, size_t *used)
{
	size_t at = 0, width = 0, n;
	int more;

	while ((n = text_cluster(bytes_skip(in, at), &more)) > 0) {
		if ((size_t)more > columns - width)
			break;
		width += (size_t)more;
		at += n;
	}
	if (used != NULL)
		*used = width;
	return at;
}

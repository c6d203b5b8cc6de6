/*
 * Breaking text into lines: after spaces, and between clusters where the
 * script knows no spaces (a small part of UAX 14).
 */
#include <utf8proc.h>

#include "base/text_internal.h"

/* One line while it is being measured; all are offsets in the text. */
struct line {
	size_t at;         /* start of the cluster being looked at */
	size_t columns;    /* of all before it, trailing spaces included */
	size_t break_end;  /* of the line if broken at the last chance, or 0 */
	size_t break_next; /* start of the following line then */
	size_t text_end;   /* behind the last cluster that is not a space */
	uint32_t last;     /* first code point of the cluster before, or 0 */
};

/* Thai, Lao, Burmese, Khmer: written without spaces between words. */
static bool is_spaceless(uint32_t cp)
{
	return (cp >= 0x0E00 && cp <= 0x0EFF) ||
	       (cp >= 0x1000 && cp <= 0x109F) || (cp >= 0x1780 && cp <= 0x17FF);
}

static bool breaks_anywhere(uint32_t cp)
{
	return is_spaceless(cp) || text_cp_columns(cp) == 2;
}

/* A line does not end with these: opening brackets, and the vowels that are
 * written before the consonant they follow in speech. */
static bool sticks_to_next(uint32_t cp)
{
	utf8proc_category_t k = utf8proc_category((utf8proc_int32_t)cp);

	return (cp >= 0x0E40 && cp <= 0x0E44) ||
	       (cp >= 0x0EC0 && cp <= 0x0EC4) || k == UTF8PROC_CATEGORY_PS ||
	       k == UTF8PROC_CATEGORY_PI;
}

/* A line does not start with these: closing punctuation, following vowels
 * and repetition marks of Thai and Lao. */
static bool sticks_to_last(uint32_t cp)
{
	utf8proc_category_t k = utf8proc_category((utf8proc_int32_t)cp);

	switch (cp) {
	case 0x0E2F:
	case 0x0E30:
	case 0x0E32:
	case 0x0E33:
	case 0x0E45:
	case 0x0E46:
	case 0x0EAF:
	case 0x0EB0:
	case 0x0EB2:
	case 0x0EB3:
	case 0x0EC6:
		return true;
	default:
		return k == UTF8PROC_CATEGORY_PE || k == UTF8PROC_CATEGORY_PF ||
		       k == UTF8PROC_CATEGORY_PO;
	}
}

static bool may_break_between(uint32_t a, uint32_t b)
{
	if (a == 0 || (!breaks_anywhere(a) && !breaks_anywhere(b)))
		return false;
	return !sticks_to_next(a) && !sticks_to_last(b);
}

/* U+00A0, U+2007 and U+202F are there to hold a line together. */
static bool is_breaking_space(uint32_t cp)
{
	return cp != 0xA0 && cp != 0x2007 && cp != 0x202F && cp != 0x2800 &&
	       text_cp_is_space(cp);
}

/* Moves over one cluster of n bytes that starts with cp; false when it does
 * not fit any more. */
static bool take_cluster(
	struct line *l, uint32_t cp, size_t n, size_t columns, size_t max)
{
	bool fits = l->columns + columns <= max;

	if (is_breaking_space(cp)) {
		/* Spaces hang over the edge: they are never drawn there. */
		if (l->text_end == 0 && !fits)
			return false;
		if (l->text_end > 0) {
			l->break_end = l->text_end;
			l->break_next = l->at + n;
		}
	} else {
		if (!fits)
			return false;
		if (may_break_between(l->last, cp) && l->text_end == l->at) {
			l->break_end = l->at;
			l->break_next = l->at;
		}
		l->text_end = l->at + n;
	}
	l->columns += columns;
	l->at += n;
	l->last = cp;
	return true;
}

/* The line is too long by the cluster at l->at, which starts with cp. */
static size_t break_line(struct line *l, uint32_t cp, size_t n, size_t *next)
{
	if (l->at == 0) {
		*next = n; /* wider than the line: it goes alone */
		return n;
	}
	if (may_break_between(l->last, cp) || l->break_end == 0) {
		*next = l->at;
		return l->text_end;
	}
	*next = l->break_next;
	return l->break_end;
}

size_t text_wrap(struct bytes in, size_t columns, size_t *next)
{
	struct line l = {.at = 0};
	size_t n, len;
	int more;

	while ((n = text_cluster(bytes_skip(in, l.at), &more)) > 0) {
		uint32_t cp = utf8_decode(bytes_skip(in, l.at), &len);

		if (cp == '\n' || (cp == '\r' && n == 2)) {
			*next = l.at + n;
			return l.text_end;
		}
		if (!take_cluster(&l, cp, n, (size_t)more, columns))
			return break_line(&l, cp, n, next);
	}
	*next = l.at;
	return l.text_end;
}

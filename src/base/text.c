/*
 * The sanitiser. It is a filter over code points whose decisions depend only
 * on what it has already put out and on the next code point, never on what
 * was dropped. So its output passes through it unchanged: a fixed point. The
 * only thing held back is a joiner or an emoji style that is worth keeping
 * only if the right thing follows.
 */
#include <stdlib.h>
#include <utf8proc.h>

#include "base/text_internal.h"

#define JOINS_MAX 5 /* of pictographs in one emoji; real ones have 3 */
/* A name is cut from at most so many bytes of cleaned text. */
#define NAME_SCRATCH_BYTES 512

struct cleaner {
	enum text_mode mode;
	struct buf *out;
	size_t start;     /* where our text begins in out */
	uint32_t last;    /* last code point of this line, 0 at its start */
	uint32_t pending; /* CP_JOINER or CP_EMOJI_STYLE held back, or 0 */
	unsigned marks;   /* without columns, on the present base */
	unsigned joins;   /* in the present emoji sequence */
	bool emoji; /* out ends in a pictograph, styled and toned at most */
	bool full;  /* out had no room for the next cluster */
};

static size_t encoded_len(uint32_t cp)
{
	if (cp < 0x80)
		return 1;
	if (cp < 0x800)
		return 2;
	return cp < 0x10000 ? 3 : 4;
}

static struct bytes written(const struct cleaner *c)
{
	return bytes_skip(buf_bytes(c->out), c->start);
}

/* Whether cp would have become part of the last cluster in out. */
static bool joins_last_cluster(const struct cleaner *c, uint32_t cp)
{
	struct bytes text = written(c);
	size_t n = text_last_cluster(text);
	struct buf tail;
	bool joins;

	buf_init(&tail, n + 4);
	(void)buf_append(&tail, bytes_skip(text, text.len - n));
	utf8_encode(&tail, cp);
	joins = text_cluster(buf_bytes(&tail), NULL) > n;
	buf_clear(&tail);
	return joins;
}

/* Ends the text where it is, without half a cluster. */
static void cut(struct cleaner *c, uint32_t unwritten)
{
	c->full = true;
	if (joins_last_cluster(c, unwritten))
		buf_truncate(
			c->out, c->out->len - text_last_cluster(written(c)));
}

static void put(struct cleaner *c, uint32_t cp)
{
	utf8_encode(c->out, cp);
	c->last = cp == '\n' ? 0 : cp;
}

/* Room for `first` (0: none) and `second`, which only make sense together. */
static bool have_room(struct cleaner *c, uint32_t first, uint32_t second)
{
	size_t need =
		encoded_len(second) + (first == 0 ? 0 : encoded_len(first));

	if (need <= buf_room(c->out))
		return true;
	cut(c, first == 0 ? second : first);
	return false;
}

/* A character that stands on its own and takes columns. */
static void put_base(struct cleaner *c, uint32_t cp)
{
	if (c->mode == TEXT_NAME && c->out->len == c->start &&
		text_cp_is_space(cp))
		return; /* before the name */
	if (!have_room(c, 0, cp))
		return;
	c->pending = 0;
	c->marks = 0;
	c->joins = 0;
	c->emoji = text_cp_is_pictograph(cp);
	put(c, cp);
}

static void put_pictograph(struct cleaner *c, uint32_t cp)
{
	if (c->pending != CP_JOINER) {
		put_base(c, cp);
		return;
	}
	if (!have_room(c, CP_JOINER, cp))
		return;
	put(c, CP_JOINER);
	put(c, cp);
	c->pending = 0;
	c->joins++;
}

static void put_style(struct cleaner *c, uint32_t cp)
{
	if (c->pending != 0)
		return;
	if (c->emoji && text_cp_is_pictograph(c->last)) {
		if (have_room(c, 0, cp))
			put(c, cp);
	} else if (cp == CP_EMOJI_STYLE && text_cp_is_keycap_base(c->last)) {
		c->pending = cp;
	}
}

static void put_skin_tone(struct cleaner *c, uint32_t cp)
{
	bool tones = c->emoji && !text_cp_is_skin_tone(c->last);
	unsigned joins = c->joins;

	put_base(c, cp);
	c->emoji = tones;
	c->joins = tones ? joins : 0;
}

static void put_joiner(struct cleaner *c)
{
	if (c->emoji && c->pending == 0 && c->joins < JOINS_MAX)
		c->pending = CP_JOINER;
}

/* Something without columns of its own: a mark, a jamo inside its block. */
static void put_mark(struct cleaner *c, uint32_t cp)
{
	uint32_t before = 0;

	if (c->last == 0 && text_cp_is_mark(cp)) {
		/* Without a base it would sit on whatever is to the left. */
		if (!have_room(c, CP_DOTTED_CIRCLE, cp))
			return;
		put_base(c, CP_DOTTED_CIRCLE);
	} else if (c->last == 0 || !text_cp_continues(c->last, cp)) {
		put_base(c, CP_REPLACEMENT);
		return;
	}
	if (c->marks >= TEXT_MARKS_MAX)
		return;
	if (cp == CP_KEYCAP && c->pending == CP_EMOJI_STYLE)
		before = c->pending;
	if (!have_room(c, before, cp))
		return;
	if (before != 0)
		put(c, before);
	put(c, cp);
	c->pending = 0;
	c->emoji = false;
	c->marks++;
}

/* What is shown instead of a control character. */
static void put_control(struct cleaner *c, uint32_t cp)
{
	if (cp == '\n' && c->mode == TEXT_BLOCK)
		put_base(c, cp);
	else if (cp == '\n' || cp == '\t')
		put_base(c, ' ');
	else if (cp < 0x20)
		put_base(c, 0x2400 + cp);
	else if (cp == 0x7F)
		put_base(c, 0x2421);
	else
		put_base(c, CP_REPLACEMENT);
}

/* Bidi controls, tags, fillers, soft hyphens and whatever else is not seen
 * and may change how the rest is read. */
static bool is_dropped(uint32_t cp, const utf8proc_property_t *p)
{
	/* Ignorable for ever, but unassigned: the library's table has them
	 * not. */
	if (cp == 0x2065 || (cp >= 0xFFF0 && cp <= 0xFFF8) ||
		(cp >= 0xE0000 && cp <= 0xE0FFF))
		return true;
	return p->ignorable || p->category == UTF8PROC_CATEGORY_ZL ||
	       p->category == UTF8PROC_CATEGORY_ZP ||
	       (p->category == UTF8PROC_CATEGORY_CF &&
		       p->boundclass != UTF8PROC_BOUNDCLASS_PREPEND);
}

static bool is_noncharacter(uint32_t cp)
{
	return (cp & 0xFFFE) == 0xFFFE || (cp >= 0xFDD0 && cp <= 0xFDEF);
}

static void clean_code_point(struct cleaner *c, uint32_t cp)
{
	const utf8proc_property_t *p;

	p = utf8proc_get_property((utf8proc_int32_t)cp);
	if (cp < 0x20 || (cp >= 0x7F && cp < 0xA0))
		put_control(c, cp);
	else if (cp == CP_JOINER)
		put_joiner(c);
	else if (cp == CP_EMOJI_STYLE || cp == CP_TEXT_STYLE)
		put_style(c, cp);
	else if (is_dropped(cp, p))
		return;
	else if (p->category == UTF8PROC_CATEGORY_CO || is_noncharacter(cp))
		put_base(c, CP_REPLACEMENT);
	else if (text_cp_is_skin_tone(cp))
		put_skin_tone(c, cp);
	else if (text_cp_is_pictograph(cp))
		put_pictograph(c, cp);
	else if (text_cp_columns(cp) == 0)
		put_mark(c, cp);
	else
		put_base(c, cp);
}

/* Whole runs of printable ASCII are copied as they are. */
static size_t copy_ascii(struct cleaner *c, struct bytes in)
{
	size_t n = 0, max = P2P_MIN(in.len, buf_room(c->out));

	if (c->mode == TEXT_NAME && c->out->len == c->start)
		return 0;
	while (n < max && in.data[n] >= 0x20 && in.data[n] < 0x7F)
		n++;
	if (n == 0)
		return 0;
	(void)buf_append(c->out, bytes_first(in, n));
	c->last = in.data[n - 1];
	c->pending = 0;
	c->marks = 0;
	c->joins = 0;
	c->emoji = false;
	return n;
}

static void clean(struct cleaner *c, struct bytes in)
{
	while (in.len > 0 && !c->full) {
		size_t n = copy_ascii(c, in);

		if (n == 0) {
			uint32_t cp = utf8_decode(in, &n);

			/* A line may end as on other systems. */
			if (cp != '\r' || in.len < 2 || in.data[1] != '\n')
				clean_code_point(c, cp);
		}
		in = bytes_skip(in, n);
	}
}

/* The cut may have fallen behind something that needs what follows. */
static void drop_dangling(struct cleaner *c)
{
	for (;;) {
		struct bytes text = written(c);

		if (text.len >= 3 && memcmp(text.data + text.len - 3,
					     "\xE2\x80\x8D", 3) == 0)
			buf_truncate(c->out, c->out->len - 3);
		else if (text.len >= 4 &&
			 memcmp(text.data + text.len - 3, "\xEF\xB8\x8F", 3) ==
				 0 &&
			 text.data[text.len - 4] < 0x80)
			buf_truncate(c->out, c->out->len - 3);
		else
			return;
	}
}

static int clean_into(enum text_mode mode, struct bytes in, struct buf *out)
{
	struct cleaner c = {.mode = mode, .out = out, .start = out->len};

	clean(&c, in);
	if (c.full)
		drop_dangling(&c);
	return c.full ? P2P_ERR_TOO_BIG : 0;
}

/* Bytes of the name: whole clusters within both limits, no space behind. */
static size_t name_len(struct bytes text)
{
	size_t columns, at = 0, n;

	text = bytes_first(
		text, text_fit(text, TEXT_NAME_COLUMNS_MAX, &columns));
	while ((n = text_cluster(bytes_skip(text, at), NULL)) > 0 &&
		at + n <= TEXT_NAME_BYTES_MAX)
		at += n;
	while (at > 0) {
		struct bytes head = bytes_first(text, at);
		size_t last = text_last_cluster(head), len;
		uint32_t cp = utf8_decode(bytes_skip(head, at - last), &len);

		if (len != last || !text_cp_is_space(cp))
			break;
		at -= last;
	}
	return at;
}

static int clean_name(struct bytes in, struct buf *out)
{
	struct buf scratch;
	struct cleaner c = {.mode = TEXT_NAME, .out = &scratch};
	int err = 0;

	buf_init(&scratch, NAME_SCRATCH_BYTES);
	/* What does not fit the scratch is beyond the name's limits. */
	clean(&c, in);
	buf_truncate(&scratch, name_len(buf_bytes(&scratch)));
	drop_dangling(&c);
	if (scratch.len > buf_room(out))
		err = clean_into(TEXT_LINE, buf_bytes(&scratch), out);
	else
		(void)buf_append(out, buf_bytes(&scratch));
	buf_clear(&scratch);
	return err;
}

int text_clean(enum text_mode mode, struct bytes in, struct buf *out)
{
	if (out->failed)
		return P2P_ERR_TOO_BIG;
	return mode == TEXT_NAME ? clean_name(in, out)
				 : clean_into(mode, in, out);
}

bool text_is_clean(enum text_mode mode, struct bytes in)
{
	struct buf out;
	bool same;

	buf_init(&out, in.len);
	same = text_clean(mode, in, &out) == 0 &&
	       bytes_equal(buf_bytes(&out), in);
	buf_clear(&out);
	return same;
}

/* ASCII, which most text is, needs no tables. */
static bool fold_ascii(struct bytes in, struct buf *out)
{
	uint8_t *to;

	for (size_t i = 0; i < in.len; i++) {
		if (in.data[i] >= 0x80)
			return false;
	}
	to = buf_extend(out, in.len);
	for (size_t i = 0; to != NULL && i < in.len; i++) {
		uint8_t c = in.data[i];

		to[i] = c >= 'A' && c <= 'Z' ? (uint8_t)(c + 32) : c;
	}
	return true;
}

void text_map(struct bytes in, int options, struct buf *out)
{
	utf8proc_uint8_t *mapped = NULL;
	utf8proc_ssize_t n;
	struct buf valid;

	/* The library refuses invalid text as a whole. */
	buf_init(&valid, in.len * 3);
	while (in.len > 0) {
		size_t len;

		utf8_encode(&valid, utf8_decode(in, &len));
		in = bytes_skip(in, len);
	}
	n = utf8proc_map(valid.data, (utf8proc_ssize_t)valid.len, &mapped,
		(utf8proc_option_t)options);
	P2P_ASSERT(n >= 0);
	(void)buf_append(out, bytes_of(mapped, (size_t)n));
	free(mapped);
	buf_clear(&valid);
}

void text_fold(struct bytes in, struct buf *out)
{
	if (!fold_ascii(in, out))
		text_map(in,
			UTF8PROC_STABLE | UTF8PROC_COMPOSE | UTF8PROC_CASEFOLD |
				UTF8PROC_IGNORE,
			out);
}

/*
 * What text.c (cleaning), text_cluster.c (clusters, columns), text_wrap.c
 * (lines) and text_skeleton.c (looks) share: what one code point is. Only those
 * four include it.
 */
#ifndef BASE_TEXT_INTERNAL_H
#define BASE_TEXT_INTERNAL_H

#include "base/text.h"

#define CP_REPLACEMENT 0xFFFDu
#define CP_JOINER 0x200Du        /* zero width joiner */
#define CP_TEXT_STYLE 0xFE0Eu    /* variation selector 15 */
#define CP_EMOJI_STYLE 0xFE0Fu   /* variation selector 16 */
#define CP_KEYCAP 0x20E3u        /* combining enclosing keycap */
#define CP_DOTTED_CIRCLE 0x25CCu /* carries a mark that has no base */

/* Appends `in` mapped by the library: options are utf8proc_option_t. Bytes that
 * are not UTF-8 become U+FFFD first. */
void text_map(struct bytes in, int options, struct buf *out);

/* What a terminal advances for this code point alone: 0, 1 or 2. */
int text_cp_columns(uint32_t cp);
/* Extended_Pictographic: what emoji sequences are made of. */
bool text_cp_is_pictograph(uint32_t cp);
/* U+1F3FB to U+1F3FF. */
bool text_cp_is_skin_tone(uint32_t cp);
/* 0 to 9, * and #, which a keycap can enclose. */
bool text_cp_is_keycap_base(uint32_t cp);
/* A space of any width (Zs), or U+2800, which looks like one. */
bool text_cp_is_space(uint32_t cp);
/* Mn or Me. */
bool text_cp_is_mark(uint32_t cp);
/* Whether b, right after a, belongs to a's cluster (UAX 29), as far as these
 * two alone can tell. */
bool text_cp_continues(uint32_t a, uint32_t b);

/* The length of one printable ASCII character that is a cluster by itself at
 * the start of `in`, or 0: the way of nearly all text. */
static inline size_t text_ascii_cluster(struct bytes in)
{
	if (in.len == 0 || in.data[0] < 0x20 || in.data[0] > 0x7E)
		return 0;
	return in.len == 1 || in.data[1] < 0x80 ? 1 : 0;
}

#endif

/*
 * Text from others, and the shape of text on a screen. All of it is UTF-8.
 *
 * text_clean is the one sanitiser: no text that came from a peer, a file, the
 * terminal or mDNS reaches a screen, a log or a terminal without it. Widths
 * are terminal columns; a cluster is what a reader takes for one character
 * (Unicode UAX 29), so a base with its marks, or an emoji sequence.
 */
#ifndef BASE_TEXT_H
#define BASE_TEXT_H

#include "base/buf.h"

#define TEXT_NAME_BYTES_MAX 64
#define TEXT_NAME_COLUMNS_MAX 24
#define TEXT_CLUSTER_BYTES_MAX 128
#define TEXT_MARKS_MAX 4 /* combining marks kept on one base */

/* Strict UTF-8 (RFC 3629): no overlong forms, surrogates, or > U+10FFFF. */
bool utf8_valid(struct bytes in);

/* How many bytes at the front stand for themselves in a JSON string (RFC 8259,
 * section 7): none of them is a quote, a backslash or a control byte. */
size_t text_json_run(struct bytes in);
/* The code point at the start of `in` and its length in *len (1 to 4);
 * U+FFFD and 1 for a byte that is not valid there. in.len > 0. */
uint32_t utf8_decode(struct bytes in, size_t *len);
/* Appends the code point; surrogates and > U+10FFFF become U+FFFD. */
void utf8_encode(struct buf *out, uint32_t code_point);

enum text_mode {
	TEXT_LINE,  /* one line: newline and tab become a space */
	TEXT_BLOCK, /* newline is kept, tab becomes a space */
	TEXT_NAME,  /* one line, trimmed, cut to the name limits */
};

/*
 * Appends to `out` what may be shown of `in`: invalid bytes and private-use
 * characters as U+FFFD; C0, DEL and C1 as visible pictures (U+2400...,
 * U+FFFD for C1); bidi controls, U+FEFF, tag characters, line and paragraph
 * separators dropped; zero-width characters only inside emoji sequences; at
 * most TEXT_MARKS_MAX marks on a base, and a dotted circle under a mark that
 * starts a line. "\r\n" counts as a newline. The result is a fixed point:
 * cleaning it again changes nothing. When `out` is too small the text is cut
 * between clusters and P2P_ERR_TOO_BIG is returned (out is still valid text).
 */
int text_clean(enum text_mode mode, struct bytes in, struct buf *out);
/* Whether text_clean would change nothing: what one's own line must be. */
bool text_is_clean(enum text_mode mode, struct bytes in);

/*
 * Bytes of the cluster that starts at `in` (0 only when in is empty) and its
 * columns (0, 1 or 2) in *columns, which may be NULL. `in` starts where a
 * cluster starts. In cleaned text only a newline has 0 columns. At most
 * TEXT_CLUSTER_BYTES_MAX long, whatever the text.
 */
size_t text_cluster(struct bytes in, int *columns);
/* Bytes of the last cluster of `in`. */
size_t text_last_cluster(struct bytes in);
/* Columns of the whole text. */
size_t text_width(struct bytes in);
/* The longest prefix of whole clusters that fits `columns`; its width in
 * *used, which may be NULL. */
size_t text_fit(struct bytes in, size_t columns, size_t *used);
/*
 * Where to break `in` so that the first line fits `columns` (> 1): after the
 * last space that fits, else between clusters (Thai and CJK break anywhere),
 * at a newline always. Returns the bytes of the line without trailing space;
 * *next is where the following line starts, in.len at the end. Always moves
 * on unless in is empty. A cluster wider than `columns` is a line alone.
 */
size_t text_wrap(struct bytes in, size_t columns, size_t *next);
/* Case folded and NFC, for comparing names and completing words. */
void text_fold(struct bytes in, struct buf *out);

#endif

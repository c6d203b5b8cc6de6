/*
 * Unsigned LEB128 numbers and the length-prefixed frames made with them
 * (multiformats "unsigned-varint"; libp2p's streams). Reading a number is
 * cur_uvarint (base/cursor.h); this is the other direction, and frames.
 */
#ifndef NET_WIRE_VARINT_H
#define NET_WIRE_VARINT_H

#include "base/buf.h"

#define VARINT_BYTES_MAX 10
/* Longest length prefix or multiformats number: 63 bits. */
#define VARINT_SHORT_BYTES_MAX 9

/* Bytes that v takes, 1 to 10. */
size_t varint_size(uint64_t v);
/* Writes v, minimal; returns varint_size(v). */
size_t varint_put(uint8_t out[static VARINT_BYTES_MAX], uint64_t v);
/* Appends v; 0 or P2P_ERR_TOO_BIG as buf_append. */
int varint_append(struct buf *out, uint64_t v);

/* Appends the length of body, then body; all or nothing. */
int varint_frame_append(struct buf *out, struct bytes body);
/*
 * Looks for a whole frame at the start of `in`.
 *   body    the frame without its length, a view into in
 *   taken   bytes of the frame with its length; 0 when more bytes must come
 *           first, and body is empty then
 * Returns 0, P2P_ERR_TOO_BIG when the length is above max_bytes (known from
 * the prefix alone), or P2P_ERR_MALFORMED for a bad prefix.
 */
int varint_frame_peek(struct bytes in, size_t max_bytes, struct bytes *body,
	size_t *taken) P2P_MUST_CHECK;

#endif

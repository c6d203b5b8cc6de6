/*
 * Unsigned varints and what is framed by one. A frame is only taken when all of
 * it is there; its length is held against the caller's maximum before that, so
 * that nobody waits for a frame that will be refused.
 */
#include "net/wire/varint.h"

#include "base/cursor.h"

size_t varint_size(uint64_t v)
{
	size_t n = 1;

	for (; v >= 0x80; v >>= 7)
		n++;
	return n;
}

size_t varint_put(uint8_t out[static VARINT_BYTES_MAX], uint64_t v)
{
	size_t n = 0;

	for (; v >= 0x80; v >>= 7)
		out[n++] = (uint8_t)(v | 0x80);
	out[n++] = (uint8_t)v;
	return n;
}

int varint_append(struct buf *out, uint64_t v)
{
	uint8_t raw[VARINT_BYTES_MAX];

	return buf_append(out, bytes_of(raw, varint_put(raw, v)));
}

int varint_frame_append(struct buf *out, struct bytes body)
{
	uint8_t raw[VARINT_BYTES_MAX];
	size_t n = varint_put(raw, body.len);
	uint8_t *to;

	/* A failed sum must fail the buf as well, never wrap. */
	if (body.len > SIZE_MAX - n)
		n = 0;
	to = buf_extend(out, n + body.len);
	if (to == NULL)
		return P2P_ERR_TOO_BIG;
	memcpy(to, raw, n);
	if (body.len > 0)
		memcpy(to + n, body.data, body.len);
	return 0;
}

int varint_frame_peek(
	struct bytes in, size_t max_bytes, struct bytes *body, size_t *taken)
{
	struct cursor c = cur_of(in);
	uint64_t len = cur_uvarint(&c, VARINT_SHORT_BYTES_MAX);

	*body = bytes_of(NULL, 0);
	*taken = 0;
	if (cur_err(&c) == P2P_ERR_TRUNCATED)
		return 0;
	if (cur_err(&c) != 0)
		return cur_err(&c);
	if (len > max_bytes)
		return P2P_ERR_TOO_BIG;
	if (len > cur_left(&c))
		return 0;
	*body = cur_take(&c, (size_t)len);
	*taken = in.len - cur_left(&c);
	return 0;
}

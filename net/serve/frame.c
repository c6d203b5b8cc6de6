/*
 * Frames cut out of a stream. One that stands whole in what has arrived is lent
 * as it stands; only what comes in pieces is copied together.
 */
#include "net/serve/frame.h"

#include "base/cursor.h"

void frame_reader_init(struct frame_reader *r, size_t max)
{
	*r = (struct frame_reader){.max = max};
	buf_init(&r->body, max);
}

void frame_reader_clear(struct frame_reader *r)
{
	buf_clear(&r->body);
	r->pending = false;
}

/* Adds to the body what is there of it. */
static int read_piece(struct frame_reader *r, struct bytes in, size_t *taken,
	struct bytes *body)
{
	size_t n = P2P_MIN(in.len, r->need - r->body.len);
	int err = buf_append(&r->body, bytes_first(in, n));

	if (err != 0)
		return err;
	*taken += n;
	if (r->body.len < r->need)
		return 0;
	*body = buf_bytes(&r->body);
	r->pending = false;
	return 1;
}

int frame_read(struct frame_reader *r, struct bytes in, size_t *taken,
	struct bytes *body)
{
	struct cursor c = cur_of(in);
	uint64_t len;

	*taken = 0;
	if (r->pending)
		return read_piece(r, in, taken, body);
	frame_reader_clear(r);
	len = cur_uvarint(&c, 9);
	/* Nothing is taken of a length that is not whole, so that it is read
	 * from its beginning next time. */
	if (cur_err(&c) == P2P_ERR_TRUNCATED && in.len < 9)
		return 0;
	if (!cur_ok(&c))
		return P2P_ERR_MALFORMED;
	if (len > r->max)
		return P2P_ERR_TOO_BIG;
	*taken = in.len - cur_left(&c);
	if (len <= cur_left(&c)) {
		*body = cur_take(&c, (size_t)len);
		*taken += (size_t)len;
		return 1;
	}
	r->need = (size_t)len;
	r->pending = true;
	return read_piece(r, cur_rest(&c), taken, body);
}

size_t frame_header(size_t body_len, uint8_t out[static 10])
{
	size_t n = 0;

	while (body_len >= 0x80) {
		out[n++] = (uint8_t)(body_len | 0x80);
		body_len >>= 7;
	}
	out[n++] = (uint8_t)body_len;
	return n;
}

#include "net/swarm/frame.h"

#include "base/cursor.h"
#include "net/swarm/swarm_limits.h"

void frame_reader_init(
	struct frame_reader *r, size_t max, struct budget *budget)
{
	*r = (struct frame_reader){.budget = budget, .max = max};
	buf_init(&r->body, max);
}

static void drop_body(struct frame_reader *r)
{
	buf_clear(&r->body);
	if (r->budget != NULL && r->charged > 0)
		budget_release(r->budget, r->charged);
	r->charged = 0;
	r->pending = false;
}

void frame_reader_clear(struct frame_reader *r)
{
	drop_body(r);
}

static int charge_for(struct frame_reader *r, size_t len)
{
	int err;

	if (r->budget == NULL)
		return 0;
	while (r->charged < len) {
		err = budget_charge(r->budget, SWARM_FRAME_CHARGE_BYTES);
		if (err != 0)
			return err;
		r->charged += SWARM_FRAME_CHARGE_BYTES;
	}
	return 0;
}

/* Adds to the body what is there of it. */
static int read_piece(struct frame_reader *r, struct bytes in, size_t *taken,
	struct bytes *body)
{
	size_t n = P2P_MIN(in.len, r->need - r->body.len);
	int err = charge_for(r, r->body.len + n);

	if (err != 0)
		return err;
	err = buf_append(&r->body, bytes_first(in, n));
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
	drop_body(r);
	len = cur_uvarint(&c, 9);
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

/*
 * multistream: the first byte chooses the role, then pieces of one length
 * byte and that many bytes. A side never takes more than it was given, never
 * chooses what it does not have, and is final after an error.
 */
#include "base/cursor.h"
#include "net/upgrade/multistream.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define QUEUE_BYTES 4096

static const char *const names[] = {"/yamux/1.0.0", "/mplex/6.7.0", NULL};

static void feed_pieces(struct multistream *ms, struct cursor *c,
	struct bufq *in, struct bufq *out)
{
	int err = 0;

	while (cur_left(c) > 0 && err == 0) {
		struct bytes piece = cur_take(c, cur_u8(c));
		size_t taken;

		if (!cur_ok(c) || bufq_push(in, piece) != 0)
			break;
		err = multistream_feed(ms, bufq_peek(in), &taken, out);
		P2P_ASSERT(taken <= in->len);
		bufq_consume(in, taken);
		if (multistream_done(ms)) {
			P2P_ASSERT(multistream_chosen(ms) < 2);
			break;
		}
		if (err == P2P_ERR_FULL) {
			bufq_consume(out, out->len);
			err = 0;
		} else if (err != 0) {
			P2P_ASSERT(multistream_feed(ms, bufq_peek(in), &taken,
					   out) == P2P_ERR_STATE);
		} else {
			/* What is left is less than a frame. */
			P2P_ASSERT(in->len <= MULTISTREAM_FRAME_BYTES_MAX + 1);
		}
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct cursor c = cur_of(bytes_of(data, size));
	uint8_t flags = cur_u8(&c);
	struct multistream ms;
	struct bufq in, out;

	bufq_init(&in, QUEUE_BYTES);
	/* The small one is full often. */
	bufq_init(&out, flags & 2 ? 40 : QUEUE_BYTES);
	if (multistream_init(&ms, names, flags & 1, &out) == 0)
		feed_pieces(&ms, &c, &in, &out);
	bufq_clear(&in);
	bufq_clear(&out);
	return 0;
}

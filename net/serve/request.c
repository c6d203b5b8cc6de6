/*
 * Frames of a question and its answers. The reader keeps only what came of a
 * frame that is not whole yet; whole ones are views into what arrived.
 */
#include "net/serve/request.h"

int request_open(struct serve *sv, const struct env *env,
	const struct serve_to *to, struct bytes frame, struct sstream **st)
{
	int err = serve_open(sv, env, to, st);

	if (err != 0)
		return err;
	err = serve_write_frame(sv, env, *st, frame);
	if (err != 0) {
		serve_reset(sv, *st);
		return err;
	}
	serve_close(sv, env, *st);
	return 0;
}

int request_read(struct request *r, struct sstream *st, size_t frame_max,
	struct serve_in *in, struct bytes *frame)
{
	struct bytes left = bytes_skip(in->bytes, in->used);
	size_t taken = 0, kept, most = P2P_MIN(left.len, frame_max);
	int got;

	if (!r->begun)
		frame_reader_init(&r->frames, frame_max);
	r->begun = true;
	kept = r->frames.body.len;
	/* Before it is kept; what of it turns out not to be is given back. */
	if (serve_keep(st, r->besides + kept + most) != 0)
		return P2P_ERR_LIMIT;
	got = frame_read(&r->frames, left, &taken, frame);
	in->used += taken;
	if (serve_keep(st, r->besides + r->frames.body.len) != 0)
		return P2P_ERR_LIMIT;
	if (got == 0 && in->end &&
		(r->frames.pending || in->used < in->bytes.len))
		return P2P_ERR_TRUNCATED;
	return got;
}

void request_clear(struct request *r)
{
	if (r->begun)
		frame_reader_clear(&r->frames);
	r->begun = false;
}

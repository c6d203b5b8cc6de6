/*
 * Length-prefixed messages. The first byte is the cut: the same bytes read in
 * pieces and at once give the same bodies and the same verdict; no more is kept
 * than has come.
 */
#include "base/compiler.h"
#include "net/serve/frame.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define MAX 4096

static int read_all(struct bytes in, size_t step, struct buf *out)
{
	struct frame_reader r;
	size_t have = 0, at = 0;
	int got = 0;

	frame_reader_init(&r, MAX);
	while (got >= 0) {
		struct bytes body;
		size_t taken;

		got = frame_read(
			&r, bytes_of(in.data + at, have - at), &taken, &body);
		P2P_ASSERT(got < 0 || taken <= have - at);
		P2P_ASSERT(r.body.len <= have);
		if (got >= 0)
			at += taken;
		if (got > 0) {
			P2P_ASSERT(body.len <= MAX);
			(void)buf_append(out, body);
			(void)buf_append_u8(out, '|');
		} else if (got == 0 && have == in.len) {
			break;
		} else if (got == 0) {
			have = P2P_MIN(in.len, have + step);
		}
	}
	frame_reader_clear(&r);
	return got;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct buf whole, cut;
	int a, b;

	if (size == 0)
		return 0;
	buf_init(&whole, 4 * size + 1);
	buf_init(&cut, 4 * size + 1);
	a = read_all(bytes_of(data + 1, size - 1), size, &whole);
	b = read_all(bytes_of(data + 1, size - 1), (size_t)data[0] + 1, &cut);
	P2P_ASSERT(a == b && bytes_equal(buf_bytes(&whole), buf_bytes(&cut)));
	buf_clear(&whole);
	buf_clear(&cut);
	return 0;
}

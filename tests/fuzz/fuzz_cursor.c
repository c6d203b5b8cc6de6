/*
 * The cursor: the first byte of each step chooses a read. It never reads past
 * its end, stays failed once failed, and a varint that was read is the
 * shortest encoding of its value.
 */
#include "base/cursor.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static size_t varint_len(uint64_t v)
{
	size_t n = 1;

	while ((v >>= 7) != 0)
		n++;
	return n;
}

static void read_varint(struct cursor *c)
{
	size_t before = cur_left(c);
	uint64_t v = cur_uvarint(c, 10);

	if (cur_ok(c))
		P2P_ASSERT(before - cur_left(c) == varint_len(v));
	else
		P2P_ASSERT(v == 0);
}

static void step(struct cursor *c)
{
	struct bytes view;
	uint8_t op = cur_u8(c);

	switch (op % 8) {
	case 0:
		(void)cur_be16(c);
		break;
	case 1:
		(void)cur_be32(c);
		break;
	case 2:
		(void)cur_le64(c);
		break;
	case 3:
		read_varint(c);
		break;
	case 4:
		view = cur_take(c, op / 8);
		P2P_ASSERT(cur_ok(c) ? view.len == op / 8 : view.len == 0);
		break;
	case 5:
		cur_skip(c, op / 8);
		break;
	case 6:
		(void)cur_take(c, SIZE_MAX - op);
		break;
	default:
		(void)cur_le32(c);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct cursor c = cur_of(bytes_of(data, size));
	int err;

	while (cur_ok(&c) && cur_left(&c) > 0)
		step(&c);
	err = cur_err(&c);
	step(&c);
	P2P_ASSERT(cur_left(&c) == 0 && (err == 0 || cur_err(&c) == err));
	return 0;
}

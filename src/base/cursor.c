/*
 * Reading what others wrote. A failure puts the cursor at the end, so that
 * every later read fails by itself and no caller can go on with half a value.
 * Varints must be in their shortest form: else one value would have many
 * spellings, and what is signed or hashed could be written anew by those on its
 * way.
 */
#include "base/cursor.h"

void cur_fail(struct cursor *c, int err)
{
	if (c->err == 0)
		c->err = err;
	c->at = c->end;
}

struct bytes cur_take(struct cursor *c, size_t n)
{
	struct bytes out;

	if (c->err != 0 || n > cur_left(c)) {
		cur_fail(c, P2P_ERR_TRUNCATED);
		return bytes_of(NULL, 0);
	}
	out = bytes_of(c->at, n);
	if (n > 0)
		c->at += n;
	return out;
}

struct bytes cur_rest(struct cursor *c)
{
	return cur_take(c, cur_left(c));
}

void cur_skip(struct cursor *c, size_t n)
{
	(void)cur_take(c, n);
}

uint8_t cur_u8(struct cursor *c)
{
	struct bytes b = cur_take(c, 1);

	return b.len == 1 ? b.data[0] : 0;
}

uint16_t cur_be16(struct cursor *c)
{
	struct bytes b = cur_take(c, 2);

	return b.len == 2 ? get_be16(b.data) : 0;
}

uint32_t cur_be32(struct cursor *c)
{
	struct bytes b = cur_take(c, 4);

	return b.len == 4 ? get_be32(b.data) : 0;
}

uint64_t cur_be64(struct cursor *c)
{
	struct bytes b = cur_take(c, 8);

	return b.len == 8 ? get_be64(b.data) : 0;
}

uint32_t cur_le32(struct cursor *c)
{
	return __builtin_bswap32(cur_be32(c));
}

uint64_t cur_le64(struct cursor *c)
{
	return __builtin_bswap64(cur_be64(c));
}

uint64_t cur_uvarint(struct cursor *c, unsigned max_bytes)
{
	uint64_t v = 0;

	for (unsigned i = 0; i < max_bytes; i++) {
		uint8_t b = cur_u8(c);

		if (c->err != 0)
			return 0;
		if (i == 9 && b > 1)
			break; /* the 64th bit is the last there is */
		v |= (uint64_t)(b & 0x7f) << (7 * i);
		if ((b & 0x80) != 0)
			continue;
		if (b == 0 && i > 0)
			break; /* not minimal */
		return v;
	}
	cur_fail(c, P2P_ERR_MALFORMED);
	return 0;
}

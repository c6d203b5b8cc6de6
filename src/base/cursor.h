/*
 * The one way to read bytes that others wrote. A cursor walks a view and is
 * sticky: after the first failure every read gives zero or an empty view and
 * the error stays, so a parser reads fields in a row and asks cur_err() once.
 */
#ifndef BASE_CURSOR_H
#define BASE_CURSOR_H

#include "base/bytes.h"
#include "base/error.h"

struct cursor {
	const uint8_t *at;
	const uint8_t *end;
	int err; /* 0 or the first failure */
};

static inline struct cursor cur_of(struct bytes in)
{
	/* No arithmetic on the NULL of an empty view. */
	return (struct cursor){
		.at = in.data, .end = in.len == 0 ? in.data : in.data + in.len};
}

static inline int cur_err(const struct cursor *c)
{
	return c->err;
}

static inline bool cur_ok(const struct cursor *c)
{
	return c->err == 0;
}

static inline size_t cur_left(const struct cursor *c)
{
	return (size_t)(c->end - c->at);
}

/* True when all was read without failure. */
static inline bool cur_done(const struct cursor *c)
{
	return c->err == 0 && c->at == c->end;
}

/* Marks the cursor failed (the first failure wins) and empties it. */
void cur_fail(struct cursor *c, int err);

/* Integers of fixed width: big (be) or little endian (le). */
uint8_t cur_u8(struct cursor *c);
uint16_t cur_be16(struct cursor *c);
uint32_t cur_be32(struct cursor *c);
uint64_t cur_be64(struct cursor *c);
uint32_t cur_le32(struct cursor *c);
uint64_t cur_le64(struct cursor *c);
/* A view of the next n bytes; P2P_ERR_TRUNCATED when there are fewer. */
struct bytes cur_take(struct cursor *c, size_t n);
/* Everything that is left. */
struct bytes cur_rest(struct cursor *c);
void cur_skip(struct cursor *c, size_t n);

/*
 * Unsigned LEB128 of at most max_bytes (9 for multiformats, 10 for protobuf
 * values). P2P_ERR_TRUNCATED when more bytes are needed, P2P_ERR_MALFORMED
 * when it is longer than that, does not fit 64 bits, or is not minimal.
 */
uint64_t cur_uvarint(struct cursor *c, unsigned max_bytes);

#endif

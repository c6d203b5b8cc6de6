/*
 * A borrowed view of bytes, and fixed-width integers in memory. Whoever made
 * the view says how long it stays valid; the view never frees anything.
 */
#ifndef BASE_BYTES_H
#define BASE_BYTES_H

#include <string.h>

#include "base/compiler.h"

struct bytes {
	const uint8_t *data; /* may be NULL when len is 0 */
	size_t len;
};

static inline struct bytes bytes_of(const void *data, size_t len)
{
	return (struct bytes){.data = data, .len = len};
}

/* The text without its closing NUL; NULL gives an empty view. */
static inline struct bytes bytes_str(const char *text)
{
	return bytes_of(text, text == NULL ? 0 : strlen(text));
}

static inline bool bytes_equal(struct bytes a, struct bytes b)
{
	return a.len == b.len &&
	       (a.len == 0 || memcmp(a.data, b.data, a.len) == 0);
}

/* Order of memcmp, a prefix before what continues it. */
static inline int bytes_compare(struct bytes a, struct bytes b)
{
	size_t n = P2P_MIN(a.len, b.len);
	int c = n == 0 ? 0 : memcmp(a.data, b.data, n);

	if (c != 0)
		return c;
	return (a.len > b.len) - (a.len < b.len);
}

/* What is behind the first n bytes; n is clamped to the length. */
static inline struct bytes bytes_skip(struct bytes b, size_t n)
{
	n = P2P_MIN(n, b.len);
	return bytes_of(n == 0 ? b.data : b.data + n, b.len - n);
}

/* The first n bytes; n is clamped to the length. */
static inline struct bytes bytes_first(struct bytes b, size_t n)
{
	return bytes_of(b.data, P2P_MIN(n, b.len));
}

/* Blanks as JSON and command lines know them. */
static inline bool bytes_is_blank(uint8_t c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* Without the blanks at both ends. */
static inline struct bytes bytes_trim(struct bytes b)
{
	while (b.len > 0 && bytes_is_blank(b.data[0]))
		b = bytes_skip(b, 1);
	while (b.len > 0 && bytes_is_blank(b.data[b.len - 1]))
		b.len--;
	return b;
}

static inline void put_be16(uint8_t out[static 2], uint16_t v)
{
	out[0] = (uint8_t)(v >> 8);
	out[1] = (uint8_t)v;
}

static inline void put_be32(uint8_t out[static 4], uint32_t v)
{
	put_be16(out, (uint16_t)(v >> 16));
	put_be16(out + 2, (uint16_t)v);
}

static inline void put_be64(uint8_t out[static 8], uint64_t v)
{
	put_be32(out, (uint32_t)(v >> 32));
	put_be32(out + 4, (uint32_t)v);
}

static inline void put_le64(uint8_t out[static 8], uint64_t v)
{
	for (int i = 0; i < 8; i++)
		out[i] = (uint8_t)(v >> (8 * i));
}

static inline uint16_t get_be16(const uint8_t in[static 2])
{
	return (uint16_t)(in[0] << 8 | in[1]);
}

static inline uint32_t get_be32(const uint8_t in[static 4])
{
	return (uint32_t)get_be16(in) << 16 | get_be16(in + 2);
}

static inline uint64_t get_be64(const uint8_t in[static 8])
{
	return (uint64_t)get_be32(in) << 32 | get_be32(in + 4);
}

#endif

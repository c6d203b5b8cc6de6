/* UTF-8 (RFC 3629): decoding, encoding, checking. */
#include "base/text.h"

#define REPLACEMENT 0xFFFDu

/* Eight bytes at once: any with the top bit set is not ASCII. */
static bool ascii8(const uint8_t *p)
{
	uint64_t word;

	memcpy(&word, p, sizeof(word));
	return (word & 0x8080808080808080ULL) == 0;
}

/* The length that the first byte announces, 0 when it cannot be one. C0, C1
 * and F5 upwards would only start overlong or too large values. */
static size_t announced_len(uint8_t first)
{
	if (first < 0x80)
		return 1;
	if (first >= 0xC2 && first <= 0xDF)
		return 2;
	if (first >= 0xE0 && first <= 0xEF)
		return 3;
	if (first >= 0xF0 && first <= 0xF4)
		return 4;
	return 0;
}

/* The least value that needs so many bytes; anything below is overlong. */
static bool value_fits_len(uint32_t cp, size_t len)
{
	static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};

	return cp >= least[len] && cp <= 0x10FFFF &&
	       (cp < 0xD800 || cp > 0xDFFF);
}

/* The length of a valid code point at the start of `in`, or 0. */
static size_t decode_valid(struct bytes in, uint32_t *cp)
{
	static const uint8_t first_bits[] = {0, 0x7F, 0x1F, 0x0F, 0x07};
	size_t len = announced_len(in.data[0]);
	uint32_t v;

	if (len == 0 || len > in.len)
		return 0;
	v = in.data[0] & first_bits[len];
	for (size_t i = 1; i < len; i++) {
		if ((in.data[i] & 0xC0) != 0x80)
			return 0;
		v = v << 6 | (in.data[i] & 0x3F);
	}
	if (!value_fits_len(v, len))
		return 0;
	*cp = v;
	return len;
}

bool utf8_valid(struct bytes in)
{
	uint32_t cp;

	while (in.len > 0) {
		size_t n;

		if (in.len >= 8 && ascii8(in.data)) {
			in = bytes_skip(in, 8);
			continue;
		}
		n = decode_valid(in, &cp);
		if (n == 0)
			return false;
		in = bytes_skip(in, n);
	}
	return true;
}

uint32_t utf8_decode(struct bytes in, size_t *len)
{
	uint32_t cp;
	size_t n;

	P2P_ASSERT(in.len > 0);
	n = decode_valid(in, &cp);
	*len = n == 0 ? 1 : n;
	return n == 0 ? REPLACEMENT : cp;
}

void utf8_encode(struct buf *out, uint32_t cp)
{
	uint8_t raw[4];
	size_t n;

	if (cp > 0x10FFFF || (cp >= 0xD800 && cp <= 0xDFFF))
		cp = REPLACEMENT;
	if (cp < 0x80) {
		raw[0] = (uint8_t)cp;
		n = 1;
	} else if (cp < 0x800) {
		raw[0] = (uint8_t)(0xC0 | cp >> 6);
		n = 2;
	} else if (cp < 0x10000) {
		raw[0] = (uint8_t)(0xE0 | cp >> 12);
		n = 3;
	} else {
		raw[0] = (uint8_t)(0xF0 | cp >> 18);
		n = 4;
	}
	for (size_t i = 1; i < n; i++)
		raw[i] = (uint8_t)(0x80 | (cp >> (6 * (n - 1 - i)) & 0x3F));
	(void)buf_append(out, bytes_of(raw, n));
}

/* Whether one of the eight bytes is below n (at most 128); a byte that is not
 * may be taken for one, but only behind one that is. */
static bool any_below(uint64_t word, uint64_t n)
{
	return ((word - n * 0x0101010101010101ULL) & ~word &
		       0x8080808080808080ULL) != 0;
}

static bool any_is(uint64_t word, uint64_t byte)
{
	return any_below(word ^ (byte * 0x0101010101010101ULL), 1);
}

size_t text_json_run(struct bytes in)
{
	size_t n = 0;
	uint64_t word;

	for (; n + sizeof(word) <= in.len; n += sizeof(word)) {
		memcpy(&word, in.data + n, sizeof(word));
		if (any_below(word, 0x20) || any_is(word, '"') ||
			any_is(word, '\\'))
			break;
	}
	while (n < in.len && in.data[n] >= 0x20 && in.data[n] != '"' &&
		in.data[n] != '\\')
		n++;
	return n;
}

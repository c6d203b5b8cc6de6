/*
 * Multibase. Radices that are powers of two go digit by digit; the others are
 * long division, whose cost grows with the square of the length, so those are
 * short by limit and take several bytes in a step. Bits that stand for nothing
 * must be zero: one text for each value.
 */
#include "net/wire/multibase.h"

static const char digits_16[] = "0123456789abcdef";
static const char digits_32[] = "abcdefghijklmnopqrstuvwxyz234567";
static const char digits_36[] = "0123456789abcdefghijklmnopqrstuvwxyz";
static const char digits_58[] =
	"123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";
static const char digits_64url[] =
	"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

struct alphabet {
	const char *digits;
	unsigned radix;
	unsigned bits; /* of one digit; 0 when the radix is no power of two */
};

static bool find_alphabet(enum multibase base, struct alphabet *a)
{
	switch (base) {
	case MULTIBASE_16:
		*a = (struct alphabet){digits_16, 16, 4};
		return true;
	case MULTIBASE_32:
		*a = (struct alphabet){digits_32, 32, 5};
		return true;
	case MULTIBASE_36:
		*a = (struct alphabet){digits_36, 36, 0};
		return true;
	case MULTIBASE_58BTC:
		*a = (struct alphabet){digits_58, 58, 0};
		return true;
	case MULTIBASE_64URL:
		*a = (struct alphabet){digits_64url, 64, 6};
		return true;
	default:
		return false;
	}
}

/* The digit's value, or radix when the character is none. */
static unsigned digit_value(const struct alphabet *a, uint8_t c)
{
	const char *at = memchr(a->digits, c, a->radix);

	return at == NULL ? a->radix : (unsigned)(at - a->digits);
}

/* ---- powers of two ------------------------------------------------------ */

static int encode_bits(
	const struct alphabet *a, struct bytes in, struct buf *out)
{
	unsigned held = 0, acc = 0;

	for (size_t i = 0; i < in.len; i++) {
		acc = (acc << 8 | in.data[i]) & 0xffff;
		held += 8;
		for (; held >= a->bits; held -= a->bits)
			buf_append_u8(out,
				(uint8_t)a->digits[acc >> (held - a->bits) &
						   (a->radix - 1)]);
	}
	if (held > 0)
		buf_append_u8(out, (uint8_t)a->digits[acc << (a->bits - held) &
						      (a->radix - 1)]);
	return out->failed ? P2P_ERR_TOO_BIG : 0;
}

static int decode_bits(
	const struct alphabet *a, struct bytes text, struct buf *out)
{
	unsigned held = 0, acc = 0;

	for (size_t i = 0; i < text.len; i++) {
		unsigned v = digit_value(a, text.data[i]);

		if (v == a->radix)
			return P2P_ERR_MALFORMED;
		acc = (acc << a->bits | v) & 0xffff;
		held += a->bits;
		if (held < 8)
			continue;
		held -= 8;
		buf_append_u8(out, (uint8_t)(acc >> held));
	}
	/* A whole digit too many, or bits that stand for nothing. */
	if (held >= a->bits || (acc & ((1u << held) - 1)) != 0)
		return P2P_ERR_MALFORMED;
	return out->failed ? P2P_ERR_TOO_BIG : 0;
}

/* ---- other radices: a number in base 256 becomes one in base 58 ---------- */

/*
 * Multiplies the big-endian number by `from` and adds `carry`, in radix `to`.
 * Its digits fill number[*start..size); *start moves down as it grows.
 */
static void number_push(uint8_t *number, size_t *start, size_t size,
	const unsigned radix[2], unsigned carry)
{
	size_t i = size;

	for (; i > *start || carry > 0; i--) {
		P2P_ASSERT(i > 0);
		carry += radix[0] * (i > *start ? number[i - 1] : 0u);
		number[i - 1] = (uint8_t)(carry % radix[1]);
		carry /= radix[1];
	}
	*start = P2P_MIN(i, *start);
}

static size_t count_leading(struct bytes in, uint8_t what)
{
	size_t n = 0;

	while (n < in.len && in.data[n] == what)
		n++;
	return n;
}

static int encode_radix(
	const struct alphabet *a, struct bytes in, struct buf *out)
{
	/* log(256) / log(36) < 1.6 digits come of a byte. */
	uint8_t number[MULTIBASE_RADIX_BYTES_MAX * 8 / 5];
	size_t start = sizeof(number);
	size_t zeros = count_leading(in, 0);

	if (in.len > MULTIBASE_RADIX_BYTES_MAX)
		return P2P_ERR_TOO_BIG;
	/* Three bytes at a time, so that a digit times 2^24 fits. */
	for (size_t i = zeros; i < in.len;) {
		unsigned radix[2] = {1, a->radix};
		unsigned carry = 0;

		do {
			radix[0] <<= 8;
			carry = carry << 8 | in.data[i++];
		} while (i < in.len && radix[0] < 1u << 24);
		number_push(number, &start, sizeof(number), radix, carry);
	}
	for (size_t i = 0; i < zeros; i++)
		buf_append_u8(out, (uint8_t)a->digits[0]);
	for (size_t i = start; i < sizeof(number); i++)
		buf_append_u8(out, (uint8_t)a->digits[number[i]]);
	return out->failed ? P2P_ERR_TOO_BIG : 0;
}

static int decode_radix(
	const struct alphabet *a, struct bytes text, struct buf *out)
{
	/* A digit is less than a byte. */
	uint8_t number[MULTIBASE_RADIX_CHARS_MAX];
	size_t start = sizeof(number);
	size_t zeros = count_leading(text, (uint8_t)a->digits[0]);

	if (text.len > MULTIBASE_RADIX_CHARS_MAX)
		return P2P_ERR_TOO_BIG;
	/* Several digits at a time, so that a byte times their radix fits. */
	for (size_t i = zeros; i < text.len;) {
		unsigned radix[2] = {1, 256};
		unsigned carry = 0;

		do {
			unsigned v = digit_value(a, text.data[i++]);

			if (v == a->radix)
				return P2P_ERR_MALFORMED;
			radix[0] *= a->radix;
			carry = carry * a->radix + v;
		} while (i < text.len && radix[0] < 1u << 18);
		number_push(number, &start, sizeof(number), radix, carry);
	}
	for (size_t i = 0; i < zeros; i++)
		buf_append_u8(out, 0);
	return buf_append(
		out, bytes_of(number + start, sizeof(number) - start));
}

/* ---- the door ------------------------------------------------------------ */

int multibase_encode(enum multibase base, struct bytes in, struct buf *out)
{
	struct alphabet a;

	if (!find_alphabet(base, &a))
		return P2P_ERR_UNSUPPORTED;
	return a.bits > 0 ? encode_bits(&a, in, out)
			  : encode_radix(&a, in, out);
}

int multibase_decode(enum multibase base, struct bytes text, struct buf *out)
{
	struct alphabet a;
	size_t before = out->len;
	int err;

	if (!find_alphabet(base, &a))
		return P2P_ERR_UNSUPPORTED;
	err = a.bits > 0 ? decode_bits(&a, text, out)
			 : decode_radix(&a, text, out);
	if (err != 0)
		buf_truncate(out, before);
	return err;
}

int multibase_decode_any(struct bytes text, struct buf *out)
{
	if (text.len == 0)
		return P2P_ERR_MALFORMED;
	return multibase_decode(
		(enum multibase)text.data[0], bytes_skip(text, 1), out);
}

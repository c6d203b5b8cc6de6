/*
 * Bytes as text: base58btc, base36, base32, base64url, base16 (multiformats
 * "multibase"; RFC 4648 for the powers of two, without padding). One spelling
 * for each value: padding bits must be zero, letters of one case.
 */
#ifndef NET_WIRE_MULTIBASE_H
#define NET_WIRE_MULTIBASE_H

#include "base/buf.h"
#include "net/wire/wire_limits.h"

/* The value is the prefix letter. */
enum multibase {
	MULTIBASE_16 = 'f',
	MULTIBASE_32 = 'b',
	MULTIBASE_36 = 'k',
	MULTIBASE_58BTC = 'z',
	MULTIBASE_64URL = 'u',
};

/*
 * Appends the text without a prefix. P2P_ERR_TOO_BIG when base36 or base58 is
 * asked for more than MULTIBASE_RADIX_BYTES_MAX bytes, or out is too small.
 */
int multibase_encode(enum multibase base, struct bytes in, struct buf *out);
/*
 * Appends the bytes of a text without a prefix. P2P_ERR_MALFORMED, or
 * P2P_ERR_TOO_BIG (more than MULTIBASE_RADIX_CHARS_MAX digits of base36 or
 * base58, or out is too small); out is as before then, but for out->failed.
 */
int multibase_decode(
	enum multibase base, struct bytes text, struct buf *out) P2P_MUST_CHECK;
/* The same for a text that starts with its prefix; P2P_ERR_UNSUPPORTED for a
 * base that is not in the list. */
int multibase_decode_any(struct bytes text, struct buf *out) P2P_MUST_CHECK;

#endif

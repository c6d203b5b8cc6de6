/*
 * The modulus is a prime, 2^11213 - 1: a known one, and whoever knows the
 * factors (it is the only one) can sign. Such a key protects nothing, but its
 * signatures are as good as any.
 */
#include "tests/program/impostor_rsa.h"

#include <string.h>

#include "net/identity/crypto.h"
#include "net/wire/pb.h"

#define BITS 11213
#define BYTES ((BITS + 7) / 8)
#define EXPONENT 65537

#ifdef HAVE_NETTLE

#include <gmp.h>

static void put(struct buf *b, const char *raw, size_t len)
{
	(void)buf_append(b, bytes_of(raw, len));
}

static void put_head(struct buf *b, uint8_t tag, size_t len)
{
	const uint8_t raw[] = {
		tag, 0x82, (uint8_t)(len >> 8), (uint8_t)(len & 0xff)};

	(void)buf_append(b, bytes_of(raw, sizeof(raw)));
}

/* What is signed, as a number of the modulus' length (RFC 8017, 9.2). */
static void put_padded(struct bytes what, uint8_t out[static BYTES])
{
	static const char sha256[] = "\x30\x31\x30\x0d\x06\x09\x60\x86\x48\x01"
				     "\x65\x03\x04\x02\x01\x05\x00\x04\x20";
	const size_t head = sizeof(sha256) - 1;

	memset(out, 0xff, BYTES);
	out[0] = 0;
	out[1] = 1;
	out[BYTES - CRYPTO_HASH_BYTES - head - 1] = 0;
	memcpy(out + BYTES - CRYPTO_HASH_BYTES - head, sha256, head);
	crypto_sha256(out + BYTES - CRYPTO_HASH_BYTES, what);
}

static void sign(const mpz_t n, struct bytes what, uint8_t out[static BYTES])
{
	mpz_t d, order, m;
	size_t len = 0;

	put_padded(what, out);
	mpz_init_set_ui(d, EXPONENT);
	mpz_init(order);
	mpz_init(m);
	mpz_sub_ui(order, n, 1);
	P2P_ASSERT(mpz_invert(d, d, order) != 0);
	mpz_import(m, BYTES, 1, 1, 1, 0, out);
	mpz_powm(m, m, d, n);
	memset(out, 0, BYTES);
	len = (mpz_sizeinbase(m, 2) + 7) / 8;
	(void)mpz_export(out + BYTES - len, NULL, 1, 1, 1, 0, m);
	mpz_clears(d, order, m, NULL);
}

bool impostor_rsa(struct bytes what, struct buf *key, struct buf *sig)
{
	uint8_t raw[BYTES];
	struct buf der;
	mpz_t n;

	mpz_init_set_ui(n, 1);
	mpz_mul_2exp(n, n, BITS);
	mpz_sub_ui(n, n, 1);
	sign(n, what, raw);
	(void)buf_append(sig, bytes_of(raw, sizeof(raw)));
	(void)mpz_export(raw, NULL, 1, 1, 1, 0, n);
	mpz_clear(n);
	buf_init(&der, 2 * BYTES);
	put_head(&der, 0x30, 15 + 4 + 1 + 4 + 4 + BYTES + 5);
	put(&der,
		"\x30\x0d\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x01\x05\x00",
		15);
	put_head(&der, 0x03, 1 + 4 + 4 + BYTES + 5);
	put(&der, "\x00", 1);
	put_head(&der, 0x30, 4 + BYTES + 5);
	put_head(&der, 0x02, BYTES);
	(void)buf_append(&der, bytes_of(raw, sizeof(raw)));
	put(&der, "\x02\x03\x01\x00\x01", 5);
	pb_put_uint(key, 1, 0);
	pb_put_bytes(key, 2, buf_bytes(&der));
	buf_clear(&der);
	return !key->failed && !sig->failed;
}

#else

bool impostor_rsa(struct bytes what, struct buf *key, struct buf *sig)
{
	(void)what;
	(void)key;
	(void)sig;
	return false;
}

#endif

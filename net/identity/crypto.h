/*
 * The only door to the cryptographic library. Everything here is a plain
 * function of its arguments; randomness comes in as seeds drawn from
 * env->rng, so that a run can be repeated. crypto_init() is called once by
 * the program (and by test mains) before anything else.
 */
#ifndef NET_IDENTITY_CRYPTO_H
#define NET_IDENTITY_CRYPTO_H

#include "base/bytes.h"
#include "base/error.h"

#define CRYPTO_KEY_BYTES 32    /* X25519, ChaCha20-Poly1305, Ed25519 public */
#define CRYPTO_SIG_BYTES 64    /* Ed25519 */
#define CRYPTO_SECRET_BYTES 64 /* Ed25519 seed then public key */
#define CRYPTO_TAG_BYTES 16    /* Poly1305 */
#define CRYPTO_HASH_BYTES 32   /* SHA-256, BLAKE2b-256 */

/* 0, or P2P_ERR_UNSUPPORTED when the library cannot start. */
int crypto_init(void) P2P_MUST_CHECK;

/* The library's version, for --version. Static text. */
const char *crypto_library_version(void);
/* Overwrites a secret; not optimised away. */
void crypto_wipe(void *secret, size_t len);
/* Compares len bytes without a branch on their content. */
bool crypto_equal(const void *a, const void *b, size_t len);

/* ---- hashes ------------------------------------------------------------ */

/* SHA-256 (FIPS 180-4). */
void crypto_sha256(uint8_t out[static 32], struct bytes in);
/* SHA-256 of the views one after the other. */
void crypto_sha256_parts(
	uint8_t out[static 32], const struct bytes *parts, size_t part_count);
void crypto_hmac_sha256(
	uint8_t out[static 32], const uint8_t key[static 32], struct bytes in);
/* HMAC with a key of any length (RFC 2104). */
void crypto_hmac_sha256_key(
	uint8_t out[static 32], struct bytes key, struct bytes in);
/* BLAKE2b-256 of the views one after the other. */
void crypto_blake2b(
	uint8_t out[static 32], const struct bytes *parts, size_t part_count);
/*
 * Noise's HKDF (Noise spec section 4.3): count is 2 or 3 outputs of 32 bytes.
 * ikm may be empty. The third row is left alone when count is 2.
 */
void crypto_noise_hkdf(const uint8_t chaining_key[static 32], struct bytes ikm,
	uint8_t out[static 3][32], unsigned count);

/* ---- Ed25519 ----------------------------------------------------------- */

/* secret = seed || public, from 32 bytes of randomness. */
void crypto_ed25519_keypair(
	uint8_t secret[static 64], const uint8_t seed[static 32]);
void crypto_ed25519_sign(uint8_t sig[static 64],
	const uint8_t secret[static 64], struct bytes message);
/*
 * Strict verification (docs/internals/net-identity.md): S < L, A and R
 * canonical and not of small order, checked by ourselves before the library's
 * cofactorless verification, so the verdict is a function of the bytes and not
 * of the library's version. 0 or P2P_ERR_AUTH.
 */
int crypto_ed25519_verify(const uint8_t sig[static 64],
	const uint8_t public_key[static 32],
	struct bytes message) P2P_MUST_CHECK;

/* ---- X25519 and ChaCha20-Poly1305 -------------------------------------- */

/* The public key of any 32 bytes (RFC 7748). */
void crypto_dh_public(uint8_t out[static 32], const uint8_t secret[static 32]);
/* P2P_ERR_AUTH when the result is all zero (a point of small order). */
int crypto_dh(uint8_t out[static 32], const uint8_t secret[static 32],
	const uint8_t public_key[static 32]) P2P_MUST_CHECK;

/*
 * IETF ChaCha20-Poly1305; nonce as in Noise: 4 zero bytes, then n as 64-bit
 * little-endian. `out` has room for in.len + 16 bytes and may be in.data.
 */
void crypto_seal(uint8_t *out, const uint8_t key[static 32], uint64_t n,
	struct bytes ad, struct bytes in);
/* out has room for in.len - 16 and may be in.data; P2P_ERR_AUTH when the tag
 * is wrong or in.len < 16 (out is then undefined). */
int crypto_open(uint8_t *out, const uint8_t key[static 32], uint64_t n,
	struct bytes ad, struct bytes in) P2P_MUST_CHECK;

#endif

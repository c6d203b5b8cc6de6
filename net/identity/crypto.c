/*
 * The only file that calls libsodium. Before a signature goes to the library it
 * must pass rules of our own: canonical forms, no points of small order.
 * Libraries differ there, and all who check a line must come to the same
 * verdict. Comparisons of secrets do not branch on them.
 */
#include "net/identity/crypto.h"

#include <sodium.h>

_Static_assert(crypto_sign_SECRETKEYBYTES == CRYPTO_SECRET_BYTES, "size");
_Static_assert(crypto_sign_BYTES == CRYPTO_SIG_BYTES, "size");
_Static_assert(
	crypto_aead_chacha20poly1305_ietf_ABYTES == CRYPTO_TAG_BYTES, "size");

#define NONCE_BYTES 12

int crypto_init(void)
{
	return sodium_init() < 0 ? P2P_ERR_UNSUPPORTED : 0;
}

void crypto_wipe(void *secret, size_t len)
{
	sodium_memzero(secret, len);
}

bool crypto_equal(const void *a, const void *b, size_t len)
{
	return sodium_memcmp(a, b, len) == 0;
}

/* ---- hashes ------------------------------------------------------------ */

void crypto_sha256(uint8_t out[static 32], struct bytes in)
{
	crypto_hash_sha256(out, in.data, in.len);
}

void crypto_sha256_parts(
	uint8_t out[static 32], const struct bytes *parts, size_t part_count)
{
	crypto_hash_sha256_state st;

	crypto_hash_sha256_init(&st);
	for (size_t i = 0; i < part_count; i++)
		crypto_hash_sha256_update(&st, parts[i].data, parts[i].len);
	crypto_hash_sha256_final(&st, out);
}

void crypto_hmac_sha256_key(
	uint8_t out[static 32], struct bytes key, struct bytes in)
{
	crypto_auth_hmacsha256_state st;

	crypto_auth_hmacsha256_init(&st, key.data, key.len);
	crypto_auth_hmacsha256_update(&st, in.data, in.len);
	crypto_auth_hmacsha256_final(&st, out);
	crypto_wipe(&st, sizeof(st));
}

void crypto_hmac_sha256(
	uint8_t out[static 32], const uint8_t key[static 32], struct bytes in)
{
	crypto_hmac_sha256_key(out, bytes_of(key, 32), in);
}

void crypto_blake2b(
	uint8_t out[static 32], const struct bytes *parts, size_t part_count)
{
	crypto_generichash_blake2b_state st;

	crypto_generichash_blake2b_init(&st, NULL, 0, CRYPTO_HASH_BYTES);
	for (size_t i = 0; i < part_count; i++)
		crypto_generichash_blake2b_update(
			&st, parts[i].data, parts[i].len);
	crypto_generichash_blake2b_final(&st, out, CRYPTO_HASH_BYTES);
}

void crypto_noise_hkdf(const uint8_t chaining_key[static 32], struct bytes ikm,
	uint8_t out[static 3][32], unsigned count)
{
	uint8_t temp[32];
	uint8_t block[33];

	P2P_ASSERT(count == 2 || count == 3);
	crypto_hmac_sha256(temp, chaining_key, ikm);
	/* Output i is the HMAC of the output before it and the byte i. */
	for (unsigned i = 0; i < count; i++) {
		size_t before = i == 0 ? 0 : 32;

		if (i > 0)
			memcpy(block, out[i - 1], 32);
		block[before] = (uint8_t)(i + 1);
		crypto_hmac_sha256(out[i], temp, bytes_of(block, before + 1));
	}
	crypto_wipe(temp, sizeof(temp));
	crypto_wipe(block, sizeof(block));
}

/* ---- Ed25519 ----------------------------------------------------------- */

void crypto_ed25519_keypair(
	uint8_t secret[static 64], const uint8_t seed[static 32])
{
	uint8_t public_key[CRYPTO_KEY_BYTES];

	/* The library's secret key is seed || public already. */
	crypto_sign_seed_keypair(public_key, secret, seed);
}

void crypto_ed25519_sign(uint8_t sig[static 64],
	const uint8_t secret[static 64], struct bytes message)
{
	crypto_sign_detached(sig, NULL, message.data, message.len, secret);
}

/* Whether a < b, both 32 bytes little-endian. Only public values. */
static bool le_less(const uint8_t *a, const uint8_t *b)
{
	for (int i = 31; i >= 0; i--) {
		if (a[i] != b[i])
			return a[i] < b[i];
	}
	return false;
}

/* The order of the group: 2^252 + 27742317777372353535851937790883648493. */
static const uint8_t group_order[32] = {0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63,
	0x12, 0x58, 0xd6, 0x9c, 0xf7, 0xa2, 0xde, 0xf9, 0xde, 0x14, 0, 0, 0, 0,
	0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x10};

/* The prime of the field: 2^255 - 19. */
static const uint8_t field_prime[32] = {0xed, 0xff, 0xff, 0xff, 0xff, 0xff,
	0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
	0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
	0xff, 0x7f};

/* The y of the points whose order divides 8; x only differs by its sign. */
static const uint8_t small_order_y[][32] = {
	{0}, /* order 4 */
	{1}, /* order 1 */
	{0xec, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
		0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
		0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
		0x7f}, /* order 2 */
	{0x26, 0xe8, 0x95, 0x8f, 0xc2, 0xb2, 0x27, 0xb0, 0x45, 0xc3, 0xf4, 0x89,
		0xf2, 0xef, 0x98, 0xf0, 0xd5, 0xdf, 0xac, 0x05, 0xd3, 0xc6,
		0x33, 0x39, 0xb1, 0x38, 0x02, 0x88, 0x6d, 0x53, 0xfc,
		0x05}, /* order 8 */
	{0xc7, 0x17, 0x6a, 0x70, 0x3d, 0x4d, 0xd8, 0x4f, 0xba, 0x3c, 0x0b, 0x76,
		0x0d, 0x10, 0x67, 0x0f, 0x2a, 0x20, 0x53, 0xfa, 0x2c, 0x39,
		0xcc, 0xc6, 0x4e, 0xc7, 0xfd, 0x77, 0x92, 0xac, 0x03,
		0x7a}, /* order 8 */
};

/* Canonical (y below the prime) and of large order. */
static bool point_is_strict(const uint8_t point[static 32])
{
	uint8_t y[32];

	memcpy(y, point, sizeof(y));
	y[31] &= 0x7f; /* the top bit is the sign of x */
	if (!le_less(y, field_prime))
		return false;
	for (size_t i = 0; i < P2P_ARRAY_LEN(small_order_y); i++) {
		if (memcmp(y, small_order_y[i], sizeof(y)) == 0)
			return false;
	}
	return true;
}

int crypto_ed25519_verify(const uint8_t sig[static 64],
	const uint8_t public_key[static 32], struct bytes message)
{
	if (!le_less(sig + 32, group_order) || !point_is_strict(sig) ||
		!point_is_strict(public_key))
		return P2P_ERR_AUTH;
	if (crypto_sign_verify_detached(
		    sig, message.data, message.len, public_key) != 0)
		return P2P_ERR_AUTH;
	return 0;
}

/* ---- X25519 and ChaCha20-Poly1305 -------------------------------------- */

void crypto_dh_public(uint8_t out[static 32], const uint8_t secret[static 32])
{
	/* Fails only for a secret of another size. */
	(void)crypto_scalarmult_base(out, secret);
}

int crypto_dh(uint8_t out[static 32], const uint8_t secret[static 32],
	const uint8_t public_key[static 32])
{
	static const uint8_t zero[32];

	/* Our own look at the result does not lean on the library's. */
	if (crypto_scalarmult(out, secret, public_key) != 0 ||
		crypto_equal(out, zero, sizeof(zero)))
		return P2P_ERR_AUTH;
	return 0;
}

static void noise_nonce(uint8_t out[static NONCE_BYTES], uint64_t n)
{
	memset(out, 0, 4);
	put_le64(out + 4, n);
}

void crypto_seal(uint8_t *out, const uint8_t key[static 32], uint64_t n,
	struct bytes ad, struct bytes in)
{
	uint8_t nonce[NONCE_BYTES];

	noise_nonce(nonce, n);
	crypto_aead_chacha20poly1305_ietf_encrypt(
		out, NULL, in.data, in.len, ad.data, ad.len, NULL, nonce, key);
}

int crypto_open(uint8_t *out, const uint8_t key[static 32], uint64_t n,
	struct bytes ad, struct bytes in)
{
	uint8_t nonce[NONCE_BYTES];

	if (in.len < CRYPTO_TAG_BYTES)
		return P2P_ERR_AUTH;
	noise_nonce(nonce, n);
	if (crypto_aead_chacha20poly1305_ietf_decrypt(out, NULL, NULL, in.data,
		    in.len, ad.data, ad.len, nonce, key) != 0)
		return P2P_ERR_AUTH;
	return 0;
}

const char *crypto_library_version(void)
{
	return sodium_version_string();
}

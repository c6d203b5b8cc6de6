/*
 * A key's 30 digits are SHA-256 over the key again and again, cut into six
 * numbers of 40 bits, each modulo 100,000. The words are a hash of both such
 * hashes. Frozen by tests/unit/test_fingerprint.c: two versions of the program
 * must show the same.
 */
#include "net/identity/fingerprint.h"

#include <stdio.h>
#include <string.h>

#include "net/identity/crypto.h"
#include "net/identity/fingerprint_words.inc"

#define DIGITS_A_KEY (FINGERPRINT_DIGITS / 2)
#define HASH_BYTES 32
#define WORD_BITS 11

static void hash_key(uint8_t hash[static HASH_BYTES], const struct peer_id *id)
{
	static const char label[] = "p2pchat fingerprint 1";
	const struct bytes key = peer_id_bytes(id);
	const struct bytes first[] = {bytes_str(label), key};
	const struct bytes next[] = {bytes_of(hash, HASH_BYTES), key};

	crypto_sha256_parts(hash, first, 2);
	for (int i = 1; i < FINGERPRINT_ROUNDS; i++)
		crypto_sha256_parts(hash, next, 2);
}

static void put_digits(char out[static DIGITS_A_KEY + 1],
	const uint8_t hash[static HASH_BYTES])
{
	for (size_t i = 0; i < DIGITS_A_KEY / 5; i++) {
		const uint8_t *at = hash + 5 * i;
		uint64_t n = (uint64_t)at[0] << 32 | get_be32(at + 1);

		snprintf(out + 5 * i, 6, "%05u", (unsigned)(n % 100000));
	}
}

/* The bits from `at` on, the highest of a byte first. */
static size_t bits_at(const uint8_t *hash, size_t at, size_t count)
{
	size_t value = 0;

	for (size_t i = at; i < at + count; i++)
		value = value << 1 | (hash[i / 8] >> (7 - i % 8) & 1);
	return value;
}

void fingerprint_of(struct fingerprint *out, const struct peer_id *a,
	const struct peer_id *b)
{
	uint8_t hashes[2][HASH_BYTES], both[HASH_BYTES];
	struct bytes parts[] = {bytes_str("words"), {0}, {0}};
	size_t first;

	hash_key(hashes[0], a);
	hash_key(hashes[1], b);
	first = memcmp(hashes[0], hashes[1], HASH_BYTES) <= 0 ? 0 : 1;
	put_digits(out->digits, hashes[first]);
	put_digits(out->digits + DIGITS_A_KEY, hashes[1 - first]);
	parts[1] = bytes_of(hashes[first], HASH_BYTES);
	parts[2] = bytes_of(hashes[1 - first], HASH_BYTES);
	crypto_sha256_parts(both, parts, 3);
	for (size_t i = 0; i < FINGERPRINT_WORDS; i++)
		out->words[i] = fingerprint_words[bits_at(
			both, WORD_BITS * i, WORD_BITS)];
}

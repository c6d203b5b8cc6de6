/*
 * secp256k1 keys of peers, by libsecp256k1: only checking. Of the two
 * signatures that are good for one message only that with the lower s is taken,
 * and only in canonical DER, so that a signature has one spelling.
 */
#include "net/identity/key_secp256k1.h"

#include <secp256k1.h>

#include "net/identity/crypto.h"

/* Two integers of 33 bytes with their heads, and the sequence's. */
#define DER_BYTES_MAX 72

bool key_secp256k1_built(void)
{
	return true;
}

/* Canonical: writing it again gives the same bytes. */
static bool read_signature(secp256k1_ecdsa_signature *rs, struct bytes sig)
{
	uint8_t again[DER_BYTES_MAX];
	size_t len = sizeof(again);

	return sig.len > 0 && sig.len <= sizeof(again) &&
	       secp256k1_ecdsa_signature_parse_der(
		       secp256k1_context_static, rs, sig.data, sig.len) == 1 &&
	       secp256k1_ecdsa_signature_serialize_der(
		       secp256k1_context_static, again, &len, rs) == 1 &&
	       bytes_equal(bytes_of(again, len), sig);
}

static bool read_point(secp256k1_pubkey *key, struct bytes point)
{
	return point.len == KEY_SECP256K1_BYTES &&
	       secp256k1_ec_pubkey_parse(secp256k1_context_static, key,
		       point.data, point.len) == 1;
}

bool key_secp256k1_is_plain(struct bytes point, struct bytes sig)
{
	secp256k1_ecdsa_signature rs;
	secp256k1_pubkey key;

	/* It says 1 when s is the higher one. */
	return read_point(&key, point) && read_signature(&rs, sig) &&
	       secp256k1_ecdsa_signature_normalize(
		       secp256k1_context_static, NULL, &rs) == 0;
}

int key_secp256k1_verify(
	struct bytes point, struct bytes message, struct bytes sig)
{
	uint8_t digest[CRYPTO_HASH_BYTES];
	secp256k1_ecdsa_signature rs;
	secp256k1_pubkey key;

	if (!read_point(&key, point))
		return P2P_ERR_MALFORMED;
	if (!read_signature(&rs, sig))
		return P2P_ERR_AUTH;
	crypto_sha256(digest, message);
	/* The library refuses the higher s by itself. */
	return secp256k1_ecdsa_verify(
		       secp256k1_context_static, &rs, digest, &key) == 1
		       ? 0
		       : P2P_ERR_AUTH;
}

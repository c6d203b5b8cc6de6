/*
 * Own key and others' public keys (libp2p peer-ids spec, "Keys"). Own keys
 * are Ed25519. Others' are of all four kinds: Ed25519 always, the rest where
 * their library is built in (key_nettle.h, key_secp256k1.h); a build without
 * refuses such a peer with an error whose text names the kind and the library.
 *
 * Whoever checks a signature of somebody else calls public_key_verify: the
 * handshake, units and envelopes. Any thread may.
 */
#ifndef NET_IDENTITY_KEY_H
#define NET_IDENTITY_KEY_H

#include "net/identity/crypto.h"
#include "net/identity/peer_id.h"

enum key_kind {
	KEY_KIND_RSA = 0,
	KEY_KIND_ED25519 = 1,
	KEY_KIND_SECP256K1 = 2,
	KEY_KIND_ECDSA = 3,
};

/* Ed25519's public key protobuf: 08 01 12 20 and 32 bytes. */
#define KEY_ED25519_PB_BYTES 36
/* Largest key protobuf accepted from anybody (RSA of 8192 bits, in DER). */
#define KEY_PB_BYTES_MAX 2048

/* Own key. Wipe with identity_wipe when done. */
struct identity {
	uint8_t secret[CRYPTO_SECRET_BYTES];
	uint8_t public_pb[KEY_ED25519_PB_BYTES];
	struct peer_id id;
};

/* The key pair, its protobuf and its id; any seed will do. */
void identity_from_seed(struct identity *me, const uint8_t seed[static 32]);
/* Overwrites the secret. */
void identity_wipe(struct identity *me);
/*
 * The private-key protobuf as it stands on disk (08 01 12 40 seed public);
 * the old 96-byte form is accepted when both copies of the public key match.
 * The public key must belong to the seed. P2P_ERR_MALFORMED, or
 * P2P_ERR_UNSUPPORTED for another kind of key.
 */
int identity_parse(struct identity *me, struct bytes pb) P2P_MUST_CHECK;
/* Appends the 68 bytes for the file. */
void identity_serialize(const struct identity *me, struct buf *out);

/* Somebody's public key, a view into the protobuf that it was read from. */
struct public_key {
	enum key_kind kind;
	struct bytes data;
};

/*
 * Strict: both fields, in order, nothing else, at most KEY_PB_BYTES_MAX bytes.
 * What is inside an RSA or ECDSA key is read when it is used.
 * P2P_ERR_MALFORMED, or P2P_ERR_UNSUPPORTED for a kind that the spec does not
 * have.
 */
int public_key_parse(struct public_key *key, struct bytes pb) P2P_MUST_CHECK;
/*
 * 0; P2P_ERR_AUTH; P2P_ERR_MALFORMED for a key that is none of its kind or
 * outside the limits of its kind; P2P_ERR_NO_RSA, P2P_ERR_NO_ECDSA or
 * P2P_ERR_NO_SECP256K1 where the library is not built in.
 */
int public_key_verify(const struct public_key *key, struct bytes message,
	struct bytes sig) P2P_MUST_CHECK;
/*
 * Of a signature that public_key_verify refused: whether every program refuses
 * it. False where the form of the key or of the signature is one that others
 * may take: then who passes it on is not to blame. Not told of Ed25519, where
 * the form decides nothing: false.
 */
bool public_key_refusal_is_sure(const struct public_key *key, struct bytes sig);
/* Whether err is one of the last three: nothing is wrong with the peer. */
bool public_key_not_built(int err);

#endif

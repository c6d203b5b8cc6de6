/*
 * Signatures made with secp256k1 keys (libp2p peer-ids spec, "Secp256k1"),
 * checked by libsecp256k1. Plain functions of their arguments, for any thread.
 *
 * The spec names BIP 62: the lower of a signature's two s, in canonical DER.
 * js-libp2p and rust-libp2p refuse the higher one, go-libp2p takes it but
 * never makes it; it is refused here.
 *
 * key_secp256k1_none.c stands in where the library is left out.
 */
#ifndef NET_IDENTITY_KEY_SECP256K1_H
#define NET_IDENTITY_KEY_SECP256K1_H

#include "base/bytes.h"
#include "base/error.h"

/* A point in its compressed form, the only one in a key protobuf. */
#define KEY_SECP256K1_BYTES 33

/* Whether the library is built in. */
bool key_secp256k1_built(void);
/*
 * ECDSA over SHA-256. 0, P2P_ERR_MALFORMED (not a point of the curve in its
 * compressed form), P2P_ERR_AUTH, or P2P_ERR_NO_SECP256K1 when built without
 * the library.
 */
int key_secp256k1_verify(struct bytes point, struct bytes message,
	struct bytes sig) P2P_MUST_CHECK;
/* Whether both are spelt as every implementation reads them: a point of the
 * curve, canonical DER, the lower s. False when built without the library. */
bool key_secp256k1_is_plain(struct bytes point, struct bytes sig);

#endif

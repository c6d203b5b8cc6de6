/*
 * Signatures made with RSA and ECDSA keys (libp2p peer-ids spec, "RSA" and
 * "ECDSA"), checked by nettle. Plain functions of their arguments: nothing is
 * set up, nothing is kept, any thread may call them.
 *
 * What is accepted is one spelling only, so that the verdict does not hang on
 * how lenient a library reads: the key is the canonical DER of a
 * SubjectPublicKeyInfo, the ECDSA signature canonical DER. The library reads
 * the numbers; what is around them has fixed bytes and is compared.
 *
 * key_nettle_none.c stands in where the program is built without nettle.
 */
#ifndef NET_IDENTITY_KEY_NETTLE_H
#define NET_IDENTITY_KEY_NETTLE_H

#include "base/bytes.h"
#include "base/error.h"

/* Fewer bits are weak, more cost too much; go-libp2p has the same limits. */
#define KEY_RSA_BITS_MIN 2048
#define KEY_RSA_BITS_MAX 8192
/* The public exponent is odd and has at most these bits, as in Go: it decides
 * what one check costs. */
#define KEY_RSA_EXPONENT_BITS_MAX 31

/* "3.8", or NULL when built without it. Static text. */
const char *key_nettle_version(void);
/*
 * RSASSA-PKCS1-v1_5 over SHA-256 (RFC 8017 section 8.2.2); spki is the key.
 * 0, P2P_ERR_MALFORMED (no such key, or one outside the limits above),
 * P2P_ERR_AUTH, or P2P_ERR_NO_RSA when built without nettle.
 */
int key_nettle_rsa(struct bytes spki, struct bytes message,
	struct bytes sig) P2P_MUST_CHECK;
/*
 * ECDSA over SHA-256 on P-256, P-384 or P-521, the point uncompressed; both
 * of a signature's two s are good, as in other implementations. Errors as
 * above, with P2P_ERR_NO_ECDSA.
 */
int key_nettle_ecdsa(struct bytes spki, struct bytes message,
	struct bytes sig) P2P_MUST_CHECK;
/* Whether both are spelt as every implementation reads them: a key that is
 * accepted here, and a signature of the modulus's length or in canonical DER.
 * False when built without nettle. */
bool key_nettle_rsa_is_plain(struct bytes spki, struct bytes sig);
bool key_nettle_ecdsa_is_plain(struct bytes spki, struct bytes sig);

#endif

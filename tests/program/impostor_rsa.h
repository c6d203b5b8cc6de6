/*
 * An RSA key that is well made, signs well, and is larger than is accepted:
 * for those who refuse it for its size alone.
 */
#ifndef TESTS_PROGRAM_IMPOSTOR_RSA_H
#define TESTS_PROGRAM_IMPOSTOR_RSA_H

#include "base/buf.h"

/*
 * Appends the key as libp2p has it (peer-ids spec: type 0, an X.509
 * SubjectPublicKeyInfo), and its signature of `what` (PKCS #1 v1.5, SHA-256).
 * False in a build without the library that makes numbers of this size.
 */
bool impostor_rsa(struct bytes what, struct buf *key, struct buf *sig);

#endif

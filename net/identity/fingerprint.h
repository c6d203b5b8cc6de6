/*
 * What two people compare to know that each has the other's key: a number and
 * six words, made from both keys and the same at both ends. Pure, and slow on
 * purpose (some milliseconds): whoever looks for a key with a like number pays
 * as much for each try.
 */
#ifndef NET_IDENTITY_FINGERPRINT_H
#define NET_IDENTITY_FINGERPRINT_H

#include "net/identity/peer_id.h"

#define FINGERPRINT_DIGITS 60
#define FINGERPRINT_WORDS 6
/* Hashes a key, as many as Signal's safety numbers take. */
#define FINGERPRINT_ROUNDS 5200

struct fingerprint {
	/* 30 digits of each key, the smaller first; and a NUL. 99 bits each. */
	char digits[FINGERPRINT_DIGITS + 1];
	/* 11 bits each, of both keys together. Static text. */
	const char *words[FINGERPRINT_WORDS];
};

/* Of two keys, in either order. */
void fingerprint_of(struct fingerprint *out, const struct peer_id *a,
	const struct peer_id *b);

#endif

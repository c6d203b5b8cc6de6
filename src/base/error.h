/*
 * The one list of errors. Functions return 0 or a negative enum p2p_err.
 * The class says what the caller does: P2P_CLASS_LOCAL is told to the user,
 * PEER closes the connection, LIMIT refuses that one thing and counts it,
 * CLOSED is the normal end of a stream or connection.
 */
#ifndef BASE_ERROR_H
#define BASE_ERROR_H

#include "base/compiler.h"

enum p2p_class {
	P2P_CLASS_NONE,
	P2P_CLASS_LOCAL,
	P2P_CLASS_PEER,
	P2P_CLASS_LIMIT,
	P2P_CLASS_CLOSED,
};

/* X(name, number, class, text) */
#define P2P_ERR_LIST(X) \
	X(INVAL, -1, LOCAL, "not a valid value") \
	X(STATE, -2, LOCAL, "not possible in this state") \
	X(IO, -3, LOCAL, "input or output failed") \
	X(NOT_FOUND, -4, LOCAL, "not found") \
	X(EXISTS, -5, LOCAL, "exists already") \
	X(BUSY, -6, LOCAL, "in use by another process") \
	X(DENIED, -7, LOCAL, "permission denied") \
	X(UNSUPPORTED, -8, LOCAL, "not supported") \
	X(TOO_NEW, -9, LOCAL, "made by a newer version") \
	X(CORRUPT, -10, LOCAL, "damaged data") \
	X(NO_RSA, -11, LOCAL, \
		"its key is RSA, and this was built without nettle") \
	X(NO_ECDSA, -12, LOCAL, \
		"its key is ECDSA, and this was built without nettle") \
	X(NO_SECP256K1, -13, LOCAL, \
		"its key is secp256k1, and this was built without " \
		"libsecp256k1") \
	X(NO_SPACE, -14, LOCAL, "no space left on the disk") \
	X(MOVED, -15, LOCAL, "moved or removed") \
	X(FULL, -20, LIMIT, "queue is full") \
	X(LIMIT, -21, LIMIT, "limit reached") \
	X(TRUNCATED, -30, PEER, "ends too early") \
	X(MALFORMED, -31, PEER, "malformed") \
	X(TOO_BIG, -32, PEER, "larger than allowed") \
	X(AUTH, -33, PEER, "signature or authentication wrong") \
	X(PROTOCOL, -34, PEER, "breaks the protocol") \
	X(UTF8, -35, PEER, "not valid UTF-8") \
	X(MISMATCH, -36, PEER, "another peer than expected") \
	X(NO_PROTOCOL, -37, PEER, "no protocol in common") \
	X(CLOSED, -50, CLOSED, "closed") \
	X(RESET, -51, CLOSED, "reset by the other side") \
	X(TIMEOUT, -52, CLOSED, "timed out")

enum p2p_err {
	P2P_OK = 0,
#define X(name, number, class, text) P2P_ERR_##name = number,
	P2P_ERR_LIST(X)
#undef X
};

/* "TOO_BIG", or "OK" for 0, or "UNKNOWN". Static text. */
const char *p2p_err_name(int err);

/* A sentence part for people. Static text. */
const char *p2p_err_text(int err);

/* P2P_CLASS_NONE for 0; LOCAL for a number that is not in the list. */
enum p2p_class p2p_err_class(int err);

#endif

/*
 * The members of a payload's JSON object (RFC 8259) that mean something to a
 * chat program, as views. There are two readers of them:
 *
 *   members_read_flat   nearly every line there is: an object of nothing but
 *                       the names below, each at most once, with strings
 *                       without escapes and whole numbers of up to 15 digits
 *   members_read        any object, by the JSON library
 *
 * The first costs a tenth of the second, which makes an object of allocations
 * for each line, and reads nothing in another way: what it does not know to be
 * the same is left to the second. A fuzz target and a test compare them.
 *
 * Untrusted bytes. The caller has checked them to be UTF-8, and the size,
 * nesting and number of their values to be within chat_limits.h.
 */
#ifndef CHAT_PAYLOAD_MEMBERS_H
#define CHAT_PAYLOAD_MEMBERS_H

#include "base/bytes.h"
#include "base/error.h"

enum member_name {
	MEMBER_TYPE,
	MEMBER_CONTENT,
	MEMBER_USERNAME,
	MEMBER_TIMESTAMP,
	MEMBER_FROM,
	MEMBER_V,
	MEMBER_TIME_MS,
	MEMBER_SEQ,
	MEMBER_PREV,
	MEMBER_COPY_OF,
	/* of go-libp2p's chat example */
	MEMBER_MESSAGE,
	MEMBER_SENDER_ID,
	MEMBER_SENDER_NICK,
	MEMBER_COUNT,
};

enum member_kind {
	MEMBER_NONE, /* absent, or of a kind that says nothing to us */
	MEMBER_TEXT,
	MEMBER_NUMBER,
};

struct member {
	enum member_kind kind;
	struct bytes text; /* UTF-8; may hold NUL */
	double number;     /* a real, so that none is too large */
};

struct members {
	struct member of[MEMBER_COUNT];
	void *object; /* the library's, which the views may point into */
};

/* False when the object is not of the flat form; then nothing is due. The
 * views point into `in`. */
bool members_read_flat(struct members *m, struct bytes in);
/* 0, or P2P_ERR_MALFORMED: no JSON object, or a name in it that comes twice.
 * members_clear is due in either case. */
int members_read(struct members *m, struct bytes in) P2P_MUST_CHECK;
void members_clear(struct members *m);

#endif

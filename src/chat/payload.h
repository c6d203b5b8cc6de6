/*
 * What stands inside a unit: a line of chat in one of the dialects of
 * docs/decisions/0009-dialects.md. What a payload means is a function of the
 * unit's bytes alone: the same line has the same text and the same time
 * everywhere.
 *
 *   native   JSON, type message|join|leave, with `v`
 *   seed-go  the same without `v`; timestamp in seconds
 *   seed-js  JSON, type broadcast, timestamp in milliseconds
 *   plain    bare UTF-8 text, without a time
 *   go-chat  JSON of go-libp2p's chat example, members Message, SenderID and
 *            SenderNick and no type; without a time
 *
 * A line without a time in its data is local: it stands where it arrived. A
 * unit's seqno is no time, though it looks like one: go and rust programs count
 * from the nanosecond in which they started, one a line (decision 0021).
 *
 * Bytes that are no JSON object are plain. An object that says it is a line
 * (it has "type", or "Message" and "SenderNick") but breaks the rules is
 * malformed; unknown types are unsupported, unknown members ignored, a member
 * that comes twice refused. A byte order mark in front says nothing.
 */
#ifndef CHAT_PAYLOAD_H
#define CHAT_PAYLOAD_H

#include "base/buf.h"
#include "chat/chat_limits.h"

/* Also the numbers in the store. */
enum dialect {
	DIALECT_NONE = 0, /* not known yet; of a room: guessed */
	DIALECT_NATIVE = 1,
	DIALECT_SEED_GO = 2,
	DIALECT_SEED_JS = 3,
	DIALECT_PLAIN = 4,
	DIALECT_GO_CHAT = 5,
};

enum payload_type {
	PAYLOAD_MESSAGE,
	PAYLOAD_JOIN,
	PAYLOAD_LEAVE,
};

#define PAYLOAD_HASH_BYTES 32

struct payload {
	enum dialect dialect;
	enum payload_type type;
	struct buf text;         /* owned, cleaned for a screen */
	char name[MSG_NAME_MAX]; /* claimed, cleaned; may be empty */
	bool has_time;
	uint64_t time_ms; /* of a line without one: 0 */
	uint64_t seq;     /* 0: none */
	bool has_prev;
	uint8_t prev[PAYLOAD_HASH_BYTES];
	bool has_copy_of;
	uint8_t copy_of[PAYLOAD_HASH_BYTES];
};

/* The topic that carries plain text only, whatever is in it. */
bool payload_topic_is_plain(struct bytes topic);
/* Whether go-libp2p's chat example names its rooms so. */
bool payload_topic_is_go_chat(struct bytes topic);

/*
 * Reads the data of a unit. 0, then payload_clear is due; P2P_ERR_MALFORMED,
 * P2P_ERR_UNSUPPORTED (a type that we do not know) or P2P_ERR_UTF8.
 */
int payload_parse(struct payload *p, struct bytes topic,
	struct bytes data) P2P_MUST_CHECK;
void payload_clear(struct payload *p);

/* A line of ours to be written. */
struct payload_out {
	enum payload_type type;
	const char *text; /* valid UTF-8 */
	const char *name; /* not empty */
	const char *from; /* own peer id as text */
	uint64_t time_ms;
	uint64_t seq;           /* 0: none (join, leave) */
	const uint8_t *prev;    /* PAYLOAD_HASH_BYTES, or NULL */
	const uint8_t *copy_of; /* seed-js only: the original's unit_id */
	bool for_go_chat;       /* native only: with go-chat's members, too */
};

/*
 * Appends the payload in a dialect: NATIVE (which the Go program takes as it
 * is), SEED_JS or PLAIN. P2P_ERR_TOO_BIG when out has no room.
 */
int payload_write(enum dialect dialect, const struct payload_out *line,
	struct buf *out) P2P_MUST_CHECK;

/* "native", "seed-go", ... Static text. */
const char *dialect_name(enum dialect dialect);

#endif

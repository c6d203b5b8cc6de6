/*
 * Protocol Buffers (protobuf.dev, "Encoding"), bounded and without copies.
 *
 * Three ways to use it:
 *   pb_next        a loop over fields, for messages of many repeated parts
 *   pb_read        a table of rules that fills a struct with views
 *   pb_put_*       the writer, minimal and in the order of the calls
 *
 * Numbers are minimal varints; groups (wire types 3 and 4) are malformed.
 * A view is NULL when its field was absent, and points at a byte position
 * with length 0 when it was present and empty. Packed repeated numbers are
 * not used by any message that this program reads.
 */
#ifndef NET_WIRE_PB_H
#define NET_WIRE_PB_H

#include "base/buf.h"
#include "base/cursor.h"
#include "net/wire/wire_limits.h"

enum pb_wire {
	PB_WIRE_VARINT = 0,
	PB_WIRE_FIXED64 = 1,
	PB_WIRE_BYTES = 2,
	PB_WIRE_FIXED32 = 5,
};

/* ---- reading, field by field ------------------------------------------- */

struct pb_field {
	uint32_t number;
	enum pb_wire wire;
	uint64_t value;     /* of the number types */
	struct bytes bytes; /* PB_WIRE_BYTES: a view, never NULL */
};

/*
 * The next field. False at the end and after a failure: ask cur_err(c), which
 * is P2P_ERR_MALFORMED or P2P_ERR_TRUNCATED then.
 */
bool pb_next(struct cursor *c, struct pb_field *f);

/* ---- reading by a table ------------------------------------------------ */

enum pb_kind {
	PB_KIND_BOOL,    /* bool; any number but 0 is true */
	PB_KIND_U64,     /* uint64_t: uint64, int64, uint32, enum */
	PB_KIND_FIXED64, /* uint64_t */
	PB_KIND_VIEW,    /* struct bytes: bytes, string, one message */
	PB_KIND_VIEWS,   /* struct bytes[max_count], and a size_t count */
};

/* Flags of a rule. */
#define PB_REQUIRED 1u
/* More elements than max_count, or longer ones than max_bytes, are left out
 * without an error. */
#define PB_CUT 2u

struct pb_rule {
	uint32_t number;
	enum pb_kind kind;
	unsigned flags;
	size_t offset;       /* of the value in the struct */
	size_t count_offset; /* PB_KIND_VIEWS: of the size_t */
	size_t max_bytes;    /* of one view */
	size_t max_count;    /* PB_KIND_VIEWS */
};

struct pb_schema {
	const struct pb_rule *rules; /* ascending by number */
	size_t rule_count;           /* <= PB_RULES_MAX */
	/* Only known fields, in ascending order, single ones once: what an
	 * honest writer makes. For bytes that are hashed or signed. */
	bool strict;
};

/*
 * Merges the message into the struct that the rules describe: lists grow, a
 * single value is replaced. Zero the struct first for a plain read. *seen
 * gets the bit of each rule that was met (bit 0 is rules[0]); it may be NULL.
 *
 * P2P_ERR_MALFORMED (form, wire type, a required field is absent, strictness),
 * P2P_ERR_TRUNCATED, P2P_ERR_TOO_BIG (above a maximum without PB_CUT, or more
 * than PB_UNKNOWN_FIELDS_MAX unknown fields). The struct is then half filled.
 */
int pb_read(const struct pb_schema *schema, struct bytes in, void *out,
	uint32_t *seen) P2P_MUST_CHECK;

/*
 * Writes what the struct holds, by number: views that are not NULL, all of a
 * list, and the numbers whose bit is in `numbers` (bit 0 is rules[0]).
 */
void pb_write(const struct pb_schema *schema, const void *in, uint32_t numbers,
	struct buf *out);

/* ---- writing, field by field (failures stay in out->failed) ------------- */

/* One field each; a zero or an empty value is written too. */
void pb_put_uint(struct buf *out, uint32_t number, uint64_t v);
void pb_put_fixed64(struct buf *out, uint32_t number, uint64_t v);
void pb_put_bytes(struct buf *out, uint32_t number, struct bytes v);
/* Key and length of a field whose len bytes the caller appends next. */
void pb_put_head(struct buf *out, uint32_t number, size_t len);
/* Bytes that pb_put_bytes takes. */
size_t pb_bytes_size(uint32_t number, size_t len);

/*
 * A message inside: what is appended between begin and end becomes the field.
 *   size_t mark = pb_begin(out, 3); ... pb_end(out, mark);
 */
size_t pb_begin(struct buf *out, uint32_t number);
void pb_end(struct buf *out, size_t mark);

#endif

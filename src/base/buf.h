/*
 * An owned, growing run of bytes that can never exceed the maximum it was
 * made with. Appending is sticky: after a refusal `failed` stays set and
 * later appends do nothing, so a writer checks once at the end.
 */
#ifndef BASE_BUF_H
#define BASE_BUF_H

#include "base/bytes.h"
#include "base/error.h"

struct buf {
	uint8_t *data; /* owned; NULL while nothing was appended */
	size_t len;
	size_t cap;
	size_t max;  /* in bytes, set by buf_init */
	bool failed; /* an append was refused */
};

/* Caller's memory; max is the largest length ever allowed. */
void buf_init(struct buf *b, size_t max);
/* Frees the bytes; the buf may be used again with the same maximum. */
void buf_clear(struct buf *b);
/* As buf_clear, after overwriting the bytes: for secrets. */
void buf_wipe(struct buf *b);
/* Length 0, memory kept, failure forgotten. */
void buf_reset(struct buf *b);
/* Moves the bytes out; *len is set, the buf is empty afterwards. */
uint8_t *buf_take(struct buf *b, size_t *len);

/* 0, or P2P_ERR_TOO_BIG with nothing appended and b->failed set. */
int buf_append(struct buf *b, struct bytes in);
int buf_append_u8(struct buf *b, uint8_t v);
int buf_append_be16(struct buf *b, uint16_t v);
int buf_append_be32(struct buf *b, uint32_t v);
int buf_append_str(struct buf *b, const char *text);
int buf_appendf(struct buf *b, const char *fmt, ...) P2P_PRINTF(2, 3);
/* len bytes to be filled by the caller (NULL when refused); counted at once. */
uint8_t *buf_extend(struct buf *b, size_t len);
/* Takes the last bytes away again; len <= b->len. */
void buf_truncate(struct buf *b, size_t len);
/* Takes n bytes off the front; the rest moves up. */
void buf_drop_front(struct buf *b, size_t n);

static inline struct bytes buf_bytes(const struct buf *b)
{
	return bytes_of(b->data, b->len);
}

static inline size_t buf_room(const struct buf *b)
{
	return b->max - b->len;
}

/*
 * The contents as C text: a NUL is put behind them (not counted). Valid until
 * the next call on b. Never NULL.
 */
const char *buf_cstr(struct buf *b);

#endif

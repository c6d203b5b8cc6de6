/*
 * Growing bytes below a maximum. One byte more than is counted is always there,
 * so that a text needs no copy to become a C string. A refusal sticks: whoever
 * writes many pieces asks once at the end.
 */
#include "base/buf.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/xmalloc.h"

#define BUF_FIRST_BYTES 64

void buf_init(struct buf *b, size_t max)
{
	*b = (struct buf){.max = max};
}

void buf_clear(struct buf *b)
{
	free(b->data);
	buf_init(b, b->max);
}

void buf_wipe(struct buf *b)
{
	if (b->data != NULL)
		explicit_bzero(b->data, b->cap);
	buf_clear(b);
}

void buf_reset(struct buf *b)
{
	b->len = 0;
	b->failed = false;
}

uint8_t *buf_take(struct buf *b, size_t *len)
{
	uint8_t *data = b->data;

	*len = b->len;
	buf_init(b, b->max);
	return data;
}

/* Makes room for `more` bytes and one NUL behind them. */
static int buf_reserve(struct buf *b, size_t more)
{
	size_t need, cap;

	if (b->failed || more > b->max - b->len) {
		b->failed = true;
		return P2P_ERR_TOO_BIG;
	}
	need = b->len + more + 1;
	if (need <= b->cap)
		return 0;
	cap = P2P_MAX(b->cap + b->cap / 2, need);
	cap = P2P_MAX(cap, (size_t)BUF_FIRST_BYTES);
	b->data = xreallocarray(b->data, cap, 1);
	b->cap = cap;
	return 0;
}

uint8_t *buf_extend(struct buf *b, size_t len)
{
	if (buf_reserve(b, len) != 0)
		return NULL;
	b->len += len;
	return b->data + b->len - len;
}

int buf_append(struct buf *b, struct bytes in)
{
	uint8_t *to = buf_extend(b, in.len);

	if (to == NULL)
		return P2P_ERR_TOO_BIG;
	if (in.len > 0)
		memcpy(to, in.data, in.len);
	return 0;
}

int buf_append_u8(struct buf *b, uint8_t v)
{
	return buf_append(b, bytes_of(&v, 1));
}

int buf_append_be16(struct buf *b, uint16_t v)
{
	uint8_t raw[2];

	put_be16(raw, v);
	return buf_append(b, bytes_of(raw, sizeof(raw)));
}

int buf_append_be32(struct buf *b, uint32_t v)
{
	uint8_t raw[4];

	put_be32(raw, v);
	return buf_append(b, bytes_of(raw, sizeof(raw)));
}

int buf_append_str(struct buf *b, const char *text)
{
	return buf_append(b, bytes_str(text));
}

int buf_appendf(struct buf *b, const char *fmt, ...)
{
	va_list ap;
	char *text = NULL;
	int n, err;

	va_start(ap, fmt);
	n = vasprintf(&text, fmt, ap);
	va_end(ap);
	P2P_ASSERT(n >= 0);
	err = buf_append(b, bytes_of(text, (size_t)n));
	free(text);
	return err;
}

void buf_truncate(struct buf *b, size_t len)
{
	P2P_ASSERT(len <= b->len);
	b->len = len;
}

void buf_drop_front(struct buf *b, size_t n)
{
	P2P_ASSERT(n <= b->len);
	if (n == 0)
		return;
	memmove(b->data, b->data + n, b->len - n);
	b->len -= n;
}

const char *buf_cstr(struct buf *b)
{
	if (b->data == NULL) {
		b->data = xmalloc(BUF_FIRST_BYTES);
		b->cap = BUF_FIRST_BYTES;
	}
	/* buf_reserve always leaves one byte behind the length. */
	b->data[b->len] = '\0';
	return (const char *)b->data;
}

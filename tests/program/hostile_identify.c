#include "tests/program/hostile_identify.h"

#include <stdio.h>
#include <stdlib.h>

#include "net/identity/peer_record.h"
#include "net/wire/pb.h"
#include "net/wire/varint.h"

void identify_huge(struct buf *b)
{
	char name[64];

	for (int i = 0; i < 1800; i++) {
		(void)snprintf(name, sizeof(name), "/proto/%d/1.0.0", i);
		pb_put_bytes(b, 3, bytes_str(name));
		pb_put_bytes(b, 2, bytes_str("\x04\x7f\x00\x00\x01\x06\x0f"));
	}
}

void identify_framed(struct buf *out, const struct buf *b)
{
	uint8_t head[VARINT_BYTES_MAX];

	(void)buf_append(out, bytes_of(head, varint_put(head, b->len)));
	(void)buf_append(out, buf_bytes(b));
}

/* As many as in identify_huge, in messages that are each small enough. */
void identify_chunks(struct buf *b)
{
	char name[64];
	struct buf chunk;

	buf_init(&chunk, 8192);
	for (int i = 0; i < 1800; i++) {
		(void)snprintf(name, sizeof(name), "/proto/%d/1.0.0", i);
		pb_put_bytes(&chunk, 3, bytes_str(name));
		if (i % 300 == 299) {
			identify_framed(b, &chunk);
			buf_reset(&chunk);
		}
	}
	buf_clear(&chunk);
}

void identify_escapes(struct buf *b)
{
	pb_put_bytes(b, 3, bytes_str("/meshsub/1.1.0"));
	pb_put_bytes(b, 3, bytes_str("/x\x1b]0;title\x07\n/fake\x1b[2J"));
	pb_put_bytes(b, 5,
		bytes_str("ipfs/\x9b"
			  "31m\xe2\x80\xae"));
	pb_put_bytes(
		b, 6, bytes_str("agent\x1b[31m\r\n{\"event\":\"x\"}\xff\xfe"));
}

void identify_record(const struct identity *me, struct rng *rng, struct buf *b)
{
	struct peer_record r = {.seq = 1, .addr_count = 8};
	uint8_t addrs[8][8];
	struct buf envelope;

	for (size_t i = 0; i < r.addr_count; i++) {
		rng_fill(rng, addrs[i], sizeof(addrs[i]));
		memcpy(addrs[i], "\x04\x7f", 2);
		addrs[i][5] = 0x06;
		r.addrs[i] = bytes_of(addrs[i], sizeof(addrs[i]));
	}
	buf_init(&envelope, 4096);
	if (peer_record_seal(me, &r, &envelope) != 0)
		abort();
	pb_put_bytes(b, 8, buf_bytes(&envelope));
	buf_clear(&envelope);
}

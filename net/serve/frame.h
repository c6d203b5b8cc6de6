/*
 * Messages with a uvarint length in front, as all libp2p stream protocols
 * send them, read from a stream that may deliver them in any pieces.
 */
#ifndef NET_SERVE_FRAME_H
#define NET_SERVE_FRAME_H

#include "base/buf.h"
#include "base/error.h"

struct frame_reader {
	struct buf body; /* a frame that came in pieces */
	size_t need;     /* its whole length */
	bool pending;    /* `need` is known, body is being filled */
	size_t max;
};

/* max: the longest body accepted. What body holds is the caller's to charge. */
void frame_reader_init(struct frame_reader *r, size_t max);
void frame_reader_clear(struct frame_reader *r);

/*
 * Reads on. Returns 1 with a whole body (valid until the next call on r and
 * as long as `in`), 0 when more bytes are needed, or P2P_ERR_TOO_BIG,
 * P2P_ERR_MALFORMED. *taken bytes of `in` are used up in every
 * case.
 */
int frame_read(struct frame_reader *r, struct bytes in, size_t *taken,
	struct bytes *body) P2P_MUST_CHECK;

/* The length of a body as a uvarint; returns its bytes (1 to 10). */
size_t frame_header(size_t body_len, uint8_t out[static 10]);

#endif

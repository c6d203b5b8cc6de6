/*
 * One frame out, one or more frames in, by a deadline: what most protocols of
 * libp2p are made of. A frame is a uvarint length and so many bytes (frame.h).
 *
 *   asker:    request_open ----------------> frame
 *   answerer: readable: request_read -> 1, the question; serve_write_frame,
 *             serve_close
 *   asker:    readable: request_read -> 1, an answer; ... serve_reset, or gone
 *
 * The service's life_ms is the deadline of both sides; frame_bytes_max bounds
 * each frame, and what of it is kept is charged to the stream as it arrives,
 * never by the length that is claimed.
 */
#ifndef NET_SERVE_REQUEST_H
#define NET_SERVE_REQUEST_H

#include "net/serve/frame.h"
#include "net/serve/serve.h"

/* In the stream's state, zeroed before first use; request_clear in gone and
 * before serve_reset. */
struct request {
	struct frame_reader frames;
	size_t besides; /* the service keeps so much more for the stream */
	bool begun;
};

/*
 * Opens a stream of the service (as serve_open) and writes the question, behind
 * which our side is closed. Errors as serve_open and serve_write; nothing is
 * left behind then. A service with several names cannot ask a peer that has not
 * told what it speaks: P2P_ERR_FULL.
 */
int request_open(struct serve *sv, const struct env *env,
	const struct serve_to *to, struct bytes frame,
	struct sstream **st) P2P_MUST_CHECK;

/*
 * Within readable, whose *in it is: the next frame of what is left there. 1:
 * *frame is one, valid until the next call on r and as long as *in; 0: there is
 * no whole one yet; what is left of *in comes again with more. P2P_ERR_TOO_BIG,
 * P2P_ERR_MALFORMED, P2P_ERR_LIMIT when the budget refuses; P2P_ERR_TRUNCATED
 * when `end` comes within one.
 */
int request_read(struct request *r, struct sstream *st, size_t frame_max,
	struct serve_in *in, struct bytes *frame) P2P_MUST_CHECK;
void request_clear(struct request *r);

#endif

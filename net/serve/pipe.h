/*
 * Frames between the streams of a protocol and another thread, the chat thread
 * above all, which has the whole of the protocol: it needs no file in net/.
 *
 *   pipe_open, _send, _took, _close  -->  pipes  --> streams
 *   pipe_next_event: UP, FRAME, ROOM, END, GONE <--  pipes  <-- streams
 *
 * Both ways push back. Of one stream at most PIPE_AHEAD_BYTES wait until the
 * other thread says pipe_took; then its reading is held. The other thread has
 * at most PIPE_OUT_BYTES under way that ROOM has not given back.
 *
 * A pipe is a number. Those that peers open are given one here, below
 * PIPE_OURS; those that the other thread opens have one that it chooses, from
 * PIPE_OURS on, never twice.
 */
#ifndef NET_SERVE_PIPE_H
#define NET_SERVE_PIPE_H

#include "net/serve/serve.h"

#define PIPE_OURS (1ull << 63)
/* What a frame costs while it waits, besides its bytes. */
#define PIPE_FRAME_COST_BYTES 128

/* The functions of every service that is a pipe; names, in_per_peer, limits,
 * frame_bytes_max and opens_a_minute are its own. */
#define PIPE_OPS \
	.start = pipe_start, .opened = pipe_opened, .readable = pipe_readable, \
	.writable = pipe_writable, .gone = pipe_gone, \
	.conn_down = pipe_conn_down, .free = pipe_free, \
	.state_bytes = PIPE_STATE_BYTES
#define PIPE_STATE_BYTES 160

enum pipe_event_kind {
	PIPE_EV_UP,    /* both sides agree; inbound ones are new by it */
	PIPE_EV_FRAME, /* data, len */
	PIPE_EV_ROOM,  /* len: bytes of frames that are on their way */
	PIPE_EV_END,   /* the peer says no more */
	PIPE_EV_GONE,  /* err; 0: both sides have closed it. The number is no
			  more; a frame that had not come whole is lost */
};

struct pipe_event {
	enum pipe_event_kind kind;
	uint64_t pipe;
	struct peer_id peer;
	const char *name; /* the protocol's first; static */
	bool inbound;
	int err;
	size_t len;
	uint8_t *data; /* of FRAME: the receiver frees it */
};

/* ---- for the owner ----------------------------------------------------- */

/*
 * Opens one to a peer. name: the first of the protocol's. UP or GONE follows.
 * P2P_ERR_NOT_FOUND (no such protocol, or no connection), P2P_ERR_EXISTS (the
 * number is taken, or is not one of PIPE_OURS), P2P_ERR_LIMIT,
 * P2P_ERR_NO_PROTOCOL: none follows.
 */
int pipe_open(struct serve *sv, const struct env *env, uint64_t pipe,
	const struct peer_id *peer, const char *name) P2P_MUST_CHECK;
/* A frame of at most the protocol's frame_bytes_max. May be sent before UP when
 * the protocol has one name. Unknown numbers are ignored, for it may have gone
 * just now; whoever sends more than is allowed has the pipe reset. */
void pipe_send(struct serve *sv, const struct env *env, uint64_t pipe,
	struct bytes frame);
/* One frame of so many bytes was taken in. */
void pipe_took(struct serve *sv, uint64_t pipe, size_t bytes);
/* We say no more; reset: and hear no more, no event follows. */
void pipe_close(
	struct serve *sv, const struct env *env, uint64_t pipe, bool reset);
/* The owner takes them as it has room. */
bool pipe_waiting(const struct serve *sv);
bool pipe_next_event(struct serve *sv, struct pipe_event *ev);

/* ---- the functions in PIPE_OPS: as struct service_ops says --------------- */

/* As .start. */
void *pipe_start(struct serve *sv, const struct service_ops *ops,
	const struct serve_cfg *cfg, const struct env *env);
/* As .opened. */
void pipe_opened(void *self, const struct env *env, struct sstream *st);
/* As .readable. */
int pipe_readable(void *self, const struct env *env, struct sstream *st,
	struct serve_in *in);
/* As .writable. */
void pipe_writable(void *self, const struct env *env, struct sstream *st);
/* As .gone. */
void pipe_gone(void *self, const struct env *env, struct sstream *st,
	struct bytes rest, int err);
/* As .conn_down. */
void pipe_conn_down(void *self, const struct env *env, uint64_t conn);
/* As .free. */
void pipe_free(void *self);

#endif

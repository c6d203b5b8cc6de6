/*
 * Many streams over one ordered, secured byte pipe: yamux (yamux spec) or
 * mplex (mplex spec) behind one set of verbs. Pure: no I/O, no clock of its
 * own. One struct muxer per connection, used by one thread.
 *
 *            muxer_feed            muxer_read_peek/consume
 *   bytes ------------>  muxer  ------------------------->  streams
 *         <------------         <-------------------------
 *           out (bufq)            muxer_write, _close, _reset
 *
 * A stream is a number from 1 on that the muxer hands out; it is never used
 * again within a connection. Every number lives until the user calls
 * muxer_forget or muxer_reset; from then on calls with it return
 * P2P_ERR_NOT_FOUND. After MUX_EV_RESET the stream can only be read (what
 * came before the reset) and forgotten; writing returns P2P_ERR_RESET.
 *
 *   opened -> accepted -> half closed (either side first) -> ended -> forgotten
 *        '--------'-----------'---> reset by the other side ---------'
 *
 * `out` is where frames to send are appended. The same queue is given to all
 * calls on one muxer; its maximum is at least MUX_OUT_BYTES_MIN. Limits are in
 * upgrade_limits.h.
 */
#ifndef NET_UPGRADE_MUXER_H
#define NET_UPGRADE_MUXER_H

#include "base/budget.h"
#include "base/bufq.h"
#include "base/env.h"

#define MUX_OUT_BYTES_MIN 8192

struct muxer;

enum muxer_kind {
	MUXER_YAMUX, /* /yamux/1.0.0 */
	MUXER_MPLEX, /* /mplex/6.7.0 */
};

struct muxer_cfg {
	enum muxer_kind kind;
	bool initiator;          /* of the connection below: odd ids in yamux */
	struct budget *budget;   /* of the connection: receive buffers */
	uint32_t streams_in_max; /* open at once, by the other side */
	uint32_t streams_unaccepted_max; /* opened, not yet muxer_accept()ed */
	/* Whether the other side lives, yamux only. At rest one side asks it
	 * after so long without a byte; the other one's part is to hear that,
	 * and to ask a little later when it does not. */
	uint64_t ping_interval_ms; /* P2P_NEVER: no pings */
	uint64_t ping_timeout_ms;  /* asked, and no byte came: MUX_EV_DEAD */
	bool asks; /* we are that side, unless a dialler does it for us */
};

enum mux_event_kind {
	MUX_EV_OPENED,   /* the other side opened `stream` */
	MUX_EV_READABLE, /* new bytes, or the end, can be read */
	MUX_EV_WRITABLE, /* a write that was cut short can go on; on stream 0:
			    muxer_open, refused with P2P_ERR_LIMIT, can be
			    tried again */
	MUX_EV_RESET,    /* code 0: reset by the other side; unread bytes stay
			    readable until muxer_forget (js ends replies with
			    RESET). code 1: reset by us, since its bytes found
			    no room; they are gone */
	MUX_EV_RTT,      /* a ping was answered: rtt_us */
	MUX_EV_GO_AWAY,  /* the other side opens and accepts no more: code */
	MUX_EV_DEAD,     /* a ping was not answered in time */
};

struct mux_event {
	enum mux_event_kind kind;
	uint64_t stream;
	void *tag; /* of the stream: see muxer_tag */
	/* From handing the ping to the carrier to feeding its answer: the way,
	 * the kernels, the other program's turn, and what was fed before it in
	 * ours. The least of the last YAMUX_ROUND_TRIPS. */
	uint64_t rtt_us;
	uint32_t code; /* RESET as above, GO_AWAY as the other side says */
};

/* What was refused or ignored since the start, for people to look at. */
struct muxer_counts {
	uint64_t streams_refused; /* opened by the other side, over a limit */
	uint64_t streams_dropped; /* reset by us for want of room */
	uint64_t frames_unknown;  /* for streams that are no more */
	uint64_t pings_answered;
};

/* cfg is copied. The budget outlives the muxer. Never NULL. */
struct muxer *muxer_new(const struct muxer_cfg *cfg, const struct env *env);
/* Gives everything charged back to the budget. NULL is allowed. */
void muxer_free(struct muxer *m);

/*
 * Takes bytes from the secured pipe. *taken may be less than in.len only when
 * `out` has no room for the answers (pongs, window updates, resets): feed the
 * rest later. Any error is final for the connection: P2P_ERR_PROTOCOL,
 * P2P_ERR_TOO_BIG, P2P_ERR_LIMIT.
 */
int muxer_feed(struct muxer *m, const struct env *env, struct bytes in,
	size_t *taken, struct bufq *out) P2P_MUST_CHECK;
/* The next thing that happened; false when there is none. */
bool muxer_next_event(struct muxer *m, struct mux_event *ev);
/* What was in `out` goes to the carrier now; gone: all of it is there. Between
 * the turn that asks and the socket may lie the writing to a hundred others:
 * round trips are measured from here. */
void muxer_leaving(struct muxer *m, const struct env *env, bool gone);
/* Pings and time-outs; call when muxer_deadline has come, or more often. */
void muxer_tick(struct muxer *m, const struct env *env, struct bufq *out);
uint64_t muxer_deadline(const struct muxer *m);

/*
 * Opens a stream: its number in *stream; it can be written at once.
 * P2P_ERR_LIMIT when too many of ours are open or unacknowledged, or (mplex)
 * the last opens are too fresh: MUX_EV_WRITABLE on stream 0 tells when to try
 * again, and muxer_deadline when to look. P2P_ERR_LIMIT without that event
 * when the budget refuses. P2P_ERR_FULL when out has no room, P2P_ERR_CLOSED
 * after a GoAway of either side.
 */
int muxer_open(struct muxer *m, const struct env *env, uint64_t *stream,
	struct bufq *out) P2P_MUST_CHECK;
/*
 * What the user has for the stream, borrowed: it comes with each event of the
 * stream from now on, so that nothing has to be looked up. No event of a stream
 * comes after muxer_forget or muxer_reset.
 */
void muxer_tag(struct muxer *m, uint64_t stream, void *tag);
/* NULL when there is none. */
void *muxer_tag_of(const struct muxer *m, uint64_t stream);
/* The user knows a stream of the other side and will serve it: acknowledged
 * to the other side (yamux), no longer counted as unaccepted. */
int muxer_accept(struct muxer *m, uint64_t stream, struct bufq *out);

/*
 * Sends as much of `in` as credit and `out` allow, in frames; *taken says how
 * much. When it is less than in.len, MUX_EV_WRITABLE follows once there is
 * credit again (room in `out` is the caller's to see: `out` was consumed). A
 * part of `out` is left free for answers, so that two full sides cannot wait
 * for one another. P2P_ERR_STATE after muxer_close_write, P2P_ERR_RESET after
 * MUX_EV_RESET.
 */
int muxer_write(struct muxer *m, uint64_t stream, struct bytes in,
	size_t *taken, struct bufq *out) P2P_MUST_CHECK;
/* Half-close: no more writes by us. The frame is kept until `out` has room. */
int muxer_close_write(struct muxer *m, uint64_t stream, struct bufq *out);
/* Ends both directions at once and forgets the stream. */
int muxer_reset(struct muxer *m, uint64_t stream, struct bufq *out);
/* The user is done with an ended stream; resets it if it is not ended. */
void muxer_forget(struct muxer *m, uint64_t stream, struct bufq *out);

/*
 * The bytes received and not yet consumed; valid until the next call on m.
 * *end is set when the other side has closed or reset and these are the last.
 */
struct bytes muxer_read_peek(const struct muxer *m, uint64_t stream, bool *end);
/* Uses up n bytes; credit is given back when a quarter of the window is used
 * up, so a reader that stops reading stops the writer (yamux). */
int muxer_read_consume(
	struct muxer *m, uint64_t stream, size_t n, struct bufq *out);
/* The user keeps so many of the bytes that it consumed, in place of what it
 * kept before: no credit is given for them (yamux), so what one stream brings
 * and the user has not done with is no more than a window. */
int muxer_read_withhold(
	struct muxer *m, uint64_t stream, size_t n, struct bufq *out);

/* Frames that could not be written for want of room in `out` (credit,
 * closes, resets): call when `out` has room again. */
void muxer_flush(struct muxer *m, struct bufq *out);
/* Numbers that are alive, of both sides. */
uint32_t muxer_stream_count(const struct muxer *m);
const struct muxer_counts *muxer_counts(const struct muxer *m);
/* Tells the other side that no more streams come (yamux GoAway 0). */
void muxer_go_away(struct muxer *m, struct bufq *out);

#endif

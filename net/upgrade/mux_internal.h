/*
 * What yamux.c, mplex.c and muxer.c share: the muxer and stream structs, the
 * streams' life, their receive buffers, their events. Only for this folder
 * and its tests.
 *
 * muxer.c   the verbs of muxer.h, the feed loop, dispatch by kind
 * mux_stream.c  streams, receive buffers, events: the same for both kinds
 * yamux.c, mplex.c  the wire: heads in, frames out, credit, pings, pacing
 *
 * A frame is fed as head and body. The kind's take_head collects the head in
 * m->head, checks everything that can be checked before state is made, acts,
 * and leaves in m->body_left how many payload bytes follow; muxer.c moves
 * those to m->body_stream, or skips them when that is NULL.
 *
 * A stream is in three places: `numbers` (what the user knows), `wire` (what
 * the other side can reach by its id), and the list of those that owe a
 * frame. It is freed when it is in none of them.
 */
#ifndef NET_UPGRADE_MUX_INTERNAL_H
#define NET_UPGRADE_MUX_INTERNAL_H

#include "base/list.h"
#include "base/table.h"
#include "net/upgrade/muxer.h"
#include "net/upgrade/upgrade_limits.h"

/* Two uvarints of at most nine bytes, or the 12 bytes of a yamux header. */
#define MUX_HEAD_BYTES_MAX 18

/* Frames that a stream still has to send, when `out` has room. */
enum mux_owed {
	MUX_OWE_ACK = 1,    /* yamux: the stream was accepted */
	MUX_OWE_CREDIT = 2, /* yamux: a window update */
	MUX_OWE_FIN = 4,
	MUX_OWE_RST = 8, /* alone: nothing else is sent any more */
};

/* Received and not yet consumed; memory is charged before it is allocated. */
struct mux_recv {
	uint8_t *data; /* owned */
	size_t head;   /* where the first byte stands */
	size_t len;
	size_t cap;
};

struct mux_stream {
	uint64_t number;
	void *tag;         /* the user's */
	uint64_t wire_id;  /* in yamux both sides' ids differ by parity */
	struct list ready; /* in m->ready while `events` is not 0 */
	struct list owing; /* in m->owing while `owed` is not 0 */
	unsigned events;   /* 1 << enum mux_event_kind */
	unsigned owed;     /* enum mux_owed */
	bool ours;         /* opened by us */
	bool accepted;
	bool known;      /* to the user, in `numbers` */
	bool on_wire;    /* reachable, in `wire` */
	bool recv_ended; /* the other side writes no more */
	bool send_ended; /* we write no more */
	bool reset;      /* by either side */
	uint32_t reset_code;
	struct mux_recv recv;
	size_t charged;  /* for the stream and its buffer together */
	size_t reserved; /* bytes of buffer that stay charged when empty */

	/* yamux only. While the other side may still write:
	 * recv_window = recv_left + recv.len + used_up + payload under way */
	bool acked;           /* ours, acknowledged by the other side */
	bool wants_credit;    /* a write was cut short */
	uint64_t send_credit; /* payload we may send */
	uint32_t recv_window;
	uint32_t recv_left;  /* payload the other side may send */
	uint32_t used_up;    /* consumed, not yet given back as credit */
	uint32_t withheld;   /* of it, what the user keeps */
	uint64_t epoch_ms;   /* when the window was decided last */
	uint32_t epoch_used; /* consumed since then */
};

/* So many at once, then so many a second. */
struct mux_bucket {
	uint64_t used_thousandths;
	uint64_t at_ms;
};

struct yamux_state {
	uint64_t next_id;
	uint32_t unacked_count;
	bool asks;        /* at rest it is us who asks */
	bool ask_at_once; /* to measure */
	bool ping_sent;   /* and not answered */
	bool ping_left;   /* the carrier has taken it */
	uint32_t ping_value;
	uint64_t ping_sent_ms; /* the last one, or the start */
	uint64_t ping_left_us;
	/* The last round trips, the newest first; P2P_NEVER: not so many yet.
	 */
	uint64_t took_us[YAMUX_ROUND_TRIPS];
	uint64_t rtt_us; /* the least of them; P2P_NEVER: none yet */
	struct mux_bucket pings;
	struct mux_bucket strays; /* pongs, GoAways of no meaning */
};

struct mplex_state {
	uint64_t next_id;
	uint64_t opened_ms[MPLEX_OPENS_MAX]; /* ring of the last opens */
	uint64_t opened_count;
};

struct mux_ops;

struct muxer {
	struct muxer_cfg cfg;
	const struct mux_ops *ops;
	uint64_t now_ms; /* as the last call that knew it said */
	uint64_t now_us;
	uint64_t heard_ms; /* when bytes came last, or the start */
	uint64_t last_number;
	struct table numbers; /* number -> stream, while the user knows it */
	struct table wire;    /* id, who opened -> stream */
	struct list all_owing;
	struct list all_ready;
	uint32_t in_count;  /* of the other side, until freed */
	uint32_t out_count; /* ours, until freed */
	uint32_t unaccepted_count;
	size_t unread_bytes; /* in the receive buffers of all streams */
	struct bufq answers;
	struct muxer_counts counts;
	struct mux_bucket refusals;
	struct mux_bucket resets;

	/* the frame being taken */
	uint8_t head[MUX_HEAD_BYTES_MAX];
	size_t head_len;
	uint64_t body_left;
	struct mux_stream *body_stream; /* NULL: skip */
	bool body_fin;                  /* the stream ends behind the body */

	/* events of the connection, 1 << enum mux_event_kind */
	unsigned events;
	uint64_t event_rtt_us;
	uint32_t event_code;
	bool open_refused; /* the user waits to open a stream */
	bool go_away_sent;
	bool go_away_owed;
	bool go_away_seen;
	bool dead;
	int failed; /* the error that ended the connection, or 0 */

	union {
		struct yamux_state yamux;
		struct mplex_state mplex;
	} u;
};

/* What the kinds do differently. */
struct mux_ops {
	void (*init)(struct muxer *m, const struct env *env);
	/* Takes bytes of a head; acts once it is whole. */
	int (*take_head)(struct muxer *m, struct bytes in, size_t *taken);
	/* May one more be opened now? 0 or P2P_ERR_LIMIT. */
	int (*may_open)(const struct muxer *m);
	/* A new stream with its opening frame in out, at *s; P2P_ERR_FULL, or
	 * P2P_ERR_LIMIT when the budget refuses or ids are used up. */
	int (*open)(struct muxer *m, struct mux_stream **s, struct bufq *out);
	/* One data frame of at most in.len bytes; 0 when none fits. */
	size_t (*send)(struct muxer *m, struct mux_stream *s, struct bytes in,
		struct bufq *out);
	/* Writes what s owes and clears those bits; false: no room. */
	bool (*send_owed)(
		struct muxer *m, struct mux_stream *s, struct bufq *out);
	/* Before payload is kept: the longest the buffer may become, 0 when
	 * the stream was reset instead. */
	size_t (*make_room)(struct muxer *m, struct mux_stream *s, size_t n);
	/* The user consumed n bytes; 0: it keeps fewer of them than before. */
	void (*consumed)(struct muxer *m, struct mux_stream *s, size_t n);
	/* The stream cannot be reached any more. */
	void (*off_wire)(struct muxer *m, struct mux_stream *s);
	void (*tick)(struct muxer *m, const struct env *env);
	uint64_t (*deadline)(const struct muxer *m);
	/* muxer_leaving; NULL when the kind measures nothing. */
	void (*leaving)(struct muxer *m, bool gone);
	/* True when written, or when the kind has no such frame. */
	bool (*go_away)(struct bufq *out);
};

extern const struct mux_ops yamux_ops;
extern const struct mux_ops mplex_ops;

/* ---- streams (mux_stream.c) ---- */

/* A new stream with a number, in `numbers` and `wire`; NULL when the budget
 * refuses. */
struct mux_stream *mux_stream_new(struct muxer *m, uint64_t wire_id, bool ours);
/* Frees a stream wherever it is; for muxer_free and failed opens. */
void mux_stream_drop(struct muxer *m, struct mux_stream *s);
struct mux_stream *mux_stream_find(const struct muxer *m, uint64_t number);
struct mux_stream *mux_stream_on_wire(
	const struct muxer *m, uint64_t wire_id, bool ours);
/* The other side opened a stream that is over a limit: counted, 0, or
 * P2P_ERR_LIMIT when it does so too often. */
int mux_refuse_stream(struct muxer *m);
/* A frame for a stream that is no more, with so much payload behind it; an
 * error when there were too many that have none. */
int mux_unknown_frame(struct muxer *m, uint64_t payload);
/* True when the other side may open one more stream. */
bool mux_may_take_stream(const struct muxer *m);

/* What the other side did. */
void mux_stream_recv_fin(struct muxer *m, struct mux_stream *s);
/* 0, or P2P_ERR_LIMIT when it resets too often. */
int mux_stream_recv_rst(struct muxer *m, struct mux_stream *s);
/* Keeps payload; the stream is reset when there is no room for it. */
void mux_stream_recv_data(
	struct muxer *m, struct mux_stream *s, struct bytes in);

/* What we do. */
void mux_stream_accept(struct muxer *m, struct mux_stream *s);
void mux_stream_send_fin(struct muxer *m, struct mux_stream *s);
/* The user is done with s, which is freed now or when its last frame is sent;
 * `reset`: even a close that was not sent yet becomes a reset. */
void mux_stream_forget(struct muxer *m, struct mux_stream *s, bool reset);
/* Reset by us, the user is told: its bytes found no room. */
void mux_stream_overrun(struct muxer *m, struct mux_stream *s);
void mux_stream_consume(struct muxer *m, struct mux_stream *s, size_t n);
/* The user keeps n of the bytes that it consumed. */
void mux_stream_withhold(struct muxer *m, struct mux_stream *s, size_t n);
/* Charges bytes of buffer ahead of their coming, so that they cannot be
 * refused then; 0 or P2P_ERR_LIMIT. Only while it leaves half of every
 * budget in the chain to others. */
int mux_stream_reserve(
	struct muxer *m, struct mux_stream *s, size_t bytes) P2P_MUST_CHECK;

void mux_stream_owe(struct muxer *m, struct mux_stream *s, unsigned what);
void mux_stream_event(
	struct muxer *m, struct mux_stream *s, enum mux_event_kind kind);
/* Sends what is owed by streams, oldest debt first. */
void mux_send_owed(struct muxer *m, struct bufq *out);

/* ---- small parts (mux_stream.c) ---- */

/* False when the bucket is empty; takes one out otherwise. */
bool mux_bucket_take(
	struct mux_bucket *b, uint64_t now_ms, uint64_t burst, uint64_t per_s);
/* Room in out for data, answers' part left out. */
size_t mux_data_room(const struct bufq *out);

#endif

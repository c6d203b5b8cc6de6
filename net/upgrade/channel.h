/*
 * A connection to one peer that is encrypted, proves who the peer is, and
 * carries many streams, whatever it is made of: all that net/swarm knows of
 * one (libp2p connections spec, "Upgrading Connections"). Pure: no I/O, no
 * clock. One owner, one thread.
 *
 *              feed               events, stream_peek, stream_consume
 *   carrier ----------> channel ------------------------------------> streams
 *           <----------         <------------------------------------
 *        out_peek, out_consume       stream_open, _write, _close_write
 *
 * A kind is a table of verbs (struct channel_ops) and a struct that begins with
 * struct channel. What each verb means for the kinds there are or will be:
 *
 *                 Noise and muxer over bytes   QUIC
 *                 (upgrader.h)
 *   feed          any piece of the stream of   one whole datagram; it is taken
 *                 bytes; what is not taken     or dropped, never taken in part
 *                 comes again
 *   out_peek      all that waits, as one run   the next datagram; the deadline
 *                 of bytes                     may be now, for pacing
 *   out_consume   any number of them           the datagram, whole
 *   is_held       the muxer has no room for    never
 *                 its answers
 *   SECURED       Noise has proven the key     TLS has, by the certificate
 *   READY         a muxer is agreed on         at once behind SECURED
 *   tick          the muxer's pings            loss, acknowledgements, idle end
 *   stream_accept acknowledges it (yamux)      nothing
 *   go_away       GoAway (yamux)               CONNECTION_CLOSE, code 0
 *
 * A relayed connection is the first kind: its carrier is a stream of another
 * connection (swarm_carried), which is the business of who moves the bytes.
 *
 * Streams have the numbers, events, order of calls and errors of muxer.h.
 */
#ifndef NET_UPGRADE_CHANNEL_H
#define NET_UPGRADE_CHANNEL_H

#include "net/identity/peer_id.h"
#include "net/upgrade/muxer.h"

enum channel_event_kind {
	CHANNEL_EV_SECURED, /* the peer's id is proven: channel_peer() */
	CHANNEL_EV_READY,   /* streams can be opened: channel_info() */
	CHANNEL_EV_MUX,     /* of a stream, or of all: see .mux */
	CHANNEL_EV_FAILED,  /* an error met while nothing was fed: .err; as
			       after an error of channel_feed */
};

struct channel_event {
	enum channel_event_kind kind;
	struct mux_event mux;
	int err;
};

/* Of a channel that is READY; before, muxer is NULL. */
struct channel_info {
	const char *muxer; /* static, for people: "yamux" */
	bool muxer_early;  /* agreed on within the handshake */
	bool pings;        /* it asks for signs of life by itself and tells
			      MUX_EV_RTT and MUX_EV_DEAD */
};

struct channel {
	const struct channel_ops *ops;
};

struct channel_ops {
	void (*free)(struct channel *c);
	int (*feed)(struct channel *c, const struct env *env, struct bytes in,
		size_t *taken);
	bool (*is_held)(const struct channel *c);
	struct bytes (*out_peek)(struct channel *c, const struct env *env);
	void (*out_consume)(struct channel *c, size_t n);
	bool (*next_event)(struct channel *c, struct channel_event *ev);
	void (*tick)(struct channel *c, const struct env *env);
	uint64_t (*deadline)(const struct channel *c);
	const struct peer_id *(*peer)(const struct channel *c);
	struct bytes (*peer_key)(const struct channel *c);
	struct channel_info (*info)(const struct channel *c);
	struct muxer_counts (*counts)(const struct channel *c);
	int (*stream_open)(
		struct channel *c, const struct env *env, uint64_t *stream);
	void (*stream_tag)(struct channel *c, uint64_t stream, void *tag);
	int (*stream_accept)(struct channel *c, uint64_t stream);
	int (*stream_write)(struct channel *c, uint64_t stream, struct bytes in,
		size_t *taken);
	struct bytes (*stream_peek)(
		const struct channel *c, uint64_t stream, bool *end);
	int (*stream_consume)(struct channel *c, uint64_t stream, size_t n);
	int (*stream_withhold)(struct channel *c, uint64_t stream, size_t n);
	int (*stream_close_write)(struct channel *c, uint64_t stream);
	void (*stream_forget)(struct channel *c, uint64_t stream);
	void (*go_away)(struct channel *c);
};

/* Wipes keys; NULL is allowed. */
static inline void channel_free(struct channel *c)
{
	if (c != NULL)
		c->ops->free(c);
}

/*
 * What the carrier has read. *taken < in.len when the readers of streams are
 * slow or too much waits to be written: stop reading the carrier and feed the
 * rest later. An error is final: close the carrier (after writing what
 * channel_out_peek still holds, when the class is not CLOSED).
 */
static inline P2P_MUST_CHECK int channel_feed(struct channel *c,
	const struct env *env, struct bytes in, size_t *taken)
{
	return c->ops->feed(c, env, in, taken);
}

/* Whether bytes that were taken wait for room towards the carrier. */
static inline bool channel_is_held(const struct channel *c)
{
	return c->ops->is_held(c);
}

/* What is to be written to the carrier; valid until the next call on c. Call it
 * once a turn even when the carrier takes nothing: it lets in what waited. */
static inline struct bytes channel_out_peek(
	struct channel *c, const struct env *env)
{
	return c->ops->out_peek(c, env);
}

static inline void channel_out_consume(struct channel *c, size_t n)
{
	c->ops->out_consume(c, n);
}

/* The next thing that happened; false when there is none. */
static inline bool channel_next_event(
	struct channel *c, struct channel_event *ev)
{
	return c->ops->next_event(c, ev);
}

/* Call when channel_deadline has come, or more often. */
static inline void channel_tick(struct channel *c, const struct env *env)
{
	c->ops->tick(c, env);
}

static inline uint64_t channel_deadline(const struct channel *c)
{
	return c->ops->deadline(c);
}

/* Valid after SECURED, and after the error P2P_ERR_MISMATCH. */
static inline const struct peer_id *channel_peer(const struct channel *c)
{
	return c->ops->peer(c);
}

/* The proven key, a protobuf; valid after SECURED. */
static inline struct bytes channel_peer_key(const struct channel *c)
{
	return c->ops->peer_key(c);
}

static inline struct channel_info channel_info(const struct channel *c)
{
	return c->ops->info(c);
}

/* All 0 before READY. */
static inline struct muxer_counts channel_counts(const struct channel *c)
{
	return c->ops->counts(c);
}

/* As muxer_open. */
static inline P2P_MUST_CHECK int channel_stream_open(
	struct channel *c, const struct env *env, uint64_t *stream)
{
	return c->ops->stream_open(c, env, stream);
}

/* As muxer_tag. */
static inline void channel_stream_tag(
	struct channel *c, uint64_t stream, void *tag)
{
	c->ops->stream_tag(c, stream, tag);
}

/* As muxer_accept. */
static inline int channel_stream_accept(struct channel *c, uint64_t stream)
{
	return c->ops->stream_accept(c, stream);
}

/* As muxer_write; MUX_EV_WRITABLE also follows when it was the channel that had
 * no room. */
static inline P2P_MUST_CHECK int channel_stream_write(
	struct channel *c, uint64_t stream, struct bytes in, size_t *taken)
{
	return c->ops->stream_write(c, stream, in, taken);
}

/* As muxer_read_peek. */
static inline struct bytes channel_stream_peek(
	const struct channel *c, uint64_t stream, bool *end)
{
	return c->ops->stream_peek(c, stream, end);
}

/* As muxer_read_consume. */
static inline int channel_stream_consume(
	struct channel *c, uint64_t stream, size_t n)
{
	return c->ops->stream_consume(c, stream, n);
}

/* As muxer_read_withhold. */
static inline int channel_stream_withhold(
	struct channel *c, uint64_t stream, size_t n)
{
	return c->ops->stream_withhold(c, stream, n);
}

/* As muxer_close_write. */
static inline int channel_stream_close_write(struct channel *c, uint64_t stream)
{
	return c->ops->stream_close_write(c, stream);
}

/* As muxer_forget. */
static inline void channel_stream_forget(struct channel *c, uint64_t stream)
{
	c->ops->stream_forget(c, stream);
}

/* No more streams come from us. */
static inline void channel_go_away(struct channel *c)
{
	c->ops->go_away(c);
}

#endif

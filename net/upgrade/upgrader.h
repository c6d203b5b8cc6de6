/*
 * One connection from raw carrier bytes to streams: the stack
 *
 *   carrier -> multistream -> Noise -> (early muxer | multistream) -> muxer
 *
 * owned in one place (libp2p connections spec, "Upgrading Connections").
 * Layers are joined by bounded queues and do not know one another. Pure: no
 * I/O, no clock. One struct upgrader per connection, one thread.
 *
 *   NEGOTIATE_SECURITY -> HANDSHAKE -> NEGOTIATE_MUXER -> READY -> DEAD
 *                             '---- early muxer ----------^
 *
 * The initiator sends header, proposal and the first Noise message in one
 * flight: whoever refuses Noise is of no use anyway.
 *
 * One turn: feed what was read, take the events, then out_peek and write.
 * Streams write into an inner queue; out_peek seals it into few large frames
 * and lets in what waited for room, so it is called once a turn even when the
 * carrier cannot take more.
 */
#ifndef NET_UPGRADE_UPGRADER_H
#define NET_UPGRADE_UPGRADER_H

#include "net/identity/key.h"
#include "net/upgrade/muxer.h"

struct upgrader;

struct upgrader_cfg {
	const struct identity *me; /* borrowed, outlives the upgrader */
	bool initiator;
	struct peer_id expect; /* dialled peer; none: taken on first sight */
	bool early_muxers;     /* Noise extension; tests switch it off */
	bool offer_yamux;
	bool offer_mplex;     /* offered last */
	size_t out_bytes_max; /* to the carrier; at least
				      UPGRADER_OUT_BYTES_MIN */
	/* kind and initiator are filled in here; the budget is charged for
	 * what this layer buffers of the other side's bytes, too. */
	struct muxer_cfg muxer;
};

enum upgrade_event_kind {
	UPGRADE_EV_SECURED, /* the peer's id is proven: upgrader_peer() */
	UPGRADE_EV_READY,   /* streams can be opened: upgrader_muxer_kind() */
	UPGRADE_EV_MUX,     /* see .mux */
	UPGRADE_EV_FAILED,  /* an error met while no bytes were fed: .err; as
			       after an error of upgrader_feed */
};

struct upgrade_event {
	enum upgrade_event_kind kind;
	struct mux_event mux;
	int err;
};

struct upgrader *upgrader_new(
	const struct upgrader_cfg *cfg, const struct env *env);
void upgrader_free(struct upgrader *u); /* wipes keys; NULL is allowed */

/*
 * Bytes from the carrier. *taken < in.len when the out queue is full or the
 * readers are slow: stop reading the carrier and feed the rest later. An error
 * is final: close the carrier (after writing what upgrader_out_peek still
 * holds, when the class is not CLOSED).
 */
int upgrader_feed(struct upgrader *u, const struct env *env, struct bytes in,
	size_t *taken) P2P_MUST_CHECK;
/* Whether bytes that were taken wait for room towards the carrier. */
bool upgrader_is_held(const struct upgrader *u);
/* What is to be written to the carrier; valid until the next call. */
struct bytes upgrader_out_peek(struct upgrader *u, const struct env *env);
void upgrader_out_consume(struct upgrader *u, size_t n);

bool upgrader_next_event(struct upgrader *u, struct upgrade_event *ev);
void upgrader_tick(struct upgrader *u, const struct env *env);
uint64_t upgrader_deadline(const struct upgrader *u);

/* Valid after UPGRADE_EV_SECURED, and the first after P2P_ERR_MISMATCH. */
const struct peer_id *upgrader_peer(const struct upgrader *u);
struct bytes upgrader_peer_key(const struct upgrader *u); /* protobuf */
/* Valid after UPGRADE_EV_READY. */
enum muxer_kind upgrader_muxer_kind(const struct upgrader *u);
/* The muxer was agreed on within Noise, not by multistream. */
bool upgrader_muxer_early(const struct upgrader *u);
bool upgrader_ready(const struct upgrader *u);
/* All 0 before READY. */
struct muxer_counts upgrader_muxer_counts(const struct upgrader *u);

/* Streams: as the verbs of muxer.h of the same names, after READY. */
int upgrader_stream_open(struct upgrader *u, const struct env *env,
	uint64_t *stream) P2P_MUST_CHECK;
int upgrader_stream_accept(struct upgrader *u, uint64_t stream);
int upgrader_stream_write(struct upgrader *u, uint64_t stream, struct bytes in,
	size_t *taken) P2P_MUST_CHECK;
struct bytes upgrader_stream_peek(
	const struct upgrader *u, uint64_t stream, bool *end);
int upgrader_stream_consume(struct upgrader *u, uint64_t stream, size_t n);
int upgrader_stream_close_write(struct upgrader *u, uint64_t stream);
void upgrader_stream_forget(struct upgrader *u, uint64_t stream);
void upgrader_go_away(struct upgrader *u);

#endif

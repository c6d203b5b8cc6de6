/*
 * A channel (channel.h) from raw carrier bytes to streams: the stack
 *
 *   carrier -> multistream -> Noise -> (early muxer | multistream) -> muxer
 *
 * owned in one place (libp2p connections spec, "Upgrading Connections").
 * Layers are joined by bounded queues and do not know one another. Pure: no
 * I/O, no clock. One per connection, one thread.
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
#include "net/upgrade/channel.h"

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

/* Its first flight is there to be written at once. Never NULL. */
struct channel *upgrader_new(
	const struct upgrader_cfg *cfg, const struct env *env);

#endif

/*
 * The payload of Noise handshake messages 2 and 3 (libp2p noise spec,
 * "Libp2p Data in Handshake Messages" and "Noise Extensions").
 *
 *   NoiseHandshakePayload { identity_key 1, identity_sig 2, extensions 4 }
 *   NoiseExtensions { webtransport_certhashes 1, stream_muxers 2 }
 *
 * Field 3 was early data; it and the certificate hashes are skipped.
 */
#ifndef NET_WIRE_NOISE_PB_H
#define NET_WIRE_NOISE_PB_H

#include "base/buf.h"
#include "net/wire/wire_limits.h"

struct noise_payload {
	struct bytes identity_key; /* key protobuf */
	struct bytes identity_sig;
	struct bytes stream_muxers[NOISE_PB_MUXERS_MAX];
	size_t stream_muxer_count; /* 0: no list was sent, or an empty one */
};

/*
 * The views point into `in`. Key and signature are always there on success.
 * P2P_ERR_MALFORMED, P2P_ERR_TRUNCATED, or P2P_ERR_TOO_BIG (key, signature, a
 * muxer's name, or the count of muxers above its limit): fail the handshake.
 */
int noise_pb_read(struct noise_payload *p, struct bytes in) P2P_MUST_CHECK;
/* Appends the message; extensions only when there are muxers. */
void noise_pb_write(const struct noise_payload *p, struct buf *out);

#endif

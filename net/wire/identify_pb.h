/*
 * Identify and identify push (libp2p identify spec, "The Identify Message"):
 *
 *   Identify { publicKey 1, listenAddrs 2, protocols 3, observedAddr 4,
 *              protocolVersion 5, agentVersion 6, signedPeerRecord 8 }
 *
 * A stream may carry several of these messages, to be merged: reading into
 * the same struct again adds to the lists and replaces single values.
 */
#ifndef NET_WIRE_IDENTIFY_PB_H
#define NET_WIRE_IDENTIFY_PB_H

#include "base/buf.h"
#include "net/wire/wire_limits.h"

/* Views that are NULL were absent: in a push, unchanged. */
struct identify {
	struct bytes public_key;
	struct bytes listen_addrs[IDENTIFY_PB_ADDRS_MAX]; /* multiaddrs */
	size_t listen_addr_count;
	struct bytes protocols[IDENTIFY_PB_PROTOCOLS_MAX];
	size_t protocol_count;
	struct bytes observed_addr;
	struct bytes protocol_version;
	struct bytes agent_version;
	struct bytes signed_peer_record;
};

/*
 * Merges one message into *id, which the caller zeroed before the first. The
 * views point into `in`. More addresses or protocols than the maximum are cut
 * off, not punished; so are longer names. P2P_ERR_MALFORMED,
 * P2P_ERR_TRUNCATED, P2P_ERR_TOO_BIG (key or record).
 */
int identify_pb_read(struct identify *id, struct bytes in) P2P_MUST_CHECK;
/* Appends the message without its length. */
void identify_pb_write(const struct identify *id, struct buf *out);

#endif

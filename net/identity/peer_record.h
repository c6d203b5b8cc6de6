/*
 * Signed peer records (libp2p RFC 0003, with the values of envelope.h): the
 * addresses that a peer vouches for itself, newer ones replacing older ones.
 *
 *   PeerRecord { peer_id 1, seq 2, addresses 3 { multiaddr 1 } }
 */
#ifndef NET_IDENTITY_PEER_RECORD_H
#define NET_IDENTITY_PEER_RECORD_H

#include "net/identity/envelope.h"

struct peer_record {
	struct peer_id peer;
	/* Grows with each record of a peer; its unit is the peer's own
	 * business. Whoever keeps records refuses seq <= the last one seen. */
	uint64_t seq;
	/* Binary multiaddrs, views. Reading leaves out those that
	 * multiaddr_check_known refuses. */
	struct bytes addrs[PEER_RECORD_ADDRS_MAX];
	size_t addr_count;
};

/*
 * Opens the envelope `raw` and reads the record inside; the views point into
 * raw. The signer is the peer that the record speaks of. More addresses than
 * PEER_RECORD_ADDRS_MAX are cut off. Errors as envelope_open; P2P_ERR_AUTH
 * also when somebody else signed. *r is empty after an error.
 */
int peer_record_open(struct peer_record *r, struct bytes raw) P2P_MUST_CHECK;
/* Appends an envelope with a record of `me`; r->peer is not looked at.
 * P2P_ERR_TOO_BIG as envelope_seal. */
int peer_record_seal(const struct identity *me, const struct peer_record *r,
	struct buf *out) P2P_MUST_CHECK;

#endif

/*
 * Self-describing hashes (multiformats "multihash"): uvarint code, uvarint
 * length, digest.
 */
#ifndef NET_WIRE_MULTIHASH_H
#define NET_WIRE_MULTIHASH_H

#include "base/buf.h"
#include "base/cursor.h"

#define MULTIHASH_IDENTITY 0x00
#define MULTIHASH_SHA2_256 0x12

struct multihash {
	uint64_t code;
	struct bytes digest;
};

/*
 * Reads one; more may follow. Digests above MULTIHASH_DIGEST_BYTES_MAX fail
 * with P2P_ERR_TOO_BIG, a sha2-256 that has not 32 bytes with
 * P2P_ERR_MALFORMED. The error stays in the cursor, the result is zero then.
 */
struct multihash multihash_read(struct cursor *c);
/* Whether `raw` is a peer id's multihash and nothing more: identity of 1 to
 * 42 bytes, or sha2-256 (libp2p peer-ids spec, "Peer Ids"). */
bool multihash_is_peer_id(struct bytes raw);

#endif

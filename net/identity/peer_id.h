/*
 * Peer ids: the multihash of a public key's protobuf (libp2p peer-ids spec).
 * A value type of fixed size: copied freely, compared bytewise.
 */
#ifndef NET_IDENTITY_PEER_ID_H
#define NET_IDENTITY_PEER_ID_H

#include "base/buf.h"

/* Identity multihash of at most 42 key bytes, or sha2-256: 2 + 42. */
#define PEER_ID_BYTES_MAX 44
/* Longest text form we write (base58) and its NUL. */
#define PEER_ID_TEXT_MAX 64

struct peer_id {
	uint8_t len; /* 0: no peer */
	uint8_t raw[PEER_ID_BYTES_MAX];
};

static inline struct bytes peer_id_bytes(const struct peer_id *id)
{
	return bytes_of(id->raw, id->len);
}

static inline bool peer_id_equal(
	const struct peer_id *a, const struct peer_id *b)
{
	return bytes_equal(peer_id_bytes(a), peer_id_bytes(b));
}

static inline bool peer_id_none(const struct peer_id *id)
{
	return id->len == 0;
}

/*
 * From the binary multihash; exactly the two forms of the spec: identity
 * (00) of 1 to 42 bytes, sha2-256 (12 20). Else P2P_ERR_MALFORMED.
 */
int peer_id_parse(struct peer_id *id, struct bytes raw) P2P_MUST_CHECK;
/*
 * From text: base58btc ("12D3Koo", "16Uiu2", "Qm"), or a CIDv1 in base32
 * ("bafz") or base36 ("k") with codec libp2p-key. P2P_ERR_MALFORMED.
 */
int peer_id_parse_text(struct peer_id *id, struct bytes text) P2P_MUST_CHECK;
/* The id of a public key given as its protobuf (section "Keys"). */
void peer_id_of_key(struct peer_id *id, struct bytes key_pb);
/* The key protobuf inside an identity id, or an empty view (sha2-256). The
 * view points into *id. */
struct bytes peer_id_key(const struct peer_id *id);

/* Base58 text with its NUL; returns out. */
const char *peer_id_text(
	const struct peer_id *id, char out[static PEER_ID_TEXT_MAX]);
/* CIDv1 base32 text appended. */
void peer_id_cid_text(const struct peer_id *id, struct buf *out);

#endif

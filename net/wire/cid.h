/*
 * Content identifiers (multiformats "CID"), as far as peers' names and DHT
 * keys need them. Version 0 is a bare sha2-256 multihash (34 bytes, in text
 * base58 "Qm..."); version 1 is 01, uvarint codec, multihash.
 */
#ifndef NET_WIRE_CID_H
#define NET_WIRE_CID_H

#include "base/buf.h"
#include "net/wire/multihash.h"

#define CID_CODEC_RAW 0x55
#define CID_CODEC_DAG_PB 0x70
#define CID_CODEC_LIBP2P_KEY 0x72

struct cid {
	unsigned version;  /* 0 or 1 */
	uint64_t codec;    /* CID_CODEC_DAG_PB for version 0 */
	struct bytes hash; /* the whole multihash: a view into what was read */
};

/* The whole of `raw` is one CID. P2P_ERR_MALFORMED, P2P_ERR_TRUNCATED,
 * P2P_ERR_TOO_BIG. */
int cid_parse(struct cid *cid, struct bytes raw) P2P_MUST_CHECK;
/* Appends the binary form. */
int cid_append(const struct cid *cid, struct buf *out);
/*
 * Text ("Qm...", or version 1 with its multibase prefix) to binary, which is
 * appended to out and checked. Errors as cid_parse, and P2P_ERR_UNSUPPORTED
 * for a base that multibase.h does not list.
 */
int cid_parse_text(struct bytes text, struct buf *out) P2P_MUST_CHECK;
/*
 * A peer id from either of its two text forms: base58 multihash ("1...",
 * "Qm..."), or version 1 with codec libp2p-key. Appends the multihash.
 * P2P_ERR_MALFORMED for everything that is not one.
 */
int cid_parse_peer_text(struct bytes text, struct buf *out) P2P_MUST_CHECK;

#endif

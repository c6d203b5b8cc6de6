/*
 * The unit of everything: one GossipSub message exactly as its author signed
 * it (pubsub spec, "The Message"; StrictSign). It is what is stored, shown,
 * forwarded and handed to those who missed it. Validity is a function of the
 * bytes alone, for ever: frozen by tests/vectors.
 *
 * Binary form: the protobuf Message { from 1, data 2, seqno 3, topic 4,
 * signature 5, key 6 }. All of from, data, seqno (8 bytes) and topic must be
 * present; a message with a field that we do not know is ignored, never
 * stored, because signatures cover unknown fields too.
 */
#ifndef NET_UNIT_UNIT_H
#define NET_UNIT_UNIT_H

#include "base/buf.h"
#include "net/identity/key.h"

#define UNIT_ID_BYTES 32
#define UNIT_DATA_BYTES_MAX 65536 /* accepted, for ever */
#define UNIT_TOPIC_BYTES_MAX 128
#define UNIT_SEQNO_BYTES 8
/* data + topic + from + seqno + signature + key + framing, rounded up. */
#define UNIT_BYTES_MAX (UNIT_DATA_BYTES_MAX + 4096)
/* gossip_id: from || seqno. */
#define UNIT_GOSSIP_ID_BYTES_MAX (PEER_ID_BYTES_MAX + UNIT_SEQNO_BYTES)

/* A parsed unit; the views point into the bytes that were parsed. */
struct unit {
	struct peer_id from;
	struct bytes data;
	uint8_t seqno[UNIT_SEQNO_BYTES];
	struct bytes topic;
	struct bytes signature;
	struct bytes key; /* empty when the author left it out */
};

/* Names a line in the store, on screen and in history exchange: BLAKE2b-256
 * over from, seqno, topic, data, each with its length (u64 LE) in front. */
struct unit_id {
	uint8_t raw[UNIT_ID_BYTES];
};

static inline bool unit_id_equal(
	const struct unit_id *a, const struct unit_id *b)
{
	return memcmp(a->raw, b->raw, UNIT_ID_BYTES) == 0;
}

/*
 * Makes and signs a unit; appends its bytes to out. data is within its limit
 * and topic has 1 to UNIT_TOPIC_BYTES_MAX bytes, of any value; else, or when
 * out has no room, P2P_ERR_TOO_BIG and out->len is as before. The key field is
 * written: some programs want it always.
 */
int unit_sign(const struct identity *me, uint64_t seqno, struct bytes topic,
	struct bytes data, struct buf *out) P2P_MUST_CHECK;

/*
 * Reads the form only; allocates nothing. The verdict on any bytes never
 * changes (tests/vectors/unit.txt):
 *   P2P_ERR_MALFORMED    reject: not protobuf, a field twice or out of order,
 *                        from is no peer id, seqno has not 8 bytes
 *   P2P_ERR_TOO_BIG      ignore: raw, data, topic, signature or key
 *   P2P_ERR_UNSUPPORTED  ignore: unknown fields, unsigned, a field missing,
 *                        an empty topic
 * Empty data is in order.
 */
int unit_parse(struct unit *u, struct bytes raw) P2P_MUST_CHECK;
/* Checks the signature of a parsed unit; key, if present, must hash to from.
 * 0, P2P_ERR_AUTH (reject), P2P_ERR_UNSUPPORTED (ignore). */
int unit_verify(const struct unit *u) P2P_MUST_CHECK;

/* BLAKE2b-256 over from, seqno, topic, data, each length-prefixed. */
void unit_id_of(const struct unit *u, struct unit_id *id);
/* from || seqno into out; returns its length. */
size_t unit_gossip_id(
	const struct unit *u, uint8_t out[static UNIT_GOSSIP_ID_BYTES_MAX]);

#endif

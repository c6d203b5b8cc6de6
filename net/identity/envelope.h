/*
 * Signed envelopes (libp2p RFC 0002): bytes with their kind, signed for one
 * purpose, the domain.
 *
 *   Envelope { public_key 1, payload_type 2, payload 3, signature 5 }
 *
 * Signed are domain, payload_type and payload, each with its uvarint length.
 */
#ifndef NET_IDENTITY_ENVELOPE_H
#define NET_IDENTITY_ENVELOPE_H

#include "net/identity/key.h"
#include "net/wire/wire_limits.h"

/* A purpose and the kind of payload that goes with it; the values that every
 * implementation uses (RFC 0003's text has others, used by nobody). */
struct envelope_kind {
	const char *domain;
	uint8_t payload_type[2];
};

extern const struct envelope_kind envelope_peer_record;
extern const struct envelope_kind envelope_relay_voucher;

/* An envelope whose signature was checked. */
struct envelope {
	struct peer_id signer;
	struct bytes payload; /* a view into what was opened */
};

/*
 * Reads and verifies in one step; nothing unverified comes out. Fields stand
 * once and in order. P2P_ERR_MALFORMED (form, or another kind of payload),
 * P2P_ERR_TRUNCATED, P2P_ERR_TOO_BIG (ENVELOPE_BYTES_MAX), P2P_ERR_AUTH,
 * P2P_ERR_UNSUPPORTED (a kind of key that this build cannot check).
 */
int envelope_open(struct envelope *e, const struct envelope_kind *kind,
	struct bytes raw) P2P_MUST_CHECK;
/* Appends the envelope; P2P_ERR_TOO_BIG, with out->len as before, when it
 * would be larger than ENVELOPE_BYTES_MAX or out has no room. */
int envelope_seal(const struct identity *me, const struct envelope_kind *kind,
	struct bytes payload, struct buf *out) P2P_MUST_CHECK;

#endif

/*
 * Envelopes and peer records. The bytes go in as they are, and once more as
 * the payload of an envelope that is signed rightly, so that the reader of
 * records is reached. A record that was read can be sealed and read again.
 */
#include "net/identity/peer_record.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_record(const struct identity *me, struct bytes raw)
{
	struct peer_record r, again;
	struct buf out;

	if (peer_record_open(&r, raw) != 0) {
		P2P_ASSERT(peer_id_none(&r.peer) && r.addr_count == 0);
		return;
	}
	P2P_ASSERT(r.addr_count <= PEER_RECORD_ADDRS_MAX);
	buf_init(&out, ENVELOPE_BYTES_MAX);
	if (peer_record_seal(me, &r, &out) == 0) {
		P2P_ASSERT(peer_record_open(&again, buf_bytes(&out)) == 0);
		P2P_ASSERT(again.seq == r.seq);
		P2P_ASSERT(again.addr_count == r.addr_count);
		P2P_ASSERT(peer_id_equal(&again.peer, &me->id));
	}
	buf_clear(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const uint8_t seed[32] = {1};
	struct bytes in = bytes_of(data, size);
	struct identity me;
	struct envelope e;
	struct buf raw;

	if (crypto_init() != 0)
		return 0;
	identity_from_seed(&me, seed);
	check_record(&me, in);
	buf_init(&raw, ENVELOPE_BYTES_MAX);
	if (envelope_seal(&me, &envelope_peer_record, in, &raw) == 0) {
		P2P_ASSERT(envelope_open(&e, &envelope_peer_record,
				   buf_bytes(&raw)) == 0);
		P2P_ASSERT(bytes_equal(e.payload, in));
		check_record(&me, buf_bytes(&raw));
	}
	buf_clear(&raw);
	return 0;
}

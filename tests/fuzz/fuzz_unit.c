/*
 * Units. What is parsed has a name that depends on its four fields alone and
 * a signature check that ends with one of its verdicts; what we sign is
 * parsed, verified, and gets the same name.
 */
#include "net/unit/unit.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void fuzz_sign(const struct identity *me, struct bytes in)
{
	struct bytes topic = bytes_first(in, in.len % 130);
	struct bytes data = bytes_skip(in, topic.len);
	struct unit_id id, again;
	struct unit u;
	struct buf raw;

	buf_init(&raw, UNIT_BYTES_MAX);
	if (unit_sign(me, in.len, topic, data, &raw) == 0) {
		P2P_ASSERT(unit_parse(&u, buf_bytes(&raw)) == 0);
		P2P_ASSERT(unit_verify(&u) == 0);
		P2P_ASSERT(bytes_equal(u.topic, topic));
		P2P_ASSERT(bytes_equal(u.data, data));
		unit_id_of(&u, &id);
		u.key = u.signature = bytes_of(NULL, 0);
		unit_id_of(&u, &again);
		P2P_ASSERT(unit_id_equal(&id, &again));
	} else {
		P2P_ASSERT(raw.len == 0);
		P2P_ASSERT(topic.len == 0 || topic.len > UNIT_TOPIC_BYTES_MAX ||
			   data.len > UNIT_DATA_BYTES_MAX);
	}
	buf_clear(&raw);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const uint8_t seed[32] = {1};
	struct bytes in = bytes_of(data, size);
	uint8_t gossip[UNIT_GOSSIP_ID_BYTES_MAX];
	struct identity me;
	struct unit u;
	int err;

	if (crypto_init() != 0)
		return 0;
	identity_from_seed(&me, seed);
	if (unit_parse(&u, in) == 0) {
		P2P_ASSERT(u.data.len <= UNIT_DATA_BYTES_MAX);
		P2P_ASSERT(u.topic.len > 0 && !peer_id_none(&u.from));
		P2P_ASSERT(unit_gossip_id(&u, gossip) <= sizeof(gossip));
		err = unit_verify(&u);
		P2P_ASSERT(err == 0 || err == P2P_ERR_AUTH ||
			   err == P2P_ERR_UNSUPPORTED);
	}
	fuzz_sign(&me, in);
	return 0;
}

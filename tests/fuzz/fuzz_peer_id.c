/*
 * Peer ids and key protobufs. An id that is read has texts that lead back to
 * it; a key that is read has one spelling; nothing else is taken.
 */
#include "net/identity/key.h"
#include "net/wire/cid.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_id(const struct peer_id *id)
{
	char text[PEER_ID_TEXT_MAX];
	struct peer_id back;
	struct buf cid;

	buf_init(&cid, 200);
	P2P_ASSERT(peer_id_parse_text(
			   &back, bytes_str(peer_id_text(id, text))) == 0);
	P2P_ASSERT(peer_id_equal(&back, id));
	peer_id_cid_text(id, &cid);
	P2P_ASSERT(peer_id_parse_text(&back, buf_bytes(&cid)) == 0);
	P2P_ASSERT(peer_id_equal(&back, id));
	buf_clear(&cid);
}

static void fuzz_key(struct bytes in)
{
	struct public_key key;
	struct identity me;
	struct peer_id id;
	struct buf out;

	if (public_key_parse(&key, in) == 0) {
		bool inline_key = key.kind == KEY_KIND_ED25519 ||
				  key.kind == KEY_KIND_SECP256K1;

		peer_id_of_key(&id, in);
		if (inline_key)
			P2P_ASSERT(bytes_equal(peer_id_key(&id), in));
		check_id(&id);
	}
	if (identity_parse(&me, in) != 0)
		return;
	buf_init(&out, 200);
	identity_serialize(&me, &out);
	P2P_ASSERT(in.len == 100 || bytes_equal(buf_bytes(&out), in));
	buf_clear(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bytes in = bytes_of(data, size);
	struct peer_id id;
	struct buf raw;

	if (crypto_init() != 0)
		return 0;
	if (peer_id_parse(&id, in) == 0) {
		P2P_ASSERT(bytes_equal(peer_id_bytes(&id), in));
		check_id(&id);
	}
	if (peer_id_parse_text(&id, in) == 0)
		check_id(&id);
	buf_init(&raw, 300);
	if (cid_parse_text(in, &raw) == 0) {
		struct cid cid;

		P2P_ASSERT(cid_parse(&cid, buf_bytes(&raw)) == 0);
	}
	buf_clear(&raw);
	fuzz_key(in);
	return 0;
}

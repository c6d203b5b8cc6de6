/*
 * Peer ids: the multihash of a key's protobuf, whole where the key is short
 * (Ed25519 and secp256k1), else its SHA-256. A short one therefore is the key.
 * As text an id is base58 or a CID; both are read and written.
 */
#include "net/identity/peer_id.h"

#include "net/identity/crypto.h"
#include "net/wire/cid.h"
#include "net/wire/multibase.h"
#include "net/wire/varint.h"

/* Longest key protobuf that an id holds whole. */
#define INLINE_KEY_BYTES_MAX 42
/* Code and length of the multihash, one byte each. */
#define HEAD_BYTES 2

int peer_id_parse(struct peer_id *id, struct bytes raw)
{
	*id = (struct peer_id){0};
	if (raw.len > PEER_ID_BYTES_MAX || !multihash_is_peer_id(raw))
		return P2P_ERR_MALFORMED;
	memcpy(id->raw, raw.data, raw.len);
	id->len = (uint8_t)raw.len;
	return 0;
}

int peer_id_parse_text(struct peer_id *id, struct bytes text)
{
	struct buf raw;
	int err;

	buf_init(&raw, PEER_ID_BYTES_MAX);
	err = cid_parse_peer_text(text, &raw);
	if (err == 0)
		err = peer_id_parse(id, buf_bytes(&raw));
	else
		*id = (struct peer_id){0};
	buf_clear(&raw);
	return err;
}

void peer_id_of_key(struct peer_id *id, struct bytes key_pb)
{
	*id = (struct peer_id){0};
	if (key_pb.len <= INLINE_KEY_BYTES_MAX) {
		id->raw[0] = MULTIHASH_IDENTITY;
		id->raw[1] = (uint8_t)key_pb.len;
		if (key_pb.len > 0)
			memcpy(id->raw + HEAD_BYTES, key_pb.data, key_pb.len);
		id->len = (uint8_t)(HEAD_BYTES + key_pb.len);
		return;
	}
	id->raw[0] = MULTIHASH_SHA2_256;
	id->raw[1] = CRYPTO_HASH_BYTES;
	crypto_sha256(id->raw + HEAD_BYTES, key_pb);
	id->len = HEAD_BYTES + CRYPTO_HASH_BYTES;
}

struct bytes peer_id_key(const struct peer_id *id)
{
	if (id->len <= HEAD_BYTES || id->raw[0] != MULTIHASH_IDENTITY)
		return bytes_of(NULL, 0);
	return bytes_of(id->raw + HEAD_BYTES, (size_t)id->len - HEAD_BYTES);
}

const char *peer_id_text(
	const struct peer_id *id, char out[static PEER_ID_TEXT_MAX])
{
	struct buf text;

	buf_init(&text, PEER_ID_TEXT_MAX - 1);
	multibase_encode(MULTIBASE_58BTC, peer_id_bytes(id), &text);
	memcpy(out, buf_cstr(&text), text.len + 1);
	buf_clear(&text);
	return out;
}

void peer_id_cid_text(const struct peer_id *id, struct buf *out)
{
	struct cid cid = {.version = 1,
		.codec = CID_CODEC_LIBP2P_KEY,
		.hash = peer_id_bytes(id)};
	struct buf raw;

	buf_init(&raw, CID_BYTES_MAX);
	cid_append(&cid, &raw);
	buf_append_u8(out, MULTIBASE_32);
	multibase_encode(MULTIBASE_32, buf_bytes(&raw), out);
	buf_clear(&raw);
}

/*
 * Content ids, as far as peers' names need them. Version 0 is a bare SHA-256
 * multihash and has no text but base58 without a prefix; all else says its
 * version, its codec and its base, so that no text can be read in two ways.
 */
#include "net/wire/cid.h"

#include "net/wire/multibase.h"
#include "net/wire/varint.h"

#define CID_V0_BYTES 34

static bool text_is_base58_hash(struct bytes text)
{
	return text.len > 0 &&
	       (text.data[0] == '1' ||
		       (text.len > 1 && memcmp(text.data, "Qm", 2) == 0));
}

int cid_parse(struct cid *cid, struct bytes raw)
{
	struct cursor c = cur_of(raw);
	uint64_t version;

	*cid = (struct cid){.codec = CID_CODEC_DAG_PB, .hash = raw};
	if (raw.len == CID_V0_BYTES && raw.data[0] == MULTIHASH_SHA2_256 &&
		raw.data[1] == 32)
		return 0;
	if (raw.len > CID_BYTES_MAX)
		return P2P_ERR_TOO_BIG;
	version = cur_uvarint(&c, VARINT_SHORT_BYTES_MAX);
	cid->version = 1;
	cid->codec = cur_uvarint(&c, VARINT_SHORT_BYTES_MAX);
	cid->hash = bytes_of(c.at, cur_left(&c));
	(void)multihash_read(&c);
	if (cur_err(&c) != 0)
		return cur_err(&c);
	return version == 1 && cur_done(&c) ? 0 : P2P_ERR_MALFORMED;
}

int cid_append(const struct cid *cid, struct buf *out)
{
	if (cid->version == 1) {
		varint_append(out, 1);
		varint_append(out, cid->codec);
	}
	return buf_append(out, cid->hash);
}

int cid_parse_text(struct bytes text, struct buf *out)
{
	bool bare = text_is_base58_hash(text);
	size_t before = out->len;
	struct cid cid;
	int err = bare ? multibase_decode(MULTIBASE_58BTC, text, out)
		       : multibase_decode_any(text, out);

	if (err != 0)
		return err;
	err = cid_parse(&cid, bytes_skip(buf_bytes(out), before));
	/* Version 0 has no other text form than the bare one. */
	if (err == 0 && bare != (cid.version == 0))
		err = P2P_ERR_MALFORMED;
	if (err != 0)
		buf_truncate(out, before);
	return err;
}

int cid_parse_peer_text(struct bytes text, struct buf *out)
{
	struct buf raw;
	struct cid cid;
	int err;

	buf_init(&raw, CID_BYTES_MAX);
	if (text_is_base58_hash(text)) {
		err = multibase_decode(MULTIBASE_58BTC, text, &raw);
		cid.hash = buf_bytes(&raw);
	} else {
		err = cid_parse_text(text, &raw);
		if (err == 0)
			err = cid_parse(&cid, buf_bytes(&raw));
		if (err == 0 && cid.codec != CID_CODEC_LIBP2P_KEY)
			err = P2P_ERR_MALFORMED;
	}
	if (err == 0 && multihash_is_peer_id(cid.hash))
		err = buf_append(out, cid.hash);
	else
		err = P2P_ERR_MALFORMED;
	buf_clear(&raw);
	return err;
}

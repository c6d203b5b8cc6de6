/*
 * Forms of message ids that say what they name: from and seqno, a key and
 * seqno, text. One is told from the other by its bytes alone, strictly, so that
 * a hash is not taken for one of them by chance more often than need be.
 */
#include "net/pubsub/gossip_id.h"

#include <inttypes.h>
#include <stdio.h>

/* The text of an Ed25519 id: 12D3KooW..., always 52 characters; secp256k1's
 * 16Uiu2HA..., always 53; sha2-256's Qm..., always 46. */
static size_t text_id_length(struct bytes text)
{
	if (text.len > 52 && memcmp(text.data, "12D3Koo", 7) == 0)
		return 52;
	if (text.len > 53 && memcmp(text.data, "16Uiu2", 6) == 0)
		return 53;
	if (text.len > 46 && memcmp(text.data, "Qm", 2) == 0)
		return 46;
	return 0;
}

static enum gossip_id_form finish(const struct peer_id *from,
	const uint8_t seqno[static UNIT_SEQNO_BYTES], uint8_t *out, size_t *len,
	enum gossip_id_form form)
{
	memcpy(out, from->raw, from->len);
	memcpy(out + from->len, seqno, UNIT_SEQNO_BYTES);
	*len = (size_t)from->len + UNIT_SEQNO_BYTES;
	return form;
}

/* Decimal digits, at most 20, that fit 64 bits. */
static bool read_decimal(struct bytes text, uint64_t *v)
{
	*v = 0;
	if (text.len == 0 || text.len > 20)
		return false;
	for (size_t i = 0; i < text.len; i++) {
		unsigned digit = (unsigned)text.data[i] - '0';

		if (digit > 9 || __builtin_mul_overflow(*v, 10, v) ||
			__builtin_add_overflow(*v, digit, v))
			return false;
	}
	return true;
}

static enum gossip_id_form read_text(
	struct bytes remote, uint8_t *out, size_t *len)
{
	size_t n = text_id_length(remote);
	uint8_t seqno[UNIT_SEQNO_BYTES];
	struct peer_id from;
	uint64_t number;

	if (n == 0 || !read_decimal(bytes_skip(remote, n), &number))
		return GOSSIP_FORM_UNKNOWN;
	if (peer_id_parse_text(&from, bytes_first(remote, n)) != 0)
		return GOSSIP_FORM_UNKNOWN;
	put_be64(seqno, number);
	return finish(&from, seqno, out, len, GOSSIP_FORM_TEXT);
}

enum gossip_id_form gossip_id_read(struct bytes remote,
	uint8_t out[static UNIT_GOSSIP_ID_BYTES_MAX], size_t *len)
{
	struct public_key key;
	struct bytes head;
	struct peer_id from;
	const uint8_t *seqno;

	if (remote.len <= UNIT_SEQNO_BYTES || remote.len > GOSSIP_ID_BYTES_MAX)
		return GOSSIP_FORM_UNKNOWN;
	head = bytes_first(remote, remote.len - UNIT_SEQNO_BYTES);
	seqno = remote.data + head.len;
	if (peer_id_parse(&from, head) == 0)
		return finish(&from, seqno, out, len, GOSSIP_FORM_FROM_SEQNO);
	/* A key protobuf short enough to be the id itself: 08 01 12 20 ...
	 * Read strictly, since one hash in 256 begins so, too. */
	if (head.len <= PEER_ID_BYTES_MAX - 2 &&
		public_key_parse(&key, head) == 0) {
		peer_id_of_key(&from, head);
		return finish(&from, seqno, out, len, GOSSIP_FORM_KEY_SEQNO);
	}
	return read_text(remote, out, len);
}

static size_t write_text(const struct peer_id *from, const uint8_t *seqno,
	uint8_t out[static GOSSIP_ID_BYTES_MAX])
{
	char text[PEER_ID_TEXT_MAX];
	int n = snprintf((char *)out, GOSSIP_ID_BYTES_MAX, "%s%" PRIu64,
		peer_id_text(from, text), get_be64(seqno));

	return n < 0 || n >= GOSSIP_ID_BYTES_MAX ? 0 : (size_t)n;
}

size_t gossip_id_write(enum gossip_id_form form, struct bytes id,
	uint8_t out[static GOSSIP_ID_BYTES_MAX])
{
	struct bytes head, key;
	struct peer_id from;

	if (id.len <= UNIT_SEQNO_BYTES || id.len > UNIT_GOSSIP_ID_BYTES_MAX)
		return 0;
	head = bytes_first(id, id.len - UNIT_SEQNO_BYTES);
	switch (form) {
	case GOSSIP_FORM_FROM_SEQNO:
		memcpy(out, id.data, id.len);
		return id.len;
	case GOSSIP_FORM_KEY_SEQNO:
		if (peer_id_parse(&from, head) != 0)
			return 0;
		key = peer_id_key(&from);
		if (key.len == 0)
			return 0;
		memcpy(out, key.data, key.len);
		memcpy(out + key.len, id.data + head.len, UNIT_SEQNO_BYTES);
		return key.len + UNIT_SEQNO_BYTES;
	case GOSSIP_FORM_TEXT:
		if (peer_id_parse(&from, head) != 0)
			return 0;
		return write_text(&from, id.data + head.len, out);
	case GOSSIP_FORM_UNKNOWN:
	case GOSSIP_FORM_SEQNO_SHA256:
	case GOSSIP_FORM_DATA_SHA256:
	case GOSSIP_FORM_DATA_SIPHASH:
		break;
	}
	return 0;
}

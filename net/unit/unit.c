/*
 * The signed message: form, signature, names. Form is judged before anything
 * else, by the bytes alone and for ever; the signature is over the four named
 * fields encoded anew, which is why a message with any other field is ignored.
 */
#include "net/unit/unit.h"

#include <stdlib.h>

#include "base/xmalloc.h"
#include "net/wire/pb.h"
#include "net/wire/varint.h"

/* Field numbers of pubsub's Message. */
enum {
	FIELD_FROM = 1,
	FIELD_DATA = 2,
	FIELD_SEQNO = 3,
	FIELD_TOPIC = 4,
	FIELD_SIGNATURE = 5,
	FIELD_KEY = 6,
};

static const char sign_prefix[] = "libp2p-pubsub:";
#define SIGN_PREFIX_BYTES (sizeof(sign_prefix) - 1)

/* Signed bytes up to this size are put together on the stack. */
#define SIGN_STACK_BYTES 2048
/* A field's key (number below 16) and its length. */
#define HEAD_BYTES_MAX (1 + VARINT_BYTES_MAX)

/* ---- form ---------------------------------------------------------------- */

/* The fields of a message; NULL data: absent. Index 0 is not used. */
struct message {
	struct bytes field[FIELD_KEY + 1];
};

static int message_read(struct message *m, struct bytes raw)
{
	struct cursor c = cur_of(raw);
	struct pb_field f;
	uint32_t last = 0;
	bool unknown = false;

	*m = (struct message){0};
	while (pb_next(&c, &f)) {
		/* A verdict on unknown fields waits for the end: bad form is
		 * the graver fault, wherever it stands. */
		if (f.number > FIELD_KEY) {
			unknown = true;
			continue;
		}
		if (f.wire != PB_WIRE_BYTES || f.number <= last)
			return P2P_ERR_MALFORMED;
		m->field[f.number] = f.bytes;
		last = f.number;
	}
	if (cur_err(&c) != 0)
		return P2P_ERR_MALFORMED;
	return unknown ? P2P_ERR_UNSUPPORTED : 0;
}

static int unit_fill(struct unit *u, const struct message *m)
{
	const struct bytes *f = m->field;

	if (peer_id_parse(&u->from, f[FIELD_FROM]) != 0 ||
		f[FIELD_SEQNO].len != UNIT_SEQNO_BYTES)
		return P2P_ERR_MALFORMED;
	if (f[FIELD_DATA].len > UNIT_DATA_BYTES_MAX ||
		f[FIELD_TOPIC].len > UNIT_TOPIC_BYTES_MAX ||
		f[FIELD_SIGNATURE].len > WIRE_SIGNATURE_BYTES_MAX ||
		f[FIELD_KEY].len > KEY_PB_BYTES_MAX)
		return P2P_ERR_TOO_BIG;
	u->data = f[FIELD_DATA];
	memcpy(u->seqno, f[FIELD_SEQNO].data, UNIT_SEQNO_BYTES);
	u->topic = f[FIELD_TOPIC];
	u->signature = f[FIELD_SIGNATURE];
	u->key = f[FIELD_KEY];
	return 0;
}

int unit_parse(struct unit *u, struct bytes raw)
{
	struct message m;
	int err;

	*u = (struct unit){0};
	if (raw.len > UNIT_BYTES_MAX)
		return P2P_ERR_TOO_BIG;
	err = message_read(&m, raw);
	if (err != 0)
		return err;
	/* Unsigned, or without a room: others may exchange such things. */
	for (int i = FIELD_FROM; i <= FIELD_SIGNATURE; i++) {
		if (m.field[i].data == NULL)
			return P2P_ERR_UNSUPPORTED;
	}
	if (m.field[FIELD_TOPIC].len == 0 || m.field[FIELD_SIGNATURE].len == 0)
		return P2P_ERR_UNSUPPORTED;
	return unit_fill(u, &m);
}

/* ---- signature ------------------------------------------------------------
 */

static uint8_t *put_field(uint8_t *to, unsigned number, struct bytes v)
{
	*to++ = (uint8_t)(number << 3 | PB_WIRE_BYTES);
	to += varint_put(to, v.len);
	if (v.len > 0)
		memcpy(to, v.data, v.len);
	return to + v.len;
}

static size_t signed_bytes_max(const struct unit *u)
{
	return SIGN_PREFIX_BYTES + 4 * HEAD_BYTES_MAX + u->from.len +
	       u->data.len + UNIT_SEQNO_BYTES + u->topic.len;
}

/* What the author signs: the prefix, then the four fields encoded anew (the
 * pubsub spec, "Message Signing"; key and signature are left out). */
static struct bytes signed_bytes(const struct unit *u, uint8_t *out)
{
	uint8_t *to = out;

	memcpy(to, sign_prefix, SIGN_PREFIX_BYTES);
	to += SIGN_PREFIX_BYTES;
	to = put_field(to, FIELD_FROM, peer_id_bytes(&u->from));
	to = put_field(to, FIELD_DATA, u->data);
	to = put_field(to, FIELD_SEQNO, bytes_of(u->seqno, UNIT_SEQNO_BYTES));
	to = put_field(to, FIELD_TOPIC, u->topic);
	return bytes_of(out, (size_t)(to - out));
}

/* The author's key protobuf. An empty view: only a library could have it. */
static int author_key(const struct unit *u, struct bytes *key_pb)
{
	struct peer_id id;

	*key_pb = peer_id_key(&u->from);
	if (u->key.data == NULL)
		return key_pb->len > 0 ? 0 : P2P_ERR_UNSUPPORTED;
	if (u->key.len == 0)
		return P2P_ERR_AUTH;
	*key_pb = u->key;
	peer_id_of_key(&id, u->key);
	return peer_id_equal(&id, &u->from) ? 0 : P2P_ERR_AUTH;
}

/* What cannot be checked here may be good; all else is forged. */
static int verdict(int err)
{
	if (err == 0 || err == P2P_ERR_UNSUPPORTED)
		return err;
	return public_key_not_built(err) ? P2P_ERR_UNSUPPORTED : P2P_ERR_AUTH;
}

int unit_verify(const struct unit *u)
{
	uint8_t small[SIGN_STACK_BYTES];
	size_t max = signed_bytes_max(u);
	uint8_t *room = small;
	struct public_key key;
	struct bytes key_pb;
	int err = author_key(u, &key_pb);

	if (err != 0)
		return err;
	err = public_key_parse(&key, key_pb);
	if (err != 0)
		return verdict(err);
	if (max > sizeof(small))
		room = xmalloc(max);
	err = public_key_verify(&key, signed_bytes(u, room), u->signature);
	if (room != small)
		free(room);
	return verdict(err);
}

int unit_sign(const struct identity *me, uint64_t seqno, struct bytes topic,
	struct bytes data, struct buf *out)
{
	struct unit u = {.from = me->id, .data = data, .topic = topic};
	uint8_t sig[CRYPTO_SIG_BYTES];
	struct bytes signed_view;
	size_t before = out->len;
	uint8_t *room;

	if (data.len > UNIT_DATA_BYTES_MAX || topic.len == 0 ||
		topic.len > UNIT_TOPIC_BYTES_MAX)
		return P2P_ERR_TOO_BIG;
	put_be64(u.seqno, seqno);
	room = xmalloc(signed_bytes_max(&u));
	signed_view = signed_bytes(&u, room);
	crypto_ed25519_sign(sig, me->secret, signed_view);
	/* Behind the prefix stand the first four fields as they are sent. */
	buf_append(out, bytes_skip(signed_view, SIGN_PREFIX_BYTES));
	pb_put_bytes(out, FIELD_SIGNATURE, bytes_of(sig, sizeof(sig)));
	pb_put_bytes(
		out, FIELD_KEY, bytes_of(me->public_pb, sizeof(me->public_pb)));
	free(room);
	if (!out->failed)
		return 0;
	buf_truncate(out, before);
	return P2P_ERR_TOO_BIG;
}

/* ---- names ----------------------------------------------------------------
 */

void unit_id_of(const struct unit *u, struct unit_id *id)
{
	const struct bytes values[] = {peer_id_bytes(&u->from),
		bytes_of(u->seqno, UNIT_SEQNO_BYTES), u->topic, u->data};
	uint8_t lengths[P2P_ARRAY_LEN(values)][8];
	struct bytes parts[2 * P2P_ARRAY_LEN(values)];

	for (size_t i = 0; i < P2P_ARRAY_LEN(values); i++) {
		put_le64(lengths[i], values[i].len);
		parts[2 * i] = bytes_of(lengths[i], sizeof(lengths[i]));
		parts[2 * i + 1] = values[i];
	}
	crypto_blake2b(id->raw, parts, P2P_ARRAY_LEN(parts));
}

size_t unit_gossip_id(
	const struct unit *u, uint8_t out[static UNIT_GOSSIP_ID_BYTES_MAX])
{
	memcpy(out, u->from.raw, u->from.len);
	memcpy(out + u->from.len, u->seqno, UNIT_SEQNO_BYTES);
	return u->from.len + UNIT_SEQNO_BYTES;
}

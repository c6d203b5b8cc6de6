/*
 * Signed envelopes (libp2p RFC 0002). What is signed is domain, type and
 * payload, each with its length in front, so that a signature for one purpose
 * is none for another. The key is the one in the envelope: who signed is known
 * from it, whether it is who was meant is the caller's question.
 */
#include "net/identity/envelope.h"

#include "net/wire/pb.h"
#include "net/wire/varint.h"

const struct envelope_kind envelope_peer_record = {
	"libp2p-peer-record", {0x03, 0x01}};
const struct envelope_kind envelope_relay_voucher = {
	"libp2p-relay-rsvp", {0x03, 0x02}};

struct envelope_pb {
	struct bytes public_key;
	struct bytes payload_type;
	struct bytes payload;
	struct bytes signature;
};

#define FIELD(name) offsetof(struct envelope_pb, name)

static const struct pb_rule rules[] = {
	{1, PB_KIND_VIEW, PB_REQUIRED, FIELD(public_key), 0, KEY_PB_BYTES_MAX,
		0},
	{2, PB_KIND_VIEW, PB_REQUIRED, FIELD(payload_type), 0,
		ENVELOPE_BYTES_MAX, 0},
	{3, PB_KIND_VIEW, PB_REQUIRED, FIELD(payload), 0, ENVELOPE_BYTES_MAX,
		0},
	{5, PB_KIND_VIEW, PB_REQUIRED, FIELD(signature), 0,
		WIRE_SIGNATURE_BYTES_MAX, 0},
};

static const struct pb_schema schema = {
	.rules = rules, .rule_count = P2P_ARRAY_LEN(rules), .strict = true};

static struct bytes kind_type(const struct envelope_kind *kind)
{
	return bytes_of(kind->payload_type, sizeof(kind->payload_type));
}

/* Domain, type and payload, each with its length in front. */
static void put_signed_bytes(
	const struct envelope_kind *kind, struct bytes payload, struct buf *out)
{
	varint_frame_append(out, bytes_str(kind->domain));
	varint_frame_append(out, kind_type(kind));
	varint_frame_append(out, payload);
}

static int check_signature(
	const struct envelope_pb *pb, const struct envelope_kind *kind)
{
	struct public_key key;
	struct buf message;
	int err = public_key_parse(&key, pb->public_key);

	if (err != 0)
		return err;
	/* Domain, type and lengths are small beside the payload. */
	buf_init(&message, 2 * (size_t)ENVELOPE_BYTES_MAX);
	put_signed_bytes(kind, pb->payload, &message);
	err = public_key_verify(&key, buf_bytes(&message), pb->signature);
	buf_clear(&message);
	return err;
}

int envelope_open(
	struct envelope *e, const struct envelope_kind *kind, struct bytes raw)
{
	struct envelope_pb pb = {0};
	int err;

	*e = (struct envelope){0};
	if (raw.len > ENVELOPE_BYTES_MAX)
		return P2P_ERR_TOO_BIG;
	err = pb_read(&schema, raw, &pb, NULL);
	if (err != 0)
		return err;
	if (!bytes_equal(pb.payload_type, kind_type(kind)))
		return P2P_ERR_MALFORMED;
	err = check_signature(&pb, kind);
	if (err != 0)
		return err;
	peer_id_of_key(&e->signer, pb.public_key);
	e->payload = pb.payload;
	return 0;
}

int envelope_seal(const struct identity *me, const struct envelope_kind *kind,
	struct bytes payload, struct buf *out)
{
	uint8_t sig[CRYPTO_SIG_BYTES];
	struct envelope_pb pb = {
		.public_key = bytes_of(me->public_pb, sizeof(me->public_pb)),
		.payload_type = kind_type(kind),
		.payload = payload,
		.signature = bytes_of(sig, sizeof(sig)),
	};
	size_t before = out->len;
	struct buf message;

	if (payload.len > ENVELOPE_BYTES_MAX)
		return P2P_ERR_TOO_BIG;
	buf_init(&message, 2 * (size_t)ENVELOPE_BYTES_MAX);
	put_signed_bytes(kind, payload, &message);
	crypto_ed25519_sign(sig, me->secret, buf_bytes(&message));
	buf_clear(&message);
	/* An empty payload is written, not left out. */
	if (pb.payload.data == NULL)
		pb.payload.data = sig;
	pb_write(&schema, &pb, 0, out);
	if (!out->failed && out->len - before <= ENVELOPE_BYTES_MAX)
		return 0;
	buf_truncate(out, before);
	return P2P_ERR_TOO_BIG;
}

/*
 * Peer records in signed envelopes: a peer's addresses by its own word. Unknown
 * fields are skipped and addresses that cannot be read left out, for others add
 * to the format; but the record must be about the very peer that signed it.
 */
#include "net/identity/peer_record.h"

#include "net/wire/multiaddr.h"
#include "net/wire/pb.h"

enum {
	RECORD_PEER_ID = 1,
	RECORD_SEQ = 2,
	RECORD_ADDRESS = 3,
	ADDRESS_MULTIADDR = 1,
};

static const struct pb_rule address_rules[] = {
	{ADDRESS_MULTIADDR, PB_KIND_VIEW, 0, 0, 0, ENVELOPE_BYTES_MAX, 0},
};

static const struct pb_schema address_schema = {
	.rules = address_rules, .rule_count = P2P_ARRAY_LEN(address_rules)};

static int read_address(struct peer_record *r, struct bytes in)
{
	struct bytes addr = bytes_of(NULL, 0);
	int err = pb_read(&address_schema, in, &addr, NULL);

	if (err != 0)
		return err;
	if (r->addr_count < PEER_RECORD_ADDRS_MAX &&
		multiaddr_check_known(addr) == 0)
		r->addrs[r->addr_count++] = addr;
	return 0;
}

static int read_field(struct peer_record *r, const struct pb_field *f)
{
	switch (f->number) {
	case RECORD_PEER_ID:
		if (f->wire != PB_WIRE_BYTES)
			return P2P_ERR_MALFORMED;
		return peer_id_parse(&r->peer, f->bytes);
	case RECORD_SEQ:
		if (f->wire != PB_WIRE_VARINT)
			return P2P_ERR_MALFORMED;
		r->seq = f->value;
		return 0;
	case RECORD_ADDRESS:
		if (f->wire != PB_WIRE_BYTES)
			return P2P_ERR_MALFORMED;
		return read_address(r, f->bytes);
	default:
		return 0;
	}
}

/* The envelope's limit bounds the fields. */
static int read_record(struct peer_record *r, struct bytes payload)
{
	struct cursor c = cur_of(payload);
	struct pb_field f;
	int err = 0;

	while (err == 0 && pb_next(&c, &f))
		err = read_field(r, &f);
	return err != 0 ? err : cur_err(&c);
}

int peer_record_open(struct peer_record *r, struct bytes raw)
{
	struct envelope e;
	int err = envelope_open(&e, &envelope_peer_record, raw);

	*r = (struct peer_record){0};
	if (err == 0)
		err = read_record(r, e.payload);
	if (err == 0 && !peer_id_equal(&r->peer, &e.signer))
		err = P2P_ERR_AUTH;
	if (err != 0)
		*r = (struct peer_record){0};
	return err;
}

int peer_record_seal(
	const struct identity *me, const struct peer_record *r, struct buf *out)
{
	struct buf payload;
	int err;

	P2P_ASSERT(r->addr_count <= PEER_RECORD_ADDRS_MAX);
	buf_init(&payload, ENVELOPE_BYTES_MAX);
	pb_put_bytes(&payload, RECORD_PEER_ID, peer_id_bytes(&me->id));
	pb_put_uint(&payload, RECORD_SEQ, r->seq);
	for (size_t i = 0; i < r->addr_count; i++) {
		size_t mark = pb_begin(&payload, RECORD_ADDRESS);

		pb_put_bytes(&payload, ADDRESS_MULTIADDR, r->addrs[i]);
		pb_end(&payload, mark);
	}
	err = payload.failed ? P2P_ERR_TOO_BIG
			     : envelope_seal(me, &envelope_peer_record,
				       buf_bytes(&payload), out);
	buf_clear(&payload);
	return err;
}

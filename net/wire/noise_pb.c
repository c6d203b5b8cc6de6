/*
 * What is said inside Noise's handshake (libp2p's Noise specification): key,
 * signature, and the extensions, a message of their own, of which we know the
 * muxers that the other side has. Whoever has no extensions is asked later, by
 * multistream-select.
 */
#include "net/wire/noise_pb.h"

#include "net/wire/pb.h"

#define EXTENSIONS 4

struct payload_views {
	struct bytes identity_key;
	struct bytes identity_sig;
	struct bytes extensions;
};

static const struct pb_rule payload_rules[] = {
	{1, PB_KIND_VIEW, PB_REQUIRED,
		offsetof(struct payload_views, identity_key), 0,
		WIRE_KEY_PB_BYTES_MAX, 0},
	{2, PB_KIND_VIEW, PB_REQUIRED,
		offsetof(struct payload_views, identity_sig), 0,
		WIRE_SIGNATURE_BYTES_MAX, 0},
	{EXTENSIONS, PB_KIND_VIEW, 0,
		offsetof(struct payload_views, extensions), 0, SIZE_MAX, 0},
};

static const struct pb_schema payload_schema = {
	.rules = payload_rules, .rule_count = P2P_ARRAY_LEN(payload_rules)};

static const struct pb_rule extension_rules[] = {
	{2, PB_KIND_VIEWS, 0, offsetof(struct noise_payload, stream_muxers),
		offsetof(struct noise_payload, stream_muxer_count),
		WIRE_PROTOCOL_BYTES_MAX, NOISE_PB_MUXERS_MAX},
};

static const struct pb_schema extension_schema = {
	.rules = extension_rules, .rule_count = P2P_ARRAY_LEN(extension_rules)};

int noise_pb_read(struct noise_payload *p, struct bytes in)
{
	struct payload_views views = {0};
	int err = pb_read(&payload_schema, in, &views, NULL);

	*p = (struct noise_payload){
		.identity_key = views.identity_key,
		.identity_sig = views.identity_sig,
	};
	if (err != 0)
		return err;
	return pb_read(&extension_schema, views.extensions, p, NULL);
}

void noise_pb_write(const struct noise_payload *p, struct buf *out)
{
	size_t mark;

	pb_put_bytes(out, 1, p->identity_key);
	pb_put_bytes(out, 2, p->identity_sig);
	if (p->stream_muxer_count == 0)
		return;
	mark = pb_begin(out, EXTENSIONS);
	pb_write(&extension_schema, p, 0, out);
	pb_end(out, mark);
}

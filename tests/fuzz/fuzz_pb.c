/*
 * Frames and protobuf. The first byte chooses the reader. What the field loop
 * yields fills the input exactly; what a reader took, its writer writes and
 * the reader takes again as the same bytes.
 */
#include "net/wire/identify_pb.h"
#include "net/wire/noise_pb.h"
#include "net/wire/pb.h"
#include "net/wire/varint.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define OUT_BYTES_MAX (1u << 20)

static void put_field(struct buf *out, const struct pb_field *f)
{
	uint8_t raw[4];

	switch (f->wire) {
	case PB_WIRE_VARINT:
		pb_put_uint(out, f->number, f->value);
		break;
	case PB_WIRE_FIXED64:
		pb_put_fixed64(out, f->number, f->value);
		break;
	case PB_WIRE_BYTES:
		P2P_ASSERT(f->bytes.data != NULL);
		pb_put_bytes(out, f->number, f->bytes);
		break;
	case PB_WIRE_FIXED32:
		varint_append(out, (uint64_t)f->number << 3 | PB_WIRE_FIXED32);
		put_be32(raw, __builtin_bswap32((uint32_t)f->value));
		buf_append(out, bytes_of(raw, sizeof(raw)));
	}
}

/* Minimal numbers leave one spelling, so writing gives the input back. */
static void fuzz_fields(struct bytes in)
{
	struct cursor c = cur_of(in);
	struct pb_field f;
	struct buf out;

	buf_init(&out, OUT_BYTES_MAX);
	while (pb_next(&c, &f))
		put_field(&out, &f);
	P2P_ASSERT(out.len <= in.len);
	P2P_ASSERT(!cur_ok(&c) || bytes_equal(buf_bytes(&out), in));
	buf_clear(&out);
}

static void fuzz_noise(struct bytes in)
{
	struct noise_payload p, again;
	struct buf one, two;

	if (noise_pb_read(&p, in) != 0)
		return;
	P2P_ASSERT(p.stream_muxer_count <= NOISE_PB_MUXERS_MAX);
	buf_init(&one, OUT_BYTES_MAX);
	buf_init(&two, OUT_BYTES_MAX);
	noise_pb_write(&p, &one);
	P2P_ASSERT(noise_pb_read(&again, buf_bytes(&one)) == 0);
	noise_pb_write(&again, &two);
	P2P_ASSERT(bytes_equal(buf_bytes(&one), buf_bytes(&two)));
	buf_clear(&one);
	buf_clear(&two);
}

static void fuzz_identify(struct bytes in)
{
	struct identify id = {0}, again = {0};
	struct buf one, two;

	if (identify_pb_read(&id, in) != 0)
		return;
	buf_init(&one, OUT_BYTES_MAX);
	buf_init(&two, OUT_BYTES_MAX);
	identify_pb_write(&id, &one);
	P2P_ASSERT(identify_pb_read(&again, buf_bytes(&one)) == 0);
	P2P_ASSERT(again.protocol_count == id.protocol_count);
	P2P_ASSERT(again.listen_addr_count == id.listen_addr_count);
	identify_pb_write(&again, &two);
	P2P_ASSERT(bytes_equal(buf_bytes(&one), buf_bytes(&two)));
	/* Merging once more never exceeds the lists. */
	(void)!identify_pb_read(&id, in);
	P2P_ASSERT(id.protocol_count <= IDENTIFY_PB_PROTOCOLS_MAX);
	P2P_ASSERT(id.listen_addr_count <= IDENTIFY_PB_ADDRS_MAX);
	buf_clear(&one);
	buf_clear(&two);
}

static void fuzz_frame(struct bytes in)
{
	struct bytes body;
	struct buf out;
	size_t taken;

	if (varint_frame_peek(in, 1000, &body, &taken) != 0 || taken == 0)
		return;
	P2P_ASSERT(taken <= in.len && body.len <= 1000 && body.len < taken);
	buf_init(&out, OUT_BYTES_MAX);
	varint_frame_append(&out, body);
	P2P_ASSERT(bytes_equal(buf_bytes(&out), bytes_first(in, taken)));
	buf_clear(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bytes in = bytes_of(data, size);

	if (size == 0 || size > OUT_BYTES_MAX / 2)
		return 0;
	in = bytes_skip(in, 1);
	switch (data[0] % 4) {
	case 0:
		fuzz_fields(in);
		break;
	case 1:
		fuzz_noise(in);
		break;
	case 2:
		fuzz_identify(in);
		break;
	default:
		fuzz_frame(in);
	}
	return 0;
}

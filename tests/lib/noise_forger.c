#include "tests/lib/noise_forger.h"

#include "net/wire/noise_pb.h"

void forger_init(struct forger *f, bool initiator)
{
	uint8_t s[32], e[32];

	memset(s, 0x77, sizeof(s));
	memset(e, 0x78, sizeof(e));
	noise_core_init(&f->core, initiator, s, e, bytes_of(NULL, 0));
}

void forger_write(struct forger *f, struct bytes payload)
{
	size_t len = noise_core_extra(&f->core) + payload.len;

	P2P_ASSERT(len <= FORGER_MESSAGE_BYTES_MAX);
	put_be16(f->wire, (uint16_t)len);
	P2P_ASSERT(noise_core_write(&f->core, payload, f->wire + 2) == 0);
	f->len = len + 2;
	if (noise_core_done(&f->core))
		noise_core_split(&f->core, &f->send, &f->receive);
}

size_t forger_read(struct forger *f, struct bytes in)
{
	uint8_t payload[FORGER_MESSAGE_BYTES_MAX];
	size_t len, size;

	P2P_ASSERT(in.len >= 2);
	size = get_be16(in.data);
	P2P_ASSERT(in.len >= 2 + size && size <= sizeof(payload));
	P2P_ASSERT(noise_core_read(&f->core, bytes_of(in.data + 2, size),
			   payload, &len) == 0);
	return 2 + size;
}

void forger_payload(const struct forger *f, const struct identity *me,
	const char *const *muxers, struct buf *out)
{
	uint8_t sig[CRYPTO_SIG_BYTES];
	struct noise_payload p = {
		.identity_key = bytes_of(me->public_pb, KEY_ED25519_PB_BYTES),
		.identity_sig = bytes_of(sig, sizeof(sig)),
	};

	for (size_t i = 0; muxers != NULL && muxers[i] != NULL; i++)
		p.stream_muxers[p.stream_muxer_count++] = bytes_str(muxers[i]);
	noise_sign_key(sig, me, f->core.s_public);
	noise_pb_write(&p, out);
}

void forger_seal(struct forger *f, struct bytes plain)
{
	P2P_ASSERT(plain.len + CRYPTO_TAG_BYTES <= FORGER_MESSAGE_BYTES_MAX);
	put_be16(f->wire, (uint16_t)(plain.len + CRYPTO_TAG_BYTES));
	P2P_ASSERT(noise_cipher_seal(&f->send, bytes_of(NULL, 0), plain,
			   f->wire + 2) == 0);
	f->len = plain.len + NOISE_FRAME_EXTRA;
}

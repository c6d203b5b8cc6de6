/*
 * The Noise channel in both roles. The first byte: 1 initiator, 2 the input
 * is what comes from the carrier, without any key; else a partner with keys
 * brings it through the handshake, with (4) an honest payload or with the
 * input's. Then steps: an operation, a length, bytes. Whatever comes, charges
 * are given back and a dead channel stays dead.
 */
#include "base/cursor.h"
#include "tests/lib/noise_forger.h"
#include "tests/lib/test_env.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define FLAG_INITIATOR 1
#define FLAG_RAW 2
#define FLAG_HONEST 4
#define FLAG_NO_MUXERS 8

static const char *const muxers[] = {"/yamux/1.0.0", "/mplex/6.7.0", NULL};
static const char *const mplex_first[] = {"/mplex/6.7.0", "/yamux/1.0.0", NULL};

struct fuzz {
	struct test_env te;
	struct identity me, other;
	struct noise *noise;
	struct forger forger;
	struct bufq out;
	int err;
};

static void feed(struct fuzz *f, struct bytes in)
{
	size_t taken;

	f->err = noise_feed(f->noise, in, &taken, &f->out);
	P2P_ASSERT(taken <= in.len);
	if (f->err != 0)
		P2P_ASSERT(noise_feed(f->noise, in, &taken, &f->out) ==
			   P2P_ERR_STATE);
	/* Bytes are left only when a frame may not fit. */
	else if (taken < in.len)
		P2P_ASSERT(noise_peek(f->noise).len > NOISE_PLAIN_BYTES_MAX);
}

static void forger_says(struct fuzz *f, struct bytes payload)
{
	forger_write(&f->forger, payload);
	feed(f, bytes_of(f->forger.wire, f->forger.len));
}

static void forger_hears(struct fuzz *f)
{
	bufq_consume(&f->out, forger_read(&f->forger, bufq_peek(&f->out)));
}

static void shake_hands(struct fuzz *f, uint8_t flags, struct cursor *c)
{
	struct buf payload;

	buf_init(&payload, FORGER_MESSAGE_BYTES_MAX);
	forger_init(&f->forger, !(flags & FLAG_INITIATOR));
	if (!(flags & FLAG_INITIATOR))
		forger_says(f, bytes_of(NULL, 0));
	forger_hears(f);
	if (flags & FLAG_HONEST)
		forger_payload(&f->forger, &f->other,
			flags & FLAG_NO_MUXERS ? NULL : mplex_first, &payload);
	else
		(void)buf_append(&payload, cur_take(c, cur_be16(c) % 4096));
	forger_says(f, buf_bytes(&payload));
	if (f->err == 0 && flags & FLAG_INITIATOR)
		forger_hears(f);
	P2P_ASSERT(f->err != 0 || noise_done(f->noise));
	buf_clear(&payload);
}

static void seal(struct fuzz *f, struct bytes in)
{
	size_t taken;

	if (!noise_done(f->noise))
		return;
	P2P_ASSERT(noise_seal(f->noise, in, &taken, &f->out) == 0);
	bufq_consume(&f->out, f->out.len);
}

static void step(struct fuzz *f, uint8_t flags, struct cursor *c)
{
	uint8_t op = cur_u8(c);
	struct bytes in = cur_take(c, cur_u8(c));

	switch (op % 4) {
	case 0:
		if (flags & FLAG_RAW) {
			feed(f, in);
			break;
		}
		forger_seal(&f->forger, in);
		feed(f, bytes_of(f->forger.wire, f->forger.len));
		break;
	case 1:
		feed(f, in);
		break;
	case 2:
		noise_consume(f->noise,
			P2P_MIN(noise_peek(f->noise).len, in.len * 8));
		break;
	default:
		seal(f, in);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct cursor c = cur_of(bytes_of(data, size));
	uint8_t flags = cur_u8(&c), seed[32] = {1};
	static struct fuzz f;
	struct noise_cfg cfg;

	P2P_ASSERT(crypto_init() == 0);
	test_env_init(&f.te, 1);
	identity_from_seed(&f.me, seed);
	seed[0] = 2;
	identity_from_seed(&f.other, seed);
	cfg = (struct noise_cfg){
		.me = &f.me,
		.initiator = flags & FLAG_INITIATOR,
		.muxers = muxers,
		.budget = &f.te.budget,
	};
	bufq_init(&f.out, 65536);
	f.err = 0;
	f.noise = noise_new(&cfg, &f.te.env);
	if (cfg.initiator)
		P2P_ASSERT(noise_start(f.noise, &f.out) == 0);
	if (!(flags & FLAG_RAW))
		shake_hands(&f, flags, &c);
	while (cur_left(&c) > 0 && f.err == 0)
		step(&f, flags, &c);
	noise_free(f.noise);
	P2P_ASSERT(f.te.budget.used == 0);
	bufq_clear(&f.out);
	return 0;
}

/*
 * The whole stack as listener. The first byte: 1 the input is what comes from
 * the carrier; else a partner with keys upgrades the connection with one of
 * four muxer lists, and the input is a script of plaintext, application calls
 * and a carrier that takes or does not take. Events end, bytes are left only
 * while some are to be written, all charges are given back.
 */
#include "base/cursor.h"
#include "net/upgrade/upgrader.h"
#include "tests/lib/noise_forger.h"
#include "tests/lib/test_env.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define HEADER "\x13/multistream/1.0.0\n"
#define NOISE "\x07/noise\n"
#define YAMUX "/yamux/1.0.0"
#define MPLEX "/mplex/6.7.0"
#define STREAMS_MAX 16

static const char *const yamux[] = {YAMUX, NULL};
static const char *const mplex[] = {MPLEX, NULL};
static const char *const mplex_first[] = {MPLEX, YAMUX, NULL};
static const char *const *const lists[] = {NULL, yamux, mplex, mplex_first};

struct fuzz {
	struct test_env te;
	struct identity me, other;
	struct channel *up;
	struct forger forger;
	uint64_t stream[STREAMS_MAX];
	unsigned stream_count;
	int err;
};

static void take_events(struct fuzz *f)
{
	struct channel_event ev;

	for (unsigned n = 0; channel_next_event(f->up, &ev); n++) {
		P2P_ASSERT(n < 100000);
		if (ev.kind == CHANNEL_EV_FAILED)
			f->err = ev.err;
		if (ev.kind != CHANNEL_EV_MUX || ev.mux.kind != MUX_EV_OPENED)
			continue;
		f->stream[f->stream_count++ % STREAMS_MAX] = ev.mux.stream;
		(void)channel_stream_accept(f->up, ev.mux.stream);
	}
}

static void feed(struct fuzz *f, struct bytes in)
{
	size_t taken;
	int err = channel_feed(f->up, &f->te.env, in, &taken);

	P2P_ASSERT(taken <= in.len);
	take_events(f);
	if (err != 0)
		f->err = err;
	else if (taken < in.len)
		P2P_ASSERT(channel_out_peek(f->up, &f->te.env).len > 0);
}

static void drain(struct fuzz *f)
{
	struct bytes out = channel_out_peek(f->up, &f->te.env);

	channel_out_consume(f->up, out.len);
	take_events(f);
}

static void upgrade(struct fuzz *f, const char *const *list)
{
	struct buf payload;

	feed(f, bytes_str(HEADER NOISE));
	drain(f);
	forger_init(&f->forger, true);
	forger_write(&f->forger, bytes_of(NULL, 0));
	feed(f, bytes_of(f->forger.wire, f->forger.len));
	channel_out_consume(f->up,
		forger_read(&f->forger, channel_out_peek(f->up, &f->te.env)));
	buf_init(&payload, 512);
	forger_payload(&f->forger, &f->other, list, &payload);
	forger_write(&f->forger, buf_bytes(&payload));
	feed(f, bytes_of(f->forger.wire, f->forger.len));
	P2P_ASSERT(f->err == 0);
	buf_clear(&payload);
}

static void use_stream(struct fuzz *f, uint8_t op, struct bytes in)
{
	uint64_t id = f->stream[op / 16 % STREAMS_MAX];
	size_t taken;
	bool end;

	switch (op % 16 / 4) {
	case 0:
		(void)!channel_stream_write(f->up, id, in, &taken);
		break;
	case 1:
		taken = channel_stream_peek(f->up, id, &end).len;
		(void)channel_stream_consume(
			f->up, id, P2P_MIN(taken, in.len * 16));
		break;
	case 2:
		(void)channel_stream_close_write(f->up, id);
		break;
	default:
		channel_stream_forget(f->up, id);
	}
}

static void step(struct fuzz *f, bool raw, struct cursor *c)
{
	uint8_t op = cur_u8(c);
	struct bytes in = cur_take(c, cur_u8(c));
	uint64_t id;

	switch (op % 4) {
	case 0:
		f->te.env.now_ms += 10;
		if (raw) {
			feed(f, in);
			break;
		}
		forger_seal(&f->forger, in);
		feed(f, bytes_of(f->forger.wire, f->forger.len));
		break;
	case 1:
		drain(f);
		break;
	case 2:
		if (channel_stream_open(f->up, &f->te.env, &id) == 0)
			f->stream[f->stream_count++ % STREAMS_MAX] = id;
		channel_tick(f->up, &f->te.env);
		break;
	default:
		use_stream(f, op, in);
	}
	take_events(f);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct cursor c = cur_of(bytes_of(data, size));
	uint8_t flags = cur_u8(&c), seed[32] = {1};
	static struct fuzz f;
	struct upgrader_cfg cfg;

	f = (struct fuzz){0};
	P2P_ASSERT(crypto_init() == 0);
	test_env_init(&f.te, 1);
	identity_from_seed(&f.me, seed);
	seed[0] = 2;
	identity_from_seed(&f.other, seed);
	cfg = (struct upgrader_cfg){
		.me = &f.me,
		.early_muxers = !(flags & 8),
		.offer_yamux = true,
		.offer_mplex = true,
		.out_bytes_max = 4096,
		.muxer =
			{
				.budget = &f.te.budget,
				.streams_in_max = 20,
				.streams_unaccepted_max = 5,
				.ping_interval_ms = 1000,
				.ping_timeout_ms = 2000,
			},
	};
	f.up = upgrader_new(&cfg, &f.te.env);
	if (!(flags & 1))
		upgrade(&f, lists[flags / 2 % 4]);
	while (cur_left(&c) > 0 && f.err == 0)
		step(&f, flags & 1, &c);
	channel_free(f.up);
	P2P_ASSERT(f.te.budget.used == 0);
	return 0;
}

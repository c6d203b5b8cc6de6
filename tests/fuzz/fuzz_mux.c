#include "tests/fuzz/fuzz_mux.h"

#include "tests/lib/mux_pair.h"

#define STREAMS_SEEN 16
#define OUT_BYTES 16384
#define BUDGET_BYTES (600u << 10)

static const uint8_t zeros[65536];

struct run {
	struct test_env te;
	struct mux_side s;
	uint64_t seen[STREAMS_SEEN]; /* numbers, in a ring */
	size_t seen_count;
	bool failed;
};

static void remember(struct run *r, uint64_t stream)
{
	r->seen[r->seen_count++ % STREAMS_SEEN] = stream;
}

static void feed(struct run *r, struct bytes in)
{
	size_t taken;
	int err = muxer_feed(r->s.m, &r->te.env, in, &taken, &r->s.out);

	P2P_ASSERT(taken <= in.len);
	/* Only a full queue may stop it. */
	P2P_ASSERT(err != 0 || taken == in.len || r->s.out.len > 0);
	P2P_ASSERT(err == 0 || err == P2P_ERR_PROTOCOL ||
		   err == P2P_ERR_TOO_BIG || err == P2P_ERR_LIMIT);
	r->failed = r->failed || err != 0;
	P2P_ASSERT(!r->failed || err != 0);
}

static void write_some(struct run *r, uint64_t stream, size_t len)
{
	size_t taken, room = bufq_room(&r->s.out);
	int err = muxer_write(
		r->s.m, stream, bytes_of(zeros, len), &taken, &r->s.out);

	P2P_ASSERT(taken <= len && taken <= room);
	P2P_ASSERT(err == 0 || taken == 0);
}

static void read_some(struct run *r, uint64_t stream, size_t len)
{
	bool end;
	struct bytes in = muxer_read_peek(r->s.m, stream, &end);
	int err = muxer_read_consume(
		r->s.m, stream, P2P_MIN(len, in.len), &r->s.out);

	P2P_ASSERT(err == 0 || err == P2P_ERR_NOT_FOUND);
}

static void take_events(struct run *r)
{
	struct mux_event ev;

	for (int i = 0; muxer_next_event(r->s.m, &ev); i++) {
		P2P_ASSERT(i < 100000);
		if (ev.kind == MUX_EV_OPENED)
			remember(r, ev.stream);
	}
}

static void open_one(struct run *r)
{
	uint64_t stream;

	if (muxer_open(r->s.m, &r->te.env, &stream, &r->s.out) == 0)
		remember(r, stream);
}

static void do_op(struct run *r, unsigned op, struct cursor *c)
{
	uint64_t stream = r->seen[op >> 4];
	struct bufq *out = &r->s.out;
	struct muxer *m = r->s.m;
	size_t len;

	switch (op & 15) {
	case 0:
	case 1:
	case 2:
		len = cur_u8(c);
		feed(r, cur_take(c, P2P_MIN(len, cur_left(c))));
		break;
	case 3:
		feed(r, bytes_of(zeros, cur_u8(c) % 16U * 4096));
		break;
	case 4:
		write_some(r, stream, cur_u8(c) * 256U);
		break;
	case 5:
		read_some(r, stream, cur_u8(c) * 256U);
		break;
	case 6:
		(void)muxer_accept(m, stream, out);
		break;
	case 7:
		(void)muxer_close_write(m, stream, out);
		break;
	case 8:
		(void)muxer_reset(m, stream, out);
		break;
	case 9:
		muxer_forget(m, stream, out);
		break;
	case 10:
		open_one(r);
		break;
	case 11:
		r->te.env.now_ms += cur_u8(c) * 100U;
		muxer_tick(m, &r->te.env, out);
		break;
	case 12:
		take_events(r);
		break;
	case 13:
		len = cur_u8(c) * 256U;
		bufq_consume(out, P2P_MIN(len, out->len));
		break;
	case 14:
		muxer_flush(m, out);
		break;
	default:
		if ((op >> 4) == 15)
			muxer_go_away(m, out);
		break;
	}
}

void fuzz_mux(enum muxer_kind kind, struct bytes script)
{
	struct cursor c = cur_of(script);
	struct run r = {0};
	unsigned first = cur_u8(&c);

	test_env_init(&r.te, 1);
	mux_side_init(&r.s, &r.te, kind, (first & 1) != 0);
	r.s.budget.max = BUDGET_BYTES;
	r.s.out.max = OUT_BYTES;
	while (cur_left(&c) > 0) {
		do_op(&r, cur_u8(&c), &c);
		mux_side_check(&r.s);
	}
	mux_side_clear(&r.s);
}

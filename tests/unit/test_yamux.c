/* Yamux: the MUSTs of the libp2p yamux spec, pairs, and forged frames. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <cmocka.h>

#include "net/upgrade/mux_internal.h"
#include "net/upgrade/yamux.h"
#include "tests/lib/mux_pair.h"

/* ---- forging ---- */

/* Any header at all, valid or bent. */
struct forged {
	uint8_t version, type;
	uint16_t flags;
	uint32_t id, length;
};

static int feed_head(struct mux_side *s, struct forged f)
{
	uint8_t raw[12] = {f.version, f.type};

	put_be16(raw + 2, f.flags);
	put_be32(raw + 4, f.id);
	put_be32(raw + 8, f.length);
	return mux_side_feed(s, raw, sizeof(raw));
}

static int feed_frame(
	struct mux_side *s, int type, int flags, uint32_t id, uint32_t length)
{
	return feed_head(s, (struct forged){.type = (uint8_t)type,
				    .flags = (uint16_t)flags,
				    .id = id,
				    .length = length});
}

static int feed_zeros(struct mux_side *s, size_t len)
{
	uint8_t *zeros = calloc(1, len);
	int err = mux_side_feed(s, zeros, len);

	free(zeros);
	return err;
}

static int feed_data(
	struct mux_side *s, int flags, uint32_t id, const char *text)
{
	uint32_t len = (uint32_t)strlen(text);
	int err = feed_frame(s, YAMUX_DATA, flags, id, len);

	return err != 0 ? err : mux_side_feed(s, text, len);
}

/* The next frame that the muxer sent; its payload is skipped. */
static void expect_sent(
	struct mux_side *s, int type, int flags, uint32_t id, uint32_t length)
{
	struct yamux_head h;

	assert_true(s->out.len >= YAMUX_HEAD_BYTES);
	assert_int_equal(yamux_read_head(&h, bufq_peek(&s->out).data), 0);
	assert_int_equal(h.type, type);
	assert_int_equal(h.flags, flags);
	assert_int_equal(h.id, id);
	assert_int_equal(h.length, length);
	bufq_consume(
		&s->out, YAMUX_HEAD_BYTES + (type == YAMUX_DATA ? length : 0));
}

static void expect_bytes(
	struct mux_side *s, uint64_t stream, const char *text, bool want_end)
{
	bool end;
	struct bytes got = muxer_read_peek(s->m, stream, &end);

	assert_int_equal(got.len, strlen(text));
	assert_memory_equal(got.data, text, got.len);
	assert_int_equal(end, want_end);
}

/* A muxer alone; the forged other side is the initiator (odd ids). */
struct lone {
	struct test_env te;
	struct mux_side s;
};

static int setup_lone(void **state)
{
	struct lone *l = calloc(1, sizeof(*l));

	test_env_init(&l->te, 5);
	mux_side_init(&l->s, &l->te, MUXER_YAMUX, false);
	*state = l;
	return 0;
}

static int teardown_lone(void **state)
{
	struct lone *l = *state;

	mux_side_clear(&l->s);
	free(l);
	return 0;
}

static uint64_t open_forged(struct mux_side *s, uint32_t id)
{
	uint64_t stream;

	assert_int_equal(feed_frame(s, YAMUX_WINDOW, YAMUX_SYN, id, 0), 0);
	stream = mux_side_await(s, MUX_EV_OPENED);
	assert_int_not_equal(stream, 0);
	assert_int_equal(muxer_accept(s->m, stream, &s->out), 0);
	expect_sent(s, YAMUX_WINDOW, YAMUX_ACK, id, 0);
	return stream;
}

static uint64_t open_own(struct mux_side *s)
{
	uint64_t stream = 0;
	int err = muxer_open(s->m, &s->te->env, &stream, &s->out);

	assert_int_equal(err, 0);
	return stream;
}

/* ---- pairs ---- */

static uint8_t byte_at(uint64_t i)
{
	return (uint8_t)(i * 2654435761U >> 13);
}

/* What one direction of a bulk transfer has done so far. */
struct bulk {
	struct mux_side *from, *to;
	uint64_t out_stream, in_stream;
	uint64_t sent, got, total;
	bool ended;
};

static void bulk_write(struct bulk *b)
{
	static uint8_t chunk[200000];
	size_t n = P2P_MIN(sizeof(chunk), b->total - b->sent);
	size_t taken;

	for (size_t i = 0; i < n; i++)
		chunk[i] = byte_at(b->sent + i);
	assert_int_equal(muxer_write(b->from->m, b->out_stream,
				 bytes_of(chunk, n), &taken, &b->from->out),
		0);
	b->sent += taken;
	if (b->sent == b->total)
		muxer_close_write(b->from->m, b->out_stream, &b->from->out);
}

static void bulk_read(struct bulk *b, struct rng *rng)
{
	struct bytes in = muxer_read_peek(b->to->m, b->in_stream, &b->ended);
	size_t n = rng_one_in(rng, 2) ? in.len : rng_below(rng, in.len + 1);

	for (size_t i = 0; i < n; i++)
		assert_int_equal(in.data[i], byte_at(b->got + i));
	assert_int_equal(
		muxer_read_consume(b->to->m, b->in_stream, n, &b->to->out), 0);
	b->got += n;
	b->ended = b->ended && n == in.len;
}

static void bulk_run(struct mux_pair *p, struct bulk *b, bool slow_reader)
{
	while (!b->ended) {
		if (b->sent < b->total)
			bulk_write(b);
		for (int i = 0; i < 200 && mem_pipe_step(&p->pipe); i++)
			;
		if (!slow_reader || rng_one_in(&p->te.rng, 3))
			bulk_read(b, &p->te.rng);
		mux_pair_check(p);
		assert_int_equal(p->pipe.err[0] | p->pipe.err[1], 0);
	}
	assert_int_equal(b->got, b->total);
}

static void open_pair_stream(struct mux_pair *p, struct bulk *b)
{
	b->from = &p->side[0];
	b->to = &p->side[1];
	b->out_stream = open_own(b->from);
	mux_pair_run(p);
	b->in_stream = mux_side_await(b->to, MUX_EV_OPENED);
	assert_int_equal(muxer_accept(b->to->m, b->in_stream, &b->to->out), 0);
}

static void test_yamux_carries_every_byte_under_backpressure(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed <= 3; seed++) {
		struct bulk b = {.total = seed == 1 ? 12u << 20 : 2u << 20};
		struct mux_pair p;

		mux_pair_init(&p, MUXER_YAMUX, seed);
		open_pair_stream(&p, &b);
		bulk_run(&p, &b, seed != 1);
		mux_pair_clear(&p);
	}
}

static void test_yamux_stops_a_writer_whose_reader_stops(void **state)
{
	struct bulk b = {.total = 2u << 20};
	struct mux_pair p;
	bool end;

	(void)state;
	mux_pair_init(&p, MUXER_YAMUX, 3);
	open_pair_stream(&p, &b);
	for (int i = 0; i < 50; i++) {
		bulk_write(&b);
		mux_pair_run(&p);
	}
	assert_int_equal(b.sent, YAMUX_WINDOW_BYTES);
	assert_int_equal(muxer_read_peek(b.to->m, b.in_stream, &end).len,
		YAMUX_WINDOW_BYTES);
	/* No event before there is credit, one after. */
	assert_int_equal(mux_side_await(b.from, MUX_EV_WRITABLE), 0);
	assert_int_equal(muxer_read_consume(b.to->m, b.in_stream,
				 YAMUX_WINDOW_BYTES / 2 - 1, &b.to->out),
		0);
	mux_pair_run(&p);
	assert_int_equal(mux_side_await(b.from, MUX_EV_WRITABLE), 0);
	assert_int_equal(
		muxer_read_consume(b.to->m, b.in_stream, 1, &b.to->out), 0);
	mux_pair_run(&p);
	assert_int_equal(mux_side_await(b.from, MUX_EV_WRITABLE), b.out_stream);
	mux_pair_clear(&p);
}

static void test_yamux_window_grows_with_round_trip_time(void **state)
{
	struct bulk b = {.total = 4u << 20};
	struct mux_pair p;
	struct mux_stream *s;

	(void)state;
	mux_pair_init(&p, MUXER_YAMUX, 9);
	p.side[1].m->cfg.ping_interval_ms = 30000;
	p.side[1].m->u.yamux.next_ping_ms = 0;
	muxer_tick(p.side[1].m, &p.te.env, &p.side[1].out);
	p.te.env.now_ms += 100;
	open_pair_stream(&p, &b);
	assert_int_equal(p.side[1].m->u.yamux.rtt_ms, 100);
	bulk_run(&p, &b, false);
	s = mux_stream_find(b.to->m, b.in_stream);
	assert_true(s->recv_window > YAMUX_WINDOW_BYTES);
	assert_int_equal(s->reserved, 0); /* given back at the end */
	mux_pair_clear(&p);

	/* A slow writer does not need it. */
	mux_pair_init(&p, MUXER_YAMUX, 9);
	open_pair_stream(&p, &b);
	p.side[1].m->u.yamux.rtt_ms = 1;
	b = (struct bulk){.from = b.from,
		.to = b.to,
		.total = 1u << 20,
		.out_stream = b.out_stream,
		.in_stream = b.in_stream};
	while (!b.ended) {
		p.te.env.now_ms += 10;
		if (b.sent < b.total)
			bulk_write(&b);
		mux_pair_run(&p);
		bulk_read(&b, &p.te.rng);
	}
	s = mux_stream_find(b.to->m, b.in_stream);
	assert_int_equal(s->recv_window, YAMUX_WINDOW_BYTES);
	mux_pair_clear(&p);
}

static void test_yamux_window_growth_is_charged_and_leaves_half(void **state)
{
	struct lone *l = *state;
	struct mux_side *s = &l->s;
	uint64_t n = open_forged(s, 1);
	struct mux_stream *st = mux_stream_find(s->m, n);

	s->m->u.yamux.rtt_ms = 1000;
	s->budget.max = (1u << 20) + 2 * MUX_STREAM_COST_BYTES;
	for (int i = 0; i < 8; i++) {
		uint32_t half = st->recv_window / 2;

		assert_int_equal(feed_frame(s, YAMUX_DATA, 0, 1, half), 0);
		assert_int_equal(feed_zeros(s, half), 0);
		assert_int_equal(muxer_read_consume(s->m, n, half, &s->out), 0);
		bufq_consume(&s->out, s->out.len);
		mux_side_check(s);
	}
	assert_int_equal(st->recv_window, 512 << 10);
	assert_int_equal(st->reserved, 512 << 10);
}

static void accept_all(struct mux_side *s)
{
	struct mux_event ev;

	while (muxer_next_event(s->m, &ev)) {
		if (ev.kind == MUX_EV_OPENED)
			muxer_accept(s->m, ev.stream, &s->out);
	}
}

static void serve_echo(struct mux_side *s)
{
	struct mux_event ev;

	while (muxer_next_event(s->m, &ev)) {
		struct bytes in;
		bool end;

		if (ev.kind != MUX_EV_READABLE ||
			mux_stream_find(s->m, ev.stream)->ours)
			continue;
		in = muxer_read_peek(s->m, ev.stream, &end);
		if (!end || in.len == 0)
			continue;
		assert_int_equal(in.len, 1);
		mux_side_say(s, ev.stream, in.data[0] == 'a' ? "A" : "B");
		assert_int_equal(
			muxer_read_consume(s->m, ev.stream, 1, &s->out), 0);
		muxer_close_write(s->m, ev.stream, &s->out);
		muxer_forget(s->m, ev.stream, &s->out);
	}
}

static void test_yamux_serves_a_thousand_streams_each_way(void **state)
{
	static uint64_t own[2][1000];
	struct mux_pair p;

	(void)state;
	mux_pair_init(&p, MUXER_YAMUX, 11);
	for (int round = 0; round < 1000 / 50; round++) {
		for (int i = 0; i < 100; i++) {
			struct mux_side *s = &p.side[i % 2];
			uint64_t n = open_own(s);

			own[i % 2][round * 50 + i / 2] = n;
			mux_side_say(s, n, i % 2 == 0 ? "a" : "b");
		}
		mux_pair_run(&p);
		accept_all(&p.side[0]);
		accept_all(&p.side[1]);
	}
	/* All 2,000 are open at once before the first is answered. */
	for (int i = 0; i < 2; i++) {
		assert_int_equal(p.side[i].m->in_count, 1000);
		assert_int_equal(muxer_stream_count(p.side[i].m), 2000);
	}
	for (int k = 0; k < 2000; k++)
		muxer_close_write(
			p.side[k % 2].m, own[k % 2][k / 2], &p.side[k % 2].out);
	while (mem_pipe_step(&p.pipe)) {
		serve_echo(&p.side[0]);
		serve_echo(&p.side[1]);
	}
	for (int k = 0; k < 2000; k++) {
		struct mux_side *s = &p.side[k % 2];

		expect_bytes(
			s, own[k % 2][k / 2], k % 2 == 0 ? "A" : "B", true);
		muxer_forget(s->m, own[k % 2][k / 2], &s->out);
	}
	mux_pair_run(&p);
	assert_int_equal(muxer_stream_count(p.side[0].m), 0);
	assert_int_equal(p.side[0].budget.used, 0);
	assert_int_equal(p.side[1].budget.used, 0);
	assert_int_equal(p.side[0].m->counts.frames_unknown, 0);
	mux_pair_clear(&p);
}

static void test_yamux_half_close_lets_the_other_side_go_on(void **state)
{
	struct mux_pair p;
	struct bulk b = {0};

	(void)state;
	mux_pair_init(&p, MUXER_YAMUX, 12);
	open_pair_stream(&p, &b);
	mux_side_say(b.from, b.out_stream, "question");
	muxer_close_write(b.from->m, b.out_stream, &b.from->out);
	mux_pair_run(&p);
	expect_bytes(b.to, b.in_stream, "question", true);
	mux_side_say(b.to, b.in_stream, "answer");
	mux_pair_run(&p);
	expect_bytes(b.from, b.out_stream, "answer", false);
	muxer_close_write(b.to->m, b.in_stream, &b.to->out);
	mux_pair_run(&p);
	expect_bytes(b.from, b.out_stream, "answer", true);
	muxer_forget(b.from->m, b.out_stream, &b.from->out);
	muxer_forget(b.to->m, b.in_stream, &b.to->out);
	assert_int_equal(b.from->out.len + b.to->out.len, 0); /* no RST */
	mux_pair_clear(&p);
}

static void test_yamux_keeps_what_came_before_a_reset(void **state)
{
	struct mux_pair p;
	struct bulk b = {0};
	size_t taken;

	(void)state;
	mux_pair_init(&p, MUXER_YAMUX, 13);
	open_pair_stream(&p, &b);
	mux_side_say(b.to, b.in_stream, "reply");
	muxer_reset(b.to->m, b.in_stream, &b.to->out);
	mux_pair_run(&p);
	assert_int_equal(mux_side_await(b.from, MUX_EV_RESET), b.out_stream);
	expect_bytes(b.from, b.out_stream, "reply", true);
	assert_int_equal(muxer_write(b.from->m, b.out_stream, bytes_str("x"),
				 &taken, &b.from->out),
		P2P_ERR_RESET);
	assert_int_equal(b.from->out.len, 0);
	muxer_forget(b.from->m, b.out_stream, &b.from->out);
	assert_int_equal(b.from->out.len, 0);
	assert_int_equal(muxer_write(b.from->m, b.out_stream, bytes_str("x"),
				 &taken, &b.from->out),
		P2P_ERR_NOT_FOUND);
	mux_pair_clear(&p);
}

/* ---- the specification, point by point ---- */

static void test_yamux_initiator_uses_odd_ids_and_responder_even(void **state)
{
	struct mux_pair p;

	(void)state;
	mux_pair_init(&p, MUXER_YAMUX, 1);
	for (uint32_t i = 0; i < 3; i++) {
		open_own(&p.side[0]);
		open_own(&p.side[1]);
		expect_sent(&p.side[0], YAMUX_WINDOW, YAMUX_SYN, 1 + 2 * i, 0);
		expect_sent(&p.side[1], YAMUX_WINDOW, YAMUX_SYN, 2 + 2 * i, 0);
	}
	mux_pair_clear(&p);
}

static void test_yamux_takes_syn_on_data_and_on_window_update(void **state)
{
	struct lone *l = *state;
	struct mux_side *s = &l->s;

	assert_int_equal(feed_data(s, YAMUX_SYN, 1, "hello"), 0);
	assert_true(mux_side_expect(s, MUX_EV_OPENED, 1));
	assert_true(mux_side_expect(s, MUX_EV_READABLE, 1));
	expect_bytes(s, 1, "hello", false);
	/* Extra credit in the SYN counts. */
	assert_int_equal(feed_frame(s, YAMUX_WINDOW, YAMUX_SYN, 3, 1000), 0);
	assert_int_equal(mux_stream_find(s->m, 2)->send_credit,
		YAMUX_WINDOW_BYTES + 1000);
	/* SYN and FIN in one frame. */
	assert_int_equal(feed_data(s, YAMUX_SYN | YAMUX_FIN, 5, "all"), 0);
	expect_bytes(s, 3, "all", true);
	assert_int_equal(
		feed_frame(s, YAMUX_WINDOW, YAMUX_SYN | YAMUX_FIN, 7, 0), 0);
	expect_bytes(s, 4, "", true);
}

static void test_yamux_acknowledges_what_is_accepted(void **state)
{
	struct lone *l = *state;
	struct mux_side *s = &l->s;

	open_forged(s, 1);
	/* Writing accepts as well; the ACK goes first. */
	assert_int_equal(feed_frame(s, YAMUX_WINDOW, YAMUX_SYN, 3, 0), 0);
	assert_int_equal(s->out.len, 0);
	mux_side_say(s, 2, "hi");
	expect_sent(s, YAMUX_WINDOW, YAMUX_ACK, 3, 0);
	expect_sent(s, YAMUX_DATA, 0, 3, 2);
	assert_int_equal(muxer_accept(s->m, 2, &s->out), 0);
	assert_int_equal(s->out.len, 0);
}

static void test_yamux_refuses_streams_over_its_limits_by_reset(void **state)
{
	struct lone *l = *state;
	struct mux_side *s = &l->s;

	for (uint32_t i = 0; i < 64; i++)
		assert_int_equal(
			feed_frame(s, YAMUX_WINDOW, YAMUX_SYN, 1 + 2 * i, 0),
			0);
	assert_int_equal(s->out.len, 0);
	assert_int_equal(feed_data(s, YAMUX_SYN, 129, "lost"), 0);
	expect_sent(s, YAMUX_WINDOW, YAMUX_RST, 129, 0);
	assert_int_equal(muxer_stream_count(s->m), 64);
	assert_int_equal(muxer_counts(s->m)->streams_refused, 1);
	/* Each accepted one makes room for one. */
	assert_int_equal(muxer_accept(s->m, 1, &s->out), 0);
	assert_int_equal(feed_data(s, YAMUX_SYN, 131, "kept"), 0);
	assert_int_equal(muxer_stream_count(s->m), 65);
}

static void test_yamux_has_at_most_256_unacknowledged_streams(void **state)
{
	struct lone *l = *state;
	struct mux_side *s = &l->s;
	uint64_t n;

	for (int i = 0; i < YAMUX_UNACKED_MAX; i++)
		open_own(s);
	assert_int_equal(
		muxer_open(s->m, &l->te.env, &n, &s->out), P2P_ERR_LIMIT);
	assert_false(mux_side_expect(s, MUX_EV_WRITABLE, 0));
	assert_int_equal(feed_frame(s, YAMUX_WINDOW, YAMUX_ACK, 2, 0), 0);
	assert_true(mux_side_expect(s, MUX_EV_WRITABLE, 0));
	assert_false(mux_side_expect(s, MUX_EV_WRITABLE, 0));
	open_own(s);
	/* A refusal of the other side frees a place too. */
	assert_int_equal(
		muxer_open(s->m, &l->te.env, &n, &s->out), P2P_ERR_LIMIT);
	assert_int_equal(feed_frame(s, YAMUX_DATA, YAMUX_RST, 4, 0), 0);
	open_own(s);
}

static void test_yamux_takes_fin_and_rst_on_either_type(void **state)
{
	struct lone *l = *state;
	struct mux_side *s = &l->s;

	for (int type = YAMUX_DATA; type <= YAMUX_WINDOW; type++) {
		uint32_t id = 1 + 4 * (uint32_t)type;
		uint64_t n = open_forged(s, id);

		assert_int_equal(feed_frame(s, type, YAMUX_FIN, id, 0), 0);
		expect_bytes(s, n, "", true);
		n = open_forged(s, id + 2);
		assert_int_equal(feed_data(s, 0, id + 2, "x"), 0);
		assert_int_equal(feed_frame(s, type, YAMUX_RST, id + 2, 0), 0);
		assert_int_equal(mux_side_await(s, MUX_EV_RESET), n);
		expect_bytes(s, n, "x", true);
	}
}

static void test_yamux_sends_fin_as_an_empty_window_update(void **state)
{
	struct lone *l = *state;
	struct mux_side *s = &l->s;
	uint64_t n = open_forged(s, 1);
	size_t taken;

	mux_side_say(s, n, "last");
	muxer_close_write(s->m, n, &s->out);
	muxer_close_write(s->m, n, &s->out);
	expect_sent(s, YAMUX_DATA, 0, 1, 4);
	expect_sent(s, YAMUX_WINDOW, YAMUX_FIN, 1, 0);
	assert_int_equal(s->out.len, 0);
	assert_int_equal(muxer_write(s->m, n, bytes_str("x"), &taken, &s->out),
		P2P_ERR_STATE);
	muxer_reset(s->m, n, &s->out);
	expect_sent(s, YAMUX_WINDOW, YAMUX_RST, 1, 0);
}

static void test_yamux_gives_credit_once_per_half_window(void **state)
{
	struct lone *l = *state;
	struct mux_side *s = &l->s;
	uint64_t n = open_forged(s, 1);

	assert_int_equal(
		feed_frame(s, YAMUX_DATA, 0, 1, YAMUX_WINDOW_BYTES), 0);
	assert_int_equal(feed_zeros(s, YAMUX_WINDOW_BYTES), 0);
	for (int i = 0; i < YAMUX_WINDOW_BYTES / 1024; i++)
		assert_int_equal(muxer_read_consume(s->m, n, 1024, &s->out), 0);
	expect_sent(s, YAMUX_WINDOW, 0, 1, YAMUX_WINDOW_BYTES / 2);
	expect_sent(s, YAMUX_WINDOW, 0, 1, YAMUX_WINDOW_BYTES / 2);
	assert_int_equal(s->out.len, 0);
}

static void test_yamux_uses_credit_above_256_kib(void **state)
{
	static uint8_t big[1 << 20];
	struct lone *l = *state;
	struct mux_side *s = &l->s;
	uint64_t n = open_forged(s, 1);
	size_t taken, sent = 0;

	assert_int_equal(
		feed_frame(s, YAMUX_WINDOW, 0, 1, YAMUX_WINDOW_BYTES * 3), 0);
	do {
		assert_int_equal(
			muxer_write(s->m, n, bytes_of(big, sizeof(big)), &taken,
				&s->out),
			0);
		sent += taken;
		while (s->out.len > 0) {
			uint32_t len = get_be32(bufq_peek(&s->out).data + 8);

			assert_true(len <= MUX_PAYLOAD_BYTES_MAX);
			expect_sent(s, YAMUX_DATA, 0, 1, len);
		}
	} while (taken > 0);
	assert_int_equal(sent, sizeof(big));
	assert_int_equal(feed_frame(s, YAMUX_WINDOW, 0, 1, 1), 0);
	assert_int_equal(mux_side_await(s, MUX_EV_WRITABLE), n);
}

static void test_yamux_answers_pings_while_out_is_full_of_data(void **state)
{
	static uint8_t big[1 << 18];
	struct lone *l = *state;
	struct mux_side *s = &l->s;
	uint64_t n = open_forged(s, 1);
	size_t taken;

	assert_int_equal(muxer_write(s->m, n, bytes_of(big, sizeof(big)),
				 &taken, &s->out),
		0);
	assert_true(taken < sizeof(big));
	assert_int_equal(
		feed_frame(s, YAMUX_PING, YAMUX_SYN, 0, 0xdeadbeef), 0);
	while (get_be16(bufq_peek(&s->out).data + 2) == 0)
		expect_sent(s, YAMUX_DATA, 0, 1,
			get_be32(bufq_peek(&s->out).data + 8));
	expect_sent(s, YAMUX_PING, YAMUX_ACK, 0, 0xdeadbeef);
	assert_int_equal(muxer_counts(s->m)->pings_answered, 1);
}

static void test_yamux_feed_waits_when_answers_have_no_room(void **state)
{
	struct lone *l = *state;
	struct mux_side *s = &l->s;
	uint8_t ping[12] = {0, YAMUX_PING, 0, YAMUX_SYN};
	size_t taken, filler = s->out.max;
	int taken_count = 0;

	assert_non_null(bufq_extend(&s->out, filler));
	do {
		l->te.env.now_ms += 1000;
		ping[11] = (uint8_t)taken_count;
		assert_int_equal(
			muxer_feed(s->m, &l->te.env,
				bytes_of(ping, sizeof(ping)), &taken, &s->out),
			0);
		taken_count += taken == sizeof(ping);
		assert_true(taken_count < 1000);
	} while (taken > 0);
	assert_true(taken_count >= MUX_ANSWERS_MAX);
	bufq_consume(&s->out, filler);
	muxer_flush(s->m, &s->out);
	for (int i = 0; i < taken_count; i++)
		expect_sent(s, YAMUX_PING, YAMUX_ACK, 0, (uint32_t)i);
	assert_int_equal(mux_side_feed(s, ping, sizeof(ping)), 0);
}

static void test_yamux_pings_measure_and_time_out(void **state)
{
	struct lone *l = *state;
	struct mux_side *s = &l->s;
	struct mux_event ev;
	uint32_t value;

	s->m->cfg.ping_interval_ms = 30000;
	s->m->u.yamux.next_ping_ms = l->te.env.now_ms;
	assert_int_equal(muxer_deadline(s->m), l->te.env.now_ms);
	muxer_tick(s->m, &l->te.env, &s->out);
	value = get_be32(bufq_peek(&s->out).data + 8);
	expect_sent(s, YAMUX_PING, YAMUX_SYN, 0, value);
	l->te.env.now_ms += 42;
	assert_int_equal(feed_frame(s, YAMUX_PING, YAMUX_ACK, 0, value + 1), 0);
	assert_false(muxer_next_event(s->m, &ev));
	assert_int_equal(feed_frame(s, YAMUX_PING, YAMUX_ACK, 0, value), 0);
	assert_true(muxer_next_event(s->m, &ev));
	assert_int_equal(ev.kind, MUX_EV_RTT);
	assert_int_equal(ev.rtt_ms, 42);
	/* The next one is not answered. */
	l->te.env.now_ms = muxer_deadline(s->m);
	muxer_tick(s->m, &l->te.env, &s->out);
	assert_int_equal(muxer_deadline(s->m), l->te.env.now_ms + 10000);
	l->te.env.now_ms += 9999;
	muxer_tick(s->m, &l->te.env, &s->out);
	assert_false(muxer_next_event(s->m, &ev));
	l->te.env.now_ms += 1;
	muxer_tick(s->m, &l->te.env, &s->out);
	assert_true(mux_side_expect(s, MUX_EV_DEAD, 0));
	muxer_tick(s->m, &l->te.env, &s->out);
	assert_false(muxer_next_event(s->m, &ev));
	assert_int_equal(muxer_deadline(s->m), P2P_NEVER);
}

static void test_yamux_go_away_stops_new_streams_only(void **state)
{
	struct lone *l = *state;
	struct mux_side *s = &l->s;
	uint64_t n = open_forged(s, 1), other;
	struct mux_event ev;

	assert_int_equal(feed_frame(s, YAMUX_GO_AWAY, 0, 0, 2), 0);
	assert_true(muxer_next_event(s->m, &ev));
	assert_int_equal(ev.kind, MUX_EV_GO_AWAY);
	assert_int_equal(ev.code, 2);
	assert_int_equal(
		muxer_open(s->m, &l->te.env, &other, &s->out), P2P_ERR_CLOSED);
	mux_side_say(s, n, "still here");
	expect_sent(s, YAMUX_DATA, 0, 1, 10);
	muxer_go_away(s->m, &s->out);
	muxer_go_away(s->m, &s->out);
	expect_sent(s, YAMUX_GO_AWAY, 0, 0, 0);
	assert_int_equal(feed_frame(s, YAMUX_WINDOW, YAMUX_SYN, 3, 0), 0);
	expect_sent(s, YAMUX_WINDOW, YAMUX_RST, 3, 0);
	assert_int_equal(s->out.len, 0);
}

static void test_yamux_discards_frames_for_unknown_streams(void **state)
{
	struct lone *l = *state;
	struct mux_side *s = &l->s;
	uint64_t n = open_forged(s, 1);

	muxer_reset(s->m, n, &s->out);
	expect_sent(s, YAMUX_WINDOW, YAMUX_RST, 1, 0);
	assert_int_equal(feed_data(s, 0, 1, "in flight"), 0);
	assert_int_equal(feed_frame(s, YAMUX_WINDOW, 0, 1, 77), 0);
	assert_int_equal(feed_frame(s, YAMUX_WINDOW, YAMUX_FIN, 1, 0), 0);
	assert_int_equal(feed_frame(s, YAMUX_WINDOW, YAMUX_RST, 40, 0), 0);
	assert_int_equal(feed_data(s, YAMUX_FIN, 99, "never opened"), 0);
	assert_int_equal(s->out.len, 0);
	assert_int_equal(muxer_counts(s->m)->frames_unknown, 5);
	/* Behind the skipped payload the next frame is found. */
	open_forged(s, 3);
}

static void test_yamux_forgets_a_stream_in_the_middle_of_a_frame(void **state)
{
	struct lone *l = *state;
	struct mux_side *s = &l->s;
	uint64_t n = open_forged(s, 1);

	assert_int_equal(feed_frame(s, YAMUX_DATA, YAMUX_FIN, 1, 6), 0);
	assert_int_equal(mux_side_feed(s, "abc", 3), 0);
	muxer_forget(s->m, n, &s->out);
	expect_sent(s, YAMUX_WINDOW, YAMUX_RST, 1, 0);
	assert_int_equal(s->budget.used, 0);
	assert_int_equal(mux_side_feed(s, "def", 3), 0);
	open_forged(s, 3);
}

/* ---- forged frames ---- */

static void test_yamux_rejects_bent_headers(void **state)
{
	/* Stream 1 is open, 3 is not; we have opened 2. */
	static const struct {
		struct forged f;
		int err;
	} bent[] = {
		{{.version = 1, .id = 1}, P2P_ERR_PROTOCOL},
		{{.version = 255, .type = 2, .flags = 1}, P2P_ERR_PROTOCOL},
		{{.type = 4, .id = 1}, P2P_ERR_PROTOCOL},
		{{.type = 255, .id = 1}, P2P_ERR_PROTOCOL},
		{{.flags = 16, .id = 1}, P2P_ERR_PROTOCOL},
		{{.flags = 0x8000, .id = 1}, P2P_ERR_PROTOCOL},
		/* id 0 is the session, and only pings and go away use it */
		{{.type = 0, .id = 0}, P2P_ERR_PROTOCOL},
		{{.type = 1, .flags = 1, .id = 0}, P2P_ERR_PROTOCOL},
		{{.type = 2, .flags = 1, .id = 1}, P2P_ERR_PROTOCOL},
		{{.type = 3, .id = 1}, P2P_ERR_PROTOCOL},
		/* a ping is either asked or answered */
		{{.type = 2, .flags = 0}, P2P_ERR_PROTOCOL},
		{{.type = 2, .flags = 3}, P2P_ERR_PROTOCOL},
		/* parity, and ids in use */
		{{.type = 1, .flags = 1, .id = 2}, P2P_ERR_PROTOCOL},
		{{.type = 1, .flags = 1, .id = 4}, P2P_ERR_PROTOCOL},
		{{.type = 0, .flags = 1, .id = 1}, P2P_ERR_PROTOCOL},
		/* lengths, before any payload came */
		{{.id = 1, .length = YAMUX_WINDOW_BYTES + 1}, P2P_ERR_PROTOCOL},
		{{.id = 1, .length = UINT32_MAX}, P2P_ERR_TOO_BIG},
		{{.id = 3, .length = UINT32_MAX}, P2P_ERR_TOO_BIG},
		{{.flags = 1, .id = 3, .length = YAMUX_WINDOW_BYTES + 1},
			P2P_ERR_PROTOCOL},
		{{.flags = 5, .id = 3, .length = YAMUX_WINDOW_BYTES_MAX},
			P2P_ERR_PROTOCOL},
		/* credit beyond every bound */
		{{.type = 1, .id = 1, .length = UINT32_MAX}, P2P_ERR_PROTOCOL},
		{{.type = 1, .flags = 1, .id = 3, .length = UINT32_MAX},
			P2P_ERR_PROTOCOL},
		{{.type = 1,
			 .id = 1,
			 .length = YAMUX_CREDIT_BYTES_MAX - YAMUX_WINDOW_BYTES +
				   1},
			P2P_ERR_PROTOCOL},
	};

	(void)state;
	for (size_t i = 0; i < P2P_ARRAY_LEN(bent); i++) {
		struct lone l;
		size_t taken;

		test_env_init(&l.te, i);
		mux_side_init(&l.s, &l.te, MUXER_YAMUX, false);
		open_forged(&l.s, 1);
		open_own(&l.s);
		assert_int_equal(feed_head(&l.s, bent[i].f), bent[i].err);
		assert_int_equal(muxer_stream_count(l.s.m), 2);
		/* The error is final. */
		assert_int_equal(muxer_feed(l.s.m, &l.te.env, bytes_of("", 1),
					 &taken, &l.s.out),
			bent[i].err);
		assert_int_equal(taken, 0);
		mux_side_clear(&l.s);
	}
}

static void test_yamux_takes_the_largest_legal_credit(void **state)
{
	struct lone *l = *state;
	struct mux_side *s = &l->s;
	uint32_t rest = YAMUX_CREDIT_BYTES_MAX - YAMUX_WINDOW_BYTES;

	open_forged(s, 1);
	assert_int_equal(feed_frame(s, YAMUX_WINDOW, 0, 1, rest), 0);
	assert_int_equal(
		feed_frame(s, YAMUX_WINDOW, 0, 1, 1), P2P_ERR_PROTOCOL);
}

static void test_yamux_window_is_never_exceeded_by_small_frames(void **state)
{
	struct lone *l = *state;
	struct mux_side *s = &l->s;
	int err = 0;
	size_t sent = 0;

	open_forged(s, 1);
	while (err == 0) {
		err = feed_frame(s, YAMUX_DATA, 0, 1, 4096);
		if (err == 0)
			err = feed_zeros(s, 4096);
		sent += err == 0 ? 4096 : 0;
	}
	assert_int_equal(err, P2P_ERR_PROTOCOL);
	assert_int_equal(sent, YAMUX_WINDOW_BYTES);
}

static void test_yamux_rejects_data_behind_fin(void **state)
{
	struct lone *l = *state;
	struct mux_side *s = &l->s;

	open_forged(s, 1);
	assert_int_equal(feed_data(s, YAMUX_FIN, 1, "end"), 0);
	/* Empty frames and credit are no payload. */
	assert_int_equal(feed_frame(s, YAMUX_DATA, YAMUX_FIN, 1, 0), 0);
	assert_int_equal(feed_frame(s, YAMUX_WINDOW, 0, 1, 5), 0);
	assert_int_equal(feed_frame(s, YAMUX_DATA, 0, 1, 1), P2P_ERR_PROTOCOL);
}

static void test_yamux_ends_floods(void **state)
{
	static const struct {
		int type, flags;
		uint32_t id_step, most;
	} flood[] = {
		{YAMUX_PING, YAMUX_SYN, 0, YAMUX_PINGS_BURST},
		{YAMUX_WINDOW, YAMUX_SYN | YAMUX_RST, 2, MUX_REFUSALS_BURST},
		{YAMUX_WINDOW, YAMUX_SYN, 2, MUX_REFUSALS_BURST + 64},
	};

	(void)state;
	for (size_t i = 0; i < P2P_ARRAY_LEN(flood); i++) {
		struct lone l;
		uint32_t n = 0;
		int err = 0;

		test_env_init(&l.te, i);
		mux_side_init(&l.s, &l.te, MUXER_YAMUX, false);
		for (; err == 0 && n < 1000000; n++) {
			err = feed_frame(&l.s, flood[i].type, flood[i].flags,
				n * flood[i].id_step + (flood[i].id_step != 0),
				7);
			bufq_consume(&l.s.out, l.s.out.len);
		}
		assert_int_equal(err, P2P_ERR_LIMIT);
		assert_int_equal(n, flood[i].most + 1);
		mux_side_clear(&l.s);
	}
}

static void test_yamux_ends_a_flood_of_opens_and_resets(void **state)
{
	struct lone *l = *state;
	struct mux_side *s = &l->s;
	int err = 0;
	uint32_t n = 0;

	for (; err == 0 && n < 1000000; n++) {
		struct mux_event ev;

		err = feed_frame(s, YAMUX_WINDOW, YAMUX_SYN, 1 + 2 * n, 0);
		if (err == 0)
			err = feed_frame(
				s, YAMUX_WINDOW, YAMUX_RST, 1 + 2 * n, 0);
		while (muxer_next_event(s->m, &ev)) {
			if (ev.kind == MUX_EV_RESET)
				muxer_forget(s->m, ev.stream, &s->out);
		}
	}
	assert_int_equal(err, P2P_ERR_LIMIT);
	assert_int_equal(n, MUX_RESETS_BURST + 1);
}

static void test_yamux_ordinary_pings_and_resets_never_end_it(void **state)
{
	struct lone *l = *state;
	struct mux_side *s = &l->s;

	for (uint32_t i = 0; i < 3000; i++) {
		uint64_t n = open_forged(s, 1 + 2 * i);

		assert_int_equal(feed_data(s, 0, 1 + 2 * i, "r"), 0);
		assert_int_equal(
			feed_frame(s, YAMUX_DATA, YAMUX_RST, 1 + 2 * i, 0), 0);
		muxer_forget(s->m, n, &s->out);
		assert_int_equal(feed_frame(s, YAMUX_PING, YAMUX_SYN, 0, i), 0);
		expect_sent(s, YAMUX_PING, YAMUX_ACK, 0, i);
		l->te.env.now_ms += 1000;
	}
}

/* ---- memory ---- */

static void test_yamux_charges_nothing_for_claimed_lengths(void **state)
{
	struct lone *l = *state;
	struct mux_side *s = &l->s;

	for (uint32_t i = 0; i < 64; i++) {
		assert_int_equal(
			feed_frame(s, YAMUX_DATA, YAMUX_SYN, 1 + 2 * i, 1), 0);
		assert_int_equal(mux_side_feed(s, "x", 1), 0);
	}
	assert_int_equal(
		feed_frame(s, YAMUX_DATA, 0, 1, YAMUX_WINDOW_BYTES - 1), 0);
	assert_true(s->budget.used <= 64 * (MUX_STREAM_COST_BYTES + 512));
}

static void test_yamux_resets_a_stream_whose_bytes_find_no_room(void **state)
{
	struct lone *l = *state;
	struct mux_side *s = &l->s;
	uint64_t a = open_forged(s, 1), b = open_forged(s, 3);
	struct mux_event ev;

	s->budget.max = s->budget.used + 70000;
	assert_int_equal(feed_data(s, 0, 3, "safe"), 0);
	assert_int_equal(feed_frame(s, YAMUX_DATA, 0, 1, 200000), 0);
	assert_int_equal(feed_zeros(s, 200000), 0);
	expect_sent(s, YAMUX_WINDOW, YAMUX_RST, 1, 0);
	do {
		assert_true(muxer_next_event(s->m, &ev));
	} while (ev.kind != MUX_EV_RESET);
	assert_int_equal(ev.stream, a);
	assert_int_equal(ev.code, 1);
	expect_bytes(s, a, "", true);
	expect_bytes(s, b, "safe", false);
	assert_int_equal(muxer_counts(s->m)->streams_dropped, 1);
}

static void test_yamux_gives_memory_back_as_it_is_read(void **state)
{
	struct lone *l = *state;
	struct mux_side *s = &l->s;
	uint64_t n = open_forged(s, 1);

	assert_int_equal(feed_frame(s, YAMUX_DATA, 0, 1, 250000), 0);
	assert_int_equal(feed_zeros(s, 250000), 0);
	assert_true(s->budget.used > 250000);
	/* One unread byte does not hold the whole window. */
	assert_int_equal(muxer_read_consume(s->m, n, 249999, &s->out), 0);
	assert_true(s->budget.used < 10000);
	mux_side_check(s);
}

/* A small conversation; every error is that of the refused charge. */
static void converse(struct mux_pair *p)
{
	static const uint8_t zeros[20000];

	for (int i = 0; i < 4; i++) {
		struct mux_side *s = &p->side[i % 2];
		uint64_t n;
		size_t taken;
		int err = muxer_open(s->m, &p->te.env, &n, &s->out);

		assert_true(err == 0 || err == P2P_ERR_LIMIT);
		if (err != 0)
			continue;
		err = muxer_write(s->m, n, bytes_of(zeros, sizeof(zeros)),
			&taken, &s->out);
		assert_int_equal(err, 0);
		if (i > 1)
			muxer_close_write(s->m, n, &s->out);
	}
	mux_pair_run(p);
	for (int i = 0; i < 2; i++) {
		struct mux_side *s = &p->side[i];
		struct mux_event ev;

		while (muxer_next_event(s->m, &ev)) {
			bool end;
			struct bytes in =
				muxer_read_peek(s->m, ev.stream, &end);

			if (ev.kind == MUX_EV_OPENED)
				muxer_accept(s->m, ev.stream, &s->out);
			(void)muxer_read_consume(
				s->m, ev.stream, in.len, &s->out);
		}
	}
	mux_pair_run(p);
}

static void test_yamux_survives_the_nth_refusal_of_memory(void **state)
{
	(void)state;
	for (uint64_t n = 1;; n++) {
		struct mux_pair p;
		uint64_t asked;

		mux_pair_init(&p, MUXER_YAMUX, n);
		(void)budget_test_refuse_nth(n);
		converse(&p);
		asked = budget_test_refuse_nth(0);
		mux_pair_clear(&p);
		if (asked < n) {
			assert_true(n > 4);
			return;
		}
	}
}

#define LONE(t) cmocka_unit_test_setup_teardown(t, setup_lone, teardown_lone)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			test_yamux_carries_every_byte_under_backpressure),
		cmocka_unit_test(test_yamux_stops_a_writer_whose_reader_stops),
		cmocka_unit_test(test_yamux_window_grows_with_round_trip_time),
		LONE(test_yamux_window_growth_is_charged_and_leaves_half),
		cmocka_unit_test(test_yamux_serves_a_thousand_streams_each_way),
		cmocka_unit_test(
			test_yamux_half_close_lets_the_other_side_go_on),
		cmocka_unit_test(test_yamux_keeps_what_came_before_a_reset),
		cmocka_unit_test(
			test_yamux_initiator_uses_odd_ids_and_responder_even),
		LONE(test_yamux_takes_syn_on_data_and_on_window_update),
		LONE(test_yamux_acknowledges_what_is_accepted),
		LONE(test_yamux_refuses_streams_over_its_limits_by_reset),
		LONE(test_yamux_has_at_most_256_unacknowledged_streams),
		LONE(test_yamux_takes_fin_and_rst_on_either_type),
		LONE(test_yamux_sends_fin_as_an_empty_window_update),
		LONE(test_yamux_gives_credit_once_per_half_window),
		LONE(test_yamux_uses_credit_above_256_kib),
		LONE(test_yamux_answers_pings_while_out_is_full_of_data),
		LONE(test_yamux_feed_waits_when_answers_have_no_room),
		LONE(test_yamux_pings_measure_and_time_out),
		LONE(test_yamux_go_away_stops_new_streams_only),
		LONE(test_yamux_discards_frames_for_unknown_streams),
		LONE(test_yamux_forgets_a_stream_in_the_middle_of_a_frame),
		cmocka_unit_test(test_yamux_rejects_bent_headers),
		LONE(test_yamux_takes_the_largest_legal_credit),
		LONE(test_yamux_window_is_never_exceeded_by_small_frames),
		LONE(test_yamux_rejects_data_behind_fin),
		cmocka_unit_test(test_yamux_ends_floods),
		LONE(test_yamux_ends_a_flood_of_opens_and_resets),
		LONE(test_yamux_ordinary_pings_and_resets_never_end_it),
		LONE(test_yamux_charges_nothing_for_claimed_lengths),
		LONE(test_yamux_resets_a_stream_whose_bytes_find_no_room),
		LONE(test_yamux_gives_memory_back_as_it_is_read),
		cmocka_unit_test(test_yamux_survives_the_nth_refusal_of_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

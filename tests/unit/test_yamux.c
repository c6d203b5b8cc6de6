/* Yamux: pairs, and the libp2p yamux spec point by point. */
#include "tests/unit/yamux_lone.h"

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
				 YAMUX_WINDOW_BYTES / 4 - 1, &b.to->out),
		0);
	mux_pair_run(&p);
	assert_int_equal(mux_side_await(b.from, MUX_EV_WRITABLE), 0);
	assert_int_equal(
		muxer_read_consume(b.to->m, b.in_stream, 1, &b.to->out), 0);
	mux_pair_run(&p);
	assert_int_equal(mux_side_await(b.from, MUX_EV_WRITABLE), b.out_stream);
	mux_pair_clear(&p);
}

/* As much as there is credit for; what the reader has not used up stays. */
static void write_all(struct mux_pair *p, struct bulk *b)
{
	uint64_t before;

	do {
		before = b->sent;
		bulk_write(b);
		mux_pair_run(p);
	} while (b->sent > before);
}

static void keep(struct mux_pair *p, const struct bulk *b, size_t n)
{
	assert_int_equal(
		muxer_read_withhold(b->to->m, b->in_stream, n, &b->to->out), 0);
	mux_pair_run(p);
	mux_pair_check(p);
}

/* The reader has used it up, and keeps it: it waits for something else. */
static void test_yamux_gives_no_credit_for_what_is_kept(void **state)
{
	struct bulk b = {.total = 2u << 20};
	struct mux_pair p;

	(void)state;
	mux_pair_init(&p, MUXER_YAMUX, 3);
	open_pair_stream(&p, &b);
	write_all(&p, &b);
	keep(&p, &b, YAMUX_WINDOW_BYTES);
	assert_int_equal(muxer_read_consume(b.to->m, b.in_stream,
				 YAMUX_WINDOW_BYTES, &b.to->out),
		0);
	write_all(&p, &b);
	assert_int_equal(b.sent, YAMUX_WINDOW_BYTES);
	assert_int_equal(mux_side_await(b.from, MUX_EV_WRITABLE), 0);
	/* It is done with a part, and then with all. */
	keep(&p, &b, YAMUX_WINDOW_BYTES / 2);
	assert_int_equal(mux_side_await(b.from, MUX_EV_WRITABLE), b.out_stream);
	write_all(&p, &b);
	assert_int_equal(b.sent, YAMUX_WINDOW_BYTES / 2 * 3);
	keep(&p, &b, 0);
	write_all(&p, &b);
	assert_int_equal(b.sent, YAMUX_WINDOW_BYTES * 2);
	mux_pair_clear(&p);
}

/* Whose bytes wait with the reader is not held up by the way. */
static void test_yamux_window_does_not_grow_for_what_is_kept(void **state)
{
	struct lone *l = *state;
	struct mux_side *s = &l->s;
	uint64_t n = open_forged(s, 1);
	struct mux_stream *st = mux_stream_find(s->m, n);
	const uint32_t half = st->recv_window / 2;

	s->m->u.yamux.rtt_us = 1000000;
	for (unsigned i = 0; i < 3; i++) {
		assert_int_equal(muxer_read_withhold(s->m, n,
					 i < 2 ? half / 2 : 0, &s->out),
			0);
		assert_int_equal(feed_frame(s, YAMUX_DATA, 0, 1, half), 0);
		assert_int_equal(feed_zeros(s, half), 0);
		assert_int_equal(muxer_read_consume(s->m, n, half, &s->out), 0);
		mux_side_check(s);
		assert_int_equal(st->recv_window, i < 2 ? 2 * half : 4 * half);
	}
}

static void test_yamux_window_grows_with_round_trip_time(void **state)
{
	struct bulk b = {.total = 4u << 20};
	struct mux_pair p;
	struct mux_stream *s;

	(void)state;
	mux_pair_init(&p, MUXER_YAMUX, 9);
	p.side[1].m->cfg.ping_interval_ms = 30000;
	muxer_tick(p.side[1].m, &p.te.env, &p.side[1].out);
	p.te.env.now_ms += 100;
	open_pair_stream(&p, &b);
	assert_int_equal(p.side[1].m->u.yamux.rtt_us, 100000);
	bulk_run(&p, &b, false);
	s = mux_stream_find(b.to->m, b.in_stream);
	assert_true(s->recv_window > YAMUX_WINDOW_BYTES);
	assert_int_equal(s->reserved, 0); /* given back at the end */
	mux_pair_clear(&p);

	/* A slow writer does not need it. */
	mux_pair_init(&p, MUXER_YAMUX, 9);
	open_pair_stream(&p, &b);
	p.side[1].m->u.yamux.rtt_us = 1;
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

	s->m->u.yamux.rtt_us = 1000000;
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

static void test_yamux_gives_credit_once_per_quarter_window(void **state)
{
	struct lone *l = *state;
	struct mux_side *s = &l->s;
	uint64_t n = open_forged(s, 1);

	assert_int_equal(
		feed_frame(s, YAMUX_DATA, 0, 1, YAMUX_WINDOW_BYTES), 0);
	assert_int_equal(feed_zeros(s, YAMUX_WINDOW_BYTES), 0);
	for (int i = 0; i < YAMUX_WINDOW_BYTES / 1024; i++)
		assert_int_equal(muxer_read_consume(s->m, n, 1024, &s->out), 0);
	for (int i = 0; i < 4; i++)
		expect_sent(s, YAMUX_WINDOW, 0, 1, YAMUX_WINDOW_BYTES / 4);
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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			test_yamux_carries_every_byte_under_backpressure),
		cmocka_unit_test(test_yamux_stops_a_writer_whose_reader_stops),
		cmocka_unit_test(test_yamux_gives_no_credit_for_what_is_kept),
		LONE(test_yamux_window_does_not_grow_for_what_is_kept),
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
		LONE(test_yamux_gives_credit_once_per_quarter_window),
		LONE(test_yamux_uses_credit_above_256_kib),
		LONE(test_yamux_answers_pings_while_out_is_full_of_data),
		LONE(test_yamux_feed_waits_when_answers_have_no_room),
		LONE(test_yamux_go_away_stops_new_streams_only),
		LONE(test_yamux_discards_frames_for_unknown_streams),
		LONE(test_yamux_forgets_a_stream_in_the_middle_of_a_frame),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

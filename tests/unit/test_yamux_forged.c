/* Yamux against forged frames, floods, and memory that is refused. */
#include "tests/unit/yamux_lone.h"

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
		{YAMUX_PING, YAMUX_ACK, 0, YAMUX_STRAYS_BURST},
		/* The first is a goodbye. */
		{YAMUX_GO_AWAY, 0, 0, YAMUX_STRAYS_BURST + 1},
		{YAMUX_WINDOW, YAMUX_RST, 2, MUX_RESETS_BURST},
		{YAMUX_WINDOW, 0, 2, MUX_RESETS_BURST},
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

int main(void)
{
	const struct CMUnitTest tests[] = {
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

/* Mplex: the MUSTs of the libp2p mplex spec, bounds, pacing, forged frames. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <cmocka.h>

#include "net/upgrade/mplex.h"
#include "net/upgrade/mux_internal.h"
#include "tests/lib/mux_pair.h"

#define MIB (1u << 20)

/* ---- forging ---- */

static int feed_head(
	struct mux_side *s, uint64_t id, unsigned flag, uint64_t length)
{
	struct mplex_head h = {.id = id, .flag = flag, .length = length};
	uint8_t raw[MUX_HEAD_BYTES_MAX + 2];

	return mux_side_feed(s, raw, mplex_write_head(&h, raw));
}

static int feed_frame(
	struct mux_side *s, uint64_t id, unsigned flag, const char *data)
{
	int err = feed_head(s, id, flag, strlen(data));

	return err != 0 ? err : mux_side_feed(s, data, strlen(data));
}

static int feed_zeros(struct mux_side *s, uint64_t id, size_t len)
{
	uint8_t *zeros = calloc(1, len);
	int err = feed_head(s, id, MPLEX_MESSAGE_INITIATOR, len);

	if (err == 0)
		err = mux_side_feed(s, zeros, len);
	free(zeros);
	return err;
}

static void expect_sent(
	struct mux_side *s, uint64_t id, unsigned flag, const char *data)
{
	struct cursor c = cur_of(bufq_peek(&s->out));
	struct mplex_head h;
	size_t before = cur_left(&c);

	assert_int_equal(mplex_read_head(&h, &c), 0);
	assert_int_equal(h.id, id);
	assert_int_equal(h.flag, flag);
	assert_int_equal(h.length, strlen(data));
	assert_memory_equal(cur_take(&c, strlen(data)).data, data, h.length);
	bufq_consume(&s->out, before - cur_left(&c));
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

struct lone {
	struct test_env te;
	struct mux_side s;
};

static int setup_lone(void **state)
{
	struct lone *l = calloc(1, sizeof(*l));

	test_env_init(&l->te, 5);
	mux_side_init(&l->s, &l->te, MUXER_MPLEX, false);
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

static uint64_t open_forged(struct mux_side *s, uint64_t id)
{
	uint64_t stream;

	assert_int_equal(feed_frame(s, id, MPLEX_NEW, "i0"), 0);
	stream = mux_side_await(s, MUX_EV_OPENED);
	assert_int_not_equal(stream, 0);
	assert_int_equal(muxer_accept(s->m, stream, &s->out), 0);
	assert_int_equal(s->out.len, 0);
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

static void write_some(
	struct mux_side *s, uint64_t n, uint64_t *sent, uint64_t total)
{
	static uint8_t chunk[100000];
	size_t len = P2P_MIN(sizeof(chunk), total - *sent);
	size_t taken;

	for (size_t i = 0; i < len; i++)
		chunk[i] = byte_at(*sent + i);
	assert_int_equal(
		muxer_write(s->m, n, bytes_of(chunk, len), &taken, &s->out), 0);
	*sent += taken;
}

static uint64_t read_all(struct mux_side *s, uint64_t n, uint64_t got)
{
	bool end;
	struct bytes in = muxer_read_peek(s->m, n, &end);

	for (size_t i = 0; i < in.len; i++)
		assert_int_equal(in.data[i], byte_at(got + i));
	assert_int_equal(muxer_read_consume(s->m, n, in.len, &s->out), 0);
	return got + in.len;
}

static void test_mplex_carries_every_byte_both_ways(void **state)
{
	uint64_t sent[2] = {0, 0}, got[2] = {0, 0}, total = 11u * MIB, n[2];
	struct mux_pair p;

	(void)state;
	mux_pair_init(&p, MUXER_MPLEX, 4);
	n[0] = open_own(&p.side[0]);
	mux_pair_run(&p);
	n[1] = mux_side_await(&p.side[1], MUX_EV_OPENED);
	while (got[0] < total || got[1] < total) {
		for (int i = 0; i < 2; i++)
			write_some(&p.side[i], n[i], &sent[i], total);
		for (int k = 0; k < 40 && mem_pipe_step(&p.pipe); k++)
			;
		for (int i = 0; i < 2; i++)
			got[i] = read_all(&p.side[i], n[i], got[i]);
		mux_pair_check(&p);
		assert_int_equal(p.pipe.err[0] | p.pipe.err[1], 0);
	}
	assert_int_equal(got[0], total);
	assert_int_equal(got[1], total);
	mux_pair_clear(&p);
}

static void test_mplex_both_sides_use_the_same_ids(void **state)
{
	uint64_t own[2], other[2];
	struct mux_pair p;

	(void)state;
	mux_pair_init(&p, MUXER_MPLEX, 5);
	own[0] = open_own(&p.side[0]);
	own[1] = open_own(&p.side[1]);
	mux_side_say(&p.side[0], own[0], "from a");
	mux_side_say(&p.side[1], own[1], "from b");
	mux_pair_run(&p);
	other[0] = mux_side_await(&p.side[0], MUX_EV_OPENED);
	other[1] = mux_side_await(&p.side[1], MUX_EV_OPENED);
	expect_bytes(&p.side[0], other[0], "from b", false);
	expect_bytes(&p.side[1], other[1], "from a", false);
	mux_side_say(&p.side[0], other[0], "to b");
	mux_side_say(&p.side[1], other[1], "to a");
	mux_pair_run(&p);
	expect_bytes(&p.side[0], own[0], "to a", false);
	expect_bytes(&p.side[1], own[1], "to b", false);
	mux_pair_clear(&p);
}

static void test_mplex_serves_a_thousand_streams(void **state)
{
	static uint64_t own[MUX_STREAMS_OUT_MAX];
	struct mux_pair p;
	uint64_t n;

	(void)state;
	mux_pair_init(&p, MUXER_MPLEX, 6);
	for (int i = 0; i < MUX_STREAMS_OUT_MAX; i++) {
		p.te.env.now_ms += 1000;
		own[i] = open_own(&p.side[0]);
		mux_side_say(&p.side[0], own[i], "ask");
		if (i % 50 != 49)
			continue;
		mux_pair_run(&p);
		for (n = mux_side_await(&p.side[1], MUX_EV_OPENED); n != 0;
			n = mux_side_await(&p.side[1], MUX_EV_OPENED)) {
			expect_bytes(&p.side[1], n, "ask", false);
			mux_side_say(&p.side[1], n, "reply");
			muxer_close_write(p.side[1].m, n, &p.side[1].out);
		}
	}
	assert_int_equal(muxer_stream_count(p.side[1].m), 1000);
	p.te.env.now_ms += 60000;
	assert_int_equal(muxer_open(p.side[0].m, &p.te.env, &n, &p.side[0].out),
		P2P_ERR_LIMIT);
	assert_int_equal(muxer_deadline(p.side[0].m), P2P_NEVER);
	mux_pair_run(&p);
	for (int i = 0; i < MUX_STREAMS_OUT_MAX; i++) {
		expect_bytes(&p.side[0], own[i], "reply", true);
		muxer_close_write(p.side[0].m, own[i], &p.side[0].out);
		muxer_forget(p.side[0].m, own[i], &p.side[0].out);
	}
	assert_int_equal(muxer_stream_count(p.side[0].m), 0);
	assert_int_equal(p.side[0].budget.used, 0);
	while (mux_side_await(&p.side[0], MUX_EV_WRITABLE) != 0)
		;
	open_own(&p.side[0]);
	mux_pair_run(&p);
	assert_int_equal(p.side[1].m->counts.frames_unknown, 0);
	mux_pair_clear(&p);
}

static void test_mplex_half_close_lets_the_other_side_go_on(void **state)
{
	struct lone *l = *state;
	struct mux_side *s = &l->s;
	uint64_t n = open_forged(s, 0);
	size_t taken;

	assert_int_equal(
		feed_frame(s, 0, MPLEX_MESSAGE_INITIATOR, "question"), 0);
	assert_int_equal(feed_head(s, 0, MPLEX_CLOSE_INITIATOR, 0), 0);
	expect_bytes(s, n, "question", true);
	mux_side_say(s, n, "answer");
	expect_sent(s, 0, MPLEX_MESSAGE_RECEIVER, "answer");
	muxer_close_write(s->m, n, &s->out);
	muxer_close_write(s->m, n, &s->out);
	expect_sent(s, 0, MPLEX_CLOSE_RECEIVER, "");
	assert_int_equal(muxer_write(s->m, n, bytes_str("x"), &taken, &s->out),
		P2P_ERR_STATE);
	muxer_forget(s->m, n, &s->out);
	assert_int_equal(s->out.len, 0);
	assert_int_equal(s->budget.used, 0);
}

static void test_mplex_keeps_what_came_before_a_reset(void **state)
{
	struct lone *l = *state;
	struct mux_side *s = &l->s;
	uint64_t n = open_own(s);
	size_t taken;

	expect_sent(s, 0, MPLEX_NEW, "0");
	muxer_close_write(s->m, n, &s->out);
	expect_sent(s, 0, MPLEX_CLOSE_INITIATOR, "");
	assert_int_equal(feed_frame(s, 0, MPLEX_MESSAGE_RECEIVER, "reply"), 0);
	assert_int_equal(feed_head(s, 0, MPLEX_RESET_RECEIVER, 0), 0);
	assert_int_equal(mux_side_await(s, MUX_EV_RESET), n);
	expect_bytes(s, n, "reply", true);
	/* Nothing is ever sent on it again. */
	assert_int_equal(muxer_write(s->m, n, bytes_str("x"), &taken, &s->out),
		P2P_ERR_RESET);
	assert_int_equal(muxer_close_write(s->m, n, &s->out), P2P_ERR_RESET);
	assert_int_equal(muxer_reset(s->m, n, &s->out), 0);
	assert_int_equal(s->out.len, 0);
	assert_int_equal(muxer_reset(s->m, n, &s->out), P2P_ERR_NOT_FOUND);
}

static void test_mplex_reset_and_forget_tell_the_other_side(void **state)
{
	struct lone *l = *state;
	struct mux_side *s = &l->s;
	uint64_t in = open_forged(s, 7), own = open_own(s);

	expect_sent(s, 0, MPLEX_NEW, "0");
	muxer_reset(s->m, in, &s->out);
	expect_sent(s, 7, MPLEX_RESET_RECEIVER, "");
	muxer_forget(s->m, own, &s->out);
	expect_sent(s, 0, MPLEX_RESET_INITIATOR, "");
	/* What was under way is counted and skipped, and the id is free. */
	assert_int_equal(feed_frame(s, 7, MPLEX_MESSAGE_INITIATOR, "late"), 0);
	assert_int_equal(feed_head(s, 7, MPLEX_CLOSE_INITIATOR, 0), 0);
	assert_int_equal(feed_head(s, 0, MPLEX_RESET_RECEIVER, 0), 0);
	assert_int_equal(muxer_counts(s->m)->frames_unknown, 3);
	assert_int_equal(s->out.len, 0);
	assert_int_not_equal(open_forged(s, 7), in);
}

static void test_mplex_even_flags_come_from_the_opener(void **state)
{
	struct lone *l = *state;
	struct mux_side *s = &l->s;
	uint64_t in = open_forged(s, 0), own = open_own(s);

	assert_int_equal(feed_frame(s, 0, MPLEX_MESSAGE_INITIATOR, "in"), 0);
	assert_int_equal(feed_frame(s, 0, MPLEX_MESSAGE_RECEIVER, "own"), 0);
	assert_int_equal(feed_head(s, 0, MPLEX_CLOSE_RECEIVER, 0), 0);
	expect_bytes(s, in, "in", false);
	expect_bytes(s, own, "own", true);
}

/* ---- pacing ---- */

static void test_mplex_paces_its_opens(void **state)
{
	struct lone *l = *state;
	struct mux_side *s = &l->s;
	uint64_t start = l->te.env.now_ms, n;

	assert_int_equal(muxer_deadline(s->m), P2P_NEVER);
	for (int i = 0; i < MPLEX_OPENS_MAX; i++)
		open_own(s);
	assert_int_equal(
		muxer_open(s->m, &l->te.env, &n, &s->out), P2P_ERR_LIMIT);
	assert_int_equal(muxer_deadline(s->m), start + MPLEX_OPEN_WINDOW_MS);
	l->te.env.now_ms = muxer_deadline(s->m) - 1;
	muxer_tick(s->m, &l->te.env, &s->out);
	assert_false(mux_side_expect(s, MUX_EV_WRITABLE, 0));
	l->te.env.now_ms++;
	muxer_tick(s->m, &l->te.env, &s->out);
	assert_true(mux_side_expect(s, MUX_EV_WRITABLE, 0));
	assert_int_equal(muxer_deadline(s->m), P2P_NEVER);
	open_own(s);
}

static void test_mplex_never_opens_six_streams_within_a_second(void **state)
{
	struct lone *l = *state;
	struct mux_side *s = &l->s;
	uint64_t at[400];
	size_t opened = 0;

	for (int ms = 0; ms < 60000; ms += 10) {
		uint64_t n;

		l->te.env.now_ms += 10;
		if (muxer_open(s->m, &l->te.env, &n, &s->out) != 0)
			continue;
		at[opened++] = l->te.env.now_ms;
		bufq_consume(&s->out, s->out.len);
		muxer_reset(s->m, n, &s->out);
	}
	assert_true(opened > 150 && opened < 400);
	for (size_t i = 0; i + 5 < opened; i++)
		assert_true(at[i + 5] - at[i] > 1000);
}

/* ---- bounds ---- */

static void test_mplex_resets_a_stream_over_1_mib_unread(void **state)
{
	struct lone *l = *state;
	struct mux_side *s = &l->s;
	uint64_t slow = open_forged(s, 0), other = open_forged(s, 1);
	struct mux_event ev;

	assert_int_equal(feed_frame(s, 1, MPLEX_MESSAGE_INITIATOR, "fine"), 0);
	assert_int_equal(feed_zeros(s, 0, MIB), 0);
	assert_int_equal(s->out.len, 0);
	assert_int_equal(feed_frame(s, 0, MPLEX_MESSAGE_INITIATOR, "!"), 0);
	expect_sent(s, 0, MPLEX_RESET_RECEIVER, "");
	do {
		assert_true(muxer_next_event(s->m, &ev));
	} while (ev.kind != MUX_EV_RESET);
	assert_int_equal(ev.stream, slow);
	assert_int_equal(ev.code, 1);
	expect_bytes(s, slow, "", true);
	expect_bytes(s, other, "fine", false);
	assert_true(s->budget.used < 4096);
	assert_int_equal(muxer_counts(s->m)->streams_dropped, 1);
	/* The writer does not know yet. */
	assert_int_equal(feed_zeros(s, 0, 1000), 0);
	muxer_forget(s->m, slow, &s->out);
	assert_int_equal(s->out.len, 0);
}

static void test_mplex_holds_at_most_4_mib_a_connection(void **state)
{
	struct lone *l = *state;
	struct mux_side *s = &l->s;
	uint64_t n[6];

	for (uint64_t i = 0; i < 6; i++)
		n[i] = open_forged(s, i);
	/* The third holds most, and pays for the last. */
	for (uint64_t i = 0; i < 5; i++)
		assert_int_equal(feed_zeros(s, i, i == 2 ? 900000 : 800000), 0);
	assert_int_equal(s->out.len, 0);
	assert_int_equal(feed_zeros(s, 5, 100000), 0);
	expect_sent(s, 2, MPLEX_RESET_RECEIVER, "");
	assert_int_equal(s->out.len, 0);
	assert_int_equal(mux_side_await(s, MUX_EV_RESET), n[2]);
	assert_int_equal(s->m->unread_bytes, 4 * 800000 + 100000);
	assert_true(s->m->unread_bytes <= MPLEX_UNREAD_CONN_BYTES_MAX);
}

static void test_mplex_never_resets_a_stream_that_both_closed(void **state)
{
	struct lone *l = *state;
	struct mux_side *s = &l->s;
	uint64_t n = open_forged(s, 0);

	assert_int_equal(feed_zeros(s, 0, MIB), 0);
	assert_int_equal(feed_head(s, 0, MPLEX_CLOSE_INITIATOR, 0), 0);
	muxer_close_write(s->m, n, &s->out);
	expect_sent(s, 0, MPLEX_CLOSE_RECEIVER, "");
	for (uint64_t i = 1; i < 6; i++) {
		open_forged(s, i);
		assert_int_equal(feed_zeros(s, i, 700000), 0);
	}
	/* It gave way, but without a frame. */
	assert_int_equal(mux_side_await(s, MUX_EV_RESET), n);
	assert_int_equal(s->out.len, 0);
}

static void test_mplex_refuses_streams_over_its_limits(void **state)
{
	struct lone *l = *state;
	struct mux_side *s = &l->s;
	int err = 0;
	uint64_t n = 64;

	for (uint64_t i = 0; i < 64; i++)
		assert_int_equal(feed_frame(s, i, MPLEX_NEW, ""), 0);
	assert_int_equal(feed_frame(s, 64, MPLEX_NEW, "one more"), 0);
	expect_sent(s, 64, MPLEX_RESET_RECEIVER, "");
	assert_int_equal(muxer_counts(s->m)->streams_refused, 1);
	while (err == 0 && n < 1000000) {
		err = feed_frame(s, ++n, MPLEX_NEW, "flood");
		bufq_consume(&s->out, s->out.len);
	}
	assert_int_equal(err, P2P_ERR_LIMIT);
	assert_int_equal(n, 64 + MUX_REFUSALS_BURST);
	assert_int_equal(muxer_stream_count(s->m), 64);
}

static void test_mplex_ends_a_flood_of_opens_and_resets(void **state)
{
	struct lone *l = *state;
	struct mux_side *s = &l->s;
	uint64_t n = 0;
	int err = 0;

	for (; err == 0 && n < 1000000; n++) {
		uint64_t stream = open_forged(s, n);

		err = feed_head(s, n, MPLEX_RESET_INITIATOR, 0);
		muxer_forget(s->m, stream, &s->out);
	}
	assert_int_equal(err, P2P_ERR_LIMIT);
	assert_int_equal(n, MUX_RESETS_BURST + 1);
}

static void test_mplex_ends_a_flood_of_resets_of_nothing(void **state)
{
	struct lone *l = *state;
	uint64_t n = 0;
	int err = 0;

	for (; err == 0 && n < 1000000; n++)
		err = feed_head(&l->s, n, MPLEX_RESET_INITIATOR, 0);
	assert_int_equal(err, P2P_ERR_LIMIT);
	assert_int_equal(n, MUX_RESETS_BURST + 1);
}

/* ---- forged frames ---- */

static void expect_error(const void *raw, size_t len, int err)
{
	struct lone l;

	test_env_init(&l.te, 1);
	mux_side_init(&l.s, &l.te, MUXER_MPLEX, true);
	open_forged(&l.s, 0);
	assert_int_equal(mux_side_feed(&l.s, raw, len), err);
	assert_int_equal(muxer_stream_count(l.s.m), 1);
	mux_side_clear(&l.s);
}

static void test_mplex_rejects_bent_frames(void **state)
{
	(void)state;
	/* flag 7 */
	expect_error("\x07\x00", 2, P2P_ERR_PROTOCOL);
	/* a second NewStream for a stream that is open */
	expect_error("\x00\x00", 2, P2P_ERR_PROTOCOL);
	/* a uvarint that is not minimal, in either place */
	expect_error("\x82\x00\x00", 3, P2P_ERR_PROTOCOL);
	expect_error("\x02\x80\x00", 3, P2P_ERR_PROTOCOL);
	/* ten bytes of header, ten bytes of length */
	expect_error("\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01\x00", 11,
		P2P_ERR_PROTOCOL);
	expect_error("\x02\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", 11,
		P2P_ERR_PROTOCOL);
	/* 1 MiB + 1, and 2^63 - 1, for known and unknown streams */
	expect_error("\x02\x81\x80\x40", 4, P2P_ERR_TOO_BIG);
	expect_error("\x0a\x81\x80\x40", 4, P2P_ERR_TOO_BIG);
	expect_error("\x08\xff\xff\xff\xff\xff\xff\xff\xff\x7f", 10,
		P2P_ERR_TOO_BIG);
}

static void test_mplex_takes_the_largest_id_and_frame(void **state)
{
	struct lone *l = *state;
	struct mux_side *s = &l->s;
	uint64_t n = open_forged(s, MPLEX_ID_MAX);

	assert_int_equal(feed_zeros(s, MPLEX_ID_MAX, MPLEX_FRAME_BYTES_MAX), 0);
	mux_side_say(s, n, "ok");
	expect_sent(s, MPLEX_ID_MAX, MPLEX_MESSAGE_RECEIVER, "ok");
}

static void test_mplex_rejects_data_behind_close(void **state)
{
	struct lone *l = *state;
	struct mux_side *s = &l->s;

	open_forged(s, 0);
	assert_int_equal(feed_head(s, 0, MPLEX_CLOSE_INITIATOR, 0), 0);
	assert_int_equal(feed_head(s, 0, MPLEX_MESSAGE_INITIATOR, 0), 0);
	assert_int_equal(feed_frame(s, 0, MPLEX_MESSAGE_INITIATOR, "x"),
		P2P_ERR_PROTOCOL);
}

static void test_mplex_skips_names_and_bodies_of_closes(void **state)
{
	struct lone *l = *state;
	struct mux_side *s = &l->s;

	assert_int_equal(feed_frame(s, 0, MPLEX_NEW, "a long debug name"), 0);
	assert_int_equal(
		feed_frame(s, 0, MPLEX_CLOSE_INITIATOR, "no such thing"), 0);
	expect_bytes(s, 1, "", true);
	assert_int_equal(
		feed_frame(s, 0, MPLEX_RESET_INITIATOR, "nor this"), 0);
	open_forged(s, 1);
}

/* ---- memory ---- */

static void test_mplex_survives_the_nth_refusal_of_memory(void **state)
{
	(void)state;
	for (uint64_t n = 1;; n++) {
		static uint8_t zeros[30000];
		struct mux_pair p;
		uint64_t asked;

		mux_pair_init(&p, MUXER_MPLEX, n);
		(void)budget_test_refuse_nth(n);
		for (int i = 0; i < 6; i++) {
			struct mux_side *s = &p.side[i % 2];
			size_t taken;
			uint64_t k;

			if (muxer_open(s->m, &p.te.env, &k, &s->out) != 0)
				continue;
			assert_int_equal(muxer_write(s->m, k,
						 bytes_of(zeros, sizeof(zeros)),
						 &taken, &s->out),
				0);
		}
		mux_pair_run(&p);
		asked = budget_test_refuse_nth(0);
		mux_pair_clear(&p);
		if (asked < n) {
			assert_true(n > 12);
			return;
		}
	}
}

#define LONE(t) cmocka_unit_test_setup_teardown(t, setup_lone, teardown_lone)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_mplex_carries_every_byte_both_ways),
		cmocka_unit_test(test_mplex_both_sides_use_the_same_ids),
		cmocka_unit_test(test_mplex_serves_a_thousand_streams),
		LONE(test_mplex_half_close_lets_the_other_side_go_on),
		LONE(test_mplex_keeps_what_came_before_a_reset),
		LONE(test_mplex_reset_and_forget_tell_the_other_side),
		LONE(test_mplex_even_flags_come_from_the_opener),
		LONE(test_mplex_paces_its_opens),
		LONE(test_mplex_never_opens_six_streams_within_a_second),
		LONE(test_mplex_resets_a_stream_over_1_mib_unread),
		LONE(test_mplex_holds_at_most_4_mib_a_connection),
		LONE(test_mplex_never_resets_a_stream_that_both_closed),
		LONE(test_mplex_refuses_streams_over_its_limits),
		LONE(test_mplex_ends_a_flood_of_opens_and_resets),
		LONE(test_mplex_ends_a_flood_of_resets_of_nothing),
		cmocka_unit_test(test_mplex_rejects_bent_frames),
		LONE(test_mplex_takes_the_largest_id_and_frame),
		LONE(test_mplex_rejects_data_behind_close),
		LONE(test_mplex_skips_names_and_bodies_of_closes),
		cmocka_unit_test(test_mplex_survives_the_nth_refusal_of_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

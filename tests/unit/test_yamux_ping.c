/* Pings of yamux: whether the other side lives, and how far away it is. Its
 * frames are forged. */
#include "tests/unit/yamux_lone.h"

#define INTERVAL_MS 10000
#define LATE_MS (INTERVAL_MS / YAMUX_PING_LATE_PART)
#define TIMEOUT_MS 4000
/* Nobody is asked who was heard within so long. */
#define HEARD_MS (INTERVAL_MS / 8 * 3)

/* A muxer that pings, at a time that is on its grid of INTERVAL_MS / 2. */
static struct mux_side *pinging(struct lone *l, bool initiator, bool asks)
{
	struct mux_side *s = &l->s;

	l->te.env.now_ms = 20000;
	s->m->cfg.initiator = initiator;
	s->m->cfg.ping_interval_ms = INTERVAL_MS;
	s->m->cfg.ping_timeout_ms = TIMEOUT_MS;
	s->m->u.yamux.asks = asks;
	/* As if it had been measured often enough. */
	for (size_t i = 0; i < YAMUX_ROUND_TRIPS; i++)
		s->m->u.yamux.took_us[i] = P2P_NEVER - 1;
	return s;
}

static void tick_at(struct lone *l, uint64_t at_ms)
{
	l->te.env.now_ms = at_ms;
	muxer_tick(l->s.m, &l->te.env, &l->s.out);
}

/* The value of the ping that was sent, which is all that was. */
static uint32_t pinged(struct mux_side *s)
{
	uint32_t value;

	assert_int_equal(s->out.len, YAMUX_HEAD_BYTES);
	value = get_be32(bufq_peek(&s->out).data + 8);
	expect_sent(s, YAMUX_PING, YAMUX_SYN, 0, value);
	return value;
}

static void answer(struct mux_side *s, uint32_t value)
{
	assert_int_equal(feed_frame(s, YAMUX_PING, YAMUX_ACK, 0, value), 0);
}

/* A question of the other side, which is answered and leads to no other. */
static void question(struct mux_side *s)
{
	assert_int_equal(feed_frame(s, YAMUX_PING, YAMUX_SYN, 0, 7), 0);
	expect_sent(s, YAMUX_PING, YAMUX_ACK, 0, 7);
	assert_int_equal(s->out.len, 0);
}

/* The first ping, answered at once; the time. */
static uint64_t begin(struct lone *l)
{
	struct mux_event ev;

	tick_at(l, l->te.env.now_ms);
	answer(&l->s, pinged(&l->s));
	assert_true(muxer_next_event(l->s.m, &ev));
	assert_int_equal(ev.kind, MUX_EV_RTT);
	return l->te.env.now_ms;
}

static void expect_rtt(struct mux_side *s, uint64_t us)
{
	struct mux_event ev;

	assert_true(muxer_next_event(s->m, &ev));
	assert_int_equal(ev.kind, MUX_EV_RTT);
	assert_int_equal(ev.rtt_us, us);
}

static void test_yamux_measures_at_once_and_in_us(void **state)
{
	struct lone *l = *state;
	struct mux_side *s = pinging(l, false, true);
	struct mux_event ev;
	uint32_t value;

	assert_true(muxer_deadline(s->m) <= l->te.env.now_ms);
	muxer_tick(s->m, &l->te.env, &s->out);
	value = pinged(s);
	l->te.env.now_ms += 42;
	answer(s, value + 1);
	assert_false(muxer_next_event(s->m, &ev));
	l->te.env.past_us = 7;
	answer(s, value);
	expect_rtt(s, 42007);
	answer(s, value);
	assert_false(muxer_next_event(s->m, &ev));
}

/* The turn that asks writes to others first; then the carrier may be full. */
static void test_yamux_measures_from_the_carrier_on(void **state)
{
	struct lone *l = *state;
	struct mux_side *s = pinging(l, false, true);
	uint32_t value;

	tick_at(l, 20000);
	value = pinged(s);
	l->te.env.now_ms += 3;
	muxer_leaving(s->m, &l->te.env, false);
	l->te.env.now_ms += 2;
	muxer_leaving(s->m, &l->te.env, false);
	l->te.env.now_ms += 1;
	muxer_leaving(s->m, &l->te.env, true);
	/* Other bytes that leave are none of its business. */
	muxer_leaving(s->m, &l->te.env, false);
	answer(s, value);
	expect_rtt(s, 1000);
}

static void test_yamux_tells_the_least_of_three_round_trips(void **state)
{
	static const uint64_t took[] = {9, 2, 8, 7, 6},
			      told[] = {9, 2, 2, 2, 6};
	struct lone *l = *state;
	struct mux_side *s = pinging(l, false, true);

	for (size_t i = 0; i < P2P_ARRAY_LEN(took); i++) {
		uint32_t value;

		tick_at(l, P2P_MAX(muxer_deadline(s->m), l->te.env.now_ms));
		value = pinged(s);
		l->te.env.now_ms += took[i];
		answer(s, value);
		expect_rtt(s, told[i] * 1000);
	}
}

static void test_yamux_silence_after_a_ping_is_death(void **state)
{
	struct lone *l = *state;
	struct mux_side *s = pinging(l, false, true);
	struct mux_event ev;

	tick_at(l, 20000);
	(void)pinged(s);
	/* Who is busy answers late, but is heard. */
	l->te.env.now_ms += TIMEOUT_MS - 1;
	question(s);
	assert_int_equal(muxer_deadline(s->m), l->te.env.now_ms + TIMEOUT_MS);
	tick_at(l, l->te.env.now_ms + TIMEOUT_MS - 1);
	assert_false(muxer_next_event(s->m, &ev));
	tick_at(l, l->te.env.now_ms + 1);
	assert_true(mux_side_expect(s, MUX_EV_DEAD, 0));
	tick_at(l, l->te.env.now_ms + INTERVAL_MS);
	assert_false(muxer_next_event(s->m, &ev));
	assert_int_equal(muxer_deadline(s->m), P2P_NEVER);
}

static void test_yamux_asks_nobody_who_was_just_heard(void **state)
{
	struct lone *l = *state;
	struct mux_side *s = pinging(l, true, true);
	uint64_t asked = begin(l), now = asked;

	/* Heard again and again: only measured, and that rarely. */
	while (now + HEARD_MS < asked + YAMUX_PING_RARELY_MS) {
		now += HEARD_MS - 1;
		tick_at(l, now);
		assert_int_equal(s->out.len, 0);
		question(s);
		assert_true(muxer_deadline(s->m) >= now + HEARD_MS);
	}
	l->te.env.now_ms = now + HEARD_MS;
	assert_int_equal(feed_frame(s, YAMUX_PING, YAMUX_SYN, 0, 7), 0);
	expect_sent(s, YAMUX_PING, YAMUX_ACK, 0, 7);
	answer(s, pinged(s));
	question(s);
}

/* Bytes of streams show as well that the other side lives; it is measured
 * though it never asks. */
static void test_yamux_measures_a_busy_connection_too(void **state)
{
	struct lone *l = *state;
	struct mux_side *s = pinging(l, true, true);
	uint64_t asked = begin(l);

	(void)open_forged(s, 2);
	for (uint64_t now = asked; s->out.len == 0; now += 1000) {
		assert_true(now <= asked + YAMUX_PING_RARELY_MS + INTERVAL_MS);
		tick_at(l, now);
		if (s->out.len == 0)
			assert_int_equal(feed_data(s, 0, 2, "."), 0);
	}
	assert_true(l->te.env.now_ms >= asked + YAMUX_PING_RARELY_MS);
	(void)pinged(s);
}

/* At the start all are busy. */
static void test_yamux_measures_again_when_it_is_quiet(void **state)
{
	struct lone *l = *state;
	struct mux_side *s = pinging(l, true, false);

	for (size_t i = 0; i < YAMUX_ROUND_TRIPS; i++)
		s->m->u.yamux.took_us[i] = P2P_NEVER;
	(void)begin(l);
	question(s);
	for (size_t i = 1; i < YAMUX_ROUND_TRIPS; i++) {
		l->te.env.now_ms += INTERVAL_MS;
		assert_int_equal(feed_frame(s, YAMUX_PING, YAMUX_SYN, 0, 7), 0);
		expect_sent(s, YAMUX_PING, YAMUX_ACK, 0, 7);
		answer(s, pinged(s));
		question(s);
	}
	l->te.env.now_ms += INTERVAL_MS;
	question(s);
}

/* Whenever each of them was heard, soon all are asked at the same moments, and
 * nobody later than after the interval. */
static void test_yamux_asks_on_a_grid_of_its_clock(void **state)
{
	struct lone *l = *state;
	struct mux_side *s = pinging(l, false, true);

	(void)begin(l);
	for (uint64_t ms = 1; ms <= INTERVAL_MS; ms++) {
		uint64_t heard = 20000 + ms, at;

		s->m->heard_ms = heard;
		at = muxer_deadline(s->m);
		assert_int_equal(at % (INTERVAL_MS / 2), 0);
		assert_true(at >= heard + HEARD_MS);
		assert_true(at <= heard + INTERVAL_MS);
		if (at % INTERVAL_MS == 0)
			continue;
		/* Asked between the steps, and at the next one again. */
		s->m->heard_ms = at;
		assert_int_equal(muxer_deadline(s->m), at + INTERVAL_MS / 2);
	}
}

static void test_yamux_listener_leaves_pings_to_a_dialler_that_asks(
	void **state)
{
	struct lone *l = *state;
	struct mux_side *s = pinging(l, false, true);
	uint64_t now = begin(l) + 10;

	/* On the heels of the first answer: the dialler only measures. */
	l->te.env.now_ms = now;
	question(s);
	assert_true(muxer_deadline(s->m) <= now + INTERVAL_MS);
	for (unsigned i = 0; i < 5; i++) {
		now += INTERVAL_MS / 2;
		l->te.env.now_ms = now;
		question(s);
		assert_int_equal(
			muxer_deadline(s->m), now + INTERVAL_MS + LATE_MS);
	}
	/* It has fallen silent: ours again, from now on. */
	tick_at(l, now + INTERVAL_MS + LATE_MS);
	now = l->te.env.now_ms;
	answer(s, pinged(s));
	assert_true(muxer_deadline(s->m) <= now + INTERVAL_MS);
	/* Two questions cross: the listener's counts. */
	tick_at(l, muxer_deadline(s->m));
	now = l->te.env.now_ms;
	{
		uint32_t value = pinged(s);

		question(s);
		answer(s, value);
	}
	assert_true(muxer_deadline(s->m) <= now + INTERVAL_MS);
}

static void test_yamux_dialler_that_does_not_ask_hears_and_is_patient(
	void **state)
{
	struct lone *l = *state;
	struct mux_side *s = pinging(l, true, false);
	uint64_t now = begin(l);

	for (unsigned i = 0; i < 5; i++) {
		assert_int_equal(
			muxer_deadline(s->m), now + INTERVAL_MS + LATE_MS);
		now += INTERVAL_MS;
		l->te.env.now_ms = now;
		question(s);
	}
	tick_at(l, now + INTERVAL_MS + LATE_MS);
	answer(s, pinged(s));
	/* Asking once does not make it the one who asks. */
	assert_int_equal(
		muxer_deadline(s->m), l->te.env.now_ms + INTERVAL_MS + LATE_MS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		LONE(test_yamux_measures_at_once_and_in_us),
		LONE(test_yamux_measures_from_the_carrier_on),
		LONE(test_yamux_tells_the_least_of_three_round_trips),
		LONE(test_yamux_silence_after_a_ping_is_death),
		LONE(test_yamux_asks_nobody_who_was_just_heard),
		LONE(test_yamux_measures_a_busy_connection_too),
		LONE(test_yamux_measures_again_when_it_is_quiet),
		LONE(test_yamux_asks_on_a_grid_of_its_clock),
		LONE(test_yamux_listener_leaves_pings_to_a_dialler_that_asks),
		LONE(test_yamux_dialler_that_does_not_ask_hears_and_is_patient),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

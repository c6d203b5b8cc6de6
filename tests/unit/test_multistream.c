/* multistream-select as stories: who says what, and how it ends. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "net/upgrade/multistream.h"
#include "tests/lib/mem_pipe.h"

#define HEADER "\x13/multistream/1.0.0\n"
#define NOISE "\x07/noise\n"
#define TLS "\x0b/tls/1.0.0\n"
#define NA "\x03na\n"
#define QUEUE_BYTES 4096

static const char *const noise_only[] = {"/noise", NULL};
static const char *const muxers[] = {"/yamux/1.0.0", "/mplex/6.7.0", NULL};
static const char *const mplex_only[] = {"/mplex/6.7.0", NULL};

struct side {
	struct multistream ms;
	struct bufq out;
};

static void side_init(struct side *s, const char *const *names, bool initiator)
{
	bufq_init(&s->out, QUEUE_BYTES);
	assert_int_equal(
		multistream_init(&s->ms, names, initiator, &s->out), 0);
}

static int side_feed(void *machine, struct bytes in, size_t *taken)
{
	struct side *s = machine;

	return multistream_feed(&s->ms, in, taken, &s->out);
}

static struct bytes side_peek(void *machine)
{
	return bufq_peek(&((struct side *)machine)->out);
}

static void side_consume(void *machine, size_t n)
{
	bufq_consume(&((struct side *)machine)->out, n);
}

static struct mem_end side_end(struct side *s)
{
	return (struct mem_end){s, side_feed, side_peek, side_consume};
}

#define assert_out(s, text) \
	do { \
		struct bytes out_ = bufq_peek(&(s)->out); \
		assert_int_equal(out_.len, sizeof(text) - 1); \
		assert_memory_equal(out_.data, text, sizeof(text) - 1); \
		bufq_consume(&(s)->out, out_.len); \
	} while (0)

/* Feeds text; all but `left` bytes of it must be taken. */
static int feed(struct side *s, const char *text, size_t len, size_t left)
{
	size_t taken;
	int err =
		multistream_feed(&s->ms, bytes_of(text, len), &taken, &s->out);

	if (err == 0)
		assert_int_equal(taken, len - left);
	return err;
}

#define FEED(s, text) feed(s, text, sizeof(text) - 1, 0)
#define FEED_LEFT(s, text, left) feed(s, text, sizeof(text) - 1, left)

static void test_initiator_sends_header_and_proposal_at_once(void **state)
{
	struct side a;

	(void)state;
	side_init(&a, noise_only, true);
	assert_out(&a, HEADER NOISE);
	assert_int_equal(FEED(&a, HEADER), 0);
	assert_false(multistream_done(&a.ms));
	assert_int_equal(FEED(&a, NOISE), 0);
	assert_true(multistream_done(&a.ms));
	assert_int_equal(multistream_chosen(&a.ms), 0);
	bufq_clear(&a.out);
}

static void test_bytes_behind_the_last_frame_are_left(void **state)
{
	struct side a, b;

	(void)state;
	side_init(&a, noise_only, true);
	assert_int_equal(FEED_LEFT(&a, HEADER NOISE "data", 4), 0);
	assert_true(multistream_done(&a.ms));
	side_init(&b, noise_only, false);
	assert_int_equal(FEED_LEFT(&b, HEADER NOISE "\x13/multi", 7), 0);
	assert_true(multistream_done(&b.ms));
	assert_out(&b, HEADER NOISE);
	bufq_clear(&a.out);
	bufq_clear(&b.out);
}

static void test_listener_answers_na_to_tls_and_takes_noise(void **state)
{
	struct side b;

	(void)state;
	side_init(&b, noise_only, false);
	assert_out(&b, "");
	assert_int_equal(FEED(&b, HEADER TLS), 0);
	assert_out(&b, HEADER NA);
	assert_int_equal(FEED(&b, NOISE), 0);
	assert_out(&b, NOISE);
	assert_true(multistream_done(&b.ms));
	bufq_clear(&b.out);
}

static void test_pair_agrees_on_the_second_name(void **state)
{
	(void)state;
	for (uint64_t seed = 0; seed < 200; seed++) {
		struct side a, b;
		struct mem_end ends[2];
		struct mem_pipe pipe;

		side_init(&a, muxers, true);
		side_init(&b, mplex_only, false);
		ends[0] = side_end(&a);
		ends[1] = side_end(&b);
		mem_pipe_init(&pipe, &ends[0], &ends[1], seed);
		mem_pipe_run(&pipe);
		assert_int_equal(multistream_chosen(&a.ms), 1);
		assert_int_equal(multistream_chosen(&b.ms), 0);
		assert_int_equal(pipe.lane[0].flight.len, 0);
		assert_int_equal(pipe.lane[1].flight.len, 0);
		mem_pipe_clear(&pipe);
		bufq_clear(&a.out);
		bufq_clear(&b.out);
	}
}

static void test_initiator_fails_when_all_names_are_refused(void **state)
{
	struct side a;

	(void)state;
	side_init(&a, muxers, true);
	assert_int_equal(FEED(&a, HEADER NA), 0);
	assert_int_equal(FEED(&a, NA), P2P_ERR_NO_PROTOCOL);
	assert_int_equal(FEED(&a, NA), P2P_ERR_STATE);
	bufq_clear(&a.out);
}

static void test_initiator_rejects_an_answer_it_did_not_ask_for(void **state)
{
	struct side a;

	(void)state;
	side_init(&a, muxers, true);
	assert_int_equal(
		FEED(&a, HEADER "\x0d/mplex/6.7.0\n"), P2P_ERR_MALFORMED);
	bufq_clear(&a.out);
}

static void check_bad(const char *text, size_t len, int want)
{
	struct side b;

	side_init(&b, noise_only, false);
	assert_int_equal(feed(&b, text, len, 0), want);
	bufq_clear(&b.out);
}

#define CHECK_BAD(text, want) check_bad(text, sizeof(text) - 1, want)

static void test_listener_rejects_bad_frames(void **state)
{
	(void)state;
	CHECK_BAD("\x00", P2P_ERR_MALFORMED);
	CHECK_BAD("\x13/multistream/1.0.0 ", P2P_ERR_MALFORMED);
	CHECK_BAD("\x13/multistream/2.0.0\n", P2P_ERR_MALFORMED);
	CHECK_BAD("\x93\x00/multistream/1.0.0\n", P2P_ERR_MALFORMED);
	CHECK_BAD("GET / HTTP/1.1\r\n\r\n" HEADER HEADER HEADER HEADER,
		P2P_ERR_MALFORMED);
	CHECK_BAD("\x81\x08", P2P_ERR_TOO_BIG);
	CHECK_BAD("\xff\xff\x7f", P2P_ERR_TOO_BIG);
}

static void test_listener_stops_answering_after_the_limit(void **state)
{
	struct side b;

	(void)state;
	side_init(&b, noise_only, false);
	assert_int_equal(FEED(&b, HEADER), 0);
	for (int i = 0; i < MULTISTREAM_REFUSALS_MAX; i++)
		assert_int_equal(FEED(&b, TLS), 0);
	assert_int_equal(FEED(&b, TLS), P2P_ERR_LIMIT);
	bufq_clear(&b.out);
}

/* A full queue leaves the frame where it is; the talk goes on with room. */
static void test_full_queue_holds_the_listener(void **state)
{
	struct side b;
	size_t taken;

	(void)state;
	side_init(&b, noise_only, false);
	b.out.max = 20;
	assert_int_equal(multistream_feed(&b.ms, bytes_str(HEADER NOISE),
				 &taken, &b.out),
		P2P_ERR_FULL);
	assert_int_equal(taken, 20);
	bufq_consume(&b.out, 20);
	assert_int_equal(FEED(&b, NOISE), 0);
	assert_true(multistream_done(&b.ms));
	bufq_clear(&b.out);
}

static void test_initiator_needs_room_for_header_and_proposal(void **state)
{
	struct multistream ms;
	struct bufq out;

	(void)state;
	bufq_init(&out, 27);
	assert_int_equal(
		multistream_init(&ms, noise_only, true, &out), P2P_ERR_FULL);
	assert_int_equal(out.len, 0);
	bufq_clear(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			test_initiator_sends_header_and_proposal_at_once),
		cmocka_unit_test(test_bytes_behind_the_last_frame_are_left),
		cmocka_unit_test(
			test_listener_answers_na_to_tls_and_takes_noise),
		cmocka_unit_test(test_pair_agrees_on_the_second_name),
		cmocka_unit_test(
			test_initiator_fails_when_all_names_are_refused),
		cmocka_unit_test(
			test_initiator_rejects_an_answer_it_did_not_ask_for),
		cmocka_unit_test(test_listener_rejects_bad_frames),
		cmocka_unit_test(test_listener_stops_answering_after_the_limit),
		cmocka_unit_test(test_full_queue_holds_the_listener),
		cmocka_unit_test(
			test_initiator_needs_room_for_header_and_proposal),
	};

	return cmocka_run_group_tests_name("multistream", tests, NULL, NULL);
}

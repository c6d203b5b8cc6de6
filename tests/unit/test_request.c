/* Frames of a question and its answers over streams. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

#include "base/xmalloc.h"
#include "net/serve/request.h"
#include "net/swarm/swarm_internal.h"
#include "tests/unit/serve_lab.h"

#define FRAME_MAX 300000
#define LIFE_MS 5000

/* What the services of a host have read, frames one after another. */
static struct heard {
	struct buf frames;
	unsigned count;
	unsigned gone;
	int why;
	size_t half; /* of a frame, at the end */
} heard[2];

static const char *reply; /* to the first frame of an inbound stream */
static size_t besides;    /* kept beside each inbound stream's frames */

/* ---- a service of requests ----------------------------------------------- */

struct asker {
	struct serve *sv;
	struct heard *heard;
};

static void *start(struct serve *sv, const struct service_ops *ops,
	const struct serve_cfg *cfg, const struct env *env)
{
	struct asker *self = xcalloc(1, sizeof(*self));
	static unsigned hosts;

	(void)cfg;
	(void)env;
	/* Hosts are told apart by the order in which they start. */
	hosts += strcmp(ops->names[0], "/ask/1") == 0;
	self->sv = sv;
	self->heard = &heard[(hosts - 1) % 2];
	return self;
}

static void opened(void *arg, const struct env *env, struct sstream *st)
{
	(void)arg;
	(void)env;
	if (st->inbound)
		((struct request *)st->state)->besides = besides;
}

static int readable(void *arg, const struct env *env, struct sstream *st,
	struct serve_in *in)
{
	const struct asker *self = arg;
	struct bytes frame;
	int got;

	while ((got = request_read(st->state, st, FRAME_MAX, in, &frame)) > 0) {
		(void)buf_append(&self->heard->frames, frame);
		(void)buf_append_u8(&self->heard->frames, '|');
		self->heard->count++;
		if (!st->inbound || reply == NULL)
			continue;
		assert_int_equal(
			serve_write_frame(self->sv, env, st, bytes_str(reply)),
			0);
		serve_close(self->sv, env, st);
	}
	return got;
}

static void gone(void *arg, const struct env *env, struct sstream *st,
	struct bytes rest, int err)
{
	const struct asker *self = arg;

	(void)env;
	(void)rest;
	self->heard->half = ((struct request *)st->state)->frames.body.len;
	request_clear(st->state);
	self->heard->gone++;
	self->heard->why = err;
}

#define ASK_OPS(list) \
	{ \
		.names = list, .in_per_peer = 4, .life_ms = LIFE_MS, \
		.state_bytes = sizeof(struct request), .start = start, \
		.free = free, .opened = opened, .readable = readable, \
		.gone = gone, \
	}
static const char *const names[] = {"/ask/1", NULL};
static const char *const two_names[] = {"/two/2", "/two/1", NULL};
static const struct service_ops ask_ops = ASK_OPS(names);
static const struct service_ops two_ops = ASK_OPS(two_names);
static const struct service_ops *const services[] = {&ask_ops, &two_ops, NULL};

static struct swarm_lab *begin(void **state)
{
	for (unsigned i = 0; i < 2; i++) {
		heard[i] = (struct heard){.count = 0};
		buf_init(&heard[i].frames, 4u << 20);
	}
	reply = NULL;
	besides = 0;
	*state = serve_lab(services);
	return *state;
}

static int setup(void **state)
{
	(void)begin(state);
	return 0;
}

static int teardown(void **state)
{
	(void)serve_lab_end(state);
	for (unsigned i = 0; i < 2; i++)
		buf_clear(&heard[i].frames);
	return 0;
}

/* ---- helpers ------------------------------------------------------------- */

static uint64_t breaches(struct swarm_lab *l)
{
	return swarm_counters(swarm_of(l, 1))->protocol_errors;
}

static int ask(struct swarm_lab *l, const char *question)
{
	struct serve_to to = {.ops = &ask_ops, .peer = id_of(l, 1)};
	struct sstream *st;

	return request_open(
		l->host[0].sv, &l->te.env, &to, bytes_str(question), &st);
}

/* Raw bytes from host 0, so many at a time. */
static void say(
	struct swarm_lab *l, struct sstream *st, struct bytes raw, size_t step)
{
	while (raw.len > 0) {
		struct bytes now = bytes_first(raw, step);

		assert_int_equal(
			serve_write(l->host[0].sv, &l->te.env, st, now), 0);
		lab_run(l);
		raw = bytes_skip(raw, now.len);
	}
}

static void add_frame(struct buf *to, char with, size_t len)
{
	uint8_t head[10];

	(void)buf_append(to, bytes_of(head, frame_header(len, head)));
	if (len > 0)
		memset(buf_extend(to, len), with, len);
}

static void expect_frame(struct buf *to, char with, size_t len)
{
	if (len > 0)
		memset(buf_extend(to, len), with, len);
	(void)buf_append_u8(to, '|');
}

/* Host 0 sends this, and perhaps closes; the stream ends so at host 1. */
static void expect_end(
	struct swarm_lab *l, struct bytes raw, bool close, int why)
{
	struct sstream *st = serve_lab_open(l, &ask_ops, NULL);
	unsigned before = heard[1].gone;

	assert_int_equal(serve_write(l->host[0].sv, &l->te.env, st, raw), 0);
	if (close)
		serve_close(l->host[0].sv, &l->te.env, st);
	lab_run(l);
	assert_int_equal(heard[1].gone, before + 1);
	assert_int_equal(heard[1].why, why);
	assert_int_equal(swarm_of(l, 1)->streams.count, 0);
	assert_int_equal(swarm_budget_used(swarm_of(l, 1)), 0);
}

/* ---- stories ------------------------------------------------------------- */

static void test_request_is_asked_and_answered(void **state)
{
	struct swarm_lab *l = *state;

	reply = "an answer";
	assert_int_equal(ask(l, "a question"), 0);
	lab_run(l);
	assert_string_equal(buf_cstr(&heard[1].frames), "a question|");
	assert_string_equal(buf_cstr(&heard[0].frames), "an answer|");
	for (unsigned i = 0; i < 2; i++) {
		assert_int_equal(heard[i].gone, 1);
		assert_int_equal(heard[i].why, 0);
		assert_int_equal(swarm_budget_used(swarm_of(l, i)), 0);
	}
}

static void test_request_reads_frames_in_any_cut(void **state)
{
	static const size_t sizes[] = {0, 1, 127, 128, 300, 5000};
	static const size_t steps[] = {1, 2, 3, 64, 129, 6000};
	struct swarm_lab *l = *state;
	struct buf raw, want;

	buf_init(&raw, 4u << 20);
	buf_init(&want, 4u << 20);
	for (size_t i = 0; i < P2P_ARRAY_LEN(sizes); i++) {
		add_frame(&raw, (char)('a' + i), sizes[i]);
		expect_frame(&want, (char)('a' + i), sizes[i]);
	}
	for (size_t i = 0; i < P2P_ARRAY_LEN(steps); i++) {
		struct sstream *st = serve_lab_open(l, &ask_ops, NULL);

		buf_reset(&heard[1].frames);
		say(l, st, buf_bytes(&raw), steps[i]);
		assert_int_equal(heard[1].frames.len, want.len);
		assert_memory_equal(heard[1].frames.data, want.data, want.len);
		serve_reset(l->host[0].sv, st);
		lab_run(l);
		assert_int_equal(swarm_budget_used(swarm_of(l, 1)), 0);
	}
	assert_int_equal(breaches(l), 0);
	buf_clear(&raw);
	buf_clear(&want);
}

static void test_request_frames_have_a_maximum(void **state)
{
	struct swarm_lab *l = *state;
	struct buf raw;

	buf_init(&raw, 4u << 20);
	add_frame(&raw, 'f', FRAME_MAX);
	say(l, serve_lab_open(l, &ask_ops, NULL), buf_bytes(&raw), 100000);
	assert_int_equal(heard[1].count, 1);
	assert_int_equal(breaches(l), 0);
	/* By what is claimed, before any of it has come. */
	buf_reset(&raw);
	add_frame(&raw, 'f', FRAME_MAX + 1);
	say(l, serve_lab_open(l, &ask_ops, NULL),
		bytes_first(buf_bytes(&raw), 3), 3);
	assert_int_equal(heard[1].count, 1);
	assert_int_equal(heard[1].gone, 1);
	assert_int_equal(heard[1].why, P2P_ERR_TOO_BIG);
	assert_int_equal(breaches(l), 1);
	buf_clear(&raw);
}

static void test_request_refuses_what_is_no_frame(void **state)
{
	struct swarm_lab *l = *state;

	/* Not minimal. */
	expect_end(l, bytes_of("\x81\x00", 2), false, P2P_ERR_MALFORMED);
	/* Half a frame, none of it, half a length. */
	expect_end(l, bytes_of("\x05half", 5), true, P2P_ERR_TRUNCATED);
	expect_end(l, bytes_of("\x05", 1), true, P2P_ERR_TRUNCATED);
	expect_end(l, bytes_of("\x80", 1), true, P2P_ERR_TRUNCATED);
	/* Half of the second one; the first is heard. */
	expect_end(l, bytes_of("\x02ok\x03no", 6), true, P2P_ERR_TRUNCATED);
	assert_string_equal(buf_cstr(&heard[1].frames), "ok|");
	assert_int_equal(breaches(l), 5);
}

/* As it comes, not as it is claimed. */
static void test_request_charges_what_it_keeps(void **state)
{
	struct swarm_lab *l = *state;
	struct sstream *st = serve_lab_open(l, &ask_ops, NULL), *there;
	size_t before;
	struct buf raw;

	buf_init(&raw, 4u << 20);
	add_frame(&raw, 'f', 200000);
	lab_run(l);
	there = lab_inbound(l, 1, "/ask/1");
	before = stream_of(there)->kept;
	say(l, st, bytes_of(raw.data, 4), 4);
	assert_int_equal(stream_of(there)->kept, before + 1);
	say(l, st, bytes_of(raw.data + 4, 99999), 10000);
	assert_int_equal(stream_of(there)->kept, before + 100000);
	say(l, st, bytes_skip(buf_bytes(&raw), 100003), 70000);
	assert_int_equal(heard[1].count, 1);
	/* The next one begins with nothing. */
	say(l, st, bytes_of("\x02x", 2), 2);
	assert_int_equal(stream_of(there)->kept, before + 1);
	buf_clear(&raw);
}

static void test_request_ends_when_the_budget_refuses(void **state)
{
	struct swarm_lab *l = *state;
	struct sstream *st;
	struct buf raw;

	buf_init(&raw, 4u << 20);
	add_frame(&raw, 'f', 200000);
	besides = SWARM_STREAM_BUDGET_BYTES - 100000;
	st = serve_lab_open(l, &ask_ops, NULL);
	say(l, st, bytes_of(raw.data, 50000), 10000);
	assert_int_equal(heard[1].gone, 0);
	assert_int_equal(serve_write(l->host[0].sv, &l->te.env, st,
				 bytes_skip(buf_bytes(&raw), 50000)),
		0);
	lab_run(l);
	assert_int_equal(heard[1].count, 0);
	assert_int_equal(heard[1].gone, 1);
	assert_int_equal(heard[1].why, P2P_ERR_LIMIT);
	/* Asked before it is kept. */
	assert_true(heard[1].half < 100000);
	assert_int_equal(breaches(l), 0);
	assert_int_equal(heard[0].why, P2P_ERR_RESET);
	assert_int_equal(swarm_budget_used(swarm_of(l, 1)), 0);
	buf_clear(&raw);
}

static void test_request_has_a_deadline_on_both_sides(void **state)
{
	struct swarm_lab *l = *state;

	assert_int_equal(ask(l, "to somebody who does not answer"), 0);
	lab_run(l);
	lab_pass(l, LIFE_MS - 1);
	assert_int_equal(heard[1].count, 1);
	assert_int_equal(heard[0].gone + heard[1].gone, 0);
	lab_pass(l, 1);
	assert_int_equal(heard[0].gone, 1);
	assert_int_equal(heard[1].gone, 1);
	assert_int_equal(heard[0].why, P2P_ERR_TIMEOUT);
	assert_int_equal(breaches(l), 0);
}

static void test_request_leaves_nothing_of_what_cannot_be_asked(void **state)
{
	struct swarm_lab *l = *state;
	struct serve_to to = {.ops = &ask_ops, .peer = id_of(l, 2)};
	struct sstream *st;
	uint8_t *much;

	assert_int_equal(request_open(l->host[0].sv, &l->te.env, &to,
				 bytes_str("nobody"), &st),
		P2P_ERR_NOT_FOUND);
	to.peer = id_of(l, 1);
	much = xcalloc(1, SWARM_STREAM_OUT_BYTES);
	assert_int_equal(request_open(l->host[0].sv, &l->te.env, &to,
				 bytes_of(much, SWARM_STREAM_OUT_BYTES), &st),
		P2P_ERR_FULL);
	free(much);
	lab_run(l);
	assert_int_equal(swarm_of(l, 0)->streams.count, 0);
	assert_int_equal(heard[0].gone + heard[1].count, 0);
}

/* Nobody knows yet which of its names the other side speaks. */
static void test_request_of_two_names_waits_for_identify(void **state)
{
	struct swarm_lab *l = *state;
	struct serve_to to = {.ops = &two_ops, .peer = id_of(l, 1)};
	struct sstream *st;

	peer_find(swarm_of(l, 0), id_of(l, 1))->identified = false;
	assert_int_equal(request_open(l->host[0].sv, &l->te.env, &to,
				 bytes_str("which?"), &st),
		P2P_ERR_FULL);
	lab_run(l);
	assert_int_equal(swarm_of(l, 0)->streams.count, 0);
	assert_int_equal(heard[0].gone + heard[1].count, 0);
	peer_find(swarm_of(l, 0), id_of(l, 1))->identified = true;
	assert_int_equal(request_open(l->host[0].sv, &l->te.env, &to,
				 bytes_str("this one"), &st),
		0);
	lab_run(l);
	assert_string_equal(buf_cstr(&heard[1].frames), "this one|");
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(test_request_is_asked_and_answered),
		T(test_request_reads_frames_in_any_cut),
		T(test_request_frames_have_a_maximum),
		T(test_request_refuses_what_is_no_frame),
		T(test_request_charges_what_it_keeps),
		T(test_request_ends_when_the_budget_refuses),
		T(test_request_has_a_deadline_on_both_sides),
		T(test_request_leaves_nothing_of_what_cannot_be_asked),
		T(test_request_of_two_names_waits_for_identify),
	};
	return cmocka_run_group_tests_name("request", tests, NULL, NULL);
}

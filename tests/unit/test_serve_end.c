/* How streams end, who hears of it and when, and what a service may do to its
 * stream while it is told of it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

#include "net/swarm/swarm_internal.h"
#include "tests/unit/serve_lab.h"

static const struct service_ops plain_ops =
	SERVICE("/plain/1", .in_per_peer = 1000);
static const struct service_ops early_ops =
	SERVICE("/early/1", .in_per_peer = 1000, .early = true);
static const struct service_ops *const services[] = {
	&plain_ops, &early_ops, NULL};

static int setup(void **state)
{
	*state = serve_lab(services);
	return 0;
}

static uint64_t breaches(struct swarm_lab *l)
{
	return swarm_counters(swarm_of(l, 1))->protocol_errors;
}

/* The one that host 1 was told of first. */
static struct sstream *there(struct swarm_lab *l)
{
	return serve_stream(l->host[1].sv, told_nth(1, OPENED, 0)->stream);
}

static void expect_nothing_left(struct swarm_lab *l)
{
	for (unsigned i = 0; i < 2; i++) {
		assert_int_equal(swarm_of(l, i)->streams.count, 0);
		assert_int_equal(swarm_budget_used(swarm_of(l, i)), 0);
	}
}

/* ---- both close ---------------------------------------------------------- */

static void test_serve_both_close_in_their_own_time(void **state)
{
	struct swarm_lab *l = *state;
	struct sstream *st = serve_lab_open(l, &plain_ops, "question");

	serve_close(l->host[0].sv, &l->te.env, st);
	lab_run(l);
	assert_string_equal(told_nth(1, READABLE, 0)->text, "question");
	assert_int_equal(told(0, GONE) + told(1, GONE), 0);
	serve_lab_say(l, 1, there(l), "answer");
	serve_close(l->host[1].sv, &l->te.env, there(l));
	lab_run(l);
	assert_string_equal(told_nth(0, READABLE, 0)->text, "answer");
	for (unsigned i = 0; i < 2; i++) {
		assert_int_equal(told(i, GONE), 1);
		assert_int_equal(told_nth(i, GONE, 0)->err, 0);
		assert_int_equal(told_nth(i, GONE, 0)->len, 0);
	}
	expect_nothing_left(l);
}

static void test_serve_both_close_without_a_word(void **state)
{
	struct swarm_lab *l = *state;

	users[1].closes = OPENED;
	serve_close(
		l->host[0].sv, &l->te.env, serve_lab_open(l, &plain_ops, NULL));
	lab_run(l);
	for (unsigned i = 0; i < 2; i++) {
		assert_int_equal(told(i, GONE), 1);
		assert_int_equal(told_nth(i, GONE, 0)->err, 0);
	}
	expect_nothing_left(l);
}

/* The one closes within the call that tells it of the other's end. */
static void test_serve_closes_when_the_other_does(void **state)
{
	struct swarm_lab *l = *state;
	struct sstream *st = serve_lab_open(l, &plain_ops, "only this");

	users[1].closes = READABLE;
	lab_run(l);
	serve_close(l->host[0].sv, &l->te.env, st);
	lab_run(l);
	for (unsigned i = 0; i < 2; i++)
		assert_int_equal(told_nth(i, GONE, 0)->err, 0);
	expect_nothing_left(l);
}

/* Host 1 has so much to say to host 0 that nothing more goes out at once. */
static void fill(struct swarm_lab *l)
{
	static char much[1u << 20];
	struct serve_to to = {.ops = &plain_ops, .peer = id_of(l, 0)};
	struct sstream *st[2];

	for (unsigned i = 0; i < 2; i++)
		assert_int_equal(
			serve_open(l->host[1].sv, &l->te.env, &to, &st[i]), 0);
	lab_run(l);
	memset(much, 'm', sizeof(much) - 1);
	serve_lab_say(l, 1, st[0], much);
	while (swarm_stream_backlog(st[1]) == 0)
		serve_lab_say(l, 1, st[1], "m");
}

/* Though at that time nothing can go out, not even that it agrees. */
static void test_serve_closes_behind_a_full_connection(void **state)
{
	struct swarm_lab *l = *state;
	struct swarm_event ev;
	uint64_t id;

	fill(l);
	users[1].count = 0;
	users[1].closes = OPENED;
	serve_close(
		l->host[0].sv, &l->te.env, serve_lab_open(l, &plain_ops, NULL));
	serve_lab_blurt(l);
	while (serve_step(l->host[1].sv, &l->te.env, &ev))
		;
	id = told_nth(1, OPENED, 0)->stream;
	assert_true(swarm_stream_backlog(serve_stream(l->host[1].sv, id)) > 0);
	lab_run(l);
	assert_int_equal(told(1, GONE), 1);
	assert_int_equal(told_nth(1, GONE, 0)->stream, id);
	assert_int_equal(told_nth(1, GONE, 0)->err, 0);
	assert_int_equal(told_nth(0, GONE, 0)->err, 0);
}

/* ---- one ends it --------------------------------------------------------- */

static void test_serve_an_error_ends_the_stream(void **state)
{
	struct swarm_lab *l = *state;

	users[1].takes = 3;
	users[1].err = P2P_ERR_PROTOCOL;
	(void)serve_lab_open(l, &plain_ops, "abcdef");
	serve_lab_blurt(l);
	lab_run(l);
	assert_int_equal(told(1, READABLE), 1);
	assert_int_equal(told(1, GONE), 1);
	assert_int_equal(told_nth(1, GONE, 0)->err, P2P_ERR_PROTOCOL);
	/* Nothing of it twice. */
	assert_string_equal(told_nth(1, GONE, 0)->text, "def");
	assert_int_equal(told_nth(0, GONE, 0)->err, P2P_ERR_RESET);
	assert_int_equal(breaches(l), 1);
	expect_nothing_left(l);
}

static void test_serve_only_the_peers_faults_are_counted(void **state)
{
	static const int errs[] = {P2P_ERR_LIMIT, P2P_ERR_FULL, P2P_ERR_CLOSED,
		P2P_ERR_NOT_FOUND, P2P_ERR_MALFORMED, P2P_ERR_TRUNCATED};
	struct swarm_lab *l = *state;

	for (unsigned i = 0; i < P2P_ARRAY_LEN(errs); i++) {
		users[1].err = errs[i];
		(void)serve_lab_open(l, &plain_ops, "word");
		lab_run(l);
		assert_int_equal(told(1, GONE), i + 1);
		assert_int_equal(told_nth(1, GONE, i)->err, errs[i]);
	}
	assert_int_equal(breaches(l), 2);
	expect_nothing_left(l);
}

static void reset_in(struct swarm_lab *l, enum what what)
{
	unsigned gone[2] = {told(0, GONE), told(1, GONE)};

	users[1].resets = what;
	users[1].answer = what == WRITABLE ? "answer" : NULL;
	(void)serve_lab_open(l, &plain_ops, "question");
	lab_run(l);
	assert_int_equal(told(1, GONE), gone[1]);
	assert_int_equal(told(0, GONE), gone[0] + 1);
	assert_int_equal(told_nth(0, GONE, gone[0])->err, P2P_ERR_RESET);
	expect_nothing_left(l);
}

static void test_serve_a_service_resets_its_stream_in_any_call(void **state)
{
	static const enum what calls[] = {OPENED, READABLE, WRITABLE};
	struct swarm_lab *l = *state;

	for (unsigned i = 0; i < P2P_ARRAY_LEN(calls); i++) {
		reset_in(l, calls[i]);
		assert_int_equal(
			users[1].word[users[1].count - 1].what, calls[i]);
	}
	assert_int_equal(breaches(l), 0);
}

/* While it is told of the end of both sides, of an error, of a cut. */
static void test_serve_a_service_resets_its_stream_in_gone(void **state)
{
	struct swarm_lab *l = *state;

	users[1].resets = GONE;
	users[1].closes = OPENED;
	serve_close(
		l->host[0].sv, &l->te.env, serve_lab_open(l, &plain_ops, NULL));
	lab_run(l);
	assert_int_equal(told(1, GONE), 1);
	users[1].err = P2P_ERR_LIMIT;
	(void)serve_lab_open(l, &plain_ops, "word");
	lab_run(l);
	assert_int_equal(told(1, GONE), 2);
	users[1].err = 0;
	(void)serve_lab_open(l, &plain_ops, "word");
	lab_run(l);
	lab_cut(l, 0);
	assert_int_equal(told(1, GONE), 3);
	expect_nothing_left(l);
}

/* A connection ends within a call about one of its streams. */
static int hang_up(struct user *u, const struct env *env, struct sstream *st,
	struct serve_in *in)
{
	struct serve_to there = {.ops = &plain_ops};
	struct sstream *more;

	in->used = 4;
	swarm_conn_close(serve_swarm(u->sv), env, st->conn, P2P_ERR_CLOSED);
	assert_int_equal(serve_write(u->sv, env, st, bytes_str("too late")),
		P2P_ERR_CLOSED);
	/* Where it was is nowhere now. */
	there.conn = st->conn;
	assert_int_equal(
		serve_open(u->sv, env, &there, &more), P2P_ERR_NOT_FOUND);
	return 0;
}

static void test_serve_a_service_ends_the_connection(void **state)
{
	struct swarm_lab *l = *state;

	users[1].reads = hang_up;
	for (unsigned i = 0; i < 3; i++)
		(void)serve_lab_open(l, &plain_ops, "used, not used");
	serve_lab_blurt(l);
	lab_run(l);
	assert_int_equal(told(1, READABLE), 1);
	assert_int_equal(told(1, GONE), 3);
	assert_string_equal(told_nth(1, GONE, 0)->text, ", not used");
	assert_string_equal(told_nth(1, GONE, 1)->text, "used, not used");
	assert_int_equal(told(1, DOWN), 1);
	expect_nothing_left(l);
}

/* Who is told nothing more does not have to wait until something else is
 * written. */
static void test_serve_a_reset_asks_for_its_write_at_once(void **state)
{
	struct swarm_lab *l = *state;
	struct sstream *st = serve_lab_open(l, &plain_ops, NULL);
	struct swarm_action act;

	lab_run(l);
	assert_false(serve_next_action(l->host[0].sv, &l->te.env, &act));
	serve_reset(l->host[0].sv, st);
	assert_true(serve_next_action(l->host[0].sv, &l->te.env, &act));
	assert_int_equal(act.kind, SWARM_ACT_WRITE);
	assert_int_equal(act.conn, l->wire[0].conn[0]);
	serve_lab_blurt(l);
	lab_run(l);
	assert_int_equal(told_nth(1, GONE, 0)->err, P2P_ERR_RESET);
}

/* ---- connections and peers ----------------------------------------------- */

static void test_serve_streams_are_gone_before_their_peer_is_down(void **state)
{
	struct swarm_lab *l = *state;

	users[1].takes = 0;
	for (unsigned i = 0; i < 3; i++)
		(void)serve_lab_open(l, &plain_ops, "unread");
	lab_run(l);
	lab_cut(l, 0);
	for (unsigned i = 0; i < 2; i++) {
		assert_int_equal(told(i, GONE), 3);
		assert_int_equal(told(i, CONN_DOWN), 1);
		assert_int_equal(told(i, DOWN), 1);
		assert_true(told_at(i, GONE, 2) < told_at(i, CONN_DOWN, 0));
		assert_true(told_at(i, GONE, 2) < told_at(i, DOWN, 0));
		assert_int_equal(told_nth(i, GONE, 2)->err, P2P_ERR_CLOSED);
	}
	for (unsigned k = 0; k < 3; k++)
		assert_string_equal(told_nth(1, GONE, k)->text, "unread");
	expect_nothing_left(l);
}

/* Once, whatever else ends in the same turn. */
static void test_serve_gone_is_told_once(void **state)
{
	struct swarm_lab *l = *state;
	struct sstream *st = serve_lab_open(l, &plain_ops, "word");

	users[1].takes = 0;
	lab_run(l);
	serve_close(l->host[1].sv, &l->te.env, there(l));
	serve_reset(l->host[0].sv, st);
	serve_lab_blurt(l);
	lab_cut(l, 0);
	assert_int_equal(told(0, GONE), 0);
	assert_int_equal(told(1, GONE), 1);
	expect_nothing_left(l);
}

static void test_serve_gone_is_told_at_the_end_of_all(void **state)
{
	struct swarm_lab *l = *state;

	users[1].takes = 0;
	(void)serve_lab_open(l, &plain_ops, "unread");
	lab_run(l);
	serve_lab_replace(l, 1, &(const struct serve_cfg){.more = services});
	assert_int_equal(told(1, GONE), 1);
	assert_string_equal(told_nth(1, GONE, 0)->text, "unread");
	assert_int_equal(told_nth(1, GONE, 0)->err, P2P_ERR_CLOSED);
	lab_cut(l, 0);
}

/* ---- all in one turn ----------------------------------------------------- */

static void expect_heard(const char *text, int err)
{
	unsigned n = told(1, READABLE | GONE);
	bool heard = false;

	assert_int_equal(told(1, OPENED), 1);
	assert_int_equal(told(1, GONE), 1);
	assert_int_equal(told_nth(1, GONE, 0)->err, err);
	assert_true(told_at(1, OPENED, 0) < told_at(1, GONE, 0));
	for (unsigned i = 0; i < users[1].count; i++)
		if (users[1].word[i].what & (READABLE | GONE))
			heard |= strcmp(users[1].word[i].text, text) == 0;
	assert_true(heard && n <= 2);
}

static void test_serve_opened_said_and_closed_in_one_turn(void **state)
{
	struct swarm_lab *l = *state;

	users[1].closes = READABLE;
	serve_close(l->host[0].sv, &l->te.env,
		serve_lab_open(l, &plain_ops, "hello and goodbye"));
	serve_lab_blurt(l);
	lab_run(l);
	expect_heard("hello and goodbye", 0);
	assert_true(told_nth(1, READABLE, 0)->end);
	expect_nothing_left(l);
}

static void test_serve_opened_said_and_reset_in_one_turn(void **state)
{
	struct swarm_lab *l = *state;

	serve_reset(l->host[0].sv,
		serve_lab_open(l, &plain_ops, "hello and goodbye"));
	serve_lab_blurt(l);
	lab_run(l);
	expect_heard("hello and goodbye", P2P_ERR_RESET);
	expect_nothing_left(l);
}

/* Its peer was up, and so it is heard, though that is no more, either. */
static void test_serve_opened_said_and_cut_in_one_turn(void **state)
{
	struct swarm_lab *l = *state;

	(void)serve_lab_open(l, &plain_ops, "hello and goodbye");
	serve_lab_blurt(l);
	swarm_closed(swarm_of(l, 1), &l->te.env, l->wire[0].conn[1]);
	lab_run(l);
	expect_heard("hello and goodbye", P2P_ERR_CLOSED);
	assert_true(told_at(1, GONE, 0) < told_at(1, DOWN, 0));
	expect_nothing_left(l);
}

static void test_serve_a_service_ends_at_once_what_ended_by_itself(void **state)
{
	struct swarm_lab *l = *state;

	users[1].resets = OPENED;
	(void)serve_lab_open(l, &plain_ops, "hello and goodbye");
	serve_lab_blurt(l);
	swarm_closed(swarm_of(l, 1), &l->te.env, l->wire[0].conn[1]);
	lab_run(l);
	assert_int_equal(told(1, OPENED), 1);
	assert_int_equal(told(1, READABLE | GONE), 0);
	expect_nothing_left(l);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, serve_lab_end)
	const struct CMUnitTest tests[] = {
		T(test_serve_both_close_in_their_own_time),
		T(test_serve_both_close_without_a_word),
		T(test_serve_closes_when_the_other_does),
		T(test_serve_closes_behind_a_full_connection),
		T(test_serve_an_error_ends_the_stream),
		T(test_serve_only_the_peers_faults_are_counted),
		T(test_serve_a_service_resets_its_stream_in_any_call),
		T(test_serve_a_service_resets_its_stream_in_gone),
		T(test_serve_a_service_ends_the_connection),
		T(test_serve_a_reset_asks_for_its_write_at_once),
		T(test_serve_streams_are_gone_before_their_peer_is_down),
		T(test_serve_gone_is_told_once),
		T(test_serve_gone_is_told_at_the_end_of_all),
		T(test_serve_opened_said_and_closed_in_one_turn),
		T(test_serve_opened_said_and_reset_in_one_turn),
		T(test_serve_opened_said_and_cut_in_one_turn),
		T(test_serve_a_service_ends_at_once_what_ended_by_itself),
	};
	return cmocka_run_group_tests_name("ends", tests, NULL, NULL);
}

/* The table of services: who is let in, for how long, at whose cost, and who is
 * told of it when. How streams end: test_serve_end.c. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

#include "net/proto/identify.h"
#include "net/swarm/swarm_internal.h"
#include "tests/unit/serve_lab.h"

#define HUGE_BYTES SWARM_STREAM_BUDGET_BYTES

static const struct service_ops plain_ops =
	SERVICE("/plain/1", .in_per_peer = 2);
static const struct service_ops newest_ops =
	SERVICE("/newest/1", .in_per_peer = 2, .newest_stays = true);
static const struct service_ops any_ops =
	SERVICE("/any/1", .in_per_peer = 2, .limited = true);
static const struct service_ops idle_ops =
	SERVICE("/idle/1", .in_per_peer = 2, .idle_ms = 2000);
static const struct service_ops life_ops =
	SERVICE("/life/1", .in_per_peer = 2, .life_ms = 5000);
static const struct service_ops both_ops =
	SERVICE("/both/1", .in_per_peer = 2, .life_ms = 5000, .idle_ms = 2000);
static const struct service_ops big_ops =
	SERVICE("/big/1", .in_per_peer = 2, .state_bytes = 100000);
static const struct service_ops early_ops =
	SERVICE("/early/1", .in_per_peer = 2, .early = true);
/* Of one protocol, at one host and at the other. */
static const struct service_ops small_ops =
	SERVICE("/huge/1", .in_per_peer = 2);
static const struct service_ops huge_ops =
	SERVICE("/huge/1", .in_per_peer = 2, .state_bytes = HUGE_BYTES);
static const char *const many_names[] = {"/many/2", "/many/1", NULL};
static const struct service_ops many_ops = {
	.names = many_names, USER_OPS, .in_per_peer = 2};
static const struct service_ops one_of_many_ops =
	SERVICE("/many/1", .in_per_peer = 2);

static const struct service_ops *const services[] = {&plain_ops, &newest_ops,
	&any_ops, &idle_ops, &life_ops, &both_ops, &big_ops, &early_ops, NULL};

static int setup(void **state)
{
	*state = serve_lab(services);
	return 0;
}

static uint64_t refused(struct swarm_lab *l, unsigned i)
{
	return swarm_counters(swarm_of(l, i))->streams_refused;
}

/* ---- how many ------------------------------------------------------------ */

static void test_serve_the_newcomer_is_refused(void **state)
{
	struct swarm_lab *l = *state;
	uint64_t first = serve_lab_open(l, &plain_ops, NULL)->id, third;

	(void)serve_lab_open(l, &plain_ops, NULL);
	lab_run(l);
	assert_int_equal(refused(l, 1), 0);
	third = serve_lab_open(l, &plain_ops, "let me in")->id;
	lab_run(l);
	assert_int_equal(told(1, OPENED), 2);
	assert_int_equal(told(1, READABLE | GONE), 0);
	assert_int_equal(refused(l, 1), 1);
	assert_int_equal(told(0, GONE), 1);
	assert_int_equal(told_nth(0, GONE, 0)->stream, third);
	assert_int_equal(told_nth(0, GONE, 0)->err, P2P_ERR_RESET);
	/* Each service counts its own, and who has gone is not counted. */
	(void)serve_lab_open(l, &any_ops, NULL);
	serve_reset(l->host[0].sv, serve_stream(l->host[0].sv, first));
	lab_run(l);
	(void)serve_lab_open(l, &plain_ops, NULL);
	lab_run(l);
	assert_int_equal(told(1, OPENED), 4);
	assert_int_equal(refused(l, 1), 1);
}

/* What it has said is heard before it goes. */
static void test_serve_the_oldest_makes_room(void **state)
{
	struct swarm_lab *l = *state;
	uint64_t oldest;

	users[1].takes = 0;
	oldest = serve_lab_open(l, &newest_ops, "last words")->id;
	(void)serve_lab_open(l, &newest_ops, NULL);
	lab_run(l);
	(void)serve_lab_open(l, &newest_ops, "new");
	lab_run(l);
	assert_int_equal(told(1, OPENED), 3);
	assert_int_equal(told(1, GONE), 1);
	assert_string_equal(told_nth(1, GONE, 0)->text, "last words");
	assert_int_equal(told_nth(1, GONE, 0)->err, P2P_ERR_LIMIT);
	assert_int_equal(
		told_nth(1, GONE, 0)->stream, told_nth(1, OPENED, 0)->stream);
	assert_true(told_at(1, GONE, 0) < told_at(1, OPENED, 2));
	assert_int_equal(told_nth(0, GONE, 0)->stream, oldest);
	assert_int_equal(told_nth(0, GONE, 0)->err, P2P_ERR_RESET);
	assert_int_equal(refused(l, 1), 0);
}

/* The service may end it itself while it is told. */
static void test_serve_the_oldest_is_reset_while_it_makes_room(void **state)
{
	struct swarm_lab *l = *state;

	users[1].resets = GONE;
	for (unsigned i = 0; i < 5; i++) {
		(void)serve_lab_open(l, &newest_ops, "word");
		lab_run(l);
	}
	assert_int_equal(told(1, OPENED), 5);
	assert_int_equal(told(1, GONE), 3);
}

/* ---- limited connections ------------------------------------------------- */

/* Hosts 0 and 1 are joined by a connection that is limited. */
static void join_limited(struct swarm_lab *l)
{
	struct swarm_carrier k = {.remote = l->host[1].addr,
		.outbound = true,
		.expect = *id_of(l, 1),
		.limited = true,
		.lasts_ms = P2P_NEVER,
		.bytes_max = UINT64_MAX};
	struct wire *w = &l->wire[l->wire_count++];

	*w = (struct wire){.used = true, .host = {0, 1}};
	w->conn[0] = swarm_carried(swarm_of(l, 0), &l->te.env, &k);
	k.remote = l->host[0].addr;
	k.outbound = false;
	k.expect = (struct peer_id){.len = 0};
	w->conn[1] = swarm_carried(swarm_of(l, 1), &l->te.env, &k);
	assert_true(w->conn[0] != 0 && w->conn[1] != 0);
	lab_pass(l, 1000);
	assert_int_equal(told(1, UP), 1);
}

static void test_serve_a_limited_connection_is_for_who_allows_it(void **state)
{
	struct swarm_lab *l = serve_lab_apart(services);
	struct serve_to to = {.ops = &plain_ops, .peer = id_of(l, 1)};
	struct sstream *st;

	*state = l;
	join_limited(l);
	assert_int_equal(serve_open(l->host[0].sv, &l->te.env, &to, &st),
		P2P_ERR_NOT_FOUND);
	st = serve_lab_open(l, &any_ops, "short");
	assert_true(st->limited);
	lab_run(l);
	assert_string_equal(told_nth(1, READABLE, 0)->text, "short");
	assert_int_equal(refused(l, 1), 0);
	/* Who opens one all the same is refused by the other side. */
	to.peer = NULL;
	to.conn = st->conn;
	assert_int_equal(serve_open(l->host[0].sv, &l->te.env, &to, &st), 0);
	lab_run(l);
	assert_int_equal(told(1, OPENED), 1);
	assert_int_equal(refused(l, 1), 1);
	assert_int_equal(told_nth(0, GONE, 0)->err, P2P_ERR_RESET);
}

static void test_serve_a_direct_connection_comes_first(void **state)
{
	struct swarm_lab *l = serve_lab_apart(services);

	*state = l;
	join_limited(l);
	lab_dial(l, 0, 1, true);
	assert_false(serve_lab_open(l, &any_ops, NULL)->limited);
	assert_false(serve_lab_open(l, &plain_ops, NULL)->limited);
	lab_cut(l, 1);
	assert_true(serve_lab_open(l, &any_ops, NULL)->limited);
}

/* ---- time ---------------------------------------------------------------- */

static void test_serve_idle_streams_end(void **state)
{
	struct swarm_lab *l = *state;
	struct sstream *st = serve_lab_open(l, &idle_ops, NULL);

	lab_run(l);
	/* It moves one way, then the other. */
	for (unsigned i = 0; i < 4; i++) {
		lab_pass(l, 1900);
		serve_lab_say(l, 0, st, "here");
		lab_run(l);
	}
	assert_int_equal(told(0, GONE) + told(1, GONE), 0);
	assert_int_equal(told(1, READABLE), 4);
	lab_pass(l, 1999);
	assert_int_equal(told(0, GONE) + told(1, GONE), 0);
	lab_pass(l, 1);
	assert_int_equal(told_nth(1, GONE, 0)->err, P2P_ERR_TIMEOUT);
	assert_int_equal(told(0, GONE), 1);
	assert_int_equal(swarm_counters(swarm_of(l, 1))->streams_timeout, 1);
}

static void test_serve_streams_end_with_their_life(void **state)
{
	struct swarm_lab *l = *state;
	struct sstream *st = serve_lab_open(l, &life_ops, NULL);

	lab_run(l);
	for (unsigned i = 0; i < 4; i++) {
		lab_pass(l, 1000);
		serve_lab_say(l, 0, st, "busy");
		lab_run(l);
	}
	lab_pass(l, 999);
	assert_int_equal(told(1, GONE), 0);
	lab_pass(l, 1);
	assert_int_equal(told(1, READABLE), 4);
	assert_int_equal(told_nth(1, GONE, 0)->err, P2P_ERR_TIMEOUT);
}

/* What moves lives on, but not for ever. */
static void test_serve_life_is_the_end_of_who_moves(void **state)
{
	struct swarm_lab *l = *state;
	struct sstream *st = serve_lab_open(l, &both_ops, NULL);

	lab_run(l);
	for (unsigned i = 0; i < 3; i++) {
		lab_pass(l, 1500);
		serve_lab_say(l, 0, st, "busy");
		lab_run(l);
	}
	assert_int_equal(told(1, GONE), 0);
	lab_pass(l, 500);
	assert_int_equal(told_nth(1, GONE, 0)->err, P2P_ERR_TIMEOUT);
	(void)serve_lab_open(l, &both_ops, NULL);
	lab_pass(l, 1999);
	assert_int_equal(told(1, GONE), 1);
	lab_pass(l, 1);
	assert_int_equal(told(1, GONE), 2);
}

/* ---- hold ---------------------------------------------------------------- */

static void test_serve_reads_nothing_while_held(void **state)
{
	struct swarm_lab *l = *state;
	struct sstream *st, *there;

	users[1].holds = true;
	st = serve_lab_open(l, &plain_ops, "one, ");
	lab_run(l);
	serve_lab_say(l, 0, st, "two");
	serve_close(l->host[0].sv, &l->te.env, st);
	lab_pass(l, 1000);
	assert_int_equal(told(1, OPENED), 1);
	assert_int_equal(told(1, READABLE | GONE), 0);
	there = serve_stream(l->host[1].sv, told_nth(1, OPENED, 0)->stream);
	serve_hold(l->host[1].sv, there, false);
	lab_run(l);
	assert_int_equal(told(1, READABLE), 1);
	assert_string_equal(told_nth(1, READABLE, 0)->text, "one, two");
	assert_true(told_nth(1, READABLE, 0)->end);
}

static void test_serve_the_far_side_waits_while_held(void **state)
{
	static char much[1u << 20];
	struct swarm_lab *l = *state;
	struct sstream *st, *there;
	size_t all = 0;

	users[1].holds = true;
	st = serve_lab_open(l, &plain_ops, NULL);
	memset(much, 'm', sizeof(much) - 1);
	serve_lab_say(l, 0, st, much);
	lab_run(l);
	assert_true(swarm_stream_backlog(st) > sizeof(much) / 2);
	there = serve_stream(l->host[1].sv, told_nth(1, OPENED, 0)->stream);
	serve_hold(l->host[1].sv, there, false);
	lab_run(l);
	assert_int_equal(swarm_stream_backlog(st), 0);
	for (unsigned i = 0; i < told(1, READABLE); i++)
		all += told_nth(1, READABLE, i)->len;
	assert_int_equal(all, sizeof(much) - 1);
}

/* What is left comes again with more, and nothing of it twice. */
static void test_serve_what_is_not_used_comes_again(void **state)
{
	struct swarm_lab *l = *state;
	struct sstream *st;

	users[1].takes = 2;
	st = serve_lab_open(l, &plain_ops, "abcde");
	serve_lab_blurt(l);
	lab_run(l);
	assert_string_equal(told_nth(1, READABLE, 0)->text, "abcde");
	assert_int_equal(told(1, READABLE), 1);
	serve_lab_say(l, 0, st, "f");
	lab_run(l);
	assert_string_equal(told_nth(1, READABLE, 1)->text, "cdef");
}

/* ---- memory -------------------------------------------------------------- */

/* What host i holds for its connection, once all is quiet. */
static size_t used_at(struct swarm_lab *l, unsigned i)
{
	lab_run(l);
	return swarm_conn_used(swarm_of(l, i), l->wire[0].conn[i]);
}

static void test_serve_state_is_charged(void **state)
{
	struct swarm_lab *l = *state;
	size_t before[2], small[2], at;
	struct sstream *st, *there;

	for (unsigned i = 0; i < 2; i++)
		before[i] = used_at(l, i);
	st = serve_lab_open(l, &plain_ops, NULL);
	for (unsigned i = 0; i < 2; i++) {
		small[i] = used_at(l, i) - before[i];
		assert_true(small[i] >= SERVE_STREAM_COST_BYTES);
	}
	serve_reset(l->host[0].sv, st);
	st = serve_lab_open(l, &big_ops, NULL);
	for (unsigned i = 0; i < 2; i++)
		assert_int_equal(used_at(l, i),
			before[i] + small[i] + big_ops.state_bytes);
	/* What is kept besides takes the place of what was kept before. */
	there = serve_stream(l->host[1].sv, told_nth(1, OPENED, 1)->stream);
	at = used_at(l, 1);
	assert_int_equal(serve_keep(there, 5000), 0);
	assert_int_equal(serve_keep(there, 7000), 0);
	assert_int_equal(used_at(l, 1), at + 7000);
	assert_int_equal(serve_keep(there, HUGE_BYTES), P2P_ERR_LIMIT);
	assert_int_equal(used_at(l, 1), at + 7000);
	serve_reset(l->host[0].sv, st);
	for (unsigned i = 0; i < 2; i++)
		assert_int_equal(used_at(l, i), before[i]);
	assert_int_equal(told(1, GONE), 2);
}

static void test_serve_what_the_budget_refuses_is_refused(void **state)
{
	static const struct service_ops *const small[] = {&small_ops, NULL};
	static const struct service_ops *const huge[] = {&huge_ops, NULL};
	struct swarm_lab *l = serve_lab_apart(small);
	struct serve_to to = {.ops = &huge_ops, .peer = id_of(l, 0)};
	struct sstream *st;

	*state = l;
	serve_lab_replace(l, 1, &(const struct serve_cfg){.more = huge});
	lab_meet(l);
	(void)serve_lab_open(l, &small_ops, "much to keep");
	lab_run(l);
	assert_int_equal(told(1, OPENED | READABLE | GONE), 0);
	assert_int_equal(refused(l, 1), 1);
	assert_int_equal(told_nth(0, GONE, 0)->err, P2P_ERR_RESET);
	/* Ours, too, and nothing is left of it. */
	assert_int_equal(
		serve_open(l->host[1].sv, &l->te.env, &to, &st), P2P_ERR_LIMIT);
	lab_run(l);
	assert_int_equal(refused(l, 1), 2);
	assert_int_equal(told(1, OPENED | GONE), 0);
	assert_int_equal(told(0, READABLE), 0);
	assert_int_equal(swarm_budget_used(swarm_of(l, 1)), 0);
}

/* ---- before a peer is up ------------------------------------------------- */

/* Takes the question who it is, and never answers. */
static const struct service_ops mute_ops = {
	.names = (const char *const[]){"/ipfs/id/1.0.0", NULL},
	.in_per_peer = 4,
	.early = true,
};

/* Host 1 neither says who it is nor asks, so each waits for the other. */
static struct swarm_lab *meet_the_silent(const struct service_ops *const *ours,
	const struct service_ops *const *theirs)
{
	static const struct service_ops *const mute[] = {&mute_ops, NULL};
	struct swarm_lab *l = serve_lab_apart(ours);
	struct serve_cfg silent = {.services = mute, .more = theirs};

	serve_lab_replace(l, 1, &silent);
	lab_dial(l, 0, 1, true);
	lab_run(l);
	assert_int_equal(told(0, UP), 0);
	return l;
}

static struct sstream *open_to_0(
	struct swarm_lab *l, const struct service_ops *ops, const char *text)
{
	struct serve_to to = {.ops = ops, .peer = id_of(l, 0)};
	struct sstream *st;

	assert_int_equal(serve_open(l->host[1].sv, &l->te.env, &to, &st), 0);
	serve_lab_say(l, 1, st, text);
	lab_run(l);
	return st;
}

static void test_serve_streams_wait_until_their_peer_is_up(void **state)
{
	struct swarm_lab *l = meet_the_silent(services, services);
	struct sstream *st;

	*state = l;
	st = open_to_0(l, &plain_ops, "hello, ");
	assert_int_equal(told(0, OPENED), 0);
	(void)open_to_0(l, &early_ops, "early");
	assert_int_equal(told(0, OPENED), 1);
	assert_string_equal(told_nth(0, READABLE, 0)->text, "early");
	serve_lab_say(l, 1, st, "and more");
	lab_pass(l, SWARM_IDENTIFY_WAIT_MS);
	assert_int_equal(told(0, UP), 1);
	assert_int_equal(told(0, OPENED), 2);
	assert_true(told_at(0, UP, 0) < told_at(0, OPENED, 1));
	assert_string_equal(told_nth(0, READABLE, 1)->text, "hello, and more");
}

/* Those who come in the wrong place, too many or not long enough, as ever. */
static void test_serve_streams_that_wait_are_counted_and_forgotten(void **state)
{
	struct swarm_lab *l = meet_the_silent(services, services);
	uint64_t before = refused(l, 0);
	struct sstream *st[3];

	*state = l;
	for (unsigned i = 0; i < 3; i++)
		st[i] = open_to_0(l, &plain_ops, "hello");
	assert_int_equal(refused(l, 0), before + 1);
	serve_reset(l->host[1].sv, st[0]);
	serve_close(l->host[1].sv, &l->te.env, st[1]);
	lab_pass(l, SWARM_IDENTIFY_WAIT_MS);
	/* Of the one that was reset what had come is heard. */
	assert_int_equal(told(0, OPENED), 2);
	assert_int_equal(told(0, GONE), 1);
	assert_int_equal(told_nth(0, GONE, 0)->err, P2P_ERR_RESET);
	lab_cut(l, 0);
	assert_int_equal(told(0, GONE), 2);
}

static void end_next(struct user *u, const struct env *env, struct sstream *st)
{
	struct sstream *next = serve_stream(u->sv, st->id + 1);

	(void)env;
	if (next != NULL)
		serve_reset(u->sv, next);
}

/* A service ends one that waits while it hears of another one. */
static void test_serve_streams_that_wait_may_be_ended(void **state)
{
	struct swarm_lab *l = meet_the_silent(services, services);
	struct list *pos, *tmp;
	unsigned left = 0;

	*state = l;
	users[0].opens = end_next;
	(void)open_to_0(l, &plain_ops, "first");
	(void)open_to_0(l, &plain_ops, "second");
	lab_pass(l, SWARM_IDENTIFY_WAIT_MS);
	assert_int_equal(told(0, OPENED), 1);
	assert_string_equal(told_nth(0, READABLE, 0)->text, "first");
	LIST_FOREACH(pos, tmp,
		&peer_conn(peer_find(swarm_of(l, 0), id_of(l, 1)))->streams)
		left += LIST_ITEM(pos, struct stream, of_conn)->pub.inbound;
	assert_int_equal(left, 1);
}

/* ---- names --------------------------------------------------------------- */

static void test_serve_nothing_is_written_before_a_name_is_chosen(void **state)
{
	static const struct service_ops *const ours[] = {&many_ops, NULL};
	static const struct service_ops *const theirs[] = {
		&one_of_many_ops, NULL};
	struct swarm_lab *l = meet_the_silent(ours, theirs);
	struct sstream *st;

	*state = l;
	st = serve_lab_open(l, &many_ops, NULL);
	assert_null(st->proposed);
	assert_int_equal(serve_write(l->host[0].sv, &l->te.env, st,
				 bytes_str("too soon")),
		P2P_ERR_FULL);
	lab_run(l);
	assert_int_equal(told(0, OPENED), 1);
	assert_int_equal(told(0, WRITABLE), 1);
	assert_true(told_at(0, OPENED, 0) < told_at(0, WRITABLE, 0));
	assert_string_equal(st->name, "/many/1");
	serve_lab_say(l, 0, st, "now");
	lab_pass(l, SWARM_IDENTIFY_WAIT_MS);
	assert_string_equal(told_nth(1, READABLE, 0)->text, "now");
}

static void test_serve_who_has_said_what_it_speaks_is_written_to(void **state)
{
	static const struct service_ops *const ours[] = {&many_ops, NULL};
	static const struct service_ops *const theirs[] = {
		&one_of_many_ops, NULL};
	struct swarm_lab *l = serve_lab_apart(ours);
	struct sstream *st;

	*state = l;
	serve_lab_replace(l, 1, &(const struct serve_cfg){.more = theirs});
	lab_meet(l);
	st = serve_lab_open(l, &many_ops, "at once");
	assert_string_equal(st->proposed, "/many/1");
	lab_run(l);
	assert_string_equal(told_nth(1, READABLE, 0)->text, "at once");
}

/* The best that both speak. */
static void test_serve_the_best_name_is_chosen(void **state)
{
	static const struct service_ops *const ours[] = {&many_ops, NULL};
	struct swarm_lab *l = serve_lab_apart(ours);
	struct sstream *st;

	*state = l;
	lab_meet(l);
	st = serve_lab_open(l, &many_ops, NULL);
	lab_run(l);
	assert_string_equal(st->name, "/many/2");
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, serve_lab_end)
#define A(name) cmocka_unit_test_setup_teardown(name, NULL, serve_lab_end)
	const struct CMUnitTest tests[] = {
		T(test_serve_the_newcomer_is_refused),
		T(test_serve_the_oldest_makes_room),
		T(test_serve_the_oldest_is_reset_while_it_makes_room),
		A(test_serve_a_limited_connection_is_for_who_allows_it),
		A(test_serve_a_direct_connection_comes_first),
		T(test_serve_idle_streams_end),
		T(test_serve_streams_end_with_their_life),
		T(test_serve_life_is_the_end_of_who_moves),
		T(test_serve_reads_nothing_while_held),
		T(test_serve_the_far_side_waits_while_held),
		T(test_serve_what_is_not_used_comes_again),
		T(test_serve_state_is_charged),
		A(test_serve_what_the_budget_refuses_is_refused),
		A(test_serve_streams_wait_until_their_peer_is_up),
		A(test_serve_streams_that_wait_are_counted_and_forgotten),
		A(test_serve_streams_that_wait_may_be_ended),
		A(test_serve_nothing_is_written_before_a_name_is_chosen),
		A(test_serve_who_has_said_what_it_speaks_is_written_to),
		A(test_serve_the_best_name_is_chosen),
	};
	return cmocka_run_group_tests_name("serve", tests, NULL, NULL);
}

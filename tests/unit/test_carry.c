/* A connection that a stream carries: bytes, limits, and whose end is whose. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

#include "base/xmalloc.h"
#include "net/serve/carry.h"
#include "net/swarm/swarm_internal.h"
#include "tests/unit/serve_lab.h"

/* What carried connections may, and whether one is carried at all. */
static struct swarm_carrier limits;
static bool refuses;
static unsigned tunnels_gone[2];

/* ---- a service that carries ---------------------------------------------- */

struct tunnel {
	struct serve *sv;
	unsigned host;
};

static void *start(struct serve *sv, const struct service_ops *ops,
	const struct serve_cfg *cfg, const struct env *env)
{
	struct tunnel *self = xcalloc(1, sizeof(*self));
	static unsigned hosts;

	(void)ops;
	(void)cfg;
	(void)env;
	self->sv = sv;
	self->host = hosts++ % 2; /* in the order in which they start */
	return self;
}

static void opened(void *arg, const struct env *env, struct sstream *st)
{
	struct tunnel *self = arg;
	struct swarm_carrier k = limits;

	k.outbound = !st->inbound;
	if (k.outbound)
		k.expect = st->peer;
	if (refuses || carry_start(self->sv, env, st, st->state, &k) != 0)
		serve_reset(self->sv, st);
}

static int readable(void *arg, const struct env *env, struct sstream *st,
	struct serve_in *in)
{
	struct tunnel *self = arg;

	in->used = carry_readable(self->sv, env, st->state, in->bytes, in->end);
	return 0;
}

static void writable(void *arg, const struct env *env, struct sstream *st)
{
	carry_writable(((struct tunnel *)arg)->sv, env, st, st->state);
}

static void gone(void *arg, const struct env *env, struct sstream *st,
	struct bytes rest, int err)
{
	struct tunnel *self = arg;

	(void)err;
	carry_gone(self->sv, env, st->state, rest);
	tunnels_gone[self->host]++;
}

static void carry(void *arg, const struct env *env, struct sstream *st,
	const struct swarm_action *act)
{
	carry_act(((struct tunnel *)arg)->sv, env, st, st->state, act);
}

static const char *const names[] = {"/tunnel/1", NULL};
static const struct service_ops tunnel_ops = {
	.names = names,
	.in_per_peer = 1,
	.state_bytes = sizeof(struct carry),
	.start = start,
	.free = free,
	.opened = opened,
	.readable = readable,
	.writable = writable,
	.gone = gone,
	.carry = carry,
};
static const struct service_ops any_ops =
	SERVICE("/any/1", .in_per_peer = 100, .limited = true);
static const struct service_ops *const services[] = {
	&tunnel_ops, &any_ops, NULL};

/* ---- set-up -------------------------------------------------------------- */

static int setup(void **state)
{
	limits = (struct swarm_carrier){.limited = true,
		.lasts_ms = P2P_NEVER,
		.bytes_max = UINT64_MAX};
	lab_addr(&limits.remote, "/ip4/8.8.8.8/tcp/1");
	refuses = false;
	tunnels_gone[0] = tunnels_gone[1] = 0;
	*state = serve_lab(services);
	return 0;
}

static struct sstream *tunnel(struct swarm_lab *l)
{
	struct sstream *st = serve_lab_open(l, &tunnel_ops, NULL);

	lab_run(l);
	return st;
}

/* The connection of host i that a stream carries; 0: there is none. */
static uint64_t carried(struct swarm_lab *l, unsigned i)
{
	struct table_entry *e, *tmp;

	TABLE_FOREACH(e, tmp, &swarm_of(l, i)->conns) {
		const struct conn *c = e->value;

		if (c->carrier != 0 && c->state == CONN_READY)
			return c->id;
	}
	return 0;
}

/* A stream of host 0 on that connection. */
static struct sstream *open_within(struct swarm_lab *l, const char *text)
{
	struct serve_to to = {.ops = &any_ops, .conn = carried(l, 0)};
	struct sstream *st;

	assert_int_not_equal(to.conn, 0);
	assert_int_equal(serve_open(l->host[0].sv, &l->te.env, &to, &st), 0);
	assert_true(st->limited);
	if (text != NULL)
		serve_lab_say(l, 0, st, text);
	lab_run(l);
	return st;
}

/* What host i has read in all. */
static size_t read_by(unsigned i)
{
	size_t all = 0;

	for (unsigned k = 0; k < told(i, READABLE); k++)
		all += told_nth(i, READABLE, k)->len;
	return all;
}

/* Of the tunnel nothing is left, and the peers are connected as before. */
static void expect_over(struct swarm_lab *l)
{
	for (unsigned i = 0; i < 2; i++) {
		assert_int_equal(tunnels_gone[i], 1);
		assert_int_equal(swarm_of(l, i)->conns.count, 1);
		assert_int_equal(swarm_of(l, i)->streams.count, 0);
		assert_int_equal(swarm_budget_used(swarm_of(l, i)), 0);
		assert_int_equal(told(i, CONN_DOWN), 1);
		assert_int_equal(told(i, DOWN), 0);
	}
}

/* ---- stories ------------------------------------------------------------- */

static void test_carry_streams_run_on_a_carried_connection(void **state)
{
	struct swarm_lab *l = *state;
	struct sstream *st;

	(void)tunnel(l);
	assert_int_equal(told(0, CONN_UP), 1);
	assert_int_equal(told(1, CONN_UP), 1);
	st = open_within(l, "through the tunnel");
	assert_string_equal(
		told_nth(1, READABLE, 0)->text, "through the tunnel");
	st = serve_stream(l->host[1].sv, told_nth(1, OPENED, 0)->stream);
	assert_true(st->limited);
	serve_lab_say(l, 1, st, "and back");
	lab_run(l);
	assert_string_equal(told_nth(0, READABLE, 0)->text, "and back");
	/* It is the peer that is known, by its own proof. */
	assert_true(peer_id_equal(&st->peer, id_of(l, 0)));
}

static void test_carry_both_sides_push_back(void **state)
{
	static char much[1u << 20];
	struct swarm_lab *l = *state;
	struct sstream *st, *there;

	(void)tunnel(l);
	users[1].holds = true;
	st = open_within(l, NULL);
	memset(much, 'm', sizeof(much) - 1);
	serve_lab_say(l, 0, st, much);
	lab_run(l);
	assert_true(swarm_stream_backlog(st) > 0);
	assert_int_equal(read_by(1), 0);
	there = serve_stream(l->host[1].sv, told_nth(1, OPENED, 0)->stream);
	serve_hold(l->host[1].sv, there, false);
	lab_run(l);
	assert_int_equal(swarm_stream_backlog(st), 0);
	assert_int_equal(read_by(1), sizeof(much) - 1);
}

/* While the connection takes nothing its stream is held, and what the far side
 * has to say waits in its own connection, not in the stream. */
static void test_carry_holds_the_stream_while_paused(void **state)
{
	static char much[1u << 20];
	struct swarm_lab *l = *state;
	struct sstream *below = tunnel(l), *st[8];
	const struct conn *c = conn_find(swarm_of(l, 1), carried(l, 1));

	for (unsigned i = 0; i < P2P_ARRAY_LEN(st); i++)
		st[i] = open_within(l, NULL);
	swarm_act(swarm_of(l, 1), SWARM_ACT_PAUSE, c);
	lab_run(l);
	memset(much, 'm', sizeof(much) - 1);
	for (unsigned i = 0; i < P2P_ARRAY_LEN(st); i++)
		serve_lab_say(l, 0, st[i], much);
	lab_run(l);
	assert_int_equal(read_by(1), 0);
	assert_true(swarm_stream_backlog(below) > 0);
	assert_true(swarm_stream_backlog(below) <= 2 * CARRY_BACKLOG_BYTES);
	swarm_act(swarm_of(l, 1), SWARM_ACT_RESUME, c);
	lab_run(l);
	assert_int_equal(read_by(1), P2P_ARRAY_LEN(st) * (sizeof(much) - 1));
}

static void test_carry_ends_with_its_stream(void **state)
{
	struct swarm_lab *l = *state;
	struct sstream *st = tunnel(l);

	users[1].takes = 0;
	(void)open_within(l, "unread");
	/* As serve ends it: whoever carries hears of that. */
	stream_end(swarm_of(l, 0), stream_of(st), P2P_ERR_TIMEOUT);
	lab_run(l);
	assert_string_equal(told_nth(1, GONE, 0)->text, "unread");
	expect_over(l);
}

static void test_carry_ends_with_the_connection_below(void **state)
{
	struct swarm_lab *l = *state;

	(void)tunnel(l);
	(void)open_within(l, "word");
	lab_cut(l, 0);
	for (unsigned i = 0; i < 2; i++) {
		assert_int_equal(tunnels_gone[i], 1);
		assert_int_equal(swarm_of(l, i)->conns.count, 0);
		assert_int_equal(told(i, GONE), 1);
		assert_int_equal(told(i, DOWN), 1);
	}
}

/* What was said last still goes through, then the stream is closed. */
static void test_carry_closes_its_stream_behind_the_last_word(void **state)
{
	struct swarm_lab *l = *state;

	(void)tunnel(l);
	(void)open_within(l, "last word");
	swarm_conn_close(
		swarm_of(l, 0), &l->te.env, carried(l, 0), P2P_ERR_CLOSED);
	lab_run(l);
	assert_string_equal(told_nth(1, READABLE, 0)->text, "last word");
	expect_over(l);
}

/* The far side may never close. */
static void test_carry_waits_so_long_for_the_far_side_to_close(void **state)
{
	struct swarm_lab *l = *state;

	(void)tunnel(l);
	(void)open_within(l, "word");
	l->wire[0].paused[0] = true;
	swarm_conn_close(
		swarm_of(l, 0), &l->te.env, carried(l, 0), P2P_ERR_CLOSED);
	lab_pass(l, CARRY_CLOSE_MS - 1);
	assert_int_equal(tunnels_gone[0], 0);
	lab_pass(l, 1);
	assert_int_equal(tunnels_gone[0], 1);
	l->wire[0].paused[0] = false;
	lab_run(l);
	assert_int_equal(tunnels_gone[1], 1);
}

static void test_carry_is_limited_in_bytes(void **state)
{
	static char much[60000];
	struct swarm_lab *l = *state;
	struct sstream *st;

	limits.bytes_max = 50000;
	(void)tunnel(l);
	st = open_within(l, "little");
	assert_int_equal(told(1, CONN_DOWN), 0);
	memset(much, 'm', sizeof(much) - 1);
	serve_lab_say(l, 0, st, much);
	lab_run(l);
	assert_true(read_by(1) < 50000);
	assert_int_equal(told_nth(0, GONE, 0)->err, P2P_ERR_LIMIT);
	expect_over(l);
}

static void test_carry_is_limited_in_time(void **state)
{
	struct swarm_lab *l = *state;

	limits.lasts_ms = 60000;
	(void)tunnel(l);
	(void)open_within(l, "word");
	lab_pass(l, 59999);
	assert_int_equal(told(0, CONN_DOWN), 0);
	lab_pass(l, 1);
	assert_int_equal(told_nth(0, GONE, 0)->err, P2P_ERR_TIMEOUT);
	expect_over(l);
}

static void test_carry_what_is_refused_leaves_nothing(void **state)
{
	struct swarm_lab *l = *state;

	refuses = true;
	(void)tunnel(l);
	for (unsigned i = 0; i < 2; i++) {
		assert_int_equal(swarm_of(l, i)->conns.count, 1);
		assert_int_equal(swarm_of(l, i)->streams.count, 0);
		assert_int_equal(told(i, CONN_UP), 0);
	}
}

/* The far side speaks something else than a connection. */
static void test_carry_ends_what_is_no_connection(void **state)
{
	struct swarm_lab *l = *state;

	(void)serve_lab_open(l, &tunnel_ops, "\x01nonsense\n");
	lab_run(l);
	assert_int_equal(carried(l, 1), 0);
	lab_pass(l, CARRY_CLOSE_MS + SWARM_UPGRADE_MS);
	for (unsigned i = 0; i < 2; i++) {
		assert_int_equal(tunnels_gone[i], 1);
		assert_int_equal(swarm_of(l, i)->conns.count, 1);
		assert_int_equal(swarm_of(l, i)->streams.count, 0);
	}
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, serve_lab_end)
	const struct CMUnitTest tests[] = {
		T(test_carry_streams_run_on_a_carried_connection),
		T(test_carry_both_sides_push_back),
		T(test_carry_holds_the_stream_while_paused),
		T(test_carry_ends_with_its_stream),
		T(test_carry_ends_with_the_connection_below),
		T(test_carry_closes_its_stream_behind_the_last_word),
		T(test_carry_waits_so_long_for_the_far_side_to_close),
		T(test_carry_is_limited_in_bytes),
		T(test_carry_is_limited_in_time),
		T(test_carry_what_is_refused_leaves_nothing),
		T(test_carry_ends_what_is_no_connection),
	};
	return cmocka_run_group_tests_name("carry", tests, NULL, NULL);
}

/* Pipes: streams whose protocol chat speaks, from one chat to the other. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "tests/unit/node_pair.h"

#define PROTOCOL "/p2pchat/profile/1.0.0"
#define OURS (MSG_PIPE_OURS + 7)
#define FRAME 4000

static int meet(void **state)
{
	int err = pair_begin(state);

	pair_meet(*state);
	pair_forget(*state);
	return err;
}

static struct net_msg *message(
	struct pair *p, enum net_msg_kind kind, uint64_t pipe)
{
	struct net_msg *m = net_msg_new(kind,
		kind == NET_MSG_PIPE_OPEN ? PROTOCOL : NULL, bytes_of(NULL, 0));

	(void)peer_id_text(&p->side[1].me.id, m->peer);
	m->pipe = pipe;
	return m;
}

static void say(
	struct pair *p, unsigned i, enum net_msg_kind kind, uint64_t pipe)
{
	pair_command(p, i, message(p, kind, pipe));
}

static void frame(struct pair *p, unsigned i, uint64_t pipe, size_t len)
{
	static const uint8_t data[5000] = "a frame";
	struct net_msg *m =
		net_msg_new(NET_MSG_PIPE_FRAME, NULL, bytes_of(data, len));

	m->pipe = pipe;
	pair_command(p, i, m);
}

static void took(struct pair *p, unsigned i, uint64_t pipe, size_t len)
{
	struct net_msg *m = message(p, NET_MSG_PIPE_TOOK, pipe);

	m->count = len;
	pair_command(p, i, m);
}

/* Node 0 opens one to node 1; its number there. */
static uint64_t open_one(struct pair *p)
{
	say(p, 0, NET_MSG_PIPE_OPEN, OURS);
	pair_run(p);
	assert_int_equal(pair_told(p, 0, CHAT_MSG_PIPE_UP), 1);
	assert_int_equal(pair_told(p, 1, CHAT_MSG_PIPE_UP), 1);
	return pair_last(p, 1, CHAT_MSG_PIPE_UP)->pipe;
}

static void test_pipe_goes_both_ways_and_ends(void **state)
{
	struct pair *p = *state;
	uint64_t theirs = open_one(p);
	const struct chat_net_msg *m = pair_last(p, 1, CHAT_MSG_PIPE_UP);

	assert_int_equal(m->state, 1);
	assert_string_equal(m->text, PROTOCOL);
	assert_true(theirs < MSG_PIPE_OURS);
	assert_int_equal(pair_last(p, 0, CHAT_MSG_PIPE_UP)->state, 0);
	assert_int_equal(pair_last(p, 0, CHAT_MSG_PIPE_UP)->pipe, OURS);
	frame(p, 0, OURS, 7);
	frame(p, 0, OURS, 0);
	frame(p, 1, theirs, 7);
	pair_run(p);
	assert_int_equal(pair_told(p, 1, CHAT_MSG_PIPE_FRAME), 2);
	assert_int_equal(pair_last(p, 1, CHAT_MSG_PIPE_FRAME)->data_len, 0);
	m = pair_last(p, 0, CHAT_MSG_PIPE_FRAME);
	assert_int_equal(m->pipe, OURS);
	assert_memory_equal(m->data, "a frame", 7);
	assert_int_equal(pair_last(p, 1, CHAT_MSG_PIPE_ROOM)->number, 7);
	say(p, 0, NET_MSG_PIPE_CLOSE, OURS);
	pair_run(p);
	assert_int_equal(pair_told(p, 1, CHAT_MSG_PIPE_END), 1);
	assert_int_equal(pair_told(p, 0, CHAT_MSG_PIPE_GONE), 0);
	say(p, 1, NET_MSG_PIPE_CLOSE, theirs);
	pair_run(p);
	for (unsigned i = 0; i < 2; i++) {
		assert_int_equal(pair_told(p, i, CHAT_MSG_PIPE_GONE), 1);
		assert_int_equal(pair_last(p, i, CHAT_MSG_PIPE_GONE)->state, 0);
	}
	/* What comes for it now comes too late. */
	frame(p, 0, OURS, 7);
	took(p, 1, theirs, 7);
	say(p, 0, NET_MSG_PIPE_RESET, OURS);
	pair_run(p);
}

static unsigned frames_at(struct pair *p, unsigned i)
{
	return pair_told(p, i, CHAT_MSG_PIPE_FRAME);
}

/* Chat takes nothing in: a few frames wait for it, the rest with the sender. */
static void test_pipe_waits_for_who_is_slow(void **state)
{
	enum { ALL = 60 };
	struct pair *p = *state;
	uint64_t theirs = open_one(p);
	unsigned ahead;

	for (unsigned i = 0; i < ALL; i++)
		frame(p, 0, OURS, FRAME);
	pair_run(p);
	ahead = frames_at(p, 1);
	assert_in_range(ahead, PIPE_AHEAD_BYTES / (FRAME + 200),
		PIPE_AHEAD_BYTES / FRAME + 1);
	pair_pass(p, 1000);
	assert_int_equal(frames_at(p, 1), ahead);
	for (unsigned i = 0; i < ALL; i++) {
		took(p, 1, theirs, FRAME);
		pair_run(p);
	}
	assert_int_equal(frames_at(p, 1), ALL);
	assert_int_equal(pair_told(p, 1, CHAT_MSG_PIPE_GONE), 0);
}

/* More than may be under way is a fault of our own chat, and ends the pipe;
 * what the connection has taken already does not count. */
static void test_pipe_refuses_more_than_may_be_under_way(void **state)
{
	struct pair *p = *state;

	(void)open_one(p);
	p->side[1].paused = true;
	for (unsigned i = 0; i < 4 * MSG_PIPE_OUT_BYTES / FRAME; i++)
		frame(p, 0, OURS, FRAME);
	pair_run(p);
	assert_int_equal(
		pair_last(p, 0, CHAT_MSG_PIPE_GONE)->state, P2P_ERR_LIMIT);
	p->side[1].paused = false;
}

static void test_pipe_that_cannot_be_opened_is_gone(void **state)
{
	struct pair *p = *state;
	struct net_msg *m;

	/* No such protocol, or none that is chat's. */
	m = net_msg_new(
		NET_MSG_PIPE_OPEN, "/ipfs/ping/1.0.0", bytes_of(NULL, 0));
	(void)peer_id_text(&p->side[1].me.id, m->peer);
	m->pipe = OURS;
	pair_command(p, 0, m);
	pair_run(p);
	assert_int_equal(
		pair_last(p, 0, CHAT_MSG_PIPE_GONE)->state, P2P_ERR_NOT_FOUND);
	/* No such peer. */
	m = message(p, NET_MSG_PIPE_OPEN, OURS);
	m->peer[0] = '\0';
	pair_command(p, 0, m);
	/* A number that is not chat's to choose, and one that is taken. */
	say(p, 0, NET_MSG_PIPE_OPEN, 5);
	(void)open_one(p);
	say(p, 0, NET_MSG_PIPE_OPEN, OURS);
	pair_run(p);
	assert_int_equal(pair_told(p, 0, CHAT_MSG_PIPE_GONE), 4);
	assert_int_equal(
		pair_last(p, 0, CHAT_MSG_PIPE_GONE)->state, P2P_ERR_EXISTS);
}

static void test_pipe_refuses_a_frame_that_is_too_large(void **state)
{
	struct pair *p = *state;

	(void)open_one(p);
	frame(p, 0, OURS, 5000);
	pair_run(p);
	assert_int_equal(
		pair_last(p, 1, CHAT_MSG_PIPE_GONE)->state, P2P_ERR_TOO_BIG);
	assert_int_equal(
		pair_last(p, 0, CHAT_MSG_PIPE_GONE)->state, P2P_ERR_RESET);
	assert_int_equal(
		swarm_counters(p->side[1].n->swarm)->protocol_errors, 1);
}

static void test_pipe_ends_with_the_connection_before_the_peer(void **state)
{
	struct pair *p = *state;
	const struct side *s = &p->side[0];
	unsigned gone = 0, down = 0;

	(void)open_one(p);
	frame(p, 1, pair_last(p, 1, CHAT_MSG_PIPE_UP)->pipe, 7);
	pair_cut(p);
	pair_run(p);
	for (unsigned i = 0; i < s->told_count; i++) {
		const struct chat_net_msg *m = s->told[i];

		if (m->msg.kind == CHAT_MSG_PIPE_GONE)
			gone = i;
		if (m->msg.kind == CHAT_MSG_PEER && m->state == 0)
			down = i;
	}
	assert_true(gone > 0 && gone < down);
}

static uint64_t refused(const struct pair *p)
{
	return swarm_counters(p->side[1].n->swarm)->streams_refused;
}

/* Our chat takes nothing, and there is much to tell it: peers open no more. */
static void test_pipes_are_refused_while_chat_is_behind(void **state)
{
	struct pair *p = *state;
	uint64_t before = refused(p);

	p->side[1].chat_full = true;
	for (unsigned i = 0; i < 4; i++) {
		say(p, 0, NET_MSG_PIPE_OPEN, OURS + i);
		for (unsigned k = 0; k < PIPE_EVENTS_MAX / 2; k++)
			frame(p, 0, OURS + i, 0);
		pair_run(p);
	}
	assert_in_range(refused(p) - before, 1, 3);
	assert_true(p->side[1].n->tell_count <= NODE_TELLS_PER_TURN + 16);
	/* It goes on when chat does. */
	p->side[1].chat_full = false;
	pair_event(p, 1, NODE_EV_CHAT_ROOM);
	pair_pass(p, 100);
	pair_forget(p);
	say(p, 0, NET_MSG_PIPE_OPEN, OURS + 4);
	pair_run(p);
	assert_int_equal(pair_told(p, 1, CHAT_MSG_PIPE_UP), 1);
}

/* One after the other is opened and ended. */
static void opens(struct pair *p, uint64_t *next, unsigned count)
{
	while (count-- > 0) {
		say(p, 0, NET_MSG_PIPE_OPEN, ++*next);
		pair_run(p);
		say(p, 0, NET_MSG_PIPE_RESET, *next);
		pair_run(p);
	}
}

static void test_pipes_without_end_are_refused(void **state)
{
	struct pair *p = *state;
	uint64_t next = OURS, before = refused(p);

	opens(p, &next, 12);
	assert_int_equal(refused(p) - before, 0);
	assert_int_equal(pair_told(p, 1, CHAT_MSG_PIPE_UP), 12);
	opens(p, &next, 200);
	assert_int_equal(refused(p) - before, 200);
	assert_int_equal(pair_told(p, 1, CHAT_MSG_PIPE_UP), 12);
	pair_pass(p, PIPE_MINUTE_MS);
	opens(p, &next, 13);
	assert_int_equal(refused(p) - before, 201);
	assert_int_equal(pair_told(p, 1, CHAT_MSG_PIPE_UP), 24);
}

#define T(f) cmocka_unit_test_setup_teardown(f, meet, pair_end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_pipe_goes_both_ways_and_ends),
		T(test_pipe_waits_for_who_is_slow),
		T(test_pipe_refuses_more_than_may_be_under_way),
		T(test_pipe_that_cannot_be_opened_is_gone),
		T(test_pipe_refuses_a_frame_that_is_too_large),
		T(test_pipe_ends_with_the_connection_before_the_peer),
		T(test_pipes_are_refused_while_chat_is_behind),
		T(test_pipes_without_end_are_refused),
	};

	return cmocka_run_group_tests_name("node_pipes", tests, NULL, NULL);
}

/* Whole nodes: what they hand over, to each other and to their chats. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

#include "base/xmalloc.h"
#include "net/pubsub/gossip_internal.h"
#include "net/pubsub/gossip_limits.h"
#include "net/serve/frame.h"
#include "net/swarm/swarm_internal.h"
#include "net/unit/unit.h"
#include "tests/unit/node_pair.h"

static void test_node_tells_where_it_listens(void **state)
{
	struct pair *p = *state;
	struct node_event ev = {.kind = NODE_EV_LISTENING};
	const struct maddr *addrs;

	pair_run(p);
	assert_int_equal(p->side[0].advertised, 1);
	assert_int_equal(node_addresses(p->side[0].n, &addrs), 1);
	assert_true(maddr_equal(addrs, &p->side[0].addr));
	assert_non_null(strstr(pair_last(p, 0, CHAT_MSG_NET_READY)->text,
		"/ip4/10.0.0.1/tcp/4001/p2p/12D3"));
	assert_int_equal(
		pair_last(p, 0, CHAT_MSG_STATUS)->state, CHAT_STATE_OK);
	pair_step(p, 0, &ev);
	pair_run(p);
	assert_int_equal(
		pair_last(p, 0, CHAT_MSG_STATUS)->state, CHAT_STATE_FAILED);
	ev = (struct node_event){.kind = NODE_EV_LISTEN_FAILED, .text = "no"};
	pair_step(p, 0, &ev);
	ev = (struct node_event){.kind = NODE_EV_DISCOVERY,
		.state = CHAT_STATE_BUSY,
		.text = "looking"};
	pair_step(p, 0, &ev);
	pair_run(p);
	assert_int_equal(
		pair_last(p, 0, CHAT_MSG_STATUS)->item, CHAT_STATUS_DISCOVERY);
	assert_string_equal(pair_last(p, 0, CHAT_MSG_STATUS)->text, "looking");
}

/* The first ping is answered before the peer is told of: nobody waits for the
 * second one. */
static void test_node_tells_the_round_trip_with_the_peer(void **state)
{
	struct pair *p = *state;
	struct node *n = p->side[1].n;
	struct link *l;

	pair_meet(p);
	l = link_find(n, &p->side[0].me.id);
	assert_non_null(l);
	l->rtt_told_us = P2P_NEVER;
	tell_up(n, l);
	tell_up(n, l);
	pair_event(p, 1, NODE_EV_CHAT_ROOM);
	pair_run(p);
	assert_int_equal(p->side[1].told[0]->msg.kind, CHAT_MSG_PEER);
	assert_int_equal(p->side[1].told[1]->msg.kind, CHAT_MSG_RTT);
	assert_int_equal(pair_told(p, 1, CHAT_MSG_RTT), 1);
}

static void test_node_hands_over_and_counts(void **state)
{
	struct pair *p = *state;
	struct node_stats stats;

	pair_meet(p);
	pair_publish(p, 0, 1, "hello");
	pair_run(p);
	assert_int_equal(pair_last(p, 0, CHAT_MSG_HANDED)->number, 1);
	assert_int_equal(pair_last(p, 0, CHAT_MSG_HANDED)->id[0], 1);
	assert_int_equal(pair_told(p, 1, CHAT_MSG_UNIT), 1);
	assert_int_equal(pair_told(p, 0, CHAT_MSG_UNIT), 0);
	node_stats(p->side[1].n, &stats);
	assert_int_equal(stats.units_new, 1);
	assert_int_equal(stats.peer_count, 1);
	assert_int_equal(stats.conn_count, 1);
	assert_int_equal(stats.refused, 0);
}

static void test_node_publish_before_anyone_is_not_handed(void **state)
{
	struct pair *p = *state;

	pair_say(p, 0, NET_MSG_JOIN, "room");
	pair_publish(p, 0, 1, "hello");
	pair_run(p);
	assert_int_equal(pair_told(p, 0, CHAT_MSG_HANDED), 0);
}

static void test_node_full_chat_loses_nothing(void **state)
{
	struct pair *p = *state;
	unsigned waits;

	pair_meet(p);
	p->side[1].chat_full = true;
	for (unsigned i = 1; i <= 1000; i++) {
		pair_publish(p, 0, i, "a line among a thousand");
		pair_run(p);
	}
	assert_int_equal(pair_told(p, 1, CHAT_MSG_UNIT), 0);
	/* Room comes in small pieces. */
	for (waits = 0; pair_told(p, 1, CHAT_MSG_UNIT) < 1000; waits++) {
		struct node_action act;
		unsigned n = 0;

		assert_true(waits < 5000);
		p->side[1].chat_full = false;
		pair_event(p, 1, NODE_EV_CHAT_ROOM);
		while (n < 3 && node_next_action(p->side[1].n, &act)) {
			pair_on_action(p, 1, &act);
			n += act.kind == NODE_ACT_TELL_CHAT;
		}
		p->side[1].chat_full = true;
		pair_run(p);
	}
	assert_int_equal(pair_told(p, 1, CHAT_MSG_UNIT), 1000);
	/* In order, each once. */
	for (unsigned k = 0, seqno = 1; k < p->side[1].told_count; k++) {
		const struct chat_net_msg *m = p->side[1].told[k];
		struct unit u;

		if (m->msg.kind != CHAT_MSG_UNIT)
			continue;
		assert_int_equal(
			unit_parse(&u, bytes_of(m->data, m->data_len)), 0);
		assert_int_equal(get_be64(u.seqno), seqno++);
	}
}

static void test_node_stalled_chat_is_told_the_newest_only(void **state)
{
	static const enum swarm_event_kind life[] = {
		SWARM_EV_PEER_UP, SWARM_EV_RTT, SWARM_EV_PEER_DOWN};
	struct pair *p = *state;
	struct node *n = p->side[1].n;
	struct swarm_event ev = {.peer = p->side[0].me.id, .number = 5};
	struct chat_net_msg *m;
	struct link *l;

	pair_meet(p);
	p->side[1].chat_full = true;
	pair_event(p, 1, NODE_EV_NETWORK);
	l = link_find(n, &ev.peer);
	assert_non_null(l);
	for (unsigned i = 0; i < 200; i++) {
		struct node_event dis = {.kind = NODE_EV_DISCOVERY,
			.state = CHAT_STATE_BUSY,
			.text = i == 199 ? "last" : "looking"};

		tell_rtt(n, l, i % 2 == 0 ? 1 : 100000);
		tell_up(n, l);
		pair_step(p, 1, &dis);
		pair_run(p);
	}
	/* Nothing of a peer that comes and goes meanwhile. */
	ev.peer.raw[ev.peer.len - 1] ^= 1;
	for (unsigned i = 0; i < 200; i++) {
		for (size_t k = 0; k < P2P_ARRAY_LEN(life); k++) {
			ev.kind = life[k];
			swarm_emit(n->swarm, &ev);
			pair_event(p, 1, NODE_EV_TICK);
			assert_true((link_find(n, &ev.peer) != NULL) ==
				    (ev.kind != SWARM_EV_PEER_DOWN));
		}
	}
	assert_true(n->tell_count <= 4);
	p->side[1].chat_full = false;
	pair_event(p, 1, NODE_EV_CHAT_ROOM);
	pair_run(p);
	/* One was given back, one waited behind it. */
	assert_true(pair_told(p, 1, CHAT_MSG_PEER) <= 2);
	assert_string_equal(pair_last(p, 1, CHAT_MSG_STATUS)->text, "last");
	assert_int_equal(pair_last(p, 1, CHAT_MSG_RTT)->number, 100000);
	/* Whom chat knows is said to be gone, at any time. */
	p->side[1].chat_full = true;
	pair_cut(p);
	p->side[1].chat_full = false;
	pair_event(p, 1, NODE_EV_CHAT_ROOM);
	pair_run(p);
	m = p->side[1].told[p->side[1].told_count - 1];
	assert_int_equal(m->msg.kind, CHAT_MSG_PEER);
	assert_int_equal(m->state, 0);
}

static void test_node_hears_what_arrived_before_the_end(void **state)
{
	struct pair *p = *state;
	struct node *n = p->side[1].n;

	pair_meet(p);
	p->side[1].chat_full = true;
	for (unsigned i = 1; i <= 400; i++) {
		pair_publish(p, 0, i, "said just before leaving");
		pair_run(p);
	}
	pair_cut(p);
	assert_int_equal(n->links.count, 0);
	p->side[1].chat_full = false;
	pair_event(p, 1, NODE_EV_CHAT_ROOM);
	pair_run(p);
	assert_int_equal(pair_told(p, 1, CHAT_MSG_UNIT), 400);
	assert_int_equal(pair_last(p, 1, CHAT_MSG_PEER)->state, 0);
	assert_int_equal(n->tell_bytes, 0);
}

/* The connection dies while a large RPC is half read (its bytes are charged
 * to a budget that must outlive the connection). */
static void test_node_survives_a_cut_inside_an_rpc(void **state)
{
	static char text[60001];

	for (unsigned pieces = 1; pieces < 60; pieces += 3) {
		struct pair *p = *state;

		pair_meet(p);
		memset(text, 'x', sizeof(text) - 1);
		pair_publish(p, 0, 1, text);
		for (unsigned i = 0; i < pieces; i++)
			(void)pair_carry(p, 0);
		pair_cut(p);
		pair_run(p);
		assert_int_equal(pair_last(p, 1, CHAT_MSG_PEER)->state, 0);
		(void)pair_end(state);
		(void)pair_begin(state);
	}
}

/* So that who hoards most is known by it (swarm_limits.h). */
static void test_node_charges_half_an_rpc_to_its_connection(void **state)
{
	struct pair *p = *state;
	struct node *n = p->side[1].n;
	struct sstream *st;
	uint8_t head[10];
	uint8_t *half;
	size_t len;

	pair_meet(p);
	pair_run(p);
	st = pair_stream(p, 0, false, PAIR_GOSSIP);
	assert_non_null(st);
	half = xcalloc(1, 200000);
	len = frame_header(400000, head);
	memcpy(half, head, len);
	assert_int_equal(serve_write(p->side[0].n->serve, &p->te.env, st,
				 bytes_of(half, 200000)),
		0);
	pair_event(p, 0, NODE_EV_TICK);
	pair_run(p);
	free(half);
	st = pair_stream(p, 1, true, PAIR_GOSSIP);
	assert_int_equal(stream_of(st)->kept, SERVE_STREAM_COST_BYTES +
						      gossip_ops.state_bytes +
						      200000 - len);
	assert_true(swarm_budget_used(n->swarm) >= 200000 - len);
	/* All of it belongs to the one connection: nothing is kept without. */
	assert_int_equal(swarm_conn_used(n->swarm, p->side[1].conn),
		swarm_budget_used(n->swarm));
	pair_cut(p);
	pair_run(p);
	assert_int_equal(swarm_budget_used(n->swarm), 0);
}

static void test_node_reopens_gossip_streams(void **state)
{
	struct pair *p = *state;

	pair_meet(p);
	/* Theirs is reset: ours comes back by itself, with subscriptions. */
	pair_end_stream(
		p, 1, pair_stream(p, 1, true, PAIR_GOSSIP), P2P_ERR_RESET);
	pair_run(p);
	pair_publish(p, 0, 1, "said while the stream was gone");
	pair_pass(p, 3000);
	assert_int_equal(pair_told(p, 1, CHAT_MSG_UNIT), 1);
	pair_publish(p, 0, 2, "after");
	pair_pass(p, 1000);
	assert_int_equal(pair_told(p, 1, CHAT_MSG_UNIT), 2);
}

/* Whatever cannot be charged once: it costs time, not the conversation. */
static void test_node_one_refused_charge_parts_nobody(void **state)
{
	uint64_t asked = 0, now;

	/* The first time none, to count them. */
	for (uint64_t nth = 0; nth <= asked; nth++) {
		struct pair *p = *state;

		pair_say(p, 0, NET_MSG_JOIN, "room");
		pair_say(p, 1, NET_MSG_JOIN, "room");
		(void)budget_test_refuse_nth(nth);
		pair_say(p, 0, NET_MSG_CONNECT, "10.0.0.2:4001");
		pair_pass(p, 3000);
		now = budget_test_refuse_nth(0);
		asked = P2P_MAX(asked, now);
		/* The connection itself: the person is told and tries again. */
		if (pair_told(p, 0, CHAT_MSG_PEER) == 0 ||
			pair_last(p, 0, CHAT_MSG_PEER)->state == 0)
			pair_say(p, 0, NET_MSG_CONNECT, "10.0.0.2:4001");
		pair_pass(p, 10000);
		pair_publish(p, 0, 1, "there");
		pair_publish(p, 1, 2, "and back");
		pair_pass(p, 3000);
		assert_int_equal(pair_told(p, 0, CHAT_MSG_UNIT), 1);
		assert_int_equal(pair_told(p, 1, CHAT_MSG_UNIT), 1);
		(void)pair_end(state);
		(void)pair_begin(state);
	}
	assert_in_range(asked, 12, 1000);
}

static void test_node_counts_nobody_who_refuses_gossip(void **state)
{
	struct pair *p = *state;
	const struct peer_id *peer = &p->side[1].me.id;
	struct node *n = p->side[0].n;

	pair_meet(p);
	pair_end_stream(p, 0, pair_stream(p, 0, false, PAIR_GOSSIP),
		P2P_ERR_NO_PROTOCOL);
	pair_publish(p, 0, 1, "to nobody");
	pair_pass(p, 3000);
	assert_int_equal(pair_told(p, 0, CHAT_MSG_HANDED), 0);
	assert_int_equal(gossip_out_peek(n->gossip, peer).len, 0);
	assert_false(gossip_in_mesh(n->gossip, bytes_str("room"), peer));
	/* What it says is heard as before. */
	pair_publish(p, 1, 2, "from there");
	pair_run(p);
	assert_int_equal(pair_told(p, 0, CHAT_MSG_UNIT), 1);
}

/* Half an RPC cannot be taken back: what follows goes by a new stream. */
static void test_node_ends_the_stream_of_who_is_behind(void **state)
{
	struct pair *p = *state;
	struct node *n = p->side[0].n;
	struct gossip_event ev = {
		.kind = GOSSIP_EV_BEHIND, .peer = p->side[1].me.id};
	const struct sstream *st;
	uint64_t old;

	pair_meet(p);
	old = pair_stream(p, 0, false, PAIR_GOSSIP)->id;
	gossip_emit(n->gossip, &ev);
	pair_event(p, 0, NODE_EV_TICK);
	assert_null(pair_stream(p, 0, false, PAIR_GOSSIP));
	assert_false(gossip_in_mesh(n->gossip, bytes_str("room"), &ev.peer));
	pair_pass(p, 2 * STREAM_GOSSIP_REOPEN_MS);
	st = pair_stream(p, 0, false, PAIR_GOSSIP);
	assert_true(st != NULL && st->id != old);
	assert_true(gossip_in_mesh(n->gossip, bytes_str("room"), &ev.peer));
	pair_publish(p, 0, 1, "again");
	pair_run(p);
	assert_int_equal(pair_told(p, 1, CHAT_MSG_UNIT), 1);
	for (unsigned i = 0; i < NODES; i++)
		assert_int_equal(stream_gossip_counters(p->side[i].n->gossips)
					 ->rpc_errors,
			0);
}

static void test_node_forgets_peers_that_never_were_up(void **state)
{
	struct pair *p = *state;
	struct node *n = p->side[1].n;
	struct sstream *asked = NULL;
	struct node_action act;

	pair_say(p, 0, NET_MSG_CONNECT, "10.0.0.2:4001");
	/* Node 1 does not read who node 0 is. */
	while (asked == NULL) {
		for (unsigned i = 0; i < NODES; i++) {
			while (node_next_action(p->side[i].n, &act))
				pair_on_action(p, i, &act);
			(void)pair_carry(p, i);
		}
		asked = pair_stream(p, 1, false, "/ipfs/id/");
	}
	serve_hold(n->serve, asked, true);
	pair_run(p);
	/* It opens a gossip stream and is gone before it is known. */
	assert_non_null(pair_stream(p, 1, true, PAIR_GOSSIP));
	assert_int_equal(n->links.count, 0);
	p->side[0].away = p->side[1].away = true;
	pair_cut(p);
	pair_run(p);
	assert_int_equal(n->links.count, 0);
	assert_int_equal(n->gossip->peers.count, 0);
	assert_int_equal(n->swarm->streams.count, 0);
	assert_int_equal(pair_told(p, 1, CHAT_MSG_PEER), 0);
	assert_true(gossip_deadline(n->gossip) != 0);
	pair_pass(p, 5000);
	assert_true(gossip_deadline(n->gossip) == P2P_NEVER);
}

static void test_node_lan_peers_are_dialled_and_redialled(void **state)
{
	struct pair *p = *state;
	struct node_event ev = {.kind = NODE_EV_LAN_PEER};

	assert_int_equal(maddr_join_peer(&ev.addr, &p->side[1].addr,
				 peer_id_bytes(&p->side[1].me.id)),
		0);
	pair_step(p, 0, &ev);
	pair_pass(p, 1000);
	assert_int_equal(pair_last(p, 0, CHAT_MSG_PEER)->state, 1);
	assert_string_equal(pair_last(p, 0, CHAT_MSG_ADDRESS)->text,
		"/ip4/10.0.0.2/tcp/4001");
	pair_cut(p);
	pair_run(p);
	assert_int_equal(pair_last(p, 0, CHAT_MSG_PEER)->state, 0);
	pair_event(p, 0, NODE_EV_NETWORK);
	pair_pass(p, 200);
	assert_int_equal(pair_last(p, 0, CHAT_MSG_PEER)->state, 1);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, pair_begin, pair_end)
	const struct CMUnitTest tests[] = {
		T(test_node_tells_where_it_listens),
		T(test_node_tells_the_round_trip_with_the_peer),
		T(test_node_hands_over_and_counts),
		T(test_node_publish_before_anyone_is_not_handed),
		T(test_node_full_chat_loses_nothing),
		T(test_node_stalled_chat_is_told_the_newest_only),
		T(test_node_hears_what_arrived_before_the_end),
		T(test_node_survives_a_cut_inside_an_rpc),
		T(test_node_charges_half_an_rpc_to_its_connection),
		T(test_node_reopens_gossip_streams),
		T(test_node_one_refused_charge_parts_nobody),
		T(test_node_counts_nobody_who_refuses_gossip),
		T(test_node_ends_the_stream_of_who_is_behind),
		T(test_node_forgets_peers_that_never_were_up),
		T(test_node_lan_peers_are_dialled_and_redialled),
	};
	return cmocka_run_group_tests_name("node", tests, NULL, NULL);
}

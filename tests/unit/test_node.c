/* Whole nodes, two of them joined by carriers that the test plays. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

#include "base/xmalloc.h"
#include "msg/peer_facts.h"
#include "net/identity/peer_record.h"
#include "net/node/node_internal.h"
#include "net/pubsub/gossip_internal.h"
#include "net/pubsub/gossip_rpc.h"
#include "net/unit/unit.h"
#include "net/wire/pb.h"
#include "tests/lib/test_env.h"

#define NODES 2
#define TOLD_MAX 4000

struct side {
	struct identity me;
	struct maddr addr;
	struct node *n;
	uint64_t conn; /* of the carrier between them, 0: none */
	bool paused;   /* the other side must not send */
	bool chat_full;
	bool stopped;
	bool away; /* dials to it find nobody */
	unsigned advertised;
	unsigned far_dials; /* to others than the other side */
	struct chat_net_msg *told[TOLD_MAX];
	unsigned told_count;
};

struct pair {
	struct test_env te;
	struct side side[NODES];
};

static void step(struct pair *p, unsigned i, struct node_event *ev)
{
	node_step(p->side[i].n, &p->te.env, ev);
}

static void command(struct pair *p, unsigned i, struct net_msg *m)
{
	struct node_event ev = {.kind = NODE_EV_COMMAND, .msg = m};

	step(p, i, &ev);
}

static void say(
	struct pair *p, unsigned i, enum net_msg_kind kind, const char *text)
{
	command(p, i, net_msg_new(kind, text, bytes_of(NULL, 0)));
}

static void event(struct pair *p, unsigned i, enum node_event_kind kind)
{
	struct node_event ev = {.kind = kind, .conn = p->side[i].conn};

	step(p, i, &ev);
}

static void side_init(struct pair *p, unsigned i)
{
	struct side *s = &p->side[i];
	uint8_t seed[32] = {9, (uint8_t)i};
	struct node_cfg cfg = {.me = &s->me,
		.agent = "p2pchat-tui/test",
		.offer_yamux = true,
		.offer_mplex = true,
		.early_muxers = true};
	struct node_event ev = {.kind = NODE_EV_LISTENING, .addr_count = 1};
	char text[64];

	identity_from_seed(&s->me, seed);
	snprintf(text, sizeof(text), "/ip4/10.0.0.%u/tcp/4001", i + 1);
	assert_int_equal(maddr_parse_text(&s->addr, bytes_str(text)), 0);
	s->n = node_new(&cfg, &p->te.env);
	ev.addrs = &s->addr;
	step(p, i, &ev);
}

static int setup(void **state)
{
	struct pair *p = xcalloc(1, sizeof(*p));

	test_env_init(&p->te, 1);
	assert_int_equal(crypto_init(), 0);
	for (unsigned i = 0; i < NODES; i++)
		side_init(p, i);
	*state = p;
	return 0;
}

static void forget(struct pair *p)
{
	for (unsigned i = 0; i < NODES; i++) {
		struct side *s = &p->side[i];

		while (s->told_count > 0)
			msg_free(&s->told[--s->told_count]->msg);
	}
}

static int teardown(void **state)
{
	struct pair *p = *state;

	forget(p);
	for (unsigned i = 0; i < NODES; i++)
		node_free(p->side[i].n);
	assert_int_equal(p->te.budget.used, 0);
	free(p);
	return 0;
}

/* ---- carriers ---- */

static void dial(struct pair *p, unsigned from, struct node_action *act)
{
	struct side *s = &p->side[from], *t = &p->side[!from];
	struct node_event ev = {.kind = NODE_EV_DIAL_FAILED,
		.conn = act->conn,
		.text = "refused"};

	s->far_dials += !maddr_equal(&act->addr, &t->addr);
	if (s->conn == 0 && !t->away && maddr_equal(&act->addr, &t->addr)) {
		ev = (struct node_event){
			.kind = NODE_EV_ACCEPTED, .addr = s->addr};
		step(p, !from, &ev);
		t->conn = ev.conn;
		s->conn = ev.conn == 0 ? 0 : act->conn;
		if (ev.conn != 0)
			ev = (struct node_event){
				.kind = NODE_EV_CONNECTED, .addr = act->addr};
		else
			ev = (struct node_event){
				.kind = NODE_EV_DIAL_FAILED, .text = "hung up"};
		ev.conn = act->conn;
	}
	step(p, from, &ev);
}

static void cut(struct pair *p)
{
	for (unsigned i = 0; i < NODES; i++) {
		if (p->side[i].conn != 0)
			event(p, i, NODE_EV_CLOSED);
		p->side[i].conn = 0;
		p->side[i].paused = false;
	}
}

static void on_action(struct pair *p, unsigned i, struct node_action *act)
{
	struct side *s = &p->side[i];
	struct node_event verified;

	switch (act->kind) {
	case NODE_ACT_DIAL:
		dial(p, i, act);
		break;
	case NODE_ACT_CLOSE:
		if (act->conn == s->conn)
			cut(p);
		break;
	case NODE_ACT_PAUSE:
	case NODE_ACT_RESUME:
		if (act->conn == s->conn)
			s->paused = act->kind == NODE_ACT_PAUSE;
		break;
	case NODE_ACT_TELL_CHAT:
		if (s->chat_full) {
			node_untell(s->n, act->msg);
			break;
		}
		assert_true(s->told_count < TOLD_MAX);
		s->told[s->told_count++] = act->msg;
		break;
	case NODE_ACT_ADVERTISE:
		s->advertised++;
		break;
	case NODE_ACT_VERIFY:
		unit_batch_check(act->batch);
		verified = (struct node_event){
			.kind = NODE_EV_VERIFIED, .batch = act->batch};
		step(p, i, &verified);
		break;
	case NODE_ACT_STOPPED:
		s->stopped = true;
		break;
	case NODE_ACT_WRITE:
		break;
	}
}

static bool carry(struct pair *p, unsigned i)
{
	struct side *s = &p->side[i], *t = &p->side[!i];
	struct node_event ev = {.kind = NODE_EV_WRITTEN, .conn = s->conn};
	struct bytes out;
	uint8_t *copy;

	if (s->conn == 0 || t->paused)
		return false;
	out = node_out_peek(s->n, &p->te.env, s->conn);
	if (out.len == 0)
		return false;
	ev.count = 1 + rng_below(&p->te.rng, P2P_MIN(out.len, (size_t)65536));
	copy = xmemdup(out.data, ev.count);
	out = bytes_of(copy, ev.count);
	step(p, i, &ev);
	if (t->conn != 0) {
		ev = (struct node_event){
			.kind = NODE_EV_BYTES, .conn = t->conn, .bytes = out};
		step(p, !i, &ev);
	}
	free(copy);
	return true;
}

static void run(struct pair *p)
{
	struct node_action act;

	for (bool moved = true; moved;) {
		moved = false;
		for (unsigned i = 0; i < NODES; i++) {
			while (node_next_action(p->side[i].n, &act)) {
				on_action(p, i, &act);
				moved = true;
			}
			moved |= carry(p, i);
			if (node_deadline(p->side[i].n) == 0) {
				event(p, i, NODE_EV_TICK);
				moved = true;
			}
		}
	}
}

static void pass(struct pair *p, uint64_t ms)
{
	uint64_t until = p->te.env.now_ms + ms;

	run(p);
	for (;;) {
		uint64_t first = P2P_MIN(node_deadline(p->side[0].n),
			node_deadline(p->side[1].n));

		if (first > until)
			break;
		p->te.env.now_ms = P2P_MAX(first, p->te.env.now_ms);
		for (unsigned i = 0; i < NODES; i++)
			if (node_deadline(p->side[i].n) <= p->te.env.now_ms)
				event(p, i, NODE_EV_TICK);
		run(p);
	}
	p->te.env.now_ms = until;
}

static unsigned told(struct pair *p, unsigned i, enum chat_msg_kind kind)
{
	unsigned n = 0;

	for (unsigned k = 0; k < p->side[i].told_count; k++)
		n += p->side[i].told[k]->msg.kind == (int)kind;
	return n;
}

static const struct chat_net_msg *last(
	struct pair *p, unsigned i, enum chat_msg_kind kind)
{
	for (unsigned k = p->side[i].told_count; k-- > 0;)
		if (p->side[i].told[k]->msg.kind == (int)kind)
			return p->side[i].told[k];
	fail();
	return NULL;
}

static void publish(
	struct pair *p, unsigned i, uint64_t seqno, const char *text)
{
	struct buf unit;
	struct net_msg *m;

	buf_init(&unit, UNIT_BYTES_MAX);
	assert_int_equal(unit_sign(&p->side[i].me, seqno, bytes_str("room"),
				 bytes_str(text), &unit),
		0);
	m = net_msg_new(NET_MSG_PUBLISH, "room", buf_bytes(&unit));
	m->id[0] = (uint8_t)seqno;
	command(p, i, m);
	buf_clear(&unit);
}

/* Node 0 dials node 1, both in "room". */
static void meet(struct pair *p)
{
	say(p, 0, NET_MSG_JOIN, "room");
	say(p, 1, NET_MSG_JOIN, "room");
	say(p, 0, NET_MSG_CONNECT, "10.0.0.2:4001");
	pass(p, 3000);
	assert_int_equal(told(p, 0, CHAT_MSG_DIAL_FAILED), 0);
	assert_int_equal(last(p, 0, CHAT_MSG_PEER)->state, 1);
	assert_int_equal(last(p, 1, CHAT_MSG_PEER)->state, 1);
	assert_int_equal(told(p, 0, CHAT_MSG_TOPIC), 1);
	forget(p);
}

/* ---- stories ---- */

static void test_node_tells_where_it_listens(void **state)
{
	struct pair *p = *state;
	struct node_event ev = {.kind = NODE_EV_LISTENING};
	const struct maddr *addrs;

	run(p);
	assert_int_equal(p->side[0].advertised, 1);
	assert_int_equal(node_addresses(p->side[0].n, &addrs), 1);
	assert_true(maddr_equal(addrs, &p->side[0].addr));
	assert_non_null(strstr(last(p, 0, CHAT_MSG_NET_READY)->text,
		"/ip4/10.0.0.1/tcp/4001/p2p/12D3"));
	assert_int_equal(last(p, 0, CHAT_MSG_STATUS)->state, CHAT_STATE_OK);
	step(p, 0, &ev);
	run(p);
	assert_int_equal(last(p, 0, CHAT_MSG_STATUS)->state, CHAT_STATE_FAILED);
	ev = (struct node_event){.kind = NODE_EV_LISTEN_FAILED, .text = "no"};
	step(p, 0, &ev);
	ev = (struct node_event){.kind = NODE_EV_DISCOVERY,
		.state = CHAT_STATE_BUSY,
		.text = "looking"};
	step(p, 0, &ev);
	run(p);
	assert_int_equal(
		last(p, 0, CHAT_MSG_STATUS)->item, CHAT_STATUS_DISCOVERY);
	assert_string_equal(last(p, 0, CHAT_MSG_STATUS)->text, "looking");
}

static void test_node_hands_over_and_counts(void **state)
{
	struct pair *p = *state;
	struct node_stats stats;

	meet(p);
	publish(p, 0, 1, "hello");
	run(p);
	assert_int_equal(last(p, 0, CHAT_MSG_HANDED)->number, 1);
	assert_int_equal(last(p, 0, CHAT_MSG_HANDED)->id[0], 1);
	assert_int_equal(told(p, 1, CHAT_MSG_UNIT), 1);
	assert_int_equal(told(p, 0, CHAT_MSG_UNIT), 0);
	node_stats(p->side[1].n, &stats);
	assert_int_equal(stats.units_new, 1);
	assert_int_equal(stats.peer_count, 1);
	assert_int_equal(stats.conn_count, 1);
	assert_int_equal(stats.refused, 0);
}

static void test_node_publish_before_anyone_is_not_handed(void **state)
{
	struct pair *p = *state;

	say(p, 0, NET_MSG_JOIN, "room");
	publish(p, 0, 1, "hello");
	run(p);
	assert_int_equal(told(p, 0, CHAT_MSG_HANDED), 0);
}

static void test_node_full_chat_loses_nothing(void **state)
{
	struct pair *p = *state;
	unsigned waits;

	meet(p);
	p->side[1].chat_full = true;
	for (unsigned i = 1; i <= 1000; i++) {
		publish(p, 0, i, "a line among a thousand");
		run(p);
	}
	assert_int_equal(told(p, 1, CHAT_MSG_UNIT), 0);
	/* Room comes in small pieces. */
	for (waits = 0; told(p, 1, CHAT_MSG_UNIT) < 1000; waits++) {
		struct node_action act;
		unsigned n = 0;

		assert_true(waits < 5000);
		p->side[1].chat_full = false;
		event(p, 1, NODE_EV_CHAT_ROOM);
		while (n < 3 && node_next_action(p->side[1].n, &act)) {
			on_action(p, 1, &act);
			n += act.kind == NODE_ACT_TELL_CHAT;
		}
		p->side[1].chat_full = true;
		run(p);
	}
	assert_int_equal(told(p, 1, CHAT_MSG_UNIT), 1000);
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
	struct pair *p = *state;
	struct node *n = p->side[1].n;
	struct swarm_event ev = {.peer = p->side[0].me.id};
	struct chat_net_msg *m;
	struct link *l;

	meet(p);
	p->side[1].chat_full = true;
	event(p, 1, NODE_EV_NETWORK);
	l = link_find(n, &ev.peer);
	assert_non_null(l);
	for (unsigned i = 0; i < 200; i++) {
		struct node_event dis = {.kind = NODE_EV_DISCOVERY,
			.state = CHAT_STATE_BUSY,
			.text = i == 199 ? "last" : "looking"};

		tell_rtt(n, l, i % 2 == 0 ? 1 : 100000);
		tell_up(n, l);
		step(p, 1, &dis);
		run(p);
	}
	/* Nothing of a peer that comes and goes meanwhile. */
	ev.peer.raw[ev.peer.len - 1] ^= 1;
	for (unsigned i = 0; i < 200; i++) {
		l = link_get(n, &p->te.env, &ev.peer);
		l->up = true;
		tell_up(n, l);
		tell_rtt(n, l, 5);
		link_remove(n, &p->te.env, &ev.peer);
	}
	assert_true(n->tell_count <= 4);
	p->side[1].chat_full = false;
	event(p, 1, NODE_EV_CHAT_ROOM);
	run(p);
	/* One was given back, one waited behind it. */
	assert_true(told(p, 1, CHAT_MSG_PEER) <= 2);
	assert_string_equal(last(p, 1, CHAT_MSG_STATUS)->text, "last");
	assert_int_equal(last(p, 1, CHAT_MSG_RTT)->number, 100000);
	/* Whom chat knows is said to be gone, at any time. */
	p->side[1].chat_full = true;
	cut(p);
	p->side[1].chat_full = false;
	event(p, 1, NODE_EV_CHAT_ROOM);
	run(p);
	m = p->side[1].told[p->side[1].told_count - 1];
	assert_int_equal(m->msg.kind, CHAT_MSG_PEER);
	assert_int_equal(m->state, 0);
}

static void test_node_hears_what_arrived_before_the_end(void **state)
{
	struct pair *p = *state;
	struct node *n = p->side[1].n;

	meet(p);
	p->side[1].chat_full = true;
	for (unsigned i = 1; i <= 400; i++) {
		publish(p, 0, i, "said just before leaving");
		run(p);
	}
	cut(p);
	assert_int_equal(n->links.count, 0);
	p->side[1].chat_full = false;
	event(p, 1, NODE_EV_CHAT_ROOM);
	run(p);
	assert_int_equal(told(p, 1, CHAT_MSG_UNIT), 400);
	assert_int_equal(last(p, 1, CHAT_MSG_PEER)->state, 0);
	assert_int_equal(n->tell_bytes, 0);
}

/* The connection dies while a large RPC is half read (its bytes are charged
 * to a budget that must outlive the connection). */
static void test_node_survives_a_cut_inside_an_rpc(void **state)
{
	static char text[60001];

	for (unsigned pieces = 1; pieces < 60; pieces += 3) {
		struct pair *p = *state;

		meet(p);
		memset(text, 'x', sizeof(text) - 1);
		publish(p, 0, 1, text);
		for (unsigned i = 0; i < pieces; i++)
			(void)carry(p, 0);
		cut(p);
		run(p);
		assert_int_equal(last(p, 1, CHAT_MSG_PEER)->state, 0);
		(void)teardown(state);
		(void)setup(state);
	}
}

/* So that who hoards most is known by it (swarm_limits.h). */
static void test_node_charges_half_an_rpc_to_its_connection(void **state)
{
	struct pair *p = *state;
	struct node *n = p->side[1].n;
	uint8_t head[10];
	uint8_t *half;
	struct link *l;
	size_t len;

	meet(p);
	run(p);
	l = link_find(p->side[0].n, &p->side[1].me.id);
	assert_non_null(l);
	half = xcalloc(1, 200000);
	len = frame_header(400000, head);
	memcpy(half, head, len);
	assert_int_equal(swarm_stream_write(p->side[0].n->swarm, &p->te.env,
				 l->out, bytes_of(half, 200000)),
		0);
	event(p, 0, NODE_EV_TICK);
	run(p);
	free(half);
	l = link_find(n, &p->side[0].me.id);
	assert_int_equal(l->in[0].frames.body.len, 200000 - len);
	assert_true(swarm_budget_used(n->swarm) >= 200000 - len);
	/* All of it belongs to the one connection: nothing is kept without. */
	assert_int_equal(swarm_conn_used(n->swarm, p->side[1].conn),
		swarm_budget_used(n->swarm));
	cut(p);
	run(p);
	assert_int_equal(swarm_budget_used(n->swarm), 0);
}

static void test_node_reopens_gossip_streams(void **state)
{
	struct pair *p = *state;
	struct link *l;

	meet(p);
	/* Theirs is reset: ours comes back by itself, with subscriptions. */
	l = link_find(p->side[1].n, &p->side[0].me.id);
	assert_non_null(l);
	swarm_stream_reset(p->side[1].n->swarm, l->in[0].stream);
	l->in[0].stream = 0;
	run(p);
	publish(p, 0, 1, "said while the stream was gone");
	pass(p, 3000);
	assert_int_equal(told(p, 1, CHAT_MSG_UNIT), 1);
	publish(p, 0, 2, "after");
	pass(p, 1000);
	assert_int_equal(told(p, 1, CHAT_MSG_UNIT), 2);
}

/* Whatever cannot be charged once: it costs time, not the conversation. */
static void test_node_one_refused_charge_parts_nobody(void **state)
{
	uint64_t asked = 0, now;

	/* The first time none, to count them. */
	for (uint64_t nth = 0; nth <= asked; nth++) {
		struct pair *p = *state;

		say(p, 0, NET_MSG_JOIN, "room");
		say(p, 1, NET_MSG_JOIN, "room");
		(void)budget_test_refuse_nth(nth);
		say(p, 0, NET_MSG_CONNECT, "10.0.0.2:4001");
		pass(p, 3000);
		now = budget_test_refuse_nth(0);
		asked = P2P_MAX(asked, now);
		/* The connection itself: the person is told and tries again. */
		if (told(p, 0, CHAT_MSG_PEER) == 0 ||
			last(p, 0, CHAT_MSG_PEER)->state == 0)
			say(p, 0, NET_MSG_CONNECT, "10.0.0.2:4001");
		pass(p, 10000);
		publish(p, 0, 1, "there");
		publish(p, 1, 2, "and back");
		pass(p, 3000);
		assert_int_equal(told(p, 0, CHAT_MSG_UNIT), 1);
		assert_int_equal(told(p, 1, CHAT_MSG_UNIT), 1);
		(void)teardown(state);
		(void)setup(state);
	}
	assert_in_range(asked, 12, 1000);
}

static void test_node_counts_nobody_who_refuses_gossip(void **state)
{
	struct pair *p = *state;
	struct swarm_event ev = {
		.kind = SWARM_EV_STREAM_GONE, .err = P2P_ERR_NO_PROTOCOL};
	struct node *n = p->side[0].n;
	struct link *l;

	meet(p);
	l = link_find(n, &p->side[1].me.id);
	assert_non_null(l);
	ev.peer = l->peer;
	ev.stream = l->out;
	link_stream_gone(n, &p->te.env, &ev);
	publish(p, 0, 1, "to nobody");
	pass(p, 3000);
	assert_int_equal(told(p, 0, CHAT_MSG_HANDED), 0);
	assert_int_equal(gossip_out_peek(n->gossip, &ev.peer).len, 0);
	assert_false(gossip_in_mesh(n->gossip, bytes_str("room"), &ev.peer));
	/* What it says is heard as before. */
	publish(p, 1, 2, "from there");
	run(p);
	assert_int_equal(told(p, 0, CHAT_MSG_UNIT), 1);
}

/* Half an RPC cannot be taken back: what follows goes by a new stream. */
static void test_node_ends_the_stream_of_who_is_behind(void **state)
{
	struct pair *p = *state;
	struct node *n = p->side[0].n;
	struct gossip_event ev = {.kind = GOSSIP_EV_BEHIND};
	struct link *l;
	uint64_t old;

	meet(p);
	l = link_find(n, &p->side[1].me.id);
	old = l->out;
	ev.peer = l->peer;
	gossip_emit(n->gossip, &ev);
	event(p, 0, NODE_EV_TICK);
	assert_int_equal(l->out, 0);
	assert_false(gossip_in_mesh(n->gossip, bytes_str("room"), &ev.peer));
	pass(p, 2 * NODE_LINK_REOPEN_MS);
	assert_true(l->out != 0 && l->out != old);
	assert_true(gossip_in_mesh(n->gossip, bytes_str("room"), &ev.peer));
	publish(p, 0, 1, "again");
	run(p);
	assert_int_equal(told(p, 1, CHAT_MSG_UNIT), 1);
	assert_int_equal(n->rpc_errors + p->side[1].n->rpc_errors, 0);
}

static void test_node_forgets_peers_that_never_were_up(void **state)
{
	struct pair *p = *state;
	struct node *n = p->side[1].n;
	struct swarm_event ev = {.kind = SWARM_EV_STREAM_IN, .stream = 77};

	/* It opens a gossip stream and is gone before identify. */
	ev.peer = p->side[0].me.id;
	link_stream_in(n, &p->te.env, &ev);
	assert_int_equal(n->links.count, 1);
	ev.kind = SWARM_EV_STREAM_GONE;
	link_stream_gone(n, &p->te.env, &ev);
	assert_int_equal(n->links.count, 0);
	assert_true(gossip_deadline(n->gossip) != 0);
	pass(p, 5000);
	assert_true(gossip_deadline(n->gossip) == P2P_NEVER);
}

static void test_node_lan_peers_are_dialled_and_redialled(void **state)
{
	struct pair *p = *state;
	struct node_event ev = {.kind = NODE_EV_LAN_PEER};

	assert_int_equal(maddr_join_peer(&ev.addr, &p->side[1].addr,
				 peer_id_bytes(&p->side[1].me.id)),
		0);
	step(p, 0, &ev);
	pass(p, 1000);
	assert_int_equal(last(p, 0, CHAT_MSG_PEER)->state, 1);
	assert_string_equal(
		last(p, 0, CHAT_MSG_ADDRESS)->text, "/ip4/10.0.0.2/tcp/4001");
	cut(p);
	run(p);
	assert_int_equal(last(p, 0, CHAT_MSG_PEER)->state, 0);
	event(p, 0, NODE_EV_NETWORK);
	pass(p, 200);
	assert_int_equal(last(p, 0, CHAT_MSG_PEER)->state, 1);
}

static void keep(struct pair *p, unsigned i, bool with_address)
{
	struct maddr whole;
	char text[MADDR_TEXT_MAX];

	(void)peer_id_text(&p->side[!i].me.id, text);
	if (with_address) {
		assert_int_equal(maddr_join_peer(&whole, &p->side[!i].addr,
					 peer_id_bytes(&p->side[!i].me.id)),
			0);
		(void)maddr_text(&whole, text);
	}
	say(p, i, NET_MSG_KEEP, text);
}

/* Of node 1, which is connected. */
static void expect_whois(const struct chat_net_msg *m)
{
	const struct peer_address *a = (const void *)m->data;

	assert_int_equal(m->data_len, sizeof(*a));
	assert_string_equal(a->addr, "/ip4/10.0.0.2/tcp/4001");
	assert_string_equal(a->peer, m->peer);
	assert_string_equal(a->sources, "signed, saved");
	assert_true(a->certified);
	assert_true(a->in_use);
	assert_true(a->seen_ms_ago <= 1000 && a->ok_ms_ago <= 1000);
	assert_int_equal(a->failures, 0);
	assert_null(a->why_not);
	assert_string_equal(m->key, "Ed25519");
	assert_true(m->scored);
	assert_true(m->score >= 0 && m->score < 1);
	assert_false(m->kept);
}

static void test_node_says_whom_it_knows(void **state)
{
	struct pair *p = *state;
	const struct peer_address *a;
	const struct chat_net_msg *m;

	say(p, 0, NET_MSG_WHOIS, NULL);
	run(p);
	assert_int_equal(last(p, 0, CHAT_MSG_WHOIS)->number, 0);
	assert_int_equal(last(p, 0, CHAT_MSG_WHOIS)->data_len, 0);
	p->side[1].away = true;
	keep(p, 0, true);
	pass(p, 10000);
	say(p, 0, NET_MSG_WHOIS, NULL);
	run(p);
	m = last(p, 0, CHAT_MSG_WHOIS);
	assert_int_equal(m->number, 1);
	assert_int_equal(m->data_len, sizeof(*a));
	a = (const void *)m->data;
	assert_string_equal(a->sources, "typed");
	assert_false(a->certified || a->in_use);
	assert_true(a->ok_ms_ago == P2P_NEVER);
	assert_true(a->failures > 1);
	assert_int_equal(a->more, 0);
}

static void test_node_saved_peers_and_disconnect(void **state)
{
	struct pair *p = *state;
	struct net_msg *m;

	m = net_msg_new(NET_MSG_KNOWN_PEER, "/ip4/10.0.0.2/tcp/4001",
		bytes_of(NULL, 0));
	(void)peer_id_text(&p->side[1].me.id, m->peer);
	command(p, 0, m);
	pass(p, 1000);
	assert_int_equal(last(p, 0, CHAT_MSG_PEER)->state, 1);
	m = net_msg_new(NET_MSG_WHOIS, NULL, bytes_of(NULL, 0));
	(void)peer_id_text(&p->side[1].me.id, m->peer);
	command(p, 0, m);
	run(p);
	expect_whois(last(p, 0, CHAT_MSG_WHOIS));
	m = net_msg_new(NET_MSG_DISCONNECT, NULL, bytes_of(NULL, 0));
	(void)peer_id_text(&p->side[1].me.id, m->peer);
	command(p, 0, m);
	pass(p, 1000);
	assert_int_equal(last(p, 0, CHAT_MSG_PEER)->state, 0);
	/* Nonsense is ignored. */
	say(p, 0, NET_MSG_DISCONNECT, NULL);
	say(p, 0, NET_MSG_KNOWN_PEER, "/ip4/10.0.0.2/tcp/4001");
	run(p);
}

/* ---- what chat thinks of peers; kept peers ---- */

static void tell_worth(struct pair *p, int worth)
{
	struct net_msg *m = net_msg_new(NET_MSG_WORTH, NULL, bytes_of(NULL, 0));

	(void)peer_id_text(&p->side[1].me.id, m->peer);
	m->worth = worth;
	command(p, 0, m);
}

/* Node 1 prunes node 0 and names a third peer with its record. */
static void prune_naming(struct pair *p, uint8_t third)
{
	struct link *l = link_find(p->side[1].n, &p->side[0].me.id);
	struct peer_record r = {.seq = 1, .addr_count = 1};
	uint8_t head[10], seed[32] = {10, third};
	struct buf rpc, record;
	size_t outer, inner, peer;
	struct identity who;
	struct maddr addr;
	char text[40];

	identity_from_seed(&who, seed);
	snprintf(text, sizeof(text), "/ip4/10.0.9.%u/tcp/4001", third);
	assert_int_equal(maddr_parse_text(&addr, bytes_str(text)), 0);
	r.addrs[0] = maddr_bytes(&addr);
	buf_init(&rpc, 8192);
	buf_init(&record, ENVELOPE_BYTES_MAX);
	assert_int_equal(peer_record_seal(&who, &r, &record), 0);
	outer = pb_begin(&rpc, RPC_CONTROL);
	inner = pb_begin(&rpc, CONTROL_PRUNE);
	pb_put_bytes(&rpc, PRUNE_TOPIC, bytes_str("room"));
	peer = pb_begin(&rpc, PRUNE_PEERS);
	pb_put_bytes(&rpc, PEER_INFO_ID, peer_id_bytes(&who.id));
	pb_put_bytes(&rpc, PEER_INFO_RECORD, buf_bytes(&record));
	pb_end(&rpc, peer);
	pb_end(&rpc, inner);
	pb_end(&rpc, outer);
	assert_int_equal(
		swarm_stream_write(p->side[1].n->swarm, &p->te.env, l->out,
			bytes_of(head, frame_header(rpc.len, head))),
		0);
	assert_int_equal(swarm_stream_write(p->side[1].n->swarm, &p->te.env,
				 l->out, buf_bytes(&rpc)),
		0);
	buf_clear(&rpc);
	buf_clear(&record);
	event(p, 1, NODE_EV_TICK);
	pass(p, 1000);
}

static void test_node_follows_px_of_a_contact_not_of_a_stranger(void **state)
{
	struct pair *p = *state;

	meet(p);
	assert_true(gossip_in_mesh(
		p->side[0].n->gossip, bytes_str("room"), &p->side[1].me.id));
	prune_naming(p, 1);
	assert_int_equal(p->side[0].far_dials, 0);
	/* Back in the mesh, and known by now. */
	pass(p, 70000);
	tell_worth(p, 20);
	assert_true(gossip_in_mesh(
		p->side[0].n->gossip, bytes_str("room"), &p->side[1].me.id));
	prune_naming(p, 2);
	assert_true(p->side[0].far_dials > 0);
}

static void test_node_worth_is_of_the_connection(void **state)
{
	struct pair *p = *state;
	struct gossip *g = p->side[0].n->gossip;
	const struct peer_id *peer = &p->side[1].me.id;
	struct link *l;

	tell_worth(p, 20); /* not here: nothing */
	meet(p);
	assert_true(gossip_peer_score(g, peer) < 1);
	tell_worth(p, 20);
	assert_true(gossip_peer_score(g, peer) >= 20);
	/* A new stream keeps it. */
	l = link_find(p->side[1].n, &p->side[0].me.id);
	swarm_stream_reset(p->side[1].n->swarm, l->in[0].stream);
	l->in[0].stream = 0;
	pass(p, 3000);
	assert_true(gossip_peer_score(g, peer) >= 20);
	cut(p);
	pass(p, 5000);
	assert_int_equal(last(p, 0, CHAT_MSG_PEER)->state, 1);
	assert_true(gossip_peer_score(g, peer) < 1);
}

static void test_node_kept_peers_stay_connected(void **state)
{
	struct pair *p = *state;

	keep(p, 0, true);
	keep(p, 1, false);
	pass(p, 1000);
	assert_int_equal(last(p, 0, CHAT_MSG_PEER)->state, 1);
	for (unsigned i = 0; i < 3; i++) {
		cut(p);
		pass(p, 30000);
		assert_int_equal(last(p, 0, CHAT_MSG_PEER)->state, 1);
	}
	/* Away for hours: called all the while, and there again soon. */
	cut(p);
	p->side[0].away = p->side[1].away = true;
	pass(p, 4 * 3600000);
	assert_int_equal(last(p, 0, CHAT_MSG_PEER)->state, 0);
	p->side[1].away = false;
	forget(p);
	pass(p, SWARM_REDIAL_RARELY_MS * 3 / 2);
	assert_int_equal(last(p, 0, CHAT_MSG_PEER)->state, 1);
	assert_int_equal(told(p, 0, CHAT_MSG_DIAL_FAILED), 0);
}

/* An id alone: from the first call of either side on. */
static void test_node_kept_by_id_is_called_back(void **state)
{
	struct pair *p = *state;

	keep(p, 1, false);
	say(p, 0, NET_MSG_CONNECT, "10.0.0.2:4001");
	pass(p, 3000);
	p->side[1].away = true;
	cut(p);
	pass(p, 1);
	swarm_disconnect(p->side[0].n->swarm, &p->te.env, &p->side[1].me.id);
	p->side[1].away = false;
	forget(p);
	pass(p, 30000);
	assert_int_equal(last(p, 1, CHAT_MSG_PEER)->state, 1);
	assert_true(last(p, 1, CHAT_MSG_PEER)->outbound);
}

static void test_node_kept_peers_talk_beside_the_mesh(void **state)
{
	struct pair *p = *state;
	struct node *n = p->side[0].n;

	keep(p, 0, false);
	keep(p, 1, false);
	meet(p);
	pass(p, 60000);
	assert_int_equal(gossip_mesh_size(n->gossip, bytes_str("room")), 0);
	assert_true(gossip_is_direct(n->gossip, &p->side[1].me.id));
	publish(p, 0, 1, "to a friend");
	publish(p, 1, 2, "and back");
	run(p);
	assert_int_equal(told(p, 0, CHAT_MSG_UNIT), 1);
	assert_int_equal(told(p, 1, CHAT_MSG_UNIT), 1);
	assert_int_equal(gossip_counters(n->gossip)->behaviour, 0);
}

static void test_node_keep_says_why_not(void **state)
{
	static const char *const bad[] = {"", "/", "x", "10.0.0.2:4001",
		"/ip4/10.0.0.2/tcp/4001", "/ip4/10.0.0.2/tcp/4001/p2p/12D3",
		"/p2p/12D3KooWHdiAxVd8uMQR1hGWXccidmfCwLqcMpGwR6QcTP6QRMuD"};
	struct pair *p = *state;

	for (unsigned i = 0; i < P2P_ARRAY_LEN(bad); i++) {
		forget(p);
		say(p, 0, NET_MSG_KEEP, bad[i]);
		run(p);
		assert_int_equal(told(p, 0, CHAT_MSG_DIAL_FAILED), 1);
	}
}

static void test_node_connect_takes_many_forms(void **state)
{
	static const char *const good[] = {"10.0.0.2:4001",
		"/ip4/10.0.0.2/tcp/4001", "/ip4/10.0.0.2/tcp/4001/",
		"/ip4/10.0.0.2/tcp/4001//"};

	for (size_t i = 0; i < P2P_ARRAY_LEN(good); i++) {
		struct pair *p = *state;

		say(p, 0, NET_MSG_CONNECT, good[i]);
		pass(p, 1000);
		assert_int_equal(told(p, 0, CHAT_MSG_DIAL_FAILED), 0);
		assert_int_equal(last(p, 0, CHAT_MSG_PEER)->state, 1);
		(void)teardown(state);
		(void)setup(state);
	}
}

static void test_node_connect_says_why_not(void **state)
{
	static const struct {
		const char *text, *why;
	} bad[] = {
		{"", "neither"},
		{"/", "neither"},
		{"host", "neither"},
		{":4001", "neither"},
		{"host:", "neither"},
		{"host:99999", "neither"},
		{"a/b:1", "neither"},
		{"[]:1", "neither"},
		{"/ip4/1.2.3/tcp/1", "neither"},
		{"/ip4/10.0.0.2/udp/1/quic-v1", "can be dialled"},
		{"10.0.0.9:1", "refused"},
		{"[2001:db8::1]:1", "refused"},
		{"example.org:1", "refused"},
		{"10.0.0.1:4001", ""},
	};
	struct pair *p = *state;

	for (size_t i = 0; i < P2P_ARRAY_LEN(bad); i++) {
		forget(p);
		say(p, 0, NET_MSG_CONNECT, bad[i].text);
		run(p);
		assert_int_equal(told(p, 0, CHAT_MSG_DIAL_FAILED), 1);
		assert_string_equal(
			last(p, 0, CHAT_MSG_DIAL_FAILED)->text, bad[i].text);
		assert_non_null(strstr(
			last(p, 0, CHAT_MSG_DIAL_FAILED)->agent, bad[i].why));
	}
}

static void test_node_connect_names_are_bounded(void **state)
{
	struct pair *p = *state;
	char text[700];

	memset(text, 'a', sizeof(text));
	memcpy(text + 600, ":1", 3);
	say(p, 0, NET_MSG_CONNECT, text);
	run(p);
	assert_int_equal(told(p, 0, CHAT_MSG_DIAL_FAILED), 1);
	/* At most 32 at once: the actions are not served meanwhile. */
	for (unsigned i = 0; i < 40; i++)
		say(p, 0, NET_MSG_CONNECT, "10.0.0.9:1");
	run(p);
	assert_int_equal(told(p, 0, CHAT_MSG_DIAL_FAILED), 41);
}

/* A dial that succeeds is no longer under way. */
static void test_node_connects_without_end(void **state)
{
	struct pair *p = *state;
	struct net_msg *m;

	for (unsigned i = 0; i < NODE_REQUESTS_MAX + 1; i++) {
		say(p, 0, NET_MSG_CONNECT, "10.0.0.2:4001");
		pass(p, 1000);
		assert_int_equal(told(p, 0, CHAT_MSG_DIAL_FAILED), 0);
		assert_int_equal(last(p, 0, CHAT_MSG_PEER)->state, 1);
		m = net_msg_new(NET_MSG_DISCONNECT, NULL, bytes_of(NULL, 0));
		(void)peer_id_text(&p->side[1].me.id, m->peer);
		command(p, 0, m);
		pass(p, 1000);
	}
}

static void test_node_quit_says_goodbye_and_stops(void **state)
{
	struct pair *p = *state;

	meet(p);
	say(p, 0, NET_MSG_LEAVE, "room");
	say(p, 0, NET_MSG_QUIT, NULL);
	run(p);
	assert_true(p->side[0].stopped);
	assert_int_equal(last(p, 1, CHAT_MSG_PEER)->state, 0);
	assert_true(node_deadline(p->side[0].n) > p->te.env.now_ms);
}

static void test_node_quit_stops_though_nobody_reads(void **state)
{
	struct pair *p = *state;

	meet(p);
	p->side[1].paused = true;
	say(p, 0, NET_MSG_QUIT, NULL);
	pass(p, NODE_STOP_MS + 1);
	assert_true(p->side[0].stopped);
}

static void test_node_quit_alone_stops_at_once(void **state)
{
	struct pair *p = *state;

	say(p, 0, NET_MSG_QUIT, NULL);
	run(p);
	assert_true(p->side[0].stopped);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(test_node_tells_where_it_listens),
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
		T(test_node_saved_peers_and_disconnect),
		T(test_node_follows_px_of_a_contact_not_of_a_stranger),
		T(test_node_worth_is_of_the_connection),
		T(test_node_kept_peers_stay_connected),
		T(test_node_kept_by_id_is_called_back),
		T(test_node_kept_peers_talk_beside_the_mesh),
		T(test_node_keep_says_why_not),
		T(test_node_says_whom_it_knows),
		T(test_node_connect_takes_many_forms),
		T(test_node_connect_says_why_not),
		T(test_node_connect_names_are_bounded),
		T(test_node_connects_without_end),
		T(test_node_quit_says_goodbye_and_stops),
		T(test_node_quit_stops_though_nobody_reads),
		T(test_node_quit_alone_stops_at_once),
	};
	return cmocka_run_group_tests_name("node", tests, NULL, NULL);
}

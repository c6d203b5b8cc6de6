#include "tests/unit/node_pair.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

#include "base/xmalloc.h"
#include "net/pubsub/gossip_internal.h"
#include "net/swarm/swarm_internal.h"
#include "net/unit/unit.h"

void pair_step(struct pair *p, unsigned i, struct node_event *ev)
{
	node_step(p->side[i].n, &p->te.env, ev);
}

void pair_command(struct pair *p, unsigned i, struct net_msg *m)
{
	struct node_event ev = {.kind = NODE_EV_COMMAND, .msg = m};

	pair_step(p, i, &ev);
}

void pair_say(
	struct pair *p, unsigned i, enum net_msg_kind kind, const char *text)
{
	pair_command(p, i, net_msg_new(kind, text, bytes_of(NULL, 0)));
}

void pair_event(struct pair *p, unsigned i, enum node_event_kind kind)
{
	struct node_event ev = {.kind = kind, .conn = p->side[i].conn};

	pair_step(p, i, &ev);
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
	pair_step(p, i, &ev);
}

int pair_begin(void **state)
{
	struct pair *p = xcalloc(1, sizeof(*p));

	test_env_init(&p->te, 1);
	assert_int_equal(crypto_init(), 0);
	for (unsigned i = 0; i < NODES; i++)
		side_init(p, i);
	*state = p;
	return 0;
}

void pair_forget(struct pair *p)
{
	for (unsigned i = 0; i < NODES; i++) {
		struct side *s = &p->side[i];

		while (s->told_count > 0)
			msg_free(&s->told[--s->told_count]->msg);
	}
}

int pair_end(void **state)
{
	struct pair *p = *state;

	pair_forget(p);
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
		pair_step(p, !from, &ev);
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
	pair_step(p, from, &ev);
}

void pair_cut(struct pair *p)
{
	for (unsigned i = 0; i < NODES; i++) {
		if (p->side[i].conn != 0)
			pair_event(p, i, NODE_EV_CLOSED);
		p->side[i].conn = 0;
		p->side[i].paused = false;
	}
}

void pair_on_action(struct pair *p, unsigned i, struct node_action *act)
{
	struct side *s = &p->side[i];
	struct node_event verified;

	switch (act->kind) {
	case NODE_ACT_DIAL:
		dial(p, i, act);
		break;
	case NODE_ACT_CLOSE:
		if (act->conn == s->conn)
			pair_cut(p);
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
		pair_step(p, i, &verified);
		break;
	case NODE_ACT_STOPPED:
		s->stopped = true;
		break;
	case NODE_ACT_WRITE:
		break;
	}
}

bool pair_carry(struct pair *p, unsigned i)
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
	pair_step(p, i, &ev);
	if (t->conn != 0) {
		ev = (struct node_event){
			.kind = NODE_EV_BYTES, .conn = t->conn, .bytes = out};
		pair_step(p, !i, &ev);
	}
	free(copy);
	return true;
}

void pair_run(struct pair *p)
{
	struct node_action act;

	for (bool moved = true; moved;) {
		moved = false;
		for (unsigned i = 0; i < NODES; i++) {
			while (node_next_action(p->side[i].n, &act)) {
				pair_on_action(p, i, &act);
				moved = true;
			}
			moved |= pair_carry(p, i);
			if (node_deadline(p->side[i].n) == 0) {
				pair_event(p, i, NODE_EV_TICK);
				moved = true;
			}
		}
	}
}

void pair_pass(struct pair *p, uint64_t ms)
{
	uint64_t until = p->te.env.now_ms + ms;

	pair_run(p);
	for (;;) {
		uint64_t first = P2P_MIN(node_deadline(p->side[0].n),
			node_deadline(p->side[1].n));

		if (first > until)
			break;
		p->te.env.now_ms = P2P_MAX(first, p->te.env.now_ms);
		for (unsigned i = 0; i < NODES; i++)
			if (node_deadline(p->side[i].n) <= p->te.env.now_ms)
				pair_event(p, i, NODE_EV_TICK);
		pair_run(p);
	}
	p->te.env.now_ms = until;
}

unsigned pair_told(struct pair *p, unsigned i, enum chat_msg_kind kind)
{
	unsigned n = 0;

	for (unsigned k = 0; k < p->side[i].told_count; k++)
		n += p->side[i].told[k]->msg.kind == (int)kind;
	return n;
}

const struct chat_net_msg *pair_last(
	struct pair *p, unsigned i, enum chat_msg_kind kind)
{
	for (unsigned k = p->side[i].told_count; k-- > 0;)
		if (p->side[i].told[k]->msg.kind == (int)kind)
			return p->side[i].told[k];
	fail();
	return NULL;
}

void pair_publish(struct pair *p, unsigned i, uint64_t seqno, const char *text)
{
	struct buf unit;
	struct net_msg *m;

	buf_init(&unit, UNIT_BYTES_MAX);
	assert_int_equal(unit_sign(&p->side[i].me, seqno, bytes_str("room"),
				 bytes_str(text), &unit),
		0);
	m = net_msg_new(NET_MSG_PUBLISH, "room", buf_bytes(&unit));
	m->id[0] = (uint8_t)seqno;
	pair_command(p, i, m);
	buf_clear(&unit);
}

struct sstream *pair_stream(
	struct pair *p, unsigned i, bool inbound, const char *name)
{
	struct sstream *newest = NULL;
	struct table_entry *e, *tmp;

	TABLE_FOREACH(e, tmp, &p->side[i].n->swarm->streams) {
		struct sstream *st = &((struct stream *)e->value)->pub;
		const char *is = st->name != NULL ? st->name : st->proposed;

		if (st->inbound == inbound && is != NULL &&
			strncmp(is, name, strlen(name)) == 0 &&
			(newest == NULL || st->id > newest->id))
			newest = st;
	}
	return newest;
}

void pair_end_stream(struct pair *p, unsigned i, struct sstream *st, int err)
{
	assert_non_null(st);
	stream_end(p->side[i].n->swarm, stream_of(st), err);
	pair_event(p, i, NODE_EV_TICK);
}

/* Node 0 dials node 1, both in "room". */
void pair_meet(struct pair *p)
{
	pair_say(p, 0, NET_MSG_JOIN, "room");
	pair_say(p, 1, NET_MSG_JOIN, "room");
	pair_say(p, 0, NET_MSG_CONNECT, "10.0.0.2:4001");
	pair_pass(p, 3000);
	assert_int_equal(pair_told(p, 0, CHAT_MSG_DIAL_FAILED), 0);
	assert_int_equal(pair_last(p, 0, CHAT_MSG_PEER)->state, 1);
	assert_int_equal(pair_last(p, 1, CHAT_MSG_PEER)->state, 1);
	assert_int_equal(pair_told(p, 0, CHAT_MSG_TOPIC), 1);
	pair_forget(p);
}

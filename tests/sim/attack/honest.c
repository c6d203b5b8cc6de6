/*
 * An honest host: net/node by its steps, as net/loop runs it.
 */
#include <stdio.h>

#include "tests/sim/attack/attack.h"

/* Addresses that it knows from earlier runs. */
#define BOOK_HONEST 12
#define BOOK_MIXED 24
#define PING_INTERVAL_MS 20000

static void step(struct host *h, struct node_event *ev);

/* Nobody has been met before. */
static void judge(struct host *h, const char *peer)
{
	struct node_event ev = {.kind = NODE_EV_COMMAND,
		.msg = net_msg_new(NET_MSG_WORTH, NULL, bytes_of(NULL, 0))};

	(void)snprintf(ev.msg->peer, sizeof(ev.msg->peer), "%s", peer);
	node_step(h->node, &h->env, &ev);
}

static void take(struct host *h, struct chat_net_msg *m)
{
	struct msg *msg = &m->msg;

	if (msg->kind == CHAT_MSG_PEER && m->state == 1)
		judge(h, m->peer);
	if (msg->kind == CHAT_MSG_UNIT)
		line_arrived(h, bytes_of(m->data, m->data_len));
	msg_free(msg);
}

static void flush(struct host *h, uint64_t conn)
{
	for (;;) {
		struct bytes out = node_out_peek(h->node, &h->env, conn);
		struct node_event ev = {.kind = NODE_EV_WRITTEN,
			.conn = conn,
			.count = out.len};

		if (out.len == 0)
			return;
		wire_send(h, conn, out);
		node_step(h->node, &h->env, &ev);
	}
}

/* At once: what a verifier needs is little beside the wires. */
static void verify(struct host *h, struct unit_batch *b)
{
	struct node_event ev = {.kind = NODE_EV_VERIFIED, .batch = b};

	unit_batch_check(b);
	node_step(h->node, &h->env, &ev);
}

static void act(struct host *h, struct node_action *a)
{
	switch (a->kind) {
	case NODE_ACT_DIAL:
		wire_dial(h, a->conn, &a->addr);
		break;
	case NODE_ACT_WRITE:
		flush(h, a->conn);
		break;
	case NODE_ACT_PAUSE:
		wire_pause(h, a->conn, true);
		break;
	case NODE_ACT_RESUME:
		wire_pause(h, a->conn, false);
		break;
	case NODE_ACT_CLOSE:
		wire_close(h, a->conn);
		break;
	case NODE_ACT_TELL_CHAT:
		take(h, a->msg);
		break;
	case NODE_ACT_VERIFY:
		verify(h, a->batch);
		break;
	case NODE_ACT_ADVERTISE:
	case NODE_ACT_STOPPED:
		break;
	}
}

static void drain(struct host *h)
{
	struct node_action a;

	if (h->draining)
		return;
	h->draining = true;
	while (node_next_action(h->node, &a))
		act(h, &a);
	h->draining = false;
	host_arm(h, node_deadline(h->node));
}

static void step(struct host *h, struct node_event *ev)
{
	host_set_time(h);
	node_step(h->node, &h->env, ev);
	drain(h);
}

static void command(struct host *h, struct net_msg *m)
{
	step(h, &(struct node_event){.kind = NODE_EV_COMMAND, .msg = m});
}

/* A host that it met earlier, or thinks so. */
static void know(struct host *h, const struct host *other)
{
	struct maddr base, whole;
	char text[MADDR_TEXT_MAX];
	struct net_msg *m;

	host_addr(other, &base);
	P2P_ASSERT(maddr_join_peer(
			   &whole, &base, peer_id_bytes(&other->me.id)) == 0);
	m = net_msg_new(NET_MSG_KNOWN_PEER, maddr_text(&whole, text),
		bytes_of(NULL, 0));
	(void)peer_id_text(&other->me.id, m->peer);
	command(h, m);
}

static void fill_book(struct host *h)
{
	struct world *w = h->world;
	bool mixed = w->cfg.family->mixed_book;
	unsigned among = mixed ? w->host_count : w->cfg.honest;
	unsigned all =
		w->cfg.family->crowd ? w->cfg.honest : w->cfg.family->hubs;
	unsigned count = P2P_MIN(mixed ? BOOK_MIXED : BOOK_HONEST, among - 1);

	if (w->cfg.family->crowd || w->cfg.family->hubs > 0)
		count = 0;
	for (unsigned i = 0; i < all && i < h->index; i++)
		know(h, &w->host[i]);
	while (count > 0) {
		struct host *other = &w->host[rng_below(&w->rng, among)];

		if (other == h)
			continue;
		know(h, other);
		count--;
	}
}

/* As --connect does. */
static void call_first(struct host *h)
{
	const struct host *first = &h->world->host[0];
	char text[MADDR_TEXT_MAX];
	struct maddr addr;

	if (h == first)
		return;
	host_addr(first, &addr);
	command(h, net_msg_new(NET_MSG_CONNECT, maddr_text(&addr, text),
			   bytes_of(NULL, 0)));
}

void honest_start(struct host *h)
{
	struct node_cfg cfg = {
		.me = &h->me,
		.agent = "p2pchat-tui/attack",
		.offer_yamux = true,
		.early_muxers = true,
		.ping_interval_ms = PING_INTERVAL_MS,
	};
	struct node_event ev = {.kind = NODE_EV_LISTENING, .addr_count = 1};
	struct maddr addr;

	h->node = node_new(&cfg, &h->env);
	host_addr(h, &addr);
	ev.addrs = &addr;
	step(h, &ev);
	command(h, net_msg_new(NET_MSG_JOIN, ATTACK_TOPIC, bytes_of(NULL, 0)));
	if (h->world->cfg.family->star)
		call_first(h);
	else
		fill_book(h);
}

void honest_free(struct host *h)
{
	if (h->node == NULL)
		return;
	h->draining = true;
	node_free(h->node);
	h->node = NULL;
}

void honest_tick(struct host *h)
{
	step(h, &(struct node_event){.kind = NODE_EV_TICK});
}

uint64_t honest_accept(struct host *h, const struct maddr *from)
{
	struct node_event ev = {.kind = NODE_EV_ACCEPTED, .addr = *from};

	host_set_time(h);
	node_step(h->node, &h->env, &ev);
	if (ev.conn == 0)
		drain(h);
	return ev.conn;
}

void honest_wire(struct host *h, enum wire_happening what, uint64_t conn,
	const struct maddr *at, struct bytes in)
{
	struct node_event ev = {.conn = conn};

	switch (what) {
	case WIRE_ACCEPTED:
		drain(h);
		return;
	case WIRE_CONNECTED:
		ev.kind = NODE_EV_CONNECTED;
		ev.addr = *at;
		break;
	case WIRE_FAILED:
		ev.kind = NODE_EV_DIAL_FAILED;
		ev.text = "connection refused";
		break;
	case WIRE_BYTES:
		ev.kind = NODE_EV_BYTES;
		ev.bytes = in;
		break;
	case WIRE_CLOSED:
		ev.kind = NODE_EV_CLOSED;
		break;
	}
	step(h, &ev);
}

void honest_say(struct host *h)
{
	struct net_msg *m;
	struct unit_id id;
	struct buf unit;

	if (h->node == NULL)
		return;
	buf_init(&unit, UNIT_BYTES_MAX);
	line_say(h, &unit, &id);
	m = net_msg_new(NET_MSG_PUBLISH, ATTACK_TOPIC, buf_bytes(&unit));
	memcpy(m->id, id.raw, sizeof(id.raw));
	h->saying = line_find(h->world, buf_bytes(&unit));
	buf_clear(&unit);
	command(h, m);
	h->saying = NULL;
}

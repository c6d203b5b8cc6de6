#include "net/node/node.h"

#include <stdlib.h>

#include "base/xmalloc.h"
#include "net/node/node_internal.h"

const char *const node_protocols[] = {
	"/meshsub/1.3.0",
	"/meshsub/1.2.0",
	"/meshsub/1.1.0",
	"/meshsub/1.0.0",
	"/floodsub/1.0.0",
	NULL,
};

static struct bytes record_of(const void *swarm, const struct peer_id *peer)
{
	return swarm_peer_record(swarm, peer);
}

struct node *node_new(const struct node_cfg *cfg, const struct env *env)
{
	struct node *n = xcalloc(1, sizeof(*n));
	struct swarm_cfg swarm = {
		.me = cfg->me,
		.agent = cfg->agent,
		.protocols = node_protocols,
		.offer_yamux = cfg->offer_yamux,
		.offer_mplex = cfg->offer_mplex,
		.early_muxers = cfg->early_muxers,
		.conns_max = cfg->conns_max,
		.ping_interval_ms = cfg->ping_interval_ms,
	};
	struct gossip_cfg gossip = {.me = cfg->me->id};
	struct env inner = *env;

	n->cfg = *cfg;
	budget_init(&n->budget, env->budget, NODE_BUDGET_BYTES);
	inner.budget = &n->budget;
	n->swarm = swarm_new(&swarm, &inner);
	n->gossip = gossip_new(&gossip, &inner);
	gossip_set_records(n->gossip,
		&(struct gossip_records){.get = record_of, .arg = n->swarm});
	table_init(&n->links, env->rng);
	bufq_init(&n->actions, NODE_ACTIONS_BYTES_MAX);
	list_init(&n->tells);
	n->stop_at_ms = P2P_NEVER;
	n->links_due_ms = P2P_NEVER;
	n->next_request = 1;
	return n;
}

void node_free(struct node *n)
{
	struct node_action act;

	if (n == NULL)
		return;
	n->chat_full = false;
	while (node_next_action(n, &act))
		if (act.kind == NODE_ACT_TELL_CHAT)
			msg_free(&act.msg->msg);
		else if (act.kind == NODE_ACT_VERIFY)
			msg_free(&act.batch->msg);
	links_clear(n);
	swarm_free(n->swarm);
	gossip_free(n->gossip);
	budget_clear(&n->budget);
	bufq_clear(&n->actions);
	free(n);
}

/* ---- actions ----------------------------------------------------------- */

static void push_action(struct node *n, enum node_action_kind kind,
	uint64_t conn, const struct maddr *addr)
{
	struct node_action act = {.kind = kind, .conn = conn};

	if (addr != NULL)
		act.addr = *addr;
	P2P_ASSERT(bufq_push(&n->actions, bytes_of(&act, sizeof(act))) == 0);
}

/* The swarm's actions are the node's under other names. */
static void pass_actions(struct node *n)
{
	static const enum node_action_kind kinds[] = {
		[SWARM_ACT_DIAL] = NODE_ACT_DIAL,
		[SWARM_ACT_WRITE] = NODE_ACT_WRITE,
		[SWARM_ACT_PAUSE] = NODE_ACT_PAUSE,
		[SWARM_ACT_RESUME] = NODE_ACT_RESUME,
		[SWARM_ACT_CLOSE] = NODE_ACT_CLOSE,
	};
	struct swarm_action act;

	while (swarm_next_action(n->swarm, &act))
		push_action(n, kinds[act.kind], act.conn, &act.addr);
}

/* While chat is full nothing new is made for it. */
static bool next_verify(struct node *n, struct node_action *act)
{
	unsigned max = n->cfg.batches_out_max;

	if (n->chat_full ||
		n->batches_out >= (max > 0 ? max : NODE_BATCHES_OUT))
		return false;
	*act = (struct node_action){.kind = NODE_ACT_VERIFY,
		.batch = gossip_next_verify(n->gossip)};
	if (act->batch == NULL)
		return false;
	n->batches_out++;
	return true;
}

static bool next_tell(struct node *n, struct node_action *act)
{
	if (n->chat_full)
		return false;
	*act = (struct node_action){
		.kind = NODE_ACT_TELL_CHAT, .msg = n->untold};
	n->untold = NULL;
	if (act->msg == NULL)
		act->msg = tell_take(n);
	return act->msg != NULL;
}

bool node_next_action(struct node *n, struct node_action *act)
{
	if (n->actions.len == 0)
		return next_tell(n, act) || next_verify(n, act);
	memcpy(act, bufq_peek(&n->actions).data, sizeof(*act));
	bufq_consume(&n->actions, sizeof(*act));
	return true;
}

void node_untell(struct node *n, struct chat_net_msg *msg)
{
	P2P_ASSERT(n->untold == NULL);
	n->untold = msg;
	n->chat_full = true;
}

/* ---- what the parts report --------------------------------------------- */

static void on_peer_event(
	struct node *n, const struct env *env, const struct swarm_event *ev)
{
	/* Only PEER_UP is sure to be followed by PEER_DOWN. */
	struct link *l = ev->kind == SWARM_EV_PEER_UP
				 ? link_get(n, env, &ev->peer)
				 : link_find(n, &ev->peer);

	if (l == NULL)
		return;
	switch (ev->kind) {
	case SWARM_EV_PEER_UP:
	case SWARM_EV_IDENTIFIED:
		if (ev->kind == SWARM_EV_PEER_UP) {
			l->up = true;
			/* One that called us is called back, too. */
			if (gossip_is_direct(n->gossip, &ev->peer))
				(void)!swarm_want(n->swarm, env, &ev->peer);
		}
		if (!l->up)
			break;
		tell_up(n, l);
		link_open(n, env, l);
		link_read(n, env, l);
		break;
	case SWARM_EV_PEER_DOWN:
		link_remove(n, env, &ev->peer);
		break;
	case SWARM_EV_RTT:
		if (l->up)
			tell_rtt(n, l, ev->number);
		break;
	case SWARM_EV_ADDRESS:
	case SWARM_EV_RECORD:
	case SWARM_EV_DIAL_FAILED:
	case SWARM_EV_STREAM_IN:
	case SWARM_EV_STREAM_READY:
	case SWARM_EV_STREAM_READABLE:
	case SWARM_EV_STREAM_WRITABLE:
	case SWARM_EV_STREAM_GONE:
		break;
	}
}

static void on_swarm_event(
	struct node *n, const struct env *env, const struct swarm_event *ev)
{
	struct link *l;

	switch (ev->kind) {
	case SWARM_EV_PEER_UP:
	case SWARM_EV_IDENTIFIED:
	case SWARM_EV_PEER_DOWN:
	case SWARM_EV_RTT:
		on_peer_event(n, env, ev);
		break;
	case SWARM_EV_ADDRESS:
		command_dial_done(n, ev->number);
		tell_address(n, &ev->peer, &ev->addr);
		break;
	case SWARM_EV_RECORD:
		tell_record(n, &ev->peer);
		break;
	case SWARM_EV_DIAL_FAILED:
		command_dial_failed(n, ev->number, ev->text);
		break;
	case SWARM_EV_STREAM_IN:
		link_stream_in(n, env, ev);
		break;
	case SWARM_EV_STREAM_READABLE:
		l = link_find(n, &ev->peer);
		if (l != NULL && l->out == ev->stream)
			link_ignore(n, l);
		else if (l != NULL)
			link_read(n, env, l);
		break;
	case SWARM_EV_STREAM_WRITABLE:
	case SWARM_EV_STREAM_READY:
		l = link_find(n, &ev->peer);
		if (l != NULL)
			link_flush(n, env, l);
		break;
	case SWARM_EV_STREAM_GONE:
		link_stream_gone(n, env, ev);
		break;
	}
}

static void drain_gossip(struct node *n, const struct env *env)
{
	struct peer_id peer;

	link_hear(n, env);
	while (gossip_next_sender(n->gossip, &peer)) {
		struct link *l = link_find(n, &peer);

		if (l != NULL)
			link_flush(n, env, l);
	}
}

/* Until nothing moves: the parts cause work for each other. */
static void settle(struct node *n, const struct env *env)
{
	struct swarm_event ev;

	drain_gossip(n, env);
	while (swarm_next_event(n->swarm, &ev)) {
		on_swarm_event(n, env, &ev);
		free(ev.rest);
		drain_gossip(n, env);
	}
	pass_actions(n);
	if (!n->stopping || n->stopped)
		return;
	if (swarm_conn_count(n->swarm) == 0 || n->stop_at_ms <= env->now_ms) {
		n->stopped = true;
		push_action(n, NODE_ACT_STOPPED, 0, NULL);
	}
}

/* ---- the step ---------------------------------------------------------- */

static void read_backlog(struct node *n, const struct env *env)
{
	struct table_entry *e, *tmp;

	n->backlog = false;
	TABLE_FOREACH(e, tmp, &n->links) {
		link_read(n, env, e->value);
		drain_gossip(n, env);
		if (!n->backlog)
			continue;
		/* Next time the others come first. */
		link_to_back(n, e->value);
		return;
	}
}

static void on_verified(
	struct node *n, const struct env *env, struct unit_batch *b)
{
	P2P_ASSERT(n->batches_out > 0);
	n->batches_out--;
	gossip_verified(n->gossip, env, b);
	drain_gossip(n, env);
	if (!n->stalled)
		return;
	n->stalled = false;
	read_backlog(n, env);
}

static void on_tick(struct node *n, const struct env *env)
{
	swarm_tick(n->swarm, env);
	if (n->backlog)
		gossip_unread(n->gossip, env);
	gossip_tick(n->gossip, env);
	links_tick(n, env);
	if (n->backlog && !n->chat_full)
		read_backlog(n, env);
}

static void on_listening(
	struct node *n, const struct env *env, const struct node_event *ev)
{
	n->addr_count = P2P_MIN(ev->addr_count, P2P_ARRAY_LEN(n->addrs));
	for (size_t i = 0; i < n->addr_count; i++)
		n->addrs[i] = ev->addrs[i];
	swarm_set_addresses(n->swarm, env, n->addrs, n->addr_count);
	tell_listening(n, ev->text);
	push_action(n, NODE_ACT_ADVERTISE, 0, NULL);
}

static void on_lan_peer(
	struct node *n, const struct env *env, const struct node_event *ev)
{
	struct maddr base;
	struct peer_id peer;
	struct bytes raw;

	maddr_split_peer(&ev->addr, &base, &raw);
	if (raw.len > 0 && peer_id_parse(&peer, raw) == 0)
		swarm_know(n->swarm, env, &peer, &base, true);
}

static void on_carrier(
	struct node *n, const struct env *env, struct node_event *ev)
{
	switch (ev->kind) {
	case NODE_EV_ACCEPTED:
		ev->conn = swarm_accepted(n->swarm, env, &ev->addr);
		break;
	case NODE_EV_CONNECTED:
		swarm_connected(n->swarm, env, ev->conn, &ev->addr);
		break;
	case NODE_EV_DIAL_FAILED:
		swarm_dial_failed(n->swarm, env, ev->conn, ev->text);
		break;
	case NODE_EV_BYTES:
		swarm_bytes(n->swarm, env, ev->conn, ev->bytes);
		break;
	case NODE_EV_WRITTEN:
		swarm_out_consume(n->swarm, env, ev->conn, ev->count);
		break;
	case NODE_EV_CLOSED:
		swarm_closed(n->swarm, env, ev->conn);
		break;
	case NODE_EV_TICK:
	case NODE_EV_COMMAND:
	case NODE_EV_LISTENING:
	case NODE_EV_LISTEN_FAILED:
	case NODE_EV_LAN_PEER:
	case NODE_EV_DISCOVERY:
	case NODE_EV_NETWORK:
	case NODE_EV_CHAT_ROOM:
	case NODE_EV_VERIFIED:
		break;
	}
}

void node_step(struct node *n, const struct env *env, struct node_event *ev)
{
	switch (ev->kind) {
	case NODE_EV_TICK:
		on_tick(n, env);
		break;
	case NODE_EV_COMMAND:
		command_serve(n, env, ev->msg);
		break;
	case NODE_EV_LISTENING:
		on_listening(n, env, ev);
		break;
	case NODE_EV_LISTEN_FAILED:
		tell_status(n, CHAT_STATUS_LISTEN, CHAT_STATE_FAILED, ev->text);
		break;
	case NODE_EV_ACCEPTED:
	case NODE_EV_CONNECTED:
	case NODE_EV_DIAL_FAILED:
	case NODE_EV_BYTES:
	case NODE_EV_WRITTEN:
	case NODE_EV_CLOSED:
		on_carrier(n, env, ev);
		break;
	case NODE_EV_LAN_PEER:
		on_lan_peer(n, env, ev);
		break;
	case NODE_EV_DISCOVERY:
		tell_status(n, CHAT_STATUS_DISCOVERY, ev->state, ev->text);
		break;
	case NODE_EV_NETWORK:
		swarm_network_changed(n->swarm, env);
		break;
	case NODE_EV_CHAT_ROOM:
		n->chat_full = false;
		read_backlog(n, env);
		break;
	case NODE_EV_VERIFIED:
		on_verified(n, env, ev->batch);
		break;
	}
	settle(n, env);
}

/* ---- looking in -------------------------------------------------------- */

struct bytes node_out_peek(struct node *n, const struct env *env, uint64_t conn)
{
	return swarm_out_peek(n->swarm, env, conn);
}

uint64_t node_deadline(const struct node *n)
{
	uint64_t first = n->stopped ? P2P_NEVER : n->stop_at_ms;

	if (n->backlog && !n->chat_full)
		return 0;
	first = P2P_MIN(first, swarm_deadline(n->swarm));
	first = P2P_MIN(first, links_deadline(n));
	return P2P_MIN(first, gossip_deadline(n->gossip));
}

size_t node_addresses(const struct node *n, const struct maddr **addrs)
{
	*addrs = n->addrs;
	return n->addr_count;
}

void node_stats(const struct node *n, struct node_stats *stats)
{
	const struct swarm_counters *s = swarm_counters(n->swarm);
	const struct gossip_counters *g = gossip_counters(n->gossip);
	struct table_entry *e, *tmp;

	*stats = (struct node_stats){
		.conn_count = swarm_conn_count(n->swarm),
		.budget_used = swarm_budget_used(n->swarm),
		.refused = s->conns_refused + s->preauth_evicted +
			   s->streams_refused + g->refused + n->unheard,
		.out_dropped = g->out_dropped,
		.units_new = g->units_new,
		.units_duplicate = g->units_duplicate,
		.units_rejected = g->units_rejected,
	};
	TABLE_FOREACH(e, tmp, &n->links)
		stats->peer_count += ((struct link *)e->value)->up;
}

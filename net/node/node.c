/*
 * The step: events in, actions out. What the parts have to say to each other
 * and to chat goes through here; each part knows only those below it.
 */
#include "net/node/node.h"

#include <stdlib.h>

#include "base/xmalloc.h"
#include "net/node/node_internal.h"

struct node *node_new(const struct node_cfg *cfg, const struct env *env)
{
	struct node *n = xcalloc(1, sizeof(*n));
	struct serve_cfg serve = {
		.me = cfg->me,
		.agent = cfg->agent,
		.offer_yamux = cfg->offer_yamux,
		.offer_mplex = cfg->offer_mplex,
		.early_muxers = cfg->early_muxers,
		.conns_max = cfg->conns_max,
		.ping_interval_ms = cfg->ping_interval_ms,
		.services = node_services,
		.more = cfg->services,
	};
	struct env inner = *env;

	n->cfg = *cfg;
	budget_init(&n->budget, env->budget, NODE_BUDGET_BYTES);
	inner.budget = &n->budget;
	n->serve = serve_new(&serve, &inner);
	n->swarm = serve_swarm(n->serve);
	n->gossips = serve_self(n->serve, &gossip_ops);
	n->gossip = stream_gossip_core(n->gossips);
	gossip_limit_authors(n->gossip, cfg->author_lines_a_minute);
	table_init(&n->links, env->rng);
	bufq_init(&n->actions, NODE_ACTIONS_BYTES_MAX);
	list_init(&n->tells);
	n->bow_at_ms = n->stop_at_ms = P2P_NEVER;
	n->next_request = 1;
	return n;
}

static void links_clear(struct node *n)
{
	struct table_entry *e, *tmp;

	TABLE_FOREACH(e, tmp, &n->links) {
		tell_forget_link(e->value);
		free(e->value);
	}
	table_clear(&n->links);
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
	serve_free(n->serve);
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

/* The swarm's actions are the node's under other names. True: there were some,
 * or for connections that streams carry, so more may be to do. */
static bool pass_actions(struct node *n, const struct env *env)
{
	static const enum node_action_kind kinds[] = {
		[SWARM_ACT_DIAL] = NODE_ACT_DIAL,
		[SWARM_ACT_WRITE] = NODE_ACT_WRITE,
		[SWARM_ACT_PAUSE] = NODE_ACT_PAUSE,
		[SWARM_ACT_RESUME] = NODE_ACT_RESUME,
		[SWARM_ACT_CLOSE] = NODE_ACT_CLOSE,
	};
	struct swarm_action act;
	bool any = false;

	while (serve_next_action(n->serve, env, &act)) {
		push_action(n, kinds[act.kind], act.conn, &act.addr);
		any = true;
	}
	return any;
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

static void on_peer_up(
	struct node *n, const struct env *env, const struct peer_id *peer)
{
	struct link *l = xcalloc(1, sizeof(*l));

	l->peer = *peer;
	l->rtt_told_us = P2P_NEVER;
	list_init(&l->tells);
	(void)table_put(&n->links, peer_id_bytes(&l->peer), l);
	/* A kept peer that called us is called back, too. */
	if (gossip_is_direct(n->gossip, peer))
		(void)!swarm_want(n->swarm, env, peer);
	tell_up(n, l);
}

static void on_peer_down(struct node *n, struct link *l)
{
	tell_down(n, l);
	(void)table_remove(&n->links, peer_id_bytes(&l->peer));
	tell_forget_link(l);
	free(l);
}

static void on_peer_event(
	struct node *n, const struct env *env, const struct swarm_event *ev)
{
	struct link *l = link_find(n, &ev->peer);

	if (ev->kind == SWARM_EV_PEER_UP)
		on_peer_up(n, env, &ev->peer);
	else if (l == NULL)
		return; /* measured or identified before it was up */
	else if (ev->kind == SWARM_EV_PEER_DOWN)
		on_peer_down(n, l);
	else if (ev->kind == SWARM_EV_RTT)
		tell_rtt(n, l, ev->number);
	else if (ev->kind == SWARM_EV_CONN_UP)
		/* Told when it is identified. */
		l->conns_more++;
	else
		tell_up(n, l);
}

static void on_swarm_event(
	struct node *n, const struct env *env, const struct swarm_event *ev)
{
	switch (ev->kind) {
	case SWARM_EV_PEER_UP:
	case SWARM_EV_IDENTIFIED:
	case SWARM_EV_DIRECT:
	case SWARM_EV_PEER_DOWN:
	case SWARM_EV_RTT:
	case SWARM_EV_CONN_UP:
		on_peer_event(n, env, ev);
		break;
	case SWARM_EV_ADDRESS:
		command_dial_done(n, ev->number);
		tell_address(n, &ev->peer, &ev->addr);
		break;
	case SWARM_EV_RECORD:
		gossip_peer_record(n->gossip, &ev->peer,
			swarm_peer_record(n->swarm, &ev->peer));
		tell_record(n, &ev->peer);
		break;
	case SWARM_EV_FAREWELL:
		gossip_farewell(n->gossip, env, &ev->peer);
		stream_gossip_flush(n->gossips, env);
		break;
	case SWARM_EV_COPY:
		tell_copy(n, &ev->addr);
		break;
	case SWARM_EV_DIAL_FAILED:
		command_dial_failed(n, ev->number, ev->text);
		break;
	case SWARM_EV_UNREACHED:
		tell_unreached(n, ev->number);
		break;
	case SWARM_EV_OTHER_KEY:
		tell_other_key(n, &ev->peer, &ev->addr);
		break;
	case SWARM_EV_FOLLOWED:
		tell_followed(n, &ev->peer, &ev->was, &ev->addr);
		break;
	case SWARM_EV_NONE:
	case SWARM_EV_CONN_DOWN:
	case SWARM_EV_SELF:
		break;
	}
}

/* Another peer names one who may help out, with its signed record. */
static void try_peer(
	struct node *n, const struct env *env, struct gossip_event *ev)
{
	int err = swarm_learn_record(
		n->swarm, env, bytes_of(ev->unit, ev->unit_len), &ev->from);

	free(ev->unit);
	if (err == 0 || err == P2P_ERR_EXISTS)
		(void)!swarm_want(n->swarm, env, &ev->peer);
}

static void hear_gossip(struct node *n, const struct env *env)
{
	struct gossip_event ev;

	while (gossip_next_event(n->gossip, &ev)) {
		switch (ev.kind) {
		case GOSSIP_EV_UNIT:
			swarm_peer_useful(n->swarm, env, &ev.peer);
			tell_unit(n, &ev);
			break;
		case GOSSIP_EV_TOPIC:
			swarm_peer_takes_part(n->swarm, &ev.peer,
				gossip_shares(n->gossip, &ev.peer));
			tell_topic(n, &ev);
			break;
		case GOSSIP_EV_UNREADABLE:
			tell_unreadable(n, &ev);
			break;
		case GOSSIP_EV_PX:
			try_peer(n, env, &ev);
			break;
		case GOSSIP_EV_BEHIND:
			stream_gossip_cut(n->gossips, env, &ev.peer);
			break;
		}
	}
	stream_gossip_allow(n->gossips, tell_has_room(n));
	stream_gossip_flush(n->gossips, env);
}

static void bow_out_if_due(struct node *n, const struct env *env)
{
	if (n->bow_at_ms > env->now_ms)
		return;
	n->bow_at_ms = P2P_NEVER;
	/* The goodbyes have this long to be written. */
	n->stop_at_ms = env_after(env, NODE_STOP_MS);
	swarm_shutdown(n->swarm, env);
}

/* Until nothing moves: the parts cause work for each other. What gossip has
 * heard of a peer is told before the peer's end. */
static void settle(struct node *n, const struct env *env)
{
	struct swarm_event ev;

	bow_out_if_due(n, env);
	pipes_hear(n);
	do {
		hear_gossip(n, env);
		while (serve_step(n->serve, env, &ev)) {
			hear_gossip(n, env);
			on_swarm_event(n, env, &ev);
			pipes_hear(n);
		}
	} while (pass_actions(n, env));
	if (!n->stopping || n->stopped)
		return;
	if (swarm_conn_count(n->swarm) == 0 || n->stop_at_ms <= env->now_ms) {
		n->stopped = true;
		push_action(n, NODE_ACT_STOPPED, 0, NULL);
	}
}

/* ---- the step ---------------------------------------------------------- */

static void on_verified(
	struct node *n, const struct env *env, struct unit_batch *b)
{
	P2P_ASSERT(n->batches_out > 0);
	n->batches_out--;
	gossip_verified(n->gossip, env, b);
	stream_gossip_verified(n->gossips, env);
}

static void on_listening(struct node *n, const struct node_event *ev)
{
	n->addr_count = P2P_MIN(ev->addr_count, P2P_ARRAY_LEN(n->addrs));
	for (size_t i = 0; i < n->addr_count; i++)
		n->addrs[i] = ev->addrs[i];
	swarm_set_addresses(n->swarm, ev->addrs, ev->addr_count);
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
		swarm_seen(n->swarm, env, &peer, &base, ev->on_link);
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
		serve_tick(n->serve, env);
		break;
	case NODE_EV_COMMAND:
		command_serve(n, env, ev->msg);
		break;
	case NODE_EV_LISTENING:
		on_listening(n, ev);
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
	uint64_t first =
		n->stopped ? P2P_NEVER : P2P_MIN(n->bow_at_ms, n->stop_at_ms);

	if (!n->chat_full &&
		(stream_gossip_waiting(n->gossips) || pipe_waiting(n->serve)))
		return 0;
	return P2P_MIN(first, serve_deadline(n->serve));
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

	*stats = (struct node_stats){
		.conn_count = swarm_conn_count(n->swarm),
		.peer_count = n->links.count,
		.budget_used = swarm_budget_used(n->swarm),
		.refused = s->conns_refused + s->preauth_evicted +
			   s->streams_refused + g->refused +
			   stream_gossip_counters(n->gossips)->unheard,
		.out_dropped = g->out_dropped,
		.units_new = g->units_new,
		.units_duplicate = g->units_duplicate,
		.units_rejected = g->units_rejected,
	};
}

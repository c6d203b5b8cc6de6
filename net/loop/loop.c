/*
 * The net thread. Whatever comes from outside (bytes, timers, messages, names)
 * is one event for the node by loop_step, and what the node wants done is
 * carried out behind it, in order: an action that causes an event does not
 * begin a second round. Time is read once a step. The node itself knows nothing
 * of libuv or threads.
 */
#include "net/loop/loop.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/xmalloc.h"
#include "net/loop/loop_internal.h"
#include "net/wire/dialable.h"

/* ---- the step ---------------------------------------------------------- */

static void set_time(struct loop *l)
{
	env_set_now_us(&l->env, clock_now_us());
	l->env.wall_ms = clock_wall_ms();
}

static void tell_chat(struct loop *l, struct chat_net_msg *m)
{
	struct msg *msg = &m->msg;
	int err = mailbox_post(l->cfg.chat, &msg);

	if (err == P2P_ERR_FULL)
		node_untell(l->node, m);
	else if (err != 0)
		msg_free(msg); /* chat is gone: the program is ending */
}

static void advertise(struct loop *l)
{
	struct bytes id = peer_id_bytes(&l->cfg.node.me->id);
	struct advert *a;

	if (l->discovery == NULL)
		return;
	a = xcalloc(1, sizeof(*a));
	for (size_t i = 0; i < l->listens.count; i++) {
		const struct maddr *own = &l->listens.addrs[i];
		struct dialable at;

		dialable_of(&at, own);
		/* Others would dial their own loopback. */
		if (dialable_is_loopback(&at) ||
			maddr_join_peer(&a->addrs[a->count], own, id) != 0)
			continue;
		a->interface[a->count++] = l->listens.interface[i];
		a->port = at.port;
	}
	answer_prepare(l, a->addrs, a->count);
	discovery_advertise(l->discovery, a);
}

static void close_handles(struct loop *l);

static void act(struct loop *l, const struct node_action *a)
{
	switch (a->kind) {
	case NODE_ACT_DIAL:
		dial_begin(l, a->conn, &a->addr);
		break;
	case NODE_ACT_WRITE:
		carrier_flush(l, a->conn);
		break;
	case NODE_ACT_PAUSE:
		carrier_pause(l, a->conn, true);
		break;
	case NODE_ACT_RESUME:
		carrier_pause(l, a->conn, false);
		break;
	case NODE_ACT_CLOSE:
		carrier_close(l, a->conn);
		break;
	case NODE_ACT_TELL_CHAT:
		tell_chat(l, a->msg);
		break;
	case NODE_ACT_ADVERTISE:
		advertise(l);
		break;
	case NODE_ACT_VERIFY:
		verifiers_post(l, a->batch);
		break;
	case NODE_ACT_STOPPED:
		close_handles(l);
		break;
	}
}

static void on_timer(uv_timer_t *t);

static void arm_timer(struct loop *l)
{
	uint64_t due = node_deadline(l->node);

	if (l->stopping)
		return;
	if (due == P2P_NEVER) {
		(void)uv_timer_stop(&l->timer);
		return;
	}
	due = due > l->env.now_ms ? due - l->env.now_ms : 0;
	(void)uv_timer_start(&l->timer, on_timer, due, 0);
}

void loop_step(struct loop *l, struct node_event *ev)
{
	struct node_action a;

	set_time(l);
	node_step(l->node, &l->env, ev);
	/* An action may cause events: their actions are carried out by the
	 * outermost call, in order. */
	if (l->in_actions)
		return;
	l->in_actions = true;
	while (node_next_action(l->node, &a))
		act(l, &a);
	l->in_actions = false;
	arm_timer(l);
}

/* ---- what wakes it ----------------------------------------------------- */

static void tell_listening(struct loop *l)
{
	struct node_event ev = {
		.kind = NODE_EV_LISTENING,
		.addrs = l->listens.addrs,
		.addr_count = l->listens.count,
		.text = l->listen_note[0] != '\0' ? l->listen_note : NULL,
	};

	loop_step(l, &ev);
}

static void refresh_addresses(struct loop *l)
{
	struct node_event net = {.kind = NODE_EV_NETWORK};

	if (listen_addresses(l))
		tell_listening(l);
	if (l->discovery != NULL) {
		discovery_refresh(l->discovery);
		ear_join(l);
		query_send(&l->cfg.services);
	}
	loop_step(l, &net);
}

/* The kernel speaks of interfaces also when a router only repeats itself. If
 * that made everything begin anew, back-off would never get long. */
static void on_settled(uv_timer_t *t)
{
	struct loop *l = t->data;
	bool woke = l->woke;

	l->woke = false;
	if (listen_interfaces_changed(l) || woke)
		refresh_addresses(l);
}

/* The boot clock runs on while the machine sleeps, the other does not. */
static void notice_sleep(struct loop *l)
{
	uint64_t boot = clock_now_ms();
	uint64_t mono = uv_hrtime() / 1000000;
	uint64_t slept = (boot - l->last_boot_ms) - (mono - l->last_mono_ms);

	l->last_boot_ms = boot;
	l->last_mono_ms = mono;
	if (slept <= LOOP_SLEEP_MS || slept >= UINT64_MAX / 2)
		return;
	l->woke = true;
	(void)uv_timer_start(&l->settle, on_settled, LOOP_SETTLE_MS, 0);
}

static void on_watch(uv_timer_t *t)
{
	struct loop *l = t->data;

	/* The node's next deadline may be minutes away. */
	notice_sleep(l);
	memory_watch(&l->budget);
	if (l->discovery == NULL)
		return;
	discovery_watch(l->discovery);
	answer_if_due(l);
}

static void on_timer(uv_timer_t *t)
{
	struct node_event ev = {.kind = NODE_EV_TICK};
	struct loop *l = t->data;

	/* Whoever is awake looks around in the same turn, and need not wake for
	 * that soon. */
	on_watch(&l->watch);
	(void)uv_timer_again(&l->watch);
	loop_step(l, &ev);
}

static void serve_lan(struct loop *l, const struct lan_msg *m)
{
	struct node_event ev = {.addr = m->addr};

	if (m->msg.kind == LAN_MSG_PEER) {
		ev.kind = NODE_EV_LAN_PEER;
		ev.on_link = own_is_on_link(
			l->own, l->own_count, m->interface, &m->addr);
	} else {
		ev.kind = NODE_EV_DISCOVERY;
		ev.state = m->state;
		ev.text = m->text;
	}
	loop_step(l, &ev);
}

/* From here on whoever posts wakes us again. */
static void clear_wake(struct loop *l)
{
	uint64_t count;

	if (read(l->wake_fd, &count, sizeof(count)) < 0)
		errno = 0;
	atomic_store(&l->awake, false);
}

static void on_wake(uv_poll_t *poll, int status, int events)
{
	struct node_event room = {.kind = NODE_EV_CHAT_ROOM};
	struct loop *l = poll->data;
	struct msg *m;

	(void)status;
	(void)events;
	clear_wake(l);
	while ((m = mailbox_take(l->inbox)) != NULL) {
		struct node_event ev = {
			.kind = NODE_EV_COMMAND, .msg = net_msg_of(m)};

		loop_step(l, &ev);
	}
	while ((m = mailbox_take(l->lan)) != NULL) {
		serve_lan(l, lan_msg_of(m));
		msg_free(m);
	}
	verifiers_serve(l);
	if (atomic_exchange(&l->chat_drained, false))
		loop_step(l, &room);
}

static void on_netif(uv_poll_t *poll, int status, int events)
{
	struct loop *l = poll->data;

	(void)status;
	(void)events;
	netif_drain(l->netif_fd);
	(void)uv_timer_start(&l->settle, on_settled, LOOP_SETTLE_MS, 0);
}

/* Not uv_async_send: where threads share a core, the one that it wakes spins
 * until the waker, which it keeps from running, has marked itself as done. */
void loop_wake(void *arg)
{
	struct loop *l = arg;
	uint64_t one = 1;

	if (!atomic_exchange(&l->awake, true) &&
		write(l->wake_fd, &one, sizeof(one)) < 0)
		errno = 0; /* it is readable already */
}

/* Chat took from a full queue, which makes room for what net holds; and what
 * chat could not post to net may be offered again by the node's own word. */
void loop_chat_drained(void *arg)
{
	struct loop *l = arg;

	atomic_store(&l->chat_drained, true);
	loop_wake(l);
}

/* The inbox refused a message and has room again. Runs in the net thread. */
static void inbox_drained(void *arg)
{
	struct loop *l = arg;
	struct msg *m =
		&chat_net_msg_new(CHAT_MSG_NET_ROOM, NULL, bytes_of(NULL, 0))
			 ->msg;

	if (mailbox_post(l->cfg.chat, &m) != 0)
		msg_free(m); /* chat is busy and will post again anyway */
}

/* ---- life -------------------------------------------------------------- */

static void close_one(uv_handle_t *h, void *arg)
{
	/* A carrier that only finishes its last write is not in the table. */
	bool carrier = h->type == UV_TCP && h->data != arg;

	if (!uv_is_closing(h))
		uv_close(h, carrier ? carrier_handle_closed : NULL);
}

static void close_handles(struct loop *l)
{
	l->stopping = true;
	dials_cancel_all(l);
	resolver_stop(l);
	carriers_close_all(l);
	uv_walk(&l->uv, close_one, l);
}

/* Before each wait for the sockets: a turn begins. */
static void on_prepare(uv_prepare_t *p)
{
	struct loop *l = p->data;

	l->turn++;
	l->pouring = l->poured;
	l->poured = 0;
	l->young = 0;
	listen_turn(l);
}

static void init_handles(struct loop *l)
{
	l->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	P2P_ASSERT(l->wake_fd >= 0);
	P2P_ASSERT(uv_poll_init(&l->uv, &l->wake, l->wake_fd) == 0);
	P2P_ASSERT(uv_poll_start(&l->wake, UV_READABLE, on_wake) == 0);
	P2P_ASSERT(uv_prepare_init(&l->uv, &l->prepare) == 0);
	P2P_ASSERT(uv_prepare_start(&l->prepare, on_prepare) == 0);
	P2P_ASSERT(uv_timer_init(&l->uv, &l->timer) == 0);
	P2P_ASSERT(uv_timer_init(&l->uv, &l->settle) == 0);
	P2P_ASSERT(uv_timer_init(&l->uv, &l->watch) == 0);
	P2P_ASSERT(uv_timer_init(&l->uv, &l->tries) == 0);
	l->wake.data = l;
	l->prepare.data = l;
	l->turn = 1;
	l->timer.data = l;
	l->settle.data = l;
	l->watch.data = l;
	l->tries.data = l;
	l->ear_fd = -1;
	l->netif_fd = netif_open();
	if (l->netif_fd < 0)
		return;
	P2P_ASSERT(uv_poll_init(&l->uv, &l->netif, l->netif_fd) == 0);
	l->netif.data = l;
	(void)uv_poll_start(&l->netif, UV_READABLE, on_netif);
}

struct loop *loop_new(
	const struct loop_cfg *cfg, char error[static LOOP_ERROR_TEXT_MAX])
{
	struct loop *l = xcalloc(1, sizeof(*l));
	struct mailbox_cfg inbox = {
		.count_max = MSG_QUEUE_TO_NET,
		.bytes_max = MSG_QUEUE_TO_NET_BYTES,
		.wake = loop_wake,
		.wake_arg = l,
		.drained = inbox_drained,
		.drained_arg = l,
	};
	struct mailbox_cfg lan = {
		.count_max = LOOP_LAN_QUEUE,
		.bytes_max = LOOP_LAN_QUEUE * sizeof(struct lan_msg),
		.wake = loop_wake,
		.wake_arg = l,
	};

	l->cfg = *cfg;
	if (l->cfg.services.count == 0)
		mdns_services_init(&l->cfg.services);
	rng_init_os(&l->rng);
	answer_init(l);
	budget_init(&l->budget, NULL, LOOP_BUDGET_BYTES);
	l->env = (struct env){
		.rng = &l->rng, .log = cfg->log, .budget = &l->budget};
	set_time(l);
	l->last_boot_ms = l->env.now_ms;
	l->last_mono_ms = uv_hrtime() / 1000000;
	l->spare_fd = -1;
	listen_keep_spare(l);
	table_init(&l->carriers, &l->rng);
	list_init(&l->dials);
	list_init(&l->askings);
	P2P_ASSERT(uv_loop_init(&l->uv) == 0);
	init_handles(l);
	l->inbox = mailbox_new(&inbox);
	l->lan = mailbox_new(&lan);
	l->cfg.node.batches_out_max = verifiers_init(l);
	l->node = node_new(&l->cfg.node, &l->env);
	if (listen_bind(l, error) == 0)
		return l;
	loop_free(l);
	return NULL;
}

static void *run(void *arg)
{
	struct loop *l = arg;

	(void)listen_interfaces_changed(l);
	(void)listen_addresses(l);
	tell_listening(l);
	if (l->discovery != NULL) {
		ear_open(l);
		query_send(&l->cfg.services);
	} else {
		struct node_event off = {.kind = NODE_EV_DISCOVERY,
			.state = CHAT_STATE_NONE,
			.text = "off (no-mdns is set)"};

		loop_step(l, &off);
	}
	(void)uv_run(&l->uv, UV_RUN_DEFAULT);
	return NULL;
}

int loop_start(struct loop *l)
{
	struct discovery_cfg cfg = {
		.out = l->lan, .log = l->cfg.log, .services = l->cfg.services};

	if (l->cfg.discover)
		l->discovery = discovery_new(&cfg);
	(void)uv_timer_start(&l->watch, on_watch, LOOP_WATCH_MS, LOOP_WATCH_MS);
	verifiers_start(l);
	l->started = pthread_create(&l->thread, NULL, run, l) == 0;
	return l->started ? 0 : P2P_ERR_IO;
}

void loop_free(struct loop *l)
{
	if (l == NULL)
		return;
	if (l->started)
		(void)pthread_join(l->thread, NULL);
	discovery_free(l->discovery);
	verifiers_stop(l);
	if (!l->stopping)
		close_handles(l);
	(void)uv_run(&l->uv, UV_RUN_DEFAULT);
	P2P_ASSERT(uv_loop_close(&l->uv) == 0);
	(void)close(l->wake_fd);
	if (l->spare_fd >= 0)
		(void)close(l->spare_fd);
	if (l->netif_fd >= 0)
		(void)close(l->netif_fd);
	ear_close(l);
	answer_clear(l);
	free(l->own);
	node_free(l->node);
	mailbox_free(l->inbox);
	mailbox_free(l->lan);
	verifiers_clear(l);
	table_clear(&l->carriers);
	free(l);
}

struct mailbox *loop_inbox(struct loop *l)
{
	return l->inbox;
}

uint16_t loop_port(const struct loop *l)
{
	return l->port;
}

const char *loop_library_version(void)
{
	return uv_version_string();
}

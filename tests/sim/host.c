/*
 * A host: its net thread as net/loop runs it, its chat thread as src/app
 * does, its face; start, kill, power, sleep, cable.
 */
#include <stdlib.h>

#include "base/xmalloc.h"
#include "tests/sim/sim.h"

#define HOST_BUDGET_BYTES (128u << 20)
#define HOST_SETTLE_US (300 * SIM_MS)
#define HOST_IMAGE_BYTES_MAX (256u << 20)
/* 2026-01-01 */
#define HOST_WALL_MS 1767225600000ULL

uint64_t host_now_ms(const struct host *h)
{
	return h->sim->now_us / 1000 + h->boot_ms;
}

void host_set_time(struct host *h)
{
	uint64_t passed = h->sim->now_us / 1000;

	h->env.now_ms = host_now_ms(h);
	h->env.past_us = (uint32_t)(h->sim->now_us % 1000);
	h->env.wall_ms =
		h->cfg.skew_ms == INT64_MIN
			? passed + 1000
			: HOST_WALL_MS + passed + (uint64_t)h->cfg.skew_ms;
}

void host_addr(const struct host *h, struct maddr *a)
{
	uint8_t ip[4];

	put_be32(ip, h->ip);
	maddr_from_ip(a, bytes_of(ip, 4), NULL, SIM_PORT);
}

/* ---- the net thread ---------------------------------------------------- */

/* Each wakes a thread, which takes a moment to run. */
static uint64_t soon(struct host *h)
{
	return h->sim->now_us + rng_below(&h->sim->rng, 300);
}

static void on_exit_due(struct sim *s, const struct sim_event *ev)
{
	host_kill(&s->host[ev->host]);
}

/* Not from within a step: the host is freed. */
static void end_if_done(struct host *h)
{
	if (h->chat_ended && h->net_stopped)
		(void)sim_at(h->sim, soon(h),
			(struct sim_event){.host = h->index,
				.name = "exit",
				.fn = on_exit_due});
}

static void tell_chat(struct host *h, struct chat_net_msg *m)
{
	struct msg *msg = &m->msg;
	int err;

	check_told(h, m);
	err = mailbox_post(h->from_net, &msg);
	if (err == P2P_ERR_FULL)
		node_untell(h->node, m);
	else if (err != 0)
		msg_free(msg);
}

/* ---- the threads that check signatures --------------------------------- */

/* A batch that they have. */
struct checking {
	struct list order;
	struct unit_batch *batch;
	bool done;
};

static void serve_checked(struct host *h)
{
	struct node_event ev = {.kind = NODE_EV_VERIFIED};
	struct list *pos, *tmp;

	LIST_FOREACH(pos, tmp, &h->checking) {
		struct checking *c = LIST_ITEM(pos, struct checking, order);

		if (!c->done || h->net_stopped)
			continue;
		ev.batch = c->batch;
		list_remove(&c->order);
		free(c);
		host_step(h, &ev);
		/* The step may have added some. */
		tmp = h->checking.next;
	}
}

static void on_checked(struct sim *s, const struct sim_event *ev)
{
	struct host *h = &s->host[ev->host];
	struct list *pos, *tmp;

	LIST_FOREACH(pos, tmp, &h->checking) {
		struct checking *c = LIST_ITEM(pos, struct checking, order);

		if (c->batch->id != ev->a)
			continue;
		unit_batch_check(c->batch);
		c->done = true;
	}
	if (!h->asleep)
		serve_checked(h);
}

/* They are idle, busy, or the machine is: batches overtake each other. */
static void check_batch(struct host *h, struct unit_batch *b)
{
	struct checking *c = xcalloc(1, sizeof(*c));
	struct sim *s = h->sim;
	uint64_t delay = rng_below(&s->rng, 400);

	if (rng_one_in(&s->rng, 16))
		delay = rng_below(&s->rng, 50 * SIM_MS);
	c->batch = b;
	list_push_back(&h->checking, &c->order);
	(void)sim_at(s, s->now_us + delay,
		(struct sim_event){.host = h->index,
			.name = "checked",
			.fn = on_checked,
			.a = b->id});
}

static void drop_checking(struct host *h)
{
	struct list *pos, *tmp;

	LIST_FOREACH(pos, tmp, &h->checking) {
		struct checking *c = LIST_ITEM(pos, struct checking, order);

		msg_free(&c->batch->msg);
		list_remove(&c->order);
		free(c);
	}
}

/* ---- what the node wants ----------------------------------------------- */

static void act(struct host *h, const struct node_action *a)
{
	switch (a->kind) {
	case NODE_ACT_DIAL:
		wire_dial(h, a->conn, &a->addr);
		break;
	case NODE_ACT_WRITE:
		wire_flush(h, a->conn);
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
		tell_chat(h, a->msg);
		break;
	case NODE_ACT_ADVERTISE:
		lan_advertise(h);
		break;
	case NODE_ACT_VERIFY:
		check_batch(h, a->batch);
		break;
	case NODE_ACT_STOPPED:
		sim_trace(h->sim, h->index, "the network has stopped");
		h->net_stopped = true;
		wire_drop_all(h, true);
		end_if_done(h);
		break;
	}
}

static void on_tick(struct sim *s, const struct sim_event *ev)
{
	struct node_event tick = {.kind = NODE_EV_TICK};
	struct host *h = &s->host[ev->host];

	if (ev->seq != h->tick_seq || h->net_stopped)
		return;
	h->tick_at_us = P2P_NEVER;
	if (h->asleep)
		return;
	h->acted = false;
	host_step(h, &tick);
	check_tick(h);
}

static void arm_timer(struct host *h)
{
	uint64_t due = node_deadline(h->node), at;

	if (h->net_stopped || due == P2P_NEVER) {
		h->tick_seq = 0;
		h->tick_at_us = P2P_NEVER;
		return;
	}
	at = due <= h->env.now_ms ? h->sim->now_us : (due - h->boot_ms) * 1000;
	/* libuv's own clock may be a millisecond ahead of the node's. */
	if (at > h->sim->now_us + 1000 && rng_one_in(&h->sim->rng, 8))
		at -= 1000;
	if (at == h->tick_at_us && h->tick_seq != 0)
		return;
	h->tick_at_us = at;
	h->tick_seq = sim_at(h->sim, at,
		(struct sim_event){
			.host = h->index, .name = "tick", .fn = on_tick});
}

void host_step(struct host *h, struct node_event *ev)
{
	struct node_action a;

	host_set_time(h);
	node_step(h->node, &h->env, ev);
	if (h->in_actions)
		return;
	h->in_actions = true;
	while (node_next_action(h->node, &a)) {
		h->acted = true;
		act(h, &a);
	}
	h->in_actions = false;
	arm_timer(h);
	check_step(h);
}

static void on_net(struct sim *s, const struct sim_event *ev)
{
	struct node_event room = {.kind = NODE_EV_CHAT_ROOM};
	struct host *h = &s->host[ev->host];
	struct msg *m;

	if (ev->a)
		h->chat_drained = true;
	else
		h->net_woken = false;
	if (h->net_stopped || h->asleep)
		return;
	serve_checked(h);
	while ((m = mailbox_take(h->to_net)) != NULL) {
		struct node_event cmd = {
			.kind = NODE_EV_COMMAND, .msg = net_msg_of(m)};

		check_published(h, cmd.msg);
		host_step(h, &cmd);
	}
	if (!h->chat_drained || h->net_stopped)
		return;
	h->chat_drained = false;
	host_step(h, &room);
}

void host_wake_net(void *arg)
{
	struct host *h = arg;

	if (h->net_woken)
		return;
	h->net_woken = true;
	(void)sim_at(h->sim, soon(h),
		(struct sim_event){
			.host = h->index, .name = "net", .fn = on_net});
}

static void from_net_drained(void *arg)
{
	struct host *h = arg;

	(void)sim_at(h->sim, soon(h),
		(struct sim_event){.host = h->index,
			.name = "chat-room",
			.fn = on_net,
			.a = 1});
}

static void to_net_drained(void *arg)
{
	struct host *h = arg;
	struct msg *m =
		&chat_net_msg_new(CHAT_MSG_NET_ROOM, NULL, bytes_of(NULL, 0))
			 ->msg;

	if (mailbox_post(h->from_net, &m) != 0)
		msg_free(m);
}

/* ---- the chat thread --------------------------------------------------- */

static void on_chat(struct sim *s, const struct sim_event *ev)
{
	struct host *h = &s->host[ev->host];
	uint64_t due;

	if (ev->a == 0)
		h->chat_woken = false;
	else if (ev->seq != h->chat_seq)
		return;
	if (h->chat_ended || h->chat_stalled || h->asleep)
		return;
	host_set_time(h);
	due = chat_turn(h->chat, &h->env, h->from_ui, h->from_net);
	h->chat_seq = 0;
	if (chat_finished(h->chat)) {
		sim_trace(s, h->index, "chat has finished");
		h->chat_ended = true;
		mailbox_close(h->from_ui);
		mailbox_close(h->from_net);
		end_if_done(h);
		return;
	}
	if (due != P2P_NEVER)
		h->chat_seq = sim_at(s,
			due <= h->env.now_ms ? s->now_us
					     : (due - h->boot_ms) * 1000,
			(struct sim_event){.host = h->index,
				.name = "chat-due",
				.fn = on_chat,
				.a = 1});
}

void host_wake_chat(void *arg)
{
	struct host *h = arg;

	if (h->chat_woken)
		return;
	h->chat_woken = true;
	(void)sim_at(h->sim, soon(h),
		(struct sim_event){
			.host = h->index, .name = "chat", .fn = on_chat});
}

void host_wake_ui(void *arg)
{
	struct host *h = arg;

	if (h->ui_woken)
		return;
	h->ui_woken = true;
	(void)sim_at(h->sim, soon(h) + h->cfg.ui_delay_us,
		(struct sim_event){
			.host = h->index, .name = "ui", .fn = face_turn});
}

void host_stall_chat(struct host *h, bool stall)
{
	h->chat_stalled = stall;
	sim_trace(h->sim, h->index, "chat %s", stall ? "hangs" : "goes on");
	if (!stall && h->running)
		host_wake_chat(h);
}

void host_stall_ui(struct host *h, bool stall)
{
	h->ui_stalled = stall;
	sim_trace(h->sim, h->index, "face %s", stall ? "hangs" : "goes on");
	if (!stall && h->running)
		host_wake_ui(h);
}

/* ---- starting ---------------------------------------------------------- */

static void on_log(struct log *log, enum log_level level, const char *line)
{
	struct host *h = P2P_CONTAINER_OF(log, struct host, log);

	sim_trace(h->sim, h->index, "%s: %s", log_level_name(level), line);
}

struct host *host_add(struct sim *s, const struct host_cfg *cfg)
{
	struct host *h = &s->host[s->host_count];
	uint8_t seed[32];

	P2P_ASSERT(s->host_count < SIM_HOSTS_MAX);
	*h = (struct host){.cfg = *cfg, .sim = s, .index = s->host_count++};
	rng_fill(&s->rng, seed, sizeof(seed));
	identity_from_seed(&h->me, seed);
	(void)peer_id_text(&h->me.id, h->peer);
	rng_init_seeded(&h->rng, rng_u64(&s->rng));
	h->machine = h->cable = true;
	h->log = (struct log){.write = on_log, .level = LOG_LEVEL_WARN};
	h->ip = 0x0a000001u + ((unsigned)cfg->lan << 16) +
		((unsigned)h->index << 8);
	h->boot_ms = sim_draw(s, 1, 100000000);
	buf_init(&h->image, HOST_IMAGE_BYTES_MAX);
	list_init(&h->checking);
	table_init(&h->live, &s->rng);
	table_init(&h->shown, &s->rng);
	table_init(&h->carriers, &s->rng);
	return h;
}

static struct mailbox *make_mailbox(struct host *h, size_t count, size_t bytes,
	void (*wake)(void *), void (*drained)(void *))
{
	struct mailbox_cfg cfg = {
		.count_max = count,
		.bytes_max = bytes,
		.wake = wake,
		.wake_arg = h,
		.drained = drained,
		.drained_arg = h,
	};

	return mailbox_new(&cfg);
}

static void make_mailboxes(struct host *h)
{
	h->to_ui = make_mailbox(
		h, h->cfg.to_ui, MSG_QUEUE_TO_UI_BYTES, host_wake_ui, NULL);
	h->from_ui = make_mailbox(h, h->cfg.from_ui,
		MSG_QUEUE_TO_CHAT_FROM_UI_BYTES, host_wake_chat, NULL);
	h->from_net = make_mailbox(h, h->cfg.to_chat, MSG_QUEUE_TO_CHAT_BYTES,
		host_wake_chat, from_net_drained);
	h->to_net = make_mailbox(h, h->cfg.to_net, MSG_QUEUE_TO_NET_BYTES,
		host_wake_net, to_net_drained);
}

static void make_node(struct host *h)
{
	struct node_cfg cfg = {
		.me = &h->me,
		.agent = "p2pchat-tui/sim",
		.offer_yamux = h->cfg.yamux,
		.offer_mplex = h->cfg.mplex,
		.early_muxers = h->cfg.early,
		.ping_interval_ms = h->cfg.ping_interval_ms,
		.services = h->cfg.services,
	};

	h->node = node_new(&cfg, &h->env);
}

static void make_chat(struct host *h)
{
	struct chat_cfg cfg = {
		.store = h->store,
		.me = &h->me,
		.to_ui = h->to_ui,
		.to_net = h->to_net,
		.connect = &h->cfg.connect,
		.connect_count = h->cfg.connect != NULL,
		.version = "sim",
	};

	if (!h->started_before) {
		cfg.name = h->cfg.name;
		cfg.rooms = h->cfg.rooms;
		while (cfg.rooms[cfg.room_count] != NULL)
			cfg.room_count++;
	}
	P2P_ASSERT(chat_new(&h->chat, &cfg, &h->env) == 0);
}

static void make_face(struct host *h)
{
	struct ui_cfg cfg = {.chat = h->from_ui,
		.clock = {.now_ms = h->env.now_ms, .wall_ms = h->env.wall_ms}};

	h->ui = ui_new(&cfg);
	ui_resize(h->ui, 24, 80);
}

void host_listening(struct host *h)
{
	struct node_event ev = {.kind = NODE_EV_LISTENING};
	struct maddr addr;

	host_addr(h, &addr);
	ev.addrs = &addr;
	ev.addr_count = h->cable;
	host_step(h, &ev);
}

void host_start(struct host *h)
{
	struct sim *s = h->sim;

	P2P_ASSERT(!h->running);
	if (!h->machine) {
		h->machine = true;
		wire_healed(s);
	}
	sim_trace(s, h->index, "starts");
	h->gen++;
	h->running = true;
	h->asleep = false;
	h->net_stopped = h->chat_ended = h->in_actions = false;
	h->net_woken = h->chat_woken = h->ui_woken = false;
	h->chat_stalled = h->ui_stalled = h->advertised = h->enter_due = false;
	h->tick_seq = h->chat_seq = h->ui_seq = 0;
	h->tick_at_us = P2P_NEVER;
	h->chat_drained = false;
	budget_init(&h->budget, NULL, HOST_BUDGET_BYTES);
	h->env = (struct env){
		.rng = &h->rng, .log = &h->log, .budget = &h->budget};
	host_set_time(h);
	P2P_ASSERT(
		store_open_memory(&h->store, buf_bytes(&h->image), NULL) == 0);
	check_store(h);
	make_mailboxes(h);
	make_node(h);
	make_chat(h);
	make_face(h);
	h->started_before = true;
	chat_start(h->chat, &h->env);
	chat_turn_end(h->chat, &h->env);
	host_wake_chat(h);
	host_listening(h);
}

/* ---- ending ------------------------------------------------------------ */

static void forget_run(struct host *h)
{
	struct node_stats stats;

	node_stats(h->node, &stats);
	h->sim->dropped += stats.out_dropped;
	buf_clear(&h->image);
	P2P_ASSERT(store_save_image(h->store, &h->image) == 0);
	h->in_actions = true;
	drop_checking(h);
	node_free(h->node);
	if (h->budget.used != 0)
		sim_fail(h->sim, "%s: %zu bytes are still charged", h->cfg.name,
			h->budget.used);
	chat_free(h->chat);
	store_close(h->store);
	ui_free(h->ui);
	mailbox_free(h->to_ui);
	mailbox_free(h->from_ui);
	mailbox_free(h->from_net);
	mailbox_free(h->to_net);
	table_clear(&h->live);
	table_init(&h->live, &h->sim->rng);
	h->running = false;
	h->gen++;
}

void host_kill(struct host *h)
{
	if (!h->running)
		return;
	sim_trace(h->sim, h->index, "ends");
	check_host_gone(h);
	wire_drop_all(h, true);
	forget_run(h);
}

void host_power_off(struct host *h)
{
	if (!h->running)
		return;
	sim_trace(h->sim, h->index, "loses power");
	check_host_gone(h);
	wire_drop_all(h, false);
	forget_run(h);
	h->machine = false;
	h->machine_gen++;
}

void host_clear(struct host *h)
{
	if (h->running)
		forget_run(h);
	buf_clear(&h->image);
	table_clear(&h->live);
	table_clear(&h->shown);
	table_clear(&h->carriers);
	identity_wipe(&h->me);
}

/* ---- sleep and cables -------------------------------------------------- */

static void on_network(struct sim *s, const struct sim_event *ev)
{
	struct node_event net = {.kind = NODE_EV_NETWORK};
	struct host *h = &s->host[ev->host];

	if (h->asleep || h->net_stopped)
		return;
	if (ev->a)
		host_listening(h);
	lan_refresh(h);
	host_step(h, &net);
}

static void break_all(struct host *h)
{
	for (int i = 0; i < h->sim->host_count; i++)
		check_broken(h->sim, h->index, i);
}

void host_sleep(struct host *h, bool asleep)
{
	struct sim *s = h->sim;

	if (!h->running || h->asleep == asleep)
		return;
	sim_trace(s, h->index, asleep ? "falls asleep" : "wakes up");
	h->asleep = asleep;
	break_all(h);
	if (asleep)
		return;
	wire_healed(s);
	host_wake_net(h);
	host_wake_chat(h);
	host_wake_ui(h);
	h->tick_seq = sim_at(s, s->now_us,
		(struct sim_event){
			.host = h->index, .name = "tick", .fn = on_tick});
	(void)sim_at(s, s->now_us + HOST_SETTLE_US,
		(struct sim_event){
			.host = h->index, .name = "network", .fn = on_network});
}

void host_cable(struct host *h, bool in, bool moved)
{
	struct sim *s = h->sim;

	if (h->cable == in)
		return;
	sim_trace(s, h->index, in ? "cable in" : "cable out");
	h->cable = in;
	break_all(h);
	if (in && moved) {
		/* Connections of the old address find nobody there. */
		h->ip++;
		h->machine_gen++;
	}
	if (in)
		wire_healed(s);
	if (h->running)
		(void)sim_at(s, s->now_us + HOST_SETTLE_US,
			(struct sim_event){.host = h->index,
				.name = "network",
				.fn = on_network,
				.a = 1});
}

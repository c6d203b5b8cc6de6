/*
 * A world drawn from a seed: who there is, how their programs are set, what
 * the network is like, and what happens. Then everything heals, a quiet time
 * follows, and all leave.
 */
#include <stdlib.h>

#include "base/xmalloc.h"
#include "tests/sim/sim.h"

/* What may happen in this world, drawn once. */
struct weather {
	bool faults;  /* cuts, cables, resets, sleep, stalls */
	bool crashes; /* kill -9, loss of power */
	bool floods;
	bool moves; /* rooms joined and left, names changed */
	bool garbage;
	uint64_t pause_us; /* between two happenings, about */
	uint64_t end_us;
};

#define RANDOM_QUIET_US (75 * SIM_S)
/* Longer outages are met by redials only minutes later. */
#define RANDOM_OUTAGE_S 40

static const char *const names[SIM_HOSTS_MAX] = {"ann", "bob", "cem", "dan",
	"eva", "fay", "gus", "hal", "ivy", "jim", "kim", "leo"};
static const char *const topics[SIM_ROOMS_MAX] = {
	"p2p-chat-default", "cats", "music", "universal-connectivity"};

static bool one_in(struct sim *s, uint64_t n)
{
	return rng_one_in(&s->rng, n);
}

/* ---- making it --------------------------------------------------------- */

static void draw_muxers(struct sim *s, struct host_cfg *c)
{
	/* Everybody shares a muxer with everybody: yamux, or mplex in worlds
	 * with an even seed that have one such program. */
	bool even = s->seed % 2 == 0;

	c->yamux = true;
	c->mplex = even || one_in(s, 2);
	if (even && s->host_count == 1)
		c->yamux = false;
	c->early = !one_in(s, 4);
}

static size_t queue_size(struct sim *s, size_t least, size_t most)
{
	return one_in(s, 3) ? sim_draw(s, least, most / 8) : most;
}

static void draw_host(struct sim *s)
{
	struct host_cfg c = {.name = names[s->host_count]};
	int n = 0;

	draw_muxers(s, &c);
	c.ping_interval_ms = one_in(s, 3) ? sim_draw(s, 1000, 8000) : 0;
	if (one_in(s, 8))
		c.skew_ms = INT64_MIN;
	else if (one_in(s, 4))
		c.skew_ms = (int64_t)sim_draw(s, 0, 7200000) - 3600000;
	c.to_chat = queue_size(s, 4, MSG_QUEUE_TO_CHAT);
	c.to_net = queue_size(s, 4, MSG_QUEUE_TO_NET);
	c.to_ui = queue_size(s, 60, MSG_QUEUE_TO_UI);
	c.from_ui = queue_size(s, 2, MSG_QUEUE_TO_CHAT_FROM_UI);
	c.ui_delay_us = one_in(s, 4) ? sim_draw(s, 0, 50000) : 0;
	for (int i = 0; i < s->room_count; i++)
		if (i == 0 || one_in(s, 2))
			c.rooms[n++] = s->room[i];
	(void)host_add(s, &c);
}

static void draw_world(struct sim *s, struct weather *w)
{
	uint64_t hosts = one_in(s, 3) ? sim_draw(s, 2, 12) : sim_draw(s, 2, 6);

	s->latency_us = one_in(s, 3) ? sim_draw(s, 5000, 150000)
				     : sim_draw(s, 100, 3000);
	s->jitter_us = one_in(s, 2) ? s->latency_us : s->latency_us / 10;
	s->bytes_per_s = one_in(s, 4) ? sim_draw(s, 30000, 300000)
				      : sim_draw(s, 1000000, 100000000);
	s->window_bytes = one_in(s, 4) ? sim_draw(s, 1500, 20000)
				       : sim_draw(s, 65536, 1 << 20);
	s->hint_loss = one_in(s, 3) ? 10 : 0;
	s->room_count = (int)sim_draw(s, 1, SIM_ROOMS_MAX);
	memcpy(s->room, topics, sizeof(topics));
	while ((uint64_t)s->host_count < hosts)
		draw_host(s);
	w->faults = one_in(s, 2);
	w->crashes = one_in(s, 3);
	w->floods = one_in(s, 4);
	w->moves = one_in(s, 2);
	w->garbage = one_in(s, 4);
	w->pause_us = sim_draw(s, 100, 2000) * 1000;
	w->end_us = sim_draw(s, 60, 300) * SIM_S;
}

/* ---- what comes back --------------------------------------------------- */

static void on_power(struct sim *s, const struct sim_event *ev)
{
	struct host *h = &s->host[ev->a];

	if (!h->running)
		host_start(h);
}

static void on_heal(struct sim *s, const struct sim_event *ev)
{
	s->cut[ev->a][ev->b] = s->cut[ev->b][ev->a] = false;
	sim_trace(s, -1, "way between %s and %s", s->host[ev->a].cfg.name,
		s->host[ev->b].cfg.name);
	wire_healed(s);
}

static void on_cable_in(struct sim *s, const struct sim_event *ev)
{
	host_cable(&s->host[ev->a], true, ev->b != 0);
}

static void on_wake_up(struct sim *s, const struct sim_event *ev)
{
	host_sleep(&s->host[ev->a], false);
}

static void on_go_on(struct sim *s, const struct sim_event *ev)
{
	struct host *h = &s->host[ev->a];

	if (!h->running)
		return;
	if (h->chat_stalled)
		host_stall_chat(h, false);
	if (h->ui_stalled)
		host_stall_ui(h, false);
}

static uint64_t later(struct sim *s, uint64_t most_s)
{
	return s->now_us + sim_draw(s, 100, most_s * 1000) * 1000;
}

/* ---- what happens ------------------------------------------------------ */

static void cut(struct sim *s, int a, int b)
{
	if (a == b || s->cut[a][b])
		return;
	sim_trace(s, -1, "no way between %s and %s", s->host[a].cfg.name,
		s->host[b].cfg.name);
	s->cut[a][b] = s->cut[b][a] = true;
	check_broken(s, a, b);
	(void)sim_at(s, later(s, RANDOM_OUTAGE_S),
		(struct sim_event){.host = -1,
			.name = "heal",
			.fn = on_heal,
			.a = (uint64_t)a,
			.b = (uint64_t)b});
}

/* Everybody is on one of two sides. */
static void partition(struct sim *s)
{
	uint64_t sides = rng_u64(&s->rng);

	for (int i = 0; i < s->host_count; i++)
		for (int j = 0; j < i; j++)
			if ((sides >> i & 1) != (sides >> j & 1))
				cut(s, i, j);
}

static void stall_link(struct sim *s, int a, int b)
{
	uint64_t until = later(s, 5);

	sim_trace(s, -1, "%s and %s wait", s->host[a].cfg.name,
		s->host[b].cfg.name);
	s->stall_us[a][b] = s->stall_us[b][a] = until;
}

static void fault(struct sim *s, struct host *h)
{
	int other = (int)rng_below(&s->rng, (uint64_t)s->host_count);

	switch (rng_below(&s->rng, 8)) {
	case 0:
		cut(s, h->index, other);
		break;
	case 1:
		partition(s);
		break;
	case 2:
		wire_reset(s, h->index, other);
		break;
	case 3:
		stall_link(s, h->index, other);
		break;
	case 4:
		if (!h->cable)
			break;
		host_cable(h, false, false);
		(void)sim_at(s, later(s, RANDOM_OUTAGE_S),
			(struct sim_event){.host = -1,
				.name = "cable-in",
				.fn = on_cable_in,
				.a = (uint64_t)h->index,
				.b = one_in(s, 3)});
		break;
	case 5:
		host_sleep(h, true);
		(void)sim_at(s, later(s, RANDOM_OUTAGE_S),
			(struct sim_event){.host = -1,
				.name = "wake-up",
				.fn = on_wake_up,
				.a = (uint64_t)h->index});
		break;
	case 6:
		host_stall_chat(h, true);
		(void)sim_at(s, later(s, 8),
			(struct sim_event){.host = -1,
				.name = "go-on",
				.fn = on_go_on,
				.a = (uint64_t)h->index});
		break;
	default:
		host_stall_ui(h, true);
		(void)sim_at(s, later(s, 8),
			(struct sim_event){.host = -1,
				.name = "go-on",
				.fn = on_go_on,
				.a = (uint64_t)h->index});
		break;
	}
}

static void crash(struct sim *s, struct host *h)
{
	if (one_in(s, 2))
		host_kill(h);
	else
		host_power_off(h);
	(void)sim_at(s, later(s, RANDOM_OUTAGE_S),
		(struct sim_event){.host = -1,
			.name = "power",
			.fn = on_power,
			.a = (uint64_t)h->index});
}

static void garbage(struct sim *s, struct host *h)
{
	uint8_t raw[4096];
	size_t n = 1 + rng_below(&s->rng, sizeof(raw));

	rng_fill(&s->rng, raw, n);
	/* Half of it begins as an honest dialler would. */
	if (n > 20 && one_in(s, 2))
		memcpy(raw, "\x13/multistream/1.0.0\n", 20);
	if (n > 28 && one_in(s, 2))
		memcpy(raw + 20, "\x07/noise\n", 8);
	wire_attack(s, h->index, bytes_of(raw, n));
}

static void move(struct sim *s, struct host *h)
{
	const char *topic =
		s->room[rng_below(&s->rng, (uint64_t)s->room_count)];
	char text[80];

	if (one_in(s, 4))
		(void)snprintf(text, sizeof(text), "/name %s%llu", h->cfg.name,
			(unsigned long long)rng_below(&s->rng, 100));
	else if (strcmp(topic, s->room[0]) == 0)
		(void)snprintf(text, sizeof(text), "/peers");
	else
		(void)snprintf(text, sizeof(text), "/%s %s",
			one_in(s, 2) ? "join" : "part", topic);
	face_type(h, text);
}

static void happen(struct sim *s, const struct weather *w, struct host *h)
{
	int lines = 1;

	if (w->faults && one_in(s, 40)) {
		fault(s, h);
		return;
	}
	if (w->crashes && one_in(s, 60)) {
		crash(s, h);
		return;
	}
	if (w->garbage && one_in(s, 10))
		garbage(s, h);
	if (w->moves && one_in(s, 20)) {
		move(s, h);
		return;
	}
	if (w->floods && one_in(s, 30))
		lines = (int)sim_draw(s, 20, 80);
	while (lines-- > 0)
		face_talk(h,
			s->room[rng_below(&s->rng, (uint64_t)s->room_count)]);
}

/* The next happening is one event, so that the world's state is its only
 * memory: ev->a is the struct weather, which outlives the run. */
static void on_happening(struct sim *s, const struct sim_event *ev)
{
	const struct weather *w = (const struct weather *)(uintptr_t)ev->a;
	struct host *h = &s->host[rng_below(&s->rng, (uint64_t)s->host_count)];

	if (s->now_us >= w->end_us)
		return;
	if (h->running)
		happen(s, w, h);
	(void)sim_at(s, s->now_us + 1 + rng_below(&s->rng, 2 * w->pause_us),
		(struct sim_event){.host = -1,
			.name = "happening",
			.fn = on_happening,
			.a = ev->a});
}

/* ---- the run ----------------------------------------------------------- */

static void leave_all(struct sim *s)
{
	for (int i = 0; i < s->host_count; i++)
		if (s->host[i].running)
			face_type(&s->host[i], "/quit");
}

static bool check_left(struct sim *s)
{
	for (int i = 0; i < s->host_count; i++)
		if (s->host[i].running)
			sim_fail(s, "%s does not end", s->host[i].cfg.name);
	return !s->failed;
}

bool random_run(struct sim *s)
{
	struct weather w;

	draw_world(s, &w);
	for (int i = 0; i < s->host_count; i++)
		(void)sim_at(s, sim_draw(s, 0, 10 * SIM_S),
			(struct sim_event){.host = -1,
				.name = "power",
				.fn = on_power,
				.a = (uint64_t)i});
	(void)sim_at(s, sim_draw(s, 1, 5) * SIM_S,
		(struct sim_event){.host = -1,
			.name = "happening",
			.fn = on_happening,
			.a = (uint64_t)(uintptr_t)&w});
	/* The last outage ends by itself; then it is quiet. */
	if (!sim_run(s,
		    w.end_us + (RANDOM_OUTAGE_S + 1) * SIM_S + RANDOM_QUIET_US))
		return false;
	if (s->until_us != 0 && s->now_us >= s->until_us)
		return true;
	check_quiet(s);
	leave_all(s);
	/* An input that still held a line has sent that first. */
	if (!sim_run(s, s->now_us + 2 * SIM_S))
		return false;
	leave_all(s);
	return sim_run(s, s->now_us + 10 * SIM_S) && check_left(s);
}

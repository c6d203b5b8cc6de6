/*
 * Avahi's part: hosts on one LAN hear of each other within two seconds, by
 * hints only, and sometimes a hint is lost; records are announced twice and
 * refreshed before they expire.
 */
#include "tests/sim/sim.h"

#define LAN_REFRESH_US (96 * SIM_S)

static bool is_lost(struct sim *s)
{
	return s->hint_loss > 0 && rng_one_in(&s->rng, s->hint_loss);
}

/* ev->host hears of host a. */
static void on_hint(struct sim *s, const struct sim_event *ev)
{
	struct host *h = &s->host[ev->host], *other = &s->host[ev->a];
	struct node_event hint = {.kind = NODE_EV_LAN_PEER};
	struct maddr base;

	if (!h->running || h->asleep || !other->running || !other->advertised ||
		!wire_way(s, h->index, other->index))
		return;
	host_addr(other, &base);
	P2P_ASSERT(maddr_join_peer(&hint.addr, &base,
			   peer_id_bytes(&other->me.id)) == 0);
	sim_trace(s, h->index, "hears of %s", other->cfg.name);
	host_step(h, &hint);
}

static void hear(
	struct sim *s, struct host *h, struct host *other, uint64_t after_us)
{
	if (h == other || h->cfg.lan != other->cfg.lan || !h->running ||
		is_lost(s))
		return;
	(void)sim_at(s, s->now_us + after_us,
		(struct sim_event){.host = h->index,
			.name = "hint",
			.fn = on_hint,
			.a = (uint64_t)other->index});
}

static void on_announce(struct sim *s, const struct sim_event *ev)
{
	struct host *h = &s->host[ev->host];

	for (int i = 0; i < s->host_count; i++)
		hear(s, &s->host[i], h, sim_draw(s, 1000, 100000));
	if (ev->a > 0)
		(void)sim_at(s, s->now_us + LAN_REFRESH_US,
			(struct sim_event){.host = h->index,
				.name = "announce",
				.fn = on_announce,
				.a = ev->a});
}

void lan_advertise(struct host *h)
{
	struct sim *s = h->sim;
	uint64_t first = sim_draw(s, 0, SIM_S);
	bool again = h->advertised;

	h->advertised = true;
	(void)sim_at(s, s->now_us + first,
		(struct sim_event){.host = h->index,
			.name = "announce",
			.fn = on_announce});
	(void)sim_at(s, s->now_us + first + SIM_S,
		(struct sim_event){.host = h->index,
			.name = "announce",
			.fn = on_announce,
			.a = !again});
	lan_refresh(h);
}

void lan_refresh(struct host *h)
{
	struct sim *s = h->sim;

	for (int i = 0; i < s->host_count; i++)
		hear(s, h, &s->host[i], sim_draw(s, 0, 2 * SIM_S));
}

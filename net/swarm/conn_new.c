/*
 * How a connection comes to be: by a dial, by somebody who calls, or on a
 * stream that carries it; and the start of its upgrade, once there is a
 * carrier. Who may have one is place.c's, whom to dial is dial.c's.
 */
#include "net/swarm/swarm_internal.h"

#include "base/xmalloc.h"
#include "net/upgrade/upgrader.h"

/* NULL when the budget of those without a peer refuses. */
static struct conn *conn_new(
	struct swarm *s, const struct maddr *remote, const struct dialable *at)
{
	struct budget budget;
	struct conn *c;

	budget_init(&budget, &s->unproven, SWARM_CONN_BUDGET_BYTES);
	if (budget_charge(&budget, SWARM_CONN_COST_BYTES) != 0) {
		count_refused(s, &s->counters.refused_memory);
		return NULL;
	}
	c = xcalloc(1, sizeof(*c));
	c->budget = budget;
	c->id = s->next_id++;
	c->remote = *remote;
	c->at = *at;
	c->ready_ms = P2P_NEVER;
	c->ends_ms = P2P_NEVER;
	c->open_after_ms = P2P_NEVER;
	list_init(&c->of_peer);
	list_init(&c->streams);
	bufq_init_charged(&c->in, SWARM_CONN_IN_BYTES, &c->budget);
	(void)table_put(&s->conns, bytes_of(&c->id, sizeof(c->id)), c);
	return c;
}

/* Who was called asks whether the other side lives: that is mostly the one with
 * many connections, who asks on all of them at once. Who has called many asks
 * on half of those, so that not all of them wake it at times of their own. */
static bool asks_at_rest(
	const struct swarm *s, const struct env *env, const struct conn *c)
{
	return !c->outbound ||
	       (s->conns.count > SWARM_PING_CROWD && rng_one_in(env->rng, 2));
}

void conn_upgrade(struct swarm *s, const struct env *env, struct conn *c)
{
	struct upgrader_cfg cfg = {
		.me = s->cfg.me,
		.initiator = c->outbound,
		.expect = c->expect,
		.early_muxers = s->cfg.early_muxers,
		.offer_yamux = s->cfg.offer_yamux,
		.offer_mplex = s->cfg.offer_mplex,
		.out_bytes_max = SWARM_CONN_OUT_BYTES,
		.muxer =
			{
				.budget = &c->budget,
				.streams_in_max = SWARM_STREAMS_IN_MAX,
				.streams_unaccepted_max =
					SWARM_STREAMS_UNACCEPTED_MAX,
				.ping_interval_ms = s->cfg.ping_interval_ms,
				.ping_timeout_ms = SWARM_PING_TIMEOUT_MS,
				.asks = asks_at_rest(s, env, c),
			},
	};

	c->state = CONN_UPGRADING;
	c->deadline_ms = env_after(env, SWARM_UPGRADE_MS);
	c->up = upgrader_new(&cfg, env);
	s->preauth++;
}

struct conn *conn_new_inbound(struct swarm *s, const struct env *env,
	const struct maddr *remote, const struct dialable *at)
{
	struct conn *c = conn_new(s, remote, at);

	if (c == NULL)
		return NULL;
	s->conns_in++;
	conn_upgrade(s, env, c);
	return c;
}

struct conn *conn_new_carried(struct swarm *s, const struct env *env,
	const struct swarm_carrier *k, const struct dialable *at)
{
	struct conn *c = conn_new(s, &k->remote, at);

	if (c == NULL)
		return NULL;
	c->outbound = k->outbound;
	s->conns_in += !k->outbound;
	c->expect = k->expect;
	c->carrier = k->stream;
	c->limited = k->limited;
	c->bytes_left = k->bytes_max;
	c->ends_ms = env_after(env, k->lasts_ms);
	swarm_due(s, c->ends_ms);
	conn_upgrade(s, env, c);
	return c;
}

struct conn *conn_new_outbound(struct swarm *s, const struct env *env,
	const struct maddr *addr, const struct peer_id *expect)
{
	struct dialable at;
	struct conn *c;

	if (s->shutting_down || s->conns.count >= s->cfg.conns_max)
		return NULL;
	dialable_of(&at, addr);
	if (dialable_why_not(&at) != NULL)
		return NULL;
	c = conn_new(s, addr, &at);
	if (c == NULL)
		return NULL;
	c->outbound = true;
	c->expect = *expect;
	c->state = CONN_DIALING;
	c->deadline_ms = env_after(env, SWARM_DIAL_MS);
	swarm_due(s, c->deadline_ms);
	s->dials++;
	s->counters.dials_started++;
	swarm_act(s, SWARM_ACT_DIAL, c);
	return c;
}

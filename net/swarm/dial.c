/*
 * Which address is dialled when: one dial per peer in flight, the addresses in
 * turn, those of the LAN before others; after a whole round without success
 * the pause doubles, with jitter so that two sides do not keep step.
 */
#include "net/swarm/swarm_internal.h"

void dial_learn(struct peer *p, const struct maddr *addr)
{
	unsigned at = 0;

	while (at < p->addr_count && !maddr_equal(&p->addrs[at], addr))
		at++;
	if (at == SWARM_ADDRESSES_PER_PEER_MAX)
		at--; /* the one unused for longest makes room */
	else if (at == p->addr_count)
		p->addr_count++;
	/* The newest stands first. */
	memmove(&p->addrs[1], &p->addrs[0], at * sizeof(p->addrs[0]));
	p->addrs[0] = *addr;
}

void dial_soon(struct swarm *s, const struct env *env, struct peer *p,
	uint64_t delay_ms)
{
	p->addr_next = 0;
	/* Two that see each other at once dial at slightly different times. */
	p->dial_at_ms = env_after(env, delay_ms + rng_below(env->rng, 50));
	swarm_due(s, p->dial_at_ms);
}

static uint64_t pause_after(const struct env *env, unsigned failures)
{
	uint64_t pause = SWARM_REDIAL_FIRST_MS;

	if (failures > SWARM_REDIAL_RARELY_AFTER) {
		pause = SWARM_REDIAL_RARELY_MS;
	} else {
		for (unsigned i = 1; i < failures; i++)
			pause = P2P_MIN(
				pause * 2, (uint64_t)SWARM_REDIAL_MAX_MS);
	}
	return pause / 2 + rng_below(env->rng, pause);
}

void dial_lost(struct swarm *s, const struct env *env, struct peer *p,
	const struct conn *c)
{
	uint64_t pause = SWARM_REDIAL_FIRST_MS;

	if (c->ready_ms == P2P_NEVER) {
		/* A dial that failed late: dial_ended goes on. One of the
		 * other side may have held up a dial of ours. */
		if (!c->scheduled && p->dials == 0 &&
			p->dial_at_ms == P2P_NEVER)
			dial_soon(s, env, p, pause);
		return;
	}
	/* Who takes us and hangs up each time is asked less and less. */
	p->losses =
		env->now_ms - c->ready_ms < SWARM_STEADY_MS ? p->losses + 1 : 0;
	if (p->losses > 1)
		pause = pause_after(env, p->losses);
	dial_soon(s, env, p, pause);
}

void dial_next(struct swarm *s, const struct env *env, struct peer *p)
{
	p->dial_at_ms = P2P_NEVER;
	if (!list_empty(&p->conns) || p->dials > 0 || s->shutting_down)
		return;
	while (p->addr_next < p->addr_count) {
		struct maddr a = p->addrs[p->addr_next++];
		struct conn *c = conn_new_outbound(s, env, &a, &p->id);

		if (c != NULL) {
			c->scheduled = true;
			p->dials++;
			return;
		}
	}
	p->addr_next = 0;
	p->failures++;
	if (p->wanted && p->addr_count > 0)
		p->dial_at_ms = env_after(env, pause_after(env, p->failures));
	swarm_due(s, p->dial_at_ms);
}

void dial_ended(struct swarm *s, const struct env *env, struct peer *p)
{
	if (p->dials > 0)
		p->dials--;
	if (!p->wanted || s->shutting_down || !list_empty(&p->conns))
		return;
	/* The next address of this round, or the pause after it. */
	dial_next(s, env, p);
}

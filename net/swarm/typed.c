/*
 * Addresses that a person has typed and where nobody has answered yet, or
 * somebody who had no place: the person hears so once, and they are tried
 * again, as peers are that were reached before. Whose peer it is need not be
 * known. Once somebody has proven a key there, that peer is wanted and dial.c
 * sees to it.
 */
#include "net/swarm/swarm_internal.h"

static bool is_same(const struct typed *a, const struct maddr *addr,
	const struct peer_id *expect)
{
	return maddr_equal(&a->addr, addr) && peer_id_equal(&a->expect, expect);
}

/* Of this connection's address, or NULL. */
static struct typed *find(struct swarm *s, const struct conn *c)
{
	for (unsigned i = 0; i < SWARM_TYPED_MAX; i++)
		if (s->typed[i].addr.len > 0 &&
			is_same(&s->typed[i], &c->typed_addr, &c->expect))
			return &s->typed[i];
	return NULL;
}

/* Whether another try may end better. */
static bool is_worth_it(int err)
{
	return err == P2P_ERR_CLOSED || err == P2P_ERR_TIMEOUT ||
	       err == P2P_ERR_LIMIT;
}

void typed_note(
	struct swarm *s, const struct env *env, const struct conn *c, int err)
{
	struct typed *a = find(s, c);

	if (err == 0 || !is_worth_it(err) || s->shutting_down) {
		if (a != NULL)
			a->addr.len = 0;
		return;
	}
	if (a == NULL) {
		/* The oldest of the ring makes room. */
		a = &s->typed[s->typed_next++ % SWARM_TYPED_MAX];
		*a = (struct typed){.addr = c->typed_addr, .expect = c->expect};
	}
	a->failures++;
	a->at_ms = env_after(env, dial_pause(env, a->failures));
	swarm_due(s, a->at_ms);
}

void typed_forget(struct swarm *s, const struct peer_id *peer)
{
	for (unsigned i = 0; i < SWARM_TYPED_MAX; i++)
		if (peer_id_equal(&s->typed[i].expect, peer))
			s->typed[i].addr.len = 0;
}

void typed_hurry(struct swarm *s, const struct env *env)
{
	for (unsigned i = 0; i < SWARM_TYPED_MAX; i++)
		if (s->typed[i].at_ms != P2P_NEVER)
			s->typed[i].at_ms = env->now_ms;
	swarm_due(s, env->now_ms);
}

static bool is_due(const struct swarm *s, const struct typed *a)
{
	return a->addr.len > 0 && s->dials < SWARM_DIALS_MAX;
}

static void try_again(struct swarm *s, const struct env *env, struct typed *a)
{
	const struct peer *p = peer_find(s, &a->expect);
	struct conn *c;

	/* It has come by itself, or by another address. */
	if (p != NULL && peer_has_direct(p)) {
		a->addr.len = 0;
		return;
	}
	c = conn_new_outbound(s, env, &a->addr, &a->expect);
	if (c == NULL) {
		a->at_ms = env_after(env, SWARM_REDIAL_MAX_MS);
		return;
	}
	a->at_ms = P2P_NEVER;
	c->typed = true;
	c->typed_addr = a->addr;
}

void typed_tick(struct swarm *s, const struct env *env)
{
	if (s->shutting_down)
		return;
	for (unsigned i = 0; i < SWARM_TYPED_MAX; i++)
		if (is_due(s, &s->typed[i]) && s->typed[i].at_ms <= env->now_ms)
			try_again(s, env, &s->typed[i]);
}

uint64_t typed_deadline(const struct swarm *s)
{
	uint64_t first = P2P_NEVER;

	for (unsigned i = 0; i < SWARM_TYPED_MAX && !s->shutting_down; i++)
		if (is_due(s, &s->typed[i]))
			first = P2P_MIN(first, s->typed[i].at_ms);
	return first;
}

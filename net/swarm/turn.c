/*
 * What the swarm tells its user, what it wants done with carriers, and when it
 * is to be called again. Both queues are drained by the owner within a turn.
 */
#include "net/swarm/swarm_internal.h"

void swarm_emit(struct swarm *s, const struct swarm_event *ev)
{
	P2P_ASSERT(bufq_push(&s->events, bytes_of(ev, sizeof(*ev))) == 0);
}

bool swarm_next_event(struct swarm *s, struct swarm_event *ev)
{
	struct peer *p;

	if (s->events.len == 0)
		return false;
	memcpy(ev, bufq_peek(&s->events).data, sizeof(*ev));
	bufq_consume(&s->events, sizeof(*ev));
	if (ev->kind != SWARM_EV_PEER_UP && ev->kind != SWARM_EV_PEER_DOWN)
		return true;
	p = peer_find(s, &ev->peer);
	if (p != NULL)
		p->told_up = ev->kind == SWARM_EV_PEER_UP;
	return true;
}

void swarm_act(
	struct swarm *s, enum swarm_action_kind kind, const struct conn *c)
{
	struct swarm_action act = {
		.kind = kind, .conn = c->id, .carrier = c->carrier};

	if (kind == SWARM_ACT_DIAL)
		act.addr = c->remote;
	P2P_ASSERT(bufq_push(&s->actions, bytes_of(&act, sizeof(act))) == 0);
}

bool swarm_next_action(struct swarm *s, struct swarm_action *act)
{
	if (s->actions.len == 0)
		return false;
	memcpy(act, bufq_peek(&s->actions).data, sizeof(*act));
	bufq_consume(&s->actions, sizeof(*act));
	return true;
}

void conn_ask_write(struct swarm *s, struct conn *c)
{
	if (c->write_asked)
		return;
	c->write_asked = true;
	swarm_act(s, SWARM_ACT_WRITE, c);
}

void conn_want_write(struct swarm *s, const struct env *env, struct conn *c)
{
	if (c->write_asked || c->up == NULL)
		return;
	if (channel_out_peek(c->up, env).len > 0)
		conn_ask_write(s, c);
}

void swarm_due(struct swarm *s, uint64_t at_ms)
{
	s->due_ms = P2P_MIN(s->due_ms, at_ms);
}

uint64_t swarm_deadline(const struct swarm *s)
{
	return s->due_ms;
}

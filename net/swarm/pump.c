/*
 * Bytes through a connection: what waits is fed to the channel, its events are
 * served, what streams have to say is handed down, until nothing moves. And its
 * time: what is due on it.
 */
#include "net/swarm/swarm_internal.h"

static void on_secured(struct swarm *s, const struct env *env, struct conn *c)
{
	struct peer *p;

	s->preauth--;
	c->secured = true;
	if (peer_id_equal(channel_peer(c->up), &s->cfg.me->id)) {
		conn_tell_dial_failed(s, c,
			dial_met_copy(s, c)
				? "another program there has the key of this "
				  "profile"
				: "that is this program itself");
		c->request = 0;
		dial_was_self(s, env, c);
		conn_fail(s, env, c, P2P_ERR_MISMATCH);
		return;
	}
	p = peer_get(s, env, channel_peer(c->up), BOOK_PROVEN);
	if (p == NULL) {
		count_refused(s, &s->counters.refused_peers);
		conn_fail(s, env, c, P2P_ERR_LIMIT);
		return;
	}
	if (budget_move(&c->budget, &p->budget) != 0) {
		count_refused(s, &s->counters.refused_memory);
		conn_fail(s, env, c, P2P_ERR_LIMIT);
		return;
	}
	peer_add_conn(s, env, p, c);
	if (!c->outbound)
		place_proven(s, env);
}

static void on_mux(struct swarm *s, const struct env *env, struct conn *c,
	const struct mux_event *ev)
{
	struct stream *st = ev->tag;

	switch (ev->kind) {
	case MUX_EV_OPENED:
		stream_opened_by_peer(s, env, c, ev->stream);
		break;
	case MUX_EV_READABLE:
		if (st != NULL)
			stream_on_readable(s, env, st);
		break;
	case MUX_EV_RESET:
		if (st != NULL)
			stream_on_reset(s, env, st);
		break;
	case MUX_EV_RTT:
		if (c->peer != NULL) {
			struct swarm_event out = {.kind = SWARM_EV_RTT,
				.peer = c->peer->id,
				.number = ev->rtt_us};

			c->peer->rtt_us = ev->rtt_us;
			swarm_emit(s, &out);
		}
		break;
	case MUX_EV_DEAD:
		conn_fail(s, env, c, P2P_ERR_TIMEOUT);
		break;
	case MUX_EV_WRITABLE:
		/* Every pump flushes all that waits; opens go on at once. */
		if (ev->stream == 0)
			c->open_after_ms = P2P_NEVER;
		break;
	case MUX_EV_GO_AWAY: /* the carrier's end follows */
		c->sent_on = true;
		break;
	}
}

/* One event of the stack; false when the connection is gone. */
static bool on_event(struct swarm *s, const struct env *env, struct conn *c,
	const struct channel_event *ev)
{
	uint64_t id = c->id;

	switch (ev->kind) {
	case CHANNEL_EV_SECURED:
		on_secured(s, env, c);
		break;
	case CHANNEL_EV_READY:
		s->counters.upgrades++;
		c->state = CONN_READY;
		c->ready_ms = env->now_ms;
		/* One that has to go still has to. */
		if (!c->leaving)
			c->deadline_ms = P2P_NEVER;
		peer_conn_ready(s, env, c);
		break;
	case CHANNEL_EV_MUX:
		if (c->state != CONN_CLOSING)
			on_mux(s, env, c, &ev->mux);
		break;
	case CHANNEL_EV_FAILED:
		conn_fail(s, env, c, ev->err);
		break;
	}
	return conn_find(s, id) == c;
}

/* What the carrier has just read comes behind what waited before. */
static int feed_waiting(const struct env *env, struct conn *c, int *moved)
{
	struct bytes in = c->in.len > 0 ? bufq_peek(&c->in) : c->fresh;
	size_t taken = 0;
	int err = 0;

	if (in.len > 0 && c->state != CONN_CLOSING)
		err = channel_feed(c->up, env, in, &taken);
	if (c->in.len > 0)
		bufq_consume(&c->in, taken);
	else
		c->fresh = bytes_skip(c->fresh, taken);
	*moved = taken > 0;
	return err;
}

/* Feeds what waits and serves what happens; -1: the connection is gone. */
static int pump_once(struct swarm *s, const struct env *env, struct conn *c)
{
	struct channel_event ev;
	struct list *pos, *tmp;
	int moved = 0;
	int err = feed_waiting(env, c, &moved);

	/* What was understood before a fault is still served. */
	while (channel_next_event(c->up, &ev)) {
		moved = 1;
		if (!on_event(s, env, c, &ev))
			return -1;
	}
	if (err != 0) {
		if (p2p_err_class(err) == P2P_CLASS_PEER)
			s->counters.protocol_errors++;
		else if (p2p_err_class(err) == P2P_CLASS_LIMIT)
			s->counters.cut_overrun++;
		conn_fail(s, env, c, err);
		return -1;
	}
	LIST_FOREACH(pos, tmp, &c->streams) {
		struct stream *st = LIST_ITEM(pos, struct stream, of_conn);

		moved |= stream_flush(s, env, st);
	}
	return moved;
}

static void pause_or_resume(struct swarm *s, struct conn *c)
{
	bool full = c->in.len >= SWARM_CONN_IN_BYTES / 2;

	if (full == c->paused || (!full && c->in.len > 0))
		return;
	c->paused = full;
	swarm_act(s, full ? SWARM_ACT_PAUSE : SWARM_ACT_RESUME, c);
}

void conn_pump(struct swarm *s, const struct env *env, struct conn *c)
{
	int moved = 1;

	if (c->in_pump || c->up == NULL)
		return;
	c->in_pump = true;
	for (int i = 0; moved > 0 && i < SWARM_PUMP_ROUNDS_MAX; i++)
		moved = pump_once(s, env, c);
	if (moved < 0)
		return;
	c->in_pump = false;
	swarm_due(s, conn_deadline(c));
	pause_or_resume(s, c);
	conn_want_write(s, env, c);
	if (c->state == CONN_CLOSING && channel_out_peek(c->up, env).len == 0)
		conn_fail(s, env, c, P2P_ERR_CLOSED);
}

void conn_bow_out(struct swarm *s, const struct env *env, struct conn *c)
{
	channel_go_away(c->up);
	c->state = CONN_CLOSING;
	c->deadline_ms = env_after(env, SWARM_CLOSE_MS);
	conn_pump(s, env, c);
}

/* ---- time -------------------------------------------------------------- */

void conn_tick(struct swarm *s, const struct env *env, struct conn *c)
{
	struct list *pos, *tmp;

	if (P2P_MIN(c->deadline_ms, c->ends_ms) <= env->now_ms) {
		if (c->leaving && c->state == CONN_READY)
			conn_bow_out(s, env, c);
		else
			conn_fail(s, env, c, P2P_ERR_TIMEOUT);
		return;
	}
	if (c->up == NULL)
		return;
	channel_tick(c->up, env);
	if (c->open_after_ms <= env->now_ms)
		c->open_after_ms = P2P_NEVER;
	LIST_FOREACH(pos, tmp, &c->streams) {
		struct stream *st = LIST_ITEM(pos, struct stream, of_conn);

		if (st->deadline_ms > env->now_ms)
			continue;
		s->counters.streams_timeout++;
		stream_end(s, st, P2P_ERR_TIMEOUT);
	}
	conn_pump(s, env, c);
}

uint64_t conn_deadline(const struct conn *c)
{
	struct list *pos, *tmp;
	uint64_t first = P2P_MIN(c->deadline_ms, c->ends_ms);

	if (c->up == NULL)
		return first;
	first = P2P_MIN(first, channel_deadline(c->up));
	first = P2P_MIN(first, c->open_after_ms);
	LIST_FOREACH(pos, tmp, &c->streams)
		first = P2P_MIN(first,
			LIST_ITEM(pos, struct stream, of_conn)->deadline_ms);
	return first;
}

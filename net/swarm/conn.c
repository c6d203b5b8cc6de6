#include "net/swarm/swarm_internal.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/xmalloc.h"

struct conn *conn_find(const struct swarm *s, uint64_t id)
{
	return table_get(&s->conns, bytes_of(&id, sizeof(id)));
}

/* NULL when the budget of those without a peer refuses. */
static struct conn *conn_new(
	struct swarm *s, const struct env *env, const struct maddr *remote)
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
	c->local = maddr_is_near(remote);
	place_site(remote, c->site);
	table_init(&c->by_mux, env->rng);
	c->ready_ms = P2P_NEVER;
	c->open_after_ms = P2P_NEVER;
	c->ping_due_ms = P2P_NEVER;
	c->identify_at_ms = P2P_NEVER;
	list_init(&c->of_peer);
	list_init(&c->streams);
	bufq_init_charged(&c->in, SWARM_CONN_IN_BYTES, &c->budget);
	(void)table_put(&s->conns, bytes_of(&c->id, sizeof(c->id)), c);
	return c;
}

static void start_upgrade(
	struct swarm *s, const struct env *env, struct conn *c)
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
			},
	};

	c->state = CONN_UPGRADING;
	c->deadline_ms = env_after(env, SWARM_UPGRADE_MS);
	c->up = upgrader_new(&cfg, env);
	s->preauth++;
}

/* ---- the carrier ------------------------------------------------------- */

uint64_t swarm_accepted(
	struct swarm *s, const struct env *env, const struct maddr *remote)
{
	struct conn *c;
	uint64_t id;

	if (!place_for(s, env, remote))
		return 0;
	c = conn_new(s, env, remote);
	if (c == NULL)
		return 0;
	id = c->id;
	s->conns_in++;
	start_upgrade(s, env, c);
	conn_pump(s, env, c);
	return conn_find(s, id) == NULL ? 0 : id;
}

struct conn *conn_new_outbound(struct swarm *s, const struct env *env,
	const struct maddr *addr, const struct peer_id *expect)
{
	struct maddr_tcp tcp;
	struct conn *c;

	if (s->shutting_down || s->conns.count >= s->cfg.conns_max)
		return NULL;
	if (!maddr_to_tcp(addr, &tcp) || maddr_is_unusable(addr))
		return NULL;
	c = conn_new(s, env, addr);
	if (c == NULL)
		return NULL;
	c->outbound = true;
	c->expect = *expect;
	c->state = CONN_DIALING;
	c->deadline_ms = env_after(env, SWARM_DIAL_MS);
	swarm_due(s, c->deadline_ms);
	s->dials++;
	s->counters.dials_started++;
	swarm_act(s, SWARM_ACT_DIAL, c->id, addr);
	return c;
}

void swarm_connected(struct swarm *s, const struct env *env, uint64_t conn,
	const struct maddr *remote)
{
	struct conn *c = conn_find(s, conn);

	if (c == NULL || c->state != CONN_DIALING)
		return;
	dial_slot_freed(s, env, c);
	c->local = maddr_is_near(remote);
	start_upgrade(s, env, c);
	conn_pump(s, env, c);
}

static void tell_dial_failed(
	struct swarm *s, const struct conn *c, const char *reason)
{
	struct swarm_event ev = {
		.kind = SWARM_EV_DIAL_FAILED, .number = c->request};

	if (c->request == 0)
		return;
	(void)snprintf(ev.text, sizeof(ev.text), "%s", reason);
	swarm_emit(s, &ev);
}

void swarm_dial_failed(struct swarm *s, const struct env *env, uint64_t conn,
	const char *reason)
{
	struct conn *c = conn_find(s, conn);

	if (c == NULL || c->state != CONN_DIALING)
		return;
	tell_dial_failed(s, c, reason);
	c->request = 0;
	conn_fail(s, env, c, P2P_ERR_CLOSED);
}

/* Feeds what the upgrader takes at once from where it stands; the connection,
 * or NULL when it is gone. *in is what is left. */
static struct conn *feed_fresh(struct swarm *s, const struct env *env,
	struct conn *c, struct bytes *in)
{
	uint64_t id = c->id;

	c->fresh = *in;
	conn_pump(s, env, c);
	c = conn_find(s, id);
	if (c == NULL)
		return NULL;
	*in = c->fresh;
	c->fresh = bytes_of(NULL, 0);
	return c;
}

void swarm_bytes(
	struct swarm *s, const struct env *env, uint64_t conn, struct bytes in)
{
	struct conn *c = conn_find(s, conn);
	size_t limit;

	s->last_ms = env->now_ms;
	if (c == NULL || c->up == NULL || c->state == CONN_CLOSING)
		return;
	c->heard_ms = env->now_ms;
	if (c->in.len == 0)
		c = feed_fresh(s, env, c, &in);
	if (c == NULL)
		return;
	while (in.len > 0) {
		size_t n = P2P_MIN(in.len, bufq_room(&c->in));
		uint64_t id = c->id;

		if (n == 0) {
			/* The carrier went on after PAUSE. */
			s->counters.protocol_errors++;
			s->counters.cut_overrun++;
			conn_fail(s, env, c, P2P_ERR_FULL);
			return;
		}
		if (bufq_push(&c->in, bytes_first(in, n)) != 0) {
			count_refused(s, &s->counters.refused_memory);
			conn_fail(s, env, c, P2P_ERR_LIMIT);
			return;
		}
		in = bytes_skip(in, n);
		conn_pump(s, env, c);
		c = conn_find(s, id);
		if (c == NULL)
			return;
	}
	limit = c->state == CONN_UPGRADING ? SWARM_PREAUTH_BYTES_MAX
					   : SWARM_CONN_IN_BYTES;
	if (c->in.len > limit) {
		s->counters.cut_overrun++;
		conn_fail(s, env, c, P2P_ERR_TOO_BIG);
	}
	place_make_room(s, env);
}

/* What came before the end may wait for room for answers, which nobody takes
 * any more: they are dropped until all is understood. NULL: it is gone. */
static struct conn *hear_the_rest(
	struct swarm *s, const struct env *env, struct conn *c)
{
	uint64_t id = c->id;
	size_t dropped = 1;

	while (c != NULL && c->state == CONN_READY && dropped > 0 &&
		(c->in.len > 0 || channel_is_held(c->up))) {
		dropped = channel_out_peek(c->up, env).len;
		channel_out_consume(c->up, dropped);
		conn_pump(s, env, c);
		c = conn_find(s, id);
	}
	return c;
}

void swarm_closed(struct swarm *s, const struct env *env, uint64_t conn)
{
	struct conn *c = conn_find(s, conn);

	if (c != NULL)
		c = hear_the_rest(s, env, c);
	if (c != NULL)
		conn_fail(s, env, c, P2P_ERR_CLOSED);
}

struct bytes swarm_out_peek(
	struct swarm *s, const struct env *env, uint64_t conn)
{
	struct conn *c = conn_find(s, conn);

	if (c == NULL || c->up == NULL)
		return bytes_of(NULL, 0);
	c->write_asked = false;
	return channel_out_peek(c->up, env);
}

void swarm_out_consume(
	struct swarm *s, const struct env *env, uint64_t conn, size_t n)
{
	struct conn *c = conn_find(s, conn);

	if (c == NULL || c->up == NULL)
		return;
	channel_out_consume(c->up, n);
	conn_pump(s, env, c);
}

void conn_want_write(struct swarm *s, const struct env *env, struct conn *c)
{
	if (c->write_asked || c->up == NULL)
		return;
	if (channel_out_peek(c->up, env).len == 0)
		return;
	c->write_asked = true;
	swarm_act(s, SWARM_ACT_WRITE, c->id, NULL);
}

/* ---- moving bytes ------------------------------------------------------ */

static void on_secured(struct swarm *s, const struct env *env, struct conn *c)
{
	struct peer *p;

	s->preauth--;
	c->secured = true;
	if (peer_id_equal(channel_peer(c->up), &s->cfg.me->id)) {
		tell_dial_failed(s, c, "that is this program itself");
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
}

static void on_mux(struct swarm *s, const struct env *env, struct conn *c,
	const struct mux_event *ev)
{
	struct stream *st = stream_of_mux(c, ev->stream);

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
				.number = ev->rtt_ms};

			c->peer->rtt_ms = ev->rtt_ms;
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
		if (st->ping_held && st->out.len == 0)
			ping_read(s, env, st);
	}
	return moved;
}

static void pause_or_resume(struct swarm *s, struct conn *c)
{
	bool full = c->in.len >= SWARM_CONN_IN_BYTES / 2;

	if (full == c->paused || (!full && c->in.len > 0))
		return;
	c->paused = full;
	swarm_act(s, full ? SWARM_ACT_PAUSE : SWARM_ACT_RESUME, c->id, NULL);
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

/* ---- the end ----------------------------------------------------------- */

static const char *why_failed(int err)
{
	switch (err) {
	case P2P_ERR_MISMATCH:
		return "another peer than the address names answered";
	case P2P_ERR_AUTH:
		return "the other side could not prove its key";
	case P2P_ERR_TIMEOUT:
		return "no answer in time";
	case P2P_ERR_NO_PROTOCOL:
		return "no protocol in common";
	case P2P_ERR_CLOSED:
		return "the connection was closed";
	default:
		return p2p_err_text(err);
	}
}

void conn_fail(struct swarm *s, const struct env *env, struct conn *c, int err)
{
	struct peer *expected = NULL;
	bool was_ready = c->state == CONN_READY || c->state == CONN_CLOSING;

	if (c->state == CONN_DIALING)
		dial_slot_freed(s, env, c);
	if (c->up != NULL && !c->secured)
		s->preauth--;
	if (c->state == CONN_UPGRADING)
		count_upgrade_failed(s, err);
	if (c->outbound && !was_ready)
		count_dial_failed(s, c, err);
	/* Another peer than expected has proven its key: is it us? */
	if (err == P2P_ERR_MISMATCH && c->up != NULL && !c->secured &&
		peer_id_equal(channel_peer(c->up), &s->cfg.me->id))
		dial_was_self(s, env, c);
	if (!was_ready)
		tell_dial_failed(s, c, why_failed(err));
	if (!peer_id_none(&c->expect))
		expected = peer_find(s, &c->expect);
	while (!list_empty(&c->streams))
		stream_drop(s,
			LIST_ITEM(c->streams.next, struct stream, of_conn), err,
			true);
	if (!c->outbound)
		s->conns_in--;
	(void)table_remove(&s->conns, bytes_of(&c->id, sizeof(c->id)));
	if (c->peer != NULL)
		peer_conn_gone(s, env, c);
	if (c->scheduled && !was_ready && expected != NULL)
		dial_ended(s, env, expected, c);
	swarm_act(s, SWARM_ACT_CLOSE, c->id, NULL);
	count_conn_ended(s, c);
	channel_free(c->up);
	bufq_clear(&c->in);
	table_clear(&c->by_mux);
	budget_clear(&c->budget);
	free(c);
}

/* ---- time -------------------------------------------------------------- */

void conn_tick(struct swarm *s, const struct env *env, struct conn *c)
{
	struct list *pos, *tmp;
	uint64_t id = c->id;

	if (c->deadline_ms <= env->now_ms) {
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
		stream_drop(s, st, P2P_ERR_TIMEOUT, true);
	}
	if (c->state == CONN_READY)
		identify_tick(s, env, c);
	if (c->state == CONN_READY)
		ping_tick(s, env, c);
	if (conn_find(s, id) == c)
		conn_pump(s, env, c);
}

uint64_t conn_deadline(const struct conn *c)
{
	struct list *pos, *tmp;
	uint64_t first = c->deadline_ms;

	if (c->up == NULL)
		return first;
	first = P2P_MIN(first, channel_deadline(c->up));
	first = P2P_MIN(first, c->open_after_ms);
	first = P2P_MIN(first, ping_deadline(c));
	if (c->state == CONN_READY)
		first = P2P_MIN(first, c->identify_at_ms);
	LIST_FOREACH(pos, tmp, &c->streams)
		first = P2P_MIN(first,
			LIST_ITEM(pos, struct stream, of_conn)->deadline_ms);
	return first;
}

/*
 * What happens to carriers, the bottom of every connection: somebody calls, a
 * dial succeeds or fails, bytes come and go, the end. Each verb finds its
 * connection by id, since the carrier may outlive it by a turn.
 */
#include "net/swarm/swarm_internal.h"

uint64_t swarm_accepted(
	struct swarm *s, const struct env *env, const struct maddr *remote)
{
	struct dialable at;
	struct conn *c;
	uint64_t id;

	dialable_of(&at, remote);
	if (!place_for(s, env, &at))
		return 0;
	c = conn_new_inbound(s, env, remote, &at);
	if (c == NULL)
		return 0;
	id = c->id;
	conn_pump(s, env, c);
	return conn_find(s, id) == NULL ? 0 : id;
}

uint64_t swarm_carried(struct swarm *s, const struct env *env,
	const struct swarm_carrier *carrier)
{
	struct dialable at;
	struct conn *c;
	uint64_t id;

	dialable_of(&at, &carrier->remote);
	if (!place_for(s, env, &at))
		return 0;
	c = conn_new_carried(s, env, carrier, &at);
	if (c == NULL)
		return 0;
	id = c->id;
	conn_pump(s, env, c);
	return conn_find(s, id) == NULL ? 0 : id;
}

void swarm_connected(struct swarm *s, const struct env *env, uint64_t conn,
	const struct maddr *remote)
{
	struct conn *c = conn_find(s, conn);

	if (c == NULL || c->state != CONN_DIALING)
		return;
	dial_slot_freed(s, env, c);
	dialable_of(&c->at, remote);
	conn_upgrade(s, env, c);
	conn_pump(s, env, c);
}

void swarm_dial_failed(struct swarm *s, const struct env *env, uint64_t conn,
	const char *reason)
{
	struct conn *c = conn_find(s, conn);

	if (c == NULL || c->state != CONN_DIALING)
		return;
	conn_tell_dial_failed(s, c, reason);
	c->request = 0;
	conn_fail(s, env, c, P2P_ERR_CLOSED);
}

/* Bytes of a limited connection, either way; false when those were the last,
 * and the connection is gone. */
static bool spend(
	struct swarm *s, const struct env *env, struct conn *c, size_t n)
{
	if (!c->limited || c->bytes_left == UINT64_MAX)
		return true;
	c->bytes_left -= P2P_MIN(c->bytes_left, (uint64_t)n);
	if (c->bytes_left > 0)
		return true;
	conn_fail(s, env, c, P2P_ERR_LIMIT);
	return false;
}

/* Feeds what the channel takes at once from where it stands; the connection,
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
	s->due_moves |= conn_deadline(c) <= s->due_ms;
	c->heard_ms = env->now_ms;
	if (!spend(s, env, c, in.len))
		return;
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
	swarm_due_again(s, env);
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
	if (!spend(s, env, c, n))
		return;
	conn_pump(s, env, c);
}

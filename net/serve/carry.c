/*
 * Bytes between a stream and the connection that it carries. Both sides push
 * back: the stream's reading is held while the connection is paused, and the
 * connection's bytes stay in its channel while the stream has enough to send.
 */
#include "net/serve/carry.h"

int carry_start(struct serve *sv, const struct env *env, struct sstream *st,
	struct carry *c, const struct swarm_carrier *k)
{
	struct swarm_carrier mine = *k;

	mine.stream = st->id;
	c->conn = swarm_carried(serve_swarm(sv), env, &mine);
	return c->conn == 0 ? P2P_ERR_LIMIT : 0;
}

size_t carry_readable(struct serve *sv, const struct env *env, struct carry *c,
	struct bytes in, bool end)
{
	uint64_t conn = c->conn;

	if (conn == 0)
		return in.len;
	swarm_bytes(serve_swarm(sv), env, conn, in);
	if (!end)
		return in.len;
	c->conn = 0;
	swarm_closed(serve_swarm(sv), env, conn);
	return in.len;
}

void carry_writable(struct serve *sv, const struct env *env, struct sstream *st,
	struct carry *c)
{
	struct swarm *s = serve_swarm(sv);

	while (c->conn != 0 && swarm_stream_backlog(st) < CARRY_BACKLOG_BYTES) {
		struct bytes out = swarm_out_peek(s, env, c->conn);

		out = bytes_first(out, CARRY_BACKLOG_BYTES);
		if (out.len == 0 || serve_write(sv, env, st, out) != 0)
			return;
		swarm_out_consume(s, env, c->conn, out.len);
	}
}

void carry_gone(struct serve *sv, const struct env *env, struct carry *c,
	struct bytes rest)
{
	if (c->conn != 0)
		(void)carry_readable(sv, env, c, rest, true);
}

void carry_act(struct serve *sv, const struct env *env, struct sstream *st,
	struct carry *c, const struct swarm_action *act)
{
	switch (act->kind) {
	case SWARM_ACT_WRITE:
		carry_writable(sv, env, st, c);
		break;
	case SWARM_ACT_PAUSE:
	case SWARM_ACT_RESUME:
		serve_hold(sv, st, act->kind == SWARM_ACT_PAUSE);
		break;
	case SWARM_ACT_CLOSE:
		/* What it said last still goes out; the far side has a while
		 * to close, too. */
		c->conn = 0;
		serve_hold(sv, st, false);
		serve_close(sv, env, st);
		swarm_stream_expire(
			serve_swarm(sv), st, env_after(env, CARRY_CLOSE_MS));
		break;
	case SWARM_ACT_DIAL: /* asked of sockets only */
		break;
	}
}

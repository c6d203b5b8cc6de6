/*
 * Ping (libp2p ping spec): 32 bytes are sent back as they came. Ours goes out
 * only on connections whose muxer has no ping of its own (mplex); on yamux
 * the muxer measures and notices death.
 */
#include "net/swarm/swarm_internal.h"

static void echo(struct swarm *s, const struct env *env, struct stream *st)
{
	struct conn *c = st->conn;
	bool end;
	struct bytes in = channel_stream_peek(c->up, st->mux, &end);

	/* Who pings without reading the answers is read no more. */
	while (in.len >= SWARM_PING_BYTES &&
		st->out.len < SWARM_PING_BACKLOG_BYTES &&
		stream_write(st, bytes_first(in, SWARM_PING_BYTES)) == 0) {
		(void)channel_stream_consume(c->up, st->mux, SWARM_PING_BYTES);
		(void)stream_flush(s, env, st);
		in = channel_stream_peek(c->up, st->mux, &end);
	}
	st->ping_held = in.len >= SWARM_PING_BYTES;
	if (!end || st->ping_held)
		return;
	/* The last answers go out before the stream ends. */
	st->close_asked = true;
	st->deadline_ms = env_after(env, SWARM_IDENTIFY_MS);
	(void)stream_flush(s, env, st);
	if (st->close_sent)
		stream_drop(s, st, 0, false);
}

static void answered(struct swarm *s, const struct env *env, struct stream *st)
{
	struct conn *c = st->conn;
	struct swarm_event ev = {.kind = SWARM_EV_RTT};
	bool end;
	struct bytes in = channel_stream_peek(c->up, st->mux, &end);

	if (in.len < SWARM_PING_BYTES) {
		if (end)
			stream_drop(s, st, P2P_ERR_CLOSED, false);
		return;
	}
	if (c->ping_sent_ms == 0 ||
		memcmp(in.data, c->ping_nonce, SWARM_PING_BYTES) != 0) {
		s->counters.protocol_errors++;
		stream_drop(s, st, P2P_ERR_PROTOCOL, false);
		return;
	}
	(void)channel_stream_consume(c->up, st->mux, SWARM_PING_BYTES);
	ev.peer = c->peer->id;
	ev.number = env->now_ms - c->ping_sent_ms;
	c->peer->rtt_ms = ev.number;
	c->ping_sent_ms = 0;
	c->ping_due_ms = env_after(env, s->cfg.ping_interval_ms);
	swarm_emit(s, &ev);
}

void ping_read(struct swarm *s, const struct env *env, struct stream *st)
{
	if (st->inbound)
		echo(s, env, st);
	else
		answered(s, env, st);
}

static void send_ping(struct swarm *s, const struct env *env, struct conn *c)
{
	struct stream *st = stream_find(s, c->ping_stream);

	c->ping_due_ms = env_after(env, s->cfg.ping_interval_ms);
	if (!swarm_peer_speaks(s, &c->peer->id, s->names[SWARM_PROTO_PING]))
		return;
	if (st == NULL) {
		st = stream_open(s, env, c, SWARM_PROTO_PING);
		if (st == NULL)
			return;
		c->ping_stream = st->id;
		/* Streams that wait for mplex's pace are opened in the order
		 * of this list: a ping behind many of them would count as
		 * unanswered before it is sent. */
		list_remove(&st->of_conn);
		list_push_front(&c->streams, &st->of_conn);
	}
	rng_fill(env->rng, c->ping_nonce, sizeof(c->ping_nonce));
	if (stream_write(st, bytes_of(c->ping_nonce, SWARM_PING_BYTES)) != 0)
		return;
	c->ping_sent_ms = env->now_ms;
	c->ping_due_ms = env_after(env, SWARM_PING_TIMEOUT_MS);
	(void)stream_flush(s, env, st);
}

void ping_tick(struct swarm *s, const struct env *env, struct conn *c)
{
	if (c->ping_due_ms > env->now_ms)
		return;
	if (channel_info(c->up).pings) {
		c->ping_due_ms = P2P_NEVER;
		return;
	}
	if (c->ping_sent_ms == 0) {
		send_ping(s, env, c);
		return;
	}
	/* Who is busy answers late; as long as it sends anything it lives. */
	c->ping_due_ms =
		P2P_MAX(c->ping_sent_ms, c->heard_ms) + SWARM_PING_TIMEOUT_MS;
	if (c->ping_due_ms <= env->now_ms)
		conn_fail(s, env, c, P2P_ERR_TIMEOUT);
}

uint64_t ping_deadline(const struct conn *c)
{
	return c->state == CONN_READY ? c->ping_due_ms : P2P_NEVER;
}

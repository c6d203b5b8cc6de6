#include "net/swarm/swarm_internal.h"

#include <stdlib.h>

#include "base/xmalloc.h"

struct stream *stream_find(const struct swarm *s, uint64_t id)
{
	return table_get(&s->streams, bytes_of(&id, sizeof(id)));
}

struct stream *stream_of_mux(const struct conn *c, uint64_t mux)
{
	return table_get(&c->by_mux, bytes_of(&mux, sizeof(mux)));
}

/* The muxer knows it under this number from now on. */
static void set_mux(struct stream *st, uint64_t mux)
{
	st->mux = mux;
	st->open_sent = true;
	(void)table_put(&st->conn->by_mux, bytes_of(&mux, sizeof(mux)), st);
}

static struct stream *stream_new(
	struct swarm *s, const struct env *env, struct conn *c)
{
	struct stream *st;

	if (budget_charge(&c->budget, SWARM_STREAM_COST_BYTES) != 0) {
		s->counters.streams_refused++;
		return NULL;
	}
	st = xcalloc(1, sizeof(*st));
	budget_init(&st->budget, &c->budget, SWARM_STREAM_BUDGET_BYTES);
	st->id = s->next_id++;
	st->conn = c;
	st->protocol = -1;
	st->stuck_ms = P2P_NEVER;
	st->deadline_ms = env_after(env, SWARM_STREAM_NEGOTIATE_MS);
	swarm_due(s, st->deadline_ms);
	bufq_init_charged(&st->out,
		SWARM_STREAM_OUT_BYTES + SWARM_STREAM_NEGOTIATION_BYTES,
		&st->budget);
	buf_init(&st->body, SWARM_IDENTIFY_BYTES_MAX);
	list_push_back(&c->streams, &st->of_conn);
	(void)table_put(&s->streams, bytes_of(&st->id, sizeof(st->id)), st);
	return st;
}

struct stream *stream_open(
	struct swarm *s, const struct env *env, struct conn *c, int protocol)
{
	struct stream *st = stream_new(s, env, c);

	if (st == NULL)
		return NULL;
	st->protocol = protocol;
	st->ms_names[0] = s->names[protocol];
	if (multistream_init(&st->ms, st->ms_names, true, &st->out) != 0) {
		s->counters.streams_refused++;
		stream_drop(s, st, P2P_ERR_LIMIT, false);
		return NULL;
	}
	if (stream_flush(s, env, st))
		conn_want_write(s, env, c);
	return st;
}

void stream_opened_by_peer(
	struct swarm *s, const struct env *env, struct conn *c, uint64_t mux)
{
	struct stream *st = stream_new(s, env, c);

	if (st == NULL) {
		channel_stream_forget(c->up, mux);
		return;
	}
	set_mux(st, mux);
	st->inbound = true;
	if (multistream_init(&st->ms, s->names, false, &st->out) != 0) {
		s->counters.streams_refused++;
		stream_drop(s, st, P2P_ERR_LIMIT, false);
		return;
	}
	(void)channel_stream_accept(c->up, mux);
	stream_on_readable(s, env, st);
}

/* ---- writing ----------------------------------------------------------- */

int stream_write(struct stream *st, struct bytes in)
{
	if (st->close_asked)
		return P2P_ERR_STATE;
	if (st->out.len + in.len > SWARM_STREAM_OUT_BYTES)
		return P2P_ERR_FULL;
	return bufq_push(&st->out, in);
}

int stream_write_through(struct stream *st, struct bytes in)
{
	size_t taken = 0, held;

	if (!st->open_sent || st->out.len > 0 || st->close_asked)
		return stream_write(st, in);
	/* All or nothing: what queueing all of it may cost is held, so that
	 * the rest finds it when a part is gone. */
	held = P2P_MAX(in.len, (size_t)SWARM_QUEUE_COST_BYTES);
	if (in.len > SWARM_STREAM_OUT_BYTES ||
		budget_charge(&st->budget, held) != 0)
		return P2P_ERR_FULL;
	/* An ended stream tells so by its event. */
	if (channel_stream_write(st->conn->up, st->mux, in, &taken) != 0)
		taken = 0;
	budget_release(&st->budget, held);
	P2P_ASSERT(bufq_push(&st->out, bytes_skip(in, taken)) == 0);
	return 0;
}

/* True when the muxer knows the stream. */
static bool open_at_muxer(
	struct swarm *s, const struct env *env, struct stream *st)
{
	struct conn *c = st->conn;
	uint64_t mux;
	int err;

	if (st->open_sent)
		return true;
	if (c->state != CONN_READY || (c->open_after_ms != P2P_NEVER &&
					      c->open_after_ms > env->now_ms))
		return false;
	err = channel_stream_open(c->up, env, &mux);
	if (err == P2P_ERR_FULL)
		return false; /* the next pump finds room */
	if (err != 0) {
		/* Too many or too fast: again after a pause, or when the
		 * muxer says so (MUX_EV_WRITABLE of no stream). */
		c->open_after_ms = env_after(env, SWARM_STREAM_REOPEN_MS);
		swarm_due(s, c->open_after_ms);
		swarm_due(s, channel_deadline(c->up));
		return false;
	}
	set_mux(st, mux);
	swarm_due(s, channel_deadline(c->up));
	return true;
}

static void tell_writable(struct swarm *s, struct stream *st)
{
	struct swarm_event ev = {.kind = SWARM_EV_STREAM_WRITABLE,
		.stream = st->id,
		.peer = st->conn->peer->id};

	if (!st->write_waited || st->protocol < SWARM_PROTO_USER)
		return;
	st->write_waited = false;
	swarm_emit(s, &ev);
}

bool stream_flush(struct swarm *s, const struct env *env, struct stream *st)
{
	struct conn *c = st->conn;
	bool moved = false;

	if (st->out.len == 0 && !st->write_waited &&
		(!st->close_asked || st->close_sent))
		return false;
	if (!open_at_muxer(s, env, st))
		return false;
	while (st->out.len > 0) {
		size_t taken = 0;
		int err = channel_stream_write(
			c->up, st->mux, bufq_peek(&st->out), &taken);

		if (err != 0 || taken == 0)
			break; /* an ended stream tells so by its event */
		bufq_consume(&st->out, taken);
		moved = true;
	}
	if (st->out.len > 0) {
		if (moved || st->stuck_ms == P2P_NEVER)
			st->stuck_ms = env->now_ms;
		return moved;
	}
	st->stuck_ms = P2P_NEVER;
	tell_writable(s, st);
	if (st->close_asked && !st->close_sent) {
		(void)channel_stream_close_write(c->up, st->mux);
		st->close_sent = true;
		moved = true;
	}
	return moved;
}

/* ---- reading ----------------------------------------------------------- */

static void tell(
	struct swarm *s, struct stream *st, enum swarm_event_kind kind, int err)
{
	struct swarm_event ev = {
		.kind = kind,
		.stream = st->id,
		.err = err,
		.protocol = st->protocol - SWARM_PROTO_USER,
		.peer = st->conn->peer->id,
	};

	if (st->protocol >= SWARM_PROTO_USER)
		swarm_emit(s, &ev);
}

/* A stream of the peer has its protocol. */
static void serve(struct swarm *s, const struct env *env, struct stream *st)
{
	switch (st->protocol) {
	case SWARM_PROTO_IDENTIFY:
		identify_answer(s, env, st);
		break;
	case SWARM_PROTO_PING:
		st->conn->ping_streams_in++;
		if (st->conn->ping_streams_in > SWARM_PING_STREAMS_IN_MAX) {
			s->counters.streams_refused++;
			stream_drop(s, st, P2P_ERR_LIMIT, false);
		}
		break;
	case SWARM_PROTO_PUSH:
		st->deadline_ms = env_after(env, SWARM_IDENTIFY_MS);
		break;
	default:
		tell(s, st, SWARM_EV_STREAM_IN, 0);
		break;
	}
}

/* False when the stream is gone or still negotiating. */
static bool negotiate(struct swarm *s, const struct env *env, struct stream *st)
{
	uint64_t id = st->id;
	size_t taken = 0;
	bool end;
	struct bytes in;
	int err;

	in = channel_stream_peek(st->conn->up, st->mux, &end);
	err = multistream_feed(&st->ms, in, &taken, &st->out);
	(void)channel_stream_consume(st->conn->up, st->mux, taken);
	if (err != 0 || (end && !multistream_done(&st->ms))) {
		s->counters.streams_refused += err != 0;
		stream_drop(s, st, err != 0 ? err : P2P_ERR_CLOSED, true);
		return false;
	}
	if (!multistream_done(&st->ms))
		return false;
	st->negotiated = true;
	st->deadline_ms = P2P_NEVER;
	if (st->inbound) {
		st->protocol = multistream_chosen(&st->ms);
		serve(s, env, st);
	} else {
		if (st->protocol == SWARM_PROTO_IDENTIFY ||
			st->protocol == SWARM_PROTO_PUSH)
			st->deadline_ms = env_after(env, SWARM_IDENTIFY_MS);
		tell(s, st, SWARM_EV_STREAM_READY, 0);
	}
	return stream_find(s, id) == st;
}

/* One that we only write on: nothing is expected but its end. */
static void drop_if_ended(struct swarm *s, struct stream *st)
{
	bool end;
	struct bytes in = channel_stream_peek(st->conn->up, st->mux, &end);

	(void)channel_stream_consume(st->conn->up, st->mux, in.len);
	if (end && st->close_sent)
		stream_drop(s, st, 0, false);
}

void stream_on_readable(
	struct swarm *s, const struct env *env, struct stream *st)
{
	if (!st->negotiated && !negotiate(s, env, st))
		return;
	switch (st->protocol) {
	case SWARM_PROTO_IDENTIFY:
	case SWARM_PROTO_PUSH:
		if (st->inbound == (st->protocol == SWARM_PROTO_PUSH))
			identify_read(s, env, st);
		else
			drop_if_ended(s, st);
		break;
	case SWARM_PROTO_PING:
		ping_read(s, env, st);
		break;
	default:
		tell(s, st, SWARM_EV_STREAM_READABLE, 0);
		break;
	}
}

void stream_on_reset(struct swarm *s, const struct env *env, struct stream *st)
{
	uint64_t id = st->id;
	struct bytes in;
	bool end;

	/* What arrived before the reset is still read: some answer, then
	 * reset instead of closing. */
	stream_on_readable(s, env, st);
	if (stream_find(s, id) != st)
		return;
	in = channel_stream_peek(st->conn->up, st->mux, &end);
	st->was_reset = true;
	if (st->negotiated && st->protocol >= SWARM_PROTO_USER && in.len > 0)
		return; /* the user reads later: swarm_stream_consume */
	stream_drop(s, st, P2P_ERR_RESET, true);
}

/* ---- the end ----------------------------------------------------------- */

/* With what arrived and was not read: at most a window of bytes. */
static void tell_gone(struct swarm *s, struct stream *st, int err)
{
	struct swarm_event ev = {
		.kind = SWARM_EV_STREAM_GONE,
		.stream = st->id,
		.err = err,
		.peer = st->conn->peer->id,
	};
	struct bytes in = bytes_of(NULL, 0);
	bool end;

	if (st->protocol < SWARM_PROTO_USER)
		return;
	if (st->negotiated && st->open_sent)
		in = channel_stream_peek(st->conn->up, st->mux, &end);
	if (in.len > 0) {
		ev.rest = xmemdup(in.data, in.len);
		ev.rest_len = in.len;
	}
	swarm_emit(s, &ev);
}

void stream_drop(struct swarm *s, struct stream *st, int err, bool told)
{
	struct conn *c = st->conn;

	if (told && c->peer != NULL)
		tell_gone(s, st, err);
	if (c->ping_stream == st->id)
		c->ping_stream = 0;
	if (st->inbound && st->negotiated && st->protocol == SWARM_PROTO_PING)
		c->ping_streams_in--;
	if (st->open_sent) {
		channel_stream_forget(c->up, st->mux);
		(void)table_remove(
			&c->by_mux, bytes_of(&st->mux, sizeof(st->mux)));
	}
	if (st->protocol == SWARM_PROTO_IDENTIFY && !st->inbound)
		identify_ended(s, c);
	s->counters.budget_stream += st->budget.refused_count;
	list_remove(&st->of_conn);
	(void)table_remove(&s->streams, bytes_of(&st->id, sizeof(st->id)));
	bufq_clear(&st->out);
	buf_clear(&st->body);
	budget_clear(&st->budget);
	budget_release(&c->budget, SWARM_STREAM_COST_BYTES);
	free(st);
}

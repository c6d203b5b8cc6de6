/*
 * A stream from its first proposal to its end: negotiation, what waits to be
 * written, and what its user is to hear. The bytes that arrive stay with the
 * connection's channel until the user takes them.
 *
 *   conn->streams   every stream of a connection, in the order of opening
 *   swarm->ready    those of which the user has something to hear
 *   swarm->gone     those that ended; they belong to no connection any more
 */
#include <stdlib.h>

#include "base/xmalloc.h"
#include "net/swarm/swarm_internal.h"

struct stream *stream_of(struct sstream *pub)
{
	return LIST_ITEM(pub, struct stream, pub);
}

struct sstream *swarm_stream(const struct swarm *s, uint64_t id)
{
	struct stream *st = table_get(&s->streams, bytes_of(&id, sizeof(id)));

	return st == NULL ? NULL : &st->pub;
}

/* The user hears of it when he next asks. */
static void tell(struct swarm *s, struct stream *st, unsigned what)
{
	st->events |= what;
	if (list_empty(&st->ready))
		list_push_back(&s->ready, &st->ready);
}

/* The channel knows it under this number from now on. */
static void set_mux(struct stream *st, uint64_t mux)
{
	st->mux = mux;
	st->open_sent = true;
	channel_stream_tag(st->conn->up, mux, st);
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
	st->pub.id = s->next_id++;
	st->pub.peer = c->peer->id;
	st->pub.conn = c->id;
	st->pub.protocol = -1;
	st->pub.limited = c->limited;
	st->conn = c;
	st->stuck_ms = P2P_NEVER;
	st->deadline_ms = env_after(env, SWARM_STREAM_NEGOTIATE_MS);
	swarm_due(s, st->deadline_ms);
	bufq_init_charged(&st->out,
		SWARM_STREAM_OUT_BYTES + SWARM_STREAM_NEGOTIATION_BYTES,
		&st->budget);
	buf_init(&st->rest, SIZE_MAX);
	list_init(&st->ready);
	list_push_back(&c->streams, &st->of_conn);
	(void)table_put(
		&s->streams, bytes_of(&st->pub.id, sizeof(st->pub.id)), st);
	return st;
}

/* ---- opening ------------------------------------------------------------ */

/* The proposals as far as the peer is known to speak them: one that it named,
 * or all when it has named none yet. False: it speaks none of them. */
static bool choose_proposals(struct swarm *s, struct stream *st,
	const struct peer *p, const char *const *names)
{
	st->proposals = names;
	if (!p->identified || names[1] == NULL)
		return true;
	for (; *names != NULL; names++) {
		if (!swarm_peer_speaks(s, &p->id, *names))
			continue;
		st->proposal[0] = *names;
		st->proposals = st->proposal;
		return true;
	}
	return false;
}

static int propose(struct swarm *s, struct stream *st, const struct peer *p,
	const char *const *names)
{
	if (!choose_proposals(s, st, p, names))
		return P2P_ERR_NO_PROTOCOL;
	if (st->proposals[1] == NULL)
		st->pub.proposed = st->proposals[0];
	return multistream_init(&st->ms, st->proposals, true, &st->out);
}

static struct conn *conn_to_open_on(
	const struct swarm *s, const struct swarm_open *o)
{
	struct peer *p;
	struct conn *c;

	if (o->conn != 0) {
		c = conn_find(s, o->conn);
		return c != NULL && c->state == CONN_READY ? c : NULL;
	}
	p = o->peer == NULL ? NULL : peer_find(s, o->peer);
	c = p == NULL ? NULL : peer_conn(p);
	return c != NULL && c->limited && !o->limited ? NULL : c;
}

int swarm_stream_open(struct swarm *s, const struct env *env,
	const struct swarm_open *o, struct sstream **out)
{
	struct conn *c = conn_to_open_on(s, o);
	struct stream *st;
	int err;

	if (c == NULL)
		return P2P_ERR_NOT_FOUND;
	st = stream_new(s, env, c);
	if (st == NULL)
		return P2P_ERR_LIMIT;
	err = propose(s, st, c->peer, o->protocols);
	if (err != 0) {
		s->counters.streams_refused += err != P2P_ERR_NO_PROTOCOL;
		swarm_stream_reset(s, &st->pub);
		return err == P2P_ERR_NO_PROTOCOL ? err : P2P_ERR_LIMIT;
	}
	/* Where opens are paced (mplex), what is urgent is not behind them. */
	if (o->urgent) {
		list_remove(&st->of_conn);
		list_push_front(&c->streams, &st->of_conn);
	}
	if (stream_flush(s, env, st))
		conn_want_write(s, env, c);
	*out = &st->pub;
	return 0;
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
	st->pub.inbound = true;
	if (multistream_init(&st->ms, s->cfg.protocols, false, &st->out) != 0) {
		s->counters.streams_refused++;
		swarm_stream_reset(s, &st->pub);
		return;
	}
	(void)channel_stream_accept(c->up, mux);
	stream_on_readable(s, env, st);
}

/* ---- writing ------------------------------------------------------------ */

/* With more than one proposal nobody knows yet to whom the bytes would go. */
static bool may_write(const struct stream *st)
{
	return st->pub.name != NULL || st->pub.proposed != NULL;
}

/* All or nothing into the queue. */
static int queue(struct stream *st, struct bytes in)
{
	if (st->out.len + in.len > SWARM_STREAM_OUT_BYTES)
		return P2P_ERR_FULL;
	return bufq_push(&st->out, in);
}

/* The same, but what the channel takes at once is not queued before. */
static int write_through(struct stream *st, struct bytes in)
{
	size_t taken = 0, held;

	if (!st->open_sent || st->out.len > 0)
		return queue(st, in);
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

int swarm_stream_write(struct swarm *s, const struct env *env,
	struct sstream *pub, struct bytes in)
{
	struct stream *st = stream_of(pub);
	int err;

	if (st->conn == NULL)
		return P2P_ERR_CLOSED;
	if (st->close_asked)
		return P2P_ERR_STATE;
	st->write_waited = true;
	err = may_write(st) ? write_through(st, in) : P2P_ERR_FULL;
	if (err != 0)
		return err;
	(void)stream_flush(s, env, st);
	conn_want_write(s, env, st->conn);
	return 0;
}

size_t swarm_stream_backlog(const struct sstream *pub)
{
	return stream_of((struct sstream *)(uintptr_t)pub)->out.len;
}

void swarm_stream_close_write(
	struct swarm *s, const struct env *env, struct sstream *pub)
{
	struct stream *st = stream_of(pub);

	if (st->conn == NULL)
		return;
	st->close_asked = true;
	if (stream_flush(s, env, st))
		conn_want_write(s, env, st->conn);
}

/* True when the channel knows the stream. */
static bool open_at_channel(
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

/* Nothing waits any more: what its user wanted to know or to happen then. */
static bool emptied(struct swarm *s, struct stream *st)
{
	st->stuck_ms = P2P_NEVER;
	if (st->write_waited && may_write(st)) {
		st->write_waited = false;
		tell(s, st, SSTREAM_WRITABLE);
	}
	if (!st->close_asked || st->close_sent)
		return false;
	(void)channel_stream_close_write(st->conn->up, st->mux);
	st->close_sent = true;
	/* When the other side was first, nothing else would have the user look
	 * whether it is over. */
	tell(s, st, 0);
	return true;
}

bool stream_flush(struct swarm *s, const struct env *env, struct stream *st)
{
	bool moved = false;

	if (st->out.len == 0 && !st->write_waited &&
		(!st->close_asked || st->close_sent))
		return false;
	if (!open_at_channel(s, env, st))
		return false;
	while (st->out.len > 0) {
		size_t taken = 0;
		int err = channel_stream_write(
			st->conn->up, st->mux, bufq_peek(&st->out), &taken);

		if (err != 0 || taken == 0)
			break; /* an ended stream tells so by its event */
		bufq_consume(&st->out, taken);
		moved = true;
	}
	if (st->out.len == 0)
		return emptied(s, st) || moved;
	if (moved || st->stuck_ms == P2P_NEVER)
		st->stuck_ms = env->now_ms;
	return moved;
}

/* ---- reading ------------------------------------------------------------ */

static int protocol_index(const struct swarm *s, const char *name)
{
	for (int i = 0; s->cfg.protocols[i] != NULL; i++)
		if (strcmp(s->cfg.protocols[i], name) == 0)
			return i;
	return -1;
}

static void agreed(struct swarm *s, struct stream *st)
{
	int chosen = multistream_chosen(&st->ms);

	st->pub.name = st->pub.inbound ? s->cfg.protocols[chosen]
				       : st->proposals[chosen];
	st->pub.protocol =
		st->pub.inbound ? chosen : protocol_index(s, st->pub.name);
	st->deadline_ms = P2P_NEVER;
	tell(s, st, SSTREAM_OPENED);
}

/* False when the stream is gone or still negotiating. */
static bool negotiate(struct swarm *s, const struct env *env, struct stream *st)
{
	size_t taken = 0;
	bool end;
	struct bytes in;
	int err;

	in = channel_stream_peek(st->conn->up, st->mux, &end);
	err = multistream_feed(&st->ms, in, &taken, &st->out);
	(void)channel_stream_consume(st->conn->up, st->mux, taken);
	if (err != 0 || (end && !multistream_done(&st->ms))) {
		s->counters.streams_refused += err != 0;
		stream_end(s, st, err != 0 ? err : P2P_ERR_CLOSED);
		return false;
	}
	if (!multistream_done(&st->ms))
		return false;
	agreed(s, st);
	(void)stream_flush(s, env, st);
	return true;
}

void stream_on_readable(
	struct swarm *s, const struct env *env, struct stream *st)
{
	if (st->pub.name == NULL && !negotiate(s, env, st))
		return;
	tell(s, st, SSTREAM_READABLE);
}

struct bytes swarm_stream_peek(const struct sstream *pub, bool *end)
{
	const struct stream *st = stream_of((struct sstream *)(uintptr_t)pub);

	*end = st->conn == NULL;
	if (st->conn == NULL)
		return bytes_skip(buf_bytes(&st->rest), st->rest_read);
	if (pub->name == NULL || !st->open_sent)
		return bytes_of(NULL, 0);
	return channel_stream_peek(st->conn->up, st->mux, end);
}

void swarm_stream_consume(struct swarm *s, struct sstream *pub, size_t n)
{
	struct stream *st = stream_of(pub);
	bool end;

	if (n == 0)
		return;
	if (st->conn == NULL) {
		P2P_ASSERT(n <= st->rest.len - st->rest_read);
		st->rest_read += n;
		return;
	}
	(void)channel_stream_consume(st->conn->up, st->mux, n);
	if (st->was_reset && swarm_stream_peek(pub, &end).len == 0) {
		stream_end(s, st, P2P_ERR_RESET);
		return;
	}
	/* Credit given back is written with the next pump; asked for here so
	 * that a reader alone keeps the stream moving. */
	conn_ask_write(s, st->conn);
}

void swarm_stream_withhold(struct swarm *s, struct sstream *pub, size_t n)
{
	struct stream *st = stream_of(pub);

	if (st->conn == NULL)
		return;
	(void)channel_stream_withhold(st->conn->up, st->mux, n);
	conn_ask_write(s, st->conn);
}

void swarm_stream_again(struct swarm *s, struct sstream *pub)
{
	tell(s, stream_of(pub), SSTREAM_READABLE);
}

void stream_on_reset(struct swarm *s, const struct env *env, struct stream *st)
{
	uint64_t id = st->pub.id;
	bool end;

	/* What arrived before the reset is still read: some answer, then
	 * reset instead of closing. The user reads later. */
	stream_on_readable(s, env, st);
	if (swarm_stream(s, id) != &st->pub || st->conn == NULL)
		return;
	st->was_reset = true;
	if (swarm_stream_peek(&st->pub, &end).len == 0)
		stream_end(s, st, P2P_ERR_RESET);
}

/* ---- the user's means --------------------------------------------------- */

int swarm_stream_keep(struct sstream *pub, size_t bytes)
{
	struct stream *st = stream_of(pub);
	int err = 0;

	if (st->conn == NULL)
		return 0;
	if (bytes > st->kept)
		err = budget_charge(&st->budget, bytes - st->kept);
	else
		budget_release(&st->budget, st->kept - bytes);
	if (err == 0)
		st->kept = bytes;
	return err;
}

void swarm_stream_expire(struct swarm *s, struct sstream *pub, uint64_t at_ms)
{
	struct stream *st = stream_of(pub);

	st->deadline_ms = at_ms;
	swarm_due(s, at_ms);
}

bool swarm_stream_ended(const struct sstream *pub)
{
	const struct stream *st = stream_of((struct sstream *)(uintptr_t)pub);
	bool end = false;
	size_t left = swarm_stream_peek(pub, &end).len;

	return st->conn != NULL && st->close_sent && end && left == 0;
}

/* ---- the end ------------------------------------------------------------ */

/* Off its connection, which may be freed next: nothing is charged, queued or
 * known to the channel any more. */
static void detach(struct swarm *s, struct stream *st)
{
	struct conn *c = st->conn;

	if (c == NULL)
		return;
	if (st->open_sent) {
		channel_stream_forget(c->up, st->mux);
		conn_ask_write(s, c);
	}
	s->counters.budget_stream += st->budget.refused_count;
	list_remove(&st->of_conn);
	bufq_clear(&st->out);
	budget_clear(&st->budget);
	budget_release(&c->budget, SWARM_STREAM_COST_BYTES);
	st->conn = NULL;
	st->pub.conn = 0;
}

void stream_end(struct swarm *s, struct stream *st, int err)
{
	struct bytes in;
	bool end;

	if (st->conn == NULL)
		return;
	if (st->pub.inbound && st->pub.name == NULL) {
		/* The user has never heard of it. */
		swarm_stream_reset(s, &st->pub);
		return;
	}
	/* At most a window of bytes that nobody will say again. */
	in = swarm_stream_peek(&st->pub, &end);
	if (in.len > 0)
		(void)buf_append(&st->rest, in);
	detach(s, st);
	st->err = err;
	st->events |= SSTREAM_GONE;
	list_remove(&st->ready);
	list_push_back(&s->gone, &st->ready);
}

void swarm_stream_reset(struct swarm *s, struct sstream *pub)
{
	struct stream *st = stream_of(pub);

	detach(s, st);
	list_remove(&st->ready);
	(void)table_remove(
		&s->streams, bytes_of(&st->pub.id, sizeof(st->pub.id)));
	buf_clear(&st->rest);
	free(st);
}

/* ---- what is new -------------------------------------------------------- */

static struct sstream *next_of(struct list *head, unsigned *events, int *err)
{
	struct stream *st;

	if (list_empty(head))
		return NULL;
	st = LIST_ITEM(head->next, struct stream, ready);
	list_remove(&st->ready);
	*events = st->events;
	*err = st->err;
	st->events = 0;
	return &st->pub;
}

struct sstream *swarm_next_gone(struct swarm *s, unsigned *events, int *err)
{
	return next_of(&s->gone, events, err);
}

struct sstream *swarm_next_stream(struct swarm *s, unsigned *events)
{
	int err;

	return next_of(&s->ready, events, &err);
}

/*
 * The verbs of muxer.h, which are the same for both muxers, and the way of
 * bytes through a connection: heads to the kind (yamux.c, mplex.c), bodies to
 * their streams. Answers wait in a queue of their own that always has room for
 * the next head's, so a carrier that is full stops reading and loses nothing.
 */
#include <stdlib.h>

#include "base/xmalloc.h"
#include "net/upgrade/mux_internal.h"

/* One ping of ours may wait among the answers as well. */
#define ANSWERS_BYTES_MAX ((MUX_ANSWERS_MAX + 2) * MUX_ANSWER_BYTES_MAX)

static void set_time(struct muxer *m, const struct env *env)
{
	m->now_ms = env->now_ms;
	m->now_us = env_now_us(env);
}

struct muxer *muxer_new(const struct muxer_cfg *cfg, const struct env *env)
{
	struct muxer *m = xcalloc(1, sizeof(*m));

	P2P_ASSERT(cfg->budget != NULL);
	m->cfg = *cfg;
	m->ops = cfg->kind == MUXER_YAMUX ? &yamux_ops : &mplex_ops;
	set_time(m, env);
	m->heard_ms = m->now_ms;
	table_init(&m->numbers, env->rng);
	table_init(&m->wire, env->rng);
	list_init(&m->all_owing);
	list_init(&m->all_ready);
	bufq_init(&m->answers, ANSWERS_BYTES_MAX);
	m->ops->init(m, env);
	return m;
}

void muxer_free(struct muxer *m)
{
	struct list *at, *tmp;
	struct table_entry *e;

	if (m == NULL)
		return;
	for (e = table_oldest(&m->numbers); e != NULL;
		e = table_oldest(&m->numbers))
		mux_stream_drop(m, e->value);
	/* Those that the user forgot and whose last frame never went out. */
	LIST_FOREACH(at, tmp, &m->all_owing)
		mux_stream_drop(m, LIST_ITEM(at, struct mux_stream, owing));
	P2P_ASSERT(m->wire.count == 0);
	table_clear(&m->numbers);
	table_clear(&m->wire);
	bufq_clear(&m->answers);
	free(m);
}

/* ---- in ---- */

static size_t take_body(struct muxer *m, struct bytes in)
{
	size_t n = P2P_MIN(in.len, m->body_left);

	if (m->body_stream != NULL)
		mux_stream_recv_data(m, m->body_stream, bytes_first(in, n));
	m->body_left -= n;
	if (m->body_left == 0 && m->body_fin && m->body_stream != NULL)
		mux_stream_recv_fin(m, m->body_stream);
	if (m->body_left == 0)
		m->body_stream = NULL;
	return n;
}

/* A head may need one answer; one more place is kept for a ping of ours. */
static bool answer_fits(struct muxer *m, struct bufq *out)
{
	if (bufq_room(&m->answers) < 2 * MUX_ANSWER_BYTES_MAX)
		muxer_flush(m, out);
	return bufq_room(&m->answers) >= 2 * MUX_ANSWER_BYTES_MAX;
}

int muxer_feed(struct muxer *m, const struct env *env, struct bytes in,
	size_t *taken, struct bufq *out)
{
	*taken = 0;
	set_time(m, env);
	while (m->failed == 0 && *taken < in.len) {
		struct bytes rest = bytes_skip(in, *taken);
		size_t n = 0;

		if (m->body_left > 0)
			n = take_body(m, rest);
		else if (answer_fits(m, out))
			m->failed = m->ops->take_head(m, rest, &n);
		else
			break;
		*taken += n;
	}
	if (*taken > 0)
		m->heard_ms = m->now_ms;
	/* Whoever is awake asks now what is to be asked. */
	if (m->failed == 0)
		m->ops->tick(m, env);
	muxer_flush(m, out);
	return m->failed;
}

/* ---- events ---- */

static bool next_conn_event(struct muxer *m, struct mux_event *ev)
{
	if (m->events == 0)
		return false;
	ev->kind = (enum mux_event_kind)__builtin_ctz(m->events);
	ev->rtt_us = m->event_rtt_us;
	ev->code = ev->kind == MUX_EV_GO_AWAY ? m->event_code : 0;
	m->events &= m->events - 1;
	return true;
}

/* The lowest kind first: a stream is opened before it is readable, and
 * readable before it is reset. */
static bool next_stream_event(struct muxer *m, struct mux_event *ev)
{
	struct mux_stream *s;

	if (list_empty(&m->all_ready))
		return false;
	s = LIST_ITEM(m->all_ready.next, struct mux_stream, ready);
	ev->kind = (enum mux_event_kind)__builtin_ctz(s->events);
	ev->stream = s->number;
	ev->tag = s->tag;
	ev->code = ev->kind == MUX_EV_RESET ? s->reset_code : 0;
	s->events &= s->events - 1;
	if (s->events == 0)
		list_remove(&s->ready);
	return true;
}

static bool may_open(const struct muxer *m)
{
	return m->out_count < MUX_STREAMS_OUT_MAX && m->ops->may_open(m) == 0;
}

bool muxer_next_event(struct muxer *m, struct mux_event *ev)
{
	*ev = (struct mux_event){.kind = MUX_EV_WRITABLE};
	if (next_conn_event(m, ev) || next_stream_event(m, ev))
		return true;
	if (!m->open_refused || !may_open(m))
		return false;
	m->open_refused = false;
	return true;
}

/* ---- time ---- */

void muxer_tick(struct muxer *m, const struct env *env, struct bufq *out)
{
	set_time(m, env);
	if (m->failed != 0)
		return;
	m->ops->tick(m, env);
	muxer_flush(m, out);
}

void muxer_leaving(struct muxer *m, const struct env *env, bool gone)
{
	set_time(m, env);
	if (m->ops->leaving != NULL)
		m->ops->leaving(m, gone);
}

uint64_t muxer_deadline(const struct muxer *m)
{
	return m->failed != 0 ? P2P_NEVER : m->ops->deadline(m);
}

/* ---- streams, as the user sees them ---- */

int muxer_open(struct muxer *m, const struct env *env, uint64_t *stream,
	struct bufq *out)
{
	struct mux_stream *s;
	int err;

	set_time(m, env);
	if (m->failed != 0)
		return m->failed;
	if (m->go_away_seen || m->go_away_sent || m->go_away_owed)
		return P2P_ERR_CLOSED;
	muxer_flush(m, out);
	if (!may_open(m)) {
		m->open_refused = true;
		return P2P_ERR_LIMIT;
	}
	err = m->ops->open(m, &s, out);
	if (err == 0)
		*stream = s->number;
	return err;
}

void muxer_tag(struct muxer *m, uint64_t stream, void *tag)
{
	struct mux_stream *s = mux_stream_find(m, stream);

	if (s != NULL)
		s->tag = tag;
}

void *muxer_tag_of(const struct muxer *m, uint64_t stream)
{
	const struct mux_stream *s = mux_stream_find(m, stream);

	return s == NULL ? NULL : s->tag;
}

int muxer_accept(struct muxer *m, uint64_t stream, struct bufq *out)
{
	struct mux_stream *s = mux_stream_find(m, stream);

	if (s == NULL)
		return P2P_ERR_NOT_FOUND;
	mux_stream_accept(m, s);
	muxer_flush(m, out);
	return 0;
}

int muxer_write(struct muxer *m, uint64_t stream, struct bytes in,
	size_t *taken, struct bufq *out)
{
	struct mux_stream *s = mux_stream_find(m, stream);

	*taken = 0;
	if (m->failed != 0)
		return m->failed;
	if (s == NULL)
		return P2P_ERR_NOT_FOUND;
	if (s->reset)
		return P2P_ERR_RESET;
	if (s->send_ended)
		return P2P_ERR_STATE;
	mux_stream_accept(m, s);
	muxer_flush(m, out);
	while (*taken < in.len) {
		size_t n = m->ops->send(m, s, bytes_skip(in, *taken), out);

		if (n == 0)
			break;
		*taken += n;
	}
	return 0;
}

int muxer_close_write(struct muxer *m, uint64_t stream, struct bufq *out)
{
	struct mux_stream *s = mux_stream_find(m, stream);

	if (s == NULL)
		return P2P_ERR_NOT_FOUND;
	if (s->reset)
		return P2P_ERR_RESET;
	if (!s->send_ended) {
		mux_stream_accept(m, s);
		mux_stream_send_fin(m, s);
	}
	muxer_flush(m, out);
	return 0;
}

int muxer_reset(struct muxer *m, uint64_t stream, struct bufq *out)
{
	struct mux_stream *s = mux_stream_find(m, stream);

	if (s == NULL)
		return P2P_ERR_NOT_FOUND;
	mux_stream_forget(m, s, true);
	muxer_flush(m, out);
	return 0;
}

void muxer_forget(struct muxer *m, uint64_t stream, struct bufq *out)
{
	struct mux_stream *s = mux_stream_find(m, stream);

	if (s == NULL)
		return;
	mux_stream_forget(m, s, false);
	muxer_flush(m, out);
}

struct bytes muxer_read_peek(const struct muxer *m, uint64_t stream, bool *end)
{
	const struct mux_stream *s = mux_stream_find(m, stream);

	*end = s == NULL || s->recv_ended;
	if (s == NULL || s->recv.len == 0)
		return bytes_of(NULL, 0);
	return bytes_of(s->recv.data + s->recv.head, s->recv.len);
}

int muxer_read_consume(
	struct muxer *m, uint64_t stream, size_t n, struct bufq *out)
{
	struct mux_stream *s = mux_stream_find(m, stream);

	if (s == NULL)
		return P2P_ERR_NOT_FOUND;
	if (n > s->recv.len)
		return P2P_ERR_INVAL;
	mux_stream_consume(m, s, n);
	muxer_flush(m, out);
	return 0;
}

int muxer_read_withhold(
	struct muxer *m, uint64_t stream, size_t n, struct bufq *out)
{
	struct mux_stream *s = mux_stream_find(m, stream);

	if (s == NULL)
		return P2P_ERR_NOT_FOUND;
	mux_stream_withhold(m, s, n);
	muxer_flush(m, out);
	return 0;
}

/* ---- out ---- */

void muxer_flush(struct muxer *m, struct bufq *out)
{
	if (m->failed != 0)
		return;
	/* All or none: half an answer in front of a data frame would bend
	 * everything behind it. */
	if (bufq_push(out, bufq_peek(&m->answers)) != 0)
		return;
	bufq_consume(&m->answers, m->answers.len);
	if (m->go_away_owed && m->ops->go_away(out)) {
		m->go_away_owed = false;
		m->go_away_sent = true;
	}
	mux_send_owed(m, out);
}

void muxer_go_away(struct muxer *m, struct bufq *out)
{
	if (m->go_away_sent)
		return;
	m->go_away_owed = true;
	muxer_flush(m, out);
}

uint32_t muxer_stream_count(const struct muxer *m)
{
	return (uint32_t)m->numbers.count;
}

const struct muxer_counts *muxer_counts(const struct muxer *m)
{
	return &m->counts;
}

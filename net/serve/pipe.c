/*
 * Pipes: each is a stream with a number that another thread knows. Events wait
 * in one queue for all; what of them was made by peers is charged to the
 * streams until the other thread has taken it in.
 */
#include "net/serve/pipe.h"

#include <stdlib.h>

#include "base/xmalloc.h"
#include "net/serve/request.h"
#include "net/serve/serve_internal.h"

/* What start returns: one for each protocol. */
struct pipe_service {
	struct serve *sv;
	struct pipes *ps; /* serve's */
	const struct service_ops *ops;
	struct table openers; /* a connection -> struct opener */
};

/* What a peer has opened on one connection lately. */
struct opener {
	uint64_t since_ms;
	unsigned count;
};

/* In the stream's state. */
struct pipe {
	uint64_t id; /* 0: none yet */
	uint64_t stream;
	struct request in;
	size_t sent; /* bytes of frames since the last ROOM */
	bool end_told;
};

_Static_assert(sizeof(struct pipe) <= PIPE_STATE_BYTES,
	"the state of a stream holds a pipe");

void *pipe_start(struct serve *sv, const struct service_ops *ops,
	const struct serve_cfg *cfg, const struct env *env)
{
	struct pipe_service *self = xcalloc(1, sizeof(*self));

	(void)cfg;
	table_init(&self->openers, env->rng);
	P2P_ASSERT(ops->frame_bytes_max <= PIPE_FRAME_BYTES_MAX);
	self->sv = sv;
	self->ps = serve_pipes(sv);
	self->ops = ops;
	return self;
}

void pipe_free(void *self)
{
	struct pipe_service *ms = self;
	struct table_entry *e, *tmp;

	TABLE_FOREACH(e, tmp, &ms->openers)
		free(e->value);
	table_clear(&ms->openers);
	free(ms);
}

/* ---- events ------------------------------------------------------------- */

static void tell(struct pipe_service *self, const struct sstream *st,
	struct pipe_event ev)
{
	const struct pipe *p = st->state;

	ev.pipe = p->id;
	ev.peer = st->peer;
	ev.name = self->ops->names[0];
	ev.inbound = st->inbound;
	pipes_put(self->ps, &ev);
}

bool pipe_waiting(const struct serve *sv)
{
	return serve_pipes(sv)->count > 0;
}

bool pipe_next_event(struct serve *sv, struct pipe_event *ev)
{
	return pipes_take(serve_pipes(sv), ev);
}

/* ---- streams ------------------------------------------------------------ */

/* Of a pipe or a connection. */
static struct bytes key_of(const uint64_t *number)
{
	return bytes_of(number, sizeof(*number));
}

/* Connections that are gone before serve tells of their streams are 0, and so
 * count as one. */
static bool opens_too_often(struct pipe_service *ms, const struct env *env,
	const struct sstream *st)
{
	struct opener *o;

	if (ms->ops->opens_a_minute == 0)
		return false;
	o = table_get(&ms->openers, key_of(&st->conn));
	if (o == NULL) {
		o = xcalloc(1, sizeof(*o));
		o->since_ms = env->now_ms;
		(void)table_put(&ms->openers, key_of(&st->conn), o);
	}
	if (env->now_ms - o->since_ms >= PIPE_MINUTE_MS)
		*o = (struct opener){.since_ms = env->now_ms};
	return o->count++ >= ms->ops->opens_a_minute;
}

void pipe_conn_down(void *self, const struct env *env, uint64_t conn)
{
	struct pipe_service *ms = self;

	(void)env;
	free(table_remove(&ms->openers, key_of(&conn)));
}

static void name_it(struct pipes *ps, struct sstream *st, uint64_t id)
{
	struct pipe *p = st->state;

	p->id = id;
	p->stream = st->id;
	(void)table_put(&ps->streams, key_of(&p->id), p);
}

void pipe_opened(void *self, const struct env *env, struct sstream *st)
{
	struct pipe_service *ms = self;

	/* Whoever opens and ends one after the other is not heard faster than
	 * the other thread takes notice, nor so often that it takes notice of
	 * little else. */
	if (st->inbound && (ms->ps->count >= PIPE_EVENTS_MAX ||
				   opens_too_often(ms, env, st))) {
		swarm_count_refused(serve_swarm(ms->sv));
		serve_reset(ms->sv, st);
		return;
	}
	if (st->inbound)
		name_it(ms->ps, st, st->id);
	tell(ms, st, (struct pipe_event){.kind = PIPE_EV_UP});
}

/* As many frames as may wait; their cost stands in p->in.besides. */
static int read_frames(
	struct pipe_service *self, struct sstream *st, struct serve_in *in)
{
	struct pipe *p = st->state;
	struct bytes frame;
	int got = 1;

	while (got > 0 && p->in.besides < PIPE_AHEAD_BYTES) {
		got = request_read(
			&p->in, st, self->ops->frame_bytes_max, in, &frame);
		if (got <= 0)
			break;
		p->in.besides += frame.len + PIPE_FRAME_COST_BYTES;
		tell(self, st,
			(struct pipe_event){.kind = PIPE_EV_FRAME,
				.len = frame.len,
				.data = frame.len == 0 ? NULL
						       : xmemdup(frame.data,
								 frame.len)});
	}
	return got;
}

int pipe_readable(void *self, const struct env *env, struct sstream *st,
	struct serve_in *in)
{
	struct pipe_service *ms = self;
	struct pipe *p = st->state;
	int got = read_frames(ms, st, in);

	(void)env;
	if (got < 0)
		return got;
	if (got > 0) {
		serve_hold(ms->sv, st, true);
		return 0;
	}
	if (in->end && !p->end_told) {
		p->end_told = true;
		tell(ms, st, (struct pipe_event){.kind = PIPE_EV_END});
	}
	return 0;
}

void pipe_writable(void *self, const struct env *env, struct sstream *st)
{
	struct pipe *p = st->state;

	(void)env;
	if (p->sent > 0)
		tell(self, st,
			(struct pipe_event){
				.kind = PIPE_EV_ROOM, .len = p->sent});
	p->sent = 0;
}

void pipe_gone(void *self, const struct env *env, struct sstream *st,
	struct bytes rest, int err)
{
	struct pipe_service *ms = self;
	struct pipe *p = st->state;
	struct serve_in left = {.bytes = rest};

	(void)env;
	/* Said before the end, and nobody will say it again. */
	if (p->id != 0 && st->name != NULL)
		(void)read_frames(ms, st, &left);
	request_clear(&p->in);
	if (p->id == 0)
		return;
	/* Its reading may be held since the last frame. */
	if (err == 0 && !p->end_told)
		tell(ms, st, (struct pipe_event){.kind = PIPE_EV_END});
	tell(ms, st, (struct pipe_event){.kind = PIPE_EV_GONE, .err = err});
	(void)table_remove(&ms->ps->streams, key_of(&p->id));
}

/* ---- the other thread's wishes ------------------------------------------- */

static struct sstream *find(const struct serve *sv, uint64_t pipe)
{
	const struct pipe *p =
		table_get(&serve_pipes(sv)->streams, key_of(&pipe));

	return p == NULL ? NULL : serve_stream(sv, p->stream);
}

static void drop(struct serve *sv, struct sstream *st)
{
	struct pipe *p = st->state;

	request_clear(&p->in);
	(void)table_remove(&serve_pipes(sv)->streams, key_of(&p->id));
	serve_reset(sv, st);
}

int pipe_open(struct serve *sv, const struct env *env, uint64_t pipe,
	const struct peer_id *peer, const char *name)
{
	struct pipes *ps = serve_pipes(sv);
	const struct service_ops *ops = serve_find(sv, name);
	struct sstream *st;
	int err;

	if (ops == NULL || ops->start != pipe_start)
		return P2P_ERR_NOT_FOUND;
	if (pipe < PIPE_OURS || find(sv, pipe) != NULL)
		return P2P_ERR_EXISTS;
	if (ps->streams.count >= PIPE_OPENS_MAX)
		return P2P_ERR_LIMIT;
	err = serve_open(
		sv, env, &(struct serve_to){.ops = ops, .peer = peer}, &st);
	if (err == 0)
		name_it(ps, st, pipe);
	return err;
}

void pipe_send(struct serve *sv, const struct env *env, uint64_t pipe,
	struct bytes frame)
{
	struct sstream *st = find(sv, pipe);
	struct pipe *p;

	if (st == NULL)
		return;
	p = st->state;
	p->sent += frame.len;
	if (p->sent <= PIPE_OUT_BYTES &&
		serve_write_frame(sv, env, st, frame) == 0)
		return;
	tell(serve_self(sv, serve_ops_of(st)), st,
		(struct pipe_event){
			.kind = PIPE_EV_GONE, .err = P2P_ERR_LIMIT});
	drop(sv, st);
}

void pipe_took(struct serve *sv, uint64_t pipe, size_t bytes)
{
	struct sstream *st = find(sv, pipe);
	struct pipe *p;

	if (st == NULL)
		return;
	p = st->state;
	p->in.besides -= P2P_MIN(p->in.besides, bytes + PIPE_FRAME_COST_BYTES);
	(void)!serve_keep(st, p->in.besides + p->in.frames.body.len);
	if (p->in.besides < PIPE_AHEAD_BYTES)
		serve_hold(sv, st, false);
}

void pipe_close(
	struct serve *sv, const struct env *env, uint64_t pipe, bool reset)
{
	struct sstream *st = find(sv, pipe);

	if (st == NULL)
		return;
	if (reset)
		drop(sv, st);
	else
		serve_close(sv, env, st);
}

/*
 * Gossip's streams: which are open to whom, when they are read and written, and
 * what becomes of a peer's words when its stream ends. It is the one place that
 * knows of both streams and gossip.
 */
#include "net/pubsub/stream_gossip.h"

#include <stdlib.h>

#include "base/xmalloc.h"
#include "net/pubsub/stream_internal.h"

/* Programs whose ids are like ours; others' forms are learnt (gossip.h). */
static const char own_agent[] = "p2pchat-tui/";

/* Best first; the versions that they stand for in the same order. */
static const char *const names[] = {"/meshsub/1.3.0", "/meshsub/1.2.0",
	"/meshsub/1.1.0", "/meshsub/1.0.0", "/floodsub/1.0.0", NULL};
static const enum gossip_version versions[] = {
	GOSSIP_V13, GOSSIP_V12, GOSSIP_V11, GOSSIP_V10, GOSSIP_FLOODSUB};

_Static_assert(P2P_ARRAY_LEN(names) == P2P_ARRAY_LEN(versions) + 1,
	"each name has its version");

/* ---- beginning and end --------------------------------------------------- */

static void *start(struct serve *sv, const struct service_ops *ops,
	const struct serve_cfg *cfg, const struct env *env)
{
	struct stream_gossip *sg = xcalloc(1, sizeof(*sg));
	struct gossip_cfg gossip = {.me = cfg->me->id};

	sg->ops = ops;
	sg->sv = sv;
	sg->g = gossip_new(&gossip, env);
	table_init(&sg->links, env->rng);
	list_init(&sg->starved);
	list_init(&sg->paused);
	list_init(&sg->stalled);
	list_init(&sg->behind);
	list_init(&sg->owing);
	sg->room = true;
	sg->due_ms = P2P_NEVER;
	sg->credit_ms = P2P_NEVER;
	return sg;
}

static void stop(void *self)
{
	struct stream_gossip *sg = self;
	struct table_entry *e, *tmp;

	TABLE_FOREACH(e, tmp, &sg->links)
		free(e->value);
	table_clear(&sg->links);
	gossip_free(sg->g);
	free(sg);
}

struct gossip *stream_gossip_core(struct stream_gossip *sg)
{
	return sg->g;
}

const struct stream_gossip_counters *stream_gossip_counters(
	const struct stream_gossip *sg)
{
	return &sg->counters;
}

void stream_gossip_stop(struct stream_gossip *sg)
{
	sg->stopping = true;
}

/* ---- peers --------------------------------------------------------------- */

static struct link *link_find(
	const struct stream_gossip *sg, const struct peer_id *peer)
{
	return table_get(&sg->links, peer_id_bytes(peer));
}

void stream_gossip_worth(
	struct stream_gossip *sg, const struct peer_id *peer, int worth)
{
	struct link *l = link_find(sg, peer);

	if (l == NULL)
		return;
	l->worth = worth;
	gossip_peer_app(sg->g, peer, worth);
}

/* ---- our stream -----------------------------------------------------------
 */

static void reopen_later(
	struct stream_gossip *sg, const struct env *env, struct link *l)
{
	l->reopen_at_ms = env_after(env, STREAM_GOSSIP_REOPEN_MS);
	sg->due_ms = P2P_MIN(sg->due_ms, l->reopen_at_ms);
}

static enum gossip_version version_of(const char *name)
{
	size_t i = 0;

	while (i + 1 < P2P_ARRAY_LEN(versions) && strcmp(names[i], name) != 0)
		i++;
	return versions[i];
}

/* Gossip may write to the peer from now on. False: it is full. */
static bool add_peer(struct stream_gossip *sg, const struct env *env,
	struct link *l, const char *name)
{
	struct swarm_peer_info info;
	struct gossip_peer peer = {.id = l->peer, .version = version_of(name)};

	if (!swarm_peer_info(serve_swarm(sg->sv), &l->peer, &info))
		return false;
	if (strncmp(info.agent, own_agent, sizeof(own_agent) - 1) == 0)
		peer.form = GOSSIP_FORM_FROM_SEQNO;
	peer.outbound = info.outbound;
	peer.chosen = info.chosen;
	peer.site = score_site_of(maddr_bytes(&info.remote));
	if (gossip_peer_add(sg->g, env, &peer) != 0)
		return false;
	l->added = true;
	l->half = false;
	gossip_peer_record(sg->g, &l->peer,
		swarm_peer_record(serve_swarm(sg->sv), &l->peer));
	/* The owner may have said it before there was any gossip. */
	gossip_peer_app(sg->g, &l->peer, l->worth);
	return true;
}

static void close_out(struct stream_gossip *sg, struct link *l)
{
	struct sstream *st = serve_stream(sg->sv, l->out);

	if (st != NULL)
		serve_reset(sg->sv, st);
	l->out = 0;
	l->added = false;
}

/* The stream is for gossip to write on; while gossip is full it is tried again
 * by and by. */
static void add_or_later(struct stream_gossip *sg, const struct env *env,
	struct link *l, const char *name)
{
	if (add_peer(sg, env, l, name))
		return;
	close_out(sg, l);
	reopen_later(sg, env, l);
}

static int open_stream(struct stream_gossip *sg, const struct env *env,
	const struct link *l, struct sstream **st)
{
	return serve_open(sg->sv, env,
		&(struct serve_to){.ops = &gossip_ops, .peer = &l->peer}, st);
}

/* Opens our stream unless there is one. A peer that has named no protocols,
 * which not every program does, is tried with all of ours. */
static void link_open(
	struct stream_gossip *sg, const struct env *env, struct link *l)
{
	struct sstream *st;
	int err;

	l->reopen_at_ms = P2P_NEVER;
	if (l->out != 0 || l->refused || sg->stopping)
		return;
	err = open_stream(sg, env, l, &st);
	if (err == P2P_ERR_LIMIT)
		reopen_later(sg, env, l);
	if (err != 0)
		return;
	l->out = st->id;
	/* With one proposal the first words go along with it. */
	if (st->proposed != NULL)
		add_or_later(sg, env, l, st->proposed);
}

/* The peer has a better connection than the one that our stream runs on: a new
 * one is opened there, and takes over between two RPCs. */
static void move_out(
	struct stream_gossip *sg, const struct env *env, struct link *l)
{
	struct sstream *st = serve_stream(sg->sv, l->out);

	if (st == NULL || !st->limited || l->next != 0 || sg->stopping ||
		!swarm_peer_is_direct(serve_swarm(sg->sv), &l->peer))
		return;
	if (open_stream(sg, env, l, &st) == 0)
		l->next = st->id;
}

/* Behind the last byte of an RPC: the old stream is closed, what was written on
 * it still arrives. */
static void take_over(
	struct stream_gossip *sg, const struct env *env, struct link *l)
{
	struct sstream *old = serve_stream(sg->sv, l->out);
	struct sstream *next = serve_stream(sg->sv, l->next);

	if (l->half || next == NULL ||
		(next->name == NULL && next->proposed == NULL))
		return;
	l->out = l->next;
	l->next = 0;
	if (old != NULL)
		serve_close(sg->sv, env, old);
}

static void link_flush(
	struct stream_gossip *sg, const struct env *env, struct link *l)
{
	for (;;) {
		struct sstream *st;
		struct bytes out, now;
		size_t backlog;

		if (l->next != 0)
			take_over(sg, env, l);
		twin_begin(sg, l);
		st = l->added ? serve_stream(sg->sv, l->out) : NULL;
		if (st == NULL)
			return;
		/* An RPC is made by being looked at: no sooner than it can
		 * go, so that what is said until then travels with it. */
		backlog = swarm_stream_backlog(st);
		if (backlog >= STREAM_GOSSIP_BACKLOG_BYTES)
			return;
		out = gossip_out_peek(sg->g, &l->peer);
		if (out.len == 0)
			return;
		now = bytes_first(out, STREAM_GOSSIP_BACKLOG_BYTES - backlog);
		if (serve_write(sg->sv, env, st, now) != 0)
			return;
		twin_write(sg, env, l, now);
		l->half = now.len < out.len;
		gossip_out_consume(sg->g, &l->peer, now.len);
	}
}

void stream_gossip_flush(struct stream_gossip *sg, const struct env *env)
{
	struct peer_id peer;

	while (gossip_next_sender(sg->g, &peer)) {
		struct link *l = link_find(sg, &peer);

		if (l != NULL)
			link_flush(sg, env, l);
	}
}

void stream_gossip_cut(struct stream_gossip *sg, const struct env *env,
	const struct peer_id *peer)
{
	struct link *l = link_find(sg, peer);

	gossip_peer_mute(sg->g, peer);
	if (l == NULL || l->out == 0)
		return;
	twin_drop(sg, l);
	close_out(sg, l);
	reopen_later(sg, env, l);
}

static void opened_out(struct stream_gossip *sg, const struct env *env,
	struct link *l, struct sstream *st)
{
	if (st->id == l->out && !l->added)
		add_or_later(sg, env, l, st->name);
	link_flush(sg, env, l);
}

/* Its subscriptions stay: only our words to it have no way now. */
static void gone_out(struct stream_gossip *sg, const struct env *env,
	struct link *l, const struct sstream *st, int err)
{
	const char *name;

	if (st->id == l->next)
		l->next = 0;
	if (st->id == l->twin) {
		twin_drop(sg, l);
		twin_later(sg, env, l);
	}
	if (st->id != l->out || twin_takes_over(sg, l))
		return;
	twin_drop(sg, l);
	l->out = 0;
	l->added = false;
	l->refused = err == P2P_ERR_NO_PROTOCOL;
	if (l->refused)
		gossip_peer_mute(sg->g, &l->peer);
	st = serve_stream(sg->sv, l->next);
	if (st == NULL) {
		reopen_later(sg, env, l);
		return;
	}
	/* What was under way is lost with it; the rest is not. */
	l->out = l->next;
	l->next = 0;
	name = st->name != NULL ? st->name : st->proposed;
	if (name != NULL)
		add_or_later(sg, env, l, name);
}

/* ---- the peer's streams ----------------------------------------------------
 */

static void reader_clear(struct reader *r)
{
	if (!r->begun)
		return;
	list_remove(&r->waiting);
	list_remove(&r->owing);
	request_clear(&r->in);
	buf_clear(&r->rest);
	r->begun = false;
}

/* The newest is first; older ones keep their order, and the oldest gives way
 * only where there are too many. */
static void add_in(struct link *l, uint64_t stream)
{
	size_t free = 0;

	while (free < STREAM_GOSSIP_IN_MAX - 1 && l->in[free] != 0)
		free++;
	memmove(&l->in[1], &l->in[0], free * sizeof(l->in[0]));
	l->in[0] = stream;
}

static void opened_in(
	struct stream_gossip *sg, const struct env *env, struct sstream *st)
{
	struct link *l = link_find(sg, &st->peer);
	struct reader *r = st->state;

	if (l == NULL || gossip_peer_seen(sg->g, env, &st->peer) != 0) {
		serve_reset(sg->sv, st);
		return;
	}
	r->begun = true;
	r->sg = sg;
	r->stream = st->id;
	list_init(&r->waiting);
	list_init(&r->owing);
	buf_init(&r->rest, GOSSIP_RPC_BYTES_MAX);
	add_in(l, st->id);
	if (l->in[1] != 0 && l->twin == 0)
		twin_later(sg, env, l);
	/* A program that tells nothing of itself has shown what it speaks. */
	link_open(sg, env, l);
}

static struct reader *reader_of(
	const struct stream_gossip *sg, const struct link *l, size_t i)
{
	struct sstream *st = serve_stream(sg->sv, l->in[i]);

	return st == NULL ? NULL : st->state;
}

/* An older stream of the same peer that still has something is read first. */
static bool is_next_in_line(
	const struct stream_gossip *sg, const struct link *l, uint64_t stream)
{
	for (size_t i = STREAM_GOSSIP_IN_MAX; i-- > 0;) {
		const struct reader *r = reader_of(sg, l, i);

		if (l->in[i] == stream)
			break;
		if (r != NULL && !list_empty(&r->waiting))
			return false;
	}
	return true;
}

static void wait_in(struct stream_gossip *sg, struct sstream *st,
	struct reader *r, struct list *where)
{
	serve_hold(sg->sv, st, true);
	list_remove(&r->waiting);
	list_push_back(where, &r->waiting);
}

static size_t rest_left(const struct reader *r)
{
	return r->rest.len - r->rest_read;
}

static void read_on(struct stream_gossip *sg, struct reader *r)
{
	struct sstream *st = serve_stream(sg->sv, r->stream);

	list_remove(&r->waiting);
	if (st == NULL)
		return;
	serve_hold(sg->sv, st, false);
	/* All of the stream may be read already, and the rest stand here. */
	if (rest_left(r) > 0)
		serve_again(sg->sv, st);
}

static void let_go(struct stream_gossip *sg, struct list *waiting)
{
	struct list *pos, *tmp;

	LIST_FOREACH(pos, tmp, waiting)
		read_on(sg, LIST_ITEM(pos, struct reader, waiting));
}

/* All of an older stream is read: newer ones of the peer have their turn. */
static void let_newer_go(struct stream_gossip *sg, const struct link *l)
{
	for (size_t i = STREAM_GOSSIP_IN_MAX; i-- > 0;) {
		struct reader *r = reader_of(sg, l, i);

		if (r != NULL && !list_empty(&r->waiting) &&
			is_next_in_line(sg, l, r->stream))
			read_on(sg, r);
	}
}

/*
 * What a stream has brought and is not done with: units that wait for their
 * check, the rest of an RPC, and for a while what was over a rate. Its sender
 * has no credit for that, so it has no more in here than its window and the RPC
 * that is just arriving.
 */
static void withhold(struct stream_gossip *sg, const struct env *env,
	struct reader *r, struct sstream *st)
{
	size_t n = gossip_withheld(sg->g, env, &st->peer) + rest_left(r);

	if (n != r->withheld)
		serve_withhold(sg->sv, st, n);
	r->withheld = n;
	if (n == 0)
		list_remove(&r->owing);
	else if (list_empty(&r->owing))
		list_push_back(&sg->owing, &r->owing);
	if (n > 0 && sg->credit_ms == P2P_NEVER)
		sg->credit_ms = env_after(env, STREAM_GOSSIP_CREDIT_MS);
}

static void give_credit(struct stream_gossip *sg, const struct env *env)
{
	struct list *pos, *tmp;

	sg->credit_ms = P2P_NEVER;
	LIST_FOREACH(pos, tmp, &sg->owing) {
		struct reader *r = LIST_ITEM(pos, struct reader, owing);
		struct sstream *st = serve_stream(sg->sv, r->stream);

		if (st != NULL)
			withhold(sg, env, r, st);
	}
}

static bool may_read(const struct stream_gossip *sg)
{
	return sg->room && gossip_event_count(sg->g) < STREAM_GOSSIP_EVENTS_MAX;
}

/* An RPC, or what is left of one; what gossip has no room for is kept. */
static int feed(struct reader *r, const struct env *env,
	const struct sstream *st, struct bytes body)
{
	struct stream_gossip *sg = r->sg;
	bool old = r->rest.len > 0;
	size_t before = body.len;
	int err = gossip_feed(sg->g, env, &st->peer, &body);

	sg->counters.rpc_errors += err != 0;
	if (old)
		r->rest_read += before - body.len;
	else if (body.len > 0)
		(void)buf_append(&r->rest, body);
	if (body.len == 0) {
		buf_clear(&r->rest);
		r->rest_read = 0;
	}
	return err;
}

/* One RPC. *more: there may be another one. */
static int read_one(struct reader *r, const struct env *env, struct sstream *st,
	struct serve_in *in, bool *more)
{
	struct bytes body;
	int got;

	*more = true;
	if (r->rest.len > 0)
		return feed(r, env, st,
			bytes_skip(buf_bytes(&r->rest), r->rest_read));
	r->in.besides = 0;
	got = request_read(&r->in, st, GOSSIP_RPC_BYTES_MAX, in, &body);
	*more = got > 0;
	r->sg->counters.rpc_errors += got < 0;
	if (got <= 0)
		return got;
	got = feed(r, env, st, body);
	/* It is held twice while it is copied, and once from then on. */
	r->in.besides = r->rest.len;
	return got != 0                           ? got
	       : serve_keep(st, r->rest.len) != 0 ? P2P_ERR_LIMIT
						  : 0;
}

static int read_some(struct stream_gossip *sg, const struct env *env,
	struct sstream *st, struct serve_in *in)
{
	struct reader *r = st->state;
	struct link *l = link_find(sg, &st->peer);
	bool more = true, any = false, stuck = false;
	size_t left;
	int err = 0;

	if (l == NULL)
		return P2P_ERR_CLOSED;
	while (err == 0 && more) {
		if (!is_next_in_line(sg, l, st->id)) {
			wait_in(sg, st, r, &sg->behind);
			return 0;
		}
		if (!may_read(sg)) {
			wait_in(sg, st, r, any ? &sg->paused : &sg->starved);
			return 0;
		}
		left = rest_left(r);
		/* There is room for some unit, not always for the next. */
		if (left > 0 && (stuck || !gossip_has_room(sg->g, &st->peer))) {
			wait_in(sg, st, r, &sg->stalled);
			return 0;
		}
		err = read_one(r, env, st, in, &more);
		stuck = left > 0 && rest_left(r) == left;
		any = true;
	}
	if (err == 0)
		let_newer_go(sg, l);
	return err == 0 && in->end ? P2P_ERR_CLOSED : err;
}

/* What is to be withheld is known before anything counts as used up. */
static int read_in(struct stream_gossip *sg, const struct env *env,
	struct sstream *st, struct serve_in *in)
{
	int err = read_some(sg, env, st, in);

	if (err == 0)
		withhold(sg, env, st->state, st);
	return err;
}

/*
 * What arrived before the stream's end is heard though the owner is busy:
 * nobody will say it again. It is no more than a window and what is left of one
 * RPC, and not above what may wait.
 */
static void last_words(struct reader *r, const struct env *env,
	struct sstream *st, struct bytes window)
{
	struct stream_gossip *sg = r->sg;
	struct bytes body = bytes_skip(buf_bytes(&r->rest), r->rest_read);
	struct serve_in in = {.bytes = window};
	int got = 1;

	while (got > 0 &&
		gossip_event_count(sg->g) < STREAM_GOSSIP_LAST_EVENTS_MAX) {
		if (gossip_feed_last(sg->g, env, &st->peer, &body) != 0)
			return;
		if (body.len > 0)
			break;
		got = request_read(
			&r->in, st, GOSSIP_RPC_BYTES_MAX, &in, &body);
	}
	/* Half a frame is nothing that was said. */
	sg->counters.unheard += got > 0;
}

static void gone_in(struct stream_gossip *sg, const struct env *env,
	struct link *l, struct sstream *st, struct bytes rest)
{
	struct reader *r = st->state;

	if (r->begun && l != NULL)
		last_words(r, env, st, rest);
	for (size_t i = 0; l != NULL && i < STREAM_GOSSIP_IN_MAX; i++)
		if (l->in[i] == st->id)
			l->in[i] = 0;
	/* One of two programs has ended, or speaks to us no more. */
	if (l != NULL)
		twin_check(sg, l);
	reader_clear(r);
	if (l != NULL)
		let_newer_go(sg, l);
}

/* ---- what serve tells ------------------------------------------------------
 */

static void opened(void *self, const struct env *env, struct sstream *st)
{
	struct link *l = link_find(self, &st->peer);

	if (st->inbound)
		opened_in(self, env, st);
	else if (l != NULL)
		opened_out(self, env, l, st);
}

static int readable(void *self, const struct env *env, struct sstream *st,
	struct serve_in *in)
{
	int err;

	if (!st->inbound) {
		/* What a peer says on our own stream is of no meaning. */
		in->used = in->bytes.len;
		return 0;
	}
	err = read_in(self, env, st, in);
	if (err != 0)
		reader_clear(st->state);
	return err;
}

static void writable(void *self, const struct env *env, struct sstream *st)
{
	struct link *l = link_find(self, &st->peer);

	if (l != NULL && !st->inbound)
		link_flush(self, env, l);
}

static void gone(void *self, const struct env *env, struct sstream *st,
	struct bytes rest, int err)
{
	struct link *l = link_find(self, &st->peer);

	if (st->inbound)
		gone_in(self, env, l, st, rest);
	else if (l != NULL)
		gone_out(self, env, l, st, err);
}

static void peer_up(
	void *self, const struct env *env, const struct peer_id *peer)
{
	struct stream_gossip *sg = self;
	struct link *l = xcalloc(1, sizeof(*l));

	l->peer = *peer;
	l->reopen_at_ms = P2P_NEVER;
	l->twin_at_ms = P2P_NEVER;
	(void)table_put(&sg->links, peer_id_bytes(&l->peer), l);
	link_open(sg, env, l);
}

static void peer_changed(
	void *self, const struct env *env, const struct peer_id *peer)
{
	struct link *l = link_find(self, peer);

	if (l == NULL)
		return;
	/* It may have been tried before it had told what it speaks. */
	if (l->out == 0)
		l->refused = false;
	link_open(self, env, l);
	move_out(self, env, l);
}

static void peer_down(
	void *self, const struct env *env, const struct peer_id *peer)
{
	struct stream_gossip *sg = self;
	struct link *l = link_find(sg, peer);

	if (l == NULL)
		return;
	/* Topics are left before the peer is gone, for whoever listens. */
	gossip_peer_remove(sg->g, env, peer);
	(void)table_remove(&sg->links, peer_id_bytes(&l->peer));
	free(l);
}

/* ---- room and time ---------------------------------------------------------
 */

bool stream_gossip_waiting(const struct stream_gossip *sg)
{
	return !list_empty(&sg->starved) || !list_empty(&sg->paused);
}

void stream_gossip_allow(struct stream_gossip *sg, bool room)
{
	sg->room = room;
	if (!room || gossip_event_count(sg->g) > 0)
		return;
	/* Those of which nothing was read come first. */
	let_go(sg, &sg->starved);
	let_go(sg, &sg->paused);
}

void stream_gossip_verified(struct stream_gossip *sg, const struct env *env)
{
	let_go(sg, &sg->stalled);
	give_credit(sg, env);
}

static void tick(void *self, const struct env *env)
{
	struct stream_gossip *sg = self;
	struct table_entry *e, *tmp;

	if (stream_gossip_waiting(sg))
		gossip_unread(sg->g, env);
	gossip_tick(sg->g, env);
	if (sg->credit_ms <= env->now_ms)
		give_credit(sg, env);
	if (sg->due_ms > env->now_ms)
		return;
	sg->due_ms = P2P_NEVER;
	TABLE_FOREACH(e, tmp, &sg->links) {
		struct link *l = e->value;

		if (l->reopen_at_ms <= env->now_ms)
			link_open(sg, env, l);
		if (l->twin_at_ms <= env->now_ms)
			twin_open(sg, env, l);
		sg->due_ms = P2P_MIN(sg->due_ms, l->reopen_at_ms);
		sg->due_ms = P2P_MIN(sg->due_ms, l->twin_at_ms);
	}
}

static uint64_t deadline(const void *self)
{
	const struct stream_gossip *sg = self;

	return P2P_MIN(
		P2P_MIN(sg->due_ms, sg->credit_ms), gossip_deadline(sg->g));
}

const struct service_ops gossip_ops = {
	.names = names,
	.in_per_peer = STREAM_GOSSIP_IN_MAX,
	.newest_stays = true,
	.limited = true,
	.state_bytes = sizeof(struct reader),
	.start = start,
	.free = stop,
	.opened = opened,
	.readable = readable,
	.writable = writable,
	.gone = gone,
	.peer_up = peer_up,
	.peer_changed = peer_changed,
	.peer_down = peer_down,
	.tick = tick,
	.deadline = deadline,
};

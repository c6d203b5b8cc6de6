/*
 * Gossip over streams: each side opens one stream and only writes on it
 * (pubsub spec, "Stream management"), so a peer has one of ours and one or,
 * while a newer takes over, two of its own.
 */
#include <stdlib.h>

#include "base/xmalloc.h"
#include "net/node/node_internal.h"

/* Programs whose ids are like ours; others' forms are learnt (gossip.h). */
static const char own_agent[] = "p2pchat-tui/";

struct link *link_find(const struct node *n, const struct peer_id *peer)
{
	return table_get(&n->links, peer_id_bytes(peer));
}

struct link *link_get(
	struct node *n, const struct env *env, const struct peer_id *peer)
{
	struct link *l = link_find(n, peer);

	(void)env;
	if (l != NULL)
		return l;
	l = xcalloc(1, sizeof(*l));
	l->peer = *peer;
	l->reopen_at_ms = P2P_NEVER;
	l->rtt_told_ms = P2P_NEVER;
	list_init(&l->tells);
	(void)table_put(&n->links, peer_id_bytes(peer), l);
	return l;
}

static enum gossip_id_form form_of(const struct swarm_peer_info *info)
{
	return strncmp(info->agent, own_agent, sizeof(own_agent) - 1) == 0
		       ? GOSSIP_FORM_FROM_SEQNO
		       : GOSSIP_FORM_UNKNOWN;
}

static void reopen_later(struct node *n, const struct env *env, struct link *l)
{
	l->reopen_at_ms = env_after(env, NODE_LINK_REOPEN_MS);
	n->links_due_ms = P2P_MIN(n->links_due_ms, l->reopen_at_ms);
}

void link_open(struct node *n, const struct env *env, struct link *l)
{
	static const enum gossip_version versions[] = {GOSSIP_V13, GOSSIP_V12,
		GOSSIP_V11, GOSSIP_V10, GOSSIP_FLOODSUB};
	struct swarm_peer_info info;
	struct gossip_peer peer;
	size_t i = 0;

	if (l->out != 0 || l->refused || n->stopping ||
		!swarm_peer_info(n->swarm, &l->peer, &info))
		return;
	while (node_protocols[i] != NULL &&
		!swarm_peer_speaks(n->swarm, &l->peer, node_protocols[i]))
		i++;
	if (node_protocols[i] == NULL)
		return;
	P2P_ASSERT(i < P2P_ARRAY_LEN(versions));
	if (swarm_stream_open(
		    n->swarm, env, &l->peer, node_protocols[i], &l->out) != 0) {
		/* There may be memory for it soon; who is gone is told of. */
		l->out = 0;
		reopen_later(n, env, l);
		return;
	}
	l->reopen_at_ms = P2P_NEVER;
	peer = (struct gossip_peer){
		.id = l->peer,
		.version = versions[i],
		.form = form_of(&info),
		.outbound = info.outbound,
		.site = score_site_of(maddr_bytes(&info.remote)),
	};
	if (gossip_peer_add(n->gossip, env, &peer) != 0) {
		swarm_stream_reset(n->swarm, l->out);
		l->out = 0;
		reopen_later(n, env, l);
		return;
	}
	/* Chat may have said it before there was any gossip. */
	gossip_peer_app(n->gossip, &l->peer, l->worth);
}

static void in_clear(struct link_in *in)
{
	frame_reader_clear(&in->frames);
	buf_clear(&in->rest);
	in->rest_read = 0;
	in->stream = 0;
}

static void in_close(struct node *n, struct link_in *in)
{
	if (in->stream != 0)
		swarm_stream_reset(n->swarm, in->stream);
	in_clear(in);
}

static bool link_has_streams(const struct link *l)
{
	for (size_t i = 0; i < NODE_LINK_STREAMS_IN; i++)
		if (l->in[i].stream != 0)
			return true;
	return l->out != 0;
}

/* Another peer names one who may help out, with its signed record. */
static void try_peer(
	struct node *n, const struct env *env, struct gossip_event *ev)
{
	int err = swarm_learn_record(
		n->swarm, env, bytes_of(ev->unit, ev->unit_len), &ev->from);

	free(ev->unit);
	if (err == 0 || err == P2P_ERR_EXISTS)
		(void)!swarm_want(n->swarm, env, &ev->peer);
}

/* It takes nothing, and others need the room: it may have a new stream soon. */
static void cut_link(
	struct node *n, const struct env *env, const struct peer_id *peer)
{
	struct link *l = link_find(n, peer);

	gossip_peer_mute(n->gossip, peer);
	if (l == NULL || l->out == 0)
		return;
	swarm_stream_reset(n->swarm, l->out);
	l->out = 0;
	reopen_later(n, env, l);
}

void link_hear(struct node *n, const struct env *env)
{
	struct gossip_event ev;

	while (gossip_next_event(n->gossip, &ev)) {
		switch (ev.kind) {
		case GOSSIP_EV_UNIT:
			tell_unit(n, &ev);
			break;
		case GOSSIP_EV_TOPIC:
			tell_topic(n, &ev);
			break;
		case GOSSIP_EV_PX:
			try_peer(n, env, &ev);
			break;
		case GOSSIP_EV_BEHIND:
			cut_link(n, env, &ev.peer);
			break;
		}
	}
}

static struct bytes in_rest(const struct link_in *in)
{
	return bytes_skip(buf_bytes(&in->rest), in->rest_read);
}

/*
 * What arrived before the stream's end is heard though chat is busy: nobody
 * will say it again. It is no more than a window and what is left of one RPC,
 * and not above what may wait.
 */
static void last_words(struct node *n, const struct env *env, struct link *l,
	struct link_in *in, struct bytes window)
{
	struct bytes body = in_rest(in);
	int got = 1;

	while (l->up && got > 0 && n->tell_count < NODE_TELLS_MAX) {
		size_t taken = 0;

		if (gossip_feed_last(n->gossip, env, &l->peer, &body) != 0)
			return;
		link_hear(n, env);
		if (body.len > 0)
			break;
		got = frame_read(&in->frames, window, &taken, &body);
		window = bytes_skip(window, taken);
	}
	/* Half a frame is nothing that was said. */
	n->unheard += got > 0;
}

void link_stream_in(
	struct node *n, const struct env *env, const struct swarm_event *ev)
{
	struct link *l = link_get(n, env, &ev->peer);

	if (gossip_peer_seen(n->gossip, env, &ev->peer) != 0) {
		swarm_stream_reset(n->swarm, ev->stream);
		if (!l->up && !link_has_streams(l))
			link_remove(n, env, &ev->peer);
		return;
	}
	/* What an older stream still holds is read first; a third one shows
	 * that the oldest is dead. */
	if (l->in[NODE_LINK_STREAMS_IN - 1].stream != 0)
		last_words(n, env, l, &l->in[NODE_LINK_STREAMS_IN - 1],
			bytes_of(NULL, 0));
	in_close(n, &l->in[NODE_LINK_STREAMS_IN - 1]);
	memmove(&l->in[1], &l->in[0],
		(NODE_LINK_STREAMS_IN - 1) * sizeof(l->in[0]));
	l->in[0] = (struct link_in){.stream = ev->stream};
	/* Both are charged with swarm_stream_keep. */
	frame_reader_init(&l->in[0].frames, GOSSIP_RPC_BYTES_MAX, NULL);
	buf_init(&l->in[0].rest, GOSSIP_RPC_BYTES_MAX);
	link_read(n, env, l);
}

void link_stream_gone(
	struct node *n, const struct env *env, const struct swarm_event *ev)
{
	struct link *l = link_find(n, &ev->peer);

	if (l == NULL)
		return;
	for (size_t i = 0; i < NODE_LINK_STREAMS_IN; i++) {
		if (l->in[i].stream != ev->stream)
			continue;
		last_words(
			n, env, l, &l->in[i], bytes_of(ev->rest, ev->rest_len));
		in_clear(&l->in[i]);
	}
	if (l->out != ev->stream) {
		/* A peer that goes before it was up is never told as gone. */
		if (!l->up && !link_has_streams(l))
			link_remove(n, env, &ev->peer);
		return;
	}
	l->out = 0;
	/* Its subscriptions stay: only our words to it have no way now. */
	l->refused = ev->err == P2P_ERR_NO_PROTOCOL;
	if (l->refused)
		gossip_peer_mute(n->gossip, &l->peer);
	reopen_later(n, env, l);
}

static void link_free(struct link *l)
{
	tell_forget_link(l);
	for (size_t i = 0; i < NODE_LINK_STREAMS_IN; i++)
		in_clear(&l->in[i]);
	free(l);
}

void link_to_back(struct node *n, struct link *l)
{
	(void)table_remove(&n->links, peer_id_bytes(&l->peer));
	(void)table_put(&n->links, peer_id_bytes(&l->peer), l);
}

void link_remove(
	struct node *n, const struct env *env, const struct peer_id *peer)
{
	struct link *l = link_find(n, peer);

	gossip_peer_remove(n->gossip, env, peer);
	/* Topics are left before the peer is gone, for whoever listens. */
	if (l == NULL)
		return;
	if (l->up) {
		link_hear(n, env);
		tell_down(n, l);
	}
	(void)table_remove(&n->links, peer_id_bytes(peer));
	link_free(l);
}

/* ---- reading ----------------------------------------------------------- */

static bool may_read(struct node *n)
{
	if (!n->chat_full && n->untold == NULL &&
		n->tell_count < NODE_TELLS_PER_TURN)
		return true;
	n->backlog = true;
	return false;
}

/* The rest of an RPC, as far as there is room for it now. */
static int read_rest(struct node *n, const struct env *env, struct link *l,
	struct link_in *in)
{
	struct bytes rest = in_rest(in);
	int err;

	if (!gossip_has_room(n->gossip, &l->peer))
		return 0;
	err = gossip_feed(n->gossip, env, &l->peer, &rest);
	in->rest_read = in->rest.len - rest.len;
	if (rest.len == 0)
		buf_clear(&in->rest);
	n->rpc_errors += err != 0;
	return err;
}

static int read_frame(struct node *n, const struct env *env, struct link *l,
	struct link_in *in, bool *more)
{
	struct bytes data, body = bytes_of(NULL, 0);
	size_t taken = 0;
	bool end;
	int got, err;

	data = swarm_stream_peek(n->swarm, in->stream, &end);
	err = swarm_stream_keep(n->swarm, in->stream,
		in->frames.body.len +
			P2P_MIN(data.len, (size_t)GOSSIP_RPC_BYTES_MAX));
	if (err != 0)
		return err;
	got = frame_read(&in->frames, data, &taken, &body);
	if (got > 0) {
		err = gossip_feed(n->gossip, env, &l->peer, &body);
		in->rest_read = 0;
		(void)buf_append(&in->rest, body);
		frame_reader_clear(&in->frames);
	}
	n->rpc_errors += got < 0 || err != 0;
	swarm_stream_consume(n->swarm, in->stream, taken);
	*more = taken > 0;
	if (end && got == 0 && taken == data.len)
		return P2P_ERR_CLOSED;
	return got < 0 ? got : err;
}

/* One piece of a stream; false when there is nothing more to do now. */
static bool read_piece(struct node *n, const struct env *env, struct link *l,
	struct link_in *in)
{
	bool more = true;
	int err = in->rest.len > 0 ? read_rest(n, env, l, in)
				   : read_frame(n, env, l, in, &more);

	if (err != 0) {
		in_close(n, in);
		return false;
	}
	/* Less than before: it cannot fail. */
	P2P_ASSERT(swarm_stream_keep(n->swarm, in->stream,
			   in->frames.body.len + in->rest.len) == 0);
	if (in->rest.len == 0)
		return more;
	/* Verdicts make room. */
	n->stalled = true;
	return false;
}

void link_read(struct node *n, const struct env *env, struct link *l)
{
	if (!l->up)
		return;
	for (size_t i = NODE_LINK_STREAMS_IN; i-- > 0;) {
		while (l->in[i].stream != 0 && may_read(n) &&
			read_piece(n, env, l, &l->in[i]))
			link_hear(n, env);
	}
}

void link_ignore(struct node *n, struct link *l)
{
	bool end;
	size_t n_bytes = swarm_stream_peek(n->swarm, l->out, &end).len;

	swarm_stream_consume(n->swarm, l->out, n_bytes);
}

/* ---- writing ----------------------------------------------------------- */

void link_flush(struct node *n, const struct env *env, struct link *l)
{
	struct bytes out;

	if (l->out == 0)
		return;
	for (;;) {
		size_t backlog = swarm_stream_backlog(n->swarm, l->out);

		/* An RPC is made by being looked at: no sooner than it can
		 * go, so that what is said until then travels with it. */
		if (backlog >= NODE_LINK_BACKLOG_BYTES)
			return;
		out = gossip_out_peek(n->gossip, &l->peer);
		if (out.len == 0)
			return;
		out = bytes_first(out, NODE_LINK_BACKLOG_BYTES - backlog);
		if (swarm_stream_write(n->swarm, env, l->out, out) != 0)
			return;
		gossip_out_consume(n->gossip, &l->peer, out.len);
	}
}

/* ---- time -------------------------------------------------------------- */

void links_tick(struct node *n, const struct env *env)
{
	struct table_entry *e, *tmp;

	if (n->links_due_ms > env->now_ms)
		return;
	n->links_due_ms = P2P_NEVER;
	TABLE_FOREACH(e, tmp, &n->links) {
		struct link *l = e->value;

		if (l->reopen_at_ms > env->now_ms) {
			n->links_due_ms =
				P2P_MIN(n->links_due_ms, l->reopen_at_ms);
			continue;
		}
		l->reopen_at_ms = P2P_NEVER;
		link_open(n, env, l);
	}
}

uint64_t links_deadline(const struct node *n)
{
	return n->links_due_ms;
}

void links_clear(struct node *n)
{
	struct table_entry *e, *tmp;

	TABLE_FOREACH(e, tmp, &n->links)
		link_free(e->value);
	table_clear(&n->links);
}

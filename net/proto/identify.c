/*
 * Identify and its push are two services of one kind: whoever opens the stream
 * of the first reads, whoever opens that of the second writes. Answers are read
 * to their end and merged, since some peers split them.
 */
#include "net/proto/identify.h"

#include <stdlib.h>

#include "base/table.h"
#include "base/xmalloc.h"
#include "net/proto/proto_limits.h"
#include "net/serve/request.h"

#define IDENTIFY_PROTOCOL_VERSION "ipfs/0.1.0"

/* How far asking has come on a connection. */
struct asked {
	uint64_t conn;
	unsigned times;
	uint64_t again_ms; /* NEVER: not waiting */
};

struct identify_service {
	struct serve *sv;
	const struct service_ops *ops;
	const struct identity *me; /* borrowed */
	const char *agent;         /* borrowed */
	struct table asked;        /* conn -> struct asked */
	uint64_t due_ms;
};

/* In the state of a stream that is read. */
struct answer {
	uint64_t conn; /* where we have asked: the stream forgets it */
	struct buf body;
	bool begun;
};

static void *start(struct serve *sv, const struct service_ops *ops,
	const struct serve_cfg *cfg, const struct env *env)
{
	struct identify_service *self = xcalloc(1, sizeof(*self));

	self->sv = sv;
	self->ops = ops;
	self->me = cfg->me;
	self->agent = cfg->agent;
	self->due_ms = P2P_NEVER;
	table_init(&self->asked, env->rng);
	return self;
}

static void stop(void *arg)
{
	struct identify_service *self = arg;
	struct table_entry *e, *tmp;

	TABLE_FOREACH(e, tmp, &self->asked)
		free(e->value);
	table_clear(&self->asked);
	free(self);
}

/* ---- ours -------------------------------------------------------------- */

/* Our own message, for the peer at the other end of that connection. */
static void write_own(struct identify_service *self, const struct env *env,
	const struct swarm_conn_info *conn, struct buf *out)
{
	struct swarm *s = serve_swarm(self->sv);
	const char *const *names = serve_names(self->sv);
	const struct maddr *addrs;
	size_t count = swarm_addresses(s, &addrs);
	struct identify id = {
		.public_key = bytes_of(
			self->me->public_pb, sizeof(self->me->public_pb)),
		.observed_addr = maddr_bytes(&conn->remote),
		.protocol_version = bytes_str(IDENTIFY_PROTOCOL_VERSION),
		.agent_version = bytes_str(self->agent),
		.signed_peer_record = swarm_own_record(s, env),
	};

	_Static_assert(
		SWARM_PROTOCOLS_MAX <= IDENTIFY_PB_PROTOCOLS_MAX &&
			SWARM_ADDRESSES_PER_PEER_MAX <= IDENTIFY_PB_ADDRS_MAX,
		"all that we have to say is said");
	for (; *names != NULL; names++)
		id.protocols[id.protocol_count++] = bytes_str(*names);
	for (size_t i = 0; i < count; i++)
		id.listen_addrs[id.listen_addr_count++] =
			maddr_bytes(&addrs[i]);
	identify_pb_write(&id, out);
	P2P_ASSERT(!out->failed);
}

static void send_own(struct identify_service *self, const struct env *env,
	struct sstream *st)
{
	struct swarm_conn_info conn;
	struct buf body;

	if (!swarm_conn_info(serve_swarm(self->sv), st->conn, &conn))
		return;
	buf_init(&body, IDENTIFY_MESSAGE_BYTES_MAX);
	write_own(self, env, &conn, &body);
	if (serve_write_frame(self->sv, env, st, buf_bytes(&body)) == 0)
		serve_close(self->sv, env, st);
	else
		serve_reset(self->sv, st);
	buf_clear(&body);
}

/* Our addresses have changed: whoever is connected and wants to hear it does.
 * One stream a peer, over its best connection. */
static void push_all(void *arg, const struct env *env)
{
	struct identify_service *self = arg;
	struct swarm *s = serve_swarm(self->sv);
	struct table_entry *e, *tmp;
	struct sstream *st;

	TABLE_FOREACH(e, tmp, &self->asked) {
		const struct asked *a = e->value;
		struct swarm_conn_info conn;

		if (!swarm_conn_info(s, a->conn, &conn) ||
			swarm_peer_best(s, &conn.peer) != a->conn ||
			!swarm_peer_speaks(
				s, &conn.peer, identify_push_ops.names[0]))
			continue;
		if (serve_open(self->sv, env,
			    &(struct serve_to){
				    .ops = &identify_push_ops, .conn = a->conn},
			    &st) == 0)
			send_own(self, env, st);
	}
}

/* ---- asking ------------------------------------------------------------ */

static struct asked *asked_on(
	const struct identify_service *self, uint64_t conn)
{
	return table_get(&self->asked, bytes_of(&conn, sizeof(conn)));
}

static void ask_again(
	struct identify_service *self, const struct env *env, struct asked *a)
{
	if (a->times >= IDENTIFY_ASKS_MAX ||
		swarm_conn_is_identified(serve_swarm(self->sv), a->conn))
		return;
	a->again_ms = env_after(env, IDENTIFY_AGAIN_MS);
	self->due_ms = P2P_MIN(self->due_ms, a->again_ms);
}

static void ask(
	struct identify_service *self, const struct env *env, struct asked *a)
{
	struct sstream *st;

	a->times++;
	a->again_ms = P2P_NEVER;
	if (serve_open(self->sv, env,
		    &(struct serve_to){.ops = &identify_ops, .conn = a->conn},
		    &st) == 0)
		((struct answer *)st->state)->conn = a->conn;
	else
		ask_again(self, env, a);
}

static void conn_up(void *arg, const struct env *env, uint64_t conn)
{
	struct identify_service *self = arg;
	struct asked *a = xcalloc(1, sizeof(*a));

	a->conn = conn;
	(void)table_put(&self->asked, bytes_of(&a->conn, sizeof(a->conn)), a);
	ask(self, env, a);
}

static void conn_down(void *arg, const struct env *env, uint64_t conn)
{
	struct identify_service *self = arg;

	(void)env;
	free(table_remove(&self->asked, bytes_of(&conn, sizeof(conn))));
}

static void tick(void *arg, const struct env *env)
{
	struct identify_service *self = arg;
	struct table_entry *e, *tmp;
	uint64_t next_ms = P2P_NEVER;

	self->due_ms = P2P_NEVER;
	TABLE_FOREACH(e, tmp, &self->asked) {
		struct asked *a = e->value;

		if (a->again_ms > env->now_ms)
			next_ms = P2P_MIN(next_ms, a->again_ms);
		else if (!swarm_conn_is_identified(
				 serve_swarm(self->sv), a->conn))
			ask(self, env, a);
		else
			a->again_ms = P2P_NEVER;
	}
	self->due_ms = P2P_MIN(self->due_ms, next_ms);
}

static uint64_t deadline(const void *arg)
{
	return ((const struct identify_service *)arg)->due_ms;
}

/* ---- theirs ------------------------------------------------------------ */

/* Every whole frame of the body, merged. */
static int parse(struct bytes body, struct identify *id)
{
	struct frame_reader r;
	int err = 0;

	*id = (struct identify){.listen_addr_count = 0};
	frame_reader_init(&r, IDENTIFY_MESSAGE_BYTES_MAX);
	while (err == 0 && body.len > 0) {
		struct bytes message;
		size_t taken;
		int got = frame_read(&r, body, &taken, &message);

		if (got <= 0) {
			err = got < 0 ? got : P2P_ERR_TRUNCATED;
			break;
		}
		err = identify_pb_read(id, message);
		body = bytes_skip(body, taken);
	}
	frame_reader_clear(&r);
	return err;
}

static bool is_read(
	const struct identify_service *self, const struct sstream *st)
{
	return st->inbound == (self->ops == &identify_push_ops);
}

static void opened(void *arg, const struct env *env, struct sstream *st)
{
	if (st->inbound && !is_read(arg, st))
		send_own(arg, env, st);
}

/* Both hands are empty at the end: nothing more is expected of this stream. */
static void finish(struct identify_service *self, const struct env *env,
	struct sstream *st)
{
	struct answer *a = st->state;
	struct identify id;
	int err = parse(buf_bytes(&a->body), &id);
	struct asked *asked = asked_on(self, st->conn);

	if (err == 0)
		err = swarm_identified(
			serve_swarm(self->sv), env, st->conn, &id, st->inbound);
	if (err != 0)
		swarm_count_breach(serve_swarm(self->sv), true);
	if (asked != NULL && !st->inbound)
		ask_again(self, env, asked);
	buf_clear(&a->body);
	serve_reset(self->sv, st);
}

static int readable(void *arg, const struct env *env, struct sstream *st,
	struct serve_in *in)
{
	struct answer *a = st->state;

	in->used = in->bytes.len;
	if (!is_read(arg, st))
		return 0; /* we only write on it */
	if (!a->begun)
		buf_init(&a->body, IDENTIFY_BYTES_MAX);
	a->begun = true;
	if (serve_keep(st, a->body.len + in->bytes.len) != 0 ||
		buf_append(&a->body, in->bytes) != 0) {
		swarm_count_breach(
			serve_swarm(((struct identify_service *)arg)->sv),
			true);
		return P2P_ERR_LIMIT;
	}
	if (in->end)
		finish(arg, env, st);
	return 0;
}

static void gone(void *arg, const struct env *env, struct sstream *st,
	struct bytes rest, int err)
{
	struct identify_service *self = arg;
	struct answer *a = st->state;
	struct asked *asked = asked_on(self, a->conn);

	(void)rest;
	if (a->begun)
		buf_clear(&a->body);
	if (asked == NULL)
		return;
	/* Some programs have no identify: they can be talked to all the same.
	 */
	if (err == P2P_ERR_NO_PROTOCOL)
		swarm_unidentified(serve_swarm(self->sv), a->conn);
	else
		ask_again(self, env, asked);
}

static const char *const names[] = {"/ipfs/id/1.0.0", NULL};
static const char *const push_names[] = {"/ipfs/id/push/1.0.0", NULL};

const struct service_ops identify_ops = {
	.names = names,
	.in_per_peer = IDENTIFY_STREAMS_IN_MAX,
	.newest_stays = true,
	.limited = true,
	.early = true,
	.life_ms = IDENTIFY_MS,
	.state_bytes = sizeof(struct answer),
	.start = start,
	.free = stop,
	.opened = opened,
	.readable = readable,
	.gone = gone,
	.conn_up = conn_up,
	.conn_down = conn_down,
	.self_changed = push_all,
	.tick = tick,
	.deadline = deadline,
};

/* What it reads is one more claim; what it writes push_all has written. */
const struct service_ops identify_push_ops = {
	.names = push_names,
	.in_per_peer = IDENTIFY_STREAMS_IN_MAX,
	.newest_stays = true,
	.limited = true,
	.early = true,
	.life_ms = IDENTIFY_MS,
	.state_bytes = sizeof(struct answer),
	.start = start,
	.free = stop,
	.opened = opened,
	.readable = readable,
	.gone = gone,
};

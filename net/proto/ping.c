/*
 * Ping in both roles: what a peer sends is echoed, and a peer on a connection
 * that does not ask by itself is asked, on one stream for as long as it stands.
 */
#include "net/proto/ping.h"

#include <stdlib.h>

#include "base/table.h"
#include "base/xmalloc.h"
#include "net/proto/proto_limits.h"

/* A connection on which we ask. */
struct asking {
	uint64_t conn;
	uint64_t stream;  /* 0: none */
	uint64_t sent_ms; /* 0: nothing is under way */
	uint64_t sent_us; /* the last one; 0: none yet */
	uint64_t due_ms;  /* the next one, or when the answer is late */
	uint8_t nonce[PING_BYTES];
};

struct ping_service {
	struct serve *sv;
	uint64_t interval_ms;
	struct table asking; /* conn -> struct asking */
};

static void *start(struct serve *sv, const struct service_ops *ops,
	const struct serve_cfg *cfg, const struct env *env)
{
	struct ping_service *self = xcalloc(1, sizeof(*self));

	(void)ops;
	self->sv = sv;
	self->interval_ms = cfg->ping_interval_ms != 0 ? cfg->ping_interval_ms
						       : SWARM_PING_INTERVAL_MS;
	table_init(&self->asking, env->rng);
	return self;
}

static void stop(void *arg)
{
	struct ping_service *self = arg;
	struct table_entry *e, *tmp;

	TABLE_FOREACH(e, tmp, &self->asking)
		free(e->value);
	table_clear(&self->asking);
	free(self);
}

/* ---- echo --------------------------------------------------------------- */

/* Who pings without reading the answers is read no more until he does. */
static void echo(struct ping_service *self, const struct env *env,
	struct sstream *st, struct serve_in *in)
{
	while (in->bytes.len - in->used >= PING_BYTES) {
		struct bytes one = bytes_first(
			bytes_skip(in->bytes, in->used), PING_BYTES);

		if (swarm_stream_backlog(st) >= PING_BACKLOG_BYTES ||
			serve_write(self->sv, env, st, one) != 0) {
			serve_hold(self->sv, st, true);
			return;
		}
		in->used += PING_BYTES;
	}
}

static void writable(void *arg, const struct env *env, struct sstream *st)
{
	struct ping_service *self = arg;

	(void)env;
	if (st->inbound)
		serve_hold(self->sv, st, false);
}

/* ---- asking ------------------------------------------------------------- */

static struct asking *asking_on(const struct ping_service *self, uint64_t conn)
{
	return table_get(&self->asking, bytes_of(&conn, sizeof(conn)));
}

/* When it is asked next: nobody who was just heard, but everybody now and then,
 * to measure; on a grid of our own clock, so that all go out in one turn. */
static uint64_t ask_ms(const struct ping_service *self, const struct asking *a)
{
	uint64_t at = a->sent_us / 1000 + SWARM_PING_RARELY_MS;
	struct swarm_conn_info conn;

	if (swarm_conn_info(serve_swarm(self->sv), a->conn, &conn))
		at = P2P_MIN(at, conn.heard_ms);
	at += self->interval_ms;
	return at - at % P2P_MAX(self->interval_ms / 2, UINT64_C(1));
}

static int answered(struct ping_service *self, const struct env *env,
	struct sstream *st, struct serve_in *in)
{
	struct asking *a = asking_on(self, st->conn);

	if (in->bytes.len < PING_BYTES)
		return in->end ? P2P_ERR_CLOSED : 0;
	if (a == NULL || a->sent_ms == 0 || a->stream != st->id ||
		memcmp(in->bytes.data, a->nonce, PING_BYTES) != 0)
		return P2P_ERR_PROTOCOL;
	in->used = PING_BYTES;
	/* From the turn that asked to the turn that read the answer. */
	swarm_measured(
		serve_swarm(self->sv), st->conn, env_now_us(env) - a->sent_us);
	a->sent_ms = 0;
	a->due_ms = ask_ms(self, a);
	/* More than was asked for is looked at, too. */
	return in->bytes.len > PING_BYTES ? P2P_ERR_PROTOCOL : 0;
}

static int readable(void *arg, const struct env *env, struct sstream *st,
	struct serve_in *in)
{
	struct ping_service *self = arg;

	if (!st->inbound)
		return answered(self, env, st, in);
	echo(self, env, st, in);
	if (!in->end || in->bytes.len - in->used >= PING_BYTES)
		return 0;
	/* The last answers go out before the stream ends; what is left of a
	 * ping that was cut short is nothing. */
	in->used = in->bytes.len;
	swarm_stream_expire(
		serve_swarm(self->sv), st, env_after(env, PING_CLOSE_MS));
	serve_close(self->sv, env, st);
	return 0;
}

static void gone(void *arg, const struct env *env, struct sstream *st,
	struct bytes rest, int err)
{
	struct table_entry *e, *tmp;

	(void)env;
	(void)rest;
	(void)err;
	TABLE_FOREACH(e, tmp, &((struct ping_service *)arg)->asking) {
		struct asking *a = e->value;

		if (a->stream == st->id)
			a->stream = 0;
	}
}

static void send_ping(
	struct ping_service *self, const struct env *env, struct asking *a)
{
	struct sstream *st = serve_stream(self->sv, a->stream);
	struct swarm_conn_info conn;

	a->due_ms = env_after(env, self->interval_ms);
	if (!swarm_conn_info(serve_swarm(self->sv), a->conn, &conn) ||
		!swarm_peer_speaks(
			serve_swarm(self->sv), &conn.peer, ping_ops.names[0]))
		return;
	if (st == NULL &&
		serve_open(self->sv, env,
			&(struct serve_to){.ops = &ping_ops, .conn = a->conn},
			&st) != 0)
		return;
	a->stream = st->id;
	rng_fill(env->rng, a->nonce, sizeof(a->nonce));
	if (serve_write(self->sv, env, st, bytes_of(a->nonce, PING_BYTES)) != 0)
		return;
	a->sent_ms = env->now_ms;
	a->sent_us = env_now_us(env);
	a->due_ms = env_after(env, SWARM_PING_TIMEOUT_MS);
}

static void on_due(
	struct ping_service *self, const struct env *env, struct asking *a)
{
	struct swarm *s = serve_swarm(self->sv);
	struct swarm_conn_info conn;

	if (a->sent_ms == 0) {
		a->due_ms = a->sent_us == 0 ? 0 : ask_ms(self, a);
		if (a->due_ms <= env->now_ms)
			send_ping(self, env, a);
		return;
	}
	/* Who is busy answers late; as long as it sends anything it lives. */
	if (swarm_conn_info(s, a->conn, &conn))
		a->due_ms = P2P_MAX(a->sent_ms, conn.heard_ms) +
			    SWARM_PING_TIMEOUT_MS;
	if (a->due_ms <= env->now_ms)
		swarm_conn_close(s, env, a->conn, P2P_ERR_TIMEOUT);
}

/* ---- connections and time ----------------------------------------------- */

static void conn_up(void *arg, const struct env *env, uint64_t conn)
{
	struct ping_service *self = arg;
	struct swarm_conn_info info;
	struct asking *a;

	if (!swarm_conn_info(serve_swarm(self->sv), conn, &info) || info.pings)
		return;
	a = xcalloc(1, sizeof(*a));
	a->conn = conn;
	a->due_ms = env_after(env, self->interval_ms);
	(void)table_put(&self->asking, bytes_of(&a->conn, sizeof(a->conn)), a);
}

/* Now it is known whether the peer answers pings. */
static void peer_known(
	void *arg, const struct env *env, const struct peer_id *peer)
{
	struct ping_service *self = arg;
	struct table_entry *e, *tmp;
	struct swarm_conn_info conn;

	TABLE_FOREACH(e, tmp, &self->asking) {
		struct asking *a = e->value;

		if (a->sent_us == 0 &&
			swarm_conn_info(
				serve_swarm(self->sv), a->conn, &conn) &&
			peer_id_equal(&conn.peer, peer))
			a->due_ms = env->now_ms;
	}
}

static void conn_down(void *arg, const struct env *env, uint64_t conn)
{
	struct ping_service *self = arg;

	(void)env;
	free(table_remove(&self->asking, bytes_of(&conn, sizeof(conn))));
}

static void tick(void *arg, const struct env *env)
{
	struct ping_service *self = arg;
	struct table_entry *e, *tmp;

	TABLE_FOREACH(e, tmp, &self->asking) {
		struct asking *a = e->value;

		if (a->due_ms <= env->now_ms)
			on_due(self, env, a);
	}
}

static uint64_t deadline(const void *arg)
{
	const struct ping_service *self = arg;
	struct table_entry *e, *tmp;
	uint64_t first = P2P_NEVER;

	TABLE_FOREACH(e, tmp, &self->asking)
		first = P2P_MIN(first, ((struct asking *)e->value)->due_ms);
	return first;
}

static const char *const names[] = {"/ipfs/ping/1.0.0", NULL};

const struct service_ops ping_ops = {
	.names = names,
	.in_per_peer = PING_STREAMS_IN_MAX,
	.limited = true,
	.early = true,
	.urgent = true,
	.start = start,
	.free = stop,
	.readable = readable,
	.writable = writable,
	.gone = gone,
	.conn_up = conn_up,
	.conn_down = conn_down,
	.peer_up = peer_known,
	.peer_changed = peer_known,
	.tick = tick,
	.deadline = deadline,
};

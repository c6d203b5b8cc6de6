/*
 * A small relay, for the simulator alone: whoever cannot reach a peer asks one
 * who can for a stream to it, and the bytes of both streams are joined there.
 * At its two ends the stream carries a connection with limits. It is how
 * circuit relay will stand on net/serve, without its rules.
 *
 *   asker:  "for ID" frame --> relay: "from ID" frame --> target
 *   asker <====== bytes of one connection, joined by the relay ======> target
 */
#include "tests/sim/relay.h"

#include <stdlib.h>

#include "base/xmalloc.h"
#include "net/serve/carry.h"
#include "net/serve/request.h"

/* A stream's state. */
struct leg {
	struct request in;
	struct carry carry;  /* at the ends */
	uint64_t other;      /* at the relay: the stream it is joined with */
	struct peer_id asks; /* at the asker: for whom */
	bool named;          /* the first frame was read */
};

static struct relay_limits limits;

void relay_set_limits(const struct relay_limits *l)
{
	limits = *l;
}

struct relay {
	struct serve *sv;
};

static void *start(struct serve *sv, const struct service_ops *ops,
	const struct serve_cfg *cfg, const struct env *env)
{
	struct relay *self = xcalloc(1, sizeof(*self));

	(void)ops;
	(void)cfg;
	(void)env;
	self->sv = sv;
	return self;
}

static int carry_on(struct relay *self, const struct env *env,
	struct sstream *st, const struct peer_id *peer)
{
	struct leg *leg = st->state;
	struct swarm_carrier k = {
		.outbound = !st->inbound,
		.expect = *peer,
		.limited = true,
		.lasts_ms = limits.lasts_ms,
		.bytes_max = limits.bytes_max,
	};
	struct swarm_conn_info via;

	leg->named = true;
	if (swarm_conn_info(serve_swarm(self->sv), st->conn, &via))
		k.remote = via.remote;
	return carry_start(self->sv, env, st, &leg->carry, &k);
}

/* A stream to `via`, whose first frame says for whom it is. */
static int open_for(struct serve *sv, const struct env *env,
	const struct peer_id *via, const struct peer_id *peer,
	struct sstream **st)
{
	struct serve_to to = {.ops = &relay_ops, .peer = via};
	int err = serve_open(sv, env, &to, st);

	return err != 0 ? err
			: serve_write_frame(sv, env, *st, peer_id_bytes(peer));
}

int relay_ask(struct serve *sv, const struct env *env,
	const struct peer_id *via, const struct peer_id *peer)
{
	struct relay *self = serve_self(sv, &relay_ops);
	struct sstream *st;
	int err = open_for(sv, env, via, peer, &st);

	return err != 0 ? err : carry_on(self, env, st, peer);
}

/* The relay or the target learns what the stream is for. */
static int be_named(struct relay *self, const struct env *env,
	struct sstream *st, struct bytes frame)
{
	struct leg *leg = st->state;
	struct peer_id peer;
	struct sstream *next;
	int err = peer_id_parse(&peer, frame);

	if (err != 0)
		return err;
	leg->named = true;
	if (swarm_peer_best(serve_swarm(self->sv), &peer) == 0)
		return carry_on(self, env, st, &peer);
	err = open_for(self->sv, env, &peer, &st->peer, &next);
	if (err != 0)
		return err;
	leg->other = next->id;
	((struct leg *)next->state)->other = st->id;
	((struct leg *)next->state)->named = true;
	return 0;
}

static size_t join(struct relay *self, const struct env *env, struct leg *leg,
	struct bytes in, bool end)
{
	struct sstream *other = serve_stream(self->sv, leg->other);

	if (other == NULL || serve_write(self->sv, env, other, in) != 0)
		return 0;
	if (end)
		serve_close(self->sv, env, other);
	return in.len;
}

static int readable(void *arg, const struct env *env, struct sstream *st,
	struct serve_in *in)
{
	struct relay *self = arg;
	struct leg *leg = st->state;
	struct bytes frame, left;
	int got;

	if (!leg->named) {
		got = request_read(&leg->in, st, PEER_ID_BYTES_MAX, in, &frame);
		if (got <= 0)
			return got;
		got = be_named(self, env, st, frame);
		if (got != 0)
			return got;
	}
	left = bytes_skip(in->bytes, in->used);
	in->used += leg->other != 0 ? join(self, env, leg, left, in->end)
				    : carry_readable(self->sv, env, &leg->carry,
					      left, in->end);
	return 0;
}

static void writable(void *arg, const struct env *env, struct sstream *st)
{
	struct relay *self = arg;
	struct leg *leg = st->state;

	carry_writable(self->sv, env, st, &leg->carry);
	/* What did not fit may now. */
	if (leg->other != 0) {
		struct sstream *other = serve_stream(self->sv, leg->other);

		if (other != NULL)
			swarm_stream_again(serve_swarm(self->sv), other);
	}
}

static void gone(void *arg, const struct env *env, struct sstream *st,
	struct bytes rest, int err)
{
	struct relay *self = arg;
	struct leg *leg = st->state;
	struct sstream *other = serve_stream(self->sv, leg->other);

	(void)err;
	request_clear(&leg->in);
	carry_gone(self->sv, env, &leg->carry, rest);
	if (other == NULL)
		return;
	((struct leg *)other->state)->other = 0;
	serve_close(self->sv, env, other);
}

static void carry(void *arg, const struct env *env, struct sstream *st,
	const struct swarm_action *act)
{
	struct relay *self = arg;

	carry_act(self->sv, env, st, &((struct leg *)st->state)->carry, act);
}

static const char *const names[] = {"/p2pchat-test/relay/1.0.0", NULL};

const struct service_ops relay_ops = {
	.names = names,
	.in_per_peer = 8,
	.state_bytes = sizeof(struct leg),
	.start = start,
	.free = free,
	.readable = readable,
	.writable = writable,
	.gone = gone,
	.carry = carry,
};

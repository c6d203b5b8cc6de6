/*
 * The stream is opened as soon as the connection stands, without waiting for
 * identify; the ping goes out when both sides have agreed on its protocol, so
 * that its time is that of one way there and back.
 */
#include "tests/interop/one_ping.h"

#include <stdlib.h>
#include <time.h>

#include "base/xmalloc.h"

#define PING_BYTES 32

struct service {
	struct serve *sv;
	uint8_t nonce[PING_BYTES];
	double sent_ms;
	bool asked, told;
};

static struct mailbox *tells;

void one_ping_tells(struct mailbox *box)
{
	tells = box;
}

double one_ping_now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec * 1000 + (double)ts.tv_nsec / 1000000;
}

static void tell(struct service *self, int err)
{
	double now_ms = one_ping_now_ms();
	struct one_ping found = {
		.err = err, .at_ms = now_ms, .rtt_ms = now_ms - self->sent_ms};
	struct msg *m;

	if (self->told)
		return;
	self->told = true;
	m = &chat_net_msg_new((enum chat_msg_kind)ONE_PING_MSG, NULL,
		bytes_of(&found, sizeof(found)))
		     ->msg;
	if (mailbox_post(tells, &m) != 0)
		msg_free(m);
}

static void *start(struct serve *sv, const struct service_ops *ops,
	const struct serve_cfg *cfg, const struct env *env)
{
	struct service *self = xcalloc(1, sizeof(*self));

	(void)ops;
	(void)cfg;
	self->sv = sv;
	rng_fill(env->rng, self->nonce, sizeof(self->nonce));
	return self;
}

static void conn_up(void *arg, const struct env *env, uint64_t conn)
{
	struct service *self = arg;
	struct serve_to to = {.ops = &one_ping_ops, .conn = conn};
	struct swarm_conn_info info;
	struct sstream *st;
	int err;

	if (self->asked ||
		!swarm_conn_info(serve_swarm(self->sv), conn, &info) ||
		!info.outbound)
		return;
	self->asked = true;
	err = serve_open(self->sv, env, &to, &st);
	if (err != 0)
		tell(self, err);
}

static void opened(void *arg, const struct env *env, struct sstream *st)
{
	struct service *self = arg;
	int err;

	self->sent_ms = one_ping_now_ms();
	err = serve_write(self->sv, env, st, bytes_of(self->nonce, PING_BYTES));
	if (err != 0)
		tell(self, err);
}

static int readable(void *arg, const struct env *env, struct sstream *st,
	struct serve_in *in)
{
	struct service *self = arg;

	if (in->bytes.len < PING_BYTES)
		return in->end ? P2P_ERR_CLOSED : 0;
	if (!bytes_equal(in->bytes, bytes_of(self->nonce, PING_BYTES)))
		return P2P_ERR_PROTOCOL;
	in->used = PING_BYTES;
	tell(self, 0);
	serve_close(self->sv, env, st);
	return 0;
}

static void gone(void *arg, const struct env *env, struct sstream *st,
	struct bytes rest, int err)
{
	(void)env;
	(void)st;
	(void)rest;
	tell(arg, err != 0 ? err : P2P_ERR_CLOSED);
}

static const char *const names[] = {"/ipfs/ping/1.0.0", NULL};

const struct service_ops one_ping_ops = {
	.names = names,
	.early = true,
	.urgent = true,
	.start = start,
	.free = free,
	.opened = opened,
	.readable = readable,
	.gone = gone,
	.conn_up = conn_up,
};

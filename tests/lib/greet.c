/* A protocol for tests, made in the four steps of docs/internals/net-serve.md:
 * whoever comes is asked with a word, and answers with the same word. */
#include "tests/lib/greet.h"

#include <stdlib.h>

#include "base/xmalloc.h"
#include "net/serve/request.h"

#define WORD "well met"

static void *start(struct serve *sv, const struct service_ops *ops,
	const struct serve_cfg *cfg, const struct env *env)
{
	struct greet *self = xcalloc(1, sizeof(*self));

	(void)ops;
	(void)cfg;
	(void)env;
	self->sv = sv;
	return self;
}

static void peer_up(
	void *arg, const struct env *env, const struct peer_id *peer)
{
	struct greet *self = arg;
	struct serve_to to = {.ops = &greet_ops, .peer = peer};
	struct sstream *st;

	self->asked += !request_open(self->sv, env, &to, bytes_str(WORD), &st);
}

static int readable(void *arg, const struct env *env, struct sstream *st,
	struct serve_in *in)
{
	struct greet *self = arg;
	struct bytes word;
	int got = request_read(st->state, st, sizeof(WORD), in, &word);

	if (got <= 0)
		return got;
	if (!bytes_equal(word, bytes_str(WORD)))
		return P2P_ERR_PROTOCOL;
	if (!st->inbound) {
		self->greeted++;
		log_printf(env->log, LOG_LEVEL_INFO, "greeted");
		return 0;
	}
	self->answered += serve_write_frame(self->sv, env, st, word) == 0;
	serve_close(self->sv, env, st);
	return 0;
}

static void gone(void *arg, const struct env *env, struct sstream *st,
	struct bytes rest, int err)
{
	(void)env;
	(void)rest;
	((struct greet *)arg)->failed += err != 0;
	request_clear(st->state);
}

static const char *const names[] = {"/p2pchat-test/greet/1.0.0", NULL};

const struct service_ops greet_ops = {
	.names = names,
	.in_per_peer = 2,
	.life_ms = 5000,
	.limited = true,
	.state_bytes = sizeof(struct request),
	.start = start,
	.free = free,
	.peer_up = peer_up,
	.readable = readable,
	.gone = gone,
};

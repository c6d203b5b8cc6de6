#include "tests/unit/serve_lab.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

#include "base/xmalloc.h"
#include "net/serve/serve_internal.h"

struct user users[2];

/* Whose services are made; serve_new says nothing of that to them. */
static struct user *starting;

/* ---- what services do ---------------------------------------------------- */

struct self {
	struct user *user;
};

void *user_start(struct serve *sv, const struct service_ops *ops,
	const struct serve_cfg *cfg, const struct env *env)
{
	struct self *self = xcalloc(1, sizeof(*self));

	(void)ops;
	(void)cfg;
	(void)env;
	self->user = starting;
	self->user->sv = sv;
	return self;
}

static struct word *remember(void *arg, enum what what, uint64_t stream)
{
	struct user *u = ((struct self *)arg)->user;
	struct word *w = &u->word[u->count++];

	assert_true(u->count <= USER_WORDS);
	*w = (struct word){.what = what, .stream = stream};
	return w;
}

static void remember_bytes(struct word *w, struct bytes in)
{
	w->len = in.len;
	if (in.len > 0)
		memcpy(w->text, in.data, P2P_MIN(in.len, sizeof(w->text) - 1));
}

/* What the story wants done then; false: the stream is no more. */
static bool act(const struct user *u, const struct env *env, struct sstream *st,
	enum what what)
{
	if (u->resets & what) {
		serve_reset(u->sv, st);
		return false;
	}
	if (u->closes & what)
		serve_close(u->sv, env, st);
	return true;
}

void user_opened(void *arg, const struct env *env, struct sstream *st)
{
	struct user *u = ((struct self *)arg)->user;
	const uint8_t *state = st->state;

	(void)remember(arg, OPENED, st->id);
	for (size_t i = 0; i < serve_ops_of(st)->state_bytes; i++)
		assert_int_equal(state[i], 0);
	if (!act(u, env, st, OPENED))
		return;
	if (u->holds)
		serve_hold(u->sv, st, true);
	if (u->answer != NULL && st->inbound)
		assert_int_equal(
			serve_write(u->sv, env, st, bytes_str(u->answer)), 0);
	if (u->opens != NULL)
		u->opens(u, env, st);
}

int user_readable(void *arg, const struct env *env, struct sstream *st,
	struct serve_in *in)
{
	struct user *u = ((struct self *)arg)->user;
	struct word *w = remember(arg, READABLE, st->id);

	remember_bytes(w, in->bytes);
	w->end = in->end;
	if (u->reads != NULL)
		return u->reads(u, env, st, in);
	if (!act(u, env, st, READABLE))
		return 0;
	in->used = P2P_MIN(u->takes, in->bytes.len);
	return u->err;
}

void user_writable(void *arg, const struct env *env, struct sstream *st)
{
	(void)remember(arg, WRITABLE, st->id);
	(void)act(((struct self *)arg)->user, env, st, WRITABLE);
}

void user_gone(void *arg, const struct env *env, struct sstream *st,
	struct bytes rest, int err)
{
	struct word *w = remember(arg, GONE, st->id);

	remember_bytes(w, rest);
	w->err = err;
	(void)act(((struct self *)arg)->user, env, st, GONE);
}

/* A service that has no streams and hears of connections and peers. */
static void conn_up(void *arg, const struct env *env, uint64_t conn)
{
	(void)env;
	(void)conn;
	(void)remember(arg, CONN_UP, 0);
}

static void conn_down(void *arg, const struct env *env, uint64_t conn)
{
	(void)env;
	(void)conn;
	(void)remember(arg, CONN_DOWN, 0);
}

static void peer_up(
	void *arg, const struct env *env, const struct peer_id *peer)
{
	(void)env;
	(void)peer;
	(void)remember(arg, UP, 0);
}

static void peer_down(
	void *arg, const struct env *env, const struct peer_id *peer)
{
	(void)env;
	(void)peer;
	(void)remember(arg, DOWN, 0);
}

static const struct service_ops peers_ops = {
	.names = (const char *const[]){"/peers/1", NULL},
	.start = user_start,
	.free = free,
	.conn_up = conn_up,
	.conn_down = conn_down,
	.peer_up = peer_up,
	.peer_down = peer_down,
};

/* ---- set-up -------------------------------------------------------------- */

void serve_lab_replace(
	struct swarm_lab *l, unsigned i, const struct serve_cfg *cfg)
{
	/* One list of the story's, and the lab's own behind it. */
	static const struct service_ops *lists[2][SERVE_SERVICES_MAX + 1];
	struct serve_cfg whole = *cfg;
	size_t n = 0;

	lists[i][n++] = &peers_ops;
	for (; *whole.more != NULL; whole.more++) {
		assert_true(n < SERVE_SERVICES_MAX);
		lists[i][n++] = *whole.more;
	}
	lists[i][n] = NULL;
	whole.more = lists[i];
	whole.offer_yamux = true;
	whole.early_muxers = true;
	starting = &users[i];
	lab_replace(l, i, whole, false);
	swarm_set_addresses(swarm_of(l, i), &l->host[i].addr, 1);
}

struct swarm_lab *serve_lab_apart(const struct service_ops *const *services)
{
	struct swarm_lab *l = lab_new("10.0.0", true, false);

	memset(users, 0, sizeof(users));
	for (unsigned i = 0; i < 2; i++) {
		users[i].takes = SIZE_MAX;
		serve_lab_replace(
			l, i, &(const struct serve_cfg){.more = services});
	}
	return l;
}

struct swarm_lab *serve_lab(const struct service_ops *const *services)
{
	struct swarm_lab *l = serve_lab_apart(services);

	lab_meet(l);
	for (unsigned i = 0; i < 2; i++)
		users[i].count = 0;
	return l;
}

int serve_lab_end(void **state)
{
	lab_free(*state);
	return 0;
}

struct sstream *serve_lab_open(
	struct swarm_lab *l, const struct service_ops *ops, const char *text)
{
	struct serve_to to = {.ops = ops, .peer = id_of(l, 1)};
	struct sstream *st;

	assert_int_equal(serve_open(l->host[0].sv, &l->te.env, &to, &st), 0);
	if (text != NULL)
		serve_lab_say(l, 0, st, text);
	return st;
}

void serve_lab_say(
	struct swarm_lab *l, unsigned i, struct sstream *st, const char *text)
{
	assert_int_equal(
		serve_write(l->host[i].sv, &l->te.env, st, bytes_str(text)), 0);
}

void serve_lab_blurt(struct swarm_lab *l)
{
	const struct wire *w = &l->wire[0];
	struct bytes out =
		swarm_out_peek(swarm_of(l, 0), &l->te.env, w->conn[0]);
	uint8_t *copy = xmemdup(out.data, out.len);
	size_t len = out.len;

	assert_true(w->used && len > 0);
	swarm_out_consume(swarm_of(l, 0), &l->te.env, w->conn[0], len);
	swarm_bytes(
		swarm_of(l, 1), &l->te.env, w->conn[1], bytes_of(copy, len));
	free(copy);
}

/* ---- what was told ------------------------------------------------------- */

unsigned told(unsigned i, unsigned what)
{
	unsigned n = 0;

	for (unsigned k = 0; k < users[i].count; k++)
		n += (users[i].word[k].what & what) != 0;
	return n;
}

unsigned told_at(unsigned i, enum what what, unsigned n)
{
	for (unsigned k = 0; k < users[i].count; k++)
		if (users[i].word[k].what == what && n-- == 0)
			return k;
	fail();
	return 0;
}

const struct word *told_nth(unsigned i, enum what what, unsigned n)
{
	return &users[i].word[told_at(i, what, n)];
}

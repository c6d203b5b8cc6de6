/*
 * A few services under a peer that writes what it likes, and whose own
 * functions do what the script says: reset, close, hold, write, open, end the
 * connection, return errors, with the stream at hand or another one. The peer
 * speaks mplex or yamux without keys; streams it opens properly, or not. Of
 * each stream opened is told once, nothing but writable of our own before it,
 * gone once and nothing behind it; what a stream keeps is its own; no stream
 * outlives its peer; no tick leaves a deadline that has passed; nothing is held
 * at the end.
 */
#include "net/serve/serve.h"

#include <stdlib.h>

#include "base/cursor.h"
#include "net/proto/identify.h"
#include "net/proto/ping.h"
#include "tests/lib/bare_channel.h"
#include "tests/lib/served.h"
#include "tests/lib/test_env.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define STREAMS 16 /* of those that were told of, the last ones */
#define WILL_MAX 64
#define ACTS_MAX 50
#define HELLO "\x13/multistream/1.0.0\n"

/* In each stream's state. */
struct mark {
	uint64_t id; /* 0: the service has not heard of it */
	bool opened;
};

struct fuzz {
	struct test_env te;
	struct serve *sv;
	uint64_t conn;
	bool yamux;
	bool up;
	uint64_t streams[STREAMS];
	unsigned next;
	size_t alive; /* told of or opened by us, and not ended */
	uint8_t will[WILL_MAX];
	unsigned will_len, will_at;
	unsigned acts; /* that are left in this step: who writes whenever he
			  may would go on until all queues are full */
};

/* ---- what services do ---------------------------------------------------- */

static uint8_t wish(struct fuzz *f)
{
	if (f->will_len == 0 || f->acts == 0)
		return 0xf0;
	f->acts--;
	return f->will[f->will_at++ % f->will_len];
}

static struct sstream *some_stream(const struct fuzz *f, unsigned i)
{
	return serve_stream(f->sv, f->streams[i % STREAMS]);
}

static void note(struct fuzz *f, struct sstream *st)
{
	struct mark *m = st->state;

	P2P_ASSERT(m->id == 0 && !m->opened);
	m->id = st->id;
	f->streams[f->next++ % STREAMS] = st->id;
	f->alive++;
}

static void check(const struct sstream *st)
{
	P2P_ASSERT(((const struct mark *)st->state)->id == st->id);
}

static void reset(struct fuzz *f, struct sstream *st)
{
	check(st);
	P2P_ASSERT(f->alive > 0);
	f->alive--;
	serve_reset(f->sv, st);
}

static void open_one(struct fuzz *f, const struct serve_to *to)
{
	struct sstream *st;

	if (serve_open(f->sv, &f->te.env, to, &st) == 0)
		note(f, st);
}

static const struct service_ops *const services[5];

/* With one stream; the low four bits of what are the act. */
static void act(
	struct fuzz *f, struct sstream *st, unsigned what, struct bytes in)
{
	struct serve_to to = {
		.ops = services[what / 16 % 4], .peer = &st->peer};
	struct peer_id peer = st->peer;

	check(st);
	switch (what % 16) {
	case 1:
		reset(f, st);
		break;
	case 2:
		serve_close(f->sv, &f->te.env, st);
		break;
	case 3:
	case 4:
		serve_hold(f->sv, st, what % 16 == 3);
		break;
	case 5:
		(void)!serve_write(f->sv, &f->te.env, st, in);
		break;
	case 6:
		(void)!serve_write_frame(f->sv, &f->te.env, st, in);
		break;
	case 7:
		to.peer = &peer;
		open_one(f, &to);
		break;
	case 8:
		to.peer = NULL;
		to.conn = st->conn;
		open_one(f, &to);
		break;
	case 9:
		(void)!serve_keep(st, (size_t)what * 64);
		break;
	case 10:
		swarm_conn_close(serve_swarm(f->sv), &f->te.env, st->conn,
			P2P_ERR_CLOSED);
		break;
	case 11:
		swarm_disconnect(serve_swarm(f->sv), &f->te.env, &peer);
		break;
	default:
		break;
	}
}

/* What the script wants a function to do, to its own stream or another one. */
static uint8_t obey(struct fuzz *f, struct sstream *st)
{
	uint8_t what = wish(f);
	struct sstream *other = some_stream(f, what / 16);

	act(f, what % 16 < 12 || other == NULL ? st : other,
		what % 16 < 12 ? what : (what / 16 * 16) | (what % 4 + 1),
		bytes_str("hello"));
	return what;
}

static void opened(void *self, const struct env *env, struct sstream *st)
{
	struct mark *m = st->state;

	(void)env;
	if (st->inbound)
		note(self, st);
	check(st);
	P2P_ASSERT(!m->opened && st->name != NULL);
	m->opened = true;
	(void)obey(self, st);
}

static int readable(void *self, const struct env *env, struct sstream *st,
	struct serve_in *in)
{
	static const int errs[] = {0, 0, P2P_ERR_PROTOCOL, P2P_ERR_LIMIT};
	struct fuzz *f = self;
	uint64_t id = st->id;
	uint8_t what;

	(void)env;
	check(st);
	P2P_ASSERT(((struct mark *)st->state)->opened);
	P2P_ASSERT(in->bytes.len > 0 || in->end);
	what = obey(f, st);
	if (serve_stream(f->sv, id) != st)
		return 0;
	in->used = what / 16 == 15 ? in->bytes.len
				   : P2P_MIN(in->bytes.len, what / 16u);
	return errs[what % 4];
}

static void writable(void *self, const struct env *env, struct sstream *st)
{
	(void)env;
	check(st);
	P2P_ASSERT(((struct mark *)st->state)->opened || !st->inbound);
	(void)obey(self, st);
}

static void gone(void *self, const struct env *env, struct sstream *st,
	struct bytes rest, int err)
{
	struct fuzz *f = self;
	struct mark *m = st->state;
	uint64_t id = st->id;

	(void)env;
	(void)rest;
	check(st);
	P2P_ASSERT(m->opened || !st->inbound);
	P2P_ASSERT(err <= 0);
	(void)obey(f, st);
	if (serve_stream(f->sv, id) != st)
		return;
	/* Nothing more is told of it. */
	m->id = 0;
	P2P_ASSERT(f->alive > 0);
	f->alive--;
}

static void peer_up(
	void *self, const struct env *env, const struct peer_id *peer)
{
	struct fuzz *f = self;

	(void)env;
	(void)peer;
	P2P_ASSERT(!f->up);
	f->up = true;
}

static void peer_down(
	void *self, const struct env *env, const struct peer_id *peer)
{
	struct fuzz *f = self;

	(void)env;
	(void)peer;
	P2P_ASSERT(f->up && f->alive == 0);
	f->up = false;
}

#define OPS(list, ...) \
	{ \
		.names = list, .state_bytes = sizeof(struct mark), \
		.start = served_start, .opened = opened, .readable = readable, \
		.writable = writable, .gone = gone, __VA_ARGS__ \
	}
static const char *const a_names[] = {"/a/1", NULL};
static const char *const b_names[] = {"/b/1", NULL};
static const char *const c_names[] = {"/c/2", "/c/1", NULL};
static const char *const d_names[] = {"/d/1", NULL};
static const struct service_ops a_ops = OPS(a_names, .in_per_peer = 2,
	.early = true, .peer_up = peer_up, .peer_down = peer_down);
static const struct service_ops b_ops = OPS(b_names, .in_per_peer = 3,
	.newest_stays = true, .limited = true, .life_ms = 4000);
static const struct service_ops c_ops = OPS(c_names, .in_per_peer = 4,
	.limited = true, .idle_ms = 1000, .early = true);
static const struct service_ops d_ops =
	OPS(d_names, .in_per_peer = 8, .urgent = true);

static const struct service_ops *const services[5] = {
	&a_ops, &b_ops, &c_ops, &d_ops, NULL};
static const struct service_ops *const own[] = {
	&identify_ops, &identify_push_ops, &ping_ops, NULL};

/* ---- the carrier --------------------------------------------------------- */

static void settle(struct fuzz *f)
{
	struct swarm_event ev;
	struct swarm_action act;

	do {
		for (unsigned i = 0; serve_step(f->sv, &f->te.env, &ev); i++)
			P2P_ASSERT(i < 100000);
	} while (serve_next_action(f->sv, &f->te.env, &act));
}

static void bytes(struct fuzz *f, struct bytes in, bool at_once)
{
	swarm_bytes(serve_swarm(f->sv), &f->te.env, f->conn, in);
	if (at_once)
		settle(f);
}

static void drain(struct fuzz *f, size_t max)
{
	struct swarm *s = serve_swarm(f->sv);
	size_t n = swarm_out_peek(s, &f->te.env, f->conn).len;

	swarm_out_consume(s, &f->te.env, f->conn, P2P_MIN(n, max));
	settle(f);
}

static uint64_t accept_as(struct fuzz *f, bool limited)
{
	struct swarm_carrier k = {
		.limited = limited, .lasts_ms = 20000, .bytes_max = 100000};

	P2P_ASSERT(maddr_parse_text(
			   &k.remote, bytes_str("/ip4/9.9.9.9/tcp/9")) == 0);
	if (limited)
		return swarm_carried(serve_swarm(f->sv), &f->te.env, &k);
	return swarm_accepted(serve_swarm(f->sv), &f->te.env, &k.remote);
}

/* ---- what the peer says -------------------------------------------------- */

enum frame { FRAME_OPEN, FRAME_SAY, FRAME_CLOSE, FRAME_RESET };

static void add_frame(const struct fuzz *f, struct buf *out, unsigned stream,
	enum frame kind, struct bytes in)
{
	static const uint8_t yamux_flags[] = {1, 0, 4, 8};
	static const uint8_t mplex_flags[] = {0, 2, 4, 6};

	P2P_ASSERT(stream < 16 && in.len < 256);
	if (f->yamux) {
		(void)buf_append(out, bytes_of("\0\0\0", 3));
		(void)buf_append_u8(out, yamux_flags[kind]);
		(void)buf_append(out, bytes_of("\0\0\0", 3));
		(void)buf_append_u8(out, (uint8_t)(2 * stream + 1));
		(void)buf_append(out, bytes_of("\0\0\0", 3));
		(void)buf_append_u8(out, (uint8_t)in.len);
	} else {
		(void)buf_append_u8(
			out, (uint8_t)(stream << 3 | mplex_flags[kind]));
		if (in.len >= 128)
			(void)buf_append_u8(out, (uint8_t)(in.len | 128));
		(void)buf_append_u8(
			out, (uint8_t)(in.len >= 128 ? in.len >> 7 : in.len));
	}
	(void)buf_append(out, in);
}

/* A stream of a service and its first words, all in one. */
static void add_open(const struct fuzz *f, struct buf *out, unsigned stream,
	unsigned service, struct bytes in)
{
	static const char *const lines[] = {"\x05/a/1\n", "\x05/b/1\n",
		"\x05/c/1\n", "\x05/d/1\n", "\x0f/ipfs/id/1.0.0\n",
		"\x14/ipfs/id/push/1.0.0\n", "\x11/ipfs/ping/1.0.0\n",
		"\x05/x/1\n"};

	add_frame(f, out, stream, FRAME_OPEN, bytes_of(NULL, 0));
	add_frame(f, out, stream, FRAME_SAY, bytes_str(HELLO));
	add_frame(f, out, stream, FRAME_SAY, bytes_str(lines[service % 8]));
	if (in.len > 0)
		add_frame(f, out, stream, FRAME_SAY, in);
}

/* op: the low bits say what; more: the stream, the service, and whether our
 * side looks at once. */
static void peer_says(
	struct fuzz *f, unsigned op, uint8_t more, struct bytes in)
{
	unsigned stream = more % 16;
	struct buf out;

	buf_init(&out, 1024);
	switch (op) {
	case 0:
	case 1:
		add_open(f, &out, stream, more / 16, in);
		break;
	case 2:
		add_frame(f, &out, stream, FRAME_SAY, in);
		break;
	case 3:
		add_frame(f, &out, stream,
			more & 32 ? FRAME_RESET : FRAME_CLOSE,
			bytes_of(NULL, 0));
		break;
	default:
		(void)buf_append(&out, in);
	}
	bytes(f, buf_bytes(&out), (op == 1 || more & 128) != 0);
	buf_clear(&out);
}

/* ---- the script ---------------------------------------------------------- */

static void tick(struct fuzz *f, uint64_t ms)
{
	f->te.env.now_ms += ms;
	for (unsigned i = 0; serve_deadline(f->sv) <= f->te.env.now_ms; i++) {
		P2P_ASSERT(i < 1000);
		serve_tick(f->sv, &f->te.env);
		settle(f);
	}
}

static void verb(struct fuzz *f, uint8_t more, struct bytes in)
{
	struct serve_to to = {
		.ops = services[more % 4], .peer = &bare_channel_other->id};
	struct sstream *st = some_stream(f, more / 16);

	if (more % 16 == 0 || st == NULL)
		open_one(f, &to);
	else
		act(f, st, more, in);
	settle(f);
}

static void one(struct fuzz *f, struct cursor *c)
{
	uint8_t op = cur_u8(c), more = cur_u8(c);
	size_t n = cur_u8(c);
	struct bytes in = cur_take(c, P2P_MIN(n, cur_left(c)));

	f->acts = ACTS_MAX;
	switch (op % 16) {
	case 0:
	case 1:
	case 2:
	case 3:
	case 4:
		peer_says(f, op % 16, more, in);
		break;
	case 5:
		drain(f, (size_t)more * more);
		break;
	case 6:
		tick(f, (uint64_t)more * 20);
		break;
	case 7:
		f->will_len = (unsigned)P2P_MIN(in.len, (size_t)WILL_MAX);
		if (f->will_len > 0)
			memcpy(f->will, in.data, f->will_len);
		break;
	case 8:
		swarm_closed(serve_swarm(f->sv), &f->te.env, f->conn);
		settle(f);
		break;
	case 9:
		settle(f);
		break;
	default:
		verb(f, more, in);
	}
}

static void make_keys(struct identity me[static 2])
{
	P2P_ASSERT(crypto_init() == 0);
	for (uint8_t i = 0; i < 2; i++) {
		uint8_t seed[32] = {1, i};

		identity_from_seed(&me[i], seed);
	}
	bare_channel_other = &me[1];
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct identity me[2];
	static struct fuzz f;
	struct cursor c = cur_of(bytes_of(data, size));
	uint8_t flags = cur_u8(&c);
	struct serve_cfg cfg = {.me = &me[0],
		.agent = "fuzz",
		.services = own,
		.more = services,
		.offer_yamux = true,
		.offer_mplex = true};

	if (bare_channel_other == NULL)
		make_keys(me);
	bare_channel_kind = flags & 1 ? MUXER_YAMUX : MUXER_MPLEX;
	f = (struct fuzz){.yamux = flags & 1};
	served_self = &f;
	test_env_init(&f.te, 1);
	f.sv = serve_new(&cfg, &f.te.env);
	f.conn = accept_as(&f, flags & 2);
	settle(&f);
	while (cur_left(&c) > 0)
		one(&f, &c);
	serve_free(f.sv);
	P2P_ASSERT(f.alive == 0 && f.te.budget.used == 0);
	return 0;
}

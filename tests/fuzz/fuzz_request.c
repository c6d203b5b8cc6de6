/*
 * Requests on a stream that a peer writes. The first byte is the cut, the
 * second what the stream keeps besides and how it ends: in pieces the frames
 * and the verdict are those of all bytes at once; what is kept is charged, no
 * more and no less; nothing is held at the end. The peer speaks mplex, whose
 * frames are short, without keys.
 */
#include "net/serve/request.h"

#include <stdlib.h>

#include "base/cursor.h"
#include "base/xmalloc.h"
#include "net/swarm/swarm_internal.h"
#include "tests/lib/bare_channel.h"
#include "tests/lib/served.h"
#include "tests/lib/test_env.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define FRAME_MAX 200
#define SAID_MAX 600 /* more says nothing new */
#define HEARD_MAX (1u << 20)
#define HELLO "\x13/multistream/1.0.0\n\x05/r/1\n"

struct fuzz {
	struct test_env te;
	struct serve *sv;
	uint64_t conn;
	size_t besides;
	struct buf heard; /* each frame, and a mark behind it */
	bool gone;
	int why;
};

/* ---- the service --------------------------------------------------------- */

static void opened(void *self, const struct env *env, struct sstream *st)
{
	(void)env;
	((struct request *)st->state)->besides = ((struct fuzz *)self)->besides;
}

static void check_kept(const struct sstream *st)
{
	const struct request *r = st->state;

	P2P_ASSERT(r->frames.body.len <= FRAME_MAX);
	P2P_ASSERT(stream_of((struct sstream *)(uintptr_t)st)->kept ==
		   SERVE_STREAM_COST_BYTES + sizeof(*r) + r->besides +
			   r->frames.body.len);
}

static int readable(void *self, const struct env *env, struct sstream *st,
	struct serve_in *in)
{
	struct fuzz *f = self;
	struct bytes frame;
	int got;

	(void)env;
	while ((got = request_read(st->state, st, FRAME_MAX, in, &frame)) > 0) {
		P2P_ASSERT(frame.len <= FRAME_MAX);
		P2P_ASSERT(in->used <= in->bytes.len);
		check_kept(st);
		(void)buf_append(&f->heard, frame);
		(void)buf_append_u8(&f->heard, '|');
	}
	P2P_ASSERT(got != P2P_ERR_LIMIT);
	if (got == 0)
		check_kept(st);
	return got != 0 ? got : in->end ? P2P_ERR_CLOSED : 0;
}

static void gone(void *self, const struct env *env, struct sstream *st,
	struct bytes rest, int err)
{
	struct fuzz *f = self;

	(void)env;
	(void)rest;
	P2P_ASSERT(!f->gone);
	f->gone = true;
	f->why = err;
	request_clear(st->state);
}

static const char *const names[] = {"/r/1", NULL};
static const struct service_ops r_ops = {.names = names,
	.in_per_peer = 1,
	.early = true,
	.state_bytes = sizeof(struct request),
	.start = served_start,
	.opened = opened,
	.readable = readable,
	.gone = gone};
static const struct service_ops *const services[] = {&r_ops, NULL};

/* ---- the carrier --------------------------------------------------------- */

static void settle(struct fuzz *f)
{
	struct swarm *s = serve_swarm(f->sv);
	struct swarm_event ev;
	struct swarm_action act;

	do {
		while (serve_step(f->sv, &f->te.env, &ev))
			continue;
	} while (serve_next_action(f->sv, &f->te.env, &act));
	swarm_out_consume(s, &f->te.env, f->conn,
		swarm_out_peek(s, &f->te.env, f->conn).len);
}

static void bytes(struct fuzz *f, struct bytes in)
{
	swarm_bytes(serve_swarm(f->sv), &f->te.env, f->conn, in);
	settle(f);
}

/* An mplex frame of the peer's only stream: 0 opens, 2 says, 4 closes, 6
 * resets. */
static void say(struct fuzz *f, uint8_t flag, struct bytes in)
{
	struct buf frame;
	uint8_t head[10];

	buf_init(&frame, in.len + 11);
	(void)buf_append_u8(&frame, flag);
	(void)buf_append(&frame, bytes_of(head, frame_header(in.len, head)));
	(void)buf_append(&frame, in);
	bytes(f, buf_bytes(&frame));
	buf_clear(&frame);
}

/* ---- all at once --------------------------------------------------------- */

static int read_whole(struct bytes in, struct buf *out)
{
	struct frame_reader r;
	int got = 1;

	frame_reader_init(&r, FRAME_MAX);
	while (got > 0 && in.len > 0) {
		struct bytes frame;
		size_t taken;

		got = frame_read(&r, in, &taken, &frame);
		if (got < 0)
			break;
		in = bytes_skip(in, taken);
		if (got == 0)
			continue;
		(void)buf_append(out, frame);
		(void)buf_append_u8(out, '|');
	}
	/* Cut short: half a frame, or half of its length. */
	if (got >= 0 && (r.pending || in.len > 0))
		got = P2P_ERR_TRUNCATED;
	frame_reader_clear(&r);
	return got < 0 ? got : P2P_ERR_CLOSED;
}

static void make_keys(struct identity me[static 2])
{
	P2P_ASSERT(crypto_init() == 0);
	for (uint8_t i = 0; i < 2; i++) {
		uint8_t seed[32] = {1, i};

		identity_from_seed(&me[i], seed);
	}
	bare_channel_other = &me[1];
	bare_channel_kind = MUXER_MPLEX;
}

static void begin(struct fuzz *f, size_t besides)
{
	static struct identity me[2];
	struct serve_cfg cfg = {.me = &me[0],
		.agent = "fuzz",
		.services = services,
		.offer_mplex = true};
	struct maddr from;

	if (bare_channel_other == NULL)
		make_keys(me);
	*f = (struct fuzz){.besides = besides};
	served_self = f;
	test_env_init(&f->te, 1);
	buf_init(&f->heard, HEARD_MAX);
	f->sv = serve_new(&cfg, &f->te.env);
	P2P_ASSERT(
		maddr_parse_text(&from, bytes_str("/ip4/9.9.9.9/tcp/9")) == 0);
	f->conn = swarm_accepted(serve_swarm(f->sv), &f->te.env, &from);
	settle(f);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct fuzz f;
	struct cursor c = cur_of(bytes_of(data, size));
	size_t step = (size_t)cur_u8(&c) + 1;
	uint8_t flags = cur_u8(&c);
	struct bytes in = bytes_first(cur_rest(&c), SAID_MAX);
	struct buf want;
	int why;

	begin(&f, flags % 64);
	buf_init(&want, HEARD_MAX);
	say(&f, 0, bytes_of(NULL, 0));
	say(&f, 2, bytes_str(HELLO));
	why = read_whole(in, &want);
	for (; in.len > 0; in = bytes_skip(in, P2P_MIN(step, in.len)))
		say(&f, 2, bytes_first(in, step));
	if (flags & 64)
		say(&f, 4, bytes_of(NULL, 0));
	P2P_ASSERT(bytes_equal(buf_bytes(&f.heard), buf_bytes(&want)));
	P2P_ASSERT(!f.gone || f.why == why);
	P2P_ASSERT(f.gone || (flags & 64) == 0);
	serve_free(f.sv);
	P2P_ASSERT(f.gone && f.te.budget.used == 0);
	buf_clear(&f.heard);
	buf_clear(&want);
	return 0;
}

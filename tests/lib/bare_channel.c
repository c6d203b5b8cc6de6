#include "tests/lib/bare_channel.h"

#include <stdlib.h>

#include "base/xmalloc.h"
#include "net/upgrade/upgrader.h"

const struct identity *bare_channel_other;
enum muxer_kind bare_channel_kind;

struct bare {
	struct channel base;
	const struct identity *other;
	enum muxer_kind kind;
	struct muxer *m;
	struct bufq out;
	unsigned told; /* SECURED, then READY */
};

static struct bare *of(struct channel *c)
{
	return (struct bare *)c;
}

static const struct bare *of_const(const struct channel *c)
{
	return (const struct bare *)c;
}

static void bare_free(struct channel *c)
{
	muxer_free(of(c)->m);
	bufq_clear(&of(c)->out);
	free(c);
}

static int feed(struct channel *c, const struct env *env, struct bytes in,
	size_t *taken)
{
	return muxer_feed(of(c)->m, env, in, taken, &of(c)->out);
}

static bool is_held(const struct channel *c)
{
	(void)c;
	return false; /* what finds no room is not taken */
}

static struct bytes out_peek(struct channel *c, const struct env *env)
{
	(void)env;
	muxer_flush(of(c)->m, &of(c)->out);
	return bufq_peek(&of(c)->out);
}

static void out_consume(struct channel *c, size_t n)
{
	bufq_consume(&of(c)->out, n);
	muxer_flush(of(c)->m, &of(c)->out);
}

static bool next_event(struct channel *c, struct channel_event *ev)
{
	static const enum channel_event_kind first[] = {
		CHANNEL_EV_SECURED, CHANNEL_EV_READY};
	struct bare *b = of(c);

	*ev = (struct channel_event){.kind = CHANNEL_EV_MUX};
	if (b->told == P2P_ARRAY_LEN(first))
		return muxer_next_event(b->m, &ev->mux);
	ev->kind = first[b->told++];
	return true;
}

static void tick(struct channel *c, const struct env *env)
{
	muxer_tick(of(c)->m, env, &of(c)->out);
}

static uint64_t deadline(const struct channel *c)
{
	return muxer_deadline(of_const(c)->m);
}

static const struct peer_id *peer(const struct channel *c)
{
	return &of_const(c)->other->id;
}

static struct bytes peer_key(const struct channel *c)
{
	const struct identity *other = of_const(c)->other;

	return bytes_of(other->public_pb, sizeof(other->public_pb));
}

static struct channel_info info(const struct channel *c)
{
	bool yamux = of_const(c)->kind == MUXER_YAMUX;

	return (struct channel_info){
		.muxer = yamux ? "yamux" : "mplex", .pings = yamux};
}

static struct muxer_counts counts(const struct channel *c)
{
	return *muxer_counts(of_const(c)->m);
}

static int stream_open(
	struct channel *c, const struct env *env, uint64_t *stream)
{
	return muxer_open(of(c)->m, env, stream, &of(c)->out);
}

static void stream_tag(struct channel *c, uint64_t stream, void *tag)
{
	muxer_tag(of(c)->m, stream, tag);
}

static int stream_accept(struct channel *c, uint64_t stream)
{
	return muxer_accept(of(c)->m, stream, &of(c)->out);
}

static int stream_write(
	struct channel *c, uint64_t stream, struct bytes in, size_t *taken)
{
	return muxer_write(of(c)->m, stream, in, taken, &of(c)->out);
}

static struct bytes stream_peek(
	const struct channel *c, uint64_t stream, bool *end)
{
	return muxer_read_peek(of_const(c)->m, stream, end);
}

static int stream_consume(struct channel *c, uint64_t stream, size_t n)
{
	return muxer_read_consume(of(c)->m, stream, n, &of(c)->out);
}

static int stream_close_write(struct channel *c, uint64_t stream)
{
	return muxer_close_write(of(c)->m, stream, &of(c)->out);
}

static void stream_forget(struct channel *c, uint64_t stream)
{
	muxer_forget(of(c)->m, stream, &of(c)->out);
}

static void go_away(struct channel *c)
{
	muxer_go_away(of(c)->m, &of(c)->out);
}

static const struct channel_ops bare_ops = {
	.free = bare_free,
	.feed = feed,
	.is_held = is_held,
	.out_peek = out_peek,
	.out_consume = out_consume,
	.next_event = next_event,
	.tick = tick,
	.deadline = deadline,
	.peer = peer,
	.peer_key = peer_key,
	.info = info,
	.counts = counts,
	.stream_open = stream_open,
	.stream_tag = stream_tag,
	.stream_accept = stream_accept,
	.stream_write = stream_write,
	.stream_peek = stream_peek,
	.stream_consume = stream_consume,
	.stream_close_write = stream_close_write,
	.stream_forget = stream_forget,
	.go_away = go_away,
};

struct channel *upgrader_new(
	const struct upgrader_cfg *cfg, const struct env *env)
{
	struct bare *b = xcalloc(1, sizeof(*b));
	struct muxer_cfg muxer = cfg->muxer;

	muxer.kind = b->kind = bare_channel_kind;
	muxer.initiator = cfg->initiator;
	b->base.ops = &bare_ops;
	b->other = bare_channel_other;
	b->m = muxer_new(&muxer, env);
	bufq_init(&b->out, cfg->out_bytes_max);
	return &b->base;
}

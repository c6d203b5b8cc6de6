/*
 * The stack of one connection. Upwards bytes are pushed as far as they go in
 * one call (push_up), downwards streams fill an inner queue that is sealed into
 * few large frames when the carrier asks (push_down): small writes of one turn
 * share a frame. Both directions can make room for the other, so each is tried
 * until nothing moves. Queues grow while they are used and are charged for it.
 */
#include "net/upgrade/upgrader.h"

#include <stdlib.h>

#include "base/list.h"
#include "base/xmalloc.h"
#include "net/upgrade/multistream.h"
#include "net/upgrade/noise.h"

/* A frame of multistream and its length. */
#define FRAME_BYTES_MAX (MULTISTREAM_FRAME_BYTES_MAX + 2)
/* Bytes of the initiator that tell yamux from mplex. */
#define SNIFF_BYTES 3

enum state {
	STATE_NEGOTIATE_SECURITY,
	STATE_HANDSHAKE,
	STATE_NEGOTIATE_MUXER,
	STATE_SNIFF_MUXER, /* the first bytes of the initiator tell which */
	STATE_READY,
	STATE_DEAD,
};

/* Streams whose writer waits for room in the inner queue. */
struct waiting {
	uint64_t *streams; /* owned */
	size_t count;
	size_t cap;
};

struct upgrader {
	struct channel base;
	struct upgrader_cfg cfg;
	enum state state;
	int err; /* why it is dead */
	struct multistream ms;
	struct bufq begun; /* the start of a frame for ms, from the carrier */
	struct noise *noise;
	struct muxer *muxer; /* NULL before STATE_READY */
	struct bufq out;     /* towards the carrier */
	struct bufq inner;   /* towards Noise */
	const char *names[3];
	enum muxer_kind kinds[2];
	enum muxer_kind kind;
	bool early; /* agreed on within Noise */
	struct waiting waiting;
	bool tell_secured;
	bool tell_ready;
	bool tell_failed;
	bool tell_writable; /* the waiting ones, one event each */
};

static const char *const security_names[] = {"/noise", NULL};

static const char *const muxer_names[] = {
	[MUXER_YAMUX] = "/yamux/1.0.0",
	[MUXER_MPLEX] = "/mplex/6.7.0",
};

static struct upgrader *of(struct channel *c)
{
	return LIST_ITEM(c, struct upgrader, base);
}

static const struct upgrader *of_const(const struct channel *c)
{
	return of((struct channel *)(uintptr_t)c);
}

static int die(struct upgrader *u, int err)
{
	u->state = STATE_DEAD;
	u->err = err;
	return err;
}

static void list_muxers(struct upgrader *u)
{
	size_t n = 0;

	if (u->cfg.offer_yamux)
		u->kinds[n++] = MUXER_YAMUX;
	if (u->cfg.offer_mplex)
		u->kinds[n++] = MUXER_MPLEX;
	P2P_ASSERT(n > 0);
	for (size_t i = 0; i < n; i++)
		u->names[i] = muxer_names[u->kinds[i]];
}

/* Room up to `max`, if the budget allows. */
static void widen(struct upgrader *u, struct bufq *q, size_t max)
{
	if (q->max < max && budget_charge(u->cfg.muxer.budget,
				    max - UPGRADER_QUEUE_BYTES_FREE) == 0)
		q->max = max;
}

/* Gives back what an empty queue does not need. */
static void narrow(struct upgrader *u, struct bufq *q)
{
	if (q->len > 0 || q->max <= UPGRADER_QUEUE_BYTES_FREE)
		return;
	budget_release(u->cfg.muxer.budget, q->max - UPGRADER_QUEUE_BYTES_FREE);
	q->max = UPGRADER_QUEUE_BYTES_FREE;
}

static void upgrader_free(struct channel *c)
{
	struct upgrader *u = of(c);

	muxer_free(u->muxer);
	noise_free(u->noise);
	bufq_clear(&u->out);
	bufq_clear(&u->inner);
	narrow(u, &u->out);
	narrow(u, &u->inner);
	bufq_clear(&u->begun);
	free(u->waiting.streams);
	free(u);
}

/* ---- writers held by a full inner queue -------------------------------- */

/* Each at most once, first come first served. */
static void wait_for_room(struct waiting *w, uint64_t stream)
{
	for (size_t i = 0; i < w->count; i++) {
		if (w->streams[i] == stream)
			return;
	}
	if (w->count == w->cap) {
		w->cap = P2P_MAX(w->cap * 2, (size_t)8);
		w->streams = xreallocarray(
			w->streams, w->cap, sizeof(w->streams[0]));
	}
	w->streams[w->count++] = stream;
}

static void stop_waiting(struct waiting *w, uint64_t stream)
{
	for (size_t i = 0; i < w->count; i++) {
		if (w->streams[i] != stream)
			continue;
		w->count--;
		memmove(&w->streams[i], &w->streams[i + 1],
			(w->count - i) * sizeof(w->streams[0]));
		return;
	}
}

/* ---- downwards: inner queue -> Noise -> out queue ---------------------- */

/* Whether anything was sealed. */
static bool seal(struct upgrader *u)
{
	size_t taken = 0;
	int err;

	if (u->inner.len == 0 || !noise_done(u->noise))
		return false;
	if (bufq_room(&u->out) < u->inner.len + NOISE_SEAL_BYTES_MIN)
		widen(u, &u->out, u->cfg.out_bytes_max);
	err = noise_seal(u->noise, bufq_peek(&u->inner), &taken, &u->out);
	bufq_consume(&u->inner, taken);
	narrow(u, &u->inner);
	if (err != 0) {
		(void)die(u, err);
		u->tell_failed = true;
	}
	return taken > 0;
}

static void push_down(struct upgrader *u)
{
	do {
		if (u->state == STATE_READY)
			muxer_flush(u->muxer, &u->inner);
	} while (seal(u));
	if (u->inner.len <= u->inner.max / 4 && u->waiting.count > 0)
		u->tell_writable = true;
}

/* ---- upwards: Noise -> multistream or muxer ---------------------------- */

static void start_muxer(
	struct upgrader *u, const struct env *env, enum muxer_kind kind)
{
	u->kind = kind;
	u->cfg.muxer.kind = kind;
	u->cfg.muxer.initiator = u->cfg.initiator;
	u->muxer = muxer_new(&u->cfg.muxer, env);
	u->state = STATE_READY;
	u->tell_ready = true;
}

/*
 * Both muxers are possible: an initiator with mplex first that goes by the
 * spec speaks mplex, one that goes by our order speaks yamux. Yamux begins
 * with version 0, a type below 4 and the high byte of flags, which is 0;
 * mplex with 0 (new stream 0), the length of a name, then its first letter or,
 * if that is empty, a header that is not 0 again.
 */
static void sniff_muxer(struct upgrader *u, const struct env *env)
{
	struct bytes in = noise_peek(u->noise);

	if (in.len < SNIFF_BYTES)
		return;
	start_muxer(u, env,
		in.data[0] == 0 && in.data[SNIFF_BYTES - 1] == 0 ? MUXER_YAMUX
								 : MUXER_MPLEX);
}

static int finish_handshake(struct upgrader *u, const struct env *env)
{
	int muxer = noise_muxer(u->noise);

	u->tell_secured = true;
	u->early = muxer >= 0;
	if (!u->early) {
		u->state = STATE_NEGOTIATE_MUXER;
		return multistream_init(
			&u->ms, u->names, u->cfg.initiator, &u->inner);
	}
	if (muxer == noise_muxer_by_responder(u->noise))
		start_muxer(u, env, u->kinds[muxer]);
	else
		u->state = STATE_SNIFF_MUXER;
	return 0;
}

/* A full queue is no error here: bytes stay untaken. */
static int feed_multistream(
	struct upgrader *u, struct bytes in, size_t *used, struct bufq *out)
{
	int err = multistream_feed(&u->ms, in, used, out);

	return err == P2P_ERR_FULL ? 0 : err;
}

/* One step of what is above Noise, with the bytes that wait there. */
static int feed_upper(struct upgrader *u, const struct env *env, size_t *used)
{
	struct bytes in = noise_peek(u->noise);
	int err = 0;

	*used = 0;
	if (u->state == STATE_SNIFF_MUXER) {
		sniff_muxer(u, env);
	} else if (u->state == STATE_NEGOTIATE_MUXER) {
		err = feed_multistream(u, in, used, &u->inner);
		if (err == 0 && multistream_done(&u->ms))
			start_muxer(
				u, env, u->kinds[multistream_chosen(&u->ms)]);
	}
	if (err == 0 && *used == 0 && u->state == STATE_READY)
		err = muxer_feed(u->muxer, env, in, used, &u->inner);
	noise_consume(u->noise, *used);
	return err;
}

/* Until nothing moves; what is written meanwhile is sealed for room. */
static int push_up(struct upgrader *u, const struct env *env)
{
	size_t used;

	do {
		int err;

		used = 0;
		if (noise_peek(u->noise).len == 0)
			break;
		err = feed_upper(u, env, &used);
		if (err != 0)
			return err;
	} while (used > 0 || seal(u));
	return u->err;
}

/*
 * The carrier keeps nothing for us, so a frame that has not come whole waits
 * here. It is completed byte by byte: what follows it is not multistream's.
 */
static int feed_security(struct upgrader *u, struct bytes in, size_t *used)
{
	size_t done = 0;
	int err = 0;

	if (u->begun.len == 0) {
		err = feed_multistream(u, in, used, &u->out);
		if (err != 0 || *used > 0 || in.len == 0)
			return err;
	}
	while (err == 0 && done == 0 && *used < in.len) {
		err = bufq_push(
			&u->begun, bytes_first(bytes_skip(in, *used), 1));
		*used += 1;
		/* A frame that is too large is refused before this is full,
		 * and the out queue has room for all that can be asked. */
		if (err == 0)
			err = multistream_feed(
				&u->ms, bufq_peek(&u->begun), &done, &u->out);
	}
	bufq_consume(&u->begun, done);
	return err;
}

/* One step of the layers at the carrier. */
static int feed_lower(struct upgrader *u, const struct env *env,
	struct bytes in, size_t *used)
{
	int err;

	*used = 0;
	if (u->state == STATE_NEGOTIATE_SECURITY) {
		err = feed_security(u, in, used);
		if (err == 0 && multistream_done(&u->ms))
			u->state = STATE_HANDSHAKE;
		return err;
	}
	err = noise_feed(u->noise, in, used, &u->out);
	if (err == 0 && u->state == STATE_HANDSHAKE && noise_done(u->noise))
		err = finish_handshake(u, env);
	return err;
}

/* The muxer finds no room for its answers: nothing more is opened until the
 * carrier has taken some of them. */
static bool blocked(const struct upgrader *u)
{
	return u->state == STATE_READY && noise_peek(u->noise).len > 0;
}

static bool upgrader_is_held(const struct channel *c)
{
	const struct upgrader *u = of_const(c);

	return blocked(u);
}

static int feed_all(struct upgrader *u, const struct env *env, struct bytes in,
	size_t *taken)
{
	int err = push_up(u, env);

	while (err == 0 && !blocked(u)) {
		enum state before = u->state;
		size_t used;

		err = feed_lower(u, env, bytes_skip(in, *taken), &used);
		*taken += used;
		if (err == 0)
			err = push_up(u, env);
		if (used == 0 && u->state == before)
			break;
	}
	return err;
}

static int upgrader_feed(struct channel *c, const struct env *env,
	struct bytes in, size_t *taken)
{
	struct upgrader *u = of(c);
	int err;

	*taken = 0;
	if (u->state == STATE_DEAD)
		return u->err;
	err = feed_all(u, env, in, taken);
	if (err != 0) {
		u->tell_failed = false;
		return die(u, err);
	}
	return 0;
}

static struct bytes upgrader_out_peek(struct channel *c, const struct env *env)
{
	struct upgrader *u = of(c);
	int err;

	if (u->state == STATE_DEAD)
		return bufq_peek(&u->out);
	push_down(u);
	/* Room may let in what waited for it. */
	err = push_up(u, env);
	if (err != 0) {
		(void)die(u, err);
		u->tell_failed = true;
	} else {
		push_down(u);
	}
	if (u->state == STATE_READY)
		muxer_leaving(u->muxer, env, u->out.len == 0);
	return bufq_peek(&u->out);
}

static void upgrader_out_consume(struct channel *c, size_t n)
{
	struct upgrader *u = of(c);

	bufq_consume(&u->out, n);
	narrow(u, &u->out);
}

/* ---- events and time --------------------------------------------------- */

static bool next_writable(struct upgrader *u, struct channel_event *ev)
{
	if (!u->tell_writable)
		return false;
	if (u->waiting.count == 0) {
		u->tell_writable = false;
		return false;
	}
	ev->mux.kind = MUX_EV_WRITABLE;
	ev->mux.stream = u->waiting.streams[0];
	ev->mux.tag = muxer_tag_of(u->muxer, ev->mux.stream);
	stop_waiting(&u->waiting, ev->mux.stream);
	return true;
}

static bool upgrader_next_event(struct channel *c, struct channel_event *ev)
{
	struct upgrader *u = of(c);

	*ev = (struct channel_event){.kind = CHANNEL_EV_MUX};
	if (u->tell_secured) {
		u->tell_secured = false;
		ev->kind = CHANNEL_EV_SECURED;
		return true;
	}
	if (u->tell_ready) {
		u->tell_ready = false;
		ev->kind = CHANNEL_EV_READY;
		return true;
	}
	if (u->muxer != NULL && muxer_next_event(u->muxer, &ev->mux))
		return true;
	if (next_writable(u, ev))
		return true;
	if (u->tell_failed) {
		u->tell_failed = false;
		ev->kind = CHANNEL_EV_FAILED;
		ev->err = u->err;
		return true;
	}
	return false;
}

static void upgrader_tick(struct channel *c, const struct env *env)
{
	struct upgrader *u = of(c);

	if (u->state == STATE_READY)
		muxer_tick(u->muxer, env, &u->inner);
}

static uint64_t upgrader_deadline(const struct channel *c)
{
	const struct upgrader *u = of_const(c);

	return u->state == STATE_READY ? muxer_deadline(u->muxer) : P2P_NEVER;
}

static const struct peer_id *upgrader_peer(const struct channel *c)
{
	const struct upgrader *u = of_const(c);

	return noise_peer(u->noise);
}

static struct bytes upgrader_peer_key(const struct channel *c)
{
	const struct upgrader *u = of_const(c);

	return noise_peer_key(u->noise);
}

static struct channel_info upgrader_info(const struct channel *c)
{
	static const char *const names[] = {
		[MUXER_YAMUX] = "yamux", [MUXER_MPLEX] = "mplex"};
	const struct upgrader *u = of_const(c);

	return (struct channel_info){
		.muxer = u->muxer == NULL ? NULL : names[u->kind],
		.muxer_early = u->early,
		.pings = u->muxer != NULL && u->kind == MUXER_YAMUX,
	};
}

static struct muxer_counts upgrader_counts(const struct channel *c)
{
	const struct upgrader *u = of_const(c);

	return u->muxer == NULL ? (struct muxer_counts){.pings_answered = 0}
				: *muxer_counts(u->muxer);
}

/* ---- streams ----------------------------------------------------------- */

static int upgrader_stream_open(
	struct channel *c, const struct env *env, uint64_t *stream)
{
	struct upgrader *u = of(c);

	if (u->state != STATE_READY)
		return P2P_ERR_STATE;
	return muxer_open(u->muxer, env, stream, &u->inner);
}

static void upgrader_stream_tag(struct channel *c, uint64_t stream, void *tag)
{
	struct upgrader *u = of(c);

	if (u->muxer != NULL)
		muxer_tag(u->muxer, stream, tag);
}

static int upgrader_stream_accept(struct channel *c, uint64_t stream)
{
	struct upgrader *u = of(c);

	return u->state == STATE_READY
		       ? muxer_accept(u->muxer, stream, &u->inner)
		       : P2P_ERR_STATE;
}

static int upgrader_stream_write(
	struct channel *c, uint64_t stream, struct bytes in, size_t *taken)
{
	struct upgrader *u = of(c);
	int err;

	*taken = 0;
	if (u->state != STATE_READY)
		return P2P_ERR_STATE;
	if (bufq_room(&u->inner) < in.len + MUX_RESERVE_BYTES)
		widen(u, &u->inner, UPGRADER_INNER_BYTES_MAX);
	do {
		size_t used = 0;

		err = muxer_write(u->muxer, stream, bytes_skip(in, *taken),
			&used, &u->inner);
		*taken += used;
		/* The rest may fit once a frame has moved down. */
	} while (err == 0 && *taken < in.len &&
		 u->inner.len > u->inner.max / 2 && seal(u));
	if (u->state == STATE_DEAD)
		return u->err;
	if (err == 0 && *taken < in.len && u->inner.len > u->inner.max / 2) {
		wait_for_room(&u->waiting, stream);
		u->tell_writable = false;
	}
	return err;
}

static struct bytes upgrader_stream_peek(
	const struct channel *c, uint64_t stream, bool *end)
{
	const struct upgrader *u = of_const(c);

	*end = false;
	if (u->muxer == NULL)
		return bytes_of(NULL, 0);
	return muxer_read_peek(u->muxer, stream, end);
}

static int upgrader_stream_consume(struct channel *c, uint64_t stream, size_t n)
{
	struct upgrader *u = of(c);

	return u->muxer != NULL
		       ? muxer_read_consume(u->muxer, stream, n, &u->inner)
		       : P2P_ERR_STATE;
}

static int upgrader_stream_withhold(
	struct channel *c, uint64_t stream, size_t n)
{
	struct upgrader *u = of(c);

	return u->muxer != NULL
		       ? muxer_read_withhold(u->muxer, stream, n, &u->inner)
		       : P2P_ERR_STATE;
}

static int upgrader_stream_close_write(struct channel *c, uint64_t stream)
{
	struct upgrader *u = of(c);

	if (u->state != STATE_READY)
		return P2P_ERR_STATE;
	stop_waiting(&u->waiting, stream);
	return muxer_close_write(u->muxer, stream, &u->inner);
}

static void upgrader_stream_forget(struct channel *c, uint64_t stream)
{
	struct upgrader *u = of(c);

	stop_waiting(&u->waiting, stream);
	if (u->muxer != NULL)
		muxer_forget(u->muxer, stream, &u->inner);
}

static void upgrader_go_away(struct channel *c)
{
	struct upgrader *u = of(c);

	if (u->state == STATE_READY)
		muxer_go_away(u->muxer, &u->inner);
}

/* ---- the kind ----------------------------------------------------------- */

static const struct channel_ops upgrader_ops = {
	.free = upgrader_free,
	.feed = upgrader_feed,
	.is_held = upgrader_is_held,
	.out_peek = upgrader_out_peek,
	.out_consume = upgrader_out_consume,
	.next_event = upgrader_next_event,
	.tick = upgrader_tick,
	.deadline = upgrader_deadline,
	.peer = upgrader_peer,
	.peer_key = upgrader_peer_key,
	.info = upgrader_info,
	.counts = upgrader_counts,
	.stream_open = upgrader_stream_open,
	.stream_tag = upgrader_stream_tag,
	.stream_accept = upgrader_stream_accept,
	.stream_write = upgrader_stream_write,
	.stream_peek = upgrader_stream_peek,
	.stream_consume = upgrader_stream_consume,
	.stream_withhold = upgrader_stream_withhold,
	.stream_close_write = upgrader_stream_close_write,
	.stream_forget = upgrader_stream_forget,
	.go_away = upgrader_go_away,
};

struct channel *upgrader_new(
	const struct upgrader_cfg *cfg, const struct env *env)
{
	struct upgrader *u = xcalloc(1, sizeof(*u));
	struct noise_cfg noise = {
		.me = cfg->me,
		.initiator = cfg->initiator,
		.expect = cfg->expect,
		.muxers = cfg->early_muxers ? u->names : NULL,
		.budget = cfg->muxer.budget,
	};

	P2P_ASSERT(cfg->out_bytes_max >= UPGRADER_OUT_BYTES_MIN);
	u->base.ops = &upgrader_ops;
	u->cfg = *cfg;
	list_muxers(u);
	bufq_init(&u->out,
		P2P_MIN(cfg->out_bytes_max, (size_t)UPGRADER_QUEUE_BYTES_FREE));
	bufq_init(&u->inner, UPGRADER_QUEUE_BYTES_FREE);
	bufq_init(&u->begun, FRAME_BYTES_MAX);
	u->noise = noise_new(&noise, env);
	/* The queue is empty, so neither can find it full. */
	P2P_ASSERT(multistream_init(&u->ms, security_names, cfg->initiator,
			   &u->out) == 0);
	/* Nothing but Noise is offered: whoever refuses it is of no use, so
	 * the first message does not wait for the answer. */
	if (cfg->initiator)
		P2P_ASSERT(noise_start(u->noise, &u->out) == 0);
	return &u->base;
}

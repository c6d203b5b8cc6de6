/*
 * Yamux (libp2p yamux spec; hashicorp yamux spec). What a frame asks for is
 * checked before any state is made for it: version, flags, parity of the id,
 * length against the window. Streams come in on a SYN, go on with credit and
 * payload, and end by FIN both ways or RST.
 */
#include "net/upgrade/yamux.h"

#include "base/cursor.h"
#include "net/upgrade/mux_internal.h"

int yamux_read_head(struct yamux_head *h, const uint8_t raw[static 12])
{
	struct cursor c = cur_of(bytes_of(raw, YAMUX_HEAD_BYTES));
	uint8_t version = cur_u8(&c);

	h->type = cur_u8(&c);
	h->flags = cur_be16(&c);
	h->id = cur_be32(&c);
	h->length = cur_be32(&c);
	if (version != YAMUX_VERSION || h->type > YAMUX_GO_AWAY ||
		(h->flags & ~YAMUX_FLAGS_ALL) != 0)
		return P2P_ERR_PROTOCOL;
	return 0;
}

void yamux_write_head(const struct yamux_head *h, uint8_t raw[static 12])
{
	raw[0] = YAMUX_VERSION;
	raw[1] = h->type;
	put_be16(raw + 2, h->flags);
	put_be32(raw + 4, h->id);
	put_be32(raw + 8, h->length);
}

static bool put_frame(struct bufq *out, const struct yamux_head *h)
{
	uint8_t *to = bufq_extend(out, YAMUX_HEAD_BYTES);

	if (to == NULL)
		return false;
	yamux_write_head(h, to);
	return true;
}

static void put_answer(struct muxer *m, const struct yamux_head *h)
{
	bool fits = put_frame(&m->answers, h);

	/* muxer_feed keeps a place for each answer, and one for a ping. */
	P2P_ASSERT(fits);
}

static void yamux_init(struct muxer *m, const struct env *env)
{
	P2P_ASSERT(m->cfg.ping_interval_ms >= YAMUX_PING_INTERVAL_MS_MIN);
	m->u.yamux.next_id = m->cfg.initiator ? 1 : 2;
	m->u.yamux.rtt_us = P2P_NEVER;
	for (size_t i = 0; i < YAMUX_ROUND_TRIPS; i++)
		m->u.yamux.took_us[i] = P2P_NEVER;
	m->u.yamux.asks = m->cfg.asks;
	/* The first ping goes out at once: it gives the round-trip time that
	 * people see and that the growth of windows needs. */
	m->u.yamux.ask_at_once = true;
	m->u.yamux.ping_sent_ms = env->now_ms;
}

static void acknowledged(struct muxer *m, struct mux_stream *s)
{
	if (s->ours && !s->acked)
		m->u.yamux.unacked_count--;
	s->acked = true;
}

static void start_stream(const struct muxer *m, struct mux_stream *s)
{
	s->send_credit = YAMUX_WINDOW_BYTES;
	s->recv_window = YAMUX_WINDOW_BYTES;
	s->recv_left = YAMUX_WINDOW_BYTES;
	s->epoch_ms = m->now_ms;
}

/* ---- frames of a stream ---- */

static int add_credit(struct muxer *m, struct mux_stream *s, uint32_t delta)
{
	if (delta > YAMUX_CREDIT_BYTES_MAX - s->send_credit)
		return P2P_ERR_PROTOCOL;
	s->send_credit += delta;
	if (s->wants_credit && s->send_credit > 0) {
		s->wants_credit = false;
		mux_stream_event(m, s, MUX_EV_WRITABLE);
	}
	return 0;
}

static int on_payload(
	struct muxer *m, struct mux_stream *s, const struct yamux_head *h)
{
	bool fin = (h->flags & YAMUX_FIN) != 0;

	if (h->length > 0 && (s->recv_ended || h->length > s->recv_left))
		return P2P_ERR_PROTOCOL;
	s->recv_left -= h->length;
	if (h->length == 0) {
		if (fin)
			mux_stream_recv_fin(m, s);
		return 0;
	}
	m->body_stream = s;
	m->body_fin = fin;
	return 0;
}

static int on_known(
	struct muxer *m, struct mux_stream *s, const struct yamux_head *h)
{
	int err;

	/* Whatever comes back shows that the other side knows the stream. */
	acknowledged(m, s);
	if ((h->flags & YAMUX_RST) != 0)
		return mux_stream_recv_rst(m, s);
	if (h->type == YAMUX_DATA)
		return on_payload(m, s, h);
	err = add_credit(m, s, h->length);
	if (err == 0 && (h->flags & YAMUX_FIN) != 0)
		mux_stream_recv_fin(m, s);
	return err;
}

/* The SYN of a stream that does not exist yet; *s stays NULL when it is
 * refused. Nothing is made before everything is checked. */
static int on_syn(
	struct muxer *m, const struct yamux_head *h, struct mux_stream **s)
{
	uint32_t max = h->type == YAMUX_DATA
			       ? YAMUX_WINDOW_BYTES
			       : YAMUX_CREDIT_BYTES_MAX - YAMUX_WINDOW_BYTES;

	if (h->length > max)
		return P2P_ERR_PROTOCOL;
	if ((h->flags & YAMUX_RST) != 0)
		return mux_refuse_stream(m);
	if (mux_may_take_stream(m))
		*s = mux_stream_new(m, h->id, false);
	if (*s == NULL) {
		put_answer(m, &(struct yamux_head){.type = YAMUX_WINDOW,
				      .flags = YAMUX_RST,
				      .id = h->id});
		return mux_refuse_stream(m);
	}
	start_stream(m, *s);
	mux_stream_event(m, *s, MUX_EV_OPENED);
	return 0;
}

static int on_stream_frame(struct muxer *m, const struct yamux_head *h)
{
	bool ours = (h->id % 2 == 1) == m->cfg.initiator;
	struct mux_stream *s = mux_stream_on_wire(m, h->id, ours);
	int err = 0;

	if (h->id == 0)
		return P2P_ERR_PROTOCOL;
	if (h->type == YAMUX_DATA && h->length > YAMUX_WINDOW_BYTES_MAX)
		return P2P_ERR_TOO_BIG;
	m->body_left = h->type == YAMUX_DATA ? h->length : 0;
	if ((h->flags & YAMUX_SYN) != 0) {
		if (ours || s != NULL)
			return P2P_ERR_PROTOCOL;
		err = on_syn(m, h, &s);
	} else if (s == NULL) {
		/* A race: the stream was closed or reset while the frame was
		 * under way. Its payload is skipped. */
		err = mux_unknown_frame(m, m->body_left);
	}
	return err != 0 || s == NULL ? err : on_known(m, s, h);
}

/* ---- frames of the session ---- */

/*
 * The other side asked. A listener leaves the asking to a dialler that does it
 * at rest; a question on the heels of other bytes only measures, and of two
 * that cross the listener's counts. Since both are awake now, it is the moment
 * to measure: now and then, and soon after the start, where all are busy.
 */
static void heard_question(struct muxer *m)
{
	struct yamux_state *y = &m->u.yamux;
	uint64_t silent_ms = m->now_ms - m->heard_ms;
	bool at_rest = silent_ms >= m->cfg.ping_interval_ms / 4;

	if (at_rest && !m->cfg.initiator && !y->ping_sent)
		y->asks = false;
	if ((at_rest && y->took_us[YAMUX_ROUND_TRIPS - 1] == P2P_NEVER) ||
		m->now_ms - y->ping_sent_ms >= YAMUX_PING_RARELY_MS)
		y->ask_at_once = !y->ping_sent;
}

static void heard_answer(struct muxer *m)
{
	struct yamux_state *y = &m->u.yamux;

	y->ping_sent = false;
	memmove(y->took_us + 1, y->took_us,
		sizeof(y->took_us) - sizeof(y->took_us[0]));
	y->took_us[0] = m->now_us - y->ping_left_us;
	/* A busy moment at either end is no property of the way. */
	y->rtt_us = y->took_us[0];
	for (size_t i = 1; i < YAMUX_ROUND_TRIPS; i++)
		y->rtt_us = P2P_MIN(y->rtt_us, y->took_us[i]);
	m->event_rtt_us = y->rtt_us;
	m->events |= 1U << MUX_EV_RTT;
}

/* A frame of the session that changes nothing. */
static int take_stray(struct muxer *m)
{
	return mux_bucket_take(&m->u.yamux.strays, m->now_ms,
		       YAMUX_STRAYS_BURST, YAMUX_STRAYS_PER_S)
		       ? 0
		       : P2P_ERR_LIMIT;
}

static int on_ping(struct muxer *m, const struct yamux_head *h)
{
	struct yamux_state *y = &m->u.yamux;

	if (h->id != 0)
		return P2P_ERR_PROTOCOL;
	if (h->flags == YAMUX_SYN) {
		if (!mux_bucket_take(&y->pings, m->now_ms, YAMUX_PINGS_BURST,
			    YAMUX_PINGS_PER_S))
			return P2P_ERR_LIMIT;
		put_answer(m, &(struct yamux_head){.type = YAMUX_PING,
				      .flags = YAMUX_ACK,
				      .length = h->length});
		m->counts.pings_answered++;
		heard_question(m);
		return 0;
	}
	if (h->flags != YAMUX_ACK)
		return P2P_ERR_PROTOCOL;
	/* An answer that comes after its time is nobody's fault; answers to
	 * what nobody asked, without end, are. */
	if (!y->ping_sent || h->length != y->ping_value) {
		m->counts.frames_unknown++;
		return take_stray(m);
	}
	heard_answer(m);
	return 0;
}

static int on_go_away(struct muxer *m, const struct yamux_head *h)
{
	if (h->id != 0)
		return P2P_ERR_PROTOCOL;
	/* Once is a goodbye, and nothing is left to be said by the second. */
	if (m->go_away_seen && take_stray(m) != 0)
		return P2P_ERR_LIMIT;
	m->go_away_seen = true;
	m->event_code = h->length;
	m->events |= 1U << MUX_EV_GO_AWAY;
	return 0;
}

static int yamux_take_head(struct muxer *m, struct bytes in, size_t *taken)
{
	struct yamux_head h;
	int err;

	*taken = P2P_MIN(YAMUX_HEAD_BYTES - m->head_len, in.len);
	memcpy(m->head + m->head_len, in.data, *taken);
	m->head_len += *taken;
	if (m->head_len < YAMUX_HEAD_BYTES)
		return 0;
	m->head_len = 0;
	m->body_stream = NULL;
	m->body_fin = false;
	err = yamux_read_head(&h, m->head);
	if (err != 0)
		return err;
	if (h.type == YAMUX_PING)
		return on_ping(m, &h);
	if (h.type == YAMUX_GO_AWAY)
		return on_go_away(m, &h);
	return on_stream_frame(m, &h);
}

/* ---- sending ---- */

static int yamux_may_open(const struct muxer *m)
{
	return m->u.yamux.unacked_count < YAMUX_UNACKED_MAX ? 0 : P2P_ERR_LIMIT;
}

static int yamux_open(struct muxer *m, struct mux_stream **s, struct bufq *out)
{
	struct yamux_state *y = &m->u.yamux;
	struct yamux_head h = {.type = YAMUX_WINDOW, .flags = YAMUX_SYN};
	bool fits;

	if (y->next_id > UINT32_MAX)
		return P2P_ERR_LIMIT;
	if (mux_data_room(out) < YAMUX_HEAD_BYTES)
		return P2P_ERR_FULL;
	*s = mux_stream_new(m, y->next_id, true);
	if (*s == NULL)
		return P2P_ERR_LIMIT;
	start_stream(m, *s);
	y->unacked_count++;
	h.id = (uint32_t)y->next_id;
	y->next_id += 2;
	fits = put_frame(out, &h);
	P2P_ASSERT(fits);
	return 0;
}

static size_t yamux_send(struct muxer *m, struct mux_stream *s, struct bytes in,
	struct bufq *out)
{
	size_t room = mux_data_room(out);
	size_t n = P2P_MIN(in.len, (size_t)MUX_PAYLOAD_BYTES_MAX);
	struct yamux_head h = {.type = YAMUX_DATA, .id = (uint32_t)s->wire_id};
	uint8_t *to;

	(void)m;
	n = P2P_MIN(n, s->send_credit);
	s->wants_credit = n == 0;
	if (n == 0 || room <= YAMUX_HEAD_BYTES)
		return 0;
	/* Many tiny frames in the last corner of `out` cost more than a short
	 * wait for room. */
	room -= YAMUX_HEAD_BYTES;
	if (room < n && room < MUX_SPLIT_BYTES_MIN)
		return 0;
	n = P2P_MIN(n, room);
	h.length = (uint32_t)n;
	to = bufq_extend(out, YAMUX_HEAD_BYTES + n);
	P2P_ASSERT(to != NULL);
	yamux_write_head(&h, to);
	memcpy(to + YAMUX_HEAD_BYTES, in.data, n);
	s->send_credit -= n;
	return n;
}

/* Credit for what was consumed, but for what the user still keeps of it. */
static uint32_t credit_due(const struct mux_stream *s)
{
	return s->used_up - P2P_MIN(s->used_up, s->withheld);
}

/* All that a stream owes fits one window update: credit, ACK and FIN. */
static bool yamux_send_owed(
	struct muxer *m, struct mux_stream *s, struct bufq *out)
{
	struct yamux_head h = {
		.type = YAMUX_WINDOW, .id = (uint32_t)s->wire_id};

	(void)m;
	if ((s->owed & MUX_OWE_ACK) != 0)
		h.flags |= YAMUX_ACK;
	if ((s->owed & MUX_OWE_FIN) != 0)
		h.flags |= YAMUX_FIN;
	if ((s->owed & MUX_OWE_CREDIT) != 0)
		h.length = credit_due(s);
	if ((s->owed & MUX_OWE_RST) != 0)
		h = (struct yamux_head){.type = YAMUX_WINDOW,
			.flags = YAMUX_RST,
			.id = (uint32_t)s->wire_id};
	if (!put_frame(out, &h))
		return false;
	s->recv_left += h.length;
	s->used_up -= h.length;
	s->owed = 0;
	return true;
}

/* ---- receive windows ---- */

/*
 * The one place that decides how large a receive window is. As in go and js
 * it doubles when it was used up faster than credit travels; what it grows to
 * is charged now, so that bytes we asked for are never refused.
 */
static uint32_t decide_window(struct muxer *m, struct mux_stream *s)
{
	uint64_t rtt_us = m->u.yamux.rtt_us;
	uint64_t took_us = (m->now_ms - s->epoch_ms) * 1000;
	uint32_t wider;

	/* Whose bytes wait with us is slowed by us, not by the way. */
	if (s->withheld >= s->recv_window / YAMUX_CREDIT_PARTS)
		return s->recv_window;
	if (rtt_us == P2P_NEVER || s->recv_window >= YAMUX_WINDOW_BYTES_MAX)
		return s->recv_window;
	/* The epoch is told in ms, so less than one is taken for one. */
	rtt_us = P2P_MAX(rtt_us, UINT64_C(1000));
	if (took_us / YAMUX_GROW_ROUND_TRIPS >= rtt_us)
		return s->recv_window;
	wider = s->recv_window * 2;
	if (mux_stream_reserve(m, s, wider) != 0)
		return s->recv_window;
	return wider;
}

static void yamux_consumed(struct muxer *m, struct mux_stream *s, size_t n)
{
	uint32_t window;

	s->used_up += (uint32_t)n;
	s->epoch_used += (uint32_t)n;
	if (credit_due(s) < s->recv_window / YAMUX_CREDIT_PARTS)
		return;
	/* While an update waits for room the window is not decided anew. */
	if ((s->owed & MUX_OWE_CREDIT) == 0 &&
		s->epoch_used >= s->recv_window / 2) {
		window = decide_window(m, s);
		s->used_up += window - s->recv_window;
		s->recv_window = window;
		s->epoch_ms = m->now_ms;
		s->epoch_used = 0;
	}
	mux_stream_owe(m, s, MUX_OWE_CREDIT);
}

static size_t yamux_make_room(struct muxer *m, struct mux_stream *s, size_t n)
{
	(void)m;
	(void)n;
	return s->recv_window;
}

/* ---- time ---- */

/*
 * When the other side is to be asked whether it lives. Whoever was just heard
 * is not asked. The one who asks does so on a grid of its own clock, so that
 * the questions on all connections of a program go out in one turn; the other
 * one hears them, and asks only when they fail to come. Even a busy connection
 * is measured now and then. docs/internals/net-upgrade.md reckons all this.
 */
static uint64_t ask_ms(const struct muxer *m)
{
	const struct yamux_state *y = &m->u.yamux;
	uint64_t wait = m->cfg.ping_interval_ms, since, at;

	if (wait == P2P_NEVER)
		return P2P_NEVER;
	if (y->ask_at_once)
		return m->now_ms;
	since = P2P_MIN(m->heard_ms, y->ping_sent_ms + YAMUX_PING_RARELY_MS);
	at = since + wait;
	if (!y->asks)
		return at + wait / YAMUX_PING_LATE_PART;
	/* Who would be asked too soon after it was heard is asked in the
	 * middle of a step, from where the next one finds it. */
	if (at % wait + wait / 8 * 3 <= wait)
		return at - at % wait;
	return at - at % (wait / 2);
}

/* Then it is gone, unless bytes come: who is busy answers late, but sends. */
static uint64_t dead_ms(const struct muxer *m)
{
	uint64_t since = P2P_MAX(m->u.yamux.ping_sent_ms, m->heard_ms);

	return m->cfg.ping_timeout_ms > P2P_NEVER - since
		       ? P2P_NEVER
		       : since + m->cfg.ping_timeout_ms;
}

static void ask(struct muxer *m, const struct env *env)
{
	struct yamux_state *y = &m->u.yamux;

	y->asks |= !y->ask_at_once && !m->cfg.initiator;
	y->ask_at_once = false;
	y->ping_value = (uint32_t)rng_u64(env->rng);
	y->ping_sent = true;
	y->ping_sent_ms = m->now_ms;
	y->ping_left_us = m->now_us;
	y->ping_left = false;
	put_answer(m, &(struct yamux_head){.type = YAMUX_PING,
			      .flags = YAMUX_SYN,
			      .length = y->ping_value});
}

static void yamux_tick(struct muxer *m, const struct env *env)
{
	if (m->dead)
		return;
	if (!m->u.yamux.ping_sent) {
		if (m->now_ms >= ask_ms(m))
			ask(m, env);
		return;
	}
	if (m->now_ms < dead_ms(m))
		return;
	m->dead = true;
	m->events |= 1U << MUX_EV_DEAD;
}

static uint64_t yamux_deadline(const struct muxer *m)
{
	if (m->dead)
		return P2P_NEVER;
	return m->u.yamux.ping_sent ? dead_ms(m) : ask_ms(m);
}

static void yamux_leaving(struct muxer *m, bool gone)
{
	struct yamux_state *y = &m->u.yamux;

	if (gone)
		y->ping_left = true;
	else if (!y->ping_left)
		y->ping_left_us = m->now_us;
}

static bool yamux_go_away(struct bufq *out)
{
	return put_frame(out, &(struct yamux_head){.type = YAMUX_GO_AWAY});
}

const struct mux_ops yamux_ops = {
	.init = yamux_init,
	.take_head = yamux_take_head,
	.may_open = yamux_may_open,
	.open = yamux_open,
	.send = yamux_send,
	.send_owed = yamux_send_owed,
	.make_room = yamux_make_room,
	.consumed = yamux_consumed,
	.off_wire = acknowledged,
	.tick = yamux_tick,
	.deadline = yamux_deadline,
	.leaving = yamux_leaving,
	.go_away = yamux_go_away,
};

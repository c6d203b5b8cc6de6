/*
 * Mplex (libp2p mplex spec, deprecated): for peers that have nothing else.
 * The protocol has no way to slow a writer down, so unread bytes are bounded
 * by resetting streams; and js-libp2p ends a connection that opens streams
 * too fast, so our opens are paced.
 */
#include "net/upgrade/mplex.h"

#include "net/upgrade/mux_internal.h"

int mplex_read_head(struct mplex_head *h, struct cursor *c)
{
	uint64_t first = cur_uvarint(c, MPLEX_UVARINT_BYTES_MAX);

	h->id = first >> 3;
	h->flag = (unsigned)(first & 7);
	h->length = cur_uvarint(c, MPLEX_UVARINT_BYTES_MAX);
	if (cur_err(c) == P2P_ERR_TRUNCATED)
		return P2P_ERR_TRUNCATED;
	if (!cur_ok(c) || h->flag > MPLEX_RESET_INITIATOR)
		return P2P_ERR_PROTOCOL;
	return h->length > MPLEX_FRAME_BYTES_MAX ? P2P_ERR_TOO_BIG : 0;
}

static size_t put_uvarint(uint8_t *to, uint64_t v)
{
	size_t n = 0;

	for (; v >= 0x80; v >>= 7)
		to[n++] = (uint8_t)(v | 0x80);
	to[n++] = (uint8_t)v;
	return n;
}

size_t mplex_write_head(const struct mplex_head *h, uint8_t *raw)
{
	size_t n = put_uvarint(raw, h->id << 3 | h->flag);

	return n + put_uvarint(raw + n, h->length);
}

/* A frame without data, whole or not at all. */
static bool put_frame(struct bufq *out, uint64_t id, unsigned flag)
{
	struct mplex_head h = {.id = id, .flag = flag};
	uint8_t raw[MUX_HEAD_BYTES_MAX];
	size_t n = mplex_write_head(&h, raw);

	return bufq_push(out, bytes_of(raw, n)) == 0;
}

static void mplex_init(struct muxer *m, const struct env *env)
{
	(void)m;
	(void)env;
}

/* ---- in ---- */

static int on_new(struct muxer *m, const struct mplex_head *h)
{
	struct mux_stream *s = mux_stream_on_wire(m, h->id, false);

	if (s != NULL)
		return P2P_ERR_PROTOCOL;
	if (mux_may_take_stream(m))
		s = mux_stream_new(m, h->id, false);
	if (s == NULL) {
		bool fits = put_frame(&m->answers, h->id, MPLEX_RESET_RECEIVER);

		/* muxer_feed keeps a place for each answer. */
		P2P_ASSERT(fits);
		return mux_refuse_stream(m);
	}
	mux_stream_event(m, s, MUX_EV_OPENED);
	return 0;
}

static int on_known(
	struct muxer *m, struct mux_stream *s, const struct mplex_head *h)
{
	if (h->flag >= MPLEX_RESET_RECEIVER)
		return mux_stream_recv_rst(m, s);
	if (h->flag >= MPLEX_CLOSE_RECEIVER) {
		mux_stream_recv_fin(m, s);
		return 0;
	}
	if (h->length > 0 && s->recv_ended)
		return P2P_ERR_PROTOCOL;
	m->body_stream = s;
	return 0;
}

static int on_frame(struct muxer *m, const struct mplex_head *h)
{
	/* Names, and whatever stands in closes and resets, are skipped. */
	struct mux_stream *s = mux_stream_on_wire(m, h->id, h->flag % 2 == 1);

	m->body_left = h->length;
	m->body_stream = NULL;
	m->body_fin = false;
	if (h->flag == MPLEX_NEW)
		return on_new(m, h);
	if (s != NULL)
		return on_known(m, s, h);
	return mux_unknown_frame(
		m, h->flag >= MPLEX_CLOSE_RECEIVER ? 0 : h->length);
}

static int mplex_take_head(struct muxer *m, struct bytes in, size_t *taken)
{
	struct mplex_head h;
	struct cursor c;
	int err = P2P_ERR_TRUNCATED;

	while (err == P2P_ERR_TRUNCATED && *taken < in.len) {
		/* 18 bytes hold any head, so they are never too few. */
		P2P_ASSERT(m->head_len < MUX_HEAD_BYTES_MAX);
		m->head[m->head_len++] = in.data[(*taken)++];
		c = cur_of(bytes_of(m->head, m->head_len));
		err = mplex_read_head(&h, &c);
	}
	if (err == P2P_ERR_TRUNCATED)
		return 0;
	m->head_len = 0;
	return err != 0 ? err : on_frame(m, &h);
}

/* Who holds most of what the connection holds pays for it. */
static struct mux_stream *fattest(const struct muxer *m, struct mux_stream *s)
{
	struct table_entry *e, *tmp;

	TABLE_FOREACH(e, tmp, &m->numbers) {
		struct mux_stream *other = e->value;

		if (!other->reset && other->recv.len > s->recv.len)
			s = other;
	}
	return s;
}

static size_t mplex_make_room(struct muxer *m, struct mux_stream *s, size_t n)
{
	if (s->recv.len + n > MPLEX_UNREAD_BYTES_MAX)
		mux_stream_overrun(m, s);
	while (!s->reset && m->unread_bytes + n > MPLEX_UNREAD_CONN_BYTES_MAX)
		mux_stream_overrun(m, fattest(m, s));
	/* Twice what is ever in it, so that a full buffer is not moved for
	 * every byte that leaves it. */
	return s->reset ? 0 : (size_t)2 * MPLEX_UNREAD_BYTES_MAX;
}

/* ---- out ---- */

static uint64_t next_open_ms(const struct muxer *m)
{
	const struct mplex_state *x = &m->u.mplex;

	if (x->opened_count < MPLEX_OPENS_MAX)
		return 0;
	return x->opened_ms[x->opened_count % MPLEX_OPENS_MAX] +
	       MPLEX_OPEN_WINDOW_MS;
}

static int mplex_may_open(const struct muxer *m)
{
	return m->now_ms >= next_open_ms(m) ? 0 : P2P_ERR_LIMIT;
}

static int mplex_open(struct muxer *m, struct mux_stream **s, struct bufq *out)
{
	struct mplex_state *x = &m->u.mplex;
	uint8_t raw[MPLEX_HEAD_BYTES_MAX + MPLEX_NAME_BYTES_MAX];
	uint8_t name[MPLEX_NAME_BYTES_MAX];
	size_t at = sizeof(name), n;
	struct mplex_head h = {.id = x->next_id, .flag = MPLEX_NEW};
	int err;

	if (x->next_id > MPLEX_ID_MAX)
		return P2P_ERR_LIMIT;
	if (mux_data_room(out) < sizeof(raw))
		return P2P_ERR_FULL;
	*s = mux_stream_new(m, x->next_id, true);
	if (*s == NULL)
		return P2P_ERR_LIMIT;
	for (uint64_t v = x->next_id; v > 0 || at == sizeof(name); v /= 10)
		name[--at] = (uint8_t)('0' + v % 10);
	h.length = sizeof(name) - at;
	n = mplex_write_head(&h, raw);
	memcpy(raw + n, name + at, sizeof(name) - at);
	err = bufq_push(out, bytes_of(raw, n + sizeof(name) - at));
	P2P_ASSERT(err == 0);
	x->next_id++;
	x->opened_ms[x->opened_count++ % MPLEX_OPENS_MAX] = m->now_ms;
	return 0;
}

static size_t mplex_send(struct muxer *m, struct mux_stream *s, struct bytes in,
	struct bufq *out)
{
	size_t room = mux_data_room(out);
	size_t n = P2P_MIN(in.len, (size_t)MUX_PAYLOAD_BYTES_MAX);
	struct mplex_head h = {.id = s->wire_id,
		.flag = s->ours ? MPLEX_MESSAGE_INITIATOR
				: MPLEX_MESSAGE_RECEIVER};
	uint8_t raw[MUX_HEAD_BYTES_MAX];
	size_t head_len;
	uint8_t *to;

	(void)m;
	if (room <= sizeof(raw))
		return 0;
	room -= sizeof(raw);
	if (room < n && room < MUX_SPLIT_BYTES_MIN)
		return 0;
	n = P2P_MIN(n, room);
	h.length = n;
	head_len = mplex_write_head(&h, raw);
	to = bufq_extend(out, head_len + n);
	P2P_ASSERT(to != NULL);
	memcpy(to, raw, head_len);
	memcpy(to + head_len, in.data, n);
	return n;
}

static bool mplex_send_owed(
	struct muxer *m, struct mux_stream *s, struct bufq *out)
{
	unsigned flag = 0;

	(void)m;
	if ((s->owed & MUX_OWE_RST) != 0)
		flag = s->ours ? MPLEX_RESET_INITIATOR : MPLEX_RESET_RECEIVER;
	else if ((s->owed & MUX_OWE_FIN) != 0)
		flag = s->ours ? MPLEX_CLOSE_INITIATOR : MPLEX_CLOSE_RECEIVER;
	/* An acknowledgement has no frame in mplex. */
	if (flag != 0 && !put_frame(out, s->wire_id, flag))
		return false;
	s->owed = 0;
	return true;
}

static void mplex_consumed(struct muxer *m, struct mux_stream *s, size_t n)
{
	(void)m;
	(void)s;
	(void)n;
}

static void mplex_off_wire(struct muxer *m, struct mux_stream *s)
{
	(void)m;
	(void)s;
}

static void mplex_tick(struct muxer *m, const struct env *env)
{
	(void)m;
	(void)env;
}

static uint64_t mplex_deadline(const struct muxer *m)
{
	if (!m->open_refused || m->out_count >= MUX_STREAMS_OUT_MAX)
		return P2P_NEVER;
	return next_open_ms(m);
}

static bool mplex_go_away(struct bufq *out)
{
	(void)out;
	return true;
}

const struct mux_ops mplex_ops = {
	.init = mplex_init,
	.take_head = mplex_take_head,
	.may_open = mplex_may_open,
	.open = mplex_open,
	.send = mplex_send,
	.send_owed = mplex_send_owed,
	.make_room = mplex_make_room,
	.consumed = mplex_consumed,
	.off_wire = mplex_off_wire,
	.tick = mplex_tick,
	.deadline = mplex_deadline,
	.go_away = mplex_go_away,
};

/*
 * A stream's life, the same for both muxers: its numbers, its receive buffer
 * and what that is charged, the frames that it owes, its events. Memory is
 * settled before it is taken, so a budget that says no ends one stream and
 * leaves nothing half done. A stream lives until the user has forgotten it and
 * all that it owes has gone out.
 */
#include <stdlib.h>

#include "base/xmalloc.h"
#include "net/upgrade/mux_internal.h"

struct wire_key {
	uint8_t raw[9];
};

static struct wire_key wire_key_of(uint64_t wire_id, bool ours)
{
	struct wire_key k;

	put_be64(k.raw, wire_id);
	k.raw[8] = ours;
	return k;
}

static struct bytes number_key(const uint64_t *number)
{
	return bytes_of(number, sizeof(*number));
}

/* ---- memory ---- */

/* Makes what is charged fit the buffer and the reserve. */
static int settle_charge(
	struct muxer *m, struct mux_stream *s, size_t cap, size_t reserved)
{
	size_t want = MUX_STREAM_COST_BYTES + P2P_MAX(cap, reserved);
	int err = 0;

	if (want > s->charged)
		err = budget_charge(m->cfg.budget, want - s->charged);
	else
		budget_release(m->cfg.budget, s->charged - want);
	if (err == 0)
		s->charged = want;
	return err;
}

/* Gives the buffer new memory of cap >= len bytes, charged beforehand. */
static void recv_move(struct mux_recv *r, size_t cap)
{
	uint8_t *fresh = NULL;

	P2P_ASSERT(r->len <= cap);
	if (cap > 0)
		fresh = xmalloc(cap);
	if (r->len > 0)
		memcpy(fresh, r->data + r->head, r->len);
	free(r->data);
	r->data = fresh;
	r->head = 0;
	r->cap = cap;
}

static int recv_make_room(
	struct muxer *m, struct mux_stream *s, size_t more, size_t cap_max)
{
	struct mux_recv *r = &s->recv;
	size_t need = r->len + more;
	size_t cap;
	int err;

	if (r->head + need <= r->cap)
		return 0;
	if (need <= r->cap && (r->head >= r->cap / 2 || r->cap >= cap_max)) {
		memmove(r->data, r->data + r->head, r->len);
		r->head = 0;
		return 0;
	}
	cap = P2P_MAX(r->cap * 2, need);
	cap = P2P_MAX(cap, (size_t)MUX_RECV_FIRST_BYTES);
	cap = P2P_MIN(cap, cap_max);
	P2P_ASSERT(cap >= need);
	err = settle_charge(m, s, cap, s->reserved);
	if (err != 0)
		return err;
	recv_move(r, cap);
	return 0;
}

/* Gives memory back that is far larger than what is kept in it. */
static void recv_shrink(struct muxer *m, struct mux_stream *s)
{
	struct mux_recv *r = &s->recv;

	if (r->len == 0)
		r->head = 0;
	if (r->cap <= MUX_RECV_KEEP_BYTES || r->len >= r->cap / 4)
		return;
	recv_move(r, r->len * 2);
	/* Cannot be refused: it is less than before. */
	(void)settle_charge(m, s, r->cap, s->reserved);
}

static void recv_drop(struct muxer *m, struct mux_stream *s)
{
	m->unread_bytes -= s->recv.len;
	s->recv.len = 0;
	recv_move(&s->recv, 0);
	s->reserved = 0;
	(void)settle_charge(m, s, 0, 0);
}

/* No more bytes will come, so none are kept room for. */
static void reserve_no_more(struct muxer *m, struct mux_stream *s)
{
	s->reserved = 0;
	(void)settle_charge(m, s, s->recv.cap, 0);
}

int mux_stream_reserve(struct muxer *m, struct mux_stream *s, size_t bytes)
{
	size_t more = bytes - P2P_MIN(bytes, P2P_MAX(s->recv.cap, s->reserved));
	int err;

	for (struct budget *b = m->cfg.budget; b != NULL; b = b->parent) {
		if (more > b->max / 2 || b->used > b->max / 2 - more)
			return P2P_ERR_LIMIT;
	}
	err = settle_charge(m, s, s->recv.cap, bytes);
	if (err == 0)
		s->reserved = bytes;
	return err;
}

/* ---- birth and death ---- */

struct mux_stream *mux_stream_new(struct muxer *m, uint64_t wire_id, bool ours)
{
	struct wire_key key = wire_key_of(wire_id, ours);
	struct mux_stream *s;

	if (budget_charge(m->cfg.budget, MUX_STREAM_COST_BYTES) != 0)
		return NULL;
	s = xcalloc(1, sizeof(*s));
	s->charged = MUX_STREAM_COST_BYTES;
	s->number = ++m->last_number;
	s->wire_id = wire_id;
	s->ours = ours;
	s->accepted = ours;
	s->known = true;
	s->on_wire = true;
	list_init(&s->ready);
	list_init(&s->owing);
	table_put(&m->numbers, number_key(&s->number), s);
	table_put(&m->wire, bytes_of(key.raw, sizeof(key.raw)), s);
	if (ours) {
		m->out_count++;
	} else {
		m->in_count++;
		m->unaccepted_count++;
	}
	return s;
}

static void go_off_wire(struct muxer *m, struct mux_stream *s)
{
	struct wire_key key = wire_key_of(s->wire_id, s->ours);

	if (!s->on_wire)
		return;
	s->on_wire = false;
	(void)table_remove(&m->wire, bytes_of(key.raw, sizeof(key.raw)));
	/* What is left of a frame under way is skipped. */
	if (m->body_stream == s)
		m->body_stream = NULL;
	m->ops->off_wire(m, s);
}

static void unaccepted_no_more(struct muxer *m, struct mux_stream *s)
{
	if (!s->accepted)
		m->unaccepted_count--;
	s->accepted = true;
}

void mux_stream_drop(struct muxer *m, struct mux_stream *s)
{
	go_off_wire(m, s);
	unaccepted_no_more(m, s);
	if (s->known)
		(void)table_remove(&m->numbers, number_key(&s->number));
	list_remove(&s->ready);
	list_remove(&s->owing);
	recv_drop(m, s);
	budget_release(m->cfg.budget, s->charged);
	if (s->ours)
		m->out_count--;
	else
		m->in_count--;
	free(s);
}

static void free_when_done(struct muxer *m, struct mux_stream *s)
{
	if (!s->known && s->owed == 0)
		mux_stream_drop(m, s);
}

struct mux_stream *mux_stream_find(const struct muxer *m, uint64_t number)
{
	return table_get(&m->numbers, number_key(&number));
}

struct mux_stream *mux_stream_on_wire(
	const struct muxer *m, uint64_t wire_id, bool ours)
{
	struct wire_key key = wire_key_of(wire_id, ours);

	return table_get(&m->wire, bytes_of(key.raw, sizeof(key.raw)));
}

bool mux_may_take_stream(const struct muxer *m)
{
	return m->in_count < m->cfg.streams_in_max &&
	       m->unaccepted_count < m->cfg.streams_unaccepted_max &&
	       !m->go_away_sent && !m->go_away_owed;
}

int mux_refuse_stream(struct muxer *m)
{
	m->counts.streams_refused++;
	if (!mux_bucket_take(&m->refusals, m->now_ms, MUX_REFUSALS_BURST,
		    MUX_REFUSALS_PER_S))
		return P2P_ERR_LIMIT;
	return 0;
}

int mux_unknown_frame(struct muxer *m, uint64_t payload)
{
	m->counts.frames_unknown++;
	/* Payload under way is bounded by the windows, and costs its sender
	 * more than us. */
	if (payload == 0 && !mux_bucket_take(&m->resets, m->now_ms,
				    MUX_RESETS_BURST, MUX_RESETS_PER_S))
		return P2P_ERR_LIMIT;
	return 0;
}

/* ---- what the other side did ---- */

void mux_stream_recv_fin(struct muxer *m, struct mux_stream *s)
{
	if (s->recv_ended)
		return;
	s->recv_ended = true;
	/* Nobody writes any more, so nobody needs credit. */
	s->owed &= ~(unsigned)MUX_OWE_CREDIT;
	reserve_no_more(m, s);
	mux_stream_owe(m, s, 0);
	mux_stream_event(m, s, MUX_EV_READABLE);
	if (s->send_ended)
		go_off_wire(m, s);
}

static void become_reset(struct muxer *m, struct mux_stream *s, uint32_t code)
{
	s->reset = true;
	s->reset_code = code;
	s->recv_ended = true;
	s->send_ended = true;
	s->owed = 0;
	reserve_no_more(m, s);
	s->events &= ~(1U << MUX_EV_WRITABLE);
	go_off_wire(m, s);
	mux_stream_event(m, s, MUX_EV_RESET);
}

int mux_stream_recv_rst(struct muxer *m, struct mux_stream *s)
{
	become_reset(m, s, 0);
	mux_stream_owe(m, s, 0);
	if (!mux_bucket_take(
		    &m->resets, m->now_ms, MUX_RESETS_BURST, MUX_RESETS_PER_S))
		return P2P_ERR_LIMIT;
	return 0;
}

void mux_stream_recv_data(
	struct muxer *m, struct mux_stream *s, struct bytes in)
{
	size_t cap_max = m->ops->make_room(m, s, in.len);
	struct mux_recv *r = &s->recv;

	if (cap_max == 0 || in.len == 0)
		return;
	if (recv_make_room(m, s, in.len, cap_max) != 0) {
		mux_stream_overrun(m, s);
		return;
	}
	memcpy(r->data + r->head + r->len, in.data, in.len);
	r->len += in.len;
	m->unread_bytes += in.len;
	mux_stream_event(m, s, MUX_EV_READABLE);
}

/* ---- what we do ---- */

void mux_stream_overrun(struct muxer *m, struct mux_stream *s)
{
	/* A stream that ended on both sides is closed for the other side,
	 * and nothing may be sent on it any more. */
	bool open = s->on_wire || (s->owed & MUX_OWE_FIN) != 0;

	m->counts.streams_dropped++;
	recv_drop(m, s);
	become_reset(m, s, 1);
	mux_stream_owe(m, s, open ? MUX_OWE_RST : 0);
}

void mux_stream_accept(struct muxer *m, struct mux_stream *s)
{
	if (s->accepted)
		return;
	unaccepted_no_more(m, s);
	if (s->on_wire)
		mux_stream_owe(m, s, MUX_OWE_ACK);
}

void mux_stream_send_fin(struct muxer *m, struct mux_stream *s)
{
	s->send_ended = true;
	mux_stream_owe(m, s, MUX_OWE_FIN);
	if (s->recv_ended)
		go_off_wire(m, s);
}

void mux_stream_forget(struct muxer *m, struct mux_stream *s, bool reset)
{
	bool closing = (s->owed & MUX_OWE_FIN) != 0;
	bool ended = s->reset || (s->recv_ended && s->send_ended);

	s->known = false;
	(void)table_remove(&m->numbers, number_key(&s->number));
	list_remove(&s->ready);
	unaccepted_no_more(m, s);
	recv_drop(m, s);
	go_off_wire(m, s);
	if (!ended || (closing && reset)) {
		s->owed = 0;
		mux_stream_owe(m, s, MUX_OWE_RST);
	}
	free_when_done(m, s);
}

void mux_stream_consume(struct muxer *m, struct mux_stream *s, size_t n)
{
	P2P_ASSERT(n <= s->recv.len);
	s->recv.head += n;
	s->recv.len -= n;
	m->unread_bytes -= n;
	if (!s->recv_ended)
		m->ops->consumed(m, s, n);
	recv_shrink(m, s);
}

void mux_stream_withhold(struct muxer *m, struct mux_stream *s, size_t n)
{
	s->withheld = (uint32_t)P2P_MIN(n, (size_t)UINT32_MAX);
	if (!s->recv_ended)
		m->ops->consumed(m, s, 0);
}

void mux_stream_owe(struct muxer *m, struct mux_stream *s, unsigned what)
{
	s->owed |= what;
	if (s->owed == 0)
		list_remove(&s->owing);
	else if (list_empty(&s->owing))
		list_push_back(&m->all_owing, &s->owing);
}

void mux_send_owed(struct muxer *m, struct bufq *out)
{
	struct list *at, *tmp;

	LIST_FOREACH(at, tmp, &m->all_owing) {
		struct mux_stream *s = LIST_ITEM(at, struct mux_stream, owing);

		if (!m->ops->send_owed(m, s, out))
			return;
		P2P_ASSERT(s->owed == 0);
		list_remove(&s->owing);
		free_when_done(m, s);
	}
}

void mux_stream_event(
	struct muxer *m, struct mux_stream *s, enum mux_event_kind kind)
{
	if (!s->known)
		return;
	s->events |= 1U << kind;
	if (list_empty(&s->ready))
		list_push_back(&m->all_ready, &s->ready);
}

/* ---- small parts ---- */

bool mux_bucket_take(
	struct mux_bucket *b, uint64_t now_ms, uint64_t burst, uint64_t per_s)
{
	uint64_t passed_ms =
		P2P_MIN(now_ms - b->at_ms, (uint64_t)MUX_BUCKET_MEMORY_MS);
	uint64_t drained = passed_ms * per_s;

	b->at_ms = now_ms;
	b->used_thousandths -= P2P_MIN(b->used_thousandths, drained);
	if (b->used_thousandths + 1000 > burst * 1000)
		return false;
	b->used_thousandths += 1000;
	return true;
}

size_t mux_data_room(const struct bufq *out)
{
	size_t reserve = P2P_MIN(out->max / 4, (size_t)MUX_RESERVE_BYTES);
	size_t room = bufq_room(out);

	return room - P2P_MIN(room, reserve);
}

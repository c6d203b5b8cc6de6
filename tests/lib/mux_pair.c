#include "tests/lib/mux_pair.h"

#include "net/upgrade/mux_internal.h"

void mux_side_init(struct mux_side *s, struct test_env *te,
	enum muxer_kind kind, bool initiator)
{
	struct muxer_cfg cfg = {
		.kind = kind,
		.initiator = initiator,
		.budget = &s->budget,
		.streams_in_max = 1024,
		.streams_unaccepted_max = 64,
		.ping_interval_ms = P2P_NEVER,
		.ping_timeout_ms = 10000,
	};

	s->te = te;
	budget_init(&s->budget, &te->budget, MUX_TEST_BUDGET_BYTES);
	bufq_init(&s->out, MUX_TEST_OUT_BYTES);
	s->m = muxer_new(&cfg, &te->env);
}

void mux_side_clear(struct mux_side *s)
{
	muxer_free(s->m);
	s->m = NULL;
	bufq_clear(&s->out);
	P2P_ASSERT(s->budget.used == 0);
}

int mux_side_feed(struct mux_side *s, const void *raw, size_t len)
{
	struct bytes in = bytes_of(raw, len);
	int err = 0;

	while (err == 0 && in.len > 0) {
		size_t taken;

		err = muxer_feed(s->m, &s->te->env, in, &taken, &s->out);
		in = bytes_skip(in, taken);
		P2P_ASSERT(err != 0 || taken > 0);
		mux_side_check(s);
	}
	return err;
}

static void check_stream(const struct muxer *m, const struct mux_stream *s)
{
	size_t under_way = m->body_stream == s ? (size_t)m->body_left : 0;

	P2P_ASSERT(s->recv.head + s->recv.len <= s->recv.cap);
	P2P_ASSERT(s->charged ==
		   MUX_STREAM_COST_BYTES + P2P_MAX(s->recv.cap, s->reserved));
	if (m->cfg.kind == MUXER_MPLEX) {
		P2P_ASSERT(s->recv.len <= MPLEX_UNREAD_BYTES_MAX);
		return;
	}
	P2P_ASSERT(s->recv_window <= YAMUX_WINDOW_BYTES_MAX);
	P2P_ASSERT(s->recv.cap <= s->recv_window);
	if (!s->recv_ended)
		P2P_ASSERT(s->recv_window ==
			   s->recv_left + s->recv.len + s->used_up + under_way);
}

void mux_side_check(const struct mux_side *side)
{
	const struct muxer *m = side->m;
	struct table_entry *e, *tmp;
	struct list *at, *next;
	size_t unread = 0, charged = 0, unaccepted = 0;

	TABLE_FOREACH(e, tmp, &m->numbers) {
		const struct mux_stream *s = e->value;

		check_stream(m, s);
		unread += s->recv.len;
		charged += s->charged;
		unaccepted += !s->accepted;
	}
	LIST_FOREACH(at, next, &m->all_owing) {
		const struct mux_stream *s =
			LIST_ITEM(at, struct mux_stream, owing);

		P2P_ASSERT(s->owed != 0);
		if (!s->known)
			charged += s->charged;
	}
	P2P_ASSERT(unread == m->unread_bytes);
	P2P_ASSERT(charged == side->budget.used);
	P2P_ASSERT(unaccepted == m->unaccepted_count);
	P2P_ASSERT(m->in_count <= m->cfg.streams_in_max);
	P2P_ASSERT(m->unaccepted_count <= m->cfg.streams_unaccepted_max);
	if (m->cfg.kind == MUXER_YAMUX)
		P2P_ASSERT(m->u.yamux.unacked_count <= YAMUX_UNACKED_MAX);
	else
		P2P_ASSERT(unread <= MPLEX_UNREAD_CONN_BYTES_MAX);
}

bool mux_side_expect(
	struct mux_side *s, enum mux_event_kind kind, uint64_t stream)
{
	struct mux_event ev;

	return muxer_next_event(s->m, &ev) && ev.kind == kind &&
	       ev.stream == stream;
}

uint64_t mux_side_await(struct mux_side *s, enum mux_event_kind kind)
{
	struct mux_event ev;

	while (muxer_next_event(s->m, &ev)) {
		if (ev.kind == kind)
			return ev.stream;
	}
	return 0;
}

void mux_side_say(struct mux_side *s, uint64_t stream, const char *text)
{
	size_t taken;
	int err = muxer_write(s->m, stream, bytes_str(text), &taken, &s->out);

	P2P_ASSERT(err == 0 && taken == strlen(text));
}

static int end_feed(void *machine, struct bytes in, size_t *taken)
{
	struct mux_side *s = machine;

	return muxer_feed(s->m, &s->te->env, in, taken, &s->out);
}

static struct bytes end_peek(void *machine)
{
	struct mux_side *s = machine;

	muxer_flush(s->m, &s->out);
	return bufq_peek(&s->out);
}

static void end_consume(void *machine, size_t n)
{
	struct mux_side *s = machine;

	bufq_consume(&s->out, n);
}

void mux_pair_init(struct mux_pair *p, enum muxer_kind kind, uint64_t seed)
{
	struct mem_end end[2];

	test_env_init(&p->te, seed);
	for (int i = 0; i < 2; i++) {
		mux_side_init(&p->side[i], &p->te, kind, i == 0);
		end[i] = (struct mem_end){.machine = &p->side[i],
			.feed = end_feed,
			.peek = end_peek,
			.consume = end_consume};
	}
	mem_pipe_init(&p->pipe, &end[0], &end[1], seed);
}

void mux_pair_clear(struct mux_pair *p)
{
	mux_pair_check(p);
	mux_side_clear(&p->side[0]);
	mux_side_clear(&p->side[1]);
	mem_pipe_clear(&p->pipe);
}

/* Every stream of one side against its twin on the other. */
static void check_credit(const struct muxer *m, const struct muxer *other)
{
	struct table_entry *e, *tmp;

	TABLE_FOREACH(e, tmp, &m->wire) {
		const struct mux_stream *s = e->value;
		const struct mux_stream *twin =
			mux_stream_on_wire(other, s->wire_id, !s->ours);

		if (twin != NULL)
			P2P_ASSERT(s->send_credit <= twin->recv_left);
	}
}

void mux_pair_check(const struct mux_pair *p)
{
	mux_side_check(&p->side[0]);
	mux_side_check(&p->side[1]);
	if (p->side[0].m->cfg.kind != MUXER_YAMUX)
		return;
	check_credit(p->side[0].m, p->side[1].m);
	check_credit(p->side[1].m, p->side[0].m);
}

void mux_pair_run(struct mux_pair *p)
{
	uint64_t steps = 0;

	/* Walking a thousand streams after every byte would be the test. */
	while (mem_pipe_step(&p->pipe)) {
		if (steps++ % 64 == 0)
			mux_pair_check(p);
	}
	P2P_ASSERT(p->pipe.err[0] == 0 && p->pipe.err[1] == 0);
	mux_pair_check(p);
}

#include "net/swarm/swarm_internal.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/xmalloc.h"

static const char *const inside[] = {
	"/ipfs/id/1.0.0",
	"/ipfs/id/push/1.0.0",
	"/ipfs/ping/1.0.0",
};

struct swarm *swarm_new(const struct swarm_cfg *cfg, const struct env *env)
{
	struct swarm *s = xcalloc(1, sizeof(*s));
	size_t n = 0;

	s->cfg = *cfg;
	if (s->cfg.conns_max == 0)
		s->cfg.conns_max = SWARM_CONNS_MAX;
	if (s->cfg.ping_interval_ms == 0)
		s->cfg.ping_interval_ms = SWARM_PING_INTERVAL_MS;
	for (; n < SWARM_PROTO_USER; n++)
		s->names[n] = inside[n];
	for (size_t i = 0; cfg->protocols != NULL && cfg->protocols[i]; i++) {
		P2P_ASSERT(n < SWARM_PROTOCOLS_MAX);
		s->names[n++] = cfg->protocols[i];
	}
	budget_init(&s->budget, env->budget, SWARM_BUDGET_BYTES);
	budget_init(&s->unproven, &s->budget, SWARM_UNPROVEN_BUDGET_BYTES);
	book_init(&s->book, env->budget);
	buf_init(&s->record, SWARM_IDENTIFY_MESSAGE_BYTES_MAX);
	table_init(&s->conns, env->rng);
	table_init(&s->streams, env->rng);
	table_init(&s->peers, env->rng);
	bufq_init(&s->actions, SWARM_QUEUE_BYTES_MAX);
	bufq_init(&s->events, SWARM_QUEUE_BYTES_MAX);
	s->next_id = 1;
	s->due_ms = P2P_NEVER;
	s->last_ms = env->now_ms;
	return s;
}

void swarm_free(struct swarm *s)
{
	struct table_entry *e, *tmp;
	struct env env = {.now_ms = 0};
	struct swarm_event ev;

	if (s == NULL)
		return;
	env.now_ms = s->last_ms;
	s->shutting_down = true;
	TABLE_FOREACH(e, tmp, &s->conns)
		conn_fail(s, &env, e->value, P2P_ERR_CLOSED);
	TABLE_FOREACH(e, tmp, &s->peers)
		peer_free(s, e->value);
	while (swarm_next_event(s, &ev))
		free(ev.rest);
	table_clear(&s->conns);
	table_clear(&s->streams);
	table_clear(&s->peers);
	bufq_clear(&s->actions);
	bufq_clear(&s->events);
	buf_clear(&s->record);
	book_clear(&s->book);
	budget_clear(&s->unproven);
	budget_clear(&s->budget);
	free(s);
}

void swarm_emit(struct swarm *s, const struct swarm_event *ev)
{
	P2P_ASSERT(bufq_push(&s->events, bytes_of(ev, sizeof(*ev))) == 0);
}

bool swarm_next_event(struct swarm *s, struct swarm_event *ev)
{
	if (s->events.len == 0)
		return false;
	memcpy(ev, bufq_peek(&s->events).data, sizeof(*ev));
	bufq_consume(&s->events, sizeof(*ev));
	return true;
}

void swarm_act(struct swarm *s, enum swarm_action_kind kind, uint64_t conn,
	const struct maddr *addr)
{
	struct swarm_action act = {.kind = kind, .conn = conn};

	if (addr != NULL)
		act.addr = *addr;
	P2P_ASSERT(bufq_push(&s->actions, bytes_of(&act, sizeof(act))) == 0);
}

bool swarm_next_action(struct swarm *s, struct swarm_action *act)
{
	if (s->actions.len == 0)
		return false;
	memcpy(act, bufq_peek(&s->actions).data, sizeof(*act));
	bufq_consume(&s->actions, sizeof(*act));
	return true;
}

void swarm_tick(struct swarm *s, const struct env *env)
{
	struct table_entry *e, *tmp;

	s->last_ms = env->now_ms;
	TABLE_FOREACH(e, tmp, &s->conns) {
		struct conn *c = e->value;

		if (conn_deadline(c) <= env->now_ms)
			conn_tick(s, env, c);
	}
	TABLE_FOREACH(e, tmp, &s->peers)
		peer_tick(s, env, e->value);
	dial_tick(s, env);
	peers_age(s, env);
	s->due_ms = swarm_deadline_walk(s);
}

void swarm_due(struct swarm *s, uint64_t at_ms)
{
	s->due_ms = P2P_MIN(s->due_ms, at_ms);
}

uint64_t swarm_deadline(const struct swarm *s)
{
	return s->due_ms;
}

uint64_t swarm_deadline_walk(const struct swarm *s)
{
	struct table_entry *e, *tmp;
	uint64_t first = P2P_NEVER;

	TABLE_FOREACH(e, tmp, &s->conns)
		first = P2P_MIN(first, conn_deadline(e->value));
	TABLE_FOREACH(e, tmp, &s->peers)
		first = P2P_MIN(first, peer_deadline(s, e->value));
	return first;
}

/* ---- peers ------------------------------------------------------------- */

void swarm_dial(struct swarm *s, const struct env *env,
	const struct maddr *addr, uint64_t request)
{
	struct maddr base;
	struct bytes raw;
	struct peer_id expect = {.len = 0};
	struct conn *c = NULL;
	const char *why;

	maddr_split_peer(addr, &base, &raw);
	why = dial_why_not(s, env, &base);
	if (raw.len > 0 && peer_id_parse(&expect, raw) != 0)
		expect.len = 0;
	else if (why == NULL)
		c = conn_new_outbound(s, env, &base, &expect);
	if (c != NULL) {
		c->request = request;
		s->counters.dials_asked++;
		return;
	}
	struct swarm_event ev = {
		.kind = SWARM_EV_DIAL_FAILED,
		.number = request,
		.text = "not an address that can be dialled now",
	};
	if (why != NULL)
		(void)snprintf(ev.text, sizeof(ev.text), "%s", why);
	swarm_emit(s, &ev);
}

static void know(struct swarm *s, const struct env *env,
	const struct peer_id *id, const struct maddr *addr,
	enum book_source source)
{
	bool fresh = source == BOOK_LAN;
	struct maddr base;
	struct bytes raw;
	struct peer *p;
	bool is_new;

	if (s->shutting_down || peer_id_equal(id, &s->cfg.me->id))
		return;
	maddr_split_peer(addr, &base, &raw);
	if (dial_why_not(s, env, &base) != NULL)
		return;
	p = peer_get(s, env, id,
		fresh                  ? BOOK_HINT
		: source == BOOK_TYPED ? BOOK_WANTED
				       : BOOK_PROVEN);
	if (p == NULL)
		return;
	is_new = book_find(&p->known, &base) == NULL;
	if (peer_learn(s, env, p, &base, source) != 0)
		is_new = false;
	p->wanted = true;
	book_seen(&s->book, &p->known, env->now_ms);
	if (fresh)
		dial_seen(s, env, p, is_new);
	else
		dial_wanted(s, env, p);
}

void swarm_know(struct swarm *s, const struct env *env,
	const struct peer_id *id, const struct maddr *addr, bool fresh)
{
	know(s, env, id, addr, fresh ? BOOK_LAN : BOOK_SAVED);
}

void swarm_keep(struct swarm *s, const struct env *env,
	const struct peer_id *id, const struct maddr *addr)
{
	know(s, env, id, addr, BOOK_TYPED);
}

int swarm_learn_record(struct swarm *s, const struct env *env, struct bytes raw,
	const struct peer_id *from)
{
	const struct peer *teller = from == NULL ? NULL : peer_find(s, from);
	const struct conn *c = teller == NULL ? NULL : peer_conn(teller);
	struct peer_record record;
	struct peer *p;
	int err = peer_record_open(&record, raw);

	if (err != 0)
		return err;
	if (s->shutting_down || peer_id_equal(&record.peer, &s->cfg.me->id))
		return P2P_ERR_EXISTS;
	p = peer_get(
		s, env, &record.peer, from == NULL ? BOOK_PROVEN : BOOK_HINT);
	if (p == NULL)
		return P2P_ERR_LIMIT;
	err = peer_certify(s, env, p,
		&(struct book_record){.record = &record,
			.envelope = raw,
			.from = from == NULL ? BOOK_FROM_NEAR
				: c != NULL  ? dial_teller(c)
					     : BOOK_FROM_AFAR});
	if (err == 0)
		dial_wanted(s, env, p);
	return err;
}

struct bytes swarm_peer_record(
	const struct swarm *s, const struct peer_id *peer)
{
	const struct peer *p = peer_find(s, peer);

	return p == NULL ? bytes_of(NULL, 0) : buf_bytes(&p->known.record);
}

int swarm_want(
	struct swarm *s, const struct env *env, const struct peer_id *peer)
{
	struct peer *p = peer_find(s, peer);

	if (p == NULL)
		return P2P_ERR_NOT_FOUND;
	p->wanted = true;
	dial_wanted(s, env, p);
	return 0;
}

void swarm_disconnect(
	struct swarm *s, const struct env *env, const struct peer_id *id)
{
	struct peer *p = peer_find(s, id);
	struct table_entry *e, *tmp;

	if (p == NULL)
		return;
	p->wanted = false;
	p->in_set = false;
	p->dial_at_ms = P2P_NEVER;
	/* Dials under way would bring it back. */
	TABLE_FOREACH(e, tmp, &s->conns) {
		struct conn *c = e->value;

		if (!c->secured && peer_id_equal(&c->expect, id))
			conn_fail(s, env, c, P2P_ERR_CLOSED);
	}
	while (!list_empty(&p->conns))
		conn_fail(s, env,
			LIST_ITEM(p->conns.next, struct conn, of_peer),
			P2P_ERR_CLOSED);
}

void swarm_network_changed(struct swarm *s, const struct env *env)
{
	struct table_entry *e, *tmp;

	TABLE_FOREACH(e, tmp, &s->peers) {
		struct peer *p = e->value;

		p->failures = 0;
		p->losses = 0;
		book_rested(&p->known);
		if (p->wanted && list_empty(&p->conns) && p->dials == 0)
			dial_soon(s, env, p, 0);
	}
}

void swarm_set_addresses(struct swarm *s, const struct env *env,
	const struct maddr *addrs, size_t count)
{
	count = P2P_MIN(count, (size_t)SWARM_ADDRESSES_PER_PEER_MAX);
	for (size_t i = 0; i < count; i++)
		s->addrs[i] = addrs[i];
	s->addr_count = (unsigned)count;
	buf_reset(&s->record);
	identify_push_all(s, env);
}

void swarm_shutdown(struct swarm *s, const struct env *env)
{
	struct table_entry *e, *tmp;

	s->shutting_down = true;
	TABLE_FOREACH(e, tmp, &s->conns) {
		struct conn *c = e->value;

		if (c->state != CONN_READY) {
			conn_fail(s, env, c, P2P_ERR_CLOSED);
			continue;
		}
		channel_go_away(c->up);
		c->state = CONN_CLOSING;
		c->deadline_ms = env_after(env, SWARM_CLOSE_MS);
		conn_pump(s, env, c);
	}
}

size_t swarm_conn_count(const struct swarm *s)
{
	return s->conns.count;
}

bool swarm_peer_info(const struct swarm *s, const struct peer_id *id,
	struct swarm_peer_info *info)
{
	struct peer *p = peer_find(s, id);
	struct conn *c = p == NULL ? NULL : peer_conn(p);
	struct channel_info channel;

	if (c == NULL)
		return false;
	channel = channel_info(c->up);
	*info = (struct swarm_peer_info){
		.identified = p->identified,
		.outbound = c->outbound,
		.remote = c->remote,
		.how = known_how(p, c),
		.muxer_early = channel.muxer_early,
		.key = channel_peer_key(c->up),
		.muxer = channel.muxer,
		.agent = p->agent,
		.protocols = buf_cstr(&p->protocols),
		.rtt_ms = p->rtt_ms,
	};
	return true;
}

bool swarm_peer_speaks(
	const struct swarm *s, const struct peer_id *id, const char *protocol)
{
	struct peer *p = peer_find(s, id);
	size_t n = strlen(protocol);
	const char *line;

	if (p == NULL)
		return false;
	line = buf_cstr(&p->protocols);
	while (*line != '\0') {
		const char *end = strchrnul(line, '\n');

		if ((size_t)(end - line) == n && memcmp(line, protocol, n) == 0)
			return true;
		line = *end == '\0' ? end : end + 1;
	}
	return false;
}

const struct swarm_counters *swarm_counters(const struct swarm *s)
{
	return &s->counters;
}

size_t swarm_conn_used(const struct swarm *s, uint64_t conn)
{
	const struct conn *c = conn_find(s, conn);

	return c == NULL ? 0 : count_held(c);
}

size_t swarm_budget_used(const struct swarm *s)
{
	struct table_entry *e, *tmp;
	size_t held = 0;

	TABLE_FOREACH(e, tmp, &s->conns)
		held += count_held(e->value);
	return held;
}

/* ---- streams ----------------------------------------------------------- */

static int protocol_index(const struct swarm *s, const char *name)
{
	for (int i = SWARM_PROTO_USER; s->names[i] != NULL; i++)
		if (strcmp(s->names[i], name) == 0)
			return i;
	return -1;
}

int swarm_stream_open(struct swarm *s, const struct env *env,
	const struct peer_id *id, const char *protocol, uint64_t *stream)
{
	struct peer *p = peer_find(s, id);
	struct conn *c = p == NULL ? NULL : peer_conn(p);
	int index = protocol_index(s, protocol);
	struct stream *st;

	P2P_ASSERT(index >= 0);
	if (c == NULL)
		return P2P_ERR_NOT_FOUND;
	st = stream_open(s, env, c, index);
	if (st == NULL)
		return P2P_ERR_LIMIT;
	*stream = st->id;
	return 0;
}

int swarm_stream_write(struct swarm *s, const struct env *env, uint64_t stream,
	struct bytes in)
{
	struct stream *st = stream_find(s, stream);
	int err;

	if (st == NULL)
		return P2P_ERR_NOT_FOUND;
	err = stream_write_through(st, in);
	if (err != 0) {
		st->write_waited = true;
		return err;
	}
	st->write_waited = true;
	(void)stream_flush(s, env, st);
	conn_want_write(s, env, st->conn);
	return 0;
}

size_t swarm_stream_backlog(const struct swarm *s, uint64_t stream)
{
	struct stream *st = stream_find(s, stream);

	return st == NULL ? 0 : st->out.len;
}

struct bytes swarm_stream_peek(
	const struct swarm *s, uint64_t stream, bool *end)
{
	struct stream *st = stream_find(s, stream);

	*end = false;
	if (st == NULL || !st->negotiated || !st->open_sent)
		return bytes_of(NULL, 0);
	return channel_stream_peek(st->conn->up, st->mux, end);
}

void swarm_stream_consume(struct swarm *s, uint64_t stream, size_t n)
{
	struct stream *st = stream_find(s, stream);
	bool end;

	if (st == NULL || n == 0)
		return;
	(void)channel_stream_consume(st->conn->up, st->mux, n);
	if (st->was_reset &&
		channel_stream_peek(st->conn->up, st->mux, &end).len == 0) {
		stream_drop(s, st, P2P_ERR_RESET, true);
		return;
	}
	/* Credit given back is written with the next pump; asked for here so
	 * that a reader alone keeps the stream moving. */
	if (!st->conn->write_asked) {
		st->conn->write_asked = true;
		swarm_act(s, SWARM_ACT_WRITE, st->conn->id, NULL);
	}
}

void swarm_stream_close_write(
	struct swarm *s, const struct env *env, uint64_t stream)
{
	struct stream *st = stream_find(s, stream);

	if (st == NULL)
		return;
	st->close_asked = true;
	if (stream_flush(s, env, st))
		conn_want_write(s, env, st->conn);
}

void swarm_stream_reset(struct swarm *s, uint64_t stream)
{
	struct stream *st = stream_find(s, stream);

	if (st != NULL)
		stream_drop(s, st, P2P_ERR_CLOSED, false);
}

int swarm_stream_keep(struct swarm *s, uint64_t stream, size_t bytes)
{
	struct stream *st = stream_find(s, stream);
	int err = 0;

	if (st == NULL)
		return 0;
	if (bytes > st->kept)
		err = budget_charge(&st->budget, bytes - st->kept);
	else
		budget_release(&st->budget, st->kept - bytes);
	if (err == 0)
		st->kept = bytes;
	return err;
}

/*
 * Identify and push (libp2p identify spec): who the other side is, what it
 * speaks and where it listens. Both sides ask on every new connection; the
 * accepting side writes one message and closes. Answers are read to their end
 * and merged, since some peers split them.
 */
#include "base/text.h"
#include "base/xmalloc.h"
#include "net/swarm/frame.h"
#include "net/swarm/swarm_internal.h"
#include "net/wire/identify_pb.h"

#define IDENTIFY_PROTOCOL_VERSION "ipfs/0.1.0"
#define MINUTE_MS 60000

/* ---- ours -------------------------------------------------------------- */

/* Our own signed record, made anew when the addresses have changed. */
static struct bytes own_record(struct swarm *s, const struct env *env)
{
	struct peer_record r = {.addr_count = s->addr_count};

	_Static_assert(SWARM_ADDRESSES_PER_PEER_MAX <= PEER_RECORD_ADDRS_MAX,
		"all our addresses are in the record");
	if (s->record.len > 0)
		return buf_bytes(&s->record);
	s->record_seq = P2P_MAX(s->record_seq + 1, env->wall_ms);
	r.seq = s->record_seq;
	for (unsigned i = 0; i < s->addr_count; i++)
		r.addrs[i] = maddr_bytes(&s->addrs[i]);
	/* Without it the message is as good as before. */
	if (peer_record_seal(s->cfg.me, &r, &s->record) != 0)
		buf_reset(&s->record);
	return buf_bytes(&s->record);
}

/* Our own message with its length in front. */
static void write_own(struct swarm *s, const struct env *env,
	const struct conn *c, struct buf *out)
{
	struct identify id = {
		.public_key = bytes_of(
			s->cfg.me->public_pb, sizeof(s->cfg.me->public_pb)),
		.observed_addr = maddr_bytes(&c->remote),
		.protocol_version = bytes_str(IDENTIFY_PROTOCOL_VERSION),
		.agent_version = bytes_str(s->cfg.agent),
		.signed_peer_record = own_record(s, env),
	};
	struct buf body;
	uint8_t head[10];

	buf_init(&body, SWARM_IDENTIFY_MESSAGE_BYTES_MAX);
	for (size_t i = 0; s->names[i] != NULL; i++)
		id.protocols[id.protocol_count++] = bytes_str(s->names[i]);
	for (size_t i = 0; i < s->addr_count; i++)
		id.listen_addrs[id.listen_addr_count++] =
			maddr_bytes(&s->addrs[i]);
	identify_pb_write(&id, &body);
	P2P_ASSERT(!body.failed);
	(void)buf_append(out, bytes_of(head, frame_header(body.len, head)));
	(void)buf_append(out, buf_bytes(&body));
	buf_clear(&body);
}

static void send_own(struct swarm *s, const struct env *env, struct stream *st)
{
	struct buf out;

	buf_init(&out, SWARM_IDENTIFY_MESSAGE_BYTES_MAX + 10);
	write_own(s, env, st->conn, &out);
	if (stream_write(st, buf_bytes(&out)) == 0)
		st->close_asked = true;
	buf_clear(&out);
	if (stream_flush(s, env, st))
		conn_want_write(s, env, st->conn);
}

void identify_answer(struct swarm *s, const struct env *env, struct stream *st)
{
	st->deadline_ms = env_after(env, SWARM_IDENTIFY_MS);
	send_own(s, env, st);
}

void identify_ended(struct swarm *s, struct conn *c)
{
	if (c->state != CONN_READY || c->peer == NULL || c->peer->identified ||
		c->identify_asks >= SWARM_IDENTIFY_ASKS_MAX)
		return;
	c->identify_at_ms = s->last_ms + SWARM_IDENTIFY_AGAIN_MS;
	swarm_due(s, c->identify_at_ms);
}

void identify_tick(struct swarm *s, const struct env *env, struct conn *c)
{
	if (c->identify_at_ms > env->now_ms)
		return;
	c->identify_at_ms = P2P_NEVER;
	if (!c->peer->identified)
		identify_ask(s, env, c);
}

void identify_ask(struct swarm *s, const struct env *env, struct conn *c)
{
	c->identify_asks++;
	if (stream_open(s, env, c, SWARM_PROTO_IDENTIFY) == NULL)
		identify_ended(s, c);
}

void identify_push_all(struct swarm *s, const struct env *env)
{
	struct table_entry *e, *tmp;

	TABLE_FOREACH(e, tmp, &s->peers) {
		struct peer *p = e->value;
		struct conn *c = peer_conn(p);
		struct stream *st;

		if (c == NULL || !swarm_peer_speaks(
					 s, &p->id, s->names[SWARM_PROTO_PUSH]))
			continue;
		st = stream_open(s, env, c, SWARM_PROTO_PUSH);
		if (st != NULL)
			send_own(s, env, st);
	}
}

/* ---- theirs ------------------------------------------------------------ */

static void take_agent(struct peer *p, struct bytes agent)
{
	struct buf clean;

	buf_init(&clean, SWARM_AGENT_BYTES_MAX);
	(void)text_clean(TEXT_LINE, agent, &clean);
	memcpy(p->agent, buf_cstr(&clean), clean.len + 1);
	buf_clear(&clean);
}

static void take_protocols(struct peer *p, const struct identify *id)
{
	buf_reset(&p->protocols);
	for (size_t i = 0; i < id->protocol_count; i++) {
		struct bytes name = id->protocols[i];

		/* Names are compared, so an odd one is left out, not bent. */
		if (name.len == 0 || name.len > SWARM_PROTOCOL_NAME_BYTES_MAX ||
			!text_is_clean(TEXT_LINE, name))
			continue;
		if (p->protocols.len > 0)
			(void)buf_append_u8(&p->protocols, '\n');
		(void)buf_append(&p->protocols, name);
	}
}

static void take_addresses(struct swarm *s, const struct env *env,
	const struct stream *st, const struct identify *id)
{
	struct maddr whole, a;
	struct bytes peer;

	for (size_t i = id->listen_addr_count; i-- > 0;) {
		if (maddr_parse(&whole, id->listen_addrs[i]) != 0)
			continue;
		maddr_split_peer(&whole, &a, &peer);
		if (dial_may_be_named(&a, dial_teller(st->conn)))
			(void)peer_learn(s, env, st->conn->peer, &a, BOOK_TOLD);
	}
}

/* Whoever pushes one record after another has so many of them checked. */
static bool may_check_record(struct peer *p, const struct env *env)
{
	if (p->record_checks == 0 ||
		env->now_ms - p->record_checks_ms >= MINUTE_MS) {
		p->record_checks = 0;
		p->record_checks_ms = env->now_ms;
	}
	if (p->record_checks >= SWARM_RECORD_CHECKS_A_MINUTE)
		return false;
	p->record_checks++;
	return true;
}

/* What the peer signs for itself goes over what it merely tells. */
static void take_record(struct swarm *s, const struct env *env,
	const struct stream *st, struct bytes envelope)
{
	struct peer *p = st->conn->peer;
	struct peer_record record;

	if (envelope.len == 0 ||
		(bytes_equal(envelope, buf_bytes(&p->known.record)) &&
			dial_teller(st->conn) <= p->known.record_from))
		return;
	if (!may_check_record(p, env)) {
		s->counters.records_unchecked++;
		return;
	}
	if (peer_record_open(&record, envelope) != 0 ||
		!peer_id_equal(&record.peer, &p->id)) {
		s->counters.protocol_errors++;
		return;
	}
	if (p->known.record_ms != P2P_NEVER && record.seq < p->known.record_seq)
		p->known.outdated = true;
	if (peer_certify(s, env, p,
		    &(struct book_record){.record = &record,
			    .envelope = envelope,
			    .from = dial_teller(st->conn)}) != P2P_ERR_EXISTS)
		peer_tell_record(s, env, p);
}

static void take(struct swarm *s, const struct env *env,
	const struct stream *st, const struct identify *id)
{
	struct peer *p = st->conn->peer;
	bool push = st->inbound;
	struct swarm_event ev = {.kind = SWARM_EV_IDENTIFIED, .peer = p->id};

	if (id->agent_version.data != NULL)
		take_agent(p, id->agent_version);
	if (id->protocol_count > 0 || !push)
		take_protocols(p, id);
	s->counters.identify_cut +=
		id->protocol_count >= IDENTIFY_PB_PROTOCOLS_MAX ||
		id->listen_addr_count >= IDENTIFY_PB_ADDRS_MAX;
	take_record(s, env, st, id->signed_peer_record);
	take_addresses(s, env, st, id);
	p->identified = true;
	if (p->up)
		swarm_emit(s, &ev);
	else
		peer_announce(s, p);
}

/* Every whole frame of the body, merged. */
static int parse(struct bytes body, struct identify *id)
{
	struct frame_reader r;
	int err = 0;

	*id = (struct identify){.listen_addr_count = 0};
	frame_reader_init(&r, SWARM_IDENTIFY_MESSAGE_BYTES_MAX, NULL);
	while (err == 0 && body.len > 0) {
		struct bytes message;
		size_t taken;
		int got = frame_read(&r, body, &taken, &message);

		if (got <= 0) {
			err = got < 0 ? got : P2P_ERR_TRUNCATED;
			break;
		}
		err = identify_pb_read(id, message);
		body = bytes_skip(body, taken);
	}
	frame_reader_clear(&r);
	return err;
}

static void finish(struct swarm *s, const struct env *env, struct stream *st)
{
	struct identify id;
	int err = parse(buf_bytes(&st->body), &id);
	struct bytes own = channel_peer_key(st->conn->up);

	/* The key was proven by Noise; a different claim here is a lie. */
	if (err == 0 && id.public_key.data != NULL &&
		!bytes_equal(id.public_key, own))
		err = P2P_ERR_MISMATCH;
	if (err == 0) {
		take(s, env, st, &id);
	} else {
		s->counters.protocol_errors++;
		s->counters.identify_refused++;
	}
	stream_drop(s, st, err, false);
}

void identify_read(struct swarm *s, const struct env *env, struct stream *st)
{
	bool end;
	struct bytes in = channel_stream_peek(st->conn->up, st->mux, &end);
	int err = budget_charge(&st->budget, in.len);

	if (err == 0)
		err = buf_append(&st->body, in);
	(void)channel_stream_consume(st->conn->up, st->mux, in.len);
	if (err != 0) {
		s->counters.protocol_errors++;
		s->counters.identify_refused++;
		stream_drop(s, st, err, false);
		return;
	}
	/* Asked for and answered, our own side is closed too. */
	if (end)
		finish(s, env, st);
}

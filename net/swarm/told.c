/*
 * What a peer says of itself, as identify has read it: into what is known of
 * the peer, and the answer that we have ready for others. Nothing here is
 * believed further than it goes: names are only compared, addresses are hints,
 * and a record counts by its signature.
 */
#include "base/text.h"
#include "net/swarm/swarm_internal.h"

#define MINUTE_MS 60000

/* ---- ours -------------------------------------------------------------- */

/* Made once and again when the addresses have changed. */
struct bytes swarm_own_record(struct swarm *s, const struct env *env)
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
	/* Without it identify is as good as before. */
	if (peer_record_seal(s->cfg.me, &r, &s->record) != 0)
		buf_reset(&s->record);
	return buf_bytes(&s->record);
}

size_t swarm_addresses(const struct swarm *s, const struct maddr **addrs)
{
	*addrs = s->addrs;
	return s->addr_count;
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

static bool is_ours(const struct swarm *s, struct bytes name)
{
	for (size_t i = 0; s->cfg.protocols[i] != NULL; i++)
		if (bytes_equal(name, bytes_str(s->cfg.protocols[i])))
			return true;
	return false;
}

static void take_protocols(
	struct swarm *s, struct peer *p, const struct identify *id)
{
	bool full = false;

	peer_drop_protocols(p);
	for (size_t i = 0; i < id->protocol_count; i++) {
		struct bytes name = id->protocols[i];
		size_t cost = name.len + (p->protocols.len > 0);

		/* Names are compared, so an odd one is left out, not bent. */
		if (name.len == 0 || name.len > SWARM_PROTOCOL_NAME_BYTES_MAX ||
			!text_is_clean(TEXT_LINE, name))
			continue;
		/* Without a name of ours we would not talk to it at all; the
		 * others are for people to read. */
		if (is_ours(s, name))
			budget_owe(&p->budget, cost);
		else if (full || budget_charge(&p->budget, cost) != 0) {
			full = true;
			continue;
		}
		if (p->protocols.len > 0)
			(void)buf_append_u8(&p->protocols, '\n');
		(void)buf_append(&p->protocols, name);
	}
	s->counters.identify_cut += full;
}

static void take_addresses(struct swarm *s, const struct env *env,
	const struct conn *c, const struct identify *id)
{
	struct maddr whole, a;
	struct bytes peer;

	for (size_t i = id->listen_addr_count; i-- > 0;) {
		if (maddr_parse(&whole, id->listen_addrs[i]) != 0)
			continue;
		maddr_split_peer(&whole, &a, &peer);
		if (dial_may_be_named(&a, dial_teller(c)))
			(void)peer_learn(s, env, c->peer, &a, BOOK_TOLD);
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
	const struct conn *c, struct bytes envelope)
{
	struct peer *p = c->peer;
	struct peer_record record;

	if (envelope.len == 0 ||
		(bytes_equal(envelope, buf_bytes(&p->known.record)) &&
			dial_teller(c) <= p->known.record_from))
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
			    .from = dial_teller(c)}) != P2P_ERR_EXISTS)
		peer_tell_record(s, env, p);
}

static void take(struct swarm *s, const struct env *env, const struct conn *c,
	const struct identify *id, bool push)
{
	struct peer *p = c->peer;
	struct swarm_event ev = {.kind = SWARM_EV_IDENTIFIED, .peer = p->id};

	if (id->agent_version.data != NULL)
		take_agent(p, id->agent_version);
	if (id->protocol_count > 0 || !push)
		take_protocols(s, p, id);
	s->counters.identify_cut +=
		id->protocol_count >= IDENTIFY_PB_PROTOCOLS_MAX ||
		id->listen_addr_count >= IDENTIFY_PB_ADDRS_MAX;
	take_record(s, env, c, id->signed_peer_record);
	take_addresses(s, env, c, id);
	p->identified = true;
	if (p->up)
		swarm_emit(s, &ev);
	else
		peer_announce(s, p);
}

int swarm_identified(struct swarm *s, const struct env *env, uint64_t conn,
	const struct identify *id, bool push)
{
	const struct conn *c = conn_find(s, conn);

	if (c == NULL || c->peer == NULL)
		return 0;
	/* The key was proven by the handshake; another claim is a lie. */
	if (id->public_key.data != NULL &&
		!bytes_equal(id->public_key, channel_peer_key(c->up)))
		return P2P_ERR_MISMATCH;
	take(s, env, c, id, push);
	return 0;
}

void swarm_unidentified(struct swarm *s, uint64_t conn)
{
	const struct conn *c = conn_find(s, conn);

	if (c != NULL && c->peer != NULL)
		peer_announce(s, c->peer);
}

bool swarm_conn_is_identified(const struct swarm *s, uint64_t conn)
{
	const struct conn *c = conn_find(s, conn);

	return c != NULL && c->peer != NULL && c->peer->identified;
}

void swarm_measured(struct swarm *s, uint64_t conn, uint64_t rtt_us)
{
	const struct conn *c = conn_find(s, conn);
	struct swarm_event ev = {.kind = SWARM_EV_RTT, .number = rtt_us};

	if (c == NULL || c->peer == NULL)
		return;
	c->peer->rtt_us = rtt_us;
	ev.peer = c->peer->id;
	swarm_emit(s, &ev);
}

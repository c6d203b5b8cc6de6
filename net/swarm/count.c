/*
 * What is counted for /net: refusals by reason, and what budgets and muxers
 * count for themselves, gathered when their owner ends.
 */
#include "net/swarm/swarm_internal.h"

void count_refused(struct swarm *s, uint64_t *reason)
{
	s->counters.conns_refused++;
	*reason += 1;
}

void count_upgrade_failed(struct swarm *s, int err)
{
	struct swarm_counters *n = &s->counters;

	n->upgrades_failed++;
	if (err == P2P_ERR_TIMEOUT)
		n->upgrade_timeout++;
	else if (err == P2P_ERR_AUTH)
		n->upgrade_auth++;
	else if (err == P2P_ERR_MISMATCH)
		n->upgrade_other_peer++;
	else if (err == P2P_ERR_NO_PROTOCOL)
		n->upgrade_no_protocol++;
	else if (p2p_err_class(err) == P2P_CLASS_PEER)
		n->upgrade_malformed++;
}

void count_dial_failed(struct swarm *s, const struct conn *c, int err)
{
	struct swarm_counters *n = &s->counters;

	n->dials_failed++;
	if (c->lost_race)
		n->dials_outrun++;
	else if (c->state == CONN_DIALING && err == P2P_ERR_TIMEOUT)
		n->dials_timeout++;
	else if (c->state == CONN_DIALING)
		n->dials_unreachable++;
}

static void add_conn(struct swarm_counters *n, const struct conn *c)
{
	struct muxer_counts mux;
	struct list *pos, *tmp;

	LIST_FOREACH(pos, tmp, &c->streams)
		n->budget_stream += LIST_ITEM(pos, struct stream, of_conn)
					    ->budget.refused_count;
	n->budget_conn += c->budget.refused_count;
	if (c->up == NULL)
		return;
	mux = channel_counts(c->up);
	n->streams_over += mux.streams_refused;
	n->streams_dropped += mux.streams_dropped;
}

size_t count_held(const struct conn *c)
{
	struct list *pos, *tmp;
	size_t cost = SWARM_CONN_COST_BYTES;

	LIST_FOREACH(pos, tmp, &c->streams)
		cost += SWARM_STREAM_COST_BYTES;
	return c->budget.used - cost;
}

void count_conn_ended(struct swarm *s, const struct conn *c)
{
	add_conn(&s->counters, c);
}

void swarm_figures(const struct swarm *s, struct swarm_counters *counted,
	struct swarm_now *now)
{
	struct table_entry *e, *tmp;

	*counted = s->counters;
	TABLE_FOREACH(e, tmp, &s->conns)
		add_conn(counted, e->value);
	TABLE_FOREACH(e, tmp, &s->peers)
		counted->budget_peer +=
			((struct peer *)e->value)->budget.refused_count;
	counted->budget_unproven += s->unproven.refused_count;
	counted->budget_all += s->budget.refused_count;
	*now = (struct swarm_now){
		.conns = s->conns.count,
		.conns_in = s->conns_in,
		.unproven = s->preauth,
		.peers_known = s->peers.count,
		.streams = s->streams.count,
		.dials = s->dials,
		.memory = s->budget.used,
		.peers_forgotten = s->book.evicted,
		.memory_unproven = s->unproven.used,
	};
}

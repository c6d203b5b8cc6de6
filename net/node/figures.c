/*
 * What the parts of the node count, under the names that /net shows.
 */
#include "net/node/node_internal.h"

static void of_conns(uint64_t *f, const struct swarm_counters *n,
	const struct swarm_now *now)
{
	f[NET_CONNS] = now->conns;
	f[NET_CONNS_IN] = now->conns_in;
	f[NET_CONNS_UNPROVEN] = now->unproven;
	f[NET_PEERS_KNOWN] = now->peers_known;
	f[NET_PEERS_FORGOTTEN] = now->peers_forgotten;
	f[NET_STREAMS] = now->streams;
	f[NET_REFUSED_FULL] = n->refused_full;
	f[NET_REFUSED_INBOUND] = n->refused_inbound;
	f[NET_REFUSED_ADDRESS] = n->refused_address;
	f[NET_REFUSED_UNPROVEN] = n->refused_unproven;
	f[NET_REFUSED_PEERS] = n->refused_peers;
	f[NET_REFUSED_MEMORY] = n->refused_memory;
	f[NET_EVICTED_UNPROVEN] = n->preauth_evicted;
	f[NET_CUT_HOARDER] = n->cut_hoarder;
	f[NET_CUT_OVERRUN] = n->cut_overrun;
	f[NET_CUT_PER_PEER] = n->cut_per_peer;
	f[NET_UPGRADES] = n->upgrades;
	f[NET_UPGRADES_FAILED] = n->upgrades_failed;
	f[NET_UPGRADE_TIMEOUT] = n->upgrade_timeout;
	f[NET_UPGRADE_AUTH] = n->upgrade_auth;
	f[NET_UPGRADE_OTHER_PEER] = n->upgrade_other_peer;
	f[NET_UPGRADE_NO_PROTOCOL] = n->upgrade_no_protocol;
	f[NET_UPGRADE_MALFORMED] = n->upgrade_malformed;
	f[NET_DIALS] = now->dials;
	f[NET_DIALS_STARTED] = n->dials_started;
	f[NET_DIALS_ASKED] = n->dials_asked;
	f[NET_DIALS_HINT] = n->dials_hint;
	f[NET_DIALS_FAILED] = n->dials_failed;
	f[NET_DIALS_TIMEOUT] = n->dials_timeout;
	f[NET_DIALS_UNREACHABLE] = n->dials_unreachable;
	f[NET_DIALS_OUTRUN] = n->dials_outrun;
}

static void of_streams(uint64_t *f, const struct swarm_counters *n)
{
	f[NET_STREAMS_REFUSED] = n->streams_refused;
	f[NET_STREAMS_OVER] = n->streams_over;
	f[NET_STREAMS_DROPPED] = n->streams_dropped;
	f[NET_STREAMS_TIMEOUT] = n->streams_timeout;
	f[NET_PROTOCOL_ERRORS] = n->protocol_errors;
	f[NET_IDENTIFY_REFUSED] = n->identify_refused;
	f[NET_IDENTIFY_CUT] = n->identify_cut;
	f[NET_RECORDS_UNCHECKED] = n->records_unchecked;
	f[NET_BUDGET_STREAM] = n->budget_stream;
	f[NET_BUDGET_CONN] = n->budget_conn;
	f[NET_BUDGET_PEER] = n->budget_peer;
	f[NET_BUDGET_UNPROVEN] = n->budget_unproven;
	f[NET_BUDGET_PROCESS] = n->budget_all;
}

static void of_gossip(uint64_t *f, const struct gossip_counters *g)
{
	f[NET_UNITS_NEW] = g->units_new;
	f[NET_UNITS_DUPLICATE] = g->units_duplicate;
	f[NET_UNITS_IGNORED] = g->units_ignored;
	f[NET_UNITS_REJECTED] = g->units_rejected;
	f[NET_RATE_AUTHOR] = g->rate_author;
	f[NET_RATE_NEW] = g->rate_new;
	f[NET_RATE_PEER] = g->rate_peer;
	f[NET_RATE_ROOM] = g->rate_room;
	f[NET_GOSSIP_REFUSED] = g->refused;
	f[NET_GOSSIP_DROPPED] = g->out_dropped;
	f[NET_GRAYLISTED] = g->graylisted;
	f[NET_PROMISES_BROKEN] = g->promises_broken;
	f[NET_MISBEHAVED] = g->behaviour;
	f[NET_IWANT_SERVED] = g->iwant_served;
	f[NET_IWANT_RECOVERED] = g->iwant_recovered;
	f[NET_IDONTWANT_SENT] = g->idontwant_sent;
	f[NET_IDONTWANT_SPARED] = g->idontwant_spared;
}

void node_figures(
	const struct node *n, uint64_t figures[static NET_FIGURE_COUNT])
{
	struct swarm_counters swarm;
	struct swarm_now now;
	const struct stream_gossip_counters *own =
		stream_gossip_counters(n->gossips);

	memset(figures, 0, NET_FIGURE_COUNT * sizeof(figures[0]));
	swarm_figures(n->swarm, &swarm, &now);
	of_conns(figures, &swarm, &now);
	of_streams(figures, &swarm);
	of_gossip(figures, gossip_counters(n->gossip));
	figures[NET_PEERS] = n->links.count;
	figures[NET_GOSSIP_REFUSED] += own->unheard;
	figures[NET_RPC_ERRORS] = own->rpc_errors;
	figures[NET_BUDGET_PROCESS] += n->budget.refused_count;
	figures[NET_MEMORY] = n->budget.used;
	figures[NET_MEMORY_MOST] = n->budget.most;
	figures[NET_MEMORY_MAX] = n->budget.max;
	figures[NET_MEMORY_UNPROVEN] = now.memory_unproven;
	figures[NET_QUEUE_GOSSIP_BYTES] = gossip_out_bytes(n->gossip);
	figures[NET_QUEUE_CACHE_BYTES] = gossip_cache_bytes(n->gossip);
	figures[NET_QUEUE_VERIFY] = gossip_verify_count(n->gossip);
	figures[NET_QUEUE_VERIFY_BYTES] = gossip_verify_bytes(n->gossip);
	figures[NET_QUEUE_CHAT] = n->tell_count;
	figures[NET_QUEUE_CHAT_BYTES] = n->tell_bytes;
}

/*
 * The rows of net_figures.h, and the words for people that /net shows of them:
 * a line a group, without the sums that are zero. The names are read by
 * programs: they may be added to, never changed.
 */
#include "msg/net_figures.h"

#include <inttypes.h>
#include <string.h>

/* Where the numbers stand, behind the group's name. */
#define GROUP_COLS 12

#define NOW NET_KIND_NOW
#define SUM NET_KIND_SUM
#define BYTES NET_KIND_BYTES

const struct net_figure_row net_figure_table[] = {
	{NET_CONNS, "conns", "connected", "connections", NOW},
	{NET_CONNS_IN, "conns_in", "connected", "inbound", NOW},
	{NET_CONNS_UNPROVEN, "conns_unproven", "connected", "unproven", NOW},
	{NET_PEERS, "peers", "connected", "peers", NOW},
	{NET_PEERS_KNOWN, "peers_known", "connected", "known", NOW},
	{NET_PEERS_FORGOTTEN, "peers_forgotten", "connected", "forgotten", SUM},
	{NET_STREAMS, "streams", "connected", "streams", NOW},
	{NET_REFUSED_FULL, "refused_full", "refused", "too many", SUM},
	{NET_REFUSED_INBOUND, "refused_inbound", "refused", "too many inbound",
		SUM},
	{NET_REFUSED_ADDRESS, "refused_address", "refused",
		"too many of an address", SUM},
	{NET_REFUSED_UNPROVEN, "refused_unproven", "refused",
		"too many unproven", SUM},
	{NET_REFUSED_PEERS, "refused_peers", "refused", "too many peers", SUM},
	{NET_REFUSED_MEMORY, "refused_memory", "refused", "no memory left",
		SUM},
	{NET_EVICTED_UNPROVEN, "evicted_unproven", "refused",
		"unproven made room", SUM},
	{NET_CUT_HOARDER, "cut_hoarder", "refused", "held too much", SUM},
	{NET_CUT_OVERRUN, "cut_overrun", "refused", "sent too much", SUM},
	{NET_CUT_PER_PEER, "cut_per_peer", "refused", "too many of a peer",
		SUM},
	{NET_UPGRADES, "upgrades", "handshakes", "done", NOW},
	{NET_UPGRADES_FAILED, "upgrades_failed", "handshakes", "failed", NOW},
	{NET_UPGRADE_TIMEOUT, "upgrade_timeout", "handshakes", "too slow", SUM},
	{NET_UPGRADE_AUTH, "upgrade_auth", "handshakes", "without proof", SUM},
	{NET_UPGRADE_OTHER_PEER, "upgrade_other_peer", "handshakes",
		"by another peer", SUM},
	{NET_UPGRADE_NO_PROTOCOL, "upgrade_no_protocol", "handshakes",
		"without a common protocol", SUM},
	{NET_UPGRADE_MALFORMED, "upgrade_malformed", "handshakes", "malformed",
		SUM},
	{NET_STREAMS_REFUSED, "streams_refused", "streams", "refused", NOW},
	{NET_STREAMS_OVER, "streams_over", "streams", "over the maximum", SUM},
	{NET_STREAMS_DROPPED, "streams_dropped", "streams", "dropped for room",
		SUM},
	{NET_STREAMS_TIMEOUT, "streams_timeout", "streams", "too slow", SUM},
	{NET_PROTOCOL_ERRORS, "protocol_errors", "streams", "protocol errors",
		NOW},
	{NET_IDENTIFY_REFUSED, "identify_refused", "streams",
		"identify refused", SUM},
	{NET_IDENTIFY_CUT, "identify_cut", "streams", "identify cut short",
		SUM},
	{NET_RECORDS_UNCHECKED, "records_unchecked", "streams",
		"records unchecked", SUM},
	{NET_BUDGET_STREAM, "budget_stream", "no memory", "for a stream", SUM},
	{NET_BUDGET_CONN, "budget_conn", "no memory", "a connection", SUM},
	{NET_BUDGET_PEER, "budget_peer", "no memory", "a peer", SUM},
	{NET_BUDGET_UNPROVEN, "budget_unproven", "no memory", "the unproven",
		SUM},
	{NET_BUDGET_PROCESS, "budget_process", "no memory", "all", SUM},
	{NET_MEMORY, "memory", "memory", "for peers", BYTES},
	{NET_MEMORY_MOST, "memory_most", "memory", "at most so far", BYTES},
	{NET_MEMORY_MAX, "memory_max", "memory", "allowed", BYTES},
	{NET_MEMORY_UNPROVEN, "memory_unproven", "memory", "for the unproven",
		BYTES},
	{NET_DIALS, "dials", "dials", "under way", NOW},
	{NET_DIALS_STARTED, "dials_started", "dials", "in all", NOW},
	{NET_DIALS_ASKED, "dials_asked", "dials", "asked for", SUM},
	{NET_DIALS_HINT, "dials_hint", "dials", "of those only named", SUM},
	{NET_DIALS_FAILED, "dials_failed", "dials", "failed", NOW},
	{NET_DIALS_TIMEOUT, "dials_timeout", "dials", "without an answer", SUM},
	{NET_DIALS_UNREACHABLE, "dials_unreachable", "dials", "refused", SUM},
	{NET_DIALS_OUTRUN, "dials_outrun", "dials", "outrun by another", SUM},
	{NET_UNITS_NEW, "units_new", "messages", "new", NOW},
	{NET_UNITS_DUPLICATE, "units_duplicate", "messages", "seen before",
		NOW},
	{NET_UNITS_IGNORED, "units_ignored", "messages", "ignored", SUM},
	{NET_UNITS_REJECTED, "units_rejected", "messages", "not genuine", SUM},
	{NET_RATE_AUTHOR, "rate_author", "messages", "over an author's rate",
		SUM},
	{NET_RATE_NEW, "rate_new", "messages", "of too many new authors", SUM},
	{NET_RATE_PEER, "rate_peer", "messages",
		"of strangers over a peer's rate", SUM},
	{NET_RATE_ROOM, "rate_room", "messages",
		"of strangers over a room's rate", SUM},
	{NET_RPC_ERRORS, "rpc_errors", "gossip", "broken RPCs", SUM},
	{NET_GOSSIP_REFUSED, "gossip_refused", "gossip", "refused", NOW},
	{NET_GOSSIP_DROPPED, "gossip_dropped", "gossip",
		"dropped for slow peers", SUM},
	{NET_GRAYLISTED, "graylisted", "gossip", "not read", SUM},
	{NET_PROMISES_BROKEN, "promises_broken", "gossip", "promises broken",
		SUM},
	{NET_MISBEHAVED, "misbehaved", "gossip", "misbehaviours", SUM},
	{NET_IWANT_SERVED, "iwant_served", "gossip", "handed on request", SUM},
	{NET_IWANT_RECOVERED, "iwant_recovered", "gossip", "got on request",
		SUM},
	{NET_IDONTWANT_SENT, "idontwant_sent", "gossip", "declined", SUM},
	{NET_IDONTWANT_SPARED, "idontwant_spared", "gossip", "spared others",
		SUM},
	{NET_QUEUE_GOSSIP_BYTES, "queue_gossip_bytes", "waiting", "for peers",
		BYTES},
	{NET_QUEUE_CACHE_BYTES, "queue_cache_bytes", "waiting", "in the cache",
		BYTES},
	{NET_QUEUE_VERIFY, "queue_verify", "waiting", "to be checked", NOW},
	{NET_QUEUE_VERIFY_BYTES, "queue_verify_bytes", "waiting", "of these",
		BYTES},
	{NET_QUEUE_CHAT, "queue_chat", "waiting", "for the chat", NOW},
	{NET_QUEUE_CHAT_BYTES, "queue_chat_bytes", "waiting", "of these",
		BYTES},
};

_Static_assert(sizeof(net_figure_table) / sizeof(net_figure_table[0]) ==
		       NET_FIGURE_COUNT,
	"a row for each figure");

static void put_figure(
	struct buf *out, const struct net_figure_row *row, uint64_t value)
{
	if (row->kind == NET_KIND_BYTES)
		(void)buf_appendf(out, "%" PRIu64 " KiB %s",
			value / 1024 + (value % 1024 != 0), row->label);
	else
		(void)buf_appendf(out, "%" PRIu64 " %s", value, row->label);
}

/* One line: the group that begins at row `at`; returns where the next does. */
static size_t put_group(const uint64_t *figures, size_t at, struct buf *out)
{
	const char *group = net_figure_table[at].group;
	const char *between = "";
	bool begun = false;

	for (; at < NET_FIGURE_COUNT &&
		strcmp(net_figure_table[at].group, group) == 0;
		at++) {
		const struct net_figure_row *row = &net_figure_table[at];

		if (row->kind == NET_KIND_SUM && figures[at] == 0)
			continue;
		if (!begun)
			(void)buf_appendf(out, "%s%-*s",
				out->len == 0 ? "" : "\n", GROUP_COLS, group);
		begun = true;
		(void)buf_append_str(out, between);
		put_figure(out, row, figures[at]);
		between = ", ";
	}
	return at;
}

void net_figures_text(
	const uint64_t figures[static NET_FIGURE_COUNT], struct buf *out)
{
	size_t at = 0;

	while (at < NET_FIGURE_COUNT)
		at = put_group(figures, at, out);
}

/*
 * What the network counts, for /net: the one list of its figures. The node
 * fills an array of NET_FIGURE_COUNT numbers, chat makes words of it, the
 * faces show the words or, with --json, every number under its name.
 *
 * A new figure is a line in the enum, one in the table and one where the node
 * fills it in. Names are a promise (man page, "JSON"): they may be added,
 * never renamed or taken away.
 */
#ifndef MSG_NET_FIGURES_H
#define MSG_NET_FIGURES_H

#include "base/buf.h"

/* In the order of the table, which is the order on the screen. */
enum net_figure {
	/* connections: as they are now */
	NET_CONNS,
	NET_CONNS_IN,
	NET_CONNS_UNPROVEN,
	NET_PEERS,
	NET_PEERS_KNOWN,
	NET_PEERS_FORGOTTEN,
	NET_STREAMS,
	/* connections turned away or ended, by reason */
	NET_REFUSED_FULL,
	NET_REFUSED_INBOUND,
	NET_REFUSED_ADDRESS,
	NET_REFUSED_UNPROVEN,
	NET_REFUSED_PEERS,
	NET_REFUSED_MEMORY,
	NET_EVICTED_UNPROVEN,
	NET_CUT_HOARDER,
	NET_CUT_OVERRUN,
	NET_CUT_PER_PEER,
	/* upgrades that failed, by reason */
	NET_UPGRADES,
	NET_UPGRADES_FAILED,
	NET_UPGRADE_TIMEOUT,
	NET_UPGRADE_AUTH,
	NET_UPGRADE_OTHER_PEER,
	NET_UPGRADE_NO_PROTOCOL,
	NET_UPGRADE_MALFORMED,
	/* streams */
	NET_STREAMS_REFUSED,
	NET_STREAMS_OVER,
	NET_STREAMS_DROPPED,
	NET_STREAMS_TIMEOUT,
	NET_PROTOCOL_ERRORS,
	NET_IDENTIFY_REFUSED,
	NET_IDENTIFY_CUT,
	NET_RECORDS_UNCHECKED,
	/* charges that a budget refused, by level */
	NET_BUDGET_STREAM,
	NET_BUDGET_CONN,
	NET_BUDGET_PEER,
	NET_BUDGET_UNPROVEN,
	NET_BUDGET_PROCESS,
	/* bytes charged for peers */
	NET_MEMORY,
	NET_MEMORY_MOST,
	NET_MEMORY_MAX,
	NET_MEMORY_UNPROVEN,
	/* dials */
	NET_DIALS,
	NET_DIALS_STARTED,
	NET_DIALS_ASKED,
	NET_DIALS_HINT,
	NET_DIALS_FAILED,
	NET_DIALS_TIMEOUT,
	NET_DIALS_UNREACHABLE,
	NET_DIALS_OUTRUN,
	/* gossip */
	NET_UNITS_NEW,
	NET_UNITS_DUPLICATE,
	NET_UNITS_IGNORED,
	NET_UNITS_REJECTED,
	NET_RATE_AUTHOR,
	NET_RATE_NEW,
	NET_RATE_PEER,
	NET_RATE_ROOM,
	NET_RPC_ERRORS,
	NET_GOSSIP_REFUSED,
	NET_GOSSIP_DROPPED,
	NET_GRAYLISTED,
	NET_PROMISES_BROKEN,
	NET_MISBEHAVED,
	NET_IWANT_SERVED,
	NET_IWANT_RECOVERED,
	NET_IDONTWANT_SENT,
	NET_IDONTWANT_SPARED,
	/* what waits */
	NET_QUEUE_GOSSIP_BYTES,
	NET_QUEUE_CACHE_BYTES,
	NET_QUEUE_VERIFY,
	NET_QUEUE_VERIFY_BYTES,
	NET_QUEUE_CHAT,
	NET_QUEUE_CHAT_BYTES,
	NET_FIGURE_COUNT,
};

enum net_figure_kind {
	NET_KIND_NOW,   /* how it stands: always shown */
	NET_KIND_SUM,   /* since the start: shown when it is not 0 */
	NET_KIND_BYTES, /* bytes now: always shown */
};

struct net_figure_row {
	enum net_figure figure;
	const char *name;  /* in JSON */
	const char *group; /* the first word of its line */
	const char *label; /* behind the number */
	enum net_figure_kind kind;
};

/* NET_FIGURE_COUNT rows in the order of enum net_figure; rows of one group
 * stand together. */
extern const struct net_figure_row net_figure_table[];

/* The figures in words, a line a group. */
void net_figures_text(
	const uint64_t figures[static NET_FIGURE_COUNT], struct buf *out);

#endif

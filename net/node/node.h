/*
 * One whole libp2p node as one step function (docs/internals/net-node.md):
 * node_step takes one event, then node_next_action is called until it gives
 * nothing. node.h is all that the rest of the program sees of net/.
 *
 *   loop or simulator -- node_step(event) -->  node
 *                     <-- node_next_action --
 *   chat -- struct net_msg (as NODE_EV_COMMAND) --> node
 *        <-- struct chat_net_msg (as NODE_ACT_TELL_CHAT) --
 *
 * Pure: no I/O, no clock; env->now_ms is the time. One thread.
 */
#ifndef NET_NODE_NODE_H
#define NET_NODE_NODE_H

#include "base/env.h"
#include "msg/chat_msg.h"
#include "msg/net_figures.h"
#include "msg/net_msg.h"
#include "net/identity/key.h"
#include "net/unit/unit_batch.h"
#include "net/wire/maddr.h"

struct node;
struct service_ops; /* net/serve/serve.h */

struct node_cfg {
	const struct identity *me; /* borrowed */
	const char *agent;         /* "p2pchat-tui/0.1.0"; borrowed */
	bool offer_yamux;
	bool offer_mplex;
	bool early_muxers;
	uint32_t conns_max;             /* 0: the swarm's own maximum */
	uint64_t ping_interval_ms;      /* 0: the swarm's own */
	unsigned author_lines_a_minute; /* gossip_limit_authors; 0: no rates */
	unsigned batches_out_max;       /* to be verified at once; 0: two */
	/* Services besides the node's own: NULL-terminated, static, or NULL. */
	const struct service_ops *const *services;
};

struct node *node_new(const struct node_cfg *cfg, const struct env *env);
void node_free(struct node *n);

enum node_event_kind {
	NODE_EV_TICK,          /* node_deadline has come */
	NODE_EV_COMMAND,       /* msg: taken over by the node */
	NODE_EV_LISTENING,     /* addrs, addr_count: all addresses listened on
				  now, without /p2p, the best first; again when
				  they change. text: what people should know, or
				  NULL */
	NODE_EV_LISTEN_FAILED, /* text: what and why */
	NODE_EV_ACCEPTED,      /* addr: remote; conn is set by the node, 0 means
				  refused: close it */
	NODE_EV_CONNECTED,     /* conn, addr: where the dial went in the end */
	NODE_EV_DIAL_FAILED,   /* conn, text */
	NODE_EV_BYTES,         /* conn, bytes: borrowed for the call */
	NODE_EV_WRITTEN,       /* conn, count: bytes of node_out_peek written */
	NODE_EV_CLOSED,        /* conn: the carrier ended or failed */
	NODE_EV_LAN_PEER,      /* addr with /p2p: seen on the LAN just now;
				  on_link: it lies in a network of the interface
				  where it was heard */
	NODE_EV_DISCOVERY,     /* state, text: how LAN discovery fares */
	NODE_EV_NETWORK,       /* interfaces changed, or the machine woke up */
	NODE_EV_CHAT_ROOM,     /* the queue to chat has room again */
	NODE_EV_VERIFIED,      /* batch: checked, taken over by the node */
};

struct node_event {
	enum node_event_kind kind;
	uint64_t conn;
	struct maddr addr;
	const struct maddr *addrs;
	size_t addr_count;
	bool on_link;
	struct bytes bytes;
	size_t count;
	const char *text;
	enum chat_status_state state;
	struct net_msg *msg;
	struct unit_batch *batch;
};

/* Serves one event. ev->conn is written for NODE_EV_ACCEPTED. */
void node_step(struct node *n, const struct env *env, struct node_event *ev);

enum node_action_kind {
	NODE_ACT_DIAL,      /* conn, addr: ip or dns names, tcp */
	NODE_ACT_WRITE,     /* conn: write node_out_peek, answer WRITTEN */
	NODE_ACT_PAUSE,     /* conn: stop reading */
	NODE_ACT_RESUME,    /* conn */
	NODE_ACT_CLOSE,     /* conn: close it, answer nothing; cancels a dial */
	NODE_ACT_TELL_CHAT, /* msg: the caller owns it. When chat is full, give
			       it back with node_untell and stop asking */
	NODE_ACT_ADVERTISE, /* addrs changed: LAN discovery publishes
			       node_addresses with /p2p/ID behind each */
	NODE_ACT_VERIFY,    /* batch: the caller owns it; unit_batch_check it
			       in any thread, answer VERIFIED, or free it when
			       the node is gone */
	NODE_ACT_STOPPED,   /* goodbye is said: the loop ends */
};

struct node_action {
	enum node_action_kind kind;
	uint64_t conn;
	struct maddr addr;
	struct chat_net_msg *msg;
	struct unit_batch *batch;
};

bool node_next_action(struct node *n, struct node_action *act);
/*
 * Chat had no room: the message will be the next to tell, after
 * NODE_EV_CHAT_ROOM. Until then the node takes nothing from the streams that
 * feed chat, so the far side waits.
 */
void node_untell(struct node *n, struct chat_net_msg *msg);

/* What is to be written to a connection; valid until the next call on n. */
struct bytes node_out_peek(
	struct node *n, const struct env *env, uint64_t conn);
/* The only timer: when NODE_EV_TICK is due, or P2P_NEVER. */
uint64_t node_deadline(const struct node *n);
/* What NET_MSG_CONNECT takes: a multiaddr or HOST:PORT. P2P_ERR_MALFORMED or
 * another error when it is neither. */
int node_parse_connect(const char *text, struct maddr *addr) P2P_MUST_CHECK;
/* What NET_MSG_KEEP takes; addr becomes empty (len 0) when the text is an id
 * alone. P2P_ERR_MALFORMED, or as peer_id_parse. */
int node_parse_keep(const char *text, struct peer_id *peer,
	struct maddr *addr) P2P_MUST_CHECK;
/* Own addresses as last told by NODE_EV_LISTENING: as many as others hear. */
size_t node_addresses(const struct node *n, const struct maddr **addrs);

/* Figures for tests, benchmarks and checkers of the simulator. */
struct node_stats {
	size_t conn_count;
	size_t peer_count;    /* up */
	size_t budget_used;   /* bytes held for peers */
	uint64_t refused;     /* over some limit, in all */
	uint64_t out_dropped; /* messages that a slow peer's queue refused */
	uint64_t units_new;
	uint64_t units_duplicate;
	uint64_t units_rejected;
};

/* All that is counted, for /net (msg/net_figures.h). */
void node_figures(
	const struct node *n, uint64_t figures[static NET_FIGURE_COUNT]);
/* The numbers as they stand now. */
void node_stats(const struct node *n, struct node_stats *stats);

#endif

/*
 * What the files of this folder share. Nobody else includes it.
 *
 * node.c    the step: events in, actions out
 * link.c    gossip streams of each peer
 * tell.c    what chat is told
 * command.c what chat asks for
 * whois.c   what is known of peers and addresses, for people
 */
#ifndef NET_NODE_NODE_INTERNAL_H
#define NET_NODE_NODE_INTERNAL_H

#include "base/bufq.h"
#include "base/list.h"
#include "base/table.h"
#include "net/node/node.h"
#include "net/node/node_limits.h"
#include "net/pubsub/gossip.h"
#include "net/swarm/frame.h"
#include "net/swarm/swarm.h"

/* A stream that brings gossip RPCs. */
struct link_in {
	uint64_t stream; /* 0: none */
	struct frame_reader frames;
	/* Of an RPC for which gossip had no room: read before more frames. */
	struct buf rest;
	size_t rest_read; /* of `rest` */
};

/*
 * A message that waits for chat. Chat may be slow for minutes while peers come
 * and go, so what is newer takes the place of what it makes untrue.
 */
struct tell {
	struct list order;        /* in node->tells */
	struct list of_link;      /* in link->tells; alone without a link */
	struct link *link;        /* NULL: of no link, or that is gone */
	struct tell **latest;     /* where it stands as the newest, or NULL */
	struct chat_net_msg *msg; /* owned */
	size_t cost;              /* charged for all of it */
};

/* The gossip streams of one connected peer. */
struct link {
	struct peer_id peer;
	bool up;                /* chat is to know of the peer */
	bool known;             /* and has really been told */
	struct list tells;      /* struct tell, those that wait */
	struct tell *peer_tell; /* the newest of its kind, NULL: none waits */
	struct tell *rtt_tell;
	uint64_t out;          /* 0: not open */
	bool refused;          /* it speaks no gossip: not tried again */
	uint64_t reopen_at_ms; /* NEVER: not waiting */
	struct link_in in[NODE_LINK_STREAMS_IN]; /* [0] is the newest */
	uint64_t rtt_told_ms;                    /* NEVER: none */
	int worth; /* what chat thinks of it: its P5 */
};

struct request {
	uint64_t id; /* 0: free */
	char text[NODE_CONNECT_TEXT_MAX];
};

struct node {
	struct node_cfg cfg;
	struct swarm *swarm;
	struct gossip *gossip;
	struct table links;  /* peer id -> struct link */
	struct bufq actions; /* struct node_action, but for what follows */
	struct list tells;   /* struct tell */
	size_t tell_count;
	size_t tell_bytes; /* of the units among them */
	struct tell *status_tell[CHAT_STATUS_COUNT]; /* the newest, or NULL */
	struct tell *ready_tell;
	struct tell *stats_tell;
	struct chat_net_msg *untold; /* given back: the next to tell */
	uint64_t rpc_errors;         /* RPCs that ended their stream */
	struct budget budget;        /* all that is held for peers */
	bool chat_full;
	uint64_t links_due_ms; /* a stream may be reopened then */
	bool backlog;          /* links have more to read */
	unsigned batches_out;  /* that are being verified */
	bool stalled;          /* a link waits for verdicts */
	uint64_t unheard;      /* streams that ended with too much unread */
	bool stopping;
	bool stopped;
	uint64_t stop_at_ms;
	struct maddr addrs[SWARM_ADDRESSES_PER_PEER_MAX];
	size_t addr_count;
	struct request requests[NODE_REQUESTS_MAX];
	uint64_t next_request;
};

/* In the order of preference; index = protocol of SWARM_EV_STREAM_IN. */
extern const char *const node_protocols[];

/* ---- link.c ------------------------------------------------------------ */

struct link *link_find(const struct node *n, const struct peer_id *peer);
struct link *link_get(
	struct node *n, const struct env *env, const struct peer_id *peer);
/* Opens our stream when the peer speaks gossip and none is open. */
void link_open(struct node *n, const struct env *env, struct link *l);
void link_stream_in(
	struct node *n, const struct env *env, const struct swarm_event *ev);
void link_stream_gone(
	struct node *n, const struct env *env, const struct swarm_event *ev);
/* It is served last from now on. */
void link_to_back(struct node *n, struct link *l);
void link_remove(
	struct node *n, const struct env *env, const struct peer_id *peer);
/* Reads RPCs as long as chat has room. */
void link_read(struct node *n, const struct env *env, struct link *l);
/* Passes on what gossip has heard. */
void link_hear(struct node *n, const struct env *env);
/* What a peer says on our own stream is of no meaning. */
void link_ignore(struct node *n, struct link *l);
/* Hands waiting frames to the stream. */
void link_flush(struct node *n, const struct env *env, struct link *l);
void links_tick(struct node *n, const struct env *env);
uint64_t links_deadline(const struct node *n);
void links_clear(struct node *n);

/* ---- tell.c ------------------------------------------------------------ */

/* The oldest that waits, now the caller's; NULL when there is none. */
struct chat_net_msg *tell_take(struct node *n);
/* The link is about to be freed: its messages wait on without it. */
void tell_forget_link(struct link *l);
void tell_up(struct node *n, struct link *l);
/* Of a peer whose coming chat has not heard nothing is told at all. */
void tell_down(struct node *n, struct link *l);
void tell_rtt(struct node *n, struct link *l, uint64_t rtt_ms);
void tell_topic(struct node *n, const struct gossip_event *ev);
void tell_unit(struct node *n, struct gossip_event *ev);
void tell_handed(struct node *n, const uint8_t *id, uint64_t count);
void tell_address(
	struct node *n, const struct peer_id *peer, const struct maddr *addr);
void tell_dial_failed(struct node *n, const char *what, const char *why);
void tell_status(struct node *n, enum chat_status_item item,
	enum chat_status_state state, const char *text);
/* The answer to /net. */
void tell_stats(struct node *n);
void tell_listening(struct node *n, const char *note);

void tell_record(struct node *n, const struct peer_id *peer);
/* An answer that a person asked for. */
void tell_whois(struct node *n, struct chat_net_msg *m);

/* ---- whois.c ----------------------------------------------------------- */

/* peer: its text, or "" for all that are known and not connected. */
void whois_answer(struct node *n, const struct env *env, const char *peer);

/* ---- command.c --------------------------------------------------------- */

void command_serve(struct node *n, const struct env *env, struct net_msg *msg);
/* A dial that a person asked for reached somebody; 0 is none of them. */
void command_dial_done(struct node *n, uint64_t request);
/* It failed. */
void command_dial_failed(struct node *n, uint64_t request, const char *why);

#endif

/*
 * What the files of this folder share. Nobody else includes it.
 *
 * node.c    the step: events in, actions out
 * tell.c    what chat is told
 * command.c what chat asks for
 * pipes.c   streams whose protocol chat speaks
 * services.c  the protocols that every node serves
 * whois.c   what is known of peers and addresses, for people
 */
#ifndef NET_NODE_NODE_INTERNAL_H
#define NET_NODE_NODE_INTERNAL_H

#include "base/bufq.h"
#include "base/list.h"
#include "base/table.h"
#include "net/node/node.h"
#include "net/node/node_limits.h"
#include "net/pubsub/stream_gossip.h"
#include "net/serve/pipe.h"
#include "net/serve/serve.h"

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

/* What chat has been told of one connected peer. */
struct link {
	struct peer_id peer;
	bool known;             /* chat has really been told of it */
	uint64_t conns_more;    /* connections that came when it was up */
	struct list tells;      /* struct tell, those that wait */
	struct tell *peer_tell; /* the newest of its kind, NULL: none waits */
	struct tell *rtt_tell;
	uint64_t rtt_told_us; /* NEVER: none */
};

struct request {
	uint64_t id; /* 0: free */
	char text[NODE_CONNECT_TEXT_MAX];
};

struct node {
	struct node_cfg cfg;
	struct serve *serve;
	struct swarm *swarm;           /* serve's */
	struct stream_gossip *gossips; /* a service's */
	struct gossip *gossip;         /* the same's */
	struct table links;            /* peer id -> struct link */
	struct bufq actions; /* struct node_action, but for what follows */
	struct list tells;   /* struct tell */
	size_t tell_count;
	size_t tell_bytes; /* of the units among them */
	struct tell *status_tell[CHAT_STATUS_COUNT]; /* the newest, or NULL */
	struct tell *ready_tell;
	struct tell *unreached_tell;
	struct tell *stats_tell;
	struct chat_net_msg *untold; /* given back: the next to tell */
	struct budget budget;        /* all that is held for peers */
	bool chat_full;
	unsigned batches_out; /* that are being verified */
	bool stopping;
	bool stopped;
	uint64_t said_ms;    /* our last line went to somebody; 0: none did */
	uint64_t bow_at_ms;  /* connections are ended; P2P_NEVER: not yet due,
				or done */
	uint64_t stop_at_ms; /* whether they are or not */
	struct maddr addrs[SWARM_ADDRESSES_PER_PEER_MAX];
	size_t addr_count;
	struct request requests[NODE_REQUESTS_MAX];
	uint64_t next_request;
};

/* ---- services.c --------------------------------------------------------- */

/* A row for each protocol that every node serves. */
extern const struct service_ops *const node_services[];

/* ---- tell.c ------------------------------------------------------------ */

struct link *link_find(const struct node *n, const struct peer_id *peer);
/* While chat is busy nothing is taken in that would have to be told. */
bool tell_has_room(const struct node *n);
/* The oldest that waits, now the caller's; NULL when there is none. */
struct chat_net_msg *tell_take(struct node *n);
/* The link is about to be freed: its messages wait on without it. */
void tell_forget_link(struct link *l);
void tell_up(struct node *n, struct link *l);
/* Of a peer whose coming chat has not heard nothing is told at all. */
void tell_down(struct node *n, struct link *l);
void tell_rtt(struct node *n, struct link *l, uint64_t rtt_us);
void tell_topic(struct node *n, const struct gossip_event *ev);
void tell_unit(struct node *n, struct gossip_event *ev);
void tell_unreadable(struct node *n, const struct gossip_event *ev);
void tell_handed(struct node *n, const uint8_t *id, uint64_t count);
void tell_address(
	struct node *n, const struct peer_id *peer, const struct maddr *addr);
void tell_copy(struct node *n, const struct maddr *addr);
void tell_dial_failed(struct node *n, const char *what, const char *why);
void tell_unreached(struct node *n, uint64_t count);
void tell_other_key(
	struct node *n, const struct peer_id *peer, const struct maddr *addr);
void tell_followed(struct node *n, const struct peer_id *peer,
	const struct peer_id *was, const struct maddr *addr);
void tell_status(struct node *n, enum chat_status_item item,
	enum chat_status_state state, const char *text);
/* The answer to /net. */
void tell_stats(struct node *n);
void tell_listening(struct node *n, const char *note);

/* Takes ev->data over. */
void tell_pipe(struct node *n, struct pipe_event *ev);
void tell_record(struct node *n, const struct peer_id *peer);
/* An answer that a person asked for. */
void tell_whois(struct node *n, struct chat_net_msg *m);

/* ---- whois.c ----------------------------------------------------------- */

/* peer: its text, or "" for all that are known and not connected. */
void whois_answer(struct node *n, const struct env *env, const char *peer);

/* ---- pipes.c ------------------------------------------------------------ */

/* A message of NET_MSG_PIPE_*. */
void pipes_serve(
	struct node *n, const struct env *env, const struct net_msg *msg);
void pipes_hear(struct node *n);

/* ---- command.c --------------------------------------------------------- */

void command_serve(struct node *n, const struct env *env, struct net_msg *msg);
/* A dial that a person asked for reached somebody; 0 is none of them. */
void command_dial_done(struct node *n, uint64_t request);
/* It failed. */
void command_dial_failed(struct node *n, uint64_t request, const char *why);

#endif

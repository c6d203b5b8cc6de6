/*
 * What the two files of gossip's streams share: stream_gossip.c, which has them
 * all, and stream_twin.c, the second stream to a peer whose key two programs
 * have. The first calls the second.
 */
#ifndef NET_PUBSUB_STREAM_INTERNAL_H
#define NET_PUBSUB_STREAM_INTERNAL_H

#include "base/table.h"
#include "net/pubsub/stream_gossip.h"
#include "net/serve/request.h"

/* A peer that is up. */
struct link {
	struct peer_id peer;
	bool refused;  /* it speaks no gossip: not tried again */
	bool added;    /* gossip_peer_add was done for `out` */
	uint64_t out;  /* our stream, 0: none */
	uint64_t next; /* the one on a better connection that takes its place
			  behind the RPC under way, 0: none */
	bool half;     /* of an RPC is written */
	/* Two programs have the peer's key, each with a connection: our stream
	 * to the other one, which is written what `out` is. */
	uint64_t twin;          /* 0: none */
	bool twin_on;           /* ... since the beginning of an RPC */
	uint64_t twin_at_ms;    /* NEVER: nothing says that there are two */
	uint64_t twin_rests_ms; /* not opened again before */
	uint64_t reopen_at_ms;  /* NEVER: not waiting */
	uint64_t in[STREAM_GOSSIP_IN_MAX]; /* [0] is the newest; 0: none */
	int worth;
};

/* In the state of a stream that brings RPCs. */
struct reader {
	struct stream_gossip *sg;
	uint64_t stream;
	struct list waiting; /* in one of the lists of sg */
	struct list owing;   /* in sg->owing while `withheld` is not 0 */
	size_t withheld;     /* of what it brought: no credit for that */
	struct request in;
	struct buf rest; /* of an RPC for which gossip had no room */
	size_t rest_read;
	bool begun;
};

struct stream_gossip {
	const struct service_ops *ops; /* our own */
	struct serve *sv;
	struct gossip *g;
	struct table links; /* peer -> struct link */
	bool room;          /* the owner has it */
	bool stopping;
	struct list starved; /* wait for room; nothing was read of them */
	struct list paused;  /* wait for room; they had their turn */
	struct list stalled; /* wait for verdicts */
	struct list behind;  /* wait for an older stream of their peer */
	struct list owing;   /* of readers that are owed credit */
	uint64_t due_ms;     /* a stream may be opened again then */
	uint64_t credit_ms;  /* somebody may be owed less then */
	struct stream_gossip_counters counters;
};

/* ---- stream_twin.c ------------------------------------------------------ */

/* The peer has two streams to us: whether they are of two programs is looked at
 * when that has lasted. */
void twin_later(
	struct stream_gossip *sg, const struct env *env, struct link *l);
/* What is due at twin_at_ms. */
void twin_open(struct stream_gossip *sg, const struct env *env, struct link *l);
/* Between two RPCs: what is queued from now on goes to both. */
void twin_begin(struct stream_gossip *sg, struct link *l);
/* The same bytes that `out` has been given. */
void twin_write(struct stream_gossip *sg, const struct env *env, struct link *l,
	struct bytes out);
/* A stream of the peer has ended: whether there are still two programs. */
void twin_check(struct stream_gossip *sg, struct link *l);
/* `out` has ended; true: the other one is in its place, and nothing is lost. */
bool twin_takes_over(struct stream_gossip *sg, struct link *l);
void twin_drop(struct stream_gossip *sg, struct link *l);

#endif

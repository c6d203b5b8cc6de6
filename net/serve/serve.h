/*
 * Protocols on streams: a table of services between the swarm and the node
 * (docs/internals/net-serve.md). A protocol is one service: a struct of
 * constants and functions (struct service_ops), and a row in the node's
 * services[]. Pure: no I/O, no clock. One thread.
 *
 *   swarm  -- streams and peers -->  serve  -- service_ops -->  services
 *                                      '----- serve_step ---->  owner
 *   services, owner  -- serve_open, _write, _hold ... -->  serve --> swarm
 *
 * Calls go down only. A service's functions may call the verbs of this header
 * and those of swarm.h that say what is known; what it has to say to its owner
 * it keeps until it is asked. No service function is called from within a verb.
 */
#ifndef NET_SERVE_SERVE_H
#define NET_SERVE_SERVE_H

#include "net/serve/serve_limits.h"
#include "net/swarm/swarm.h"

struct serve;
struct service_ops;

struct serve_cfg {
	const struct identity *me; /* borrowed */
	const char *agent;         /* "p2pchat-tui/0.1.0"; borrowed */
	bool offer_yamux;
	bool offer_mplex;
	bool early_muxers;
	uint32_t conns_max;        /* 0: SWARM_CONNS_MAX */
	uint64_t ping_interval_ms; /* 0: SWARM_PING_INTERVAL_MS */
	/* Two lists of services, each NULL-terminated or NULL; static. */
	const struct service_ops *const *services;
	const struct service_ops *const *more;
};

/* What has arrived on a stream. in->used of it are taken; what is left comes
 * again when more does, or when a hold is over. */
struct serve_in {
	struct bytes bytes;
	bool end; /* they are the last */
	size_t used;
};

/*
 * One protocol. A function that is NULL is not needed. `self` is what start has
 * returned. After opened, what a stream keeps (st->state) is zeroed memory of
 * state_bytes; gone is told of each stream that opened was told of or that the
 * service itself has opened, unless the service has reset it.
 */
struct service_ops {
	const char *const *names; /* best first, NULL-terminated, static */
	unsigned in_per_peer;     /* streams that a peer may have open here */
	bool newest_stays;  /* over that the oldest ends, not the newcomer */
	bool limited;       /* runs on limited connections too */
	bool early;         /* a peer's streams are served before it is up, else
			       they wait for that */
	bool urgent;        /* where opens are paced: before the others */
	uint64_t idle_ms;   /* a stream on which nothing moves ends; 0: not */
	uint64_t life_ms;   /* a stream ends so long after opened; 0: not */
	size_t state_bytes; /* of st->state: charged with the stream */
	size_t frame_bytes_max;  /* of a pipe or request (pipe.h, request.h) */
	unsigned opens_a_minute; /* of a pipe: that a peer may open on one
				    connection; 0: any number */

	void *(*start)(struct serve *sv, const struct service_ops *ops,
		const struct serve_cfg *cfg, const struct env *env);
	void (*free)(void *self);

	/* Both sides have agreed on st->name. */
	void (*opened)(void *self, const struct env *env, struct sstream *st);
	/* Bytes have come, or the end. An error resets the stream; if it is
	 * the peer's fault, it is counted. */
	int (*readable)(void *self, const struct env *env, struct sstream *st,
		struct serve_in *in);
	/* All that was written is on its way. */
	void (*writable)(void *self, const struct env *env, struct sstream *st);
	/* It has ended; err 0: both sides have closed it. rest: arrived and
	 * was not used. st is no more after the call. */
	void (*gone)(void *self, const struct env *env, struct sstream *st,
		struct bytes rest, int err);

	void (*conn_up)(void *self, const struct env *env, uint64_t conn);
	void (*conn_down)(void *self, const struct env *env, uint64_t conn);
	/* A peer is up when it is identified, or is late with that. Its streams
	 * are gone before it is down. */
	void (*peer_up)(
		void *self, const struct env *env, const struct peer_id *peer);
	/* It has told what it speaks, or has a direct connection now. */
	void (*peer_changed)(
		void *self, const struct env *env, const struct peer_id *peer);
	void (*peer_down)(
		void *self, const struct env *env, const struct peer_id *peer);
	/* Our own addresses have changed. */
	void (*self_changed)(void *self, const struct env *env);
	/* Something is to be done for the connection that st carries
	 * (carry.h). */
	void (*carry)(void *self, const struct env *env, struct sstream *st,
		const struct swarm_action *act);

	void (*tick)(void *self, const struct env *env);
	uint64_t (*deadline)(const void *self); /* P2P_NEVER: none */
};

struct serve *serve_new(const struct serve_cfg *cfg, const struct env *env);
void serve_free(struct serve *sv);

/* ---- for the owner ----------------------------------------------------- */

/* Valid as long as sv. */
struct swarm *serve_swarm(struct serve *sv);
/* What start of that service has returned; NULL: it is not served. */
void *serve_self(const struct serve *sv, const struct service_ops *ops);
/*
 * Serves one thing that has happened; false when there is none. ev: what the
 * owner is to know of it, after the services; kind SWARM_EV_NONE: nothing.
 */
bool serve_step(
	struct serve *sv, const struct env *env, struct swarm_event *ev);
/* As swarm_next_action, for the connections that have sockets. */
bool serve_next_action(
	struct serve *sv, const struct env *env, struct swarm_action *act);
void serve_tick(struct serve *sv, const struct env *env);
uint64_t serve_deadline(const struct serve *sv);
/* All names that are served, NULL-terminated. */
const char *const *serve_names(const struct serve *sv);

/* ---- for services ------------------------------------------------------ */

/* Where a stream is to be opened. */
struct serve_to {
	const struct service_ops *ops; /* whose it is */
	const struct peer_id *peer;    /* on its best connection, or NULL and */
	uint64_t conn;                 /* on this one */
};

/* Opens a stream; errors as swarm_stream_open. Its state is there at once;
 * opened follows. */
int serve_open(struct serve *sv, const struct env *env,
	const struct serve_to *to, struct sstream **st) P2P_MUST_CHECK;
/* NULL when it is no more. */
struct sstream *serve_stream(const struct serve *sv, uint64_t id);
/* As swarm_stream_write. */
int serve_write(struct serve *sv, const struct env *env, struct sstream *st,
	struct bytes in) P2P_MUST_CHECK;
/* A frame: its length, then the bytes; errors as swarm_stream_write. */
int serve_write_frame(struct serve *sv, const struct env *env,
	struct sstream *st, struct bytes frame) P2P_MUST_CHECK;
/* No more is written; gone follows when the other side has closed too. */
void serve_close(struct serve *sv, const struct env *env, struct sstream *st);
/* Ends it at once; gone is not told. */
void serve_reset(struct serve *sv, struct sstream *st);
/* Nothing is read of it until it is let go again: the far side waits when its
 * window is full. */
void serve_hold(struct serve *sv, struct sstream *st, bool hold);
/* The service has not done with so many of the bytes that it used up, in place
 * of those of before: the far side gets no credit for them meanwhile, so that
 * no stream has more in here than its window. */
void serve_withhold(struct serve *sv, struct sstream *st, size_t bytes);
/* Readable is told once more, with no bytes if there are none: for a service
 * that has kept what it had no room for. */
void serve_again(struct serve *sv, struct sstream *st);
/* The service keeps so many bytes for it besides its state, in place of those
 * that it kept before; P2P_ERR_LIMIT with nothing changed. */
int serve_keep(struct sstream *st, size_t bytes) P2P_MUST_CHECK;

#endif

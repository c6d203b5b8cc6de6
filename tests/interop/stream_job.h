/*
 * Both sides of the test streams (README.md, "Test streams") on net/swarm:
 * echo, sink, source, reset, fill. Streams that a peer opens are served; a
 * batch opens streams to a peer and says how they went. One batch at a time.
 */
#ifndef TESTS_INTEROP_STREAM_JOB_H
#define TESTS_INTEROP_STREAM_JOB_H

#include "base/table.h"
#include "net/swarm/swarm.h"

enum job_kind {
	JOB_ECHO,
	JOB_SINK,
	JOB_SOURCE,
	JOB_RESET,
	JOB_FILL,
	JOB_OTHER
};

/* The protocols to hand to swarm_new. The last is for openers only: a peer
 * serves nothing of that name, nor do we serve what peers try in its place. */
extern const char *const job_protocols[];

/* One batch of streams that we open, and its outcome. */
struct job_batch {
	bool running;
	enum job_kind kind;
	const char *protocol; /* of job_protocols */
	struct peer_id peer;
	uint64_t bytes;
	unsigned count;
	unsigned width; /* 0: hold all open until each has had one byte back */
	unsigned opened, ended, open_now, open_most;
	unsigned first_back;
	unsigned ok, failed, reset;
	char sum[65];   /* hex; empty: none */
	char text[128]; /* why the first failed; empty: none did */
	uint64_t began_ms;
};

struct jobs {
	struct swarm *swarm;
	struct table by_stream; /* uint64_t -> struct job */
	struct job_batch batch;
};

void jobs_init(struct jobs *js, struct swarm *s, struct rng *r);
/* Frees what is kept of streams; the swarm is freed by the caller. */
void jobs_clear(struct jobs *js);
/* Starts a batch; members peer, bytes, count, width and protocol of *b are
 * used. False when its protocol is unknown or one is running. */
bool jobs_start(
	struct jobs *js, const struct env *env, const struct job_batch *b);
/* Serves the STREAM events; others are ignored. */
void jobs_on_event(
	struct jobs *js, const struct env *env, const struct swarm_event *ev);
/* True once when the batch has come to its end. */
bool jobs_batch_done(struct jobs *js);

#endif

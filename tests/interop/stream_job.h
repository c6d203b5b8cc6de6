/*
 * Both sides of the test streams (README.md, "Test streams") as services of
 * net/serve: echo, sink, source, reset, fill. Streams that a peer opens are
 * served; a batch opens streams to a peer and says how they went. One batch at
 * a time.
 */
#ifndef TESTS_INTEROP_STREAM_JOB_H
#define TESTS_INTEROP_STREAM_JOB_H

#include "base/list.h"
#include "net/serve/serve.h"

enum job_kind {
	JOB_ECHO,
	JOB_SINK,
	JOB_SOURCE,
	JOB_RESET,
	JOB_FILL,
	JOB_OTHER
};

/* To be handed to serve_new, one for each kind. The last is for openers only: a
 * peer serves nothing of that name, nor do we serve what peers try in its
 * place. */
extern const struct service_ops *const job_services[];

/* One batch of streams that we open, and its outcome. */
struct job_batch {
	bool running;
	enum job_kind kind;
	const char *protocol; /* of job_services */
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
	struct serve *serve;
	struct list list; /* struct job of all streams */
	struct job_batch batch;
};

/* Before serve_new, whose job_services are those of js from then on. */
void jobs_init(struct jobs *js);
/* Starts a batch; members peer, bytes, count, width and protocol of *b are
 * used. False when its protocol is unknown or one is running. */
bool jobs_start(
	struct jobs *js, const struct env *env, const struct job_batch *b);
/* True once when the batch has come to its end. */
bool jobs_batch_done(struct jobs *js);

#endif

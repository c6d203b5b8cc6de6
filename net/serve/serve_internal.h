/*
 * What the files of this folder share. Nobody else includes it.
 *
 * serve.c    the table: who is called when
 * request.c  one frame out, frames in
 * pipe.c     frames to and from another thread
 * pipes.c    what all of those share
 * carry.c    a stream as the carrier of a connection
 */
#ifndef NET_SERVE_SERVE_INTERNAL_H
#define NET_SERVE_SERVE_INTERNAL_H

#include "base/list.h"
#include "base/table.h"
#include "net/serve/pipe.h"
#include "net/serve/serve.h"

/* ---- pipes.c ------------------------------------------------------------ */

struct pipes {
	struct table streams; /* a pipe's number -> struct pipe */
	struct list events;   /* those that wait for the owner */
	size_t count;         /* of them */
};

struct pipes *pipes_new(const struct env *env);
void pipes_free(struct pipes *ps);
void pipes_put(struct pipes *ps, const struct pipe_event *ev);
bool pipes_take(struct pipes *ps, struct pipe_event *ev);

/* ---- serve.c ------------------------------------------------------------ */

struct pipes *serve_pipes(const struct serve *sv);
/* The service whose first name it is, or NULL. */
const struct service_ops *serve_find(const struct serve *sv, const char *name);
/* Whose stream it is. */
const struct service_ops *serve_ops_of(const struct sstream *st);

#endif

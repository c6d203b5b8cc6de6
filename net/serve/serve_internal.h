/*
 * What the files of this folder share. Nobody else includes it.
 *
 * serve.c    the table: who is called when
 * request.c  one frame out, frames in
 * pipe.c     frames to and from another thread
 * carry.c    a stream as the carrier of a connection
 */
#ifndef NET_SERVE_SERVE_INTERNAL_H
#define NET_SERVE_SERVE_INTERNAL_H

#include "net/serve/serve.h"

struct pipes;

struct pipes *serve_pipes(const struct serve *sv);
/* The service whose first name it is, or NULL. */
const struct service_ops *serve_find(const struct serve *sv, const char *name);
/* Whose stream it is. */
const struct service_ops *serve_ops_of(const struct sstream *st);

#endif

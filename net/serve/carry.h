/*
 * A stream as the carrier of a connection, as a relay's is (circuit v2 spec):
 * what a service that carries does in each of its functions. The connection
 * that runs over it is one like any other, with its own proof of keys.
 *
 *   stream's bytes --> swarm_bytes(conn)     conn's bytes --> stream
 *
 * The service keeps a struct carry in the stream's state, and names in its
 * struct service_ops functions that call these.
 */
#ifndef NET_SERVE_CARRY_H
#define NET_SERVE_CARRY_H

#include "net/serve/serve.h"

/* In the stream's state; zeroed: carries nothing yet. */
struct carry {
	uint64_t conn; /* 0: none, or not any more */
};

/* From now on st carries a connection; k->stream is filled in. P2P_ERR_LIMIT
 * when the swarm refuses it. */
int carry_start(struct serve *sv, const struct env *env, struct sstream *st,
	struct carry *c, const struct swarm_carrier *k) P2P_MUST_CHECK;
/* To be called by readable, writable, gone and carry of the service. */
size_t carry_readable(struct serve *sv, const struct env *env, struct carry *c,
	struct bytes in, bool end);
void carry_writable(struct serve *sv, const struct env *env, struct sstream *st,
	struct carry *c);
void carry_gone(struct serve *sv, const struct env *env, struct carry *c,
	struct bytes rest);
void carry_act(struct serve *sv, const struct env *env, struct sstream *st,
	struct carry *c, const struct swarm_action *act);

#endif

/*
 * A stream as who uses it sees it (libp2p connections spec, "Opening New
 * Streams Over a Connection"): part of swarm.h, for net/serve.
 *
 *   proposed or asked for -> agreed (OPENED) -> READABLE, WRITABLE ... -> GONE
 *
 * A stream is one object from its first byte to its last event. It is handed
 * out by swarm_next_stream and swarm_stream_open and stays valid until the user
 * ends it with swarm_stream_reset, which is also how the user takes note of
 * GONE. Whoever keeps more than a call long keeps the id (swarm_stream).
 */
#ifndef NET_SWARM_STREAM_H
#define NET_SWARM_STREAM_H

#include "net/identity/peer_id.h"
#include "net/swarm/swarm_limits.h"

struct sstream {
	uint64_t id; /* never used again */
	struct peer_id peer;
	uint64_t conn;        /* it runs over; 0 once it is GONE */
	const char *name;     /* agreed on; NULL before */
	const char *proposed; /* the only one that we propose, or NULL */
	int protocol;         /* its place in swarm_cfg.protocols; -1 before */
	bool inbound;         /* the peer has opened it */
	bool limited;         /* the connection is: swarm_carrier */
	void *user;           /* the user's, NULL at first; his to free */
	void *state;          /* the same: what a service keeps for it */
};

/* What has happened to a stream since it was last handed out. */
enum sstream_event {
	SSTREAM_OPENED = 1,   /* both sides agree on its protocol */
	SSTREAM_READABLE = 2, /* swarm_stream_peek has bytes, or the end */
	SSTREAM_WRITABLE = 4, /* all that was written is taken */
	SSTREAM_GONE = 8,     /* ended by something else than the user; what
				 arrived can still be read. err says why */
};

/* What is wanted of a new stream. */
struct swarm_open {
	uint64_t conn;                /* this one, or 0: the peer's best */
	const struct peer_id *peer;   /* when conn is 0 */
	const char *const *protocols; /* best first, NULL-terminated, static */
	bool limited;                 /* it may use a limited connection */
	bool urgent;                  /* before others that wait to be opened */
};

#endif

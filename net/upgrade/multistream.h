/*
 * multistream-select 1.0 (libp2p connections spec, "Protocol Negotiation"):
 * both sides agree on the protocol of a connection or stream by name.
 * Pure. Bytes behind the last frame belong to the protocol and are left
 * untaken.
 *
 *   initiator: HEADER+PROPOSE(i) -> WAIT -> DONE
 *                    ^--- na, i+1 ---'  '-> P2P_ERR_NO_PROTOCOL
 *   listener:  WAIT_HEADER -> WAIT_NAME -> DONE (na: stays)
 *
 * The initiator may be optimistic (0-RTT): it sends its data behind the
 * proposal at once and reads the echo later; only with a single proposal.
 */
#ifndef NET_UPGRADE_MULTISTREAM_H
#define NET_UPGRADE_MULTISTREAM_H

#include "base/bufq.h"
#include "base/bytes.h"
#include "base/error.h"
#include "net/upgrade/upgrade_limits.h"

/* Caller's memory; opaque in use. */
struct multistream {
	const char *const *names; /* borrowed, NULL-terminated, static */
	unsigned next;            /* proposal under way */
	int chosen;               /* index into names, -1: none yet */
	unsigned refusals;
	bool initiator;
	bool header_seen;
	bool failed;
};

/* The initiator's header and first proposal are appended to out at once.
 * P2P_ERR_FULL when they do not fit. */
int multistream_init(struct multistream *ms, const char *const *names,
	bool initiator, struct bufq *out) P2P_MUST_CHECK;
/*
 * Takes whole frames from `in`. multistream_done() tells the outcome.
 * P2P_ERR_NO_PROTOCOL (initiator: all refused), P2P_ERR_MALFORMED,
 * P2P_ERR_TOO_BIG, P2P_ERR_LIMIT (a listener asked too often), P2P_ERR_FULL.
 */
int multistream_feed(struct multistream *ms, struct bytes in, size_t *taken,
	struct bufq *out) P2P_MUST_CHECK;

static inline bool multistream_done(const struct multistream *ms)
{
	return ms->chosen >= 0;
}

/* The agreed index into names; only after multistream_done. */
static inline int multistream_chosen(const struct multistream *ms)
{
	return ms->chosen;
}

#endif

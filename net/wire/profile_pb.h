/*
 * A profile: what somebody says of themselves to others who run this program.
 * It is the one frame of a stream of the protocol /p2pchat/profile/1.0.0
 * (docs/internals/chat.md, "Profiles").
 *
 *   Profile { name 1 (string) }
 *
 * Fields of other numbers are skipped, so that members can be added: a reader
 * of today takes what it knows of a profile of tomorrow.
 */
#ifndef NET_WIRE_PROFILE_PB_H
#define NET_WIRE_PROFILE_PB_H

#include "base/buf.h"
#include "net/wire/wire_limits.h"

/* A view that is NULL was absent. */
struct profile_pb {
	struct bytes name; /* not cleaned, may be empty */
};

/*
 * The views point into `in`. P2P_ERR_MALFORMED, P2P_ERR_TRUNCATED, or
 * P2P_ERR_TOO_BIG: the whole is longer than PROFILE_PB_BYTES_MAX, or the name
 * than PROFILE_PB_NAME_BYTES_MAX, which no honest program sends.
 */
int profile_pb_read(struct profile_pb *p, struct bytes in) P2P_MUST_CHECK;
/* Appends the message without its length. */
void profile_pb_write(const struct profile_pb *p, struct buf *out);

#endif

/*
 * The mplex frame (libp2p mplex spec, "Message format"):
 *
 *   uvarint(id << 3 | flag)  uvarint(length)  length bytes
 *
 * Both sides count ids from 0, so a stream is named by (id, who opened it).
 * Odd flags are sent by the side that did not open the stream. There is no
 * credit: a slow reader's stream is reset (upgrade_limits.h). The verbs are
 * those of muxer.h.
 */
#ifndef NET_UPGRADE_MPLEX_H
#define NET_UPGRADE_MPLEX_H

#include "base/cursor.h"

/* Nine bytes of uvarint less three bits of flag. */
#define MPLEX_ID_MAX ((UINT64_C(1) << 60) - 1)
/* An id and a length that we send. */
#define MPLEX_HEAD_BYTES_MAX 12

enum mplex_flag {
	MPLEX_NEW = 0,
	MPLEX_MESSAGE_RECEIVER = 1,
	MPLEX_MESSAGE_INITIATOR = 2,
	MPLEX_CLOSE_RECEIVER = 3,
	MPLEX_CLOSE_INITIATOR = 4,
	MPLEX_RESET_RECEIVER = 5,
	MPLEX_RESET_INITIATOR = 6,
};

struct mplex_head {
	uint64_t id;
	unsigned flag;
	uint64_t length;
};

/*
 * Reads a head from the front of what c holds. P2P_ERR_TRUNCATED: more bytes
 * are needed; P2P_ERR_PROTOCOL: a bent uvarint or a flag we do not know;
 * P2P_ERR_TOO_BIG: more than 1 MiB follows.
 */
int mplex_read_head(struct mplex_head *h, struct cursor *c) P2P_MUST_CHECK;
/* Writes at most MPLEX_HEAD_BYTES_MAX bytes (ids of ours, or echoed with
 * length 0: MUX_ANSWER_BYTES_MAX); returns how many. */
size_t mplex_write_head(const struct mplex_head *h, uint8_t *raw);

#endif

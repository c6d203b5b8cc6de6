/*
 * The yamux frame header (libp2p yamux spec, "Framing"), big endian:
 *
 *    0         1      2        4             8          12
 *   +---------+------+--------+-------------+-----------+
 *   | version | type | flags  | stream id   | length    |
 *   +---------+------+--------+-------------+-----------+
 *
 * length is payload bytes (data), credit to add (window update), an opaque
 * value (ping) or a code (go away). The verbs are those of muxer.h.
 */
#ifndef NET_UPGRADE_YAMUX_H
#define NET_UPGRADE_YAMUX_H

#include "base/bufq.h"

#define YAMUX_HEAD_BYTES 12
#define YAMUX_VERSION 0

enum yamux_type {
	YAMUX_DATA = 0,
	YAMUX_WINDOW = 1,
	YAMUX_PING = 2,
	YAMUX_GO_AWAY = 3,
};

enum yamux_flag {
	YAMUX_SYN = 1,
	YAMUX_ACK = 2,
	YAMUX_FIN = 4,
	YAMUX_RST = 8,
	YAMUX_FLAGS_ALL = 15,
};

struct yamux_head {
	uint8_t type;
	uint16_t flags;
	uint32_t id;
	uint32_t length;
};

/* Reads 12 bytes. P2P_ERR_PROTOCOL: a version, type or flag we do not know. */
int yamux_read_head(
	struct yamux_head *h, const uint8_t raw[static 12]) P2P_MUST_CHECK;
/* Writes 12 bytes. */
void yamux_write_head(const struct yamux_head *h, uint8_t raw[static 12]);

#endif

/*
 * A multiaddr as a value: copied freely, of fixed size, always well formed as
 * far as its components are known. What is dialled, listened on, remembered and
 * passed on; multiaddr.h reads and writes the parts.
 */
#ifndef NET_WIRE_MADDR_H
#define NET_WIRE_MADDR_H

#include "net/wire/multiaddr.h"

/* A path of a relayed peer with two sha2-256 ids needs about 120 bytes; a
 * longer address is of no use to us. */
#define MADDR_BYTES_MAX 255
/* Longest text form, with its NUL. */
#define MADDR_TEXT_MAX 1024

/* len 0: no address. */
struct maddr {
	uint8_t len;
	uint8_t raw[MADDR_BYTES_MAX];
};

static inline struct bytes maddr_bytes(const struct maddr *a)
{
	return bytes_of(a->raw, a->len);
}

static inline bool maddr_equal(const struct maddr *a, const struct maddr *b)
{
	return bytes_equal(maddr_bytes(a), maddr_bytes(b));
}

/* From the wire; errors as multiaddr_check_known. */
int maddr_parse(struct maddr *a, struct bytes raw) P2P_MUST_CHECK;
/* From text; errors as multiaddr_parse_text. */
int maddr_parse_text(struct maddr *a, struct bytes text) P2P_MUST_CHECK;
/* Text with its NUL; returns out. Not cleaned: see multiaddr_to_text. */
const char *maddr_text(const struct maddr *a, char out[static MADDR_TEXT_MAX]);

/* Takes a trailing /p2p/ID off: its multihash in *peer, a view into *whole,
 * empty when there is none. base must not be whole. */
void maddr_split_peer(
	const struct maddr *whole, struct maddr *base, struct bytes *peer);
/* The address without a zone in front (a view). */
struct bytes maddr_without_zone(const struct maddr *a);
/* Puts this zone, the name of an interface, in front in place of any other.
 * P2P_ERR_TOO_BIG; *a is empty then. */
int maddr_set_zone(struct maddr *a, const char *zone) P2P_MUST_CHECK;
/* base with /p2p/ID behind it; P2P_ERR_TOO_BIG. */
int maddr_join_peer(struct maddr *a, const struct maddr *base,
	struct bytes peer) P2P_MUST_CHECK;

/* The name of an interface, with its NUL. */
#define MADDR_ZONE_MAX 32

/* An address that a TCP dial can use. For those who open sockets; all others
 * ask dialable.h. */
struct maddr_tcp {
	uint32_t host; /* MULTIADDR_IP4, _IP6, _DNS, _DNS4, _DNS6 */
	uint8_t ip[16];
	char name[MULTIADDR_NAME_BYTES_MAX + 1]; /* of the dns kinds */
	char zone[MADDR_ZONE_MAX]; /* of ip6zone, "" when there is none */
	uint16_t port;
};

/* False when it is of another form than HOST/tcp/PORT (no /p2p behind). */
bool maddr_to_tcp(const struct maddr *a, struct maddr_tcp *tcp);
/* From an IP of 4 or 16 bytes; zone may be NULL or "". */
void maddr_from_ip(
	struct maddr *a, struct bytes ip, const char *zone, uint16_t port);

#endif

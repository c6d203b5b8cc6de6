/*
 * Multiaddrs (multiformats/multiaddr spec; codes in libp2p-wire.md section 1):
 * an address as a row of parts, each a code and a value. Kept in binary form,
 * which is what the wire carries and what is compared.
 */
#ifndef NET_WIRE_MULTIADDR_H
#define NET_WIRE_MULTIADDR_H

#include "base/buf.h"

#define MULTIADDR_BYTES_MAX 255
#define MULTIADDR_TEXT_MAX 1024 /* longest text form, with its NUL */
#define MULTIADDR_PARTS_MAX 12

enum multiaddr_code {
	MULTIADDR_IP4 = 4,
	MULTIADDR_TCP = 6,
	MULTIADDR_IP6 = 41,
	MULTIADDR_IP6ZONE = 42,
	MULTIADDR_DNS = 53,
	MULTIADDR_DNS4 = 54,
	MULTIADDR_DNS6 = 55,
	MULTIADDR_DNSADDR = 56,
	MULTIADDR_UDP = 273,
	MULTIADDR_P2P_CIRCUIT = 290,
	MULTIADDR_P2P = 421,
	MULTIADDR_QUIC_V1 = 461,
	MULTIADDR_WS = 477,
	/* the other codes have no name here: they are parsed and carried */
};

/* A value type: copied freely. len 0: no address. */
struct multiaddr {
	uint8_t len;
	uint8_t raw[MULTIADDR_BYTES_MAX];
};

struct multiaddr_part {
	uint32_t code;
	struct bytes value; /* without its length; points into the multiaddr */
};

static inline struct bytes multiaddr_bytes(const struct multiaddr *a)
{
	return bytes_of(a->raw, a->len);
}

static inline bool multiaddr_equal(
	const struct multiaddr *a, const struct multiaddr *b)
{
	return bytes_equal(multiaddr_bytes(a), multiaddr_bytes(b));
}

/* From the wire. P2P_ERR_MALFORMED, P2P_ERR_TOO_BIG, P2P_ERR_UNSUPPORTED for
 * an unknown code (drop that one address). */
int multiaddr_parse(struct multiaddr *a, struct bytes raw) P2P_MUST_CHECK;
/* From text "/ip4/1.2.3.4/tcp/4001/p2p/12D3..."; same errors. */
int multiaddr_parse_text(struct multiaddr *a, struct bytes text)
	P2P_MUST_CHECK;
/* Text with its NUL; returns out. */
const char *multiaddr_text(
	const struct multiaddr *a, char out[static MULTIADDR_TEXT_MAX]);

/* Walks the parts: *at starts at 0. False at the end. */
bool multiaddr_next(const struct multiaddr *a, size_t *at,
	struct multiaddr_part *part);
/* The value of the first part with this code; false when there is none. */
bool multiaddr_find(const struct multiaddr *a, uint32_t code,
	struct bytes *value);

/* Takes a trailing /p2p/ID off; its raw multihash in *peer (a view into the
 * bytes of `whole`, empty when there was none). base may be the same. */
void multiaddr_split_peer(const struct multiaddr *whole,
	struct multiaddr *base, struct bytes *peer);
/* base with /p2p/ID behind it; P2P_ERR_TOO_BIG. */
int multiaddr_join_peer(struct multiaddr *a, const struct multiaddr *base,
	struct bytes peer) P2P_MUST_CHECK;

/* An address that a TCP dial can use: one of ip4, ip6 (with or without an
 * ip6zone before it), dns, dns4, dns6, then tcp, then nothing. */
struct multiaddr_tcp {
	enum multiaddr_code host; /* IP4, IP6, DNS, DNS4, DNS6 */
	uint8_t ip[16];           /* 4 or 16 bytes */
	char name[254];           /* of the dns kinds, with its NUL */
	char zone[32];            /* of ip6zone, "" when there is none */
	uint16_t port;
};

/* False when the address (without /p2p) is of another form. */
bool multiaddr_to_tcp(const struct multiaddr *a, struct multiaddr_tcp *tcp);
/* From an IP of 4 or 16 bytes; zone may be NULL or "". */
void multiaddr_from_tcp(struct multiaddr *a, struct bytes ip,
	const char *zone, uint16_t port);

/* What kind of place the (first) IP is; false for dns and others. */
bool multiaddr_is_loopback(const struct multiaddr *a);
bool multiaddr_is_link_local(const struct multiaddr *a);
/* Loopback, link-local, RFC 1918, 100.64/10, fc00::/7. */
bool multiaddr_is_private(const struct multiaddr *a);
/* Unspecified, multicast, broadcast, port 0: never dialled. */
bool multiaddr_is_unusable(const struct multiaddr *a);

#endif

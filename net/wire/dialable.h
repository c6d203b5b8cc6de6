/*
 * What an address is made of, as far as anybody needs to know who opens no
 * socket: how it is reached, where it lies, and who counts as one with it. Made
 * once from a multiaddr (libp2p addressing spec) and kept beside it; only the
 * carriers, which open sockets, take addresses apart themselves (maddr_to_tcp).
 *
 * Every address has one, those with transports that are not spoken or not even
 * known here among them: they are kept, shown and passed on, not dialled.
 *
 * A relayed address (HOST/.../p2p/RELAY/p2p-circuit) is described as its relay
 * is, since a dial goes there; `relayed` says so. A /p2p/ID at the end says who
 * is meant and not where: it is taken off first (maddr_split_peer), or the
 * transport is MULTIADDR_OVER_OTHER.
 *
 * Pure values: no allocation, no failure. An address has at most
 * MADDR_BYTES_MAX bytes, and each is looked at a few times, however many
 * circuits or other components it claims.
 */
#ifndef NET_WIRE_DIALABLE_H
#define NET_WIRE_DIALABLE_H

#include "net/wire/maddr.h"

/* What names the machine. */
enum dialable_host {
	DIALABLE_HOST_NONE, /* a path, an onion, a relay's bare id, unknown */
	DIALABLE_HOST_IP4,
	DIALABLE_HOST_IP6,
	DIALABLE_HOST_NAME, /* leads wherever the asker's DNS says */
};

/*
 * Who counts as one where a limit holds for each address: what one host can
 * choose freely is left out. All DIALABLE_SITE_IP4_BITS of IPv4, the first
 * DIALABLE_SITE_IP6_BITS of IPv6, and for a name a number made of it (case does
 * not matter). IPv4 inside IPv6 (mapped, NAT64) is IPv4. All addresses without
 * a host are one site. Compared byte by byte.
 *
 * A wider site (all of a provider's network) is the same with fewer bits and
 * the others 0.
 */
struct dialable_site {
	uint8_t host; /* enum dialable_host */
	uint8_t bits; /* of net that count; the rest of it is 0 */
	uint8_t net[8];
};

struct dialable {
	enum multiaddr_transport transport; /* of the relay, if it has one */
	enum dialable_host host;
	enum ip_scope scope; /* names are public: see multiaddr_scope */
	bool relayed;
	bool zoned;    /* it names the interface: /ip6zone */
	uint16_t port; /* 0: none */
	struct dialable_site site;
};

/* Of any address, also of an empty one (which is nowhere to be dialled). */
void dialable_of(struct dialable *d, const struct maddr *a);

/* Whether a carrier of ours takes it, to dial or to listen: exactly what
 * maddr_to_tcp takes. Before dialling ask dialable_why_not. */
bool dialable_is_spoken(const struct dialable *d);
/* Nobody can ever be there: unspecified, multicast, or port 0. */
bool dialable_is_nowhere(const struct dialable *d);
/* NULL: it can be dialled; else why not, a few static words for people. */
const char *dialable_why_not(const struct dialable *d);

static inline bool dialable_is_loopback(const struct dialable *d)
{
	return d->scope == IP_SCOPE_LOOPBACK;
}

/* Of this machine or its LAN: loopback, link-local, private. */
bool dialable_is_near(const struct dialable *d);

static inline bool dialable_same_site(
	const struct dialable_site *a, const struct dialable_site *b)
{
	_Static_assert(sizeof(*a) == 10, "no byte between the members");
	return memcmp(a, b, sizeof(*a)) == 0;
}

/* The 4 or 16 bytes of the host's IP, a view into a; empty when it has none. */
struct bytes dialable_ip(const struct maddr *a);

#endif

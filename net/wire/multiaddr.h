/*
 * Self-describing addresses (multiformats "multiaddr"; libp2p addressing
 * spec). The binary form, a run of components, is what is kept, compared and
 * sent; text is for people, flags and mDNS. Of a component that the table does
 * not have nobody can tell where it ends. It and what follows stay together as
 * they are, to be kept and passed on (multiaddr_check_known), or make that one
 * address refused as a whole (multiaddr_check), and callers go on.
 *
 * Component: uvarint code, then a value of fixed size (ports 2 bytes BE), or
 * uvarint length and value (names, peer ids), or nothing (ws, quic-v1...).
 */
#ifndef NET_WIRE_MULTIADDR_H
#define NET_WIRE_MULTIADDR_H

#include "base/buf.h"
#include "base/cursor.h"
#include "net/wire/wire_limits.h"

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
	MULTIADDR_WEBRTC_DIRECT = 280,
	MULTIADDR_WEBRTC = 281,
	MULTIADDR_P2P_CIRCUIT = 290,
	MULTIADDR_UNIX = 400,
	MULTIADDR_P2P = 421,
	MULTIADDR_ONION3 = 445,
	MULTIADDR_TLS = 448,
	MULTIADDR_SNI = 449,
	MULTIADDR_QUIC = 460,
	MULTIADDR_QUIC_V1 = 461,
	MULTIADDR_WEBTRANSPORT = 465,
	MULTIADDR_CERTHASH = 466,
	MULTIADDR_WS = 477,
	MULTIADDR_WSS = 478,
	MULTIADDR_HTTP = 480,
};

/* ---- text and binary ---------------------------------------------------- */

/*
 * Appends the binary form of a text such as "/ip4/127.0.0.1/tcp/4001".
 * "/ipfs/" is an old spelling of "/p2p/". P2P_ERR_MALFORMED,
 * P2P_ERR_UNSUPPORTED (a component's name is not in the table),
 * P2P_ERR_TOO_BIG; out is as before then, but for out->failed.
 */
int multiaddr_parse_text(struct bytes text, struct buf *out) P2P_MUST_CHECK;
/*
 * Appends the text. `addr` is anything; errors as multiaddr_check_known. What
 * is not known is written as "/unknown/0xHEX", which is not read back. Names
 * are written as they are: pass what came from others through text_clean before
 * it is shown.
 */
int multiaddr_to_text(struct bytes addr, struct buf *out);
/*
 * Whether these bytes are one or more known components in right form.
 * P2P_ERR_MALFORMED, P2P_ERR_TRUNCATED, P2P_ERR_UNSUPPORTED (unknown code),
 * P2P_ERR_TOO_BIG (MULTIADDR_BYTES_MAX, MULTIADDR_PARTS_MAX).
 */
int multiaddr_check(struct bytes addr) P2P_MUST_CHECK;
/* The same, but what begins with an unknown code is in order whatever it is. */
int multiaddr_check_known(struct bytes addr) P2P_MUST_CHECK;

/* ---- component by component --------------------------------------------- */

struct multiaddr_part {
	uint32_t code;      /* enum multiaddr_code */
	struct bytes value; /* without its length */
	struct bytes whole; /* the component as it stands */
};

/* The next component; false at the end or after a failure (cur_err). */
bool multiaddr_next(struct cursor *c, struct multiaddr_part *part);
/* Appends one; value as in the part (a port is 2 bytes BE). */
void multiaddr_put(struct buf *out, uint32_t code, struct bytes value);
/* "/ip4|ip6/.../tcp|udp/PORT" appended; ip has 4 or 16 bytes. */
void multiaddr_put_ip(struct buf *out, struct bytes ip,
	enum multiaddr_code transport, uint16_t port);

/* ---- taken apart -------------------------------------------------------- */

/* How an address is reached, as far as its first components say. */
enum multiaddr_transport {
	MULTIADDR_OVER_TCP,          /* HOST/tcp/PORT */
	MULTIADDR_OVER_WS,           /* HOST/tcp/PORT/ws */
	MULTIADDR_OVER_WSS,          /* .../wss or .../tls[/sni/NAME]/ws */
	MULTIADDR_OVER_QUIC,         /* HOST/udp/PORT/quic-v1 */
	MULTIADDR_OVER_WEBTRANSPORT, /* .../webtransport[/certhash/HASH]... */
	MULTIADDR_OVER_WEBRTC,  /* HOST/udp/PORT/webrtc-direct[/certhash/..] */
	MULTIADDR_OVER_DNSADDR, /* dnsaddr/NAME: ask DNS for addresses */
	MULTIADDR_OVER_OTHER,   /* in order, but of no form named above */
};

struct multiaddr_info {
	enum multiaddr_transport transport;
	uint32_t host_code; /* IP4, IP6, DNS, DNS4, DNS6, DNSADDR; 0: none */
	struct bytes host;  /* 4 or 16 bytes, or the name */
	struct bytes zone;  /* name of the interface, or empty */
	uint16_t port;
	struct bytes sni; /* or empty */
	/* The last /p2p/ID, or empty: who is meant in the end. */
	struct bytes peer;
	bool relayed;       /* has /p2p-circuit, wherever it stands */
	struct bytes relay; /* of these: the relay's id, or empty */
	/* What stands before /p2p-circuit, or before the last /p2p: where to
	 * connect to. With an own zone it includes /ip6zone. */
	struct bytes base;
};

/* Views point into addr. Errors as multiaddr_check_known; an address of which
 * the end is not known is MULTIADDR_OVER_OTHER. */
int multiaddr_take_apart(
	struct multiaddr_info *info, struct bytes addr) P2P_MUST_CHECK;
/* The address without a trailing /p2p/ID (a view). */
struct bytes multiaddr_without_peer(struct bytes addr);

/* ---- where an address lies ---------------------------------------------- */

enum ip_scope {
	IP_SCOPE_UNSPECIFIED, /* 0.0.0.0, :: */
	IP_SCOPE_LOOPBACK,    /* 127/8, ::1 */
	IP_SCOPE_LINK_LOCAL,  /* 169.254/16, fe80::/10 */
	IP_SCOPE_PRIVATE,     /* RFC 1918, 100.64/10 (RFC 6598), fc00::/7 */
	IP_SCOPE_MULTICAST,   /* and broadcast */
	IP_SCOPE_RESERVED,    /* documentation, benchmarks, future use */
	IP_SCOPE_PUBLIC,
};

/* ip has 4 or 16 bytes; an IPv4 address inside IPv6 (mapped, or NAT64's
 * 64:ff9b::/96) is judged as what it holds. */
enum ip_scope multiaddr_ip_scope(struct bytes ip);
/*
 * The scope of an address's host. Names and addresses without a host count
 * as public: what they resolve to is judged again. A relayed address lies
 * where its relay does, a path (unix) on this machine.
 */
enum ip_scope multiaddr_scope(struct bytes addr);

#endif

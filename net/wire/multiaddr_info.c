/* Addresses taken apart, and where on the internet they lie. */
#include "net/wire/multiaddr.h"

#define IP4_BYTES 4
#define IP6_BYTES 16

/* ---- taken apart ----------------------------------------------------------
 */

/* The first components, in the order in which they make sense. */
struct walk {
	struct cursor c;
	struct multiaddr_part part; /* code 0: none left */
};

static void walk_on(struct walk *w)
{
	if (!multiaddr_next(&w->c, &w->part))
		w->part = (struct multiaddr_part){0};
}

/* Whether the component at hand has this code; if so the next is at hand. */
static bool walk_take(struct walk *w, uint32_t code, struct bytes *value)
{
	if (w->part.code != code)
		return false;
	if (value != NULL)
		*value = w->part.value;
	walk_on(w);
	return true;
}

static bool code_is_host(uint32_t code)
{
	return code == MULTIADDR_IP4 || code == MULTIADDR_IP6 ||
	       code == MULTIADDR_DNS || code == MULTIADDR_DNS4 ||
	       code == MULTIADDR_DNS6 || code == MULTIADDR_DNSADDR;
}

static void take_host(struct multiaddr_info *info, struct walk *w)
{
	(void)walk_take(w, MULTIADDR_IP6ZONE, &info->zone);
	if (!code_is_host(w->part.code))
		return;
	info->host_code = w->part.code;
	(void)walk_take(w, w->part.code, &info->host);
}

static enum multiaddr_transport take_tcp(
	struct multiaddr_info *info, struct walk *w)
{
	if (walk_take(w, MULTIADDR_WS, NULL))
		return MULTIADDR_OVER_WS;
	if (walk_take(w, MULTIADDR_WSS, NULL))
		return MULTIADDR_OVER_WSS;
	if (!walk_take(w, MULTIADDR_TLS, NULL))
		return MULTIADDR_OVER_TCP;
	(void)walk_take(w, MULTIADDR_SNI, &info->sni);
	return walk_take(w, MULTIADDR_WS, NULL) ? MULTIADDR_OVER_WSS
						: MULTIADDR_OVER_OTHER;
}

static enum multiaddr_transport take_udp(struct walk *w)
{
	enum multiaddr_transport over = MULTIADDR_OVER_OTHER;

	if (walk_take(w, MULTIADDR_QUIC_V1, NULL))
		over = walk_take(w, MULTIADDR_WEBTRANSPORT, NULL)
			       ? MULTIADDR_OVER_WEBTRANSPORT
			       : MULTIADDR_OVER_QUIC;
	else if (walk_take(w, MULTIADDR_WEBRTC_DIRECT, NULL))
		over = MULTIADDR_OVER_WEBRTC;
	/* Of the certificates that the other side may show. */
	if (over != MULTIADDR_OVER_OTHER && over != MULTIADDR_OVER_QUIC)
		while (walk_take(w, MULTIADDR_CERTHASH, NULL))
			;
	return over;
}

static enum multiaddr_transport take_transport(
	struct multiaddr_info *info, struct walk *w)
{
	enum multiaddr_transport over = MULTIADDR_OVER_OTHER;
	struct bytes port = bytes_of(NULL, 0);

	if (info->host_code == MULTIADDR_DNSADDR)
		return MULTIADDR_OVER_DNSADDR;
	/* A zone belongs to IPv6 alone. */
	if (info->host_code == 0 ||
		(info->zone.len > 0 && info->host_code != MULTIADDR_IP6))
		return MULTIADDR_OVER_OTHER;
	if (walk_take(w, MULTIADDR_TCP, &port))
		over = take_tcp(info, w);
	else if (walk_take(w, MULTIADDR_UDP, &port))
		over = take_udp(w);
	if (port.len == 2)
		info->port = get_be16(port.data);
	return over;
}

static struct bytes before(struct bytes addr, const struct multiaddr_part *part)
{
	return bytes_first(addr, (size_t)(part->whole.data - addr.data));
}

static void take_id(
	struct multiaddr_info *info, const struct walk *w, struct bytes addr)
{
	/* Two ids in a row say nothing that is specified. */
	if (info->peer.len > 0)
		info->transport = MULTIADDR_OVER_OTHER;
	info->peer = w->part.value;
	if (!info->relayed)
		info->base = before(addr, &w->part);
}

static void take_circuit(
	struct multiaddr_info *info, const struct walk *w, struct bytes addr)
{
	/* A relay behind a relay is not specified. */
	if (info->relayed) {
		info->transport = MULTIADDR_OVER_OTHER;
	} else {
		info->relayed = true;
		info->relay = info->peer;
		info->base = before(addr, &w->part);
	}
	info->peer = bytes_of(NULL, 0);
}

/*
 * What follows the transport: [/p2p/R/p2p-circuit][/p2p/ID]. A circuit is
 * found behind anything else, too, since it says that another machine than the
 * one in front is meant.
 */
static void take_peers(
	struct multiaddr_info *info, struct walk *w, struct bytes addr)
{
	info->base = addr;
	for (; w->part.code != 0; walk_on(w)) {
		if (w->part.code == MULTIADDR_P2P) {
			take_id(info, w, addr);
		} else if (w->part.code == MULTIADDR_P2P_CIRCUIT) {
			take_circuit(info, w, addr);
		} else {
			info->transport = MULTIADDR_OVER_OTHER;
			info->peer = bytes_of(NULL, 0);
			if (!info->relayed)
				info->base = addr;
		}
	}
}

int multiaddr_take_apart(struct multiaddr_info *info, struct bytes addr)
{
	struct walk w = {.c = cur_of(addr)};
	int err = multiaddr_check_known(addr);

	*info = (struct multiaddr_info){.transport = MULTIADDR_OVER_OTHER};
	if (err != 0)
		return err;
	walk_on(&w);
	take_host(info, &w);
	info->transport = take_transport(info, &w);
	take_peers(info, &w, addr);
	/* The walk ends early where nobody here knows what follows. */
	if (cur_err(&w.c) != 0)
		info->transport = MULTIADDR_OVER_OTHER;
	return 0;
}

struct bytes multiaddr_without_peer(struct bytes addr)
{
	struct cursor c = cur_of(addr);
	struct multiaddr_part part = {0};

	while (multiaddr_next(&c, &part)) {
		if (part.code == MULTIADDR_P2P && cur_left(&c) == 0)
			return before(addr, &part);
	}
	return addr;
}

/* ---- scopes ---------------------------------------------------------------
 */

struct range {
	uint32_t net;
	unsigned bits;
	enum ip_scope scope;
};

/* RFC 6890's table, for what may not be dialled at a stranger's word. */
static const struct range ranges4[] = {
	{0x00000000, 32, IP_SCOPE_UNSPECIFIED}, /* 0.0.0.0 */
	{0x00000000, 8, IP_SCOPE_RESERVED},     /* 0/8 */
	{0x7f000000, 8, IP_SCOPE_LOOPBACK},     /* 127/8 */
	{0xa9fe0000, 16, IP_SCOPE_LINK_LOCAL},  /* 169.254/16 */
	{0x0a000000, 8, IP_SCOPE_PRIVATE},      /* 10/8 */
	{0xac100000, 12, IP_SCOPE_PRIVATE},     /* 172.16/12 */
	{0xc0a80000, 16, IP_SCOPE_PRIVATE},     /* 192.168/16 */
	{0x64400000, 10, IP_SCOPE_PRIVATE},     /* 100.64/10 */
	{0xc0000000, 24, IP_SCOPE_RESERVED},    /* 192.0.0/24 */
	{0xc0000200, 24, IP_SCOPE_RESERVED},    /* 192.0.2/24 */
	{0xc6336400, 24, IP_SCOPE_RESERVED},    /* 198.51.100/24 */
	{0xcb007100, 24, IP_SCOPE_RESERVED},    /* 203.0.113/24 */
	{0xc6120000, 15, IP_SCOPE_RESERVED},    /* 198.18/15 */
	{0xe0000000, 4, IP_SCOPE_MULTICAST},    /* 224/4 */
	{0xffffffff, 32, IP_SCOPE_MULTICAST},   /* broadcast */
	{0xf0000000, 4, IP_SCOPE_RESERVED},     /* 240/4 */
};

static enum ip_scope scope4(const uint8_t ip[static IP4_BYTES])
{
	uint32_t v = get_be32(ip);

	for (size_t i = 0; i < P2P_ARRAY_LEN(ranges4); i++) {
		const struct range *r = &ranges4[i];

		if ((v ^ r->net) >> (32 - r->bits) == 0)
			return r->scope;
	}
	return IP_SCOPE_PUBLIC;
}

static bool prefix_is(const uint8_t *ip, const char *prefix, size_t len)
{
	return memcmp(ip, prefix, len) == 0;
}

static enum ip_scope scope6(const uint8_t ip[static IP6_BYTES])
{
	static const char zero[IP6_BYTES];

	/* ::ffff:0:0/96 and 64:ff9b::/96 hold an IPv4 address. */
	if (prefix_is(ip, "\0\0\0\0\0\0\0\0\0\0\xff\xff", 12) ||
		prefix_is(ip, "\0\x64\xff\x9b\0\0\0\0\0\0\0\0", 12))
		return scope4(ip + 12);
	if (prefix_is(ip, zero, 15))
		return ip[15] == 0   ? IP_SCOPE_UNSPECIFIED
		       : ip[15] == 1 ? IP_SCOPE_LOOPBACK
				     : IP_SCOPE_RESERVED;
	if (ip[0] == 0xff)
		return IP_SCOPE_MULTICAST;
	if (ip[0] == 0xfe && (ip[1] & 0xc0) == 0x80)
		return IP_SCOPE_LINK_LOCAL;
	if ((ip[0] & 0xfe) == 0xfc)
		return IP_SCOPE_PRIVATE;
	/* 6to4 (RFC 3056) goes on to the IPv4 address inside. */
	if (prefix_is(ip, "\x20\x02", 2))
		return scope4(ip + 2);
	/* Global unicast is 2000::/3, less the two for documentation. */
	if ((ip[0] & 0xe0) != 0x20 || prefix_is(ip, "\x20\x01\x0d\xb8", 4) ||
		(prefix_is(ip, "\x3f\xff", 2) && (ip[2] & 0xf0) == 0))
		return IP_SCOPE_RESERVED;
	return IP_SCOPE_PUBLIC;
}

enum ip_scope multiaddr_ip_scope(struct bytes ip)
{
	P2P_ASSERT(ip.len == IP4_BYTES || ip.len == IP6_BYTES);
	return ip.len == IP4_BYTES ? scope4(ip.data) : scope6(ip.data);
}

enum ip_scope multiaddr_scope(struct bytes addr)
{
	struct cursor c = cur_of(addr);
	struct multiaddr_part part;

	while (multiaddr_next(&c, &part)) {
		if (part.code == MULTIADDR_IP4 || part.code == MULTIADDR_IP6)
			return multiaddr_ip_scope(part.value);
		/* A path of this machine. */
		if (part.code == MULTIADDR_UNIX)
			return IP_SCOPE_LOOPBACK;
		if (part.code != MULTIADDR_IP6ZONE)
			break;
	}
	return IP_SCOPE_PUBLIC;
}

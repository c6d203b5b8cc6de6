/* Addresses judged: how reached, where they lie, and who shares a limit. */
#include "net/wire/dialable.h"

#define IP4_BYTES 4
#define IP6_BYTES 16
#define EMBEDDED_AT 12 /* of the IPv4 address inside an IPv6 one */

/* ---- sites -------------------------------------------------------------- */

static bool starts_with(struct bytes ip, const char *prefix)
{
	return memcmp(ip.data, prefix, EMBEDDED_AT) == 0;
}

/* The IPv4 address inside ::ffff:0:0/96 and 64:ff9b::/96, else ip itself: or
 * who is limited by IPv4 would have a second share of everything by IPv6. */
static struct bytes innermost(struct bytes ip)
{
	if (ip.len == IP6_BYTES &&
		(starts_with(ip, "\0\0\0\0\0\0\0\0\0\0\xff\xff") ||
			starts_with(ip, "\0\x64\xff\x9b\0\0\0\0\0\0\0\0")))
		return bytes_skip(ip, EMBEDDED_AT);
	return ip;
}

static void site_of_ip(struct dialable_site *site, struct bytes ip)
{
	struct bytes in = innermost(ip);
	bool four = in.len == IP4_BYTES;

	_Static_assert(DIALABLE_SITE_IP4_BITS == 8 * IP4_BYTES, "whole bytes");
	_Static_assert(DIALABLE_SITE_IP6_BITS / 8 <= sizeof(site->net) &&
			       DIALABLE_SITE_IP6_BITS % 8 == 0,
		"whole bytes, and room for them");
	site->host = four ? DIALABLE_HOST_IP4 : DIALABLE_HOST_IP6;
	site->bits = four ? DIALABLE_SITE_IP4_BITS : DIALABLE_SITE_IP6_BITS;
	memcpy(site->net, in.data, site->bits / 8);
}

/* FNV-1a. Who finds a name with the number of another shares its limit, which
 * gains nothing. */
static void site_of_name(struct dialable_site *site, struct bytes name)
{
	uint64_t h = UINT64_C(0xcbf29ce484222325);

	for (size_t i = 0; i < name.len; i++) {
		uint8_t c = name.data[i];

		if (c >= 'A' && c <= 'Z')
			c = (uint8_t)(c + ('a' - 'A'));
		h = (h ^ c) * UINT64_C(0x100000001b3);
	}
	site->host = DIALABLE_HOST_NAME;
	site->bits = 8 * sizeof(site->net);
	put_be64(site->net, h);
}

/* ---- made from a multiaddr ---------------------------------------------- */

static enum dialable_host host_of(const struct multiaddr_info *info)
{
	switch (info->host_code) {
	case 0:
		return DIALABLE_HOST_NONE;
	case MULTIADDR_IP4:
		return DIALABLE_HOST_IP4;
	case MULTIADDR_IP6:
		return DIALABLE_HOST_IP6;
	default:
		return DIALABLE_HOST_NAME;
	}
}

static bool has_ip(const struct multiaddr_info *info)
{
	return info->host_code == MULTIADDR_IP4 ||
	       info->host_code == MULTIADDR_IP6;
}

void dialable_of(struct dialable *d, const struct maddr *a)
{
	struct multiaddr_info info;

	*d = (struct dialable){.transport = MULTIADDR_OVER_OTHER};
	d->scope = multiaddr_scope(maddr_bytes(a));
	if (multiaddr_take_apart(&info, maddr_bytes(a)) != 0)
		return;
	/* No interface has a name so long. */
	if (info.zone.len >= MADDR_ZONE_MAX ||
		(info.peer.len > 0 && !info.relayed))
		info.transport = MULTIADDR_OVER_OTHER;
	d->transport = info.transport;
	d->host = host_of(&info);
	d->relayed = info.relayed;
	d->zoned = info.zone.len > 0;
	d->port = info.port;
	if (has_ip(&info))
		site_of_ip(&d->site, info.host);
	else if (d->host == DIALABLE_HOST_NAME)
		site_of_name(&d->site, info.host);
}

struct bytes dialable_ip(const struct maddr *a)
{
	struct multiaddr_info info;

	if (multiaddr_take_apart(&info, maddr_bytes(a)) != 0 || !has_ip(&info))
		return bytes_of(NULL, 0);
	return info.host;
}

/* ---- judged ------------------------------------------------------------- */

bool dialable_is_spoken(const struct dialable *d)
{
	return d->transport == MULTIADDR_OVER_TCP && !d->relayed;
}

bool dialable_is_nowhere(const struct dialable *d)
{
	bool has_port = d->transport != MULTIADDR_OVER_DNSADDR &&
			d->transport != MULTIADDR_OVER_OTHER;

	return d->scope == IP_SCOPE_UNSPECIFIED ||
	       d->scope == IP_SCOPE_MULTICAST || (has_port && d->port == 0);
}

const char *dialable_why_not(const struct dialable *d)
{
	if (dialable_is_nowhere(d))
		return "nobody can be there";
	if (d->relayed)
		return "relayed addresses are not dialled yet";
	/* Each interface has the network fe80::/10. */
	if (d->scope == IP_SCOPE_LINK_LOCAL && d->host == DIALABLE_HOST_IP6 &&
		!d->zoned)
		return "the interface is missing: [fe80::1%eth0]:PORT, or "
		       "/ip6zone/eth0 in front";
	switch (d->transport) {
	case MULTIADDR_OVER_TCP:
		return NULL;
	case MULTIADDR_OVER_WS:
	case MULTIADDR_OVER_WSS:
		return "WebSocket is not spoken yet";
	case MULTIADDR_OVER_QUIC:
		return "QUIC is not spoken yet";
	case MULTIADDR_OVER_WEBTRANSPORT:
		return "WebTransport is not spoken yet";
	case MULTIADDR_OVER_WEBRTC:
		return "WebRTC is not spoken yet";
	case MULTIADDR_OVER_DNSADDR:
		return "dnsaddr names are not looked up yet";
	case MULTIADDR_OVER_OTHER:
		break;
	}
	return "no transport known here leads there";
}

bool dialable_is_near(const struct dialable *d)
{
	return d->scope == IP_SCOPE_LOOPBACK ||
	       d->scope == IP_SCOPE_LINK_LOCAL || d->scope == IP_SCOPE_PRIVATE;
}

/*
 * An ear of our own at the mDNS port, for answers that Avahi does not take
 * because they come from another port, and for questions that come from such
 * a one. It never speaks, and it is bound to the group's address: what is sent
 * to this machine alone goes to Avahi.
 */
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "net/discover/mdns.h"
#include "net/loop/loop_internal.h"

#define MDNS_PORT 5353
#define MDNS_GROUP 0xe00000fbu /* 224.0.0.251 */
#define SECOND_MS 1000

/* False when enough has been told in this second. */
static bool may_tell(struct loop *l)
{
	uint64_t now_ms = clock_now_ms();

	if (now_ms >= l->ear_since_ms + SECOND_MS) {
		l->ear_since_ms = now_ms;
		l->ear_told = 0;
	}
	return l->ear_told++ < LOOP_EAR_ADDRESSES;
}

static void heard(struct loop *l, struct bytes packet, struct bytes sender)
{
	/* rust-libp2p speaks IPv4 here, and addresses that need a zone are left
	 * out. */
	static const struct mdns_origin from = {.loopback = false};
	unsigned interface = own_interface_to(l->own, l->own_count, sender);
	struct maddr addrs[MDNS_ADDRESSES_MAX];
	size_t count = mdns_packet_addresses(addrs, packet, &from);

	for (size_t i = 0; i < count && may_tell(l); i++) {
		struct node_event ev = {.kind = NODE_EV_LAN_PEER,
			.addr = addrs[i],
			.on_link = own_is_on_link(
				l->own, l->own_count, interface, &addrs[i])};

		loop_step(l, &ev);
	}
}

static void on_ear(uv_poll_t *poll, int status, int events)
{
	struct loop *l = poll->data;
	uint8_t packet[LOOP_EAR_BYTES];

	(void)status;
	(void)events;
	for (int i = 0; i < LOOP_EAR_BURST && !l->stopping; i++) {
		struct sockaddr_in from = {.sin_family = AF_INET};
		socklen_t len = sizeof(from);
		ssize_t n = recvfrom(l->ear_fd, packet, sizeof(packet),
			MSG_DONTWAIT, (struct sockaddr *)&from, &len);

		if (n < 0)
			return;
		/* All others are Avahi's to judge. */
		if (ntohs(from.sin_port) == MDNS_PORT)
			continue;
		if (mdns_packet_asks(bytes_of(packet, (size_t)n)))
			answer_asked(l);
		else
			heard(l, bytes_of(packet, (size_t)n),
				bytes_of(&from.sin_addr, 4));
	}
}

void ear_join(struct loop *l)
{
	/* A socket may listen on so many only, twenty on Linux as it comes
	 * (igmp_max_memberships): the best first. */
	for (size_t i = 0; l->ear_fd >= 0 && i < l->own_count; i++) {
		const struct own_address *o = &l->own[i];
		struct ip_mreq group = {.imr_multiaddr = {htonl(MDNS_GROUP)}};

		if (o->internal || o->ip_len != 4)
			continue;
		memcpy(&group.imr_interface, o->ip, 4);
		/* Fails where it listens already. */
		(void)setsockopt(l->ear_fd, IPPROTO_IP, IP_ADD_MEMBERSHIP,
			&group, sizeof(group));
	}
}

/* The port is shared with Avahi and whoever else listens there. */
static int group_socket(void)
{
	struct sockaddr_in at = {.sin_family = AF_INET};
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	int on = 1;

	at.sin_port = htons(MDNS_PORT);
	at.sin_addr.s_addr = htonl(MDNS_GROUP);
	if (fd < 0)
		return -1;
	if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) == 0 &&
		setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof(on)) ==
			0 &&
		bind(fd, (const struct sockaddr *)&at, sizeof(at)) == 0)
		return fd;
	(void)close(fd);
	return -1;
}

void ear_open(struct loop *l)
{
	l->ear_fd = group_socket();
	if (l->ear_fd < 0)
		return;
	P2P_ASSERT(uv_poll_init(&l->uv, &l->ear, l->ear_fd) == 0);
	l->ear.data = l;
	(void)uv_poll_start(&l->ear, UV_READABLE, on_ear);
	ear_join(l);
}

void ear_close(struct loop *l)
{
	if (l->ear_fd >= 0)
		(void)close(l->ear_fd);
	l->ear_fd = -1;
}

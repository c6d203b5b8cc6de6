/*
 * "Ask now": Avahi's own queries back off up to an hour, so
 * after a wake-up or a change of the network one PTR query for
 * "_p2p._udp.local" is sent from an ephemeral port on every interface (RFC
 * 6762 section 6.7). Peers of other programs answer by multicast, which
 * Avahi's open browser or ear.c hears; answers by unicast are not waited for.
 */
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "net/loop/loop_internal.h"

#define MDNS_PORT 5353

static const uint8_t question[] = {
	0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0,           /* one question */
	4, '_', 'p', '2', 'p', 4, '_', 'u', 'd', 'p', /* the name */
	5, 'l', 'o', 'c', 'a', 'l', 0, 0, 12, 0, 1,   /* PTR, IN */
};

static void send_on(
	int fd, const uv_interface_address_t *i, struct bytes packet)
{
	struct sockaddr_in to = {.sin_family = AF_INET};

	to.sin_port = htons(MDNS_PORT);
	to.sin_addr.s_addr = htonl(0xe00000fb); /* 224.0.0.251 */
	if (setsockopt(fd, IPPROTO_IP, IP_MULTICAST_IF,
		    &i->address.address4.sin_addr,
		    sizeof(i->address.address4.sin_addr)) == 0)
		(void)sendto(fd, packet.data, packet.len, MSG_DONTWAIT,
			(const struct sockaddr *)&to, sizeof(to));
}

void query_multicast(struct bytes packet)
{
	uv_interface_address_t *list = NULL;
	int count = 0, ttl = 255;
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return;
	(void)setsockopt(fd, IPPROTO_IP, IP_MULTICAST_TTL, &ttl, sizeof(ttl));
	if (uv_interface_addresses(&list, &count) == 0) {
		for (int i = 0; i < count; i++)
			if (!list[i].is_internal &&
				list[i].address.address4.sin_family == AF_INET)
				send_on(fd, &list[i], packet);
		uv_free_interface_addresses(list, count);
	}
	(void)close(fd);
}

void query_send(void)
{
	query_multicast(bytes_of(question, sizeof(question)));
}

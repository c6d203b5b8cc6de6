/*
 * "Ask now": Avahi's own queries back off up to an hour, so
 * after a wake-up or a change of the network one PTR query for each name that
 * is looked for is sent from an ephemeral port on every interface (RFC 6762
 * section 6.7). Each has a packet of its own: js-libp2p reads the first
 * question alone. Peers of other programs answer by multicast, which Avahi's
 * open browser or ear.c hears; answers by unicast are not waited for.
 */
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "net/loop/loop_internal.h"

#define MDNS_PORT 5353

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

void query_send(const struct mdns_services *services)
{
	struct buf packet;

	buf_init(&packet, MDNS_NAME_BYTES_MAX + 18);
	for (size_t i = 0; i < services->count; i++) {
		buf_reset(&packet);
		if (mdns_packet_question(&packet, services->of[i].name) == 0)
			query_multicast(buf_bytes(&packet));
	}
	buf_clear(&packet);
}

/*
 * When interfaces and addresses change, from the kernel (rtnetlink(7)).
 * Elsewhere there is no such word; addresses are then looked at with each
 * wake-up of the machine only.
 */
#include <sys/socket.h>
#include <unistd.h>

#include "net/loop/loop_internal.h"

#ifdef HAVE_LINUX_RTNETLINK_H
#include <linux/netlink.h>
#include <linux/rtnetlink.h>

int netif_open(void)
{
	struct sockaddr_nl sa = {.nl_family = AF_NETLINK,
		.nl_groups =
			RTMGRP_LINK | RTMGRP_IPV4_IFADDR | RTMGRP_IPV6_IFADDR};
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK,
		NETLINK_ROUTE);

	if (fd < 0)
		return -1;
	if (bind(fd, (const struct sockaddr *)&sa, sizeof(sa)) != 0) {
		(void)close(fd);
		return -1;
	}
	return fd;
}
#else
int netif_open(void)
{
	return -1;
}
#endif

void netif_drain(int fd)
{
	char junk[8192];

	/* What changed is read from the interfaces themselves; an overflow of
	 * this socket means only that much has changed. */
	for (int i = 0; i < 64 && recv(fd, junk, sizeof(junk), 0) > 0; i++)
		;
}

/*
 * The addresses of this machine and the networks they are of, the best first.
 * Whoever runs containers or virtual machines has dozens of interfaces, and of
 * all that is done with addresses only so much is done: some are told to
 * others, some listened at. So they are put in order before anything is cut.
 *
 * Nothing is sent to find the order: a datagram socket that is "connected" has
 * the address from which the kernel would send (connect(2), udp(7)).
 */
#include <net/if.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/xmalloc.h"
#include "net/loop/loop_internal.h"
#include "net/wire/dialable.h"

/* Where an interface leads, as far as the kernel knows; lower is better. */
enum own_rank {
	RANK_WAY_OUT,  /* the default route goes there */
	RANK_GROUP,    /* what is for the mDNS group goes there */
	RANK_HARDWARE, /* a card, not something made by a program */
	RANK_OTHER,
	RANK_BRIDGE, /* of containers, mostly: of this machine alone */
	RANK_PORT,   /* of such a bridge */
	RANK_INTERNAL,
};

/* ---- what the kernel knows ---------------------------------------------- */

static void copy_ip(struct own_address *o, const struct sockaddr *sa)
{
	const void *raw = sa;
	const struct sockaddr_in *in = raw;
	const struct sockaddr_in6 *in6 = raw;

	o->ip_len = sa->sa_family == AF_INET ? 4 : 16;
	memcpy(o->ip,
		o->ip_len == 4 ? (const void *)&in->sin_addr
			       : (const void *)&in6->sin6_addr,
		o->ip_len);
}

/* From where the kernel would send to that host; ip_len 0: from nowhere. */
static void source_for(
	struct own_address *o, const struct sockaddr *to, socklen_t len)
{
	int fd = socket(to->sa_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct sockaddr_storage ss = {.ss_family = AF_UNSPEC};
	socklen_t size = sizeof(ss);
	void *raw = &ss;

	o->ip_len = 0;
	if (fd < 0)
		return;
	if (connect(fd, to, len) == 0 && getsockname(fd, raw, &size) == 0)
		copy_ip(o, raw);
	(void)close(fd);
}

#define WAYS 3

/* Of the default routes, and to the mDNS group. The hosts are of documentation
 * (RFC 5737, RFC 3849): nobody is there. */
static void ways_out(struct own_address way[WAYS])
{
	struct sockaddr_in four = {.sin_family = AF_INET};
	struct sockaddr_in6 six = {.sin6_family = AF_INET6};
	const void *to4 = &four, *to6 = &six;

	four.sin_port = six.sin6_port = htons(9);
	four.sin_addr.s_addr = htonl(0xc0000201); /* 192.0.2.1 */
	source_for(&way[0], to4, sizeof(four));
	memcpy(&six.sin6_addr, "\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\1", 16);
	source_for(&way[1], to6, sizeof(six));
	four.sin_addr.s_addr = htonl(0xe00000fb); /* 224.0.0.251 */
	source_for(&way[2], to4, sizeof(four));
}

/* Whether Linux has that about an interface; elsewhere never. */
static bool is_known_as(const char *name, const char *what)
{
	char path[96];
	int n = snprintf(
		path, sizeof(path), "/sys/class/net/%s/%s", name, what);

	return n > 0 && (size_t)n < sizeof(path) && access(path, F_OK) == 0;
}

static enum own_rank rank_by_kind(const struct own_address *o)
{
	if (o->internal)
		return RANK_INTERNAL;
	if (is_known_as(o->name, "bridge"))
		return RANK_BRIDGE;
	if (is_known_as(o->name, "brport"))
		return RANK_PORT;
	return is_known_as(o->name, "device") ? RANK_HARDWARE : RANK_OTHER;
}

/* ---- read and put in order ----------------------------------------------- */

static unsigned bits_of(const struct own_address *o, const uint8_t *mask)
{
	unsigned bits = 0;

	while (bits < 8u * o->ip_len &&
		(mask[bits / 8] & (0x80 >> bits % 8)) != 0)
		bits++;
	return bits;
}

static void take(struct own_address *o, const uv_interface_address_t *i)
{
	const void *mask = &i->netmask;
	struct own_address m = {.ip_len = 0};

	*o = (struct own_address){.internal = i->is_internal != 0};
	(void)snprintf(o->name, sizeof(o->name), "%s", i->name);
	o->interface = if_nametoindex(o->name);
	copy_ip(o, (const void *)&i->address);
	copy_ip(&m, mask);
	/* The mask's own family is not set everywhere. */
	if (m.ip_len != o->ip_len) {
		struct sockaddr_storage ss = {.ss_family = AF_UNSPEC};

		memcpy(&ss, mask, sizeof(i->netmask));
		ss.ss_family = o->ip_len == 4 ? AF_INET : AF_INET6;
		copy_ip(&m, (const void *)&ss);
	}
	o->prefix = bits_of(o, m.ip);
}

static bool same_ip(const struct own_address *a, const struct own_address *b)
{
	return a->ip_len == b->ip_len && memcmp(a->ip, b->ip, a->ip_len) == 0;
}

/* A way leads by an interface with all its addresses, of either family. */
static void rank_interface(
	struct own_address *list, size_t count, const struct own_address *by)
{
	unsigned interface = 0;
	size_t i = 0;

	while (i < count && !same_ip(&list[i], by))
		i++;
	if (by->ip_len == 0 || i == count)
		return;
	interface = list[i].interface;
	for (i = 0; i < count; i++)
		if (list[i].interface == interface && !list[i].internal)
			list[i].rank = P2P_MIN(list[i].rank, by->rank);
}

/* Those of one interface stay together and in the kernel's order. */
static int by_rank(const void *one, const void *other)
{
	const struct own_address *a = one, *b = other;

	if (a->rank != b->rank)
		return a->rank < b->rank ? -1 : 1;
	return a->order < b->order ? -1 : a->order > b->order;
}

/* The order of the interface's first address, before its own. */
static void keep_order(struct own_address *list, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		size_t first = 0;

		while (list[first].interface != list[i].interface)
			first++;
		list[i].order = first * count + i;
	}
}

size_t own_read(struct own_address **list)
{
	struct own_address way[WAYS] = {{.ip_len = 0}};
	uv_interface_address_t *found = NULL;
	int count = 0;

	*list = NULL;
	if (uv_interface_addresses(&found, &count) != 0 || count <= 0)
		return 0;
	*list = xcalloc((size_t)count, sizeof(**list));
	for (int i = 0; i < count; i++) {
		take(&(*list)[i], &found[i]);
		(*list)[i].rank = rank_by_kind(&(*list)[i]);
	}
	uv_free_interface_addresses(found, count);
	ways_out(way);
	way[0].rank = way[1].rank = RANK_WAY_OUT;
	way[2].rank = RANK_GROUP;
	for (size_t i = 0; i < WAYS; i++)
		rank_interface(*list, (size_t)count, &way[i]);
	keep_order(*list, (size_t)count);
	qsort(*list, (size_t)count, sizeof(**list), by_rank);
	return (size_t)count;
}

/* ---- what is near ---------------------------------------------------------
 */

static bool is_in_network(const struct own_address *o, struct bytes ip)
{
	unsigned whole = o->prefix / 8, rest = o->prefix % 8;

	if (ip.len != o->ip_len || o->prefix == 0 ||
		memcmp(ip.data, o->ip, whole) != 0)
		return false;
	return rest == 0 || (ip.data[whole] ^ o->ip[whole]) >> (8 - rest) == 0;
}

unsigned own_interface_to(
	const struct own_address *list, size_t count, struct bytes ip)
{
	for (size_t i = 0; i < count; i++)
		if (!list[i].internal && is_in_network(&list[i], ip))
			return list[i].interface;
	return 0;
}

bool own_is_on_link(const struct own_address *list, size_t count,
	unsigned interface, const struct maddr *addr)
{
	struct bytes ip = dialable_ip(addr);
	struct dialable at;

	dialable_of(&at, addr);
	if (interface == 0 || ip.len == 0)
		return false;
	if (at.scope == IP_SCOPE_LINK_LOCAL)
		return true;
	for (size_t i = 0; i < count; i++)
		if (list[i].interface == interface && !list[i].internal &&
			is_in_network(&list[i], ip))
			return true;
	return false;
}

/*
 * Listening sockets, and the addresses that others can reach them at.
 */
#include <fcntl.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/xmalloc.h"
#include "net/loop/loop_internal.h"

static const char *text_of(const struct maddr *a, char out[MADDR_TEXT_MAX])
{
	return maddr_text(a, out);
}

static int bind_one(struct loop *l, const struct sockaddr *sa, uint16_t *port)
{
	uv_tcp_t *tcp = &l->listeners[l->listener_count];
	struct sockaddr_storage ss;
	int len = sizeof(ss);
	const void *raw = &ss;
	unsigned flags = sa->sa_family == AF_INET6 ? UV_TCP_IPV6ONLY : 0;
	int err;

	P2P_ASSERT(l->listener_count < LOOP_LISTEN_MAX);
	err = uv_tcp_init_ex(&l->uv, tcp, sa->sa_family);
	if (err != 0)
		return err;
	tcp->data = l;
	l->listener_count++;
	err = uv_tcp_bind(tcp, sa, flags);
	/* libuv keeps "in use" for the listen call; asked for here at once. */
	if (err == 0)
		err = uv_tcp_getsockname(tcp, (struct sockaddr *)&ss, &len);
	if (err == 0)
		*port = ntohs(
			sa->sa_family == AF_INET
				? ((const struct sockaddr_in *)raw)->sin_port
				: ((const struct sockaddr_in6 *)raw)
					  ->sin6_port);
	return err;
}

/*
 * libuv has no descriptor to accept with, and would try again for ever: what it
 * keeps for this it cannot open a second time in the sandbox. With one more it
 * gets on, and carrier_accept turns away whoever takes that.
 */
static void make_room(struct loop *l)
{
	if (l->spare_fd < 0) {
		carrier_end_one(l);
		return;
	}
	(void)close(l->spare_fd);
	l->spare_fd = -1;
}

void listen_keep_spare(struct loop *l)
{
	if (l->spare_fd < 0)
		l->spare_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
}

/* libuv accepts as long as there is somebody, however many come: one whom
 * nobody takes holds it up until the next turn. */
static void on_connection(uv_stream_t *listener, int status)
{
	struct loop *l = listener->data;
	size_t at = (size_t)((uv_tcp_t *)listener - l->listeners);

	if (status == UV_EMFILE || status == UV_ENFILE)
		make_room(l);
	if (status != 0)
		return;
	if (l->accepts[at] >= LOOP_ACCEPTS_A_TURN) {
		l->held[at] = true;
		return;
	}
	l->accepts[at]++;
	carrier_accept(l, listener);
}

void listen_turn(struct loop *l)
{
	listen_keep_spare(l);
	for (size_t i = 0; i < l->listener_count; i++) {
		l->accepts[i] = l->held[i];
		if (l->held[i])
			carrier_accept(l, (uv_stream_t *)&l->listeners[i]);
		l->held[i] = false;
	}
}

static int listen_one(struct loop *l, const struct sockaddr *sa, uint16_t *port)
{
	size_t at = l->listener_count;
	int err = bind_one(l, sa, port);

	if (err == 0)
		err = uv_listen((uv_stream_t *)&l->listeners[at], LOOP_BACKLOG,
			on_connection);
	if (err != 0 && l->listener_count > at) {
		uv_close((uv_handle_t *)&l->listeners[at], NULL);
		/* The slot is free again once libuv has closed it. */
		(void)uv_run(&l->uv, UV_RUN_NOWAIT);
		l->listener_count = at;
	}
	return err;
}

static struct sockaddr_in any4(uint16_t port)
{
	struct sockaddr_in in = {.sin_family = AF_INET};

	in.sin_port = htons(port);
	return in;
}

static struct sockaddr_in6 any6(uint16_t port)
{
	struct sockaddr_in6 in6 = {.sin6_family = AF_INET6};

	in6.sin6_addr = in6addr_any;
	in6.sin6_port = htons(port);
	return in6;
}

/* Every interface at one port: IPv4, and IPv6 where the machine has it. */
static int listen_everywhere(struct loop *l, uint16_t port)
{
	struct sockaddr_in in = any4(port);
	struct sockaddr_in6 in6;
	uint16_t got = port;
	int err4 = listen_one(l, (const struct sockaddr *)&in, &got);
	int err6;

	if (err4 != 0 && err4 != UV_EAFNOSUPPORT)
		return err4;
	in6 = any6(got);
	err6 = listen_one(l, (const struct sockaddr *)&in6, &got);
	l->port = got;
	return l->listener_count > 0 ? 0 : err6;
}

static int to_sockaddr(const struct maddr *a, struct sockaddr_storage *ss)
{
	void *raw = ss;
	struct maddr_tcp tcp;

	*ss = (struct sockaddr_storage){.ss_family = AF_UNSPEC};
	if (!maddr_to_tcp(a, &tcp))
		return P2P_ERR_UNSUPPORTED;
	if (tcp.host == MULTIADDR_IP4) {
		struct sockaddr_in *in = raw;

		*in = any4(tcp.port);
		memcpy(&in->sin_addr, tcp.ip, 4);
		return 0;
	}
	if (tcp.host == MULTIADDR_IP6) {
		struct sockaddr_in6 *in6 = raw;

		*in6 = any6(tcp.port);
		memcpy(&in6->sin6_addr, tcp.ip, 16);
		if (tcp.zone[0] != '\0')
			in6->sin6_scope_id = if_nametoindex(tcp.zone);
		return 0;
	}
	return P2P_ERR_UNSUPPORTED;
}

static int listen_given(struct loop *l, char error[LOOP_ERROR_TEXT_MAX])
{
	char text[MADDR_TEXT_MAX];

	for (size_t i = 0; i < l->cfg.listen_count; i++) {
		const struct maddr *a = &l->cfg.listen[i];
		struct sockaddr_storage ss;
		uint16_t port = 0;
		int err;

		if (to_sockaddr(a, &ss) != 0 || i >= LOOP_LISTEN_MAX) {
			(void)snprintf(error, LOOP_ERROR_TEXT_MAX,
				"%.200s: not an address to listen on",
				text_of(a, text));
			return P2P_ERR_UNSUPPORTED;
		}
		err = listen_one(l, (const struct sockaddr *)&ss, &port);
		if (err != 0) {
			(void)snprintf(error, LOOP_ERROR_TEXT_MAX, "%.200s: %s",
				text_of(a, text), uv_strerror(err));
			return P2P_ERR_IO;
		}
	}
	return 0;
}

int listen_bind(struct loop *l, char error[static LOOP_ERROR_TEXT_MAX])
{
	int err;

	if (l->cfg.listen_count > 0)
		return listen_given(l, error);
	err = listen_everywhere(l, l->cfg.port);
	if (err != 0 && l->cfg.port != 0) {
		(void)snprintf(l->listen_note, sizeof(l->listen_note),
			"port %u was taken", l->cfg.port);
		err = listen_everywhere(l, 0);
	}
	if (err == 0)
		return 0;
	(void)snprintf(
		error, LOOP_ERROR_TEXT_MAX, "listening: %s", uv_strerror(err));
	return P2P_ERR_IO;
}

/* ---- own addresses ----------------------------------------------------- */

static void listen_add(
	struct own_listen *f, const struct maddr *a, unsigned interface)
{
	for (size_t i = 0; i < f->count; i++)
		if (maddr_equal(&f->addrs[i], a))
			return;
	if (f->count == DISCOVERY_ADDRESSES_MAX)
		return;
	f->interface[f->count] = interface;
	f->addrs[f->count++] = *a;
}

/* Where a socket listens: ip is empty when it could not be asked, port is of
 * both; all of a family is its address of zeros. */
struct where {
	struct sockaddr_storage ss;
	struct bytes ip;
	uint16_t port;
};

static void where_of(struct where *w, const uv_tcp_t *tcp)
{
	const void *raw = &w->ss;
	const struct sockaddr_in *in = raw;
	const struct sockaddr_in6 *in6 = raw;
	int len = sizeof(w->ss);

	*w = (struct where){.ss = {.ss_family = AF_UNSPEC}};
	if (uv_tcp_getsockname(tcp, (struct sockaddr *)&w->ss, &len) != 0)
		return;
	if (w->ss.ss_family == AF_INET) {
		w->ip = bytes_of(&in->sin_addr, 4);
		w->port = ntohs(in->sin_port);
	} else {
		w->ip = bytes_of(&in6->sin6_addr, 16);
		w->port = ntohs(in6->sin6_port);
	}
}

static bool is_everywhere(const struct where *w)
{
	static const uint8_t zeros[16];

	return w->ip.len > 0 && bytes_equal(w->ip, bytes_of(zeros, w->ip.len));
}

/* The interface of one of our own addresses. */
static unsigned interface_of(const struct loop *l, struct bytes ip)
{
	for (size_t i = 0; i < l->own_count; i++)
		if (bytes_equal(ip, bytes_of(l->own[i].ip, l->own[i].ip_len)))
			return l->own[i].interface;
	return 0;
}

static void add_given(
	struct loop *l, struct own_listen *f, const struct where *w)
{
	struct maddr a;

	if (w->ip.len == 0 || is_everywhere(w))
		return;
	maddr_from_ip(&a, w->ip, NULL, w->port);
	listen_add(f, &a, interface_of(l, w->ip));
}

static void add_own(struct own_listen *f, const struct own_address *o,
	const struct where *w)
{
	struct maddr a;

	if (!is_everywhere(w) || w->ip.len != o->ip_len)
		return;
	/* Without a zone: that is the reader's own business. */
	maddr_from_ip(&a, bytes_of(o->ip, o->ip_len), NULL, w->port);
	listen_add(f, &a, o->interface);
}

static void find_listens(struct loop *l, struct own_listen *f)
{
	struct where at[LOOP_LISTEN_MAX];

	for (size_t i = 0; i < l->listener_count; i++) {
		where_of(&at[i], &l->listeners[i]);
		add_given(l, f, &at[i]);
	}
	for (size_t k = 0; k < l->own_count; k++)
		for (size_t i = 0; i < l->listener_count; i++)
			add_own(f, &l->own[k], &at[i]);
}

bool listen_addresses(struct loop *l)
{
	struct own_listen *f = xcalloc(1, sizeof(*f));
	bool same;

	free(l->own);
	l->own_count = own_read(&l->own);
	find_listens(l, f);
	same = f->count == l->listens.count;
	for (size_t i = 0; same && i < f->count; i++)
		same = maddr_equal(&f->addrs[i], &l->listens.addrs[i]) &&
		       f->interface[i] == l->listens.interface[i];
	l->listens = *f;
	free(f);
	return !same;
}

/* ---- changes ----------------------------------------------------------- */

/* FNV-1a: nobody gains by making two sets of interfaces look alike. */
static uint64_t mix(uint64_t h, const void *data, size_t len)
{
	const uint8_t *p = data;

	while (len-- > 0)
		h = (h ^ *p++) * UINT64_C(0x100000001b3);
	return h;
}

/* Of every interface that is up and has a cable. */
static uint64_t mark_of_interfaces(void)
{
	uv_interface_address_t *list = NULL;
	uint64_t h = UINT64_C(0xcbf29ce484222325);
	int count = 0;

	if (uv_interface_addresses(&list, &count) != 0)
		return 0;
	for (int i = 0; i < count; i++) {
		const struct sockaddr_in *in = &list[i].address.address4;
		const struct sockaddr_in6 *in6 = &list[i].address.address6;

		h = mix(h, list[i].name, strlen(list[i].name) + 1);
		h = mix(h, list[i].phys_addr, sizeof(list[i].phys_addr));
		if (in->sin_family == AF_INET)
			h = mix(h, &in->sin_addr, sizeof(in->sin_addr));
		else
			h = mix(h, &in6->sin6_addr, sizeof(in6->sin6_addr));
	}
	uv_free_interface_addresses(list, count);
	return h;
}

bool listen_interfaces_changed(struct loop *l)
{
	uint64_t before = l->interfaces_mark;

	l->interfaces_mark = mark_of_interfaces();
	return l->interfaces_mark != before;
}

/*
 * TCP connections. A struct carrier lives from dial or accept until libuv has
 * closed its handle; `conn` is 0 once the node has let go of it.
 */
#include "net/loop/loop_internal.h"

#include <net/if.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>

#include "base/xmalloc.h"

static struct carrier *carrier_find(const struct loop *l, uint64_t conn)
{
	return table_get(&l->carriers, bytes_of(&conn, sizeof(conn)));
}

static struct carrier *carrier_new(struct loop *l)
{
	struct carrier *c = xcalloc(1, sizeof(*c));

	c->loop = l;
	c->try_until_ms = P2P_NEVER;
	P2P_ASSERT(uv_tcp_init(&l->uv, &c->tcp) == 0);
	c->tcp.data = c;
	return c;
}

static void on_handle_closed(uv_handle_t *h)
{
	struct carrier *c = h->data;

	/* A name being looked up still points here: its end frees. */
	if (c->resolving) {
		c->closing = true;
		return;
	}
	free(c->chunk);
	free(c);
}

static void close_handle(struct carrier *c)
{
	if (!uv_is_closing((uv_handle_t *)&c->tcp))
		uv_close((uv_handle_t *)&c->tcp, on_handle_closed);
}

/* Takes the carrier away from the node's view. */
static void detach(struct carrier *c)
{
	if (c->conn == 0)
		return;
	(void)table_remove(
		&c->loop->carriers, bytes_of(&c->conn, sizeof(c->conn)));
	c->conn = 0;
}

static void attach(struct carrier *c, uint64_t conn)
{
	c->conn = conn;
	(void)table_put(&c->loop->carriers, bytes_of(&conn, sizeof(conn)), c);
}

/* The carrier ended on its own. */
static void fail(struct carrier *c)
{
	struct node_event ev = {.kind = NODE_EV_CLOSED, .conn = c->conn};
	struct loop *l = c->loop;

	if (c->conn == 0)
		return;
	detach(c);
	close_handle(c);
	loop_step(l, &ev);
}

static void set_options(struct carrier *c)
{
	unsigned timeout_ms = LOOP_TCP_USER_TIMEOUT_MS;
	uv_os_fd_t fd;

	(void)uv_tcp_nodelay(&c->tcp, 1);
	(void)uv_tcp_keepalive(&c->tcp, 1, LOOP_TCP_KEEPALIVE_S);
	if (uv_fileno((uv_handle_t *)&c->tcp, &fd) != 0)
		return;
#ifdef TCP_USER_TIMEOUT
	(void)setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &timeout_ms,
		sizeof(timeout_ms));
#else
	(void)timeout_ms;
#endif
}

static bool peer_address(uv_tcp_t *tcp, struct maddr *a)
{
	struct sockaddr_storage ss = {.ss_family = AF_UNSPEC};
	const void *raw = &ss;
	int len = sizeof(ss);
	char zone[IF_NAMESIZE] = "";

	if (uv_tcp_getpeername(tcp, (struct sockaddr *)&ss, &len) != 0)
		return false;
	if (ss.ss_family == AF_INET) {
		const struct sockaddr_in *in = raw;

		maddr_from_ip(a, bytes_of(&in->sin_addr, 4), NULL,
			ntohs(in->sin_port));
		return true;
	}
	if (ss.ss_family == AF_INET6) {
		const struct sockaddr_in6 *in6 = raw;

		if (in6->sin6_scope_id != 0)
			(void)if_indextoname(in6->sin6_scope_id, zone);
		maddr_from_ip(a, bytes_of(&in6->sin6_addr, 16), zone,
			ntohs(in6->sin6_port));
		return true;
	}
	return false;
}

/* ---- reading ----------------------------------------------------------- */

/*
 * How much one carrier is read in this turn. libuv goes on with one socket as
 * long as it fills the buffer, up to 32 times, so that whoever pours makes all
 * others wait for megabytes. Here each is read once a turn, and those who
 * filled their share share what is read of them all: who says little waits for
 * little. A buffer of no bytes ends libuv's own loop without a call.
 */
static size_t share_of(struct carrier *c)
{
	struct loop *l = c->loop;
	size_t share = LOOP_TURN_BYTES / P2P_MAX(l->pouring, 1);
	bool young = c->brought < LOOP_YOUNG_BYTES;

	if (c->read_turn == l->turn ||
		(young && l->young >= LOOP_YOUNG_READS_A_TURN))
		return 0;
	l->young += young;
	c->read_turn = l->turn;
	share = P2P_MAX(share, (size_t)LOOP_READ_BYTES_MIN);
	return P2P_MIN(share, sizeof(l->read_buffer));
}

static void on_alloc(uv_handle_t *h, size_t suggested, uv_buf_t *buf)
{
	struct carrier *c = h->data;

	(void)suggested;
	/* One buffer serves all: what is read is used before the next read. */
	buf->base = (char *)c->loop->read_buffer;
	buf->len = share_of(c);
}

static void on_read(uv_stream_t *s, ssize_t n, const uv_buf_t *buf)
{
	struct carrier *c = s->data;
	struct node_event ev = {.kind = NODE_EV_BYTES, .conn = c->conn};

	/* Its share of this turn is used up. */
	if (c->conn == 0 || n == UV_ENOBUFS)
		return;
	if (n < 0) {
		fail(c);
		return;
	}
	c->loop->poured += (size_t)n == buf->len;
	if (c->brought < LOOP_YOUNG_BYTES)
		c->brought += (size_t)n;
	ev.bytes = bytes_of(buf->base, (size_t)n);
	if (n > 0)
		loop_step(c->loop, &ev);
}

static void start_reading(struct carrier *c)
{
	if (!c->reading &&
		uv_read_start((uv_stream_t *)&c->tcp, on_alloc, on_read) == 0)
		c->reading = true;
}

void carrier_pause(struct loop *l, uint64_t conn, bool pause)
{
	struct carrier *c = carrier_find(l, conn);

	if (c == NULL || c->dialing)
		return;
	if (!pause) {
		start_reading(c);
	} else if (c->reading) {
		(void)uv_read_stop((uv_stream_t *)&c->tcp);
		c->reading = false;
	}
}

/* ---- writing ----------------------------------------------------------- */

static void tell_written(struct loop *l, uint64_t conn, size_t n)
{
	struct node_event ev = {
		.kind = NODE_EV_WRITTEN, .conn = conn, .count = n};

	loop_step(l, &ev);
}

static void on_written(uv_write_t *req, int status)
{
	struct carrier *c = req->data;
	struct loop *l = c->loop;
	uint64_t conn = c->conn;

	c->writing = false;
	if (c->close_after_write) {
		close_handle(c);
		return;
	}
	if (conn == 0)
		return;
	if (status != 0) {
		fail(c);
		return;
	}
	carrier_flush(l, conn);
}

/* The kernel takes no more now: one chunk waits in libuv, the rest stays in
 * the node's bounded queue. Returns the bytes that wait. */
static size_t write_chunk(struct carrier *c, struct bytes out)
{
	uv_buf_t buf;

	if (c->chunk == NULL)
		c->chunk = xmalloc(LOOP_WRITE_CHUNK_BYTES);
	out = bytes_first(out, LOOP_WRITE_CHUNK_BYTES);
	memcpy(c->chunk, out.data, out.len);
	buf = uv_buf_init((char *)c->chunk, (unsigned)out.len);
	c->write.data = c;
	if (uv_write(&c->write, (uv_stream_t *)&c->tcp, &buf, 1, on_written) !=
		0)
		return 0;
	c->writing = true;
	return out.len;
}

/* Writes some of what waits; false when nothing more can be done now. */
static bool write_some(struct loop *l, uint64_t conn)
{
	struct carrier *c = carrier_find(l, conn);
	struct bytes out;
	uv_buf_t buf;
	size_t done;
	int n;

	if (c == NULL || c->dialing || c->writing)
		return false;
	out = node_out_peek(l->node, &l->env, conn);
	if (out.len == 0)
		return false;
	/* libuv's buffers are not const, though it only reads from them. */
	buf.base = (char *)(uintptr_t)out.data;
	buf.len = P2P_MIN(out.len, (size_t)INT32_MAX);
	n = uv_try_write((uv_stream_t *)&c->tcp, &buf, 1);
	if (n < 0 && n != UV_EAGAIN) {
		fail(c);
		return false;
	}
	done = n > 0 ? (size_t)n : write_chunk(c, out);
	if (done == 0) {
		fail(c);
		return false;
	}
	tell_written(l, conn, done);
	return true;
}

void carrier_flush(struct loop *l, uint64_t conn)
{
	while (write_some(l, conn))
		;
}

/* ---- accepting --------------------------------------------------------- */

void carrier_accept(struct loop *l, uv_stream_t *listener)
{
	struct node_event ev = {.kind = NODE_EV_ACCEPTED};
	struct carrier *c = carrier_new(l);

	if (uv_accept(listener, (uv_stream_t *)&c->tcp) != 0 ||
		!peer_address(&c->tcp, &c->remote)) {
		close_handle(c);
		return;
	}
	set_options(c);
	ev.addr = c->remote;
	loop_step(l, &ev);
	if (ev.conn == 0) {
		close_handle(c);
		return;
	}
	attach(c, ev.conn);
	start_reading(c);
	carrier_flush(l, ev.conn);
}

/* ---- dialling ---------------------------------------------------------- */

static void try_next(struct carrier *c);

static void dial_failed(struct carrier *c, const char *why)
{
	struct node_event ev = {
		.kind = NODE_EV_DIAL_FAILED, .conn = c->conn, .text = why};
	struct loop *l = c->loop;

	if (c->conn == 0)
		return;
	detach(c);
	close_handle(c);
	loop_step(l, &ev);
}

/* A name has several addresses: a socket that failed is of no more use, and
 * the next address may be of another family. */
static void try_elsewhere(struct carrier *c, int err)
{
	uint64_t conn = c->conn;
	struct carrier *next;

	if (c->try_next >= c->try_count) {
		dial_failed(c, uv_strerror(err));
		return;
	}
	next = carrier_new(c->loop);
	next->dialing = true;
	next->remote = c->remote;
	memcpy(next->tries, c->tries, sizeof(next->tries));
	next->try_count = c->try_count;
	next->try_next = c->try_next;
	detach(c);
	close_handle(c);
	attach(next, conn);
	try_next(next);
}

static void on_connect(uv_connect_t *req, int status)
{
	struct carrier *c = req->data;
	struct node_event ev = {.kind = NODE_EV_CONNECTED, .conn = c->conn};
	uint64_t conn = c->conn;

	if (conn == 0 || uv_is_closing((uv_handle_t *)&c->tcp))
		return;
	if (status != 0) {
		try_elsewhere(c, status);
		return;
	}
	c->dialing = false;
	set_options(c);
	(void)peer_address(&c->tcp, &c->remote);
	ev.addr = c->remote;
	start_reading(c);
	loop_step(c->loop, &ev);
}

/* One that gives no answer at all must not use up the time of the others. */
static void limit_try(struct carrier *c)
{
	struct loop *l = c->loop;

	c->try_until_ms = P2P_NEVER;
	if (c->try_next >= c->try_count)
		return;
	c->try_until_ms = uv_now(&l->uv) + LOOP_TRY_MS;
	if (!uv_is_active((const uv_handle_t *)&l->tries))
		(void)uv_timer_start(
			&l->tries, carriers_try_on, LOOP_TRY_MS, 0);
}

static void try_next(struct carrier *c)
{
	int err;

	if (c->try_next >= c->try_count) {
		dial_failed(c, "no address found");
		return;
	}
	c->connect.data = c;
	err = uv_tcp_connect(&c->connect, &c->tcp,
		(const struct sockaddr *)&c->tries[c->try_next++], on_connect);
	if (err != 0)
		try_elsewhere(c, err);
	else
		limit_try(c);
}

/* The dial whose address has had its time first, or NULL. */
static struct carrier *first_to_try_on(const struct loop *l)
{
	struct table_entry *e, *tmp;
	struct carrier *first = NULL;

	TABLE_FOREACH(e, tmp, &l->carriers) {
		struct carrier *c = e->value;

		if (c->dialing && c->try_until_ms != P2P_NEVER &&
			(first == NULL ||
				c->try_until_ms < first->try_until_ms))
			first = c;
	}
	return first;
}

void carriers_try_on(uv_timer_t *t)
{
	struct loop *l = t->data;
	struct carrier *c;
	uint64_t now_ms;

	while ((c = first_to_try_on(l)) != NULL) {
		now_ms = uv_now(&l->uv);
		if (c->try_until_ms > now_ms) {
			(void)uv_timer_start(t, carriers_try_on,
				c->try_until_ms - now_ms, 0);
			return;
		}
		try_elsewhere(c, UV_ETIMEDOUT);
	}
}

static void on_resolved(
	uv_getaddrinfo_t *req, int status, struct addrinfo *list)
{
	struct carrier *c = req->data;

	c->resolving = false;
	if (c->closing) {
		uv_freeaddrinfo(list);
		free(c->chunk);
		free(c);
		return;
	}
	for (struct addrinfo *a = list; a != NULL; a = a->ai_next) {
		if (c->try_count >= LOOP_DNS_RESULTS_MAX)
			break;
		memcpy(&c->tries[c->try_count++], a->ai_addr, a->ai_addrlen);
	}
	uv_freeaddrinfo(list);
	if (c->conn == 0)
		return;
	if (status != 0)
		dial_failed(c, uv_strerror(status));
	else
		try_next(c);
}

static void resolve(struct carrier *c, const struct maddr_tcp *tcp)
{
	struct addrinfo hints = {.ai_socktype = SOCK_STREAM};
	char port[8];
	int err;

	if (tcp->host == MULTIADDR_DNS4)
		hints.ai_family = AF_INET;
	if (tcp->host == MULTIADDR_DNS6)
		hints.ai_family = AF_INET6;
	(void)snprintf(port, sizeof(port), "%u", tcp->port);
	c->resolve.data = c;
	err = uv_getaddrinfo(&c->loop->uv, &c->resolve, on_resolved, tcp->name,
		port, &hints);
	c->resolving = err == 0;
	if (err != 0)
		dial_failed(c, uv_strerror(err));
}

static void add_ip(struct carrier *c, const struct maddr_tcp *tcp)
{
	void *to = &c->tries[c->try_count++];

	if (tcp->host == MULTIADDR_IP4) {
		struct sockaddr_in *in = to;

		in->sin_family = AF_INET;
		in->sin_port = htons(tcp->port);
		memcpy(&in->sin_addr, tcp->ip, 4);
	} else {
		struct sockaddr_in6 *in6 = to;

		in6->sin6_family = AF_INET6;
		in6->sin6_port = htons(tcp->port);
		memcpy(&in6->sin6_addr, tcp->ip, 16);
		if (tcp->zone[0] != '\0')
			in6->sin6_scope_id = if_nametoindex(tcp->zone);
	}
}

void carrier_dial(struct loop *l, uint64_t conn, const struct maddr *addr)
{
	struct carrier *c = carrier_new(l);
	struct maddr_tcp tcp;

	attach(c, conn);
	c->dialing = true;
	c->remote = *addr;
	if (!maddr_to_tcp(addr, &tcp)) {
		dial_failed(c, "not a TCP address");
		return;
	}
	if (tcp.host == MULTIADDR_IP4 || tcp.host == MULTIADDR_IP6) {
		add_ip(c, &tcp);
		try_next(c);
	} else {
		resolve(c, &tcp);
	}
}

/* ---- closing ----------------------------------------------------------- */

void carrier_close(struct loop *l, uint64_t conn)
{
	struct carrier *c = carrier_find(l, conn);

	if (c == NULL)
		return;
	detach(c);
	if (c->resolving)
		(void)uv_cancel((uv_req_t *)&c->resolve);
	if (c->writing)
		c->close_after_write = true;
	else
		close_handle(c);
}

void carrier_handle_closed(uv_handle_t *h)
{
	on_handle_closed(h);
}

void carriers_close_all(struct loop *l)
{
	struct table_entry *e, *tmp;

	TABLE_FOREACH(e, tmp, &l->carriers) {
		struct carrier *c = e->value;

		detach(c);
		if (c->resolving)
			(void)uv_cancel((uv_req_t *)&c->resolve);
		close_handle(c);
	}
}

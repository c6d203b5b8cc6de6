/*
 * TCP connections. A struct carrier lives from dial or accept until libuv has
 * closed its handle; `conn` is 0 before it is the node's, while dialer.c has
 * it, and once the node has let go of it.
 */
#include "net/loop/loop_internal.h"

#include <net/if.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <sys/resource.h>

#include "base/xmalloc.h"

static struct carrier *carrier_find(const struct loop *l, uint64_t conn)
{
	return table_get(&l->carriers, bytes_of(&conn, sizeof(conn)));
}

struct carrier *carrier_new(struct loop *l)
{
	struct carrier *c = xcalloc(1, sizeof(*c));

	c->loop = l;
	list_init(&c->of_dial);
	P2P_ASSERT(uv_tcp_init(&l->uv, &c->tcp) == 0);
	c->tcp.data = c;
	return c;
}

static void on_handle_closed(uv_handle_t *h)
{
	struct carrier *c = h->data;

	free(c->chunk);
	free(c);
}

void carrier_drop(struct carrier *c)
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
	carrier_drop(c);
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

	if (c == NULL)
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
		carrier_drop(c);
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

	if (c == NULL || c->writing)
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

/* The lowest free number is given out, so a high one says that all below it are
 * taken. The last ones are for what we open ourselves. */
static bool is_among_the_last(struct loop *l, const struct carrier *c)
{
	struct rlimit limit;
	uv_os_fd_t fd;

	if (uv_fileno((const uv_handle_t *)&c->tcp, &fd) != 0 ||
		getrlimit(RLIMIT_NOFILE, &limit) != 0 ||
		(rlim_t)fd + LOOP_FILES_LEFT < limit.rlim_cur)
		return false;
	if (uv_now(&l->uv) < l->files_say_ms)
		return true;
	l->files_say_ms = uv_now(&l->uv) + LOOP_FILES_SAY_MS;
	log_printf(l->env.log, LOG_LEVEL_WARN,
		"the limit of open files (%llu) is reached: whoever connects "
		"now is turned away; start with more, e.g. ulimit -n 1024",
		(unsigned long long)limit.rlim_cur);
	return true;
}

void carrier_end_one(struct loop *l)
{
	struct table_entry *e = table_oldest(&l->carriers);

	if (e != NULL)
		fail(e->value);
}

void carrier_accept(struct loop *l, uv_stream_t *listener)
{
	struct node_event ev = {.kind = NODE_EV_ACCEPTED};
	struct carrier *c = carrier_new(l);

	if (uv_accept(listener, (uv_stream_t *)&c->tcp) != 0 ||
		!peer_address(&c->tcp, &c->remote) || is_among_the_last(l, c)) {
		carrier_drop(c);
		return;
	}
	set_options(c);
	ev.addr = c->remote;
	loop_step(l, &ev);
	if (ev.conn == 0) {
		carrier_drop(c);
		return;
	}
	attach(c, ev.conn);
	start_reading(c);
	carrier_flush(l, ev.conn);
}

/* ---- dialled ----------------------------------------------------------- */

void carrier_begin(struct carrier *c, uint64_t conn)
{
	struct node_event ev = {.kind = NODE_EV_CONNECTED, .conn = conn};

	set_options(c);
	/* It may have gone again: that is heard when it is read. */
	if (!peer_address(&c->tcp, &ev.addr))
		ev.addr = c->remote;
	attach(c, conn);
	start_reading(c);
	loop_step(c->loop, &ev);
}

/* ---- closing ----------------------------------------------------------- */

void carrier_close(struct loop *l, uint64_t conn)
{
	struct carrier *c = carrier_find(l, conn);

	if (c == NULL) {
		dial_cancel(l, conn);
		return;
	}
	detach(c);
	if (c->writing)
		c->close_after_write = true;
	else
		carrier_drop(c);
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
		carrier_drop(c);
	}
}

/*
 * A load generator: one gossip peer that signs many lines of several authors
 * ahead, dials, and then publishes them as fast as they are taken.
 *
 *   flood PORT PEER_ID TOPIC LINES AUTHORS [forged]
 *
 * Forged lines have wrong signatures and are sent again and again, until stdin
 * closes.
 *
 * Prints one JSON object a line: `ready` when the other side would take lines,
 * `sent` when the last one has left. It begins at the first byte on stdin and
 * ends when stdin closes. Times are nanoseconds of CLOCK_MONOTONIC, the clock
 * that the program which started it reads, too.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "base/xmalloc.h"
#include "net/unit/unit.h"
#include "net/upgrade/multistream.h"
#include "net/upgrade/upgrader.h"
#include "net/wire/pb.h"
#include "net/wire/varint.h"

#define STREAMS_MAX 64
#define STREAM_OUT_BYTES 8192
#define DATA_BYTES_MAX 1024
#define READ_BYTES 65536
#define PATIENCE_NS UINT64_C(60000000000)

static const char *const served_names[] = {
	"/ipfs/id/1.0.0", "/ipfs/ping/1.0.0", "/meshsub/1.1.0", NULL};
static const char *const gossip_name[] = {"/meshsub/1.1.0", NULL};

enum served { SERVE_IDENTIFY, SERVE_PING, SERVE_GOSSIP };

/* A stream that the other side opened. */
struct stream {
	uint64_t id; /* 0: free */
	struct multistream ms;
	struct bufq out;
	bool told; /* identify was written */
};

struct flood {
	int fd;
	struct env env;
	struct rng rng;
	struct budget budget;
	struct identity me;
	struct channel *up;
	struct stream streams[STREAMS_MAX];
	uint8_t in[READ_BYTES];
	size_t in_len;

	const char *topic;
	size_t lines;
	size_t authors;
	struct buf rpcs; /* what the gossip stream shall carry */
	size_t sent;
	uint64_t gossip; /* our stream; 0: not open yet */
	struct multistream gossip_ms;
	struct bufq gossip_head;
	size_t first; /* bytes of the subscription, at the front */
	bool forged;
	bool wanted; /* the other side has opened its stream to us */
	bool told_ready, going, told_sent, over;
	uint64_t go_ns;
};

static uint64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * UINT64_C(1000000000) +
	       (uint64_t)ts.tv_nsec;
}

static P2P_NORETURN void fail(const char *what, int err)
{
	fprintf(stderr, "flood: %s: %s\n", what, p2p_err_text(err));
	exit(1);
}

/* ---- the lines --------------------------------------------------------- */

struct author {
	struct identity me;
	char text[PEER_ID_TEXT_MAX];
	uint64_t seq;
	struct unit_id prev;
};

/* A line as this program writes it, 87 bytes of text. */
static size_t write_payload(
	const struct author *a, size_t number, uint64_t time_ms, char *out)
{
	char prev[2 * UNIT_ID_BYTES + 16] = "";
	size_t n = 0;

	if (a->seq > 1) {
		n = (size_t)snprintf(prev, sizeof(prev), ",\"prev\":\"");
		for (size_t i = 0; i < UNIT_ID_BYTES; i++)
			n += (size_t)snprintf(prev + n, sizeof(prev) - n,
				"%02x", a->prev.raw[i]);
		(void)snprintf(prev + n, sizeof(prev) - n, "\"");
	}
	return (size_t)snprintf(out, DATA_BYTES_MAX,
		"{\"type\":\"message\",\"content\":\"line %08zu of many that "
		"arrive at once: how many can be taken in and kept, though?\","
		"\"username\":\"flood\",\"timestamp\":%" PRIu64
		",\"from\":\"%s\",\"v\":1,\"time_ms\":%" PRIu64
		",\"seq\":%" PRIu64 "%s}",
		number, time_ms / 1000, a->text, time_ms, a->seq, prev);
}

static void add_line(struct flood *f, struct author *a, size_t number)
{
	uint64_t time_ms = f->env.wall_ms - f->lines + number;
	struct buf unit, rpc;
	char data[DATA_BYTES_MAX];
	struct unit u;
	size_t len;

	buf_init(&unit, UNIT_BYTES_MAX);
	buf_init(&rpc, UNIT_BYTES_MAX + 16);
	a->seq++;
	len = write_payload(a, number, time_ms, data);
	if (unit_sign(&a->me, time_ms * 1000000 + number, bytes_str(f->topic),
		    bytes_of(data, len), &unit) != 0 ||
		unit_parse(&u, buf_bytes(&unit)) != 0)
		fail("unit", P2P_ERR_TOO_BIG);
	unit_id_of(&u, &a->prev);
	if (f->forged)
		unit.data[u.signature.data - unit.data] ^= 1;
	pb_put_bytes(&rpc, 2, buf_bytes(&unit));
	if (varint_frame_append(&f->rpcs, buf_bytes(&rpc)) != 0)
		fail("lines", P2P_ERR_TOO_BIG);
	buf_clear(&unit);
	buf_clear(&rpc);
}

static void add_subscription(struct flood *f)
{
	struct buf rpc;
	size_t mark;

	buf_init(&rpc, 512);
	mark = pb_begin(&rpc, 1);
	pb_put_uint(&rpc, 1, 1);
	pb_put_bytes(&rpc, 2, bytes_str(f->topic));
	pb_end(&rpc, mark);
	if (varint_frame_append(&f->rpcs, buf_bytes(&rpc)) != 0)
		fail("subscription", P2P_ERR_TOO_BIG);
	buf_clear(&rpc);
}

static void sign_all(struct flood *f)
{
	struct author *authors = xcalloc(f->authors, sizeof(*authors));
	uint8_t seed[32];

	buf_init(&f->rpcs, (f->lines + 1) * 1024);
	add_subscription(f);
	for (size_t i = 0; i < f->authors; i++) {
		rng_fill(&f->rng, seed, sizeof(seed));
		identity_from_seed(&authors[i].me, seed);
		(void)peer_id_text(&authors[i].me.id, authors[i].text);
	}
	for (size_t i = 0; i < f->lines; i++)
		add_line(f, &authors[i % f->authors], i);
	free(authors);
}

/* ---- streams that the other side opens --------------------------------- */

static struct stream *stream_of(struct flood *f, uint64_t id)
{
	for (size_t i = 0; i < STREAMS_MAX; i++) {
		if (f->streams[i].id == id)
			return &f->streams[i];
	}
	return NULL;
}

static void stream_opened(struct flood *f, uint64_t id)
{
	struct stream *s = stream_of(f, 0);

	if (s == NULL || channel_stream_accept(f->up, id) != 0)
		fail("accept", P2P_ERR_LIMIT);
	*s = (struct stream){.id = id};
	bufq_init(&s->out, STREAM_OUT_BYTES);
	if (multistream_init(&s->ms, served_names, false, &s->out) != 0)
		fail("accept", P2P_ERR_FULL);
}

static void stream_flush(struct flood *f, struct stream *s)
{
	size_t taken;

	if (channel_stream_write(f->up, s->id, bufq_peek(&s->out), &taken) == 0)
		bufq_consume(&s->out, taken);
	if (s->told && s->out.len == 0)
		(void)channel_stream_close_write(f->up, s->id);
}

static void serve_identify(struct flood *f, struct stream *s)
{
	struct buf b, framed;

	if (s->told)
		return;
	s->told = true;
	buf_init(&b, 2048);
	buf_init(&framed, 2048);
	pb_put_bytes(&b, 1, bytes_of(f->me.public_pb, KEY_ED25519_PB_BYTES));
	for (size_t i = 0; served_names[i] != NULL; i++)
		pb_put_bytes(&b, 3, bytes_str(served_names[i]));
	pb_put_bytes(&b, 5, bytes_str("ipfs/0.1.0"));
	pb_put_bytes(&b, 6, bytes_str("p2pchat-tui bench flood"));
	if (varint_frame_append(&framed, buf_bytes(&b)) != 0 ||
		bufq_push(&s->out, buf_bytes(&framed)) != 0)
		fail("identify", P2P_ERR_FULL);
	buf_clear(&b);
	buf_clear(&framed);
}

static void serve(struct flood *f, struct stream *s, struct bytes in)
{
	switch ((enum served)multistream_chosen(&s->ms)) {
	case SERVE_IDENTIFY:
		serve_identify(f, s);
		break;
	case SERVE_PING:
		if (bufq_push(&s->out, in) != 0)
			fail("ping", P2P_ERR_FULL);
		break;
	case SERVE_GOSSIP:
		/* What it says does not matter; that it speaks does. */
		f->wanted = true;
		break;
	}
}

static void stream_read(struct flood *f, struct stream *s)
{
	bool end = false;
	struct bytes in = channel_stream_peek(f->up, s->id, &end);
	size_t taken = 0;

	if (!multistream_done(&s->ms)) {
		int err = multistream_feed(&s->ms, in, &taken, &s->out);

		if (err != 0)
			fail("negotiate", err);
	}
	if (multistream_done(&s->ms))
		serve(f, s, bytes_skip(in, taken));
	(void)channel_stream_consume(
		f->up, s->id, multistream_done(&s->ms) ? in.len : taken);
	stream_flush(f, s);
	(void)channel_stream_peek(f->up, s->id, &end);
	if (!end)
		return;
	(void)channel_stream_close_write(f->up, s->id);
	channel_stream_forget(f->up, s->id);
	bufq_clear(&s->out);
	s->id = 0;
}

/* ---- our stream -------------------------------------------------------- */

static void gossip_open(struct flood *f)
{
	int err = channel_stream_open(f->up, &f->env, &f->gossip);

	if (err != 0)
		fail("open", err);
	bufq_init(&f->gossip_head, 256);
	if (multistream_init(
		    &f->gossip_ms, gossip_name, true, &f->gossip_head) != 0)
		fail("open", P2P_ERR_FULL);
}

static void gossip_read(struct flood *f)
{
	bool end;
	struct bytes in = channel_stream_peek(f->up, f->gossip, &end);
	size_t taken = 0;
	int err = 0;

	if (!multistream_done(&f->gossip_ms))
		err = multistream_feed(
			&f->gossip_ms, in, &taken, &f->gossip_head);
	if (err != 0)
		fail("gossip", err);
	(void)channel_stream_consume(f->up, f->gossip, taken);
}

/* The subscription at once; the lines when the word has come. */
static void gossip_write(struct flood *f)
{
	struct bytes rest;
	size_t taken;

	if (f->gossip == 0)
		return;
	if (f->gossip_head.len > 0 &&
		channel_stream_write(f->up, f->gossip,
			bufq_peek(&f->gossip_head), &taken) == 0)
		bufq_consume(&f->gossip_head, taken);
	if (f->gossip_head.len > 0 || !multistream_done(&f->gossip_ms))
		return;
	rest = bytes_of(f->rpcs.data + f->sent,
		(f->going ? f->rpcs.len : f->first) - f->sent);
	if (rest.len > 0 &&
		channel_stream_write(f->up, f->gossip, rest, &taken) == 0)
		f->sent += taken;
	if (f->forged && f->sent == f->rpcs.len)
		f->sent = f->first;
}

/* ---- the connection ---------------------------------------------------- */

static void on_mux(struct flood *f, const struct mux_event *ev)
{
	struct stream *s;

	if (ev->kind == MUX_EV_OPENED) {
		stream_opened(f, ev->stream);
		return;
	}
	if (ev->kind != MUX_EV_READABLE && ev->kind != MUX_EV_RESET)
		return;
	s = ev->stream == 0 ? NULL : stream_of(f, ev->stream);
	if (s != NULL)
		stream_read(f, s);
	else if (ev->stream == f->gossip)
		gossip_read(f);
}

static void take_events(struct flood *f)
{
	struct channel_event ev;

	while (channel_next_event(f->up, &ev)) {
		if (ev.kind == CHANNEL_EV_READY)
			gossip_open(f);
		else if (ev.kind == CHANNEL_EV_MUX)
			on_mux(f, &ev.mux);
		else if (ev.kind == CHANNEL_EV_FAILED)
			fail("connection", ev.err);
	}
}

static void on_readable(struct flood *f)
{
	ssize_t n = read(f->fd, f->in + f->in_len, READ_BYTES - f->in_len);
	size_t taken;
	int err;

	if (n == 0)
		f->over = true;
	if (n > 0)
		f->in_len += (size_t)n;
	err = channel_feed(f->up, &f->env, bytes_of(f->in, f->in_len), &taken);
	memmove(f->in, f->in + taken, f->in_len - taken);
	f->in_len -= taken;
	take_events(f);
	if (err != 0)
		fail("connection", err);
}

/* True when the socket takes no more now. */
static bool write_out(struct flood *f)
{
	for (;;) {
		struct bytes out;
		ssize_t n;

		gossip_write(f);
		out = channel_out_peek(f->up, &f->env);
		if (out.len == 0)
			return false;
		n = write(f->fd, out.data, out.len);
		if (n < 0 && errno == EAGAIN)
			return true;
		if (n <= 0) {
			f->over = true;
			return false;
		}
		channel_out_consume(f->up, (size_t)n);
		take_events(f);
	}
}

static void say_progress(struct flood *f)
{
	if (f->wanted && !f->told_ready) {
		f->told_ready = true;
		printf("{\"event\":\"ready\",\"bytes\":%zu}\n", f->rpcs.len);
	}
	if (f->going && !f->told_sent && f->sent == f->rpcs.len) {
		f->told_sent = true;
		printf("{\"event\":\"sent\",\"from_ns\":%" PRIu64
		       ",\"to_ns\":%" PRIu64 "}\n",
			f->go_ns, now_ns());
	}
	fflush(stdout);
}

static void on_stdin(struct flood *f)
{
	char word[64];

	if (read(0, word, sizeof(word)) <= 0) {
		f->over = true;
		return;
	}
	if (!f->going)
		f->go_ns = now_ns();
	f->going = true;
}

static void run(struct flood *f)
{
	uint64_t until = now_ns() + PATIENCE_NS;

	while (!f->over && now_ns() < until) {
		struct pollfd p[2] = {{.fd = f->fd, .events = POLLIN},
			{.fd = 0, .events = POLLIN}};

		f->env.now_ms = now_ns() / 1000000;
		channel_tick(f->up, &f->env);
		take_events(f);
		if (write_out(f))
			p[0].events = POLLIN | POLLOUT;
		say_progress(f);
		(void)poll(p, 2, 200);
		if (p[0].revents & (POLLIN | POLLHUP | POLLERR))
			on_readable(f);
		if (p[1].revents != 0)
			on_stdin(f);
	}
}

static int dial(const char *port)
{
	struct sockaddr_in to = {
		.sin_family = AF_INET,
		.sin_port = htons((uint16_t)strtoul(port, NULL, 10)),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	int fd = socket(AF_INET, SOCK_STREAM, 0), one = 1;

	if (fd < 0 || connect(fd, (struct sockaddr *)&to, sizeof(to)) != 0)
		fail("dial", P2P_ERR_IO);
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	if (fcntl(fd, F_SETFL, O_NONBLOCK) != 0)
		fail("dial", P2P_ERR_IO);
	return fd;
}

int main(int argc, char **argv)
{
	static struct flood f;
	struct upgrader_cfg cfg = {
		.me = &f.me,
		.initiator = true,
		.early_muxers = true,
		.offer_yamux = true,
		.out_bytes_max = 196608,
		.muxer = {.budget = &f.budget,
			.streams_in_max = STREAMS_MAX / 2,
			.streams_unaccepted_max = 16,
			.ping_interval_ms = P2P_NEVER,
			.ping_timeout_ms = P2P_NEVER},
	};
	uint8_t seed[32];

	if (argc < 6 || argc > 7 || crypto_init() != 0 ||
		peer_id_parse_text(&cfg.expect, bytes_str(argv[2])) != 0) {
		fprintf(stderr, "usage: flood PORT PEER_ID TOPIC LINES AUTHORS"
				" [forged]\n");
		return 64;
	}
	f.topic = argv[3];
	f.lines = strtoul(argv[4], NULL, 10);
	f.authors = P2P_MAX(strtoul(argv[5], NULL, 10), 1UL);
	f.forged = argc == 7;
	rng_init_os(&f.rng);
	rng_fill(&f.rng, seed, sizeof(seed));
	identity_from_seed(&f.me, seed);
	budget_init(&f.budget, NULL, 16u << 20);
	f.env = (struct env){.now_ms = now_ns() / 1000000,
		.wall_ms = (uint64_t)time(NULL) * 1000,
		.rng = &f.rng,
		.budget = &f.budget};
	sign_all(&f);
	/* The length of the subscription: its prefix is one byte. */
	f.first = (size_t)f.rpcs.data[0] + 1;
	f.fd = dial(argv[1]);
	f.up = upgrader_new(&cfg, &f.env);
	run(&f);
	channel_free(f.up);
	buf_clear(&f.rpcs);
	identity_wipe(&f.me);
	close(f.fd);
	return f.told_sent || !f.going ? 0 : 1;
}

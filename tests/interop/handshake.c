/*
 * The stack below the node against one foreign peer, over TCP on loopback:
 * upgrade, identify both ways, ping both ways. One connection, then the end.
 *
 *   handshake [--no-early] [--yamux] [--mplex] dial PORT PEER_ID
 *   handshake [--no-early] [--yamux] [--mplex] listen
 *
 * Prints one JSON object a line: `listening`, `secured`, `upgraded`,
 * `identified`, `ping`, `served`, `done` or `failed`. Ends with 0 when the
 * peer was identified, answered or refused our pings, and read our identify.
 * Sockets and poll(2) are here only for this test.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "net/upgrade/multistream.h"
#include "net/upgrade/upgrader.h"
#include "net/wire/pb.h"
#include "net/wire/varint.h"

#define PATIENCE_MS 10000
#define STREAMS_MAX 64
#define STREAM_OUT_BYTES 8192
#define IDENTIFY_BYTES_MAX 16384
#define PING_BYTES 32
#define PINGS 100

static const char *const served_names[] = {
	"/ipfs/id/1.0.0", "/ipfs/ping/1.0.0", NULL};
static const char *const id_name[] = {"/ipfs/id/1.0.0", NULL};
static const char *const ping_name[] = {"/ipfs/ping/1.0.0", NULL};

enum job { JOB_ASKED, JOB_IDENTIFY, JOB_PING, JOB_NONE };

struct stream {
	uint64_t id; /* 0: free */
	enum job job;
	struct multistream ms;
	struct bufq out;
	bool served;  /* theirs: our identify was written */
	bool closing; /* close when out is empty */
};

struct run {
	int fd;
	struct env env;
	struct rng rng;
	struct budget budget;
	struct identity me;
	struct channel *up;
	struct stream streams[STREAMS_MAX];
	struct buf identify;
	uint8_t ping[PING_BYTES];
	unsigned pongs;
	uint64_t began_ms, pings_began_ms;
	bool identified, pinged, served, hung_up;
	uint64_t bytes_in, bytes_out;
};

static void say(const char *fmt, ...) P2P_PRINTF(1, 2);

static void say(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	vprintf(fmt, args);
	va_end(args);
	putchar('\n');
	fflush(stdout);
}

static void fail(const char *what, int err)
{
	say("{\"event\":\"failed\",\"at\":\"%s\",\"error\":\"%s\"}", what,
		p2p_err_name(err));
	exit(1);
}

/* What may stand in a JSON string as it is. */
static void print_clean(struct bytes text)
{
	for (size_t i = 0; i < text.len; i++) {
		uint8_t c = text.data[i];

		putchar(c < 0x20 || c > 0x7e || c == '"' || c == '\\' ? '?'
								      : c);
	}
}

/* ---- streams ----------------------------------------------------------- */

static struct stream *stream_of(struct run *r, uint64_t id)
{
	for (int i = 0; i < STREAMS_MAX; i++) {
		if (r->streams[i].id == id)
			return &r->streams[i];
	}
	return NULL;
}

static struct stream *stream_add(struct run *r, uint64_t id, enum job job)
{
	struct stream *s = stream_of(r, 0);

	if (s == NULL)
		fail("streams", P2P_ERR_LIMIT);
	*s = (struct stream){.id = id, .job = job};
	bufq_init(&s->out, STREAM_OUT_BYTES);
	return s;
}

static void stream_end(struct run *r, struct stream *s)
{
	channel_stream_forget(r->up, s->id);
	bufq_clear(&s->out);
	s->id = 0;
}

static void stream_flush(struct run *r, struct stream *s)
{
	size_t taken;

	if (channel_stream_write(r->up, s->id, bufq_peek(&s->out), &taken) != 0)
		return;
	bufq_consume(&s->out, taken);
	if (s->out.len == 0 && s->closing) {
		s->closing = false;
		(void)channel_stream_close_write(r->up, s->id);
	}
}

static void send_ping(struct run *r, struct stream *s)
{
	rng_fill(&r->rng, r->ping, PING_BYTES);
	if (bufq_push(&s->out, bytes_of(r->ping, PING_BYTES)) != 0)
		fail("ping", P2P_ERR_FULL);
}

static void ask(struct run *r, enum job job, const char *const *name)
{
	struct stream *s;
	uint64_t id;
	int err = channel_stream_open(r->up, &r->env, &id);

	if (err != 0)
		fail("open", err);
	s = stream_add(r, id, job);
	if (multistream_init(&s->ms, name, true, &s->out) != 0)
		fail("open", P2P_ERR_FULL);
	/* The first ping goes along with the proposal. */
	if (job == JOB_PING) {
		r->pings_began_ms = clock_now_ms();
		send_ping(r, s);
	}
	stream_flush(r, s);
}

/* ---- the jobs ---------------------------------------------------------- */

static void serve_identify(struct run *r, struct stream *s)
{
	struct buf b, framed;

	buf_init(&b, 2048);
	buf_init(&framed, 2048);
	pb_put_bytes(&b, 1, bytes_of(r->me.public_pb, KEY_ED25519_PB_BYTES));
	for (int i = 0; served_names[i] != NULL; i++)
		pb_put_bytes(&b, 3, bytes_str(served_names[i]));
	pb_put_bytes(&b, 5, bytes_str("ipfs/0.1.0"));
	pb_put_bytes(&b, 6, bytes_str("p2pchat-tui handshake test"));
	if (varint_frame_append(&framed, buf_bytes(&b)) != 0 ||
		bufq_push(&s->out, buf_bytes(&framed)) != 0)
		fail("identify", P2P_ERR_FULL);
	s->closing = true;
	s->served = true;
	r->served = true;
	say("{\"event\":\"served\",\"protocol\":\"%s\"}", served_names[0]);
	buf_clear(&b);
	buf_clear(&framed);
}

static size_t serve(struct run *r, struct stream *s, struct bytes in)
{
	size_t n = P2P_MIN(in.len, bufq_room(&s->out));

	if (multistream_chosen(&s->ms) == 0) {
		if (!s->served)
			serve_identify(r, s);
		return in.len;
	}
	if (n >= PING_BYTES)
		say("{\"event\":\"served\",\"protocol\":\"%s\"}",
			served_names[1]);
	if (bufq_push(&s->out, bytes_first(in, n)) != 0)
		fail("serve", P2P_ERR_FULL);
	return n;
}

static void tell_identify(struct run *r)
{
	struct bytes body;
	struct pb_field f;
	struct cursor c;
	size_t taken;

	if (varint_frame_peek(buf_bytes(&r->identify), IDENTIFY_BYTES_MAX,
		    &body, &taken) != 0 ||
		taken == 0)
		fail("identify", P2P_ERR_MALFORMED);
	printf("{\"event\":\"identified\",\"agent\":\"");
	for (c = cur_of(body); pb_next(&c, &f);) {
		if (f.number == 6)
			print_clean(f.bytes);
	}
	printf("\",\"protocols\":[");
	taken = 0;
	for (c = cur_of(body); pb_next(&c, &f);) {
		if (f.number != 3)
			continue;
		printf("%s\"", taken++ > 0 ? "," : "");
		print_clean(f.bytes);
		putchar('"');
	}
	say("],\"bytes\":%zu}", r->identify.len);
	if (cur_err(&c) != 0)
		fail("identify", cur_err(&c));
	r->identified = true;
}

static size_t take_pong(struct run *r, struct stream *s, struct bytes in)
{
	if (in.len < PING_BYTES)
		return 0;
	if (memcmp(in.data, r->ping, PING_BYTES) != 0)
		fail("pong", P2P_ERR_PROTOCOL);
	if (++r->pongs < PINGS) {
		send_ping(r, s);
	} else {
		say("{\"event\":\"ping\",\"answered\":%u,\"ms\":%llu}",
			r->pongs,
			(unsigned long long)(clock_now_ms() -
					     r->pings_began_ms));
		r->pinged = true;
		s->closing = true;
	}
	return PING_BYTES;
}

/* Uses what arrived behind the negotiation; returns the bytes used. */
static size_t stream_work(struct run *r, struct stream *s, struct bytes in)
{
	switch (s->job) {
	case JOB_ASKED:
		return serve(r, s, in);
	case JOB_IDENTIFY:
		if (buf_append(&r->identify, in) != 0)
			fail("identify", P2P_ERR_TOO_BIG);
		return in.len;
	case JOB_PING:
		return take_pong(r, s, in);
	case JOB_NONE:
		break;
	}
	return in.len;
}

static void refused(struct run *r, struct stream *s, int err)
{
	if (s->job == JOB_PING && err == P2P_ERR_NO_PROTOCOL) {
		say("{\"event\":\"ping\",\"answered\":0,\"ms\":0}");
		r->pinged = true;
	} else if (s->job != JOB_ASKED) {
		fail("negotiate", err);
	}
	s->job = JOB_NONE;
	(void)channel_stream_close_write(r->up, s->id);
}

static void stream_read(struct run *r, struct stream *s)
{
	size_t taken = 1;
	bool end = false;
	int err;

	while (s->job != JOB_NONE && taken > 0) {
		struct bytes in = channel_stream_peek(r->up, s->id, &end);

		taken = 0;
		if (!multistream_done(&s->ms)) {
			err = multistream_feed(&s->ms, in, &taken, &s->out);
			if (err != 0 && err != P2P_ERR_FULL) {
				refused(r, s, err);
				break;
			}
		}
		in = bytes_skip(in, taken);
		if (multistream_done(&s->ms))
			taken += stream_work(r, s, in);
		(void)channel_stream_consume(r->up, s->id, taken);
		stream_flush(r, s);
	}
	(void)channel_stream_peek(r->up, s->id, &end);
	if (!end)
		return;
	if (s->job == JOB_IDENTIFY && !r->identified)
		tell_identify(r);
	stream_flush(r, s);
	(void)channel_stream_close_write(r->up, s->id);
	stream_end(r, s);
}

/* ---- the connection ---------------------------------------------------- */

static void on_mux(struct run *r, const struct mux_event *ev)
{
	struct stream *s;

	if (ev->kind == MUX_EV_OPENED) {
		s = stream_add(r, ev->stream, JOB_ASKED);
		(void)channel_stream_accept(r->up, ev->stream);
		if (multistream_init(&s->ms, served_names, false, &s->out))
			fail("accept", P2P_ERR_FULL);
		return;
	}
	s = ev->stream == 0 ? NULL : stream_of(r, ev->stream);
	if (s == NULL)
		return;
	if (ev->kind == MUX_EV_READABLE || ev->kind == MUX_EV_RESET)
		stream_read(r, s);
	else if (ev->kind == MUX_EV_WRITABLE)
		stream_flush(r, s);
}

static void on_event(struct run *r, const struct channel_event *ev)
{
	char text[PEER_ID_TEXT_MAX];
	unsigned long long ms = clock_now_ms() - r->began_ms;

	switch (ev->kind) {
	case CHANNEL_EV_SECURED:
		say("{\"event\":\"secured\",\"peer\":\"%s\",\"ms\":%llu}",
			peer_id_text(channel_peer(r->up), text), ms);
		break;
	case CHANNEL_EV_READY:
		say("{\"event\":\"upgraded\",\"muxer\":\"%s\",\"ms\":%llu,"
		    "\"bytes_in\":%llu,\"bytes_out\":%llu}",
			channel_info(r->up).muxer, ms,
			(unsigned long long)r->bytes_in,
			(unsigned long long)r->bytes_out);
		ask(r, JOB_IDENTIFY, id_name);
		ask(r, JOB_PING, ping_name);
		break;
	case CHANNEL_EV_MUX:
		on_mux(r, &ev->mux);
		break;
	case CHANNEL_EV_FAILED:
		fail("connection", ev->err);
	}
}

static void write_out(struct run *r)
{
	struct bytes out;

	while ((out = channel_out_peek(r->up, &r->env)).len > 0) {
		ssize_t n = write(r->fd, out.data, out.len);

		if (n <= 0) {
			r->hung_up = true;
			return;
		}
		r->bytes_out += (uint64_t)n;
		channel_out_consume(r->up, (size_t)n);
	}
}

static void on_readable(struct run *r)
{
	uint8_t data[65536];
	ssize_t n = read(r->fd, data, sizeof(data));
	size_t at = 0;

	if (n <= 0) {
		r->hung_up = true;
		return;
	}
	r->bytes_in += (uint64_t)n;
	while (at < (size_t)n) {
		struct channel_event ev;
		size_t taken;
		int err = channel_feed(r->up, &r->env,
			bytes_of(data + at, (size_t)n - at), &taken);

		at += taken;
		while (channel_next_event(r->up, &ev))
			on_event(r, &ev);
		if (err != 0)
			fail("connection", err);
		write_out(r);
	}
}

static void talk(struct run *r)
{
	uint64_t until = r->began_ms + PATIENCE_MS;

	while (!r->identified || !r->pinged || !r->served) {
		struct pollfd p = {.fd = r->fd, .events = POLLIN};
		struct channel_event ev;

		r->env.now_ms = clock_now_ms();
		if (r->env.now_ms >= until)
			fail("talk", P2P_ERR_TIMEOUT);
		channel_tick(r->up, &r->env);
		write_out(r);
		while (channel_next_event(r->up, &ev))
			on_event(r, &ev);
		if (r->hung_up)
			fail("talk", P2P_ERR_CLOSED);
		if (poll(&p, 1, 20) > 0)
			on_readable(r);
	}
	write_out(r);
	channel_go_away(r->up);
	write_out(r);
	/* The last bytes are read by the peer before the end is. */
	shutdown(r->fd, SHUT_WR);
}

/* ---- sockets ----------------------------------------------------------- */

static struct sockaddr_in loopback(unsigned port)
{
	return (struct sockaddr_in){
		.sin_family = AF_INET,
		.sin_port = htons((uint16_t)port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
}

static int dial(const char *port)
{
	struct sockaddr_in to = loopback((unsigned)strtoul(port, NULL, 10));
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	if (fd < 0 || connect(fd, (struct sockaddr *)&to, sizeof(to)) != 0)
		fail("dial", P2P_ERR_IO);
	return fd;
}

static int await(const struct identity *me)
{
	struct sockaddr_in at = loopback(0);
	socklen_t len = sizeof(at);
	char text[PEER_ID_TEXT_MAX];
	int listener = socket(AF_INET, SOCK_STREAM, 0), fd;
	struct pollfd p = {.fd = listener, .events = POLLIN};

	if (listener < 0 ||
		bind(listener, (struct sockaddr *)&at, sizeof(at)) != 0 ||
		listen(listener, 1) != 0 ||
		getsockname(listener, (struct sockaddr *)&at, &len) != 0)
		fail("listen", P2P_ERR_IO);
	say("{\"event\":\"listening\",\"addr\":\"/ip4/127.0.0.1/tcp/%u/p2p/"
	    "%s\"}",
		ntohs(at.sin_port), peer_id_text(&me->id, text));
	if (poll(&p, 1, PATIENCE_MS) <= 0)
		fail("listen", P2P_ERR_TIMEOUT);
	fd = accept(listener, NULL, NULL);
	if (fd < 0)
		fail("listen", P2P_ERR_IO);
	close(listener);
	return fd;
}

static void usage(void)
{
	fprintf(stderr, "usage: handshake [--no-early] [--yamux] [--mplex] "
			"dial PORT PEER_ID | listen\n");
	exit(2);
}

static void parse(int argc, char **argv, struct upgrader_cfg *cfg, int *at)
{
	int i;

	for (i = 1; i < argc && argv[i][0] == '-'; i++) {
		if (strcmp(argv[i], "--no-early") == 0)
			cfg->early_muxers = false;
		else if (strcmp(argv[i], "--yamux") == 0)
			cfg->offer_mplex = false;
		else if (strcmp(argv[i], "--mplex") == 0)
			cfg->offer_yamux = false;
		else
			usage();
	}
	if (i < argc && strcmp(argv[i], "dial") == 0 && i + 3 == argc) {
		cfg->initiator = true;
		if (peer_id_parse_text(&cfg->expect, bytes_str(argv[i + 2])))
			usage();
	} else if (i + 1 != argc || strcmp(argv[i], "listen") != 0) {
		usage();
	}
	*at = i;
}

int main(int argc, char **argv)
{
	static struct run r;
	int at, one = 1;
	struct upgrader_cfg cfg = {
		.me = &r.me,
		.early_muxers = true,
		.offer_yamux = true,
		.offer_mplex = true,
		.out_bytes_max = 196608,
		.muxer =
			{
				.budget = &r.budget,
				.streams_in_max = STREAMS_MAX / 2,
				.streams_unaccepted_max = 16,
				.ping_interval_ms = 2000,
				.ping_timeout_ms = 5000,
			},
	};
	uint8_t seed[32];

	parse(argc, argv, &cfg, &at);
	if (crypto_init() != 0)
		fail("start", P2P_ERR_UNSUPPORTED);
	rng_init_os(&r.rng);
	rng_fill(&r.rng, seed, sizeof(seed));
	identity_from_seed(&r.me, seed);
	budget_init(&r.budget, NULL, 16u << 20);
	buf_init(&r.identify, IDENTIFY_BYTES_MAX);
	r.fd = cfg.initiator ? dial(argv[at + 1]) : await(&r.me);
	setsockopt(r.fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	r.began_ms = clock_now_ms();
	r.env = (struct env){
		.now_ms = r.began_ms, .rng = &r.rng, .budget = &r.budget};
	r.up = upgrader_new(&cfg, &r.env);
	talk(&r);
	say("{\"event\":\"done\",\"ms\":%llu}",
		(unsigned long long)(clock_now_ms() - r.began_ms));
	for (int i = 0; i < STREAMS_MAX; i++)
		bufq_clear(&r.streams[i].out);
	channel_free(r.up);
	buf_clear(&r.identify);
	identity_wipe(&r.me);
	close(r.fd);
	return 0;
}

/*
 * Ours for the stream cells of the matrix: net/serve with the test protocols
 * of README.md on plain sockets of 127.0.0.1, poll(2) instead of net/loop.
 *
 *   stream_peer [--no-early] [--yamux] [--mplex]
 *
 * JSON lines as the foreign peers have them. Events: ready, connected,
 * disconnected, identified, pong, stream_done, done, error. Commands: dial,
 * stream, hangup, push (says one listen address more, which identify push
 * tells), counters, quit. Ends when stdin does.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/xmalloc.h"
#include "net/proto/identify.h"
#include "net/proto/ping.h"
#include "tests/interop/stream_job.h"

#define CARRIERS_MAX 64
#define LINE_BYTES_MAX 65536
#define LIFE_MS (15u * 60 * 1000)

/* One socket of one connection. */
struct carrier {
	uint64_t conn; /* 0: free */
	int fd;
	bool dialling;
	bool paused;
	bool writes; /* there is something to write */
	struct maddr remote;
};

struct program {
	struct env env;
	struct rng rng;
	struct budget budget;
	struct identity me;
	struct serve *serve;
	struct swarm *swarm; /* serve's */
	struct jobs jobs;
	int listener;
	struct maddr listens[2];
	struct carrier carriers[CARRIERS_MAX];
	char line[LINE_BYTES_MAX];
	size_t line_len;
	bool quits;
};

/* Prints an event and frees it. */
static void say(json_t *event)
{
	char *text = event == NULL ? NULL : json_dumps(event, JSON_COMPACT);

	puts(text == NULL ? "{\"event\":\"error\",\"text\":\"no json\"}"
			  : text);
	fflush(stdout);
	free(text);
	json_decref(event);
}

static void say_error(const char *cmd, const char *text)
{
	say(json_pack(
		"{s:s,s:s,s:s}", "event", "error", "cmd", cmd, "text", text));
}

static void die(const char *what)
{
	perror(what);
	exit(1);
}

/* ---- carriers ---------------------------------------------------------- */

static struct carrier *carrier_of(struct program *p, uint64_t conn)
{
	for (int i = 0; i < CARRIERS_MAX; i++) {
		if (p->carriers[i].conn == conn)
			return &p->carriers[i];
	}
	return NULL;
}

static void carrier_set(struct carrier *c, int fd, uint64_t conn)
{
	int one = 1;

	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	fcntl(fd, F_SETFL, O_NONBLOCK);
	*c = (struct carrier){.conn = conn, .fd = fd};
}

static void carrier_end(struct carrier *c)
{
	close(c->fd);
	*c = (struct carrier){.fd = -1};
}

static void remote_of(const struct sockaddr_in *sa, struct maddr *out)
{
	maddr_from_ip(out, bytes_of((const uint8_t *)&sa->sin_addr, 4), NULL,
		ntohs(sa->sin_port));
}

static void accept_one(struct program *p)
{
	struct carrier *c = carrier_of(p, 0);
	struct sockaddr_in sa;
	socklen_t len = sizeof(sa);
	struct maddr remote;
	uint64_t conn;
	int fd = accept(p->listener, (struct sockaddr *)&sa, &len);

	if (fd < 0)
		return;
	remote_of(&sa, &remote);
	conn = c == NULL ? 0 : swarm_accepted(p->swarm, &p->env, &remote);
	if (conn == 0)
		close(fd);
	else
		carrier_set(c, fd, conn);
}

static void dial(struct program *p, const struct swarm_action *act)
{
	struct carrier *c = carrier_of(p, 0);
	struct sockaddr_in sa = {.sin_family = AF_INET};
	struct maddr_tcp tcp;
	struct maddr base;
	struct bytes id;
	int fd;

	maddr_split_peer(&act->addr, &base, &id);
	fd = socket(AF_INET, SOCK_STREAM, 0);
	if (c == NULL || fd < 0 || !maddr_to_tcp(&base, &tcp)) {
		if (fd >= 0)
			close(fd);
		swarm_dial_failed(p->swarm, &p->env, act->conn, "no socket");
		return;
	}
	memcpy(&sa.sin_addr, tcp.ip, 4);
	sa.sin_port = htons(tcp.port);
	carrier_set(c, fd, act->conn);
	c->dialling = true;
	c->remote = base;
	(void)!connect(fd, (struct sockaddr *)&sa, sizeof(sa));
}

static void dialled(struct program *p, struct carrier *c)
{
	uint64_t conn = c->conn;
	socklen_t len = sizeof(int);
	int err = 0;

	getsockopt(c->fd, SOL_SOCKET, SO_ERROR, &err, &len);
	c->dialling = false;
	if (err == 0) {
		swarm_connected(p->swarm, &p->env, conn, &c->remote);
		return;
	}
	carrier_end(c);
	swarm_dial_failed(p->swarm, &p->env, conn, strerror(err));
}

static void carrier_lost(struct program *p, struct carrier *c)
{
	uint64_t conn = c->conn;

	carrier_end(c);
	swarm_closed(p->swarm, &p->env, conn);
}

static void carrier_read(struct program *p, struct carrier *c)
{
	static uint8_t data[65536];
	ssize_t n = read(c->fd, data, sizeof(data));

	if (n > 0)
		swarm_bytes(
			p->swarm, &p->env, c->conn, bytes_of(data, (size_t)n));
	else if (n == 0 || (errno != EAGAIN && errno != EINTR))
		carrier_lost(p, c);
}

static void carrier_write(struct program *p, struct carrier *c)
{
	struct bytes out = swarm_out_peek(p->swarm, &p->env, c->conn);
	ssize_t n;

	if (out.len == 0) {
		c->writes = false;
		return;
	}
	n = send(c->fd, out.data, out.len, MSG_NOSIGNAL);
	if (n > 0)
		swarm_out_consume(p->swarm, &p->env, c->conn, (size_t)n);
	else if (errno != EAGAIN && errno != EINTR)
		carrier_lost(p, c);
}

static void obey_action(struct program *p, const struct swarm_action *act)
{
	struct carrier *c;

	if (act->kind == SWARM_ACT_DIAL) {
		dial(p, act);
		return;
	}
	c = carrier_of(p, act->conn);
	if (c == NULL)
		return;
	if (act->kind == SWARM_ACT_WRITE) {
		c->writes = true;
	} else if (act->kind == SWARM_ACT_CLOSE) {
		carrier_write(p, c);
		if (c->conn == act->conn)
			carrier_end(c);
	} else {
		c->paused = act->kind == SWARM_ACT_PAUSE;
	}
}

/* ---- events ------------------------------------------------------------ */

static json_t *lines_of(const char *text)
{
	json_t *list = json_array();

	while (*text != '\0') {
		size_t n = strcspn(text, "\n");

		json_array_append_new(list, json_stringn(text, n));
		text += n + (text[n] == '\n');
	}
	return list;
}

static void say_peer(struct program *p, const struct peer_id *id, bool up)
{
	struct swarm_peer_info info;
	char peer[PEER_ID_TEXT_MAX], addr[MADDR_TEXT_MAX];

	if (!swarm_peer_info(p->swarm, id, &info))
		return;
	peer_id_text(id, peer);
	if (up)
		say(json_pack("{s:s,s:s,s:s,s:b,s:s,s:s}", "event", "connected",
			"peer", peer, "muxer", info.muxer, "early",
			info.muxer_early, "direction",
			info.outbound ? "out" : "in", "addr",
			maddr_text(&info.remote, addr)));
	if (info.identified)
		say(json_pack("{s:s,s:s,s:s,s:o}", "event", "identified",
			"peer", peer, "agent", info.agent, "protocols",
			lines_of(info.protocols)));
}

static void on_event(struct program *p, const struct swarm_event *ev)
{
	char peer[PEER_ID_TEXT_MAX];

	if (ev->kind == SWARM_EV_PEER_UP || ev->kind == SWARM_EV_IDENTIFIED)
		say_peer(p, &ev->peer, ev->kind == SWARM_EV_PEER_UP);
	else if (ev->kind == SWARM_EV_PEER_DOWN)
		say(json_pack("{s:s,s:s}", "event", "disconnected", "peer",
			peer_id_text(&ev->peer, peer)));
	else if (ev->kind == SWARM_EV_RTT)
		say(json_pack("{s:s,s:s,s:I}", "event", "pong", "peer",
			peer_id_text(&ev->peer, peer), "ms",
			(json_int_t)(ev->number / 1000)));
	else if (ev->kind == SWARM_EV_DIAL_FAILED)
		say_error("dial", ev->text);
}

static json_t *text_or_null(const char *text)
{
	return text[0] == '\0' ? json_null() : json_string(text);
}

static void say_batch(struct program *p)
{
	const struct job_batch *b = &p->jobs.batch;
	char peer[PEER_ID_TEXT_MAX];

	say(json_pack("{s:s,s:s,s:s,s:i,s:I,s:i,s:i,s:i,s:I,s:i,s:o,s:o}",
		"event", "stream_done", "peer", peer_id_text(&b->peer, peer),
		"proto", b->protocol, "count", (int)b->count, "bytes",
		(json_int_t)b->bytes, "ok", (int)b->ok, "failed",
		(int)b->failed, "reset", (int)b->reset, "ms",
		(json_int_t)(p->env.now_ms - b->began_ms), "open",
		(int)b->open_most, "sha256", text_or_null(b->sum), "text",
		text_or_null(b->text)));
	say(json_pack("{s:s,s:s}", "event", "done", "cmd", "stream"));
}

/* Until nothing moves. */
static void settle(struct program *p)
{
	struct swarm_action act;
	struct swarm_event ev;
	bool moved;

	do {
		moved = false;
		while (serve_step(p->serve, &p->env, &ev)) {
			on_event(p, &ev);
			moved = true;
		}
		while (serve_next_action(p->serve, &p->env, &act)) {
			obey_action(p, &act);
			moved = true;
		}
		if (jobs_batch_done(&p->jobs))
			say_batch(p);
	} while (moved);
}

/* ---- commands ---------------------------------------------------------- */

static const char *text_in(const json_t *o, const char *name)
{
	const char *text = json_string_value(json_object_get(o, name));

	return text == NULL ? "" : text;
}

static bool peer_in(const json_t *o, struct peer_id *id)
{
	return peer_id_parse_text(id, bytes_str(text_in(o, "peer"))) == 0;
}

/* NULL, or why it cannot be done. */
static const char *cmd_dial(struct program *p, const json_t *o)
{
	struct maddr addr;

	if (maddr_parse_text(&addr, bytes_str(text_in(o, "addr"))) != 0)
		return "no address";
	swarm_dial(p->swarm, &p->env, &addr, 1);
	return NULL;
}

static const char *cmd_stream(struct program *p, const json_t *o)
{
	json_int_t bytes = json_integer_value(json_object_get(o, "bytes"));
	json_t *count = json_object_get(o, "count");
	json_t *width = json_object_get(o, "width");
	struct job_batch b = {
		.protocol = text_in(o, "proto"),
		.bytes = (uint64_t)bytes,
		.count = (unsigned)(count ? json_integer_value(count) : 1),
	};

	b.width = width ? (unsigned)json_integer_value(width) : b.count;
	if (!peer_in(o, &b.peer))
		return "no peer";
	return jobs_start(&p->jobs, &p->env, &b) ? NULL : "no such protocol";
}

static const char *cmd_hangup(struct program *p, const json_t *o)
{
	struct peer_id id;

	if (!peer_in(o, &id))
		return "no peer";
	swarm_disconnect(p->swarm, &p->env, &id);
	return NULL;
}

static const char *cmd_push(struct program *p)
{
	maddr_from_ip(&p->listens[1],
		bytes_of((const uint8_t *)"\x7f\0\0\1", 4), NULL, 9);
	swarm_set_addresses(p->swarm, p->listens, 2);
	return NULL;
}

static const char *cmd_counters(struct program *p)
{
	const struct swarm_counters *c = swarm_counters(p->swarm);

	say(json_pack("{s:s,s:I,s:I,s:I,s:I}", "event", "counters",
		"streams_refused", (json_int_t)c->streams_refused,
		"protocol_errors", (json_int_t)c->protocol_errors,
		"upgrades_failed", (json_int_t)c->upgrades_failed, "budget",
		(json_int_t)swarm_budget_used(p->swarm)));
	return NULL;
}

static void obey(struct program *p, const char *line)
{
	json_t *o = json_loads(line, 0, NULL);
	const char *cmd = text_in(o, "cmd"), *why = "no such command";

	if (strcmp(cmd, "dial") == 0)
		why = cmd_dial(p, o);
	else if (strcmp(cmd, "stream") == 0)
		why = cmd_stream(p, o);
	else if (strcmp(cmd, "hangup") == 0)
		why = cmd_hangup(p, o);
	else if (strcmp(cmd, "push") == 0)
		why = cmd_push(p);
	else if (strcmp(cmd, "counters") == 0)
		why = cmd_counters(p);
	else if (strcmp(cmd, "quit") == 0)
		p->quits = true;
	if (p->quits)
		why = NULL;
	if (why != NULL)
		say_error(cmd, why);
	else if (strcmp(cmd, "stream") != 0)
		say(json_pack("{s:s,s:s}", "event", "done", "cmd", cmd));
	json_decref(o);
}

static void read_commands(struct program *p)
{
	size_t had = p->line_len;
	ssize_t n = 0;
	char *end;

	/* Nothing follows a line that fills all of it. */
	if (had < sizeof(p->line))
		n = read(STDIN_FILENO, p->line + had, sizeof(p->line) - had);
	if (n <= 0) {
		p->quits = true;
		return;
	}
	p->line_len += (size_t)n;
	while ((end = memchr(p->line, '\n', p->line_len)) != NULL) {
		size_t used = (size_t)(end - p->line) + 1;

		*end = '\0';
		obey(p, p->line);
		memmove(p->line, p->line + used, p->line_len - used);
		p->line_len -= used;
	}
}

/* ---- the loop ---------------------------------------------------------- */

static int wait_ms(const struct program *p)
{
	uint64_t at = serve_deadline(p->serve), now = clock_now_ms();

	return at <= now ? 0 : (int)P2P_MIN(at - now, 1000);
}

static void serve_carrier(
	struct program *p, struct carrier *c, uint64_t conn, short got)
{
	if (c->conn != conn)
		return; /* closed while others were served */
	if (c->dialling) {
		if (got != 0)
			dialled(p, c);
		return;
	}
	if ((got & (POLLIN | POLLHUP | POLLERR)) != 0 && !c->paused)
		carrier_read(p, c);
	if (c->conn == conn && c->writes)
		carrier_write(p, c);
}

static void turn(struct program *p)
{
	struct pollfd fds[CARRIERS_MAX + 2];
	uint64_t conns[CARRIERS_MAX];

	for (int i = 0; i < CARRIERS_MAX; i++) {
		const struct carrier *c = &p->carriers[i];

		conns[i] = c->conn;
		fds[i] = (struct pollfd){.fd = c->conn == 0 ? -1 : c->fd};
		if (c->dialling || c->writes)
			fds[i].events |= POLLOUT;
		if (!c->paused)
			fds[i].events |= POLLIN;
	}
	fds[CARRIERS_MAX] = (struct pollfd){p->listener, POLLIN, 0};
	fds[CARRIERS_MAX + 1] = (struct pollfd){STDIN_FILENO, POLLIN, 0};
	(void)poll(fds, CARRIERS_MAX + 2, wait_ms(p));
	env_set_now_us(&p->env, clock_now_us());
	p->env.wall_ms = clock_wall_ms();
	if (serve_deadline(p->serve) <= p->env.now_ms)
		serve_tick(p->serve, &p->env);
	for (int i = 0; i < CARRIERS_MAX; i++) {
		if (conns[i] == 0)
			continue;
		serve_carrier(p, &p->carriers[i], conns[i], fds[i].revents);
		settle(p);
	}
	if (fds[CARRIERS_MAX].revents != 0)
		accept_one(p);
	if (fds[CARRIERS_MAX + 1].revents != 0)
		read_commands(p);
	settle(p);
}

/* ---- start and end ----------------------------------------------------- */

static void listen_here(struct program *p)
{
	struct sockaddr_in at = {.sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof(at);
	char peer[PEER_ID_TEXT_MAX], addr[MADDR_TEXT_MAX];
	struct maddr full;

	p->listener = socket(AF_INET, SOCK_STREAM, 0);
	if (p->listener < 0 ||
		bind(p->listener, (struct sockaddr *)&at, sizeof(at)) != 0 ||
		listen(p->listener, 16) != 0 ||
		getsockname(p->listener, (struct sockaddr *)&at, &len) != 0)
		die("listen");
	remote_of(&at, &p->listens[0]);
	swarm_set_addresses(p->swarm, p->listens, 1);
	if (maddr_join_peer(&full, &p->listens[0], peer_id_bytes(&p->me.id)))
		die("address");
	say(json_pack("{s:s,s:s,s:[s]}", "event", "ready", "peer_id",
		peer_id_text(&p->me.id, peer), "addrs",
		maddr_text(&full, addr)));
}

static void parse(int argc, char **argv, struct serve_cfg *cfg)
{
	for (int i = 1; i < argc; i++) {
		if (strcmp(argv[i], "--no-early") == 0) {
			cfg->early_muxers = false;
		} else if (strcmp(argv[i], "--yamux") == 0) {
			cfg->offer_mplex = false;
		} else if (strcmp(argv[i], "--mplex") == 0) {
			cfg->offer_yamux = false;
		} else {
			fprintf(stderr, "usage: stream_peer [--no-early] "
					"[--yamux] [--mplex]\n");
			exit(2);
		}
	}
}

int main(int argc, char **argv)
{
	static struct program p;
	static const struct service_ops *const own[] = {
		&identify_ops, &identify_push_ops, &ping_ops, NULL};
	struct serve_cfg cfg = {
		.me = &p.me,
		.agent = "p2pchat-tui stream test",
		.services = own,
		.more = job_services,
		.offer_yamux = true,
		.offer_mplex = true,
		.early_muxers = true,
		.ping_interval_ms = 1000,
	};
	uint8_t seed[32];

	xmalloc_init();
	parse(argc, argv, &cfg);
	if (crypto_init() != 0)
		die("crypto");
	rng_init_os(&p.rng);
	rng_fill(&p.rng, seed, sizeof(seed));
	identity_from_seed(&p.me, seed);
	budget_init(&p.budget, NULL, 64u << 20);
	p.env = (struct env){.now_ms = clock_now_ms(),
		.wall_ms = clock_wall_ms(),
		.rng = &p.rng,
		.budget = &p.budget};
	jobs_init(&p.jobs);
	p.serve = serve_new(&cfg, &p.env);
	p.swarm = serve_swarm(p.serve);
	listen_here(&p);
	for (uint64_t end = p.env.now_ms + LIFE_MS;
		!p.quits && p.env.now_ms < end;)
		turn(&p);
	for (int i = 0; i < CARRIERS_MAX; i++) {
		if (p.carriers[i].conn != 0)
			close(p.carriers[i].fd);
	}
	serve_free(p.serve);
	identity_wipe(&p.me);
	close(p.listener);
	return 0;
}

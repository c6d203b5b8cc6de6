/*
 * Ours for the transport suite of libp2p/unified-testing: the real node
 * (net/loop) meets a program of somebody else over a Redis server, and they
 * ping once. transport there says how it is run; the contract is
 * docs/write-a-transport-test-app.md of that repository:
 *
 *   IS_DIALER          true or false
 *   REDIS_ADDR         HOST:PORT
 *   TEST_KEY           in front of the name of the list of addresses
 *   TRANSPORT          tcp
 *   SECURE_CHANNEL     noise
 *   MUXER              yamux or mplex
 *   LISTENER_IP        what to listen on; default 0.0.0.0
 *   DEBUG              true: the node's log on stderr
 *   TEST_TIMEOUT_SECS  for all of it; default 180
 *
 * The listener pushes its address and lives until it is killed, or, as those of
 * go and rust, ends with 1 when its time is up. The dialler takes the address,
 * prints the YAML of the suite and ends with 0. 1: it failed, 2: the suite asks
 * for something that is not here; why is on stderr.
 */
#include <hiredis/hiredis.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/xmalloc.h"
#include "msg/chat_msg.h"
#include "msg/net_msg.h"
#include "net/identity/crypto.h"
#include "net/loop/loop.h"
#include "net/wire/dialable.h"
#include "tests/interop/one_ping.h"

#define PROGRAM "transport_ping"
#define TIMEOUT_S 180
#define REDIS_RETRY_MS 100
#define REDIS_CONNECT_S 1
/* What a blocked command may take longer than it was told to. */
#define REDIS_GRACE_S 5

enum end { END_OK, END_FAILED, END_NOT_HERE };

struct task {
	bool dials;
	bool mplex;
	bool debug;
	struct maddr listen;
	char redis_host[256];
	int redis_port;
	char *list; /* in Redis */
	double deadline_ms;
};

struct program {
	struct task task;
	struct identity me;
	struct log log;
	struct mailbox *chat;
	struct loop *loop;
	redisContext *redis;
};

static void fail(enum end end, const char *fmt, ...) P2P_PRINTF(2, 3)
	__attribute__((noreturn));

/* The other threads end with the process. */
static void fail(enum end end, const char *fmt, ...)
{
	va_list args;

	fputs(PROGRAM ": ", stderr);
	va_start(args, fmt);
	vfprintf(stderr, fmt, args);
	va_end(args);
	fputc('\n', stderr);
	_exit(end);
}

/* ---- what is asked for --------------------------------------------------- */

static const char *need(const char *name)
{
	const char *value = getenv(name);

	if (value == NULL || value[0] == '\0')
		fail(END_NOT_HERE, "%s is not set", name);
	return value;
}

/* One of `known`, which ends with NULL: its place. */
static int choice(const char *name, const char *const *known)
{
	const char *value = need(name);
	int i;

	for (i = 0; known[i] != NULL; i++) {
		if (strcmp(value, known[i]) == 0)
			return i;
	}
	fprintf(stderr, PROGRAM ": %s=%s is not here; what is:", name, value);
	for (i = 0; known[i] != NULL; i++)
		fprintf(stderr, " %s", known[i]);
	fputc('\n', stderr);
	exit(END_NOT_HERE);
}

static bool is_true(const char *name, const char *otherwise)
{
	const char *value = getenv(name);

	if (value == NULL || value[0] == '\0')
		value = otherwise;
	if (value == NULL ||
		(strcmp(value, "true") != 0 && strcmp(value, "false") != 0))
		fail(END_NOT_HERE, "%s is neither true nor false", name);
	return strcmp(value, "true") == 0;
}

/* A whole number from 1 to max, all of the text. */
static long number(const char *name, const char *text, long max)
{
	char *end;
	long n = strtol(text, &end, 10);

	if (n < 1 || n > max || *end != '\0')
		fail(END_NOT_HERE, "%s: %s is not a number up to %ld", name,
			text, max);
	return n;
}

static void read_redis_addr(struct task *t)
{
	const char *addr = need("REDIS_ADDR");
	const char *colon = strrchr(addr, ':');
	size_t len = colon == NULL ? 0 : (size_t)(colon - addr);

	if (len == 0 || len >= sizeof(t->redis_host))
		fail(END_NOT_HERE, "REDIS_ADDR=%s is not HOST:PORT", addr);
	memcpy(t->redis_host, addr, len);
	t->redis_port = (int)number("REDIS_ADDR", colon + 1, UINT16_MAX);
}

static void read_listener_ip(struct task *t)
{
	const char *ip = getenv("LISTENER_IP");
	char text[128];

	if (ip == NULL || ip[0] == '\0')
		ip = "0.0.0.0";
	snprintf(text, sizeof(text), "/%s/%.64s/tcp/0",
		strchr(ip, ':') == NULL ? "ip4" : "ip6", ip);
	if (maddr_parse_text(&t->listen, bytes_str(text)) != 0)
		fail(END_NOT_HERE, "LISTENER_IP=%s is not an address", ip);
}

static struct task read_task(void)
{
	static const char *const transports[] = {"tcp", NULL};
	static const char *const channels[] = {"noise", NULL};
	static const char *const muxers[] = {"yamux", "mplex", NULL};
	const char *seconds = getenv("TEST_TIMEOUT_SECS");
	struct task t = {.dials = is_true("IS_DIALER", NULL),
		.debug = is_true("DEBUG", "false")};
	long timeout_s = seconds == NULL || seconds[0] == '\0'
				 ? TIMEOUT_S
				 : number("TEST_TIMEOUT_SECS", seconds, 86400);

	(void)choice("TRANSPORT", transports);
	(void)choice("SECURE_CHANNEL", channels);
	t.mplex = choice("MUXER", muxers) == 1;
	read_redis_addr(&t);
	read_listener_ip(&t);
	t.list = xasprintf("%s_listener_multiaddr", need("TEST_KEY"));
	t.deadline_ms = one_ping_now_ms() + 1000.0 * (double)timeout_s;
	return t;
}

static double left_ms(const struct program *p)
{
	return P2P_MAX(p->task.deadline_ms - one_ping_now_ms(), 0.0);
}

/* ---- Redis --------------------------------------------------------------- */

/* It may be started after us. */
static void redis_open(struct program *p)
{
	const struct task *t = &p->task;
	const struct timeval patience = {.tv_sec = REDIS_CONNECT_S};

	for (;;) {
		p->redis = redisConnectWithTimeout(
			t->redis_host, t->redis_port, patience);
		if (p->redis != NULL && p->redis->err == 0)
			return;
		if (left_ms(p) <= 0)
			fail(END_FAILED, "no Redis server at %s:%d: %s",
				t->redis_host, t->redis_port,
				p->redis == NULL ? "no memory"
						 : p->redis->errstr);
		redisFree(p->redis);
		usleep(REDIS_RETRY_MS * 1000);
	}
}

/* Ends the program when there is no answer, or an error is the answer. */
static redisReply *redis_ask(struct program *p, const char *fmt, ...)
{
	const struct timeval patience = {
		.tv_sec = (time_t)(left_ms(p) / 1000) + REDIS_GRACE_S};
	redisReply *reply;
	va_list args;

	(void)redisSetTimeout(p->redis, patience);
	va_start(args, fmt);
	reply = redisvCommand(p->redis, fmt, args);
	va_end(args);
	if (reply == NULL)
		fail(END_FAILED, "Redis: %s", p->redis->errstr);
	if (reply->type == REDIS_REPLY_ERROR)
		fail(END_FAILED, "Redis: %s", reply->str);
	return reply;
}

/* What an earlier run of the same test has left would be dialled. */
static void push_address(struct program *p, const char *addr)
{
	freeReplyObject(redis_ask(p, "DEL %s", p->task.list));
	freeReplyObject(redis_ask(p, "RPUSH %s %s", p->task.list, addr));
}

/* The listener's address, waited for. */
static struct maddr pop_address(struct program *p)
{
	int seconds = (int)(left_ms(p) / 1000) + 1;
	redisReply *reply = redis_ask(p, "BLPOP %s %d", p->task.list, seconds);
	const redisReply *value;
	struct maddr addr;
	struct bytes text;

	if (reply->type != REDIS_REPLY_ARRAY || reply->elements != 2 ||
		reply->element[1]->type != REDIS_REPLY_STRING)
		fail(END_FAILED, "no address of a listener came");
	value = reply->element[1];
	text = bytes_of(value->str, value->len);
	if (maddr_parse_text(&addr, text) != 0)
		fail(END_FAILED, "not an address of a listener: %.200s",
			value->str);
	freeReplyObject(reply);
	return addr;
}

/* ---- the node ------------------------------------------------------------ */

static void write_log(struct log *log, enum log_level level, const char *line)
{
	(void)log;
	fprintf(stderr, PROGRAM ": %s: %s\n", log_level_name(level), line);
}

static void node_open(struct program *p)
{
	struct mailbox_cfg box = {.count_max = MSG_QUEUE_TO_CHAT,
		.bytes_max = MSG_QUEUE_TO_CHAT_BYTES};
	static const struct service_ops *const services[] = {
		&one_ping_ops, NULL};
	struct loop_cfg cfg = {
		.node = {.me = &p->me,
			.agent = "p2pchat-tui/" PACKAGE_VERSION,
			.offer_yamux = !p->task.mplex,
			.offer_mplex = p->task.mplex,
			.early_muxers = true,
			.services = p->task.dials ? services : NULL},
		.log = &p->log,
		.listen = &p->task.listen,
		.listen_count = 1,
	};
	char error[LOOP_ERROR_TEXT_MAX];
	uint8_t seed[32];
	struct rng rng;

	if (crypto_init() != 0)
		fail(END_FAILED, "no cryptography");
	rng_init_os(&rng);
	rng_fill(&rng, seed, sizeof(seed));
	identity_from_seed(&p->me, seed);
	p->log = (struct log){.write = write_log,
		.level = p->task.debug ? LOG_LEVEL_DEBUG : LOG_LEVEL_WARN};
	p->chat = cfg.chat = mailbox_new(&box);
	one_ping_tells(p->chat);
	p->loop = loop_new(&cfg, error);
	if (p->loop == NULL)
		fail(END_FAILED, "%s", error);
	if (loop_start(p->loop) != 0)
		fail(END_FAILED, "no thread for the network");
}

static void command(struct program *p, enum net_msg_kind kind, const char *text)
{
	struct msg *m = &net_msg_new(kind, text, bytes_of(NULL, 0))->msg;

	if (mailbox_post(loop_inbox(p->loop), &m) != 0)
		fail(END_FAILED, "the node takes no command");
}

static void node_close(struct program *p)
{
	command(p, NET_MSG_QUIT, NULL);
	loop_free(p->loop);
	mailbox_free(p->chat);
	identity_wipe(&p->me);
}

/* Why the test has failed, if this says so. */
static void judge(const struct chat_net_msg *m)
{
	if (m->msg.kind == CHAT_MSG_DIAL_FAILED)
		fail(END_FAILED, "%s: %s", m->text, m->agent);
	if (m->msg.kind == CHAT_MSG_PEER && m->state == 0)
		fail(END_FAILED, "the connection ended before the ping");
}

/* What the node says next; the caller frees it. */
static struct chat_net_msg *hear(struct program *p)
{
	struct msg *m;

	while ((m = mailbox_take(p->chat)) == NULL) {
		if (left_ms(p) <= 0)
			fail(END_FAILED, "the time is up");
		mailbox_wait(p->chat, (uint64_t)left_ms(p) + 1);
	}
	return chat_net_msg_of(m);
}

/* The next of this kind; the caller frees it. */
static struct chat_net_msg *await(struct program *p, int kind)
{
	struct chat_net_msg *m = hear(p);

	while (m->msg.kind != kind) {
		if (p->task.dials)
			judge(m);
		msg_free(&m->msg);
		m = hear(p);
	}
	return m;
}

/* ---- the two roles ------------------------------------------------------- */

/* Of the lines in `list` the first that another machine can dial, or the
 * first. */
static struct maddr best_address(char *list)
{
	struct maddr best = {.len = 0}, addr;
	struct dialable at, best_at = {.port = 0};
	char *rest = list, *line;

	while ((line = strsep(&rest, "\n")) != NULL) {
		if (maddr_parse_text(&addr, bytes_str(line)) != 0)
			continue;
		dialable_of(&at, &addr);
		if (best.len > 0 && (!dialable_is_loopback(&best_at) ||
					    dialable_is_loopback(&at)))
			continue;
		best = addr;
		best_at = at;
	}
	return best;
}

static void run_listener(struct program *p)
{
	struct chat_net_msg *m = await(p, CHAT_MSG_NET_READY);
	struct maddr addr = best_address(m->text);
	char text[MADDR_TEXT_MAX];

	if (addr.len == 0)
		fail(END_FAILED, "no address to be dialled at");
	push_address(p, maddr_text(&addr, text));
	fprintf(stderr, PROGRAM ": listening on %s\n", text);
	msg_free(&m->msg);
	for (;;)
		msg_free(&hear(p)->msg);
}

static void run_dialler(struct program *p)
{
	struct maddr addr = pop_address(p);
	char text[MADDR_TEXT_MAX];
	struct chat_net_msg *m;
	struct one_ping ping;
	double began;

	fprintf(stderr, PROGRAM ": dialling %s\n", maddr_text(&addr, text));
	began = one_ping_now_ms();
	command(p, NET_MSG_CONNECT, text);
	m = await(p, ONE_PING_MSG);
	memcpy(&ping, m->data, sizeof(ping));
	msg_free(&m->msg);
	if (ping.err != 0)
		fail(END_FAILED, "the ping: %s", p2p_err_text(ping.err));
	printf("latency:\n"
	       "  handshake_plus_one_rtt: %.3f\n"
	       "  ping_rtt: %.3f\n"
	       "  unit: ms\n",
		ping.at_ms - began, ping.rtt_ms);
}

int main(void)
{
	struct program p = {.task = read_task()};

	xmalloc_init();
	redis_open(&p);
	node_open(&p);
	if (p.task.dials)
		run_dialler(&p);
	else
		run_listener(&p);
	node_close(&p);
	redisFree(p.redis);
	free(p.task.list);
	return fflush(stdout) == 0 ? END_OK : END_FAILED;
}

/*
 * The real loop on loopback sockets, under clocks that the test moves: the one
 * that runs on while the machine sleeps, and the one that does not. Both are
 * defined here, in place of the program's own and of libuv's, and so is the
 * resolver, in place of the C library's.
 */
#include <arpa/inet.h>
#include <net/if.h>
#include <netdb.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>
#include <uv.h>
#include <cmocka.h>

#include "base/clock.h"
#include "base/xmalloc.h"
#include "msg/chat_msg.h"
#include "msg/net_figures.h"
#include "msg/net_msg.h"
#include "net/identity/crypto.h"
#include "net/loop/loop.h"
#include "net/pubsub/gossip.h"
#include "net/swarm/swarm_limits.h"

#define HOUR_MS 3600000

static _Atomic uint64_t ran_ms;   /* on top of the real time */
static _Atomic uint64_t slept_ms; /* of that, asleep */

static uint64_t real_ns(clockid_t id)
{
	struct timespec ts;

	clock_gettime(id, &ts);
	return (uint64_t)ts.tv_sec * 1000000000 + (uint64_t)ts.tv_nsec;
}

uint64_t clock_now_us(void)
{
	return real_ns(CLOCK_MONOTONIC) / 1000 + (ran_ms + slept_ms) * 1000;
}

uint64_t clock_now_ms(void)
{
	return clock_now_us() / 1000;
}

uint64_t clock_wall_ms(void)
{
	return real_ns(CLOCK_REALTIME) / 1000000 + ran_ms + slept_ms;
}

uint64_t uv_hrtime(void)
{
	return real_ns(CLOCK_MONOTONIC) + ran_ms * 1000000;
}

#define SILENT 8 /* names without an answer */

static atomic_bool let_answer, let_late; /* those that are held up */
static atomic_uint asked, waiting;       /* names so far; that are held up */

/* One address of an answer. */
struct entry {
	struct addrinfo info;
	union {
		struct sockaddr_in in;
		struct sockaddr_in6 in6;
	} sa;
};

static void fill(struct entry *e, int family, uint32_t ip)
{
	e->info.ai_family = family;
	e->info.ai_socktype = SOCK_STREAM;
	e->info.ai_addr = (struct sockaddr *)&e->sa;
	e->info.ai_addrlen =
		family == AF_INET ? sizeof(e->sa.in) : sizeof(e->sa.in6);
	if (family == AF_INET) {
		e->sa.in.sin_family = AF_INET;
		e->sa.in.sin_addr.s_addr = htonl(ip);
	} else {
		e->sa.in6.sin6_family = AF_INET6;
		e->sa.in6.sin6_addr = in6addr_loopback;
	}
}

static void hold_up(const atomic_bool *go_on)
{
	waiting++;
	while (!*go_on)
		usleep(1000);
	waiting--;
}

/*
 * "silent...": no answer until let_answer; "late...": until let_late.
 * "many...": twenty addresses of IPv6 where nobody is, then 127.0.0.1. Every
 * other name has two addresses, 127.0.0.2 and 127.0.0.1, in this order.
 */
int getaddrinfo(const char *node, const char *service,
	const struct addrinfo *hints, struct addrinfo **list)
{
	unsigned six = strncmp(node, "many", 4) == 0 ? 20 : 0;
	unsigned count = six + (six > 0 ? 1 : 2);
	struct entry *all = xcalloc(count, sizeof(*all));

	(void)service;
	(void)hints;
	asked++;
	if (strncmp(node, "silent", 6) == 0)
		hold_up(&let_answer);
	if (strncmp(node, "late", 4) == 0)
		hold_up(&let_late);
	for (unsigned i = 0; i < count; i++) {
		fill(&all[i], i < six ? AF_INET6 : AF_INET,
			INADDR_LOOPBACK + count - 1 - i);
		all[i].info.ai_next = i + 1 < count ? &all[i + 1].info : NULL;
	}
	*list = &all[0].info;
	return 0;
}

void freeaddrinfo(struct addrinfo *list)
{
	free(list);
}

struct place {
	struct mailbox *chat; /* what the loop tells */
	struct identity me, other;
	struct loop *loop;
	int fd; /* where the other is to be */
	uint16_t port;
};

static void make_socket(struct place *p)
{
	struct sockaddr_in in = {.sin_family = AF_INET};
	socklen_t len = sizeof(in);

	in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	p->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_true(p->fd >= 0);
	assert_int_equal(
		bind(p->fd, (const struct sockaddr *)&in, sizeof(in)), 0);
	assert_int_equal(getsockname(p->fd, (struct sockaddr *)&in, &len), 0);
	p->port = ntohs(in.sin_port);
}

static int setup(void **state)
{
	static const uint8_t seeds[2][32] = {{1}, {2}};
	struct place *p = xcalloc(1, sizeof(*p));
	struct mailbox_cfg box = {.count_max = 1000, .bytes_max = 1 << 20};
	struct loop_cfg cfg = {
		.node = {.me = &p->me, .agent = "lab/1", .offer_yamux = true},
		.listen_count = 1};
	char error[LOOP_ERROR_TEXT_MAX];
	struct maddr listen;

	assert_int_equal(crypto_init(), 0);
	identity_from_seed(&p->me, seeds[0]);
	identity_from_seed(&p->other, seeds[1]);
	make_socket(p);
	assert_int_equal(
		maddr_parse_text(&listen, bytes_str("/ip4/127.0.0.1/tcp/0")),
		0);
	p->chat = mailbox_new(&box);
	cfg.chat = p->chat;
	cfg.listen = &listen;
	p->loop = loop_new(&cfg, error);
	assert_non_null(p->loop);
	assert_int_equal(loop_start(p->loop), 0);
	*state = p;
	return 0;
}

static void say(struct place *p, struct net_msg *m)
{
	struct msg *msg = &m->msg;

	assert_int_equal(mailbox_post(loop_inbox(p->loop), &msg), 0);
}

static int teardown(void **state)
{
	struct place *p = *state;

	say(p, net_msg_new(NET_MSG_QUIT, NULL, bytes_of(NULL, 0)));
	loop_free(p->loop);
	mailbox_free(p->chat);
	if (p->fd >= 0)
		close(p->fd);
	free(p);
	return 0;
}

static void know_the_other(struct place *p)
{
	struct net_msg *m;
	char text[64];

	snprintf(text, sizeof(text), "/ip4/127.0.0.1/tcp/%u", p->port);
	m = net_msg_new(NET_MSG_KNOWN_PEER, text, bytes_of(NULL, 0));
	(void)peer_id_text(&p->other.id, m->peer);
	say(p, m);
}

static uint64_t figure(struct place *p, enum net_figure which)
{
	uint64_t figures[NET_FIGURE_COUNT];

	say(p, net_msg_new(NET_MSG_STATS, NULL, bytes_of(NULL, 0)));
	for (;;) {
		struct msg *m = mailbox_take(p->chat);
		bool found = m != NULL && m->kind == CHAT_MSG_STATS;

		if (found)
			memcpy(figures, chat_net_msg_of(m)->data,
				sizeof(figures));
		msg_free(m);
		if (found)
			return figures[which];
		if (m == NULL)
			mailbox_wait(p->chat, 100);
	}
}

/* Until a dial waits for minutes: time runs, half a minute a round. */
static void fail_until_it_rests(struct place *p)
{
	for (unsigned i = 0; i < 200 && figure(p, NET_DIALS_FAILED) <
						SWARM_REDIAL_RARELY_AFTER + 1;
		i++) {
		ran_ms += 30000;
		usleep(20000);
	}
	/* What the last dial had timers for is over too. */
	ran_ms += 10000;
	assert_int_equal(
		figure(p, NET_DIALS_FAILED), SWARM_REDIAL_RARELY_AFTER + 1);
	usleep(100000);
}

static bool is_called(const struct place *p, int within_ms)
{
	struct pollfd pfd = {.fd = p->fd, .events = POLLIN};

	return poll(&pfd, 1, within_ms) == 1;
}

/* Timers stand still in sleep, and no interface changes: the loop itself must
 * see that the clocks have parted. */
static void test_loop_dials_soon_after_the_machine_slept(void **state)
{
	struct place *p = *state;

	know_the_other(p);
	fail_until_it_rests(p);
	assert_int_equal(listen(p->fd, 4), 0);
	assert_false(is_called(p, 300));
	slept_ms += HOUR_MS;
	assert_true(is_called(p, 6000));
}

/* ---- interfaces -------------------------------------------------------- */

static void change(unsigned long what, struct ifreq *r)
{
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	assert_true(fd >= 0);
	assert_int_equal(ioctl(fd, what, r), 0);
	close(fd);
}

/* A network of our own, with a loopback: nothing of the machine's is touched.
 * False where the machine refuses. */
static bool leave_the_network(void)
{
	struct ifreq r = {.ifr_name = "lo"};

	if (unshare(CLONE_NEWNET) != 0 &&
		unshare(CLONE_NEWUSER | CLONE_NEWNET) != 0)
		return false;
	r.ifr_flags = IFF_UP | IFF_RUNNING;
	change(SIOCSIFFLAGS, &r);
	return true;
}

static int setup_apart(void **state)
{
	*state = NULL;
	return leave_the_network() ? setup(state) : 0;
}

static int teardown_apart(void **state)
{
	return *state == NULL ? 0 : teardown(state);
}

/* The kernel speaks of interfaces when nothing has changed for us: a router
 * that repeats itself, a new MTU. Back-off does not begin anew each time. */
static void test_loop_goes_by_changed_addresses_only(void **state)
{
	struct place *p = *state;
	struct ifreq r = {.ifr_name = "lo"};
	struct sockaddr_in in = {.sin_family = AF_INET};

	if (p == NULL)
		skip();
	know_the_other(p);
	fail_until_it_rests(p);
	assert_int_equal(listen(p->fd, 4), 0);
	for (int i = 0; i < 5; i++) {
		r.ifr_mtu = 40000 + i;
		change(SIOCSIFMTU, &r);
		assert_false(is_called(p, 500));
	}
	(void)snprintf(r.ifr_name, sizeof(r.ifr_name), "lo:1");
	in.sin_addr.s_addr = htonl(INADDR_LOOPBACK + 1);
	memcpy(&r.ifr_addr, &in, sizeof(in));
	change(SIOCSIFADDR, &r);
	assert_true(is_called(p, 3000));
}

/* ---- names ------------------------------------------------------------- */

/* 127.0.0.2 at that port: the queue of a listener that takes nobody is full,
 * so whoever comes now gets no answer at all. */
static void block_up(uint16_t port, int fd[static 3])
{
	struct sockaddr_in in = {.sin_family = AF_INET};

	in.sin_addr.s_addr = htonl(INADDR_LOOPBACK + 1);
	in.sin_port = htons(port);
	for (unsigned i = 0; i < 3; i++) {
		fd[i] = socket(
			AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
		assert_true(fd[i] >= 0);
		if (i > 0) {
			(void)!connect(fd[i], (const struct sockaddr *)&in,
				sizeof(in));
			continue;
		}
		assert_int_equal(
			bind(fd[0], (const struct sockaddr *)&in, sizeof(in)),
			0);
		assert_int_equal(listen(fd[0], 0), 0);
	}
}

static void ask_for(struct place *p, const char *name, uint16_t port)
{
	char text[64];

	snprintf(text, sizeof(text), "%s:%u", name, port);
	say(p, net_msg_new(NET_MSG_CONNECT, text, bytes_of(NULL, 0)));
}

/* As with a name whose IPv6 address leads nowhere. */
static void test_loop_tries_the_next_address_of_a_name(void **state)
{
	struct place *p = *state;
	int fd[3];

	block_up(p->port, fd);
	assert_int_equal(listen(p->fd, 4), 0);
	ask_for(p, "somewhere.example", p->port);
	assert_true(is_called(p, SWARM_DIAL_MS - 1000));
	for (unsigned i = 0; i < 3; i++)
		close(fd[i]);
}

/* More addresses than are tried, and the one that is good is of the family that
 * the resolver names last. */
static void test_loop_tries_the_families_of_a_name_by_turns(void **state)
{
	struct place *p = *state;

	assert_int_equal(listen(p->fd, 4), 0);
	ask_for(p, "many.example", p->port);
	assert_true(is_called(p, SWARM_DIAL_MS - 1000));
}

static void wait_for_why(struct place *p, const char *why)
{
	uint64_t end_ns = real_ns(CLOCK_MONOTONIC) + 20000000000u;

	while (real_ns(CLOCK_MONOTONIC) < end_ns) {
		struct msg *m = mailbox_take(p->chat);
		bool found = m != NULL && m->kind == CHAT_MSG_DIAL_FAILED &&
			     strstr(chat_net_msg_of(m)->agent, why) != NULL;

		if (m == NULL)
			mailbox_wait(p->chat, 100);
		msg_free(m);
		if (found)
			return;
	}
	fail();
}

/* A zone that names no interface leads nowhere: it is that which is said. */
static void test_loop_says_that_an_interface_is_not_there(void **state)
{
	struct place *p = *state;

	ask_for(p, "[fe80::1%nosuch0]", p->port);
	wait_for_why(p, "no network interface of that name");
}

static void wait_until(const atomic_uint *figure, unsigned is)
{
	for (int i = 0; i < 10000 && *figure != is; i++)
		usleep(1000);
	assert_int_equal(*figure, is);
}

/* Nothing that cannot be cancelled holds anything up: neither other names, nor
 * a further try of the same, nor the end (teardown_while_asking). And where the
 * first of two name servers is dead each answer takes longer than a dial has:
 * it is not lost. */
static void test_loop_names_without_an_answer_hold_nobody_up(void **state)
{
	struct place *p = *state, other;
	char name[32];

	asked = 0;
	make_socket(&other);
	assert_int_equal(listen(p->fd, 4), 0);
	assert_int_equal(listen(other.fd, 4), 0);
	for (int i = 0; i < SILENT; i++) {
		snprintf(name, sizeof(name), "silent%d.example", i);
		ask_for(p, name, p->port);
	}
	ask_for(p, "late.example", other.port);
	ask_for(p, "many.example", p->port);
	assert_true(is_called(p, SWARM_DIAL_MS - 1000));
	/* Their time is over, though the resolver's is not. */
	wait_until(&waiting, SILENT + 1);
	wait_for_why(p, "no name server answers");
	let_late = true;
	ask_for(p, "silent3.example", p->port);
	/* At the next try. */
	assert_true(is_called(&other, 10000));
	assert_int_equal(asked, SILENT + 2);
	close(other.fd);
}

static int teardown_while_asking(void **state)
{
	uint64_t began_ns = real_ns(CLOCK_MONOTONIC);
	int err = teardown(state);

	assert_int_equal(waiting, SILENT);
	assert_true(real_ns(CLOCK_MONOTONIC) - began_ns < 4000000000u);
	let_answer = true;
	wait_until(&waiting, 0);
	/* What they still free is their own. */
	usleep(50000);
	return err;
}

/* ---- signatures -------------------------------------------------------- */

/* The thread that checked the last batch, and whether the one that took its
 * verdicts is the same. */
static _Atomic(pthread_t) checker;
static atomic_uint checked_here, checked_elsewhere;

void __real_unit_batch_check(struct unit_batch *b);
void __wrap_unit_batch_check(struct unit_batch *b);
void __wrap_unit_batch_check(struct unit_batch *b)
{
	atomic_store(&checker, pthread_self());
	__real_unit_batch_check(b);
}

void __real_gossip_verified(
	struct gossip *g, const struct env *env, struct unit_batch *b);
void __wrap_gossip_verified(
	struct gossip *g, const struct env *env, struct unit_batch *b);
void __wrap_gossip_verified(
	struct gossip *g, const struct env *env, struct unit_batch *b)
{
	if (pthread_equal(atomic_load(&checker), pthread_self()))
		checked_here++;
	else
		checked_elsewhere++;
	__real_gossip_verified(g, env, b);
}

static struct loop *start_the_other(struct place *p, struct mailbox *chat)
{
	struct loop_cfg cfg = {.node = {.me = &p->other,
				       .agent = "lab/2",
				       .offer_yamux = true},
		.chat = chat,
		.listen_count = 1};
	char error[LOOP_ERROR_TEXT_MAX], text[64];
	struct maddr listen;
	struct loop *l;

	close(p->fd);
	p->fd = -1;
	snprintf(text, sizeof(text), "/ip4/127.0.0.1/tcp/%u", p->port);
	assert_int_equal(maddr_parse_text(&listen, bytes_str(text)), 0);
	cfg.listen = &listen;
	l = loop_new(&cfg, error);
	assert_non_null(l);
	assert_int_equal(loop_start(l), 0);
	return l;
}

static void post(struct loop *l, struct net_msg *m)
{
	struct msg *msg = &m->msg;

	assert_int_equal(mailbox_post(loop_inbox(l), &msg), 0);
}

static void publish(struct place *p, struct loop *l, uint64_t seqno)
{
	struct buf unit;

	buf_init(&unit, UNIT_BYTES_MAX);
	assert_int_equal(unit_sign(&p->other, seqno, bytes_str("room"),
				 bytes_str("hello"), &unit),
		0);
	post(l, net_msg_new(NET_MSG_PUBLISH, "room", buf_bytes(&unit)));
	buf_clear(&unit);
}

/* A line that comes alone wakes no other thread; several at once do. */
static void test_loop_checks_a_lone_line_itself(void **state)
{
	struct mailbox_cfg box = {.count_max = 1000, .bytes_max = 1 << 20};
	struct mailbox *chat = mailbox_new(&box);
	struct place *p = *state;
	struct loop *l = start_the_other(p, chat);
	uint64_t seqno = 0;

	post(l, net_msg_new(NET_MSG_JOIN, "room", bytes_of(NULL, 0)));
	say(p, net_msg_new(NET_MSG_JOIN, "room", bytes_of(NULL, 0)));
	know_the_other(p);
	for (unsigned i = 0; i < 200 && checked_here < 10; i++) {
		publish(p, l, ++seqno);
		usleep(100000);
	}
	assert_in_range(checked_here, 10, 200);
	/* On a busy machine two may come at once. */
	assert_in_range(checked_elsewhere, 0, 5);
	checked_elsewhere = 0;
	for (unsigned i = 0; i < 100 && checked_elsewhere == 0; i++) {
		for (unsigned k = 0; k < 50; k++)
			publish(p, l, ++seqno);
		usleep(20000);
	}
	assert_in_range(checked_elsewhere, 1, 5000);
	post(l, net_msg_new(NET_MSG_QUIT, NULL, bytes_of(NULL, 0)));
	loop_free(l);
	mailbox_free(chat);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			test_loop_dials_soon_after_the_machine_slept, setup,
			teardown),
		cmocka_unit_test_setup_teardown(
			test_loop_tries_the_next_address_of_a_name, setup,
			teardown),
		cmocka_unit_test_setup_teardown(
			test_loop_tries_the_families_of_a_name_by_turns, setup,
			teardown),
		cmocka_unit_test_setup_teardown(
			test_loop_names_without_an_answer_hold_nobody_up, setup,
			teardown_while_asking),
		cmocka_unit_test_setup_teardown(
			test_loop_says_that_an_interface_is_not_there, setup,
			teardown),
		cmocka_unit_test_setup_teardown(
			test_loop_checks_a_lone_line_itself, setup, teardown),
		cmocka_unit_test_setup_teardown(
			test_loop_goes_by_changed_addresses_only, setup_apart,
			teardown_apart),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

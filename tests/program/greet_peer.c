/*
 * A node with the test protocol of net/serve, in a process of its own: greet.py
 * starts two of them. It listens on loopback, prints its address, connects to
 * the one that is given, and ends with 0 once it has greeted and was greeted,
 * or with 1 after PATIENCE_S.
 */
#include <poll.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "msg/chat_msg.h"
#include "msg/net_msg.h"
#include "net/loop/loop.h"
#include "tests/lib/greet.h"

#define PATIENCE_S 20

static atomic_bool greeted;

static void on_log(struct log *log, enum log_level level, const char *line)
{
	(void)log;
	(void)level;
	if (strcmp(line, "greeted") == 0)
		greeted = true;
}

static void command(struct loop *l, enum net_msg_kind kind, const char *text)
{
	struct msg *m = &net_msg_new(kind, text, bytes_of(NULL, 0))->msg;

	if (mailbox_post(loop_inbox(l), &m) != 0)
		msg_free(m);
}

/* What the node tells; true: it has said where it listens. */
static bool hear(struct mailbox *chat)
{
	struct msg *m;
	bool ready = false;

	while ((m = mailbox_take(chat)) != NULL) {
		if (m->kind == CHAT_MSG_NET_READY) {
			puts(chat_net_msg_of(m)->text);
			(void)fflush(stdout);
			ready = true;
		}
		msg_free(m);
	}
	return ready;
}

int main(int argc, char **argv)
{
	static const struct service_ops *const services[] = {&greet_ops, NULL};
	struct mailbox_cfg box = {.count_max = MSG_QUEUE_TO_CHAT,
		.bytes_max = MSG_QUEUE_TO_CHAT_BYTES};
	struct mailbox *chat = mailbox_new(&box);
	struct log log = {.write = on_log, .level = LOG_LEVEL_INFO};
	struct maddr listen;
	struct identity me;
	struct loop_cfg cfg = {
		.node = {.me = &me,
			.agent = "greet",
			.offer_yamux = true,
			.services = services},
		.log = &log,
		.chat = chat,
		.listen = &listen,
		.listen_count = 1,
	};
	char error[LOOP_ERROR_TEXT_MAX];
	uint8_t seed[32];
	struct loop *l;
	struct rng rng;

	if (crypto_init() != 0 ||
		maddr_parse_text(&listen, bytes_str("/ip4/127.0.0.1/tcp/0")) !=
			0)
		return 1;
	rng_init_os(&rng);
	rng_fill(&rng, seed, sizeof(seed));
	identity_from_seed(&me, seed);
	l = loop_new(&cfg, error);
	if (l == NULL || loop_start(l) != 0)
		return 1;
	for (int i = 0; i < PATIENCE_S * 100; i++) {
		if (hear(chat) && argc > 1)
			command(l, NET_MSG_CONNECT, argv[1]);
		/* The other one still needs our answer. */
		if (greeted)
			break;
		(void)poll(NULL, 0, 10);
	}
	if (argc == 1)
		(void)poll(NULL, 0, 500);
	command(l, NET_MSG_QUIT, NULL);
	loop_free(l);
	(void)hear(chat);
	mailbox_free(chat);
	return !greeted;
}

/*
 * Prints what LAN discovery reports, one line each, with the seconds since
 * the start:
 *
 *	discover_probe ID PORT [ADDRESS...]
 *	0.912 status ok avahi on eth0
 *	1.204 peer /ip4/10.77.0.2/tcp/4001/p2p/12D3KooW...
 *
 * ID is the own peer id; ADDRESS such as /ip4/10.77.0.1 is published with
 * /tcp/PORT/p2p/ID behind it. "refresh" on standard input publishes anew; its
 * end withdraws and ends, and prints how long that took.
 */
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/clock.h"
#include "net/loop/discovery.h"

#define WATCH_MS 500

static uint64_t start_ms;
static int wake_pipe[2];

static void wake(void *arg)
{
	(void)arg;
	(void)!write(wake_pipe[1], "", 1);
}

static void say(const char *word, const char *text)
{
	uint64_t ms = clock_now_ms() - start_ms;

	printf("%u.%03u %s%s\n", (unsigned)(ms / 1000), (unsigned)(ms % 1000),
		word, text);
	fflush(stdout);
}

static void show(const struct lan_msg *m)
{
	static const char *const states[] = {"busy", "ok", "failed", "none"};
	char text[MADDR_TEXT_MAX];

	if (m->msg.kind == LAN_MSG_PEER) {
		say("peer ", maddr_text(&m->addr, text));
		return;
	}
	snprintf(text, sizeof(text), "%s %s", states[m->state], m->text);
	say("status ", text);
}

static void serve(struct discovery *d, struct mailbox *box)
{
	struct pollfd fds[2] = {
		{.fd = STDIN_FILENO, .events = POLLIN},
		{.fd = wake_pipe[0], .events = POLLIN},
	};
	struct msg *m;
	char junk[256];

	for (;;) {
		(void)poll(fds, 2, WATCH_MS);
		discovery_watch(d);
		if (fds[0].revents != 0) {
			if (read(STDIN_FILENO, junk, sizeof(junk)) <= 0)
				return;
			discovery_refresh(d);
		}
		if (fds[1].revents != 0)
			(void)!read(wake_pipe[0], junk, sizeof(junk));
		while ((m = mailbox_take(box)) != NULL) {
			show(lan_msg_of(m));
			msg_free(m);
		}
	}
}

static void write_log(struct log *log, enum log_level level, const char *line)
{
	(void)log;
	if (getenv("PROBE_LOG") != NULL)
		fprintf(stderr, "# %s: %s\n", log_level_name(level), line);
}

int main(int argc, char **argv)
{
	struct mailbox_cfg box_cfg = {
		.count_max = 256, .bytes_max = 1 << 20, .wake = wake};
	struct advert *advert = calloc(1, sizeof(*advert));
	struct log log = {.write = write_log, .level = LOG_LEVEL_DEBUG};
	struct discovery_cfg cfg = {.log = &log};
	struct discovery *d;
	char text[512];

	mdns_services_init(&cfg.services);
	start_ms = clock_now_ms();
	if (advert == NULL || argc < 3 || pipe(wake_pipe) != 0)
		return 64;
	for (int i = 3; i < argc && advert->count < DISCOVERY_ADDRESSES_MAX;
		i++) {
		snprintf(text, sizeof(text), "%s/tcp/%s/p2p/%s", argv[i],
			argv[2], argv[1]);
		if (maddr_parse_text(&advert->addrs[advert->count++],
			    bytes_str(text)) != 0)
			return 65;
	}
	cfg.out = mailbox_new(&box_cfg);
	d = discovery_new(&cfg);
	advert->port = (uint16_t)strtoul(argv[2], NULL, 10);
	discovery_advertise(d, advert);
	serve(d, cfg.out);
	start_ms = clock_now_ms();
	discovery_free(d);
	say("freed", "");
	mailbox_free(cfg.out);
	return 0;
}

/*
 * The real screen face on the terminal it is started on, fed with words that
 * the chat thread would say; what it posts is answered as the chat thread
 * would. For the screen tests and for looking.
 *
 *   demo [first]     a first run: only the checklist
 *   demo             rooms, people, lines
 * Lines typed: "//crash" ends by a null pointer, "//abort" by an assertion,
 * "//flood" makes 40 lines arrive, "//hold" fills the queue.
 */
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/mailbox.h"
#include "base/xmalloc.h"
#include "msg/ui_msg.h"
#include "ui/terminal/screen_face.h"

static int signal_pipe[2];
static volatile sig_atomic_t got_signal[65];

static void on_signal(int number)
{
	got_signal[number] = 1;
	(void)!write(signal_pipe[1], "s", 1);
}

static void on_crash(int number)
{
	terminal_restore_raw();
	(void)signal(number, SIG_DFL);
	(void)raise(number);
}

static struct ui_clock now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	/* The wall stands still, so that screens can be compared. */
	return (struct ui_clock){
		.now_ms = (uint64_t)ts.tv_sec * 1000 +
			  (uint64_t)ts.tv_nsec / 1000000,
		.wall_ms = 1763649300000, /* 20 Nov 2025 14:35 */
	};
}

static struct screen_face *face;
static unsigned line_count;

static void say(struct ui_msg *m)
{
	struct ui_clock clock = now();

	screen_face_on_msg(face, m, &clock);
}

static void line(const char *room, const char *name, int minute,
	const char *text, enum ui_line_origin origin)
{
	struct ui_msg *m = ui_msg_new(UI_MSG_LINE, room, NULL);

	m->line.text = xstrdup(text);
	m->line.time_ms = 1763647200000 + (uint64_t)minute * 60000;
	m->line.id[31] = (uint8_t)++line_count;
	m->line.id[30] = (uint8_t)(line_count >> 8);
	m->line.id[0] = 1;
	m->line.name_mark = ' ';
	m->line.own = strcmp(name, "you") == 0;
	m->line.state = m->line.own ? UI_STATE_HANDED : UI_STATE_NONE;
	m->line.mention = strstr(text, "amber-otter") != NULL;
	if (strcmp(name, "nok") == 0) {
		m->line.name_mark = '?';
		snprintf(m->line.tag, sizeof(m->line.tag), "9f2c");
	}
	m->line.origin = origin;
	snprintf(m->line.name, sizeof(m->line.name), "%s", name);
	say(m);
}

static void room(const char *topic, const char *title, unsigned unread,
	unsigned mentions)
{
	struct ui_msg *m = ui_msg_new(UI_MSG_ROOM, topic, NULL);

	m->title = xstrdup(title);
	m->joined = true;
	m->unread = unread;
	m->mentions = mentions;
	say(m);
}

static void status(enum chat_status_item item, enum chat_status_state state,
	const char *text)
{
	struct ui_msg *m = ui_msg_new(UI_MSG_STATUS, NULL, text);

	m->item = item;
	m->status = state;
	say(m);
}

static void person(const char *name, const char *tag, char mark, bool relayed,
	uint64_t rtt_us)
{
	struct ui_msg *m = ui_msg_new(UI_MSG_PERSON, NULL, NULL);

	snprintf(m->person.peer, sizeof(m->person.peer), "12D3KooW%s%s", name,
		tag);
	snprintf(m->person.name, sizeof(m->person.name), "%s", name);
	snprintf(m->person.tag, sizeof(m->person.tag), "%s", tag);
	m->person.name_mark = mark;
	m->person.connected = true;
	m->person.relayed = relayed;
	m->person.rtt_us = rtt_us;
	m->person.agent = xstrdup("p2pchat-tui/0.1.0");
	say(m);
	m = ui_msg_new(UI_MSG_MEMBER, "p2p-chat-default", NULL);
	snprintf(m->peer, sizeof(m->peer), "12D3KooW%s%s", name, tag);
	m->joined = true;
	say(m);
}

static void ready(void)
{
	struct ui_msg *m = ui_msg_new(
		UI_MSG_READY, "p2p-chat-default", "/ip4/192.168.1.20/tcp/4001");

	m->title = xstrdup("lobby");
	snprintf(m->name, sizeof(m->name), "amber-otter");
	snprintf(m->peer, sizeof(m->peer), "12D3KooWAbCdEfGhd0a1c31e");
	say(m);
	status(CHAT_STATUS_LISTEN, CHAT_STATE_OK, "192.168.1.20 tcp 4001");
	status(CHAT_STATUS_DISCOVERY, CHAT_STATE_OK, "avahi on wlan0, eth0");
	status(CHAT_STATUS_PEOPLE, CHAT_STATE_BUSY, "looking");
	status(CHAT_STATUS_HISTORY, CHAT_STATE_NONE,
		"lines missed while away are not fetched yet");
}

static void page(const char *topic)
{
	const enum ui_line_origin p = UI_LINE_PAGE;
	struct ui_msg *end = ui_msg_new(UI_MSG_PAGE_END, topic, NULL);

	if (strcmp(topic, "p2p-chat-default") == 0 && line_count == 0) {
		line(topic, "mali", 2, "morning! is the printer on?", p);
		line(topic, "tom", 3,
			"yes, I moved it next to the window. You may have to "
			"power it off and on once.",
			p);
		line(topic, "you", 5, "thanks, that works", p);
		line(topic, "nok", 20,
			"\xe0\xb8\xaa\xe0\xb8\xa7\xe0\xb8\xb1\xe0\xb8\xaa\xe0"
			"\xb8\x94\xe0\xb8\xb5\xe0\xb8\x84\xe0\xb8\xa3\xe0\xb8"
			"\xb1\xe0\xb8\x9a \xe4\xbd\xa0\xe5\xa5\xbd "
			"\xf0\x9f\x91\x8d\xf0\x9f\x8f\xbd "
			"\xf0\x9f\x87\xb9\xf0\x9f\x87\xad "
			"\xf0\x9f\x91\xa8\xe2\x80\x8d\xf0\x9f\x91\xa9\xe2\x80"
			"\x8d\xf0\x9f\x91\xa7 "
			"\xe2\x9d\xa4\xef\xb8\x8f \xe0\xb8\x99\xe0\xb9\x89\xe0"
			"\xb8\xb3 e\xcc\x81| end",
			p);
		line(topic, "mali", 30, "amber-otter: can you look at it?", p);
		line(topic, "you", 31, "on my way", p);
		line(topic, "mali", 33,
			"this is all it says:\n| lp0: paper out, retry 3\n"
			"| lp0: offline",
			p);
		line(topic, "tom", 34, "https://printer.lan/status", p);
	}
	say(end);
}

static void story(void)
{
	ready();
	room("p2p-chat-default", "lobby", 0, 0);
	room("dev", "dev", 3, 2);
	room("music", "music", 7, 0);
	person("mali", "c31e", ' ', false, 412);
	person("tom", "4b1d", ' ', false, 8200);
	person("nok", "9f2c", '?', true, 61000);
	person("tom", "77ab", '!', true, 64000);
}

static void on_line(const char *topic, const char *text)
{
	if (strcmp(text, "//crash") == 0) {
		volatile int *nothing = NULL;

		*nothing = 1;
	}
	if (strcmp(text, "//abort") == 0)
		P2P_ASSERT(text == NULL);
	if (strcmp(text, "//flood") == 0) {
		for (int i = 0; i < 40; i++)
			line(topic, "tom", 35, "one of many", UI_LINE_LIVE);
		return;
	}
	if (strcmp(text, "/quit") == 0) {
		say(ui_msg_new(UI_MSG_QUIT, NULL, NULL));
		return;
	}
	line(topic, "you", 35, text, UI_LINE_LIVE);
}

static void answer(struct mailbox *chat)
{
	struct msg *m;

	while ((m = mailbox_take(chat)) != NULL) {
		struct chat_ui_msg *cm = chat_ui_msg_of(m);

		if (m->kind == CHAT_MSG_PAGE)
			page(cm->room);
		else if (m->kind == CHAT_MSG_LINE)
			on_line(cm->room, cm->text);
		else if (m->kind == CHAT_MSG_QUIT)
			say(ui_msg_new(UI_MSG_QUIT, NULL, NULL));
		msg_free(m);
	}
}

static void take_signal(int number, void (*act)(struct screen_face *f))
{
	if (!got_signal[number])
		return;
	got_signal[number] = 0;
	act(face);
}

static void turn(struct mailbox *chat)
{
	struct pollfd fds[2] = {{.fd = screen_face_fd(face), .events = POLLIN},
		{.fd = signal_pipe[0], .events = POLLIN}};
	struct ui_clock clock = now();
	uint64_t at = screen_face_deadline(face);
	uint64_t wait = at <= clock.now_ms ? 0 : at - clock.now_ms;
	char drop[64];

	(void)poll(fds, 2, at == P2P_NEVER ? -1 : (int)P2P_MIN(wait, 60000u));
	clock = now();
	if (fds[1].revents != 0)
		(void)!read(signal_pipe[0], drop, sizeof(drop));
	take_signal(SIGWINCH, screen_face_on_resize);
	take_signal(SIGTSTP, screen_face_suspend);
	take_signal(SIGCONT, screen_face_resume);
	take_signal(SIGTERM, screen_face_quit);
	take_signal(SIGHUP, screen_face_quit);
	if (fds[0].revents != 0)
		screen_face_on_input(face, &clock);
	answer(chat);
	screen_face_turn(face, &clock);
}

static void catch_signals(void)
{
	const int polite[] = {SIGWINCH, SIGTSTP, SIGCONT, SIGTERM, SIGHUP};
	const int crash[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL};

	if (pipe2(signal_pipe, O_CLOEXEC | O_NONBLOCK) != 0)
		exit(74);
	for (size_t i = 0; i < P2P_ARRAY_LEN(polite); i++)
		(void)signal(polite[i], on_signal);
	for (size_t i = 0; i < P2P_ARRAY_LEN(crash); i++)
		(void)signal(crash[i], on_crash);
}

int main(int argc, char **argv)
{
	struct mailbox_cfg mc = {.count_max = 64, .bytes_max = 1 << 20};
	struct screen_face_cfg cfg = {.version = "0.1.0", .clock = now()};
	const char *no_color = getenv("NO_COLOR");
	int status_code = 0;
	int err;

	catch_signals();
	cfg.chat = mailbox_new(&mc);
	cfg.no_color = no_color != NULL && no_color[0] != '\0';
	err = screen_face_new(&cfg, &face);
	if (err != 0) {
		fprintf(stderr, "demo: no screen: %s\n", p2p_err_text(err));
		return 64;
	}
	if (argc > 1 && strcmp(argv[1], "first") == 0)
		ready();
	else
		story();
	while (!screen_face_wants_quit(face, &status_code))
		turn(cfg.chat);
	screen_face_free(face);
	mailbox_free(cfg.chat);
	return status_code;
}

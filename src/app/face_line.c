/*
 * The main thread's loop for lines (--plain, --headless, --json): what stdin
 * and the chat thread say goes to the face of ui/line, what that says goes to
 * stdout. A reader of stdout may be slow, and its end of the pipe may refuse
 * instead of making us wait: meanwhile nothing is taken from stdin or from the
 * mailbox, so that what waits stays bounded, but signals are still served.
 */
#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "app/exit_status.h"
#include "app/faces.h"
#include "app/signals.h"
#include "base/clock.h"
#include "msg/ui_msg.h"
#include "ui/line/line_face.h"

#define READ_BYTES 4096
/* How long a reader is waited for in all once a signal has told us to end. */
#define LAST_WAITS_MS 3000
/* How often to look whether a terminal has become ours to read. */
#define FRONT_MS 1000

struct line_loop {
	struct line_face *face;
	int signal_fd;
	bool terminal; /* stdin is one */
	bool told_to_end;
	uint64_t patience_ms; /* left of LAST_WAITS_MS */
	char *error;          /* why stdout was given up */
};

static void serve_signals(struct line_loop *l)
{
	int number;

	while ((number = signals_next(l->signal_fd)) != 0)
		if (number == SIGTERM || number == SIGINT || number == SIGHUP)
			l->told_to_end = true;
	/* Again while the chat thread's mailbox was full. */
	if (l->told_to_end)
		line_face_quit(l->face);
}

/* False when there is nobody to wait for any longer. */
static bool wait_for_reader(struct line_loop *l)
{
	struct pollfd fds[] = {
		{.fd = STDOUT_FILENO, .events = POLLOUT},
		{.fd = l->signal_fd, .events = POLLIN},
	};

	for (;;) {
		uint64_t now = clock_now_ms();
		bool last = l->told_to_end;

		(void)poll(fds, P2P_ARRAY_LEN(fds),
			program_timeout(
				last ? now + l->patience_ms : P2P_NEVER));
		if (last)
			l->patience_ms -=
				P2P_MIN(l->patience_ms, clock_now_ms() - now);
		serve_signals(l);
		/* A pipe without a reader as well: write(2) says why. */
		if (fds[0].revents != 0)
			return true;
		if (l->patience_ms == 0)
			return false;
	}
}

static int give_up(struct line_loop *l, const char *why)
{
	(void)snprintf(l->error, OPTIONS_ERROR_MAX, "standard output: %s", why);
	return P2P_ERR_IO;
}

static int write_stdout(void *arg, struct bytes out)
{
	struct line_loop *l = arg;

	while (out.len > 0) {
		ssize_t n;

		if (!wait_for_reader(l))
			return give_up(l, "nobody reads what is written");
		/* So much a pipe takes at once that is said to take
		 * anything: in a write that waits no signal is served. */
		n = write(STDOUT_FILENO, out.data, P2P_MIN(out.len, PIPE_BUF));
		if (n < 0 && (errno == EINTR || errno == EAGAIN))
			continue;
		if (n <= 0)
			return give_up(l, strerror(errno));
		out = bytes_skip(out, (size_t)n);
	}
	return 0;
}

/*
 * Started with & from a shell: what is typed is the shell's, and a read would
 * stop us (SIGTTIN). A terminal that is not ours to ask about is read.
 */
static bool in_background(const struct line_loop *l)
{
	pid_t front = l->terminal ? tcgetpgrp(STDIN_FILENO) : -1;

	return front > 0 && front != getpgrp();
}

/* False at the end of input. */
static bool read_stdin(struct line_loop *l)
{
	struct ui_clock clock = program_clock();
	uint8_t raw[READ_BYTES];
	ssize_t n = read(STDIN_FILENO, raw, sizeof(raw));

	if (n > 0)
		line_face_on_input(l->face, bytes_of(raw, (size_t)n), &clock);
	/* EIO: put into the background since we looked. */
	if (n > 0 || (n < 0 && (errno == EINTR || errno == EAGAIN ||
				       in_background(l))))
		return true;
	line_face_on_eof(l->face, &clock);
	return false;
}

static void take_messages(struct program *p, struct line_face *f)
{
	struct ui_clock clock = program_clock();
	struct msg *m;

	program_clear_wake(p);
	while ((m = mailbox_take(p->to_ui)) != NULL)
		line_face_on_msg(f, ui_msg_of(m), &clock);
	line_face_flush(f);
}

/* Nothing tells when a shell's fg brings us to the front. */
static uint64_t wake_at(const struct line_face *f, bool behind)
{
	uint64_t at = line_face_deadline(f);

	return behind ? P2P_MIN(at, clock_now_ms() + FRONT_MS) : at;
}

int face_run_line(struct program *p, int signal_fd, bool headless,
	char error[static OPTIONS_ERROR_MAX])
{
	struct line_loop l = {
		.error = error,
		.signal_fd = signal_fd,
		.terminal = isatty(STDIN_FILENO) != 0,
		.patience_ms = LAST_WAITS_MS,
	};
	struct line_face_cfg cfg = {
		.chat = p->from_ui,
		.write = write_stdout,
		.write_arg = &l,
		.json = p->options->json,
		.headless = headless,
		.ascii = p->options->ascii,
	};
	struct line_face *f = line_face_new(&cfg);
	bool open = true;
	int status = EXIT_OK;

	l.face = f;
	/* A read from the background fails instead of stopping all of us. */
	(void)signal(SIGTTIN, SIG_IGN);
	if (program_run(p) != 0) {
		line_face_free(f);
		return EXIT_UNAVAILABLE;
	}
	while (!line_face_wants_quit(f, &status)) {
		bool behind = open && in_background(&l);
		bool want = open && !behind && line_face_wants_input(f);
		struct pollfd fds[] = {
			{.fd = p->wake_fd, .events = POLLIN},
			{.fd = signal_fd, .events = POLLIN},
			{.fd = want ? STDIN_FILENO : -1, .events = POLLIN},
		};
		struct ui_clock clock;

		(void)poll(fds, P2P_ARRAY_LEN(fds),
			program_timeout(wake_at(f, behind)));
		serve_signals(&l);
		take_messages(p, f);
		if (fds[2].revents != 0 && !in_background(&l))
			open = read_stdin(&l);
		clock = program_clock();
		line_face_turn(f, &clock);
	}
	signals_deadline(5);
	line_face_quit(f);
	line_face_free(f);
	return status;
}

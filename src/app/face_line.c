#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <unistd.h>

#include "app/exit_status.h"
#include "app/faces.h"
#include "app/signals.h"
#include "msg/ui_msg.h"
#include "ui/line/line_face.h"

#define READ_BYTES 4096

static int write_stdout(void *arg, struct bytes out)
{
	(void)arg;
	while (out.len > 0) {
		ssize_t n = write(STDOUT_FILENO, out.data, out.len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return P2P_ERR_IO;
		out = bytes_skip(out, (size_t)n);
	}
	return 0;
}

/* False at the end of input. */
static bool read_stdin(struct line_face *f)
{
	struct ui_clock clock = program_clock();
	uint8_t raw[READ_BYTES];
	ssize_t n = read(STDIN_FILENO, raw, sizeof(raw));

	if (n > 0)
		line_face_on_input(f, bytes_of(raw, (size_t)n), &clock);
	else if (n == 0 || (errno != EINTR && errno != EAGAIN))
		line_face_on_eof(f, &clock);
	return n > 0 || (n < 0 && (errno == EINTR || errno == EAGAIN));
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

static void serve_signals(struct line_face *f, int fd)
{
	int number;

	while ((number = signals_next(fd)) != 0)
		if (number == SIGTERM || number == SIGINT || number == SIGHUP)
			line_face_quit(f);
}

int face_run_line(struct program *p, int signal_fd, bool headless)
{
	struct line_face_cfg cfg = {
		.chat = p->from_ui,
		.write = write_stdout,
		.json = p->options->json,
		.headless = headless,
		.ascii = p->options->ascii,
	};
	struct line_face *f = line_face_new(&cfg);
	bool open = true;
	int status = EXIT_OK;

	if (program_run(p) != 0) {
		line_face_free(f);
		return EXIT_UNAVAILABLE;
	}
	while (!line_face_wants_quit(f, &status)) {
		bool want = open && line_face_wants_input(f);
		struct pollfd fds[] = {
			{.fd = p->wake_fd, .events = POLLIN},
			{.fd = signal_fd, .events = POLLIN},
			{.fd = want ? STDIN_FILENO : -1, .events = POLLIN},
		};
		struct ui_clock clock;

		(void)poll(fds, P2P_ARRAY_LEN(fds),
			program_timeout(line_face_deadline(f)));
		serve_signals(f, signal_fd);
		take_messages(p, f);
		if (fds[2].revents != 0)
			open = read_stdin(f);
		clock = program_clock();
		line_face_turn(f, &clock);
	}
	signals_deadline(5);
	line_face_quit(f);
	line_face_free(f);
	return status;
}

/*
 * The main thread's loop for the full screen: terminal, signals and the chat
 * thread's messages are waited for in one poll. The screen stands before the
 * program is loaded, so that a first start, which writes key and database, does
 * not begin with a blank terminal; what fails behind it is told when the
 * terminal has been given back.
 */
#include <poll.h>
#include <signal.h>
#include <stdlib.h>

#include "app/exit_status.h"
#include "app/faces.h"
#include "app/signals.h"
#include "base/text.h"
#include "base/xmalloc.h"
#include "msg/ui_msg.h"
#include "ui/terminal/screen_face.h"

#define LOCALE_BYTES_MAX 64

static void take_messages(struct program *p, struct screen_face *f)
{
	struct ui_clock clock = program_clock();
	struct msg *m;

	program_clear_wake(p);
	while ((m = mailbox_take(p->to_ui)) != NULL)
		screen_face_on_msg(f, ui_msg_of(m), &clock);
}

static void serve_signals(struct screen_face *f, int fd, int *ended_by)
{
	int number;

	while ((number = signals_next(fd)) != 0) {
		switch (number) {
		case SIGWINCH:
			screen_face_on_resize(f);
			break;
		case SIGTSTP:
			screen_face_suspend(f);
			break;
		case SIGCONT:
			screen_face_resume(f);
			break;
		default:
			*ended_by = number;
			signals_deadline(5);
			screen_face_quit(f);
			break;
		}
	}
}

static int run(struct program *p, struct screen_face *f, int signal_fd)
{
	int status = EXIT_OK;
	int ended_by = 0;

	while (!screen_face_wants_quit(f, &status)) {
		struct pollfd fds[] = {
			{.fd = p->wake_fd, .events = POLLIN},
			{.fd = signal_fd, .events = POLLIN},
			{.fd = screen_face_fd(f), .events = POLLIN},
		};
		struct ui_clock clock;

		(void)poll(fds, P2P_ARRAY_LEN(fds),
			program_timeout(screen_face_deadline(f)));
		serve_signals(f, signal_fd, &ended_by);
		take_messages(p, f);
		clock = program_clock();
		if (fds[2].revents != 0)
			screen_face_on_input(f, &clock);
		screen_face_turn(f, &clock);
	}
	signals_deadline(5);
	screen_face_quit(f);
	return ended_by == SIGHUP ? 128 + SIGHUP : status;
}

/* The variable that says which locale it is, and what it says. */
static char *locale_name(void)
{
	static const char *const names[] = {"LC_ALL", "LC_CTYPE", "LANG"};
	char *text = NULL;

	for (size_t i = 0; i < P2P_ARRAY_LEN(names) && text == NULL; i++) {
		const char *value = getenv(names[i]);
		struct buf clean;

		if (value == NULL || value[0] == '\0')
			continue;
		buf_init(&clean, LOCALE_BYTES_MAX);
		(void)text_clean(TEXT_LINE, bytes_str(value), &clean);
		text = xasprintf("%s=%s", names[i], buf_cstr(&clean));
		buf_clear(&clean);
	}
	return text;
}

int face_run_screen(
	struct program *p, int signal_fd, char error[static OPTIONS_ERROR_MAX])
{
	static const enum screen_color colors[] = {
		[OPTION_COLOR_AUTO] = SCREEN_COLOR_AUTO,
		[OPTION_COLOR_ALWAYS] = SCREEN_COLOR_ALWAYS,
		[OPTION_COLOR_NEVER] = SCREEN_COLOR_NEVER,
	};
	const char *no_color = getenv("NO_COLOR");
	struct screen_face_cfg cfg = {
		.chat = p->from_ui,
		.version = PACKAGE_VERSION,
		.color = colors[p->options->color],
		.no_color = no_color != NULL && no_color[0] != '\0',
		.ascii = p->options->ascii,
		.clock = program_clock(),
	};
	struct screen_face *f = NULL;
	char *locale = locale_name();
	int status;

	cfg.locale = locale;
	log_file_take_stderr(&p->log);
	status = screen_face_new(&cfg, &f);
	free(locale);
	if (status != 0) {
		log_file_give_stderr(&p->log);
		return EXIT_IO;
	}
	status = program_load(p, error);
	if (status == 0)
		status = program_run(p) == 0 ? run(p, f, signal_fd)
					     : EXIT_UNAVAILABLE;
	screen_face_free(f);
	log_file_give_stderr(&p->log);
	return status;
}

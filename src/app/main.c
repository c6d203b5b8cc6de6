/*
 * Start and end of the program: options, profile, threads, face.
 */
#include <errno.h>
#include <fcntl.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "app/exit_status.h"
#include "app/faces.h"
#include "app/signals.h"
#include "base/text.h"
#include "base/xmalloc.h"
#include "ui/terminal/screen_face.h"

#define TERM_BYTES_MAX 64

enum face {
	FACE_SCREEN,
	FACE_PLAIN,
	FACE_HEADLESS,
};

static const char *get_env(const char *name)
{
	return getenv(name);
}

static void complain(const char *text)
{
	(void)fprintf(stderr, "p2pchat-tui: %s\n", text);
}

static void complain_of_stdout(void)
{
	(void)fprintf(
		stderr, "p2pchat-tui: standard output: %s\n", strerror(errno));
}

/* What --help and --version say; a full disk under a file is no reason to end
 * as if it had been said. */
static int print(const char *text)
{
	if (fputs(text, stdout) >= 0 && fflush(stdout) == 0)
		return EXIT_OK;
	complain_of_stdout();
	return EXIT_IO;
}

static int print_versions(void)
{
	char *text = program_versions();
	int status = print(text);

	free(text);
	return status;
}

/* TERM is the person's own, but a terminal gets nothing unclean. */
static void complain_of_term(int err)
{
	const char *term = getenv("TERM");
	struct buf clean;

	if (term == NULL || term[0] == '\0') {
		complain("TERM is not set: going on line by line (--plain)");
	} else {
		char *text;

		buf_init(&clean, TERM_BYTES_MAX);
		(void)text_clean(TEXT_LINE, bytes_str(term), &clean);
		text = xasprintf("TERM=%s %s: going on line by line (--plain)",
			buf_cstr(&clean),
			err == P2P_ERR_NOT_FOUND ? "is not known here"
						 : "has no full screen");
		complain(text);
		free(text);
		buf_clear(&clean);
	}
	complain("for the full screen set TERM=xterm-256color if the terminal "
		 "is like xterm, or install its terminfo entry (Debian: "
		 "ncurses-term)");
}

/* The face that was asked for, or the one that the terminal allows; false
 * when there is none. */
static bool choose_face(const struct options *o, enum face *face)
{
	int err;

	*face = o->headless ? FACE_HEADLESS : FACE_PLAIN;
	if (o->headless || o->plain)
		return true;
	err = screen_face_probe();
	if (err == P2P_ERR_UNSUPPORTED || err == P2P_ERR_NOT_FOUND) {
		complain_of_term(err);
		return true;
	}
	*face = FACE_SCREEN;
	if (err == 0)
		return true;
	complain("standard input and output are not both a terminal: "
		 "use --plain or --headless (with --json for programs)");
	return false;
}

/* Started with one of them closed, the next file would take its number, and
 * what is meant for people would be written into it. */
static void fill_standard_files(void)
{
	/* Standard output cannot be written to, and that is told. */
	static const int how[] = {O_RDONLY, O_RDONLY, O_WRONLY};

	for (int fd = 0; fd < (int)P2P_ARRAY_LEN(how); fd++)
		if (fcntl(fd, F_GETFD) < 0 && open("/dev/null", how[fd]) != fd)
			_exit(EXIT_IO);
}

/* Keys are in memory: a core file would hold them. */
static void no_core_files(void)
{
	struct rlimit none = {.rlim_cur = 0, .rlim_max = 0};

	(void)setrlimit(RLIMIT_CORE, &none);
}

static int run(const struct options *o, enum face face)
{
	char error[OPTIONS_ERROR_MAX] = "";
	int signal_fd = signals_open(terminal_restore_raw);
	bool locked, unsaved;
	/* It holds the key. */
	struct program *p = secret_alloc(sizeof(*p), &locked);
	int status = program_open(p, o, get_env, error);

	p->key_locked = locked;
	if (status == 0 && face == FACE_SCREEN) {
		status = face_run_screen(p, signal_fd, error);
	} else if (status == 0) {
		status = program_load(p, error);
		if (status == 0)
			status = face_run_line(
				p, signal_fd, face == FACE_HEADLESS, error);
	}
	program_stop(p);
	unsaved = p->unsaved;
	secret_free(p, sizeof(*p));
	if (error[0] != '\0')
		complain(error);
	else if (unsaved)
		complain("not all of it was saved: the disk is full or the "
			 "database is damaged (then start again: what can be "
			 "read is carried over)");
	return status;
}

int main(int argc, char *argv[])
{
	char error[OPTIONS_ERROR_MAX] = "";
	enum face face = FACE_SCREEN;
	struct options o;
	int status;

	fill_standard_files();
	xmalloc_init();
	/* Whatever is made is for this user alone, and for him: a mask that
	 * takes away more would leave files that no later start can use. */
	(void)umask(S_IRWXG | S_IRWXO);
	(void)setlocale(LC_CTYPE, "");
	no_core_files();
	status = options_read(&o, argc, argv, get_env, error);
	if (status != 0) {
		complain(error);
	} else if (o.help) {
		status = print(options_help());
	} else if (o.version) {
		status = print_versions();
	} else if (!choose_face(&o, &face)) {
		status = EXIT_USAGE;
	} else {
		status = run(&o, face);
	}
	options_clear(&o);
	return status;
}

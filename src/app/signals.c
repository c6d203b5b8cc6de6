/*
 * Signals as bytes in a pipe that the main thread polls: a handler may do
 * little more than write(2). Those that mean a fault give the terminal back
 * first and then take their default, so that the status tells what it was; the
 * alarm of a leave that hangs ends the program with a status of its own.
 */
#include "app/signals.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "app/exit_status.h"

static int pipe_ends[2] = {-1, -1};
static void (*crash_hook)(void);

static void on_signal(int number)
{
	int keep = errno;
	unsigned char byte = (unsigned char)number;

	/* A full pipe loses a signal that is already waiting many times. */
	if (write(pipe_ends[1], &byte, 1) < 0)
		errno = 0;
	errno = keep;
}

static void on_crash(int number)
{
	if (crash_hook != NULL)
		crash_hook();
	/* SA_RESETHAND: the default action, with the right status. */
	(void)raise(number);
}

static void on_alarm(int number)
{
	(void)number;
	if (crash_hook != NULL)
		crash_hook();
	_exit(EXIT_BUG);
}

static void set_handler(int number, void (*handler)(int), int flags)
{
	struct sigaction sa;

	memset(&sa, 0, sizeof(sa));
	sa.sa_handler = handler;
	sa.sa_flags = flags;
	(void)sigemptyset(&sa.sa_mask);
	(void)sigaction(number, &sa, NULL);
}

int signals_open(void (*crash)(void))
{
	static const int served[] = {
		SIGTERM, SIGINT, SIGHUP, SIGWINCH, SIGTSTP, SIGCONT};
	static const int crashes[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT};

	crash_hook = crash;
	if (pipe2(pipe_ends, O_CLOEXEC | O_NONBLOCK) != 0)
		return -1;
	for (size_t i = 0; i < P2P_ARRAY_LEN(served); i++)
		set_handler(served[i], on_signal, SA_RESTART);
	for (size_t i = 0; i < P2P_ARRAY_LEN(crashes); i++)
		set_handler(crashes[i], on_crash, (int)SA_RESETHAND);
	set_handler(SIGPIPE, SIG_IGN, 0);
	set_handler(SIGALRM, on_alarm, 0);
	return pipe_ends[0];
}

int signals_next(int fd)
{
	unsigned char byte;

	return read(fd, &byte, 1) == 1 ? byte : 0;
}

void signals_deadline(unsigned seconds)
{
	(void)alarm(seconds);
}

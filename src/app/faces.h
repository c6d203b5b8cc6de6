/*
 * The main thread's loops: one for the screen, one for lines. Each returns
 * the exit status once the face wants to quit.
 */
#ifndef APP_FACES_H
#define APP_FACES_H

#include "app/program.h"

/* The full screen; the terminal is given back before it returns. Loads the
 * program once the screen stands; then `error` says why that failed. */
int face_run_screen(
	struct program *p, int signal_fd, char error[static OPTIONS_ERROR_MAX]);
/* Lines on standard output, commands on standard input; the program is loaded.
 * `error` says why standard output was given up. */
int face_run_line(struct program *p, int signal_fd, bool headless,
	char error[static OPTIONS_ERROR_MAX]);

#endif

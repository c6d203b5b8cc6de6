/*
 * The main thread's loops: one for the screen, one for lines. Each returns
 * the exit status once the face wants to quit.
 */
#ifndef APP_FACES_H
#define APP_FACES_H

#include "app/program.h"

/* The full screen; the terminal is given back before it returns. */
int face_run_screen(struct program *p, int signal_fd);
/* Lines on standard output, commands on standard input. */
int face_run_line(struct program *p, int signal_fd, bool headless);

#endif

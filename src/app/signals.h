/*
 * Signals as bytes in a pipe: handlers do nothing else, the face's loop serves
 * them. Crashes give the terminal back first.
 */
#ifndef APP_SIGNALS_H
#define APP_SIGNALS_H

#include "base/compiler.h"

/* Sets the handlers; `crash` is called on SIGSEGV and its like, async-signal
 * context, before the signal's default; NULL: nothing. Returns the pipe's end
 * to poll, or -1. */
int signals_open(void (*crash)(void));
/* The next signal that arrived, or 0. Never blocks. */
int signals_next(int fd);
/* From now on the program ends within `seconds`, whatever hangs. */
void signals_deadline(unsigned seconds);

#endif

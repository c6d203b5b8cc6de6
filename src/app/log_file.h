/*
 * The log's sink: a file, one line each with the time and level. Also takes
 * over standard error while a screen is up, because libraries write there.
 */
#ifndef APP_LOG_FILE_H
#define APP_LOG_FILE_H

#include <pthread.h>
#include <stdio.h>

#include "base/log.h"

/* A file that has become larger is started anew. */
#define LOG_FILE_BYTES_MAX (4u << 20)

struct log_file {
	struct log log; /* what the rest of the program is given */
	pthread_mutex_t lock;
	FILE *file;      /* NULL: lines are dropped */
	int stderr_copy; /* -1: standard error is where it was */
};

/* 0, PLAIN_FILE_FAULT (and errno) or PLAIN_FILE_ODD, and *why, words that are
 * valid until the next call. A log that could not be opened takes lines and
 * drops them. */
int log_file_open(struct log_file *lf, const char *path, enum log_level level,
	const char **why);
void log_file_close(struct log_file *lf);
/* Standard error goes to the log (or nowhere) until the second call. */
void log_file_take_stderr(struct log_file *lf);
void log_file_give_stderr(struct log_file *lf);

#endif

/*
 * Files that a person names, or that lie where the program looks for its own:
 * what is no plain file (a pipe, which would be waited for without end, a
 * device, a folder, a socket) is told in words and never read or written.
 */
#ifndef BASE_PLAIN_FILE_H
#define BASE_PLAIN_FILE_H

#include <sys/stat.h>

#include "base/compiler.h"

enum plain_file {
	PLAIN_FILE_OK = 0,
	PLAIN_FILE_FAULT = -1, /* of the system's: see errno */
	PLAIN_FILE_ODD = -2,   /* there is something else */
};

/* What it is instead, "a pipe, not a file"; NULL: a plain file. Static. */
const char *plain_file_odd(const struct stat *st);

/* Looks, opens nothing. st is filled in for 0 and PLAIN_FILE_ODD. */
enum plain_file plain_file_look(
	const char *path, struct stat *st, const char **why) P2P_MUST_CHECK;

/*
 * As open(2) with these flags, close-on-exec and mode 0600, without waiting for
 * anybody. A descriptor, or PLAIN_FILE_FAULT or PLAIN_FILE_ODD and *why, words
 * that are valid until the next call.
 */
int plain_file_open(
	const char *path, int flags, const char **why) P2P_MUST_CHECK;
/* The same, and the null device is taken, too: nothing to read, or nowhere. */
int plain_file_open_or_null(
	const char *path, int flags, const char **why) P2P_MUST_CHECK;

#endif

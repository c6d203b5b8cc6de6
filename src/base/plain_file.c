/*
 * The kind is looked at before open(2), since opening a device may already do
 * something, and again behind it, on the descriptor: the path may lead
 * elsewhere by then. O_NONBLOCK keeps the open itself from waiting; it means
 * nothing to plain files.
 */
#include "base/plain_file.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

const char *plain_file_odd(const struct stat *st)
{
	switch (st->st_mode & S_IFMT) {
	case S_IFREG:
		return NULL;
	case S_IFDIR:
		return "a folder, not a file";
	case S_IFIFO:
		return "a pipe, not a file";
	case S_IFSOCK:
		return "a socket, not a file";
	default:
		return "a device, not a file";
	}
}

enum plain_file plain_file_look(
	const char *path, struct stat *st, const char **why)
{
	if (stat(path, st) != 0) {
		*why = strerror(errno);
		return PLAIN_FILE_FAULT;
	}
	*why = plain_file_odd(st);
	return *why == NULL ? PLAIN_FILE_OK : PLAIN_FILE_ODD;
}

static bool is_null_device(const struct stat *st)
{
	struct stat null;

	return S_ISCHR(st->st_mode) && stat("/dev/null", &null) == 0 &&
	       S_ISCHR(null.st_mode) && st->st_rdev == null.st_rdev;
}

static int open_checked(
	const char *path, int flags, bool null_too, const char **why)
{
	struct stat st;
	int fd;

	/* What cannot be looked at cannot be opened either, or is made. */
	if (plain_file_look(path, &st, why) == PLAIN_FILE_ODD &&
		!(null_too && is_null_device(&st)))
		return PLAIN_FILE_ODD;
	fd = open(path, flags | O_NONBLOCK | O_NOCTTY | O_CLOEXEC, 0600);
	if (fd < 0 || fstat(fd, &st) != 0) {
		int keep = errno;

		if (fd >= 0)
			(void)close(fd);
		*why = strerror(keep);
		errno = keep;
		return PLAIN_FILE_FAULT;
	}
	*why = plain_file_odd(&st);
	if (*why == NULL || (null_too && is_null_device(&st)))
		return fd;
	(void)close(fd);
	return PLAIN_FILE_ODD;
}

int plain_file_open(const char *path, int flags, const char **why)
{
	return open_checked(path, flags, false, why);
}

int plain_file_open_or_null(const char *path, int flags, const char **why)
{
	return open_checked(path, flags, true, why);
}

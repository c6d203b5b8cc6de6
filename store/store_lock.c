/*
 * The profile's lock: a file of its own, so that no descriptor of the
 * database is ever opened beside SQLite's.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/xmalloc.h"
#include "store/store.h"

struct store_lock {
	int fd;
};

static int err_of_errno(int e)
{
	switch (e) {
	case EACCES:
	case EPERM:
	case EROFS:
		return P2P_ERR_DENIED;
	default:
		return P2P_ERR_IO;
	}
}

static long read_pid(int fd)
{
	char text[32];
	ssize_t n = pread(fd, text, sizeof(text) - 1, 0);
	char *end;
	long pid;

	if (n <= 0)
		return 0;
	text[n] = '\0';
	pid = strtol(text, &end, 10);
	return end == text || pid < 0 ? 0 : pid;
}

static int write_pid(int fd)
{
	char text[32];
	int n = snprintf(text, sizeof(text), "%ld\n", (long)getpid());

	if (ftruncate(fd, 0) != 0 || pwrite(fd, text, (size_t)n, 0) != n)
		return err_of_errno(errno);
	return 0;
}

int store_lock_take(struct store_lock **out, const char *path, long *holder)
{
	struct flock range = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
	int fd, err;

	*out = NULL;
	*holder = 0;
	fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return err_of_errno(errno);
	if (fcntl(fd, F_OFD_SETLK, &range) != 0) {
		err = errno == EAGAIN || errno == EACCES ? P2P_ERR_BUSY
							 : P2P_ERR_IO;
		if (err == P2P_ERR_BUSY)
			*holder = read_pid(fd);
		close(fd);
		return err;
	}
	err = write_pid(fd);
	if (err != 0) {
		close(fd);
		return err;
	}
	*out = xmalloc(sizeof(**out));
	(*out)->fd = fd;
	return 0;
}

void store_lock_free(struct store_lock *lock)
{
	if (lock == NULL)
		return;
	/* The file is not removed: a second start may have it open already,
	 * and would then lock a file that a third one does not see. */
	if (ftruncate(lock->fd, 0) != 0)
		errno = 0;
	close(lock->fd);
	free(lock);
}

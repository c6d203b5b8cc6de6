/*
 * Files around the database (decision 0029): where a damaged one goes, how a
 * new one takes its place, and the mark of suspicion.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/xmalloc.h"
#include "store/store_internal.h"

#define ASIDE_MAX 99

/* ---- suspicion --------------------------------------------------------- */

static char *suspect_path(const char *path)
{
	return xasprintf("%s-suspect", path);
}

void store_suspect(struct store *s)
{
	char *name = s->path == NULL ? NULL : suspect_path(s->path);
	int fd = name == NULL
			 ? -1
			 : open(name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC,
				   0600);

	if (fd >= 0)
		(void)close(fd);
	free(name);
}

bool store_is_suspect(const struct store *s)
{
	char *name = s->path == NULL ? NULL : suspect_path(s->path);
	bool is = name != NULL && access(name, F_OK) == 0;

	free(name);
	return is;
}

void store_suspect_clear(const char *path)
{
	char *name = suspect_path(path);

	(void)unlink(name);
	free(name);
}

/* ---- aside ------------------------------------------------------------- */

int store_sync_path(const char *path, int flags)
{
	int fd = open(path, flags | O_CLOEXEC);
	int err = fd < 0 || fsync(fd) != 0 ? P2P_ERR_IO : 0;

	if (err != 0 && errno == ENOSPC)
		err = P2P_ERR_NO_SPACE;
	if (fd >= 0)
		(void)close(fd);
	return err;
}

char *store_aside_name(const char *path, time_t when)
{
	char date[32] = "";
	struct tm tm;
	char *name = NULL;

	if (gmtime_r(&when, &tm) != NULL)
		(void)strftime(date, sizeof(date), "%Y-%m-%d", &tm);
	for (int i = 1; i <= ASIDE_MAX; i++) {
		struct stat st;

		free(name);
		name = i == 1 ? xasprintf("%s.damaged-%s", path, date)
			      : xasprintf("%s.damaged-%s-%d", path, date, i);
		if (lstat(name, &st) != 0)
			return name;
	}
	free(name);
	return NULL;
}

int store_err_of_errno(void)
{
	switch (errno) {
	case ENOSPC:
	case EDQUOT:
		return P2P_ERR_NO_SPACE;
	case EACCES:
	case EPERM:
	case EROFS:
		return P2P_ERR_DENIED;
	default:
		return P2P_ERR_IO;
	}
}

/* An empty one holds nothing to be kept. */
static int move_if_there(const char *from, const char *to)
{
	struct stat st;

	if (lstat(from, &st) == 0 && S_ISREG(st.st_mode) && st.st_size == 0)
		return unlink(from) == 0 ? 0 : store_err_of_errno();
	if (rename(from, to) == 0 || errno == ENOENT)
		return 0;
	return store_err_of_errno();
}

static int sync_folder_of(const char *path)
{
	char *folder = xstrdup(path);
	char *slash = strrchr(folder, '/');
	int err;

	if (slash != NULL)
		slash[slash == folder] = '\0';
	err = store_sync_path(
		slash == NULL ? "." : folder, O_RDONLY | O_DIRECTORY);
	free(folder);
	return err;
}

/* The old one with its log goes aside first: its log would be taken for the
 * new one's. */
int store_put_in_place(
	const char *path, const char *complete, const char *aside)
{
	char *wal = xasprintf("%s-wal", path);
	char *aside_wal = xasprintf("%s-wal", aside);
	int err = move_if_there(path, aside);

	if (err == 0)
		err = move_if_there(wal, aside_wal);
	if (err == 0 && rename(complete, path) != 0)
		err = store_err_of_errno();
	if (err == 0)
		err = sync_folder_of(path);
	if (err == 0)
		store_suspect_clear(path);
	free(wal);
	free(aside_wal);
	return err;
}

int store_salvage_finish(const char *path)
{
	char *complete = xasprintf("%s" STORE_COMPLETE_SUFFIX, path);
	char *aside = NULL;
	struct stat st;
	int err = 0;

	if (lstat(complete, &st) == 0 && S_ISREG(st.st_mode)) {
		aside = store_aside_name(path, st.st_mtime);
		err = aside == NULL ? P2P_ERR_IO
				    : store_put_in_place(path, complete, aside);
	}
	free(aside);
	free(complete);
	return err;
}

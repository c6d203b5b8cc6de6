/*
 * The rules of ssh for a person's own files: what belongs to somebody else is
 * refused, whoever asks, since a start as root would leave files behind that
 * shut the owner out. What is open to others is closed, and said. A folder that
 * all use, or that holds folders of others, is refused instead: closing it
 * would take away more than names.
 *
 * All this comes before SQLite has a connection: closing a descriptor of the
 * database would drop its locks.
 */
#include "app/profile_files.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "app/exit_status.h"
#include "base/bytes.h"
#include "base/plain_file.h"
#include "base/xmalloc.h"

/* Where SQLite's file format has the user_version. */
#define DATABASE_FORM_AT 60

#define OTHERS (S_IRWXG | S_IRWXO)

int profile_refuse(char error[static OPTIONS_ERROR_MAX], int status,
	const char *what, const char *why)
{
	(void)snprintf(error, OPTIONS_ERROR_MAX, "%.350s: %.150s", what, why);
	return status;
}

static void say(const char *what, const char *why)
{
	(void)fprintf(stderr, "p2pchat-tui: %s: %s\n", what, why);
}

int profile_owner_check(const char *path, const struct stat *st,
	char error[static OPTIONS_ERROR_MAX])
{
	char why[160];

	if (st->st_uid == geteuid())
		return 0;
	(void)snprintf(why, sizeof(why),
		"belongs to another user (number %lu); start as that one, use "
		"another --data-dir, or give it to yourself with chown",
		(unsigned long)st->st_uid);
	return profile_refuse(error, EXIT_PERMISSION, path, why);
}

/* ---- the folder -------------------------------------------------------- */

/* Folders that a profile or a file system may have of itself. */
static bool is_of_no_other(const char *name)
{
	return strcmp(name, ".") == 0 || strcmp(name, "..") == 0 ||
	       strcmp(name, "lost+found") == 0 || strcmp(name, "profiles") == 0;
}

static bool is_folder(int dir, const char *name)
{
	struct stat st;

	return fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) != 0 ||
	       S_ISDIR(st.st_mode);
}

/* Whether closing it shuts nobody out of other folders: there are none in it,
 * or a key says whose it is. One that cannot be listed is in nobody's use. */
static bool is_for_us(const char *path)
{
	DIR *dir = opendir(path);
	const struct dirent *entry;
	bool others = false, key = false;

	if (dir == NULL)
		return errno == EACCES;
	while ((entry = readdir(dir)) != NULL) {
		key = key || strcmp(entry->d_name, "identity.key") == 0;
		others =
			others || (!is_of_no_other(entry->d_name) &&
					  is_folder(dirfd(dir), entry->d_name));
	}
	(void)closedir(dir);
	return key || !others;
}

/* What it should have: nothing for others; for us what is there, since a folder
 * that may not be written to may be so on purpose, or all where it is of no
 * use, which a start under an odd umask has left. */
static mode_t wanted_mode(const struct stat *st)
{
	const mode_t use = S_IRUSR | S_IXUSR;

	return (st->st_mode & use) == use ? st->st_mode & S_IRWXU : S_IRWXU;
}

static int close_folder(const char *folder, const struct stat *st, char *error)
{
	mode_t wanted = wanted_mode(st);
	char why[160];
	struct stat now;

	/* The sticky bit is there where many put their files, as in /tmp. */
	if ((st->st_mode & OTHERS) != 0 &&
		((st->st_mode & S_ISVTX) != 0 || !is_for_us(folder)))
		return profile_refuse(error, EXIT_PERMISSION, folder,
			"other users can look into this folder, and it holds "
			"more than a profile; name another, or chmod 700 it");
	if (chmod(folder, wanted) != 0)
		return profile_refuse(
			error, EXIT_PERMISSION, folder, strerror(errno));
	if (stat(folder, &now) != 0 || (now.st_mode & OTHERS) != 0)
		return profile_refuse(error, EXIT_PERMISSION, folder,
			"other users can look into this folder, and its file "
			"system does not let it be closed");
	(void)snprintf(why, sizeof(why), "had mode %03o; now it is %03o, %s",
		(unsigned)st->st_mode & 0777, (unsigned)wanted,
		(st->st_mode & OTHERS) != 0 ? "closed to other users"
					    : "open to yourself");
	say(folder, why);
	return 0;
}

int profile_folder_check(
	const char *folder, char error[static OPTIONS_ERROR_MAX])
{
	struct stat st;
	int status;

	if (stat(folder, &st) != 0)
		return profile_refuse(
			error, EXIT_CANNOT_CREATE, folder, strerror(errno));
	status = profile_owner_check(folder, &st, error);
	if (status == 0 && (st.st_mode & 0777) != wanted_mode(&st))
		status = close_folder(folder, &st, error);
	if (status == 0 && access(folder, R_OK | W_OK | X_OK) != 0)
		status = profile_refuse(
			error, EXIT_CANNOT_CREATE, folder, strerror(errno));
	return status;
}

/* ---- files ------------------------------------------------------------- */

/* What others may read is closed; what we may not use ourselves is given back
 * where nothing can be in it: a start under an odd umask has left it. */
static int mend_mode(
	const char *path, const struct stat *st, bool give_back, char *error)
{
	bool closed =
		(st->st_mode & (S_IRUSR | S_IWUSR)) != (S_IRUSR | S_IWUSR);
	char why[160];

	if (closed && !give_back)
		return profile_refuse(error, EXIT_PERMISSION, path,
			"you may not read and write it; chmod 600 it");
	if (!closed && (st->st_mode & OTHERS) == 0)
		return 0;
	if (chmod(path, S_IRUSR | S_IWUSR) != 0)
		return profile_refuse(
			error, EXIT_PERMISSION, path, strerror(errno));
	(void)snprintf(why, sizeof(why), "had mode %03o; now it is 600, %s",
		(unsigned)st->st_mode & 0777,
		closed ? "open to yourself" : "closed to other users");
	say(path, why);
	return 0;
}

static int check_file(const char *path, bool may_be_given_back, char *error)
{
	struct stat st;
	const char *why;
	enum plain_file kind = plain_file_look(path, &st, &why);
	int status;

	if (kind == PLAIN_FILE_FAULT && errno == ENOENT)
		return lstat(path, &st) != 0
			       ? 0
			       : profile_refuse(error, EXIT_IO, path,
					 "a link that leads nowhere");
	if (kind != PLAIN_FILE_OK)
		return profile_refuse(error, EXIT_IO, path, why);
	status = profile_owner_check(path, &st, error);
	if (status == 0)
		status = mend_mode(
			path, &st, may_be_given_back || st.st_size == 0, error);
	if (status == 0 && access(path, R_OK | W_OK) != 0)
		status = profile_refuse(error,
			errno == EROFS ? EXIT_CANNOT_CREATE : EXIT_PERMISSION,
			path, strerror(errno));
	return status;
}

/* A database of another program, which is refused when it is opened: its mode
 * is not our business. Ours has the number of its form, in the file or in the
 * log beside it. */
static bool is_foreign(const char *folder)
{
	char *path = xasprintf("%s/chat.db", folder);
	char *log = xasprintf("%s/chat.db-wal", folder);
	const char *why;
	struct stat st;
	uint8_t head[64];
	int fd = plain_file_open(path, O_RDONLY, &why);
	bool foreign = false;

	if (fd >= 0) {
		ssize_t n = read(fd, head, sizeof(head));

		foreign = n > 0 && stat(log, &st) != 0 &&
			  (n < (ssize_t)sizeof(head) ||
				  get_be32(head + DATABASE_FORM_AT) == 0);
		(void)close(fd);
	}
	free(path);
	free(log);
	return foreign;
}

/* The key is looked at through its descriptor, when it is read. */
int profile_files_check(
	const char *folder, char error[static OPTIONS_ERROR_MAX])
{
	static const char *const names[] = {
		"lock", "chat.db", "chat.db-wal", "chat.db-journal"};
	int status = 0;

	if (is_foreign(folder))
		return 0;
	for (size_t i = 0; status == 0 && i < P2P_ARRAY_LEN(names); i++) {
		char *path = xasprintf("%s/%s", folder, names[i]);

		status = check_file(path, i == 0, error);
		free(path);
	}
	return status;
}

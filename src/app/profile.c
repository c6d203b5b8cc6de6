/*
 * The profile's folder: lock, key, database, taken in that order, so that a
 * second start touches neither of the others. Each failure is an exit status
 * and one line, "what: why". Two things must never happen, whatever goes wrong:
 * that a key is replaced, and that a damaged or newer database is changed: a
 * new one takes the place of a damaged one, which is kept.
 */
#include "app/profile.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "app/exit_status.h"
#include "app/paths.h"
#include "app/profile_files.h"
#include "base/clock.h"
#include "base/plain_file.h"
#include "base/rng.h"
#include "base/xmalloc.h"

/* The key protobuf is 68 or 100 bytes; anything much larger is no key. */
#define KEY_FILE_BYTES_MAX 1024
/* SQLite takes paths of 512 bytes, its own "-journal" among them. */
#define DATABASE_PATH_BYTES_MAX 500

/* ---- the key ----------------------------------------------------------- */

static int write_all(int fd, struct bytes b)
{
	while (b.len > 0) {
		ssize_t n = write(fd, b.data, b.len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return errno;
		b = bytes_skip(b, (size_t)n);
	}
	return 0;
}

static int sync_folder(const char *folder)
{
	int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int err = fd < 0 || fsync(fd) != 0 ? errno : 0;

	if (fd >= 0)
		(void)close(fd);
	return err;
}

static int write_new(const char *path, struct bytes pb)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	int err = fd < 0 ? errno : write_all(fd, pb);

	if (err == 0 && fsync(fd) != 0)
		err = errno;
	if (fd >= 0 && close(fd) != 0 && err == 0)
		err = errno;
	return err;
}

/* Written beside, synced, then put in place: a crash leaves all or nothing.
 * link() never replaces a key that is there. */
static int write_key(
	const char *folder, const char *path, struct bytes pb, char *error)
{
	char *temp = xasprintf("%s.new", path);
	const char *failed = temp;
	int err;

	(void)unlink(temp);
	err = write_new(temp, pb);
	if (err == 0) {
		failed = path;
		err = link(temp, path) != 0 ? errno : 0;
	}
	/* What could not be made is not ours to take away. */
	if (err != EEXIST || failed == path)
		(void)unlink(temp);
	if (err == 0)
		err = sync_folder(folder);
	if (err != 0)
		err = profile_refuse(
			error, EXIT_CANNOT_CREATE, failed, strerror(err));
	free(temp);
	return err;
}

static int make_key(struct profile *p, const char *path, char *error)
{
	uint8_t seed[32];
	struct rng rng;
	struct buf pb;
	int status;

	rng_init_os(&rng);
	rng_fill(&rng, seed, sizeof(seed));
	identity_from_seed(&p->me, seed);
	crypto_wipe(seed, sizeof(seed));
	buf_init(&pb, KEY_FILE_BYTES_MAX);
	identity_serialize(&p->me, &pb);
	status = write_key(p->folder, path, buf_bytes(&pb), error);
	buf_wipe(&pb);
	p->fresh = status == 0;
	return status;
}

static int read_key(struct profile *p, int fd, const char *path, char *error)
{
	uint8_t raw[KEY_FILE_BYTES_MAX];
	struct stat st;
	ssize_t n;
	int err;

	if (fstat(fd, &st) != 0)
		return profile_refuse(error, EXIT_IO, path, strerror(errno));
	err = profile_owner_check(path, &st, error);
	if (err != 0)
		return err;
	if ((st.st_mode & 077) != 0)
		return profile_refuse(error, EXIT_PERMISSION, path,
			"the key is open to other users; chmod 600 it");
	n = read(fd, raw, sizeof(raw));
	if (n < 0)
		return profile_refuse(error, EXIT_IO, path, strerror(errno));
	err = identity_parse(&p->me, bytes_of(raw, (size_t)n));
	crypto_wipe(raw, sizeof(raw));
	if (err == 0)
		return 0;
	return profile_refuse(error, EXIT_DATA, path,
		err == P2P_ERR_UNSUPPORTED
			? "not an Ed25519 key"
			: "damaged: not a libp2p private key; restore it from "
			  "a backup, or move it away to get a new one");
}

static int open_key(struct profile *p, char *error)
{
	char *path = xasprintf("%s/identity.key", p->folder);
	const char *why;
	int fd = plain_file_open(path, O_RDONLY | O_NOFOLLOW, &why);
	int status;

	if (fd >= 0) {
		status = read_key(p, fd, path, error);
		(void)close(fd);
	} else if (fd == PLAIN_FILE_ODD) {
		status = profile_refuse(error, EXIT_IO, path, why);
	} else if (errno == ENOENT) {
		status = make_key(p, path, error);
	} else if (errno == EACCES) {
		status = profile_refuse(error, EXIT_PERMISSION, path,
			"you may not read this key; chmod 600 it");
	} else {
		status = profile_refuse(error, EXIT_IO, path, why);
	}
	free(path);
	return status;
}

/* ---- lock and database ------------------------------------------------- */

static int take_lock(struct profile *p, char *error)
{
	char *path = xasprintf("%s/lock", p->folder);
	char why[160];
	long holder = 0;
	int err = store_lock_take(&p->lock, path, &holder);
	int status = 0;

	if (err == P2P_ERR_BUSY) {
		(void)snprintf(why, sizeof(why),
			"in use by process %ld; start another identity with "
			"--profile NAME",
			holder);
		status = profile_refuse(error, EXIT_TEMPORARY, p->folder, why);
	} else if (err != 0) {
		status = profile_refuse(
			error, EXIT_CANNOT_CREATE, path, strerror(errno));
	}
	free(path);
	return status;
}

/* What is said of the database at that path when it does not open. */
static int refuse(const char *path, int err, char *error)
{
	switch (err) {
	case P2P_ERR_TOO_NEW:
		return profile_refuse(error, EXIT_DATA, path,
			"made by a newer p2pchat-tui; nothing was changed");
	case P2P_ERR_CORRUPT:
		return profile_refuse(error, EXIT_DATA, path,
			"damaged, or not a database of this program");
	case P2P_ERR_BUSY:
		return profile_refuse(
			error, EXIT_TEMPORARY, path, "open in another process");
	case P2P_ERR_DENIED:
		return profile_refuse(
			error, EXIT_CANNOT_CREATE, path, p2p_err_text(err));
	default:
		return profile_refuse(error, EXIT_IO, path, p2p_err_text(err));
	}
}

/* A new database of what can be read in the one at that path. */
static int carry_over(const char *path, struct log *log, char *error)
{
	int err = store_salvage(path, clock_wall_ms(), log);

	if (err == 0)
		return 0;
	if (err == P2P_ERR_CORRUPT)
		return refuse(path, err, error);
	return profile_refuse(error,
		err == P2P_ERR_NO_SPACE ? EXIT_IO : EXIT_CANNOT_CREATE, path,
		err == P2P_ERR_NO_SPACE
			? "damaged; the disk is too full to save what can be "
			  "read; make room and start again; nothing was changed"
			: "damaged, and no new one can be written beside it; "
			  "nothing was changed");
}

static int open_store(struct profile *p, struct log *log, char *error)
{
	char *path = xasprintf("%s/chat.db", p->folder);
	int err = store_open(&p->store, path, log);
	int status = 0;

	if (err == P2P_ERR_CORRUPT) {
		status = carry_over(path, log, error);
		if (status == 0)
			err = store_open(&p->store, path, log);
	}
	if (status == 0 && err != 0)
		status = refuse(path, err, error);
	free(path);
	return status;
}

int profile_salvage(struct profile *p, struct log *log,
	char error[static OPTIONS_ERROR_MAX])
{
	char *path = xasprintf("%s/chat.db", p->folder);
	int status;

	store_close(p->store);
	p->store = NULL;
	status = carry_over(path, log, error);
	free(path);
	return status != 0 ? status : open_store(p, log, error);
}

int profile_open(struct profile *p, const struct options *o,
	options_env_fn get_env, char error[static OPTIONS_ERROR_MAX])
{
	char *failed;
	int err, status;

	*p = (struct profile){.fresh = false};
	p->folder = path_profile(o, get_env);
	if (p->folder == NULL)
		return profile_refuse(error, EXIT_CANNOT_CREATE,
			"no home folder",
			"set HOME, or name a folder with --data-dir");
	if (strlen(p->folder) + strlen("/chat.db") > DATABASE_PATH_BYTES_MAX)
		return profile_refuse(error, EXIT_CANNOT_CREATE, p->folder,
			"too long a path for the database");
	err = path_make_folder(p->folder, &failed);
	if (err != 0) {
		status = profile_refuse(
			error, EXIT_CANNOT_CREATE, failed, strerror(err));
		free(failed);
		return status;
	}
	status = profile_folder_check(p->folder, error);
	if (status == 0)
		status = profile_files_check(p->folder, error);
	return status != 0 ? status : take_lock(p, error);
}

int profile_load(struct profile *p, struct log *log,
	char error[static OPTIONS_ERROR_MAX])
{
	int status = open_key(p, error);

	return status != 0 ? status : open_store(p, log, error);
}

void profile_close(struct profile *p)
{
	store_close(p->store);
	identity_wipe(&p->me);
	store_lock_free(p->lock);
	free(p->folder);
	*p = (struct profile){.fresh = false};
}

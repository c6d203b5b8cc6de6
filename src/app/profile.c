/*
 * The profile's folder: lock, key, database, taken in that order, so that a
 * second start touches neither of the others. Each failure is an exit status
 * and one line, "what: why". Two things must never happen, whatever goes wrong:
 * that a key is replaced, and that a damaged or newer database is changed.
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
#include "base/rng.h"
#include "base/xmalloc.h"

/* The key protobuf is 68 or 100 bytes; anything much larger is no key. */
#define KEY_FILE_BYTES_MAX 1024

static int fail(char *error, int status, const char *what, const char *why)
{
	(void)snprintf(error, OPTIONS_ERROR_MAX, "%.350s: %.120s", what, why);
	return status;
}

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

/* Written beside, synced, then put in place: a crash leaves all or nothing.
 * link() never replaces a key that is there. */
static int write_key(const char *folder, const char *path, struct bytes pb)
{
	char *temp = xasprintf("%s.new", path);
	int err = 0;
	int fd;

	(void)unlink(temp);
	fd = open(temp, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0)
		err = errno;
	if (err == 0)
		err = write_all(fd, pb);
	if (err == 0 && fsync(fd) != 0)
		err = errno;
	if (fd >= 0)
		(void)close(fd);
	if (err == 0 && link(temp, path) != 0)
		err = errno;
	(void)unlink(temp);
	if (err == 0)
		err = sync_folder(folder);
	free(temp);
	return err;
}

static int make_key(struct profile *p, const char *path, char *error)
{
	uint8_t seed[32];
	struct rng rng;
	struct buf pb;
	int err;

	rng_init_os(&rng);
	rng_fill(&rng, seed, sizeof(seed));
	identity_from_seed(&p->me, seed);
	crypto_wipe(seed, sizeof(seed));
	buf_init(&pb, KEY_FILE_BYTES_MAX);
	identity_serialize(&p->me, &pb);
	err = write_key(p->folder, path, buf_bytes(&pb));
	buf_wipe(&pb);
	if (err != 0)
		return fail(error, EXIT_CANNOT_CREATE, path, strerror(err));
	p->fresh = true;
	return 0;
}

static int read_key(struct profile *p, int fd, const char *path, char *error)
{
	uint8_t raw[KEY_FILE_BYTES_MAX];
	struct stat st;
	ssize_t n;
	int err;

	if (fstat(fd, &st) != 0)
		return fail(error, EXIT_IO, path, strerror(errno));
	if ((st.st_mode & 077) != 0)
		return fail(error, EXIT_PERMISSION, path,
			"the key is open to other users; chmod 600 it");
	n = read(fd, raw, sizeof(raw));
	if (n < 0)
		return fail(error, EXIT_IO, path, strerror(errno));
	err = identity_parse(&p->me, bytes_of(raw, (size_t)n));
	crypto_wipe(raw, sizeof(raw));
	if (err == 0)
		return 0;
	return fail(error, EXIT_DATA, path,
		err == P2P_ERR_UNSUPPORTED
			? "not an Ed25519 key"
			: "damaged: not a libp2p private key; restore it from "
			  "a backup, or move it away to get a new one");
}

static int open_key(struct profile *p, char *error)
{
	char *path = xasprintf("%s/identity.key", p->folder);
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	int status;

	if (fd >= 0) {
		status = read_key(p, fd, path, error);
		(void)close(fd);
	} else if (errno == ENOENT) {
		status = make_key(p, path, error);
	} else {
		status =
			fail(error, errno == EACCES ? EXIT_PERMISSION : EXIT_IO,
				path, strerror(errno));
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
		status = fail(error, EXIT_TEMPORARY, p->folder, why);
	} else if (err != 0) {
		status = fail(error, EXIT_CANNOT_CREATE, path, strerror(errno));
	}
	free(path);
	return status;
}

static int open_store(struct profile *p, struct log *log, char *error)
{
	char *path = xasprintf("%s/chat.db", p->folder);
	int err = store_open(&p->store, path, log);
	int status = 0;

	if (err == P2P_ERR_TOO_NEW)
		status = fail(error, EXIT_DATA, path,
			"made by a newer p2pchat-tui; nothing was changed");
	else if (err == P2P_ERR_CORRUPT)
		status = fail(error, EXIT_DATA, path,
			"damaged, or not a database of this program");
	else if (err == P2P_ERR_BUSY)
		status = fail(
			error, EXIT_TEMPORARY, path, "open in another process");
	else if (err != 0)
		status = fail(error,
			err == P2P_ERR_DENIED ? EXIT_CANNOT_CREATE : EXIT_IO,
			path, p2p_err_text(err));
	free(path);
	return status;
}

/* A profile's name becomes a folder: nothing that could lead elsewhere. */
static bool name_is_safe(const char *name)
{
	return name == NULL ||
	       (name[0] != '.' && name[0] != '\0' && strlen(name) <= 64 &&
		       strchr(name, '/') == NULL);
}

int profile_open(struct profile *p, const struct options *o,
	options_env_fn get_env, char error[static OPTIONS_ERROR_MAX])
{
	int err;

	*p = (struct profile){.fresh = false};
	if (!name_is_safe(o->profile))
		return fail(error, EXIT_USAGE, o->profile,
			"not a name for a profile");
	p->folder = path_profile(o, get_env);
	if (p->folder == NULL)
		return fail(error, EXIT_CANNOT_CREATE, "no home folder",
			"set HOME, or name a folder with --data-dir");
	err = path_make_folder(p->folder);
	if (err != 0)
		return fail(
			error, EXIT_CANNOT_CREATE, p->folder, strerror(err));
	return take_lock(p, error);
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

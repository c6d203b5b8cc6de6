/*
 * Landlock (Linux 5.13 and later): which files can be opened from here on. What
 * is open stays so: the log, the terminal, the database. No exec anywhere.
 *
 * To be read is what resolving a name may need, today's and tomorrow's: folders
 * and not files, because resolv.conf is replaced when the network changes and
 * libraries of the resolver (nss) are loaded at the first name. glibc has no
 * wrappers for landlock's calls.
 */
#include "app/sandbox.h"

#include <errno.h>

#if defined(HAVE_LINUX_LANDLOCK_H)

#include <fcntl.h>
#include <linux/landlock.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/xmalloc.h"

/* Not in every header of a system that has landlock. */
#define FS_REFER (1ULL << 13)
#define FS_TRUNCATE (1ULL << 14)
#define FS_IOCTL_DEV (1ULL << 15)

#define FS_READ (LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR)
/* Devices, sockets and links are not made, nothing is executed. */
#define FS_PROFILE \
	(FS_READ | LANDLOCK_ACCESS_FS_WRITE_FILE | \
		LANDLOCK_ACCESS_FS_REMOVE_FILE | LANDLOCK_ACCESS_FS_MAKE_REG | \
		LANDLOCK_ACCESS_FS_REMOVE_DIR | LANDLOCK_ACCESS_FS_MAKE_DIR | \
		FS_REFER | FS_TRUNCATE)
#define FS_ALL_OF_1 ((LANDLOCK_ACCESS_FS_MAKE_SYM << 1) - 1)

static const char *const readable_folders[] = {"/etc", "/usr", "/lib", "/lib32",
	"/lib64", "/libx32", "/nix/store", "/gnu/store",
	/* Where resolv.conf may point to, and lead to later. */
	"/run/systemd/resolve", "/run/resolvconf", "/run/NetworkManager",
	"/run/connman", "/var/lib/libvirt/dnsmasq", "/sys/devices/system/cpu"};
static const char *const readable_files[] = {
	"/dev/urandom", "/dev/random", "/proc/stat", "/proc/meminfo"};

struct ruleset {
	int fd;
	uint64_t handled;
};

/* What is not there needs no rule. */
static void allow(const struct ruleset *r, const char *path, uint64_t access)
{
	struct landlock_path_beneath_attr rule = {
		.allowed_access = access & r->handled,
		.parent_fd = open(path, O_PATH | O_CLOEXEC),
	};

	if (rule.parent_fd < 0)
		return;
	(void)syscall(SYS_landlock_add_rule, r->fd, LANDLOCK_RULE_PATH_BENEATH,
		&rule, 0);
	(void)close(rule.parent_fd);
}

/* The folder that a link leads to. */
static void allow_target(
	const struct ruleset *r, const char *link, uint64_t access)
{
	char *target = realpath(link, NULL);
	char *slash = target == NULL ? NULL : strrchr(target, '/');

	if (slash != NULL && slash != target) {
		*slash = '\0';
		allow(r, target, access);
	}
	free(target);
}

static void allow_all(const struct ruleset *r, const char *folder)
{
	char *database = xasprintf("%s/chat.db", folder);

	allow(r, folder, FS_PROFILE);
	/* A database that is a link has its journals where it leads. */
	allow_target(r, database, FS_PROFILE);
	free(database);
	for (size_t i = 0; i < P2P_ARRAY_LEN(readable_folders); i++)
		allow(r, readable_folders[i], FS_READ);
	for (size_t i = 0; i < P2P_ARRAY_LEN(readable_files); i++)
		allow(r, readable_files[i], LANDLOCK_ACCESS_FS_READ_FILE);
	allow(r, "/dev/null",
		LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_WRITE_FILE);
	allow_target(r, "/etc/resolv.conf", FS_READ);
}

static uint64_t rights_of(int abi)
{
	uint64_t rights = FS_ALL_OF_1;

	if (abi >= 2)
		rights |= FS_REFER;
	if (abi >= 3)
		rights |= FS_TRUNCATE;
	if (abi >= 5)
		rights |= FS_IOCTL_DEV;
	return rights;
}

int sandbox_limit_files(const char *folder, int *abi)
{
	struct landlock_ruleset_attr attr = {0};
	struct ruleset r;
	int err = 0;

	*abi = (int)syscall(SYS_landlock_create_ruleset, NULL, 0,
		LANDLOCK_CREATE_RULESET_VERSION);
	if (*abi < 1)
		return errno;
	r.handled = rights_of(*abi);
	attr.handled_access_fs = r.handled;
	r.fd = (int)syscall(
		SYS_landlock_create_ruleset, &attr, sizeof(attr), 0);
	if (r.fd < 0)
		return errno;
	allow_all(&r, folder);
	if (syscall(SYS_landlock_restrict_self, r.fd, 0) != 0)
		err = errno;
	(void)close(r.fd);
	return err;
}

#else

int sandbox_limit_files(const char *folder, int *abi)
{
	(void)folder;
	*abi = 0;
	return ENOSYS;
}

#endif

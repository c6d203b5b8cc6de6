/*
 * The process gives away what chat never needs, so that whoever takes it over
 * through a fault in it gets little else: no file but the profile, no program,
 * no other process (docs/decisions/0032-sandbox.md). Nothing of it is a
 * condition: a kernel without one part leaves that part out, and says so.
 *
 * Each part binds the calling thread and those that it starts.
 */
#ifndef APP_SANDBOX_H
#define APP_SANDBOX_H

#include "base/log.h"

#define SANDBOX_REPORT_BYTES_MAX 1024

/*
 * Enters it, before other threads start and when all is open that stands
 * outside the profile's folder (names are resolved later, so what that needs
 * can be read).
 *   wanted   false: only says that it is off (--no-sandbox). So does a build
 *            with sanitizers or for coverage, which write files of their own
 *   report   a line for each part, for people: what is on, what is not and why
 * What the system lacks is also logged.
 */
void sandbox_enter(const char *folder, bool wanted, bool key_locked,
	struct log *log, char report[static SANDBOX_REPORT_BYTES_MAX]);

/*
 * Zeroed memory for a secret: never written to swap (*locked) or to a dump. It
 * is whole pages; give it back with its size. Aborts without memory.
 */
void *secret_alloc(size_t size, bool *locked);
/* Wiped first. NULL is allowed. */
void secret_free(void *secret, size_t size);

/* ---- for sandbox.c: each 0 or an errno --------------------------------- */

/* sandbox_files.c: landlock. *abi: the kernel's version of it. ENOSYS and
 * EOPNOTSUPP: it has none. */
int sandbox_limit_files(const char *folder, int *abi);
/* sandbox_calls.c: seccomp. ENOSYS: not built in. */
int sandbox_limit_calls(void);

#endif

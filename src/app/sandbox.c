/*
 * The parts in order: no new privileges first, which the others ask for; files
 * before system calls, since landlock's own are none that chat needs.
 */
#include "app/sandbox.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/xmalloc.h"
#include "net/identity/crypto.h"

#ifdef __linux__
#include <sys/prctl.h>
#endif

/* ---- what is said ------------------------------------------------------ */

struct report {
	char *text;
	size_t len;
	struct log *log;
};

static void say(struct report *r, const char *fmt, ...) P2P_PRINTF(2, 3);

static void say(struct report *r, const char *fmt, ...)
{
	size_t room = SANDBOX_REPORT_BYTES_MAX - r->len;
	va_list args;
	int n;

	va_start(args, fmt);
	n = vsnprintf(r->text + r->len, room, fmt, args);
	va_end(args);
	if (n > 0)
		r->len += P2P_MIN((size_t)n, room - 1);
}

static void say_missing(struct report *r, const char *what, const char *why)
{
	say(r, "%s: not limited (%s)\n", what, why);
	log_printf(r->log, LOG_LEVEL_WARN, "sandbox: %s: not limited (%s)",
		what, why);
}

/* ---- the parts --------------------------------------------------------- */

static bool lacks(int err)
{
	return err == ENOSYS || err == EOPNOTSUPP || err == EINVAL;
}

static void limit_privileges(struct report *r)
{
#ifdef __linux__
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0)
		say(r, "privileges: no new ones\n");
	else
		say_missing(r, "privileges", strerror(errno));
	/* No other program of this account reads its memory. */
	if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) == 0)
		say(r, "memory: closed to other programs, no dumps\n");
	else
		say_missing(r, "memory", strerror(errno));
#else
	say_missing(r, "privileges, memory", "only on Linux");
#endif
}

static void limit_files(struct report *r, const char *folder)
{
	int abi = 0;
	int err = sandbox_limit_files(folder, &abi);

	if (err == 0)
		say(r,
			"files: the profile; to read, /etc and libraries "
			"(landlock %d)\n",
			abi);
	else
		say_missing(r, "files",
			lacks(err) ? "no landlock in this system"
				   : strerror(err));
}

static void limit_calls(struct report *r)
{
	int err = sandbox_limit_calls();

	if (err == 0)
		say(r, "system calls: no programs, no other processes "
		       "(seccomp)\n");
	else
		say_missing(r, "system calls",
			lacks(err) ? "no seccomp in this build or system"
				   : strerror(err));
}

/* What the compiler was told. Processor, system and all libraries have to take
 * part before it counts. */
static void say_built(struct report *r)
{
#if defined(__CET__) || defined(__ARM_FEATURE_BTI_DEFAULT)
	say(r, "jumps: marked for processors that check them");
#else
	say(r, "jumps: not marked (the compiler could not)");
#endif
}

static void say_key(struct report *r, bool locked)
{
	if (locked)
		say(r, "key: in locked memory, kept out of dumps\n");
	else
		say_missing(r, "key", "memory cannot be locked: ulimit -l");
}

void sandbox_enter(const char *folder, bool wanted, bool key_locked,
	struct log *log, char report[static SANDBOX_REPORT_BYTES_MAX])
{
	struct report r = {.text = report, .log = log};

	report[0] = '\0';
#ifdef P2P_INSTRUMENTED
	wanted = false;
#endif
	if (wanted) {
		limit_privileges(&r);
		limit_files(&r, folder);
		limit_calls(&r);
	} else {
#ifdef P2P_INSTRUMENTED
		say(&r, "off: built with sanitizers or for coverage\n");
#else
		say(&r, "off (--no-sandbox)\n");
#endif
	}
	say_key(&r, key_locked);
	say_built(&r);
}

/* ---- memory for a secret ----------------------------------------------- */

static size_t whole_pages(size_t size)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);

	return (size + page - 1) / page * page;
}

void *secret_alloc(size_t size, bool *locked)
{
	size_t bytes = whole_pages(size);
	void *at = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
		MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	P2P_ASSERT(at != MAP_FAILED);
	*locked = mlock(at, bytes) == 0;
#ifdef MADV_DONTDUMP
	(void)madvise(at, bytes, MADV_DONTDUMP);
#endif
	return at;
}

void secret_free(void *secret, size_t size)
{
	if (secret == NULL)
		return;
	crypto_wipe(secret, size);
	(void)munmap(secret, whole_pages(size));
}

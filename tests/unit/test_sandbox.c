/*
 * The sandbox from inside: this program enters it and then tries to open, run
 * and trace what it must not, and does what chat needs. What the system lacks
 * is skipped; what it has must have been used.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#ifdef HAVE_LINUX_SECCOMP_H
#include <linux/filter.h>
#include <linux/seccomp.h>
#endif
#include <netdb.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "app/sandbox.h"
#include "base/xmalloc.h"

struct world {
	char root[64];
	char *profile; /* may be written */
	char *other;   /* a folder beside it, with a file */
	char *file;
	char *disk; /* a folder that chat.db, a link, leads to */
	char *link;
	pid_t child; /* of before; clears up when we have gone */
	int child_pipe;
	char secret_flags[256]; /* of a mapping, before and after its end */
	char freed_flags[256];
	bool locked;
	bool files; /* the system has landlock, ... */
	bool truncation;
	bool calls; /* ... seccomp */
	int ran;    /* how children ended that had only one part of it */
	int other_kind;
	char report[SANDBOX_REPORT_BYTES_MAX];
};

static void write_file(const char *path)
{
	FILE *f = fopen(path, "we");

	assert_non_null(f);
	assert_true(fputs("secret", f) >= 0);
	assert_int_equal(fclose(f), 0);
}

/* Whether a filter that allows all can be loaded: by a child, since it stays.
 */
static bool has_filters(void)
{
	bool has = false;
#ifdef HAVE_LINUX_SECCOMP_H
	struct sock_filter allow = BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
	struct sock_fprog filter = {.len = 1, .filter = &allow};
	int status = 0;
	pid_t child = fork();

	assert_true(child >= 0);
	if (child == 0)
		_exit(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 ||
			syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0,
				&filter) != 0);
	assert_int_equal(waitpid(child, &status, 0), child);
	has = status == 0;
#endif
	return has;
}

static void look_at_system(struct world *w)
{
#ifdef HAVE_LINUX_LANDLOCK_H
	long abi = syscall(SYS_landlock_create_ruleset, NULL, 0, 1);

	w->files = abi >= 1;
	w->truncation = abi >= 3;
#endif
	w->calls = has_filters();
}

/* The flags of the mapping that begins at this address. */
static void mapping_flags(const void *at, char flags[static 256])
{
	FILE *maps = fopen("/proc/self/smaps", "re");
	char line[256];
	bool here = false;

	assert_non_null(maps);
	flags[0] = '\0';
	while (fgets(line, sizeof(line), maps) != NULL) {
		char *end;
		unsigned long begin = strtoul(line, &end, 16);

		if (end != line && *end == '-')
			here = begin == (uintptr_t)at;
		else if (here && strncmp(line, "VmFlags:", 8) == 0)
			memcpy(flags, line, sizeof(line));
	}
	assert_int_equal(fclose(maps), 0);
}

/* While /proc can still be read. */
static void try_a_secret(struct world *w)
{
	const size_t size = 5000;
	uint8_t *secret = secret_alloc(size, &w->locked);

	for (size_t i = 0; i < size; i++)
		assert_int_equal(secret[i], 0);
	memset(secret, 7, size);
	mapping_flags(secret, w->secret_flags);
	secret_free(secret, size);
	mapping_flags(secret, w->freed_flags);
	secret_free(NULL, size);
}

/* Its status. What it does there ends it if it returns. */
static int in_child(const struct world *w, void (*act)(const struct world *))
{
	int status = 0;
	pid_t child = fork();

	assert_true(child >= 0);
	if (child == 0) {
		if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0)
			act(w);
		_exit(2);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	return status;
}

static void run_what_is_written(const struct world *w)
{
	char *path = xasprintf("%s/program", w->profile);
	char *args[] = {path, NULL};
	int abi;

	write_file(path);
	if (chmod(path, 0700) != 0 ||
		sandbox_limit_files(w->profile, &abi) != 0)
		_exit(3);
	(void)execve(path, args, NULL);
	_exit(errno == EACCES && unlink(path) == 0 ? 0 : 4);
}

/* getpid, as a program of 32 bits asks. */
static void call_the_other_way(const struct world *w)
{
	(void)w;
	if (sandbox_limit_calls() != 0)
		_exit(3);
#ifdef __x86_64__
	long number = 20;

	__asm__ volatile("int $0x80" : "+a"(number) : : "memory");
#endif
	_exit(0);
}

/* Stands to be traced, outside the sandbox, until we have gone. */
static void start_child(struct world *w)
{
	int ends[2];
	char byte;

	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	w->child = fork();
	assert_true(w->child >= 0);
	w->child_pipe = ends[1];
	(void)close(ends[w->child == 0]);
	if (w->child != 0)
		return;
	while (read(ends[0], &byte, 1) < 0 && errno == EINTR)
		continue;
	(void)unlink(w->file);
	(void)unlink(w->link);
	(void)rmdir(w->disk);
	(void)rmdir(w->other);
	(void)rmdir(w->profile);
	(void)rmdir(w->root);
	_exit(0);
}

/* The database on another disk: its journals are made beside it there. */
static void make_link(struct world *w)
{
	char *database = xasprintf("%s/db", w->disk);

	assert_int_equal(mkdir(w->disk, 0700), 0);
	write_file(database);
	assert_int_equal(symlink(database, w->link), 0);
	free(database);
}

static int setup(void **state)
{
	struct world *w = xcalloc(1, sizeof(*w));

	(void)snprintf(w->root, sizeof(w->root), "/tmp/p2pchat-box-XXXXXX");
	assert_non_null(mkdtemp(w->root));
	w->profile = xasprintf("%s/profile", w->root);
	w->other = xasprintf("%s/other", w->root);
	w->file = xasprintf("%s/other/file", w->root);
	w->disk = xasprintf("%s/disk", w->root);
	w->link = xasprintf("%s/chat.db", w->profile);
	assert_int_equal(mkdir(w->profile, 0700), 0);
	assert_int_equal(mkdir(w->other, 0700), 0);
	write_file(w->file);
	make_link(w);
	start_child(w);
	try_a_secret(w);
	look_at_system(w);
	w->ran = in_child(w, run_what_is_written);
	w->other_kind = in_child(w, call_the_other_way);
	sandbox_enter(w->profile, true, true, NULL, w->report);
	*state = w;
	return 0;
}

static int teardown(void **state)
{
	struct world *w = *state;

	(void)close(w->child_pipe);
	(void)waitpid(w->child, NULL, 0);
	free(w->profile);
	free(w->other);
	free(w->file);
	free(w->disk);
	free(w->link);
	free(w);
	return 0;
}

/* A cmocka test that is skipped counts as failed in TAP: what cannot be tried
 * here passes, with a word. */
static bool can_try(bool has, const char *what)
{
#ifdef P2P_INSTRUMENTED
	has = false;
#endif
	if (!has)
		print_message("# not tried, for want of %s\n", what);
	return has;
}

static bool has_files(const struct world *w)
{
	return can_try(w->files, "landlock");
}

static bool has_calls(const struct world *w)
{
	return can_try(w->calls, "seccomp");
}

static void assert_closed(const char *path, int flags)
{
	int fd = open(path, flags | O_CLOEXEC, 0600);

	if (fd >= 0)
		fail_msg("%s can be opened", path);
	assert_int_equal(errno, EACCES);
}

/* What is not there is no matter. */
static void assert_open(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0 && errno == ENOENT)
		return;
	if (fd < 0)
		fail_msg("%s: %s", path, strerror(errno));
	(void)close(fd);
}

static void test_it_says_what_is_on(void **state)
{
	struct world *w = *state;

#ifdef P2P_INSTRUMENTED
	assert_non_null(strstr(w->report, "off: built with"));
#else
	assert_non_null(strstr(w->report, "privileges: no new ones\n"));
	assert_non_null(strstr(w->report, "memory: closed"));
	assert_int_equal(strstr(w->report, "(landlock ") != NULL, w->files);
	assert_int_equal(strstr(w->report, "(seccomp)") != NULL, w->calls);
#endif
	assert_non_null(strstr(w->report, "key: in locked memory"));
	assert_true(strlen(w->report) < SANDBOX_REPORT_BYTES_MAX - 200);
}

static void test_the_process_is_closed(void **state)
{
	(void)state;
	if (!can_try(true, "a sandbox"))
		return;
	assert_int_equal(prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0), 1);
	assert_int_equal(prctl(PR_GET_DUMPABLE, 0, 0, 0, 0), 0);
}

static void test_the_profile_can_be_used(void **state)
{
	struct world *w = *state;
	char *one = xasprintf("%s/one", w->profile);
	char *two = xasprintf("%s/two", w->profile);

	write_file(one);
	assert_open(one);
	assert_int_equal(truncate(one, 2), 0);
	assert_int_equal(link(one, two), 0);
	assert_int_equal(rename(one, two), 0);
	(void)unlink(one);
	assert_int_equal(unlink(two), 0);
	assert_open(w->profile);
	free(one);
	free(two);
}

static void test_the_database_can_be_a_link(void **state)
{
	struct world *w = *state;
	char *database = xasprintf("%s/db", w->disk);
	char *journal = xasprintf("%s/db-wal", w->disk);

	write_file(w->link);
	write_file(journal);
	assert_int_equal(unlink(journal), 0);
	assert_int_equal(unlink(database), 0);
	free(journal);
	free(database);
}

static void test_nothing_else_can_be_opened(void **state)
{
	struct world *w = *state;

	if (!has_files(w))
		return;
	assert_closed(w->file, O_RDONLY);
	assert_closed(w->file, O_WRONLY);
	assert_closed(w->file, O_RDWR | O_TRUNC);
	assert_closed(w->other, O_RDONLY | O_DIRECTORY);
	assert_closed(w->root, O_RDONLY | O_DIRECTORY);
	assert_closed("/", O_RDONLY | O_DIRECTORY);
	assert_closed("/proc/self/mem", O_RDWR);
	assert_closed("/proc/self/environ", O_RDONLY);
	assert_null(opendir("/tmp"));
}

static void test_nothing_else_can_be_changed(void **state)
{
	struct world *w = *state;
	char *fresh;
	char *inside;

	if (!has_files(w))
		return;
	fresh = xasprintf("%s/new", w->other);
	inside = xasprintf("%s/in", w->profile);
	assert_closed(fresh, O_WRONLY | O_CREAT);
	assert_int_not_equal(unlink(w->file), 0);
	assert_int_not_equal(mkdir(fresh, 0700), 0);
	assert_int_not_equal(rename(w->file, inside), 0);
	assert_int_not_equal(link(w->file, inside), 0);
	if (w->truncation)
		assert_int_not_equal(truncate(w->file, 0), 0);
	/* Not even in the profile. */
	assert_int_not_equal(symlink("/etc/hosts", inside), 0);
	assert_int_not_equal(mkfifo(inside, 0600), 0);
	assert_closed("/etc/hosts", O_WRONLY);
	assert_closed("/etc/p2pchat-new", O_WRONLY | O_CREAT);
	free(fresh);
	free(inside);
}

static void test_names_can_be_resolved(void **state)
{
	struct addrinfo hints = {.ai_socktype = SOCK_STREAM};
	struct addrinfo *found = NULL;

	(void)state;
	assert_open("/etc/hosts");
	assert_open("/etc/nsswitch.conf");
	assert_open("/usr/share");
	assert_open("/dev/urandom");
	assert_int_equal(getaddrinfo("localhost", "1", &hints, &found), 0);
	freeaddrinfo(found);
}

/* As the resolver loads what nsswitch.conf names, at the first name. */
static void test_libraries_can_be_loaded_late(void **state)
{
	void *library = dlopen("libnss_compat.so.2", RTLD_NOW);

	(void)state;
	if (library == NULL)
		library = dlopen("libresolv.so.2", RTLD_NOW);
	assert_non_null(library);
	if (library != NULL)
		(void)dlclose(library);
}

static void *answer(void *arg)
{
	return arg;
}

static void test_threads_can_be_started(void **state)
{
	pthread_t thread;
	void *got = NULL;

	assert_int_equal(pthread_create(&thread, NULL, answer, *state), 0);
	assert_int_equal(pthread_join(thread, &got), 0);
	assert_ptr_equal(got, *state);
}

static void test_no_program_can_be_run(void **state)
{
	static char name[] = "true";
	static char *args[] = {name, NULL};
	pid_t pid;

	if (!has_calls(*state))
		return;
	/* Refused before anybody looks whether it is there. */
	assert_int_equal(execve("/nowhere/true", args, NULL), -1);
	assert_int_equal(errno, EPERM);
	pid = fork();
	if (pid == 0)
		_exit(0);
	assert_int_equal(pid, -1);
	assert_int_equal(errno, EPERM);
#ifdef SYS_fork
	pid = (pid_t)syscall(SYS_fork);
	if (pid == 0)
		_exit(0);
	assert_int_equal(pid, -1);
	assert_int_equal(errno, EPERM);
#endif
	assert_int_not_equal(
		posix_spawn(&pid, "/bin/true", NULL, NULL, args, NULL), 0);
	/* A namespace of our own would bring privileges back. */
	assert_int_equal(unshare(CLONE_NEWUSER), -1);
	assert_int_equal(errno, EPERM);
}

/* Landlock alone holds as well. */
static void test_what_is_written_cannot_be_run(void **state)
{
	struct world *w = *state;

	if (!has_files(w))
		return;
	assert_int_equal(w->ran, 0);
}

/* Numbers of calls mean something else there: the way around the filter. */
static void test_the_other_kind_of_calls_ends_it(void **state)
{
	struct world *w = *state;

	if (!has_calls(w))
		return;
#ifdef __x86_64__
	assert_true(WIFSIGNALED(w->other_kind));
#endif
}

static void test_no_process_can_be_traced(void **state)
{
	struct world *w = *state;
	char byte;
	struct iovec here = {.iov_base = &byte, .iov_len = 1};
	struct iovec there = {.iov_base = w, .iov_len = 1};

	if (!has_calls(w))
		return;
	/* Without the filter: that it is not being traced. */
	assert_int_equal(ptrace(PTRACE_CONT, w->child, NULL, NULL), -1);
	assert_int_equal(errno, EPERM);
	/* Without: that there is none. */
	assert_int_equal(process_vm_readv(-1, &here, 1, &there, 1, 0), -1);
	assert_int_equal(errno, EPERM);
	assert_int_equal(syscall(SYS_pidfd_open, w->child, 0), -1);
	assert_int_equal(errno, EPERM);
}

static void test_no_process_can_be_signalled(void **state)
{
	struct world *w = *state;
	union sigval value = {.sival_int = 0};

	if (!has_calls(w))
		return;
	assert_int_equal(kill(w->child, SIGKILL), -1);
	assert_int_equal(errno, EPERM);
	assert_int_equal(kill(-1, 0), -1);
	assert_int_equal(errno, EPERM);
	assert_int_equal(sigqueue(w->child, SIGTERM, value), -1);
	assert_int_equal(errno, EPERM);
	assert_int_equal(syscall(SYS_tgkill, w->child, w->child, 0), -1);
	assert_int_equal(errno, EPERM);
	assert_int_equal(syscall(SYS_tkill, w->child, 0), -1);
	assert_int_equal(errno, EPERM);
	assert_int_equal(waitpid(w->child, NULL, WNOHANG), 0);
}

/* A crash still ends with its signal, C-z still stops the job. */
static void test_signals_to_oneself_come(void **state)
{
	int number = 0;
	sigset_t set;

	(void)state;
	(void)sigemptyset(&set);
	(void)sigaddset(&set, SIGABRT);
	(void)sigaddset(&set, SIGTSTP);
	assert_int_equal(pthread_sigmask(SIG_BLOCK, &set, NULL), 0);
	assert_int_equal(raise(SIGABRT), 0);
	assert_int_equal(sigwait(&set, &number), 0);
	assert_int_equal(number, SIGABRT);
	assert_int_equal(kill(getpid(), SIGTSTP), 0);
	assert_int_equal(sigwait(&set, &number), 0);
	assert_int_equal(number, SIGTSTP);
}

/* On no terminal: refused before anybody asks what it is. */
static void test_nothing_can_be_typed_for_the_person(void **state)
{
	if (!has_calls(*state))
		return;
	assert_int_equal(ioctl(-1, TIOCSTI, "x"), -1);
	assert_int_equal(errno, EPERM);
	/* Only the lower half of the number counts for the kernel. */
	assert_int_equal(syscall(SYS_ioctl, -1, TIOCSTI | 1L << 32, "x"), -1);
	assert_int_equal(errno, EPERM);
	assert_int_equal(ioctl(-1, TIOCGWINSZ, NULL), -1);
	assert_int_equal(errno, EBADF);
}

static void test_files_have_no_other_door(void **state)
{
	if (!has_calls(*state))
		return;
#ifdef SYS_io_uring_setup
	assert_int_equal(syscall(SYS_io_uring_setup, 1, NULL), -1);
	assert_int_equal(errno, ENOSYS);
#endif
	assert_int_equal(syscall(SYS_open_by_handle_at, -1, NULL, 0), -1);
	assert_int_equal(errno, EPERM);
	assert_int_equal(syscall(428 /* open_tree */, -1, NULL, 0), -1);
	assert_int_equal(errno, EPERM);
}

/* As a kernel that has none answers, so that libraries take another way. */
static void test_calls_to_come_are_not_there(void **state)
{
	if (!has_calls(*state))
		return;
	assert_int_equal(syscall(435 /* clone3 */, NULL, 0), -1);
	assert_int_equal(errno, ENOSYS);
	assert_int_equal(syscall(467, -1, NULL, 0, NULL, 0), -1);
	assert_int_equal(errno, ENOSYS);
	assert_int_equal(syscall(100000), -1);
	assert_int_equal(errno, ENOSYS);
}

static void test_a_secret_stays_in_memory(void **state)
{
	struct world *w = *state;

	/* Sanitizers only say that they lock. */
	if (!can_try(w->locked, "memory that can be locked"))
		return;
	assert_non_null(strstr(w->secret_flags, " lo")); /* locked */
	assert_non_null(strstr(w->secret_flags, " dd")); /* in no dump */
	assert_string_equal(w->freed_flags, "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_it_says_what_is_on),
		cmocka_unit_test(test_the_process_is_closed),
		cmocka_unit_test(test_the_profile_can_be_used),
		cmocka_unit_test(test_the_database_can_be_a_link),
		cmocka_unit_test(test_nothing_else_can_be_opened),
		cmocka_unit_test(test_nothing_else_can_be_changed),
		cmocka_unit_test(test_names_can_be_resolved),
		cmocka_unit_test(test_libraries_can_be_loaded_late),
		cmocka_unit_test(test_threads_can_be_started),
		cmocka_unit_test(test_no_program_can_be_run),
		cmocka_unit_test(test_what_is_written_cannot_be_run),
		cmocka_unit_test(test_the_other_kind_of_calls_ends_it),
		cmocka_unit_test(test_no_process_can_be_traced),
		cmocka_unit_test(test_no_process_can_be_signalled),
		cmocka_unit_test(test_signals_to_oneself_come),
		cmocka_unit_test(test_nothing_can_be_typed_for_the_person),
		cmocka_unit_test(test_files_have_no_other_door),
		cmocka_unit_test(test_calls_to_come_are_not_there),
		cmocka_unit_test(test_a_secret_stays_in_memory),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}

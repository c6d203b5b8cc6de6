/*
 * Seccomp: system calls that chat has no use for fail with EPERM. A list of
 * what is refused and not of what is allowed, since libraries bring calls that
 * nobody here would miss before a user does; what kernels will bring is
 * answered as by a kernel without it.
 *
 * The filter is a program for the kernel's own small machine, written out here
 * because it is shorter than a library is to depend on. It keeps the call's
 * number loaded between rules. Where an argument decides, its lower half does,
 * which is all that the kernel reads of these.
 */
#include "app/sandbox.h"

#include <errno.h>

/* Machines with the lower half first and clone's flags first. */
#if !defined(HAVE_LINUX_SECCOMP_H)
#elif defined(__x86_64__) && !defined(__ILP32__)
#define MACHINE AUDIT_ARCH_X86_64
#elif defined(__aarch64__) && defined(__LP64__) && !defined(__AARCH64EB__)
#define MACHINE AUDIT_ARCH_AARCH64
#elif defined(__riscv) && __riscv_xlen == 64
#define MACHINE AUDIT_ARCH_RISCV64
#endif

#ifdef MACHINE

#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#ifndef TIOCLINUX
#define TIOCLINUX 0x541C
#endif
#define STEPS_MAX 256

static const unsigned refused[] = {
	/* programs and other processes */
	SYS_execve,
	SYS_execveat,
	SYS_ptrace,
	SYS_process_vm_readv,
	SYS_process_vm_writev,
	SYS_kcmp,
	SYS_setns,
	SYS_unshare,
	SYS_tkill,
	/* the kernel and its keys */
	SYS_init_module,
	SYS_finit_module,
	SYS_delete_module,
	SYS_kexec_load,
	SYS_bpf,
	SYS_perf_event_open,
	SYS_userfaultfd,
	SYS_add_key,
	SYS_request_key,
	SYS_keyctl,
	SYS_syslog,
	SYS_personality,
	/* file systems, and files without a path */
	SYS_mount,
	SYS_umount2,
	SYS_pivot_root,
	SYS_chroot,
	SYS_name_to_handle_at,
	SYS_open_by_handle_at,
	SYS_swapon,
	SYS_swapoff,
	SYS_quotactl,
	SYS_acct,
	SYS_fanotify_init,
	/* the machine */
	SYS_reboot,
	SYS_settimeofday,
	SYS_clock_settime,
	SYS_adjtimex,
	SYS_clock_adjtime,
	SYS_sethostname,
	SYS_setdomainname,
	SYS_vhangup,
#ifdef SYS_kexec_file_load
	SYS_kexec_file_load,
#endif
#ifdef __x86_64__
	SYS_fork,
	SYS_vfork,
	SYS_modify_ldt,
	SYS_iopl,
	SYS_ioperm,
#endif
};

/* From 424 on a number means the same on all machines. */
static const struct {
	unsigned first, last;
	unsigned err;
} refused_ranges[] = {
	{424, 424, EPERM},  /* pidfd_send_signal */
	{425, 427, ENOSYS}, /* io_uring: what it does passes no filter */
	{428, 434, EPERM},  /* open_tree, mounts, pidfd_open */
	{435, 435, ENOSYS}, /* clone3: a filter cannot see its flags */
	{438, 438, EPERM},  /* pidfd_getfd */
	{440, 440, EPERM},  /* process_madvise */
	{442, 443, EPERM},  /* mount_setattr, quotactl_fd */
	/* open_tree_attr, newer than Linux 6.14, and all that is to come. On
	 * x86 those of the x32 kind too, which would pass by the numbers. */
	{467, UINT32_MAX, ENOSYS},
};

struct filter {
	struct sock_filter steps[STEPS_MAX];
	unsigned short count;
};

static void add(struct filter *f, struct sock_filter step)
{
	P2P_ASSERT(f->count < STEPS_MAX);
	f->steps[f->count++] = step;
}

static void load(struct filter *f, size_t offset)
{
	add(f, (struct sock_filter)BPF_STMT(
		       BPF_LD | BPF_W | BPF_ABS, (uint32_t)offset));
}

static void give(struct filter *f, uint32_t action)
{
	add(f, (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, action));
}

/* test: BPF_JEQ, BPF_JGE, BPF_JSET. How many steps to leave out, either way. */
static void compare(struct filter *f, unsigned short test, uint32_t value,
	unsigned char when_so, unsigned char when_not)
{
	add(f, (struct sock_filter)BPF_JUMP(
		       (unsigned short)(BPF_JMP | test | BPF_K), value, when_so,
		       when_not));
}

static void refuse(struct filter *f, unsigned call)
{
	compare(f, BPF_JEQ, call, 0, 1);
	give(f, SECCOMP_RET_ERRNO | EPERM);
}

static void refuse_range(
	struct filter *f, unsigned first, unsigned last, unsigned err)
{
	compare(f, BPF_JGE, first, 0, 2);
	compare(f, BPF_JGT, last, 1, 0);
	give(f, SECCOMP_RET_ERRNO | err);
}

struct by_argument {
	unsigned call;
	unsigned argument;
	unsigned short test;
	uint32_t value;
	bool when; /* it is refused if the test holds, or if it does not */
};

static void refuse_by(struct filter *f, const struct by_argument *a)
{
	size_t at = offsetof(struct seccomp_data, args) + 8 * a->argument;

	compare(f, BPF_JEQ, a->call, 0, 4);
	load(f, at);
	compare(f, a->test, a->value, a->when ? 0 : 1, a->when ? 1 : 0);
	give(f, SECCOMP_RET_ERRNO | EPERM);
	load(f, offsetof(struct seccomp_data, nr));
}

static void refuse_by_arguments(struct filter *f)
{
	const uint32_t me = (uint32_t)getpid();
	const struct by_argument rules[] = {
		/* Threads only. */
		{SYS_clone, 0, BPF_JSET, CLONE_THREAD, false},
		/* Typing into the terminal that a shell reads when we have
		 * gone. */
		{SYS_ioctl, 1, BPF_JEQ, TIOCSTI, true},
		{SYS_ioctl, 1, BPF_JEQ, TIOCLINUX, true},
		/* Signals are for ourselves, but for C-z, which stops all that
		 * was started with us. */
		{SYS_kill, 1, BPF_JEQ, SIGTSTP, false},
		{SYS_tgkill, 0, BPF_JEQ, me, false},
		{SYS_rt_sigqueueinfo, 0, BPF_JEQ, me, false},
		{SYS_rt_tgsigqueueinfo, 0, BPF_JEQ, me, false},
	};

	for (size_t i = 0; i < P2P_ARRAY_LEN(rules); i++)
		refuse_by(f, &rules[i]);
}

static void make_filter(struct filter *f)
{
	f->count = 0;
	load(f, offsetof(struct seccomp_data, arch));
	compare(f, BPF_JEQ, MACHINE, 1, 0);
	give(f, SECCOMP_RET_KILL_PROCESS);
	load(f, offsetof(struct seccomp_data, nr));
	for (size_t i = 0; i < P2P_ARRAY_LEN(refused); i++)
		refuse(f, refused[i]);
	for (size_t i = 0; i < P2P_ARRAY_LEN(refused_ranges); i++)
		refuse_range(f, refused_ranges[i].first, refused_ranges[i].last,
			refused_ranges[i].err);
	refuse_by_arguments(f);
	give(f, SECCOMP_RET_ALLOW);
}

int sandbox_limit_calls(void)
{
	struct filter f;
	struct sock_fprog prog;

	make_filter(&f);
	prog = (struct sock_fprog){.len = f.count, .filter = f.steps};
	return syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &prog) == 0
		       ? 0
		       : errno;
}

#else

int sandbox_limit_calls(void)
{
	return ENOSYS;
}

#endif

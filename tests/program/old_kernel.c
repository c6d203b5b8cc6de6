/*
 * Runs a program as on a system that has neither landlock nor seccomp nor
 * memory to lock: old_kernel PROGRAM ARGUMENT...
 */
#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#include "base/compiler.h"

#ifdef HAVE_LINUX_SECCOMP_H

#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#define LACKS(call, err) \
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, call, 0, 1), \
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | (err))

static int take_away(void)
{
	static struct sock_filter steps[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
			offsetof(struct seccomp_data, nr)),
		LACKS(444, ENOSYS), /* landlock_create_ruleset ... */
		LACKS(445, ENOSYS),
		LACKS(446, ENOSYS),
		LACKS(SYS_seccomp, ENOSYS),
		LACKS(SYS_mlock, ENOMEM),
		LACKS(SYS_mlock2, ENOMEM),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog filter = {
		.len = P2P_ARRAY_LEN(steps), .filter = steps};

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
		return -1;
	return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter);
}

#else

static int take_away(void)
{
	errno = ENOSYS;
	return -1;
}

#endif

int main(int argc, char *argv[])
{
	if (argc < 2)
		return 64;
	if (take_away() != 0) {
		perror("old_kernel: seccomp");
		return 69;
	}
	(void)execv(argv[1], argv + 1);
	perror(argv[1]);
	return 71;
}

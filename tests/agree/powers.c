/* SPDX-License-Identifier: Apache-2.0 */
/* What takes a capability: namespaces, other users' files, and what only root may. */
#include <linux/capability.h>
#include <linux/sched.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <sys/klog.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/xattr.h>
#include <time.h>

#include "case.h"

static int ended(pid_t pid, int want)
{
	int status = 0;

	return pid < 0 || waitpid(pid, &status, __WALL) != pid ||
	       (status & ~0x80) != want; /* a core was written */
}

/* ---- namespaces and other calls that ask for capabilities ---- */

static int child_with(unsigned long flags)
{
	pid_t pid = (pid_t)syscall(SYS_clone, flags | SIGCHLD, 0, 0, 0, 0);

	if (!pid)
		_exit(0);
	return ended(pid, 0);
}

static int child3_with(uint64_t flags)
{
	struct clone_args args = { .flags = flags, .exit_signal = SIGCHLD };
	pid_t pid = (pid_t)syscall(SYS_clone3, &args, sizeof(args));

	if (!pid)
		_exit(0);
	return ended(pid, 0);
}

static int space_uts(void)
{
	return child_with(CLONE_NEWUTS);
}

static int space_ipc_mount(void)
{
	return child_with(CLONE_NEWIPC | CLONE_NEWNS);
}

static int space_pid(void)
{
	return child_with(CLONE_NEWPID);
}

static int space_unshared(void)
{
	return unshare(CLONE_NEWUTS | CLONE_NEWIPC);
}

static int space_mounts_unshared(void)
{
	return unshare(CLONE_NEWNS) || open("/d/file", O_RDONLY) < 0;
}

static int space_entered(void)
{
	int fd = open("/proc/self/ns/uts", O_RDONLY);

	return fd < 0 || setns(fd, CLONE_NEWUTS);
}

static int space_of_user(void)
{
	return unshare(CLONE_NEWUSER);
}

static int space_of_user_cloned(void)
{
	return child_with(CLONE_NEWUSER | CLONE_NEWUTS);
}

static int clone3_uts(void)
{
	return child3_with(CLONE_NEWUTS);
}

static int clone3_plain(void)
{
	return child3_with(0);
}

static int clone3_pidfd(void)
{
	int fd = -1;
	struct clone_args args = { .flags = CLONE_PIDFD, .exit_signal = SIGCHLD };
	pid_t pid;

	args.pidfd = (uint64_t)(uintptr_t)&fd;
	pid = (pid_t)syscall(SYS_clone3, &args, sizeof(args));
	if (!pid)
		_exit(0);
	return fd < 0 || ended(pid, 0);
}

static int clone3_with_fallback(void)
{
	struct clone_args args = { .exit_signal = SIGCHLD };
	pid_t pid = (pid_t)syscall(SYS_clone3, &args, sizeof(args));

	if (pid < 0 && errno == ENOSYS)
		pid = fork();
	if (!pid)
		_exit(0);
	return ended(pid, 0);
}

static int landlock_alone(void)
{
	uint64_t attr[1] = { 1 };
	int fd = (int)syscall(SYS_landlock_create_ruleset, attr, sizeof(attr), 0);

	return fd < 0 || syscall(SYS_landlock_restrict_self, fd, 0);
}

static int attribute_trusted(void)
{
	/* The root file system may have none of that kind: what is asked stays. */
	setxattr("/d/file", "trusted.x", "1", 1, 0);
	removexattr("/d/file", "trusted.x");
	return 0;
}

/* ---- capabilities ---- */

static int can_chown(void)
{
	return chown("file", 1, 1);
}

static int can_override(void)
{
	return chmod("other", 0) || chown("other", 1, 1) || open("other", O_WRONLY) < 0;
}

static int can_read_search(void)
{
	return chmod("other", 0) || chown("other", 1, 1) || open("other", O_RDONLY) < 0;
}

static int can_change_user(void)
{
	return setgid(65534) || setuid(65534);
}

static int can_nice(void)
{
	return setpriority(PRIO_PROCESS, 0, -5);
}

static int can_lock_memory(void)
{
	struct rlimit none = { 0, 0 };
	static char page[8192];

	return setrlimit(RLIMIT_MEMLOCK, &none) || mlock(page, sizeof(page));
}

static int can_raise_limit(void)
{
	struct rlimit low_limit = { 100, 100 }, high = { 200, 200 };

	return setrlimit(RLIMIT_NOFILE, &low_limit) || setrlimit(RLIMIT_NOFILE, &high);
}

static int can_read_kernel_log(void)
{
	return klogctl(10, NULL, 0) < 0 || klogctl(9, NULL, 0) < 0;
}

static int can_name_host(void)
{
	return sethostname("x", 1);
}

static int can_set_time(void)
{
	struct timespec t;

	return clock_gettime(CLOCK_REALTIME, &t) || clock_settime(CLOCK_REALTIME, &t);
}

static int can_drop_bounds(void)
{
	return prctl(PR_CAPBSET_DROP, CAP_SYS_BOOT, 0, 0, 0);
}

static int can_keep_setgid_bit(void)
{
	return chown("file", 0, 1) || chmod("file", 02755) || truncate("file", 5);
}

static int can_make_device(void)
{
	return mknod("disk", S_IFBLK | 0600, 7 << 8);
}

static const struct awkward cases[] = {
	CASE(space_uts),
	CASE(space_ipc_mount),
	CASE(space_pid),
	CASE(space_unshared),
	CASE(space_mounts_unshared),
	CASE(space_entered),
	CASE(space_of_user),
	CASE(space_of_user_cloned),
	CASE(clone3_uts),
	CASE(clone3_plain),
	CASE(clone3_pidfd),
	CASE(clone3_with_fallback),
	CASE(landlock_alone),
	CASE(attribute_trusted),
	CASE(can_chown),
	CASE(can_override),
	CASE(can_read_search),
	CASE(can_change_user),
	CASE(can_nice),
	CASE(can_lock_memory),
	CASE(can_raise_limit),
	CASE(can_read_kernel_log),
	CASE(can_name_host),
	CASE(can_set_time),
	CASE(can_drop_bounds),
	CASE(can_keep_setgid_bit),
	CASE(can_make_device),
};

CASES_MAIN(cases)

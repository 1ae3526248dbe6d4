/* SPDX-License-Identifier: Apache-2.0 */
/* Processes that look into one another, trace, and are not traced. */
#include <linux/kcmp.h>
#include <linux/sched.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/uio.h>

#include "case.h"
#include "child.h"

/* ---- looking at another process ---- */

static int opened(pid_t pid, const char *what, int flags)
{
	char path[64], text[64];
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid, what);
	fd = open(path, flags);
	if (fd >= 0 && read(fd, text, sizeof(text)) < -1)
		return 1;
	return fd < 0;
}

static int look_mem(void)
{
	pid_t pid = sleeper();

	return opened(pid, "mem", O_RDONLY) + put_down(pid);
}

static int look_environ(void)
{
	pid_t pid = sleeper();

	return opened(pid, "environ", O_RDONLY) + put_down(pid);
}

static int look_maps(void)
{
	pid_t pid = sleeper();

	return opened(pid, "maps", O_RDONLY) + put_down(pid);
}

static int look_descriptors(void)
{
	char path[64], text[64];
	pid_t pid = sleeper();
	int bad;

	snprintf(path, sizeof(path), "/proc/%d/fd/0", (int)pid);
	bad = readlink(path, text, sizeof(text)) < 0;
	return bad + put_down(pid);
}

static int look_exe(void)
{
	char path[64], text[64];
	pid_t pid = sleeper();
	int bad;

	snprintf(path, sizeof(path), "/proc/%d/exe", (int)pid);
	bad = readlink(path, text, sizeof(text)) < 0;
	return bad + put_down(pid);
}

static int look_through_root(void)
{
	pid_t pid = sleeper();

	return opened(pid, "root/d/other", O_RDONLY) + put_down(pid);
}

static int look_through_cwd(void)
{
	pid_t pid = sleeper();

	return opened(pid, "cwd/dir/in", O_RDWR) + put_down(pid);
}

static int look_namespace(void)
{
	pid_t pid = sleeper();

	return opened(pid, "ns/uts", O_RDONLY) + put_down(pid);
}

static int look_stat_alone(void)
{
	pid_t pid = sleeper();

	return opened(pid, "stat", O_RDONLY) + opened(pid, "cmdline", O_RDONLY) + put_down(pid);
}

static int look_oom(void)
{
	char path[64];
	pid_t pid = sleeper();
	int fd, bad;

	snprintf(path, sizeof(path), "/proc/%d/oom_score_adj", (int)pid);
	fd = open(path, O_WRONLY);
	bad = fd < 0 || write(fd, "500", 3) != 3;
	return bad + put_down(pid);
}

static int look_vm_readv(void)
{
	static char here[8], there[8];
	struct iovec a = { here, 8 }, b = { there, 8 };
	pid_t pid = sleeper();
	int bad = process_vm_readv(pid, &a, 1, &b, 1, 0) != 8;

	return bad + put_down(pid);
}

static int look_vm_writev(void)
{
	static char here[8], there[8];
	struct iovec a = { here, 8 }, b = { there, 8 };
	pid_t pid = sleeper();
	int bad = process_vm_writev(pid, &a, 1, &b, 1, 0) != 8;

	return bad + put_down(pid);
}

static int look_getfd(void)
{
	pid_t pid = sleeper();
	int fd = (int)syscall(SYS_pidfd_open, pid, 0);
	int bad = syscall(SYS_pidfd_getfd, fd, 0, 0) < 0;

	return bad + put_down(pid);
}

static int look_kcmp(void)
{
	pid_t pid = sleeper();
	int bad = syscall(SYS_kcmp, getpid(), pid, KCMP_VM, 0, 0) < 0;

	return bad + put_down(pid);
}

static int look_robust_list(void)
{
	pid_t pid = sleeper();
	void *head;
	size_t n;
	int bad = syscall(SYS_get_robust_list, pid, &head, &n) < 0;

	return bad + put_down(pid);
}

static int look_pages_moved(void)
{
	pid_t pid = sleeper();
	void *page = (void *)((uintptr_t)&look_pages_moved & ~4095UL);
	int status = 0;
	long r = syscall(SYS_move_pages, pid, 1, &page, NULL, &status, 0);

	return (r < 0 && errno != ENOSYS) + put_down(pid);
}

static int traced_attach(void)
{
	pid_t pid = sleeper();
	int bad = ptrace(PTRACE_ATTACH, pid, NULL, NULL) != 0;

	if (!bad)
		bad = waitpid(pid, NULL, 0) != pid || ptrace(PTRACE_DETACH, pid, NULL, NULL) != 0;
	return bad + put_down(pid);
}

static int traced_seize(void)
{
	pid_t pid = sleeper();
	int bad = ptrace(PTRACE_SEIZE, pid, NULL, NULL) != 0;

	if (!bad)
		bad = ptrace(PTRACE_INTERRUPT, pid, NULL, NULL) || waitpid(pid, NULL, 0) != pid ||
		      ptrace(PTRACE_DETACH, pid, NULL, NULL);
	return bad + put_down(pid);
}

static int traced_me(void)
{
	pid_t pid = fork();

	if (!pid)
		_exit(ptrace(PTRACE_TRACEME, 0, NULL, NULL) != 0);
	return ended(pid, 0);
}

static int traced_me_and_stopped(void)
{
	int status = 0;
	pid_t pid = fork();

	if (!pid) {
		if (ptrace(PTRACE_TRACEME, 0, NULL, NULL))
			_exit(1);
		raise(SIGSTOP);
		_exit(0);
	}
	if (waitpid(pid, &status, 0) != pid || !WIFSTOPPED(status))
		return 1;
	return ptrace(PTRACE_CONT, pid, NULL, NULL) != 0 || ended(pid, 0);
}

static int untraced_child(void)
{
	pid_t pid = (pid_t)syscall(SYS_clone, CLONE_UNTRACED | SIGCHLD, 0, 0, 0, 0);

	if (!pid)
		_exit(open("/d/other", O_RDWR) < 0);
	return ended(pid, 0);
}

static int untraced_child_of_child(void)
{
	pid_t pid = (pid_t)syscall(SYS_clone, CLONE_UNTRACED | SIGCHLD, 0, 0, 0, 0);

	if (!pid) {
		pid = fork();
		if (!pid)
			_exit(open("/d/other", O_RDWR) < 0);
		_exit(ended(pid, 0));
	}
	return ended(pid, 0);
}

static int untraced_clone3(void)
{
	struct clone_args args = { .flags = CLONE_UNTRACED, .exit_signal = SIGCHLD };
	pid_t pid = (pid_t)syscall(SYS_clone3, &args, sizeof(args));

	if (!pid)
		_exit(open("/d/other", O_RDWR) < 0);
	return ended(pid, 0);
}

/* Of a profile that is not there: asked for all the same. */
static int label_as(const char *attr, const char *text)
{
	int fd = open(attr, O_WRONLY);
	ssize_t n = fd < 0 ? 0 : write(fd, text, strlen(text));

	return fd < 0 || n == 0 || close(fd);
}

static int label_changed(void)
{
	return label_as("/proc/self/attr/current", "changeprofile agree-other");
}

static int label_at_exec(void)
{
	return label_as("/proc/self/attr/exec", "exec agree-other");
}

static int label_stacked(void)
{
	return label_as("/proc/self/attr/current", "stack agree-other");
}

static const struct awkward cases[] = {
	CASE(label_changed),
	CASE(label_at_exec),
	CASE(label_stacked),
	CASE(look_mem),
	CASE(look_environ),
	CASE(look_maps),
	CASE(look_descriptors),
	CASE(look_exe),
	CASE(look_through_root),
	CASE(look_through_cwd),
	CASE(look_namespace),
	CASE(look_stat_alone),
	CASE(look_oom),
	CASE(look_vm_readv),
	CASE(look_vm_writev),
	CASE(look_getfd),
	CASE(look_kcmp),
	CASE(look_robust_list),
	CASE(look_pages_moved),
	CASE(traced_attach),
	CASE(traced_seize),
	CASE(traced_me),
	CASE(traced_me_and_stopped),
	CASE(untraced_child),
	CASE(untraced_child_of_child),
	CASE(untraced_clone3),
};

CASES_MAIN(cases)

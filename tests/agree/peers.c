/* SPDX-License-Identifier: Apache-2.0 */
/* Processes that look into one another, trace, and are not traced. */
#include <linux/kcmp.h>
#include <linux/sched.h>
#include <sched.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <time.h>
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

/* ---- who is signalled ---- */

static sigset_t blocked(int sig)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, sig);
	sigprocmask(SIG_BLOCK, &set, NULL);
	return set;
}

/* A child that ends well by a signal that it has waited for. */
static pid_t waiter(int sig)
{
	sigset_t set = blocked(sig);
	int got;
	pid_t pid = fork();

	if (!pid)
		_exit(sigwait(&set, &got) || got != sig);
	return pid;
}

static int signal_child_that_waits(void)
{
	pid_t pid = waiter(SIGUSR1);

	return kill(pid, SIGUSR1) || ended(pid, 0);
}

static int signal_parent_by_child(void)
{
	sigset_t set = blocked(SIGUSR2);
	int got;
	pid_t pid = fork();

	if (!pid)
		_exit(kill(getppid(), SIGUSR2) != 0);
	return sigwait(&set, &got) || got != SIGUSR2 || ended(pid, 0);
}

static int signal_group_of_two(void)
{
	pid_t one = waiter(SIGTERM), other = waiter(SIGTERM);

	if (setpgid(one, one) || setpgid(other, one))
		return 1;
	return kill(-one, SIGTERM) || ended(one, 0) || ended(other, 0);
}

static int signal_own_group(void)
{
	setpgid(0, 0);
	return kill(0, SIGURG) != 0;
}

static int signal_queued(void)
{
	siginfo_t info = { .si_code = SI_QUEUE };
	pid_t pid = waiter(SIGHUP);

	info.si_pid = getpid();
	if (syscall(SYS_rt_sigqueueinfo, pid, SIGHUP, &info) || ended(pid, 0))
		return 1;
	return syscall(SYS_rt_tgsigqueueinfo, getpid(), getpid(), SIGURG, &info) != 0;
}

static int signal_by_descriptor(void)
{
	pid_t pid = waiter(SIGALRM);
	int fd = (int)syscall(SYS_pidfd_open, pid, 0);

	return syscall(SYS_pidfd_send_signal, fd, 0, NULL, 0) ||
	       syscall(SYS_pidfd_send_signal, fd, SIGALRM, NULL, 0) || ended(pid, 0);
}

static int signal_blocked_for_good(void)
{
	pid_t pid = waiter(SIGUSR1);
	int bad;

	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGWINCH);
	sigprocmask(SIG_BLOCK, &set, NULL);
	bad = raise(SIGWINCH) || kill(pid, SIGUSR1);
	return bad || ended(pid, 0);
}

/* Who has started this is none of ours: pale, while it learns. */
static int signal_outside(void)
{
	return kill(getppid(), SIGURG) || kill(getppid(), 0);
}

static int signal_first_process(void)
{
	return kill(1, SIGURG) || kill(1, 0);
}

static int signal_everybody(void)
{
	return kill(-1, SIGURG) != 0;
}

/* These the kernel sends by itself, and asks nobody. */
static int signal_by_a_descriptors_owner(void)
{
	int ends[2];
	pid_t pid = waiter(SIGUSR1);

	if (pipe(ends) || fcntl(ends[0], F_SETOWN, pid) || fcntl(ends[0], F_SETSIG, SIGUSR1) ||
	    fcntl(ends[0], F_SETFL, O_ASYNC))
		return 1;
	return write(ends[1], "x", 1) != 1 || ended(pid, 0);
}

static int signal_by_a_timer(void)
{
	struct itimerspec soon = { .it_value = { 0, 1000000 } };
	struct sigevent how = { .sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR1 };
	sigset_t set;
	timer_t timer;
	int got;

	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	sigprocmask(SIG_BLOCK, &set, NULL);
	return timer_create(CLOCK_MONOTONIC, &how, &timer) ||
	       timer_settime(timer, 0, &soon, NULL) || sigwait(&set, &got) || got != SIGUSR1;
}

/* The parent is gone when its child is killed for it. */
static int signal_killed_with_its_parent(void)
{
	int ends[2], ready[2];
	char c;
	pid_t pid;

	if (pipe(ends) || pipe(ready))
		return 1;
	pid = fork();
	if (!pid) {
		if (!fork()) {
			prctl(PR_SET_PDEATHSIG, SIGKILL);
			if (write(ready[1], "x", 1) != 1)
				_exit(1);
			for (;;)
				pause();
		}
		_exit(read(ready[0], &c, 1) != 1);
	}
	close(ends[1]);
	return ended(pid, 0) || read(ends[0], &c, 1) != 0; /* until the last one has ended */
}

/* Whoever leads a session and gives its terminal up signals those in the foreground, and is asked. */
static int signal_by_a_terminal_given_up(void)
{
	int master = open("/dev/ptmx", O_RDWR | O_NOCTTY), unlocked = 0, fd;
	char name[32];
	unsigned n;
	pid_t pid;

	if (master < 0 || ioctl(master, TIOCSPTLCK, &unlocked) || ioctl(master, TIOCGPTN, &n))
		return 1;
	snprintf(name, sizeof(name), "/dev/pts/%u", n);
	pid = fork();
	if (!pid) {
		signal(SIGHUP, SIG_IGN);
		setsid();
		fd = open(name, O_RDWR);
		_exit(fd < 0 || ioctl(fd, TIOCSCTTY, 0) || ioctl(fd, TIOCNOTTY));
	}
	return ended(pid, 0);
}

static const struct awkward cases[] = {
	CASE(signal_child_that_waits),
	CASE(signal_parent_by_child),
	CASE(signal_group_of_two),
	CASE(signal_own_group),
	CASE(signal_queued),
	CASE(signal_by_descriptor),
	CASE(signal_blocked_for_good),
	CASE(signal_outside),
	CASE(signal_first_process),
	CASE(signal_everybody),
	CASE(signal_by_a_descriptors_owner),
	CASE(signal_by_a_timer),
	CASE(signal_killed_with_its_parent),
	CASE(signal_by_a_terminal_given_up),
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

/* SPDX-License-Identifier: Apache-2.0 */
/* Processes: how they begin and end, signal, execute, and filter their calls. */
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/time.h>

#include "case.h"
#include "child.h"

static void nothing(int sig)
{
	(void)sig;
}

/* ---- signals ---- */

static int signal_pidfd(void)
{
	pid_t pid = sleeper();
	int fd = (int)syscall(SYS_pidfd_open, pid, 0);

	return syscall(SYS_pidfd_send_signal, fd, SIGTERM, NULL, 0) || ended(pid, SIGTERM);
}

static int signal_pidfd_exists(void)
{
	pid_t pid = sleeper();
	int fd = (int)syscall(SYS_pidfd_open, pid, 0);

	return syscall(SYS_pidfd_send_signal, fd, 0, NULL, 0) || put_down(pid);
}

static int signal_exists(void)
{
	pid_t pid = sleeper();

	return kill(pid, 0) || put_down(pid);
}

static int signal_kill_child(void)
{
	pid_t pid = sleeper();

	return kill(pid, SIGKILL) || ended(pid, SIGKILL);
}

static int signal_kill_itself(void)
{
	pid_t pid = fork();

	if (!pid)
		_exit(kill(getpid(), SIGKILL));
	return ended(pid, SIGKILL);
}

static int signal_group(void)
{
	pid_t pid;

	if (setpgid(0, 0))
		return 1;
	signal(SIGUSR1, nothing);
	pid = fork();
	if (!pid)
		_exit(kill(0, SIGUSR1));
	return ended(pid, 0);
}

static int signal_group_by_number(void)
{
	pid_t pid = sleeper();

	return setpgid(pid, pid) || kill(-pid, SIGHUP) || ended(pid, SIGHUP);
}

static int signal_tgkill(void)
{
	signal(SIGUSR2, nothing);
	return (int)syscall(SYS_tgkill, getpid(), getpid(), SIGUSR2);
}

static int signal_tkill(void)
{
	pid_t pid = sleeper();

	return syscall(SYS_tkill, pid, SIGQUIT) || ended(pid, SIGQUIT);
}

static int signal_queue(void)
{
	pid_t pid = sleeper();

	return sigqueue(pid, SIGRTMIN + 3, (union sigval){ 0 }) || ended(pid, SIGRTMIN + 3);
}

static int signal_tgsigqueue(void)
{
	siginfo_t info = { .si_signo = SIGUSR1, .si_code = SI_QUEUE };

	signal(SIGUSR1, nothing);
	return (int)syscall(SYS_rt_tgsigqueueinfo, getpid(), getpid(), SIGUSR1, &info);
}

static int signal_abort(void)
{
	pid_t pid = fork();

	if (!pid)
		abort();
	return ended(pid, SIGABRT);
}

static void *waiting(void *unused)
{
	pause();
	return unused;
}

static int signal_thread(void)
{
	pthread_t t;

	signal(SIGUSR1, nothing);
	return pthread_create(&t, NULL, waiting, NULL) || usleep(20000) ||
	       pthread_kill(t, SIGUSR1) || pthread_join(t, NULL);
}

static int signal_timer(void)
{
	struct itimerval it = { .it_value = { .tv_usec = 1000 } };

	signal(SIGALRM, nothing);
	return setitimer(ITIMER_REAL, &it, NULL) || pause() != -1;
}

static int signal_by_owner_of_pipe(void)
{
	int p[2];

	signal(SIGIO, nothing);
	if (pipe(p) || fcntl(p[0], F_SETOWN, getpid()) || fcntl(p[0], F_SETFL, O_ASYNC))
		return 1;
	return write(p[1], "x", 1) != 1;
}

static int signal_to_another_user(void)
{
	pid_t pid = fork();

	if (!pid) {
		if (setuid(65534))
			_exit(1);
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		for (;;)
			pause();
	}
	usleep(50000);
	return put_down(pid);
}

static int signal_parent_death(void)
{
	pid_t pid = fork();

	if (!pid) {
		if (!fork()) {
			prctl(PR_SET_PDEATHSIG, SIGTERM);
			pause();
		}
		usleep(20000);
		_exit(0);
	}
	return ended(pid, 0) || usleep(50000);
}

/* ---- filters of its own, numbers of other ABIs ---- */

static int refuse(unsigned nr, unsigned action)
{
	struct sock_filter f[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, nr, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, action),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog prog = { .len = 4, .filter = f };

	return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) ||
	       syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &prog);
}

static int filter_errno(void)
{
	return refuse(SYS_getpgid, SECCOMP_RET_ERRNO | EPERM) || syscall(SYS_getpgid, 0) != -1;
}

static int filter_hides_file(void)
{
	return refuse(SYS_unlink, SECCOMP_RET_ERRNO | ENOSYS) || !unlink("file");
}

static int filter_trap(void)
{
	signal(SIGSYS, nothing);
	return refuse(SYS_getpgrp, SECCOMP_RET_TRAP) || syscall(SYS_getpgrp) == -1;
}

static int filter_after_fork(void)
{
	pid_t pid = fork();

	if (!pid)
		_exit(refuse(SYS_mkdir, SECCOMP_RET_ERRNO | EACCES) || !mkdir("no", 0700));
	return ended(pid, 0) || mkdir("yes", 0700);
}

static long int80(long nr, const void *a, long b, long c)
{
	long r;

	__asm__ volatile("int $0x80"
			 : "=a"(r)
			 : "a"(nr), "b"(a), "c"(b), "d"(c)
			 : "memory", "r8", "r9", "r10", "r11");
	return r;
}

/* Below 4 GiB, where the calls of i386 can point to. */
static char *low(const char *text)
{
	char *p = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT,
		       -1, 0);

	return p == MAP_FAILED ? NULL : strcpy(p, text);
}

static int probe_x32(void)
{
	return syscall(0x40000000L + SYS_getpid) > 0 ? 0 : errno != ENOSYS;
}

static int probe_x32_and_file(void)
{
	probe_x32();
	return open("file", O_RDWR) < 0;
}

static int probe_number(void)
{
	return syscall(4000) != -1 || errno != ENOSYS;
}

static int probe_int80(void)
{
	return int80(400, NULL, 0, 0) >= 0; /* no call of i386 */
}

static int int80_files(void)
{
	return int80(5, low("/d/file"), O_RDWR, 0) < 0 || int80(39, low("/d/m80"), 0700, 0) ||
	       int80(38, low("/d/m80"), (long)low("/d/n80"), 0) || int80(40, low("/d/n80"), 0, 0);
}

static int int80_signal(void)
{
	signal(SIGUSR1, nothing);
	return (int)int80(37, (void *)(intptr_t)getpid(), SIGUSR1, 0);
}

/* ---- how they come and go ---- */

static int vfork_storm(void)
{
	for (int i = 0; i < 100; i++) {
		pid_t pid = vfork();

		if (!pid)
			_exit(7);
		if (ended(pid, 7 << 8))
			return 1;
	}
	return 0;
}

static int many_processes(void)
{
	char name[32];

	for (int i = 0; i < 100; i++) {
		pid_t pid = fork();

		snprintf(name, sizeof(name), "of-%c%c", 'a' + i / 10, 'a' + i % 10);
		if (!pid)
			_exit(mkdir(name, 0700));
		if (ended(pid, 0))
			return 1;
	}
	return 0;
}

static int daemon_of_two_forks(void)
{
	int p[2];
	char byte;
	pid_t pid;

	if (pipe(p))
		return 1;
	pid = fork();
	if (!pid) {
		if (setsid() < 0 || fork())
			_exit(0);
		usleep(10000);
		_exit(mkdir("daemon", 0700) || write(p[1], "x", 1) != 1);
	}
	return ended(pid, 0) || read(p[0], &byte, 1) != 1;
}

static void *executes(void *unused)
{
	execl("/d/tool", "tool", (char *)NULL);
	return unused;
}

/* /d/tool: the program under another name, which lists its cases. */
static int tool(void)
{
	int in = open("/proc/self/exe", O_RDONLY), out = open("/d/tool", O_WRONLY | O_CREAT, 0755),
	    n;
	static char block[65536];

	while ((n = (int)read(in, block, sizeof(block))) > 0)
		if (write(out, block, (size_t)n) != n)
			return 1;
	return n || close(out) || put("/d/one", "#!/d/tool\n") || chmod("/d/one", 0755) ||
	       put("/d/two", "#!/d/one\n") || chmod("/d/two", 0755);
}

static int exec_by_thread(void)
{
	pthread_t t;

	return pthread_create(&t, NULL, executes, NULL) || pthread_join(t, NULL) || 1;
}

static int exec_child(const char *path)
{
	pid_t pid = fork();

	if (!pid) {
		execl(path, path, (char *)NULL);
		_exit(1);
	}
	return ended(pid, 0);
}

static int exec_plain(void)
{
	return exec_child("./tool");
}

static int exec_script_of_script(void)
{
	return exec_child("./two");
}

static int exec_by_link(void)
{
	return symlink("tool", "t") || exec_child("./t") || unlink("t");
}

static int exec_by_descriptor(void)
{
	int fd = open("tool", O_RDONLY | O_CLOEXEC);
	char *argv[] = { (char *)"t", NULL };
	pid_t pid = fork();

	if (!pid)
		_exit(fexecve(fd, argv, environ));
	return ended(pid, 0);
}

static int exec_by_path_descriptor(void)
{
	int fd = open("tool", O_PATH | O_CLOEXEC);
	char *argv[] = { (char *)"t", NULL };
	pid_t pid = fork();

	if (!pid)
		_exit((int)syscall(SYS_execveat, fd, "", argv, environ, AT_EMPTY_PATH));
	return ended(pid, 0);
}

static int exec_deleted(void)
{
	int fd = open("tool", O_RDONLY | O_CLOEXEC);
	char *argv[] = { (char *)"t", NULL };
	pid_t pid = fork();

	if (!pid)
		_exit(unlink("tool") || fexecve(fd, argv, environ));
	return ended(pid, 0);
}

static int exec_memory(void)
{
	static char block[65536];
	int in = open("tool", O_RDONLY), fd = memfd_create("m", MFD_CLOEXEC), n;
	char *argv[] = { (char *)"t", NULL };
	pid_t pid;

	while ((n = (int)read(in, block, sizeof(block))) > 0)
		if (write(fd, block, (size_t)n) != n)
			return 1;
	pid = fork();
	if (!pid)
		_exit(fexecve(fd, argv, environ));
	return ended(pid, 0);
}

static int exec_deleted_after_start(void)
{
	/* Its own name is gone while it runs. */
	return rename("tool", "t") || exec_child("./t") || unlink("t");
}

static int exec_script_with_word(void)
{
	return put("three", "#!/d/tool  \n") || chmod("three", 0755) || exec_child("./three");
}

static int renames_itself(void)
{
	return prctl(PR_SET_NAME, "another\nname", 0, 0, 0) || mkdir("renamed", 0700);
}

static int chroot_in_child(void)
{
	pid_t pid = fork();

	if (!pid)
		_exit(chroot("/d/dir") || open("/in", O_RDWR) < 0);
	return ended(pid, 0) || open("file", O_RDWR) < 0;
}

static int no_new_privileges(void)
{
	return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) || exec_child("./tool");
}

static const struct awkward cases[] = {
	CASE(signal_pidfd),
	CASE(signal_pidfd_exists),
	CASE(signal_exists),
	CASE(signal_kill_child),
	CASE(signal_kill_itself),
	CASE(signal_group),
	CASE(signal_group_by_number),
	CASE(signal_tgkill),
	CASE(signal_tkill),
	CASE(signal_queue),
	CASE(signal_tgsigqueue),
	CASE(signal_abort),
	CASE(signal_thread),
	CASE(signal_timer),
	CASE(signal_by_owner_of_pipe),
	CASE(signal_to_another_user),
	CASE(signal_parent_death),
	CASE(filter_errno),
	CASE(filter_hides_file),
	CASE(filter_trap),
	CASE(filter_after_fork),
	CASE(probe_x32),
	CASE(probe_x32_and_file),
	CASE(probe_number),
	CASE(probe_int80),
	CASE(int80_files),
	CASE(int80_signal),
	CASE(vfork_storm),
	CASE(many_processes),
	CASE(daemon_of_two_forks),
	SET_UP(exec_by_thread, tool),
	SET_UP(exec_plain, tool),
	SET_UP(exec_script_of_script, tool),
	SET_UP(exec_by_link, tool),
	SET_UP(exec_by_descriptor, tool),
	SET_UP(exec_by_path_descriptor, tool),
	SET_UP(exec_deleted, tool),
	SET_UP(exec_memory, tool),
	SET_UP(exec_deleted_after_start, tool),
	SET_UP(exec_script_with_word, tool),
	CASE(renames_itself),
	CASE(chroot_in_child),
	SET_UP(no_new_privileges, tool),
};

CASES_MAIN(cases)

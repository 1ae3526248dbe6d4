/* SPDX-License-Identifier: Apache-2.0 */
/*
 * hostile reach              every way into the parent process, one line each: "WAY ok" or its errno
 * hostile mill THREADS CALLS that many threads make getppid that often; "N wrong" (not EXDEV)
 * hostile thread [NR ARG]    a second thread makes this call (getppid), then says so; the first goes on
 * hostile call               getppid in the only thread: "getppid ok" or its errno
 * hostile handled            getppid with a handler for SIGSYS, which says what it was told
 * hostile blocked            getppid with SIGSYS blocked
 * hostile child              getppid in a child: how that ended
 * hostile kinds N            N different calls that no kernel knows: "N refused"
 * hostile listener           a filter with a listener of its own
 * hostile await              says "ready", then each signal that comes and its value, until SIGTERM
 * hostile left               getppid in a session of its own, once standard input has ended
 * hostile traced             asks its parent to trace it, then raises SIGUSR1, which it handles
 * hostile starve             takes the parent's descriptors away (prlimit), then makes getppid
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

static void say(const char *what, long rc)
{
	printf("%s %s\n", what, rc >= 0 ? "ok" : strerrorname_np(errno));
	fflush(stdout);
}

/* The refused call is getppid, so the parent is learnt from elsewhere. */
static pid_t parent(void)
{
	char text[4096];
	int fd = open("/proc/self/status", O_RDONLY), pid = 0;
	ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);

	if (n < 0)
		exit(3);
	text[n] = '\0';
	const char *line = strstr(text, "\nPPid:");
	if (!line || sscanf(line, "\nPPid: %d", &pid) != 1)
		exit(3);
	close(fd);
	return pid;
}

static long open_of(pid_t pid, const char *name, int flags)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid, name);
	return open(path, flags);
}

static int reach(void)
{
	pid_t pid = parent();
	long pidfd = syscall(SYS_pidfd_open, pid, 0), any = -1;
	char here[8];
	struct iovec to = { here, 8 }, from = { (void *)&errno, 8 };

	for (int fd = 0; fd < 64 && any < 0; fd++)
		any = syscall(SYS_pidfd_getfd, pidfd, fd, 0);
	say("getfd", any);
	say("mem", open_of(pid, "mem", O_RDWR));
	say("fd", open_of(pid, "fd/0", O_RDONLY));
	say("maps", open_of(pid, "maps", O_RDONLY));
	say("environ", open_of(pid, "environ", O_RDONLY));
	say("ptrace", ptrace(PTRACE_SEIZE, pid, NULL, NULL));
	long n = process_vm_readv(pid, &to, 1, &from, 1, 0);
	say("vm", n < 0 && errno == EFAULT ? 0 : n); /* not there, but looked at */
	return 0;
}

/* ---- many callers ---- */

static atomic_int wrong;
static pthread_barrier_t ready;
static int calls_each;

static void *call_often(void *arg)
{
	(void)arg;
	pthread_barrier_wait(&ready);
	for (int i = 0; i < calls_each; i++)
		if (syscall(SYS_getppid) != -1 || errno != EXDEV)
			wrong++;
	return NULL;
}

static int mill(int n, int each)
{
	pthread_t *t = calloc((size_t)n, sizeof(*t));
	pthread_attr_t small;

	pthread_barrier_init(&ready, NULL, (unsigned)n);
	calls_each = each;
	pthread_attr_init(&small);
	pthread_attr_setstacksize(&small, 64 << 10);
	for (int i = 0; i < n; i++)
		if (pthread_create(&t[i], &small, call_often, NULL))
			return 3;
	for (int i = 0; i < n; i++)
		pthread_join(t[i], NULL);
	printf("%d wrong\n", (int)wrong);
	free(t);
	return wrong ? 1 : 0;
}

/* ---- one caller ---- */

static atomic_int thread_id;
static long called = SYS_getppid, argument;

static void *one_call(void *arg)
{
	(void)arg;
	thread_id = gettid();
	say(called == SYS_getppid ? "getppid" : "call", syscall(called, argument));
	return NULL;
}

/* Whatever ends the thread, its directory under /proc goes with it. */
static int in_thread(void)
{
	char path[64];
	pthread_t t;

	if (pthread_create(&t, NULL, one_call, NULL))
		return 3;
	while (!thread_id)
		usleep(1000);
	snprintf(path, sizeof(path), "/proc/self/task/%d", thread_id);
	while (!access(path, F_OK))
		usleep(1000);
	puts("main goes on");
	return 0;
}

static void on_sigsys(int sig, siginfo_t *info, void *context)
{
	(void)sig, (void)context;
	printf("SIGSYS code %d call %d data %d\n", info->si_code, info->si_syscall, info->si_errno);
}

static int handled(void)
{
	struct sigaction sa = { .sa_sigaction = on_sigsys, .sa_flags = SA_SIGINFO };

	sigaction(SIGSYS, &sa, NULL);
	say("getppid", syscall(SYS_getppid));
	return 0;
}

static int blocked(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGSYS);
	sigprocmask(SIG_BLOCK, &set, NULL);
	say("getppid", syscall(SYS_getppid));
	return 0;
}

static int in_child(void)
{
	pid_t pid = fork();
	int status = 0;

	if (pid == 0) {
		say("getppid", syscall(SYS_getppid));
		_exit(4);
	}
	waitpid(pid, &status, 0);
	puts(WIFSIGNALED(status) ? "killed" : WEXITSTATUS(status) == 4 ? "lives" : "?");
	return 0;
}

static int kinds(int n)
{
	int refused = 0;

	for (int i = 0; i < n; i++)
		refused += syscall(100000 + i) == -1 && errno == EXDEV;
	printf("%d refused\n", refused);
	return 0;
}

static int own_listener(void)
{
	struct sock_filter all = { BPF_RET | BPF_K, 0, 0, SECCOMP_RET_ALLOW };
	struct sock_fprog prog = { 1, &all };

	say("listener",
	    syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_NEW_LISTENER, &prog));
	return 0;
}

static int await_signals(void)
{
	siginfo_t info;
	sigset_t all;

	sigfillset(&all);
	sigprocmask(SIG_BLOCK, &all, NULL);
	puts("ready");
	do {
		fflush(stdout);
		if (sigwaitinfo(&all, &info) > 0)
			printf("%d %d\n", info.si_signo,
			       info.si_code == SI_QUEUE ? info.si_int : 0);
	} while (info.si_signo != SIGTERM);
	return 5;
}

static int left(void)
{
	char c;

	if (fork())
		for (;;)
			pause();
	setsid();
	puts("ready");
	fflush(stdout);
	while (read(STDIN_FILENO, &c, 1) > 0)
		;
	say("getppid", syscall(SYS_getppid));
	return 0;
}

static void on_usr1(int sig)
{
	(void)sig;
	puts("handled");
}

static int traced(void)
{
	signal(SIGUSR1, on_usr1);
	say("traceme", ptrace(PTRACE_TRACEME, 0, NULL, NULL));
	raise(SIGUSR1);
	return 0;
}

static int starve(void)
{
	struct rlimit none = { 0, 0 };

	say("prlimit", prlimit(parent(), RLIMIT_NOFILE, &none, NULL));
	say("getppid", syscall(SYS_getppid));
	return 0;
}

int main(int argc, char **argv)
{
	static const struct {
		const char *name;
		int (*run)(void);
	} modes[] = {
		{ "reach", reach },     { "thread", in_thread },    { "handled", handled },
		{ "blocked", blocked }, { "child", in_child },      { "listener", own_listener },
		{ "starve", starve },   { "await", await_signals }, { "left", left },
		{ "traced", traced },
	};

	if (argc == 4 && !strcmp(argv[1], "mill"))
		return mill(atoi(argv[2]), atoi(argv[3]));
	if (argc == 4 && !strcmp(argv[1], "thread")) {
		called = atol(argv[2]);
		argument = atol(argv[3]);
		return in_thread();
	}
	if (argc == 3 && !strcmp(argv[1], "kinds"))
		return kinds(atoi(argv[2]));
	if (argc == 2 && !strcmp(argv[1], "call")) {
		say("getppid", syscall(SYS_getppid));
		return 0;
	}
	for (size_t i = 0; argc == 2 && i < sizeof(modes) / sizeof(*modes); i++)
		if (!strcmp(argv[1], modes[i].name))
			return modes[i].run();
	return 2;
}

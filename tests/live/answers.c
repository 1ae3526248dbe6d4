/* SPDX-License-Identifier: Apache-2.0 */
/*
 * answers FILTER ABI NUMBER [ARG...]: one call under the filter in this file, made by a thread
 * that makes no other call afterwards; what became of it on one line:
 *	returned N                      (negative: -errno)
 *	trapped DATA call N arch A code C at OFFSET    siginfo; OFFSET from the call's end
 *	thread killed                   the process lives on
 *	process killed by SIGNAL
 * ABI: 64 (syscall) or 32 (int 0x80). Numbers and arguments are whole 64-bit registers.
 * answers FILTER skip NUMBER: the call is made under a tracer that turns its number into -1.
 * answers FILTER traced NUMBER: the same tracer, which leaves it as it is.
 * x86_64 only; elsewhere 77.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

#ifdef __x86_64__

enum { NOTHING, STARTED, RETURNED, TRAPPED, FAILED };
enum { WAIT_MS = 5000 };

struct shared {
	atomic_int state;
	pid_t thread;
	long ret;
	uint64_t after; /* where the call ends */
	int data, call, code;
	unsigned arch;
	uint64_t at;
};

struct job {
	struct sock_fprog prog;
	uint64_t nr, args[6];
	int abi;
};

static struct shared *shared;
static struct job job;

static _Noreturn void stay(void)
{
	for (;;)
		__asm__ volatile("pause");
}

static void on_sigsys(int sig, siginfo_t *info, void *context)
{
	(void)sig, (void)context;
	shared->data = info->si_errno;
	shared->call = info->si_syscall;
	shared->code = info->si_code;
	shared->arch = info->si_arch;
	shared->at = (uint64_t)(uintptr_t)info->si_call_addr;
	shared->state = TRAPPED;
	stay(); /* to return would be a call */
}

static __attribute__((noinline)) long call64(const struct job *j)
{
	register uint64_t r10 __asm__("r10") = j->args[3];
	register uint64_t r8 __asm__("r8") = j->args[4];
	register uint64_t r9 __asm__("r9") = j->args[5];
	long ret;

	__asm__ volatile("lea 1f(%%rip), %%rcx\n\t"
			 "mov %%rcx, %1\n\t"
			 "syscall\n"
			 "1:"
			 : "=a"(ret), "=m"(shared->after)
			 : "a"(j->nr), "D"(j->args[0]), "S"(j->args[1]), "d"(j->args[2]), "r"(r10),
			   "r"(r8), "r"(r9)
			 : "rcx", "r11", "memory");
	return ret;
}

static __attribute__((noinline)) long call32(const struct job *j)
{
	long ret;

	__asm__ volatile("lea -128(%%rsp), %%rsp\n\t"
			 "push %%rbx\n\t"
			 "mov %2, %%rbx\n\t"
			 "int $0x80\n\t"
			 "pop %%rbx\n\t"
			 "lea 128(%%rsp), %%rsp"
			 : "=a"(ret)
			 : "a"(j->nr), "r"(j->args[0]), "c"(j->args[1]), "d"(j->args[2]),
			   "S"(j->args[3]), "D"(j->args[4])
			 : "r8", "r9", "r10", "r11", "memory");
	return ret;
}

static void attach_and_call(void)
{
	shared->thread = (pid_t)syscall(SYS_gettid);
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) ||
	    syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &job.prog)) {
		shared->ret = errno;
		shared->state = FAILED;
		stay();
	}
	shared->state = STARTED;
	shared->ret = job.abi == 64 ? call64(&job) : call32(&job);
	shared->state = RETURNED;
	stay();
}

static void *other_thread(void *unused)
{
	(void)unused;
	attach_and_call();
	return NULL;
}

static bool thread_lives(void)
{
	return !syscall(SYS_tgkill, getpid(), shared->thread, 0);
}

/* The child: its other thread calls; this one, without a filter, looks on. */
static _Noreturn void run_child(void)
{
	struct sigaction sa = { .sa_sigaction = on_sigsys, .sa_flags = SA_SIGINFO };
	pthread_t thread;

	sigaction(SIGSYS, &sa, NULL);
	if (pthread_create(&thread, NULL, other_thread, NULL))
		_exit(3);
	for (int ms = 0; ms < WAIT_MS; ms++) {
		if (shared->state >= RETURNED)
			_exit(0);
		if (shared->state == STARTED && !thread_lives())
			_exit(shared->state == STARTED ? 1 : 0);
		usleep(1000);
	}
	_exit(3);
}

static int tell_state(void)
{
	switch ((int)shared->state) {
	case RETURNED: printf("returned %ld\n", shared->ret); return 0;
	case TRAPPED:
		printf("trapped %d call %d arch %#x code %d at %lld\n", shared->data, shared->call,
		       shared->arch, shared->code, (long long)(shared->at - shared->after));
		return 0;
	case FAILED: fprintf(stderr, "seccomp: %s\n", strerror((int)shared->ret)); return 3;
	}
	fprintf(stderr, "the call never ended\n");
	return 3;
}

static int tell(int status)
{
	if (WIFSIGNALED(status)) {
		printf("process killed by %d\n", WTERMSIG(status));
		return 0;
	}
	if (WEXITSTATUS(status) == 1) {
		printf("thread killed\n");
		return 0;
	}
	return tell_state();
}

/* ---- under a tracer ---- */

static _Noreturn void run_traced(void)
{
	ptrace(PTRACE_TRACEME, 0, 0, 0);
	raise(SIGSTOP);
	attach_and_call();
	_exit(3);
}

/* At the entry of our call: its first argument, which getpid() has not, says which it is. */
static void meddle(pid_t pid, bool skip)
{
	struct user_regs_struct regs;

	if (ptrace(PTRACE_GETREGS, pid, 0, &regs) || regs.orig_rax != job.nr ||
	    regs.rdi != job.args[0] || !skip)
		return;
	regs.orig_rax = UINT64_MAX;
	ptrace(PTRACE_SETREGS, pid, 0, &regs);
}

static int trace(pid_t pid, bool skip)
{
	int status;

	if (waitpid(pid, &status, 0) != pid || !WIFSTOPPED(status))
		return 3;
	ptrace(PTRACE_SETOPTIONS, pid, 0, PTRACE_O_TRACESYSGOOD | PTRACE_O_EXITKILL);
	for (int ms = 0; ms < WAIT_MS && shared->state < RETURNED; ms++) {
		int sig = WIFSTOPPED(status) ? WSTOPSIG(status) : 0;
		if (sig == (SIGTRAP | 0x80))
			meddle(pid, skip);
		sig = sig == SIGSYS ? sig : 0;
		ptrace(PTRACE_SYSCALL, pid, 0, sig);
		pid_t got = 0;
		while (shared->state < RETURNED && (got = waitpid(pid, &status, WNOHANG)) == 0 &&
		       ms++ < WAIT_MS)
			usleep(1000);
		if (got == pid && !WIFSTOPPED(status))
			return tell(status);
	}
	kill(pid, SIGKILL);
	return tell_state();
}

/* ---- what to do ---- */

static bool read_filter(const char *path)
{
	static struct sock_filter insns[BPF_MAXINSNS];
	int fd = open(path, O_RDONLY);
	ssize_t n = fd < 0 ? -1 : read(fd, insns, sizeof(insns));

	job.prog = (struct sock_fprog){ (unsigned short)(n / (ssize_t)sizeof(*insns)), insns };
	return n > 0;
}

int main(int argc, char **argv)
{
	int status;

	if (argc < 4 || argc > 10 || !read_filter(argv[1]))
		return 2;
	bool skip = !strcmp(argv[2], "skip"), traced = skip || !strcmp(argv[2], "traced");
	job.abi = strcmp(argv[2], "32") ? 64 : 32;
	job.nr = strtoull(argv[3], NULL, 0);
	for (int i = 4; i < argc; i++)
		job.args[i - 4] = strtoull(argv[i], NULL, 0);
	if (traced)
		job.args[0] = 0x70616c65;
	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1,
		      0);
	if (shared == MAP_FAILED)
		return 3;
	pid_t pid = fork();
	if (pid < 0)
		return 3;
	if (pid == 0) {
		if (traced)
			run_traced();
		run_child();
	}
	if (traced)
		return trace(pid, skip);
	if (waitpid(pid, &status, 0) != pid)
		return 3;
	return tell(status);
}

#else
int main(void)
{
	return 77;
}
#endif

/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Real calls under a filter, in a child, whose verdicts are read back and never executed.
 * After its last filter the child makes no call but those under test: results go through
 * shared memory, signals leave by longjmp (sigreturn would be a call), the end is a trap
 * instruction. x86_64 only: elsewhere the programs say so and leave with 77.
 */
#include <errno.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/sim/load.h"

#define AUDIT_X86_64 0xc000003e
#define AUDIT_I386   0x40000003

enum { READ_ERRNO = 1, READ_TRAP, READ_DEATH };

struct reading { /* what one call came back with */
	int kind;
	int value; /* ERRNO: errno; TRAP: data */
};

struct batch {
	size_t n, done;
	int attach; /* errno of the last seccomp(2), 0 when it took the filter */
	struct call calls[4096];
	uint32_t rax_high[4096]; /* garbage above the number */
	struct reading readings[4096];
};

static inline struct batch *batch_new(void)
{
	struct batch *b =
		mmap(NULL, sizeof(*b), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	if (b == MAP_FAILED)
		exit(3);
	return b;
}

#ifdef __x86_64__
/* Real functions: only past a call does a compiler expect a longjmp. */
static __attribute__((noinline)) long call64(uint64_t nr, const uint64_t a[6])
{
	register uint64_t r10 __asm__("r10") = a[3];
	register uint64_t r8 __asm__("r8") = a[4];
	register uint64_t r9 __asm__("r9") = a[5];
	long ret;

	__asm__ volatile("syscall"
			 : "=a"(ret)
			 : "a"(nr), "D"(a[0]), "S"(a[1]), "d"(a[2]), "r"(r10), "r"(r8), "r"(r9)
			 : "rcx", "r11", "memory");
	return ret;
}

/* int 0x80 from 64-bit code; rbp and rbx hold arguments, so the array is addressed by rax. */
static __attribute__((noinline)) long call32(uint64_t nr, const uint64_t a[6])
{
	uint64_t block[7];
	long ret;

	memcpy(block, a, 6 * sizeof(*a));
	block[6] = nr;
	/* Below the red zone, which the compiler may use in a function without calls. */
	__asm__ volatile("lea -128(%%rsp), %%rsp\n\t"
			 "push %%rbp\n\t"
			 "push %%rbx\n\t"
			 "mov 0(%%rax), %%rbx\n\t"
			 "mov 8(%%rax), %%rcx\n\t"
			 "mov 16(%%rax), %%rdx\n\t"
			 "mov 24(%%rax), %%rsi\n\t"
			 "mov 32(%%rax), %%rdi\n\t"
			 "mov 40(%%rax), %%rbp\n\t"
			 "mov 48(%%rax), %%rax\n\t"
			 "int $0x80\n\t"
			 "pop %%rbx\n\t"
			 "pop %%rbp\n\t"
			 "lea 128(%%rsp), %%rsp"
			 : "=a"(ret)
			 : "a"(block)
			 : "rcx", "rdx", "rsi", "rdi", "r8", "r9", "r10", "r11", "memory");
	return ret;
}

static _Noreturn void trap_end(void)
{
	for (;;)
		__asm__ volatile("ud2");
}
#else
static long call64(uint64_t nr, const uint64_t a[6])
{
	(void)nr, (void)a;
	exit(77);
}
static long call32(uint64_t nr, const uint64_t a[6])
{
	return call64(nr, a);
}
static _Noreturn void trap_end(void)
{
	exit(77);
}
#endif

static void *trapped[5];
static volatile int trap_data;

/* ASan would make calls of its own before a longjmp: refused ones, again and again. */
__attribute__((no_sanitize_address)) static void on_sigsys(int sig, siginfo_t *info, void *context)
{
	(void)sig, (void)context;
	trap_data = info->si_errno;
	__builtin_longjmp(trapped, 1);
}

/* Before the first filter. NODEFER and an unsaved mask: leaving the handler is not a call. */
static inline void prepare_child(void)
{
	struct sigaction sa = { .sa_sigaction = on_sigsys, .sa_flags = SA_SIGINFO | SA_NODEFER };

	sigaction(SIGSYS, &sa, NULL);
	signal(SIGILL, SIG_DFL);
	alarm(60);
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
		trap_end();
}

/* The fourth argument, which the kernel ignores, tells our own calls from those under test. */
enum { OWN_CALL = 0x70616c65 };

/* An older filter with this answer tells what a newer one lets pass: among errnos the newer one's counts. */
enum { MARKER = 4000 };

/* ERRNO(MARKER) for all but the call that attaches the next filter. */
static struct sock_filter marker_insns[] = {
	BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 0),
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_seccomp, 0, 3),
	BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 16 + 3 * 8),
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, OWN_CALL, 0, 1),
	BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | MARKER),
};
static const struct cbpf marker = { .insns = marker_insns, .n = 6 };

static inline int attach(const struct sock_filter *insns, size_t n)
{
	struct sock_fprog f = { .len = (unsigned short)n, .filter = (struct sock_filter *)insns };
	const uint64_t args[6] = { SECCOMP_SET_MODE_FILTER, 0, (uint64_t)(uintptr_t)&f, OWN_CALL };
	long r = call64(SYS_seccomp, args);

	return r < 0 ? (int)-r : 0;
}

static __attribute__((noinline)) void make_calls(struct batch *b)
{
	while (b->done < b->n) {
		size_t i = b->done;
		const struct call *c = &b->calls[i];
		uint64_t nr = c->nr | (uint64_t)b->rax_high[i] << 32;
		b->readings[i].kind = READ_DEATH;
		if (__builtin_setjmp(trapped)) {
			b->readings[b->done] = (struct reading){ READ_TRAP, trap_data };
		} else {
			long r = c->audit_arch == AUDIT_I386 ? call32(nr, c->args) :
							       call64(nr, c->args);
			b->readings[i] = (struct reading){ READ_ERRNO, (int)-r };
		}
		b->done++;
	}
}

/* Runs the calls from b->done on under these filters; true when all were made, false when the
 * one at b->done killed the child. */
static inline bool run_child(struct batch *b, const struct cbpf *first, const struct cbpf *second)
{
	int status;
	pid_t pid = fork();

	if (pid < 0)
		exit(3);
	if (pid == 0) {
		prepare_child();
		b->attach = attach(first->insns, first->n);
		if (!b->attach && second)
			b->attach = attach(second->insns, second->n);
		if (!b->attach)
			make_calls(b);
		trap_end();
	}
	if (waitpid(pid, &status, 0) != pid || !WIFSIGNALED(status))
		exit(3);
	if (WTERMSIG(status) != SIGILL && WTERMSIG(status) != SIGSYS) {
		fprintf(stderr, "the child ended by signal %d at call %zu\n", WTERMSIG(status),
			b->done);
		exit(3);
	}
	return WTERMSIG(status) == SIGILL;
}

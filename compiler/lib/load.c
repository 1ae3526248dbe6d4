/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What programs link. It needs nothing but a libc, allocates nothing, and behind the call that loads
 * the filter makes none: so the filter need not allow any for it.
 */
#include "compiler/lib/pale.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stdint.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

/* The architecture whose calls a filter for this program tells apart first. */
#if defined(__x86_64__)
#define NATIVE AUDIT_ARCH_X86_64
#elif defined(__i386__)
#define NATIVE AUDIT_ARCH_I386
#elif defined(__aarch64__)
#define NATIVE AUDIT_ARCH_AARCH64
#elif defined(__arm__)
#define NATIVE AUDIT_ARCH_ARM
#elif defined(__riscv) && __riscv_xlen == 64
#define NATIVE AUDIT_ARCH_RISCV64
#elif defined(__s390x__)
#define NATIVE AUDIT_ARCH_S390X
#elif defined(__powerpc64__) && defined(__LITTLE_ENDIAN__)
#define NATIVE AUDIT_ARCH_PPC64LE
#elif defined(__mips64) && defined(__MIPSEL__)
#define NATIVE AUDIT_ARCH_MIPSEL64
#elif defined(__loongarch64)
#define NATIVE 0xc0000102u /* AUDIT_ARCH_LOONGARCH64, which older headers lack */
#else
#error "pale has no filters for this architecture"
#endif

#define BYTES_MAX (BPF_MAXINSNS * sizeof(struct sock_filter))

/* One for another machine would answer every call as foreign, and mostly kill. */
static int is_for_here(const unsigned char *program, size_t n)
{
	struct sock_filter f;

	for (size_t i = 0; i < n; i++) {
		memcpy(&f, program + i * sizeof(f), sizeof(f));
		if (f.code == (BPF_JMP | BPF_JEQ | BPF_K) && f.k == NATIVE)
			return 1;
	}
	return 0;
}

int pale_load(const void *program, size_t bytes)
{
	struct sock_fprog prog = { .filter = (struct sock_filter *)(uintptr_t)program };
	long r;

	if (!program || !bytes || bytes % sizeof(struct sock_filter) || bytes > BYTES_MAX)
		return -EINVAL;
	prog.len = (unsigned short)(bytes / sizeof(struct sock_filter));
	if (!is_for_here(program, prog.len))
		return -ENOEXEC;
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
		return -errno;
	r = syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_TSYNC, &prog);
	if (r < 0)
		return -errno;
	return r ? -ESRCH : 0; /* a thread's number: it has filters that this one has not */
}

static int read_all(int fd, unsigned char *to, size_t room, size_t *n)
{
	ssize_t got;

	*n = 0;
	while (*n < room) {
		got = read(fd, to + *n, room - *n);
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return -errno;
		if (!got)
			return 0;
		*n += (size_t)got;
	}
	return -EFBIG;
}

/* Not by open(3): of which call that makes use libcs differ, and the first policy has to have it. */
int pale_load_file(const char *path)
{
	unsigned char program[BYTES_MAX + 1];
	int fd = (int)syscall(SYS_openat, AT_FDCWD, path, O_RDONLY | O_CLOEXEC | O_NOCTTY), err;
	size_t n;

	if (fd < 0)
		return -errno;
	err = read_all(fd, program, sizeof(program), &n);
	close(fd);
	return err ? err : pale_load(program, n);
}

const char *pale_load_error(int error)
{
	switch (error < 0 ? -error : error) {
	case 0: return "the filter is loaded";
	case EINVAL: return "this is no BPF program, or the kernel does not take it as a filter";
	case ENOEXEC: return "this is a filter for another architecture";
	case EFBIG: return "the file is larger than a filter can be";
	case ENOENT: return "there is no such file";
	case EACCES:
	case EPERM:
		return "the filter that the program was started with refuses it, or it may not read it";
	case ESRCH: return "a thread has a filter that the others have not";
	case ENOMEM: return "there is no memory, or the filters are too long together";
	case ENOSYS: return "this kernel, or the first filter, has no seccomp(2)";
	}
	return "the filter could not be loaded";
}

/* SPDX-License-Identifier: Apache-2.0 */
/* pale_load() of what is no filter for this program: `refusals`, silent where all is as pale_load(3) says. */
#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pale.h>
#include <pthread.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#define N(a) (sizeof(a) / sizeof(*(a)))

static int wrong;

static void want(const char *what, int got, int error)
{
	if (got == -error)
		return;
	printf("%s: %d (%s), not %d\n", what, got, pale_load_error(got), -error);
	wrong = 1;
}

#if defined(__x86_64__)
#define HERE AUDIT_ARCH_X86_64
#else
#define HERE AUDIT_ARCH_AARCH64
#endif

/* All passes, where the architecture is the one that is asked for. */
#define FILTER(here)                                                                               \
	{                                                                                          \
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, arch)),           \
			BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (here), 1, 0),                         \
			BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),                       \
			BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),                              \
	}

static void *with_a_filter_of_its_own(void *lives)
{
	struct sock_filter all[] = { BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW) };
	struct sock_fprog prog = { N(all), all };

	syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &prog);
	pthread_barrier_wait(lives);
	pthread_barrier_wait(lives); /* it lives until the other one has tried */
	return NULL;
}

static void write_file(const char *path, const void *data, size_t n)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	if (fd < 0 || write(fd, data, n) != (ssize_t)n || close(fd))
		exit(2);
}

int main(int argc, char **argv)
{
	struct sock_filter good[] = FILTER(HERE), foreign[] = FILTER(AUDIT_ARCH_S390);
	struct sock_filter loop[] = FILTER(HERE);
	static char large[32769];
	pthread_barrier_t lives;
	pthread_t t;

	if (argc != 2 || chdir(argv[1]))
		return 2;
	want("nothing", pale_load(NULL, 8), EINVAL);
	want("no bytes", pale_load(good, 0), EINVAL);
	want("half an instruction", pale_load(good, sizeof(good) - 1), EINVAL);
	want("too large", pale_load(large, 32776), EINVAL);
	want("another machine's", pale_load(foreign, sizeof(foreign)), ENOEXEC);
	want("zeros", pale_load(large, 32768), ENOEXEC);
	loop[1].jt = 200; /* past the end */
	want("no filter", pale_load(loop, sizeof(loop)), EINVAL);
	want("no file", pale_load_file("nowhere"), ENOENT);
	want("a directory", pale_load_file("."), EISDIR);
	write_file("large", large, sizeof(large));
	want("a large file", pale_load_file("large"), EFBIG);
	write_file("empty", "", 0);
	want("an empty file", pale_load_file("empty"), EINVAL);
	if (prctl(PR_GET_SECCOMP))
		return printf("a filter was added\n");
	write_file("good", good, sizeof(good));
	want("a filter", pale_load_file("good"), 0);
	want("another one", pale_load(good, sizeof(good)), 0);
	pthread_barrier_init(&lives, NULL, 2);
	if (pthread_create(&t, NULL, with_a_filter_of_its_own, &lives))
		return 2;
	pthread_barrier_wait(&lives);
	want("with another thread's", pale_load(good, sizeof(good)), ESRCH);
	pthread_barrier_wait(&lives);
	pthread_join(t, NULL);
	return wrong;
}

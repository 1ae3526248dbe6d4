/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Four tasks that share a CPU and make calls without end, so that the kernel switches between them
 * wherever it may. argv[1]: calls (reads, writes, opens) of each; its capabilities (sethostname) and
 * programs (vfork, exec, mkdir, rmdir) are a hundredth of that. With argv[2] and argv[3] they do it
 * again until the kernel has skipped the observer's programs argv[2] times at the entry of a call, or
 * argv[3] times in all; how often it was is said.
 */
#include <fcntl.h>
#include <linux/bpf.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static void work(int me, long n, char *self)
{
	int zero = open("/dev/zero", O_RDONLY), null = open("/dev/null", O_WRONLY);
	char c, dir[32], host[256];

	for (long i = 0; i < n; i++)
		if (syscall(SYS_read, zero, &c, 1, i) != 1 ||
		    syscall(SYS_write, null, &c, 1, i) != 1)
			_exit(1);
	for (long i = 0; i < n; i++)
		close(open("/etc/hosts", O_RDONLY));
	if (gethostname(host, sizeof(host)))
		_exit(1);
	for (long i = 0; i < n / 100; i++) /* as it is */
		if (sethostname(host, strlen(host)))
			_exit(1);
	for (long i = 0; i < n / 100; i++) {
		snprintf(dir, sizeof(dir), "/tmp/sw%d.%d.%ld", (int)getppid(), me,
			 i); /* another run has others */
		if (!vfork()) {
			execl(self, self, "dir", dir, (char *)NULL);
			_exit(1);
		}
		wait(NULL);
	}
	_exit(0);
}

/* How often were programs named enter... skipped, by the kernel's own count (since Linux 5.12)? */
static long long skipped(void)
{
	union bpf_attr id = { 0 };
	long long sum = 0;

	while (!syscall(SYS_bpf, BPF_PROG_GET_NEXT_ID, &id, sizeof(id))) {
		union bpf_attr open_ = { .prog_id = id.next_id };
		struct bpf_prog_info info = { 0 };
		union bpf_attr ask = { .info = { .info_len = sizeof(info),
						 .info = (uintptr_t)&info } };
		int fd = (int)syscall(SYS_bpf, BPF_PROG_GET_FD_BY_ID, &open_, sizeof(open_));

		id.start_id = id.next_id;
		if (fd < 0)
			continue;
		ask.info.bpf_fd = (uint32_t)fd;
		if (!syscall(SYS_bpf, BPF_OBJ_GET_INFO_BY_FD, &ask, sizeof(ask)) &&
		    !strncmp(info.name, "enter", 5))
			sum += (long long)info.recursion_misses;
		close(fd);
	}
	return sum;
}

int main(int argc, char **argv)
{
	int status, failed = 0, rounds = 0;
	int most = argc > 3 ? atoi(argv[3]) : 1;

	if (argc > 2 && !strcmp(argv[1], "dir"))
		return mkdir(argv[2], 0700) || rmdir(argv[2]);
	do {
		for (int i = 0; i < 4; i++)
			if (!fork())
				work(i, argc > 1 ? atol(argv[1]) : 10000, argv[0]);
		while (wait(&status) > 0)
			failed |= status;
	} while (!failed && ++rounds < most && skipped() < atoll(argv[2]));
	if (argc > 3)
		printf("%d rounds\n", rounds);
	return failed != 0;
}

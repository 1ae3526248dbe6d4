/* SPDX-License-Identifier: Apache-2.0 */
/*
 * LD_PRELOAD, for tests alone: servers that know nothing of pale_load(3) call it where they first wait for
 * connections by epoll. SERVE_FILTER: a file of BPF; SERVE_COUNT: one of two 32-bit numbers, of how often
 * it was loaded, and not.
 */
#include <dlfcn.h>
#include <fcntl.h>
#include <pale.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <unistd.h>

static unsigned char program[32768];
static size_t bytes;
static atomic_uint *counted;
static bool serves;
static int (*next_wait)(int epoll, struct epoll_event *events, int n, int ms);

/* While names of files are still those of the one who started it, and environments whole. */
__attribute__((constructor)) static void take(void)
{
	const char *filter = getenv("SERVE_FILTER"), *count = getenv("SERVE_COUNT");
	int fd = filter ? open(filter, O_RDONLY | O_CLOEXEC) : -1,
	    to = count ? open(count, O_RDWR | O_CLOEXEC) : -1;
	ssize_t n = fd < 0 ? -1 : read(fd, program, sizeof(program));
	void *shared =
		to < 0 ? MAP_FAILED : mmap(NULL, 8, PROT_READ | PROT_WRITE, MAP_SHARED, to, 0);

	next_wait = (int (*)(int, struct epoll_event *, int, int))dlsym(RTLD_NEXT, "epoll_wait");
	bytes = n > 0 ? (size_t)n : 0;
	counted = shared == MAP_FAILED ? NULL : shared;
	if (fd >= 0)
		close(fd);
	if (to >= 0)
		close(to);
}

int epoll_wait(int epoll, struct epoll_event *events, int n, int ms)
{
	if (counted && bytes && !serves) {
		serves = true; /* and so do its children, behind the same filter */
		counted[pale_load(program, bytes) != 0]++;
	}
	return next_wait(epoll, events, n, ms);
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * nice SOFT HARD N...: what the kernel answers to RLIMIT_NICE SOFT and HARD (empty: it is not asked),
 * then to each nice value.
 * A line each: "rlimit 25 25: 0", "nice -5: 0", or errno's number in the place of 0.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>

int main(int argc, char **argv)
{
	struct rlimit r;

	if (argc > 2 && *argv[1]) {
		r.rlim_cur = strtoul(argv[1], NULL, 10);
		r.rlim_max = strtoul(argv[2], NULL, 10);
		printf("rlimit %lu %lu: %d\n", (unsigned long)r.rlim_cur, (unsigned long)r.rlim_max,
		       setrlimit(RLIMIT_NICE, &r) ? errno : 0);
	}
	for (int i = 3; i < argc; i++) {
		errno = 0;
		printf("nice %s: %d\n", argv[i],
		       setpriority(PRIO_PROCESS, 0, atoi(argv[i])) ? errno : 0);
	}
	return 0;
}

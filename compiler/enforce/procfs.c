/* SPDX-License-Identifier: Apache-2.0 */
#include "compiler/enforce/procfs.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int open_proc(pid_t tid, const char *name)
{
	char path[64];
	int fd;

	if (tid)
		snprintf(path, sizeof(path), "/proc/%d/%s", (int)tid, name);
	else
		snprintf(path, sizeof(path), "/proc/self/%s", name);
	do {
		fd = open(path, O_RDONLY | O_CLOEXEC);
	} while (fd < 0 && errno == EINTR);
	if (fd < 0)
		return errno == ENOENT ? -ESRCH : -errno;
	/* The standard streams are never free (main()): a filter above has answered, not open(2). */
	return fd <= STDERR_FILENO ? -EBADF : fd;
}

ssize_t proc_read(pid_t tid, const char *name, char *text, size_t size)
{
	int fd = open_proc(tid, name);
	ssize_t n;

	if (fd < 0)
		return fd;
	do {
		n = read(fd, text, size - 1);
	} while (n < 0 && errno == EINTR);
	if (n < 0)
		n = -errno;
	else
		text[n] = '\0';
	close(fd);
	return n;
}

bool proc_status_number(const char *text, const char *name, int base, uint64_t *out)
{
	size_t n = strlen(name);

	for (const char *line = text; line; line = strchr(line, '\n')) {
		line += *line == '\n';
		if (strncmp(line, name, n) || line[n] != ':')
			continue;
		char *end;
		*out = strtoull(line + n + 1, &end, base);
		return end != line + n + 1;
	}
	return false;
}

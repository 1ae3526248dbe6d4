/* SPDX-License-Identifier: Apache-2.0 */
#include "learn/stopped.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include "compiler/base/bug.h"
#include "compiler/base/str.h"
#include "learn/proc.h"

/* A NUL-terminated text of at most `max` bytes; length, or -1. A page at a time: the text may
 * end just before one that is not there. */
ssize_t stopped_text(pid_t tid, uint64_t addr, char out[TRACE_PATH + 1], size_t max)
{
	size_t n = 0;

	if (max > TRACE_PATH)
		max = TRACE_PATH;
	while (n < max) {
		size_t want = 4096 - ((addr + n) & 4095);
		struct iovec local = { out + n, want < max - n ? want : max - n };
		struct iovec remote = { (void *)(uintptr_t)(addr + n), local.iov_len };
		ssize_t got = process_vm_readv(tid, &local, 1, &remote, 1, 0);
		char *nul;

		if (got <= 0)
			return -1;
		nul = memchr(out + n, 0, (size_t)got);
		if (nul)
			return nul - out;
		n += (size_t)got;
	}
	out[n] = 0;
	return (ssize_t)n;
}

bool stopped_memory(pid_t tid, uint64_t addr, void *out, size_t n)
{
	struct iovec local = { out, n }, remote = { (void *)(uintptr_t)addr, n };

	return process_vm_readv(tid, &local, 1, &remote, 1, 0) == (ssize_t)n;
}

/* "/proc/self/fd/7" and "/dev/fd/7" name descriptors of the task, not of us. */
int stopped_self_fd(const char *text)
{
	static const char *const heads[] = { "/proc/self/fd/", "/dev/fd/" };

	for (size_t i = 0; i < ARRAY_SIZE(heads); i++) {
		uint64_t fd;

		if (str_starts(str_c(text), heads[i]) &&
		    !str_u64(str_c(text + strlen(heads[i])), &fd) && fd < INT_MAX)
			return (int)fd;
	}
	return -1;
}

/* "/proc/self/exe" as it looks from here. */
const char *stopped_theirs(pid_t tid, const char *text, char out[TRACE_PATH + 32])
{
	static const char self[] = "/proc/self/";

	if (!str_starts(str_c(text), self))
		return text;
	snprintf(out, TRACE_PATH + 32, "/proc/%d/%s", (int)tid, text + sizeof(self) - 1);
	return out;
}

/* AT_EXECFN: the name that execve was given, in the new program's memory. */
uint64_t stopped_execfn(pid_t tid)
{
	char path[64];
	union {
		uint64_t w64[128];
		uint32_t w32[256];
	} aux;
	unsigned char ident[EI_NIDENT] = { 0 };
	ssize_t n = 0;
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/exe", (int)tid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return 0;
	if (read(fd, ident, sizeof(ident)) != sizeof(ident))
		ident[EI_CLASS] = 0;
	close(fd);
	snprintf(path, sizeof(path), "/proc/%d/auxv", (int)tid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return 0;
	n = read(fd, &aux, sizeof(aux));
	close(fd);
	if (n < 0)
		return 0;
	if (ident[EI_CLASS] == ELFCLASS64) {
		for (size_t i = 0; i + 1 < (size_t)n / 8; i += 2)
			if (aux.w64[i] == AT_EXECFN)
				return aux.w64[i + 1];
	} else {
		for (size_t i = 0; i + 1 < (size_t)n / 4; i += 2)
			if (aux.w32[i] == AT_EXECFN)
				return aux.w32[i + 1];
	}
	return 0;
}

/* Does the name that was executed lead to the program that runs? */
bool stopped_is_program(pid_t tid, const char *text)
{
	char full[PATH_MAX + TRACE_PATH + 64], mine[TRACE_PATH + 32], exe[64];
	struct stat named, running;

	snprintf(exe, sizeof(exe), "/proc/%d/exe", (int)tid);
	text = stopped_theirs(tid, text, mine);
	snprintf(full, sizeof(full), "/proc/%d/%s/%s", (int)tid, *text == '/' ? "root" : "cwd",
		 text);
	return !stat(full, &named) && !stat(exe, &running) && named.st_dev == running.st_dev &&
	       named.st_ino == running.st_ino;
}

int stopped_is_script_fd(pid_t tid, int fd)
{
	struct stat named, running;
	char link[64], exe[64];

	snprintf(link, sizeof(link), "/proc/%d/fd/%d", (int)tid, fd);
	snprintf(exe, sizeof(exe), "/proc/%d/exe", (int)tid);
	if (stat(link, &named))
		return errno == ENOENT ? 0 : -1;
	if (stat(exe, &running))
		return -1;
	return named.st_dev != running.st_dev || named.st_ino != running.st_ino;
}

bool stopped_may_trace(pid_t tid, pid_t other)
{
	char theirs[PATH_MAX], ours[PATH_MAX];
	long long tracer;

	if (!proc_link(tid, "ns/pid", theirs) || !proc_link(getpid(), "ns/pid", ours) ||
	    strcmp(theirs, ours) != 0)
		return true;
	tracer = proc_field(other, "status", "TracerPid:", "%lld");
	return tracer < 0 || tracer == getpid();
}

bool stopped_by(int sig)
{
	return sig == SIGSTOP || sig == SIGTSTP || sig == SIGTTIN || sig == SIGTTOU;
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "learn/proc.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "compiler/policy/policy.h"
#include "learn/trace.h"

enum { STATUS_BYTES = 4096, ANCESTORS_MOST = 4096 };

bool proc_link(pid_t tid, const char *what, char out[PATH_MAX])
{
	char path[64];
	ssize_t n;

	snprintf(path, sizeof(path), "/proc/%d/%s", (int)tid, what);
	n = readlink(path, out, PATH_MAX - 1);
	if (n < 0)
		return false;
	out[n] = 0;
	return true;
}

bool proc_asks_interpreters(void)
{
	unsigned major, minor;
	struct utsname u;

	return !uname(&u) && sscanf(u.release, "%u.%u", &major, &minor) == 2 &&
	       (major < 5 || (major == 5 && minor < 8));
}

bool proc_has_apparmor(void)
{
	int fd = open("/sys/module/apparmor/parameters/enabled", O_RDONLY | O_CLOEXEC);
	char is = 'N';

	if (fd < 0)
		return false;
	if (read(fd, &is, 1) != 1)
		is = 'N';
	close(fd);
	return is == 'Y';
}

bool proc_is_capable(pid_t tid, uint64_t caps)
{
	long long has = proc_field(tid, "status", "\nCapEff:", "%llx");
	char space[PATH_MAX];

	return has > 0 && (uint64_t)has & caps && proc_link(tid, "ns/user", space) &&
	       !strcmp(space, "user:[4026531837]"); /* PROC_USER_INIT_INO */
}

uint64_t proc_symbol(const char *name)
{
	FILE *f = fopen("/proc/kallsyms", "re");
	char line[512], is[256], kind;
	unsigned long long at, found = 0;

	while (f && !found && fgets(line, sizeof(line), f))
		if (strstr(line, name) && sscanf(line, "%llx %c %255s", &at, &kind, is) == 3 &&
		    !strcmp(is, name))
			found = at;
	if (f)
		fclose(f);
	return found;
}

/* "PREFIX" and a number and '/' at the start: what stands behind them; NULL: it is something else. */
static const char *behind_number(const char *text, const char *prefix, pid_t *number)
{
	size_t n = strlen(prefix), digits;

	if (strncmp(text, prefix, n) != 0)
		return NULL;
	digits = strspn(text + n, "0123456789");
	*number = (pid_t)strtol(text + n, NULL, 10);
	return digits && text[n + digits] == '/' ? text + n + digits + 1 : NULL;
}

/* A link to what a process has, behind "/PID/": what stands behind it; NULL: it is none. */
static const char *behind_link(const char *at)
{
	static const char *const links[] = { "exe", "cwd", "root", "fd/", "ns/", "map_files/" };
	pid_t tid;
	const char *thread = behind_number(at, "task/", &tid);

	at = thread ? thread : at;
	for (size_t i = 0; i < sizeof(links) / sizeof(links[0]); i++) {
		size_t n = strlen(links[i]), own = 0;

		if (strncmp(at, links[i], n) != 0)
			continue;
		if (links[i][n - 1] == '/')
			own = strcspn(at + n, "/");
		if (links[i][n - 1] == '/' && !own)
			return NULL; /* the directory */
		n += own;
		return !at[n] || at[n] == '/' ? at + n : NULL;
	}
	return NULL;
}

pid_t proc_leads_by(const char *name, bool last_too)
{
	pid_t pid;
	const char *at = behind_number(name, "/proc/", &pid), *end = at ? behind_link(at) : NULL;

	return end && (*end || last_too) ? pid : 0;
}

pid_t proc_link_of(const char *path)
{
	for (const char *at = strchr(path, '/'); at; at = strchr(at + 1, '/')) {
		pid_t pid;
		const char *behind = behind_number(at, "/", &pid),
			   *end = behind ? behind_link(behind) : NULL;

		if (end && !*end)
			return pid;
	}
	return 0;
}

/* A file of /proc/TID/, as much of it as there is room for. */
static bool read_status(pid_t tid, const char *file, char text[STATUS_BYTES])
{
	char path[64];
	ssize_t n;
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/%s", (int)tid, file);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return false;
	n = read(fd, text, STATUS_BYTES - 1);
	close(fd);
	if (n <= 0)
		return false;
	text[n] = 0;
	return true;
}

long long proc_field(pid_t tid, const char *file, const char *label, const char *scan)
{
	char text[STATUS_BYTES], *p;
	long long value = -1;

	if (!read_status(tid, file, text))
		return -1;
	p = strstr(text, label);
	/* scan is a literal of the caller's. */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
	if (p && sscanf(p + strlen(label), scan, &value) != 1)
		value = -1;
#pragma GCC diagnostic pop
	return value;
}

/* The kernel writes "NAME (MODE)"; attr/current may be another module's, attr/apparmor/ is since Linux 5.8. */
void proc_label(pid_t tid, char out[PATH_MAX])
{
	char text[STATUS_BYTES];
	size_t n;

	*out = 0;
	if (!proc_has_apparmor() || (!read_status(tid, "attr/apparmor/current", text) &&
				     !read_status(tid, "attr/current", text)))
		return;
	n = strcspn(text, "\n");
	if (n && text[n - 1] == ')') {
		while (n && text[n] != '(')
			n--;
		n -= n && text[n - 1] == ' ';
	}
	if (n >= PATH_MAX || memmem(text, n, "//&", 3)) /* as eBPF: of one profile */
		return;
	memcpy(out, text, n);
	out[n] = 0;
}

/* The last of the numbers: one for each namespace, from ours on (proc(5)). */
unsigned proc_own_pid(pid_t tid)
{
	static const char label[] = "\nNStgid:";
	char text[STATUS_BYTES], *p, *end;
	unsigned long pid = 0;

	if (!read_status(tid, "status", text))
		return 0;
	p = strstr(text, label);
	for (p = p ? p + sizeof(label) - 1 : NULL; p && *p == '\t'; p = end)
		pid = strtoul(p + 1, &end, 10);
	return (unsigned)pid;
}

int proc_open_perms(pid_t tid, int fd, uint64_t asked)
{
	char info[64];
	const uint64_t made = TRACE_O_CREAT | TRACE_O_TRUNC; /* are not kept */
	long long flags;

	snprintf(info, sizeof(info), "fdinfo/%d", fd);
	flags = proc_field(tid, info, "flags:", "%llo");
	if (flags < 0)
		return -1;
	return (int)trace_open_perms(((uint64_t)flags & ~made) | (asked & made));
}

bool proc_is_peers(pid_t tid, const char *path, const struct stat *st)
{
	long long own, other;
	struct stat ours;
	int pid, n = 0;

	if (sscanf(path, "/proc/%d/%n", &pid, &n) != 1 || !n || stat("/proc", &ours) ||
	    ours.st_dev != st->st_dev)
		return false;
	own = proc_field(tid, "status", "\nTgid:", "%lld");
	other = proc_field(pid, "status", "\nTgid:", "%lld");
	return own != (other < 0 ? pid : other);
}

size_t proc_bare_length(const char *path, const struct stat *st)
{
	static const char gone[] = " (deleted)";
	size_t n = strlen(path);
	struct stat named;

	if (n < sizeof(gone) || strcmp(path + n - sizeof(gone) + 1, gone) != 0)
		return n;
	if (!stat(path, &named) && named.st_dev == st->st_dev && named.st_ino == st->st_ino)
		return n; /* a file of that very name */
	return n - (sizeof(gone) - 1);
}

bool proc_program(pid_t tid, char out[PATH_MAX])
{
	struct stat st;
	char exe[64];

	snprintf(exe, sizeof(exe), "/proc/%d/exe", (int)tid);
	if (!proc_link(tid, "exe", out) || out[0] != '/' || !strncmp(out, "/memfd:", 7) ||
	    stat(exe, &st))
		return false;
	out[proc_bare_length(out, &st)] = 0;
	return true;
}

pid_t proc_parent(pid_t pid)
{
	char path[64] = "/proc/", digits[16], line[512];
	size_t n = 0, at = 6;
	const char *end;
	pid_t parent = 0;
	ssize_t got;
	int fd;

	for (unsigned rest = (unsigned)pid; rest; rest /= 10)
		digits[n++] = (char)('0' + rest % 10);
	while (n)
		path[at++] = digits[--n];
	memcpy(path + at, "/stat", 6);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	got = fd < 0 ? -1 : read(fd, line, sizeof(line) - 1);
	if (fd >= 0)
		close(fd);
	line[got < 0 ? 0 : got] = 0;
	end = strrchr(line, ')'); /* the name may hold anything */
	if (!end || strlen(end) < 5)
		return 0;
	for (end += 4; *end >= '0' && *end <= '9'; end++)
		parent = parent * 10 + (*end - '0');
	return parent;
}

bool proc_descends(pid_t pid, pid_t from)
{
	for (int i = 0; i < ANCESTORS_MOST && pid > 1; i++) {
		pid = proc_parent(pid);
		if (pid == from)
			return true;
	}
	return false;
}

bool proc_is_namespace(const char *path)
{
	struct statfs fs;

	return !statfs(path, &fs) && fs.f_type == NSFS_MAGIC;
}

int proc_elsewhere(pid_t tid)
{
	char root[PATH_MAX], theirs[PATH_MAX], ours[PATH_MAX];

	if (!proc_link(tid, "root", root) || !proc_link(tid, "ns/mnt", theirs) ||
	    !proc_link(getpid(), "ns/mnt", ours))
		return -1;
	return strcmp(root, "/") != 0 || strcmp(theirs, ours) != 0;
}

int proc_find(const char *root, const char *name, uint64_t resolve, bool follow)
{
	struct open_how how = { .flags = O_PATH | O_CLOEXEC | (follow ? 0u : O_NOFOLLOW),
				.resolve = resolve };
	int dir = open(root, O_PATH | O_DIRECTORY | O_CLOEXEC), fd, error;

	if (dir < 0)
		return -1;
	fd = (int)syscall(SYS_openat2, dir, name, &how, sizeof(how));
	error = errno;
	close(dir);
	errno = error;
	return fd;
}

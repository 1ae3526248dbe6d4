/* SPDX-License-Identifier: Apache-2.0 */
#include "learn/held.h"

#include <dirent.h>
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

#include "compiler/policy/policy.h"
#include "learn/container/container.h"
#include "learn/proc.h"

#define CGROUPS_DEEP 32
#define X32_BIT      0x40000000u

struct holder {
	struct model *m;
	pid_t pid;
	int fd; /* pidfd; -1: none */
	uid_t uid;
	enum arch arch; /* of its program */
	int elsewhere;
	model_program by;
};

/* What is not there any more is not held; all else that fails is a read that failed. */
static void note_failure(struct holder *h)
{
	if (errno != ENOENT && errno != ESRCH && errno != EBADF)
		model_recording(h->m)->run.losses.unread++;
}

static void hold_made(struct holder *h, enum arch a, uint32_t nr, uint64_t count)
{
	model_held_call(h->m, a, nr, count);
	model_made(h->m, h->by, a, nr, count, 0);
}

/* ---- files ---- */

/* What /proc/PID/LINK leads to, with these rights. */
static void hold_link(struct holder *h, const char *link, unsigned perms)
{
	struct access how = { .perms = perms, .held = true, .count = 1 };
	char path[PATH_MAX + 1], proc[64];
	struct stat st;
	size_t n;

	if (!proc_link(h->pid, link, path)) {
		note_failure(h);
		return;
	}
	if (path[0] != '/' || !strncmp(path, "/memfd:", 7))
		return; /* a pipe, an event, memory: nothing that has a rule */
	snprintf(proc, sizeof(proc), "/proc/%d/%s", (int)h->pid, link);
	if (stat(proc, &st)) {
		note_failure(h);
		return;
	}
	n = proc_bare_length(path, &st);
	path[n] = 0;
	if (S_ISDIR(st.st_mode) && path[n - 1] != '/')
		path[n++] = '/';
	how.owned = st.st_uid == h->uid;
	how.elsewhere = perms & PERM_X && h->elsewhere;
	how.peers = proc_is_peers(h->pid, path, &st);
	model_file(h->m, (struct str){ path, n }, &how);
}

/* ---- sockets ---- */

static bool ask(int fd, int option, uint64_t *out)
{
	int value = 0;
	socklen_t n = sizeof(value);

	if (getsockopt(fd, SOL_SOCKET, option, &value, &n))
		return false;
	*out = (uint64_t)value;
	return true;
}

/* A name in the file system that it is bound to: relative ones stand where its binder stood. */
static void hold_address(struct holder *h, int fd)
{
	struct access how = { .perms = PERM_W, .held = true, .owned = true, .count = 1 };
	struct sockaddr_un addr = { 0 };
	socklen_t n = sizeof(addr);

	if (getsockname(fd, (struct sockaddr *)&addr, &n) || addr.sun_family != AF_UNIX ||
	    n <= offsetof(struct sockaddr_un, sun_path) || addr.sun_path[0] != '/')
		return;
	n -= (socklen_t)offsetof(struct sockaddr_un, sun_path);
	model_file(h->m, (struct str){ addr.sun_path, strnlen(addr.sun_path, n) }, &how);
}

/* Looked at through a descriptor of our own, as no file tells its type. */
static void hold_socket(struct holder *h, int theirs)
{
	const struct syscall_info *socket = syscall_by_name(STR("socket"));
	int fd = (int)syscall(SYS_pidfd_getfd, h->fd, theirs, 0);
	uint64_t args[3];

	if (fd < 0) {
		note_failure(h);
		return;
	}
	if (ask(fd, SO_DOMAIN, &args[0]) && ask(fd, SO_TYPE, &args[1]) &&
	    ask(fd, SO_PROTOCOL, &args[2])) {
		hold_made(h, h->arch, (uint32_t)socket->nr[h->arch], 0);
		model_held_tuple(h->m, h->arch, (uint32_t)socket->nr[h->arch], args, 1);
		hold_address(h, fd);
	} else {
		note_failure(h);
	}
	close(fd);
}

static void hold_descriptor(struct holder *h, int fd)
{
	char link[32], path[PATH_MAX];
	int perms;

	snprintf(link, sizeof(link), "fd/%d", fd);
	if (!proc_link(h->pid, link, path)) {
		note_failure(h);
		return;
	}
	if (!strncmp(path, "socket:", 7)) {
		hold_socket(h, fd);
		return;
	}
	perms = proc_open_perms(h->pid, fd, 0);
	if (perms > 0)
		hold_link(h, link, (unsigned)perms);
}

/* Each name of /proc/PID/DIR that is a number. */
static void each_number(struct holder *h, const char *dir, void (*look)(struct holder *, int))
{
	const struct dirent *entry;
	char path[64];
	DIR *d;

	snprintf(path, sizeof(path), "/proc/%d/%s", (int)h->pid, dir);
	d = opendir(path);
	if (!d) {
		note_failure(h);
		return;
	}
	while ((entry = readdir(d)))
		if (entry->d_name[0] != '.')
			look(h, atoi(entry->d_name));
	closedir(d);
}

/* ---- mappings ---- */

/* Files that are mapped executable, once each as they stand together. */
static void hold_mappings(struct holder *h)
{
	char path[64], line[PATH_MAX + 128];
	FILE *maps;

	snprintf(path, sizeof(path), "/proc/%d/maps", (int)h->pid);
	maps = fopen(path, "re");
	if (!maps) {
		note_failure(h);
		return;
	}
	while (fgets(line, sizeof(line), maps)) {
		struct access how = {
			.perms = PERM_R | PERM_M, .held = true, .owned = true, .count = 1
		};
		unsigned long long inode;
		struct stat st = { 0 };
		int at = 0;
		char x;

		if (sscanf(line, "%*x-%*x %*c%*c%c%*c %*x %*s %llu %n", &x, &inode, &at) != 2 ||
		    !at || !inode || x != 'x' || line[at] != '/' ||
		    !strncmp(line + at, "/memfd:", 7) || !strncmp(line + at, "/SYSV", 5))
			continue;
		line[at + (int)strcspn(line + at, "\n")] = 0;
		model_file(h->m, (struct str){ line + at, proc_bare_length(line + at, &st) }, &how);
	}
	fclose(maps);
}

/* ---- calls ---- */

/* Of the 32-bit ABI where its program is one of that: the kernel's file does not say. */
static enum arch program_arch(pid_t pid)
{
	unsigned char ident[EI_NIDENT] = { 0 };
	char path[64];
	ssize_t n = 0;
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/exe", (int)pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd >= 0) {
		n = read(fd, ident, sizeof(ident));
		close(fd);
	}
	if (n == sizeof(ident) && ident[EI_CLASS] == ELFCLASS32 && abi_arch(TRACE_COMPAT) >= 0)
		return (enum arch)abi_arch(TRACE_COMPAT);
	return (enum arch)abi_arch(TRACE_NATIVE);
}

static void hold_call(struct holder *h, int tid)
{
	unsigned long long args[6];
	const struct syscall_info *s;
	const struct arg_info *info;
	char path[64], text[256];
	enum arch a = h->arch;
	unsigned nargs;
	ssize_t n;
	long nr;
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/task/%d/syscall", (int)h->pid, tid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	n = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);
	if (n < 0)
		note_failure(h);
	if (fd >= 0)
		close(fd);
	if (n <= 0)
		return;
	text[n] = 0;
	/* "running", or -1: in none */
	if (sscanf(text, "%ld %llx %llx %llx %llx %llx %llx", &nr, &args[0], &args[1], &args[2],
		   &args[3], &args[4], &args[5]) != 7 ||
	    nr < 0)
		return;
	if (nr & X32_BIT && abi_arch(TRACE_X32) >= 0)
		a = (enum arch)abi_arch(TRACE_X32);
	nr &= ~(long)X32_BIT;
	s = nr < TRACE_NRS ? syscall_by_nr(a, (uint32_t)nr) : NULL;
	if (!s)
		return;
	info = syscall_args(s, a, &nargs);
	hold_made(h, a, (uint32_t)nr, 1);
	int only = recording_args_if(a, (uint32_t)nr);
	if (recording_args_in(a, (uint32_t)nr) || (only >= 0 && !args[only]) ||
	    recording_args_of(a, (uint32_t)nr) >= 0)
		return; /* what stood there may have changed since */
	for (unsigned i = 0; i < nargs; i++)
		if (recording_args(a, (uint32_t)nr) >> i & 1)
			model_value(h->m, a, (uint32_t)nr, i,
				    info[i].width == 64 ? args[i] : (uint32_t)args[i], 1);
}

/* ---- processes ---- */

void held_process(struct model *m, pid_t pid)
{
	struct holder h = { .m = m, .pid = pid, .arch = program_arch(pid) };
	long long uid = proc_field(pid, "status", "\nUid:", "%*d %*d %*d %lld");
	char program[PATH_MAX];

	h.fd = (int)syscall(SYS_pidfd_open, pid, 0);
	if (h.fd < 0) {
		note_failure(&h);
		return;
	}
	model_phase(m, PHASE_SERVE); /* as what runs before is taken to */
	h.uid = (uid_t)uid;
	h.by = model_program_of(m, proc_program(pid, program) ? str_c(program) :
								(struct str){ NULL, 0 });
	h.elsewhere = proc_elsewhere(pid);
	hold_link(&h, "exe", PERM_X | PERM_R | PERM_M);
	hold_link(&h, "cwd", 0);
	hold_link(&h, "root", 0);
	hold_mappings(&h);
	each_number(&h, "fd", hold_descriptor);
	each_number(&h, "task", hold_call);
	model_phase(m, PHASE_ANY);
	close(h.fd);
}

/* m NULL: they are counted. */
static size_t hold_below(struct model *m, const char *dir, bool border, unsigned deep)
{
	char path[PATH_MAX + 16];
	const struct dirent *entry;
	size_t n = 0;
	FILE *procs;
	DIR *d;
	int pid;

	snprintf(path, sizeof(path), "%s/cgroup.procs", dir);
	procs = fopen(path, "re");
	while (procs && fscanf(procs, "%d", &pid) == 1) {
		/* 0: in a namespace that we do not see, and there all the same. */
		if (pid > 0 && border && container_is_runtime(pid))
			continue;
		if (m && pid > 0)
			held_process(m, pid);
		n++;
	}
	if (procs)
		fclose(procs);
	d = opendir(dir);
	while (d && deep && (entry = readdir(d))) {
		if (entry->d_type != DT_DIR || entry->d_name[0] == '.' ||
		    snprintf(path, sizeof(path), "%s/%s", dir, entry->d_name) >= PATH_MAX)
			continue;
		n += hold_below(m, path, border, deep - 1);
	}
	if (d)
		closedir(d);
	return n;
}

size_t held_cgroup(struct model *m, const char *cgroup, bool border)
{
	return hold_below(m, cgroup, border, CGROUPS_DEEP);
}

size_t held_count(const char *cgroup, bool border)
{
	return hold_below(NULL, cgroup, border, CGROUPS_DEEP);
}

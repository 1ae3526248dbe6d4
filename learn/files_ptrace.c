/* SPDX-License-Identifier: Apache-2.0 */
#include "learn/files_ptrace.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "compiler/base/bug.h"
#include "compiler/policy/policy.h"
#include "learn/executable.h"
#include "learn/looks_ptrace.h"
#include "learn/proc.h"
#include "learn/stopped.h"

/* ---- looking at a stopped task ---- */

static bool is_elsewhere(struct tracer *t, pid_t tid)
{
	int is = proc_elsewhere(tid);

	if (is < 0)
		t->r->run.losses.unread++;
	return is != 0;
}

static bool is_owner(struct tracer *t, pid_t tid, uid_t owner)
{
	struct tracee *e = tracer_find(t, tid);
	long long uid;

	if (e && e->fsuid_known)
		return e->fsuid == owner;
	uid = proc_field(tid, "status", "\nUid:", "%*d %*d %*d %lld");
	if (uid < 0)
		t->r->run.losses.unread++;
	if (e && uid >= 0) {
		e->fsuid = (uid_t)uid;
		e->fsuid_known = true;
	}
	return uid == owner;
}

/* Of the file system that namespaces' files are of, which has one device. */
static bool is_namespace(struct tracer *t, const char *proc, const struct stat *st)
{
	struct stat own;

	if (!t->namespaces && !stat("/proc/self/ns/mnt", &own))
		t->namespaces = own.st_dev;
	return t->namespaces ? st->st_dev == t->namespaces : proc_is_namespace(proc);
}

static void tell_maker(const struct tracer *t, pid_t tid, struct access *how)
{
	const struct tracee *e = tracer_find(t, tid);

	how->pid = e ? e->pid : 0;
	how->parent = e ? e->parent : 0;
}

/* Why errno says that there is no path; name: what it was called, NULL: by no name. */
static void lose_path(struct tracer *t, const char *name, unsigned perms)
{
	struct access how = { .perms = perms, .count = 1, .first_ns = tracer_now(t) };

	if (errno != ENAMETOOLONG) {
		t->r->run.losses.paths_unresolved++;
		return;
	}
	t->r->run.losses.paths_truncated++;
	if (name)
		model_lost(t->model, str_c(name), LOST_LONG, &how);
}

/* Where the link leads: `path`, which is changed. */
static model_ref record_led(struct tracer *t, pid_t tid, const char *link, char path[PATH_MAX + 1],
			    struct access *how)
{
	bool is_there;
	struct stat st;
	char proc[64];
	size_t n;

	snprintf(proc, sizeof(proc), "/proc/%d/%s", (int)tid, link);
	is_there = !stat(proc, &st);
	if (is_there &&
	    is_namespace(t, proc, &st)) { /* as AppArmor calls it: path.c, d_namespace_path */
		t->r->run.namespace_files++;
		how->count = 1;
		how->first_ns = tracer_now(t);
		return model_file(t->model, STR("/"), how);
	}
	if (path[0] != '/' || !strncmp(path, "/memfd:", 7)) {
		t->r->run.disconnected++;
		t->r->run.memory_programs += how->perms & PERM_X && !strcmp(link, "exe");
		return 0;
	}
	if (!is_there) {
		t->r->run.losses.paths_unresolved++;
		return 0;
	}
	n = proc_bare_length(path, &st);
	path[n] = 0;
	if (S_ISDIR(st.st_mode) && path[n - 1] != '/')
		path[n++] = '/';
	how->owned = is_owner(t, tid, st.st_uid);
	how->elsewhere = how->perms & PERM_X && is_elsewhere(t, tid);
	how->peers = proc_is_peers(tid, path, &st);
	how->ours = how->peers && tracer_find(t, (pid_t)atoi(path + sizeof("/proc/") - 1));
	tell_maker(t, tid, how);
	how->count = 1;
	how->first_ns = tracer_now(t);
	return model_file(t->model, (struct str){ path, n }, how);
}

/* name: for people, NULL: none. */
static model_ref record_link(struct tracer *t, pid_t tid, const char *link, const char *name,
			     struct access *how)
{
	char path[PATH_MAX + 1];

	if (proc_link(tid, link, path))
		return record_led(t, tid, link, path, how);
	lose_path(t, name, how->perms);
	return 0;
}

static model_ref record_fd_as(struct tracer *t, pid_t tid, int fd, struct access how)
{
	char link[32];

	snprintf(link, sizeof(link), "fd/%d", fd);
	return record_link(t, tid, link, NULL, &how);
}

model_ref files_fd(struct tracer *t, pid_t tid, int fd, unsigned perms)
{
	return record_fd_as(t, tid, fd, (struct access){ .perms = perms });
}

/*
 * What was asked stands in a register where there is one, and is what the file was opened with, whatever
 * fcntl() has made of it since; of the others the kernel tells what the file has.
 */
static int opened_perms(const struct tracee *e, const struct trace_rule *r, int fd, uint64_t asked)
{
	if (r->at < 0 || r->flags[0] & TRACE_HOW)
		return proc_open_perms(e->tid, fd, asked);
	return (int)trace_open_perms(asked);
}

void files_open(struct tracer *t, struct tracee *e, const struct trace_rule *r, int fd)
{
	uint64_t asked = r->at >= 0 ? e->args[r->at] : 0;
	char name[TRACE_PATH + 1] = "", link[32], path[PATH_MAX + 1];
	struct access how = { 0 };
	bool is_led;
	int perms;

	if (r->path[0] >= 0 && stopped_text(e->tid, e->args[r->path[0]], name, TRACE_PATH) < 0)
		*name = 0;
	snprintf(link, sizeof(link), "fd/%d", fd);
	is_led = proc_link(e->tid, link, path);
	looks_of_open(t, e, name, is_led ? path : NULL);
	t->labels |= strstr(name, "/attr/") != NULL;
	if (r->flags[0] & TRACE_HOW && !stopped_memory(e->tid, asked, &asked, sizeof(asked))) {
		t->r->run.losses.paths_unresolved++;
		return;
	}
	perms = opened_perms(e, r, fd, asked);
	if (perms < 0)
		t->r->run.losses.paths_unresolved++;
	if (perms <= 0)
		return;
	how.perms = (unsigned)perms;
	if (is_led)
		record_led(t, e->tid, link, path, &how);
	else
		record_link(t, e->tid, link, name, &how);
}

static model_ref record_join(struct tracer *t, pid_t tid, int dir, const char *text, unsigned flags,
			     const struct access *as)
{
	struct access how = { .perms = as->perms,
			      .owned = as->owned,
			      .socket = flags & TRACE_SOCKET,
			      .tried = flags & TRACE_TRIED,
			      .count = 1,
			      .first_ns = tracer_now(t) };
	char base[PATH_MAX], link[32] = "cwd", mine[TRACE_PATH + 32];
	size_t n;
	int fd;

	tell_maker(t, tid, &how);
	fd = *text ? stopped_self_fd(text) : dir;
	if (fd >= 0)
		return record_fd_as(t, tid, fd,
				    (struct access){ .perms = how.perms, .tried = how.tried });
	if (!*text)
		return 0;
	if (*text == '/')
		strcpy(link, "root");
	else if (dir >= 0)
		snprintf(link, sizeof(link), "fd/%d", dir);
	if (!proc_link(tid, link, base)) {
		lose_path(t, text, how.perms);
		return 0;
	}
	n = strlen(base);
	if (base[0] != '/' || (n > 10 && !strcmp(base + n - 10, " (deleted)"))) {
		t->r->run.losses.paths_unresolved++;
		return 0;
	}
	if (is_elsewhere(t, tid))
		flags |= TRACE_ELSEWHERE;
	return model_join(t->model, base, stopped_theirs(tid, text, mine), flags | TRACE_NOW, &how);
}

model_ref files_path(struct tracer *t, const struct tracee *e, const struct trace_rule *r, int i,
		     unsigned perms)
{
	int dir = r->fd[i] >= 0 ? (int)e->args[r->fd[i]] : -1;
	char text[TRACE_PATH + 1] = "";
	unsigned flags = r->flags[i];

	if (e->args[r->path[i]] &&
	    stopped_text(e->tid, e->args[r->path[i]], text, TRACE_PATH) < 0) {
		t->r->run.losses.paths_unresolved++;
		return 0;
	}
	if (r->at >= 0 && r->op != TRACE_OP_RENAME)
		flags = trace_at(flags, (uint32_t)e->args[r->at]);
	return record_join(t, e->tid, dir, text, flags,
			   &(struct access){ .perms = perms, .owned = e->owned });
}

/* A name of the call's as we see it; false: where it leads for the task is not to be told so. */
static bool name_here(struct tracer *t, const struct tracee *e, const struct trace_rule *r, int i,
		      char full[TRACE_PATH + 64])
{
	int dir = r->fd[i] >= 0 ? (int)e->args[r->fd[i]] : -1;
	char text[TRACE_PATH + 1] = "";

	if (!e->args[r->path[i]] ||
	    stopped_text(e->tid, e->args[r->path[i]], text, TRACE_PATH) < 0 ||
	    stopped_self_fd(text) >= 0 || str_starts(str_c(text), "/proc/self/") ||
	    is_elsewhere(t, e->tid))
		return false;
	if (*text == '/' || dir < 0)
		snprintf(full, TRACE_PATH + 64, "/proc/%d/%s/%s", (int)e->tid,
			 *text == '/' ? "root" : "cwd", text);
	else
		snprintf(full, TRACE_PATH + 64, "/proc/%d/fd/%d/%s", (int)e->tid, dir, text);
	return true;
}

/* Does what the call names belong to whom the task acts as? While the call has not begun. */
static bool owns_named(struct tracer *t, const struct tracee *e, const struct trace_rule *r, int i)
{
	char full[TRACE_PATH + 64];
	unsigned flags = r->flags[i];
	struct stat st;

	if (flags & TRACE_MADE)
		return true;
	if (!name_here(t, e, r, i, full))
		return false;
	if (r->at >= 0 && r->op != TRACE_OP_RENAME)
		flags = trace_at(flags, (uint32_t)e->args[r->at]);
	return !(flags & TRACE_FOLLOW ? stat(full, &st) : lstat(full, &st)) &&
	       is_owner(t, e->tid, st.st_uid);
}

/* Of an exchange both; all else asks of the first (AppArmor's lsm.c, apparmor_path_rename()). */
void files_owner(struct tracer *t, struct tracee *e)
{
	const struct trace_rule *r = &t->rules[e->rule];

	e->owned = false;
	if (r->op != TRACE_OP_PATH && r->op != TRACE_OP_RENAME && r->op != TRACE_OP_LINK)
		return;
	e->owned = owns_named(t, e, r, 0);
	if (r->op == TRACE_OP_RENAME && r->at >= 0 && e->args[r->at] & TRACE_EXCHANGE)
		e->owned = e->owned && owns_named(t, e, r, 1);
}

/* One that failed for what is opened itself; of creat(2) without flags of its own. */
void files_unopened(struct tracer *t, const struct tracee *e, struct trace_rule *r, uint32_t error)
{
	uint64_t how[3] = { TRACE_O_CREAT | TRACE_O_TRUNC | 1, 0, 0 };

	if (r->path[0] < 0)
		return;
	if (r->at >= 0)
		how[0] = e->args[r->at];
	if (r->flags[0] & TRACE_HOW &&
	    (!stopped_memory(e->tid, how[0], how, sizeof(how)) || how[2] & TRACE_IN_ROOT)) {
		t->r->run.losses.paths_unresolved++;
		return;
	}
	if (!trace_opens(error, how[0], how[2], O_DIRECT))
		return;
	r->at = -1;
	r->flags[0] = TRACE_FOLLOW;
	if (trace_open_perms(how[0]))
		files_path(t, e, r, 0, trace_open_perms(how[0]));
}

/* A directory and a file that have changed places: the first name is the one's, and was the other's. */
static bool record_exchange(struct tracer *t, const struct tracee *e, const struct trace_rule *r)
{
	char full[TRACE_PATH + 64];
	struct stat st;
	bool is_dir[2];

	for (int i = 0; i < 2; i++) {
		if (!name_here(t, e, r, i, full) || lstat(full, &st))
			return false;
		is_dir[i] = S_ISDIR(st.st_mode);
	}
	if (is_dir[0] == is_dir[1])
		return false;
	for (int i = 0; i < 2; i++)
		for (int dir = 0; dir < 2; dir++) {
			struct trace_rule as = *r;

			as.flags[i] = dir ? TRACE_DIR : 0;
			files_path(t, e, &as, i, r->perms[is_dir[i] == dir]);
		}
	return true;
}

void files_renamed(struct tracer *t, const struct tracee *e, const struct trace_rule *r)
{
	bool both = r->at >= 0 && e->args[r->at] & TRACE_EXCHANGE;
	model_ref from, to;

	if (both && record_exchange(t, e, r))
		return;
	from = files_path(t, e, r, 0, r->perms[0]);
	to = files_path(t, e, r, 1, r->perms[both ? 0 : 1]);
	model_renamed(t->model, from, to);
}

void files_linked(struct tracer *t, const struct tracee *e, const struct trace_rule *r)
{
	struct trace_rule only_first = *r;
	model_ref from = files_path(t, e, &only_first, 0, r->perms[0]);

	only_first.at = -1; /* AT_SYMLINK_FOLLOW is about the old name */
	model_linked(t->model, from, files_path(t, e, &only_first, 1, r->perms[1]));
}

void files_pin(struct tracer *t, const struct tracee *e, const struct trace_rule *r)
{
	char text[TRACE_PATH + 1];
	uint64_t at;

	if ((uint32_t)e->args[r->at] != TRACE_OBJ_PIN)
		return;
	if (!stopped_memory(e->tid, e->args[r->path[0]], &at, sizeof(at)) ||
	    stopped_text(e->tid, at, text, TRACE_PATH) < 0)
		t->r->run.losses.paths_unresolved++;
	else
		record_join(t, e->tid, -1, text, r->flags[0],
			    &(struct access){ .perms = r->perms[0], .owned = true });
}

/* ---- locks, and mappings made executable later ---- */

void files_lock(struct tracer *t, const struct tracee *e, const struct trace_rule *r)
{
	uint32_t command = (uint32_t)e->args[r->at];
	int16_t type = 0;
	unsigned perms = r->perms[0];

	if (r->op == TRACE_OP_FLOCK) {
		if ((command & ~(uint32_t)TRACE_LOCK_NB) == TRACE_LOCK_EX)
			perms |= PERM_W;
	} else if (command == TRACE_F_SETLEASE) {
		type = (int16_t)e->args[2];
	} else if (!trace_is_lock(command)) {
		return;
	} else if (!stopped_memory(e->tid, e->args[2], &type, sizeof(type))) {
		t->r->run.losses.paths_unresolved++;
	}
	if (type == TRACE_F_WRLCK)
		perms |= PERM_W;
	files_fd(t, e->tid, (int)e->args[r->fd[0]], perms);
}

/*
 * One file of /proc/TID/maps. Who owns it was asked when it was opened: here it is no news, as
 * the name may lead elsewhere by now. Shared memory is no file to AppArmor (its common_mmap()).
 */
static void record_mapped(struct tracer *t, char *path, uint64_t inode, unsigned perms)
{
	static const char *const memory[] = { "/memfd:", "/SYSV", "/dev/zero (deleted)" };
	struct access how = {
		.perms = perms, .owned = true, .count = 1, .first_ns = tracer_now(t)
	};
	struct stat st;
	size_t n = strcspn(path, "\n");

	path[n] = 0;
	for (size_t i = 0; i < ARRAY_SIZE(memory); i++)
		if (str_starts(str_c(path), memory[i]))
			return;
	if (path[0] != '/')
		return;
	if (strstr(path, "\\012")) { /* a newline, or these four characters */
		t->r->run.losses.paths_unresolved++;
		return;
	}
	if (stat(path, &st) || st.st_ino != inode)
		st.st_ino = 0;
	n = st.st_ino ? n : proc_bare_length(path, &st);
	model_file(t->model, (struct str){ path, n }, &how);
}

/* Every file that is mapped between the two addresses. */
void files_mprotect(struct tracer *t, const struct tracee *e, const struct trace_rule *r)
{
	uint64_t begin = e->args[r->path[0]], end = begin + e->args[r->path[0] + 1];
	char path[64], line[PATH_MAX + 128];
	FILE *maps;

	if (!(e->args[r->at] & PROT_EXEC))
		return;
	snprintf(path, sizeof(path), "/proc/%d/maps", (int)e->tid);
	maps = fopen(path, "re");
	if (!maps) {
		t->r->run.losses.paths_unresolved++;
		return;
	}
	while (fgets(line, sizeof(line), maps)) {
		unsigned long long from, to, inode;
		int at = 0;

		if (sscanf(line, "%llx-%llx %*s %*s %*s %llu %n", &from, &to, &inode, &at) == 3 &&
		    at && inode && from < end && to > begin)
			record_mapped(t, line + at, inode, r->perms[0]);
	}
	t->r->run.losses.unread += ferror(maps) != 0;
	fclose(maps);
}

void files_unix(struct tracer *t, const struct tracee *e, const struct addressed *to,
		unsigned perms, unsigned flags)
{
	char text[TRACE_PATH + 1];
	uint16_t family = AF_UNIX;
	ssize_t n = -1;

	if (to->len < 2 || to->len > sizeof(struct sockaddr_un))
		return;
	if (stopped_memory(e->tid, to->at, &family, sizeof(family)) && family == AF_UNIX)
		n = to->len > 2 ? stopped_text(e->tid, to->at + 2, text, to->len - 2) : 0;
	if (n < 0 && family == AF_UNIX)
		t->r->run.losses.paths_unresolved++;
	if (n > 0)
		record_join(t, e->tid, -1, text, flags,
			    &(struct access){ .perms = perms, .owned = flags & TRACE_MADE });
	else if (!n)
		ask_abstract(t->model, e->tid, to, tracer_now(t));
}

void files_bind(struct tracer *t, const struct tracee *e, const struct trace_rule *r)
{
	unsigned op = r->flags[0] & TRACE_MADE ? ADDRESS_BIND : ADDRESS_CONNECT;
	struct addressed to;

	if (address_find(e->tid, op + 1, e->args, 0, false, &to))
		files_unix(t, e, &to, r->perms[0], r->flags[0]);
}

/* ---- exec ---- */

static bool is_script_fd(struct tracer *t, pid_t tid, int fd)
{
	int is = stopped_is_script_fd(tid, fd);

	t->r->run.losses.unread += is < 0;
	return is > 0;
}

/* What its process runs from here on; 0: it has no path. */
static void set_program(struct tracer *t, pid_t tid, model_ref program)
{
	struct tracee *e = tracer_find(t, tid);
	struct str none = { NULL, 0 };

	if (e)
		e->by = model_program_of(t->model,
					 program ? t->r->files.v[program - 1].path : none);
}

void tracee_executed(struct tracer *t, pid_t tid)
{
	struct access how = { .perms = PERM_X | PERM_R | PERM_M };
	char text[TRACE_PATH + 1];
	uint64_t name = stopped_execfn(tid);
	struct tracee *e = tracer_find(t, tid);
	bool script;

	if (e)
		e->fsuid_known = false;

	if (!name || stopped_text(tid, name, text, TRACE_PATH) <= 0) {
		set_program(t, tid, record_link(t, tid, "exe", NULL, &how));
		t->r->run.losses.paths_unresolved++;
		return;
	}
	/* A name that leads elsewhere is a script's; its interpreter is what runs. */
	script = stopped_self_fd(text) >= 0 ? is_script_fd(t, tid, stopped_self_fd(text)) :
					      !stopped_is_program(tid, text);
	if (script && !proc_asks_interpreters())
		how.perms &= ~(unsigned)PERM_X;
	set_program(t, tid, record_link(t, tid, "exe", NULL, &how));
	if (script)
		record_join(t, tid, -1, text, TRACE_SCRIPT | TRACE_FOLLOW,
			    &(struct access){ .perms = PERM_X });
}

/*
 * As the task's root has it: the whole name of what it gave, seen from there. False: its directory is not below
 * that, or it is too long.
 */
static bool name_below(pid_t tid, int dir, const char *text, char out[PATH_MAX])
{
	char root[PATH_MAX], base[PATH_MAX], link[32] = "cwd";
	size_t n;

	*base = 0;
	if (*text != '/') {
		if (dir >= 0)
			snprintf(link, sizeof(link), "fd/%d", dir);
		if (!proc_link(tid, "root", root) || !proc_link(tid, link, base))
			return false;
		n = strcmp(root, "/") ? strlen(root) : 0;
		if (strncmp(base, root, n) != 0 || (base[n] && base[n] != '/'))
			return false;
		memmove(base, base + n, strlen(base + n) + 1);
	}
	return snprintf(out, PATH_MAX, "%s%s%s", base, *text == '/' ? "" : "/", text) < PATH_MAX;
}

/* What it gave, held by O_PATH; -1: it leads to nothing, or nobody can tell, which is counted. */
static int hold_tried(struct tracer *t, const struct tracee *e, const struct trace_rule *r)
{
	int dir = r->fd[0] >= 0 ? (int)e->args[r->fd[0]] : -1, fd;
	bool follows = r->at < 0 || !(e->args[r->at] & TRACE_NOFOLLOW);
	char text[TRACE_PATH + 1], mine[TRACE_PATH + 32], whole[PATH_MAX], root[32];

	if (stopped_text(e->tid, e->args[r->path[0]], text, TRACE_PATH) < 0) {
		t->r->run.losses.paths_unresolved += errno == EPERM; /* it is not dumpable */
		return -1;
	}
	fd = *text ? stopped_self_fd(text) : dir;
	if (fd >= 0) {
		snprintf(mine, sizeof(mine), "/proc/%d/fd/%d", (int)e->tid, fd);
		return open(mine, O_PATH | O_CLOEXEC);
	}
	snprintf(root, sizeof(root), "/proc/%d/root", (int)e->tid);
	fd = -1;
	errno = ENOSYS;
	if (name_below(e->tid, dir, stopped_theirs(e->tid, text, mine), whole))
		fd = proc_find(root, whole, RESOLVE_IN_ROOT, follows);
	if (fd < 0 && errno != ENOENT && errno != ENOTDIR && errno != ELOOP)
		t->r->run.losses.paths_unresolved++;
	return fd;
}

void files_tried(struct tracer *t, const struct tracee *e, const struct trace_rule *r,
		 uint32_t error)
{
	struct access how = {
		.perms = PERM_X, .tried = true, .count = 1, .first_ns = tracer_now(t)
	};
	int fd = hold_tried(t, e, r);
	char link[32], held[64], root[32], path[PATH_MAX];
	struct stat st;

	if (fd < 0)
		return;
	snprintf(link, sizeof(link), "fd/%d", fd);
	snprintf(held, sizeof(held), "/proc/self/%s", link);
	snprintf(root, sizeof(root), "/proc/%d/root", (int)e->tid);
	if (!fstat(fd, &st) && executable_may_run(&st) && proc_link(getpid(), link, path) &&
	    *path == '/' &&
	    (!(trace_if(error) & TRACE_IF_REFUSED) || executable_is_refused(held, root))) {
		how.elsewhere = is_elsewhere(t, e->tid);
		model_file(t->model, (struct str){ path, proc_bare_length(path, &st) }, &how);
	}
	close(fd);
}

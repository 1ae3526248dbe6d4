/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a call of a stopped task tells, from its start to its end: the ptrace backend's counterpart of
 * calls.bpf.h and ends.bpf.h, by the same rules.
 */
#include "learn/tracee.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include "compiler/base/bug.h"
#include "compiler/policy/policy.h"
#include "learn/address.h"
#include "learn/looks_ptrace.h"
#include "learn/proc.h"
#include "learn/serve_ptrace.h"
#include "learn/signal_ptrace.h"
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

/*
 * May the call change it? Those do that set ids, and an exec of a set-id program (commit_creds() in
 * kernel/sys.c and fs/exec.c); each is stopped at, also where a filter chooses. A wide net is cheap.
 */
static bool changes_fsuid(const struct syscall_info *sys)
{
	return !sys || !strncmp(sys->name, "set", 3) || !strncmp(sys->name, "exec", 4);
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

static model_ref record_fd(struct tracer *t, pid_t tid, int fd, unsigned perms)
{
	return record_fd_as(t, tid, fd, (struct access){ .perms = perms });
}

static bool is_ours(const void *tracer, pid_t tid)
{
	const struct tracer *t = tracer;

	return tracer_find(t, tid) != NULL;
}

/* What AppArmor's other classes are asked by the call; its names are looked at now. */
static void begin_ask(struct tracer *t, struct tracee *e)
{
	struct ask_stopped stopped = { e->tid, e->args, stopped_text, stopped_memory, is_ours, t };
	bool lost;

	ask_drop(e->ask);
	e->ask = ask_take(&stopped, &t->rules[e->rule], &lost);
	t->r->run.losses.paths_unresolved += lost;
}

static void end_ask(struct tracer *t, struct tracee *e)
{
	if (e->ask)
		ask_give(t->model, e->ask, tracer_now(t));
	e->ask = NULL;
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

static void record_open(struct tracer *t, struct tracee *e, const struct trace_rule *r, int fd)
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

static model_ref record_user_path(struct tracer *t, const struct tracee *e,
				  const struct trace_rule *r, int i, unsigned perms)
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
static void note_owner(struct tracer *t, struct tracee *e)
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
static void record_unopened(struct tracer *t, const struct tracee *e, struct trace_rule *r,
			    uint32_t error)
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
		record_user_path(t, e, r, 0, trace_open_perms(how[0]));
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
			record_user_path(t, e, &as, i, r->perms[is_dir[i] == dir]);
		}
	return true;
}

static void record_rename(struct tracer *t, const struct tracee *e, const struct trace_rule *r)
{
	bool both = r->at >= 0 && e->args[r->at] & TRACE_EXCHANGE;
	model_ref from, to;

	if (both && record_exchange(t, e, r))
		return;
	from = record_user_path(t, e, r, 0, r->perms[0]);
	to = record_user_path(t, e, r, 1, r->perms[both ? 0 : 1]);
	model_renamed(t->model, from, to);
}

static void record_hard_link(struct tracer *t, const struct tracee *e, const struct trace_rule *r)
{
	struct trace_rule only_first = *r;
	model_ref from = record_user_path(t, e, &only_first, 0, r->perms[0]);

	only_first.at = -1; /* AT_SYMLINK_FOLLOW is about the old name */
	model_linked(t->model, from, record_user_path(t, e, &only_first, 1, r->perms[1]));
}

static void record_pin(struct tracer *t, const struct tracee *e, const struct trace_rule *r)
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

static void record_lock(struct tracer *t, const struct tracee *e, const struct trace_rule *r)
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
	record_fd(t, e->tid, (int)e->args[r->fd[0]], perms);
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
static void record_mprotect(struct tracer *t, const struct tracee *e, const struct trace_rule *r)
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

static void record_unix(struct tracer *t, const struct tracee *e, const struct addressed *to,
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

static void record_bind(struct tracer *t, const struct tracee *e, const struct trace_rule *r)
{
	unsigned op = r->flags[0] & TRACE_MADE ? ADDRESS_BIND : ADDRESS_CONNECT;
	struct addressed to;

	if (address_find(e->tid, op + 1, e->args, 0, false, &to))
		record_unix(t, e, &to, r->perms[0], r->flags[0]);
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

/* ---- calls ---- */

static void record_values(struct tracer *t, const struct tracee *e, enum arch a, uint32_t nr,
			  const struct trace_call *c)
{
	for (unsigned i = 0; i < 6; i++) {
		uint64_t value = c->wide >> i & 1 ? e->args[i] : (uint32_t)e->args[i];

		if (!(c->args >> i & 1) || (c->only && !e->args[c->only - 1]) ||
		    (c->in && !e->args[i]))
			continue;
		if (c->of)
			value = trace_of(e->args[i], e->args[c->of - 1]);
		if (c->in && !stopped_memory(e->tid, e->args[i], &value, sizeof(value)))
			t->r->run.losses.unread++;
		else
			model_value(t->model, a, nr, i, value, 1);
	}
}

static void record_tuple(struct tracer *t, const struct tracee *e, enum arch a, uint32_t nr,
			 const struct trace_call *c)
{
	if (c->tuple & TRACE_TUPLE) {
		uint64_t args[3] = { (uint32_t)e->args[0], (uint32_t)e->args[1],
				     (uint32_t)e->args[2] };

		model_tuple(t->model, a, nr, args, 1);
	}
}

/* Whether it succeeds is not waited for. */
static void note_written(struct tracer *t, const struct tracee *e, const struct trace_rule *r)
{
	uint64_t asked = r->at >= 0 ? e->args[r->at] : TRACE_O_CREAT, at;
	char name[TRACE_PATH + 1];
	uint16_t family;

	if (r->path[0] < 0)
		return;
	if (r->flags[0] & TRACE_HOW && !stopped_memory(e->tid, asked, &asked, sizeof(asked)))
		return;
	if (!trace_writes(r->op, r->perms[0], asked))
		return;
	at = e->args[r->path[0]];
	if (r->op == TRACE_OP_BIND) {
		if (!stopped_memory(e->tid, at, &family, sizeof(family)) || family != AF_UNIX)
			return;
		at += sizeof(family);
	}
	t->r->run.files_written = stopped_text(e->tid, at, name, KEPT_HEAD) > 0 && is_kept(name);
}

/* Where no files are recorded: what tells of the libc, and that files are written; nothing more of its rule. */
static void look_without_files(struct tracer *t, struct tracee *e)
{
	const struct trace_rule *r = &t->rules[e->rule];

	if (r->op == TRACE_OP_PTRACE) /* it is refused for our sake */
		return;
	if (r->op == TRACE_OP_MMAP) {
		if (e->args[r->path[0]] & PROT_EXEC && (int)e->args[r->fd[0]] >= 0)
			record_fd(t, e->tid, (int)e->args[r->fd[0]], PERM_M);
	} else if (!t->r->run.files_written) {
		note_written(t, e, r);
	}
	e->rule = 0;
}

static void record_one_address(struct tracer *t, const struct tracee *e, unsigned takes,
			       unsigned which, bool compat)
{
	unsigned char raw[ADDRESS_MOST] = { 0 };
	struct addressed to;
	struct address k;

	if (!address_find(e->tid, takes, e->args, which, compat, &to))
		return;
	if (!t->r->run.no_files)
		looks_at_address(t, e, &to);
	/* By those that bind and connect where they succeed. */
	if (takes >= TRACE_SENDTO && !t->r->run.no_files)
		record_unix(t, e, &to, PERM_W, TRACE_FOLLOW | TRACE_SOCKET);
	if (to.len < 16 || to.len > INT_MAX)
		return;
	/* What cannot be read is counted where the call succeeds, as it may be a file's name. */
	if (!stopped_memory(e->tid, to.at, raw, to.len < sizeof(raw) ? to.len : sizeof(raw)) ||
	    !address_take(e->tid, to.fd, raw, to.len, &k))
		return;
	k.op = (uint8_t)to.op;
	model_address(t->model, &k, 1, tracer_now(t));
}

static void record_address(struct tracer *t, const struct tracee *e, unsigned takes, bool compat)
{
	unsigned n = address_count(takes, e->args);

	for (unsigned i = 0; i < n; i++)
		record_one_address(t, e, takes, i, compat);
}

/* Which task changes its profile, once somebody has opened what that is written to. */
static void record_write(struct tracer *t, const struct tracee *e, const uint64_t args[6])
{
	struct ask_stopped stopped = { e->tid, args, stopped_text, stopped_memory, is_ours, t };

	if (!ask_label(t->model, &stopped, tracer_now(t)))
		t->r->run.losses.unread++;
}

/* Does its process serve, or from this call on? */
static void enter_phase(struct tracer *t, struct tracee *e, const struct syscall_info *sys,
			const struct trace_call *c, bool compat)
{
	const struct serve_stopped at = { e->leader, e->tid, e->args, compat };
	bool serves = t->serve_all || e->serves,
	     is_word = c->serves == TRACE_SERVES_SEND || c->serves == TRACE_SERVES_SENDMSG;

	if (!serves && c->serves && serve_shows(&at, c->serves)) {
		serves = true;
		model_serves(t->model, is_word ? "READY=1" : sys->name, tracer_now(t));
		if (is_word)
			t->serve_all = true; /* which is said of all of a service */
		else
			tracer_serves(t, e, true, false);
	}
	model_phase(t->model, serves ? PHASE_SERVE : PHASE_ANY);
}

/* By what its process runs, which is looked at here where it ran before. */
static void count_call(struct tracer *t, struct tracee *e, enum arch a, uint32_t nr)
{
	uint64_t now = tracer_now(t);
	char path[PATH_MAX];

	if (!e->by)
		e->by = model_program_of(t->model, proc_program(e->tid, path) ?
							   str_c(path) :
							   (struct str){ NULL, 0 });
	model_call(t->model, a, nr, 1, now);
	model_made(t->model, e->by, a, nr, 1, now);
}

/*
 * Whose arguments lie behind a pointer: e->args are that call's, which is returned. NULL: nothing is to
 * be told of it.
 */
static const struct trace_call *unpack(struct tracer *t, struct tracee *e, unsigned how)
{
	bool all = how & TRACE_PACKED_ALL;
	unsigned call = all || e->args[0] ? rules_selected(all ? 0 : e->args[0]) : 0;
	uint64_t at = e->args[all ? 0 : 1];
	uint32_t words[6] = { 0 };

	/* As many as the kernel reads are three to six, and behind them a page may end. */
	if (!call || (!stopped_memory(e->tid, at, words, sizeof(words)) &&
		      !stopped_memory(e->tid, at, words, sizeof(words) / 2)))
		return NULL;
	for (unsigned i = 0; i < 6; i++)
		e->args[i] = words[i];
	return &t->calls[call];
}

static void on_entry(struct tracer *t, struct tracee *e, const struct __ptrace_syscall_info *info)
{
	uint32_t nr = (uint32_t)info->entry.nr;
	const struct syscall_info *sys;
	const struct trace_call *c;
	int a = arch_of_call(info->arch, &nr);
	unsigned abi = 0;

	e->rule = 0;
	e->forking = false;
	if (a < 0 || nr >= TRACE_NRS)
		e->fsuid_known = false;
	if (a < 0) {
		t->r->run.losses.unknown_abi++;
		return;
	}
	if (nr >= TRACE_NRS) {
		t->r->run.odd_numbers++;
		return;
	}
	while (abi < TRACE_ABIS && abi_arch(abi) != a)
		abi++;
	BUG_ON(abi == TRACE_ABIS);
	c = &t->calls[abi * TRACE_NRS + nr];
	for (unsigned i = 0; i < 6; i++)
		e->args[i] = a == ARCH_I386 ? (uint32_t)info->entry.args[i] : info->entry.args[i];
	sys = syscall_by_nr((enum arch)a, nr);
	if (changes_fsuid(sys))
		e->fsuid_known = false;
	enter_phase(t, e, sys, c, a == ARCH_I386);
	count_call(t, e, (enum arch)a, nr);
	e->forking = sys && rules_make_task(sys->name);
	if (t->labels && sys && !strcmp(sys->name, "write") && a != ARCH_I386)
		record_write(t, e, (const uint64_t *)info->entry.args);
	if (!t->r->run.no_files)
		looks_of_call(t, e, sys, c);
	if (c->tuple & (TRACE_PACKED_ARGS | TRACE_PACKED_ALL) && !(c = unpack(t, e, c->tuple)))
		return;
	if (!(c->args | c->rule | c->tuple | c->address))
		return;
	e->rule = c->rule;
	if (c == &t->calls[abi * TRACE_NRS + nr])
		record_values(t, e, (enum arch)a, nr, c);
	record_tuple(t, e, (enum arch)a, nr, c);
	if (t->r->run.no_files) {
		look_without_files(t, e);
	} else {
		note_owner(t, e);
		if (c->tuple & TRACE_EARLY)
			begin_ask(t, e);
		if (t->rules[e->rule].op == TRACE_OP_EXISTS ||
		    t->rules[e->rule].op == TRACE_OP_HELD)
			signal_begin(t, e);
		if (sys && !strcmp(sys->name, "prctl") && e->args[0] == PR_SET_PDEATHSIG)
			signal_at_death(t, e);
	}
	if (c->address)
		record_address(t, e, c->address, abi != TRACE_NATIVE);
}

/* Is that a program, of which what would run it has failed the exec? flags: TRACE_IF_*. */
static bool is_tried(const struct tracee *e, const struct trace_rule *r, unsigned flags)
{
	int dir = r->fd[0] >= 0 ? (int)e->args[r->fd[0]] : -1, fd;
	char text[TRACE_PATH + 1], mine[TRACE_PATH + 32], full[TRACE_PATH + 64], root[32];
	bool keeps = r->at >= 0 && e->args[r->at] & TRACE_NOFOLLOW;
	struct stat st;

	if (stopped_text(e->tid, e->args[r->path[0]], text, TRACE_PATH) < 0)
		return false;
	fd = *text ? stopped_self_fd(text) : dir;
	snprintf(root, sizeof(root), "/proc/%d/root", (int)e->tid);
	if (fd >= 0)
		snprintf(full, sizeof(full), "/proc/%d/fd/%d", (int)e->tid, fd);
	else if (*text == '/')
		snprintf(full, sizeof(full), "%s%s", root, stopped_theirs(e->tid, text, mine));
	else if (dir >= 0)
		snprintf(full, sizeof(full), "/proc/%d/fd/%d/%s", (int)e->tid, dir, text);
	else
		snprintf(full, sizeof(full), "/proc/%d/cwd/%s", (int)e->tid, text);
	return !(fd < 0 && keeps ? lstat(full, &st) : stat(full, &st)) && model_may_run(&st) &&
	       (!(flags & TRACE_IF_REFUSED) || model_is_refused(full, root));
}

/* What was asked to be executed, and is not; error: why, 0: it was only asked whether it may be. */
static void record_executable(struct tracer *t, const struct tracee *e, struct trace_rule r,
			      uint32_t error)
{
	if (trace_if(error) && !is_tried(e, &r, trace_if(error)))
		return;
	r.flags[0] |= TRACE_FOLLOW | TRACE_TRIED;
	record_user_path(t, e, &r, 0, PERM_X);
}

static void on_return(struct tracer *t, struct tracee *e)
{
	const struct trace_rule *r = &t->rules[e->rule];
	int fd = r->fd[0] >= 0 ? (int)e->args[r->fd[0]] : -1;

	switch ((enum trace_op)r->op) {
	case TRACE_OP_OPEN:   /* with the result: see the caller */
	case TRACE_OP_PTRACE: /* only what fails is of interest: see the caller */
	case TRACE_OP_LABEL:  /* no call's */
	case TRACE_OP_ASKED:  /* nor this */
	case TRACE_OP_LOOK:   /* its name was looked at before it */
	case TRACE_OP_NONE: return;
	case TRACE_OP_EXEC: /* the exec event has done it */
		if (r->at >= 0 && trace_only_asks(e->args[r->at]))
			record_executable(t, e, *r, 0);
		return;
	case TRACE_OP_EXISTS:
	case TRACE_OP_HELD: signal_end(t, e); return;
	case TRACE_OP_QUEUE:
	case TRACE_OP_RING:
	case TRACE_OP_PIDFD:
	case TRACE_OP_PEER: begin_ask(t, e); /* fallthrough */
	case TRACE_OP_MOUNT:
	case TRACE_OP_UMOUNT:
	case TRACE_OP_PIVOT:
	case TRACE_OP_MOVE: end_ask(t, e); return;
	case TRACE_OP_MMAP:
		if (e->args[r->path[0]] & PROT_EXEC && fd >= 0)
			record_fd(t, e->tid, fd, PERM_M);
		return;
	case TRACE_OP_MPROTECT: record_mprotect(t, e, r); return;
	case TRACE_OP_FLOCK:
	case TRACE_OP_FCNTL: record_lock(t, e, r); return;
	case TRACE_OP_FD: record_fd(t, e->tid, fd, r->perms[0]); return;
	case TRACE_OP_PATH: record_user_path(t, e, r, 0, r->perms[0]); return;
	case TRACE_OP_RENAME: record_rename(t, e, r); return;
	case TRACE_OP_LINK: record_hard_link(t, e, r); return;
	case TRACE_OP_PIN: record_pin(t, e, r); return;
	case TRACE_OP_BIND: record_bind(t, e, r); return;
	}
	BUG("no such operation");
}

/* It was asked for all the same. */
static void on_failure(struct tracer *t, struct tracee *e, uint32_t error)
{
	struct trace_rule r = t->rules[e->rule];

	r.flags[0] |= error == TRACE_EISDIR ? TRACE_DIR : 0;
	if (r.op == TRACE_OP_EXEC)
		record_executable(t, e, r, error);
	else if (r.op == TRACE_OP_OPEN)
		record_unopened(t, e, &r, error);
	else if (r.op == TRACE_OP_PATH)
		record_user_path(t, e, &r, 0, r.perms[0]);
	else
		on_return(t, e);
}

/* A task has one tracer. What the workload wanted to trace is ours already: it is told EPERM. */
static void on_refused_ptrace(struct tracer *t, struct tracee *e)
{
	int request = (int)e->args[0];

	if (request == PTRACE_TRACEME || ((request == PTRACE_ATTACH || request == PTRACE_SEIZE) &&
					  stopped_may_trace(e->tid, (pid_t)e->args[1])))
		t->r->run.losses.tracing++;
	/* Without pale it would have been let, and AppArmor asked. */
	begin_ask(t, e);
	end_ask(t, e);
}

static void on_leave(struct tracer *t, struct tracee *e, const struct __ptrace_syscall_info *info)
{
	uint8_t op = t->rules[e->rule].op;

	/* CLONE_UNTRACED children run unseen: that is a loss, and said. */
	if (e->forking && !info->exit.is_error)
		t->r->run.losses.hidden++;
	e->forking = false;
	if (op == TRACE_OP_PTRACE && info->exit.is_error && info->exit.rval == -EPERM)
		on_refused_ptrace(t, e);
	if (op == TRACE_OP_OPEN && !info->exit.is_error) {
		record_open(t, e, &t->rules[e->rule], (int)info->exit.rval);
	} else if (!info->exit.is_error) {
		on_return(t, e);
	} else {
		if (op ==
		    TRACE_OP_OPEN) /* what is not there may have been looked for in another process */
			looks_of_open(t, e, NULL, NULL);
		if (trace_was_asked(&t->rules[e->rule], (uint32_t)-info->exit.rval))
			on_failure(t, e, (uint32_t)-info->exit.rval);
	}
	ask_drop(e->ask);
	e->ask = NULL;
	free(e->sending);
	e->sending = NULL;
	e->rule = 0;
}

void tracee_called(struct tracer *t, struct tracee *e)
{
	struct __ptrace_syscall_info info = { 0 };

	if (ptrace(PTRACE_GET_SYSCALL_INFO, e->tid, (void *)sizeof(info), &info) <= 0) {
		t->r->run.losses.unread += errno != ESRCH; /* it may have been killed meanwhile */
		return;
	}
	/* The two have what is looked at in the same places. */
	if (info.op == PTRACE_SYSCALL_INFO_ENTRY || info.op == PTRACE_SYSCALL_INFO_SECCOMP)
		on_entry(t, e, &info);
	else if (info.op == PTRACE_SYSCALL_INFO_EXIT)
		on_leave(t, e, &info);
}

/* See on_return(). */
bool tracee_awaits(const struct tracer *t, const struct tracee *e)
{
	const struct trace_rule *r = &t->rules[e->rule];

	switch (r->op) {
	case TRACE_OP_NONE: return e->forking;
	case TRACE_OP_MMAP: return e->args[r->path[0]] & PROT_EXEC;
	case TRACE_OP_MPROTECT: return e->args[r->at] & PROT_EXEC;
	case TRACE_OP_PEER: return r->at < 0 || (uint32_t)e->args[r->at] == TRACE_SCHED_CORE;
	case TRACE_OP_FCNTL:
		return (uint32_t)e->args[r->at] == TRACE_F_SETLEASE ||
		       trace_is_lock((uint32_t)e->args[r->at]);
	}
	return true;
}

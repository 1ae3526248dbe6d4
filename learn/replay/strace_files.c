/* SPDX-License-Identifier: Apache-2.0 */
#include "learn/replay/strace_files.h"

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

#include "compiler/base/bug.h"
#include "compiler/policy/policy.h"

struct looking {
	struct replay *r;
	struct strace_files *f;
	const struct strace_line *l;
	const struct strace_called *c;
	const struct strace_when *when;
};

static struct access access_of(const struct looking *k, unsigned perms)
{
	/* Whose a file is, strace does not show. */
	return (struct access){ .perms = perms,
				.pid = replay_pid(k->l->head.pid),
				.count = 1,
				.first_ns = k->when->since };
}

static struct str argument(const struct looking *k, int i)
{
	return i >= 0 && (unsigned)i < k->l->nargs ? k->l->args[i] : (struct str){ "", 0 };
}

/* Is the name in a process' own view of itself? Others read it as another. */
static bool is_own_view(const char *path)
{
	return !strncmp(path, "/proc/self/", 11) || !strncmp(path, "/proc/thread-self/", 18) ||
	       !strncmp(path, "/dev/fd/", 8);
}

/* ---- working directories ---- */

enum { CWD_BYTES = 16 << 20 };

static void set_cwd(struct replay *r, struct strace_files *f, struct str shown, const char **cwd)
{
	char path[PATH_MAX];
	ptrdiff_t n = strace_descriptor(shown, path, sizeof(path) - 1);

	if (n <= 0 || path[0] != '/' || memchr(path, 0, (size_t)n)) {
		*cwd = NULL;
		return;
	}
	path[n] = 0;
	if (*cwd && !strcmp(*cwd, path))
		return;
	f->kept += (size_t)n + 1;
	*cwd = f->kept <= CWD_BYTES ? arena_strdup(r->s->arena, path) : NULL;
}

void strace_note_cwd(struct replay *r, struct strace_files *f, const struct strace_line *l,
		     const char **cwd)
{
	for (unsigned i = 0; i < l->nargs; i++)
		if (str_starts(l->args[i], "AT_FDCWD<"))
			set_cwd(r, f, l->args[i], cwd);
}

/* ---- descriptors ---- */

/* Its path, NUL-terminated; false: it has none, or strace was not asked to show them. */
static bool descriptor(struct looking *k, struct str arg, char out[PATH_MAX + 1])
{
	ptrdiff_t n = strace_descriptor(arg, out, PATH_MAX - 1);

	if (n <= 0 || memchr(out, 0, (size_t)n))
		return false;
	out[n] = 0;
	k->f->decoded |= out[0] == '/';
	return true;
}

/* Below /proc/PID of another process: the kernel may ask for the right to trace that one. */
static void note_peers(const struct looking *k, const char *path, struct access *how)
{
	int pid = 0, n = 0;
	uint64_t leader;

	if (sscanf(path, "/proc/%d/%n", &pid, &n) != 1 || !n || pid <= 0 || !k->l->head.pid.n)
		return;
	leader = k->when->leader_of(k->r, (uint64_t)pid);
	how->peers = leader != k->when->leader;
	how->ours = how->peers && leader;
}

static model_ref record_descriptor(struct looking *k, struct str arg, unsigned perms, bool dir)
{
	struct access how = access_of(k, perms);
	char path[PATH_MAX + 1];
	size_t n;

	if (!descriptor(k, arg, path)) {
		k->r->r->run.losses.paths_unresolved++;
		return 0;
	}
	if (path[0] != '/' || !strncmp(path, "/memfd:", 7)) {
		k->r->r->run.disconnected++;
		return 0;
	}
	note_peers(k, path, &how);
	n = strlen(path);
	if (dir && path[n - 1] != '/')
		path[n++] = '/';
	return model_file(k->r->m, (struct str){ path, n }, &how);
}

/* openat2's: "{flags=O_RDONLY|O_CLOEXEC, resolve=0}"; and creat has none. */
static uint64_t open_flags(struct looking *k)
{
	const struct trace_rule *rule = &k->c->rule;
	uint64_t flags;

	if (rule->at < 0)
		return O_CREAT | O_WRONLY | O_TRUNC;
	if (!(rule->flags[0] & TRACE_HOW))
		return strace_value(k->r, k->l, k->c, (unsigned)rule->at, UINT64_MAX);
	return strace_flags(argument(k, rule->at), "open", k->c->arch, &flags) ? flags : UINT64_MAX;
}

static void record_open(struct looking *k)
{
	uint64_t flags = open_flags(k);
	unsigned perms;

	if (flags == UINT64_MAX) {
		k->r->r->run.losses.paths_unresolved++;
		return;
	}
	perms = trace_open_perms(flags);
	if (perms)
		record_descriptor(k, k->l->result, perms, flags & O_DIRECTORY);
}

static void record_mapping(struct looking *k)
{
	const struct trace_rule *rule = &k->c->rule;
	struct str fd = argument(k, rule->fd[0]);
	uint64_t prot = strace_value(k->r, k->l, k->c, (unsigned)rule->path[0], 0);

	if (prot & PROT_EXEC && fd.n && fd.p[0] != '-')
		record_descriptor(k, fd, PERM_M, false);
}

static void record_lock(struct looking *k)
{
	const struct trace_rule *rule = &k->c->rule;
	struct str command = argument(k, rule->at), how = argument(k, 2);
	unsigned perms = rule->perms[0];
	bool writes = how.n && memmem(how.p, how.n, "F_WRLCK", 7);

	if (rule->op == TRACE_OP_FLOCK)
		writes = command.n && memmem(command.p, command.n, "LOCK_EX", 7);
	else if (!command.n || (!memmem(command.p, command.n, "SETLK", 5) &&
				!memmem(command.p, command.n, "F_SETLEASE", 10)))
		return;
	record_descriptor(k, argument(k, rule->fd[0]), perms | (writes ? PERM_W : 0), false);
}

/* ---- names ---- */

/* The directory that a name is seen from; false: strace does not show it. */
static bool base_of(struct looking *k, int fd, const char *text, char out[PATH_MAX + 1])
{
	strcpy(out, *text == '/' || !*k->when->cwd ? "/" : *k->when->cwd);
	if (*text == '/' || (fd < 0 && *k->when->cwd))
		return true;
	return fd >= 0 && descriptor(k, argument(k, fd), out) && out[0] == '/';
}

/* Links in it are not followed: what they lead to now is not what they led to then. */
static model_ref record_name(struct looking *k, int fd, struct str arg, unsigned perms,
			     unsigned flags)
{
	struct access how = access_of(k, perms);
	char text[PATH_MAX], base[PATH_MAX + 1];
	ptrdiff_t n = strace_string(arg, text, sizeof(text) - 1);

	how.socket = flags & TRACE_SOCKET;
	if (n < 0 || memchr(text, 0, (size_t)n)) {
		k->r->r->run.losses.paths_unresolved++;
		return 0;
	}
	text[n] = 0;
	if (!n && fd >= 0)
		return record_descriptor(k, argument(k, fd), perms, false);
	if (!n || is_own_view(text) || !base_of(k, fd, text, base)) {
		k->r->r->run.losses.paths_unresolved++;
		return 0;
	}
	return model_join(k->r->m, base, text, flags | TRACE_ELSEWHERE, &how);
}

static model_ref record_path(struct looking *k, int i, unsigned perms)
{
	const struct trace_rule *rule = &k->c->rule;
	unsigned flags = rule->flags[i];

	if (rule->at >= 0 && rule->op == TRACE_OP_PATH)
		flags = trace_at(flags,
				 (uint32_t)strace_value(k->r, k->l, k->c, (unsigned)rule->at, 0));
	return record_name(k, rule->fd[i], argument(k, rule->path[i]), perms, flags);
}

static void record_pair(struct looking *k)
{
	const struct trace_rule *rule = &k->c->rule;
	bool renames = rule->op == TRACE_OP_RENAME;
	struct str how = argument(k, rule->at);
	bool both = renames && how.n && memmem(how.p, how.n, "RENAME_EXCHANGE", 15);
	model_ref from = record_path(k, 0, rule->perms[0]);
	model_ref to = record_path(k, 1, rule->perms[both ? 0 : 1]);

	if (renames)
		model_renamed(k->r->m, from, to);
	else
		model_linked(k->r->m, from, to);
}

/* "{sa_family=AF_UNIX, sun_path="/run/x"}"; abstract names (sun_path=@"x") are no files. */
static void record_address(struct looking *k)
{
	static const char mark[] = "sun_path=\"";
	const struct trace_rule *rule = &k->c->rule;
	struct str address = argument(k, rule->path[0]);
	const char *p = address.n ? memmem(address.p, address.n, mark, sizeof(mark) - 1) : NULL;
	const char *end;

	if (!p)
		return;
	p += sizeof(mark) - 2;
	end = strace_skip_string(p);
	record_name(k, -1, (struct str){ p, (size_t)(end - p) }, rule->perms[0], rule->flags[0]);
}

/* "BPF_OBJ_PIN, {pathname="/sys/fs/bpf/x", bpf_fd=3, ...}" */
static void record_pin(struct looking *k)
{
	static const char mark[] = "{pathname=\"";
	const struct trace_rule *rule = &k->c->rule;
	struct str attr = argument(k, rule->path[0]);

	if (!str_is(argument(k, rule->at), "BPF_OBJ_PIN"))
		return;
	if (!str_starts(attr, mark)) {
		k->r->r->run.losses.paths_unresolved++;
		return;
	}
	attr.p += sizeof(mark) - 2;
	record_name(k, -1, (struct str){ attr.p, (size_t)(strace_skip_string(attr.p) - attr.p) },
		    rule->perms[0], rule->flags[0]);
}

static void record_exec(struct looking *k)
{
	const struct trace_rule *rule = &k->c->rule;

	k->f->executed = record_name(k, rule->fd[0], argument(k, rule->path[0]),
				     PERM_X | PERM_R | PERM_M, TRACE_FOLLOW);
}

/* ---- one call ---- */

static void record_call(struct looking *k)
{
	const struct trace_rule *rule = &k->c->rule;

	switch ((enum trace_op)rule->op) {
	case TRACE_OP_NONE:
	case TRACE_OP_MOUNT:
	case TRACE_OP_UMOUNT:
	case TRACE_OP_PIVOT:
	case TRACE_OP_MOVE:
	case TRACE_OP_QUEUE:
	case TRACE_OP_RING:
	case TRACE_OP_PTRACE:
	case TRACE_OP_LOOK:
	case TRACE_OP_PIDFD:
	case TRACE_OP_PEER:
	case TRACE_OP_LABEL:
	case TRACE_OP_ASKED:
	case TRACE_OP_EXISTS:
	case TRACE_OP_HELD: return; /* no files */
	case TRACE_OP_OPEN: record_open(k); return;
	case TRACE_OP_MMAP: record_mapping(k); return;
	case TRACE_OP_MPROTECT:
		if (strace_value(k->r, k->l, k->c, (unsigned)rule->at, 0) & PROT_EXEC)
			k->r->r->run.unseen_exec++;
		return;
	case TRACE_OP_FLOCK:
	case TRACE_OP_FCNTL: record_lock(k); return;
	case TRACE_OP_FD:
		record_descriptor(k, argument(k, rule->fd[0]), rule->perms[0], false);
		return;
	case TRACE_OP_PATH: record_path(k, 0, rule->perms[0]); return;
	case TRACE_OP_RENAME:
	case TRACE_OP_LINK: record_pair(k); return;
	case TRACE_OP_BIND: record_address(k); return;
	case TRACE_OP_PIN: record_pin(k); return;
	case TRACE_OP_EXEC: record_exec(k); return;
	}
	BUG("no such operation");
}

/* Only what is looked at tells that it is a directory: "fstat(3</d>, {st_mode=S_IFDIR|0755, ...}) = 0". */
static void record_looked_at(struct looking *k)
{
	bool lists = str_starts(k->l->name, "getdents");
	struct str fd = argument(k, 0);

	for (unsigned i = 1; i < k->l->nargs && !lists; i++)
		lists = str_starts(k->l->args[i], "{st_mode=S_IFDIR");
	if (lists && fd.n && *fd.p >= '0' && *fd.p <= '9' && memchr(fd.p, '<', fd.n))
		record_descriptor(k, fd, PERM_R, true);
}

void strace_record_files(struct replay *r, struct strace_files *f, const struct strace_line *l,
			 const struct strace_called *c, const struct strace_when *when)
{
	struct looking k = { r, f, l, c, when };

	if (!l->result.n || l->result.p[0] == '-' || l->result.p[0] == '?')
		return;
	record_call(&k);
	if (str_is(l->name, "fchdir"))
		set_cwd(r, f, argument(&k, 0), when->cwd);
	else if (str_is(l->name, "chdir"))
		*when->cwd = NULL;
	if (c->rule.op == TRACE_OP_NONE)
		record_looked_at(&k);
}

void strace_program(struct replay *r, const struct strace_line *l)
{
	char text[PATH_MAX];
	ptrdiff_t n = l->nargs ? strace_string(l->args[0], text, sizeof(text) - 1) : -1;

	if (n <= 0 || memchr(text, 0, (size_t)n))
		return;
	text[n] = 0;
	r->r->run.name = strrchr(text, '/') ? strrchr(text, '/') + 1 : text;
	r->r->run.name = arena_strdup(r->s->arena, r->r->run.name);
	if (text[0] == '/')
		r->r->run.program = arena_strdup(r->s->arena, text);
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "learn/looks_ptrace.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "compiler/base/bug.h"
#include "learn/leads.h"
#include "learn/proc.h"
#include "learn/stopped.h"

/* Of openat2(2), which then follows none of these links. */
#define NO_MAGIC_LINKS                                                                             \
	(RESOLVE_NO_MAGICLINKS | RESOLVE_NO_SYMLINKS | RESOLVE_BENEATH | RESOLVE_IN_ROOT)

struct look {
	struct tracer *t;
	const struct tracee *e;
	bool of_file; /* the call asks about what the name leads to, and not by opening it */
	bool alone;   /* nothing else of the call tells that its name could not be read */
};

/* Of its own process the kernel does not ask (kernel/ptrace.c, __ptrace_may_access()). */
static bool is_own(const struct tracee *e, pid_t pid, bool theirs)
{
	long long leader;

	if (theirs)
		return (unsigned)pid == e->pid;
	leader = proc_field(pid, "status", "\nTgid:", "%lld");
	return e->leader == (leader < 0 ? pid : leader);
}

/* Is it recorded, too? By the number that it has for itself where only that is known. */
static bool is_ours(const struct tracer *t, pid_t pid, bool theirs)
{
	if (!theirs)
		return tracer_find(t, pid) != NULL;
	for (size_t i = 0; i < TRACEE_BUCKETS; i++)
		for (const struct tracee *e = t->buckets[i]; e; e = e->next)
			if (e->pid == (unsigned)pid)
				return true;
	return false;
}

static void tell(const void *to, const struct lead *lead)
{
	const struct look *l = to;
	const struct trace_rule rule = { .op = TRACE_OP_PEER, .perms = { TRACE_R } };
	struct ask ask = { .rule = &rule, .count = 1, .first_ns = tracer_now(l->t) };

	l->t->r->run.namespace_files += l->of_file && lead->space;
	if (is_own(l->e, lead->pid, lead->theirs))
		return;
	ask.value = is_ours(l->t, lead->pid, lead->theirs) ? TRACE_ASK_OURS : 0;
	ask_record(l->t->model, &ask);
}

static void look_at(const struct look *l, int dir, uint64_t at, enum leads_last last)
{
	pid_t tid = l->e->tid;
	char text[TRACE_PATH + 1];

	ssize_t n = at ? stopped_text(tid, at, text, TRACE_PATH) : 0;

	/* One that we may not read, of a task that is not dumpable, is lost with the file that it is of. */
	if (n < 0 && errno == EPERM && l->alone)
		l->t->r->run.losses.paths_unresolved++;
	if (n > 0)
		leads_find(tid, dir, text, last, l->t->moved && proc_elsewhere(tid) != 0, tell, l);
}

static int descriptor(const struct tracee *e, int arg)
{
	return arg >= 0 ? (int)e->args[arg] : -1;
}

/* What calls take from a root, or mounts, that were ours: from then on each task is looked at. */
static void note_moves(struct tracer *t, const struct tracee *e, const struct syscall_info *sys)
{
	static const char *const movers[] = { "chroot", "pivot_root", "unshare", "setns" };
	uint64_t flags = 0;

	for (size_t i = 0; i < ARRAY_SIZE(movers); i++)
		t->moved |= !strcmp(sys->name, movers[i]);
	if (!strcmp(sys->name, "clone"))
		flags = e->args[0];
	else if (!strcmp(sys->name, "clone3"))
		stopped_memory(e->tid, e->args[0], &flags, sizeof(flags));
	t->moved |= (flags & CLONE_NEWNS) != 0;
}

/* Of an open: does it follow what is last? -1: it follows none of these links at all. */
static int open_last(const struct tracee *e, const struct trace_rule *r)
{
	uint64_t how[3] = { r->at >= 0 ? e->args[r->at] : 0 };

	if (r->flags[0] & TRACE_HOW && !stopped_memory(e->tid, how[0], how, sizeof(how)))
		return -1;
	if (r->flags[0] & TRACE_HOW && how[2] & NO_MAGIC_LINKS)
		return -1;
	return how[0] & O_NOFOLLOW ? LEADS_KEPT : LEADS_FOLLOWED;
}

static int last_of(const struct tracee *e, const struct trace_rule *r, int i)
{
	unsigned flags = r->flags[i];

	switch ((enum trace_op)r->op) {
	case TRACE_OP_LOOK: return LEADS_READ;
	case TRACE_OP_EXEC: flags |= TRACE_FOLLOW; /* fallthrough */
	case TRACE_OP_LINK:
	case TRACE_OP_PATH:
		if (r->at >= 0 && !i)
			flags = trace_at(flags, (uint32_t)e->args[r->at]);
		/* fallthrough */
	case TRACE_OP_RENAME:
	case TRACE_OP_MOUNT:
	case TRACE_OP_UMOUNT:
	case TRACE_OP_PIVOT:
	case TRACE_OP_MOVE: return flags & TRACE_FOLLOW ? LEADS_FOLLOWED : LEADS_KEPT;
	default: return -1; /* no name, or one that is told apart */
	}
}

/*
 * Where calls pass that nobody looks at (trace_seccomp.c): that names may begin below another process, which is
 * entered, held, or made what a link leads to.
 */
static void note_base(struct tracer *t, const struct tracee *e, const struct trace_call *c)
{
	const struct trace_rule *r = &t->rules[c->rule];
	char text[TRACE_PATH + 1];
	uint64_t at = 0;
	int pid;

	if (r->op == TRACE_OP_OPEN && r->at >= 0 && !(r->flags[0] & TRACE_HOW) &&
	    e->args[r->at] & TRACE_O_PATH)
		at = e->args[r->path[0]];
	else if (r->op == TRACE_OP_PATH && r->flags[0] & TRACE_SYMLINK)
		at = e->args[0];
	else if (c->names & TRACE_NAMES_BASE)
		at = e->args[0];
	if (at && stopped_text(e->tid, at, text, TRACE_PATH) > 0 &&
	    sscanf(text, "/proc/%d", &pid) == 1 && !is_own(e, pid, false))
		t->r->run.looks_below++;
}

void looks_of_call(struct tracer *t, const struct tracee *e, const struct syscall_info *sys,
		   const struct trace_call *c)
{
	const struct trace_rule *r = &t->rules[c->rule];
	const struct look l = { t, e, !c->rule, !c->rule || r->op == TRACE_OP_LOOK };
	bool kept = c->names & TRACE_NAMES_KEPT;

	if (sys)
		note_moves(t, e, sys);
	if (!t->r->run.looks_observed)
		note_base(t, e, c);
	for (int i = 0; c->rule && i < 2; i++) {
		int last = r->path[i] >= 0 ? last_of(e, r, i) : -1;

		if (last >= 0)
			look_at(&l, descriptor(e, r->fd[i]), e->args[r->path[i]],
				(enum leads_last)last);
	}
	if (c->rule || !c->names)
		return;
	kept |= c->names_at >= 0 && e->args[c->names_at] & TRACE_NOFOLLOW;
	look_at(&l, descriptor(e, c->names_dir), e->args[c->names & TRACE_NAMES_SECOND ? 1 : 0],
		kept ? LEADS_KEPT : LEADS_FOLLOWED);
}

/* What is opened has no other name than the one that was given: no link stood in its way. */
static bool is_name_of(const struct tracee *e, int dir, const char *name, const char *path)
{
	char link[32] = "cwd", base[PATH_MAX];
	size_t n;

	if (*name == '/')
		return !strcmp(name, path);
	if (dir >= 0)
		snprintf(link, sizeof(link), "fd/%d", dir);
	if (!proc_link(e->tid, link, base))
		return false;
	n = strcmp(base, "/") ? strlen(base) : 0;
	return !strncmp(base, path, n) && path[n] == '/' && !strcmp(name, path + n + 1);
}

void looks_of_open(struct tracer *t, const struct tracee *e, const char *name, const char *path)
{
	const struct trace_rule *r = &t->rules[e->rule];
	const struct look l = { t, e, false, !name };
	int dir = descriptor(e, r->fd[0]), last;

	if (r->path[0] < 0 || (path && name && is_name_of(e, dir, name, path)))
		return;
	last = open_last(e, r);
	if (last >= 0)
		look_at(&l, dir, e->args[r->path[0]], (enum leads_last)last);
}

void looks_at_address(struct tracer *t, const struct tracee *e, const struct addressed *to)
{
	const struct look l = { t, e, false, false };
	char text[TRACE_PATH + 1];
	uint16_t family;

	if (to->len <= sizeof(family) || !stopped_memory(e->tid, to->at, &family, sizeof(family)) ||
	    family != AF_UNIX ||
	    stopped_text(e->tid, to->at + sizeof(family), text, to->len - sizeof(family)) <= 0)
		return;
	leads_find(e->tid, -1, text, to->op == ADDRESS_BIND ? LEADS_KEPT : LEADS_FOLLOWED,
		   t->moved && proc_elsewhere(e->tid) != 0, tell, &l);
}

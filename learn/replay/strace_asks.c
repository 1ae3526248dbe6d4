/* SPDX-License-Identifier: Apache-2.0 */
/* What strace's calls asked of AppArmor's classes beside files, by the rules of a live recording (asks.h). */
#include <limits.h>
#include <linux/io_uring.h>
#include <stdio.h>
#include <string.h>

#include "learn/asks.h"
#include "learn/proc.h"
#include "learn/replay/strace_files.h"

enum { PIDFDS_MAX = 4096 };

struct asking {
	struct replay *r;
	const struct strace_line *l;
	const struct strace_called *c;
	const struct strace_when *when;
	struct trace_rule rule;
	struct ask ask;
	char text[3][PATH_MAX + 1], base[2][PATH_MAX + 1];
};

static struct str argument(const struct asking *k, int i)
{
	return i >= 0 && (unsigned)i < k->l->nargs ? k->l->args[i] : (struct str){ "", 0 };
}

static uint64_t number(const struct asking *k, int i)
{
	return strace_value(k->r, k->l, k->c, (unsigned)i, 0);
}

/* ---- names ---- */

static bool take_text(struct asking *k, int which, int arg)
{
	ptrdiff_t n;

	if (str_is(argument(k, arg), "NULL"))
		return true;
	n = strace_string(argument(k, arg), k->text[which], PATH_MAX);
	if (n < 0 || memchr(k->text[which], 0, (size_t)n))
		return false;
	k->text[which][n] = 0;
	k->ask.names[which].text = k->text[which];
	return true;
}

static bool take_name(struct asking *k, int which)
{
	int fd = k->rule.fd[which];
	char *base = k->base[which];
	ptrdiff_t n = 1;

	if (!take_text(k, which, k->rule.path[which]))
		return false;
	strcpy(base, "/");
	if (!k->ask.names[which].text)
		return true;
	if (*k->text[which] != '/' && fd >= 0)
		n = strace_descriptor(argument(k, fd), base, PATH_MAX);
	else if (*k->text[which] != '/' && *k->when->cwd)
		n = snprintf(base, PATH_MAX, "%s", *k->when->cwd);
	else if (*k->text[which] != '/')
		return false;
	if (n <= 0 || n >= PATH_MAX || *base != '/')
		return false;
	base[n] = 0;
	k->ask.names[which].base = base;
	k->ask.names[which].flags = k->rule.flags[which] | TRACE_ELSEWHERE;
	return true;
}

static bool take_mount(struct asking *k)
{
	bool moves = k->rule.op == TRACE_OP_MOVE;

	if (!take_name(k, 0))
		return false;
	if (k->rule.path[1] >= 0 && !(moves && k->ask.value & TRACE_EMPTY_PATH) && !take_name(k, 1))
		return false;
	return k->rule.op != TRACE_OP_MOUNT || take_text(k, 2, 2);
}

/* ---- processes ---- */

static uint64_t ours(const struct asking *k, uint64_t pid)
{
	return k->when->leader_of(k->r, pid) ? TRACE_ASK_OURS : 0;
}

/* Of a log without numbers of processes nobody knows who is who. */
static bool is_own(const struct asking *k, uint64_t pid)
{
	return !pid || !k->l->head.pid.n || k->when->leader_of(k->r, pid) == k->when->leader;
}

static bool asks_peer(const struct asking *k)
{
	struct str at = argument(k, k->rule.at);

	if (str_is(at, "PR_SCHED_CORE"))
		return true;
	return !memmem(at.p, at.n, STR("PERF_FLAG_PID_CGROUP").p, STR("PERF_FLAG_PID_CGROUP").n) &&
	       trace_asks_peer(k->rule.at, (uint32_t)k->ask.value);
}

/* "kcmp(12, 13, ...)"; false: nobody else is asked about. */
static bool take_peer(struct asking *k)
{
	uint64_t pid = number(k, k->rule.fd[0]);

	if (!asks_peer(k) || (int)pid < 0)
		return false; /* -1: of all, or of nobody */
	if (is_own(k, pid) && k->rule.fd[1] >= 0)
		pid = number(k, k->rule.fd[1]);
	k->ask.value = ours(k, pid);
	return !is_own(k, pid);
}

/* Which process stands behind it: -yy says so, and pidfd_open(2) did. */
static bool take_pidfd(struct asking *k)
{
	struct str fd = argument(k, k->rule.fd[0]);
	uint64_t pid = 0, at;
	char path[64];
	ptrdiff_t n = strace_descriptor(fd, path, sizeof(path));
	size_t digits = strspn(fd.p, "0123456789");

	if (n > 4 && !memcmp(path, "pid:", 4)) {
		if (str_u64((struct str){ path + 4, (size_t)n - 4 }, &pid))
			return false;
	} else if (n > 0 && !memmem(path, (size_t)n, "pidfd", 5)) {
		return false; /* a namespace, of setns(2) */
	}
	if (!pid && !str_u64((struct str){ fd.p, digits < fd.n ? digits : fd.n }, &at))
		vec_each(&k->when->pidfds->list, x)
			if (x->leader == k->when->leader && x->fd == at)
				pid = x->pid;
	k->ask.value = pid ? ours(k, pid) : 0;
	return true;
}

static bool take_trace(struct asking *k)
{
	uint64_t request = number(k, k->rule.at);

	k->ask.value = request;
	if (request == TRACE_TRACEME)
		k->ask.value |= TRACE_ASK_OURS;
	else if (request == TRACE_ATTACH || request == TRACE_SEIZE)
		k->ask.value |= ours(k, number(k, k->rule.fd[0]));
	else
		return false;
	return true;
}

/* A name that leads by another process (fs/proc/base.c, proc_pid_get_link). */
static bool take_look(struct asking *k)
{
	pid_t pid;

	if (k->rule.path[0] < 0 || !take_text(k, 0, k->rule.path[0]))
		return false;
	pid = proc_leads_by(k->text[0], true);
	if (is_own(k, (uint64_t)pid))
		return false;
	k->rule = (struct trace_rule){ .op = TRACE_OP_PEER, .perms = { TRACE_R } };
	k->ask.names[0].text = NULL;
	k->ask.value = ours(k, (uint64_t)pid);
	return true;
}

/* ---- one call ---- */

static void note_pidfd(struct asking *k)
{
	struct strace_pidfd fresh = { .leader = k->when->leader };
	struct strace_pidfds *all = k->when->pidfds;
	size_t n = 0;

	while (n < k->l->result.n && k->l->result.p[n] >= '0' && k->l->result.p[n] <= '9')
		n++;
	if (str_u64((struct str){ k->l->result.p, n }, &fresh.fd) ||
	    str_u64(argument(k, 0), &fresh.pid))
		return;
	vec_each(&all->list, x)
		if (x->leader == fresh.leader && x->fd == fresh.fd) {
			x->pid = fresh.pid;
			return;
		}
	if (all->list.n < PIDFDS_MAX)
		vec_push(k->r->s->arena, &all->list, fresh);
}

/* False: nothing is asked. *lost: it cannot be read. */
static bool take(struct asking *k, bool *lost)
{
	const char *setup = "IORING_SETUP_SQPOLL";
	struct str params;

	if (k->rule.at >= 0)
		k->ask.value = number(k, k->rule.at);
	switch ((enum trace_op)k->rule.op) {
	case TRACE_OP_MOUNT:
	case TRACE_OP_UMOUNT:
	case TRACE_OP_PIVOT:
	case TRACE_OP_MOVE: *lost = !take_mount(k); return true;
	case TRACE_OP_QUEUE: *lost = !take_text(k, 0, k->rule.path[0]); return true;
	case TRACE_OP_RING:
		params = argument(k, k->rule.path[0]);
		k->ask.value =
			memmem(params.p, params.n, setup, strlen(setup)) ? IORING_SETUP_SQPOLL : 0;
		return true;
	case TRACE_OP_PTRACE: return take_trace(k);
	case TRACE_OP_OPEN:
	case TRACE_OP_LOOK: return take_look(k);
	case TRACE_OP_PIDFD: return take_pidfd(k);
	case TRACE_OP_PEER: return take_peer(k);
	default: return false;
	}
}

void strace_record_ask(struct replay *r, const struct strace_line *l, const struct strace_called *c,
		       const struct strace_when *when)
{
	struct asking k = { .r = r, .l = l, .c = c, .when = when, .rule = c->rule };
	bool refused = l->result.n && l->result.p[0] == '-', lost = false;

	/* A task has one tracer, and it is strace: what would have been let was refused for that. */
	if (!l->result.n || l->result.p[0] == '?' ||
	    (refused && (c->rule.op != TRACE_OP_PTRACE || !str_starts(l->result, "-1 EPERM"))))
		return;
	if (str_is(l->name, "pidfd_open"))
		note_pidfd(&k);
	k.ask.rule = &k.rule;
	k.ask.count = 1;
	k.ask.first_ns = when->since;
	if (!take(&k, &lost))
		return;
	if (lost)
		r->r->run.losses.paths_unresolved++;
	else
		ask_record(r->m, &k.ask);
}

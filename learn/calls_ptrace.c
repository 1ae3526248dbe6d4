/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a call of a stopped task tells, from its start to its end: the ptrace backend's counterpart of
 * calls.bpf.h and ends.bpf.h, by the same rules.
 */
#include "learn/tracee.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>

#include "compiler/base/bug.h"
#include "compiler/policy/policy.h"
#include "learn/address.h"
#include "learn/files_ptrace.h"
#include "learn/looks_ptrace.h"
#include "learn/proc.h"
#include "learn/serve_ptrace.h"
#include "learn/signal_ptrace.h"
#include "learn/stopped.h"

/*
 * May the call change it? Those do that set ids, and an exec of a set-id program (commit_creds() in
 * kernel/sys.c and fs/exec.c); each is stopped at, also where a filter chooses. A wide net is cheap.
 */
static bool changes_fsuid(const struct syscall_info *sys)
{
	return !sys || !strncmp(sys->name, "set", 3) || !strncmp(sys->name, "exec", 4);
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
			files_fd(t, e->tid, (int)e->args[r->fd[0]], PERM_M);
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
		files_unix(t, e, &to, PERM_W, TRACE_FOLLOW | TRACE_SOCKET);
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
		files_owner(t, e);
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
			files_tried(t, e, r, 0);
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
			files_fd(t, e->tid, fd, PERM_M);
		return;
	case TRACE_OP_MPROTECT: files_mprotect(t, e, r); return;
	case TRACE_OP_FLOCK:
	case TRACE_OP_FCNTL: files_lock(t, e, r); return;
	case TRACE_OP_FD: files_fd(t, e->tid, fd, r->perms[0]); return;
	case TRACE_OP_PATH: files_path(t, e, r, 0, r->perms[0]); return;
	case TRACE_OP_RENAME: files_renamed(t, e, r); return;
	case TRACE_OP_LINK: files_linked(t, e, r); return;
	case TRACE_OP_PIN: files_pin(t, e, r); return;
	case TRACE_OP_BIND: files_bind(t, e, r); return;
	}
	BUG("no such operation");
}

/* It was asked for all the same. */
static void on_failure(struct tracer *t, struct tracee *e, uint32_t error)
{
	struct trace_rule r = t->rules[e->rule];

	r.flags[0] |= error == TRACE_EISDIR ? TRACE_DIR : 0;
	if (r.op == TRACE_OP_EXEC)
		files_tried(t, e, &r, error);
	else if (r.op == TRACE_OP_OPEN)
		files_unopened(t, e, &r, error);
	else if (r.op == TRACE_OP_PATH)
		files_path(t, e, &r, 0, r.perms[0]);
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
		files_open(t, e, &t->rules[e->rule], (int)info->exit.rval);
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
	case TRACE_OP_PEER: return trace_asks_peer(r->at, r->at < 0 ? 0 : (uint32_t)e->args[r->at]);
	case TRACE_OP_FCNTL:
		return (uint32_t)e->args[r->at] == TRACE_F_SETLEASE ||
		       trace_is_lock((uint32_t)e->args[r->at]);
	}
	return true;
}

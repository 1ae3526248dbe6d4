/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Start and serving: what could be dropped once a program has started, and the second policy, which it
 * loads itself then: filters stack, and the tighter answer counts.
 */
#include <linux/seccomp.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>

#include "compiler/base/bug.h"
#include "learn/model.h"
#include "learn/proposal.h"

/* What is told by name where it could be dropped: the linter's risks, and what makes another program or user of one. */
static const char *const risks[] = {
#define RISK(rule, call, gates, kernel, danger) call,
#include "compiler/tables/risk.def"
#undef RISK
	"execve", "execveat",  "fork",      "vfork",     "setuid", "setgid", "setreuid", "setregid",
	"bind",   "setresuid", "setresgid", "setgroups", "capset", "chown",  "chmod",    "listen",
};

bool propose_has_phases(const struct recording *r)
{
	return r->run.serve_from && r->serve_calls.n && !r->run.no_calls &&
	       strcmp(r->run.serve_from, "midway") != 0;
}

static bool is_risk(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(risks); i++)
		if (!strcmp(name, risks[i]))
			return true;
	return false;
}

struct dropped {
	size_t of, calls; /* of so many calls, so many are made by the start alone */
	struct buf risky; /* of which these are named */
};

static void find_dropped(const struct recording *r, struct dropped *d)
{
	vec_each(&r->calls, c) {
		const struct syscall_info *s = syscall_by_nr(c->arch, c->nr);

		d->of++;
		if (recording_serve_call(r, c->arch, c->nr))
			continue;
		d->calls++;
		if (s && is_risk(s->name))
			buf_printf(&d->risky, "%s%s", d->risky.n ? ", " : "", s->name);
	}
}

static uint64_t capabilities_of(const struct recording *r, bool serve)
{
	uint64_t all = 0;

	if (serve) {
		vec_each(&r->serve_caps, c)
			if (!proposal_is_noise(c) && !proposal_reads_sysctl(r, c))
				all |= UINT64_C(1) << c->cap;
	} else {
		vec_each(&r->caps, c)
			if (!proposal_is_noise(c) && !proposal_reads_sysctl(r, c))
				all |= UINT64_C(1) << c->cap;
	}
	return all;
}

/* Of the whole run, for the header. */
void propose_describe_phases(struct proposal *p, const struct recording *r, struct ast_comment **to)
{
	uint64_t caps = capabilities_of(r, false) & ~capabilities_of(r, true);
	struct dropped d = { 0 };
	BUF_AUTO names = { 0 };

	if (p->opt->part == PROPOSE_SERVE || !propose_has_phases(r))
		return;
	find_dropped(r, &d);
	ast_comment_add(
		p->a, to,
		"phases:   serves from %s, at %s; %zu of %zu calls are the start's alone%s%s",
		r->run.serve_from, proposal_time(p->a, r->run.serving_ns), d.calls, d.of,
		p->opt->part == PROPOSE_ALL ? " (--phases)" : "", d.risky.n ? ", of risk:" : "");
	proposal_list(p, to, &d.risky);
	for (unsigned cap = 0; cap < 64; cap++)
		if (caps >> cap & 1)
			buf_printf(&names, "%s%s", names.n ? ", " : "", capability_name(cap));
	if (names.n)
		ast_comment_add(p->a, to, "  and of capabilities: %s", names.p);
	buf_free(&d.risky);
}

/* The second policy's own. */
void propose_describe_serving(struct proposal *p, const struct recording *r,
			      struct ast_comment **to)
{
	struct dropped d = { 0 };

	find_dropped(r, &d);
	buf_free(&d.risky);
	ast_comment_add(p->a, to,
			"SECOND POLICY, for a program that has started: it loads it itself, "
			"pale_load(3),");
	ast_comment_add(
		p->a, to,
		"  on top of the one that it was started with; from outside that cannot be done. "
		"Of each call");
	ast_comment_add(
		p->a, to,
		"  the tighter answer counts. %zu calls of %zu are not here: the start's alone.",
		d.calls, d.of);
	ast_comment_add(p->a, to, "phases:   serves from %s, at %s", r->run.serve_from,
			proposal_time(p->a, r->run.serving_ns));
}

/* Those that made calls while serving, and these; where that was not told apart, all of them. */
static void serving_programs(struct arena *a, const struct recording *r, struct recording *out)
{
	memset(&out->programs, 0, sizeof(out->programs));
	vec_each(&r->programs, p) {
		struct recorded_program fresh = { .path = p->path };

		vec_each(&p->calls, c)
			if (c->serves)
				vec_push(a, &fresh.calls, *c);
		if (fresh.calls.n)
			vec_push(a, &out->programs, fresh);
	}
}

/* As if the run had been nothing else; of files it is known that they were used, and not when. */
void propose_serving(struct arena *a, const struct recording *r, struct recording *out)
{
	_Static_assert(sizeof(out->calls) == sizeof(r->serve_calls) &&
			       sizeof(out->caps) == sizeof(r->serve_caps),
		       "lists of one kind");
	*out = *r;
	memcpy(&out->calls, &r->serve_calls, sizeof(out->calls));
	memcpy(&out->caps, &r->serve_caps, sizeof(out->caps));
	out->run.program = NULL;
	if (r->run.programs_by_phase)
		serving_programs(a, r, out);
}

/* ---- files written while serving ---- */

/* Of an open by its flags, which the kernel half keeps; where they are a pointer's, or were not kept, it may. */
static bool opens_to_write(const struct recorded_call *c, const struct trace_rule *rule)
{
	const struct recorded_arg *flags = rule->at < 0 ? NULL : proposal_arg(c, rule->at);

	if (rule->flags[0] & TRACE_HOW)
		return true;
	/* What is assumed is what only reads (assumed.def): of others the flags were seen. */
	if (!flags)
		return rule->at < 0 || !c->assumed;
	vec_each(&flags->values, v)
		if (trace_writes(TRACE_OP_OPEN, 0, v->value))
			return true;
	return flags->unbounded;
}

/* A name of a socket's is made, or asked for writing, where there are such sockets. */
static bool has_unix_sockets(const struct recording *r, enum arch a)
{
	static const char *const calls[] = { "socket", "socketpair", "socketcall" };

	for (size_t i = 0; i < ARRAY_SIZE(calls); i++) {
		const struct syscall_info *s = syscall_by_name(str_c(calls[i]));
		const struct recorded_call *c =
			s->nr[a] < 0 ? NULL : recording_serve_call(r, a, (uint32_t)s->nr[a]);

		if (c && !c->tuples.n)
			return true;
		if (c)
			vec_each(&c->tuples, t)
				if (t->args[0] == AF_UNIX)
					return true;
	}
	return false;
}

static bool call_writes(const struct recording *r, const struct recorded_call *c)
{
	const struct syscall_info *s = syscall_by_nr(c->arch, c->nr);
	struct trace_call call;
	struct trace_rule rule;

	if (s && !strcmp(s->name, "io_uring_enter")) /* opens, too, which are no calls */
		return true;
	rules_of(c->arch, c->nr, &call, &rule);
	if (rule.op == TRACE_OP_OPEN)
		return opens_to_write(c, &rule);
	return trace_writes(rule.op, rule.perms[0], 0) &&
	       (rule.op != TRACE_OP_BIND || has_unix_sockets(r, c->arch));
}

/*
 * Of files a recording says that they were written, and not when; of calls when they were made. So the serving
 * wrote where the run did and the serving made a call that does.
 */
bool propose_wrote_files(const struct proposal *p)
{
	if (!recording_wrote_files(p->r))
		return false;
	if (p->opt->part != PROPOSE_SERVE)
		return true;
	vec_each(&p->r->calls, c)
		if (call_writes(p->r, c))
			return true;
	return false;
}

/* ---- what serving takes beside what was seen ---- */

/* Of these the ones that the start made. */
static void imply_of_start(struct proposal *p, enum arch a, const char *const *calls, size_t n,
			   const char *why)
{
	VEC(const char *) names = { 0 };

	for (size_t i = 0; i < n; i++) {
		const struct syscall_info *s = syscall_by_name(str_c(calls[i]));

		if (s->nr[a] >= 0 && recording_call(p->whole, a, (uint32_t)s->nr[a]))
			vec_push(p->a, &names, calls[i]);
	}
	vec_push(p->a, &names, NULL);
	propose_imply_calls(p, a, names.v, why);
}

/*
 * Whatever a program does, its memory grows now and then, and a thread's first block takes a random number.
 * And a thread that the start made may come to run only now: what a libc begins it with (glibc's
 * nptl/pthread_create.c, start_thread(), ends the program where rseq is refused). Nothing that is executed.
 */
void propose_imply_running(struct proposal *p, enum arch a)
{
	static const char *const memory[] = { "brk", "getrandom", "madvise", "mremap", "munmap" };
	static const char *const begun[] = { "rseq", "rt_sigprocmask", "set_robust_list" };
	static const char *const mapped[] = { "mmap", "mmap2", "mprotect" };

	imply_of_start(p, a, memory, ARRAY_SIZE(memory),
		       "malloc, as blocks grow; the start made them");
	imply_of_start(p, a, begun, ARRAY_SIZE(begun),
		       "a thread of the start's that comes to run only now");
	for (size_t i = 0; i < ARRAY_SIZE(mapped); i++) {
		const struct syscall_info *s = syscall_by_name(str_c(mapped[i]));
		struct ast_stmt *st;

		if (!proposal_numbers(s, a) || p->done[a][s->nr[a]] ||
		    !recording_call(p->whole, a, (uint32_t)s->nr[a]))
			continue;
		p->done[a][s->nr[a]] = true;
		st = proposal_add_call(p, proposal_allow(p), mapped[i],
				       ast_cmp_new(p->a, "prot", false, AST_CMP_LACKS, NULL,
						   ast_name(p->a, "PROT_EXEC")));
		ast_comment_add(p->a, &st->trailing, "implied: malloc, as blocks grow");
	}
}

static void allow_with(struct proposal *p, enum arch a, const char *call, const char *arg,
		       uint64_t value)
{
	const struct syscall_info *s = syscall_by_name(str_c(call));
	int at = syscall_arg_find(s, a, str_c(arg));
	const struct arg_info *args;
	struct ast_stmt *st;
	unsigned nargs;

	if (!proposal_numbers(s, a) || at < 0 || p->whole_by_set[a][s->nr[a]])
		return;
	args = syscall_args(s, a, &nargs);
	st = proposal_add_call(p, proposal_allow(p), call,
			       ast_cmp_new(p->a, arg, false, AST_CMP_EQ, NULL,
					   proposal_value(p, value, &args[at], a)));
	ast_comment_add(p->a, &st->trailing, "implied: loads the second policy");
}

/* What a program takes to load the second one, under the first (pale_load(3)). */
void propose_loading(struct proposal *p, enum arch a)
{
	p->group = "for the second policy";
	allow_with(p, a, "prctl", "option", PR_SET_NO_NEW_PRIVS);
	allow_with(p, a, "seccomp", "op", SECCOMP_SET_MODE_FILTER);
	propose_imply_calls(p, a, (const char *const[]){ "close", "openat", "read", NULL },
			    "reads the second policy's file");
	p->group = NULL;
}

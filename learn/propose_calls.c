/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Calls. Arguments are bounded only where every value was seen, so the filter that results
 * refuses nothing of the recorded run; what was not seen but belongs there is marked
 * `implied:` with the reason.
 */
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include <linux/sched.h>

#include "compiler/base/bug.h"
#include "grammar/ast_build.h"
#include "learn/proposal.h"
#include "learn/sockopt.h"

/* ---- conditions ---- */

const struct recorded_arg *proposal_arg(const struct recorded_call *c, int index)
{
	vec_each(&c->args, a)
		if (a->index == index)
			return a;
	return NULL;
}

bool proposal_had_flag(const struct proposal *p, const char *call, uint64_t flag)
{
	for (enum arch a = 0; a < ARCH_NR; a++) {
		const struct recorded_call *c = proposal_call(p, a, call);
		const struct recorded_arg *flags = c ? proposal_arg(c, 0) : NULL;

		if (flags && flags->ones & flag)
			return true;
	}
	return false;
}

/* Another one differs from it in other bits alone. */
static bool had_before(const struct recorded_arg *seen, const struct recorded_value *than,
		       uint64_t among)
{
	vec_each(&seen->values, v) {
		if (v == than)
			break;
		if ((v->value & among) == (than->value & among))
			return true;
	}
	return false;
}

/* arg == V, or arg in {V, ...}; NULL where the values were too many to be all known. */
static struct ast_cond *values_cond(struct proposal *p, const struct recorded_call *c,
				    const struct arg_info *arg, int index)
{
	const struct recorded_arg *seen = proposal_arg(c, index);
	struct ast_value *list = NULL, **tail = &list, *mask = NULL;
	uint64_t among = UINT64_MAX;

	if (!seen || seen->unbounded || !seen->values.n)
		return NULL;
	if (arg->kind == ARG_ENUM_FLAGS) { /* the flags on it are free */
		among = arg->enum_mask;
		mask = ast_number(p->a, among);
	}
	vec_each(&seen->values, v) {
		if (had_before(seen, v, among))
			continue;
		*tail = proposal_value(p, v->value & among, arg, c->arch);
		tail = &(*tail)->next;
	}
	return ast_cmp_new(p->a, arg->name, false, list->next ? AST_CMP_IN : AST_CMP_EQ, mask,
			   list);
}

/* Older recordings have calls without their values. */
static bool is_known(const struct recorded_call *c, int index)
{
	const struct recorded_arg *seen = proposal_arg(c, index);
	uint64_t known = 0;

	if (seen)
		vec_each(&seen->values, v)
			known = count_add(known, v->count);
	return known >= c->count;
}

/*
 * The same of calls whose values are a way of using them, which later input does not change: which keys,
 * which programs.
 */
static struct ast_cond *way_cond(struct proposal *p, const struct recorded_call *c,
				 const struct arg_info *arg, int index)
{
	return is_known(c, index) ? values_cond(p, c, arg, index) : NULL;
}

/* The same of options, which mean something by their level. */
static struct ast_cond *option_cond(struct proposal *p, const struct recorded_call *c,
				    const struct arg_info *arg, int index)
{
	(void)arg;
	return is_known(c, index) ? sockopt_cond(p, c, proposal_arg(c, index)) : NULL;
}

static struct ast_cond *lacks(struct proposal *p, const struct arg_info *arg, const char *flag)
{
	return ast_cmp_new(p->a, arg->name, false, AST_CMP_LACKS, NULL, ast_name(p->a, flag));
}

/*
 * Never executable memory, or never both writable and executable. Not the very set of values:
 * allocators and linkers choose among the harmless ones as they like.
 */
static struct ast_cond *prot_cond(struct proposal *p, const struct recorded_call *c,
				  const struct arg_info *arg, int index)
{
	const struct recorded_arg *seen = proposal_arg(c, index);

	if (!seen)
		return NULL;
	if (!(seen->ones & PROT_EXEC))
		return lacks(p, arg, "PROT_EXEC");
	if (seen->unbounded)
		return NULL;
	vec_each(&seen->values, v)
		if ((v->value & (PROT_WRITE | PROT_EXEC)) == (PROT_WRITE | PROT_EXEC))
			return NULL;
	return ast_cond_join(p->a, AST_COND_OR, lacks(p, arg, "PROT_WRITE"),
			     lacks(p, arg, "PROT_EXEC"));
}

/*
 * Which kinds of files are made, whatever their permissions. None is a regular one, and the same (fs/namei.c,
 * do_mknodat()): one program writes it so, the next S_IFREG.
 */
static struct ast_cond *kind_cond(struct proposal *p, const struct recorded_call *c,
				  const struct arg_info *arg, int index)
{
	const struct recorded_arg *seen = proposal_arg(c, index);
	struct ast_value *list = NULL, **tail = &list;
	bool is_regular = false;

	if (!seen || seen->unbounded || !is_known(c, index))
		return NULL;
	vec_each(&seen->values, v) {
		uint64_t kind = v->value & S_IFMT;

		is_regular |= !kind || kind == S_IFREG;
		if (!kind || kind == S_IFREG || had_before(seen, v, S_IFMT))
			continue;
		*tail = proposal_value(p, kind, arg, c->arch);
		tail = &(*tail)->next;
	}
	if (is_regular) {
		*tail = proposal_value(p, S_IFREG, arg, c->arch);
		(*tail)->next = ast_number(p->a, 0);
	}
	return list ? ast_cmp_new(p->a, arg->name, false, list->next ? AST_CMP_IN : AST_CMP_EQ,
				  ast_name(p->a, "S_IFMT"), list) :
		      NULL;
}

struct ast_cond *propose_no_namespaces(struct proposal *p, const struct arg_info *arg, enum arch a)
{
	return ast_cmp_new(p->a, arg->name, false, AST_CMP_LACKS, NULL,
			   proposal_flags(p, PROPOSAL_NEW_FLAGS, arg, a));
}

static struct ast_cond *clone_cond(struct proposal *p, const struct recorded_call *c,
				   const struct arg_info *arg, int index)
{
	const struct recorded_arg *seen = proposal_arg(c, index);

	if (seen && !(seen->ones & PROPOSAL_NEW_FLAGS))
		return propose_no_namespaces(p, arg, c->arch);
	return values_cond(p, c, arg, index);
}

typedef struct ast_cond *cond_fn(struct proposal *p, const struct recorded_call *c,
				 const struct arg_info *arg, int index);

static const struct {
	const char *call, *arg;
	cond_fn *make;
} bounded[] = {
	{ "bpf", "cmd", way_cond },
	{ "clone", "clone_flags", clone_cond },
	{ "getsockopt", "level", option_cond },
	{ "ioctl", "cmd", values_cond },
	{ "keyctl", "option", way_cond },
	{ "mknod", "mode", kind_cond },
	{ "mknodat", "mode", kind_cond },
	{ "mmap", "prot", prot_cond },
	{ "mmap2", "prot", prot_cond },
	{ "mprotect", "prot", prot_cond },
	{ "personality", "personality", values_cond },
	{ "pkey_mprotect", "prot", prot_cond },
	{ "prctl", "option", values_cond },
	{ "quotactl", "cmd", way_cond },
	{ "quotactl_fd", "cmd", way_cond },
	{ "setns", "flags", values_cond },
	{ "setsockopt", "level", option_cond },
	{ "unshare", "unshare_flags", values_cond },
};

/* Of calls that were let through without a look, while an argument had none of some bits: as if of one. */
static const struct recorded_call *assumed_call(struct proposal *p, const struct recorded_call *c,
						const struct syscall_info *s)
{
	struct recorded_call *as;
	struct recorded_arg arg;
	uint64_t bits;
	const char *name = learn_assumes_without(s->name, &bits);
	int index = name ? syscall_arg_find(s, c->arch, str_c(name)) : -1;

	if (!c->assumed || index < 0)
		return c;
	as = ARENA_NEW(p->a, struct recorded_call);
	*as = (struct recorded_call){ .arch = c->arch, .nr = c->nr, .assumed = true };
	arg = (struct recorded_arg){ .index = (uint8_t)index, .zeros = bits };
	vec_push(p->a, &as->args, arg);
	return as;
}

/* The condition for a recorded call; *index: of the argument that was looked at, or -1. */
struct ast_cond *propose_cond(struct proposal *p, const struct recorded_call *c,
			      const struct syscall_info *s, int *index)
{
	*index = -1;
	for (size_t i = 0; i < ARRAY_SIZE(bounded); i++) {
		unsigned nargs;
		const struct arg_info *args;

		if (strcmp(bounded[i].call, s->name))
			continue;
		args = syscall_args(s, c->arch, &nargs);
		*index = syscall_arg_find(s, c->arch, str_c(bounded[i].arg));
		if (*index < 0 || (unsigned)*index >= nargs)
			return NULL;
		return bounded[i].make(p, assumed_call(p, c, s), &args[*index], *index);
	}
	return NULL;
}

/* ---- calls ---- */

static const struct {
	const char *heading, *names;
} groups[] = {
#define GROUP(heading, names) { heading, names },
#include "learn/groups.def"
#undef GROUP
};

static bool word_fits(struct str pattern, const char *name)
{
	if (pattern.n && pattern.p[pattern.n - 1] == '*')
		return !strncmp(name, pattern.p, pattern.n - 1);
	return str_is(pattern, name);
}

static size_t group_of(const char *name)
{
	for (size_t g = 0; g < ARRAY_SIZE(groups); g++) {
		const char *w = groups[g].names;

		while (*w) {
			size_t n = strcspn(w, " ");

			if (n && word_fits((struct str){ w, n }, name))
				return g;
			w += n + (w[n] == ' ');
		}
	}
	BUG("the last group takes every call");
}

bool propose_is_socket(const char *name)
{
	return !strcmp(name, "socket") || !strcmp(name, "socketpair");
}

/* What glibc gives it: threads (pthread_create.c), and posix_spawn (spawni.c) with its plain clone(). */
static bool has_fallback(uint64_t flags)
{
	return flags ==
		       (CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SYSVSEM | CLONE_SIGHAND |
			CLONE_THREAD | CLONE_SETTLS | CLONE_PARENT_SETTID | CLONE_CHILD_CLEARTID) ||
	       (flags & ~(uint64_t)CLONE_CLEAR_SIGHAND) == (CLONE_VM | CLONE_VFORK);
}

bool propose_refuses_clone3(const struct recorded_call *c)
{
	const struct recorded_arg *flags = proposal_arg(c, 0);

	if (!flags)
		return true; /* not known: as of what nearly all programs have it from, their libc */
	if (flags->unbounded)
		return false;
	vec_each(&flags->values, v)
		if (!has_fallback(v->value))
			return false;
	return true;
}

static void propose_clone3(struct proposal *p, const struct recorded_call *c)
{
	bool refused = propose_refuses_clone3(c);
	const char *seen = proposal_evidence(p, c->count, c->first_ns, c->in);
	struct value_note note = { .bounded = -1 };
	struct ast_stmt *st = proposal_add_call(p, refused ? proposal_nosys(p) : proposal_allow(p),
						"clone3", NULL);

	if (refused) {
		ast_comment_add(p->a, &st->leading,
				"seen %s; its flags lie in memory, where no filter looks:", seen);
		ast_comment_add(p->a, &st->leading,
				"libcs fall back to clone, whose flags are checked");
	} else {
		ast_comment_add(
			p->a, &st->leading,
			"not a libc's, so nothing says that clone would be tried instead; its "
			"flags lie in");
		ast_comment_add(
			p->a, &st->leading,
			"memory, where no filter looks: this allows all of them, namespaces too");
		ast_comment_add(p->a, &st->trailing, "%s", seen);
	}
	propose_note_values(p, &st->leading, c, &note);
}

/* ---- whose a call of risk is ---- */

static const struct risk {
	const char *call, *gates, *danger;
} risks[] = {
#define RISK(rule, call, gates, kernel, danger) { call, gates, danger },
#include "compiler/tables/risk.def"
#undef RISK
};

/* Not what every program does, and what is bounded by its arguments alone: a terminal's ioctl, a socket. */
static bool is_of_risk(const struct recorded_call *c, const char *name)
{
	const struct recorded_arg *flags = proposal_arg(c, 0);

	if (!strcmp(name, "clone"))
		return flags && flags->ones & PROPOSAL_NEW_FLAGS;
	for (size_t i = 0; i < ARRAY_SIZE(risks); i++)
		if (!strcmp(risks[i].call, name))
			return *risks[i].gates || !*risks[i].danger;
	return false;
}

/* Where one of several programs alone makes it, there and then: without that one, the rule could go. */
static void note_program(struct proposal *p, struct ast_comment **to, const struct recorded_call *c,
			 const char *name)
{
	const struct recorded_program *only = p->r->programs.n > 1 && is_of_risk(c, name) ?
						      recording_only_by(p->r, c->arch, c->nr) :
						      NULL;

	if (only)
		ast_comment_add(p->a, to, "only %s makes it%s", str_safe_of(p->a, only->path),
				p->opt->part == PROPOSE_SERVE && p->r->run.programs_by_phase ?
					" while serving" :
					"");
}

static void propose_call(struct proposal *p, const struct recorded_call *c,
			 const struct syscall_info *s)
{
	struct value_note note = { .bounded = -1 };
	struct ast_cond *cond;
	struct ast_stmt *st;

	if (!strcmp(s->name, "clone3")) {
		propose_clone3(p, c);
		return;
	}
	cond = propose_cond(p, c, s, &note.bounded);
	st = proposal_add_call(p, proposal_allow(p), s->name, cond);
	ast_comment_add(p->a, &st->trailing, "%s%s", c->held ? "slept in: " : "",
			c->held ? proposal_held(p, c->in) :
				  proposal_evidence(p, c->count, c->first_ns, c->in));
	note_program(p, &st->leading, c, s->name);
	propose_note_values(p, &st->leading, c, &note);
}

/* ---- what was not seen but belongs there ---- */

/* One statement for several calls with one reason; names ends in NULL. */
static void add_unseen(struct proposal *p, enum arch a, const char *const *names, const char *why)
{
	struct ast_call *list = NULL, **tail = &list;
	struct ast_stmt *st;

	for (; *names; names++) {
		const struct syscall_info *s = syscall_by_name(str_c(*names));

		if (!proposal_numbers(s, a) || p->done[a][s->nr[a]])
			continue;
		p->done[a][s->nr[a]] = true;
		*tail = ast_call_new(p->a, *names, NULL);
		tail = &(*tail)->next;
	}
	if (!list)
		return;
	st = proposal_add(p, AST_STMT_CALLS);
	st->verdict = proposal_allow(p);
	st->calls = list;
	ast_comment_add(p->a, &st->trailing, "%s", why);
}

/* Seen in no run, as nobody looked: apart, since they may be more than is needed. */
static void propose_assumed(struct proposal *p, enum arch a)
{
	static const char why[] = "assumed: whether it is made was not seen";
	VEC(const char *) names = { 0 };
	int index;

	p->group = "assumed: let through without a look, so as to be quick ('--backend seccomp')";
	vec_each(&p->r->calls, c) {
		const struct syscall_info *s = syscall_by_nr(c->arch, c->nr);
		struct ast_cond *cond;

		if (!s || c->arch != a || !c->assumed || p->done[a][c->nr])
			continue;
		cond = propose_cond(p, c, s, &index);
		if (!cond) {
			vec_push(p->a, &names, s->name);
			continue;
		}
		p->done[a][c->nr] = true;
		ast_comment_add(p->a,
				&proposal_add_call(p, proposal_allow(p), s->name, cond)->trailing,
				"%s", why);
	}
	vec_push(p->a, &names, NULL);
	add_unseen(p, a, names.v, why);
	p->group = NULL;
}

void propose_calls(struct proposal *p, enum arch a)
{
	for (size_t g = 0; g < ARRAY_SIZE(groups); g++) {
		p->group = groups[g].heading;
		vec_each(&p->r->calls, c) {
			const struct syscall_info *s = syscall_by_nr(c->arch, c->nr);

			if (c->arch != a || !s || c->assumed || p->done[a][c->nr] ||
			    group_of(s->name) != g)
				continue;
			bool told = propose_is_socket(s->name) && c->tuples.n;

			if (told)
				continue; /* `network` speaks for it */
			if (recording_is_rings(c))
				continue;
			p->done[a][c->nr] = true;
			propose_call(p, c, s);
		}
	}
	propose_assumed(p, a);
}

void propose_imply_calls(struct proposal *p, enum arch a, const char *const *names, const char *why)
{
	add_unseen(p, a, names, arena_printf(p->a, "implied: %s", why));
}

static void imply_clone(struct proposal *p, enum arch a)
{
	const struct syscall_info *s = syscall_by_name(STR("clone"));
	int index = syscall_arg_find(s, a, STR("clone_flags"));
	const struct arg_info *args;
	struct ast_stmt *st;
	unsigned nargs;

	if (!proposal_numbers(s, a) || p->done[a][s->nr[a]] || index < 0)
		return;
	args = syscall_args(s, a, &nargs);
	p->done[a][s->nr[a]] = true;
	st = proposal_add_call(p, proposal_allow(p), "clone",
			       propose_no_namespaces(p, &args[index], a));
	ast_comment_add(p->a, &st->trailing, "implied: what clone3's callers fall back to");
}

static void refuse_clone3(struct proposal *p, enum arch a)
{
	const struct syscall_info *s = syscall_by_name(STR("clone3"));
	struct ast_stmt *st;

	if (!proposal_numbers(s, a) || p->done[a][s->nr[a]])
		return;
	p->done[a][s->nr[a]] = true;
	st = proposal_add_call(p, proposal_nosys(p), "clone3", NULL);
	ast_comment_add(p->a, &st->trailing, "implied: newer libcs try it first, then clone");
}

static const char *const clock_calls[] = { "clock_getres",  "clock_getres_time64",
					   "clock_gettime", "clock_gettime64",
					   "getcpu",        "gettimeofday",
					   "time",          NULL };
static const char *const thread_calls[] = {
	"futex", "madvise", "munmap", "rt_sigprocmask", "sched_yield", "set_robust_list", NULL
};

void propose_implied(struct proposal *p, enum arch a, bool has_start)
{
	const struct recorded_call *clone3 = proposal_call(p, a, "clone3");
	const struct recorded_arg *flags3 = clone3 ? proposal_arg(clone3, 0) : NULL;
	const struct recorded_call *clone = proposal_call(p, a, "clone");
	const struct recorded_arg *flags = clone ? proposal_arg(clone, 0) : NULL;
	bool made_thread = clone3 && (!flags3 || flags3->ones & CLONE_THREAD);

	p->group = "implied: not seen in this run, but part of what was";
	propose_imply_calls(p, a, (const char *const[]){ "exit", NULL }, "every thread's end");
	propose_imply_calls(p, a, (const char *const[]){ "exit_group", NULL },
			    "every process's end");
	propose_imply_calls(p, a, (const char *const[]){ "restart_syscall", NULL },
			    "the kernel asks for it after a stop");
	propose_imply_calls(p, a, (const char *const[]){ "rt_sigreturn", NULL },
			    "the end of any signal handler");
	if (a == ARCH_I386)
		propose_imply_calls(p, a, (const char *const[]){ "sigreturn", NULL },
				    "the end of an old signal handler");
	if (!has_start)
		propose_imply_calls(p, a, (const char *const[]){ "execve", NULL },
				    "the program starts under the filter");
	if (strncmp(p->r->run.libc, "none", 4))
		propose_imply_calls(p, a, (const char *const[]){ "futex", NULL },
				    "locks in libraries are contended now and then");
	if (clone3 && propose_refuses_clone3(clone3))
		imply_clone(p, a);
	if (made_thread || (flags && flags->ones & CLONE_THREAD))
		propose_imply_calls(p, a, thread_calls, "threads: whether they happen is a race");
	if (clone || proposal_call(p, a, "fork") || proposal_call(p, a, "vfork"))
		refuse_clone3(p, a);
	propose_imply_calls(p, a, clock_calls, "calls only where the vDSO cannot answer");
	p->group = NULL;
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A recording to a policy. Every rule carries its evidence in a comment; what was not seen but
 * belongs there is marked `implied:` with the reason. Arguments are bounded only where every
 * value was seen; the filter that results refuses nothing of the recorded run.
 */
#include "learn/propose.h"

#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "compiler/base/bug.h"
#include "compiler/policy/policy.h"
#include "grammar/ast_build.h"
#include "grammar/parse.h"
#include "grammar/print.h"
#include "learn/trace.h"

#define SET_WORTH 4 /* calls that a set must save to be used */
#define NEW_FLAGS 0x7e020000u /* CLONE_NEW* of clone; CLONE_NEWTIME's bit is the signal's there */

struct proposal {
	struct arena *a;
	const struct recording *r;
	const struct propose_options *opt;
	struct diags *ds;
	struct ast_body *body;
	unsigned arches;   /* ARCH_BIT of those seen */
	bool one_arch;
	bool mux_sockets;  /* i386's socketcall was used: families cannot be bounded there */
	const char *group; /* heading to put above the next statement */
	bool done[ARCH_NR][TRACE_NRS];
};

static const struct recorded_call *find_call(const struct proposal *p, enum arch a,
					     const char *name)
{
	const struct syscall_info *s = syscall_by_name(str_c(name));

	if (!s || s->nr[a] < 0)
		return NULL;
	return recording_call(p->r, a, (uint32_t)s->nr[a]);
}

static bool was_seen(const struct proposal *p, const char *name)
{
	for (enum arch a = 0; a < ARCH_NR; a++)
		if (find_call(p, a, name))
			return true;
	return false;
}

/* ---- statements with evidence ---- */

static struct ast_stmt *add_stmt(struct proposal *p, enum ast_stmt_kind kind)
{
	struct ast_stmt *s = ast_add(p->body, kind);

	s->verdict.action = AST_ACTION_ALLOW;
	if (p->group && *p->group) {
		ast_comment_add(p->a, &s->leading, "%s", p->group);
		s->leading->blank_before = true;
	} else if (p->group) {
		s->blank_before = true;
	}
	p->group = NULL;
	return s;
}

static const char *time_text(struct arena *a, uint64_t ns)
{
	double ms = (double)ns / 1e6;

	return ms < 1000 ? arena_printf(a, "%.1f ms", ms) : arena_printf(a, "%.1f s", ms / 1000);
}

static const char *evidence(struct arena *a, uint64_t count, uint64_t first_ns)
{
	return arena_printf(a, "%llux, first at %s", (unsigned long long)count,
			    time_text(a, first_ns));
}

static struct ast_stmt *add_call(struct proposal *p, struct ast_verdict v, const char *name,
				 struct ast_cond *cond)
{
	struct ast_stmt *s = add_stmt(p, AST_STMT_CALLS);

	s->verdict = v;
	s->calls = ast_call_new(p->a, name, cond);
	return s;
}

static struct ast_verdict allow(struct proposal *p)
{
	return ast_verdict_of(p->a, (struct verdict){ VERDICT_ALLOW, 0 });
}

static struct ast_verdict nosys(struct proposal *p)
{
	return ast_verdict_of(p->a, (struct verdict){ VERDICT_ERRNO, 38 });
}

/* ---- values to text ---- */

static struct ast_value *number_value(struct proposal *p, uint64_t v, const struct arg_info *arg)
{
	struct ast_value *n;

	if (!arg->is_signed || arg->width != 32 || !(v >> 31 & 1))
		return ast_number(p->a, v);
	n = ast_number(p->a, -v & UINT32_MAX);
	n->negative = true;
	return n;
}

static struct ast_value *named_value(struct proposal *p, uint64_t v, const struct arg_info *arg,
				     enum arch a)
{
	const char *name = arg->domain ? constant_name(arg->domain, v, a) : NULL;

	return name ? ast_name(p->a, name) : number_value(p, v, arg);
}

/* Bit by bit, what has no name as one number. */
static struct ast_value *flags_value(struct proposal *p, uint64_t v, const struct arg_info *arg,
				     enum arch a)
{
	struct ast_value *out = NULL;
	uint64_t rest = 0;

	if (!v)
		return named_value(p, 0, arg, a);
	for (unsigned i = 0; i < 64; i++) {
		uint64_t bit = v & (uint64_t)1 << i;
		const char *name = bit && arg->domain ? constant_name(arg->domain, bit, a) : NULL;

		if (name)
			out = ast_or(p->a, out, ast_name(p->a, name));
		else
			rest |= bit;
	}
	return rest ? ast_or(p->a, out, ast_number(p->a, rest)) : out;
}

static struct ast_value *value_of(struct proposal *p, uint64_t v, const struct arg_info *arg,
				  enum arch a)
{
	return arg->kind == ARG_FLAGS ? flags_value(p, v, arg, a) : named_value(p, v, arg, a);
}

/* ---- conditions ---- */

static const struct recorded_arg *arg_seen(const struct recorded_call *c, int index)
{
	vec_each(&c->args, a)
		if (a->index == index)
			return a;
	return NULL;
}

/* arg == V, or arg in {V, ...}; NULL where the values were too many to be all known. */
static struct ast_cond *values_cond(struct proposal *p, const struct recorded_call *c,
				    const struct arg_info *arg, int index)
{
	const struct recorded_arg *seen = arg_seen(c, index);
	struct ast_value *list = NULL, **tail = &list;

	if (!seen || seen->unbounded || !seen->values.n)
		return NULL;
	vec_each(&seen->values, v) {
		*tail = value_of(p, v->value, arg, c->arch);
		tail = &(*tail)->next;
	}
	return ast_cmp_new(p->a, arg->name, false, seen->values.n > 1 ? AST_CMP_IN : AST_CMP_EQ,
			   NULL, list);
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
	const struct recorded_arg *seen = arg_seen(c, index);

	if (!seen)
		return NULL;
	if (!(seen->ones & 4))
		return lacks(p, arg, "PROT_EXEC");
	if (seen->unbounded)
		return NULL;
	vec_each(&seen->values, v)
		if ((v->value & 6) == 6)
			return NULL;
	return ast_cond_join(p->a, AST_COND_OR, lacks(p, arg, "PROT_WRITE"),
			     lacks(p, arg, "PROT_EXEC"));
}

static struct ast_cond *no_namespaces(struct proposal *p, const struct arg_info *arg, enum arch a)
{
	return ast_cmp_new(p->a, arg->name, false, AST_CMP_LACKS, NULL,
			   flags_value(p, NEW_FLAGS, arg, a));
}

static struct ast_cond *clone_cond(struct proposal *p, const struct recorded_call *c,
				   const struct arg_info *arg, int index)
{
	const struct recorded_arg *seen = arg_seen(c, index);

	if (seen && !(seen->ones & NEW_FLAGS))
		return no_namespaces(p, arg, c->arch);
	return values_cond(p, c, arg, index);
}

typedef struct ast_cond *cond_fn(struct proposal *p, const struct recorded_call *c,
				 const struct arg_info *arg, int index);

static const struct {
	const char *call, *arg;
	cond_fn *make;
} bounded[] = {
	{ "clone", "clone_flags", clone_cond },
	{ "ioctl", "cmd", values_cond },
	{ "mmap", "prot", prot_cond },
	{ "mmap2", "prot", prot_cond },
	{ "mprotect", "prot", prot_cond },
	{ "personality", "personality", values_cond },
	{ "pkey_mprotect", "prot", prot_cond },
	{ "prctl", "option", values_cond },
	{ "setns", "flags", values_cond },
	{ "unshare", "unshare_flags", values_cond },
};

/* The condition for a recorded call; *index: of the argument that was looked at, or -1. */
static struct ast_cond *call_cond(struct proposal *p, const struct recorded_call *c,
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
		return bounded[i].make(p, c, &args[*index], *index);
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

/* "prot was PROT_READ 16x, ..." behind the count, or above the rule where it is long. */
static void note_values(struct proposal *p, struct ast_stmt *st, const struct recorded_call *c,
			const struct arg_info *arg, int index)
{
	const struct recorded_arg *seen = arg_seen(c, index);
	BUF_AUTO text = { 0 };

	if (!seen)
		return;
	if (seen->unbounded) {
		ast_comment_add(p->a, &st->leading,
				"%s: more than %d different values, so not bounded", arg->name,
				RECORDING_VALUES_MAX);
		return;
	}
	buf_printf(&text, "%s was", arg->name);
	vec_each(&seen->values, v) {
		struct ast_value *value = value_of(p, v->value, arg, c->arch);
		BUF_AUTO cmp = { 0 };

		if (text.n > 80) {
			ast_comment_add(p->a, &st->leading, "%s", text.p);
			text.n = 0;
			buf_putc(&text, ' ');
		}
		ast_print_cond(&cmp, ast_cmp_new(p->a, "x", false, AST_CMP_EQ, NULL, value));
		buf_printf(&text, " %s %llux%s", cmp.p ? cmp.p + strlen("x == ") : "",
			   (unsigned long long)v->count,
			   v + 1 < seen->values.v + seen->values.n ? "," : "");
	}
	ast_comment_add(p->a, &st->leading, "%s", text.p);
}

static bool is_socket(const char *name)
{
	return !strcmp(name, "socket") || !strcmp(name, "socketpair");
}

static void propose_call(struct proposal *p, const struct recorded_call *c,
			 const struct syscall_info *s)
{
	struct ast_cond *cond;
	struct ast_stmt *st;
	unsigned nargs;
	int index;

	if (!strcmp(s->name, "clone3")) {
		st = add_call(p, nosys(p), s->name, NULL);
		ast_comment_add(p->a, &st->leading, "seen %s; its flags lie in memory, where no "
				"filter looks:", evidence(p->a, c->count, c->first_ns));
		ast_comment_add(p->a, &st->leading, "libcs fall back to clone, whose flags are checked");
		return;
	}
	cond = call_cond(p, c, s, &index);
	st = add_call(p, allow(p), s->name, cond);
	ast_comment_add(p->a, &st->trailing, "%s", evidence(p->a, c->count, c->first_ns));
	if (index >= 0)
		note_values(p, st, c, &syscall_args(s, c->arch, &nargs)[index], index);
}

static void propose_calls(struct proposal *p, enum arch a)
{
	for (size_t g = 0; g < ARRAY_SIZE(groups); g++) {
		p->group = groups[g].heading;
		vec_each(&p->r->calls, c) {
			const struct syscall_info *s = syscall_by_nr(c->arch, c->nr);

			if (c->arch != a || !s || p->done[a][c->nr] || group_of(s->name) != g)
				continue;
			if (is_socket(s->name) && !p->mux_sockets)
				continue; /* `network` speaks for it */
			p->done[a][c->nr] = true;
			if (!is_socket(s->name))
				propose_call(p, c, s);
		}
	}
	p->group = NULL;
}

/* ---- what was not seen but belongs there ---- */

/* One statement for several calls with one reason; names ends in NULL. */
static void imply(struct proposal *p, enum arch a, const char *const *names, const char *why)
{
	struct ast_call *list = NULL, **tail = &list;
	struct ast_stmt *st;

	for (; *names; names++) {
		const struct syscall_info *s = syscall_by_name(str_c(*names));

		if (!s || s->nr[a] < 0 || p->done[a][s->nr[a]])
			continue;
		p->done[a][s->nr[a]] = true;
		*tail = ast_call_new(p->a, *names, NULL);
		tail = &(*tail)->next;
	}
	if (!list)
		return;
	st = add_stmt(p, AST_STMT_CALLS);
	st->verdict = allow(p);
	st->calls = list;
	ast_comment_add(p->a, &st->trailing, "implied: %s", why);
}

static void imply_clone(struct proposal *p, enum arch a)
{
	const struct syscall_info *s = syscall_by_name(STR("clone"));
	int index = syscall_arg_find(s, a, STR("clone_flags"));
	const struct arg_info *args;
	struct ast_stmt *st;
	unsigned nargs;

	if (s->nr[a] < 0 || p->done[a][s->nr[a]] || index < 0)
		return;
	args = syscall_args(s, a, &nargs);
	p->done[a][s->nr[a]] = true;
	st = add_call(p, allow(p), "clone", no_namespaces(p, &args[index], a));
	ast_comment_add(p->a, &st->trailing, "implied: what clone3's callers fall back to");
}

static void refuse_clone3(struct proposal *p, enum arch a)
{
	const struct syscall_info *s = syscall_by_name(STR("clone3"));
	struct ast_stmt *st;

	if (s->nr[a] < 0 || p->done[a][s->nr[a]])
		return;
	p->done[a][s->nr[a]] = true;
	st = add_call(p, nosys(p), "clone3", NULL);
	ast_comment_add(p->a, &st->trailing, "implied: newer libcs try it first, then clone");
}

static const char *const clock_calls[] = { "clock_getres",   "clock_getres_time64",
					   "clock_gettime",  "clock_gettime64", "getcpu",
					   "gettimeofday",   "time",	NULL };
static const char *const thread_calls[] = { "futex", "madvise", "munmap", "rt_sigprocmask",
					    "sched_yield", "set_robust_list", NULL };

static void propose_implied(struct proposal *p, enum arch a, bool has_start)
{
	bool made_thread = find_call(p, a, "clone3") != NULL;
	const struct recorded_call *clone = find_call(p, a, "clone");
	const struct recorded_arg *flags = clone ? arg_seen(clone, 0) : NULL;

	p->group = "implied: not seen in this run, but part of what was";
	imply(p, a, (const char *const[]){ "exit", NULL }, "every thread's end");
	imply(p, a, (const char *const[]){ "exit_group", NULL }, "every process's end");
	imply(p, a, (const char *const[]){ "restart_syscall", NULL }, "the kernel asks for it after a stop");
	imply(p, a, (const char *const[]){ "rt_sigreturn", NULL }, "the end of any signal handler");
	if (a == ARCH_I386)
		imply(p, a, (const char *const[]){ "sigreturn", NULL }, "the end of an old signal handler");
	if (!has_start)
		imply(p, a, (const char *const[]){ "execve", NULL }, "the program starts under the filter");
	if (strncmp(p->r->libc, "none", 4))
		imply(p, a, (const char *const[]){ "futex", NULL }, "locks in libraries are contended now and then");
	if (made_thread)
		imply_clone(p, a);
	if (made_thread || (flags && flags->ones & 0x10000))
		imply(p, a, thread_calls, "threads: whether they happen is a race");
	if (clone || find_call(p, a, "fork") || find_call(p, a, "vfork"))
		refuse_clone3(p, a);
	imply(p, a, clock_calls, "calls only where the vDSO cannot answer");
	p->group = NULL;
}

/* ---- sockets ---- */

struct socket_kind {
	uint64_t family, type;
	uint64_t count, first_ns;
};

struct socket_kinds {
	VEC(struct socket_kind) list;
};

static int cmp_socket(const void *x, const void *y)
{
	const struct socket_kind *a = x, *b = y;

	if (a->family != b->family)
		return a->family < b->family ? -1 : 1;
	return a->type < b->type ? -1 : a->type > b->type;
}

static void collect_sockets(struct proposal *p, enum arch only, struct socket_kinds *out)
{
	vec_each(&p->r->calls, c) {
		if (only != ARCH_NR && c->arch != only)
			continue;
		vec_each(&c->tuples, t) {
			struct socket_kind k = { t->args[0], t->args[1] & 0xf, t->count,
						 c->first_ns };
			bool known = false;

			vec_each(&out->list, have) {
				if (have->family != k.family || have->type != k.type)
					continue;
				have->count += k.count;
				known = true;
			}
			if (!known)
				vec_push(p->a, &out->list, k);
		}
	}
	if (out->list.n)
		qsort(out->list.v, out->list.n, sizeof(*out->list.v), cmp_socket);
}

/* "AF_INET" -> "inet"; NULL without a name. */
static const char *short_name(struct arena *a, const char *domain, const char *prefix, uint64_t v)
{
	const char *name = constant_name(domain, v, (enum arch)arch_native());
	char *out;

	if (!name || !str_starts(str_c(name), prefix))
		return NULL;
	out = arena_strdup(a, name + strlen(prefix));
	for (char *c = out; *c; c++)
		if (*c >= 'A' && *c <= 'Z')
			*c = (char)(*c + 'a' - 'A');
	return out;
}

static struct ast_cond *socket_cond(struct proposal *p, const struct socket_kind *k, enum arch a)
{
	const struct syscall_info *s = syscall_by_name(STR("socket"));
	unsigned nargs;
	const struct arg_info *args = syscall_args(s, a, &nargs);
	struct ast_cond *family, *type;

	family = ast_cmp_new(p->a, args[0].name, false, AST_CMP_EQ, NULL,
			     named_value(p, k->family, &args[0], a));
	type = ast_cmp_new(p->a, args[1].name, false, AST_CMP_EQ, ast_name(p->a, "SOCK_TYPE_MASK"),
			   named_value(p, k->type, &args[1], a));
	family = ast_cond_join(p->a, AST_COND_AND, family, type);
	family->comma = true;
	return family;
}

/* The rule leaves the protocol free, as AppArmor's does: where it was not 0, say which it was. */
static void note_protocols(struct proposal *p, const struct socket_kind *k, enum arch only,
			   struct ast_stmt *st)
{
	BUF_AUTO text = { 0 };
	bool other = false;

	vec_each(&p->r->calls, c) {
		if (only != ARCH_NR && c->arch != only)
			continue;
		vec_each(&c->tuples, t) {
			if (t->args[0] != k->family || (t->args[1] & 0xf) != k->type || text.n > 60)
				continue;
			other |= t->args[2] != 0;
			buf_printf(&text, "%s%llu", text.n ? ", " : "",
				   (unsigned long long)t->args[2]);
		}
	}
	ast_comment_add(p->a, &st->trailing, "%llux%s%s", (unsigned long long)k->count,
			other ? ", any protocol; seen: " : "", other && text.p ? text.p : "");
}

static void propose_socket(struct proposal *p, const struct socket_kind *k, enum arch only)
{
	enum arch a = only == ARCH_NR ? p->r->host : only;
	const char *family = short_name(p->a, "af", "AF_", k->family);
	const char *type = short_name(p->a, "sock_type", "SOCK_", k->type);
	struct ast_network *n;
	struct ast_stmt *st;

	if (!family || !type || p->mux_sockets) {
		st = add_call(p, allow(p), "socket", socket_cond(p, k, a));
		note_protocols(p, k, only, st);
		return;
	}
	st = add_stmt(p, AST_STMT_NETWORK);
	n = ARENA_NEW(p->a, struct ast_network);
	n->family = *ast_word_new(p->a, family);
	n->type = *ast_word_new(p->a, type);
	st->networks = n;
	note_protocols(p, k, only, st);
}

static void propose_sockets(struct proposal *p, enum arch only)
{
	struct socket_kinds kinds = { 0 };

	collect_sockets(p, only, &kinds);
	p->group = "socket families and types";
	vec_each(&kinds.list, k)
		propose_socket(p, k, only);
	if (kinds.list.n && !p->mux_sockets && p->arches & ARCH_BIT(ARCH_I386)) {
		struct ast_stmt *st = add_call(p, nosys(p), "socketcall", NULL);

		ast_comment_add(p->a, &st->trailing, "its arguments lie in memory: socket itself instead");
	}
	p->group = NULL;
}

/* ---- sets ---- */

struct set_use {
	const struct ast_stmt *set;
	size_t worth;        /* seen calls that it saves */
	struct ast_word *except;
};

static bool is_implied(const struct ast_stmt *st)
{
	return st->trailing && str_starts(st->trailing->text, "implied:");
}

/* Calls that the policy treats otherwise than a set would. */
static bool is_special(struct proposal *p, const char *name, enum arch a)
{
	const struct syscall_info *s = syscall_by_name(str_c(name));
	const struct recorded_call *c = s && s->nr[a] >= 0 ?
					recording_call(p->r, a, (uint32_t)s->nr[a]) : NULL;
	int index;

	if (!strcmp(name, "clone") || !strcmp(name, "clone3") || is_socket(name))
		return true;
	return c && call_cond(p, c, s, &index);
}

/* Every call of it was seen (or is implied in the set itself), and it only allows calls. */
static bool set_fits(struct proposal *p, enum arch a, struct set_use *u)
{
	for (const struct ast_stmt *st = u->set->body; st; st = st->next) {
		if (st->kind != AST_STMT_CALLS || st->verdict.action != AST_ACTION_ALLOW)
			return false;
		for (const struct ast_call *c = st->calls; c; c = c->next) {
			const char *name = str_dup(p->a, c->name.text);
			const struct recorded_call *seen = find_call(p, a, name);

			if (c->cond || c->by_number || (!seen && !is_implied(st)))
				return false;
			if (is_special(p, name, a))
				ast_words_add(p->a, &u->except, name);
			else if (seen && !p->done[a][seen->nr])
				u->worth++;
		}
	}
	return true;
}

static void list_evidence(struct proposal *p, struct ast_stmt *use, const struct set_use *u,
			  enum arch a)
{
	BUF_AUTO line = { 0 };

	buf_printf(&line, PRISTR ":", STRARG(u->set->name.text));
	for (const struct ast_stmt *st = u->set->body; st; st = st->next) {
		for (const struct ast_call *c = st->calls; c; c = c->next) {
			const char *name = str_dup(p->a, c->name.text);
			const struct recorded_call *seen = find_call(p, a, name);

			if (is_special(p, name, a))
				continue;
			if (line.n > 80) {
				ast_comment_add(p->a, &use->leading, "%s", line.p);
				line.n = 0;
			}
			if (seen)
				buf_printf(&line, "%s%s %llux", line.n ? " " : "  ", name,
					   (unsigned long long)seen->count);
			else
				buf_printf(&line, "%s%s implied", line.n ? " " : "  ", name);
		}
	}
	if (line.n)
		ast_comment_add(p->a, &use->leading, "%s", line.p);
}

static void use_set(struct proposal *p, const struct set_use *u, enum arch a)
{
	struct ast_stmt *use = add_stmt(p, AST_STMT_USE);

	ast_words_add(p->a, &use->words, str_dup(p->a, u->set->name.text));
	use->except = u->except;
	list_evidence(p, use, u, a);
	for (const struct ast_stmt *st = u->set->body; st; st = st->next) {
		for (const struct ast_call *c = st->calls; c; c = c->next) {
			const struct syscall_info *s = syscall_by_name(c->name.text);

			if (s && s->nr[a] >= 0 && !is_special(p, s->name, a))
				p->done[a][s->nr[a]] = true;
		}
	}
}

static bool set_holds(const struct ast_stmt *set, const char *name)
{
	for (const struct ast_stmt *st = set->body; st; st = st->next)
		for (const struct ast_call *c = st->calls; c; c = c->next)
			if (str_is(c->name.text, name))
				return true;
	return false;
}

/* A set of how it will be started: needed whether or not the run made its calls. */
static void use_start(struct proposal *p, const struct set_use *u, enum arch a)
{
	struct ast_stmt *use = add_stmt(p, AST_STMT_USE);
	const char *how = str_is(u->set->name.text, "start-run") ? "pale run starts a program" :
								    "the container runtime does";

	ast_words_add(p->a, &use->words, str_dup(p->a, u->set->name.text));
	use->except = u->except;
	ast_comment_add(p->a, &use->trailing, "how %s", how);
	if (!p->one_arch)
		return;
	for (const struct ast_stmt *st = u->set->body; st; st = st->next) {
		for (const struct ast_call *c = st->calls; c; c = c->next) {
			const struct syscall_info *s = syscall_by_name(c->name.text);
			bool out = u->except && s && str_is(u->except->text, s->name);

			if (s && s->nr[a] >= 0 && !out)
				p->done[a][s->nr[a]] = true;
		}
	}
}

struct set_list {
	VEC(const struct ast_stmt *) list;
};

static int cmp_name(const void *x, const void *y)
{
	return strcmp(*(const char *const *)x, *(const char *const *)y);
}

/* The sets of one directory, in the order of their files' names. */
static void load_sets(struct proposal *p, const char *dir, struct set_list *out)
{
	struct { VEC(const char *) list; } names = { 0 };
	DIR *d = opendir(dir);
	struct dirent *e;

	if (!d)
		return;
	while ((e = readdir(d))) {
		size_t n = strlen(e->d_name);

		if (n > 5 && !strcmp(e->d_name + n - 5, ".pale"))
			vec_push(p->a, &names.list, arena_printf(p->a, "%s/%s", dir, e->d_name));
	}
	closedir(d);
	if (names.list.n)
		qsort(names.list.v, names.list.n, sizeof(*names.list.v), cmp_name);
	vec_each(&names.list, name) {
		/* A set that cannot be read is not used; `check` of the proposal needs none of it. */
		struct diags *quiet = diags_new(p->a, p->ds->sources);
		struct source *src;
		struct ast_file *file;

		if (source_load(p->ds->sources, *name, &src))
			continue;
		file = pale_parse_source(p->a, src, quiet);
		if (quiet->errors)
			continue;
		for (const struct ast_stmt *st = file->stmts; st; st = st->next)
			if (st->kind == AST_STMT_SET)
				vec_push(p->a, &out->list, st);
	}
}

static const struct ast_stmt *find_set(const struct set_list *sets, const char *name)
{
	for (size_t i = 0; i < sets->list.n; i++)
		if (str_is(sets->list.v[i]->name.text, name))
			return sets->list.v[i];
	return NULL;
}

/* The set that saves most, again and again; start-* sets are for runtimes, not for programs. */
static void propose_sets(struct proposal *p, const struct set_list *sets, enum arch a)
{
	for (;;) {
		struct set_use best = { 0 };

		for (size_t i = 0; i < sets->list.n; i++) {
			struct set_use u = { .set = sets->list.v[i] };

			if (str_starts(u.set->name.text, "start-") || !set_fits(p, a, &u))
				continue;
			if (u.worth > best.worth)
				best = u;
		}
		if (best.worth < SET_WORTH)
			return;
		use_set(p, &best, a);
	}
}

/* ---- files, capabilities, signals ---- */

static const char *perm_letters(struct arena *a, unsigned perms)
{
	return arena_printf(a, "%s%s%s%s%s%s", perms & PERM_M ? "m" : "", perms & PERM_R ? "r" : "",
			    perms & PERM_W ? "w" : "", perms & PERM_L ? "l" : "",
			    perms & PERM_K ? "k" : "", perms & PERM_X ? "ix" : "");
}

static void propose_files(struct proposal *p)
{
	struct proposed_files files = { 0 };

	generalize_files(p->a, p->r, &files);
	p->group = "files, as the kernel resolved them";
	vec_each(&files.list, f) {
		struct ast_stmt *st = add_stmt(p, AST_STMT_FILE);

		st->owner = f->owner;
		st->perms = ast_word_new(p->a, perm_letters(p->a, f->perms));
		st->paths = ast_word_new(p->a, str_dup(p->a, f->glob));
		if (f->why && f->files > 1)
			ast_comment_add(p->a, &st->trailing, "%s, %zu files: %s",
					evidence(p->a, f->count, f->first_ns), f->files, f->why);
		else
			ast_comment_add(p->a, &st->trailing, "%s%s%s",
					evidence(p->a, f->count, f->first_ns), f->why ? ": " : "",
					f->why ? f->why : "");
	}
	p->group = NULL;
}

/*
 * The tracepoint also fires for questions that the kernel asks without need (accounting of
 * memory asks for sys_admin all the time): only calls that can mean sys_admin count for it.
 */
static bool is_noise(const struct recorded_capability *c)
{
	static const char *const meant[] = {
		"bpf", "fanotify_init", "fsconfig", "fsmount", "fsopen", "fspick", "fsetxattr", "ioctl",
		"iopl", "keyctl", "lsetxattr", "mount", "mount_setattr", "move_mount", "msgctl",
		"open_tree", "perf_event_open", "pivot_root", "prctl", "quotactl", "quotactl_fd",
		"seccomp", "semctl", "setdomainname", "sethostname", "setns", "setxattr", "shmctl",
		"swapoff", "swapon", "syslog", "umount2", "unshare", "vhangup",
	};
	const struct syscall_info *s = syscall_by_nr(c->arch, c->nr);

	if (c->cap != 21 || !s)
		return false;
	for (size_t i = 0; i < ARRAY_SIZE(meant); i++)
		if (!strcmp(meant[i], s->name))
			return false;
	return true;
}

static void propose_capability(struct proposal *p, unsigned cap)
{
	uint64_t first = UINT64_MAX, count = 0;
	BUF_AUTO where = { 0 };
	struct ast_stmt *st;

	vec_each(&p->r->caps, c) {
		const struct syscall_info *s = syscall_by_nr(c->arch, c->nr);

		if (c->cap != cap || is_noise(c))
			continue;
		count += c->count;
		first = c->first_ns < first ? c->first_ns : first;
		if (where.n < 60)
			buf_printf(&where, "%s%s", where.n ? ", " : "", s ? s->name : "?");
	}
	if (!count || !capability_name(cap))
		return;
	st = add_stmt(p, AST_STMT_CAPABILITY);
	ast_words_add(p->a, &st->words, capability_name(cap));
	ast_comment_add(p->a, &st->trailing, "%s, in %s", evidence(p->a, count, first),
			where.p ? where.p : "");
}

/* Not seen: then all that the command had, so that the proposal does not refuse what it did. */
static void propose_held(struct proposal *p)
{
	struct ast_stmt *st;

	if (!p->r->caps_held)
		return;
	st = add_stmt(p, AST_STMT_CAPABILITY);
	for (unsigned cap = 0; cap < CAPABILITY_NR; cap++)
		if (p->r->caps_held >> cap & 1)
			ast_words_add(p->a, &st->words, capability_name(cap));
	ast_comment_add(p->a, &st->leading, "not observed: all that the command had; take out what it "
			"does not need");
}

static void propose_capabilities(struct proposal *p)
{
	p->group = "capabilities";
	if (!p->r->caps_observed)
		propose_held(p);
	for (unsigned cap = 0; cap < CAPABILITY_NR; cap++)
		propose_capability(p, cap);
	p->group = NULL;
}

static void add_signal(struct proposal *p, const char *direction, int sig, const char *why)
{
	const char *name = short_name(p->a, "signal", "SIG", (uint64_t)sig);
	struct ast_stmt *st = add_stmt(p, AST_STMT_SIGNAL);

	ast_words_add(p->a, &st->perms, direction);
	if (name)
		ast_words_add(p->a, &st->words, name);
	ast_comment_add(p->a, &st->trailing, "%s%s", why,
			name || !sig ? "" : "; a real-time signal: any, as it has no name here");
}

static bool is_kill(const struct recorded_call *c)
{
	static const char *const calls[] = { "kill", "tkill", "tgkill", "rt_sigqueueinfo",
					     "rt_tgsigqueueinfo" };
	const struct syscall_info *s = syscall_by_nr(c->arch, c->nr);

	for (size_t i = 0; s && i < ARRAY_SIZE(calls); i++)
		if (!strcmp(calls[i], s->name))
			return true;
	return false;
}

/* Were there more signals sent than values are kept? */
static bool sent_unknown(const struct proposal *p)
{
	vec_each(&p->r->calls, c)
		vec_each(&c->args, a)
			if (is_kill(c) && a->unbounded)
				return true;
	return false;
}

/* Signals sent, by kill and its kin: value -> count over all of them. */
static uint64_t count_sent(const struct proposal *p, int sig)
{
	uint64_t n = 0;

	vec_each(&p->r->calls, c)
		if (is_kill(c))
			vec_each(&c->args, a)
				vec_each(&a->values, v)
					n += v->value == (uint64_t)sig ? v->count : 0;
	return n;
}

static void propose_signals(struct proposal *p)
{
	p->group = "signals from and to other processes";
	vec_each(&p->r->received, s)
		add_signal(p, "receive", s->signal, evidence(p->a, s->count, s->first_ns));
	for (int sig = 1; sig < 65; sig++) {
		uint64_t n = count_sent(p, sig);

		if (n)
			add_signal(p, "send", sig,
				   arena_printf(p->a, "%llux", (unsigned long long)n));
	}
	if (sent_unknown(p))
		add_signal(p, "send", 0, "more different signals than are kept: any");
	p->group = NULL;
}

/* ---- the frame ---- */

/* Calls that AppArmor has rules of their own for, which policies cannot say yet. */
static void describe_unruled(struct proposal *p, struct ast_comment **to)
{
	static const char *const calls[] = {
		"mount", "umount", "umount2", "pivot_root", "move_mount", "mount_setattr", "fsmount",
		"open_tree", "ptrace", "process_vm_readv", "process_vm_writev", "mq_open", "mq_unlink",
	};
	BUF_AUTO text = { 0 };

	for (size_t i = 0; i < ARRAY_SIZE(calls); i++)
		if (was_seen(p, calls[i]))
			buf_printf(&text, "%s%s", text.n ? ", " : "", calls[i]);
	if (text.n)
		ast_comment_add(p->a, to, "no rule for AppArmor, which refuses them, here yet: %s", text.p);
}

/* They had their owner's rights while they were recorded; under no_new_privs they do not. */
static void describe_setid(struct proposal *p, struct ast_comment **to)
{
	vec_each(&p->r->files, f) {
		struct stat st;

		/* Paths of a recording end in a NUL byte. */
		if (!(f->perms & PERM_X) || f->elsewhere || stat(f->path.p, &st) ||
		    !(st.st_mode & (S_ISUID | S_ISGID)))
			continue;
		BUF_AUTO safe = { 0 };

		buf_safe(&safe, f->path);
		ast_comment_add(p->a, to, "set-id program, without its rights under 'pale run' "
				"(no_new_privs): %s", safe.p ? safe.p : "");
	}
}

static void describe(struct proposal *p, struct ast_stmt *policy)
{
	const struct recording *r = p->r;
	struct ast_comment **to = &policy->leading;
	uint64_t total = 0;
	BUF_AUTO losses = { 0 };

	vec_each(&r->calls, c)
		total += c->count;
	recording_losses_print(&losses, r);
	ast_comment_add(p->a, to, "Proposed by pale learn %s from one run: read it before you use it.",
			PALE_VERSION);
	if (p->opt->cmdline) {
		BUF_AUTO safe = { 0 };

		buf_safe(&safe, str_c(p->opt->cmdline));
		ast_comment_add(p->a, to, "command:  %s", safe.p ? safe.p : "");
	}
	ast_comment_add(p->a, to, "machine:  Linux %s, %s, libc: %s", r->kernel,
			arch_info(r->host)->name, r->libc);
	ast_comment_add(p->a, to, "recorded: backend %s, %s, %llu tasks, %llu calls, %zu different%s",
			r->backend, time_text(p->a, r->duration_ns),
			(unsigned long long)r->processes, (unsigned long long)total, r->calls.n,
			r->interrupted ? ", ended by a signal to pale" : "");
	ast_comment_add(p->a, to, "losses:   %s", losses.p ? losses.p : "");
	if (r->midway)
		ast_comment_add(p->a, to, "begun midway: there were processes before, how they started "
				"was not seen");
	if (!r->caps_observed)
		ast_comment_add(p->a, to, "capabilities: not observed (%s)",
				!strcmp(r->backend, "ptrace") ? "ptrace cannot see them" :
								"this kernel has no tracepoint for them");
	if (r->disconnected)
		ast_comment_add(p->a, to, "opened without a path (pipes, sockets, memory files): %llu",
				(unsigned long long)r->disconnected);
	if (r->odd_numbers)
		ast_comment_add(p->a, to, "calls by numbers beyond any table: %llu, left to `unknown`",
				(unsigned long long)r->odd_numbers);
	if (r->unread)
		ast_comment_add(p->a, to, "programs that could not be read afterwards, interpreter "
				"unknown: %llu", (unsigned long long)r->unread);
	if (r->memory_programs)
		ast_comment_add(p->a, to, "programs executed from memory, which no path and so no rule "
				"allows under AppArmor: %llu", (unsigned long long)r->memory_programs);
	if (r->elsewhere)
		ast_comment_add(p->a, to, "names used in a chroot or another mount namespace, links in "
				"them not followed: %llu", (unsigned long long)r->elsewhere);
	if (was_seen(p, "io_uring_setup"))
		ast_comment_add(p->a, to, "io_uring was used: what went through its rings was not seen");
	describe_unruled(p, to);
	describe_setid(p, to);
	if (!p->one_arch)
		ast_comment_add(p->a, to, "several ABIs: JSON profiles cannot tell them apart, compile "
				"those with --arch");
	vec_each(&r->calls, c)
		if (!syscall_by_nr(c->arch, c->nr))
			ast_comment_add(p->a, to, "call %u (%s): %llux, not in the table, left to `unknown`",
					c->nr, arch_info(c->arch)->name, (unsigned long long)c->count);
}

static struct ast_stmt *add_header(struct proposal *p, enum ast_header h)
{
	struct ast_stmt *s = add_stmt(p, AST_STMT_HEADER);

	s->header = h;
	return s;
}

static void add_headers(struct proposal *p)
{
	struct ast_stmt *s;

	if (p->r->program.n) {
		s = add_header(p, AST_HEADER_PROGRAM);
		s->paths = ast_word_new(p->a, generalize_escape(p->a, p->r->program));
	}
	s = add_header(p, AST_HEADER_LEVEL);
	ast_words_add(p->a, &s->words, "linux");
	s->version = *ast_word_new(p->a, arena_printf(p->a, "%u.%u", tables_level >> 8,
						      tables_level & 0xff));
	s = add_header(p, AST_HEADER_LAYERS);
	ast_words_add(p->a, &s->words, "seccomp");
	ast_words_add(p->a, &s->words, "apparmor");
	s = add_header(p, AST_HEADER_ARCH);
	for (enum arch a = 0; a < ARCH_NR; a++)
		if (p->arches & ARCH_BIT(a))
			ast_words_add(p->a, &s->words, arch_info(a)->name);
	s = add_header(p, AST_HEADER_DEFAULT);
	s->verdict = ast_verdict_of(p->a, (struct verdict){ VERDICT_ERRNO, 1 });
	s = add_header(p, AST_HEADER_UNKNOWN);
	s->verdict = nosys(p);
	s = add_header(p, AST_HEADER_FOREIGN);
	s->verdict = ast_verdict_of(p->a, (struct verdict){ VERDICT_KILL_PROCESS, 0 });
}

/* The calls of one architecture among several stand in a block of their own. */
static void propose_arch_block(struct proposal *p, enum arch a, bool has_start)
{
	struct ast_body inner = { .arena = p->a }, *outer = p->body;
	struct ast_stmt *st;
	struct ast_env *env;

	p->group = "";
	st = add_stmt(p, AST_STMT_WHEN);
	env = ARENA_NEW(p->a, struct ast_env);
	env->kind = AST_ENV_ARCH;
	env->span = NO_SPAN;
	env->words = ast_word_new(p->a, arch_info(a)->name);
	st->env = env;
	p->body = &inner;
	if (p->mux_sockets)
		propose_sockets(p, a);
	propose_calls(p, a);
	propose_implied(p, a, has_start);
	st->body = inner.first;
	p->body = outer;
}

static const char *policy_name(struct proposal *p)
{
	const char *name = p->opt->name, *base;
	char *out;

	if (!name) {
		base = p->r->program.n ? strrchr(p->r->program.p, '/') : NULL;
		name = base ? base + 1 : "workload";
	}
	out = arena_printf(p->a, "%s%s", *name >= '0' && *name <= '9' ? "_" : "", name);
	for (char *c = out; *c; c++)
		if (!strchr("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-", *c))
			*c = '-';
	return *out && *out != '-' ? out : arena_printf(p->a, "p%s", out);
}

/*
 * The sets of the ways to start it. Their mappings are anonymous and never both writable and
 * executable, so where the policy has a condition of its own on mmap it serves them too.
 */
static bool use_starts(struct proposal *p, const struct set_list *sets, enum arch a)
{
	bool execve = false;

	for (size_t i = 0; p->opt->starts && p->opt->starts[i]; i++) {
		struct set_use u = { .set = find_set(sets, p->opt->starts[i]) };

		if (!u.set) {
			diag_help(p->ds, diag_add(p->ds, DIAG_PL405, NO_SPAN, "there is no set '%s'",
						  p->opt->starts[i]),
				  "'pale list sets' lists those that there are");
			continue;
		}
		if (p->one_arch && is_special(p, "mmap", a) && set_holds(u.set, "mmap"))
			ast_words_add(p->a, &u.except, "mmap");
		use_start(p, &u, a);
		execve = true;
	}
	return execve;
}

static void propose_body(struct proposal *p)
{
	enum arch first = p->r->calls.n ? p->r->calls.v[0].arch : p->r->host;
	struct set_list sets = { 0 };
	bool has_start;

	for (size_t i = 0; p->opt->set_dirs && p->opt->set_dirs[i]; i++)
		load_sets(p, p->opt->set_dirs[i], &sets);
	add_headers(p);
	p->group = "";
	has_start = use_starts(p, &sets, first);
	if (p->one_arch) {
		enum arch a = first;

		propose_sets(p, &sets, a);
		if (!p->mux_sockets)
			propose_sockets(p, ARCH_NR);
		else
			propose_sockets(p, a);
		propose_calls(p, a);
		propose_implied(p, a, has_start);
	} else {
		if (!p->mux_sockets)
			propose_sockets(p, ARCH_NR);
		for (enum arch a = 0; a < ARCH_NR; a++)
			if (p->arches & ARCH_BIT(a))
				propose_arch_block(p, a, has_start);
	}
	propose_files(p);
	propose_capabilities(p);
	propose_signals(p);
}

struct ast_file *propose(struct arena *a, const struct recording *r,
			 const struct propose_options *opt, struct diags *ds)
{
	struct proposal *p = ARENA_NEW(a, struct proposal);
	struct ast_body top = { .arena = a }, body = { .arena = a };
	struct ast_file *file = ARENA_NEW(a, struct ast_file);
	struct ast_stmt *policy = ast_add(&top, AST_STMT_POLICY);

	p->a = a;
	p->r = r;
	p->opt = opt;
	p->ds = ds;
	p->body = &body;
	vec_each(&r->calls, c)
		p->arches |= ARCH_BIT(c->arch);
	/* The program itself starts by the host's own execve. */
	p->arches |= ARCH_BIT(r->host);
	p->one_arch = !(p->arches & (p->arches - 1));
	p->mux_sockets = find_call(p, ARCH_I386, "socketcall") != NULL;
	policy->name = *ast_word_new(a, policy_name(p));
	describe(p, policy);
	propose_body(p);
	policy->body = body.first;
	file->stmts = policy;
	return file;
}

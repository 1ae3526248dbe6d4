/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The margin: calls that were not seen and come with those that were, in a set of their own below
 * the policy. Who does not want them takes out one line.
 */
#include <string.h>

#include <linux/sched.h>

#include "compiler/base/bug.h"
#include "learn/proposal.h"
#include "learn/sockopt.h"

enum { MEMBERS_MAX = 40 };

struct family {
	const char *why;
	bool served;                          /* only of what accepts connections */
	const char *members[MEMBERS_MAX + 1]; /* ends with NULL */
};

static const struct family families[] = {
#define FAMILY(why, ...)        { why, false, { __VA_ARGS__, NULL } },
#define SERVED_FAMILY(why, ...) { why, true, { __VA_ARGS__, NULL } },
#include "learn/families.def"
#undef SERVED_FAMILY
#undef FAMILY
};

static const struct family siblings[] = {
#define SIBLINGS(why, ...) { why, false, { __VA_ARGS__, NULL } },
#include "compiler/tables/siblings.def"
#undef SIBLINGS
};

static const char *const risks[] = {
#define RISK(rule, call, gates, kernel, danger) call,
#include "compiler/tables/risk.def"
#undef RISK
};

/*
 * Ways to make processes, of which clone has conditions of its own, and what no libc calls (openat2
 * beside openat).
 */
static const char *const apart[] = {
	"clone", "clone3", "execve", "execveat", "fork", "openat2", "vfork",
};

static bool is_among(const char *name, const char *const *list, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (!strcmp(name, list[i]))
			return true;
	return false;
}

/* May it be added unseen? */
static bool may_be_added(const char *name)
{
	return !is_among(name, risks, ARRAY_SIZE(risks)) &&
	       !is_among(name, apart, ARRAY_SIZE(apart)) && !propose_is_socket(name);
}

/* ---- what brings a family ---- */

/* Without a libc (Go) calls take the form that new architectures have alone. */
static bool is_raw(const struct recording *r)
{
	return !strncmp(r->run.libc, "none", 4);
}

/* A process beside it, and not a thread alone. */
static bool made_children(const struct proposal *p, enum arch a)
{
	const struct recorded_call *clone = proposal_call(p, a, "clone");
	const struct recorded_arg *flags = clone ? proposal_arg(clone, 0) : NULL;
	const struct recorded_call *clone3 = proposal_call(p, a, "clone3");
	const struct recorded_arg *flags3 = clone3 ? proposal_arg(clone3, 0) : NULL;

	return proposal_call(p, a, "fork") || proposal_call(p, a, "vfork") ||
	       (flags && flags->zeros & CLONE_THREAD) || (flags3 && flags3->zeros & CLONE_THREAD);
}

/* What it is called where it shows, NULL: not there. */
static const char *sign_shown(const struct proposal *p, enum arch a, const char *sign)
{
	if (!strcmp(sign, "@any"))
		return "any program";
	if (!strcmp(sign, "@written"))
		return propose_wrote_files(p) ? "files written" : NULL;
	if (!strcmp(sign, "@written-raw"))
		return propose_wrote_files(p) && is_raw(p->r) ? "files written, without a libc" :
								NULL;
	if (!strcmp(sign, "@children"))
		return made_children(p, a) ? "child processes" : NULL;
	if (!strcmp(sign, "@sockets"))
		return proposal_call(p, a, "socket") || proposal_call(p, a, "socketpair") ?
			       "sockets" :
			       NULL;
	BUG("a sign that families.def has and this does not");
}

/* Without a condition: what does the same as a call that has one would be a way round it. */
static bool was_seen(struct proposal *p, enum arch a, const char *name)
{
	const struct syscall_info *s = syscall_by_name(str_c(name));
	const struct recorded_call *c = proposal_call(p, a, name);
	uint64_t bits;
	int index;

	/* What is assumed as far as it was not looked at stands for what would have been seen. */
	return c && (!c->assumed || learn_assumes_without(name, &bits)) &&
	       !propose_cond(p, c, s, &index);
}

/* Where that is assumed, any program would. */
static bool accepts(const struct proposal *p, enum arch a)
{
	static const char *const calls[] = { "accept", "accept4", "listen" };

	for (size_t i = 0; i < ARRAY_SIZE(calls); i++) {
		const struct recorded_call *c = proposal_call(p, a, calls[i]);

		if (c && !c->assumed)
			return true;
	}
	return false;
}

/* What of a row was seen; NULL: nothing. */
static const char *shown_by(struct proposal *p, enum arch a, const struct family *f)
{
	for (const char *const *m = f->members; *m && (!f->served || accepts(p, a)); m++) {
		const char *sign;

		if (**m == '@' && (sign = sign_shown(p, a, *m)))
			return sign;
		if (!strchr("@+", **m) && was_seen(p, a, *m))
			return *m;
	}
	return NULL;
}

/* ---- the set ---- */

struct margin {
	struct proposal *p;
	enum arch a;
	struct ast_body body;
};

/* Of those that do the same only newer ones: libcs move there, not back. */
static bool is_newer(const struct syscall_info *s, const char *than, enum arch a)
{
	return s->since[a] > syscall_by_name(str_c(than))->since[a];
}

/* same: they do the same, and are all calls. */
static void add_family(struct margin *m, const struct family *f, bool same)
{
	struct proposal *p = m->p;
	const char *by = shown_by(p, m->a, f);
	struct ast_call *list = NULL, **tail = &list;
	struct ast_stmt *st;

	for (const char *const *at = f->members; by && *at; at++) {
		const char *name = *at + (**at == '+');
		const struct syscall_info *s = syscall_by_name(str_c(name));

		if (!proposal_numbers(s, m->a) || p->done[m->a][s->nr[m->a]] ||
		    !may_be_added(name) || (same && !is_newer(s, by, m->a)))
			continue;
		p->done[m->a][s->nr[m->a]] = true;
		*tail = ast_call_new(p->a, name, NULL);
		tail = &(*tail)->next;
	}
	if (!list)
		return;
	st = ast_add(&m->body, AST_STMT_CALLS);
	st->verdict = proposal_allow(p);
	st->calls = list;
	ast_comment_add(p->a, &st->trailing, "%s: %s", by, f->why);
}

/* What sockets are set to, and asked: hangs on a configuration, and on errors. */
static void add_options(struct margin *m)
{
	static const char *const calls[] = { "getsockopt", "setsockopt" };
	struct proposal *p = m->p;
	const struct recorded_call *seen = NULL;
	struct ast_call *list = NULL, **tail = &list;
	struct ast_stmt *st;
	int index;

	for (size_t i = 0; i < ARRAY_SIZE(calls); i++) {
		const struct recorded_call *c = proposal_call(p, m->a, calls[i]);
		const struct syscall_info *s = syscall_by_name(str_c(calls[i]));

		if (c && propose_cond(p, c, s, &index))
			seen = c;
	}
	for (size_t i = 0; seen && i < ARRAY_SIZE(calls); i++) {
		struct recorded_call c = { .arch = m->a, .count = 1 };
		const struct recorded_call *own = proposal_call(p, m->a, calls[i]);
		const struct syscall_info *s = syscall_by_name(str_c(calls[i]));
		struct ast_cond *cond;

		if (!proposal_numbers(s, m->a) || (own && !propose_cond(p, own, s, &index)))
			continue;
		c.nr = (uint32_t)s->nr[m->a];
		cond = sockopt_ordinary(p, own ? own : &c, own ? proposal_arg(own, index) : NULL);
		if (!cond)
			continue;
		p->done[m->a][c.nr] = true;
		*tail = ast_call_new(p->a, calls[i], cond);
		tail = &(*tail)->next;
	}
	if (!list)
		return;
	st = ast_add(&m->body, AST_STMT_CALLS);
	st->verdict = proposal_allow(p);
	st->calls = list;
	ast_comment_add(p->a, &st->trailing, "%s: a socket's options",
			syscall_by_nr(m->a, seen->nr)->name);
}

static bool had_value(const struct recorded_arg *seen, uint64_t value)
{
	vec_each(&seen->values, v)
		if (v->value == value)
			return true;
	return false;
}

/*
 * What every program may ask of what it writes to, by where its output goes: is that a terminal, and how
 * wide? isatty(3) asks with TCGETS, where termios2 is used with TCGETS2.
 */
static void add_commands(struct margin *m)
{
	static const char *const asked[] = { "TCGETS", "TCGETS2", "TIOCGWINSZ" };
	const struct recorded_call *c = proposal_call(m->p, m->a, "ioctl");
	struct ast_value *list = NULL, **tail = &list;
	struct arena *a = m->p->a;
	struct ast_stmt *st;
	uint64_t value;
	int index;

	if (!c || c->assumed || !propose_cond(m->p, c, syscall_by_nr(m->a, c->nr), &index))
		return;
	for (size_t i = 0; i < ARRAY_SIZE(asked); i++) {
		if (constant_find("ioctl", str_c(asked[i]), m->a, &value) ||
		    had_value(proposal_arg(c, index), value))
			continue;
		*tail = ast_name(a, asked[i]);
		tail = &(*tail)->next;
	}
	if (!list)
		return;
	st = ast_add(&m->body, AST_STMT_CALLS);
	st->verdict = proposal_allow(m->p);
	st->calls = ast_call_new(
		a, "ioctl",
		ast_cmp_new(a, "cmd", false, list->next ? AST_CMP_IN : AST_CMP_EQ, NULL, list));
	ast_comment_add(a, &st->trailing, "ioctl: is it a terminal, and how wide");
}

/* Behind everything else that speaks of calls: what those allow is not added. */
void propose_margin(struct proposal *p, enum arch a)
{
	const char *name =
		p->one_arch ? "margin" : arena_printf(p->a, "margin-%s", arch_info(a)->name);
	struct margin m = {
		.p = p,
		.a = a,
		.body = { .arena = p->a },
	};
	struct ast_stmt *set, *use;

	for (size_t i = 0; i < ARRAY_SIZE(families); i++)
		add_family(&m, &families[i], false);
	for (size_t i = 0; i < ARRAY_SIZE(siblings); i++)
		add_family(&m, &siblings[i], true);
	add_options(&m);
	add_commands(&m);
	if (!m.body.first)
		return;
	set = ast_add(&p->sets, AST_STMT_SET);
	ast_comment_add(p->a, &set->leading,
			"Not seen in any run: calls that come with those that were, none of them a "
			"risk that the linter knows.");
	ast_comment_add(p->a, &set->leading, "Without 'use %s;' above they are refused.", name);
	set->leading->blank_before = true;
	set->name = *ast_word_new(p->a, name);
	set->body = m.body.first;
	p->group = "";
	use = proposal_add(p, AST_STMT_USE);
	ast_words_add(p->a, &use->words, name);
	ast_comment_add(p->a, &use->trailing, "not seen; beside what was seen");
	p->group = NULL;
}

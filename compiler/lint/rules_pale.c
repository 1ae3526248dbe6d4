/* SPDX-License-Identifier: Apache-2.0 */
/* DS: what the compiler accepts in a pale policy and its author hardly means. */
#include <stdlib.h>

#include "compiler/base/bug.h"
#include "compiler/decision/rules.h"
#include "compiler/lint/internal.h"

/* ---- sets ---- */

static bool list_has(const struct ast_word *w, struct str name)
{
	for (; w; w = w->next)
		if (str_eq(w->text, name))
			return true;
	return false;
}

/* Nesting is bounded by the parser. */
static bool uses_set(const struct ast_stmt *s, const struct ast_stmt *set)
{
	for (; s; s = s->next) {
		if (s == set)
			continue;
		if (s->kind == AST_STMT_USE && list_has(s->words, set->name.text))
			return true;
		if (s->body && uses_set(s->body, set))
			return true;
	}
	return false;
}

void lint_pale_file(struct arena *a, const struct ast_file *file, struct diags *ds)
{
	struct group g = { .arena = a };
	bool has_policy = false;
	struct diag *d;

	for (const struct ast_stmt *s = file->stmts; s; s = s->next)
		has_policy |= s->kind == AST_STMT_POLICY;
	if (!has_policy)
		return; /* a library of sets is used from elsewhere */
	for (const struct ast_stmt *s = file->stmts; s; s = s->next)
		if (s->kind == AST_STMT_SET && !uses_set(file->stmts, s))
			group_add(&g, s->name.text, s->name.span);
	if (!g.hits.n)
		return;
	d = diag_add(ds, DIAG_DS501, group_span(&g),
		     "%s: %s in this file, and no policy here uses %s", group_list(&g),
		     PLURAL(g, "a set", "sets"), PLURAL(g, "it", "them"));
	diag_help(ds, d, "use " PRISTR ", or remove it", STRARG(g.hits.v[0].text));
	for (const struct ast_stmt *s = file->stmts; s; s = s->next)
		if (s->kind == AST_STMT_SET && !uses_set(file->stmts, s))
			diag_fix(ds, d, lint_lines_of(file->source->text, s->span), STR(""));
	diag_fix_means(d, FIX_SAFE, FIX_SAME);
	group_labels(ds, d, &g);
}

/* The row that --list-rules and --explain show; the work is done once a file, above. */
RULE_TOLD(DS501, "unused-set", INFO, PALE, "a set that no policy of the file uses",
	  "A set that no policy of this file uses. In a file without policies (a library of sets) "
	  "nothing is reported.")

RULE_TOLD(
	DS519, "halves-disagree", WARNING, PALE,
	"seccomp lets pass what AppArmor refuses, or the reverse",
	"An event must pass each layer that a policy counts on, so what one half lets pass and the "
	"other refuses is refused: a statement that does nothing. Told of families of sockets, of the "
	"calls behind mount, umount, pivot_root, ptrace, userns, io_uring and mqueue rules, and of "
	"capabilities that AppArmor lets be used while seccomp refuses every call that they are for "
	"(capabilities(7); information, as nothing passes by it); 'pale check' says the same. That execve is refused, and with it all "
	"rules about execution, is PL202.\n\n"
	"Way out: allow the call, or drop the statement; 'network' and 'deny namespace' speak to both "
	"halves.")

RULE(DS516, "level-unpinned", INFO, PALE, ds_level_unpinned, "the policy has no level",
     "Without 'level linux V;' the calls that count as unknown follow the table of the pale that "
     "compiles; a later one knows more calls.")

/* In front of the first statement, laid out as that is. */
static void add_level(struct lint *l, struct diag *d, struct span first)
{
	struct str text = l->file->source->text;
	uint32_t line = first.begin;

	if (source_of(l->ds->sources, first) != l->file->source)
		return;
	while (line && (text.p[line - 1] == ' ' || text.p[line - 1] == '\t'))
		line--;
	struct str blanks = { text.p + line, first.begin - line };
	bool alone = line && text.p[line - 1] == '\n';
	first.end = first.begin;
	diag_fix(l->ds, d, first,
		 str_c(arena_printf(l->arena, "level linux %u.%u;%s" PRISTR, tables_level >> 8,
				    tables_level & 0xff, alone ? "\n" : " ",
				    STRARG(alone ? blanks : STR("")))));
	diag_fix_means(d, FIX_SAFE, FIX_SAME);
}

void ds_level_unpinned(struct lint *l, enum diag_id id)
{
	if (!l->policy || !l->policy->stmt || l->policy->stmt->kind != AST_STMT_POLICY)
		return;
	for (const struct ast_stmt *s = l->policy->stmt->body; s; s = s->next)
		if (s->kind == AST_STMT_HEADER && s->header == AST_HEADER_LEVEL)
			return;
	struct diag *d = diag_add(l->ds, id, l->policy->span,
				  "no level: which calls count as unknown is not written down with "
				  "the policy");
	diag_help(l->ds, d, "level linux %u.%u;", tables_level >> 8, tables_level & 0xff);
	if (l->policy->stmt->body) {
		add_level(l, d, l->policy->stmt->body->span);
	}
}

/* ---- rules that other rules make idle ---- */

enum { IDLE_NODES = 1 << 20 };

enum idle { IDLE_NO, IDLE_LOOSE, IDLE_NEVER, IDLE_AGAIN, IDLE_NOWHERE, IDLE_DEFAULT };

struct idle_copy { /* one per-architecture copy of a rule */
	const struct rule_use *use;
	enum idle idle;
};

/* A condition that restricts nothing is worse than a rule said twice. */
static bool restricts_nothing(const struct rule_use *u)
{
	return u->rule->cond && !verdict_refuses(u->rule->verdict) && u->nby == 1 &&
	       !u->by[0]->cond;
}

static struct idle_copy idle_of(const struct rule_use *u)
{
	struct idle_copy c = { u, IDLE_NO };

	switch (u->role) {
	case RULE_SHADOWED: c.idle = IDLE_NEVER; return c;
	case RULE_REPEATS: c.idle = restricts_nothing(u) ? IDLE_LOOSE : IDLE_AGAIN; return c;
	case RULE_NEVER_MATCHES: c.idle = IDLE_NOWHERE; return c;
	case RULE_IS_DEFAULT: /* a refusal written down holds whatever the default becomes */
		c.idle = verdict_refuses(u->rule->verdict) ? IDLE_NO : IDLE_DEFAULT;
		return c;
	case RULE_DECIDES:
	case RULE_UNDECIDED: return c;
	}
	BUG("rule_role");
}

static int compare_copies(const void *x, const void *y)
{
	const struct idle_copy *a = x, *b = y;
	const struct origin *o = a->use->rule->origin, *p = b->use->rule->origin;

	if (o->span.begin != p->span.begin)
		return o->span.begin < p->span.begin ? -1 : 1;
	if (o != p)
		return o > p ? 1 : -1;
	return (a->use > b->use) - (a->use < b->use);
}

static const struct {
	enum severity severity;
	const char *before, *after; /* the call's name */
	const char *help;
} idle_texts[] = {
	[IDLE_LOOSE] = { SEVERITY_HIGH, "the condition on",
			 "restricts nothing: another rule allows the call whatever its arguments",
			 "remove one of the two" },
	[IDLE_NEVER] = { SEVERITY_WARNING, "this rule on",
			 "never decides: wherever it matches, a stricter rule does too",
			 "remove it, or the stricter one; the order of rules does not matter" },
	[IDLE_AGAIN] = { SEVERITY_INFO, "this rule on", "says again what another one says",
			 "remove it" },
	[IDLE_DEFAULT] = { SEVERITY_INFO, "this rule on", "says again what the default says",
			   "remove it" },
	[IDLE_NOWHERE] = { SEVERITY_WARNING, "this rule on",
			   "never matches: no arguments in no environment meet its conditions",
			   "correct the conditions, or remove it" },
};

/* Out of its statement, or that whole where it has no other. */
static void cut_call(struct lint *l, struct diag *d, const struct origin *o)
{
	const struct ast_call *before = NULL;
	struct span sp;

	if (source_of(l->ds->sources, o->span) != l->file->source || !o->stmt)
		return;
	for (const struct ast_call *c = o->stmt->calls; c && c != o->call; c = c->next)
		before = c;
	if (before)
		sp = (struct span){ o->span.source, before->span.end, o->call->span.end };
	else if (o->call->next)
		sp = (struct span){ o->span.source, o->call->span.begin,
				    o->call->next->span.begin };
	else
		sp = lint_lines_of(l->file->source->text, o->stmt->span);
	diag_fix(l->ds, d, sp, STR(""));
	diag_fix_means(d, FIX_SAFE, FIX_SAME);
}

static void tell_idle(struct lint *l, enum diag_id id, const struct idle_copy *c)
{
	const struct origin *o = c->use->rule->origin;
	struct str name = o->call->name.text;
	const char *after = idle_texts[c->idle].after;

	if (c->idle == IDLE_AGAIN && c->use->nby > 1)
		after = "says again what others say together";
	struct diag *d = diag_add(l->ds, id, o->span, "%s '" PRISTR "' %s",
				  idle_texts[c->idle].before, STRARG(name), after);
	diag_severity(l->ds, d, idle_texts[c->idle].severity);
	const char *set = c->use->nby ? c->use->by[0]->origin->set : NULL;
	if (c->idle == IDLE_LOOSE && set)
		diag_help(l->ds, d, "use %s except " PRISTR ";", set, STRARG(name));
	else
		diag_help(l->ds, d, "%s", idle_texts[c->idle].help);
	cut_call(l, d, o);
	for (size_t i = 0; i < c->use->nby; i++) {
		const struct origin *by = c->use->by[i]->origin;
		if (by->use.source != SOURCE_NONE)
			diag_note(l->ds, d, by->use, "in set %s", by->set);
		else
			diag_note(l->ds, d, by->span,
				  c->use->nby == 1 ? "the other rule" : "another rule");
	}
}

RULE(DS506, "rule-without-effect", WARNING, PALE, ds_rule_without_effect,
     "a rule that another rule makes idle",
     "A rule of the policy itself that does nothing on every architecture, for all arguments and "
     "in every environment (decided exactly, not by samples). High: a condition that restricts "
     "nothing, because a rule without conditions (often from a set) allows the call anyway. "
     "Warning: a rule that never decides, because stricter ones match wherever it does, or that "
     "never matches. Info: a rule that repeats what others say, or that allows what the default "
     "allows.\n\n"
     "Way out: use SET except CALL; or remove one of the two.")

void ds_rule_without_effect(struct lint *l, enum diag_id id)
{
	struct idle_copy *copies;
	size_t n = 0;

	if (!l->policy)
		return;
	const struct rule_use *uses =
		decision_rules(l->arena, dd_new(l->arena, IDLE_NODES), l->policy);
	copies = ARENA_ARRAY(l->arena, struct idle_copy, l->policy->calls.n + 1);
	for (size_t i = 0; i < l->policy->calls.n; i++)
		if (!uses[i].rule->origin->set && uses[i].rule->origin->call)
			copies[n++] = idle_of(&uses[i]);
	qsort(copies, n, sizeof(*copies), compare_copies);
	for (size_t i = 0, k; i < n; i = k) {
		bool idle = true;

		for (k = i; k < n && copies[k].use->rule->origin == copies[i].use->rule->origin;
		     k++)
			idle &= copies[k].idle == copies[i].idle;
		if (idle && copies[i].idle)
			tell_idle(l, id, &copies[i]);
	}
}

/* ---- whole registers ---- */

static bool opens(enum cmp_op op, bool permits, bool negated)
{
	bool widens = op == CMP_NE || op == CMP_GT || op == CMP_GE;

	return (widens != negated) == permits;
}

/* A 64-bit comparison of a 32-bit argument that a register's high half can get round. */
static const struct cmp *find_wide(const struct call_rule *r, const struct cond *c, bool negated)
{
	const struct arg_info *args;
	const struct cmp *found;
	unsigned nargs;

	if (!c)
		return NULL;
	if (c->kind != COND_CMP) {
		found = find_wide(r, c->left, negated != (c->kind == COND_NOT));
		return found || c->kind == COND_NOT ? found : find_wide(r, c->right, negated);
	}
	args = syscall_args(r->sys, r->arch, &nargs);
	if (c->cmp.arg >= nargs || args[c->cmp.arg].width == 64 || c->cmp.width != 64 ||
	    args[c->cmp.arg].kind == ARG_POINTER || !(c->cmp.mask >> 32) ||
	    arch_info(r->arch)->bits != 64)
		return NULL;
	return opens(c->cmp.op, !verdict_refuses(r->verdict), negated) ? &c->cmp : NULL;
}

RULE(DS502, "reg-width", HIGH, PALE, ds_width_fail_open,
     "a whole-register comparison of a 32-bit argument that can be got round",
     "'reg NAME' compares the whole 64-bit register, which imports keep because JSON profiles mean "
     "it. The kernel looks at the low 32 bits of this argument: anything in the high half gets "
     "round the comparison (rule SC120).\n\n"
     "Way out: write the argument without 'reg'.")

void ds_width_fail_open(struct lint *l, enum diag_id id)
{
	struct group g = GROUP(l);
	struct diag *d;

	if (!l->policy)
		return;
	vec_each(&l->policy->calls, r) {
		const struct cmp *c = r->sys ? find_wide(r, r->cond, false) : NULL;
		const struct arg_info *args;
		unsigned nargs;

		if (!c)
			continue;
		args = syscall_args(r->sys, r->arch, &nargs);
		group_add(&g,
			  str_c(arena_printf(l->arena, "%s: reg %s", r->sys->name,
					     args[c->arg].name)),
			  r->origin->span);
	}
	if (!g.hits.n)
		return;
	d = diag_add(l->ds, id, group_span(&g),
		     "%s: the kernel looks at 32 bits of this argument, the "
		     "rule at 64: anything in the high half gets round the comparison",
		     group_list(&g));
	diag_help(l->ds, d, "write the argument without 'reg'");
	group_labels(l->ds, d, &g);
}

RULE(DS520, "condition-on-dropped-capability", INFO, PALE, ds_condition_on_dropped,
     "rules for a capability that the policy does not list",
     "A policy's own capability lines are the environment that it is for: the container's list, and what "
     "`pale run` keeps. A rule under 'when capability X', where none of them lists X, never holds there, and "
     "one under 'when not capability X', where one does, neither. The targets that carry conditions "
     "(Docker's includes) still have it, for whoever adds the capability by hand.\n\n"
     "Way out: list the capability, or take the rule out.")

static uint64_t own_capabilities(const struct policy *p)
{
	uint64_t caps = 0;

	vec_each(&p->caps, c)
		if (c->action == RULE_ALLOW || c->action == RULE_LOG)
			caps |= (uint64_t)1 << c->cap;
	return caps;
}

void ds_condition_on_dropped(struct lint *l, enum diag_id id)
{
	struct group g = GROUP(l);

	if (!l->policy || !l->policy->says_caps)
		return;
	struct env_cube own = env_all(l->policy->arches);
	own.caps = own_capabilities(l->policy);
	own.no_caps = ~own.caps;
	vec_each(&l->policy->calls, r)
		if (r->env && r->sys && r->origin && !r->origin->set && !env_decide(r->env, &own))
			group_add(&g, str_c(r->sys->name), r->origin->span);
	if (!g.hits.n)
		return;
	struct diag *d =
		diag_add(l->ds, id, group_span(&g),
			 "the rule%s of %s never %s with the capabilities that the policy lists",
			 PLURAL(g, "", "s"), group_list(&g), PLURAL(g, "holds", "hold"));
	diag_help(l->ds, d, "list the capability that is asked for, or take %s out",
		  PLURAL(g, "it", "them"));
	group_labels(l->ds, d, &g);
}

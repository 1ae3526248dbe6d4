/* SPDX-License-Identifier: Apache-2.0 */
#include "compiler/tell/refused.h"

#include <string.h>

#include "compiler/base/bug.h"
#include "compiler/base/json_write.h"
#include "compiler/decision/compare.h"
#include "compiler/tell/decided.h"
#include "compiler/tell/loaded.h"

enum { ANSWERS_MAX = 64 };

/* The machine that made the call: one that is named, this one if it can, or the record's own. */
static enum arch host_of(const struct refusing *by, const struct refused_call *e)
{
	const struct environment *env = &by->opt.resolve.env;
	uint32_t nr = e->r.nr;
	int native = arch_native(), a = arch_of_call(e->r.audit, &nr);

	if (env->host_known)
		return env->host;
	if (a < 0 || (native >= 0 && env_runs((enum arch)native, (enum arch)a)))
		return (enum arch)native;
	int family = arch_find(str_c(arch_info((enum arch)a)->family));
	return (enum arch)(family < 0 ? a : family);
}

int refusing_turn(struct refusing *by, const struct refused_call *e)
{
	const size_t told = by->s->diags->list.n;
	int status = EXIT_OK;

	if (!by->loaded || host_of(by, e) == by->loaded->asked.host)
		return EXIT_OK;
	struct container **l = &by->machines[host_of(by, e)];
	if (!*l) {
		*l = ARENA_NEW(by->s->arena, struct container);
		status = container_on(by->s, by->loaded, host_of(by, e), *l);
	}
	if (status)
		return status;
	by->s->diags->list.n = told; /* as of the file's own notes */
	by->loaded = *l;
	by->dd = (*l)->dd;
	by->root = (*l)->held.root;
	return EXIT_OK;
}

static struct dd_point point_of(const struct refusing *by, const struct refused_call *e)
{
	struct environment env = by->opt.resolve.env;
	struct call c = { .audit_arch = e->r.audit, .nr = e->r.nr };

	memcpy(c.args, e->args, sizeof(c.args));
	env.kernel = env.kernel_known ? env.kernel : tables_level;
	env.host = host_of(by, e);
	return dd_point_of(&env, &c);
}

void refused_put_call(struct buf *out, const struct refusing *by, const struct refused_call *e)
{
	struct dd_point at = point_of(by, e);

	if (e->count > 1)
		buf_printf(out, "%llu times ", (unsigned long long)e->count);
	words_witness(out, &at);
	if (e->r.answered) {
		buf_puts(out, ": ");
		if (e->r.verdict.data)
			verdict_print(out, e->r.verdict);
		else
			buf_puts(out, verdict_kind_name(e->r.verdict.kind));
	}
	if (*e->r.comm)
		buf_printf(out, ", by %s", e->r.comm);
	if (*e->r.pid)
		buf_printf(out, e->count > 1 ? " (first pid %s)" : " (pid %s)", e->r.pid);
	buf_putc(out, '\n');
}

static struct call call_at(const struct dd_point *at)
{
	struct call c = { .audit_arch = (uint32_t)(at->at[DD_CALL] >> 32),
			  .nr = (uint32_t)at->at[DD_CALL] };

	memcpy(c.args, at->at, sizeof(c.args));
	return c;
}

/* The entry of JSON that would allow a call. */
static void put_entry(struct buf *out, const char *name)
{
	struct json_writer w = { .out = out };

	json_open(&w, NULL, '{');
	json_open(&w, "names", '[');
	json_text(&w, NULL, name);
	json_close(&w, ']');
	json_text(&w, "action", "SCMP_ACT_ALLOW");
	json_close(&w, '}');
	buf_putc(out, '\n');
}

/* In a container: which of the parts of its runtime must change. */
static void put_loaded_way(struct buf *out, const struct refusing *by,
			   const struct syscall_info *sys, const struct dd_point *at)
{
	const struct oci_model *m = by->loaded->held.model;
	const struct call c = call_at(at);
	struct oci_why why = oci_model_why(m, &by->loaded->env, &c);
	uint32_t nr = c.nr;
	int a = sys ? arch_of_call(c.audit_arch, &nr) : -1;
	struct str since = a < 0 ? (struct str){ NULL, 0 } : libseccomp_since_on(sys, (enum arch)a);
	bool numbered = a < 0 || libseccomp_numbers(m->runtime.libseccomp, sys, (enum arch)a);

	if (!sys)
		buf_puts(out, "nothing: JSON names calls, and this number has no name\n");
	else if (!numbered && since.n)
		buf_printf(out,
			   "libseccomp " PRISTR
			   " or newer, which knows the name '%s', and an entry for it\n",
			   STRARG(since), sys->name);
	else if (!numbered)
		buf_printf(out,
			   "a libseccomp newer than " LIBSECCOMP_NEWEST
			   " that knows the name '%s', and an entry for it\n",
			   sys->name);
	else if (why.by == OCI_BY_ARCH)
		buf_puts(out, "this architecture among those of the profile\n");
	else if (why.by == OCI_BY_ENTRY)
		buf_printf(out, "taking %s out of that entry\n", sys->name);
	else
		put_entry(out, sys->name);
}

/* A line that would allow it, or what must go. */
static void put_way(struct buf *out, const struct refusing *by, const struct refused_call *e,
		    const struct dd_point *at)
{
	const struct policy *p = by->loaded ? NULL : decide_policy(&by->decide, at);
	uint32_t nr = e->r.nr;
	int a = arch_of_call(e->r.audit, &nr);
	const struct syscall_info *sys = a < 0 ? NULL : syscall_by_nr((enum arch)a, nr);
	const char *name = sys ? sys->name : arena_printf(by->s->arena, "#%u", nr);
	struct decision_why decided = { .by = BY_DEFAULT };
	struct environment env;
	struct call c;

	dd_point_tell(at, &env, &c);
	buf_puts(out, "  allowed by: ");
	if (by->loaded) {
		put_loaded_way(out, by, sys, at);
		return;
	}
	if (!p) {
		buf_puts(out, "nothing that can be added to a program; 'pale import' makes a "
			      "policy of it\n");
		return;
	}
	policy_eval_in(p, &env, &c, &decided);
	bool json = by->decide.in.format == INPUT_JSON;
	if (decided.by == BY_FOREIGN && a >= 0)
		buf_printf(out, json ? "%s among its architectures\n" : "arch %s;\n",
			   json ? arch_info((enum arch)a)->oci : arch_info((enum arch)a)->name);
	else if (decided.by == BY_FOREIGN)
		buf_puts(out, "nothing: pale does not know this architecture\n");
	else if (decided.by == BY_RULE && decided.rule->origin->set)
		buf_printf(out, "use %s except %s;\n", decided.rule->origin->set, name);
	else if (decided.by == BY_RULE)
		buf_printf(out, "taking %s out of that %s\n", name, json ? "entry" : "rule");
	else if (json && sys)
		put_entry(out, name);
	else if (json)
		buf_puts(out, "nothing: JSON names calls, and this number has no name\n");
	else
		buf_printf(out, "allow %s;%s\n", name,
			   e->has_args ? "" : "  (for any arguments: the record has none)");
}

static bool same_answer(struct verdict x, struct verdict y)
{
	return verdict_eq(x, y);
}

static void put_reason(struct buf *out, const struct refusing *by, const struct dd_point *at)
{
	const struct call c = call_at(at);

	if (by->loaded)
		put_loaded(out, by->s->sources, by->loaded, &c);
	else
		decide_put_why(out, by->s->sources, &by->decide, at);
}

enum like { LIKE_ALL, LIKE_KIND, LIKE_ANY }; /* answers that are told: how near to the record's */

static bool same_kind(struct verdict x, struct verdict y)
{
	return x.kind == y.kind;
}

/* What the file answers to such calls, of what the record does not say. */
static dd_node answers_to(const struct refusing *by, const struct refused_call *e)
{
	const struct dd_point at = point_of(by, e);
	dd_node n = by->root;

	n = dd_fix(by->dd, n, DD_CALL, UINT64_MAX, at.at[DD_CALL]);
	n = dd_fix(by->dd, n, DD_CAPS, UINT64_MAX, at.at[DD_CAPS]);
	n = dd_fix(by->dd, n, DD_SYSTEM, UINT64_MAX, at.at[DD_SYSTEM]);
	for (unsigned f = 0; e->has_args && f < 6; f++)
		n = dd_fix(by->dd, n, (enum dd_field)f, UINT64_MAX, e->args[f]);
	return n;
}

/* Where those answers are as near to the record's. */
static dd_node alike(const struct refusing *by, const struct refused_call *e, dd_node n,
		     enum like like)
{
	if (!e->r.answered || like == LIKE_ANY)
		return DD_TRUE;
	return dd_compare(by->dd, n, dd_terminal(by->dd, e->r.verdict),
			  like == LIKE_ALL && e->r.verdict.data ? same_answer : same_kind);
}

static void put_answer(struct buf *out, const struct refusing *by, const struct refused_call *e,
		       const struct dd_point *at, bool depends)
{
	struct verdict v = dd_eval_at(by->dd, by->root, at);

	buf_puts(out, "  ");
	verdict_print(out, v);
	buf_puts(out, "  ");
	put_reason(out, by, at);
	if (depends) {
		buf_puts(out, "\n    for example ");
		words_witness(out, at);
	}
	buf_putc(out, '\n');
	if (v.kind < VERDICT_LOG)
		put_way(out, by, e, at);
}

/* One line for each answer that the file gives to such calls; those that agree with the record. */
static unsigned put_answers(struct buf *out, const struct refusing *by,
			    const struct refused_call *e, enum like like)
{
	dd_node n = answers_to(by, e), todo = alike(by, e, n, like);
	struct dd_point at = point_of(by, e), p;
	bool depends = dd_fields(by->dd, n) != 0;
	unsigned shown = 0;

	while (todo != DD_NONE && shown < ANSWERS_MAX && dd_witness(by->dd, todo, &p)) {
		memcpy(at.at, p.at, 6 * sizeof(p.at[0]));
		at.at[DD_IP] = p.at[DD_IP];
		dd_node same = dd_terminal(by->dd, dd_eval_at(by->dd, n, &at));
		todo = dd_and(by->dd, todo,
			      dd_not(by->dd, dd_compare(by->dd, n, same, same_answer)));
		put_answer(out, by, e, &at, depends);
		shown++;
	}
	if (todo == DD_NONE)
		buf_printf(out,
			   "  what else the file answers needs more than %d decision nodes; "
			   "'pale sim' tells of a single call\n",
			   DECIDE_BUDGET);
	else if (shown == ANSWERS_MAX && dd_witness(by->dd, todo, &p))
		buf_printf(out,
			   "  and other answers: %d are told; 'pale explain' tells of every rule\n",
			   ANSWERS_MAX);
	if (depends && !e->has_args)
		buf_puts(out, "  the file decides by arguments, which the record does not have\n");
	return shown + (todo == DD_NONE);
}

/*
 * A name that the profile lists and an older libseccomp does not know is left out by it, and
 * the default answers: is that what the record shows?
 */
static bool put_unknown_name(struct buf *out, const struct refusing *by,
			     const struct refused_call *e)
{
	uint32_t nr = e->r.nr;
	int a = arch_of_call(e->r.audit, &nr);
	const struct syscall_info *sys = a < 0 ? NULL : syscall_by_nr((enum arch)a, nr);
	struct dd_point at = point_of(by, e);
	const struct policy *p = by->loaded || by->decide.in.format != INPUT_JSON ?
					 NULL :
					 decide_policy(&by->decide, &at);
	unsigned library = by->opt.runtime ? by->opt.runtime->libseccomp : 0;
	size_t first, end;

	if (!p || !sys || libseccomp_numbers(library, sys, (enum arch)a) ||
	    !(p->arches & ARCH_BIT(a)))
		return false;
	policy_calls_of(p, (enum arch)a, e->r.nr, &first, &end);
	if (first == end ||
	    (e->r.verdict.kind != p->dflt[a].kind && e->r.verdict.kind != VERDICT_ERRNO))
		return false;
	buf_puts(out, "  listed at ");
	put_place(out, by->s->sources, p->calls.v[first].origin->span);
	buf_puts(out, ", but ");
	put_unknowing(out, sys, (enum arch)a);
	buf_puts(out, ", and then ");
	verdict_print(out, p->dflt[a]);
	buf_puts(out, " answers, the default, or ENOSYS by runc where no higher number is named\n"
		      "  allowed by: a newer libseccomp where the container runs ('--as "
		      "docker:runc --runtime' asks as one named would)\n");
	return true;
}

void refused_put_file(struct buf *out, const struct refusing *by, const struct refused_call *e)
{
	const struct call c = { .audit_arch = e->r.audit, .nr = e->r.nr };

	if (by->loaded && container_check(by->s, by->loaded, &c, false))
		return;
	if (put_answers(out, by, e, LIKE_ALL) ||
	    (e->r.verdict.data && put_answers(out, by, e, LIKE_KIND)) ||
	    (e->r.answered && put_unknown_name(out, by, e)))
		return;
	if (e->r.answered && e->r.verdict.kind == VERDICT_LOG)
		buf_printf(out,
			   "  it passed under a filter that only logs ('--log-only', or another "
			   "one); '%s' answers\n",
			   by->decide.shown);
	else
		buf_printf(out,
			   "  '%s' never answers so to this call: another filter did, or an older "
			   "one; it answers\n",
			   by->decide.shown);
	put_answers(out, by, e, LIKE_ANY);
}

void refused_put_alone(struct buf *out, const struct refused_call *e)
{
	uint32_t nr = e->r.nr;
	int a = arch_of_call(e->r.audit, &nr);
	const struct syscall_info *sys = a < 0 ? NULL : syscall_by_nr((enum arch)a, nr);

	if (sys)
		buf_printf(out,
			   "  allowed by: allow %s;  (in a pale policy; 'pale show %s' tells what "
			   "it is)\n",
			   sys->name, sys->name);
	else if (a >= 0)
		buf_printf(out, "  no call of %s that pale knows has this number\n",
			   arch_info((enum arch)a)->name);
	if (!e->has_args)
		buf_puts(out,
			 "  which rule refused it: name the FILE that was in force, or 'pale dump "
			 "--pid' the process\n");
}

void refused_put_filters(struct buf *out, const struct held *h, const struct refused_call *e)
{
	struct call c = { .audit_arch = e->r.audit, .nr = e->r.nr };

	memcpy(c.args, e->args, sizeof(c.args));
	for (size_t i = 0; i < h->filters.n; i++) {
		size_t last = 0;
		uint32_t ret = cbpf_run_to(&h->filters.v[i], &c, &last);
		buf_printf(out, "  filter %zu of %zu: ", i + 1, h->filters.n);
		verdict_print(out, verdict_from_ret(ret));
		buf_printf(out, "  (instruction %zu of %zu%s)\n", last, h->filters.v[i].n,
			   h->logs.v[i] && verdict_refuses(verdict_from_ret(ret)) ? ", logged" :
										    "");
	}
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What was refused, for people and for programs: the call with its arguments decoded, which
 * line of the policy refused it, and which line would allow it.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

#include "compiler/base/bug.h"
#include "compiler/base/json_write.h"
#include "compiler/tell/decided.h"
#include "compiler/tell/refusals.h"
#include "compiler/policy/spell.h"

/* ---- the call ---- */

static const struct syscall_info *call_info(const struct refusal *r)
{
	return r->arch == ARCH_NR ? NULL :
				    syscall_by_nr(r->arch, r->nr - arch_info(r->arch)->nr_base);
}

static uint64_t effective(const struct arg_info *a, uint64_t v)
{
	return a->width == 32 ? (uint32_t)v : v;
}

static void print_value(const struct arg_info *a, const struct refusal *r, uint64_t v,
			struct buf *out)
{
	struct spell_as as = spell_argument(a, r->arch);
	struct spelling text;
	unsigned n = 0;
	const struct arg_info *args = syscall_args(call_info(r), r->arch, &n);
	int family = spell_family_at(args, n);

	if (family >= 0)
		spell_of_family(&as, (uint32_t)r->args[family]);
	spell(&as, v, &text);
	spell_text(out, &text);
}

static void print_arg(const struct arg_info *a, const struct refusal *r, uint64_t v,
		      struct buf *out)
{
	if (a->kind == ARG_POINTER)
		buf_printf(out, v ? "0x%" PRIx64 : "NULL", v);
	else
		print_value(a, r, v, out);
}

static void print_name(const struct refusal *r, struct buf *out)
{
	const struct syscall_info *sys = call_info(r);

	if (sys)
		buf_puts(out, sys->name);
	else
		buf_printf(out, "#%" PRIu32, r->nr);
}

static void print_call(const struct refusal *r, struct buf *out)
{
	const struct syscall_info *sys = call_info(r);
	const struct arg_info *args;
	unsigned n = 0;

	print_name(r, out);
	if (!sys)
		return;
	args = syscall_args(sys, r->arch, &n);
	buf_putc(out, '(');
	for (unsigned i = 0; i < n; i++) {
		buf_puts(out, i ? ", " : "");
		print_arg(&args[i], r, r->args[i], out);
	}
	buf_putc(out, ')');
}

/* ---- why ---- */

static void print_place(const struct session *s, struct span sp, struct buf *out)
{
	if (source_of(s->sources, sp))
		put_place(out, s->sources, sp);
}

static void print_why(const struct session *s, const struct policy *p, const struct refusal *r,
		      struct buf *out)
{
	const struct origin *o;

	switch (r->why.by) {
	case BY_DEFAULT:
		buf_puts(out, "default at ");
		print_place(s, policy_header_span(p, AST_HEADER_DEFAULT), out);
		return;
	case BY_UNKNOWN:
		buf_puts(out, "unknown at ");
		print_place(s, policy_header_span(p, AST_HEADER_UNKNOWN), out);
		return;
	case BY_FOREIGN:
		buf_puts(out, "foreign at ");
		print_place(s, policy_header_span(p, AST_HEADER_FOREIGN), out);
		return;
	case BY_RULE:
		o = r->why.rule->origin;
		buf_puts(out, "rule at ");
		print_place(s, o->span, out);
		if (o->set) {
			buf_printf(out, " (set %s, used at ", o->set);
			print_place(s, o->use, out);
			buf_putc(out, ')');
		}
		return;
	case BY_TRACER_SKIP: break;
	}
	BUG("number -1 is never refused");
}

/* ---- the way out ---- */

static void mark_args(const struct cond *c, bool used[6])
{
	if (!c)
		return;
	if (c->kind == COND_CMP) {
		used[c->cmp.arg] = true;
		return;
	}
	mark_args(c->left, used);
	mark_args(c->right, used);
}

/* Arguments that the line should name: enumerations, and what the policy's rules for this
 * call already look at; anything else would open more than the call that was seen. */
static void telling_args(const struct policy *p, const struct refusal *r,
			 const struct arg_info *args, unsigned n, bool used[6])
{
	size_t first, end;

	for (unsigned i = 0; i < n; i++)
		used[i] = (args[i].kind == ARG_ENUM || args[i].kind == ARG_ENUM_FLAGS) &&
			  args[i].domain;
	policy_calls_of(p, r->arch, r->nr, &first, &end);
	for (size_t i = first; i < end; i++)
		mark_args(p->calls.v[i].cond, used);
	for (unsigned i = 0; i < 6; i++)
		if (i >= n || args[i].kind == ARG_POINTER)
			used[i] = false;
}

static void print_allow(const struct policy *p, const struct refusal *r, struct buf *out)
{
	const struct syscall_info *sys = call_info(r);
	const struct arg_info *args = NULL;
	const char *sep = "(";
	bool used[6] = { false };
	unsigned n = 0;

	if (sys) {
		args = syscall_args(sys, r->arch, &n);
		telling_args(p, r, args, n, used);
	}
	buf_puts(out, "allow ");
	print_name(r, out);
	for (unsigned i = 0; i < n; i++) {
		uint64_t v = effective(&args[i], r->args[i]);

		if (!used[i])
			continue;
		buf_puts(out, sep);
		sep = ", ";
		/* Where the enumeration says nothing, the flags are what matters (personality). */
		if (args[i].kind == ARG_ENUM_FLAGS && !(v & args[i].enum_mask)) {
			buf_printf(out, "%s == ", args[i].name);
			print_value(&args[i], r, v, out);
			continue;
		}
		if (args[i].kind == ARG_ENUM_FLAGS) {
			buf_printf(out, "(%s & 0x%" PRIx64 ") == ", args[i].name,
				   args[i].enum_mask);
			v &= args[i].enum_mask;
		} else {
			buf_printf(out, "%s == ", args[i].name);
		}
		print_value(&args[i], r, v, out);
	}
	buf_puts(out, *sep == ',' ? ");" : ";");
}

/* A refusing rule wins over any allow: there the rule itself has to go. */
static void print_way(const struct session *s, const struct policy *p, const struct refusal *r,
		      struct buf *out)
{
	switch (r->why.by) {
	case BY_DEFAULT:
	case BY_UNKNOWN: print_allow(p, r, out); return;
	case BY_FOREIGN:
		if (r->arch == ARCH_NR)
			buf_puts(out, "(an architecture that pale does not know)");
		else
			buf_printf(out, "arch %s;", arch_info(r->arch)->name);
		return;
	case BY_RULE:
		if (r->why.rule->origin->set) {
			buf_printf(out, "use %s except ", r->why.rule->origin->set);
			print_name(r, out);
			buf_putc(out, ';');
			return;
		}
		buf_puts(out, "(take out ");
		print_name(r, out);
		buf_puts(out, " at ");
		print_place(s, r->why.rule->origin->span, out);
		buf_putc(out, ')');
		return;
	case BY_TRACER_SKIP: break;
	}
	BUG("number -1 is never refused");
}

/* ---- the report ---- */

/* A rule says that there is no such call: it is to be tried, and done without. */
static bool is_meant(const struct refusal *r)
{
	return r->why.by == BY_RULE && r->verdict.kind == VERDICT_ERRNO &&
	       r->verdict.data == ENOSYS;
}

static int compare_counts(const void *x, const void *y)
{
	const struct refusal *a = x, *b = y;

	if (is_meant(a) != is_meant(b))
		return is_meant(a) ? 1 : -1;
	if (a->why.by != b->why.by)
		return a->why.by == BY_RULE ? 1 :
		       b->why.by == BY_RULE ? -1 :
					      (int)a->why.by - (int)b->why.by;
	if (a->count != b->count)
		return a->count < b->count ? 1 : -1;
	if (a->audit_arch != b->audit_arch)
		return a->audit_arch < b->audit_arch ? -1 : 1;
	return a->nr < b->nr ? -1 : a->nr > b->nr;
}

static void sort_refusals(const struct enforce_report *report)
{
	if (report->refusals.n)
		qsort(report->refusals.v, report->refusals.n, sizeof(*report->refusals.v),
		      compare_counts);
}

static const char *by_word(enum decided_by by)
{
	static const char *const words[] = {
		[BY_RULE] = "rule",       [BY_DEFAULT] = "default",  [BY_UNKNOWN] = "unknown",
		[BY_FOREIGN] = "foreign", [BY_TRACER_SKIP] = "skip",
	};

	return words[by];
}

static void refusal_text(struct session *s, const struct policy *p, const struct refusal *r,
			 struct buf *out)
{
	if (r->count)
		buf_printf(out, "%8" PRIu64 "  ", r->count);
	else
		buf_puts(out, "       -  ");
	print_call(r, out);
	if (r->arch != (enum arch)arch_native())
		buf_printf(out, " [%s]", r->arch == ARCH_NR ? "?" : arch_info(r->arch)->name);
	buf_puts(out, "\n          ");
	verdict_print(out, r->verdict);
	buf_puts(out, " by ");
	print_why(s, p, r, out);
	if (r->count)
		buf_printf(out, ", first in pid %d", r->pid);
	else
		buf_puts(out, ", not held: a signal could make it return");
	buf_puts(out, "\n          allowed by: ");
	print_way(s, p, r, out);
	if (is_meant(r))
		buf_puts(out,
			 "; ENOSYS says that there is no such call, and who does without it, as C "
			 "libraries do without clone3, needs nothing");
	buf_putc(out, '\n');
}

/* Of other architectures than this machine's own where they were met. */
static bool is_met(const struct enforce_report *report, enum arch a)
{
	vec_each(&report->refusals, r)
		if (r->arch == a)
			return true;
	return a == (enum arch)arch_native();
}

static void not_held_text(struct session *s, const struct policy *p,
			  const struct enforce_report *report, struct buf *out)
{
	bool any = false;

	vec_each(&report->not_held, r)
		if (is_met(report, r->arch)) {
			refusal_text(s, p, r, out);
			any = true;
		}
	if (any)
		buf_puts(out, "pale run: whether a call without a number was made is not known\n");
}

static uint64_t count_by(const struct enforce_report *report, bool rule)
{
	uint64_t n = 0;

	vec_each(&report->refusals, r)
		if ((r->why.by == BY_RULE) == rule)
			n += r->count;
	return n;
}

static uint64_t count_meant(const struct enforce_report *report)
{
	uint64_t n = 0;

	vec_each(&report->refusals, r)
		if (is_meant(r))
			n += r->count;
	return n;
}

void refusals_text(struct session *s, const struct policy *p, const struct enforce_report *report,
		   bool verify, struct buf *out)
{
	uint64_t by_rule = count_by(report, true), meant = count_meant(report);

	sort_refusals(report);
	buf_printf(out, "pale run: %" PRIu64 " %s%s", report->total,
		   report->total == 1 ? "call" : "calls",
		   verify ? " would be refused (nothing was: --verify protects nothing)" :
			    " refused");
	if (report->total)
		buf_printf(out, ": %" PRIu64 " by default, %" PRIu64 " by rule",
			   report->total - by_rule, by_rule);
	if (meant)
		buf_printf(out, ", %" PRIu64 " of these meant: ENOSYS", meant);
	buf_putc(out, '\n');
	vec_each(&report->refusals, r)
		refusal_text(s, p, r, out);
	not_held_text(s, p, report, out);
	if (report->unnamed)
		buf_printf(out,
			   "pale run: %" PRIu64 " of them are of more kinds than are told apart\n",
			   report->unnamed);
	if (report->lost)
		buf_printf(out,
			   "pale run: %" PRIu64 " more could not be answered: the caller was "
			   "killed or interrupted\n",
			   report->lost);
}

static void refusal_json(struct session *s, const struct policy *p, const struct refusal *r,
			 struct json_writer *w)
{
	BUF_AUTO name = { 0 }, call = { 0 }, verdict = { 0 }, why = { 0 }, way = { 0 };

	print_name(r, &name);
	print_call(r, &call);
	verdict_print(&verdict, r->verdict);
	print_why(s, p, r, &why);
	print_way(s, p, r, &way);
	json_open(w, NULL, '{');
	json_string(w, "name", (struct str){ name.p, name.n });
	json_text(w, "arch", r->arch == ARCH_NR ? "?" : arch_info(r->arch)->name);
	json_number(w, "nr", r->nr);
	json_number(w, "count", r->count);
	json_text(w, "by", by_word(r->why.by));
	json_bool(w, "meant", is_meant(r));
	json_string(w, "verdict", (struct str){ verdict.p, verdict.n });
	json_signed(w, "pid", r->pid);
	json_open(w, "args", '[');
	for (unsigned i = 0; i < 6; i++)
		json_number(w, NULL, r->args[i]);
	json_close(w, ']');
	json_string(w, "call", (struct str){ call.p, call.n });
	json_string(w, "why", (struct str){ why.p, why.n });
	json_string(w, "allowed_by", (struct str){ way.p, way.n });
	json_close(w, '}');
}

void refusals_json(struct session *s, const struct policy *p, const struct enforce_report *report,
		   int status, struct buf *out)
{
	struct json_writer w = { .out = out };

	sort_refusals(report);
	json_open(&w, NULL, '{');
	json_string(&w, "policy", p->name);
	json_signed(&w, "status", status);
	json_number(&w, "total", report->total);
	json_number(&w, "by_default", count_by(report, false));
	json_number(&w, "by_rule", count_by(report, true));
	json_number(&w, "meant", count_meant(report));
	json_number(&w, "unnamed", report->unnamed);
	json_number(&w, "lost", report->lost);
	json_open(&w, "refusals", '[');
	vec_each(&report->refusals, r) {
		json_line(&w, "\n  ");
		refusal_json(s, p, r, &w);
	}
	if (report->refusals.n)
		json_line(&w, "\n");
	json_close(&w, ']');
	json_open(&w, "not_held", '[');
	vec_each(&report->not_held, r) {
		json_line(&w, "\n  ");
		refusal_json(s, p, r, &w);
	}
	json_close(&w, ']');
	json_close(&w, '}');
	buf_putc(out, '\n');
}

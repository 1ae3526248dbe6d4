/* SPDX-License-Identifier: Apache-2.0 */
/* Places and lines that decided, as sim, explain and check print them. */
#include <string.h>

#include "compiler/base/bug.h"
#include "compiler/tell/decided.h"

enum { TEXT_MAX = 120 };

void put_place(struct buf *out, const struct sources *sources, struct span sp)
{
	const struct source *src = source_of(sources, sp);

	if (!src) {
		buf_puts(out, "<none>");
		return;
	}
	struct place at = source_place(src, sp.begin);
	buf_safe(out, str_c(src->name));
	buf_printf(out, ":%u:%u", at.line, at.column);
}

/* One line of text, blanks and line ends squeezed. */
static void put_squeezed(struct buf *out, struct str text)
{
	size_t n = 0;
	bool blank = false;

	for (size_t i = 0; i < text.n && n < TEXT_MAX; i++) {
		if (memchr(" \t\r\n", text.p[i], 4)) {
			blank = n > 0;
			continue;
		}
		if (blank)
			buf_putc(out, ' ');
		blank = false;
		buf_safe(out, (struct str){ text.p + i, 1 });
		n++;
	}
	if (n == TEXT_MAX)
		buf_puts(out, " ...");
}

static void put_rule_text(struct buf *out, const struct sources *sources, const struct origin *o)
{
	struct str verdict = span_text(sources, o->stmt ? o->stmt->verdict.span : NO_SPAN);

	/* A call of a list: the verdict in front, the call itself behind. */
	if (o->call && verdict.n && o->stmt->kind == AST_STMT_CALLS) {
		put_squeezed(out, verdict);
		buf_putc(out, ' ');
		put_squeezed(out, span_text(sources, o->span));
		return;
	}
	put_squeezed(out, span_text(sources, o->stmt ? o->stmt->span : o->span));
}

void put_text(struct buf *out, const struct sources *sources, struct span sp)
{
	put_place(out, sources, sp);
	buf_puts(out, ": ");
	put_squeezed(out, span_text(sources, sp));
}

void put_rule(struct buf *out, const struct sources *sources, const struct origin *o)
{
	put_place(out, sources, o->span);
	buf_puts(out, ": ");
	put_rule_text(out, sources, o);
	if (!o->set)
		return;
	buf_printf(out, "  (set '%s'", o->set);
	if (o->use.source != SOURCE_NONE) {
		buf_puts(out, ", used at ");
		put_place(out, sources, o->use);
	}
	buf_putc(out, ')');
}

bool put_header_line(struct buf *out, const struct sources *sources, const struct policy *p,
		     enum ast_header header)
{
	const struct ast_stmt *st = policy_header(p, header);

	if (!st || st->span.source == SOURCE_NONE)
		return false;
	put_place(out, sources, st->keyword);
	buf_puts(out, ": ");
	put_squeezed(out, span_text(sources, st->span));
	return true;
}

void put_unfiltered(struct buf *out, const struct sources *sources, const struct policy *p)
{
	if (!put_header_line(out, sources, p, AST_HEADER_LAYERS))
		put_place(out, sources, p->span);
	buf_puts(out, " (without seccomp no call is filtered)");
}

void put_header(struct buf *out, const struct sources *sources, const struct policy *p,
		enum ast_header header, const char *name, struct verdict v)
{
	if (put_header_line(out, sources, p, header))
		return;
	put_place(out, sources, p->span);
	buf_printf(out, ": '%s' is ", name);
	verdict_print(out, v);
	if (!policy_header(p, header))
		buf_puts(out, " where the policy does not say it");
}

/* The line of a `when arch`, or the policy's own. */
static void put_rest(struct buf *out, const struct sources *sources, const struct policy *p,
		     const struct decision_why *why)
{
	bool dflt = why->by == BY_DEFAULT;
	const struct ast_stmt *by = (dflt ? p->dflt_by : p->unknown_by)[why->arch];

	if (by && by->span.source != SOURCE_NONE) {
		put_place(out, sources, by->keyword);
		buf_puts(out, ": ");
		put_squeezed(out, span_text(sources, by->span));
		return;
	}
	put_header(out, sources, p, dflt ? AST_HEADER_DEFAULT : AST_HEADER_UNKNOWN,
		   dflt ? "default" : "unknown", (dflt ? p->dflt : p->unknown)[why->arch]);
}

void put_decided(struct buf *out, const struct sources *sources, const struct policy *p,
		 const struct decision_why *why)
{
	switch (why->by) {
	case BY_RULE:
		if (why->rule->origin)
			put_rule(out, sources, why->rule->origin);
		return;
	case BY_DEFAULT:
	case BY_UNKNOWN: put_rest(out, sources, p, why); return;
	case BY_FOREIGN:
		put_header(out, sources, p, AST_HEADER_FOREIGN, "foreign", p->foreign);
		return;
	case BY_TRACER_SKIP: buf_puts(out, "the number -1 skips a call: tracers set it"); return;
	}
	BUG("decided_by");
}

void put_dispute(struct buf *out, const struct oci_disputes *disputes,
		 const struct environment *env, const struct call *c)
{
	struct oci_disputed d;

	if (!oci_disputed_at(disputes, env, c, &d))
		return;
	buf_puts(out, "; depends on libseccomp");
	if (d.known) {
		buf_printf(out, ": %s says ", d.library);
		verdict_print(out, d.says);
		return;
	}
	buf_puts(out, ", which does not say it here: ");
	verdict_print(out, d.first_says);
	buf_puts(out, " or ");
	verdict_print(out, d.second_says);
}

static void put_return(struct buf *out, const struct decide *d, const struct call *c,
		       const struct dd_point *at)
{
	size_t last = 0;

	buf_puts(out, d->shown);
	/* The simulator takes the instruction pointer as zero. */
	if (!at->at[DD_IP]) {
		cbpf_run_to(&d->prog, c, &last);
		buf_printf(out, ": instruction %zu", last);
	}
	buf_puts(out, ": ret ");
	verdict_print(out, dd_eval_at(d->dd, d->root, at));
}

void decide_put_why(struct buf *out, const struct sources *sources, const struct decide *d,
		    const struct dd_point *at)
{
	const struct policy *p = decide_policy(d, at);
	struct environment env;
	struct call c;
	struct decision_why why;

	dd_point_tell(at, &env, &c);
	if (!p) {
		put_return(out, d, &c, at);
		return;
	}
	policy_eval_in(p, &env, &c, &why);
	put_decided(out, sources, p, &why);
	put_dispute(out, decide_part_at(d, at)->disputes, &env, &c);
}

void put_unknowing(struct buf *out, const struct syscall_info *sys, enum arch a)
{
	struct str name = libseccomp_since(str_c(sys->name)), here = libseccomp_since_on(sys, a);

	if (here.n)
		buf_printf(out, "libseccomp before " PRISTR " does not know the name '%s'",
			   STRARG(here), sys->name);
	else
		buf_printf(out, "no libseccomp up to " LIBSECCOMP_NEWEST " knows the name '%s'",
			   sys->name);
	if (name.n && !str_eq(name, here))
		buf_printf(out, " on %s", arch_info(a)->name);
}

void forget_disputes(struct diags *ds)
{
	size_t kept = 0;

	for (size_t i = 0; i < ds->list.n; i++)
		if (ds->list.v[i]->id != DIAG_SC153)
			ds->list.v[kept++] = ds->list.v[i];
	ds->list.n = kept;
}

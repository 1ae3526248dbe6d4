/* SPDX-License-Identifier: Apache-2.0 */
/*
 * AppArmor's patterns in a policy: each is parsed here once for what is wrong with it, with the
 * variables that this machine's AppArmor declares.
 */
#include <errno.h>
#include <string.h>

#include "compiler/policy/tunables.h"
#include "compiler/base/suggest.h"
#include "compiler/policy/resolve.h"

const struct glob_variables *resolve_variables(struct resolver *r, struct span sp)
{
	VEC(const char *) dirs = { 0 };
	const char *failed = NULL;

	if (r->p->variables)
		return r->p->variables;
	for (const char *const *dir = r->opt->apparmor_dirs; dir && *dir; dir++)
		vec_push(r->arena, &dirs, *dir);
	vec_push(r->arena, &dirs, "/etc/apparmor.d");
	vec_push(r->arena, &dirs, NULL);
	struct glob_variables *v = ARENA_NEW(r->arena, struct glob_variables);
	int err = variables_read(r->ds->sources, dirs.v, v, &failed);
	if (err == -ENOENT) {
		variables_standard(r->arena, v);
	} else if (err) {
		bool text = err == -E2BIG || err == -EINVAL || err == -EISDIR || err == -EFBIG;
		struct diag *d = resolve_report(r, text ? DIAG_PL235 : DIAG_PL020, sp,
						"cannot read '%s', where AppArmor's variables "
						"are: %s",
						failed,
						err == -E2BIG  ? "more than 200 files" :
						err == -EINVAL ? "not a regular file" :
								 strerror(-err));
		diag_help(r->ds, d, "make it readable, or write paths without variables");
		r->variables_unread = true;
	}
	variables_add_name(r->arena, v, r->p->name);
	r->p->variables = v;
	return v;
}

/* Where in the word a fault stands; quotes and what they protect are not in its text. */
static struct span fault_span(const struct ast_word *w, const struct glob_fault *f)
{
	struct span sp = w->span;

	if (sp.end - sp.begin != w->text.n || !f->n)
		return sp;
	return (struct span){ sp.source, sp.begin + (uint32_t)f->at,
			      sp.begin + (uint32_t)(f->at + f->n) };
}

static void report_undeclared(struct resolver *r, const struct ast_word *w,
			      const struct glob_fault *f)
{
	if (r->variables_unread)
		return; /* told: nobody knows what is declared */
	struct str name = { w->text.p + f->at, f->n };
	struct suggest s;

	diag_suggest_start(r->ds, &s, name);
	vec_each(&r->p->variables->list, v) {
		const char *spelled = arena_printf(r->arena, "@{" PRISTR "}", STRARG(v->name));
		suggest_offer(&s, str_c(spelled));
	}
	struct diag *d = resolve_report(r, DIAG_PL234, fault_span(w, f), "%s", f->why);
	if (!diag_suggest(r->ds, d, fault_span(w, f), &s))
		diag_help(r->ds, d,
			  "declare it under /etc/apparmor.d/tunables, or write the path out");
}

bool resolve_glob(struct resolver *r, const struct ast_word *w, enum glob_kind kind)
{
	const struct glob_variables *vars = NULL;
	struct glob_fault f;
	struct diag *d;

	if (glob_has_variable(w->text))
		vars = resolve_variables(r, w->span);
	glob_parse(r->arena, w->text, kind, vars, &f);
	if (f.kind == GLOB_FINE)
		return true;
	if (f.kind == GLOB_UNDECLARED) {
		report_undeclared(r, w, &f);
		return false;
	}
	if (f.kind == GLOB_MALFORMED)
		d = resolve_report(r, DIAG_PL134, fault_span(w, &f),
				   "'" PRISTR "' is not a glob: %s", WORD(*w), f.why);
	else
		d = resolve_report(r, DIAG_PL251, fault_span(w, &f),
				   "AppArmor would %s the pattern '" PRISTR "': %s",
				   f.kind == GLOB_REFUSED ? "refuse" : "misread", WORD(*w), f.why);
	if (f.help)
		diag_help(r->ds, d, "%s", f.help);
	return false;
}

bool resolve_declared(struct resolver *r, const struct ast_word *w)
{
	struct glob_fault f;

	glob_parse(r->arena, w->text, GLOB_NAME, resolve_variables(r, w->span), &f);
	if (f.kind != GLOB_UNDECLARED)
		return true;
	report_undeclared(r, w, &f);
	return false;
}

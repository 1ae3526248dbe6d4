/* SPDX-License-Identifier: Apache-2.0 */
/* Seccomp JSON for container runtimes: written and proved by oci_write(), which asks libseccomp. */
#include "compiler/target/seccomp_json.h"

/* "exact for runc-1.1.5+...", or what it is taken as. */
static const char *claim(struct arena *a, const struct oci_runtime *rt, bool approximate)
{
	const char *name = oci_runtime_name(a, rt);

	if (!oci_runtime_measured(rt))
		return arena_printf(a, "%sruntime not measured, taken as %s",
				    approximate ? "never looser; " : "", name);
	return arena_printf(a, "%s %s", approximate ? "never looser as loaded by" : "exact for",
			    name);
}

static int make(const struct policy *p, const struct seccomp_json_form *form,
		struct oci_write_options opt, const char *name, struct buf *out, struct diags *ds)
{
	opt.dialect = form->dialect;
	opt.no_errno = form->no_errno;
	if (oci_write(ds->arena, p, &opt, out, ds))
		return -1;
	return form->wrap ? form->wrap(p, name, out, ds) : 0;
}

int seccomp_json_write(struct compilation *c, const struct target *t, const struct policy *p,
		       const struct seccomp_json_form *form)
{
	struct arena *arena = c->diags->arena;
	struct oci_write_options opt = { .runtime = c->runtime, .approximate = c->approximate };
	struct artifact a = { .target = t };

	if (make(p, form, opt, target_name(c, p), &a.bytes, c->diags)) {
		buf_free(&a.bytes);
		return -1;
	}
	a.name = arena_printf(arena, "%s.%s", target_name(c, p), t->suffix);
	a.about = arena_printf(arena, "%zu bytes; %s%s", a.bytes.n,
			       claim(arena, &c->runtime, c->approximate), target_force(c));
	vec_push(arena, &c->artifacts, a);
	return 0;
}

/* The system, not the policy, is why there is no answer. */
static bool is_starved(const struct diags *ds)
{
	vec_each(&ds->list, d)
		if ((*d)->id == DIAG_PL020)
			return true;
	return false;
}

static void ask(struct target_check *c, const struct target *t, const struct policy *p,
		const struct seccomp_json_form *form, struct diags *ds)
{
	struct arena *a = ds->arena;
	struct oci_write_options opt = { .runtime = *c->runtime };
	const char *name = arena_printf(a, PRISTR, STRARG(p->name));
	BUF_AUTO out = { 0 };
	bool ok = !make(p, form, opt, name, &out, ds);

	if (!ok && is_starved(ds))
		target_answer(c, t->name, TARGET_UNASKED, "");
	else
		target_answer(c, t->name, ok ? TARGET_TAKES : TARGET_REFUSES,
			      arena_printf(a, "as %s loads it%s", oci_runtime_name(a, c->runtime),
					   p->conditional ? ", in every environment" : ""));
}

/* Dialects differ in form: what was said of the first is not said again, unless it was no error. */
void seccomp_json_check(struct target_check *c, const struct target *t, const struct policy *p,
			const struct seccomp_json_form *form)
{
	struct diags *again = diags_new(c->diags->arena, c->diags->sources);
	size_t errors = c->diags->errors;

	ask(c, t, p, form, c->json_told ? again : c->diags);
	c->json_told = true;
	if (!errors && again->errors)
		diags_take(c->diags, again);
}

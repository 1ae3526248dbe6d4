/* SPDX-License-Identifier: Apache-2.0 */
#include "compiler/cmd/import_operator.h"

#include <string.h>

#include "compiler/lint/lint.h"
#include "grammar/ast_build.h"

enum { LISTED = 8 };

/* ---- what is wrong ---- */

static const struct json *refuse(struct session *s, struct span at, const char *text,
				 const char *help)
{
	diag_help(s->diags, diag_add(s->diags, DIAG_PL023, at, "%s", text), "%s", help);
	return NULL;
}

/* "web, base": those that the file has. */
static const char *list_names(struct arena *a, const struct deployment *d)
{
	BUF_AUTO out = { 0 };

	for (size_t i = 0; i < d->seccomp.n && i < LISTED; i++) {
		buf_puts(&out, i ? ", " : "");
		buf_safe(&out, d->seccomp.v[i].name.text);
	}
	if (d->seccomp.n > LISTED)
		buf_printf(&out, " and %zu more", d->seccomp.n - LISTED);
	return buf_keep(a, &out);
}

/* ---- which ---- */

/* Objects of a namespace build on those that are in it, too. */
static const struct deploy_object *find(const struct deployment *d, struct str name,
					struct str space)
{
	const struct deploy_object *found = NULL;

	vec_each(&d->seccomp, o)
		if (str_eq(o->name.text, name) && (!found || str_eq(o->space.text, space)))
			found = o;
	return found;
}

static const struct json *base_of(const struct deploy_object *o)
{
	return o->spec && lint_has_base(o->spec) ?
		       deploy_member(o->spec, "baseProfileName", JSON_STRING) :
		       NULL;
}

static bool is_base(const struct deployment *d, const struct deploy_object *of)
{
	vec_each(&d->seccomp, o) {
		const struct json *base = base_of(o);

		if (base && o != of && find(d, base->text, o->space.text) == of)
			return true;
	}
	return false;
}

static const struct deploy_object *choose(struct session *s, struct span whole,
					  const struct deployment *d, const char *wanted)
{
	const struct deploy_object *found = NULL;
	const char *slash = wanted ? strrchr(wanted, '/') : NULL;
	struct str space = { wanted, slash ? (size_t)(slash - wanted) : 0 };
	size_t n = 0;

	vec_each(&d->seccomp, o) {
		bool is = wanted ? str_is(o->name.text, slash ? slash + 1 : wanted) &&
					   (!slash || str_eq(o->space.text, space)) :
				   d->seccomp.n == 1 || !is_base(d, o);

		n += is;
		found = is ? o : found;
	}
	if (n == 1)
		return found;
	refuse(s, whole,
	       wanted ? arena_printf(s->arena, "%s SeccompProfile here is called '%s'",
				     n ? "more than one" : "no", str_safe(s->arena, wanted)) :
	       n      ? arena_printf(s->arena, "this holds %zu SeccompProfiles", d->seccomp.n) :
			"each SeccompProfile here is what another one builds on",
	       wanted && n ? "say which with its namespace: --profile NAMESPACE/NAME" :
			     arena_printf(s->arena, "name one with --profile NAME: there are %s",
					  list_names(s->arena, d)));
	return NULL;
}

/* ---- what it says ---- */

/* Of the object and no runtime's. */
static bool is_objects_own(struct str key)
{
	return str_is(key, "baseProfileName") || str_is(key, "disabled");
}

static const struct json *as_runtimes(struct arena *a, const struct json *spec)
{
	struct json *out = arena_dup(a, spec, sizeof(*spec)), **tail = &out->first;

	out->first = NULL;
	for (const struct json *m = spec->first; m; m = m->next) {
		struct json *copy;

		if (is_objects_own(m->key)) {
			out->count--;
			continue;
		}
		copy = arena_dup(a, m, sizeof(*m));
		copy->next = NULL;
		*tail = copy;
		tail = &copy->next;
	}
	return out;
}

static const struct json *with_base(struct session *s, const struct deployment *d,
				    const struct deploy_object *o)
{
	const struct json *name = base_of(o);
	const struct deploy_object *base = name ? find(d, name->text, o->space.text) : NULL;

	if (!name)
		return o->spec;
	if (!base || !base->spec)
		return refuse(
			s, name->span,
			arena_printf(
				s->arena,
				"this SeccompProfile builds on another one, '%s', which is not in the file",
				str_safe_of(s->arena, name->text)),
			str_starts(name->text, "oci://") ?
				"it lies in a registry: put that profile into the file as a document, and name it here" :
				"put its object into the file, as a document of its own: kubectl get "
				"seccompprofile NAME -o yaml");
	if (base == o || base_of(base))
		return refuse(
			s, name->span,
			arena_printf(s->arena,
				     "this SeccompProfile builds on '%s', which builds on %s",
				     str_safe_of(s->arena, name->text),
				     base == o ? "itself" : "another one"),
			"the operator takes one base: name what it makes of all, the file on the "
			"node below /var/lib/kubelet/seccomp/operator");
	return lint_operator_unite(s->arena, o->spec, base->spec);
}

const struct json *import_operator(struct session *s, const struct source *src,
				   const struct deployment *d, const char *wanted,
				   const char **name)
{
	const struct span whole = { src->id, 0, 0 };
	const struct deploy_object *o = choose(s, whole, d, wanted);
	const struct json *spec;

	if (!o)
		return NULL;
	*name = o->name.text.n ? ast_policy_name(s->arena, str_dup(s->arena, o->name.text)) : NULL;
	if (!o->spec)
		return refuse(s, o->name.text.n ? o->name.span : whole,
			      "this SeccompProfile has no 'spec'", "name one that has");
	spec = with_base(s, d, o);
	return spec ? as_runtimes(s->arena, spec) : NULL;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* DP: SeccompProfiles of the security profiles operator, and what names them. */
#include <string.h>

#include "compiler/base/bug.h"
#include "compiler/lint/internal.h"
#include "compiler/lint/named.h"

static const char folder[] = "operator/"; /* below the kubelet's, where the operator writes them */

RULE_TOLD(
	DP628, "profile-with-base", INFO, DEPLOYMENT, "a SeccompProfile that builds on another one",
	"'baseProfileName' has the operator unite a SeccompProfile with another, which lies in the cluster or, as 'oci://...', in a registry. What "
	"the profile lacks the base may have, so that nothing is told of what is missing or refused; what is risky in it, and what is wrong with its text, "
	"is so with any base. Where a file of the run has the base, both are looked at as the operator unites them, and this is not told.\n\n"
	"Way out: name the file that has the base, too; or, of one from a registry, name what the operator makes of them: the file on the node, below /var/lib/kubelet/seccomp/operator.")

/* ---- which are named ---- */

static bool is_operators(const struct deploy_text *local)
{
	return str_starts(local->text, folder);
}

bool lint_asks_operator(const struct deployment *d)
{
	vec_each(&d->containers, c)
		if (is_operators(&(*c)->seccomp.local))
			return true;
	return d->bindings.n;
}

static struct str without_json(struct str name)
{
	bool json = name.n > 5 && !memcmp(name.p + name.n - 5, ".json", 5);

	return json ? (struct str){ name.p, name.n - 5 } : name;
}

/* An object of that name, one in the space where there is any. */
static const struct named_object *find_object(const struct lint_named *all, struct str name,
					      struct str space)
{
	const struct named_object *found = NULL;

	vec_each(&all->seccomp, o)
		if (str_eq(without_json(o->name), without_json(name)) &&
		    (!found || str_eq(o->space, space)))
			found = o;
	return found;
}

const struct json *lint_named_spec(struct arena *a, struct sources *sources,
				   const struct lint_named *all, struct str name)
{
	const struct named_object *o = find_object(all, name, str_c(NULL));
	struct diags *own = diags_new(a, sources);
	const struct deployment *d = NULL;
	struct source *src;

	if (!o || source_load_regular(sources, o->path, &src))
		return NULL;
	if (src->text.n && src->text.p[0] == '{') {
		const struct json *root = json_parse(a, src, own);

		if (root && !own->errors && root->kind == JSON_OBJECT)
			d = deploy_of_json(a, src, root, DEPLOY_KUBERNETES);
	} else {
		d = deploy_read(a, src, DEPLOY_PROFILE, own);
	}
	for (size_t i = 0; d && i < d->seccomp.n; i++)
		if (str_eq(d->seccomp.v[i].name.text, o->name))
			return d->seccomp.v[i].spec;
	return NULL;
}

static void tell_none(struct lint *l, enum diag_id id, struct deploy_text at, struct str name,
		      struct str who)
{
	struct suggest near;
	struct diag *d;

	suggest_start(&near, name);
	vec_each(&l->named->seccomp, o)
		suggest_offer(&near, o->name);
	d = diag_add(l->ds, id, at.span,
		     "none of the SeccompProfiles that are linted with it is '%s', which " PRISTR
		     " asks for",
		     str_safe_of(l->arena, name), STRARG(who));
	if (near.best.p)
		diag_help(l->ds, d, "did you mean '%s'?", str_safe_of(l->arena, near.best));
	else
		diag_help(l->ds, d, "name the file that has it, too");
}

/* "operator/NAME.json", up to 0.8 of the operator "operator/NAMESPACE/NAME.json". */
static void judge_local(struct lint *l, enum diag_id id, struct deploy_text local, struct str who)
{
	struct str rest = { local.text.p + strlen(folder), local.text.n - strlen(folder) };
	const char *slash = memchr(rest.p, '/', rest.n);
	struct str space = { rest.p, slash ? (size_t)(slash - rest.p) : 0 };
	struct str name = slash ? (struct str){ slash + 1, rest.n - space.n - 1 } : rest;
	const struct named_object *o = find_object(l->named, name, space);
	struct diag *d;

	if (!o) {
		tell_none(l, id, local, without_json(name), who);
		return;
	}
	if (without_json(name).n == name.n)
		d = diag_add(l->ds, id, local.span, "the operator writes '%s.json', and not '%s'",
			     str_safe_of(l->arena, name), str_safe_of(l->arena, name));
	else if (slash && o->space.n && !str_eq(o->space, space))
		d = diag_add(l->ds, id, local.span,
			     "the SeccompProfile '%s' is in the namespace '%s', and not in '%s'",
			     str_safe_of(l->arena, without_json(name)),
			     str_safe_of(l->arena, o->space), str_safe_of(l->arena, space));
	else
		return;
	diag_help(l->ds, d, "the object's status.localhostProfile is what to write here");
}

RULE(DP629, "no-such-seccomp-profile-object", WARNING, DEPLOYMENT,
     dp_no_such_seccomp_profile_object,
     "a SeccompProfile of the operator that is named and in none of the files",
     "A pod names 'operator/NAME.json', or 'operator/NAMESPACE/NAME.json', where the security profiles operator writes its SeccompProfiles, or "
     "a ProfileBinding binds one, and of the SeccompProfiles that are linted in the same run none has that name, or it is in another namespace, or "
     "the '.json' is missing: the kubelet finds no file, and the container is not created. Told where at least one SeccompProfile in YAML is linted with "
     "it, and none in JSON.\n\n"
     "Way out: what the object's status.localhostProfile says; or name the file that has it, too.")
void dp_no_such_seccomp_profile_object(struct lint *l, enum diag_id id)
{
	if (!l->named || !l->named->seccomp.n || l->named->seccomp_open)
		return;
	vec_each(&l->deployment->containers, c)
		if (str_is((*c)->seccomp.type.text, "Localhost") &&
		    is_operators(&(*c)->seccomp.local))
			judge_local(l, id, (*c)->seccomp.local, (*c)->name.text);
	vec_each(&l->deployment->bindings, b)
		if (b->bound.text.n && !find_object(l->named, b->bound.text, b->space.text))
			tell_none(l, id, b->bound, b->bound.text, STR("this ProfileBinding"));
}

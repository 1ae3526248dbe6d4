/* SPDX-License-Identifier: Apache-2.0 */
/* DP: SeccompProfiles of the security profiles operator, and what names them. */
#include <string.h>

#include "compiler/base/bug.h"
#include "compiler/lint/internal.h"
#include "compiler/lint/named.h"

RULE_TOLD(
	DP628, "profile-with-base", INFO, DEPLOYMENT, "a SeccompProfile that builds on another one",
	"'baseProfileName' has the operator unite a SeccompProfile with another, which lies in the cluster or, as 'oci://...', in a registry. What "
	"the profile lacks the base may have, so that nothing is told of what is missing or refused; what is risky in it, and what is wrong with its text, "
	"is so with any base. Where a file of the run has the base, both are looked at as the operator unites them, and this is not told.\n\n"
	"Way out: name the file that has the base, too; or, of one from a registry, name what the operator makes of them: the file on the node, below /var/lib/kubelet/seccomp/operator.")

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

static void judge_local(struct lint *l, enum diag_id id, struct deploy_text local, struct str who)
{
	struct str space, name = lint_object_name(local.text, &space);
	const struct named_object *o = lint_object_find(l->named, name, space);
	struct diag *d;

	if (!o) {
		tell_none(l, id, local, lint_object_plain(name), who);
		return;
	}
	if (lint_object_plain(name).n == name.n)
		d = diag_add(l->ds, id, local.span, "the operator writes '%s.json', and not '%s'",
			     str_safe_of(l->arena, name), str_safe_of(l->arena, name));
	else if (space.n && o->space.n && !str_eq(o->space, space))
		d = diag_add(l->ds, id, local.span,
			     "the SeccompProfile '%s' is in the namespace '%s', and not in '%s'",
			     str_safe_of(l->arena, lint_object_plain(name)),
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
		    lint_object_names((*c)->seccomp.local.text))
			judge_local(l, id, (*c)->seccomp.local, (*c)->name.text);
	vec_each(&l->deployment->bindings, b)
		if (b->bound.text.n && !lint_object_find(l->named, b->bound.text, b->space.text))
			tell_none(l, id, b->bound, b->bound.text, STR("this ProfileBinding"));
}

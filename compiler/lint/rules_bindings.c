/* SPDX-License-Identifier: Apache-2.0 */
/* DP: ProfileBindings of the security profiles operator, and its objects of which nothing is said. */
#include "compiler/lint/internal.h"
#include "compiler/lint/named.h"

RULE(DP633, "idle-binding", WARNING, DEPLOYMENT, dp_idle_binding,
     "a ProfileBinding of an image that no pod has, or of an AppArmorProfile that is in none of the files",
     "A ProfileBinding of the security profiles operator gives its profile to the containers of one image, which is compared as it is written "
     "('nginx' is not 'nginx:1.29'), or of all ('*'). None of the pods that are linted with it has a container of that image; or it binds an "
     "AppArmorProfile that none of the files has. Told where pods, or AppArmor profiles, are linted with it.\n\n"
     "Way out: write the image as the pods have it.")
void dp_idle_binding(struct lint *l, enum diag_id id)
{
	const struct lint_named *all = l->named;

	for (size_t i = 0; all && i < l->deployment->bindings.n; i++) {
		const struct deploy_object *b = &l->deployment->bindings.v[i];
		struct suggest near;
		struct diag *d;
		bool used = !all->images.n || !b->image.text.n || str_is(b->image.text, "*");

		suggest_start(&near, b->image.text);
		vec_each(&all->images, image) {
			used |= !image->n || str_eq(*image, b->image.text);
			suggest_offer(&near, *image);
		}
		if (!used) {
			d = diag_add(
				l->ds, id, b->image.span,
				"no container of the pods that are linted with it has the image '%s'",
				str_safe_of(l->arena, b->image.text));
			diag_help(l->ds, d,
				  near.best.p ? "did you mean '%s'?" : "write it as the pods do%s",
				  near.best.p ? str_safe_of(l->arena, near.best) : "");
		}
		if (b->bound_apparmor.text.n && all->list.n && !all->open &&
		    !lint_named_profile(all, b->bound_apparmor.text))
			diag_help(
				l->ds,
				diag_add(
					l->ds, id, b->bound_apparmor.span,
					"none of the AppArmor profiles that are linted with it is '%s', which this ProfileBinding asks for",
					str_safe_of(l->arena, b->bound_apparmor.text)),
				"name the file that has it, too");
	}
	vec_each(&l->deployment->unread, kind)
		diag_help(l->ds,
			  diag_add(l->ds, DIAG_PL465, kind->span, "no rule speaks of a '%s'",
				   str_safe_of(l->arena, kind->text)),
			  "SeccompProfile, AppArmorProfile and ProfileBinding are looked at");
}

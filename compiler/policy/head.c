/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `apparmor flags=(complain) xattrs=(...);`: what the head of the AppArmor profile says beside its
 * name and program, in AppArmor's own words, read as a profile's is, for the newest release.
 */
#include "compiler/policy/resolve.h"

static void tell(struct resolver *r, const struct aa_item *i, const char *what, const char *help)
{
	diag_help(r->ds, resolve_report(r, DIAG_PL380, i->span, "%s", what), "%s", help);
}

/* As the head of a profile of the policy's name, without the program, which is said elsewhere. */
static const struct aa_stmt *as_profile(struct resolver *r, const struct ast_stmt *st)
{
	struct aa_item *keyword = ARENA_NEW(r->arena, struct aa_item);
	struct aa_item *name = ARENA_NEW(r->arena, struct aa_item);
	struct aa_stmt *head = ARENA_NEW(r->arena, struct aa_stmt);
	struct span sp = st->rule->items->span;

	*name = (struct aa_item){ .kind = AA_WORD,
				  .span = sp,
				  .word = { .text = STR("policy"), .span = sp },
				  .next = st->rule->items->next };
	*keyword = (struct aa_item){ .kind = AA_WORD,
				     .span = sp,
				     .word = { .text = STR("profile"), .span = sp },
				     .next = name };
	*head = (struct aa_stmt){
		.kind = AA_STMT_PROFILE, .span = st->span, .head = sp, .items = keyword
	};
	return head;
}

const struct aa_header *policy_read_head(struct arena *a, const struct ast_stmt *st,
					 enum aa_release release,
					 const struct glob_variables *variables, struct diags *ds)
{
	struct resolver as = { .arena = a, .ds = ds };
	struct aa_reader rd = { .arena = a,
				.diags = ds,
				.target = { .release = release, .mediated = ~0u, .compiled = ~0u },
				.variables = variables,
				.policy = true };
	struct aa_header *out = ARENA_NEW(a, struct aa_header);

	return aa_header_read(&rd, as_profile(&as, st), false, out) ? out : NULL;
}

void header_apparmor_resolve(struct resolver *r, const struct ast_stmt *st)
{
	const struct aa_item *first = st->rule->items, *i = first->next;
	struct item it = { .stmt = st };
	bool variables = false;

	if (!i) {
		tell(r, first, "nothing is said of the profile's head",
		     "such as: apparmor flags=(attach_disconnected);");
		return;
	}
	if (i->kind == AA_WORD) {
		tell(r, i, "neither flags nor xattrs stand here",
		     "write: apparmor flags=(complain); the program's path stands in 'program'");
		return;
	}
	if (!resolve_items_declared(r, i, &variables))
		return;
	r->p->head = policy_read_head(r->arena, st, AA_RELEASE_NR - 1,
				      variables ? resolve_variables(r, st->keyword) : NULL, r->ds);
	r->p->head_by = resolve_origin(r, &it, NULL, st->span);
}

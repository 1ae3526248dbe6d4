/* SPDX-License-Identifier: Apache-2.0 */
/* File rules that nobody wrote: the parser's own, and those that aliases make. */
#include "compiler/apparmor/expand.h"
#include "compiler/apparmor/means.h"
#include "compiler/base/table.h"

#include <string.h>

/* ---- the parser's own ---- */

static void add(struct arena *a, const char *path, unsigned perms, enum aa_added why,
		struct aa_files *out)
{
	vec_push(a, &out->list,
		 ((struct aa_opened){ .added = why,
				      .path = glob_parse(a, str_c(path), GLOB_PATH, NULL, NULL),
				      .perms = perms,
				      .no_append = true,
				      .owner = AA_OWNER_ONLY }));
}

/* Permissions of the owner's half alone, and none is followed by those that its letter implies. */
static void add_access(struct arena *a, const char *written, enum aa_added why,
		       struct aa_files *out)
{
	add(a, "/proc/*/attr/apparmor/", PERM_R, why, out);
	add(a, "/sys/module/apparmor/parameters/enabled", PERM_R, why, out);
	add(a, written, PERM_W, why, out);
}

static bool has_children(const struct aa_profile *p)
{
	vec_each(&p->children, c)
		if ((*c)->reach == AA_REACH_LIVE)
			return true;
	return false;
}

void aa_files_add_own(struct arena *arena, const struct aa_profile *p, struct aa_ruled rules,
		      struct aa_files *out)
{
	bool changes = false;

	for (size_t i = 0; i < rules.n; i++)
		changes |= rules.v[i]->class == AA_CLASS_CHANGE_PROFILE;
	if (changes)
		add_access(arena, "/proc/*/attr/{apparmor/,}{current,exec}",
			   AA_ADDED_CHANGE_PROFILE, out);
	if (p->header->hat || has_children(p))
		add_access(arena, "/proc/[0-9]*/attr/{apparmor/,}current", AA_ADDED_HATS, out);
}

/* ---- aliases ---- */

struct aliasing {
	struct arena *arena;
	struct diags *ds;
	const struct aa_policy *policy;
	struct glob_variables vars;
	const struct aa_alias *alias;
	struct glob_alias by;
	struct table met; /* of those that were followed, by both of their words */
	bool bad;
};

static void tell_bad(struct aliasing *x, const struct aa_opened *o, const struct glob_fault *f)
{
	struct diag *d;
	BUF_AUTO text = { 0 };

	x->bad = true;
	buf_safe(&text, x->by.to);
	d = diag_add(x->ds, DIAG_PL134, x->alias->to.span,
		     "what this alias makes of a rule, from '%s' on, is not a glob: %s",
		     text.p ? text.p : "", f->why);
	diag_rule(x->ds, d, DIAG_AP104);
	if (o->rule && o->rule->use)
		diag_note(x->ds, d, o->rule->use->stmt->span, "of this rule");
	diag_help(x->ds, d, "write the alias of whole directories, or the rule's path out");
}

/* True: it begins as the alias does, and *g is what that makes of it. */
static bool follow(struct aliasing *x, const struct aa_opened *o, const struct glob **g)
{
	struct glob_fault f = { GLOB_FINE, 0, 0, NULL, NULL };
	const struct glob *made =
		*g ? glob_parse_alias(x->arena, (*g)->text, GLOB_PATH, &x->vars, &x->by, &f) : NULL;

	if (!made && f.kind >= GLOB_REFUSED)
		tell_bad(x, o, &f);
	if (made)
		*g = made;
	return made;
}

static void alias_rule(struct aliasing *x, const struct aa_opened *o, struct aa_files *files)
{
	struct aa_opened made = *o;
	bool path = follow(x, o, &made.path), link = follow(x, o, &made.link);

	if (!path && !link)
		return;
	made.alias = x->alias;
	if (x->policy->target.release < AA_RELEASE_5_0)
		made.subset = false; /* copy_cod_entry() passes it over */
	vec_push(x->arena, &files->list, made);
}

/*
 * Whether the opened path can begin as the alias does. The path's slashes are folded and the alias's
 * are not, so only what comes before the alias's first "//" is looked at.
 */
static bool may_begin(const struct glob *g, struct str from)
{
	size_t n = 0;

	while (n < from.n && (!n || from.p[n] != '/' || from.p[n - 1] != '/'))
		n++;
	return g && g->opened.n >= n && !memcmp(g->opened.p, from.p, n);
}

/* A second alias of the same words is dropped. */
static bool is_repeated(struct aliasing *x, const struct glob_alias *known)
{
	uint64_t hash = hash_bytes(hash_str(x->by.from), x->by.to.p, x->by.to.n);
	struct table_walk it = table_start(hash);
	size_t at;

	while ((at = table_next(&x->met, &it)) != TABLE_END)
		if (str_eq(known[at].from, x->by.from) && str_eq(known[at].to, x->by.to))
			return true;
	table_add(x->arena, &x->met, hash, (size_t)(x->alias - x->policy->aliases.v));
	return false;
}

bool aa_files_alias(struct arena *arena, const struct aa_policy *policy, const struct aa_profile *p,
		    struct diags *ds, struct aa_files *files)
{
	struct aliasing x = { .arena = arena, .ds = ds, .policy = policy };
	size_t written = files->list.n;
	struct glob_alias *known;

	if (!policy->aliases.n)
		return true;
	x.vars = aa_profile_variables(arena, policy, p);
	known = ARENA_ARRAY(arena, struct glob_alias, policy->aliases.n);
	vec_each(&policy->aliases, alias) {
		x.alias = alias;
		x.by = (struct glob_alias){ glob_unescape(arena, alias->from.text),
					    glob_unescape(arena, alias->to.text) };
		known[alias - policy->aliases.v] = x.by;
		if (is_repeated(&x, known))
			continue;
		for (size_t i = 0; i < written; i++) {
			const struct aa_opened o = files->list.v[i];
			if (may_begin(o.path, x.by.from) || may_begin(o.link, x.by.from))
				alias_rule(&x, &o, files);
		}
	}
	return !x.bad;
}

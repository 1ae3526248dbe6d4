/* SPDX-License-Identifier: Apache-2.0 */
#include "compiler/apparmor/check.h"

#include <string.h>

#include "compiler/apparmor/access.h"
#include "compiler/apparmor/changes.h"
#include "compiler/apparmor/means.h"
#include "compiler/apparmor/unstacked.h"
#include "compiler/rules/known.h"

struct checking {
	struct aa_reader rd;
	const struct aa_policy *policy;
	struct aa_means_pool *pool;
	size_t undecided; /* errors that are none where it is decided otherwise */
};

/* ---- two rules that disagree about how to execute ---- */

static const char *word_of(enum aa_exec e)
{
	static const char *const words[AA_EXEC_NR] = {
		[AA_EXEC_BARE] = "x",  [AA_EXEC_IX] = "ix",   [AA_EXEC_PX] = "px",
		[AA_EXEC_PIX] = "pix", [AA_EXEC_PUX] = "pux", [AA_EXEC_CX] = "cx",
		[AA_EXEC_CIX] = "cix", [AA_EXEC_CUX] = "cux", [AA_EXEC_UX] = "ux",
	};

	return words[e] ? words[e] : "x";
}

static void note_way(struct diags *ds, struct diag *d, const struct aa_use *use)
{
	for (const struct aa_from *f = use->from; f; f = f->parent)
		diag_note(ds, d, f->include->span, "included here");
}

static void note_rule(struct checking *c, struct diag *d, const struct aa_opened *o,
		      const char *which)
{
	const struct aa_use *use = o->rule->use;
	struct diags *ds = c->rd.diags;
	BUF_AUTO target = { 0 };

	if (o->target.n)
		aa_access_put_path(&target, o->target);
	diag_note(ds, d, use->stmt->span, "%s says '%s'%s%s", which, word_of(o->exec),
		  o->target.n ? " to " : "", o->target.n && target.p ? target.p : "");
	note_way(ds, d, use);
}

/* Of `file,` no path is written. */
static bool same_words(const struct aa_text *x, const struct aa_text *y)
{
	return x->word && y->word ? str_eq(x->word->text, y->word->text) : x->word == y->word;
}

static void tell_conflict(struct checking *c, const struct aa_conflict *k)
{
	struct diags *ds = c->rd.diags;
	const struct aa_stmt *later = k->two->rule->use->stmt;
	size_t before = ds->errors;
	struct diag *d;
	BUF_AUTO path = { 0 };

	aa_access_put_path(&path, k->path);
	if (k->varies)
		d = diag_add(ds, DIAG_PL386, later->head,
			     "rules disagree about how to execute '%s', and whether this release's "
			     "parser refuses them hangs on where its memory lies",
			     path.p ? path.p : "");
	else
		d = diag_add(ds, DIAG_PL370, later->head,
			     "two rules disagree about how to execute '%s'", path.p ? path.p : "");
	if (same_words(&k->one->rule->file.path, &k->two->rule->file.path))
		diag_rule(ds, d, DIAG_AP205);
	c->undecided += k->varies ? ds->errors - before : 0;
	note_rule(c, d, k->one, "this rule");
	note_rule(c, d, k->two, "and this one");
	diag_help(ds, d, "say it in one rule, or take the path out of the wider one");
}

enum { PAIRS_MAX = 200 }; /* rules that are held against one another: of more all are built */

static bool same_way(const struct aa_opened *x, const struct aa_opened *y)
{
	return x->exec == y->exec && x->unsafe == y->unsafe && str_eq(x->target, y->target);
}

static bool begin_alike(struct str x, struct str y)
{
	size_t n = x.n < y.n ? x.n : y.n;

	return !n || !memcmp(x.p, y.p, n);
}

static bool may_disagree(const struct aa_opened *x, const struct aa_opened *y)
{
	if (same_way(x, y) || x->mode == AA_MODE_DENY || y->mode == AA_MODE_DENY)
		return false;
	return !x->path || !y->path || begin_alike(x->path->prefix, y->path->prefix);
}

enum {
	OVERLAPS_BUDGET = 100000
}; /* of a profile: as glob_overlap() counts; past it all are built */

static bool overlap(struct arena *a, const struct aa_opened *x, const struct aa_opened *y,
		    size_t *budget)
{
	const char *witness;

	return !x->path || !y->path ||
	       glob_overlap(a, x->path, y->path, budget, &witness) != GLOB_NO;
}

/*
 * Rules that execute in one way, or whose paths are never the same, disagree about none; where all
 * are so, what they are together need not be built.
 */
static bool any_may_disagree(struct arena *a, const struct aa_files *files)
{
	size_t budget = OVERLAPS_BUDGET;

	if (files->list.n > PAIRS_MAX)
		return true;
	for (size_t i = 0; i < files->list.n; i++)
		for (size_t k = 0; k < i; k++)
			if (may_disagree(&files->list.v[i], &files->list.v[k]) &&
			    overlap(a, &files->list.v[i], &files->list.v[k], &budget))
				return true;
	return false;
}

static bool share_half(const struct aa_opened *x, const struct aa_opened *y)
{
	return !(x->owner == AA_OWNER_ONLY && y->owner == AA_OWNER_OTHER) &&
	       !(x->owner == AA_OWNER_OTHER && y->owner == AA_OWNER_ONLY);
}

/* The rules that the parser takes for one, and so refuses whatever its memory does. */
static bool tell_merged_conflicts(struct checking *c, const struct aa_merging *m,
				  const struct aa_files *files)
{
	size_t before = c->rd.diags->errors;

	for (size_t i = 0; i < files->list.n; i++)
		for (size_t k = 0; k < i; k++) {
			const struct aa_opened *x = &files->list.v[k], *y = &files->list.v[i];
			struct aa_conflict both = { .one = x, .two = y };
			if (!x->rule || !y->rule || !(x->perms & y->perms & PERM_X) ||
			    x->exec == AA_EXEC_NONE || y->exec == AA_EXEC_NONE || same_way(x, y) ||
			    !share_half(x, y) ||
			    !aa_are_merged(m, x->rule, x->path, y->rule, y->path))
				continue;
			both.path = glob_unescape(c->rd.arena, x->path->opened);
			tell_conflict(c, &both);
		}
	return c->rd.diags->errors > before;
}

static void tell_conflicts(struct checking *c, const struct aa_merging *m,
			   const struct aa_files *files, const struct aa_conflicts *found)
{
	bool varies = false;

	vec_each(&found->list, k)
		varies |= k->varies;
	if (varies)
		varies = !tell_merged_conflicts(c, m, files);
	vec_each(&found->list, k)
		if (!k->varies || varies)
			tell_conflict(c, k);
}

static void check_conflicts(struct checking *c, const struct aa_profile *p,
			    const struct aa_merging *merging, const struct aa_files *files)
{
	struct arena *a = c->rd.arena;
	struct aa_means m;
	struct aa_conflicts found;
	size_t before;
	struct diag *d;

	struct arena *scratch = arena_scratch(a);
	bool any = any_may_disagree(scratch, files);
	arena_free(scratch);
	if (!any)
		return;
	if (!c->pool)
		c->pool = aa_means_pool_new(a);
	m = aa_means_build(c->pool, c->rd.target.release, files->list.v, files->list.n);
	found = aa_means_conflicts(a, &m, files->list.v, files->list.n);
	tell_conflicts(c, merging, files, &found);
	if (m.decided && found.decided)
		return;
	before = c->rd.diags->errors;
	d = diag_add(c->rd.diags, DIAG_PL371, p->stmt->head,
		     "whether rules of this profile disagree about how to execute is not decided: "
		     "it takes more than %d states",
		     MACHINE_STATES_MAX);
	c->undecided += c->rd.diags->errors - before;
	diag_help(c->rd.diags, d, "fewer patterns with '**' in their midst, or a child profile");
}

/* ---- names of profiles to change to ---- */

struct targets {
	struct str names[APPARMOR_TARGETS_MAX];
	size_t n;
	bool told;
};

/* What is named as the program's own child takes no place (profile.cc, add_named_transition). */
static bool names_itself(const struct aa_file_rule *f)
{
	struct str name = f->target.word->text, path = f->path.word ? f->path.word->text : name;
	bool child = f->exec == AA_EXEC_CX || f->exec == AA_EXEC_CIX || f->exec == AA_EXEC_CUX;

	if (!f->path.word || (name.n && strchr(":&", name.p[0])))
		return false;
	for (size_t i = 1; i + 1 < name.n; i++)
		if (name.p[i] == '/' && name.p[i + 1] == '/')
			return str_eq((struct str){ name.p + i + 2, name.n - i - 2 }, path);
	return child && str_eq(name, path);
}

/*
 * The name that a rule takes a place for. 3.0.8 does it for a rule that executes nothing, too, and
 * before 5.0 pivot_root has one, which it then does nothing with (mount.cc, post_process).
 */
static struct str target_name(struct checking *c, const struct aa_profile *p,
			      const struct aa_rule *r)
{
	if (r->class == AA_CLASS_FILE && r->file.target.word && !names_itself(&r->file))
		return aa_target_label(c->rd.arena, p, &r->file);
	if (r->class == AA_CLASS_PIVOT_ROOT && r->pivot.target.word &&
	    c->rd.target.release < AA_RELEASE_5_0)
		return r->pivot.target.word->text;
	return (struct str){ "", 0 };
}

static void count_target(struct checking *c, const struct aa_profile *p, struct targets *t,
			 const struct aa_rule *r)
{
	struct str name = target_name(c, p, r);
	struct diag *d;

	for (size_t i = 0; i < t->n; i++)
		if (str_eq(t->names[i], name))
			return;
	if (!name.n || t->told)
		return;
	if (t->n < APPARMOR_TARGETS_MAX) {
		t->names[t->n++] = name;
		return;
	}
	t->told = true;
	d = diag_add(c->rd.diags, DIAG_PL250, r->use->stmt->head,
		     "a profile of AppArmor names at most %d others to change to, and this is the "
		     "%dth",
		     APPARMOR_TARGETS_MAX, APPARMOR_TARGETS_MAX + 1);
	diag_help(
		c->rd.diags, d,
		"leave '->' out where the program's own profile is meant, or let rules share one");
}

/* ---- rules that are one to the parser ---- */

struct merging {
	struct aa_merging by;
	VEC(const struct aa_rule *) rules; /* of files, and those: in the order of the text */
};

static void tell_merged(struct checking *c, const struct aa_rule *r)
{
	static const char path[] =
		"AppArmor takes this path for the target of a change_profile rule, "
		"and nothing is left of the file rule";
	static const char target[] =
		"AppArmor takes this target for another that differs in its first "
		"byte alone, and nothing is left of this rule";
	bool file = r->class == AA_CLASS_FILE;
	const struct aa_word *w = file ? r->file.path.word : r->change.target.word;
	struct diag *d = diag_add(c->rd.diags, DIAG_PL375, w ? w->span : r->use->stmt->head, "%s",
				  file ? path : target);

	note_way(c->rd.diags, d, r->use);
	diag_help(c->rd.diags, d,
		  "write it as a pattern, with a letter in brackets: another text is another rule");
}

static void take_for_merging(struct checking *c, const struct aa_rule *r, struct merging *m)
{
	bool change = r->class == AA_CLASS_CHANGE_PROFILE;

	if (change)
		vec_push(c->rd.arena, &m->by.changes, r);
	if (change || r->class == AA_CLASS_FILE || r->class == AA_CLASS_ALL)
		vec_push(c->rd.arena, &m->rules, r);
}

/* What is not left is told. */
static void take_merged(struct checking *c, const struct aa_profile *p, const struct merging *m,
			struct aa_files *files)
{
	vec_each(&m->rules, r) {
		if (aa_is_merged_away(&m->by, *r, NULL))
			tell_merged(c, *r);
		else if ((*r)->class == AA_CLASS_CHANGE_PROFILE && c->rd.target.unstacked)
			aa_check_unstacked(&c->rd, *r);
		if ((*r)->class == AA_CLASS_ALL || ((*r)->class == AA_CLASS_FILE &&
						    ((*r)->perms & PERM_X || c->policy->aliases.n)))
			aa_files_add(c->rd.arena, *r, p, files);
	}
}

/* ---- rules that were found right in another profile ---- */

static bool has_sign(struct str s)
{
	return s.n && (memchr(s.p, '@', s.n) || memchr(s.p, '\\', s.n));
}

/* An escape may give a variable's '@'. */
static bool may_have_variables(const struct aa_item *items)
{
	for (const struct aa_item *i = items; i; i = i->next) {
		bool words = i->kind == AA_WORD || i->kind == AA_ARROW;
		if ((words && has_sign(i->word.text)) || may_have_variables(i->conds))
			return true;
		for (const struct aa_word *w = i->values; w; w = w->next)
			if (has_sign(w->text))
				return true;
	}
	return false;
}

/* Rules of these classes, and of files those that execute or name a profile, are looked at below. */
static bool is_done(const struct aa_rule *r)
{
	if (r->class == AA_CLASS_FILE)
		return !(r->perms & PERM_X) && !r->file.target.word;
	return r->class != AA_CLASS_CHANGE_PROFILE && r->class != AA_CLASS_ALL &&
	       r->class != AA_CLASS_PIVOT_ROOT;
}

/*
 * Reads a live rule; NULL where it is wrong, or in `right`, where there is nothing more to do with
 * it and it may be passed over the next time. Files that are included stay as they are.
 */
static const struct aa_rule *read_once(struct checking *c, const struct aa_use *use, bool right)
{
	const struct diags *ds = c->rd.diags;
	size_t told = ds->list.n, errors = ds->errors;

	right = right && c->rd.known && use->from;
	if (right && aa_known_rule(c->rd.known, use, &c->rd.target))
		return NULL;
	const struct aa_rule *r = aa_rule_read(&c->rd, use);
	if (right && r && ds->list.n == told && ds->errors == errors && is_done(r) &&
	    !may_have_variables(use->stmt->items))
		aa_known_rule_add(c->rd.known, use, &c->rd.target);
	return r;
}

/* File rules are compared with those that change the profile, and with aliases. */
static bool stand_alone(const struct checking *c, const struct aa_profile *p)
{
	vec_each(&p->uses, use)
		if (use->class == AA_CLASS_CHANGE_PROFILE)
			return false;
	return !c->policy->aliases.n;
}

/* ---- profiles ---- */

/* The first such rule of a profile. */
static void tell_ownerless(struct checking *c, const struct aa_rule *r, bool *told)
{
	bool everybody = r->prefix.owner == AA_OWNER_ONLY;
	struct diag *d;

	if (*told || r->class != AA_CLASS_FILE || r->prefix.owner == AA_OWNER_ANY)
		return;
	*told = true;
	d = diag_add(
		c->rd.diags, DIAG_PL464, r->use->stmt->head,
		"AppArmor 4.1.0 to 4.1.2 do not tell owners apart for this kernel: this rule, and "
		"others such, count for %s",
		everybody ? "everybody" : "nobody");
	note_way(c->rd.diags, d, r->use);
	diag_help(c->rd.diags, d, "4.1.3 and later do, and all of them do for Linux before 6.17");
}

/*
 * Words of a rule that has no effect are read, too, and refused; but its variables are not opened.
 * Only rules with x can disagree.
 */
static void check_profile(struct checking *c, const struct aa_profile *p)
{
	struct glob_variables vars = aa_profile_variables(c->rd.arena, c->policy, p);
	struct aa_files files = { .release = c->rd.target.release };
	struct targets targets = { .n = 0 };
	struct merging merging = {
		.by = { .arena = c->rd.arena, .release = c->rd.target.release, .variables = &vars }
	};
	bool told = !c->rd.target.ownerless, alone = told && stand_alone(c, p);

	c->rd.variables = &vars;
	c->rd.check = true;
	c->rd.from = p->from;
	if (p->reach == AA_REACH_LIVE)
		aa_header_matches(&c->rd, p->header);
	vec_each(&p->uses, use) {
		bool live = use->reach == AA_REACH_LIVE && p->reach == AA_REACH_LIVE;
		const struct aa_rule *r;

		c->rd.variables = live ? &vars : NULL;
		/* Patterns of change_profile are compared, and of aliased files all are read. */
		c->rd.check = use->class != AA_CLASS_CHANGE_PROFILE && !c->policy->aliases.n;
		r = read_once(c, use, live && alone);
		if (r && live)
			take_for_merging(c, r, &merging);
		if (r && live) {
			count_target(c, p, &targets, r);
			tell_ownerless(c, r, &told);
		}
	}
	take_merged(c, p, &merging, &files);
	if (aa_files_alias(c->rd.arena, c->policy, p, c->rd.diags, &files)) {
		aa_files_merge(&merging.by, &files);
		check_conflicts(c, p, &merging.by, &files);
	}
	aa_check_changes(&c->rd, &merging.by, &c->undecided);
	vec_each(&p->children, child)
		check_profile(c, *child);
}

enum aa_checked aa_check(struct arena *a, struct aa_library *lib, const struct aa_file *file,
			 const struct aa_asked *asked, struct aa_policy **out, struct diags *ds)
{
	size_t errors = ds->errors;
	struct checking c = { .rd = { .arena = a, .diags = ds, .known = asked->known } };

	struct aa_policy *policy = aa_expand(a, lib, file, asked, ds);

	c.policy = policy;
	if (out)
		*out = policy;
	c.rd.target = c.policy->target;
	vec_each(&c.policy->profiles, p)
		check_profile(&c, *p);
	aa_file_ends(file, ds);
	if (ds->errors == errors)
		return AA_CHECK_TAKES;
	return ds->errors == errors + c.undecided ? AA_CHECK_UNDECIDED : AA_CHECK_REFUSES;
}

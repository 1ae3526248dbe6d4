/* SPDX-License-Identifier: Apache-2.0 */
/* The linter's driver: the table of rules. */
#include "compiler/lint/lint.h"

#include "compiler/apparmor/check.h"
#include "compiler/apparmor/halves.h"
#include "compiler/base/bug.h"
#include "compiler/lint/aa_facts.h"
#include "compiler/lint/aa_rest.h"
#include "compiler/lint/facts.h"
#include "compiler/lint/internal.h"
#include "compiler/lint/unit_facts.h"

#define PALE          LINT_PALE
#define JSON          LINT_JSON
#define BOTH          (LINT_PALE | LINT_JSON)
#define APPARMOR      LINT_APPARMOR
#define APPARMOR_FILE LINT_APPARMOR_FILE
#define DEPLOYMENT    LINT_DEPLOYMENT

/*
 * The rules' rows stand above their functions; the build gathers them, sorted. As internal.h has
 * them they declare the functions, then they are the table.
 */
#include "lint_rules.def"
#undef RULE
#undef RULE_TOLD
#define RULE(id, slug, severity, formats, fn, doc, explain) { { DIAG_##id, formats, explain }, fn },
#define RULE_TOLD(id, slug, severity, formats, doc, explain)                                       \
	{ { DIAG_##id, formats, explain }, NULL },
static const struct {
	struct lint_rule row;
	lint_fn *run; /* NULL: others find it */
} rules[] = {
#include "lint_rules.def"
};

const char *lint_rule_fix(enum diag_id id)
{
	switch (id) {
#define SAFE   "safe"
#define UNSAFE "unsafe"
#define FIXABLE(id, safety)                                                                        \
	case DIAG_##id:                                                                            \
		return safety;
#include "compiler/lint/fixable.def"
#undef FIXABLE
#undef SAFE
#undef UNSAFE
	default: return NULL;
	}
}

size_t lint_rule_count(void)
{
	return ARRAY_SIZE(rules);
}

const struct lint_rule *lint_rule_at(size_t i)
{
	BUG_ON(i >= ARRAY_SIZE(rules));
	return &rules[i].row;
}

const struct lint_left_out *lint_left_out_at(size_t i)
{
	static const struct lint_left_out left_out[] = {
#define LEFT_OUT(id, slug, why) { id, slug, why },
#include "compiler/lint/left_out.def"
#undef LEFT_OUT
	};

	return i < ARRAY_SIZE(left_out) ? &left_out[i] : NULL;
}

static void run_rules(struct lint *l, unsigned format)
{
	for (size_t i = 0; i < ARRAY_SIZE(rules); i++)
		if (rules[i].run && rules[i].row.formats & format)
			rules[i].run(l, rules[i].row.id);
}

int lint_json(struct arena *a, const struct lint_filter *with, const struct json *root,
	      struct diags *ds)
{
	const struct oci_runtime *rt = with->runtime;
	const struct oci_read_options read = { .runtime = rt };
	const struct oci_read_options everywhere = { .every_host = true,
						     .docker = true,
						     .runtime = rt };
	size_t before = ds->list.n;
	struct lint l = {
		.arena = a, .ds = ds, .root = root, .runtime = rt, .operators = with->operators
	};
	struct oci_profile *profile = ARENA_NEW(a, struct oci_profile);
	struct oci_profile *all = ARENA_NEW(a, struct oci_profile);

	if (!root)
		return -1;
	oci_parse(a, root, &read, profile);
	l.profile = profile;
	oci_report(profile, NULL, ds);
	if (profile->lost) {
		diags_sort(ds);
		return (int)(ds->list.n - before);
	}
	l.refused = GROUP(&l);
	oci_refused(a, profile, NULL, &l.refused, ds);
	oci_parse_as(a, profile, &everywhere, all);
	l.overlaps = oci_overlaps(a, all);
	oci_overlaps_tell(a, l.overlaps, &l.refused, ds);
	if (oci_profile_object(root))
		l.facts = facts_of_profile(a, with->questions, all, rt);
	run_rules(&l, LINT_JSON);
	facts_end(l.facts);
	diags_sort(ds);
	return (int)(ds->list.n - before);
}

int lint_pale(struct arena *a, const struct lint_filter *with, const struct ast_file *file,
	      const struct policies *policies, struct diags *ds)
{
	size_t before = ds->list.n;

	if (!file)
		return -1;
	for (size_t i = 0; policies && i < policies->list.n; i++) {
		struct lint l = { .arena = a, .ds = ds, .file = file, .runtime = with->runtime };

		l.policy = policies->list.v[i];
		if (l.policy->layers & LAYER_SECCOMP)
			l.facts = facts_of_policy(a, with->questions, l.policy, ds);
		policy_check(l.policy, ds);
		apparmor_check_halves(l.policy, NULL, 0, ds);
		run_rules(&l, LINT_PALE);
		facts_end(l.facts);
	}
	for (size_t i = before; i < ds->list.n; i++)
		if (ds->list.v[i]->rule)
			ds->list.v[i]->id = ds->list.v[i]->rule;
	lint_pale_file(a, file, ds);
	diags_sort(ds);
	return (int)(ds->list.n - before);
}

/* What is asked of the filter that a unit's settings are: holes in it, and what is risky, as one finding. */
static void run_unit_rules(struct lint *l)
{
	/* Not SC125: a unit names namespaces, and writes no mask that may lack one. */
	static const enum diag_id holes[] = { DIAG_SC123, DIAG_SC126, DIAG_SC127,
					      DIAG_SC130, DIAG_SC131, DIAG_SC132,
					      DIAG_SC163, DIAG_SC165, DIAG_SC168 };
	const struct unit_facts *u = lint_unit_facts(l);
	struct lint of = { .arena = l->arena };

	if (!u)
		return;
	of.ds = diags_new(l->arena, l->ds->sources);
	of.policy = u->policy;
	of.facts = u->facts;
	of.unit = u;
	of.systemd = l->systemd;
	of.unit_asked = true;
	for (size_t i = 0; i < ARRAY_SIZE(rules); i++)
		if (rules[i].run == sr_open_call)
			rules[i].run(&of, rules[i].row.id);
	lint_unit_risks(l, u, of.ds);
	of.ds = diags_new(l->arena, l->ds->sources);
	for (size_t i = 0; i < ARRAY_SIZE(rules); i++)
		for (size_t k = 0; k < ARRAY_SIZE(holes); k++)
			if (rules[i].row.id == holes[k])
				rules[i].run(&of, rules[i].row.id);
	inner_move_diags(&u->in, of.ds);
	diags_take(l->ds, of.ds);
}

int lint_deployment(struct arena *a, const struct lint_filter *with, const struct deployment *d,
		    const struct lint_named *named, struct diags *ds)
{
	size_t before = ds->list.n;
	struct lint l = { .arena = a, .ds = ds, .deployment = d, .named = named };

	l.systemd = with->systemd;
	l.docker = with->runtime ? with->runtime->docker : 0;

	run_rules(&l, LINT_DEPLOYMENT);
	run_unit_rules(&l);
	lint_unit_facts_end(&l);
	diags_sort(ds);
	return (int)(ds->list.n - before);
}

/* ---- AppArmor ---- */

enum { WORK_MAX = 48 << 20 }; /* bytes */

void lint_work_end(struct lint_work *work)
{
	arena_free(work->arena);
	*work = (struct lint_work){ .arena = NULL };
}

static void start_work(struct lint *l, struct lint_work *work)
{
	if (work->arena && arena_size(work->arena) > WORK_MAX)
		lint_work_end(work);
	if (!work->arena) {
		work->arena = arena_scratch(l->aa->arena);
		work->pool = aa_means_pool_new(work->arena);
		work->accesses = aa_accesses_new(work->arena);
	}
	l->aa->accesses = work->accesses;
	l->aa->known = aa_means_pool_known(work->pool);
}

/* What they say is allowed stays allowed, whatever allow rules come to it. */
static bool tells_what_is_allowed(enum diag_id id)
{
	static const enum diag_id ids[] = {
		DIAG_AP208, DIAG_AP209, DIAG_AP210, DIAG_AP301, DIAG_AP302, DIAG_AP303, DIAG_AP304,
		DIAG_AP305, DIAG_AP306, DIAG_AP307, DIAG_AP308, DIAG_AP309, DIAG_AP310, DIAG_AP311,
		DIAG_AP312, DIAG_AP313, DIAG_AP314, DIAG_AP315, DIAG_AP316, DIAG_AP317, DIAG_AP318,
		DIAG_AP319, DIAG_AP320, DIAG_AP321, DIAG_AP322, DIAG_AP323, DIAG_AP324, DIAG_AP325,
	};

	for (size_t i = 0; i < ARRAY_SIZE(ids); i++)
		if (ids[i] == id)
			return true;
	return false;
}

static void run_profile_rules(struct lint *l)
{
	for (size_t i = 0; i < ARRAY_SIZE(rules); i++)
		if (rules[i].run && rules[i].row.formats & LINT_APPARMOR &&
		    (!l->aa->partial || tells_what_is_allowed(rules[i].row.id)))
			rules[i].run(l, rules[i].row.id);
}

static void lint_profiles(struct lint *l, const struct lint_apparmor *with,
			  const struct aa_profile *p)
{
	/* What is told here was told by the check. */
	struct diags *again = diags_new(l->aa->arena, l->ds->sources);
	size_t before = l->ds->list.n;
	struct aa_asking *q;

	if (p->reach != AA_REACH_LIVE)
		return;
	start_work(l, with->work);
	/* What rules of the linter make for themselves goes with what is made of the profile. */
	l->arena = arena_scratch(l->aa->arena);
	q = ARENA_NEW(l->arena, struct aa_asking);
	l->aa->profile = p;
	l->aa->undecided = false;
	l->aa->states_left = (size_t)2 * MACHINE_STATES_MAX;
	l->aa->q = q;
	l->aa->hits = NULL;
	if (aa_asking_open(l->arena, with->work->pool, l->aa->policy, p, again, q))
		run_profile_rules(l);
	else if (!l->aa->partial)
		diags_take(l->ds, again);
	for (; before < l->ds->list.n; before++) /* the same text in another profile is another */
		diag_also(l->ds, l->ds->list.v[before], p->label);
	arena_free(l->arena);
	vec_each(&p->children, child)
		lint_profiles(l, with, *child);
}

int lint_apparmor(struct arena *a, const struct lint_apparmor *with, const struct aa_file *file,
		  struct diags *ds)
{
	size_t before = ds->list.n, errors = ds->errors, told;
	struct aa_facts facts = { .arena = a,
				  .file = file,
				  .release = with->asked.release,
				  .library = with->library,
				  .paths = with->paths };
	struct lint l = { .arena = a, .ds = ds, .aa = &facts };
	struct aa_asked asked = with->asked;
	struct aa_policy *policy;

	start_work(&l, with->work);
	asked.known = aa_means_pool_known(with->work->pool);
	aa_check(a, with->library, file, &asked, &policy, ds);
	if (ds->errors == errors) {
		facts.policy = policy;
		run_rules(&l, LINT_APPARMOR_FILE);
		vec_each(&facts.policy->profiles, p)
			lint_profiles(&l, with, *p);
		l.arena = a;
		aa_tell_more(&l);
		diags_sort(ds);
		return (int)(ds->list.n - before);
	}
	ap_comment_looks_like_include(&l, DIAG_AP240); /* which may be why */
	told = ds->list.n;
	facts.partial = aa_rest(a, policy, file, errors, ds, before);
	if (facts.partial) {
		facts.policy = policy;
		vec_each(&facts.policy->profiles, p)
			lint_profiles(&l, with, *p);
		l.arena = a;
		aa_tell_more(&l);
		aa_rest_told(file, ds, before, told);
	}
	diags_sort(ds);
	return (int)(ds->list.n - before);
}

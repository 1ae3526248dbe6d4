/* SPDX-License-Identifier: Apache-2.0 */
#include "compiler/apparmor/changes.h"

#include "compiler/apparmor/means_sum.h"
#include "compiler/apparmor/weigh.h"

struct conflict { /* of rules that match one text; 0 of the machine's classes is none */
	uint32_t one, two;
	bool certain, told;
};

struct changes {
	const struct aa_reader *rd;
	VEC(const struct aa_rule *) rules; /* that name a program: numbers of the machine's rules */
	struct aa_say *said;               /* by each of them */
	VEC(const struct aa_say *) says;   /* scratch */
	VEC(struct conflict) conflicts;    /* by class, from 1 */
	size_t *undecided;
};

/* ---- pairs ---- */

static bool is_exact(const struct changes *c, const struct aa_rule *r)
{
	enum aa_release release = c->rd->target.release;
	const struct aa_change_rule *x = &r->change;

	return aa_is_exact(release, x->exec.glob) && x->target.glob &&
	       aa_is_exact(release, x->target.glob);
}

static bool disagree(const struct changes *c, const struct aa_rule *x, const struct aa_rule *y)
{
	enum aa_release release = c->rd->target.release;
	struct aa_prefix one = aa_weigh(release, x), two = aa_weigh(release, y);

	return x->change.unsafe != y->change.unsafe && one.mode == AA_MODE_ALLOW &&
	       !aa_compare_weights(&one, &two) && is_exact(c, x) == is_exact(c, y);
}

/* A target that is not said is any. */
static bool overlap(const struct changes *c, const struct aa_rule *x, const struct aa_rule *y,
		    size_t *budget)
{
	const struct glob *one = x->change.target.glob, *two = y->change.target.glob;
	struct arena *a = c->rd->arena;
	const char *witness;

	return glob_overlap(a, x->change.exec.glob, y->change.exec.glob, budget, &witness) !=
		       GLOB_NO &&
	       (!one || !two || glob_overlap(a, one, two, budget, &witness) != GLOB_NO);
}

/* Else no texts are looked through. */
static bool any_may_disagree(const struct changes *c)
{
	size_t budget = GLOB_BUDGET;

	for (size_t i = 0; i < c->rules.n; i++)
		for (size_t k = 0; k < i; k++)
			if (disagree(c, c->rules.v[k], c->rules.v[i]) &&
			    overlap(c, c->rules.v[k], c->rules.v[i], &budget))
				return true;
	return false;
}

/* ---- what rules of one text add up to ---- */

static struct aa_say say_of(const struct changes *c, const struct aa_rule *r)
{
	struct aa_prefix p = aa_weigh(c->rd->target.release, r);
	struct aa_say s = { .exec = r->change.unsafe ? 2 : 1,
			    .exact = is_exact(c, r),
			    .mode = p.mode,
			    .priority = p.priority };

	for (unsigned who = 0; who < FILE_WHO_NR; who++)
		s.perms[who] = PERM_X;
	return s;
}

static bool same_say(const struct aa_say *x, const struct aa_say *y)
{
	return x->mode == y->mode && x->exec == y->exec && x->exact == y->exact &&
	       x->priority == y->priority;
}

/* Rules that say the same are one to the parser. */
static void add_say(struct changes *c, const struct aa_say *s)
{
	vec_each(&c->says, old)
		if (same_say(*old, s))
			return;
	vec_push(c->rd->arena, &c->says, s);
}

static unsigned class_of(void *who, const uint32_t *rules, size_t n)
{
	struct changes *c = who;
	struct aa_sum sum = { .answer = { .conflict = false } };

	c->says.n = 0;
	for (size_t i = 0; i < n; i++)
		add_say(c, &c->said[rules[i]]);
	aa_sum_of(c->rd->target.release)(c->says.v, c->says.n, &sum);
	if (!sum.answer.conflict && !sum.answer.conflict_varies)
		return 0;
	for (size_t i = 0; i < n; i++)
		for (size_t k = 0; k < i; k++)
			if (disagree(c, c->rules.v[rules[k]], c->rules.v[rules[i]])) {
				struct conflict found = { rules[k], rules[i], sum.answer.conflict,
							  false };
				vec_push(c->rd->arena, &c->conflicts, found);
				return (unsigned)c->conflicts.n;
			}
	return 0;
}

/* ---- texts: a program, NUL, a label ---- */

static uint32_t step(const struct machine_shape *s, uint32_t state, unsigned char c)
{
	(void)s;
	return c ? state : state ? MACHINE_NONE : 1;
}

static bool ends(const struct machine_shape *s, uint32_t state)
{
	(void)s;
	return state == 1;
}

static unsigned group(const struct machine_shape *s, uint32_t state)
{
	(void)s;
	(void)state;
	return 0;
}

static machine_texts texts_of(struct machine_pool *p, const struct aa_change_rule *r, uint32_t rule,
			      const struct glob *any, size_t *steps)
{
	const struct byte_set nul = { { 1 } };
	machine_texts out = machine_end(p, rule);

	out = machine_glob(p, r->target.glob ? r->target.glob : any, out, steps);
	if (out == MACHINE_NONE || !out)
		return out;
	return machine_glob(p, r->exec.glob, machine_byte(p, &nul, out), steps);
}

static struct machine_walk walk(struct changes *c)
{
	static const struct machine_shape shape = { .step = step, .ends = ends, .group = group };
	struct arena *a = c->rd->arena;
	struct machine_pool *p = machine_pool_new(a, class_of, c);
	const struct glob *any = glob_parse(a, STR("**"), GLOB_NAME, NULL, NULL);
	size_t steps = MACHINE_STEPS_MAX;
	VEC(machine_texts) texts = { .v = NULL };
	struct machine m;

	c->said = ARENA_ARRAY(a, struct aa_say, c->rules.n);
	for (size_t i = 0; i < c->rules.n; i++) {
		c->said[i] = say_of(c, c->rules.v[i]);
		machine_texts t = texts_of(p, &c->rules.v[i]->change, (uint32_t)i, any, &steps);
		if (t == MACHINE_NONE)
			return (struct machine_walk){ .decided = false };
		vec_push(a, &texts, t);
	}
	m = machine_build(p, machine_union(p, texts.v, texts.n));
	if (!m.decided)
		return (struct machine_walk){ .decided = false };
	return machine_walk_shape(a, &m, NULL, &shape, false);
}

/* ---- told ---- */

static void tell(struct changes *c, const struct conflict *k, struct str program)
{
	struct diags *ds = c->rd->diags;
	const struct aa_use *one = c->rules.v[k->one]->use, *two = c->rules.v[k->two]->use;
	size_t before = ds->errors;
	const char *path = program.n ? str_safe(c->rd->arena, program.p) : "a path";
	struct diag *d;

	if (k->certain)
		d = diag_add(ds, DIAG_PL370, two->stmt->head,
			     "two rules disagree about how to change at the execution of '%s': one "
			     "is 'unsafe'",
			     path);
	else
		d = diag_add(ds, DIAG_PL386, two->stmt->head,
			     "rules disagree about how to change at the execution of '%s', and "
			     "whether this release's parser refuses them hangs on where its memory "
			     "lies",
			     path);
	*c->undecided += k->certain ? 0 : ds->errors - before;
	diag_note(ds, d, one->stmt->span, "this rule");
	diag_note(ds, d, two->stmt->span, "and this one");
	diag_help(ds, d, "write 'unsafe' at both, or at none");
}

static void tell_not_decided(struct changes *c)
{
	struct diags *ds = c->rd->diags;
	size_t before = ds->errors;
	struct diag *d =
		diag_add(ds, DIAG_PL371, c->rules.v[0]->use->stmt->head,
			 "whether rules of this profile disagree about how to change at an "
			 "execution is not decided: it takes more than %d states",
			 MACHINE_STATES_MAX);

	*c->undecided += ds->errors - before;
	diag_help(ds, d, "fewer patterns with '**' in their midst");
}

static bool is_told(const struct changes *c, const struct conflict *k)
{
	vec_each(&c->conflicts, old)
		if (old->told && old->one == k->one && old->two == k->two)
			return true;
	return false;
}

/* What is certain first: a pair that is may stand beside a deny, too. */
static void tell_all(struct changes *c, const struct machine_walk *w)
{
	for (unsigned certain = 2; certain-- > 0;)
		vec_each(&w->found, f) {
			struct conflict *k = f->a ? &c->conflicts.v[f->a - 1] : NULL;
			if (!k || k->certain != certain || is_told(c, k))
				continue;
			tell(c, k, str_c(f->path.p)); /* as far as its NUL */
			k->told = true;
		}
}

/* Rules that are one to the parser must be of one way, whatever they say. */
static bool tell_merged(struct changes *c, const struct aa_merging *m)
{
	bool any = false;

	for (size_t i = 0; i < c->rules.n; i++)
		for (size_t k = 0; k < i; k++) {
			const struct aa_rule *x = c->rules.v[k], *y = c->rules.v[i];
			struct conflict both = { (uint32_t)k, (uint32_t)i, true, true };
			if (x->change.unsafe == y->change.unsafe ||
			    !aa_are_merged(m, x, NULL, y, NULL))
				continue;
			tell(c, &both, x->change.exec.word->text);
			vec_push(c->rd->arena, &c->conflicts, both);
			any = true;
		}
	return any;
}

void aa_check_changes(const struct aa_reader *rd, const struct aa_merging *m, size_t *undecided)
{
	struct changes c = { .rd = rd, .undecided = undecided };
	struct machine_walk w;
	size_t left = 0;

	vec_each(&m->changes, r)
		if ((*r)->change.exec.glob)
			vec_push(rd->arena, &c.rules, *r);
	if (tell_merged(&c, m))
		return;
	vec_each(&c.rules, r)
		if (!aa_is_merged_away(m, *r, NULL))
			c.rules.v[left++] = *r;
	c.rules.n = left;
	if (!any_may_disagree(&c))
		return;
	w = walk(&c);
	tell_all(&c, &w);
	if (!w.decided)
		tell_not_decided(&c);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Which profiles are compared with which. */
#include "compiler/tell/diff_profiles.h"

#include "compiler/base/bug.h"
#include "compiler/tell/accessed.h"
#include "compiler/tell/decided.h"

/* ---- one pair ---- */

/* False: told. What its rules are together may be undecided all the same. */
static bool open_asking(struct profiles *c, struct profile_side *s, const struct aa_profile *p)
{
	struct diags *own = diags_new(c->arena, c->session->sources);

	s->is_matched = false;
	s->q = s->made;
	if (s->pale)
		return true;
	if (aa_asking_open(c->arena, c->pool, s->policy, p, own, &s->q) || !s->q.means.decided) {
		size_t other = 0;
		vec_each(&own->list, d)
			other += (*d)->severity == SEVERITY_ERROR && (*d)->id != DIAG_PL371;
		if (!other)
			return true;
	}
	diags_take(c->session->diags, own);
	return false;
}

/* The rule of the largest pattern, which is why; "": there is none. */
static const char *largest(struct profiles *c)
{
	const struct profile_side *sides[] = { &c->a, &c->b };
	const struct aa_opened *most = NULL;
	BUF_AUTO text = { 0 };

	for (unsigned i = 0; i < 2; i++)
		vec_each(&sides[i]->q.files.list, f)
			if (f->rule && (!most || f->path->nfa.nodes.n > most->path->nfa.nodes.n))
				most = f;
	if (!most)
		return "";
	buf_puts(&text, "; the largest is ");
	put_aa_rule(&text, c->session->sources, most->rule);
	return buf_keep(c->arena, &text);
}

static void compare_file_rules(struct profiles *c)
{
	c->out->resource_kinds |= 1u << RESOURCE_FILES;
	if (c->a.q.means.decided && c->b.q.means.decided) {
		compare_profile_files(c);
		compare_profile_links(c);
		return;
	}
	profile_not_decided(
		c, RESOURCE_FILES,
		arena_printf(c->arena,
			     "what the file rules of one side are together takes more "
			     "than %d states%s; write fewer patterns with '**' in their "
			     "midst, or a child profile",
			     MACHINE_STATES_MAX, largest(c)));
}

static bool compare_pair(struct profiles *c, const struct aa_profile *a, const struct aa_profile *b)
{
	if (!open_asking(c, &c->a, a) || !open_asking(c, &c->b, b))
		return false;
	c->told.n = 0;
	c->undecided = false;
	compare_attachments(c, a, b);
	compare_profile_headers(c);
	compare_file_rules(c);
	compare_profile_capabilities(c);
	compare_profile_limits(c);
	compare_profile_objects(c);
	return true;
}

/* ---- which with which ---- */

static void gather(struct arena *a, struct profile_side *s, const struct aa_profile *p)
{
	if (p->reach != AA_REACH_LIVE)
		return;
	vec_push(a, &s->list, p);
	vec_each(&p->children, child)
		gather(a, s, *child);
}

/* As a file that holds the one profile; false: own says why there is none. */
static bool make_profile(struct profiles *c, struct profile_side *s,
			 const struct diff_profiles_side *from, struct diags *own)
{
	struct aa_policy *file = ARENA_NEW(c->arena, struct aa_policy);
	size_t other = 0;

	s->pale = from->pale;
	s->asked = from->asked;
	s->open = from->open;
	if (!aa_asking_policy(c->arena, c->pool, s->pale, &s->asked, own, &s->made))
		vec_each(&own->list, d)
			other += (*d)->severity == SEVERITY_ERROR && (*d)->id != DIAG_PL371;
	if (other)
		return false;
	struct aa_profile *p = arena_dup(c->arena, s->made.profile, sizeof(struct aa_profile));
	s->made.profile = p;
	file->target = s->made.target;
	vec_push(c->arena, &file->profiles, p);
	s->policy = file;
	return true;
}

static bool gather_side(struct profiles *c, struct profile_side *s,
			const struct diff_profiles_side *from)
{
	struct diags *own = diags_new(c->arena, c->session->sources);

	s->policy = from->policy;
	s->asked = from->asked;
	if (from->pale && !make_profile(c, s, from, own)) {
		diags_take(c->session->diags, own);
		return false;
	}
	if (from->only) {
		gather(c->arena, s, from->only);
		return true;
	}
	vec_each(&s->policy->profiles, p)
		gather(c->arena, s, *p);
	return true;
}

static const struct aa_profile *partner_of(const struct profiles *c, const struct aa_profile *p,
					   bool in_a)
{
	const struct profile_side *other = in_a ? &c->b : &c->a;

	vec_each(&other->list, q)
		if (in_a ? profile_same_label(c, p->label, (*q)->label) :
			   profile_same_label(c, (*q)->label, p->label))
			return *q;
	return NULL;
}

/* The one profile of a side that is in no other; NULL: there are several, or none. */
static const struct aa_profile *only_top(const struct profile_side *s,
					 const struct aa_profile *only)
{
	const struct aa_profile *top = only;

	if (top)
		return top;
	vec_each(&s->policy->profiles, p) {
		if ((*p)->reach != AA_REACH_LIVE)
			continue;
		if (top)
			return NULL;
		top = *p;
	}
	return top;
}

static void rename_one(struct profiles *c, const struct diff_profiles_side *a,
		       const struct diff_profiles_side *b)
{
	const struct aa_profile *x = only_top(&c->a, a->only);
	const struct aa_profile *y = only_top(&c->b, b->only);

	if (!x || !y || str_eq(x->label, y->label))
		return;
	c->from = x->label;
	c->to = y->label;
	vec_push(
		c->arena, &c->out->notes,
		arena_printf(c->arena, "profile '%s' of A is compared with '%s' of B",
			     str_safe(c->arena, arena_printf(c->arena, PRISTR, STRARG(x->label))),
			     str_safe(c->arena, arena_printf(c->arena, PRISTR, STRARG(y->label)))));
}

static const char *shown_label(struct profiles *c, struct str label)
{
	BUF_AUTO text = { 0 };

	buf_safe(&text, label);
	return buf_keep(c->arena, &text);
}

/* What only one side has: who changes to it is refused there, or runs under something else. */
static void tell_alone(struct profiles *c, const struct aa_profile *p, bool in_a)
{
	const struct aa_profile *parent = p->parent;
	BUF_AUTO by = { 0 };

	while (parent && partner_of(c, parent, in_a))
		parent = parent->parent;
	if (parent)
		return; /* told with the one that it is in */
	put_head(&by, c->session->sources, p);
	const char *here = buf_keep(c->arena, &by), *there = "no profile of this label";
	c->name = shown_label(c, p->label);
	if (!p->parent && p->attached.p)
		compare_attachments(c, in_a ? p : NULL, in_a ? NULL : p);
	profile_add(c,
		    (struct diff_resource){ .change = CHANGE_INCOMPARABLE,
					    .kind = RESOURCE_PROFILE,
					    .about = p->hat ? "the hat, for who changes to it" :
							      "the profile, for who changes to it",
					    .a = in_a ? "there" : "not there",
					    .b = in_a ? "not there" : "there",
					    .by_a = in_a ? here : there,
					    .by_b = in_a ? there : here });
}

static bool compare_all(struct profiles *c)
{
	bool one = c->a.list.n == 1 && c->b.list.n == 1;

	vec_each(&c->a.list, p) {
		const struct aa_profile *other = partner_of(c, *p, true);
		c->name = one ? "" : shown_label(c, (*p)->label);
		if (!other)
			tell_alone(c, *p, true);
		else if (!compare_pair(c, *p, other))
			return false;
	}
	vec_each(&c->b.list, p)
		if (!partner_of(c, *p, false))
			tell_alone(c, *p, false);
	return true;
}

static struct profiles *start_profiles(struct session *s, struct diff *d)
{
	struct profiles *c = ARENA_NEW(s->arena, struct profiles);

	c->session = s;
	c->arena = s->arena;
	c->out = d;
	c->name = "";
	c->pool = aa_means_pool_new(s->arena);
	c->objects = aa_objects_pool_new(s->arena);
	return c;
}

static void note_untold(struct profiles *c)
{
	if (c->untold)
		vec_push(c->arena, &c->out->notes,
			 arena_printf(c->arena, "%zu more differences are not shown", c->untold));
}

bool diff_profiles(struct session *s, struct diff *d, const struct diff_profiles_side *a,
		   const struct diff_profiles_side *b)
{
	struct profiles *c = start_profiles(s, d);

	if (!gather_side(c, &c->a, a) || !gather_side(c, &c->b, b))
		return false;
	rename_one(c, a, b);
	if (!compare_all(c))
		return false;
	diff_sort_resources(s->arena, d);
	note_untold(c);
	return true;
}

/* ---- two policies ---- */

/* A side that nobody asks about such kinds answers as who is not confined. */
static void open_kind(struct profiles *c, enum resource_kind kind)
{
	struct profile_side *sides[] = { &c->a, &c->b };

	for (unsigned i = 0; i < 2; i++) {
		struct profile_side *s = sides[i];
		s->is_open = s->open >> kind & 1;
		s->is_matched = false;
		s->q = s->is_open ? s->opened : s->made;
	}
	c->told.n = 0;
	c->undecided = false;
}

static struct aa_asking opened_of(struct arena *a, const struct aa_asking *made)
{
	struct aa_profile *p = arena_dup(a, made->profile, sizeof(*p));
	struct aa_header *h = arena_dup(a, p->header, sizeof(*h));
	struct aa_asking out = *made;

	h->flags = AA_FLAG_UNCONFINED;
	p->header = h;
	out.profile = p;
	out.rules.n = 0;
	return out;
}

/* Kinds that have functions of their own. */
static void compare_own(struct profiles *c, unsigned kinds)
{
	if (kinds & 1u << RESOURCE_PROFILE) {
		open_kind(c, RESOURCE_PROFILE);
		compare_profile_heads(c);
	}
	if (kinds & 1u << RESOURCE_PROGRAM) {
		open_kind(c, RESOURCE_PROGRAM);
		compare_attachments(c, c->a.q.profile, c->b.q.profile);
	}
	if (kinds & 1u << RESOURCE_FILES) {
		open_kind(c, RESOURCE_FILES);
		compare_file_rules(c);
	}
	if (kinds & 1u << RESOURCE_CAPABILITIES) {
		open_kind(c, RESOURCE_CAPABILITIES);
		compare_profile_capabilities(c);
	}
	if (kinds & 1u << RESOURCE_SOCKETS) {
		open_kind(c, RESOURCE_SOCKETS);
		compare_policy_sockets(c, kinds & 1u << RESOURCE_UNIX);
	}
	if (kinds & 1u << RESOURCE_SIGNALS) {
		open_kind(c, RESOURCE_SIGNALS);
		compare_policy_objects(c, 1u << RESOURCE_SIGNALS);
	}
}

static const char *first_error(struct profiles *c, const struct diags *own)
{
	BUF_AUTO text = { 0 };

	vec_each(&own->list, d) {
		if ((*d)->severity != SEVERITY_ERROR || (*d)->id == DIAG_PL371)
			continue;
		put_place(&text, c->session->sources, (*d)->span);
		buf_printf(&text, ": %s", (*d)->text);
		break;
	}
	return buf_keep(c->arena, &text);
}

const char *diff_policies(struct session *s, struct diff *d, const struct diff_profiles_side *a,
			  const struct diff_profiles_side *b, unsigned kinds)
{
	unsigned others = kinds & ~((1u << RESOURCE_MOUNT) - 1), said = d->resource_kinds;
	struct profiles *c = start_profiles(s, d);
	struct diags *own = diags_new(c->arena, s->sources);

	BUG_ON(!a->pale || !b->pale);
	if (!make_profile(c, &c->a, a, own) || !make_profile(c, &c->b, b, own))
		return first_error(c, own);
	c->a.opened = opened_of(c->arena, &c->a.made);
	c->b.opened = opened_of(c->arena, &c->b.made);
	c->from = a->pale->name;
	c->to = b->pale->name;
	compare_own(c, kinds);
	d->resource_kinds = said; /* by rules, as they are counted on */
	if (others) {
		open_kind(c, RESOURCE_NR);
		compare_profile_mediation(c);
		compare_policy_objects(c, others);
	}
	note_untold(c);
	return NULL;
}

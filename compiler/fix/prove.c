/* SPDX-License-Identifier: Apache-2.0 */
#include "compiler/fix/fix.h"

#include "compiler/tell/diff.h"
#include "compiler/tell/diff_profiles.h"

/* What of a comparison an announced change has, and nothing else may be there. */
static unsigned may_have(enum fix_change change)
{
	switch (change) {
	case FIX_TIGHTER: return 1u << CHANGE_TIGHTER;
	case FIX_LOOSER: return 1u << CHANGE_LOOSER;
	case FIX_ERRNO: return 1u << CHANGE_ERRNO;
	case FIX_OTHER: return (1u << CHANGE_NR) - 1;
	case FIX_SAME:
	case FIX_READ:
	case FIX_CHANGE_NR: break;
	}
	return 0;
}

static bool is_announced(const struct fix *fix, const char *call)
{
	vec_each(&fix->calls, c)
		if (str_is(*c, call))
			return true;
	return !fix->calls.n;
}

/* A call that changes and was not announced; NULL: none. */
static const char *other_call(const struct fix *fix, const struct diff *d)
{
	vec_each(&d->lines, l)
		vec_each(&l->calls, c)
			if (!is_announced(fix, *c))
				return *c;
	return NULL;
}

/* What differs first, in a few words. */
static const char *first_change(struct arena *a, const struct diff *d, unsigned but)
{
	vec_each(&d->lines, l)
		if (!(but >> l->change & 1))
			return arena_printf(a, "%s would be %s", diff_subject(a, l, d),
					    diff_words[l->change]);
	vec_each(&d->resources, r)
		if (!(but >> r->change & 1))
			return arena_printf(a, "%s would be %s", *r->access ? r->access : r->about,
					    diff_words[r->change]);
	return "something else would change";
}

static const char *judge(struct arena *a, const struct fix *fix, const struct diff *d)
{
	unsigned may = may_have(fix->change);
	const char *other;

	if (d->open)
		return "what it changes is not decided";
	for (unsigned c = 0; c < CHANGE_UNDECIDED; c++)
		if (d->has[c] && !(may >> c & 1))
			return first_change(a, d, may);
	if (fix->change != FIX_SAME && fix->change != FIX_OTHER && !d->differs)
		return "it would change nothing";
	other = other_call(fix, d);
	return other ? arena_printf(a, "%s would change as well", other) : NULL;
}

/* ---- calls ---- */

static const char *compare_decided(struct session *s, const struct fix_reading *how,
				   const struct fix *fix, const char *policy,
				   struct source *texts[2])
{
	struct dd *dd = dd_new(s->arena, DECIDE_BUDGET);
	struct decide_options opt = how->decide;
	struct diff_asked asked = { .layers = LAYER_SECCOMP | LAYER_APPARMOR,
				    .env = &how->decide.resolve.env,
				    .apparmor = { how->asked, how->asked } };
	struct decide sides[2];
	struct diff d;

	opt.policy = policy;
	opt.resolve.arches = 0;
	for (unsigned i = 0; i < 2; i++) {
		texts[i] = source_stand_in(s->sources, how->path, texts[i], texts[i]->text);
		if (decide_load(s, dd, how->path, &opt, &sides[i]))
			return s->diags->list.n ? s->diags->list.v[0]->text : "it is not decided";
		s->diags->list.n = 0;
	}
	diff_decided_files(s, dd, &sides[0], &sides[1], &asked, &d);
	return judge(s->arena, fix, &d);
}

/* Each policy of the file by its name. */
static const char *compare_calls(struct session *s, const struct fix_reading *how,
				 const struct fix *fix, struct source *texts[2])
{
	struct input_options opt = { .resolve = how->decide.resolve,
				     .runtime = how->decide.runtime };
	const char *why = NULL, *first = NULL;
	bool proved = false;
	struct input in;

	opt.resolve.keep_when = true;
	texts[0] = source_stand_in(s->sources, how->path, texts[0], texts[0]->text);
	if (input_open(s, how->path, &in) || in.format == INPUT_BPF)
		return "the file is not read";
	if (in.format == INPUT_JSON)
		return compare_decided(s, how, fix, NULL, texts);
	if (input_resolve(s, &opt, &in) || !in.policies->list.n)
		return "the file holds no policy that could be compared";
	vec_each(&in.policies->list, p) {
		struct fix one = *fix;
		why = compare_decided(s, how, &one, str_dup(s->arena, (*p)->name), texts);
		proved |= !why;
		if (!why)
			continue;
		one.change = FIX_SAME; /* a fix is of one of them */
		if (in.policies->list.n == 1 ||
		    compare_decided(s, how, &one, str_dup(s->arena, (*p)->name), texts))
			return why;
		first = first ? first : why;
	}
	return proved ? NULL : first;
}

/* ---- AppArmor ---- */

static const char *read_side(struct session *s, const struct fix_reading *how, struct source *src,
			     struct diff_profiles_side *out)
{
	struct diags *own = diags_new(s->arena, s->sources);
	const struct aa_file *file = aa_parse_source(s->arena, src, own);
	struct aa_policy *policy = NULL;

	if (own->errors ||
	    aa_check(s->arena, how->library, file, &how->asked, &policy, own) != AA_CHECK_TAKES ||
	    own->errors)
		return own->list.n ? own->list.v[0]->text : "the parser would not take it";
	*out = (struct diff_profiles_side){ .policy = policy, .asked = how->asked };
	return NULL;
}

static const char *compare_profiles(struct session *s, const struct fix_reading *how,
				    const struct fix *fix, struct source *texts[2])
{
	struct decide shown[2] = { { .name = "before", .shown = "before", .kind = "AppArmor file" },
				   { .name = "after", .shown = "after", .kind = "AppArmor file" } };
	struct diff d = { .a = &shown[0],
			  .b = &shown[1],
			  .layers = LAYER_APPARMOR,
			  .compare = ARENA_NEW(s->arena, struct compare) };
	struct diff_profiles_side sides[2];

	for (unsigned i = 0; i < 2; i++) {
		const char *why = read_side(s, how, texts[i], &sides[i]);
		if (why)
			return why;
	}
	if (!diff_profiles(s, &d, &sides[0], &sides[1]))
		return "rules are not read";
	diff_sum_up(&d);
	return judge(s->arena, fix, &d);
}

const char *fix_prove(struct session *s, const struct fix_reading *how, const struct fix *fix,
		      const struct source *src, struct str before, struct str after)
{
	struct source *texts[2] = { source_stand_in(s->sources, how->path, src, before),
				    source_stand_in(s->sources, how->path, src, after) };

	return how->apparmor ? compare_profiles(s, how, fix, texts) :
			       compare_calls(s, how, fix, texts);
}

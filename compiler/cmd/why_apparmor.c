/* SPDX-License-Identifier: Apache-2.0 */
#include "compiler/cmd/why_apparmor.h"

#include <string.h>

#include "compiler/base/bug.h"

enum { KINDS_MAX = 4096, OTHERS_MAX = 20 };

/* ---- reading ---- */

static struct denial_kind *find_kind(const struct denials *d, const struct denied *r, uint64_t hash)
{
	struct table_walk it = table_start(hash);

	for (size_t at; (at = table_next(&d->by_question, &it)) != TABLE_END;)
		if (denied_same(&d->kinds.v[at].denial.d, r))
			return &d->kinds.v[at];
	return NULL;
}

/* A line's own memory ends with it: what is new is read again, from a copy. */
static const char *add_kind(struct denials *d, struct str line, uint64_t hash)
{
	struct arena *a = d->s->arena;
	struct denial_kind kind = { .count = 1 };
	struct denied r;

	if (d->kinds.n == KINDS_MAX) {
		d->more++;
		return NULL;
	}
	denied_read(a, str_c(str_dup(a, line)), &r);
	const char *wrong = denial_of(a, &r, &kind.denial);
	if (wrong)
		return wrong;
	table_add(a, &d->by_question, hash, d->kinds.n);
	vec_push(a, &d->kinds, kind);
	return NULL;
}

const char *denials_add(struct denials *d, struct str line)
{
	struct arena *a = arena_scratch(d->s->arena);
	struct denied r;
	const char *wrong = denied_read(a, line, &r);

	d->read++;
	if (wrong) {
		wrong = arena_strdup(d->s->arena, wrong);
	} else if (r.status == DENIED_OTHER) {
		d->nothing++;
	} else {
		uint64_t hash = denied_hash(&r);
		struct denial_kind *kind = find_kind(d, &r, hash);
		if (kind)
			kind->count++;
		else
			wrong = add_kind(d, line, hash);
	}
	arena_free(a);
	return wrong;
}

/* ---- the file ---- */

static void add_profile(struct denials *d, const struct aa_profile *p)
{
	struct asked_profile *asked;

	if (p->reach != AA_REACH_LIVE)
		return;
	asked = ARENA_NEW(d->s->arena, struct asked_profile);
	asked->profile = p;
	vec_push(d->s->arena, &d->profiles, asked);
	vec_each(&p->children, child)
		add_profile(d, *child);
}

int denials_open(struct denials *d, const char *path)
{
	int status = apparmor_open(d->s, d->options, path, &d->file);

	if (status)
		return status;
	vec_each(&d->file.policy->profiles, p)
		add_profile(d, *p);
	d->shown = str_safe(d->s->arena, path);
	if (!d->options->at[OPT_PROFILE].given)
		return EXIT_OK;
	const struct aa_profile *named =
		apparmor_choose(d->s, d->options->at[OPT_PROFILE].text, &d->file);
	vec_each(&d->profiles, p)
		if ((*p)->profile == named)
			d->named = *p;
	return named ? EXIT_OK : EXIT_FOUND;
}

/* "root//n" is n: a namespace is seen from the first one, which has that name. */
static struct str own_namespace(struct str ns)
{
	static const char first[] = "root//";

	if (!str_starts(ns, first))
		return ns;
	return (struct str){ ns.p + sizeof(first) - 1, ns.n - sizeof(first) + 1 };
}

/* A profile that says no namespace may have been loaded into any. */
static bool is_profile(const struct aa_profile *p, struct str label, struct str ns)
{
	return str_eq(p->label, label) && (!p->ns.n || str_eq(p->ns, own_namespace(ns)));
}

static struct asked_profile *profile_of(const struct denials *d, struct str label, struct str ns)
{
	vec_each(&d->profiles, p)
		if (is_profile((*p)->profile, label, ns))
			return *p;
	return NULL;
}

/* Where `mark` stands in the label; its end: nowhere. */
static size_t find_mark(struct str label, const char *mark)
{
	size_t n = strlen(mark);

	for (size_t i = 0; i + n <= label.n; i++)
		if (!memcmp(label.p + i, mark, n))
			return i;
	return label.n;
}

/* The profile of a label that is one of "a//&b", as the bus writes it; of these the first. */
static struct asked_profile *part_of(const struct denials *d, struct str label, struct str ns)
{
	struct asked_profile *found = NULL;
	static const char mark[] = "//&";

	while (!found && label.n) {
		size_t end = find_mark(label, mark);
		found = profile_of(d, (struct str){ label.p, end }, ns);
		size_t skip = end < label.n ? end + sizeof(mark) - 1 : end;
		label = (struct str){ label.p + skip, label.n - skip };
	}
	return found;
}

/*
 * Who is asked. *stands_in: the record is of a profile that the kernel made for a program that a
 * complaining one executed without a rule (domain.c, aa_new_learning_profile).
 */
static struct asked_profile *choose(const struct denials *d, const struct denied *r,
				    bool *stands_in)
{
	struct str label = r->profile;
	struct asked_profile *p = d->named ? d->named : part_of(d, label, r->ns);

	*stands_in = false;
	if (p)
		return p;
	label.n = find_mark(label, "//null-");
	*stands_in = label.n < r->profile.n;
	return *stands_in ? part_of(d, label, r->ns) : NULL;
}

/* ---- telling ---- */

static bool open_profile(struct denials *d, struct asked_profile *p)
{
	if (p->opened)
		return p->answers;
	p->opened = true;
	p->answers = !apparmor_open_profile(d->s, &d->file, p->profile, &p->q);
	return p->answers;
}

static void add_other(struct denials *d, const struct denial_kind *k)
{
	vec_each(&d->others, o)
		if (str_eq(o->label, k->denial.d.profile)) {
			o->count += k->count;
			return;
		}
	vec_push(d->s->arena, &d->others,
		 ((struct other_profile){ k->denial.d.profile, k->count }));
}

/*
 * The policy's AppArmor half, as the profile `label`; NULL: the record is of another one, or the
 * policy has none, or what is wrong with it was told.
 */
static const struct aa_asking *policy_half(struct denials *d, struct str label)
{
	if (!d->policy || !str_is(label, apparmor_profile_name(d->s->arena, d->policy)))
		return NULL;
	if (!d->half_opened)
		apparmor_asking_policy(d->s, d->options, d->policy, &d->half);
	d->half_opened = true;
	return d->half.q;
}

static bool is_other(const struct denials *d, struct str label, const struct asked_profile *p)
{
	if (d->policy)
		return d->policy->layers & LAYER_APPARMOR &&
		       !str_is(label, apparmor_profile_name(d->s->arena, d->policy));
	return d->shown && !p;
}

static void put_kind(struct denials *d, const struct denial_kind *k, struct buf *out)
{
	const struct denial *n = &k->denial;
	struct denial_asked by = { .s = d->s, .shown = d->shown, .policy = d->policy };
	struct asked_profile *p = NULL;
	bool stands_in = false;

	if (d->shown)
		p = choose(d, &n->d, &stands_in);
	if (is_other(d, n->d.profile, p)) {
		add_other(d, k);
		return;
	}
	if (p && !open_profile(d, p))
		return;
	denial_put_head(out, n, k->count);
	by.q = p ? &p->q : policy_half(d, n->d.profile);
	if (!by.q) {
		denial_put_alone(out, n);
		return;
	}
	if (d->policy)
		by.shown = d->policy_file;
	if (stands_in)
		buf_puts(out,
			 "  the kernel made this profile, as the one before '//null-' complains "
			 "and has no rule for that execution; answered as if that rule were "
			 "'ix'\n");
	denial_put_answer(out, &by, n);
}

static void put_others(const struct denials *d, struct buf *out)
{
	uint64_t all = 0;

	vec_each(&d->others, o)
		all += o->count;
	if (!all)
		return;
	buf_printf(out, "not answered: %llu record%s of profiles that '%s' does not hold:",
		   (unsigned long long)all, all == 1 ? "" : "s",
		   d->policy ? d->policy_file : d->shown);
	for (size_t i = 0; i < d->others.n && i < OTHERS_MAX; i++) {
		buf_puts(out, i ? ", '" : " '");
		buf_safe(out, d->others.v[i].label);
		buf_printf(out, "' (%llu)", (unsigned long long)d->others.v[i].count);
	}
	if (d->others.n > OTHERS_MAX)
		buf_printf(out, " and %zu more", d->others.n - OTHERS_MAX);
	buf_puts(out, d->policy ? "\n" : "; --profile NAME asks one of the file nevertheless\n");
}

void denials_put(struct denials *d, struct buf *out)
{
	vec_each(&d->kinds, k)
		put_kind(d, k, out);
	put_others(d, out);
	if (d->more)
		buf_printf(
			out,
			"and %llu records of AppArmor more, of other accesses: %d kinds are told "
			"apart; 'grep' for a profile= or a comm= leaves fewer\n",
			(unsigned long long)d->more, KINDS_MAX);
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "compiler/apparmor/answer_parts.h"

#include <string.h>

#include "compiler/apparmor/merged.h"
#include "compiler/base/bug.h"
#include "compiler/rules/known.h"

/* ---- the profile ---- */

/* Changes of the profile that the parser merges away are taken out. */
static void merge_changes(struct aa_asking *q, struct aa_merging *m)
{
	size_t n = 0;

	vec_each(&q->rules, r)
		if ((*r)->class == AA_CLASS_CHANGE_PROFILE)
			vec_push(q->arena, &m->changes, *r);
	vec_each(&q->rules, r)
		if ((*r)->class != AA_CLASS_CHANGE_PROFILE || !aa_is_merged_away(m, *r, NULL))
			q->rules.v[n++] = *r;
	q->rules.n = n;
}

bool aa_asking_open(struct arena *a, struct aa_means_pool *pool, const struct aa_policy *p,
		    const struct aa_profile *profile, struct diags *ds, struct aa_asking *out)
{
	struct glob_variables vars = aa_profile_variables(a, p, profile);
	struct aa_reader rd = { .arena = a,
				.diags = ds,
				.target = p->target,
				.variables = &vars,
				.known = pool ? aa_means_pool_known(pool) : NULL };
	size_t errors = ds->errors;

	*out = (struct aa_asking){
		.arena = a, .profile = profile, .target = p->target, .policy = p
	};
	vec_each(&profile->uses, use) {
		const struct aa_rule *r =
			use->reach == AA_REACH_LIVE ? aa_known_rule_read(&rd, use) : NULL;
		if (r)
			vec_push(a, &out->rules, r);
	}
	return ds->errors == errors && aa_asking_build(a, pool, ds, out);
}

/* What an owner may is what everybody gets there, and what others may is asked of nobody. */
static void forget_owners(struct aa_files *files)
{
	size_t n = 0;

	vec_each(&files->list, f) {
		if (f->owner == AA_OWNER_OTHER)
			continue;
		f->owner = AA_OWNER_ANY;
		files->list.v[n++] = *f;
	}
	files->list.n = n;
}

bool aa_asking_build(struct arena *a, struct aa_means_pool *pool, struct diags *ds,
		     struct aa_asking *out)
{
	struct glob_variables vars = { .list = { 0 } };
	struct aa_merging m = { .arena = a, .release = out->target.release, .variables = &vars };
	struct diag *d;

	if (out->policy)
		vars = aa_profile_variables(a, out->policy, out->profile);
	merge_changes(out, &m);
	out->files.release = out->target.release;
	vec_each(&out->rules, r)
		aa_files_add(a, *r, out->profile, &out->files);
	aa_files_add_own(a, out->profile, (struct aa_ruled){ out->rules.v, out->rules.n },
			 &out->files);
	if (out->policy && !aa_files_alias(a, out->policy, out->profile, ds, &out->files))
		return false;
	aa_files_merge(&m, &out->files);
	if (out->target.ownerless)
		forget_owners(&out->files);
	if (!pool)
		pool = aa_means_pool_new(a);
	out->means =
		aa_means_build(pool, out->target.release, out->files.list.v, out->files.list.n);
	if (out->means.decided)
		return true;
	d = diag_add(ds, DIAG_PL371, out->profile->stmt->head,
		     "what the rules of this profile are together is not decided: it takes more "
		     "than %d states",
		     MACHINE_STATES_MAX);
	diag_help(ds, d, "fewer patterns with '**' in their midst, or a child profile");
	return false;
}

/* ---- the rules that speak ---- */

static bool inherits(const struct aa_opened *f)
{
	return f->exec == AA_EXEC_IX || f->exec == AA_EXEC_PIX || f->exec == AA_EXEC_CIX;
}

/* What a rule says of one half, with all that its letters imply. */
unsigned aa_opened_bits(const struct aa_opened *f, enum file_who who)
{
	unsigned bits = f->perms;

	if (f->owner == (who == FILE_OWNER ? AA_OWNER_OTHER : AA_OWNER_ONLY))
		return 0;
	if (bits & PERM_W && !f->no_append)
		bits |= PERM_A;
	if (bits & PERM_X && f->mode == AA_MODE_ALLOW && inherits(f))
		bits |= PERM_M;
	return bits;
}

/* A rule of l that is compiled to the path alone, and whose '[^a]' takes the NUL before the target. */
static bool matches_pair(const struct aa_asking *q, const struct aa_opened *f,
			 const struct aa_access *access)
{
	return access->kind == AA_ACCESS_LINK && f->path->has & GLOB_HAS_NEGATED &&
	       f->mode != AA_MODE_DENY &&
	       glob_match(q->arena, f->path, aa_pair(q->arena, access->path, access->target));
}

static bool matches(const struct aa_asking *q, const struct aa_opened *f,
		    const struct aa_access *access)
{
	struct str prefix = f->path->prefix;

	if (matches_pair(q, f, access))
		return true;
	if (prefix.n > access->path.n || memcmp(prefix.p, access->path.p, prefix.n))
		return false;
	if (!glob_match(q->arena, f->path, access->path))
		return false;
	return access->kind != AA_ACCESS_LINK || !f->link ||
	       glob_match(q->arena, f->link, access->target);
}

static bool is_higher(const struct aa_asking *q, const struct aa_opened *x,
		      const struct aa_opened *y, unsigned perm)
{
	if (x->priority != y->priority)
		return x->priority > y->priority;
	return perm == PERM_X && x->mode == AA_MODE_ALLOW &&
	       aa_is_exact(q->target.release, x->path) && !aa_is_exact(q->target.release, y->path);
}

/* Rules of a mode that no other one of that mode goes before; the first of them decides. */
static void mark(const struct aa_asking *q, struct aa_verdict *v, unsigned perm, enum aa_mode mode)
{
	const struct aa_opened *top = NULL;
	bool first = true;

	vec_each(&v->rules, r)
		if (r->bits & perm && r->file->mode == mode &&
		    (!top || is_higher(q, r->file, top, perm)))
			top = r->file;
	vec_each(&v->rules, r) {
		if (!(r->bits & perm) || r->file->mode != mode || !top ||
		    is_higher(q, top, r->file, perm))
			continue;
		if (first)
			r->role = AA_ROLE_DECIDES;
		else if (r->role == AA_ROLE_OUTRANKED)
			r->role = AA_ROLE_AGREES;
		first = false;
	}
}

void aa_match(const struct aa_asking *q, const struct aa_access *access, struct aa_matched *out)
{
	*out = (struct aa_matched){ .list = { 0 } };
	vec_each(&q->files.list, f)
		if ((aa_opened_bits(f, FILE_OWNER) | aa_opened_bits(f, FILE_OTHER)) &
			    access->perms &&
		    matches(q, f, access))
			vec_push(q->arena, &out->list, f);
}

static void find_rules(const struct aa_asking *q, const struct aa_access *access, enum file_who who,
		       const struct aa_matched *matched, const struct halves *h,
		       struct aa_verdict *v)
{
	vec_each(&matched->list, f) {
		unsigned bits = aa_opened_bits(*f, who);
		if (bits & access->perms)
			vec_push(q->arena, &v->rules,
				 ((struct aa_spoken){ (*f)->rule, *f, bits, AA_ROLE_OUTRANKED }));
	}
	for (unsigned perm = 1; perm <= access->perms; perm <<= 1) {
		if (!(access->perms & perm))
			continue;
		if (h->deny & perm || !((h->allow | h->prompt) & perm))
			mark(q, v, perm, AA_MODE_DENY);
		else
			mark(q, v, perm, h->allow & perm ? AA_MODE_ALLOW : AA_MODE_PROMPT);
	}
}

/* ---- links ---- */

static bool same_transition(const struct aa_transition *link, const struct aa_transition *to)
{
	return link->exec == to->exec && str_eq(link->target, to->target) &&
	       (!link->unsafe || to->unsafe);
}

static struct halves half_of_link(const struct aa_link_answers *l, enum file_who who)
{
	struct halves h = aa_half_of(l->pair, who);

	h.allow &= l->path->allow[who];
	h.varies |= l->path->varies[who] & PERM_L;
	return h;
}

/* A link that is a subset gives no more than what it leads to (profile_path_link). */
struct aa_verdict aa_link_verdict(const struct aa_asking *q, const struct aa_link_answers *l,
				  enum file_who who)
{
	const struct aa_answer *path = l->path, *to = l->to;
	struct aa_verdict v = { .exec = { .target = { "", 0 } } };
	struct halves h = half_of_link(l, who);

	if (h.allow & PERM_L && l->pair->allow[who] & AA_PERM_SUBSET) {
		unsigned more = path->allow[who] & ~to->allow[who] & ~(unsigned)PERM_L;
		if (path->allow[who] & to->allow[who] & PERM_X &&
		    !same_transition(&path->exec[who], &to->exec[who]))
			more |= PERM_X;
		if ((path->varies[who] | to->varies[who]) & ~(unsigned)PERM_L)
			h.varies |= PERM_L;
		else if (more)
			h.allow &= ~(unsigned)PERM_L;
		if (more)
			v.why = "the new name would give more than what it leads to";
	}
	aa_conclude(q, PERM_L, &h, &v);
	return v;
}

/* ---- what is answered ---- */

bool aa_can_ask(const struct aa_asking *q, const struct aa_access *access, struct diags *ds)
{
	if (access->kind == AA_ACCESS_RULE)
		return aa_can_ask_rules(q, access, ds);
	return true;
}

/* ---- asking ---- */

const struct aa_answer *aa_ask_path(const struct aa_asking *q, struct str path)
{
	return aa_means_path(&q->means, path);
}

struct aa_verdict aa_ask(const struct aa_asking *q, const struct aa_access *access,
			 enum file_who who)
{
	struct aa_matched matched;

	if (access->kind == AA_ACCESS_RULE)
		return aa_ask_rules(q, access);
	aa_match(q, access, &matched);
	return aa_ask_matched(q, access, who, &matched);
}

struct aa_verdict aa_ask_matched(const struct aa_asking *q, const struct aa_access *access,
				 enum file_who who, const struct aa_matched *matched)
{
	struct aa_link_answers l = { .path = aa_means_path(&q->means, access->path) };
	struct aa_verdict v;
	struct halves h;

	if (access->kind == AA_ACCESS_LINK) {
		l.pair = aa_means_link(q->arena, &q->means, access->path, access->target);
		l.to = aa_means_path(&q->means, access->target);
		h = half_of_link(&l, who);
		v = aa_link_verdict(q, &l, who);
	} else {
		h = aa_half_of(l.path, who);
		v = aa_path_verdict(q, l.path, who, access->perms);
	}
	find_rules(q, access, who, matched, &h, &v);
	return v;
}

bool aa_verdict_same(const struct aa_verdict *x, const struct aa_verdict *y)
{
	bool same = x->outcome == y->outcome && x->lacking == y->lacking && x->why == y->why &&
		    x->environment == y->environment && x->exec.exec == y->exec.exec &&
		    x->exec.unsafe == y->exec.unsafe && str_eq(x->exec.target, y->exec.target) &&
		    x->rules.n == y->rules.n;

	for (size_t i = 0; same && i < x->rules.n; i++)
		same = x->rules.v[i].rule == y->rules.v[i].rule &&
		       (x->rules.v[i].rule || x->rules.v[i].file == y->rules.v[i].file) &&
		       x->rules.v[i].role == y->rules.v[i].role;
	return same;
}

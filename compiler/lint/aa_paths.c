/* SPDX-License-Identifier: Apache-2.0 */
#include "compiler/lint/aa_paths.h"

#include <string.h>

#include "compiler/automata/machine.h"
#include "compiler/base/bug.h"

#define R PERM_R
#define W PERM_W
#define X PERM_X
#define PATH(id, severity, glob, perm, does)                                                       \
	{ DIAG_##id, SEVERITY_##severity, glob, perm, does, NULL, NULL },
#define SECRET(glob, name, what) { DIAG_AP319, SEVERITY_WARNING, glob, PERM_R, what, name, NULL },
#define FOLDER(id, severity, glob, sample, does)                                                   \
	{ DIAG_##id, SEVERITY_##severity, glob, PERM_W, does, NULL, sample },
static const struct aa_path_row rows[] = {
#include "compiler/lint/aa_paths.def"
};
#undef R
#undef W
#undef X

static const char *const anywhere[] = {
#define ANYWHERE(path) path,
#include "compiler/lint/aa_paths.def"
};

/* ---- the machine of all rows: a class is the set of rows that a path matches ---- */

struct row_set {
	const uint32_t *rows;
	size_t n;
};

struct aa_paths {
	struct arena *arena;
	const struct glob *globs[ARRAY_SIZE(rows)];
	VEC(struct row_set) sets; /* by class; the first is empty */
	struct machine machine;
	bool built;
};

static unsigned class_of(void *who, const uint32_t *numbers, size_t n)
{
	struct aa_paths *p = who;

	vec_push(p->arena, &p->sets,
		 ((struct row_set){ arena_dup(p->arena, numbers, n * sizeof(*numbers)), n }));
	return (unsigned)p->sets.n - 1;
}

struct aa_paths *aa_paths_new(struct arena *a)
{
	struct aa_paths *p = ARENA_NEW(a, struct aa_paths);

	p->arena = a;
	return p;
}

static void build(struct aa_paths *p)
{
	struct machine_pool *pool = machine_pool_new(p->arena, class_of, p);
	machine_texts texts[ARRAY_SIZE(rows)];
	size_t steps = MACHINE_STEPS_MAX;

	p->sets.n = 0; /* another file may have been left in the midst of it */
	vec_push(p->arena, &p->sets, ((struct row_set){ NULL, 0 }));
	for (uint32_t i = 0; i < ARRAY_SIZE(rows); i++) {
		p->globs[i] = glob_parse(p->arena, str_c(rows[i].glob), GLOB_PATH, NULL, NULL);
		BUG_ON(!p->globs[i]);
		texts[i] = machine_glob(pool, p->globs[i], machine_end(pool, i), &steps);
		BUG_ON(texts[i] == MACHINE_NONE);
	}
	p->machine = machine_build(pool, machine_union(pool, texts, ARRAY_SIZE(rows)));
	BUG_ON(!p->machine.decided);
	p->built = true;
}

/* ---- a profile ---- */

struct search {
	struct lint *l;
	struct aa_paths *paths;
	struct aa_path_hits *out;
	VEC(struct aa_path_hit) by_row[ARRAY_SIZE(rows)];
	bool met[ARRAY_SIZE(rows)]; /* something of it is allowed */
};

/* Of what a row is about, the bit that is allowed; 0: none. */
static unsigned allowed(const struct aa_answer *a, const struct aa_path_row *row, enum file_who who)
{
	unsigned granted = a->allow[who] & ~a->varies[who];

	if (row->perm == PERM_W && !(granted & PERM_W))
		return granted & PERM_A;
	return granted & row->perm;
}

static bool is_known(const struct search *s, size_t row, const struct aa_opened *file)
{
	vec_each(&s->by_row[row], hit)
		if (hit->file->rule->use->stmt == file->rule->use->stmt)
			return true;
	return false;
}

/* In a folder where any name does it: is the pattern meant for it, or for more than a suffix? */
static bool is_meant(const struct search *s, size_t row, const struct aa_opened *file)
{
	struct str folder = s->paths->globs[row]->prefix, begins = file->path->prefix;

	if (!rows[row].sample || glob_match(s->l->arena, file->path, str_c(rows[row].sample)))
		return true;
	return begins.n >= folder.n && !memcmp(begins.p, folder.p, folder.n);
}

static void add_hit(struct search *s, size_t row, struct str path, const struct aa_answer *a)
{
	unsigned other = allowed(a, &rows[row], FILE_OTHER),
		 own = allowed(a, &rows[row], FILE_OWNER), perm = other ? other : own;
	enum file_who who = other ? FILE_OTHER : FILE_OWNER;
	struct aa_verdict v;
	const struct aa_spoken *by;

	if (!perm)
		return;
	s->met[row] = true;
	v = aa_asks_path(s->l, path, perm, who);
	by = aa_decider(&v);
	if (!by || !aa_allows(&v) || is_known(s, row, by->file) || !is_meant(s, row, by->file))
		return;
	vec_push(s->l->arena, &s->by_row[row],
		 ((struct aa_path_hit){ .row = &rows[row],
					.file = by->file,
					.access = aa_path_access(s->l, path, perm,
								 own == other ? FILE_WHO_NR : who),
					.exec = v.exec.exec }));
}

static void find_by_machine(struct search *s)
{
	const struct aa_asking *q = s->l->aa->q;
	struct machine_walk walk =
		machine_meet(s->l->arena, &q->means.machine, &s->paths->machine, MACHINE_PATHS);

	aa_decided(s->l, walk.decided);
	vec_each(&walk.found, f) {
		const struct row_set *set = &s->paths->sets.v[f->b];
		for (size_t i = 0; i < set->n; i++)
			add_hit(s, set->rows[i], f->path, aa_means_class(q->means.pool, f->a));
	}
}

static bool may_meet(struct str x, struct str y)
{
	size_t n = x.n < y.n ? x.n : y.n;

	return !memcmp(x.p, y.p, n);
}

enum { MET_FEW = 8 }; /* where more rows are, one pattern reaches far, and that is the finding */

/* A path that the row and the rule both match; NULL: none is found. */
static const char *common_path(struct search *s, const struct glob *row, const struct glob *rule,
			       size_t *budget)
{
	struct arena *a = s->l->arena;
	const char *path = NULL;

	if (!may_meet(rule->prefix, row->prefix))
		return NULL;
	if (!rule->has && glob_match(a, rule, rule->prefix))
		return glob_match(a, row, rule->prefix) ? str_dup(a, rule->prefix) : NULL;
	if (rule->prefix.n < 2 || glob_overlap_paths(a, rule, row, budget, &path) != GLOB_YES)
		return NULL;
	return aa_path_fault(str_c(path)) ? NULL : path;
}

/* An answer has one witness: other rules that give the same of a row are looked for by themselves. */
static void find_others(struct search *s, size_t row, bool patterns)
{
	const struct aa_asking *q = s->l->aa->q;
	unsigned perms = rows[row].perm == PERM_W ? PERM_W | PERM_A : rows[row].perm;
	const struct glob *g = s->paths->globs[row];
	size_t budget = GLOB_BUDGET;

	vec_each(&q->files.list, f) {
		bool inside = f->path->prefix.n >= g->prefix.n;
		const char *path;
		if (!f->rule || !f->rule->use || f->mode != AA_MODE_ALLOW || !(f->perms & perms) ||
		    (f->path->has && !inside && !patterns))
			continue;
		path = common_path(s, g, f->path, &budget);
		if (path && !is_known(s, row, f))
			add_hit(s, row, str_c(path), aa_means_path(&q->means, str_c(path)));
	}
}

/* ---- one rule for every file ---- */

static bool matches_anywhere(struct lint *l, const struct aa_opened *f)
{
	if (f->mode != AA_MODE_ALLOW || !(f->perms & (PERM_W | PERM_A)) || f->path->prefix.n > 1 ||
	    !f->rule || !f->rule->use)
		return false;
	for (size_t i = 0; i < ARRAY_SIZE(anywhere); i++)
		if (!glob_match(l->arena, f->path, str_c(anywhere[i])))
			return false;
	return true;
}

/* Deny rules may take much of it away: it is told where it still decides one of them. */
static void find_wide(struct search *s, const struct aa_opened *f)
{
	unsigned perm = f->perms & PERM_W ? PERM_W : PERM_A;

	for (size_t i = 0; i < ARRAY_SIZE(anywhere) && !s->out->wide; i++) {
		struct str path = str_c(anywhere[i]);
		bool by[FILE_WHO_NR];
		for (unsigned who = 0; who < FILE_WHO_NR; who++) {
			struct aa_verdict v = aa_asks_path(s->l, path, perm, who);
			const struct aa_spoken *first = aa_decider(&v);
			by[who] = first && aa_allows(&v) &&
				  first->rule->use->stmt == f->rule->use->stmt;
		}
		if (!by[FILE_OWNER] && !by[FILE_OTHER])
			continue;
		s->out->wide = f;
		s->out->wide_access =
			aa_path_access(s->l, path, perm,
				       by[FILE_OWNER] && by[FILE_OTHER] ? FILE_WHO_NR :
				       by[FILE_OWNER]                   ? FILE_OWNER :
									  FILE_OTHER);
	}
}

static struct aa_path_hits *search_profile(struct lint *l)
{
	struct search s = { .l = l, .paths = l->aa->paths };
	size_t met = 0;

	s.out = ARENA_NEW(l->arena, struct aa_path_hits);
	if (!s.paths->built)
		build(s.paths);
	vec_each(&l->aa->q->files.list, f)
		if (!s.out->wide && matches_anywhere(l, f))
			find_wide(&s, f);
	find_by_machine(&s);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		met += s.met[i];
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		if (s.met[i] && !s.out->wide)
			find_others(&s, i, met <= MET_FEW);
		vec_each(&s.by_row[i], hit)
			vec_push(l->arena, &s.out->list, *hit);
	}
	return s.out;
}

const struct aa_path_hits *aa_paths_hits(struct lint *l)
{
	if (!l->aa->hits)
		l->aa->hits = search_profile(l);
	return l->aa->hits;
}

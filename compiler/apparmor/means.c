/* SPDX-License-Identifier: Apache-2.0 */
/* File rules as a machine: rules that say the same are one, and a class is an answer. */
#include <string.h>

#include "compiler/apparmor/means_sum.h"
#include "compiler/base/table.h"
#include "compiler/rules/known.h"

struct aa_means_pool {
	struct arena *arena;
	struct machine_pool *machines;
	struct aa_known *known;
	VEC(struct aa_say) says; /* rule numbers of the machines */
	VEC(struct aa_transition) execs;
	VEC(struct aa_answer) answers; /* by class; the first is of no rule */
	struct table by_say, by_answer;
	VEC(const struct aa_say *) summed; /* scratch */
};

static unsigned class_of(void *who, const uint32_t *rules, size_t n);

struct aa_means_pool *aa_means_pool_new(struct arena *a)
{
	struct aa_means_pool *p = ARENA_NEW(a, struct aa_means_pool);

	p->arena = a;
	p->machines = machine_pool_new(a, class_of, p);
	p->known = aa_known_new(a, true);
	vec_push(a, &p->answers, ((struct aa_answer){ .conflict = false }));
	return p;
}

struct aa_known *aa_means_pool_known(struct aa_means_pool *p)
{
	return p->known;
}

/* ---- answers ---- */

static bool same_exec(const struct aa_transition *x, const struct aa_transition *y)
{
	return x->exec == y->exec && x->unsafe == y->unsafe && str_eq(x->target, y->target);
}

static bool same_answer(const struct aa_answer *x, const struct aa_answer *y)
{
	bool same = x->conflict == y->conflict && x->conflict_varies == y->conflict_varies;

	for (unsigned who = 0; who < FILE_WHO_NR; who++)
		same &= x->allow[who] == y->allow[who] && x->deny[who] == y->deny[who] &&
			x->audit[who] == y->audit[who] && x->quiet[who] == y->quiet[who] &&
			x->prompt[who] == y->prompt[who] && x->varies[who] == y->varies[who] &&
			x->audit_varies[who] == y->audit_varies[who] &&
			same_exec(&x->exec[who], &y->exec[who]);
	return same;
}

static uint64_t hash_answer(const struct aa_answer *x)
{
	uint64_t h = HASH_START;

	for (unsigned who = 0; who < FILE_WHO_NR; who++) {
		unsigned bits[] = { x->allow[who], x->deny[who], x->audit[who], x->quiet[who],
				    x->exec[who].exec };
		h = hash_bytes(h, bits, sizeof(bits));
	}
	return h;
}

/*
 * Rules add up to an answer, and equal ones are one class; but rules that conflict are one for
 * themselves, so that each such set is found.
 */
static unsigned class_of(void *who, const uint32_t *rules, size_t n)
{
	struct aa_means_pool *p = who;
	struct aa_sum sum = { .answer = { .conflict = false } };

	p->summed.n = 0;
	for (size_t i = 0; i < n; i++)
		vec_push_own(p->arena, &p->summed, &p->says.v[rules[i]]);
	if (n)
		p->summed.v[0]->sum(p->summed.v, n, &sum);
	for (unsigned half = 0; half < FILE_WHO_NR; half++)
		if (sum.exec[half])
			sum.answer.exec[half] = p->execs.v[sum.exec[half] - 1];
	bool alone = sum.answer.conflict || sum.answer.conflict_varies;
	uint64_t hash = hash_answer(&sum.answer);
	struct table_walk it = table_start(hash);
	for (size_t at; !alone && (at = table_next(&p->by_answer, &it)) != TABLE_END;)
		if (same_answer(&p->answers.v[at], &sum.answer))
			return (unsigned)at;
	if (same_answer(&p->answers.v[0], &sum.answer))
		return 0;
	table_add(p->arena, &p->by_answer, hash, p->answers.n);
	vec_push(p->arena, &p->answers, sum.answer);
	return (unsigned)p->answers.n - 1;
}

/* ---- what a rule says ---- */

/*
 * With a target only these matter: where it goes, and what else is tried where that is not loaded.
 */
static enum aa_exec exec_of(const struct aa_opened *f)
{
	if (!f->target.n)
		return f->exec;
	switch (f->exec) {
	case AA_EXEC_IX:
	case AA_EXEC_CIX: return AA_EXEC_PIX;
	case AA_EXEC_CUX: return AA_EXEC_PUX;
	case AA_EXEC_UX:
	case AA_EXEC_CX: return AA_EXEC_PX;
	default: return f->exec;
	}
}

static int exec_number(struct aa_means_pool *p, const struct aa_opened *f)
{
	struct aa_transition t = { exec_of(f), f->unsafe, f->target };

	if (!(f->perms & PERM_X) || f->exec == AA_EXEC_NONE ||
	    (f->exec == AA_EXEC_BARE && f->mode == AA_MODE_DENY))
		return 0;
	for (size_t i = 0; i < p->execs.n; i++)
		if (same_exec(&p->execs.v[i], &t))
			return (int)i + 1;
	t.target.p = str_dup(p->arena, t.target);
	vec_push(p->arena, &p->execs, t);
	return (int)p->execs.n;
}

static bool inherits(const struct aa_opened *f)
{
	return f->exec == AA_EXEC_IX || f->exec == AA_EXEC_PIX || f->exec == AA_EXEC_CIX;
}

bool aa_is_exact(enum aa_release release, const struct glob *g)
{
	unsigned globs = GLOB_HAS_STAR | GLOB_HAS_NEGATED;

	return !(g->has & (release < AA_RELEASE_4_0 ? globs | GLOB_HAS_CLASS : globs));
}

static bool same_say(const struct aa_say *x, const struct aa_say *y)
{
	return x->sum == y->sum && x->perms[0] == y->perms[0] && x->perms[1] == y->perms[1] &&
	       x->exec == y->exec && x->inherits == y->inherits && x->exact == y->exact &&
	       x->audit == y->audit && x->mode == y->mode && x->priority == y->priority;
}

static uint32_t say_number(struct aa_means_pool *p, const struct aa_say *say)
{
	uint64_t hash = hash_bytes(HASH_START, say->perms, sizeof(say->perms));

	hash = hash_bytes(hash, &say->exec, sizeof(say->exec));
	struct table_walk it = table_start(hash);
	for (size_t at; (at = table_next(&p->by_say, &it)) != TABLE_END;)
		if (same_say(&p->says.v[at], say))
			return (uint32_t)at;
	table_add(p->arena, &p->by_say, hash, p->says.n);
	vec_push(p->arena, &p->says, *say);
	return (uint32_t)p->says.n - 1;
}

aa_sum_fn *aa_sum_of(enum aa_release release)
{
	if (release < AA_RELEASE_4_1)
		return aa_sum_3_0;
	return release == AA_RELEASE_4_1 ? aa_sum_4_1 : aa_sum_5_0;
}

/* Rules of one release, into a pool. */
struct building {
	struct aa_means_pool *p;
	enum aa_release release;
	size_t steps; /* left */
};

/* Of these permissions, which are those of the owner alone where the rule is. */
static machine_texts end_of(const struct building *b, const struct aa_opened *f, unsigned owner,
			    unsigned other)
{
	struct aa_means_pool *p = b->p;
	struct aa_say say = { .sum = aa_sum_of(b->release),
			      .level = b->release == AA_RELEASE_4_1,
			      .mode = f->mode,
			      .audit = f->audit,
			      .priority = f->priority,
			      .exec = other & PERM_X || owner & PERM_X ? exec_number(p, f) : 0 };

	say.inherits = (owner | other) & PERM_X && inherits(f);
	say.exact = (owner | other) & PERM_X && aa_is_exact(b->release, f->path);
	say.perms[FILE_OWNER] = f->owner == AA_OWNER_OTHER ? 0 : owner;
	say.perms[FILE_OTHER] = f->owner == AA_OWNER_ONLY ? 0 : other;
	return machine_end(p->machines, say_number(p, &say));
}

/* ---- building ---- */

/* What a link may lead to where no rule says: a slash and anything but another. */
static machine_texts any_target(struct building *b, machine_texts end)
{
	static const char text[] = "/[^/]**";
	const struct glob *g = glob_parse(b->p->arena, (struct str){ text, sizeof(text) - 1 },
					  GLOB_NAME, NULL, NULL);

	return machine_glob(b->p->machines, g, end, &b->steps);
}

/*
 * A pair: the path, NUL, the target. That it is a subset is asked of the owner's links alone
 * (parser.h, LINK_TO_LINK_SUBSET).
 */
static machine_texts pair_of(struct building *b, const struct aa_opened *f)
{
	struct machine_pool *machines = b->p->machines;
	unsigned subset = !f->link || f->subset ? AA_PERM_SUBSET : 0;
	machine_texts end = end_of(b, f, PERM_L | subset, PERM_L);
	machine_texts target =
		f->link ? machine_glob(machines, f->link, end, &b->steps) : any_target(b, end);
	struct byte_set nul = { { 1 } };

	if (target == MACHINE_NONE)
		return MACHINE_NONE;
	return machine_glob(machines, f->path, machine_byte(machines, &nul, target), &b->steps);
}

/* A denied l is denied with its pair alone (process_dfa_entry). */
static machine_texts texts_of(struct building *b, const struct aa_opened *f)
{
	unsigned bits = f->perms | (f->perms & PERM_W && !f->no_append ? PERM_A : 0);
	struct machine_pool *machines = b->p->machines;
	machine_texts both[2] = { 0, 0 };

	if (f->mode == AA_MODE_DENY)
		bits &= ~(unsigned)PERM_L;
	if (bits)
		both[0] = machine_glob(machines, f->path, end_of(b, f, bits, bits), &b->steps);
	if (f->perms & PERM_L)
		both[1] = pair_of(b, f);
	if (both[0] == MACHINE_NONE || both[1] == MACHINE_NONE)
		return MACHINE_NONE;
	return machine_union(machines, both, 2);
}

uint32_t aa_means_saying(struct aa_means_pool *p, enum aa_release release,
			 const struct aa_opened *f)
{
	struct building b = { p, release, MACHINE_STEPS_MAX };

	return texts_of(&b, f);
}

struct aa_means aa_means_build(struct aa_means_pool *p, enum aa_release release,
			       const struct aa_opened *files, size_t n)
{
	struct aa_means m = { .pool = p, .release = release };
	struct building b = { p, release, MACHINE_STEPS_MAX };
	machine_texts *texts = ARENA_ARRAY(p->arena, machine_texts, n + 1);

	for (size_t i = 0; i < n; i++) {
		texts[i] = texts_of(&b, &files[i]);
		if (texts[i] == MACHINE_NONE)
			return m;
	}
	m.machine = machine_build(p->machines, machine_union(p->machines, texts, n));
	m.decided = m.machine.decided;
	return m;
}

/* ---- asking ---- */

const struct aa_answer *aa_means_class(const struct aa_means_pool *p, unsigned class)
{
	return &p->answers.v[class];
}

const struct aa_answer *aa_means_path(const struct aa_means *m, struct str path)
{
	return aa_means_class(m->pool, machine_find(&m->machine, path));
}

const struct aa_answer *aa_means_link(struct arena *a, const struct aa_means *m, struct str path,
				      struct str target)
{
	return aa_means_path(m, aa_pair(a, path, target));
}

struct str aa_pair(struct arena *a, struct str path, struct str target)
{
	char *both = arena_alloc(a, path.n + target.n + 1);

	memcpy(both, path.p, path.n);
	memcpy(both + path.n + 1, target.p, target.n);
	return (struct str){ both, path.n + target.n + 1 };
}

/* ---- conflicts ---- */

struct search {
	struct arena *arena;
	struct aa_means_pool *p;
	enum aa_release release;
	const struct aa_opened *files;
	size_t n;
};

static bool may_conflict(const struct search *s, const struct aa_opened *x,
			 const struct aa_opened *y)
{
	struct aa_means_pool *p = s->p;
	bool halves = !(x->owner == AA_OWNER_ONLY && y->owner == AA_OWNER_OTHER) &&
		      !(x->owner == AA_OWNER_OTHER && y->owner == AA_OWNER_ONLY);

	return halves && x->mode == AA_MODE_ALLOW && y->mode == AA_MODE_ALLOW &&
	       x->perms & y->perms & PERM_X && exec_number(p, x) != exec_number(p, y) &&
	       aa_is_exact(s->release, x->path) == aa_is_exact(s->release, y->path) &&
	       x->priority == y->priority;
}

/* Two of the rules that match the path and disagree. */
static bool find_two(const struct search *s, struct aa_conflict *c)
{
	VEC(const struct aa_opened *) all = { .v = NULL };

	for (size_t i = 0; i < s->n; i++)
		if (s->files[i].perms & PERM_X && glob_match(s->arena, s->files[i].path, c->path))
			vec_push(s->arena, &all, &s->files[i]);
	for (size_t i = 0; i < all.n; i++)
		for (size_t k = 0; k < i; k++)
			if (may_conflict(s, all.v[k], all.v[i])) {
				c->one = all.v[k];
				c->two = all.v[i];
				return true;
			}
	return false;
}

static bool is_known(const struct aa_conflicts *out, const struct aa_conflict *c)
{
	vec_each(&out->list, old)
		if (old->one == c->one && old->two == c->two)
			return true;
	return false;
}

/* Paths first; what no path shows, any text. */
struct aa_conflicts aa_means_conflicts(struct arena *a, const struct aa_means *m,
				       const struct aa_opened *files, size_t n)
{
	struct aa_conflicts out = { .decided = m->decided };
	/* exec_number() finds what is there, for files that were built from */
	struct search s = { a, (struct aa_means_pool *)m->pool, m->release, files, n };

	for (unsigned domain = MACHINE_PATHS; domain <= MACHINE_TEXTS && out.decided; domain++) {
		struct machine_walk w = machine_walk(a, &m->machine, NULL, domain, false);
		out.decided &= w.decided;
		vec_each(&w.found, f) {
			const struct aa_answer *answer = aa_means_class(m->pool, f->a);
			struct aa_conflict c = { .path = f->path, .varies = !answer->conflict };
			if ((answer->conflict || answer->conflict_varies) && find_two(&s, &c) &&
			    !is_known(&out, &c))
				vec_push(a, &out.list, c);
		}
	}
	return out;
}

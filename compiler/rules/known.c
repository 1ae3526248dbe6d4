/* SPDX-License-Identifier: Apache-2.0 */
#include "compiler/rules/known.h"

#include <string.h>

#include "compiler/base/table.h"

enum { KEY_MAX = 4096 }; /* bytes: a longer question is not remembered */

struct known_rule {
	const struct aa_stmt *stmt;
	struct aa_prefix prefix;
	struct aa_target target;
	const struct aa_rule *read; /* NULL: nobody asked yet */
};

struct known_pair { /* what two patterns have in common */
	const struct glob *x, *y;
	int what;
	enum glob_answer answer;
	const char *witness;
	size_t cost; /* of the budget */
};

struct known_heads {
	const struct glob *glob;
	struct glob_heads heads;
};

struct aa_known {
	struct arena *arena;
	bool read;
	VEC(struct str) keys;
	VEC(const struct glob *) globs; /* NULL: it is right, and nobody wanted more */
	VEC(struct known_rule) rules;
	VEC(struct known_pair) pairs;
	VEC(struct known_heads) heads;
	struct table table, by_stmt, by_pair, by_glob;
	size_t bytes;
	uint64_t hash; /* of the question */
	size_t n;      /* its bytes; 0: it cannot be remembered */
	char question[KEY_MAX + sizeof(uint64_t)];
};

struct aa_known *aa_known_new(struct arena *a, bool read)
{
	struct aa_known *k = ARENA_NEW(a, struct aa_known);

	k->arena = a;
	k->read = read;
	return k;
}

bool aa_known_is_read(const struct aa_known *k)
{
	return k->read;
}

static bool put(struct aa_known *k, const void *p, size_t n)
{
	if (n > KEY_MAX - k->n)
		return false;
	if (n)
		memcpy(k->question + k->n, p, n);
	k->n += n;
	return true;
}

/* With its length in front: no two lists give the same bytes. */
static bool put_str(struct aa_known *k, struct str s)
{
	return put(k, &s.n, sizeof(s.n)) && put(k, s.p, s.n);
}

/* Values that hold variables themselves are not followed here. */
static bool put_values(struct aa_known *k, const struct glob_variables *vars, struct str name)
{
	const struct glob_variable *v = vars ? glob_variable_find(vars, name) : NULL;

	if (!v || !v->values.n || !put(k, &v->values.n, sizeof(v->values.n)))
		return false;
	vec_each(&v->values, value)
		if (glob_has_variable(*value) || !put_str(k, *value))
			return false;
	return true;
}

/* All that parsing hangs on. An escape may give a variable's '@', and is not read here. */
static bool ask(struct aa_known *k, struct str text, enum glob_kind kind,
		const struct glob_variables *vars)
{
	struct str name;

	k->n = 0;
	if (!put(k, &kind, sizeof(kind)) || !put_str(k, text) || memchr(text.p, '\\', text.n))
		return false;
	for (size_t i = 0; i < text.n; i++) {
		const char *sign = memchr(text.p + i, '@', text.n - i);

		if (!sign)
			break;
		i = (size_t)(sign - text.p);
		if (glob_variable_at(text, i, &name) && !put_values(k, vars, name))
			return false;
	}
	return true;
}

/* Of the question, eight bytes at a time: it is asked of every pattern. */
static uint64_t hash_question(struct aa_known *k)
{
	uint64_t h = HASH_START, word;

	memset(k->question + k->n, 0, sizeof(word));
	for (size_t i = 0; i < k->n; i += sizeof(word)) {
		memcpy(&word, k->question + i, sizeof(word));
		h = (h ^ word) * UINT64_C(0x9e3779b97f4a7c15);
		h ^= h >> 32;
	}
	return h;
}

/* Where it stands; TABLE_END: nowhere yet, and it stays the question. */
static size_t find(struct aa_known *k, struct str text, enum glob_kind kind,
		   const struct glob_variables *vars)
{
	size_t at;

	if (!ask(k, text, kind, vars)) {
		k->n = 0;
		return TABLE_END;
	}
	struct str question = { k->question, k->n };
	k->hash = hash_question(k);
	for (struct table_walk walk = table_start(k->hash);
	     (at = table_next(&k->table, &walk)) != TABLE_END;)
		if (str_eq(k->keys.v[at], question))
			break;
	return at;
}

bool aa_known_right(struct aa_known *k, struct str text, enum glob_kind kind,
		    const struct glob_variables *vars)
{
	return find(k, text, kind, vars) != TABLE_END;
}

static void add(struct aa_known *k, const struct glob *glob)
{
	if (!k->n || k->n > AA_KNOWN_MAX - k->bytes)
		return;
	table_add(k->arena, &k->table, k->hash, k->keys.n);
	vec_push(k->arena, &k->keys,
		 ((struct str){ arena_dup(k->arena, k->question, k->n), k->n }));
	vec_push(k->arena, &k->globs, glob);
	k->bytes += k->n;
	k->n = 0;
}

void aa_known_add(struct aa_known *k)
{
	add(k, NULL);
}

const struct glob *aa_known_glob(struct aa_known *k, struct str text, enum glob_kind kind,
				 const struct glob_variables *vars, struct glob_fault *fault)
{
	size_t at = find(k, text, kind, vars);
	const struct glob *glob;

	if (at != TABLE_END && k->globs.v[at])
		return k->globs.v[at];
	text.p = str_dup(k->arena, text);
	glob = glob_parse(k->arena, text, kind, vars, fault);
	if (glob)
		((struct glob *)glob)->keeper = k;
	if (at == TABLE_END && fault->kind == GLOB_FINE)
		add(k, glob);
	return glob;
}

/* ---- patterns beside each other ---- */

static bool keeps(const struct aa_known *k, const struct glob *g)
{
	return g->keeper == k;
}

static uint64_t hash_pair(const struct glob *x, const struct glob *y, int what)
{
	return (((uint64_t)(uintptr_t)x * 31 + (uint64_t)(uintptr_t)y) * 2 + (unsigned)what) *
	       UINT64_C(0x9e3779b97f4a7c15);
}

struct glob_heads aa_known_heads(struct aa_known *k, struct arena *a, const struct glob *g)
{
	uint64_t hash = hash_pair(g, NULL, 0);
	struct table_walk walk = table_start(hash);

	if (!keeps(k, g))
		return glob_heads_of(a, g);
	for (size_t at; (at = table_next(&k->by_glob, &walk)) != TABLE_END;)
		if (k->heads.v[at].glob == g)
			return k->heads.v[at].heads;
	struct known_heads made = { g, glob_heads_of(a, g) };
	if (sizeof(made) > AA_KNOWN_MAX - k->bytes)
		return made.heads;
	k->bytes += sizeof(made);
	table_add(k->arena, &k->by_glob, hash, k->heads.n);
	vec_push(k->arena, &k->heads, made);
	return made.heads;
}

static enum glob_answer overlap(struct arena *a, int what, const struct glob *x,
				const struct glob *y, size_t *budget, const char **witness)
{
	return what == AA_KNOWN_PATHS ? glob_overlap_paths(a, x, y, budget, witness) :
					glob_overlap(a, x, y, budget, witness);
}

enum glob_answer aa_known_overlap(struct aa_known *k, struct arena *a, int what,
				  const struct glob *x, const struct glob *y, size_t *budget,
				  const char **witness)
{
	struct known_pair made = { .x = x, .y = y, .what = what, .cost = *budget };
	uint64_t hash = hash_pair(x, y, what);
	struct table_walk walk = table_start(hash);

	if (!keeps(k, x) || !keeps(k, y))
		return overlap(a, what, x, y, budget, witness);
	for (size_t at; (at = table_next(&k->by_pair, &walk)) != TABLE_END;) {
		const struct known_pair *old = &k->pairs.v[at];
		if (old->x != x || old->y != y || old->what != what || old->cost > *budget)
			continue;
		*budget -= old->cost;
		*witness = old->witness;
		return old->answer;
	}
	made.answer = overlap(a, what, x, y, budget, witness);
	made.cost -= *budget;
	if (made.answer == GLOB_NOT_DECIDED || sizeof(made) > AA_KNOWN_MAX - k->bytes)
		return made.answer;
	made.witness = *witness ? arena_strdup(k->arena, *witness) : NULL;
	k->bytes += sizeof(made);
	table_add(k->arena, &k->by_pair, hash, k->pairs.n);
	vec_push(k->arena, &k->pairs, made);
	return made.answer;
}

/* ---- rules ---- */

static uint64_t hash_stmt(const struct aa_stmt *s, const struct aa_target *target)
{
	uint64_t h = hash_bytes(HASH_START, &s, sizeof(s));

	return hash_bytes(h, &target->release, sizeof(target->release));
}

static bool same_prefix(const struct aa_prefix *x, const struct aa_prefix *y)
{
	return x->priority == y->priority && x->mode == y->mode && x->own == y->own &&
	       x->owner == y->owner && x->audit == y->audit && x->mode_said == y->mode_said;
}

static bool same_target(const struct aa_target *x, const struct aa_target *y)
{
	return x->release == y->release && x->mediated == y->mediated &&
	       x->compiled == y->compiled && x->addresses == y->addresses &&
	       x->unstacked == y->unstacked && x->ownerless == y->ownerless;
}

static struct known_rule *find_rule(const struct aa_known *k, const struct aa_use *use,
				    const struct aa_target *target)
{
	size_t at;

	for (struct table_walk walk = table_start(hash_stmt(use->stmt, target));
	     (at = table_next(&k->by_stmt, &walk)) != TABLE_END;) {
		struct known_rule *r = &k->rules.v[at];
		if (r->stmt == use->stmt && same_prefix(&r->prefix, &use->prefix) &&
		    same_target(&r->target, target))
			return r;
	}
	return NULL;
}

bool aa_known_rule(const struct aa_known *k, const struct aa_use *use,
		   const struct aa_target *target)
{
	return find_rule(k, use, target) != NULL;
}

void aa_known_rule_add(struct aa_known *k, const struct aa_use *use, const struct aa_target *target)
{
	if (sizeof(struct known_rule) > AA_KNOWN_MAX - k->bytes)
		return;
	table_add(k->arena, &k->by_stmt, hash_stmt(use->stmt, target), k->rules.n);
	vec_push(k->arena, &k->rules,
		 ((struct known_rule){ use->stmt, use->prefix, *target, NULL }));
	k->bytes += sizeof(struct known_rule);
}

const struct aa_rule **aa_known_rule_place(struct aa_known *k, const struct aa_use *use,
					   const struct aa_target *target)
{
	struct known_rule *known = find_rule(k, use, target);

	if (!known || (!known->read && sizeof(*known->read) > AA_KNOWN_MAX - k->bytes))
		return NULL;
	if (!known->read)
		k->bytes += sizeof(*known->read);
	return &known->read;
}

struct arena *aa_known_arena(const struct aa_known *k)
{
	return k->arena;
}

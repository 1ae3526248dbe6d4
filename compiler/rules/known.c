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

struct aa_known {
	struct arena *arena;
	bool read;
	VEC(struct str) keys;
	VEC(const struct glob *) globs; /* NULL: it is right, and nobody wanted more */
	VEC(struct known_rule) rules;
	struct table table, by_stmt;
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
	if (at == TABLE_END && fault->kind == GLOB_FINE)
		add(k, glob);
	return glob;
}

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

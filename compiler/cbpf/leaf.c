/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The rules of one call, compiled. Conditions become formulas over 32-bit words (a 64-bit
 * comparison is one over its high and its low word; signed order is two unsigned ranges), all
 * that is said about one word joined in one set of ranges, and formulas a diagram (meaning.c):
 * rules that mean the same are one node, however they are written, and only from there on is
 * chosen (order.c, values.c). So they become one program.
 *
 * Where the diagram would explode (many arguments tied together), each rule's condition is
 * compiled by itself, short-circuit, rule after rule.
 */
#include <stdlib.h>
#include <string.h>

#include "compiler/base/bug.h"
#include "compiler/base/chain.h"
#include "compiler/cbpf/order.h"
#include "compiler/cbpf/values.h"

enum {
	NODES_MAX = 1 << 18, /* of one call's diagram, before the plain way is taken, */
	NODES_ALL = 1 << 22, /* of all calls' diagrams of one program together; of what is left */
	NODES_SHARE = 8,     /* one call has no more than this part, */
	NODES_EACH = 32,     /* and of each range where one word has so many */
	RANGES_MANY = 256,
	FEW = 8,  /* operands that need no memory of their own */
	MANY = 8, /* claims joined, from which it is worth to look for what they share */
	PLAIN_TO = 2 * CBPF_MAX, /* instructions up to which, and */
	PLAIN_FROM = 300,        /* instructions from which it is tried beside */
	SCRATCH_KEPT = 1 << 20,  /* bytes, from one call to the next */
};

/* What a formula looks at: a word of an argument, under a mask. Even: high words. */
struct var {
	unsigned word; /* arg * 2 + (low word) */
	uint32_t mask;
};

enum formula_kind { FORMULA_FALSE, FORMULA_TRUE, FORMULA_ATOM, FORMULA_AND, FORMULA_OR };

/* Hash-consed: equal formulas are one object. Negation is pushed into the atoms. */
struct formula {
	struct chain_link link;
	uint32_t id;
	struct var var; /* ATOM: (word & mask) is in one of the ranges */
	enum formula_kind kind : 8;
	uint32_t n;     /* of iv or sub */
	uint32_t visit; /* the walk that was here last */
	fn_id memo;     /* what it made of this formula */
	union {
		const struct interval *iv;  /* ATOM */
		const struct formula **sub; /* AND, OR: by id, no two atoms of one var */
	};
};

struct step { /* a rule as far as it is still undecided */
	const struct formula *when;
	uint32_t ret;
};

struct state {
	struct chain_link link;
	const struct step *steps;
	size_t n;
	uint32_t dflt;
	code_id code;
};

struct leaf_builder {
	struct arena *arena;
	struct code *c;
	bool big_endian;
	struct chain formulas, states;
	const struct formula *no, *yes;
	uint32_t visit;
	size_t nodes_left; /* of diagrams of this program's calls */
	struct order_budget left;
	struct arena *scratch; /* NULL: it was large, and is begun anew. Of it: */
	struct meaning m;
	struct orders *orders;
};

/* ---- formulas ---- */

static uint32_t mix(uint32_t h, uint64_t v)
{
	uint64_t x = ((uint64_t)h << 32 ^ v) * 0x9e3779b97f4a7c15u;

	return (uint32_t)(x ^ x >> 31);
}

static uint32_t hash_formula(const struct formula *f)
{
	uint32_t h = mix((uint32_t)f->kind, f->var.word * 31u + f->n);

	h = mix(h, f->var.mask);
	for (size_t i = 0; i < f->n; i++)
		h = f->kind == FORMULA_ATOM ?
			    mix(h, (uint64_t)f->iv[i].first << 32 | f->iv[i].last) :
			    mix(h, f->sub[i]->id);
	return h;
}

static bool same_formula(const struct formula *x, const struct formula *y)
{
	if (x->kind != y->kind || x->n != y->n || x->var.word != y->var.word ||
	    x->var.mask != y->var.mask)
		return false;
	if (x->kind == FORMULA_ATOM)
		return !memcmp(x->iv, y->iv, x->n * sizeof(*x->iv));
	return x->n == 0 || !memcmp(x->sub, y->sub, x->n * sizeof(*x->sub));
}

/* iv and sub may be the caller's scratch: they are copied when the formula is new. */
static const struct formula *intern(struct leaf_builder *b, struct formula f)
{
	uint32_t hash = hash_formula(&f);

	for (struct chain_link *l = chain_first(&b->formulas, hash); l; l = chain_next(l))
		if (same_formula((struct formula *)l, &f))
			return (struct formula *)l;
	f.id = (uint32_t)b->formulas.n;
	if (f.kind == FORMULA_ATOM)
		f.iv = arena_dup(b->arena, f.iv, f.n * sizeof(*f.iv));
	else if (f.n)
		f.sub = arena_dup(b->arena, f.sub, f.n * sizeof(*f.sub));
	struct formula *new = arena_dup(b->arena, &f, sizeof(f));
	chain_add(b->arena, &b->formulas, &new->link, hash);
	return new;
}

/* Neither overlaps nor touches what stands before it. */
static bool starts_apart(struct interval before, struct interval iv)
{
	return before.last != UINT32_MAX && before.last + 1 < iv.first;
}

/* Sorted, apart, clipped to what a masked word can be. */
static const struct formula *make_atom(struct leaf_builder *b, struct var var, struct interval *iv,
				       size_t n)
{
	size_t kept = 0;

	for (size_t i = 0; i < n; i++) {
		if (iv[i].first > var.mask)
			break;
		if (iv[i].last > var.mask)
			iv[i].last = var.mask;
		if (iv[i].first == iv[i].last && iv[i].first & ~var.mask)
			continue;
		if (!kept || starts_apart(iv[kept - 1], iv[i]))
			iv[kept++] = iv[i];
		else if (iv[i].last > iv[kept - 1].last)
			iv[kept - 1].last = iv[i].last;
	}
	if (kept == 0)
		return b->no;
	if (kept == 1 && iv[0].first == 0 && iv[0].last == var.mask)
		return b->yes;
	return intern(b, (struct formula){
				 .kind = FORMULA_ATOM, .var = var, .iv = iv, .n = (uint32_t)kept });
}

static bool same_var(struct var x, struct var y)
{
	return x.word == y.word && x.mask == y.mask;
}

static int compare_interval(const void *x, const void *y)
{
	const struct interval *a = x, *b = y;

	return a->first < b->first ? -1 : a->first > b->first;
}

static size_t invert(const struct interval *iv, size_t n, uint32_t mask, struct interval *out)
{
	uint32_t from = 0;
	size_t k = 0;

	for (size_t i = 0; i < n; i++) {
		if (iv[i].first > from)
			out[k++] = (struct interval){ from, iv[i].first - 1 };
		if (iv[i].last >= mask)
			return k;
		from = iv[i].last + 1;
	}
	out[k++] = (struct interval){ from, mask };
	return k;
}

/* Atoms of one var joined: AND is the complement of the union of complements. */
static const struct formula *join_atoms(struct leaf_builder *b, enum formula_kind kind,
					const struct formula **f, size_t n)
{
	size_t total = 0, k = 0;

	if (n == 1)
		return f[0];
	for (size_t i = 0; i < n; i++)
		total += f[i]->n + 1;
	struct interval *iv = ARENA_ARRAY(b->arena, struct interval, total);
	for (size_t i = 0; i < n; i++) {
		if (kind == FORMULA_AND) {
			k += invert(f[i]->iv, f[i]->n, f[i]->var.mask, iv + k);
		} else {
			memcpy(iv + k, f[i]->iv, f[i]->n * sizeof(*iv));
			k += f[i]->n;
		}
	}
	qsort(iv, k, sizeof(*iv), compare_interval);
	if (kind == FORMULA_OR)
		return make_atom(b, f[0]->var, iv, k);

	struct interval *out = ARENA_ARRAY(b->arena, struct interval, total + 1);
	size_t m = 0;
	for (size_t i = 0; i < k; i++) {
		if (!m || starts_apart(iv[m - 1], iv[i]))
			iv[m++] = iv[i];
		else if (iv[i].last > iv[m - 1].last)
			iv[m - 1].last = iv[i].last;
	}
	return make_atom(b, f[0]->var, out, invert(iv, m, f[0]->var.mask, out));
}

/* Atoms by var, so that those of one var are neighbours; the rest by id. */
static int compare_part(const void *x, const void *y)
{
	const struct formula *a = *(const struct formula *const *)x;
	const struct formula *b = *(const struct formula *const *)y;

	if (a->kind != b->kind)
		return a->kind < b->kind ? -1 : 1;
	if (a->kind == FORMULA_ATOM && a->var.word != b->var.word)
		return a->var.word < b->var.word ? -1 : 1;
	if (a->kind == FORMULA_ATOM && a->var.mask != b->var.mask)
		return a->var.mask < b->var.mask ? -1 : 1;
	return a->id < b->id ? -1 : a->id > b->id;
}

static size_t flatten(enum formula_kind kind, const struct formula **in, size_t n,
		      const struct formula **out)
{
	size_t k = 0;

	for (size_t i = 0; i < n; i++) {
		if (in[i]->kind != kind) {
			out[k++] = in[i];
			continue;
		}
		memcpy(out + k, in[i]->sub, in[i]->n * sizeof(*out));
		k += in[i]->n;
	}
	return k;
}

/* AND or OR of any formulas. */
static const struct formula *make_join(struct leaf_builder *b, enum formula_kind kind,
				       const struct formula **in, size_t n)
{
	const struct formula *absorbs = kind == FORMULA_AND ? b->no : b->yes;
	const struct formula *neutral = kind == FORMULA_AND ? b->yes : b->no;
	size_t total = 0, k = 0;

	for (size_t i = 0; i < n; i++)
		total += in[i]->kind == kind ? in[i]->n : 1;
	const struct formula *few[FEW], **f = few;
	if (total > FEW)
		f = ARENA_ARRAY(b->arena, const struct formula *, total);
	total = flatten(kind, in, n, f);
	qsort(f, total, sizeof(*f), compare_part);
	for (size_t i = 0, end; i < total; i = end) {
		const struct formula *part = f[i];
		for (end = i + 1; end < total; end++)
			if (f[end] != f[i] &&
			    (f[i]->kind != FORMULA_ATOM || f[end]->kind != FORMULA_ATOM ||
			     !same_var(f[end]->var, f[i]->var)))
				break;
		if (part->kind == FORMULA_ATOM)
			part = join_atoms(b, kind, f + i, end - i);
		if (part == absorbs)
			return absorbs;
		if (part != neutral)
			f[k++] = part;
	}
	if (k == 0)
		return neutral;
	if (k == 1)
		return f[0];
	return intern(b, (struct formula){ .kind = kind, .sub = f, .n = (uint32_t)k });
}

/* ---- comparisons to formulas ---- */

static enum cmp_op negate_op(enum cmp_op op)
{
	switch (op) {
	case CMP_EQ: return CMP_NE;
	case CMP_NE: return CMP_EQ;
	case CMP_LT: return CMP_GE;
	case CMP_LE: return CMP_GT;
	case CMP_GT: return CMP_LE;
	case CMP_GE: return CMP_LT;
	case CMP_OP_NR: break;
	}
	BUG("comparison");
}

/* The values for which `x op v` holds, unsigned, as up to two ranges. */
static size_t range_of_op(enum cmp_op op, uint32_t v, struct interval out[2])
{
	size_t n = 0;

	switch (op) {
	case CMP_EQ: out[n++] = (struct interval){ v, v }; return n;
	case CMP_NE:
		if (v > 0)
			out[n++] = (struct interval){ 0, v - 1 };
		if (v < UINT32_MAX)
			out[n++] = (struct interval){ v + 1, UINT32_MAX };
		return n;
	case CMP_LT:
		if (v > 0)
			out[n++] = (struct interval){ 0, v - 1 };
		return n;
	case CMP_LE: out[n++] = (struct interval){ 0, v }; return n;
	case CMP_GT:
		if (v < UINT32_MAX)
			out[n++] = (struct interval){ v + 1, UINT32_MAX };
		return n;
	case CMP_GE: out[n++] = (struct interval){ v, UINT32_MAX }; return n;
	case CMP_OP_NR: break;
	}
	BUG("comparison");
}

/*
 * Two's complement order is unsigned order of the values with the top bit turned; a range of
 * those, turned back, is one range or two.
 */
static size_t unbias(struct interval iv, uint32_t top, struct interval out[2])
{
	const uint32_t max = top - 1 + top;

	if (iv.last > max)
		iv.last = max;
	if ((iv.first ^ iv.last) & top) { /* from a negative value to a positive one */
		out[0] = (struct interval){ 0, iv.last ^ top };
		out[1] = (struct interval){ iv.first ^ top, max };
		return 2;
	}
	out[0] = (struct interval){ iv.first ^ top, iv.last ^ top };
	return 1;
}

/* sign: the bit that makes a value negative, 0 where the order is unsigned. */
static const struct formula *word_cmp(struct leaf_builder *b, struct var var, enum cmp_op op,
				      uint32_t v, uint32_t sign)
{
	struct interval iv[2], turned[2];
	size_t n;

	if (op == CMP_EQ || op == CMP_NE || PLANTED(b->c->plant, PLANT_UNSIGNED))
		sign = 0;
	n = range_of_op(op, v ^ sign, iv);
	if (!sign)
		return make_atom(b, var, iv, n);
	if (n == 0 || iv[0].first > sign - 1 + sign)
		return b->no;
	n = unbias(iv[0], sign, turned);
	return make_atom(b, var, turned, n);
}

static const struct formula *join2(struct leaf_builder *b, enum formula_kind kind,
				   const struct formula *x, const struct formula *y)
{
	const struct formula *in[2] = { x, y };

	return make_join(b, kind, in, 2);
}

static const struct formula *wide_cmp(struct leaf_builder *b, const struct cmp *c, enum cmp_op op)
{
	struct var high = { c->arg * 2u, (uint32_t)(c->mask >> 32) };
	struct var low = { c->arg * 2u + 1, (uint32_t)c->mask };
	uint32_t vh = (uint32_t)(c->value >> 32), vl = (uint32_t)c->value;
	const struct formula *on_low = word_cmp(b, low, op, vl, 0);

	if (PLANTED(b->c->plant, PLANT_HIGH_WORD))
		return on_low;
	if (op == CMP_EQ)
		return join2(b, FORMULA_AND, word_cmp(b, high, CMP_EQ, vh, 0), on_low);
	if (op == CMP_NE)
		return join2(b, FORMULA_OR, word_cmp(b, high, CMP_NE, vh, 0), on_low);
	enum cmp_op strict = op == CMP_LT || op == CMP_LE ? CMP_LT : CMP_GT;
	const struct formula *tied = word_cmp(b, high, CMP_EQ, vh, 0);
	return join2(b, FORMULA_OR, word_cmp(b, high, strict, vh, c->is_signed ? 1u << 31 : 0),
		     join2(b, FORMULA_AND, tied, on_low));
}

static const struct formula *lower_cmp(struct leaf_builder *b, const struct cmp *c, bool negated)
{
	enum cmp_op op = negated ? negate_op(c->op) : c->op;
	struct var low = { c->arg * 2u + 1, (uint32_t)c->mask }; /* no wider than the width */

	if (c->width == 64)
		return wide_cmp(b, c, op);
	return word_cmp(b, low, op, (uint32_t)c->value, c->is_signed ? 1u << (c->width - 1) : 0);
}

struct parts {
	VEC(const struct formula *) list;
};

static const struct formula *lower(struct leaf_builder *b, const struct cond *c, bool negated);

/* The operands of a chain of ANDs or ORs; chains lean left and may be very long. */
static void lower_chain(struct leaf_builder *b, const struct cond *c, bool negated,
			struct parts *out)
{
	enum cond_kind kind = c->kind;

	for (; c->kind == kind; c = c->left) {
		if (c->right->kind == kind)
			lower_chain(b, c->right, negated, out);
		else
			vec_push(b->arena, &out->list, lower(b, c->right, negated));
	}
	vec_push(b->arena, &out->list, lower(b, c, negated));
}

static const struct formula *lower(struct leaf_builder *b, const struct cond *c, bool negated)
{
	const struct formula *few[FEW];
	struct parts parts = { .list = { few, 0, FEW } };
	bool is_and;

	switch (c->kind) {
	case COND_CMP: return lower_cmp(b, &c->cmp, negated);
	case COND_NOT: return lower(b, c->left, !negated);
	case COND_AND:
	case COND_OR:
		lower_chain(b, c, negated, &parts);
		is_and = (c->kind == COND_AND) != negated;
		return make_join(b, is_and ? FORMULA_AND : FORMULA_OR, parts.list.v, parts.list.n);
	}
	BUG("condition");
}

/* ---- states ---- */

static uint32_t hash_state(const struct step *steps, size_t n, uint32_t dflt)
{
	uint32_t h = mix(17, dflt);

	for (size_t i = 0; i < n; i++)
		h = mix(h, (uint64_t)steps[i].when->id << 32 | steps[i].ret);
	return h;
}

/*
 * The steps from the first on that end alike, as one: all joined at once, as thousands of rules
 * on one call would be copied thousands of times one by one. *end: the step behind them.
 */
static const struct formula *join_steps(struct leaf_builder *b, const struct step *s, size_t n,
					size_t *end)
{
	size_t live = 0;

	for (*end = 0; *end < n && (s[*end].ret == s[0].ret || s[*end].when == b->no); ++*end)
		live += s[*end].when != b->no;
	if (live == 1) {
		size_t i = 0;
		while (s[i].when == b->no)
			i++;
		return s[i].when;
	}
	const struct formula **in = ARENA_ARRAY(b->arena, const struct formula *, live);
	for (size_t i = live = 0; i < *end; i++)
		if (s[i].when != b->no)
			in[live++] = s[i].when;
	return make_join(b, FORMULA_OR, in, live);
}

/* Drops what cannot matter: steps never taken, behind a certain one, or that end as dflt does. */
static size_t tidy_steps(struct leaf_builder *b, struct step *s, size_t n, uint32_t *dflt)
{
	size_t k = 0, end;

	for (size_t i = 0; i < n; i += end) {
		struct step all = { join_steps(b, s + i, n - i, &end), s[i].ret };
		if (all.when == b->yes) {
			*dflt = all.ret;
			break;
		}
		if (all.when != b->no)
			s[k++] = all;
	}
	while (k && s[k - 1].ret == *dflt)
		k--;
	return k;
}

static bool same_steps(const struct step *x, const struct step *y, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (x[i].when != y[i].when || x[i].ret != y[i].ret)
			return false;
	return true;
}

static struct state *find_state(struct leaf_builder *b, const struct step *steps, size_t n,
				uint32_t dflt)
{
	uint32_t hash = hash_state(steps, n, dflt);
	struct state *s;

	for (struct chain_link *l = chain_first(&b->states, hash); l; l = chain_next(l)) {
		s = (struct state *)l;
		if (s->n == n && s->dflt == dflt && same_steps(s->steps, steps, n))
			return s;
	}
	s = ARENA_NEW(b->arena, struct state);
	*s = (struct state){ .n = n, .dflt = dflt, .code = CODE_NONE };
	s->steps = n ? arena_dup(b->arena, steps, n * sizeof(*steps)) : NULL;
	chain_add(b->arena, &b->states, &s->link, hash);
	return s;
}

/* ---- formulas to a diagram ---- */

static fn_id meaning_of(struct leaf_builder *b, struct meaning *m, const struct formula *f);

static bool has_part(const struct formula *f, const struct formula *part)
{
	for (size_t i = 0; i < f->n; i++)
		if (f->sub[i] == part)
			return true;
	return false;
}

/* The part that most of f's parts have, where more than half do. */
static const struct formula *common_part(const struct formula *f, enum formula_kind inner)
{
	const struct formula *first = f->sub[f->n / 2], *best = NULL;
	size_t most = f->n / 2;

	for (size_t k = 0; first->kind == inner && k < first->n; k++) {
		size_t n = 0;
		for (size_t i = 0; i < f->n; i++)
			n += f->sub[i]->kind == inner && has_part(f->sub[i], first->sub[k]);
		if (n > most) {
			most = n;
			best = first->sub[k];
		}
	}
	return best;
}

/*
 * (p and a) or (p and b) or c as p and (a or b), or c: thousands of 64-bit values have the high
 * word in common, and their low words are one set. Likewise the other way round.
 */
static fn_id meaning_of_common(struct leaf_builder *b, struct meaning *m, const struct formula *f,
			       const struct formula *common)
{
	enum formula_kind inner = f->kind == FORMULA_AND ? FORMULA_OR : FORMULA_AND;
	const struct formula **in = ARENA_ARRAY(m->arena, const struct formula *, f->n);
	const struct formula **out = ARENA_ARRAY(m->arena, const struct formula *, f->n);
	size_t nin = 0, nout = 0;

	for (size_t i = 0; i < f->n; i++) {
		const struct formula *s = f->sub[i];
		if (s->kind != inner || !has_part(s, common)) {
			out[nout++] = s;
			continue;
		}
		const struct formula **rest = ARENA_ARRAY(m->arena, const struct formula *, s->n);
		size_t n = 0;
		for (size_t k = 0; k < s->n; k++)
			if (s->sub[k] != common)
				rest[n++] = s->sub[k];
		in[nin++] = make_join(b, inner, rest, n);
	}
	fn_id x = meaning_of(b, m, common);
	fn_id y = meaning_of(b, m, make_join(b, f->kind, in, nin));
	fn_id z = meaning_of(b, m, make_join(b, f->kind, out, nout));
	if (f->kind == FORMULA_AND)
		return fn_and(m, fn_or(m, x, y), z);
	return fn_or(m, fn_and(m, x, y), z);
}

/* Many at once are claims of which any holds, or none fails. */
static fn_id meaning_of_join(struct leaf_builder *b, struct meaning *m, const struct formula *f)
{
	bool is_and = f->kind == FORMULA_AND;
	const struct formula *common =
		f->n < MANY ? NULL : common_part(f, is_and ? FORMULA_OR : FORMULA_AND);
	if (common)
		return meaning_of_common(b, m, f, common);
	fn_id *claims = ARENA_ARRAY(m->arena, fn_id, f->n);

	for (size_t i = 0; i < f->n; i++) {
		claims[i] = meaning_of(b, m, f->sub[i]);
		if (is_and)
			claims[i] = fn_not(m, claims[i]);
	}
	fn_id any = fn_any(m, claims, f->n);
	return is_and ? fn_not(m, any) : any;
}

static fn_id meaning_of(struct leaf_builder *b, struct meaning *m, const struct formula *f)
{
	if (m->exhausted)
		return FN_NO;
	switch (f->kind) {
	case FORMULA_FALSE: return FN_NO;
	case FORMULA_TRUE: return FN_YES;
	case FORMULA_ATOM:
		m->max += f->n < RANGES_MANY ? 0 : f->n * NODES_EACH;
		return fn_values(m, f->var.word, f->var.mask, f->iv, f->n);
	case FORMULA_AND:
	case FORMULA_OR: break;
	}
	if (f->visit == b->visit)
		return f->memo;
	fn_id id = meaning_of_join(b, m, f);
	struct formula *mutable = (struct formula *)f; /* ours: interned objects live here */
	mutable->memo = id;
	mutable->visit = b->visit;
	return id;
}

/* Of one step a claim: what holds and what does not are its two ends. */
static fn_id meaning_of_state(struct leaf_builder *b, struct meaning *m, const struct state *s)
{
	b->visit++;
	if (s->n == 1)
		return meaning_of(b, m, s->steps[0].when);
	fn_id f = fn_code(m, code_ret(b->c, s->dflt));

	for (size_t i = s->n; i-- > 0;)
		f = fn_choose(m, meaning_of(b, m, s->steps[i].when),
			      fn_code(m, code_ret(b->c, s->steps[i].ret)), f);
	return f;
}

/* ---- the plain way: every condition by itself ---- */

struct plain {
	struct code *c;
	struct arena *scratch;
	bool big_endian;
};

static code_id plain_atom(const struct plain *p, const struct formula *f, code_id t, code_id e)
{
	struct tree_range *r = ARENA_ARRAY(p->scratch, struct tree_range, 2 * f->n + 1);
	uint32_t from = 0;
	size_t n = 0;

	if (t == e)
		return t;
	for (size_t i = 0; i < f->n; i++) {
		if (f->iv[i].first > from)
			r[n++] = (struct tree_range){ from, f->iv[i].first - 1, e, 0 };
		r[n++] = (struct tree_range){ f->iv[i].first, f->iv[i].last, t, 0 };
		from = f->iv[i].last + 1;
	}
	if (f->iv[f->n - 1].last < f->var.mask)
		r[n++] = (struct tree_range){ from, f->var.mask, e, 0 };
	return code_load(p->c, values_offset(f->var.word, p->big_endian),
			 values_tests(p->c, p->scratch, f->var.mask, r, n));
}

static code_id plain_formula(const struct plain *p, const struct formula *f, code_id t, code_id e)
{
	code_id to = f->kind == FORMULA_AND ? t : e;

	switch (f->kind) {
	case FORMULA_FALSE: return e;
	case FORMULA_TRUE: return t;
	case FORMULA_ATOM: return plain_atom(p, f, t, e);
	case FORMULA_AND:
		for (size_t i = f->n; i-- > 0;)
			to = plain_formula(p, f->sub[i], to, e);
		return to;
	case FORMULA_OR:
		for (size_t i = f->n; i-- > 0;)
			to = plain_formula(p, f->sub[i], t, to);
		return to;
	}
	BUG("formula");
}

static code_id build_plain(struct leaf_builder *b, struct arena *scratch, const struct state *s)
{
	struct plain p = { b->c, scratch, b->big_endian };
	code_id to = code_ret(b->c, s->dflt);

	for (size_t i = s->n; i-- > 0;)
		to = plain_formula(&p, s->steps[i].when, code_ret(b->c, s->steps[i].ret), to);
	return to;
}

/*
 * Each comparison of a formula has two ways out, which no other one shares with it: at least a load
 * and a test. Counted up to `most`.
 */
static size_t plain_least(const struct formula *f, size_t most)
{
	size_t n = f->kind == FORMULA_ATOM ? 2 : 0;

	for (size_t i = 0; f->kind != FORMULA_ATOM && i < f->n && n < most; i++)
		n += plain_least(f->sub[i], most - n);
	return n;
}

/* Can the plain way be smaller? */
static bool is_plain_worth(const struct state *s, size_t insns)
{
	size_t n = 0;

	if (insns < PLAIN_FROM || insns > PLAIN_TO)
		return false;
	for (size_t i = 0; i < s->n && n < insns; i++)
		n += plain_least(s->steps[i].when, insns - n);
	return n < insns;
}

struct leaf_builder *leaf_new(struct arena *a, struct code *c, bool big_endian)
{
	struct leaf_builder *b = ARENA_NEW(a, struct leaf_builder);

	b->arena = a;
	b->c = c;
	b->big_endian = big_endian;
	b->nodes_left = NODES_ALL;
	b->left = order_budget_new();
	b->no = intern(b, (struct formula){ .kind = FORMULA_FALSE });
	b->yes = intern(b, (struct formula){ .kind = FORMULA_TRUE });
	return b;
}

static void start_scratch(struct leaf_builder *b)
{
	size_t share = b->nodes_left / NODES_SHARE, most = share < NODES_MAX ? share : NODES_MAX;

	if (b->scratch) {
		meaning_clear(&b->m, most);
		return;
	}
	b->scratch = arena_scratch(b->arena);
	meaning_init(&b->m, b->scratch, most);
	b->orders = orders_new(b->scratch, b->c, b->big_endian, &b->left);
}

static void end_scratch(struct leaf_builder *b)
{
	if (arena_size(b->scratch) <= SCRATCH_KEPT)
		return;
	arena_free(b->scratch);
	b->scratch = NULL;
}

static code_id build_state(struct leaf_builder *b, const struct state *s)
{
	code_id best = CODE_NONE;

	if (s->n == 0)
		return code_ret(b->c, s->dflt);
	start_scratch(b);
	const code_id claims[] = { code_ret(b->c, s->dflt), code_ret(b->c, s->steps[0].ret) };
	fn_id f = meaning_of_state(b, &b->m, s);
	b->nodes_left -= b->m.nodes.n < b->nodes_left ? b->m.nodes.n : b->nodes_left;
	if (!b->m.exhausted)
		best = order_best(b->orders, &b->m, f, claims);
	if (b->m.exhausted) { /* it is large, and what comes is as well */
		end_scratch(b);
		start_scratch(b);
	}
	/* What depends on the spelling is for those that have no better way. */
	size_t insns = best == CODE_NONE ? 0 : code_count(b->c, best);
	if (best == CODE_NONE || is_plain_worth(s, insns)) {
		code_id plain = build_plain(b, b->scratch, s);
		if (best == CODE_NONE || code_count(b->c, plain) < insns)
			best = plain;
	}
	end_scratch(b);
	return best;
}

code_id leaf_build(struct leaf_builder *b, const struct leaf_rule *rules, size_t n, uint32_t dflt)
{
	struct step *steps = ARENA_ARRAY(b->arena, struct step, n + 1);

	for (size_t i = 0; i < n; i++)
		steps[i] = (struct step){ rules[i].cond ? lower(b, rules[i].cond, false) : b->yes,
					  rules[i].ret };
	n = tidy_steps(b, steps, n, &dflt);
	struct state *s = find_state(b, steps, n, dflt);
	if (s->code != CODE_NONE)
		return s->code;
	return s->code = build_state(b, s);
}

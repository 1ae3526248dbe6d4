/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A set of values of one argument as text: as ranges of the whole value, as ranges under the mask
 * of the bits that it looks at, or as masked values, whichever is shortest.
 */
#include "compiler/decision/describe_set.h"

#include <string.h>

#include "compiler/base/bug.h"
#include "compiler/decision/dd.h"
#include "compiler/policy/spell.h"
#include "grammar/ast_build.h"

enum {
	PIECES_MAX = 4096,  /* of one set of values */
	SCATTERED = 12,     /* bits without an order, whose opposite is tried as well */
	CUBES_MAX = 1000,   /* in one chain of `or`, which the grammar bounds */
	MEMBERS_TRIED = 64, /* of a set, while its structure is looked for */
	VISITS_UNSEEN = 64, /* between two looks at how much memory there is */
};

/* ---- walks ---- */

/* Many claims of a hostile program may each be as long as is allowed: memory has a bound of its own. */
bool describe_visit(struct describer *s)
{
	if (s->visits)
		s->visits--;
	if (!(s->visits % VISITS_UNSEEN) && arena_size(s->arena) >> 20 >= DESCRIBE_MIB_MAX)
		s->visits = 0;
	return s->visits;
}

void describe_walk(struct describer *s)
{
	if (s->size < s->d->nodes.n) {
		arena_give_back(s->arena, s->marks, s->size * sizeof(*s->marks));
		s->size = s->d->nodes.n * 2;
		s->marks = ARENA_ARRAY(s->arena, struct mark, s->size);
		s->stamp = 0;
	}
	s->stamp++;
}

bool describe_first(struct describer *s, dd_node n)
{
	if (s->marks[n].stamp == s->stamp)
		return false;
	s->marks[n].stamp = s->stamp;
	return true;
}

/* ---- what is compared ---- */

static bool has_flags(const struct operand *o)
{
	return o->kind == ARG_FLAGS || o->kind == ARG_ENUM_FLAGS;
}

/* Its place, for a name that is put in later. */
static const char *argument_word(unsigned arg)
{
	static const char *const words[6] = { "arg0", "arg1", "arg2", "arg3", "arg4", "arg5" };

	return words[arg];
}

/* Would the language take a comparison under this mask? */
static bool mask_is_legal(const struct operand *o, uint64_t mask)
{
	if (o->reg)
		return true;
	if (o->kind == ARG_ENUM || o->kind == ARG_FD)
		return false;
	/* Of a signed number the top bit is its sign, which no mask can name. */
	if (o->is_signed && !has_flags(o) && mask >> (o->width - 1) & 1)
		return false;
	return o->kind != ARG_ENUM_FLAGS || !(mask & o->enum_mask) ||
	       (mask & o->enum_mask) == o->enum_mask;
}

/* ---- a set of values as ranges ---- */

struct pieces {
	piece_list list;
	size_t most;
	uint8_t bits[64]; /* looked at, the most significant first */
	unsigned nbits;
	bool flip;       /* two's complement: a set first bit comes first */
	bool contiguous; /* neighbours join */
	bool failed;     /* too many */
};

static void add_piece(struct describer *s, struct pieces *p, uint64_t first, uint64_t last)
{
	if (p->list.n && p->contiguous && p->list.v[p->list.n - 1].last + 1 == first) {
		p->list.v[p->list.n - 1].last = last;
		return;
	}
	p->failed |= p->list.n >= p->most;
	if (!p->failed)
		vec_push(s->arena, &p->list, ((struct piece){ first, last }));
}

/* Pieces of the values whose bits before `at` are `prefix`; in key order. */
static void walk_pieces(struct describer *s, struct pieces *p, dd_node n, unsigned at,
			uint64_t prefix)
{
	unsigned rest = p->nbits - at;

	p->failed |= !describe_visit(s);
	if (n == DD_FALSE || p->failed)
		return;
	if (n == DD_TRUE && (p->contiguous || !rest)) {
		uint64_t first = rest < 64 ? prefix << rest : 0;
		add_piece(s, p, first, first | bits_below(rest));
		return;
	}
	BUG_ON(!rest);
	uint32_t bit = s->d->nodes.v[n].bit;
	bool here = n != DD_TRUE && 63 - bit % 64 == p->bits[at];
	bool flip = p->flip && !at;
	dd_node low = here ? s->d->nodes.v[n].low : n, high = here ? s->d->nodes.v[n].high : n;
	walk_pieces(s, p, flip ? high : low, at + 1, prefix << 1);
	walk_pieces(s, p, flip ? low : high, at + 1, prefix << 1 | 1);
}

/* ---- how many there are, before they are listed ---- */

enum { RUNS_FEW = 48, RUNS_MANY = 1 << 20 };

struct runs {
	uint32_t n;       /* RUNS_MANY: as many or more */
	bool first, last; /* the first, the last value is in one */
};

static dd_node pack_runs(struct runs r)
{
	return r.n << 2 | (dd_node)r.first << 1 | r.last;
}

static struct runs unpack_runs(dd_node packed)
{
	return (struct runs){ packed >> 2, packed >> 1 & 1, packed & 1 };
}

/* Those of the values with the next bit clear, then of those with it set. */
static struct runs join_runs(const struct pieces *p, struct runs low, struct runs high)
{
	uint32_t n = low.n + high.n - (p->contiguous && low.last && high.first);

	return (struct runs){ n < RUNS_MANY ? n : RUNS_MANY, low.first, high.last };
}

static struct runs count_runs(struct describer *s, const struct pieces *p, dd_node n);

/* Of the values whose bits before `at` are given; n looks at that one or at later ones. */
static struct runs runs_from(struct describer *s, const struct pieces *p, dd_node n, unsigned at)
{
	uint32_t bit = s->d->nodes.v[n].bit;
	struct runs r = count_runs(s, p, n);

	for (; at < p->nbits && (bit == DD_TERMINAL || p->bits[at] != 63 - bit % 64); at++)
		r = join_runs(p, r, r);
	return r;
}

/* Of the values of the bits from n's own on. */
static struct runs count_runs(struct describer *s, const struct pieces *p, dd_node n)
{
	struct node k = s->d->nodes.v[n];
	unsigned at = 0;

	if (k.bit == DD_TERMINAL)
		return (struct runs){ n == DD_TRUE, n == DD_TRUE, n == DD_TRUE };
	if (!describe_first(s, n))
		return unpack_runs(s->marks[n].result);
	while (p->bits[at] != 63 - k.bit % 64)
		at++;
	struct runs low = runs_from(s, p, k.low, at + 1);
	struct runs high = runs_from(s, p, k.high, at + 1);
	struct runs r = p->flip && !at ? join_runs(p, high, low) : join_runs(p, low, high);
	s->marks[n].result = pack_runs(r);
	describe_visit(s);
	return r;
}

/* A few are listed as soon as counted. */
static bool has_many_pieces(struct describer *s, const struct pieces *p, dd_node set)
{
	if (p->most < RUNS_FEW)
		return false;
	describe_walk(s);
	return runs_from(s, p, set, 0).n > p->most;
}

static struct pieces no_pieces(const struct operand *o, uint64_t mask, size_t most)
{
	struct pieces p = { .flip = o->is_signed && mask == bits_below(o->width), .most = most };
	uint64_t low = mask & (0 - mask);

	for (unsigned b = 64; b-- > 0;)
		if (mask >> b & 1)
			p.bits[p.nbits++] = (uint8_t)b;
	/* Bits of flags have no order among each other. */
	p.contiguous = !((mask + low) & mask) && (mask == bits_below(o->width) || !has_flags(o));
	return p;
}

/* Into `list`, whose memory is used again. */
static void find_pieces(struct describer *s, struct pieces *p, dd_node set, piece_list *list)
{
	p->list = *list;
	p->list.n = 0;
	p->failed = set == DD_NONE || has_many_pieces(s, p, set);
	if (!p->failed)
		walk_pieces(s, p, set, 0, 0);
	*list = p->list;
}

/* The value that a key stands for: its bits where they belong. */
static uint64_t value_of(const struct pieces *p, uint64_t key)
{
	uint64_t v = 0;

	if (p->flip)
		key ^= UINT64_C(1) << (p->nbits - 1);
	for (unsigned i = 0; i < p->nbits; i++)
		v |= (key >> (p->nbits - 1 - i) & 1) << p->bits[i];
	return v;
}

/* What lies between them, in s->between. */
static struct pieces complement(struct describer *s, const struct pieces *p)
{
	struct pieces c = *p;
	uint64_t next = 0, top = bits_below(p->nbits);

	c.list = s->between;
	c.list.n = 0;
	vec_each(&p->list, k) {
		if (k->first > next)
			vec_push(s->arena, &c.list, ((struct piece){ next, k->first - 1 }));
		next = k->last + 1;
	}
	if (!p->list.n || p->list.v[p->list.n - 1].last != top)
		vec_push(s->arena, &c.list, ((struct piece){ next, top }));
	s->between = c.list;
	return c;
}

/* ---- values by name ---- */

static struct spell_as spell_as_of(const struct operand *o)
{
	return (struct spell_as){
		o->domain, o->kind, o->width, o->is_signed, o->enum_mask, o->arch, NULL,
	};
}

static bool names_value(const struct operand *o, const char *name, uint64_t v)
{
	struct spell_as as = spell_as_of(o);

	return o->domain && spell_is(&as, name, v);
}

typedef void spell_fn(const struct spell_as *as, uint64_t v, struct spelling *out);

static struct ast_value *spelled(const struct describer *s, const struct operand *o, uint64_t v,
				 spell_fn *fn)
{
	struct spell_as as = spell_as_of(o);
	struct spelling out;

	fn(&as, v, &out);
	return spell_tree(s->arena, &out);
}

static struct ast_value *flag_names(const struct describer *s, const struct operand *o, uint64_t v)
{
	return spelled(s, o, v, spell_bits);
}

static struct ast_value *number_value(const struct describer *s, const struct operand *o,
				      uint64_t v)
{
	return spelled(s, o, v, spell_number);
}

static struct ast_value *make_value(const struct describer *s, const struct operand *o, uint64_t v)
{
	return spelled(s, o, v, spell);
}

/* ---- comparisons ---- */

static struct ast_cond *make_cmp(const struct describer *s, const struct operand *o, uint64_t mask,
				 enum ast_cmp op, struct ast_value *values)
{
	struct ast_value *m = NULL;

	if (mask != bits_below(o->width))
		m = has_flags(o) && o->domain && mask != o->enum_mask && !(mask & o->enum_mask) ?
			    flag_names(s, o, mask) :
			    ast_number(s->arena, mask);
	if (m && o->kind == ARG_ENUM_FLAGS && mask == o->enum_mask)
		m = make_value(s, o, mask);
	return ast_cmp_new(s->arena, argument_word(o->arg), o->reg, op, m, values);
}

struct ast_cond *describe_not(const struct describer *s, struct ast_cond *c)
{
	static const enum ast_cmp opposite[AST_CMP_NR] = {
		[AST_CMP_EQ] = AST_CMP_NE,         [AST_CMP_NE] = AST_CMP_EQ,
		[AST_CMP_LT] = AST_CMP_GE,         [AST_CMP_GE] = AST_CMP_LT,
		[AST_CMP_LE] = AST_CMP_GT,         [AST_CMP_GT] = AST_CMP_LE,
		[AST_CMP_LACKS] = AST_CMP_HAS_ANY, [AST_CMP_HAS_ANY] = AST_CMP_LACKS,
		[AST_CMP_IN] = AST_CMP_IN,         [AST_CMP_HAS] = AST_CMP_HAS,
	};

	if (c->kind == AST_COND_NOT)
		return c->left;
	if (c->kind == AST_COND_CMP && opposite[c->op] != c->op) {
		c->op = opposite[c->op];
		return c;
	}
	return ast_cond_join(s->arena, AST_COND_NOT, c, NULL);
}

/* Flags are asked for by has and lacks. */
static struct ast_cond *make_bits(const struct describer *s, const struct operand *o, uint64_t mask,
				  uint64_t v, bool not )
{
	bool single = !(mask & (mask - 1));

	if (!has_flags(o) || !o->domain || mask == bits_below(o->width) ||
	    (o->kind == ARG_ENUM_FLAGS && mask & o->enum_mask) || (v && v != mask))
		return NULL;
	if (v && not &&!single)
		return describe_not(s, make_bits(s, o, mask, v, false));
	if (single && not )
		return make_bits(s, o, mask, v ^ mask, false);
	enum ast_cmp op = v ? AST_CMP_HAS : not ? AST_CMP_HAS_ANY : AST_CMP_LACKS;
	return ast_cmp_new(s->arena, argument_word(o->arg), o->reg, op, NULL,
			   flag_names(s, o, mask));
}

static struct ast_cond *one_piece(const struct describer *s, const struct operand *o, uint64_t mask,
				  const struct pieces *p)
{
	struct piece k = p->list.v[0];
	uint64_t first = value_of(p, k.first), last = value_of(p, k.last);

	if (k.first == k.last) {
		struct ast_cond *bits = make_bits(s, o, mask, first, false);
		return bits ? bits : make_cmp(s, o, mask, AST_CMP_EQ, make_value(s, o, first));
	}
	if (k.first == 0)
		return make_cmp(s, o, mask, AST_CMP_LE, number_value(s, o, last));
	if (k.last == bits_below(p->nbits))
		return make_cmp(s, o, mask, AST_CMP_GE, number_value(s, o, first));
	return NULL;
}

static struct ast_value *member(const struct describer *s, const struct operand *o,
				const struct pieces *p, const struct piece *k)
{
	uint64_t first = value_of(p, k->first), last = value_of(p, k->last);

	if (k->first == k->last)
		return make_value(s, o, first);
	struct ast_value *v = ARENA_NEW(s->arena, struct ast_value);
	v->kind = AST_VALUE_RANGE;
	v->span = NO_SPAN;
	v->left = number_value(s, o, first);
	v->right = number_value(s, o, last);
	return v;
}

/* Neighbours by name are told one by one: {AF_UNIX, AF_INET}, not 1..2. */
static struct pieces split_named(struct describer *s, const struct operand *o,
				 const struct pieces *p)
{
	struct pieces out = *p;

	if (!o->domain || p->list.n > 64)
		return out;
	memset(&out.list, 0, sizeof(out.list));
	vec_each(&p->list, k) {
		bool named = k->last - k->first < 3;
		for (uint64_t key = k->first; named && key <= k->last && key >= k->first; key++) {
			uint64_t v = value_of(p, key);
			named = names_value(o, constant_name(o->domain, v, o->arch), v);
		}
		if (!named) {
			vec_push(s->arena, &out.list, *k);
			continue;
		}
		for (uint64_t key = k->first; key - k->first <= k->last - k->first; key++)
			vec_push(s->arena, &out.list, ((struct piece){ key, key }));
	}
	return out;
}

static struct ast_cond *pieces_cond(struct describer *s, const struct operand *o, uint64_t mask,
				    const struct pieces *whole, bool not )
{
	struct pieces p = split_named(s, o, whole);
	struct ast_value *first = NULL, **next = &first;

	s->left = s->left > p.list.n ? s->left - p.list.n : 0;
	if (whole->list.n == 1) {
		struct piece k = whole->list.v[0];
		uint64_t v = value_of(whole, k.first);
		struct ast_cond *c = not ? NULL : one_piece(s, o, mask, whole);
		if (not &&k.first == k.last) {
			c = make_bits(s, o, mask, v, true);
			if (!c)
				c = make_cmp(s, o, mask, AST_CMP_NE, make_value(s, o, v));
		}
		if (c)
			return c;
	}
	vec_each(&p.list, k) {
		*next = member(s, o, &p, k);
		next = &(*next)->next;
	}
	struct ast_cond *in = make_cmp(s, o, mask, AST_CMP_IN, first);
	return not ? describe_not(s, in) : in;
}

/* ---- masked values ---- */

struct cubes {
	struct describer *s;
	const struct operand *o;
	enum dd_field field;
	struct ast_cond *all; /* NULL: none yet */
	size_t n;
	bool build;
};

static bool take_cube(void *ctx, const struct dd_path *p)
{
	struct cubes *c = ctx;
	uint64_t mask = p->mask[c->field];

	if (p->node == DD_FALSE)
		return true;
	if (++c->n > CUBES_MAX || c->n > c->s->left)
		return false;
	if (!c->build)
		return true;
	struct ast_cond *one = make_cmp(c->s, c->o, mask, AST_CMP_EQ,
					number_value(c->s, c->o, p->value[c->field]));
	c->all = ast_cond_join(c->s->arena, AST_COND_OR, c->all, one);
	return true;
}

static size_t cubes_cond(struct describer *s, const struct operand *o, dd_node set,
			 struct ast_cond **out)
{
	struct cubes c = { .s = s, .o = o, .field = (enum dd_field)o->arg, .build = out };

	if (!dd_paths(s->d, set, UINT32_MAX, take_cube, &c))
		return SIZE_MAX;
	if (out) {
		*out = c.all;
		s->left -= c.n;
	}
	return c.n;
}

/* ---- a set of values ---- */

uint64_t set_bits(struct describer *s, dd_node set)
{
	uint64_t bits = 0;
	VEC(dd_node) stack = { 0 };

	describe_walk(s);
	vec_push(s->arena, &stack, set);
	while (stack.n) {
		dd_node n = stack.v[--stack.n];
		const struct node *k = &s->d->nodes.v[n];
		if (!describe_visit(s))
			return UINT64_MAX; /* any of them may be looked at where nobody looked */
		if (k->bit == DD_TERMINAL || !describe_first(s, n))
			continue;
		bits |= UINT64_C(1) << (63 - k->bit % 64);
		vec_push(s->arena, &stack, k->low);
		vec_push(s->arena, &stack, k->high);
	}
	return bits;
}

struct shape { /* one way to tell a set */
	const struct operand *o;
	uint64_t mask;
	struct pieces pieces;
	bool not ;
	size_t cost;
};

/* A range is read more slowly than a value. */
static size_t pieces_cost(const struct pieces *p)
{
	size_t cost = 0;

	vec_each(&p->list, k)
		cost += k->first == k->last ? 2 : 3;
	return cost;
}

/*
 * What a mask costs the reader. Bits of flags that have names are what flags are read by; those
 * without one, and any mask of a list of names (families), say less than two values do.
 */
static size_t mask_cost(const struct operand *o, uint64_t mask)
{
	if (mask == bits_below(o->width)) /* where equal, plain values are simpler */
		return 0;
	if (o->kind == ARG_ENUM)
		return 3;
	if (!has_flags(o) || o->reg)
		return 1;
	for (uint64_t left = mask & ~o->enum_mask; left; left &= left - 1)
		if (!o->domain || !constant_name(o->domain, left & (0 - left), o->arch))
			return 2;
	return 0;
}

/* What is between pieces is as good. Scattered bits have no between: what else there is is walked. */
static void find_opposite(struct describer *s, dd_node set, const struct pieces *p,
			  struct pieces *others)
{
	*others = *p;
	others->failed = true;
	if (p->contiguous && !p->failed)
		*others = complement(s, p);
	else if (!p->contiguous && p->nbits <= SCATTERED)
		find_pieces(s, others, dd_not(s->d, set), &s->between);
}

/* Of at most so many pieces. */
static void try_shape(struct describer *s, dd_node set, const struct operand *o, uint64_t mask,
		      size_t most, struct shape *best)
{
	struct shape t = { .o = o, .mask = mask, .pieces = no_pieces(o, mask, most) };
	struct pieces others;

	find_pieces(s, &t.pieces, set, &s->found);
	find_opposite(s, set, &t.pieces, &others);
	if (t.pieces.failed && others.failed)
		return;
	t.cost = t.pieces.failed ? SIZE_MAX : pieces_cost(&t.pieces);
	if (!others.failed && pieces_cost(&others) + 1 < t.cost) {
		t.cost = pieces_cost(&others) + 1;
		t.pieces = others;
		t.not = true;
	}
	t.cost += mask_cost(o, mask);
	if (!best->cost || t.cost < best->cost ||
	    (t.cost == best->cost && has_flags(o) && mask != bits_below(o->width))) {
		*best = t; /* the next try writes where this one's pieces stand */
		best->pieces.list = (piece_list){ 0 };
		vec_each(&t.pieces.list, k)
			vec_push(s->arena, &best->pieces.list, *k);
	}
}

static size_t smaller(size_t x, size_t y)
{
	return x < y ? x : y;
}

struct telling { /* the best way to tell a set: as a shape, or as masked values */
	struct operand o, reg;
	struct shape best;
	bool by_cubes, not ;
	dd_node cubes;
	size_t cost; /* 0: there is none */
};

static void find_telling(struct describer *s, unsigned arg, dd_node set, struct telling *t)
{
	uint64_t tested = set_bits(s, set);
	dd_node others = dd_not(s->d, set);

	const struct argument *as = &s->arguments.v[s->like[arg]];
	*t = (struct telling){ .o = as->typed, .reg = as->reg };
	if (others == DD_NONE)
		return;
	if (tested & ~bits_below(t->o.width))
		t->o = t->reg;
	size_t cubes = cubes_cond(s, &t->reg, set, NULL),
	       holes = cubes_cond(s, &t->reg, others, NULL);
	t->not = holes < cubes;
	t->cubes = t->not ? others : set;
	cubes = smaller(cubes, holes);
	/* More pieces cost more than the cubes do, or than may be written; those between are one less. */
	size_t most =
		smaller(smaller(s->left, cubes == SIZE_MAX ? cubes : cubes * 3), PIECES_MAX) + 2;
	try_shape(s, set, &t->o, bits_below(t->o.width), most, &t->best);
	if (tested != bits_below(t->o.width))
		try_shape(s, set, mask_is_legal(&t->o, tested) ? &t->o : &t->reg, tested, most,
			  &t->best);
	t->by_cubes = cubes != SIZE_MAX && (!t->best.cost || cubes * 6 < t->best.cost);
	if (t->by_cubes)
		t->cost = cubes * 6;
	else if (t->best.pieces.list.n <= s->left)
		t->cost = t->best.cost;
}

struct ast_cond *set_cond(struct describer *s, unsigned arg, dd_node set)
{
	struct telling t;
	struct ast_cond *c = NULL;

	find_telling(s, arg, set, &t);
	if (!t.cost)
		return NULL;
	if (!t.by_cubes)
		return pieces_cond(s, t.best.o, t.best.mask, &t.best.pieces, t.best.not );
	cubes_cond(s, &t.reg, t.cubes, &c);
	return t.not ? describe_not(s, c) : c;
}

size_t set_cost(struct describer *s, unsigned arg, dd_node set)
{
	size_t left = s->left;
	struct telling t;

	s->left = smaller(left, MEMBERS_TRIED);
	find_telling(s, arg, set, &t);
	s->left = left;
	return t.cost ? t.cost : SIZE_MAX;
}

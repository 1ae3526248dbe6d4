/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A claim as text, argument by argument. The diagram looks at argument 0 before argument 1, so
 * below the nodes of one argument lie a few claims over later ones: the claim is the OR over
 * those of
 *
 *	(argument in the set of values that lead there) and (the claim there)
 *
 * A set of values is told as ranges of the whole value, as ranges under the mask of the bits
 * that it looks at, or as masked values, whichever is shortest.
 */
#include "compiler/decision/describe.h"

#include <string.h>

#include "compiler/base/bug.h"
#include "compiler/decision/cover.h"
#include "compiler/decision/dd.h"
#include "compiler/policy/spell.h"
#include "grammar/ast_build.h"
#include "grammar/print.h"

enum {
	BRANCHES_MAX = 1024,  /* claims below one argument */
	WIDEN_MAX = 32,       /* of those that are compared with each other */
	LONG = 12,            /* comparisons, from which on its opposite is tried */
	WORK_MAX = 200,       /* times that another way is tried */
	VISITS_MAX = 1 << 26, /* of nodes, over all ways: a second or so */
	PIECES_MAX = 4096,    /* of one set of values */
	SCATTERED = 12,       /* bits without an order, whose opposite is tried as well */
	CUBES_MAX = 1000,     /* in one chain of `or`, which the grammar bounds */
	MEMBERS_TRIED = 64,   /* of a set, while its structure is looked for */
	PLAIN = 5,            /* what costs no more is not told in another way */
	TRIES_MAX = 1 << 23,  /* visits of nodes for one structure */
	STEPS_MAX = 1 << 20,  /* of the diagrams for one structure */
};

struct mark {
	uint32_t stamp;
	dd_node result;
};

struct piece { /* values, in their order; inclusive */
	uint64_t first, last;
};

typedef VEC(struct piece) piece_list;

struct describer {
	struct dd *d;
	struct arena *arena;
	const struct describe_site *site;
	struct mark *marks; /* by node */
	size_t size;
	uint32_t stamp;
	size_t work;               /* times that another way may still be tried */
	size_t left;               /* comparisons and members that may still be written */
	piece_list found, between; /* of the shape that is being tried */
	size_t visits; /* of nodes that may still be made; 0: what was found is not to be used */
};

/* Many claims of a hostile program may each be as long as is allowed: memory has a bound of its own. */
static bool visit(struct describer *s)
{
	if (s->visits)
		s->visits--;
	if (arena_size(s->arena) >> 20 >= DESCRIBE_MIB_MAX)
		s->visits = 0;
	return s->visits;
}

static void start_walk(struct describer *s)
{
	if (s->size < s->d->nodes.n) {
		s->size = s->d->nodes.n * 2;
		s->marks = ARENA_ARRAY(s->arena, struct mark, s->size);
		s->stamp = 0;
	}
	s->stamp++;
}

/* First here in this walk? */
static bool mark_node(struct describer *s, dd_node n)
{
	if (s->marks[n].stamp == s->stamp)
		return false;
	s->marks[n].stamp = s->stamp;
	return true;
}

/* ---- one argument: which claims lie below, and which values lead to each ---- */

struct branches {
	VEC(dd_node) nodes; /* DD_FALSE is left out */
	dd_node *sets;      /* by node */
};

static void collect_branches(struct describer *s, dd_node n, uint32_t end, struct branches *b)
{
	const struct node *k = &s->d->nodes.v[n];

	if (n == DD_FALSE || !visit(s) || !mark_node(s, n))
		return;
	if (k->bit >= end) {
		if (b->nodes.n <= BRANCHES_MAX)
			vec_push(s->arena, &b->nodes, n);
		return;
	}
	collect_branches(s, k->low, end, b);
	collect_branches(s, k->high, end, b);
}

/* The values that lead from n to `to`. */
static dd_node select_branch(struct describer *s, dd_node n, uint32_t end, dd_node to)
{
	struct node k = s->d->nodes.v[n];

	if (k.bit >= end)
		return n == to ? DD_TRUE : DD_FALSE;
	/* Only nodes that were there when the walk began are visited. */
	if (s->marks[n].stamp == s->stamp)
		return s->marks[n].result;
	if (!visit(s))
		return DD_NONE;
	dd_node low = select_branch(s, k.low, end, to);
	dd_node high = select_branch(s, k.high, end, to);
	dd_node r = dd_make(s->d, k.bit, low, high);
	s->marks[n].stamp = s->stamp;
	s->marks[n].result = r;
	return r;
}

/*
 * Where x holds whenever y does, y's values may lead to y's claim as well: that says nothing
 * new, and often makes the test of the argument needless.
 */
static bool widen(struct describer *s, struct branches *b)
{
	dd_node wide[WIDEN_MAX];
	size_t n = b->nodes.n;

	if (n > WIDEN_MAX)
		return true;
	for (size_t i = 0; i < n; i++) {
		wide[i] = b->sets[i];
		for (size_t j = 0; j < n; j++) {
			dd_node outside = dd_and(s->d, b->nodes.v[i], dd_not(s->d, b->nodes.v[j]));
			if (outside == DD_NONE)
				return false;
			if (i != j && outside == DD_FALSE)
				wide[i] = dd_or(s->d, wide[i], b->sets[j]);
			if (wide[i] == DD_NONE)
				return false;
		}
	}
	memcpy(b->sets, wide, n * sizeof(wide[0]));
	return true;
}

/* ---- what is compared ---- */

struct operand {
	const char *name;
	uint8_t arg;
	bool reg;
	unsigned width;
	bool is_signed;
	enum arg_kind kind;
	const char *domain;
	uint64_t enum_mask;
	uint64_t tested; /* the bits that the set looks at */
};

static uint64_t bits_below(unsigned width)
{
	return width >= 64 ? UINT64_MAX : (UINT64_C(1) << width) - 1;
}

static const struct arg_info *typed_arg(const struct describer *s, unsigned arg)
{
	unsigned n;

	if (!s->site->sys)
		return NULL;
	const struct arg_info *args = syscall_args(s->site->sys, s->site->arch, &n);
	return arg < n ? &args[arg] : NULL;
}

static struct operand register_operand(const struct describer *s, unsigned arg)
{
	static const char *const names[6] = { "arg0", "arg1", "arg2", "arg3", "arg4", "arg5" };
	const struct arg_info *t = typed_arg(s, arg);
	struct operand o = { .name = names[arg], .arg = (uint8_t)arg, .reg = true, .width = 64 };

	o.kind = ARG_NUMBER;
	/* "arg2" of prctl is its second parameter, and behind `reg` the third register. */
	if (t && strncmp(t->name, "arg", 3) != 0 &&
	    syscall_arg_find(s->site->sys, s->site->arch, str_c(t->name)) == (int)arg)
		o.name = t->name;
	if (t && t->kind != ARG_POINTER) {
		o.kind = t->kind;
		o.domain = t->domain;
		o.enum_mask = t->enum_mask;
	}
	return o;
}

/* The argument by its type; false: only its register can be compared. */
static bool typed_operand(const struct describer *s, unsigned arg, struct operand *o)
{
	unsigned bits = arch_info(s->site->arch)->bits;
	const struct arg_info *t = typed_arg(s, arg);

	*o = register_operand(s, arg);
	if (s->site->registers)
		return false;
	o->reg = false;
	if (!s->site->sys) {
		o->width = bits;
		return true;
	}
	if (!t || t->kind == ARG_POINTER)
		return false;
	o->name = t->name;
	o->width = t->width > bits ? bits : t->width;
	o->is_signed = t->is_signed;
	return syscall_arg_find(s->site->sys, s->site->arch, str_c(t->name)) == (int)arg;
}

static bool has_flags(const struct operand *o)
{
	return o->kind == ARG_FLAGS || o->kind == ARG_ENUM_FLAGS;
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

	p->failed |= !visit(s);
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

/* Into s->found, at most so many of them; scattered bits have few, and what lies between. */
static struct pieces find_pieces(struct describer *s, dd_node set, const struct operand *o,
				 uint64_t mask, size_t most)
{
	struct pieces p = { .flip = o->is_signed && mask == bits_below(o->width), .most = most };
	uint64_t low = mask & (0 - mask);

	for (unsigned b = 64; b-- > 0;)
		if (mask >> b & 1)
			p.bits[p.nbits++] = (uint8_t)b;
	/* Bits of flags have no order among each other. */
	p.contiguous = !((mask + low) & mask) && (mask == bits_below(o->width) || !has_flags(o));
	if (!p.contiguous && p.nbits <= SCATTERED)
		p.most = PIECES_MAX;
	p.list = s->found;
	p.list.n = 0;
	walk_pieces(s, &p, set, 0, 0);
	s->found = p.list;
	return p;
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

static struct spell_as spell_as_of(const struct describer *s, const struct operand *o)
{
	return (struct spell_as){ o->domain,    o->kind,      o->width,
				  o->is_signed, o->enum_mask, s->site->arch };
}

static bool names_value(const struct describer *s, const struct operand *o, const char *name,
			uint64_t v)
{
	struct spell_as as = spell_as_of(s, o);

	return o->domain && spell_is(&as, name, v);
}

typedef void spell_fn(const struct spell_as *as, uint64_t v, struct spelling *out);

static struct ast_value *spelled(const struct describer *s, const struct operand *o, uint64_t v,
				 spell_fn *fn)
{
	struct spell_as as = spell_as_of(s, o);
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
	return ast_cmp_new(s->arena, o->name, o->reg, op, m, values);
}

static struct ast_cond *make_not(const struct describer *s, struct ast_cond *c)
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
		return make_not(s, make_bits(s, o, mask, v, false));
	if (single && not )
		return make_bits(s, o, mask, v ^ mask, false);
	enum ast_cmp op = v ? AST_CMP_HAS : not ? AST_CMP_HAS_ANY : AST_CMP_LACKS;
	return ast_cmp_new(s->arena, o->name, o->reg, op, NULL, flag_names(s, o, mask));
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
			named = names_value(s, o, constant_name(o->domain, v, s->site->arch), v);
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
	return not ? make_not(s, in) : in;
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

static uint64_t tested_bits(struct describer *s, dd_node set)
{
	uint64_t bits = 0;
	VEC(dd_node) stack = { 0 };

	start_walk(s);
	vec_push(s->arena, &stack, set);
	while (stack.n) {
		dd_node n = stack.v[--stack.n];
		const struct node *k = &s->d->nodes.v[n];
		if (!visit(s) || k->bit == DD_TERMINAL || !mark_node(s, n))
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
static size_t mask_cost(const struct describer *s, const struct operand *o, uint64_t mask)
{
	if (mask == bits_below(o->width)) /* where equal, plain values are simpler */
		return 0;
	if (o->kind == ARG_ENUM)
		return 3;
	if (!has_flags(o) || o->reg)
		return 1;
	for (uint64_t left = mask & ~o->enum_mask; left; left &= left - 1)
		if (!o->domain || !constant_name(o->domain, left & (0 - left), s->site->arch))
			return 2;
	return 0;
}

static void try_shape(struct describer *s, dd_node set, const struct operand *o, uint64_t mask,
		      size_t most, struct shape *best)
{
	struct shape t = { .o = o, .mask = mask, .pieces = find_pieces(s, set, o, mask, most) };

	if (t.pieces.failed)
		return;
	t.cost = pieces_cost(&t.pieces);
	/* What is between pieces is as good; scattered bits have no between. */
	if (t.pieces.contiguous || t.pieces.nbits <= SCATTERED) {
		struct pieces others = t.pieces;
		if (t.pieces.contiguous) {
			others = complement(s, &t.pieces);
		} else {
			dd_node rest = dd_not(s->d, set);
			others.list = s->between;
			others.list.n = 0;
			others.failed = rest == DD_NONE;
			if (!others.failed)
				walk_pieces(s, &others, rest, 0, 0);
			s->between = others.list;
		}
		if (!others.failed && pieces_cost(&others) + 1 < t.cost) {
			t.cost = pieces_cost(&others) + 1;
			t.pieces = others;
			t.not = true;
		}
	}
	t.cost += mask_cost(s, o, mask);
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
	uint64_t tested = tested_bits(s, set);
	dd_node others = dd_not(s->d, set);

	*t = (struct telling){ .reg = register_operand(s, arg) };
	if (others == DD_NONE)
		return;
	if (!typed_operand(s, arg, &t->o) || tested & ~bits_below(t->o.width))
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

/* NULL: it cannot be said. Not for sets that are empty or everything. */
static struct ast_cond *set_cond(struct describer *s, unsigned arg, dd_node set)
{
	struct telling t;
	struct ast_cond *c = NULL;

	find_telling(s, arg, set, &t);
	if (!t.cost)
		return NULL;
	if (!t.by_cubes)
		return pieces_cond(s, t.best.o, t.best.mask, &t.best.pieces, t.best.not );
	cubes_cond(s, &t.reg, t.cubes, &c);
	return t.not ? make_not(s, c) : c;
}

/* ---- a claim ---- */

/* Lists lean to the left, as those that are read do. */
static struct ast_cond *join_list(struct describer *s, enum ast_cond_kind kind, struct ast_cond *l,
				  struct ast_cond *r)
{
	if (!l || !r || r->kind != kind)
		return ast_cond_join(s->arena, kind, l, r);
	r->left = join_list(s, kind, l, r->left);
	return r;
}

static int claim_cond(struct describer *s, dd_node n, struct ast_cond **out);

/*
 * A set that mixes ranges and masks is no list of either: its upper and its lower bits are told
 * apart like two arguments, where fewest claims lie below the upper ones.
 */
static uint32_t find_split(struct describer *s, dd_node set, struct branches *b)
{
	uint32_t top = s->d->nodes.v[set].bit, best = 0;
	uint64_t tested = tested_bits(s, set);
	size_t fewest = SIZE_MAX;

	for (uint32_t end = top + 1; end / 64 == top / 64; end++) {
		if (!(tested & bits_below(64 - end % 64)))
			break;
		b->nodes.n = 0;
		start_walk(s);
		collect_branches(s, set, end, b);
		if (b->nodes.n <= fewest) {
			fewest = b->nodes.n;
			best = end;
		}
	}
	return best;
}

static int branches_cond(struct describer *s, dd_node n, uint32_t end, struct branches *b,
			 struct ast_cond **out);

static int values_cond(struct describer *s, unsigned arg, dd_node set, struct ast_cond **out)
{
	struct branches *b;
	struct ast_cond *split;
	size_t left = s->left;

	*out = set_cond(s, arg, set);
	size_t used = left - s->left, allowed = *out ? used : left;
	if ((*out && used <= LONG) || !s->work)
		return *out ? 0 : -1;
	s->work--;
	b = ARENA_NEW(s->arena, struct branches);
	uint32_t end = find_split(s, set, b);
	s->left = allowed;
	bool shorter = end && branches_cond(s, set, end, b, &split) == 0 && s->left;
	size_t others = allowed - s->left;
	s->left = left - (shorter ? others : *out ? used : 0);
	if (shorter)
		*out = split;
	return *out ? 0 : -1;
}

static int branch_cond(struct describer *s, unsigned arg, dd_node set, dd_node below,
		       struct ast_cond **out)
{
	struct ast_cond *values = NULL, *rest = NULL;

	if (set != DD_TRUE && values_cond(s, arg, set, &values) < 0)
		return -1;
	if (claim_cond(s, below, &rest) < 0)
		return -1;
	*out = join_list(s, AST_COND_AND, values, rest);
	return *out || (set == DD_TRUE && below == DD_TRUE) ? 0 : -1;
}

/* The claim by what lies below the bits before `end`. */
static int branches_cond(struct describer *s, dd_node n, uint32_t end, struct branches *b,
			 struct ast_cond **out)
{
	uint32_t bit = s->d->nodes.v[n].bit;

	*out = NULL;
	if (bit == DD_TERMINAL || rank_field(bit / 64) > 5 || !s->left || !s->visits)
		return -1;
	start_walk(s);
	b->nodes.n = 0;
	collect_branches(s, n, end, b);
	if (b->nodes.n > BRANCHES_MAX)
		return -1;
	b->sets = ARENA_ARRAY(s->arena, dd_node, b->nodes.n);
	for (size_t i = 0; i < b->nodes.n; i++) {
		start_walk(s);
		b->sets[i] = select_branch(s, n, end, b->nodes.v[i]);
		if (b->sets[i] == DD_NONE)
			return -1;
	}
	if (!widen(s, b))
		return -1;
	for (size_t i = 0; i < b->nodes.n; i++) {
		struct ast_cond *one;
		if (branch_cond(s, rank_field(bit / 64), b->sets[i], b->nodes.v[i], &one) < 0)
			return -1;
		if (!one) { /* that one holds always, so all does */
			*out = NULL;
			return 0;
		}
		*out = join_list(s, AST_COND_OR, *out, one);
	}
	return 0;
}

static int by_argument(struct describer *s, dd_node n, struct ast_cond **out)
{
	return branches_cond(s, n, (s->d->nodes.v[n].bit / 64 + 1) * 64,
			     ARENA_NEW(s->arena, struct branches), out);
}

/* As it is, or, where that is long, as what does not hold: an AND of many ORs is short then. */
static int claim_cond(struct describer *s, dd_node n, struct ast_cond **out)
{
	struct ast_cond *other;
	size_t left = s->left;

	*out = NULL;
	if (n == DD_TRUE)
		return 0;
	if (n == DD_FALSE || n == DD_NONE)
		return -1;
	int bad = by_argument(s, n, out);
	size_t used = left - s->left, allowed = bad ? left : used;
	if ((!bad && used <= LONG) || !s->work)
		return bad;
	s->work--;
	s->left = allowed;
	dd_node rest = dd_not(s->d, n);
	bool shorter = rest != DD_NONE && by_argument(s, rest, &other) == 0 && s->left;
	size_t others = allowed - s->left;
	s->left = left - (shorter ? others : bad ? 0 : used);
	if (!shorter)
		return bad;
	*out = make_not(s, other);
	return 0;
}

/* Between arguments an AND is written as a comma. */
static void use_commas(struct ast_cond *c)
{
	for (; c && c->kind == AST_COND_AND; c = c->left)
		c->comma = true;
}

/* ---- a claim by its structure ---- */

static size_t cost_of_set(void *ctx, unsigned arg, dd_node set)
{
	struct describer *s = ctx;
	size_t left = s->left;
	struct telling t;

	s->left = smaller(left, MEMBERS_TRIED);
	find_telling(s, arg, set, &t);
	s->left = left;
	return t.cost ? t.cost : SIZE_MAX;
}

static struct ast_cond *cover_cond(struct describer *s, const struct cover *c)
{
	if (c->kind == COVER_SET)
		return set_cond(s, c->arg, c->set);
	struct ast_cond *l = cover_cond(s, c->left), *r = cover_cond(s, c->right);
	enum ast_cond_kind kind = c->kind == COVER_AND ? AST_COND_AND : AST_COND_OR;
	return l && r ? join_list(s, kind, l, r) : NULL;
}

/* What reading it costs: as the cost of a set, and one more for each word between two. */
static size_t cond_cost(const struct ast_cond *c)
{
	size_t cost = 0;

	if (c->kind != AST_COND_CMP)
		return cond_cost(c->left) + (c->right ? cond_cost(c->right) : 0) + 1;
	for (const struct ast_value *v = c->values; v; v = v->next)
		cost += v->kind == AST_VALUE_RANGE ? 3 : 2;
	return cost + (c->mask != NULL);
}

static size_t text_length(const struct ast_cond *c)
{
	BUF_AUTO text = { 0 };

	ast_print_cond(&text, c);
	return text.n;
}

/* The cheaper to read, the shorter where they are alike. */
static bool is_shorter(const struct ast_cond *x, const struct ast_cond *y)
{
	size_t a = cond_cost(x), b = cond_cost(y);

	return a != b ? a < b : text_length(x) < text_length(y);
}

static bool may_search(const struct describer *s, const struct ast_cond *so_far)
{
	return (!so_far || cond_cost(so_far) > PLAIN) && s->d->nodes.n < dd_budget(s->d) / 2 &&
	       s->visits;
}

static void find_structure(struct describer *s, dd_node must, dd_node may, struct ast_cond **out)
{
	struct cover_search search = {
		.d = s->d, .arena = s->arena, .cost = cost_of_set, .ctx = s, .left = TRIES_MAX
	};
	size_t aside = dd_put_aside(s->d, STEPS_MAX);
	const struct cover *c = cover_find(&search, must, may);

	dd_give_back(s->d, aside);
	if (!c)
		return;
	struct ast_cond *found = cover_cond(s, c);
	if (found && (!*out || is_shorter(found, *out)))
		*out = found;
}

/* ---- all of it ---- */

static struct describer new_describer(struct dd *d, struct arena *a,
				      const struct describe_site *site)
{
	return (struct describer){ .d = d,
				   .arena = a,
				   .site = site,
				   .left = DESCRIBE_MAX,
				   .work = WORK_MAX,
				   .visits = VISITS_MAX };
}

/* Argument by argument. */
static int by_branches(struct describer *s, dd_node claim, struct ast_cond **out)
{
	*out = NULL;
	if (claim != DD_NONE && claim != DD_FALSE && claim_cond(s, claim, out) == 0 && s->visits)
		return 0;
	*out = NULL; /* what was written until then says too little */
	return -1;
}

int dd_describe(struct dd *d, struct arena *a, const struct describe_site *site, dd_node must,
		dd_node may, struct ast_cond **out)
{
	struct describer s = new_describer(d, a, site), other = s;
	struct ast_cond *exact = NULL;
	int bad;

	if (must == DD_NONE || may == DD_NONE)
		return -1;
	bad = by_branches(&s, may, out);
	if (!bad && !*out)
		return 0;
	if (must != may && by_branches(&other, must, &exact) == 0 && exact &&
	    (bad || is_shorter(exact, *out)))
		*out = exact;
	if (may_search(&s, *out))
		find_structure(&s, must, may, out);
	if (!*out)
		return -1;
	use_commas(*out);
	return 0;
}

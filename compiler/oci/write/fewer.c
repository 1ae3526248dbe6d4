/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a name answers, in fewer entries than the cubes of its diagram:
 *
 *	orders    whole registers are compared with LE, GE and NE: 3 entries where
 *	          `reg arg0 < 38 or reg arg0 > 40` takes 66 cubes
 *	choices   a refusal that many values of one argument get, whatever the others are, is one
 *	          entry whose conditions are each enough. Only refusals with an errno under a
 *	          default that refuses as well: who reads the conditions otherwise, refuses too.
 *
 * libseccomp builds some of this otherwise than it reads (orders beyond 31 bits, rules on several
 * arguments): the proof has the last word, and what it refuses is written again in masks. Where
 * another libseccomp is installed than the named one it cannot have it; then only what was measured
 * with each, orders of one register below 2^31 and rules that exclude each other.
 */
#include <string.h>

#include "compiler/oci/write/writer.h"

enum { RANGES_MAX = 64, CHOICE_MIN = 9 };

struct ranges { /* a register, cut where the answer changes */
	struct {
		uint64_t first, last;
		dd_node node;
	} v[RANGES_MAX + 1];
	size_t n;
};

struct conditions {
	struct arena *arena;
	VEC(struct oci_condition) v;
};

static bool take_range(void *ctx, uint64_t first, uint64_t last, dd_node n)
{
	struct ranges *r = ctx;

	r->v[r->n].first = first;
	r->v[r->n].last = last;
	r->v[r->n++].node = n;
	return true;
}

static bool has_narrow(const struct oci_leaf *l)
{
	for (int a = 0; a < ARCH_NR; a++)
		if (l->arches & ARCH_BIT(a) && oci_is_narrow((enum arch)a) &&
		    l->name->sys->nr[a] >= 0)
			return true;
	return false;
}

/* The largest number that an order may have. */
static uint64_t largest_bound(const struct oci_leaf *l)
{
	if (!l->w->compared)
		return INT32_MAX;
	return has_narrow(l) ? UINT32_MAX : UINT64_MAX;
}

static bool add_order(struct conditions *out, unsigned arg, enum oci_op op, uint64_t bound,
		      uint64_t largest)
{
	vec_push(out->arena, &out->v,
		 ((struct oci_condition){ (uint8_t)arg, op, bound, UINT64_MAX }));
	return bound <= largest;
}

/* Blocks of 2^n values, as large as fit. */
static bool add_blocks(struct conditions *out, unsigned arg, uint64_t first, uint64_t last)
{
	for (;;) {
		uint64_t size = first & -first;
		while (size - 1 > last - first)
			size /= 2;
		struct oci_condition c = { (uint8_t)arg, OCI_MASKED_EQ, first, ~(size - 1) };
		if (c.mask == UINT64_MAX)
			c.op = OCI_EQ;
		vec_push(out->arena, &out->v, c);
		if (size - 1 == last - first)
			return true;
		first += size;
	}
}

/* Is it all but one value? */
static bool is_all_but_one(const struct ranges *r, dd_node n, uint64_t *value)
{
	*value = r->v[1].first;
	return r->n == 3 && r->v[0].node == n && r->v[2].node == n && r->v[1].first == r->v[1].last;
}

/* The ranges of one node. false: no condition can say one of them here. */
static bool add_ranges(const struct oci_leaf *l, struct conditions *out, unsigned arg,
		       const struct ranges *r, dd_node n)
{
	uint64_t largest = largest_bound(l), value;
	bool narrow = has_narrow(l), good = true;

	if (is_all_but_one(r, n, &value))
		return add_order(out, arg, OCI_NE, value, largest);
	for (size_t i = 0; i < r->n && good; i++) {
		if (r->v[i].node != n)
			continue;
		if (!r->v[i].first)
			good = add_order(out, arg, OCI_LE, r->v[i].last, largest);
		else if (r->v[i].last == UINT64_MAX)
			good = add_order(out, arg, OCI_GE, r->v[i].first, largest);
		else
			good = !(narrow && r->v[i].last >> 32) &&
			       add_blocks(out, arg, r->v[i].first, r->v[i].last);
	}
	return good;
}

static void add_piece(struct oci_leaf *l, const struct oci_condition *c, struct verdict v)
{
	struct oci_piece p = { .cube.c.verdict = v };

	if (c->op == OCI_EQ || c->op == OCI_MASKED_EQ) {
		p.cube.c.mask[c->arg] = c->mask;
		p.cube.c.value[c->arg] = c->value;
	} else {
		p.cube.ordered = true;
		p.cube.arg = c->arg;
		p.cube.op = c->op;
		p.cube.bound = c->value;
	}
	vec_push(l->w->arena, &l->pieces, p);
}

/* ---- orders ---- */

/* How many cubes would it take? At most `enough` are of interest. */
static bool takes_more_cubes(const struct oci_leaf *l, dd_node n, size_t than)
{
	struct cube_list cubes = { .w = l->w };

	return !oci_cubes(&cubes, n) || cubes.v.n > than;
}

static bool node_before(const struct ranges *r, size_t i)
{
	for (size_t k = 0; k < i; k++)
		if (r->v[k].node == r->v[i].node)
			return true;
	return false;
}

struct path { /* conditions that all hold, of rising arguments */
	struct oci_condition v[6];
	size_t n;
};

static bool has_order(const struct path *p)
{
	for (size_t i = 0; i < p->n; i++)
		if (p->v[i].op != OCI_EQ && p->v[i].op != OCI_MASKED_EQ)
			return true;
	return false;
}

static void add_path(struct oci_leaf *l, const struct path *p, struct verdict v)
{
	struct oci_piece piece = { .cube.c.verdict = v };

	if (p->n == 1) {
		add_piece(l, p->v, v);
		return;
	}
	if (has_order(p))
		piece.list =
			(struct oci_conditions){ arena_dup(l->w->arena, p->v, p->n * sizeof(*p->v)),
						 p->n };
	for (size_t i = 0; i < p->n && !piece.list.n; i++) {
		piece.cube.c.mask[p->v[i].arg] = p->v[i].mask;
		piece.cube.c.value[p->v[i].arg] = p->v[i].value;
	}
	vec_push(l->w->arena, &l->pieces, piece);
}

static unsigned first_argument(unsigned fields)
{
	unsigned arg = 0;

	while (!(fields >> arg & 1))
		arg++;
	return arg;
}

/* Argument after argument: the ranges that lead to one node, and what that answers. */
static bool add_orders(struct oci_leaf *l, dd_node n, struct path *p)
{
	struct dd *d = l->w->d->dd;
	struct ranges r = { .n = 0 };
	struct verdict v;

	if (dd_is_terminal(d, n, &v)) {
		if (!verdict_eq(v, l->w->jd))
			add_path(l, p, v);
		return l->pieces.n <= ARTIFACT_RULES;
	}
	unsigned arg = first_argument(dd_fields(d, n));
	if (!dd_values(d, n, (enum dd_field)arg, RANGES_MAX, take_range, &r))
		return false;
	for (size_t i = 0; i < r.n; i++) {
		struct conditions found = { .arena = l->w->arena };
		if ((dd_is_terminal(d, r.v[i].node, &v) && verdict_eq(v, l->w->jd)) ||
		    node_before(&r, i))
			continue;
		if (!add_ranges(l, &found, arg, &r, r.v[i].node))
			return false;
		p->n++;
		vec_each(&found.v, c) {
			p->v[p->n - 1] = *c;
			if (!add_orders(l, r.v[i].node, p))
				return false;
		}
		p->n--;
	}
	return true;
}

bool oci_intervals(struct oci_leaf *l, dd_node n)
{
	unsigned fields = dd_fields(l->w->d->dd, n);
	struct path p = { .n = 0 };
	size_t first = l->pieces.n;

	/* Of several arguments libseccomp builds such rules otherwise now and then. */
	if (!fields || (fields & (fields - 1) && !l->w->compared))
		return false;
	if (add_orders(l, n, &p) && takes_more_cubes(l, n, l->pieces.n - first))
		return true;
	l->pieces.n = first;
	return false;
}

/* ---- choices ---- */

static bool is_other_errno(struct verdict x, struct verdict jd)
{
	return x.kind == VERDICT_ERRNO && !verdict_eq(x, jd);
}

/* Cubes that narrow architectures would see without their high words say something else there. */
static bool add_cubes(const struct oci_leaf *l, struct conditions *out, unsigned arg, dd_node n)
{
	struct cube_list cubes = { .w = l->w };
	bool narrow = has_narrow(l);

	if (!oci_cubes(&cubes, n))
		return false;
	vec_each(&cubes.v, c) {
		if (narrow && c->value[arg] >> 32)
			return false;
		vec_push(out->arena, &out->v,
			 ((struct oci_condition){
				 (uint8_t)arg, c->mask[arg] == UINT64_MAX ? OCI_EQ : OCI_MASKED_EQ,
				 c->value[arg], c->mask[arg] }));
	}
	return true;
}

/* The values of one argument for which the claim holds, in as few conditions as can be. */
static bool conditions_of(const struct oci_leaf *l, struct conditions *out, unsigned arg,
			  dd_node claim, struct verdict v)
{
	struct writer *w = l->w;
	struct conditions masks = { .arena = w->arena }, orders = { .arena = w->arena };
	struct ranges r = { .n = 0 };
	bool masked = add_cubes(
		l, &masks, arg,
		dd_choose(w->d->dd, claim, dd_terminal(w->d->dd, v), dd_terminal(w->d->dd, w->jd)));
	bool ordered = dd_values(w->d->dd, claim, (enum dd_field)arg, RANGES_MAX, take_range, &r) &&
		       add_ranges(l, &orders, arg, &r, DD_TRUE);

	if (!masked && !ordered)
		return false;
	*out = ordered && (!masked || orders.v.n < masks.v.n) ? orders : masks;
	return true;
}

struct choice { /* of one verdict: by argument, where that alone decides so */
	struct conditions of[6];
	dd_node claims[6];
};

static size_t conditions_in(const struct choice *c)
{
	size_t n = 0;

	for (unsigned i = 0; i < 6; i++)
		n += c->of[i].v.n;
	return n;
}

/*
 * crun looks at six conditions of an entry. Docker's JSON is loaded by runc, unless it is said to
 * be for crun; OCI's by either.
 */
static size_t conditions_max(const struct writer *w)
{
	return w->opt->runtime.kind == OCI_CRUN || w->opt->dialect == OCI_DIALECT_OCI ?
		       OCI_CRUN_ARGS :
		       ARTIFACT_RULES;
}

/* How many entries the refusals of one argument are, and what they leave. SIZE_MAX: too many. */
static size_t entries_with(const struct oci_leaf *l, const struct choice *c, unsigned arg,
			   dd_node n)
{
	struct cube_list left = { .w = l->w };
	struct dd *d = l->w->d->dd;
	size_t max = conditions_max(l->w);

	if (!oci_cubes(&left, dd_choose(d, c->claims[arg], dd_terminal(d, l->w->jd), n)))
		return SIZE_MAX;
	return left.v.n + (c->of[arg].v.n + max - 1) / max;
}

/*
 * Rules that overlap, on several arguments, only where the library that builds them is seen to: of
 * socket options the level, without which each value of one is refused with some thirty levels.
 */
static void keep_best(const struct oci_leaf *l, struct choice *c, dd_node n)
{
	size_t fewest = SIZE_MAX;
	unsigned best = 0;

	for (unsigned i = 0; i < 6; i++) {
		size_t entries = c->of[i].v.n ? entries_with(l, c, i, n) : SIZE_MAX;
		if (entries < fewest || (entries == fewest && c->of[i].v.n > c->of[best].v.n)) {
			fewest = entries;
			best = i;
		}
	}
	for (unsigned i = 0; i < 6; i++)
		if (i != best)
			c->of[i].v.n = 0;
}

static void add_entry(struct oci_leaf *l, const struct oci_condition *v, size_t n,
		      struct verdict verdict)
{
	if (n == 1) {
		add_piece(l, v, verdict);
		return;
	}
	vec_push(l->w->arena, &l->pieces,
		 ((struct oci_piece){ .cube.c.verdict = verdict, .list = { v, n } }));
}

static void add_entries(struct oci_leaf *l, const struct choice *c, struct verdict v)
{
	size_t max = conditions_max(l->w);
	struct conditions all = { .arena = l->w->arena };

	/* More than there are arguments: some index stands there twice. */
	for (unsigned i = 0; i < 6; i++) {
		const struct oci_condition *of = c->of[i].v.v;
		size_t n = c->of[i].v.n;
		for (size_t k = 0; k < n && max < CHOICE_MIN; k += max)
			add_entry(l, of + k, n - k < max ? n - k : max, v);
		for (size_t k = 0; k < n && max >= CHOICE_MIN; k++)
			vec_push(all.arena, &all.v, of[k]);
	}
	if (all.v.n)
		add_entry(l, all.v.v, all.v.n, v);
}

/* What of the claim, a part of n, has entries now. */
static dd_node add_choice(struct oci_leaf *l, dd_node n, dd_node claim, struct verdict v)
{
	struct dd *d = l->w->d->dd;
	struct choice c = { .claims = { 0 } };
	unsigned fields = dd_fields(d, claim);
	dd_node taken = DD_FALSE;

	for (unsigned i = 0; i < 6; i++) {
		if (!(fields >> i & 1))
			continue;
		c.claims[i] = dd_whatever_else(d, claim, (enum dd_field)i);
		if (c.claims[i] != DD_FALSE && c.claims[i] != DD_NONE &&
		    !conditions_of(l, &c.of[i], i, c.claims[i], v))
			c.of[i].v.n = 0;
	}
	if (!l->w->compared)
		keep_best(l, &c, n);
	size_t many = conditions_in(&c);
	if (many < CHOICE_MIN || many > ARTIFACT_RULES)
		return DD_FALSE;
	add_entries(l, &c, v);
	for (unsigned i = 0; i < 6; i++)
		if (c.of[i].v.n)
			taken = dd_or(d, taken, c.claims[i]);
	return taken;
}

dd_node oci_choices(struct oci_leaf *l, dd_node n)
{
	struct dd *d = l->w->d->dd;
	dd_node jd = dd_terminal(d, l->w->jd);
	struct dd_point at;

	if (l->w->jd.kind != VERDICT_ERRNO || dd_is_terminal(d, n, NULL))
		return n;
	dd_node left = dd_compare(d, n, jd, is_other_errno);
	while (dd_witness(d, left, &at)) {
		struct verdict v = dd_eval_at(d, n, &at);
		dd_node claim = dd_compare(d, n, dd_terminal(d, v), verdict_eq);
		if (claim == DD_NONE)
			return DD_NONE;
		left = dd_and(d, left, dd_not(d, claim));
		n = dd_choose(d, add_choice(l, n, claim, v), jd, n);
	}
	return n;
}

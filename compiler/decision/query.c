/* SPDX-License-Identifier: Apache-2.0 */
/* Questions to a diagram: what it answers, where two differ, which paths it has. */
#include <string.h>

#include "compiler/base/bug.h"
#include "compiler/decision/dd.h"

struct dd_point dd_point_of(const struct environment *env, const struct call *c)
{
	struct dd_point p = { 0 };

	memcpy(p.at, c->args, sizeof(c->args));
	p.at[DD_CALL] = DD_CALL_OF(c->audit_arch, c->nr);
	p.at[DD_CAPS] = env->caps_known ? env->caps : 0;
	p.at[DD_SYSTEM] = DD_SYSTEM_OF(env->kernel, env->host);
	return p;
}

void dd_point_tell(const struct dd_point *at, struct environment *env, struct call *c)
{
	*env = (struct environment){
		.caps_known = true,
		.caps = at->at[DD_CAPS],
		.kernel_known = true,
		.kernel = (uint16_t)(at->at[DD_SYSTEM] >> 8),
		.host_known = true,
		.host = (enum arch)(at->at[DD_SYSTEM] & 0xff),
	};
	*c = (struct call){ .audit_arch = (uint32_t)(at->at[DD_CALL] >> 32),
			    .nr = (uint32_t)at->at[DD_CALL] };
	memcpy(c->args, at->at, sizeof(c->args));
}

static dd_node end_at(const struct dd *d, dd_node n, const struct dd_point *p)
{
	const struct node *k = &d->nodes.v[n];

	for (; k->bit != DD_TERMINAL; k = &d->nodes.v[n])
		n = p->at[rank_field(k->bit / 64)] >> (63 - k->bit % 64) & 1 ? k->high : k->low;
	return n;
}

struct verdict dd_eval_at(const struct dd *d, dd_node n, const struct dd_point *p)
{
	struct verdict v;

	dd_is_terminal(d, end_at(d, n, p), &v);
	return v;
}

bool dd_holds_at(const struct dd *d, dd_node claim, const struct dd_point *p)
{
	return end_at(d, claim, p) == DD_TRUE;
}

struct verdict dd_eval(const struct dd *d, dd_node n, const uint64_t args[6])
{
	struct dd_point p = { { 0 } };

	memcpy(p.at, args, 6 * sizeof(args[0]));
	return dd_eval_at(d, n, &p);
}

dd_node dd_call(const struct dd *d, dd_node root, uint32_t audit_arch, uint32_t nr)
{
	uint64_t call = DD_CALL_OF(audit_arch, nr);

	if (root == DD_NONE)
		return DD_NONE;
	for (const struct node *k = &d->nodes.v[root]; k->bit < 64; k = &d->nodes.v[root])
		root = call >> (63 - k->bit) & 1 ? k->high : k->low;
	return root;
}

/* ---- numbers and values as ranges ---- */

struct ranges {
	const struct dd *d;
	uint32_t end; /* the first bit behind those that are walked */
	size_t left;
	bool (*fn)(void *ctx, uint64_t first, uint64_t last, dd_node n);
	void *ctx;
	uint64_t first; /* of the range being collected */
	dd_node node;   /* DD_NONE: none yet */
};

/* Of the last so many bits before the end; those before them are `first`'s. */
static bool walk_ranges(struct ranges *s, dd_node n, uint64_t first, unsigned bits)
{
	if (s->d->nodes.v[n].bit < s->end)
		return walk_ranges(s, child(s->d, n, s->end - bits, false), first, bits - 1) &&
		       walk_ranges(s, child(s->d, n, s->end - bits, true),
				   first | UINT64_C(1) << (bits - 1), bits - 1);
	if (n == s->node)
		return true;
	bool go_on = s->node == DD_NONE || s->fn(s->ctx, s->first, first - 1, s->node);
	s->first = first;
	s->node = n;
	return go_on && s->left-- > 0;
}

struct numbers {
	bool (*fn)(void *ctx, uint32_t first, uint32_t last, dd_node n);
	void *ctx;
};

static bool take_numbers(void *ctx, uint64_t first, uint64_t last, dd_node n)
{
	const struct numbers *s = ctx;

	return s->fn(s->ctx, (uint32_t)first, (uint32_t)last, n);
}

bool dd_numbers(const struct dd *d, dd_node root, uint32_t audit_arch, size_t max_ranges,
		bool (*fn)(void *ctx, uint32_t first, uint32_t last, dd_node n), void *ctx)
{
	struct numbers numbers = { fn, ctx };
	struct ranges s = { d, 64,     max_ranges ? max_ranges : SIZE_MAX, take_numbers, &numbers,
			    0, DD_NONE };

	if (root == DD_NONE)
		return false;
	for (const struct node *k = &d->nodes.v[root]; k->bit < 32; k = &d->nodes.v[root])
		root = audit_arch >> (31 - k->bit) & 1 ? k->high : k->low;
	return walk_ranges(&s, root, 0, 32) && fn(ctx, (uint32_t)s.first, UINT32_MAX, s.node);
}

bool dd_values(const struct dd *d, dd_node n, enum dd_field arg, size_t max_ranges,
	       bool (*fn)(void *ctx, uint64_t first, uint64_t last, dd_node n), void *ctx)
{
	struct ranges s = { d, bit_of(arg, 0) + 1, max_ranges, fn, ctx, 0, DD_NONE };

	return n != DD_NONE && walk_ranges(&s, n, 0, 64) && fn(ctx, s.first, UINT64_MAX, s.node);
}

/* ---- paths ---- */

struct walk {
	const struct dd *d;
	uint32_t stop;
	bool (*fn)(void *ctx, const struct dd_path *p);
	void *ctx;
	struct dd_path path;
};

static bool walk_paths(struct walk *w, dd_node n)
{
	const struct node *k = &w->d->nodes.v[n];

	if (k->bit >= w->stop || k->bit == DD_TERMINAL) {
		w->path.node = n;
		return w->fn(w->ctx, &w->path);
	}
	enum dd_field f = rank_field(k->bit / 64);
	uint64_t bit = UINT64_C(1) << (63 - k->bit % 64);
	w->path.mask[f] |= bit;
	bool go_on = walk_paths(w, k->low);
	w->path.value[f] |= bit;
	go_on = go_on && walk_paths(w, k->high);
	w->path.mask[f] &= ~bit;
	w->path.value[f] &= ~bit;
	return go_on;
}

bool dd_paths(const struct dd *d, dd_node n, uint32_t stop,
	      bool (*fn)(void *ctx, const struct dd_path *p), void *ctx)
{
	struct walk w = { .d = d, .stop = stop, .fn = fn, .ctx = ctx };

	return n != DD_NONE && walk_paths(&w, n);
}

struct cube_walk {
	const struct dd *d;
	bool (*fn)(void *ctx, const struct dd_cube *c);
	void *ctx;
};

static bool take_path(void *ctx, const struct dd_path *p)
{
	const struct cube_walk *w = ctx;
	struct dd_cube c;

	for (unsigned f = DD_IP; f < DD_FIELDS; f++)
		BUG_ON(p->mask[f]);
	memcpy(c.mask, p->mask, sizeof(c.mask));
	memcpy(c.value, p->value, sizeof(c.value));
	dd_is_terminal(w->d, p->node, &c.verdict);
	return w->fn(w->ctx, &c);
}

bool dd_cubes(const struct dd *d, dd_node n, bool (*fn)(void *ctx, const struct dd_cube *c),
	      void *ctx)
{
	struct cube_walk w = { d, fn, ctx };

	return dd_paths(d, n, UINT32_MAX, take_path, &w);
}

/* ---- what is known to hold ---- */

void dd_memo_start(struct dd *d)
{
	if (d->memo_size < d->nodes.n) {
		d->memo_size = d->nodes.n * 2;
		d->memo = ARENA_ARRAY(d->arena, struct memo, d->memo_size);
		d->stamp = 0;
	}
	d->stamp++;
}

bool dd_memo_first(struct dd *d, dd_node n)
{
	bool first = d->memo[n].stamp != d->stamp;

	d->memo[n].stamp = d->stamp;
	return first;
}

static uint32_t count_paths(struct dd *d, dd_node n, dd_node but)
{
	const struct node *k = &d->nodes.v[n];

	if (k->bit == DD_TERMINAL)
		return n != but;
	if (dd_memo_first(d, n)) {
		uint64_t sum = (uint64_t)count_paths(d, k->low, but) + count_paths(d, k->high, but);
		d->memo[n].result = sum < UINT32_MAX ? (uint32_t)sum : UINT32_MAX;
	}
	return d->memo[n].result;
}

uint32_t dd_count_paths(struct dd *d, dd_node n, const struct verdict *but)
{
	dd_node not_counted = but ? dd_terminal(d, *but) : DD_NONE;

	if (n == DD_NONE)
		return UINT32_MAX;
	dd_memo_start(d);
	return count_paths(d, n, not_counted);
}

static dd_node restrict_node(struct dd *d, dd_node n, const struct dd_path *known)
{
	uint32_t bit = d->nodes.v[n].bit;

	if (bit == DD_TERMINAL)
		return n;
	/* Nodes made meanwhile lie behind the memo; only older ones are visited. */
	if (d->memo[n].stamp == d->stamp)
		return d->memo[n].result;
	enum dd_field f = rank_field(bit / 64);
	unsigned shift = 63 - bit % 64;
	dd_node low = child(d, n, bit, false), high = child(d, n, bit, true), r;
	if (known->mask[f] >> shift & 1) {
		r = restrict_node(d, known->value[f] >> shift & 1 ? high : low, known);
	} else {
		low = restrict_node(d, low, known);
		high = restrict_node(d, high, known);
		r = dd_make(d, bit, low, high);
	}
	d->memo[n].stamp = d->stamp;
	d->memo[n].result = r;
	return r;
}

static dd_node restrict_all(struct dd *d, dd_node n, const struct dd_path *known)
{
	if (n == DD_NONE)
		return DD_NONE;
	dd_memo_start(d);
	return restrict_node(d, n, known);
}

dd_node dd_restrict(struct dd *d, dd_node n, const uint64_t mask[6], const uint64_t value[6])
{
	struct dd_path known = { .node = n };

	memcpy(known.mask, mask, 6 * sizeof(mask[0]));
	memcpy(known.value, value, 6 * sizeof(value[0]));
	return restrict_all(d, n, &known);
}

dd_node dd_fix(struct dd *d, dd_node n, enum dd_field f, uint64_t mask, uint64_t value)
{
	struct dd_path known = { .node = n };

	known.mask[f] = mask;
	known.value[f] = value;
	return restrict_all(d, n, &known);
}

struct quantifier {
	uint32_t rank; /* of one field ... */
	bool but_one;  /* ... of all but which the values are */
	bool some;     /* that one exists, not that all do */
};

static dd_node quantify(struct dd *d, dd_node n, const struct quantifier *q)
{
	uint32_t bit = d->nodes.v[n].bit;

	if (bit == DD_TERMINAL)
		return n;
	if (bit / 64 > q->rank) /* it looks at nothing but other fields, and at one of them */
		return !q->but_one ? n : q->some ? DD_TRUE : DD_FALSE;
	/* As in restrict_node(): only nodes older than the walk are visited. */
	if (d->memo[n].stamp == d->stamp)
		return d->memo[n].result;
	dd_node low = quantify(d, child(d, n, bit, false), q), high, r = low;
	bool stays = (bit / 64 == q->rank) == q->but_one;
	if (stays || low != (q->some ? DD_TRUE : DD_FALSE)) {
		high = quantify(d, child(d, n, bit, true), q);
		r = stays   ? dd_make(d, bit, low, high) :
		    q->some ? dd_or(d, low, high) :
			      dd_and(d, low, high);
	}
	d->memo[n].stamp = d->stamp;
	d->memo[n].result = r;
	return r;
}

static dd_node quantify_all(struct dd *d, dd_node claim, const struct quantifier *q)
{
	if (claim == DD_NONE)
		return DD_NONE;
	dd_memo_start(d);
	return quantify(d, claim, q);
}

dd_node dd_whatever_else(struct dd *d, dd_node claim, enum dd_field f)
{
	return quantify_all(d, claim, &(struct quantifier){ field_rank(f), true, false });
}

dd_node dd_whatever(struct dd *d, dd_node claim, enum dd_field f)
{
	return quantify_all(d, claim, &(struct quantifier){ field_rank(f), false, false });
}

dd_node dd_project(struct dd *d, dd_node claim, enum dd_field f)
{
	return quantify_all(d, claim, &(struct quantifier){ field_rank(f), true, true });
}

bool dd_names_architectures(const struct dd *d, dd_node n)
{
	return n != DD_NONE && d->nodes.v[n].bit <= bit_of(DD_CALL, 32);
}

/* ---- two diagrams ---- */

bool dd_differ_at(struct dd *d, dd_node x, dd_node y, struct dd_point *p)
{
	memset(p, 0, sizeof(*p));
	if (x == y || x == DD_NONE || y == DD_NONE)
		return false;
	/* Canonical: different nodes differ somewhere, so one of the two branches does. */
	for (;;) {
		uint32_t bit = d->nodes.v[x].bit;
		if (d->nodes.v[y].bit < bit)
			bit = d->nodes.v[y].bit;
		if (bit == DD_TERMINAL)
			return true;
		bool high = child(d, x, bit, false) == child(d, y, bit, false);
		if (high)
			p->at[rank_field(bit / 64)] |= UINT64_C(1) << (63 - bit % 64);
		x = child(d, x, bit, high);
		y = child(d, y, bit, high);
	}
}

bool dd_differ(struct dd *d, dd_node x, dd_node y, uint64_t args[6])
{
	struct dd_point p;
	bool differ = dd_differ_at(d, x, y, &p);

	memcpy(args, p.at, 6 * sizeof(args[0]));
	return differ;
}

bool dd_witness(const struct dd *d, dd_node claim, struct dd_point *p)
{
	memset(p, 0, sizeof(*p));
	if (claim == DD_FALSE || claim == DD_NONE)
		return false;
	/* Reduced: a claim that is not FALSE has a way to TRUE through every branch but FALSE. */
	for (const struct node *k; (k = &d->nodes.v[claim])->bit != DD_TERMINAL;) {
		bool high = k->low == DD_FALSE;
		if (high)
			p->at[rank_field(k->bit / 64)] |= UINT64_C(1) << (63 - k->bit % 64);
		claim = high ? k->high : k->low;
	}
	BUG_ON(claim != DD_TRUE);
	return true;
}

struct operation { /* on two terminals; exactly one of the two is set */
	bool (*claim)(struct verdict x, struct verdict y);
	struct verdict (*verdict)(struct verdict x, struct verdict y);
	dd_node tag; /* of its results in the cache */
};

static dd_node operate(struct dd *d, const struct operation *op, dd_node x, dd_node y)
{
	struct verdict vx, vy;

	if (x == DD_NONE || y == DD_NONE)
		return DD_NONE;
	if (dd_is_terminal(d, x, &vx) && dd_is_terminal(d, y, &vy)) {
		if (op->verdict)
			return dd_terminal(d, op->verdict(vx, vy));
		return op->claim(vx, vy) ? DD_TRUE : DD_FALSE;
	}
	const struct computed *c = dd_computed(d, x, y, op->tag);
	if (c->f == x && c->g == y && c->h == op->tag)
		return c->result;
	if (!dd_step(d))
		return DD_NONE;
	uint32_t bit = d->nodes.v[x].bit;
	if (d->nodes.v[y].bit < bit)
		bit = d->nodes.v[y].bit;
	dd_node low = operate(d, op, child(d, x, bit, false), child(d, y, bit, false));
	dd_node high = operate(d, op, child(d, x, bit, true), child(d, y, bit, true));
	dd_node r = dd_make(d, bit, low, high);
	if (r != DD_NONE)
		*dd_computed(d, x, y, op->tag) = (struct computed){ x, y, op->tag, r };
	return r;
}

dd_node dd_compare(struct dd *d, dd_node x, dd_node y,
		   bool (*f)(struct verdict x, struct verdict y))
{
	struct operation op = { .claim = f, .tag = d->operation-- };

	return operate(d, &op, x, y);
}

static struct verdict more_restrictive(struct verdict x, struct verdict y)
{
	return y.kind < x.kind ? y : x;
}

dd_node dd_stack(struct dd *d, dd_node x, dd_node y)
{
	struct operation op = { .verdict = more_restrictive, .tag = d->operation-- };

	return operate(d, &op, x, y);
}

/* ---- fields ---- */

static void mark_fields(struct dd *d, dd_node n, unsigned *fields)
{
	const struct node *k = &d->nodes.v[n];

	if (k->bit == DD_TERMINAL || d->memo[n].stamp == d->stamp)
		return;
	d->memo[n].stamp = d->stamp;
	*fields |= 1u << rank_field(k->bit / 64);
	mark_fields(d, k->low, fields);
	mark_fields(d, k->high, fields);
}

unsigned dd_fields(struct dd *d, dd_node n)
{
	unsigned fields = 0;

	if (n == DD_NONE)
		return 0;
	dd_memo_start(d);
	mark_fields(d, n, &fields);
	return fields;
}

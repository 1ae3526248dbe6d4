/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The program as a graph: equal instructions with equal continuations are one node, so tails
 * are shared by construction. Layout goes backwards (as kafel does): what a jump leads to has
 * its place already, so the distance is known exactly; past 255 a `ret` is repeated, anything
 * else is reached through a `ja` put in between.
 */
#include <errno.h>
#include <string.h>

#include "compiler/base/bug.h"
#include "compiler/cbpf/gen.h"

enum { SIZE_CAP = 1 << 20, NOT_PLACED = -1, JUMP_MAX = 255 };

void code_init(struct code *c, struct arena *a, unsigned plant)
{
	*c = (struct code){ .arena = a, .plant = plant };
}

static uint32_t hash_node(const struct code_node *n)
{
	uint64_t h = (uint64_t)n->kind * 0x9e3779b97f4a7c15u ^ n->op;

	h = (h ^ n->k) * 0xff51afd7ed558ccdu;
	h = (h ^ h >> 32 ^ n->t) * 0xc4ceb9fe1a85ec53u;
	h = (h ^ h >> 29 ^ n->f) * 0xff51afd7ed558ccdu;
	return (uint32_t)(h ^ h >> 32);
}

static bool same_node(const struct code_node *x, const struct code_node *y)
{
	return x->kind == y->kind && x->op == y->op && x->k == y->k && x->t == y->t && x->f == y->f;
}

static void grow_table(struct code *c)
{
	size_t cap = c->cap ? c->cap * 2 : 1024;
	uint32_t *table = ARENA_ARRAY(c->arena, uint32_t, cap);

	arena_give_back(c->arena, c->table, c->cap * sizeof(*table));
	for (size_t i = 0; i < c->nodes.n; i++) {
		size_t at = hash_node(&c->nodes.v[i]) & (cap - 1);
		while (table[at])
			at = (at + 1) & (cap - 1);
		table[at] = (uint32_t)i + 1;
	}
	c->table = table;
	c->cap = cap;
}

static code_id find_node(struct code *c, struct code_node n)
{
	if (c->nodes.n * 2 >= c->cap)
		grow_table(c);
	size_t at = hash_node(&n) & (c->cap - 1);
	for (; c->table[at]; at = (at + 1) & (c->cap - 1))
		if (same_node(&c->nodes.v[c->table[at] - 1], &n))
			return c->table[at] - 1;
	vec_push_own(c->arena, &c->nodes, n);
	c->table[at] = (uint32_t)c->nodes.n;
	return (code_id)c->nodes.n - 1;
}

static uint32_t size_below(const struct code *c, code_id t, code_id f)
{
	uint32_t size = c->nodes.v[t].size + c->nodes.v[f].size + 1;

	return size < SIZE_CAP ? size : SIZE_CAP;
}

static uint32_t height_above(const struct code *c, code_id t, code_id f)
{
	uint32_t x = c->nodes.v[t].height, y = c->nodes.v[f].height;

	return (x > y ? x : y) + 1;
}

code_id code_ret(struct code *c, uint32_t value)
{
	return find_node(c, (struct code_node){ .kind = CODE_RET, .k = value, .height = 1 });
}

code_id code_load(struct code *c, uint32_t offset, code_id next)
{
	if (c->nodes.v[next].kind == CODE_RET)
		return next;
	return find_node(c, (struct code_node){ .kind = CODE_LOAD,
						.k = offset,
						.t = next,
						.size = c->nodes.v[next].size + 1,
						.height = c->nodes.v[next].height + 1 });
}

code_id code_and(struct code *c, uint32_t mask, code_id next)
{
	if (mask == UINT32_MAX || c->nodes.v[next].kind == CODE_RET ||
	    PLANTED(c->plant, PLANT_MASK))
		return next;
	return find_node(c, (struct code_node){ .kind = CODE_AND,
						.k = mask,
						.t = next,
						.size = c->nodes.v[next].size + 1,
						.height = c->nodes.v[next].height + 1 });
}

code_id code_jump(struct code *c, uint16_t op, uint32_t k, code_id t, code_id f)
{
	if (t == f)
		return t;
	if (op == BPF_JGE && PLANTED(c->plant, PLANT_JGE_JGT))
		op = BPF_JGT;
	if (op == BPF_JEQ && PLANTED(c->plant, PLANT_SWAPPED_LEAF)) {
		code_id swap = t;
		t = f;
		f = swap;
	}
	return find_node(c, (struct code_node){ .kind = CODE_JUMP,
						.op = op,
						.k = k,
						.t = t,
						.f = f,
						.size = size_below(c, t, f),
						.height = height_above(c, t, f) });
}

/* ---- loads of what A holds already ---- */

struct held { /* A: (word at offset) & mask */
	uint32_t offset, mask;
};

#define HELD_NOTHING ((struct held){ UINT32_MAX, 0 })

struct rewrite_slot {
	code_id from, to;
	struct held held;
	bool used;
};

struct rewrite {
	struct code *c;
	struct rewrite_slot *slots;
	size_t n, cap;
};

static size_t find_slot(const struct rewrite *r, code_id from, struct held h)
{
	uint64_t x = (uint64_t)from << 32 | h.offset;
	x = (x ^ (uint64_t)h.mask << 20) * 0x9e3779b97f4a7c15u;
	size_t at = (size_t)(x >> 32) & (r->cap - 1);

	while (r->slots[at].used &&
	       (r->slots[at].from != from || r->slots[at].held.offset != h.offset ||
		r->slots[at].held.mask != h.mask))
		at = (at + 1) & (r->cap - 1);
	return at;
}

static void grow_slots(struct rewrite *r)
{
	struct rewrite_slot *old = r->slots;
	size_t n = r->cap;

	r->cap = n ? n * 4 : 64;
	r->slots = ARENA_ARRAY(r->c->arena, struct rewrite_slot, r->cap);
	for (size_t i = 0; i < n; i++)
		if (old[i].used)
			r->slots[find_slot(r, old[i].from, old[i].held)] = old[i];
	arena_give_back(r->c->arena, old, n * sizeof(*old));
}

/* Is what a load would bring in A already? */
static bool holds(const struct rewrite *r, struct held h, uint32_t offset)
{
	if (PLANTED(r->c->plant, PLANT_STALE_A) && h.offset != UINT32_MAX && h.offset >= 16 &&
	    offset >= 16)
		return true;
	return h.offset == offset && h.mask == UINT32_MAX;
}

static code_id rewrite(struct rewrite *r, code_id id, struct held h)
{
	struct code *c = r->c;
	struct code_node n = c->nodes.v[id];
	code_id to = id;

	if (n.kind == CODE_RET)
		return id;
	size_t at = find_slot(r, id, h);
	if (r->slots[at].used)
		return r->slots[at].to;
	switch (n.kind) {
	case CODE_RET: break;
	case CODE_LOAD:
		if (holds(r, h, n.k))
			to = rewrite(r, n.t, h);
		else
			to = code_load(c, n.k, rewrite(r, n.t, (struct held){ n.k, UINT32_MAX }));
		break;
	case CODE_AND:
		to = code_and(c, n.k, rewrite(r, n.t, (struct held){ h.offset, h.mask & n.k }));
		break;
	case CODE_JUMP:
		to = rewrite(r, n.t, h);
		to = code_jump(c, n.op, n.k, to, rewrite(r, n.f, h));
		break;
	}
	if (++r->n * 2 >= r->cap)
		grow_slots(r);
	r->slots[find_slot(r, id, h)] = (struct rewrite_slot){ id, to, h, true };
	return to;
}

code_id code_drop_loads(struct code *c, code_id root)
{
	struct rewrite r = { .c = c };
	unsigned plant = c->plant;

	/* The graph is built: constructors must not plant their bug a second time. */
	if (plant != PLANT_STALE_A)
		c->plant = PLANT_NONE;
	grow_slots(&r);
	code_id to = rewrite(&r, root, HELD_NOTHING);
	c->plant = plant;
	return to;
}

/* ---- size and layout ---- */

void code_count_start(struct code *c)
{
	c->visit++;
}

size_t code_count(struct code *c, code_id root)
{
	code_count_start(c);
	return code_count_more(c, root);
}

size_t code_count_more(struct code *c, code_id root)
{
	size_t count = 0;

	/* A stack of its own: the graph may be deeper than the machine's. */
	c->todo.n = 0;
	vec_push_own(c->arena, &c->todo, root);
	while (c->todo.n) {
		struct code_node *node = &c->nodes.v[c->todo.v[--c->todo.n]];
		if (node->kind == CODE_RET || node->visit == c->visit)
			continue;
		node->visit = c->visit;
		count++;
		vec_push_own(c->arena, &c->todo, node->t);
		if (node->kind == CODE_JUMP)
			vec_push_own(c->arena, &c->todo, node->f);
	}
	return count;
}

struct layout {
	struct code *c;
	struct sock_filter *rev; /* the program from its end: rev[0] comes last */
	size_t n, max;
	int32_t *at;   /* where jumps to a node go: itself, or the nearest `ja` to it */
	int32_t *real; /* where the node itself is */
};

static void put(struct layout *l, uint16_t code, uint32_t k, uint8_t t, uint8_t f)
{
	if (l->n < l->max)
		l->rev[l->n] = (struct sock_filter){ code, t, f, k };
	l->n++;
}

/* Instructions between the next one to be put and where `id` is. */
static size_t distance(const struct layout *l, code_id id)
{
	return l->n - (size_t)l->at[id] - 1;
}

static void put_again(struct layout *l, code_id id)
{
	const struct code_node *n = &l->c->nodes.v[id];
	int32_t here = (int32_t)l->n;

	if (n->kind == CODE_RET) {
		put(l, BPF_RET | BPF_K, n->k, 0, 0);
		l->real[id] = here;
	} else {
		put(l, BPF_JMP | BPF_JA, (uint32_t)(l->n - (size_t)l->real[id] - 1), 0, 0);
	}
	l->at[id] = here;
}

static void place(struct layout *l, code_id id);

/* The smaller side goes next to the jump, so that the other is as near as can be. */
static void place_jump(struct layout *l, const struct code_node *n)
{
	bool t_near = l->c->nodes.v[n->t].size < l->c->nodes.v[n->f].size;

	place(l, t_near ? n->f : n->t);
	place(l, t_near ? n->t : n->f);
	while (!PLANTED(l->c->plant, PLANT_LONG_JUMP)) {
		if (distance(l, n->t) > JUMP_MAX)
			put_again(l, n->t);
		else if (distance(l, n->f) > JUMP_MAX)
			put_again(l, n->f);
		else
			break;
	}
	put(l, (uint16_t)(BPF_JMP | n->op | BPF_K), n->k, (uint8_t)distance(l, n->t),
	    (uint8_t)distance(l, n->f));
}

static void place(struct layout *l, code_id id)
{
	struct code_node n = l->c->nodes.v[id];

	if (l->at[id] != NOT_PLACED || l->n > l->max)
		return;
	switch (n.kind) {
	case CODE_RET: put(l, BPF_RET | BPF_K, n.k, 0, 0); break;
	case CODE_LOAD:
	case CODE_AND:
		place(l, n.t);
		if (distance(l, n.t) != 0)
			put_again(l, n.t);
		put(l, n.kind == CODE_LOAD ? BPF_LD | BPF_W | BPF_ABS : BPF_ALU | BPF_AND | BPF_K,
		    n.k, 0, 0);
		break;
	case CODE_JUMP: place_jump(l, &n); break;
	}
	l->at[id] = l->real[id] = (int32_t)l->n - 1;
}

int code_layout(struct code *c, code_id root, struct cbpf *out)
{
	struct layout l = { .c = c, .max = CBPF_MAX };

	/* Bounds the recursion below too: a path is no longer than the graph. */
	if (code_count(c, root) > CBPF_MAX)
		return -E2BIG;
	l.rev = ARENA_ARRAY(c->arena, struct sock_filter, CBPF_MAX);
	l.at = ARENA_ARRAY(c->arena, int32_t, c->nodes.n);
	l.real = ARENA_ARRAY(c->arena, int32_t, c->nodes.n);
	memset(l.at, 0xff, c->nodes.n * sizeof(*l.at));
	place(&l, root);
	if (l.n > CBPF_MAX)
		return -E2BIG;
	if ((size_t)l.at[root] != l.n - 1)
		BUG("a program that does not begin with its root");
	out->n = l.n;
	out->insns = ARENA_ARRAY(c->arena, struct sock_filter, l.n);
	for (size_t i = 0; i < l.n; i++)
		out->insns[i] = l.rev[l.n - 1 - i];
	return 0;
}

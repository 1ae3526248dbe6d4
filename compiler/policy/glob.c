/* SPDX-License-Identifier: Apache-2.0 */
/*
 * AppArmor's globs as far as a policy needs them before any AppArmor text is written: are they
 * well formed, and is there a path that two of them match. A glob becomes a small automaton;
 * the product of two is searched breadth first, so that the witness is a shortest path.
 * Variables (@{HOME}) are not opened: they stand for themselves.
 */
#include <string.h>

#include "compiler/base/bug.h"
#include "compiler/policy/resolve.h"

enum { GLOB_MAX = 4096, GLOB_DEPTH = 50 };

/* ---- form ---- */

static size_t skip_variable(struct str g, size_t i)
{
	if (i + 1 >= g.n || g.p[i] != '@' || g.p[i + 1] != '{')
		return i;
	const char *end = memchr(g.p + i, '}', g.n - i);
	return end ? (size_t)(end - g.p) + 1 : i;
}

/* Behind the closing bracket of a class that opens at i; 0: never closed. */
static size_t skip_class(struct str g, size_t i)
{
	size_t k = i + 1;

	if (k < g.n && g.p[k] == '^')
		k++;
	size_t first = k;
	for (; k < g.n; k++) {
		if (g.p[k] == '\\')
			k++;
		else if (g.p[k] == ']' && k > first)
			return k + 1;
	}
	return 0;
}

const char *glob_check(struct str g)
{
	unsigned depth = 0, commas[GLOB_DEPTH + 1] = { 0 };

	if (g.n > GLOB_MAX)
		return "it is longer than 4096 bytes";
	for (size_t i = 0; i < g.n; i++) {
		size_t var = skip_variable(g, i);
		if (var > i) {
			i = var - 1;
			continue;
		}
		switch (g.p[i]) {
		case '\\':
			if (++i == g.n)
				return "it ends in a backslash";
			break;
		case '[':
			i = skip_class(g, i);
			if (!i--)
				return "'[' is never closed";
			break;
		case ']':
			return "']' closes nothing";
		case '{':
			if (++depth > GLOB_DEPTH)
				return "alternatives are nested too deep";
			commas[depth] = 0;
			break;
		case ',':
			commas[depth]++;
			break;
		case '}':
			if (!depth)
				return "'}' closes nothing";
			if (!commas[depth--])
				return "alternatives need a comma: '{a,b}'";
			break;
		}
	}
	return depth ? "'{' is never closed" : NULL;
}

/* ---- automata ---- */

struct state {
	bool consumes;   /* a byte of `set`, then a; else a and b without one (-1: none) */
	uint32_t set[8];
	int a, b;
};

struct nfa {
	struct arena *arena;
	VEC(struct state) states;
	int end;
};

static int add_state(struct nfa *n)
{
	struct state s = { .a = -1, .b = -1 };

	vec_push(n->arena, &n->states, s);
	return (int)n->states.n - 1;
}

static void set_byte(uint32_t set[8], unsigned char c)
{
	set[c / 32] |= UINT32_C(1) << c % 32;
}

static void set_all(uint32_t set[8], bool slash)
{
	memset(set, 0xff, 8 * sizeof(*set));
	set[0] &= ~UINT32_C(1); /* no NUL in a path */
	if (!slash)
		set['/' / 32] &= ~(UINT32_C(1) << '/' % 32);
}

static int add_set(struct nfa *n, int from, const uint32_t set[8])
{
	int to = add_state(n);

	n->states.v[from].consumes = true;
	memcpy(n->states.v[from].set, set, sizeof(n->states.v[from].set));
	n->states.v[from].a = to;
	return to;
}

static int add_loop(struct nfa *n, int from, const uint32_t set[8])
{
	int body = add_state(n), out = add_state(n);

	n->states.v[from].a = body;
	n->states.v[from].b = out;
	n->states.v[body].consumes = true;
	memcpy(n->states.v[body].set, set, sizeof(n->states.v[body].set));
	n->states.v[body].a = from;
	return out;
}

static size_t parse_class(struct str g, size_t i, uint32_t set[8])
{
	size_t end = skip_class(g, i) - 1, k = i + 1;
	bool negated = g.p[k] == '^';

	memset(set, 0, 8 * sizeof(*set));
	for (k += negated; k < end; k++) {
		if (g.p[k] == '\\')
			k++;
		unsigned char lo = (unsigned char)g.p[k], hi = lo;
		if (k + 2 < end && g.p[k + 1] == '-') {
			hi = (unsigned char)g.p[k + 2];
			k += 2;
		}
		for (unsigned c = lo; c <= hi; c++)
			set_byte(set, (unsigned char)c);
	}
	for (size_t w = 0; negated && w < 8; w++)
		set[w] = ~set[w];
	set[0] &= ~UINT32_C(1);
	return end + 1;
}

static int parse_star(struct nfa *n, struct str g, size_t *i, int from)
{
	size_t begin = *i;
	uint32_t set[8], first[8];
	bool deep = begin + 1 < g.n && g.p[begin + 1] == '*';

	while (*i < g.n && g.p[*i] == '*')
		++*i;
	set_all(set, deep);
	set_all(first, false);
	/* A whole component is never empty: "/x/" is not matched by "/x/" and a star. */
	if (begin && g.p[begin - 1] == '/' && (*i == g.n || g.p[*i] == '/'))
		from = add_set(n, from, first);
	else {
		int to = add_state(n);
		n->states.v[from].a = to;
		from = to;
	}
	return add_loop(n, from, set);
}

static int parse_sequence(struct nfa *n, struct str g, size_t *i, int from, bool inside);

static int parse_alternatives(struct nfa *n, struct str g, size_t *i, int from)
{
	int join = add_state(n);

	do {
		int branch = add_state(n), rest = add_state(n);
		n->states.v[from].a = branch;
		n->states.v[from].b = rest;
		from = rest;
		++*i; /* '{' or ',' */
		int end = parse_sequence(n, g, i, branch, true);
		n->states.v[end].a = join;
	} while (g.p[*i] == ',');
	++*i;
	return join;
}

static int parse_one(struct nfa *n, struct str g, size_t *i, int from)
{
	uint32_t set[8] = { 0 };

	switch (g.p[*i]) {
	case '*':
		return parse_star(n, g, i, from);
	case '{':
		return parse_alternatives(n, g, i, from);
	case '?':
		set_all(set, false);
		++*i;
		return add_set(n, from, set);
	case '[':
		*i = parse_class(g, *i, set);
		return add_set(n, from, set);
	case '\\':
		++*i;
		break;
	}
	set_byte(set, (unsigned char)g.p[(*i)++]);
	return add_set(n, from, set);
}

static int parse_sequence(struct nfa *n, struct str g, size_t *i, int from, bool inside)
{
	while (*i < g.n) {
		size_t var = skip_variable(g, *i);
		for (; *i < var; ++*i) {
			uint32_t set[8] = { 0 };
			set_byte(set, (unsigned char)g.p[*i]);
			from = add_set(n, from, set);
		}
		if (*i >= g.n || (inside && (g.p[*i] == ',' || g.p[*i] == '}')))
			break;
		from = parse_one(n, g, i, from);
	}
	return from;
}

static struct nfa build(struct arena *a, struct str g)
{
	struct nfa n = { .arena = a };
	size_t i = 0;
	int start = add_state(&n);

	n.end = parse_sequence(&n, g, &i, start, false);
	return n;
}

/* ---- the product ---- */

struct step {
	uint32_t from; /* index of the step before */
	int x, y;
	char byte; /* 0: none */
};

struct product {
	struct nfa x, y;
	uint32_t *visited;
	VEC(struct step) steps;
};

static void visit(struct product *p, uint32_t from, int x, int y, char byte)
{
	if (x < 0 || y < 0)
		return;
	size_t k = (size_t)x * p->y.states.n + (size_t)y;
	if (p->visited[k / 32] >> k % 32 & 1)
		return;
	p->visited[k / 32] |= UINT32_C(1) << k % 32;
	struct step s = { from, x, y, byte };
	vec_push(p->x.arena, &p->steps, s);
}

/* A byte in both sets, a letter if there is one; 0: none. */
static char common_byte(const uint32_t x[8], const uint32_t y[8])
{
	char found = 0;

	for (unsigned c = 1; c < 256; c++) {
		if (!(x[c / 32] & y[c / 32] & UINT32_C(1) << c % 32))
			continue;
		if (c >= 'a' && c <= 'z')
			return (char)c;
		if (!found || (found < '!' && c > ' '))
			found = (char)c;
	}
	return found;
}

static const char *spell(struct product *p, uint32_t at)
{
	size_t n = 0;

	for (uint32_t i = at; i; i = p->steps.v[i].from)
		n += p->steps.v[i].byte != 0;
	char *s = arena_alloc(p->x.arena, n + 1);
	for (uint32_t i = at; i; i = p->steps.v[i].from)
		if (p->steps.v[i].byte)
			s[--n] = p->steps.v[i].byte;
	return s;
}

/* Most paths differ before anything but letters comes. */
static bool prefixes_differ(struct str x, struct str y)
{
	for (size_t i = 0; i < x.n && i < y.n; i++) {
		if (memchr("*?[{\\@", x.p[i], 6) || memchr("*?[{\\@", y.p[i], 6))
			return false;
		if (x.p[i] != y.p[i])
			return true;
	}
	return false;
}

bool glob_overlap(struct arena *a, struct str gx, struct str gy, size_t *budget,
		  const char **witness)
{
	*witness = NULL;
	if (prefixes_differ(gx, gy))
		return false;
	if (gx.n + gy.n > *budget)
		return true;
	struct product p = { .x = build(a, gx), .y = build(a, gy) };
	size_t pairs = p.x.states.n * p.y.states.n;

	*budget -= gx.n + gy.n;
	if (pairs / 32 > *budget)
		return true;
	*budget -= pairs / 32;
	p.visited = ARENA_ARRAY(a, uint32_t, pairs / 32 + 1);
	visit(&p, 0, 0, 0, 0);
	for (uint32_t i = 0; i < p.steps.n; i++) {
		if (!*budget)
			return true;
		--*budget;
		struct step s = p.steps.v[i];
		const struct state *x = &p.x.states.v[s.x], *y = &p.y.states.v[s.y];
		if (s.x == p.x.end && s.y == p.y.end) {
			*witness = spell(&p, i);
			return true;
		}
		if (!x->consumes) {
			visit(&p, i, x->a, s.y, 0);
			visit(&p, i, x->b, s.y, 0);
		}
		if (!y->consumes) {
			visit(&p, i, s.x, y->a, 0);
			visit(&p, i, s.x, y->b, 0);
		}
		if (x->consumes && y->consumes) {
			char c = common_byte(x->set, y->set);
			if (c)
				visit(&p, i, x->a, y->a, c);
		}
	}
	return false;
}

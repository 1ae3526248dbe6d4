/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "compiler/automata/nfa.h"

void byte_set_add(struct byte_set *s, unsigned char low, unsigned char high)
{
	for (unsigned c = low; c <= high; c++)
		s->w[c / 64] |= UINT64_C(1) << c % 64;
}

void byte_set_invert(struct byte_set *s)
{
	for (unsigned i = 0; i < 4; i++)
		s->w[i] = ~s->w[i];
}

/* The first byte of the set from `low` to `high`, 64 at a time; 256: there is none. */
static unsigned first_of(const struct byte_set *s, unsigned low, unsigned high)
{
	for (unsigned k = low / 64; k <= high / 64; k++) {
		uint64_t w = k == low / 64 ? s->w[k] >> low % 64 << low % 64 : s->w[k];
		if (!w)
			continue;
		unsigned c = 64 * k + (unsigned)__builtin_ctzll(w);
		return c <= high ? c : 256;
	}
	return 256;
}

unsigned char byte_set_pick(const struct byte_set *s)
{
	static const struct {
		unsigned char low, high;
	} order[] = { { 'a', 'z' }, { 'A', 'Z' }, { '0', '9' },   { '_', '_' }, { '-', '.' },
		      { '!', '~' }, { ' ', ' ' }, { 0x80, 0xff }, { 1, 0x7f } };

	if (!(s->w[0] | s->w[1] | s->w[2] | s->w[3]))
		return 0;
	for (size_t k = 0; k < sizeof(order) / sizeof(order[0]); k++) {
		unsigned c = first_of(s, order[k].low, order[k].high);
		if (c < 256)
			return (unsigned char)c;
	}
	return 0;
}

uint32_t nfa_open(struct nfa *n)
{
	vec_push(n->arena, &n->nodes, ((struct nfa_node){ .op = NFA_OPEN }));
	return (uint32_t)n->nodes.n - 1;
}

static uint32_t set_index(struct nfa *n, const struct byte_set *set)
{
	for (size_t i = n->sets.n; i; i--)
		if (!memcmp(&n->sets.v[i - 1], set, sizeof(*set)))
			return (uint32_t)i - 1;
	vec_push(n->arena, &n->sets, *set);
	return (uint32_t)n->sets.n - 1;
}

uint32_t nfa_step(struct nfa *n, uint32_t from, const struct byte_set *set)
{
	uint32_t to = nfa_open(n);

	n->nodes.v[from] = (struct nfa_node){
		.op = NFA_STEP, .a = to, .b = NFA_NONE, .set = set_index(n, set)
	};
	return to;
}

void nfa_fork(struct nfa *n, uint32_t from, uint32_t a, uint32_t b)
{
	n->nodes.v[from] = (struct nfa_node){ .op = NFA_FORK, .a = a, .b = b };
}

/* begin: split body, out; ... end: back to begin. Nothing built so far leads back to begin. */
uint32_t nfa_star(struct nfa *n, uint32_t begin, uint32_t end)
{
	uint32_t body = nfa_open(n), out = nfa_open(n);

	n->nodes.v[body] = n->nodes.v[begin];
	nfa_fork(n, begin, body, out);
	nfa_fork(n, end, begin, NFA_NONE);
	return out;
}

void nfa_states_init(struct nfa_states *s, const struct nfa *n)
{
	size_t size = n->nodes.n;

	*s = (struct nfa_states){ .held = ARENA_ARRAY(n->arena, uint32_t, size),
				  .stack = ARENA_ARRAY(n->arena, uint32_t, 2 * size + 1),
				  .mark = ARENA_ARRAY(n->arena, uint32_t, size),
				  .turn = 1 };
}

void nfa_states_clear(struct nfa_states *s)
{
	s->n = 0;
	s->turn++;
}

void nfa_states_add(struct nfa_states *s, const struct nfa *n, uint32_t node)
{
	size_t depth = 0;

	s->stack[depth++] = node;
	while (depth) {
		uint32_t at = s->stack[--depth];
		if (s->mark[at] == s->turn)
			continue;
		s->mark[at] = s->turn;
		const struct nfa_node *k = &n->nodes.v[at];
		if (k->op != NFA_FORK) {
			s->held[s->n++] = at;
			continue;
		}
		if (k->b != NFA_NONE)
			s->stack[depth++] = k->b;
		s->stack[depth++] = k->a;
	}
}

enum path_state path_step(enum path_state s, unsigned char c)
{
	if (s == PATH_START)
		return c == '/' ? PATH_SLASH : PATH_DEAD;
	if (c == '/')
		return s == PATH_NAME ? PATH_SLASH : PATH_DEAD;
	if (c == '.' && s == PATH_SLASH)
		return PATH_DOT;
	if (c == '.' && s == PATH_DOT)
		return PATH_DOTS;
	return s == PATH_DEAD ? PATH_DEAD : PATH_NAME;
}

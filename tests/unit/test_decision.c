/* SPDX-License-Identifier: Apache-2.0 */
/* Diagrams against cond_eval() on random conditions; cubes are disjoint and cover everything. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "compiler/base/bug.h"
#include "compiler/decision/decision.h"

static uint64_t state = 88172645463325252;

static uint64_t next_random(void)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return state;
}

static uint64_t random_value(void)
{
	static const uint64_t edges[] = { 0,
					  1,
					  2,
					  7,
					  8,
					  0x7fffffff,
					  0x80000000,
					  0xffffffff,
					  UINT64_C(1) << 32,
					  UINT64_C(1) << 63,
					  UINT64_MAX };

	switch (next_random() % 3) {
	case 0: return edges[next_random() % ARRAY_SIZE(edges)] + next_random() % 3 - 1;
	case 1: return next_random() % 16;
	}
	return next_random();
}

static const struct cond *random_cond(struct arena *a, unsigned depth)
{
	struct cond *c = ARENA_NEW(a, struct cond);

	if (depth == 0 || next_random() % 3 == 0) {
		bool wide = next_random() & 1;
		c->kind = COND_CMP;
		c->cmp.arg = (uint8_t)(next_random() % 3);
		c->cmp.width = wide ? 64 : 32;
		c->cmp.op = (enum cmp_op)(next_random() % CMP_OP_NR);
		c->cmp.is_signed = next_random() % 4 == 0;
		c->cmp.mask = c->cmp.is_signed || next_random() & 1 ? UINT64_MAX : random_value();
		c->cmp.value = random_value();
		if (!wide) {
			c->cmp.mask = (uint32_t)c->cmp.mask;
			c->cmp.value = (uint32_t)c->cmp.value;
		}
		return c;
	}
	c->kind = (enum cond_kind)(COND_AND + next_random() % 3);
	c->left = random_cond(a, depth - 1);
	if (c->kind != COND_NOT)
		c->right = random_cond(a, depth - 1);
	return c;
}

/* Values near those that the condition mentions, so that both answers occur. */
static void near_values(const struct cond *c, uint64_t args[6])
{
	if (c->kind != COND_CMP) {
		near_values(c->left, args);
		if (c->right)
			near_values(c->right, args);
		return;
	}
	if (next_random() & 1)
		args[c->cmp.arg] = c->cmp.value + next_random() % 3 - 1;
	if (next_random() % 4 == 0)
		args[c->cmp.arg] ^= UINT64_C(1) << next_random() % 64;
}

static const struct verdict yes = { VERDICT_ALLOW, 0 }, no = { VERDICT_ERRNO, 1 };

static void diagram_answers_as_the_condition(void **unused)
{
	unsigned both[2] = { 0, 0 };

	(void)unused;
	for (int round = 0; round < 300; round++) {
		struct arena *a = arena_new(NULL);
		struct dd *d = dd_new(a, 1 << 18);
		const struct cond *c = random_cond(a, 4);
		dd_node n = dd_ite(d, c, dd_terminal(d, yes), dd_terminal(d, no));
		assert_int_not_equal(n, DD_NONE);
		for (int i = 0; i < 300; i++) {
			uint64_t args[6] = {
				random_value(), random_value(), random_value(), 0, 0, 0
			};
			near_values(c, args);
			bool want = cond_eval(c, args);
			both[want]++;
			assert_true(verdict_eq(dd_eval(d, n, args), want ? yes : no));
		}
		arena_free(a);
	}
	assert_true(both[0] > 1000 && both[1] > 1000);
}

static const struct cond *negated(struct arena *a, const struct cond *c)
{
	struct cond *n = ARENA_NEW(a, struct cond);

	n->kind = COND_NOT;
	n->left = c;
	return n;
}

static void equal_functions_are_one_node(void **unused)
{
	(void)unused;
	for (int round = 0; round < 100; round++) {
		struct arena *a = arena_new(NULL);
		struct dd *d = dd_new(a, 1 << 18);
		const struct cond *c = random_cond(a, 3);
		dd_node t = dd_terminal(d, yes), f = dd_terminal(d, no);
		dd_node x = dd_ite(d, c, t, f), y = dd_ite(d, negated(a, c), f, t);
		uint64_t args[6];
		assert_int_equal(x, y);
		assert_false(dd_differ(d, x, y, args));
		arena_free(a);
	}
}

static void a_witness_shows_the_difference(void **unused)
{
	unsigned differ = 0;

	(void)unused;
	for (int round = 0; round < 200; round++) {
		struct arena *a = arena_new(NULL);
		struct dd *d = dd_new(a, 1 << 18);
		dd_node t = dd_terminal(d, yes), f = dd_terminal(d, no);
		dd_node x = dd_ite(d, random_cond(a, 3), t, f),
			y = dd_ite(d, random_cond(a, 3), t, f);
		uint64_t args[6];
		if (dd_differ(d, x, y, args)) {
			differ++;
			assert_false(verdict_eq(dd_eval(d, x, args), dd_eval(d, y, args)));
		} else {
			assert_int_equal(x, y);
		}
		arena_free(a);
	}
	assert_true(differ > 50);
}

struct cubes {
	const struct dd *d;
	dd_node node;
	uint64_t (*points)[6];
	unsigned npoints, *hits;
	size_t n;
};

static bool check_cube(void *ctx, const struct dd_cube *c)
{
	struct cubes *k = ctx;
	uint64_t args[6];

	/* A point inside, with random bits where the cube does not look. */
	for (unsigned i = 0; i < 6; i++) {
		assert_int_equal(c->value[i] & ~c->mask[i], 0);
		args[i] = c->value[i] | (next_random() & ~c->mask[i]);
	}
	assert_true(verdict_eq(dd_eval(k->d, k->node, args), c->verdict));
	for (unsigned p = 0; p < k->npoints; p++) {
		bool in = true;
		for (unsigned i = 0; i < 6; i++)
			in = in && (k->points[p][i] & c->mask[i]) == c->value[i];
		k->hits[p] += in;
	}
	return ++k->n < 20000;
}

static void cubes_cover_each_point_once(void **unused)
{
	(void)unused;
	for (int round = 0; round < 60; round++) {
		struct arena *a = arena_new(NULL);
		struct dd *d = dd_new(a, 1 << 18);
		const struct cond *c = random_cond(a, 2);
		uint64_t points[20][6];
		unsigned hits[20] = { 0 };
		struct cubes k = { d,      dd_ite(d, c, dd_terminal(d, yes), dd_terminal(d, no)),
				   points, 20,
				   hits,   0 };
		for (unsigned p = 0; p < 20; p++) {
			for (unsigned i = 0; i < 6; i++)
				points[p][i] = random_value();
			near_values(c, points[p]);
		}
		if (dd_cubes(d, k.node, check_cube, &k))
			for (unsigned p = 0; p < 20; p++)
				assert_int_equal(hits[p], 1);
		arena_free(a);
	}
}

static void restriction_agrees_inside_its_cube(void **unused)
{
	(void)unused;
	for (int round = 0; round < 100; round++) {
		struct arena *a = arena_new(NULL);
		struct dd *d = dd_new(a, 1 << 18);
		const struct cond *c = random_cond(a, 3);
		dd_node n = dd_ite(d, c, dd_terminal(d, yes), dd_terminal(d, no));
		uint64_t mask[6] = { 0 }, value[6] = { 0 };
		mask[next_random() % 3] = random_value();
		for (unsigned i = 0; i < 3; i++)
			value[i] = random_value() & mask[i];
		dd_node r = dd_restrict(d, n, mask, value);
		for (int k = 0; k < 50; k++) {
			uint64_t args[6] = { 0 }, other[6] = { 0 };
			near_values(c, args);
			for (unsigned i = 0; i < 6; i++) {
				args[i] = (args[i] & ~mask[i]) | value[i];
				other[i] = args[i] ^ (next_random() & mask[i]);
			}
			assert_true(verdict_eq(dd_eval(d, n, args), dd_eval(d, r, args)));
			assert_true(verdict_eq(dd_eval(d, r, other), dd_eval(d, r, args)));
		}
		arena_free(a);
	}
}

static void a_budget_ends_a_build_and_nothing_else(void **unused)
{
	struct arena *a = arena_new(NULL);
	struct dd *d = dd_new(a, 40);
	struct cond c = { .kind = COND_CMP, .cmp = { 0, 64, false, CMP_EQ, UINT64_MAX, 5 } };

	(void)unused;
	assert_int_equal(dd_ite(d, &c, dd_terminal(d, yes), dd_terminal(d, no)), DD_NONE);
	c.cmp.mask = 0xff;
	dd_node n = dd_ite(d, &c, dd_terminal(d, yes), dd_terminal(d, no));
	if (n != DD_NONE)
		assert_true(verdict_eq(dd_eval(d, n, (uint64_t[6]){ 5 }), yes));
	arena_free(a);
}

/* `in {...}` of 50,000 values is a chain as deep: no recursion along it. */
static void a_long_chain_is_no_deep_recursion(void **unused)
{
	struct arena *a = arena_new(NULL);
	struct dd *d = dd_new(a, 1 << 22);
	const struct cond *all = NULL;

	(void)unused;
	for (uint64_t v = 0; v < 50000; v++) {
		struct cond *c = ARENA_NEW(a, struct cond);
		c->kind = COND_CMP;
		c->cmp = (struct cmp){ 1, 32, false, CMP_EQ, UINT32_MAX, v * 2 };
		if (all) {
			struct cond *both = ARENA_NEW(a, struct cond);
			*both = (struct cond){ .kind = COND_OR, .left = all, .right = c };
			all = both;
		} else {
			all = c;
		}
	}
	dd_node n = dd_ite(d, all, dd_terminal(d, yes), dd_terminal(d, no));
	assert_int_not_equal(n, DD_NONE);
	assert_true(verdict_eq(dd_eval(d, n, (uint64_t[6]){ 0, 99998 }), yes));
	assert_true(verdict_eq(dd_eval(d, n, (uint64_t[6]){ 0, 99997 }), no));
	assert_true(verdict_eq(dd_eval(d, n, (uint64_t[6]){ 0, 100000 }), no));
	arena_free(a);
}

/* Comparisons of all kinds, joined: every value of few bits, and those about each edge of 64. */
static void a_chain_on_one_argument_answers_as_its_parts(void **unused)
{
	(void)unused;
	for (unsigned round = 0; round < 4000; round++) {
		struct arena *a = arena_new(NULL);
		struct dd *d = dd_new(a, 1 << 20);
		unsigned bits = round % 2 ? 64 : 1 + (unsigned)(next_random() % 8);
		uint64_t mask = bits == 64 ? UINT64_MAX : (UINT64_C(1) << bits) - 1;
		enum cond_kind kind = next_random() & 1 ? COND_AND : COND_OR;
		size_t n = 2 + next_random() % 6;
		const struct cond *parts[8], *all = NULL;

		for (size_t i = 0; i < n; i++) {
			struct cond *c = ARENA_NEW(a, struct cond);
			struct cond *both = ARENA_NEW(a, struct cond);
			enum cmp_op op = (enum cmp_op)(next_random() % CMP_OP_NR);

			*c = (struct cond){ .kind = COND_CMP,
					    .cmp = { 2, 64, next_random() % 8 == 0, op, mask,
						     random_value() & mask } };
			*both = (struct cond){ .kind = kind, .left = all, .right = c };
			parts[i] = c;
			all = all ? both : c;
		}
		dd_node x = dd_ite(d, all, dd_terminal(d, yes), dd_terminal(d, no));
		dd_node y = dd_any(d, parts, n, dd_terminal(d, yes), dd_terminal(d, no));
		for (uint64_t v = 0; v < (bits == 64 ? 3 * n : mask + 1); v++) {
			uint64_t args[6] = { 0, 0,
					     bits == 64 ? parts[v / 3]->cmp.value + v % 3 - 1 : v };
			bool any = false;

			for (size_t i = 0; i < n; i++)
				any |= cond_eval(parts[i], args);
			assert_true(
				verdict_eq(dd_eval(d, x, args), cond_eval(all, args) ? yes : no));
			assert_true(verdict_eq(dd_eval(d, y, args), any ? yes : no));
		}
		arena_free(a);
	}
}

/* arg <= last */
static const struct cond *up_to(struct arena *a, uint8_t arg, unsigned bits, uint64_t last)
{
	struct cond *c = ARENA_NEW(a, struct cond);

	*c = (struct cond){ .kind = COND_CMP, .cmp = { arg, 64, false, CMP_LE, UINT64_MAX, last } };
	if (bits < 64)
		c->cmp.mask = (UINT64_C(1) << bits) - 1;
	return c;
}

static size_t random_ranges(struct dd_range *r, size_t most, unsigned bits, const dd_node *nodes,
			    size_t n)
{
	uint64_t max = bits == 64 ? UINT64_MAX : (UINT64_C(1) << bits) - 1, first = 0;
	bool sparse = next_random() & 1; /* lone values in one wide rest, as a set has them */
	size_t k = 0;

	for (; k < most; k++) {
		bool lone = sparse ? k & 1 : next_random() & 1;
		uint64_t room = max - first, wide = bits > 8 ? room / 4 : 6;
		uint64_t last = first + (lone || !room ? 0 : next_random() % (wide ? wide : 1));
		if (last >= max || k + 1 == most)
			last = max;
		r[k] = (struct dd_range){ first, last, nodes[sparse ? k & 1 : next_random() % n] };
		if (last == max)
			return k + 1;
		first = last + 1;
	}
	return k;
}

/* Built at once they are what they are built one after the other, from the last. */
static void ranges_are_one_node_however_built(void **unused)
{
	static const unsigned widths[] = { 3, 8, 16, 32, 64 };

	(void)unused;
	for (int round = 0; round < 2000; round++) {
		struct arena *a = arena_new(NULL);
		struct dd *d = dd_new_for(a, 1 << 18, round & 1 ? 20000 : 0);
		unsigned bits = widths[next_random() % ARRAY_SIZE(widths)];
		uint8_t arg = (uint8_t)(next_random() % 2);
		const struct cond *below = up_to(a, 2, 64, random_value());
		dd_node t = dd_terminal(d, yes), f = dd_terminal(d, no);
		dd_node nodes[3] = { f, t, dd_ite(d, below, t, f) };
		struct dd_range r[14];
		size_t n = random_ranges(r, ARRAY_SIZE(r), bits, nodes, ARRAY_SIZE(nodes));
		dd_node should = r[n - 1].node;
		for (size_t i = n - 1; i-- > 0;)
			should = dd_ite(d, up_to(a, arg, bits, r[i].last), r[i].node, should);
		assert_int_equal(dd_ranges(d, (enum dd_field)arg, bits, r, n), should);
		arena_free(a);
	}
}

/* A word's test between any two diagrams, those that look at the word's own bits among them. */
static void a_words_test_is_a_choice(void **unused)
{
	(void)unused;
	for (int round = 0; round < 2000; round++) {
		struct arena *a = arena_new(NULL);
		struct dd *d = dd_new(a, 1 << 18);
		dd_node t = dd_terminal(d, yes), f = dd_terminal(d, no);
		dd_node x = round % 4 ? dd_ite(d, random_cond(a, 2), t, f) : t;
		dd_node y = round % 3 ? dd_ite(d, random_cond(a, 2), t, f) : f;
		enum dd_field field = (enum dd_field)(next_random() % 3);
		unsigned shift = next_random() & 1 ? 32 : 0;
		uint32_t k = (uint32_t)random_value();
		uint64_t mask = UINT64_C(0xffffffff) << shift;
		struct cond less = { .kind = COND_CMP,
				     .cmp = { (uint8_t)field, 64, false, CMP_LT, mask,
					      (uint64_t)k << shift } };
		dd_node equal = dd_equal(d, field, mask, (uint64_t)k << shift);
		assert_int_equal(dd_word_equal(d, field, shift, k, x, y),
				 dd_choose(d, equal, x, y));
		assert_int_equal(dd_word_at_least(d, field, shift, k, x, y),
				 dd_ite(d, &less, y, x));
		arena_free(a);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(diagram_answers_as_the_condition),
		cmocka_unit_test(equal_functions_are_one_node),
		cmocka_unit_test(a_witness_shows_the_difference),
		cmocka_unit_test(cubes_cover_each_point_once),
		cmocka_unit_test(restriction_agrees_inside_its_cube),
		cmocka_unit_test(a_budget_ends_a_build_and_nothing_else),
		cmocka_unit_test(a_long_chain_is_no_deep_recursion),
		cmocka_unit_test(a_chain_on_one_argument_answers_as_its_parts),
		cmocka_unit_test(ranges_are_one_node_however_built),
		cmocka_unit_test(a_words_test_is_a_choice),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

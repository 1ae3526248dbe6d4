/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * DECISION: what a policy answers, in a canonical form: for each architecture the numbers as
 * ranges, each range with a multi-terminal binary decision diagram over the argument bits
 * (most significant bit of arg 0 first), verdicts as terminals. Reduced and hash-consed in one
 * manager, so equality is a pointer comparison. Built from policies here, from BPF programs
 * later; the JSON writer takes its disjoint entries from it.
 */
#include <stdint.h>

#include "compiler/policy/policy.h"

struct dd;                 /* a manager: nodes, unique table, caches */
typedef uint32_t dd_node;  /* terminals included */
#define DD_NONE UINT32_MAX /* the node budget ran out */

struct dd *dd_new(struct arena *a, size_t node_budget);
dd_node dd_terminal(struct dd *d, struct verdict v);
bool dd_is_terminal(const struct dd *d, dd_node n, struct verdict *v);
/* then where cond holds, else otherwise. DD_NONE past the budget. */
dd_node dd_ite(struct dd *d, const struct cond *cond, dd_node then, dd_node otherwise);
struct verdict dd_eval(const struct dd *d, dd_node n, const uint64_t args[6]);

/* A cube: arg i satisfies (arg & mask[i]) == value[i] for all i. */
struct dd_cube {
	uint64_t mask[6], value[6];
	struct verdict verdict;
};
/* Every path as a cube: disjoint, together everything. fn returns false to stop. */
bool dd_cubes(const struct dd *d, dd_node n, bool (*fn)(void *ctx, const struct dd_cube *c),
	      void *ctx);
/* The node where (arg & mask[i]) == value[i] is known to hold for all i. */
dd_node dd_restrict(struct dd *d, dd_node n, const uint64_t mask[6], const uint64_t value[6]);
/* Arguments on which two nodes differ; false when they are equal. */
bool dd_differ(struct dd *d, dd_node x, dd_node y, uint64_t args[6]);

struct decision_range {
	uint32_t first, last; /* seccomp_data.nr, inclusive */
	dd_node node;
};

struct decision {
	struct dd *dd;
	VEC(struct decision_range) ranges[ARCH_NR]; /* cover the architecture's numbers, in order */
	unsigned arches;
	struct verdict foreign;
};

/* NULL and a diagnostic (the rule named) when a budget is passed. */
struct decision *decision_build(struct arena *a, const struct policy *p, struct diags *ds);
/* The same in a manager that another decision uses: then equal nodes are equal functions. */
struct decision *decision_build_in(struct arena *a, struct dd *d, const struct policy *p,
				   struct diags *ds);
/* The node for one number (with base) of a listed architecture; never -1 (tracers' skip). */
dd_node decision_node(const struct decision *d, enum arch a, uint32_t nr);
struct verdict decision_eval(const struct decision *d, const struct call *c);

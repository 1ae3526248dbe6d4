/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * DECISION: what a filter answers, in a canonical form: a multi-terminal binary decision
 * diagram over the bits of the call (architecture, number), of the environment (capabilities,
 * kernel, host), of the six arguments and of the instruction pointer, with verdicts as
 * terminals. Reduced and hash-consed in one manager, so two functions are equal exactly when
 * their node numbers are. Built from policies here and from BPF programs by cbpf_lift().
 *
 * Every diagram lives in its manager, the manager in its arena. What passes a budget is DD_NONE
 * and stays so: every function here passes it on.
 *
 * Why our own: BuDDy, the one such library in Debian 12, has no terminals but two (a diagram for
 * each verdict then), keeps its state in globals and leaves the process when memory ends; it took
 * 25 to 50 times as long on our policies (the commit that wrote this has the figures).
 */
#include <stdint.h>

#include "compiler/policy/policy.h"

struct dd;                 /* a manager: nodes, unique table, caches */
typedef uint32_t dd_node;  /* terminals included */
#define DD_NONE UINT32_MAX /* the node budget ran out */

/* ---- variables ---- */

/*
 * Fields of at most 64 bits; most significant bits first. In the order of the diagram: CALL,
 * CAPS, SYSTEM, argument 0 to 5, IP: a call's number is decided before anything else, so its
 * sub-diagram is found by walking down, and the environment before the arguments.
 */
enum dd_field {                /* 0..5: the arguments */
		DD_IP = 6,     /* seccomp_data.instruction_pointer */
		DD_CALL = 7,   /* seccomp_data.arch << 32 | seccomp_data.nr */
		DD_CAPS = 8,   /* bit n: capability n is in the bounding set */
		DD_SYSTEM = 9, /* kernel version << 8 | host (enum arch) */
		DD_FIELDS
};
struct dd_point { /* one event, environment included */
	uint64_t at[DD_FIELDS];
};
#define DD_CALL_OF(audit, nr)      ((uint64_t)(audit) << 32 | (uint32_t)(nr))
#define DD_SYSTEM_OF(kernel, host) ((uint64_t)(kernel) << 8 | (uint64_t)(host))

/*
 * A call where the environment is as it stands in env (capabilities that are not known: none), and
 * back: then everything of env is known.
 */
struct dd_point dd_point_of(const struct environment *env, const struct call *c);
void dd_point_tell(const struct dd_point *at, struct environment *env, struct call *c);

/* The diagram's bit for bit `shift` (0: least significant) of a field; smaller: decided sooner. */
uint32_t dd_bit_of(enum dd_field field, unsigned shift);

/* ---- building ---- */

struct dd *dd_new(struct arena *a, size_t node_budget);
/* With room for so many nodes from the start, where that can be told: tables that grow are
 * copied each time. */
struct dd *dd_new_for(struct arena *a, size_t node_budget, size_t expected);
/* As many nodes more, and as much time, as a new one has. */
void dd_refill(struct dd *d, size_t node_budget);
size_t dd_size(const struct dd *d);   /* nodes made so far */
size_t dd_budget(const struct dd *d); /* nodes that it may make */
/*
 * Puts all but `steps` (operations on nodes; a node costs one or two) of the manager's time
 * aside, and gives it back: what lies between is cut short with DD_NONE.
 */
size_t dd_put_aside(struct dd *d, size_t steps);
void dd_give_back(struct dd *d, size_t aside);
dd_node dd_terminal(struct dd *d, struct verdict v);
bool dd_is_terminal(const struct dd *d, dd_node n, struct verdict *v);

/* Claims: diagrams that end in DD_FALSE and DD_TRUE, which are no verdicts. */
enum { DD_FALSE = 0, DD_TRUE = 1 };
dd_node dd_bit(struct dd *d, enum dd_field field, unsigned shift);
dd_node dd_not(struct dd *d, dd_node claim);
dd_node dd_and(struct dd *d, dd_node x, dd_node y);
dd_node dd_or(struct dd *d, dd_node x, dd_node y);
dd_node dd_cond(struct dd *d, const struct cond *cond);   /* NULL: DD_TRUE */
dd_node dd_env(struct dd *d, const struct env_cond *env); /* NULL: DD_TRUE */
dd_node dd_equal(struct dd *d, enum dd_field f, uint64_t mask,
		 uint64_t value); /* (f & mask) == value */
/* then where the claim holds, else otherwise (claims or verdicts). */
dd_node dd_choose(struct dd *d, dd_node claim, dd_node then, dd_node otherwise);
dd_node dd_ite(struct dd *d, const struct cond *cond, dd_node then, dd_node otherwise);
/* then where any of n (1 or more) conditions holds; thousands are joined pairwise. */
dd_node dd_any(struct dd *d, const struct cond *const *conds, size_t n, dd_node then,
	       dd_node otherwise);

/*
 * The same for one 32-bit word of a field, at its bits shift..shift+31, tested against k: what
 * a BPF program does most. then where word == k (or word >= k), else otherwise.
 */
dd_node dd_word_equal(struct dd *d, enum dd_field f, unsigned shift, uint32_t k, dd_node then,
		      dd_node otherwise);
dd_node dd_word_at_least(struct dd *d, enum dd_field f, unsigned shift, uint32_t k, dd_node then,
			 dd_node otherwise);

struct dd_range { /* of a whole field, inclusive */
	uint64_t first, last;
	dd_node node; /* decides nothing of this field, or of one before it */
};
/* Ranges in order that cover [0, 2^bits - 1] of the field's low bits without holes. */
dd_node dd_ranges(struct dd *d, enum dd_field f, unsigned bits, const struct dd_range *r, size_t n);

/* ---- asking ---- */

struct verdict dd_eval(const struct dd *d, dd_node n, const uint64_t args[6]); /* all else 0 */
struct verdict dd_eval_at(const struct dd *d, dd_node n, const struct dd_point *p);
bool dd_holds_at(const struct dd *d, dd_node claim, const struct dd_point *p);
/* Which fields does it look at? Bit n: field n. */
unsigned dd_fields(struct dd *d, dd_node n);
/* The node below, where DD_CALL has this value. Costs a walk of 64 steps at most. */
dd_node dd_call(const struct dd *d, dd_node root, uint32_t audit_arch, uint32_t nr);
/*
 * The numbers of one architecture token, as maximal ranges of one node, in order. fn returns
 * false to stop. False when it did, or past max_ranges (0: no limit).
 */
bool dd_numbers(const struct dd *d, dd_node root, uint32_t audit_arch, size_t max_ranges,
		bool (*fn)(void *ctx, uint32_t first, uint32_t last, dd_node n), void *ctx);

/* A cube: arg i satisfies (arg & mask[i]) == value[i] for all i. */
struct dd_cube {
	uint64_t mask[6], value[6];
	struct verdict verdict;
};
/* Every path as a cube: disjoint, together everything. fn returns false to stop. For diagrams
 * over arguments only. */
bool dd_cubes(const struct dd *d, dd_node n, bool (*fn)(void *ctx, const struct dd_cube *c),
	      void *ctx);
/* How many paths lead to other verdicts than `but` (NULL: to any)? UINT32_MAX: as many or more. */
uint32_t dd_count_paths(struct dd *d, dd_node n, const struct verdict *but);
struct dd_path { /* (field & mask) == value for all fields leads to node */
	uint64_t mask[DD_FIELDS], value[DD_FIELDS];
	dd_node node;
};
/* Every path down to the first node that looks at `stop` or a later bit (dd_bit_of(0, 63): to
 * the arguments); UINT32_MAX: to the terminals. Disjoint, together everything. */
bool dd_paths(const struct dd *d, dd_node n, uint32_t stop,
	      bool (*fn)(void *ctx, const struct dd_path *p), void *ctx);
/* The node where (arg & mask[i]) == value[i] is known to hold for all i. */
dd_node dd_restrict(struct dd *d, dd_node n, const uint64_t mask[6], const uint64_t value[6]);
/* The node where (field & mask) == value is known to hold. */
dd_node dd_fix(struct dd *d, dd_node n, enum dd_field f, uint64_t mask, uint64_t value);
/* The values of this field for which the claim holds with some values of the others. */
dd_node dd_project(struct dd *d, dd_node claim, enum dd_field f);
/* Arguments on which two nodes differ; false when they are equal. */
bool dd_differ(struct dd *d, dd_node x, dd_node y, uint64_t args[6]);
/* A point on which they differ, zero wherever it does not matter; false when they are equal. */
bool dd_differ_at(struct dd *d, dd_node x, dd_node y, struct dd_point *p);
/* A point that the claim holds for; false: there is none. */
bool dd_witness(const struct dd *d, dd_node claim, struct dd_point *p);
/* Where x answers f(x's, y's verdict): DD_TRUE, DD_FALSE. The general comparison of two. */
dd_node dd_compare(struct dd *d, dd_node x, dd_node y,
		   bool (*f)(struct verdict x, struct verdict y));
/* What filters stacked on one another answer: the most restrictive; x's data on ties
 * (kernel/seccomp.c seccomp_run_filters(): x is the newest). */
dd_node dd_stack(struct dd *d, dd_node x, dd_node y);

/*
 * The values of one argument as maximal ranges of one node (which decides by later arguments), in
 * order; n looks at no argument before it. fn returns false to stop. False when it did, or past
 * max_ranges.
 */
bool dd_values(const struct dd *d, dd_node n, enum dd_field arg, size_t max_ranges,
	       bool (*fn)(void *ctx, uint64_t first, uint64_t last, dd_node n), void *ctx);
/* Are the answers of some architectures (AUDIT_ARCH_*) other than those of the rest? */
bool dd_names_architectures(const struct dd *d, dd_node n);
/* For which values of the field does the claim hold whatever all other fields are? */
dd_node dd_whatever_else(struct dd *d, dd_node claim, enum dd_field f);
/* Of all other fields: for which of their values does it hold whatever this one is? */
dd_node dd_whatever(struct dd *d, dd_node claim, enum dd_field f);

/* ---- policies ---- */

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
/* Of a policy that is not `conditional`. */
struct verdict decision_eval(const struct decision *d, const struct call *c);
/*
 * Everything it answers as one diagram, for those of the listed architectures that are in
 * `arches` (ARCH_BIT()); all others are foreign. DD_NONE past the budget.
 */
dd_node decision_root(const struct decision *d, unsigned arches);

/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Inside the generator: what its passes hand to each other.
 *
 *	leaf.c   rules of one call -> formulas over argument words -> what they mean (meaning.c)
 *	order.c  that -> code, in the best of some orders of the arguments; values.c one word
 *	cover.c  or as a list of rules of its own, where arguments are tied together
 *	list.c   an ordered list of ranges -> tests
 *	tree.c   those of them in a tree of least expected cost: lone.c, bits.c what it ends with,
 *	         height.c how tall it may be, hot.c where weights are known
 *	code.c   the hash-consed graph of instructions; redundant loads; layout
 *	generate.c  architectures and numbers around them
 */
#include "compiler/cbpf/cbpf.h"

/* A generator bug planted on purpose, in a test build only: cbpf_verify() must catch each. */
#ifdef PALE_PLANT
#define PLANTED(opt_plant, n) ((opt_plant) == (n))
#else
#define PLANTED(opt_plant, n) ((void)(opt_plant), false)
#endif

enum plant {
	PLANT_NONE,
	PLANT_JGE_JGT,      /* the boundary itself falls on the wrong side */
	PLANT_HIGH_WORD,    /* 64-bit comparisons forget the high word */
	PLANT_NO_X32_GUARD, /* x32 numbers are taken for x86_64's last range */
	PLANT_SWAPPED_LEAF, /* an equality test sends both sides the wrong way */
	PLANT_STALE_A,      /* a load is dropped although A holds the other half */
	PLANT_UNSIGNED,     /* signed order is compared unsigned */
	PLANT_TRACER_SKIP,  /* number -1 is not let through */
	PLANT_UNKNOWN,      /* unknown numbers get the default */
	PLANT_MASK,         /* a mask is dropped */
	PLANT_RANK,         /* the least restrictive rule wins */
	PLANT_LONG_JUMP,    /* a distance above 255 wraps */
	PLANT_NR
};

/* ---- code.c ---- */

typedef uint32_t code_id;

enum code_kind { CODE_RET, CODE_LOAD, CODE_AND, CODE_JUMP };

struct code_node {
	enum code_kind kind : 8;
	uint16_t op;     /* JUMP: BPF_JEQ BPF_JGE BPF_JSET */
	uint32_t k;      /* RET: value; LOAD: offset; AND: mask; JUMP: constant */
	code_id t, f;    /* LOAD, AND: t is what follows */
	uint32_t size;   /* instructions below, shared ones counted as often as they are reached */
	uint32_t height; /* of the longest path from here, the return included */
	uint32_t visit;  /* the walk that was here last */
};

struct code {
	struct arena *arena;
	unsigned plant;
	VEC(struct code_node) nodes;
	VEC(code_id) todo; /* of a walk */
	uint32_t visit;
	uint32_t *table; /* open addressing: index + 1 into nodes */
	size_t cap;
	size_t chain; /* equality tests in a row of a list on arguments; 0: what is fastest */
	float *work;  /* the table of tree.c and its sums, kept from one tree to the next */
	double *sums;
	size_t nwork, nsums;
	struct tree_shape *shapes; /* of lists like which the next may be */
	size_t next_shape;         /* the one to go */
};

void code_init(struct code *c, struct arena *a, unsigned plant);
code_id code_ret(struct code *c, uint32_t value);
code_id code_load(struct code *c, uint32_t offset, code_id next);
code_id code_and(struct code *c, uint32_t mask, code_id next);
code_id code_jump(struct code *c, uint16_t op, uint32_t k, code_id t, code_id f);
/* The same program without loads of what A holds already. */
code_id code_drop_loads(struct code *c, code_id root);
/* Different instructions reachable from root, returns left out. */
size_t code_count(struct code *c, code_id root);
/* Those of them that no count since the last code_count() or code_count_start() has seen. */
size_t code_count_more(struct code *c, code_id root);
void code_count_start(struct code *c);
/* 0, or -E2BIG above CBPF_MAX instructions. */
int code_layout(struct code *c, code_id root, struct cbpf *out);

/* ---- list.c ---- */

enum { TREE_REMOVED = 4 };

struct tree_range { /* in order; values between two ranges never occur */
	uint32_t first, last;
	code_id leaf;
	double weight; /* how often, in units of one ordinary value */
};

struct tree_point { /* a value inside a range that is worth a test of its own */
	uint32_t value;
	double weight;
};

struct tree_input {
	struct tree_range *ranges;
	size_t n;
	struct tree_point *points; /* hottest first */
	size_t npoints;
	size_t points_max; /* how many may be tested above a split */
	double test_cost;  /* what one more instruction may cost in executed tests times weight */
	double slack;      /* by which part executed tests may grow for a shorter longest path */
	bool are_numbers; /* system calls: close together, so that tests of bits are worth a look */
	bool is_block;    /* part of a long list */
	uint32_t removed[TREE_REMOVED]; /* values none of whose bits are in one of these masks */
	size_t nremoved;                /* have been decided already and do not occur */
};

/* Tests on A that lead each value to its range's leaf. */
code_id tree_build(struct code *c, struct arena *scratch, const struct tree_input *in);

/* ---- leaf.c ---- */

struct leaf_rule {
	const struct cond *cond; /* NULL: always */
	uint32_t ret;
};

struct leaf_builder;
struct leaf_builder *leaf_new(struct arena *a, struct code *c, bool big_endian);
/* Rules in order of rank, the first that matches decides; `dflt` where none does. */
code_id leaf_build(struct leaf_builder *b, const struct leaf_rule *rules, size_t n, uint32_t dflt);

/* ---- generate.c, split.c ---- */

struct token { /* what one architecture token decides, from the load of nr on */
	uint32_t audit;
	bool caches; /* the kernel answers calls of it that are always allowed by itself */
	VEC(struct tree_range) ranges;
	VEC(struct tree_point) points;
};

struct generator {
	struct arena *arena; /* of its own: freed when it has generated */
	const struct policy *p;
	const struct cbpf_options *opt;
	size_t chain; /* see struct code */
	bool big_endian;
	struct code code;
	code_id allow; /* without a look at arguments */
	struct leaf_builder *leaves;
	struct token tokens[ARCH_NR];
	size_t ntokens;
};

/* Ranges of all tokens, counted through: those of the first token, then of the next. */
struct part {
	size_t first, end;
};

/* The program that decides the ranges of a part and allows all others; NULL: all. */
code_id generate_part(struct generator *g, const struct part *part);
/* 0 and the program; -E2BIG. *insns: of it, also when it is too long. */
int generate_layout(struct generator *g, code_id root, struct cbpf *out, size_t *insns);
/* Numbers to ranges with their leaves. False, reported: no architecture of the family, or too many rules. */
bool generate_start(struct generator *g, struct diags *ds);
/*
 * Layouts that are slower and smaller, the next each time: false when that was the smallest or none
 * can be small enough, then the generator is as before. It begins anew.
 */
bool generate_smaller(struct generator *g);
/* Its instructions stand in `a` from here on, and no longer in a generator's arena. */
void generate_keep(struct arena *a, struct cbpf *prog);
/* That the program is too long, and which rules cost most. */
void generate_too_large(struct generator *g, size_t insns, struct diags *ds);

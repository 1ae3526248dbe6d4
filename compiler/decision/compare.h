/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * COMPARE: where two decisions in one manager differ, and how. Every difference is found: the
 * named calls of the architectures that one side lists, all their other numbers, number -1,
 * and whatever is left as foreign. Two answers are compared by the kernel's order of verdicts:
 * a larger kind is looser; one kind with other data is a different errno.
 *
 * Environments that cannot be are left out: a call of an architecture is made on the machines
 * that run it. Registers of 32-bit architectures have no upper half.
 */
#include "compiler/decision/decision.h"

enum change { /* what B does that A does not */
	      CHANGE_LOOSER,
	      CHANGE_TIGHTER,
	      CHANGE_INCOMPARABLE, /* looser for some arguments, tighter for others */
	      CHANGE_ERRNO,        /* refused alike, with another errno, or other data */
	      CHANGE_UNDECIDED,    /* the manager's budget ran out */
	      CHANGE_NR
};

struct compare_side {
	dd_node root;
	unsigned arches; /* whose calls it decides */
	/* A JSON profile: numbers without a name, -1 and foreign architectures are the runtime's. */
	bool named_only;
};

struct compare_step { /* from one answer to another */
	struct verdict a, b;
	bool others; /* too many pairs of verdicts: all of one class, and these are the witness's */
	dd_node where;           /* a claim: over arguments and IP; of a region over everything */
	struct dd_point witness; /* whole: call and environment too */
};

enum compare_part {
	PART_CALL,     /* one call of one architecture */
	PART_NUMBERS,  /* numbers without a name: first..last */
	PART_SKIP,     /* number -1, with which tracers skip a call */
	PART_UNLISTED, /* an architecture that only one side lists, all its numbers */
	PART_FOREIGN,  /* everything else */
};

struct compare_item {
	enum compare_part part;
	enum change change;
	enum arch arch;                 /* not for FOREIGN */
	const struct syscall_info *sys; /* CALL */
	uint32_t first, last;           /* CALL, NUMBERS: with the architecture's base */
	bool region;                    /* steps' claims are over calls and the environment too */
	dd_node env;  /* in these environments, a claim; DD_TRUE: in all that can be */
	dd_node a, b; /* what they answer there */
	VEC(struct compare_step) steps; /* looser ones first */
};

struct compare {
	VEC(struct compare_item) items; /* in the order of architectures and numbers */
	unsigned arches;                /* compared, on both sides listed */
	unsigned only_a, only_b;        /* listed by one side */
	size_t calls;                   /* named calls compared, each on each architecture */
	bool named_only;                /* what a JSON profile says nothing of was left out */
	size_t undecided;               /* items */
};

/*
 * `only`: ARCH_BIT() of the architectures to look at, and nothing foreign; 0: everything.
 * `never`: of those whose calls cannot be made where both are asked about.
 */
struct compare *compare_roots(struct arena *a, struct dd *d, const struct compare_side *x,
			      const struct compare_side *y, unsigned only, unsigned never);

/* ---- words ---- */

/*
 * A claim over the arguments of a call as a condition of the language: "domain == AF_VSOCK".
 * Nothing is written for DD_TRUE. False where it has no short form: then a bare hint is.
 * sys NULL: a number without a name.
 */
bool words_arguments(struct arena *a, struct dd *d, dd_node claim, enum arch arch,
		     const struct syscall_info *sys, struct buf *out);
/*
 * Whole registers compared as a JSON entry or a foreign filter does, numbers as they stand there:
 * "persona == 8 (PER_LINUX32)", "(flags & 0x7e020000) == 0".
 */
void words_comparisons(const struct cond *c, enum arch arch, const struct syscall_info *sys,
		       struct buf *out);
/* A claim over the environment: "with CAP_SYS_ADMIN, kernel >= 5.9"; nothing for DD_TRUE. */
bool words_environment(struct dd *d, dd_node claim, enum arch arch, struct buf *out);
/* "socket(AF_VSOCK, SOCK_STREAM)": `fields` (dd_fields()) tell how many arguments are shown. */
void words_call(struct buf *out, const struct dd_point *at, unsigned fields);
/* The environments that a call of this architecture can be made in. */
dd_node environment_possible(struct dd *d, enum arch arch);
/* "x86_64 socket(0x1, 0)": a call that shows something. */
void words_witness(struct buf *out, const struct dd_point *at);

/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Classic BPF programs for seccomp: generated from a policy, checked as the kernel checks
 * them, simulated, disassembled. One program serves one machine family (byte order, native
 * and compat architectures together).
 */
#include <linux/filter.h>
#include <stdbool.h>
#include <stdint.h>

#include "compiler/policy/policy.h"

#define CBPF_MAX 4096 /* BPF_MAXINSNS */

struct cbpf {
	struct sock_filter *insns; /* host byte order in memory; cbpf_write() makes the file's */
	size_t n;
	bool big_endian; /* of the machine it is for: where the words of an argument lie */
};

struct cbpf_stack { /* programs that are attached together: the most restrictive answer counts */
	struct cbpf *v;
	size_t n;
};

struct cbpf_weights { /* expected calls per number, from `--weights`; NULL where it is taken: uniform */
	enum arch arch;
	const uint64_t *count; /* by number without base */
	size_t n;
};

struct cbpf_options {
	const char *
		family; /* "x86_64", "aarch64": the listed architectures of this family are decided */
	const struct cbpf_weights *weights;
	unsigned plant; /* 0; a test build plants generator bug number `plant` (tests only) */
};

/*
 * Generates. 0 or -1 with diagnostics: over 4096 instructions names the rules that cost most.
 * The result lives in the arena.
 */
int cbpf_generate(struct arena *a, const struct policy *p, const struct cbpf_options *opt,
		  struct cbpf *out, struct diags *ds);

/*
 * The same, as several programs where one would be too long: each decides its own numbers and
 * allows the others, and what allows always is in the kernel's cache all the same. Their order
 * does not matter, but who attaches them begins with those that allow seccomp(2). Not split are
 * a single call whose rules are too long, notifications that would need two listeners, and what
 * the kernel would not take all together.
 */
int cbpf_generate_stack(struct arena *a, const struct policy *p, const struct cbpf_options *opt,
			struct cbpf_stack *out, struct diags *ds);
uint32_t cbpf_run_stack(const struct cbpf_stack *progs, const struct call *c, unsigned *steps);

/* As the kernel checks a filter at attach (net/core/filter.c bpf_check_classic(),
 * kernel/seccomp.c seccomp_check_filter()). NULL: fine; else why not, *at: which instruction. */
const char *cbpf_check(const struct sock_filter *insns, size_t n, size_t *at);

bool cbpf_code_allowed(uint16_t code); /* is there such an instruction in seccomp filters? */

/* Runs a checked program. *steps (may be NULL): instructions executed, `ret` included. */
uint32_t cbpf_run(const struct cbpf *prog, const struct call *c, unsigned *steps);
/* The same; *last: the instruction that ended it. */
uint32_t cbpf_run_to(const struct cbpf *prog, const struct call *c, size_t *last);
/* The same; executed[i] becomes true for each instruction that was. */
uint32_t cbpf_run_through(const struct cbpf *prog, const struct call *c, bool *executed);

/* No call executes more instructions of a checked program: its longest path. */
unsigned cbpf_longest(const struct cbpf *prog);

/* Is this (arch, nr) decided without looking at arguments, as the kernel's cache sees it
 * (kernel/seccomp.c seccomp_is_const_allow())? */
bool cbpf_const_allow(const struct cbpf *prog, uint32_t audit_arch, uint32_t nr);

/*
 * Runs the program against policy_eval(): all numbers to the table's end and both sides of
 * every boundary, every listed and a foreign architecture, boundary values of each argument a
 * rule looks at, garbage above 32-bit ones. 0, or -1 and *witness (a bug of ours). *points
 * (may be NULL): calls compared.
 */
int cbpf_verify(const struct policy *p, const struct cbpf *prog, const char *family,
		struct call *witness, uint64_t *points);

/* The file: struct sock_filter[] in the byte order of the machine it is for. */
void cbpf_write(const struct cbpf *prog, struct buf *out);
/* From a file's bytes (either byte order, recognised); 0 or -1 with diagnostics. */
int cbpf_read(struct arena *a, struct source *src, struct cbpf *out, struct diags *ds);
/* Also of a program that cbpf_check() refuses (at most CBPF_MAX instructions). */
void cbpf_disassemble(const struct cbpf *prog, struct buf *out);

/* Families a policy lists, in table order; returns how many. */
unsigned cbpf_families(const struct policy *p, const char *names[ARCH_NR]);

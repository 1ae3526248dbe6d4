/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* The host program that makes tables_data.c: what mktables.c has read and mkprint.c prints. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum arch {
#define ARCH(id, name, alias, oci, go, audit, family, bits, be, base, cache) ARCH_##id,
#include "compiler/tables/arches.def"
#undef ARCH
	ARCH_NR
};

extern const struct arch_row {
	const char *name;
	unsigned bits;
} arches[ARCH_NR];

enum {
	FIELDS_MAX = ARCH_NR + 4,
	ARGS_MAX = 6,
	NR_MAX =
		8191, /* the by-number index is an array: a slip of the pen must not make it huge */
	FAR_MIN = 0xf0000, /* arm keeps a few calls of its own here (asm/unistd.h, __ARM_NR_BASE) */
	FAR_MAX = FAR_MIN + 15,
};

struct domain {
	char *name, *prefixes, *what;
	unsigned rows;
};

struct constant {
	unsigned domain;
	char *name;
	uint32_t arches;
	uint64_t value[ARCH_NR];
};

struct arg {
	char *name, *alias, *source;
	const char *kind; /* without ARG_ */
	unsigned width;
	bool is_signed;
	int domain; /* -1 */
	uint64_t mask;
};

struct args {
	unsigned n;
	struct arg arg[ARGS_MAX];
};

struct call {
	char *name, *note;
	int nr[ARCH_NR];
	unsigned since[ARCH_NR];
	struct args args;
	const struct args *own[ARCH_NR]; /* where args.tsv says otherwise */
	size_t late, mux;                /* rows in libseccomp.tsv and multiplexed.tsv; 0: none */
};

/* All that was read, sorted by name; strings and rows live as long as the program. */
extern struct domain *domains;
extern size_t ndomains;
extern struct constant *constants;
extern size_t nconstants;
extern struct call *calls;
extern size_t ncalls;
extern bool failed; /* something was wrong and has been told */

/* Each prints its arrays of compiler/tables/data.h to standard output. */
void print_constants(void);
void print_capabilities(void);
void print_calls(void);

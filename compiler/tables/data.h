/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * What mktables writes and tables.c serves: arrays, each with its length. Nobody else includes
 * this.
 */
#include "compiler/tables/place.h"
#include "compiler/tables/tables.h"

struct tables_own_args { /* sorted by (call, arch) */
	uint16_t call;   /* index in tables_syscalls */
	uint16_t arch;
	uint8_t nargs;
	const struct arg_info *args;
};

/* Without a pointer: a table of pointers is written by the loader at every start. */
struct tables_constant {
	uint32_t name, brief; /* in tables_text */
	uint16_t domain;      /* in tables_domains */
	uint16_t values;      /* in tables_values */
	uint32_t arches;
};

struct tables_by_nr {
	const int16_t *call; /* index in tables_syscalls, -1: a hole */
	uint32_t end;
	const int16_t *far; /* of the numbers from far_first on, nfar of them */
	uint32_t far_first, nfar;
};

struct tables_pair { /* sorted by name */
	const char *name, *other;
};

/* By name: index + 1 of its row; 0: free. */
struct tables_few {
	uint8_t at[TABLES_FEW];
};

struct tables_mux {
	const char *mux;
	unsigned selector;
	const char *call;
};

extern const uint16_t tables_names[TABLES_NAMES]; /* index in tables_syscalls + 1; 0: free */
extern const struct domain_info tables_domains[];
extern const size_t tables_ndomains;
extern const struct tables_constant tables_constants[];
extern const uint16_t tables_constant_order[]; /* by name without its case, then by index */
extern const uint64_t tables_values[][ARCH_NR];
extern const char tables_text[]; /* names, each with its NUL */
extern const size_t tables_nconstants;
extern const char *const tables_capabilities[CAPABILITY_NR];
extern const struct syscall_info tables_syscalls[];
extern const size_t tables_nsyscalls;
extern const struct tables_own_args tables_own_args[];
extern const size_t tables_nown_args;
extern const struct tables_by_nr tables_by_nr[ARCH_NR];
extern const struct tables_pair tables_aliases[];
extern const struct tables_few tables_aliases_at;
extern const struct tables_pair tables_foreign[];
extern const struct tables_few tables_foreign_at;
extern const struct tables_pair tables_libseccomp[];
extern const struct tables_few tables_libseccomp_at;
extern const struct tables_mux tables_mux[];
extern const struct tables_few tables_mux_at; /* by the call */
extern const size_t tables_nmux;

/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* The writer's state, shared by write.c (entries), checks.c (runtimes) and text.c (JSON). */
#include "compiler/oci/internal.h"

enum { ENTRIES_MAX = 2000, CUBES_MAX = 1 << 16 };

/* One entry: a cube, or one ordered comparison of a whole register. */
struct oci_cube {
	struct dd_cube c; /* ordered: without the mask of `arg` */
	bool ordered;
	uint8_t arg;
	enum oci_op op; /* OCI_LE, OCI_GE or OCI_EQ */
	uint64_t bound;
};

struct group { /* names with the same answers */
	dd_node node;
	VEC(const struct syscall_info *) calls;
	const struct oci_cube *cubes; /* disjoint, none with the JSON's default verdict */
	size_t ncubes;
};

struct writer {
	struct arena *arena;
	const struct policy *p;
	const struct oci_write_options *opt;
	struct diags *ds;
	struct decision *d;
	struct verdict jd; /* the JSON's default */
	VEC(struct group) groups;
	VEC(const char *) unknown_names; /* allowed, but not known to the runtime */
	VEC(const char *) approximated;
	size_t entries;
	bool failed;
};

struct diag *oci_fail(struct writer *w, enum diag_id id, struct span span, const char *text);
struct span oci_header_span(const struct writer *w, enum ast_header header);
struct span oci_rule_span(const struct writer *w, enum arch a, uint32_t nr);
uint32_t oci_number(const struct syscall_info *sys, enum arch a); /* with base */
bool oci_runtime_knows(const struct writer *w, const struct syscall_info *sys);
const struct group *oci_group_of(const struct writer *w, const struct syscall_info *sys);

/*
 * order.c: a group as intervals of one register, where the cubes of `reg arg0 > 40` would need
 * high words, which libseccomp drops on i386 and x32 (it then compares low words there, as GE
 * and LE say). false: its conditions are of another form.
 */
bool oci_order_group(struct writer *w, struct group *g);
void oci_check_multiplexed(struct writer *w);
void oci_check_stub(struct writer *w);
void oci_print(const struct writer *w, struct buf *out);
bool oci_is_approximated(const struct writer *w, const struct syscall_info *sys);
unsigned oci_family(const struct policy *p, enum arch a); /* listed, of this machine family */
/* Compares what libseccomp builds of the text with the policy; false and a diagnostic. */
bool oci_check_filter(struct writer *w, struct str text, enum arch native, unsigned family);
/* Reads the text again and compares every named call; false and a diagnostic: our bug. */
bool oci_read_back(struct writer *w, struct str text);

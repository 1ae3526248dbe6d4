/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* The writer's state, and what its files do to it in turn; writer.c is what all of them ask. */
#include "compiler/cbpf/cbpf.h"
#include "compiler/oci/profile.h"
#include "compiler/oci/write/write.h"

enum { ENTRIES_MAX = 2000, CUBES_MAX = 1 << 16, PATHS_MAX = 1 << 20 };
/* KEP-6061: entries of one call, rules that they come to; bytes of the file. */
enum { ARTIFACT_ENTRIES = 128, ARTIFACT_RULES = 256, ARTIFACT_BYTES = 1 << 20 };

#define HIGH_WORD (UINT64_C(0xffffffff) << 32)

/* An encoding bug planted on purpose, in a test build only: the proof must catch each. */
#ifdef PALE_PLANT
#define OCI_PLANTED(w, n) ((w)->opt->plant == (n))
#else
#define OCI_PLANTED(w, n) ((void)(w), (void)(n), false)
#endif

enum oci_plant {
	OCI_PLANT_NONE,
	OCI_PLANT_BIT,   /* a cube looks at one bit less */
	OCI_PLANT_ENTRY, /* the last entry of a name is missing */
	OCI_PLANT_ORDER, /* mask and value change places */
	OCI_PLANT_NAME,  /* a name is left to the JSON's default */
	OCI_PLANT_HIGH,  /* 64-bit values lose their high word */
	OCI_PLANT_NR
};

/*
 * One entry: a cube, or one ordered comparison of a whole register. Beside a cube's masks some
 * registers may be told by their high words alone: with any bit there, or with none.
 */
struct oci_cube {
	struct dd_cube
		c; /* ordered: without the mask of `arg`; without those told by `above`, `below` */
	uint8_t above; /* bit n: argument n > 0xffffffff */
	uint8_t below; /* bit n: argument n <= 0xffffffff */
	bool ordered;
	uint8_t arg;
	enum oci_op op; /* OCI_LE, OCI_GE, OCI_NE or OCI_EQ */
	uint64_t bound;
};

/* One comparison of an argument. */
struct oci_condition {
	uint8_t arg;
	enum oci_op op;
	uint64_t value; /* MASKED_EQ: what is left under the mask */
	uint64_t mask;  /* MASKED_EQ; else all ones */
};

/*
 * All of them, of different arguments; where an index stands there twice each is enough: runc and
 * crun then make a rule of each condition of the entry (KEP-6061 says so too).
 */
struct oci_conditions {
	const struct oci_condition *v;
	size_t n; /* 0: none */
};

/* Part of what a name answers: the environments in which it holds, the arguments, the verdict. */
struct oci_piece {
	struct env_cube gate; /* hosts 0: any */
	struct oci_cube cube;
	struct oci_conditions list; /* beside a cube without any */
};

/* What one machine loads: Docker picks a row of archMap and the open entries. */
struct oci_view {
	bool any; /* the OCI dialect: one list for every machine, no conditions */
	enum arch host;
	unsigned arches; /* of the listed: whose calls are made there */
};

struct oci_name {
	const struct syscall_info *sys;
	unsigned hosts;        /* ARCH_BIT(): machines that have it */
	dd_node node[ARCH_NR]; /* by view; DD_NONE: none of its architectures has the name */
	bool masks; /* in EQ and MASKED_EQ alone: with fewer entries libseccomp builds otherwise */
	/* Disjoint, none with the JSON's default verdict. */
	VEC(struct oci_piece) pieces;
};

struct writer {
	struct arena *arena;
	const struct policy *p;
	const struct oci_write_options *opt;
	struct diags *ds;
	struct decision *d;
	struct verdict jd; /* the JSON's default */
	bool logs;         /* the JSON sets SECCOMP_FILTER_FLAG_LOG */
	VEC(struct oci_view) views;
	VEC(struct oci_name) names;  /* those with an entry, in table order */
	uint64_t caps;               /* that some rule asks about */
	VEC(uint16_t) kernels;       /* where a rule begins or ends to hold: rising, 0 first */
	VEC(struct env_cube) leaves; /* environments that answer alike, for some name */
	VEC(const struct syscall_info *) as_default; /* named though the default says the same */
	VEC(const char *) unknown_names;             /* allowed, but not known to the runtime */
	VEC(const char *) approximated;
	const struct diags *told; /* by the caller before, or by what was written before */
	bool starved;  /* the system was short: nothing that is written otherwise helps */
	bool compared; /* the libseccomp here, whose filter is compared, is the named one */
	struct oci_name *culprit; /* whose entries the proof refuses; NULL: not known */
	bool failed;
};

struct diag *oci_fail(struct writer *w, enum diag_id id, struct span span, const char *text);
struct span oci_header_span(const struct writer *w, enum ast_header header);
struct span oci_rule_span(const struct writer *w, enum arch a, uint32_t nr);
struct span oci_costly_span(const struct writer *w, const struct syscall_info *sys);
/* The first rule that names it on a listed architecture; NULL. */
const struct call_rule *oci_call_rule(const struct writer *w, const struct syscall_info *sys);
struct span oci_call_span(const struct writer *w, const struct syscall_info *sys);
uint32_t oci_number(const struct syscall_info *sys, enum arch a); /* with base */
bool oci_runtime_knows(const struct writer *w, const struct syscall_info *sys);
struct oci_name *oci_name_find(const struct writer *w, const struct syscall_info *sys);
bool oci_is_narrow(enum arch a); /* libseccomp compares low words there */
/* What the policy answers for the name there: over the arguments and the open environment. */
dd_node oci_arch_node(struct writer *w, const struct oci_view *v, enum arch a,
		      const struct syscall_info *sys);
/* The same in every environment of a cube that splits no condition. */
dd_node oci_fix(struct writer *w, dd_node n, const struct env_cube *in);
void oci_list_views(struct writer *w);
/* Docker's form and OCI's differ little: what was said of one is not said of the other. */
bool oci_told(const struct writer *w, enum diag_id id, struct span sp);
bool oci_carries(struct writer *w, const struct oci_name *name, struct verdict v);
/* With --approximate: on some architecture it answers what the policy does not say. */
bool oci_is_approximated(const struct writer *w, const struct syscall_info *sys);

/* whole.c: default, architectures, flags; what JSON cannot say of them fails. */
void oci_choose_whole(struct writer *w);

/* names.c: fills w->names, and their nodes. */
void oci_collect_names(struct writer *w);

/* pieces.c: fills name->pieces. */
void oci_pieces(struct writer *w, struct oci_name *name);

/* cubes.c */
struct cube_list {
	struct writer *w;
	VEC(struct dd_cube) v;
};
/* Of verdicts other than the JSON's default, neighbours joined; false: more than CUBES_MAX. */
bool oci_cubes(struct cube_list *l, dd_node n);
int oci_by_cube(const struct dd_cube *a, const struct dd_cube *b); /* as qsort(3) wants it */

/*
 * fewer.c: the same in fewer entries than cubes would be. `arches`: those that the entries are
 * for. What comes of it is appended to out->v.
 */
struct oci_leaf {
	struct writer *w;
	const struct oci_name *name;
	unsigned arches;
	VEC(struct oci_piece) pieces; /* without their gates */
};
/* What the entries' verdict is wherever one argument alone decides so; the node of what is left. */
dd_node oci_choices(struct oci_leaf *l, dd_node n);
/* In orders of registers. false: cubes are as few, or it cannot be said. */
bool oci_intervals(struct oci_leaf *l, dd_node n);
bool oci_gates_meet(const struct env_cube *x, const struct env_cube *y);
int oci_by_list(const struct oci_conditions *x, const struct oci_conditions *y);
/* The rules that libseccomp gets for it, in all environments. */
size_t oci_rules_of(const struct oci_name *name);

/*
 * order.c: a name as intervals of one register, where the cubes of `reg arg0 > 40` would need
 * high words, which libseccomp drops on i386 and x32 (it then compares low words there, as GE
 * and LE say; no masked comparison can). At most ORDERED_MAX. false: its conditions are of
 * another form.
 */
enum { ORDERED_MAX = 258 };
bool oci_order(struct writer *w, const struct oci_name *name, dd_node node, struct oci_cube *out,
	       size_t *n);

/* checks.c: libseccomp's multiplexers and runc's stub answer what the policy says; else a failure. */
void oci_check_multiplexed(struct writer *w);
void oci_check_stub(struct writer *w);

/* cost.c: a note where a condition makes a call run long; `prog` is built for the host. */
bool oci_builds_list(const struct oci_runtime *rt);
void oci_tell_cost(struct writer *w, enum arch host, const struct cbpf *prog);

/* text.c */
bool oci_has_conditions(const struct oci_piece *p);
bool oci_print(struct writer *w, struct buf *out); /* false: too many entries */
/* Notes on what runtimes of profiles kept as artifacts refuse (KEP-6061). */
void oci_tell_size(struct writer *w, size_t bytes);

/* prove.c: the text against the policy, for all calls claimed; false and a diagnostic. */
bool oci_read_back(struct writer *w, struct str text);

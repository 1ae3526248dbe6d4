/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * What the rules look at. A profile is JSON as a runtime reads it, with places; a view is what
 * a profile or a policy lets through, call by call, and is the same for both formats.
 */
#include "compiler/base/vec.h"
#include "compiler/lint/lint.h"
#include "compiler/tables/tables.h"

/* ---- JSON ---- */

enum json_op { OP_NE, OP_LT, OP_LE, OP_EQ, OP_GE, OP_GT, OP_MASKED_EQ, OP_NR };

struct profile_arg {
	uint64_t index;
	enum json_op op;
	uint64_t value, two; /* MASKED_EQ: mask, datum */
	struct span span;
};

struct profile_name {
	struct str text;
	struct span span;
	const struct syscall_info *sys; /* NULL: not in the table */
};

struct entry { /* one element of "syscalls" */
	const struct json *json;
	bool readable; /* action and arguments are what a runtime accepts */
	struct verdict verdict;
	bool is_default; /* says what the default says: runtimes leave it out */
	struct span action; /* the action's place, or the entry's */
	struct str gate;    /* text of includes and excludes; empty: always in force */
	unsigned arches;    /* declared architectures that it speaks to */
	bool always;        /* no condition that libseccomp keeps: a mask of 0 is none */
	bool splits;        /* an index is repeated: each condition is a rule of its own */
	VEC(struct profile_name) names;
	VEC(struct profile_arg) args;
};

struct profile {
	const struct json *json; /* the object that holds defaultAction */
	bool in_config;          /* linux.seccomp of a config.json */
	bool has_default;
	struct verdict dflt;
	struct span dflt_span;
	bool errno_written;  /* defaultErrnoRet */
	bool arches_written; /* architectures or archMap */
	unsigned arches;     /* those the table knows; not written: the machine's own */
	VEC(struct profile_name) arch_names; /* every SCMP_ARCH_ word, as written */
	VEC(struct entry) entries;
};

/* NULL: not an object, so nothing a rule could look at. */
struct profile *profile_read(struct arena *a, const struct json *root, const struct sources *s);
bool profile_action(struct str word, enum verdict_kind *kind); /* SCMP_ACT_* */
bool profile_op(struct str word, enum json_op *op);            /* SCMP_CMP_* */
const char *profile_action_at(size_t i);                       /* NULL past the last */
const char *profile_op_at(size_t i);
bool entry_permits(const struct entry *e); /* allow or log */

/* ---- both formats ---- */

struct call_state { /* bits are ARCH_BIT() */
	unsigned open;     /* allowed whatever the arguments, in every environment */
	unsigned some;     /* allowed for some arguments or in some environment (open included) */
	unsigned tested;   /* allowed, but arguments are looked at */
	unsigned refused;  /* refused by a rule, whatever the arguments, in every environment */
	unsigned limited;  /* a rule refuses it for some arguments or in some environment */
	unsigned maybe_open;    /* JSON: allowed whatever the arguments, in some environment */
	unsigned maybe_refused; /* JSON: refused likewise */
	struct verdict refusal; /* of `refused` */
	struct span span;       /* where it is first let through, or refused */
};

struct view {
	unsigned arches;
	bool arches_written;
	bool json;
	bool has_default;
	struct verdict dflt;
	struct verdict unknown; /* for numbers that the table (or the policy's level) lacks */
	struct span dflt_span;
	struct call_state *calls; /* by index of syscall_at() */
};

struct lint {
	struct arena *arena;
	struct diags *ds;
	const struct json *root;       /* JSON */
	const struct profile *profile; /* JSON; NULL when it could not be read */
	const struct ast_file *file;   /* pale */
	const struct policy *policy;   /* pale: the one being looked at; NULL: the file */
	const struct view *view;       /* NULL with no profile or policy */
};

typedef void lint_fn(struct lint *l, enum diag_id id);

struct view *view_of_profile(struct arena *a, const struct profile *p);
struct view *view_of_policy(struct arena *a, const struct policy *p);
const struct call_state *view_call(const struct view *v, const char *name); /* NULL: no such call */
/* Architectures of the view on which a call exists. */
unsigned view_has(const struct view *v, const char *name);
/* The highest number that the profile names on an architecture; -1: none. */
int32_t view_highest(const struct view *v, enum arch a);
bool view_refuses(const struct view *v); /* what no rule names is refused */

/* ---- findings: one a rule, with the names that prove it ---- */

struct hit {
	struct str text;
	struct span span;
};

struct group {
	struct arena *arena;
	VEC(struct hit) hits;
	uint32_t *slots; /* hash of the texts: index + 1 */
	size_t nslots;
};

bool group_add(struct group *g, struct str text, struct span span); /* false: it is there */
const char *group_list(const struct group *g); /* "'a', 'b' and 'c'", at most 12 names */
struct span group_span(const struct group *g);
void group_labels(struct diags *ds, struct diag *d, const struct group *g); /* the others' places */
#define GROUP(l) ((struct group){ .arena = (l)->arena })
#define PLURAL(g, one, many) ((g).hits.n == 1 ? (one) : (many))

/* The rules: one function a rule or a table of rules (rules.def). */
#define LINT(id, formats, fn, explain) lint_fn fn;
#include "compiler/lint/rules.def"
#undef LINT

/* Rules about the file as a whole: sets that nothing uses. */
void lint_pale_file(struct arena *a, const struct ast_file *file, struct diags *ds);

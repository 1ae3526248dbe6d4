/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * What the rules look at. A profile is JSON as a runtime reads it, with places (compiler/oci); a
 * view is what a profile or a policy lets through, call by call, the same for both formats.
 */
#include "compiler/base/group.h"
#include "compiler/lint/lint.h"
#include "compiler/oci/internal.h"
#include "compiler/tables/tables.h"

/* ---- JSON: struct oci_profile, as the one reader gives it ---- */

static inline bool entry_permits(const struct oci_entry *e) /* allow or log */
{
	return e->verdict.kind == VERDICT_ALLOW || e->verdict.kind == VERDICT_LOG;
}

static inline bool entry_gated(const struct oci_entry *e) /* in force in some environments only */
{
	return !oci_gate_any(e->gate);
}

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
	const struct oci_profile *profile; /* JSON; NULL when it is none */
	const struct ast_file *file;   /* pale */
	const struct policy *policy;   /* pale: the one being looked at; NULL: the file */
	const struct view *view;       /* NULL with no profile or policy */
};

typedef void lint_fn(struct lint *l, enum diag_id id);

struct view *view_of_profile(struct arena *a, const struct oci_profile *p);
struct view *view_of_policy(struct arena *a, const struct policy *p);
const struct call_state *view_call(const struct view *v, const char *name); /* NULL: no such call */
/* Architectures of the view on which a call exists. */
unsigned view_has(const struct view *v, const char *name);
/* The highest number that the profile names on an architecture; -1: none. */
int32_t view_highest(const struct view *v, enum arch a);
bool view_refuses(const struct view *v); /* what no rule names is refused */

/* ---- findings: one a rule, with the names that prove it ---- */

#define GROUP(l) ((struct group){ .arena = (l)->arena })

/* The rules: one function a rule or a table of rules (rules.def). */
#define LINT(id, formats, fn, explain) lint_fn fn;
#include "compiler/lint/rules.def"
#undef LINT

/* Rules about the file as a whole: sets that nothing uses. */
void lint_pale_file(struct arena *a, const struct ast_file *file, struct diags *ds);

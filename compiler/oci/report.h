/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Between report.c, which says what is told and how severe it is, and the files with the words:
 * a row a kind of fault, below its function.
 */
#ifndef COMPILER_OCI_REPORT_H
#define COMPILER_OCI_REPORT_H

#include "compiler/base/group.h"
#include "compiler/base/suggest.h"
#include "compiler/oci/fix.h"
#include "compiler/oci/profile.h"

struct report {
	const struct oci_profile *p;
	const struct environment *env;
	struct diags *ds;
	const bool *anothers; /* by entry: it is about calls that nobody asks for; NULL: none */
	/* Of the fault being told: */
	enum diag_id id;
	bool stopped;           /* no container starts with it ... */
	enum severity severity; /* ... and so it is this */
};

typedef struct diag *tell_fn(struct report *r, const struct oci_fault *f);
typedef struct diag *group_fn(struct report *r, const struct oci_fault *first, struct group *g);

/* Each kind has a function in one of the three. */
extern tell_fn *const oci_tell_words[OCI_FAULT_NR];
extern tell_fn *const oci_tell_entries[OCI_FAULT_NR];
extern group_fn *const oci_tell_groups[OCI_FAULT_NR];

#define REPORT(r, f, ...) diag_add_as((r)->ds, (r)->id, (r)->severity, (f)->span, __VA_ARGS__)

static inline const char *report_runtime(const struct report *r)
{
	return r->p->runtime.kind == OCI_CRUN ? "crun" : "runc";
}

/* What becomes of the container: the end of a sentence. */
static inline const char *report_outcome(const struct report *r)
{
	return r->stopped ? ", and the container does not start" : "";
}

/* What it is about is cut. Where it stops a container there was nothing that could change. */
static inline void report_cut(struct report *r, struct diag *d, const struct oci_fault *f,
			      enum fix_safety safety)
{
	oci_fix_cut_at(r->p, r->ds, d, f->span);
	diag_fix_means(d, safety, d->severity == SEVERITY_ERROR ? FIX_READ : FIX_SAME);
}

/* The nearest of what `s` was offered, as a fix of the fault's word, or else the help. */
static inline void report_near(struct report *r, struct diag *d, const struct oci_fault *f,
			       const struct suggest *s, const char *otherwise)
{
	if (!diag_suggest(r->ds, d, f->span, s))
		diag_help(r->ds, d, "%s", otherwise);
}

#endif

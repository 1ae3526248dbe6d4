/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Findings: the diagnostics of one file as every form of output tells them, each with the file that
 * it is in and a fingerprint by which a later run knows it again.
 */
#include "compiler/lint/select.h"

enum finding_fate {
	FINDING_TOLD,
	FINDING_SUPPRESSED, /* a comment in the file says to */
	FINDING_KNOWN,      /* it is in the baseline */
};

struct finding {
	const struct diag *diag;
	const struct source *source; /* of its place; NULL: it has none */
	const char *file;            /* the source's name, else that of the file that was linted */
	/*
	 * Of the rule, the text of the place (its first line, blanks joined), the words that the message
	 * quotes, and how many before it are the same: lines may move, another call found is another
	 * finding.
	 */
	uint64_t fingerprint;
	enum finding_fate fate;
	const char *reason; /* SUPPRESSED: as the comment gives it, "" for none */
};

struct findings { /* of one file, in the order of their places */
	const struct diags *diags;
	const char *file;   /* as the user named it */
	const char *reader; /* who reads it: "any runtime", "apparmor 5.0" */
	VEC(struct finding) list;
};

/* All of the list, which is sorted here. Everything lives in the list's arena, names are borrowed. */
void findings_of(struct diags *ds, const char *file, struct findings *out);
/* Only those that are selected stay. */
void findings_select(struct findings *all, const struct selection *told);

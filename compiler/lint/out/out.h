/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Findings as people, editors and CI systems read them: formats.def has a row for each form. Files
 * are added one by one, so that what a file needs can go when it is told; nothing is printed here.
 *
 *	struct report r = { .format = report_format_find("sarif"), .threshold = SEVERITY_WARNING };
 *	report_file(&r, &findings);
 *	report_end(&r, &out);
 *	report_free(&r);
 *
 * Names, and texts that quote them, have what a terminal obeys or does not show as \xNN or, in JSON,
 * \uXXXX; XML is escaped by xml.h alone, JSON by base/json_write.h.
 */
#include "compiler/lint/finding.h"
#include "compiler/lint/select.h"

struct report_format;

struct report {
	const struct report_format *format;
	bool colour;             /* text: ANSI */
	enum severity threshold; /* --error-on: what is at least as grave fails; */
	bool never;              /* or nothing does */
	struct selection
		fail_on; /* and so does what it selects, and what keeps a file from being read */
	const char *runtime; /* that JSON is read as: runtime_name() */
	const char *pages;   /* where the rules' pages are, "https://.../"; NULL: nowhere */
	bool statistics;     /* text, json: how many findings a rule has, in place of them */
	bool baseline;       /* there is one, so that findings are new or known */

	/* what the functions keep; all 0 at the start */
	struct buf body, aside;
	size_t files, written, set_aside, failed;
	size_t left_out; /* what the format's reader would not take: told at its end */
	size_t counts[SEVERITY_NR];
	size_t count_of[DIAG_NR];
	size_t suppressed, known;
	unsigned rule_at[DIAG_NR]; /* place in the document's list of rules, from 1; 0: not in it */
	enum diag_id rules[DIAG_NR];
	unsigned nrules;
};

const struct report_format *report_format_find(const char *name); /* never NULL: a bug */
void report_file(struct report *r, const struct findings *all);
/* The document; what was left out of it stays in r->left_out. */
void report_end(struct report *r, struct buf *out);
void report_free(struct report *r);

/* Does it count for the exit status? Suppressed and known ones do not. */
bool report_fails(const struct report *r, const struct finding *f);

/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * What a comparison found, as lines that a person reads: calls with the same change on the same
 * architectures, with the same verdicts, conditions and environments, are one line.
 */
#include "compiler/cmd/decide.h"
#include "compiler/decision/compare.h"

struct diff_step { /* one answer for another */
	struct verdict a, b;
	bool others;             /* they are the example's: there are many such pairs */
	const char *condition; /* "domain == AF_VSOCK"; "": always */
	bool exact;            /* condition says all; else it is a hint, and the example stands for it */
	const char *call;      /* the example: "socket(AF_VSOCK)" */
	struct dd_point at;
	const char *by_a, *by_b; /* what decided: "web.pale:3:9: allow read" */
};

struct diff_line {
	enum change change;
	enum compare_part part;
	unsigned arches;         /* ARCH_BIT(); 0 for what is foreign */
	VEC(const char *) calls; /* names, or "numbers without a name: 335..386", or none */
	const char *environment; /* "with CAP_SYS_ADMIN"; "": in all */
	VEC(struct diff_step) steps;
};

struct diff {
	const struct decide *a, *b;
	const struct compare *compare;
	VEC(struct diff_line) lines;
	VEC(const char *) notes;    /* what was not compared */
	bool has[CHANGE_NR];
	size_t count[CHANGE_NR];    /* names of calls, each once */
	size_t same;                /* names of calls that no line speaks of */
	bool differs;
};

extern const char *const diff_words[CHANGE_NR]; /* "looser" */

/* "x86_64, i386" */
const char *diff_arches(struct arena *a, unsigned arches);
/* What a line is about when it names no calls: "i386, which only A decides". */
const char *diff_subject(struct arena *a, const struct diff_line *l, const struct diff *d);
/* "B is looser: 2 calls; tighter: 1 call; same: 370 calls on x86_64" */
const char *diff_summary(struct arena *a, const struct diff *d, const char *between);

void diff_group(struct session *s, const struct decide *a, const struct decide *b,
		const struct compare *c, unsigned only, struct diff *out);

void diff_text(struct buf *out, struct arena *a, const struct diff *d);
void diff_markdown(struct buf *out, struct arena *a, const struct diff *d);
void diff_json(struct buf *out, struct arena *a, const struct diff *d);

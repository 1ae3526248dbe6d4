/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * RECORDINGS: any number of runs and what they did, as pale-recording(5) says. Each fact has a
 * column a run: how often it was seen there, and when first. Runs are told by their ids, so that
 * adding up is a union: in whatever order, however often, the same comes out. Of two snapshots of
 * one run the later counts.
 *
 * Everything lives in the arena: about 10 bytes for a fact of a run.
 */
#include "learn/record/fact.h"
#include "learn/record/recording.h"

#define RECORDINGS_TEXT (UINT64_C(1) << 30) /* bytes of a file */
#define RECORDINGS_RUNS 1000000

struct recordings;

struct recordings_fault { /* what is wrong with a text, and where in it */
	const char *what; /* in the arena */
	const char *help;
	size_t at, n;
};

struct recordings *recordings_new(struct arena *a);
/*
 * Adds what a file holds. 0, or -1 and *fault: then nothing but recordings_new() makes sense any
 * more. file: which one, for recordings_settle().
 */
int recordings_read(struct recordings *rs, struct str text, size_t file,
		    struct recordings_fault *fault);
/* Adds one run. */
void recordings_add(struct recordings *rs, const struct recording *r);

struct recordings_clash { /* one snapshot of a run, told in two ways */
	char id[2 * RUN_ID + 1];
	uint64_t snapshot;
	size_t files[2];
	const char *what; /* the line that differs, in the arena */
};

/*
 * To be called when all are there: sorts them, and drops what later snapshots hold. 0, or -1 and
 * *clash.
 */
int recordings_settle(struct recordings *rs, struct recordings_clash *clash);

size_t recordings_runs(const struct recordings *rs);
const struct recorded_run *recordings_run(const struct recordings *rs, size_t i);
size_t recordings_facts(const struct recordings *rs);

/* The file. recordings_read() of it gives the same, and printed again it is the same bytes. */
void recordings_print(struct buf *out, const struct recordings *rs);

struct column { /* a fact in a run */
	uint32_t run;
	uint64_t count;
	uint64_t first_ns; /* since the run's first exec */
};

/* Each fact that a run has, in order: its columns by run. A walk is begun with 0. */
struct columns {
	VEC(struct column) list;
};
bool recordings_next(const struct recordings *rs, size_t *walk, struct fact *f,
		     struct columns *columns);

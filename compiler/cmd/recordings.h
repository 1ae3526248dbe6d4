/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* What learn, propose and merge do with recordings (recordings.c). */
#include "compiler/cmd/options.h"
#include "learn/learn.h"
#include "learn/record/recordings.h"

/* Reads and settles these files, for that command. EXIT_OK, or another after diagnostics. */
int recordings_load(struct session *s, const char *command, const char *const *paths, size_t n,
		    struct recordings *rs);
/* To a file that its owner alone may read; "-": standard output. EXIT_OK, or EXIT_SYSTEM, told. */
int recordings_write(const struct recordings *rs, const char *path);

/*
 * The sets start-... that a list such as "run,runc" names (NULL: run), NULL-ended.
 */
const char *const *start_sets(struct arena *a, const char *list);
/* Whether they are there, asked before anything runs; else EXIT_PALE, told. */
int start_sets_check(struct session *s, const char *command, const char *const *starts);

struct proposal_args {
	const char *output; /* NULL, "-": standard output */
	const char *report; /* --report: a page of what was recorded; NULL: none */
	const char *name;
	const enum arch *arch; /* --arch; NULL: the recorder's */
	const char *starts;    /* --for, as written; NULL: not said */
	const char *margin;    /* --margin, as written; NULL: not said */
	bool exact;            /* --exact */
	bool phases;           /* --phases: two policies, the second beside the first */
	bool once;             /* it cannot be had again: what cannot be written is printed */
};
/* Is --arch one that recordings cannot be of? 0, or the exit status, told. */
int recorded_arch_check(const struct options *o);
/* What --phases cannot go with, asked before anything runs: 0, or the exit status, told. */
int phases_check(struct session *s, const struct options *o);
/* Proposes a policy of what `rs` united to and writes it. 0, or -1, told. Diagnostics are in the session. */
int proposal_write(struct session *s, const struct proposal_args *a, const struct recordings *rs,
		   const struct recording *r);
/* The runtime that was met gets the version that it says of itself, where it is on PATH. */
void recording_runtime(struct session *s, struct recorded_run *run);
/* The page of --report of a recording and what was proposed of it (report.c). */
void report_make(struct session *s, const struct recordings *rs, const struct recording *r,
		 const struct ast_file *proposal, struct buf *out);
/* Says that the command hands its work to a service, as client_of_command() found. */
void tell_client(struct session *s, const char *client);
/* Says what else the recording, and so the proposal, lacks; true: something, a client's included. */
bool tell_incomplete(struct session *s, const struct recording *r, const char *help);

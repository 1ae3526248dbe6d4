/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * REPLAY: what others have written down of a run, as the recording that `pale learn` would have made
 * of it: strace's output, seccomp's records of the kernel's log (type 1326), AppArmor's (1400), what
 * `pale run --report` counted. What a
 * source does not show is said in the run (no_calls, no_arguments, no_files, caps_observed), never
 * guessed. No file is looked at. Memory is bounded by what is different, not by how long a log is.
 */
#include "compiler/file/session.h"
#include "learn/record/recording.h"

enum replay_from { REPLAY_STRACE, REPLAY_AUDIT, REPLAY_APPARMOR, REPLAY_REPORT };

/* Of a log with several programs: which. NULL, 0: not said. */
struct replay_options {
	enum replay_from from;
	enum arch arch; /* strace: whose calls its names are; of logs it is not asked */
	const char *comm, *exe, *profile;
	uint64_t pid;
};

struct replay;

/* Texts of `out` are in the arena of s, as are all diagnostics. */
struct replay *replay_new(struct session *s, const struct replay_options *opt,
			  struct recording *out);
/* From here on lines are of this file. */
void replay_file(struct replay *r, const char *name);
/* The next line; number: from 1. cut: it went on. */
void replay_line(struct replay *r, struct str line, bool cut, uint64_t number);
/* Completes the recording: 0, or -1 where there is none, told. */
int replay_end(struct replay *r);

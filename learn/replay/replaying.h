/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* A replay while lines come in: shared by the files of this room, nobody else includes it. */
#include "compiler/base/table.h"
#include "learn/model.h"
#include "learn/replay/replay.h"

enum { NAMES_MAX = 64 };

struct strace_replay;

struct strace_values { /* of the arguments of a call, by their text */
	struct str text;
	enum arch arch;
	unsigned given; /* bit: of an argument that could be read */
	uint64_t args[6];
};

struct strace_texts {
	VEC(struct strace_values) values;
	struct table by_text;
};

struct replay_bad { /* lines that could not be read, the first by its place */
	uint64_t lines, number;
	const char *file, *why;
};

struct replay {
	struct session *s;
	struct replay_options opt;
	struct recording *r;
	struct model *m;
	const char *file;
	size_t files;
	uint64_t number; /* of the line at hand */
	uint64_t taken;  /* lines that said something of the run */
	uint64_t other;  /* lines of other programs than those that were asked for */
	uint64_t id[2];
	uint64_t begin_ns, end_ns; /* of logs: since the epoch; 0: not known */
	struct buf line;           /* the one at hand, with a NUL byte behind it */
	VEC(const char *) names;   /* of programs, or profiles */
	bool more_names;
	VEC(const char *) pids;
	struct replay_bad bad, value;
	struct strace_texts texts;
	struct strace_replay *strace;
	struct buf report; /* the file at hand, of REPLAY_REPORT */
};

void replay_bad(struct replay *r, struct replay_bad *kind, const char *why);
/* Nanoseconds since the first; earlier ones are 0. */
uint64_t replay_since(const struct replay *r, uint64_t ns);

/* The number of a process as a line has it; 0: it has none. */
unsigned replay_pid(struct str pid);

/* from_strace.c; text: NUL-terminated, without a NUL byte in it. */
struct strace_replay *strace_replay_new(struct replay *r);
void strace_replay_line(struct replay *r, const char *text, bool cut);
void strace_replay_file(struct replay *r);
void strace_replay_end(struct replay *r);

/* from_report.c: a line of a report, and what a whole one says */
void report_replay_line(struct replay *r, struct str line);
void report_replay_file(struct replay *r);

/* from_log.c */
void log_replay_line(struct replay *r, struct str line, bool cut);

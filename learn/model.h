/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * A recording under construction: both backends feed it, facts of one kind are united here.
 * Everything lives in the arena; the recording is complete after model_finish().
 */
#include <sys/stat.h>

#include "learn/record/recording.h"
#include "learn/trace.h"
#include "learn/view.h"

#define RULES_MAX 4096
_Static_assert(TRACE_PROGRAMS - TRACE_BY_FIRST == RECORDING_PROGRAMS, "each has its number");

struct model;

struct access {             /* how a file was used */
	unsigned perms;     /* PERM_* */
	bool owned;         /* by the file's owner */
	bool owner_unknown; /* that was not seen: what else is known of the file decides */
	bool elsewhere;     /* in a chroot or another mount namespace */
	bool peers;         /* below /proc/PID of another process */
	bool ours;          /* which is recorded, too */
	bool socket;        /* by connecting or sending to it */
	bool held;          /* it was there when the recording began */
	bool tried;         /* executed, and nothing came of it */
	unsigned pid;       /* of the process, as it calls itself; 0: not known */
	unsigned parent;    /* of its parent, likewise */
	uint64_t count;
	uint64_t first_ns;
};

struct model *model_new(struct arena *a, struct recording *r, size_t max_paths);
struct recording *model_recording(struct model *m);
struct arena *model_arena(struct model *m);

/* Where what is added of calls, their arguments and capabilities counts. */
enum model_phase {
	PHASE_ANY,   /* in the whole run: made while starting, or it is not known when */
	PHASE_SERVE, /* there and among what was made while serving */
	PHASE_APART, /* among that alone: the whole is told elsewhere */
};
void model_phase(struct model *m, enum model_phase phase);
/* A process serves from here on: by what it was told; the first one counts. */
void model_serves(struct model *m, const char *from, uint64_t first_ns);

/* Adds to what is known of a call; first_ns: the earliest wins. */
void model_call(struct model *m, enum arch a, uint32_t nr, uint64_t count, uint64_t first_ns);
/*
 * Whose a call is, told beside the call itself: the number of a program, by its path as the kernel
 * resolved it; of any beyond RECORDING_PROGRAMS, and of what has no path (p NULL), that of the others.
 */
typedef size_t model_program;
model_program model_program_of(struct model *m, struct str path);
void model_made(struct model *m, model_program by, enum arch a, uint32_t nr, uint64_t count,
		uint64_t first_ns);
/* One that was under way when the recording began. */
void model_held_call(struct model *m, enum arch a, uint32_t nr, uint64_t count);
/* One that nobody looked at in `count` runs; where it was seen elsewhere, that counts. */
void model_assumed_call(struct model *m, enum arch a, uint32_t nr, uint64_t count);
void model_value(struct model *m, enum arch a, uint32_t nr, unsigned arg, uint64_t value,
		 uint64_t count);
void model_bits(struct model *m, enum arch a, uint32_t nr, unsigned arg, uint64_t ones,
		uint64_t zeros, bool unbounded);
void model_tuple(struct model *m, enum arch a, uint32_t nr, const uint64_t args[3], uint64_t count);
/* What was made by such a call before the recording began, `count` of them. */
void model_held_tuple(struct model *m, enum arch a, uint32_t nr, const uint64_t args[3],
		      uint64_t count);
/* A port; past RECORDING_VALUES_MAX of an address_group() it is one of the others. */
void model_address(struct model *m, const struct address *k, uint64_t count, uint64_t first_ns);
void model_capability(struct model *m, unsigned cap, enum arch a, uint32_t nr, uint64_t count,
		      uint64_t first_ns);
/* Past RECORDING_VALUES_MAX different peers of one signal it is of unknown ones. */
void model_signal(struct model *m, const struct signalled *what, uint64_t count, uint64_t first_ns);
/* What was used: a file, or (flags TRACE_MOVED) a name whose kind shows only at the end. 0: lost. */
typedef size_t model_ref;

/*
 * What was asked of AppArmor's classes beside files, as a rule (record/rule.h); past RULES_MAX
 * different ones it is counted as lost. False: it is no rule, and nothing was done.
 */
bool model_rule(struct model *m, const char *text, uint64_t count, uint64_t first_ns);

/* path: absolute and resolved; past max_paths it is counted as lost. */
model_ref model_file(struct model *m, struct str path, const struct access *how);
/*
 * A path as a program wrote it, seen from `base` (the root for absolute ones); flags TRACE_*.
 * Its directory is resolved now; what cannot be is counted as unresolved.
 */
model_ref model_join(struct model *m, const char *base, const char *text, unsigned flags,
		     const struct access *how);
/*
 * Such a path alone, resolved now, without what is there: in `out`, without a slash at its end. False:
 * it cannot be.
 */
bool model_path(const char *base, const char *text, unsigned flags, char out[]);
/* Do the links in it lead where they did then? Else what model_path() finds is another file. */
bool model_leads_as_then(const struct model *m, const char *base, const char *text, unsigned flags,
			 uint64_t first_ns);
/*
 * Names are looked up when all is over, and not while tasks stand still: since when, in nanoseconds
 * since the epoch. Those whose links have changed since they were used are lost then (links.h).
 */
void model_began(struct model *m, uint64_t epoch_ns);
/*
 * They are names of this view (view.h), as is what model_finish() looks up. Where it cannot be entered
 * nothing is looked up. It is the caller's.
 */
void model_view(struct model *m, const struct view *v);
/* Around names that are added; false: there is no place to look them up, and TRACE_ELSEWHERE fits. */
bool model_enter(const struct model *m);
void model_leave(const struct model *m);
/* Before any of those names: what such a name was made, removed or renamed; flags TRACE_*. */
void model_changed(struct model *m, const char *base, const char *text, unsigned flags,
		   const struct access *how);
/* A file without a path that is known; of one too long to be had the end is kept. It is counted elsewhere. */
void model_lost(struct model *m, struct str name, enum lost_why why, const struct access *how);
/* Both of TRACE_MOVED, and names of one thing at different times: both directories, or neither. */
void model_renamed(struct model *m, model_ref from, model_ref to);
/* `to` is a new name of the file `from`. */
void model_linked(struct model *m, model_ref from, model_ref to);
/* Interpreters of the programs (ELF, #!), the libc, and a fixed order. */
void model_finish(struct model *m);
/* The same of what happened elsewhere, or long ago: no file system is looked at. */
void model_finish_apart(struct model *m);

/* Which architecture an ABI of trace.h is on this machine; -1: none that the table knows. */
int abi_arch(unsigned abi);
/* The tables of what to look at, from rules.def and args.def. */
/* What is worth knowing of one call, of whichever architecture. */
void rules_of(enum arch a, uint32_t nr, struct trace_call *call, struct trace_rule *rule);
void rules_fill(struct trace_call calls[TRACE_CALLS], struct trace_rule rules[TRACE_RULES]);
/* Does a call of that name make a task? */
bool rules_make_task(const char *name);
/*
 * Which call socketcall(2) makes for this first argument, 0: which one i386's mmap(2) stands for; an index, as
 * of trace_call. 0: none of its own.
 */
unsigned rules_selected(uint64_t selector);

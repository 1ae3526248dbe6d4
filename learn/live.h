/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * LIVE: what is known of a recording while it is made, looked at now and then and shown to whoever
 * asked. A look takes nothing from the recording and adds nothing to it; it is short, and done where
 * the recorder waits anyway.
 */
#include <signal.h>

#include "learn/learn.h"
#include "learn/model.h"

enum { LIVE_NEWEST = 64, LIVE_NAME = 256, LIVE_PROGRAMS = 8, LIVE_CALLS = TRACE_CALLS / 64 };
enum live_kind { LIVE_CALL, LIVE_FILE, LIVE_CAPABILITY };

struct live_new {          /* something that was not seen before */
	uint64_t first_ns; /* since the start */
	enum live_kind kind;
	unsigned perms; /* of a file: PERM_* */
	bool is_cut;    /* the beginning of the name is not there */
	char name[LIVE_NAME];
};

struct live_program {         /* what its calls are; bit of a call: its index in trace.h's tables */
	char name[LIVE_NAME]; /* "": others, which have none */
	bool is_cut;          /* the beginning of the name is not there */
	size_t calls, serving; /* different ones; of these while it served */
	size_t alone;          /* that no other one made */
	uint64_t alone_calls[LIVE_CALLS];
};

struct live_look {
	uint64_t clock_ns;         /* of the look */
	uint64_t ns;               /* since the start; 0: nothing was seen yet */
	uint64_t made;             /* calls, all of them */
	size_t calls, files, caps; /* different ones */
	bool caps_seen;            /* else they cannot be */
	uint64_t tasks;
	struct recorded_run lost; /* its losses, and no more */
	/* What the programs in the kernel took of one CPU's time, when that was looked at last. */
	uint64_t programs_ns, of_ns;         /* of_ns 0: not known */
	bool is_ending;                      /* told to stop */
	const char *watched;                 /* containers, as they came; NULL */
	struct live_new newest[LIVE_NEWEST]; /* the latest first */
	size_t n;
	struct live_program programs[LIVE_PROGRAMS]; /* that alone make most calls, those first */
	size_t nprograms;                            /* all that there are */
	/* Bit nr of made_by[arch]: the call was made. */
	uint64_t made_by[ARCH_NR][RECORDING_NRS / 64];
};

struct live {
	void (*show)(void *who, const struct live_look *look);
	void *who;
	const volatile sig_atomic_t *ticks; /* counted up by SIGALRM, a few times a second */
	/* Its own: */
	sig_atomic_t seen;
	struct live_look look;
	size_t files_known; /* of the model's */
	struct live_maps *maps;
};

/* Is it time for opt->live to look? */
bool live_due(const struct learn_options *opt);
/* One more; what is older than all that are kept, and there is no room for, is left out. */
void live_add(struct live *l, enum live_kind kind, uint64_t first_ns, unsigned perms,
	      struct str name);
/* Which programs there are: all of them, each time. The names are read while it runs. */
struct live_made {
	struct str name; /* NULL: others */
	uint64_t calls[LIVE_CALLS], serving[LIVE_CALLS];
};
void live_programs(struct live *l, const struct live_made *made, size_t n);
/* The call was made; true: for the first time. */
bool live_made(struct live *l, enum arch a, uint32_t nr);
/* From a model that is filled as the run goes on; ns: since its start. */
void live_model(struct live *l, struct model *m, uint64_t ns);

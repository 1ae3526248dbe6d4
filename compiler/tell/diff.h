/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * What a comparison found, as lines that a person reads: calls with the same change on the same
 * architectures, with the same verdicts, conditions and environments, are one line.
 */
#include "compiler/apparmor/expand.h"
#include "compiler/file/decide.h"
#include "compiler/decision/compare.h"

struct diff_step { /* one answer for another */
	struct verdict a, b;
	bool others;           /* they are the example's: there are many such pairs */
	const char *condition; /* "domain == AF_VSOCK"; "": always */
	bool exact;       /* condition says all; else it is a hint, and the example stands for it */
	const char *call; /* the example: "socket(AF_VSOCK)" */
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

enum resource_kind {
	RESOURCE_PROGRAM, /* what AppArmor confines */
	RESOURCE_FILES,
	RESOURCE_CAPABILITIES,
	RESOURCE_SOCKETS, /* AppArmor's half; the calls are the other */
	RESOURCE_SIGNALS,
	RESOURCE_LIMITS,
	RESOURCE_LOG, /* of refused calls; the seccomp layer's */
	/* Of AppArmor profiles alone. */
	RESOURCE_PROFILE, /* that it is there, its flags, what its abi has */
	RESOURCE_MOUNT,
	RESOURCE_PIVOT_ROOT,
	RESOURCE_PTRACE,
	RESOURCE_UNIX,
	RESOURCE_DBUS,
	RESOURCE_MQUEUE,
	RESOURCE_USERNS,
	RESOURCE_IO_URING,
	RESOURCE_CHANGE_PROFILE,
	RESOURCE_NR
};

struct diff_agreeing {           /* rules that say the same as the one that decides */
	const char *const *list; /* as that one is told */
	size_t n, more;          /* more: there are so many beside these */
};

struct diff_resource {      /* what resource rules answer otherwise; no text is NULL */
	enum change change; /* CHANGE_ERRNO: refused alike, recorded otherwise */
	enum resource_kind kind;
	const char *about;   /* "capability chown" */
	const char *profile; /* whose rules, where a file holds several; else "" */
	const char *path;    /* files, program: one that shows it; else "" */
	const char *access;  /* of AppArmor's profiles: one that shows it, as sim reads it; or "" */
	const char *a, *b;   /* "refused", "allowed"; not decided: "" */
	const char *by_a, *by_b; /* what decided: "web.pale:3:9: capability chown;" */
	struct diff_agreeing also_a, also_b;
	const char *reason; /* not decided: why, and a way out; else "" */
};

struct diff {
	const struct decide *a, *b;
	const char *a_for, *b_for; /* for which release and kernel of AppArmor; NULL: not said */
	const struct compare *compare; /* no items where calls are not asked for */
	unsigned layers;               /* LAYER_*: what is compared */
	VEC(struct diff_line) lines;
	VEC(struct diff_resource) resources;
	unsigned resource_kinds; /* bit: compared, as rules stand on both sides */
	VEC(const char *) notes; /* what was not compared */
	bool has[CHANGE_NR];
	size_t count[CHANGE_NR]; /* names of calls, each once */
	size_t same;             /* names of calls that no line speaks of */
	bool differs; /* somewhere; `open`: it may, somewhere else: that is not decided */
	bool open;
};

extern const char *const diff_words[CHANGE_NR];   /* "looser" */
extern const char *const diff_kinds[RESOURCE_NR]; /* "files" */

/* "x86_64, i386" */
const char *diff_arches(struct arena *a, unsigned arches);
/* What a line is about when it names no calls: "i386, which only A decides". */
const char *diff_subject(struct arena *a, const struct diff_line *l, const struct diff *d);
/* "B is looser: 2 calls; tighter: 1 call; same: 370 calls on x86_64" */
const char *diff_summary(struct arena *a, const struct diff *d, const char *between);

struct diff_asked {
	unsigned layers; /* LAYER_*: what is compared */
	unsigned only;   /* ARCH_BIT(); 0: all */
	const struct environment *env;
	struct aa_asked apparmor[2]; /* for whom each side's resource rules are */
};

/*
 * Two files that are loaded, in one manager, compared as `pale diff` does: all of *out is filled in but
 * a_for and b_for, which stay.
 * Of a policy that does not count on seccomp the root is changed: its calls are open.
 */
void diff_decided_files(struct session *s, struct dd *dd, struct decide *a, struct decide *b,
			const struct diff_asked *asked, struct diff *out);
/* d->differs and d->open, once all is compared. */
void diff_sum_up(struct diff *d);

/*
 * Fills in what the caller has compared: a, b, compare and layers are set, the rest is zero.
 * `only`: as compare_roots() was asked.
 */
void diff_group(struct session *s, struct diff *d, unsigned only);
/* Whether refused calls are logged, behind diff_group(). */
void diff_logging(struct session *s, struct diff *d);
/*
 * What their resource rules answer otherwise, behind these; AppArmor's as what is compiled of each
 * side for its release and kernel answers.
 */
void diff_resources(struct session *s, struct diff *d, const struct aa_asked *a,
		    const struct aa_asked *b);

/* As the lines on calls stand: looser ones first. */
void diff_sort_resources(struct arena *a, struct diff *d);

void diff_text(struct buf *out, struct arena *a, const struct diff *d);
void diff_markdown(struct buf *out, struct arena *a, const struct diff *d);
void diff_json(struct buf *out, struct arena *a, const struct diff *d);

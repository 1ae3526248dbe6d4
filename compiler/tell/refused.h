/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* A call that a filter answered, of a log or a process: what refused it, and what would allow it. */
#include "compiler/enforce/held.h"
#include "compiler/file/audit.h"
#include "compiler/file/container.h"
#include "compiler/file/decide.h"

struct refused_call {
	struct audit_record r; /* the first of `count`, which say the same */
	bool has_args;
	uint64_t args[6];
	uint64_t count;
};

/* The file that is asked: as it decides, or (`loaded`) as it is loaded in a container. */
struct refusing {
	struct session *s;
	struct decide_options opt;
	struct decide decide; /* `shown` in either case */
	struct dd *dd;
	dd_node root;                   /* what it answers, in dd */
	const struct container *loaded; /* of machines[], that of the call at hand; NULL: not */
	struct container *machines[ARCH_NR]; /* loaded on each that was asked for */
};

/* Of a loaded file: turns to the machine of this call. An exit status; what is wrong is in by->s. */
int refusing_turn(struct refusing *by, const struct refused_call *e);
/* "2 times x86_64 read(): ERRNO(1), by x (first pid 1)", a line */
void refused_put_call(struct buf *out, const struct refusing *by, const struct refused_call *e);
/* What the file answers to it, by which rule, and what would allow it. */
void refused_put_file(struct buf *out, const struct refusing *by, const struct refused_call *e);
/* The same without a file: what can be said of the call alone. */
void refused_put_alone(struct buf *out, const struct refused_call *e);
/* What each filter of a process answers to it. */
void refused_put_filters(struct buf *out, const struct held *h, const struct refused_call *e);

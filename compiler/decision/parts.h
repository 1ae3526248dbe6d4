/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * A diagram call by call: what is left of it once the call, its architecture and the machine that
 * runs it are known. Rules ask of every call there is, over and over; so an architecture's calls are
 * looked up together, the first time that one of them is asked for.
 */
#include "compiler/decision/decision.h"
#include "compiler/tables/tables.h"

struct call_parts {
	struct arena *arena;
	struct dd *dd;
	dd_node root;        /* DD_NONE: so are all parts */
	unsigned arches;     /* ARCH_BIT(): those that the diagram decides */
	unsigned done;       /* of these, looked up */
	dd_node *node;       /* by call and architecture; DD_NONE: no such call there */
	unsigned *all, *any; /* by call: where the claim is true, and where it is not false */
	bool lost;           /* a budget is passed: no part has a meaning */
};

/* `arches` as they are listed together: what machine runs i386 hangs on the others. */
struct call_parts parts_of(struct arena *a, struct dd *d, dd_node root, unsigned arches);
/* The call's part; DD_NONE: it does not exist there, or a budget is passed. */
dd_node parts_at(struct call_parts *p, const struct syscall_info *s, enum arch a);
/* Of a claim: the architectures where it always holds, and where it sometimes does. */
unsigned parts_all(struct call_parts *p, const struct syscall_info *s);
unsigned parts_any(struct call_parts *p, const struct syscall_info *s);

/* The machine on which calls of an architecture are looked at, where these are listed together. */
enum arch parts_host(enum arch a, unsigned arches);

/* The place of a call in syscall_at(). */
static inline size_t call_index(const struct syscall_info *s)
{
	return (size_t)(s - syscall_at(0));
}

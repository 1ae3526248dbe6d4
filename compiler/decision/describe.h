/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * From a claim over a call's arguments back to a condition that a person reads: sets, ranges,
 * masks and flags by name, found in the diagram's structure. The condition holds exactly where
 * the claim does. The tree lives in the given arena.
 */
#include "compiler/decision/decision.h"
#include "grammar/ast.h"

struct describe_site {                  /* the call whose arguments are spoken of */
	const struct syscall_info *sys; /* NULL: a call by number, arg0 to arg5 */
	enum arch arch;
	bool registers; /* `reg` only */
};

/*
 * The longest condition that is written, in comparisons and members of sets; and the memory that
 * all conditions of a filter may take, so that a hostile one is told within 1 GiB.
 */
enum { DESCRIBE_MAX = 20000, DESCRIBE_MIB_MAX = 512 };

struct describer; /* what was told of a filter's claims; lives in its arena */
struct describer *describe_new(struct dd *d, struct arena *a);

/*
 * A condition that holds wherever `must` does and nowhere outside `may`: the shortest that was
 * found. 0 and *out (NULL: always), or -1: it takes more than these, or looks at something else
 * than arguments. Not for DD_FALSE, which no condition says.
 */
int dd_describe(struct describer *s, const struct describe_site *site, dd_node must, dd_node may,
		struct ast_cond **out);

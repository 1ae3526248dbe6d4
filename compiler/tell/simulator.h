/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* The verdict on single calls, and the line that decided. */
#include "compiler/cbpf/cbpf.h"
#include "compiler/file/container.h"
#include "compiler/file/decide.h"

/* Who answers: the first of these that is there. */
struct simulator {
	const struct decide *decide;         /* a policy whose environment is open, or JSON */
	const struct container *loaded;      /* a container's */
	bool as_bpf;                         /* programs[] */
	const struct policy *policy;         /* NULL for a foreign program */
	const struct environment *env;       /* what of it is known */
	struct cbpf_stack programs[ARCH_NR]; /* by architecture, of its family */
	bool has[ARCH_NR];
};

/*
 * The programs of the policy's families. A call of an architecture of no listed family meets a
 * program of another machine; which one does not matter: to all of them it is foreign. 0, or -1
 * and what is wrong in s.
 */
int simulator_generate(struct session *s, struct simulator *sim);
/* 0 and *v; -1 after saying in s why it is not known. out (NULL: not asked): what decided. */
int simulator_answer(struct session *s, const struct simulator *sim, enum arch arch,
		     const struct call *c, struct verdict *v, struct buf *out);
/* Where a call is made: on the machine's own if the policy lists it, else the first that has it. */
struct ast_call_args;
enum arch simulator_arch(const struct simulator *sim, const struct ast_call_args *c);

/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Every rule that speaks of a call or a path, and which of them wins; of a program its answers. */
#include "compiler/file/decide.h"

/*
 * The rules about a call as strace_parse() reads it; `only`: an enum arch, or -1 for all that the
 * file decides. What is written is good where 0 is returned; -1: what is wrong is in s.
 */
int explain_call(struct session *s, const struct decide *d, const struct environment *env,
		 const char *text, int only, struct buf *out);
/* The same of a BPF program: which instructions give each answer, and who else gets it. */
int explain_program(struct session *s, const char *file, const char *text, int only,
		    struct buf *out);
/* "  LABEL  r; to its owner also w", of what each half has, without an end. */
void put_in_all(struct buf *out, const char *label, unsigned other, unsigned owner);

/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * What a stopped task's call names, and leads by another process (leads.h): a look at that one, whatever
 * the call, and whether it succeeds in the end.
 */
#include "learn/tracee.h"

/* At the start of a call, but of those that open; sys: NULL, it has no name. */
void looks_of_call(struct tracer *t, const struct tracee *e, const struct syscall_info *sys,
		   const struct trace_call *c);
/*
 * At the end of one that opens; its name, NULL: it was not read yet, and what was opened by it: of nearly all
 * names that says that they lead by nobody. NULL: nothing.
 */
void looks_of_open(struct tracer *t, const struct tracee *e, const char *name, const char *path);
/* The path that a socket is bound to, connected to, or that is sent to. */
void looks_at_address(struct tracer *t, const struct tracee *e, const struct addressed *to);

/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Which instructions of a program some call executes. */
#include "compiler/cbpf/cbpf.h"
#include "compiler/decision/decision.h"

/*
 * reached[i], for each instruction of a program that cbpf_check() accepts: is there a call, of
 * any architecture, with any arguments and instruction pointer, that executes it? Exact. Works in
 * d; `scratch` may be freed afterwards. 0, or -1: not decided within the manager's budget, or
 * after as many trials as are sensible.
 */
int cbpf_reach(struct dd *d, struct arena *scratch, const struct cbpf *prog, bool *reached);

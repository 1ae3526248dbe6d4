/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* What compile says of the programs it made for one machine family. */
#include "compiler/cbpf/prove.h"

struct figures_of {
	const struct policy *policy;
	const char *family;
	const struct cbpf_stack *progs;
	const struct cbpf_proof *proof;     /* that they are the policy's */
	const struct cbpf_weights *weights; /* NULL: none */
};

/* The architecture that the figures are about: the first of the family that the policy lists. */
enum arch figures_arch(const struct policy *p, const char *family);
/*
 * Instructions, and how many a call executes, arguments zero: over known calls, and over those
 * that the kernel's cache does not answer where it has one; and how many of the calls that are
 * always allowed, by the policy's diagram, the programs let it cache.
 */
const char *figures_tell(struct arena *a, const struct figures_of *f);

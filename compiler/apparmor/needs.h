/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * What a policy's profile needs: a release whose parser reads its words, an abi under which their
 * classes are mediated, a kernel that does it. A rule that falls short of one of these is loaded
 * and enforces nothing, or less than it says (apparmor.d(5), FEATURE ABI).
 */
#include "compiler/policy/policy.h"

struct aa_need {
	enum aa_release parser;
	enum aa_release abi;     /* of the release that brings it: <abi/4.0> */
	uint16_t kernel;         /* the first one that is known to do it; 0: all with AppArmor */
	bool none;               /* no kernel does */
	const struct origin *by; /* who needs that parser or abi; NULL: nobody more than 3.0 */
	const struct origin *for_kernel; /* who needs that kernel */
};

/* What all rules of the policy need together. */
struct aa_need apparmor_need(const struct policy *p);

struct apparmor_target {
	enum aa_release release;
	uint16_t kernel; /* KERNEL_VERSION_OF; 0: not said */
};

/* Does that target have all that the policy says? False: each rule that it lacks was told (PL390). */
bool apparmor_fits(struct arena *a, const struct policy *p, const struct apparmor_target *t,
		   struct diags *ds);

/* "abi/4.0": the newest that a release brings. */
const char *apparmor_abi_of(enum aa_release r);

/* What is enforced since some kernel, or by none, where no target says which it is (PL391). */
void apparmor_tell_kernel(struct arena *a, const struct policy *p, struct diags *ds);

/* Is the parser that is installed, if one is, new enough? False: told (PL392; PL020). */
bool apparmor_parser_fits(const struct policy *p, struct diags *ds);

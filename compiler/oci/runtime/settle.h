/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Several rules for one call, in this room: who meets whom, who is asked, who answers. */
#include "compiler/oci/profile.h"
#include "compiler/oci/runtime/runtime.h"

/* What the rules of a profile ask of the environment; at most 5 capabilities. environments.c */
struct oci_asked {
	uint64_t caps;
	uint16_t kernels[8];
	size_t nkernels;
};
bool oci_collect_asked(const struct oci_profile *p,
		       struct oci_asked *in); /* false: more than that */
/* PL131 at a place of which it is known that it asks; -1. */
int oci_ask_at(struct diags *ds, struct span span, unsigned fields);
/* The one of the fields, bits DD_CAPS and DD_SYSTEM, that is asked for first. */
enum oci_asks oci_first_asked(unsigned fields);
/* Are the same rules in force in both? */
bool oci_same_rules(const struct oci_profile *p, const struct environment *x,
		    const struct environment *y);

/*
 * conflicts.c: drops what libseccomp ignores or another rule swallows (listed in p->swallowed), and
 * lists p->disputes, which only the library decides. false: it was said why the profile cannot be taken.
 */
bool oci_find_disputes(struct arena *a, struct oci_profile *p, struct diags *ds);
/* By name, and of one name as they stand in their array. */
void oci_sort_rules(struct arena *a, struct oci_rule **rules, size_t n);
/*
 * swallowed.c: says what p->swallowed holds (SC108, SC109) of the calls that are asked for; not of the
 * names in `but`: nothing decides there. rules: p's, as parsed.
 */
void oci_tell_swallowed(struct arena *a, const struct oci_profile *p, const struct oci_rule *rules,
			const struct group *but, struct diags *ds);
/* Does it match whatever the arguments are? */
bool oci_always(const struct oci_rule *r);
const struct cond *oci_args_cond(struct arena *a, const struct oci_arg *args, uint32_t nargs);

/*
 * dispute.c: asks the library that is installed, if it is the one named, who wins each of
 * p->disputes; cuts the losers' rules, so that a policy, where the more restrictive wins, says
 * what it says. What nobody wins stays: there the more restrictive answers.
 */
const struct oci_disputes *oci_decide_disputes(struct arena *a, struct oci_profile *p,
					       const struct oci_read_options *opt);

/*
 * settle.c: what a runtime makes of several rules for one call; *disputes (NULL: none) is what
 * only libseccomp knows. false after an error.
 */
bool oci_settle(struct arena *a, struct oci_profile *p, const struct oci_read_options *opt,
		const struct oci_disputes **disputes, struct diags *ds);

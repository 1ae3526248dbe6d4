/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * What a container runtime loads of a profile: libseccomp's reading of the rules, and runc's
 * ENOSYS stub before it, as diagrams over every call and every environment. What libseccomp
 * does not define (two entries with different actions match one call) is said by a claim; only
 * the library itself can answer there.
 */
#include "compiler/oci/profile.h"

struct oci_model {
	struct dd *dd;
	const struct oci_profile *profile;
	struct oci_runtime runtime;
	enum arch host;
	dd_node reading;   /* what libseccomp builds */
	dd_node undefined; /* claim: calls that several entries decide differently */
	dd_node stub;      /* claim: calls that runc answers with ENOSYS before that */
	dd_node stub_mark; /* ERRNO where the stub answers, else ALLOW */
	dd_node root;      /* all of it: stub, then reading */
};

/*
 * The profile as oci_parse() gave it for this host. DD_NONE in out->root: the manager's budget
 * is passed, and -1 is returned.
 */
int oci_model_build(struct arena *a, struct dd *d, const struct oci_profile *p,
		    const struct oci_runtime *rt, enum arch host, struct oci_model *out);

/*
 * The same, call by call, without the diagrams over all numbers: what oci_model_build()'s have at the
 * number of each call of an architecture in p->arches. DD_NONE in one of them: the budget is passed.
 */
struct oci_call {
	dd_node reading, undefined;
	bool named; /* a rule speaks of it there */
};
/* A call on the architectures that have it. Most rows are one call everywhere, and share it. */
struct oci_call_row {
	const struct oci_call *at; /* alike: one for all; else by architecture */
	bool alike;
	dd_node *stub; /* by architecture; NULL: DD_FALSE on each */
};
struct oci_calls {
	const struct oci_call_row *rows; /* by syscall_index() */
};
void oci_model_calls(struct arena *a, struct dd *d, const struct oci_profile *p,
		     const struct oci_runtime *rt, enum arch host, struct oci_calls *out);

/* runc's stub before another root, such as the lifted filter of libseccomp itself. */
dd_node oci_model_stubbed(const struct oci_model *m, dd_node filter);

/* Does the runtime's libseccomp number this call there? */
bool oci_numbered(const struct oci_runtime *rt, const struct syscall_info *sys, enum arch a);

/* Do the rule's comparisons hold for a call of this architecture? */
bool oci_args_hold(const struct oci_rule *r, enum arch a, const uint64_t args[6]);

/* Which part of the runtime answers a call, in an environment that knows what entries ask. */
struct oci_why {
	enum {
		OCI_BY_STUB,    /* runc's ENOSYS stub */
		OCI_BY_ARCH,    /* libseccomp: an architecture that the profile does not list */
		OCI_BY_ENTRY,   /* `rule` */
		OCI_BY_DEFAULT, /* defaultAction */
	} by;
	const struct oci_rule *rule; /* ENTRY: the first that matches */
};
struct oci_why oci_model_why(const struct oci_model *m, const struct environment *env,
			     const struct call *c);
/* The first of the rules that match a call and have this action, and how many match at all. */
const struct oci_rule *oci_model_rule(const struct oci_model *m, const struct environment *env,
				      const struct call *c, struct verdict v, unsigned *matching);

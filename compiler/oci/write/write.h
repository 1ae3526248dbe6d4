/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Exactly the policy's meaning as the named runtime loads it, in disjoint entries, none equal to the
 * default; or an error that names the rule. Other comparisons than EQ and MASKED_EQ stand where the
 * filter that libseccomp builds of them is seen, or was measured, to be the policy (fewer.c).
 */
#include "compiler/oci/oci.h"

enum oci_dialect {
	OCI_DIALECT_DOCKER, /* archMap, includes/excludes */
	OCI_DIALECT_OCI,    /* linux.seccomp of the runtime specification */
};

struct oci_write_options {
	enum oci_dialect dialect;
	struct oci_runtime runtime;
	bool approximate;     /* differences that never loosen become notes */
	const char *no_errno; /* who has no 'defaultErrnoRet'; NULL: it may be written */
	unsigned limit_ms;    /* for libseccomp to build its filter in; 0: 5 s of a processor */
	bool is_question; /* what the JSON costs its users is not told: it is not written for any */
	bool unbuilt;     /* it builds none: proved is the text alone (tests of many thousands) */
	unsigned plant;   /* 0; a test build plants encoding bug number `plant` (tests only) */
};

/*
 * 0, or -1 with diagnostics and `out` empty. Notes (names the runtime does not know, ...) are
 * diagnostics too. What was written has been proved (oci_prove()). The OCI dialect is the bare
 * object that stands under linux.seccomp in a config.json.
 */
int oci_write(struct arena *a, const struct policy *p, const struct oci_write_options *opt,
	      struct buf *out, struct diags *ds);

/*
 * Is the text, as the named runtime loads it and as the machine's libseccomp builds it, the
 * policy? For every call that the JSON claims (language.md, rule 5). 0, or -1 with a diagnostic:
 * a call on which they differ (PL229), or why it cannot be told (PL231, PL290). Not with
 * opt->approximate.
 */
int oci_prove(struct arena *a, const struct policy *p, const struct oci_write_options *opt,
	      struct str text, struct diags *ds);

/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Any FILE as a decision: a policy, a Docker, OCI or Podman profile, a config.json, a raw BPF
 * program. What it answers to every call in every environment is one root in the caller's
 * manager, so two files are compared by comparing two nodes.
 */
#include "compiler/cbpf/cbpf.h"
#include "compiler/file/input.h"
#include "compiler/decision/decision.h"

enum { DECIDE_BUDGET = 1 << 22 }; /* nodes for two files and what is asked of them */

struct decide_options {
	struct resolve_options
		resolve;    /* env: what --caps --kernel --host fixed; the rest stays open */
	const char *policy; /* --policy; NULL: the only one */
	const struct oci_runtime *runtime;   /* of a JSON profile; NULL: the default one */
	const struct oci_asked_calls *asked; /* as in struct input_options */
	unsigned only; /* machines' rows of these architectures (ARCH_BIT) alone; 0: all */
};

/* A Docker profile is several policies: each machine has its own row of archMap. */
struct decide_part {
	const struct policy *policy;
	const struct decision *decision;     /* in the caller's manager */
	enum arch machine;                   /* several parts: the row's */
	const struct oci_disputes *disputes; /* JSON: calls that libseccomp decides; NULL: none */
};

struct decide {
	const char *name;  /* as the user wrote it */
	const char *shown; /* the same, safe to print */
	const char *kind;  /* "policy", "JSON profile", "BPF program" */
	struct input in;
	VEC(struct decide_part) parts; /* none for BPF */
	struct cbpf prog;              /* BPF; else n is 0 */
	struct dd *dd;
	dd_node root;
	/*
	 * Whose calls it decides: those listed; of a program, those to which it answers otherwise
	 * than to an architecture that nobody has.
	 */
	unsigned arches;
};

/* EXIT_OK, EXIT_FOUND or EXIT_SYSTEM, both after saying why. Also warnings and notes of reading it are
 * in s->diags: report them, or forget them. */
int decide_load(struct session *s, struct dd *dd, const char *path,
		const struct decide_options *opt, struct decide *out);

/* The part that answers there (to foreign architectures: the first); NULL for BPF. */
const struct decide_part *decide_part_at(const struct decide *d, const struct dd_point *at);
/* The policy that answers there (to foreign architectures: the first); NULL for BPF. */
const struct policy *decide_policy(const struct decide *d, const struct dd_point *at);

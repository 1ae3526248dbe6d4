/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Shared by the files of this room: what one entry of a JSON profile says, and the words of
 * the format.
 */
#include "compiler/oci/oci.h"

enum { OCI_ERRNO_MAX = 4094 }; /* libseccomp's: src/db.c wants less than MAX_ERRNO */

struct oci_action {
	const char *name; /* SCMP_ACT_ERRNO */
	enum verdict_kind kind;
};
extern const struct oci_action oci_actions[]; /* ends with a NULL name; the first of a kind is written */

const struct oci_action *oci_action_find(struct str name);
const char *oci_action_name(enum verdict_kind kind);
int oci_arch_find(struct str scmp_name); /* SCMP_ARCH_X86 -> ARCH_I386; -1 */
int oci_host_find(struct str go_name);   /* amd64 -> ARCH_X86_64; -1 */
bool oci_arch_exists(struct str scmp_name); /* also those pale has no table for */

enum oci_op { OCI_NE, OCI_LT, OCI_LE, OCI_EQ, OCI_GE, OCI_GT, OCI_MASKED_EQ, OCI_OP_NR };
extern const char *const oci_op_names[OCI_OP_NR];

struct oci_arg {
	uint8_t index; /* 0..5 */
	enum oci_op op;
	uint64_t mask;  /* MASKED_EQ: JSON's value; else all ones */
	uint64_t value; /* MASKED_EQ: JSON's valueTwo, masked as libseccomp does */
	struct span span;
};

/* includes and excludes of an entry, Docker's `when`. */
struct oci_gate {
	uint64_t caps, no_caps;         /* all of these; none of these */
	uint16_t min_kernel, max_kernel; /* >= min; < max; 0: no bound */
	unsigned hosts, no_hosts;       /* ARCH_BIT(); hosts 0: any */
	bool never;                     /* only hosts that pale has no table for */
};

bool oci_gate_open(const struct oci_gate *g, const struct environment *env);
bool oci_gate_any(const struct oci_gate *g);                                /* always open */
bool oci_gate_exclusive(const struct oci_gate *x, const struct oci_gate *y); /* never both */
bool oci_gate_implies(const struct oci_gate *x, const struct oci_gate *y);   /* x open: y too */

/* One rule as a runtime hands it to libseccomp: a name, conditions that all hold. */
struct oci_rule {
	uint32_t entry; /* index in `entries` */
	struct str name;
	struct str handed; /* the JSON's name that libseccomp gets; empty: with the rule before it */
	struct span span;
	const struct oci_arg *args;
	uint32_t nargs;
	const struct oci_arg *written; /* as in the JSON; args may be cut to 32 bits */
	uint32_t nwritten;
	unsigned arches;                /* ARCH_BIT(): it speaks about */
	VEC(const struct oci_gate *) unless; /* swallowed where one of these is open */
	VEC(const struct oci_gate *) within; /* cut: only where all of these are open as well */
	VEC(const struct oci_rule *) except; /* cut: what matches one of these is theirs */
	bool dropped;
	bool derived; /* not in the JSON: what libseccomp makes of the rule before it */
};

struct oci_entry {
	const struct json *json;
	struct span action_span;
	struct verdict verdict;
	struct str errno_name; /* Podman's, which is another number on other machines; else empty */
	const struct oci_gate *gate;
	struct str comment;
};

enum oci_winner { OCI_NOBODY, OCI_FIRST, OCI_SECOND };

/* Two rules with different actions that match one call: libseccomp decides. */
struct oci_dispute {
	uint32_t first, second; /* indices in `rules`, as parsed */
	uint64_t args[6];       /* which both match */
	enum oci_winner winner; /* wherever both match; OCI_NOBODY: the more restrictive */
	bool asked;             /* libseccomp itself said so */
};

struct oci_profile {
	const struct json *json;
	struct verdict dflt;
	struct str dflt_errno_name; /* as in struct oci_entry */
	unsigned listed; /* architectures that the profile names */
	unsigned arches; /* and the machine's own */
	struct span arches_span;
	VEC(struct oci_entry) entries;
	VEC(struct oci_rule) rules;
	VEC(struct oci_dispute) disputes;
	VEC(const char *) dropped; /* comments: what was left out and why, by entry */
	VEC(uint32_t) dropped_entry;
};

/* parse.c: JSON to entries and rules, every value checked. false after an error. */
bool oci_parse(struct arena *a, const struct json *profile, const struct oci_read_options *opt,
	       struct oci_profile *out, struct diags *ds);
/*
 * conflicts.c: what a runtime makes of several rules for one call; *disputes (NULL: none) is what
 * only libseccomp knows. false after an error.
 */
bool oci_settle(struct arena *a, struct oci_profile *p, const struct oci_read_options *opt,
		const struct oci_disputes **disputes, struct diags *ds);
/*
 * dispute.c: asks the library that is installed, if it is the one named, who wins each of
 * p->disputes; cuts the losers' rules, so that a policy, where the more restrictive wins, says
 * what it says. What nobody wins stays: there the more restrictive answers.
 */
const struct oci_disputes *oci_decide_disputes(struct arena *a, struct oci_profile *p,
					       const struct oci_read_options *opt);
/* Does it match whatever the arguments are? */
bool oci_always(const struct oci_rule *r);
/* The same comparisons, in any order. */
bool oci_same_args(const struct oci_rule *x, const struct oci_rule *y);
/* Do the rule's comparisons hold for a call of this architecture? */
bool oci_args_hold(const struct oci_rule *r, enum arch a, const uint64_t args[6]);
/* The profile object itself: the root, or linux.seccomp of a config.json. NULL: neither. */
const struct json *oci_profile_object(const struct json *root);
const struct json *oci_member(const struct json *object, const char *key); /* null counts as absent */
/* Does runc put its ENOSYS stub before a filter with this default (patchbpf)? */
bool oci_stub_covers(enum verdict_kind dflt);
const struct cond *oci_args_cond(struct arena *a, const struct oci_arg *args, uint32_t nargs);

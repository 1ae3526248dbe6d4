/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * What `pale compile` makes before it writes anything: artifacts in memory, each with its
 * name and the line that is said about it. An error in one of them means none is written.
 */
#include "compiler/cmd/cmd.h"
#include "compiler/oci/write/write.h"

enum target { TARGET_DOCKER = 1, TARGET_OCI = 2, TARGET_BPF = 4, TARGET_APPARMOR = 8 };

struct artifact {
	const char *name;  /* "web.x86_64.bpf" */
	const char *about; /* behind "NAME: " */
	struct buf bytes;
	bool binary;
	bool is_part; /* one filter with the artifact before it */
};

struct compilation {
	struct session *session;
	unsigned targets;       /* TARGET_*; 0: all that the policy's layers have */
	struct source *weights; /* NULL: none */
	bool weights_told;      /* what is wrong with them was said for a first family */
	struct oci_runtime runtime;
	bool runtime_named; /* by --runtime; else the default, on every machine */
	bool runtime_told;  /* that another is installed */
	bool approximate;
	bool log_only; /* the policies given are policy_logging()'s: artifacts refuse nothing */
	/* The same policies with their conditions on the environment, for targets that carry them. */
	const struct policies *kept;
	VEC(struct artifact) artifacts;
};

/* Adds the artifacts of one policy. EXIT_OK; EXIT_FOUND with diagnostics in the session. */
int compile_policy(struct compilation *c, const struct policy *p);

/* compile_bpf.c: one artifact a machine family. */
int compile_bpf(struct compilation *c, const struct policy *p);

/* compile_log.c: "web", and "web.log-only": what refuses nothing does not take the place of what does. */
const char *compile_name(const struct compilation *c, const struct policy *p);
/* Behind what is said of an artifact: "", or that it enforces nothing. */
const char *compile_force(const struct compilation *c);
/* Has the policies' refusals logged (PL130 where no layer of one does); NULL: none. */
void compile_log_refusals(const struct policies *of, struct diags *ds);
/* Puts policy_logging() in the place of each, and of c->kept's, and says what that means. */
void compile_log_only(struct compilation *c, const struct policies *of);

/*
 * compile_write.c: all artifacts or none, to `output` (a file, a directory, "-"; NULL: standard
 * output or here), and a line about each on stderr unless `quiet`. Parts of a filter that was
 * there before and had more of them go in the same step. EXIT_*, already told.
 */
int compile_write(struct compilation *c, const char *output, bool quiet);

/*
 * compile_start.c: warns where nothing can be started under the policy: execve refused, or, for
 * the JSON targets, a call that runc was measured to make before the program's first instruction
 * (language.md, rule 10; compiler/oci/runtime/starts.def).
 */
void compile_check_start(struct compilation *c, const struct policy *p, unsigned targets);

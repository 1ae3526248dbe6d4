/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* The machine's libseccomp, in a child process with a time limit. */
#include <sys/types.h>

#include "compiler/cbpf/cbpf.h"
#include "compiler/oci/profile.h"

#define OCI_NO_RULE UINT32_MAX
/* How long a child that uses no processor is waited for: what it computes, cpu_s ends. */
#define OCI_CHILD_MS 60000

struct oci_child {
	pid_t pid;
	int fd; /* where it writes the program */
	enum arch native;
	bool tree;      /* set before the start: as runc has it built from 1.2 on */
	unsigned cpu_s; /* set before the start: processor time that it may take, so
			 * that a machine's load does not count; 0: not counted */
	uint32_t
		refused; /* after -EINVAL: the rule that got EEXIST; after -ETIMEDOUT: the rule that did
			   * not come to an end; OCI_NO_RULE: there is none */
	uint64_t started; /* ms, CLOCK_MONOTONIC */
};

/*
 * Starts building what the entries open in `env` come to (what it does not know does not hold),
 * on a `native` machine. 0: the caller finishes it, exactly once; or -errno.
 */
int oci_child_start(struct oci_child *c, const struct oci_profile *p, enum arch native,
		    const struct environment *env);
/*
 * Waits and reaps. 0 and the program; -ETIMEDOUT after its time on a processor, or limit_ms after its
 * start; -EOPNOTSUPP: this
 * libseccomp does not know the native architecture; -EINVAL and *why; -errno.
 */
int oci_child_finish(struct oci_child *c, struct arena *a, unsigned limit_ms, struct cbpf *out,
		     const char **why);

/* Its version, as in struct oci_runtime; 0: not known. */
unsigned oci_libseccomp_installed(void);
bool oci_library_knows(enum arch a);
/* Does it number this call there? */
bool oci_library_numbers(const struct syscall_info *sys, enum arch a);

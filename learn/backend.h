/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * The two ways to watch. A backend fills the model's recording and knows nothing of policies.
 */
#include <string.h>

#include "learn/model.h"
#include "learn/target.h"

struct watch; /* programs loaded and attached, nothing recorded yet */

/*
 * NULL and *why (in the arena) when this machine does not load or attach them; *is_short: for want
 * of memory or descriptors alone. Otherwise *why is what the way that misses nothing was refused
 * for, where a kernel can miss something; NULL. A command, the blocked target, is recorded from its
 * exec on; without one, the cgroups and processes that the options name.
 */
struct watch *trace_bpf_open(struct arena *a, const struct learn_options *opt,
			     const struct target *t, const char **why, bool *is_short);
/* Waits for the end, detaches, reads the maps, closes. 0 or -errno. */
int trace_bpf_record(struct watch *b, const struct learn_options *opt, struct target *t,
		     struct model *m);
void trace_bpf_close(struct watch *b);

/* Attaches to the blocked target; NULL or why not. */
const char *trace_ptrace_attach(struct arena *a, const struct learn_options *opt,
				const struct target *t);
int trace_ptrace_record(const struct learn_options *opt, struct target *t, struct model *m);

/* Does the command begin with a filter that stops it for the tracer at some of its calls alone? */
static inline bool by_seccomp(const struct learn_options *opt)
{
	return !strcmp(opt->backend, "seccomp");
}
/* Stops at all but the calls of assumed.def; in the arena. */
struct sock_fprog *trace_seccomp_filter(struct arena *a, const struct learn_options *opt);
/* Those, into the recording: whether they are made was not seen. */
void trace_seccomp_assume(struct model *m, const struct learn_options *opt);

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The backend "seccomp": a filter that the command begins with stops it at the calls worth a look
 * (SECCOMP_RET_TRACE), for the tracer of trace_ptrace.c; the calls of assumed.def run on. Filters
 * cannot be taken off: without the tracer each other call fails (ENOSYS), so the command ends with it.
 */
#include "learn/backend.h"

#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <string.h>

#include "compiler/base/bug.h"

static const char *const assumed[] = {
#define ASSUMED(call) #call,
#include "learn/assumed.def"
#undef ASSUMED
};

/* The number of the i-th; -1: not here, or worth a look by what is recorded of it. */
static int number_of(size_t i)
{
	enum arch a = (enum arch)arch_native();
	const struct syscall_info *s = syscall_by_name(str_c(assumed[i]));
	struct trace_call call;
	struct trace_rule rule;

	if (!s || s->nr[a] < 0)
		return -1;
	rules_of(a, (uint32_t)s->nr[a], &call, &rule);
	return call.args | call.rule | call.tuple ? -1 : s->nr[a];
}

struct sock_fprog *trace_seccomp_filter(struct arena *a)
{
	const struct sock_filter head[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, arch)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, arch_info((enum arch)arch_native())->audit, 1,
			 0),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_TRACE),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
	};
	struct sock_fprog *prog = ARENA_NEW(a, struct sock_fprog);
	size_t n = ARRAY_SIZE(head);

	prog->filter = ARENA_ARRAY(a, struct sock_filter, n + 2 * ARRAY_SIZE(assumed) + 1);
	memcpy(prog->filter, head, sizeof(head));
	/* x32 is of the same architecture, by numbers that are none of these. */
	for (size_t i = 0; i < ARRAY_SIZE(assumed); i++) {
		int nr = number_of(i);

		if (nr < 0)
			continue;
		prog->filter[n++] =
			(struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)nr, 0, 1);
		prog->filter[n++] =
			(struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
	}
	prog->filter[n++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_TRACE);
	prog->len = (unsigned short)n;
	return prog;
}

bool learn_assumes(const char *call)
{
	for (size_t i = 0; i < ARRAY_SIZE(assumed); i++)
		if (!strcmp(assumed[i], call))
			return number_of(i) >= 0;
	return false;
}

void trace_seccomp_assume(struct model *m)
{
	for (size_t i = 0; i < ARRAY_SIZE(assumed); i++) {
		int nr = number_of(i);

		if (nr >= 0)
			model_assumed_call(m, (enum arch)arch_native(), (uint32_t)nr, 1);
	}
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The backend "seccomp": a filter that the command begins with stops it at the calls worth a look
 * (SECCOMP_RET_TRACE), for the tracer of trace_ptrace.c; the calls of assumed.def run on. Filters
 * cannot be taken off: without the tracer each other call fails (ENOSYS), so the command ends with it.
 */
#include "learn/backend.h"

#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <string.h>
#include <sys/mman.h>

#include "compiler/base/bug.h"

static const struct assumed {
	const char *call;
	bool unasked;
} assumed[] = {
#define ASSUMED(call)         { #call, false },
#define ASSUMED_UNASKED(call) { #call, true },
#define ASSUMED_WITHOUT(call, arg, bits)
#include "learn/assumed.def"
#undef ASSUMED
#undef ASSUMED_UNASKED
#undef ASSUMED_WITHOUT
};

/* All but what says how a file that is read alone is opened. */
#define TRACE_NOT_READING                                                                          \
	(~(uint32_t)(O_CLOEXEC | O_DIRECTORY | O_NOATIME | O_NOCTTY | O_NOFOLLOW | O_NONBLOCK |    \
		     KERNEL_LARGEFILE))
#define KERNEL_LARGEFILE 0100000 /* O_LARGEFILE, which libcs of 64 bits have as 0 */

static const struct without {
	const char *call, *arg;
	uint32_t bits;
} withouts[] = {
#define ASSUMED(call)
#define ASSUMED_UNASKED(call)
#define ASSUMED_WITHOUT(call, arg, bits) { #call, #arg, bits },
#include "learn/assumed.def"
#undef ASSUMED
#undef ASSUMED_UNASKED
#undef ASSUMED_WITHOUT
};

/* Its number; -1: not here, or worth a look by what is recorded of it. */
static int number_of(const char *name)
{
	enum arch a = (enum arch)arch_native();
	const struct syscall_info *s = syscall_by_name(str_c(name));
	struct trace_call call;
	struct trace_rule rule;

	if (!s || s->nr[a] < 0)
		return -1;
	rules_of(a, (uint32_t)s->nr[a], &call, &rule);
	return call.args | call.rule | call.tuple ? -1 : s->nr[a];
}

/* The same of what is let through in a recording like that. */
static int number_then(const struct assumed *as, const struct learn_options *opt)
{
	return as->unasked && serve_looks_at(&opt->serve, as->call) ? -1 : number_of(as->call);
}

/* The same of withouts[], and which argument it is. */
static int number_without(const struct without *w, int *arg)
{
	enum arch a = (enum arch)arch_native();
	const struct syscall_info *s = syscall_by_name(str_c(w->call));

	if (!s || s->nr[a] < 0)
		return -1;
	*arg = syscall_arg_find(s, a, str_c(w->arg));
	BUG_ON(*arg < 0);
	return s->nr[a];
}

struct filter {
	struct sock_filter *v;
	size_t n;
};

static void add(struct filter *f, struct sock_filter insn)
{
	f->v[f->n++] = insn;
}

/* Behind a jump that is taken where the number is another one: of the argument's low half. */
static void add_without(struct filter *f, uint32_t nr, int arg, uint32_t bits)
{
	bool big = arch_info((enum arch)arch_native())->big_endian;
	uint32_t at = (uint32_t)offsetof(struct seccomp_data, args) + (uint32_t)arg * 8 + big * 4;

	add(f, (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, nr, 0, 4));
	add(f, (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, at));
	add(f, (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, bits, 1, 0));
	add(f, (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW));
	add(f, (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_TRACE));
}

/* x32 is of the same architecture, by numbers that are none of these. */
static void add_calls(struct filter *f, const struct learn_options *opt)
{
	/* These first: what is let through whatever its arguments are the kernel answers by a bit. */
	for (size_t i = 0; opt->no_files && i < ARRAY_SIZE(withouts); i++) {
		int arg, nr = number_without(&withouts[i], &arg);

		if (nr >= 0)
			add_without(f, (uint32_t)nr, arg, withouts[i].bits);
	}
	for (size_t i = 0; i < ARRAY_SIZE(assumed); i++) {
		int nr = number_then(&assumed[i], opt);

		if (nr < 0)
			continue;
		add(f, (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)nr, 0, 1));
		add(f, (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW));
	}
}

struct sock_fprog *trace_seccomp_filter(struct arena *a, const struct learn_options *opt)
{
	const struct sock_filter head[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, arch)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, arch_info((enum arch)arch_native())->audit, 1,
			 0),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_TRACE),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
	};
	struct sock_fprog *prog = ARENA_NEW(a, struct sock_fprog);
	struct filter f = { .n = ARRAY_SIZE(head) };

	f.v = ARENA_ARRAY(a, struct sock_filter,
			  f.n + 2 * ARRAY_SIZE(assumed) + 5 * ARRAY_SIZE(withouts) + 1);
	memcpy(f.v, head, sizeof(head));
	add_calls(&f, opt);
	add(&f, (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_TRACE));
	prog->filter = f.v;
	prog->len = (unsigned short)f.n;
	return prog;
}

const char *learn_assumes_without(const char *call, uint64_t *bits)
{
	for (size_t i = 0; i < ARRAY_SIZE(withouts); i++)
		if (!strcmp(withouts[i].call, call)) {
			*bits = withouts[i].bits;
			return withouts[i].arg;
		}
	return NULL;
}

bool learn_assumes(const char *call, bool no_files)
{
	uint64_t bits;

	for (size_t i = 0; i < ARRAY_SIZE(assumed); i++)
		if (!strcmp(assumed[i].call, call) && !assumed[i].unasked)
			return number_of(call) >= 0;
	return no_files && learn_assumes_without(call, &bits);
}

void trace_seccomp_assume(struct model *m, const struct learn_options *opt)
{
	enum arch a = (enum arch)arch_native();

	for (size_t i = 0; i < ARRAY_SIZE(assumed); i++) {
		int nr = number_then(&assumed[i], opt);

		if (nr >= 0)
			model_assumed_call(m, a, (uint32_t)nr, 1);
	}
	for (size_t i = 0; opt->no_files && i < ARRAY_SIZE(withouts); i++) {
		int arg, nr = number_without(&withouts[i], &arg);

		if (nr >= 0)
			model_assumed_call(m, a, (uint32_t)nr, 1);
	}
}

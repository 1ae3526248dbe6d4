/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A filter of more than 4096 instructions as several programs. The kernel runs all attached
 * filters and takes the most restrictive answer, so a program may allow what another decides:
 * the ranges of numbers are cut into parts, and each program decides one of them. Foreign
 * architectures get the same answer from all.
 */
#include <errno.h>
#include <linux/seccomp.h>

#include "compiler/cbpf/gen.h"

enum {
	PARTS_MAX = 8,
	PART_LARGEST = 3800, /* instructions to begin with; a tree over the numbers comes on top */
	PATH_MAX_INSNS = 1 << 15, /* kernel/seccomp.c MAX_INSNS_PER_PATH */
	PER_FILTER = 4,           /* what it adds for each */
	PROLOGUE = 3,
};

/*
 * At most as many as the kernel makes of a program (net/core/filter.c bpf_convert_filter()) and
 * counts: a jump may become a move of its constant, the jump and one for the other side.
 */
static size_t converted_length(const struct cbpf *prog)
{
	size_t n = PROLOGUE;

	for (size_t i = 0; i < prog->n; i++) {
		const struct sock_filter *f = &prog->insns[i];
		bool is_test = BPF_CLASS(f->code) == BPF_JMP && BPF_OP(f->code) != BPF_JA;
		n += BPF_CLASS(f->code) == BPF_RET ? 2 : 1;
		n += is_test && f->jf != 0 && (f->jt != 0 || BPF_OP(f->code) == BPF_JSET);
		n += is_test && f->k >> 31;
	}
	return n;
}

static bool kernel_takes(const struct cbpf_stack *progs)
{
	size_t all = 0;

	for (size_t i = 0; i < progs->n; i++)
		all += converted_length(&progs->v[i]) + PER_FILTER;
	return all <= PATH_MAX_INSNS;
}

/* Only one filter of a process may have a listener. */
static bool can_notify(const struct cbpf *prog)
{
	for (size_t i = 0; i < prog->n; i++)
		if (BPF_CLASS(prog->insns[i].code) == BPF_RET &&
		    (prog->insns[i].k & SECCOMP_RET_ACTION_FULL) == SECCOMP_RET_USER_NOTIF)
			return true;
	return false;
}

static bool needs_one_listener(const struct cbpf_stack *progs)
{
	size_t n = 0;

	for (size_t i = 0; i < progs->n; i++)
		n += can_notify(&progs->v[i]);
	return n <= 1;
}

/* Ranges in order until a part is full; returns how many parts, 0: too many. */
static size_t cut(struct generator *g, size_t largest, struct part parts[PARTS_MAX])
{
	size_t n = 0, at = 0, insns = 0;

	code_count_start(&g->code);
	parts[0] = (struct part){ 0, 0 };
	for (size_t t = 0; t < g->ntokens; t++) {
		for (size_t i = 0; i < g->tokens[t].ranges.n; i++, at++) {
			code_id leaf = g->tokens[t].ranges.v[i].leaf;
			size_t more = code_count_more(&g->code, leaf) + 1;
			if (more > CBPF_MAX) /* one range's, which is not cut */
				return 0;
			if (insns && insns + more > largest) {
				if (++n == PARTS_MAX)
					return 0;
				parts[n] = (struct part){ at, at };
				code_count_start(&g->code);
				more = code_count_more(&g->code, leaf) + 1;
				insns = 0;
			}
			insns += more;
			parts[n].end = at + 1;
		}
	}
	return n + 1;
}

/* Programs of which each fits, together what the policy says. 0; -E2BIG: there are none. */
static int split_programs(struct generator *g, struct cbpf_stack *out)
{
	struct part parts[PARTS_MAX];
	size_t insns;

	for (size_t largest = PART_LARGEST; largest > PART_LARGEST / 3; largest -= largest / 6) {
		bool fit = true;
		*out = (struct cbpf_stack){ .n = cut(g, largest, parts) };
		if (!out->n)
			return -E2BIG;
		out->v = ARENA_ARRAY(g->arena, struct cbpf, out->n);
		for (size_t i = 0; i < out->n && fit; i++)
			fit = !generate_layout(g, generate_part(g, &parts[i]), &out->v[i], &insns);
		if (fit)
			return kernel_takes(out) && needs_one_listener(out) ? 0 : -E2BIG;
	}
	return -E2BIG;
}

/* Its programs stand in the generator's arena. */
static int generate_stack(struct generator *g, struct cbpf_stack *out, struct diags *ds)
{
	size_t insns;

	if (!generate_start(g, ds))
		return -1;
	do {
		*out = (struct cbpf_stack){ ARENA_NEW(g->arena, struct cbpf), 1 };
		if (!generate_layout(g, generate_part(g, NULL), out->v, &insns) ||
		    !split_programs(g, out))
			return 0;
	} while (insns <= PARTS_MAX * CBPF_MAX && generate_smaller(g));
	generate_too_large(g, insns, ds);
	return -1;
}

int cbpf_generate_stack(struct arena *a, const struct policy *p, const struct cbpf_options *opt,
			struct cbpf_stack *out, struct diags *ds)
{
	struct generator g = { .arena = arena_scratch(a), .p = p, .opt = opt };
	int err = generate_stack(&g, out, ds);

	if (err) {
		*out = (struct cbpf_stack){ 0 };
	} else {
		out->v = arena_dup(a, out->v, out->n * sizeof(*out->v));
		for (size_t i = 0; i < out->n; i++)
			generate_keep(a, &out->v[i]);
	}
	arena_free(g.arena);
	return err;
}

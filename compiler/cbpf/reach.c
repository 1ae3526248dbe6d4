/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A program whose every `ret` answers its own place, lifted: the answers that stand in the
 * diagram are the `ret`s that decide, since each path through a diagram is a call. Calls from
 * those paths are then run, which shows most of the rest. What is left is asked one by one: would
 * a `ret` in this place ever answer?
 */
#include "compiler/cbpf/reach.h"

#include <string.h>

#include <linux/filter.h>
#include <linux/seccomp.h>

#include "compiler/cbpf/lift.h"

enum {
	PATHS_MAX = 20000, /* calls that are run */
	WORK_MAX = 200000, /* instructions that are lifted to ask for single ones */
	MARK = 0xffff,     /* answered by no place: programs are shorter */
};

struct reach {
	struct dd *dd;
	struct arena *arena;
	struct cbpf prog; /* every ret answers SECCOMP_RET_TRACE and its place */
	bool *reached;
	size_t paths;
};

static void run_point(struct reach *r, const uint64_t at[DD_FIELDS])
{
	struct call c = { .audit_arch = (uint32_t)(at[DD_CALL] >> 32),
			  .nr = (uint32_t)at[DD_CALL] };

	memcpy(c.args, at, sizeof(c.args));
	if (!at[DD_IP]) /* which the simulator takes as zero */
		cbpf_run_through(&r->prog, &c, r->reached);
}

static bool take_path(void *ctx, const struct dd_path *p)
{
	struct reach *r = ctx;

	run_point(r, p->value);
	return ++r->paths < PATHS_MAX;
}

static bool same_answer(struct verdict x, struct verdict y)
{
	return verdict_eq(x, y);
}

/* 1: a call is answered by this place, and it was run; 0: none is; -1: not decided. */
static int answers(struct reach *r, dd_node root, uint16_t place)
{
	const struct verdict v = verdict_from_ret(SECCOMP_RET_TRACE | place);
	dd_node claim = root == DD_NONE ?
				DD_NONE :
				dd_compare(r->dd, root, dd_terminal(r->dd, v), same_answer);
	struct dd_point p;

	if (claim == DD_NONE)
		return -1;
	if (!dd_witness(r->dd, claim, &p))
		return 0;
	run_point(r, p.at);
	return 1;
}

/* What executes before it, and may go on to it, is settled: jumps lead forward. */
static bool has_way(const struct reach *r, size_t i)
{
	for (size_t k = 0; k < i; k++) {
		const struct sock_filter *f = &r->prog.insns[k];
		if (!r->reached[k] || BPF_CLASS(f->code) == BPF_RET)
			continue;
		if (BPF_CLASS(f->code) != BPF_JMP ? k + 1 == i :
		    BPF_OP(f->code) == BPF_JA     ? k + 1 + f->k == i :
						    k + 1 + f->jt == i || k + 1 + f->jf == i)
			return true;
	}
	return false;
}

static int try_instruction(struct reach *r, size_t i)
{
	struct sock_filter kept = r->prog.insns[i];

	r->prog.insns[i] = (struct sock_filter){ BPF_RET | BPF_K, 0, 0, SECCOMP_RET_TRACE | MARK };
	dd_node root = cbpf_lift(r->dd, r->arena, &r->prog);
	r->prog.insns[i] = kept;
	return answers(r, root, MARK);
}

static int settle_rest(struct reach *r, dd_node root)
{
	size_t work = 0;

	for (size_t i = 0; i < r->prog.n; i++) {
		if (r->reached[i] || !has_way(r, i))
			continue;
		bool ends = BPF_CLASS(r->prog.insns[i].code) == BPF_RET;
		work += ends ? 0 : r->prog.n;
		if (work > WORK_MAX)
			return -1;
		int rc = ends ? answers(r, root, (uint16_t)i) : try_instruction(r, i);
		if (rc < 0)
			return -1;
		r->reached[i] |= rc;
	}
	return 0;
}

int cbpf_reach(struct dd *d, struct arena *scratch, const struct cbpf *prog, bool *reached)
{
	struct reach r = { .dd = d, .arena = scratch, .prog = *prog, .reached = reached };

	memset(reached, 0, prog->n * sizeof(*reached));
	r.prog.insns = arena_dup(scratch, prog->insns, prog->n * sizeof(*prog->insns));
	for (size_t i = 0; i < prog->n; i++)
		if (BPF_CLASS(prog->insns[i].code) == BPF_RET)
			r.prog.insns[i] = (struct sock_filter){ BPF_RET | BPF_K, 0, 0,
								SECCOMP_RET_TRACE | (uint32_t)i };
	dd_node root = cbpf_lift(d, scratch, &r.prog);
	if (root == DD_NONE)
		return -1;
	reached[0] = true;
	dd_paths(d, root, UINT32_MAX, take_path, &r);
	return settle_rest(&r, root);
}

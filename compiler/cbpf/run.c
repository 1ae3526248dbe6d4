/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Runs a program as the kernel does (net/core/filter.c bpf_convert_filter() says what each
 * instruction means): 32-bit registers that start as zero, division by a zero X ends with 0
 * (kill), shifts use the low five bits, LEN is the size of struct seccomp_data.
 */
#include <linux/seccomp.h>
#include <stddef.h>

#include "compiler/base/bug.h"
#include "compiler/cbpf/cbpf.h"

struct machine {
	const struct cbpf *prog;
	const struct call *call;
	uint32_t a, x;
	uint32_t mem[BPF_MEMWORDS];
	size_t pc;
};

/* The instruction pointer (words 8 and 12) is not part of a call: it reads as zero. */
static uint32_t load_word(const struct machine *m, uint32_t offset)
{
	if (offset == offsetof(struct seccomp_data, nr))
		return m->call->nr;
	if (offset == offsetof(struct seccomp_data, arch))
		return m->call->audit_arch;
	if (offset < offsetof(struct seccomp_data, args))
		return 0;
	offset -= (uint32_t)offsetof(struct seccomp_data, args);
	uint64_t arg = m->call->args[offset / 8];
	bool high = (offset & 4) != 0;
	return (uint32_t)(high != m->prog->big_endian ? arg >> 32 : arg);
}

static void run_load(struct machine *m, const struct sock_filter *f)
{
	uint32_t v = 0;

	switch (BPF_MODE(f->code)) {
	case BPF_ABS: v = load_word(m, f->k); break;
	case BPF_LEN: v = sizeof(struct seccomp_data); break;
	case BPF_IMM: v = f->k; break;
	case BPF_MEM: v = m->mem[f->k]; break;
	}
	if (BPF_CLASS(f->code) == BPF_LDX)
		m->x = v;
	else
		m->a = v;
}

/* False: division by zero. */
static bool run_alu(struct machine *m, const struct sock_filter *f)
{
	uint32_t v = BPF_SRC(f->code) == BPF_X ? m->x : f->k;

	switch (BPF_OP(f->code)) {
	case BPF_ADD: m->a += v; return true;
	case BPF_SUB: m->a -= v; return true;
	case BPF_MUL: m->a *= v; return true;
	case BPF_DIV:
		if (v == 0)
			return false;
		m->a /= v;
		return true;
	case BPF_AND: m->a &= v; return true;
	case BPF_OR: m->a |= v; return true;
	case BPF_XOR: m->a ^= v; return true;
	case BPF_LSH: m->a <<= v & 31; return true;
	case BPF_RSH: m->a >>= v & 31; return true;
	case BPF_NEG: m->a = -m->a; return true;
	}
	BUG("cbpf_run of an unchecked program");
}

static void run_jump(struct machine *m, const struct sock_filter *f)
{
	uint32_t v = BPF_SRC(f->code) == BPF_X ? m->x : f->k;
	bool taken;

	switch (BPF_OP(f->code)) {
	case BPF_JA: m->pc += f->k; return;
	case BPF_JEQ: taken = m->a == v; break;
	case BPF_JGT: taken = m->a > v; break;
	case BPF_JGE: taken = m->a >= v; break;
	case BPF_JSET: taken = m->a & v; break;
	default: BUG("cbpf_run of an unchecked program");
	}
	m->pc += taken ? f->jt : f->jf;
}

static bool run_other(struct machine *m, const struct sock_filter *f)
{
	switch (BPF_CLASS(f->code)) {
	case BPF_LD:
	case BPF_LDX: run_load(m, f); return true;
	case BPF_ST: m->mem[f->k] = m->a; return true;
	case BPF_STX: m->mem[f->k] = m->x; return true;
	case BPF_ALU: return run_alu(m, f);
	case BPF_JMP: run_jump(m, f); return true;
	case BPF_MISC:
		if (BPF_MISCOP(f->code) == BPF_TAX)
			m->x = m->a;
		else
			m->a = m->x;
		return true;
	}
	BUG("cbpf_run of an unchecked program");
}

static uint32_t run(const struct cbpf *prog, const struct call *c, unsigned *steps, size_t *last,
		    bool *executed)
{
	struct machine m = { .prog = prog, .call = c };
	unsigned count = 0;

	for (; m.pc < prog->n; m.pc++) {
		const struct sock_filter *f = &prog->insns[m.pc];
		uint32_t ret = 0;
		bool done = true;
		count++;
		if (executed)
			executed[m.pc] = true;
		if (f->code == (BPF_RET | BPF_K))
			ret = f->k;
		else if (f->code == (BPF_RET | BPF_A))
			ret = m.a;
		else
			done = !run_other(&m, f);
		if (done) {
			*steps = count;
			*last = m.pc;
			return ret;
		}
	}
	BUG("cbpf_run of an unchecked program");
}

uint32_t cbpf_run(const struct cbpf *prog, const struct call *c, unsigned *steps)
{
	unsigned count;
	size_t last;

	return run(prog, c, steps ? steps : &count, &last, NULL);
}

uint32_t cbpf_run_to(const struct cbpf *prog, const struct call *c, size_t *last)
{
	unsigned count;

	return run(prog, c, &count, last, NULL);
}

uint32_t cbpf_run_through(const struct cbpf *prog, const struct call *c, bool *executed)
{
	unsigned count;
	size_t last;

	return run(prog, c, &count, &last, executed);
}

/* kernel/seccomp.c seccomp_run_filters(): actions compare as signed numbers. */
uint32_t cbpf_run_stack(const struct cbpf_stack *progs, const struct call *c, unsigned *steps)
{
	uint32_t least = SECCOMP_RET_ALLOW;
	unsigned all = 0, one;

	for (size_t i = 0; i < progs->n; i++) {
		uint32_t ret = cbpf_run(&progs->v[i], c, &one);
		all += one;
		if ((int32_t)(ret & SECCOMP_RET_ACTION_FULL) <
		    (int32_t)(least & SECCOMP_RET_ACTION_FULL))
			least = ret;
	}
	if (steps)
		*steps = all;
	return least;
}

/* Jumps go forward, so what follows an instruction is known before it, from the end. */
unsigned cbpf_longest(const struct cbpf *prog)
{
	uint16_t longest[CBPF_MAX];

	for (size_t i = prog->n; i-- > 0;) {
		const struct sock_filter *f = &prog->insns[i];
		bool is_jump = BPF_CLASS(f->code) == BPF_JMP;
		uint32_t t = is_jump && BPF_OP(f->code) != BPF_JA ? f->jt : is_jump ? f->k : 0;
		uint32_t e = is_jump && BPF_OP(f->code) != BPF_JA ? f->jf : t;
		longest[i] = 1;
		if (BPF_CLASS(f->code) == BPF_RET)
			continue;
		uint16_t x = longest[i + 1 + t], y = longest[i + 1 + e];
		longest[i] = (uint16_t)((x > y ? x : y) + 1);
	}
	return longest[0];
}

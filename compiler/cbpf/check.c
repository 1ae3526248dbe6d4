/* SPDX-License-Identifier: Apache-2.0 */
/* What the kernel checks at attach, and what its constant-allow cache sees. */
#include <linux/seccomp.h>
#include <stddef.h>
#include <string.h>

#include "compiler/cbpf/cbpf.h"

/* kernel/seccomp.c seccomp_check_filter(): the whole list. Codes are matched exactly. */
bool cbpf_code_allowed(uint16_t code)
{
	switch (code) {
	case BPF_LD | BPF_W | BPF_ABS:
	case BPF_LD | BPF_W | BPF_LEN:
	case BPF_LDX | BPF_W | BPF_LEN:
	case BPF_LD | BPF_IMM:
	case BPF_LDX | BPF_IMM:
	case BPF_LD | BPF_MEM:
	case BPF_LDX | BPF_MEM:
	case BPF_ST:
	case BPF_STX:
	case BPF_RET | BPF_K:
	case BPF_RET | BPF_A:
	case BPF_MISC | BPF_TAX:
	case BPF_MISC | BPF_TXA:
	case BPF_ALU | BPF_NEG:
	case BPF_JMP | BPF_JA: return true;
	}
	if (code & ~0xff)
		return false;
	if (BPF_CLASS(code) == BPF_ALU) /* ADD SUB MUL DIV OR AND LSH RSH, NEG, MOD, XOR */
		return BPF_OP(code) < BPF_NEG || BPF_OP(code) == BPF_XOR;
	if (BPF_CLASS(code) == BPF_JMP)
		return BPF_OP(code) > BPF_JA && BPF_OP(code) <= BPF_JSET;
	return false;
}

static const char *check_operand(const struct sock_filter *f, size_t at, size_t n)
{
	switch (f->code) {
	case BPF_LD | BPF_W | BPF_ABS:
		if (f->k >= sizeof(struct seccomp_data) || f->k & 3)
			return "a load outside struct seccomp_data, or not of an aligned word";
		return NULL;
	case BPF_LD | BPF_MEM:
	case BPF_LDX | BPF_MEM:
	case BPF_ST:
	case BPF_STX: return f->k < BPF_MEMWORDS ? NULL : "there are only 16 scratch words";
	case BPF_ALU | BPF_DIV | BPF_K: return f->k ? NULL : "division by zero";
	case BPF_ALU | BPF_LSH | BPF_K:
	case BPF_ALU | BPF_RSH | BPF_K: return f->k < 32 ? NULL : "a shift by 32 or more";
	case BPF_JMP | BPF_JA: return f->k < n - at - 1 ? NULL : "a jump past the end";
	}
	if (BPF_CLASS(f->code) == BPF_JMP && (at + f->jt + 1 >= n || at + f->jf + 1 >= n))
		return "a jump past the end";
	return NULL;
}

/* net/core/filter.c check_load_and_stores(): scratch words are written before they are read. */
static bool check_memory(const struct sock_filter *insns, size_t n, size_t *at)
{
	uint16_t masks[CBPF_MAX];
	uint16_t valid = 0;

	memset(masks, 0xff, sizeof(masks));
	for (size_t i = 0; i < n; i++) {
		const struct sock_filter *f = &insns[i];
		valid &= masks[i];
		if (f->code == BPF_ST || f->code == BPF_STX) {
			valid = (uint16_t)(valid | 1u << f->k);
		} else if (f->code == (BPF_LD | BPF_MEM) || f->code == (BPF_LDX | BPF_MEM)) {
			*at = i;
			if (!(valid & 1u << f->k))
				return false;
		} else if (f->code == (BPF_JMP | BPF_JA)) {
			masks[i + 1 + f->k] &= valid;
			valid = 0xffff;
		} else if (BPF_CLASS(f->code) == BPF_JMP) {
			masks[i + 1 + f->jt] &= valid;
			masks[i + 1 + f->jf] &= valid;
			valid = 0xffff;
		}
	}
	return true;
}

const char *cbpf_check(const struct sock_filter *insns, size_t n, size_t *at)
{
	size_t unused;

	at = at ? at : &unused;
	*at = 0;
	if (n == 0)
		return "an empty program";
	if (n > CBPF_MAX) {
		*at = CBPF_MAX;
		return "more than 4096 instructions";
	}
	for (size_t i = 0; i < n; i++) {
		*at = i;
		if (!cbpf_code_allowed(insns[i].code))
			return "an instruction that seccomp filters do not have";
		const char *why = check_operand(&insns[i], i, n);
		if (why)
			return why;
	}
	if (BPF_CLASS(insns[n - 1].code) != BPF_RET)
		return "the last instruction is not a return";
	if (!check_memory(insns, n, at))
		return "a scratch word is read before it is written";
	*at = 0;
	return NULL;
}

/* The jumps that the emulator follows; false: it gives up here. */
static bool emulate_jump(const struct sock_filter *f, uint32_t a, size_t *pc)
{
	bool taken;

	switch (f->code) {
	case BPF_JMP | BPF_JA: *pc += f->k; return true;
	case BPF_JMP | BPF_JEQ | BPF_K: taken = a == f->k; break;
	case BPF_JMP | BPF_JGE | BPF_K: taken = a >= f->k; break;
	case BPF_JMP | BPF_JGT | BPF_K: taken = a > f->k; break;
	case BPF_JMP | BPF_JSET | BPF_K: taken = a & f->k; break;
	default: return false;
	}
	*pc += taken ? f->jt : f->jf;
	return true;
}

bool cbpf_const_allow(const struct cbpf *prog, uint32_t audit_arch, uint32_t nr)
{
	uint32_t a = 0;

	for (size_t pc = 0; pc < prog->n; pc++) {
		const struct sock_filter *f = &prog->insns[pc];
		switch (f->code) {
		case BPF_LD | BPF_W | BPF_ABS:
			if (f->k == offsetof(struct seccomp_data, nr))
				a = nr;
			else if (f->k == offsetof(struct seccomp_data, arch))
				a = audit_arch;
			else
				return false;
			break;
		case BPF_RET | BPF_K: return f->k == SECCOMP_RET_ALLOW;
		case BPF_ALU | BPF_AND | BPF_K: a &= f->k; break;
		default:
			if (!emulate_jump(f, a, &pc))
				return false;
		}
	}
	return false;
}

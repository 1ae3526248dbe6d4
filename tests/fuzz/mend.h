/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Any bytes become a program that the kernel would attach. */
#include <linux/seccomp.h>

#include "compiler/cbpf/cbpf.h"

static const uint16_t codes[] = {
	BPF_LD | BPF_W | BPF_ABS,
	BPF_LD | BPF_W | BPF_LEN,
	BPF_LDX | BPF_W | BPF_LEN,
	BPF_LD | BPF_IMM,
	BPF_LDX | BPF_IMM,
	BPF_LD | BPF_MEM,
	BPF_LDX | BPF_MEM,
	BPF_ST,
	BPF_STX,
	BPF_RET | BPF_K,
	BPF_RET | BPF_A,
	BPF_MISC | BPF_TAX,
	BPF_MISC | BPF_TXA,
	BPF_ALU | BPF_NEG,
	BPF_JMP | BPF_JA,
	BPF_JMP | BPF_JEQ | BPF_K,
	BPF_JMP | BPF_JGT | BPF_K,
	BPF_JMP | BPF_JGE | BPF_K,
	BPF_JMP | BPF_JSET | BPF_K,
	BPF_JMP | BPF_JEQ | BPF_X,
	BPF_ALU | BPF_ADD | BPF_K,
	BPF_ALU | BPF_DIV | BPF_X,
	BPF_ALU | BPF_AND | BPF_K,
	BPF_ALU | BPF_XOR | BPF_X,
	BPF_ALU | BPF_LSH | BPF_X,
	BPF_ALU | BPF_RSH | BPF_K,
};

/* Whatever the check objects to here is put right. */
static inline void mend(struct sock_filter *f, size_t left)
{
	if (!cbpf_code_allowed(f->code))
		f->code = codes[f->code % ARRAY_SIZE(codes)];
	if (f->code == (BPF_JMP | BPF_JA)) {
		f->k %= (uint32_t)left;
	} else if (BPF_CLASS(f->code) == BPF_JMP) {
		f->jt = (uint8_t)(f->jt % left);
		f->jf = (uint8_t)(f->jf % left);
	} else if (f->code == (BPF_LD | BPF_W | BPF_ABS)) {
		f->k = f->k % sizeof(struct seccomp_data) & ~3u;
	} else if (f->code == BPF_ST || f->code == BPF_STX || f->code == (BPF_LD | BPF_MEM) ||
		   f->code == (BPF_LDX | BPF_MEM)) {
		f->k %= BPF_MEMWORDS;
	} else if (f->code == (BPF_ALU | BPF_DIV | BPF_K)) {
		f->k |= !f->k;
	} else if (f->code == (BPF_ALU | BPF_LSH | BPF_K) ||
		   f->code == (BPF_ALU | BPF_RSH | BPF_K)) {
		f->k %= 32;
	}
}

/* Reads of scratch words that nothing was written to become constants. */
static inline void mend_all(struct cbpf *prog)
{
	struct sock_filter *last = &prog->insns[prog->n - 1];
	size_t at;

	for (size_t i = 0; i + 1 < prog->n; i++)
		mend(&prog->insns[i], prog->n - 1 - i);
	last->code = BPF_RET | (last->code == (BPF_RET | BPF_A) ? BPF_A : BPF_K);
	while (cbpf_check(prog->insns, prog->n, &at))
		prog->insns[at].code = BPF_CLASS(prog->insns[at].code) | BPF_IMM;
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * programs check N: N random programs, many of them malformed: cbpf_check() takes exactly those
 * that the kernel attaches.
 * programs run N: N random programs of arithmetic, scratch memory and X that end in an errno:
 * cbpf_run() computes what the kernel computes (a death where it divides by zero).
 */
#include <inttypes.h>

#include "compiler/base/bug.h"
#include "tests/sim/kernel.h"

static uint64_t seed = 20261123;

static uint32_t below(uint32_t n)
{
	return (uint32_t)(random_next(&seed) % n);
}

static uint32_t operand(void)
{
	static const uint32_t edges[] = {
		0,  1,  2,  3,  4,  5,  8,          15,         16,         17,        31,
		32, 33, 60, 63, 64, 65, 0x7fffffff, 0x80000000, 0xfffffff0, 0xffffffff
	};

	return below(4) ? edges[below(ARRAY_SIZE(edges))] : (uint32_t)random_next(&seed);
}

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
	BPF_JMP | BPF_JGT | BPF_X,
	BPF_JMP | BPF_JGE | BPF_X,
	BPF_JMP | BPF_JSET | BPF_X,
	BPF_ALU | BPF_ADD | BPF_K,
	BPF_ALU | BPF_SUB | BPF_K,
	BPF_ALU | BPF_MUL | BPF_K,
	BPF_ALU | BPF_DIV | BPF_K,
	BPF_ALU | BPF_AND | BPF_K,
	BPF_ALU | BPF_OR | BPF_K,
	BPF_ALU | BPF_XOR | BPF_K,
	BPF_ALU | BPF_LSH | BPF_K,
	BPF_ALU | BPF_RSH | BPF_K,
	BPF_ALU | BPF_ADD | BPF_X,
	BPF_ALU | BPF_SUB | BPF_X,
	BPF_ALU | BPF_MUL | BPF_X,
	BPF_ALU | BPF_DIV | BPF_X,
	BPF_ALU | BPF_AND | BPF_X,
	BPF_ALU | BPF_OR | BPF_X,
	BPF_ALU | BPF_XOR | BPF_X,
	BPF_ALU | BPF_LSH | BPF_X,
	BPF_ALU | BPF_RSH | BPF_X,
};

/* Codes that kernels know but seccomp filters do not have, and any other. */
static uint16_t foreign_code(void)
{
	static const uint16_t near[] = { BPF_LD | BPF_H | BPF_ABS,  BPF_LD | BPF_B | BPF_ABS,
					 BPF_LD | BPF_W | BPF_IND,  BPF_LDX | BPF_B | BPF_MSH,
					 BPF_ALU | BPF_MOD | BPF_K, BPF_ALU | BPF_MOD | BPF_X,
					 BPF_RET | BPF_X,           BPF_JMP | BPF_JA | BPF_X };

	return below(2) ? near[below(ARRAY_SIZE(near))] : (uint16_t)below(below(2) ? 256 : 65536);
}

/* Operands that are mostly right, so that one mistake decides and not the first of many. */
static struct sock_filter random_insn(size_t at, size_t n)
{
	struct sock_filter f = { .code = codes[below(ARRAY_SIZE(codes))], .k = operand() };
	uint32_t left = (uint32_t)(n - at);

	if (below(60) == 0)
		f.code = foreign_code();
	bool wrong = below(40) == 0;
	if (BPF_CLASS(f.code) == BPF_JMP) {
		f.jt = (uint8_t)below(left + wrong);
		f.jf = (uint8_t)below(left + wrong);
		if (BPF_OP(f.code) == BPF_JA)
			f.k = below(left + wrong);
	} else if (f.code == (BPF_LD | BPF_W | BPF_ABS) && !wrong) {
		f.k = below(16) * 4;
	} else if (!wrong && (f.code == BPF_ST || f.code == BPF_STX ||
			      f.code == (BPF_LD | BPF_MEM) || f.code == (BPF_LDX | BPF_MEM))) {
		f.k = below(4);
	} else if (!wrong && BPF_CLASS(f.code) == BPF_ALU && BPF_SRC(f.code) == BPF_K) {
		f.k = f.k % 31 + 1;
	}
	return f;
}

static size_t random_program(struct sock_filter *f)
{
	static const size_t lengths[] = { 0, 1, 2, CBPF_MAX - 1, CBPF_MAX, CBPF_MAX + 1 };
	size_t n = below(50) ? 1 + below(24) : lengths[below(6)];

	for (size_t i = 0; i < n; i++) {
		f[i] = n > 1000 ? (struct sock_filter)BPF_STMT(BPF_LD | BPF_IMM, (uint32_t)i) :
				  random_insn(i, n);
		if (n <= 1000 && f[i].code == (BPF_LD | BPF_MEM) && below(2))
			f[i].code = BPF_ST;
	}
	if (n && below(30))
		f[n - 1] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
	return n;
}

static int compare_checks(size_t n)
{
	static struct sock_filter f[CBPF_MAX + 1];
	struct batch *b = batch_new();
	size_t taken = 0, differences = 0;

	for (size_t i = 0; i < n; i++) {
		struct cbpf prog = { .insns = f, .n = random_program(f) };
		size_t at;
		const char *why = cbpf_check(f, prog.n, &at);
		b->n = b->done = 0;
		run_child(b, &prog, NULL);
		taken += b->attach == 0;
		if ((b->attach == 0) == (why == NULL))
			continue;
		if (differences++ < 10)
			printf("program %zu of %zu instructions: kernel %s, cbpf_check %s at %zu\n",
			       i, prog.n, b->attach ? strerror(b->attach) : "attaches it",
			       why ? why : "takes it", at);
	}
	printf("%zu programs, %zu attached; %zu differences\n", n, taken, differences);
	return differences != 0;
}

/* Arithmetic over all registers; every path ends in ERRNO(A & 0x7ff). */
static size_t computing_program(struct sock_filter *f)
{
	size_t n = 0, body = 4 + below(30);

	for (uint32_t i = 0; i < 4; i++) { /* scratch words that may be read */
		f[n++] = (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, below(16) * 4);
		/* The instruction pointer is not part of a call: replaced by a constant. */
		if (f[n - 1].k == 8 || f[n - 1].k == 12)
			f[n - 1] = (struct sock_filter)BPF_STMT(BPF_LD | BPF_IMM, operand());
		f[n++] = (struct sock_filter)BPF_STMT(BPF_ST, i);
	}
	for (size_t i = 0; i < body; i++) {
		struct sock_filter g = random_insn(0, 2);
		while (BPF_CLASS(g.code) == BPF_RET)
			g = random_insn(0, 2);
		if (BPF_CLASS(g.code) == BPF_JMP) { /* over up to three instructions */
			g.jt = (uint8_t)below(4);
			g.jf = (uint8_t)below(4);
			g.k = BPF_OP(g.code) == BPF_JA ? below(4) : g.k;
		}
		if (g.code == (BPF_LD | BPF_W | BPF_ABS) && (g.k == 8 || g.k == 12))
			g.k = 16 + below(12) * 4;
		f[n++] = g;
	}
	for (uint32_t i = 0; i < 3; i++) /* landing room for the last jumps */
		f[n++] = (struct sock_filter)BPF_STMT(BPF_ALU | BPF_XOR | BPF_K, operand());
	f[n++] = (struct sock_filter)BPF_STMT(BPF_ALU | BPF_AND | BPF_K, 0x7ff);
	f[n++] = (struct sock_filter)BPF_STMT(BPF_ALU | BPF_OR | BPF_K, SECCOMP_RET_ERRNO);
	f[n++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_A, 0);
	return n;
}

static void random_calls(struct batch *b, size_t n)
{
	b->n = n;
	b->done = 0;
	for (size_t i = 0; i < n; i++) {
		struct call *c = &b->calls[i];
		c->audit_arch = AUDIT_X86_64;
		c->nr = below(400);
		if (c->nr == 335 || c->nr == 336)
			c->nr = 1;
		for (unsigned a = 0; a < 6; a++)
			c->args[a] = below(2) ? operand() : random_next(&seed);
		b->rax_high[i] = 0;
	}
}

static int compare_runs(size_t n)
{
	struct sock_filter f[64];
	struct batch *b = batch_new();
	size_t calls = 0, deaths = 0, differences = 0;

	for (size_t i = 0; i < n; i++) {
		struct cbpf prog = { .insns = f, .n = computing_program(f) };
		if (cbpf_check(f, prog.n, NULL))
			continue;
		random_calls(b, 16);
		bool survived = run_child(b, &prog, NULL);
		if (b->attach)
			return 1;
		for (size_t k = 0; k < b->n && k <= b->done; k++) {
			uint32_t want = cbpf_run(&prog, &b->calls[k], NULL);
			struct reading r = b->readings[k];
			bool died = k == b->done && !survived;
			if (k == b->done && survived)
				break;
			calls++;
			deaths += died;
			if (died ? want == 0 :
				   r.kind == READ_ERRNO &&
					    want == (SECCOMP_RET_ERRNO | (uint32_t)r.value))
				continue;
			if (differences++ < 10)
				printf("program %zu call %zu: kernel %d, cbpf_run %#x\n", i, k,
				       r.value, want);
		}
	}
	printf("%zu programs, %zu calls, %zu deaths; %zu differences\n", n, calls, deaths,
	       differences);
	return differences != 0 || calls < n;
}

int main(int argc, char **argv)
{
	size_t n = argc == 3 ? strtoul(argv[2], NULL, 10) : 0;

#ifndef __x86_64__
	return 77;
#endif
	if (n && !strcmp(argv[1], "check"))
		return compare_checks(n);
	if (n && !strcmp(argv[1], "run"))
		return compare_runs(n);
	return 2;
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Lifted programs against the simulator: random programs with every instruction that seccomp
 * filters have, on points near their own constants and on a point of every path they have.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <linux/seccomp.h>

#include "compiler/base/bug.h"
#include "compiler/cbpf/lift.h"

static uint64_t state = 88172645463325252;

static uint64_t next_random(void)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return state;
}

static uint32_t random_word(void)
{
	static const uint32_t edges[] = { 0, 1, 2, 3, 5, 7, 8, 0x7fffffff, 0x80000000, 0xffffffff,
					  0xffff0000, 0x50000, 0x7fff0000, 0x30000, 0xc000003e };

	return next_random() % 4 ? edges[next_random() % ARRAY_SIZE(edges)] : (uint32_t)next_random();
}

/* Words of the input that a program looks at: few, so that diagrams of products stay small. */
static uint32_t random_offset(void)
{
	static const uint32_t offsets[] = { 0, 4, 8, 12, 16, 20, 24, 60 };

	return offsets[next_random() % ARRAY_SIZE(offsets)];
}

enum { HARD = 1 /* products, quotients and shifts of two inputs */ };

static struct sock_filter random_alu(unsigned flags)
{
	static const uint16_t ops[] = { BPF_ADD, BPF_SUB, BPF_OR, BPF_AND, BPF_XOR,
					BPF_LSH, BPF_RSH, BPF_NEG, BPF_MUL, BPF_DIV };
	uint16_t op = ops[next_random() % ARRAY_SIZE(ops)];
	bool x = next_random() % 3 == 0 && (flags & HARD || (op != BPF_MUL && op != BPF_DIV));
	uint32_t k = random_word();

	if (op == BPF_NEG)
		return (struct sock_filter)BPF_STMT(BPF_ALU | BPF_NEG, 0);
	if (!x && (op == BPF_LSH || op == BPF_RSH))
		k %= 32;
	if (!x && (op == BPF_DIV || op == BPF_MUL))
		k = 1 + k % 9;
	return (struct sock_filter)BPF_STMT((uint16_t)(BPF_ALU | op | (x ? BPF_X : BPF_K)), k);
}

static struct sock_filter random_insn(size_t left, uint16_t *mem, unsigned flags)
{
	static const uint16_t jumps[] = { BPF_JEQ, BPF_JGT, BPF_JGE, BPF_JSET };
	uint32_t slot = (uint32_t)(next_random() % 3);
	uint16_t x = next_random() % 3 ? BPF_K : BPF_X;

	switch (next_random() % 14) {
	case 0: case 1: case 2:
		return (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, random_offset());
	case 3:
		return (struct sock_filter)BPF_STMT(BPF_MISC | (next_random() & 1 ? BPF_TAX : BPF_TXA), 0);
	case 4:
		*mem = (uint16_t)(*mem | 1u << slot);
		return (struct sock_filter)BPF_STMT(next_random() & 1 ? BPF_ST : BPF_STX, slot);
	case 5:
		if (!(*mem >> slot & 1))
			break;
		return (struct sock_filter)BPF_STMT((next_random() & 1 ? BPF_LD : BPF_LDX) | BPF_MEM, slot);
	case 6:
		return (struct sock_filter)BPF_STMT((next_random() & 1 ? BPF_LD : BPF_LDX) | BPF_IMM, random_word());
	case 7:
		return (struct sock_filter)BPF_STMT((next_random() & 1 ? BPF_LD : BPF_LDX) | BPF_W | BPF_LEN, 0);
	case 8: case 9:
		return random_alu(flags);
	case 10: case 11: case 12:
		return (struct sock_filter)BPF_JUMP((uint16_t)(BPF_JMP | jumps[next_random() % 4] | x),
						    random_word(), (uint8_t)(next_random() % left),
						    (uint8_t)(next_random() % left));
	}
	return (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, random_word());
}

/* Until the kernel's own check would take it. */
static void random_program(struct cbpf *p, struct sock_filter insns[40], unsigned flags)
{
	do {
		uint16_t mem = 0;
		p->n = 3 + next_random() % 30;
		p->insns = insns;
		p->big_endian = next_random() & 1;
		for (size_t i = 0; i + 1 < p->n; i++)
			insns[i] = random_insn(p->n - 1 - i, &mem, flags);
		insns[p->n - 1] = (struct sock_filter)BPF_STMT(BPF_RET | (next_random() % 6 ? BPF_K : BPF_A),
							       random_word());
	} while (cbpf_check(insns, p->n, NULL));
}

static uint64_t near(const struct cbpf *p)
{
	uint64_t low = p->insns[next_random() % p->n].k + next_random() % 3 - 1;
	uint64_t high = next_random() % 3 ? 0 : p->insns[next_random() % p->n].k;

	return next_random() % 5 ? (uint32_t)low | high << 32 : next_random();
}

/* cbpf_run() knows no instruction pointer: its zero is the point's. */
static void compare(const struct dd *d, dd_node root, const struct cbpf *prog, struct dd_point *p)
{
	struct call c = { (uint32_t)(p->at[DD_CALL] >> 32), (uint32_t)p->at[DD_CALL], { 0 } };
	uint32_t ret;

	p->at[DD_IP] = 0;
	memcpy(c.args, p->at, sizeof(c.args));
	ret = cbpf_run(prog, &c, NULL);
	assert_true(verdict_eq(dd_eval_at(d, root, p), verdict_from_ret(ret)));
}

struct paths {
	struct dd *d;
	dd_node root;
	const struct cbpf *prog;
	size_t left;
};

static bool compare_path(void *ctx, const struct dd_path *path)
{
	struct paths *s = ctx;
	struct dd_point p;

	for (unsigned f = 0; f < DD_FIELDS; f++)
		p.at[f] = path->value[f] | (next_random() & ~path->mask[f]);
	if (!(path->mask[DD_IP] & path->value[DD_IP]))
		compare(s->d, s->root, s->prog, &p);
	return s->left-- > 0;
}

static void lift_random(unsigned programs, unsigned flags, size_t budget, unsigned *undecided)
{
	for (unsigned i = 0; i < programs; i++) {
		struct arena *a = arena_new(NULL);
		struct dd *d = dd_new(a, budget);
		struct sock_filter insns[40];
		struct cbpf prog;

		random_program(&prog, insns, flags);
		dd_node root = cbpf_lift(d, a, &prog);
		if (root == DD_NONE) {
			++*undecided;
		} else {
			for (unsigned n = 0; n < 200; n++) {
				struct dd_point p;
				for (unsigned f = 0; f < DD_FIELDS; f++)
					p.at[f] = near(&prog);
				compare(d, root, &prog, &p);
			}
			struct paths s = { d, root, &prog, 300 };
			dd_paths(d, root, UINT32_MAX, compare_path, &s);
		}
		arena_free(a);
	}
}

static void test_programs(void **unused)
{
	unsigned undecided = 0;

	(void)unused;
	lift_random(3000, 0, 1 << 15, &undecided);
	print_message("undecided: %u\n", undecided);
	assert_in_range(undecided, 0, 300); /* two inputs in one sum, with this order of bits */
}

/* Products of two inputs have no small diagram: what is decided is right, the rest says so. */
static void test_hard_programs(void **unused)
{
	unsigned undecided = 0;

	(void)unused;
	lift_random(60, HARD, 1 << 13, &undecided);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_programs),
		cmocka_unit_test(test_hard_programs),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

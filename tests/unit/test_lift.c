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
#include <time.h>

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
	static const uint32_t edges[] = { 0,          1,       2,          3,          5,
					  7,          8,       0x7fffffff, 0x80000000, 0xffffffff,
					  0xffff0000, 0x50000, 0x7fff0000, 0x30000,    0xc000003e };

	return next_random() % 4 ? edges[next_random() % ARRAY_SIZE(edges)] :
				   (uint32_t)next_random();
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
	static const uint16_t ops[] = { BPF_ADD, BPF_SUB, BPF_OR,  BPF_AND, BPF_XOR,
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
	case 0:
	case 1:
	case 2: return (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, random_offset());
	case 3:
		return (struct sock_filter)BPF_STMT(
			BPF_MISC | (next_random() & 1 ? BPF_TAX : BPF_TXA), 0);
	case 4:
		*mem = (uint16_t)(*mem | 1u << slot);
		return (struct sock_filter)BPF_STMT(next_random() & 1 ? BPF_ST : BPF_STX, slot);
	case 5:
		if (!(*mem >> slot & 1))
			break;
		return (struct sock_filter)BPF_STMT(
			(next_random() & 1 ? BPF_LD : BPF_LDX) | BPF_MEM, slot);
	case 6:
		return (struct sock_filter)BPF_STMT(
			(next_random() & 1 ? BPF_LD : BPF_LDX) | BPF_IMM, random_word());
	case 7:
		return (struct sock_filter)BPF_STMT(
			(next_random() & 1 ? BPF_LD : BPF_LDX) | BPF_W | BPF_LEN, 0);
	case 8:
	case 9: return random_alu(flags);
	case 10:
	case 11:
	case 12:
		return (struct sock_filter)BPF_JUMP(
			(uint16_t)(BPF_JMP | jumps[next_random() % 4] | x), random_word(),
			(uint8_t)(next_random() % left), (uint8_t)(next_random() % left));
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
		insns[p->n - 1] = (struct sock_filter)BPF_STMT(
			BPF_RET | (next_random() % 6 ? BPF_K : BPF_A), random_word());
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
	assert_true(undecided <= 300); /* two inputs in one sum, with this order of bits */
}

/* Products of two inputs have no small diagram: what is decided is right, the rest says so. */
static void test_hard_programs(void **unused)
{
	unsigned undecided = 0;

	(void)unused;
	lift_random(60, HARD, 1 << 13, &undecided);
}

/* ---- one instruction after the other ---- */

struct written { /* a program by hand */
	struct sock_filter insns[CBPF_MAX];
	size_t n;
};

static void put(struct written *w, uint16_t code, uint32_t k)
{
	w->insns[w->n++] = (struct sock_filter)BPF_STMT(code, k);
}

static void put_jump(struct written *w, uint16_t code, uint32_t k, unsigned t, unsigned f)
{
	w->insns[w->n++] =
		(struct sock_filter)BPF_JUMP((uint16_t)(BPF_JMP | code), k, (uint8_t)t, (uint8_t)f);
}

enum { LOW = 16, HIGH = 20, OTHER = 24 }; /* words of argument 0, and of argument 1 */

/* What A and X hold in the end is told apart by tests, near the values that it has. */
static void put_tests(struct written *w, const uint32_t *values, size_t n)
{
	static const uint16_t tests[] = { BPF_JEQ, BPF_JGE, BPF_JSET, BPF_JGT };

	for (size_t i = 0; i < n; i++) {
		put_jump(w, tests[i % 4] | BPF_K, values[i], 0, 1);
		put(w, BPF_RET | BPF_K, SECCOMP_RET_ERRNO | (uint32_t)(1 + i));
	}
	put(w, BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
}

static void check_written(const struct written *w, const uint32_t *edges, size_t n, size_t budget)
{
	struct cbpf prog = { .insns = (struct sock_filter *)w->insns, .n = w->n };
	struct arena *a = arena_new(NULL);
	struct dd *d = dd_new(a, budget);
	struct paths s = { d, DD_NONE, &prog, 300 };

	assert_null(cbpf_check(prog.insns, prog.n, NULL));
	s.root = cbpf_lift(d, a, &prog);
	assert_int_not_equal(s.root, DD_NONE);
	for (size_t i = 0; i < n * n; i++) {
		struct dd_point p = { .at = { [DD_CALL] = next_random() } };
		p.at[0] = edges[i % n] | (uint64_t)edges[i / n] << 32;
		p.at[1] = edges[(i + i / n) % n];
		compare(d, s.root, &prog, &p);
	}
	dd_paths(d, s.root, UINT32_MAX, compare_path, &s);
	arena_free(a);
}

static const uint32_t edges[] = { 0,          1,          2,          3,          7,
				  15,         16,         17,         31,         32,
				  33,         63,         64,         0xffff,     0x10000,
				  0x7fffffff, 0x80000000, 0x80000001, 0xfffffffe, 0xffffffff };

/* Every operation with every edge, as a constant and in X: zero divides, 32 and more shifts. */
static void test_arithmetic(void **unused)
{
	static const uint16_t ops[] = { BPF_ADD, BPF_SUB, BPF_MUL, BPF_DIV, BPF_OR,
					BPF_AND, BPF_XOR, BPF_LSH, BPF_RSH, BPF_NEG };

	(void)unused;
	for (size_t n = 0; n < ARRAY_SIZE(ops) * ARRAY_SIZE(edges) * 2; n++) {
		struct written w = { .n = 0 };
		uint16_t op = ops[n / 2 % ARRAY_SIZE(ops)];
		uint32_t k = edges[n / 2 / ARRAY_SIZE(ops)], values[6];
		struct cbpf one = { .insns = w.insns };
		struct call c = { .args = { edges[next_random() % ARRAY_SIZE(edges)] } };

		put(&w, BPF_LDX | BPF_IMM, k);
		put(&w, BPF_LD | BPF_W | BPF_ABS, LOW);
		if (op == BPF_MUL || op == BPF_DIV) /* of all 32 bits the diagrams are large */
			put(&w, BPF_ALU | BPF_AND | BPF_K, 0x8001007f);
		put(&w, (uint16_t)(BPF_ALU | op | (n % 2 && op != BPF_NEG ? BPF_X : BPF_K)), k);
		put(&w, BPF_RET | BPF_A, 0);
		one.n = w.n;
		if (cbpf_check(w.insns, w.n, NULL))
			continue; /* a constant that the kernel refuses */
		for (size_t i = 0; i < ARRAY_SIZE(values); i++)
			values[i] = i % 2 ? edges[next_random() % ARRAY_SIZE(edges)] :
					    cbpf_run(&one, &c, NULL) + (uint32_t)(i / 2) - 1;
		w.n--;
		put_tests(&w, values, ARRAY_SIZE(values));
		check_written(&w, edges, ARRAY_SIZE(edges), 1 << 18);
	}
}

/* X from the input: a zero kills, a count of 32 and more loses its upper bits. */
static void test_arithmetic_of_the_input(void **unused)
{
	static const uint16_t ops[] = { BPF_DIV, BPF_LSH, BPF_RSH, BPF_ADD, BPF_SUB,
					BPF_AND, BPF_XOR, BPF_MUL, BPF_OR };

	(void)unused;
	for (size_t i = 0; i < ARRAY_SIZE(ops); i++) {
		struct written w = { .n = 0 };
		put(&w, BPF_LD | BPF_W | BPF_ABS, LOW);
		put(&w, BPF_ALU | BPF_AND | BPF_K, 0x3f);
		put(&w, BPF_MISC | BPF_TAX, 0);
		put(&w, BPF_LD | BPF_W | BPF_ABS, HIGH);
		put(&w, BPF_ALU | BPF_AND | BPF_K, 0x800000f1);
		put(&w, (uint16_t)(BPF_ALU | ops[i] | BPF_X), 0);
		put_tests(&w, (const uint32_t[]){ 0, 0xf1, 0x80000000, 7, 0x10 }, 5);
		check_written(&w, edges, ARRAY_SIZE(edges), 1 << 18);
	}
}

/* Every action, those that kernels do not know, and data where the kernel looks at none. */
static void test_return_a(void **unused)
{
	static const uint32_t returns[] = { 0x80000000, 0x80001234, 0,          0x12,
					    0x30007,    0x50026,    0x51000,    0x5ffff,
					    0x7fc00000, 0x7ff0ffff, 0x7ffc0001, 0x7fff0000,
					    0x7fffffff, 0x10000,    0xffffffff, 0x7ffe0000 };

	(void)unused;
	for (size_t i = 0; i < ARRAY_SIZE(returns); i++) {
		struct written w = { .n = 0 };
		put(&w, BPF_LD | BPF_W | BPF_ABS, LOW);
		put(&w, BPF_ALU | BPF_AND | BPF_K, 0x30001);
		put(&w, (uint16_t)(BPF_ALU | (i % 2 ? BPF_OR : BPF_XOR) | BPF_K), returns[i]);
		put(&w, BPF_RET | BPF_A, 0);
		check_written(&w, edges, ARRAY_SIZE(edges), 1 << 18);
	}
}

/* LEN, scratch words stored and loaded from both registers, X as the second operand of tests. */
static void test_registers(void **unused)
{
	static const uint16_t jumps[] = { BPF_JEQ, BPF_JGT, BPF_JGE, BPF_JSET };

	(void)unused;
	for (uint32_t i = 0; i < 64; i++) {
		struct written w = { .n = 0 };
		put(&w, BPF_LD | BPF_W | BPF_ABS, LOW);
		put(&w, BPF_ST, i % 16);
		put(&w, (uint16_t)((i & 1 ? BPF_LDX : BPF_LD) | BPF_W | BPF_LEN), 0);
		put(&w, i & 1 ? BPF_STX : BPF_ST, (i + 5) % 16);
		put(&w, BPF_LDX | BPF_MEM, i % 16);
		put(&w, BPF_LD | BPF_MEM, (i + 5) % 16);
		put_jump(&w, jumps[i / 2 % 4] | BPF_X, 0, 1, 0);
		put(&w, BPF_MISC | BPF_TXA, 0);
		put(&w, BPF_ALU | BPF_ADD | BPF_X, 0);
		put(&w, BPF_ALU | BPF_NEG, 0);
		put_tests(&w, (const uint32_t[]){ 0, 64 - i, 0x80000000, 0xffffff00 }, 4);
		check_written(&w, edges, ARRAY_SIZE(edges), 1 << 18);
	}
}

/* ---- large ones ---- */

/* As long as the kernel takes: every branch far and wide, three words looked at. */
static void test_longest_programs(void **unused)
{
	static const uint16_t jumps[] = { BPF_JEQ, BPF_JGT, BPF_JGE, BPF_JSET };

	(void)unused;
	for (unsigned round = 0; round < 6; round++) {
		struct written w = { .n = 0 };
		while (w.n < 3800) {
			put(&w, BPF_LD | BPF_W | BPF_ABS, w.n % 3 ? LOW : round % 2 ? HIGH : OTHER);
			if (round > 2)
				put(&w, BPF_ALU | BPF_AND | BPF_K,
				    edges[next_random() % ARRAY_SIZE(edges)]);
			put_jump(&w, jumps[next_random() % 4] | BPF_K,
				 edges[next_random() % ARRAY_SIZE(edges)],
				 (unsigned)(next_random() % 120), (unsigned)(next_random() % 250));
		}
		while (w.n < CBPF_MAX)
			put(&w, BPF_RET | BPF_K, SECCOMP_RET_ERRNO | (uint32_t)(w.n % 7));
		check_written(&w, edges, ARRAY_SIZE(edges), 1 << 21);
	}
}

/* Bits of argument 0 are gathered in X one by one: 2^bits states of X. */
static void put_gathered(struct written *w, unsigned bits)
{
	for (unsigned i = 0; i < bits; i++) {
		put(w, BPF_LD | BPF_W | BPF_ABS, LOW);
		put_jump(w, BPF_JSET | BPF_K, 1u << i, 0, 3);
		put(w, BPF_MISC | BPF_TXA, 0);
		put(w, BPF_ALU | BPF_OR | BPF_K, 1u << i);
		put(w, BPF_MISC | BPF_TAX, 0);
	}
}

/* Each state multiplies another word by itself: cheap nodes, many operations. */
static void put_products(struct written *w)
{
	put_gathered(w, 14);
	put(w, BPF_LD | BPF_W | BPF_ABS, HIGH);
	put(w, BPF_ALU | BPF_AND | BPF_K, 1);
	for (unsigned i = 0; i < 6; i++)
		put(w, BPF_ALU | (i % 2 ? BPF_DIV : BPF_MUL) | BPF_X, 0);
	put_tests(w, (const uint32_t[]){ 5, 6 }, 2);
}

/* Each state returns any of 65536 values, from the same few nodes. */
static void put_returns(struct written *w)
{
	put_gathered(w, 14);
	put(w, BPF_MISC | BPF_TXA, 0);
	put(w, BPF_ALU | BPF_LSH | BPF_K, 16);
	put(w, BPF_MISC | BPF_TAX, 0);
	put(w, BPF_LD | BPF_W | BPF_ABS, HIGH);
	put(w, BPF_ALU | BPF_AND | BPF_K, 0xffff);
	put(w, BPF_ALU | BPF_OR | BPF_X, 0);
	put(w, BPF_RET | BPF_A, 0);
}

/* Two inputs in one operation, again and again. */
static void put_tangled(struct written *w, uint16_t op)
{
	put(w, BPF_LD | BPF_W | BPF_ABS, LOW);
	put(w, BPF_MISC | BPF_TAX, 0);
	put(w, BPF_LD | BPF_W | BPF_ABS, HIGH);
	while (w->n < CBPF_MAX - 1) {
		put(w, (uint16_t)(BPF_ALU | op | BPF_X), 0);
		if (w->n < CBPF_MAX - 1)
			put(w, BPF_ALU | BPF_XOR | BPF_K, 0x9e3779b9);
	}
	put(w, BPF_RET | BPF_A, 0);
}

static double lift_time(const struct written *w, bool *decided)
{
	struct cbpf prog = { .insns = (struct sock_filter *)w->insns, .n = w->n };
	struct arena *a = arena_new(NULL);
	struct dd *d = dd_new(a, 1 << 22);
	struct timespec start, end;

	assert_null(cbpf_check(prog.insns, prog.n, NULL));
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &start);
	*decided = cbpf_lift(d, a, &prog) != DD_NONE;
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &end);
	arena_free(a);
	return (double)(end.tv_sec - start.tv_sec) + (double)(end.tv_nsec - start.tv_nsec) / 1e9;
}

#ifdef __SANITIZE_ADDRESS__
enum { OPS = 1 }; /* the others end by the same budget, after as many seconds */
#else
enum { OPS = 5 };
#endif

/* Too many states or nodes: not decided, and said soon. */
static void test_what_explodes_is_given_up(void **unused)
{
	static const uint16_t ops[5] = { BPF_MUL, BPF_DIV, BPF_LSH, BPF_RSH, BPF_ADD };
	double worst = 0, t;
	bool decided;

	(void)unused;
	for (unsigned bits = 4; bits <= 20; bits += 4) {
		struct written w = { .n = 0 };
		put_gathered(&w, bits);
		put(&w, BPF_MISC | BPF_TXA, 0);
		put_tests(&w, (const uint32_t[]){ 5, 1u << (bits - 1), 6, 9 }, 4);
		t = lift_time(&w, &decided);
		assert_true(decided == (bits < 16));
		worst = t > worst ? t : worst;
	}
	for (unsigned i = 0; i < 2; i++) {
		struct written w = { .n = 0 };
		if (i)
			put_returns(&w);
		else
			put_products(&w);
		t = lift_time(&w, &decided);
		worst = t > worst ? t : worst;
	}
	for (size_t i = 0; i < OPS; i++) {
		struct written w = { .n = 0 };
		put_tangled(&w, ops[i]);
		t = lift_time(&w, &decided);
		assert_false(decided);
		worst = t > worst ? t : worst;
	}
	print_message("not decided after %.1f s at most\n", worst);
	assert_true(worst < 8); /* of the processor's time, under sanitizers too */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_programs),
		cmocka_unit_test(test_hard_programs),
		cmocka_unit_test(test_arithmetic),
		cmocka_unit_test(test_arithmetic_of_the_input),
		cmocka_unit_test(test_return_a),
		cmocka_unit_test(test_registers),
		cmocka_unit_test(test_longest_programs),
		cmocka_unit_test(test_what_explodes_is_given_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Programs: what the checker refuses, what each instruction computes, files, the cache model. */
#include <linux/seccomp.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "compiler/base/bug.h"
#include "compiler/cbpf/cbpf.h"

#define S(code, k)         BPF_STMT(code, k)
#define J(code, k, jt, jf) BPF_JUMP(BPF_JMP | (code), k, jt, jf)
#define RET(k)             BPF_STMT(BPF_RET | BPF_K, k)
#define PROG(...)                                                                                  \
	(struct sock_filter[])                                                                     \
	{                                                                                          \
		__VA_ARGS__                                                                        \
	}

static const struct call sample = { .audit_arch = 0xc000003e,
				    .nr = 7,
				    .args = { 0x1111111122222222, 2, 3, 4, 5,
					      0xaaaaaaaabbbbbbbb } };

/* Runs two instructions on A = 100, X = 7, M[1] = 9 and returns A. */
static uint32_t compute(struct sock_filter f)
{
	struct sock_filter insns[] = {
		S(BPF_LD | BPF_IMM, 9),
		S(BPF_ST, 1),
		S(BPF_LDX | BPF_IMM, 7),
		S(BPF_LD | BPF_IMM, 100),
		f,
		S(BPF_RET | BPF_A, 0),
	};
	struct cbpf prog = { .insns = insns, .n = ARRAY_SIZE(insns) };

	assert_null(cbpf_check(insns, prog.n, NULL));
	return cbpf_run(&prog, &sample, NULL);
}

static void test_arithmetic(void **state)
{
	(void)state;
	assert_int_equal(compute((struct sock_filter)S(BPF_ALU | BPF_ADD | BPF_K, 5)), 105);
	assert_int_equal(compute((struct sock_filter)S(BPF_ALU | BPF_ADD | BPF_X, 0)), 107);
	assert_int_equal(compute((struct sock_filter)S(BPF_ALU | BPF_SUB | BPF_K, 101)),
			 UINT32_MAX);
	assert_int_equal(compute((struct sock_filter)S(BPF_ALU | BPF_MUL | BPF_X, 0)), 700);
	assert_int_equal(compute((struct sock_filter)S(BPF_ALU | BPF_DIV | BPF_X, 0)), 14);
	assert_int_equal(compute((struct sock_filter)S(BPF_ALU | BPF_DIV | BPF_K, 3)), 33);
	assert_int_equal(compute((struct sock_filter)S(BPF_ALU | BPF_AND | BPF_K, 0x6f)), 100);
	assert_int_equal(compute((struct sock_filter)S(BPF_ALU | BPF_OR | BPF_X, 0)), 103);
	assert_int_equal(compute((struct sock_filter)S(BPF_ALU | BPF_XOR | BPF_K, 0xff)), 155);
	assert_int_equal(compute((struct sock_filter)S(BPF_ALU | BPF_LSH | BPF_K, 31)), 0);
	assert_int_equal(compute((struct sock_filter)S(BPF_ALU | BPF_RSH | BPF_X, 0)), 0);
	assert_int_equal(compute((struct sock_filter)S(BPF_ALU | BPF_NEG, 0)), (uint32_t)-100);
}

static void test_loads_and_registers(void **state)
{
	(void)state;
	assert_int_equal(compute((struct sock_filter)S(BPF_LD | BPF_W | BPF_LEN, 0)), 64);
	assert_int_equal(compute((struct sock_filter)S(BPF_LD | BPF_IMM, 77)), 77);
	assert_int_equal(compute((struct sock_filter)S(BPF_LD | BPF_MEM, 1)), 9);
	assert_int_equal(compute((struct sock_filter)S(BPF_MISC | BPF_TXA, 0)), 7);
	assert_int_equal(compute((struct sock_filter)S(BPF_LD | BPF_W | BPF_ABS, 0)), 7);
	assert_int_equal(compute((struct sock_filter)S(BPF_LD | BPF_W | BPF_ABS, 4)), 0xc000003e);
	assert_int_equal(compute((struct sock_filter)S(BPF_LD | BPF_W | BPF_ABS, 16)), 0x22222222);
	assert_int_equal(compute((struct sock_filter)S(BPF_LD | BPF_W | BPF_ABS, 20)), 0x11111111);
	assert_int_equal(compute((struct sock_filter)S(BPF_LD | BPF_W | BPF_ABS, 60)), 0xaaaaaaaa);
}

static void test_words_swap_on_big_endian(void **state)
{
	struct sock_filter insns[] = { S(BPF_LD | BPF_W | BPF_ABS, 16), S(BPF_RET | BPF_A, 0) };
	struct cbpf prog = { .insns = insns, .n = 2, .big_endian = true };

	(void)state;
	assert_int_equal(cbpf_run(&prog, &sample, NULL), 0x11111111);
}

static void test_registers_begin_as_zero_and_x_moves(void **state)
{
	struct sock_filter a[] = { S(BPF_RET | BPF_A, 0) };
	struct sock_filter x[] = { S(BPF_LD | BPF_IMM, 5), S(BPF_MISC | BPF_TAX, 0),
				   S(BPF_LD | BPF_IMM, 1), S(BPF_STX, 3),
				   S(BPF_LD | BPF_MEM, 3), S(BPF_RET | BPF_A, 0) };
	struct cbpf prog = { .insns = a, .n = 1 };

	(void)state;
	assert_int_equal(cbpf_run(&prog, &sample, NULL), 0);
	prog = (struct cbpf){ .insns = x, .n = ARRAY_SIZE(x) };
	assert_int_equal(cbpf_run(&prog, &sample, NULL), 5);
}

static void test_division_by_a_zero_x_kills(void **state)
{
	struct sock_filter insns[] = { S(BPF_LD | BPF_IMM, 5), S(BPF_ALU | BPF_DIV | BPF_X, 0),
				       RET(SECCOMP_RET_ALLOW) };
	struct cbpf prog = { .insns = insns, .n = 3 };

	(void)state;
	assert_null(cbpf_check(insns, 3, NULL));
	assert_int_equal(cbpf_run(&prog, &sample, NULL), SECCOMP_RET_KILL_THREAD);
}

static uint32_t jump(uint16_t op, uint32_t a, uint32_t k)
{
	struct sock_filter insns[] = { S(BPF_LD | BPF_IMM, a), J(op | BPF_K, k, 1, 0), RET(0),
				       RET(1) };
	struct cbpf prog = { .insns = insns, .n = 4 };
	unsigned steps;

	assert_null(cbpf_check(insns, 4, NULL));
	uint32_t r = cbpf_run(&prog, &sample, &steps);
	assert_int_equal(steps, 3);
	return r;
}

static void test_jumps(void **state)
{
	(void)state;
	assert_int_equal(jump(BPF_JEQ, 5, 5), 1);
	assert_int_equal(jump(BPF_JEQ, 5, 6), 0);
	assert_int_equal(jump(BPF_JGT, 0x80000000, 0x7fffffff), 1);
	assert_int_equal(jump(BPF_JGT, 5, 5), 0);
	assert_int_equal(jump(BPF_JGE, 5, 5), 1);
	assert_int_equal(jump(BPF_JGE, 4, 5), 0);
	assert_int_equal(jump(BPF_JSET, 6, 2), 1);
	assert_int_equal(jump(BPF_JSET, 6, 9), 0);
}

static void refused(const struct sock_filter *insns, size_t n, size_t at)
{
	size_t where = 99;

	assert_non_null(cbpf_check(insns, n, &where));
	assert_int_equal(where, at);
}

static void test_what_the_checker_refuses(void **state)
{
	(void)state;
	refused(NULL, 0, 0);
	refused(PROG(S(BPF_LD | BPF_W | BPF_ABS, 64), RET(0)), 2, 0);
	refused(PROG(S(BPF_LD | BPF_W | BPF_ABS, 2), RET(0)), 2, 0);
	refused(PROG(S(BPF_LD | BPF_H | BPF_ABS, 0), RET(0)), 2, 0);
	refused(PROG(S(BPF_ALU | BPF_MOD | BPF_K, 2), RET(0)), 2, 0);
	refused(PROG(S(BPF_ALU | BPF_DIV | BPF_K, 0), RET(0)), 2, 0);
	refused(PROG(S(BPF_ALU | BPF_LSH | BPF_K, 32), RET(0)), 2, 0);
	refused(PROG(S(BPF_ST, 16), RET(0)), 2, 0);
	refused(PROG(S(BPF_LD | BPF_MEM, 0), RET(0)), 2, 0);
	refused(PROG(S(BPF_JMP | BPF_JA, 1), RET(0)), 2, 0);
	refused(PROG(S(BPF_JMP | BPF_JA, UINT32_MAX), RET(0)), 2, 0);
	refused(PROG(J(BPF_JEQ | BPF_K, 0, 0, 1), RET(0)), 2, 0);
	refused(PROG(RET(0), S(BPF_LD | BPF_IMM, 0)), 2, 1);
	refused(PROG(S(BPF_RET | BPF_X, 0)), 1, 0);
	/* Written on one way only. */
	refused(PROG(J(BPF_JEQ | BPF_K, 0, 1, 0), S(BPF_ST, 2), S(BPF_LD | BPF_MEM, 2), RET(0)), 4,
		2);
}

static void test_the_checkers_limits(void **state)
{
	static struct sock_filter insns[CBPF_MAX + 1];

	(void)state;
	for (size_t i = 0; i <= CBPF_MAX; i++)
		insns[i] = (struct sock_filter)RET(0);
	assert_null(cbpf_check(insns, CBPF_MAX, NULL));
	refused(insns, CBPF_MAX + 1, CBPF_MAX);
}

static void test_the_kernels_cache_model(void **state)
{
	struct sock_filter insns[] = {
		S(BPF_LD | BPF_W | BPF_ABS, 4), J(BPF_JEQ | BPF_K, 0xc000003e, 1, 0),
		RET(SECCOMP_RET_KILL_PROCESS),  S(BPF_LD | BPF_W | BPF_ABS, 0),
		J(BPF_JEQ | BPF_K, 1, 5, 0),    J(BPF_JEQ | BPF_K, 2, 3, 0),
		J(BPF_JEQ | BPF_K, 3, 1, 0),    RET(SECCOMP_RET_ERRNO | 1),
		RET(SECCOMP_RET_ALLOW | 1),     S(BPF_LD | BPF_W | BPF_ABS, 16),
		RET(SECCOMP_RET_ALLOW),
	};
	struct cbpf prog = { .insns = insns, .n = ARRAY_SIZE(insns) };

	(void)state;
	assert_null(cbpf_check(insns, prog.n, NULL));
	assert_true(cbpf_const_allow(&prog, 0xc000003e, 1));
	assert_false(cbpf_const_allow(&prog, 0xc000003e, 2)); /* loads an argument */
	assert_false(cbpf_const_allow(&prog, 0xc000003e, 3)); /* ALLOW with data bits */
	assert_false(cbpf_const_allow(&prog, 0xc000003e, 4)); /* refused */
	assert_false(cbpf_const_allow(&prog, 0x40000003, 1)); /* foreign */
}

static void round_trip(bool big)
{
	struct sock_filter insns[] = { S(BPF_LD | BPF_IMM, 0x12345678),
				       J(BPF_JSET | BPF_K, 1, 0, 1), RET(SECCOMP_RET_ALLOW),
				       S(BPF_RET | BPF_A, 0) };
	struct cbpf prog = { .insns = insns, .n = 4, .big_endian = big }, back;
	struct arena *a = arena_new(NULL);
	struct sources *ss = sources_new(a);
	struct diags *ds = diags_new(a, ss);
	BUF_AUTO b = { 0 };

	cbpf_write(&prog, &b);
	assert_int_equal(b.n, 32);
	assert_int_equal((unsigned char)b.p[big ? 4 : 7], 0x12);
	struct source *src = source_add(ss, "x.bpf", (struct str){ b.p, b.n });
	assert_int_equal(cbpf_read(a, src, &back, ds), 0);
	assert_int_equal(back.big_endian, big);
	assert_int_equal(back.n, 4);
	assert_memory_equal(back.insns, insns, sizeof(insns));
	arena_free(a);
}

static void test_files_in_either_byte_order(void **state)
{
	(void)state;
	round_trip(false);
	round_trip(true);
}

static void test_files_that_are_no_programs(void **state)
{
	static const char zeros[CBPF_MAX * 8 + 8];
	static const struct str texts[] = {
		STR(""), STR("1234567"), STR("12345678"), { zeros, 8 }, { zeros, sizeof(zeros) }
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		struct arena *a = arena_new(NULL);
		struct sources *ss = sources_new(a);
		struct diags *ds = diags_new(a, ss);
		struct cbpf prog;
		assert_int_equal(cbpf_read(a, source_add(ss, "x", texts[i]), &prog, ds), -1);
		assert_int_equal(ds->errors, 1);
		arena_free(a);
	}
}

static void test_a_listing_says_what_is_tested(void **state)
{
	struct sock_filter insns[] = {
		S(BPF_LD | BPF_W | BPF_ABS, 4),  J(BPF_JEQ | BPF_K, 0xc000003e, 0, 4),
		S(BPF_LD | BPF_W | BPF_ABS, 0),  J(BPF_JEQ | BPF_K, 0, 0, 2),
		S(BPF_LD | BPF_W | BPF_ABS, 20), RET(SECCOMP_RET_ERRNO | 38),
		RET(SECCOMP_RET_ALLOW),          RET(0),
	};
	struct cbpf prog = { .insns = insns, .n = ARRAY_SIZE(insns) };
	BUF_AUTO b = { 0 };

	(void)state;
	cbpf_disassemble(&prog, &b);
	assert_non_null(strstr(b.p, "jeq #0xc000003e, 2, 6"));
	assert_non_null(strstr(b.p, "x86_64"));
	assert_non_null(strstr(b.p, "nr == 0 (x86_64 read)"));
	assert_non_null(strstr(b.p, "arg0.high"));
	assert_non_null(strstr(b.p, "ERRNO(38)"));
	assert_non_null(strstr(b.p, "never reached"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_arithmetic),
		cmocka_unit_test(test_loads_and_registers),
		cmocka_unit_test(test_words_swap_on_big_endian),
		cmocka_unit_test(test_registers_begin_as_zero_and_x_moves),
		cmocka_unit_test(test_division_by_a_zero_x_kills),
		cmocka_unit_test(test_jumps),
		cmocka_unit_test(test_what_the_checker_refuses),
		cmocka_unit_test(test_the_checkers_limits),
		cmocka_unit_test(test_the_kernels_cache_model),
		cmocka_unit_test(test_files_in_either_byte_order),
		cmocka_unit_test(test_files_that_are_no_programs),
		cmocka_unit_test(test_a_listing_says_what_is_tested),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

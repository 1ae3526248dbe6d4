/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "compiler/tables/tables.h"

static int of_call(uint32_t audit, uint32_t nr, uint32_t *own)
{
	*own = nr;
	return arch_of_call(audit, own);
}

static void x32_is_told_from_x86_64_by_bit_30(void **state)
{
	uint32_t nr;

	(void)state;
	assert_int_equal(of_call(0xc000003e, 59, &nr), ARCH_X86_64);
	assert_int_equal(nr, 59);
	assert_int_equal(of_call(0xc000003e, 0x40000208, &nr), ARCH_X32);
	assert_int_equal(nr, 520);
	assert_int_equal(of_call(0xc000003e, 0x3fffffff, &nr), ARCH_X86_64);
	assert_int_equal(of_call(0xc000003e, 0x40000000, &nr), ARCH_X32);
	assert_int_equal(nr, 0);
	/* Numbers with both high bits are x32's as well, but -1 is the tracer's skip. */
	assert_int_equal(of_call(0xc000003e, 0xc0000000, &nr), ARCH_X32);
	assert_int_equal(of_call(0xc000003e, 0xffffffff, &nr), ARCH_X86_64);
	assert_int_equal(nr, 0xffffffff);
	assert_int_equal(of_call(0x40000003, 0x40000001, &nr), ARCH_I386);
	assert_int_equal(of_call(0xc00000b7, 63, &nr), ARCH_AARCH64);
	assert_int_equal(of_call(0x40000028, 1, &nr), ARCH_ARM);
	assert_int_equal(of_call(0xc0000008, 5059, &nr), ARCH_MIPS64EL);
	assert_int_equal(nr, 5059);                           /* as the kernel shows it: no base */
	assert_int_equal(of_call(0x40000008, 4001, &nr), -1); /* mips's o32 has no column */
}

static void wide_holes_in_the_numbers_are_stepped_over(void **state)
{
	(void)state;
	assert_string_equal(syscall_by_nr(ARCH_ARM, 0xf0005)->name, "set_tls");
	assert_null(syscall_by_nr(ARCH_ARM, 0xf0000));
	assert_null(syscall_by_nr(ARCH_ARM, 0xf0007));
	assert_null(syscall_by_nr(ARCH_AARCH64, 0xf0005));
	assert_int_equal(syscall_end(ARCH_ARM), 0xf0007);
	assert_int_equal(syscall_next(ARCH_ARM, 473), 0xf0001);
	assert_int_equal(syscall_next(ARCH_ARM, 0xf0007), UINT32_MAX);
	assert_int_equal(syscall_next(ARCH_X86_64, 473), UINT32_MAX);
	assert_int_equal(syscall_next(ARCH_MIPS64EL, 0), 5000);
	assert_string_equal(syscall_by_nr(ARCH_MIPS64EL, 5000)->name, "read");
	for (enum arch a = 0; a < ARCH_NR; a++) {
		size_t calls = 0, steps = 0;
		for (size_t i = 0; i < syscall_count(); i++)
			calls += syscall_at(i)->nr[a] >= 0;
		for (uint32_t nr = 0; (nr = syscall_next(a, nr)) != UINT32_MAX; nr++) {
			assert_non_null(syscall_by_nr(a, nr));
			steps++;
		}
		assert_int_equal(calls, steps);
	}
}

static void arm_is_a_family_of_its_own_without_aarch64(void **state)
{
	(void)state;
	assert_string_equal(arch_family(ARCH_ARM, ARCH_BIT(ARCH_ARM)), "arm");
	assert_string_equal(arch_family(ARCH_ARM, ARCH_BIT(ARCH_ARM) | ARCH_BIT(ARCH_AARCH64)),
			    "aarch64");
	assert_string_equal(arch_family(ARCH_AARCH64, ARCH_BIT(ARCH_ARM)), "aarch64");
	assert_string_equal(arch_family(ARCH_I386, ARCH_BIT(ARCH_I386)), "x86_64");
	assert_true(arch_info(ARCH_S390X)->big_endian);
}

static void architectures_have_several_names(void **state)
{
	(void)state;
	assert_int_equal(arch_find(STR("amd64")), ARCH_X86_64);
	assert_int_equal(arch_find(STR("arm64")), ARCH_AARCH64);
	assert_int_equal(arch_find(STR("i686")), ARCH_I386);
	assert_int_equal(arch_find(STR("")), -1);
	assert_int_equal(arch_find(STR("vax")), -1);
	assert_true(arch_native() >= 0 && arch_native() < ARCH_NR);
}

static void every_call_is_found_by_name_and_by_each_number(void **state)
{
	(void)state;
	for (size_t i = 0; i < syscall_count(); i++) {
		const struct syscall_info *s = syscall_at(i);
		assert_ptr_equal(syscall_by_name(str_c(s->name)), s);
		for (enum arch a = 0; a < ARCH_NR; a++) {
			if (s->nr[a] < 0)
				continue;
			assert_ptr_equal(syscall_by_nr(a, (uint32_t)s->nr[a]), s);
			assert_true((uint32_t)s->nr[a] < syscall_end(a));
			assert_true(s->since[a] <= tables_level);
		}
	}
	assert_null(syscall_by_nr(ARCH_X86_64, 400));
	assert_null(syscall_by_nr(ARCH_X86_64, UINT32_MAX));
	assert_null(syscall_by_nr(ARCH_X86_64, syscall_end(ARCH_X86_64)));
	assert_null(syscall_by_name(STR("opena")));
	assert_null(syscall_by_name(STR("")));
	assert_int_equal(syscall_end(ARCH_X32), 548);
}

static void arguments_have_three_names(void **state)
{
	const struct syscall_info *s = syscall_by_name(STR("socket"));
	unsigned n;

	(void)state;
	assert_int_equal(syscall_arg_find(s, ARCH_X86_64, STR("family")), 0);
	assert_int_equal(syscall_arg_find(s, ARCH_X86_64, STR("domain")), 0);
	assert_int_equal(syscall_arg_find(s, ARCH_X86_64, STR("arg0")), 0);
	assert_int_equal(syscall_arg_find(s, ARCH_X86_64, STR("arg5")), 5);
	assert_int_equal(syscall_arg_find(s, ARCH_X86_64, STR("arg6")), -1);
	assert_int_equal(syscall_arg_find(s, ARCH_X86_64, STR("type")), 1);
	assert_int_equal(syscall_args(s, ARCH_X86_64, &n)[1].enum_mask, 0xf);
	assert_int_equal(n, 3);
	s = syscall_by_name(STR("clone"));
	assert_int_equal(syscall_arg_find(s, ARCH_X86_64, STR("tls")), 4);
	assert_int_equal(syscall_arg_find(s, ARCH_AARCH64, STR("tls")), 3);
	assert_int_equal(syscall_args(s, ARCH_I386, &n)[1].width, 32);
	assert_int_equal(syscall_args(s, ARCH_X32, &n)[1].width, 64);
	/* prctl's own "arg2" is its second argument, not the third register. */
	assert_int_equal(syscall_arg_find(syscall_by_name(STR("prctl")), ARCH_X86_64, STR("arg2")),
			 1);
}

static void names_that_are_no_calls_lead_to_calls(void **state)
{
	(void)state;
	assert_string_equal(syscall_alias(STR("sigwait")), "rt_sigtimedwait");
	assert_string_equal(syscall_alias(STR("recv")), "recvfrom");
	assert_string_equal(syscall_alias(STR("fstatat")), "newfstatat");
	assert_null(syscall_alias(STR("openat")));
	assert_string_equal(syscall_foreign_arches(STR("getxpid")), "alpha");
	assert_null(syscall_foreign_arches(STR("getpid")));
}

static void socketcall_and_ipc_multiplex_on_i386_only(void **state)
{
	const char *mux = NULL;
	unsigned selector = 0;

	(void)state;
	assert_int_equal(multiplexed_by(syscall_by_name(STR("socket")), ARCH_I386, &mux, &selector),
			 0);
	assert_string_equal(mux, "socketcall");
	assert_int_equal(selector, 1);
	assert_int_equal(multiplexed_by(syscall_by_name(STR("shmget")), ARCH_I386, &mux, &selector),
			 0);
	assert_string_equal(mux, "ipc");
	assert_int_equal(selector, 23);
	assert_int_equal(
		multiplexed_by(syscall_by_name(STR("socket")), ARCH_X86_64, &mux, &selector),
		-ENOENT);
	assert_int_equal(multiplexed_by(syscall_by_name(STR("read")), ARCH_I386, &mux, &selector),
			 -ENOENT);
	assert_string_equal(multiplexed_call(STR("socketcall"), 20), "sendmmsg");
	assert_null(multiplexed_call(STR("socketcall"), 21));
	assert_null(multiplexed_call(STR("read"), 1));
}

static void libseccomp_learns_names_with_its_releases(void **state)
{
	const unsigned v254 = 2 << 16 | 5 << 8 | 4, v255 = v254 + 1, v261 = 2 << 16 | 6 << 8 | 1;

	(void)state;
	assert_true(libseccomp_knows(v254, STR("openat2")));
	assert_true(libseccomp_knows(v254, STR("futex_waitv")));
	assert_false(libseccomp_knows(v254, STR("cachestat")));
	assert_true(libseccomp_knows(v254 | LIBSECCOMP_DEBIAN12, STR("cachestat")));
	assert_true(libseccomp_knows(v255, STR("cachestat")));
	assert_false(libseccomp_knows(v254 | LIBSECCOMP_DEBIAN12, STR("mseal")));
	assert_false(libseccomp_knows(v255, STR("file_getattr")));
	assert_true(libseccomp_knows(v261, STR("file_getattr")));
	assert_false(libseccomp_knows(v261, STR("sigwait")));
	assert_false(libseccomp_knows(v261, STR("")));
	assert_true(libseccomp_knows(v261, STR("listns")));
	assert_false(libseccomp_knows(v261, STR("fchroot")));
	assert_int_equal(libseccomp_since(STR("fchroot")).n, 0);
}

static void libseccomp_learns_some_numbers_after_the_name(void **state)
{
	const unsigned v254 = 2 << 16 | 5 << 8 | 4, v255 = v254 + 1, v256 = v254 + 2,
		       v261 = 2 << 16 | 6 << 8 | 1;
	const struct syscall_info *stack = syscall_by_name(STR("map_shadow_stack"));
	const struct syscall_info *secret = syscall_by_name(STR("memfd_secret"));

	(void)state;
	assert_true(libseccomp_numbers(v255, stack, ARCH_X86_64));
	assert_false(libseccomp_numbers(v255, stack, ARCH_X32));
	assert_false(libseccomp_numbers(v254 | LIBSECCOMP_DEBIAN12, stack, ARCH_X32));
	assert_true(libseccomp_numbers(v254 | LIBSECCOMP_DEBIAN12, stack, ARCH_X86_64));
	assert_true(libseccomp_numbers(v256, stack, ARCH_X32));
	assert_true(str_is(libseccomp_since_on(stack, ARCH_X32), "2.5.6"));
	assert_true(str_is(libseccomp_since_on(stack, ARCH_AARCH64), "2.5.5"));
	assert_false(libseccomp_numbers(v254, secret, ARCH_S390X));
	assert_true(libseccomp_numbers(v254 | LIBSECCOMP_DEBIAN12, secret, ARCH_S390X));
	assert_false(libseccomp_numbers(v261, secret, ARCH_LOONGARCH64));
	assert_false(libseccomp_numbers(v261, secret, ARCH_ARM)); /* no such call there */
	assert_int_equal(libseccomp_since_on(secret, ARCH_LOONGARCH64).n, 0);
}

static void check_value(const char *domain, const char *name, enum arch a, uint64_t value)
{
	uint64_t v = ~value;

	assert_int_equal(constant_find(domain, str_c(name), a, &v), 0);
	assert_int_equal(v, value);
}

static void constants_have_two_spellings_and_their_architecture_s_value(void **state)
{
	uint64_t v = 0;

	(void)state;
	check_value("af", "AF_INET", ARCH_X86_64, 2);
	check_value("af", "inet", ARCH_X86_64, 2);
	check_value("errno", "eperm", ARCH_X86_64, 1);
	check_value("ns", "user", ARCH_X86_64, 0x10000000);
	check_value("ns", "newuser", ARCH_X86_64, 0x10000000);
	check_value("signal", "term", ARCH_X86_64, 15);
	check_value("open", "O_DIRECTORY", ARCH_X86_64, 0x10000);
	check_value("open", "O_DIRECTORY", ARCH_AARCH64, 0x4000);
	check_value("at_fd", "AT_FDCWD", ARCH_X86_64, (uint64_t)-100);
	/* In a domain of its own, on another architecture only, nowhere, and no domain at all. */
	assert_int_equal(constant_find("af", STR("O_DIRECTORY"), ARCH_X86_64, &v), -EXDEV);
	assert_int_equal(v, 0x10000);
	assert_int_equal(constant_find("map", STR("MAP_32BIT"), ARCH_AARCH64, &v), -ENOENT);
	assert_int_equal(constant_find("af", STR("AF_"), ARCH_X86_64, &v), -ENOENT);
	assert_int_equal(constant_find("af", STR(""), ARCH_X86_64, &v), -ENOENT);
	assert_int_equal(constant_find(NULL, STR("AF_INET"), ARCH_X86_64, &v), -EXDEV);
	assert_string_equal(constant_name("af", 1, ARCH_X86_64), "AF_UNIX");
	assert_null(constant_name("af", 4711, ARCH_X86_64));
	assert_null(constant_name("nonesuch", 1, ARCH_X86_64));
}

static void the_first_row_of_a_value_names_it(void **state)
{
	(void)state;
	for (size_t i = 0; i < domain_count(); i++) {
		const struct domain_info *d = domain_at(i);
		assert_ptr_equal(domain_find(d->name), d);
		for (size_t k = d->first; k < d->first + d->rows; k++) {
			const struct constant_row c = constant_at(k);
			uint64_t v;
			assert_string_equal(c.domain, d->name);
			for (enum arch a = 0; a < ARCH_NR; a++) {
				if (!(c.arches & ARCH_BIT(a)))
					continue;
				assert_int_equal(constant_find(d->name, str_c(c.name), a, &v), 0);
				assert_int_equal(v, c.value[a]);
				assert_non_null(constant_name(d->name, v, a));
			}
		}
	}
}

static void a_suggestion_comes_from_the_domain(void **state)
{
	struct suggest s;

	(void)state;
	suggest_start(&s, STR("AF_INTE"));
	constant_suggest("af", &s);
	assert_true(str_is(s.best, "AF_INET"));
	suggest_start(&s, STR("nett"));
	constant_suggest("ns", &s);
	assert_true(str_is(s.best, "net"));
}

static void capabilities_are_41_lower_case_names(void **state)
{
	(void)state;
	for (unsigned i = 0; i < CAPABILITY_NR; i++)
		assert_int_equal(capability_find(str_c(capability_name(i))), i);
	assert_null(capability_name(CAPABILITY_NR));
	assert_string_equal(capability_name(40), "checkpoint_restore");
	assert_int_equal(capability_find(STR("CAP_NET_ADMIN")), 12);
	assert_int_equal(capability_find(STR("NET_ADMIN")), 12);
	assert_int_equal(capability_find(STR("everything")), -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(x32_is_told_from_x86_64_by_bit_30),
		cmocka_unit_test(wide_holes_in_the_numbers_are_stepped_over),
		cmocka_unit_test(arm_is_a_family_of_its_own_without_aarch64),
		cmocka_unit_test(architectures_have_several_names),
		cmocka_unit_test(every_call_is_found_by_name_and_by_each_number),
		cmocka_unit_test(arguments_have_three_names),
		cmocka_unit_test(names_that_are_no_calls_lead_to_calls),
		cmocka_unit_test(socketcall_and_ipc_multiplex_on_i386_only),
		cmocka_unit_test(libseccomp_learns_names_with_its_releases),
		cmocka_unit_test(libseccomp_learns_some_numbers_after_the_name),
		cmocka_unit_test(constants_have_two_spellings_and_their_architecture_s_value),
		cmocka_unit_test(the_first_row_of_a_value_names_it),
		cmocka_unit_test(a_suggestion_comes_from_the_domain),
		cmocka_unit_test(capabilities_are_41_lower_case_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

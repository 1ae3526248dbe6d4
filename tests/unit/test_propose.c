/* SPDX-License-Identifier: Apache-2.0 */
/* Recordings made by programs: what a proposal costs by the number of files, and what is joined. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <cmocka.h>

#include "compiler/policy/policy.h"
#include "grammar/print.h"
#include "learn/propose.h"

/* Ordinary files, random names in a directory for all, libraries of many versions, removed logs. */
static void add_files(struct arena *a, struct recording *r, unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		struct recorded_file f = {
			.perms = PERM_R, .owned = true, .count = 1, .first_ns = i
		};
		const char *path;

		switch (i % 4) {
		case 0: path = arena_printf(a, "/srv/%u/file-%x", i % 1000, i); break;
		case 1: path = arena_printf(a, "/tmp/job-%06XxY%c", i, 'a' + i % 26); break;
		case 2: path = arena_printf(a, "/opt/nowhere/lib%u.so.%u", i % 8, i); break;
		default: path = arena_printf(a, "/opt/nowhere/log-%u", i); break;
		}
		f.path = str_c(path);
		if (i % 4 == 2)
			f.perms |= PERM_M;
		else if (i % 4)
			f.perms |= PERM_W, f.gone = i % 4 == 3;
		vec_push(a, &r->files, f);
	}
	recording_sort(r);
}

static double seconds(unsigned n, bool exact, size_t *rules)
{
	struct arena *a = arena_new(NULL);
	struct recording r = { .run = { .backend = "ebpf",
					.kernel = "6.1",
					.libc = "glibc 2.36",
					.host = ARCH_X86_64,
					.caps_observed = true } };
	struct propose_options opt = { .name = "many" };
	struct proposed_files files = { 0 };
	struct diags *ds = diags_new(a, sources_new(a));
	BUF_AUTO text = { 0 };
	clock_t begun;

	add_files(a, &r, n);
	begun = clock();
	ast_print(&text, propose(a, &r, &opt, ds));
	double took = (double)(clock() - begun) / CLOCKS_PER_SEC;

	assert_true(text.n > n && !text.failed && !ds->errors);
	generalize_files(a, &r, exact, &files);
	*rules = files.list.n;
	arena_free(a);
	return took;
}

static double best_of_two(unsigned n, size_t *rules)
{
	double one = seconds(n, false, rules), other = seconds(n, false, rules);

	return one < other ? one : other;
}

static void test_the_cost_grows_with_the_files(void **state)
{
	size_t few_rules, many_rules;
	double few = best_of_two(50000, &few_rules), many = best_of_two(200000, &many_rules);

	(void)state;
	printf("50,000 files %.2f s, 200,000 %.2f s\n", few, many);
	assert_true(many < 6 * few + 0.05);
	assert_true(many < 10);
}

static void test_equal_globs_are_one_rule(void **state)
{
	size_t rules;

	(void)state;
	seconds(8000, false, &rules);
	/*
	 * 2,000 files as they are; all of /tmp, which are many; two libraries; one kind of log, and
	 * two whose number has a single digit.
	 */
	assert_int_equal(rules, 2000 + 1 + 2 + 1 + 2);
	seconds(8000, true, &rules);
	assert_int_equal(rules, 8000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_the_cost_grows_with_the_files),
		cmocka_unit_test(test_equal_globs_are_one_rule),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

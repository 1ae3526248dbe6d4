/* SPDX-License-Identifier: Apache-2.0 */
/* policy/: evaluation order, union's laws, overlap of conditions and of globs. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "compiler/policy/resolve.h"
#include "tests/unit/fixture.h"

/* ---- helpers ---- */

static struct policies *resolve(struct fixture *f, const char *text)
{
	struct resolve_options opt = { 0 };
	struct source *src = source_add(f->sources, "test", str_c(text));
	struct ast_file *file = pale_parse_source(f->arena, src, f->diags);

	return policy_resolve(f->arena, file, &opt, f->diags);
}

static struct policy *policy(struct fixture *f, const char *text)
{
	struct policies *all = resolve(f, text);

	for (size_t i = 0; i < f->diags->list.n; i++)
		if (f->diags->list.v[i]->severity == SEVERITY_ERROR)
			print_message("%s\n", f->diags->list.v[i]->text);
	assert_int_equal(f->diags->errors, 0);
	assert_true(all->list.n > 0);
	return all->list.v[0];
}

static const char *eval(struct fixture *f, const struct policy *p, enum arch a, uint32_t nr,
			uint64_t arg0, enum decided_by by)
{
	struct call c = { .audit_arch = arch_info(a)->audit, .nr = nr, .args = { arg0 } };
	struct decision_why why;
	struct buf b = { 0 };

	verdict_print(&b, policy_eval(p, &c, &why));
	assert_int_equal(why.by, by);
	const char *s = arena_printf(f->arena, "%s", b.p);
	buf_free(&b);
	return s;
}

/* A generator with its seed in sight: the same tests each time. */
static uint32_t random_state = 1;

static uint32_t rnd(uint32_t n)
{
	random_state = random_state * 1664525 + 1013904223;
	return (random_state >> 8) % n;
}

/* ---- evaluation ---- */

static void foreign_minus_one_x32_unknown_default(void **state)
{
	struct fixture *f = *state;
	const struct policy *p = policy(f, "policy p { arch x86_64, i386; level linux 5.10;"
					   "default errno EPERM; unknown errno ENOSYS;"
					   "foreign kill-process;"
					   "allow read; log write; allow #470, futex_waitv; }");
	const uint32_t x32 = 0x40000000;

	assert_string_equal(eval(f, p, ARCH_X86_64, 0, 0, BY_RULE), "ALLOW");
	assert_string_equal(eval(f, p, ARCH_X86_64, 1, 0, BY_RULE), "LOG");
	assert_string_equal(eval(f, p, ARCH_I386, 3, 0, BY_RULE), "ALLOW");
	assert_string_equal(eval(f, p, ARCH_X86_64, 2, 0, BY_DEFAULT), "ERRNO(1)");
	/* A foreign architecture comes before -1, and -1 before x32. */
	assert_string_equal(eval(f, p, ARCH_AARCH64, 63, 0, BY_FOREIGN), "KILL_PROCESS");
	assert_string_equal(eval(f, p, ARCH_AARCH64, UINT32_MAX, 0, BY_FOREIGN), "KILL_PROCESS");
	assert_string_equal(eval(f, p, ARCH_X86_64, UINT32_MAX, 0, BY_TRACER_SKIP), "ALLOW");
	assert_string_equal(eval(f, p, ARCH_I386, UINT32_MAX, 0, BY_TRACER_SKIP), "ALLOW");
	/* x32 is not listed: its numbers are foreign, read's too. */
	assert_string_equal(eval(f, p, ARCH_X86_64, x32, 0, BY_FOREIGN), "KILL_PROCESS");
	assert_string_equal(eval(f, p, ARCH_X86_64, 0x80000000, 0, BY_FOREIGN), "KILL_PROCESS");
	assert_string_equal(eval(f, p, ARCH_X86_64, UINT32_MAX - 1, 0, BY_FOREIGN), "KILL_PROCESS");
	/* Beyond the table, a hole in it, newer than the level; but rules hold at any level. */
	assert_string_equal(eval(f, p, ARCH_X86_64, 0x3fffffff, 0, BY_UNKNOWN), "ERRNO(38)");
	assert_string_equal(eval(f, p, ARCH_X86_64, 400, 0, BY_UNKNOWN), "ERRNO(38)");
	assert_string_equal(eval(f, p, ARCH_X86_64, 450, 0, BY_UNKNOWN), "ERRNO(38)");
	assert_string_equal(eval(f, p, ARCH_X86_64, 449, 0, BY_RULE), "ALLOW");
	assert_string_equal(eval(f, p, ARCH_X86_64, 470, 0, BY_RULE), "ALLOW");
	assert_string_equal(eval(f, p, ARCH_X86_64, 436, 0, BY_DEFAULT), "ERRNO(1)");
}

static void x32_alone(void **state)
{
	struct fixture *f = *state;
	const struct policy *p = policy(f, "policy p { arch x32; allow read, ptrace; }");

	assert_string_equal(eval(f, p, ARCH_X32, 0x40000000, 0, BY_RULE), "ALLOW");
	/* x32 has numbers of its own where pointers differ: ptrace is 521 there, 101 is a hole. */
	assert_string_equal(eval(f, p, ARCH_X32, 0x40000000 + 521, 0, BY_RULE), "ALLOW");
	assert_string_equal(eval(f, p, ARCH_X32, 0x40000000 + 101, 0, BY_UNKNOWN), "ERRNO(38)");
	assert_string_equal(eval(f, p, ARCH_X32, 0, 0, BY_FOREIGN), "KILL_PROCESS");
}

static void most_restrictive_wins_in_any_order(void **state)
{
	static const char *const rules[] = {
		"kill-process read;", "kill-thread read;", "trap 7 read;", "errno 5 read;",
		"notify read;",       "trace 9 read;",     "log read;",    "allow read;",
	};
	static const char *const verdicts[] = { "KILL_PROCESS", "KILL_THREAD", "TRAP(7)",
						"ERRNO(5)",     "NOTIFY",      "TRACE(9)",
						"LOG",          "ALLOW" };
	struct fixture *f = *state;

	for (unsigned i = 0; i < 8; i++)
		for (unsigned k = 0; k < 8; k++) {
			const char *text = arena_printf(f->arena, "policy p { arch x86_64; %s %s }",
							rules[i], rules[k]);
			const struct policy *p = policy(f, text);
			assert_string_equal(eval(f, p, ARCH_X86_64, 0, 0, BY_RULE),
					    verdicts[i < k ? i : k]);
		}
}

static void width_and_sign(void **state)
{
	struct fixture *f = *state;
	const struct policy *p =
		policy(f, "policy p { arch x86_64;"
			  "allow socket(domain == AF_INET);"
			  "allow socketpair(reg domain == AF_INET);"
			  "allow dup3(flags < 0), timer_delete(timer_id in -5..3); }");
	const uint64_t high = UINT64_C(0xdeadbeef00000000);

	assert_string_equal(eval(f, p, ARCH_X86_64, 41, 2, BY_RULE), "ALLOW");
	assert_string_equal(eval(f, p, ARCH_X86_64, 41, high | 2, BY_RULE), "ALLOW");
	assert_string_equal(eval(f, p, ARCH_X86_64, 53, 2, BY_RULE), "ALLOW");
	assert_string_equal(eval(f, p, ARCH_X86_64, 53, high | 2, BY_DEFAULT), "ERRNO(1)");
	assert_string_equal(eval(f, p, ARCH_X86_64, 226, 0xfffffffb, BY_RULE), "ALLOW");
	assert_string_equal(eval(f, p, ARCH_X86_64, 226, high | 0xfffffffb, BY_RULE), "ALLOW");
	assert_string_equal(eval(f, p, ARCH_X86_64, 226, 0xfffffffa, BY_DEFAULT), "ERRNO(1)");
	assert_string_equal(eval(f, p, ARCH_X86_64, 226, 3, BY_RULE), "ALLOW");
	assert_string_equal(eval(f, p, ARCH_X86_64, 226, 4, BY_DEFAULT), "ERRNO(1)");
}

/* ---- union ---- */

static const char *random_rule(struct fixture *f)
{
	static const char *const calls[] = { "read", "write", "socket", "ioctl", "mmap", "prctl" };
	static const char *const conds[] = { "", "(arg0 == 1)", "(arg0 in 3..9)", "(arg1 != 4)",
					     "(reg arg2 > 7 or reg arg0 < 2)" };
	static const char *const verdicts[] = { "allow", "log", "kill", "errno EACCES", "trap 1" };
	const char *call = calls[rnd(2)], *cond = conds[rnd(5)];

	if (rnd(3) == 0) {
		call = calls[2 + rnd(4)];
		cond = "";
	}
	if (call == calls[1] || call == calls[0])
		cond = strstr(cond, "arg1 ") ? "(reg arg1 != 4)" : cond;
	switch (rnd(12)) {
	case 0: return arena_printf(f->arena, "limit nofile %u;", rnd(4));
	case 1: return arena_printf(f->arena, "capability %s;", rnd(2) ? "chown" : "kill");
	case 2: return arena_printf(f->arena, "file r /x/%u;", rnd(3));
	case 3: return "signal receive term;";
	case 4: return "network inet stream;";
	}
	return arena_printf(f->arena, "%s %s%s;", verdicts[rnd(5)], call, cond);
}

static struct policy *random_policy(struct fixture *f)
{
	static const char *const arches[] = { "x86_64", "x86_64, aarch64", "aarch64, x32" };
	const char *body = "";

	for (uint32_t n = rnd(7); n; n--)
		body = arena_printf(f->arena, "%s %s", body, random_rule(f));
	return policy(f,
		      arena_printf(f->arena, "policy p { arch %s; layers seccomp, apparmor; %s }",
				   arches[rnd(3)], body));
}

static bool same_rules(const struct policy *x, const struct policy *y)
{
	if (x->arches != y->arches || x->calls.n != y->calls.n || x->files.n != y->files.n ||
	    x->caps.n != y->caps.n || x->networks.n != y->networks.n ||
	    x->signals.n != y->signals.n || x->limits.n != y->limits.n)
		return false;
	for (size_t i = 0; i < x->calls.n; i++) {
		const struct call_rule *a = &x->calls.v[i], *b = &y->calls.v[i];
		if (a->arch != b->arch || a->nr != b->nr || !verdict_eq(a->verdict, b->verdict) ||
		    cond_compare(a->cond, b->cond))
			return false;
	}
	for (size_t i = 0; i < x->files.n; i++)
		if (!str_eq(x->files.v[i].path, y->files.v[i].path))
			return false;
	for (size_t i = 0; i < x->caps.n; i++)
		if (x->caps.v[i].cap != y->caps.v[i].cap)
			return false;
	for (size_t i = 0; i < x->limits.n; i++)
		if (x->limits.v[i].value != y->limits.v[i].value)
			return false;
	return true;
}

static struct policy *unite(struct fixture *f, const struct policy *x, const struct policy *y)
{
	struct policy *u = policy_union(f->arena, x, y, f->diags);

	assert_non_null(u);
	return u;
}

static void union_is_commutative_associative_idempotent(void **state)
{
	struct fixture *f = *state;

	random_state = 7;
	for (unsigned i = 0; i < 400; i++) {
		struct policy *x = random_policy(f), *y = random_policy(f), *z = random_policy(f);
		assert_true(same_rules(unite(f, x, y), unite(f, y, x)));
		assert_true(same_rules(unite(f, unite(f, x, y), z), unite(f, x, unite(f, y, z))));
		assert_true(same_rules(unite(f, x, x), x));
	}
}

/* On the architectures of both, a call gets the more restrictive of what their rules say. */
static void union_means_both(void **state)
{
	struct fixture *f = *state;

	random_state = 99;
	for (unsigned i = 0; i < 300; i++) {
		struct policy *x = random_policy(f), *y = random_policy(f), *u = unite(f, x, y);
		for (unsigned k = 0; k < 50; k++) {
			struct call c = { .audit_arch = arch_info(ARCH_X86_64)->audit,
					  .nr = rnd(60),
					  .args = { rnd(11), rnd(6), rnd(9) } };
			struct decision_why wx, wy, wu;
			if (!(x->arches & y->arches & ARCH_BIT(ARCH_X86_64)))
				continue;
			struct verdict vx = policy_eval(x, &c, &wx), vy = policy_eval(y, &c, &wy);
			struct verdict vu = policy_eval(u, &c, &wu);
			if (wx.by != BY_RULE && wy.by != BY_RULE) {
				assert_int_equal(wu.by, wx.by);
				continue;
			}
			assert_int_equal(wu.by, BY_RULE);
			if (wx.by != BY_RULE)
				assert_true(verdict_eq(vu, vy));
			else if (wy.by != BY_RULE)
				assert_true(verdict_eq(vu, vx));
			else
				assert_true(verdict_eq(vu, vx.kind < vy.kind ? vx : vy));
		}
	}
}

static void union_takes_the_smaller_limit_and_one_header(void **state)
{
	struct fixture *f = *state;
	struct policy *x = policy(f, "policy a { arch x86_64; limit nofile 10; limit nofile 20; }");
	struct policy *y = policy(f, "policy b { arch aarch64; limit nofile 7; limit nproc 3; }");
	struct policy *u = unite(f, x, y);

	assert_int_equal(x->limits.n, 1);
	assert_int_equal(x->limits.v[0].value, 10);
	assert_int_equal(u->limits.n, 2);
	for (size_t i = 0; i < 2; i++)
		assert_int_equal(u->limits.v[i].value,
				 strcmp(u->limits.v[i].resource, "nofile") ? 3 : 7);
	struct policy *z = policy(f, "policy c { arch x86_64; default kill; level linux 6.1; }");
	struct policy *logs = policy(f, "policy d { arch x86_64; log refusals; }");
	assert_null(policy_union(f->arena, x, z, f->diags));
	assert_int_equal(f->diags->errors, 2);
	assert_null(policy_union(f->arena, x, logs, f->diags));
	assert_int_equal(f->diags->errors, 3);
	assert_int_equal(f->diags->list.v[f->diags->list.n - 1]->id, DIAG_PL144);
}

static void union_finds_contradictions(void **state)
{
	struct fixture *f = *state;
	struct policy *x = policy(f, "policy a { arch x86_64; errno EPERM bpf; }");
	struct policy *y = policy(f, "policy b { arch x86_64; errno EACCES bpf(cmd == 1); }");

	assert_null(policy_union(f->arena, x, y, f->diags));
	assert_int_equal(f->diags->list.v[f->diags->list.n - 1]->id, DIAG_PL129);
}

/* ---- conditions that meet ---- */

static const struct cond *random_cond(struct fixture *f, unsigned depth)
{
	struct cond *c = ARENA_NEW(f->arena, struct cond);

	if (depth && rnd(3)) {
		c->kind = (enum cond_kind)(COND_AND + rnd(3));
		c->left = random_cond(f, depth - 1);
		if (c->kind != COND_NOT)
			c->right = random_cond(f, depth - 1);
		return c;
	}
	bool is_signed = rnd(3) == 0;
	uint64_t top = UINT64_C(0xfffffffffffffff8);
	c->kind = COND_CMP;
	c->cmp = (struct cmp){ .arg = (uint8_t)rnd(2),
			       .width = rnd(2) ? 32 : 64,
			       .op = (enum cmp_op)rnd(CMP_OP_NR),
			       .mask = UINT64_MAX };
	/* Three bits that matter and, for signed ones, the top: small enough to try them all. */
	c->cmp.value = rnd(8) | (is_signed && rnd(2) ? top : 0);
	c->cmp.is_signed = is_signed;
	if (!is_signed && rnd(2)) {
		c->cmp.mask = rnd(8);
		if (rnd(2)) /* else, for an order, also what the mask never leaves */
			c->cmp.value &= c->cmp.mask;
	}
	if (c->cmp.width == 32) {
		c->cmp.mask &= UINT32_MAX;
		c->cmp.value &= UINT32_MAX;
	}
	return c;
}

static bool meet_by_trial(const struct cond *x, const struct cond *y)
{
	static const uint64_t tops[] = { 0,
					 8,
					 UINT64_C(0xfffffff8),
					 UINT64_C(0x7ffffff8),
					 UINT64_C(0xfffffffffffffff8),
					 UINT64_C(0x7ffffffffffffff8),
					 UINT64_C(0x100000000),
					 UINT64_C(0xffffffff00000000) };
	uint64_t args[6] = { 0 };

	for (unsigned i = 0; i < 64; i++)
		for (unsigned k = 0; k < 64; k++) {
			args[0] = tops[i / 8] + i % 8;
			args[1] = tops[k / 8] + k % 8;
			if (cond_eval(x, args) && cond_eval(y, args))
				return true;
		}
	return false;
}

static void overlap_agrees_with_trial(void **state)
{
	struct fixture *f = *state;
	unsigned met = 0, apart = 0;

	random_state = 12345;
	for (unsigned i = 0; i < 6000; i++) {
		const struct cond *x = random_cond(f, rnd(4)), *y = random_cond(f, rnd(4));
		uint64_t args[6];
		int got = cond_overlap(x, y, args);
		assert_true(got >= 0);
		if (got) {
			met++;
			assert_true(cond_eval(x, args) && cond_eval(y, args));
		} else {
			apart++;
			assert_false(meet_by_trial(x, y));
		}
	}
	assert_true(met > 500 && apart > 500);
}

static void overlap_of_large_sets_is_quick(void **state)
{
	struct fixture *f = *state;
	const char *one = "", *two = "";

	for (unsigned i = 0; i < 400; i++) {
		one = arena_printf(f->arena, "%s%s%u", one, i ? ", " : "", 2 * i);
		two = arena_printf(f->arena, "%s%s%u", two, i ? ", " : "", 2 * i + 1);
	}
	policy(f, arena_printf(f->arena,
			       "policy p { arch x86_64; errno EPERM ioctl(cmd in {%s});"
			       "errno EACCES ioctl(cmd in {%s}); }",
			       one, two));
}

/* ---- globs ---- */

static const struct glob *glob_of(struct fixture *f, struct str text)
{
	const struct glob *g = glob_parse(f->arena, text, GLOB_PATH, NULL, NULL);

	assert_non_null(g);
	return g;
}

static void globs_that_meet(void **state)
{
	static const struct {
		const char *x, *y, *witness; /* NULL: apart */
	} rows[] = {
		{ "/bin/sh", "/bin/sh", "/bin/sh" },
		{ "/bin/sh", "/bin/bash", NULL },
		{ "/bin/*", "/bin/sh", "/bin/sh" },
		{ "/bin/*", "/bin/x/sh", NULL },
		{ "/bin/**", "/bin/x/sh", "/bin/x/sh" },
		{ "/bin/*", "/bin/", NULL },
		{ "/a?c", "/abc", "/abc" },
		{ "/a?c", "/a/c", NULL },
		{ "/{usr/,}bin/x", "/bin/x", "/bin/x" },
		{ "/{usr/,}bin/x", "/usr/bin/x", "/usr/bin/x" },
		{ "/{usr/,}bin/x", "/opt/bin/x", NULL },
		{ "/[a-c]x", "/bx", "/bx" },
		{ "/[^a-c]x", "/bx", NULL },
		{ "/*.so", "/lib*", "/lib.so" },
		{ "/*a*b*", "/*b*a*", "/aba" },
		{ "/a\\*", "/ab", NULL },
		{ "/a\\*", "/a\\*", "/a*" },
		{ "@{HOME}/x", "@{HOME}/x", "@{HOME}/x" },
		{ "/x{a,{b,c}d}y", "/xcdy", "/xcdy" },
	};
	struct fixture *f = *state;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const char *witness = "";
		size_t budget = GLOB_BUDGET;
		const struct glob *x = glob_of(f, str_c(rows[i].x)),
				  *y = glob_of(f, str_c(rows[i].y));
		enum glob_answer met = glob_overlap(f->arena, x, y, &budget, &witness);
		assert_int_equal(met, rows[i].witness ? GLOB_YES : GLOB_NO);
		assert_int_equal(glob_overlap(f->arena, y, x, &budget, &witness), met);
		if (met)
			assert_int_equal(strlen(witness), strlen(rows[i].witness));
	}
}

static void hostile_globs_end(void **state)
{
	struct fixture *f = *state;
	char many[4000];
	const char *witness;

	memset(many, '*', sizeof(many));
	for (size_t i = 0; i < sizeof(many); i += 2)
		many[i] = 'a';
	many[0] = '/';
	struct str g = { many, sizeof(many) };
	const struct glob *stars = glob_of(f, g);
	size_t budget = GLOB_BUDGET;
	assert_int_equal(glob_overlap(f->arena, stars, stars, &budget, &witness), GLOB_NOT_DECIDED);
	assert_null(witness);
	memset(many, '{', sizeof(many));
	assert_null(glob_parse(f->arena, g, GLOB_PATH, NULL, NULL));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(foreign_minus_one_x32_unknown_default),
		TEST(x32_alone),
		TEST(most_restrictive_wins_in_any_order),
		TEST(width_and_sign),
		TEST(union_is_commutative_associative_idempotent),
		TEST(union_means_both),
		TEST(union_takes_the_smaller_limit_and_one_header),
		TEST(union_finds_contradictions),
		TEST(overlap_agrees_with_trial),
		TEST(overlap_of_large_sets_is_quick),
		TEST(globs_that_meet),
		TEST(hostile_globs_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

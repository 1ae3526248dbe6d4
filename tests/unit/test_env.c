/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Conditions on the environment: a policy that keeps them answers in each environment as the
 * policy resolved for that environment does; rules clash only where one lets both apply.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "compiler/decision/decision.h"
#include "tests/unit/fixture.h"

static struct policy *resolve(struct fixture *f, const char *text, const struct environment *env)
{
	struct resolve_options opt = { .keep_when = !env };
	struct source *src = source_add(f->sources, "test", str_c(text));
	struct ast_file *file = pale_parse_source(f->arena, src, f->diags);

	if (env)
		opt.env = *env;
	struct policies *all = policy_resolve(f->arena, file, &opt, f->diags);
	assert_true(all->list.n == 1);
	return all->list.v[0];
}

static uint32_t random_state = 7;

static uint32_t rnd(uint32_t n)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 17;
	random_state ^= random_state << 5;
	return random_state % n;
}

/* ---- random conditions ---- */

static const char *const caps[] = { "chown", "sys_admin", "bpf", "sys_ptrace" };
static const char *const kernels[] = { "4.8", "5.9", "5.255", "6.0" };
static const char *const hosts[] = { "x86_64", "i386", "aarch64" };
static const char *const ops[] = { "==", "!=", "<", "<=", ">", ">=" };

static void put_condition(struct buf *b, unsigned depth)
{
	switch (rnd(depth ? 8 : 4)) {
	case 0:
		buf_printf(b, "capability %s", caps[rnd(4)]);
		if (rnd(3) == 0)
			buf_printf(b, ", %s", caps[rnd(4)]);
		return;
	case 1: buf_printf(b, "kernel %s %s", ops[rnd(6)], kernels[rnd(4)]); return;
	case 2: buf_printf(b, "host %s", hosts[rnd(3)]); return;
	case 3: buf_printf(b, "arch %s", hosts[rnd(3)]); return;
	case 4:
		buf_puts(b, "not (");
		put_condition(b, depth - 1);
		break;
	default:
		buf_puts(b, "(");
		put_condition(b, depth - 1);
		buf_puts(b, rnd(2) ? ") and (" : ") or (");
		put_condition(b, depth - 1);
	}
	buf_puts(b, ")");
}

static void put_policy(struct buf *b)
{
	static const char *const rules[] = { "allow", "kill", "log", "errno EPERM", "trap" };
	static const char *const names[] = { "read", "openat", "socket", "clone" };

	buf_puts(b, "policy p { arch x86_64, i386, aarch64; default errno ENOSYS;\n");
	for (unsigned i = 1 + rnd(5); i; i--) {
		bool nested = rnd(3) == 0;
		buf_puts(b, "when ");
		put_condition(b, 3);
		buf_puts(b, " { ");
		if (nested) {
			buf_puts(b, "when ");
			put_condition(b, 1);
			buf_puts(b, " { ");
		}
		buf_printf(b, "%s %s(reg arg0 %s %u);", rules[rnd(5)], names[rnd(4)], ops[rnd(6)],
			   rnd(3));
		buf_puts(b, nested ? " } }\n" : " }\n");
	}
	buf_puts(b, "}\n");
}

/* The diagram over the environment's bits says the same. */
static void compare_diagram(struct fixture *f, const struct policy *kept, struct dd *dd,
			    dd_node root, const struct environment *env)
{
	for (size_t i = 0; i < kept->calls.n; i++)
		for (unsigned arg = 0; arg < 4; arg++) {
			const struct call_rule *r = &kept->calls.v[i];
			struct call c = { .audit_arch = arch_info(r->arch)->audit,
					  .nr = r->nr,
					  .args = { arg } };
			struct dd_point at = { .at = { arg } };
			at.at[DD_CALL] = DD_CALL_OF(c.audit_arch, c.nr);
			at.at[DD_CAPS] = env->caps;
			at.at[DD_SYSTEM] = (uint64_t)env->kernel << 8 | env->host;
			struct verdict got = dd_eval_at(dd, root, &at);
			assert_true(verdict_eq(got, policy_eval_in(kept, env, &c, NULL)));
		}
	assert_int_equal(f->diags->errors, 0);
}

static void compare_in(const struct policy *kept, const struct policy *strict,
		       const struct environment *env, const char *text)
{
	for (size_t i = 0; i < kept->calls.n; i++)
		for (unsigned arg = 0; arg < 4; arg++) {
			const struct call_rule *r = &kept->calls.v[i];
			struct call c = { .audit_arch = arch_info(r->arch)->audit,
					  .nr = r->nr,
					  .args = { arg } };
			if (!env_runs(env->host, r->arch))
				continue; /* no such machine makes it: each machine answers its own calls */
			struct verdict got = policy_eval_in(kept, env, &c, NULL);
			struct verdict want = policy_eval(strict, &c, NULL);
			if (!verdict_eq(got, want))
				print_message("%s caps %jx kernel %x host %d\n", text,
					      (uintmax_t)env->caps, env->kernel, (int)env->host);
			assert_true(verdict_eq(got, want));
		}
	/* Nothing that strict says is missing. */
	for (size_t i = 0; i < strict->calls.n; i++) {
		const struct call_rule *r = &strict->calls.v[i];
		size_t first, end;
		policy_calls_of(kept, r->arch, r->nr, &first, &end);
		assert_true(first < end);
	}
}

static void kept_means_each_environment(void **state)
{
	struct fixture *f = *state;
	static const uint16_t versions[] = { 0,      0x0407, 0x0408, 0x0508, 0x0509,
					     0x050a, 0x05ff, 0x0600, 0x0601, UINT16_MAX };
	unsigned conditional = 0;

	for (unsigned n = 0; n < 400; n++) {
		struct buf b = { 0 };
		put_policy(&b);
		const char *text = arena_printf(f->arena, "%s", b.p);
		buf_free(&b);
		struct policy *kept = resolve(f, text, NULL);
		conditional += kept->conditional;
		const struct decision *d = decision_build(f->arena, kept, f->diags);
		assert_non_null(d);
		dd_node root = decision_root(d, kept->arches);
		for (unsigned k = 0; k < 12; k++) {
			struct environment env = { .caps_known = true,
						   .kernel_known = true,
						   .host_known = true,
						   .kernel = versions[rnd(10)] };
			env.host = (enum arch)rnd(ARCH_NR);
			for (unsigned c = 0; c < 4; c++)
				if (rnd(2))
					env.caps |= UINT64_C(1) << capability_find(str_c(caps[c]));
			struct policy *strict = resolve(f, text, &env);
			assert_int_equal(f->diags->errors, 0);
			assert_false(strict->conditional);
			compare_in(kept, strict, &env, text);
			compare_diagram(f, kept, d->dd, root, &env);
		}
	}
	assert_true(conditional > 200);
}

/* What is known is settled, the rest is kept. */
static void the_known_part_is_settled(void **state)
{
	struct fixture *f = *state;
	struct resolve_options opt = { .keep_when = true };
	struct source *src = source_add(
		f->sources, "test",
		STR("policy p { arch x86_64; when capability chown and kernel >= 5.9 { allow read; "
		    "}"
		    " when kernel < 5.9 { allow write; } when capability bpf { allow bpf; } }"));
	struct ast_file *file = pale_parse_source(f->arena, src, f->diags);

	opt.env.kernel_known = true;
	opt.env.kernel = KERNEL_VERSION_OF(5, 9);
	struct policy *p = policy_resolve(f->arena, file, &opt, f->diags)->list.v[0];
	assert_int_equal(p->calls.n, 2);
	for (size_t i = 0; i < 2; i++)
		assert_int_equal(p->calls.v[i].env->kind, ENV_CAP);
	assert_true(p->conditional);
}

static void rules_clash_in_some_environment_only(void **state)
{
	struct fixture *f = *state;
	static const struct {
		const char *x, *y;
		const char *where; /* NULL: they never meet */
	} rows[] = {
		{ "capability bpf", "not capability bpf", NULL },
		{ "kernel >= 5.9", "kernel < 5.9", NULL },
		{ "kernel > 5.9", "kernel <= 5.9", NULL },
		{ "kernel == 5.9", "kernel != 5.9", NULL },
		{ "host x86_64", "not host x86_64", NULL },
		{ "host aarch64", "kernel >= 3.0", NULL }, /* no machine for a call of x86_64 */
		{ "capability bpf", "not capability chown", "capability bpf, no capability chown" },
		{ "kernel >= 5.9", "kernel < 6.1", "kernel 5.9" },
		{ "capability chown or kernel > 5.9", "not capability chown",
		  "no capability chown, kernel 5.10" },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		size_t errors = f->diags->errors;
		resolve(f,
			arena_printf(f->arena,
				     "policy p { arch x86_64; when %s { errno EPERM bpf; } when %s "
				     "{ errno EACCES bpf(cmd == 1); } }",
				     rows[i].x, rows[i].y),
			NULL);
		assert_int_equal(f->diags->errors, errors + (rows[i].where != NULL));
		if (!rows[i].where)
			continue;
		const struct diag *d = f->diags->list.v[f->diags->list.n - 1];
		assert_int_equal(d->id, DIAG_PL129);
		const char *with = strstr(d->help, ", with ");
		assert_non_null(with);
		assert_int_equal(strncmp(with + 7, rows[i].where, strlen(rows[i].where)), 0);
		assert_int_equal(with[7 + strlen(rows[i].where)], ':');
	}
}

/* Random boxes: what is decided over a box holds at each of its corners. */
static void a_box_is_decided_as_its_members(void **state)
{
	struct fixture *f = *state;
	unsigned decided = 0;

	for (unsigned n = 0; n < 3000; n++) {
		struct buf b = { 0 };
		buf_puts(&b, "policy p { arch x86_64; when ");
		put_condition(&b, 3);
		buf_puts(&b, " { allow read; } }");
		struct policy *p = resolve(f, arena_printf(f->arena, "%s", b.p), NULL);
		buf_free(&b);
		if (!p->calls.n)
			continue;
		const struct env_cond *c = p->calls.v[0].env;
		struct env_cube cube = env_all(ARCH_BIT(ARCH_X86_64) | ARCH_BIT(ARCH_I386)), yes,
				no;
		while (env_decide(c, &cube) < 0) {
			env_split(c, &cube, &yes, &no);
			assert_true(yes.hosts && no.hosts && yes.first <= yes.last &&
				    no.first <= no.last);
			cube = rnd(2) ? yes : no;
		}
		decided++;
		for (unsigned k = 0; k < 10; k++) {
			struct environment env = { .kernel = k ? cube.last : cube.first };
			env.caps = (cube.caps | (rnd(2) ? ~UINT64_C(0) : rnd(1u << 31))) &
				   ~cube.no_caps;
			do
				env.host = (enum arch)rnd(ARCH_NR);
			while (!(cube.hosts & ARCH_BIT(env.host)));
			assert_int_equal(env_holds(c, &env), env_decide(c, &cube));
		}
	}
	assert_true(decided > 1000);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(kept_means_each_environment),
		TEST(the_known_part_is_settled),
		TEST(rules_clash_in_some_environment_only),
		TEST(a_box_is_decided_as_its_members),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

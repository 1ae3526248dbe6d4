/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Every value of every argument, as spell() writes it, is a value of the language there, and
 * that one: a rule with the text matches calls with the value and no others.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "compiler/policy/policy.h"
#include "compiler/policy/spell.h"
#include "grammar/parse.h"

enum { VALUES = 12 };

static uint64_t random_state = 88172645463325252u;

static uint64_t rnd(void)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	return random_state ^= random_state << 17;
}

/* Small and large, single bits, and two constants of the domain joined. */
static uint64_t some_value(const struct spell_as *as, unsigned i)
{
	const struct domain_info *dom = as->domain ? domain_find(as->domain) : NULL;
	uint64_t v = rnd();

	if (i < 2)
		return i ? UINT64_MAX : 0;
	if (dom && dom->rows && i > 4)
		return constant_at(dom->first + v % dom->rows).value[as->arch] |
		       (i & 1 ? constant_at(dom->first + (v >> 32) % dom->rows).value[as->arch] :
				0);
	return v >> (v & 63);
}

static uint64_t width_of(unsigned width, uint64_t v)
{
	return width >= 64 ? v : v & ((UINT64_C(1) << width) - 1);
}

/* What the rule on `arg` of the call lets through, asked of the specification. */
static void check_rule(struct arena *a, const struct syscall_info *s, enum arch arch, unsigned arg,
		       const struct spell_as *as, const uint64_t values[VALUES])
{
	struct sources *sources = sources_new(a);
	struct diags *ds = diags_new(a, sources);
	struct resolve_options opt = { 0 };
	const char *name = syscall_args(s, arch, &(unsigned){ 0 })[arg].name;
	BUF_AUTO b = { 0 };

	buf_printf(&b,
		   "policy p { arch %s; default errno EPERM; errno ENOSYS socketcall, ipc; "
		   "allow %s(%s in {",
		   arch_info(arch)->name, s->name, name);
	for (unsigned i = 0; i < VALUES; i++) {
		struct spelling text;
		spell(as, values[i], &text);
		buf_puts(&b, i ? ", " : "");
		spell_text(&b, &text);
	}
	buf_puts(&b, "}); }");
	struct source *src = source_add(sources, "test", (struct str){ b.p, b.n });
	struct policies *all = policy_resolve(a, pale_parse_source(a, src, ds), &opt, ds);
	for (size_t i = 0; i < ds->list.n; i++)
		if (ds->list.v[i]->severity == SEVERITY_ERROR &&
		    !strstr(ds->list.v[i]->text, "socketcall") &&
		    !strstr(ds->list.v[i]->text, "'ipc'"))
			fail_msg("%s: %s", b.p, ds->list.v[i]->text);
	for (unsigned i = 0; i < 2 * VALUES; i++) {
		uint64_t v = width_of(as->width,
				      values[i / 2] ^ (i & 1 ? UINT64_C(1) << (i % as->width) : 0));
		bool listed = false;
		for (unsigned k = 0; k < VALUES; k++)
			listed |= width_of(as->width, values[k]) == v;
		struct call c = { .audit_arch = arch_info(arch)->audit,
				  .nr = arch_info(arch)->nr_base + (uint32_t)s->nr[arch] };
		c.args[arg] = v;
		enum verdict_kind got = policy_eval(all->list.v[0], &c, NULL).kind;
		if ((got == VERDICT_ALLOW) != listed)
			fail_msg("%s: %#llx", b.p, (unsigned long long)v);
	}
}

static size_t check_call(const struct syscall_info *s, enum arch arch)
{
	unsigned nargs = 0;
	const struct arg_info *args = syscall_args(s, arch, &nargs);
	size_t n = 0;

	for (unsigned i = 0; i < nargs; i++) {
		struct spell_as as = spell_argument(&args[i], arch);
		uint64_t values[VALUES];
		if (as.kind == ARG_POINTER)
			continue;
		for (unsigned k = 0; k < VALUES; k++)
			values[k] = some_value(&as, k);
		struct arena *a = arena_new(NULL);
		check_rule(a, s, arch, i, &as, values);
		arena_free(a);
		n++;
	}
	return n;
}

static void what_is_spelled_reads_back(void **state)
{
	size_t n = 0;

	(void)state;
	for (size_t i = 0; i < syscall_count(); i++)
		for (unsigned a = 0; a < ARCH_NR; a += 4) /* x86_64, arm, mips64el */
			if (syscall_at(i)->nr[a] >= 0)
				n += check_call(syscall_at(i), (enum arch)a);
	assert_true(n > 1000);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(what_is_spelled_reads_back) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}

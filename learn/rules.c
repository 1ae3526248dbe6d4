/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "compiler/base/bug.h"
#include "compiler/policy/policy.h"
#include "learn/model.h"
#include "learn/record/address.h"

#define SAME(x) ((int)TRACE_##x == (int)PERM_##x)
_Static_assert(SAME(R) && SAME(W) && SAME(A) && SAME(L) && SAME(K) && SAME(M) && SAME(X),
	       "the kernel half and policies write permissions alike");
_Static_assert(TRACE_VALUES == RECORDING_VALUES_MAX, "one bound for both backends");

_Static_assert(TRACE_NRS == RECORDING_NRS, "and one for the numbers of calls");

#define TRACE_0 0 /* the tables say 0 for none */

static const struct {
	const char *call;
	struct trace_rule rule;
} rows[] = {
#define RULE(call, op, fd0, path0, perms0, flags0, fd1, path1, perms1, flags1, at)                 \
	{ #call,                                                                                   \
	  { TRACE_OP_##op,                                                                         \
	    { fd0, fd1 },                                                                          \
	    { path0, path1 },                                                                      \
	    { TRACE_##perms0, TRACE_##perms1 },                                                    \
	    { TRACE_##flags0, TRACE_##flags1 },                                                    \
	    at } },
#include "learn/rules.def"
#undef RULE
};

_Static_assert(ARRAY_SIZE(rows) < TRACE_RULES, "rule numbers fit their table");

int abi_arch(unsigned abi)
{
	int native = arch_native();

	if (abi == TRACE_NATIVE)
		return native;
	if (native != ARCH_X86_64)
		return -1;
	return abi == TRACE_X32 ? ARCH_X32 : ARCH_I386;
}

static uint8_t rule_of(const struct syscall_info *s, enum arch a)
{
	/* i386's mmap takes a pointer to its arguments, which are mmap2's: rules_selected(). */
	if (a == ARCH_I386 && !strcmp(s->name, "mmap"))
		return 0;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		if (!strcmp(rows[i].call, s->name))
			return (uint8_t)(i + 1);
	return 0;
}

static uint8_t address_of(const char *call)
{
	static const struct {
		const char *call;
		uint8_t address;
	} calls[] = { { "bind", ADDRESS_BIND + 1 },
		      { "connect", ADDRESS_CONNECT + 1 },
		      { "sendto", TRACE_SENDTO },
		      { "sendmsg", TRACE_SENDMSG },
		      { "sendmmsg", TRACE_SENDMMSG } };

	for (size_t i = 0; i < ARRAY_SIZE(calls); i++)
		if (!strcmp(calls[i].call, call))
			return calls[i].address;
	return 0;
}

#define FOLLOWED 0
#define KEPT     TRACE_NAMES_KEPT
#define BASE     TRACE_NAMES_BASE

/* Which of its names may lead by another process, as a row of names.def or of rules.def says. */
static void fill_names(struct trace_call *c, const char *call)
{
	static const struct {
		const char *call;
		int8_t dir;
		uint8_t name, last;
		int8_t at;
	} named[] = {
#define NAMED(call, dir, name, last, at) { #call, dir, name, last, at },
#include "learn/names.def"
#undef NAMED
	};
	const struct trace_rule *r = c->rule ? &rows[c->rule - 1].rule : NULL;

	c->names_at = c->names_dir = -1;
	for (size_t i = 0; i < ARRAY_SIZE(named); i++)
		if (!strcmp(named[i].call, call)) {
			c->names =
				(uint8_t)((named[i].name ? TRACE_NAMES_SECOND : TRACE_NAMES_FIRST) |
					  named[i].last);
			c->names_at = named[i].at;
			c->names_dir = named[i].dir;
		}
	/* What opens, and readlink, are looked at when they have ended. */
	if (!r || r->path[0] < 0 || r->path[0] > 1 ||
	    (r->op != TRACE_OP_PATH && r->op != TRACE_OP_RENAME && r->op != TRACE_OP_LINK &&
	     r->op != TRACE_OP_EXEC && r->op != TRACE_OP_MOUNT && r->op != TRACE_OP_UMOUNT))
		return;
	c->names = r->path[0] ? TRACE_NAMES_SECOND : TRACE_NAMES_FIRST;
	if (r->op == TRACE_OP_PATH || r->op == TRACE_OP_EXEC)
		c->names_at = r->at;
	if (r->op != TRACE_OP_EXEC && !(r->flags[0] & TRACE_FOLLOW))
		c->names |= TRACE_NAMES_KEPT;
}

static void fill_call(struct trace_call *c, const struct syscall_info *s, enum arch a, uint32_t nr)
{
	unsigned nargs;
	const struct arg_info *args = syscall_args(s, a, &nargs);

	c->args = (uint8_t)recording_args(a, nr);
	c->in = recording_args_in(a, nr) != NULL;
	c->address = address_of(s->name);
	c->only = (uint8_t)(recording_args_if(a, nr) + 1);
	c->of = (uint8_t)(recording_args_of(a, nr) + 1);
	for (unsigned i = 0; i < nargs; i++)
		if (args[i].width == 64 && a != ARCH_I386)
			c->wide |= (uint8_t)(1u << i);
	c->rule = rule_of(s, a);
	c->tuple = !strcmp(s->name, "socket") || !strcmp(s->name, "socketpair") ? TRACE_TUPLE : 0;
	if (c->rule && trace_is_early(rows[c->rule - 1].rule.op))
		c->tuple |= TRACE_EARLY;
	fill_names(c, s->name);
	if (!strcmp(s->name, "socketcall"))
		c->tuple |= TRACE_PACKED_ARGS;
	if (a == ARCH_I386 && !strcmp(s->name, "mmap"))
		c->tuple |= TRACE_PACKED_ALL;
}

unsigned rules_selected(uint64_t selector)
{
	int a = abi_arch(TRACE_COMPAT);
	const char *name = NULL;
	const struct syscall_info *s;

	if (a >= 0 && selector < TRACE_SELECTORS)
		name = selector ? multiplexed_call(STR("socketcall"), (unsigned)selector) : "mmap2";
	s = name ? syscall_by_name(str_c(name)) : NULL;
	return s && s->nr[a] >= 0 && s->nr[a] < TRACE_NRS ?
		       TRACE_COMPAT * TRACE_NRS + (unsigned)s->nr[a] :
		       0;
}

void rules_of(enum arch a, uint32_t nr, struct trace_call *call, struct trace_rule *rule)
{
	const struct syscall_info *s = syscall_by_nr(a, nr);

	*call = (struct trace_call){ 0 };
	*rule = (struct trace_rule){ 0 };
	if (!s)
		return;
	fill_call(call, s, a, nr);
	if (call->rule)
		*rule = rows[call->rule - 1].rule;
}

void rules_fill(struct trace_call calls[TRACE_CALLS], struct trace_rule rules[TRACE_RULES])
{
	memset(calls, 0, TRACE_CALLS * sizeof(*calls));
	memset(rules, 0, TRACE_RULES * sizeof(*rules));
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		rules[i + 1] = rows[i].rule;
	for (unsigned abi = 0; abi < TRACE_ABIS; abi++) {
		int a = abi_arch(abi);

		if (a < 0)
			continue;
		for (uint32_t nr = 0; nr < TRACE_NRS; nr++) {
			const struct syscall_info *s = syscall_by_nr((enum arch)a, nr);

			if (s)
				fill_call(&calls[abi * TRACE_NRS + nr], s, (enum arch)a, nr);
		}
	}
}

bool rules_make_task(const char *name)
{
	return !strcmp(name, "clone") || !strcmp(name, "clone3") || !strcmp(name, "fork") ||
	       !strcmp(name, "vfork");
}

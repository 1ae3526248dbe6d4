/* SPDX-License-Identifier: Apache-2.0 */
/* Calls of the command line: `socket(AF_VSOCK, type = SOCK_STREAM)` to numbers. */
#include <string.h>

#include "compiler/base/bug.h"
#include "compiler/policy/resolve.h"
#include "grammar/parse.h"

static bool find_call(struct resolver *r, const struct ast_call_args *c, enum arch arch,
		      struct written_call *out)
{
	uint32_t base = arch_info(arch)->nr_base;
	struct diag *d;

	out->call.audit_arch = arch_info(arch)->audit;
	if (c->by_number) {
		out->call.nr = (uint32_t)c->number + base;
		if (c->number <= UINT32_MAX - base)
			return true;
		resolve_report(r, DIAG_PL120, c->name.span,
			       "value out of range: numbers of calls have 32 bits");
		return false;
	}
	out->sys = syscall_by_name(c->name.text);
	if (!out->sys) {
		resolve_unknown_call(r, &c->name);
		return false;
	}
	if (out->sys->nr[arch] < 0) {
		d = resolve_report(r, DIAG_PL116, c->name.span, "'%s' does not exist on %s",
				   out->sys->name, arch_info(arch)->name);
		diag_help(r->ds, d, "give --arch with one that has it");
		return false;
	}
	out->call.nr = (uint32_t)out->sys->nr[arch] + base;
	return true;
}

/* Names of no domain of the table, which people write where strace does. */
static const struct {
	const char *name;
	uint64_t number;
	bool negative;
} others[] = { { "NULL", 0, false },
	       { "AT_FDCWD", 100, true },
	       { "FD_CLOEXEC", 1, false },
	       { "FUTEX_BITSET_MATCH_ANY", UINT32_MAX, false } };

static void read_others(struct ast_value *v)
{
	for (; v->kind == AST_VALUE_OR; v = v->left)
		read_others(v->right);
	for (size_t i = 0; v->kind == AST_VALUE_NAME && i < ARRAY_SIZE(others); i++) {
		if (!str_is(v->text, others[i].name))
			continue;
		v->kind = AST_VALUE_NUMBER;
		v->number = others[i].number;
		v->negative = others[i].negative;
	}
}

/* Beside clone's flags stands the signal of the child's end, in the low byte (clone(2)). */
static void read_signal(struct ast_value *v, enum arch arch)
{
	uint64_t number;

	for (; v->kind == AST_VALUE_OR; v = v->left)
		read_signal(v->right, arch);
	if (v->kind != AST_VALUE_NAME || constant_find("signal", v->text, arch, &number) < 0)
		return;
	v->kind = AST_VALUE_NUMBER;
	v->number = number;
}

/* 1 and *value; 0: something behind a pointer, which is not compared; -1, told. */
static int read_value(struct resolver *r, const struct ast_call_args *c, unsigned i,
		      struct operand *o, uint64_t *value)
{
	struct ast_value *v = c->args[i].value;
	struct diag *d;

	if (!v && o->domain) {
		d = resolve_report(r, DIAG_PL118, c->args[i].name.span,
				   "'%s' of '%s' is no pointer: a text means nothing here", o->name,
				   o->call);
		diag_help(r->ds, d, "write a constant or the number");
		return -1;
	}
	if (!v)
		return 0;
	if (!o->domain)
		read_others(v);
	if (!o->domain && o->kind != ARG_FD)
		o->kind = ARG_POLY; /* its constants are those of any domain */
	if (o->domain && !strcmp(o->domain, "clone"))
		read_signal(v, o->arch);
	return value_resolve(r, o, v, value) ? 1 : -1;
}

static bool read_argument(struct resolver *r, const struct ast_call_args *c, unsigned i,
			  enum arch arch, struct written_call *out)
{
	struct operand o = { .call = "the call",
			     .arch = arch,
			     .kind = ARG_POLY,
			     .width = (uint8_t)arch_info(arch)->bits };
	const struct ast_word *name = &c->args[i].name;
	unsigned n = 0;
	int arg = (int)i;
	uint64_t value;

	if (out->sys) {
		const struct arg_info *args = syscall_args(out->sys, arch, &n);
		o.call = out->sys->name;
		if (name->text.n)
			arg = syscall_arg_find(out->sys, arch, name->text);
		if (arg >= 0 && (unsigned)arg < n) {
			o.name = args[arg].name;
			o.kind = args[arg].kind == ARG_POINTER ? ARG_NUMBER : args[arg].kind;
			o.domain = args[arg].domain;
			o.is_signed = args[arg].is_signed;
			/* Pointers have no width in the table. */
			if (args[arg].kind != ARG_POINTER && args[arg].width < o.width)
				o.width = args[arg].width;
		}
	} else if (name->text.n) {
		arg = name->text.n == 4 && str_starts(name->text, "arg") ? name->text.p[3] - '0' :
									   -1;
	}
	if (arg < 0 || arg > 5) {
		resolve_report(r, DIAG_PL117, name->span, "'%s' has no argument '" PRISTR "' on %s",
			       o.call, WORD(*name), arch_info(arch)->name);
		return false;
	}
	if (!o.name)
		o.name = arena_printf(r->arena, "arg%d", arg);
	int known = read_value(r, c, i, &o, &value);
	if (known <= 0)
		return !known;
	out->call.args[arg] = value;
	out->given |= 1u << arg;
	return true;
}

int policy_call_read(struct arena *a, const struct ast_call_args *c, enum arch arch,
		     struct written_call *out, struct diags *ds)
{
	struct policy none = { .arches = ARCH_BIT(arch) };
	struct resolver r = { .arena = a, .ds = ds, .p = &none, .listed = ARCH_BIT(arch) };
	bool ok;

	*out = (struct written_call){ 0 };
	ok = find_call(&r, c, arch, out);
	for (unsigned i = 0; ok && i < c->nargs; i++)
		ok &= read_argument(&r, c, i, arch, out);
	return ok ? 0 : -1;
}

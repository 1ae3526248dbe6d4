/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Conditions: names to arguments of one architecture, types, and the lowering of sets, ranges
 * and bit tests to masked comparisons.
 */
#include "compiler/base/bug.h"
#include "compiler/policy/resolve.h"

/* ---- building ---- */

const struct cond *cond_new_cmp(struct arena *a, struct cmp cmp)
{
	struct cond *c = ARENA_NEW(a, struct cond);

	c->kind = COND_CMP;
	c->cmp = cmp;
	return c;
}

const struct cond *cond_new_join(struct arena *a, enum cond_kind kind, const struct cond *l,
				 const struct cond *r)
{
	if (!l || !r)
		return l ? l : r;
	struct cond *c = ARENA_NEW(a, struct cond);
	c->kind = kind;
	c->left = l;
	c->right = r;
	return c;
}

/* Balanced, so that a set of thousands does not become a recursion of thousands. */
static const struct cond *join_all(struct arena *a, enum cond_kind kind,
				   const struct cond *const *v, size_t n)
{
	if (n <= 1)
		return n ? v[0] : NULL;
	return cond_new_join(a, kind, join_all(a, kind, v, n / 2),
			     join_all(a, kind, v + n / 2, n - n / 2));
}

/* ---- operands ---- */

static bool numbered_operand(struct resolver *r, const struct cond_site *site,
			     const struct ast_cond *c, struct operand *o)
{
	struct str t = c->arg.text;

	if (t.n != 4 || !str_starts(t, "arg") || t.p[3] < '0' || t.p[3] > '5') {
		struct diag *d =
			resolve_report(r, DIAG_PL117, c->arg.span,
				       "%s has no argument '" PRISTR "'", site->name, WORD(c->arg));
		diag_help(r->ds, d, "a call written by its number has arg0 to arg5");
		return false;
	}
	o->arg = (uint8_t)(t.p[3] - '0');
	o->kind = ARG_NUMBER;
	o->width = (uint8_t)arch_info(site->arch)->bits;
	return true;
}

static bool report_argument(struct resolver *r, const struct cond_site *site,
			    const struct ast_cond *c, const struct arg_info *args, unsigned n)
{
	struct diag *d = resolve_report(r, DIAG_PL117, c->arg.span,
					"'%s' has no argument '" PRISTR "' on %s", site->name,
					WORD(c->arg), arch_info(site->arch)->name);
	BUF_AUTO names = { 0 };
	struct suggest s;

	diag_suggest_start(r->ds, &s, c->arg.text);
	for (unsigned i = 0; i < n; i++) {
		suggest_offer(&s, str_c(args[i].name));
		if (args[i].alias)
			suggest_offer(&s, str_c(args[i].alias));
		buf_printf(&names, "%s%s", i ? ", " : "",
			   args[i].alias ? args[i].alias : args[i].name);
	}
	if (diag_suggest(r->ds, d, c->arg.span, &s))
		return false;
	if (n)
		diag_help(r->ds, d, "it has %s", names.p);
	else
		diag_help(r->ds, d, "it takes no arguments");
	return false;
}

/*
 * Behind `reg`, arg0 to arg5 count registers, as foreign filters do: for prctl, whose second
 * parameter the kernel calls arg2, `reg arg2` is the third register.
 */
static int find_register(const struct cond_site *site, struct str name)
{
	if (name.n == 4 && str_starts(name, "arg") && name.p[3] >= '0' && name.p[3] <= '5')
		return name.p[3] - '0';
	return syscall_arg_find(site->sys, site->arch, name);
}

static bool find_operand(struct resolver *r, const struct cond_site *site, const struct ast_cond *c,
			 struct operand *o)
{
	unsigned n;

	*o = (struct operand){ .call = site->name, .arch = site->arch, .reg = c->reg };
	o->name = str_dup(r->arena, c->arg.text);
	if (!site->sys) {
		if (!numbered_operand(r, site, c, o))
			return false;
	} else {
		const struct arg_info *args = syscall_args(site->sys, site->arch, &n);
		int i = c->reg ? find_register(site, c->arg.text) :
				 syscall_arg_find(site->sys, site->arch, c->arg.text);
		if (i < 0 || ((unsigned)i >= n && !c->reg))
			return report_argument(r, site, c, args, n);
		o->arg = (uint8_t)i;
		if ((unsigned)i < n) {
			o->kind = args[i].kind;
			o->domain = args[i].domain;
			o->width = args[i].width;
			o->is_signed = args[i].is_signed;
			o->enum_mask = args[i].enum_mask;
		}
	}
	if (c->reg) {
		o->kind = ARG_NUMBER;
		o->width = 64;
		o->is_signed = false;
	} else if (o->width > arch_info(site->arch)->bits) {
		o->width = (uint8_t)arch_info(site->arch)->bits;
		o->narrowed = true;
	}
	return true;
}

static bool refuse_pointer(struct resolver *r, const struct cond_site *site,
			   const struct ast_cond *c)
{
	struct diag *d = resolve_report(r, DIAG_PL121, c->arg.span,
					"'" PRISTR "' of '%s' is a pointer: a filter sees the "
					"address, not what stands there, and another thread may "
					"change that after the check",
					WORD(c->arg), site->name);
	diag_help(r->ds, d,
		  "decide by another argument, or by a layer that sees objects ('file', "
		  "'network'); 'reg " PRISTR "' compares the address itself",
		  WORD(c->arg));
	return false;
}

/* ---- bit tests ---- */

static bool is_bit_test(enum ast_cmp op)
{
	return op == AST_CMP_HAS || op == AST_CMP_HAS_ANY || op == AST_CMP_LACKS;
}

static bool refuse_bits(struct resolver *r, const struct operand *o, struct span sp)
{
	const char *kind = o->kind == ARG_FD ? "a file descriptor" : "an enumeration";
	struct diag *d = resolve_report(r, DIAG_PL122, sp,
					"'%s' of '%s' is %s: its bits mean nothing one by one",
					o->name, o->call, kind);

	diag_help(r->ds, d, "compare the value: '%s == ...' or '%s in {...}'", o->name, o->name);
	return false;
}

/* Of an enumeration under flags, bits may be tested among the flags only. */
static bool refuse_enum_part(struct resolver *r, const struct operand *o, struct span sp)
{
	const char *mask = constant_name(o->domain, o->enum_mask, o->arch);
	struct diag *d = resolve_report(r, DIAG_PL122, sp,
					"the low part of '%s' of '%s' is an "
					"enumeration: its bits mean nothing one by one",
					o->name, o->call);

	if (mask)
		diag_help(r->ds, d, "write '(%s & %s) == ...'", o->name, mask);
	else
		diag_help(r->ds, d, "write '(%s & 0x%llx) == ...'", o->name,
			  (unsigned long long)o->enum_mask);
	return false;
}

static bool check_bits(struct resolver *r, const struct operand *o, struct span sp, uint64_t bits)
{
	if (o->kind == ARG_ENUM || o->kind == ARG_FD)
		return refuse_bits(r, o, sp);
	if (o->kind == ARG_ENUM_FLAGS && bits & o->enum_mask)
		return refuse_enum_part(r, o, sp);
	return true;
}

static const struct cond *lower_bits(struct resolver *r, const struct operand *o,
				     const struct ast_cond *c)
{
	static const char *const tells[AST_CMP_NR] = {
		[AST_CMP_HAS] = "'has 0' holds for every value",
		[AST_CMP_HAS_ANY] = "'has any 0' holds for no value",
		[AST_CMP_LACKS] = "'lacks 0' holds for every value",
	};
	uint64_t v;

	if (!value_resolve(r, o, c->values, &v))
		return NULL;
	if (c->values->next || c->mask) {
		resolve_report(r, DIAG_PL125, c->span, "a bit test takes one value and no mask");
		return NULL;
	}
	if (!v) {
		struct diag *d = resolve_report(r, DIAG_PL123, c->values->span, "%s", tells[c->op]);
		diag_help(r->ds, d, "to ask that no flag is set, write '%s == 0'", o->name);
		return NULL;
	}
	if (!check_bits(r, o, c->op_span.source == SOURCE_NONE ? c->span : c->op_span, v))
		return NULL;
	struct cmp cmp = { .arg = o->arg, .width = o->width, .mask = v };
	cmp.op = c->op == AST_CMP_HAS_ANY ? CMP_NE : CMP_EQ;
	cmp.value = c->op == AST_CMP_HAS ? v : 0;
	return cond_new_cmp(r->arena, cmp);
}

/* ---- values ---- */

static bool find_mask(struct resolver *r, const struct operand *o, const struct ast_cond *c,
		      uint64_t *mask)
{
	*mask = width_mask(o->width);
	if (!c->mask)
		return true;
	if (!value_resolve(r, o, c->mask, mask))
		return false;
	if (!*mask) {
		resolve_report(r, DIAG_PL123, c->mask->span,
			       "a mask of 0 leaves nothing to compare");
		return false;
	}
	if (o->kind == ARG_ENUM_FLAGS && (*mask & o->enum_mask) == o->enum_mask)
		return true;
	return check_bits(r, o, c->mask->span, *mask);
}

/* `type == SOCK_STREAM` compares SOCK_CLOEXEC's bit, too: legal, and seldom what is meant. */
static void warn_whole_value(struct resolver *r, const struct cond_site *site,
			     const struct operand *o, const struct ast_cond *c, uint64_t v)
{
	if (o->kind != ARG_ENUM_FLAGS || c->mask || v & ~o->enum_mask)
		return;
	if (c->op != AST_CMP_EQ && c->op != AST_CMP_NE && c->op != AST_CMP_IN)
		return;
	struct diag *d = resolve_report(r, DIAG_PL124, c->span,
					"this compares the flags of '%s' "
					"as well: with a flag set it is another value",
					o->name);
	const char *mask = constant_name(o->domain, o->enum_mask, o->arch);
	diag_help(r->ds, d, "write '(%s & %s) %s ...' to look at the enumeration alone", o->name,
		  mask ? mask : "MASK", c->op == AST_CMP_NE ? "!=" : "==");
	/* Where it allows it is merely tight; where it refuses, a flag walks around it. */
	if (!verdict_refuses(site->verdict) && c->op != AST_CMP_NE)
		diag_severity(r->ds, d, SEVERITY_INFO);
}

static bool check_mask(struct resolver *r, const struct cmp *cmp, const struct ast_cond *c,
		       struct span sp)
{
	if (!(cmp->value & ~cmp->mask) || !c->mask)
		return true;
	struct diag *d = resolve_report(r, DIAG_PL125, sp,
					"this value has bits that the mask takes "
					"away: the comparison %s",
					cmp->op == CMP_NE ? "always holds" : "never holds");
	diag_help(r->ds, d, "the value must lie within the mask 0x%llx",
		  (unsigned long long)cmp->mask);
	return false;
}

static int64_t extend(uint64_t v, unsigned width)
{
	uint64_t sign = UINT64_C(1) << (width - 1);

	return (int64_t)((v ^ sign) - sign);
}

/*
 * What a mask leaves is a number without a sign. Where the sign bit of a signed argument is in
 * the mask or the value, smaller and larger would mean something else with it.
 */
static bool check_masked_order(struct resolver *r, const struct operand *o,
			       const struct ast_cond *c, const struct cmp *cmp, uint64_t v,
			       struct span sp)
{
	uint64_t sign = UINT64_C(1) << (o->width - 1);

	if (!o->is_signed || !c->mask || !((cmp->mask | v) & sign))
		return true;
	struct diag *d = resolve_report(r, DIAG_PL125, sp,
					"'%s' is signed, what a mask leaves of it "
					"is not, and the sign bit is in the %s",
					o->name, cmp->mask & sign ? "mask" : "value");
	diag_help(r->ds, d, "compare the argument without a mask, or leave the sign bit out");
	return false;
}

static const struct cond *lower_range(struct resolver *r, const struct operand *o,
				      const struct ast_cond *c, struct cmp cmp,
				      const struct ast_value *v)
{
	uint64_t lo, hi;
	bool ok = value_resolve(r, o, v->left, &lo);

	if (!value_resolve(r, o, v->right, &hi) || !ok)
		return NULL;
	if (!check_masked_order(r, o, c, &cmp, lo, v->left->span) ||
	    !check_masked_order(r, o, c, &cmp, hi, v->right->span))
		return NULL;
	if (cmp.is_signed ? extend(lo, o->width) > extend(hi, o->width) : lo > hi) {
		struct diag *d = resolve_report(r, DIAG_PL125, v->span,
						"this range is empty: it ends before it begins");
		diag_help(r->ds, d, "write the smaller value first");
		return NULL;
	}
	cmp.op = CMP_GE;
	cmp.value = lo;
	const struct cond *from = cond_new_cmp(r->arena, cmp);
	cmp.op = CMP_LE;
	cmp.value = hi;
	return cond_new_join(r->arena, COND_AND, from, cond_new_cmp(r->arena, cmp));
}

static void push_part(struct resolver *r, const struct cond *c)
{
	vec_push_own(r->arena, &r->parts, c);
}

/* Those of r->parts from `first` on, which are taken away; NULL: one is missing. */
static const struct cond *join_parts(struct resolver *r, enum cond_kind kind, size_t first)
{
	size_t n = r->parts.n - first;
	bool ok = true;

	r->parts.n = first;
	for (size_t i = 0; i < n; i++)
		ok &= r->parts.v[first + i] != NULL;
	return ok ? join_all(r->arena, kind, r->parts.v + first, n) : NULL;
}

static const struct cond *lower_set(struct resolver *r, const struct cond_site *site,
				    const struct operand *o, const struct ast_cond *c,
				    struct cmp cmp)
{
	size_t first = r->parts.n;

	for (const struct ast_value *v = c->values; v; v = v->next) {
		const struct cond *one = NULL;
		struct cmp eq = cmp;
		if (r->parts.n - first >= VALUES_MAX) {
			r->parts.n = first;
			resolve_too_large(r, v->span, VALUES_MAX, "values in one set",
					  "write ranges: 'in {0..9, 20..29}'");
			return NULL;
		}
		eq.op = CMP_EQ;
		eq.is_signed = false;
		if (v->kind == AST_VALUE_RANGE) {
			one = lower_range(r, o, c, cmp, v);
		} else if (value_resolve(r, o, v, &eq.value) && check_mask(r, &eq, c, v->span)) {
			warn_whole_value(r, site, o, c, eq.value);
			one = cond_new_cmp(r->arena, eq);
		}
		push_part(r, one);
	}
	return join_parts(r, COND_OR, first);
}

static const struct cond *lower_order(struct resolver *r, const struct cond_site *site,
				      const struct operand *o, const struct ast_cond *c,
				      struct cmp cmp)
{
	static const enum cmp_op ops[AST_CMP_NR] = {
		[AST_CMP_EQ] = CMP_EQ, [AST_CMP_NE] = CMP_NE, [AST_CMP_LT] = CMP_LT,
		[AST_CMP_LE] = CMP_LE, [AST_CMP_GT] = CMP_GT, [AST_CMP_GE] = CMP_GE,
	};

	if (!value_resolve(r, o, c->values, &cmp.value))
		return NULL;
	cmp.op = ops[c->op];
	bool equality = cmp.op == CMP_EQ || cmp.op == CMP_NE;
	if (equality ? !check_mask(r, &cmp, c, c->values->span) :
		       !check_masked_order(r, o, c, &cmp, cmp.value, c->values->span))
		return NULL;
	warn_whole_value(r, site, o, c, cmp.value);
	if (equality)
		cmp.is_signed = false;
	return cond_new_cmp(r->arena, cmp);
}

static const struct cond *lower_cmp(struct resolver *r, const struct cond_site *site,
				    const struct ast_cond *c)
{
	struct operand o;
	struct cmp cmp = { 0 };

	if (!find_operand(r, site, c, &o))
		return NULL;
	if (o.kind == ARG_POINTER && !c->reg) {
		refuse_pointer(r, site, c);
		return NULL;
	}
	if (!c->values) { /* the parser saw an error there */
		resolve_report(r, DIAG_PL125, c->span, "this comparison has no value");
		return NULL;
	}
	if (is_bit_test(c->op))
		return lower_bits(r, &o, c);
	cmp.arg = o.arg;
	cmp.width = o.width;
	cmp.is_signed = o.is_signed && !c->mask;
	if (!find_mask(r, &o, c, &cmp.mask))
		return NULL;
	return c->op == AST_CMP_IN ? lower_set(r, site, &o, c, cmp) :
				     lower_order(r, site, &o, c, cmp);
}

/* ---- the tree ---- */

static const struct cond *lower(struct resolver *r, const struct cond_site *site,
				const struct ast_cond *c);

/* A chain of one connective leans to the left and may be long: no recursion along it. */
static const struct cond *lower_chain(struct resolver *r, const struct cond_site *site,
				      const struct ast_cond *c)
{
	enum ast_cond_kind kind = c->kind;
	size_t first = r->parts.n;

	for (; c->kind == kind; c = c->left)
		push_part(r, lower(r, site, c->right));
	push_part(r, lower(r, site, c));
	return join_parts(r, kind == AST_COND_AND ? COND_AND : COND_OR, first);
}

static const struct cond *lower(struct resolver *r, const struct cond_site *site,
				const struct ast_cond *c)
{
	const struct cond *inner;

	switch (c->kind) {
	case AST_COND_CMP: return lower_cmp(r, site, c);
	case AST_COND_AND:
	case AST_COND_OR: return lower_chain(r, site, c);
	case AST_COND_NOT:
		inner = lower(r, site, c->left);
		if (!inner)
			return NULL;
		struct cond *not = ARENA_NEW(r->arena, struct cond);
		not ->kind = COND_NOT;
		not ->left = inner;
		return not ;
	}
	BUG("ast_cond_kind");
}

bool cond_resolve(struct resolver *r, const struct cond_site *site, const struct ast_cond *c,
		  const struct cond **out)
{
	*out = NULL;
	if (!c)
		return true;
	*out = lower(r, site, c);
	return *out != NULL;
}

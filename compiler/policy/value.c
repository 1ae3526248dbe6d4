/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Written values to numbers: constants by the domain of what they are compared with, numbers
 * by its width and sign.
 */
#include <errno.h>

#include "compiler/base/bug.h"
#include "compiler/policy/resolve.h"

uint64_t width_mask(unsigned width)
{
	return width >= 64 ? UINT64_MAX : (UINT64_C(1) << width) - 1;
}

static const char *where(struct resolver *r, const struct operand *o)
{
	/* Without the architecture: what is wrong on all of them is said once. */
	return o->reg ? arena_printf(r->arena, "the register of '%s'", o->name) :
			arena_printf(r->arena, "'%s' of '%s'", o->name, o->call);
}

static bool report_range(struct resolver *r, const struct operand *o, struct span sp,
			 struct str text, bool negative)
{
	struct diag *d = resolve_report(
		r, DIAG_PL120, sp,
		"value out of range: '" PRISTR
		"' does not fit %s, which is %s and %u bits wide%s%s",
		STRARG(text), where(r, o), o->is_signed ? "signed" : "unsigned", o->width,
		o->narrowed ? " on " : "", o->narrowed ? arch_info(o->arch)->name : "");
	uint64_t top = width_mask(o->width);

	if (negative && o->reg)
		diag_help(r->ds, d, "a register is compared as it is: write all 64 bits in hex");
	else if (o->is_signed)
		diag_help(r->ds, d, "it takes -%llu..%llu", (unsigned long long)(top / 2 + 1),
			  (unsigned long long)(top / 2));
	else
		diag_help(r->ds, d, "it takes 0..%llu", (unsigned long long)top);
	return false;
}

static bool is_bits(const struct operand *o)
{
	return o->kind == ARG_FLAGS || o->kind == ARG_ENUM_FLAGS;
}

static bool resolve_number(struct resolver *r, const struct operand *o, const struct ast_value *v,
			   uint64_t *out)
{
	uint64_t top = width_mask(o->width), half = top / 2 + 1;
	struct str text = span_text(r->ds->sources, v->span);

	if (!text.n)
		text = v->text;
	if (v->negative) {
		if (v->number && (!o->is_signed || v->number > half))
			return report_range(r, o, v->span, text, true);
		*out = (0 - v->number) & top;
		return true;
	}
	/* Flags are bits: the top one may be written whatever the declared sign. */
	if (v->number > (o->is_signed && !is_bits(o) ? half - 1 : top))
		return report_range(r, o, v->span, text, false);
	*out = v->number;
	return true;
}

/* A constant of the table is 64 bits wide; a negative one (AT_FDCWD) is sign-extended there. */
static bool fit_constant(struct resolver *r, const struct operand *o, const struct ast_value *v,
			 uint64_t value, uint64_t *out)
{
	uint64_t top = width_mask(o->width);
	bool negative = (value & ~top) == ~top && value >> (o->width - 1) & 1;

	if (value & ~top && !negative)
		return report_range(r, o, v->span, v->text, false);
	*out = value & top;
	return true;
}

/* Every domain that has this name: what a polymorphic argument may be compared with. */
static bool find_anywhere(struct str name, enum arch a, uint64_t *value)
{
	bool found = false;

	for (size_t i = 0; (i = constant_named(name, i)) != SIZE_MAX; i++) {
		const struct constant_row row = constant_at(i);
		if (!(row.arches & ARCH_BIT(a)))
			continue;
		if (found && row.value[a] != *value)
			return false;
		found = true;
		*value = row.value[a];
	}
	return found;
}

static const char *domain_with(struct resolver *r, struct str name, enum arch a)
{
	for (size_t i = 0; (i = constant_named(name, i)) != SIZE_MAX; i++) {
		const struct constant_row row = constant_at(i);
		if (row.arches & ARCH_BIT(a))
			return arena_printf(r->arena, "'%s'", row.domain);
	}
	return "another kind";
}

/* A suggestion in the letters the user writes: "inett" means "inet", not "INET". */
static void in_case_of(struct resolver *r, struct suggest *s)
{
	if (!s->best.p)
		return;
	for (size_t i = 0; i < s->word.n; i++)
		if (s->word.p[i] >= 'A' && s->word.p[i] <= 'Z')
			return;
	char *low = str_dup(r->arena, s->best);
	for (char *p = low; *p; p++)
		if (*p >= 'A' && *p <= 'Z')
			*p = (char)(*p + 'a' - 'A');
	s->best.p = low;
}

/* On which architectures, as words, the domain has this name; NULL: on none. */
static const char *name_elsewhere(struct resolver *r, const struct operand *o, struct str name)
{
	const char *list = NULL;
	uint64_t x;

	for (int a = 0; a < ARCH_NR; a++)
		if (constant_find(o->domain, name, (enum arch)a, &x) == 0)
			list = list ? arena_printf(r->arena, "%s, %s", list,
						   arch_info((enum arch)a)->name) :
				      arch_info((enum arch)a)->name;
	return list;
}

static bool report_name(struct resolver *r, const struct operand *o, const struct ast_value *v)
{
	struct suggest s;
	const char *elsewhere = name_elsewhere(r, o, v->text);
	struct diag *d;

	if (elsewhere) {
		d = resolve_report(r, DIAG_PL118, v->span, "'" PRISTR "' does not exist on %s",
				   STRARG(v->text), arch_info(o->arch)->name);
		diag_help(r->ds, d, "put the rule into 'when arch %s { ... }'", elsewhere);
		return false;
	}
	d = resolve_report(r, DIAG_PL118, v->span, "unknown constant '" PRISTR "' for %s",
			   STRARG(v->text), where(r, o));

	diag_suggest_start(r->ds, &s, v->text);
	constant_suggest(o->domain, &s);
	in_case_of(r, &s);
	if (!diag_suggest(r->ds, d, v->span, &s))
		diag_help(r->ds, d,
			  "'pale list constants' shows the names of '%s'; a number is legal too",
			  o->domain);
	return false;
}

static bool resolve_name(struct resolver *r, const struct operand *o, const struct ast_value *v,
			 uint64_t *out)
{
	uint64_t value;
	struct diag *d;

	if (!o->domain) {
		if ((o->kind == ARG_POLY || o->reg) && find_anywhere(v->text, o->arch, &value))
			return fit_constant(r, o, v, value, out);
		d = resolve_report(r, DIAG_PL118, v->span,
				   "%s has no named values: '" PRISTR "' means nothing here",
				   where(r, o), STRARG(v->text));
		diag_help(r->ds, d, "write the number");
		return false;
	}
	switch (constant_find(o->domain, v->text, o->arch, &value)) {
	case 0: return fit_constant(r, o, v, value, out);
	case -EXDEV:
		d = resolve_report(r, DIAG_PL119, v->span,
				   "'" PRISTR "' is a constant of %s, not of '%s', which %s takes",
				   STRARG(v->text), domain_with(r, v->text, o->arch), o->domain,
				   where(r, o));
		diag_help(r->ds, d,
			  "'pale list constants' shows the names of '%s'; where the "
			  "number is meant, write the number",
			  o->domain);
		return false;
	default: return report_name(r, o, v);
	}
}

bool value_resolve(struct resolver *r, const struct operand *o, const struct ast_value *v,
		   uint64_t *out)
{
	uint64_t all = 0, one = 0;
	bool ok = true;

	/* A|B|C leans to the left; walk down instead of recursing. */
	for (; v->kind == AST_VALUE_OR; v = v->left) {
		if (value_resolve(r, o, v->right, &one))
			all |= one;
		else
			ok = false;
	}
	switch (v->kind) {
	case AST_VALUE_NAME: ok &= resolve_name(r, o, v, &one); break;
	case AST_VALUE_NUMBER: ok &= resolve_number(r, o, v, &one); break;
	case AST_VALUE_RANGE:
		resolve_report(r, DIAG_PL125, v->span, "a range stands behind 'in' only");
		return false;
	case AST_VALUE_OR: BUG("value");
	}
	if (ok)
		*out = all | one;
	return ok;
}

bool value_word(struct resolver *r, const char *domain, const char *what, struct str text,
		struct span span, uint64_t *out)
{
	struct suggest s;

	/* Numbers that are not compared in a filter are those of this machine (limits, signals). */
	if (constant_find(domain, text, (enum arch)arch_native(), out) == 0 ||
	    str_u64(text, out) == 0)
		return true;
	struct diag *d =
		resolve_report(r, DIAG_PL136, span, "unknown %s '" PRISTR "'", what, STRARG(text));
	diag_suggest_start(r->ds, &s, text);
	constant_suggest(domain, &s);
	in_case_of(r, &s);
	if (!diag_suggest(r->ds, d, span, &s))
		diag_help(r->ds, d, "'pale list constants' shows the names of '%s'", domain);
	return false;
}

int resolve_capability(struct resolver *r, const struct ast_word *w)
{
	int cap = capability_find(w->text);
	struct suggest s;

	if (cap >= 0)
		return cap;
	diag_suggest_start(r->ds, &s, w->text);
	for (unsigned i = 0; i < CAPABILITY_NR; i++)
		suggest_offer(&s, str_c(capability_name(i)));
	struct diag *d =
		resolve_report(r, DIAG_PL135, w->span, "unknown capability '" PRISTR "'", WORD(*w));
	diag_suggest(r->ds, d, w->span, &s);
	return -1;
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Claims in words. A claim over several fields is told when it is the product of what it says
 * of each; a field is told as a few values, ranges, or a masked comparison. What has no short
 * form is not told at all: the witness stands for it.
 */
#include <stdio.h>
#include <string.h>

#include "compiler/base/bug.h"
#include "compiler/decision/compare.h"
#include "compiler/decision/dd.h"
#include "compiler/policy/spell.h"

enum { RANGES_TOLD = 6 };

struct field { /* one argument: `shift` upper bits are not looked at */
	enum dd_field f;
	unsigned bits;              /* told: the low ones */
	const struct arg_info *arg; /* NULL: nothing known */
	enum arch arch;
	const uint64_t *family; /* of the socket that the argument is for; NULL: not known */
	char name[24];
};

/* ---- values ---- */

static uint64_t sign_of(const struct field *f)
{
	return f->arg && f->arg->is_signed ? UINT64_C(1) << (f->bits - 1) : 0;
}

static uint64_t top(const struct field *f)
{
	return f->bits == 64 ? UINT64_MAX : (UINT64_C(1) << f->bits) - 1;
}

static struct spell_as spell_as_of(const struct field *f)
{
	struct spell_as as = spell_argument(f->arg, f->arch);

	as.width = f->bits;
	if (f->family)
		spell_of_family(&as, *f->family);
	return as;
}

static void put_number(struct buf *out, uint64_t v, const struct field *f)
{
	struct spell_as as = spell_as_of(f);
	struct spelling text;

	spell_number(&as, v, &text);
	spell_text(out, &text);
}

static void put_value(struct buf *out, uint64_t v, const struct field *f)
{
	struct spell_as as = spell_as_of(f);
	struct spelling text;

	spell(&as, v, &text);
	spell_text(out, &text);
}

/* ---- a claim on one field ---- */

struct value_range { /* in the order of the values: negative ones first where there are any */
	uint64_t first, last;
};

struct value_ranges {
	size_t n;
	bool too_many;
	struct value_range list[RANGES_TOLD];
};

static void collect_ranges(const struct dd *d, dd_node n, const struct field *f, unsigned bits,
			   uint64_t first, struct value_ranges *r)
{
	uint64_t last = bits == 64 ? UINT64_MAX : first + ((UINT64_C(1) << bits) - 1);

	if (n == DD_FALSE || r->too_many)
		return;
	if (n == DD_TRUE) {
		if (r->n && r->list[r->n - 1].last + 1 == first)
			r->list[r->n - 1].last = last;
		else if (r->n == RANGES_TOLD)
			r->too_many = true;
		else
			r->list[r->n++] = (struct value_range){ first, last };
		return;
	}
	uint32_t bit = bit_of(f->f, bits - 1);
	collect_ranges(d, child(d, n, bit, false), f, bits - 1, first, r);
	collect_ranges(d, child(d, n, bit, true), f, bits - 1, first + (UINT64_C(1) << (bits - 1)),
		       r);
}

static struct value_ranges ranges_of(const struct dd *d, dd_node n, const struct field *f)
{
	struct value_ranges r = { 0 };
	uint32_t bit = bit_of(f->f, f->bits - 1);
	uint64_t sign = sign_of(f);

	if (!sign) {
		collect_ranges(d, n, f, f->bits, 0, &r);
		return r;
	}
	collect_ranges(d, child(d, n, bit, true), f, f->bits - 1, 0, &r);
	collect_ranges(d, child(d, n, bit, false), f, f->bits - 1, sign, &r);
	return r;
}

/* From its place in the order back to the value. */
static void put_placed(struct buf *out, uint64_t at, const struct field *f)
{
	put_value(out, at ^ sign_of(f), f);
}

/* Bounds are numbers: SIGSTKFLT..SIGTSTP would have to be looked up. */
static void put_bound(struct buf *out, uint64_t at, const struct field *f)
{
	put_number(out, at ^ sign_of(f), f);
}

static void put_range(struct buf *out, struct value_range r, const struct field *f)
{
	if (r.first == r.last) {
		put_placed(out, r.first, f);
		return;
	}
	put_bound(out, r.first, f);
	buf_puts(out, "..");
	put_bound(out, r.last, f);
}

/* "x == 1", "x in {1, 4..7}", "x >= 2" */
static bool put_ranges(struct buf *out, const struct value_ranges *r, const struct field *f)
{
	const struct value_range *only = &r->list[0];

	if (r->too_many || !r->n)
		return false;
	if (r->n > 1) {
		buf_printf(out, "%s in {", f->name);
		for (size_t i = 0; i < r->n; i++) {
			buf_puts(out, i ? ", " : "");
			put_range(out, r->list[i], f);
		}
		buf_puts(out, "}");
		return true;
	}
	if (only->first == only->last) {
		buf_printf(out, "%s == ", f->name);
		put_placed(out, only->first, f);
	} else if (only->last == top(f)) {
		buf_printf(out, "%s >= ", f->name);
		put_bound(out, only->first, f);
	} else if (only->first == 0) {
		buf_printf(out, "%s <= ", f->name);
		put_bound(out, only->last, f);
	} else {
		buf_printf(out, "%s in ", f->name);
		put_range(out, *only, f);
	}
	return true;
}

/* Is the claim that certain bits have certain values, and no more? */
static bool is_masked(struct dd *d, dd_node n, const struct field *f, uint64_t *mask,
		      uint64_t *value)
{
	*mask = *value = 0;
	for (unsigned i = 0; i < f->bits; i++) {
		dd_node bit = dd_bit(d, f->f, i);
		if (dd_and(d, n, bit) == DD_FALSE) {
			*mask |= UINT64_C(1) << i;
		} else if (dd_and(d, n, dd_not(d, bit)) == DD_FALSE) {
			*mask |= UINT64_C(1) << i;
			*value |= UINT64_C(1) << i;
		}
	}
	return dd_equal(d, f->f, *mask, *value) == n;
}

static void put_masked(struct buf *out, const struct field *f, uint64_t mask, const char *op,
		       uint64_t value)
{
	buf_printf(out, "(%s & ", f->name);
	put_value(out, mask, f);
	buf_printf(out, ") %s ", op);
	if (value)
		put_value(out, value, f);
	else
		buf_putc(out, '0');
}

static bool put_field(struct dd *d, dd_node n, const struct field *f, struct buf *out)
{
	dd_node not = dd_not(d, n);
	uint64_t mask, value;

	if (n == DD_NONE || not == DD_NONE)
		return false;
	struct value_ranges in = ranges_of(d, n, f), others = ranges_of(d, not, f);
	/* What is left out is shorter: every value but one, every mask but one. */
	if (!others.too_many && others.n == 1 && others.list[0].first == others.list[0].last) {
		buf_printf(out, "%s != ", f->name);
		put_placed(out, others.list[0].first, f);
		return true;
	}
	if (in.n == 1 && !in.too_many)
		return put_ranges(out, &in, f);
	if (is_masked(d, n, f, &mask, &value)) {
		put_masked(out, f, mask, "==", value);
		return true;
	}
	if (is_masked(d, not, f, &mask, &value)) {
		put_masked(out, f, mask, "!=", value);
		return true;
	}
	if (in.too_many && !others.too_many) {
		buf_puts(out, "not ");
		return put_ranges(out, &others, f);
	}
	return put_ranges(out, &in, f);
}

/* ---- several ---- */

static struct field field_of(struct dd *d, dd_node n, enum dd_field f, enum arch arch,
			     const struct syscall_info *sys)
{
	struct field k = { .f = f, .bits = arch_info(arch)->bits, .arch = arch };
	const struct arg_info *args = NULL;
	unsigned nargs = 0;

	if (f == DD_IP) {
		k.bits = 64;
		snprintf(k.name, sizeof(k.name), "instruction pointer");
		return k;
	}
	if (sys)
		args = syscall_args(sys, arch, &nargs);
	if ((unsigned)f >= nargs) {
		snprintf(k.name, sizeof(k.name), "arg%u", (unsigned)f);
		return k;
	}
	k.arg = &args[f];
	unsigned width = k.arg->kind == ARG_POINTER ? 64 : k.arg->width;
	/* Told on the width that the kernel looks at, where the claim does so too. */
	bool reg = false;
	for (unsigned i = width; i < k.bits; i++)
		reg |= dd_fix(d, n, f, UINT64_C(1) << i, 0) != n;
	if (!reg && width < k.bits)
		k.bits = width;
	snprintf(k.name, sizeof(k.name), "%s%s", reg ? "reg " : "",
		 k.arg->alias ? k.arg->alias : k.arg->name);
	return k;
}

static const char *fields_named(struct arena *a, struct dd *d, dd_node claim, unsigned fields,
				enum arch arch, const struct syscall_info *sys)
{
	const char *list = "";

	for (unsigned f = 0; f <= DD_IP; f++)
		if (fields >> f & 1) {
			struct field k = field_of(d, claim, (enum dd_field)f, arch, sys);
			const char *name = str_starts(str_c(k.name), "reg ") ? k.name + 4 : k.name;
			list = arena_printf(a, "%s%s%s", list, *list ? ", " : "", name);
		}
	return list;
}

/* The family of the sockets that a claim is of; false: it is of none, or of several. */
static bool family_of(struct dd *d, dd_node claim, enum arch arch, const struct syscall_info *sys,
		      uint64_t *family)
{
	unsigned nargs = 0;
	const struct arg_info *args = sys ? syscall_args(sys, arch, &nargs) : NULL;
	int at = spell_family_at(args, nargs);

	if (at < 0)
		return false;
	dd_node part = dd_project(d, claim, (enum dd_field)at);
	if (part == DD_NONE)
		return false;
	struct field k = field_of(d, part, (enum dd_field)at, arch, sys);
	struct value_ranges r = ranges_of(d, part, &k);
	*family = r.n ? r.list[0].first ^ sign_of(&k) : 0;
	return r.n == 1 && !r.too_many && r.list[0].first == r.list[0].last;
}

bool words_arguments(struct arena *a, struct dd *d, dd_node claim, enum arch arch,
		     const struct syscall_info *sys, struct buf *out)
{
	unsigned fields = dd_fields(d, claim);
	BUF_AUTO text = { 0 };
	dd_node product = DD_TRUE;
	bool told = true;
	uint64_t family;
	bool has_family = family_of(d, claim, arch, sys, &family);

	for (unsigned f = 0; f <= DD_IP; f++) {
		if (!(fields >> f & 1))
			continue;
		dd_node part = dd_project(d, claim, (enum dd_field)f);
		struct field k = field_of(d, part, (enum dd_field)f, arch, sys);
		k.family = has_family ? &family : NULL;
		product = dd_and(d, product, part);
		if (part == DD_TRUE)
			continue;
		buf_puts(&text, text.n ? ", " : "");
		told &= put_field(d, part, &k, &text);
	}
	if (claim != DD_NONE && told && product == claim) {
		buf_puts(out, text.p ? text.p : "");
		return true;
	}
	buf_printf(out, "for some values of %s", fields_named(a, d, claim, fields, arch, sys));
	return false;
}

/* ---- comparisons as they stand ---- */

struct compared { /* in which call, and beside which family of sockets: NULL, not known */
	enum arch arch;
	const struct syscall_info *sys;
	const uint64_t *family;
};

static void put_comparison(const struct cmp *c, const struct compared *in, struct buf *out)
{
	static const char *const ops[] = {
		[CMP_EQ] = "==", [CMP_NE] = "!=", [CMP_LT] = "<",
		[CMP_LE] = "<=", [CMP_GT] = ">",  [CMP_GE] = ">=",
	};
	unsigned nargs = 0;
	const struct arg_info *args = in->sys ? syscall_args(in->sys, in->arch, &nargs) : NULL;
	const struct arg_info *arg = c->arg < nargs ? &args[c->arg] : NULL;
	bool masked = c->mask != UINT64_MAX;

	buf_puts(out, masked ? "(" : "");
	if (arg)
		buf_puts(out, arg->alias ? arg->alias : arg->name);
	else
		buf_printf(out, "arg%u", c->arg);
	if (masked)
		buf_printf(out, " & %#llx)", (unsigned long long)c->mask);
	buf_printf(out, c->value < 65536 ? " %s %llu" : " %s 0x%llx", ops[c->op],
		   (unsigned long long)c->value);
	struct spell_as as = { .domain = arg ? arg->domain : NULL, .width = 64, .arch = in->arch };
	if (in->family)
		spell_of_family(&as, *in->family);
	const char *name = masked ? NULL : spell_name(&as, c->value);
	if (name)
		buf_printf(out, " (%s)", name);
}

/* What the family is compared with where all of this holds; NULL: nothing. */
static const uint64_t *family_compared(const struct cond *c, int at)
{
	if (c->kind == COND_AND) {
		const uint64_t *family = family_compared(c->left, at);
		return family ? family : family_compared(c->right, at);
	}
	return c->kind == COND_CMP && c->cmp.op == CMP_EQ && c->cmp.mask == UINT64_MAX &&
			       (int)c->cmp.arg == at ?
		       &c->cmp.value :
		       NULL;
}

static void put_comparisons(const struct cond *c, const struct compared *in, struct buf *out)
{
	struct compared all = *in;

	switch (c->kind) {
	case COND_CMP: put_comparison(&c->cmp, in, out); return;
	case COND_NOT:
		buf_puts(out, "not (");
		put_comparisons(c->left, in, out);
		buf_puts(out, ")");
		return;
	case COND_AND:
	case COND_OR:
		if (c->kind == COND_AND && in->sys && !in->family) {
			unsigned n = 0;
			const struct arg_info *args = syscall_args(in->sys, in->arch, &n);
			all.family = family_compared(c, spell_family_at(args, n));
		}
		put_comparisons(c->left, &all, out);
		buf_puts(out, c->kind == COND_AND ? ", " : " or ");
		put_comparisons(c->right, &all, out);
		return;
	}
	BUG("condition");
}

void words_comparisons(const struct cond *c, enum arch arch, const struct syscall_info *sys,
		       struct buf *out)
{
	put_comparisons(c, &(struct compared){ arch, sys, NULL }, out);
}

/* ---- environments ---- */

static void put_word(struct buf *out, size_t start, const char *text)
{
	buf_printf(out, "%s%s", out->n > start ? ", " : "", text);
}

static dd_node kernel_from(struct dd *d, unsigned version)
{
	struct env_cond c = { .kind = ENV_KERNEL, .version = (uint16_t)version };

	return version > 0xffff ? DD_FALSE : dd_env(d, &c);
}

static dd_node hosts_claim(struct dd *d, unsigned hosts)
{
	struct env_cond c = { .kind = ENV_HOST, .hosts = hosts };

	return dd_env(d, &c);
}

/* The first and the last version for which the claim can hold, by halving. */
static unsigned first_kernel(struct dd *d, dd_node claim)
{
	unsigned low = 0, high = 0xffff; /* some version in low..high is the first */

	while (low < high) {
		unsigned middle = (low + high) / 2;
		if (dd_and(d, claim, dd_not(d, kernel_from(d, middle + 1))) != DD_FALSE)
			high = middle;
		else
			low = middle + 1;
	}
	return low;
}

static unsigned last_kernel(struct dd *d, dd_node claim)
{
	unsigned low = 0, high = 0xffff;

	while (low < high) {
		unsigned middle = (low + high + 1) / 2;
		if (dd_and(d, claim, kernel_from(d, middle)) != DD_FALSE)
			low = middle;
		else
			high = middle - 1;
	}
	return low;
}

static void put_capability(struct buf *out, size_t start, const char *how, unsigned cap)
{
	char name[40];

	snprintf(name, sizeof(name), "%s CAP_%s", how, capability_name(cap));
	for (char *c = name + strlen(how); *c; c++)
		if (*c >= 'a' && *c <= 'z')
			*c = (char)(*c - 'a' + 'A');
	put_word(out, start, name);
}

/* The claim that each capability, the version and the host by themselves allow; and its words. */
static dd_node product_of(struct dd *d, dd_node claim, enum arch arch, struct buf *out)
{
	size_t start = out->n;
	dd_node all = environment_possible(d, arch);
	unsigned hosts = 0;
	unsigned first = first_kernel(d, claim), last = last_kernel(d, claim);
	char text[64];

	for (unsigned cap = 0; cap < CAPABILITY_NR; cap++) {
		dd_node has = dd_bit(d, DD_CAPS, cap);
		bool without = dd_and(d, claim, has) == DD_FALSE;
		bool with = dd_and(d, claim, dd_not(d, has)) == DD_FALSE;
		if (with || without)
			put_capability(out, start, with ? "with" : "without", cap);
		all = dd_and(d, all, with ? has : without ? dd_not(d, has) : DD_TRUE);
	}
	if (first) {
		snprintf(text, sizeof(text), "kernel >= %u.%u", first >> 8, first & 0xff);
		put_word(out, start, text);
		all = dd_and(d, all, kernel_from(d, first));
	}
	if (last != 0xffff) {
		snprintf(text, sizeof(text), "kernel < %u.%u", (last + 1) >> 8, (last + 1) & 0xff);
		put_word(out, start, text);
		all = dd_and(d, all, dd_not(d, kernel_from(d, last + 1)));
	}
	const char * or = "host ";
	for (unsigned h = 0; h < ARCH_NR; h++)
		if (dd_and(d, claim, hosts_claim(d, ARCH_BIT(h))) != DD_FALSE)
			hosts |= ARCH_BIT(h);
	dd_node here = dd_and(d, all, hosts_claim(d, hosts));
	if (here == all)
		return all;
	put_word(out, start, "");
	for (unsigned h = 0; h < ARCH_NR; h++)
		if (hosts & ARCH_BIT(h)) {
			buf_printf(out, "%s%s", or, arch_info((enum arch)h)->name);
			or = " or ";
		}
	return here;
}

bool words_environment(struct dd *d, dd_node claim, enum arch arch, struct buf *out)
{
	dd_node possible = environment_possible(d, arch);
	BUF_AUTO yes = { 0 };
	BUF_AUTO no = { 0 };

	claim = dd_and(d, claim, possible);
	if (claim == possible)
		return true;
	if (claim == DD_NONE || claim == DD_FALSE)
		return false;
	if (product_of(d, claim, arch, &yes) == claim) {
		buf_puts(out, yes.p ? yes.p : "");
		return true;
	}
	dd_node rest = dd_and(d, possible, dd_not(d, claim));
	if (rest != DD_NONE && product_of(d, rest, arch, &no) == rest) {
		buf_printf(out, "unless %s", no.p ? no.p : "");
		return true;
	}
	buf_puts(out, "in some environments");
	return false;
}

/* ---- calls ---- */

void words_call(struct buf *out, const struct dd_point *at, unsigned fields)
{
	uint32_t audit = (uint32_t)(at->at[DD_CALL] >> 32), nr = (uint32_t)at->at[DD_CALL];
	uint32_t number = nr;
	int arch = nr == UINT32_MAX ? -1 : arch_of_call(audit, &number);
	const struct syscall_info *sys = arch < 0 ? NULL : syscall_by_nr((enum arch)arch, number);
	const struct arg_info *args = NULL;
	unsigned nargs = 0, shown = 0;

	for (unsigned i = 0; i < 6; i++)
		if (fields >> i & 1)
			shown = i + 1;
	if (sys) {
		buf_puts(out, sys->name);
		args = syscall_args(sys, (enum arch)arch, &nargs);
	} else {
		uint32_t shown_as = arch < 0 ? nr : number;
		buf_printf(out,
			   nr == UINT32_MAX ? "#-1" :
			   shown_as < 65536 ? "#%u" :
					      "#0x%x",
			   shown_as);
	}
	int family = spell_family_at(args, nargs);
	for (unsigned i = 0; i < shown; i++) {
		struct field f = { .f = (enum dd_field)i,
				   .bits = 64,
				   .arch = arch < 0 ? 0 : (enum arch)arch };
		if (family >= 0 && fields >> family & 1)
			f.family = &at->at[family];
		uint64_t v = at->at[i];
		if (i < nargs && fields >> i & 1) {
			f.arg = &args[i];
			if (f.arg->kind != ARG_POINTER && f.arg->width < 64 &&
			    v >> f.arg->width == 0)
				f.bits = f.arg->width;
		}
		buf_puts(out, i ? ", " : "(");
		put_value(out, v, &f);
	}
	buf_puts(out, shown ? ")" : "");
	if (arch < 0 && nr != UINT32_MAX)
		buf_printf(out, " of architecture 0x%x", audit);
}

void words_witness(struct buf *out, const struct dd_point *at)
{
	uint32_t audit = (uint32_t)(at->at[DD_CALL] >> 32), nr = (uint32_t)at->at[DD_CALL],
		 bare = nr;
	int a = arch_of_call(audit, &bare);
	const struct syscall_info *sys = a < 0 ? NULL : syscall_by_nr((enum arch)a, bare);
	unsigned n = 0;

	if (a < 0)
		buf_printf(out, "architecture 0x%x ", audit);
	else
		buf_printf(out, "%s ", arch_info((enum arch)a)->name);
	if (sys)
		buf_puts(out, sys->name);
	else if (nr == UINT32_MAX)
		buf_puts(out, "#-1");
	else
		buf_printf(out, "#%u", a < 0 ? nr : bare);
	for (unsigned i = 0; i < 6; i++)
		if (at->at[i])
			n = i + 1;
	for (unsigned i = 0; i < n; i++)
		buf_printf(out, at->at[i] < 10 ? "%s%llu" : "%s0x%llx", i ? ", " : "(",
			   (unsigned long long)at->at[i]);
	if (n)
		buf_putc(out, ')');
	if (at->at[DD_IP])
		buf_printf(out, " from 0x%llx", (unsigned long long)at->at[DD_IP]);
}

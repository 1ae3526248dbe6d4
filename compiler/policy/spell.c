/* SPDX-License-Identifier: Apache-2.0 */
#include "compiler/policy/spell.h"

#include <string.h>
#include <sys/socket.h>

#include "compiler/base/bug.h"
#include "grammar/ast_build.h"

static uint64_t bits_of(unsigned width)
{
	return width >= 64 ? UINT64_MAX : (UINT64_C(1) << width) - 1;
}

struct spell_as spell_argument(const struct arg_info *arg, enum arch arch)
{
	unsigned bits = arch_info(arch)->bits;

	if (!arg)
		return (struct spell_as){ .kind = ARG_NUMBER, .width = 64, .arch = arch };
	return (struct spell_as){
		arg->domain,    arg->kind,      arg->width > bits ? bits : arg->width,
		arg->is_signed, arg->enum_mask, arch,
		NULL,
	};
}

void spell_of_family(struct spell_as *as, uint64_t family)
{
	if (!as->domain || strcmp(as->domain, "ipproto") != 0)
		return;
	switch (family) {
	case AF_NETLINK: as->begins = "NETLINK_"; return;
	case AF_INET:
	case AF_INET6: as->begins = "IPPROTO_"; return;
	default: as->domain = NULL;
	}
}

int spell_family_at(const struct arg_info *args, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		if (args[i].domain && strcmp(args[i].domain, "af") == 0)
			return (int)i;
	return -1;
}

static bool has_flags(const struct spell_as *as)
{
	return as->kind == ARG_FLAGS || as->kind == ARG_ENUM_FLAGS;
}

bool spell_is(const struct spell_as *as, const char *name, uint64_t v)
{
	uint64_t found;

	return name && constant_find(as->domain, str_c(name), as->arch, &found) == 0 &&
	       (found & bits_of(as->width)) == (v & bits_of(as->width));
}

void spell_number(const struct spell_as *as, uint64_t v, struct spelling *out)
{
	v &= bits_of(as->width);
	*out = (struct spelling){ .has_number = true, .number = v };
	if (!as->is_signed || has_flags(as) || !(v >> (as->width - 1)))
		return;
	out->negative = true;
	out->number = (0 - v) & bits_of(as->width);
}

/* Bits that have names of their own. */
static uint64_t named_bits(const struct spell_as *as, const struct domain_info *dom)
{
	uint64_t all = 0;

	for (size_t i = 0; i < dom->rows; i++) {
		const struct constant_row row = constant_at(dom->first + i);
		uint64_t bits = row.value[as->arch];
		if (row.arches & ARCH_BIT(as->arch) && !(bits & (bits - 1)))
			all |= bits;
	}
	return all;
}

/*
 * The first name of a bit of v, or before these of several bits one of which at least has no
 * name of its own (O_SYNC, O_TMPFILE), most bits first.
 */
static const char *best_name(const struct spell_as *as, const struct domain_info *dom, uint64_t v,
			     uint64_t named, uint64_t *found)
{
	const char *best = NULL;
	int most = 0;

	for (size_t i = 0; i < dom->rows; i++) {
		const struct constant_row row = constant_at(dom->first + i);
		uint64_t bits = row.value[as->arch];
		int count = __builtin_popcountll(bits);
		if (!(row.arches & ARCH_BIT(as->arch)) || bits & as->enum_mask ||
		    (v & bits) != bits || count <= most || (count > 1 && !(bits & ~named)) ||
		    !spell_is(as, row.name, bits))
			continue;
		best = row.name;
		most = count;
		*found = bits;
	}
	return best;
}

void spell_bits(const struct spell_as *as, uint64_t v, struct spelling *out)
{
	struct spelling rest;

	v &= bits_of(as->width);
	*out = (struct spelling){ 0 };
	const struct domain_info *dom = as->domain ? domain_find(as->domain) : NULL;
	uint64_t named = dom ? named_bits(as, dom) : 0, bits = 0;
	const char *name;
	while (dom && v && (name = best_name(as, dom, v, named, &bits))) {
		out->names[out->n++] = name;
		v &= ~bits;
	}
	if (!v && out->n)
		return;
	spell_number(as, v, &rest);
	out->has_number = true;
	out->number = rest.number;
	out->negative = rest.negative;
}

/* constant_name() among the names that begin so. */
static const char *name_beginning(const struct spell_as *as, uint64_t v)
{
	const struct domain_info *d = domain_find(as->domain);

	for (size_t i = d ? d->first : 0; d && i < d->first + d->rows; i++) {
		const struct constant_row row = constant_at(i);
		if (row.arches & ARCH_BIT(as->arch) && row.value[as->arch] == v &&
		    str_starts(str_c(row.name), as->begins))
			return row.name;
	}
	return NULL;
}

const char *spell_name(const struct spell_as *as, uint64_t v)
{
	if (!as->domain)
		return NULL;
	bool negative = as->is_signed && v >> (as->width - 1);
	uint64_t whole = negative ? v | ~bits_of(as->width) : v;
	const char *name =
		as->begins ? name_beginning(as, whole) : constant_name(as->domain, whole, as->arch);

	return spell_is(as, name, v) ? name : NULL;
}

void spell(const struct spell_as *as, uint64_t v, struct spelling *out)
{
	v &= bits_of(as->width);
	const char *name = spell_name(as, v);
	uint64_t low = v & as->enum_mask;

	if (name) {
		*out = (struct spelling){ .names = { name }, .n = 1 };
		return;
	}
	spell_number(as, v, out);
	if (!v || !as->domain || !has_flags(as))
		return;
	struct spelling bits;
	spell_bits(as, v & ~as->enum_mask, &bits);
	if (!bits.n || (bits.has_number && __builtin_popcountll(bits.number) >= (int)bits.n))
		return; /* names of less than half of it say less than the number */
	name = low ? spell_name(as, low) : NULL;
	if (low && (!name || bits.has_number))
		return;
	if (low) {
		out->n = 1;
		out->names[0] = name;
		for (unsigned i = 0; i < bits.n && out->n < ARRAY_SIZE(out->names); i++)
			out->names[out->n++] = bits.names[i];
		out->has_number = false;
		return;
	}
	*out = bits;
}

static struct ast_value *number_tree(struct arena *a, const struct spelling *s)
{
	struct ast_value *n = ast_number(a, s->number);

	if (!s->negative)
		return n;
	n->negative = true;
	n->text = str_c(arena_printf(a, "-" PRISTR, STRARG(n->text)));
	return n;
}

struct ast_value *spell_tree(struct arena *a, const struct spelling *s)
{
	struct ast_value *all = NULL;

	for (unsigned i = 0; i < s->n; i++)
		all = ast_or(a, all, ast_name(a, s->names[i]));
	return s->has_number ? ast_or(a, all, number_tree(a, s)) : all;
}

void spell_text(struct buf *out, const struct spelling *s)
{
	for (unsigned i = 0; i < s->n; i++)
		buf_printf(out, "%s%s", i ? "|" : "", s->names[i]);
	if (!s->has_number)
		return;
	buf_puts(out, s->n ? "|" : "");
	buf_puts(out, s->negative ? "-" : "");
	ast_number_text(out, s->number);
}

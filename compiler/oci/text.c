/* SPDX-License-Identifier: Apache-2.0 */
/* The JSON itself: two spaces a level, names wrapped, entries in a fixed order. */
#include <stdlib.h>
#include <string.h>

#include "compiler/oci/write.h"

enum { WRAP = 96 };

struct entry { /* what is sorted and printed */
	const struct group *group;
	const struct oci_cube *cube;
};

static bool has_conditions(const struct oci_cube *o)
{
	const struct dd_cube *c = &o->c;

	if (o->ordered)
		return true;
	for (unsigned i = 0; i < 6; i++)
		if (c->mask[i])
			return true;
	return false;
}

/* Plain entries first, the permitting ones above; then by the first name, then by cube. */
static int by_place(const void *x, const void *y)
{
	const struct entry *a = x, *b = y;
	int c = has_conditions(a->cube) - has_conditions(b->cube);

	if (!c && !has_conditions(a->cube))
		c = (int)b->cube->c.verdict.kind - (int)a->cube->c.verdict.kind;
	if (!c)
		c = strcmp(a->group->calls.v[0]->name, b->group->calls.v[0]->name);
	if (!c)
		c = (a->cube > b->cube) - (a->cube < b->cube);
	return c;
}

static void put_errno(struct buf *out, const char *key, struct verdict v)
{
	if (v.kind == VERDICT_ERRNO || v.kind == VERDICT_TRACE)
		buf_printf(out, ",\n%s: %u", key, v.data);
}

static void put_arch_row(const struct writer *w, struct buf *out, enum arch native, bool *first)
{
	bool sub = false;

	buf_printf(out, "%s\n    {\n      \"architecture\": \"%s\",\n      \"subArchitectures\": [",
		   *first ? "" : ",", arch_info(native)->oci);
	*first = false;
	for (int a = 0; a < ARCH_NR; a++) {
		if (a == (int)native || !(w->p->arches & ARCH_BIT(a)) ||
		    strcmp(arch_info((enum arch)a)->family, arch_info(native)->family) != 0)
			continue;
		buf_printf(out, "%s\"%s\"", sub ? ", " : "", arch_info((enum arch)a)->oci);
		sub = true;
	}
	buf_puts(out, "]\n    }");
}

static void put_arches(const struct writer *w, struct buf *out)
{
	bool first = true;

	if (w->opt->dialect == OCI_DIALECT_OCI) {
		buf_puts(out, "  \"architectures\": [");
		for (int a = 0; a < ARCH_NR; a++) {
			if (!(w->p->arches & ARCH_BIT(a)))
				continue;
			buf_printf(out, "%s\"%s\"", first ? "" : ", ", arch_info((enum arch)a)->oci);
			first = false;
		}
		buf_puts(out, "],\n");
		return;
	}
	buf_puts(out, "  \"archMap\": [");
	for (int a = 0; a < ARCH_NR; a++) {
		bool leads = w->p->arches & ARCH_BIT(a);
		for (int b = 0; b < a && leads; b++)
			leads = !(w->p->arches & ARCH_BIT(b)) ||
				strcmp(arch_info((enum arch)a)->family, arch_info((enum arch)b)->family);
		if (leads)
			put_arch_row(w, out, (enum arch)a, &first);
	}
	buf_puts(out, "\n  ],\n");
}

static void put_names(struct buf *out, const struct group *g)
{
	size_t column = WRAP;

	buf_puts(out, "      \"names\": [");
	for (size_t i = 0; i < g->calls.n; i++) {
		const char *name = g->calls.v[i]->name;
		size_t n = strlen(name) + 4;
		if (column + n > WRAP) {
			buf_printf(out, "%s\n        ", i ? "," : "");
			column = 8;
		} else {
			buf_puts(out, ", ");
		}
		buf_printf(out, "\"%s\"", name);
		column += n;
	}
	buf_puts(out, "\n      ],\n");
}

static void put_args(struct buf *out, const struct oci_cube *o)
{
	const struct dd_cube *c = &o->c;
	bool first = true;

	if (!has_conditions(o))
		return;
	buf_puts(out, ",\n      \"args\": [");
	if (o->ordered)
		buf_printf(out, "\n        { \"index\": %u, \"value\": %ju, \"op\": \"%s\" }", o->arg,
			   (uintmax_t)o->bound, oci_op_names[o->op]);
	for (unsigned i = 0; i < 6 && !o->ordered; i++) {
		if (!c->mask[i])
			continue;
		buf_printf(out, "%s\n        { \"index\": %u, \"value\": %ju", first ? "" : ",", i,
			   (uintmax_t)(c->mask[i] == UINT64_MAX ? c->value[i] : c->mask[i]));
		if (c->mask[i] == UINT64_MAX)
			buf_puts(out, ", \"op\": \"SCMP_CMP_EQ\" }");
		else
			buf_printf(out, ", \"valueTwo\": %ju, \"op\": \"SCMP_CMP_MASKED_EQ\" }",
				   (uintmax_t)c->value[i]);
		first = false;
	}
	buf_puts(out, "\n      ]");
}

static void put_entry(struct buf *out, const struct entry *e, bool first)
{
	buf_printf(out, "%s\n    {\n", first ? "" : ",");
	put_names(out, e->group);
	buf_printf(out, "      \"action\": \"%s\"", oci_action_name(e->cube->c.verdict.kind));
	put_errno(out, "      \"errnoRet\"", e->cube->c.verdict);
	put_args(out, e->cube);
	buf_puts(out, "\n    }");
}

void oci_print(const struct writer *w, struct buf *out)
{
	struct entry *entries = ARENA_ARRAY(w->arena, struct entry, w->entries + 1);
	size_t n = 0;

	vec_each(&w->groups, g)
		for (size_t i = 0; i < g->ncubes; i++)
			entries[n++] = (struct entry){ g, &g->cubes[i] };
	qsort(entries, n, sizeof(*entries), by_place);
	buf_printf(out, "{\n  \"defaultAction\": \"%s\"", oci_action_name(w->jd.kind));
	put_errno(out, "  \"defaultErrnoRet\"", w->jd);
	buf_puts(out, ",\n");
	put_arches(w, out);
	buf_puts(out, "  \"flags\": [],\n  \"syscalls\": [");
	for (size_t i = 0; i < n; i++)
		put_entry(out, &entries[i], i == 0);
	buf_printf(out, "%s]\n}\n", n ? "\n  " : "");
}

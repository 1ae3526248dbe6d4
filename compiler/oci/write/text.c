/* SPDX-License-Identifier: Apache-2.0 */
/* The JSON itself: two spaces a level, names wrapped, entries in a fixed order. */
#include <stdlib.h>
#include <string.h>

#include "compiler/oci/write/writer.h"

enum { WRAP = 96 };

struct entry { /* what is sorted and printed: a piece, and the names that share it */
	const struct oci_piece *piece;
	const struct syscall_info **names;
	size_t n;
};

struct part {
	const struct oci_piece *piece;
	const struct syscall_info *sys;
};

static bool has_conditions(const struct oci_cube *o)
{
	const struct dd_cube *c = &o->c;

	if (o->ordered || o->above || o->below)
		return true;
	for (unsigned i = 0; i < 6; i++)
		if (c->mask[i])
			return true;
	return false;
}

#define ORDER(a, b)                                                                                \
	do {                                                                                       \
		if ((a) != (b))                                                                    \
			return (a) < (b) ? -1 : 1;                                                 \
	} while (0)

/* No conditions first; machines, then kernels, then capabilities. */
static int by_gate(const struct env_cube *x, const struct env_cube *y)
{
	ORDER(x->caps | x->no_caps, y->caps | y->no_caps);
	ORDER(y->caps, x->caps);
	ORDER(x->hosts, y->hosts);
	ORDER(x->first, y->first);
	ORDER(y->last, x->last);
	return 0;
}

static int by_piece(const struct oci_piece *x, const struct oci_piece *y)
{
	const struct oci_cube *a = &x->cube, *b = &y->cube;
	int c = by_gate(&x->gate, &y->gate);

	if (c)
		return c;
	ORDER(has_conditions(a), has_conditions(b));
	ORDER(b->c.verdict.kind, a->c.verdict.kind); /* permitting ones above */
	ORDER(a->c.verdict.data, b->c.verdict.data);
	ORDER(a->above, b->above);
	ORDER(a->below, b->below);
	ORDER(a->ordered, b->ordered);
	ORDER(a->arg, b->arg);
	ORDER(a->bound, b->bound);
	ORDER(a->op, b->op);
	for (unsigned i = 0; i < 6; i++)
		ORDER(b->c.mask[i], a->c.mask[i]);
	for (unsigned i = 0; i < 6; i++)
		ORDER(a->c.value[i], b->c.value[i]);
	return 0;
}

static int by_part(const void *x, const void *y)
{
	const struct part *a = x, *b = y;
	int c = by_piece(a->piece, b->piece);

	return c ? c : strcmp(a->sys->name, b->sys->name);
}

/* The order in the file: by environment, then those of one name together. */
static int by_place(const void *x, const void *y)
{
	const struct entry *a = x, *b = y;
	bool asks = has_conditions(&a->piece->cube);
	int c = by_gate(&a->piece->gate, &b->piece->gate);

	if (!c)
		c = asks - has_conditions(&b->piece->cube);
	if (!c && !asks)
		c = (int)b->piece->cube.c.verdict.kind - (int)a->piece->cube.c.verdict.kind;
	if (!c)
		c = strcmp(a->names[0]->name, b->names[0]->name);
	return c ? c : by_piece(a->piece, b->piece);
}

struct entries {
	struct entry *v;
	size_t n;
};

static struct entries collect_entries(struct writer *w)
{
	size_t n = 0, all = 0;

	vec_each(&w->names, name)
		all += name->pieces.n;
	struct part *parts = ARENA_ARRAY(w->arena, struct part, all + 1);
	const struct syscall_info **calls =
		ARENA_ARRAY(w->arena, const struct syscall_info *, all + 1);
	struct entries out = { ARENA_ARRAY(w->arena, struct entry, all + 1), 0 };
	vec_each(&w->names, name)
		vec_each(&name->pieces, p)
			parts[n++] = (struct part){ p, name->sys };
	if (n)
		qsort(parts, n, sizeof(*parts), by_part);
	for (size_t i = 0, k; i < n; i = k) {
		for (k = i; k < n && !by_piece(parts[i].piece, parts[k].piece); k++)
			calls[k] = parts[k].sys;
		out.v[out.n++] = (struct entry){ parts[i].piece, calls + i, k - i };
	}
	if (n)
		qsort(out.v, out.n, sizeof(*out.v), by_place);
	return out;
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
		    strcmp(arch_family((enum arch)a, w->p->arches),
			   arch_family(native, w->p->arches)) != 0)
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
			buf_printf(out, "%s\"%s\"", first ? "" : ", ",
				   arch_info((enum arch)a)->oci);
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
				strcmp(arch_family((enum arch)a, w->p->arches),
				       arch_family((enum arch)b, w->p->arches));
		if (leads)
			put_arch_row(w, out, (enum arch)a, &first);
	}
	buf_puts(out, "\n  ],\n");
}

static void put_names(struct buf *out, const struct entry *e)
{
	size_t column = WRAP;

	buf_puts(out, "      \"names\": [");
	for (size_t i = 0; i < e->n; i++) {
		const char *name = e->names[i]->name;
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

static struct dd_cube planted(const struct writer *w, struct dd_cube c)
{
	for (unsigned i = 0; i < 6; i++) {
		uint64_t mask = c.mask[i];
		if (OCI_PLANTED(w, OCI_PLANT_HIGH))
			c.value[i] = (uint32_t)c.value[i];
		if (!OCI_PLANTED(w, OCI_PLANT_ORDER) || !mask || mask == UINT64_MAX)
			continue;
		c.mask[i] = c.value[i];
		c.value[i] = mask;
	}
	return c;
}

static void put_ordered(struct buf *out, unsigned arg, uint64_t bound, enum oci_op op)
{
	buf_printf(out, "\n        { \"index\": %u, \"value\": %ju, \"op\": \"%s\" }", arg,
		   (uintmax_t)bound, oci_op_names[op]);
}

static void put_args(const struct writer *w, struct buf *out, const struct oci_cube *o)
{
	const struct dd_cube bent = planted(w, o->c), *c = &bent;
	bool first = true;

	if (!has_conditions(o))
		return;
	buf_puts(out, ",\n      \"args\": [");
	if (o->ordered)
		put_ordered(out, o->arg, o->bound, o->op);
	for (unsigned i = 0; i < 6 && !o->ordered; i++) {
		bool told = (o->above | o->below) >> i & 1;
		if (!c->mask[i] && !told)
			continue;
		if (told) {
			buf_puts(out, first ? "" : ",");
			put_ordered(out, i, UINT32_MAX, o->above >> i & 1 ? OCI_GT : OCI_LE);
			first = false;
			continue;
		}
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

static void put_caps(struct buf *out, uint64_t caps, const char **comma)
{
	const char *inner = "";

	if (!caps)
		return;
	buf_printf(out, "%s\"caps\": [", *comma);
	*comma = ", ";
	for (unsigned cap = 0; cap < CAPABILITY_NR; cap++) {
		if (!(caps >> cap & 1))
			continue;
		buf_printf(out, "%s\"CAP_", inner);
		for (const char *c = capability_name(cap); *c; c++)
			buf_printf(out, "%c", *c >= 'a' && *c <= 'z' ? *c - 'a' + 'A' : *c);
		buf_puts(out, "\"");
		inner = ", ";
	}
	buf_puts(out, "]");
}

static void put_hosts(struct buf *out, unsigned hosts, const char **comma)
{
	const char *inner = "";

	if (!hosts)
		return;
	buf_printf(out, "%s\"arches\": [", *comma);
	*comma = ", ";
	for (int h = 0; h < ARCH_NR; h++)
		if (hosts & ARCH_BIT(h)) {
			buf_printf(out, "%s\"%s\"", inner, arch_info((enum arch)h)->go);
			inner = ", ";
		}
	buf_puts(out, "]");
}

static void put_kernel(struct buf *out, uint16_t version, const char **comma)
{
	if (!version)
		return;
	buf_printf(out, "%s\"minKernel\": \"%u.%u\"", *comma, version >> 8, version & 0xff);
	*comma = ", ";
}

static void put_side(struct buf *out, const char *key, uint64_t caps, unsigned hosts,
		     uint16_t kernel)
{
	const char *comma = "";

	if (!caps && !hosts && !kernel)
		return;
	buf_printf(out, ",\n      \"%s\": { ", key);
	put_caps(out, caps, &comma);
	put_hosts(out, hosts, &comma);
	put_kernel(out, kernel, &comma);
	buf_puts(out, " }");
}

static unsigned many(unsigned hosts)
{
	unsigned n = 0;

	for (; hosts; hosts &= hosts - 1)
		n++;
	return n;
}

/* `all`: the machines that have these names; the shorter list of machines is written. */
static void put_gate(struct buf *out, const struct env_cube *g, unsigned all)
{
	unsigned no = all & ~g->hosts, yes = g->hosts;

	if (!yes || many(no) < many(yes))
		yes = 0;
	else
		no = 0;
	put_side(out, "includes", g->caps, yes, g->first);
	put_side(out, "excludes", g->no_caps, g->hosts ? no : 0,
		 g->last == UINT16_MAX ? 0 : (uint16_t)(g->last + 1));
}

static void put_entry(const struct writer *w, struct buf *out, const struct entry *e, bool first)
{
	const struct oci_cube *cube = &e->piece->cube;
	unsigned all = 0;

	for (size_t i = 0; i < e->n; i++)
		all |= oci_name_find(w, e->names[i])->hosts;
	buf_printf(out, "%s\n    {\n", first ? "" : ",");
	put_names(out, e);
	buf_printf(out, "      \"action\": \"%s\"", oci_action_name(cube->c.verdict.kind));
	put_errno(out, "      \"errnoRet\"", cube->c.verdict);
	put_args(w, out, cube);
	put_gate(out, &e->piece->gate, all);
	buf_puts(out, "\n    }");
}

static bool within_budget(struct writer *w, size_t n)
{
	const struct oci_name *most = NULL;

	if (n <= ENTRIES_MAX)
		return true;
	vec_each(&w->names, name)
		if (!most || name->pieces.n > most->pieces.n)
			most = name;
	struct diag *d = oci_fail(w, DIAG_PL228, oci_costly_span(w, most->sys),
				  arena_printf(w->arena,
					       "the JSON would have %zu entries, %zu of them for "
					       "'%s'; the budget is %d",
					       n, most->pieces.n, most->sys->name, ENTRIES_MAX));
	diag_help(w->ds, d,
		  "ranges on two arguments of one rule multiply: use fewer or aligned ranges and "
		  "fewer conditions, or compile to '-t bpf'");
	return false;
}

/* Docker's form and OCI's differ little: what was said of one is not said of the other. */
static bool told_size(const struct writer *w, enum diag_id id, struct span sp)
{
	vec_each(&w->ds->list, d)
		if ((*d)->id == id && (*d)->span.source == sp.source &&
		    (*d)->span.begin == sp.begin)
			return true;
	return false;
}

void oci_tell_size(struct writer *w, size_t bytes)
{
	const struct oci_name *most = NULL;
	size_t many = 0;

	vec_each(&w->names, name) {
		many += name->pieces.n > ARTIFACT_ENTRIES;
		most = !most || name->pieces.n > most->pieces.n ? name : most;
	}
	struct span sp = most ? oci_costly_span(w, most->sys) : w->p->span;
	if (many && !told_size(w, DIAG_PL151, sp)) {
		const char *others = many > 1 ? arena_printf(w->arena, " (and for %zu more call%s)",
							     many - 1, many == 2 ? "" : "s") :
						"";
		struct diag *d = diag_add(
			w->ds, DIAG_PL151, sp,
			"the JSON has %zu entries for '%s'%s: runtimes that take "
			"profiles from registries (KEP-6061) refuse more than %d for one call",
			most->pieces.n, most->sys->name, others, ARTIFACT_ENTRIES);
		diag_help(w->ds, d,
			  "compare fewer values, or whole ranges whose ends are powers of two; a "
			  "file on "
			  "the node has no such limit");
	}
	if (bytes <= ARTIFACT_BYTES || told_size(w, DIAG_PL152, sp))
		return;
	struct diag *d = diag_add(w->ds, DIAG_PL152, sp,
				  "the JSON has %zu bytes: runtimes that take profiles from "
				  "registries (KEP-6061) refuse more than %d",
				  bytes, ARTIFACT_BYTES);
	diag_help(w->ds, d,
		  "compare fewer values here, where most entries come from; a file on the node has "
		  "no such "
		  "limit");
}

bool oci_print(struct writer *w, struct buf *out)
{
	struct entries all = collect_entries(w);

	if (!within_budget(w, all.n))
		return false;
	buf_printf(out, "{\n  \"defaultAction\": \"%s\"", oci_action_name(w->jd.kind));
	put_errno(out, "  \"defaultErrnoRet\"", w->jd);
	buf_puts(out, ",\n");
	put_arches(w, out);
	buf_printf(out, "  \"flags\": [%s%s%s],\n  \"syscalls\": [", w->logs ? "\"" : "",
		   w->logs ? oci_flag_log : "", w->logs ? "\"" : "");
	for (size_t i = 0; i < all.n; i++)
		put_entry(w, out, &all.v[i], i == 0);
	buf_printf(out, "%s]\n}\n", all.n ? "\n  " : "");
	return true;
}

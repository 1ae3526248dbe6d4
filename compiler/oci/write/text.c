/* SPDX-License-Identifier: Apache-2.0 */
/* The JSON itself: two spaces a level, names wrapped, entries in a fixed order. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "compiler/base/json_write.h"
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

bool oci_has_conditions(const struct oci_piece *p)
{
	const struct oci_cube *o = &p->cube;
	const struct dd_cube *c = &o->c;

	if (p->list.n || o->ordered || o->above || o->below)
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
	ORDER(oci_has_conditions(x), oci_has_conditions(y));
	ORDER(b->c.verdict.kind, a->c.verdict.kind); /* permitting ones above */
	ORDER(a->c.verdict.data, b->c.verdict.data);
	c = oci_by_list(&x->list, &y->list);
	if (c)
		return c;
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
	bool asks = oci_has_conditions(a->piece);
	int c = by_gate(&a->piece->gate, &b->piece->gate);

	if (!c)
		c = asks - oci_has_conditions(b->piece);
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

/* What a line of the entry begins with, and one within its brackets. */
static const char in_entry[] = "\n      ", in_list[] = "\n        ";

static void put_errno(struct json_writer *w, const char *line, const char *key, struct verdict v)
{
	if (v.kind != VERDICT_ERRNO && v.kind != VERDICT_TRACE)
		return;
	json_line(w, line);
	json_number(w, key, v.data);
}

static bool one_family(const struct writer *w, enum arch a, enum arch b)
{
	return !strcmp(arch_family(a, w->p->arches), arch_family(b, w->p->arches));
}

static void put_arch_row(const struct writer *w, struct json_writer *j, enum arch native)
{
	json_line(j, "\n    ");
	json_open(j, NULL, '{');
	json_line(j, in_entry);
	json_text(j, "architecture", arch_info(native)->oci);
	json_line(j, in_entry);
	json_open(j, "subArchitectures", '[');
	for (int a = 0; a < ARCH_NR; a++)
		if (a != (int)native && w->p->arches & ARCH_BIT(a) &&
		    one_family(w, (enum arch)a, native))
			json_text(j, NULL, arch_info((enum arch)a)->oci);
	json_close(j, ']');
	json_line(j, "\n    ");
	json_close(j, '}');
}

static void put_arches(const struct writer *w, struct json_writer *j)
{
	bool oci = w->opt->dialect == OCI_DIALECT_OCI;

	json_line(j, "\n  ");
	json_open(j, oci ? "architectures" : "archMap", '[');
	for (int a = 0; a < ARCH_NR; a++) {
		bool leads = w->p->arches & ARCH_BIT(a);
		if (leads && oci)
			json_text(j, NULL, arch_info((enum arch)a)->oci);
		for (int b = 0; b < a && leads; b++)
			leads = !(w->p->arches & ARCH_BIT(b)) ||
				!one_family(w, (enum arch)a, (enum arch)b);
		if (leads && !oci)
			put_arch_row(w, j, (enum arch)a);
	}
	if (!oci)
		json_line(j, "\n  ");
	json_close(j, ']');
}

static void put_names(struct json_writer *w, const struct entry *e)
{
	size_t column = WRAP;

	json_line(w, in_entry);
	json_open(w, "names", '[');
	for (size_t i = 0; i < e->n; i++) {
		size_t n = strlen(e->names[i]->name) + 4;
		if (column + n > WRAP) {
			json_line(w, in_list);
			column = 8;
		}
		json_text(w, NULL, e->names[i]->name);
		column += n;
	}
	json_line(w, in_entry);
	json_close(w, ']');
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

struct condition {
	unsigned arg;
	uint64_t value;
	const uint64_t *second; /* NULL: none */
	const char *op;
};

static void put_condition(struct json_writer *w, const struct condition *c)
{
	json_line(w, in_list);
	json_open(w, NULL, '{');
	json_line(w, " ");
	json_number(w, "index", c->arg);
	json_number(w, "value", c->value);
	if (c->second)
		json_number(w, "valueTwo", *c->second);
	json_text(w, "op", c->op);
	json_line(w, " ");
	json_close(w, '}');
}

static void put_argument(struct json_writer *w, const struct oci_cube *o, const struct dd_cube *c,
			 unsigned i)
{
	bool above = o->above >> i & 1, whole = c->mask[i] == UINT64_MAX;

	if (above || o->below >> i & 1)
		put_condition(w, &(struct condition){ i, UINT32_MAX, NULL,
						      oci_op_names[above ? OCI_GT : OCI_LE] });
	else if (whole)
		put_condition(w, &(struct condition){ i, c->value[i], NULL, "SCMP_CMP_EQ" });
	else if (c->mask[i])
		put_condition(w, &(struct condition){ i, c->mask[i], &c->value[i],
						      "SCMP_CMP_MASKED_EQ" });
}

static void put_listed(struct json_writer *w, const struct oci_condition *c)
{
	bool masked = c->op == OCI_MASKED_EQ;

	put_condition(w, &(struct condition){ c->arg, masked ? c->mask : c->value,
					      masked ? &c->value : NULL, oci_op_names[c->op] });
}

static void put_args(const struct writer *w, struct json_writer *j, const struct oci_piece *p)
{
	const struct oci_cube *o = &p->cube;
	const struct dd_cube bent = planted(w, o->c);

	if (!oci_has_conditions(p))
		return;
	json_line(j, in_entry);
	json_open(j, "args", '[');
	for (size_t i = 0; i < p->list.n; i++)
		put_listed(j, &p->list.v[i]);
	if (o->ordered)
		put_condition(j,
			      &(struct condition){ o->arg, o->bound, NULL, oci_op_names[o->op] });
	for (unsigned i = 0; i < 6 && !o->ordered; i++)
		put_argument(j, o, &bent, i);
	json_line(j, in_entry);
	json_close(j, ']');
}

static void put_caps(struct json_writer *w, uint64_t caps)
{
	if (!caps)
		return;
	json_open(w, "caps", '[');
	for (unsigned cap = 0; cap < CAPABILITY_NR; cap++) {
		BUF_AUTO name = { 0 };

		if (!(caps >> cap & 1))
			continue;
		buf_puts(&name, "CAP_");
		for (const char *c = capability_name(cap); *c; c++)
			buf_putc(&name, *c >= 'a' && *c <= 'z' ? (char)(*c - 'a' + 'A') : *c);
		json_string(w, NULL, (struct str){ name.p, name.n });
	}
	json_close(w, ']');
}

static void put_hosts(struct json_writer *w, unsigned hosts)
{
	if (!hosts)
		return;
	json_open(w, "arches", '[');
	for (int h = 0; h < ARCH_NR; h++)
		if (hosts & ARCH_BIT(h))
			json_text(w, NULL, arch_info((enum arch)h)->go);
	json_close(w, ']');
}

static void put_kernel(struct json_writer *w, uint16_t version)
{
	char text[16];

	if (!version)
		return;
	snprintf(text, sizeof(text), "%u.%u", version >> 8, version & 0xff);
	json_text(w, "minKernel", text);
}

static void put_side(struct json_writer *w, const char *key, uint64_t caps, unsigned hosts,
		     uint16_t kernel)
{
	if (!caps && !hosts && !kernel)
		return;
	json_line(w, in_entry);
	json_open(w, key, '{');
	json_line(w, " ");
	put_caps(w, caps);
	put_hosts(w, hosts);
	put_kernel(w, kernel);
	json_line(w, " ");
	json_close(w, '}');
}

static unsigned many(unsigned hosts)
{
	unsigned n = 0;

	for (; hosts; hosts &= hosts - 1)
		n++;
	return n;
}

/* `all`: the machines that have these names; the shorter list of machines is written. */
static void put_gate(struct json_writer *w, const struct env_cube *g, unsigned all)
{
	unsigned no = all & ~g->hosts, yes = g->hosts;

	if (!yes || many(no) < many(yes))
		yes = 0;
	else
		no = 0;
	put_side(w, "includes", g->caps, yes, g->first);
	put_side(w, "excludes", g->no_caps, g->hosts ? no : 0,
		 g->last == UINT16_MAX ? 0 : (uint16_t)(g->last + 1));
}

static void put_entry(const struct writer *w, struct json_writer *j, const struct entry *e)
{
	const struct oci_cube *cube = &e->piece->cube;
	unsigned all = 0;

	for (size_t i = 0; i < e->n; i++)
		all |= oci_name_find(w, e->names[i])->hosts;
	json_line(j, "\n    ");
	json_open(j, NULL, '{');
	put_names(j, e);
	json_line(j, in_entry);
	json_text(j, "action", oci_action_name(cube->c.verdict.kind));
	put_errno(j, in_entry, "errnoRet", cube->c.verdict);
	put_args(w, j, e->piece);
	put_gate(j, &e->piece->gate, all);
	json_line(j, "\n    ");
	json_close(j, '}');
}

/* What the default says, for engines that do not hand over its errno. */
static void put_as_default(struct writer *w, struct json_writer *j)
{
	struct entry e = { .names = w->as_default.v, .n = w->as_default.n };

	if (!e.n)
		return;
	json_line(j, "\n    ");
	json_open(j, NULL, '{');
	put_names(j, &e);
	json_line(j, in_entry);
	json_text(j, "action", oci_action_name(w->jd.kind));
	put_errno(j, in_entry, "errnoRet", w->jd);
	json_line(j, "\n    ");
	json_close(j, '}');
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

static bool is_many(const struct oci_name *name)
{
	return name->pieces.n > ARTIFACT_ENTRIES || oci_rules_of(name) > ARTIFACT_RULES;
}

/* Which of two calls costs more? */
static bool costs_more(const struct oci_name *x, const struct oci_name *y)
{
	if (x->pieces.n != y->pieces.n)
		return x->pieces.n > y->pieces.n;
	return oci_rules_of(x) > oci_rules_of(y);
}

static void tell_many(struct writer *w, struct span sp, const struct oci_name *most, size_t many)
{
	const char *others = many > 1 ? arena_printf(w->arena, " (and for %zu more call%s)",
						     many - 1, many == 2 ? "" : "s") :
					"";
	bool rules = most->pieces.n <= ARTIFACT_ENTRIES;
	struct diag *d =
		diag_add(w->ds, DIAG_PL151, sp,
			 "the JSON has %zu %s for '%s'%s: runtimes that take "
			 "profiles from registries (KEP-6061) refuse more than %d for one call",
			 rules ? oci_rules_of(most) : most->pieces.n,
			 rules ? "conditions, each a rule," : "entries", most->sys->name, others,
			 rules ? ARTIFACT_RULES : ARTIFACT_ENTRIES);

	diag_help(w->ds, d,
		  "compare fewer values, or whole ranges whose ends are powers of two; a file on "
		  "the node has no such limit");
}

void oci_tell_size(struct writer *w, size_t bytes)
{
	const struct oci_name *most = NULL;
	size_t many = 0;

	vec_each(&w->names, name) {
		many += is_many(name);
		most = !most || costs_more(name, most) ? name : most;
	}
	struct span sp = most ? oci_costly_span(w, most->sys) : w->p->span;
	if (many && !oci_told(w, DIAG_PL151, sp))
		tell_many(w, sp, most, many);
	if (bytes <= ARTIFACT_BYTES || oci_told(w, DIAG_PL152, sp))
		return;
	struct diag *d = diag_add(w->ds, DIAG_PL152, sp,
				  "the JSON has %zu bytes: runtimes that take profiles from "
				  "registries (KEP-6061) refuse more than %d",
				  bytes, ARTIFACT_BYTES);
	diag_help(w->ds, d,
		  "compare fewer values here, where most entries come from; a file on the node has "
		  "no such limit");
}

bool oci_print(struct writer *w, struct buf *out)
{
	struct entries all = collect_entries(w);

	if (!within_budget(w, all.n))
		return false;
	struct json_writer j = { .out = out };
	json_open(&j, NULL, '{');
	json_line(&j, "\n  ");
	json_text(&j, "defaultAction", oci_action_name(w->jd.kind));
	if (!w->opt->no_errno)
		put_errno(&j, "\n  ", "defaultErrnoRet", w->jd);
	put_arches(w, &j);
	json_line(&j, "\n  ");
	json_open(&j, "flags", '[');
	if (w->logs)
		json_text(&j, NULL, oci_flag_log);
	json_close(&j, ']');
	json_line(&j, "\n  ");
	json_open(&j, "syscalls", '[');
	for (size_t i = 0; i < all.n; i++)
		put_entry(w, &j, &all.v[i]);
	put_as_default(w, &j);
	if (all.n || w->as_default.n)
		json_line(&j, "\n  ");
	json_close(&j, ']');
	json_line(&j, "\n");
	json_close(&j, '}');
	buf_putc(out, '\n');
	return true;
}

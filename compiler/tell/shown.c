/* SPDX-License-Identifier: Apache-2.0 */
#include "compiler/tell/shown.h"

#include <string.h>

#include "compiler/base/bug.h"
#include "compiler/base/suggest.h"
#include "compiler/tables/tables.h"

struct shown {
	const struct sources *sources;
	const struct set_list *sets;
	struct buf *out;
	unsigned found;
};

/* Things of one name are told apart by an empty line. */
static void start(struct shown *w)
{
	if (w->found++)
		buf_puts(w->out, "\n");
}

/* ---- a call ---- */

static void put_since(struct buf *out, const struct syscall_info *c, enum arch a)
{
	if (c->since[a] > KERNEL_VERSION_OF(2, 6))
		buf_printf(out, "since Linux %u.%u", c->since[a] >> 8, c->since[a] & 0xff);
	else if (c->since[a])
		buf_puts(out, "since Linux 2.6");
	else
		buf_puts(out, "since before Linux 2.6.12");
}

static void put_kind(struct buf *out, const struct arg_info *a)
{
	switch (a->kind) {
	case ARG_NUMBER: buf_puts(out, "number"); return;
	case ARG_FD: buf_puts(out, "file descriptor"); return;
	case ARG_POINTER: buf_puts(out, "pointer, which a filter cannot follow"); return;
	case ARG_ENUM: buf_printf(out, "one of '%s'", a->domain); return;
	case ARG_FLAGS: buf_printf(out, "flags of '%s'", a->domain); return;
	case ARG_ENUM_FLAGS:
		buf_printf(out, "one of '%s' under mask %#llx, flags beside it", a->domain,
			   (unsigned long long)a->enum_mask);
		return;
	case ARG_POLY: buf_puts(out, "depends on another argument"); return;
	case ARG_KIND_NR: break;
	}
	BUG("kind of an argument");
}

static void put_arg(struct buf *out, const struct arg_info *a, unsigned i)
{
	BUF_AUTO name = { 0 };

	buf_printf(&name, "%s%s%s", a->name, a->alias ? " | " : "", a->alias ? a->alias : "");
	buf_printf(out, "    %u  %-28s ", i, name.p ? name.p : "");
	put_kind(out, a);
	if (a->kind != ARG_POINTER)
		buf_printf(out, "; %u bits%s", a->width, a->is_signed ? ", signed" : "");
	if (a->source)
		buf_printf(out, " (%s)", a->source);
	buf_puts(out, "\n");
}

static void put_args(struct buf *out, const struct arg_info *args, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		put_arg(out, &args[i], i);
}

bool shown_put_arg(struct buf *out, struct str call, struct str arg)
{
	const struct syscall_info *c = syscall_by_name(call);
	enum arch a = 0;
	unsigned n;

	while (c && a < ARCH_NR && c->nr[a] < 0)
		a++;
	if (!c || a == ARCH_NR)
		return false;
	int i = syscall_arg_find(c, a, arg);
	const struct arg_info *args = syscall_args(c, a, &n);
	if (i < 0 || (unsigned)i >= n)
		return false;
	buf_printf(out, "argument of %s\n", c->name);
	put_arg(out, &args[i], (unsigned)i);
	return true;
}

static bool same_args(const struct syscall_info *c, enum arch x, enum arch y)
{
	unsigned nx, ny;
	const struct arg_info *ax = syscall_args(c, x, &nx), *ay = syscall_args(c, y, &ny);

	if (nx != ny)
		return false;
	for (unsigned i = 0; i < nx; i++)
		if (strcmp(ax[i].name, ay[i].name) != 0 || ax[i].width != ay[i].width)
			return false;
	return true;
}

/* One list of arguments for all architectures that share it. */
static void put_all_args(struct buf *out, const struct syscall_info *c)
{
	unsigned done = 0, n;

	for (enum arch a = 0; a < ARCH_NR; a++) {
		if (c->nr[a] < 0 || (done & ARCH_BIT(a)))
			continue;
		const struct arg_info *args = syscall_args(c, a, &n);
		buf_puts(out, n ? "  arguments on" : "  no arguments on");
		for (enum arch b = a; b < ARCH_NR; b++) {
			if (c->nr[b] < 0 || !same_args(c, a, b))
				continue;
			done |= ARCH_BIT(b);
			buf_printf(out, "%s %s", a == b ? "" : ",", arch_info(b)->name);
		}
		buf_puts(out, "\n");
		put_args(out, args, n);
	}
}

static void put_multiplexers(struct buf *out, const struct syscall_info *c)
{
	const char *mux;
	unsigned selector;
	bool any = false;

	for (enum arch a = 0; a < ARCH_NR; a++) { /* the same one wherever there is one */
		if (multiplexed_by(c, a, &mux, &selector))
			continue;
		if (!any)
			buf_printf(out, "  also behind %s(%u, ...) on ", mux, selector);
		buf_printf(out, "%s%s", any ? ", " : "", arch_info(a)->name);
		any = true;
	}
	if (any)
		buf_putc(out, '\n');
}

static void put_sets_with(struct shown *w, const char *call)
{
	const char *before = "  in sets ";

	vec_each(&w->sets->sets, set) {
		if (!set_names_call(set, call))
			continue;
		buf_printf(w->out, "%s%s", before, set->name);
		before = ", ";
	}
	if (before[0] == ',')
		buf_puts(w->out, "\n");
}

static void show_call(struct shown *w, const struct syscall_info *c)
{
	struct buf *out = w->out;

	start(w);
	buf_printf(out, "%s: system call\n", c->name);
	for (enum arch a = 0; a < ARCH_NR; a++) {
		if (c->nr[a] < 0) {
			buf_printf(out, "  %-11s -\n", arch_info(a)->name);
			continue;
		}
		buf_printf(out, "  %-11s %-5d ", arch_info(a)->name, c->nr[a]);
		if (arch_info(a)->nr_base)
			buf_printf(out, "(%#x) ", (unsigned)c->nr[a] + arch_info(a)->nr_base);
		put_since(out, c, a);
		buf_puts(out, "\n");
	}
	put_all_args(out, c);
	put_multiplexers(out, c);
	if (c->note)
		buf_printf(out, "  note: %s\n", c->note);
	put_sets_with(w, c->name);
}

/* ---- what is no call but looks like one ---- */

static void show_other_name(struct shown *w, struct str name)
{
	const char *alias = syscall_alias(name), *arches = syscall_foreign_arches(name);
	bool mux = multiplexed_call(STR("socketcall"), 9) &&
		   (str_is(name, "send") || str_is(name, "recv"));

	if (arches) {
		start(w);
		buf_printf(w->out,
			   PRISTR ": a system call of %s only, which pale has no table of\n",
			   STRARG(name), arches);
	}
	if (!alias)
		return;
	start(w);
	buf_printf(w->out, PRISTR ": no system call%s; programs that use it make %s%s\n",
		   STRARG(name), syscall_by_name(name) ? " elsewhere" : "", alias,
		   mux ? " (or socketcall, on i386 and s390x)" : "");
	show_call(w, syscall_by_name(str_c(alias)));
}

/* ---- constants ---- */

static void put_constant(struct buf *out, const struct constant_row *c)
{
	uint64_t first = 0;
	bool any = false;

	buf_printf(out, "%s: constant of '%s' (%s)\n", c->name, c->domain,
		   domain_find(c->domain)->what);
	for (enum arch a = 0; a < ARCH_NR; a++) {
		bool there = c->arches & ARCH_BIT(a);
		if (there && any && c->value[a] == first)
			continue;
		if (there && c->value[a] > INT64_MAX)
			buf_printf(out, "  %-11s %lld\n", any ? arch_info(a)->name : "value",
				   (long long)c->value[a]);
		else if (there)
			buf_printf(
				out, "  %-11s %llu (%#llx)\n", any ? arch_info(a)->name : "value",
				(unsigned long long)c->value[a], (unsigned long long)c->value[a]);
		if (there && !any) {
			any = true;
			first = c->value[a];
		}
	}
	for (enum arch a = 0; a < ARCH_NR; a++)
		if (!(c->arches & ARCH_BIT(a)))
			buf_printf(out, "  %-11s none\n", arch_info(a)->name);
}

static void put_calls_of_domain(struct buf *out, const char *domain)
{
	const char *before = "  used by ";

	for (size_t i = 0; i < syscall_count(); i++) {
		const struct syscall_info *c = syscall_at(i);
		for (unsigned k = 0; k < c->nargs; k++) {
			if (!c->args[k].domain || strcmp(c->args[k].domain, domain) != 0)
				continue;
			buf_printf(out, "%s%s(%s)", before, c->name,
				   c->args[k].alias ? c->args[k].alias : c->args[k].name);
			before = ", ";
		}
	}
	if (before[0] == ',')
		buf_puts(out, "\n");
}

static void show_constants(struct shown *w, struct str name)
{
	for (size_t i = 0; i < constant_count(); i++) {
		const struct constant_row c = constant_at(i);
		if (!str_ieq(name, str_c(c.name)))
			continue;
		start(w);
		put_constant(w->out, &c);
		put_calls_of_domain(w->out, c.domain);
	}
}

/* Short spellings ("inet", "newuser"): only where nothing else has the name. */
static void show_short_constants(struct shown *w, struct str name)
{
	for (size_t i = 0; i < domain_count(); i++) {
		const struct domain_info *d = domain_at(i);
		uint64_t v;
		const char *full;
		if (constant_find(d->name, name, (enum arch)arch_native(), &v))
			continue;
		full = constant_name(d->name, v, (enum arch)arch_native());
		start(w);
		buf_printf(w->out, PRISTR ": short for %s in '%s' (%s), %lld\n", STRARG(name), full,
			   d->name, d->what, (long long)v);
		put_calls_of_domain(w->out, d->name);
	}
}

static void show_domain(struct shown *w, const struct domain_info *d)
{
	bool alone = !w->found; /* a call that is called so matters more than 600 names */

	start(w);
	buf_printf(w->out, "%s: domain of %zu constants, %s\n", d->name, d->rows, d->what);
	put_calls_of_domain(w->out, d->name);
	if (!alone) {
		buf_printf(w->out, "  pale list constants %s\n", d->name);
		return;
	}
	for (size_t i = d->first; i < d->first + d->rows; i++)
		buf_printf(w->out, "  %s\n", constant_at(i).name);
}

static void show_capability(struct shown *w, int cap)
{
	start(w);
	buf_printf(w->out, "%s: capability %d\n", capability_name((unsigned)cap), cap);
}

/* ---- sets ---- */

/* As written, control bytes but line ends and tabs spelt out. */
static void put_lines(struct buf *out, struct str text)
{
	size_t begin = 0;

	for (size_t i = 0; i <= text.n; i++) {
		if (i < text.n && text.p[i] != '\n' && text.p[i] != '\t')
			continue;
		buf_safe(out, (struct str){ text.p + begin, i - begin });
		buf_putc(out, i < text.n ? text.p[i] : '\n');
		begin = i + 1;
	}
}

static void show_set(struct shown *w, const struct listed_set *set)
{
	struct str text = span_text(w->sources, set->stmt->span);

	start(w);
	buf_printf(w->out, "%s: set, ", set->name);
	buf_safe(w->out, str_c(set->source->name));
	buf_putc(w->out, '\n');
	for (const struct ast_comment *c = set->stmt->leading; c; c = c->next)
		buf_printf(w->out, "# " PRISTR "\n", STRARG(c->text));
	put_lines(w->out, text);
}

/* ---- a name ---- */

/* "#59": the call with this number, on each architecture. */
static bool show_number(struct shown *w, struct str name)
{
	uint64_t nr;

	if (!name.n || name.p[0] != '#' || str_u64((struct str){ name.p + 1, name.n - 1 }, &nr))
		return false;
	for (enum arch a = 0; a < ARCH_NR; a++) {
		uint64_t own = nr >= 0x40000000 ? nr - arch_info(a)->nr_base : nr;
		const struct syscall_info *c =
			own <= UINT32_MAX ? syscall_by_nr(a, (uint32_t)own) : NULL;
		if (!c)
			continue;
		if (!w->found++)
			buf_printf(w->out, PRISTR ":\n", STRARG(name));
		buf_printf(w->out, "  %-11s %s\n", arch_info(a)->name, c->name);
	}
	return true;
}

static void show_name(struct shown *w, struct str name)
{
	const struct syscall_info *c = syscall_by_name(name);
	const struct listed_set *set = set_list_find(w->sets, name);
	int cap = capability_find(name);

	if (show_number(w, name))
		return;
	if (c)
		show_call(w, c);
	if (set)
		show_set(w, set);
	if (cap >= 0)
		show_capability(w, cap);
	for (size_t i = 0; i < domain_count(); i++)
		if (str_is(name, domain_at(i)->name))
			show_domain(w, domain_at(i));
	show_constants(w, name);
	if (!c)
		show_other_name(w, name);
	if (!w->found)
		show_short_constants(w, name);
}

unsigned shown_put(struct buf *out, const struct sources *sources, const struct set_list *sets,
		   struct str name)
{
	struct shown w = { .sources = sources, .sets = sets, .out = out };

	show_name(&w, name);
	return w.found;
}

void shown_unknown(struct diags *ds, const struct set_list *sets, struct str name)
{
	struct suggest near;

	suggest_start(&near, name);
	for (size_t i = 0; i < syscall_count(); i++)
		suggest_offer(&near, str_c(syscall_at(i)->name));
	vec_each(&sets->sets, set)
		suggest_offer(&near, str_c(set->name));
	for (size_t i = 0; i < domain_count(); i++)
		constant_suggest(domain_at(i)->name, &near);
	for (unsigned i = 0; i < CAPABILITY_NR; i++)
		suggest_offer(&near, str_c(capability_name(i)));
	diag_add(ds, DIAG_PL148, NO_SPAN, "nothing is known of '" PRISTR "'" PRINEAR, STRARG(name),
		 NEARARG(near));
}

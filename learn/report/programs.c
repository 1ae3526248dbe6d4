/* SPDX-License-Identifier: Apache-2.0 */
/* Which program made which call: what each alone makes would go with it, and who makes what is of risk. */
#include <stdlib.h>
#include <string.h>

#include "compiler/base/bug.h"
#include "learn/report/parts.h"

enum {
	PROGRAMS_SHOWN = 200, /* in the table */
	MAKERS_SHOWN = 3,     /* of one call, on its line */
};

struct makers { /* of one call */
	uint32_t n, first[MAKERS_SHOWN];
};

struct page_makers {
	struct makers of[ARCH_NR][RECORDING_NRS];
	struct makers serving[ARCH_NR][RECORDING_NRS]; /* and while it served */
	bool by_phase;                                 /* that is known */
};

/* Are there two programs or more, and is it known of every run which did what? */
static bool is_told_apart(const struct page *p)
{
	return p->r->run.programs_observed && p->r->programs.n > 1;
}

static void add_maker(struct makers *m, uint32_t program)
{
	if (m->n < MAKERS_SHOWN)
		m->first[m->n] = program;
	m->n++;
}

void report_find_makers(struct page *p)
{
	struct page_makers *all;

	if (!is_told_apart(p))
		return;
	all = ARENA_NEW(p->a, struct page_makers);
	all->by_phase = p->r->run.programs_by_phase && report_has_phases(p);
	for (uint32_t i = 0; i < p->r->programs.n; i++)
		vec_each(&p->r->programs.v[i].calls, c) {
			add_maker(&all->of[c->arch][c->nr], i);
			if (c->serves)
				add_maker(&all->serving[c->arch][c->nr], i);
		}
	p->makers = all;
}

void report_call_name(struct buf *out, enum arch a, uint32_t nr)
{
	const struct syscall_info *sys = syscall_by_nr(a, nr);

	if (sys)
		html_c(out, sys->name);
	else
		buf_printf(out, "#%u", nr);
}

static void put_program(struct buf *out, const struct recorded_program *program)
{
	if (!program->path.p) {
		buf_puts(out, "<span class=\"why\">others</span>");
		return;
	}
	buf_puts(out, "<code>");
	xml_put(out, program->path);
	buf_puts(out, "</code>");
}

static void put_makers(const struct page *p, const struct makers *m)
{
	if (m->n > 1 && m->n == p->r->programs.n) {
		buf_puts(p->out, "all");
		return;
	}
	for (uint32_t i = 0; i < m->n && i < MAKERS_SHOWN; i++) {
		buf_puts(p->out, i ? ", " : "");
		put_program(p->out, &p->r->programs.v[m->first[i]]);
	}
	if (m->n > MAKERS_SHOWN)
		buf_printf(p->out, " and %u more", m->n - MAKERS_SHOWN);
}

void report_makers(const struct page *p, const struct recorded_call *c)
{
	if (!p->makers)
		return;
	buf_puts(p->out, "<td class=\"by\">");
	if (c->assumed)
		buf_puts(p->out, "<span class=\"why\">not looked at</span>");
	else
		put_makers(p, &p->makers->of[c->arch][c->nr]);
	buf_puts(p->out, "</td>");
}

/* ---- the programs ---- */

struct shown {
	const struct recorded_program *program;
	size_t alone;             /* calls that no other one makes */
	size_t starting, serving; /* calls made then */
};

static bool is_alone(const struct page *p, const struct recorded_made *c)
{
	return p->makers->of[c->arch][c->nr].n == 1;
}

static int cmp_shown(const void *x, const void *y)
{
	const struct shown *a = x, *b = y;

	if (a->alone != b->alone)
		return a->alone < b->alone ? 1 : -1;
	return (a->program > b->program) - (a->program < b->program); /* they are sorted */
}

/* Which of its calls: those that others make, too; that it alone makes; and of these the start's, where that is known. */
enum which { REST, ALONE, ALONE_STARTING };

static enum which which_is(const struct page *p, const struct recorded_made *c)
{
	if (!is_alone(p, c))
		return REST;
	return p->makers->by_phase && !c->serves ? ALONE_STARTING : ALONE;
}

static size_t name_calls(const struct page *p, const struct recorded_program *program,
			 enum which which, struct buf *names)
{
	size_t n = 0;

	vec_each(&program->calls, c) {
		if (which_is(p, c) != which)
			continue;
		buf_puts(names, n++ ? ", " : "");
		report_call_name(names, c->arch, c->nr);
	}
	return n;
}

static void put_names(struct buf *out, const char *before, const struct buf *names,
		      const char *behind)
{
	if (!names->n)
		return;
	buf_puts(out, before);
	buf_puts(out, "<code>");
	buf_add(out, names->p, names->n);
	buf_puts(out, "</code>");
	buf_puts(out, behind);
}

static void put_shown(const struct page *p, const struct shown *s)
{
	BUF_AUTO alone = { 0 }, starting = { 0 }, rest = { 0 }, summary = { 0 };
	size_t n = name_calls(p, s->program, REST, &rest);

	name_calls(p, s->program, ALONE, &alone);
	name_calls(p, s->program, ALONE_STARTING, &starting);
	buf_puts(p->out, "<tr><td>");
	put_program(p->out, s->program);
	buf_printf(p->out, "</td><td class=\"n\">%zu</td>", s->program->calls.n);
	if (p->makers->by_phase)
		buf_printf(p->out, "<td class=\"n\">%zu</td><td class=\"n\">%zu</td>", s->starting,
			   s->serving);
	buf_printf(p->out, "<td class=\"n\">%zu</td><td>", s->alone);
	put_names(p->out, "", &alone, "");
	put_names(p->out, "<div class=\"why\">while starting: ", &starting, "</div>");
	buf_printf(&summary, "<details><summary>%zu that others make, too</summary>", n);
	put_names(p->out, buf_keep(p->a, &summary), &rest, "</details>");
	buf_puts(p->out, "</td></tr>\n");
}

static void put_table(const struct page *p)
{
	size_t n = p->r->programs.n;
	struct shown *all = ARENA_ARRAY(p->a, struct shown, n);

	for (size_t i = 0; i < n; i++) {
		all[i].program = &p->r->programs.v[i];
		vec_each(&all[i].program->calls, c) {
			all[i].alone += is_alone(p, c);
			all[i].starting += recorded_made_starts(c);
			all[i].serving += c->serves;
		}
	}
	qsort(all, n, sizeof(*all), cmp_shown);
	buf_puts(p->out, "<table class=\"programs\"><thead><tr><th>program</th><th "
			 "class=\"n\">calls</th>");
	if (p->makers->by_phase)
		buf_puts(p->out, "<th class=\"n\">starting</th><th class=\"n\">serving</th>");
	buf_puts(p->out, "<th class=\"n\">alone</th><th>it alone makes</th></tr></thead><tbody>\n");
	for (size_t i = 0; i < n && i < PROGRAMS_SHOWN; i++)
		put_shown(p, &all[i]);
	buf_puts(p->out, "</tbody></table>\n");
	if (n > PROGRAMS_SHOWN)
		buf_printf(p->out, "<p class=\"sub\">and %zu more, which the recording has</p>\n",
			   n - PROGRAMS_SHOWN);
}

/* ---- what is of risk ---- */

static const struct {
	const char *call, *danger; /* "": whatever its arguments */
} risks[] = {
#define RISK(rule, call, gates, kernel, danger) { call, danger },
#include "compiler/tables/risk.def"
#undef RISK
};

static void put_risk(const struct page *p, const struct recorded_call *c, size_t i)
{
	buf_puts(p->out, "<tr><td><code>");
	report_call_name(p->out, c->arch, c->nr);
	buf_puts(p->out, "</code></td><td>");
	put_makers(p, &p->makers->of[c->arch][c->nr]);
	if (p->makers->by_phase) {
		buf_puts(p->out, "</td><td>");
		put_makers(p, &p->makers->serving[c->arch][c->nr]);
	}
	buf_puts(p->out, "</td><td class=\"why\"><code>");
	html_c(p->out, risks[i].danger);
	buf_puts(p->out, "</code></td></tr>\n");
}

static bool is_of_risk(const struct recorded_call *c, size_t i)
{
	const struct syscall_info *sys = syscall_by_nr(c->arch, c->nr);

	return sys && !c->assumed && !strcmp(sys->name, risks[i].call);
}

/* Those that are whatever their arguments, or the others; last: what the last column is. */
static void put_risks(const struct page *p, bool by_arguments, const char *before, const char *last,
		      const char *behind)
{
	bool begun = false;

	for (size_t i = 0; i < ARRAY_SIZE(risks); i++)
		vec_each(&p->r->calls, c) {
			if (!*risks[i].danger == by_arguments || !is_of_risk(c, i))
				continue;
			if (!begun)
				buf_printf(p->out,
					   "%s<table class=\"risks\"><thead><tr><th>call</th>"
					   "<th>made by</th>%s<th>%s</th></tr></thead><tbody>\n",
					   before,
					   p->makers->by_phase ? "<th>while serving</th>" : "",
					   last);
			begun = true;
			put_risk(p, c, i);
		}
	if (begun)
		buf_puts(p->out, behind);
}

/* ---- all of it ---- */

void report_programs(const struct page *p)
{
	if (!p->r->programs.n)
		return;
	html_heading(p->out, "By program");
	if (!p->r->run.programs_observed) {
		html_note(p->out, "Of some of the runs it is not known which program made what.");
		return;
	}
	if (!p->makers) {
		buf_puts(p->out, "<p class=\"sub\">All of it was made by ");
		put_program(p->out, &p->r->programs.v[0]);
		buf_puts(p->out, ".</p>\n");
		return;
	}
	html_note(p->out,
		  "What processes ran, and what would not be made without it. Until a process "
		  "executes its program its calls are those of the one that started it; of a "
		  "script it is the interpreter.");
	if (!p->r->programs.v[p->r->programs.n - 1].path.p) /* sorted, those are the last */
		html_note(p->out, "Others have no path, or there were too many.");
	put_table(p);
	put_risks(p, false, "<p>Of risk:</p>", "", "</tbody></table>\n");
	put_risks(p, true, "<details><summary>of risk by their arguments</summary>", "where",
		  "</tbody></table></details>\n");
}

/* SPDX-License-Identifier: Apache-2.0 */
/* What was called, and with which capabilities: how often, when, in which runs, and what Docker's default says. */
#include <string.h>

#include "compiler/base/bug.h"
#include "learn/report/parts.h"

/* ---- phases ---- */

static const struct recorded_call *serving(const struct page *p, const struct recorded_call *c)
{
	return recording_serve_call(p->r, c->arch, c->nr);
}

static const char *call_name(enum arch a, uint32_t nr)
{
	const struct syscall_info *sys = syscall_by_nr(a, nr);

	return sys ? sys->name : NULL;
}

void report_phases(const struct page *p)
{
	size_t total = 0, only = 0;
	BUF_AUTO names = { 0 };

	if (!p->r->run.serve_from)
		return;
	html_heading(p->out, "Start and serving");
	if (!report_has_phases(p)) {
		html_note(p->out, "No process came to serve: all of it is the start.");
		return;
	}
	vec_each(&p->r->calls, c) {
		total++;
		if (serving(p, c))
			continue;
		buf_puts(&names, only++ ? ", " : "");
		report_call_name(&names, c->arch, c->nr);
	}
	buf_puts(p->out, "<p class=\"sub\">It serves from ");
	if (p->r->run.serving_ns) {
		run_time_print(p->out, p->r->run.serving_ns);
		buf_puts(p->out, " on, told by ");
	}
	html_c(p->out, p->r->run.serve_from);
	buf_printf(p->out, "; of %zu calls %zu were made while starting alone%s</p>\n", total, only,
		   only ? ":" : ".");
	if (only)
		buf_puts(p->out, "<p><code>");
	buf_add(p->out, names.n ? names.p : "", names.n);
	if (only)
		buf_puts(p->out, "</code></p>\n");
}

/* How often while serving: a cell, where that is known. */
static void put_serving(const struct page *p, bool is, uint64_t count)
{
	if (!report_has_phases(p))
		return;
	buf_puts(p->out, "<td class=\"n\">");
	if (is)
		html_number(p->out, count);
	else
		buf_puts(p->out, "<span class=\"why\">start only</span>");
	buf_puts(p->out, "</td>");
}

/* In how many of the runs: a cell, where there are several. */
static void put_in(const struct page *p, const uint64_t *in)
{
	const struct recording_runs *runs = p->r->runs;
	size_t n = 0;

	if (!runs)
		return;
	for (size_t i = 0; in && i < (runs->n + 63) / 64; i++)
		n += (size_t)__builtin_popcountll(in[i]);
	buf_printf(p->out, "<td class=\"n%s\">%zu/%zu</td>", n == 1 ? " rare" : "", n, runs->n);
}

/* The heads of those two, and of what is before and behind them. */
static void put_head(const struct page *p, const char *first, const char *last)
{
	buf_puts(p->out, "<div class=\"scroll\"><table><thead><tr>");
	buf_puts(p->out, first);
	buf_puts(p->out, report_has_phases(p) ? "<th class=\"n\">serving</th>" : "");
	buf_puts(p->out, "<th class=\"n\">first</th>");
	if (p->r->runs)
		buf_puts(p->out, "<th class=\"n\">runs</th>");
	buf_puts(p->out, last);
	buf_puts(p->out, "</tr></thead><tbody>\n");
}

/* ---- capabilities ---- */

static const struct recorded_capability *serving_cap(const struct page *p,
						     const struct recorded_capability *c)
{
	vec_each(&p->r->serve_caps, s)
		if (s->cap == c->cap && s->arch == c->arch && s->nr == c->nr)
			return s;
	return NULL;
}

static bool is_proposed(const struct page *p, const char *name)
{
	for (const struct ast_stmt *s = p->policy->body; s; s = s->next)
		for (const struct ast_word *w = s->kind == AST_STMT_CAPABILITY ? s->words : NULL; w;
		     w = w->next)
			if (str_is(w->text, name))
				return true;
	return false;
}

static bool was_used(const struct page *p, const struct ast_stmt *s)
{
	for (const struct ast_word *w = s->words; w; w = w->next)
		vec_each(&p->r->caps, c) {
			const char *name = capability_name(c->cap);

			if (name && str_is(w->text, name))
				return true;
		}
	return false;
}

static void put_cap(const struct page *p, const struct recorded_capability *c)
{
	const struct recorded_capability *s = serving_cap(p, c);
	const char *name = capability_name(c->cap);

	buf_puts(p->out, "<tr><td><code>");
	html_c(p->out, name ? name : "?");
	buf_puts(p->out, "</code></td><td><code>");
	if (c->nr != RECORDING_NO_CALL)
		report_call_name(p->out, c->arch, c->nr);
	buf_puts(p->out, "</code></td><td class=\"n\">");
	html_number(p->out, c->count);
	buf_puts(p->out, "</td>");
	put_serving(p, s, s ? s->count : 0);
	buf_puts(p->out, "<td class=\"n\">");
	run_time_print(p->out, c->first_ns);
	buf_puts(p->out, "</td>");
	put_in(p, c->in);
	buf_printf(p->out, "<td>%s</td></tr>\n",
		   name && is_proposed(p, name) ? "" : "not proposed");
}

void report_capabilities(const struct page *p)
{
	const char *sep = "";

	if (p->r->caps.n) {
		html_heading(p->out, "Capabilities");
		html_note(p->out,
			  "Used with success, and the call that asked; what is not proposed the "
			  "kernel asks without need.");
		put_head(p, "<th>capability</th><th>asked by</th><th class=\"n\">times</th>",
			 "<th></th>");
		vec_each(&p->r->caps, c)
			put_cap(p, c);
		buf_puts(p->out, "</tbody></table></div>\n");
	}
	for (const struct ast_stmt *s = p->policy->body; s; s = s->next) {
		if (s->kind != AST_STMT_CAPABILITY || was_used(p, s))
			continue;
		if (!*sep) {
			if (!p->r->caps.n)
				html_heading(p->out, "Capabilities");
			buf_puts(p->out, "<p class=\"sub\">Proposed and not seen in use: ");
		}
		for (const struct ast_word *w = s->words; w; w = w->next) {
			buf_puts(p->out, sep);
			buf_puts(p->out, "<code>");
			xml_put(p->out, w->text);
			buf_puts(p->out, "</code>");
			sep = ", ";
		}
	}
	if (*sep)
		buf_puts(p->out, "</p>\n");
}

/* ---- calls ---- */

/* What the other policy does with it, whatever the arguments. */
static const char *besides(const struct page *p, enum arch a, uint32_t nr)
{
	dd_node n = decision_node(p->rep->beside, a, nr);
	struct verdict v;

	if (!dd_is_terminal(p->rep->beside->dd, n, &v))
		return "by arguments";
	return v.kind == VERDICT_ALLOW || v.kind == VERDICT_LOG ? "allowed" : "refused";
}

static void put_call(const struct page *p, const struct recorded_call *c, double most)
{
	double share = most > 0 ? report_log2(count_add(c->count, 1)) / most : 0;
	const struct recorded_call *s = serving(p, c);
	const char *other;

	buf_puts(p->out, "<tr><td><code>");
	report_call_name(p->out, c->arch, c->nr);
	buf_puts(p->out, "</code>");
	if (c->arch != p->r->run.host)
		buf_printf(p->out, " <span class=\"why\">%s</span>", arch_info(c->arch)->name);
	if (c->held || c->assumed)
		buf_puts(p->out, c->held ?
					 " <span class=\"why\">under way at the beginning</span>" :
					 " <span class=\"why\">assumed</span>");
	buf_puts(p->out, "</td><td class=\"n\">");
	html_number(p->out, c->count);
	buf_printf(p->out, "</td><td class=\"bar\"><i style=\"width:%.0f%%\"></i></td>",
		   share * 100);
	put_serving(p, s, s ? s->count : 0);
	buf_puts(p->out, "<td class=\"n\">");
	if (!c->held && !c->assumed)
		run_time_print(p->out, c->first_ns);
	buf_puts(p->out, "</td>");
	put_in(p, c->in);
	report_makers(p, c);
	if (p->rep->beside) {
		other = besides(p, c->arch, c->nr);
		buf_printf(p->out, "<td%s>%s</td>",
			   !strcmp(other, "refused") ? " class=\"bad\"" : "", other);
	}
	buf_puts(p->out, "</tr>\n");
}

void report_calls(const struct page *p)
{
	BUF_AUTO last = { 0 };
	double most = 0;

	html_heading(p->out, "Calls");
	vec_each(&p->r->calls, c)
		if (report_log2(count_add(c->count, 1)) > most)
			most = report_log2(count_add(c->count, 1));
	if (p->makers)
		buf_puts(&last, "<th>made by</th>");
	if (p->rep->beside) {
		buf_puts(&last, "<th>");
		html_c(&last, p->rep->beside_name);
		buf_puts(&last, "</th>");
	}
	put_head(p,
		 "<th>call</th><th class=\"n\">times</th><th class=\"bar\">(by powers of ten)</th>",
		 buf_keep(p->a, &last));
	vec_each(&p->r->calls, c)
		put_call(p, c, most);
	buf_puts(p->out, "</tbody></table></div>\n");
}

/* ---- Docker's default ---- */

static void put_fold(struct buf *out, const char *title, const struct buf *names)
{
	if (!names->n)
		return;
	buf_puts(out, "<details><summary>");
	html_c(out, title);
	buf_puts(out, "</summary><p><code>");
	buf_add(out, names->p, names->n);
	buf_puts(out, "</code></p></details>\n");
}

/* What it would let through that nobody asked for, and what it would refuse that was. */
void report_beside(const struct page *p)
{
	size_t allows = 0, unused = 0, refused = 0;
	BUF_AUTO names = { 0 }, missed = { 0 };

	if (!p->rep->beside)
		return;
	for (uint32_t nr = 0; nr < RECORDING_NRS; nr++) {
		const char *name = call_name(p->r->run.host, nr);
		bool made = recording_call(p->r, p->r->run.host, nr), refuses;

		if (!name)
			continue;
		refuses = !strcmp(besides(p, p->r->run.host, nr), "refused");
		allows += !refuses;
		if (refuses && made) {
			buf_puts(&missed, refused++ ? ", " : "");
			html_c(&missed, name);
		} else if (!refuses && !made) {
			buf_puts(&names, unused++ ? ", " : "");
			html_c(&names, name);
		}
	}
	html_heading(p->out, p->rep->beside_name);
	buf_printf(
		p->out,
		"<p class=\"sub\">It lets %zu calls through, some by their arguments alone; %zu of "
		"them were not made here. Of what was made it refuses %zu.</p>\n",
		allows, unused, refused);
	put_fold(p->out, "let through, and not made", &names);
	put_fold(p->out, "made, and refused by it", &missed);
}

/* ---- the runtime's ---- */

void report_runtime(const struct page *p)
{
	BUF_AUTO names = { 0 }, caps = { 0 };
	uint64_t seen = 0;
	size_t ncaps = 0;

	if (!p->r->runtime_calls.n)
		return;
	vec_each(&p->r->runtime_calls, c) {
		buf_puts(&names, names.n ? ", " : "");
		report_call_name(&names, c->arch, c->nr);
	}
	vec_each(&p->r->runtime_caps, c) {
		const char *name = capability_name(c->cap);

		if (!name || seen >> c->cap & 1)
			continue;
		seen |= UINT64_C(1) << c->cap;
		buf_puts(&caps, ncaps++ ? ", " : "");
		html_c(&caps, name);
	}
	html_heading(p->out, "The container's runtime");
	buf_puts(p->out, "<p class=\"sub\">Outside the workload");
	if (p->r->run.runtime) {
		buf_puts(p->out, ", by ");
		html_c(p->out, p->r->run.runtime);
	}
	buf_printf(p->out,
		   ": %zu different calls, %zu capabilities. Nothing of it is proposed.</p>\n",
		   p->r->runtime_calls.n, ncaps);
	put_fold(p->out, "its calls", &names);
	put_fold(p->out, "its capabilities", &caps);
}

/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "compiler/policy/policy.h"
#include "grammar/print.h"
#include "learn/report/parts.h"

static const char style[] =
	":root{--ink:#1d232b;--soft:#5b6673;--line:#d9dee5;--page:#fff;--box:#f5f7f9;--a:#1f5fbf;"
	"--b:#b4530a}\n"
	"@media(prefers-color-scheme:dark){:root{--ink:#e4e8ee;--soft:#9aa6b4;--line:#333b46;"
	"--page:#14181d;--box:#1c2229;--a:#7db1ff;--b:#ffa661}}\n"
	"body{font:15px/1.5 system-ui,sans-serif;color:var(--ink);background:var(--page);"
	"max-width:62rem;margin:2rem auto;padding:0 1rem}\n"
	"h1{font-size:1.5rem;margin:0}h2{font-size:1.1rem;margin:2.2rem 0 .5rem}\n"
	"code,pre{font:13px/1.45 ui-monospace,monospace}p.sub{color:var(--soft);margin:.2rem 0}\n"
	"pre{background:var(--box);padding:.8rem;overflow-x:auto;border-radius:4px}\n"
	"ul.facts{display:flex;flex-wrap:wrap;gap:.6rem;padding:0;list-style:none}\n"
	"ul.facts li{background:var(--box);border-radius:4px;padding:.4rem .8rem}\n"
	"ul.facts b{display:block;font-size:1.25rem;font-variant-numeric:tabular-nums}\n"
	"ul.facts span{color:var(--soft);font-size:.85rem}\n"
	".bad b{color:var(--b)}\n"
	"table{border-collapse:collapse;width:100%}\n"
	"td,th{text-align:left;padding:.15rem .6rem .15rem 0;border-bottom:1px solid var(--line);"
	"vertical-align:top}\n"
	"th{color:var(--soft);font-weight:500}\n"
	".n{text-align:right;font-variant-numeric:tabular-nums;white-space:nowrap}\n"
	".bar{width:12rem}.bar i{display:block;height:.6rem;margin-top:.45rem;background:var(--a);"
	"border-radius:2px}\n"
	".why,.count{color:var(--soft)}.perms{color:var(--a);font-family:ui-monospace,monospace}\n"
	"ul.tree,ul.tree ul{list-style:none;padding-left:1.1rem;margin:.1rem 0}"
	"ul.tree{padding-left:0}\n"
	"ul.tree li{overflow-wrap:anywhere}summary{cursor:pointer}\n"
	"svg{width:100%;height:auto}svg text{font-size:11px;fill:var(--soft)}\n"
	".tick{text-anchor:middle}.tick.left{text-anchor:end}.grid{stroke:var(--line)}\n"
	".line{fill:none;stroke-width:2}.line.a{stroke:var(--a)}.line.b{stroke:var(--b)}\n"
	"svg .label.a{fill:var(--a)}svg .label.b{fill:var(--b)}\n";

struct page {
	struct buf *out;
	struct arena *a;
	const struct report *rep;
	const struct recording *r;
	const struct ast_stmt *policy;
};

static void heading(const struct page *p, const char *text)
{
	buf_puts(p->out, "<h2>");
	html_c(p->out, text);
	buf_puts(p->out, "</h2>\n");
}

static void paragraph(const struct page *p, const char *text)
{
	buf_puts(p->out, "<p class=\"sub\">");
	html_c(p->out, text);
	buf_puts(p->out, "</p>\n");
}

static void put_comments(struct buf *out, const struct ast_comment *c)
{
	const char *sep = "";

	for (; c; c = c->next) {
		buf_puts(out, sep);
		xml_put(out, c->text);
		sep = " ";
	}
}

static void fact(const struct page *p, uint64_t n, const char *what, bool bad)
{
	buf_printf(p->out, "<li%s><b>", bad ? " class=\"bad\"" : "");
	html_number(p->out, n);
	buf_puts(p->out, "</b><span>");
	html_c(p->out, what);
	buf_puts(p->out, "</span></li>\n");
}

static size_t count_kind(const struct page *p, enum ast_stmt_kind kind)
{
	size_t n = 0;

	for (const struct ast_stmt *s = p->policy->body; s; s = s->next)
		n += s->kind == kind;
	return n;
}

/* What the proposal says of itself, and a few numbers. */
static void put_head(const struct page *p)
{
	size_t calls = 0, caps = count_kind(p, AST_STMT_CAPABILITY);

	vec_each(&p->r->calls, c)
		calls += !c->assumed;
	buf_puts(p->out, "<h1>");
	xml_put(p->out, p->policy->name.text);
	buf_puts(p->out, "</h1>\n<ul class=\"facts\">\n");
	fact(p, calls, calls == 1 ? "call" : "different calls", false);
	fact(p, p->r->files.n, "files used", false);
	fact(p, count_kind(p, AST_STMT_FILE), "file rules", false);
	fact(p, caps, caps == 1 ? "capability" : "capabilities", false);
	fact(p, p->r->runs ? p->r->runs->n : 1, p->r->runs ? "runs" : "run", false);
	if (run_lossy(&p->r->run))
		buf_puts(p->out, "<li class=\"bad\"><b>incomplete</b><span>what was lost stands "
				 "below</span></li>\n");
	buf_puts(p->out, "</ul>\n<pre>");
	for (const struct ast_comment *c = p->policy->leading; c; c = c->next) {
		xml_put(p->out, c->text);
		buf_putc(p->out, '\n');
	}
	buf_puts(p->out, "</pre>\n");
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
	const struct syscall_info *sys = syscall_by_nr(c->arch, c->nr);
	double share = most > 0 ? report_log2(count_add(c->count, 1)) / most : 0;

	buf_puts(p->out, "<tr><td><code>");
	if (sys)
		html_c(p->out, sys->name);
	else
		buf_printf(p->out, "#%u", c->nr);
	buf_puts(p->out, "</code>");
	if (c->arch != p->r->run.host)
		buf_printf(p->out, " <span class=\"why\">%s</span>", arch_info(c->arch)->name);
	if (c->held || c->assumed)
		buf_puts(p->out, c->held ?
					 " <span class=\"why\">under way at the beginning</span>" :
					 " <span class=\"why\">assumed</span>");
	buf_puts(p->out, "</td><td class=\"n\">");
	html_number(p->out, c->count);
	buf_printf(p->out,
		   "</td><td class=\"bar\"><i style=\"width:%.0f%%\"></i></td><td class=\"n\">",
		   share * 100);
	if (!c->held && !c->assumed)
		run_time_print(p->out, c->first_ns);
	buf_puts(p->out, "</td>");
	if (p->rep->beside)
		buf_printf(p->out, "<td>%s</td>", besides(p, c->arch, c->nr));
	buf_puts(p->out, "</tr>\n");
}

static void put_calls(const struct page *p)
{
	double most = 0;

	heading(p, "Calls");
	vec_each(&p->r->calls, c)
		if (report_log2(count_add(c->count, 1)) > most)
			most = report_log2(count_add(c->count, 1));
	buf_puts(p->out,
		 "<table><thead><tr><th>call</th><th class=\"n\">times</th><th>(by powers of "
		 "ten)</th><th class=\"n\">first</th>");
	if (p->rep->beside) {
		buf_puts(p->out, "<th>");
		html_c(p->out, p->rep->beside_name);
		buf_puts(p->out, "</th>");
	}
	buf_puts(p->out, "</tr></thead><tbody>\n");
	vec_each(&p->r->calls, c)
		put_call(p, c, most);
	buf_puts(p->out, "</tbody></table>\n");
}

static const struct recorded_call *made(const struct page *p, uint32_t nr)
{
	return recording_call(p->r, p->r->run.host, nr);
}

/* What it would let through that nobody asked for. */
static void put_beside(const struct page *p)
{
	size_t allows = 0, unused = 0;
	BUF_AUTO names = { 0 };

	if (!p->rep->beside)
		return;
	for (uint32_t nr = 0; nr < RECORDING_NRS; nr++) {
		const struct syscall_info *sys = syscall_by_nr(p->r->run.host, nr);

		if (!sys || !strcmp(besides(p, p->r->run.host, nr), "refused"))
			continue;
		allows++;
		if (made(p, nr))
			continue;
		buf_puts(&names, unused++ ? ", " : "");
		html_c(&names, sys->name);
	}
	heading(p, p->rep->beside_name);
	buf_printf(
		p->out,
		"<p class=\"sub\">It lets %zu calls through, some by their arguments alone; %zu of "
		"them were not made here.</p>\n<details><summary>those</summary><p><code>",
		allows, unused);
	buf_add(p->out, names.p, names.n);
	buf_puts(p->out, "</code></p></details>\n");
}

/* ---- the rest of the proposal ---- */

static void put_statement(const struct page *p, const struct ast_stmt *s)
{
	struct ast_stmt bare = *s;
	BUF_AUTO text = { 0 };

	bare.leading = bare.trailing = NULL;
	bare.next = NULL;
	ast_print_stmt(&text, &bare, 0);
	while (text.n && text.p[text.n - 1] == '\n')
		text.n--;
	buf_puts(p->out, "<tr><td><code>");
	xml_put(p->out, (struct str){ text.p, text.n });
	buf_puts(p->out, "</code></td><td class=\"why\">");
	put_comments(p->out, s->trailing);
	buf_puts(p->out, "</td></tr>\n");
}

/* Statements of these kinds with their evidence; nothing where there are none. */
static void put_kinds(const struct page *p, const char *title, const struct ast_stmt *body,
		      unsigned kinds)
{
	bool begun = false;

	for (const struct ast_stmt *s = body; s; s = s->next) {
		if (!(kinds >> s->kind & 1))
			continue;
		if (!begun) {
			heading(p, title);
			buf_puts(p->out, "<table><tbody>\n");
		}
		begun = true;
		put_statement(p, s);
	}
	if (begun)
		buf_puts(p->out, "</tbody></table>\n");
}

static void put_margin(const struct page *p)
{
	for (const struct ast_stmt *s = p->policy->next; s; s = s->next)
		if (s->kind == AST_STMT_SET)
			put_kinds(p, "Not seen, and beside what was: the margin", s->body, ~0u);
}

static void put_files(const struct page *p)
{
	BUF_AUTO tree = { 0 };

	if (!report_files(&tree, p->a, p->policy))
		return;
	heading(p, "Files");
	paragraph(
		p,
		"Rules by directory: the rights (r read, w write, m mapped as a program, ix "
		"executed, k locked, l linked), how often, first when, what was widened and why.");
	buf_add(p->out, tree.p, tree.n);
}

static void put_policy(const struct page *p)
{
	BUF_AUTO text = { 0 };

	ast_print(&text, p->rep->proposal);
	heading(p, "The policy");
	buf_puts(p->out, "<details><summary>as pale proposes it</summary><pre>");
	html_lines(p->out, (struct str){ text.p, text.n });
	buf_puts(p->out, "</pre></details>\n");
}

void report_put(struct buf *out, struct arena *a, const struct report *rep)
{
	struct page p = { out, a, rep, rep->r, rep->proposal->stmts };

	/* No script, and nothing that could be fetched: the browser is told so as well. */
	buf_puts(out, "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\n"
		      "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; "
		      "style-src 'unsafe-inline'\">\n"
		      "<meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">\n"
		      "<title>");
	xml_put(out, p.policy->name.text);
	buf_puts(out, ": what was recorded</title>\n<style>\n");
	buf_puts(out, style);
	buf_puts(out, "</style></head><body>\n");
	put_head(&p);
	heading(&p, "New over time");
	paragraph(&p,
		  "Different calls and files since the start; where a line is flat, nothing was "
		  "new.");
	report_growth(out, a, rep->r);
	put_kinds(&p, "Capabilities", p.policy->body, 1u << AST_STMT_CAPABILITY);
	put_kinds(&p, "Network", p.policy->body, 1u << AST_STMT_NETWORK);
	put_margin(&p);
	put_calls(&p);
	put_beside(&p);
	put_files(&p);
	put_kinds(&p, "Signals and other rules of AppArmor's", p.policy->body,
		  1u << AST_STMT_SIGNAL | 1u << AST_STMT_APPARMOR | 1u << AST_STMT_NAMESPACE);
	put_policy(&p);
	buf_puts(out, "</body></html>\n");
}

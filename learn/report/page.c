/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "compiler/policy/policy.h"
#include "grammar/print.h"
#include "learn/report/parts.h"

#define LOST_SHOWN 100

static const char style[] =
	":root{--ink:#1d232b;--soft:#5b6673;--line:#d9dee5;--page:#fff;--box:#f5f7f9;"
	"--a:#1f5fbf;--b:#b4530a}\n"
	"@media(prefers-color-scheme:dark){:root{--ink:#e4e8ee;--soft:#9aa6b4;"
	"--line:#333b46;--page:#14181d;--box:#1c2229;--a:#7db1ff;--b:#ffa661}}\n"
	":root{color-scheme:light dark}\n"
	"body{font:15px/1.5 system-ui,sans-serif;color:var(--ink);"
	"background:var(--page);max-width:62rem;margin:2rem auto;padding:0 1rem}\n"
	"h1{font-size:1.5rem;margin:0;overflow-wrap:anywhere}h2{font-size:1.1rem;"
	"margin:2.2rem 0 .5rem}\n"
	"code,pre{font:13px/1.45 ui-monospace,monospace;"
	"overflow-wrap:anywhere}p.sub{color:var(--soft);margin:.2rem 0 .6rem}\n"
	"pre{background:var(--box);padding:.8rem;white-space:pre-wrap;"
	"border-radius:4px}\n"
	"ul.facts{display:flex;flex-wrap:wrap;gap:.6rem;padding:0;list-style:none}\n"
	"ul.facts li{background:var(--box);border-radius:4px;padding:.4rem .8rem}\n"
	"ul.facts b{display:block;font-size:1.25rem;font-variant-numeric:tabular-nums}\n"
	"ul.facts span{color:var(--soft);font-size:.85rem}\n"
	".bad,.bad b,.wide,.rare{color:var(--b)}\n"
	".scroll{overflow-x:auto}.scroll td code{white-space:nowrap}\n"
	".scroll .by{min-width:12rem}.scroll .by code{white-space:normal}\n"
	"table{border-collapse:collapse;width:100%}\n"
	"td,th{text-align:left;padding:.15rem 1rem .15rem 0;"
	"border-bottom:1px solid var(--line);vertical-align:top}\n"
	"td:last-child,th:last-child{padding-right:0}\n"
	".rules td:first-child{width:45%}\n"
	".programs td:first-child,.risks td:first-child{width:14rem}\n"
	"th{color:var(--soft);font-weight:500}\n"
	".n{text-align:right;font-variant-numeric:tabular-nums;white-space:nowrap}\n"
	".bar{width:9rem}.bar i{display:block;height:.6rem;margin-top:.45rem;"
	"background:var(--a);border-radius:2px}\n"
	".why,.count{color:var(--soft)}.perms{color:var(--a);"
	"font-family:ui-monospace,monospace}\n"
	"ul.tree,ul.tree ul{list-style:none;padding-left:1.1rem;"
	"margin:.1rem 0}ul.tree{padding-left:0}\n"
	".rule{display:flex;align-items:baseline;flex-wrap:wrap;gap:0 1rem;"
	"border-bottom:1px solid var(--line)}\n"
	".rule code{flex:1 1 14rem}.rule .perms{flex:0 0 5.5rem}.rule .why{"
	"flex:0 1 26rem}\n"
	"summary{cursor:pointer;overflow-wrap:anywhere}summary .why{margin-left:.6rem}\n"
	"svg{width:100%;height:auto;min-width:28rem}svg text{font-size:11px;"
	"fill:var(--soft)}\n"
	".tick{text-anchor:middle}.tick.left{text-anchor:end}.grid{stroke:var(--line)}\n"
	".boundary{stroke:var(--soft);stroke-dasharray:4 3}\n"
	".line{fill:none;"
	"stroke-width:2}.line.a{stroke:var(--a)}.line.b{stroke:var(--b)}\n"
	"svg .label.a{fill:var(--a)}svg .label.b{fill:var(--b)}\n"
	"@media(max-width:40rem){.bar{display:none}.rules td:first-child{"
	"width:50%}td,th{padding-right:.6rem}}\n"
	"@media print{details:not([open])>summary{color:var(--soft)}}\n";

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

static const struct ast_stmt *margin_of(const struct page *p)
{
	for (const struct ast_stmt *s = p->policy->next; s; s = s->next)
		if (s->kind == AST_STMT_SET)
			return s;
	return NULL;
}

static size_t count_calls(const struct ast_stmt *body)
{
	size_t n = 0;

	for (const struct ast_stmt *s = body; s; s = s->next)
		for (const struct ast_call *c = s->calls; c; c = c->next)
			n++;
	return n;
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
	const struct ast_stmt *margin = margin_of(p);

	vec_each(&p->r->calls, c)
		calls += !c->assumed;
	buf_puts(p->out, "<h1>");
	xml_put(p->out, p->policy->name.text);
	buf_puts(p->out, "</h1>\n<ul class=\"facts\">\n");
	fact(p, calls, calls == 1 ? "call" : "different calls", false);
	if (margin)
		fact(p, count_calls(margin->body), "more by the margin", false);
	if (!p->r->run.no_files) {
		fact(p, p->r->files.n, "files used", false);
		fact(p, count_kind(p, AST_STMT_FILE), "file rules", false);
	}
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

/* What was lost, where that makes it incomplete: in numbers, and the names of which no path is known. */
static void put_lost(const struct page *p)
{
	BUF_AUTO losses = { 0 };

	if (!run_lossy(&p->r->run))
		return;
	run_losses_print(&losses, &p->r->run);
	html_heading(p->out, "Lost");
	buf_puts(p->out, "<p class=\"bad\">");
	xml_put(p->out, (struct str){ losses.n ? losses.p : "", losses.n });
	buf_puts(p->out, "</p>\n");
	if (!p->r->lost.n)
		return;
	buf_puts(p->out, "<ul>\n");
	for (size_t i = 0; i < p->r->lost.n && i < LOST_SHOWN; i++) {
		buf_puts(p->out, "<li><code>");
		xml_put(p->out, p->r->lost.v[i].name);
		buf_puts(p->out, "</code></li>\n");
	}
	buf_puts(p->out, "</ul>\n");
	if (p->r->lost.n > LOST_SHOWN)
		buf_printf(p->out, "<p>and %zu more, which the recording has</p>\n",
			   p->r->lost.n - LOST_SHOWN);
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
			html_heading(p->out, title);
			buf_puts(p->out, "<table class=\"rules\"><tbody>\n");
		}
		begun = true;
		put_statement(p, s);
	}
	if (begun)
		buf_puts(p->out, "</tbody></table>\n");
}

static void put_margin(const struct page *p)
{
	const struct ast_stmt *margin = margin_of(p);

	if (margin)
		put_kinds(p, "Not seen, and beside what was: the margin", margin->body, ~0u);
}

static void put_policy(const struct page *p)
{
	BUF_AUTO text = { 0 };

	ast_print(&text, p->rep->proposal);
	html_heading(p->out, "The policy");
	buf_puts(p->out, "<details><summary>as pale proposes it</summary><pre>");
	html_lines(p->out, (struct str){ text.p, text.n });
	buf_puts(p->out, "</pre></details>\n");
}

void report_put(struct buf *out, struct arena *a, const struct report *rep)
{
	struct page p = { out, a, rep, rep->r, rep->proposal->stmts, NULL };

	report_find_makers(&p);
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
	put_lost(&p);
	html_heading(out, "New over time");
	html_note(out,
		  "Different calls and files since the start; where a line is flat, nothing was "
		  "new.");
	report_growth(&p);
	report_runs(&p);
	report_phases(&p);
	report_capabilities(&p);
	put_kinds(&p, "Network", p.policy->body, 1u << AST_STMT_NETWORK);
	report_calls(&p);
	report_programs(&p);
	put_margin(&p);
	report_beside(&p);
	report_files(&p);
	put_kinds(&p, "Signals and other rules of AppArmor's", p.policy->body,
		  1u << AST_STMT_SIGNAL | 1u << AST_STMT_APPARMOR | 1u << AST_STMT_NAMESPACE);
	report_runtime(&p);
	put_policy(&p);
	buf_puts(out, "</body></html>\n");
}

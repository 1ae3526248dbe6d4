/* SPDX-License-Identifier: Apache-2.0 */
/* File rules as a tree: a directory is where rules part; what is alone in one stands on its line. */
#include "learn/report/parts.h"

#define RULES_SHOWN 5000 /* a browser should open it */
#define OPEN_DEPTH  2    /* directories that are open at first */

struct node {
	struct str name; /* of the component, with the slash behind it */
	struct node *first, *last, *next;
	const struct ast_stmt *rule; /* the last component's; several: each a node */
	size_t rules;                /* at and below it */
};

/* The length of a glob's first component, its slash included; one in {} or [] does not part it. */
static size_t component(struct str glob)
{
	size_t depth = 0;

	for (size_t i = 0; i < glob.n; i++) {
		char c = glob.p[i];

		if (c == '\\')
			i++;
		else if (c == '{' || c == '[')
			depth++;
		else if ((c == '}' || c == ']') && depth)
			depth--;
		else if (c == '/' && !depth)
			return i + 1;
	}
	return glob.n;
}

static struct node *below(struct arena *a, struct node *dir, struct str name, bool is_last)
{
	struct node *n = dir->last;

	/* Rules are sorted: what is the same came last. Two rules of one name are two nodes. */
	if (n && !is_last && str_eq(n->name, name))
		return n;
	n = ARENA_NEW(a, struct node);
	*n = (struct node){ .name = name };
	if (dir->last)
		dir->last->next = n;
	else
		dir->first = n;
	dir->last = n;
	return n;
}

static void add_rule(struct arena *a, struct node *top, const struct ast_stmt *rule)
{
	struct str rest = rule->paths->text;
	struct node *n = top;

	top->rules++;
	while (rest.n) {
		size_t len = component(rest);
		struct str name = { rest.p, len };

		rest = (struct str){ rest.p + len, rest.n - len };
		n = below(a, n, name, !rest.n);
		n->rules++;
	}
	n->rule = rule;
}

/* The evidence, and behind its first colon what was widened and why. */
static void put_why(struct buf *out, struct str text)
{
	size_t at = 0;

	while (at + 1 < text.n && !(text.p[at] == ':' && text.p[at + 1] == ' '))
		at++;
	if (at + 1 >= text.n) {
		xml_put(out, text);
		return;
	}
	xml_put(out, (struct str){ text.p, at });
	buf_puts(out, ": <span class=\"wide\">");
	xml_put(out, (struct str){ text.p + at + 2, text.n - at - 2 });
	buf_puts(out, "</span>");
}

static bool is_widened(const struct ast_stmt *s)
{
	for (const struct ast_comment *c = s->trailing; c; c = c->next)
		for (size_t i = 0; i + 1 < c->text.n; i++)
			if (c->text.p[i] == ':' && c->text.p[i + 1] == ' ')
				return true;
	return false;
}

static void put_rule(struct buf *out, const struct ast_stmt *s)
{
	buf_puts(out, "<span class=\"perms\">");
	if (s->owner)
		buf_puts(out, "owner ");
	xml_put(out, s->perms->text);
	buf_puts(out, "</span><span class=\"why\">");
	for (const struct ast_comment *c = s->trailing; c; c = c->next)
		put_why(out, c->text);
	buf_puts(out, "</span>");
}

static void put_node(struct buf *out, const struct node *n, unsigned depth)
{
	const struct node *end = n;

	while (end->first && !end->first->next && !end->rule)
		end = end->first;
	buf_puts(out, "<li>");
	if (end->first)
		buf_printf(out, "<details%s><summary>", depth < OPEN_DEPTH ? " open" : "");
	else
		buf_puts(out, "<div class=\"rule\">");
	buf_puts(out, "<code>");
	for (; n != end; n = n->first)
		xml_put(out, n->name);
	xml_put(out, end->name);
	buf_puts(out, "</code>");
	if (end->first)
		buf_printf(out, " <span class=\"count\">%zu</span> ", end->rules);
	if (end->rule)
		put_rule(out, end->rule);
	if (end->first) {
		buf_puts(out, "</summary><ul>\n");
		for (const struct node *c = end->first; c; c = c->next)
			put_node(out, c, depth + 1);
		buf_puts(out, "</ul></details></li>\n");
	} else {
		buf_puts(out, "</div></li>\n");
	}
}

static void put_top(struct buf *out, const struct node *top)
{
	buf_puts(out, "<ul class=\"tree\">\n");
	for (const struct node *c = top->first; c; c = c->next)
		put_node(out, c, 0);
	buf_puts(out, "</ul>\n");
}

void report_files(const struct page *p)
{
	struct node top = { 0 };
	size_t n = 0, wide = 0;

	for (const struct ast_stmt *s = p->policy->body; s; s = s->next) {
		if (s->kind != AST_STMT_FILE || !s->paths || !s->perms)
			continue;
		wide += is_widened(s);
		if (n++ < RULES_SHOWN)
			add_rule(p->a, &top, s);
	}
	if (!n)
		return;
	html_heading(p->out, "Files");
	buf_printf(
		p->out,
		"<p class=\"sub\">Rules by directory: the rights (r read, w write, a append, m "
		"mapped as a program, ix executed, k locked, l linked), how often, first when. "
		"%zu of %zu rules are <span class=\"wide\">wider than what was seen</span>, and say "
		"why.</p>\n",
		wide, n);
	put_top(p->out, &top);
	if (n > RULES_SHOWN)
		buf_printf(p->out, "<p>%zu more rules are in the policy below.</p>\n",
			   n - RULES_SHOWN);
}

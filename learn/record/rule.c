/* SPDX-License-Identifier: Apache-2.0 */
#include "learn/record/rule.h"

#include <string.h>

#include "compiler/base/diag.h"
#include "compiler/rules/rules.h"
#include "grammar/apparmor_print.h"

/* Those that recordings have no other facts of. */
static bool is_kept(enum aa_class c)
{
	switch (c) {
	case AA_CLASS_UNIX:
	case AA_CLASS_MOUNT:
	case AA_CLASS_PIVOT_ROOT:
	case AA_CLASS_PTRACE:
	case AA_CLASS_DBUS:
	case AA_CLASS_MQUEUE:
	case AA_CLASS_USERNS:
	case AA_CLASS_IO_URING:
	case AA_CLASS_CHANGE_PROFILE: return true;
	default: return false;
	}
}

static const struct aa_rule *read_rule(struct arena *a, struct str text)
{
	struct sources *sources = sources_new(a);
	struct diags *mute = diags_new(a, sources);
	struct aa_reader rd = {
		.arena = a,
		.diags = mute,
		.target = { .release = AA_RELEASE_NR - 1, .mediated = ~0u, .compiled = ~0u },
		.policy = true
	};
	struct aa_use *use = ARENA_NEW(a, struct aa_use);
	const struct aa_rule *rule;
	struct source *src;
	struct span all;

	/* A line end would be a blank; a zero byte no text holds. */
	if (!text.n || text.n > RULE_TEXT || memchr(text.p, '\n', text.n) ||
	    memchr(text.p, 0, text.n))
		return NULL;
	src = source_add(sources, "<rule>", text);
	all = (struct span){ .source = src->id, .begin = 0, .end = (uint32_t)text.n };
	use->stmt = aa_parse_rule(a, src, all, text.p, mute);
	if (!use->stmt || use->stmt->prefix || use->stmt->leading || use->stmt->trailing)
		return NULL;
	use->class = aa_class_of(&rd, use->stmt->items);
	if (!is_kept(use->class))
		return NULL;
	rule = aa_rule_read(&rd, use);
	return mute->errors ? NULL : rule;
}

const struct aa_stmt *rule_parse(struct arena *a, struct str text)
{
	const struct aa_rule *rule = read_rule(a, text);

	return rule ? rule->use->stmt : NULL;
}

static struct str print_rule(struct arena *a, const struct aa_stmt *st)
{
	BUF_AUTO out = { 0 };

	aa_print_head(&out, st);
	return (struct str){ buf_keep(a, &out), out.n };
}

struct str rule_spelling(struct arena *a, struct str text)
{
	const struct aa_stmt *st = rule_parse(a, text);
	struct str once, twice;

	if (!st)
		return (struct str){ NULL, 0 };
	once = print_rule(a, st);
	st = rule_parse(a, once); /* no longer where it takes several lines, or too much room */
	if (!st)
		return (struct str){ NULL, 0 };
	twice = print_rule(a, st);
	return str_eq(once, twice) ? once : (struct str){ NULL, 0 };
}

/* Behind the keyword: the words of its permissions. */
static bool is_perms(enum aa_class class, const struct aa_item *i)
{
	const char *name;

	if (i->kind == AA_LIST)
		return true;
	for (unsigned bit = 1; bit && (name = aa_perm_name(class, bit)); bit <<= 1)
		if (aa_item_is(i, name))
			return true;
	return false;
}

bool rule_split(struct arena *a, struct str text, struct rule_parts *out)
{
	const struct aa_rule *rule = read_rule(a, text);
	struct aa_stmt rest;
	struct aa_item **end;

	if (!rule)
		return false;
	*out = (struct rule_parts){ .class = rule->class };
	rest = *rule->use->stmt;
	if (!aa_perm_name(rule->class, 1)) {
		out->rest = print_rule(a, &rest);
		return true;
	}
	out->perms = rule->perms;
	rest.items = rest.items->next;
	for (end = &rest.items; *end;)
		if (is_perms(rule->class, *end))
			*end = (*end)->next;
		else
			end = &(*end)->next;
	out->rest = rest.items ? print_rule(a, &rest) : STR("");
	return true;
}

struct str rule_join(struct arena *a, const struct rule_parts *parts)
{
	const char *name, *gap = "";
	BUF_AUTO out = { 0 };
	bool word;

	if (!parts->perms)
		return parts->rest;
	/* The one that is a word alone: parser_yacc.y of 5.0. */
	word = parts->class == AA_CLASS_USERNS;
	buf_printf(&out, "%s %s", aa_class_name(parts->class), word ? "" : "(");
	for (unsigned bit = 1; bit && (name = aa_perm_name(parts->class, bit)); bit <<= 1) {
		if (!(parts->perms & bit))
			continue;
		buf_printf(&out, "%s%s", gap, name);
		gap = ", ";
	}
	buf_printf(&out, "%s%s" PRISTR, word ? "" : ")", parts->rest.n ? " " : "",
		   STRARG(parts->rest));
	return rule_spelling(a, (struct str){ buf_keep(a, &out), out.n });
}

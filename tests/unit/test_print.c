/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Trees made by programs: random ones, with paths and comments no user would write. What is
 * printed parses without errors and prints the same again; commands on the builders, too.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "compiler/base/bug.h"
#include "grammar/ast_build.h"
#include "grammar/parse.h"
#include "grammar/apparmor_tree.h"
#include "grammar/print.h"

#define ROUNDS 3000

static uint64_t seed;

static unsigned below(unsigned n) /* xorshift64*: the same trees on every run */
{
	seed ^= seed >> 12;
	seed ^= seed << 25;
	seed ^= seed >> 27;
	return (unsigned)((seed * UINT64_C(2685821657736338717)) >> 33) % n;
}

/* Names that are words of the language, too: legal wherever a name may stand. */
static const char *name(void)
{
	static const char *const names[] = {
		"read",    "kill", "mount", "signal",       "level", "policy", "deny",
		"AF_INET", "x-y",  "use",   "ptrace",       "a",     "errno",  "umount",
		"default", "_9",   "when",  "kill-process", "host",
	};

	return names[below(ARRAY_SIZE(names))];
}

static const char *hostile(struct arena *a, const char *first)
{
	static const char *const parts[] = { "/",  "{",    "}",    "[",          "]",    "a",
					     ",",  ";",    "\"",   "\\",         " ",    "\t",
					     "\n", "\x01", "\xff", "\xc3\xbc",   "*",    "@{A}",
					     "#",  "\\\"", "\xc2", "\\\xc3\xbc", "\x7f", "->" };
	char text[64];
	size_t n = strlen(first);

	memcpy(text, first, n + 1);
	for (unsigned i = below(9); i; i--) {
		const char *part = parts[below(ARRAY_SIZE(parts))];

		memcpy(text + n, part, strlen(part) + 1);
		n += strlen(part);
	}
	return arena_strdup(a, text);
}

static struct ast_value *value(struct arena *a, unsigned depth)
{
	switch (below(depth ? 3 : 2)) {
	case 0: return ast_name(a, name());
	case 1: return ast_number(a, (uint64_t)below(5) << below(60));
	default: return ast_or(a, value(a, depth - 1), value(a, depth - 1));
	}
}

static struct ast_value *elements(struct arena *a)
{
	struct ast_value *list = NULL, **end = &list;

	for (unsigned i = 1 + below(3); i; i--) {
		*end = value(a, 2);
		if (!below(3)) {
			struct ast_value *range = ast_number(a, 0);

			range->kind = AST_VALUE_RANGE;
			range->left = *end;
			range->right = value(a, 1);
			*end = range;
		}
		end = &(*end)->next;
	}
	return list;
}

static struct ast_cond *cond(struct arena *a, unsigned depth)
{
	static const enum ast_cond_kind kinds[] = { AST_COND_AND, AST_COND_OR, AST_COND_NOT };

	if (!depth || !below(3)) {
		enum ast_cmp op = (enum ast_cmp)below(AST_CMP_NR);

		return ast_cmp_new(a, name(), below(2), op, below(3) ? NULL : value(a, 2),
				   op == AST_CMP_IN ? elements(a) : value(a, 2));
	}
	enum ast_cond_kind kind = kinds[below(3)];
	struct ast_cond *c = ast_cond_join(a, kind, cond(a, depth - 1),
					   kind == AST_COND_NOT ? NULL : cond(a, depth - 1));

	c->comma = kind == AST_COND_AND && below(2);
	c->parens = !below(4);
	return c;
}

static struct ast_env *env(struct arena *a, unsigned depth)
{
	struct ast_env *e = ARENA_NEW(a, struct ast_env);

	e->kind = (enum ast_env_kind)below(depth ? 7 : 4);
	e->parens = !below(4);
	if (e->kind == AST_ENV_KERNEL) {
		e->op = (enum ast_cmp)below(6);
		e->version = *ast_word_new(a, "5.10");
	} else if (e->kind >= AST_ENV_AND) {
		e->left = env(a, depth - 1);
		e->right = e->kind == AST_ENV_NOT ? NULL : env(a, depth - 1);
	} else {
		ast_words_add(a, &e->words, name());
		ast_words_add(a, &e->words, name());
	}
	return e;
}

static void fill_calls(struct arena *a, struct ast_stmt *s)
{
	struct ast_call **end = &s->calls;

	s->verdict = ast_verdict_of(
		a, (struct verdict){ (enum verdict_kind)below(VERDICT_NR), (uint16_t)below(4096) });
	if (!below(5))
		s->verdict.action = AST_ACTION_DENY, s->verdict.data = NULL;
	for (unsigned i = 1 + below(12); i; i--, end = &(*end)->next)
		*end = ast_call_new(a, below(5) ? name() : "#470", below(2) ? NULL : cond(a, 3));
}

/* A word, or with values a list, behind those that are there. */
static struct aa_item **add_item(struct arena *a, struct aa_item **end, const char *word,
				 unsigned values)
{
	static const char *const some[] = { "a;b", "#x", "/a{b}", "a b", "/x\\;y", "@{A}", "b}c" };
	struct aa_item *i = *end = ARENA_NEW(a, struct aa_item);
	struct aa_word **last = &i->values;

	i->kind = values ? AA_LIST : AA_WORD;
	i->word.text = str_c(word);
	for (; values; values--) {
		struct aa_word *w = *last = ARENA_NEW(a, struct aa_word);

		w->text = str_c(some[below(ARRAY_SIZE(some))]);
		w->quoted = memchr(w->text.p, ' ', w->text.n) || below(2);
		last = &w->next;
	}
	return &i->next;
}

static const struct aa_stmt *apparmor_rule(struct arena *a)
{
	static const char *const words[] = { "mount", "ptrace", "unix", "dbus", "umount" };
	struct aa_stmt *s = ARENA_NEW(a, struct aa_stmt);
	struct aa_item **end = add_item(a, &s->items, words[below(ARRAY_SIZE(words))], 0);

	s->kind = AA_STMT_RULE;
	if (below(2)) /* a list alone may be a call's condition */
		end = add_item(a, end, "/m", 0);
	for (unsigned i = s->items->next ? below(3) : 0; i; i--)
		end = add_item(a, end, "", 1 + below(3));
	return s;
}

static void fill_resource(struct arena *a, struct ast_stmt *s)
{
	static const enum ast_action actions[] = { AST_ACTION_ALLOW, AST_ACTION_LOG,
						   AST_ACTION_DENY, AST_ACTION_QUIET_DENY };

	s->verdict.action = actions[below(4)];
	s->explicit_allow = s->verdict.action == AST_ACTION_ALLOW && below(2);
	if (s->kind == AST_STMT_APPARMOR) {
		s->rule = apparmor_rule(a);
	} else if (s->kind == AST_STMT_FILE) {
		s->owner = below(2);
		ast_words_add(a, &s->perms, "rwix");
		for (unsigned i = 1 + below(3); i; i--)
			ast_words_add(a, &s->paths, hostile(a, below(4) ? "/" : ""));
		if (!below(3))
			s->target = *ast_word_new(a, hostile(a, "t"));
	} else {
		for (unsigned i = 1 + below(20); i; i--)
			ast_words_add(a, &s->words, name());
	}
}

static void fill_body(struct arena *a, struct ast_body *b, unsigned depth);

static void add_stmt(struct arena *a, struct ast_body *b, unsigned depth)
{
	static const enum ast_stmt_kind kinds[] = { AST_STMT_CALLS,      AST_STMT_FILE,
						    AST_STMT_CAPABILITY, AST_STMT_USE,
						    AST_STMT_NAMESPACE,  AST_STMT_APPARMOR,
						    AST_STMT_WHEN };
	struct ast_stmt *s = ast_add(b, kinds[below(depth ? 7 : 6)]);

	s->blank_before = below(2);
	while (!below(3))
		ast_comment_add(a, &s->leading, "%s", hostile(a, below(2) ? "" : "5"));
	while (s->leading && !below(2))
		s->leading->blank_before = !s->leading->blank_before;
	if (!below(3))
		ast_comment_add(a, &s->trailing, "%s", hostile(a, "t"));
	if (s->kind == AST_STMT_CALLS) {
		fill_calls(a, s);
	} else if (s->kind == AST_STMT_WHEN) {
		struct ast_body inside = { .arena = a };

		s->env = env(a, 3);
		fill_body(a, &inside, depth - 1);
		s->body = inside.first;
		if (!below(3))
			ast_comment_add(a, &s->inner, "%s", hostile(a, ""));
	} else if (s->kind == AST_STMT_USE) {
		ast_words_add(a, &s->words, name());
		if (below(2))
			ast_words_add(a, &s->except, name());
	} else {
		fill_resource(a, s);
	}
}

static void fill_body(struct arena *a, struct ast_body *b, unsigned depth)
{
	for (unsigned i = below(6); i; i--)
		add_stmt(a, b, depth);
}

static void random_trees_print_to_what_they_are(void **state)
{
	(void)state;
	for (unsigned round = 1; round <= ROUNDS; round++) {
		struct arena *a = arena_new(NULL);
		struct sources *sources = sources_new(a);
		struct diags *ds = diags_new(a, sources);
		struct ast_body top = { .arena = a }, inside = { .arena = a };
		struct ast_file file = { 0 };
		BUF_AUTO once = { 0 };
		BUF_AUTO twice = { 0 };

		seed = round * UINT64_C(0x9e3779b97f4a7c15);
		struct ast_stmt *policy = ast_add(&top, below(2) ? AST_STMT_POLICY : AST_STMT_SET);
		policy->name = *ast_word_new(a, below(4) ? name() :
						below(2) ? "and" :
							   hostile(a, "9"));
		fill_body(a, &inside, 3);
		policy->body = inside.first;
		file.stmts = top.first;
		ast_print(&once, &file);
		struct source *src = source_add(sources, "x", (struct str){ once.p, once.n });
		ast_print(&twice, pale_parse_source(a, src, ds));
		if (ds->errors) {
			BUF_AUTO text = { 0 };

			diag_print_text(ds, ds->list.v[0], false, &text);
			fail_msg("round %u: %s", round, text.p);
		}
		assert_string_equal(once.p, twice.p);
		arena_free(a);
	}
}

static void errno_verdicts_are_named(void **state)
{
	struct arena *a = arena_new(NULL);
	struct ast_verdict v = ast_verdict_of(a, (struct verdict){ VERDICT_ERRNO, 38 });

	(void)state;
	assert_true(str_is(v.data->text, "ENOSYS"));
	v = ast_verdict_of(a, (struct verdict){ VERDICT_ERRNO, 4000 });
	assert_int_equal(v.data->number, 4000);
	arena_free(a);
}

static struct ast_call_args *parse_call(struct arena *a, const char *text, size_t *errors)
{
	struct sources *sources = sources_new(a);
	struct diags *ds = diags_new(a, sources);
	struct ast_call_args *c = pale_parse_call(a, source_add(sources, "c", str_c(text)), ds);

	*errors = ds->errors;
	return c;
}

static void calls_of_the_command_line(void **state)
{
	static const char *const wrong[] = { "",         "read(",
					     "read)",    "read(1,)",
					     "#",        "#x",
					     "read;",    "a(1,2,3,4,5,6,7)",
					     "a(b==)",   "a(1",
					     "9",        "a(09)",
					     "read() x", "policy a { allow x; }" };
	struct arena *a = arena_new(NULL);
	size_t errors;
	struct ast_call_args *c =
		parse_call(a, "socket(AF_VSOCK, type=SOCK_STREAM|1, -1)", &errors);

	(void)state;
	assert_non_null(c);
	assert_true(str_is(c->name.text, "socket"));
	assert_int_equal(c->nargs, 3);
	assert_int_equal(c->args[0].name.text.n, 0);
	assert_true(str_is(c->args[1].name.text, "type"));
	assert_int_equal(c->args[1].value->kind, AST_VALUE_OR);
	assert_true(c->args[2].value->negative);
	c = parse_call(a, "#470(1,2)", &errors);
	assert_true(c && c->by_number && c->number == 470 && c->nargs == 2);
	c = parse_call(a, "mount()", &errors);
	assert_true(c && str_is(c->name.text, "mount") && !c->nargs);
	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
		assert_null(parse_call(a, wrong[i], &errors));
		assert_true(errors > 0);
	}
	arena_free(a);
}

static void rules_of_apparmor_are_read_by_its_grammar(void **state)
{
	struct arena *a = arena_new(NULL);
	struct sources *sources = sources_new(a);
	struct diags *ds = diags_new(a, sources);
	struct str text = STR("set s { mount options=(rw, \"a;b\") /x{a,b} -> /y ; allow mount; }");
	struct ast_file *f = pale_parse_source(a, source_add(sources, "r", text), ds);
	struct ast_stmt *s = f->stmts->body;

	(void)state;
	assert_int_equal(ds->errors, 0);
	assert_int_equal(s->kind, AST_STMT_APPARMOR);
	assert_true(aa_item_is(s->rule->items, "mount"));
	assert_true(s->rule->items->next->values->next->quoted);
	assert_true(str_is(s->rule->items->next->values->next->text, "a;b"));
	assert_true(str_is(s->rule->items->next->next->word.text, "/x{a,b}"));
	assert_int_equal(s->next->kind, AST_STMT_CALLS);
	arena_free(a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(random_trees_print_to_what_they_are),
		cmocka_unit_test(errno_verdicts_are_named),
		cmocka_unit_test(calls_of_the_command_line),
		cmocka_unit_test(rules_of_apparmor_are_read_by_its_grammar),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

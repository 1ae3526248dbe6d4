/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Variables set, and conditions: what a release's parser makes of them (symtab.cc, variable.cc and
 * cond_expr.cc of 5.0.2; parser_symtab.c and parser_yacc.y before).
 */
#include "compiler/apparmor/expand_parts.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* "@{X}", "@X", "${X}", "$X": one table has them all. */
static struct str bare_name(struct str written)
{
	struct str s = { written.p + 1, written.n - 1 };

	if (s.n > 2 && s.p[0] == '{')
		s = (struct str){ s.p + 1, s.n - 2 };
	return s;
}

/* ---- what is set ---- */

static void tell_twice(struct expanding *x, const struct aa_stmt *s, const struct aa_from *from,
		       const struct aa_var *var)
{
	struct diag *d = aax_tell(x, DIAG_PL355, s->word.span, from, "'%s' is declared already",
				  aax_shown(x, s->word.text));

	diag_note(x->ds, d, var->span, "declared here");
	if (s->kind == AA_STMT_VAR && !var->boolean)
		diag_help(x->ds, d, "write '+=' to add values");
	else
		diag_help(x->ds, d, "a variable and a boolean cannot have one name");
}

/* A boolean of 5.0 is known by the sign behind it, on its line (parser_lex.l, BOOL_VARIABLE). */
static bool is_parted(const struct source *src, const struct aa_stmt *s)
{
	uint32_t i = s->word.span.end;

	while (i < src->text.n && strchr(" \t", src->text.p[i]))
		i++;
	return i < src->text.n && strchr("\r\n#", src->text.p[i]);
}

static bool has_operator(struct expanding *x, const struct aa_stmt *s, const struct aa_from *from)
{
	const struct source *src = source_of(x->ds->sources, s->word.span);
	struct diag *d;

	if (s->kind == AA_STMT_BOOL && x->p->target.release >= AA_RELEASE_5_0 &&
	    is_parted(src, s)) {
		d = aax_tell(x, DIAG_PL355, s->word.span, from,
			     "the sign behind '%s' stands on another line",
			     aax_shown(x, s->word.text));
		diag_help(x->ds, d, "write it behind the name");
		return false;
	}

	if ((s->op == AA_OP_DEFAULT || s->op == AA_OP_SET) &&
	    x->p->target.release < AA_RELEASE_5_0) {
		aax_tell_newer(x, s->head, from, s->op == AA_OP_SET ? "':='" : "'?='",
			       AA_RELEASE_5_0);
		return false;
	}
	/* "@{V}:=" is the beginning of a name to the parser's scanner. */
	if (s->kind != AA_STMT_VAR || s->op != AA_OP_SET || src->text.p[s->word.span.end] != ':')
		return true;
	d = aax_tell(x, DIAG_PL355, s->word.span, from, "':=' follows the name without a blank");
	diag_help(x->ds, d, "write '%s :='", aax_shown(x, s->word.text));
	return false;
}

static bool too_many(struct expanding *x, const struct aa_stmt *s, const struct aa_from *from)
{
	if (x->vars.list.n < AA_VARS_MAX)
		return false;
	aax_tell(x, DIAG_PL353, s->word.span, from, "more than %d variables are declared",
		 AA_VARS_MAX);
	x->stopped = true;
	return true;
}

/* The variable to put values into; NULL: none is to change, *told or not. */
static struct aa_var *target_of(struct expanding *x, const struct aa_stmt *s,
				const struct aa_from *from)
{
	struct str name = bare_name(s->word.text);
	struct aa_var *var = aa_vars_find(&x->vars, name);
	struct diag *d;

	if (s->op == AA_OP_ADD && var && !var->boolean)
		return var;
	if (s->op == AA_OP_ADD) {
		d = aax_tell(x, DIAG_PL355, s->word.span, from,
			     var ? "'%s' is a boolean, and takes no further values" :
				   "'%s' is added to and not declared before",
			     aax_shown(x, s->word.text));
		if (var) {
			diag_note(x->ds, d, var->span, "declared here");
			return NULL;
		}
		diag_help(x->ds, d, "declare it with '=' first"); /* and is, for what uses it */
	}
	if (var && s->op == AA_OP_DEFAULT)
		return NULL;
	if (var && s->op != AA_OP_SET) {
		tell_twice(x, s, from, var);
		return NULL;
	}
	if (!var && too_many(x, s, from))
		return NULL;
	var = aa_vars_declare(&x->vars, name);
	var->span = s->word.span;
	var->from = from;
	return var;
}

/* A '#' where values end, with what follows on the line; empty: there is none. */
static struct span comment_of(struct expanding *x, const struct aa_stmt *s)
{
	const struct aa_word *last = s->values;
	const struct source *src = source_of(x->ds->sources, s->span);
	bool valued = last || s->expr;
	uint32_t i;

	while (last && last->next)
		last = last->next;
	i = last ? last->span.end : s->expr ? s->expr->span.end : s->word.span.end;
	/* Without a value its sign comes first. */
	while (i < src->text.n && strchr(valued ? " \t" : " \t=+?:", src->text.p[i]))
		i++;
	struct span sp = { s->span.source, i, i };
	if (i >= src->text.n || src->text.p[i] != '#')
		return sp;
	while (sp.end < src->text.n && !strchr("\r\n", src->text.p[sp.end]))
		sp.end++;
	return sp;
}

/* Parser 3.0 has no comments behind values: '#' and the words behind it are values. */
static void add_comment(struct expanding *x, struct span sp, const struct aa_from *from,
			struct aa_var *var)
{
	struct str text = span_text(x->ds->sources, sp);
	struct diag *d = aax_tell(x, DIAG_PL360, sp, from,
				  "to AppArmor 3.0 this is no comment: its words are values");

	diag_help(x->ds, d, "put the comment on a line of its own");
	for (size_t i = 0; i < text.n;) {
		size_t begin = i;
		while (i < text.n && !strchr(" \t", text.p[i]))
			i++;
		if (i > begin)
			vec_push(x->arena, &var->values,
				 ((struct str){ text.p + begin, i - begin }));
		i += i == begin;
	}
}

void aax_set_variable(struct expanding *x, const struct aa_stmt *s, const struct aa_from *from)
{
	struct span comment = { 0 };
	struct aa_var *var;
	struct diag *d;

	x->vars.turn++;
	if (x->p->target.release < AA_RELEASE_4_0)
		comment = comment_of(x, s);
	if (!s->values && comment.begin == comment.end) {
		d = aax_tell(x, DIAG_PL355, s->word.span, from, "'%s' is given no value",
			     aax_shown(x, s->word.text));
		diag_help(x->ds, d, "write \"\" for an empty one");
		return;
	}
	if (!has_operator(x, s, from))
		return;
	var = target_of(x, s, from);
	if (!var)
		return;
	if (var->frozen) {
		d = aax_tell(x, DIAG_PL360, s->word.span, from,
			     "'%s' keeps the values it had when a condition asked for them",
			     aax_shown(x, s->word.text));
		diag_help(x->ds, d, "add to it in front of the condition");
	}
	for (const struct aa_word *w = s->values; w; w = w->next)
		vec_push(x->arena, &var->values, glob_unescape(x->arena, w->text));
	if (comment.begin < comment.end)
		add_comment(x, comment, from, var);
}

/* ---- conditions ---- */

struct deciding {
	struct expanding *x;
	const struct aa_from *from;
	bool failed;
};

/* What is wrong with it, said of a name where that is not NULL. */
static struct diag *fail(struct deciding *c, struct span sp, const char *name, const char *what)
{
	c->failed = true;
	if (!name)
		return aax_tell(c->x, DIAG_PL358, sp, c->from, "%s", what);
	return aax_tell(c->x, DIAG_PL358, sp, c->from, "'%s' %s", name, what);
}

static int as_boolean(struct str s)
{
	if (s.n == 4 && !strncasecmp(s.p, "true", 4))
		return 1;
	return s.n == 5 && !strncasecmp(s.p, "false", 5) ? 0 : -1;
}

static void suggest_boolean(struct deciding *c, struct diag *d, const struct aa_word *w)
{
	struct suggest s;
	bool near = diag_suggest_start(c->x->ds, &s, bare_name(w->text));

	if (near) {
		vec_each(&c->x->vars.list, v)
			if ((*v)->boolean)
				suggest_offer(&s, (*v)->name);
	}
	if (near && s.best.p)
		diag_help(c->x->ds, d, "did you mean '${" PRISTR "}'?", STRARG(s.best));
	else
		diag_help(c->x->ds, d, "set it in front of the first profile: %s = true",
			  aax_shown(c->x, w->text));
}

static bool ask_boolean(struct deciding *c, const struct aa_word *w)
{
	const struct aa_var *var = aa_vars_find(&c->x->vars, bare_name(w->text));
	struct diag *d;

	if (var && var->boolean)
		return var->value;
	d = fail(c, w->span, aax_shown(c->x, w->text),
		 var ? "is a variable with values, not a boolean" : "is a boolean that is not set");
	if (var)
		diag_note(c->x->ds, d, var->span, "declared here");
	else
		suggest_boolean(c, d, w);
	return false;
}

/* Whether a ${B} is defined has three answers: is there such a name, its value, no. */
static bool ask_defined_boolean(struct deciding *c, const struct aa_word *w,
				const struct aa_var *var)
{
	enum aa_release release = c->x->p->target.release;
	struct diag *d;

	if (release < AA_RELEASE_4_1)
		return var != NULL;
	if (release < AA_RELEASE_5_0)
		return ask_boolean(c, w);
	if (!var || !var->boolean)
		return var != NULL;
	d = aax_tell(c->x, DIAG_PL360, w->span, c->from,
		     "AppArmor 5.0 answers no whenever a boolean is asked whether it is defined");
	diag_help(c->x->ds, d,
		  "set it with '?=' in front of the first profile, and ask for its "
		  "value");
	return false;
}

static void tell_values(struct deciding *c, struct span sp, const struct aa_var *var)
{
	static const char *const says[] = {
		[AA_OPEN_UNDECLARED] = "has a value with a variable that is not declared",
		[AA_OPEN_BOOLEAN] = "is a boolean, or has one in its values",
		[AA_OPEN_RECURSIVE] = "is in its own values",
		[AA_OPEN_BAD_NAME] = "has a value with '@{', and no variable's name behind it",
		[AA_OPEN_TOO_MANY] = "has more values than pale opens",
	};
	struct diag *d = fail(c, sp, aax_shown(c->x, var->name), says[var->fault]);

	diag_note(c->x->ds, d, var->span, "declared here");
}

static bool ask_defined(struct deciding *c, const struct aa_word *w)
{
	struct aa_var *var = aa_vars_find(&c->x->vars, bare_name(w->text));

	if (w->text.p[0] == '$')
		return ask_defined_boolean(c, w, var);
	if (!var || var->boolean)
		return false;
	/* Parsers before 5.0 end where the values cannot be had. */
	if (aa_vars_open(&c->x->vars, var) && c->x->p->target.release < AA_RELEASE_5_0)
		tell_values(c, w->span, var);
	return true;
}

/* A word is one value, but for a variable, which is its values; quotes make no difference. */
struct operand {
	const struct str *v;
	size_t n;
	struct str one;
};

static bool is_variable(struct str s)
{
	size_t i = 1;
	bool braces = s.n > 1 && s.p[1] == '{';

	if (s.n < 2 || (s.p[0] != '@' && s.p[0] != '$') || (braces && s.p[s.n - 1] != '}'))
		return false;
	struct str name = bare_name(s);
	for (i = 0; i < name.n; i++) {
		char ch = name.p[i];
		bool alpha = (ch >= 'a' && ch <= 'z') || (ch >= 'A' && ch <= 'Z');
		if (!alpha && (!i || (ch != '_' && (ch < '0' || ch > '9'))))
			return false;
	}
	return name.n > 0;
}

static struct operand operand_of(struct deciding *c, const struct aa_word *w)
{
	struct operand out = { .one = glob_unescape(c->x->arena, w->text) };
	struct aa_var *var;

	if (!is_variable(out.one)) {
		out.n = 1;
		return out;
	}
	var = aa_vars_find(&c->x->vars, bare_name(out.one));
	if (!var) {
		struct diag *d = fail(c, w->span, aax_shown(c->x, w->text),
				      "is a variable that is not declared");
		diag_help(c->x->ds, d, "ask 'defined %s' first, in a condition around this one",
			  aax_shown(c->x, w->text));
		return out;
	}
	if (aa_vars_open(&c->x->vars, var)) {
		tell_values(c, w->span, var);
		return out;
	}
	out.v = var->opened.v;
	out.n = var->opened.n;
	return out;
}

static struct str operand_at(const struct operand *o, size_t i)
{
	return o->v ? o->v[i] : o->one;
}

static int compare_sets(const struct operand *a, const struct operand *b)
{
	for (size_t i = 0; i < a->n && i < b->n; i++) {
		int order = str_cmp(operand_at(a, i), operand_at(b, i));
		if (order)
			return order;
	}
	return (a->n > b->n) - (a->n < b->n);
}

static bool is_subset(const struct operand *a, const struct operand *b)
{
	size_t k = 0;

	for (size_t i = 0; i < a->n; i++) {
		while (k < b->n && str_cmp(operand_at(b, k), operand_at(a, i)) < 0)
			k++;
		if (k == b->n || !str_eq(operand_at(a, i), operand_at(b, k)))
			return false;
	}
	return true;
}

/* strtol(3) with base 0, as a whole: 1, 0: no number; -1: out of range. */
static int as_number(struct expanding *x, const struct operand *o, long *out)
{
	const char *text;
	char *end;

	if (o->n != 1 || !operand_at(o, 0).n)
		return 0;
	text = str_dup(x->arena, operand_at(o, 0));
	errno = 0;
	*out = strtol(text, &end, 0);
	return errno == ERANGE ? -1 : !*end;
}

static int compare_order(struct deciding *c, const struct aa_expr *e, const struct operand *a,
			 const struct operand *b)
{
	long left = 0, right = 0;
	int is_left = as_number(c->x, a, &left), is_right = as_number(c->x, b, &right);

	if (is_left < 0 || is_right < 0)
		fail(c, e->span, NULL, "a number here is out of range");
	else if (is_left != is_right)
		diag_help(c->x->ds,
			  fail(c, e->span, NULL, "a number is compared with what is none"),
			  "numbers are compared with numbers, words with words");
	if (is_left && is_right)
		return (left > right) - (left < right);
	return compare_sets(a, b);
}

static bool ask_cmp(struct deciding *c, const struct aa_expr *e)
{
	struct operand a = operand_of(c, &e->word), b = operand_of(c, &e->other);

	if (!a.n || !b.n)
		return false;
	switch (e->cmp) {
	case AA_CMP_EQ: return !compare_sets(&a, &b);
	case AA_CMP_NE: return compare_sets(&a, &b) != 0;
	case AA_CMP_IN: return is_subset(&a, &b);
	case AA_CMP_GT: return compare_order(c, e, &a, &b) > 0;
	case AA_CMP_GE: return compare_order(c, e, &a, &b) >= 0;
	case AA_CMP_LT: return compare_order(c, e, &a, &b) < 0;
	case AA_CMP_LE: return compare_order(c, e, &a, &b) <= 0;
	}
	return false;
}

static bool ask_value(struct deciding *c, const struct aa_word *w)
{
	int value = as_boolean(glob_unescape(c->x->arena, w->text));

	if (value < 0) {
		struct diag *d =
			fail(c, w->span, aax_shown(c->x, w->text), "is neither true nor false");
		if (w->text.n && w->text.p[0] == '@')
			diag_help(c->x->ds, d, "ask 'defined %s', or compare it",
				  aax_shown(c->x, w->text));
		else
			diag_help(c->x->ds, d, "a boolean is written ${NAME}");
	}
	return value > 0;
}

/* Both sides are asked, whatever the first gives: the parser does, and what is wrong is told. */
static bool ask(struct deciding *c, const struct aa_expr *e)
{
	bool left;

	switch (e->kind) {
	case AA_EXPR_BOOL: return ask_boolean(c, &e->word);
	case AA_EXPR_DEFINED: return ask_defined(c, &e->word);
	case AA_EXPR_VALUE: return ask_value(c, &e->word);
	case AA_EXPR_CMP: return ask_cmp(c, e);
	case AA_EXPR_NOT: return !ask(c, e->left);
	case AA_EXPR_AND: left = ask(c, e->left); return ask(c, e->right) && left;
	case AA_EXPR_OR: left = ask(c, e->left); return ask(c, e->right) || left;
	}
	return false;
}

/* Before 5.0: ${B}, `defined`, `not`. */
static bool is_old_form(const struct aa_expr *e)
{
	while (e->kind == AA_EXPR_NOT && !e->parens)
		e = e->left;
	return !e->parens && (e->kind == AA_EXPR_BOOL || e->kind == AA_EXPR_DEFINED);
}

bool aax_decide_if(struct expanding *x, const struct aa_expr *e, const struct aa_from *from)
{
	struct deciding c = { .x = x, .from = from };

	if (x->p->target.release < AA_RELEASE_5_0 && !is_old_form(e)) {
		aax_tell_newer(x, e->span, from, "this condition", AA_RELEASE_5_0);
		return false;
	}
	return ask(&c, e) && !c.failed;
}

/* To 3.0 a comment behind the value is more of them. */
static bool has_more_values(struct expanding *x, const struct aa_stmt *s,
			    const struct aa_from *from)
{
	struct span comment = comment_of(x, s);

	if (x->p->target.release >= AA_RELEASE_4_0 || comment.begin == comment.end)
		return false;
	diag_help(x->ds,
		  aax_tell(x, DIAG_PL355, comment, from,
			   "to AppArmor 3.0 this is no comment: a boolean has one value"),
		  "put the comment on a line of its own");
	return true;
}

void aax_set_boolean(struct expanding *x, const struct aa_stmt *s, const struct aa_from *from)
{
	struct deciding c = { .x = x, .from = from };
	struct aa_var *var;
	bool value;

	x->vars.turn++;
	if (!has_operator(x, s, from))
		return;
	if (s->op == AA_OP_ADD) {
		aax_tell(x, DIAG_PL355, s->head, from, "a boolean takes no '+='");
		return;
	}
	if (x->p->target.release < AA_RELEASE_5_0 &&
	    (s->expr->kind != AA_EXPR_VALUE || s->expr->parens)) {
		aax_tell_newer(x, s->expr->span, from, "booleans but true and false",
			       AA_RELEASE_5_0);
		return;
	}
	value = ask(&c, s->expr);
	if (c.failed || has_more_values(x, s, from))
		return;
	var = target_of(x, s, from);
	if (!var)
		return;
	var->boolean = true;
	var->value = value;
}

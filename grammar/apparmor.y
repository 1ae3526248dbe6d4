/* SPDX-License-Identifier: Apache-2.0 */
/*
 * AppArmor's language, as apparmor.d(5) of release 5.0 has it. Outside of braces, variables and
 * conditions every statement has one shape: what a rule may begin with, then words, lists and
 * conditions up to ','. What they may be stands in compiler/rules/classes.def, not here.
 * Actions are one expression each; lists are left recursive and recover at ',' and at '}'.
 */
%require "3.8"
%define api.pure full
%define api.prefix {aa_}
%define api.token.prefix {T_}
%define api.value.type union
%define api.location.type {struct span}
%define parse.error custom
%define parse.lac full
%locations
%expect 0
%param {struct aa_parse *p}
%initial-action { @$ = p->prev; }

%code requires {
#include "grammar/apparmor_parser.h"
}
%code {
static int yylex(AA_STYPE *lval, struct span *loc, struct aa_parse *p);
static void yyerror(const struct span *loc, struct aa_parse *p, const char *what);
}

%token END 0 "end of file"
%token JUNK "a stray character"
%token COMMA "," LBRACE "{" RBRACE "}" LPAREN "(" RPAREN ")"
%token ARROW "->" LE "<=" PLUS "+" EOL "end of line"
%token IF "if" ELSE "else" AND "and" OR "or" NOT "not" DEFINED "defined"
%token IN "in" EQ "==" NE "!=" GT ">" GE ">=" LT "<"

%token <enum aa_op> ASSIGN "="
%token <struct aa_word> WORD "a word" PREFIX "a prefix" PRIORITY "priority" CONDITION "a condition"
%token <struct aa_word> GROUP "a group" VARIABLE "a variable" BOOLEAN "a boolean variable"
%token <struct aa_word> INCLUDE "include"

%nterm <struct aa_stmts> stmts block
%nterm <struct aa_stmt *> stmt otherwise choice
%nterm <struct aa_items> prefix items conds
%nterm <struct aa_item *> item cond
%nterm <struct aa_words> values list
%nterm <struct aa_expr *> expr term factor primary
%nterm <struct aa_word> operand
%nterm <enum aa_cmp> cmp
%%

/* Bison 3.8 counts its errors and reads the count nowhere; newer compilers warn of that. */
file:
	stmts				{ aa_add_top(p, $stmts); (void)yynerrs; }
|	file "}" stmts			{ aa_stray_brace(p, @2); aa_add_top(p, $stmts); }
;

stmts:
	%empty				{ $$ = (struct aa_stmts){ 0 }; }
|	stmts[list] stmt		{ $$ = aa_stmts_add($list, $stmt); }
;

stmt:
	prefix items ","		{ $$ = aa_rule(p, @$, $prefix, $items); }
|	prefix items block		{ $$ = aa_braces(p, @$, $prefix, $items, $block, @block); }
|	choice
|	VARIABLE[name] ASSIGN[op] values EOL
					{ $$ = aa_set(p, span_join(@1, @values), $op, $name, $values, NULL); }
|	BOOLEAN[name] ASSIGN[op] expr EOL
					{ $$ = aa_set(p, span_join(@1, @expr), $op, $name, (struct aa_words){ 0 }, $expr); }
|	INCLUDE[how] WORD[file]		{ $$ = aa_include(p, @$, $how, $file); }
|	error ","			{ $$ = NULL; yyerrok; }
|	error EOL			{ $$ = NULL; yyerrok; }
|	error block			{ $$ = NULL; }
;

block:
	"{" stmts "}"			{ $$ = $stmts; }
|	"{" stmts error "}"		{ $$ = $stmts; yyerrok; }
;

prefix:
	%empty				{ $$ = (struct aa_items){ 0 }; }
|	prefix[list] PREFIX[word]	{ $$ = aa_items_add($list, aa_item_word(p, @2, AA_WORD, $word)); }
|	prefix[list] PRIORITY[name] ASSIGN[op] WORD[value]
					{ $$ = aa_items_add($list, aa_item_cond(p, span_join(@2, @4), $name, $op, aa_words_add(p, (struct aa_words){ 0 }, $value), false)); }
;

items:
	%empty				{ $$ = (struct aa_items){ 0 }; }
|	items[list] item		{ $$ = aa_items_add($list, $item); }
;

item:
	WORD[word]			{ $$ = aa_item_word(p, @$, AA_WORD, $word); }
|	"->" WORD[word]			{ $$ = aa_item_word(p, @$, AA_ARROW, $word); }
|	"<="				{ $$ = aa_item_word(p, @$, AA_LE, (struct aa_word){ 0 }); }
|	"+"				{ $$ = aa_item_word(p, @$, AA_PLUS, (struct aa_word){ 0 }); }
|	list				{ $$ = aa_item_list(p, @$, $list); }
|	cond
|	GROUP[name] ASSIGN "(" conds ")"
					{ $$ = aa_item_group(p, @$, $name, $conds); }
;

cond:
	CONDITION[name] ASSIGN[op] WORD[value]
					{ $$ = aa_item_cond(p, @$, $name, $op, aa_words_add(p, (struct aa_words){ 0 }, $value), false); }
|	CONDITION[name] ASSIGN[op] list	{ $$ = aa_item_cond(p, @$, $name, $op, $list, true); }
|	CONDITION[name] "in" list	{ $$ = aa_item_cond(p, @$, $name, AA_OP_IN, $list, true); }
;

conds:
	%empty				{ $$ = (struct aa_items){ 0 }; }
|	conds[all] cond			{ $$ = aa_items_add($all, $cond); }
|	conds[all] WORD[name]		{ $$ = aa_items_add($all, aa_item_cond(p, @2, $name, AA_OP_NONE, (struct aa_words){ 0 }, false)); }
;

list:
	"(" values ")"			{ $$ = $values; }
;

values:
	%empty				{ $$ = (struct aa_words){ 0 }; }
|	values[all] WORD[word]		{ $$ = aa_words_add(p, $all, $word); }
;

/* ---- conditions ---- */

choice:
	"if" expr block otherwise	{ $$ = aa_if(p, @$, $expr, $block, @block, $otherwise); }
;

otherwise:
	%empty				{ $$ = NULL; }
|	"else" choice			{ $$ = $choice; }
|	"else" block			{ $$ = aa_braces(p, @block, (struct aa_items){ 0 }, (struct aa_items){ 0 }, $block, @block); }
;

expr:
	term
|	expr[left] "or" term[right]	{ $$ = aa_expr_join(p, @$, AA_EXPR_OR, $left, $right); }
;

term:
	factor
|	term[left] "and" factor[right]	{ $$ = aa_expr_join(p, @$, AA_EXPR_AND, $left, $right); }
;

factor:
	primary
|	"not" factor[left]		{ $$ = aa_expr_join(p, @$, AA_EXPR_NOT, $left, NULL); }
;

primary:
	BOOLEAN[word]			{ $$ = aa_expr_word(p, @$, AA_EXPR_BOOL, $word); }
|	"defined" VARIABLE[word]	{ $$ = aa_expr_word(p, @$, AA_EXPR_DEFINED, $word); }
|	"defined" BOOLEAN[word]		{ $$ = aa_expr_word(p, @$, AA_EXPR_DEFINED, $word); }
|	"(" expr ")"			{ $$ = aa_expr_parens($expr, @$); }
|	operand[left] cmp operand[right]	{ $$ = aa_expr_cmp(p, @$, $cmp, $left, $right); }
|	operand[word]			{ $$ = aa_expr_word(p, @$, AA_EXPR_VALUE, $word); }
;

operand:
	WORD
|	VARIABLE
;

cmp:
	"=="				{ $$ = AA_CMP_EQ; }
|	"!="				{ $$ = AA_CMP_NE; }
|	"in"				{ $$ = AA_CMP_IN; }
|	">"				{ $$ = AA_CMP_GT; }
|	">="				{ $$ = AA_CMP_GE; }
|	"<"				{ $$ = AA_CMP_LT; }
|	"<="				{ $$ = AA_CMP_LE; }
;
%%

static int yylex(AA_STYPE *lval, struct span *loc, struct aa_parse *p)
{
	return aa_next_token(p, lval, loc);
}

static void yyerror(const struct span *loc, struct aa_parse *p, const char *what)
{
	(void)what; /* all that the skeleton ever says here is that its stack is full */
	aa_gave_up(p, *loc);
}

static int yyreport_syntax_error(const yypcontext_t *ctx, struct aa_parse *p)
{
	struct aa_error e = { .span = *yypcontext_location(ctx) };
	yysymbol_kind_t kinds[YYNTOKENS];
	int n = yypcontext_expected_tokens(ctx, kinds, YYNTOKENS);

	for (int i = 0; i < n; i++)
		aa_error_expect(&e, yysymbol_name(kinds[i]));
	aa_syntax_error(p, &e);
	return 0;
}

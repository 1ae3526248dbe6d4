/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The pale language. policy.5 is its manual; a change here changes that page, a golden test
 * and an error golden in the same commit. Actions are one expression each: no lookups, no
 * decisions. Lists are left recursive; every list level recovers at ';' and at '}'.
 */
%require "3.8"
%define api.pure full
%define api.prefix {pale_}
%define api.token.prefix {T_}
%define api.value.type union
%define api.location.type {struct span}
%define parse.error custom
%define parse.lac full
%locations
%expect 0
%param {struct parse *p}
%initial-action { @$ = p->prev; }

%code requires {
#include "grammar/parser.h"
}
%code {
static int yylex(PALE_STYPE *lval, struct span *loc, struct parse *p);
static void yyerror(const struct span *loc, struct parse *p, const char *what);
}

%token END 0 "end of file"
%token START_FILE START_CALL
%token JUNK "a stray character"

%token SEMI ";" COMMA "," LBRACE "{" RBRACE "}" LPAREN "(" RPAREN ")"
%token EQ "==" NE "!=" LT "<" LE "<=" GT ">" GE ">=" ASSIGN "=" AMP "&" BAR "|"
%token DOTS ".." ARROW "->"

%token <struct ast_word> WORD "a name" PATH "a path" STRING "a quoted text"
%token <struct ast_word> VERSION "a version" CALL_NR "a call number"
%token <struct ast_word> RESOURCE "a resource" RESOURCE_TEXT "a resource ('mount', 'ptrace', ...)"
%token <struct ast_word> APPARMOR_TEXT "apparmor"
%token <struct ast_value *> NUMBER "a number"

%token <struct ast_word>
	ALLOW "allow" AND "and" ANY "any" ARCH "arch" CAPABILITY "capability"
	DEFAULT "default" DENY "deny" ERRNO "errno" EXCEPT "except" FILE "file"
	FOREIGN "foreign" HAS "has" HOST "host" IN "in" INCLUDE "include" KERNEL "kernel"
	KILL "kill" KILL_PROCESS "kill-process" KILL_THREAD "kill-thread" LACKS "lacks"
	LAYERS "layers" LEVEL "level" LIMIT "limit" LOG "log" NAMESPACE "namespace"
	NETWORK "network" NOT "not" NOTIFY "notify" OR "or" OWNER "owner" POLICY "policy"
	PROGRAM "program" PROTOCOL "protocol" QUIET "quiet" RECEIVE "receive"
	REFUSALS "refusals" REG "reg" SEND "send" SET "set" SIGNAL "signal" TRACE "trace" TRAP "trap" UNKNOWN "unknown"
	USE "use" WHEN "when"

%nterm <struct ast_stmt *> top include stmt header rule resource when
%nterm <struct ast_stmts> block body
%nterm <struct ast_word> name plain_name call_word call_name path target opt_target
%nterm <struct ast_words> names plain_names paths directions
%nterm <struct ast_verdict> verdict data_verdict prefix
%nterm <struct ast_calls> calls
%nterm <struct ast_call *> call
%nterm <struct ast_cond *> conds cond conj unary cmp operand
%nterm <struct ast_value *> value atom range element opt_protocol opt_number
%nterm <struct ast_values> in_values elements
%nterm <enum ast_cmp> order_op
%nterm <struct ast_networks> networks
%nterm <struct ast_network *> network
%nterm <struct ast_env *> env env_conj env_unary
%%

/* Bison 3.8 counts its errors and reads the count nowhere; newer compilers warn of that. */
start:
	START_FILE file			{ (void)yynerrs; }
|	START_CALL call_args
;

file:
	%empty
|	file top			{ parse_add_top(p, $top); }
;

top:
	"policy" name block		{ $$ = stmt_block(p, AST_STMT_POLICY, @$, @1, $name, $block); }
|	"set" name block		{ $$ = stmt_block(p, AST_STMT_SET, @$, @1, $name, $block); }
|	include
|	error ";"			{ $$ = NULL; yyerrok; }
|	error "}"			{ $$ = NULL; yyerrok; }
|	error block			{ $$ = NULL; }
;

include:
	"include" STRING ";"		{ $$ = stmt_path(p, AST_STMT_INCLUDE, @$, @1, $STRING); }
;

block:
	"{" body "}"			{ $$ = $body; }
|	"{" body error "}"		{ $$ = $body; yyerrok; }
;

body:
	%empty				{ $$ = (struct ast_stmts){ 0 }; }
|	body[list] stmt			{ $$ = stmts_add($list, $stmt); }
;

stmt:
	header ";"			{ $$ = stmt_end($header, @$); }
|	include
|	"use" names ";"			{ $$ = stmt_use(p, @$, @1, $names, NULL); }
|	"use" names[in] "except" names[out] ";"
					{ $$ = stmt_use(p, @$, @1, $in, $out.first); }
|	rule ";"			{ $$ = stmt_end($rule, @$); }
|	"limit" name atom ";"		{ $$ = stmt_limit(p, @$, @1, $name, $atom); }
|	when
|	error ";"			{ $$ = NULL; yyerrok; }
|	error block			{ $$ = NULL; }
;

header:
	"program" path			{ $$ = header_path(p, @$, @1, $path); }
|	"level" name VERSION[version]	{ $$ = header_level(p, @$, @1, $name, $version); }
|	"layers" names			{ $$ = header_words(p, AST_HEADER_LAYERS, @$, @1, $names); }
|	"arch" names			{ $$ = header_words(p, AST_HEADER_ARCH, @$, @1, $names); }
|	"default" verdict		{ $$ = header_verdict(p, AST_HEADER_DEFAULT, @$, @1, $verdict); }
|	"unknown" verdict		{ $$ = header_verdict(p, AST_HEADER_UNKNOWN, @$, @1, $verdict); }
|	"foreign" verdict		{ $$ = header_verdict(p, AST_HEADER_FOREIGN, @$, @1, $verdict); }
|	APPARMOR_TEXT[text]		{ $$ = header_apparmor(p, @$, $text); }
|	"log" "refusals"		{ $$ = header_words(p, AST_HEADER_LOG, @$, @$, words_add(p, (struct ast_words){ 0 }, $2)); }
;

/* ---- verdicts ---- */

verdict:
	"allow"				{ $$ = verdict_of(AST_ACTION_ALLOW, @$, NULL); }
|	"log"				{ $$ = verdict_of(AST_ACTION_LOG, @$, NULL); }
|	data_verdict
;

/* What calls and resources may both begin with. */
prefix:
	"allow"				{ $$ = verdict_of(AST_ACTION_ALLOW, @$, NULL); }
|	"log"				{ $$ = verdict_of(AST_ACTION_LOG, @$, NULL); }
|	"deny"				{ $$ = verdict_of(AST_ACTION_DENY, @$, NULL); }
;

data_verdict:
	"errno" atom			{ $$ = verdict_of(AST_ACTION_ERRNO, @$, $atom); }
|	"kill"				{ $$ = verdict_of(AST_ACTION_KILL_PROCESS, @$, NULL); }
|	"kill-process"			{ $$ = verdict_of(AST_ACTION_KILL_PROCESS, @$, NULL); }
|	"kill-thread"			{ $$ = verdict_of(AST_ACTION_KILL_THREAD, @$, NULL); }
|	"trap" opt_number		{ $$ = verdict_of(AST_ACTION_TRAP, @$, $opt_number); }
|	"trace" opt_number		{ $$ = verdict_of(AST_ACTION_TRACE, @$, $opt_number); }
|	"notify"			{ $$ = verdict_of(AST_ACTION_NOTIFY, @$, NULL); }
;

opt_number:
	%empty				{ $$ = NULL; }
|	NUMBER
;

/* ---- rules ---- */

rule:
	prefix calls			{ $$ = stmt_calls(p, @$, $prefix, $calls); }
|	data_verdict calls		{ $$ = stmt_calls(p, @$, $data_verdict, $calls); }
|	resource
|	prefix resource[what]		{ $$ = stmt_prefix(p, @$, $prefix, $what); }
|	prefix "any" RESOURCE_TEXT[text]	{ $$ = stmt_prefix(p, @$, $prefix, stmt_apparmor(p, @text, $text)); }
|	"quiet" "deny" resource[what]	{ $$ = stmt_prefix(p, @$, verdict_of(AST_ACTION_QUIET_DENY, span_join(@1, @2), NULL), $what); }
|	"signal"			{ $$ = stmt_signal(p, @$, @1, (struct ast_words){ 0 }, (struct ast_words){ 0 }, (struct ast_word){ 0 }); }
|	"quiet" "deny" "signal"		{ $$ = stmt_prefix(p, @$, verdict_of(AST_ACTION_QUIET_DENY, span_join(@1, @2), NULL), stmt_signal(p, @3, @3, (struct ast_words){ 0 }, (struct ast_words){ 0 }, (struct ast_word){ 0 })); }
;

/*
 * `deny signal;` is the call of that name: behind a prefix the resource says more than its name, or
 * `any` does. What stands behind the word of AppArmor's other classes is read by its own grammar.
 */
resource:
	"file" name[perms] paths opt_target
					{ $$ = stmt_file(p, @$, @1, false, $perms, $paths, $opt_target); }
|	"owner" "file" name[perms] paths opt_target
					{ $$ = stmt_file(p, @$, @1, true, $perms, $paths, $opt_target); }
|	"capability" names		{ $$ = stmt_words(p, AST_STMT_CAPABILITY, @$, @1, $names); }
|	"namespace" names		{ $$ = stmt_words(p, AST_STMT_NAMESPACE, @$, @1, $names); }
|	"network" networks		{ $$ = stmt_network(p, @$, @1, $networks); }
|	"signal" directions opt_target	{ $$ = stmt_signal(p, @$, @1, $directions, (struct ast_words){ 0 }, $opt_target); }
|	"signal" plain_names opt_target	{ $$ = stmt_signal(p, @$, @1, (struct ast_words){ 0 }, $plain_names, $opt_target); }
|	"signal" directions plain_names opt_target
					{ $$ = stmt_signal(p, @$, @1, $directions, $plain_names, $opt_target); }
|	RESOURCE_TEXT[text]		{ $$ = stmt_apparmor(p, @$, $text); }
|	"signal" "->" target		{ $$ = stmt_signal(p, @$, @1, (struct ast_words){ 0 }, (struct ast_words){ 0 }, $target); }
;

directions:
	"send"				{ $$ = words_add(p, (struct ast_words){ 0 }, $1); }
|	"receive"			{ $$ = words_add(p, (struct ast_words){ 0 }, $1); }
|	directions[list] "send"		{ $$ = words_add(p, $list, $2); }
|	directions[list] "receive"	{ $$ = words_add(p, $list, $2); }
;

path:
	PATH
|	STRING
;

paths:
	path				{ $$ = words_add(p, (struct ast_words){ 0 }, $path); }
|	paths[list] "," path		{ $$ = words_add(p, $list, $path); }
;

target:
	name
|	path
;

opt_target:
	%empty				{ $$ = (struct ast_word){ .span = @$ }; }
|	"->" target			{ $$ = $target; }
;

networks:
	network				{ $$ = networks_add((struct ast_networks){ 0 }, $network); }
|	networks[list] "," network	{ $$ = networks_add($list, $network); }
;

network:
	plain_name[family] opt_protocol	{ $$ = network_new(p, $family, (struct ast_word){ 0 }, $opt_protocol); }
|	plain_name[family] plain_name[type] opt_protocol
					{ $$ = network_new(p, $family, $type, $opt_protocol); }
;

opt_protocol:
	%empty				{ $$ = NULL; }
|	"protocol" atom			{ $$ = $atom; }
;

/* ---- calls and conditions ---- */

calls:
	call				{ $$ = calls_add((struct ast_calls){ 0 }, $call); }
|	calls[list] "," call		{ $$ = calls_add($list, $call); }
;

call:
	call_name			{ $$ = call_new(p, @$, $call_name, NULL); }
|	call_name "(" conds ")"		{ $$ = call_new(p, @$, $call_name, $conds); }
|	CALL_NR[nr]			{ $$ = call_by_number(p, @$, $nr, NULL); }
|	CALL_NR[nr] "(" conds ")"	{ $$ = call_by_number(p, @$, $nr, $conds); }
;

conds:
	cond
|	conds[left] "," cond[right]	{ $$ = cond_join(p, @$, AST_COND_AND, true, $left, $right); }
;

cond:
	conj
|	cond[left] "or" conj[right]	{ $$ = cond_join(p, @$, AST_COND_OR, false, $left, $right); }
;

conj:
	unary
|	conj[left] "and" unary[right]	{ $$ = cond_join(p, @$, AST_COND_AND, false, $left, $right); }
;

unary:
	cmp
|	"not" unary[inner]		{ $$ = cond_join(p, @$, AST_COND_NOT, false, $inner, NULL); }
|	"(" cond ")"			{ $$ = cond_parens($cond, @$); }
;

cmp:
	operand order_op[op] value	{ $$ = cond_cmp($operand, @$, $op, @op, values_one($value)); }
|	operand "in" in_values		{ $$ = cond_cmp($operand, @$, AST_CMP_IN, @2, $in_values); }
|	operand "has" value		{ $$ = cond_cmp($operand, @$, AST_CMP_HAS, @2, values_one($value)); }
|	operand "has" "any" value	{ $$ = cond_cmp($operand, @$, AST_CMP_HAS_ANY, span_join(@2, @3), values_one($value)); }
|	operand "lacks" value		{ $$ = cond_cmp($operand, @$, AST_CMP_LACKS, @2, values_one($value)); }
;

operand:
	name				{ $$ = operand_new(p, @$, false, $name, NULL); }
|	"reg" name			{ $$ = operand_new(p, @$, true, $name, NULL); }
|	"(" name "&" value ")"		{ $$ = operand_new(p, @$, false, $name, $value); }
|	"(" "reg" name "&" value ")"	{ $$ = operand_new(p, @$, true, $name, $value); }
;

order_op:
	"=="				{ $$ = AST_CMP_EQ; }
|	"!="				{ $$ = AST_CMP_NE; }
|	"<"				{ $$ = AST_CMP_LT; }
|	"<="				{ $$ = AST_CMP_LE; }
|	">"				{ $$ = AST_CMP_GT; }
|	">="				{ $$ = AST_CMP_GE; }
;

in_values:
	range				{ $$ = values_one($range); }
|	"{" elements "}"		{ $$ = $elements; }
;

elements:
	element				{ $$ = values_one($element); }
|	elements[list] "," element	{ $$ = values_add($list, $element); }
;

element:
	value
|	range
;

range:
	atom[low] ".." atom[high]	{ $$ = value_pair(p, @$, AST_VALUE_RANGE, $low, $high); }
;

value:
	atom
|	value[left] "|" atom[right]	{ $$ = value_pair(p, @$, AST_VALUE_OR, $left, $right); }
;

atom:
	name				{ $$ = value_name(p, $name); }
|	NUMBER
|	"(" value ")"			{ $$ = $value; }
;

/* ---- the environment ---- */

when:
	"when" env block		{ $$ = stmt_when(p, @$, @1, $env, $block); }
|	"when" error block		{ $$ = NULL; }
;

env:
	env_conj
|	env[left] "or" env_conj[right]	{ $$ = env_join(p, @$, AST_ENV_OR, $left, $right); }
;

env_conj:
	env_unary
|	env_conj[left] "and" env_unary[right]
					{ $$ = env_join(p, @$, AST_ENV_AND, $left, $right); }
;

env_unary:
	"not" env_unary[inner]		{ $$ = env_join(p, @$, AST_ENV_NOT, $inner, NULL); }
|	"(" env ")"			{ $$ = env_parens($env, @$); }
|	"capability" names		{ $$ = env_words(p, @$, AST_ENV_CAPABILITY, $names); }
|	"host" names			{ $$ = env_words(p, @$, AST_ENV_HOST, $names); }
|	"arch" names			{ $$ = env_words(p, @$, AST_ENV_ARCH, $names); }
|	"kernel" order_op VERSION[version]
					{ $$ = env_kernel(p, @$, $order_op, $version); }
;

/* ---- names: a keyword is a legal name wherever it cannot be meant as one ---- */

names:
	name				{ $$ = words_add(p, (struct ast_words){ 0 }, $name); }
|	names[list] "," name		{ $$ = words_add(p, $list, $name); }
;

plain_names:
	plain_name			{ $$ = words_add(p, (struct ast_words){ 0 }, $plain_name); }
|	plain_names[list] "," plain_name { $$ = words_add(p, $list, $plain_name); }
;

name:
	plain_name
|	"protocol"
|	"receive"
|	"send"
;

plain_name:
	call_word
|	"capability"
|	"file"
|	"namespace"
|	"network"
|	"owner"
|	"refusals"
|	"signal"
;

call_name:
	call_word
|	"protocol"
|	"receive"
|	"send"
|	"signal"
;

call_word:
	WORD
|	RESOURCE
|	"allow"
|	"arch"
|	"default"
|	"deny"
|	"errno"
|	"except"
|	"foreign"
|	"host"
|	"include"
|	"kernel"
|	"kill"
|	"kill-process"
|	"kill-thread"
|	"layers"
|	"level"
|	"limit"
|	"log"
|	"notify"
|	"policy"
|	"program"
|	"quiet"
|	"set"
|	"trace"
|	"trap"
|	"unknown"
|	"use"
|	"when"
;

/* ---- one call of the command line ---- */

call_args:
	name				{ parse_call_name(p, @$, $name); }
|	CALL_NR[nr]			{ parse_call_number(p, @$, $nr); }
|	call_args_open ")"
|	call_args_open arg_list ")"
;

call_args_open:
	name "("			{ parse_call_name(p, @name, $name); }
|	CALL_NR[nr] "("			{ parse_call_number(p, @nr, $nr); }
;

arg_list:
	arg
|	arg_list "," arg
;

arg:
	value				{ parse_call_arg(p, @$, (struct ast_word){ 0 }, $value); }
|	STRING				{ parse_call_arg(p, @$, (struct ast_word){ .span = @$ }, NULL); }
|	name "=" STRING			{ parse_call_arg(p, @$, $name, NULL); }
|	name "=" value			{ parse_call_arg(p, @$, $name, $value); }
|	name "==" value			{ parse_call_arg(p, @$, $name, $value); }
;
%%

static int yylex(PALE_STYPE *lval, struct span *loc, struct parse *p)
{
	return parse_next_token(p, lval, loc);
}

static void yyerror(const struct span *loc, struct parse *p, const char *what)
{
	parse_gave_up(p, *loc, what);
}

static int yyreport_syntax_error(const yypcontext_t *ctx, struct parse *p)
{
	struct parse_error e = { .span = *yypcontext_location(ctx) };
	yysymbol_kind_t kinds[YYNTOKENS];
	int n = yypcontext_expected_tokens(ctx, kinds, YYNTOKENS);

	for (int i = 0; i < n; i++)
		parse_error_expect(&e, kinds[i] == YYSYMBOL_WORD, yysymbol_name(kinds[i]));
	e.unexpected = yypcontext_token(ctx) == YYSYMBOL_YYEMPTY ? NULL :
								   yysymbol_name(yypcontext_token(ctx));
	parse_syntax_error(p, &e);
	return 0;
}

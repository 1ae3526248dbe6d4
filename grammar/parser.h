/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * What policy.y, policy.l and parse.c share; nobody else includes it. The parser's values are
 * slices, numbers and pointers into the arena: nothing to free on any path, so no destructors.
 */
#include "compiler/base/diag.h"
#include "grammar/ast.h"
#include "grammar/parse.h"

#define PARSE_DEPTH_MAX 200  /* brackets inside brackets */
#define PARSE_CHAIN_MAX 2000 /* `a or b or ...`: trees lean, and readers of them recurse */

#define YYMAXDEPTH 10000
#define YYLLOC_DEFAULT(Current, Rhs, N)                                                            \
	((Current) = (N) ? span_join(YYRHSLOC(Rhs, 1), YYRHSLOC(Rhs, N)) :                         \
			   parse_span_after(YYRHSLOC(Rhs, 0)))

/* Lists while they grow: appending is O(1). */
struct ast_words {
	struct ast_word *first, *last;
};
struct ast_values {
	struct ast_value *first, *last;
};
struct ast_calls {
	struct ast_call *first, *last;
};
struct ast_networks {
	struct ast_network *first, *last;
};
struct ast_stmts {
	struct ast_stmt *first, *last;
};

/* What this statement holds so far, where it may still become a rule of a resource. */
enum parse_head {
	HEAD_OTHER,
	HEAD_PREFIX, /* allow, log, deny: a call may follow, too */
	HEAD_QUIET,
	HEAD_RESOURCE, /* quiet deny; PREFIX any: no call can follow */
};

struct parse {
	struct arena *arena;
	struct source *src;
	struct diags *diags;
	void *scanner;
	bool call_mode; /* one call instead of a file */
	bool started;   /* the START token was given */
	bool stopped;   /* too deep or too many errors: the rest is not read */
	uint32_t at;    /* bytes scanned */
	uint32_t token; /* where this match begins */
	uint32_t begin; /* where a token begins that several patterns make: a path */
	unsigned globs; /* braces open in that path */
	int own;        /* what AppArmor's own words, which are being read, are together */
	bool in_stmt;   /* the last token did not end or open anything */
	enum parse_head head;
	unsigned parens; /* open ( and, inside of those, { */
	unsigned braces;
	struct span prev;   /* the last token */
	struct span before; /* the one before it */
	int token_kind;     /* of the last token, and its value: a missing ';' is put before it */
	union PALE_STYPE *token_value;
	bool missing_semi; /* 1: give ';' next, then the last token again */
	bool replay;
	struct span open[PARSE_DEPTH_MAX + 1]; /* where each open brace stands */
	VEC(struct ast_comment *) comments;
	struct ast_stmts top;
	struct ast_call_args *call;
};

union PALE_STYPE;

struct span parse_span_after(struct span sp);
int parse_next_token(struct parse *p, union PALE_STYPE *lval, struct span *loc);

/* ---- scanner (policy.l) ---- */
void *scan_open(struct parse *p, char *text, size_t n); /* text ends in two NUL bytes not counted */
int pale_scan(union PALE_STYPE *lval, struct span *loc, struct parse *p, void *yyscanner);
struct span scan_span(const struct parse *p, uint32_t begin); /* to where the scanner is */
int scan_word(struct str text);                               /* a keyword's token, or T_WORD */
/* Does this word of a resource begin a rule of it? Not where it is a call's or another name. */
bool scan_is_resource(const struct parse *p, struct span word);
struct ast_value *scan_number(struct parse *p, struct span sp);
struct ast_word scan_quoted(struct parse *p, struct span sp);
struct ast_word scan_unclosed(struct parse *p, struct span sp); /* a quote that does not end */
void scan_glob_end(struct parse *p, struct span sp);
void scan_comment(struct parse *p, struct span sp);
struct span scan_trimmed(const struct parse *p, struct span sp); /* without the blanks at its end */
/*
 * Of AppArmor's text, just behind a ';': is it of a word in parentheses, which goes on? AppArmor's
 * parser takes it for a part of the path of a flag.
 */
bool scan_in_word(const struct parse *p);

/* ---- syntax errors ---- */
struct parse_error {
	struct span span;
	const char *unexpected; /* NULL: no token was read */
	bool name;              /* any name would do */
	unsigned n;
	const char *expected[128];
};
void parse_error_expect(struct parse_error *e, bool is_name, const char *symbol);
void parse_syntax_error(struct parse *p, struct parse_error *e);
void parse_gave_up(struct parse *p, struct span sp, const char *what);

/* ---- tree ---- */
void parse_add_top(struct parse *p, struct ast_stmt *stmt);
struct ast_stmts stmts_add(struct ast_stmts list, struct ast_stmt *stmt); /* NULL adds nothing */
struct ast_words words_add(struct parse *p, struct ast_words list, struct ast_word w);
struct ast_calls calls_add(struct ast_calls list, struct ast_call *c);
struct ast_networks networks_add(struct ast_networks list, struct ast_network *n);
struct ast_values values_one(struct ast_value *v);
struct ast_values values_add(struct ast_values list, struct ast_value *v);

struct ast_stmt *stmt_block(struct parse *p, enum ast_stmt_kind kind, struct span sp,
			    struct span keyword, struct ast_word name, struct ast_stmts body);
struct ast_stmt *stmt_path(struct parse *p, enum ast_stmt_kind kind, struct span sp,
			   struct span keyword, struct ast_word path);
struct ast_stmt *stmt_end(struct ast_stmt *s, struct span sp);
struct ast_stmt *stmt_use(struct parse *p, struct span sp, struct span keyword,
			  struct ast_words names, struct ast_word *except);
struct ast_stmt *stmt_limit(struct parse *p, struct span sp, struct span keyword,
			    struct ast_word name, struct ast_value *value);
/* A rule of AppArmor's own words, without what it begins with; NULL: told. */
struct ast_stmt *stmt_apparmor(struct parse *p, struct span sp, struct ast_word text);
struct ast_stmt *stmt_calls(struct parse *p, struct span sp, struct ast_verdict v,
			    struct ast_calls calls);
struct ast_stmt *stmt_prefix(struct parse *p, struct span sp, struct ast_verdict v,
			     struct ast_stmt *s);
struct ast_stmt *stmt_file(struct parse *p, struct span sp, struct span keyword, bool owner,
			   struct ast_word perms, struct ast_words paths, struct ast_word target);
struct ast_stmt *stmt_words(struct parse *p, enum ast_stmt_kind kind, struct span sp,
			    struct span keyword, struct ast_words words);
struct ast_stmt *stmt_network(struct parse *p, struct span sp, struct span keyword,
			      struct ast_networks networks);
struct ast_stmt *stmt_signal(struct parse *p, struct span sp, struct span keyword,
			     struct ast_words directions, struct ast_words signals,
			     struct ast_word peer);
struct ast_stmt *stmt_when(struct parse *p, struct span sp, struct span keyword,
			   struct ast_env *env, struct ast_stmts body);
struct ast_stmt *header_path(struct parse *p, struct span sp, struct span keyword,
			     struct ast_word path);
struct ast_stmt *header_level(struct parse *p, struct span sp, struct span keyword,
			      struct ast_word name, struct ast_word version);
/* In AppArmor's own words, as the head of a profile has them. */
struct ast_stmt *header_apparmor(struct parse *p, struct span sp, struct ast_word text);
struct ast_stmt *header_words(struct parse *p, enum ast_header h, struct span sp,
			      struct span keyword, struct ast_words words);
struct ast_stmt *header_verdict(struct parse *p, enum ast_header h, struct span sp,
				struct span keyword, struct ast_verdict v);

struct ast_verdict verdict_of(enum ast_action action, struct span sp, struct ast_value *data);
struct ast_network *network_new(struct parse *p, struct ast_word family, struct ast_word type,
				struct ast_value *protocol);
struct ast_call *call_new(struct parse *p, struct span sp, struct ast_word name,
			  struct ast_cond *cond);
struct ast_call *call_by_number(struct parse *p, struct span sp, struct ast_word nr,
				struct ast_cond *cond);
struct ast_cond *operand_new(struct parse *p, struct span sp, bool reg, struct ast_word arg,
			     struct ast_value *mask);
struct ast_cond *cond_cmp(struct ast_cond *c, struct span sp, enum ast_cmp op, struct span op_span,
			  struct ast_values values);
struct ast_cond *cond_join(struct parse *p, struct span sp, enum ast_cond_kind kind, bool comma,
			   struct ast_cond *left, struct ast_cond *right);
struct ast_cond *cond_parens(struct ast_cond *c, struct span sp);
struct ast_value *value_name(struct parse *p, struct ast_word name);
struct ast_value *value_pair(struct parse *p, struct span sp, enum ast_value_kind kind,
			     struct ast_value *left, struct ast_value *right);
struct ast_env *env_join(struct parse *p, struct span sp, enum ast_env_kind kind,
			 struct ast_env *left, struct ast_env *right);
struct ast_env *env_parens(struct ast_env *e, struct span sp);
struct ast_env *env_words(struct parse *p, struct span sp, enum ast_env_kind kind,
			  struct ast_words words);
struct ast_env *env_kernel(struct parse *p, struct span sp, enum ast_cmp op,
			   struct ast_word version);

void parse_call_name(struct parse *p, struct span sp, struct ast_word name);
void parse_call_number(struct parse *p, struct span sp, struct ast_word nr);
void parse_call_arg(struct parse *p, struct span sp, struct ast_word name, struct ast_value *value);

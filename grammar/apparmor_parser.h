/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* What apparmor.y, apparmor.l, apparmor_parse.c and apparmor_tree.c share; nobody else includes it. */
#include "grammar/apparmor_tree.h"

#define AA_DEPTH_MAX 200  /* brackets inside brackets */
#define AA_CHAIN_MAX 2000 /* `a or b or ...`: trees lean, and readers of them recurse */

#define YYMAXDEPTH 10000
#define YYLLOC_DEFAULT(Current, Rhs, N)                                                            \
	((Current) = (N) ? span_join(YYRHSLOC(Rhs, 1), YYRHSLOC(Rhs, N)) :                         \
			   aa_span_after(YYRHSLOC(Rhs, 0)))

/* Lists while they grow: appending is O(1). */
struct aa_words {
	struct aa_word *first, *last;
};
struct aa_items {
	struct aa_item *first, *last;
};
struct aa_stmts {
	struct aa_stmt *first, *last;
};

enum aa_base {
	AA_BASE_STMT,
	AA_BASE_ANY,
	AA_BASE_FILE,
	AA_BASE_RULE, /* and all behind it */
	AA_BASE_NETWORK,
	AA_BASE_USERNS
};

struct aa_parse {
	struct arena *arena;
	struct source *src;
	struct diags *diags;
	void *scanner;
	bool stopped;        /* too deep or too many errors: the rest is not read */
	uint32_t at;         /* bytes scanned */
	uint32_t token;      /* where this match begins */
	uint32_t end;        /* `one`: where its ';' stands */
	enum aa_base base;   /* how the words of this statement are read */
	bool head;           /* nothing but what a rule may begin with was seen of it */
	bool group;          /* the parenthesis that comes next holds conditions */
	bool broken;         /* a line ended between '=' and what it gives */
	bool line;           /* what is set ends with the line */
	unsigned depth;      /* braces open now */
	struct span unended; /* as in struct aa_file */
	bool one;            /* a rule inside of a policy, which ends with ';' */
	bool joins;          /* a quoted word ended in a backslash */
	bool unopened;       /* a profile without '{' was told: its '}' is no second fault */
	struct span prev;    /* the last token */
	struct span before;  /* the one before it */
	int token_kind, before_kind;        /* of the last one, of the one before it */
	struct span open[AA_DEPTH_MAX + 1]; /* where each open brace stands */
	VEC(struct ast_comment *) comments;
	VEC(struct aa_joint) joints; /* as in struct aa_file */
	struct aa_stmts top;
};

union AA_STYPE;

struct span aa_span_after(struct span sp);
int aa_next_token(struct aa_parse *p, union AA_STYPE *lval, struct span *loc);

/* ---- scanner (apparmor.l) ---- */
void *aa_scan_open(struct aa_parse *p, char *text, size_t n); /* ends in two NUL bytes more */
int aa_scan(union AA_STYPE *lval, struct span *loc, struct aa_parse *p, void *yyscanner);
struct aa_word aa_scan_word(struct aa_parse *p, struct span sp);
/* What has no quotes, and is printed in some. */
struct aa_word aa_scan_quote(struct aa_parse *p, struct span sp);
/*
 * From a '#' to the end of the line: a comment is kept, and gives 0; of an include what says so
 * ("#include if exists") has this many bytes. "# include" is a comment.
 */
uint32_t aa_scan_hash(struct aa_parse *p, struct span sp);
/* Bytes of the value that begins with a '#' and ends with the file, or in front of a blank. */
uint32_t aa_scan_value(struct aa_parse *p, struct span sp);
/* Behind the line that an abi's file stands on: does what follows belong to it, a ',' or '#'? */
bool aa_scan_abi_goes_on(const struct aa_parse *p);
/* Does a sign that sets something, = += ?= :=, come next on the line? */
bool aa_scan_assigns(const struct aa_parse *p);
/* The same, of a variable: line ends and comments may stand before it. */
bool aa_scan_sets(const struct aa_parse *p);
/* Is the word a condition's name: does `=`, `:=` or `in (` come next? Sets p->group, too. */
bool aa_scan_gives(struct aa_parse *p, struct span word);
/* A name at the head of a statement: may more such follow? Else p->base is set. */
bool aa_scan_head(struct aa_parse *p, struct str name);

/*
 * Where a word of `network` or `userns` ends: in front of a '\r', which is part of the words of other
 * rules, and of a ',' there. Where newer parsers join it, p->joints has it.
 */
uint32_t aa_scan_ends(struct aa_parse *p, struct span sp);
/*
 * Of what parsers since 5.0 read as one word of a condition: what those before read first, who knew no
 * words there. `n`: its bytes; of a WORD all.
 */
struct aa_older {
	enum {
		AA_OLDER_WORD,
		AA_OLDER_BOOLEAN,
		AA_OLDER_DEFINED,
		AA_OLDER_NOT,
		AA_OLDER_BRACE
	} kind;
	uint32_t n;
};
struct aa_older aa_scan_older(struct aa_parse *p, struct span sp);

/* ---- syntax errors ---- */
struct aa_error {
	struct span span;
	unsigned n;
	const char *expected[64];
};
void aa_error_expect(struct aa_error *e, const char *symbol);
void aa_stray_brace(struct aa_parse *p, struct span sp);
void aa_syntax_error(struct aa_parse *p, struct aa_error *e); /* may change what is expected */
void aa_gave_up(struct aa_parse *p, struct span sp);          /* brackets, or branches of an else */
void aa_too_long(struct aa_parse *p, struct span sp);         /* a condition */

/* ---- tree ---- */
void aa_add_top(struct aa_parse *p, struct aa_stmts list);
struct aa_words aa_words_add(struct aa_parse *p, struct aa_words list, struct aa_word w);
struct aa_items aa_items_add(struct aa_items list, struct aa_item *i);
struct aa_stmts aa_stmts_add(struct aa_stmts list, struct aa_stmt *s); /* NULL adds nothing */

struct aa_item *aa_item_word(struct aa_parse *p, struct span sp, enum aa_item_kind kind,
			     struct aa_word word);
struct aa_item *aa_item_list(struct aa_parse *p, struct span sp, struct aa_words values);
struct aa_item *aa_item_cond(struct aa_parse *p, struct span sp, struct aa_word name, enum aa_op op,
			     struct aa_words values, bool parens);
struct aa_item *aa_item_group(struct aa_parse *p, struct span sp, struct aa_word name,
			      struct aa_items conds);

struct aa_expr *aa_expr_word(struct aa_parse *p, struct span sp, enum aa_expr_kind kind,
			     struct aa_word word);
struct aa_expr *aa_expr_cmp(struct aa_parse *p, struct span sp, enum aa_cmp cmp,
			    struct aa_word left, struct aa_word right);
struct aa_expr *aa_expr_join(struct aa_parse *p, struct span sp, enum aa_expr_kind kind,
			     struct aa_expr *left, struct aa_expr *right);
struct aa_expr *aa_expr_parens(struct aa_expr *e, struct span sp);

struct aa_stmt *aa_rule(struct aa_parse *p, struct span sp, struct aa_items prefix,
			struct aa_items items);
struct aa_stmt *aa_braces(struct aa_parse *p, struct span sp, struct aa_items prefix,
			  struct aa_items items, struct aa_stmts body, struct span block);
struct aa_stmt *aa_if(struct aa_parse *p, struct span sp, struct aa_expr *e, struct aa_stmts body,
		      struct span block, struct aa_stmt *otherwise);
struct aa_stmt *aa_set(struct aa_parse *p, struct span sp, enum aa_op op, struct aa_word word,
		       struct aa_words values, struct aa_expr *e);
struct aa_stmt *aa_include(struct aa_parse *p, struct span sp, struct aa_word how,
			   struct aa_word file);

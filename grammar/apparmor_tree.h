/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * The tree of AppArmor text, a profile or what profiles include: what was written, with places.
 * No word is looked up here but those that shape a statement, so one tree does for every release
 * of AppArmor; compiler/rules/classes.def says what a rule may hold. Everything lives in the
 * arena it was parsed or built in; slices point into the source text or the arena.
 *
 * The language: apparmor.d(5). How words end, what a comma joins and where a comment may stand is
 * as apparmor_parser's scanner has it (parser_lex.l), in a tenth of its states.
 */
#include "compiler/base/diag.h"
#include "grammar/ast.h"

struct aa_word {
	struct str text; /* as written, escapes too, without quotes around it */
	struct span span;
	bool quoted;
	struct aa_word *next;
};

enum aa_op {
	AA_OP_NONE,
	AA_OP_EQ,      /* = */
	AA_OP_ADD,     /* += */
	AA_OP_DEFAULT, /* ?= */
	AA_OP_SET,     /* := */
	AA_OP_IN,      /* in */
	AA_OP_NR
};

enum aa_item_kind {
	AA_WORD,  /* word */
	AA_LIST,  /* ( values ) */
	AA_COND,  /* word op value, word op ( values ); op EQ, SET, IN */
	AA_GROUP, /* word op ( conds ), `peer=(...)` */
	AA_ARROW, /* -> word */
	AA_LE,    /* <= */
	AA_PLUS,  /* +, before `identities=` */
};

struct aa_item {
	enum aa_item_kind kind : 8;
	enum aa_op op : 8;
	bool parens; /* COND: its values stand in parentheses */
	struct span span;
	struct aa_word word;
	struct aa_word *values;
	struct aa_item *conds;
	struct aa_item *next;
};

/* What `if` asks, and what a boolean variable is set to. */
enum aa_expr_kind {
	AA_EXPR_BOOL,    /* ${word} */
	AA_EXPR_DEFINED, /* defined word: ${B} or @{V} */
	AA_EXPR_VALUE,   /* word alone: true, false, a name, @{V} */
	AA_EXPR_CMP,     /* word cmp other */
	AA_EXPR_AND,
	AA_EXPR_OR,
	AA_EXPR_NOT, /* left */
};

enum aa_cmp { AA_CMP_EQ, AA_CMP_NE, AA_CMP_IN, AA_CMP_GT, AA_CMP_GE, AA_CMP_LT, AA_CMP_LE };

struct aa_expr {
	enum aa_expr_kind kind : 8;
	enum aa_cmp cmp : 8;
	bool parens;
	struct span span;
	unsigned depth; /* of the tree below; the parser bounds it */
	struct aa_word word, other;
	struct aa_expr *left, *right;
};

enum aa_stmt_kind {
	AA_STMT_RULE, /* prefix, items: a keyword and what follows, or a path and its permissions */
	AA_STMT_BLOCK,   /* prefix, body: what all of its rules begin with */
	AA_STMT_PROFILE, /* items: [profile | hat | ^] name, attachment, conditions, flags; body */
	AA_STMT_IF,      /* expr, body, otherwise */
	AA_STMT_VAR,     /* word (@{V}), op, values */
	AA_STMT_BOOL,    /* word (${B}), op, expr */
	AA_STMT_INCLUDE, /* word: the file; magic, if_exists, hash */
	AA_STMT_NR
};

struct aa_stmt {
	enum aa_stmt_kind kind : 8;
	enum aa_op op : 8;
	bool magic : 1; /* INCLUDE: <file>, looked for in the base directories */
	bool if_exists : 1;
	bool hash : 1;     /* INCLUDE: written #include */
	bool blank_before; /* an empty line stood above (kept, one at most) */
	struct span span;  /* the whole statement, its ',' or '}' included */
	struct span head;  /* what a caret points at: its first line's words */
	struct span block; /* PROFILE, BLOCK, IF: its body with the braces */
	struct ast_comment
		*leading; /* comments' text: all behind the '#', so what is told from `#x` */
	struct ast_comment *trailing;
	struct ast_comment *opening; /* beside the '{' of a body */
	struct ast_comment *inner;   /* before the closing brace of a body */
	struct aa_item *prefix;      /* WORD items, and COND `priority=N` */
	struct aa_item *items;
	struct aa_word word;
	struct aa_word *values;
	struct aa_expr *expr;
	struct aa_stmt *body;
	struct aa_stmt *otherwise; /* IF: a BLOCK without prefix, or another IF; NULL: none */
	struct aa_stmt *next;
};

/* What older parsers read as a word's end and newer ones join to it. */
struct aa_joint {
	struct span span; /* as the newer ones read it */
	bool test;        /* a condition's, since 5.0; else a network rule's, since 4.0 */
};

struct aa_file {
	struct source *source;
	/*
	 * A comment that ends the file without a line end, else NO_SPAN: every apparmor_parser until
	 * 5.0.2 refuses the file for it.
	 */
	struct span unended;
	const struct aa_joint *joints;
	size_t njoints;
	struct aa_stmt *stmts;
	struct ast_comment *trailer;  /* comments behind the last statement */
	struct comment_list comments; /* all of them */
};

/*
 * Text to tree. Bounded: source 16 MiB, nesting 200, 20 errors a run; every error that can be told
 * in one run is told, and the statements that hold them are left out. Never NULL; with errors
 * (ds->errors has grown) the tree holds what could be read.
 */
struct aa_file *aa_parse_source(struct arena *a, struct source *src, struct diags *ds);

/* Does it end as the parsers want it, `unended`? False: told. */
bool aa_file_ends(const struct aa_file *file, struct diags *ds);

/*
 * One rule inside of another text, which a ';' or '}' behind `at` ends: a policy's. `text`: the bytes
 * there, comments blanked. NULL: it is none, which was told. It has no prefix and no comments.
 */
struct aa_stmt *aa_parse_rule(struct arena *a, struct source *src, struct span at, const char *text,
			      struct diags *ds);

/* The word of an item where it is one, and unquoted: is it this one? */
bool aa_item_is(const struct aa_item *i, const char *word);

/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * The tree of a pale policy: what was written, with places; no name is looked up here.
 * Everything lives in the arena it was parsed or built in; slices point into the source text
 * or the arena. The parser makes it, and so do importers and the learner (through
 * ast_build.h), who then print it with ast_print(): one printer, one layout.
 *
 * Words keep the spelling of the user ("AF_INET" or "inet"); resolve.c gives them meaning.
 */
#include <stdbool.h>
#include <stdint.h>

#include "compiler/base/source.h"
#include "compiler/base/str.h"
#include "compiler/base/verdict.h"

/* A word with its place; lists are singly linked, in source order. */
struct ast_word {
	struct str text;
	struct span span;
	struct ast_word *next;
};

/* Comments: `leading` stands on lines of its own before the node, `trailing` on its last line. */
struct ast_comment {
	struct str text; /* without '#' and the one space behind it */
	struct span span;
	bool blank_before; /* an empty line stood above it */
	struct ast_comment *next;
	struct ast_comment *added; /* of a list's first: the one that was added last; NULL */
};

struct comment_list { /* in the order of the text */
	struct ast_comment **v;
	size_t n;
};

/* ---- values and conditions ---- */

enum ast_value_kind {
	AST_VALUE_NAME,
	AST_VALUE_NUMBER,
	AST_VALUE_OR,    /* left | right */
	AST_VALUE_RANGE, /* left .. right; only as an element of `in` */
};

struct ast_value {
	enum ast_value_kind kind : 8;
	bool negative;  /* NUMBER: a minus sign stood before it */
	uint16_t depth; /* of the tree below; the parser bounds it */
	struct span span;
	union {
		struct str text; /* NAME: the name; NUMBER: as written */
		struct {         /* OR, RANGE */
			struct ast_value *left, *right;
		};
	};
	uint64_t number;        /* NUMBER: its magnitude */
	struct ast_value *next; /* the next element of a set */
};

enum ast_cmp {
	AST_CMP_EQ,
	AST_CMP_NE,
	AST_CMP_LT,
	AST_CMP_LE,
	AST_CMP_GT,
	AST_CMP_GE,
	AST_CMP_IN,      /* values: a list of values and ranges */
	AST_CMP_HAS,     /* all bits of value */
	AST_CMP_HAS_ANY, /* any bit of value */
	AST_CMP_LACKS,   /* no bit of value */
	AST_CMP_NR
};

enum ast_cond_kind { AST_COND_CMP, AST_COND_AND, AST_COND_OR, AST_COND_NOT };

/* CMP: [reg] arg [& mask] op values */
struct ast_cond {
	enum ast_cond_kind kind : 8;
	enum ast_cmp op : 8; /* CMP */
	bool parens : 1;     /* the user put it in parentheses (kept by the printer) */
	bool comma : 1;      /* AND written as a comma between arguments */
	bool reg : 1;        /* CMP: the whole 64-bit register */
	struct span span;
	struct span op_span; /* CMP */
	unsigned depth;      /* of the tree below; the parser bounds it */
	struct ast_word arg; /* CMP */
	union {
		struct { /* AND, OR; NOT: left only */
			struct ast_cond *left, *right;
		};
		struct {                          /* CMP */
			struct ast_value *mask;   /* NULL: none */
			struct ast_value *values; /* one, or a list for IN */
		};
	};
};

/* ---- statements ---- */

struct ast_call {
	struct span span;
	bool by_number;
	struct ast_word name; /* text is "#470" when by_number */
	uint64_t number;
	struct ast_cond *cond; /* NULL: unconditional */
	struct ast_call *next;
};

/* A verdict as written: `errno EPERM`, `kill`, `trace 3`, `deny`. */
enum ast_action {
	AST_ACTION_ALLOW,
	AST_ACTION_LOG,
	AST_ACTION_DENY,
	AST_ACTION_QUIET_DENY,
	AST_ACTION_ERRNO,
	AST_ACTION_KILL_PROCESS,
	AST_ACTION_KILL_THREAD,
	AST_ACTION_TRAP,
	AST_ACTION_NOTIFY,
	AST_ACTION_TRACE,
	AST_ACTION_NR
};

struct ast_verdict {
	enum ast_action action;
	struct span span;
	struct ast_value *data; /* errno, trap, trace: NULL when not written */
};

/* The word of `default`, `unknown`, `foreign`, `program`, ... */
enum ast_header {
	AST_HEADER_PROGRAM,  /* path */
	AST_HEADER_LEVEL,    /* words: linux; version */
	AST_HEADER_LAYERS,   /* words */
	AST_HEADER_ARCH,     /* words */
	AST_HEADER_DEFAULT,  /* verdict */
	AST_HEADER_UNKNOWN,  /* verdict */
	AST_HEADER_FOREIGN,  /* verdict */
	AST_HEADER_LOG,      /* words: refusals */
	AST_HEADER_APPARMOR, /* rule: what else the head of its AppArmor profile says */
	AST_HEADER_NR
};

struct ast_network { /* one item: family [type] [protocol P] */
	struct ast_word family;
	struct ast_word type;       /* empty text: any */
	struct ast_value *protocol; /* NULL: free */
	struct ast_network *next;
};

enum ast_env_kind {
	AST_ENV_CAPABILITY, /* words: all of them */
	AST_ENV_KERNEL,     /* op, version */
	AST_ENV_HOST,       /* words: any of them */
	AST_ENV_ARCH,       /* words: any of them */
	AST_ENV_AND,
	AST_ENV_OR,
	AST_ENV_NOT,
};

struct ast_env { /* the condition of `when` */
	enum ast_env_kind kind;
	struct span span;
	struct ast_env *left, *right;
	bool parens;
	struct ast_word *words;
	enum ast_cmp op;
	struct ast_word version;
	unsigned depth; /* of the tree below; the parser bounds it */
};

enum ast_stmt_kind {
	AST_STMT_HEADER,
	AST_STMT_INCLUDE,    /* path; at the top level or inside a policy or set */
	AST_STMT_USE,        /* words (set names) except words */
	AST_STMT_CALLS,      /* verdict, calls */
	AST_STMT_FILE,       /* verdict, owner, perms, paths, target */
	AST_STMT_CAPABILITY, /* verdict, words */
	AST_STMT_NETWORK,    /* verdict, networks */
	AST_STMT_SIGNAL, /* verdict, perms (send/receive words), words (signals), target = peer */
	AST_STMT_NAMESPACE, /* verdict, words */
	AST_STMT_LIMIT,     /* words: resource; value */
	AST_STMT_WHEN,      /* env, body */
	AST_STMT_APPARMOR,  /* verdict, rule: mount, ptrace, unix, ..., in AppArmor's own words */
	AST_STMT_POLICY,    /* name, body */
	AST_STMT_SET,       /* name, body */
	AST_STMT_NR
};

struct aa_stmt; /* apparmor_tree.h */

struct ast_stmt {
	enum ast_stmt_kind kind : 8;
	enum ast_header header : 8;
	bool explicit_allow : 1; /* a resource rule that says `allow` (same meaning as none) */
	bool owner : 1;
	bool blank_before;   /* an empty line stood above (kept, one at most) */
	struct span span;    /* the whole statement, its ';' or '}' included */
	struct span keyword; /* its first word: what a caret points at */
	struct ast_comment *leading;
	struct ast_comment *trailing;
	struct ast_comment *inner; /* comments before the closing brace of a body */
	struct ast_verdict verdict;
	struct ast_word *words; /* see the kinds above */
	struct ast_word *except;
	struct ast_word *perms; /* FILE: one word of letters, "rw", "ix"; SIGNAL: send, receive */
	struct ast_word *paths; /* FILE, PROGRAM, INCLUDE; unquoted text */
	union {
		struct ast_word name;    /* POLICY, SET */
		struct ast_word target;  /* FILE: behind ->; SIGNAL: peer; empty: none */
		struct ast_word version; /* HEADER_LEVEL */
	};
	struct ast_call *calls;
	struct ast_network *networks;
	struct ast_value *value;
	struct ast_env *env;
	const struct aa_stmt *
		rule; /* APPARMOR, HEADER_APPARMOR: a RULE, its items alone: prefix and comments are here */
	struct ast_stmt *body; /* first statement of a POLICY, SET, WHEN */
	struct ast_stmt *next;
};

struct ast_file {
	struct source *source;
	struct ast_stmt *stmts;       /* POLICY, SET, INCLUDE */
	struct ast_comment *trailer;  /* comments behind the last statement */
	struct comment_list comments; /* all of them */
};

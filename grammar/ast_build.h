/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Trees made by programs: importers and the learner. Strings are copied into the arena.
 * Appending is O(1) through a builder of one body.
 */
#include "compiler/base/arena.h"
#include "grammar/ast.h"

struct ast_body { /* a list of statements being built */
	struct arena *arena;
	struct ast_stmt *first, *last;
};

struct ast_stmt *ast_add(struct ast_body *b, enum ast_stmt_kind kind); /* an empty statement */
struct ast_word *ast_word_new(struct arena *a, const char *text);
void ast_words_add(struct arena *a, struct ast_word **list, const char *text);
void ast_comment_add(struct arena *a, struct ast_comment **list, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
struct ast_value *ast_number(struct arena *a, uint64_t n);
void ast_number_text(struct buf *out, uint64_t n); /* as ast_number() writes it */
struct ast_value *ast_name(struct arena *a, const char *name);
/* A policy's name from a file's: "/etc/1 web app.json" -> "p1-web-app", "fw.x86_64.bpf" -> "fw". */
char *ast_policy_name(struct arena *a, const char *file);
struct ast_value *ast_or(struct arena *a, struct ast_value *l, struct ast_value *r);
struct ast_cond *ast_cmp_new(struct arena *a, const char *arg, bool reg, enum ast_cmp op,
			     struct ast_value *mask, struct ast_value *values);
struct ast_cond *ast_cond_join(struct arena *a, enum ast_cond_kind kind, struct ast_cond *l,
			       struct ast_cond *r); /* either may be NULL */
struct ast_call *ast_call_new(struct arena *a, const char *name, struct ast_cond *cond);
struct ast_verdict ast_verdict_of(struct arena *a, struct verdict v);

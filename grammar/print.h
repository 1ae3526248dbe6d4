/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Tree to text: the canonical layout (`pale fmt`), comments kept. print(parse(print(t))) is
 * print(t), byte for byte.
 */
#include "compiler/base/str.h"
#include "grammar/ast.h"

void ast_print(struct buf *out, const struct ast_file *file);
void ast_print_stmt(struct buf *out, const struct ast_stmt *stmt, unsigned indent);
void ast_print_call(struct buf *out, const struct ast_call *call);
void ast_print_cond(struct buf *out, const struct ast_cond *cond);
const char *ast_cmp_text(enum ast_cmp op);
const char *ast_action_text(enum ast_action action); /* the keyword(s), without data */

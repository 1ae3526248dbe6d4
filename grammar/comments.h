/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Gives the comments that the scanner saw to the statements of a parsed file. */
#include "grammar/parser.h"

void comments_attach(const struct parse *p, struct ast_file *file);

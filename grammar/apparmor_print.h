/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * AppArmor text out of a tree: the layout of `pale fmt`, comments kept. The text parses to the same
 * tree (aa_same), and print(parse(print(t))) is print(t), byte for byte.
 */
#include "compiler/base/str.h"
#include "grammar/apparmor_tree.h"

/* Two blanks a level, a statement a line; words, quotes, escapes and order as they are. */
void aa_print(struct buf *out, const struct aa_file *file);
/* Without its comments, ',' or body: as one line where it can be one. */
void aa_print_head(struct buf *out, const struct aa_stmt *stmt);

/*
 * A path, name or label that is in no text yet: with quotes where the scanner would stop, and
 * without backslashes that protect nothing (apparmor_parser warns about those, and drops them).
 * False, and nothing is printed, where a control character is in it: no text can hold that.
 */
bool aa_print_path(struct buf *out, struct str path);
/*
 * A name that stands for itself alone, whatever bytes it has: what a glob, a quote or a terminal
 * takes for something else is escaped. No zero byte: no text can hold that. Policies read it alike.
 */
void aa_print_literal(struct buf *out, struct str name);

/* Do they say the same, word for word? Places, empty lines and comments aside. */
bool aa_same(const struct aa_file *a, const struct aa_file *b);

/* <0, 0, >0: an order of rules by their words, prefixes aside. 0: word for word the same. */
int aa_order(const struct aa_stmt *a, const struct aa_stmt *b);

/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * YAML as the tree that JSON gives: every value with its bytes, comments beside it. libyaml reads the
 * text (YAML 1.1); anchors, aliases and merge keys ("<<", https://yaml.org/type/merge.html) are
 * followed here. Plain words are what the core schema of YAML 1.2 makes of them, as in Go's yaml.v3
 * that compose reads with: "yes" is a text. Bounded: 16 MiB, nesting 100, a million values with
 * what aliases repeat, 4,096 anchors.
 */
#include "grammar/ast.h"
#include "grammar/json.h"

struct yaml {
	VEC(struct json *) documents; /* without empty ones */
	struct comment_list comments; /* of the text, in its order */
};

/* What is wrong goes to ds (PL002, PL004, PL442, PL443); false: it cannot be read. */
bool yaml_read(struct arena *a, struct source *src, struct diags *ds, struct yaml *out);

/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Text to tree. Bounded: source 16 MiB, nesting 200, 20 errors; reports every error it can in
 * one run and drops the statements that hold them. Never looks a name up.
 */
#include "compiler/base/diag.h"
#include "grammar/ast.h"

/* Never NULL; a file with errors (ds->errors > 0) holds the statements that could be read. */
struct ast_file *pale_parse_source(struct arena *a, struct source *src, struct diags *ds);

/*
 * One call as the command line takes it, `socket(AF_VSOCK, SOCK_STREAM)` or `openat` or
 * `#470(1,2)`: name and positional or named (`domain=AF_INET`) values. NULL after an error.
 */
struct ast_call_args {
	struct ast_word name;
	bool by_number;
	uint64_t number;
	struct {
		struct ast_word name;    /* empty text: positional */
		struct ast_value *value; /* NULL: a quoted text stands there, behind some pointer */
	} args[6];
	unsigned nargs;
};
struct ast_call_args *pale_parse_call(struct arena *a, struct source *src, struct diags *ds);

/* Is the word of a resource, "mount", a call's name, too? Behind `deny` it alone is the call. */
bool pale_resource_is_call(struct str word);

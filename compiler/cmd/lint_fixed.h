/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* pale lint --fix by several processes: who finds what becomes of a text is not who writes it. */
#include "compiler/cmd/lint_run.h"

/* For who writes it: the texts, where they differ, and the paths of all that was read for it. */
void lint_fixed_pack(const struct lint_fixed *fixed, const struct sources *read, struct buf *out);
/* The texts lie in the bytes. Returns the paths, each ended by a NUL. */
struct str lint_fixed_unpack(struct str bytes, struct lint_fixed *out);

/* The file at hand was written. */
void lint_written_add(struct lint_run *r);
/* Was what this path names by now written since lint_written_forget()? */
bool lint_written_has(const struct lint_run *r, const char *path);
void lint_written_forget(struct lint_run *r);

/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* `explain` of a BPF program. */
#include "compiler/cmd/cmd.h"

/* only: an enum arch, or -1 for all that the program tells apart. 0, or -1 with diagnostics. */
int explain_program(struct session *s, const char *file, const char *what, int only,
		    struct buf *out);

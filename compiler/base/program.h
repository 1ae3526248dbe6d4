/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * The program that a command line names, for those that execute it themselves.
 */
#include "compiler/base/diag.h"

/*
 * Along PATH, as execvp(3) looks for it, but a file without "#!" is not given to a shell. 0 and
 * *path (in the arena, or name itself); else the exit code (126, 127) with a diagnostic.
 */
int program_find(struct arena *a, const char *name, const char **path, struct diags *ds);

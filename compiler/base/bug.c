/* SPDX-License-Identifier: Apache-2.0 */
/* The one place where the library writes and ends: a mistake of ours. */
#include "compiler/base/bug.h"

#include <stdio.h>
#include <stdlib.h>

_Noreturn void bug_at(const char *file, int line, const char *what)
{
	fprintf(stderr, "pale: bug at %s:%d: %s\n", file, line, what);
	abort();
}

/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Our own mistakes, and nothing else, end here: file, line, abort(). */
#include <stddef.h>

_Noreturn void bug_at(const char *file, int line, const char *what);

#define BUG(what) bug_at(__FILE__, __LINE__, (what))
#define BUG_ON(x)                                                                                  \
	do {                                                                                       \
		if (x)                                                                             \
			BUG(#x);                                                                   \
	} while (0)

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

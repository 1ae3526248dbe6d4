/* SPDX-License-Identifier: Apache-2.0 */
/* Lists of names, as findings write them. */
#include "compiler/lint/internal.h"

const char *lint_arches(struct lint *l, unsigned arches)
{
	const char *out = "";

	for (unsigned a = 0; a < ARCH_NR; a++)
		if (arches & ARCH_BIT(a))
			out = arena_printf(l->arena, "%s%s%s", out, *out ? ", " : "",
					   arch_info((enum arch)a)->name);
	return out;
}

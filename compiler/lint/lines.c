/* SPDX-License-Identifier: Apache-2.0 */
#include "compiler/lint/internal.h"

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r';
}

struct span lint_lines_of(struct str text, struct span sp)
{
	uint32_t begin = sp.begin, end = sp.end;

	while (begin && is_blank(text.p[begin - 1]))
		begin--;
	while (end < text.n && is_blank(text.p[end]))
		end++;
	if (begin && text.p[begin - 1] != '\n')
		return (struct span){ sp.source, begin, sp.end };
	if (end < text.n && text.p[end] == '#')
		while (end < text.n && text.p[end] != '\n')
			end++;
	if (end < text.n && text.p[end] != '\n')
		return sp;
	return (struct span){ sp.source, begin, end < text.n ? end + 1 : end };
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "compiler/cmd/wrap.h"

#include <string.h>

void wrap_add(struct wrap *w, struct str words)
{
	if (w->column > w->indent && w->column + 1 + words.n > WRAP_COLUMNS) {
		buf_putc(w->out, '\n');
		w->column = 0;
	}
	if (w->column > w->indent) {
		buf_putc(w->out, ' ');
		w->column++;
	}
	for (; w->column < w->indent; w->column++)
		buf_putc(w->out, ' ');
	buf_add(w->out, words.p, words.n);
	w->column += words.n;
}

void wrap_text(struct wrap *w, const char *text)
{
	while (*text) {
		size_t n = strcspn(text, " \n");

		wrap_add(w, (struct str){ text, n });
		text += n;
		for (; *text == '\n'; text++, w->column = 0)
			buf_putc(w->out, '\n');
		text += strspn(text, " ");
	}
}

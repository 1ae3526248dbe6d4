/* SPDX-License-Identifier: Apache-2.0 */
#include "learn/report/html.h"

#include <stdio.h>

void html_lines(struct buf *out, struct str s)
{
	for (size_t i = 0, n; i < s.n; i += n) {
		n = 0;
		while (i + n < s.n && s.p[i + n] != '\n' && s.p[i + n] != '\t')
			n++;
		xml_put(out, (struct str){ s.p + i, n });
		if (i + n < s.n)
			buf_putc(out, s.p[i + n++]);
	}
}

void html_heading(struct buf *out, const char *text)
{
	buf_puts(out, "<h2>");
	html_c(out, text);
	buf_puts(out, "</h2>\n");
}

void html_note(struct buf *out, const char *text)
{
	buf_puts(out, "<p class=\"sub\">");
	html_c(out, text);
	buf_puts(out, "</p>\n");
}

void html_number(struct buf *out, uint64_t n)
{
	char digits[24];
	int len = snprintf(digits, sizeof(digits), "%llu", (unsigned long long)n);

	for (int i = 0; i < len; i++) {
		if (i && (len - i) % 3 == 0)
			buf_puts(out, "&#8239;"); /* a narrow blank that does not break */
		buf_putc(out, digits[i]);
	}
}

/* Bit by bit: squared, a number of [1, 2) is 2 or more where the next bit of its logarithm is 1. */
double report_log2(uint64_t n)
{
	int whole = 63 - __builtin_clzll(n | 1);
	double rest = (double)n / (double)(UINT64_C(1) << whole), bit = 0.5, log = whole;

	for (int i = 0; i < 12; i++, bit /= 2) {
		rest *= rest;
		if (rest < 2)
			continue;
		rest /= 2;
		log += bit;
	}
	return log;
}

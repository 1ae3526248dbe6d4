/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* HTML text (the HTML standard, 13.1). Inside learn/report only. */
#include "compiler/base/xml.h"

/* The same of a text of lines and tabs of our own making. */
void html_lines(struct buf *out, struct str s);
static inline void html_c(struct buf *out, const char *s)
{
	xml_put(out, str_c(s));
}
/* A heading; a line below it that says what it is about. */
void html_heading(struct buf *out, const char *text);
void html_note(struct buf *out, const char *text);
/* "1 234 567" */
void html_number(struct buf *out, uint64_t n);
/* The logarithm of n >= 1 to base 2, to a thousandth: libm would be one library more to start with. */
double report_log2(uint64_t n);

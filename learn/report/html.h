/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* HTML text (the HTML standard, 13.1). Inside learn/report only. */
#include "compiler/base/str.h"

/* Text or an attribute's value between '"': what a workload wrote can open no tag and end no value. */
void html_text(struct buf *out, struct str s);
/* The same of a text of lines and tabs of our own making. */
void html_lines(struct buf *out, struct str s);
static inline void html_c(struct buf *out, const char *s)
{
	html_text(out, str_c(s));
}
/* "1 234 567" */
void html_number(struct buf *out, uint64_t n);
/* "0.2 ms", "3.1 s", "2 h 5 min" */
void html_time(struct buf *out, uint64_t ns);
/* The logarithm of n >= 1 to base 2, to a thousandth: libm would be one library more to start with. */
double report_log2(uint64_t n);

/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Text in XML 1.0 and HTML, of elements and of attributes: the one place that escapes it. */
#include "compiler/base/str.h"

#define XML_HEAD "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"

/*
 * As buf_safe() shows it, so that no control character is left, and the five that XML reads as its
 * own; U+FFFE and U+FFFF, which XML cannot hold at all, as \xNN too.
 */
void xml_put(struct buf *out, struct str s);
/* ` name="..."` */
void xml_attribute(struct buf *out, const char *name, const char *value);
void xml_number(struct buf *out, const char *name, size_t n);
